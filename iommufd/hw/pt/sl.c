// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second-level I/O page tables. The interface and the states of an entry are
 * described in sl.h.
 *
 * Levels count from 1 (leaves of 4 KiB) to sl->levels (the root).
 *
 * Invariants, whenever no function of this file runs:
 *
 * - page_private() of a table page is the number of its entries that are not 0,
 *   less cur[].added where it is the page of cur[]: single pages are counted
 *   there, until something needs the sum. nr_empty is the number of pages below
 *   the root whose page_private() is 0. They stay linked, for the next mapping
 *   nearby, until somebody trims.
 * - cur[] refers to linked table pages or to none.
 * - What is written and not written back lies within [dirty_lo, dirty_hi). Only
 *   sl_map() leaves anything there: a command maps many pages in a row, most of
 *   them into the cache line that was written last.
 * - A table page that has been unlinked is not written any more, but hardware
 *   may still read it, and finds it empty. It is freed after a flush.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <asm/cacheflush.h>
#include "hw/flush_point.h"
#include "hw/pt/sl.h"

#define SL_ENTRIES	512
#define SL_LINE_BYTES	64
/* What two leaves have in common when one continues the other's memory */
#define SL_RUN_MASK	(SL_ADDR_MASK | SL_RW | SL_WAS_READ | SL_WAS_WRITE)

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

/* First address that the table page of @level for @iova translates */
static inline u64 sl_base(u64 iova, unsigned int level)
{
	return iova & ~(sl_size(level + 1) - 1);
}

/* In the table page of @level for @iova the slot behind the one for @last */
static inline unsigned int sl_stop(u64 iova, u64 last, unsigned int level)
{
	if ((iova ^ last) >> sl_shift(level + 1))
		return SL_ENTRIES;
	return sl_index(last, level) + 1;
}

/* Does entry @e of @level, which is not 0, point at a table page? */
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

/* @n entries more of @table are used, or less; @n is not 0. */
static inline void sl_count(struct sl_table *sl, u64 *table, long n)
{
	struct page *page = virt_to_page(table);
	unsigned long used = page_private(page);

	set_page_private(page, used + n);
	if (table == sl->root)
		return;
	if (!used)
		sl->nr_empty--;
	else if (!(used + n))
		sl->nr_empty++;
}

static void sl_settle_counts(struct sl_table *sl)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sl->cur); i++) {
		if (sl->cur[i].added)
			sl_count(sl, sl->cur[i].table, sl->cur[i].added);
		sl->cur[i].added = 0;
	}
}

static inline void sl_set_cur(struct sl_table *sl, u64 *table, u64 iova,
			      unsigned int level)
{
	struct sl_cursor *cur;

	if (level > ARRAY_SIZE(sl->cur))
		return;
	cur = &sl->cur[level - 1];
	if (unlikely(cur->added))
		sl_settle_counts(sl);
	cur->table = table;
	cur->index = iova >> sl_shift(level + 1);
}

/* The counts are settled. */
static void sl_forget_cur(struct sl_table *sl)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sl->cur); i++)
		sl->cur[i].index = SL_NO_INDEX;
}

/* The known table page nearest to the entry of *@level for @iova */
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

static inline void sl_write_back(const struct sl_table *sl, u64 *lo, u64 *hi)
{
	if (sl->noncoherent)
		clflush_cache_range(lo, (hi - lo) * sizeof(*lo));
}

static noinline void sl_dirty_elsewhere(struct sl_table *sl, u64 *lo, u64 *hi)
{
	if (sl->dirty_lo) {
		if (hi > PTR_ALIGN_DOWN(sl->dirty_lo, SL_LINE_BYTES) &&
		    lo < PTR_ALIGN(sl->dirty_hi, SL_LINE_BYTES)) {
			sl->dirty_lo = min(sl->dirty_lo, lo);
			sl->dirty_hi = max(sl->dirty_hi, hi);
			return;
		}
		if (FLUSH_POINT(sl_dirty_elsewhere))
			sl_write_back(sl, sl->dirty_lo, sl->dirty_hi);
	}
	sl->dirty_lo = lo;
	sl->dirty_hi = hi;
}

