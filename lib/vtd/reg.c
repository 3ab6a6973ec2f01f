// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The register page: what can be written, and what a write starts.
 *
 * Each 32-bit word has two masks, of bits that software sets and of bits that it
 * clears by writing 1. All other bits are the unit's.
 */
#include "unit.h"

static void rw32(struct vtdu *u, uint32_t offset, uint32_t mask)
{
	u->rw[offset / 4] = mask;
}

static void rw64(struct vtdu *u, uint32_t offset, uint64_t mask)
{
	rw32(u, offset, (uint32_t)mask);
	rw32(u, offset + 4, mask >> 32);
}

static void w1c32(struct vtdu *u, uint32_t offset, uint32_t mask)
{
	u->w1c[offset / 4] = mask;
}

static void rw_event(struct vtdu *u, enum vtdu_event event)
{
	uint32_t ctl = event_ctl(event);

	rw32(u, ctl, EVENT_IM);
	rw32(u, ctl + 4, 0xffff);
	rw32(u, ctl + 8, ~3u);
	rw32(u, ctl + 12, ~0u);
}

/* Regions are multiples of 1 MiB. */
static void rw_protected_memory(struct vtdu *u)
{
	uint64_t high = VTD_MASK(u->cfg.haw - 1, 20);

	if (u->cfg.cap & (CAP_PLMR | CAP_PHMR))
		rw32(u, PMEN_REG, PMEN_EPM);
	if (u->cfg.cap & CAP_PLMR) {
		rw32(u, PLMBASE_REG, 0xfff00000);
		rw32(u, PLMLIMIT_REG, 0xfff00000);
	}
	if (u->cfg.cap & CAP_PHMR) {
		rw64(u, PHMBASE_REG, high);
		rw64(u, PHMLIMIT_REG, high);
	}
}

static void rw_page_requests(struct vtdu *u)
{
	rw64(u, PQH_REG, VTD_MASK(18, 5));
	rw64(u, PQT_REG, VTD_MASK(18, 5));
	rw64(u, PQA_REG, VTD_MASK(63, 12) | VTD_MASK(2, 0));
	w1c32(u, PRS_REG, PRS_PPR | PRS_PRO);
	rw_event(u, VTDU_EVENT_PAGE_REQUEST);
}

void reg_init(struct vtdu *u)
{
	uint64_t ecap = u->cfg.ecap;
	uint32_t fro = CAP_FRO(u->cfg.cap), iro = ECAP_IRO(ecap);
	unsigned int i;

	rw64(u, RTADDR_REG, VTD_MASK(63, 10));
	rw64(u, CCMD_REG, CCMD_ICC | VTD_MASK(62, 61) | VTD_MASK(33, 0));
	w1c32(u, FSTS_REG, FSTS_PFO | FSTS_IQE |
			   (ecap & ECAP_DT ? FSTS_ICE | FSTS_ITE : 0));
	rw_event(u, VTDU_EVENT_FAULT);
	rw_protected_memory(u);
	rw64(u, IQT_REG, VTD_MASK(18, 4));
	rw64(u, IQA_REG, VTD_MASK(63, 11) | VTD_MASK(2, 0));
	w1c32(u, ICS_REG, ICS_IWC);
	rw_event(u, VTDU_EVENT_COMPLETION);
	if (ecap & ECAP_IR)
		rw64(u, IRTA_REG, VTD_MASK(63, 12) | VTD_MASK(3, 0) |
				  (ecap & ECAP_EIM ? VTD_BIT(11) : 0));
	if (ecap & ECAP_PRS)
		rw_page_requests(u);
	rw64(u, iro, VTD_MASK(63, 12) | VTD_MASK(6, 0));
	rw64(u, iro + 8, IOTLB_IVT | VTD_MASK(61, 60) | VTD_MASK(49, 48) |
			 VTD_MASK(47, 32));
	for (i = 0; i < CAP_NFR(u->cfg.cap); i++)
		w1c32(u, fro + i * 16 + 12, FRCD_F >> 32);
	if (ecap & ECAP_VCS) {
		rw64(u, vcmd_offset(u), ~0ULL);
		if (u->cfg.vcmd_layout == VTDU_VCMD_33)
			rw64(u, VCMDX_REG_33, ~0ULL);
	}
}

void reg_reset(struct vtdu *u)
{
	__builtin_memset(u->reg, 0, sizeof(u->reg));
	set32(u, VER_REG, u->cfg.ver);
	set64(u, CAP_REG, u->cfg.cap);
	set64(u, ECAP_REG, u->cfg.ecap);
	set32(u, FECTL_REG, EVENT_IM);
	set32(u, IECTL_REG, EVENT_IM);
	if (u->cfg.ecap & ECAP_PRS)
		set32(u, PECTL_REG, EVENT_IM);
	vcmd_reset(u);
}

/*
 * Global commands
 */

static void everything_changed(struct vtdu *u)
{
	struct vtdu_inval inv = { .kind = VTDU_INVAL_ALL };

	if (u->ops.invalidate)
		u->ops.invalidate(u->opaque, &inv);
}

