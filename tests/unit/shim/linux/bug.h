/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BUG_H
#define SHIM_LINUX_BUG_H

/*
 * What the kernel would complain about fails the test that is running; a test
 * that provokes a warning says so with shim_expect_warnings().
 */
#include <linux/build_bug.h>
#include <linux/types.h>

void shim_bug(const char *file, int line, const char *what)
	__attribute__((__noreturn__));
void shim_warn(const char *file, int line, const char *what);

#define BUG()		shim_bug(__FILE__, __LINE__, "BUG")
#define BUG_ON(c)							\
do {									\
	if (c)								\
		shim_bug(__FILE__, __LINE__, "BUG_ON(" #c ")");		\
} while (0)

#define WARN_ON(c)							\
({									\
	bool shim_c = !!(c);						\
	if (shim_c)							\
		shim_warn(__FILE__, __LINE__, "WARN_ON(" #c ")");	\
	shim_c;								\
})

#define WARN_ON_ONCE(c)		WARN_ON(c)
#define WARN(c, ...)		WARN_ON(c)
#define WARN_ONCE(c, ...)	WARN_ON(c)

#endif
