// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making hardware forget parts of a table. A flush is one invalidation for each
 * unit that walks the table, or for each PASID there; all are posted before the
 * first is waited for. Device TLBs come after the units' have forgotten, or they
 * would be filled again from there.
 *
 * What a unit has combined of a table and one that is nested over it carries the
 * domain id of the nested one, and nothing says which address in between it led
 * through: a flush of the parent empties the caches of its children.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "vtd.h"

/* Descriptors that are collected before they are posted */
#define BATCH	16

/* Whom an invalidation is for */
struct aim {
	const struct vtd_dev *vdev;	/* NULL: all */
	u32 pasid;			/* or IOFD_NO_PASID, IOFD_ANY_PASID */
};

static const struct aim everybody = { .pasid = IOFD_ANY_PASID };

/* Will the device answer? One that is cut off uses nothing that it holds. */
static bool answers(const struct vtd_dev *vdev)
{
	return !READ_ONCE(vdev->rids[0]->cut) &&
	       vdev->pdev->error_state != pci_channel_io_perm_failure;
}

static struct vtd_qi_desc devtlb(const struct vtd_use *use, u64 addr,
				 unsigned int order)
{
	const struct vtd_dev *vdev = use->vdev;
	u16 sid = vdev->rids[0]->sid;

	if (use->pasid == IOFD_NO_PASID)
		return vtd_qi_devtlb(sid, vdev->ats_pfsid, vdev->ats_qdep, addr,
				     order);
	return vtd_qi_pdevtlb(sid, use->pasid, vdev->ats_pfsid, vdev->ats_qdep,
			      addr, order);
}

/**
 * vtd_table_ats_add() - a device may cache translations of a table itself
 * @use: the device's use of the table; it has ATS on
 */
void vtd_table_ats_add(struct vtd_use *use)
{
	spinlock_t *lock = vtd_table_lock(use->table);

	spin_lock(lock);
	list_add_tail(&use->ats_link, &use->table->ats_uses);
	spin_unlock(lock);
}

/**
 * vtd_table_ats_move() - let something else stand for a device's use of a table
 * @from: the use until now
 * @to: the same, and to be used instead
 */
void vtd_table_ats_move(struct vtd_use *from, struct vtd_use *to)
{
	spinlock_t *lock = vtd_table_lock(to->table);

	spin_lock(lock);
	list_replace(&from->ats_link, &to->ats_link);
	spin_unlock(lock);
}

/**
 * vtd_table_ats_del() - a device has lost access to a table: empty its cache
 * @use: the device's use of the table; its unit has forgotten the entry
 */
void vtd_table_ats_del(struct vtd_use *use)
{
	struct vtd_qi_desc desc = devtlb(use, 0, 52);
	spinlock_t *lock = vtd_table_lock(use->table);

	/* Until it has forgotten, others' flushes have to reach it. */
	if (answers(use->vdev) && FLUSH_POINT(block_devtlb))
		vtd_qi_run(use->vdev->unit, &desc, 1);
	spin_lock(lock);
	list_del(&use->ats_link);
	spin_unlock(lock);
}

/**
 * vtd_dev_forget_all() - empty all of a device's cache
 * @vdev: the device: the unit lets nothing through
 */
void vtd_dev_forget_all(struct vtd_dev *vdev)
{
	u16 sid = vdev->rids[0]->sid;
	struct vtd_qi_desc descs[2];
	unsigned int n = 0;

	descs[n++] = vtd_qi_devtlb(sid, vdev->ats_pfsid, vdev->ats_qdep, 0, 52);
	if (vdev->pasid_width_bits)
		descs[n++] = vtd_qi_pdevtlb_all(sid, vdev->ats_pfsid,
						vdev->ats_qdep);
	if (FLUSH_POINT(forget_devtlb))
		vtd_qi_run(vdev->unit, descs, n);
}

/* The second-level entries of @attach for 2^@order pages at @iova */
static void post_second(struct vtd_attach *attach, u64 iova, unsigned int order,
			bool leaf)
{
	struct vtd_unit *unit = attach->unit;
	struct vtd_qi_desc desc;

	if (unit->cap & CAP_PSI && order <= CAP_MAMV(unit->cap))
		desc = vtd_qi_iotlb_pages(attach->did, unit->drain,
					  iova & ~((4096ULL << order) - 1),
					  order, leaf);
	else
		desc = vtd_qi_iotlb_domain(attach->did, unit->drain);
	attach->ticket = vtd_qi_post(unit, &desc, FLUSH_POINT(second_level));
}

