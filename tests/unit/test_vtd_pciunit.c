// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lists of remapping structures of units on PCI: joined to firmware's table or
 * to none, ones that end anywhere, and ones with any byte wrong.
 */
#include "shim/shim.h"
#include "hw/vtd/dmar.h"
#include "hw/vtd/pciunit.h"
#include "hw/vtd/pciunit_regs.h"

#define BASE		0xfebc0000ULL
#define REG_BYTES	0x2000

/* A list: header, a DRHD with one endpoint, an RMRR, an ATSR. */
static u8 list[256];
static unsigned int list_bytes;

static void put(u8 *p, u64 value, unsigned int bytes)
{
	for (; bytes--; value >>= 8)
		*p++ = value;
}

static void build_list(void)
{
	u8 *p = list + VTD_PCIUNIT_HEADER;

	memset(list, 0, sizeof(list));
	put(p, VTD_DMAR_DRHD, 2);
	put(p + 2, 24, 2);
	p[16] = VTD_SCOPE_ENDPOINT;
	p[17] = 8;
	p[22] = 0x14;
	p += 24;
	put(p, VTD_DMAR_RMRR, 2);
	put(p + 2, 24, 2);
	put(p + 8, 0x7b800000, 8);
	put(p + 16, 0x7b8fffff, 8);
	p += 24;
	put(p, VTD_DMAR_ATSR, 2);
	put(p + 2, 8, 2);
	p[4] = 1;
	p += 8;
	list_bytes = p - list;
	put(list + VTD_PCIUNIT_MAGIC, VTD_PCIUNIT_MAGIC_VALUE, 4);
	put(list + VTD_PCIUNIT_REVISION, VTD_PCIUNIT_REVISION_VALUE, 4);
	put(list + VTD_PCIUNIT_LENGTH, list_bytes, 4);
	put(list + VTD_PCIUNIT_WIDTH, 46, 4);
}

/* A table of firmware's with one unit for all devices. */
static unsigned int build_acpi(u8 *table)
{
	memset(table, 0, 64);
	memcpy(table, "DMAR", 4);
	put(table + 4, 64, 4);
	table[36] = 38;
	put(table + 50, 16, 2);
	table[52] = 1;
	put(table + 56, 0xfed90000, 8);
	return 64;
}

/* Add from memory of exactly the length, so that a byte too far is seen. */
static int add(struct vtd_joined *joined, const u8 *from, unsigned int bytes,
	       const char **why)
{
	u8 *copy = malloc(bytes ?: 1);
	int rc;

	memcpy(copy, from, bytes);
	*why = NULL;
	rc = vtd_joined_add(joined, copy, bytes, BASE, REG_BYTES, why);
	free(copy);
	if (rc)
		assert_non_null(*why);
	return rc;
}

static struct vtd_dmar *parsed(const struct vtd_joined *joined)
{
	struct vtd_dmar *dmar;
	const char *why;

	assert_int_equal(vtd_dmar_parse(joined->bytes, joined->length, &dmar, &why), 0);
	return dmar;
}

static void test_alone(void **state)
{
	struct vtd_joined joined;
	struct vtd_dmar *dmar;
	const char *why;

	build_list();
	assert_int_equal(vtd_joined_begin(&joined, NULL, 0), 0);
	assert_int_equal(add(&joined, list, list_bytes, &why), 0);
	dmar = parsed(&joined);
	assert_int_equal(dmar->address_width_bits, 46);
	assert_int_equal(dmar->nr_entries, 3);
	assert_int_equal(dmar->entries[0].kind, VTD_DMAR_DRHD);
	assert_int_equal(dmar->entries[0].start, BASE);
	assert_int_equal(dmar->entries[0].last, BASE + 0xfff);
	assert_int_equal(dmar->entries[0].nr_scopes, 1);
	assert_int_equal(dmar->entries[0].scopes[0].steps[0], 0x14);
	assert_int_equal(dmar->entries[1].start, 0x7b800000);
	assert_true(dmar->entries[2].all);
	vtd_dmar_free(dmar);
	vtd_joined_free(&joined);
	vtd_joined_free(&joined);
}

static void test_beside_firmware(void **state)
{
	struct vtd_joined joined;
	struct vtd_dmar *dmar;
	const char *why;
	u8 acpi[64];

	build_list();
	assert_int_equal(vtd_joined_begin(&joined, acpi, build_acpi(acpi)), 0);
	assert_int_equal(add(&joined, list, list_bytes, &why), 0);
	dmar = parsed(&joined);
	assert_int_equal(dmar->address_width_bits, 39);
	assert_int_equal(dmar->nr_entries, 4);
	assert_int_equal(dmar->entries[0].start, 0xfed90000);
	assert_int_equal(dmar->entries[1].start, BASE);
	vtd_dmar_free(dmar);

	/* The same registers again: the parser sees to that. */
	assert_int_equal(add(&joined, list, list_bytes, &why), 0);
	assert_int_equal(vtd_dmar_parse(joined.bytes, joined.length, &dmar, &why),
			 -EINVAL);
	vtd_joined_free(&joined);
}

