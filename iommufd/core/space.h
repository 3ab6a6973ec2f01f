/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address spaces: what they are, the page tables under them, and what is mapped.
 * Private to the core and to the front doors in abi/. Locks and lock letters are
 * those of core.h.
 */
#ifndef IOFD_CORE_SPACE_H
#define IOFD_CORE_SPACE_H

#include "core/core.h"

struct file;
struct iofd_fault_queue;
struct iofd_hwpt;
struct iofd_map_request;

/**
 * struct iofd_mapping - what one MAP_DMA mapped
 * @node: (s) in iofd_space.mappings, by address
 * @first: (c) first byte
 * @last: (s) last byte; falls when the mapping is cut
 * @owner: (s) who was charged: address of a struct iofd_account, or of a struct
 *	iofd_share (share.h) as its low bits say; 0: nobody
 *
 * Kept small: there are millions. The physical addresses are in the page table.
 */
struct iofd_mapping {
	struct rb_node node;
	u64 first;
	u64 last;
	unsigned long owner;
};

/**
 * struct iofd_table - a page table under an address space
 * @list: (s) in iofd_space.tables
 * @pt: (c) the provider's; where @pt->parent is set it is the user's own, nested
 *	over a table of the parent space, and not ours to fill
 * @tracker: (a) with iofd_hw_pt.dirty: whose table it is alone, so that nobody
 *	else's writes show there; or NULL. Set with the space locked
 *
 * Holds a reference on the provider's module.
 */
struct iofd_table {
	struct list_head list;
	struct iofd_hw_pt *pt;
	struct iofd_hwpt *tracker;
};

/**
 * struct iofd_space - an IOASID
 * @obj: id
 * @type: (c) enum iommu_ioasid_type
 * @format: (c) enum iommu_ioasid_format
 * @coherency: (c) enum iommu_ioasid_coherency
 * @addr_width_bits: (c) as asked for; 0: what the devices leave
 * @nesting: (c) a child: enum iommu_ioasid_nesting
 * @depth: (c) 0 for a root
 * @root: (c) the root of its tree; itself for a root
 * @parent: (c) a child: the space that its addresses are translated into; a
 *	reference is held to the end
 * @table_addr: (c) a user's table: where it starts, an address in @parent
 * @format_flags: (c) a user's table: of its format
 * @over: (s) a user's table that is nested by hardware: the table of the parent
 *	that it was made for, a use of which is held; or NULL
 * @faults: (s) who gets the page requests that it causes, a use of which is
 *	held; or NULL
 * @lock: of a root: everything marked (s) in its tree
 * @children: (s) iofd_space.sibling
 * @sibling: (s) in the parent's @children
 * @composed: (s) a child: @links are kept
 * @links: (s) a child: struct iofd_link by the child's address
 * @links_by_parent: (s) the same by the parent's
 * @nr_links: (s) their number
 * @nr_linked: (s) pages that the leaves among them translate
 * @generation: (s) counts the walks of the user's table
 * @dead: (s) freed; only references keep the memory
 * @mappings: (s) struct iofd_mapping by address
 * @hint: (s) a mapping near which the next command is likely to work, or NULL
 * @gap_from: (s) below it there is no gap of @gap_bytes or more
 * @gap_bytes: (s) see @gap_from
 * @nr_mappings: (s) count; read without the lock for reports
 * @nr_pages: (s) pages mapped; read without the lock for reports
 * @nr_shared: (s) mappings that have a struct iofd_share
 * @small_leaves: (s) of a root: leaves of all tables in its tree are of PAGE_SIZE,
 *	so that its mappings can be cut
 * @allowed: (s) where alone the kernel chooses addresses, ascending and disjoint
 * @nr_allowed: (s) their number; 0: it chooses anywhere
 * @tables: (s) struct iofd_table; all of ours hold the same mappings
 * @primary: (s) of a root: the table that the pinned pages are handed back by;
 *	NULL as long as there is none and nothing has been mapped
 * @addr_last: (s, a) highest address that the width and every table so far
 *	allow; written with both locks held, read with either
 * @attach_lock: protects @attaches and what hangs on it
 * @attaches: (a) struct iofd_attach
 * @nr_attaches: (a) their number; read without the lock for reports
 * @nr_nested: (a) those of them that hardware nests; likewise
 * @hwpts: (a) struct iofd_hwpt: tables of it that have an id; grows only with the
 *	space locked
 * @window: (s) a range that all attached devices permit; empty when unknown
 *
 * A space keeps its tables until it is freed, so that taking one away never has
 * to allocate another. A child's tables that are ours to fill hold at any time,
 * when the lock is free, what walking the child and then its parent gives.
 */
