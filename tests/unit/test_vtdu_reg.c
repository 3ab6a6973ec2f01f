// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The registers of lib/vtd, against a table of their reset values and access
 * classes; and the commands that begin with a write.
 */
#include <stdlib.h>
#include "vtdu_env.h"

/* what the register at @offset is, for env_config() with ECAP.IR and EIM */
struct reg {
	uint32_t offset;
	unsigned int size;
	uint64_t reset;
	uint64_t rw;		/* bits that keep what is written */
	bool ro;		/* writing it is misuse */
};

static const struct reg regs[] = {
	{ 0x000, 4, 0x50, 0, true },			/* VER */
	{ 0x008, 8, 1, 0, true },			/* CAP, see below */
	{ 0x010, 8, 1, 0, true },			/* ECAP */
	{ 0x018, 4, 0, 0, false },			/* GCMD */
	{ 0x01c, 4, 0, 0, true },			/* GSTS */
	{ 0x020, 8, 0, 0xfffffffffffffc00, false },	/* RTADDR */
	{ 0x028, 8, 0, 0x60000003ffffffff, false },	/* CCMD, ICC apart */
	{ 0x034, 4, 0, 0, false },			/* FSTS */
	{ 0x038, 4, 0x80000000, 0x80000000, false },	/* FECTL */
	{ 0x03c, 4, 0, 0xffff, false },			/* FEDATA */
	{ 0x040, 4, 0, 0xfffffffc, false },		/* FEADDR */
	{ 0x044, 4, 0, 0xffffffff, false },		/* FEUADDR */
	{ 0x064, 4, 0, 0x80000001, false },		/* PMEN: PRS follows EPM */
	{ 0x068, 4, 0, 0xfff00000, false },		/* PLMBASE */
	{ 0x06c, 4, 0, 0xfff00000, false },		/* PLMLIMIT */
	{ 0x070, 8, 0, 0x00003ffffff00000, false },	/* PHMBASE */
	{ 0x078, 8, 0, 0x00003ffffff00000, false },	/* PHMLIMIT */
	{ 0x080, 8, 0, 0, true },			/* IQH */
	{ 0x088, 8, 0, 0x7fff0, false },		/* IQT */
	{ 0x090, 8, 0, 0xfffffffffffff807, false },	/* IQA */
	{ 0x09c, 4, 0, 0, false },			/* ICS */
	{ 0x0a0, 4, 0x80000000, 0x80000000, false },	/* IECTL */
	{ 0x0a4, 4, 0, 0xffff, false },			/* IEDATA */
	{ 0x0a8, 4, 0, 0xfffffffc, false },		/* IEADDR */
	{ 0x0ac, 4, 0, 0xffffffff, false },		/* IEUADDR */
	{ 0x0b0, 8, 0, 0, true },			/* IQERCD */
	{ 0x0b8, 8, 0, 0xfffffffffffff80f, false },	/* IRTA */
	{ 0x0c0, 8, 0, 0x7ffe0, false },		/* PQH */
	{ 0x0c8, 8, 0, 0x7ffe0, false },		/* PQT */
	{ 0x0d0, 8, 0, 0xfffffffffffff007, false },	/* PQA */
	{ 0x0dc, 4, 0, 0, false },			/* PRS */
	{ 0x0e0, 4, 0x80000000, 0x80000000, false },	/* PECTL */
	{ 0x0e4, 4, 0, 0xffff, false },			/* PEDATA */
	{ 0x0e8, 4, 0, 0xfffffffc, false },		/* PEADDR */
	{ 0x0ec, 4, 0, 0xffffffff, false },		/* PEUADDR */
	{ ENV_IRO, 8, 0, 0, false },			/* IVA: write-only */
	{ ENV_IRO + 8, 8, 0, 0x3003ffff00000000, false }, /* IOTLB, IVT apart */
	{ ENV_FRO, 8, 0, 0, true },			/* FRCD, 4 of them */
	{ ENV_FRO + 0x08, 8, 0, 0, false },
	{ ENV_FRO + 0x10, 8, 0, 0, true },
	{ ENV_FRO + 0x18, 8, 0, 0, false },
	{ ENV_FRO + 0x20, 8, 0, 0, true },
	{ ENV_FRO + 0x28, 8, 0, 0, false },
	{ ENV_FRO + 0x30, 8, 0, 0, true },
	{ ENV_FRO + 0x38, 8, 0, 0, false },
	{ 0xe00, 8, 0, ~0ULL, false },			/* VCMD */
	{ 0xe08, 8, 0, ~0ULL, false },			/* its operand B */
	{ 0xe10, 8, 0, 0, true },			/* VCRSP */
	{ 0xe30, 8, 1, 0, true },			/* VCCAP */
};

