// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a requester ID to what translates its requests: root, context and PASID
 * structures (3.4, chapter 9), and the caches of context and PASID table
 * entries (6.2.2, 6.2.3).
 *
 * Checks are made in the order of the condition codes (7.1.3). Those that depend
 * on the entry alone are made when it is read and are part of what is cached;
 * those that depend on the request are made each time.
 */
#include "unit.h"

static bool aw_supported(const struct vtdu *u, unsigned int aw)
{
	return CAP_SAGAW(u->cfg.cap) >> aw & 1;
}

static void note_did(struct vtdu *u, uint16_t did)
{
	if (u->cm && !did)
		misuse(u, VTDU_MISUSE_DID, did);
}

/*
 * Read the context entry of @sid. The fault is returned; @q and *@fpd are valid
 * as far as they were read.
 */
static uint8_t read_legacy(struct vtdu *u, uint16_t sid, uint64_t *q, bool *fpd)
{
	uint64_t root[2];

	if (!mem_read(u, (u->root & ~0xfffULL) + (sid >> 8) * 16, root, 2))
		return LRT_1;
	if (!(root[0] & ROOT_P))
		return LRT_2;
	if (root[0] & (u->addr_rsvd | VTD_MASK(11, 1)) || root[1])
		return LRT_3;

	if (!mem_read(u, (root[0] & ENTRY_ADDR) + (sid & 0xff) * 16, q, 2))
		return LCT_1;
	*fpd = q[0] & CTX_FPD;
	if (!(q[0] & CTX_P))
		return LCT_2;
	if (q[0] & (u->addr_rsvd | VTD_MASK(11, 4)) ||
	    q[1] & (VTD_MASK(63, 24) | VTD_BIT(7)) ||
	    CTX_DID(q[1]) & ~u->did_mask) {
		if (CTX_DID(q[1]) & ~u->did_mask)
			misuse(u, VTDU_MISUSE_DID, CTX_DID(q[1]));
		return LCT_3;
	}
	if (!aw_supported(u, CTX_AW(q[1])))
		return LCT_4;
	switch (CTX_TT(q[0])) {
	case TT_UNTRANSLATED:
		break;
	case TT_ATS:
		if (!(u->cfg.ecap & ECAP_DT))
			return LCT_4;
		break;
	case TT_PASS:
		if (!(u->cfg.ecap & ECAP_PT))
			return LCT_4;
		break;
	default:
		return LCT_4;
	}
	note_did(u, CTX_DID(q[1]));
	return 0;
}

/* The largest PASID that the directory of context entry @q has room for */
static uint32_t max_pasid(const uint64_t *q)
{
	return (1u << (SCTX_PDTS(q[0]) + 13)) - 1;
}

static uint8_t read_scalable(struct vtdu *u, uint16_t sid, uint64_t *q,
			     bool *fpd)
{
	uint64_t ecap = u->cfg.ecap, root[2], half, rsvd0, rsvd1;

	if (!mem_read(u, (u->root & ~0xfffULL) + (sid >> 8) * 16, root, 2))
		return SRT_1;
	half = root[sid >> 7 & 1];
	if (!(half & ROOT_P))
		return SRT_2;
	if (half & (u->addr_rsvd | VTD_MASK(11, 1)))
		return SRT_3;

	if (!mem_read(u, (half & ENTRY_ADDR) + (sid & 0x7f) * 32, q, 4))
		return SCT_1;
	*fpd = q[0] & CTX_FPD;
	if (!(q[0] & CTX_P))
		return SCT_2;

	rsvd0 = u->addr_rsvd | VTD_MASK(8, 5);
	rsvd0 |= ecap & ECAP_DT ? 0 : SCTX_DTE;
	rsvd0 |= ecap & ECAP_PASID ? 0 : SCTX_PASIDE;
	rsvd0 |= ecap & ECAP_PRS ? 0 : SCTX_PRE;
	rsvd1 = VTD_MASK(63, 21);
	rsvd1 |= ecap & ECAP_RPS ? 0 : VTD_MASK(19, 0);
	rsvd1 |= ecap & ECAP_RPRIVS ? 0 : SCTX_RID_PRIV;
	if (q[0] & rsvd0 || q[1] & rsvd1 || q[2] || q[3])
		return SCT_3;

	if (q[0] & SCTX_PRE && !(q[0] & SCTX_DTE))
		return SCT_4;
	if (SCTX_RID_PASID(q[1]) > max_pasid(q))
		return SCT_4;
	return 0;
}

/*
 * The context entry for @sid from the cache or from memory. A slot that is
 * returned is in the cache or in *@tmp.
 */
static const struct slot *get_context(struct vtdu *u, uint16_t sid,
				      struct slot *tmp)
{
	struct cache *c = &u->cache[VTDU_CACHE_CONTEXT];
	struct slot_key key = { .kind = SLOT_CONTEXT, .sid = sid };
	struct slot *s = cache_find(c, &key);

	if (s) {
		u->stats.context_hits++;
		return s;
	}
	u->stats.context_misses++;

