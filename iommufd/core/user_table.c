// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user-managed space whose user's table is composed with the parent by us,
 * because the hardware cannot, or was not to.
 *
 * There is no way to notice that the user writes to the table; it says so with
 * INVALIDATE_CACHE, and then the range is walked again. What is as it was stays
 * in place, so that DMA of the device is not disturbed by changes elsewhere.
 *
 * The user is hostile: a table may point at itself, so that 5 pages of it say
 * more than any memory holds. A table that is a tree has no more pages than its
 * parent maps, and translates to no more pages than that, but for what it
 * maps several times over. So the links of a space are limited by that, with
 * some room.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched/signal.h>
#include "core/compose.h"
#include "hw/pt/fl_user.h"

/* Links that a space may have: some for each page that its root maps, and some */
#define LINKS_A_PAGE	4
#define LINKS_MIN	4096

/**
 * struct refresh - a walk on its way
 * @space: user-managed
 * @fresh: struct iofd_link that are new
 * @nr_fresh: their number
 * @limit: of links
 * @first: where the walk begins
 * @last: where it ends
 * @leaves_first: where the leaves that were found begin
 * @leaves_last: where they end
 */
struct refresh {
	struct iofd_space *space;
	struct list_head fresh;
	unsigned long nr_fresh;
	unsigned long limit;
	u64 first;
	u64 last;
	u64 leaves_first;
	u64 leaves_last;
};

/**
 * struct one_page - the memory behind a page of the parent
 * @phys: physical address
 * @prot: permissions; 0: there is nothing
 */
struct one_page {
	phys_addr_t phys;
	unsigned int prot;
};

static int take_page(void *arg, u64 addr, phys_addr_t phys, size_t bytes,
		     unsigned int prot)
{
	struct one_page *page = arg;

	page->phys = phys;
	page->prot = prot;
	return 1;
}

/* Where the page of the user's table is that @link stands for. */
static void find_page(struct iofd_space *space, struct iofd_link *link)
{
	struct iofd_space *parent = space->parent;
	u64 addr = link->parent.start;
	struct one_page page = {};

	if (addr > parent->addr_last)
		return;
	iofd_resolve(parent, addr, addr + (PAGE_SIZE - 1), take_page, &page);
	/* Pinned by a root above, until iofd_compose_removed(). */
	if (!(page.prot & IOFD_READ) || !pfn_valid(PHYS_PFN(page.phys)))
		return;
	link->page = phys_to_virt(page.phys);
	link->page_writable = page.prot & IOFD_WRITE;
}

/* The link that says exactly this already; there may be none. */
static struct iofd_link *find_link(struct iofd_space *space, u64 first,
				   u64 last, unsigned int level)
{
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(&space->links, first, first); node;
	     node = interval_tree_iter_next(node, first, first)) {
		struct iofd_link *link;

		link = container_of(node, struct iofd_link, child);
		if (node->start == first && node->last == last &&
		    link->level == level)
			return link;
	}
	return NULL;
}

/* The table says that [first, last] depends on [addr, addr + bytes - 1]. */
static struct iofd_link *note(struct refresh *r, u64 first, u64 last, u64 addr,
			      u64 bytes, unsigned int prot, unsigned int level)
{
	struct iofd_space *space = r->space;
	struct iofd_link *link;

	if (fatal_signal_pending(current))
		return ERR_PTR(-EINTR);
	cond_resched();
	link = find_link(space, first, last, level);
	if (link && link->parent.start == addr && link->prot == prot) {
		link->generation = space->generation;
		return link;
	}
	if (space->nr_links + r->nr_fresh >= r->limit)
		return ERR_PTR(-E2BIG);
	link = iofd_link_alloc(first, last, addr, addr + (bytes - 1));
	if (!link)
		return ERR_PTR(-ENOMEM);
	link->prot = prot;
	link->level = level;
	link->generation = space->generation;
	list_add_tail(&link->list, &r->fresh);
	r->nr_fresh++;
	return link;
}

static int note_table(void *arg, u64 addr, u64 first, u64 last,
		      unsigned int level, u64 **page, bool *writable)
{
	struct refresh *r = arg;
	struct iofd_link *link;

	link = note(r, first, last, addr, PAGE_SIZE, 0, level);
	if (IS_ERR(link))
		return PTR_ERR(link);
	if (!link->page)
		find_page(r->space, link);
	*page = link->page;
	*writable = link->page_writable;
	return 0;
}

static int note_leaf(void *arg, u64 first, u64 bytes, u64 addr,
		     unsigned int prot)
{
	struct refresh *r = arg;

	r->leaves_first = min(r->leaves_first, first);
	r->leaves_last = max(r->leaves_last, first + (bytes - 1));
	return PTR_ERR_OR_ZERO(note(r, first, first + (bytes - 1), addr, bytes,
				    prot, 0));
}

static void free_fresh(struct refresh *r)
{
	struct iofd_link *link, *next;

	list_for_each_entry_safe(link, next, &r->fresh, list)
		iofd_link_free(link);
	INIT_LIST_HEAD(&r->fresh);
	r->nr_fresh = 0;
}

