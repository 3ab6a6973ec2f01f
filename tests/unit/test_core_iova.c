// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which addresses are taken, free and permitted, beside a model that looks at
 * every one.
 */
#include "shim/shim.h"
#include <linux/sched/signal.h>
#include "core/space.h"

#define PG(n)		((u64)(n) << PAGE_SHIFT)
#define MAX_ATTACHES	4
#define MAX_RANGES	8
#define FLOOR_PAGES	16

/* A space without anything around it, and devices that are only ranges */
static struct iofd_space space;
static struct iofd_device bindings[MAX_ATTACHES];
static struct iofd_attach attaches[MAX_ATTACHES];
static struct iofd_pdev pdevs[MAX_ATTACHES];
static struct iommu_ioasid_range ranges[MAX_ATTACHES][MAX_RANGES];

static void space_start(u64 addr_last)
{
	memset(&space, 0, sizeof(space));
	space.root = &space;
	mutex_init(&space.lock);
	spin_lock_init(&space.attach_lock);
	INIT_LIST_HEAD(&space.attaches);
	space.mappings = RB_ROOT;
	space.addr_last = addr_last;
	mutex_lock(&space.lock);
}

static void space_end(void)
{
	mutex_unlock(&space.lock);
}

/* As attaching and detaching do it */
static void attach(unsigned int i, unsigned int nr_ranges)
{
	pdevs[i].ranges = ranges[i];
	pdevs[i].nr_ranges = nr_ranges;
	bindings[i].pdev = &pdevs[i];
	attaches[i].binding = &bindings[i];
	list_add_tail(&attaches[i].space_entry, &space.attaches);
	space.nr_attaches++;
	memset(&space.window, 0, sizeof(space.window));
}

static void detach(unsigned int i)
{
	list_del(&attaches[i].space_entry);
	space.nr_attaches--;
}

static void range(unsigned int i, unsigned int k, u64 start, u64 last)
{
	ranges[i][k] = (struct iommu_ioasid_range) { start, last };
}

static bool permitted_from(u64 from, u64 *start, u64 *last)
{
	struct iommu_ioasid_range r;

	if (!iofd_iova_permitted_from(&space, from, &r))
		return false;
	*start = r.start;
	*last = r.last;
	return true;
}

#define assert_from(from, start_, last_)				\
do {									\
	u64 s, l;							\
	assert_true(permitted_from(from, &s, &l));			\
	assert_int_equal(s, start_);					\
	assert_int_equal(l, last_);					\
} while (0)
#define assert_none_from(from)						\
do {									\
	u64 s, l;							\
	assert_false(permitted_from(from, &s, &l));			\
} while (0)

static void nobody_attached_permits_all(void **state)
{
	space_start(U64_MAX);
	assert_from(0, 0, U64_MAX);
	assert_from(0x1234000, 0x1234000, U64_MAX);
	assert_from(U64_MAX, U64_MAX, U64_MAX);
	assert_true(iofd_iova_permitted(&space, 0, U64_MAX));
	space_end();

	space_start(iofd_addr_last(39));
	assert_from(0, 0, iofd_addr_last(39));
	assert_none_from(1ull << 39);
	assert_none_from(U64_MAX);
	assert_true(iofd_iova_permitted(&space, 0, iofd_addr_last(39)));
	assert_false(iofd_iova_permitted(&space, 0, 1ull << 39));
	assert_false(iofd_iova_permitted(&space, 1ull << 39, U64_MAX));
	space_end();
}

static void one_device(void **state)
{
	space_start(U64_MAX);
	range(0, 0, 0, 0xfedfffff);
	range(0, 1, 0xfef00000, iofd_addr_last(48));
	attach(0, 2);
	assert_from(0, 0, 0xfedfffff);
	assert_from(0xfedff000, 0xfedff000, 0xfedfffff);
	assert_from(0xfee00000, 0xfef00000, iofd_addr_last(48));
	assert_from(0xfeefffff, 0xfef00000, iofd_addr_last(48));
	assert_none_from(1ull << 48);
	assert_true(iofd_iova_permitted(&space, 0xfedff000, 0xfedfffff));
	assert_false(iofd_iova_permitted(&space, 0xfedff000, 0xfee00fff));
	assert_false(iofd_iova_permitted(&space, 0xfee00000, 0xfee00fff));
	assert_false(iofd_iova_permitted(&space, 0xfedff000, 0xfef00fff));
	assert_true(iofd_iova_permitted(&space, 0xfef00000, 0xfef00fff));
	/* A device that permits nothing */
	attach(1, 0);
	assert_none_from(0);
	assert_false(iofd_iova_permitted(&space, 0, 0xfff));
	detach(1);
	assert_from(0, 0, 0xfedfffff);
	space_end();
}

