// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables under an address space.
 *
 * A kernel-managed space has one for each kind of hardware in front of its
 * devices; all hold the same. Under a root the first one that can hand the
 * physical addresses back is the primary: what is pinned is remembered there and
 * nowhere else. A root that has been given memory before any device has a store
 * (store.c) for it.
 *
 * A user-managed space has tables of both kinds: the user's own, which hardware
 * walks together with a table of the parent space, and tables of ours that are
 * kept equal to walking both (compose.c, user_table.c).
 */
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "core/compose.h"
#include "core/hwpt.h"

/* The width of the space, as far as its tables reach, or the one to come. */
void iofd_space_set_last(struct iofd_space *space)
{
	u32 bits = space->addr_width_bits ?: 64;
	struct iofd_table *table;
	u64 last;

	/* Composition serves the lower half of what a user's table translates. */
	if (space->format == IOMMU_FORMAT_VTD_S1)
		bits--;
	last = min(iofd_addr_last(bits), iofd_store_addr_last());
	/* What a user's table says is composed as far as each device reaches. */
	list_for_each_entry(table, &space->tables, list)
		if (iofd_table_is_ours(table) &&
		    space->format != IOMMU_FORMAT_VTD_S1)
			last = min(last, table->pt->addr_last);
	spin_lock(&space->attach_lock);
	space->addr_last = last;
	memset(&space->window, 0, sizeof(space->window));
	spin_unlock(&space->attach_lock);
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
	iofd_space_set_last(space);
	return table;
}

static void table_remove(struct iofd_space *space, struct iofd_table *table)
{
	struct module *owner = table->pt->ops->owner;

	list_del(&table->list);
	iofd_space_set_last(space);
	table->pt->ops->pt_free(table->pt);
	module_put(owner);
	kfree(table);
}

struct iofd_table *iofd_space_primary(struct iofd_space *space)
{
	struct iofd_table *table;
	struct iofd_hw_pt *pt;

	iofd_space_assert_locked(space);

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

	iofd_space_assert_locked(space);

	if (WARN_ON(!iofd_store_is(table->pt) || space->nr_mappings))
		return;
	space->primary = NULL;
	table_remove(space, table);
}

int iofd_pt_map_pages(struct iofd_hw_pt *pt, u64 iova, phys_addr_t phys,
		      size_t bytes, unsigned int prot)
{
	size_t done;
	int rc = 0;

	/* One page is never made part of a larger leaf. */
	for (done = 0; done < bytes && !rc; done += PAGE_SIZE)
		rc = pt->ops->map(pt, iova + done, phys + done, PAGE_SIZE, prot);
	return rc;
}

/**
 * struct fill - a table that is being filled
 * @pt: the table; nothing is attached to it
 * @small_leaves: see struct iofd_space
 * @clip: what is beyond the reach of @pt is left out, and is no error
 */
struct fill {
	struct iofd_hw_pt *pt;
	bool small_leaves;
	bool clip;
};

static int copy_run(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
		    unsigned int prot)
{
	struct fill *fill = arg;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (iova + (bytes - 1) > fill->pt->addr_last) {
		if (!fill->clip)
			return -EINVAL;
		if (iova > fill->pt->addr_last)
			return 0;
		bytes = fill->pt->addr_last - iova + 1;
	}
	cond_resched();
	return iofd_pt_map(fill->pt, fill->small_leaves, iova, phys, bytes,
			   prot);
}

/* Fill @pt, which nothing is attached to, with what the space translates. */
static int fill_table(struct iofd_space *space, struct iofd_hw_pt *pt)
{
	struct fill fill = {
		.pt = pt,
		.small_leaves = space->root->small_leaves,
		.clip = space->format == IOMMU_FORMAT_VTD_S1,
	};
	int rc;

	rc = iofd_resolve(space, 0, space->addr_last, copy_run, &fill);
	if (!rc)
		pt->ops->map_sync(pt, 0, pt->addr_last);
	return rc;
}

int iofd_tables_make_small(struct iofd_space *space)
{
	struct iofd_table *old = space->primary, *table;
	struct iofd_hw_pt *pt;
	int rc;

	iofd_space_assert_locked(space);

	pt = iofd_store_alloc();
	if (IS_ERR(pt))
		return PTR_ERR(pt);
	rc = fill_table(space, pt);
	if (rc) {
		pt->ops->pt_free(pt);
		return rc;
	}
	table = table_add(space, pt);
	if (IS_ERR(table))
		return PTR_ERR(table);
	space->primary = table;
	table_remove(space, old);
	return 0;
}

