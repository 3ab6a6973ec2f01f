// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mapping and unmapping: what is mapped, pinned and charged, in which tables,
 * and that nothing is left of what failed.
 */
#include "testhw.h"
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/sched/signal.h>

#define USER	0x10000000ul		/* where the program's memory is */
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)

/* A program with one IOASID and one device */
struct fixture {
	int fd;
	int ioasid;
	struct testhw_dev *hw;
};

static struct fixture attached(void)
{
	struct fixture f = { .fd = t_ok(t_open()) };

	f.hw = testhw_dev();
	f.ioasid = t_ok(t_alloc(f.fd));
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_attach(f.hw, f.fd, f.ioasid));
	return f;
}

static long charged(void)
{
	return atomic_long_read(&shim_current->user->locked_vm);
}

static void assert_charge(long pages)
{
	assert_int_equal(charged(), pages);
	assert_int_equal(atomic64_read(&shim_current->mm->pinned_vm), pages);
	assert_int_equal(shim_pins, pages);
}

/* What a space holds in all, as its info says */
static void assert_holds(int fd, int ioasid, u64 mappings, u64 pages)
{
	struct iommu_ioasid_range ranges[8];
	struct iommu_ioasid_info info = {
		.size = sizeof(info),
		.ioasid = ioasid,
		.nr_ranges = ARRAY_SIZE(ranges),
		.ranges = (uintptr_t)ranges,
	};

	t_ok(shim_ioctl(fd, IOMMU_IOASID_GET_INFO, &info));
	assert_int_equal(info.nr_mappings, mappings);
	assert_int_equal(info.mapped_bytes, PG(pages));
	assert_int_equal(info.pinned_bytes, PG(pages));
	assert_int_equal(info.charged_bytes, PG(pages));
}

static unsigned int nr_tables(int fd, int ioasid)
{
	struct iofd_table *table;
	unsigned int n = 0;

	list_for_each_entry(table, &t_space(fd, ioasid)->tables, list)
		n++;
	return n;
}

static const struct iofd_hw_ops *primary_ops(int fd, int ioasid)
{
	return t_space(fd, ioasid)->primary->pt->ops;
}

static bool primary_is_store(int fd, int ioasid)
{
	return iofd_store_is(t_space(fd, ioasid)->primary->pt);
}

/* The model itself: does it notice? */

static void model_notices_a_lost_flush(void **state)
{
	struct fixture f = attached();
	phys_addr_t phys;

	shim_user_map(USER, 4, 0);
	t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA));
	testhw_lose_flush = true;
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 4));
	assert_int_equal(testhw_violations, 4);
	testhw_violations = 0;
	assert_true(testhw_dma(f.hw, IOVA, IOFD_READ, &phys));
	assert_int_equal(testhw_violations, 1);
	testhw_lose_flush = false;
	testhw_violations = 0;
	shim_close(f.fd);
}

static void model_notices_a_lost_revoke(void **state)
{
	struct fixture f = attached();

	shim_user_map(USER, 4, 0);
	t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA));
	testhw_lose_revoke = true;
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 4));
	assert_int_equal(testhw_violations, 4);
	testhw_lose_revoke = false;
	testhw_violations = 0;
	shim_close(f.fd);
}

static void model_notices_a_lost_sync(void **state)
{
	struct fixture f = attached();
	phys_addr_t phys;

	shim_user_map(USER, 4, 0);
	testhw_lose_sync = true;
	t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA));
	assert_false(testhw_dma(f.hw, IOVA, IOFD_READ, &phys));
	testhw_lose_sync = false;
	shim_close(f.fd);
}

/* Semantics */

static void map_and_unmap_one(void **state)
{
	struct fixture f = attached();
	phys_addr_t phys;

	shim_user_map(USER, 8, SHIM_SCATTERED);
	t_ok(t_map(f.fd, f.ioasid, USER, 8, IOVA));
	assert_holds(f.fd, f.ioasid, 1, 8);
	assert_charge(8);
	assert_reaches(f.hw, IOVA, USER, 8);
	assert_blocked(f.hw, IOVA - PAGE_SIZE, 1);
	assert_blocked(f.hw, IOVA + PG(8), 1);
	assert_true(testhw_dma(f.hw, IOVA, IOFD_WRITE, &phys));

	t_errno(t_map(f.fd, f.ioasid, USER, 8, IOVA), EEXIST);
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(7)), EEXIST);
	t_errno(t_map(f.fd, f.ioasid, USER, 2, IOVA - PAGE_SIZE), EEXIST);
	t_ok(t_map(f.fd, f.ioasid, USER, 1, IOVA - PAGE_SIZE));
	t_ok(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(8)));
	assert_charge(10);

	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 8));
	assert_blocked(f.hw, IOVA, 8);
	assert_reaches(f.hw, IOVA - PAGE_SIZE, USER, 1);
	assert_reaches(f.hw, IOVA + PG(8), USER, 1);
	assert_charge(2);
	shim_close(f.fd);
	assert_charge(0);
}

