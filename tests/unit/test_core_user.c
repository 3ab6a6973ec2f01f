// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * User-managed children: the user's first-level tables, walked by hardware that
 * nests and composed for hardware that does not. Where a test has two devices,
 * one is behind each, and both must come to the same.
 */
#include "testhw.h"

#define USER	0x10000000ul
#define PAGES	64			/* the root maps USER at 0 */
#define PG(n)	((u64)(n) << PAGE_SHIFT)

#define P	0x1ull
#define RW	0x2ull
#define US	0x4ull
#define A	0x20ull
#define D	0x40ull
#define PS	0x80ull
#define EA	0x400ull
#define TABLE	(P | RW | US)

struct fixture {
	int fd;
	int root;
	int user;			/* table at page 0 */
	struct testhw_dev *nests;
	struct testhw_dev *plain;
};

/* The entry @i of the table page at page @page of the root */
static u64 *pte(unsigned int page, unsigned int i)
{
	return (u64 *)page_address(shim_user_page(USER + PG(page))) + i;
}

static void set(unsigned int page, unsigned int i, u64 entry)
{
	*pte(page, i) = entry;
}

/* Pages 0 to 3 are a table: entry i of page 3 translates page i of the space. */
static void build_spine(void)
{
	set(0, 0, PG(1) | TABLE);
	set(1, 0, PG(2) | TABLE);
	set(2, 0, PG(3) | TABLE);
}

static struct fixture family(void)
{
	struct fixture f = { .fd = t_ok(t_open()) };

	f.nests = testhw_dev();
	f.nests->nests = true;
	f.nests->pasid_width_bits = 8;
	f.plain = testhw_dev();
	f.plain->pasid_width_bits = 8;
	shim_user_map(USER, PAGES, SHIM_SCATTERED);
	f.root = t_ok(t_alloc(f.fd));
	t_ok(t_map(f.fd, f.root, USER, PAGES, 0));
	build_spine();
	f.user = t_ok(t_alloc_user(f.fd, f.root, 0, IOMMU_NESTING_AUTO));
	t_ok(t_bind(f.nests, f.fd, 1));
	t_ok(t_bind(f.plain, f.fd, 2));
	return f;
}

static void attach_both(struct fixture *f)
{
	t_ok(t_attach(f->nests, f->fd, f->user));
	t_ok(t_attach(f->plain, f->fd, f->user));
}

/* Both reach page @page of the root, or nothing for -1. */
static void both_reach(struct fixture *f, u64 addr, int page)
{
	if (page < 0) {
		assert_blocked(f->nests, addr, 1);
		assert_blocked(f->plain, addr, 1);
	} else {
		assert_reaches(f->nests, addr, USER + PG(page), 1);
		assert_reaches(f->plain, addr, USER + PG(page), 1);
	}
}

static u32 info_flags(int fd, int ioasid)
{
	struct iommu_ioasid_info info = { .size = sizeof(info), .ioasid = ioasid };

	shim_ioctl(fd, IOMMU_IOASID_GET_INFO, &info);
	return info.flags;
}

static void B4_gva_to_gpa_to_memory(void **state)
{
	struct fixture f = family();
	phys_addr_t phys;

	set(3, 5, PG(40) | TABLE);
	set(3, 6, PG(41) | P | US);
	set(3, 7, PG(42) | P | RW);		/* not for users */
	set(3, 8, PG(PAGES) | TABLE);		/* beyond the parent */
	attach_both(&f);
	assert_true(info_flags(f.fd, f.user) & IOMMU_IOASID_INFO_HW_NESTED);
	assert_true(info_flags(f.fd, f.user) & IOMMU_IOASID_INFO_COMPOSED);
	both_reach(&f, PG(5), 40);
	both_reach(&f, PG(6), 41);
	assert_false(testhw_dma(f.nests, PG(6), IOFD_WRITE, &phys));
	assert_false(testhw_dma(f.plain, PG(6), IOFD_WRITE, &phys));
	both_reach(&f, PG(7), -1);
	both_reach(&f, PG(8), -1);
	both_reach(&f, PG(9), -1);
	/* Accessed and dirty, as hardware leaves it */
	assert_true(testhw_dma(f.plain, PG(5), IOFD_WRITE, &phys));
	assert_int_equal(*pte(3, 5), PG(40) | TABLE | A | D);
	assert_int_equal(*pte(3, 6), PG(41) | P | US | A);
	assert_int_equal(*pte(0, 0), PG(1) | TABLE | A);
	assert_int_equal(*pte(3, 7), PG(42) | P | RW);
	shim_close(f.fd);
}

/* Leaves of 2 MiB and 1 GiB, over a parent of small pages */
static void B4_large_leaves(void **state)
{
	struct fixture f = family();

	set(2, 1, TABLE | PS);			/* 2 MiB at 2 MiB: from 0 on */
	set(2, 2, TABLE | PS | 0x2000);		/* a reserved bit */
	set(1, 1, TABLE | PS);			/* 1 GiB */
	set(0, 1, TABLE | PS);			/* no such leaf */
	attach_both(&f);
	both_reach(&f, SZ_2M + PG(17), 17);
	both_reach(&f, SZ_2M + PG(PAGES), -1);
	both_reach(&f, 2 * SZ_2M, -1);
	both_reach(&f, SZ_1G + PG(63), 63);
	both_reach(&f, SZ_1G + SZ_2M, -1);
	both_reach(&f, 1ull << 39, -1);
	shim_close(f.fd);
}

