/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_CRED_H
#define SHIM_LINUX_CRED_H

#include <linux/sched/user.h>

#define current_user()	(current->user)

#endif
