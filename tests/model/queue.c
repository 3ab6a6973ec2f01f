// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Descriptors by chance for both invalidation queues: whether the queue stops at
 * one, where its head is, and what a wait descriptor writes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vtd/regs.h"
#include "judge.h"
#include "machine.h"

#define MODEL_QUEUE	QUEUE	/* in the copy, the same place */

struct side {
	bool iqe, iwc;
	uint64_t head, status;
};

/* Fields that a type has, in both words */
struct form {
	uint64_t lo, hi;
};

static const struct form forms[16] = {
	[QI_CONTEXT] = { VTD_MASK(49, 16) | VTD_MASK(5, 4), 0 },
	[QI_IOTLB] = { VTD_MASK(31, 16) | VTD_MASK(7, 4),
		       VTD_MASK(47, 12) | VTD_MASK(3, 0) | VTD_BIT(6) },
	[QI_DEVTLB] = { VTD_MASK(47, 32) | VTD_MASK(20, 16),
			VTD_MASK(63, 12) | 1 },
	[QI_IEC] = { VTD_MASK(47, 27) | VTD_BIT(4), 0 },
	[QI_WAIT] = { VTD_MASK(63, 32) | VTD_MASK(6, 4), 0 },
	[QI_PIOTLB] = { VTD_MASK(51, 16) | VTD_MASK(5, 4),
			VTD_MASK(47, 12) | VTD_MASK(3, 0) | VTD_BIT(6) },
	[QI_PASID] = { VTD_MASK(51, 16) | VTD_MASK(5, 4), 0 },
	[QI_PDEVTLB] = { VTD_MASK(51, 16) | VTD_MASK(8, 4),
			 VTD_MASK(63, 11) | 1 },
	[QI_RESPONSE] = { VTD_MASK(51, 12) | VTD_BIT(4), VTD_MASK(11, 3) },
};

static void make_any(struct gen *g, uint64_t qw[4])
{
	unsigned int type = gen_below(g, 10), word, bit;

	if (!gen_below(g, 12))
		type = gen_below(g, 128);
	memset(qw, 0, 4 * sizeof(*qw));
	qw[0] = (type & 0xf) | (uint64_t)(type >> 4) << 9;
	if (type < 16) {
		qw[0] |= gen_random(g) & forms[type].lo;
		qw[1] = gen_random(g) & forms[type].hi;
	}
	if (type == QI_WAIT)
		qw[1] = STATUS;
	if (gen_below(g, 3))
		return;
	word = gen_below(g, 8);
	bit = gen_below(g, 64);
	/* Where it would be another type, or write elsewhere, it is not wrong. */
	word = word < 4 ? 0 : word < 6 ? 1 : word - 4;
	if ((word == 0 && (bit < 4 || (bit >= 9 && bit < 12))) ||
	    (type == QI_WAIT && word == 1 && bit > 1))
		return;
	qw[word] |= 1ULL << bit;
}

static void make_descriptor(struct gen *g, uint64_t qw[4])
{
	make_any(g, qw);
	/* QEMU 7.2 aborts at a wait that writes and interrupts. */
	if (QI_TYPE(qw[0]) == QI_WAIT && qw[0] & QI_WAIT_SW)
		qw[0] &= ~QI_WAIT_IF;
}

static void ask_model(struct vtdu *u, struct gen *g, uint64_t at,
		      const uint64_t *qw, unsigned int words, uint64_t tail,
		      struct side *s)
{
	unsigned int i;

	for (i = 0; i < words; i++)
		gen_write(g, at + i * 8, qw[i]);
	gen_write(g, STATUS, 0);
	vtdu_write(u, ICS_REG, 4, 1);
	vtdu_write(u, IQT_REG, 8, tail);
	while (vtdu_run(u, 4))
		;
	s->iqe = vtdu_read(u, FSTS_REG, 4) & FSTS_IQE;
	s->iwc = vtdu_read(u, ICS_REG, 4) & 1;
	s->head = vtdu_read(u, IQH_REG, 8);
	s->status = gen_read(g, STATUS);
}

