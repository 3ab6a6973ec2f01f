// SPDX-License-Identifier: LGPL-2.1-or-later
/* Every fault reason of lib/vtd, from tables that are made to give it. */
#include "vtdu_env.h"

#define OUT	0x123456000ULL
#define IOVA	0x8000201000ULL

static struct env *e;
static uint64_t ss, leaf;	/* second-stage root, and leaf entry of IOVA */

static void legacy(uint64_t tt)
{
	struct vtdu_config cfg = env_config();

	e = env_legacy(&cfg, 0);
	ss = env_page(e);
	leaf = env_map_ss(e, ss, 4, IOVA, 1, OUT | SS_R | SS_W);
	env_w64(e, env_legacy_entry(e, ENV_SID), CTX_P | ss | tt << 2);
}

static void scalable(unsigned int pgtt)
{
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = pgtt };

	e = env_scalable(&cfg);
	ss = env_page(e);
	leaf = env_map_ss(e, ss, 4, IOVA, 1, OUT | SS_R | SS_W);
	p.ss_root = ss;
	env_set_pasid(e, 0, &p);
}

/* What is recorded of earlier requests goes. */
static void clear_faults(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		env_set32(e, ENV_FRO + i * 16 + 12, 1u << 31);
	env_set32(e, FSTS_REG, FSTS_PFO);
	assert_int_equal(env_get(e, FSTS_REG), 0);
}

/* One request, the fault that it meets, and its record */
static void expect(uint8_t code, uint64_t addr, uint8_t access)
{
	uint64_t lo, hi, index;

	clear_faults();
	assert_int_equal(env_dma(e, addr, access), code);
	index = env_get(e, FSTS_REG) >> 8;
	lo = env_get(e, ENV_FRO + (uint32_t)index * 16);
	hi = env_get(e, ENV_FRO + (uint32_t)index * 16 + 8);
	if (code) {
		assert_true(env_get(e, FSTS_REG) & FSTS_PPF);
		assert_int_equal(lo, addr & ~0xfffULL & ((1ULL << 57) - 1));
		assert_int_equal(hi >> 63, 1);
		assert_int_equal(hi >> 32 & 0xff, code);
		assert_int_equal(hi & 0xffff, ENV_SID);
		assert_int_equal(hi >> 62 & 1, !!(access & VTDU_READ));
		assert_int_equal(hi >> 28 & 1, access == RW);
	} else {
		assert_int_equal(env_get(e, FSTS_REG), 0);
	}
}

static void expect_pasid(uint8_t code, uint32_t pasid, uint64_t addr,
			 uint8_t access)
{
	uint64_t hi;
	uint32_t at;

	clear_faults();
	assert_int_equal(env_dma_pasid(e, pasid, addr, access), code);
	if (!code)
		return;
	at = ENV_FRO + (uint32_t)(env_get(e, FSTS_REG) >> 8) * 16 + 8;
	hi = env_get(e, at);
	assert_int_equal(hi >> 32 & 0xff, code);
	assert_int_equal(hi >> 31 & 1, 1);
	assert_int_equal(hi >> 40 & 0xfffff, pasid);
}

/* Forget all and change 8 bytes for as long as a statement takes */
static void forget(void)
{
	env_submit(e, env_desc(QI_CONTEXT, G_GLOBAL, 0), 0);
	if (env_get(e, IQA_REG) & IQA_DW)
		env_submit(e, env_desc(QI_PASID, G_PC_GLOBAL, 0), 0);
	env_submit(e, env_desc(QI_IOTLB, G_GLOBAL, 0), 0);
}

#define WITH(at, value, statement)					\
do {									\
	uint64_t at_ = (at), old_ = env_r64(e, at_);			\
									\
	env_w64(e, at_, value);						\
	forget();							\
	statement;							\
	env_w64(e, at_, old_);						\
	forget();							\
} while (0)

#define WITHOUT_PAGE(at, statement)					\
do {									\
	e->no_read = (at);						\
	forget();							\
	statement;							\
	e->no_read = ENV_NONE;						\
	forget();							\
} while (0)

static void test_legacy_structures(void **state)
{
	uint64_t root, ctx;

	legacy(TT_UNTRANSLATED);
	root = e->root + (ENV_SID >> 8) * 16;
	ctx = env_legacy_entry(e, ENV_SID);
	expect(0, IOVA, RW);

	WITHOUT_PAGE(e->root, expect(LRT_1, IOVA, R));
	WITH(root, 0, expect(LRT_2, IOVA, R));
	WITH(root, env_r64(e, root) | 2, expect(LRT_3, IOVA, R));
	WITH(root, env_r64(e, root) | 1ULL << 46, expect(LRT_3, IOVA, W));
	WITH(root + 8, 1, expect(LRT_3, IOVA, W));

	WITHOUT_PAGE(ctx, expect(LCT_1, IOVA, R));
	WITH(ctx, 0, expect(LCT_2, IOVA, R));
	WITH(ctx, env_r64(e, ctx) | 1 << 4, expect(LCT_3, IOVA, R));
	WITH(ctx, env_r64(e, ctx) | 1ULL << 46, expect(LCT_3, IOVA, R));
	WITH(ctx + 8, env_r64(e, ctx + 8) | 1 << 7, expect(LCT_3, IOVA, R));
	WITH(ctx + 8, env_r64(e, ctx + 8) | 1 << 24, expect(LCT_3, IOVA, R));
	WITH(ctx + 8, env_r64(e, ctx + 8) | 1 << 3, expect(0, IOVA, R));
	WITH(ctx + 8, ENV_DID << 8 | 0, expect(LCT_4, IOVA, R));
	WITH(ctx + 8, ENV_DID << 8 | 4, expect(LCT_4, IOVA, R));
	WITH(ctx, env_r64(e, ctx) | 3 << 2, expect(LCT_4, IOVA, R));
	WITHOUT_PAGE(ss, expect(LCT_4, IOVA, R));
	env_free(e);
}

