// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping and unmapping.
 *
 * Map: choose or check the address, charge, pin in batches, hand physically
 * contiguous runs to every table of the space, insert. Unmap: revoke access in
 * every table, flush, take the runs back from the primary and unpin them. One
 * command flushes once, and unmapping needs no memory.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "compat/compat.h"
#include "core/compose.h"
#include "core/share.h"

/* Pages pinned at once: few come from the stack, many from a page of pointers. */
#define BATCH_SMALL	16UL
#define BATCH_LARGE	(PAGE_SIZE / sizeof(struct page *))

static struct kmem_cache *mapping_cache;

/**
 * struct map_op - a MAP_DMA on its way
 * @space: where
 * @pinner: the memory
 * @primary: the primary table of @space
 * @others: @space has more tables, or wants small leaves
 * @prot: IOFD_READ | IOFD_WRITE
 * @first: first address of the mapping
 * @iova: where the run that is being collected starts
 * @phys: its physical start
 * @bytes: its length so far
 * @run_bytes: length of the run that was written last; it started at @phys
 *	unless another one has been begun
 */
struct map_op {
	struct iofd_space *space;
	struct iofd_pinner pinner;
	struct iofd_hw_pt *primary;
	bool others;
	unsigned int prot;
	u64 first;
	u64 iova;
	phys_addr_t phys;
	size_t bytes;
	size_t run_bytes;
};

/* The primary first: what it holds is what undo_map() finds. */
static noinline int emit_to_all(struct map_op *op, u64 iova, size_t bytes)
{
	bool small = op->space->small_leaves;
	struct iofd_table *table;
	int rc;

	rc = iofd_pt_map(op->primary, small, iova, op->phys, bytes, op->prot);
	if (rc)
		return rc;
	list_for_each_entry(table, &op->space->tables, list) {
		if (table->pt == op->primary)
			continue;
		rc = iofd_pt_map(table->pt, small, iova, op->phys, bytes,
				 op->prot);
		if (rc)
			return rc;
	}
	return 0;
}

/* Write the collected run to all tables. It counts as written even if it fails. */
static inline int emit_run(struct map_op *op)
{
	u64 iova = op->iova;
	size_t bytes = op->bytes;

	op->iova += bytes;
	op->bytes = 0;
	op->run_bytes = bytes;
	if (unlikely(op->others))
		return emit_to_all(op, iova, bytes);
	return op->primary->ops->map(op->primary, iova, op->phys, bytes,
				     op->prot);
}

/* Add pinned pages to the collected run, writing it out where it breaks. */
static int collect_pages(struct map_op *op, struct page **pages, unsigned long n)
{
	struct page **end = pages + n, **start;

	while (pages < end) {
		phys_addr_t phys = PFN_PHYS(page_to_pfn(*pages));
		struct page *next = *pages + 1;
		int rc;

		start = pages++;
		while (pages < end && *pages == next) {
			pages++;
			next++;
		}
		if (op->bytes && op->phys + op->bytes != phys) {
			rc = emit_run(op);
			if (rc) {
				unpin_user_pages(start, end - start);
				return rc;
			}
		}
		if (!op->bytes)
			op->phys = phys;
		op->bytes += (pages - start) << PAGE_SHIFT;
	}
	return 0;
}

static noinline int pin_and_write(struct map_op *op, unsigned long npages)
{
	struct page *small[BATCH_SMALL] __uninitialized, **pages = small;
	unsigned long batch = BATCH_SMALL;
	int rc = 0;

	if (npages > BATCH_SMALL) {
		void *page = (void *)__get_free_page(GFP_KERNEL);

		if (page) {
			pages = page;
			batch = BATCH_LARGE;
		}
	}
	while (npages) {
		long got = iofd_pin_batch(&op->pinner, min(npages, batch),
					  pages);

		if (got < 0) {
			rc = got;
			break;
		}
		rc = collect_pages(op, pages, got);
		if (rc)
			break;
		npages -= got;
		if (npages) {
			if (fatal_signal_pending(current)) {
				rc = -EINTR;
				break;
			}
			cond_resched();
		}
	}
	if (!rc)
		rc = emit_run(op);
	if (pages != small)
		free_page((unsigned long)pages);
	return rc;
}