/* All of @attach that led through some part of its parent */
static void post_domain(struct vtd_attach *attach)
{
	struct vtd_unit *unit = attach->unit;
	struct vtd_qi_desc desc = vtd_qi_iotlb_domain(attach->did, unit->drain);

	attach->ticket = vtd_qi_post(unit, &desc, FLUSH_POINT(nested_by_parent));
}

static struct vtd_qi_desc piotlb(const struct vtd_attach *attach, u32 pasid,
				 u64 addr, unsigned int order, bool leaf)
{
	const struct vtd_unit *unit = attach->unit;

	if (unit->cap & CAP_PSI && order <= CAP_MAMV(unit->cap))
		return vtd_qi_piotlb_pages(attach->did, pasid,
					   addr & ~((4096ULL << order) - 1),
					   order, leaf);
	return vtd_qi_piotlb_pasid(attach->did, pasid);
}

/* The first-level entries of @attach, nested or not, for 2^@order pages */
static void post_first(struct vtd_attach *attach, u32 only, u64 addr,
		       unsigned int order, bool leaf)
{
	struct vtd_qi_desc descs[BATCH];
	unsigned long pasid;
	unsigned int n = 0;
	void *entry;

	if (only != IOFD_ANY_PASID) {
		pasid = vtd_pasid_index(only);
		if (xa_load(&attach->pasids, pasid) && FLUSH_POINT(first_level_one))
			descs[n++] = piotlb(attach, pasid, addr, order, leaf);
	} else if (FLUSH_POINT(first_level)) {
		xa_for_each(&attach->pasids, pasid, entry) {
			if (n == BATCH) {
				vtd_qi_post(attach->unit, descs, n);
				n = 0;
			}
			descs[n++] = piotlb(attach, pasid, addr, order, leaf);
		}
	}
	attach->ticket = vtd_qi_post(attach->unit, descs, n);
}

static bool aimed(const struct aim *aim, const struct vtd_use *use)
{
	return (!aim->vdev || use->vdev == aim->vdev) &&
	       (aim->pasid == IOFD_ANY_PASID || use->pasid == aim->pasid);
}

/* Device TLBs of @table; units have been waited for, so tickets are recent. */
static void post_devtlbs(struct vtd_table *table, const struct aim *aim,
			 u64 addr, unsigned int order)
{
	struct vtd_qi_desc descs[BATCH];
	struct vtd_attach *attach = NULL;
	struct vtd_use *use;
	unsigned int n = 0;

	lockdep_assert_held(vtd_table_lock(table));

	list_for_each_entry(use, &table->ats_uses, ats_link) {
		if (!aimed(aim, use) || !answers(use->vdev))
			continue;
		if (n && (n == BATCH || use->attach != attach)) {
			attach->ticket = vtd_qi_post(attach->unit, descs, n);
			n = 0;
		}
		attach = use->attach;
		descs[n++] = devtlb(use, addr, order);
	}
	if (n)
		attach->ticket = vtd_qi_post(attach->unit, descs, n);
}

static void wait_attaches(struct vtd_table *table, const struct aim *aim)
{
	struct vtd_attach *attach;

	list_for_each_entry(attach, &table->attaches, link)
		if (!aim->vdev || attach->unit == aim->vdev->unit)
			vtd_qi_wait(attach->unit, attach->ticket);
}

/* Everything that is cached of tables that are nested over @table */
static void flush_children(struct vtd_table *table)
{
	struct vtd_attach *attach;
	struct vtd_table *child;

	lockdep_assert_held(&table->lock);

	list_for_each_entry(child, &table->children, sibling)
		list_for_each_entry(attach, &child->attaches, link)
			post_domain(attach);
	list_for_each_entry(child, &table->children, sibling)
		wait_attaches(child, &everybody);
	if (!FLUSH_POINT(nested_devtlb_by_parent))
		return;
	list_for_each_entry(child, &table->children, sibling)
		post_devtlbs(child, &everybody, 0, 52);
	list_for_each_entry(child, &table->children, sibling)
		wait_attaches(child, &everybody);
}

/**
 * vtd_table_flush() - make all hardware forget a range of a table
 * @table: the table, of the kernel's
 * @iova: first byte
 * @last: last byte
 * @leaf: no entry that points at a table page has changed
 *
 * And what led through it from tables that are nested over it.
 */
