// SPDX-License-Identifier: GPL-2.0-only
/* The driver offers one static blocked domain. */
#include <linux/iommu.h>
static struct iommu_domain domain;
const struct iommu_ops probe = { .blocked_domain = &domain };