/* The most frequent request, without what only batches need. */
static int pin_and_write_one(struct map_op *op)
{
	struct page *page;
	long got;

	got = iofd_pin_batch(&op->pinner, 1, &page);
	if (got < 0)
		return got;
	op->phys = PFN_PHYS(page_to_pfn(page));
	op->bytes = PAGE_SIZE;
	return emit_run(op);
}

struct unpin_op {
	u64 bytes;
};

static int unpin_run(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
		     unsigned int prot)
{
	struct unpin_op *op = arg;

	op->bytes += bytes;
	iofd_unpin_run(phys, bytes, prot);
	return 0;
}

/* Inlined, with reap(), where it is the whole of an unmap. */
static __always_inline void withdraw(struct iofd_space *space, u64 first,
				     u64 last)
{
	struct iofd_table *table;

	iofd_space_assert_locked(space);

	/* What is below reaches it through us. */
	iofd_compose_removed(space, first, last);
	list_for_each_entry(table, &space->tables, list)
		table->pt->ops->revoke(table->pt, first, last);
	list_for_each_entry(table, &space->tables, list)
		table->pt->ops->flush(table->pt, first, last);
}

void iofd_space_withdraw(struct iofd_space *space, u64 first, u64 last)
{
	withdraw(space, first, last);
}

/* Forget what has been withdrawn; what the primary held goes to @fn. */
static __always_inline void reap(struct iofd_space *space, u64 first, u64 last,
				 iofd_run_fn fn, void *arg)
{
	struct iofd_table *table;

	list_for_each_entry(table, &space->tables, list) {
		if (table == space->primary)
			table->pt->ops->reap(table->pt, first, last, fn, arg);
		else if (iofd_table_keeps_runs(table))
			table->pt->ops->reap(table->pt, first, last, NULL,
					     NULL);
	}
}

/*
 * Take [first, last] out of the hardware and unpin it: nothing of it is shared.
 * Neither end cuts a mapping. Returns how much the primary held.
 */
static u64 revoke_and_unpin(struct iofd_space *space, u64 first, u64 last)
{
	struct unpin_op op = {};

	withdraw(space, first, last);
	reap(space, first, last, unpin_run, &op);
	return op.bytes;
}

static int unpin_shared_run(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
			    unsigned int prot)
{
	/* As it was pinned, which may be for more than it was mapped here. */
	iofd_unpin_run(phys, bytes, *(unsigned int *)arg);
	return 0;
}

/* The same where mappings share their pages with others. */
static noinline void revoke_and_leave(struct iofd_space *space, u64 first,
				      u64 last)
{
	struct iofd_mapping *m = iofd_iova_overlap(space, first, last);
	struct unpin_op op = {};
	unsigned int prot;

	iofd_space_withdraw(space, first, last);
	for (; m && m->first <= last; m = iofd_iova_next(m)) {
		cond_resched();
		if (!iofd_mapping_share(m)) {
			reap(space, m->first, m->last, unpin_run, &op);
			continue;
		}
		prot = iofd_share_leave(space, m);
		reap(space, m->first, m->last, prot ? unpin_shared_run : NULL,
		     &prot);
	}
}

/*
 * Undo a map that failed. The tables hold a part, from the start on, of what was
 * handed to them; the rest of the last run and what was collected after it are
 * pinned and nowhere to be found but here.
 */
static void undo_map(struct map_op *op)
{
	u64 handed = op->iova - op->first, held = 0;

	if (handed)
		held = revoke_and_unpin(op->space, op->first, op->iova - 1);
	if (held < handed) {
		u64 rest = handed - held;

		/* The failing run was the last one: nothing is collected. */
		iofd_unpin_run(op->phys + op->run_bytes - rest, rest, op->prot);
	} else if (op->bytes) {
		iofd_unpin_run(op->phys, op->bytes, op->prot);
	}
}

