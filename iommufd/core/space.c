// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: life of an IOASID.
 *
 * A root translates into the memory of the process, a child into the addresses
 * of its parent. Spaces that depend on one another form a tree, and share the
 * lock of its root.
 */
#include <linux/slab.h>
#include "core/compose.h"
#include "core/hwpt.h"

int iofd_space_lock(struct iofd_space *space)
{
	return mutex_lock_killable(&space->root->lock) ? -EINTR : 0;
}

static struct iofd_space *space_new(const struct iofd_space_request *req)
{
	struct iofd_space *space;

	space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	if (!space)
		return NULL;
	space->type = req->type;
	space->format = req->format;
	space->coherency = req->coherency;
	space->addr_width_bits = req->addr_width_bits;
	space->nesting = req->nesting;
	space->table_addr = req->table_addr;
	space->format_flags = req->format_flags;
	space->parent = req->parent;
	space->root = space->parent ? space->parent->root : space;
	space->depth = space->parent ? space->parent->depth + 1 : 0;
	mutex_init(&space->lock);
	INIT_LIST_HEAD(&space->children);
	INIT_LIST_HEAD(&space->sibling);
	space->links = RB_ROOT_CACHED;
	space->links_by_parent = RB_ROOT_CACHED;
	/* A user's table is composed when the first device needs it so. */
	space->composed = space->parent && !iofd_space_user_managed(space);
	space->mappings = RB_ROOT;
	INIT_LIST_HEAD(&space->tables);
	spin_lock_init(&space->attach_lock);
	INIT_LIST_HEAD(&space->attaches);
	INIT_LIST_HEAD(&space->hwpts);
	iofd_space_set_last(space);
	return space;
}

/* Would the device bound under @label find a table in @space? */
static int check_label(struct iofd_space *space, struct iofd_ctx *ctx,
		       u64 label)
{
	struct iofd_new_tables new = {};
	struct iofd_device *idev;
	struct iofd_table *table;

	iofd_space_assert_locked(space);

	idev = iofd_device_get_by_label(ctx, label);
	if (!idev)
		return -ENOENT;
	table = iofd_table_for(space, idev->pdev, &new);
	iofd_tables_drop(&new);
	iofd_device_put(idev);
	return PTR_ERR_OR_ZERO(table);
}

/* Make the table of a space that is nested over another's, for a device. */
static int nest_now(struct iofd_space *space, struct iofd_ctx *ctx, u32 dev_id,
		    struct iofd_new_tables *new)
{
	struct iofd_device *idev;
	struct iofd_table *table;

	iofd_space_assert_locked(space);

	idev = iofd_device_get_by_id(ctx, dev_id);
	if (!idev)
		return -ENOENT;
	table = iofd_table_for(space, idev->pdev, new);
	iofd_device_put(idev);
	return PTR_ERR_OR_ZERO(table);
}

/* The parent of @space is there to stay, and can be resolved. */
static int adopt(struct iofd_space *space)
{
	struct iofd_space *parent = space->parent;

	iofd_space_assert_locked(parent);

	if (parent->dead)
		return -ENOENT;
	if (parent->type == IOMMU_IOASID_USER_MANAGED)
		return iofd_user_compose(parent);
	return 0;
}

static int alloc_locked(struct iofd_ctx *ctx, struct iofd_space *space,
			const struct iofd_space_request *req)
{
	struct iofd_space *parent = space->parent;
	bool composed = parent && parent->composed;
	struct iofd_new_tables new = {};
	int rc;

	if (parent) {
		rc = adopt(space);
		if (rc)
			return rc;
	}
	if (req->for_label) {
		rc = check_label(space, ctx, *req->for_label);
		if (rc)
			goto err;
	}
	if (req->over) {
		/* Its use comes last, when @space is there to stay. */
		space->over = req->over;
		rc = nest_now(space, ctx, req->dev_id, &new);
		if (rc)
			goto err;
	}
	rc = iofd_object_reserve(ctx, &space->obj, IOFD_OBJ_SPACE);
	if (rc)
		goto err_tables;
	if (req->over && !iofd_hwpt_use(req->over)) {
		iofd_object_unpublish(&space->obj);
		rc = -ENOENT;
		goto err_tables;
	}
	iofd_tables_keep(&new);
	space->faults = iofd_fault_queue_use(req->faults);
	rc = space->obj.id;
	if (parent) {
		refcount_inc(&parent->obj.refs);
		list_add_tail(&space->sibling, &parent->children);
	}
	iofd_object_publish(&space->obj);
	return rc;

err_tables:
	iofd_tables_drop(&new);
err:
	if (parent && !composed && parent->composed)
		iofd_user_uncompose(parent);
	return rc;
}

int iofd_space_alloc(struct iofd_ctx *ctx, const struct iofd_space_request *req)
{
	struct iofd_space *space;
	int rc;

	if (req->parent && req->parent->depth + 1 >= IOFD_MAX_DEPTH)
		return -ENOSPC;
	/* A table of PASIDs is no address space that another could be in. */
	if (req->parent && req->parent->type == IOMMU_IOASID_USER_PASID_TABLE)
		return -EOPNOTSUPP;
	space = space_new(req);
	if (!space)
		return -ENOMEM;
	rc = iofd_space_lock(space);
	if (rc)
		goto err_free;
	rc = alloc_locked(ctx, space, req);
	iofd_space_unlock(space);
	if (rc >= 0)
		return rc;

err_free:
	kfree(space);
	return rc;
}

