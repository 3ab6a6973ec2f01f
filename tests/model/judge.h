/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One DMA, what came of it on both sides, and what may differ. */
#ifndef JUDGE_H
#define JUDGE_H

#include "vtd/vtdu.h"
#include "gen.h"

struct dma {
	unsigned int number;
	enum gen_mode mode;
	unsigned int aw;
	unsigned int edu;
	uint16_t sid;
	bool write;
	uint64_t addr;
	unsigned int offset;		/* in the device's buffer */

	struct vtdu_result model;
	uint64_t model_record[2];	/* fault record, low and high */
	bool in_data;			/* it leads to where data can be seen */
	uint64_t expected;		/* what is read or written then */

	uint64_t qemu_record[2];
	uint64_t qemu_data;
	bool foreign;			/* which a write left that one side refused */
	bool only_qemu;			/* QEMU writes, the model refuses to */
};

struct verdict {
	const char *what;
	uint8_t model, qemu;		/* recorded fault reasons, 0: none */
	bool data;			/* the data differ */
};

/* Is it the same on both sides? Otherwise @v says what is not. */
bool same(const struct dma *d, struct verdict *v);
/* The name of the rule that explains a difference, and counts it; NULL: none */
const char *explain(const struct dma *d, const struct verdict *v,
		    const struct gen *g);
/* Would a refusal by QEMU show? */
bool visible(const struct dma *d, const struct gen *g);
/* The paging entries that a request goes through; how many */
unsigned int path_entries(const struct dma *d, const struct gen *g,
			  uint64_t at[5]);
/* Where these lead, whatever is wrong with them */
uint64_t path_target(const struct dma *d, const struct gen *g);
/* What requests did with an entry of a table */
struct uses {
	bool refused;	/* one went through it that both sides refuse */
	bool interrupt;	/* one that leads to the interrupt range */
	bool differs;	/* one did that had another outcome on each side */
	bool read, written;	/* leaf of one that was let through */
};

/* Is a difference in accessed and dirty bits explained? */
bool explain_entry(const struct uses *u, uint64_t model, uint64_t qemu);
/* Is it explained that one side stops at a descriptor and the other does not? */
bool explain_descriptor(const struct gen *g, const uint64_t *qw,
			unsigned int words, bool model, bool qemu);
/* Descriptors by chance (queue.c); returns the unexplained differences. */
struct machine;
unsigned int judge_queue(struct machine *m, struct vtdu *u, struct gen *g,
			 unsigned int count, bool verbose);
/*
 * Print how often each rule was used. Returns how many of those have no heading
 * in the file @path.
 */
int explain_summary(const char *path);

#endif /* JUDGE_H */
