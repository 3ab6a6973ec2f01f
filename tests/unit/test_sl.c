// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Page tables, against a walk as hardware does it and against a plain array of
 * what is mapped. These are second-level tables; test_fl.c runs the same tests
 * on first-level ones.
 */
#include "shim/shim.h"
#include "hw/pt/fl.h"

#ifndef FIRST_LEVEL
#define FIRST_LEVEL	0
#endif
#define PERM(e)		((unsigned int)((e) & 3))
#define RW		(IOFD_READ | IOFD_WRITE)
/* What first-level entries have set: U/S and A, and leaves D */
#define TABLE_SET	(FIRST_LEVEL ? 0x24ull : 0)
#define LEAF_SET	(FIRST_LEVEL ? 0x64ull : 0)
/* A mapping that does not permit reading, where there are any */
#define NOT_READ	(FIRST_LEVEL ? RW : IOFD_WRITE)

static int init(struct sl_table *sl, unsigned int levels,
		unsigned int max_leaf_level, bool noncoherent, u64 leaf_bits)
{
	if (FIRST_LEVEL)
		return fl_init(sl, levels, max_leaf_level, noncoherent);
	return sl_init(sl, levels, max_leaf_level, noncoherent, leaf_bits);
}

/*
 * The walk, written from the specification of the entries and not from sl.c.
 */
enum walk {
	WALK_OK,
	WALK_ABSENT,
	WALK_RESERVED,		/* a bit is set that hardware wants clear */
};

/* Hardware marks what it reads (A) and writes (D); otherwise both are clear. */
#define A	BIT_ULL(8)
#define D	BIT_ULL(9)
static bool marks;

typedef u64 (*read64_fn)(phys_addr_t phys);

static u64 size_of_level(unsigned int level)
{
	return 1ull << (12 + 9 * (level - 1));
}

/*
 * What hardware remembers of entries that point at table pages: for each level
 * the page of that level for an address. It may use one until it is flushed,
 * whatever memory says by then.
 */
#define NR_CACHED	512

static struct {
	bool valid;
	u64 key;		/* iova / size_of_level(level + 1) */
	u64 table;
} cached[4][NR_CACHED];

static void flush_cached(void)
{
	memset(cached, 0, sizeof(cached));
}

static void remember(unsigned int level, u64 iova, u64 table)
{
	u64 key = iova / size_of_level(level + 1);

	if (level >= ARRAY_SIZE(cached))
		return;
	cached[level][key % NR_CACHED].valid = true;
	cached[level][key % NR_CACHED].key = key;
	cached[level][key % NR_CACHED].table = table;
}

static bool recall(unsigned int level, u64 iova, u64 *table)
{
	u64 key = iova / size_of_level(level + 1);

	*table = cached[level][key % NR_CACHED].table;
	return cached[level][key % NR_CACHED].valid &&
	       cached[level][key % NR_CACHED].key == key;
}

/* From the root, or with @use_cache from as far down as hardware remembers */
static enum walk walk(const struct sl_table *sl, read64_fn read64, u64 iova,
		      bool use_cache, phys_addr_t *phys, unsigned int *perm)
{
	u64 table = virt_to_phys(sl->root);
	unsigned int level = sl->levels, l;

	*perm = RW;
	if (iova >> (12 + 9 * level))
		return WALK_ABSENT;
	for (l = ARRAY_SIZE(cached) - 1; use_cache && l; l--) {
		u64 below;

		if (l < level && recall(l, iova, &below)) {
			table = below;
			level = l;
		}
	}
	for (;; level--) {
		u64 e = read64(table + (iova / size_of_level(level) % 512) * 8);
		bool ps = e & BIT_ULL(7);
		u64 reserved = GENMASK_ULL(6, 2) | GENMASK_ULL(10, 8) | GENMASK_ULL(63, 62);

		if (marks)
			reserved &= ~A;

		if (FIRST_LEVEL ? !(e & 1) : !PERM(e))
			return WALK_ABSENT;
		*perm &= PERM(e);
		if (level == 1 || ps) {
			if (ps && (level == 1 || level > sl->max_leaf_level))
				return WALK_RESERVED;
			reserved |= BIT_ULL(11) & ~sl->leaf_bits;
			reserved |= GENMASK_ULL(51, 12) & (size_of_level(level) - 1);
			reserved &= ~LEAF_SET;
			if (marks)
				reserved &= ~D;
			if (e & reserved || ~e & (sl->leaf_bits | LEAF_SET))
				return WALK_RESERVED;
			*phys = (e & GENMASK_ULL(51, 12)) +
				iova % size_of_level(level);
			return WALK_OK;
		}
		reserved &= ~TABLE_SET;
		if (e & (reserved | BIT_ULL(11)) || ~e & TABLE_SET ||
		    PERM(e) != RW)
			return WALK_RESERVED;
		table = e & GENMASK_ULL(51, 12);
		remember(level - 1, iova, table);
	}
}

/* What hardware must be able to read: non-coherent tables only from memory */
static read64_fn hw_view(const struct sl_table *sl)
{
	return sl->noncoherent ? shim_hw_read64 : shim_cpu_read64;
}

static void check_walk_from(const struct sl_table *sl, read64_fn read64,
			    u64 iova, bool use_cache, phys_addr_t phys,
			    unsigned int prot)
{
	unsigned int perm;
	phys_addr_t found;
	enum walk rc = walk(sl, read64, iova, use_cache, &found, &perm);

	if (!prot) {
		assert_int_equal(rc, WALK_ABSENT);
		return;
	}
	assert_int_equal(rc, WALK_OK);
	assert_int_equal(found, phys);
	assert_int_equal(perm, prot);
}

static void check_walk(const struct sl_table *sl, read64_fn read64, u64 iova,
		       phys_addr_t phys, unsigned int prot)
{
	check_walk_from(sl, read64, iova, true, phys, prot);
	check_walk_from(sl, read64, iova, false, phys, prot);
}

/* Mapped: for hardware, and for sl_lookup(). @prot 0: not mapped */
static void check_page(struct sl_table *sl, u64 iova, phys_addr_t phys,
		       unsigned int prot)
{
	phys_addr_t found;
	bool present = sl_lookup(sl, iova + 0x123, &found);

	assert_int_equal(present, prot != 0);
	if (present)
		assert_int_equal(found, phys + 0x123);
	check_walk(sl, hw_view(sl), iova, phys, prot);
	check_walk(sl, shim_cpu_read64, iova, phys, prot);
}

/* Table pages and leaves, counted; the table's own counts have to agree. */
struct census {
	unsigned long tables, empty, leaves[6];
};

