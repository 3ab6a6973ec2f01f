/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_XARRAY_H
#define SHIM_LINUX_XARRAY_H

/*
 * The kernel's interface over a search tree. As there, storing into an index
 * that holds an entry, a reserved one included, needs no memory.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

struct xarray {
	spinlock_t xa_lock;
	unsigned int xa_flags;
	struct rb_root tree;
};

struct xa_limit {
	u32 max;
	u32 min;
};

#define XA_FLAGS_LOCK_IRQ	0x1u
#define XA_FLAGS_LOCK_BH	0x2u
#define XA_FLAGS_TRACK_FREE	0x4u
#define XA_FLAGS_ALLOC		0x8u
#define XA_FLAGS_ALLOC1		0x10u
#define XA_FLAGS_ACCOUNT	0x20u

#define XA_ZERO_ENTRY		((void *)0x402UL)
#define XA_LIMIT(lo, hi)	((struct xa_limit) { .min = lo, .max = hi })
#define xa_limit_32b		XA_LIMIT(0, U32_MAX)
#define xa_limit_31b		XA_LIMIT(0, INT_MAX)
#define xa_limit_16b		XA_LIMIT(0, USHRT_MAX)

#define XARRAY_INIT(x, flags)						\
{									\
	.xa_lock = { .shim = SHIM_LOCK_INIT((x).xa_lock, #x, true) },	\
	.xa_flags = flags,						\
}
#define DEFINE_XARRAY_FLAGS(x, flags)	struct xarray x = XARRAY_INIT(x, flags)
#define DEFINE_XARRAY(x)		DEFINE_XARRAY_FLAGS(x, 0)
#define DEFINE_XARRAY_ALLOC(x)		DEFINE_XARRAY_FLAGS(x, XA_FLAGS_ALLOC)
#define DEFINE_XARRAY_ALLOC1(x)		DEFINE_XARRAY_FLAGS(x, XA_FLAGS_ALLOC1)
#define xa_init_flags(x, flags)						\
do {									\
	shim_lock_setup(&(x)->xa_lock, #x, true);			\
	(x)->xa_flags = (flags);					\
	(x)->tree = RB_ROOT;						\
} while (0)
#define xa_init(x)			xa_init_flags(x, 0)

#define xa_lock(x)			spin_lock(&(x)->xa_lock)
#define xa_unlock(x)			spin_unlock(&(x)->xa_lock)
#define xa_lock_irqsave(x, f)		spin_lock_irqsave(&(x)->xa_lock, f)
#define xa_unlock_irqrestore(x, f)	spin_unlock_irqrestore(&(x)->xa_lock, f)
#define xa_lock_irq(x)			xa_lock(x)
#define xa_unlock_irq(x)		xa_unlock(x)

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

static inline void *xa_mk_value(unsigned long v)
{
	return (void *)(v << 1 | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

/* An errno as what a store returns: negative, shifted, with bit 1 set */
static inline void *shim_xa_mk_err(long error)
{
	return (void *)((unsigned long)error << 2 | 2);
}

static inline int xa_err(const void *entry)
{
	long v = (long)entry;

	return (v & 3) == 2 && v < 0 && v >= -MAX_ERRNO * 4 ? v >> 2 : 0;
}

static inline bool xa_is_err(const void *entry)
{
	return xa_err(entry);
}

static inline bool xa_empty(const struct xarray *xa)
{
	return RB_EMPTY_ROOT(&xa->tree);
}

void *xa_load(struct xarray *xa, unsigned long index);
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
void *xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry,
		 gfp_t gfp);
int xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
int xa_reserve(struct xarray *xa, unsigned long index, gfp_t gfp);
void xa_release(struct xarray *xa, unsigned long index);
int xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
	     gfp_t gfp);
int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry,
		    struct xa_limit limit, u32 *next, gfp_t gfp);
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
	      unsigned int filter);
void *xa_find_after(struct xarray *xa, unsigned long *index, unsigned long max,
		    unsigned int filter);
void xa_destroy(struct xarray *xa);

/* With the array's lock held */
void *__xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *__xa_erase(struct xarray *xa, unsigned long index);
void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old,
		   void *entry, gfp_t gfp);
int __xa_insert(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
int __xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit,
	       gfp_t gfp);

#define XA_PRESENT	8u

#define xa_for_each_range(xa, index, entry, start, last)		\
	for (index = start, entry = xa_find(xa, &index, last, XA_PRESENT);	\
	     entry;							\
	     entry = xa_find_after(xa, &index, last, XA_PRESENT))
#define xa_for_each_start(xa, index, entry, start)			\
	xa_for_each_range(xa, index, entry, start, ULONG_MAX)
#define xa_for_each(xa, index, entry)					\
	xa_for_each_start(xa, index, entry, 0)

#endif
