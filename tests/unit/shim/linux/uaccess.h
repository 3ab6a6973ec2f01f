/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_UACCESS_H
#define SHIM_LINUX_UACCESS_H

/*
 * User pointers are the test's own. Addresses in the first page, and what a test
 * names with shim_bad_user(), fault.
 */
#include <linux/kernel.h>
#include <linux/sched.h>

unsigned long shim_user_copy(void *to, const void *from, unsigned long bytes,
			     const void *user);

#define copy_from_user(to, from, n)	shim_user_copy(to, from, n, from)
#define copy_to_user(to, from, n)	shim_user_copy(to, from, n, to)
#define get_user(x, p)		(copy_from_user(&(x), p, sizeof(x)) ? -EFAULT : 0)
#define put_user(x, p)							\
({									\
	__typeof__(*(p)) shim_x = (x);					\
	copy_to_user(p, &shim_x, sizeof(shim_x)) ? -EFAULT : 0;		\
})
#define clear_user(p, n)						\
({									\
	unsigned long shim_left = (n);					\
	char shim_zero[256] = {};					\
	char *shim_p = (char *)(p);					\
	while (shim_left) {						\
		unsigned long shim_k = min(shim_left, 256ul);		\
		if (copy_to_user(shim_p, shim_zero, shim_k))		\
			break;						\
		shim_p += shim_k;					\
		shim_left -= shim_k;					\
	}								\
	shim_left;							\
})

#define user_read_access_begin(p, n)	((void)(p), (void)(n), true)
#define user_read_access_end()		((void)0)
#define user_write_access_begin(p, n)	((void)(p), (void)(n), true)
#define user_write_access_end()		((void)0)
#define unsafe_get_user(x, p, fault)					\
do {									\
	if (get_user(x, p))						\
		goto fault;						\
} while (0)
#define unsafe_put_user(x, p, fault)					\
do {									\
	if (put_user(x, p))						\
		goto fault;						\
} while (0)

static inline int copy_struct_from_user(void *to, size_t to_bytes,
					const void *from, size_t from_bytes)
{
	size_t bytes = min(to_bytes, from_bytes);
	char c;

	memset((char *)to + bytes, 0, to_bytes - bytes);
	for (size_t i = bytes; i < from_bytes; i++) {
		if (get_user(c, (const char *)from + i))
			return -EFAULT;
		if (c)
			return -E2BIG;
	}
	return copy_from_user(to, from, bytes) ? -EFAULT : 0;
}

#endif
