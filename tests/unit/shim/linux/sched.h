/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SCHED_H
#define SHIM_LINUX_SCHED_H

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/mm_types.h>

#define TASK_COMM_LEN	16

struct user_struct;

struct task_struct {
	struct mm_struct *mm;
	struct user_struct *user;
	pid_t pid;
	pid_t tgid;
	char comm[TASK_COMM_LEN];
	bool signalled;			/* a fatal signal is pending */
	bool privileged;		/* has every capability */
	unsigned long memlock;		/* RLIMIT_MEMLOCK in bytes */
};

/* The process whose system call the test plays */
extern struct task_struct *shim_current;

#define current			shim_current
/* How often the tested code has offered to be preempted */
extern unsigned long shim_resched_calls;
#define cond_resched()		({ might_sleep(); shim_resched_calls++; 0; })
#define need_resched()		false

static inline pid_t task_tgid_nr(const struct task_struct *task)
{
	return task->tgid;
}

#define task_pid_nr(task)	((task)->pid)
#define task_tgid_vnr(task)	((task)->tgid)
#define get_task_comm(buf, task)	strscpy(buf, (task)->comm, sizeof(buf))

#endif
