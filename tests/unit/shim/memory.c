// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Allocation with injected failures, pages, and what hardware sees of them.
 */
#include "internal.h"
#include <asm/cacheflush.h>
#include "hw/flush_point.h"
#include <stdio.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)		((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n)	((void)(p), (void)(n))
#endif

#define LINE_BYTES	64
#define MAX_ORDER	10
#define NR_FRAMES	(SHIM_RAM_BYTES >> PAGE_SHIFT)
/* What nobody has written: to a page table walk present, at a strange address */
#define GARBAGE		0xdb

char *shim_ram;
struct page *shim_pages;
unsigned long shim_live_allocs;
unsigned long shim_live_pages;
unsigned long shim_flushed_lines;

static char *hw_ram;			/* memory behind the caches */
static unsigned long next_frame;	/* frames from here on were never used */
static struct page *free_first[MAX_ORDER + 1];	/* linked by page->mapping */
static struct page *free_last[MAX_ORDER + 1];
static unsigned long fail_countdown;
static bool fail_fired;

static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap of the fake memory");
		exit(1);
	}
	return p;
}

void shim_reset_memory(void)
{
	if (!shim_ram) {
		shim_ram = reserve(SHIM_RAM_BYTES);
		hw_ram = reserve(SHIM_RAM_BYTES);
		shim_pages = reserve(NR_FRAMES * sizeof(*shim_pages));
	}
	/* Pages that a failed test has left stay where they are. */
	if (next_frame && !shim_live_pages) {
		size_t bytes = next_frame << PAGE_SHIFT;

		ASAN_UNPOISON_MEMORY_REGION(shim_ram, bytes);
		madvise(shim_ram, bytes, MADV_DONTNEED);
		madvise(hw_ram, bytes, MADV_DONTNEED);
		memset(shim_pages, 0, next_frame * sizeof(*shim_pages));
		memset(free_first, 0, sizeof(free_first));
		next_frame = 0;
	}
	shim_live_allocs = 0;
	shim_live_pages = 0;
	shim_flushed_lines = 0;
	shim_fail_nth(0);
}

/* Failures */

void shim_fail_nth(unsigned long n)
{
	fail_countdown = n;
	fail_fired = false;
}

bool shim_fail_fired(void)
{
	return fail_fired;
}

bool shim_must_fail(gfp_t gfp, const char *file, int line)
{
	if (gfpflags_allow_blocking(gfp))
		shim_might_sleep(file, line);
	if (gfp & __GFP_NOFAIL || !fail_countdown || --fail_countdown)
		return false;
	fail_fired = true;
	return true;
}

#define must_fail(gfp)	shim_must_fail(gfp, __FILE__, __LINE__)

/* Small memory: the C library's, so that the sanitizer knows its bounds */

void *kmalloc(size_t bytes, gfp_t gfp)
{
	void *p;

	if (must_fail(gfp) || bytes > SHIM_RAM_BYTES)
		return NULL;
	p = malloc(bytes);
	if (!p)
		abort();
	memset(p, gfp & __GFP_ZERO ? 0 : GARBAGE, bytes);
	shim_live_allocs++;
	return p;
}

void *krealloc(const void *old, size_t bytes, gfp_t gfp)
{
	void *p;

	if (!old)
		return kmalloc(bytes, gfp);
	if (must_fail(gfp))
		return NULL;
	p = realloc((void *)old, bytes);
	if (!p)
		abort();
	return p;
}

void kfree(const void *p)
{
	if (!p)
		return;
	BUG_ON(!shim_live_allocs);
	shim_live_allocs--;
	free((void *)p);
}

void *kmemdup(const void *from, size_t bytes, gfp_t gfp)
{
	void *p = kmalloc(bytes, gfp);

	return p ? memcpy(p, from, bytes) : NULL;
}

char *kstrdup(const char *from, gfp_t gfp)
{
	return from ? kmemdup(from, strlen(from) + 1, gfp) : NULL;
}

char *kasprintf(gfp_t gfp, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = kmalloc(n + 1, gfp);
	if (!text)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, n + 1, fmt, args);
	va_end(args);
	return text;
}

struct kmem_cache {
	unsigned int bytes;
	unsigned long live;
	void (*ctor)(void *p);
};