static void note_new(struct iofd_new_tables *new, struct iofd_space *space,
		     struct iofd_table *table)
{
	new->space[new->nr] = space;
	new->table[new->nr] = table;
	new->nr++;
}

/* Is it what is asked for, whatever devices it fits? */
static bool table_suits(const struct iofd_table *table,
			const struct iofd_pt_attrs *attrs)
{
	return iofd_table_is_ours(table) &&
	       (table->pt->nest_parent || !attrs->nest_parent) &&
	       table->pt->dirty == attrs->dirty && !READ_ONCE(table->tracker);
}

struct iofd_table *iofd_table_of_ours(struct iofd_space *space,
				      struct iofd_pdev *pdev, unsigned int what,
				      struct iofd_new_tables *new)
{
	const struct iofd_hw_ops *ops = pdev->hd->ops;
	struct iofd_pt_attrs attrs = {
		.addr_width_bits = space->addr_width_bits,
		.coherency = space->coherency,
		.nest_parent = what & IOFD_TABLE_NEST_PARENT,
		.dirty = what & IOFD_TABLE_DIRTY,
	};
	struct iofd_table *table;
	struct iofd_hw_pt *pt;
	int rc;

	/* Of a user's table a device gets as much as it can address. */
	if (space->format == IOMMU_FORMAT_VTD_S1)
		attrs.addr_width_bits = min(space->addr_width_bits - 1,
					    pdev->caps.addr_width_bits);
	list_for_each_entry(table, &space->tables, list)
		if (table_suits(table, &attrs) &&
		    (space->format != IOMMU_FORMAT_VTD_S1 ||
		     table->pt->addr_last >=
		     iofd_addr_last(attrs.addr_width_bits)) &&
		    iofd_table_fits(table, pdev))
			return table;

	if (attrs.addr_width_bits > pdev->caps.addr_width_bits)
		return ERR_PTR(-EINVAL);
	pt = ops->pt_alloc(pdev->hd, &attrs);
	if (IS_ERR(pt))
		return ERR_CAST(pt);
	if (space->primary || space->composed) {
		rc = fill_table(space, pt);
		if (rc) {
			ops->pt_free(pt);
			return ERR_PTR(rc);
		}
	}
	table = table_add(space, pt);
	if (!IS_ERR(table))
		note_new(new, space, table);
	return table;
}

/* What the user's own table is to be nested over */
static struct iofd_table *table_below(struct iofd_space *space,
				      struct iofd_pdev *pdev,
				      struct iofd_new_tables *new)
{
	struct iofd_hwpt *over = space->over;

	if (!over || !over->dirty)
		return iofd_table_of_ours(space->parent, pdev,
					  IOFD_TABLE_NEST_PARENT, new);
	/* What is written is to show there, for whatever device. */
	if (!iofd_table_fits(over->table, pdev))
		return ERR_PTR(-EINVAL);
	return over->table;
}

/* The user's own table, walked by hardware. */
static struct iofd_table *nested_table(struct iofd_space *space,
				       struct iofd_pdev *pdev,
				       struct iofd_new_tables *new)
{
	const struct iofd_hw_ops *ops = pdev->hd->ops;
	struct iofd_nest_attrs attrs = {
		.format = space->format,
		.table_addr = space->table_addr,
		.addr_width_bits = space->addr_width_bits,
		.coherency = space->coherency,
		.flags = space->format_flags,
	};
	struct iofd_table *table, *below;
	struct iofd_hw_pt *pt;

	list_for_each_entry(table, &space->tables, list)
		if (!iofd_table_is_ours(table) && iofd_table_fits(table, pdev))
			return table;

	if (!ops->pt_nest || !(pdev->caps.formats & BIT_ULL(space->format)))
		return ERR_PTR(-EOPNOTSUPP);
	below = table_below(space, pdev, new);
	if (IS_ERR(below))
		return below;
	pt = ops->pt_nest(pdev->hd, below->pt, &attrs);
	table = IS_ERR(pt) ? ERR_CAST(pt) : table_add(space, pt);
	if (IS_ERR(table))
		iofd_tables_drop(new);
	else
		note_new(new, space, table);
	return table;
}

struct iofd_table *iofd_table_for(struct iofd_space *space,
				  struct iofd_pdev *pdev,
				  struct iofd_new_tables *new)
{
	bool composed = space->composed;
	struct iofd_table *table;
	int rc;

	iofd_space_assert_locked(space);