static void access_is_as_asked_for(void **state)
{
	struct fixture f = attached();
	phys_addr_t phys;

	shim_user_map(USER, 1, 0);
	shim_user_map(USER + PG(1), 1, SHIM_READONLY);
	t_ok(t_map_prot(f.fd, f.ioasid, USER, 1, IOVA, IOMMU_MAP_READ));
	t_ok(t_map_prot(f.fd, f.ioasid, USER, 1, IOVA + PG(1), IOMMU_MAP_WRITE));
	assert_true(testhw_dma(f.hw, IOVA, IOFD_READ, &phys));
	assert_false(testhw_dma(f.hw, IOVA, IOFD_WRITE, &phys));
	assert_false(testhw_dma(f.hw, IOVA + PG(1), IOFD_READ, &phys));
	assert_true(testhw_dma(f.hw, IOVA + PG(1), IOFD_WRITE, &phys));

	/* Memory that may not be written is pinned as it is, for reading only. */
	t_ok(t_map_prot(f.fd, f.ioasid, USER + PG(1), 1, IOVA + PG(2),
			IOMMU_MAP_READ));
	t_errno(t_map(f.fd, f.ioasid, USER + PG(1), 1, IOVA + PG(3)), EFAULT);
	t_ok(t_unmap_all(f.fd, f.ioasid));
	/* What the device might have written is dirty, the rest is not. */
	assert_true(shim_user_page(USER)->flags & SHIM_PAGE_DIRTY);
	assert_false(shim_user_page(USER + PG(1))->flags & SHIM_PAGE_DIRTY);
	shim_close(f.fd);
}

static void unmap_never_splits(void **state)
{
	struct fixture f = attached();
	char *before;

	shim_user_map(USER, 64, 0);
	/* [0, 4) [4, 8) hole [10, 12) */
	t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA));
	t_ok(t_map(f.fd, f.ioasid, USER + PG(4), 4, IOVA + PG(4)));
	t_ok(t_map(f.fd, f.ioasid, USER + PG(10), 2, IOVA + PG(10)));
	before = t_state();

	t_errno(t_unmap(f.fd, f.ioasid, IOVA, 3), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA + PG(1), 3), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA + PG(1), 2), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA, 6), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA + PG(2), 6), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA + PG(2), 10), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA, 11), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA - PAGE_SIZE, 2), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA + PG(9), 2), EINVAL);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA + PG(11), 100), EINVAL);
	/* Nothing in the range */
	t_errno(t_unmap(f.fd, f.ioasid, IOVA + PG(8), 2), ENOENT);
	t_errno(t_unmap(f.fd, f.ioasid, 0, 1), ENOENT);
	assert_state(before);
	assert_reaches(f.hw, IOVA, USER, 8);
	assert_reaches(f.hw, IOVA + PG(10), USER + PG(10), 2);

	/* Many and a hole, with space around: what was mapped is counted */
	assert_int_equal(t_unmap_count(f.fd, f.ioasid, IOVA + PG(4), 6), 4);
	assert_reaches(f.hw, IOVA, USER, 4);
	assert_blocked(f.hw, IOVA + PG(4), 6);
	assert_int_equal(t_unmap_count(f.fd, f.ioasid, IOVA - PG(100), 200), 6);
	assert_charge(0);
	assert_holds(f.fd, f.ioasid, 0, 0);
	t_ok(t_unmap_all(f.fd, f.ioasid));
	shim_close(f.fd);
}

/* The range may be all there is, and start at 0. */
static void unmap_whole_space(void **state)
{
	struct iommu_unmap_dma cmd;
	struct fixture f = attached();
	unsigned int i;

	shim_user_map(USER, 64, SHIM_SCATTERED);
	for (i = 0; i < 64; i++)
		t_ok(t_map(f.fd, f.ioasid, USER + PG(i), 1, PG(i * i)));
	testhw_flushes = 0;
	cmd = (struct iommu_unmap_dma) {
		.size = sizeof(cmd),
		.ioasid = f.ioasid,
		.length = U64_MAX & PAGE_MASK,
	};
	t_ok(shim_ioctl(f.fd, IOMMU_UNMAP_DMA, &cmd));
	assert_int_equal(cmd.length, PG(64));
	/* One command, one flush */
	assert_int_equal(testhw_flushes, 1);
	assert_charge(0);

	for (i = 0; i < 64; i++)
		t_ok(t_map(f.fd, f.ioasid, USER + PG(i), 1, PG(i * i)));
	cmd.flags = IOMMU_UNMAP_ALL;
	cmd.length = 0;
	t_ok(shim_ioctl(f.fd, IOMMU_UNMAP_DMA, &cmd));
	assert_int_equal(cmd.length, PG(64));
	assert_blocked(f.hw, 0, 64);
	assert_charge(0);
	shim_close(f.fd);
}

/* One command, one flush and one sync, however many runs */
static void map_syncs_once(void **state)
{
	struct fixture f = attached();

	shim_user_map(USER, 700, SHIM_SCATTERED);
	testhw_flushes = testhw_syncs = testhw_maps = 0;
	t_ok(t_map(f.fd, f.ioasid, USER, 700, IOVA));
	assert_int_equal(testhw_maps, 700);
	assert_int_equal(testhw_syncs, 1);
	assert_int_equal(testhw_flushes, 0);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 700));
	assert_int_equal(testhw_flushes, 1);
	shim_close(f.fd);
}

/* Memory in random runs, some within, some over the ends of a batch */
static unsigned long make_runs(unsigned long addr, unsigned long nr_pages)
{
	unsigned long runs = 0, done = 0;
	struct page *last = NULL;

	while (done < nr_pages) {
		unsigned long n = 1 + shim_random_below(40), i;

		n = min(n, nr_pages - done);
		shim_user_map(addr + PG(done), n,
			      shim_random_below(3) ? 0 : SHIM_SCATTERED);
		for (i = 0; i < n; i++) {
			struct page *page = shim_user_page(addr + PG(done + i));

			runs += page != last + 1;
			last = page;
		}
		done += n;
	}
	return runs;
}

