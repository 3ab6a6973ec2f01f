// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending requests elsewhere without blocking them in between.
 *
 * An entry has more words than hardware is known to read at once, so one that is
 * present cannot be rewritten: hardware could see half of each. What it surely
 * reads at once are the 8 bytes that point at the page of entries, in the PASID
 * directory or in the root table. So the entry is changed in a copy of its page,
 * and the pointer moved over. Until the caches have been told, a request finds
 * either the old entry or the new one, whole.
 *
 * Hardware remembers where pages of entries are, not only entries; to forget that
 * takes a global invalidation, of the PASID cache or of the context cache.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "vtd.h"

/* What the unit has to forget when nothing leads to the entry @old any more */
static unsigned int forget_page(struct vtd_unit *unit, const u64 *old, u32 pasid,
				struct vtd_qi_desc *descs)
{
	unsigned int n = 0;

	if (unit->scalable) {
		if (FLUSH_POINT(replace_pasid_cache))
			descs[n++] = vtd_qi_pasid_global();
		return n + vtd_pasid_forget_tables(unit, old, pasid, descs + n);
	}
	if (FLUSH_POINT(replace_context))
		descs[n++] = vtd_qi_context_global();
	if (FLUSH_POINT(replace_legacy))
		descs[n++] = vtd_qi_iotlb_domain(CTX_DID_OF(old[1]), unit->drain);
	return n;
}

/*
 * The requests of @rid with @pasid go elsewhere. When this returns, the unit holds
 * nothing of the old entry and of what it pointed at. One that is cut off stays so.
 */
static void rid_replace(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid,
			const struct vtd_target *target, bool ats)
{
	struct vtd_qi_desc descs[4];
	u64 *old, *page = rid->spare;
	unsigned int n;

	lockdep_assert_held(&unit->lock);

	rid->spare = NULL;
	if (unit->scalable)
		old = vtd_pasid_move(unit, rid, pasid, page, target);
	else
		old = vtd_context_move(unit, rid, page, target, ats);
	n = forget_page(unit, old, pasid, descs);
	if (unit->enabled)
		vtd_qi_run(unit, descs, n);
	free_page((unsigned long)old & PAGE_MASK);
}

/* What went through the table of @old goes through that of @use from now on. */
static void rids_replace(struct vtd_use *use, const struct vtd_use *old)
{
	struct vtd_dev *vdev = use->vdev;
	struct vtd_target target;
	unsigned int i;

	vtd_table_target(use->table, use->attach, &target);
	for (i = 0; i < vdev->nr_rids; i++) {
		struct vtd_rid *rid = vdev->rids[i];

		if (use->pasid == IOFD_NO_PASID) {
			/* Identity took it away, as it may. */
			if (rid->state != VTD_TABLE || rid->table != old->table) {
				vtd_dev_rid_enter(vdev, i, VTD_TABLE, use->table,
						  &target);
				continue;
			}
			rid->table = use->table;
		}
		rid_replace(vdev->unit, rid, vtd_pasid_index(use->pasid),
			    &target, vdev->ats_on && i == 0);
	}
}

/**
 * vtd_replace_prepare() - get the memory that vtd_replace() needs
 * @vdev: the device
 * @pasid: as the use that is to be replaced
 *
 * Return: 0, and vtd_replace() or vtd_replace_cancel() is next; or -ENOMEM.
 */
int vtd_replace_prepare(struct vtd_dev *vdev, u32 pasid)
{
	/* Pages of PASIDs are the user's, as in vtd_pasid_prepare(). */
	gfp_t gfp = pasid == IOFD_NO_PASID ? GFP_KERNEL : GFP_KERNEL_ACCOUNT;
	unsigned int i;

	lockdep_assert_held(&vdev->unit->lock);

	for (i = 0; i < vdev->nr_rids; i++) {
		vdev->rids[i]->spare = (u64 *)__get_free_page(gfp);
		if (!vdev->rids[i]->spare) {
			vtd_replace_cancel(vdev);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * vtd_replace_cancel() - give back what vtd_replace_prepare() got, if anything
 * @vdev: the device
 */
void vtd_replace_cancel(struct vtd_dev *vdev)
{
	unsigned int i;

	for (i = 0; i < vdev->nr_rids; i++) {
		free_page((unsigned long)vdev->rids[i]->spare);
		vdev->rids[i]->spare = NULL;
	}
}

/**
 * vtd_replace() - from one table to another
 * @use: goes through a table; vtd_replace_prepare() was called
 * @table: the other one
 * @attach: of @table at the device's unit
 *
 * No request is refused meanwhile, and when this returns none goes through the old
 * table any more.
 */
void vtd_replace(struct vtd_use *use, struct vtd_table *table,
		 struct vtd_attach *attach)
{
	struct vtd_dev *vdev = use->vdev;
	struct vtd_use old = *use;

	lockdep_assert_held(&vdev->unit->lock);

	/* The device may hold parts of both, until it is told to forget. */
	if (vdev->ats_on)
		vtd_table_ats_move(use, &old);
	use->table = table;
	use->attach = attach;
	if (vdev->ats_on)
		vtd_table_ats_add(use);
	rids_replace(use, &old);
	if (vdev->ats_on)
		vtd_table_ats_del(&old);
	vtd_table_detach(old.table, old.attach, old.pasid);
	vtd_replace_cancel(vdev);
}
