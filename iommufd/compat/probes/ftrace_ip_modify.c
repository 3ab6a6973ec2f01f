// SPDX-License-Identifier: GPL-2.0-only
/* A hook may have another function run instead of the one it is on. */
#include <linux/ftrace.h>
#if !defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) || !defined(CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS)
#error hooks get no registers
#endif
struct ftrace_ops probe = { .flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT };
