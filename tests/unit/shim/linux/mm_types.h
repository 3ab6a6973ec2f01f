/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MM_TYPES_H
#define SHIM_LINUX_MM_TYPES_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/types.h>

struct page {
	unsigned long flags;		/* SHIM_PAGE_* */
	struct list_head lru;
	unsigned long private;
	void *mapping;
	unsigned long index;
	int pins;			/* by pin_user_pages() */
	int refs;
	unsigned int order;
};

#define SHIM_PAGE_ALLOCATED	0x1ul
#define SHIM_PAGE_USER		0x2ul
#define SHIM_PAGE_DIRTY		0x4ul
#define SHIM_PAGE_COMMON	0x8ul	/* copied before it is written */

struct shim_region;

struct mm_struct {
	atomic_t mm_users;
	atomic_t mm_count;
	atomic64_t pinned_vm;
	unsigned long locked_vm;
	struct rw_semaphore mmap_lock;
	struct shim_region *regions;	/* see shim.h */
};

#define page_private(page)		((page)->private)
#define set_page_private(page, v)	((page)->private = (v))

#endif
