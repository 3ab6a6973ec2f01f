// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Error texts, one for each thread, so that a thread reads its own failure and
 * not its neighbour's.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "priv.h"

/**
 * struct error_slot - the last error text of a thread
 * @next: another thread's
 * @thread: whose; the C library reuses the values of threads that have ended,
 *	which bounds the list
 * @text: what failed and why
 */
struct error_slot {
	struct error_slot *next;
	pthread_t thread;
	char text[512];
};

static struct error_slot *find_slot(const struct iommu_ctx *ctx)
{
	pthread_t self = pthread_self();
	struct error_slot *slot;

	for (slot = ctx->errors; slot; slot = slot->next)
		if (pthread_equal(slot->thread, self))
			break;
	return slot;
}

static struct error_slot *own_slot(struct iommu_ctx *ctx)
{
	struct error_slot *slot;

	pthread_mutex_lock(&ctx->errors_lock);
	slot = find_slot(ctx);
	if (!slot) {
		slot = calloc(1, sizeof(*slot));
		if (slot) {
			slot->thread = pthread_self();
			slot->next = ctx->errors;
			ctx->errors = slot;
		}
	}
	pthread_mutex_unlock(&ctx->errors_lock);
	return slot;
}

/* Append like snprintf(), never beyond the end. */
static void append(struct error_slot *slot, const char *text)
{
	size_t used = strlen(slot->text);

	snprintf(slot->text + used, sizeof(slot->text) - used, "%s", text);
}

int iommu_fail(struct iommu_ctx *ctx, int err, const struct remedy *remedies,
	       const char *format, ...)
{
	struct error_slot *slot = own_slot(ctx);
	char reason[128];
	va_list args;

	if (!slot)
		return -err;
	va_start(args, format);
	vsnprintf(slot->text, sizeof(slot->text), format, args);
	va_end(args);

	/* The thread-safe one: strerror() may use a static buffer. */
	append(slot, ": ");
	append(slot, strerror_r(err, reason, sizeof(reason)));

	for (; remedies && remedies->err; remedies++) {
		if (remedies->err == err) {
			append(slot, ": ");
			append(slot, remedies->text);
			break;
		}
	}
	return -err;
}

int iommu_refuse(struct iommu_ctx *ctx, int err, const char *format, ...)
{
	struct error_slot *slot = own_slot(ctx);
	va_list args;

	if (!slot)
		return -err;
	va_start(args, format);
	vsnprintf(slot->text, sizeof(slot->text), format, args);
	va_end(args);
	return -err;
}

const char *iommu_ctx_error(const struct iommu_ctx *ctx)
{
	/* The lock is the one part of a constant context that changes. */
	pthread_mutex_t *lock = (pthread_mutex_t *)&ctx->errors_lock;
	struct error_slot *slot;

	pthread_mutex_lock(lock);
	slot = find_slot(ctx);
	pthread_mutex_unlock(lock);
	return slot ? slot->text : "";
}

void iommu_errors_free(struct iommu_ctx *ctx)
{
	while (ctx->errors) {
		struct error_slot *slot = ctx->errors;

		ctx->errors = slot->next;
		free(slot);
	}
}