static void test_legacy_paging(void **state)
{
	uint64_t pde, pml4;

	legacy(TT_UNTRANSLATED);
	pde = env_entry(e, ss, 4, IOVA, 2, 0);
	pml4 = env_entry(e, ss, 4, IOVA, 4, 0);
	WITHOUT_PAGE(leaf, expect(LSS_1, IOVA, R));
	WITHOUT_PAGE(pde, expect(LSS_1, IOVA, R));
	WITH(leaf, 0, expect(LGN_3, IOVA, R));
	WITH(leaf, 0, expect(LGN_2, IOVA, W));
	WITH(leaf, OUT | SS_R, expect(LGN_2, IOVA, W));
	WITH(leaf, OUT | SS_R, expect(0, IOVA, R));
	WITH(leaf, OUT | SS_R, expect(LGN_2, IOVA, RW));
	WITH(leaf, OUT | SS_W, expect(LGN_3, IOVA, R));
	WITH(leaf, OUT | SS_W, expect(LGN_3, IOVA, RW));
	WITH(pde, env_r64(e, pde) & ~2ULL, expect(LGN_2, IOVA, W));
	WITH(pde, 0, expect(LGN_3, IOVA, R));

	WITH(leaf, OUT | SS_R | 1ULL << 46, expect(LSS_2, IOVA, R));
	WITH(leaf, OUT | SS_R | 1ULL << 51, expect(LSS_2, IOVA, R));
	WITH(leaf, OUT | SS_R | 1ULL << 52, expect(0, IOVA, R));
	WITH(leaf, OUT | SS_R | 1ULL << 61, expect(0, IOVA, R));
	WITH(leaf, OUT | SS_R | 1ULL << 62, expect(LSS_2, IOVA, R));
	WITH(leaf, OUT | SS_R | 1ULL << 63, expect(0, IOVA, R));
	WITH(leaf, OUT | SS_R | SS_SNP, expect(0, IOVA, R));
	WITH(pde, env_r64(e, pde) | SS_SNP, expect(LSS_2, IOVA, R));
	WITH(pml4, env_r64(e, pml4) | ENTRY_PS, expect(LSS_2, IOVA, R));
	WITH(pde, 0x200000 | SS_R | ENTRY_PS, expect(0, IOVA, R));
	WITH(pde, 0x201000 | SS_R | ENTRY_PS, expect(LSS_2, IOVA, R));
	/* Not present: reserved bits do not matter. */
	WITH(leaf, 1ULL << 46, expect(LGN_3, IOVA, R));

	expect(LGN_1, 1ULL << 48, R);
	expect(LGN_1, ~0xfffULL, W);
	WITH(leaf, 0xfee00000 | SS_R | SS_W, expect(LGN_4, IOVA, W));
	WITH(leaf, 0xfeeff000 | SS_R | SS_W, expect(LGN_4, IOVA, R));
	WITH(leaf, 0xfef00000 | SS_R | SS_W, expect(0, IOVA, R));
	env_free(e);
}

static void test_legacy_modes(void **state)
{
	struct vtdu_request q = { .sid = ENV_SID, .addr = IOVA, .access = R };
	struct vtdu_result res;
	uint64_t ctx;

	legacy(TT_PASS);
	ctx = env_legacy_entry(e, ENV_SID);
	expect(0, IOVA, RW);
	assert_int_equal(env_to(e, IOVA, RW), IOVA);
	expect(LGN_1, 1ULL << 46, R);
	expect(LGN_4, 0xfee00000, R);
	q.at = VTDU_AT_TRANSLATION;
	assert_int_equal(env_request(e, &q, &res), LCT_5);
	assert_int_equal(res.outcome, VTDU_UR);
	q.at = VTDU_AT_TRANSLATED;
	assert_int_equal(env_request(e, &q, &res), LCT_5);

	env_w64(e, ctx, CTX_P | ss | TT_ATS << 2);
	forget();
	q.addr = OUT;
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_int_equal(res.addr, OUT);
	q.addr = 0xfee01000;
	assert_int_equal(env_request(e, &q, &res), LGN_4);
	q.addr = 1ULL << 46;
	assert_int_equal(env_request(e, &q, &res), LGN_1);
	q.at = 3;
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_int_equal(res.outcome, VTDU_UR);

	expect_pasid(RTA_2, 3, IOVA, R);
	env_free(e);
}

