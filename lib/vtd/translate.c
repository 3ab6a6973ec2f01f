// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A request and its answer. The IOTLB is asked first, by requester ID, PASID and
 * address alone (6.2.1): a context or PASID table entry that went is not seen
 * until the IOTLB has been invalidated, too.
 */
#include "unit.h"

#define ALL_PERM	(VTDU_READ | VTDU_WRITE | VTDU_EXEC)

/* what is known of a request while it is answered */
struct query {
	const struct vtdu_request *request;
	struct route route;
	struct tlb_data tlb;
	uint8_t lg2;
	uint8_t fault;
};

static bool is_legacy(uint8_t mode)
{
	return mode == VTDU_MODE_LEGACY || mode == VTDU_MODE_LEGACY_PT;
}

static bool is_pass_through(uint8_t mode)
{
	return mode == VTDU_MODE_PT || mode == VTDU_MODE_LEGACY_PT;
}

/* The permissions that a request asks for; a translation request may get less */
static uint8_t wanted(const struct vtdu *u, const struct vtdu_request *q)
{
	uint8_t access = q->access & (VTDU_READ | VTDU_WRITE);

	if (q->at == VTDU_AT_TRANSLATION) {
		access |= VTDU_READ;
		if (!(u->cfg.ecap & ECAP_NWFS))
			access |= VTDU_WRITE;
	}
	return access ? access : VTDU_READ;
}

static bool wants_exec(const struct vtdu_request *q)
{
	return q->has_pasid && q->access & VTDU_EXEC;
}

static bool fail(struct vtdu *u, const struct query *q, uint8_t code,
		 struct vtdu_result *res)
{
	struct fault_info f = {
		.request = q->request,
		.fpd = q->route.fpd,
	};
	bool recoverable, report;

	res->fault = code;
	res->perm = 0;
	res->outcome = fault_outcome(code, q->request->at, &recoverable,
				     &report);
	if (report)
		res->recorded = fault_record(u, &f, code);
	else
		u->stats.faults++;
	return false;
}

static uint8_t lack(const struct query *q, uint8_t missing)
{
	bool legacy = is_legacy(q->route.mode);

	if (!q->tlb.perm[q->route.priv] && q->tlb.user_fault && !q->route.priv)
		return SGN_2;
	if (missing & VTDU_WRITE)
		return legacy ? LGN_2 : SGN_6;
	return legacy ? LGN_3 : SGN_7;
}

static bool overlaps_interrupts(uint64_t page, uint8_t lg2)
{
	return page <= INTERRUPT_LAST &&
	       (page | VTD_MASK(lg2 - 1, 0)) >= INTERRUPT_BASE;
}

/* There is a mapping: is it enough? */
static bool answer(struct vtdu *u, struct query *q, struct vtdu_result *res)
{
	const struct vtdu_request *request = q->request;
	uint8_t perm = q->tlb.perm[q->route.priv], want = wanted(u, request);
	uint64_t out = q->tlb.page |
		       (request->addr & VTD_MASK(q->lg2 - 1, 0));
	bool translation = request->at == VTDU_AT_TRANSLATION;

	res->mode = q->route.mode;
	res->did = q->route.did;
	res->page_lg2 = q->lg2;
	res->global = q->tlb.global;
	res->snoop = q->tlb.snoop || (!request->no_snoop && !translation);

	if (translation ? !(perm & want) : want & ~perm)
		return fail(u, q, lack(q, want & ~perm), res);
	if (wants_exec(request) && !translation && !(perm & VTDU_EXEC))
		return fail(u, q, SGN_3, res);

	if (translation) {
		perm &= want | (wants_exec(request) ? VTDU_EXEC : 0);
		if (!is_pass_through(q->route.mode) &&
		    overlaps_interrupts(q->tlb.page, q->lg2))
			return fail(u, q, is_legacy(q->route.mode) ? LGN_4 :
				    SGN_8, res);
	} else if (in_interrupt_range(out)) {
		return fail(u, q, is_legacy(q->route.mode) ? LGN_4 : SGN_8,
			    res);
	}
	res->outcome = VTDU_OK;
	res->perm = perm;
	res->addr = out;
	return true;
}

/*
 * IOTLB
 */

