// SPDX-License-Identifier: LGPL-2.1-or-later
#include "internal.h"
#include <linux/xarray.h>

struct xa_slot {
	struct rb_node node;
	unsigned long index;
	void *entry;
};

/* The first slot at or behind @index */
static struct xa_slot *slot_from(const struct xarray *xa, unsigned long index)
{
	struct rb_node *node = xa->tree.rb_node;
	struct xa_slot *best = NULL;

	while (node) {
		struct xa_slot *slot = rb_entry(node, struct xa_slot, node);

		if (slot->index >= index) {
			best = slot;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

static struct xa_slot *slot_at(const struct xarray *xa, unsigned long index)
{
	struct xa_slot *slot = slot_from(xa, index);

	return slot && slot->index == index ? slot : NULL;
}

static bool slot_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct xa_slot, node)->index <
	       container_of(b, const struct xa_slot, node)->index;
}

static void *plain(void *entry)
{
	return entry == XA_ZERO_ENTRY ? NULL : entry;
}

/* As in the kernel the lock is let go when the memory may have to be waited for. */
static struct xa_slot *slot_new(struct xarray *xa, gfp_t gfp)
{
	struct xa_slot *slot;

	if (!gfpflags_allow_blocking(gfp))
		return kmalloc(sizeof(*slot), gfp);
	xa_unlock(xa);
	slot = kmalloc(sizeof(*slot), gfp);
	xa_lock(xa);
	return slot;
}

void *__xa_erase(struct xarray *xa, unsigned long index)
{
	struct xa_slot *slot = slot_at(xa, index);
	void *old;

	lockdep_assert_held(&xa->xa_lock);
	if (!slot)
		return NULL;
	old = slot->entry;
	rb_erase(&slot->node, &xa->tree);
	kfree(slot);
	return plain(old);
}

void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_slot *slot = slot_at(xa, index);
	void *old;

	lockdep_assert_held(&xa->xa_lock);
	if (!entry && !(xa->xa_flags & (XA_FLAGS_ALLOC | XA_FLAGS_ALLOC1)))
		return __xa_erase(xa, index);
	if (!entry)
		entry = XA_ZERO_ENTRY;
	if (!slot) {
		slot = slot_new(xa, gfp);
		if (!slot)
			return shim_xa_mk_err(-ENOMEM);
		slot->index = index;
		slot->entry = entry;
		rb_add(&slot->node, &xa->tree, slot_less);
		return NULL;
	}
	old = slot->entry;
	slot->entry = entry;
	return plain(old);
}

void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old,
		   void *entry, gfp_t gfp)
{
	struct xa_slot *slot = slot_at(xa, index);
	void *now = slot ? plain(slot->entry) : NULL;
	void *rc;

	if (now != old)
		return now;
	rc = __xa_store(xa, index, entry, gfp);
	return xa_is_err(rc) ? rc : now;
}

int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	if (slot_at(xa, index))
		return -EBUSY;
	return xa_err(__xa_store(xa, index, entry ?: XA_ZERO_ENTRY, gfp));
}

int __xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
	       gfp_t gfp)
{
	unsigned long index = limit.min;
	struct xa_slot *slot;

	BUG_ON(!(xa->xa_flags & (XA_FLAGS_ALLOC | XA_FLAGS_ALLOC1)));
	if (!index && xa->xa_flags & XA_FLAGS_ALLOC1)
		index = 1;
	slot = slot_from(xa, index);
	while (slot && slot->index == index) {
		struct rb_node *next = rb_next(&slot->node);

		slot = rb_entry_safe(next, struct xa_slot, node);
		index++;
	}
	if (index > limit.max)
		return -EBUSY;
	*id = index;
	return xa_err(__xa_store(xa, index, entry ?: XA_ZERO_ENTRY, gfp));
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	struct xa_slot *slot = slot_at(xa, index);

	return slot ? plain(slot->entry) : NULL;
}

/* Run an expression with the lock held. */
#define locked(xa, expr)						\
({									\
	__typeof__(expr) rc;						\
	xa_lock(xa);							\
	rc = (expr);							\
	xa_unlock(xa);							\
	rc;								\
})

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	return locked(xa, __xa_store(xa, index, entry, gfp));
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	return locked(xa, __xa_erase(xa, index));
}

void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
		 gfp_t gfp)
{
	return locked(xa, __xa_cmpxchg(xa, index, old, entry, gfp));
}

int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	return locked(xa, __xa_insert(xa, index, entry, gfp));
}

int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp)
{
	int rc = xa_insert(xa, index, XA_ZERO_ENTRY, gfp);

	return rc == -EBUSY ? 0 : rc;
}

void xa_release(struct xarray *xa, unsigned long index)
{
	struct xa_slot *slot = slot_at(xa, index);

	if (slot && slot->entry == XA_ZERO_ENTRY)
		xa_erase(xa, index);
}

int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
	     gfp_t gfp)
{
	return locked(xa, __xa_alloc(xa, id, entry, limit, gfp));
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry,
		    struct xa_limit limit, u32 *next, gfp_t gfp)
{
	struct xa_limit upper = limit;
	int rc;

	upper.min = max(limit.min, *next);
	rc = xa_alloc(xa, id, entry, upper, gfp);
	if (rc == -EBUSY && upper.min > limit.min) {
		rc = xa_alloc(xa, id, entry, limit, gfp);
		if (!rc)
			rc = 1;
	}
	if (rc >= 0)
		*next = *id + 1;
	return rc;
}

void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
	      unsigned int filter)
{
	struct xa_slot *slot = slot_from(xa, *index);

	BUG_ON(filter != XA_PRESENT);
	while (slot && slot->index <= max) {
		struct rb_node *next = rb_next(&slot->node);

		if (plain(slot->entry)) {
			*index = slot->index;
			return slot->entry;
		}
		slot = rb_entry_safe(next, struct xa_slot, node);
	}
	return NULL;
}

void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    unsigned int filter)
{
	unsigned long from = *index + 1;
	void *entry;

	if (!from)
		return NULL;
	entry = xa_find(xa, &from, max, filter);
	if (entry)
		*index = from;
	return entry;
}

void xa_destroy(struct xarray *xa)
{
	struct rb_node *node;

	xa_lock(xa);
	while ((node = rb_first(&xa->tree))) {
		rb_erase(node, &xa->tree);
		kfree(rb_entry(node, struct xa_slot, node));
	}
	xa_unlock(xa);
}