static void devices_intersect(void **state)
{
	space_start(PG(100) - 1);
	range(0, 0, PG(0), PG(11) - 1);
	range(0, 1, PG(20), PG(31) - 1);
	range(0, 2, PG(60), U64_MAX);
	attach(0, 3);
	range(1, 0, PG(15), PG(41) - 1);
	range(1, 1, PG(50), PG(71) - 1);
	attach(1, 2);
	assert_from(0, PG(20), PG(31) - 1);
	assert_from(PG(25), PG(25), PG(31) - 1);
	assert_from(PG(31), PG(60), PG(71) - 1);
	assert_none_from(PG(71));

	/* The end of the space cuts. */
	space.addr_last = PG(65) - 1;
	assert_from(PG(40), PG(60), PG(65) - 1);
	space.addr_last = PG(60) - 1;
	assert_none_from(PG(31));
	space.addr_last = PG(60);
	assert_from(PG(31), PG(60), PG(60));
	space_end();

	/* Nothing in common */
	space_start(U64_MAX);
	range(0, 0, 0, PG(10) - 1);
	range(0, 1, PG(20), PG(30) - 1);
	range(1, 0, PG(10), PG(20) - 1);
	range(1, 1, PG(30), U64_MAX);
	attach(0, 2);
	attach(1, 2);
	assert_none_from(0);
	assert_none_from(PG(25));
	space_end();
}

/* What was permitted before an attachment may not be any more. */
static void window_does_not_outlive_an_attach(void **state)
{
	space_start(U64_MAX);
	range(0, 0, 0, U64_MAX);
	attach(0, 1);
	assert_true(iofd_iova_permitted(&space, PG(10), PG(20) - 1));
	assert_true(iofd_iova_permitted(&space, PG(30), PG(40) - 1));
	range(1, 0, 0, PG(30) - 1);
	attach(1, 1);
	assert_true(iofd_iova_permitted(&space, PG(10), PG(20) - 1));
	assert_false(iofd_iova_permitted(&space, PG(30), PG(40) - 1));
	detach(1);
	assert_true(iofd_iova_permitted(&space, PG(30), PG(40) - 1));
	space_end();
}

/*
 * The model: a byte for each page of the first and the last PAGES pages of the
 * address space. What is between is never permitted.
 */
#define PAGES		600
#define TAKEN		0x1
#define REFUSED		0x2

static unsigned char model[2][PAGES];
static struct iofd_mapping *pool;
static u64 *live;			/* indices of pool that are in the space */
static unsigned int nr_live, nr_pool;

static unsigned char *model_at(u64 page)
{
	static unsigned char refused;
	u64 high = (U64_MAX >> PAGE_SHIFT) - PAGES + 1;

	if (page < PAGES)
		return &model[0][page];
	if (page >= high && page <= U64_MAX >> PAGE_SHIFT)
		return &model[1][page - high];
	refused = REFUSED;
	return &refused;
}

static bool model_has(u64 page, u64 nr_pages, unsigned char what)
{
	u64 i;

	for (i = 0; i < nr_pages; i++)
		if (*model_at(page + i) & what)
			return true;
	return false;
}

/* The lowest fit in [from, to), in pages; U64_MAX: none */
static u64 model_fit(u64 from, u64 to, u64 nr_pages, u64 align, u64 phase)
{
	u64 high = (U64_MAX >> PAGE_SHIFT) - PAGES + 1, page = from;

	to = min(to, (U64_MAX >> PAGE_SHIFT) + 1);
	while (page < to) {
		if (page >= PAGES && page < high)
			page = high;
		if (page >= to)
			break;
		if (page % align == phase &&
		    page + nr_pages - 1 <= U64_MAX >> PAGE_SHIFT &&
		    !model_has(page, nr_pages, TAKEN | REFUSED))
			return page;
		page++;
	}
	return U64_MAX;
}

static void model_mark(u64 page, u64 nr_pages, bool taken)
{
	u64 i;

	for (i = 0; i < nr_pages; i++)
		*model_at(page + i) ^= TAKEN;
	for (i = 0; i < nr_pages; i++)
		assert_int_equal(!!(*model_at(page + i) & TAKEN), taken);
}

/* What find_gap() says comes behind the gap. */
static struct iofd_mapping *behind;

