/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_CAPABILITY_H
#define SHIM_LINUX_CAPABILITY_H

#include_next <linux/capability.h>
#include <linux/sched.h>

#define capable(cap)	((void)(cap), current->privileged)

#endif
