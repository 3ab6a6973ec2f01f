// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The cases.
 *
 * The device's configuration space is read at addresses where nothing else reads
 * it, so that a trace of the machine tells what happened in which operation.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "bench.h"

enum mark {
	MARK_CASE = 0xe5,
	MARK_MAP = 0xe1,
	MARK_UNMAP = 0xe2,
	MARK_DONE = 0xe3,
};

#define BASE		0x100000000ULL	/* where mappings start */
#define MANY		65536
#define ONE_ROUNDS	257
#define RANGE_ROUNDS	3

static const struct abi *abi;
static const char *device = "none";
static int config_fd = -1;

static void mark(enum mark what)
{
	char byte;

	if (config_fd >= 0 && pread(config_fd, &byte, 1, what) != 1)
		die("configuration space of %s", device);
}

static uint64_t timed_map(uint64_t iova, void *memory, size_t bytes)
{
	uint64_t start, cost;

	mark(MARK_MAP);
	start = now();
	abi->map(iova, memory, bytes);
	cost = since(start);
	mark(MARK_DONE);
	return cost;
}

static uint64_t timed_unmap(uint64_t iova, uint64_t bytes)
{
	uint64_t start, cost, unmapped;

	mark(MARK_UNMAP);
	start = now();
	unmapped = abi->unmap(iova, bytes);
	cost = since(start);
	mark(MARK_DONE);
	if (!unmapped)
		die("unmap at %#llx found nothing", (unsigned long long)iova);
	return cost;
}

/* Map and unmap a page at what @where chooses, again and again: the median. */
static void one_page(const char *name, uint64_t (*where)(void))
{
	static uint64_t map[ONE_ROUNDS], unmap[ONE_ROUNDS];
	char *memory = memory_scattered(PAGE * ONE_ROUNDS);
	int i;

	for (i = 0; i < ONE_ROUNDS; i++) {
		uint64_t iova = where();

		map[i] = timed_map(iova, memory + i * PAGE, PAGE);
		unmap[i] = timed_unmap(iova, PAGE);
	}
	result(name, "map", 1, median(map, ONE_ROUNDS), ONE_ROUNDS);
	result(name, "unmap", 1, median(unmap, ONE_ROUNDS), ONE_ROUNDS);
	memory_free(memory, PAGE * ONE_ROUNDS);
}

static uint64_t always_base(void)
{
	return BASE;
}

static void case_one(void)
{
	abi->open(device);
	one_page("one", always_base);
	abi->close();
}

/* Mappings one after the other, neighbours of each other, each its own command */
static void case_each(void)
{
	const size_t n = 4096;
	char *memory = memory_scattered(n * PAGE);
	uint64_t start;
	size_t i;

	abi->open(device);
	mark(MARK_MAP);
	start = now();
	for (i = 0; i < n; i++)
		abi->map(BASE + i * PAGE, memory + i * PAGE, PAGE);
	result("each", "map", n, since(start), n);
	mark(MARK_UNMAP);
	start = now();
	for (i = 0; i < n; i++)
		abi->unmap(BASE + i * PAGE, PAGE);
	result("each", "unmap", n, since(start), n);
	mark(MARK_DONE);
	abi->close();
	memory_free(memory, n * PAGE);
}

/* All of @memory with one command, in a new space each time: the median. */
static void one_range(const char *name, char *memory, size_t bytes)
{
	uint64_t map[RANGE_ROUNDS], unmap[RANGE_ROUNDS];
	int i;

	for (i = 0; i < RANGE_ROUNDS; i++) {
		abi->open(device);
		map[i] = timed_map(BASE, memory, bytes);
		unmap[i] = timed_unmap(BASE, bytes);
		abi->close();
	}
	result(name, "map", bytes / PAGE, median(map, RANGE_ROUNDS),
	       RANGE_ROUNDS);
	result(name, "unmap", bytes / PAGE, median(unmap, RANGE_ROUNDS),
	       RANGE_ROUNDS);
	memory_free(memory, bytes);
}