static void insert(u64 page, u64 nr_pages)
{
	u64 slot = nr_live++;
	struct iofd_mapping *m = &pool[live[slot]], *next;

	assert_true(nr_live <= nr_pool);
	m->first = PG(page);
	m->last = PG(page) + (PG(nr_pages) - 1);
	assert_true(iofd_iova_vacant(&space, m->first, m->last, &next));
	iofd_iova_insert(&space, m, next);
	model_mark(page, nr_pages, true);
}

static void remove_live(unsigned int slot)
{
	struct iofd_mapping *m = &pool[live[slot]];
	u64 index = live[slot];

	iofd_iova_remove(&space, m);
	model_mark(m->first >> PAGE_SHIFT,
		   (m->last >> PAGE_SHIFT) - (m->first >> PAGE_SHIFT) + 1, false);
	live[slot] = live[--nr_live];
	live[nr_live] = index;
}

static void model_start(u64 addr_last)
{
	unsigned int i;

	memset(model, 0, sizeof(model));
	nr_pool = 2 * PAGES;
	nr_live = 0;
	pool = calloc(nr_pool, sizeof(*pool));
	live = calloc(nr_pool, sizeof(*live));
	for (i = 0; i < nr_pool; i++)
		live[i] = i;
	space_start(addr_last);
}

static void model_end(void)
{
	while (nr_live)
		remove_live(nr_live - 1);
	assert_true(RB_EMPTY_ROOT(&space.mappings));
	assert_int_equal(space.nr_mappings, 0);
	assert_int_equal(space.nr_pages, 0);
	space_end();
	free(pool);
	free(live);
}

static u64 random_page(void)
{
	u64 page = shim_random_below(PAGES);

	return shim_random_below(2) ? page : (U64_MAX >> PAGE_SHIFT) - page;
}

/* The tree, in order, with what the model has taken */
static void check_tree(void)
{
	unsigned long n = 0, pages = 0;
	struct rb_node *node;
	u64 behind = 0;

	for (node = rb_first(&space.mappings); node; node = rb_next(node)) {
		struct iofd_mapping *m = rb_entry(node, struct iofd_mapping, node);

		assert_true(m->first <= m->last);
		assert_true(!n || m->first > behind);
		behind = m->last;
		pages += (m->last - m->first + 1) >> PAGE_SHIFT;
		n++;
	}
	assert_int_equal(n, nr_live);
	assert_int_equal(space.nr_mappings, n);
	assert_int_equal(space.nr_pages, pages);
}

static void check_overlap(u64 page, u64 nr_pages)
{
	struct iofd_mapping *m;
	u64 i;

	m = iofd_iova_overlap(&space, PG(page), PG(page) + (PG(nr_pages) - 1));
	for (i = 0; i < nr_pages; i++)
		if (*model_at(page + i) & TAKEN)
			break;
	if (i == nr_pages) {
		assert_null(m);
	} else {
		assert_non_null(m);
		assert_true(m->first >> PAGE_SHIFT <= page + i);
		assert_true(m->last >> PAGE_SHIFT >= page + i);
		/* The lowest one */
		assert_true(i == 0 || m->first >> PAGE_SHIFT == page + i);
	}
}

/* Three devices with holes at random; the model knows what all of them permit. */
static void random_devices(void)
{
	u64 high = (U64_MAX >> PAGE_SHIFT) - PAGES + 1, page;
	unsigned int i, k;

	while (space.nr_attaches)
		detach(space.nr_attaches - 1);
	for (i = 0; i < 2; i++)
		for (k = 0; k < PAGES; k++)
			model[i][k] &= ~REFUSED;
	for (i = 0; i < 3; i++) {
		u64 from = 0;

		/* Holes below, one over the middle, holes above */
		for (k = 0; k < 5; k++) {
			u64 hole, end;

			if (k == 2) {
				hole = PAGES - shim_random_below(50);
				end = high + shim_random_below(50);
			} else {
				hole = shim_random_below(120) + 10 +
				       (k == 1 || k == 4 ? 250 : 0) +
				       (k > 2 ? high : 0);
				end = hole + 1 + shim_random_below(60);
			}
			hole = max(hole, from + 1);
			end = max(end, hole + 1);
			range(i, k, PG(from), PG(hole) - 1);
			for (page = hole; page < end; page++) {
				if (page == PAGES)
					page = high;
				if (page < end)
					*model_at(page) |= REFUSED;
			}
			from = end;
		}
		range(i, k, PG(from), U64_MAX);
		attach(i, k + 1);
	}
}

