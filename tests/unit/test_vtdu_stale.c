// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The caches of lib/vtd: what was read stays, whatever becomes of the tables,
 * until the invalidation that is for it; and no other one helps.
 */
#include "vtdu_env.h"

#define OUT	0x100000000ULL
#define NEW	0x180000000ULL
#define GUEST	0x2000000ULL
#define IOVA	0x8000200000ULL
#define ALL	(FS_P | FS_RW | FS_US | FS_A | FS_D)
#define PAGE	0x1000ULL

static struct env *e;
static uint64_t ss, fs, ss_leaf, fs_leaf;

static uint64_t desc_pasid(unsigned int type, unsigned int g, uint16_t did,
			   uint32_t pasid)
{
	return env_desc(type, g, did) | (uint64_t)pasid << 32;
}

static void iotlb(unsigned int g, uint16_t did, uint64_t addr, unsigned int am,
		  bool ih)
{
	env_submit(e, env_desc(QI_IOTLB, g, did),
		   addr | am | (ih ? IVA_IH : 0));
}

static void piotlb(unsigned int g, uint16_t did, uint32_t pasid, uint64_t addr,
		   unsigned int am, bool ih)
{
	env_submit(e, desc_pasid(QI_PIOTLB, g, did, pasid),
		   addr | am | (ih ? IVA_IH : 0));
}

static void pasid_cache(unsigned int g, uint16_t did, uint32_t pasid)
{
	env_submit(e, desc_pasid(QI_PASID, g, did, pasid), 0);
}

static void context(unsigned int g, uint16_t did, uint16_t sid, unsigned int fm)
{
	env_submit(e, env_desc(QI_CONTEXT, g, did) | (uint64_t)sid << 32 |
		      (uint64_t)fm << 48, 0);
}

static void start_legacy(uint64_t cap)
{
	struct vtdu_config cfg = env_config();

	cfg.cap |= cap;
	e = env_legacy(&cfg, 0);
	ss = env_page(e);
	ss_leaf = env_map_ss(e, ss, 4, IOVA, 1, OUT | SS_R | SS_W);
	env_w64(e, env_legacy_entry(e, ENV_SID), CTX_P | ss);
}

/* Second-stage leaf entries: what drops an IOTLB entry, and what does not */
static void test_iotlb(void **state)
{
	start_legacy(0);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	env_w64(e, ss_leaf, NEW | SS_R | SS_W);
	assert_int_equal(env_to(e, IOVA, R), OUT);

	iotlb(G_NARROW, ENV_DID, IOVA + PAGE, 0, true);
	iotlb(G_NARROW, ENV_DID, IOVA - PAGE, 0, true);
	iotlb(G_NARROW, ENV_DID, IOVA + 4 * PAGE, 2, true);
	iotlb(G_NARROW, ENV_DID + 1, IOVA, 0, true);
	iotlb(G_DOMAIN, ENV_DID + 1, 0, 0, false);
	context(G_GLOBAL, 0, 0, 0);
	assert_int_equal(env_to(e, IOVA, R), OUT);

	iotlb(G_NARROW, ENV_DID, IOVA, 0, true);
	assert_int_equal(env_to(e, IOVA, R), NEW);
	env_w64(e, ss_leaf, OUT | SS_R);
	assert_int_equal(env_to(e, IOVA, W), NEW);
	/* The low bits of the address are masked. */
	iotlb(G_NARROW, ENV_DID, IOVA + 0x7000, 3, true);
	assert_int_equal(env_dma(e, IOVA, W), LGN_2);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	/* A permission that came is not looked for: that needs a flush. */
	env_w64(e, ss_leaf, OUT | SS_R | SS_W);
	assert_int_equal(env_dma(e, IOVA, W), LGN_2);
	iotlb(G_DOMAIN, ENV_DID, 0, 0, false);
	assert_int_equal(env_to(e, IOVA, W), OUT);
	env_w64(e, ss_leaf, 0);
	assert_int_equal(env_to(e, IOVA, W), OUT);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_dma(e, IOVA, R), LGN_3);
	/* What is absent is not kept without CM. */
	env_w64(e, ss_leaf, NEW | SS_R);
	assert_int_equal(env_to(e, IOVA, R), NEW);
	assert_int_equal(vtdu_misused(e->u), 0);
	env_free(e);
}

/* A page that is larger than the range goes whole. */
static void test_large(void **state)
{
	uint64_t at;

	start_legacy(0);
	at = env_map_ss(e, ss, 4, IOVA + 0x200000, 2, OUT | SS_R);
	assert_int_equal(env_to(e, IOVA + 0x345000, R), OUT + 0x145000);
	env_w64(e, at, NEW | SS_R | ENTRY_PS);
	assert_int_equal(env_to(e, IOVA + 0x200000, R), OUT);
	iotlb(G_NARROW, ENV_DID, IOVA + 0x400000, 9, false);
	assert_int_equal(env_to(e, IOVA + 0x345000, R), OUT + 0x145000);
	iotlb(G_NARROW, ENV_DID, IOVA + 0x3ff000, 0, true);
	assert_int_equal(env_to(e, IOVA + 0x345000, R), NEW + 0x145000);
	env_free(e);
}

