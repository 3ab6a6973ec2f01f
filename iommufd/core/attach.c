// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attaching devices to address spaces, and detaching them.
 *
 * Requests of a device without PASID go through one space, and those with a
 * PASID through one for each; what is attached to nothing is blocked. Without
 * PASID, attachments stack: a device in a space can be put into a space below it
 * as well, and is given back when it leaves that. Or one takes the place of all
 * that there is.
 */
#include <linux/slab.h>
#include "core/space.h"
#include "core/event.h"
#include "core/hwpt.h"

static void attach_event(enum iofd_event_kind kind, struct iofd_attach *attach)
{
	struct iofd_device *idev = attach->binding;
	struct iofd_event ev = {
		.kind = kind,
		.bound = true,
		.dev = idev->pdev->dev,
		.subdev = idev->pdev->name,
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
	iofd_hwpt_unuse(attach->hwpt);
	kfree(attach);
	iofd_space_put(space);
}

static void forget_stack(struct iofd_attach *attach)
{
	struct iofd_attach *below;

	for (; attach; attach = below) {
		below = attach->below;
		forget(attach);
	}
}

/* Block what @pdev does with @pasid; nothing here waits for a user. */
static void detach_stack(struct iofd_pdev *pdev, u32 pasid)
{
	struct iofd_attach *attach = iofd_attach_find(pdev, pasid);

	lockdep_assert_held(&iofd_topology_lock);

	pdev->hd->ops->block(pdev->hd, pasid);
	if (pasid == IOFD_NO_PASID)
		pdev->attach = NULL;
	else
		xa_erase(&pdev->pasids, pasid);
	forget_stack(attach);
}

/* Is something mapped, or promised to the user, in a range? */
static bool is_taken(struct iofd_space *space, u64 first, u64 last)
{
	unsigned int i;

	if (iofd_iova_overlap(space, first, last))
		return true;
	for (i = 0; i < space->nr_allowed; i++)
		if (space->allowed[i].start <= last &&
		    first <= space->allowed[i].last)
			return true;
	return false;
}

/* The same where @pdev has a hole between its permitted ranges */
static bool is_taken_in_holes(struct iofd_space *space, struct iofd_pdev *pdev)
{
	u64 from = 0;
	unsigned int i;

	iofd_space_assert_locked(space);

	for (i = 0; i < pdev->nr_ranges; i++) {
		const struct iommu_ioasid_range *range = &pdev->ranges[i];

		if (range->start > from &&
		    is_taken(space, from, range->start - 1))
			return true;
		if (range->last == U64_MAX)
			return false;
		from = range->last + 1;
	}
	return is_taken(space, from, U64_MAX);
}

static bool descends(const struct iofd_space *space,
		     const struct iofd_space *from)
{
	while (space && space != from)
		space = space->parent;
	return space;
}

/* May @idev be attached, given what it is attached to? */
static int check_stack(struct iofd_device *idev,
		       const struct iofd_attach_request *req)
{
	struct iofd_attach *old = iofd_attach_find(idev->pdev, req->pasid);
	struct iofd_space *space = req->space;
	u32 pasid = req->pasid;

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
	if (old->binding != idev)
		return -EBUSY;
	if (req->replace)
		return 0;
	if (pasid != IOFD_NO_PASID || old->space == space || !descends(space, old->space))
		return -EBUSY;
	return 0;
}

/* Have the hardware go by @attach, and its device know it. */
static int switch_to(struct iofd_pdev *pdev, struct iofd_attach *attach,
		     struct iofd_attach *old)
{
	u32 pasid = attach->pasid;
	int rc = 0;

	lockdep_assert_held(&iofd_topology_lock);

	if (pasid != IOFD_NO_PASID && !old) {
		rc = xa_insert(&pdev->pasids, pasid, attach,
			       GFP_KERNEL_ACCOUNT);
		if (rc)
			return rc;
	}
	/* Another name for the same table is nothing to the hardware. */
	if (!old || old->table != attach->table)
		rc = pdev->hd->ops->attach(attach->table->pt, pdev->hd, pasid);
	if (rc) {
		if (pasid != IOFD_NO_PASID && !old)
			xa_erase(&pdev->pasids, pasid);
		return rc;
	}
	if (pasid == IOFD_NO_PASID)
		pdev->attach = attach;
	else if (old)
		/* In the place of another: nothing is allocated. */
		xa_store(&pdev->pasids, pasid, attach, GFP_KERNEL);
	return 0;
}

static int attach_locked(struct iofd_device *idev, struct iofd_attach *attach,
			 const struct iofd_attach_request *req)
{
	struct iofd_pdev *pdev = idev->pdev;
	struct iofd_attach *old;
	int rc;

	iofd_space_assert_locked(attach->space);
	lockdep_assert_held(&iofd_topology_lock);

	rc = check_stack(idev, req);
	if (rc)
		return rc;
	old = iofd_attach_find(pdev, req->pasid);
	rc = switch_to(pdev, attach, old);
	if (rc)
		return rc;
	space_add(attach);
	if (req->replace)
		forget_stack(old);
	else
		attach->below = old;
	attach_event(IOFD_EVENT_ATTACH, attach);
	return 0;
}

static int check_pasid(struct iofd_pdev *pdev,
		       const struct iofd_attach_request *req)
{
	/* A sub-device is one PASID, and has no others. */
	if (req->pasid == IOFD_NO_PASID)
		return pdev->pasid != IOFD_NO_PASID &&
		       req->space->type == IOMMU_IOASID_USER_PASID_TABLE ?
		       -EINVAL : 0;
	if (req->space->type == IOMMU_IOASID_USER_PASID_TABLE)
		return -EINVAL;
	if (req->pasid >> pdev->caps.pasid_width_bits)
		return -EINVAL;
	if (req->hwpt && !req->hwpt->for_pasids)
		return -EINVAL;
	return pdev->alone ? 0 : -EPERM;
}

static int check_space(struct iofd_device *idev,
		       const struct iofd_attach_request *req)
{
	struct iofd_fault_queue *faults = req->hwpt ? req->hwpt->faults :
						      req->space->faults;
	const struct iofd_hw_caps *caps = &idev->pdev->caps;
	struct iofd_space *space = req->space;
	int rc;

	iofd_space_assert_locked(space);

	if (space->dead)
		return -ENOENT;
	/* Asked again below; here it saves making a table for nothing. */
	mutex_lock(&iofd_topology_lock);
	rc = check_stack(idev, req);
	mutex_unlock(&iofd_topology_lock);
	if (rc)
		return rc;
	if (faults && !(caps->flags & IOMMU_DEVICE_INFO_PRI))
		return -ENODEV;
	if (!iofd_space_user_managed(space) &&
	    space->addr_width_bits > caps->addr_width_bits)
		return -EINVAL;
	return is_taken_in_holes(space, idev->pdev) ? -EADDRINUSE : 0;
}

/* The table, and its name if it has one; *@fresh: which is new, to be published */
static int find_table(struct iofd_device *idev, struct iofd_attach *attach,
		      const struct iofd_attach_request *req,
		      struct iofd_new_tables *new, bool *fresh)
{
	struct iofd_pdev *pdev = idev->pdev;
	struct iofd_space *space = req->space;
	struct iofd_hwpt *hwpt = req->hwpt;

	iofd_space_assert_locked(space);

	if (hwpt) {
		if (!iofd_table_fits(hwpt->table, pdev))
			return -EINVAL;
		if (!iofd_hwpt_use(hwpt))
			return -ENOENT;
		attach->hwpt = hwpt;
		attach->table = hwpt->table;
		return 0;
	}
	attach->table = iofd_table_for(space, pdev, new);
	if (IS_ERR(attach->table) || !req->named)
		return PTR_ERR_OR_ZERO(attach->table);
	hwpt = iofd_hwpt_automatic(space, attach->table, fresh);
	if (IS_ERR(hwpt)) {
		iofd_tables_drop(new);
		return PTR_ERR(hwpt);
	}
	attach->hwpt = hwpt;
	return 0;
}

static int attach_in(struct iofd_device *idev, struct iofd_attach *attach,
		     struct iofd_attach_request *req)
{
	struct iofd_new_tables new = {};
	bool fresh = false;
	int rc;

	rc = check_space(idev, req);
	if (!rc)
		rc = find_table(idev, attach, req, &new, &fresh);
	if (rc)
		return rc;
	req->hwpt_id = attach->hwpt ? attach->hwpt->obj.id : 0;
	mutex_lock(&iofd_topology_lock);
	rc = attach_locked(idev, attach, req);
	/* While the attachment, and with it the name, cannot go. */
	if (!rc && fresh)
		iofd_object_publish(&attach->hwpt->obj);
	mutex_unlock(&iofd_topology_lock);
	if (!rc) {
		iofd_tables_keep(&new);
		return 0;
	}
	iofd_hwpt_unuse(attach->hwpt);
	iofd_tables_drop(&new);
	return rc;
}

int iofd_attach(struct iofd_device *idev, struct iofd_attach_request *req)
{
	struct iofd_attach *attach;
	int rc;

	rc = check_pasid(idev->pdev, req);
	if (rc)
		return rc;
	attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	if (!attach)
		return -ENOMEM;
	attach->space = req->space;
	attach->binding = idev;
	attach->pasid = req->pasid;

	rc = iofd_space_lock(req->space);
	if (!rc) {
		rc = attach_in(idev, attach, req);
		iofd_space_unlock(req->space);
	}
	if (rc)
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

void iofd_detach_any(struct iofd_device *idev, u32 pasid)
{
	struct iofd_attach *attach;

	mutex_lock(&iofd_topology_lock);
	attach = iofd_attach_find(idev->pdev, pasid);
	if (attach && attach->binding == idev)
		detach_stack(idev->pdev, pasid);
	mutex_unlock(&iofd_topology_lock);
}

void iofd_detach_binding(struct iofd_device *idev)
{
	struct iofd_pdev *pdev = idev->pdev;
	struct iofd_attach *attach;
	unsigned long pasid;

	lockdep_assert_held(&iofd_topology_lock);

	xa_for_each(&pdev->pasids, pasid, attach) {
		/* There may be a million, and hardware is waited for each time. */
		cond_resched();
		if (attach->binding == idev)
			detach_stack(pdev, pasid);
	}
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
