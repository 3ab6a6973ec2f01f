// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static uint64_t clock_cost;

void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(": %s\n", strerror(error));
	exit(1);
}

uint32_t pseudo_random(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

uint64_t now(void)
{
	return __builtin_ia32_rdtsc();
}

uint64_t since(uint64_t start)
{
	return now() - start - clock_cost;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint64_t median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

void result(const char *name, const char *operation, uint64_t units, int64_t cost,
	    unsigned int commands)
{
	printf("=\t%s\t%s\t%llu\t%lld\t%u\n", name, operation, (unsigned long long)units,
	       (long long)cost, commands);
}

void clock_start(void)
{
	uint64_t cost[15];
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(cost) / sizeof(cost[0]); i++) {
		uint64_t start = now();

		cost[i] = since(start);
	}
	clock_cost = median(cost, sizeof(cost) / sizeof(cost[0]));
}
