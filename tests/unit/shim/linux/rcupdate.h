/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_RCUPDATE_H
#define SHIM_LINUX_RCUPDATE_H

/* Nobody reads while somebody frees: there is one thread. */
#include <linux/slab.h>

#define rcu_read_lock()		((void)0)
#define rcu_read_unlock()	((void)0)
#define rcu_barrier()		((void)0)
#define kfree_rcu(p, member)	kfree(p)

#endif