static struct vtdu_config config(void)
{
	struct vtdu_config cfg = env_config();

	cfg.cap |= CAP_PLMR | CAP_PHMR;
	cfg.ecap |= ECAP_IR | ECAP_EIM;
	return cfg;
}

static uint64_t reset_value(const struct vtdu_config *cfg, const struct reg *r)
{
	if (r->offset == CAP_REG)
		return cfg->cap;
	return r->offset == ECAP_REG ? cfg->ecap : r->reset;
}

/* Bits that start something are not part of this. */
static uint64_t harmless(const struct reg *r, uint64_t v)
{
	switch (r->offset) {
	case GCMD_REG:
		return v & 0x7fffff;
	case CCMD_REG:
	case ENV_IRO + 8:
		return v & ~(1ULL << 63);
	case 0xe00:
		return v & ~0xffULL;
	}
	return v;
}

static void check_write(struct env *e, const struct reg *r, uint64_t v)
{
	uint64_t before = vtdu_read(e->u, r->offset, r->size), now;

	v = harmless(r, v);
	vtdu_write(e->u, r->offset, r->size, v);
	now = vtdu_read(e->u, r->offset, r->size);
	if (r->offset == PMEN_REG)
		assert_int_equal(now, v & 1u << 31 ? 0x80000001 : 0);
	else
		assert_int_equal(now, (before & ~r->rw) | (v & r->rw));

	/* In halves */
	if (r->size == 8) {
		v = harmless(r, ~v);
		vtdu_write(e->u, r->offset + 4, 4, v >> 32);
		vtdu_write(e->u, r->offset, 4, v & 0xffffffff);
		now = vtdu_read(e->u, r->offset, 8);
		assert_int_equal(now, (before & ~r->rw) | (v & r->rw));
		assert_int_equal(vtdu_read(e->u, r->offset, 4),
				 now & 0xffffffff);
		assert_int_equal(vtdu_read(e->u, r->offset + 4, 4), now >> 32);
	}
}

