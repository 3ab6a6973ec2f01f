/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_IOPOLL_H
#define SHIM_LINUX_IOPOLL_H

/* Looks a number of times, whatever the time that is allowed. */
#include <linux/io.h>

#define readl_poll_timeout_atomic(addr, val, cond, delay_us, timeout_us)	\
({									\
	int shim_tries = 1000;						\
									\
	(void)(delay_us);						\
	(void)(timeout_us);						\
	for (;;) {							\
		(val) = readl(addr);					\
		if ((cond) || !--shim_tries)				\
			break;						\
		cpu_relax();						\
	}								\
	(cond) ? 0 : -ETIMEDOUT;					\
})
#define readl_poll_timeout	readl_poll_timeout_atomic

#endif
