/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_RWSEM_H
#define SHIM_LINUX_RWSEM_H

#include <linux/lockdep.h>

struct rw_semaphore {
	struct shim_lock shim;
};

#define DECLARE_RWSEM(s)						\
	struct rw_semaphore s = { .shim = SHIM_LOCK_INIT(s, #s, false) }
#define init_rwsem(s)		shim_lock_setup(s, #s, false)
#define down_read(s)		shim_lock_take(&(s)->shim, true, __FILE__, __LINE__)
#define up_read(s)		shim_lock_drop(&(s)->shim, true, __FILE__, __LINE__)
#define down_write(s)		shim_lock_take(&(s)->shim, false, __FILE__, __LINE__)
#define up_write(s)		shim_lock_drop(&(s)->shim, false, __FILE__, __LINE__)

#endif