	if (!iofd_space_user_managed(space))
		return iofd_table_of_ours(space, pdev, 0, new);
	if (space->nesting != IOMMU_NESTING_SOFTWARE) {
		table = nested_table(space, pdev, new);
		if (!IS_ERR(table) || PTR_ERR(table) != -EOPNOTSUPP ||
		    space->nesting == IOMMU_NESTING_HARDWARE)
			return table;
	}
	rc = iofd_user_compose(space);
	if (rc)
		return ERR_PTR(rc);
	table = iofd_table_of_ours(space, pdev, 0, new);
	if (IS_ERR(table) && !composed)
		iofd_user_uncompose(space);
	return table;
}

void iofd_tables_keep(struct iofd_new_tables *new)
{
	unsigned int i;

	for (i = 0; i < new->nr; i++) {
		struct iofd_space *space = new->space[i];
		struct iofd_table *old = space->primary;

		/* A store has done its duty once hardware remembers as well. */
		if (space->parent || !iofd_table_keeps_runs(new->table[i]) ||
		    (old && !iofd_store_is(old->pt)))
			continue;
		space->primary = new->table[i];
		if (old)
			table_remove(space, old);
	}
}

void iofd_tables_drop(struct iofd_new_tables *new)
{
	while (new->nr) {
		struct iofd_space *space = new->space[--new->nr];
		struct iofd_table *table;
		bool ours = false;

		table_remove(space, new->table[new->nr]);
		if (!iofd_space_user_managed(space) ||
		    !list_empty(&space->children))
			continue;
		list_for_each_entry(table, &space->tables, list)
			ours |= iofd_table_is_ours(table);
		/* It was composed for this table alone. */
		if (!ours)
			iofd_user_uncompose(space);
	}
}

void iofd_tables_info(struct iofd_space *space, struct iofd_tables_info *info)
{
	struct iofd_table *table;

	iofd_space_assert_locked(space);

	info->nr = 0;
	info->nr_nested = 0;
	info->pgsize_bitmap = U64_MAX;
	info->snoop_enforced = true;
	list_for_each_entry(table, &space->tables, list) {
		if (iofd_store_is(table->pt))
			continue;
		info->nr++;
		if (!iofd_table_is_ours(table))
			info->nr_nested++;
		info->pgsize_bitmap &= table->pt->pgsize_bitmap;
		info->snoop_enforced &= table->pt->snoop_enforced;
	}
}

void iofd_tables_free(struct iofd_space *space)
{
	struct iofd_table *table, *next;

	space->primary = NULL;
	list_for_each_entry_safe(table, next, &space->tables, list)
		table_remove(space, table);
}

int iofd_tables_map(struct iofd_space *space, u64 first, phys_addr_t phys,
		    size_t bytes, unsigned int prot)
{
	struct iofd_table *table;
	int rc;

	list_for_each_entry(table, &space->tables, list) {
		struct iofd_hw_pt *pt = table->pt;

		if (!iofd_table_is_ours(table) || first > pt->addr_last)
			continue;
		rc = iofd_pt_map(pt, space->root->small_leaves, first, phys,
				 min_t(u64, bytes, pt->addr_last - first + 1),
				 prot);
		if (rc)
			return rc;
	}
	return 0;
}

void iofd_tables_sync(struct iofd_space *space, u64 first, u64 last)
{
	struct iofd_table *table;

	list_for_each_entry(table, &space->tables, list)
		if (iofd_table_is_ours(table))
			table->pt->ops->map_sync(table->pt, first, last);
}

void iofd_tables_revoke(struct iofd_space *space, u64 first, u64 last)
{
	struct iofd_table *table;

	list_for_each_entry(table, &space->tables, list) {
		struct iofd_hw_pt *pt = table->pt;

		if (iofd_table_is_ours(table) && first <= pt->addr_last)
			pt->ops->revoke(pt, first, min(last, pt->addr_last));
	}
}

void iofd_tables_flush(struct iofd_space *space, u64 first, u64 last)
{
	struct iofd_table *table;

	list_for_each_entry(table, &space->tables, list) {
		struct iofd_hw_pt *pt = table->pt;

		if (iofd_table_is_ours(table) && first <= pt->addr_last)
			pt->ops->flush(pt, first, min(last, pt->addr_last));
	}
}

void iofd_tables_clear(struct iofd_space *space, u64 first, u64 last)
{
	struct iofd_table *table;

	list_for_each_entry(table, &space->tables, list) {
		struct iofd_hw_pt *pt = table->pt;

		if (iofd_table_is_ours(table) && iofd_table_keeps_runs(table) &&
		    first <= pt->addr_last)
			pt->ops->reap(pt, first, min(last, pt->addr_last), NULL,
				      NULL);
	}
}