static void test_root_modes(void **state)
{
	struct vtdu_config cfg = env_config();
	struct vtdu_request q = { .sid = ENV_SID, .addr = IOVA, .access = R };
	struct vtdu_result res;

	cfg.cap |= CAP_ESRTPS;
	e = env_legacy(&cfg, 0);
	env_set64(e, RTADDR_REG, e->root | TTM_RESERVED << 10);
	env_gcmd(e, GCMD_SRTP, true);
	expect(RTA_1, IOVA, R);
	q.at = VTDU_AT_TRANSLATION;
	assert_int_equal(env_request(e, &q, &res), RTA_1);
	assert_int_equal(res.outcome, VTDU_CA);
	env_set64(e, RTADDR_REG, TTM_ABORT << 10);
	env_gcmd(e, GCMD_SRTP, true);
	expect(RTA_4, IOVA, R);
	assert_int_equal(env_request(e, &q, &res), RTA_4);
	assert_int_equal(res.outcome, VTDU_UR);
	env_free(e);

	cfg.ecap &= ~(ECAP_SMTS | ECAP_ADMS);
	e = env_legacy(&cfg, 0);
	env_set64(e, RTADDR_REG, e->root | TTM_SCALABLE << 10);
	env_gcmd(e, GCMD_SRTP, true);
	expect(RTA_1, IOVA, R);
	env_set64(e, RTADDR_REG, e->root | TTM_ABORT << 10);
	env_gcmd(e, GCMD_SRTP, true);
	expect(RTA_1, IOVA, R);
	env_free(e);
}

static void test_scalable_structures(void **state)
{
	uint64_t root, ctx, dir, pasid, low;
	unsigned int i;

	scalable(PGTT_SS);
	root = e->root + (ENV_SID >> 8) * 16;
	ctx = env_scalable_entry(e, ENV_SID);
	dir = e->dir;
	pasid = env_pasid_entry(e, dir, 0);
	expect(0, IOVA, RW);

	WITHOUT_PAGE(e->root, expect(SRT_1, IOVA, R));
	WITH(root, 0, expect(SRT_2, IOVA, R));
	WITH(root, env_r64(e, root) | 1 << 11, expect(SRT_3, IOVA, R));
	WITH(root, env_r64(e, root) | 1ULL << 46, expect(SRT_3, IOVA, R));
	/* The other half is not asked. */
	WITH(root + 8, 0xffe, expect(0, IOVA, R));

	WITHOUT_PAGE(ctx, expect(SCT_1, IOVA, R));
	WITH(ctx, 0, expect(SCT_2, IOVA, R));
	WITH(ctx, env_r64(e, ctx) | 1 << 5, expect(SCT_3, IOVA, R));
	WITH(ctx, env_r64(e, ctx) | 1ULL << 50, expect(SCT_3, IOVA, R));
	WITH(ctx + 8, 1ULL << 21, expect(SCT_3, IOVA, R));
	WITH(ctx + 16, 1, expect(SCT_3, IOVA, R));
	WITH(ctx + 24, 1ULL << 63, expect(SCT_3, IOVA, R));
	WITH(ctx, dir | CTX_P | SCTX_PRE, expect(SCT_4, IOVA, R));
	WITH(ctx + 8, 1 << 13, expect(SCT_4, IOVA, R));

	WITH(ctx, dir | CTX_P | SCTX_DTE, expect_pasid(SCT_6, 1, IOVA, R));
	expect_pasid(SCT_7, 1 << 13, IOVA, R);
	expect_pasid(SCT_9, 0, IOVA, R);

	WITHOUT_PAGE(dir, expect(SPD_1, IOVA, R));
	WITH(dir, 0, expect(SPD_2, IOVA, R));
	WITH(dir, env_r64(e, dir) | 4, expect(SPD_3, IOVA, R));
	WITH(dir, env_r64(e, dir) | 1ULL << 47, expect(SPD_3, IOVA, R));

	WITHOUT_PAGE(pasid, expect(SPT_1, IOVA, R));
	low = env_r64(e, pasid);
	WITH(pasid, low & ~1ULL, expect(SPT_2, IOVA, R));
	WITH(pasid, low | 1 << 5, expect(SPT_3, IOVA, R));
	WITH(pasid, low | 1 << 10, expect(SPT_3, IOVA, R));
	WITH(pasid, low | 1ULL << 46, expect(SPT_3, IOVA, R));
	WITH(pasid + 8, ENV_DID | 1 << 16, expect(SPT_3, IOVA, R));
	WITH(pasid + 8, ENV_DID | 1 << 25, expect(SPT_3, IOVA, R));
	WITH(pasid + 8, ENV_DID | 1ULL << 40, expect(SPT_3, IOVA, R));
	WITH(pasid + 16, 2, expect(SPT_3, IOVA, R));
	WITH(pasid + 16, 1 << 8, expect(SPT_3, IOVA, R));
	WITH(pasid + 16, 3 << 5, expect(0, IOVA, R));
	for (i = 24; i < 64; i += 8)
		WITH(pasid + i, 1ULL << i, expect(SPT_3, IOVA, R));
	for (i = 0; i < 8; i++)
		if (!i || i > PGTT_PT)
			WITH(pasid, (low & ~(7ULL << 6)) | i << 6,
			     expect(SPT_4, IOVA, R));
	for (i = 0; i < 8; i++)
		if (!i || i > 3)
			WITH(pasid, (low & ~(7ULL << 2)) | i << 2,
			     expect(SPT_4, IOVA, R));
	WITH(pasid + 16, 2 << 2, expect(0, IOVA, R));
	env_free(e);
}