static struct slot_key tlb_key(const struct vtdu_request *q, uint8_t lg2)
{
	return (struct slot_key) {
		.kind = SLOT_TLB,
		.lg2 = lg2,
		.has_pasid = q->has_pasid,
		.sid = q->sid,
		.pasid = q->has_pasid ? q->pasid : 0,
		.tag = q->addr >> lg2,
	};
}

/* What the IOTLB knows; false: walk */
static bool recall(struct vtdu *u, struct query *q)
{
	static const uint8_t sizes[] = { 12, 21, 30 };
	const struct vtdu_request *request = q->request;
	struct slot *s = NULL;
	unsigned int i;

	for (i = 0; i < sizeof(sizes) && !s; i++) {
		struct slot_key key = tlb_key(request, sizes[i]);

		s = cache_find(&u->cache[VTDU_CACHE_IOTLB], &key);
	}
	if (!s)
		return false;
	/* What it does not know it must look up. */
	if (request->at == VTDU_AT_TRANSLATION && !s->tlb.ats)
		return false;

	q->route.mode = s->mode;
	q->route.did = s->did;
	q->route.fpd = s->fpd;
	q->route.priv = request->has_pasid ? request->priv : s->tlb.rid_priv;
	q->tlb = s->tlb;
	q->lg2 = s->key.lg2;
	if (s->failed) {
		q->fault = s->fault;
		return true;
	}
	if (wants_exec(request) && !s->tlb.ere)
		q->fault = SPT_5;
	else if (q->route.priv && !s->tlb.sre)
		q->fault = SPT_6;
	if (wanted(u, request) & s->tlb.perm[q->route.priv] & VTDU_WRITE &&
	    !s->tlb.dirty)
		return false;
	return true;
}

/* May the result of a walk be kept? A fault only with CM, and not the guest's. */
static bool keep(const struct vtdu *u, const struct query *q)
{
	if (!q->fault)
		return true;
	if (!u->cm)
		return false;
	return q->route.mode == VTDU_MODE_LEGACY ||
	       q->route.mode == VTDU_MODE_SS;
}

/* Would the request be granted? With CM other mappings are kept, too. */
static bool sufficient(const struct vtdu *u, const struct query *q)
{
	uint8_t perm = q->tlb.perm[q->route.priv], want = wanted(u, q->request);

	return q->request->at == VTDU_AT_TRANSLATION ? perm & want :
						       !(want & ~perm);
}

static void memorise(struct vtdu *u, const struct query *q)
{
	struct slot_key key = tlb_key(q->request, q->lg2);
	struct slot *s;

	if (!keep(u, q))
		return;
	if (!q->fault && !sufficient(u, q) &&
	    !(u->cm && (q->route.mode == VTDU_MODE_LEGACY ||
			q->route.mode == VTDU_MODE_SS)))
		return;
	s = cache_insert(&u->cache[VTDU_CACHE_IOTLB], &key);
	if (!s)
		return;
	s->mode = q->route.mode;
	s->did = q->route.did;
	s->pasid = q->route.pasid;
	s->fpd = q->route.fpd;
	s->tlb = q->tlb;
	/* What lacks in legacy mode depends on the request: no permission. */
	if (q->fault && q->fault != LGN_2 && q->fault != LGN_3) {
		s->failed = true;
		s->fault = q->fault;
	}
}

/*
 * Translations
 */

static void pass_through(struct vtdu *u, struct query *q)
{
	const struct vtdu_request *request = q->request;
	const struct route *r = &q->route;

	if (request->addr & u->addr_rsvd) {
		q->fault = r->mode == VTDU_MODE_PT ? SGN_4 : LGN_1;
		return;
	}
	q->lg2 = u->pt_lg2;
	q->tlb.page = request->addr & ~VTD_MASK(q->lg2 - 1, 0);
	if (overlaps_interrupts(q->tlb.page, q->lg2)) {
		q->lg2 = PAGE_LG2;
		q->tlb.page = request->addr & ~VTD_MASK(q->lg2 - 1, 0);
	}
	q->tlb.perm[0] = VTDU_READ | VTDU_WRITE | (r->ere ? VTDU_EXEC : 0);
	q->tlb.perm[1] = q->tlb.perm[0];
	q->tlb.dirty = true;
}

