// SPDX-License-Identifier: GPL-2.0-only
/*
 * Composition: the tables of a child hold, for devices whose hardware does not
 * walk child and parent itself, what walking the one and then the other gives.
 *
 * What a child depends on is kept as links, found by the child's addresses when
 * the child changes and by the parent's when the parent does. A change runs down
 * the tree: what a parent loses is taken from all below it and flushed there,
 * before it is taken from the parent; what a parent gains is given to all below.
 *
 * A run that is written to a table never crosses the end of a mapping of any
 * space above, nor of a link: so whatever is taken away again is one or more
 * whole runs.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "core/compose.h"

/*
 * Pages that a space may translate for each that its root maps, and some: a
 * child of a child; and a user's table, in which one entry is worth as many
 * pages of ours as the memory behind it is scattered.
 */
#define LINKED_A_PAGE		64
#define LINKED_A_PAGE_USER	1024
#define LINKED_MIN		(1UL << 22)

static struct kmem_cache *link_cache;

struct iofd_link *iofd_link_alloc(u64 first, u64 last, u64 parent_first,
				  u64 parent_last)
{
	struct iofd_link *link;

	link = kmem_cache_zalloc(link_cache, GFP_KERNEL_ACCOUNT);
	if (!link)
		return NULL;
	link->child.start = first;
	link->child.last = last;
	link->parent.start = parent_first;
	link->parent.last = parent_last;
	INIT_LIST_HEAD(&link->list);
	return link;
}

void iofd_link_free(struct iofd_link *link)
{
	if (link)
		kmem_cache_free(link_cache, link);
}

static struct iofd_link *by_child(struct interval_tree_node *node)
{
	return container_of(node, struct iofd_link, child);
}

static struct iofd_link *by_parent(struct interval_tree_node *node)
{
	return container_of(node, struct iofd_link, parent);
}

#define for_each_link_node(node, tree, first, last)				\
	for (node = interval_tree_iter_first(tree, first, last); node;	\
	     node = interval_tree_iter_next(node, first, last))

/* The part of a leaf's child range that [first, last] of the parent is behind. */
static void child_part(const struct iofd_link *link, u64 first, u64 last,
		       u64 *child_first, u64 *child_last)
{
	u64 shift = link->child.start - link->parent.start;

	*child_first = max_t(u64, first, link->parent.start) + shift;
	*child_last = min_t(u64, last, link->parent.last) + shift;
}

bool iofd_links_admit(const struct iofd_space *space, u64 bytes)
{
	u64 a_page = LINKED_A_PAGE, limit;

	iofd_space_assert_locked(space);

	if (space->depth < 2) {
		/* Each of its mappings is a command of its own. */
		if (!iofd_space_user_managed(space))
			return true;
		a_page = LINKED_A_PAGE_USER;
	}
	limit = space->root->nr_pages * a_page + LINKED_MIN;
	return space->nr_linked + (bytes >> PAGE_SHIFT) <= limit;
}

/* Pages that a link translates. */
static u64 pages_of(const struct iofd_link *link)
{
	return link->level ? 0 :
	       (link->child.last - link->child.start + 1) >> PAGE_SHIFT;
}

void iofd_link_add(struct iofd_space *space, struct iofd_link *link)
{
	iofd_space_assert_locked(space);

	interval_tree_insert(&link->child, &space->links);
	interval_tree_insert(&link->parent, &space->links_by_parent);
	space->nr_links++;
	space->nr_linked += pages_of(link);
}

void iofd_link_del(struct iofd_space *space, struct iofd_link *link)
{
	iofd_space_assert_locked(space);

	interval_tree_remove(&link->child, &space->links);
	interval_tree_remove(&link->parent, &space->links_by_parent);
	space->nr_links--;
	space->nr_linked -= pages_of(link);
	iofd_link_free(link);
}

/**
 * struct resolve_step - from one space to the one above it
 * @fn: receives runs at addresses of the space below
 * @arg: for @fn
 * @shift: of an address below against one above
 * @prot: what the link gives
 */
struct resolve_step {
	iofd_run_fn fn;
	void *arg;
	u64 shift;
	unsigned int prot;
};

static int resolve_run(void *arg, u64 addr, phys_addr_t phys, size_t bytes,
		       unsigned int prot)
{
	const struct resolve_step *step = arg;

	prot &= step->prot;
	return prot ? step->fn(step->arg, addr + step->shift, phys, bytes, prot) :
		      0;
}

static int resolve_root(struct iofd_space *space, u64 first, u64 last,
			iofd_run_fn fn, void *arg)
{
	struct iofd_mapping *m = iofd_iova_overlap(space, first, last);
	int rc;

	for (; m && m->first <= last; m = iofd_iova_next(m)) {
		struct iofd_hw_pt *pt = space->primary->pt;

		rc = pt->ops->for_each_run(pt, max(first, m->first),
					   min(last, m->last), fn, arg);
		if (rc)
			return rc;
	}
	return 0;
}

int iofd_resolve(struct iofd_space *space, u64 first, u64 last, iofd_run_fn fn,
		 void *arg)
{
	struct interval_tree_node *node;
	bool first_leaf = true;
	int rc;

	iofd_space_assert_locked(space);

	if (!space->parent)
		return resolve_root(space, first, last, fn, arg);
	for_each_link_node(node, &space->links, first, last) {
		struct iofd_link *link = by_child(node);
		struct resolve_step step = {
			.fn = fn,
			.arg = arg,
			.shift = link->child.start - link->parent.start,
			.prot = link->prot,
		};

		if (link->level)
			continue;
		/* There may be nothing behind it that @fn would be called for. */
		if (!first_leaf && fatal_signal_pending(current))
			return -EINTR;
		first_leaf = false;
		cond_resched();
		rc = iofd_resolve(space->parent,
				  max_t(u64, first, node->start) - step.shift,
				  min_t(u64, last, node->last) - step.shift,
				  resolve_run, &step);
		if (rc)
			return rc;
	}
	return 0;
}

