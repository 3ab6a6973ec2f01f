// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What devices write, by upstream's commands: which bits are set, whose they are,
 * what is refused, and what happens to the bitmap on the way.
 */
#include "upstream_program.h"
#include "core/hwpt.h"

#define BITMAP		0x30000000ul	/* in memory of the process */
#define BITMAP_PAGES	3
#define BITS		(8 * PAGE_SIZE)

/* A program whose device tracks what it writes; its table is not @hwpt. */
static struct fixture tracking(int *tracker)
{
	struct fixture f = { .fd = t_ok(t_open()), .hw = testhw_dev() };

	f.hw->nests = true;
	f.hw->dirty = true;
	f.hw->noncoherent = false;
	f.hw->pasid_width_bits = 8;
	shim_user_map(USER, PAGES, SHIM_SCATTERED);
	shim_user_map(BITMAP, BITMAP_PAGES, SHIM_SCATTERED);
	f.ioas = t_ok(u_ioas(f.fd));
	f.dev = t_ok(u_bind(f.hw, f.fd));
	f.hwpt = t_ok(u_hwpt(f.fd, f.dev, f.ioas, UP_HWPT_NEST_PARENT));
	*tracker = t_ok(u_hwpt(f.fd, f.dev, f.ioas,
			       UP_HWPT_NEST_PARENT | UP_HWPT_DIRTY_TRACKING));
	assert_int_equal(u_attach(f.hw, *tracker), *tracker);
	t_ok(u_map(f.fd, f.ioas, USER, PAGES, IOVA));
	t_ok(u_set_dirty(f.fd, *tracker, true));
	return f;
}

static unsigned char *bitmap_byte(u64 at)
{
	return (unsigned char *)page_address(shim_user_page(BITMAP + at)) +
	       at % PAGE_SIZE;
}

static void clear_bitmap(void)
{
	unsigned int i;

	for (i = 0; i < BITMAP_PAGES; i++)
		memset(bitmap_byte(i * PAGE_SIZE), 0, PAGE_SIZE);
}

static bool bit_is_set(u64 nr)
{
	return *bitmap_byte(nr / 8) >> nr % 8 & 1;
}

/* Exactly bits @first to @last of the whole bitmap; @last < @first: none */
static void assert_bits(u64 first, u64 last)
{
	u64 i;

	for (i = 0; i < BITMAP_PAGES * BITS; i++)
		if (bit_is_set(i) != (i >= first && i <= last))
			fail_msg("bit %llu is %d", (unsigned long long)i, bit_is_set(i));
	clear_bitmap();
}
#define assert_no_bits()	assert_bits(1, 0)

static void touch(struct fixture *f, u64 iova, u32 access)
{
	phys_addr_t phys;

	assert_true(testhw_dma(f->hw, iova, access, &phys));
}

static int get(struct fixture *f, int hwpt, u32 flags)
{
	return u_get_dirty(f->fd, hwpt, IOVA, PG(PAGES), PG(1), BITMAP, flags);
}

