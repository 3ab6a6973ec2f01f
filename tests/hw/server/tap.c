// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The tap: what a test can learn from the unit in front of an endpoint, and what
 * it can make it do.
 */
#include <string.h>
#include "hw.h"

_Static_assert(sizeof(struct vtdu_log) == 48, "the guest knows its layout");
_Static_assert(sizeof(struct vtdu_stats) <= HW_BAR2_BYTES - HT_STATS,
	       "the counters fit");

/* The number that the unit's next entry will have. */
static uint64_t log_end(struct unit *unit)
{
	struct vtdu_log entry;

	while (vtdu_log_next(unit->u, &unit->log_end, &entry))
		;
	return unit->log_end;
}

/* Fill @page in, which is the whole BAR. */
static void image(const struct ep *ep, uint8_t *page)
{
	struct unit *unit = ep->unit;
	uint32_t word[5];
	uint64_t end;
	unsigned int i;

	memset(page, 0, HW_BAR2_BYTES);
	if (!unit)
		return;
	word[0] = HT_ID_VALUE;
	word[1] = unit->ignore;
	word[2] = unit->delay_us;
	memcpy(page + HT_ID, word, 12);
	memcpy(page + HT_CAP, &unit->config.cap, 8);
	memcpy(page + HT_ECAP, &unit->config.ecap, 8);
	memcpy(page + HT_LOG_FOUND, &ep->log_found, 4);
	memcpy(page + HT_LOG_NEXT, &ep->log_next, 8);
	end = log_end(unit);
	memcpy(page + HT_LOG_END, &end, 8);
	memcpy(page + HT_LOG_ENTRY, &ep->log, sizeof(ep->log));
	for (i = 0; i < 4; i++)
		word[i] = vtdu_cached(unit->u, i);
	word[4] = unit->refused + unit->vu.refused;
	memcpy(page + HT_CACHED, word, 20);
	memcpy(page + HT_IGNORED, unit->ignored, sizeof(unit->ignored));
	memcpy(page + HT_STATS, vtdu_stats(unit->u), sizeof(struct vtdu_stats));
}

/**
 * tap_read() - software reads BAR 2
 * @ep: the endpoint
 * @off: offset; the range is inside the BAR
 * @buf: receives it
 * @bytes: how much
 */
void tap_read(struct ep *ep, uint32_t off, void *buf, uint32_t bytes)
{
	uint8_t page[HW_BAR2_BYTES];

	image(ep, page);
	memcpy(buf, page + off, bytes);
}

/**
 * tap_write() - software writes BAR 2
 * @ep: the endpoint
 * @off: offset
 * @value: what
 */
void tap_write(struct ep *ep, uint32_t off, uint64_t value)
{
	struct unit *unit = ep->unit;

	if (!unit)
		return;
	switch (off) {
	case HT_IGNORE:
		unit->ignore = (uint32_t)value & 0xffff;
		break;
	case HT_DELAY_US:
		unit->delay_us = (uint32_t)value;
		break;
	case HT_LOG_SEQ:
		ep->log_next = value;
		memset(&ep->log, 0, sizeof(ep->log));
		ep->log_found = vtdu_log_next(unit->u, &ep->log_next, &ep->log);
		break;
	}
}
