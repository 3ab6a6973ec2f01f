// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bound devices: binding, attaching, detaching.
 *
 * A physical device (iofd_pdev) is opened at its provider once; each fd that it
 * is bound to has a binding (iofd_device). Its DMA without PASID is attached
 * through one of them, or blocked.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include "core/core.h"
#include "core/event.h"
#include "core/iofd.h"

DEFINE_MUTEX(iofd_topology_lock);

static LIST_HEAD(pdevs);		/* (t) */

struct iofd_pdev *iofd_pdev_find(struct device *dev)
{
	struct iofd_pdev *pdev;

	lockdep_assert_held(&iofd_topology_lock);

	list_for_each_entry(pdev, &pdevs, list)
		if (pdev->dev == dev)
			return pdev;
	return NULL;
}

static struct iofd_pdev *pdev_open(struct device *dev)
{
	struct iofd_pdev *pdev;
	int rc;

	lockdep_assert_held(&iofd_topology_lock);

	pdev = kzalloc(sizeof(*pdev), GFP_KERNEL_ACCOUNT);
	if (!pdev)
		return ERR_PTR(-ENOMEM);
	pdev->dev = dev;
	INIT_LIST_HEAD(&pdev->bindings);

	pdev->group = iofd_group_get(dev);
	if (IS_ERR(pdev->group)) {
		rc = PTR_ERR(pdev->group);
		goto err_free;
	}
	pdev->hd = iofd_hw_open(dev);
	if (IS_ERR(pdev->hd)) {
		rc = PTR_ERR(pdev->hd);
		goto err_group;
	}
	pdev->hd->ops->caps(pdev->hd, &pdev->caps);
	rc = iofd_group_ranges(pdev->group,
			       iofd_addr_last(pdev->caps.addr_width_bits),
			       &pdev->ranges, &pdev->nr_ranges);
	if (rc)
		goto err_close;
	list_add_tail(&pdev->list, &pdevs);
	return pdev;

err_close:
	iofd_hw_close(pdev->hd);
err_group:
	iofd_group_put(pdev->group);
err_free:
	kfree(pdev);
	return ERR_PTR(rc);
}

static void pdev_close(struct iofd_pdev *pdev)
{
	lockdep_assert_held(&iofd_topology_lock);

	if (WARN_ON(pdev->attach))
		pdev->hd->ops->block(pdev->hd, IOFD_NO_PASID);
	list_del(&pdev->list);
	iofd_hw_close(pdev->hd);
	iofd_group_put(pdev->group);
	kfree(pdev->ranges);
	kfree(pdev);
}

/* May a device of @group be bound to @ctx through @df? (A11, see group.c) */
static bool group_admits(struct iofd_group *group, struct iofd_ctx *ctx,
			 struct iofd_devfile *df)
{
	struct iofd_device *idev;
	struct iofd_pdev *pdev;
	bool occupied = false;

	list_for_each_entry(pdev, &pdevs, list) {
		if (pdev->group != group)
			continue;
		list_for_each_entry(idev, &pdev->bindings, pdev_entry) {
			if (idev->obj.ctx == ctx || idev->df == df)
				return true;
			occupied = true;
		}
	}
	return !occupied;
}

static void device_event(enum iofd_event_kind kind, struct iofd_device *idev,
			 u32 ioasid)
{
	struct iofd_event ev = {
		.kind = kind,
		.bound = true,
		.dev = idev->pdev->dev,
		.ctx_id = idev->obj.ctx->id,
		.label = idev->label,
		.ioasid = ioasid,
	};

	iofd_netlink_event(&ev);
}

static int bind_check(struct iofd_pdev *pdev, struct iofd_ctx *ctx,
		      struct iofd_devfile *df)
{
	struct iofd_device *other;