/* Entries that point at tables */
static void test_paging_structures(void **state)
{
	uint64_t pde, other, pdpe;

	start_legacy(0);
	pde = env_entry(e, ss, 4, IOVA, 2, 0);
	pdpe = env_entry(e, ss, 4, IOVA, 3, 0);
	other = env_page(e);
	env_w64(e, other, NEW | SS_R);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	env_w64(e, pde, other | SS_R | SS_W);
	iotlb(G_NARROW, ENV_DID, IOVA, 0, true);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	iotlb(G_NARROW, ENV_DID, IOVA + 0x200000, 9, false);
	iotlb(G_NARROW, ENV_DID, IOVA, 0, true);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	/* One page of what the entry is for is enough. */
	iotlb(G_NARROW, ENV_DID, IOVA + 0x1f000, 0, false);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	iotlb(G_NARROW, ENV_DID, IOVA, 0, false);
	assert_int_equal(env_to(e, IOVA, R), NEW);

	/* Found though it led nowhere: a table may be kept without a page. */
	assert_int_equal(env_dma(e, IOVA + 0x40000000, R), LGN_3);
	assert_int_equal(env_dma(e, IOVA + PAGE, R), LGN_3);
	env_w64(e, pdpe, 0);
	assert_int_equal(env_dma(e, IOVA + 2 * PAGE, R), LGN_3);
	env_w64(e, other + 16, OUT | SS_R);
	assert_int_equal(env_to(e, IOVA + 2 * PAGE, R), OUT);
	iotlb(G_DOMAIN, ENV_DID, 0, 0, false);
	assert_int_equal(env_dma(e, IOVA + 2 * PAGE, R), LGN_3);
	env_free(e);
}

/* Two requester IDs in one domain share tables, but not IOTLB entries. */
static void test_context(void **state)
{
	uint16_t second = ENV_SID + 1, far = ENV_SID ^ 4;
	struct vtdu_request q = { .access = R, .addr = IOVA };
	struct vtdu_result res;
	uint64_t at, other;

	start_legacy(0);
	other = env_page(e);
	env_map_ss(e, other, 4, IOVA, 1, NEW | SS_R);
	at = env_legacy_entry(e, ENV_SID);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	env_w64(e, at, CTX_P | other);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_to(e, IOVA, R), OUT);

	context(G_NARROW, ENV_DID + 1, ENV_SID, 0);
	context(G_NARROW, ENV_DID, second, 0);
	context(G_NARROW, ENV_DID, far, 0);
	context(G_DOMAIN, ENV_DID + 1, 0, 0);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	env_w64(e, at, 0);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	context(G_NARROW, ENV_DID, ENV_SID, 0);
	/* The IOTLB answers for a context that is gone. */
	assert_int_equal(env_to(e, IOVA, R), OUT);
	iotlb(G_DOMAIN, ENV_DID, 0, 0, false);
	assert_int_equal(env_dma(e, IOVA, R), LCT_2);

	env_w64(e, at, CTX_P | other);
	assert_int_equal(env_to(e, IOVA, R), NEW);
	env_w64(e, at, 0);
	context(G_DOMAIN, ENV_DID, 0, 0);
	iotlb(G_DOMAIN, ENV_DID, 0, 0, false);
	assert_int_equal(env_dma(e, IOVA, R), LCT_2);

	/* With a function mask */
	q.sid = ENV_SID | 6;
	at = env_legacy_entry(e, q.sid);
	env_w64(e, at + 8, 2 | ENV_DID << 8);
	env_w64(e, at, CTX_P | other);
	assert_int_equal(env_request(e, &q, &res), 0);
	env_w64(e, at, 0);
	context(G_NARROW, ENV_DID, ENV_SID, 1);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_request(e, &q, &res), 0);
	context(G_NARROW, ENV_DID, ENV_SID, 2);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_request(e, &q, &res), LCT_2);
	assert_int_equal(vtdu_misused(e->u), 0);
	env_free(e);
}

static void start_nested(void)
{
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = PGTT_NESTED, .q[1] = PASID_PWSNP };
	uint64_t page;

	e = env_scalable(&cfg);
	ss = p.ss_root = env_page(e);
	fs = env_page(e);
	p.fs_root = fs + ENV_GPA;
	env_set_pasid(e, 1, &p);
	fs_leaf = env_map_fs(e, fs, 4, IOVA, 1, GUEST | ALL, ENV_GPA);
	ss_leaf = env_map_ss(e, ss, 4, GUEST, 1, OUT | SS_R | SS_W);
	for (page = PAGE; page < 0x80000; page += PAGE)
		env_map_ss(e, ss, 4, ENV_GPA + page, 1, page | SS_R | SS_W);

	/* A first stage and a pass-through of their own domain */
	p = (struct env_pasid) { .pgtt = PGTT_FS, .fs_root = env_page(e),
				 .did = 9, .q[1] = PASID_PWSNP };
	env_map_fs(e, p.fs_root, 4, IOVA, 1, OUT | ALL, 0);
	env_set_pasid(e, 2, &p);
	p = (struct env_pasid) { .pgtt = PGTT_SS, .ss_root = ss };
	env_set_pasid(e, 3, &p);
}

