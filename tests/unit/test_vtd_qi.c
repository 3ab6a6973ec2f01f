// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Invalidation descriptors, bit for bit against the specification's layout.
 */
#include "shim/shim.h"
#include "hw/vtd/qi_desc.h"

#define FIELD(word, hi, lo) (((word) >> (lo)) & (~0ULL >> (63 - (hi) + (lo))))

static void check_tail(const struct vtd_qi_desc *d)
{
	assert_int_equal(d->qw[2], 0);
	assert_int_equal(d->qw[3], 0);
}

/* Bits that no field of the type has are clear. */
static void check_reserved(const struct vtd_qi_desc *d, u64 lo, u64 hi)
{
	assert_int_equal(d->qw[0] & lo, 0);
	assert_int_equal(d->qw[1] & hi, 0);
	check_tail(d);
}

static void test_context(void **state)
{
	struct vtd_qi_desc d = vtd_qi_context_device(0xabcd, 0x1234);

	assert_int_equal(FIELD(d.qw[0], 3, 0), 1);
	assert_int_equal(FIELD(d.qw[0], 5, 4), 3);
	assert_int_equal(FIELD(d.qw[0], 31, 16), 0xabcd);
	assert_int_equal(FIELD(d.qw[0], 47, 32), 0x1234);
	assert_int_equal(FIELD(d.qw[0], 49, 48), 0);
	check_reserved(&d, 0xfffc00000000ffc0, ~0ULL);

	d = vtd_qi_context_global();
	assert_int_equal(d.qw[0], 0x11);
	check_reserved(&d, 0xfffc00000000ffc0, ~0ULL);
}

static void test_iotlb(void **state)
{
	struct vtd_qi_desc d;

	d = vtd_qi_iotlb_global(VTD_QI_DW | VTD_QI_DR);
	assert_int_equal(d.qw[0], 0xd2);
	check_reserved(&d, 0xffffffff0000ff00, ~0ULL);

	d = vtd_qi_iotlb_domain(0xbeef, 0);
	assert_int_equal(d.qw[0], 0xbeef0022);
	check_reserved(&d, 0xffffffff0000ff00, ~0ULL);

	d = vtd_qi_iotlb_pages(0xbeef, VTD_QI_DR, 0x123456000000, 9, true);
	assert_int_equal(d.qw[0], 0xbeef00b2);
	assert_int_equal(FIELD(d.qw[1], 5, 0), 9);
	assert_int_equal(FIELD(d.qw[1], 6, 6), 1);
	assert_int_equal(d.qw[1] & ~0xfffULL, 0x123456000000);
	check_reserved(&d, 0xffffffff0000ff00, 0xf80);

	d = vtd_qi_iotlb_pages(1, 0, 0x1000, 0, false);
	assert_int_equal(d.qw[1], 0x1000);
}

static void test_pasid(void **state)
{
	struct vtd_qi_desc d;

	d = vtd_qi_piotlb_pasid(0xbeef, 0xfffff);
	assert_int_equal(d.qw[0], 0x000fffffbeef0026);
	check_reserved(&d, 0xfff000000000ffc0, ~0ULL);

	d = vtd_qi_pasid_entry(0xbeef, 0xfffff);
	assert_int_equal(d.qw[0], 0x000fffffbeef0017);
	check_reserved(&d, 0xfff000000000ffc0, ~0ULL);

	d = vtd_qi_pasid_global();
	assert_int_equal(d.qw[0], 0x37);
	check_reserved(&d, 0xfff000000000ffc0, ~0ULL);
}

static void test_wait(void **state)
{
	struct vtd_qi_desc d;

	d = vtd_qi_wait_write(0xcafebabe, 0x123456780);
	assert_int_equal(FIELD(d.qw[0], 3, 0), 5);
	assert_int_equal(FIELD(d.qw[0], 5, 5), 1);
	assert_int_equal(FIELD(d.qw[0], 63, 32), 0xcafebabe);
	assert_int_equal(d.qw[1], 0x123456780);
	check_reserved(&d, 0xffffff80, 3);
}

/* The range that a device understands: the lowest clear bit says how large. */
static void decode_range(u64 hi, u64 *addr, u64 *last)
{
	unsigned int bit = 12;

	*addr = hi & ~0xfffULL;
	*last = *addr | 0xfff;
	if (!(hi & 1))
		return;
	while (bit < 64 && hi & BIT_ULL(bit))
		bit++;
	*addr &= bit > 62 ? 0 : ~((2ULL << bit) - 1);
	*last = bit > 62 ? ~0ULL : *addr + (2ULL << bit) - 1;
}

static void test_devtlb(void **state)
{
	struct vtd_qi_desc d;
	unsigned int order;
	u64 addr, last;

	d = vtd_qi_devtlb(0x1234, 0x5678, 31, 0x7000, 0);
	assert_int_equal(FIELD(d.qw[0], 3, 0), 3);
	assert_int_equal(FIELD(d.qw[0], 15, 12), 0x8);
	assert_int_equal(FIELD(d.qw[0], 20, 16), 31);
	assert_int_equal(FIELD(d.qw[0], 47, 32), 0x1234);
	assert_int_equal(FIELD(d.qw[0], 63, 52), 0x567);
	assert_int_equal(FIELD(d.qw[0], 31, 21), 0);
	assert_int_equal(d.qw[1], 0x7000);
	check_tail(&d);

	for (order = 0; order < 51; order++) {
		u64 want = 5ULL << (12 + order) &
			   ~((4096ULL << order) - 1) & ~BIT_ULL(63);

		d = vtd_qi_devtlb(1, 0, 0, want | 0x3000, order);
		if (!order)
			want |= 0x3000;
		decode_range(d.qw[1], &addr, &last);
		assert_int_equal(addr, want);
		assert_int_equal(last, want + (4096ULL << order) - 1);
		assert_int_equal(d.qw[1] & 0xffe, 0);
	}
	d = vtd_qi_devtlb(1, 0, 0, 0x123000, 52);
	assert_int_equal(d.qw[1], 0x7ffffffffffff001);
	decode_range(d.qw[1], &addr, &last);
	assert_int_equal(addr, 0);
	assert_int_equal(last, ~0ULL);
}

/* The block covers the range, and half of it does not. */
static void test_order(void **state)
{
	unsigned int i, order;

	assert_int_equal(vtd_qi_order(0, 0xfff), 0);
	assert_int_equal(vtd_qi_order(0x1000, 0x1fff), 0);
	assert_int_equal(vtd_qi_order(0x1000, 0x2fff), 2);
	assert_int_equal(vtd_qi_order(0, ~0ULL), 52);
	for (i = 0; i < 100000; i++) {
		u64 a = shim_random() >> shim_random_below(64);
		u64 b = a + (shim_random() >> shim_random_below(64));
		u64 size;

		if (b < a)
			continue;
		order = vtd_qi_order(a, b);
		if (order >= 52)
			continue;
		size = 4096ULL << order;
		assert_int_equal(a / size, b / size);
		if (order)
			assert_int_not_equal(a / (size / 2), b / (size / 2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(test_context),
		shim_test(test_iotlb),
		shim_test(test_pasid),
		shim_test(test_wait),
		shim_test(test_devtlb),
		shim_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