	list_for_each_entry(other, &pdev->bindings, pdev_entry) {
		/* One open file has the device; it may be bound to many fds. */
		if (other->df != df || other->obj.ctx == ctx)
			return -EBUSY;
	}
	return group_admits(pdev->group, ctx, df) ? 0 : -EPERM;
}

struct iofd_device *iofd_bind(struct iofd_ctx *ctx, struct iofd_devfile *df,
			      u64 label)
{
	struct iofd_device *idev;
	struct iofd_pdev *pdev;
	int rc;

	idev = kzalloc(sizeof(*idev), GFP_KERNEL_ACCOUNT);
	if (!idev)
		return ERR_PTR(-ENOMEM);
	idev->label = label;
	idev->df = df;

	mutex_lock(&iofd_topology_lock);
	pdev = iofd_pdev_find(df->dev);
	if (!pdev) {
		pdev = pdev_open(df->dev);
		if (IS_ERR(pdev)) {
			rc = PTR_ERR(pdev);
			goto err_unlock;
		}
	}
	rc = bind_check(pdev, ctx, df);
	if (rc)
		goto err_pdev;
	rc = iofd_object_reserve(ctx, &idev->obj, IOFD_OBJ_DEVICE);
	if (rc)
		goto err_pdev;
	rc = xa_insert(&ctx->labels, label, idev, GFP_KERNEL_ACCOUNT);
	if (rc)
		goto err_unpublish;

	refcount_inc(&ctx->refs);
	idev->pdev = pdev;
	list_add_tail(&idev->pdev_entry, &pdev->bindings);
	list_add_tail(&idev->ctx_entry, &ctx->bindings);
	iofd_object_publish(&idev->obj);
	device_event(IOFD_EVENT_BIND, idev, 0);
	mutex_unlock(&iofd_topology_lock);
	return idev;

err_unpublish:
	iofd_object_unpublish(&idev->obj);
err_pdev:
	if (list_empty(&pdev->bindings))
		pdev_close(pdev);
err_unlock:
	mutex_unlock(&iofd_topology_lock);
	kfree(idev);
	return ERR_PTR(rc);
}

/* Block the device and forget the attachment; nothing here waits for a user. */
static void detach_locked(struct iofd_pdev *pdev)
{
	struct iofd_attach *attach = pdev->attach;
	struct iofd_space *space = attach->space;

	lockdep_assert_held(&iofd_topology_lock);

	pdev->hd->ops->block(pdev->hd, IOFD_NO_PASID);
	pdev->attach = NULL;
	spin_lock(&space->attach_lock);
	list_del(&attach->space_entry);
	space->nr_attaches--;
	spin_unlock(&space->attach_lock);
	device_event(IOFD_EVENT_DETACH, attach->binding, space->obj.id);
	kfree(attach);
	iofd_space_put(space);
}

void iofd_unbind(struct iofd_device *idev)
{
	struct iofd_ctx *ctx = idev->obj.ctx;
	struct iofd_pdev *pdev = idev->pdev;

	mutex_lock(&iofd_topology_lock);
	if (pdev->attach && pdev->attach->binding == idev)
		detach_locked(pdev);
	iofd_object_unpublish(&idev->obj);
	xa_erase(&ctx->labels, idev->label);
	device_event(IOFD_EVENT_UNBIND, idev, 0);
	list_del(&idev->ctx_entry);
	list_del(&idev->pdev_entry);
	if (list_empty(&pdev->bindings))
		pdev_close(pdev);
	mutex_unlock(&iofd_topology_lock);

	kfree(idev);
	iofd_ctx_put(ctx);
}

/* Is something mapped where @pdev has a hole between its permitted ranges? */
static bool maps_in_holes(struct iofd_space *space, struct iofd_pdev *pdev)
{
	u64 from = 0;
	unsigned int i;

	lockdep_assert_held(&space->lock);

	for (i = 0; i < pdev->nr_ranges; i++) {
		const struct iommu_ioasid_range *range = &pdev->ranges[i];

		if (range->start > from &&
		    iofd_iova_overlap(space, from, range->start - 1))
			return true;
		if (range->last == U64_MAX)
			return false;
		from = range->last + 1;
	}
	return iofd_iova_overlap(space, from, U64_MAX);
}