/*
 * [lo, hi) has been written. It joins the dirty entries that it touches in a
 * line, so that a line is written back once; others it replaces.
 */
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
	if (FLUSH_POINT(sl_sync))
		sl_write_back(sl, sl->dirty_lo, sl->dirty_hi);
	sl->dirty_lo = NULL;
	sl->dirty_hi = NULL;
}
EXPORT_SYMBOL_GPL(sl_sync);

/* A table page in which hardware finds nothing, linked from nowhere */
static u64 *sl_alloc_table(struct sl_table *sl)
{
	struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	u64 *table;

	if (!page)
		return NULL;
	set_page_private(page, 0);
	table = page_address(page);
	if (FLUSH_POINT(sl_new_table))
		sl_write_back(sl, table, table + SL_ENTRIES);
	sl->nr_tables++;
	return table;
}

int sl_init(struct sl_table *sl, unsigned int levels,
	    unsigned int max_leaf_level, bool noncoherent, u64 leaf_bits)
{
	memset(sl, 0, sizeof(*sl));
	sl->levels = levels;
	sl->max_leaf_level = max_leaf_level;
	sl->noncoherent = noncoherent;
	sl->leaf_bits = leaf_bits;
	sl->table_bits = SL_RW;
	INIT_LIST_HEAD(&sl->unlinked);
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
	set_page_private(virt_to_page(table), 0);
	free_page((unsigned long)table);
	if (level > 1)
		cond_resched();
}

void sl_destroy(struct sl_table *sl)
{
	if (!sl->root)
		return;
	sl_settle_counts(sl);
	sl_free_pages(&sl->unlinked);
	sl_destroy_below(sl->root, sl->levels);
	memset(sl, 0, sizeof(*sl));
}
EXPORT_SYMBOL_GPL(sl_destroy);

/* Unlink all table pages below @table, a page of @level, that are empty. */
static void sl_trim_below(struct sl_table *sl, u64 *table, unsigned int level,
			  struct list_head *pages)
{
	unsigned long used = sl_used(table);
	u64 *pte, *child, *lo = NULL, *hi = NULL;
	unsigned int n = 0;

	for (pte = table; used; pte++) {
		if (!*pte)
			continue;
		used--;
		if (!sl_is_table(*pte, level))
			continue;
		child = sl_child(*pte);
		if (level > 2)
			sl_trim_below(sl, child, level - 1, pages);
		if (sl_used(child))
			continue;
		WRITE_ONCE(*pte, 0);
		list_add(&virt_to_page(child)->lru, pages);
		lo = lo ?: pte;
		hi = pte + 1;
		n++;
	}
	if (n) {
		if (FLUSH_POINT(sl_trim))
			sl_write_back(sl, lo, hi);
		sl->nr_tables -= n;
		sl->nr_empty -= n;
		sl_count(sl, table, -(long)n);
	}
	cond_resched();
}

void sl_trim(struct sl_table *sl, struct list_head *pages)
{
	sl_sync(sl);
	sl_settle_counts(sl);
	sl_forget_cur(sl);
	list_splice_init(&sl->unlinked, pages);
	sl_trim_below(sl, sl->root, sl->levels, pages);
}
EXPORT_SYMBOL_GPL(sl_trim);

bool sl_take_unlinked(struct sl_table *sl, struct list_head *pages)
{
	if (list_empty(&sl->unlinked))
		return false;
	list_splice_init(&sl->unlinked, pages);
	return true;
}
EXPORT_SYMBOL_GPL(sl_take_unlinked);

void sl_free_pages(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}
EXPORT_SYMBOL_GPL(sl_free_pages);

/*
 * A leaf of @level is to go where @pte points at a table page, which has no
 * leaf below it or the caller would not map here. Unlink what is there.
 */
