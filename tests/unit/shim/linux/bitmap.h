/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BITMAP_H
#define SHIM_LINUX_BITMAP_H

#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/string.h>

#define BITS_TO_LONGS(n)		(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, n)		unsigned long name[BITS_TO_LONGS(n)]

static inline unsigned long *bitmap_zalloc(unsigned int n, gfp_t gfp)
{
	return kcalloc(BITS_TO_LONGS(n), sizeof(long), gfp);
}

static inline void bitmap_free(const unsigned long *map)
{
	kfree(map);
}

static inline void bitmap_zero(unsigned long *map, unsigned int n)
{
	memset(map, 0, BITS_TO_LONGS(n) * sizeof(long));
}

/* The next bit from @from on that is @value, or @n */
static inline unsigned long shim_find_bit(const unsigned long *map,
					  unsigned long n, unsigned long from,
					  bool value)
{
	while (from < n && test_bit(from, map) != value)
		from++;
	return from < n ? from : n;
}

#define find_next_bit(map, n, from)		shim_find_bit(map, n, from, true)
#define find_next_zero_bit(map, n, from)	shim_find_bit(map, n, from, false)
#define find_first_bit(map, n)			shim_find_bit(map, n, 0, true)
#define find_first_zero_bit(map, n)		shim_find_bit(map, n, 0, false)
#define for_each_set_bit(i, map, n)					\
	for ((i) = find_first_bit(map, n); (i) < (n);			\
	     (i) = find_next_bit(map, n, (i) + 1))

static inline void bitmap_set(unsigned long *map, unsigned int from,
			      unsigned int n)
{
	while (n--)
		__set_bit(from++, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int from,
				unsigned int n)
{
	while (n--)
		__clear_bit(from++, map);
}

static inline bool bitmap_empty(const unsigned long *map, unsigned int n)
{
	return find_first_bit(map, n) == n;
}

static inline unsigned int bitmap_weight(const unsigned long *map,
					 unsigned int n)
{
	unsigned int i, weight = 0;

	for_each_set_bit(i, map, n)
		weight++;
	return weight;
}

#endif
