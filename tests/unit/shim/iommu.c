// SPDX-License-Identifier: LGPL-2.1-or-later
#include "internal.h"
#include <linux/iommu.h>

struct iommu_group *iommu_group_get(struct device *dev)
{
	if (dev->iommu_group)
		dev->iommu_group->refs++;
	return dev->iommu_group;
}

void iommu_group_put(struct iommu_group *group)
{
	BUG_ON(!group->refs);
	group->refs--;
}

int iommu_group_id(struct iommu_group *group)
{
	return group->id;
}

int iommu_group_for_each_dev(struct iommu_group *group, void *data,
			     int (*fn)(struct device *, void *))
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i <= group->nr_more_devs && !rc; i++)
		rc = fn(NULL, data);
	return rc;
}

int iommu_group_claim_dma_owner(struct iommu_group *group, void *owner)
{
	if (group->owner || group->busy)
		return -EPERM;
	group->owner = owner;
	return 0;
}

void iommu_group_release_dma_owner(struct iommu_group *group)
{
	BUG_ON(!group->owner);
	group->owner = NULL;
}

int iommu_get_group_resv_regions(struct iommu_group *group,
				 struct list_head *head)
{
	unsigned int i;

	for (i = 0; i < group->nr_regions; i++) {
		struct iommu_resv_region *region;

		region = kmemdup(&group->regions[i], sizeof(*region), GFP_KERNEL);
		if (!region)
			return -ENOMEM;
		list_add_tail(&region->list, head);
	}
	return 0;
}
