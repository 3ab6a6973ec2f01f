// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writing VT-d first-stage tables (VT-d specification, "First-Stage Paging
 * Entries"; the same bits as in the processor's page tables).
 *
 * Hardware may read, and mark, any entry at any time: entries are single stores
 * of 64 bits, a page of the table is complete before an entry points at it, and
 * pages are never given back, for a device may have cached where they are.
 *
 * The memory can be written by a device as well, by intent or astray. So nothing
 * in it is believed: what the table says is kept in a copy that nobody else has.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "priv.h"

#define S1_P		(1ull << 0)
#define S1_RW		(1ull << 1)
#define S1_US		(1ull << 2)
#define S1_A		(1ull << 5)
#define S1_D		(1ull << 6)
#define S1_PS		(1ull << 7)
#define S1_ADDR		0x000ffffffffff000ull

#define PAGE		4096ull
#define ENTRIES		512u
#define ADDR_BITS	52

/**
 * struct iommu_vtd_s1 - a table that is being written
 * @ctx: for error texts
 * @memory: its pages, the first of which is its root; only ever written, but
 *	for the marks of hardware
 * @copy: the same, without marks
 * @addr: where the parent has them
 * @nr_pages: how many there are
 * @used: how many are in use
 * @levels: 4 or 5
 * @max_leaf: level of the largest leaves to use: 1, 2 or 3
 * @no_2m: 1 GiB and 4 KiB, but not 2 MiB
 * @write_back: IOMMU_VTD_S1_WRITE_BACK
 */
struct iommu_vtd_s1 {
	struct iommu_ctx *ctx;
	uint64_t *memory;
	uint64_t *copy;
	uint64_t addr;
	size_t nr_pages;
	size_t used;
	unsigned int levels;
	unsigned int max_leaf;
	bool no_2m;
	bool write_back;
};

/**
 * struct span - addresses that are being mapped or unmapped
 * @first: first address, without the bits above those that are translated
 * @last: last one
 * @to: what @first leads to
 * @bits: of the leaves
 * @pages: pages of the table that are needed
 * @changed_first: first address whose entry has changed
 * @changed_last: last one
 * @any: something has changed
 * @tables: entries that point at tables have changed as well
 */
struct span {
	uint64_t first;
	uint64_t last;
	uint64_t to;
	uint64_t bits;
	size_t pages;
	uint64_t changed_first;
	uint64_t changed_last;
	bool any;
	bool tables;
};

static unsigned int shift_of(unsigned int level)
{
	return 3 + 9 * level;
}

static uint64_t bytes_of(unsigned int level)
{
	return 1ull << shift_of(level);
}

/* The copy of the page at an address of the parent. */
static uint64_t *page_at(const struct iommu_vtd_s1 *table, uint64_t addr)
{
	return table->copy + (addr - table->addr) / sizeof(uint64_t);
}

/* Where hardware sees an entry of the copy. */
static uint64_t *seen(const struct iommu_vtd_s1 *table, const uint64_t *entry)
{
	return table->memory + (entry - table->copy);
}

/* Ordered after stores and other write-backs that come before. */
static void write_back(const void *line)
{
#ifdef __x86_64__
	__builtin_ia32_clflush(line);
#else
	(void)line;
#endif
}

static void store(const struct iommu_vtd_s1 *table, uint64_t *entry,
		  uint64_t value)
{
	*entry = value;
	if (table->write_back && value & S1_P)
		value |= S1_A | (value & S1_RW ? S1_D : 0);
	__atomic_store_n(seen(table, entry), htole64(value), __ATOMIC_RELEASE);
	if (table->write_back)
		write_back(seen(table, entry));
}

/* An empty page, before an entry points at it. */
static void clear_page(const struct iommu_vtd_s1 *table, const uint64_t *page)
{
	char *start = (char *)seen(table, page), *line;

	memset(start, 0, PAGE);
	for (line = start; table->write_back && line < start + PAGE; line += 64)
		write_back(line);
}

static bool is_leaf(uint64_t entry, unsigned int level)
{
	return level == 1 || entry & S1_PS;
}

static uint64_t leaf_addr(uint64_t entry, unsigned int level)
{
	return entry & S1_ADDR & ~(bytes_of(level) - 1);
}