static void written_pages(void **state)
{
	struct up_hw_info info = { .size = sizeof(info) };
	int tracker;
	struct fixture f = tracking(&tracker);

	info.dev_id = f.dev;
	t_ok(up(f.fd, UP_GET_HW_INFO, &info));
	assert_int_equal(info.capabilities, UP_HW_CAP_DIRTY_TRACKING |
					    UP_HW_CAP_ATS_NOT_SUPPORTED);
	t_ok(get(&f, tracker, 0));
	assert_no_bits();
	touch(&f, IOVA + PG(3), IOFD_READ);
	t_ok(get(&f, tracker, 0));
	assert_no_bits();
	touch(&f, IOVA + PG(5) + 1, IOFD_WRITE);
	touch(&f, IOVA + PG(6) + 1, IOFD_WRITE);
	/* Looking leaves it there, ... */
	t_ok(get(&f, tracker, UP_GET_DIRTY_NO_CLEAR));
	assert_bits(5, 6);
	t_ok(get(&f, tracker, 0));
	assert_bits(5, 6);
	/* ... asking does not, and the next write shows again. */
	t_ok(get(&f, tracker, 0));
	assert_no_bits();
	touch(&f, IOVA + PG(6), IOFD_WRITE);
	t_ok(get(&f, tracker, 0));
	assert_bits(6, 6);
	/* A bit for several pages */
	touch(&f, IOVA + PG(9), IOFD_WRITE);
	t_ok(u_get_dirty(f.fd, tracker, IOVA, PG(PAGES), PG(8), BITMAP, 0));
	assert_bits(1, 1);
	/* Bit 0 is for the first address; what is there already stays. */
	touch(&f, IOVA + PG(40), IOFD_WRITE);
	*bitmap_byte(0) = 0x1;
	t_ok(u_get_dirty(f.fd, tracker, IOVA + PG(39), PG(2), PG(1), BITMAP, 0));
	assert_bits(0, 1);
	/* What is outside is kept for later. */
	touch(&f, IOVA + PG(1), IOFD_WRITE);
	t_ok(u_get_dirty(f.fd, tracker, IOVA + PG(2), PG(1), PG(1), BITMAP, 0));
	assert_no_bits();
	t_ok(get(&f, tracker, 0));
	assert_bits(1, 1);
	/* Holes are clean, and so is what is beyond all tables. */
	t_ok(u_get_dirty(f.fd, tracker, 0, PG(64), PG(1), BITMAP, 0));
	t_ok(u_get_dirty(f.fd, tracker, 1ull << 63, PG(BITS), PG(1), BITMAP, 0));
	assert_no_bits();
	/* Gone with the mapping; a new one begins clean. */
	touch(&f, IOVA + PG(1), IOFD_WRITE);
	t_ok(u_unmap_all(f.fd, f.ioas));
	t_ok(u_map(f.fd, f.ioas, USER, PAGES, IOVA));
	t_ok(get(&f, tracker, 0));
	assert_no_bits();
	shim_close(f.fd);
}

/* On and off: what is written while it is off is not asked for. */
static void switched(void **state)
{
	int tracker;
	struct fixture f = tracking(&tracker);

	touch(&f, IOVA + PG(1), IOFD_WRITE);
	t_ok(u_set_dirty(f.fd, tracker, false));
	t_errno(get(&f, tracker, 0), EINVAL);
	t_ok(u_set_dirty(f.fd, tracker, false));
	touch(&f, IOVA + PG(2), IOFD_WRITE);
	t_ok(u_set_dirty(f.fd, tracker, true));
	t_ok(get(&f, tracker, 0));
	assert_no_bits();
	touch(&f, IOVA + PG(3), IOFD_WRITE);
	t_ok(u_set_dirty(f.fd, tracker, true));
	t_ok(get(&f, tracker, 0));
	assert_no_bits();
	shim_close(f.fd);
}

/* A bitmap at any byte, over several pages, in parts of what one call pins */
static void anywhere_in_memory(void **state)
{
	int tracker;
	struct fixture f = tracking(&tracker);
	u64 at[] = { 0, 1, 7, 8, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 3 };
	unsigned int i, limit;

	for (limit = 0; limit < 2; limit++) {
		shim_pin_limit = limit;
		for (i = 0; i < ARRAY_SIZE(at); i++) {
			touch(&f, IOVA, IOFD_WRITE);
			touch(&f, IOVA + PG(1), IOFD_WRITE);
			touch(&f, IOVA + PG(PAGES - 1), IOFD_WRITE);
			/* As if there were a page of the bitmap before it */
			t_ok(u_get_dirty(f.fd, tracker, IOVA - PG(BITS - 1),
					 PG(BITS - 1 + PAGES), PG(1),
					 BITMAP + at[i], 0));
			assert_true(bit_is_set(8 * at[i] + BITS - 1 + PAGES - 1));
			*bitmap_byte(at[i] + (BITS - 1 + PAGES - 1) / 8) = 0;
			assert_bits(8 * at[i] + BITS - 1, 8 * at[i] + BITS);
		}
	}
	shim_pin_limit = 0;
	shim_close(f.fd);
}

/*
 * More than is pinned at once: in parts that end where the largest leaf does, or
 * the mark of a leaf in two parts would stay.
 */