static void ask_qemu(struct machine *m, uint64_t at, const uint64_t *qw,
		     unsigned int words, uint64_t tail, struct side *s)
{
	uint64_t fsts, ics;
	unsigned int i;

	for (i = 0; i < words; i++)
		qtest_write64(&m->q, at + i * 8, qw[i]);
	qtest_write64(&m->q, STATUS, 0);
	qtest_write32(&m->q, VTD + ICS_REG, 1);
	qtest_write64(&m->q, VTD + IQT_REG, tail);
	qtest_read32(&m->q, VTD + FSTS_REG, &fsts);
	qtest_read32(&m->q, VTD + ICS_REG, &ics);
	qtest_read64(&m->q, VTD + IQH_REG, &s->head);
	qtest_read64(&m->q, STATUS, &s->status);
	qtest_flush(&m->q);
	s->iqe = fsts & FSTS_IQE;
	s->iwc = ics & 1;
}

unsigned int judge_queue(struct machine *m, struct vtdu *u, struct gen *g,
			 unsigned int count, bool verbose)
{
	/* QEMU refuses one that neither writes nor interrupts. */
	static const uint64_t nothing[4] = { QI_WAIT | QI_WAIT_SW, STATUS + 8 };
	unsigned int words = m->wide ? 4 : 2, n, bad = 0, stops = 0;
	struct side model, qemu;
	uint64_t qw[4], tail;

	vtdu_write(u, IQA_REG, 8, QUEUE | (m->wide ? IQA_DW : 0));
	vtdu_write(u, GCMD_REG, 4, GCMD_QIE);
	vtdu_write(u, IQT_REG, 8, 0);
	vtdu_write(u, RTADDR_REG, 8, TABLES | (uint64_t)m->wide << 10);
	vtdu_write(u, GCMD_REG, 4, GCMD_QIE | GCMD_SRTP);
	/* Both heads to the same place */
	tail = m->queue_tail;
	for (n = 0; n < 4096; n += 8)
		gen_write(g, QUEUE + n, n % (words * 8) ? 0 : QI_WAIT);
	vtdu_write(u, IQT_REG, 8, tail);
	while (vtdu_run(u, 256))
		;

	for (n = 0; n < count; n++) {
		uint64_t at = QUEUE + tail;

		make_descriptor(g, qw);
		tail = (tail + words * 8) & 0xfff;
		ask_model(u, g, at, qw, words, tail, &model);
		ask_qemu(m, at, qw, words, tail, &qemu);
		stops += model.iqe;
		if ((model.iqe != qemu.iqe || model.iwc != qemu.iwc ||
		     model.head != qemu.head || model.status != qemu.status) &&
		    !explain_descriptor(g, qw, words, model.iqe, qemu.iqe)) {
			bad++;
			if (bad <= 10 || verbose)
				printf("DIFFERENCE queue %016llx %016llx %llx %llx\n"
				       "  model: IQE %d IWC %d head %llx status %llx\n"
				       "  QEMU:  IQE %d IWC %d head %llx status %llx\n",
				       (unsigned long long)qw[0],
				       (unsigned long long)qw[1],
				       (unsigned long long)qw[2],
				       (unsigned long long)qw[3],
				       model.iqe, model.iwc,
				       (unsigned long long)model.head,
				       (unsigned long long)model.status,
				       qemu.iqe, qemu.iwc,
				       (unsigned long long)qemu.head,
				       (unsigned long long)qemu.status);
		}
		/* Over what stopped it, on each side that stopped */
		if (model.iqe) {
			vtdu_write(u, FSTS_REG, 4, FSTS_IQE);
			ask_model(u, g, at, nothing, words, tail, &model);
		}
		if (qemu.iqe) {
			qtest_write32(&m->q, VTD + FSTS_REG, FSTS_IQE);
			ask_qemu(m, at, nothing, words, tail, &qemu);
		}
		if (model.head != qemu.head || model.iqe || qemu.iqe) {
			fprintf(stderr, "vtd_judge: the queues cannot go on: heads %llx %llx, IQE %d %d after %016llx %016llx %llx %llx\n",
				(unsigned long long)model.head,
				(unsigned long long)qemu.head, model.iqe,
				qemu.iqe, (unsigned long long)qw[0],
				(unsigned long long)qw[1],
				(unsigned long long)qw[2],
				(unsigned long long)qw[3]);
			exit(2);
		}
	}
	m->queue_tail = tail;
	printf("queue %s: %u descriptors, %u stop it; %u unexplained\n",
	       m->wide ? "256 bits" : "128 bits", count, stops, bad);
	return bad;
}
