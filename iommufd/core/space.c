// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: life of an IOASID.
 *
 * A root translates into the memory of the process, a child into the addresses
 * of its parent. Spaces that depend on one another form a tree, and share the
 * lock of its root.
 */
#include <linux/slab.h>
#include "core/core.h"

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
	int rc = -ENOENT;

	iofd_space_assert_locked(space);

	mutex_lock(&iofd_topology_lock);
	idev = iofd_device_by_label(ctx, label);
	if (idev) {
		table = iofd_table_for(space, idev->pdev, &new);
		rc = PTR_ERR_OR_ZERO(table);
		iofd_tables_drop(&new);
	}
	mutex_unlock(&iofd_topology_lock);
	return rc;
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
			const u64 *for_label)
{
	struct iofd_space *parent = space->parent;
	bool composed = parent && parent->composed;
	int rc;

	if (parent) {
		rc = adopt(space);
		if (rc)
			return rc;
	}
	if (for_label) {
		rc = check_label(space, ctx, *for_label);
		if (rc)
			goto err;
	}
	rc = iofd_object_reserve(ctx, &space->obj, IOFD_OBJ_SPACE);
	if (rc)
		goto err;
	rc = space->obj.id;
	if (parent) {
		refcount_inc(&parent->obj.refs);
		list_add_tail(&space->sibling, &parent->children);
	}
	iofd_object_publish(&space->obj);
	return rc;

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
	rc = alloc_locked(ctx, space, req->for_label);
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

void iofd_space_put(struct iofd_space *space)
{
	struct iofd_space *parent;

	while (space && refcount_dec_and_test(&space->obj.refs)) {
		WARN_ON(!space->dead || !list_empty(&space->attaches) ||
			!list_empty(&space->children));
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
	else if (READ_ONCE(space->nr_attaches) || !list_empty(&space->children))
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
