/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A JSON writer. Writing is a hundred lines and needs no dependency; the tool
 * never reads any.
 *
 * What it writes is well-formed by construction: it places the commas, and text
 * of any bytes becomes a valid string. Numbers of 64 bits that are addresses or
 * register values are written as strings "0x...", because many readers keep
 * numbers as floating point.
 */
#ifndef IOMMUCTL_JSON_H
#define IOMMUCTL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct json - a document that is being written
 * @out: where to
 * @comma: the next value is not the first of its object or array
 * @pretty: on lines of their own, indented
 * @depth: open objects and arrays
 */
struct json {
	FILE *out;
	bool comma;
	bool pretty;
	int depth;
};

/* @key is NULL for elements of arrays, and for the document itself. */

/** json_begin() - open an object ('{') or an array ('[') */
void json_begin(struct json *json, const char *key, char bracket);

/** json_end() - close it with '}' or ']'; the last one ends the line */
void json_end(struct json *json, char bracket);

/** json_string() - text; NULL is written as null */
void json_string(struct json *json, const char *key, const char *value);

/** json_number() - a number */
void json_number(struct json *json, const char *key, uint64_t value);

/** json_hex() - a 64-bit value as the string "0x..." */
void json_hex(struct json *json, const char *key, uint64_t value);

/** json_bool() - true or false */
void json_bool(struct json *json, const char *key, bool value);

#endif /* IOMMUCTL_JSON_H */