static void five_levels(void **state)
{
	struct fixture f = family();
	struct iommu_vtd_s1_attrs attrs = { .flags = IOMMU_VTD_S1_EAFE };
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd), .type = IOMMU_IOASID_USER_MANAGED,
		.format = IOMMU_FORMAT_VTD_S1, .addr_width_bits = 57,
		.parent = f.root, .table_addr = PG(4),
		.attrs = (uintptr_t)&attrs, .attrs_len_bytes = sizeof(attrs),
	};

	f.plain->width_bits = 57;
	set(4, 0, PG(0) | TABLE);
	set(4, 1, PG(0) | TABLE);
	set(3, 5, PG(40) | TABLE);
	t_ok(shim_ioctl(f.fd, IOMMU_IOASID_ALLOC, &cmd));
	/* A device of 48 bits gets as much of it. */
	t_ok(t_attach(f.plain, f.fd, cmd.ioasid));
	assert_reaches(f.plain, PG(5), USER + PG(40), 1);
	assert_blocked(f.plain, (1ull << 48) + PG(5), 1);
	t_release(f.plain);
	f.plain->file_open = true;
	iofd_devfile_init(&f.plain->df, &f.plain->dev, f.plain->df.ops);
	t_ok(t_bind(f.plain, f.fd, 2));
	t_ok(t_attach(f.plain, f.fd, cmd.ioasid));
	t_ok(t_attach(f.nests, f.fd, cmd.ioasid));
	both_reach(&f, PG(5), 40);
	both_reach(&f, (1ull << 48) + PG(5), 40);
	both_reach(&f, (2ull << 48) + PG(5), -1);
	assert_int_equal(*pte(3, 5) & (A | EA), A | EA);
	shim_close(f.fd);
}

/* Devices of different widths, the narrow one first: each gets what it reaches. */
static void narrow_devices(void **state)
{
	struct fixture f = family();
	struct testhw_dev *narrow = testhw_dev();

	narrow->width_bits = 39;
	set(0, 1, PG(1) | TABLE);
	set(3, 5, PG(40) | TABLE);
	t_ok(t_bind(narrow, f.fd, 3));
	t_ok(t_attach(narrow, f.fd, f.user));
	t_ok(t_attach(f.plain, f.fd, f.user));
	t_ok(t_attach(f.nests, f.fd, f.user));
	both_reach(&f, PG(5), 40);
	both_reach(&f, (1ull << 39) + PG(5), 40);
	assert_reaches(narrow, PG(5), USER + PG(40), 1);
	assert_blocked(narrow, (1ull << 39) + PG(5), 1);
	set(3, 6, PG(41) | TABLE);
	t_ok(t_invalidate(f.fd, f.user, PG(6), 1));
	t_ok(t_invalidate(f.fd, f.user, (1ull << 39) + PG(6), 1));
	both_reach(&f, (1ull << 39) + PG(6), 41);
	assert_reaches(narrow, PG(6), USER + PG(41), 1);
	t_ok(t_unmap(f.fd, f.root, 0, PAGES));
	both_reach(&f, (1ull << 39) + PG(6), -1);
	assert_blocked(narrow, PG(5), 2);
	shim_close(f.fd);
}

/* B7: without an invalidation the old is allowed; with it only the new. */
static void B7_changes_need_an_invalidation(void **state)
{
	struct fixture f = family();

	set(3, 5, PG(40) | TABLE);
	set(3, 6, PG(41) | TABLE);
	attach_both(&f);
	both_reach(&f, PG(5), 40);
	set(3, 5, PG(43) | TABLE);
	assert_reaches(f.plain, PG(5), USER + PG(40), 1);
	t_ok(t_invalidate(f.fd, f.user, PG(5), 1));
	both_reach(&f, PG(5), 43);
	both_reach(&f, PG(6), 41);
	set(3, 5, 0);
	t_ok(t_invalidate(f.fd, f.user, PG(5), 1));
	both_reach(&f, PG(5), -1);
	both_reach(&f, PG(6), 41);
	/* From a table that is cut off everything goes. */
	set(2, 0, 0);
	t_ok(t_invalidate(f.fd, f.user, 0, 512));
	both_reach(&f, PG(6), -1);
	set(2, 0, PG(3) | TABLE);
	t_ok(t_invalidate_all(f.fd, f.user));
	both_reach(&f, PG(6), 41);
	shim_close(f.fd);
}

/* What an invalidation finds as it was is not disturbed. */
static void neighbours_stay_in_place(void **state)
{
	struct fixture f = family();
	unsigned long flushes;
	unsigned int i;

	for (i = 0; i < 16; i++)
		set(3, i, PG(40 + i) | TABLE);
	t_ok(t_attach(f.plain, f.fd, f.user));
	testhw_maps = 0;
	flushes = testhw_flushes;
	t_ok(t_invalidate_all(f.fd, f.user));
	assert_int_equal(testhw_maps, 0);
	assert_int_equal(testhw_flushes, flushes);
	set(3, 4, 0);
	set(3, 20, PG(60) | TABLE);
	t_ok(t_invalidate_all(f.fd, f.user));
	assert_int_equal(testhw_maps, 1);
	assert_int_equal(testhw_flushes, flushes + 1);
	assert_reaches(f.plain, PG(20), USER + PG(60), 1);
	assert_blocked(f.plain, PG(4), 1);
	shim_close(f.fd);
}

