// SPDX-License-Identifier: GPL-2.0-only
/*
 * Root, context and PASID table entries. What a requester ID goes through is
 * one entry in legacy mode, and a context entry with the PASID table entry of
 * RID_PASID behind it in scalable mode.
 *
 * Hardware reads entries at any time, in pieces, and caches what it read. So an
 * entry is filled in with its present bit clear and made present by one store;
 * and to go, it loses the present bit first, is forgotten by every cache, and
 * only then cleared (specification, "Programming Considerations").
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "vtd.h"

#define CONTEXT_WORDS		2	/* legacy, 256 in a table */
#define SCALABLE_WORDS		4	/* 128 in a table */
#define PASID_WORDS		8

static unsigned int context_words(const struct vtd_unit *unit)
{
	return unit->scalable ? SCALABLE_WORDS : CONTEXT_WORDS;
}

/* The context entry of @sid; makes the table it is in. */
static u64 *context_entry(struct vtd_unit *unit, u16 sid)
{
	unsigned int bus = sid >> 8, devfn = sid & 0xff;
	unsigned int index, half;
	u64 *table, *root;

	lockdep_assert_held(&unit->lock);

	/* Scalable mode: two tables a bus, for the halves of devfn. */
	half = unit->scalable ? devfn >> 7 : 0;
	index = unit->scalable ? bus * 2 + half : bus;
	table = unit->context[index];
	if (!table) {
		table = vtd_zeroed_page(unit, GFP_KERNEL);
		if (!table)
			return NULL;
		unit->context[index] = table;
		root = unit->root + bus * 2 + half;
		vtd_publish(unit, root, virt_to_phys(table) | ROOT_P, 1);
		vtd_unit_write_buffer_flush(unit);
	}
	if (unit->scalable)
		return table + (devfn & 0x7f) * SCALABLE_WORDS;
	return table + devfn * CONTEXT_WORDS;
}

static void rid_free(struct vtd_rid *rid)
{
	if (!rid)
		return;
	vtd_pasid_free(rid);
	kfree_rcu(rid, rcu);
}

/**
 * vtd_rid_get() - prepare a requester ID
 * @unit: the unit that its requests come to
 * @sid: the requester ID
 *
 * Makes all tables that it needs, so that nothing fails later for memory. New
 * ones are blocked.
 *
 * Return: the requester ID with one more reference, or NULL without memory.
 */
struct vtd_rid *vtd_rid_get(struct vtd_unit *unit, u16 sid)
{
	struct vtd_rid *rid;

	lockdep_assert_held(&unit->lock);

	rid = xa_load(&unit->rids, sid);
	if (rid) {
		rid->refs++;
		return rid;
	}

	rid = kzalloc(sizeof(*rid), GFP_KERNEL);
	if (!rid)
		return NULL;
	rid->sid = sid;
	rid->refs = 1;
	rid->entry = context_entry(unit, sid);
	if (!rid->entry)
		goto err;
	if (unit->scalable && vtd_pasid_init(unit, rid))
		goto err;
	if (xa_err(xa_store(&unit->rids, sid, rid, GFP_KERNEL)))
		goto err;
	return rid;

err:
	rid_free(rid);
	return NULL;
}

/**
 * vtd_rid_put() - drop a reference to a requester ID
 * @unit: its unit
 * @rid: blocked if this was the last, or translation is off
 */
void vtd_rid_put(struct vtd_unit *unit, struct vtd_rid *rid)
{
	lockdep_assert_held(&unit->lock);

	if (--rid->refs)
		return;
	xa_erase(&unit->rids, rid->sid);
	rid_free(rid);
}

/**
 * vtd_rid_free_all() - free all requester IDs of a unit
 * @unit: translation is off
 */
void vtd_rid_free_all(struct vtd_unit *unit)
{
	struct vtd_rid *rid;
	unsigned long sid;

	xa_for_each(&unit->rids, sid, rid)
		rid_free(rid);
	xa_destroy(&unit->rids);
}

static void fill_legacy(struct vtd_unit *unit, struct vtd_rid *rid,
			const struct vtd_target *t, bool ats)
{
	u64 lo = CTX_P;

	if (t->walk == VTD_WALK_PASS)
		lo |= CTX_TT_PASS;
	else
		lo |= t->root | (ats ? CTX_TT_ATS : CTX_TT_UNTRANSLATED);
	WRITE_ONCE(rid->entry[1], CTX_AW(vtd_levels_aw(t->levels)) |
				  CTX_DID(t->did));
	vtd_publish(unit, rid->entry, lo, CONTEXT_WORDS);
}

