// SPDX-License-Identifier: LGPL-2.1-or-later
/* What happened, for tests and people, and what software did wrong. */
#include "unit.h"

void log_add(struct vtdu *u, enum vtdu_log_kind kind, uint16_t a, uint16_t b,
	     const uint64_t *qw, unsigned int n)
{
	struct vtdu_log *l;
	unsigned int i;

	if (!u->cfg.nr_log)
		return;
	l = &u->log[u->log_seq % u->cfg.nr_log];
	ZERO(l);
	l->seq = u->log_seq++;
	l->kind = kind;
	l->a = a;
	l->b = b;
	for (i = 0; i < n && i < 4; i++)
		l->qw[i] = qw[i];
}

bool vtdu_log_next(const struct vtdu *u, uint64_t *seq, struct vtdu_log *entry)
{
	uint64_t nr = u->cfg.nr_log;

	if (*seq >= u->log_seq)
		return false;
	if (u->log_seq - *seq > nr)
		*seq = u->log_seq - nr;
	*entry = u->log[*seq % nr];
	++*seq;
	return true;
}

void misuse(struct vtdu *u, enum vtdu_misuse m, uint64_t what)
{
	u->stats.misuse[m]++;
	log_add(u, VTDU_LOG_MISUSE, m, 0, &what, 1);
}

const char *vtdu_misuse_name(enum vtdu_misuse misuse)
{
	static const char *const names[VTDU_MISUSE_NR] = {
		[VTDU_MISUSE_ACCESS] = "access",
		[VTDU_MISUSE_GCMD] = "gcmd",
		[VTDU_MISUSE_ROOT] = "root",
		[VTDU_MISUSE_SRTP_FLUSH] = "srtp-flush",
		[VTDU_MISUSE_QI_DW] = "qi-dw",
		[VTDU_MISUSE_QI_LIVE] = "qi-live",
		[VTDU_MISUSE_REG_INVAL] = "register-invalidation",
		[VTDU_MISUSE_CONTEXT_DOMAIN] = "context-domain",
		[VTDU_MISUSE_AM] = "address-mask",
		[VTDU_MISUSE_DID] = "domain",
		[VTDU_MISUSE_EVENT_ADDR] = "event-address",
		[VTDU_MISUSE_PRQ] = "page-request-queue",
		[VTDU_MISUSE_PRO] = "page-request-overflow",
		[VTDU_MISUSE_VCMD] = "virtual-command",
		[VTDU_MISUSE_RO] = "read-only",
	};

	return (unsigned int)misuse < VTDU_MISUSE_NR ? names[misuse] : "?";
}

const struct vtdu_stats *vtdu_stats(const struct vtdu *u)
{
	return &u->stats;
}

uint64_t vtdu_misused(const struct vtdu *u)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < VTDU_MISUSE_NR; i++)
		sum += u->stats.misuse[i];
	return sum;
}
