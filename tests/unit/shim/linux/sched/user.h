/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SCHED_USER_H
#define SHIM_LINUX_SCHED_USER_H

#include <linux/refcount.h>
#include <linux/sched.h>

struct user_struct {
	refcount_t __count;
	atomic_long_t locked_vm;
};

static inline struct user_struct *get_uid(struct user_struct *user)
{
	refcount_inc(&user->__count);
	return user;
}

static inline void free_uid(struct user_struct *user)
{
	refcount_dec(&user->__count);
}

#endif
