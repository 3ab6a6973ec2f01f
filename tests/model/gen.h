/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables by chance, right and wrong ones, in a copy of the machine's memory. */
#ifndef GEN_H
#define GEN_H

#include <stdbool.h>
#include <stdint.h>

enum gen_mode {
	GEN_LEGACY,		/* second level */
	GEN_LEGACY_PT,
	GEN_SS,
	GEN_PT,
	GEN_FS,
	GEN_MODES,
};

struct gen {
	uint64_t state;		/* of the random numbers */
	uint8_t *ram;
	uint64_t next;		/* free table page */
	unsigned int aw;	/* host and guest address width */
	uint64_t cap, ecap;
	uint8_t levels[256];	/* of the tables, by requester ID of bus 0 */
};

uint64_t gen_random(struct gen *g);
/* A number from 0 to @n - 1 */
unsigned int gen_below(struct gen *g, unsigned int n);

uint64_t gen_read(const struct gen *g, uint64_t addr);
void gen_write(struct gen *g, uint64_t addr, uint64_t v);

/* Make tables for requester IDs of bus 0 in the memory, from TABLES on */
void gen_tables(struct gen *g, enum gen_mode mode, const uint16_t *sids,
		unsigned int nr);
/* An address for a DMA of 8 bytes by @sid */
uint64_t gen_addr(struct gen *g, enum gen_mode mode, uint16_t sid);

#endif /* GEN_H */
