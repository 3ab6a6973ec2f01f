// SPDX-License-Identifier: GPL-2.0-only
/* Page sizes belong to the driver, not to each domain. */
#include <linux/iommu.h>
const struct iommu_ops probe = { .pgsize_bitmap = 4096 };
