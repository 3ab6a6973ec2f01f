// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids for the tables of a root.
 */
#include <linux/slab.h>
#include "core/space.h"
#include "core/hwpt.h"

struct iofd_hwpt *iofd_hwpt_get(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_object *obj = iofd_object_get(ctx, id, IOFD_OBJ_HWPT);

	return obj ? container_of(obj, struct iofd_hwpt, obj) : NULL;
}

void iofd_hwpt_put(struct iofd_hwpt *hwpt)
{
	if (!refcount_dec_and_test(&hwpt->obj.refs))
		return;
	iofd_fault_queue_unuse(hwpt->faults);
	iofd_space_put(hwpt->space);
	kfree(hwpt);
}

bool iofd_hwpt_use(struct iofd_hwpt *hwpt)
{
	return refcount_inc_not_zero(&hwpt->users);
}

/* Nobody uses it any more, nor will. */
static void take_apart(struct iofd_hwpt *hwpt)
{
	struct iofd_space *space = hwpt->space;

	iofd_object_unpublish(&hwpt->obj);
	spin_lock(&space->attach_lock);
	list_del(&hwpt->list);
	/* The space keeps the table, for the next one. */
	if (hwpt->dirty)
		WRITE_ONCE(hwpt->table->tracker, NULL);
	spin_unlock(&space->attach_lock);
	iofd_hwpt_put(hwpt);
}

void iofd_hwpt_unuse(struct iofd_hwpt *hwpt)
{
	if (hwpt && refcount_dec_and_test(&hwpt->users))
		take_apart(hwpt);
}

int iofd_hwpt_free(struct iofd_hwpt *hwpt)
{
	/* It is there because a device is attached. */
	if (hwpt->automatic)
		return -EBUSY;
	if (!refcount_dec_if_one(&hwpt->users))
		return refcount_read(&hwpt->users) ? -EBUSY : -ENOENT;
	take_apart(hwpt);
	return 0;
}

/* With one use, an id that is reserved, and in the list of the space. */
static struct iofd_hwpt *hwpt_new(struct iofd_space *space)
{
	struct iofd_hwpt *hwpt;
	int rc;

	iofd_space_assert_locked(space);

	hwpt = kzalloc(sizeof(*hwpt), GFP_KERNEL_ACCOUNT);
	if (!hwpt)
		return ERR_PTR(-ENOMEM);
	rc = iofd_object_reserve(space->obj.ctx, &hwpt->obj, IOFD_OBJ_HWPT);
	if (rc) {
		kfree(hwpt);
		return ERR_PTR(rc);
	}
	refcount_set(&hwpt->users, 1);
	refcount_inc(&space->obj.refs);
	hwpt->space = space;
	spin_lock(&space->attach_lock);
	list_add_tail(&hwpt->list, &space->hwpts);
	spin_unlock(&space->attach_lock);
	return hwpt;
}

struct iofd_hwpt *iofd_hwpt_automatic(struct iofd_space *space,
				      struct iofd_table *table, bool *fresh)
{
	struct iofd_hwpt *hwpt, *found = NULL;

	iofd_space_assert_locked(space);

	*fresh = false;
	spin_lock(&space->attach_lock);
	list_for_each_entry(hwpt, &space->hwpts, list) {
		if (hwpt->automatic && hwpt->table == table &&
		    iofd_hwpt_use(hwpt)) {
			found = hwpt;
			break;
		}
	}
	spin_unlock(&space->attach_lock);
	if (found)
		return found;

	hwpt = hwpt_new(space);
	if (IS_ERR(hwpt))
		return hwpt;
	hwpt->automatic = true;
	hwpt->for_pasids = true;
	hwpt->table = table;
	*fresh = true;
	return hwpt;
}

/* The table that @req asks for; see iofd_table_for(). */
static struct iofd_table *table_for(struct iofd_ctx *ctx,
				    const struct iofd_hwpt_request *req,
				    struct iofd_new_tables *new)
{
	unsigned int what = (req->nest_parent ? IOFD_TABLE_NEST_PARENT : 0) |
			    (req->dirty ? IOFD_TABLE_DIRTY : 0);
	const struct iofd_hw_caps *caps;
	struct iofd_device *idev;
	struct iofd_table *table;

	idev = iofd_device_get_by_id(ctx, req->dev_id);
	if (!idev)
		return ERR_PTR(-ENOENT);
	caps = &idev->pdev->caps;
	if ((req->for_pasids && !caps->pasid_width_bits) ||
	    (req->dirty && !(caps->flags & IOMMU_DEVICE_INFO_DIRTY)))
		table = ERR_PTR(-EOPNOTSUPP);
	else
		table = iofd_table_of_ours(req->space, idev->pdev, what, new);
	iofd_device_put(idev);
	return table;
}

static int alloc_locked(struct iofd_ctx *ctx, const struct iofd_hwpt_request *req)
{
	struct iofd_space *space = req->space;
	struct iofd_new_tables new = {};
	struct iofd_table *table;
	struct iofd_hwpt *hwpt;

	iofd_space_assert_locked(space);

	if (space->dead)
		return -ENOENT;
	hwpt = hwpt_new(space);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	table = table_for(ctx, req, &new);
	if (IS_ERR(table)) {
		iofd_hwpt_unuse(hwpt);
		return PTR_ERR(table);
	}
	iofd_tables_keep(&new);
	hwpt->table = table;
	if (req->dirty)
		WRITE_ONCE(table->tracker, hwpt);
	hwpt->dirty = req->dirty;
	hwpt->nest_parent = req->nest_parent;
	hwpt->for_pasids = req->for_pasids;
	hwpt->faults = iofd_fault_queue_use(req->faults);
	iofd_object_publish(&hwpt->obj);
	return hwpt->obj.id;
}

int iofd_hwpt_alloc(struct iofd_ctx *ctx, const struct iofd_hwpt_request *req)
{
	int rc;

	rc = iofd_space_lock(req->space);
	if (rc)
		return rc;
	rc = alloc_locked(ctx, req);
	iofd_space_unlock(req->space);
	return rc;
}