static void more_than_a_part(void **state)
{
	const u64 leaf = 1ull << 30, end = 140 * leaf;
	const unsigned long nr = end / PG(1) / BITS + 1;
	const unsigned long big = 0x400000000000ul, mem = 0x500000000000ul;
	int tracker;
	struct fixture f = tracking(&tracker);
	unsigned int skew, i;
	u64 bit;

	shim_user_map(big, nr, 0);
	shim_user_map(mem, leaf / PAGE_SIZE, SHIM_GIGANTIC);
	t_ok(u_unmap_all(f.fd, f.ioas));
	for (i = 62; i < 66; i++)
		t_ok(u_map(f.fd, f.ioas, mem, leaf / PAGE_SIZE, i * leaf));
	for (skew = 0; skew < 2; skew++) {
		testhw_dirty_reads = 0;
		for (i = 62; i < 66; i++)
			touch(&f, i * leaf + PG(5), IOFD_WRITE);
		t_ok(u_get_dirty(f.fd, tracker, PG(skew), end, PG(1),
				 big + 9 * skew, 0));
		assert_int_equal(testhw_dirty_reads, 3);
		for (bit = 0; bit < end / PG(1); bit += 1009) {
			u64 iova = PG(skew) + PG(bit), b = bit + 72 * skew;
			unsigned char *byte = page_address(
				shim_user_page(big + b / 8));

			assert_int_equal(byte[b / 8 % PAGE_SIZE] >> b % 8 & 1,
					 iova >= 62 * leaf && iova < 66 * leaf);
		}
		for (i = 0; i < nr; i++)
			memset(page_address(shim_user_page(big + PG(i))), 0,
			       PAGE_SIZE);
		/* None of them is left. */
		t_ok(u_get_dirty(f.fd, tracker, 0, end, leaf, BITMAP, 0));
		assert_no_bits();
	}
	shim_close(f.fd);
}

/* Of a leaf that the range cuts the part is told, and the mark is left. */
static void a_large_leaf_is_one(void **state)
{
	const unsigned long mem = 0x500000000000ul;
	int tracker;
	struct fixture f = tracking(&tracker);

	shim_user_map(mem, 512, 0);
	t_ok(u_map(f.fd, f.ioas, mem, 512, 2 * IOVA));
	touch(&f, 2 * IOVA + PG(300), IOFD_WRITE);
	t_ok(u_get_dirty(f.fd, tracker, 2 * IOVA + PG(8), PG(4), PG(1), BITMAP, 0));
	assert_bits(0, 3);
	t_ok(u_get_dirty(f.fd, tracker, 2 * IOVA, PG(512), PG(1), BITMAP, 0));
	assert_bits(0, 511);
	t_ok(u_get_dirty(f.fd, tracker, 2 * IOVA, PG(512), PG(1), BITMAP, 0));
	assert_no_bits();
	shim_close(f.fd);
}

/* Each HWPT has its own; its table is the next one's when it is gone. */
static void one_table_for_each(void **state)
{
	int tracker, other, plain;
	struct fixture f = tracking(&tracker);

	assert_int_equal(testhw_pts, 2);
	other = t_ok(u_hwpt(f.fd, f.dev, f.ioas, UP_HWPT_DIRTY_TRACKING));
	assert_int_equal(testhw_pts, 3);
	plain = t_ok(u_hwpt(f.fd, f.dev, f.ioas, 0));
	assert_int_equal(testhw_pts, 3);
	t_ok(u_set_dirty(f.fd, other, true));
	touch(&f, IOVA, IOFD_WRITE);
	t_ok(get(&f, other, 0));
	assert_no_bits();
	t_ok(get(&f, tracker, 0));
	assert_bits(0, 0);
	/* By the IOAS a device never gets into one of them. */
	assert_int_not_equal(t_ok(u_attach(f.hw, f.ioas)), tracker);
	touch(&f, IOVA, IOFD_WRITE);
	t_ok(get(&f, tracker, 0));
	t_ok(get(&f, other, 0));
	assert_no_bits();
	t_errno(get(&f, plain, 0), EOPNOTSUPP);
	t_errno(u_set_dirty(f.fd, plain, true), EOPNOTSUPP);
	t_errno(u_set_dirty(f.fd, plain, false), EOPNOTSUPP);

	t_ok(u_attach(f.hw, other));
	touch(&f, IOVA, IOFD_WRITE);
	t_errno(u_destroy(f.fd, other), EBUSY);
	t_ok(u_detach(f.hw));
	t_ok(u_destroy(f.fd, other));
	other = t_ok(u_hwpt(f.fd, f.dev, f.ioas, UP_HWPT_DIRTY_TRACKING));
	assert_int_equal(testhw_pts, 3);
	/* It begins like any other: off, and then clean. */
	t_errno(get(&f, other, 0), EINVAL);
	t_ok(u_set_dirty(f.fd, other, true));
	t_ok(get(&f, other, 0));
	assert_no_bits();
	t_ok(u_attach(f.hw, other));
	touch(&f, IOVA, IOFD_WRITE);
	t_ok(get(&f, other, 0));
	assert_bits(0, 0);
	/* One that is not a nest parent is not given for one. */
	t_ok(u_detach(f.hw));
	t_ok(u_destroy(f.fd, other));
	t_ok(u_hwpt(f.fd, f.dev, f.ioas,
		    UP_HWPT_DIRTY_TRACKING | UP_HWPT_NEST_PARENT));
	assert_int_equal(testhw_pts, 4);
	shim_close(f.fd);
}

