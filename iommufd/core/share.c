// SPDX-License-Identifier: GPL-2.0-only
/*
 * COPY: mappings that share pinned pages.
 *
 * The physical addresses go from one space's tables to the other's, with both
 * locked. That pages stay pinned for both is remembered by a struct iofd_share,
 * which mappings get when they are copied for the first time.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "core/compose.h"
#include "core/share.h"

/**
 * struct copy - a COPY on its way
 * @req: the request
 * @shift: from an address of the source to one of the copy
 * @done: end of what has been written to tables of the copy, or may have been
 * @nr: mappings of the source
 */
struct copy {
	struct iofd_copy_request *req;
	u64 shift;
	u64 done;
	unsigned long nr;
};

static u64 source_last(const struct iofd_copy_request *req)
{
	return req->source + (req->length - 1);
}

static struct iofd_mapping *source_first(const struct iofd_copy_request *req)
{
	return iofd_iova_overlap(req->from, req->source, source_last(req));
}

#define for_each_source(req, m)						\
	for (m = source_first(req); m && m->first <= source_last(req);	\
	     m = iofd_iova_next(m))

unsigned int iofd_share_leave(struct iofd_space *space, struct iofd_mapping *m)
{
	struct iofd_share *share = iofd_mapping_share(m);
	unsigned int prot;

	iofd_space_assert_locked(space);

	space->nr_shared--;
	if (!refcount_dec_and_test(&share->refs)) {
		m->owner = 0;
		return 0;
	}
	prot = share->prot;
	m->owner = (unsigned long)share->account |
		   (m->owner & IOFD_OWNER_FILE);
	kfree(share);
	return prot;
}

/* A mapping alone with its share is one without. */
static void unshare(struct iofd_space *space, struct iofd_mapping *m)
{
	struct iofd_share *share = iofd_mapping_share(m);

	if (share && refcount_read(&share->refs) == 1)
		iofd_share_leave(space, m);
}

static int take_prot(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
		     unsigned int prot)
{
	*(unsigned int *)arg = prot;
	return 1;
}

/* What @m was pinned for: one that shares nothing is mapped for that. */
static unsigned int pinned_for(struct iofd_space *space,
			       const struct iofd_mapping *m)
{
	struct iofd_share *share = iofd_mapping_share(m);
	struct iofd_hw_pt *pt = space->primary->pt;
	unsigned int prot = 0;

	if (share)
		return share->prot;
	pt->ops->for_each_run(pt, m->first, m->first + (PAGE_SIZE - 1),
			      take_prot, &prot);
	return prot;
}

static int share_with(struct iofd_space *space, struct iofd_mapping *m)
{
	struct iofd_share *share;

	if (iofd_mapping_share(m))
		return 0;
	share = kzalloc(sizeof(*share), GFP_KERNEL_ACCOUNT);
	if (!share)
		return -ENOMEM;
	refcount_set(&share->refs, 1);
	share->prot = pinned_for(space, m);
	share->account = iofd_mapping_account(m);
	m->owner = (unsigned long)share | IOFD_OWNER_SHARE |
		   (m->owner & IOFD_OWNER_FILE);
	space->nr_shared++;
	return 0;
}

/* Whole mappings without a hole, and with the permissions? */
static int check_source(struct copy *copy)
{
	const struct iofd_copy_request *req = copy->req;
	u64 expected = req->source;
	struct iofd_mapping *m;

	for_each_source(req, m) {
		if (m->first > expected)
			return -ENOENT;
		if (m->first < req->source || m->last > source_last(req))
			return -EINVAL;
		if (req->prot & IOFD_WRITE &&
		    !(pinned_for(req->from, m) & IOFD_WRITE))
			return -EPERM;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		expected = m->last + 1;
		copy->nr++;
	}
	/* 0 for the end of all addresses, too. */
	return expected == source_last(req) + 1 ? 0 : -ENOENT;
}

static int write_run(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
		     unsigned int prot)
{
	struct copy *copy = arg;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	iova += copy->shift;
	copy->done = iova + bytes;
	return iofd_tables_map(copy->req->to, iova, phys, bytes,
			       copy->req->prot);
}

/* Write what @m maps to all tables of the copy, and share it with @new. */
static int copy_one(struct copy *copy, struct iofd_mapping *m,
		    struct iofd_mapping *new)
{
	struct iofd_copy_request *req = copy->req;
	struct iofd_hw_pt *pt = req->from->primary->pt;
	int rc;

	rc = share_with(req->from, m);
	if (rc)
		return rc;
	rc = pt->ops->for_each_run(pt, m->first, m->last, write_run, copy);
	if (rc)
		return rc;
	new->first = m->first + copy->shift;
	new->last = m->last + copy->shift;
	new->owner = m->owner;
	refcount_inc(&iofd_mapping_share(m)->refs);
	return 0;
}

/*
 * Mappings that have not been inserted hang on one another by rb_right: they have
 * no room for more.
 */
static struct iofd_mapping *take_spare(struct rb_node **spares)
{
	struct rb_node *node = *spares;

	*spares = node->rb_right;
	return rb_entry(node, struct iofd_mapping, node);
}

