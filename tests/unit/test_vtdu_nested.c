// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Nested translation of lib/vtd: each page size of one stage over each of the
 * other, with 4 and 5 levels, and each permission; and accessed and dirty bits.
 */
#include "vtdu_env.h"

#define OUT	0x10c0000000ULL		/* 1 GiB aligned, in 46 bits */
#define GUEST	0x2180000000ULL		/* the same, guest physical */
#define IOVA	0x3fc0000000ULL
#define ALL	(FS_P | FS_RW | FS_US)

static struct env *e;
static uint64_t ss, fs;
static unsigned int ss_levels, fs_levels;

/* The guest sees the memory at ENV_GPA. Its tables are mapped like this: */
static void map_tables(uint64_t bits)
{
	uint64_t page;

	for (page = 0x1000; page < 0x80000; page += 0x1000)
		env_map_ss(e, ss, ss_levels, ENV_GPA + page, 1, page | bits);
}

static void start(unsigned int fs_l, unsigned int ss_l, uint64_t q0, uint64_t q1,
		  uint64_t q2)
{
	struct vtdu_config cfg = env_config();
	struct env_pasid p = {
		.pgtt = PGTT_NESTED,
		.ss_levels = ss_l,
		.fs_levels = fs_l,
		.q = { q0, q1 | PASID_PWSNP, q2 },
	};

	e = env_scalable(&cfg);
	fs_levels = fs_l;
	ss_levels = ss_l;
	fs = env_page(e);
	ss = env_page(e);
	p.fs_root = fs + ENV_GPA;
	p.ss_root = ss;
	env_set_pasid(e, 1, &p);
	env_set_pasid(e, 0, &p);
}

static void forget(void)
{
	env_submit(e, env_desc(QI_PASID, G_PC_GLOBAL, 0), 0);
	env_submit(e, env_desc(QI_IOTLB, G_GLOBAL, 0), 0);
}

static uint64_t map_guest(uint64_t addr, unsigned int level, uint64_t leaf)
{
	return env_map_fs(e, fs, fs_levels, addr, level, leaf, ENV_GPA);
}

static void check(unsigned int fs_level, unsigned int ss_level, uint8_t fs_perm,
		  uint8_t ss_perm, uint8_t access)
{
	struct vtdu_request q = {
		.sid = ENV_SID, .has_pasid = true, .pasid = 1, .access = access,
		.addr = IOVA + 0x12345678 % (1ULL << (12 + 9 * (fs_level - 1))),
	};
	unsigned int lg2 = 12 + 9 * ((fs_level < ss_level ? fs_level :
				      ss_level) - 1);
	uint8_t perm = fs_perm & ss_perm, code = 0, i;
	struct vtdu_result res;

	if (access & ~fs_perm & W)
		code = SGN_6;
	else if (!ss_perm)
		code = SSS_2;
	else if (access & ~ss_perm & W)
		code = SGN_6;
	else if (access & ~ss_perm & R)
		code = SGN_7;
	/* from the tables, and from the IOTLB */
	for (i = 0; i < 2; i++) {
		assert_int_equal(env_request(e, &q, &res), code);
		if (code) {
			assert_int_equal(res.outcome, VTDU_UR);
			return;
		}
		assert_int_equal(res.mode, VTDU_MODE_NESTED);
		assert_int_equal(res.did, ENV_DID);
		assert_int_equal(res.page_lg2, lg2);
		assert_int_equal(res.perm, perm);
		assert_int_equal(res.addr, q.addr - IOVA + OUT);
		assert_int_equal(res.cached, i);
	}
}

static void test_matrix(void **state)
{
	static const uint8_t accesses[] = { R, W, RW };
	unsigned int fl, sl, f, s, fp, sp, a;

	for (fl = 4; fl <= 5; fl++)
	for (sl = 3; sl <= 5; sl++)
	for (f = 1; f <= 3; f++)
	for (s = 1; s <= 3; s++) {
		uint64_t f_at, s_at, target, off, size = 1ULL << (12 + 9 * (f - 1));
		uint64_t addr = IOVA + 0x12345678 % size;

		start(fl, sl, 0, 0, 0);
		map_tables(SS_R | SS_W);
		f_at = map_guest(addr, f, GUEST | ALL);
		/* where the walk of the second stage is to end */
		off = (addr - IOVA) & ~((1ULL << (12 + 9 * (s - 1))) - 1);
		target = GUEST + off;
		s_at = env_map_ss(e, ss, sl, target, s, OUT + off);
		for (fp = 0; fp < 2; fp++)
		for (sp = 0; sp < 4; sp++)
		for (a = 0; a < 3; a++) {
			env_w64(e, f_at, GUEST | FS_P | FS_US |
				(fp ? FS_RW : 0) | (f > 1 ? ENTRY_PS : 0));
			env_w64(e, s_at, (OUT + off) | sp |
				(s > 1 ? ENTRY_PS : 0));
			forget();
			check(f, s, R | (fp ? W : 0), sp, accesses[a]);
		}
		env_free(e);
	}
}

