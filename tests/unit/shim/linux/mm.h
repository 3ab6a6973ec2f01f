/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MM_H
#define SHIM_LINUX_MM_H

/*
 * A fake physical memory of SHIM_RAM_BYTES at physical SHIM_RAM_PHYS, mapped
 * at shim_ram, with a struct page for each page. Memory that is free is
 * poisoned for the address sanitizer. What hardware reads is another copy: lines
 * get there by clflush_cache_range() (shim.h).
 */
#include <linux/bug.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm_types.h>
#include <linux/sizes.h>
#include <asm/page.h>

#define PHYS_PFN(x)	((unsigned long)((x) >> PAGE_SHIFT))
#define PFN_PHYS(x)	((phys_addr_t)(x) << PAGE_SHIFT)
#define NUMA_NO_NODE	(-1)

#define SHIM_RAM_PHYS	0x140000000ull
#define SHIM_RAM_BYTES	(16ull << 30)

extern char *shim_ram;
extern bool shim_interrupt_locks;
extern struct page *shim_pages;

/* Not inline so that a bad address names its caller's line */
#define shim_in_ram(offset)						\
({									\
	u64 shim_offset = (offset);					\
	if (shim_offset >= SHIM_RAM_BYTES)				\
		shim_bug(__FILE__, __LINE__, "not an address of memory");	\
	shim_offset;							\
})
#define phys_to_virt(phys)						\
	((void *)(shim_ram + shim_in_ram((u64)(phys) - SHIM_RAM_PHYS)))
#define virt_to_phys(addr)						\
	((phys_addr_t)(SHIM_RAM_PHYS +					\
		       shim_in_ram((u64)((const char *)(addr) - shim_ram))))
#define __pa(addr)	virt_to_phys((void *)(addr))
#define __va(phys)	phys_to_virt(phys)
#define virt_to_page(addr)	phys_to_page(virt_to_phys(addr))
#define phys_to_page(phys)						\
	(&shim_pages[shim_in_ram((u64)(phys) - SHIM_RAM_PHYS) >> PAGE_SHIFT])
#define page_to_phys(page)						\
	((phys_addr_t)(SHIM_RAM_PHYS + ((u64)((page) - shim_pages) << PAGE_SHIFT)))
#define page_to_pfn(page)	PHYS_PFN(page_to_phys(page))
#define pfn_to_page(pfn)	phys_to_page(PFN_PHYS(pfn))
#define pfn_valid(pfn)		(PFN_PHYS(pfn) - SHIM_RAM_PHYS < SHIM_RAM_BYTES)
#define nth_page(page, n)	((page) + (n))
#define page_address(page)	phys_to_virt(page_to_phys(page))
#define page_to_virt(page)	page_address(page)
#define kmap_local_page(page)	page_address(page)
#define kunmap_local(addr)	((void)(addr))
#define page_to_nid(page)	0

static inline int get_order(unsigned long bytes)
{
	return bytes > PAGE_SIZE ? ilog2((bytes - 1) >> PAGE_SHIFT) + 1 : 0;
}

#define compound_head(page)	(page)

#define FOLL_WRITE	0x1u
#define FOLL_LONGTERM	0x2u
#define FOLL_FORCE	0x4u
#define FOLL_NOWAIT	0x8u

int pin_user_pages_fast(unsigned long start, int nr, unsigned int flags,
			struct page **pages);
void unpin_user_page(struct page *page);
void unpin_user_pages(struct page **pages, unsigned long nr);
void unpin_user_pages_dirty_lock(struct page **pages, unsigned long nr,
				 bool dirty);
void unpin_user_page_range_dirty_lock(struct page *page, unsigned long nr,
				      bool dirty);

#define pin_user_pages_unlocked(s, n, p, f)	pin_user_pages_fast(s, n, f, p)

#define mmap_read_lock(mm)	down_read(&(mm)->mmap_lock)
#define mmap_read_lock_killable(mm)					\
({									\
	if (!shim_interrupt_locks)					\
		mmap_read_lock(mm);					\
	shim_interrupt_locks ? -EINTR : 0;				\
})
#define mmap_read_unlock(mm)	up_read(&(mm)->mmap_lock)
#define mmap_write_lock(mm)	down_write(&(mm)->mmap_lock)
#define mmap_write_unlock(mm)	up_write(&(mm)->mmap_lock)

#define VM_READ		0x1ul
#define VM_WRITE	0x2ul
#define VM_SHARED	0x8ul
#define VM_MAYWRITE	0x20ul

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
};

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr);

static inline bool is_cow_mapping(unsigned long flags)
{
	return (flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

/* User addresses end where x86-64 with 4-level paging has them end. */
#define TASK_SIZE_MAX		0x7ffffffff000ul
#define TASK_SIZE		TASK_SIZE_MAX
#define untagged_addr(addr)	(addr)

#endif
