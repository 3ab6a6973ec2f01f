// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second-level table and the units that walk it. A unit tags what it caches
 * with a domain id of its own, so a flush is one invalidation for each unit; all
 * are posted before the first is waited for. Device TLBs come after the units'
 * have forgotten, or they would be filled again from there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include "vtd.h"

/**
 * vtd_table_alloc() - make an empty table
 * @limits: what the units that are to walk it have in common
 * @addr_width_bits: addresses to cover; 0: as many as they can
 * @snoop: make all DMA through it snoop; @limits allows it
 *
 * Return: the table, or ERR_PTR of -EINVAL (the width) or -ENOMEM.
 */
struct vtd_table *vtd_table_alloc(const struct vtd_limits *limits,
				  unsigned int addr_width_bits, bool snoop)
{
	unsigned int width = addr_width_bits ?: limits->addr_width_bits;
	unsigned int levels, leaf;
	struct vtd_table *table;
	int rc;

	if (width > limits->addr_width_bits)
		return ERR_PTR(-EINVAL);
	/* The fewest levels that reach. */
	for (levels = 3; levels <= 5; levels++)
		if (limits->levels_mask & BIT(levels) && 12 + 9 * levels >= width)
			break;
	if (levels > 5) {
		levels = fls(limits->levels_mask) - 1;
		if (addr_width_bits || !limits->levels_mask)
			return ERR_PTR(-EINVAL);
	}

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return ERR_PTR(-ENOMEM);
	rc = sl_init(&table->sl, levels, limits->max_leaf_level,
		     limits->noncoherent, snoop ? SL_SNOOP : 0);
	if (rc) {
		kfree(table);
		return ERR_PTR(rc);
	}
	/* vtd_table_map_sync() looks after what large leaves replace. */
	table->sl.replaces_tables = true;
	spin_lock_init(&table->lock);
	INIT_LIST_HEAD(&table->attaches);
	INIT_LIST_HEAD(&table->ats_devs);
	table->pt.ops = &vtd_provider_ops;
	table->pt.addr_last = min(sl_addr_last(levels), (1ULL << width) - 1);
	table->pt.snoop_enforced = snoop;
	for (leaf = 1; leaf <= limits->max_leaf_level; leaf++)
		table->pt.pgsize_bitmap |= 1ULL << (3 + 9 * leaf);
	return table;
}

/**
 * vtd_table_free() - free a table
 * @table: attached to nothing
 */
void vtd_table_free(struct vtd_table *table)
{
	WARN_ON(!list_empty(&table->attaches));
	sl_destroy(&table->sl);
	kfree(table);
}

/**
 * vtd_table_fits() - can a unit walk a table as it is?
 * @table: the table
 * @unit: the unit
 */
bool vtd_table_fits(const struct vtd_table *table, const struct vtd_unit *unit)
{
	struct vtd_limits limits;

	vtd_unit_limits(unit, &limits);
	return limits.levels_mask & BIT(table->sl.levels) &&
	       !(table->pt.addr_last >> limits.addr_width_bits) &&
	       table->sl.max_leaf_level <= limits.max_leaf_level &&
	       (table->sl.noncoherent || !limits.noncoherent) &&
	       (limits.snoop || !table->pt.snoop_enforced);
}

/**
 * vtd_table_attach() - one more device behind a unit uses a table
 * @table: the table
 * @unit: the unit
 *
 * From here on flushes go to the unit.
 *
 * Return: the table's use at the unit, or ERR_PTR of -ENOMEM or -ENOSPC.
 */
struct vtd_attach *vtd_table_attach(struct vtd_table *table,
				    struct vtd_unit *unit)
{
	struct vtd_attach *attach;
	int did;

	lockdep_assert_held(&unit->lock);

	/* Entries for this unit come and go under the unit's lock. */
	spin_lock(&table->lock);
	list_for_each_entry(attach, &table->attaches, link) {
		if (attach->unit == unit) {
			attach->users++;
			spin_unlock(&table->lock);
			return attach;
		}
	}
	spin_unlock(&table->lock);

	attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	if (!attach)
		return ERR_PTR(-ENOMEM);
	did = vtd_unit_did_alloc(unit);
	if (did < 0) {
		kfree(attach);
		return ERR_PTR(did);
	}
	attach->unit = unit;
	attach->did = did;
	attach->users = 1;
	spin_lock(&table->lock);
	list_add_tail(&attach->link, &table->attaches);
	spin_unlock(&table->lock);
	return attach;
}

/**
 * vtd_table_detach() - one device less behind a unit uses a table
 * @table: the table
 * @attach: its use there; the unit has forgotten the device's entries
 */
void vtd_table_detach(struct vtd_table *table, struct vtd_attach *attach)
{
	lockdep_assert_held(&attach->unit->lock);

	if (--attach->users)
		return;
	spin_lock(&table->lock);
	list_del(&attach->link);
	spin_unlock(&table->lock);
	vtd_unit_did_free(attach->unit, attach->did);
	kfree(attach);
}

