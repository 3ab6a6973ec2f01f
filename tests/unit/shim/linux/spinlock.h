/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include <linux/lockdep.h>

typedef struct {
	struct shim_lock shim;
} spinlock_t;

typedef spinlock_t raw_spinlock_t;

#define __SPIN_LOCK_UNLOCKED(s)	{ .shim = SHIM_LOCK_INIT(s, #s, true) }
#define DEFINE_SPINLOCK(s)	spinlock_t s = __SPIN_LOCK_UNLOCKED(s)
#define DEFINE_RAW_SPINLOCK(s)	DEFINE_SPINLOCK(s)
#define spin_lock_init(s)	shim_lock_setup(s, #s, true)
#define spin_lock(s)		shim_lock_take(&(s)->shim, false, __FILE__, __LINE__)
#define spin_unlock(s)		shim_lock_drop(&(s)->shim, false, __FILE__, __LINE__)
#define spin_is_locked(s)	((s)->shim.held)
#define spin_lock_nested(s, n)	spin_lock(s)
#define spin_lock_bh(s)		spin_lock(s)
#define spin_unlock_bh(s)	spin_unlock(s)
#define spin_lock_irq(s)	spin_lock(s)
#define spin_unlock_irq(s)	spin_unlock(s)
#define spin_lock_irqsave(s, f)	do { (f) = 0; spin_lock(s); } while (0)
#define spin_unlock_irqrestore(s, f)	do { (void)(f); spin_unlock(s); } while (0)
#define raw_spin_lock_init	spin_lock_init
#define raw_spin_lock		spin_lock
#define raw_spin_unlock		spin_unlock
#define raw_spin_lock_irq	spin_lock_irq
#define raw_spin_unlock_irq	spin_unlock_irq
#define raw_spin_lock_irqsave	spin_lock_irqsave
#define raw_spin_unlock_irqrestore	spin_unlock_irqrestore

#endif