static void test_scalable_second_stage(void **state)
{
	uint64_t pde, pasid;

	scalable(PGTT_SS);
	pde = env_entry(e, ss, 4, IOVA, 2, 0);
	pasid = env_pasid_entry(e, e->dir, 0);
	WITHOUT_PAGE(ss, expect(SSS_4, IOVA, R));
	WITHOUT_PAGE(leaf, expect(SSS_1, IOVA, R));
	WITH(leaf, 0, expect(SSS_2, IOVA, R));
	WITH(leaf, 0, expect(SSS_2, IOVA, W));
	WITH(leaf, OUT | SS_R | 1ULL << 46, expect(SSS_3, IOVA, R));
	WITH(leaf, OUT | SS_R, expect(SGN_6, IOVA, W));
	WITH(leaf, OUT | SS_W, expect(SGN_7, IOVA, R));
	/* Read here, write there: together nothing. */
	e->mem[leaf] &= ~2;
	WITH(pde, env_r64(e, pde) & ~1ULL, expect(SSS_2, IOVA, R));
	e->mem[leaf] |= 2;
	expect(SGN_5, 1ULL << 48, R);
	WITH(leaf, 0xfee00000 | SS_R | SS_W, expect(SGN_8, IOVA, W));
	expect(SGN_8, 0xfee00000, R);
	expect(SGN_8, 0xfee00000, RW);

	/* Accessed and dirty bits, and what hinders them */
	WITH(pasid, env_r64(e, pasid) | PASID_SSADE, expect(SSS_5, IOVA, R));
	env_w64(e, pasid + 8, ENV_DID | PASID_PWSNP);
	e->no_write = leaf;
	WITH(pasid, env_r64(e, pasid) | PASID_SSADE, expect(SSS_6, IOVA, R));
	e->no_write = ENV_NONE;
	e->meddle = leaf;
	WITH(pasid, env_r64(e, pasid) | PASID_SSADE, expect(SSS_6, IOVA, R));
	e->meddle = ENV_NONE;
	WITH(pasid, env_r64(e, pasid) | PASID_SSADE, expect(0, IOVA, R));
	env_free(e);
}

static void test_pass_through(void **state)
{
	struct vtdu_request q = { .sid = ENV_SID, .access = R };
	struct vtdu_result res;

	scalable(PGTT_PT);
	expect(0, IOVA, RW);
	assert_int_equal(env_to(e, IOVA, RW), IOVA);
	expect(SGN_4, 1ULL << 46, R);
	q.at = VTDU_AT_TRANSLATED;
	q.addr = 1ULL << 46;
	assert_int_equal(env_request(e, &q, &res), SGN_4);
	q.addr = 0xfee00000;
	assert_int_equal(env_request(e, &q, &res), SGN_8);
	q.addr = OUT;
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_int_equal(res.mode, VTDU_MODE_TRANSLATED);
	q.has_pasid = true;
	q.pasid = 1;
	assert_int_equal(env_request(e, &q, &res), SCT_10);
	WITH(env_scalable_entry(e, ENV_SID), e->dir | CTX_P,
	     assert_int_equal(env_request(e, &q, &res), SCT_5));
	env_free(e);
}