static void test_conformance(void **state)
{
	static const uint64_t values[] = {
		~0ULL, 0, 0xaaaaaaaaaaaaaaaa, 0x5555555555555555,
		0x8000000000000001, 0x123456789abcdef0,
	};
	struct vtdu_config cfg = config();
	struct env *e = env_new(&cfg);
	bool known[VTDU_REG_BYTES / 4] = { false };
	uint64_t misuse;
	unsigned int i, j;

	for (i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		const struct reg *r = &regs[i];

		known[r->offset / 4] = true;
		known[r->offset / 4 + (r->size == 8)] = true;
		assert_int_equal(vtdu_read(e->u, r->offset, r->size),
				 reset_value(&cfg, r));
		for (j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			misuse = vtdu_stats(e->u)->misuse[VTDU_MISUSE_RO];
			check_write(e, r, values[j]);
			misuse -= vtdu_stats(e->u)->misuse[VTDU_MISUSE_RO];
			assert_int_equal(!!misuse, r->ro);
		}
		if (r->offset == PQA_REG || r->offset == PQH_REG ||
		    r->offset == PQT_REG)
			vtdu_reset(e->u);
	}
	/* All else reads as zero. */
	for (i = 0; i < VTDU_REG_BYTES / 4; i++) {
		if (known[i])
			continue;
		vtdu_write(e->u, i * 4, 4, 0xffffffff);
		assert_int_equal(vtdu_read(e->u, i * 4, 4), 0);
	}
	vtdu_reset(e->u);
	for (i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		assert_int_equal(vtdu_read(e->u, regs[i].offset, regs[i].size),
				 reset_value(&cfg, &regs[i]));
	env_free(e);
}

/* Registers of what the unit does not have */
static void test_absent(void **state)
{
	static const uint32_t offsets[] = {
		0x064, 0x068, 0x06c, 0x070, 0x078, 0x0b8, 0x0c0, 0x0c8, 0x0d0,
		0x0dc, 0x0e0, 0x0e4, 0x0e8, 0xe00, 0xe10, 0xe30,
	};
	struct vtdu_config cfg = env_config();
	struct env *e;
	unsigned int i;

	cfg.ecap &= ~(ECAP_PRS | ECAP_VCS);
	e = env_new(&cfg);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		env_set32(e, offsets[i], ~0u);
		assert_int_equal(vtdu_read(e->u, offsets[i], 4), 0);
	}
	env_gcmd(e, GCMD_IRE, true);
	env_gcmd(e, GCMD_SIRTP, true);
	env_gcmd(e, GCMD_SFL, true);
	assert_int_equal(env_get(e, GSTS_REG), 0);
	env_free(e);
}

static void test_access(void **state)
{
	struct vtdu_config cfg = env_config();
	struct env *e = env_new(&cfg);
	unsigned int n = 0;

	assert_int_equal(vtdu_read(e->u, 0, 1), 0);
	assert_int_equal(vtdu_read(e->u, 0, 2), 0);
	assert_int_equal(vtdu_read(e->u, 2, 4), 0);
	assert_int_equal(vtdu_read(e->u, 4, 8), 0);
	assert_int_equal(vtdu_read(e->u, 4096, 4), 0);
	assert_int_equal(vtdu_read(e->u, 0xfffffffc, 4), 0);
	assert_int_equal(vtdu_read(e->u, 0xfffffff8, 8), 0);
	n += 7;
	vtdu_write(e->u, 0x20, 3, ~0ULL);
	vtdu_write(e->u, 0x24, 8, ~0ULL);
	vtdu_write(e->u, 0x21, 4, ~0ULL);
	vtdu_write(e->u, 0x1000, 8, ~0ULL);
	n += 4;
	assert_int_equal(env_get(e, RTADDR_REG), 0);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_ACCESS], n);
	/* Two registers of 32 bits in one access */
	assert_int_equal(vtdu_read(e->u, FECTL_REG, 8), 0x80000000);
	assert_int_equal(vtdu_read(e->u, 0xff8, 8), 0);
	env_free(e);
}