/* A leaf becomes smaller or larger: one page of it that is invalidated is all. */
static void leaves_that_change_their_size(void **state)
{
	struct fixture f = family();
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		set(3, i, PG(PAGES - 1 - i) | TABLE);
	attach_both(&f);
	both_reach(&f, PG(7), PAGES - 1 - 7);
	set(2, 0, TABLE | PS);
	t_ok(t_invalidate(f.fd, f.user, PG(7), 1));
	both_reach(&f, PG(7), 7);
	/* Elsewhere the old is allowed, but not in the way of anything. */
	t_ok(t_unmap(f.fd, f.root, 0, PAGES));
	t_ok(t_map(f.fd, f.root, USER, PAGES, 0));
	both_reach(&f, PG(9), 9);
	set(1, 0, TABLE | PS);
	t_ok(t_invalidate(f.fd, f.user, PG(7), 1));
	both_reach(&f, PG(7), 7);
	/* Back to tables: a page that was reached as part of the leaf still is. */
	set(1, 0, PG(2) | TABLE);
	set(2, 0, PG(3) | TABLE);
	t_ok(t_invalidate(f.fd, f.user, PG(7), 1));
	both_reach(&f, PG(7), PAGES - 1 - 7);
	assert_reaches(f.plain, PG(50), USER + PG(PAGES - 1 - 50), 1);
	set(2, 0, TABLE | PS);
	set(2, 1, PG(3) | TABLE);
	t_ok(t_invalidate(f.fd, f.user, SZ_2M, 1));
	t_ok(t_unmap(f.fd, f.root, 0, PAGES));
	t_ok(t_map(f.fd, f.root, USER, PAGES, 0));
	t_ok(t_invalidate_all(f.fd, f.user));
	both_reach(&f, PG(7), 7);
	both_reach(&f, SZ_2M + PG(7), PAGES - 1 - 7);
	shim_close(f.fd);
}

/* F3, B8: what a label and a PASID narrow down to. */
static void F3_label_and_pasid(void **state)
{
	struct fixture f = family();
	struct iommu_invalidate_entry e[3] = {
		{ .flags = IOMMU_INVALIDATE_LABEL | IOMMU_INVALIDATE_LEAF,
		  .granularity = IOMMU_INVALIDATE_RANGE, .label = 1,
		  .addr = PG(5), .length = PG(2) },
		{ .flags = IOMMU_INVALIDATE_VPASID, .vpasid = 9 },
		{ .flags = IOMMU_INVALIDATE_LABEL, .label = 2 },
	};
	struct iommu_invalidate_cache cmd = {
		.size = sizeof(cmd), .ioasid = f.user, .entries = (uintptr_t)e,
		.entry_len_bytes = sizeof(e[0]), .nr_entries = 1,
	};

	t_ok(t_attach(f.nests, f.fd, f.user));
	t_ok(shim_ioctl(f.fd, IOMMU_INVALIDATE_CACHE, &cmd));
	assert_ptr_equal(testhw_last_invalidation.hw, f.nests);
	assert_int_equal(testhw_last_invalidation.pasid, IOFD_ANY_PASID);
	assert_int_equal(testhw_last_invalidation.first, PG(5));
	assert_int_equal(testhw_last_invalidation.last, PG(7) - 1);
	assert_true(testhw_last_invalidation.leaf);
	/* A PASID that is not attached: the first was done, and no more. */
	cmd.nr_entries = 3;
	t_errno(shim_ioctl(f.fd, IOMMU_INVALIDATE_CACHE, &cmd), ENOENT);
	assert_int_equal(cmd.nr_entries, 1);
	t_ok(t_attach_pasid(f.nests, f.fd, f.user, 9));
	cmd.nr_entries = 3;
	t_errno(shim_ioctl(f.fd, IOMMU_INVALIDATE_CACHE, &cmd), ENOENT);
	assert_int_equal(cmd.nr_entries, 2);
	assert_null(testhw_last_invalidation.hw);
	assert_int_equal(testhw_last_invalidation.pasid, 9);
	t_ok(t_attach(f.plain, f.fd, f.user));
	cmd.nr_entries = 3;
	t_ok(shim_ioctl(f.fd, IOMMU_INVALIDATE_CACHE, &cmd));
	assert_int_equal(cmd.nr_entries, 3);
	/* No device at all is no error, but for a label. */
	t_ok(t_detach(f.plain, f.fd, f.user));
	t_ok(t_detach_pasid(f.nests, f.fd, f.user, 9));
	t_ok(t_detach(f.nests, f.fd, f.user));
	t_ok(t_invalidate_all(f.fd, f.user));
	cmd.nr_entries = 1;
	t_errno(shim_ioctl(f.fd, IOMMU_INVALIDATE_CACHE, &cmd), ENOENT);
	assert_int_equal(cmd.nr_entries, 0);
	shim_close(f.fd);
}

