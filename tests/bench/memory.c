// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory for the cases, looked at through /proc/self/pagemap.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bench.h"

#define HUGE_PAGE	MIB(2)

static uint64_t *frame_numbers(const void *memory, size_t pages)
{
	uint64_t *frames = malloc(pages * sizeof(*frames));
	int fd = open("/proc/self/pagemap", O_RDONLY);
	ssize_t want = pages * sizeof(*frames);
	size_t i;

	if (fd < 0 || !frames ||
	    pread(fd, frames, want, (uintptr_t)memory / PAGE * sizeof(*frames)) != want)
		die("/proc/self/pagemap");
	close(fd);
	for (i = 0; i < pages; i++) {
		if (!(frames[i] >> 63))
			die("page %zu is not in memory", i);
		frames[i] &= (1ULL << 55) - 1;
	}
	return frames;
}

static void check_scattered(const void *memory, size_t pages)
{
	uint64_t *frames = frame_numbers(memory, pages);
	size_t i, neighbours = 0;

	for (i = 1; i < pages; i++)
		neighbours += frames[i] == frames[i - 1] + 1;
	free(frames);
	printf("%zu pages, %zu of them follow the one before\n", pages, neighbours);
	if (neighbours > pages / 100)
		die("memory is not scattered");
}

static void check_huge(const void *memory, size_t pages)
{
	uint64_t *frames = frame_numbers(memory, pages);
	const size_t in_huge = HUGE_PAGE / PAGE;
	size_t i;

	for (i = 0; i < pages; i++)
		if (i % in_huge ? frames[i] != frames[i - 1] + 1 : frames[i] % in_huge)
			die("page %zu is not part of a huge page", i);
	free(frames);
	printf("%zu pages in %zu huge pages\n", pages, pages / in_huge);
}

static char *anonymous(size_t bytes, int flags)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap of %zu bytes", bytes);
	return memory;
}

/* The kernel hands out free pages in order, so ask for them in disorder. */
void *memory_scattered(size_t bytes)
{
	char *memory = anonymous(bytes, 0);
	size_t i, pages = bytes / PAGE;
	uint32_t *order = malloc(pages * sizeof(*order));

	if (!order || madvise(memory, bytes, MADV_NOHUGEPAGE))
		die("memory_scattered");
	for (i = 0; i < pages; i++) {
		size_t other = pseudo_random() % (i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	for (i = 0; i < pages; i++)
		memory[order[i] * PAGE] = 1;
	free(order);
	check_scattered(memory, pages);
	return memory;
}

void *memory_thp(size_t bytes)
{
	char *all = anonymous(bytes + HUGE_PAGE, 0);
	size_t before = -(uintptr_t)all % HUGE_PAGE;
	char *memory = all + before;

	if (before)
		munmap(all, before);
	munmap(memory + bytes, HUGE_PAGE - before);
	if (madvise(memory, bytes, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE");
	memset(memory, 1, bytes);
	check_huge(memory, bytes / PAGE);
	return memory;
}

void *memory_hugetlb(size_t bytes)
{
	char *memory = anonymous(bytes, MAP_HUGETLB | MAP_POPULATE);

	check_huge(memory, bytes / PAGE);
	return memory;
}

void memory_free(void *memory, size_t bytes)
{
	munmap(memory, bytes);
}

/*
 * The counts of what the page allocator gave out and took back, which unlike the
 * amount of free memory do not depend on what its caches hold.
 */
int64_t kernel_pages_used(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	unsigned long long value;
	int64_t used = 0;
	char name[64];

	if (!file)
		die("/proc/vmstat");
	while (fscanf(file, "%63s %llu", name, &value) == 2) {
		if (!strncmp(name, "pgalloc_", 8))
			used += value;
		else if (!strcmp(name, "pgfree"))
			used -= value;
	}
	fclose(file);
	return used;
}
