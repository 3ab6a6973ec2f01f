/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SCHED_SIGNAL_H
#define SHIM_LINUX_SCHED_SIGNAL_H

#include <linux/sched.h>
#include <sys/resource.h>

#define fatal_signal_pending(task)	((task)->signalled)
#define signal_pending(task)		((task)->signalled)

/* RLIMIT_MEMLOCK is the only one that a task has. */
static inline unsigned long rlimit(unsigned int limit)
{
	BUG_ON(limit != RLIMIT_MEMLOCK);
	return current->memlock;
}

#endif
