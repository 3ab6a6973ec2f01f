/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Second-level I/O page tables: 512 entries of 8 bytes a page, 3, 4 or 5 levels,
 * leaves of 4 KiB, 2 MiB and 1 GiB, in the layout of VT-d second-level paging
 * (VT-d specification, "Second-Stage Paging Entries"; requirements D.6).
 *
 * VT-d walks these tables as they are. First-level tables are made of them, too:
 * see fl.h. The core uses one without any hardware
 * to remember the physical addresses of a space that no hardware table holds
 * (struct iofd_store).
 *
 * An entry is in one of three states:
 *   empty     0
 *   present   R or W is set
 *   revoked   R and W are clear, the rest is as it was: hardware refuses it,
 *             and the physical address is still there to be handed back
 * Unmapping is revoke, flush by the caller, reap; so it needs no memory, and one
 * flush serves a whole command.
 *
 * Locking: the caller serialises all calls on a table. Hardware reads it at any
 * time: a table page is filled and written back before the entry that points at
 * it is stored, and each entry is stored at once.
 *
 * Hardware that keeps track of what is written (VT-d: SSADE) sets SL_ACCESSED in
 * any present entry and SL_DIRTY in any present leaf, at any time and atomically.
 * So whether two entries are the same is asked with both left out, and SL_DIRTY
 * is taken away atomically. Revoking may lose one that is set at that moment: what
 * was written to a mapping that goes is asked for before.
 */
#ifndef IOFD_HW_PT_SL_H
#define IOFD_HW_PT_SL_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/types.h>
#include "hw/hw.h"

#define SL_READ		BIT_ULL(0)
#define SL_WRITE	BIT_ULL(1)
#define SL_LEAF		BIT_ULL(7)	/* PS: a leaf above level 1 */
#define SL_ACCESSED	BIT_ULL(8)	/* A: set by hardware with SSADE */
#define SL_DIRTY_BIT	9		/* D: the same, in leaves alone */
#define SL_DIRTY	BIT_ULL(SL_DIRTY_BIT)
#define SL_SNOOP	BIT_ULL(11)	/* SNP: leaf, needs ECAP.SC */
#define SL_ADDR_MASK	GENMASK_ULL(51, 12)
#define SL_RW		(SL_READ | SL_WRITE)
/* Hardware ignores bits 61:52; here, the permissions as mapped outlive revoking. */
#define SL_WAS_SHIFT	52
#define SL_WAS_READ	(SL_READ << SL_WAS_SHIFT)
#define SL_WAS_WRITE	(SL_WRITE << SL_WAS_SHIFT)

#define SL_NO_INDEX	(~0ULL)

/**
 * struct sl_cursor - a table page that was used last
 * @table: the page
 * @index: iova >> 21 (level 1) or iova >> 30 (level 2) of what it translates;
 *	SL_NO_INDEX: there is none
 * @added: used entries that the count of the page still lacks
 */
struct sl_cursor {
	u64 *table;
	u64 index;
	int added;
};

/**
 * struct sl_table - one second-level table
 * @root: top page
 * @levels: 3 (39 bits), 4 (48) or 5 (57)
 * @max_leaf_level: 1: 4 KiB only, 2: and 2 MiB, 3: and 1 GiB
 * @noncoherent: hardware does not snoop its walks: written lines are flushed
 * @replaces_tables: sl_map() may put a large leaf where an empty table page is
 *	linked. The owner sets it after sl_init() if it looks after
 *	sl_take_unlinked(). Without it such a place gets smaller leaves
 * @leaf_bits: bits set in every leaf (SL_SNOOP)
 * @table_bits: bits set in every entry that points at a table page
 * @nr_tables: table pages linked, the root included
 * @nr_empty: of these, pages below the root without a used entry
 * @unlinked: pages that sl_map() has replaced
 * @cur: table pages of level 1 and 2
 * @dirty_lo: first entry that has been written and not yet written back, or NULL
 * @dirty_hi: one past the last such entry
 *
 * Owners read @root and what they gave to sl_init(), and set @replaces_tables;
 * the rest is sl.c's.
 */
struct sl_table {
	u64 *root;
	u8 levels;
	u8 max_leaf_level;
	bool noncoherent;
	bool replaces_tables;
	u64 leaf_bits;
	u64 table_bits;
	unsigned long nr_tables;
	unsigned long nr_empty;
	struct list_head unlinked;
	struct sl_cursor cur[2];
	u64 *dirty_lo;
	u64 *dirty_hi;
};

/**
 * sl_init() - make an empty table
 * @sl: to fill in
 * @levels: 3, 4 or 5
 * @max_leaf_level: largest leaf: 1, 2 or 3
 * @noncoherent: write lines back with clflush
 * @leaf_bits: bits to set in every leaf
 *
 * Return: 0 or -ENOMEM.
 */
int sl_init(struct sl_table *sl, unsigned int levels,
	    unsigned int max_leaf_level, bool noncoherent, u64 leaf_bits);

/**
 * sl_destroy() - free all pages of a table
 * @sl: walked by no hardware any more; what it maps is forgotten
 */
void sl_destroy(struct sl_table *sl);