static void count_below(const struct sl_table *sl, const u64 *table,
			unsigned int level, struct census *c)
{
	unsigned int i, used = 0;

	c->tables++;
	for (i = 0; i < 512; i++) {
		u64 e = table[i];

		if (!e)
			continue;
		used++;
		if (level == 1 || e & SL_LEAF)
			c->leaves[level]++;
		else
			count_below(sl, phys_to_virt(e & SL_ADDR_MASK),
				    level - 1, c);
	}
	for (i = 0; i < ARRAY_SIZE(sl->cur); i++)
		if (sl->cur[i].index != SL_NO_INDEX && sl->cur[i].table == table)
			used -= sl->cur[i].added;
	assert_int_equal(page_private(virt_to_page(table)), used);
	if (!used && table != sl->root)
		c->empty++;
}

static struct census census(const struct sl_table *sl)
{
	struct census c = {};

	count_below(sl, sl->root, sl->levels, &c);
	assert_int_equal(sl->nr_tables, c.tables);
	assert_int_equal(sl->nr_empty, c.empty);
	assert_int_equal(shim_live_pages, c.tables);
	return c;
}

/* Collects runs. */
struct runs {
	unsigned int nr, stop_after;
	struct run {
		u64 iova, phys, bytes;
		unsigned int prot;
	} run[4096];
};

static int collect(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
		   unsigned int prot)
{
	struct runs *runs = arg;

	assert_true(runs->nr < ARRAY_SIZE(runs->run));
	runs->run[runs->nr++] = (struct run) { iova, phys, bytes, prot };
	return runs->nr == runs->stop_after ? -EINTR : 0;
}

static struct runs got;

static void reap(struct sl_table *sl, u64 iova, u64 last)
{
	got = (struct runs) {};
	sl_reap(sl, iova, last, collect, &got);
}

static int each(struct sl_table *sl, u64 iova, u64 last)
{
	unsigned int stop = got.stop_after;

	got = (struct runs) { .stop_after = stop };
	return sl_for_each_run(sl, iova, last, collect, &got);
}

static void unmap(struct sl_table *sl, u64 iova, u64 last)
{
	sl_revoke(sl, iova, last);
	reap(sl, iova, last);
}

/* As an owner does: flush, then free */
static void trim(struct sl_table *sl)
{
	LIST_HEAD(pages);

	sl_trim(sl, &pages);
	flush_cached();
	sl_free_pages(&pages);
	assert_true(list_empty(&pages));
}

/* The end of a command that maps */
static void sync(struct sl_table *sl)
{
	LIST_HEAD(pages);

	sl_sync(sl);
	if (sl_take_unlinked(sl, &pages)) {
		assert_true(sl->replaces_tables);
		assert_false(list_empty(&pages));
		flush_cached();
	}
	sl_free_pages(&pages);
}

static void check_run(unsigned int i, u64 iova, u64 phys, u64 bytes,
		      unsigned int prot)
{
	assert_true(i < got.nr);
	assert_int_equal(got.run[i].iova, iova);
	assert_int_equal(got.run[i].phys, phys);
	assert_int_equal(got.run[i].bytes, bytes);
	assert_int_equal(got.run[i].prot, prot);
}

/* The state of most tests here */
static struct sl_table sl;

static void map(u64 iova, u64 phys, u64 bytes, unsigned int prot)
{
	assert_int_equal(sl_map(&sl, iova, phys, bytes, prot), 0);
	sync(&sl);
}

static void begin(unsigned int levels, unsigned int max_leaf_level,
		  bool noncoherent)
{
	flush_cached();
	assert_int_equal(init(&sl, levels, max_leaf_level, noncoherent, 0), 0);
}

static void end(void)
{
	census(&sl);
	sl_destroy(&sl);
	assert_int_equal(shim_live_pages, 0);
}

static void new_table_translates_nothing(void **state)
{
	unsigned int levels;
	bool noncoherent;

	for (levels = 3; levels <= 5; levels++) {
		for (noncoherent = false;; noncoherent = true) {
			begin(levels, 2, noncoherent);
			check_page(&sl, 0, 0, 0);
			check_page(&sl, sl_addr_last(levels) & PAGE_MASK, 0, 0);
			assert_int_equal(each(&sl, 0, U64_MAX), 0);
			unmap(&sl, 0, U64_MAX);
			assert_int_equal(got.nr, 0);
			assert_false(sl_wants_trim(&sl));
			trim(&sl);
			sl_sync(&sl);
			assert_int_equal(census(&sl).tables, 1);
			end();
			if (noncoherent)
				break;
		}
	}
}

static void leaves_are_as_large_as_alignment_allows(void **state)
{
	const u64 g = SZ_1G, m = SZ_2M, k = SZ_4K, base = 0x8000000000;
	const struct {
		u64 iova, phys, bytes;
		unsigned long n[4];	/* leaves of each level with @max 3 */
	} cases[] = {
		{ 0, 0, g, { 0, 0, 0, 1 } },
		{ 0, g, 3 * g, { 0, 0, 0, 3 } },
		{ 0, m, g, { 0, 0, 512, 0 } },
		{ m, m, g, { 0, 0, 512, 0 } },
		{ 0, k, g, { 0, 512 * 512, 0, 0 } },
		{ g - k, 5 * g - k, g + 2 * k, { 0, 2, 0, 1 } },
		{ g - m - k, g - m - k, 2 * g, { 0, 512, 511, 1 } },
		{ 0, 0, g - k, { 0, 511, 511, 0 } },
		{ 0, 0, m, { 0, 0, 1, 0 } },
		{ m, 2 * m, m, { 0, 0, 1, 0 } },
		{ 0, k, m, { 0, 512, 0, 0 } },
		{ k, 0, m, { 0, 512, 0, 0 } },
		{ k, m + k, 3 * m, { 0, 512, 2, 0 } },
		{ 0, 0, k, { 0, 1, 0, 0 } },
		{ m - k, m - k, 2 * k, { 0, 2, 0, 0 } },
	};
	unsigned int i, max;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (max = 1; max <= 3; max++) {
			u64 iova = base + cases[i].iova, phys = cases[i].phys;
			u64 bytes = cases[i].bytes, off;
			unsigned long n[4];
			struct census c;

			memcpy(n, cases[i].n, sizeof(n));
			if (max < 3)
				n[2] += 512 * n[3], n[3] = 0;
			if (max < 2)
				n[1] += 512 * n[2], n[2] = 0;
			begin(5, max, true);
			map(iova, phys, bytes, RW);
			c = census(&sl);
			assert_int_equal(c.leaves[1], n[1]);
			assert_int_equal(c.leaves[2], n[2]);
			assert_int_equal(c.leaves[3], n[3]);
			for (off = 0; off < bytes; off += max(bytes / 300 & PAGE_MASK, k))
				check_page(&sl, iova + off, phys + off, RW);
			check_page(&sl, iova + bytes - k, phys + bytes - k, RW);
			check_page(&sl, iova - k, 0, 0);
			check_page(&sl, iova + bytes, 0, 0);

			assert_int_equal(each(&sl, 0, U64_MAX), 0);
			assert_int_equal(got.nr, 1);
			check_run(0, iova, phys, bytes, RW);
			sl_revoke(&sl, iova, iova + bytes - 1);
			for (off = 0; off < bytes; off += max(bytes / 300 & PAGE_MASK, k))
				check_page(&sl, iova + off, 0, 0);
			reap(&sl, iova, iova + bytes - 1);
			assert_int_equal(got.nr, 1);
			check_run(0, iova, phys, bytes, RW);
			trim(&sl);
			assert_int_equal(census(&sl).tables, 1);
			end();
		}
	}
}

