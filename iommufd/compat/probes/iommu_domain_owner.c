// SPDX-License-Identifier: GPL-2.0-only
/* Own domains are recognised by domain->owner. */
#include <linux/iommu.h>
const void *probe(struct iommu_domain *domain) { return domain->owner; }
