// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching devices to address spaces, and detaching them.
 *
 * Requests of a device without PASID go through one space, and those with a
 * PASID through one for each; what is attached to nothing is blocked. Without
 * PASID, attachments stack: a device in a space can be put into a space below it
 * as well, and is given back when it leaves that.
 */
#include <linux/slab.h>
#include "core/core.h"
#include "core/event.h"

static void attach_event(enum iofd_event_kind kind, struct iofd_attach *attach)
{
	struct iofd_device *idev = attach->binding;
	struct iofd_event ev = {
		.kind = kind,
		.bound = true,
		.dev = idev->pdev->dev,
		.ctx_id = idev->obj.ctx->id,
		.label = idev->label,
		.ioasid = attach->space->obj.id,
		.has_pasid = attach->pasid != IOFD_NO_PASID,
		.pasid = attach->pasid,
	};

	iofd_netlink_event(&ev);
}

struct iofd_attach *iofd_attach_find(struct iofd_pdev *pdev, u32 pasid)
{
	lockdep_assert_held(&iofd_topology_lock);

	if (pasid == IOFD_NO_PASID)
		return pdev->attach;
	return xa_load(&pdev->pasids, pasid);
}

static bool is_pasid_table(const struct iofd_attach *attach)
{
	return attach && attach->space->type == IOMMU_IOASID_USER_PASID_TABLE;
}

struct iofd_attach *iofd_attach_for_fault(struct iofd_pdev *pdev, u32 pasid)
{
	/* A table of the user's has all PASIDs. */
	if (is_pasid_table(pdev->attach))
		return pdev->attach;
	return iofd_attach_find(pdev, pasid);
}

static void space_add(struct iofd_attach *attach)
{
	struct iofd_space *space = attach->space;

	refcount_inc(&space->obj.refs);
	spin_lock(&space->attach_lock);
	list_add_tail(&attach->space_entry, &space->attaches);
	space->nr_attaches++;
	if (!iofd_table_is_ours(attach->table))
		space->nr_nested++;
	memset(&space->window, 0, sizeof(space->window));
	spin_unlock(&space->attach_lock);
}

/* The hardware goes by something else already. */
static void forget(struct iofd_attach *attach)
{
	struct iofd_space *space = attach->space;

	spin_lock(&space->attach_lock);
	list_del(&attach->space_entry);
	space->nr_attaches--;
	if (!iofd_table_is_ours(attach->table))
		space->nr_nested--;
	spin_unlock(&space->attach_lock);
	attach_event(IOFD_EVENT_DETACH, attach);
	kfree(attach);
	iofd_space_put(space);
}

/* Block what @pdev does with @pasid; nothing here waits for a user. */
static void detach_stack(struct iofd_pdev *pdev, u32 pasid)
{
	struct iofd_attach *attach = iofd_attach_find(pdev, pasid), *below;

	lockdep_assert_held(&iofd_topology_lock);

	pdev->hd->ops->block(pdev->hd, pasid);
	if (pasid == IOFD_NO_PASID)
		pdev->attach = NULL;
	else
		xa_erase(&pdev->pasids, pasid);
	for (; attach; attach = below) {
		below = attach->below;
		forget(attach);
	}
}