static void test_nested(void **state)
{
	start_nested();
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);
	assert_int_equal(env_to_pasid(e, 2, IOVA, RW), OUT);

	/* A second-stage entry: any range of the domain, and the hint is void. */
	env_w64(e, ss_leaf, NEW | SS_R | SS_W);
	piotlb(G_PASID_PAGES, ENV_DID, 1, GUEST, 0, false);
	iotlb(G_DOMAIN, ENV_DID + 1, 0, 0, false);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);
	iotlb(G_NARROW, ENV_DID, GUEST, 0, true);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), NEW);
	env_w64(e, ss_leaf, OUT | SS_R | SS_W);
	iotlb(G_NARROW, ENV_DID, 0x7000, 0, true);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);

	/* A first-stage entry: by PASID and address */
	env_w64(e, fs_leaf, (GUEST + PAGE) | ALL);
	env_map_ss(e, ss, 4, GUEST + PAGE, 1, (NEW + PAGE) | SS_R | SS_W);
	piotlb(G_PASID_PAGES, ENV_DID, 1, IOVA + PAGE, 0, false);
	piotlb(G_PASID_PAGES, ENV_DID, 2, IOVA, 0, false);
	piotlb(G_PASID_PAGES, ENV_DID + 1, 1, IOVA, 0, false);
	piotlb(G_PASID, ENV_DID, 2, 0, 0, false);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);
	piotlb(G_PASID_PAGES, ENV_DID, 1, IOVA, 0, true);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), NEW + PAGE);

	/* An entry of the first stage that points at a table */
	env_w64(e, env_entry(e, fs, 4, IOVA, 2, ENV_GPA), 0);
	piotlb(G_PASID_PAGES, ENV_DID, 1, IOVA, 0, true);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), NEW + PAGE);
	piotlb(G_PASID_PAGES, ENV_DID, 1, IOVA, 0, false);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, RW), SFS_2);
	env_free(e);

	/* Second-stage entries of the guest's tables are in its caches, too. */
	start_nested();
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);
	env_w64(e, env_entry(e, ss, 4, ENV_GPA + (fs_leaf & ~0xfffULL), 1, 0), 0);
	piotlb(G_PASID_PAGES, ENV_DID, 1, IOVA, 0, true);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);
	iotlb(G_NARROW, ENV_DID, ENV_GPA, 0, true);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, RW), SSS_2);
	env_free(e);
}

/* What is tagged first-stage and what is not, table 24 */
static void test_piotlb(void **state)
{
	start_nested();
	/* Second stage alone: not by address in PASID, but with the PASID */
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	env_w64(e, ss_leaf, NEW | SS_R);
	piotlb(G_PASID_PAGES, ENV_DID, 3, GUEST, 0, false);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	piotlb(G_PASID, ENV_DID, 3, 0, 0, false);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), NEW);
	/* but not its paging structures */
	env_w64(e, env_entry(e, ss, 4, GUEST, 2, 0), 0);
	piotlb(G_PASID, ENV_DID, 3, 0, 0, false);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), NEW);
	iotlb(G_NARROW, ENV_DID, GUEST, 0, false);
	assert_int_equal(env_dma_pasid(e, 3, GUEST, R), SSS_2);

	/* PASID 0, which second-stage paging structures are not tagged with */
	env_map_ss(e, ss, 4, GUEST, 1, OUT | SS_R);
	env_set_pasid(e, 0, &(struct env_pasid) { .pgtt = PGTT_SS,
						  .ss_root = ss });
	assert_int_equal(env_to(e, GUEST, R), OUT);
	env_w64(e, env_entry(e, ss, 4, GUEST, 2, 0), 0);
	piotlb(G_PASID, ENV_DID, 0, 0, 0, false);
	assert_int_equal(env_to(e, GUEST, R), OUT);

	/* A page of another domain leaves the first stage alone. */
	assert_int_equal(env_to_pasid(e, 2, IOVA, R), OUT);
	env_set_pasid(e, 2, &(struct env_pasid) { .pgtt = PGTT_PT, .did = 9 });
	iotlb(G_NARROW, ENV_DID, IOVA, 0, false);
	iotlb(G_DOMAIN, ENV_DID, 0, 0, false);
	piotlb(G_PASID, 9, 2, 0, 0, false);
	/* The PASID table entry is cached, too. */
	assert_int_equal(env_to_pasid(e, 2, IOVA, R), OUT);
	piotlb(G_PASID, 9, 2, 0, 0, false);
	pasid_cache(G_PC_PASID, 9, 2);
	assert_int_equal(env_to_pasid(e, 2, IOVA, R), IOVA);
	/* Pass-through: by address in the domain */
	env_set_pasid(e, 2, &(struct env_pasid) { .pgtt = PGTT_SS,
						  .ss_root = ss, .did = 9 });
	pasid_cache(G_PC_PASID, 9, 2);
	piotlb(G_PASID_PAGES, 9, 2, IOVA, 0, false);
	assert_int_equal(env_to_pasid(e, 2, IOVA, R), IOVA);
	iotlb(G_NARROW, 9, IOVA, 0, true);
	assert_int_equal(env_dma_pasid(e, 2, IOVA, R), SSS_2);
	env_free(e);
}

