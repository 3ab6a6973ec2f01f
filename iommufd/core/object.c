// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids. One namespace for each context, whatever kind of object an id stands for.
 *
 * A reserved id holds an XA_ZERO_ENTRY: it is taken, and loads as NULL.
 */
#include "core/core.h"

#define IOFD_ID_LIMIT	XA_LIMIT(1, INT_MAX)

int iofd_object_reserve(struct iofd_ctx *ctx, struct iofd_object *obj,
			enum iofd_object_type type)
{
	int rc;

	refcount_set(&obj->refs, 1);
	obj->ctx = ctx;
	obj->type = type;
	rc = xa_alloc(&ctx->objects, &obj->id, XA_ZERO_ENTRY, IOFD_ID_LIMIT,
		      GFP_KERNEL_ACCOUNT);
	return rc == -EBUSY ? -ENOSPC : rc;
}

void iofd_object_publish(struct iofd_object *obj)
{
	/* The slot exists since it was reserved: nothing is allocated. */
	xa_store(&obj->ctx->objects, obj->id, obj, GFP_KERNEL);
}

void iofd_object_unpublish(struct iofd_object *obj)
{
	struct iofd_ctx *ctx = obj->ctx;

	xa_lock(&ctx->objects);
	__xa_erase(&ctx->objects, obj->id);
	if (ctx->recent == obj)
		ctx->recent = NULL;
	if (ctx->vfio_space == obj->id)
		ctx->vfio_space = 0;
	xa_unlock(&ctx->objects);
}

int iofd_object_type(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_object *obj;
	int type;

	xa_lock(&ctx->objects);
	obj = xa_load(&ctx->objects, id);
	type = obj ? (int)obj->type : -ENOENT;
	xa_unlock(&ctx->objects);
	return type;
}

struct iofd_object *iofd_object_get(struct iofd_ctx *ctx, u32 id,
				    enum iofd_object_type type)
{
	struct iofd_object *obj;

	xa_lock(&ctx->objects);
	/* Commands come in rows for the same object. */
	obj = ctx->recent;
	if (!obj || obj->id != id) {
		obj = xa_load(&ctx->objects, id);
		if (obj)
			ctx->recent = obj;
	}
	/* The published reference is dropped after the id: never zero here. */
	if (obj && obj->type == type)
		refcount_inc(&obj->refs);
	else
		obj = NULL;
	xa_unlock(&ctx->objects);
	return obj;
}
