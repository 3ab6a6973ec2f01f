/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_KTIME_H
#define SHIM_LINUX_KTIME_H

/* A clock that goes on by 10 ms whenever somebody looks. */
#include <linux/types.h>

typedef s64 ktime_t;

static inline ktime_t ktime_get(void)
{
	static ktime_t now;

	return now += 10000000;
}

static inline ktime_t ktime_add_ms(ktime_t t, u64 ms)
{
	return t + ms * 1000000;
}

#define ktime_after(a, b)	((a) > (b))

#endif