static void runs_merge_over_batches(void **state)
{
	static const unsigned long sizes[] = {
		1, 2, 15, 16, 17, 32, 511, 512, 513, 1024, 1025, 1600,
	};
	static const int limits[] = { 0, 1, 3, 7, 100 };
	struct fixture f = attached();
	unsigned long addr = USER, runs;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long n = sizes[i];

		for (k = 0; k < ARRAY_SIZE(limits); k++) {
			shim_pin_limit = limits[k];
			/* One run stays one, whatever pinning returns at once. */
			shim_user_map(addr, n, 0);
			testhw_maps = 0;
			t_ok(t_map(f.fd, f.ioasid, addr, n, IOVA));
			assert_int_equal(testhw_maps, 1);
			assert_reaches(f.hw, IOVA, addr, n);
			t_ok(t_unmap(f.fd, f.ioasid, IOVA, n));
			addr += PG(n);

			runs = make_runs(addr, n);
			testhw_maps = 0;
			t_ok(t_map(f.fd, f.ioasid, addr, n, IOVA));
			assert_int_equal(testhw_maps, runs);
			assert_reaches(f.hw, IOVA, addr, n);
			t_ok(t_unmap(f.fd, f.ioasid, IOVA, n));
			addr += PG(n);
			assert_charge(0);
		}
	}
	shim_close(f.fd);
}

/* Kernel-chosen addresses keep the phase of huge pages. */
static void huge_pages_stay_leaves(void **state)
{
	struct fixture f = attached();
	u64 iova;

	shim_user_map(USER + PG(3), 2048, 0);
	t_ok(t_map_any(f.fd, f.ioasid, USER + PG(3), 2048, &iova));
	assert_int_equal(iova % SZ_2M, (USER + PG(3)) % SZ_2M);
	assert_int_equal(testhw_maps, 1);
	assert_reaches(f.hw, iova, USER + PG(3), 2048);
	t_ok(t_unmap(f.fd, f.ioasid, iova, 2048));
	shim_close(f.fd);
}

/* The same page at two addresses is pinned and charged twice. */
static void same_memory_twice(void **state)
{
	struct fixture f = attached();

	shim_user_map(USER, 4, 0);
	t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA));
	t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA + PG(100)));
	assert_charge(8);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 4));
	assert_reaches(f.hw, IOVA + PG(100), USER, 4);
	assert_charge(4);
	shim_close(f.fd);
}

/* The program may take its memory away; the device keeps it. */
static void memory_outlives_its_program_mapping(void **state)
{
	struct fixture f = attached();
	struct page *page;
	phys_addr_t phys;

	shim_user_map(USER, 1, 0);
	page = shim_user_page(USER);
	t_ok(t_map(f.fd, f.ioasid, USER, 1, IOVA));
	shim_user_unmap(USER);
	assert_true(testhw_dma(f.hw, IOVA, IOFD_WRITE, &phys));
	assert_int_equal(phys, page_to_phys(page));
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 1));
	assert_int_equal(page->pins, 0);
	shim_close(f.fd);
}

static int map_fd(int fd, int ioasid, int mem, u64 offset, u64 nr_pages, u64 iova,
		  u32 prot)
{
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_MAP_FIXED_IOVA | IOMMU_MAP_FD | prot,
		.ioasid = ioasid,
		.fd = mem,
		.source = offset,
		.length = PG(nr_pages),
		.iova = iova,
	};

	return shim_ioctl(fd, IOMMU_MAP_DMA, &cmd);
}

static void map_a_file(void **state)
{
	const u32 rw = IOMMU_MAP_READ | IOMMU_MAP_WRITE;
	struct fixture f = attached();
	int mem = shim_open_memory(TMPFS_MAGIC, 32, PAGE_SIZE);
	int huge = shim_open_memory(HUGETLBFS_MAGIC, 1024, SZ_2M);
	int disk = shim_open_memory(EXT4_SUPER_MAGIC, 4, PAGE_SIZE);
	struct page **pages = shim_file(mem)->f_inode->pages;
	phys_addr_t phys;
	char *before;
	u64 i;

	t_ok(map_fd(f.fd, f.ioasid, mem, PG(4), 20, IOVA, rw));
	assert_charge(20);
	for (i = 0; i < 20; i++) {
		assert_true(testhw_dma(f.hw, IOVA + PG(i), IOFD_WRITE, &phys));
		assert_int_equal(phys, page_to_phys(pages[4 + i]));
	}
	/* A part of a huge page, at an offset in it */
	t_ok(map_fd(f.fd, f.ioasid, huge, PG(515), 7, IOVA + PG(100), rw));
	assert_true(testhw_dma(f.hw, IOVA + PG(100), IOFD_WRITE, &phys));
	pages = shim_file(huge)->f_inode->pages;
	assert_int_equal(phys, page_to_phys(pages[515]));
	/* The temporary mapping is gone. */
	assert_null(shim_current->mm->regions);

	before = t_state();
	t_errno(map_fd(f.fd, f.ioasid, mem, PG(30), 4, IOVA + PG(200), rw), EFAULT);
	t_errno(map_fd(f.fd, f.ioasid, mem, PG(32), 1, IOVA + PG(200), rw), EFAULT);
	t_errno(map_fd(f.fd, f.ioasid, disk, 0, 1, IOVA + PG(200), rw), EINVAL);
	t_errno(map_fd(f.fd, f.ioasid, f.fd, 0, 1, IOVA + PG(200), rw), EINVAL);
	t_errno(map_fd(f.fd, f.ioasid, 60, 0, 1, IOVA + PG(200), rw), EBADF);
	t_errno(map_fd(f.fd, f.ioasid, mem, S64_MAX & PAGE_MASK, 1,
		       IOVA + PG(200), rw), EINVAL);
	shim_file(mem)->f_mode = FMODE_READ;
	t_errno(map_fd(f.fd, f.ioasid, mem, 0, 1, IOVA + PG(200), rw), EACCES);
	assert_state(before);
	t_ok(map_fd(f.fd, f.ioasid, mem, 0, 1, IOVA + PG(200), IOMMU_MAP_READ));
	assert_null(shim_current->mm->regions);
	shim_close(mem);
	shim_close(huge);
	shim_close(disk);
	assert_true(testhw_dma(f.hw, IOVA + PG(200), IOFD_READ, &phys));
	shim_close(f.fd);
	assert_charge(0);
}