/* With caching mode, what was not present may be cached, as domain 0. */
static void flush_not_present(struct vtd_unit *unit, struct vtd_rid *rid,
			      u32 pasid, u16 did, bool context)
{
	struct vtd_qi_desc descs[4];
	unsigned int n = 0;

	if (!(unit->cap & CAP_CM)) {
		vtd_unit_write_buffer_flush(unit);
		return;
	}
	if (context && FLUSH_POINT(cm_context))
		descs[n++] = vtd_qi_context_device(VTD_DID_NONE, rid->sid);
	if (unit->scalable && FLUSH_POINT(cm_pasid_cache))
		descs[n++] = vtd_qi_pasid_entry(did, pasid);
	if (unit->scalable && FLUSH_POINT(cm_pasid_iotlb))
		descs[n++] = vtd_qi_piotlb_pasid(did, pasid);
	if (context && FLUSH_POINT(cm_iotlb))
		descs[n++] = vtd_qi_iotlb_domain(VTD_DID_NONE, unit->drain);
	vtd_qi_run(unit, descs, n);
}

/**
 * vtd_rid_set() - let the requests of a requester ID through
 * @unit: its unit
 * @rid: the requester ID
 * @pasid: those with this PASID, which is prepared; or VTD_RID_PASID: those
 *	without. They are blocked
 * @target: where they go
 * @ats: allow translation requests, and what was translated by them. The same
 *	for all PASIDs
 */
void vtd_rid_set(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid,
		 const struct vtd_target *target, bool ats)
{
	bool context = !rid->nr_present;

	lockdep_assert_held(&unit->lock);

	rid->nr_present++;
	if (unit->scalable)
		vtd_pasid_fill(unit, vtd_pasid_entry(rid, pasid), target);
	spin_lock(&unit->entry_lock);
	if (!unit->scalable)
		fill_legacy(unit, rid, target, ats);
	else if (context)
		vtd_publish(unit, rid->entry, vtd_pasid_context(rid) | SCTX_P |
			    (ats ? SCTX_DTE : 0), SCALABLE_WORDS);
	spin_unlock(&unit->entry_lock);

	if (unit->enabled)
		flush_not_present(unit, rid, pasid, target->did, context);
}

/**
 * vtd_context_move() - change an entry in a copy of the page it is in
 * @unit: the unit, in legacy mode
 * @rid: the requester ID, whose entry is set
 * @page: becomes the page
 * @target: what to put there
 * @ats: allow translation requests, and what was translated by them
 *
 * Return: the old entry, in its page, which hardware may use until it has been
 * told to forget all of its context cache.
 */
u64 *vtd_context_move(struct vtd_unit *unit, struct vtd_rid *rid, u64 *page,
		      const struct vtd_target *target, bool ats)
{
	unsigned int bus = rid->sid >> 8;
	u64 *old = rid->entry, *table = unit->context[bus];
	struct vtd_rid *other;
	unsigned long sid;

	lockdep_assert_held(&unit->lock);

	/* Whoever is cut off finds the page that hardware will have. */
	spin_lock(&unit->entry_lock);
	memcpy(page, table, PAGE_SIZE);
	xa_for_each_range(&unit->rids, sid, other, bus << 8, bus << 8 | 0xff)
		other->entry = page + (other->entry - table);
	fill_legacy(unit, rid, target, ats);
	if (rid->cut)
		vtd_withdraw(unit, rid->entry);
	if (FLUSH_POINT(replace_context_table))
		vtd_write_back(unit, page, PAGE_SIZE);
	unit->context[bus] = page;
	vtd_publish(unit, unit->root + bus * 2, virt_to_phys(page) | ROOT_P, 1);
	spin_unlock(&unit->entry_lock);
	return old;
}

/**
 * vtd_rid_withdraw() - block the requests of a requester ID
 * @unit: its unit
 * @rid: the requester ID
 * @pasid: those with this PASID, or VTD_RID_PASID; was set
 *
 * When it returns, the unit holds nothing of the entry and of what it pointed
 * at. What a device holds itself is the caller's: see vtd_table_ats_del(). After
 * that, vtd_rid_wipe().
 */