static void test_pasid_cache(void **state)
{
	struct env_pasid p = { .pgtt = PGTT_PT };

	start_nested();
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	env_set_pasid(e, 3, &p);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	pasid_cache(G_PC_PASID, ENV_DID, 1);
	pasid_cache(G_PC_PASID, ENV_DID + 1, 3);
	pasid_cache(G_PC_DOMAIN, ENV_DID + 1, 0);
	context(G_GLOBAL, 0, 0, 0);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	pasid_cache(G_PC_PASID, ENV_DID, 3);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), GUEST);

	p.did = 11;
	env_set_pasid(e, 3, &p);
	env_w64(e, env_pasid_entry(e, e->dir, 3), 0);
	/* Matched by the domain that is cached, not the one that is written */
	pasid_cache(G_PC_DOMAIN, 11, 0);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), GUEST);
	pasid_cache(G_PC_DOMAIN, ENV_DID, 0);
	/* The IOTLB goes on. */
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), GUEST);
	iotlb(G_DOMAIN, ENV_DID, 0, 0, false);
	assert_int_equal(env_dma_pasid(e, 3, GUEST, R), SPT_2);

	/* A directory entry counts by the entries below it. */
	assert_int_equal(env_to_pasid(e, 2, IOVA, R), OUT);
	env_w64(e, e->dir, 0);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_to_pasid(e, 2, IOVA, R), OUT);
	pasid_cache(G_PC_GLOBAL, 0, 0);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_dma_pasid(e, 2, IOVA, R), SPD_2);
	env_free(e);
}

/* In scalable mode contexts have no domain. */
static void test_scalable_context(void **state)
{
	uint64_t at;

	start_nested();
	at = env_scalable_entry(e, ENV_SID);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	env_w64(e, at, 0);
	pasid_cache(G_PC_GLOBAL, 0, 0);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	context(G_NARROW, ENV_DID, ENV_SID + 8, 0);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	context(G_NARROW, 0x5555, ENV_SID, 0);
	assert_int_equal(env_dma_pasid(e, 3, GUEST, R), SCT_2);
	env_w64(e, at, e->dir | CTX_P | SCTX_PASIDE);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	env_w64(e, at, 0);
	assert_int_equal(vtdu_misused(e->u), 0);
	context(G_DOMAIN, 0x5555, 0, 0);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_dma_pasid(e, 3, GUEST, R), SCT_2);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_CONTEXT_DOMAIN], 1);
	env_free(e);
}

/* Caching mode: what is absent or wrong is kept, too. */
static void test_caching_mode(void **state)
{
	uint64_t ctx, entry;

	start_legacy(CAP_CM);
	ctx = env_legacy_entry(e, ENV_SID);
	entry = env_r64(e, ctx);
	env_w64(e, ctx, 0);
	assert_int_equal(env_dma(e, IOVA, R), LCT_2);
	env_w64(e, ctx, entry);
	context(G_NARROW, ENV_DID, ENV_SID, 0);
	context(G_DOMAIN, ENV_DID, 0, 0);
	assert_int_equal(env_dma(e, IOVA, R), LCT_2);
	context(G_NARROW, 0, ENV_SID, 0);
	assert_int_equal(env_to(e, IOVA, R), OUT);

	/* An absent page, for reads and for writes */
	assert_int_equal(env_dma(e, IOVA + PAGE, R), LGN_3);
	env_w64(e, ss_leaf + 8, NEW | SS_R);
	assert_int_equal(env_dma(e, IOVA + PAGE, W), LGN_2);
	assert_int_equal(env_dma(e, IOVA + PAGE, R), LGN_3);
	iotlb(G_NARROW, ENV_DID, IOVA, 0, true);
	assert_int_equal(env_dma(e, IOVA + PAGE, R), LGN_3);
	iotlb(G_NARROW, ENV_DID, IOVA + PAGE, 0, true);
	assert_int_equal(env_to(e, IOVA + PAGE, R), NEW);
	/* A wrong one */
	env_w64(e, ss_leaf + 16, 1ULL << 51 | SS_R);
	assert_int_equal(env_dma(e, IOVA + 2 * PAGE, R), LSS_2);
	env_w64(e, ss_leaf + 16, OUT | SS_R);
	assert_int_equal(env_dma(e, IOVA + 2 * PAGE, R), LSS_2);
	iotlb(G_DOMAIN, ENV_DID, 0, 0, false);
	assert_int_equal(env_to(e, IOVA + 2 * PAGE, R), OUT);
	env_free(e);
}

