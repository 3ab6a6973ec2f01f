/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

/* The tests have one thread, so plain arithmetic is atomic. */
#include <linux/types.h>
#include <asm/barrier.h>

#define ATOMIC_INIT(i)		{ (i) }
#define ATOMIC64_INIT(i)	{ (i) }
#define ATOMIC_LONG_INIT(i)	{ (i) }

#define SHIM_ATOMIC(name, type, num)					\
static inline num name##_read(const type *v)				\
{									\
	return v->counter;						\
}									\
									\
static inline void name##_set(type *v, num i)				\
{									\
	v->counter = i;							\
}									\
									\
static inline num name##_add_return(num i, type *v)			\
{									\
	return v->counter += i;						\
}									\
									\
static inline num name##_sub_return(num i, type *v)			\
{									\
	return v->counter -= i;						\
}									\
									\
static inline num name##_fetch_add(num i, type *v)			\
{									\
	v->counter += i;						\
	return v->counter - i;						\
}									\
									\
static inline void name##_add(num i, type *v)				\
{									\
	v->counter += i;						\
}									\
									\
static inline void name##_sub(num i, type *v)				\
{									\
	v->counter -= i;						\
}									\
									\
static inline void name##_inc(type *v)					\
{									\
	v->counter++;							\
}									\
									\
static inline void name##_dec(type *v)					\
{									\
	v->counter--;							\
}									\
									\
static inline num name##_inc_return(type *v)				\
{									\
	return ++v->counter;						\
}									\
									\
static inline num name##_dec_return(type *v)				\
{									\
	return --v->counter;						\
}									\
									\
static inline bool name##_dec_and_test(type *v)				\
{									\
	return !--v->counter;						\
}									\
									\
static inline bool name##_sub_and_test(num i, type *v)			\
{									\
	return !(v->counter -= i);					\
}									\
									\
static inline bool name##_inc_not_zero(type *v)				\
{									\
	return v->counter ? ++v->counter, true : false;			\
}									\
									\
static inline num name##_xchg(type *v, num i)				\
{									\
	num old = v->counter;						\
									\
	v->counter = i;							\
	return old;							\
}									\
									\
static inline num name##_cmpxchg(type *v, num old, num i)		\
{									\
	num was = v->counter;						\
									\
	if (was == old)							\
		v->counter = i;						\
	return was;							\
}									\
									\
static inline bool name##_try_cmpxchg(type *v, num *old, num i)		\
{									\
	num was = v->counter;						\
									\
	if (was == *old) {						\
		v->counter = i;						\
		return true;						\
	}								\
	*old = was;							\
	return false;							\
}

SHIM_ATOMIC(atomic, atomic_t, int)
SHIM_ATOMIC(atomic64, atomic64_t, s64)
SHIM_ATOMIC(atomic_long, atomic_long_t, long)
#undef SHIM_ATOMIC

#define xchg(p, v)							\
({									\
	__typeof__(*(p)) shim_old = *(p);				\
	*(p) = (v);							\
	shim_old;							\
})
#define cmpxchg(p, o, v)						\
({									\
	__typeof__(*(p)) shim_old = *(p);				\
	if (shim_old == (o))						\
		*(p) = (v);						\
	shim_old;							\
})
#define cmpxchg64(p, o, v)	cmpxchg(p, o, v)
#define try_cmpxchg64(p, o, v)						\
({									\
	__typeof__(p) shim_p = (p);					\
	bool shim_same = *shim_p == *(o);				\
	if (shim_same)							\
		*shim_p = (v);						\
	else								\
		*(o) = *shim_p;						\
	shim_same;							\
})

#endif
