/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_IDR_H
#define SHIM_LINUX_IDR_H

/* Sets of numbers. */
#include <linux/xarray.h>

struct ida {
	struct xarray xa;
};

#define ida_init(ida)		xa_init_flags(&(ida)->xa, XA_FLAGS_ALLOC)
#define ida_destroy(ida)	xa_destroy(&(ida)->xa)

static inline int ida_alloc_range(struct ida *ida, unsigned int min,
				  unsigned int max, gfp_t gfp)
{
	u32 id;
	int rc = xa_alloc(&ida->xa, &id, xa_mk_value(0), XA_LIMIT(min, max), gfp);

	if (rc)
		return rc == -EBUSY ? -ENOSPC : rc;
	return id;
}

static inline void ida_free(struct ida *ida, unsigned int id)
{
	BUG_ON(!xa_erase(&ida->xa, id));
}

#endif