static void test_caching_mode_scalable(void **state)
{
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = PGTT_FS, .q[1] = PASID_PWSNP };

	cfg.cap |= CAP_CM;
	e = env_scalable(&cfg);
	env_pasid_entry(e, e->dir, 1);
	p.fs_root = env_page(e);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SPT_2);
	env_set_pasid(e, 1, &p);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SPT_2);
	pasid_cache(G_PC_PASID, ENV_DID, 2);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SPT_2);
	/* Announced with the domain that it has from now on */
	pasid_cache(G_PC_PASID, ENV_DID, 1);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SFS_2);
	assert_int_equal(env_dma_pasid(e, 5, IOVA, R), SPT_2);
	env_set_pasid(e, 5, &p);
	assert_int_equal(env_dma_pasid(e, 5, IOVA, R), SPT_2);
	pasid_cache(G_PC_DOMAIN, 0x123, 0);
	assert_int_equal(env_dma_pasid(e, 5, IOVA, R), SFS_2);
	/* The first stage is the guest's: nothing absent is kept. */
	env_map_fs(e, p.fs_root, 4, IOVA, 1, OUT | ALL, 0);
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);

	p = (struct env_pasid) { .pgtt = PGTT_SS, .did = 8 };
	p.ss_root = env_page(e);
	env_set_pasid(e, 2, &p);
	assert_int_equal(env_dma_pasid(e, 2, IOVA, R), SSS_2);
	env_map_ss(e, p.ss_root, 4, IOVA, 1, OUT | SS_R);
	assert_int_equal(env_dma_pasid(e, 2, IOVA, R), SSS_2);
	iotlb(G_NARROW, 8, IOVA, 0, false);
	assert_int_equal(env_to_pasid(e, 2, IOVA, R), OUT);
	/* Domain 0 is not for software. */
	assert_int_equal(vtdu_misused(e->u), 0);
	env_set_pasid(e, 3, &p);
	env_w64(e, env_pasid_entry(e, e->dir, 3) + 8, 0);
	assert_int_equal(env_to_pasid(e, 3, IOVA, R), OUT);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_DID], 1);
	env_free(e);
}

/* What SRTP and TE do to caches */
static void test_root(void **state)
{
	struct vtdu_config cfg = env_config();
	uint64_t other, at;
	unsigned int enhanced;

	for (enhanced = 0; enhanced < 2; enhanced++) {
		start_legacy(enhanced ? CAP_ESRTPS : 0);
		assert_int_equal(env_to(e, IOVA, R), OUT);
		other = e->root = env_page(e);
		at = env_legacy_entry(e, ENV_SID);
		env_w64(e, at + 8, 2 | ENV_DID << 8);
		env_w64(e, at, CTX_P | TT_PASS << 2);
		env_set64(e, RTADDR_REG, other);
		assert_int_equal(env_to(e, IOVA, R), OUT);
		env_gcmd(e, GCMD_SRTP, true);
		assert_int_equal(env_to(e, IOVA, R), enhanced ? IOVA : OUT);
		assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_SRTP_FLUSH],
				 !enhanced);
		context(G_GLOBAL, 0, 0, 0);
		iotlb(G_GLOBAL, 0, 0, 0, false);
		assert_int_equal(env_to(e, IOVA, R), IOVA);
		assert_int_equal(vtdu_misused(e->u), !enhanced);
		/* Without translation: as it comes, and no interrupt remapped */
		env_gcmd(e, GCMD_TE, false);
		assert_int_equal(vtdu_cached(e->u, VTDU_CACHE_IOTLB), 0);
		assert_int_equal(env_to(e, 0x1234, W), 0x1234);
		env_free(e);
	}

	/* A unit without scalable mode keeps its caches meanwhile. */
	cfg.ecap &= ~ECAP_SMTS;
	e = env_legacy(&cfg, TT_PASS << 2);
	assert_int_equal(env_to(e, IOVA, R), IOVA);
	env_gcmd(e, GCMD_TE, false);
	assert_int_equal(vtdu_cached(e->u, VTDU_CACHE_IOTLB), 1);
	env_free(e);
}

