// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An endpoint's device TLB. It gives nothing up but for an invalidation that
 * names it, or for want of room.
 */
#include <string.h>
#include "hw.h"

static uint64_t lg2_bytes(unsigned int lg2)
{
	return lg2 < 64 ? 1ULL << lg2 : 0;
}

static bool covers(const struct atc_entry *e, uint64_t addr)
{
	return (addr ^ e->addr) < lg2_bytes(e->lg2) || e->lg2 >= 64;
}

static struct atc_entry *find(struct ep *ep, const struct queue *q, uint64_t addr)
{
	bool has_pasid = q->ctrl & HQ_CTRL_PASID_EN;
	unsigned int i;

	for (i = 0; i < HW_ATC_SIZE; i++) {
		struct atc_entry *e = &ep->atc[i];

		if (e->valid && e->has_pasid == has_pasid &&
		    (!has_pasid || (e->pasid == HQ_CTRL_PASID(q->ctrl) &&
				    e->priv == !!(q->ctrl & HQ_CTRL_PRIV))) &&
		    covers(e, addr))
			return e;
	}
	return NULL;
}

static void store(struct ep *ep, const struct vtdu_request *request,
		  const struct vtdu_result *result)
{
	uint64_t inside = lg2_bytes(result->page_lg2) - 1;
	struct atc_entry *e = NULL;
	unsigned int i;

	for (i = 0; i < HW_ATC_SIZE && !e; i++)
		if (!ep->atc[i].valid)
			e = &ep->atc[i];
	if (!e) {
		e = &ep->atc[ep->atc_next++ % HW_ATC_SIZE];
	}
	*e = (struct atc_entry) {
		.valid = true,
		.has_pasid = request->has_pasid,
		.priv = request->priv,
		.untranslated_only = result->untranslated_only,
		.perm = result->perm,
		.lg2 = result->page_lg2,
		.pasid = request->pasid,
		.addr = request->addr & ~inside,
		.to = result->addr & ~inside,
	};
}

uint32_t atc_translate(struct ep *ep, struct queue *q, uint64_t addr,
		       uint8_t access, struct vtdu_result *result)
{
	struct vtdu_request request = {
		.sid = ep->addr,
		.has_pasid = q->ctrl & HQ_CTRL_PASID_EN,
		.priv = (q->ctrl & HQ_CTRL_PASID_EN) && (q->ctrl & HQ_CTRL_PRIV),
		.at = VTDU_AT_TRANSLATION,
		.access = access | VTDU_READ,
		.pasid = HQ_CTRL_PASID(q->ctrl),
		.addr = addr & ~0xfffULL,
	};
	struct atc_entry *e;

	if (!ep_has(ep, HW_HAS_ATS)) {
		q->reason = HQ_E_ATS;
		return HQ_ERROR;
	}
	e = find(ep, q, addr);
	if (e && (e->perm & access) == access) {
		ep->atc_hits++;
		memset(result, 0, sizeof(*result));
		result->page_lg2 = e->lg2;
		result->perm = e->perm;
		result->untranslated_only = e->untranslated_only;
		result->addr = e->to | (addr & (lg2_bytes(e->lg2) - 1));
		result->mode = VTDU_MODE_NONE;
		result->cached = true;
		return HQ_OK;
	}
	ep->atc_misses++;
	unit_translate(ep->unit, &request, result);
	if (result->outcome != VTDU_OK) {
		q->reason = result->fault |
			    (result->outcome == VTDU_CA ? HQ_CA : HQ_UR) << 8 |
			    (uint32_t)result->recorded << 16;
		return HQ_FAULT;
	}
	result->cached = false;
	if (result->fault)
		result->perm = 0;
	/* What permits nothing is never cached (PCIe, ATS). */
	if (!result->perm)
		return HQ_OK;
	if (e)
		e->valid = false;
	store(ep, &request, result);
	result->addr |= addr & 0xfff;
	return HQ_OK;
}

void atc_clear(struct ep *ep)
{
	memset(ep->atc, 0, sizeof(ep->atc));
}

unsigned int atc_entries(const struct ep *ep)
{
	unsigned int i, n = 0;

	for (i = 0; i < HW_ATC_SIZE; i++)
		n += ep->atc[i].valid;
	return n;
}

void atc_invalidate(struct ep *ep, const struct vtdu_devtlb *inv)
{
	unsigned int i;

	ep->atc_invalidations++;
	if (ep->misbehave & HW_MIS_INV_KEEP)
		return;
	for (i = 0; i < HW_ATC_SIZE; i++) {
		struct atc_entry *e = &ep->atc[i];
		uint64_t lo = e->addr, bytes = lg2_bytes(e->lg2);

		if (!e->valid || e->has_pasid != inv->has_pasid)
			continue;
		if (inv->has_pasid && !inv->global && e->pasid != inv->pasid)
			continue;
		/* Two aligned powers of two overlap if one contains the other. */
		if (inv->size && (lo ^ inv->addr) >= inv->size &&
		    (lo ^ inv->addr) >= bytes)
			continue;
		e->valid = false;
		ep->atc_flushed++;
	}
}
