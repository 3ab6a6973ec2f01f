/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ASM_BARRIER_H
#define SHIM_ASM_BARRIER_H

#include <linux/compiler.h>

#define mb()			__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb()			mb()
#define wmb()			mb()
#define smp_mb()		mb()
#define smp_mb__before_atomic()	mb()
#define smp_rmb()		mb()
#define smp_wmb()		mb()
#define dma_wmb()		mb()
#define dma_rmb()		mb()
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
/* Hardware of a test that works beside its driver */
extern void (*shim_relax_hook)(void);
#define cpu_relax()							\
do {									\
	if (shim_relax_hook)						\
		shim_relax_hook();					\
	barrier();							\
} while (0)

#endif
