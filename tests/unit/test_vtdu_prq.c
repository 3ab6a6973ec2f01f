// SPDX-License-Identifier: LGPL-2.1-or-later
/* Translation requests, page requests and their answers in lib/vtd. */
#include <string.h>
#include "vtdu_env.h"

#define OUT	0x140000000ULL
#define IOVA	0x8040000000ULL
#define ALL	(FS_P | FS_RW | FS_US)

static struct env *e;
static uint64_t ss, fs, at;

static void start(void)
{
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = PGTT_FS, .did = 8,
			       .q[1] = PASID_PWSNP };

	e = env_scalable(&cfg);
	fs = p.fs_root = env_page(e);
	env_set_pasid(e, 1, &p);
	at = env_map_fs(e, fs, 4, IOVA, 1, OUT | ALL, 0);
	p = (struct env_pasid) { .pgtt = PGTT_SS };
	ss = p.ss_root = env_page(e);
	env_set_pasid(e, 0, &p);
	env_set64(e, PQA_REG, 0x800000);
}

static void forget(void)
{
	env_submit(e, env_desc(QI_CONTEXT, G_GLOBAL, 0), 0);
	env_submit(e, env_desc(QI_PASID, G_PC_GLOBAL, 0), 0);
	env_submit(e, env_desc(QI_IOTLB, G_GLOBAL, 0), 0);
}

static struct vtdu_result ask(bool has_pasid, uint64_t addr, uint8_t access)
{
	struct vtdu_request q = {
		.sid = ENV_SID, .has_pasid = has_pasid, .pasid = has_pasid,
		.at = VTDU_AT_TRANSLATION, .addr = addr, .access = access,
	};
	struct vtdu_result res;

	env_request(e, &q, &res);
	assert_false(res.recorded && res.outcome == VTDU_OK);
	return res;
}

/* Translation requests: what is missing is said without a fault. */
static void test_translation(void **state)
{
	struct vtdu_result res;

	start();
	res = ask(true, IOVA, R);
	assert_int_equal(res.outcome, VTDU_OK);
	assert_int_equal(res.addr, OUT);
	assert_int_equal(res.perm, R);
	assert_int_equal(env_r64(e, at), OUT | ALL | FS_A);
	res = ask(true, IOVA, RW);
	assert_int_equal(res.perm, RW);
	assert_int_equal(env_r64(e, at), OUT | ALL | FS_A | FS_D);

	/* Read-only: less than was asked for, and no D */
	env_w64(e, at, OUT | FS_P | FS_US);
	forget();
	res = ask(true, IOVA, RW);
	assert_int_equal(res.fault, 0);
	assert_int_equal(res.perm, R);
	assert_int_equal(env_r64(e, at), OUT | FS_P | FS_US | FS_A);
	/* Not present */
	res = ask(true, IOVA + 0x1000, RW);
	assert_int_equal(res.outcome, VTDU_OK);
	assert_int_equal(res.fault, SFS_2);
	assert_int_equal(res.perm, 0);
	/* A supervisor's page */
	env_w64(e, at, OUT | FS_P | FS_RW);
	forget();
	res = ask(true, IOVA, R);
	assert_int_equal(res.fault, SGN_2);
	assert_int_equal(res.outcome, VTDU_OK);
	/* Second stage, by requester ID */
	res = ask(false, IOVA, R);
	assert_int_equal(res.fault, SSS_2);
	assert_int_equal(res.outcome, VTDU_OK);
	env_map_ss(e, ss, 4, IOVA, 1, OUT | SS_W);
	res = ask(false, IOVA, RW);
	assert_int_equal(res.fault, 0);
	assert_int_equal(res.perm, W);
	env_map_ss(e, ss, 4, IOVA, 1, OUT | SS_R | 1ULL << 47);
	forget();
	assert_int_equal(env_get(e, FSTS_REG), 0);
	res = ask(false, IOVA, R);
	assert_int_equal(res.outcome, VTDU_CA);
	assert_int_equal(res.fault, SSS_3);
	assert_true(res.recorded);
	env_set32(e, ENV_FRO + 12, 1u << 31);

	/* The interrupt range: write it untranslated */
	res = ask(false, 0xfee00000, RW);
	assert_int_equal(res.outcome, VTDU_OK);
	assert_true(res.untranslated_only);
	assert_int_equal(res.perm, W);
	res = ask(false, 0xfee00000, R);
	assert_false(res.untranslated_only);
	assert_int_equal(res.perm, 0);
	/* Pass-through maps large pages, but none with interrupts in it. */
	env_set_pasid(e, 7, &(struct env_pasid) { .pgtt = PGTT_PT, .did = 3 });
	{
		struct vtdu_request q = {
			.sid = ENV_SID, .has_pasid = true, .pasid = 7,
			.at = VTDU_AT_TRANSLATION, .access = RW,
			.addr = 0xfeb00000,
		};

		assert_int_equal(env_request(e, &q, &res), 0);
		assert_int_equal(res.page_lg2, 12);
		q.addr = 0x80000000;
		assert_int_equal(env_request(e, &q, &res), 0);
		assert_int_equal(res.page_lg2, 30);
	}
	/* A page that has interrupts in it */
	env_map_ss(e, ss, 4, 0x40000000, 2, 0xfee00000 | SS_R);
	res = ask(false, 0x40000000 + 0x100000, R);
	assert_int_equal(res.outcome, VTDU_CA);
	assert_int_equal(res.fault, SGN_8);

	/* The directory without a table: success without permission */
	env_w64(e, env_pasid_entry(e, e->dir, 1), 0);
	forget();
	res = ask(true, IOVA, R);
	assert_int_equal(res.fault, SPT_2);
	assert_int_equal(res.outcome, VTDU_OK);
	env_w64(e, env_scalable_entry(e, ENV_SID), e->dir | CTX_P | SCTX_PASIDE);
	forget();
	res = ask(true, IOVA, R);
	assert_int_equal(res.fault, SCT_5);
	assert_int_equal(res.outcome, VTDU_UR);
	env_free(e);
}

/* What untranslated requests cached does not let others through. */
static void test_ats_not_allowed(void **state)
{
	start();
	env_w64(e, env_scalable_entry(e, ENV_SID), e->dir | CTX_P | SCTX_PASIDE);
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
	assert_int_equal(ask(true, IOVA, R).fault, SCT_5);
	env_free(e);
}

/* Without NWFS each translation request is one for writing. */
static void test_no_write_flag(void **state)
{
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = PGTT_FS, .q[1] = PASID_PWSNP };

	cfg.ecap &= ~ECAP_NWFS;
	e = env_scalable(&cfg);
	p.fs_root = env_page(e);
	env_set_pasid(e, 1, &p);
	at = env_map_fs(e, p.fs_root, 4, IOVA, 1, OUT | ALL, 0);
	assert_int_equal(ask(true, IOVA, R).perm, RW);
	assert_int_equal(env_r64(e, at), OUT | ALL | FS_A | FS_D);
	env_free(e);
}

static enum vtdu_page_outcome page(uint32_t pasid, uint64_t addr, bool last)
{
	struct vtdu_page_request r = {
		.sid = ENV_SID, .has_pasid = pasid, .pasid = pasid, .read = true,
		.last = last, .index = 0x155, .addr = addr,
	};

	return vtdu_page_request(e->u, &r);
}

static void test_requests(void **state)
{
	struct vtdu_page_request r = {
		.sid = ENV_SID, .has_pasid = true, .pasid = 1, .priv = true,
		.exec = true, .write = true, .last = true, .index = 0x1ff,
		.addr = IOVA + 0xabc,
	};

	start();
	env_set32(e, PEADDR_REG, 0xfee02000);
	env_set32(e, PEDATA_REG, 0x77);
	env_set32(e, PECTL_REG, 0);
	assert_int_equal(vtdu_page_request(e->u, &r), VTDU_PAGE_QUEUED);
	assert_int_equal(env_r64(e, 0x800000), 1 | 1 << 8 | ENV_SID << 16 |
			 1ULL << 32 | 1ULL << 52 | 1ULL << 53);
	assert_int_equal(env_r64(e, 0x800008), IOVA | 0x1ff << 3 | 6);
	assert_int_equal(env_r64(e, 0x800010), 0);
	assert_int_equal(env_get(e, PQT_REG), 32);
	assert_int_equal(env_get(e, PRS_REG), PRS_PPR);
	assert_int_equal(e->nr_msi, 1);
	assert_int_equal(e->msi[0].event, VTDU_EVENT_PAGE_REQUEST);
	assert_int_equal(e->msi[0].data, 0x77);
	assert_int_equal(page(0, IOVA, false), VTDU_PAGE_QUEUED);
	assert_int_equal(env_r64(e, 0x800020), 1 | ENV_SID << 16);
	assert_int_equal(e->nr_msi, 1);
	env_set32(e, PRS_REG, PRS_PPR);
	assert_int_equal(page(0, IOVA, true), VTDU_PAGE_QUEUED);
	assert_int_equal(e->nr_msi, 2);
	/* A stop marker is queued as any other. */
	r.write = false;
	assert_int_equal(vtdu_page_request(e->u, &r), VTDU_PAGE_QUEUED);
	assert_int_equal(env_r64(e, 0x800068) & 7, 4);
	assert_int_equal(e->nr_response, 0);

	/* Answers */
	env_submit(e, QI_RESPONSE & 0xf, 0);
	env_submit(e, env_desc(QI_RESPONSE, 1, ENV_SID) | 0xfULL << 12 |
		      1ULL << 32, 0x1ff << 3 | 4);
	assert_int_equal(e->nr_response, 2);
	assert_int_equal(e->response[1].sid, ENV_SID);
	assert_true(e->response[1].has_pasid);
	assert_int_equal(e->response[1].pasid, 1);
	assert_int_equal(e->response[1].index, 0x1ff);
	assert_int_equal(e->response[1].code, VTDU_RESPONSE_FAILURE);
	assert_false(e->response[1].automatic);
	/* Without PP there is no PASID, whatever is in its place. */
	env_submit(e, env_desc(QI_RESPONSE, 0, ENV_SID) | 7ULL << 32, 0);
	assert_false(e->response[2].has_pasid);
	assert_int_equal(e->response[2].pasid, 0);
	env_free(e);
}

static void test_overflow(void **state)
{
	struct vtdu_page_request stop = { .sid = ENV_SID, .last = true };
	unsigned int i;

	start();
	env_set32(e, PEADDR_REG, 0xfee02000);
	env_set32(e, PECTL_REG, 0);
	for (i = 0; i < 127; i++)
		assert_int_equal(page(1, IOVA, true), VTDU_PAGE_QUEUED);
	assert_int_equal(e->nr_msi, 1);
	env_set32(e, PRS_REG, PRS_PPR);
	/* One place stays free. */
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_ANSWERED);
	assert_int_equal(env_get(e, PRS_REG), PRS_PRO);
	assert_int_equal(e->nr_msi, 2);
	assert_int_equal(e->nr_response, 1);
	assert_int_equal(e->response[0].code, VTDU_RESPONSE_SUCCESS);
	assert_int_equal(e->response[0].index, 0x155);
	assert_true(e->response[0].automatic);
	assert_int_equal(page(1, IOVA, false), VTDU_PAGE_DROPPED);
	assert_int_equal(vtdu_page_request(e->u, &stop), VTDU_PAGE_DROPPED);
	assert_int_equal(e->nr_response, 1);
	/* Room alone is not enough: PRO must be cleared. */
	env_set64(e, PQH_REG, 64);
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_ANSWERED);
	env_set32(e, PRS_REG, PRS_PRO);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_PRO], 1);
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_QUEUED);
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_QUEUED);
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_ANSWERED);
	assert_int_equal(env_get(e, PQT_REG), 32);
	env_set64(e, PQH_REG, 32);
	env_set32(e, PRS_REG, PRS_PRO | PRS_PPR);
	assert_int_equal(vtdu_misused(e->u), 1);
	/* Heads and tails that lose something */
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_QUEUED);
	env_set64(e, PQH_REG, 128);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_PRQ], 1);
	env_set64(e, PQT_REG, 0);
	env_set64(e, PQA_REG, 0x900000);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_PRQ], 3);

	/* A queue without memory is a full one. */
	env_set64(e, PQH_REG, 0);
	env_set64(e, PQA_REG, 1ULL << 40);
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_ANSWERED);
	assert_int_equal(env_get(e, PRS_REG) & PRS_PRO, PRS_PRO);
	env_free(e);
}

