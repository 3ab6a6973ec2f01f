/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables that have an id of their own, as upstream's iommufd has them, and
 * queues of page requests. What is only here is optional: a space works without.
 *
 * Lock letters as in core.h.
 */
#ifndef IOFD_CORE_HWPT_H
#define IOFD_CORE_HWPT_H

#include "core/space.h"

/**
 * struct iofd_hwpt - a table of a root, by an id
 * @obj: id
 * @list: (a) in iofd_space.hwpts of @space
 * @space: (c) the root; a reference is held
 * @table: (c) stays as long as @space has not been freed
 * @automatic: (c) made by attaching a device to @space, and gone with the last
 *	device that is attached by it
 * @nest_parent: (c) users' tables may be nested over it
 * @for_pasids: (c) DMA with PASIDs may go through it
 * @dirty: (c) it can be asked what was written; @table is its alone
 * @tracking: (s) and it is switched on
 * @faults: (c) who gets the page requests of devices that are attached by it, a
 *	use of which is held; or NULL
 * @users: attachments, users' tables over it, and one for the id unless
 *	@automatic. Whoever brings it to 0 takes it apart
 *
 * There may be several for one table: to the hardware they are the same. One that
 * tracks what is written has a table of its own, which another gets after it.
 */
struct iofd_hwpt {
	struct iofd_object obj;
	struct list_head list;
	struct iofd_space *space;
	struct iofd_table *table;
	bool automatic;
	bool nest_parent;
	bool for_pasids;
	bool dirty;
	bool tracking;
	struct iofd_fault_queue *faults;
	refcount_t users;
};

/**
 * struct iofd_hwpt_request - one HWPT_ALLOC over a root
 * @space: the root
 * @dev_id: id of a bound device that is to be attached
 * @nest_parent: see struct iofd_hwpt
 * @for_pasids: see struct iofd_hwpt
 * @dirty: see struct iofd_hwpt
 * @faults: see struct iofd_hwpt; a use is taken; or NULL
 */
struct iofd_hwpt_request {
	struct iofd_space *space;
	u32 dev_id;
	bool nest_parent;
	bool for_pasids;
	bool dirty;
	struct iofd_fault_queue *faults;
};

/**
 * iofd_hwpt_alloc() - give a table of a root an id
 * @ctx: that of @req->space
 * @req: which one; it is made if there is none
 *
 * Return: the id; -ENOENT; -EOPNOTSUPP for what the device's hardware lacks;
 * -EINVAL for a space that the device cannot be attached to; -ENOMEM; -ENOSPC;
 * -EINTR.
 */
int iofd_hwpt_alloc(struct iofd_ctx *ctx, const struct iofd_hwpt_request *req);

/** iofd_hwpt_get() - look one up; NULL when there is none */
struct iofd_hwpt *iofd_hwpt_get(struct iofd_ctx *ctx, u32 id);

/** iofd_hwpt_put() - drop a reference */
void iofd_hwpt_put(struct iofd_hwpt *hwpt);

/** iofd_hwpt_free() - forget it; 0, -EBUSY, or -ENOENT after somebody else */
int iofd_hwpt_free(struct iofd_hwpt *hwpt);

/** iofd_hwpt_use() - one use more; false when it is on its way out */
bool iofd_hwpt_use(struct iofd_hwpt *hwpt);

/** iofd_hwpt_unuse() - one use less, or none of NULL; see struct iofd_hwpt */
void iofd_hwpt_unuse(struct iofd_hwpt *hwpt);

/**
 * iofd_hwpt_automatic() - the automatic one for a table
 * @space: a root; its lock is held
 * @table: one of its tables
 * @fresh: set when it was made now, and is not published
 *
 * Return: it, with a use for the caller; or ERR_PTR(-ENOMEM, -ENOSPC).
 */
struct iofd_hwpt *iofd_hwpt_automatic(struct iofd_space *space,
				      struct iofd_table *table, bool *fresh);

/* dirty.c */

/**
 * struct iofd_dirty_request - one GET_DIRTY_BITMAP
 * @iova: first address
 * @length: bytes
 * @page_bytes: what each bit stands for
 * @bitmap: the caller's, of any alignment; bit 0 is for @iova
 * @keep: do not begin anew: what was written is there the next time as well
 */
struct iofd_dirty_request {
	u64 iova;
	u64 length;
	u64 page_bytes;
	u64 bitmap;
	bool keep;
};

/**
 * iofd_hwpt_set_dirty() - begin to track what is written, or end it
 * @hwpt: a reference is held
 * @on: begin, from now on, also when it has been begun; or end
 *
 * Return: 0; -EOPNOTSUPP when it was not made for that; -ENOENT; -EINTR.
 */
int iofd_hwpt_set_dirty(struct iofd_hwpt *hwpt, bool on);

/**
 * iofd_hwpt_get_dirty() - ask what was written since the last time
 * @hwpt: a reference is held
 * @req: where, and where to
 *
 * Sets bits in the caller's bitmap; it clears none. After a failure some may be
 * set; what was taken out of the table has its bit.
 *
 * Return: 0; -EOVERFLOW, -EINVAL for the range or while nothing is tracked;
 * -EOPNOTSUPP when it was not made for that; -EFAULT, -ENOMEM for the bitmap;
 * -ENOENT; -EINTR.
 */
int iofd_hwpt_get_dirty(struct iofd_hwpt *hwpt,
			const struct iofd_dirty_request *req);

/**
 * struct iofd_fault_queue - where page requests are delivered
 * @obj: id
 * @users: what delivers into it, its open file, and one for the id; each but the
 *	id's with a reference on @obj
 *
 * Holds a reference on its context, which its file can outlive.
 */
struct iofd_fault_queue {
	struct iofd_object obj;
	refcount_t users;
};

/**
 * iofd_fault_queue_alloc() - make one
 * @ctx: where
 *
 * Return: it, not published, with a use for its file besides the id's; or ERR_PTR(-ENOMEM, -ENOSPC).
 */
struct iofd_fault_queue *iofd_fault_queue_alloc(struct iofd_ctx *ctx);

/** iofd_fault_queue_get() - look one up and take a use; NULL: there is none */
struct iofd_fault_queue *iofd_fault_queue_get(struct iofd_ctx *ctx, u32 id);

/** iofd_fault_queue_use() - one use more of what has one, or none of NULL */
static inline struct iofd_fault_queue *
iofd_fault_queue_use(struct iofd_fault_queue *queue)
{
	if (queue) {
		refcount_inc(&queue->obj.refs);
		refcount_inc(&queue->users);
	}
	return queue;
}

/** iofd_fault_queue_unuse() - one use less, or none of NULL; never the id's */
void iofd_fault_queue_unuse(struct iofd_fault_queue *queue);

/** iofd_fault_queue_free() - DESTROY; 0, -EBUSY, -ENOENT */
int iofd_fault_queue_free(struct iofd_ctx *ctx, u32 id);

/** iofd_fault_queue_destroy() - forget the id, whoever uses the queue */
void iofd_fault_queue_destroy(struct iofd_fault_queue *queue);

#endif /* IOFD_CORE_HWPT_H */