static bool sl_make_room(struct sl_table *sl, u64 *table, u64 *pte,
			 unsigned int level)
{
	u64 *child = sl_child(*pte);

	if (!sl->replaces_tables)
		return false;
	sl_settle_counts(sl);
	sl_forget_cur(sl);
	if (level > 2)
		sl_trim_below(sl, child, level - 1, &sl->unlinked);
	if (sl_used(child))
		return false;
	WRITE_ONCE(*pte, 0);
	list_add(&virt_to_page(child)->lru, &sl->unlinked);
	sl->nr_tables--;
	sl->nr_empty--;
	sl_count(sl, table, -1);
	return true;
}

/*
 * The table page for a leaf of *@level at @iova, made as needed. Where a table
 * page keeps the place of that leaf: one below, and its level.
 */
static u64 *sl_walk_alloc(struct sl_table *sl, u64 iova, unsigned int *level)
{
	unsigned int want = *level, l = want;
	u64 *table = sl_start(sl, iova, &l);

	for (;; l--) {
		u64 *pte = table + sl_index(iova, l);
		u64 *child;

		if (*pte && sl_is_table(*pte, l)) {
			if (l == want && sl_make_room(sl, table, pte, l))
				break;
			child = sl_child(*pte);
		} else if (l <= want) {
			break;
		} else if (*pte) {
			return ERR_PTR(-EEXIST);
		} else {
			child = sl_alloc_table(sl);
			if (!child)
				return ERR_PTR(-ENOMEM);
			sl->nr_empty++;
			WRITE_ONCE(*pte, virt_to_phys(child) | sl->table_bits);
			if (FLUSH_POINT(sl_link))
				sl_write_back(sl, pte, pte + 1);
			sl_count(sl, table, 1);
		}
		sl_set_cur(sl, table, iova, l);
		table = child;
	}
	sl_set_cur(sl, table, iova, l);
	*level = l;
	return table;
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

	if (WARN_ON_ONCE(iova > sl_addr_last(sl->levels) ||
			 bytes - 1 > sl_addr_last(sl->levels) - iova))
		return -EINVAL;

	for (;;) {
		unsigned int level = 1, i, n;
		u64 *table, *pte;
		u64 size, e;

		while (level < sl->max_leaf_level &&
		       bytes >= sl_size(level + 1) &&
		       !((iova | phys) & (sl_size(level + 1) - 1)))
			level++;
		table = sl_walk_alloc(sl, iova, &level);
		if (IS_ERR(table))
			return PTR_ERR(table);

		/* As many as there are in the run, to the end of the page */
		i = sl_index(iova, level);
		pte = table + i;
		size = sl_size(level);
		n = min_t(size_t, bytes >> sl_shift(level), SL_ENTRIES - i);
		e = phys | bits | (level > 1 ? SL_LEAF : 0);
		for (i = 0; i < n && !pte[i]; i++, e += size)
			WRITE_ONCE(pte[i], e);
		if (!i)
			return -EEXIST;
		sl_count(sl, table, i);
		sl_dirty(sl, pte, pte + i);

		bytes -= i * size;
		if (!bytes)
			return 0;
		iova += i * size;
		phys += i * size;
		cond_resched();
	}
}

/* Write leaf @e if its table page is the one that was used last. */
static __always_inline bool sl_map_near(struct sl_table *sl, u64 iova, u64 e,
					unsigned int level)
{
	struct sl_cursor *cur = &sl->cur[level - 1];
	u64 *pte;

	if (iova >> sl_shift(level + 1) != cur->index)
		return false;
	pte = cur->table + sl_index(iova, level);
	if (unlikely(*pte))
		return false;
	WRITE_ONCE(*pte, e);
	cur->added++;
	sl_dirty(sl, pte, pte + 1);
	return true;
}

/*
 * Move cur[0] to the table page for @iova if cur[1] knows it: a page somewhere
 * else in the same GiB.
 */