/* A command that is late finds the table somebody else's. */
static void destroyed_meanwhile(void **state)
{
	const struct iofd_dirty_request req = {
		.iova = IOVA, .length = PG(PAGES), .page_bytes = PG(1),
		.bitmap = BITMAP,
	};
	int tracker, other;
	struct fixture f = tracking(&tracker);
	struct iofd_hwpt *late = iofd_hwpt_get(t_ctx(f.fd), tracker);

	assert_non_null(late);
	t_ok(u_detach(f.hw));
	t_ok(u_destroy(f.fd, tracker));
	t_errno(iofd_hwpt_get_dirty(late, &req), ENOENT);
	other = t_ok(u_hwpt(f.fd, f.dev, f.ioas,
			    UP_HWPT_DIRTY_TRACKING | UP_HWPT_NEST_PARENT));
	assert_int_equal(testhw_pts, 2);
	t_ok(u_attach(f.hw, other));
	t_ok(u_set_dirty(f.fd, other, true));
	touch(&f, IOVA, IOFD_WRITE);
	t_errno(iofd_hwpt_get_dirty(late, &req), ENOENT);
	t_errno(iofd_hwpt_set_dirty(late, true), ENOENT);
	assert_no_bits();
	t_ok(get(&f, other, 0));
	assert_bits(0, 0);
	/* And the tables gone altogether */
	t_ok(u_detach(f.hw));
	t_ok(u_destroy(f.fd, other));
	t_ok(u_destroy(f.fd, f.hwpt));
	t_ok(u_destroy(f.fd, f.ioas));
	t_errno(iofd_hwpt_get_dirty(late, &req), ENOENT);
	iofd_hwpt_put(late);
	shim_close(f.fd);
}

/* A device that cannot, and users' tables over one that does */
static void devices(void **state)
{
	int tracker, nested, dev;
	struct fixture f = tracking(&tracker);
	struct testhw_dev *cannot = testhw_dev();

	cannot->nests = true;
	cannot->noncoherent = false;
	dev = t_ok(u_bind(cannot, f.fd));
	t_errno(u_hwpt(f.fd, dev, f.ioas, UP_HWPT_DIRTY_TRACKING), EOPNOTSUPP);
	t_errno(u_attach(cannot, tracker), EINVAL);
	nested = t_ok(u_nested(f.fd, f.dev, tracker, 0));
	/* Over that very table */
	assert_int_equal(testhw_pts, 3);
	t_errno(u_nested(f.fd, dev, tracker, 0), EINVAL);
	t_errno(u_attach(cannot, nested), EINVAL);
	t_errno(u_set_dirty(f.fd, nested, true), ENOENT);
	t_errno(get(&f, nested, 0), ENOENT);
	t_errno(u_destroy(f.fd, tracker), EBUSY);
	t_ok(u_nested(f.fd, dev, f.hwpt, 0));
	assert_int_equal(testhw_pts, 4);
	t_ok(u_destroy(f.fd, nested));
	t_ok(u_detach(f.hw));
	t_ok(u_destroy(f.fd, tracker));
	t_errno(u_set_dirty(f.fd, tracker, true), ENOENT);
	shim_close(f.fd);
}