void vtd_rid_withdraw(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid)
{
	struct vtd_qi_desc descs[4];
	bool context = !--rid->nr_present;
	unsigned int n = 0;
	u64 *entry;

	lockdep_assert_held(&unit->lock);

	if (context) {
		spin_lock(&unit->entry_lock);
		vtd_withdraw(unit, rid->entry);
		spin_unlock(&unit->entry_lock);
		if (FLUSH_POINT(block_context))
			descs[n++] = vtd_qi_context_device(CTX_DID_OF(rid->entry[1]),
							   rid->sid);
	}
	if (unit->scalable) {
		entry = vtd_pasid_entry(rid, pasid);
		vtd_withdraw(unit, entry);
		n += vtd_pasid_forget(unit, entry, pasid, descs + n);
	} else if (FLUSH_POINT(block_legacy)) {
		descs[n++] = vtd_qi_iotlb_domain(CTX_DID_OF(rid->entry[1]),
						 unit->drain);
	}
	if (unit->enabled)
		vtd_qi_run(unit, descs, n);
}

/**
 * vtd_rid_wipe() - clear an entry that has been withdrawn
 * @unit: its unit
 * @rid: the requester ID
 * @pasid: as it was withdrawn; neither unit nor device remembers anything of it
 */
void vtd_rid_wipe(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid)
{
	lockdep_assert_held(&unit->lock);

	if (!rid->nr_present) {
		spin_lock(&unit->entry_lock);
		vtd_wipe(rid->entry, context_words(unit));
		rid->cut = false;
		spin_unlock(&unit->entry_lock);
	}
	if (unit->scalable)
		vtd_wipe(vtd_pasid_entry(rid, pasid), PASID_WORDS);
}

/**
 * vtd_rid_update() - have a context entry say what PASIDs there are now
 * @unit: its unit
 * @rid: the requester ID, in scalable mode; some of its requests are let through.
 *	No PASID's entry is present but that of VTD_RID_PASID, which is behind the
 *	old directory and the new
 *
 * Requests without PASID go on undisturbed: all that changes is in one word,
 * which one store replaces. When it returns nothing that is cached leads to
 * another directory, or to tables that are not in it any more.
 */
void vtd_rid_update(struct vtd_unit *unit, struct vtd_rid *rid)
{
	u64 tags = vtd_pasid_entry(rid, VTD_RID_PASID)[1];
	struct vtd_qi_desc descs[3];
	unsigned int n = 0;
	u64 word;

	lockdep_assert_held(&unit->lock);

	spin_lock(&unit->entry_lock);
	/* One that has been cut off stays so. */
	word = rid->entry[0] & (SCTX_P | SCTX_DTE);
	vtd_publish(unit, rid->entry, word | vtd_pasid_context(rid),
		    SCALABLE_WORDS);
	spin_unlock(&unit->entry_lock);

	if (!unit->enabled)
		return;
	/* In the order that the specification has for it (6.5.3.3) */
	if (FLUSH_POINT(update_context))
		descs[n++] = vtd_qi_context_device(PASID_DID_OF(tags), rid->sid);
	if (FLUSH_POINT(update_pasid_cache))
		descs[n++] = vtd_qi_pasid_global();
	if (FLUSH_POINT(update_iotlb))
		descs[n++] = vtd_qi_iotlb_domain(PASID_DID_OF(tags), unit->drain);
	vtd_qi_run(unit, descs, n);
}

/**
 * vtd_rid_cut() - isolate a device that does not answer an ATS invalidation
 * @unit: the unit
 * @sid: its requester ID
 *
 * It may use translations for memory that was taken away from it; so the unit
 * lets nothing of it through until all its requests have been blocked. Any
 * context that may spin. Posts a batch in every case, and does not wait for it.
 */
void vtd_rid_cut(struct vtd_unit *unit, u16 sid)
{
	struct vtd_qi_desc descs[3];
	struct vtd_rid *rid;
	unsigned int n = 0;

	rcu_read_lock();
	rid = xa_load(&unit->rids, sid);
	if (rid) {
		spin_lock(&unit->entry_lock);
		vtd_withdraw(unit, rid->entry);
		rid->cut = true;
		spin_unlock(&unit->entry_lock);
	}
	rcu_read_unlock();

	/* Its PASIDs may be many: forget everything of everybody. */
	if (FLUSH_POINT(cut_context))
		descs[n++] = vtd_qi_context_global();
	if (unit->scalable && FLUSH_POINT(cut_pasid_cache))
		descs[n++] = vtd_qi_pasid_global();
	if (FLUSH_POINT(cut_iotlb))
		descs[n++] = vtd_qi_iotlb_global(unit->drain);
	vtd_qi_post(unit, descs, n);
	vtd_err(unit, "device %02x:%02x.%x does not answer an invalidation of its translation cache (ATS): isolated. Reset it, or load iofd_vtd with ats=N.\n",
		sid >> 8, PCI_SLOT(sid & 0xff), PCI_FUNC(sid & 0xff));
}
