// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The invalidation queue (6.5.2).
 *
 * Descriptors are processed one after the other. Two kinds outlive that: a
 * device-TLB invalidation is in flight until its device answers, and a wait
 * descriptor is pending until all flights before it have ended. Flights are
 * numbered, so that a wait knows them by one number.
 */
#include "unit.h"

#define TAG_BITS	12	/* of a tag: which flight; above: its generation */

static unsigned int desc_words(const struct vtdu *u)
{
	return get64(u, IQA_REG) & IQA_DW ? 4 : 2;
}

static bool is_empty(const struct vtdu *u)
{
	return get32(u, IQH_REG) == get32(u, IQT_REG);
}

static bool in_flight(const struct vtdu *u)
{
	uint32_t i;

	for (i = 0; i < u->nr_flights; i++)
		if (u->flights[i].used)
			return true;
	return false;
}

void queue_reset(struct vtdu *u)
{
	uint32_t i;

	for (i = 0; i < u->nr_flights; i++)
		u->flights[i].used = false;
	u->nr_waits = 0;
	u->wait_first = 0;
	u->fenced = false;
	u->qi_stop = false;
}

/* QIE was cleared: stop when there is nothing left to do. */
void queue_disable(struct vtdu *u)
{
	u->qi_stop = true;
	if (!is_empty(u) || u->nr_waits || in_flight(u))
		return;
	u->qi_stop = false;
	set64(u, IQH_REG, 0);
	set32(u, GSTS_REG, get32(u, GSTS_REG) & ~GCMD_QIE);
}

static void queue_error(struct vtdu *u, enum vtd_iqei iqei, const uint64_t *qw)
{
	log_add(u, VTDU_LOG_QI_ERROR, iqei, 0, qw, desc_words(u));
	set64(u, IQERCD_REG, (get64(u, IQERCD_REG) & ~0xfULL) | iqei);
	fault_condition(u, FSTS_IQE);
}

/*
 * Device-TLB invalidations and waits
 */

static void complete_wait(struct vtdu *u, const uint64_t *qw)
{
	uint8_t data[4];
	unsigned int i;
	uint32_t ics;

	if (qw[0] & QI_WAIT_SW) {
		uint64_t at = qw[1] & ~u->addr_rsvd;

		for (i = 0; i < 4; i++)
			data[i] = qw[0] >> (32 + 8 * i) & 0xff;
		/* Nobody is told if there is no memory (6.5.2.9: undefined). */
		u->ops.write(u->opaque, at, data, sizeof(data));
	}
	if (qw[0] & QI_WAIT_IF) {
		ics = get32(u, ICS_REG);
		set32(u, ICS_REG, ics | ICS_IWC);
		event_raise(u, VTDU_EVENT_COMPLETION, ics & ICS_IWC);
	}
}

static bool flights_before(const struct vtdu *u, uint64_t seq)
{
	uint32_t i;

	for (i = 0; i < u->nr_flights; i++)
		if (u->flights[i].used && u->flights[i].seq < seq)
			return true;
	return false;
}

static void complete_waits(struct vtdu *u)
{
	while (u->nr_waits) {
		struct pending_wait w = u->waits[u->wait_first];

		if (flights_before(u, w.seq))
			return;
		u->wait_first = (u->wait_first + 1) % u->nr_flights;
		u->nr_waits--;
		if (!u->nr_waits)
			u->fenced = false;
		complete_wait(u, w.qw);
	}
	if (u->qi_stop)
		queue_disable(u);
}

static struct flight *find_flight(struct vtdu *u, uint32_t tag)
{
	uint32_t i = tag & ((1u << TAG_BITS) - 1);

	if (i >= u->nr_flights || !u->flights[i].used ||
	    u->flights[i].generation != tag >> TAG_BITS)
		return NULL;
	return &u->flights[i];
}

static struct flight *free_flight(struct vtdu *u)
{
	uint32_t i;