/* What an entry above refuses is refused by what is cached of it, too. */
static void test_cached_permissions(void **state)
{
	struct env_pasid p = { .pgtt = PGTT_FS, .q[1] = PASID_PWSNP };
	struct vtdu_config cfg = env_config();
	uint64_t at, pde, table;

	start_legacy(0);
	env_map_ss(e, ss, 4, IOVA + PAGE, 1, NEW | SS_R | SS_W);
	pde = env_entry(e, ss, 4, IOVA, 2, 0);
	env_w64(e, pde, env_r64(e, pde) & ~SS_W);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	assert_int_equal(env_dma(e, IOVA + PAGE, W), LGN_2);
	assert_int_equal(env_to(e, IOVA + PAGE, R), NEW);
	env_free(e);

	cfg.ecap |= ECAP_ERS;
	e = env_scalable(&cfg);
	p.fs_root = fs = env_page(e);
	p.q[2] = PASID_ERE | PASID_NXE | PASID_SRE;
	env_set_pasid(e, 1, &p);
	at = env_map_fs(e, fs, 4, IOVA, 1, OUT | ALL, 0);
	env_w64(e, at + 8, NEW | ALL);
	pde = env_entry(e, fs, 4, IOVA, 2, 0);
	table = env_r64(e, pde);
	env_w64(e, pde, table & ~FS_RW);
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
	assert_int_equal(env_dma_pasid(e, 1, IOVA + PAGE, W), SGN_6);
	env_w64(e, pde, table | FS_XD);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
	assert_int_equal(env_dma_pasid(e, 1, IOVA + PAGE, R | X), SGN_3);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R | X), SGN_3);
	env_w64(e, pde, table & ~FS_US);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SGN_2);
	assert_int_equal(env_dma_pasid(e, 1, IOVA + PAGE, R), SGN_2);
	/* A page that the IOTLB has from a supervisor */
	{
		struct vtdu_request q = { .sid = ENV_SID, .has_pasid = true,
					  .pasid = 1, .priv = true,
					  .access = R, .addr = IOVA };
		struct vtdu_result res;

		assert_int_equal(env_request(e, &q, &res), 0);
		assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SGN_2);
		assert_int_equal(env_request(e, &q, &res), 0);
		assert_true(res.cached);
	}
	env_free(e);

	/* A table that cannot be written, found through a cache */
	start_nested();
	env_w64(e, fs_leaf + 8, GUEST | FS_P | FS_US);
	at = env_entry(e, ss, 4, ENV_GPA + (fs_leaf & ~0xfffULL), 1, 0);
	env_w64(e, at, (fs_leaf & ~0xfffULL) | SS_R);
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
	assert_int_equal(env_dma_pasid(e, 1, IOVA + PAGE, R), SFS_8);
	env_free(e);
}

/* The IOTLB knows what its entry was made for. */
static void test_iotlb_attributes(void **state)
{
	struct vtdu_request q = { .sid = ENV_SID, .has_pasid = true, .pasid = 3,
				  .access = R, .addr = GUEST };
	struct vtdu_result res;
	uint64_t ctx, entry;

	start_nested();
	/* With PASID and without are two things. */
	ctx = env_scalable_entry(e, ENV_SID);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	env_set_pasid(e, 0, &(struct env_pasid) { .pgtt = PGTT_PT, .did = 5 });
	assert_int_equal(env_to(e, GUEST, R), GUEST);
	q.pasid = 0;
	assert_int_equal(env_request(e, &q, &res), SCT_9);
	q.pasid = 3;
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_true(res.cached);
	/* Privilege and execution were not allowed when it was made. */
	q.priv = true;
	assert_int_equal(env_request(e, &q, &res), SPT_6);
	q.priv = false;
	q.access = R | X;
	assert_int_equal(env_request(e, &q, &res), SPT_5);
	q.access = R;
	/* Silence is cached, too. */
	q.access = W;
	entry = env_r64(e, ctx);
	env_w64(e, ss_leaf, OUT | SS_R);
	env_w64(e, ctx, entry | CTX_FPD);
	context(G_GLOBAL, 0, 0, 0);
	iotlb(G_GLOBAL, 0, 0, 0, false);
	assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
	env_w64(e, ctx, entry);
	context(G_GLOBAL, 0, 0, 0);
	assert_int_equal(env_request(e, &q, &res), SGN_6);
	assert_true(res.cached);
	assert_false(res.recorded);
	env_free(e);
}

/* A nested page that was read and is then written, D below alone missing */
static void test_nested_dirty(void **state)
{
	struct env_pasid p = { .pgtt = PGTT_NESTED,
			       .q = { PASID_SSADE, PASID_PWSNP } };

	start_nested();
	p.ss_root = ss;
	p.fs_root = fs + ENV_GPA;
	env_set_pasid(e, 1, &p);
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
	assert_int_equal(env_r64(e, ss_leaf) & (SS_A | SS_D), SS_A);
	assert_int_equal(env_to_pasid(e, 1, IOVA, W), OUT);
	assert_int_equal(env_r64(e, ss_leaf) & (SS_A | SS_D), SS_A | SS_D);
	env_free(e);
}

/*
 * A dirty bit that software takes away: what is cached as dirty does not set it
 * again, by whatever way it came into the cache, until it has been invalidated.
 */