struct iofd_space *iofd_space_get(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_object *obj;

	obj = iofd_object_get(ctx, id, IOFD_OBJ_SPACE);
	return obj ? container_of(obj, struct iofd_space, obj) : NULL;
}

struct iofd_space *iofd_root_get(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_space *space = iofd_space_get(ctx, id);

	if (space && unlikely(space->parent)) {
		iofd_space_put(space);
		return NULL;
	}
	return space;
}

struct iofd_space *iofd_vfio_space_get(struct iofd_ctx *ctx)
{
	struct iofd_object *obj;

	xa_lock(&ctx->objects);
	/* The number is forgotten when it is unpublished, and 0 is nobody's. */
	obj = xa_load(&ctx->objects, ctx->vfio_space);
	if (obj)
		refcount_inc(&obj->refs);
	xa_unlock(&ctx->objects);
	return obj ? container_of(obj, struct iofd_space, obj) : NULL;
}

int iofd_vfio_space_set(struct iofd_ctx *ctx, struct iofd_space *space)
{
	int rc = 0;

	xa_lock(&ctx->objects);
	if (!space)
		ctx->vfio_space = 0;
	else if (xa_load(&ctx->objects, space->obj.id) == &space->obj)
		ctx->vfio_space = space->obj.id;
	else
		rc = -ENOENT;
	xa_unlock(&ctx->objects);
	return rc;
}

void iofd_space_put(struct iofd_space *space)
{
	struct iofd_space *parent;

	while (space && refcount_dec_and_test(&space->obj.refs)) {
		WARN_ON(!space->dead || !list_empty(&space->attaches) ||
			!list_empty(&space->children) ||
			!list_empty(&space->hwpts));
		parent = space->parent;
		kfree(space);
		space = parent;
	}
}

/* Take the space apart. Nothing is attached to it and no lookup finds it. */
static void space_empty(struct iofd_space *space)
{
	iofd_space_assert_locked(space);

	space->dead = true;
	list_del_init(&space->sibling);
	iofd_space_unmap_all(space);
	/* The links of a user's table are no mappings. */
	if (space->nr_links)
		iofd_links_remove(space, 0, U64_MAX);
	iofd_tables_free(space);
	iofd_hwpt_unuse(space->over);
	space->over = NULL;
	iofd_fault_queue_unuse(space->faults);
	space->faults = NULL;
	kvfree(space->allowed);
	space->allowed = NULL;
	space->nr_allowed = 0;
}

/* A table gets its id with the lock held, so there can only be less. */
static bool has_hwpts(struct iofd_space *space)
{
	bool some;

	spin_lock(&space->attach_lock);
	some = !list_empty(&space->hwpts);
	spin_unlock(&space->attach_lock);
	return some;
}

int iofd_space_free(struct iofd_space *space)
{
	int rc;

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	/* An attach needs the lock, so the count can only fall. */
	if (space->dead)
		rc = -ENOENT;
	else if (READ_ONCE(space->nr_attaches) ||
		 !list_empty(&space->children) || has_hwpts(space))
		rc = -EBUSY;
	if (!rc) {
		iofd_object_unpublish(&space->obj);
		space_empty(space);
	}
	iofd_space_unlock(space);
	if (!rc)
		iofd_space_put(space);
	return rc;
}

void iofd_space_destroy(struct iofd_space *space)
{
	iofd_object_unpublish(&space->obj);
	mutex_lock(&space->root->lock);
	space_empty(space);
	iofd_space_unlock(space);
	iofd_space_put(space);
}

/* No attached device has a reserved region in @range. */
static bool can_allow(struct iofd_space *space,
		      const struct iommu_ioasid_range *range)
{
	/* Without hardware there is no limit that a device would know of. */
	u64 end = iofd_store_addr_last();

	return range->start > end ||
	       iofd_iova_permitted(space, range->start, min(range->last, end));
}

int iofd_space_allow(struct iofd_space *space,
		     struct iommu_ioasid_range *ranges, unsigned int nr)
{
	unsigned int i;
	int rc;

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	rc = space->dead ? -ENOENT : 0;
	for (i = 0; i < nr && !rc; i++)
		if (!can_allow(space, &ranges[i]))
			rc = -EADDRINUSE;
	if (!rc) {
		kvfree(space->allowed);
		space->allowed = ranges;
		space->nr_allowed = nr;
		space->gap_from = 0;
		space->gap_bytes = 0;
	}
	iofd_space_unlock(space);
	return rc;
}

/* In its own tables, or in those of a space below; see IOFD_MAX_DEPTH. */
static bool in_hardware(struct iofd_space *space)
{
	struct iofd_space *child;
	struct iofd_table *table;

	list_for_each_entry(table, &space->tables, list)
		if (!iofd_store_is(table->pt))
			return true;
	list_for_each_entry(child, &space->children, sibling)
		if (in_hardware(child))
			return true;
	return false;
}

static int small_leaves_locked(struct iofd_space *space, bool small)
{
	int rc = 0;

	iofd_space_assert_locked(space);

	if (space->dead)
		return -ENOENT;
	if (small == space->small_leaves)
		return 0;
	if (small && space->nr_mappings && in_hardware(space))
		return -EINVAL;
	space->small_leaves = small;
	/* What no hardware knows of can be written again. */
	if (small && space->nr_mappings)
		rc = iofd_tables_make_small(space);
	if (rc)
		space->small_leaves = false;
	return rc;
}

int iofd_space_small_leaves(struct iofd_space *space, bool small)
{
	int rc;

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	rc = small_leaves_locked(space, small);
	iofd_space_unlock(space);
	return rc;
}