/* May [at, at + one entry's reach) become one leaf? */
static bool leaf_fits(const struct iommu_vtd_s1 *table, const struct span *span,
		      uint64_t at, unsigned int level)
{
	uint64_t bytes = bytes_of(level);

	if (level > table->max_leaf || (level == 2 && table->no_2m))
		return false;
	return at >= span->first && at + (bytes - 1) <= span->last &&
	       !((span->to + (at - span->first)) & (bytes - 1));
}

/* Indices of the entries of a page from @base on that [first, last] meets. */
static void indices(const struct span *span, uint64_t base, unsigned int level,
		    unsigned int *first, unsigned int *last)
{
	uint64_t end = base + (uint64_t)(ENTRIES - 1) * bytes_of(level);

	*first = span->first > base ?
		 (unsigned int)((span->first - base) >> shift_of(level)) : 0;
	*last = span->last < end ?
		(unsigned int)((span->last - base) >> shift_of(level)) : ENTRIES - 1;
}

/*
 * Is the range free, and how many pages does it take? @page is NULL where there
 * is none yet.
 */
static int check_free(const struct iommu_vtd_s1 *table, struct span *span,
		      const uint64_t *page, uint64_t base, unsigned int level)
{
	unsigned int i, last;
	int rc;

	indices(span, base, level, &i, &last);
	for (; i <= last; i++) {
		uint64_t at = base + (uint64_t)i * bytes_of(level);
		uint64_t entry = page ? page[i] : 0;

		if (entry & S1_P && is_leaf(entry, level))
			return -EEXIST;
		if (level == 1)
			continue;
		if (!(entry & S1_P)) {
			if (leaf_fits(table, span, at, level))
				continue;
			/* What is more is certainly too much. */
			if (++span->pages > table->nr_pages - table->used)
				return -ENOSPC;
		}
		rc = check_free(table, span,
				entry & S1_P ? page_at(table, entry & S1_ADDR) : NULL,
				at, level - 1);
		if (rc)
			return rc;
	}
	return 0;
}

static void note_change(struct span *span, uint64_t at, uint64_t bytes)
{
	if (!span->any)
		span->changed_first = at;
	span->changed_last = at + (bytes - 1);
	span->any = true;
}

/* The range is free, and there are pages enough. */
static void fill(struct iommu_vtd_s1 *table, struct span *span, uint64_t *page,
		 uint64_t base, unsigned int level)
{
	unsigned int i, last;

	indices(span, base, level, &i, &last);
	for (; i <= last; i++) {
		uint64_t at = base + (uint64_t)i * bytes_of(level);
		uint64_t entry = page[i], below;

		if (!(entry & S1_P) && leaf_fits(table, span, at, level)) {
			entry = (span->to + (at - span->first)) | span->bits;
			store(table, &page[i], entry | (level > 1 ? S1_PS : 0));
			note_change(span, at, bytes_of(level));
			continue;
		}
		if (entry & S1_P) {
			fill(table, span, page_at(table, entry & S1_ADDR), at,
			     level - 1);
			continue;
		}
		below = table->addr + table->used++ * PAGE;
		clear_page(table, page_at(table, below));
		fill(table, span, page_at(table, below), at, level - 1);
		store(table, &page[i], below | S1_P | S1_RW | S1_US);
		span->tables = true;
	}
}

/* With @clear false only look: does the range cut a leaf? */
static int take_out(struct iommu_vtd_s1 *table, struct span *span, uint64_t *page,
		    uint64_t base, unsigned int level, bool clear)
{
	unsigned int i, last;
	int rc;

	indices(span, base, level, &i, &last);
	for (; i <= last; i++) {
		uint64_t at = base + (uint64_t)i * bytes_of(level);
		uint64_t entry = page[i];

		if (!(entry & S1_P))
			continue;
		if (!is_leaf(entry, level)) {
			rc = take_out(table, span, page_at(table, entry & S1_ADDR),
				      at, level - 1, clear);
			if (rc)
				return rc;
			continue;
		}
		if (at < span->first || at + (bytes_of(level) - 1) > span->last)
			return -EINVAL;
		note_change(span, at, bytes_of(level));
		if (clear)
			store(table, &page[i], 0);
	}
	return 0;
}

