// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "iommuctl.h"

int say_error(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("iommuctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return STATUS_FAILED;
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		exit(say_error("out of memory"));
	return text;
}

void *xgrow(void *array, size_t count, size_t size)
{
	/* Full at every power of two. */
	if (count & (count - 1))
		return array;
	array = reallocarray(array, count ? 2 * count : 1, size);
	if (!array)
		exit(say_error("out of memory"));
	return array;
}