static void test_first_stage(void **state)
{
	const uint64_t all = FS_P | FS_RW | FS_US | FS_A | FS_D;
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = PGTT_FS };
	uint64_t fs, at, pde, pasid, low;
	unsigned int i;

	e = env_scalable(&cfg);
	fs = env_page(e);
	at = env_map_fs(e, fs, 4, IOVA, 1, OUT | all, 0);
	pde = env_entry(e, fs, 4, IOVA, 2, 0);
	for (i = 2; i <= 4; i++) {
		low = env_entry(e, fs, 4, IOVA, i, 0);
		env_w64(e, low, env_r64(e, low) | FS_A);
	}
	p.fs_root = fs;
	p.q[1] = PASID_PWSNP;
	env_set_pasid(e, 1, &p);
	env_set_pasid(e, 0, &p);
	pasid = env_pasid_entry(e, e->dir, 1);
	expect_pasid(0, 1, IOVA, RW);
	expect(0, IOVA, RW);

	WITHOUT_PAGE(fs, expect_pasid(SFS_4, 1, IOVA, R));
	WITHOUT_PAGE(at, expect_pasid(SFS_1, 1, IOVA, R));
	WITH(at, 0, expect_pasid(SFS_2, 1, IOVA, R));
	WITH(pde, 0, expect_pasid(SFS_2, 1, IOVA, R));
	WITH(at, OUT | all | 1ULL << 46, expect_pasid(SFS_3, 1, IOVA, R));
	WITH(at, OUT | all | 1ULL << 52 | FS_XD, expect_pasid(0, 1, IOVA, R));
	WITH(pde, 0x202000 | all | ENTRY_PS, expect_pasid(SFS_3, 1, IOVA, R));
	WITH(pde, 0x201000 | all | ENTRY_PS, expect_pasid(0, 1, IOVA, R));
	WITH(env_entry(e, fs, 4, IOVA, 4, 0), all | ENTRY_PS | 0x1000,
	     expect_pasid(SFS_3, 1, IOVA, R));
	expect_pasid(SGN_1, 1, 1ULL << 47, R);
	expect_pasid(SGN_1, 1, 1ULL << 60, R);
	expect_pasid(SFS_2, 1, ~0xfffULL, R);
	WITH(at, OUT | (all & ~FS_US), expect_pasid(SGN_2, 1, IOVA, R));
	WITH(pde, env_r64(e, pde) & ~FS_US, expect_pasid(SGN_2, 1, IOVA, R));
	WITH(at, OUT | (all & ~FS_RW), expect_pasid(SGN_6, 1, IOVA, W));
	WITH(at, OUT | (all & ~FS_RW), expect_pasid(0, 1, IOVA, R));
	WITH(at, 0xfee00000 | all, expect_pasid(SGN_8, 1, IOVA, R));
	/* With PASID it is an address as any other. */
	expect_pasid(SFS_2, 1, 0xfee00000, R);

	WITH(pasid + 16, fs | 2 << 2, expect_pasid(SPT_4, 1, IOVA, R));
	WITH(pasid + 16, fs | 1 << 8, expect_pasid(SPT_3, 1, IOVA, R));
	expect_pasid(SPT_5, 1, IOVA, R | X);

	/* Accessed and dirty bits that cannot be set */
	WITH(at, OUT | (all & ~FS_A), expect_pasid(0, 1, IOVA, R));
	WITH(pasid + 8, ENV_DID,
	     WITH(at, OUT | (all & ~FS_A), expect_pasid(SFS_9, 1, IOVA, R)));
	WITH(pasid + 8, ENV_DID,
	     WITH(at, OUT | (all & ~FS_D), expect_pasid(SFS_9, 1, IOVA, W)));
	WITH(pasid + 8, ENV_DID,
	     WITH(at, OUT | (all & ~FS_D), expect_pasid(0, 1, IOVA, R)));
	WITH(pasid + 8, ENV_DID,
	     WITH(pde, env_r64(e, pde) & ~FS_A,
		  expect_pasid(SFS_9, 1, IOVA, R)));
	e->no_write = at;
	WITH(at, OUT | (all & ~FS_A), expect_pasid(SFS_10, 1, IOVA, R));
	e->no_write = ENV_NONE;
	e->meddle = at;
	WITH(at, OUT | (all & ~FS_A), expect_pasid(SFS_10, 1, IOVA, R));
	e->meddle = pde;
	WITH(pde, env_r64(e, pde) & ~FS_A, expect_pasid(SFS_10, 1, IOVA, R));
	env_free(e);
}

static void test_privilege(void **state)
{
	const uint64_t all = FS_P | FS_RW | FS_US | FS_A | FS_D;
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = PGTT_FS };
	struct vtdu_request q = {
		.sid = ENV_SID, .has_pasid = true, .pasid = 1, .priv = true,
		.addr = IOVA, .access = R,
	};
	struct vtdu_result res;
	uint64_t at, pasid;

	cfg.ecap |= ECAP_ERS;
	e = env_scalable(&cfg);
	p.fs_root = env_page(e);
	p.q[1] = PASID_PWSNP;
	at = env_map_fs(e, p.fs_root, 4, IOVA, 1, OUT | all, 0);
	env_set_pasid(e, 1, &p);
	pasid = env_pasid_entry(e, e->dir, 1) + 16;

	assert_int_equal(env_request(e, &q, &res), SPT_6);
	WITH(pasid, p.fs_root | PASID_SRE,
	     assert_int_equal(env_request(e, &q, &res), 0));
	WITH(pasid, p.fs_root | PASID_SRE, WITH(at, OUT | (all & ~FS_US),
	     assert_int_equal(env_request(e, &q, &res), 0)));
	q.access = W;
	WITH(pasid, p.fs_root | PASID_SRE, WITH(at, OUT | (all & ~FS_RW),
	     assert_int_equal(env_request(e, &q, &res), 0)));
	WITH(pasid, p.fs_root | PASID_SRE | PASID_WPE,
	     WITH(at, OUT | (all & ~FS_RW),
		  assert_int_equal(env_request(e, &q, &res), SGN_6)));

	/* Execution, as older revisions have it */
	q.access = R | X;
	q.priv = false;
	assert_int_equal(env_request(e, &q, &res), SPT_5);
	WITH(pasid, p.fs_root | PASID_ERE,
	     assert_int_equal(env_request(e, &q, &res), 0));
	WITH(pasid, p.fs_root | PASID_ERE, WITH(at, OUT | all | FS_XD,
	     assert_int_equal(env_request(e, &q, &res), 0)));
	WITH(pasid, p.fs_root | PASID_ERE | PASID_NXE,
	     WITH(at, OUT | all | FS_XD,
		  assert_int_equal(env_request(e, &q, &res), SGN_3)));
	q.priv = true;
	WITH(pasid, p.fs_root | PASID_ERE | PASID_SRE | PASID_SMEP,
	     assert_int_equal(env_request(e, &q, &res), SGN_3));
	env_free(e);

	/* Version 8: none of it */
	cfg.ver = 0x80;
	e = env_scalable(&cfg);
	assert_int_equal(env_request(e, &q, &res), RTA_5);
	env_free(e);
}

