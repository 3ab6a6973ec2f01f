// SPDX-License-Identifier: LGPL-2.1-or-later
/* Recording faults, and the three event interrupts (7.1 to 7.5, 6.5.2.10). */
#include "unit.h"

/* what becomes of a request of each kind (7.1.3) */
enum answer {
	UR,
	CA,
	QUIET,		/* success without permission; not reported */
	LOUD,		/* the same, but reported */
};

struct condition {
	uint8_t code;
	bool qualified;		/* FPD suppresses it */
	uint8_t translation;	/* enum answer to a translation request */
	uint8_t translated;	/* to a translated request */
};

static const struct condition conditions[] = {
	{ LRT_1, false, CA, UR },	{ LRT_2, false, UR, UR },
	{ LRT_3, false, CA, UR },	{ LCT_1, false, CA, UR },
	{ LCT_2, true, UR, UR },	{ LCT_3, true, CA, UR },
	{ LCT_4, true, CA, UR },	{ LCT_5, true, UR, UR },
	{ LSS_1, true, CA, UR },	{ LSS_2, true, CA, UR },
	{ LGN_1, true, QUIET, UR },	{ LGN_2, true, QUIET, UR },
	{ LGN_3, true, QUIET, UR },	{ LGN_4, true, CA, UR },
	{ RTA_1, false, CA, UR },	{ RTA_2, false, UR, UR },
	{ RTA_3, false, UR, UR },	{ RTA_4, false, UR, UR },
	{ RTA_5, false, UR, UR },
	{ SRT_1, false, CA, UR },	{ SRT_2, false, UR, UR },
	{ SRT_3, false, CA, UR },
	{ SCT_1, false, CA, UR },	{ SCT_2, true, UR, UR },
	{ SCT_3, true, CA, UR },	{ SCT_4, true, CA, UR },
	{ SCT_5, true, UR, UR },	{ SCT_6, true, UR, UR },
	{ SCT_7, true, UR, UR },	{ SCT_8, true, UR, UR },
	{ SCT_9, true, UR, UR },	{ SCT_10, true, UR, UR },
	{ SPD_1, false, CA, CA },	{ SPD_2, true, QUIET, UR },
	{ SPD_3, true, CA, CA },
	{ SPT_1, false, CA, CA },	{ SPT_2, true, QUIET, UR },
	{ SPT_3, true, CA, CA },	{ SPT_4, true, CA, CA },
	{ SPT_5, true, QUIET, UR },	{ SPT_6, true, QUIET, UR },
	{ SFS_1, true, QUIET, UR },	{ SFS_2, true, QUIET, UR },
	{ SFS_3, true, QUIET, UR },	{ SFS_4, true, QUIET, UR },
	{ SFS_5, true, QUIET, UR },	{ SFS_6, true, QUIET, UR },
	{ SFS_7, true, QUIET, UR },	{ SFS_8, true, QUIET, UR },
	{ SFS_9, true, QUIET, UR },	{ SFS_10, true, LOUD, UR },
	{ SSS_1, true, CA, UR },	{ SSS_2, true, QUIET, UR },
	{ SSS_3, true, CA, UR },	{ SSS_4, true, CA, UR },
	{ SSS_5, true, CA, UR },	{ SSS_6, true, CA, UR },
	{ SGN_1, true, QUIET, UR },	{ SGN_2, true, QUIET, UR },
	{ SGN_3, true, QUIET, UR },	{ SGN_4, true, QUIET, UR },
	{ SGN_5, true, QUIET, UR },	{ SGN_6, true, QUIET, UR },
	{ SGN_7, true, QUIET, UR },	{ SGN_8, true, CA, UR },
	{ SGN_10, true, UR, UR },
};

