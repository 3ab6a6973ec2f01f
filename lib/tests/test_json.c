// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The JSON writer and the numbers for people.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "iommuctl/json.h"
#include "iommuctl/pci.h"

static char *text;
static size_t len;

static void begin(struct json *json, bool pretty)
{
	*json = (struct json) {
		.out = open_memstream(&text, &len),
		.pretty = pretty,
	};
}

static void end(struct json *json, const char *want)
{
	fclose(json->out);
	assert_string_equal(text, want);
	free(text);
}

static void test_document(void **state)
{
	struct json json;

	(void)state;
	begin(&json, false);
	json_begin(&json, NULL, '{');
	json_string(&json, "a", "b");
	json_string(&json, "n", NULL);
	json_begin(&json, "list", '[');
	json_number(&json, NULL, 0);
	json_hex(&json, NULL, UINT64_MAX);
	json_bool(&json, NULL, true);
	json_begin(&json, NULL, '{');
	json_end(&json, '}');
	json_begin(&json, NULL, '[');
	json_end(&json, ']');
	json_end(&json, ']');
	json_number(&json, "after", UINT64_MAX);
	json_end(&json, '}');
	end(&json, "{\"a\":\"b\",\"n\":null,\"list\":[0,\"0xffffffffffffffff\",true,{},[]],\"after\":18446744073709551615}\n");

	begin(&json, true);
	json_begin(&json, NULL, '{');
	json_number(&json, "a", 1);
	json_begin(&json, "b", '[');
	json_number(&json, NULL, 2);
	json_end(&json, ']');
	json_begin(&json, "c", '[');
	json_end(&json, ']');
	json_end(&json, '}');
	end(&json, "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ],\n  \"c\": []\n}\n");
}

/* A program's name can be any bytes. */
static void test_escapes(void **state)
{
	struct json json;

	(void)state;
	begin(&json, false);
	json_begin(&json, NULL, '[');
	json_string(&json, NULL, "\"\\/\n\t\x01\x7f\xff\xc3\xa9");
	json_end(&json, ']');
	end(&json, "[\"\\\"\\\\/\\u000a\\u0009\\u0001\\u007f\\u00ff\\u00c3\\u00a9\"]\n");
}

static void check_bytes(uint64_t bytes, const char *want)
{
	char out[32];

	format_bytes(bytes, out, sizeof(out));
	assert_string_equal(out, want);
}

static void test_formats(void **state)
{
	char out[128];

	(void)state;
	check_bytes(0, "0 B");
	check_bytes(1023, "1023 B");
	check_bytes(4096, "4.0 KiB");
	check_bytes(1536 << 10, "1.5 MiB");
	check_bytes(512ull << 20, "512 MiB");
	check_bytes(UINT64_MAX, "16.0 EiB");
	format_page_sizes(0x40201000, out, sizeof(out));
	assert_string_equal(out, "4K 2M 1G");
	format_page_sizes(0, out, sizeof(out));
	assert_string_equal(out, "");
	format_page_sizes(UINT64_MAX, out, sizeof(out));
	/* Too much for a short one, which must not overflow. */
	format_page_sizes(UINT64_MAX, out, 10);
	assert_int_equal(strlen(out), 9);
}

static void test_unit(void **state)
{
	/* What QEMU's unit says of itself. */
	struct unit unit = { .cap = 0xd2008c222f0686, .ecap = 0x480080f00fce };
	char out[128];

	(void)state;
	assert_int_equal(unit_addr_width(&unit), 48);
	assert_int_equal(unit_pasid_width(&unit), 0);
	assert_true(unit_remaps_interrupts(&unit));
	unit_features(&unit, out, sizeof(out));
	assert_non_null(strstr(out, "scalable"));
	assert_null(strstr(out, "nesting"));
	unit_features(&unit, out, 12);
	assert_int_equal(strlen(out), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