static int attach_locked(struct iofd_device *idev, struct iofd_attach *attach)
{
	struct iofd_space *space = attach->space;
	struct iofd_pdev *pdev = idev->pdev;
	int rc;

	lockdep_assert_held(&space->lock);
	lockdep_assert_held(&iofd_topology_lock);

	if (idev->obj.ctx->closed)
		return -EBADF;
	if (pdev->attach)
		return -EBUSY;
	rc = pdev->hd->ops->attach(attach->table->pt, pdev->hd, IOFD_NO_PASID);
	if (rc)
		return rc;

	pdev->attach = attach;
	refcount_inc(&space->obj.refs);
	spin_lock(&space->attach_lock);
	list_add_tail(&attach->space_entry, &space->attaches);
	space->nr_attaches++;
	memset(&space->window, 0, sizeof(space->window));
	spin_unlock(&space->attach_lock);
	device_event(IOFD_EVENT_ATTACH, idev, space->obj.id);
	return 0;
}

int iofd_attach(struct iofd_device *idev, struct iofd_space *space)
{
	struct iofd_pdev *pdev = idev->pdev;
	struct iofd_attach *attach;
	bool made;
	int rc;

	attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	if (!attach)
		return -ENOMEM;
	attach->space = space;
	attach->binding = idev;

	if (mutex_lock_killable(&space->lock)) {
		rc = -EINTR;
		goto err_free;
	}
	rc = -ENOENT;
	if (space->dead)
		goto err_unlock;
	/* Asked again below; here it saves making a table for nothing. */
	rc = -EBUSY;
	if (READ_ONCE(pdev->attach))
		goto err_unlock;
	rc = -EINVAL;
	if (space->addr_width_bits > pdev->caps.addr_width_bits)
		goto err_unlock;
	rc = -EADDRINUSE;
	if (maps_in_holes(space, pdev))
		goto err_unlock;
	attach->table = iofd_space_table_for(space, pdev, &made);
	if (IS_ERR(attach->table)) {
		rc = PTR_ERR(attach->table);
		goto err_unlock;
	}

	mutex_lock(&iofd_topology_lock);
	rc = attach_locked(idev, attach);
	mutex_unlock(&iofd_topology_lock);
	if (rc) {
		if (made)
			iofd_space_drop_table(space, attach->table);
		goto err_unlock;
	}
	if (made)
		iofd_space_keep_table(space, attach->table);
	mutex_unlock(&space->lock);
	return 0;

err_unlock:
	mutex_unlock(&space->lock);
err_free:
	kfree(attach);
	return rc;
}

int iofd_detach(struct iofd_device *idev, u32 ioasid)
{
	struct iofd_pdev *pdev = idev->pdev;
	int rc = -ENOENT;

	mutex_lock(&iofd_topology_lock);
	if (pdev->attach && pdev->attach->binding == idev &&
	    pdev->attach->space->obj.id == ioasid) {
		detach_locked(pdev);
		rc = 0;
	}
	mutex_unlock(&iofd_topology_lock);
	return rc;
}

struct iofd_device *iofd_device_by_label(struct iofd_ctx *ctx, u64 label)
{
	lockdep_assert_held(&iofd_topology_lock);

	return xa_load(&ctx->labels, label);
}

void iofd_detach_all(struct iofd_ctx *ctx)
{
	struct iofd_device *idev;

	mutex_lock(&iofd_topology_lock);
	list_for_each_entry(idev, &ctx->bindings, ctx_entry)
		if (idev->pdev->attach && idev->pdev->attach->binding == idev)
			detach_locked(idev->pdev);
	mutex_unlock(&iofd_topology_lock);
}
