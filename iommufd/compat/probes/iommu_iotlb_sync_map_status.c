// SPDX-License-Identifier: GPL-2.0-only
/* iotlb_sync_map() can fail. */
#include <linux/iommu.h>
static int sync(struct iommu_domain *domain, unsigned long iova, size_t size) { return 0; }
const struct iommu_domain_ops probe = { .iotlb_sync_map = sync };
