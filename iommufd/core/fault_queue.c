// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues of page requests: their life. The id cannot be given up while somebody
 * uses the queue, but a context that closes takes it away all the same.
 */
#include <linux/slab.h>
#include "core/core.h"
#include "core/hwpt.h"

static struct iofd_fault_queue *to_queue(struct iofd_object *obj)
{
	return container_of(obj, struct iofd_fault_queue, obj);
}

static void queue_put(struct iofd_fault_queue *queue)
{
	struct iofd_ctx *ctx = queue->obj.ctx;

	if (!refcount_dec_and_test(&queue->obj.refs))
		return;
	kfree(queue);
	iofd_ctx_put(ctx);
}

struct iofd_fault_queue *iofd_fault_queue_alloc(struct iofd_ctx *ctx)
{
	struct iofd_fault_queue *queue;
	int rc;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	rc = iofd_object_reserve(ctx, &queue->obj, IOFD_OBJ_FAULT_QUEUE);
	if (rc) {
		kfree(queue);
		return ERR_PTR(rc);
	}
	refcount_inc(&ctx->refs);
	refcount_set(&queue->users, 1);
	iofd_fault_queue_use(queue);
	return queue;
}

struct iofd_fault_queue *iofd_fault_queue_get(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_object *obj = iofd_object_get(ctx, id, IOFD_OBJ_FAULT_QUEUE);
	struct iofd_fault_queue *queue = obj ? to_queue(obj) : NULL;

	if (queue && !refcount_inc_not_zero(&queue->users)) {
		queue_put(queue);
		return NULL;
	}
	return queue;
}

void iofd_fault_queue_unuse(struct iofd_fault_queue *queue)
{
	if (!queue)
		return;
	refcount_dec(&queue->users);
	queue_put(queue);
}

int iofd_fault_queue_free(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_object *obj = iofd_object_get(ctx, id, IOFD_OBJ_FAULT_QUEUE);
	struct iofd_fault_queue *queue;
	int rc = 0;

	if (!obj)
		return -ENOENT;
	queue = to_queue(obj);
	if (refcount_dec_if_one(&queue->users))
		iofd_fault_queue_destroy(queue);
	else
		rc = refcount_read(&queue->users) ? -EBUSY : -ENOENT;
	queue_put(queue);
	return rc;
}

void iofd_fault_queue_destroy(struct iofd_fault_queue *queue)
{
	iofd_object_unpublish(&queue->obj);
	queue_put(queue);
}