/* Requests that no software sees */
static void test_refused(void **state)
{
	uint64_t ctx;

	start();
	ctx = env_scalable_entry(e, ENV_SID);
	env_w64(e, ctx, e->dir | CTX_P | SCTX_DTE | SCTX_PASIDE);
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_ANSWERED);
	assert_int_equal(e->response[0].code, VTDU_RESPONSE_INVALID);
	assert_int_equal(env_get(e, ENV_FRO + 8) >> 32 & 0xff, SCT_8);
	/* Its type: neither T1 nor the address type */
	assert_int_equal(env_get(e, ENV_FRO + 8) >> 60, 8);
	assert_int_equal(env_get(e, ENV_FRO + 8) >> 28 & 1, 1);
	assert_int_equal(env_get(e, ENV_FRO), IOVA);
	env_set32(e, ENV_FRO + 12, 1u << 31);
	assert_int_equal(page(1, IOVA, false), VTDU_PAGE_DROPPED);
	assert_int_equal(e->nr_response, 1);
	assert_int_equal(env_get(e, PQT_REG), 0);

	env_w64(e, ctx, e->dir | CTX_P | SCTX_DTE | SCTX_PRE);
	forget();
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_ANSWERED);
	assert_int_equal(env_get(e, ENV_FRO + 2 * 16 + 8) >> 32 & 0xff, SCT_6);
	assert_int_equal(page(2, IOVA, true), VTDU_PAGE_ANSWERED);
	env_w64(e, ctx, e->dir | CTX_P | SCTX_DTE | SCTX_PRE | SCTX_PASIDE);
	forget();
	env_set32(e, ENV_FRO + 12, 1u << 31);
	env_set32(e, ENV_FRO + 28, 1u << 31);
	assert_int_equal(page(5, IOVA, true), VTDU_PAGE_ANSWERED);
	assert_int_equal(env_get(e, ENV_FRO + 8) >> 32 & 0xff, SPT_2);
	env_gcmd(e, GCMD_TE, false);
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_ANSWERED);
	env_free(e);

	{
		struct vtdu_config cfg = env_config();

		e = env_legacy(&cfg, 0);
		assert_int_equal(page(1, IOVA, true), VTDU_PAGE_ANSWERED);
		assert_int_equal(env_get(e, ENV_FRO + 8) >> 32 & 0xff, RTA_3);
		env_free(e);
	}
}

/* A page request takes what is cached of its page. */
static void test_implicit_invalidation(void **state)
{
	start();
	env_w64(e, at, OUT | FS_P | FS_US);
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
	env_w64(e, at, OUT | ALL);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, W), SGN_6);
	assert_int_equal(page(1, IOVA + 0x1000, true), VTDU_PAGE_QUEUED);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, W), SGN_6);
	assert_int_equal(page(1, IOVA, true), VTDU_PAGE_QUEUED);
	assert_int_equal(env_to_pasid(e, 1, IOVA, W), OUT);

	env_map_ss(e, ss, 4, IOVA, 1, OUT | SS_R);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	env_map_ss(e, ss, 4, IOVA, 1, OUT | SS_R | SS_W);
	assert_int_equal(env_dma(e, IOVA, W), SGN_6);
	assert_int_equal(page(0, IOVA, true), VTDU_PAGE_QUEUED);
	assert_int_equal(env_to(e, IOVA, W), OUT);
	/* In nested mode it takes the domain, with the second stage's tables. */
	{
		struct env_pasid p = { .pgtt = PGTT_NESTED, .ss_root = ss,
				       .fs_root = fs + ENV_GPA,
				       .q[1] = PASID_PWSNP };
		uint64_t gpa, pde;

		for (gpa = 0; gpa < 0x80000; gpa += 0x1000)
			env_map_ss(e, ss, 4, ENV_GPA + gpa, 1, gpa | SS_R | SS_W);
		fs = p.fs_root = env_page(e);
		p.fs_root += ENV_GPA;
		env_map_fs(e, fs, 4, IOVA, 1, IOVA | ALL, ENV_GPA);
		env_set_pasid(e, 3, &p);
		assert_int_equal(env_to_pasid(e, 3, IOVA, R), OUT);
		pde = env_entry(e, ss, 4, IOVA, 2, 0);
		env_w64(e, pde, 0);
		assert_int_equal(page(3, IOVA + 0x40000000, true),
				 VTDU_PAGE_QUEUED);
		assert_int_equal(env_dma_pasid(e, 3, IOVA, R), SSS_2);
	}
	/* The listener hears of what software asks for alone. */
	assert_int_equal(e->nr_inval, 0);
	env_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		env_test(test_translation),
		env_test(test_ats_not_allowed),
		env_test(test_no_write_flag),
		env_test(test_requests),
		env_test(test_overflow),
		env_test(test_refused),
		env_test(test_implicit_invalidation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