static void test_commands(void **state)
{
	struct vtdu_config cfg = config();
	const struct vtdu_stats *stats;
	struct env *e = env_new(&cfg);

	stats = vtdu_stats(e->u);
	env_set64(e, RTADDR_REG, 0x5000);
	env_gcmd(e, GCMD_SRTP, true);
	assert_int_equal(env_get(e, GSTS_REG), GCMD_SRTP);
	env_gcmd(e, GCMD_QIE, true);
	assert_int_equal(env_get(e, GSTS_REG), GCMD_SRTP | GCMD_QIE);
	env_gcmd(e, GCMD_TE, true);
	assert_int_equal(env_get(e, GSTS_REG), GCMD_SRTP | GCMD_QIE | GCMD_TE);
	assert_int_equal(e->nr_inval, 1);
	assert_int_equal(e->inval[0].kind, VTDU_INVAL_ALL);
	env_gcmd(e, GCMD_SIRTP, true);
	env_gcmd(e, GCMD_IRE, true);
	env_gcmd(e, GCMD_CFI, true);
	env_gcmd(e, GCMD_WBF, true);
	assert_int_equal(env_get(e, GSTS_REG), 0xc7800000);
	assert_int_equal(stats->misuse[VTDU_MISUSE_GCMD], 0);
	env_gcmd(e, GCMD_TE, false);
	env_gcmd(e, GCMD_QIE, false);
	env_gcmd(e, GCMD_IRE, false);
	env_gcmd(e, GCMD_CFI, false);
	assert_int_equal(env_get(e, GSTS_REG), GCMD_SRTP | GCMD_SIRTP);
	assert_int_equal(vtdu_misused(e->u), 0);
	/* Several at once: done, but counted */
	env_set32(e, GCMD_REG, GCMD_TE | GCMD_QIE);
	assert_int_equal(stats->misuse[VTDU_MISUSE_GCMD], 1);
	assert_int_equal(env_get(e, GSTS_REG) & (GCMD_TE | GCMD_QIE),
			 GCMD_TE | GCMD_QIE);
	/* Repeating a one-shot bit is a command, too. */
	env_set32(e, GCMD_REG, (uint32_t)env_get(e, GSTS_REG) & ~GCMD_QIE);
	assert_int_equal(stats->misuse[VTDU_MISUSE_GCMD], 2);
	env_free(e);

	e = env_new(&cfg);
	env_gcmd(e, GCMD_TE, true);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_ROOT], 1);
	env_set64(e, RTADDR_REG, 0x5000 | TTM_RESERVED << 10);
	env_gcmd(e, GCMD_SRTP, true);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_ROOT], 2);
	env_gcmd(e, GCMD_QIE, true);
	env_set64(e, RTADDR_REG, 0x5000 | TTM_SCALABLE << 10);
	env_gcmd(e, GCMD_SRTP, true);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_QI_DW], 1);
	env_set64(e, IQA_REG, 0x5000);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_QI_LIVE], 2);
	env_free(e);
}

/* Invalidation by register, in one access and in two */
static void test_register_invalidation(void **state)
{
	struct vtdu_config cfg = env_config();
	const uint64_t iova = 0x7654321000;
	struct env *e = env_legacy(&cfg, TT_PASS << 2);
	uint64_t at = env_legacy_entry(e, ENV_SID);
	uint32_t iotlb = ENV_IRO + 8;

	env_gcmd(e, GCMD_QIE, false);
	assert_int_equal(env_to(e, iova, R), iova);
	env_w64(e, at, 0);
	env_set64(e, CCMD_REG, CCMD_ICC | 3ULL << 61 | ENV_SID << 16 | 0x55);
	assert_int_equal(env_get(e, CCMD_REG) >> 59, 3 << 2 | 3);
	env_set64(e, iotlb, IOTLB_IVT | 1ULL << 60);
	assert_int_equal(env_get(e, iotlb) >> 57, 1 << 3 | 1);
	assert_int_equal(env_to(e, iova, R), iova);

	env_set32(e, CCMD_REG, ENV_SID << 16 | ENV_DID);
	env_set32(e, CCMD_REG + 4, 0xe0000000);
	assert_int_equal(e->inval[2].kind, VTDU_INVAL_CONTEXT);
	assert_int_equal(e->inval[2].sid, ENV_SID);
	assert_int_equal(e->inval[2].did, ENV_DID);
	assert_int_equal(env_to(e, iova, R), iova);
	env_set64(e, ENV_IRO, 0x40000000 | 18 | IVA_IH);
	env_set32(e, iotlb + 4, 0xb0000000 | (ENV_DID + 1));
	assert_int_equal(e->inval[3].am, 18);
	assert_true(e->inval[3].ih);
	assert_int_equal(env_to(e, iova, R), iova);
	env_set64(e, ENV_IRO, 0x7640000000 | 18);
	env_set32(e, iotlb + 4, 0xb0000000 | ENV_DID);
	assert_int_equal(env_get(e, iotlb) >> 57, 3 << 3 | 3);
	assert_int_equal(env_dma(e, iova, R), LCT_2);
	/* A granularity that does not exist does nothing. */
	env_set64(e, CCMD_REG, CCMD_ICC);
	assert_int_equal(env_get(e, CCMD_REG) >> 59, 0);
	assert_int_equal(vtdu_misused(e->u), 0);
	assert_int_equal(e->nr_inval, 5);

	/* Not while the queue is on */
	env_gcmd(e, GCMD_QIE, true);
	env_set64(e, CCMD_REG, CCMD_ICC | 1ULL << 61);
	assert_int_equal(env_get(e, CCMD_REG) >> 59, 1 << 2);
	env_set64(e, iotlb, IOTLB_IVT | 1ULL << 60);
	assert_int_equal(env_get(e, iotlb) >> 57, 1 << 3);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_REG_INVAL], 2);
	assert_int_equal(e->nr_inval, 5);
	env_free(e);

	/* nor from version 6 on */
	cfg.ver = 0x60;
	e = env_new(&cfg);
	env_set64(e, CCMD_REG, CCMD_ICC | 1ULL << 61);
	assert_int_equal(env_get(e, CCMD_REG) >> 59, 1 << 2);
	assert_int_equal(e->nr_inval, 0);
	env_free(e);
}