static void set_root(struct vtdu *u, uint32_t *gsts)
{
	unsigned int ttm;

	u->root = get64(u, RTADDR_REG);
	*gsts |= GCMD_SRTP;
	ttm = RTADDR_TTM(u->root);
	if (ttm == TTM_RESERVED ||
	    (ttm == TTM_SCALABLE && !(u->cfg.ecap & ECAP_SMTS)) ||
	    (ttm == TTM_ABORT && !(u->cfg.ecap & ECAP_ADMS)))
		misuse(u, VTDU_MISUSE_ROOT, u->root);
	if (is_scalable(u) && *gsts & GCMD_QIE &&
	    !(get64(u, IQA_REG) & IQA_DW))
		misuse(u, VTDU_MISUSE_QI_DW, get64(u, IQA_REG));
	if (u->cfg.cap & CAP_ESRTPS) {
		inval_clear(u);
		everything_changed(u);
		return;
	}
	u->must_flush = FLUSH_CONTEXT | FLUSH_IOTLB |
			(is_scalable(u) ? FLUSH_PASID : 0);
}

static void set_translation(struct vtdu *u, bool on)
{
	uint32_t gsts = get32(u, GSTS_REG);

	if (on) {
		if (!(gsts & GCMD_SRTP))
			misuse(u, VTDU_MISUSE_ROOT, u->root);
	} else {
		if (u->cfg.ecap & ECAP_SMTS)
			inval_clear(u);
		if (!(gsts & GCMD_IRE))
			u->next_frcd = 0;
	}
	set32(u, GSTS_REG, on ? gsts | GCMD_TE : gsts & ~GCMD_TE);
	everything_changed(u);
}

static void gcmd(struct vtdu *u, uint32_t v)
{
	uint32_t gsts = get32(u, GSTS_REG), changed, log;
	uint64_t qw[2] = { v };

	/* Bits of what the unit does not have do nothing. */
	v &= ~(GCMD_EAFL | GCMD_SFL);
	if (!(u->cfg.ecap & ECAP_IR))
		v &= ~(GCMD_IRE | GCMD_SIRTP | GCMD_CFI);
	changed = ((v ^ gsts) & GCMD_STICKY) | (v & GCMD_ONE_SHOT);
	if (changed & (changed - 1))
		misuse(u, VTDU_MISUSE_GCMD, v);

	if (changed & GCMD_SRTP)
		set_root(u, &gsts);
	if (changed & GCMD_SIRTP)
		gsts |= GCMD_SIRTP;
	if (changed & GCMD_IRE)
		gsts ^= GCMD_IRE;
	if (changed & GCMD_CFI)
		gsts ^= GCMD_CFI;
	if (changed & GCMD_QIE && v & GCMD_QIE)
		gsts |= GCMD_QIE;
	set32(u, GSTS_REG, gsts);
	if (v & GCMD_QIE)
		u->qi_stop = false;
	else if (gsts & GCMD_QIE)
		queue_disable(u);
	if (changed & GCMD_TE)
		set_translation(u, v & GCMD_TE);

	log = get32(u, GSTS_REG);
	qw[1] = log;
	log_add(u, VTDU_LOG_GCMD, 0, 0, qw, 2);
}

/*
 * Invalidation by register (6.5.1): legacy mode, the queue being off, and not
 * from version 6 on.
 */
static bool register_invalidation(struct vtdu *u, uint32_t offset, uint64_t v)
{
	uint64_t qw[2] = { v, get64(u, ECAP_IRO(u->cfg.ecap)) };

	log_add(u, VTDU_LOG_REG_INVAL, (uint16_t)offset, 0, qw, 2);
	if (!(get32(u, GSTS_REG) & GCMD_QIE) && VER_MAJOR(u->cfg.ver) < 6 &&
	    RTADDR_TTM(u->root) == TTM_LEGACY)
		return true;
	misuse(u, VTDU_MISUSE_REG_INVAL, offset);
	return false;
}

static void ccmd(struct vtdu *u)
{
	uint64_t v = get64(u, CCMD_REG);
	struct vtdu_inval inv = {
		.kind = VTDU_INVAL_CONTEXT,
		.g = CCMD_CIRG(v),
		.fm = CCMD_FM(v),
		.did = CCMD_DID(v) & u->did_mask,
		.sid = CCMD_SID(v),
	};

	v &= ~(CCMD_ICC | CCMD_CAIG(3));
	if (register_invalidation(u, CCMD_REG, v) && inv.g) {
		inval_run(u, &inv);
		v |= CCMD_CAIG(inv.g);
	}
	set64(u, CCMD_REG, v);
}

static void iotlb(struct vtdu *u, uint32_t offset)
{
	uint64_t v = get64(u, offset), iva = get64(u, offset - 8);
	struct vtdu_inval inv = {
		.kind = VTDU_INVAL_IOTLB,
		.g = IOTLB_IIRG(v),
		.ih = iva & IVA_IH,
		.am = IVA_AM(iva),
		.did = IOTLB_DID(v) & u->did_mask,
		.addr = iva & ~0xfffULL,
	};

	v &= ~(IOTLB_IVT | IOTLB_IAIG(3));
	if (inv.g == G_NARROW && (!(u->cfg.cap & CAP_PSI) ||
				  inv.am > CAP_MAMV(u->cfg.cap))) {
		misuse(u, VTDU_MISUSE_AM, iva);
		inv.g = G_DOMAIN;
	}
	if (register_invalidation(u, offset, v) && inv.g) {
		inval_run(u, &inv);
		v |= IOTLB_IAIG(inv.g);
	}
	set64(u, offset, v);
}