/* Mappings in the way of devices that come have to go first. */
static void drop_refused(void)
{
	unsigned int i;

	for (i = 0; i < nr_live;) {
		struct iofd_mapping *m = &pool[live[i]];
		u64 page = m->first >> PAGE_SHIFT;

		if (model_has(page, (m->last >> PAGE_SHIFT) - page + 1, REFUSED))
			remove_live(i);
		else
			i++;
	}
}

static void check_permitted(u64 page, u64 nr_pages)
{
	bool wraps = page + nr_pages - 1 > U64_MAX >> PAGE_SHIFT;

	if (!wraps)
		assert_int_equal(iofd_iova_permitted(&space, PG(page), PG(page) +
						     (PG(nr_pages) - 1)),
				 !model_has(page, nr_pages, REFUSED));
}

/*
 * 100,000 operations. What is chosen is free, permitted and in phase, and none is
 * chosen only when there is none.
 */
static void random_operations(void **state)
{
	static const u64 aligns[] = { 1, 1, 1, 4, 16, 64 };
	unsigned int step, found = 0, full = 0;

	model_start(U64_MAX);
	random_devices();
	for (step = 0; step < 100000; step++) {
		u64 page = random_page(), n = 1 + shim_random_below(12);
		u64 align = aligns[shim_random_below(ARRAY_SIZE(aligns))];
		u64 phase = shim_random_below(align), iova, fit;
		int rc;

		if (page + n - 1 > U64_MAX >> PAGE_SHIFT || page + n < n)
			n = (U64_MAX >> PAGE_SHIFT) - page + 1;
		switch (shim_random_below(16)) {
		case 0 ... 3:
			check_permitted(page, n);
			check_overlap(page, n);
			if (!model_has(page, n, TAKEN | REFUSED))
				insert(page, n);
			break;
		case 4 ... 8:
			rc = iofd_iova_find_gap(&space, PG(n), PG(align),
						PG(phase), &iova, &behind);
			if (rc) {
				assert_int_equal(rc, -ENOSPC);
				fit = model_fit(0, U64_MAX, n, align, phase);
				assert_int_equal(fit, U64_MAX);
				full++;
				break;
			}
			assert_int_equal(iova % PG(align), PG(phase));
			assert_false(model_has(iova >> PAGE_SHIFT, n,
					       TAKEN | REFUSED));
			/* The lowest addresses come last. */
			if (iova >> PAGE_SHIFT < FLOOR_PAGES)
				assert_int_equal(model_fit(FLOOR_PAGES, U64_MAX,
							   n, align, phase),
						 U64_MAX);
			insert(iova >> PAGE_SHIFT, n);
			found++;
			break;
		case 9 ... 12:
			if (nr_live)
				remove_live(shim_random_below(nr_live));
			break;
		case 13:
			/* Neighbours, as programs unmap */
			if (nr_live)
				check_overlap(pool[live[0]].first >> PAGE_SHIFT, 1);
			if (space.hint && iofd_iova_next(space.hint))
				assert_true(iofd_iova_next(space.hint)->first >
					    space.hint->last);
			break;
		default:
			check_overlap(page, n);
			check_permitted(page, n);
		}
		if (step % 64 == 0)
			check_tree();
		if (step % 5000 == 4999) {
			random_devices();
			drop_refused();
		}
	}
	print_message("  %u addresses chosen, %u times none\n", found, full);
	assert_true(found > 1000 && full > 100);
	model_end();
}

/*
 * With the alignment of a page and nobody coming or going the lowest fit from
 * 64 KiB on is chosen, whatever was found or freed before.
 */