/* Fields of what the unit does not have are reserved. */
static void test_capabilities(void **state)
{
	static const struct {
		uint64_t ecap;
		unsigned int word;
		uint64_t bits;
	} fields[] = {
		{ ECAP_SSADS, 0, PASID_SSADE },
		{ ECAP_SMPWCS, 1, PASID_PWSNP },
		{ ECAP_SC, 1, PASID_PGSNP },
		{ ECAP_SRS, 2, PASID_SRE },
		{ ECAP_EAFS, 2, PASID_EAFE },
		{ ECAP_FSTS, 2, PASID_WPE },
		{ ECAP_FSTS, 2, 1ULL << 20 },
		{ ECAP_SSTS, 0, 1ULL << 20 },
	};
	struct vtdu_config cfg;
	unsigned int i, without;
	uint64_t at;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
	for (without = 0; without < 2; without++) {
		struct env_pasid p = { .pgtt = PGTT_PT };

		cfg = env_config();
		if (without)
			cfg.ecap &= ~fields[i].ecap;
		e = env_scalable(&cfg);
		p.q[fields[i].word] = fields[i].bits;
		env_set_pasid(e, 0, &p);
		expect(without ? SPT_3 : 0, IOVA, R);
		env_free(e);
	}

	/* Kinds of translation */
	for (i = PGTT_FS; i <= PGTT_PT; i++) {
		static const uint64_t bits[] = { 0, ECAP_FSTS, ECAP_SSTS,
						 ECAP_NEST, ECAP_PT };

		cfg = env_config();
		cfg.ecap &= ~bits[i];
		e = env_scalable(&cfg);
		at = env_pasid_entry(e, e->dir, 0);
		env_w64(e, at, PASID_P | 2 << 2 | i << 6);
		expect(SPT_4, IOVA, R);
		env_free(e);
	}

	/* and of context entries */
	for (i = 2; i < 5; i++) {
		static const uint64_t bits[] = { 0, 0, ECAP_DT, ECAP_PASID,
						 ECAP_PRS };

		cfg = env_config();
		cfg.ecap &= ~bits[i];
		e = env_scalable(&cfg);
		expect(SCT_3, IOVA, R);
		env_free(e);
	}
	for (i = TT_ATS; i <= TT_PASS; i++) {
		cfg = env_config();
		cfg.ecap &= ~(i == TT_ATS ? ECAP_DT : ECAP_PT);
		e = env_legacy(&cfg, i << 2);
		expect(LCT_4, IOVA, R);
		env_free(e);
	}

	/* Large pages, and the snoop bit */
	cfg = env_config();
	cfg.cap &= ~(CAP_SSLPS_1G | CAP_FS1GP | CAP_SSLPS_2M);
	cfg.ecap &= ~ECAP_SC;
	e = env_legacy(&cfg, 0);
	ss = env_page(e);
	env_w64(e, env_legacy_entry(e, ENV_SID), CTX_P | ss);
	env_map_ss(e, ss, 4, 0, 3, SS_R);
	env_map_ss(e, ss, 4, 0x40000000, 2, SS_R);
	env_map_ss(e, ss, 4, 0x80000000, 1, SS_R | SS_SNP);
	expect(LSS_2, 0, R);
	expect(LSS_2, 0x40000000, R);
	expect(LSS_2, 0x80000000, R);
	env_free(e);
	e = env_scalable(&cfg);
	{
		struct env_pasid p = { .pgtt = PGTT_FS, .q[1] = PASID_PWSNP };

		p.fs_root = env_page(e);
		env_map_fs(e, p.fs_root, 4, 0, 3, FS_P | FS_US, 0);
		env_map_fs(e, p.fs_root, 4, 0x40000000, 2, FS_P | FS_US, 0);
		env_set_pasid(e, 0, &p);
		expect(SFS_3, 0, R);
		expect(0, 0x40000000, R);
	}
	env_free(e);
}

/* Requests without PASID get their privilege and their PASID from RID_*. */
static void test_rid(void **state)
{
	const uint64_t all = FS_P | FS_RW | FS_A | FS_D;
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = PGTT_FS };
	uint64_t ctx;

	e = env_scalable(&cfg);
	p.fs_root = env_page(e);
	p.q[1] = PASID_PWSNP;
	p.q[2] = PASID_SRE;
	env_map_fs(e, p.fs_root, 4, IOVA, 1, OUT | all, 0);
	env_set_pasid(e, 77, &p);
	ctx = env_scalable_entry(e, ENV_SID);
	expect(SPD_2, IOVA, R);
	WITH(ctx + 8, 78, expect(SPT_2, IOVA, R));
	WITH(ctx + 8, 77, expect(SGN_2, IOVA, R));
	WITH(ctx + 8, 77 | SCTX_RID_PRIV, expect(0, IOVA, R));
	WITH(ctx + 8, 77 | SCTX_RID_PRIV, {
		expect(0, IOVA, R);
		expect(0, IOVA, W);
		expect_pasid(SCT_9, 77, IOVA, R);
	});
	WITH(ctx + 8, 77 | SCTX_RID_PRIV, {
		p.q[2] = 0;
		env_set_pasid(e, 77, &p);
		expect(SPT_6, IOVA, R);
	});
	env_free(e);

	cfg.ecap &= ~(ECAP_RPS | ECAP_RPRIVS);
	e = env_scalable(&cfg);
	env_w64(e, env_scalable_entry(e, ENV_SID) + 8, 77);
	expect(SCT_3, IOVA, R);
	env_free(e);

	cfg.ecap |= ECAP_RPS;
	e = env_scalable(&cfg);
	env_w64(e, env_scalable_entry(e, ENV_SID) + 8, SCTX_RID_PRIV);
	expect(SCT_3, IOVA, R);
	env_free(e);

	/* PASIDs that the unit does not have, though the directory does */
	cfg = env_config();
	cfg.ecap &= ~(31ULL << 35);
	cfg.ecap |= 7ULL << 35;
	e = env_scalable(&cfg);
	expect_pasid(SPD_2, 255, IOVA, R);
	expect_pasid(SGN_10, 256, IOVA, R);
	env_free(e);
}