/* Failures */

/* Pinning fails at each page, in memory of each shape. */
static void pinning_fails_anywhere(void **state)
{
	static const unsigned long sizes[] = { 1, 2, 16, 17, 40, 512, 530 };
	static const int limits[] = { 0, 3 };
	struct fixture f = attached();
	unsigned long addr = USER, n, i;
	unsigned int s, k, shape, cases = 0;
	char *before;

	/* Something else is there, before and behind. */
	shim_user_map(0x1000000, 2, 0);
	t_ok(t_map(f.fd, f.ioasid, 0x1000000, 1, IOVA - PAGE_SIZE));
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		n = sizes[s];
		t_ok(t_map(f.fd, f.ioasid, 0x1001000, 1, IOVA + PG(n)));
		for (shape = 0; shape < 3; shape++) {
			if (shape < 2)
				shim_user_map(addr, n, shape ? SHIM_SCATTERED : 0);
			else
				make_runs(addr, n);
			for (k = 0; k < ARRAY_SIZE(limits); k++) {
				shim_pin_limit = limits[k];
				before = t_state();
				for (i = 0; i < n; i++) {
					/* In long ones the edges of batches */
					if (n > 40 && i > 20 && i < n - 20 &&
					    i % 97)
						continue;
					shim_pin_fault = addr + PG(i);
					t_errno(t_map(f.fd, f.ioasid, addr, n,
						      IOVA), EFAULT);
					assert_blocked(f.hw, IOVA, n);
					t_assert_state(strdup(before),
						       __FILE__, __LINE__);
					cases++;
				}
				shim_pin_fault = 0;
				assert_state(before);
			}
			t_ok(t_map(f.fd, f.ioasid, addr, n, IOVA));
			assert_reaches(f.hw, IOVA, addr, n);
			t_ok(t_unmap(f.fd, f.ioasid, IOVA, n));
			addr += PG(n);
		}
		t_ok(t_unmap(f.fd, f.ioasid, IOVA + PG(n), 1));
	}
	print_message("  %u failures\n", cases);
	shim_close(f.fd);
}

/* The table fails at each call, with each length of what it wrote before. */
static void fail_each_table_write(struct fixture f, struct testhw_dev *other,
				  unsigned long addr, unsigned long n)
{
	unsigned long call, part, cases = 0;
	char *before = t_state();

	for (call = 1;; call++) {
		for (part = 0; part < 4; part++) {
			testhw_fail_map = call;
			testhw_map_partly = part < 3 ? part : n;
			if (!t_map(f.fd, f.ioasid, addr, n, IOVA))
				goto done;
			assert_int_equal(testhw_fail_map, 0);
			assert_blocked(f.hw, IOVA, n);
			if (other)
				assert_blocked(other, IOVA, n);
			t_assert_state(strdup(before), __FILE__, __LINE__);
			cases++;
		}
	}
done:
	testhw_fail_map = 0;
	free(before);
	assert_reaches(f.hw, IOVA, addr, n);
	if (other)
		assert_reaches(other, IOVA, addr, n);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, n));
	print_message("  %lu failures\n", cases);
}

static void table_fails_anywhere(void **state)
{
	struct fixture f = attached();

	shim_user_map(USER, 40, 0);
	fail_each_table_write(f, NULL, USER, 40);
	shim_user_map(USER + PG(40), 40, SHIM_SCATTERED);
	fail_each_table_write(f, NULL, USER + PG(40), 40);
	make_runs(USER + PG(80), 600);
	fail_each_table_write(f, NULL, USER + PG(80), 600);
	shim_close(f.fd);
}

static void second_table_fails_anywhere(void **state)
{
	struct fixture f = attached();
	struct testhw_dev *narrow = testhw_dev();

	narrow->width_bits = 39;
	t_ok(t_bind(narrow, f.fd, 2));
	t_ok(t_attach(narrow, f.fd, f.ioasid));
	assert_int_equal(nr_tables(f.fd, f.ioasid), 2);
	shim_user_map(USER, 40, 0);
	fail_each_table_write(f, narrow, USER, 40);
	make_runs(USER + PG(80), 200);
	fail_each_table_write(f, narrow, USER + PG(80), 200);
	shim_close(f.fd);
}