struct iofd_space {
	struct iofd_object obj;
	u32 type;
	u32 format;
	u32 coherency;
	u32 addr_width_bits;
	u32 nesting;
	u32 depth;
	struct iofd_space *root;
	struct iofd_space *parent;
	u64 table_addr;
	u64 format_flags;
	struct iofd_hwpt *over;
	struct iofd_fault_queue *faults;

	struct mutex lock;
	struct list_head children;
	struct list_head sibling;
	bool composed;
	struct rb_root_cached links;
	struct rb_root_cached links_by_parent;
	unsigned long nr_links;
	u64 nr_linked;
	u32 generation;
	bool dead;
	struct rb_root mappings;
	struct iofd_mapping *hint;
	u64 gap_from;
	u64 gap_bytes;
	unsigned long nr_mappings;
	unsigned long nr_pages;
	unsigned long nr_shared;
	bool small_leaves;
	unsigned int nr_allowed;
	struct iommu_ioasid_range *allowed;
	struct list_head tables;
	struct iofd_table *primary;
	u64 addr_last;

	spinlock_t attach_lock;
	struct list_head attaches;
	unsigned int nr_attaches;
	unsigned int nr_nested;
	struct list_head hwpts;
	struct iommu_ioasid_range window;
};

/* space.c */

/**
 * iofd_space_lock() - lock the tree of address spaces that @space is in
 * @space: a reference is held
 *
 * Return: 0, or -EINTR when the caller is being killed.
 */
int iofd_space_lock(struct iofd_space *space);

static inline void iofd_space_unlock(struct iofd_space *space)
{
	mutex_unlock(&space->root->lock);
}

static inline void iofd_space_assert_locked(const struct iofd_space *space)
{
	lockdep_assert_held(&space->root->lock);
}

/**
 * struct iofd_space_request - one IOASID_ALLOC
 * @type: enum iommu_ioasid_type
 * @format: enum iommu_ioasid_format
 * @addr_width_bits: 0 or 12 to 64
 * @coherency: enum iommu_ioasid_coherency
 * @nesting: enum iommu_ioasid_nesting
 * @parent: a space of the same context, or NULL for a root
 * @table_addr: a user's table: where it starts in @parent
 * @format_flags: a user's table: of its format
 * @for_label: label of a bound device to check against, or NULL
 * @over: nested by hardware over this table of @parent, for the device @dev_id at
 *	once; a use is taken. NULL: not
 * @dev_id: with @over, id of a bound device
 * @faults: with @over, see struct iofd_space; a use is taken; or NULL
 */
struct iofd_space_request {
	u32 type;
	u32 format;
	u32 addr_width_bits;
	u32 coherency;
	u32 nesting;
	struct iofd_space *parent;
	u64 table_addr;
	u64 format_flags;
	const u64 *for_label;
	struct iofd_hwpt *over;
	u32 dev_id;
	struct iofd_fault_queue *faults;
};

/**
 * iofd_space_alloc() - make an IOASID
 * @ctx: where
 * @req: what; combinations that make no sense have been refused
 *
 * Return: the id, or a negative errno as documented at struct
 * iommu_ioasid_alloc.
 */
int iofd_space_alloc(struct iofd_ctx *ctx, const struct iofd_space_request *req);

/** iofd_space_get() - look an IOASID up; NULL when there is none */
struct iofd_space *iofd_space_get(struct iofd_ctx *ctx, u32 id);