static void test_protected_memory(void **state)
{
	struct vtdu_config cfg = config();
	struct vtdu_result res;
	struct vtdu_request q = { .sid = ENV_SID, .access = W };
	struct env *e = env_new(&cfg);

	env_set32(e, PLMBASE_REG, 0x10000000);
	env_set32(e, PLMLIMIT_REG, 0x10000000);
	env_set64(e, PHMBASE_REG, 0x200000000);
	env_set64(e, PHMLIMIT_REG, 0x2fff00000);
	q.addr = 0x100fffff;
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_int_equal(res.outcome, VTDU_OK);
	env_set32(e, PMEN_REG, 1u << 31);
	env_request(e, &q, &res);
	assert_int_equal(res.outcome, VTDU_UR);
	q.addr = 0x10100000;
	env_request(e, &q, &res);
	assert_int_equal(res.outcome, VTDU_OK);
	q.addr = 0x2ffffffff;
	env_request(e, &q, &res);
	assert_int_equal(res.outcome, VTDU_UR);
	q.addr = 0x300000000;
	env_request(e, &q, &res);
	assert_int_equal(res.outcome, VTDU_OK);
	/* An interrupt, with translation or without */
	q.addr = 0xfee00000;
	assert_false(vtdu_translate(e->u, &q, &res));
	assert_int_equal(res.outcome, VTDU_INTERRUPT);
	q.at = VTDU_AT_TRANSLATION;
	vtdu_translate(e->u, &q, &res);
	assert_int_equal(res.outcome, VTDU_UR);
	assert_int_equal(res.fault, 0);
	env_free(e);
}

static void vcmd_old(struct env *e, uint64_t cmd, uint64_t response)
{
	env_set64(e, 0xe10, cmd);
	assert_int_equal(env_get(e, 0xe20), response);
}

static void vcmd_new(struct env *e, uint64_t cmd, uint64_t response)
{
	env_set32(e, 0xe04, cmd >> 32);
	env_set32(e, 0xe00, (uint32_t)cmd);
	assert_int_equal(env_get(e, 0xe10), response);
}

