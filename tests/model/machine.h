/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU with its VT-d and some edu devices, and what the memory of it is used
 * for.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "qtest.h"

#define RAM_BYTES	(64ULL << 20)
#define TABLES		(16ULL << 20)	/* root table first */
#define TABLE_PAGES	64
#define QUEUE		(24ULL << 20)	/* invalidation queue, one page */
#define STATUS		(QUEUE + 0x1000)
#define SCRATCH		(QUEUE + 0x2000)	/* what devices read, 2 pages */
#define DATA		(32ULL << 20)	/* where mappings lead */
#define DATA_BYTES	(4ULL << 20)
#define VTD		0xfed90000ULL
#define NR_EDU		3
#define EDU_BYTES	4088		/* of an edu's buffer, in use */

/* a way to run QEMU's VT-d */
struct setup {
	const char *qemu;	/* program */
	unsigned int aw;	/* aw-bits */
	bool scalable;
	bool first_level;
	bool extras;		/* snoop control, device IOTLB */
};

struct machine {
	struct qtest q;
	uint64_t cap, ecap, ver;
	uint32_t fro;
	uint16_t sid[NR_EDU];
	uint64_t bar[NR_EDU];
	uint64_t queue_tail;
	bool wide;		/* 256-bit descriptors */
};

/* 0: no such way; the machine runs otherwise */
bool machine_start(struct machine *m, const struct setup *s);
void machine_stop(struct machine *m);
/* Use the root table at TABLES, forget everything, and translate. */
void machine_root(struct machine *m, bool scalable);
void machine_translate(struct machine *m, bool on);
/*
 * Collect the commands of a DMA of 8 bytes: to @addr from the buffer at @offset,
 * or the other way, and of reading the fault record, which is then cleared.
 */
void machine_dma(struct machine *m, unsigned int edu, bool write, uint64_t addr,
		 unsigned int offset, uint64_t record[2]);
/* The buffer of an edu from or to SCRATCH, translation being off */
void machine_buffer(struct machine *m, unsigned int edu, bool write);

#endif /* MACHINE_H */
