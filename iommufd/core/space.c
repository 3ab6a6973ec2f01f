// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: life of an IOASID and of the page tables under it.
 *
 * All tables of a space hold the same mappings. The first one that can hand the
 * physical addresses back is the primary: what is pinned is remembered there and
 * nowhere else. A space that has been given memory before any device has a store
 * (store.c) for it.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "core/core.h"

/* The width of the space, as far as its tables reach, or the one to come. */
static void space_set_last(struct iofd_space *space)
{
	u64 last = iofd_addr_last(space->addr_width_bits ?: 64);
	struct iofd_table *table;

	last = min(last, iofd_store_addr_last());
	list_for_each_entry(table, &space->tables, list)
		last = min(last, table->pt->addr_last);
	spin_lock(&space->attach_lock);
	space->addr_last = last;
	memset(&space->window, 0, sizeof(space->window));
	spin_unlock(&space->attach_lock);
}

static struct iofd_space *space_new(u32 addr_width_bits, u32 coherency)
{
	struct iofd_space *space;

	space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);
	if (!space)
		return NULL;
	space->type = IOMMU_IOASID_KERNEL_MANAGED;
	space->format = IOMMU_FORMAT_DEFAULT;
	space->coherency = coherency;
	space->addr_width_bits = addr_width_bits;
	mutex_init(&space->lock);
	space->mappings = RB_ROOT;
	INIT_LIST_HEAD(&space->tables);
	spin_lock_init(&space->attach_lock);
	INIT_LIST_HEAD(&space->attaches);
	space_set_last(space);
	return space;
}

/* Takes @pt over, also when it fails. */
static struct iofd_table *table_add(struct iofd_space *space,
				    struct iofd_hw_pt *pt)
{
	struct iofd_table *table;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table) {
		pt->ops->pt_free(pt);
		return ERR_PTR(-ENOMEM);
	}
	__module_get(pt->ops->owner);
	table->pt = pt;
	list_add_tail(&table->list, &space->tables);
	space_set_last(space);
	return table;
}

static void table_remove(struct iofd_space *space, struct iofd_table *table)
{
	struct module *owner = table->pt->ops->owner;

	list_del(&table->list);
	space_set_last(space);
	table->pt->ops->pt_free(table->pt);
	module_put(owner);
	kfree(table);
}

struct iofd_table *iofd_space_primary(struct iofd_space *space)
{
	struct iofd_table *table;
	struct iofd_hw_pt *pt;

	lockdep_assert_held(&space->lock);

	if (likely(space->primary))
		return space->primary;
	pt = iofd_store_alloc();
	if (IS_ERR(pt))
		return ERR_CAST(pt);
	table = table_add(space, pt);
	if (!IS_ERR(table))
		space->primary = table;
	return table;
}

void iofd_space_drop_primary(struct iofd_space *space)
{
	struct iofd_table *table = space->primary;

	lockdep_assert_held(&space->lock);

	if (WARN_ON(!iofd_store_is(table->pt) || space->nr_mappings))
		return;
	space->primary = NULL;
	table_remove(space, table);
}

/* Copies one run of the primary into a table that is being filled. */
static int copy_run(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
		    unsigned int prot)
{
	struct iofd_hw_pt *pt = arg;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (iova + (bytes - 1) > pt->addr_last)
		return -EINVAL;
	return pt->ops->map(pt, iova, phys, bytes, prot);
}

/*
 * Fill @pt, which nothing is attached to, with what is mapped. Mapping by
 * mapping, so that no leaf spans two and is cut when one of them goes.
 */
static int fill_table(struct iofd_space *space, struct iofd_hw_pt *pt)
{
	struct iofd_hw_pt *primary = space->primary->pt;
	struct rb_node *node;

	for (node = rb_first(&space->mappings); node; node = rb_next(node)) {
		struct iofd_mapping *m;
		int rc;

		m = rb_entry(node, struct iofd_mapping, node);
		rc = primary->ops->for_each_run(primary, m->first, m->last,
						copy_run, pt);
		if (rc)
			return rc;
		cond_resched();
	}
	pt->ops->map_sync(pt, 0, pt->addr_last);
	return 0;
}

struct iofd_table *iofd_space_table_for(struct iofd_space *space,
					struct iofd_pdev *pdev, bool *made)
{
	const struct iofd_hw_ops *ops = pdev->hd->ops;
	struct iofd_pt_attrs attrs = {
		.addr_width_bits = space->addr_width_bits,
		.coherency = space->coherency,
	};
	struct iofd_table *table;
	struct iofd_hw_pt *pt;
	int rc;

