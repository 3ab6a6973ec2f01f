// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a device: for wrappers that act on several devices at once.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/iommu.h>
#include "core/core.h"
#include "core/iofd.h"

/* What @ctx has of @dev and its @group: see iofd_devfile_id(). */
static int id_in_ctx(struct iofd_ctx *ctx, struct device *dev,
		     struct iommu_group *group)
{
	struct iofd_device *idev;
	int rc = -ENOENT;

	lockdep_assert_held(&iofd_topology_lock);

	list_for_each_entry(idev, &ctx->bindings, ctx_entry) {
		/* Who has a sub-device has nothing of its parent. */
		if (!idev->pdev->group->claimed)
			continue;
		if (idev->pdev->dev == dev)
			return idev->obj.id;
		if (idev->pdev->group->group == group)
			rc = 0;
	}
	/* In the group, but bound to an fd of its own. */
	if (!rc && iofd_pdev_find(dev, IOFD_NO_PASID))
		rc = -ENOENT;
	return rc;
}

int iofd_devfile_id(struct iofd_devfile *df, struct device *dev)
{
	struct iommu_group *group;
	struct iofd_device *idev;
	struct iofd_pdev *pdev;
	int rc = -ENOENT;

	group = iommu_group_get(dev);
	if (!group)
		return -ENOENT;
	mutex_lock(&iofd_topology_lock);
	pdev = iofd_pdev_find(df->dev, df->pasid);
	if (pdev) {
		list_for_each_entry(idev, &pdev->bindings, pdev_entry) {
			rc = max(rc, id_in_ctx(idev->obj.ctx, dev, group));
			if (rc > 0)
				break;
		}
	}
	mutex_unlock(&iofd_topology_lock);
	iommu_group_put(group);
	return rc;
}
EXPORT_SYMBOL_GPL(iofd_devfile_id);
