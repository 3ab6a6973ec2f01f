// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The second stage (3.7): 3, 4 or 5 levels, in legacy mode, in scalable mode, and
 * under the first stage.
 */
#include "unit.h"

/* A, D and PS are of no interest here: bits that make @e invalid at @level */
static bool entry_reserved(const struct vtdu *u, uint64_t e, unsigned int level)
{
	/* Bit 62 is IW, which is not supported; before revision 4 it was TM. */
	uint64_t rsvd = (u->addr_rsvd & VTD_MASK(51, 0)) | VTD_BIT(62);
	bool leaf = level == 1;

	if (level > 1 && e & ENTRY_PS) {
		if (!(level == 2 && u->cfg.cap & CAP_SSLPS_2M) &&
		    !(level == 3 && u->cfg.cap & CAP_SSLPS_1G))
			return true;
		leaf = true;
		rsvd |= VTD_MASK(level_lg2(level) - 1, PAGE_LG2);
	}
	if (!leaf || !(u->cfg.ecap & ECAP_SC))
		rsvd |= SS_SNP;
	return e & rsvd;
}

static struct slot_key ps_key(const struct route *r, uint64_t addr,
			      unsigned int level)
{
	return (struct slot_key) {
		.kind = SLOT_SS,
		.lg2 = level_lg2(level),
		.did = r->did,
		.tag = addr >> level_lg2(level),
	};
}

/*
 * The deepest table that is known to lead to @addr. Returns its level; *@table
 * and *@perm are set.
 */
static unsigned int start(struct vtdu *u, const struct route *r, uint64_t addr,
			  uint64_t *table, uint8_t *perm)
{
	unsigned int level;

	for (level = 2; level <= r->ss_levels; level++) {
		struct slot_key key = ps_key(r, addr, level);
		struct slot *s = cache_find(&u->cache[VTDU_CACHE_PAGING], &key);

		if (s) {
			u->stats.paging_hits++;
			*table = s->ps.table;
			*perm = s->ps.perm;
			return level - 1;
		}
	}
	*table = r->ss_root;
	*perm = VTDU_READ | VTDU_WRITE;
	return r->ss_levels;
}

static void remember(struct vtdu *u, const struct route *r, uint64_t addr,
		     unsigned int level, uint64_t table, uint8_t perm)
{
	struct slot_key key = ps_key(r, addr, level);
	struct slot *s = cache_insert(&u->cache[VTDU_CACHE_PAGING], &key);

	if (!s)
		return;
	s->did = r->did;
	s->ps.table = table;
	s->ps.perm = perm;
}

static uint8_t absent(const struct route *r, uint8_t access)
{
	if (r->mode != VTDU_MODE_LEGACY)
		return SSS_2;
	return access & VTDU_WRITE ? LGN_2 : LGN_3;
}

/* Set the bits @set in the entry *@e at @at. Returns the fault. */
static uint8_t set_bits(struct vtdu *u, const struct route *r, uint64_t at,
			uint64_t *e, uint64_t set, bool *changed)
{
	uint64_t expected = *e;

	*changed = false;
	if (!(set & ~*e))
		return 0;
	if (!r->pwsnp)
		return SSS_5;
	if (!u->ops.cmpxchg64(u->opaque, at, &expected, *e | set))
		return SSS_6;
	if (expected != *e)
		*changed = true;
	else
		*e |= set;
	return 0;
}

void walk_ss(struct vtdu *u, const struct route *r, uint64_t addr,
	     uint8_t access, struct walk *w)
{
	bool legacy = r->mode == VTDU_MODE_LEGACY, top, leaf, changed;
	unsigned int level, tries = ENTRY_RETRIES;
	uint64_t table, e, at, set;
	uint8_t perm, above;

	ZERO(w);
	level = start(u, r, addr, &table, &above);
	for (;;) {
		top = level == r->ss_levels;
		at = table + (addr >> level_lg2(level) & 511) * 8;
		u->stats.paging_reads++;
		if (!mem_read(u, at, &e, 1)) {
			w->fault = legacy ? top ? LCT_4 : LSS_1 :
					    top ? SSS_4 : SSS_1;
			return;
		}
		if (!(e & (SS_R | SS_W))) {
			w->fault = absent(r, access);
			return;
		}
		if (entry_reserved(u, e, level)) {
			w->fault = legacy ? LSS_2 : SSS_3;
			return;
		}
		leaf = level == 1 || e & ENTRY_PS;
		perm = above & ((e & SS_R ? VTDU_READ : 0) |
				(e & SS_W ? VTDU_WRITE : 0));

		set = r->ssade ? SS_A : 0;
		if (leaf) {
			w->lg2 = level_lg2(level);
			w->addr = (e & ENTRY_ADDR & ~VTD_MASK(w->lg2 - 1, 0)) |
				  (addr & VTD_MASK(w->lg2 - 1, 0));
			if (!granted(r, access, perm) ||
			    in_interrupt_range(w->addr))
				set = 0;
			else if (r->ssade && access & perm & VTDU_WRITE)
				set |= SS_D;
		}
		w->fault = set_bits(u, r, at, &e, set, &changed);
		if (w->fault)
			return;
		if (changed) {
			if (tries--)
				continue;
			w->fault = SSS_6;
			return;
		}
		if (leaf)
			break;
		table = e & ENTRY_ADDR;
		above = perm;
		remember(u, r, addr, level, table, above);
		level--;
	}

	w->perm = perm;
	w->snp = e & SS_SNP;
	w->dirty = !r->ssade || e & SS_D;
	/* The permissions of all levels together may be none (SSS.2). */
	if (!perm)
		w->fault = absent(r, access);
}