static void invalidations_that_make_no_sense(void **state)
{
	struct fixture f = family();
	static const struct {
		struct iommu_invalidate_entry e;
		int error;
	} bad[] = {
		{ { .flags = 8 }, EOPNOTSUPP },
		{ { .granularity = 2 }, EOPNOTSUPP },
		{ { .__reserved = 1 }, EOPNOTSUPP },
		{ { .label = 1 }, EINVAL },
		{ { .vpasid = 1 }, EINVAL },
		{ { .flags = IOMMU_INVALIDATE_VPASID, .vpasid = 1 << 20 }, EINVAL },
		{ { .addr = PAGE_SIZE }, EINVAL },
		{ { .length = PAGE_SIZE }, EINVAL },
		{ { .granularity = 1 }, EINVAL },
		{ { .granularity = 1, .length = 1 }, EINVAL },
		{ { .granularity = 1, .addr = 1, .length = PAGE_SIZE }, EINVAL },
		{ { .granularity = 1, .addr = 0xfffffffffffff000,
		    .length = 2 * PAGE_SIZE }, EINVAL },
		{ { .granularity = 1, .addr = 1ull << 47,
		    .length = PAGE_SIZE }, EINVAL },
		{ { .granularity = 1, .addr = (1ull << 47) - PAGE_SIZE,
		    .length = 2 * PAGE_SIZE }, EINVAL },
		{ { .granularity = 1, .addr = ~((1ull << 47) - 1) - PAGE_SIZE,
		    .length = 2 * PAGE_SIZE }, EINVAL },
		{ { .granularity = 1, .addr = ~((1ull << 47) - 1),
		    .length = PAGE_SIZE }, 0 },
		{ { .flags = IOMMU_INVALIDATE_LABEL, .label = 3 }, ENOENT },
	};
	unsigned int i;

	attach_both(&f);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct iommu_invalidate_entry e = bad[i].e;
		struct iommu_invalidate_cache cmd = {
			.size = sizeof(cmd), .ioasid = f.user,
			.entries = (uintptr_t)&e, .entry_len_bytes = sizeof(e),
			.nr_entries = 1,
		};
		char *before = t_state();

		if (shim_ioctl(f.fd, IOMMU_INVALIDATE_CACHE, &cmd) != -bad[i].error)
			fail_msg("entry %u", i);
		assert_int_equal(cmd.nr_entries, !bad[i].error);
		assert_state(before);
	}
	shim_close(f.fd);
}

/* B13, and the same for the pages of the table itself */
static void B13_parent_takes_and_gives_back(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	unsigned int i;

	f.nests = testhw_dev();
	f.nests->nests = true;
	f.plain = testhw_dev();
	shim_user_map(USER, PAGES, SHIM_SCATTERED);
	f.root = t_ok(t_alloc(f.fd));
	for (i = 0; i < PAGES; i++)
		t_ok(t_map(f.fd, f.root, USER + PG(i), 1, PG(i)));
	build_spine();
	for (i = 0; i < 8; i++)
		set(3, i, PG(40 + i) | TABLE);
	set(2, 1, PG(3) | TABLE);		/* the same page twice */
	f.user = t_ok(t_alloc_user(f.fd, f.root, 0, IOMMU_NESTING_AUTO));
	t_ok(t_bind(f.nests, f.fd, 1));
	t_ok(t_bind(f.plain, f.fd, 2));
	attach_both(&f);
	both_reach(&f, PG(4), 44);
	t_ok(t_unmap(f.fd, f.root, PG(44), 1));
	both_reach(&f, PG(4), -1);
	both_reach(&f, SZ_2M + PG(4), -1);
	both_reach(&f, PG(5), 45);
	t_ok(t_map(f.fd, f.root, USER + PG(44), 1, PG(44)));
	both_reach(&f, PG(4), 44);
	for (i = 0; i < 4; i++) {
		t_ok(t_unmap(f.fd, f.root, PG(i), 1));
		both_reach(&f, PG(5), -1);
		both_reach(&f, SZ_2M + PG(7), -1);
		t_ok(t_map(f.fd, f.root, USER + PG(i), 1, PG(i)));
		both_reach(&f, PG(5), 45);
		both_reach(&f, SZ_2M + PG(7), 47);
	}
	/* Another page in its place says something else. */
	t_ok(t_unmap(f.fd, f.root, PG(3), 1));
	set(20, 5, PG(50) | TABLE);
	t_ok(t_map(f.fd, f.root, USER + PG(20), 1, PG(3)));
	both_reach(&f, PG(5), 50);
	both_reach(&f, PG(4), -1);
	shim_close(f.fd);
}

