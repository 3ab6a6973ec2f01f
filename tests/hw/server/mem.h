/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's memory, as one function's bus sees it: ranges of physical
 * addresses, each a part of a file that the VMM handed over.
 */
#ifndef HW_MEM_H
#define HW_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_MAX_RANGES	64

/**
 * struct mem_range - one range of physical addresses
 * @start: first address
 * @bytes: length; the range does not wrap
 * @host: where it is here, NULL when it has no file (ROM of the VMM's own)
 * @writable: stores are allowed
 * @file: the mapped file that @host is in
 */
struct mem_range {
	uint64_t start;
	uint64_t bytes;
	uint8_t *host;
	bool writable;
	struct mem_file *file;
};

/**
 * struct mem - a bus's view of memory
 * @ranges: the ranges, in no order, not overlapping
 * @n: how many
 */
struct mem {
	struct mem_range ranges[MEM_MAX_RANGES];
	unsigned int n;
};

/**
 * mem_map() - add a range
 * @mem: the view
 * @start: first physical address
 * @bytes: length
 * @fd: file that backs it, or -1; stays the caller's
 * @offset: into the file
 * @writable: stores are allowed
 *
 * A file is mapped once, whole, however many ranges of however many views are in
 * it: that is what keeps all functions of a machine coherent.
 *
 * Return: 0 or -errno.
 */
int mem_map(struct mem *mem, uint64_t start, uint64_t bytes, int fd,
	    uint64_t offset, bool writable);

/**
 * mem_unmap() - remove the ranges that are wholly inside one
 * @mem: the view
 * @start: first physical address
 * @bytes: length
 */
void mem_unmap(struct mem *mem, uint64_t start, uint64_t bytes);

/** mem_unmap_all() - remove every range of @mem */
void mem_unmap_all(struct mem *mem);

/**
 * mem_at() - where physical memory is here
 * @mem: the view
 * @pa: physical address
 * @bytes: length, at least 1
 * @write: it is to be stored to
 *
 * Return: NULL when not all of it is memory of one range, or may not be written.
 */
void *mem_at(const struct mem *mem, uint64_t pa, uint64_t bytes, bool write);

#endif /* HW_MEM_H */
