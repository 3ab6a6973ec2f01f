// SPDX-License-Identifier: GPL-2.0-only
/*
 * PASID directories and tables: one set for each requester ID, in scalable mode.
 *
 * The resting state is a directory of one page whose first entry has a table,
 * because RID_PASID stands for requests without PASID. While the core has the
 * device open the directory is as large as its PASIDs ask for; tables come when
 * a PASID is attached, and stay until the device is closed, so that blocking
 * needs no memory and touches one entry only.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include <uapi/linux/ioasid.h>
#include "vtd.h"

#define ENTRY_WORDS	8
#define TABLE_BITS	6	/* log2 of the entries of a table */
#define MIN_DIR_BITS	7	/* log2 of the entries of the smallest directory */

static unsigned int dir_bits(unsigned int width_bits)
{
	return max_t(int, MIN_DIR_BITS, (int)width_bits - TABLE_BITS);
}

static unsigned int dir_order(unsigned int width_bits)
{
	return get_order(sizeof(u64) << dir_bits(width_bits));
}

static u64 *table_of(u64 dir_entry)
{
	return phys_to_virt(dir_entry & PASID_DIR_TABLE);
}

/**
 * vtd_pasid_init() - make the resting state of a requester ID
 * @unit: its unit, in scalable mode
 * @rid: the requester ID; vtd_pasid_free() undoes this, also half of it
 *
 * Return: 0 or -ENOMEM.
 */