static void table_beside_a_store_fails_anywhere(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };

	f.hw = testhw_dev();
	f.hw->unit = &testhw_plain;
	f.ioasid = t_ok(t_alloc(f.fd));
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_attach(f.hw, f.fd, f.ioasid));
	make_runs(USER, 100);
	/* First with a store of the failing command's own, then with one before. */
	fail_each_table_write(f, NULL, USER, 100);
	shim_user_map(0x1000000, 1, 0);
	t_ok(t_map(f.fd, f.ioasid, 0x1000000, 1, IOVA - PAGE_SIZE));
	assert_true(primary_is_store(f.fd, f.ioasid));
	fail_each_table_write(f, NULL, USER, 100);
	shim_close(f.fd);
}

static void signal_stops_a_map(void **state)
{
	struct fixture f = attached();
	char *before;

	shim_user_map(USER, 1000, SHIM_SCATTERED);
	before = t_state();
	shim_current->signalled = true;
	t_errno(t_map(f.fd, f.ioasid, USER, 1000, IOVA), EINTR);
	shim_current->signalled = false;
	shim_interrupt_locks = true;
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA), EINTR);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA, 1), EINTR);
	shim_interrupt_locks = false;
	assert_state(before);
	shim_close(f.fd);
}

/* Kernel-chosen addresses do not creep up when mapping fails. */
static void failed_map_takes_no_address(void **state)
{
	struct fixture f = attached();
	u64 first, iova;

	shim_user_map(USER, 4, 0);
	t_ok(t_map_any(f.fd, f.ioasid, USER, 1, &first));
	shim_pin_fault = USER;
	t_errno(t_map_any(f.fd, f.ioasid, USER, 1, &iova), EFAULT);
	shim_pin_fault = 0;
	t_ok(t_map_any(f.fd, f.ioasid, USER, 1, &iova));
	assert_int_equal(iova, first + PAGE_SIZE);
	shim_close(f.fd);
}

/* Several tables */

static void store_then_hardware(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	u64 iova;

	f.ioasid = t_ok(t_alloc(f.fd));
	shim_user_map(USER, 1100, 0);
	shim_user_map(USER + PG(1100), 100, SHIM_SCATTERED);
	t_ok(t_map(f.fd, f.ioasid, USER, 1100, IOVA));
	t_ok(t_map(f.fd, f.ioasid, USER + PG(1100), 100, IOVA + PG(5000)));
	t_ok(t_map_any(f.fd, f.ioasid, USER, 1, &iova));
	assert_int_equal(nr_tables(f.fd, f.ioasid), 1);
	assert_true(primary_is_store(f.fd, f.ioasid));
	assert_charge(1201);

	f.hw = testhw_dev();
	t_ok(t_bind(f.hw, f.fd, 1));
	assert_blocked(f.hw, IOVA, 1100);
	t_ok(t_attach(f.hw, f.fd, f.ioasid));
	/* All is there, and the store is not. */
	assert_int_equal(nr_tables(f.fd, f.ioasid), 1);
	assert_ptr_equal(primary_ops(f.fd, f.ioasid), &testhw_full);
	assert_int_equal(shim_module.refs, 1);	/* the open file */
	assert_reaches(f.hw, IOVA, USER, 1100);
	assert_reaches(f.hw, IOVA + PG(5000), USER + PG(1100), 100);
	assert_reaches(f.hw, iova, USER, 1);
	assert_charge(1201);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 1100));
	assert_blocked(f.hw, IOVA, 1100);

	/* The table stays when the device goes, and serves the next one. */
	t_ok(t_detach(f.hw, f.fd, f.ioasid));
	assert_blocked(f.hw, IOVA + PG(5000), 100);
	assert_int_equal(nr_tables(f.fd, f.ioasid), 1);
	t_ok(t_map(f.fd, f.ioasid, USER, 3, IOVA));
	t_ok(t_attach(f.hw, f.fd, f.ioasid));
	assert_reaches(f.hw, IOVA, USER, 3);
	assert_int_equal(nr_tables(f.fd, f.ioasid), 1);
	assert_int_equal(testhw_pts, 1);
	shim_close(f.fd);
	assert_charge(0);
}

/* Neighbours in a leaf's reach are no leaf: each can be unmapped. */
static void attach_keeps_mappings_apart(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	unsigned int i;

	f.ioasid = t_ok(t_alloc(f.fd));
	shim_user_map(USER, 1024, 0);
	for (i = 0; i < 1024; i += 256)
		t_ok(t_map(f.fd, f.ioasid, USER + PG(i), 256, IOVA + PG(i)));
	f.hw = testhw_dev();
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_attach(f.hw, f.fd, f.ioasid));
	assert_reaches(f.hw, IOVA, USER, 1024);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA + PG(256), 256));
	assert_reaches(f.hw, IOVA, USER, 256);
	assert_blocked(f.hw, IOVA + PG(256), 256);
	assert_reaches(f.hw, IOVA + PG(512), USER + PG(512), 512);
	t_ok(t_unmap_all(f.fd, f.ioasid));
	assert_charge(0);
	shim_close(f.fd);
}

/*
 * Three devices, no two of which share a table, in each order of attaching, with
 * memory mapped before, between and after.
 */
