// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second-level I/O page tables. The interface and the states of an entry are
 * described in sl.h.
 *
 * Invariants, whenever no function of this file runs:
 *
 * - page_private() of a table page is the number of its entries that are not 0.
 *   nr_empty counts the pages below the root where it is 0; such a page stays
 *   linked until sl_trim().
 * - Only sl_trim() unlinks a table page. A slot that holds one, even an empty
 *   one, gets smaller leaves: a large leaf in its place could be trusted only
 *   after hardware has forgotten the slot, and mapping does not flush.
 * - The entries that have been written and not been written back are within
 *   [dirty_lo, dirty_hi), and only sl_map() leaves any. They lie in table pages
 *   that are linked.
 * - cur[] refers to linked table pages.
 *
 * Levels count from 1 (leaves of 4 KiB) to sl->levels (the root).
 */
#include <linux/align.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <asm/cacheflush.h>
#include "hw/pt/sl.h"

#define SL_ENTRIES	512
#define SL_PERM_MASK	(SL_WAS_READ | SL_WAS_WRITE)
#define SL_LINE_BYTES	64

/* log2 of the bytes that one entry of @level translates */
static inline unsigned int sl_shift(unsigned int level)
{
	return 3 + 9 * level;
}

static inline u64 sl_size(unsigned int level)
{
	return 1ULL << sl_shift(level);
}

static inline unsigned int sl_index(u64 iova, unsigned int level)
{
	return (iova >> sl_shift(level)) % SL_ENTRIES;
}

/* The slot of a table page of @level after the one for @last. */
static inline unsigned int sl_stop(u64 iova, u64 last, unsigned int level)
{
	if ((iova ^ last) >> sl_shift(level + 1))
		return SL_ENTRIES;
	return sl_index(last, level) + 1;
}

/* Is entry @e of @level, which is not 0, a pointer to a table page? */
static inline bool sl_is_table(u64 e, unsigned int level)
{
	return level > 1 && !(e & SL_LEAF);
}

static inline u64 *sl_child(u64 e)
{
	return phys_to_virt(e & SL_ADDR_MASK);
}

static inline unsigned long sl_used(const u64 *table)
{
	return page_private(virt_to_page(table));
}

/* @n entries of @table became used. */
static inline void sl_add_used(struct sl_table *sl, u64 *table, unsigned int n)
{
	struct page *page = virt_to_page(table);
	unsigned long used = page_private(page);

	set_page_private(page, used + n);
	if (!used && table != sl->root)
		sl->nr_empty--;
}

/* @n entries of @table became empty. */
static inline void sl_sub_used(struct sl_table *sl, u64 *table, unsigned int n)
{
	struct page *page = virt_to_page(table);
	unsigned long used = page_private(page) - n;

	set_page_private(page, used);
	if (!used && table != sl->root)
		sl->nr_empty++;
}

static inline void sl_set_cur(struct sl_table *sl, u64 *table, u64 iova,
			      unsigned int level)
{
	if (level <= ARRAY_SIZE(sl->cur)) {
		sl->cur[level - 1].table = table;
		sl->cur[level - 1].index = iova >> sl_shift(level + 1);
	}
}

static void sl_forget_cur(struct sl_table *sl)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sl->cur); i++)
		sl->cur[i].index = SL_NO_INDEX;
}

/* The known table page nearest to the leaf for @iova, not below *@level. */
static inline u64 *sl_start(const struct sl_table *sl, u64 iova,
			    unsigned int *level)
{
	unsigned int l;

	for (l = *level; l <= ARRAY_SIZE(sl->cur); l++) {
		if (sl->cur[l - 1].index == iova >> sl_shift(l + 1)) {
			*level = l;
			return sl->cur[l - 1].table;
		}
	}
	*level = sl->levels;
	return sl->root;
}

static void sl_write_back(const struct sl_table *sl, u64 *lo, u64 *hi)
{
	if (sl->noncoherent)
		clflush_cache_range(lo, (hi - lo) * sizeof(*lo));
}