static int check_request(const struct iofd_map_request *req)
{
	u64 mask = req->source | req->length;

	if (req->fixed)
		mask |= req->iova;
	if (!req->length || mask & ~PAGE_MASK)
		return -EINVAL;
	if (req->source + (req->length - 1) < req->source ||
	    (req->fixed && req->iova + (req->length - 1) < req->iova))
		return -EINVAL;
	/* Pages are counted in unsigned long and lengths added up in u64. */
	return req->length > (1ULL << 62) ? -EINVAL : 0;
}

int iofd_map_place(struct iofd_space *space, struct iofd_map_request *req,
		   struct iofd_mapping **next)
{
	u64 align = PAGE_SIZE;

	if (req->fixed) {
		u64 last = req->iova + (req->length - 1);

		if (!iofd_iova_permitted(space, req->iova, last))
			return -EINVAL;
		return iofd_iova_vacant(space, req->iova, last, next) ?
			0 : -EEXIST;
	}
	/* Keep the phase of the memory, so that its huge pages stay leaves. */
	if (req->length >= SZ_1G)
		align = SZ_1G;
	else if (req->length >= SZ_2M)
		align = SZ_2M;
	return iofd_iova_find_gap(space, req->length, align,
				  req->source & (align - 1), &req->iova, next);
}

static int map_locked(struct iofd_space *space, struct iofd_map_request *req,
		      struct iofd_mapping *m, struct iofd_account *account)
{
	unsigned long npages = req->length >> PAGE_SHIFT;
	bool had_primary = space->primary;
	struct iofd_table *primary;
	struct iofd_mapping *next;
	struct map_op op __uninitialized;
	int rc;

	iofd_space_assert_locked(space);

	if (space->dead)
		return -ENOENT;
	primary = iofd_space_primary(space);
	if (IS_ERR(primary))
		return PTR_ERR(primary);
	rc = iofd_map_place(space, req, &next);
	if (rc)
		goto err_primary;
	rc = iofd_account_charge(account, npages);
	if (rc)
		goto err_place;

	op.space = space;
	op.primary = primary->pt;
	op.others = !list_is_singular(&space->tables) || space->small_leaves;
	op.prot = req->prot;
	op.first = req->iova;
	op.iova = req->iova;
	op.bytes = 0;
	op.run_bytes = 0;
	rc = iofd_pin_start(&op.pinner, req);
	if (rc)
		goto err_uncharge;
	rc = npages == 1 ? pin_and_write_one(&op) : pin_and_write(&op, npages);
	if (rc)
		undo_map(&op);
	iofd_pin_end(&op.pinner);
	if (rc)
		goto err_uncharge;

	m->first = req->iova;
	m->last = req->iova + (req->length - 1);
	m->owner = (unsigned long)account | (req->file ? IOFD_OWNER_FILE : 0);
	iofd_tables_sync(space, m->first, m->last);
	iofd_iova_insert(space, m, next);
	if (list_empty(&space->children))
		return 0;
	rc = iofd_compose_added(space, m->first, m->last);
	if (!rc)
		return 0;
	revoke_and_unpin(space, m->first, m->last);
	iofd_iova_remove(space, m);

err_uncharge:
	iofd_account_uncharge(account, npages);
err_place:
	/* The address that was chosen is free for the next one. */
	space->gap_from = min(space->gap_from, req->iova);
err_primary:
	if (!had_primary)
		iofd_space_drop_primary(space);
	return rc;
}

struct iofd_mapping *iofd_mapping_alloc(void)
{
	struct iofd_mapping *m;

	m = kmem_cache_alloc(mapping_cache, GFP_KERNEL_ACCOUNT);
	if (m)
		m->owner = 0;
	return m;
}

void iofd_mapping_free(struct iofd_mapping *m)
{
	if (m)
		kmem_cache_free(mapping_cache, m);
}