static void tables_are_all_alike(void **state)
{
	static const unsigned int orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	struct testhw_dev *hw[3];
	unsigned int o, i, k;
	int fd = t_ok(t_open());

	for (i = 0; i < 3; i++)
		hw[i] = testhw_dev();
	hw[0]->one_depth = true;
	hw[1]->width_bits = 39;
	hw[2]->unit = &testhw_plain;
	hw[2]->noncoherent = false;
	hw[2]->max_leaf_level = 1;
	make_runs(USER, 600);
	for (i = 0; i < 3; i++)
		t_ok(t_bind(hw[i], fd, i));

	for (o = 0; o < 6; o++) {
		int ioasid = t_ok(t_alloc(fd));

		for (i = 0; i <= 3; i++) {
			/* Everything mapped so far, at every device so far */
			t_ok(t_map(fd, ioasid, USER + PG(150 * i), 150,
				   IOVA + PG(1000 * i)));
			if (i < 3)
				t_ok(t_attach(hw[orders[o][i]], fd, ioasid));
			for (k = 0; k <= i && i < 3; k++) {
				unsigned int m;

				for (m = 0; m <= i; m++)
					assert_reaches(hw[orders[o][k]],
						       IOVA + PG(1000 * m),
						       USER + PG(150 * m), 150);
			}
		}
		assert_charge(600);
		assert_int_equal(nr_tables(fd, ioasid), 3);
		assert_ptr_equal(primary_ops(fd, ioasid), &testhw_full);
		t_ok(t_unmap(fd, ioasid, IOVA + PG(1000), 150));
		for (k = 0; k < 3; k++) {
			assert_reaches(hw[k], IOVA, USER, 150);
			assert_blocked(hw[k], IOVA + PG(1000), 150);
		}
		assert_charge(450);
		/* One goes, the others stay. */
		t_ok(t_detach(hw[o % 3], fd, ioasid));
		t_ok(t_unmap(fd, ioasid, IOVA, 150));
		for (k = 0; k < 3; k++)
			assert_blocked(hw[k], IOVA, 150);
		for (k = 0; k < 3; k++)
			if (k != o % 3)
				t_ok(t_detach(hw[k], fd, ioasid));
		t_ok(t_free(fd, ioasid));
		assert_charge(0);
		assert_int_equal(testhw_pts, 0);
	}
	shim_close(fd);
}

static void store_stays_beside_a_plain_table(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	struct testhw_dev *full = testhw_dev();

	f.hw = testhw_dev();
	f.hw->unit = &testhw_plain;
	f.ioasid = t_ok(t_alloc(f.fd));
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_bind(full, f.fd, 2));
	t_ok(t_attach(f.hw, f.fd, f.ioasid));
	assert_int_equal(nr_tables(f.fd, f.ioasid), 1);
	t_ok(t_unmap_all(f.fd, f.ioasid));
	shim_user_map(USER, 20, SHIM_SCATTERED);
	t_ok(t_map(f.fd, f.ioasid, USER, 20, IOVA));
	assert_int_equal(nr_tables(f.fd, f.ioasid), 2);
	assert_true(primary_is_store(f.fd, f.ioasid));
	assert_reaches(f.hw, IOVA, USER, 20);

	/* A table that remembers takes the store's place. */
	t_ok(t_attach(full, f.fd, f.ioasid));
	assert_int_equal(nr_tables(f.fd, f.ioasid), 2);
	assert_ptr_equal(primary_ops(f.fd, f.ioasid), &testhw_full);
	assert_reaches(full, IOVA, USER, 20);
	assert_reaches(f.hw, IOVA, USER, 20);
	t_ok(t_detach(full, f.fd, f.ioasid));
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 20));
	assert_blocked(f.hw, IOVA, 20);
	assert_charge(0);
	shim_close(f.fd);
}

/* Accounts */

static void limit_of_locked_memory(void **state)
{
	struct fixture f = attached();
	char *before;

	shim_user_map(USER, 32, 0);
	shim_current->memlock = PG(4);
	t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA));
	before = t_state();
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(8)), ENOMEM);
	assert_state(before);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 4));
	t_errno(t_map(f.fd, f.ioasid, USER, 5, IOVA), ENOMEM);
	t_ok(t_map(f.fd, f.ioasid, USER, 2, IOVA));
	t_ok(t_map(f.fd, f.ioasid, USER, 2, IOVA + PG(2)));
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(8)), ENOMEM);
	assert_charge(4);

	/* Without a limit for the privileged, but charged all the same */
	shim_current->privileged = true;
	t_ok(t_map(f.fd, f.ioasid, USER, 20, IOVA + PG(8)));
	assert_charge(24);
	shim_current->privileged = false;
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(100)), ENOMEM);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA + PG(8), 20));
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(100)), ENOMEM);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 2));

	/* Bytes of a page that is not whole do not count. */
	shim_current->memlock = PG(4) + PAGE_SIZE - 1;
	t_ok(t_map(f.fd, f.ioasid, USER, 2, IOVA));
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(100)), ENOMEM);
	shim_current->memlock = PAGE_SIZE - 1;
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(100)), ENOMEM);
	shim_current->memlock = 0;
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(100)), ENOMEM);
	shim_current->memlock = RLIM_INFINITY;
	t_ok(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(100)));
	shim_current->memlock = PG(3);
	/* A limit that sank below what is charged stops only what is new. */
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(101)), ENOMEM);
	t_ok(t_unmap_all(f.fd, f.ioasid));
	assert_charge(0);
	shim_close(f.fd);
}