static const struct condition *find_condition(uint8_t code)
{
	unsigned int i;

	for (i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (conditions[i].code == code)
			return &conditions[i];
	return NULL;
}

bool fault_qualified(uint8_t code)
{
	const struct condition *c = find_condition(code);

	return !c || c->qualified;
}

/*
 * Outcome of a request of type @at with fault @code. @recoverable: it succeeds
 * without permission. @report: it goes to a fault recording register.
 */
uint8_t fault_outcome(uint8_t code, uint8_t at, bool *recoverable, bool *report)
{
	const struct condition *c = find_condition(code);
	uint8_t answer = UR;

	if (c && at == VTDU_AT_TRANSLATION)
		answer = c->translation;
	else if (c && at == VTDU_AT_TRANSLATED)
		answer = c->translated;
	*recoverable = answer == QUIET || answer == LOUD;
	*report = answer != QUIET;
	if (*recoverable)
		return VTDU_OK;
	return answer == CA ? VTDU_CA : VTDU_UR;
}

/*
 * Events
 */

uint32_t event_ctl(enum vtdu_event event)
{
	switch (event) {
	case VTDU_EVENT_FAULT:
		return FECTL_REG;
	case VTDU_EVENT_COMPLETION:
		return IECTL_REG;
	case VTDU_EVENT_PAGE_REQUEST:
		break;
	}
	return PECTL_REG;
}

/* CTL, DATA, ADDR and UADDR follow each other in all three. */
static void event_send(struct vtdu *u, enum vtdu_event event)
{
	uint32_t ctl = event_ctl(event);
	uint64_t msg[2];

	set32(u, ctl, get32(u, ctl) & ~EVENT_IP);
	msg[0] = get32(u, ctl + 8) | (uint64_t)get32(u, ctl + 12) << 32;
	msg[1] = get32(u, ctl + 4);
	u->stats.messages[event]++;
	log_add(u, VTDU_LOG_MSI, event, 0, msg, 2);
	if ((msg[0] & 0xffffffff) >> 20 != INTERRUPT_BASE >> 20)
		misuse(u, VTDU_MISUSE_EVENT_ADDR, msg[0]);
	if (u->ops.msi)
		u->ops.msi(u->opaque, event, msg[0], (uint32_t)msg[1]);
}

/* @was: a condition that software has not serviced yet was there already. */
void event_raise(struct vtdu *u, enum vtdu_event event, bool was)
{
	uint32_t ctl = event_ctl(event);

	if (was)
		return;
	set32(u, ctl, get32(u, ctl) | EVENT_IP);
	if (!(get32(u, ctl) & EVENT_IM))
		event_send(u, event);
}

/* IM was written. */
void event_unmask(struct vtdu *u, enum vtdu_event event)
{
	uint32_t ctl = get32(u, event_ctl(event));

	if (ctl & EVENT_IP && !(ctl & EVENT_IM))
		event_send(u, event);
}

/* No condition is left: nothing is pending any more. */
void event_serviced(struct vtdu *u, enum vtdu_event event)
{
	uint32_t ctl = event_ctl(event);

	set32(u, ctl, get32(u, ctl) & ~EVENT_IP);
}

/* Set the bits @fsts of FSTS, each a condition of the fault event. */
void fault_condition(struct vtdu *u, uint32_t fsts)
{
	uint32_t old = get32(u, FSTS_REG);

	set32(u, FSTS_REG, old | fsts);
	event_raise(u, VTDU_EVENT_FAULT, old & FSTS_CONDITIONS);
}

/* FSTS or an F bit was written: PPF follows F. */
void fault_serviced(struct vtdu *u)
{
	uint32_t fsts = get32(u, FSTS_REG) & ~FSTS_PPF;
	uint32_t fro = CAP_FRO(u->cfg.cap);
	unsigned int i;

	for (i = 0; i < CAP_NFR(u->cfg.cap); i++)
		if (get64(u, fro + i * 16 + 8) & FRCD_F)
			fsts |= FSTS_PPF;
	if (!(fsts & FSTS_PPF))
		fsts &= 0xff;		/* FRI is undefined: 0 */
	set32(u, FSTS_REG, fsts);
	if (!(fsts & FSTS_CONDITIONS))
		event_serviced(u, VTDU_EVENT_FAULT);
}

static void fill_record(const struct vtdu *u, const struct fault_info *f,
			uint8_t code, uint64_t record[2])
{
	const struct vtdu_request *r = f->request;
	uint64_t hi = FRCD_F | FRCD_FR(code) | r->sid;

	if (f->page_request)
		hi |= FRCD_T2;
	else if (r->at == VTDU_AT_TRANSLATION)
		hi |= FRCD_T1;
	else if (r->access & VTDU_WRITE)
		hi |= r->access & VTDU_READ ? FRCD_T1 | FRCD_T2 : 0;
	else
		hi |= FRCD_T1;
	if (u->cfg.ecap & ECAP_DT && !f->page_request)
		hi |= FRCD_AT(r->at & 3);
	if (u->cfg.ecap & ECAP_PASID && r->has_pasid) {
		hi |= FRCD_PP | FRCD_PV(r->pasid & 0xfffff);
		if (r->priv)
			hi |= FRCD_PRIV;
		if (r->access & VTDU_EXEC)
			hi |= FRCD_EXE;
	}
	record[0] = r->addr & u->frcd_fi;
	record[1] = hi;
}

/*
 * Record a fault (7.2.1). Returns whether software can see it: in a register, or
 * as an overflow.
 */
bool fault_record(struct vtdu *u, const struct fault_info *f, uint8_t code)
{
	bool visible = !(f->fpd && fault_qualified(code));
	uint32_t fsts = get32(u, FSTS_REG), condition = 0, at;
	uint64_t record[2];

	u->stats.faults++;
	fill_record(u, f, code, record);
	log_add(u, VTDU_LOG_FAULT, code, visible, record, 2);
	if (!visible || fsts & FSTS_PFO)
		return visible;

	at = CAP_FRO(u->cfg.cap) + u->next_frcd * 16u;
	if (get64(u, at + 8) & FRCD_F) {
		condition = FSTS_PFO;
	} else {
		condition = FSTS_PPF;
		set64(u, at, record[0]);
		set64(u, at + 8, record[1]);
		if (!(fsts & FSTS_PPF))
			set32(u, FSTS_REG, (fsts & 0xff) |
			      (uint32_t)u->next_frcd << FSTS_FRI_SHIFT);
		u->next_frcd = (u->next_frcd + 1) % CAP_NFR(u->cfg.cap);
	}
	fault_condition(u, condition);
	return true;
}