static inline bool sl_step_near(struct sl_table *sl, u64 iova)
{
	u64 e;

	if (iova >> sl_shift(3) != sl->cur[1].index)
		return false;
	e = sl->cur[1].table[sl_index(iova, 2)];
	if (!e || !sl_is_table(e, 2))
		return false;
	sl_set_cur(sl, sl_child(e), iova, 1);
	return true;
}

int sl_map(struct sl_table *sl, u64 iova, phys_addr_t phys, size_t bytes,
	   unsigned int prot)
{
	u64 e = phys | sl_leaf_bits(sl, prot);

	/* Scattered memory comes as single pages, one after the other. */
	if (bytes == SZ_4K) {
		if (sl_map_near(sl, iova, e, 1) ||
		    (sl_step_near(sl, iova) && sl_map_near(sl, iova, e, 1)))
			return 0;
	} else if (bytes == SZ_2M && sl->max_leaf_level >= 2 &&
		   !((iova | phys) & (SZ_2M - 1))) {
		if (sl_map_near(sl, iova, e | SL_LEAF, 2))
			return 0;
	}
	return sl_map_run(sl, iova, phys, bytes, prot);
}
EXPORT_SYMBOL_GPL(sl_map);

/* The first used entry from @pte on, or @end */
static inline u64 *sl_skip_empty(u64 *pte, u64 *end)
{
	for (; end - pte >= 8; pte += 8)
		if (pte[0] | pte[1] | pte[2] | pte[3] |
		    pte[4] | pte[5] | pte[6] | pte[7])
			break;
	while (pte < end && !*pte)
		pte++;
	return pte;
}

/* The entry of a single page if its table page is the one that was used last */
static inline u64 *sl_near_page(const struct sl_table *sl, u64 iova, u64 last)
{
	if (last - iova != SZ_4K - 1 ||
	    iova >> sl_shift(2) != sl->cur[0].index)
		return NULL;
	return sl->cur[0].table + sl_index(iova, 1);
}

/*
 * The first table page in [*@iova, @last] that has leaves, as far as can be
 * told without looking into a page of level 1. *@iova is moved behind what is
 * absent, *@level is set. NULL: there is no more.
 */
static u64 *sl_seek(struct sl_table *sl, u64 *iova, u64 last,
		    unsigned int *level)
{
	u64 pos = *iova;

	while (pos <= last) {
		unsigned int l = 1;
		u64 *table = sl_start(sl, pos, &l);

		for (; l > 1; l--) {
			u64 *pte = table + sl_index(pos, l);

			if (!*pte) {
				u64 *end = table + sl_stop(pos, last, l);

				pte = sl_skip_empty(pte, end);
				pos = sl_base(pos, l) +
				      ((u64)(pte - table) << sl_shift(l));
				if (pte == end)
					break;
			}
			if (!sl_is_table(*pte, l))
				goto found;
			sl_set_cur(sl, table, pos, l);
			table = sl_child(*pte);
		}
		if (l == 1)
			goto found;
		cond_resched();
		continue;
found:
		sl_set_cur(sl, table, pos, l);
		*iova = pos;
		*level = l;
		return table;
	}
	return NULL;
}

static noinline void sl_revoke_range(struct sl_table *sl, u64 iova, u64 last)
{
	unsigned int level;
	u64 *table;

	last = min(last, sl_addr_last(sl->levels));
	while ((table = sl_seek(sl, &iova, last, &level))) {
		u64 *pte = table + sl_index(iova, level);
		u64 *end = table + sl_stop(iova, last, level);
		u64 *lo = pte, *hi = NULL;

		for (; pte < end; pte++) {
			u64 e = *pte;

			if (e & SL_RW) {
				if (sl_is_table(e, level))
					break;
				WRITE_ONCE(*pte, e & ~SL_RW);
				hi = pte;
			} else if (!e) {
				pte = sl_skip_empty(pte, end) - 1;
				if (!hi)
					lo = pte + 1;
			}
		}
		if (hi && FLUSH_POINT(sl_revoke_range))
			sl_write_back(sl, lo, hi + 1);
		iova = sl_base(iova, level) +
		       ((u64)(pte - table) << sl_shift(level));
		if (iova > last)
			break;
		cond_resched();
	}
}

