/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_CONTAINER_OF_H
#define SHIM_LINUX_CONTAINER_OF_H

#include <linux/compiler.h>

#define container_of(ptr, type, member)					\
({									\
	_Static_assert(__same_type(*(ptr), ((type *)0)->member) ||	\
		       __same_type(*(ptr), void), "not that member");	\
	(type *)((char *)(ptr) - offsetof(type, member));		\
})

#endif
