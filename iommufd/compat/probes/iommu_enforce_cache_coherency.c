// SPDX-License-Identifier: GPL-2.0-only
#include <linux/iommu.h>
static bool enforce(struct iommu_domain *domain) { return true; }
const struct iommu_domain_ops probe = { .enforce_cache_coherency = enforce };
