/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_WAIT_BIT_H
#define SHIM_LINUX_WAIT_BIT_H

/*
 * There is one thread, or a test's hook stands for the others: whoever waits for
 * what nobody will do would wait for ever.
 */
#include <assert.h>

extern void (*shim_wait_hook)(void);

#define wait_var_event(var, condition)					\
do {									\
	(void)(var);							\
	if (!(condition) && shim_wait_hook)				\
		shim_wait_hook();					\
	assert(condition);						\
} while (0)

static inline void wake_up_var(void *var)
{
	(void)var;
}

#endif
