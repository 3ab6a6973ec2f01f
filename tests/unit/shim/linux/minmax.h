/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MINMAX_H
#define SHIM_LINUX_MINMAX_H

#include <linux/types.h>

#define shim_pick(op, a, b)						\
({									\
	__typeof__(a) shim_a = (a);					\
	__typeof__(b) shim_b = (b);					\
	_Static_assert(__same_type(shim_a, shim_b) ||			\
		       __builtin_constant_p(a) || __builtin_constant_p(b),	\
		       "the kernel's min() and max() want one type");	\
	shim_a op shim_b ? shim_a : shim_b;				\
})

#define min(a, b)		shim_pick(<, a, b)
#define max(a, b)		shim_pick(>, a, b)
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define min3(a, b, c)		min(min(a, b), c)
#define max3(a, b, c)		max(max(a, b), c)
#define clamp(x, lo, hi)	min(max(x, lo), hi)
#define min_not_zero(a, b)						\
({									\
	__typeof__(a) shim_x = (a);					\
	__typeof__(b) shim_y = (b);					\
	!shim_x ? shim_y : !shim_y ? shim_x : min(shim_x, shim_y);	\
})
#define swap(a, b)							\
do {									\
	__typeof__(a) shim_t = (a);					\
	(a) = (b);							\
	(b) = shim_t;							\
} while (0)

#endif