	for (i = 0; i < u->nr_flights; i++)
		if (!u->flights[i].used)
			return &u->flights[i];
	return NULL;
}

bool vtdu_devtlb_done(struct vtdu *u, uint32_t tag)
{
	struct flight *f = find_flight(u, tag);
	uint64_t qw = tag;

	if (!f)
		return false;
	log_add(u, VTDU_LOG_DEVTLB, 0, f->sid, &qw, 1);
	f->used = false;
	complete_waits(u);
	return true;
}

bool vtdu_devtlb_timeout(struct vtdu *u, uint32_t tag)
{
	struct flight *f = find_flight(u, tag);
	uint64_t qw = tag, iqercd = get64(u, IQERCD_REG);

	if (!f)
		return false;
	log_add(u, VTDU_LOG_DEVTLB, 1, f->sid, &qw, 1);
	f->used = false;
	u->nr_waits = 0;
	u->fenced = false;
	if (!(get32(u, FSTS_REG) & FSTS_ITE))
		set64(u, IQERCD_REG, (iqercd & ~VTD_MASK(47, 32)) |
				     (uint64_t)f->sid << 32);
	fault_condition(u, FSTS_ITE);
	complete_waits(u);
	return true;
}

void vtdu_devtlb_unexpected(struct vtdu *u, uint16_t sid)
{
	uint64_t iqercd = get64(u, IQERCD_REG);

	if (!(u->cfg.ecap & ECAP_DT))
		return;
	if (!(get32(u, FSTS_REG) & FSTS_ICE))
		set64(u, IQERCD_REG, (iqercd & ~VTD_MASK(63, 48)) |
				     (uint64_t)sid << 48);
	fault_condition(u, FSTS_ICE);
}

/* The range of a device-TLB invalidation as ATS encodes it */
static void decode_range(uint64_t addr, bool s, struct vtdu_devtlb *inv)
{
	unsigned int bit;

	inv->addr = addr;
	inv->size = 1ULL << PAGE_LG2;
	if (!s)
		return;
	for (bit = PAGE_LG2; bit < 64 && addr >> bit & 1; bit++)
		;
	/* Bit 63 clear below ones only, or no bit clear: all there is */
	inv->size = bit >= 63 ? 0 : 2ULL << bit;
	inv->addr = bit >= 63 ? 0 : addr & ~(inv->size - 1);
}

static void send_devtlb(struct vtdu *u, struct flight *f,
			const struct vtdu_devtlb *inv)
{
	uint32_t tag;

	f->used = true;
	f->sid = inv->sid;
	f->generation = (f->generation + 1) & ((1u << (32 - TAG_BITS)) - 1);
	f->seq = u->flight_seq++;
	tag = f->generation << TAG_BITS | (uint32_t)(f - u->flights);
	if (u->ops.devtlb)
		u->ops.devtlb(u->opaque, tag, inv);
	else
		vtdu_devtlb_done(u, tag);
}

/*
 * Descriptors. Each function returns an error, or IQEI_NONE when it is done.
 */

static enum vtd_iqei do_context(struct vtdu *u, const uint64_t *qw)
{
	struct vtdu_inval inv = {
		.kind = VTDU_INVAL_CONTEXT,
		.g = VTD_FIELD(qw[0], 5, 4),
		.fm = VTD_FIELD(qw[0], 49, 48),
		.did = VTD_FIELD(qw[0], 31, 16) & u->did_mask,
		.sid = VTD_FIELD(qw[0], 47, 32),
	};

	if (qw[0] & (VTD_MASK(63, 50) | VTD_MASK(15, 12) | VTD_MASK(8, 6)) ||
	    qw[1] || !inv.g)
		return IQEI_RESERVED;
	inval_run(u, &inv);
	return IQEI_NONE;
}

/* A mask that is too large covers more than any page: the whole domain. */
static bool too_large(struct vtdu *u, const struct vtdu_inval *inv)
{
	if (inv->am <= CAP_MAMV(u->cfg.cap))
		return false;
	misuse(u, VTDU_MISUSE_AM, inv->addr | inv->am);
	return true;
}

