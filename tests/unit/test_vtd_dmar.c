// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The DMAR table: good ones, ones that end anywhere, and ones with any byte
 * wrong; and which devices a scope covers.
 */
#include "shim/shim.h"
#include "hw/vtd/dmar.h"

/* A table under construction. */
static struct {
	u8 bytes[4096];
	unsigned int len;
	unsigned int entry;	/* where the last entry begins */
} t;

static void put(unsigned int at, u64 value, unsigned int bytes)
{
	while (bytes--) {
		t.bytes[at++] = value;
		value >>= 8;
	}
}

static void begin(void)
{
	memset(&t, 0, sizeof(t));
	memcpy(t.bytes, "DMAR", 4);
	t.bytes[36] = 38;
	t.len = 48;
	put(4, t.len, 4);
}

static void grow(unsigned int bytes)
{
	t.len += bytes;
	put(t.entry + 2, t.len - t.entry, 2);
	put(4, t.len, 4);
}

static void entry(u16 type, u8 flags, u16 segment, unsigned int bytes)
{
	t.entry = t.len;
	put(t.entry, type, 2);
	t.bytes[t.entry + 4] = flags;
	put(t.entry + 6, segment, 2);
	grow(bytes);
}

static void drhd(u8 flags, u16 segment, u64 base)
{
	entry(0, flags, segment, 16);
	put(t.entry + 8, base, 8);
}

static void rmrr(u16 segment, u64 start, u64 last)
{
	entry(1, 0, segment, 24);
	put(t.entry + 8, start, 8);
	put(t.entry + 16, last, 8);
}

/* @path: pairs of device and function, ended by 0xff */
static void scope(u8 type, u8 bus, const u8 *path)
{
	unsigned int at = t.len, n = 0;

	while (path[n] != 0xff) {
		t.bytes[at + 6 + n] = path[n];
		n++;
	}
	t.bytes[at] = type;
	t.bytes[at + 1] = 6 + n;
	t.bytes[at + 4] = 9;
	t.bytes[at + 5] = bus;
	grow(6 + n);
}

#define PATH(...) ((const u8[]) { __VA_ARGS__, 0xff })

/* Parse from memory of exactly the length, so that a byte too far is seen. */
static int parse(unsigned int bytes, struct vtd_dmar **dmar, const char **why)
{
	u8 *copy = malloc(bytes ?: 1);
	int rc;

	memcpy(copy, t.bytes, bytes);
	*why = NULL;
	rc = vtd_dmar_parse(copy, bytes, dmar, why);
	free(copy);
	if (rc) {
		assert_null(*dmar);
		assert_non_null(*why);
	}
	return rc;
}

static void build_rich(void)
{
	begin();
	drhd(0, 0, 0xfed90000);
	scope(VTD_SCOPE_ENDPOINT, 0, PATH(2, 0));
	drhd(1, 0, 0xfed91000);
	scope(VTD_SCOPE_IOAPIC, 0xf0, PATH(0x1f, 7));
	scope(VTD_SCOPE_HPET, 0, PATH(0xf, 0));
	scope(VTD_SCOPE_NAMESPACE, 0, PATH(0x15, 1));
	drhd(1, 1, 0xfed92000);
	rmrr(0, 0x7b800000, 0x7fffffff);
	scope(VTD_SCOPE_ENDPOINT, 0, PATH(2, 0));
	rmrr(0, 0x2000, 0xfff);			/* no range at all */
	scope(VTD_SCOPE_ENDPOINT, 0, PATH(3, 0));
	entry(2, 0, 0, 8);
	scope(VTD_SCOPE_BRIDGE, 0, PATH(0x1c, 0));
	entry(2, 1, 1, 8);
	entry(3, 0, 0, 20);			/* RHSA: not looked at */
	entry(0x77, 0, 0, 5);			/* of the future */
}

