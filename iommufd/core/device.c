// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bound devices: binding and unbinding.
 *
 * A physical device (iofd_pdev) is opened at its provider once; each fd that it
 * is bound to has a binding (iofd_device). A sub-device is one like any other, but
 * for its group, which stays the kernel's, and that it has no PASIDs to give away.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>
#include "core/core.h"
#include "core/event.h"
#include "core/iofd.h"

DEFINE_MUTEX(iofd_topology_lock);

static LIST_HEAD(pdevs);		/* (t) */

struct iofd_pdev *iofd_pdev_find(struct device *dev, u32 pasid)
{
	struct iofd_pdev *pdev;

	lockdep_assert_held(&iofd_topology_lock);

	list_for_each_entry(pdev, &pdevs, list)
		if (pdev->dev == dev && pdev->pasid == pasid)
			return pdev;
	return NULL;
}

/* What the device can do, as the user sees it */
static void learn_caps(struct iofd_pdev *pdev)
{
	struct iofd_hw_caps *caps = &pdev->caps;

	pdev->hd->ops->caps(pdev->hd, caps);
	if (pdev->pasid == IOFD_NO_PASID)
		return;
	caps->pasid_width_bits = 0;
	caps->flags |= IOMMU_DEVICE_INFO_SUBDEVICE;
}

static struct iofd_pdev *pdev_open(const struct iofd_devfile *df)
{
	struct iofd_pdev *pdev;
	int rc;

	lockdep_assert_held(&iofd_topology_lock);

	pdev = kzalloc(sizeof(*pdev), GFP_KERNEL_ACCOUNT);
	if (!pdev)
		return ERR_PTR(-ENOMEM);
	pdev->dev = df->dev;
	pdev->pasid = df->pasid;
	pdev->name = df->name;
	INIT_LIST_HEAD(&pdev->bindings);
	xa_init_flags(&pdev->pasids, XA_FLAGS_ACCOUNT);

	pdev->group = df->pasid == IOFD_NO_PASID ? iofd_group_get(df->dev) :
						   iofd_group_borrow(df->dev);
	if (IS_ERR(pdev->group)) {
		rc = PTR_ERR(pdev->group);
		goto err_free;
	}
	pdev->hd = iofd_hw_open(df->dev, df->pasid);
	if (IS_ERR(pdev->hd)) {
		rc = PTR_ERR(pdev->hd);
		goto err_group;
	}
	learn_caps(pdev);
	pdev->alone = iofd_group_is_single(pdev->group);
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

	WARN_ON(pdev->attach || !xa_empty(&pdev->pasids));
	list_del(&pdev->list);
	iofd_hw_close(pdev->hd);
	iofd_group_put(pdev->group);
	xa_destroy(&pdev->pasids);
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

/*
 * What would binding give? Found out by doing all of it but the binding. Nothing
 * can happen to the device's driver meanwhile, see core.h.
 */
int iofd_device_try(struct device *dev, const char **provider,
		    struct iofd_hw_caps *caps)
{
	struct iofd_group *group;
	struct iofd_hw_dev *hd;

	lockdep_assert_held(&iofd_topology_lock);

