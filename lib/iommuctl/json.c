// SPDX-License-Identifier: LGPL-2.1-or-later
#include <inttypes.h>

#include "json.h"

static void put_string(struct json *json, const char *value)
{
	const unsigned char *c;

	fputc('"', json->out);
	for (c = (const unsigned char *)value; *c; c++) {
		/* Bytes of unknown encoding are taken for Latin-1. */
		if (*c == '"' || *c == '\\')
			fprintf(json->out, "\\%c", *c);
		else if (*c < ' ' || *c > '~')
			fprintf(json->out, "\\u%04x", *c);
		else
			fputc(*c, json->out);
	}
	fputc('"', json->out);
}

static void new_line(struct json *json)
{
	if (json->pretty)
		fprintf(json->out, "\n%*s", 2 * json->depth, "");
}

/* What comes before every value. */
static void lead_in(struct json *json, const char *key)
{
	if (json->comma)
		fputc(',', json->out);
	if (json->depth)
		new_line(json);
	if (key) {
		put_string(json, key);
		fputs(json->pretty ? ": " : ":", json->out);
	}
	json->comma = true;
}

void json_begin(struct json *json, const char *key, char bracket)
{
	lead_in(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->comma = false;
}

void json_end(struct json *json, char bracket)
{
	json->depth--;
	if (json->comma)
		new_line(json);
	fputc(bracket, json->out);
	json->comma = json->depth;
	if (!json->depth)
		fputc('\n', json->out);
}

void json_string(struct json *json, const char *key, const char *value)
{
	lead_in(json, key);
	if (value)
		put_string(json, value);
	else
		fputs("null", json->out);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	lead_in(json, key);
	fprintf(json->out, "%" PRIu64, value);
}

void json_hex(struct json *json, const char *key, uint64_t value)
{
	lead_in(json, key);
	fprintf(json->out, "\"%#" PRIx64 "\"", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	lead_in(json, key);
	fputs(value ? "true" : "false", json->out);
}