void sl_revoke(struct sl_table *sl, u64 iova, u64 last)
{
	u64 *pte = sl_near_page(sl, iova, last);

	if (!pte) {
		sl_revoke_range(sl, iova, last);
		return;
	}
	WRITE_ONCE(*pte, *pte & ~SL_RW);
	if (FLUSH_POINT(sl_revoke_page))
		sl_write_back(sl, pte, pte + 1);
}
EXPORT_SYMBOL_GPL(sl_revoke);

#define SL_NO_RUN	(~0ULL)		/* what no entry is under SL_RUN_MASK */

static __always_inline int sl_emit(iofd_run_fn fn, void *arg, u64 iova,
				   u64 entry, u64 bytes)
{
	return fn(arg, iova, entry & SL_ADDR_MASK, bytes,
		  entry >> SL_WAS_SHIFT & (IOFD_READ | IOFD_WRITE));
}

/* Take @pte and the entries behind it that continue the run; one past them */
static __always_inline u64 *sl_extend(u64 *pte, u64 *end, u64 *next, u64 size,
				      bool reap)
{
	do {
		if (reap)
			WRITE_ONCE(*pte, 0);
		*next += size;
		pte++;
	} while (pte < end && (*pte & SL_RUN_MASK) == *next);
	return pte;
}

/*
 * Hand out the runs in [@iova, @last], contiguous in both addresses and with
 * the same permissions, of revoked leaves, which are cleared, or of present
 * ones.
 *
 * While a run is collected, @pos is its address, @entry its first entry under
 * SL_RUN_MASK, and @next the entry that would continue it, so that the
 * difference of the two is its length. Otherwise @next is SL_NO_RUN, and @pos
 * the address of @pte.
 */
static __always_inline int sl_runs(struct sl_table *sl, u64 iova, u64 last,
				   bool reap, iofd_run_fn fn, void *arg)
{
	u64 pos = 0, entry = 0, next = SL_NO_RUN;
	u64 first = iova, behind = iova;
	unsigned int level;
	u64 *table;
	int rc;

	last = min(last, sl_addr_last(sl->levels));
	while ((table = sl_seek(sl, &iova, last, &level))) {
		u64 *from = table + sl_index(iova, level), *pte = from;
		u64 *end = table + sl_stop(iova, last, level);
		u64 size = sl_size(level);
		long others = 0;	/* entries that went into no run */

		/* Where something absent was skipped a run ends. */
		if (next != SL_NO_RUN && iova != behind) {
			rc = sl_emit(fn, arg, pos, entry, next - entry);
			if (rc && !reap)
				return rc;
			next = SL_NO_RUN;
		}
		if (next == SL_NO_RUN)
			pos = iova & ~(size - 1);
		if ((*pte & SL_RUN_MASK) == next)
			pte = sl_extend(pte, end, &next, size, reap);
		while (pte < end) {
			/* What is below may continue the run. */
			if (*pte && sl_is_table(*pte, level))
				break;
			if (next != SL_NO_RUN) {
				rc = sl_emit(fn, arg, pos, entry, next - entry);
				if (rc && !reap)
					return rc;
				pos += next - entry;
				next = SL_NO_RUN;
			}
			if (!*pte) {
				u64 *gap = pte;

				pte = sl_skip_empty(pte, end);
				pos += (pte - gap) * size;
				others += pte - gap;
				continue;
			}
			if (!(*pte & SL_RW) != reap) {
				pte++;
				pos += size;
				others++;
				continue;
			}
			next = *pte & SL_RUN_MASK;
			entry = next;
			if (!reap && pos < first) {
				/* The range begins inside a leaf. */
				entry += first - pos;
				pos = first;
			}
			pte = sl_extend(pte, end, &next, size, reap);
		}
		if (reap && pte - from != others)
			sl_count(sl, table, others - (pte - from));
		iova = next == SL_NO_RUN ? pos : pos + (next - entry);
		behind = iova;
		if (iova > last)
			break;
		cond_resched();
	}
	if (next == SL_NO_RUN)
		return 0;
	return sl_emit(fn, arg, pos, entry, min(next - entry, last - pos + 1));
}