struct kmem_cache *kmem_cache_create(const char *name, unsigned int bytes,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *))
{
	struct kmem_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	(void)name;
	(void)align;
	(void)flags;
	if (cache) {
		cache->bytes = bytes;
		cache->ctor = ctor;
	}
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (cache)
		BUG_ON(cache->live);
	kfree(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *p = kmalloc(cache->bytes, gfp);

	if (p) {
		cache->live++;
		if (cache->ctor)
			cache->ctor(p);
	}
	return p;
}

void kmem_cache_free(struct kmem_cache *cache, void *p)
{
	BUG_ON(!p || !cache->live);
	cache->live--;
	kfree(p);
}

/* Pages */

struct page *shim_frames(unsigned long nr, u64 addr, u64 align)
{
	u64 phys = SHIM_RAM_PHYS + ((u64)next_frame << PAGE_SHIFT);

	phys += (addr - phys) & (align - 1);
	next_frame = ((phys - SHIM_RAM_PHYS) >> PAGE_SHIFT) + nr;
	if (next_frame > NR_FRAMES) {
		print_error("the fake memory is too small\n");
		abort();
	}
	return phys_to_page(phys);
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	size_t bytes = PAGE_SIZE << order;
	struct page *page;
	char *p;

	BUG_ON(order > MAX_ORDER);
	if (must_fail(gfp))
		return NULL;
	/* First in, first out: what is used after it was freed stays poisoned. */
	page = free_first[order];
	if (page)
		free_first[order] = page->mapping;
	else
		page = shim_frames(1ul << order, 0, bytes);
	*page = (struct page) {
		.flags = SHIM_PAGE_ALLOCATED,
		.refs = 1,
		.order = order,
	};
	p = page_address(page);
	ASAN_UNPOISON_MEMORY_REGION(p, bytes);
	memset(p, gfp & __GFP_ZERO ? 0 : GARBAGE, bytes);
	memset(hw_ram + (p - shim_ram), GARBAGE, bytes);
	shim_live_pages += 1ul << order;
	return page;
}

void __free_pages(struct page *page, unsigned int order)
{
	BUG_ON(!(page->flags & SHIM_PAGE_ALLOCATED) || page->order != order);
	BUG_ON(page->mapping || page->pins);
	if (--page->refs)
		return;
	page->flags = 0;
	ASAN_POISON_MEMORY_REGION(page_address(page), PAGE_SIZE << order);
	if (free_first[order])
		free_last[order]->mapping = page;
	else
		free_first[order] = page;
	free_last[order] = page;
	shim_live_pages -= 1ul << order;
}

unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

/* Caches */

/* The place that SHIM_NO_FLUSH names is left out; see hw/flush_point.h. */
bool iofd_test_flush_point(const char *name)
{
	static const char *none;

	if (!none)
		none = getenv("SHIM_NO_FLUSH") ?: "";
	return strcmp(name, none);
}

static struct page *block_of(const char *p)
{
	unsigned int order;

	for (order = 0; order <= MAX_ORDER; order++) {
		u64 offset = (p - shim_ram) & ~((PAGE_SIZE << order) - 1);
		struct page *page = shim_pages + (shim_in_ram(offset) >> PAGE_SHIFT);

		if (page->flags & SHIM_PAGE_ALLOCATED && page->order >= order)
			return page;
	}
	shim_bug(__FILE__, __LINE__, "that memory is free");
}

void clflush_cache_range(void *addr, unsigned int size)
{
	char *p = PTR_ALIGN_DOWN((char *)addr, LINE_BYTES);

	for (; p < (char *)addr + size; p += LINE_BYTES) {
		block_of(p);
		memcpy(hw_ram + (p - shim_ram), p, LINE_BYTES);
		shim_flushed_lines++;
	}
}

u64 shim_hw_read64(phys_addr_t phys)
{
	block_of(phys_to_virt(phys));
	return *(u64 *)(hw_ram + (phys - SHIM_RAM_PHYS));
}

static char *at(char *ram, phys_addr_t phys, size_t bytes)
{
	char *p = phys_to_virt(phys);

	/* Within one page: hardware writes and reads in pieces. */
	BUG_ON((phys & ~PAGE_MASK) + bytes > PAGE_SIZE);
	block_of(p);
	return ram + (p - shim_ram);
}

void shim_hw_read(phys_addr_t phys, void *to, size_t bytes, bool coherent)
{
	memcpy(to, at(coherent ? shim_ram : hw_ram, phys, bytes), bytes);
}

void shim_hw_write(phys_addr_t phys, const void *from, size_t bytes)
{
	memcpy(at(shim_ram, phys, bytes), from, bytes);
	memcpy(at(hw_ram, phys, bytes), from, bytes);
}

u64 shim_cpu_read64(phys_addr_t phys)
{
	block_of(phys_to_virt(phys));
	return *(u64 *)phys_to_virt(phys);
}
