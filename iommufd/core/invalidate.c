// SPDX-License-Identifier: GPL-2.0-only
/*
 * INVALIDATE_CACHE: the user has changed its own table.
 */
#include "core/compose.h"

/* Is @attach one that the invalidation is meant for? */
static bool concerns(const struct iofd_attach *attach,
		     const struct iofd_device *idev, u32 pasid)
{
	if (idev && attach->binding != idev)
		return false;
	return pasid == IOFD_ANY_PASID || attach->pasid == pasid;
}

/* Has @space an attachment that it is meant for? @idev: of this device alone */
static bool concerns_any(struct iofd_space *space,
			 const struct iofd_device *idev, u32 pasid)
{
	struct iofd_attach *attach;
	bool found = false;

	spin_lock(&space->attach_lock);
	list_for_each_entry(attach, &space->attaches, space_entry)
		found |= concerns(attach, idev, pasid);
	spin_unlock(&space->attach_lock);
	return found;
}

/* @idev stays bound meanwhile. */
static int invalidate_hardware(struct iofd_space *space,
			       const struct iofd_device *idev,
			       const struct iofd_invalidation *inv)
{
	/* The PASIDs of a table of them are the user's business. */
	bool any = space->type == IOMMU_IOASID_USER_PASID_TABLE ||
		   inv->pasid == IOFD_ANY_PASID;
	struct iofd_hw_dev *hd = idev ? idev->pdev->hd : NULL;
	struct iofd_table *table;

	iofd_space_assert_locked(space);

	if ((idev || !any) &&
	    !concerns_any(space, idev, any ? IOFD_ANY_PASID : inv->pasid))
		return -ENOENT;
	list_for_each_entry(table, &space->tables, list)
		if (!iofd_table_is_ours(table) &&
		    (!hd || hd->ops == table->pt->ops))
			table->pt->ops->invalidate(table->pt, hd, inv->pasid,
						   inv->first, inv->last,
						   inv->leaf);
	return 0;
}

/* Does hardware translate [first, last], and without a hole in the middle? */
static bool is_canonical(const struct iofd_space *space, u64 first, u64 last)
{
	u64 half = iofd_addr_last((space->addr_width_bits ?: 57) - 1);

	return last <= half || first >= ~half || (!first && last == U64_MAX);
}

static int invalidate_locked(struct iofd_space *space,
			     const struct iofd_invalidation *inv)
{
	struct iofd_device *idev = NULL;
	int rc;

	if (space->dead)
		return -ENOENT;
	if (inv->label) {
		idev = iofd_device_get_by_label(space->obj.ctx, *inv->label);
		if (!idev)
			return -ENOENT;
	}
	rc = invalidate_hardware(space, idev, inv);
	if (idev)
		iofd_device_put(idev);
	if (!rc && space->composed)
		rc = iofd_user_refresh(space, inv->first, inv->last);
	return rc;
}

int iofd_space_invalidate(struct iofd_space *space,
			  const struct iofd_invalidation *inv)
{
	int rc;

	if (!iofd_space_user_managed(space))
		return -EOPNOTSUPP;
	if (!is_canonical(space, inv->first, inv->last))
		return -EINVAL;
	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	rc = invalidate_locked(space, inv);
	iofd_space_unlock(space);
	return rc;
}
