// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vtd/regs.h"
#include "gen.h"
#include "machine.h"

#define NOWHERE		0x1000000000ULL	/* no memory, in any address width */

/*
 * Places in a table of each level that are used. From level 3 on those of level
 * 2 and 1 keep the address inside a page within DATA, or above all memory, so
 * that a page of 1 GiB or a wrong entry never lets a write hit a table.
 */
static const uint16_t places[6][4] = {
	[1] = { 0, 1, 7, 511 },
	[2] = { 16, 17, 100, 511 },
	[3] = { 0, 1, 255, 511 },
	[4] = { 0, 1, 255, 256 },
	[5] = { 0, 1, 255, 256 },
};

uint64_t gen_random(struct gen *g)
{
	uint64_t z = g->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

unsigned int gen_below(struct gen *g, unsigned int n)
{
	return (unsigned int)((gen_random(g) >> 32) * n >> 32);
}

/* True once in @n times */
static bool once_in(struct gen *g, unsigned int n)
{
	return !gen_below(g, n);
}

uint64_t gen_read(const struct gen *g, uint64_t addr)
{
	uint64_t v;

	memcpy(&v, g->ram + addr, sizeof(v));
	return v;
}

void gen_write(struct gen *g, uint64_t addr, uint64_t v)
{
	memcpy(g->ram + addr, &v, sizeof(v));
}

static uint64_t page(struct gen *g)
{
	uint64_t at = g->next;

	if (at >= TABLES + TABLE_PAGES * 4096ULL)
		return 0;
	g->next += 4096;
	return at;
}

/* One bit of some that are meant to be clear, or of all */
static uint64_t wrong_bit(struct gen *g, unsigned int from, unsigned int to)
{
	return 1ULL << (from + gen_below(g, to - from + 1));
}

static uint64_t data_page(struct gen *g, unsigned int level)
{
	switch (level) {
	case 1:
		if (once_in(g, 20))
			return 0xfee00000 + gen_below(g, 256) * 4096ULL;
		if (once_in(g, 20))
			return NOWHERE;
		return DATA + gen_below(g, DATA_BYTES / 4096) * 4096ULL;
	case 2:
		if (once_in(g, 20))
			return 0xfee00000;
		return once_in(g, 10) ? NOWHERE :
		       DATA + gen_below(g, DATA_BYTES >> 21) * (2ULL << 20);
	default:
		return once_in(g, 3) ? NOWHERE : 0;
	}
}

static uint64_t spoil(struct gen *g, uint64_t e, bool leaf, unsigned int level)
{
	switch (gen_below(g, 5)) {
	case 0:
		return e | wrong_bit(g, g->aw, 51);
	case 1:
		return e | wrong_bit(g, 52, 63);
	case 2:
		return e | wrong_bit(g, 2, 11);
	case 3:
		/* inside the address of a large page */
		return leaf && level > 1 ? e | wrong_bit(g, 12, 20) : e;
	default:
		return leaf ? e : (e & 0xfff) | NOWHERE;
	}
}

static uint64_t ss_entry(struct gen *g, uint64_t table, unsigned int level)
{
	uint64_t e = table ? table : data_page(g, level), rw = SS_R | SS_W;

	if (!table && level > 1)
		e |= ENTRY_PS;
	if (once_in(g, table ? 30 : 4))
		rw = gen_below(g, 4);
	if (!table && g->ecap & ECAP_SC && once_in(g, 4))
		e |= SS_SNP;
	e |= rw;
	return once_in(g, table ? 60 : 12) ? spoil(g, e, !table, level) : e;
}

static uint64_t fs_entry(struct gen *g, uint64_t table, unsigned int level)
{
	uint64_t e = table ? table : data_page(g, level);
	uint64_t bits = FS_P | FS_RW | FS_US;

	if (!table && level > 1)
		e |= ENTRY_PS;
	if (once_in(g, table ? 30 : 4))
		bits &= ~(1ULL << gen_below(g, 3));
	if (once_in(g, 2))
		bits |= FS_A;
	if (once_in(g, 3))
		bits |= FS_D;
	e |= bits;
	return once_in(g, table ? 60 : 12) ? spoil(g, e, !table, level) : e;
}

static uint64_t make_table(struct gen *g, bool first, unsigned int level)
{
	uint64_t at = page(g), below, large;
	unsigned int i, leaves = 0;

	if (!at)
		return 0;
	for (i = 0; i < 4; i++) {
		if (once_in(g, 12))
			continue;
		below = 0;
		large = level <= 3 && once_in(g, level == 3 ? 4 : 3);
		if (level > 1 && !large && leaves < 2) {
			below = make_table(g, first, level - 1);
			leaves++;
			if (!below)
				continue;
		} else if (level > 3) {
			/* so that there is something at all places */
			below = gen_read(g, at + places[level][0] * 8) &
				~0xfffULL & ((1ULL << g->aw) - 1);
			if (below < TABLES || below >= g->next)
				continue;
		}
		gen_write(g, at + places[level][i] * 8,
			  first ? fs_entry(g, below, level) :
				  ss_entry(g, below, level));
	}
	return at;
}

/* A pointer that may be out of memory or have a bit too many */
static uint64_t pointer(struct gen *g, uint64_t to, unsigned int lo,
			unsigned int hi)
{
	if (once_in(g, 90))
		return NOWHERE;
	if (once_in(g, 90))
		return to | wrong_bit(g, g->aw, 63);
	return once_in(g, 90) ? to | wrong_bit(g, lo, hi) : to;
}

/* Who shares a domain must share its tables, too. So nobody does. */
static unsigned int domain(struct gen *g, uint16_t sid)
{
	return (sid & 0xff) << 4 | (1 + gen_below(g, 15));
}

static void legacy_context(struct gen *g, uint64_t table, uint16_t sid, bool pt)
{
	unsigned int aw = g->aw == 48 && !once_in(g, 3) ? 2 : 1;
	uint64_t at = table + (sid & 0xff) * 16, ss = 0;
	unsigned int tt = pt ? TT_PASS : once_in(g, 6) ? TT_ATS : 0;
	uint64_t lo, hi;

	g->levels[sid & 0xff] = aw + 2;
	if (once_in(g, 30))
		tt = gen_below(g, 4);
	if (tt != TT_PASS)
		ss = make_table(g, false, aw + 2);
	if (once_in(g, 30))
		aw = gen_below(g, 8);
	lo = pointer(g, ss, 4, 11) | tt << 2 | !once_in(g, 30) |
	     (once_in(g, 20) ? CTX_FPD : 0);
	hi = aw | domain(g, sid) << 8;
	if (once_in(g, 40))
		hi |= wrong_bit(g, 3, 7);
	if (once_in(g, 40))
		hi |= wrong_bit(g, 24, 63);
	gen_write(g, at, lo);
	gen_write(g, at + 8, hi);
}

static void pasid_entry(struct gen *g, uint64_t at, uint16_t sid,
			enum gen_mode mode)
{
	unsigned int narrow = mode == GEN_FS ? 12 : 3;
	unsigned int aw = g->aw == 48 && !once_in(g, narrow) ? 2 : 1;
	unsigned int pgtt = mode == GEN_PT ? PGTT_PT : mode == GEN_FS ? PGTT_FS :
			    PGTT_SS;
	uint64_t q0, ss = 0, fs = 0;

	g->levels[sid & 0xff] = mode == GEN_FS ? 4 : aw + 2;
	if (once_in(g, 30))
		pgtt = gen_below(g, 8);
	if (pgtt == PGTT_SS || pgtt == PGTT_NESTED)
		ss = make_table(g, false, aw + 2);
	if (pgtt == PGTT_FS || pgtt == PGTT_NESTED)
		fs = make_table(g, true, 4);
	if (once_in(g, 30))
		aw = gen_below(g, 8);
	q0 = pointer(g, ss, 10, 11) | aw << 2 | pgtt << 6 | !once_in(g, 30) |
	     (once_in(g, 20) ? PASID_FPD : 0);
	gen_write(g, at, q0);
	gen_write(g, at + 8, domain(g, sid) |
		  (g->ecap & ECAP_SMPWCS ? PASID_PWSNP : 0));
	gen_write(g, at + 16, pgtt == PGTT_FS ? pointer(g, fs, 8, 11) : fs);
	if (once_in(g, 40))
		gen_write(g, at + 24 + gen_below(g, 5) * 8,
			  wrong_bit(g, 0, 63));
}

static void scalable_context(struct gen *g, uint64_t table, uint16_t sid,
			     enum gen_mode mode)
{
	uint64_t at = table + (sid & 0x7f) * 32, dir = page(g), pasids = page(g);
	uint64_t lo;

	if (!dir || !pasids)
		return;
	lo = pointer(g, dir, 5, 8) | !once_in(g, 30) |
	     (once_in(g, 20) ? CTX_FPD : 0) | gen_below(g, 8) << 9;
	if (g->ecap & ECAP_DT && once_in(g, 3))
		lo |= SCTX_DTE;
	gen_write(g, at, lo);
	if (once_in(g, 40))
		gen_write(g, at + 8 + gen_below(g, 3) * 8,
			  wrong_bit(g, 21, 63));
	gen_write(g, dir, pointer(g, pasids, 2, 11) | !once_in(g, 30) |
		  (once_in(g, 20) ? PDIR_FPD : 0));
	pasid_entry(g, pasids, sid, mode);
}

void gen_tables(struct gen *g, enum gen_mode mode, const uint16_t *sids,
		unsigned int nr)
{
	bool scalable = mode >= GEN_SS;
	uint64_t root, contexts[2];
	unsigned int i;

	memset(g->ram + TABLES, 0, TABLE_PAGES * 4096);
	g->next = TABLES;
	root = page(g);
	contexts[0] = page(g);
	contexts[1] = page(g);
	gen_write(g, root, pointer(g, contexts[0], 1, 11) | !once_in(g, 90));
	if (scalable || once_in(g, 60))
		gen_write(g, root + 8, pointer(g, contexts[1], 1, 11) |
				       !once_in(g, 90));
	for (i = 0; i < nr; i++) {
		if (scalable)
			scalable_context(g, contexts[sids[i] >> 7 & 1], sids[i],
					 mode);
		else
			legacy_context(g, contexts[0], sids[i],
				       mode == GEN_LEGACY_PT);
	}
}

uint64_t gen_addr(struct gen *g, enum gen_mode mode, uint16_t sid)
{
	uint64_t addr = gen_below(g, 512) * 8, bit;
	unsigned int level, top = g->levels[sid & 0xff];

	if (!top || once_in(g, 40))
		top = 3 + gen_below(g, 3);
	if (mode == GEN_PT || mode == GEN_LEGACY_PT)
		addr |= once_in(g, 4) ? NOWHERE : DATA +
			gen_below(g, DATA_BYTES / 4096) * 4096ULL;
	else
		for (level = 1; level <= top; level++)
			addr |= (uint64_t)places[level][gen_below(g, 4)] <<
				(12 + 9 * (level - 1));
	/* Mostly canonical, where that matters */
	if (mode == GEN_FS && addr >> 47 & 1 && !once_in(g, 8))
		addr |= ~0ULL << 47;
	if (once_in(g, 40)) {
		bit = wrong_bit(g, 36, 63);
		addr ^= bit;
	}
	return addr;
}