/*
 * sl_map() has written [lo, hi). What touches the lines that are to be written
 * back already joins them, so that a line is written back once however few
 * entries a call writes; anything else takes their place.
 */
static noinline void sl_dirty_elsewhere(struct sl_table *sl, u64 *lo, u64 *hi)
{
	if (sl->dirty_lo &&
	    hi > PTR_ALIGN_DOWN(sl->dirty_lo, SL_LINE_BYTES) &&
	    lo < PTR_ALIGN(sl->dirty_hi, SL_LINE_BYTES)) {
		sl->dirty_lo = min(sl->dirty_lo, lo);
		sl->dirty_hi = max(sl->dirty_hi, hi);
		return;
	}
	sl_sync(sl);
	sl->dirty_lo = lo;
	sl->dirty_hi = hi;
}

static inline void sl_dirty(struct sl_table *sl, u64 *lo, u64 *hi)
{
	if (!sl->noncoherent)
		return;
	if (lo == sl->dirty_hi)
		sl->dirty_hi = hi;
	else
		sl_dirty_elsewhere(sl, lo, hi);
}

void sl_sync(struct sl_table *sl)
{
	if (!sl->dirty_lo)
		return;
	sl_write_back(sl, sl->dirty_lo, sl->dirty_hi);
	sl->dirty_lo = NULL;
	sl->dirty_hi = NULL;
}
EXPORT_SYMBOL_GPL(sl_sync);

/* A table page in which hardware finds nothing, linked from nowhere. */
static u64 *sl_alloc_table(struct sl_table *sl)
{
	struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	u64 *table;

	if (!page)
		return NULL;
	set_page_private(page, 0);
	table = page_address(page);
	sl_write_back(sl, table, table + SL_ENTRIES);
	sl->nr_tables++;
	return table;
}

static void sl_free_table(u64 *table)
{
	set_page_private(virt_to_page(table), 0);
	free_page((unsigned long)table);
}

