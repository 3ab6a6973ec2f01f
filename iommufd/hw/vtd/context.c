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

static u64 *zeroed_table(const struct vtd_unit *unit)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL);

	if (table)
		vtd_write_back(unit, table, PAGE_SIZE);
	return table;
}

/* Store the word that makes an entry present, after the rest of it. */
static void publish(const struct vtd_unit *unit, u64 *entry, u64 word,
		    unsigned int words)
{
	vtd_write_back(unit, entry, words * sizeof(*entry));
	/* The present bit is the last thing that hardware sees. */
	dma_wmb();
	WRITE_ONCE(entry[0], word);
	vtd_write_back(unit, entry, sizeof(*entry));
}

/* Take the present bit away, and nothing else. */
static void withdraw(const struct vtd_unit *unit, u64 *entry)
{
	WRITE_ONCE(entry[0], entry[0] & ~1ULL);
	vtd_write_back(unit, entry, sizeof(*entry));
}

static void wipe(const struct vtd_unit *unit, u64 *entry, unsigned int words)
{
	memset(entry, 0, words * sizeof(*entry));
	vtd_write_back(unit, entry, words * sizeof(*entry));
}

static unsigned int context_words(const struct vtd_unit *unit)
{
	return unit->scalable ? SCALABLE_WORDS : CONTEXT_WORDS;
}