static void ends_of_the_address_space(void **state)
{
	unsigned int levels;

	for (levels = 3; levels <= 5; levels++) {
		u64 last = sl_addr_last(levels), page = last & PAGE_MASK;

		begin(levels, 3, true);
		map(0, SZ_4K, SZ_4K, IOFD_READ);
		map(page, 0, SZ_4K, RW);
		check_page(&sl, 0, SZ_4K, IOFD_READ);
		check_page(&sl, page, 0, RW);
		each(&sl, 0, U64_MAX);
		assert_int_equal(got.nr, 2);
		each(&sl, page, page + SZ_4K - 1);
		assert_int_equal(got.nr, 1);
		each(&sl, last + 1, U64_MAX);
		assert_int_equal(got.nr, 0);
		unmap(&sl, 0, U64_MAX);
		assert_int_equal(got.nr, 2);

		/* All of it at once, by the largest leaves (5 levels: too many) */
		if (levels < 5) {
			trim(&sl);
			map(0, 0, last + 1, RW);
			assert_int_equal(census(&sl).leaves[3], (last + 1) >> 30);
			check_page(&sl, page, page, RW);
			unmap(&sl, 0, last);
			assert_int_equal(got.nr, 1);
			check_run(0, 0, 0, last + 1, RW);
		}

		shim_expect_warnings(2);
		assert_int_equal(sl_map(&sl, last + 1, 0, SZ_4K, RW), -EINVAL);
		assert_int_equal(sl_map(&sl, page, 0, 2 * SZ_4K, RW), -EINVAL);
		check_page(&sl, page, 0, 0);
		end();
	}
}

static void what_is_mapped_stays(void **state)
{
	const u64 m = SZ_2M, k = SZ_4K;

	begin(4, 3, true);
	map(m, 0, m, RW);
	map(4 * m + 7 * k, 9 * k, k, RW);
	map(SZ_1G, SZ_1G, SZ_1G, RW);

	/* A page under a leaf, a leaf on a leaf, a leaf over a page, pages */
	assert_int_equal(sl_map(&sl, m, 0, k, RW), -EEXIST);
	assert_int_equal(sl_map(&sl, m, 0, m, RW), -EEXIST);
	assert_int_equal(sl_map(&sl, SZ_1G + 5 * k, 0, k, RW), -EEXIST);
	assert_int_equal(sl_map(&sl, SZ_1G + 5 * m, 0, m, RW), -EEXIST);
	assert_int_equal(sl_map(&sl, 4 * m + 7 * k, 0, k, RW), -EEXIST);
	assert_int_equal(sl_map(&sl, 4 * m + 7 * k, 0, k, RW), -EEXIST);
	assert_int_equal(sl_map(&sl, 4 * m + 5 * k, 0, 4 * k, RW), -EEXIST);
	unmap(&sl, 4 * m + 5 * k, 4 * m + 7 * k - 1);
	assert_int_equal(sl_map(&sl, 4 * m, 0, m, RW), -EEXIST);
	unmap(&sl, 4 * m, 4 * m + 7 * k - 1);
	sl_sync(&sl);

	check_page(&sl, m + 3 * k, 3 * k, RW);
	check_page(&sl, 4 * m + 7 * k, 9 * k, RW);
	check_page(&sl, 4 * m + 6 * k, 0, 0);
	check_page(&sl, SZ_1G + 5 * m, SZ_1G + 5 * m, RW);
	/* What is revoked is in the way too. */
	sl_revoke(&sl, m, 2 * m - 1);
	assert_int_equal(sl_map(&sl, m, 0, m, RW), -EEXIST);
	reap(&sl, m, 2 * m - 1);
	assert_int_equal(got.nr, 1);
	map(m, 0, m, RW);
	end();
}

static void large_leaf_over_an_empty_table(void **state)
{
	const u64 m = SZ_2M, k = SZ_4K;
	struct census c;

	begin(4, 3, true);
	map(0, k, k, RW);
	map(2 * m, k, k, RW);
	unmap(&sl, 0, 3 * m);
	c = census(&sl);
	assert_int_equal(c.empty, 2);

	/* Hardware may know the empty tables still, so they are used. */
	map(0, 0, SZ_1G, RW);
	c = census(&sl);
	assert_int_equal(c.leaves[1], 2 * 512);
	assert_int_equal(c.leaves[2], 510);
	assert_int_equal(c.empty, 0);
	check_page(&sl, m - k, m - k, RW);
	check_page(&sl, m, m, RW);
	check_page(&sl, SZ_1G - k, SZ_1G - k, RW);
	unmap(&sl, 0, SZ_1G - 1);
	assert_int_equal(got.nr, 1);
	check_run(0, 0, 0, SZ_1G, RW);

	trim(&sl);
	map(0, 0, SZ_1G, RW);
	assert_int_equal(census(&sl).leaves[3], 1);
	end();
}

