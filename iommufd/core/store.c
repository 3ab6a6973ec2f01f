// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page table that no hardware walks: it keeps the physical addresses of a
 * space that has no hardware table, or whose hardware's driver does not tell
 * what its table holds.
 */
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "core/space.h"
#include "hw/pt/sl.h"

#define STORE_LEVELS		5
#define STORE_LEAF_LEVELS	3

struct iofd_store {
	struct iofd_hw_pt pt;
	struct sl_table sl;
};

static struct iofd_store *to_store(struct iofd_hw_pt *pt)
{
	return container_of(pt, struct iofd_store, pt);
}

static void store_free(struct iofd_hw_pt *pt)
{
	struct iofd_store *store = to_store(pt);

	sl_destroy(&store->sl);
	kfree(store);
}

static int store_map(struct iofd_hw_pt *pt, u64 iova, phys_addr_t phys,
		     size_t bytes, unsigned int prot)
{
	return sl_map(&to_store(pt)->sl, iova, phys, bytes, prot);
}

static void store_map_sync(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
	sl_sync(&to_store(pt)->sl);
}

static void store_revoke(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
	sl_revoke(&to_store(pt)->sl, iova, last);
}

static void store_flush(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
}

static void store_reap(struct iofd_hw_pt *pt, u64 iova, u64 last,
		       iofd_run_fn fn, void *arg)
{
	struct sl_table *sl = &to_store(pt)->sl;

	sl_reap(sl, iova, last, fn, arg);
	if (sl_wants_trim(sl)) {
		LIST_HEAD(pages);

		sl_trim(sl, &pages);
		sl_free_pages(&pages);
	}
}

static int store_for_each_run(struct iofd_hw_pt *pt, u64 iova, u64 last,
			      iofd_run_fn fn, void *arg)
{
	return sl_for_each_run(&to_store(pt)->sl, iova, last, fn, arg);
}

/* Never opened by a device, so it needs neither attach nor open. */
static const struct iofd_hw_ops store_ops = {
	.name = "store",
	.owner = THIS_MODULE,
	.pt_free = store_free,
	.map = store_map,
	.map_sync = store_map_sync,
	.revoke = store_revoke,
	.flush = store_flush,
	.reap = store_reap,
	.for_each_run = store_for_each_run,
};

bool iofd_store_is(const struct iofd_hw_pt *pt)
{
	return pt->ops == &store_ops;
}

u64 iofd_store_addr_last(void)
{
	return sl_addr_last(STORE_LEVELS);
}

struct iofd_hw_pt *iofd_store_alloc(void)
{
	struct iofd_store *store;
	int rc;

	store = kzalloc(sizeof(*store), GFP_KERNEL_ACCOUNT);
	if (!store)
		return ERR_PTR(-ENOMEM);
	rc = sl_init(&store->sl, STORE_LEVELS, STORE_LEAF_LEVELS, false, 0);
	if (rc) {
		kfree(store);
		return ERR_PTR(rc);
	}
	store->pt.ops = &store_ops;
	store->pt.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G;
	store->pt.addr_last = sl_addr_last(STORE_LEVELS);
	return &store->pt;
}