/* The PASID table entry for requests without PASID; scalable mode. */
static u64 *pasid_entry(const struct vtd_rid *rid)
{
	return rid->pasid_table + VTD_RID_PASID * PASID_WORDS;
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
		table = zeroed_table(unit);
		if (!table)
			return NULL;
		unit->context[index] = table;
		root = unit->root + bus * 2 + half;
		publish(unit, root, virt_to_phys(table) | ROOT_P, 1);
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
	free_page((unsigned long)rid->pasid_dir);
	free_page((unsigned long)rid->pasid_table);
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
	if (unit->scalable) {
		rid->pasid_dir = zeroed_table(unit);
		rid->pasid_table = zeroed_table(unit);
		if (!rid->pasid_dir || !rid->pasid_table)
			goto err;
		publish(unit, rid->pasid_dir,
			virt_to_phys(rid->pasid_table) | PASID_DIR_P, 1);
	}
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

static void fill_legacy(struct vtd_unit *unit, struct vtd_rid *rid)
{
	const struct vtd_target *t = &rid->target;
	u64 lo = CTX_P;

	if (t->pass_through)
		lo |= CTX_TT_PASS;
	else
		lo |= t->root | (t->ats ? CTX_TT_ATS : CTX_TT_UNTRANSLATED);
	WRITE_ONCE(rid->entry[1], CTX_AW(vtd_levels_aw(t->levels)) |
				  CTX_DID(t->did));
	publish(unit, rid->entry, lo, CONTEXT_WORDS);
}

static void fill_scalable(struct vtd_unit *unit, struct vtd_rid *rid)
{
	const struct vtd_target *t = &rid->target;
	u64 *pasid = pasid_entry(rid);
	u64 lo = PASID_P | PASID_AW(vtd_levels_aw(t->levels));
	u64 did = PASID_DID(t->did);

	if (t->pass_through)
		lo |= PASID_PGTT_PT;
	else
		lo |= PASID_PGTT_SS | t->root;
	if (!t->pass_through && unit->ecap & ECAP_SMPWCS)
		did |= PASID_PWSNP;
	WRITE_ONCE(pasid[1], did);
	publish(unit, pasid, lo, PASID_WORDS);

	/* PDTS 0: 128 directory entries. RID_PASID 0 is the second word. */
	publish(unit, rid->entry, virt_to_phys(rid->pasid_dir) | SCTX_P |
		(t->ats ? SCTX_DTE : 0), SCALABLE_WORDS);
}

/* With caching mode, what was not present may be cached, as domain 0. */
static void flush_not_present(struct vtd_unit *unit, struct vtd_rid *rid)
{
	struct vtd_qi_desc descs[4];
	unsigned int n = 0;

	if (!(unit->cap & CAP_CM)) {
		vtd_unit_write_buffer_flush(unit);
		return;
	}
	descs[n++] = vtd_qi_context_device(VTD_DID_NONE, rid->sid);
	if (unit->scalable) {
		descs[n++] = vtd_qi_pasid_entry(rid->target.did, VTD_RID_PASID);
		descs[n++] = vtd_qi_piotlb_pasid(rid->target.did, VTD_RID_PASID);
	}
	descs[n++] = vtd_qi_iotlb_domain(VTD_DID_NONE, unit->drain);
	vtd_qi_run(unit, descs, n);
}

/**
 * vtd_rid_set() - let the requests of a requester ID through
 * @unit: its unit
 * @rid: blocked
 * @target: where they go
 */
void vtd_rid_set(struct vtd_unit *unit, struct vtd_rid *rid,
		 const struct vtd_target *target)
{
	lockdep_assert_held(&unit->lock);

	spin_lock(&unit->entry_lock);
	rid->target = *target;
	if (unit->scalable)
		fill_scalable(unit, rid);
	else
		fill_legacy(unit, rid);
	spin_unlock(&unit->entry_lock);

	if (unit->enabled)
		flush_not_present(unit, rid);
}

/* What may be cached of an entry that is not present any more. */
static unsigned int forget(struct vtd_unit *unit, const struct vtd_rid *rid,
			   struct vtd_qi_desc *descs)
{
	u16 did = rid->target.did;
	unsigned int n = 0;

	descs[n++] = vtd_qi_context_device(did, rid->sid);
	if (unit->scalable)
		descs[n++] = vtd_qi_pasid_entry(did, VTD_RID_PASID);
	if (unit->scalable && rid->target.pass_through)
		descs[n++] = vtd_qi_piotlb_pasid(did, VTD_RID_PASID);
	else
		descs[n++] = vtd_qi_iotlb_domain(did, unit->drain);
	return n;
}

/**
 * vtd_rid_clear() - block the requests of a requester ID
 * @unit: its unit
 * @rid: was set
 *
 * When it returns, the unit holds nothing of the entry and of what it pointed
 * at. What a device holds itself is the caller's: see vtd_table_ats_del().
 */
void vtd_rid_clear(struct vtd_unit *unit, struct vtd_rid *rid)
{
	struct vtd_qi_desc descs[4];
	u64 *pasid = pasid_entry(rid);
	unsigned int n;

	lockdep_assert_held(&unit->lock);

	spin_lock(&unit->entry_lock);
	withdraw(unit, rid->entry);
	if (unit->scalable)
		withdraw(unit, pasid);
	spin_unlock(&unit->entry_lock);

	n = forget(unit, rid, descs);
	if (unit->enabled)
		vtd_qi_run(unit, descs, n);

	/* Nobody looks at the rest any more. */
	spin_lock(&unit->entry_lock);
	wipe(unit, rid->entry, context_words(unit));
	if (unit->scalable)
		wipe(unit, pasid, PASID_WORDS);
	spin_unlock(&unit->entry_lock);
}

/**
 * vtd_rid_cut() - isolate a device that does not answer an ATS invalidation
 * @unit: the unit
 * @sid: its requester ID
 *
 * It may use translations for memory that was taken away from it; so the unit
 * lets nothing of it through until it is attached to something else. Any
 * context that may spin. Posts a batch in every case, and does not wait for it.
 */
void vtd_rid_cut(struct vtd_unit *unit, u16 sid)
{
	struct vtd_qi_desc descs[4];
	struct vtd_rid *rid;
	unsigned int n = 0;

	rcu_read_lock();
	rid = xa_load(&unit->rids, sid);
	if (rid) {
		spin_lock(&unit->entry_lock);
		withdraw(unit, rid->entry);
		n = forget(unit, rid, descs);
		spin_unlock(&unit->entry_lock);
	}
	rcu_read_unlock();

	vtd_qi_post(unit, descs, n);
	vtd_err(unit, "device %02x:%02x.%x does not answer an invalidation of its translation cache (ATS): isolated. Reset it, or load iofd_vtd with ats=N.\n",
		sid >> 8, PCI_SLOT(sid & 0xff), PCI_FUNC(sid & 0xff));
}