static void case_scattered(void)
{
	one_range("scattered", memory_scattered(MIB(64)), MIB(64));
}

static void case_thp(void)
{
	one_range("thp", memory_thp(MIB(64)), MIB(64));
}

static void case_hugetlb(void)
{
	one_range("hugetlb", memory_hugetlb(MIB(64)), MIB(64));
}

/* Ranges of 4 KiB to 1 MiB from anywhere in scattered memory */
static void case_ranges(void)
{
	enum { N = 256 };
	static size_t pages[N];
	char *memory = memory_scattered(MIB(64));
	uint64_t map = 0, unmap = 0, total = 0;
	size_t i;

	abi->open(device);
	for (i = 0; i < N; i++) {
		size_t from;

		pages[i] = 1 + pseudo_random() % (MIB(1) / PAGE);
		from = pseudo_random() % (MIB(64) / PAGE - pages[i]);
		map += timed_map(BASE + i * MIB(2), memory + from * PAGE,
				 pages[i] * PAGE);
		total += pages[i];
	}
	for (i = 0; i < N; i++)
		unmap += timed_unmap(BASE + i * MIB(2), pages[i] * PAGE);
	abi->close();
	result("ranges", "map", total, map, N);
	result("ranges", "unmap", total, unmap, N);
	memory_free(memory, MIB(64));
}

/*
 * Dense mappings of a page each: the memory they take, and one command that
 * unmaps them all.
 */
static void case_many(void)
{
	char *memory = memory_scattered(MANY * PAGE);
	uint64_t map;
	int64_t used;
	size_t i;

	abi->open(device);
	used = kernel_pages_used();
	mark(MARK_MAP);
	map = now();
	for (i = 0; i < MANY; i++)
		abi->map(BASE + i * PAGE, memory + i * PAGE, PAGE);
	map = since(map);
	mark(MARK_DONE);
	used = kernel_pages_used() - used;
	result("many", "map", MANY, map, MANY);
	result("many", "unmap", MANY, timed_unmap(BASE, MANY * PAGE), 1);
	result("many", "bytes", MANY, used * PAGE, 1);
	abi->close();
	memory_free(memory, MANY * PAGE);
}

static uint64_t random_hole(void)
{
	return BASE + (2 * (pseudo_random() % MANY) + 1) * PAGE;
}

/* One page in a random hole between many others; then close with all of them. */
static void case_among(void)
{
	char *memory = memory_scattered(MANY * PAGE);
	uint64_t start;
	size_t i;

	abi->open(device);
	for (i = 0; i < MANY; i++)
		abi->map(BASE + 2 * i * PAGE, memory + i * PAGE, PAGE);
	one_page("among", random_hole);
	mark(MARK_CASE);
	mark(MARK_UNMAP);
	start = now();
	abi->close();
	result("close", "unmap", MANY, since(start), 1);
	mark(MARK_DONE);
	memory_free(memory, MANY * PAGE);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "one", case_one },
	{ "each", case_each },
	{ "scattered", case_scattered },
	{ "thp", case_thp },
	{ "hugetlb", case_hugetlb },
	{ "ranges", case_ranges },
	{ "many", case_many },
	{ "among", case_among },
};

int bench_main(const struct abi *with, int argc, char **argv)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	char path[128];
	size_t i;

	/*
	 * As those who start virtual machines do it. Otherwise a mapping costs
	 * more once others have reached the default limit: what lifts it, a
	 * capability, is asked for each time.
	 */
	if (setrlimit(RLIMIT_MEMLOCK, &all))
		die("setrlimit");
	abi = with;
	if (argc > 1)
		device = argv[1];
	if (strcmp(device, "none")) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", device);
		config_fd = open(path, O_RDONLY);
		if (config_fd < 0)
			die("%s", path);
	}
	clock_start();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc > 2 && strcmp(argv[2], cases[i].name))
			continue;
		printf("%s: %s\n", abi->name, cases[i].name);
		mark(MARK_CASE);
		cases[i].run();
	}
	return 0;
}