static void serviced(struct vtdu *u, uint32_t offset, uint32_t old)
{
	if (offset == ICS_REG) {
		if (!get32(u, ICS_REG))
			event_serviced(u, VTDU_EVENT_COMPLETION);
		return;
	}
	prq_written(u, offset, old);
	if (!get32(u, PRS_REG))
		event_serviced(u, VTDU_EVENT_PAGE_REQUEST);
}

/* The word at @offset has been written; it was @old before. */
static void written(struct vtdu *u, uint32_t offset, uint32_t old, uint32_t v)
{
	uint32_t fro = CAP_FRO(u->cfg.cap);
	uint32_t iotlb_reg = ECAP_IRO(u->cfg.ecap) + 8;

	switch (offset) {
	case GCMD_REG:
		gcmd(u, v);
		return;
	case CCMD_REG + 4:
		if (v & CCMD_ICC >> 32)
			ccmd(u);
		return;
	case FSTS_REG:
		fault_serviced(u);
		return;
	case FECTL_REG:
		event_unmask(u, VTDU_EVENT_FAULT);
		return;
	case IECTL_REG:
		event_unmask(u, VTDU_EVENT_COMPLETION);
		return;
	case PECTL_REG:
		if (u->cfg.ecap & ECAP_PRS)
			event_unmask(u, VTDU_EVENT_PAGE_REQUEST);
		return;
	case PMEN_REG:
		set32(u, PMEN_REG, get32(u, PMEN_REG) & PMEN_EPM ?
		      PMEN_EPM | PMEN_PRS : 0);
		return;
	case IQA_REG:
	case IQA_REG + 4:
		if (get32(u, GSTS_REG) & GCMD_QIE)
			misuse(u, VTDU_MISUSE_QI_LIVE, offset);
		return;
	case ICS_REG:
		serviced(u, offset, old);
		return;
	case PRS_REG:
	case PQH_REG:
	case PQT_REG:
	case PQA_REG:
		if (u->cfg.ecap & ECAP_PRS)
			serviced(u, offset, old);
		return;
	}
	if (offset == iotlb_reg + 4 && v & IOTLB_IVT >> 32)
		iotlb(u, iotlb_reg);
	else if (u->cfg.ecap & ECAP_VCS && offset == vcmd_offset(u))
		vcmd_submit(u);
	else if (offset >= fro && offset < fro + CAP_NFR(u->cfg.cap) * 16)
		fault_serviced(u);
}

/* Is the register that the word is in one that cannot be written? */
static bool read_only(const struct vtdu *u, uint32_t offset)
{
	uint32_t pair = offset / 4 & ~1u;

	if (offset == GCMD_REG)
		return false;
	return offset == GSTS_REG ||
	       !(u->rw[pair] | u->rw[pair + 1] | u->w1c[pair] |
		 u->w1c[pair + 1]);
}

static uint32_t store(struct vtdu *u, uint32_t offset, uint32_t v)
{
	uint32_t *r = &u->reg[offset / 4], old = *r;
	uint32_t rw = u->rw[offset / 4], w1c = u->w1c[offset / 4];

	*r = (old & ~rw & ~(v & w1c)) | (v & rw);
	return old;
}

void vtdu_write(struct vtdu *u, uint32_t offset, unsigned int size,
		uint64_t value)
{
	uint32_t lo = (uint32_t)value, hi = value >> 32, old[2];

	if ((size != 4 && size != 8) || offset & (size - 1) ||
	    offset > VTDU_REG_BYTES - size) {
		misuse(u, VTDU_MISUSE_ACCESS, offset);
		return;
	}
	if (read_only(u, offset) && (size == 4 || read_only(u, offset + 4)))
		misuse(u, VTDU_MISUSE_RO, offset);
	old[0] = store(u, offset, lo);
	if (size == 8)
		old[1] = store(u, offset + 4, hi);
	written(u, offset, old[0], lo);
	if (size == 8)
		written(u, offset + 4, old[1], hi);
}

static uint32_t load(const struct vtdu *u, uint32_t offset)
{
	/* IVA is write-only, as GCMD, which holds nothing. */
	if (offset - ECAP_IRO(u->cfg.ecap) < 8)
		return 0;
	return u->reg[offset / 4];
}

uint64_t vtdu_read(struct vtdu *u, uint32_t offset, unsigned int size)
{
	if ((size != 4 && size != 8) || offset & (size - 1) ||
	    offset > VTDU_REG_BYTES - size) {
		misuse(u, VTDU_MISUSE_ACCESS, offset);
		return 0;
	}
	if (size == 4)
		return load(u, offset);
	return load(u, offset) | (uint64_t)load(u, offset + 4) << 32;
}