/* Highest address that a table of @levels levels translates. */
static inline u64 sl_addr_last(unsigned int levels)
{
	return (1ULL << (12 + 9 * levels)) - 1;
}

/**
 * sl_map() - write the leaves for one physically contiguous run
 * @sl: the table
 * @iova: start, page aligned; the range is empty and below sl_addr_last()
 * @phys: physical start, page aligned
 * @bytes: multiple of PAGE_SIZE, not 0
 * @prot: IOFD_READ, IOFD_WRITE or both
 *
 * Uses the largest leaf that alignment of both addresses and the length allow.
 * Written lines reach memory with sl_sync() at the latest.
 *
 * Return: 0; -ENOMEM with the beginning of the range written (revoke and reap
 * it); bugs of the caller's: -EEXIST, the same when an entry in the way is in
 * use, and -EINVAL when the range is beyond the table.
 */
int sl_map(struct sl_table *sl, u64 iova, phys_addr_t phys, size_t bytes,
	   unsigned int prot);

/**
 * sl_sync() - end a series of sl_map()
 * @sl: the table
 *
 * What was written has been written back on return.
 */
void sl_sync(struct sl_table *sl);

/**
 * sl_take_unlinked() - table pages that large leaves have taken the place of
 * @sl: the table; to be asked after the sl_sync() that ends a series of sl_map()
 * @pages: they are added to this list
 *
 * Hardware may know still that there was an empty table page. Before the mapping
 * can be relied on, and before sl_free_pages(), flush the whole table, and not
 * its leaves alone: a series that failed may have left pages from elsewhere.
 *
 * Return: true when there are any. Never without sl_table.replaces_tables.
 */
bool sl_take_unlinked(struct sl_table *sl, struct list_head *pages);

/**
 * sl_revoke() - take away access from every present leaf in a range
 * @sl: the table
 * @iova: first byte
 * @last: last byte; neither end cuts a leaf
 *
 * Written lines are written back on return.
 */
void sl_revoke(struct sl_table *sl, u64 iova, u64 last);

/**
 * sl_reap() - clear revoked leaves and hand back what they pointed at
 * @sl: the table
 * @iova: first byte
 * @last: last byte
 * @fn: receives the runs, merged while contiguous in both addresses; may be NULL
 * @arg: for @fn
 *
 * Every leaf in the range was revoked, and hardware has forgotten it. One that
 * was not revoked stays. @fn gets the permissions as they were mapped.
 */
void sl_reap(struct sl_table *sl, u64 iova, u64 last, iofd_run_fn fn, void *arg);

/**
 * sl_wants_trim() - are enough table pages empty for a sweep to pay?
 * @sl: the table
 *
 * To be asked after sl_reap(). Empty pages are kept for the next mapping nearby,
 * up to this limit. A page that translates nothing is empty, or one of at most
 * levels - 2 above an empty one; so with the limit at an eighth a table takes
 * less than twice the pages that its mappings need, and some. A sweep looks at
 * less than 8 pages for each that has become empty since the one before: its
 * cost is a constant for each unmapping.
 */
static inline bool sl_wants_trim(const struct sl_table *sl)
{
	return sl->nr_empty > 64 + sl->nr_tables / 8;
}

/**
 * sl_trim() - unlink every empty table page
 * @sl: the table
 * @pages: the pages are added to this list; free them with sl_free_pages()
 *	once hardware has forgotten the paging-structure entries (an
 *	invalidation that is not limited to leaves)
 */
void sl_trim(struct sl_table *sl, struct list_head *pages);

/**
 * sl_free_pages() - free table pages that sl_trim() unlinked
 * @pages: list, empty afterwards
 */
void sl_free_pages(struct list_head *pages);

/**
 * sl_for_each_run() - hand the present runs of a range to a function
 * @sl: the table
 * @iova: first byte
 * @last: last byte; where an end of the range, page aligned, cuts a leaf, @fn
 *	gets the piece inside
 * @fn: receives them in ascending order, merged while contiguous
 * @arg: for @fn
 *
 * Return: 0, or what @fn returned when that was not 0.
 */
int sl_for_each_run(struct sl_table *sl, u64 iova, u64 last, iofd_run_fn fn,
		    void *arg);

/**
 * sl_read_dirty() - find the leaves that hardware has marked as written
 * @sl: a second-level table that hardware walks coherently
 * @iova: first byte
 * @last: last byte
 * @clear: take the marks away. A leaf that an end of the range cuts keeps its
 *	mark: it stands for the rest as well
 * @fn: receives the ranges of these leaves, clipped to [iova, last], in ascending
 *	order and merged; may be NULL
 * @arg: for @fn
 *
 * Return: true when a mark was taken away. Hardware that remembers such a leaf as
 * marked does not mark it again until the range has been flushed.
 */
bool sl_read_dirty(struct sl_table *sl, u64 iova, u64 last, bool clear,
		   iofd_dirty_fn fn, void *arg);

/**
 * sl_lookup() - translate one address in software
 * @sl: the table
 * @iova: any address
 * @phys: receives the physical address
 *
 * Changes nothing in @sl.
 *
 * Return: true when a present leaf covers @iova.
 */
bool sl_lookup(struct sl_table *sl, u64 iova, phys_addr_t *phys);

#endif /* IOFD_HW_PT_SL_H */