void vtd_table_flush(struct vtd_table *table, u64 iova, u64 last, bool leaf)
{
	unsigned int order = vtd_qi_order(iova, last);
	struct vtd_attach *attach;

	spin_lock(&table->lock);
	if (table->walk == VTD_WALK_SECOND)
		list_for_each_entry(attach, &table->attaches, link)
			post_second(attach, iova, order, leaf);
	else
		list_for_each_entry(attach, &table->attaches, link)
			post_first(attach, IOFD_ANY_PASID, iova, order, leaf);
	list_for_each_entry(attach, &table->attaches, link)
		vtd_qi_wait(attach->unit, attach->ticket);
	if (!list_empty(&table->ats_uses) && FLUSH_POINT(devtlb)) {
		post_devtlbs(table, &everybody, iova, order);
		wait_attaches(table, &everybody);
	}
	if (!list_empty(&table->children))
		flush_children(table);
	spin_unlock(&table->lock);
}

/**
 * vtd_table_invalidate() - make hardware forget a range of a user's table
 * @table: a nested table
 * @vdev: only what this device's accesses are translated by; NULL: all devices'
 * @pasid: only of this PASID; IOFD_NO_PASID: without one; IOFD_ANY_PASID
 * @first: first byte
 * @last: last byte
 * @leaf: no entry that points at a table page has changed
 */
void vtd_table_invalidate(struct vtd_table *table, struct vtd_dev *vdev,
			  u32 pasid, u64 first, u64 last, bool leaf)
{
	const struct aim aim = { .vdev = vdev, .pasid = pasid };
	unsigned int order = vtd_qi_order(first, last);
	spinlock_t *lock = vtd_table_lock(table);
	struct vtd_attach *attach;

	spin_lock(lock);
	list_for_each_entry(attach, &table->attaches, link)
		if (!vdev || attach->unit == vdev->unit)
			post_first(attach, pasid, first, order, leaf);
	wait_attaches(table, &aim);
	if (!list_empty(&table->ats_uses) && FLUSH_POINT(nested_devtlb)) {
		post_devtlbs(table, &aim, first, order);
		wait_attaches(table, &aim);
	}
	spin_unlock(lock);
}

static void flush_write_buffers(struct vtd_table *table, bool *caching)
{
	struct vtd_attach *attach;

	list_for_each_entry(attach, &table->attaches, link) {
		if (attach->unit->cap & CAP_CM)
			*caching = true;
		else
			vtd_unit_write_buffer_flush(attach->unit);
	}
}

/**
 * vtd_table_map_sync() - make what was mapped visible to the hardware
 * @table: the table
 * @iova: first byte
 * @last: last byte
 */
void vtd_table_map_sync(struct vtd_table *table, u64 iova, u64 last)
{
	struct vtd_table *child;
	bool caching = false;
	LIST_HEAD(pages);

	sl_sync(&table->sl);
	if (sl_take_unlinked(&table->sl, &pages)) {
		/*
		 * Hardware may remember an empty table page where a large leaf
		 * is now; and a mapping that failed may have left such pages
		 * outside of this range.
		 */
		if (FLUSH_POINT(replaced_tables))
			vtd_table_flush(table, 0, table->pt.addr_last, false);
		sl_free_pages(&pages);
		return;
	}

	spin_lock(&table->lock);
	flush_write_buffers(table, &caching);
	list_for_each_entry(child, &table->children, sibling)
		flush_write_buffers(child, &caching);
	spin_unlock(&table->lock);
	/*
	 * Hardware with caching mode may hold that nothing was there; but it
	 * never does of a first level.
	 */
	if (caching && table->walk == VTD_WALK_SECOND && FLUSH_POINT(cm_map))
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
	if (FLUSH_POINT(trimmed_tables))
		vtd_table_flush(table, 0, table->pt.addr_last, false);
	sl_free_pages(&pages);
}

/**
 * vtd_table_read_dirty() - which parts of a table were written
 * @table: the table, with dirty bits
 * @iova: first byte
 * @last: last byte
 * @clear: begin anew
 * @fn: receives them; or NULL
 * @arg: for @fn
 *
 * A unit that has cached an entry with its dirty bit does not look at it again for
 * the next write, nor does a device that may write by its own cache. So one flush
 * follows; writes that were let through before it are in memory then, and what was
 * handed to @fn covers them.
 */
void vtd_table_read_dirty(struct vtd_table *table, u64 iova, u64 last,
			  bool clear, iofd_dirty_fn fn, void *arg)
{
	if (sl_read_dirty(&table->sl, iova, last, clear, fn, arg) &&
	    FLUSH_POINT(dirty_cleared))
		vtd_table_flush(table, iova, last, true);
}
