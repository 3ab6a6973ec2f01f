// SPDX-License-Identifier: GPL-2.0-only
#include <linux/iommu.h>
int probe = IOMMU_CAP_ENFORCE_CACHE_COHERENCY;