static enum vtd_iqei do_iotlb(struct vtdu *u, const uint64_t *qw)
{
	struct vtdu_inval inv = {
		.kind = VTDU_INVAL_IOTLB,
		.g = VTD_FIELD(qw[0], 5, 4),
		.did = VTD_FIELD(qw[0], 31, 16) & u->did_mask,
		.am = IVA_AM(qw[1]),
		.ih = qw[1] & IVA_IH,
		.addr = qw[1] & ~0xfffULL,
	};

	if (qw[0] & (VTD_MASK(63, 32) | VTD_MASK(15, 12) | VTD_BIT(8)) ||
	    qw[1] & VTD_MASK(11, 7) || !inv.g ||
	    (inv.g == G_NARROW && !(u->cfg.cap & CAP_PSI)))
		return IQEI_RESERVED;
	if (inv.g == G_NARROW && too_large(u, &inv))
		inv.g = G_DOMAIN;
	inval_run(u, &inv);
	return IQEI_NONE;
}

static enum vtd_iqei do_piotlb(struct vtdu *u, const uint64_t *qw)
{
	struct vtdu_inval inv = {
		.kind = VTDU_INVAL_PASID_IOTLB,
		.g = VTD_FIELD(qw[0], 5, 4),
		.did = VTD_FIELD(qw[0], 31, 16) & u->did_mask,
		.pasid = VTD_FIELD(qw[0], 51, 32),
		.am = IVA_AM(qw[1]),
		.ih = qw[1] & IVA_IH,
		.addr = qw[1] & ~0xfffULL,
	};

	if (qw[0] & (VTD_MASK(63, 52) | VTD_MASK(15, 12) | VTD_MASK(8, 6)) ||
	    qw[1] & VTD_MASK(11, 7) || inv.g < G_PASID)
		return IQEI_RESERVED;
	if (inv.g == G_PASID_PAGES && too_large(u, &inv))
		inv.g = G_PASID;
	inval_run(u, &inv);
	return IQEI_NONE;
}

static enum vtd_iqei do_pasid(struct vtdu *u, const uint64_t *qw)
{
	struct vtdu_inval inv = {
		.kind = VTDU_INVAL_PASID_CACHE,
		.g = VTD_FIELD(qw[0], 5, 4),
		.did = VTD_FIELD(qw[0], 31, 16) & u->did_mask,
		.pasid = VTD_FIELD(qw[0], 51, 32),
	};

	if (qw[0] & (VTD_MASK(63, 52) | VTD_MASK(15, 12) | VTD_MASK(8, 6)) ||
	    qw[1] || inv.g == 2)
		return IQEI_RESERVED;
	inval_run(u, &inv);
	return IQEI_NONE;
}

static enum vtd_iqei do_devtlb(struct vtdu *u, const uint64_t *qw,
			       struct flight *f)
{
	uint64_t pfsid = VTD_MASK(63, 52) | VTD_MASK(15, 12);
	struct vtdu_devtlb inv = {
		.sid = VTD_FIELD(qw[0], 47, 32),
		.pfsid = VTD_FIELD(qw[0], 63, 52) << 4 |
			 VTD_FIELD(qw[0], 15, 12),
		.mip = VTD_FIELD(qw[0], 20, 16),
	};

	if (qw[0] & (VTD_MASK(51, 48) | VTD_MASK(31, 21) | VTD_MASK(8, 4)) ||
	    qw[1] & VTD_MASK(11, 1) ||
	    (qw[0] & pfsid && !(u->cfg.ecap & ECAP_DIT)))
		return IQEI_RESERVED;
	decode_range(qw[1] & ~0xfffULL, qw[1] & 1, &inv);
	send_devtlb(u, f, &inv);
	return IQEI_NONE;
}