static u32 post_devtlb(struct vtd_dev *vdev, u64 addr, unsigned int order)
{
	struct vtd_qi_desc desc;

	desc = vtd_qi_devtlb(vdev->rids[0]->sid, vdev->ats_pfsid,
			     vdev->ats_qdep, addr, order);
	return vtd_qi_post(vdev->unit, &desc, 1);
}

/**
 * vtd_table_ats_add() - a device may cache translations of a table itself
 * @table: the table
 * @vdev: the device, with ATS on
 */
void vtd_table_ats_add(struct vtd_table *table, struct vtd_dev *vdev)
{
	spin_lock(&table->lock);
	list_add_tail(&vdev->ats_link, &table->ats_devs);
	spin_unlock(&table->lock);
}

/**
 * vtd_table_ats_del() - a device has lost access to a table: empty its cache
 * @table: the table
 * @vdev: the device; its unit has forgotten the entry
 */
void vtd_table_ats_del(struct vtd_table *table, struct vtd_dev *vdev)
{
	spin_lock(&table->lock);
	list_del(&vdev->ats_link);
	/* One that was pulled out holds nothing, and would not answer. */
	if (vdev->pdev->error_state != pci_channel_io_perm_failure)
		vtd_qi_wait(vdev->unit, post_devtlb(vdev, 0, 52));
	spin_unlock(&table->lock);
}

static void flush_devtlbs(struct vtd_table *table, u64 iova, u64 last)
{
	unsigned int order = vtd_qi_order(iova, last);
	struct vtd_attach *attach;
	struct vtd_dev *vdev;

	lockdep_assert_held(&table->lock);

	if (list_empty(&table->ats_devs))
		return;
	list_for_each_entry(vdev, &table->ats_devs, ats_link)
		vdev->attach->ticket = post_devtlb(vdev, iova, order);
	/* Units without such a device are still at the ticket they reached. */
	list_for_each_entry(attach, &table->attaches, link)
		vtd_qi_wait(attach->unit, attach->ticket);
}

/**
 * vtd_table_flush() - make all hardware forget a range of a table
 * @table: the table
 * @iova: first byte
 * @last: last byte
 * @leaf: no entry that points at a table page has changed
 */
void vtd_table_flush(struct vtd_table *table, u64 iova, u64 last, bool leaf)
{
	unsigned int order = vtd_qi_order(iova, last);
	struct vtd_attach *attach;
	struct vtd_qi_desc desc;

	spin_lock(&table->lock);
	list_for_each_entry(attach, &table->attaches, link) {
		struct vtd_unit *unit = attach->unit;

		if (unit->cap & CAP_PSI && order <= CAP_MAMV(unit->cap))
			desc = vtd_qi_iotlb_pages(attach->did, unit->drain,
						  iova & ~((4096ULL << order) - 1),
						  order, leaf);
		else
			desc = vtd_qi_iotlb_domain(attach->did, unit->drain);
		attach->ticket = vtd_qi_post(unit, &desc, 1);
	}
	list_for_each_entry(attach, &table->attaches, link)
		vtd_qi_wait(attach->unit, attach->ticket);
	flush_devtlbs(table, iova, last);
	spin_unlock(&table->lock);
}

/**
 * vtd_table_map_sync() - make what was mapped visible to the hardware
 * @table: the table
 * @iova: first byte
 * @last: last byte
 */
void vtd_table_map_sync(struct vtd_table *table, u64 iova, u64 last)
{
	struct vtd_attach *attach;
	bool caching = false;
	LIST_HEAD(pages);

	sl_sync(&table->sl);
	if (sl_take_unlinked(&table->sl, &pages)) {
		/*
		 * Hardware may remember an empty table page where a large leaf
		 * is now; and a mapping that failed may have left such pages
		 * outside of this range.
		 */
		vtd_table_flush(table, 0, table->pt.addr_last, false);
		sl_free_pages(&pages);
		return;
	}

	spin_lock(&table->lock);
	list_for_each_entry(attach, &table->attaches, link) {
		if (attach->unit->cap & CAP_CM)
			caching = true;
		else
			vtd_unit_write_buffer_flush(attach->unit);
	}
	spin_unlock(&table->lock);
	/* Hardware with caching mode may hold that nothing was there. */
	if (caching)
		vtd_table_flush(table, iova, last, false);
}

/**
 * vtd_table_reap() - clear revoked entries, hand back what they held
 * @table: the table
 * @iova: first byte
 * @last: last byte
 * @fn: receives the runs; or NULL
 * @arg: for @fn
 */
void vtd_table_reap(struct vtd_table *table, u64 iova, u64 last,
		    iofd_run_fn fn, void *arg)
{
	LIST_HEAD(pages);

	sl_reap(&table->sl, iova, last, fn, arg);
	if (!sl_wants_trim(&table->sl))
		return;
	sl_trim(&table->sl, &pages);
	vtd_table_flush(table, 0, table->pt.addr_last, false);
	sl_free_pages(&pages);
}