static void refused(void **state)
{
	static const struct { u64 iova, length, page_size; int error; } t[] = {
		{ IOVA, 0, PG(1), EOVERFLOW },
		{ 0, 0, PG(1), EOVERFLOW },
		{ IOVA, U64_MAX, PG(1), EOVERFLOW },
		{ U64_MAX, 2, PG(1), EOVERFLOW },
		{ IOVA, PG(1), 0, EINVAL },
		{ IOVA, PG(3), PG(3), EINVAL },
		{ IOVA, PG(1), 2048, EINVAL },
		{ IOVA, PG(1), 1, EINVAL },
		{ IOVA + 1, PG(1), PG(1), EINVAL },
		{ IOVA, PG(1) + 1, PG(1), EINVAL },
		{ IOVA + PG(1), PG(2), PG(2), EINVAL },
		{ IOVA, PG(1), PG(2), EINVAL },
		{ IOVA, PG(2), PG(2), 0 },
		{ 0, 1ull << 63, 1ull << 63, 0 },
		{ 1ull << 63, 1ull << 63, 1ull << 63, 0 },
		{ U64_MAX & PAGE_MASK, PG(1), PG(1), 0 },
	};
	int tracker;
	struct fixture f = tracking(&tracker);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		t_errno(u_get_dirty(f.fd, tracker, t[i].iova, t[i].length,
				    t[i].page_size, BITMAP, 0), t[i].error);
		/* The range is looked at first. */
		t_errno(u_get_dirty(f.fd, f.hwpt, t[i].iova, t[i].length,
				    t[i].page_size, BITMAP, 0),
			t[i].error ?: EOPNOTSUPP);
	}
	t_errno(get(&f, tracker, 2), EOPNOTSUPP);
	t_errno(get(&f, f.ioas, 0), ENOENT);
	t_errno(u_set_dirty(f.fd, f.dev, true), ENOENT);
	assert_no_bits();
	assert_int_equal(shim_pins, PAGES);
	shim_close(f.fd);
}

/* A bitmap that is not there loses nothing of what was written. */
static void bad_bitmaps(void **state)
{
	static const u64 at[] = { 0, 0x5000, BITMAP - 1, BITMAP + PG(BITMAP_PAGES),
				  U64_MAX, U64_MAX - 7, 1ull << 63, 1ull << 47 };
	const unsigned long readonly = 0x38000000ul;
	int tracker;
	struct fixture f = tracking(&tracker);
	unsigned int i;

	shim_user_map(readonly, 1, SHIM_READONLY);
	touch(&f, IOVA + PG(7), IOFD_WRITE);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		t_errno(u_get_dirty(f.fd, tracker, IOVA, PG(PAGES), PG(1), at[i],
				    0), EFAULT);
	t_errno(u_get_dirty(f.fd, tracker, IOVA, PG(PAGES), PG(1), readonly, 0),
		EFAULT);
	/* The second page of it alone, and both with one pin for each call */
	for (shim_pin_limit = 0; shim_pin_limit < 2; shim_pin_limit++) {
		shim_pin_fault = BITMAP + PAGE_SIZE;
		t_errno(u_get_dirty(f.fd, tracker, IOVA, PG(PAGES), PG(1),
				    BITMAP + PAGE_SIZE - 1, 0), EFAULT);
	}
	shim_pin_limit = 0;
	shim_pin_fault = 0;
	assert_int_equal(shim_pins, PAGES);
	assert_no_bits();
	t_ok(get(&f, tracker, 0));
	assert_bits(7, 7);
	shim_close(f.fd);
}

/* Every failing allocation: said so, nothing is lost, and it works after. */
static void out_of_memory(void **state)
{
	int tracker;
	struct fixture f = tracking(&tracker);
	unsigned int n;
	bool fired = true;
	int rc;

	for (n = 1; fired; n++) {
		touch(&f, IOVA + PG(7), IOFD_WRITE);
		shim_fail_nth(n);
		rc = get(&f, tracker, 0);
		fired = shim_fail_fired();
		shim_fail_nth(0);
		if (fired) {
			t_errno(rc, ENOMEM);
			assert_no_bits();
			t_ok(get(&f, tracker, 0));
		}
		assert_bits(7, 7);
		assert_int_equal(shim_pins, PAGES);
	}
	assert_true(n > 3);
	shim_fail_nth(1);
	t_ok(u_set_dirty(f.fd, tracker, true));
	assert_false(shim_fail_fired());
	shim_fail_nth(0);

	shim_interrupt_locks = true;
	t_errno(get(&f, tracker, 0), EINTR);
	t_errno(u_set_dirty(f.fd, tracker, false), EINTR);
	shim_interrupt_locks = false;
	shim_close(f.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(written_pages),
		core_test(switched),
		core_test(anywhere_in_memory),
		core_test(more_than_a_part),
		core_test(a_large_leaf_is_one),
		core_test(one_table_for_each),
		core_test(destroyed_meanwhile),
		core_test(devices),
		core_test(refused),
		core_test(bad_bitmaps),
		core_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