static long pinned_of(struct shim_process *p)
{
	return atomic64_read(&p->mm.pinned_vm);
}

static void each_process_pays_for_itself(void **state)
{
	struct task_struct *first = shim_current;
	struct fixture f = attached();
	struct shim_process other;

	shim_process_init(&other);
	shim_user_map(USER, 8, 0);
	t_ok(t_map(f.fd, f.ioasid, USER, 8, IOVA));

	shim_current = &other.task;
	shim_user_map(USER, 8, 0);
	shim_current->memlock = PG(5);
	t_errno(t_map(f.fd, f.ioasid, USER, 6, IOVA + PG(100)), ENOMEM);
	t_ok(t_map(f.fd, f.ioasid, USER, 3, IOVA + PG(100)));
	t_ok(t_map(f.fd, f.ioasid, USER, 2, IOVA + PG(200)));
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(300)), ENOMEM);
	assert_int_equal(atomic_long_read(&other.user.locked_vm), 5);
	assert_int_equal(pinned_of(&other), 5);
	assert_reaches(f.hw, IOVA + PG(100), USER, 3);
	assert_holds(f.fd, f.ioasid, 3, 13);

	/* Whoever unmaps: who was charged gets it back. */
	t_ok(t_unmap(f.fd, f.ioasid, IOVA, 8));
	assert_int_equal(pinned_of(&other), 5);
	shim_current = first;
	assert_int_equal(charged(), 0);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA + PG(100), 3));
	assert_int_equal(pinned_of(&other), 2);
	t_ok(t_unmap(f.fd, f.ioasid, IOVA + PG(200), 2));
	shim_process_exit(&other);

	/* The opener's account stays, the other is forgotten. */
	assert_true(list_is_singular(&t_ctx(f.fd)->accounts));
	shim_close(f.fd);
}

/* After fork() there are two memories and one user. */
static void forked_process(void **state)
{
	struct task_struct *parent = shim_current;
	struct fixture f = attached();
	struct shim_process child;

	shim_process_init(&child);
	child.task.user = parent->user;
	shim_user_map(USER, 8, 0);
	shim_current->memlock = child.task.memlock = PG(6);
	t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA));

	shim_current = &child.task;
	shim_user_map(USER, 8, 0);
	t_errno(t_map(f.fd, f.ioasid, USER, 4, IOVA + PG(100)), ENOMEM);
	t_ok(t_map(f.fd, f.ioasid, USER, 2, IOVA + PG(100)));
	assert_int_equal(charged(), 6);
	assert_int_equal(pinned_of(&child), 2);
	assert_int_equal(atomic64_read(&parent->mm->pinned_vm), 4);

	/* The file outlives the one who opened it. */
	shim_close(f.fd);
	shim_current = parent;
	assert_charge(0);
	shim_process_exit(&child);
}

static void closing_gives_everything_back(void **state)
{
	struct task_struct *first = shim_current;
	struct fixture f = attached();
	struct testhw_dev *plain = testhw_dev();
	struct shim_process other;
	int b = t_ok(t_alloc(f.fd)), c = t_ok(t_alloc(f.fd));

	plain->unit = &testhw_plain;
	t_ok(t_bind(plain, f.fd, 2));
	t_ok(t_attach(plain, f.fd, b));
	shim_user_map(USER, 300, SHIM_SCATTERED);
	t_ok(t_map(f.fd, f.ioasid, USER, 300, IOVA));
	t_ok(t_map(f.fd, b, USER, 300, IOVA));
	t_ok(t_map(f.fd, c, USER, 300, IOVA));
	shim_process_init(&other);
	shim_current = &other.task;
	shim_user_map(USER, 4, 0);
	t_ok(t_map(f.fd, b, USER, 4, 0));
	shim_current = first;
	assert_int_equal(shim_pins, 904);
	shim_close(f.fd);
	assert_charge(0);
	assert_blocked(f.hw, IOVA, 300);
	assert_blocked(plain, IOVA, 300);
	shim_process_exit(&other);
	/* The bindings are still there, to a context without anything. */
	assert_true(f.hw->opened);
	t_release(f.hw);
	assert_false(f.hw->opened);
}

/* A space that is being freed while mapped */
static void free_unmaps(void **state)
{
	struct fixture f = attached();

	shim_user_map(USER, 40, SHIM_SCATTERED);
	t_ok(t_map(f.fd, f.ioasid, USER, 20, IOVA));
	t_errno(t_free(f.fd, f.ioasid), EBUSY);
	assert_reaches(f.hw, IOVA, USER, 20);
	t_ok(t_detach(f.hw, f.fd, f.ioasid));
	t_ok(t_free(f.fd, f.ioasid));
	assert_charge(0);
	assert_int_equal(testhw_pts, 0);
	t_errno(t_free(f.fd, f.ioasid), ENOENT);
	t_errno(t_map(f.fd, f.ioasid, USER, 1, IOVA), ENOENT);
	t_errno(t_unmap(f.fd, f.ioasid, IOVA, 1), ENOENT);
	shim_close(f.fd);
}