static void test_good(void **state)
{
	struct vtd_dmar *dmar;
	const char *why;

	build_rich();
	assert_int_equal(parse(t.len, &dmar, &why), 0);
	assert_int_equal(dmar->address_width_bits, 39);
	assert_int_equal(dmar->nr_entries, 6);
	assert_int_equal(dmar->nr_ignored, 1);

	assert_int_equal(dmar->entries[0].kind, VTD_DMAR_DRHD);
	assert_int_equal(dmar->entries[0].start, 0xfed90000);
	assert_int_equal(dmar->entries[0].last, 0xfed90fff);
	assert_false(dmar->entries[0].all);
	assert_int_equal(dmar->entries[0].nr_scopes, 1);
	assert_int_equal(dmar->entries[0].scopes[0].type, VTD_SCOPE_ENDPOINT);

	assert_true(dmar->entries[1].all);
	assert_int_equal(dmar->entries[1].nr_scopes, 3);
	assert_int_equal(dmar->entries[1].scopes[2].type, VTD_SCOPE_NAMESPACE);
	assert_int_equal(dmar->entries[1].scopes[2].enum_id, 9);
	assert_int_equal(dmar->entries[1].scopes[0].start_bus, 0xf0);
	assert_int_equal(dmar->entries[1].scopes[0].nr_steps, 1);
	assert_int_equal(dmar->entries[1].scopes[0].steps[1], 7);

	assert_int_equal(dmar->entries[2].segment, 1);
	assert_int_equal(dmar->entries[3].kind, VTD_DMAR_RMRR);
	assert_int_equal(dmar->entries[3].start, 0x7b800000);
	assert_int_equal(dmar->entries[3].last, 0x7fffffff);
	assert_int_equal(dmar->entries[4].kind, VTD_DMAR_ATSR);
	assert_false(dmar->entries[4].all);
	assert_true(dmar->entries[5].all);
	vtd_dmar_free(dmar);
	vtd_dmar_free(NULL);
}

/* Newer tables say how large the register file is. */
static void test_register_size(void **state)
{
	struct vtd_dmar *dmar;
	const char *why;

	begin();
	drhd(1, 0, 0xfed90000);
	t.bytes[t.entry + 5] = 3;
	assert_int_equal(parse(t.len, &dmar, &why), 0);
	assert_int_equal(dmar->entries[0].last, 0xfed97fff);
	vtd_dmar_free(dmar);
}

static void refused(void)
{
	struct vtd_dmar *dmar;
	const char *why;

	assert_int_equal(parse(t.len, &dmar, &why), -EINVAL);
}

static void test_refused(void **state)
{
	begin();
	refused();				/* no unit */

	begin();
	drhd(1, 0, 0);
	refused();
	begin();
	drhd(1, 0, 0xfed90800);
	refused();
	begin();
	drhd(1, 0, ~0xfffULL);
	t.bytes[t.entry + 5] = 1;
	refused();				/* wraps */
	begin();
	drhd(1, 0, 0xfed90000);
	drhd(0, 0, 0xfed90000);
	refused();				/* the same unit twice */

	build_rich();
	memcpy(t.bytes, "RAMD", 4);
	refused();
	build_rich();
	put(4, t.len + 1, 4);
	refused();
	build_rich();
	put(4, 47, 4);
	refused();

	begin();
	drhd(1, 0, 0xfed90000);
	put(t.entry + 2, 0, 2);			/* would never end */
	refused();
	put(t.entry + 2, 15, 2);
	refused();
	put(t.entry + 2, 17, 2);
	refused();

	begin();
	drhd(1, 0, 0xfed90000);
	scope(VTD_SCOPE_ENDPOINT, 0, PATH(1, 0));
	t.bytes[t.entry + 17] = 0;
	refused();
	t.bytes[t.entry + 17] = 7;
	refused();
	t.bytes[t.entry + 17] = 10;
	refused();
}

/* Wherever the table ends, and whatever length it claims. */
static void test_cut(void **state)
{
	unsigned int bytes, whole;
	struct vtd_dmar *dmar;
	const char *why;

	build_rich();
	whole = t.len;
	for (bytes = 0; bytes < whole; bytes++) {
		assert_int_equal(parse(bytes, &dmar, &why), -EINVAL);
		put(4, bytes, 4);
		if (!parse(bytes, &dmar, &why)) {
			assert_true(dmar->nr_entries <= 6);
			vtd_dmar_free(dmar);
		}
		put(4, whole, 4);
	}
}