static void large_leaf_in_place_of_an_empty_table(void **state)
{
	const u64 m = SZ_2M, k = SZ_4K;
	struct page *page;
	LIST_HEAD(pages);
	struct census c;
	unsigned int n = 0;
	u64 i;

	begin(4, 3, true);
	sl.replaces_tables = true;
	for (i = 0; i < 8; i++)
		map(i * m + i * k, k, k, RW);
	for (i = 0; i < 8; i++)
		check_page(&sl, i * m + i * k, k, RW);
	unmap(&sl, 0, 8 * m);

	/* Leaves of 2 MiB: some tables go, and nobody else's */
	map(2 * m, 2 * m, 3 * m, RW);
	c = census(&sl);
	assert_int_equal(c.leaves[2], 3);
	assert_int_equal(c.tables, 3 + 5);
	unmap(&sl, 0, 8 * m);

	/* One of 1 GiB: all that is below goes with the page above it. */
	check_page(&sl, 0, 0, 0);
	assert_int_equal(sl_map(&sl, 0, 0, SZ_1G, RW), 0);
	sl_sync(&sl);
	/* Who knows the old page finds nothing there yet, and nothing wrong. */
	check_walk_from(&sl, hw_view(&sl), 0, false, 0, RW);
	check_walk_from(&sl, hw_view(&sl), 0, true, 0, 0);
	assert_int_equal(sl.nr_tables, 2);
	assert_int_equal(shim_live_pages, 2 + 6);
	assert_true(sl_take_unlinked(&sl, &pages));
	assert_false(sl_take_unlinked(&sl, &pages));
	list_for_each_entry(page, &pages, lru)
		n++;
	assert_int_equal(n, 6);
	flush_cached();
	sl_free_pages(&pages);
	check_page(&sl, SZ_1G - k, SZ_1G - k, RW);
	assert_int_equal(census(&sl).leaves[3], 1);

	/* A table in use is no place for a leaf. */
	map(5ul * SZ_1G + 3 * m, k, k, RW);
	assert_int_equal(sl_map(&sl, 5ul * SZ_1G, 0, SZ_1G, RW), -EEXIST);
	check_page(&sl, 5ul * SZ_1G + 3 * m, k, RW);

	/* Trimming hands out what nobody has taken, and so does the end. */
	unmap(&sl, 0, SZ_1G - 1);
	for (i = 0; i < 2; i++) {
		map(0, k, k, RW);
		unmap(&sl, 0, k - 1);
		assert_int_equal(sl_map(&sl, 0, 0, m, RW), 0);
		assert_int_equal(shim_live_pages, sl.nr_tables + 1);
		if (i)
			break;
		trim(&sl);
		assert_int_equal(shim_live_pages, sl.nr_tables);
		unmap(&sl, 0, m - 1);
	}
	sl_destroy(&sl);
	assert_int_equal(shim_live_pages, 0);
}

static void a_large_leaf_is_aligned(void **state)
{
	const u64 m = SZ_2M, k = SZ_4K;

	begin(4, 2, true);
	map(0, 0, m, RW);
	/* next to one, and one address of the two is not aligned */
	map(m, m + k, m, RW);
	map(3 * m + k, 7 * m, m, RW);
	map(2 * m, 9 * m, m, RW);
	assert_int_equal(census(&sl).leaves[2], 2);
	check_page(&sl, m, m + k, RW);
	check_page(&sl, 2 * m - k, 2 * m, RW);
	check_page(&sl, 3 * m - k, 10 * m - k, RW);
	check_page(&sl, 4 * m, 8 * m - k, RW);
	check_page(&sl, 3 * m, 0, 0);
	end();
}

static void what_is_not_revoked_is_not_reaped(void **state)
{
	const u64 k = SZ_4K;

	begin(4, 2, true);
	map(0, k, 4 * k, RW);
	map(SZ_2M, SZ_2M, SZ_2M, RW);
	sl_revoke(&sl, k, 2 * k - 1);
	reap(&sl, 0, k - 1);
	assert_int_equal(got.nr, 0);
	reap(&sl, 0, U64_MAX);
	assert_int_equal(got.nr, 1);
	check_run(0, k, 2 * k, k, RW);
	check_page(&sl, 0, k, RW);
	check_page(&sl, 2 * k, 3 * k, RW);
	check_page(&sl, SZ_2M, SZ_2M, RW);
	end();
}

static void permissions_come_back(void **state)
{
	const unsigned int prots[] = { IOFD_READ, NOT_READ, RW };
	const u64 sizes[] = { SZ_4K, SZ_2M, SZ_1G };
	unsigned int i, j;

	begin(4, 3, true);
	if (!FIRST_LEVEL)
		sl.leaf_bits = SL_SNOOP;
	for (i = 0; i < 3; i++)
		for (j = 0; j < 3; j++)
			map((i * 3 + j) * 2ul * SZ_1G, SZ_1G, sizes[i], prots[j]);
	for (i = 0; i < 3; i++)
		for (j = 0; j < 3; j++)
			check_page(&sl, (i * 3 + j) * 2ul * SZ_1G + sizes[i] - SZ_4K,
				   SZ_1G + sizes[i] - SZ_4K, prots[j]);
	each(&sl, 0, U64_MAX);
	assert_int_equal(got.nr, 9);
	unmap(&sl, 0, U64_MAX);
	assert_int_equal(got.nr, 9);
	for (i = 0; i < 9; i++)
		check_run(i, i * 2ul * SZ_1G, SZ_1G, sizes[i / 3], prots[i % 3]);
	end();
}

static void runs_are_merged_where_contiguous(void **state)
{
	const u64 m = SZ_2M, k = SZ_4K;
	u64 a;

	begin(4, 3, false);
	/* Over a table page's end, from pages to a leaf and back to pages */
	map(m - 2 * k, 5 * m - 2 * k, k, RW);
	map(m - k, 5 * m - k, k, RW);
	map(m, 5 * m, m, RW);
	map(2 * m, 6 * m, k, RW);
	/* contiguous here and not there, and the other way round */
	map(2 * m + k, 0, k, RW);
	map(2 * m + 3 * k, k, k, RW);
	/* other permissions */
	map(2 * m + 4 * k, 2 * k, k, IOFD_READ);
	map(2 * m + 5 * k, 3 * k, k, IOFD_READ);

	for (a = 0; a < 3; a++) {
		if (a == 0)
			each(&sl, 0, U64_MAX);
		else if (a == 1)
			each(&sl, m - 2 * k, 2 * m + 6 * k - 1);
		else
			unmap(&sl, 0, 3 * m);
		assert_int_equal(got.nr, 4);
		check_run(0, m - 2 * k, 5 * m - 2 * k, m + 3 * k, RW);
		check_run(1, 2 * m + k, 0, k, RW);
		check_run(2, 2 * m + 3 * k, k, k, RW);
		check_run(3, 2 * m + 4 * k, 2 * k, 2 * k, IOFD_READ);
	}
	assert_int_equal(each(&sl, 0, U64_MAX), 0);
	assert_int_equal(got.nr, 0);
	end();
}

static void a_walk_ends_when_told(void **state)
{
	unsigned int i;

	begin(4, 1, false);
	for (i = 0; i < 1000; i++)
		map(i * 2ul * SZ_4K, i * 2ul * SZ_4K, SZ_4K, RW);
	for (i = 1; i <= 1000; i += 111) {
		got.stop_after = i;
		assert_int_equal(each(&sl, 0, U64_MAX), -EINTR);
		assert_int_equal(got.nr, i);
	}
	got.stop_after = 1001;
	assert_int_equal(each(&sl, 0, U64_MAX), 0);
	assert_int_equal(got.nr, 1000);
	/* Nobody wants to know. */
	sl_revoke(&sl, 0, U64_MAX);
	sl_reap(&sl, 0, U64_MAX, NULL, NULL);
	assert_int_equal(census(&sl).leaves[1], 0);
	end();
}