static enum vtd_iqei do_pdevtlb(struct vtdu *u, const uint64_t *qw,
				struct flight *f)
{
	uint64_t pfsid = VTD_MASK(63, 52) | VTD_MASK(15, 12);
	struct vtdu_devtlb inv = {
		.sid = VTD_FIELD(qw[0], 31, 16),
		.pfsid = VTD_FIELD(qw[0], 63, 52) << 4 |
			 VTD_FIELD(qw[0], 15, 12),
		.mip = VTD_FIELD(qw[0], 8, 4),
		.has_pasid = true,
		.global = qw[1] & 1,
		.pasid = VTD_FIELD(qw[0], 51, 32),
	};

	if (qw[1] & VTD_MASK(10, 1) ||
	    (qw[0] & pfsid && !(u->cfg.ecap & ECAP_DIT)))
		return IQEI_RESERVED;
	decode_range(qw[1] & ~0xfffULL, qw[1] & VTD_BIT(11), &inv);
	send_devtlb(u, f, &inv);
	return IQEI_NONE;
}

static enum vtd_iqei do_wait(struct vtdu *u, const uint64_t *qw)
{
	struct pending_wait *w;

	if (qw[0] & (VTD_MASK(31, 12) | VTD_BIT(8)) || qw[1] & 3 ||
	    (qw[0] & QI_WAIT_PD && !(u->cfg.ecap & ECAP_PDS)))
		return IQEI_RESERVED;
	w = &u->waits[(u->wait_first + u->nr_waits) % u->nr_flights];
	w->qw[0] = qw[0];
	w->qw[1] = qw[1];
	w->seq = u->flight_seq;
	u->nr_waits++;
	u->fenced = qw[0] & QI_WAIT_FN;
	complete_waits(u);
	return IQEI_NONE;
}

static enum vtd_iqei do_iec(const uint64_t *qw)
{
	/* There is no interrupt entry cache. */
	if (qw[0] & (VTD_MASK(63, 48) | VTD_MASK(26, 12) | VTD_MASK(8, 5)) ||
	    qw[1])
		return IQEI_RESERVED;
	return IQEI_NONE;
}

static enum vtd_iqei do_response(struct vtdu *u, const uint64_t *qw)
{
	struct vtdu_page_response r = {
		.sid = VTD_FIELD(qw[0], 31, 16),
		.has_pasid = qw[0] & VTD_BIT(4),
		.pasid = VTD_FIELD(qw[0], 51, 32),
		.index = VTD_FIELD(qw[1], 11, 3),
		.code = VTD_FIELD(qw[0], 15, 12),
	};

	/* Bit 2 of the second word is ignored, for older software. */
	if (qw[0] & (VTD_MASK(63, 52) | VTD_MASK(8, 5)) ||
	    qw[1] & (VTD_MASK(63, 12) | 3))
		return IQEI_RESERVED;
	if (!r.has_pasid)
		r.pasid = 0;
	prq_respond(u, &r);
	return IQEI_NONE;
}

/* Is there a descriptor of that type (table 26 and 6.5.2.x)? */
static bool type_valid(const struct vtdu *u, unsigned int type)
{
	bool wide = get64(u, IQA_REG) & IQA_DW &&
		    RTADDR_TTM(u->root) != TTM_LEGACY;

	switch (type) {
	case QI_CONTEXT:
	case QI_IOTLB:
	case QI_IEC:
	case QI_WAIT:
		return true;
	case QI_DEVTLB:
		return u->cfg.ecap & ECAP_DT;
	case QI_PIOTLB:
	case QI_PASID:
		return wide;
	case QI_PDEVTLB:
		return wide && u->cfg.ecap & ECAP_DT;
	case QI_RESPONSE:
		return wide && u->cfg.ecap & ECAP_PRS;
	default:
		return false;
	}
}