/* Hardware forgets a leaf as a whole, and so do we. */
static void widen_to_links(struct refresh *r)
{
	struct interval_tree_node *node;
	u64 first = r->first, last = r->last;

	for (node = interval_tree_iter_first(&r->space->links, first, last);
	     node; node = interval_tree_iter_next(node, first, last)) {
		if (container_of(node, struct iofd_link, child)->level)
			continue;
		r->first = min_t(u64, r->first, node->start);
		r->last = max_t(u64, r->last, node->last);
	}
}

static int walk_range(struct refresh *r)
{
	struct iofd_space *space = r->space;
	struct fl_user user = {
		.root = space->table_addr,
		.levels = space->addr_width_bits == 57 ? 5 : 4,
		.extended_access = space->format_flags & IOMMU_VTD_S1_EAFE,
		.table = note_table,
		.leaf = note_leaf,
		.arg = r,
	};

	r->leaves_first = r->first;
	r->leaves_last = r->last;
	space->generation++;
	return fl_user_walk(&user, r->first, r->last);
}

/*
 * A leaf may be larger than what was there, and reach beyond the range: then what
 * is in its way there has to go as well. The range only grows, and not any more
 * once it is made of whole blocks of the largest leaf.
 */
static int walk(struct refresh *r)
{
	int rc;

	for (;;) {
		widen_to_links(r);
		rc = walk_range(r);
		if (rc || (r->leaves_first == r->first &&
			   r->leaves_last == r->last))
			return rc;
		free_fresh(r);
		r->first = r->leaves_first;
		r->last = r->leaves_last;
	}
}

/* Take out what the walk has not found again. */
static void remove_stale(struct refresh *r)
{
	struct iofd_space *space = r->space;
	struct interval_tree_node *node;
	u64 from = U64_MAX, to = 0;
	struct iofd_link *link, *next;
	LIST_HEAD(stale);

	for (node = interval_tree_iter_first(&space->links, r->first, r->last);
	     node; node = interval_tree_iter_next(node, r->first, r->last)) {
		link = container_of(node, struct iofd_link, child);
		if (link->generation == space->generation)
			continue;
		list_add(&link->list, &stale);
		if (link->level)
			continue;
		iofd_compose_removed(space, node->start, node->last);
		iofd_tables_revoke(space, node->start, node->last);
		from = min_t(u64, from, node->start);
		to = max_t(u64, to, node->last);
		cond_resched();
	}
	if (from <= to) {
		iofd_tables_flush(space, from, to);
		iofd_tables_clear(space, from, to);
	}
	list_for_each_entry_safe(link, next, &stale, list)
		iofd_link_del(space, link);
}

static int add_fresh(struct refresh *r)
{
	struct iofd_space *space = r->space;
	struct iofd_link *link, *next;
	u64 from = U64_MAX, to = 0;
	int rc = 0;

	list_for_each_entry_safe(link, next, &r->fresh, list) {
		if (!link->level &&
		    !iofd_links_admit(space, link->child.last -
					     link->child.start + 1)) {
			rc = -E2BIG;
			break;
		}
		list_del_init(&link->list);
		iofd_link_add(space, link);
		if (link->level)
			continue;
		from = min_t(u64, from, link->child.start);
		to = max_t(u64, to, link->child.last);
		rc = iofd_links_fill(space, link);
		if (rc)
			break;
	}
	if (from <= to)
		iofd_tables_sync(space, from, to);
	return rc;
}

int iofd_user_refresh(struct iofd_space *space, u64 first, u64 last)
{
	struct refresh r = {
		.space = space,
		.fresh = LIST_HEAD_INIT(r.fresh),
		.limit = space->root->nr_pages * LINKS_A_PAGE + LINKS_MIN,
		.first = first,
		.last = min(last, iofd_addr_last(space->addr_width_bits - 1)),
	};
	int rc;

	iofd_space_assert_locked(space);

	if (r.first > r.last)
		return 0;
	rc = walk(&r);
	if (!rc) {
		remove_stale(&r);
		rc = add_fresh(&r);
	}
	if (!rc)
		return 0;
	/* Half of it would be worse than nothing: it could be stale for good. */
	free_fresh(&r);
	iofd_links_remove(space, 0, U64_MAX);
	return rc;
}

int iofd_user_compose(struct iofd_space *space)
{
	int rc;

	iofd_space_assert_locked(space);

	if (space->composed)
		return 0;
	/* Nothing of ours tells one mode of a request from the other. */
	if (space->format != IOMMU_FORMAT_VTD_S1 ||
	    space->format_flags & ~IOMMU_VTD_S1_EAFE)
		return -EOPNOTSUPP;
	space->composed = true;
	rc = iofd_user_refresh(space, 0, U64_MAX);
	if (rc)
		space->composed = false;
	return rc;
}

void iofd_user_uncompose(struct iofd_space *space)
{
	iofd_space_assert_locked(space);

	iofd_links_remove(space, 0, U64_MAX);
	space->composed = false;
}
