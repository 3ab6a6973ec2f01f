/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MUTEX_H
#define SHIM_LINUX_MUTEX_H

#include <linux/lockdep.h>
#include <linux/list.h>

struct mutex {
	struct shim_lock shim;
};

/* mutex_lock_killable() and the like fail as if a signal had come. */
extern bool shim_interrupt_locks;

#define DEFINE_MUTEX(m)							\
	struct mutex m = { .shim = SHIM_LOCK_INIT(m, #m, false) }
#define mutex_init(m)		shim_lock_setup(m, #m, false)
#define mutex_lock(m)		shim_lock_take(&(m)->shim, false, __FILE__, __LINE__)
#define mutex_lock_nested(m, n)	mutex_lock(m)
#define mutex_unlock(m)		shim_lock_drop(&(m)->shim, false, __FILE__, __LINE__)
#define mutex_is_locked(m)	((m)->shim.held)
#define mutex_lock_killable(m)						\
({									\
	if (!shim_interrupt_locks)					\
		mutex_lock(m);						\
	shim_interrupt_locks ? -EINTR : 0;				\
})
#define SINGLE_DEPTH_NESTING	1
#define mutex_lock_killable_nested(m, n)	mutex_lock_killable(m)
#define mutex_lock_interruptible(m)	mutex_lock_killable(m)
#define mutex_trylock(m)						\
({									\
	bool shim_free = !(m)->shim.held;				\
	if (shim_free)							\
		mutex_lock(m);						\
	shim_free;							\
})

static inline void mutex_destroy(struct mutex *m)
{
	BUG_ON(m->shim.held);
	m->shim.self = NULL;
}

#endif