static void test_faults(void **state)
{
	uint64_t at, top, pd;

	start(4, 4, 0, 0, 0);
	map_tables(SS_R | SS_W);
	at = map_guest(IOVA, 1, GUEST | ALL | FS_A | FS_D);
	env_map_ss(e, ss, 4, GUEST, 1, OUT | SS_R | SS_W);
	top = env_entry(e, ss, 4, ENV_GPA + fs, 1, 0);
	pd = env_entry(e, ss, 4, ENV_GPA + (at & ~0xfffULL), 1, 0);
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);

#define WITH(where, value, code)					\
do {									\
	uint64_t old_ = env_r64(e, where);				\
									\
	env_w64(e, where, value);					\
	forget();							\
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), code);		\
	env_w64(e, where, old_);					\
	forget();							\
	assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);		\
} while (0)
	/* the top-level table, then one below, behind the second stage */
	WITH(top, fs | SS_W, SFS_6);
	WITH(top, 0, SSS_2);
	WITH(top, fs | SS_R | 1ULL << 50, SSS_3);
	WITH(pd, (at & ~0xfffULL) | SS_W, SFS_7);
	WITH(pd, 0, SSS_2);
	/* guest physical addresses beyond the second stage */
	WITH(at, 1ULL << 48 | ALL, SFS_3);
	WITH(at, 1ULL << 45 | ALL | FS_A | FS_D, SSS_2);
	WITH(env_entry(e, fs, 4, IOVA, 3, ENV_GPA), 0, SFS_2);
	/* A and D need a writable table. */
	env_w64(e, at, GUEST | ALL);
	WITH(pd, (at & ~0xfffULL) | SS_R, SFS_8);
	assert_int_equal(env_r64(e, at), GUEST | ALL | FS_A | FS_D);
	WITH(pd, (at & ~0xfffULL) | SS_R, 0);
#undef WITH
	e->no_read = at;
	forget();
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SFS_1);
	/* The tables above were found, and are not asked again. */
	e->no_read = fs;
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
	forget();
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SFS_4);
	e->no_read = ss;
	forget();
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SSS_4);
	env_free(e);

	/* 39 bits of second stage */
	start(4, 3, 0, 0, 0);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SSS_2);
	env_set_pasid(e, 1, &(struct env_pasid) {
		.pgtt = PGTT_NESTED, .ss_root = ss, .ss_levels = 3,
		.fs_root = 1ULL << 39 });
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SSS_2);
	forget();
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SPT_4);
	env_free(e);

	start(4, 3, 0, 0, 0);
	map_tables(SS_R | SS_W);
	at = map_guest(IOVA, 1, 1ULL << 39 | ALL);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SFS_5);
	env_free(e);
}

/* First-stage A and D alone, of all levels, with and without EAFE */
static void test_first_stage_bits(void **state)
{
	unsigned int levels, eafe, level;
	struct env_pasid p = { .pgtt = PGTT_FS };
	struct vtdu_config cfg = env_config();
	uint64_t at, want;

	for (levels = 4; levels <= 5; levels++)
	for (eafe = 0; eafe < 2; eafe++) {
		e = env_scalable(&cfg);
		fs = env_page(e);
		fs_levels = levels;
		p.fs_root = fs;
		p.fs_levels = levels;
		p.q[1] = PASID_PWSNP;
		p.q[2] = eafe ? PASID_EAFE : 0;
		env_set_pasid(e, 1, &p);
		at = env_map_fs(e, fs, levels, IOVA, 1, OUT | ALL, 0);
		want = FS_A | (eafe ? FS_EA : 0);

		assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
		for (level = 1; level <= levels; level++)
			assert_int_equal(env_r64(e, env_entry(e, fs, levels,
							      IOVA, level, 0)) &
					 (FS_A | FS_D | FS_EA), want);
		/* A write sets D though the IOTLB has the page. */
		assert_int_equal(env_to_pasid(e, 1, IOVA, W), OUT);
		assert_int_equal(env_r64(e, at), OUT | ALL | want | FS_D);
		/* Bits that are cached as set are not set again. */
		env_w64(e, at, OUT | ALL);
		assert_int_equal(env_to_pasid(e, 1, IOVA, RW), OUT);
		assert_int_equal(env_r64(e, at), OUT | ALL);
		/* A request that is refused sets nothing in the leaf. */
		env_w64(e, at, OUT | FS_P | FS_US);
		forget();
		assert_int_equal(env_dma_pasid(e, 1, IOVA, W), SGN_6);
		assert_int_equal(env_r64(e, at), OUT | FS_P | FS_US);
		/* nor one that leads to the interrupts */
		env_w64(e, at, 0xfee00000 | ALL);
		forget();
		assert_int_equal(env_dma_pasid(e, 1, IOVA, W), SGN_8);
		assert_int_equal(env_r64(e, at), 0xfee00000 | ALL);
		env_free(e);
	}
}

