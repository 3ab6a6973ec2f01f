// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: who may have a device, and which addresses its group can use.
 *
 * The kernel's group of a device is claimed with its first binding. From then on
 * no kernel driver can take a device of it, and what none of us attached is
 * blocked. The claim goes back with the last binding in the group.
 *
 * A claimed group belongs to the contexts that its devices are bound to. Another
 * context can join through a device file that is bound already: whoever holds
 * that file has the device. (Requirement A11.)
 *
 * The group of a sub-device's parent is only borrowed: it stays the kernel's.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/list_sort.h>
#include <linux/slab.h>
#include "core/core.h"

static LIST_HEAD(groups);		/* (t) */

static struct iofd_group *find_claimed(const struct iommu_group *iommu_group)
{
	struct iofd_group *group;

	list_for_each_entry(group, &groups, list)
		if (group->group == iommu_group)
			return group;
	return NULL;
}

/* With the reference that the caller has on @iommu_group */
static struct iofd_group *group_alloc(struct iommu_group *iommu_group)
{
	struct iofd_group *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);

	if (!group)
		return NULL;
	INIT_LIST_HEAD(&group->list);
	group->group = iommu_group;
	group->nr_pdevs = 1;
	return group;
}

struct iofd_group *iofd_group_get(struct device *dev)
{
	struct iommu_group *iommu_group;
	struct iofd_group *group;
	int rc;

	lockdep_assert_held(&iofd_topology_lock);

	iommu_group = iommu_group_get(dev);
	if (!iommu_group)
		return ERR_PTR(-ENODEV);

	group = find_claimed(iommu_group);
	if (group) {
		iommu_group_put(iommu_group);
		group->nr_pdevs++;
		return group;
	}

	group = group_alloc(iommu_group);
	if (!group) {
		rc = -ENOMEM;
		goto err_put;
	}
	rc = iommu_group_claim_dma_owner(iommu_group, group);
	if (rc)
		goto err_free;
	group->claimed = true;
	list_add_tail(&group->list, &groups);
	return group;

err_free:
	kfree(group);
err_put:
	iommu_group_put(iommu_group);
	return ERR_PTR(rc);
}

struct iofd_group *iofd_group_borrow(struct device *dev)
{
	struct iommu_group *iommu_group;
	struct iofd_group *group;

	lockdep_assert_held(&iofd_topology_lock);

	iommu_group = iommu_group_get(dev);
	if (!iommu_group)
		return ERR_PTR(-ENODEV);
	group = group_alloc(iommu_group);
	if (!group) {
		iommu_group_put(iommu_group);
		return ERR_PTR(-ENOMEM);
	}
	if (!find_claimed(iommu_group) && iofd_group_is_single(group))
		return group;
	iofd_group_put(group);
	return ERR_PTR(-EPERM);
}

void iofd_group_put(struct iofd_group *group)
{
	lockdep_assert_held(&iofd_topology_lock);

	if (--group->nr_pdevs)
		return;
	list_del(&group->list);
	if (group->claimed)
		iommu_group_release_dma_owner(group->group);
	iommu_group_put(group->group);
	kfree(group);
}

static int count_device(struct device *dev, void *arg)
{
	unsigned int *nr = arg;

	++*nr;
	return 0;
}

bool iofd_group_is_single(struct iofd_group *group)
{
	unsigned int nr = 0;

	iommu_group_for_each_dev(group->group, &nr, count_device);
	return nr == 1;
}

static int region_cmp(void *priv, const struct list_head *a,
		      const struct list_head *b)
{
	const struct iommu_resv_region *ra, *rb;

	ra = container_of(a, struct iommu_resv_region, list);
	rb = container_of(b, struct iommu_resv_region, list);
	return ra->start < rb->start ? -1 : ra->start > rb->start;
}

int iofd_group_ranges(struct iofd_group *group, u64 addr_last,
		      struct iommu_ioasid_range **ranges_out,
		      unsigned int *nr_out)
{
	struct iommu_ioasid_range *ranges;
	struct iommu_resv_region *region, *next;
	unsigned int nr = 1;
	LIST_HEAD(regions);
	u64 from = 0;
	bool full = false;
	int rc;

	rc = iommu_get_group_resv_regions(group->group, &regions);
	if (rc)
		goto out;
	list_for_each_entry(region, &regions, list)
		nr++;
	ranges = kcalloc(nr, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
	if (!ranges) {
		rc = -ENOMEM;
		goto out;
	}
	list_sort(NULL, &regions, region_cmp);

	/* Each region closes the gap before it; what is left is one more. */
	nr = 0;
	list_for_each_entry(region, &regions, list) {
		u64 start = region->start & PAGE_MASK;
		u64 last = (region->start + region->length - 1) | ~PAGE_MASK;

		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE ||
		    region->type == IOMMU_RESV_SW_MSI || !region->length)
			continue;
		if (start > addr_last)
			break;
		if (start > from) {
			ranges[nr].start = from;
			ranges[nr].last = start - 1;
			nr++;
		}
		if (last >= addr_last) {
			full = true;
			break;
		}
		from = max(from, last + 1);
	}
	if (!full) {
		ranges[nr].start = from;
		ranges[nr].last = addr_last;
		nr++;
	}
	*ranges_out = ranges;
	*nr_out = nr;
out:
	list_for_each_entry_safe(region, next, &regions, list)
		kfree(region);
	return rc;
}