static void first_fit(void **state)
{
	unsigned int step;

	model_start(PG(PAGES) - 1);
	for (step = 0; step < 20000; step++) {
		u64 n = 1 + shim_random_below(shim_random_below(2) ? 3 : 30);
		u64 iova, fit;
		int rc;

		if (shim_random_below(5) < 2) {
			if (nr_live)
				remove_live(shim_random_below(nr_live));
			continue;
		}
		fit = model_fit(FLOOR_PAGES, PAGES - n + 1, n, 1, 0);
		if (fit == U64_MAX)
			fit = model_fit(0, FLOOR_PAGES, n, 1, 0);
		rc = iofd_iova_find_gap(&space, PG(n), PAGE_SIZE, 0, &iova, &behind);
		if (fit == U64_MAX) {
			assert_int_equal(rc, -ENOSPC);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_int_equal(iova >> PAGE_SHIFT, fit);
		insert(fit, n);
	}
	model_end();
}

/* An aligned request skips gaps that a later one fits into. */
static void aligned_requests_lose_no_gap(void **state)
{
	u64 iova;

	model_start(PG(100) - 1);
	insert(0, 17);
	/* [17, 24) free; the next multiple of 8 is 24 */
	assert_int_equal(iofd_iova_find_gap(&space, PG(8), PG(8), 0, &iova, &behind),
				 0);
	assert_int_equal(iova, PG(24));
	insert(24, 76);
	assert_int_equal(iofd_iova_find_gap(&space, PG(8), PAGE_SIZE, 0, &iova, &behind),
			 -ENOSPC);
	assert_int_equal(iofd_iova_find_gap(&space, PG(7), PAGE_SIZE, 0, &iova, &behind),
				 0);
	assert_int_equal(iova, PG(17));
	model_end();
}

static void end_of_all_addresses(void **state)
{
	u64 top = U64_MAX >> PAGE_SHIFT, iova;

	model_start(U64_MAX);
	range(0, 0, PG(top - 3), U64_MAX);
	attach(0, 1);
	assert_from(0, PG(top - 3), U64_MAX);
	assert_true(iofd_iova_permitted(&space, PG(top - 3), U64_MAX));

	assert_int_equal(iofd_iova_find_gap(&space, PG(4), PAGE_SIZE, 0, &iova, &behind),
				 0);
	assert_int_equal(iova, PG(top - 3));
	insert(top - 3, 4);
	assert_int_equal(iofd_iova_find_gap(&space, PG(1), PAGE_SIZE, 0, &iova, &behind),
			 -ENOSPC);
	remove_live(0);
	assert_int_equal(iofd_iova_find_gap(&space, PG(5), PAGE_SIZE, 0, &iova, &behind),
			 -ENOSPC);
	assert_int_equal(iofd_iova_find_gap(&space, PG(1), PG(16), PG(15), &iova, &behind),
			 0);
	assert_int_equal(iova, PG(top));
	insert(top, 1);
	check_overlap(top, 1);
	check_overlap(top - 1, 1);
	/* Aligning wraps. */
	assert_int_equal(iofd_iova_find_gap(&space, PG(1), PG(16), 0, &iova, &behind),
			 -ENOSPC);
	assert_int_equal(iofd_iova_find_gap(&space, PG(3), PAGE_SIZE, 0, &iova, &behind),
				 0);
	assert_int_equal(iova, PG(top - 3));
	model_end();
}

/* All of it in one piece, from 0 on */
static void longest_request(void **state)
{
	u64 iova = 1;

	model_start(iofd_addr_last(57));
	assert_int_equal(iofd_iova_find_gap(&space, 1ull << 57, PAGE_SIZE, 0,
					    &iova, &behind), 0);
	assert_int_equal(iova, 0);
	assert_int_equal(iofd_iova_find_gap(&space, (1ull << 57) + PAGE_SIZE,
					    PAGE_SIZE, 0, &iova, &behind), -ENOSPC);
	assert_int_equal(iofd_iova_find_gap(&space, 1ull << 62, PAGE_SIZE, 0,
					    &iova, &behind), -ENOSPC);
	model_end();
}

/* Gaps are looked for as long as it takes, unless somebody kills the process. */
static void signal_ends_a_long_search(void **state)
{
	u64 page, iova;

	model_start(U64_MAX);
	pool = realloc(pool, 5000 * sizeof(*pool));
	for (page = 0; page < 5000; page++) {
		pool[page].first = PG(2 * page);
		pool[page].last = PG(2 * page + 1) - 1;
		iofd_iova_insert(&space, &pool[page], NULL);
	}
	shim_current->signalled = true;
	assert_int_equal(iofd_iova_find_gap(&space, PG(2), PAGE_SIZE, 0, &iova, &behind),
			 -EINTR);
	shim_current->signalled = false;
	assert_int_equal(iofd_iova_find_gap(&space, PG(2), PAGE_SIZE, 0, &iova, &behind),
				 0);
	assert_int_equal(iova, PG(9999));
	for (page = 0; page < 5000; page++)
		iofd_iova_remove(&space, &pool[page]);
	model_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(nobody_attached_permits_all),
		shim_test(one_device),
		shim_test(devices_intersect),
		shim_test(window_does_not_outlive_an_attach),
		shim_test(random_operations),
		shim_test(first_fit),
		shim_test(aligned_requests_lose_no_gap),
		shim_test(end_of_all_addresses),
		shim_test(longest_request),
		shim_test(signal_ends_a_long_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