static void ranges_may_cut_leaves_when_reading(void **state)
{
	const u64 m = SZ_2M, k = SZ_4K;

	begin(4, 3, false);
	map(SZ_1G, 3ul * SZ_1G, SZ_1G, RW);
	map(2ul * SZ_1G, 4ul * SZ_1G, m, RW);
	each(&sl, SZ_1G + 5 * m + k, SZ_1G + 5 * m + 3 * k - 1);
	assert_int_equal(got.nr, 1);
	check_run(0, SZ_1G + 5 * m + k, 3ul * SZ_1G + 5 * m + k, 2 * k, RW);
	each(&sl, 2ul * SZ_1G - k, 2ul * SZ_1G + k - 1);
	assert_int_equal(got.nr, 1);
	check_run(0, 2ul * SZ_1G - k, 4ul * SZ_1G - k, 2 * k, RW);
	end();
}

/* What hardware does that writes to @iova; returns the size of the leaf. */
static u64 mark(u64 iova)
{
	u64 *table = sl.root;
	unsigned int level;

	for (level = sl.levels;; level--) {
		u64 *e = table + iova / size_of_level(level) % 512;

		assert_true(PERM(*e));
		*e |= A;
		if (level == 1 || *e & BIT_ULL(7)) {
			*e |= D;
			return size_of_level(level);
		}
		table = phys_to_virt(*e & GENMASK_ULL(51, 12));
	}
}

/* Collects what was written, as runs that lead nowhere. */
static void collect_dirty(void *arg, u64 iova, u64 last)
{
	assert_true(iova <= last);
	collect(arg, iova, 0, last - iova + 1, 0);
}

static bool dirty(u64 iova, u64 last, bool clear)
{
	got = (struct runs) {};
	return sl_read_dirty(&sl, iova, last, clear, collect_dirty, &got);
}

static void written_leaves_are_found(void **state)
{
	const u64 m = SZ_2M, k = SZ_4K, g = SZ_1G;
	unsigned int i;

	if (FIRST_LEVEL)
		return;
	marks = true;
	begin(5, 3, false);
	map(4 * m - 3 * k, g, 3 * k, RW);		/* up to ... */
	map(4 * m, 2 * g, m, RW);			/* ... a large one, ... */
	map(5 * m, 5 * g + k, 600 * k, IOFD_WRITE);	/* and behind it */
	map(g, 3 * g, g, RW);
	map(BIT_ULL(56), g, k, RW);
	assert_false(dirty(0, U64_MAX, true));
	assert_int_equal(got.nr, 0);

	for (i = 0; i < 2; i++) {
		mark(4 * m - k);
		mark(4 * m + 17 * k);
		mark(5 * m + 17 * k);
		mark(5 * m + 18 * k);
		mark(5 * m + 20 * k);
		mark(g + 7 * m);
		mark(BIT_ULL(56));
		/* Looking changes nothing. */
		assert_false(dirty(0, U64_MAX, false));
		assert_int_equal(got.nr, 5);
		/* Neighbours are one; a large leaf is written as a whole. */
		check_run(0, 4 * m - k, 0, m + k, 0);
		check_run(1, 5 * m + 17 * k, 0, 2 * k, 0);
		check_run(2, 5 * m + 20 * k, 0, k, 0);
		check_run(3, g, 0, g, 0);
		check_run(4, BIT_ULL(56), 0, k, 0);
		/* A part of a leaf is told of, and its mark is left. */
		assert_false(dirty(4 * m + k, 4 * m + 3 * k - 1, true));
		assert_int_equal(got.nr, 1);
		check_run(0, 4 * m + k, 0, 2 * k, 0);
		assert_false(dirty(g + m, g + m + k - 1, true));
		check_run(0, g + m, 0, k, 0);
		assert_false(dirty(2 * g - k, U64_MAX >> 8, true));
		check_run(0, 2 * g - k, 0, k, 0);
		/* Cleared from the first to the last byte of the range */
		assert_true(dirty(5 * m + 18 * k, 5 * m + 21 * k - 1, true));
		assert_int_equal(got.nr, 2);
		assert_false(dirty(5 * m + 18 * k, 5 * m + 21 * k - 1, true));
		assert_int_equal(got.nr, 0);
		/* Nobody has to listen. */
		assert_true(sl_read_dirty(&sl, 0, U64_MAX, true, NULL, NULL));
		assert_false(dirty(0, U64_MAX, true));
		assert_int_equal(got.nr, 0);
	}
	check_page(&sl, 4 * m - k, g + 2 * k, RW);
	check_page(&sl, 4 * m + k, 2 * g + k, RW);
	check_page(&sl, 5 * m + 18 * k, 5 * g + 19 * k, IOFD_WRITE);
	end();
	marks = false;
}

/* All that hardware sets is of no consequence for anything else. */
static void marks_hinder_nothing(void **state)
{
	const u64 k = SZ_4K, m = SZ_2M;
	unsigned int i;

	if (FIRST_LEVEL)
		return;
	marks = true;
	begin(4, 3, false);
	sl.replaces_tables = true;
	map(m, 7 * m, 2 * m + 512 * k, RW);
	for (i = 0; i < 512; i += 3)
		mark(3 * m + i * k);
	mark(m);
	each(&sl, 0, U64_MAX);
	assert_int_equal(got.nr, 1);
	check_run(0, m, 7 * m, 3 * m, RW);
	/* One page goes, with the tables as they are */
	unmap(&sl, 3 * m, 4 * m - 1);
	assert_int_equal(got.nr, 1);
	check_run(0, 3 * m, 9 * m, m, RW);
	/* What comes in its place begins without. */
	map(3 * m, 9 * m, k, RW);
	assert_false(dirty(3 * m, 3 * m + k - 1, false));
	assert_int_equal(got.nr, 0);
	mark(3 * m);
	unmap(&sl, 3 * m, 3 * m + k - 1);
	check_run(0, 3 * m, 9 * m, k, RW);
	map(3 * m, 9 * m, m, RW);
	assert_int_equal(census(&sl).leaves[2], 3);
	unmap(&sl, 0, U64_MAX);
	assert_int_equal(got.nr, 1);
	check_run(0, m, 7 * m, 3 * m, RW);
	trim(&sl);
	assert_int_equal(census(&sl).tables, 1);
	end();
	marks = false;
}