int iommu_vtd_s1_new(struct iommu_ctx *ctx, void *memory, uint64_t addr,
		     size_t len, unsigned int levels, uint64_t page_sizes,
		     unsigned int flags, struct iommu_vtd_s1 **out)
{
	const uint64_t known = bytes_of(1) | bytes_of(2) | bytes_of(3);
	struct iommu_vtd_s1 *table;

	if (levels != 4 && levels != 5)
		return iommu_refuse(ctx, EINVAL,
				    "a VT-d first-stage table has 4 or 5 levels, not %u",
				    levels);
	if (!page_sizes)
		page_sizes = bytes_of(1) | bytes_of(2);
	if (page_sizes & ~known || !(page_sizes & bytes_of(1)))
		return iommu_refuse(ctx, EINVAL,
				    "page sizes %#llx: 4 KiB, and besides 2 MiB, 1 GiB or both",
				    (unsigned long long)page_sizes);
	if (flags & ~(unsigned int)IOMMU_VTD_S1_WRITE_BACK)
		return iommu_refuse(ctx, EINVAL, "flags %#x are not known", flags);
	if (((uintptr_t)memory | addr) & (PAGE - 1) || len < PAGE)
		return iommu_refuse(ctx, EINVAL,
				    "a VT-d first-stage table needs whole pages, one at least");
	if (addr >> ADDR_BITS || len > (1ull << ADDR_BITS) - addr)
		return iommu_refuse(ctx, EINVAL,
				    "a VT-d first-stage table is at an address of at most %d bits",
				    ADDR_BITS);
	table = calloc(1, sizeof(*table));
	if (table)
		table->copy = calloc(len / PAGE, PAGE);
	if (!table || !table->copy) {
		free(table);
		return iommu_fail(ctx, ENOMEM, NULL, "VT-d first-stage table");
	}
	table->ctx = ctx;
	table->memory = memory;
	table->addr = addr;
	table->nr_pages = len / PAGE;
	table->used = 1;
	table->levels = levels;
	table->max_leaf = page_sizes & bytes_of(3) ? 3 : page_sizes & bytes_of(2) ? 2 : 1;
	table->no_2m = !(page_sizes & bytes_of(2));
	table->write_back = flags & IOMMU_VTD_S1_WRITE_BACK;
	clear_page(table, table->copy);
	*out = table;
	return 0;
}

void iommu_vtd_s1_free(struct iommu_vtd_s1 *table)
{
	if (table)
		free(table->copy);
	free(table);
}

uint64_t iommu_vtd_s1_addr(const struct iommu_vtd_s1 *table)
{
	return table->addr;
}

/* What is above the bits that are translated repeats the highest of them. */
static uint64_t canonical(const struct iommu_vtd_s1 *table, uint64_t iova)
{
	unsigned int spare = 64 - (12 + 9 * table->levels);

	return (uint64_t)((int64_t)(iova << spare) >> spare);
}

static uint64_t translated(const struct iommu_vtd_s1 *table, uint64_t iova)
{
	return iova & ((1ull << (12 + 9 * table->levels)) - 1);
}

static int span_init(const struct iommu_vtd_s1 *table, struct span *span,
		     uint64_t iova, uint64_t len)
{
	uint64_t last = iova + (len - 1);

	if (!len || (iova | len) & (PAGE - 1))
		return iommu_refuse(table->ctx, EINVAL,
				    "%#llx, %llu bytes: not a multiple of 4096",
				    (unsigned long long)iova,
				    (unsigned long long)len);
	/* Both ends in the same half, too. */
	if (last < iova || (iova ^ last) >> 63 || canonical(table, iova) != iova ||
	    canonical(table, last) != last)
		return iommu_refuse(table->ctx, EINVAL,
				    "%#llx, %llu bytes: not addresses that a table of %u levels translates",
				    (unsigned long long)iova,
				    (unsigned long long)len, table->levels);
	*span = (struct span) {
		.first = translated(table, iova),
		.last = translated(table, last),
	};
	return 0;
}