static void give_spare(struct rb_node **spares, struct iofd_mapping *m)
{
	m->node.rb_right = *spares;
	*spares = &m->node;
}

static int make_spares(struct rb_node **spares, unsigned long nr)
{
	while (nr--) {
		struct iofd_mapping *m = iofd_mapping_alloc();

		if (!m)
			return -ENOMEM;
		give_spare(spares, m);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* Take out what has been copied up to copy->done, mappings and all. */
static void undo(struct copy *copy)
{
	struct iofd_copy_request *req = copy->req;
	struct iofd_space *to = req->to;
	struct iofd_mapping *m, *next;
	struct iofd_table *table;
	u64 last = copy->done - 1;

	if (copy->done != req->iova) {
		iofd_space_withdraw(to, req->iova, last);
		list_for_each_entry(table, &to->tables, list)
			if (iofd_table_keeps_runs(table))
				table->pt->ops->reap(table->pt, req->iova, last,
						     NULL, NULL);
	}
	for (m = iofd_iova_overlap(to, req->iova, req->iova + (req->length - 1));
	     m && m->first <= req->iova + (req->length - 1); m = next) {
		next = iofd_iova_next(m);
		iofd_iova_remove(to, m);
		iofd_share_leave(to, m);
		iofd_mapping_free(m);
	}
	for_each_source(req, m)
		unshare(req->from, m);
}

static int place(struct iofd_copy_request *req, struct iofd_mapping **next)
{
	struct iofd_map_request where = {
		.source = req->source,
		.length = req->length,
		.iova = req->iova,
		.fixed = req->fixed,
	};
	int rc = iofd_map_place(req->to, &where, next);

	req->iova = where.iova;
	return rc;
}

static int copy_all(struct copy *copy, struct iofd_mapping *next,
		    struct rb_node **spares)
{
	struct iofd_copy_request *req = copy->req;
	u64 last = req->iova + (req->length - 1);
	struct iofd_mapping *m, *new, *end;
	unsigned long nr = copy->nr;
	int rc = 0;

	copy->shift = req->iova - req->source;
	copy->done = req->iova;
	/* In the same space the source may be followed by what is new. */
	for (m = source_first(req); nr; nr--, m = end) {
		end = iofd_iova_next(m);
		new = take_spare(spares);
		rc = copy_one(copy, m, new);
		if (rc) {
			give_spare(spares, new);
			break;
		}
		iofd_iova_insert(req->to, new, next);
		req->to->nr_shared++;
	}
	if (!rc) {
		iofd_tables_sync(req->to, req->iova, last);
		rc = iofd_compose_added(req->to, req->iova, last);
	}
	if (rc)
		undo(copy);
	return rc;
}

static int copy_locked(struct iofd_copy_request *req, struct rb_node **spares)
{
	struct copy copy = { .req = req };
	bool had_primary = req->to->primary;
	struct iofd_mapping *next;
	struct iofd_table *primary;
	int rc;

	iofd_space_assert_locked(req->from);
	iofd_space_assert_locked(req->to);

	if (req->from->dead || req->to->dead)
		return -ENOENT;
	rc = check_source(&copy);
	if (rc)
		return rc;
	primary = iofd_space_primary(req->to);
	if (IS_ERR(primary))
		return PTR_ERR(primary);
	rc = place(req, &next);
	if (rc)
		goto err_primary;
	rc = make_spares(spares, copy.nr);
	if (!rc)
		rc = copy_all(&copy, next, spares);
	if (!rc)
		return 0;
	/* The address that was chosen is free for the next one. */
	req->to->gap_from = min(req->to->gap_from, req->iova);
err_primary:
	if (!had_primary)
		iofd_space_drop_primary(req->to);
	return rc;
}

/* Two trees of spaces are locked in the order of their addresses. */
static int lock_both(struct iofd_space *a, struct iofd_space *b)
{
	if (a > b)
		swap(a, b);
	if (iofd_space_lock(a))
		return -EINTR;
	if (a == b)
		return 0;
	if (!mutex_lock_killable_nested(&b->lock, SINGLE_DEPTH_NESTING))
		return 0;
	iofd_space_unlock(a);
	return -EINTR;
}

static int check_request(const struct iofd_copy_request *req)
{
	u64 mask = req->source | req->length | (req->fixed ? req->iova : 0);

	if (!req->length || mask & ~PAGE_MASK)
		return -EINVAL;
	if (source_last(req) < req->source ||
	    (req->fixed && req->iova + (req->length - 1) < req->iova))
		return -EINVAL;
	return req->length > (1ULL << 62) ? -EINVAL : 0;
}

int iofd_space_copy(struct iofd_copy_request *req)
{
	struct rb_node *spares = NULL;
	int rc;

	rc = check_request(req);
	if (rc)
		return rc;
	rc = lock_both(req->from, req->to);
	if (rc)
		return rc;
	rc = copy_locked(req, &spares);
	iofd_space_unlock(req->from);
	if (req->from != req->to)
		iofd_space_unlock(req->to);
	while (spares)
		iofd_mapping_free(take_spare(&spares));
	return rc;
}