/* Widths that are smaller than the tables' */
static void test_widths(void **state)
{
	struct env_pasid p = { .pgtt = PGTT_NESTED };
	struct vtdu_config cfg = env_config();

	/* 16 domains, 40 bits of guest addresses */
	cfg.cap &= ~(7ULL | 63ULL << 16);
	cfg.cap |= 39ULL << 16;
	e = env_legacy(&cfg, TT_PASS << 2);
	expect(0, IOVA, R);
	WITH(env_legacy_entry(e, ENV_SID) + 8, 2 | 15 << 8, expect(0, IOVA, R));
	assert_int_equal(vtdu_misused(e->u), 0);
	WITH(env_legacy_entry(e, ENV_SID) + 8, 2 | 16 << 8,
	     expect(LCT_3, IOVA, R));
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_DID], 1);
	/* Invalidations ignore the bits that domains do not have. */
	assert_int_equal(env_to(e, IOVA, R), IOVA);
	env_submit(e, env_desc(QI_IOTLB, G_DOMAIN, ENV_DID | 0xff0), 0);
	assert_int_equal(vtdu_cached(e->u, VTDU_CACHE_IOTLB), 0);
	env_free(e);

	e = env_legacy(&cfg, 0);
	ss = env_page(e);
	env_w64(e, env_legacy_entry(e, ENV_SID), CTX_P | ss);
	expect(LGN_3, 0xffffffffff, R);
	expect(LGN_1, 1ULL << 40, R);
	env_free(e);

	e = env_scalable(&cfg);
	p.did = 16;
	env_set_pasid(e, 0, &p);
	expect(SPT_3, IOVA, R);
	p.did = 15;
	p.fs_root = 1ULL << 40;
	env_set_pasid(e, 0, &p);
	expect(SPT_4, IOVA, R);
	p.fs_root = 0xfffffff000;
	env_set_pasid(e, 0, &p);
	expect(SSS_2, IOVA, R);
	env_free(e);
}

/* Functions from 16.0 on are in the upper half of the root entry. */
static void test_upper_half(void **state)
{
	struct vtdu_request q = { .sid = 0x01fe, .addr = IOVA, .access = R };
	struct vtdu_result res;
	uint64_t root, ctx;

	scalable(PGTT_PT);
	assert_int_equal(env_request(e, &q, &res), SRT_2);
	ctx = env_scalable_entry(e, q.sid);
	root = e->root + 16 + 8;
	assert_int_equal(env_r64(e, root), (ctx & ~0xfffULL) | 1);
	assert_int_equal(ctx & 0xfff, 0x7e * 32);
	assert_int_equal(env_request(e, &q, &res), SCT_2);
	env_w64(e, ctx, e->dir | CTX_P);
	assert_int_equal(env_request(e, &q, &res), 0);
	WITH(root, env_r64(e, root) | 2,
	     assert_int_equal(env_request(e, &q, &res), SRT_3));
	WITH(root, env_r64(e, root) | 2, expect(0, IOVA, R));
	env_free(e);
}

static void test_fpd(void **state)
{
	struct vtdu_request q = { .sid = ENV_SID, .addr = IOVA, .access = R };
	struct vtdu_result res;
	uint64_t ctx, pasid;

	scalable(PGTT_SS);
	ctx = env_scalable_entry(e, ENV_SID);
	pasid = env_pasid_entry(e, e->dir, 0);
	env_w64(e, leaf, 0);
	WITH(ctx, env_r64(e, ctx) | CTX_FPD,
	     assert_int_equal(env_request(e, &q, &res), SSS_2));
	assert_false(res.recorded);
	WITH(e->dir, env_r64(e, e->dir) | PDIR_FPD,
	     assert_int_equal(env_request(e, &q, &res), SSS_2));
	assert_false(res.recorded);
	WITH(pasid, env_r64(e, pasid) | PASID_FPD,
	     assert_int_equal(env_request(e, &q, &res), SSS_2));
	assert_false(res.recorded);
	WITH(pasid, PASID_FPD,
	     assert_int_equal(env_request(e, &q, &res), SPT_2));
	assert_false(res.recorded);
	WITH(ctx, CTX_FPD, assert_int_equal(env_request(e, &q, &res), SCT_2));
	assert_false(res.recorded);
	assert_int_equal(env_get(e, FSTS_REG), 0);
	/* Not a qualified one */
	WITH(ctx, env_r64(e, ctx) | CTX_FPD,
	     WITHOUT_PAGE(e->dir,
			  assert_int_equal(env_request(e, &q, &res), SPD_1)));
	assert_true(res.recorded);
	assert_true(env_get(e, FSTS_REG) & FSTS_PPF);
	env_free(e);
}

