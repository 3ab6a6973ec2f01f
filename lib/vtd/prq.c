// SPDX-License-Identifier: LGPL-2.1-or-later
/* Page requests and their answers (7.4 to 7.6). */
#include "unit.h"

static uint32_t queue_mask(const struct vtdu *u)
{
	return (4096u << PQA_PQS(get64(u, PQA_REG))) - 1;
}

static bool is_empty(const struct vtdu *u)
{
	return get32(u, PQH_REG) == get32(u, PQT_REG);
}

void prq_respond(struct vtdu *u, const struct vtdu_page_response *response)
{
	if (u->ops.page_response)
		u->ops.page_response(u->opaque, response);
}

/* PRS, PQH, PQT or PQA was written; its low word was @old. */
void prq_written(struct vtdu *u, uint32_t offset, uint64_t old)
{
	uint32_t mask = queue_mask(u), tail = get32(u, PQT_REG);

	switch (offset) {
	case PRS_REG:
		if (old & PRS_PRO && !(get32(u, PRS_REG) & PRS_PRO) &&
		    !is_empty(u))
			misuse(u, VTDU_MISUSE_PRO, tail);
		return;
	case PQH_REG:
		/* From where it was on, the new head comes before the tail. */
		if (((get32(u, PQH_REG) - old) & mask) > ((tail - old) & mask))
			misuse(u, VTDU_MISUSE_PRQ, get32(u, PQH_REG));
		return;
	case PQT_REG:
		if (old != get32(u, PQH_REG))
			misuse(u, VTDU_MISUSE_PRQ, tail);
		return;
	case PQA_REG:
		if (!is_empty(u))
			misuse(u, VTDU_MISUSE_PRQ, get64(u, PQA_REG));
		return;
	}
}

static bool is_stop_marker(const struct vtdu_page_request *r)
{
	return r->last && !r->read && !r->write;
}

/* Answer for software, if there is to be an answer. */
static enum vtdu_page_outcome refuse(struct vtdu *u,
				     const struct vtdu_page_request *r,
				     uint8_t code)
{
	struct vtdu_page_response response = {
		.sid = r->sid,
		.has_pasid = r->has_pasid,
		.pasid = r->has_pasid ? r->pasid & 0xfffff : 0,
		.index = r->index & 0x1ff,
		.code = code,
		.automatic = true,
	};

	if (!r->last || is_stop_marker(r))
		return VTDU_PAGE_DROPPED;
	prq_respond(u, &response);
	return VTDU_PAGE_ANSWERED;
}

static void encode(const struct vtdu_page_request *r, uint64_t *qw)
{
	qw[0] = 1 | (uint64_t)r->sid << 16;
	if (r->has_pasid)
		qw[0] |= VTD_BIT(8) | (uint64_t)(r->pasid & 0xfffff) << 32 |
			 (uint64_t)r->exec << 52 | (uint64_t)r->priv << 53;
	qw[1] = (uint64_t)r->read | (uint64_t)r->write << 1 |
		(uint64_t)r->last << 2 | (uint64_t)(r->index & 0x1ff) << 3 |
		(r->addr & ~0xfffULL);
	qw[2] = 0;
	qw[3] = 0;
}

/* Set @bits of PRS, each a condition of the event. */
static void condition(struct vtdu *u, uint32_t bits)
{
	uint32_t old = get32(u, PRS_REG);

	set32(u, PRS_REG, old | bits);
	event_raise(u, VTDU_EVENT_PAGE_REQUEST, old & (PRS_PPR | PRS_PRO));
}

static uint8_t find_route(struct vtdu *u, const struct vtdu_page_request *r,
			  struct route *route)
{
	struct vtdu_request request = {
		.sid = r->sid,
		.has_pasid = r->has_pasid,
		.priv = r->priv,
		.access = (r->read ? VTDU_READ : 0) |
			  (r->write ? VTDU_WRITE : 0) |
			  (r->exec ? VTDU_EXEC : 0),
		.pasid = r->pasid & 0xfffff,
		.addr = r->addr,
	};
	struct fault_info f = { .request = &request, .page_request = true };

	context_route(u, &request, true, route);
	if (route->fault) {
		f.fpd = route->fpd;
		fault_record(u, &f, route->fault);
	}
	return route->fault;
}

static enum vtdu_page_outcome queue(struct vtdu *u,
				    const struct vtdu_page_request *r,
				    const uint64_t *qw)
{
	uint32_t mask = queue_mask(u), tail = get32(u, PQT_REG) & mask;
	uint32_t next = (tail + 32) & mask;
	struct route route;

	if (!(get32(u, GSTS_REG) & GCMD_TE) || !(u->cfg.ecap & ECAP_PRS))
		return refuse(u, r, VTDU_RESPONSE_INVALID);
	if (find_route(u, r, &route))
		return refuse(u, r, VTDU_RESPONSE_INVALID);
	if (get32(u, PRS_REG) & PRS_PRO)
		return refuse(u, r, VTDU_RESPONSE_SUCCESS);
	/* A queue that cannot be written is full, too. */
	if (next == (get32(u, PQH_REG) & mask) ||
	    !mem_write(u, (get64(u, PQA_REG) & ~0xfffULL) + tail, qw, 4)) {
		condition(u, PRS_PRO);
		return refuse(u, r, VTDU_RESPONSE_SUCCESS);
	}
	inval_page_request(u, &route, r->addr);
	set64(u, PQT_REG, next);
	condition(u, PRS_PPR);
	return VTDU_PAGE_QUEUED;
}

enum vtdu_page_outcome vtdu_page_request(struct vtdu *u,
				const struct vtdu_page_request *request)
{
	enum vtdu_page_outcome outcome;
	uint64_t qw[4];

	encode(request, qw);
	outcome = queue(u, request, qw);
	log_add(u, VTDU_LOG_PAGE_REQUEST, outcome, 0, qw, 4);
	return outcome;
}