/** iofd_root_get() - the same for a root alone */
struct iofd_space *iofd_root_get(struct iofd_ctx *ctx, u32 id);

/**
 * iofd_vfio_space_get() - the root that stands for a VFIO container
 * @ctx: where
 *
 * Return: it, with a reference, or NULL when none does.
 */
struct iofd_space *iofd_vfio_space_get(struct iofd_ctx *ctx);

/**
 * iofd_vfio_space_set() - let a root stand for a VFIO container
 * @ctx: where
 * @space: a root of it; until it is freed. NULL: none any more
 *
 * Return: 0, or -ENOENT when it is gone.
 */
int iofd_vfio_space_set(struct iofd_ctx *ctx, struct iofd_space *space);

/** iofd_space_put() - drop a reference */
void iofd_space_put(struct iofd_space *space);

/**
 * iofd_space_free() - free an IOASID and all that is mapped in it
 * @space: published; the caller holds a reference
 *
 * Return: 0; -EBUSY while attached, a parent, or with a table that has an id;
 * -ENOENT when somebody else was faster; -EINTR.
 */
int iofd_space_free(struct iofd_space *space);

/** iofd_space_destroy() - the same for a context that closes; cannot fail */
void iofd_space_destroy(struct iofd_space *space);

/**
 * iofd_space_allow() - say where the kernel may choose addresses
 * @space: a root
 * @ranges: ascending and disjoint; on success @space takes it over, and frees it
 *	with kvfree()
 * @nr: their number; 0: anywhere
 *
 * A device with a reserved region in them cannot be attached any more.
 *
 * Return: 0; -EADDRINUSE where an attached device has one; -ENOENT; -EINTR.
 */
int iofd_space_allow(struct iofd_space *space,
		     struct iommu_ioasid_range *ranges, unsigned int nr);

/**
 * iofd_space_small_leaves() - have nothing but small leaves from now on
 * @space: a root
 * @small: false: have all sizes again, for what is mapped from now on
 *
 * In the tree of spaces below it, too.
 *
 * Return: 0; -EINVAL to begin with it where hardware tables have something
 * mapped; -ENOMEM; -ENOENT; -EINTR.
 */
int iofd_space_small_leaves(struct iofd_space *space, bool small);

/** iofd_space_user_managed() - is its table the user's own? */
static inline bool iofd_space_user_managed(const struct iofd_space *space)
{
	return space->type != IOMMU_IOASID_KERNEL_MANAGED;
}

/* table.c */

/**
 * struct iofd_new_tables - tables that were made for an attach on its way
 * @nr: how many
 * @space: where
 * @table: which; a table comes after the one that it is nested over
 */
struct iofd_new_tables {
	unsigned int nr;
	struct iofd_space *space[2];
	struct iofd_table *table[2];
};

/**
 * iofd_table_for() - a table of a space that a device can be attached to
 * @space: its lock is held
 * @pdev: the device
 * @new: zeroed; what was made for it. Follow up with iofd_tables_keep() or
 *	iofd_tables_drop()
 *
 * A user's table is nested by hardware or composed, as iofd_space.nesting and
 * the hardware want.
 *
 * Return: the table, which holds everything that is mapped; or
 * ERR_PTR(-EINVAL, -EOPNOTSUPP, -ENOMEM, -EINTR, -E2BIG), with nothing made.
 */
struct iofd_table *iofd_table_for(struct iofd_space *space,
				  struct iofd_pdev *pdev,
				  struct iofd_new_tables *new);

#define IOFD_TABLE_NEST_PARENT	0x1u	/* users' tables are to be nested over it */
#define IOFD_TABLE_DIRTY	0x2u	/* tracks what is written, and is nobody's yet */

/**
 * iofd_table_of_ours() - the same for a table that we fill
 * @space: its lock is held
 * @pdev: the device
 * @what: IOFD_TABLE_*
 * @new: as iofd_table_for() has it
 */
struct iofd_table *iofd_table_of_ours(struct iofd_space *space,
				      struct iofd_pdev *pdev, unsigned int what,
				      struct iofd_new_tables *new);