static void test_virtual_commands(void **state)
{
	struct vtdu_config cfg = env_config();
	struct env *e = env_new(&cfg);

	assert_int_equal(env_get(e, 0xe30), 1);
	vcmd_new(e, 1, 5 << 16);
	vcmd_new(e, 1, 6 << 16);
	vcmd_new(e, 2 | 5 << 16, 0);
	assert_int_equal(e->freed_pasid, 5);
	vcmd_new(e, 2 | 9 << 16, 16 << 1);
	vcmd_new(e, 3, 1 << 1);
	vcmd_new(e, 0, 0);
	e->next_pasid = 0xfffff;
	vcmd_new(e, 1, 0xfffffULL << 16);
	vcmd_new(e, 1, 16 << 1);
	vcmd_new(e, 2 | 0xffffeULL << 16, 0);
	assert_int_equal(e->freed_pasid, 0xffffe);
	env_free(e);

	cfg.vcmd_layout = VTDU_VCMD_32;
	e = env_new(&cfg);
	assert_int_equal(env_get(e, 0xe00), 1);
	vcmd_old(e, 1, 5 << 8);
	vcmd_old(e, 2 | 5 << 8, 0);
	assert_int_equal(e->freed_pasid, 5);
	vcmd_old(e, 2 | 9 << 8, 2 << 1);
	vcmd_old(e, 0x7f, 1 << 1);
	env_free(e);

	cfg.vccap = 0;
	e = env_new(&cfg);
	vcmd_old(e, 1, 1 << 1);
	env_free(e);
}

static bool no_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	return false;
}

static bool no_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	return false;
}

static bool no_swap(void *opaque, uint64_t addr, uint64_t *expected,
		    uint64_t desired)
{
	return false;
}

static void test_config(void **state)
{
	struct vtdu_ops ops = { no_read, no_write, no_swap };
	struct vtdu_config cfg = env_config(), bad;
	size_t size = vtdu_size(&cfg);
	char *mem = aligned_alloc(16, size + 16);

	assert_non_null(vtdu_init(mem, size, &cfg, &ops, NULL));
	assert_null(vtdu_init(mem, size - 1, &cfg, &ops, NULL));
	assert_null(vtdu_init(mem + 8, size, &cfg, &ops, NULL));
	ops.cmpxchg64 = NULL;
	assert_null(vtdu_init(mem, size, &cfg, &ops, NULL));

#define BAD(change)							\
do {									\
	bad = cfg;							\
	change;								\
	assert_int_equal(vtdu_size(&bad), 0);				\
	ops.cmpxchg64 = no_swap;					\
	assert_null(vtdu_init(mem, size, &bad, &ops, NULL));		\
} while (0)
	BAD(bad.haw = 31);
	BAD(bad.haw = 53);
	BAD(bad.ecap &= ~ECAP_QI);
	BAD(bad.cap |= CAP_AFL);
	BAD(bad.cap |= CAP_ECMDS);
	BAD(bad.ecap |= ECAP_PMS);
	BAD(bad.cap |= 7);
	BAD(bad.cap &= ~(31ULL << 8));
	BAD(bad.cap |= 1ULL << 8);
	BAD(bad.cap |= 63ULL << 16);
	BAD(bad.cap |= 0x3ffULL << 24);
	BAD(bad.cap = (cfg.cap & ~(0x3ffULL << 24)) | (ENV_IRO / 16ULL) << 24);
	BAD(bad.cap = (cfg.cap & ~(0x3ffULL << 24)) | 0xeULL << 24);
	BAD(bad.ecap = (cfg.ecap & ~(0x3ffULL << 8)) | 0xe0ULL << 8);
	BAD(bad.vcmd_layout = 2);
	BAD(bad.flags = 2);
	BAD(bad.nr_iotlb = 1u << 25);
	BAD(bad.nr_devtlb = 4097);
	free(mem);
	assert_string_equal(vtdu_misuse_name(VTDU_MISUSE_GCMD), "gcmd");
	assert_string_equal(vtdu_misuse_name(VTDU_MISUSE_NR), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		env_test(test_conformance),
		env_test(test_absent),
		env_test(test_access),
		env_test(test_commands),
		env_test(test_register_invalidation),
		env_test(test_protected_memory),
		env_test(test_virtual_commands),
		env_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
