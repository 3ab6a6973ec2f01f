// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Chance against lib/vtd: registers, descriptors, tables and requests of no
 * sense. Nothing may crash, hang or leave the bounds; and a unit that caches
 * gives the same answers as one that does not, when all is invalidated.
 *
 * VTDU_SEED=n gives other numbers.
 */
#include <stdlib.h>
#include <string.h>
#include "vtdu_env.h"

static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dULL;
}

static uint64_t below(uint64_t n)
{
	return (rnd() >> 8) % n;
}

/* An entry of whatever table: pointers stay in a few pages that are tables. */
static uint64_t rnd_entry(void)
{
	uint64_t v = (4 + below(12)) << 12;

	switch (below(20)) {
	case 0:
		return rnd();
	case 1:
		return 0;
	case 2:
		v |= rnd() & 0xfff;
		break;
	case 3:
		v = (rnd() & VTD_MASK(45, 21)) | ENTRY_PS;
		break;
	}
	return v | 7 | (rnd() & 0x64);
}

static uint64_t rnd_addr(void)
{
	uint64_t addr = 0;
	unsigned int level;

	if (!below(16))
		return rnd();
	for (level = 0; level < 5; level++)
		addr |= below(4) << (12 + 9 * level);
	return below(8) ? addr & ((1ULL << 47) - 1) : addr | ~0ULL << 47;
}

/*
 * Page 0 is a root table, 1 has context entries of both kinds, 2 and 3 are for
 * PASIDs, 4 to 15 are paging structures of either stage and any level.
 */
#define FIRST_TABLE	4

static uint64_t rnd_table(void)
{
	return (FIRST_TABLE + below(16 - FIRST_TABLE)) << 12;
}

static void rnd_contexts(struct env *e)
{
	static const uint8_t pgtts[] = { PGTT_FS, PGTT_SS, PGTT_NESTED, PGTT_PT };
	unsigned int i;
	uint64_t at;

	env_w64(e, 16, 0x1001);
	env_w64(e, 24, 0);
	env_w64(e, 0x2000, 0x3001);
	for (i = 0; i < 3; i++) {
		at = 0x1000 + (ENV_SID + i) % 256 * 16;
		env_w64(e, at, rnd_table() | below(3) << 2 | 1);
		env_w64(e, at + 8, (1 + below(3)) | (i + 1) << 8);
		at = 0x1000 + (ENV_SID + i) % 128 * 32;
		env_w64(e, at, 0x201d);
		env_w64(e, at + 8, 2 | below(2) << 20);
		at = 0x3000 + i * 64;
		env_w64(e, at, rnd_table() | pgtts[below(4)] << 6 |
			       (1 + below(3)) << 2 | 1);
		env_w64(e, at + 8, (i + 9) | PASID_PWSNP | below(2) << 24);
		env_w64(e, at + 16, rnd_table() | below(2) << 7 |
				    below(2) << 4 | below(2) << 2 | below(2));
	}
}

static void rnd_tables(struct env *e)
{
	unsigned int i;

	for (i = 0; i < 400; i++)
		env_w64(e, rnd_table() | below(8) * 8 | (below(8) ? 0 : 0xfc0),
			rnd_entry());
	rnd_contexts(e);
	for (i = below(8); i < 2; i++)
		env_w64(e, below(FIRST_TABLE) << 12 | below(512) * 8,
			rnd_entry());
}

static struct vtdu_request rnd_request(void)
{
	struct vtdu_request q = {
		.sid = ENV_SID + (uint16_t)below(3),
		.has_pasid = below(2),
		.priv = !below(4),
		.no_snoop = below(2),
		.at = (uint8_t)below(4),
		.access = (uint8_t)below(8),
		.pasid = (uint32_t)below(3),
		.addr = rnd_addr(),
	};

	return q;
}

static void rnd_register(struct env *e)
{
	uint32_t offset = (uint32_t)below(2) ? (uint32_t)below(0x100) & ~3u :
					       (uint32_t)below(0x1010);
	uint64_t v = below(2) ? rnd() : 1ULL << below(64);

	/* A table somewhere that exists, and commands often */
	switch (below(6)) {
	case 0:
		offset = GCMD_REG;
		v = (vtdu_read(e->u, GSTS_REG, 4) & 0x96ffffff) ^
		    1ULL << (23 + below(9));
		break;
	case 1:
		offset = RTADDR_REG;
		v = below(16) << 12 | below(4) << 10;
		break;
	case 2:
		offset = IQA_REG;
		v = below(16) << 12 | below(2) << 11;
		break;
	}
	vtdu_write(e->u, offset, below(2) ? 8 : 4, v);
	vtdu_read(e->u, offset, below(2) ? 8 : 4);
}

static void rnd_page_request(struct env *e)
{
	struct vtdu_page_request r = {
		.sid = ENV_SID, .has_pasid = below(2), .priv = below(2),
		.exec = below(2), .read = below(2), .write = below(2),
		.last = below(2), .index = (uint16_t)rnd(),
		.pasid = (uint32_t)rnd() & (below(2) ? 3 : ~0u),
		.addr = rnd(),
	};

	vtdu_page_request(e->u, &r);
}

static void rnd_descriptor(struct env *e)
{
	uint64_t iqa = vtdu_read(e->u, IQA_REG, 8) & ~0xfffULL;
	uint64_t tail = vtdu_read(e->u, IQT_REG, 8) & 0xfff;
	unsigned int size = vtdu_read(e->u, IQA_REG, 8) & IQA_DW ? 32 : 16;

	if (iqa < 0x10000) {
		tail &= ~(uint64_t)(size - 1);
		env_w64(e, iqa + tail, (below(12)) | (rnd() & ~0xe0fULL &
			(below(2) ? 0xffffffff00f0ULL : 0xff00f0)));
		env_w64(e, iqa + tail + 8, below(2) ? 0 : rnd());
		if (size == 32) {
			env_w64(e, iqa + tail + 16, 0);
			env_w64(e, iqa + tail + 24, 0);
		}
		vtdu_write(e->u, IQT_REG, 8, (tail + size) & 0xfff);
	}
	vtdu_run(e->u, (unsigned int)below(200));
	vtdu_write(e->u, FSTS_REG, 4, rnd() & 0xff);
}