/* Second-stage A and D, alone and below the first stage */
static void test_second_stage_bits(void **state)
{
	struct vtdu_config cfg = env_config();
	struct env_pasid p = { .pgtt = PGTT_SS };
	unsigned int levels, level;
	uint64_t at, f_at, tables;

	for (levels = 3; levels <= 5; levels++) {
		e = env_scalable(&cfg);
		p.ss_root = ss = env_page(e);
		p.ss_levels = levels;
		p.q[0] = PASID_SSADE;
		p.q[1] = PASID_PWSNP;
		env_set_pasid(e, 0, &p);
		at = env_map_ss(e, ss, levels, IOVA, 1, OUT | SS_R | SS_W);
		assert_int_equal(env_to(e, IOVA, R), OUT);
		for (level = 1; level <= levels; level++)
			assert_int_equal(env_r64(e, env_entry(e, ss, levels,
							      IOVA, level, 0)) &
					 (SS_A | SS_D), SS_A);
		assert_int_equal(env_to(e, IOVA, W), OUT);
		assert_int_equal(env_r64(e, at), OUT | SS_R | SS_W | SS_A | SS_D);
		env_w64(e, at, 0xfee00000 | SS_R | SS_W);
		forget();
		assert_int_equal(env_dma(e, IOVA, RW), SGN_8);
		assert_int_equal(env_r64(e, at), 0xfee00000 | SS_R | SS_W);
		env_free(e);
	}

	start(4, 4, PASID_SSADE, 0, 0);
	map_tables(SS_R | SS_W);
	f_at = map_guest(IOVA, 1, GUEST | ALL);
	at = env_map_ss(e, ss, 4, GUEST, 1, OUT | SS_R | SS_W);
	tables = env_entry(e, ss, 4, ENV_GPA + (f_at & ~0xfffULL), 1, 0);
	assert_int_equal(env_to_pasid(e, 1, IOVA, R), OUT);
	assert_int_equal(env_r64(e, at), OUT | SS_R | SS_W | SS_A);
	assert_int_equal(env_r64(e, f_at), GUEST | ALL | FS_A);
	/* Looking into a table counts as writing it. */
	assert_int_equal(env_r64(e, tables) & (SS_A | SS_D), SS_A | SS_D);
	assert_int_equal(env_to_pasid(e, 1, IOVA, W), OUT);
	assert_int_equal(env_r64(e, at), OUT | SS_R | SS_W | SS_A | SS_D);
	assert_int_equal(env_r64(e, f_at), GUEST | ALL | FS_A | FS_D);
	/* So a table that cannot be written cannot be read. */
	env_w64(e, tables, (f_at & ~0xfffULL) | SS_R);
	forget();
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), SFS_7);
	env_free(e);
}

/* No D where the second stage does not let the write through */
static void test_refused_below(void **state)
{
	uint64_t f_at;

	start(4, 4, 0, 0, 0);
	map_tables(SS_R | SS_W);
	f_at = map_guest(IOVA, 1, GUEST | ALL);
	env_map_ss(e, ss, 4, GUEST, 1, OUT | SS_R);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, W), SGN_6);
	assert_int_equal(env_r64(e, f_at), GUEST | ALL);
	assert_int_equal(env_dma_pasid(e, 1, IOVA, R), 0);
	assert_int_equal(env_r64(e, f_at), GUEST | ALL | FS_A);
	env_free(e);
}

static void test_snoop(void **state)
{
	struct vtdu_request q = {
		.sid = ENV_SID, .has_pasid = true, .pasid = 1, .access = R,
		.addr = IOVA, .no_snoop = true,
	};
	struct vtdu_result res;
	uint64_t at;

	start(4, 4, 0, 0, 0);
	map_tables(SS_R | SS_W | SS_SNP);
	map_guest(IOVA, 1, GUEST | ALL);
	at = env_map_ss(e, ss, 4, GUEST, 1, OUT | SS_R | SS_W);
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_false(res.snoop);
	q.no_snoop = false;
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_true(res.snoop);
	q.no_snoop = true;
	env_w64(e, at, OUT | SS_R | SS_W | SS_SNP);
	forget();
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_true(res.snoop);
	env_free(e);

	start(4, 4, 0, PASID_PGSNP, 0);
	map_tables(SS_R | SS_W);
	map_guest(IOVA, 1, GUEST | ALL);
	env_map_ss(e, ss, 4, GUEST, 1, OUT | SS_R | SS_W);
	assert_int_equal(env_request(e, &q, &res), 0);
	assert_true(res.snoop);
	env_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		env_test(test_matrix),
		env_test(test_faults),
		env_test(test_first_stage_bits),
		env_test(test_second_stage_bits),
		env_test(test_refused_below),
		env_test(test_snoop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