/* Without write permission for the table's pages no bit can be set in them. */
static void tables_that_cannot_be_written(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	phys_addr_t phys;

	f.nests = testhw_dev();
	f.nests->nests = true;
	f.plain = testhw_dev();
	shim_user_map(USER, PAGES, SHIM_SCATTERED);
	f.root = t_ok(t_alloc(f.fd));
	t_ok(t_map(f.fd, f.root, USER, 3, 0));
	t_ok(t_map_prot(f.fd, f.root, USER + PG(3), 1, PG(3), IOMMU_MAP_READ));
	t_ok(t_map(f.fd, f.root, USER + PG(4), 60, PG(4)));
	build_spine();
	set(3, 4, PG(44) | TABLE);
	set(3, 5, PG(45) | TABLE | A);
	set(3, 6, PG(46) | TABLE | A | D);
	f.user = t_ok(t_alloc_user(f.fd, f.root, 0, IOMMU_NESTING_AUTO));
	t_ok(t_bind(f.nests, f.fd, 1));
	t_ok(t_bind(f.plain, f.fd, 2));
	attach_both(&f);
	both_reach(&f, PG(4), -1);
	both_reach(&f, PG(5), 45);
	assert_false(testhw_dma(f.nests, PG(5), IOFD_WRITE, &phys));
	assert_false(testhw_dma(f.plain, PG(5), IOFD_WRITE, &phys));
	assert_true(testhw_dma(f.nests, PG(6), IOFD_WRITE, &phys));
	assert_true(testhw_dma(f.plain, PG(6), IOFD_WRITE, &phys));
	shim_close(f.fd);
}

/* Tables that point at themselves, in every way */
static void hostile_tables(void **state)
{
	struct fixture f = family();
	unsigned int i, page;
	char *before;

	/* Each entry of the root page is the root page: 512^4 leaves */
	for (i = 0; i < 512; i++)
		set(0, i, PG(0) | TABLE);
	before = t_state();
	t_errno(t_attach(f.plain, f.fd, f.user), E2BIG);
	assert_state(before);
	/* One entry does: it is a leaf of itself in the end. */
	for (i = 1; i < 512; i++)
		set(0, i, 0);
	attach_both(&f);
	both_reach(&f, 0, 0);
	/* It grows while it is attached. */
	for (i = 1; i < 512; i++)
		set(0, i, PG(0) | TABLE);
	t_errno(t_invalidate_all(f.fd, f.user), E2BIG);
	assert_blocked(f.plain, 0, 16);
	for (i = 1; i < 512; i++)
		set(0, i, 0);
	t_ok(t_invalidate_all(f.fd, f.user));
	both_reach(&f, 0, 0);
	/* Nothing but noise, with more and more of it */
	for (page = 0; page < 32; page++)
		for (i = 0; i < 512; i++)
			set(page, i, shim_random());
	t_invalidate_all(f.fd, f.user);
	for (page = 0; page < 32; page++)
		for (i = 0; i < 512; i++)
			set(page, i, shim_random_below(50) ? 0 :
			    PG(shim_random_below(PAGES + 4)) |
			    (shim_random() & ~0xffffffffff000ull) | P | US);
	t_invalidate_all(f.fd, f.user);
	/* The parent does not suffer from it. */
	for (i = 0; i < 512; i++)
		set(0, i, PG(0) | TABLE);
	t_invalidate_all(f.fd, f.user);
	t_ok(t_unmap(f.fd, f.root, 0, PAGES));
	t_ok(t_map(f.fd, f.root, USER, PAGES, 0));
	assert_blocked(f.plain, 0, 16);
	shim_close(f.fd);
}

/* Few entries that say much: each large leaf is 3 pages of ours, or 513. */
static void hostile_large_leaves(void **state)
{
	struct fixture f = family();
	unsigned long before, nr = (PAGES * 1024ul + (1ul << 22)) >> 18;
	unsigned int i;

	/* As many GiB as it may, and one more */
	for (i = 0; i < nr; i++)
		set(1, i, TABLE | PS);
	t_ok(t_attach(f.plain, f.fd, f.user));
	assert_reaches(f.plain, (nr - 1) * SZ_1G, USER, PAGES);
	before = shim_live_allocs;
	set(1, nr, TABLE | PS);
	t_errno(t_invalidate_all(f.fd, f.user), E2BIG);
	assert_blocked(f.plain, 0, PAGES);
	assert_true(shim_live_allocs < before);
	set(1, nr, 0);
	t_ok(t_invalidate_all(f.fd, f.user));
	assert_reaches(f.plain, (nr - 1) * SZ_1G, USER, PAGES);
	shim_close(f.fd);
}

static void nesting_as_asked_for(void **state)
{
	struct fixture f = family();
	int hard = t_ok(t_alloc_user(f.fd, f.root, 0, IOMMU_NESTING_HARDWARE));
	int soft = t_ok(t_alloc_user(f.fd, f.root, 0, IOMMU_NESTING_SOFTWARE));
	struct iommu_ioasid_alloc for_label = {
		.size = sizeof(for_label), .type = IOMMU_IOASID_KERNEL_MANAGED,
		.flags = IOMMU_IOASID_FOR_LABEL, .label = 99, .parent = hard,
	};
	char *before;

	set(3, 5, PG(40) | TABLE);
	before = t_state();
	t_errno(shim_ioctl(f.fd, IOMMU_IOASID_ALLOC, &for_label), ENOENT);
	assert_state(before);
	before = t_state();
	t_errno(t_attach(f.plain, f.fd, hard), EOPNOTSUPP);
	assert_state(before);
	t_ok(t_attach(f.nests, f.fd, hard));
	assert_int_equal(info_flags(f.fd, hard) & (IOMMU_IOASID_INFO_HW_NESTED |
						   IOMMU_IOASID_INFO_COMPOSED),
			 IOMMU_IOASID_INFO_HW_NESTED);
	assert_reaches(f.nests, PG(5), USER + PG(40), 1);
	t_ok(t_detach(f.nests, f.fd, hard));
	t_ok(t_attach(f.nests, f.fd, soft));
	assert_int_equal(info_flags(f.fd, soft) & (IOMMU_IOASID_INFO_HW_NESTED |
						   IOMMU_IOASID_INFO_COMPOSED),
			 IOMMU_IOASID_INFO_COMPOSED);
	assert_reaches(f.nests, PG(5), USER + PG(40), 1);
	shim_close(f.fd);
}