/* A reference from before the free finds it dead. */
static void dead_space_refuses(void **state)
{
	struct iofd_map_request req = {
		.source = USER,
		.length = PAGE_SIZE,
		.iova = IOVA,
		.prot = IOFD_READ,
		.fixed = true,
	};
	int fd = t_ok(t_open()), ioasid = t_ok(t_alloc(fd));
	struct iofd_space *space = iofd_space_get(t_ctx(fd), ioasid);
	u64 unmapped;

	shim_user_map(USER, 1, 0);
	t_ok(t_free(fd, ioasid));
	t_errno(iofd_space_map(space, &req), ENOENT);
	t_errno(iofd_space_unmap(space, 0, U64_MAX, &unmapped), ENOENT);
	t_errno(iofd_space_free(space), ENOENT);
	iofd_space_put(space);
	shim_close(fd);
}

/* Everything at random, with several devices, against a list of what is there */
struct shadow {
	u64 first, last;		/* in pages */
	unsigned long addr;
};

static void random_commands(void **state)
{
	enum { N = 4000, SPAN = 4096, POOL = 700 };
	struct shadow shadow[256];
	unsigned int nr = 0, i, k, step;
	struct testhw_dev *hw[3];
	bool is_attached[3] = {};
	int fd = t_ok(t_open()), ioasid = t_ok(t_alloc(fd));
	u64 pages = 0;

	for (i = 0; i < 3; i++)
		hw[i] = testhw_dev();
	hw[1]->unit = &testhw_plain;
	hw[2]->width_bits = 39;
	for (i = 0; i < 3; i++)
		t_ok(t_bind(hw[i], fd, i));
	make_runs(USER, POOL);

	for (step = 0; step < N; step++) {
		u64 first = shim_random_below(SPAN), n = 1 + shim_random_below(60);
		unsigned long addr;
		bool hit = false, cut = false;
		u64 sum = 0;

		for (i = 0; i < nr; i++) {
			if (shadow[i].last < first || shadow[i].first > first + n - 1)
				continue;
			hit = true;
			sum += shadow[i].last - shadow[i].first + 1;
			cut |= shadow[i].first < first ||
			       shadow[i].last > first + n - 1;
		}
		switch (shim_random_below(8)) {
		case 0 ... 3:
			if (nr == ARRAY_SIZE(shadow))
				break;
			addr = USER + PG(shim_random_below(POOL - 60));
			if (hit) {
				t_errno(t_map(fd, ioasid, addr, n, PG(first)),
					EEXIST);
				break;
			}
			t_ok(t_map(fd, ioasid, addr, n, PG(first)));
			shadow[nr++] = (struct shadow) {
				first, first + n - 1, addr,
			};
			pages += n;
			break;
		case 4 ... 6:
			if (shim_random_below(2) && nr) {
				/* One that is there, exactly */
				k = shim_random_below(nr);
				first = shadow[k].first;
				n = shadow[k].last - first + 1;
				sum = n;
				hit = true;
				cut = false;
			}
			if (!hit || cut) {
				t_errno(t_unmap(fd, ioasid, PG(first), n),
					cut ? EINVAL : ENOENT);
				break;
			}
			assert_int_equal(t_unmap_count(fd, ioasid, PG(first), n),
					 sum);
			pages -= sum;
			for (i = 0; i < nr;) {
				if (shadow[i].last < first ||
				    shadow[i].first > first + n - 1)
					i++;
				else
					shadow[i] = shadow[--nr];
			}
			for (i = 0; i < 3; i++)
				assert_blocked(hw[i], PG(first), n);
			break;
		default:
			k = shim_random_below(3);
			if (is_attached[k])
				t_ok(t_detach(hw[k], fd, ioasid));
			else
				t_ok(t_attach(hw[k], fd, ioasid));
			is_attached[k] = !is_attached[k];
		}
		assert_charge(pages);
		if (step % 50)
			continue;
		for (i = 0; i < nr; i++) {
			for (k = 0; k < 3; k++) {
				n = shadow[i].last - shadow[i].first + 1;
				if (is_attached[k])
					assert_reaches(hw[k], PG(shadow[i].first),
						       shadow[i].addr, n);
				else
					assert_blocked(hw[k],
						       PG(shadow[i].first), n);
			}
		}
		assert_holds(fd, ioasid, nr, pages);
	}
	shim_close(fd);
	assert_charge(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(model_notices_a_lost_flush),
		core_test(model_notices_a_lost_revoke),
		core_test(model_notices_a_lost_sync),
		core_test(map_and_unmap_one),
		core_test(access_is_as_asked_for),
		core_test(unmap_never_splits),
		core_test(unmap_whole_space),
		core_test(map_syncs_once),
		core_test(runs_merge_over_batches),
		core_test(huge_pages_stay_leaves),
		core_test(same_memory_twice),
		core_test(memory_outlives_its_program_mapping),
		core_test(map_a_file),
		core_test(pinning_fails_anywhere),
		core_test(table_fails_anywhere),
		core_test(second_table_fails_anywhere),
		core_test(table_beside_a_store_fails_anywhere),
		core_test(signal_stops_a_map),
		core_test(failed_map_takes_no_address),
		core_test(store_then_hardware),
		core_test(attach_keeps_mappings_apart),
		core_test(tables_are_all_alike),
		core_test(store_stays_beside_a_plain_table),
		core_test(limit_of_locked_memory),
		core_test(each_process_pays_for_itself),
		core_test(forked_process),
		core_test(closing_gives_everything_back),
		core_test(free_unmaps),
		core_test(dead_space_refuses),
		core_test(random_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
