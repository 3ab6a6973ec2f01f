// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts: one for each open of /dev/iommu.
 */
#include <linux/pid.h>
#include <linux/slab.h>
#include "core/space.h"
#include "core/hwpt.h"

LIST_HEAD(iofd_contexts);

static atomic_t ctx_ids = ATOMIC_INIT(0);

struct iofd_ctx *iofd_ctx_open(void)
{
	struct iofd_ctx *ctx;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	if (iofd_account_init(ctx)) {
		kfree(ctx);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&ctx->refs, 1);
	ctx->id = atomic_inc_return(&ctx_ids);
	xa_init_flags(&ctx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&ctx->labels, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&ctx->bindings);
	ctx->pid = task_tgid_nr(current);
	get_task_comm(ctx->comm, current);

	mutex_lock(&iofd_topology_lock);
	list_add_tail(&ctx->all, &iofd_contexts);
	mutex_unlock(&iofd_topology_lock);
	return ctx;
}

/* Destroy @obj unless others hang on it, which are destroyed before it. */
static bool destroy(struct iofd_object *obj)
{
	struct iofd_space *space;

	switch (obj->type) {
	case IOFD_OBJ_SPACE:
		space = container_of(obj, struct iofd_space, obj);
		if (!list_empty(&space->children) || !list_empty(&space->hwpts))
			return false;
		iofd_space_destroy(space);
		return true;
	case IOFD_OBJ_HWPT:
		return !iofd_hwpt_free(container_of(obj, struct iofd_hwpt, obj));
	case IOFD_OBJ_FAULT_QUEUE:
		/* Who uses it holds a reference, its file included. */
		iofd_fault_queue_destroy(container_of(obj,
						      struct iofd_fault_queue,
						      obj));
		return true;
	case IOFD_OBJ_DEVICE:
		break;
	}
	/* It goes when its device file is closed. */
	return true;
}

void iofd_ctx_close(struct iofd_ctx *ctx)
{
	struct iofd_object *obj;
	unsigned long id;
	bool left;

	mutex_lock(&iofd_topology_lock);
	ctx->closed = true;
	list_del(&ctx->all);
	mutex_unlock(&iofd_topology_lock);

	/*
	 * No command of this file is running, and no attach through a device
	 * file: they hold the file. So the spaces are left to us alone.
	 */
	iofd_detach_all(ctx);
	/* Leaves first; no branch is longer than IOFD_MAX_DEPTH and some. */
	do {
		left = false;
		xa_for_each(&ctx->objects, id, obj)
			left |= !destroy(obj);
	} while (left);
	iofd_account_exit(ctx);
	iofd_ctx_put(ctx);
}

void iofd_ctx_put(struct iofd_ctx *ctx)
{
	if (!refcount_dec_and_test(&ctx->refs))
		return;
	WARN_ON(!xa_empty(&ctx->objects) || !xa_empty(&ctx->labels));
	xa_destroy(&ctx->objects);
	xa_destroy(&ctx->labels);
	kfree(ctx);
}
