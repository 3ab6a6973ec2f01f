/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_GFP_H
#define SHIM_LINUX_GFP_H

/* Pages come from a fake physical memory; see linux/mm.h. */
#include <linux/types.h>

#define __GFP_ZERO		0x1u
#define __GFP_NOWARN		0x2u
#define __GFP_ACCOUNT		0x4u
#define __GFP_NOFAIL		0x8u
#define __GFP_NORETRY		0x10u
#define __GFP_RETRY_MAYFAIL	0x20u
#define __GFP_COMP		0x40u
#define shim_gfp_sleeps		0x100u
#define GFP_KERNEL		shim_gfp_sleeps
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)
#define GFP_USER		GFP_KERNEL
#define GFP_ATOMIC		0x200u
#define GFP_NOWAIT		0x400u

struct page;

struct page *alloc_pages(gfp_t gfp, unsigned int order);
void __free_pages(struct page *page, unsigned int order);
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
void free_pages(unsigned long addr, unsigned int order);

#define alloc_page(gfp)			alloc_pages(gfp, 0)
#define alloc_pages_node(nid, gfp, o)	alloc_pages(gfp, o)
#define __free_page(page)		__free_pages(page, 0)
#define __get_free_page(gfp)		__get_free_pages(gfp, 0)
#define get_zeroed_page(gfp)		__get_free_pages((gfp) | __GFP_ZERO, 0)
#define free_page(addr)			free_pages(addr, 0)

static inline int gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & shim_gfp_sleeps;
}

#endif