/** iofd_table_fits() - can a device be attached to a table? */
static inline bool iofd_table_fits(const struct iofd_table *table,
				   const struct iofd_pdev *pdev)
{
	const struct iofd_hw_ops *ops = pdev->hd->ops;

	return table->pt->ops == ops && ops->pt_fits(table->pt, pdev->hd);
}

/** iofd_tables_keep() - a device is attached to a table that was made */
void iofd_tables_keep(struct iofd_new_tables *new);

/** iofd_tables_drop() - no device is attached to a table that was made */
void iofd_tables_drop(struct iofd_new_tables *new);

/**
 * iofd_tables_make_small() - write the store of a root again, with small leaves
 * @space: its lock is held; it has a store, and small_leaves is set
 *
 * Return: 0; -ENOMEM, -EINTR: it is as before.
 */
int iofd_tables_make_small(struct iofd_space *space);

/**
 * struct iofd_tables_info - what all hardware tables of a space have in common
 * @nr: how many there are
 * @nr_nested: those of them that are users' own
 * @pgsize_bitmap: leaf sizes
 * @snoop_enforced: all DMA through any of them snoops
 *
 * Without any, what the first one might have at most.
 */
struct iofd_tables_info {
	unsigned int nr;
	unsigned int nr_nested;
	u64 pgsize_bitmap;
	bool snoop_enforced;
};

/** iofd_tables_info() - fill that in for a space whose lock is held */
void iofd_tables_info(struct iofd_space *space, struct iofd_tables_info *info);

/** iofd_tables_free() - free all tables of a space that nothing is attached to */
void iofd_tables_free(struct iofd_space *space);

/** iofd_space_set_last() - recompute iofd_space.addr_last */
void iofd_space_set_last(struct iofd_space *space);

/**
 * iofd_space_primary() - the table that keeps the physical addresses
 * @space: a root; its lock is held
 *
 * Return: the table, made if there was none, or ERR_PTR(-ENOMEM).
 */
struct iofd_table *iofd_space_primary(struct iofd_space *space);

/**
 * iofd_space_drop_primary() - take back what iofd_space_primary() has just made
 * @space: its lock is held; it has a primary, and nothing is mapped
 */
void iofd_space_drop_primary(struct iofd_space *space);

/** iofd_table_keeps_runs() - can physical addresses be read back from it? */
static inline bool iofd_table_keeps_runs(const struct iofd_table *table)
{
	return table->pt->ops->reap;
}

/** iofd_table_is_ours() - is it filled by us, and not a user's own? */
static inline bool iofd_table_is_ours(const struct iofd_table *table)
{
	return !table->pt->parent;
}

/** iofd_pt_map_pages() - iofd_pt_map() with small leaves */
int iofd_pt_map_pages(struct iofd_hw_pt *pt, u64 iova, phys_addr_t phys,
		      size_t bytes, unsigned int prot);

/**
 * iofd_pt_map() - write a run to a table
 * @pt: the table
 * @small_leaves: with leaves of PAGE_SIZE
 * @iova: first address
 * @phys: physical address
 * @bytes: length
 * @prot: IOFD_READ | IOFD_WRITE
 *
 * Return: as @map of struct iofd_hw_ops.
 */
static inline int iofd_pt_map(struct iofd_hw_pt *pt, bool small_leaves, u64 iova,
			      phys_addr_t phys, size_t bytes, unsigned int prot)
{
	if (likely(!small_leaves))
		return pt->ops->map(pt, iova, phys, bytes, prot);
	return iofd_pt_map_pages(pt, iova, phys, bytes, prot);
}

/**
 * iofd_tables_map() - write a run to all tables of a space that are ours
 * @space: its lock is held
 * @first: first address
 * @phys: physical address
 * @bytes: length; what is beyond the reach of a table is left out there
 * @prot: IOFD_READ | IOFD_WRITE
 *
 * Return: 0 or -ENOMEM, with a part of it written.
 */
int iofd_tables_map(struct iofd_space *space, u64 first, phys_addr_t phys,
		    size_t bytes, unsigned int prot);