int vtd_pasid_init(const struct vtd_unit *unit, struct vtd_rid *rid)
{
	u64 *table;

	rid->small_dir = vtd_zeroed_page(unit, GFP_KERNEL);
	if (!rid->small_dir)
		return -ENOMEM;
	rid->pasid_dir = rid->small_dir;
	table = vtd_zeroed_page(unit, GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	vtd_publish(unit, rid->pasid_dir, virt_to_phys(table) | PASID_DIR_P, 1);
	return 0;
}

/**
 * vtd_pasid_free() - free the tables of a requester ID
 * @rid: blocked and closed
 */
void vtd_pasid_free(struct vtd_rid *rid)
{
	if (!rid->small_dir)
		return;
	if (rid->small_dir[0])
		free_page((unsigned long)table_of(rid->small_dir[0]));
	free_page((unsigned long)rid->small_dir);
}

/**
 * vtd_pasid_open() - let a requester ID use PASIDs
 * @unit: its unit
 * @rid: has no PASIDs yet; what it does without may be let through, and goes on
 * @width_bits: of its PASIDs, 1 to 20
 *
 * Cannot fail: without memory for a large directory it gets narrower PASIDs;
 * see vtd_rid.pasid_width_bits.
 */
void vtd_pasid_open(struct vtd_unit *unit, struct vtd_rid *rid,
		    unsigned int width_bits)
{
	unsigned int order = dir_order(width_bits);
	u64 *dir = NULL;

	lockdep_assert_held(&unit->lock);

	if (width_bits > VTD_SMALL_PASID_BITS)
		dir = (u64 *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					      __GFP_NOWARN, order);
	if (dir) {
		dir[0] = rid->small_dir[0];
		if (FLUSH_POINT(new_pasid_dir))
			vtd_write_back(unit, dir, PAGE_SIZE << order);
		rid->pasid_dir = dir;
	} else {
		width_bits = min_t(unsigned int, width_bits,
				   VTD_SMALL_PASID_BITS);
	}
	rid->pasid_width_bits = width_bits;
	if (rid->nr_present)
		vtd_rid_update(unit, rid);
}

/**
 * vtd_pasid_close() - back to the resting state
 * @unit: the unit
 * @rid: blocked with whatever PASID; what it does without goes on
 */
void vtd_pasid_close(struct vtd_unit *unit, struct vtd_rid *rid)
{
	unsigned int width_bits = rid->pasid_width_bits;
	unsigned int n = 1u << dir_bits(width_bits), i;
	struct vtd_qi_desc desc = vtd_qi_pasid_global();
	u64 *dir = rid->pasid_dir;

	lockdep_assert_held(&unit->lock);

	if (!width_bits)
		return;
	rid->pasid_dir = rid->small_dir;
	rid->pasid_width_bits = 0;
	/* No entry is cached, but where the tables are may be. */
	if (rid->nr_present)
		vtd_rid_update(unit, rid);
	else if (unit->enabled && FLUSH_POINT(close_pasid_cache))
		vtd_qi_run(unit, &desc, 1);
	for (i = 1; i < n; i++) {
		if (!dir[i])
			continue;
		free_page((unsigned long)table_of(dir[i]));
		dir[i] = 0;
	}
	if (dir != rid->small_dir)
		free_pages((unsigned long)dir, dir_order(width_bits));
	else if (FLUSH_POINT(close_pasid_dir))
		vtd_write_back(unit, dir, PAGE_SIZE);
}

/**
 * vtd_pasid_prepare() - make the table that a PASID's entry is in
 * @unit: the unit
 * @rid: the requester ID
 * @pasid: in the range of rid->pasid_width_bits
 *
 * Return: 0 or -ENOMEM.
 */
int vtd_pasid_prepare(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid)
{
	struct vtd_qi_desc desc = vtd_qi_pasid_global();
	u64 *slot = rid->pasid_dir + (pasid >> TABLE_BITS);
	u64 *table;

	lockdep_assert_held(&unit->lock);

	if (*slot & PASID_DIR_P)
		return 0;
	table = vtd_zeroed_page(unit, GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	vtd_publish(unit, slot, virt_to_phys(table) | PASID_DIR_P, 1);
	if (!unit->enabled)
		return 0;
	/* With caching mode hardware may know that there was no table. */
	if (!(unit->cap & CAP_CM))
		vtd_unit_write_buffer_flush(unit);
	else if (FLUSH_POINT(cm_pasid_dir))
		vtd_qi_run(unit, &desc, 1);
	return 0;
}

/**
 * vtd_pasid_entry() - the PASID table entry of a PASID
 * @rid: the requester ID; scalable mode
 * @pasid: prepared, or VTD_RID_PASID
 */
u64 *vtd_pasid_entry(const struct vtd_rid *rid, u32 pasid)
{
	u64 *table = table_of(rid->pasid_dir[pasid >> TABLE_BITS]);

	return table + (pasid & ((1u << TABLE_BITS) - 1)) * ENTRY_WORDS;
}

/**
 * vtd_pasid_context() - what a context entry says of PASIDs
 * @rid: the requester ID
 *
 * Return: PASIDDIRPTR, PDTS and PASIDE.
 */
u64 vtd_pasid_context(const struct vtd_rid *rid)
{
	u64 word = virt_to_phys(rid->pasid_dir);

	if (rid->pasid_width_bits)
		word |= SCTX_PASIDE |
			SCTX_PDTS(dir_bits(rid->pasid_width_bits) - MIN_DIR_BITS);
	return word;
}

/**
 * vtd_pasid_fill() - make an entry present
 * @unit: the unit
 * @entry: not present, and nowhere cached
 * @t: what to put there
 */
void vtd_pasid_fill(const struct vtd_unit *unit, u64 *entry,
		    const struct vtd_target *t)
{
	u64 lo = PASID_P | PASID_PGTT(t->walk) |
		 PASID_AW(vtd_levels_aw(t->levels));
	u64 tags = PASID_DID(t->did), first = 0;

	if (t->walk == VTD_WALK_SECOND || t->walk == VTD_WALK_NESTED)
		lo |= t->root;
	/*
	 * For as long as the entry is there, whether or not anybody asks what was
	 * written: switching it in a live entry would take a flush of the PASID
	 * cache, the domain and device TLBs for each device, and attaching runs
	 * beside. What it costs is one atomic access to an entry, once after each
	 * clearing.
	 */
	if (t->dirty)
		lo |= PASID_SSADE;
	if (t->walk != VTD_WALK_PASS && unit->ecap & ECAP_SMPWCS)
		tags |= PASID_PWSNP;
	if (t->walk == VTD_WALK_FIRST || t->walk == VTD_WALK_NESTED) {
		first = t->first;
		if (t->first_levels == 5)
			first |= PASID_FSPM_5;
		if (t->s1_flags & IOMMU_VTD_S1_SRE)
			first |= PASID_SRE;
		if (t->s1_flags & IOMMU_VTD_S1_WPE)
			first |= PASID_WPE;
		if (t->s1_flags & IOMMU_VTD_S1_EAFE)
			first |= PASID_EAFE;
		if (t->snoop)
			tags |= PASID_PGSNP;
	}
	WRITE_ONCE(entry[1], tags);
	WRITE_ONCE(entry[2], first);
	vtd_publish(unit, entry, lo, ENTRY_WORDS);
}

/**
 * vtd_pasid_move() - change an entry in a copy of the page it is in
 * @unit: the unit
 * @rid: the requester ID
 * @pasid: its entry is present
 * @page: becomes the page
 * @t: what to put there
 *
 * Return: the old entry, in its page, which hardware may use until it has been
 * told to forget all of its PASID cache.
 */
u64 *vtd_pasid_move(const struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid,
		    u64 *page, const struct vtd_target *t)
{
	u64 *slot = rid->pasid_dir + (pasid >> TABLE_BITS);
	u64 *old = vtd_pasid_entry(rid, pasid);
	u64 *table = table_of(*slot);
	u64 pointer = virt_to_phys(page) | PASID_DIR_P;

	lockdep_assert_held(&unit->lock);

	memcpy(page, table, PAGE_SIZE);
	vtd_pasid_fill(unit, page + (old - table), t);
	if (FLUSH_POINT(replace_pasid_table))
		vtd_write_back(unit, page, PAGE_SIZE);
	vtd_publish(unit, slot, pointer, 1);
	/* The resting state's directory has the same first table. */
	if (slot == rid->pasid_dir && slot != rid->small_dir)
		vtd_publish(unit, rid->small_dir, pointer, 1);
	return old;
}

/**
 * vtd_pasid_forget() - what may be cached of an entry that is not present any
 *	more
 * @unit: the unit
 * @entry: the rest of it is as it was
 * @pasid: its PASID
 * @descs: receives the invalidations; at most 3
 *
 * Return: how many there are.
 */
unsigned int vtd_pasid_forget(const struct vtd_unit *unit, const u64 *entry,
			      u32 pasid, struct vtd_qi_desc *descs)
{
	unsigned int n = 0;

	if (FLUSH_POINT(block_pasid_cache))
		descs[n++] = vtd_qi_pasid_entry(PASID_DID_OF(entry[1]), pasid);
	return n + vtd_pasid_forget_tables(unit, entry, pasid, descs + n);
}

/**
 * vtd_pasid_forget_tables() - what may be cached of the tables of an entry
 * @unit: the unit
 * @entry: nothing finds it any more; all but its present bit is as it was
 * @pasid: its PASID
 * @descs: receives the invalidations; at most 2
 *
 * Return: how many there are.
 */
unsigned int vtd_pasid_forget_tables(const struct vtd_unit *unit,
				     const u64 *entry, u32 pasid,
				     struct vtd_qi_desc *descs)
{
	u16 did = PASID_DID_OF(entry[1]);
	unsigned int n = 0;

	switch (PASID_PGTT_OF(entry[0])) {
	case VTD_WALK_SECOND:
		if (FLUSH_POINT(block_second_level))
			descs[n++] = vtd_qi_iotlb_domain(did, unit->drain);
		break;
	case VTD_WALK_NESTED:
		if (FLUSH_POINT(block_nested_second))
			descs[n++] = vtd_qi_iotlb_domain(did, unit->drain);
		if (FLUSH_POINT(block_nested_first))
			descs[n++] = vtd_qi_piotlb_pasid(did, pasid);
		break;
	default:
		if (FLUSH_POINT(block_first_level))
			descs[n++] = vtd_qi_piotlb_pasid(did, pasid);
	}
	return n;
}