static void test_bad_firmware(void **state)
{
	struct vtd_joined joined;
	u8 acpi[64];

	build_acpi(acpi);
	assert_int_equal(vtd_joined_begin(&joined, acpi, 47), -EINVAL);
	assert_int_equal(vtd_joined_begin(&joined, acpi, 63), -EINVAL);
	put(acpi + 4, 47, 4);
	assert_int_equal(vtd_joined_begin(&joined, acpi, 64), -EINVAL);
	build_acpi(acpi);
	acpi[0] = 'X';
	assert_int_equal(vtd_joined_begin(&joined, acpi, 64), -EINVAL);
	vtd_joined_free(&joined);
}

/* What is at @at in the list, and must not be. */
static void refused(unsigned int at, u64 value, unsigned int bytes)
{
	struct vtd_joined joined;
	const char *why;

	build_list();
	put(list + at, value, bytes);
	assert_int_equal(vtd_joined_begin(&joined, NULL, 0), 0);
	assert_int_equal(add(&joined, list, list_bytes, &why), -EINVAL);
	assert_int_equal(joined.length, 48);
	vtd_joined_free(&joined);
}

static void test_refused(void **state)
{
	unsigned int drhd = VTD_PCIUNIT_HEADER, rmrr = drhd + 24;

	refused(VTD_PCIUNIT_MAGIC, 0, 4);
	refused(VTD_PCIUNIT_REVISION, 2, 4);
	refused(VTD_PCIUNIT_LENGTH, 0, 4);
	refused(VTD_PCIUNIT_LENGTH, VTD_PCIUNIT_HEADER, 4);
	refused(VTD_PCIUNIT_LENGTH, list_bytes + 1, 4);
	refused(VTD_PCIUNIT_LENGTH, 0xffffffff, 4);
	refused(VTD_PCIUNIT_WIDTH, 0, 4);
	refused(VTD_PCIUNIT_WIDTH, 65, 4);
	refused(drhd + 2, 0, 2);
	refused(drhd + 2, 12, 2);
	refused(drhd + 2, 0xffff, 2);
	refused(drhd, 0x99, 2);		/* no unit at all */
	refused(drhd + 8, 1, 8);
	refused(drhd + 8, 1ULL << 40, 8);
	refused(drhd + 5, 2, 1);	/* registers of 16 KiB */
	refused(rmrr, VTD_DMAR_DRHD, 2);	/* a second unit */
}

static void test_cut(void **state)
{
	struct vtd_joined joined;
	unsigned int bytes;
	const char *why;

	build_list();
	assert_int_equal(vtd_joined_begin(&joined, NULL, 0), 0);
	for (bytes = 0; bytes < list_bytes; bytes++)
		assert_int_equal(add(&joined, list, bytes, &why), -EINVAL);
	/* It says itself that it is shorter: whole structures only. */
	for (bytes = VTD_PCIUNIT_HEADER; bytes < list_bytes; bytes++) {
		unsigned int left = bytes - VTD_PCIUNIT_HEADER;

		put(list + VTD_PCIUNIT_LENGTH, bytes, 4);
		if (left != 24 && left != 48)
			assert_int_equal(add(&joined, list, bytes, &why), -EINVAL);
	}
	assert_int_equal(joined.length, 48);
	vtd_joined_free(&joined);
}

/* Any bytes: no harm, and what is accepted says what it should. */
static void test_random(void **state)
{
	struct vtd_joined joined;
	struct vtd_dmar *dmar;
	const char *why;
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		build_list();
		list[shim_random() % list_bytes] = shim_random();
		list[shim_random() % list_bytes] = shim_random();
		assert_int_equal(vtd_joined_begin(&joined, NULL, 0), 0);
		if (!add(&joined, list, list_bytes, &why) &&
		    !vtd_dmar_parse(joined.bytes, joined.length, &dmar, &why))
			vtd_dmar_free(dmar);
		vtd_joined_free(&joined);
	}
}

static void test_no_memory(void **state)
{
	struct vtd_joined joined;
	const char *why;

	build_list();
	shim_fail_nth(1);
	assert_int_equal(vtd_joined_begin(&joined, NULL, 0), -ENOMEM);
	assert_true(shim_fail_fired());
	assert_int_equal(vtd_joined_begin(&joined, NULL, 0), 0);
	shim_fail_nth(1);
	assert_int_equal(add(&joined, list, list_bytes, &why), -ENOMEM);
	assert_true(shim_fail_fired());
	assert_int_equal(joined.length, 48);
	vtd_joined_free(&joined);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(test_alone),
		shim_test(test_beside_firmware),
		shim_test(test_bad_firmware),
		shim_test(test_refused),
		shim_test(test_cut),
		shim_test(test_random),
		shim_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