/** iofd_tables_sync() - make what was mapped in [first, last] visible */
void iofd_tables_sync(struct iofd_space *space, u64 first, u64 last);

/** iofd_tables_revoke() - take access to [first, last] away; then flush */
void iofd_tables_revoke(struct iofd_space *space, u64 first, u64 last);

/** iofd_tables_flush() - and then, of a child's tables, clear what was revoked */
void iofd_tables_flush(struct iofd_space *space, u64 first, u64 last);

/** iofd_tables_clear() - clear what was revoked and flushed in [first, last] */
void iofd_tables_clear(struct iofd_space *space, u64 first, u64 last);

/* store.c */

/** iofd_store_alloc() - a page table that no hardware walks; ERR_PTR(-ENOMEM) */
struct iofd_hw_pt *iofd_store_alloc(void);

/** iofd_store_addr_last() - highest address that it can hold */
u64 iofd_store_addr_last(void);

/** iofd_store_is() - is a table such a one? */
bool iofd_store_is(const struct iofd_hw_pt *pt);

/* map.c */

/**
 * struct iofd_map_request - one MAP_DMA
 * @file: memfd or hugetlbfs file, or NULL for the caller's memory
 * @source: address, or offset in @file
 * @length: bytes
 * @iova: in for fixed, out
 * @prot: IOFD_READ | IOFD_WRITE
 * @fixed: use @iova as it is
 */
struct iofd_map_request {
	struct file *file;
	u64 source;
	u64 length;
	u64 iova;
	unsigned int prot;
	bool fixed;
};

/**
 * iofd_space_map() - map memory
 * @space: kernel-managed, root or child
 * @req: what
 *
 * Return: 0 or an errno as documented at struct iommu_map_dma.
 */
int iofd_space_map(struct iofd_space *space, struct iofd_map_request *req);

/**
 * iofd_map_place() - check or choose the address of a mapping
 * @space: its lock is held
 * @req: its iova is checked when it is fixed, else chosen
 * @next: receives the mapping behind it, for iofd_iova_insert()
 *
 * Return: 0, -EINVAL, -EEXIST, -ENOSPC, -EINTR.
 */
int iofd_map_place(struct iofd_space *space, struct iofd_map_request *req,
		   struct iofd_mapping **next);

/** iofd_mapping_alloc() - a mapping that is not charged; NULL without memory */
struct iofd_mapping *iofd_mapping_alloc(void);

/** iofd_mapping_free() - free a mapping that is not charged, or NULL */
void iofd_mapping_free(struct iofd_mapping *mapping);

/**
 * iofd_space_unmap() - unmap whole mappings
 * @space: where
 * @first: first byte
 * @last: last byte
 * @unmapped: receives the sum of the mappings' lengths
 *
 * Return: 0 (with nothing there too); -EINVAL when the range would cut a
 * mapping; -ENOENT when the space is gone; -EINTR.
 */
int iofd_space_unmap(struct iofd_space *space, u64 first, u64 last,
		     u64 *unmapped);

/**
 * iofd_space_withdraw() - let no device reach a range any more
 * @space: a root; its lock is held
 * @first: first address
 * @last: last address; neither end cuts a mapping
 *
 * Neither through a space below. The pages are still known to its primary.
 */
void iofd_space_withdraw(struct iofd_space *space, u64 first, u64 last);

/** iofd_space_unmap_all() - empty a space whose lock is held */
void iofd_space_unmap_all(struct iofd_space *space);

int iofd_map_init(void);
void iofd_map_exit(void);

/* cut.c */

/**
 * iofd_space_cut() - let no mapping cross the ends of a range
 * @space: a root
 * @first: first byte of the range
 * @last: last byte
 *
 * A mapping that crosses an end becomes two, which translate as before. Nothing
 * is cut where leaves may be large.
 *
 * Return: 0; -EINVAL where a cut would not be at a page's boundary, or in a
 * mapping that shares its pages with another; -ENOMEM; -ENOENT when the space is
 * gone; -EINTR. On failure nothing is cut.
 */
int iofd_space_cut(struct iofd_space *space, u64 first, u64 last);

/* iova.c */