static void second_stage(struct vtdu *u, struct query *q)
{
	const struct vtdu_request *request = q->request;
	const struct route *r = &q->route;
	unsigned int width = level_lg2(r->ss_levels + 1);
	struct walk w;

	if (width > u->mgaw)
		width = u->mgaw;
	q->lg2 = PAGE_LG2;
	if (request->addr >> width) {
		q->fault = r->mode == VTDU_MODE_LEGACY ? LGN_1 : SGN_5;
		return;
	}
	walk_ss(u, r, request->addr, wanted(u, request), &w);
	q->fault = w.fault;
	if (w.fault)
		return;
	q->lg2 = w.lg2;
	q->tlb.page = w.addr & ~VTD_MASK(w.lg2 - 1, 0);
	q->tlb.perm[0] = w.perm;
	if (r->ere && w.perm & VTDU_READ)
		q->tlb.perm[0] |= VTDU_EXEC;
	q->tlb.perm[1] = q->tlb.perm[0];
	q->tlb.dirty = w.dirty;
	q->tlb.snoop |= w.snp;
}

static bool canonical(uint64_t addr, unsigned int width)
{
	uint64_t high = addr >> (width - 1);

	return !high || high == ~0ULL >> (width - 1);
}

/* One attempt at the first stage; false: the tables changed meanwhile. */
static bool first_stage(struct vtdu *u, struct query *q)
{
	uint64_t addr = q->request->addr;
	const struct route *r = &q->route;
	uint8_t want = wanted(u, q->request), below = ALL_PERM, got;
	struct walk w, second;

	if (!canonical(addr, level_lg2(r->fs_levels + 1))) {
		q->fault = SGN_1;
		return true;
	}
	walk_fs(u, r, addr, want, &w);
	q->fault = w.fault;
	if (w.fault)
		return true;
	q->lg2 = w.lg2;
	q->tlb.snoop = r->pgsnp;
	q->tlb.dirty = w.dirty;
	got = want & fs_perm(r, &w, r->priv);
	/* What the first stage refuses is not asked of the second. */
	if (r->mode == VTDU_MODE_NESTED && granted(r, want, got)) {
		walk_ss(u, r, w.addr, got, &second);
		q->fault = second.fault;
		if (second.fault)
			return true;
		w.addr = second.addr;
		if (second.lg2 < q->lg2)
			q->lg2 = second.lg2;
		q->tlb.dirty &= second.dirty;
		q->tlb.snoop |= second.snp;
		below = second.perm;
		if (below & VTDU_READ)
			below |= VTDU_EXEC;
		if (!granted(r, want, got & below))
			w.leaf_set = 0;
		else if (!(below & VTDU_WRITE))
			w.leaf_set &= ~FS_D;
	}
	/* Where interrupts are the request will be refused. */
	if (in_interrupt_range(w.addr))
		w.leaf_set = 0;
	if (!walk_fs_commit(u, &w))
		return false;
	q->fault = w.fault;
	q->tlb.page = w.addr & ~VTD_MASK(q->lg2 - 1, 0);
	q->tlb.perm[0] = fs_perm(r, &w, false) & below;
	q->tlb.perm[1] = fs_perm(r, &w, true) & below;
	q->tlb.user_fault = !w.us;
	q->tlb.global = w.g;
	return true;
}

static void walk(struct vtdu *u, struct query *q)
{
	unsigned int tries = ENTRY_RETRIES;

	q->tlb.snoop = q->route.pgsnp;
	q->tlb.sre = q->route.sre;
	q->tlb.ere = q->route.ere;
	q->tlb.ats = q->route.ats;
	q->tlb.rid_priv = q->route.priv && !q->request->has_pasid;
	switch (q->route.mode) {
	case VTDU_MODE_PT:
	case VTDU_MODE_LEGACY_PT:
		pass_through(u, q);
		return;
	case VTDU_MODE_SS:
	case VTDU_MODE_LEGACY:
		second_stage(u, q);
		return;
	default:
		while (!first_stage(u, q)) {
			if (!tries--) {
				q->fault = SFS_10;
				return;
			}
		}
	}
}

/*
 * Requests that no table is asked about
 */

static bool in_protected_region(const struct vtdu *u, uint64_t addr)
{
	uint64_t base, limit;

	if (!(get32(u, PMEN_REG) & PMEN_PRS))
		return false;
	base = get32(u, PLMBASE_REG);
	limit = get32(u, PLMLIMIT_REG) | 0xfffff;
	if (u->cfg.cap & CAP_PLMR && addr >= base && addr <= limit)
		return true;
	base = get64(u, PHMBASE_REG);
	limit = get64(u, PHMLIMIT_REG) | 0xfffff;
	return u->cfg.cap & CAP_PHMR && addr >= base && addr <= limit;
}