static void test_recording(void **state)
{
	struct vtdu_log l;
	uint64_t seq = 0;
	unsigned int i;

	legacy(TT_UNTRANSLATED);
	env_set32(e, FEDATA_REG, 0xabcd1234);
	env_set32(e, FEADDR_REG, 0xfee00018);
	/* Masked: pending */
	assert_int_equal(env_dma(e, 0x5000, R), LGN_3);
	assert_int_equal(e->nr_msi, 0);
	assert_int_equal(env_get(e, FECTL_REG), EVENT_IM | EVENT_IP);
	env_set32(e, FECTL_REG, 0);
	assert_int_equal(e->nr_msi, 1);
	assert_int_equal(e->msi[0].event, VTDU_EVENT_FAULT);
	assert_int_equal(e->msi[0].addr, 0xfee00018);
	assert_int_equal(e->msi[0].data, 0x1234);
	assert_int_equal(env_get(e, FECTL_REG), 0);
	/* More of them are not a new condition; the fifth is too many. */
	for (i = 1; i < 4; i++)
		assert_int_equal(env_dma(e, 0x5000 + i * 0x1000, R), LGN_3);
	assert_int_equal(env_get(e, FSTS_REG), FSTS_PPF);
	assert_int_equal(env_dma(e, 0x9000, W), LGN_2);
	assert_int_equal(env_get(e, FSTS_REG), FSTS_PPF | FSTS_PFO);
	assert_int_equal(e->nr_msi, 1);
	for (i = 0; i < 4; i++) {
		assert_int_equal(env_get(e, ENV_FRO + i * 16),
				 0x5000 + i * 0x1000);
		env_set32(e, ENV_FRO + i * 16 + 12, 1u << 31);
	}
	assert_int_equal(env_get(e, FSTS_REG), FSTS_PFO);
	/* Until the overflow is cleared nothing is recorded. */
	assert_int_equal(env_dma(e, 0xa000, R), LGN_3);
	assert_int_equal(env_get(e, FSTS_REG), FSTS_PFO);
	env_set32(e, FSTS_REG, FSTS_PFO);
	assert_int_equal(env_get(e, FSTS_REG), 0);
	/* Where it went on: the next register, which is the first again */
	assert_int_equal(env_dma(e, 0xb000, R), LGN_3);
	assert_int_equal(env_get(e, FSTS_REG), FSTS_PPF);
	assert_int_equal(env_get(e, ENV_FRO), 0xb000);
	assert_int_equal(env_dma(e, 0xc000, R), LGN_3);
	env_set32(e, ENV_FRO + 12, 1u << 31);
	assert_int_equal(env_get(e, FSTS_REG), FSTS_PPF);
	env_set32(e, ENV_FRO + 28, 1u << 31);
	assert_int_equal(env_dma(e, 0xd000, R), LGN_3);
	assert_int_equal(env_get(e, FSTS_REG), FSTS_PPF | 2 << 8);
	assert_int_equal(e->nr_msi, 3);

	for (i = 0; vtdu_log_next(e->u, &seq, &l);)
		i += l.kind == VTDU_LOG_FAULT;
	assert_int_equal(i, 9);
	assert_int_equal(vtdu_stats(e->u)->faults, 9);

	/* Pending, then serviced without unmasking */
	env_set32(e, ENV_FRO + 44, 1u << 31);
	env_set32(e, FECTL_REG, EVENT_IM);
	assert_int_equal(env_dma(e, 0xe000, R), LGN_3);
	assert_int_equal(env_get(e, FECTL_REG), EVENT_IM | EVENT_IP);
	env_set32(e, ENV_FRO + 60, 1u << 31);
	assert_int_equal(env_get(e, FECTL_REG), EVENT_IM);
	env_set32(e, FECTL_REG, 0);
	assert_int_equal(e->nr_msi, 3);

	/* The index begins anew when translation is switched off. */
	assert_int_equal(env_dma(e, 0xe000, R), LGN_3);
	assert_int_equal(env_get(e, FSTS_REG), FSTS_PPF);
	env_set32(e, ENV_FRO + 12, 1u << 31);
	env_gcmd(e, GCMD_TE, false);
	env_gcmd(e, GCMD_TE, true);
	assert_int_equal(env_dma(e, 0xf000, R), LGN_3);
	assert_int_equal(env_get(e, ENV_FRO), 0xf000);
	env_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		env_test(test_legacy_structures),
		env_test(test_legacy_paging),
		env_test(test_legacy_modes),
		env_test(test_root_modes),
		env_test(test_scalable_structures),
		env_test(test_scalable_second_stage),
		env_test(test_pass_through),
		env_test(test_first_stage),
		env_test(test_privilege),
		env_test(test_rid),
		env_test(test_capabilities),
		env_test(test_widths),
		env_test(test_upper_half),
		env_test(test_fpd),
		env_test(test_recording),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
