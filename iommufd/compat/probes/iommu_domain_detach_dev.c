// SPDX-License-Identifier: GPL-2.0-only
#include <linux/iommu.h>
static void detach(struct iommu_domain *domain, struct device *dev) { }
const struct iommu_domain_ops probe = { .detach_dev = detach };
