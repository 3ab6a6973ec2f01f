/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every place where a driver writes back or invalidates something has a name,
 * so that a test can leave out one at a time and see that it is missed:
 *
 *	if (FLUSH_POINT(name))
 *		...
 *
 * 'make check-flushes' finds the names in the sources. In a kernel it is
 * nothing.
 */
#ifndef IOFD_HW_FLUSH_POINT_H
#define IOFD_HW_FLUSH_POINT_H

#ifdef IOFD_TEST_FLUSH_POINTS
#include <linux/types.h>

bool iofd_test_flush_point(const char *name);
#define FLUSH_POINT(name)	iofd_test_flush_point(#name)
#else
#define FLUSH_POINT(name)	true
#endif

#endif /* IOFD_HW_FLUSH_POINT_H */