int iofd_space_map(struct iofd_space *space, struct iofd_map_request *req)
{
	struct iofd_account *account;
	struct iofd_mapping *m;
	int rc;

	if (unlikely(iofd_space_user_managed(space)))
		return -EOPNOTSUPP;
	if (space->parent)
		return iofd_child_map(space, req);
	rc = check_request(req);
	if (rc)
		return rc;
	m = iofd_mapping_alloc();
	if (!m)
		return -ENOMEM;
	account = iofd_account_get(space->obj.ctx);
	if (!account) {
		rc = -ENOMEM;
		goto err_free;
	}
	rc = iofd_space_lock(space);
	if (rc)
		goto err_account;
	rc = map_locked(space, req, m, account);
	iofd_space_unlock(space);
	if (!rc)
		return 0;

err_account:
	iofd_account_put(space->obj.ctx, account);
err_free:
	iofd_mapping_free(m);
	return rc;
}

static void forget_mapping(struct iofd_space *space, struct iofd_mapping *m)
{
	/* Whatever it shared it has left by now. */
	if (m->owner) {
		struct iofd_account *account;

		account = (void *)(m->owner & ~IOFD_OWNER_BITS);
		iofd_account_uncharge(account, iofd_mapping_pages(m));
		iofd_account_put(space->obj.ctx, account);
	}
	kmem_cache_free(mapping_cache, m);
}

/* Neither end cuts a mapping. */
static void take_out(struct iofd_space *space, u64 first, u64 last)
{
	if (space->parent)
		iofd_links_remove(space, first, last);
	else if (likely(!space->nr_shared))
		revoke_and_unpin(space, first, last);
	else
		revoke_and_leave(space, first, last);
}

static int unmap_locked(struct iofd_space *space, u64 first, u64 last,
			u64 *unmapped)
{
	struct iofd_mapping *m, *next, *at_end;
	u64 bytes = 0;

	iofd_space_assert_locked(space);

	if (space->dead)
		return -ENOENT;
	m = iofd_iova_overlap(space, first, last);
	if (!m)
		return 0;
	if (m->first < first)
		return -EINVAL;
	/* One mapping, which is the rule, is its own end. */
	if (m->last < last) {
		at_end = iofd_iova_overlap(space, last, last);
		if (at_end && at_end->last > last)
			return -EINVAL;
	} else if (m->last > last) {
		return -EINVAL;
	}

	/* What is behind the last mapping of the range, up to its page's end. */
	take_out(space, m->first, min(last | ~PAGE_MASK, space->addr_last));
	for (; m && m->first <= last; m = next) {
		next = iofd_iova_next(m);
		bytes += m->last - m->first + 1;
		iofd_iova_remove(space, m);
		forget_mapping(space, m);
		cond_resched();
	}
	*unmapped = bytes;
	return 0;
}

int iofd_space_unmap(struct iofd_space *space, u64 first, u64 last,
		     u64 *unmapped)
{
	int rc;

	*unmapped = 0;
	if (iofd_space_user_managed(space))
		return -EOPNOTSUPP;
	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	rc = unmap_locked(space, first, last, unmapped);
	iofd_space_unlock(space);
	return rc;
}

void iofd_space_unmap_all(struct iofd_space *space)
{
	struct iofd_mapping *m, *next;

	iofd_space_assert_locked(space);

	if (!space->nr_mappings)
		return;
	take_out(space, 0, space->addr_last);
	/* Nothing is looked up any more: no need to keep the tree in shape. */
	rbtree_postorder_for_each_entry_safe(m, next, &space->mappings, node) {
		forget_mapping(space, m);
		cond_resched();
	}
	space->mappings = RB_ROOT;
	space->hint = NULL;
	space->gap_from = 0;
	space->gap_bytes = 0;
	space->nr_mappings = 0;
	space->nr_pages = 0;
}

int iofd_map_init(void)
{
	mapping_cache = KMEM_CACHE(iofd_mapping, SLAB_ACCOUNT);
	return mapping_cache ? 0 : -ENOMEM;
}

void iofd_map_exit(void)
{
	kmem_cache_destroy(mapping_cache);
}