/**
 * iofd_iova_overlap() - find the lowest mapping that meets a range
 * @space: its lock is held
 * @first: first byte
 * @last: last byte
 */
struct iofd_mapping *iofd_iova_overlap(struct iofd_space *space, u64 first,
				       u64 last);

/**
 * iofd_iova_vacant() - is nothing mapped in a range?
 * @space: its lock is held
 * @first: first byte
 * @last: last byte
 * @next: receives the mapping behind the range, or NULL, if so
 */
bool iofd_iova_vacant(struct iofd_space *space, u64 first, u64 last,
		      struct iofd_mapping **next);

/**
 * iofd_iova_insert() - add a mapping that overlaps none
 * @space: its lock is held
 * @mapping: the mapping
 * @next: the one behind it, from iofd_iova_vacant() or iofd_iova_find_gap()
 *	under the same lock
 */
void iofd_iova_insert(struct iofd_space *space, struct iofd_mapping *mapping,
		      struct iofd_mapping *next);

/** iofd_iova_remove() - take a mapping out */
void iofd_iova_remove(struct iofd_space *space, struct iofd_mapping *mapping);

/** iofd_iova_next() - the mapping after this one, or NULL */
struct iofd_mapping *iofd_iova_next(struct iofd_mapping *mapping);

/**
 * iofd_iova_find_gap() - choose an address
 * @space: its lock is held
 * @length: bytes
 * @align: power of two
 * @phase: the address is @phase modulo @align
 * @iova: receives it
 * @next: receives the mapping behind it, or NULL
 *
 * Return: 0, -ENOSPC or -EINTR.
 */
int iofd_iova_find_gap(struct iofd_space *space, u64 length, u64 align,
		       u64 phase, u64 *iova, struct iofd_mapping **next);

/**
 * iofd_iova_permitted() - may there be mappings in all of a range?
 * @space: its lock is held, attach_lock is not
 * @first: first byte
 * @last: last byte
 */
bool iofd_iova_permitted(struct iofd_space *space, u64 first, u64 last);

/**
 * iofd_iova_permitted_from() - the lowest permitted range that ends at or after
 * an address
 * @space: its lock is held, attach_lock is not
 * @from: the address
 * @range: receives it, cut off below @from
 *
 * Return: false when there is none.
 */
bool iofd_iova_permitted_from(struct iofd_space *space, u64 from,
			      struct iommu_ioasid_range *range);

/**
 * iofd_iova_ranges() - all permitted ranges, ascending and disjoint
 * @space: its lock is held
 * @ranges: receives an array to be freed with kfree()
 *
 * Return: how many, or -ENOMEM.
 */
int iofd_iova_ranges(struct iofd_space *space,
		     struct iommu_ioasid_range **ranges);

/* pin.c */

/**
 * struct iofd_pinner - user memory that is being pinned from start to end
 * @addr: next address in the caller's memory
 * @gup_flags: FOLL_*
 * @temp_addr: mapping of a file that is undone at the end, or 0
 * @temp_bytes: its length
 */
struct iofd_pinner {
	unsigned long addr;
	unsigned int gup_flags;
	unsigned long temp_addr;
	unsigned long temp_bytes;
};

struct page;

/** iofd_pin_start() - prepare to pin what @req asks for; 0 or an errno */
int iofd_pin_start(struct iofd_pinner *pinner,
		   const struct iofd_map_request *req);

/**
 * iofd_pin_batch() - pin the next pages
 * @pinner: started
 * @npages: wanted
 * @pages: receives them
 *
 * Return: how many were pinned, at least 1, or -EFAULT, -ENOMEM, -EINTR.
 */
long iofd_pin_batch(struct iofd_pinner *pinner, unsigned long npages,
		    struct page **pages);

/** iofd_pin_end() - done, whatever happened in between */
void iofd_pin_end(struct iofd_pinner *pinner);

/** iofd_unpin_run() - unpin physically contiguous pages */
void iofd_unpin_run(phys_addr_t phys, size_t bytes, unsigned int prot);

#endif /* IOFD_CORE_SPACE_H */