/* Supervisor mode is the hardware's, or nobody's. */
static void supervisor_requests(void **state)
{
	struct fixture f = family();
	struct iommu_vtd_s1_attrs attrs = { .flags = IOMMU_VTD_S1_SRE };
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd), .type = IOMMU_IOASID_USER_MANAGED,
		.format = IOMMU_FORMAT_VTD_S1, .addr_width_bits = 48,
		.parent = f.root, .attrs = (uintptr_t)&attrs,
		.attrs_len_bytes = sizeof(attrs),
	};
	char *before;

	t_ok(shim_ioctl(f.fd, IOMMU_IOASID_ALLOC, &cmd));
	before = t_state();
	/* The model's hardware has none either. */
	t_errno(t_attach(f.nests, f.fd, cmd.ioasid), EOPNOTSUPP);
	t_errno(t_attach(f.plain, f.fd, cmd.ioasid), EOPNOTSUPP);
	assert_state(before);
	attrs.flags = IOMMU_VTD_S1_WPE;
	cmd.ioasid = 0;
	t_errno(shim_ioctl(f.fd, IOMMU_IOASID_ALLOC, &cmd), EINVAL);
	attrs.flags = 8;
	t_errno(shim_ioctl(f.fd, IOMMU_IOASID_ALLOC, &cmd), EOPNOTSUPP);
	attrs.flags = 0;
	attrs.__reserved = 1;
	t_errno(shim_ioctl(f.fd, IOMMU_IOASID_ALLOC, &cmd), EOPNOTSUPP);
	shim_close(f.fd);
}

/* A kernel-managed child of a user's table, and a user's table of a child */
static void mixed_trees(void **state)
{
	struct fixture f = family();
	int below = t_ok(t_alloc_child(f.fd, f.user));
	int child = t_ok(t_alloc_child(f.fd, f.root)), nested;
	unsigned int i;

	set(3, 5, PG(40) | TABLE);
	set(3, 6, PG(41) | TABLE);
	t_ok(t_map(f.fd, below, PG(5), 2, PG(100)));
	t_ok(t_attach(f.plain, f.fd, below));
	t_ok(t_invalidate_all(f.fd, f.user));
	assert_reaches(f.plain, PG(100), USER + PG(40), 1);
	assert_reaches(f.plain, PG(101), USER + PG(41), 1);
	set(3, 6, PG(42) | TABLE);
	t_ok(t_invalidate(f.fd, f.user, PG(6), 1));
	assert_reaches(f.plain, PG(101), USER + PG(42), 1);
	t_ok(t_unmap(f.fd, f.root, 0, PAGES));
	assert_blocked(f.plain, PG(100), 2);
	t_ok(t_map(f.fd, f.root, USER, PAGES, 0));
	assert_reaches(f.plain, PG(100), USER + PG(40), 1);
	t_ok(t_detach(f.plain, f.fd, below));

	/* The child shows the table and the data at another place. */
	t_ok(t_map(f.fd, child, 0, PAGES, SZ_1G));
	for (i = 0; i < 3; i++)
		set(i, 0, SZ_1G + PG(i + 1) + TABLE);
	set(3, 5, SZ_1G + PG(50) + TABLE);
	nested = t_ok(t_alloc_user(f.fd, child, SZ_1G, IOMMU_NESTING_AUTO));
	t_ok(t_attach(f.nests, f.fd, nested));
	t_ok(t_attach(f.plain, f.fd, nested));
	both_reach(&f, PG(5), 50);
	t_ok(t_unmap(f.fd, child, SZ_1G, PAGES));
	both_reach(&f, PG(5), -1);
	t_ok(t_map(f.fd, child, 0, PAGES, SZ_1G));
	both_reach(&f, PG(5), 50);
	t_ok(t_unmap(f.fd, f.root, 0, PAGES));
	both_reach(&f, PG(5), -1);
	shim_close(f.fd);
}

/* Below another child a table translates no more than a mapping could. */
static void large_leaves_below_a_child(void **state)
{
	struct fixture f = family();
	int child = t_ok(t_alloc_child(f.fd, f.root)), nested;
	unsigned int i;

	t_ok(t_map(f.fd, child, 0, PAGES, 0));
	/* 16 GiB in leaves of 1 GiB; with the root's pages there is room for no 17th */
	for (i = 0; i < 16; i++)
		set(1, i, PS | TABLE);
	nested = t_ok(t_alloc_user(f.fd, child, 0, IOMMU_NESTING_SOFTWARE));
	t_ok(t_attach(f.plain, f.fd, nested));
	assert_reaches(f.plain, 15ull * SZ_1G + PG(5), USER + PG(5), 1);
	set(1, 16, PS | TABLE);
	t_errno(t_invalidate_all(f.fd, nested), E2BIG);
	assert_blocked(f.plain, PG(5), 1);
	set(1, 16, 0);
	t_ok(t_invalidate_all(f.fd, nested));
	assert_reaches(f.plain, PG(5), USER + PG(5), 1);
	shim_close(f.fd);
}

