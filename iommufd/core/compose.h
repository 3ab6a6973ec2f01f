/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Children: address spaces that translate into another's addresses. What they
 * depend on in their parent, and how they follow it. Private to the core and to
 * the front doors in abi/. Locks and lock letters are those of core.h.
 */
#ifndef IOFD_CORE_COMPOSE_H
#define IOFD_CORE_COMPOSE_H

#include <linux/interval_tree.h>
#include "core/space.h"

/* Address spaces on top of one another: what walks them recurses. */
#define IOFD_MAX_DEPTH	8

/**
 * struct iofd_link - what a range of a child depends on in its parent
 * @child: (s) in iofd_space.links; the range of the child's addresses
 * @parent: (s) in iofd_space.links_by_parent; a range of the parent's addresses
 * @list: (s) while it is coming or going
 * @page: (s) of a page of the user's table: its kernel address while it is known
 *	to be mapped by all spaces above, else NULL
 * @page_writable: (s) see @page
 * @generation: (s) iofd_space.generation when the user's table said so last
 * @prot: (c) a leaf: IOFD_READ | IOFD_WRITE
 * @level: (c) 0: a leaf, which translates @child into @parent; otherwise @parent
 *	is a page of the user's table of that level, which all of @child
 *	depends on
 *
 * A kernel-managed child has a leaf for each mapping; a user-managed one that
 * the kernel composes, one for each leaf entry of the user's table, and besides
 * one for each page of it.
 */
struct iofd_link {
	struct interval_tree_node child;
	struct interval_tree_node parent;
	struct list_head list;
	u64 *page;
	u32 generation;
	u8 prot;
	u8 level;
	bool page_writable;
};

/* compose.c */

/**
 * iofd_resolve() - hand the memory behind a range of a space to a function
 * @space: its lock is held; a child: composed
 * @first: first address
 * @last: last address
 * @fn: receives physical runs in ascending order; none goes beyond one mapping
 *	of this space or of any above it
 * @arg: for @fn
 *
 * Return: 0, or what @fn returned when that was not 0.
 */
int iofd_resolve(struct iofd_space *space, u64 first, u64 last, iofd_run_fn fn,
		 void *arg);

/**
 * iofd_compose_added() - a range of a space leads somewhere now
 * @space: its lock is held
 * @first: first address
 * @last: last address; nothing in the range led anywhere before
 *
 * Brings all spaces below up to date.
 *
 * Return: 0; -ENOMEM, -EINTR: take it back with iofd_compose_removed(). A user's
 * table that went wrong translates nothing then.
 */
int iofd_compose_added(struct iofd_space *space, u64 first, u64 last);

/**
 * iofd_compose_removed() - a range of a space is about to lead nowhere
 * @space: its lock is held
 * @first: first address
 * @last: last address
 *
 * When it returns, no device that is attached to a space below, and composed
 * there, reaches anything through the range. Cannot fail, needs no memory.
 */
void iofd_compose_removed(struct iofd_space *space, u64 first, u64 last);

/**
 * iofd_links_admit() - may a child translate so much more?
 * @space: the child; its lock is held
 * @bytes: length of a leaf that is about to be added
 *
 * In a child of a child the same page can show in as many places as one says
 * times as many as the other does: with a few links at each depth that is more
 * than anybody could visit when the page goes. And an entry of a user's table for
 * 1 GiB, of which a hostile one has as many as it likes, is 513 pages of ours if
 * the memory is scattered. So what is below a child, and what a user's table says,
 * is limited by what the root maps.
 */
bool iofd_links_admit(const struct iofd_space *space, u64 bytes);

/**
 * iofd_link_add() - a range of a child leads to a range of its parent
 * @space: the child, composed; its lock is held
 * @link: prot, level and both ranges are filled in; belongs to @space from now on
 */
void iofd_link_add(struct iofd_space *space, struct iofd_link *link);

/** iofd_link_del() - the reverse; frees @link, flushes nothing */
void iofd_link_del(struct iofd_space *space, struct iofd_link *link);

/**
 * iofd_links_fill() - let a leaf that is new take effect
 * @space: its lock is held
 * @link: has been added; nothing in its range is in any table
 *
 * iofd_tables_sync() has to follow.
 *
 * Return: as iofd_compose_added(); on failure a part may have taken effect.
 */
int iofd_links_fill(struct iofd_space *space, struct iofd_link *link);

/**
 * iofd_links_remove() - forget links, with everything that they let through
 * @space: the child; its lock is held
 * @first: first address
 * @last: last address; neither end cuts a link
 *
 * When it returns nothing is reached through them. Cannot fail.
 */
void iofd_links_remove(struct iofd_space *space, u64 first, u64 last);

/** iofd_link_alloc() - a link of level 0 without permissions; or NULL */
struct iofd_link *iofd_link_alloc(u64 first, u64 last, u64 parent_first,
				  u64 parent_last);

/** iofd_link_free() - free a link that has not been added, or NULL */
void iofd_link_free(struct iofd_link *link);

int iofd_compose_init(void);
void iofd_compose_exit(void);

/* child.c */

/**
 * iofd_child_map() - MAP_DMA into a child
 * @space: kernel-managed child
 * @req: its source is an address in the parent
 *
 * Return: 0 or an errno as documented at struct iommu_map_dma.
 */
int iofd_child_map(struct iofd_space *space, struct iofd_map_request *req);

/* user_table.c */

/**
 * iofd_user_compose() - begin to compose a user's table in software
 * @space: user-managed; its lock is held
 *
 * Return: 0 (also when it is composed already); -EOPNOTSUPP for a format that
 * only hardware can walk; -ENOMEM; -E2BIG; -EINTR.
 */
int iofd_user_compose(struct iofd_space *space);

/** iofd_user_uncompose() - take back what iofd_user_compose() has just done */
void iofd_user_uncompose(struct iofd_space *space);

/**
 * iofd_user_refresh() - walk a user's table again
 * @space: user-managed, composed; its lock is held
 * @first: first address that may translate otherwise now
 * @last: last address
 *
 * Return: 0; -ENOMEM, -E2BIG, -EINTR: the space translates nothing then, until a
 * refresh of all of it succeeds.
 */
int iofd_user_refresh(struct iofd_space *space, u64 first, u64 last);

/* invalidate.c */

/**
 * struct iofd_invalidation - one entry of INVALIDATE_CACHE
 * @label: device, or NULL for all
 * @pasid: requests with it, or IOFD_ANY_PASID
 * @first: first address
 * @last: last address
 * @leaf: only leaf entries have changed
 */
struct iofd_invalidation {
	const u64 *label;
	u32 pasid;
	u64 first;
	u64 last;
	bool leaf;
};

/**
 * iofd_space_invalidate() - the user has changed its table
 * @space: any; -EOPNOTSUPP unless user-managed
 * @inv: where
 *
 * Return: 0 or an errno as documented at struct iommu_invalidate_cache.
 */
int iofd_space_invalidate(struct iofd_space *space,
			  const struct iofd_invalidation *inv);

#endif /* IOFD_CORE_COMPOSE_H */