static int fill_run(void *arg, u64 addr, phys_addr_t phys, size_t bytes,
		    unsigned int prot)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return iofd_tables_map(arg, addr, phys, bytes, prot);
}

static bool has_tables(const struct iofd_space *space)
{
	return !list_empty(&space->tables);
}

/* [first, last] of a child, in which nothing was, leads somewhere through @link. */
static int fill(struct iofd_space *space, const struct iofd_link *link,
		u64 first, u64 last)
{
	struct resolve_step step = {
		.fn = fill_run,
		.arg = space,
		.shift = link->child.start - link->parent.start,
		.prot = link->prot,
	};
	int rc = 0;

	if (has_tables(space))
		rc = iofd_resolve(space->parent, first - step.shift,
				  last - step.shift, resolve_run, &step);
	return rc ?: iofd_compose_added(space, first, last);
}

int iofd_links_fill(struct iofd_space *space, struct iofd_link *link)
{
	return fill(space, link, link->child.start, link->child.last);
}

static int child_added(struct iofd_space *space, u64 first, u64 last)
{
	u64 from = U64_MAX, to = 0, walk_from = U64_MAX, walk_to = 0;
	struct interval_tree_node *node;
	int rc;

	for_each_link_node(node, &space->links_by_parent, first, last) {
		struct iofd_link *link = by_parent(node);
		u64 child_first, child_last;

		if (link->level) {
			/* A page of the user's table is back: see what it says. */
			walk_from = min_t(u64, walk_from, link->child.start);
			walk_to = max_t(u64, walk_to, link->child.last);
			continue;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		child_part(link, first, last, &child_first, &child_last);
		from = min(from, child_first);
		to = max(to, child_last);
		rc = fill(space, link, child_first, child_last);
		if (rc)
			return rc;
	}
	if (from <= to)
		iofd_tables_sync(space, from, to);
	if (walk_from > walk_to)
		return 0;
	rc = iofd_user_refresh(space, walk_from, walk_to);
	/* A table that makes no sense is the child's trouble, not the parent's. */
	return rc == -E2BIG ? 0 : rc;
}

int iofd_compose_added(struct iofd_space *space, u64 first, u64 last)
{
	struct iofd_space *child;
	int rc;

	list_for_each_entry(child, &space->children, sibling) {
		if (!child->composed)
			continue;
		rc = child_added(child, first, last);
		if (rc)
			return rc;
	}
	return 0;
}

/* Collect what has been read from a page of the user's table, and from below. */
static void collect_below(struct iofd_space *space, struct iofd_link *page,
			  struct list_head *gone)
{
	struct interval_tree_node *node;

	for_each_link_node(node, &space->links, page->child.start, page->child.last) {
		struct iofd_link *link = by_child(node);

		if (link->level < page->level && list_empty(&link->list))
			list_add(&link->list, gone);
		cond_resched();
	}
}

static void del_collected(struct iofd_space *space, struct list_head *gone)
{
	struct iofd_link *link, *next;

	list_for_each_entry_safe(link, next, gone, list) {
		iofd_link_del(space, link);
		cond_resched();
	}
}

static void child_removed(struct iofd_space *space, u64 first, u64 last)
{
	struct interval_tree_node *node;
	u64 from = U64_MAX, to = 0;
	LIST_HEAD(gone);

	for_each_link_node(node, &space->links_by_parent, first, last) {
		struct iofd_link *link = by_parent(node);
		u64 child_first = link->child.start;
		u64 child_last = link->child.last;

		link->page = NULL;
		if (link->level)
			collect_below(space, link, &gone);
		else
			child_part(link, first, last, &child_first, &child_last);
		iofd_compose_removed(space, child_first, child_last);
		iofd_tables_revoke(space, child_first, child_last);
		from = min(from, child_first);
		to = max(to, child_last);
		cond_resched();
	}
	if (from > to)
		return;
	iofd_tables_flush(space, from, to);
	iofd_tables_clear(space, from, to);
	del_collected(space, &gone);
}

void iofd_compose_removed(struct iofd_space *space, u64 first, u64 last)
{
	struct iofd_space *child;

	iofd_space_assert_locked(space);

	list_for_each_entry(child, &space->children, sibling)
		if (child->composed)
			child_removed(child, first, last);
}

void iofd_links_remove(struct iofd_space *space, u64 first, u64 last)
{
	struct interval_tree_node *node;

	iofd_space_assert_locked(space);

	iofd_compose_removed(space, first, last);
	if (has_tables(space)) {
		iofd_tables_revoke(space, first, last);
		iofd_tables_flush(space, first, last);
		iofd_tables_clear(space, first, last);
	}
	while ((node = interval_tree_iter_first(&space->links, first, last))) {
		iofd_link_del(space, by_child(node));
		cond_resched();
	}
}

int iofd_compose_init(void)
{
	link_cache = KMEM_CACHE(iofd_link, SLAB_ACCOUNT);
	return link_cache ? 0 : -ENOMEM;
}

void iofd_compose_exit(void)
{
	kmem_cache_destroy(link_cache);
}