/* Any bytes wrong: it is parsed or refused, and what comes out can be used. */
static void test_random(void **state)
{
	struct vtd_hop hops[3] = { { 2, 0 }, { 1, 8 }, { 0, 0xe0 } };
	unsigned int i, j, round;
	struct vtd_dmar *dmar;
	const char *why;

	for (round = 0; round < 20000; round++) {
		build_rich();
		for (i = shim_random_below(6); i != ~0u; i--)
			t.bytes[36 + shim_random_below(t.len - 36)] =
				shim_random_below(4) ? shim_random() :
				shim_random_below(20);
		if (parse(t.len, &dmar, &why))
			continue;
		for (i = 0; i < dmar->nr_entries; i++)
			for (j = 0; j < dmar->entries[i].nr_scopes; j++)
				vtd_scope_matches(&dmar->entries[i].scopes[j],
						  hops, 3);
		vtd_dmar_find_unit(dmar, 0, hops, 1 + round % 3);
		vtd_dmar_free(dmar);
	}
}

static void test_no_memory(void **state)
{
	struct vtd_dmar *dmar;
	const char *why;
	unsigned int n;

	build_rich();
	for (n = 1;; n++) {
		int rc;

		shim_fail_nth(n);
		rc = parse(t.len, &dmar, &why);
		if (!shim_fail_fired())
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(n, 5);
	vtd_dmar_free(dmar);
}

static void test_scope(void **state)
{
	/* 03:00.1 below 01:02.0 below the root port 00:1c.0 */
	const struct vtd_hop deep[] = { { 3, 1 }, { 1, 0x10 }, { 0, 0xe0 } };
	const u8 steps[] = { 0x1c, 0, 2, 0, 0, 1 };
	struct vtd_scope s = { .type = VTD_SCOPE_ENDPOINT, .steps = steps };

	s.nr_steps = 3;
	assert_true(vtd_scope_matches(&s, deep, 3));
	s.type = VTD_SCOPE_BRIDGE;
	assert_true(vtd_scope_matches(&s, deep, 3));
	s.nr_steps = 2;
	assert_true(vtd_scope_matches(&s, deep, 3));
	s.nr_steps = 1;
	assert_true(vtd_scope_matches(&s, deep, 3));
	assert_true(vtd_scope_matches(&s, deep + 2, 1));
	/* An endpoint is the device itself and nothing below it. */
	s.type = VTD_SCOPE_ENDPOINT;
	assert_false(vtd_scope_matches(&s, deep, 3));
	assert_true(vtd_scope_matches(&s, deep + 2, 1));
	/* Another bus */
	s.start_bus = 1;
	assert_false(vtd_scope_matches(&s, deep + 2, 1));
	/* A path that is longer than the way up */
	s.start_bus = 0;
	s.nr_steps = 3;
	assert_false(vtd_scope_matches(&s, deep + 1, 2));
	assert_false(vtd_scope_matches(&s, deep + 2, 1));
	s.nr_steps = 0;
	assert_false(vtd_scope_matches(&s, deep, 3));
	/* Not PCI */
	s.nr_steps = 1;
	s.type = VTD_SCOPE_NAMESPACE;
	assert_false(vtd_scope_matches(&s, deep + 2, 1));
}

static void test_find_unit(void **state)
{
	const struct vtd_hop graphics = { 0, 0x10 }, other = { 0, 0x18 };
	const struct vtd_hop below[] = { { 4, 0 }, { 0, 0xe0 } };
	struct vtd_dmar *dmar;
	const char *why;

	build_rich();
	assert_int_equal(parse(t.len, &dmar, &why), 0);
	assert_ptr_equal(vtd_dmar_find_unit(dmar, 0, &graphics, 1),
			 &dmar->entries[0]);
	assert_ptr_equal(vtd_dmar_find_unit(dmar, 0, &other, 1),
			 &dmar->entries[1]);
	assert_ptr_equal(vtd_dmar_find_unit(dmar, 0, below, 2),
			 &dmar->entries[1]);
	assert_ptr_equal(vtd_dmar_find_unit(dmar, 1, &graphics, 1),
			 &dmar->entries[2]);
	assert_null(vtd_dmar_find_unit(dmar, 2, &graphics, 1));
	assert_true(vtd_dmar_in_scope(&dmar->entries[3], 0, &graphics, 1));
	assert_false(vtd_dmar_in_scope(&dmar->entries[3], 0, &other, 1));
	assert_true(vtd_dmar_in_scope(&dmar->entries[4], 0, below, 2));
	assert_false(vtd_dmar_in_scope(&dmar->entries[4], 1, below, 2));
	vtd_dmar_free(dmar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(test_good),
		shim_test(test_register_size),
		shim_test(test_refused),
		shim_test(test_cut),
		shim_test(test_random),
		shim_test(test_no_memory),
		shim_test(test_scope),
		shim_test(test_find_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