	ZERO(tmp);
	if (is_scalable(u))
		tmp->fault = read_scalable(u, sid, tmp->q, &tmp->fpd);
	else
		tmp->fault = read_legacy(u, sid, tmp->q, &tmp->fpd);
	if (tmp->fault && !u->cm)
		return tmp;

	s = cache_insert(c, &key);
	if (!s)
		return tmp;
	s->failed = tmp->fault;
	s->fault = tmp->fault;
	s->fpd = tmp->fpd;
	__builtin_memcpy(s->q, tmp->q, sizeof(s->q));
	/* What failed is tagged with domain 0. */
	if (!is_scalable(u) && !s->fault)
		s->did = CTX_DID(s->q[1]);
	return s;
}

static uint8_t read_pasid(struct vtdu *u, uint64_t dir, uint32_t pasid,
			  uint64_t *q, bool *fpd)
{
	unsigned int pgtt, i;
	uint64_t e;

	if (!mem_read(u, dir + (pasid >> 6) * 8, &e, 1))
		return SPD_1;
	*fpd = e & PDIR_FPD;
	if (!(e & PDIR_P))
		return SPD_2;
	if (e & (u->addr_rsvd | VTD_MASK(11, 2)))
		return SPD_3;

	if (!mem_read(u, (e & ENTRY_ADDR) + (pasid & 63) * 64, q, 8))
		return SPT_1;
	*fpd |= !!(q[0] & PASID_FPD);
	if (!(q[0] & PASID_P))
		return SPT_2;
	for (i = 0; i < 8; i++)
		if (q[i] & (i < 3 ? u->pasid_rsvd[i] : ~0ULL)) {
			if (PASID_DID(q[1]) & ~u->did_mask)
				misuse(u, VTDU_MISUSE_DID, PASID_DID(q[1]));
			return SPT_3;
		}

	pgtt = PASID_PGTT(q[0]);
	if ((pgtt == PGTT_SS || pgtt == PGTT_NESTED) &&
	    !aw_supported(u, PASID_AW(q[0])))
		return SPT_4;
	if (!((pgtt == PGTT_FS && u->cfg.ecap & ECAP_FSTS) ||
	      (pgtt == PGTT_SS && u->cfg.ecap & ECAP_SSTS) ||
	      (pgtt == PGTT_NESTED && u->cfg.ecap & ECAP_NEST) ||
	      (pgtt == PGTT_PT && u->cfg.ecap & ECAP_PT)))
		return SPT_4;
	if ((pgtt == PGTT_FS || pgtt == PGTT_NESTED) &&
	    PASID_FSPM(q[2]) > (u->cfg.cap & CAP_FS5LP ? 1 : 0))
		return SPT_4;
	if (pgtt == PGTT_NESTED) {
		unsigned int width = 30 + 9 * PASID_AW(q[0]);

		if (width > u->mgaw)
			width = u->mgaw;
		if ((q[2] & ENTRY_ADDR) >> width)
			return SPT_4;
	}
	note_did(u, PASID_DID(q[1]));
	return 0;
}

static const struct slot *get_pasid(struct vtdu *u, uint16_t sid, uint64_t dir,
				    uint32_t pasid, struct slot *tmp)
{
	struct cache *c = &u->cache[VTDU_CACHE_PASID];
	struct slot_key key = { .kind = SLOT_PASID, .sid = sid, .pasid = pasid };
	struct slot *s = cache_find(c, &key);

	if (s) {
		u->stats.pasid_hits++;
		return s;
	}
	u->stats.pasid_misses++;

	ZERO(tmp);
	tmp->fault = read_pasid(u, dir, pasid, tmp->q, &tmp->fpd);
	if (tmp->fault && !u->cm)
		return tmp;

	s = cache_insert(c, &key);
	if (!s)
		return tmp;
	s->failed = tmp->fault;
	s->fault = tmp->fault;
	s->fpd = tmp->fpd;
	s->pasid = pasid;
	__builtin_memcpy(s->q, tmp->q, sizeof(s->q));
	if (!s->fault)
		s->did = PASID_DID(s->q[1]);
	return s;
}

static void decode_pasid(const struct vtdu *u, const uint64_t *q,
			 struct route *r)
{
	static const uint8_t modes[] = {
		[PGTT_FS] = VTDU_MODE_FS,
		[PGTT_SS] = VTDU_MODE_SS,
		[PGTT_NESTED] = VTDU_MODE_NESTED,
		[PGTT_PT] = VTDU_MODE_PT,
	};
	bool ers = u->cfg.ecap & ECAP_ERS;