static int sl_no_fn(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
		    unsigned int prot)
{
	return 0;
}

static noinline void sl_reap_range(struct sl_table *sl, u64 iova, u64 last,
				   iofd_run_fn fn, void *arg)
{
	sl_runs(sl, iova, last, true, fn, arg);
}

/*
 * Hardware has seen the entries without R and W, written back by sl_revoke().
 * To it 0 is the same, so the lines can stay in the cache.
 */
void sl_reap(struct sl_table *sl, u64 iova, u64 last, iofd_run_fn fn, void *arg)
{
	u64 *pte = sl_near_page(sl, iova, last);
	u64 e;

	if (!fn)
		fn = sl_no_fn;
	if (!pte) {
		sl_reap_range(sl, iova, last, fn, arg);
		return;
	}
	e = *pte;
	if (e && !(e & SL_RW)) {
		WRITE_ONCE(*pte, 0);
		sl->cur[0].added--;
		sl_emit(fn, arg, iova, e, SZ_4K);
	}
}
EXPORT_SYMBOL_GPL(sl_reap);

int sl_for_each_run(struct sl_table *sl, u64 iova, u64 last, iofd_run_fn fn,
		    void *arg)
{
	return sl_runs(sl, iova, last, false, fn, arg);
}
EXPORT_SYMBOL_GPL(sl_for_each_run);

/* Ranges that follow one another, as one to be handed out */
struct sl_joined {
	iofd_dirty_fn fn;
	void *arg;
	u64 first;
	u64 last;
	bool any;
};

static void sl_join_end(struct sl_joined *j)
{
	if (j->any)
		j->fn(j->arg, j->first, j->last);
	j->any = false;
}

static void sl_join(struct sl_joined *j, u64 first, u64 last)
{
	if (!j->fn)
		return;
	if (!j->any || j->last + 1 != first) {
		sl_join_end(j);
		j->first = first;
		j->any = true;
	}
	j->last = last;
}

bool sl_read_dirty(struct sl_table *sl, u64 iova, u64 last, bool clear,
		   iofd_dirty_fn fn, void *arg)
{
	struct sl_joined joined = { .fn = fn, .arg = arg };
	u64 first = iova, *table;
	bool cleared = false;
	unsigned int level;

	last = min(last, sl_addr_last(sl->levels));
	while ((table = sl_seek(sl, &iova, last, &level))) {
		u64 *pte = table + sl_index(iova, level);
		u64 *end = table + sl_stop(iova, last, level);
		u64 size = sl_size(level), pos = iova & ~(size - 1);

		for (; pte < end; pte++, pos += size) {
			u64 e = READ_ONCE(*pte), pos_last = pos + (size - 1);

			if (e && sl_is_table(e, level))
				break;
			if (!(e & SL_RW) || !(e & SL_DIRTY))
				continue;
			if (clear && pos >= first && pos_last <= last) {
				clear_bit(SL_DIRTY_BIT, (unsigned long *)pte);
				cleared = true;
			}
			sl_join(&joined, max(pos, first), min(pos_last, last));
		}
		iova = pos;
		if (iova > last)
			break;
		cond_resched();
	}
	sl_join_end(&joined);
	return cleared;
}
EXPORT_SYMBOL_GPL(sl_read_dirty);

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
	*phys = (e & SL_ADDR_MASK) + (iova & (sl_size(level) - 1));
	return true;
}
EXPORT_SYMBOL_GPL(sl_lookup);