static void test_anything(void **state)
{
	struct vtdu_config cfg = env_config();
	struct vtdu_result res;
	struct vtdu_request q;
	struct env *e;
	unsigned int round, i;

	for (round = 0; round < 60; round++) {
		cfg = env_config();
		if (round & 1)
			cfg.cap ^= rnd() & (CAP_CM | CAP_PSI | CAP_ESRTPS |
					    CAP_SSLPS_1G | CAP_FS5LP | CAP_PLMR |
					    CAP_PHMR);
		if (round & 2)
			cfg.ecap ^= rnd() & VTD_MASK(53, 24) & ~ECAP_PMS;
		cfg.nr_iotlb = (uint32_t)below(20);
		cfg.nr_paging = (uint32_t)below(20);
		cfg.nr_context = (uint32_t)below(4);
		cfg.nr_pasid = (uint32_t)below(4);
		cfg.nr_log = (uint32_t)below(4);
		e = env_new(&cfg);
		vtdu_write(e->u, GCMD_REG, 4, GCMD_TE);
		vtdu_write(e->u, GCMD_REG, 4, GCMD_TE | GCMD_QIE);
		for (i = 0; i < 2000; i++) {
			switch (below(8)) {
			case 0:
				rnd_register(e);
				break;
			case 1:
				rnd_descriptor(e);
				break;
			case 2:
				if (!below(10))
					rnd_tables(e);
				break;
			case 3:
				rnd_page_request(e);
				break;
			case 4:
				if (e->nr_devtlb)
					(below(4) ? vtdu_devtlb_done :
						    vtdu_devtlb_timeout)(e->u,
						e->devtlb[(e->nr_devtlb - 1) %
							  ENV_MAX].tag);
				break;
			default:
				q = rnd_request();
				vtdu_translate(e->u, &q, &res);
				assert_in_range(res.outcome, VTDU_OK, VTDU_CA);
				if (res.outcome == VTDU_OK && !res.fault)
					assert_in_range(res.page_lg2, 12, 30);
			}
		}
		env_free(e);
	}
}

static void start(struct env *e, unsigned int ttm, uint64_t root)
{
	vtdu_write(e->u, RTADDR_REG, 8, root | (uint64_t)ttm << 10);
	vtdu_write(e->u, GCMD_REG, 4, GCMD_SRTP);
	vtdu_write(e->u, GCMD_REG, 4, GCMD_TE);
}

/*
 * Two units with the same tables, and a look at them beforehand. The first caches; each table that is made is
 * new to it because translation is switched off meanwhile. What it answers for
 * the second time must be what the other one says.
 */
static void test_same_answers(void **state)
{
	struct vtdu_config cfg = env_config();
	struct vtdu_result res[2], peek;
	struct vtdu_request q[8];
	struct env *e[2];
	unsigned int round, i, n;
	uint64_t hits;

	cfg.cap |= CAP_ESRTPS;
	cfg.ecap &= ~ECAP_SSADS;	/* bits that come change nothing */
	e[0] = env_new(&cfg);
	cfg.nr_iotlb = cfg.nr_paging = cfg.nr_context = cfg.nr_pasid = 0;
	e[1] = env_new(&cfg);
	for (round = 0; round < 3000; round++) {
		if (!(round % 10))
			rnd_tables(e[0]);
		memcpy(e[1]->mem, e[0]->mem, 0x10000);
		start(e[0], round & 1, 0);
		start(e[1], round & 1, 0);
		for (i = 0; i < 8; i++)
			q[i] = rnd_request();
		for (n = 0; n < 16; n++) {
			bool ok[2], seen;

			seen = vtdu_peek(e[0]->u, &q[n % 8], &peek);
			for (i = 0; i < 2; i++)
				ok[i] = vtdu_translate(e[i]->u, &q[n % 8],
						       &res[i]);
			assert_int_equal(ok[0], ok[1]);
			assert_int_equal(ok[0], seen);
			assert_int_equal(res[0].fault, peek.fault);
			assert_int_equal(res[0].addr, peek.addr);
			assert_int_equal(res[0].perm, peek.perm);
			assert_int_equal(res[0].outcome, res[1].outcome);
			assert_int_equal(res[0].fault, res[1].fault);
			assert_int_equal(res[0].perm, res[1].perm);
			assert_int_equal(res[0].addr, res[1].addr);
			assert_int_equal(res[0].page_lg2, res[1].page_lg2);
			assert_int_equal(res[0].snoop, res[1].snoop);
			assert_int_equal(res[0].did, res[1].did);
			/* A and D that both set are the same ones. */
			assert_memory_equal(e[0]->mem, e[1]->mem, 0x10000);
		}
		start(e[0], round & 1, 0);
	}
	hits = vtdu_stats(e[0]->u)->iotlb_hits;
	print_message("%llu of %llu answers from the IOTLB\n",
		      (unsigned long long)hits,
		      (unsigned long long)vtdu_stats(e[0]->u)->requests);
	assert_true(hits > 100);
	env_free(e[0]);
	env_free(e[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		env_test(test_anything),
		env_test(test_same_answers),
	};
	const char *s = getenv("VTDU_SEED");

	seed = s ? strtoull(s, NULL, 0) : 1;
	seed = seed * 2 + 0x9e3779b97f4a7c15ULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