	lockdep_assert_held(&space->lock);

	*made = false;
	list_for_each_entry(table, &space->tables, list)
		if (table->pt->ops == ops && ops->pt_fits(table->pt, pdev->hd))
			return table;

	pt = ops->pt_alloc(pdev->hd, &attrs);
	if (IS_ERR(pt))
		return ERR_CAST(pt);
	if (space->primary) {
		rc = fill_table(space, pt);
		if (rc) {
			ops->pt_free(pt);
			return ERR_PTR(rc);
		}
	}
	*made = true;
	return table_add(space, pt);
}

void iofd_space_keep_table(struct iofd_space *space, struct iofd_table *table)
{
	struct iofd_table *old = space->primary;

	lockdep_assert_held(&space->lock);

	/* A store has done its duty once hardware remembers as well. */
	if (!iofd_table_keeps_runs(table) || (old && !iofd_store_is(old->pt)))
		return;
	space->primary = table;
	if (old)
		table_remove(space, old);
}

void iofd_space_drop_table(struct iofd_space *space, struct iofd_table *table)
{
	lockdep_assert_held(&space->lock);

	table_remove(space, table);
}

/* Would the device bound under @label find a table in @space? */
static int space_check_label(struct iofd_space *space, struct iofd_ctx *ctx,
			     u64 label)
{
	struct iofd_pt_attrs attrs = {
		.addr_width_bits = space->addr_width_bits,
		.coherency = space->coherency,
	};
	struct iofd_device *idev;
	struct iofd_hw_pt *pt;
	int rc = 0;

	mutex_lock(&iofd_topology_lock);
	idev = iofd_device_by_label(ctx, label);
	if (!idev) {
		rc = -ENOENT;
	} else if (space->addr_width_bits > idev->pdev->caps.addr_width_bits) {
		rc = -EINVAL;
	} else {
		struct iofd_hw_dev *hd = idev->pdev->hd;

		pt = hd->ops->pt_alloc(hd, &attrs);
		if (IS_ERR(pt))
			rc = PTR_ERR(pt);
		else
			hd->ops->pt_free(pt);
	}
	mutex_unlock(&iofd_topology_lock);
	return rc;
}

int iofd_space_alloc(struct iofd_ctx *ctx, u32 addr_width_bits, u32 coherency,
		     const u64 *for_label)
{
	struct iofd_space *space;
	int rc;

	space = space_new(addr_width_bits, coherency);
	if (!space)
		return -ENOMEM;
	if (for_label) {
		rc = space_check_label(space, ctx, *for_label);
		if (rc)
			goto err_free;
	}
	rc = iofd_object_reserve(ctx, &space->obj, IOFD_OBJ_SPACE);
	if (rc)
		goto err_free;
	rc = space->obj.id;
	iofd_object_publish(&space->obj);
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
	if (!refcount_dec_and_test(&space->obj.refs))
		return;
	WARN_ON(!space->dead || !list_empty(&space->attaches));
	kfree(space);
}

/* Take the space apart. Nothing is attached to it and no lookup finds it. */
static void space_empty(struct iofd_space *space)
{
	struct iofd_table *table, *next;

	lockdep_assert_held(&space->lock);

	space->dead = true;
	iofd_space_unmap_all(space);
	space->primary = NULL;
	list_for_each_entry_safe(table, next, &space->tables, list)
		table_remove(space, table);
}

int iofd_space_free(struct iofd_space *space)
{
	int rc = 0;

	if (mutex_lock_killable(&space->lock))
		return -EINTR;
	/* An attach needs the lock, so the count can only fall. */
	if (space->dead)
		rc = -ENOENT;
	else if (READ_ONCE(space->nr_attaches))
		rc = -EBUSY;
	if (!rc) {
		iofd_object_unpublish(&space->obj);
		space_empty(space);
	}
	mutex_unlock(&space->lock);
	if (!rc)
		iofd_space_put(space);
	return rc;
}

void iofd_space_destroy(struct iofd_space *space)
{
	iofd_object_unpublish(&space->obj);
	mutex_lock(&space->lock);
	space_empty(space);
	mutex_unlock(&space->lock);
	iofd_space_put(space);
}
