// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The first stage (3.6): 4 or 5 levels, alone, or with each of its tables and its
 * result behind the second stage (3.8).
 */
#include "unit.h"

/* the table that a walk is at */
struct place {
	uint64_t table;
	unsigned int level;
	bool rw, us, nx;	/* of all entries above */
	bool ad_writable;
};

static bool entry_reserved(const struct vtdu *u, uint64_t e, unsigned int level)
{
	uint64_t rsvd = u->addr_rsvd & VTD_MASK(51, 0);

	if (level > 1 && e & ENTRY_PS) {
		if (level > 3 || (level == 3 && !(u->cfg.cap & CAP_FS1GP)))
			return true;
		/* bit 12 is PAT */
		rsvd |= VTD_MASK(level_lg2(level) - 1, PAGE_LG2 + 1);
	}
	return e & rsvd;
}

static struct slot_key ps_key(const struct route *r, uint64_t addr,
			      unsigned int level)
{
	return (struct slot_key) {
		.kind = SLOT_FS,
		.lg2 = level_lg2(level),
		.did = r->did,
		.pasid = r->pasid,
		.tag = addr >> level_lg2(level),
	};
}

static void remember(struct vtdu *u, const struct route *r, uint64_t addr,
		     const struct place *p)
{
	struct slot_key key = ps_key(r, addr, p->level + 1);
	struct slot *s = cache_insert(&u->cache[VTDU_CACHE_PAGING], &key);

	if (!s)
		return;
	s->did = r->did;
	s->pasid = r->pasid;
	s->ps.table = p->table;
	s->ps.rw = p->rw;
	s->ps.us = p->us;
	s->ps.nx = p->nx;
	s->ps.ad_writable = p->ad_writable;
}

/*
 * Where the table at @addr is that the walk goes to next. In nested mode that is
 * another translation; with SSADE it counts as a write (3.8.1).
 */
static uint8_t enter(struct vtdu *u, const struct route *r, uint64_t addr,
		     bool top, struct place *p)
{
	uint8_t access = VTDU_READ | (r->ssade ? VTDU_WRITE : 0);
	struct route second = *r;
	struct walk w;

	if (r->mode != VTDU_MODE_NESTED) {
		p->table = addr;
		p->ad_writable = true;
		return 0;
	}
	second.partial = false;
	walk_ss(u, &second, addr, access, &w);
	if (w.fault)
		return w.fault;
	if (access & ~w.perm)
		return top ? SFS_6 : SFS_7;
	p->table = w.addr;
	p->ad_writable = w.perm & VTDU_WRITE;
	return 0;
}

static uint8_t start(struct vtdu *u, const struct route *r, uint64_t addr,
		     struct place *p)
{
	unsigned int level;

	for (level = 2; level <= r->fs_levels; level++) {
		struct slot_key key = ps_key(r, addr, level);
		struct slot *s = cache_find(&u->cache[VTDU_CACHE_PAGING], &key);

		if (s) {
			u->stats.paging_hits++;
			*p = (struct place) {
				.table = s->ps.table,
				.level = level - 1,
				.rw = s->ps.rw,
				.us = s->ps.us,
				.nx = s->ps.nx,
				.ad_writable = s->ps.ad_writable,
			};
			return 0;
		}
	}
	*p = (struct place) {
		.level = r->fs_levels,
		.rw = true,
		.us = true,
	};
	return enter(u, r, r->fs_root, true, p);
}

uint8_t fs_perm(const struct route *r, const struct walk *w, bool priv)
{
	uint8_t perm = VTDU_READ;

	if (!priv && !w->us)
		return 0;
	if (w->rw || (priv && !r->wpe))
		perm |= VTDU_WRITE;
	if (r->ere && !w->nx && !(priv && r->smep && w->us))
		perm |= VTDU_EXEC;
	return perm;
}

/* May the bits @set be set in an entry of the table at @p? */
static uint8_t can_set(const struct route *r, const struct place *p,
		       uint64_t set)
{
	if (!set)
		return 0;
	if (!r->pwsnp)
		return SFS_9;
	return p->ad_writable ? 0 : SFS_8;
}

