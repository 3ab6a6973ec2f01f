// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What an invalidation forgets (6.5.2, tables 23 and 24): what it must, and not
 * one entry more.
 */
#include "unit.h"

struct want {
	const struct vtdu_inval *inv;
	bool scalable;
	uint64_t first, last;	/* of the range, with an address */
};

static bool in_range(const struct slot *s, const struct want *w)
{
	uint64_t first = s->key.tag << s->key.lg2;
	uint64_t last = first | VTD_MASK(s->key.lg2 - 1, 0);

	return first <= w->last && last >= w->first;
}

static bool match_context(const struct slot *s, const void *arg)
{
	static const uint16_t masks[] = { 0, 4, 6, 7 };
	const struct want *w = arg;
	const struct vtdu_inval *inv = w->inv;

	switch (inv->g) {
	case G_DOMAIN:
		/* Without domains in contexts this is a global one. */
		return w->scalable || s->did == inv->did;
	case G_NARROW:
		return !((s->key.sid ^ inv->sid) & ~masks[inv->fm & 3]) &&
		       (w->scalable || s->did == inv->did);
	default:
		return true;
	}
}

/*
 * A PASID table entry that could not be used has no domain. It is tagged with
 * domain 0, but goes with an invalidation of its PASID in any domain: that is
 * how software announces a new entry.
 */
static bool match_pasid(const struct slot *s, const void *arg)
{
	const struct want *w = arg;
	const struct vtdu_inval *inv = w->inv;

	switch (inv->g) {
	case G_PC_DOMAIN:
		return s->failed || s->did == inv->did;
	case G_PC_PASID:
		return (s->failed || s->did == inv->did) &&
		       s->pasid == inv->pasid;
	default:
		return true;
	}
}

/* Is @s tagged with first-stage addresses? */
static bool is_first_stage(const struct slot *s)
{
	return s->key.kind == SLOT_FS ||
	       (s->key.kind == SLOT_TLB && (s->mode == VTDU_MODE_FS ||
					    s->mode == VTDU_MODE_NESTED));
}

static bool match_iotlb(const struct slot *s, const void *arg)
{
	const struct want *w = arg;
	const struct vtdu_inval *inv = w->inv;

	if (inv->g == G_GLOBAL)
		return true;
	if (s->did != inv->did)
		return false;
	if (inv->g == G_DOMAIN || is_first_stage(s))
		return true;
	return in_range(s, w) && !(s->key.kind == SLOT_SS && inv->ih);
}

static bool match_piotlb(const struct slot *s, const void *arg)
{
	const struct want *w = arg;
	const struct vtdu_inval *inv = w->inv;

	if (s->key.kind == SLOT_SS || s->did != inv->did ||
	    s->pasid != inv->pasid)
		return false;
	if (inv->g == G_PASID)
		return true;
	return is_first_stage(s) && in_range(s, w) &&
	       !(s->key.kind == SLOT_FS && inv->ih);
}

static void set_range(struct want *w)
{
	const struct vtdu_inval *inv = w->inv;
	unsigned int lg2 = PAGE_LG2 + inv->am;
	uint64_t mask = lg2 > 63 ? ~0ULL : VTD_MASK(lg2 - 1, 0);

	w->first = inv->addr & ~mask;
	w->last = inv->addr | mask;
}

static void forget(struct vtdu *u, const struct vtdu_inval *inv)
{
	struct want w = { .inv = inv, .scalable = is_scalable(u) };
	slot_match match = match_iotlb;

	set_range(&w);
	switch (inv->kind) {
	case VTDU_INVAL_CONTEXT:
		cache_drop_matching(&u->cache[VTDU_CACHE_CONTEXT],
				    match_context, &w);
		return;
	case VTDU_INVAL_PASID_CACHE:
		cache_drop_matching(&u->cache[VTDU_CACHE_PASID], match_pasid,
				    &w);
		return;
	case VTDU_INVAL_PASID_IOTLB:
		match = match_piotlb;
		break;
	case VTDU_INVAL_IOTLB:
		break;
	default:
		inval_clear(u);
		return;
	}
	cache_drop_matching(&u->cache[VTDU_CACHE_PAGING], match, &w);
	cache_drop_matching(&u->cache[VTDU_CACHE_IOTLB], match, &w);
}

/* Which of the invalidations that SRTP asks for was this? */
static uint8_t flushes(const struct vtdu_inval *inv)
{
	if (inv->kind == VTDU_INVAL_CONTEXT && inv->g == G_GLOBAL)
		return FLUSH_CONTEXT;
	if (inv->kind == VTDU_INVAL_PASID_CACHE && inv->g == G_PC_GLOBAL)
		return FLUSH_PASID;
	if (inv->kind == VTDU_INVAL_IOTLB && inv->g == G_GLOBAL)
		return FLUSH_IOTLB;
	return 0;
}

void inval_clear(struct vtdu *u)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		cache_clear(&u->cache[i]);
}

void inval_run(struct vtdu *u, const struct vtdu_inval *inv)
{
	if (u->cfg.flags & VTDU_WIDE_INVALIDATION)
		inval_clear(u);
	else
		forget(u, inv);
	if (inv->kind == VTDU_INVAL_CONTEXT && inv->g == G_DOMAIN &&
	    is_scalable(u))
		misuse(u, VTDU_MISUSE_CONTEXT_DOMAIN, inv->did);
	u->must_flush &= ~flushes(inv);
	if (u->ops.invalidate)
		u->ops.invalidate(u->opaque, inv);
}

void inval_page_request(struct vtdu *u, const struct route *r, uint64_t addr)
{
	struct vtdu_inval inv = {
		.kind = VTDU_INVAL_IOTLB,
		.g = G_NARROW,
		.did = r->did,
		.pasid = r->pasid,
		.addr = addr,
	};

	if (r->mode == VTDU_MODE_FS) {
		inv.kind = VTDU_INVAL_PASID_IOTLB;
		inv.g = G_PASID_PAGES;
	} else if (r->mode == VTDU_MODE_NESTED) {
		inv.g = G_DOMAIN;
	}
	forget(u, &inv);
}
