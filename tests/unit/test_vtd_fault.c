// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fault records of a VT-d unit, decoded and in words.
 */
#include "shim/shim.h"
#include "hw/dmar_fault.h"

/* Every reason of the specification. */
static const u8 reasons[] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c,
	0x0d, 0x0e, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
	0x30, 0x31, 0x32, 0x33, 0x38, 0x39, 0x3a, 0x40, 0x41, 0x42, 0x43, 0x44,
	0x45, 0x46, 0x47, 0x48, 0x50, 0x51, 0x52, 0x58, 0x59, 0x5a, 0x5b, 0x5c,
	0x5d, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
	0x7b, 0x7c, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x90, 0x91,
};

static void test_text(void **state)
{
	const char *unknown = iofd_dmar_fault_text(0xfe);
	unsigned int i;

	assert_non_null(unknown);
	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		const char *text = iofd_dmar_fault_text(reasons[i]);

		if (!strcmp(text, unknown))
			fail_msg("no text for reason %02x", reasons[i]);
	}
	for (i = 0; i < 256; i++)
		assert_non_null(iofd_dmar_fault_text(i));
}

static u32 access_of(u64 t1, u64 t2)
{
	struct iofd_hw_fault fault;
	u16 rid;

	assert_true(iofd_dmar_fault_decode(0x1000, BIT_ULL(63) | t1 << 62 |
					   t2 << 28 | 5ULL << 32, &fault, &rid));
	return fault.access;
}

static void test_decode(void **state)
{
	struct iofd_hw_fault fault;
	u16 rid;

	/* A read by 12:14.3 with PASID 54321h, reason 86h */
	assert_true(iofd_dmar_fault_decode(0xfffffffffffff000,
					   0xc5432186800012a3, &fault, &rid));
	assert_int_equal(rid, 0x12a3);
	assert_int_equal(fault.address, 0xfffffffffffff000);
	assert_int_equal(fault.reason, 0x86);
	assert_int_equal(fault.access, IOFD_READ);
	assert_true(fault.has_pasid);
	assert_int_equal(fault.pasid, 0x54321);

	/* Low address bits are not part of it, and there is no PASID. */
	assert_true(iofd_dmar_fault_decode(0x200fff, 0x8123450500000008,
					   &fault, &rid));
	assert_int_equal(rid, 8);
	assert_int_equal(fault.address, 0x200000);
	assert_int_equal(fault.access, IOFD_WRITE);
	assert_false(fault.has_pasid);
	assert_int_equal(fault.pasid, 0);

	assert_false(iofd_dmar_fault_decode(0, 0x4000000500000008, &fault,
					    &rid));
	assert_int_equal(access_of(0, 0), IOFD_WRITE);
	assert_int_equal(access_of(1, 0), IOFD_READ);
	assert_int_equal(access_of(1, 1), IOFD_READ | IOFD_WRITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(test_text),
		shim_test(test_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