static enum vtd_iqei process(struct vtdu *u, const uint64_t *qw,
			     struct flight *f)
{
	switch (QI_TYPE(qw[0])) {
	case QI_CONTEXT:
		return do_context(u, qw);
	case QI_IOTLB:
		return do_iotlb(u, qw);
	case QI_DEVTLB:
		return do_devtlb(u, qw, f);
	case QI_IEC:
		return do_iec(qw);
	case QI_WAIT:
		return do_wait(u, qw);
	case QI_PIOTLB:
		return do_piotlb(u, qw);
	case QI_PASID:
		return do_pasid(u, qw);
	case QI_PDEVTLB:
		return do_pdevtlb(u, qw, f);
	default:
		return do_response(u, qw);
	}
}

/* What is wrong before a descriptor is looked at (11.4.9.9) */
static enum vtd_iqei check_queue(const struct vtdu *u)
{
	uint64_t iqa = get64(u, IQA_REG);
	bool dw = iqa & IQA_DW;

	switch (RTADDR_TTM(u->root)) {
	case TTM_LEGACY:
		break;
	case TTM_SCALABLE:
		if (!(u->cfg.ecap & ECAP_SMTS))
			return IQEI_TTM;
		if (!dw)
			return IQEI_WIDTH;
		break;
	case TTM_ABORT:
		if (!(u->cfg.ecap & ECAP_ADMS))
			return IQEI_TTM;
		if (!dw)
			return IQEI_WIDTH;
		break;
	default:
		return IQEI_TTM;
	}
	if (dw && !(u->cfg.ecap & (ECAP_SMTS | ECAP_ADMS)))
		return IQEI_WIDTH;
	if (dw && get32(u, IQT_REG) & 0x10)
		return IQEI_TAIL_ALIGN;
	if (get32(u, IQT_REG) >= 4096u << IQA_QS(iqa))
		return IQEI_TAIL;
	return IQEI_NONE;
}

static bool runnable(const struct vtdu *u)
{
	return get32(u, GSTS_REG) & GCMD_QIE && !is_empty(u) && !u->fenced &&
	       !(get32(u, FSTS_REG) & (FSTS_IQE | FSTS_ITE)) &&
	       u->nr_waits < u->nr_flights;
}

/* Process a descriptor; false: there is none to process now. */
static bool step(struct vtdu *u)
{
	uint64_t qw[4] = { 0 }, iqa = get64(u, IQA_REG);
	unsigned int n = desc_words(u), type;
	uint32_t head = get32(u, IQH_REG);
	struct flight *f = NULL;
	enum vtd_iqei iqei;

	if (!runnable(u))
		return false;
	iqei = check_queue(u);
	/* IQA may have been made smaller under the queue. */
	if (!iqei && head >= 4096u << IQA_QS(iqa))
		iqei = IQEI_TAIL;
	if (!iqei && !mem_read(u, (iqa & ~0xfffULL) + head, qw, n))
		iqei = IQEI_FETCH;
	if (iqei) {
		queue_error(u, iqei, qw);
		return false;
	}

	type = QI_TYPE(qw[0]);
	if (type_valid(u, type)) {
		if (type == QI_DEVTLB || type == QI_PDEVTLB) {
			f = free_flight(u);
			if (!f)
				return false;
		}
		/* The unit may call back, and be asked for its head. */
		iqei = qw[2] | qw[3] ? IQEI_RESERVED : IQEI_NONE;
		u->stats.descriptors[type]++;
		log_add(u, VTDU_LOG_DESC, (uint16_t)type, 0, qw, n);
		if (!iqei)
			iqei = process(u, qw, f);
	} else {
		u->stats.descriptors[0]++;
		iqei = IQEI_TYPE;
	}
	if (iqei) {
		queue_error(u, iqei, qw);
		return false;
	}
	head = (head + n * 8) & ((4096u << IQA_QS(iqa)) - 1);
	set64(u, IQH_REG, head);
	return true;
}

bool vtdu_run(struct vtdu *u, unsigned int budget)
{
	bool more = true;

	while (more && budget--)
		more = step(u);
	if (u->qi_stop)
		queue_disable(u);
	return more && runnable(u);
}