static void test_dirty_cleared(void **state)
{
	struct env_pasid p = { .pgtt = PGTT_NESTED,
			       .q = { PASID_SSADE, PASID_PWSNP } };
	uint64_t tables, clean;
	unsigned int i;

	start_nested();
	p.ss_root = ss;
	p.fs_root = fs + ENV_GPA;
	p.did = 7;
	env_set_pasid(e, 1, &p);
	p.pgtt = PGTT_SS;
	p.did = 5;
	env_set_pasid(e, 3, &p);
	tables = env_entry(e, ss, 4, ENV_GPA + (fs_leaf & ~0xfffULL), 1, 0);
	clean = env_r64(e, ss_leaf) & ~(SS_A | SS_D);

	for (i = 0; i < 2; i++) {
		/* Second stage alone: its address will do. */
		assert_int_equal(env_to_pasid(e, 3, GUEST, W), OUT);
		assert_int_equal(env_r64(e, ss_leaf), clean | SS_A | SS_D);
		env_w64(e, ss_leaf, clean | SS_A);
		assert_int_equal(env_to_pasid(e, 3, GUEST, W), OUT);
		iotlb(G_NARROW, 5, GUEST + PAGE, 0, true);
		assert_int_equal(env_to_pasid(e, 3, GUEST, W), OUT);
		assert_int_equal(env_r64(e, ss_leaf), clean | SS_A);
		iotlb(G_NARROW, 5, GUEST, 0, true);
		/* Reading is no reason. */
		assert_int_equal(env_to_pasid(e, 3, GUEST, R), OUT);
		assert_int_equal(env_r64(e, ss_leaf), clean | SS_A);
		assert_int_equal(env_to_pasid(e, 3, GUEST, W), OUT);
		assert_int_equal(env_r64(e, ss_leaf), clean | SS_A | SS_D);

		/* Nested: the domain of the nested entry, and nothing else. */
		env_w64(e, ss_leaf, clean);
		iotlb(G_DOMAIN, 7, 0, 0, false);
		assert_int_equal(env_to_pasid(e, 1, IOVA, W), OUT);
		assert_int_equal(env_r64(e, ss_leaf), clean | SS_A | SS_D);
		assert_int_equal(env_r64(e, tables) & (SS_A | SS_D), SS_A | SS_D);
		env_w64(e, ss_leaf, clean);
		env_w64(e, tables, env_r64(e, tables) & ~(SS_A | SS_D));
		iotlb(G_DOMAIN, 5, 0, 0, false);
		assert_int_equal(env_to_pasid(e, 1, IOVA, W), OUT);
		assert_int_equal(env_r64(e, ss_leaf), clean);
		assert_int_equal(env_r64(e, tables) & (SS_A | SS_D), 0);
		iotlb(G_DOMAIN, 7, 0, 0, false);
		assert_int_equal(env_to_pasid(e, 1, IOVA, W), OUT);
		assert_int_equal(env_r64(e, ss_leaf), clean | SS_A | SS_D);
		assert_int_equal(env_r64(e, tables) & (SS_A | SS_D), SS_A | SS_D);
		env_w64(e, ss_leaf, clean);
		iotlb(G_DOMAIN, 5, 0, 0, false);
		iotlb(G_DOMAIN, 7, 0, 0, false);
	}
	env_free(e);
}

/* Looking at the tables leaves no trace, and sees what is there now. */
static void test_peek(void **state)
{
	const uint64_t bits = FS_P | FS_RW | FS_US;
	struct vtdu_request q = { .sid = ENV_SID, .has_pasid = true, .pasid = 1,
				  .access = RW, .addr = IOVA };
	struct vtdu_binding b;
	struct vtdu_stats before;
	struct vtdu_result res;
	unsigned int cached;

	start_nested();
	env_w64(e, fs_leaf, GUEST | bits);
	before = *vtdu_stats(e->u);
	assert_true(vtdu_peek(e->u, &q, &res));
	assert_int_equal(res.addr, OUT);
	assert_int_equal(res.mode, VTDU_MODE_NESTED);
	assert_int_equal(env_r64(e, fs_leaf), GUEST | bits);
	assert_int_equal(vtdu_cached(e->u, VTDU_CACHE_IOTLB), 0);
	assert_int_equal(vtdu_cached(e->u, VTDU_CACHE_PAGING), 0);
	assert_int_equal(vtdu_cached(e->u, VTDU_CACHE_PASID), 0);
	assert_memory_equal(&before, vtdu_stats(e->u), sizeof(before));

	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);
	cached = vtdu_cached(e->u, VTDU_CACHE_PAGING);
	env_w64(e, ss_leaf, NEW | SS_R);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);
	assert_false(vtdu_peek(e->u, &q, &res));
	assert_int_equal(res.fault, SGN_6);
	q.access = R;
	assert_true(vtdu_peek(e->u, &q, &res));
	assert_int_equal(res.addr, NEW);
	assert_int_equal(vtdu_cached(e->u, VTDU_CACHE_PAGING), cached);
	/* A fault that nobody records */
	q.addr = 1ULL << 46;
	assert_false(vtdu_peek(e->u, &q, &res));
	assert_int_equal(res.fault, SFS_2);
	assert_int_equal(env_get(e, FSTS_REG), 0);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);

	assert_true(vtdu_binding(e->u, ENV_SID, true, 1, &b));
	assert_int_equal(b.mode, VTDU_MODE_NESTED);
	assert_int_equal(b.did, ENV_DID);
	assert_int_equal(b.fs_root, fs + ENV_GPA);
	assert_int_equal(b.ss_root, ss);
	assert_int_equal(b.fs_levels, 4);
	assert_int_equal(b.ss_levels, 4);
	assert_int_equal(b.pasid, 1);
	assert_true(b.ats);
	assert_true(vtdu_binding(e->u, ENV_SID, true, 2, &b));
	assert_int_equal(b.mode, VTDU_MODE_FS);
	assert_false(vtdu_binding(e->u, ENV_SID, true, 9, &b));
	assert_int_equal(b.fault, SPT_2);
	assert_int_equal(b.mode, VTDU_MODE_NONE);
	assert_int_equal(env_get(e, FSTS_REG), 0);
	env_gcmd(e, GCMD_TE, false);
	assert_true(vtdu_binding(e->u, ENV_SID, true, 9, &b));
	assert_int_equal(b.mode, VTDU_MODE_OFF);
	env_free(e);

	start_legacy(0);
	assert_true(vtdu_binding(e->u, ENV_SID, false, 0, &b));
	assert_int_equal(b.mode, VTDU_MODE_LEGACY);
	assert_int_equal(b.ss_root, ss);
	assert_int_equal(b.did, ENV_DID);
	assert_false(b.ats);
	env_free(e);
}

