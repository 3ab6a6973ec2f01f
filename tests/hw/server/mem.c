// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest's memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "mem.h"

/* A file of the VMM, mapped whole. */
struct mem_file {
	dev_t dev;
	ino_t ino;
	uint8_t *host;
	uint64_t bytes;
	unsigned int users;
	struct mem_file *next;
};

static struct mem_file *files;

static struct mem_file *file_get(int fd)
{
	struct mem_file *file;
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	for (file = files; file; file = file->next) {
		if (file->dev == st.st_dev && file->ino == st.st_ino) {
			file->users++;
			return file;
		}
	}
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->bytes = (uint64_t)st.st_size;
	file->users = 1;
	file->host = mmap(NULL, file->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, 0);
	if (file->host == MAP_FAILED) {
		free(file);
		return NULL;
	}
	file->next = files;
	files = file;
	return file;
}

static void file_put(struct mem_file *file)
{
	struct mem_file **at;

	if (!file || --file->users)
		return;
	for (at = &files; *at != file; at = &(*at)->next)
		;
	*at = file->next;
	munmap(file->host, file->bytes);
	free(file);
}

int mem_map(struct mem *mem, uint64_t start, uint64_t bytes, int fd,
	    uint64_t offset, bool writable)
{
	struct mem_range *range;
	unsigned int i;

	if (!bytes || start + bytes - 1 < start)
		return -EINVAL;
	if (mem->n == MEM_MAX_RANGES)
		return -ENOSPC;
	for (i = 0; i < mem->n; i++)
		if (start <= mem->ranges[i].start + mem->ranges[i].bytes - 1 &&
		    mem->ranges[i].start <= start + bytes - 1)
			return -EEXIST;
	range = &mem->ranges[mem->n];
	*range = (struct mem_range) {
		.start = start, .bytes = bytes, .writable = writable,
	};
	if (fd >= 0) {
		range->file = file_get(fd);
		if (!range->file)
			return -errno;
		if (offset > range->file->bytes ||
		    bytes > range->file->bytes - offset) {
			file_put(range->file);
			return -EINVAL;
		}
		range->host = range->file->host + offset;
	}
	mem->n++;
	return 0;
}

void mem_unmap(struct mem *mem, uint64_t start, uint64_t bytes)
{
	unsigned int i = 0;

	while (i < mem->n) {
		struct mem_range *range = &mem->ranges[i];

		if (range->start >= start && range->bytes <= bytes &&
		    range->start - start <= bytes - range->bytes) {
			file_put(range->file);
			*range = mem->ranges[--mem->n];
		} else {
			i++;
		}
	}
}

void mem_unmap_all(struct mem *mem)
{
	while (mem->n)
		file_put(mem->ranges[--mem->n].file);
}

void *mem_at(const struct mem *mem, uint64_t pa, uint64_t bytes, bool write)
{
	unsigned int i;

	for (i = 0; i < mem->n; i++) {
		const struct mem_range *range = &mem->ranges[i];

		if (pa < range->start || pa - range->start >= range->bytes)
			continue;
		if (bytes > range->bytes - (pa - range->start) || !range->host ||
		    (write && !range->writable))
			return NULL;
		return range->host + (pa - range->start);
	}
	return NULL;
}