	group = iofd_group_get(dev);
	if (IS_ERR(group))
		return PTR_ERR(group);
	hd = iofd_hw_open(dev, IOFD_NO_PASID);
	if (IS_ERR(hd)) {
		iofd_group_put(group);
		return PTR_ERR(hd);
	}
	*provider = hd->ops->name;
	hd->ops->caps(hd, caps);
	iofd_hw_close(hd);
	iofd_group_put(group);
	return 0;
}

bool iofd_device_may_not_snoop(struct device *dev)
{
	struct iofd_hw_caps *caps;
	struct iofd_pdev *pdev;
	const char *provider;
	bool may = false;

	/* Too large for the stack of whoever calls. */
	caps = kzalloc(sizeof(*caps), GFP_KERNEL);
	if (!caps)
		return false;
	mutex_lock(&iofd_topology_lock);
	pdev = iofd_pdev_find(dev, IOFD_NO_PASID);
	if (pdev)
		*caps = pdev->caps;
	if (pdev || !iofd_device_try(dev, &provider, caps))
		may = !(caps->flags & IOMMU_DEVICE_INFO_ENFORCE_SNOOP);
	mutex_unlock(&iofd_topology_lock);
	kfree(caps);
	return may;
}
EXPORT_SYMBOL_GPL(iofd_device_may_not_snoop);

static void device_event(enum iofd_event_kind kind, struct iofd_device *idev)
{
	struct iofd_event ev = {
		.kind = kind,
		.bound = true,
		.dev = idev->pdev->dev,
		.subdev = idev->pdev->name,
		.ctx_id = idev->obj.ctx->id,
		.label = idev->label,
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
			      const u64 *label)
{
	struct iofd_device *idev;
	struct iofd_pdev *pdev;
	int rc;

	idev = kzalloc(sizeof(*idev), GFP_KERNEL_ACCOUNT);
	if (!idev)
		return ERR_PTR(-ENOMEM);
	idev->df = df;

	mutex_lock(&iofd_topology_lock);
	pdev = iofd_pdev_find(df->dev, df->pasid);
	if (!pdev) {
		pdev = pdev_open(df);
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
	idev->label = label ? *label : idev->obj.id;
	rc = xa_insert(&ctx->labels, idev->label, idev, GFP_KERNEL_ACCOUNT);
	if (rc)
		goto err_unpublish;

	refcount_inc(&ctx->refs);
	idev->pdev = pdev;
	list_add_tail(&idev->pdev_entry, &pdev->bindings);
	list_add_tail(&idev->ctx_entry, &ctx->bindings);
	iofd_object_publish(&idev->obj);
	device_event(IOFD_EVENT_BIND, idev);
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

void iofd_unbind(struct iofd_device *idev)
{
	struct iofd_ctx *ctx = idev->obj.ctx;
	struct iofd_pdev *pdev = idev->pdev;

	mutex_lock(&iofd_topology_lock);
	iofd_detach_binding(idev);
	iofd_object_unpublish(&idev->obj);
	xa_erase(&ctx->labels, idev->label);
	mutex_unlock(&iofd_topology_lock);

	/* Nobody finds it any more; those who did may be making tables for it. */
	wait_var_event(&idev->users, !atomic_read(&idev->users));

	mutex_lock(&iofd_topology_lock);
	device_event(IOFD_EVENT_UNBIND, idev);
	list_del(&idev->ctx_entry);
	list_del(&idev->pdev_entry);
	if (list_empty(&pdev->bindings))
		pdev_close(pdev);
	mutex_unlock(&iofd_topology_lock);

	kfree(idev);
	iofd_ctx_put(ctx);
}

static struct iofd_device *by_id(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_object *obj;

	lockdep_assert_held(&iofd_topology_lock);

	/* A device comes and goes with the lock held alone. */
	if (iofd_object_type(ctx, id) != IOFD_OBJ_DEVICE)
		return NULL;
	obj = xa_load(&ctx->objects, id);
	return container_of(obj, struct iofd_device, obj);
}

struct iofd_device *iofd_device_get_by_id(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_device *idev;

	mutex_lock(&iofd_topology_lock);
	idev = by_id(ctx, id);
	if (idev)
		atomic_inc(&idev->users);
	mutex_unlock(&iofd_topology_lock);
	return idev;
}

struct iofd_device *iofd_device_get_by_label(struct iofd_ctx *ctx, u64 label)
{
	struct iofd_device *idev;

	mutex_lock(&iofd_topology_lock);
	idev = xa_load(&ctx->labels, label);
	if (idev)
		atomic_inc(&idev->users);
	mutex_unlock(&iofd_topology_lock);
	return idev;
}

void iofd_device_put(struct iofd_device *idev)
{
	/* Only its address is used when it is gone. */
	if (atomic_dec_and_test(&idev->users))
		wake_up_var(&idev->users);
}