/* A18: a user's table of PASIDs, where a provider offers it. */
static void A18_user_pasid_table(void **state)
{
	struct fixture f = family();
	struct iommu_invalidate_entry e = {
		.flags = IOMMU_INVALIDATE_VPASID, .vpasid = 77,
		.granularity = IOMMU_INVALIDATE_RANGE, .addr = PG(1),
		.length = PG(1),
	};
	struct iommu_invalidate_cache inv = {
		.size = sizeof(inv), .entries = (uintptr_t)&e,
		.entry_len_bytes = sizeof(e), .nr_entries = 1,
	};
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd), .type = IOMMU_IOASID_USER_PASID_TABLE,
		.format = IOMMU_FORMAT_VTD_PASID_TABLE, .parent = f.root,
		.table_addr = PG(1),
	};
	struct iofd_hw_fault fault = {
		.address = PG(9), .access = IOFD_WRITE, .reason_text = "x",
		.has_pasid = true, .pasid = 77,
	};

	t_ok(shim_ioctl(f.fd, IOMMU_IOASID_ALLOC, &cmd));
	t_errno(t_attach(f.plain, f.fd, cmd.ioasid), EOPNOTSUPP);
	t_errno(t_attach(f.nests, f.fd, cmd.ioasid), EOPNOTSUPP);
	t_errno(t_alloc_child(f.fd, cmd.ioasid), EOPNOTSUPP);
	t_release(f.nests);
	f.nests->more_formats = 1ull << IOMMU_FORMAT_VTD_PASID_TABLE;
	f.nests->file_open = true;
	iofd_devfile_init(&f.nests->df, &f.nests->dev, f.nests->df.ops);
	t_ok(t_bind(f.nests, f.fd, 1));
	t_errno(t_attach_pasid(f.nests, f.fd, cmd.ioasid, 1), EINVAL);
	t_ok(t_attach_pasid(f.nests, f.fd, f.root, 1));
	t_errno(t_attach(f.nests, f.fd, cmd.ioasid), EBUSY);
	t_ok(t_detach_pasid(f.nests, f.fd, f.root, 1));
	t_ok(t_attach(f.nests, f.fd, cmd.ioasid));
	t_errno(t_attach_pasid(f.nests, f.fd, f.root, 1), EBUSY);
	t_errno(t_detach_pasid(f.nests, f.fd, cmd.ioasid, 1), ENOENT);
	/* Its PASIDs are the user's: invalidation and fault carry them. */
	inv.ioasid = cmd.ioasid;
	t_ok(shim_ioctl(f.fd, IOMMU_INVALIDATE_CACHE, &inv));
	assert_int_equal(testhw_last_invalidation.pasid, 77);
	testhw_nr_events = 0;
	iofd_hw_report_fault(&f.nests->dev, &fault);
	assert_event(IOFD_EVENT_FAULT, f.nests, f.fd, 1, cmd.ioasid);
	t_errno(t_map(f.fd, cmd.ioasid, USER, 1, 0), EOPNOTSUPP);
	shim_close(f.fd);
}

static void allocations_fail(void **state)
{
	struct fixture f = family();
	unsigned int i, who;
	unsigned long n;
	char *before;
	int rc;

	for (i = 0; i < 8; i++)
		set(3, i, PG(40 + i) | TABLE | A | D);
	for (who = 0; who < 2; who++) {
		struct testhw_dev *hw = who ? f.nests : f.plain;

		for (n = 1;; n++) {
			before = t_state();
			shim_fail_nth(n);
			rc = t_attach(hw, f.fd, f.user);
			shim_fail_nth(0);
			if (!rc)
				break;
			assert_int_equal(rc, -ENOMEM);
			assert_state(before);
		}
		free(before);
		assert_true(n > 4);
		assert_reaches(hw, PG(5), USER + PG(45), 1);
	}
	/* A composed table that could not be walked translates nothing. */
	for (n = 1;; n++) {
		for (i = 0; i < 8; i++)
			set(3, i, PG(50 + i) | TABLE);
		shim_fail_nth(n);
		rc = t_invalidate_all(f.fd, f.user);
		shim_fail_nth(0);
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_blocked(f.plain, 0, 8);
		for (i = 0; i < 8; i++)
			set(3, i, PG(40 + i) | TABLE);
		t_ok(t_invalidate_all(f.fd, f.user));
		both_reach(&f, PG(3), 43);
	}
	both_reach(&f, PG(3), 53);
	shim_close(f.fd);
}

/*
 * Equivalence: a parent that maps, unmaps and remaps, tables that are edited and
 * invalidated, devices and PASIDs that come and go: after every step hardware
 * that nests and composition agree on every address.
 */
#define TABLES	12			/* pages of the root that are tables */
#define SPAN	8			/* entries that are used of each */
#define PASIDS	3