static void absent_ranges_cost_nothing(void **state)
{
	const u64 far[] = { 0, 0x123456789000, 0x7fffffffe000, 0xfffffffff000 };
	unsigned int i;

	begin(4, 2, true);
	for (i = 0; i < ARRAY_SIZE(far); i++)
		map(far[i], far[i], SZ_4K, RW);

	/* Each stop for breath is a table page that was left. */
	shim_resched_calls = 0;
	each(&sl, 0, U64_MAX);
	assert_int_equal(got.nr, ARRAY_SIZE(far));
	unmap(&sl, 0, U64_MAX);
	assert_int_equal(got.nr, ARRAY_SIZE(far));
	assert_true(shim_resched_calls <= 3 * 4 * ARRAY_SIZE(far));

	/* Empty tables are no reason to look into them. */
	shim_resched_calls = 0;
	unmap(&sl, 0, U64_MAX);
	assert_true(shim_resched_calls <= 2 * 3 * ARRAY_SIZE(far));
	end();
}

static void a_line_is_written_back_once(void **state)
{
	const u64 n = 3 * 512;
	u64 i, lines;

	begin(4, 1, true);
	map(0, 0, SZ_4K, RW);			/* the upper levels */
	lines = shim_flushed_lines;
	for (i = 1; i < n; i++)
		assert_int_equal(sl_map(&sl, i * SZ_4K, 2 * i * SZ_4K, SZ_4K, RW), 0);
	sl_sync(&sl);
	/* Two more tables, blank and linked; the leaves, eight to a line */
	assert_int_equal(shim_flushed_lines - lines, 2 * (64 + 1) + n / 8);

	lines = shim_flushed_lines;
	sl_revoke(&sl, 0, U64_MAX);
	assert_int_equal(shim_flushed_lines - lines, n / 8);

	/* Hardware takes 0 for the same as revoked. */
	lines = shim_flushed_lines;
	reap(&sl, 0, U64_MAX);
	assert_int_equal(shim_flushed_lines, lines);
	for (i = 0; i < n; i++)
		check_page(&sl, i * SZ_4K, 0, 0);

	/* Backwards, and a sync without work */
	lines = shim_flushed_lines;
	for (i = 512; i--;)
		assert_int_equal(sl_map(&sl, i * SZ_4K, 0, SZ_4K, RW), 0);
	sl_sync(&sl);
	sl_sync(&sl);
	assert_int_equal(shim_flushed_lines - lines, 64);

	/* Far apart within a table, what lies between is left alone. */
	lines = shim_flushed_lines;
	assert_int_equal(sl_map(&sl, 512 * SZ_4K, 0, SZ_4K, RW), 0);
	assert_int_equal(sl_map(&sl, 900 * SZ_4K, 0, SZ_4K, RW), 0);
	sl_sync(&sl);
	assert_int_equal(shim_flushed_lines - lines, 2);
	check_page(&sl, 900 * SZ_4K, 0, RW);
	lines = shim_flushed_lines;
	sl_revoke(&sl, 850 * SZ_4K, 1000 * SZ_4K);
	assert_int_equal(shim_flushed_lines - lines, 1);
	end();

	/* Coherent hardware needs none of it. */
	lines = shim_flushed_lines;
	begin(4, 1, false);
	map(0, 0, 1000 * SZ_4K, RW);
	unmap(&sl, 0, U64_MAX);
	trim(&sl);
	end();
	assert_int_equal(shim_flushed_lines, lines);
}

static void trimming_goes_up_to_the_root(void **state)
{
	struct census c;
	u64 i;

	begin(5, 1, true);
	for (i = 0; i < 100; i++)
		map(i << 40, 0, SZ_4K, RW);
	map(SZ_4K, 0, SZ_4K, RW);
	/* One table page is still to be written back when it goes. */
	assert_int_equal(sl_map(&sl, 0x1fffffff000000, 0, SZ_4K, RW), 0);
	unmap(&sl, 0x1fffffff000000, U64_MAX);
	unmap(&sl, 2 * SZ_4K, U64_MAX);
	unmap(&sl, 0, SZ_4K - 1);
	c = census(&sl);
	assert_int_equal(c.empty, 100);
	trim(&sl);
	c = census(&sl);
	assert_int_equal(c.empty, 0);
	assert_int_equal(c.tables, 5);
	check_page(&sl, SZ_4K, 0, RW);
	map(1ull << 40, 0, SZ_4K, RW);
	check_page(&sl, 1ull << 40, 0, RW);
	sl_sync(&sl);
	end();
}

/* Pages that trimming took away stay as they were until they are freed. */
static void trimmed_pages_are_harmless(void **state)
{
	struct page *page;
	LIST_HEAD(pages);
	unsigned int n = 0;

	begin(4, 1, true);
	map(0, 0, SZ_4K, RW);
	unmap(&sl, 0, U64_MAX);
	sl_trim(&sl, &pages);
	list_for_each_entry(page, &pages, lru) {
		u64 i;

		for (i = 0; i < PAGE_SIZE; i += 8)
			assert_int_equal(PERM(shim_hw_read64(page_to_phys(page) + i)) & RW,
					 shim_cpu_read64(page_to_phys(page) + i) ? RW : 0);
		n++;
	}
	assert_int_equal(n, 3);
	/* A new mapping does not wait for them to go. */
	map(0, SZ_4K, SZ_4K, RW);
	check_page(&sl, 0, SZ_4K, RW);
	sl_free_pages(&pages);
	check_page(&sl, 0, SZ_4K, RW);
	end();
}

static void scattered_use_does_not_pile_up_tables(void **state)
{
	unsigned int levels, i;

	for (levels = 3; levels <= 5; levels++) {
		unsigned int trims = 0;
		unsigned long most = 0;

		begin(levels, 3, true);
		for (i = 0; i < 20000; i++) {
			u64 iova = shim_random() & sl_addr_last(levels) & PAGE_MASK;

			map(iova, 0, SZ_4K, RW);
			unmap(&sl, iova, iova + SZ_4K - 1);
			assert_int_equal(got.nr, 1);
			most = max(most, sl.nr_tables);
			if (sl_wants_trim(&sl)) {
				trim(&sl);
				trims++;
				assert_int_equal(sl.nr_tables, 1);
			}
		}
		assert_true(most < 1000);
		/* and not all the time: each takes a flush */
		assert_true(trims < 20000 / 64);
		end();
	}
}

static void destroy_whatever_there_is(void **state)
{
	begin(4, 3, true);
	map(0, 0, SZ_1G, RW);
	map(SZ_1G, 0, SZ_2M, RW);
	map(3ul * SZ_1G + SZ_4K, 0, SZ_2M, RW);
	map(5ul * SZ_1G, SZ_4K, SZ_2M, RW);
	map(7ul * SZ_1G, SZ_4K, SZ_2M, RW);
	sl_revoke(&sl, SZ_1G, 4ul * SZ_1G);
	unmap(&sl, 5ul * SZ_1G, 6ul * SZ_1G);
	/* not written back */
	assert_int_equal(sl_map(&sl, 9ul * SZ_1G, 0, SZ_4K, RW), 0);
	census(&sl);
	sl_destroy(&sl);
	assert_int_equal(shim_live_pages, 0);
	/* Twice is once. */
	sl_destroy(&sl);
}