static bool translation_off(struct vtdu *u, const struct vtdu_request *request,
			    struct vtdu_result *res)
{
	res->mode = VTDU_MODE_OFF;
	res->outcome = VTDU_UR;
	if (request->at != VTDU_AT_UNTRANSLATED ||
	    in_protected_region(u, request->addr))
		return false;
	res->outcome = VTDU_OK;
	res->page_lg2 = PAGE_LG2;
	res->perm = ALL_PERM;
	res->snoop = !request->no_snoop;
	res->addr = request->addr;
	return true;
}

static bool translated(struct vtdu *u, struct query *q, struct vtdu_result *res)
{
	uint64_t addr = q->request->addr;
	bool scalable = is_scalable(u);

	res->mode = VTDU_MODE_TRANSLATED;
	if (addr & u->addr_rsvd)
		return fail(u, q, scalable ? SGN_4 : LGN_1, res);
	if (in_interrupt_range(addr))
		return fail(u, q, scalable ? SGN_8 : LGN_4, res);
	res->outcome = VTDU_OK;
	res->page_lg2 = PAGE_LG2;
	res->perm = ALL_PERM;
	res->snoop = !q->request->no_snoop;
	res->addr = addr;
	return true;
}

/* A request without PASID to the interrupt range that is no interrupt (3.15) */
static bool interrupt_range(struct vtdu *u, struct query *q,
			    struct vtdu_result *res)
{
	res->mode = q->route.mode;
	res->did = q->route.did;
	if (q->request->at == VTDU_AT_UNTRANSLATED)
		return fail(u, q, is_scalable(u) ? SGN_8 : LGN_4, res);
	/* The device is to write its interrupts untranslated. */
	res->outcome = VTDU_OK;
	res->page_lg2 = PAGE_LG2;
	res->untranslated_only = wanted(u, q->request) & VTDU_WRITE;
	res->perm = res->untranslated_only ? VTDU_WRITE : 0;
	res->addr = q->request->addr;
	return true;
}

static void check_flushed(struct vtdu *u)
{
	if (!u->must_flush)
		return;
	misuse(u, VTDU_MISUSE_SRTP_FLUSH, u->must_flush);
	u->must_flush = 0;
}

bool vtdu_translate(struct vtdu *u, const struct vtdu_request *request,
		    struct vtdu_result *res)
{
	struct query q = { .request = request };
	bool special;

	ZERO(res);
	u->stats.requests++;
	special = !request->has_pasid && in_interrupt_range(request->addr);
	if (special && request->at == VTDU_AT_UNTRANSLATED &&
	    wanted(u, request) == VTDU_WRITE) {
		res->outcome = VTDU_INTERRUPT;
		res->mode = VTDU_MODE_NONE;
		res->addr = request->addr;
		return false;
	}
	if (!(get32(u, GSTS_REG) & GCMD_TE))
		return translation_off(u, request, res);
	check_flushed(u);
	res->mode = VTDU_MODE_NONE;
	if (request->at > VTDU_AT_TRANSLATED) {
		res->outcome = VTDU_UR;
		return false;
	}

	if (request->at != VTDU_AT_TRANSLATED && !special) {
		if (recall(u, &q)) {
			u->stats.iotlb_hits++;
			res->cached = true;
			res->mode = q.route.mode;
			res->did = q.route.did;
			return q.fault ? fail(u, &q, q.fault, res) :
					 answer(u, &q, res);
		}
		u->stats.iotlb_misses++;
		q.fault = 0;
		ZERO(&q.tlb);
	}
	context_route(u, request, false, &q.route);
	res->mode = q.route.mode;
	res->did = q.route.did;
	if (q.route.fault)
		return fail(u, &q, q.route.fault, res);
	if (request->at == VTDU_AT_TRANSLATED)
		return translated(u, &q, res);
	if (special)
		return interrupt_range(u, &q, res);

	walk(u, &q);
	memorise(u, &q);
	return q.fault ? fail(u, &q, q.fault, res) : answer(u, &q, res);
}