/* A full cache forgets what is oldest; without caches all is always fresh. */
static void test_capacity(void **state)
{
	struct vtdu_config cfg = env_config();
	unsigned int i;

	cfg.nr_iotlb = 4;
	cfg.nr_paging = 0;
	e = env_legacy(&cfg, 0);
	ss = env_page(e);
	env_w64(e, env_legacy_entry(e, ENV_SID), CTX_P | ss);
	for (i = 0; i < 5; i++) {
		ss_leaf = env_map_ss(e, ss, 4, IOVA + i * PAGE, 1,
				     (OUT + i * PAGE) | SS_R);
		assert_int_equal(env_to(e, IOVA + i * PAGE, R), OUT + i * PAGE);
		env_w64(e, ss_leaf, NEW | SS_R);
	}
	assert_int_equal(vtdu_cached(e->u, VTDU_CACHE_IOTLB), 4);
	for (i = 1; i < 5; i++)
		assert_int_equal(env_to(e, IOVA + i * PAGE, R), OUT + i * PAGE);
	assert_int_equal(env_to(e, IOVA, R), NEW);
	assert_int_equal(env_to(e, IOVA + PAGE, R), NEW);
	assert_int_equal(env_to(e, IOVA + 3 * PAGE, R), OUT + 3 * PAGE);
	env_free(e);

	cfg.nr_iotlb = 0;
	cfg.nr_context = 0;
	e = env_legacy(&cfg, TT_PASS << 2);
	assert_int_equal(env_to(e, IOVA, R), IOVA);
	env_w64(e, env_legacy_entry(e, ENV_SID), 0);
	assert_int_equal(env_dma(e, IOVA, R), LCT_2);
	env_free(e);

	cfg = env_config();
	cfg.flags = VTDU_WIDE_INVALIDATION;
	e = env_legacy(&cfg, TT_PASS << 2);
	assert_int_equal(env_to(e, IOVA, R), IOVA);
	env_w64(e, env_legacy_entry(e, ENV_SID), 0);
	iotlb(G_NARROW, 0x999, 0x5000, 0, true);
	assert_int_equal(env_dma(e, IOVA, R), LCT_2);
	env_free(e);
}

/* A range that is larger than MAMV says covers the domain, and is misuse. */
static void test_mamv(void **state)
{
	start_legacy(0);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	env_w64(e, ss_leaf, NEW | SS_R);
	iotlb(G_NARROW, ENV_DID, 1ULL << 39, 27, false);
	assert_int_equal(vtdu_misused(e->u), 0);
	assert_int_equal(env_to(e, IOVA, R), NEW);
	env_w64(e, ss_leaf, OUT | SS_R);
	iotlb(G_NARROW, ENV_DID, 1ULL << 50, 28, false);
	assert_int_equal(env_to(e, IOVA, R), OUT);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_AM], 1);
	env_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		env_test(test_iotlb),
		env_test(test_large),
		env_test(test_paging_structures),
		env_test(test_context),
		env_test(test_nested),
		env_test(test_piotlb),
		env_test(test_pasid_cache),
		env_test(test_scalable_context),
		env_test(test_caching_mode),
		env_test(test_caching_mode_scalable),
		env_test(test_root),
		env_test(test_cached_permissions),
		env_test(test_iotlb_attributes),
		env_test(test_nested_dirty),
		env_test(test_dirty_cleared),
		env_test(test_peek),
		env_test(test_capacity),
		env_test(test_mamv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