static void out_of_memory_anywhere(void **state)
{
	const struct {
		u64 iova, phys, bytes;
	} steps[] = {
		{ 0, SZ_4K, SZ_4K },
		{ SZ_2M - SZ_4K, 0, 2 * SZ_4K },
		{ SZ_1G - SZ_2M - SZ_4K, 4ul * SZ_1G - SZ_2M - SZ_4K, SZ_1G + 2 * SZ_2M },
		{ 0x7fffffe00000, SZ_4K, 5 * SZ_2M },
		{ 0xffffffe00000, SZ_4K, SZ_2M },
	};
	unsigned long n, failures = 0, partial = 0;
	bool all = false;
	unsigned int i;
	u64 off;
	int rc;

	for (n = 1; !all; n++) {
		flush_cached();
		shim_fail_nth(n);
		rc = init(&sl, 4, 3, true, 0);
		if (rc) {
			assert_int_equal(rc, -ENOMEM);
			failures++;
			continue;
		}
		for (i = 0; i < ARRAY_SIZE(steps); i++) {
			u64 last = steps[i].iova + steps[i].bytes - 1;

			rc = sl_map(&sl, steps[i].iova, steps[i].phys,
				    steps[i].bytes, RW);
			sl_sync(&sl);
			if (!rc)
				continue;
			assert_int_equal(rc, -ENOMEM);
			assert_true(shim_fail_fired());
			failures++;
			unmap(&sl, steps[i].iova, last);
			for (off = 0; off < steps[i].bytes; off += SZ_2M / 2)
				check_page(&sl, steps[i].iova + off, 0, 0);
			/* It was the beginning that had been mapped. */
			assert_true(got.nr <= 1);
			if (got.nr) {
				assert_int_equal(got.run[0].iova, steps[i].iova);
				partial++;
			}
			census(&sl);
			/* Memory is back: so is the mapping. */
			rc = sl_map(&sl, steps[i].iova, steps[i].phys,
				    steps[i].bytes, RW);
			assert_int_equal(rc, 0);
			sl_sync(&sl);
		}
		for (i = 0; i < ARRAY_SIZE(steps); i++)
			for (off = 0; off < steps[i].bytes; off += SZ_2M / 2)
				check_page(&sl, steps[i].iova + off,
					   steps[i].phys + off, RW);
		all = !shim_fail_fired();
		/* Unmapping needs none. */
		shim_fail_nth(1);
		unmap(&sl, 0, U64_MAX);
		trim(&sl);
		assert_false(shim_fail_fired());
		assert_int_equal(census(&sl).tables, 1);
		end();
	}
	assert_true(failures > 12 && partial > 3);
}

/*
 * Random operations, against an array with one element for each granule of some
 * windows. What one call maps is unmapped as a whole, as the interface demands.
 */
#define WINDOW		4096		/* granules */
#define NR_WINDOWS	3

struct cell {
	u64 phys;
	unsigned int prot;		/* 0: not mapped */
	u32 first, nr;			/* cells of the mapping it belongs to */
	u64 leaf;			/* size of the leaf it is in, if that is marked */
};

static struct {
	u64 granule;
	u64 base[NR_WINDOWS];
	struct cell cell[NR_WINDOWS][WINDOW];
} model;

static u64 cell_iova(unsigned int w, unsigned int i)
{
	return model.base[w] + i * model.granule;
}

/* At any time hardware finds what is or will be there, or nothing. */
static void check_between_stores(void *addr)
{
	unsigned int w, i, perm;
	phys_addr_t phys;
	enum walk rc;

	if (shim_random_below(16))
		return;

	w = shim_random_below(NR_WINDOWS);
	i = shim_random_below(WINDOW);
	rc = walk(&sl, shim_random_below(2) ? hw_view(&sl) : shim_cpu_read64,
		  cell_iova(w, i), shim_random_below(2), &phys, &perm);
	if (rc == WALK_ABSENT)
		return;
	assert_int_equal(rc, WALK_OK);
	assert_true(perm && (perm & model.cell[w][i].prot) == perm);
	assert_int_equal(phys, model.cell[w][i].phys);
}

static void check_cell(unsigned int w, unsigned int i)
{
	struct cell *c = &model.cell[w][i];
	u64 off = shim_random_below(model.granule / SZ_4K) * SZ_4K;

	check_page(&sl, cell_iova(w, i) + off, c->phys + off, c->prot);
}

static void check_all_cells(void)
{
	unsigned int w, i;

	for (w = 0; w < NR_WINDOWS; w++)
		for (i = 0; i < WINDOW; i++)
			check_cell(w, i);
	census(&sl);
}

/* The runs that are to be handed out for the cells [i, end) */
static void check_runs(unsigned int w, unsigned int i, unsigned int end)
{
	struct cell *cell = model.cell[w];
	unsigned int n = 0;

	while (i < end) {
		unsigned int from = i++;

		if (!cell[from].prot)
			continue;
		while (i < end && cell[i].prot == cell[from].prot &&
		       cell[i].phys == cell[i - 1].phys + model.granule)
			i++;
		check_run(n++, cell_iova(w, from), cell[from].phys,
			  (i - from) * model.granule, cell[from].prot);
	}
	assert_int_equal(got.nr, n);
}

static unsigned int random_length(void)
{
	const unsigned int most[] = { 1, 1, 8, 64, 600, 1200 };

	return 1 + shim_random_below(most[shim_random_below(ARRAY_SIZE(most))]);
}

static void random_map(unsigned int w)
{
	unsigned int i = shim_random_below(WINDOW), nr = random_length(), n, k;
	unsigned int prot = (1 + shim_random_below(3)) | (FIRST_LEVEL & 1);
	struct cell *cell = model.cell[w];
	u64 phys, align;

	for (n = 0; n < nr && i + n < WINDOW && !cell[i + n].prot; n++)
		;
	if (!n)
		return;
	switch (shim_random_below(3)) {
	case 0:		/* goes on where the page before ends */
		phys = i && cell[i - 1].prot ?
			cell[i - 1].phys + model.granule : 0;
		break;
	case 1:		/* large leaves can be used */
		align = shim_random_below(2) ? 512 : 512 * 512;
		phys = (cell_iova(w, i) & (align * model.granule - 1)) +
		       shim_random_below(16) * align * model.granule;
		break;
	default:
		phys = shim_random_below(1 << 20) * model.granule;
	}
	for (k = 0; k < n; k++)
		cell[i + k] = (struct cell) {
			phys + k * model.granule, prot, i, n
		};
	assert_int_equal(sl_map(&sl, cell_iova(w, i), phys, n * model.granule,
				prot), 0);
	if (shim_random_below(4))
		return;		/* written back later, with others */
	sync(&sl);
	check_cell(w, i + shim_random_below(n));
}