	r->mode = modes[PASID_PGTT(q[0])];
	r->did = PASID_DID(q[1]);
	r->ss_levels = PASID_AW(q[0]) + 2;
	r->ss_root = q[0] & ENTRY_ADDR;
	r->fs_levels = PASID_FSPM(q[2]) ? 5 : 4;
	r->fs_root = q[2] & ENTRY_ADDR;
	r->ssade = q[0] & PASID_SSADE;
	r->pwsnp = q[1] & PASID_PWSNP;
	r->pgsnp = q[1] & PASID_PGSNP;
	r->sre = q[2] & PASID_SRE;
	r->wpe = q[2] & PASID_WPE;
	r->eafe = q[2] & PASID_EAFE;
	r->ere = ers && q[2] & PASID_ERE;
	r->nxe = ers && q[2] & PASID_NXE;
	r->smep = ers && q[2] & PASID_SMEP;
}

static void route_legacy(struct vtdu *u, const struct vtdu_request *request,
			 struct route *r)
{
	struct slot tmp;
	const struct slot *s = get_context(u, request->sid, &tmp);

	r->fpd = s->fpd;
	r->fault = s->fault;
	if (r->fault)
		return;
	r->ats = CTX_TT(s->q[0]) == TT_ATS;
	r->did = CTX_DID(s->q[1]);
	r->ss_levels = CTX_AW(s->q[1]) + 2;
	r->ss_root = s->q[0] & ENTRY_ADDR;
	r->mode = CTX_TT(s->q[0]) == TT_PASS ? VTDU_MODE_LEGACY_PT :
					       VTDU_MODE_LEGACY;
	if (request->at != VTDU_AT_UNTRANSLATED && !r->ats)
		r->fault = LCT_5;
	else if (request->at == VTDU_AT_TRANSLATED)
		r->mode = VTDU_MODE_TRANSLATED;
}

/* What the context entry @q says about this request */
static uint8_t check_scalable(struct vtdu *u, const struct vtdu_request *request,
			      bool page_request, const uint64_t *q)
{
	if (!page_request && request->at != VTDU_AT_UNTRANSLATED &&
	    !(q[0] & SCTX_DTE))
		return SCT_5;
	if (request->has_pasid) {
		if (request->at != VTDU_AT_TRANSLATED && !(q[0] & SCTX_PASIDE))
			return SCT_6;
		if (request->pasid > max_pasid(q))
			return SCT_7;
	}
	if (page_request && !(q[0] & SCTX_PRE))
		return SCT_8;
	if (request->has_pasid) {
		if (request->pasid == SCTX_RID_PASID(q[1]))
			return SCT_9;
		/* EPTR is reserved here: no host permission tables. */
		if (!page_request && request->at == VTDU_AT_TRANSLATED)
			return SCT_10;
		if (request->pasid >> ECAP_PSS(u->cfg.ecap))
			return SGN_10;
	}
	return 0;
}

static void route_scalable(struct vtdu *u, const struct vtdu_request *request,
			   bool page_request, struct route *r)
{
	struct slot tmp;
	const struct slot *s = get_context(u, request->sid, &tmp);
	uint64_t dir;

	r->fpd = s->fpd;
	r->fault = s->fault;
	if (r->fault)
		return;
	r->ats = s->q[0] & SCTX_DTE;
	r->fault = check_scalable(u, request, page_request, s->q);
	if (r->fault)
		return;
	if (!page_request && request->at == VTDU_AT_TRANSLATED) {
		r->mode = VTDU_MODE_TRANSLATED;
		return;
	}
	if (request->has_pasid) {
		r->pasid = request->pasid;
		r->priv = request->priv;
	} else {
		r->pasid = SCTX_RID_PASID(s->q[1]);
		r->priv = s->q[1] & SCTX_RID_PRIV;
	}
	dir = s->q[0] & ENTRY_ADDR;

	s = get_pasid(u, request->sid, dir, r->pasid, &tmp);
	r->fpd |= s->fpd;
	r->fault = s->fault;
	if (r->fault)
		return;
	decode_pasid(u, s->q, r);
	if (page_request)
		return;
	if (request->has_pasid && request->access & VTDU_EXEC && !r->ere)
		r->fault = SPT_5;
	else if (r->priv && !r->sre)
		r->fault = SPT_6;
}

void context_route(struct vtdu *u, const struct vtdu_request *request,
		   bool page_request, struct route *r)
{
	ZERO(r);
	r->mode = VTDU_MODE_NONE;
	r->partial = request->at == VTDU_AT_TRANSLATION;
	switch (RTADDR_TTM(u->root)) {
	case TTM_LEGACY:
		if (page_request)
			r->fault = RTA_3;
		else if (request->has_pasid)
			r->fault = RTA_2;
		else
			route_legacy(u, request, r);
		return;
	case TTM_SCALABLE:
		if (!(u->cfg.ecap & ECAP_SMTS))
			r->fault = RTA_1;
		else if (!page_request && request->has_pasid &&
			 request->access & VTDU_EXEC &&
			 VER_MAJOR(u->cfg.ver) >= 8)
			r->fault = RTA_5;
		else
			route_scalable(u, request, page_request, r);
		return;
	case TTM_ABORT:
		r->fault = u->cfg.ecap & ECAP_ADMS ? RTA_4 : RTA_1;
		return;
	default:
		r->fault = RTA_1;
	}
}
