/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_STRING_H
#define SHIM_LINUX_STRING_H

#include <string.h>
#include <stdio.h>
#include <linux/types.h>

static inline ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t n = 0;

	while (n < size && from[n])
		n++;
	if (!size)
		return -7;	/* E2BIG */
	if (n == size) {
		memcpy(to, from, size - 1);
		to[size - 1] = '\0';
		return -7;
	}
	memcpy(to, from, n + 1);
	return n;
}

static inline void *memchr_inv(const void *p, int c, size_t n)
{
	const unsigned char *s = p;

	for (; n; n--, s++)
		if (*s != (unsigned char)c)
			return (void *)s;
	return NULL;
}

#define scnprintf(buf, size, ...)					\
({									\
	int shim_n = snprintf(buf, size, __VA_ARGS__);			\
	shim_n < (int)(size) ? shim_n : (int)(size) - 1;		\
})

static inline const char *str_yes_no(bool v)
{
	return v ? "yes" : "no";
}

#endif