/* Is something mapped where @pdev has a hole between its permitted ranges? */
static bool maps_in_holes(struct iofd_space *space, struct iofd_pdev *pdev)
{
	u64 from = 0;
	unsigned int i;

	iofd_space_assert_locked(space);

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

static bool descends(const struct iofd_space *space,
		     const struct iofd_space *from)
{
	while (space && space != from)
		space = space->parent;
	return space;
}

/* May @idev be attached to @space, given what it is attached to? */
static int check_stack(struct iofd_device *idev, struct iofd_space *space,
		       u32 pasid)
{
	struct iofd_attach *old = iofd_attach_find(idev->pdev, pasid);

	lockdep_assert_held(&iofd_topology_lock);

	if (idev->obj.ctx->closed)
		return -EBADF;
	/* The PASIDs are either the user's to give, or ours. */
	if (pasid != IOFD_NO_PASID ? is_pasid_table(idev->pdev->attach) :
	    space->type == IOMMU_IOASID_USER_PASID_TABLE &&
	    !xa_empty(&idev->pdev->pasids))
		return -EBUSY;
	if (!old)
		return 0;
	if (pasid != IOFD_NO_PASID || old->binding != idev ||
	    old->space == space || !descends(space, old->space))
		return -EBUSY;
	return 0;
}

static int attach_locked(struct iofd_device *idev, struct iofd_attach *attach)
{
	struct iofd_pdev *pdev = idev->pdev;
	u32 pasid = attach->pasid;
	int rc;

	iofd_space_assert_locked(attach->space);
	lockdep_assert_held(&iofd_topology_lock);

	rc = check_stack(idev, attach->space, pasid);
	if (rc)
		return rc;
	if (pasid != IOFD_NO_PASID) {
		rc = xa_insert(&pdev->pasids, pasid, attach,
			       GFP_KERNEL_ACCOUNT);
		if (rc)
			return rc;
	}
	rc = pdev->hd->ops->attach(attach->table->pt, pdev->hd, pasid);
	if (rc) {
		if (pasid != IOFD_NO_PASID)
			xa_erase(&pdev->pasids, pasid);
		return rc;
	}
	if (pasid == IOFD_NO_PASID) {
		attach->below = pdev->attach;
		pdev->attach = attach;
	}
	space_add(attach);
	attach_event(IOFD_EVENT_ATTACH, attach);
	return 0;
}

static int check_pasid(struct iofd_pdev *pdev, struct iofd_space *space,
		       u32 pasid)
{
	if (pasid == IOFD_NO_PASID)
		return 0;
	if (space->type == IOMMU_IOASID_USER_PASID_TABLE)
		return -EINVAL;
	if (pasid >> pdev->caps.pasid_width_bits)
		return -EINVAL;
	return pdev->alone ? 0 : -EPERM;
}

int iofd_attach(struct iofd_device *idev, struct iofd_space *space, u32 pasid)
{
	struct iofd_pdev *pdev = idev->pdev;
	struct iofd_new_tables new = {};
	struct iofd_attach *attach;
	int rc;

	rc = check_pasid(pdev, space, pasid);
	if (rc)
		return rc;
	attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	if (!attach)
		return -ENOMEM;
	attach->space = space;
	attach->binding = idev;
	attach->pasid = pasid;

	rc = iofd_space_lock(space);
	if (rc)
		goto err_free;
	rc = -ENOENT;
	if (space->dead)
		goto err_unlock;
	/* Asked again below; here it saves making a table for nothing. */
	mutex_lock(&iofd_topology_lock);
	rc = check_stack(idev, space, pasid);
	mutex_unlock(&iofd_topology_lock);
	if (rc)
		goto err_unlock;
	rc = -EINVAL;
	if (!iofd_space_user_managed(space) &&
	    space->addr_width_bits > pdev->caps.addr_width_bits)
		goto err_unlock;
	rc = -EADDRINUSE;
	if (maps_in_holes(space, pdev))
		goto err_unlock;
	attach->table = iofd_table_for(space, pdev, &new);
	if (IS_ERR(attach->table)) {
		rc = PTR_ERR(attach->table);
		goto err_unlock;
	}

	mutex_lock(&iofd_topology_lock);
	rc = attach_locked(idev, attach);
	mutex_unlock(&iofd_topology_lock);
	if (rc) {
		iofd_tables_drop(&new);
		goto err_unlock;
	}
	iofd_tables_keep(&new);
	iofd_space_unlock(space);
	return 0;

err_unlock:
	iofd_space_unlock(space);
err_free:
	kfree(attach);
	return rc;
}

/* The device's attachment to @ioasid in the stack is @top or below it. */
static bool in_stack(const struct iofd_attach *top, u32 ioasid)
{
	for (; top; top = top->below)
		if (top->space->obj.id == ioasid)
			return true;
	return false;
}

static int detach_locked(struct iofd_device *idev, u32 ioasid, u32 pasid)
{
	struct iofd_pdev *pdev = idev->pdev;
	struct iofd_attach *attach = iofd_attach_find(pdev, pasid);
	int rc;

	lockdep_assert_held(&iofd_topology_lock);

	if (!attach || attach->binding != idev || !in_stack(attach, ioasid))
		return -ENOENT;
	if (attach->space->obj.id != ioasid)
		return -EBUSY;
	if (!attach->below) {
		detach_stack(pdev, pasid);
		return 0;
	}
	rc = pdev->hd->ops->attach(attach->below->table->pt, pdev->hd, pasid);
	if (rc)
		return rc;
	pdev->attach = attach->below;
	forget(attach);
	return 0;
}

int iofd_detach(struct iofd_device *idev, u32 ioasid, u32 pasid)
{
	int rc;

	mutex_lock(&iofd_topology_lock);
	rc = detach_locked(idev, ioasid, pasid);
	mutex_unlock(&iofd_topology_lock);
	return rc;
}

void iofd_detach_binding(struct iofd_device *idev)
{
	struct iofd_pdev *pdev = idev->pdev;
	struct iofd_attach *attach;
	unsigned long pasid;

	lockdep_assert_held(&iofd_topology_lock);

	xa_for_each(&pdev->pasids, pasid, attach)
		if (attach->binding == idev)
			detach_stack(pdev, pasid);
	if (pdev->attach && pdev->attach->binding == idev)
		detach_stack(pdev, IOFD_NO_PASID);
}

void iofd_detach_all(struct iofd_ctx *ctx)
{
	struct iofd_device *idev;

	mutex_lock(&iofd_topology_lock);
	list_for_each_entry(idev, &ctx->bindings, ctx_entry)
		iofd_detach_binding(idev);
	mutex_unlock(&iofd_topology_lock);
}