static u64 random_entry(unsigned int page)
{
	/* Tables of all levels are in the same pages: any may point at any. */
	u64 to = shim_random_below(4) ? shim_random_below(TABLES) :
		 shim_random_below(PAGES + 2);
	u64 e = PG(to);

	e |= shim_random_below(8) ? P : 0;
	e |= shim_random_below(4) ? RW : 0;
	e |= shim_random_below(10) ? US : 0;
	e |= shim_random_below(2) ? A : 0;
	e |= shim_random_below(2) ? D : 0;
	if (!shim_random_below(6))
		e = (e | PS) & ~(PG(512) - PG(1));
	return e;
}

static void agree(struct testhw_dev *a, struct testhw_dev *b, u32 pasid,
		  u64 addr, u32 access)
{
	phys_addr_t pa = 0, pb = 0;
	bool can_a, can_b;

	/* Composition first: it sets the bits that hardware would find set. */
	can_b = testhw_dma_pasid(b, pasid, addr, access, &pb);
	can_a = testhw_dma_pasid(a, pasid, addr, access, &pa);
	if (can_a != can_b || pa != pb)
		fail_msg("%#llx %s: nested %d %#llx, composed %d %#llx",
			 (unsigned long long)addr,
			 access == IOFD_WRITE ? "write" : "read", can_a,
			 (unsigned long long)pa, can_b, (unsigned long long)pb);
}

static void probe(struct fixture *f, u32 pasid)
{
	unsigned int i;

	for (i = 0; i < 60; i++) {
		u64 addr = shim_random_below(SPAN) << 39 |
			   shim_random_below(SPAN) << 30 |
			   shim_random_below(SPAN) << 21 |
			   shim_random_below(SPAN) << 12;

		agree(f->nests, f->plain, pasid, addr,
		      shim_random_below(2) ? IOFD_READ : IOFD_WRITE);
	}
}

static void equivalence(void **state)
{
	struct fixture f = family();
	int tables[PASIDS], at[PASIDS] = { 0 };
	bool mapped[PAGES];
	unsigned int step, i, k;

	t_ok(t_unmap(f.fd, f.root, 0, PAGES));
	for (i = 0; i < PAGES; i++) {
		t_ok(t_map(f.fd, f.root, USER + PG(i), 1, PG(i)));
		mapped[i] = true;
	}
	for (k = 0; k < TABLES; k++)
		for (i = 0; i < 512; i++)
			set(k, i, i < SPAN ? random_entry(k) : 0);
	for (i = 0; i < PASIDS; i++)
		tables[i] = t_ok(t_alloc_user(f.fd, f.root, PG(i),
					      IOMMU_NESTING_AUTO));
	for (step = 0; step < 10000; step++) {
		unsigned int page = shim_random_below(PAGES);

		switch (shim_random_below(6)) {
		case 0:
			if (!mapped[page])
				break;
			t_ok(t_unmap(f.fd, f.root, PG(page), 1));
			mapped[page] = false;
			break;
		case 1:
			if (mapped[page])
				break;
			t_ok(t_map_prot(f.fd, f.root,
					USER + PG(shim_random_below(4) ? page :
						  shim_random_below(PAGES)),
					1, PG(page), shim_random_below(4) ? 3 :
					1 + shim_random_below(3)));
			mapped[page] = true;
			break;
		case 2:
		case 3:
			/* Any number of edits, and then what they need */
			do {
				set(shim_random_below(TABLES),
				    shim_random_below(SPAN),
				    random_entry(0));
			} while (shim_random_below(3));
			for (i = 0; i < PASIDS; i++)
				if (at[i])
					t_ok(t_invalidate_all(f.fd, tables[i]));
			break;
		case 4:
			i = shim_random_below(PASIDS);
			if (at[i])
				break;
			t_ok(t_attach_pasid(f.nests, f.fd, tables[i], i + 1));
			t_ok(t_attach_pasid(f.plain, f.fd, tables[i], i + 1));
			/* It was composed once and nobody has kept it fresh. */
			t_ok(t_invalidate_all(f.fd, tables[i]));
			at[i] = 1;
			break;
		default:
			i = shim_random_below(PASIDS);
			if (!at[i])
				break;
			t_ok(t_detach_pasid(f.nests, f.fd, tables[i], i + 1));
			t_ok(t_detach_pasid(f.plain, f.fd, tables[i], i + 1));
			at[i] = 0;
		}
		for (i = 0; i < PASIDS; i++)
			if (at[i])
				probe(&f, i + 1);
		testhw_nr_events = 0;
	}
	shim_close(f.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(B4_gva_to_gpa_to_memory),
		core_test(B4_large_leaves),
		core_test(five_levels),
		core_test(narrow_devices),
		core_test(B7_changes_need_an_invalidation),
		core_test(neighbours_stay_in_place),
		core_test(leaves_that_change_their_size),
		core_test(F3_label_and_pasid),
		core_test(invalidations_that_make_no_sense),
		core_test(B13_parent_takes_and_gives_back),
		core_test(tables_that_cannot_be_written),
		core_test(hostile_tables),
		core_test(hostile_large_leaves),
		core_test(nesting_as_asked_for),
		core_test(supervisor_requests),
		core_test(mixed_trees),
		core_test(large_leaves_below_a_child),
		core_test(A18_user_pasid_table),
		core_test(allocations_fail),
		core_test(equivalence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