static bool swap(struct vtdu *u, uint64_t at, uint64_t old, uint64_t set,
		 bool *changed)
{
	uint64_t expected = old;

	if (!u->ops.cmpxchg64(u->opaque, at, &expected, old | set))
		return false;
	*changed = expected != old;
	return true;
}

/* An address in an entry is a guest physical one in nested mode (SFS.5). */
static bool beyond_second(const struct vtdu *u, const struct route *r, uint64_t e)
{
	unsigned int width = level_lg2(r->ss_levels + 1);

	if (r->mode != VTDU_MODE_NESTED)
		return false;
	if (width > u->mgaw)
		width = u->mgaw;
	return (e & ENTRY_ADDR) >> width;
}

static void finish(const struct route *r, const struct place *p, uint64_t addr,
		   uint8_t access, uint64_t at, uint64_t e, struct walk *w)
{
	uint64_t set = 0;
	uint8_t perm;

	w->lg2 = level_lg2(p->level);
	w->rw = p->rw && e & FS_RW;
	w->us = p->us && e & FS_US;
	w->nx = p->nx || (r->nxe && e & FS_XD);
	w->g = e & FS_G;
	w->addr = (e & ENTRY_ADDR & ~VTD_MASK(w->lg2 - 1, 0)) |
		  (addr & VTD_MASK(w->lg2 - 1, 0));

	perm = fs_perm(r, w, r->priv);
	if (granted(r, access, perm)) {
		set = FS_A | (r->eafe ? FS_EA : 0);
		if (access & perm & VTDU_WRITE)
			set |= FS_D;
	}
	set &= ~e;
	w->fault = can_set(r, p, set);
	w->leaf_at = at;
	w->leaf = e;
	w->leaf_set = set;
	w->dirty = (e | set) & FS_D;
}

void walk_fs(struct vtdu *u, const struct route *r, uint64_t addr,
	     uint8_t access, struct walk *w)
{
	unsigned int tries = ENTRY_RETRIES;
	struct place p;
	uint64_t e, at, set;
	bool changed;

	ZERO(w);
	w->fault = start(u, r, addr, &p);
	while (!w->fault) {
		at = p.table + (addr >> level_lg2(p.level) & 511) * 8;
		u->stats.paging_reads++;
		if (!mem_read(u, at, &e, 1)) {
			w->fault = p.level == r->fs_levels ? SFS_4 : SFS_1;
			return;
		}
		if (!(e & FS_P)) {
			w->fault = SFS_2;
			return;
		}
		if (entry_reserved(u, e, p.level)) {
			w->fault = SFS_3;
			return;
		}
		if (beyond_second(u, r, e)) {
			w->fault = SFS_5;
			return;
		}
		if (p.level == 1 || e & ENTRY_PS) {
			finish(r, &p, addr, access, at, e, w);
			return;
		}

		set = (FS_A | (r->eafe ? FS_EA : 0)) & ~e;
		w->fault = can_set(r, &p, set);
		if (w->fault)
			return;
		if (set) {
			if (!swap(u, at, e, set, &changed)) {
				w->fault = SFS_10;
				return;
			}
			if (changed) {
				if (tries--)
					continue;
				w->fault = SFS_10;
				return;
			}
		}
		p.rw = p.rw && e & FS_RW;
		p.us = p.us && e & FS_US;
		p.nx = p.nx || (r->nxe && e & FS_XD);
		w->fault = enter(u, r, e & ENTRY_ADDR, false, &p);
		if (w->fault)
			return;
		p.level--;
		remember(u, r, addr, &p);
	}
}

bool walk_fs_commit(struct vtdu *u, struct walk *w)
{
	bool changed = false;

	if (w->leaf_set && !swap(u, w->leaf_at, w->leaf, w->leaf_set, &changed))
		w->fault = SFS_10;
	return !changed;
}