static void describe(const struct iommu_vtd_s1 *table, const struct span *span,
		     struct iommu_invalidate_entry *change)
{
	if (!change)
		return;
	*change = (struct iommu_invalidate_entry) {
		.flags = span->tables ? 0 : IOMMU_INVALIDATE_LEAF,
		.granularity = IOMMU_INVALIDATE_RANGE,
		.addr = canonical(table, span->changed_first),
		.length = span->changed_last - span->changed_first + 1,
	};
}

int iommu_vtd_s1_map(struct iommu_vtd_s1 *table, uint64_t iova, uint64_t addr,
		     uint64_t len, unsigned int prot,
		     struct iommu_invalidate_entry *change)
{
	uint64_t *root = page_at(table, table->addr);
	struct span span;
	int rc;

	if (!iommu_prot_ok(prot) || !(prot & IOMMU_MAP_READ))
		return iommu_refuse(table->ctx, EINVAL,
				    "access %#x is not IOMMU_MAP_READ, alone or with IOMMU_MAP_WRITE",
				    prot);
	rc = span_init(table, &span, iova, len);
	if (rc)
		return rc;
	if (addr & (PAGE - 1) || addr >> ADDR_BITS ||
	    len > (1ull << ADDR_BITS) - addr)
		return iommu_refuse(table->ctx, EINVAL,
				    "%#llx is not an address of whole pages of at most %d bits",
				    (unsigned long long)addr, ADDR_BITS);
	span.to = addr;
	span.bits = S1_P | S1_US | (prot & IOMMU_MAP_WRITE ? S1_RW : 0);

	rc = check_free(table, &span, root, 0, table->levels);
	if (rc == -EEXIST)
		return iommu_refuse(table->ctx, EEXIST,
				    "something is mapped in the %llu bytes at %#llx",
				    (unsigned long long)len,
				    (unsigned long long)iova);
	if (rc)
		return iommu_refuse(table->ctx, -rc,
				    "the table has %zu pages, which is not enough for %llu bytes more: give it more memory",
				    table->nr_pages, (unsigned long long)len);
	fill(table, &span, root, 0, table->levels);
	describe(table, &span, change);
	return 0;
}

int iommu_vtd_s1_unmap(struct iommu_vtd_s1 *table, uint64_t iova, uint64_t len,
		       struct iommu_invalidate_entry *change)
{
	uint64_t *root = page_at(table, table->addr);
	struct span span;
	int rc;

	rc = span_init(table, &span, iova, len);
	if (rc)
		return rc;
	if (take_out(table, &span, root, 0, table->levels, false))
		return iommu_refuse(table->ctx, EINVAL,
				    "the %llu bytes at %#llx cut a leaf",
				    (unsigned long long)len,
				    (unsigned long long)iova);
	if (!span.any)
		return iommu_refuse(table->ctx, ENOENT,
				    "nothing is mapped in the %llu bytes at %#llx",
				    (unsigned long long)len,
				    (unsigned long long)iova);
	take_out(table, &span, root, 0, table->levels, true);
	describe(table, &span, change);
	return 0;
}

int iommu_vtd_s1_find(const struct iommu_vtd_s1 *table, uint64_t iova,
		      struct iommu_vtd_s1_leaf *leaf)
{
	const uint64_t *entry = NULL, *page = page_at(table, table->addr);
	uint64_t at = translated(table, iova), marks;
	unsigned int level;

	for (level = table->levels; canonical(table, iova) == iova; level--) {
		entry = &page[at >> shift_of(level) & (ENTRIES - 1)];
		if (!(*entry & S1_P) || is_leaf(*entry, level))
			break;
		page = page_at(table, *entry & S1_ADDR);
	}
	if (!entry || !(*entry & S1_P))
		return iommu_refuse(table->ctx, ENOENT,
				    "nothing is mapped at %#llx",
				    (unsigned long long)iova);
	marks = le64toh(__atomic_load_n(seen(table, entry), __ATOMIC_ACQUIRE));
	*leaf = (struct iommu_vtd_s1_leaf) {
		.iova = iova & ~(bytes_of(level) - 1),
		.addr = leaf_addr(*entry, level),
		.len = bytes_of(level),
		.prot = IOMMU_MAP_READ | (*entry & S1_RW ? IOMMU_MAP_WRITE : 0),
		.accessed = !!(marks & S1_A),
		.dirty = !!(marks & S1_D),
	};
	return 0;
}