/* The next cut between mappings at or before, or at or behind, cell @i */
static unsigned int cut(unsigned int w, unsigned int i, bool up)
{
	struct cell *c = &model.cell[w][i];

	if (i == WINDOW || !c->prot || i == c->first)
		return i;
	return up ? c->first + c->nr : c->first;
}

static void random_unmap(unsigned int w)
{
	unsigned int i = shim_random_below(WINDOW);
	unsigned int end = min(i + random_length(), (unsigned int)WINDOW), k;
	u64 iova, last;

	i = cut(w, i, false);
	end = cut(w, end, true);
	iova = cell_iova(w, i);
	last = cell_iova(w, end) - 1;
	sl_revoke(&sl, iova, last);
	for (k = i; k < end; k += 1 + shim_random_below(100)) {
		check_walk(&sl, hw_view(&sl), cell_iova(w, k), 0, 0);
		check_walk(&sl, shim_cpu_read64, cell_iova(w, k), 0, 0);
	}
	reap(&sl, iova, last);
	check_runs(w, i, end);
	for (k = i; k < end; k++)
		model.cell[w][k] = (struct cell) {};
	if (sl_wants_trim(&sl) || !shim_random_below(50))
		trim(&sl);
}

/* Hardware writes here and there. */
static void random_write(unsigned int w)
{
	unsigned int n = 1 + shim_random_below(20);

	while (n--) {
		unsigned int i = shim_random_below(WINDOW), k;
		u64 iova = cell_iova(w, i), size;

		if (!model.cell[w][i].prot)
			continue;
		size = mark(iova);
		for (k = 0; k < WINDOW; k++)
			if (cell_iova(w, k) / size == iova / size)
				model.cell[w][k].leaf = size;
	}
}

static void random_read_dirty(unsigned int w)
{
	unsigned int i = shim_random_below(WINDOW), n = 0, k;
	unsigned int end = min(i + random_length(), (unsigned int)WINDOW);
	u64 first = cell_iova(w, i), last = cell_iova(w, end) - 1, from;
	bool clear = shim_random_below(2), cleared = false;
	struct cell *cell = model.cell[w];

	cleared = dirty(first, last, clear);
	for (k = i; k < end;) {
		if (!cell[k].leaf) {
			k++;
			continue;
		}
		for (from = k; k < end && cell[k].leaf; k++)
			;
		check_run(n++, cell_iova(w, from), 0,
			  (k - from) * model.granule, 0);
	}
	assert_int_equal(got.nr, n);
	for (k = i; clear && k < end; k++) {
		u64 leaf = cell[k].leaf, at;

		if (!leaf)
			continue;
		at = cell_iova(w, k) & ~(leaf - 1);
		if (at < first || at + (leaf - 1) > last)
			continue;
		cell[k].leaf = 0;
		assert_true(cleared);
	}
}

static void random_read(unsigned int w)
{
	unsigned int i = shim_random_below(WINDOW);
	unsigned int end = min(i + random_length(), (unsigned int)WINDOW);

	each(&sl, cell_iova(w, i), cell_iova(w, end) - 1);
	check_runs(w, i, end);
}

static void random_operations(unsigned int levels, unsigned int max_leaf_level,
			      bool noncoherent, bool replaces_tables,
			      u64 granule, unsigned int nr)
{
	unsigned int i, w;

	flush_cached();
	memset(&model, 0, sizeof(model));
	model.granule = granule;
	/* At the start, over the ends of table pages of all levels, at the end */
	model.base[0] = 0;
	model.base[1] = size_of_level(levels) * 16 - WINDOW / 2 * granule;
	model.base[2] = sl_addr_last(levels) + 1 - WINDOW * granule;
	assert_int_equal(init(&sl, levels, max_leaf_level, noncoherent,
			      SL_SNOOP), 0);
	sl.replaces_tables = replaces_tables;
	shim_store_hook = check_between_stores;
	for (i = 0; i < nr; i++) {
		w = shim_random_below(NR_WINDOWS);
		switch (shim_random_below(8)) {
		case 0 ... 3:
			random_map(w);
			break;
		case 4 ... 6:
			random_unmap(w);
			break;
		default:
			random_read(w);
			if (marks) {
				random_write(w);
				random_read_dirty(w);
			}
		}
		if (i % 1000 == 999) {
			sync(&sl);
			check_all_cells();
		}
	}
	shim_store_hook = NULL;
	end();
}

static void random_pages(void **state)
{
	random_operations(4, 2, true, false, SZ_4K, 25000);
	random_operations(4, 2, true, true, SZ_4K, 25000);
	random_operations(4, 1, false, true, SZ_4K, 10000);
	random_operations(5, 3, true, true, SZ_4K, 20000);
	random_operations(3, 2, true, false, SZ_4K, 20000);
}

/* While hardware keeps track */
static void random_pages_written(void **state)
{
	if (FIRST_LEVEL)
		return;
	marks = true;
	random_operations(4, 3, false, true, SZ_4K, 20000);
	random_operations(5, 1, false, false, SZ_4K, 10000);
	marks = false;
}

static void random_large_leaves(void **state)
{
	random_operations(4, 3, true, true, SZ_2M, 20000);
	random_operations(4, 3, true, false, SZ_2M, 10000);
	random_operations(3, 3, false, true, SZ_2M, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(new_table_translates_nothing),
		shim_test(leaves_are_as_large_as_alignment_allows),
		shim_test(ends_of_the_address_space),
		shim_test(what_is_mapped_stays),
		shim_test(large_leaf_over_an_empty_table),
		shim_test(large_leaf_in_place_of_an_empty_table),
		shim_test(a_large_leaf_is_aligned),
		shim_test(what_is_not_revoked_is_not_reaped),
		shim_test(permissions_come_back),
		shim_test(runs_are_merged_where_contiguous),
		shim_test(a_walk_ends_when_told),
		shim_test(ranges_may_cut_leaves_when_reading),
		shim_test(written_leaves_are_found),
		shim_test(marks_hinder_nothing),
		shim_test(absent_ranges_cost_nothing),
		shim_test(a_line_is_written_back_once),
		shim_test(trimming_goes_up_to_the_root),
		shim_test(trimmed_pages_are_harmless),
		shim_test(scattered_use_does_not_pile_up_tables),
		shim_test(destroy_whatever_there_is),
		shim_test(out_of_memory_anywhere),
		shim_test(random_pages),
		shim_test(random_pages_written),
		shim_test(random_large_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
