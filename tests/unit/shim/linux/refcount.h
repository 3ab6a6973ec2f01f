/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_REFCOUNT_H
#define SHIM_LINUX_REFCOUNT_H

/* Misuse is a bug here, where the kernel saturates. */
#include <linux/atomic.h>
#include <linux/bug.h>

typedef struct { int count; } refcount_t;

#define REFCOUNT_INIT(n)	{ (n) }

static inline void refcount_set(refcount_t *r, int n)
{
	r->count = n;
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return r->count;
}

static inline void refcount_inc(refcount_t *r)
{
	BUG_ON(r->count <= 0);
	r->count++;
}

static inline void refcount_add(int n, refcount_t *r)
{
	BUG_ON(r->count <= 0);
	r->count += n;
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	return r->count ? r->count++, true : false;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	BUG_ON(r->count <= 0);
	return !--r->count;
}

static inline bool refcount_dec_if_one(refcount_t *r)
{
	return r->count == 1 ? !--r->count : false;
}

static inline void refcount_dec(refcount_t *r)
{
	BUG_ON(r->count <= 1);
	r->count--;
}

#endif