int sl_init(struct sl_table *sl, unsigned int levels,
	    unsigned int max_leaf_level, bool noncoherent, u64 leaf_bits)
{
	memset(sl, 0, sizeof(*sl));
	sl->levels = levels;
	sl->max_leaf_level = max_leaf_level;
	sl->noncoherent = noncoherent;
	sl->leaf_bits = leaf_bits;
	sl_forget_cur(sl);
	sl->root = sl_alloc_table(sl);
	return sl->root ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_GPL(sl_init);

static void sl_destroy_below(u64 *table, unsigned int level)
{
	unsigned long used = sl_used(table);
	u64 *pte;

	for (pte = table; level > 1 && used; pte++) {
		if (!*pte)
			continue;
		used--;
		if (sl_is_table(*pte, level))
			sl_destroy_below(sl_child(*pte), level - 1);
	}
	sl_free_table(table);
	if (level > 1)
		cond_resched();
}

void sl_destroy(struct sl_table *sl)
{
	if (sl->root)
		sl_destroy_below(sl->root, sl->levels);
	memset(sl, 0, sizeof(*sl));
	sl_forget_cur(sl);
}
EXPORT_SYMBOL_GPL(sl_destroy);

/*
 * The table page for the leaf of *@level at @iova, made as needed. Where the
 * slot for that leaf holds a table page, the page below and its level instead.
 */
static u64 *sl_walk_alloc(struct sl_table *sl, u64 iova, unsigned int *level)
{
	unsigned int want = *level;
	u64 *table = sl_start(sl, iova, level);
	u64 *pte, *child;

	for (;;) {
		sl_set_cur(sl, table, iova, *level);
		pte = table + sl_index(iova, *level);
		if (*pte) {
			/* At @want a leaf in the way is the caller's to find. */
			if (!sl_is_table(*pte, *level))
				return *level > want ? ERR_PTR(-EEXIST) : table;
			child = sl_child(*pte);
		} else {
			if (*level <= want)
				return table;
			child = sl_alloc_table(sl);
			if (!child)
				return ERR_PTR(-ENOMEM);
			sl->nr_empty++;
			WRITE_ONCE(*pte, virt_to_phys(child) | SL_RW);
			sl_write_back(sl, pte, pte + 1);
			sl_add_used(sl, table, 1);
		}
		table = child;
		--*level;
	}
}

/* Write @n leaves from @pte on, up to one that is used: how many were written */
static inline unsigned int sl_fill(u64 *pte, unsigned int n, u64 e, u64 step)
{
	unsigned int i;

	for (i = 0; i < n && !pte[i]; i++, e += step)
		WRITE_ONCE(pte[i], e);
	return i;
}

/* What a leaf of any level has besides address and SL_LEAF */
static inline u64 sl_leaf_bits(const struct sl_table *sl, unsigned int prot)
{
	return sl->leaf_bits | prot | (u64)prot << SL_WAS_SHIFT;
}

static noinline int sl_map_run(struct sl_table *sl, u64 iova, phys_addr_t phys,
			       size_t bytes, unsigned int prot)
{
	u64 bits = sl_leaf_bits(sl, prot);

	if (WARN_ON_ONCE(iova + bytes - 1 > sl_addr_last(sl->levels)))
		return -EINVAL;

	for (;;) {
		u64 align = iova | phys;
		unsigned int level = 1;
		unsigned int slot, n;
		u64 *table;
		u64 done;

		while (level < sl->max_leaf_level &&
		       bytes >= sl_size(level + 1) &&
		       !(align & (sl_size(level + 1) - 1)))
			level++;

		table = sl_walk_alloc(sl, iova, &level);
		if (IS_ERR(table))
			return PTR_ERR(table);

		slot = sl_index(iova, level);
		n = min_t(size_t, bytes >> sl_shift(level), SL_ENTRIES - slot);
		n = sl_fill(table + slot, n,
			    phys | bits | (level > 1 ? SL_LEAF : 0),
			    sl_size(level));
		if (!n)
			return -EEXIST;
		sl_add_used(sl, table, n);
		sl_dirty(sl, table + slot, table + slot + n);

		done = (u64)n << sl_shift(level);
		bytes -= done;
		if (!bytes)
			return 0;
		iova += done;
		phys += done;
		cond_resched();
	}
}

int sl_map(struct sl_table *sl, u64 iova, phys_addr_t phys, size_t bytes,
	   unsigned int prot)
{
	u64 *table = sl->cur[0].table;
	u64 *pte;

	/* A page next to the one before, which is what scattered memory gives */
	if (bytes != SZ_4K || iova >> sl_shift(2) != sl->cur[0].index)
		return sl_map_run(sl, iova, phys, bytes, prot);

	pte = table + sl_index(iova, 1);
	if (unlikely(*pte))
		return -EEXIST;
	WRITE_ONCE(*pte, phys | sl_leaf_bits(sl, prot));
	sl_add_used(sl, table, 1);
	sl_dirty(sl, pte, pte + 1);
	return 0;
}
EXPORT_SYMBOL_GPL(sl_map);

/*
 * The first used entry at or behind *@iova that is a leaf, NULL if there is none
 * up to @last. *@iova becomes its address (if it lies behind) and *@level its
 * level. What is absent is skipped at the level where it is absent.
 */
static u64 *sl_seek(const struct sl_table *sl, u64 *iova, u64 last,
		    unsigned int *level)
{
	u64 pos = *iova;

	while (pos <= last) {
		unsigned int l = 1;
		u64 *table = sl_start(sl, pos, &l);

		for (;;) {
			unsigned int first = sl_index(pos, l);
			unsigned int stop = sl_stop(pos, last, l);
			unsigned int i = first;
			u64 span;

			while (i < stop && (!table[i] ||
					    (sl_is_table(table[i], l) &&
					     !sl_used(sl_child(table[i])))))
				i++;
			if (i != first) {
				span = sl_size(l + 1) - 1;
				pos = (pos & ~span) + i * sl_size(l);
			}
			if (i == stop)
				break;
			if (!sl_is_table(table[i], l)) {
				*iova = pos;
				*level = l;
				return table + i;
			}
			table = sl_child(table[i]);
			l--;
		}
		cond_resched();
	}
	return NULL;
}

/* The table page that an entry is in */
static inline u64 *sl_table_of(u64 *pte)
{
	return PTR_ALIGN_DOWN(pte, PAGE_SIZE);
}

/* The entry behind the last one of @pte's table page that is not behind @last */
static inline u64 *sl_end(u64 *pte, u64 iova, u64 last, unsigned int level)
{
	return sl_table_of(pte) + sl_stop(iova, last, level);
}

void sl_revoke(struct sl_table *sl, u64 iova, u64 last)
{
	unsigned int level;
	u64 *first;

	last = min(last, sl_addr_last(sl->levels));
	while ((first = sl_seek(sl, &iova, last, &level))) {
		u64 *end = sl_end(first, iova, last, level);
		u64 *written = first;
		u64 *pte;

		sl_set_cur(sl, sl_table_of(first), iova, level);
		for (pte = first; pte < end; pte++) {
			u64 e = *pte;

			if (!(e & SL_RW))
				continue;
			if (sl_is_table(e, level))
				break;
			WRITE_ONCE(*pte, e & ~SL_RW);
			written = pte + 1;
		}
		if (written != first)
			sl_write_back(sl, first, written);
		iova = (iova | (sl_size(level) - 1)) + 1 +
		       ((u64)(pte - first - 1) << sl_shift(level));
		if (iova > last)
			break;
	}
}
EXPORT_SYMBOL_GPL(sl_revoke);

/*
 * A run of leaves that are contiguous in both addresses and have the same
 * permissions: the address and SL_PERM_MASK of the first, and the length.
 */
struct sl_run {
	u64 iova;
	u64 entry;
	u64 bytes;
};

static inline int sl_run_emit(const struct sl_run *run, iofd_run_fn fn,
			      void *arg)
{
	if (!run->bytes || !fn)
		return 0;
	return fn(arg, run->iova, run->entry & SL_ADDR_MASK, run->bytes,
		  run->entry >> SL_WAS_SHIFT & (IOFD_READ | IOFD_WRITE));
}

/* Add a piece to the run; where it does not continue the run, it begins one. */
static inline int sl_run_add(struct sl_run *run, u64 iova, u64 entry, u64 bytes,
			     iofd_run_fn fn, void *arg)
{
	int rc = 0;

	if (entry == run->entry + run->bytes && iova == run->iova + run->bytes) {
		run->bytes += bytes;
		return 0;
	}
	rc = sl_run_emit(run, fn, arg);
	run->iova = iova;
	run->entry = entry;
	run->bytes = bytes;
	return rc;
}

/*
 * Hardware has seen the entries without R and W already, written back by
 * sl_revoke(). To it 0 is the same, so the lines can stay in the cache.
 */
void sl_reap(struct sl_table *sl, u64 iova, u64 last, iofd_run_fn fn, void *arg)
{
	struct sl_run run = {};
	unsigned int level;
	u64 *first;

	last = min(last, sl_addr_last(sl->levels));
	while ((first = sl_seek(sl, &iova, last, &level))) {
		u64 *end = sl_end(first, iova, last, level);
		u64 size = sl_size(level);
		unsigned int n = 0;
		u64 *pte;

		sl_set_cur(sl, sl_table_of(first), iova, level);
		iova &= ~(size - 1);
		for (pte = first; pte < end; pte++, iova += size) {
			u64 e = *pte;

			if (!e || (e & SL_RW)) {
				if (e && sl_is_table(e, level))
					break;
				continue;
			}
			sl_run_add(&run, iova,
				   e & (SL_ADDR_MASK | SL_PERM_MASK), size,
				   fn, arg);
			WRITE_ONCE(*pte, 0);
			n++;
		}
		if (n)
			sl_sub_used(sl, sl_table_of(first), n);
		if (iova > last)
			break;
	}
	sl_run_emit(&run, fn, arg);
}
EXPORT_SYMBOL_GPL(sl_reap);

int sl_for_each_run(struct sl_table *sl, u64 iova, u64 last, iofd_run_fn fn,
		    void *arg)
{
	struct sl_run run = {};
	unsigned int level;
	u64 *first;
	int rc;

	last = min(last, sl_addr_last(sl->levels));
	while ((first = sl_seek(sl, &iova, last, &level))) {
		u64 *end = sl_end(first, iova, last, level);
		u64 size = sl_size(level);
		u64 *pte;

		/* An end that cuts a leaf gets the piece that is in the range. */
		for (pte = first; pte < end; pte++, iova = (iova | (size - 1)) + 1) {
			u64 skip = iova & (size - 1);
			u64 e = *pte;

			if (!(e & SL_RW))
				continue;
			if (sl_is_table(e, level))
				break;
			e &= SL_ADDR_MASK | SL_PERM_MASK;
			rc = sl_run_add(&run, iova, e + skip,
					min(size - skip, last - iova + 1),
					fn, arg);
			if (rc)
				return rc;
		}
		if (iova > last)
			break;
	}
	return sl_run_emit(&run, fn, arg);
}
EXPORT_SYMBOL_GPL(sl_for_each_run);

bool sl_lookup(struct sl_table *sl, u64 iova, phys_addr_t *phys)
{
	unsigned int level = 1;
	u64 *table;
	u64 e;

	if (iova > sl_addr_last(sl->levels))
		return false;
	table = sl_start(sl, iova, &level);
	for (;;) {
		e = table[sl_index(iova, level)];
		if (!(e & SL_RW))
			return false;
		if (!sl_is_table(e, level))
			break;
		table = sl_child(e);
		level--;
	}
	*phys = (e & SL_ADDR_MASK & ~(sl_size(level) - 1)) |
		(iova & (sl_size(level) - 1));
	return true;
}
EXPORT_SYMBOL_GPL(sl_lookup);

bool sl_wants_trim(const struct sl_table *sl)
{
	return sl->nr_empty > 64 + sl->nr_tables / 8;
}
EXPORT_SYMBOL_GPL(sl_wants_trim);

static void sl_trim_below(struct sl_table *sl, u64 *table, unsigned int level,
			  struct list_head *pages)
{
	unsigned long used = sl_used(table);
	u64 *lo = NULL, *hi = NULL;
	unsigned int n = 0;
	u64 *pte, *child;

	for (pte = table; used; pte++) {
		if (!*pte)
			continue;
		used--;
		if (!sl_is_table(*pte, level))
			continue;
		child = sl_child(*pte);
		if (level > 2 && sl_used(child))
			sl_trim_below(sl, child, level - 1, pages);
		if (sl_used(child))
			continue;
		WRITE_ONCE(*pte, 0);
		list_add(&virt_to_page(child)->lru, pages);
		n++;
		lo = lo ?: pte;
		hi = pte + 1;
	}
	if (n) {
		sl_write_back(sl, lo, hi);
		sl_sub_used(sl, table, n);
		sl->nr_tables -= n;
	}
	cond_resched();
}

void sl_trim(struct sl_table *sl, struct list_head *pages)
{
	/* No dirty range or cur[] may refer to a page that goes. */
	sl_sync(sl);
	sl_forget_cur(sl);
	sl_trim_below(sl, sl->root, sl->levels, pages);
	sl->nr_empty = 0;
}
EXPORT_SYMBOL_GPL(sl_trim);

void sl_free_pages(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}
EXPORT_SYMBOL_GPL(sl_free_pages);
