/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a unit test says to the kernel shim. Include it first; it brings cmocka.
 *
 * The shim is a small piece of kernel interface in user space: the headers in
 * shim/linux and shim/asm hide the system's of the same name, and hold as much
 * as the tested sources use. It has one thread, one process unless a test
 * makes more, and a fake physical memory.
 */
#ifndef SHIM_H
#define SHIM_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/string.h>

/*
 * A test in cmocka's list. Before it the shim is brought to its initial state;
 * after it nothing may be left: memory, pages, pins, locks, references on
 * modules or processes, charges, warnings that were not expected.
 */
#define shim_test(f)							\
	cmocka_unit_test_setup_teardown(f, shim_setup, shim_teardown)
int shim_setup(void **state);
int shim_teardown(void **state);

/* The warnings (WARN_ON() and the like) that the test provokes, in total */
void shim_expect_warnings(unsigned int n);

/* @expr is something that the shim complains about: it stops there. */
#define shim_expect_bug(expr)						\
do {									\
	shim_bug_expected = true;					\
	if (!setjmp(shim_bug_jump)) {					\
		expr;							\
		shim_bug_expected = false;				\
		fail_msg("not noticed: %s", #expr);			\
	}								\
	shim_bug_expected = false;					\
} while (0)
extern bool shim_bug_expected;
extern jmp_buf shim_bug_jump;

/*
 * Allocations, of whatever kind, and pins are numbered from the call on; the
 * @n-th fails, 0: none. To fail each one in turn:
 *
 *	for (n = 1;; n++) {
 *		shim_fail_nth(n);
 *		rc = the_operation();
 *		if (!shim_fail_fired())
 *			break;
 *		...check that rc says so and that nothing has changed...
 *	}
 */
void shim_fail_nth(unsigned long n);
bool shim_fail_fired(void);

extern unsigned long shim_live_allocs;	/* kmalloc() and the like */
extern unsigned long shim_live_pages;	/* alloc_pages(), in pages */

/* Numbers that repeat; SHIM_SEED in the environment changes them. */
u64 shim_random(void);
/* From 0 up to and without @n */
u64 shim_random_below(u64 n);

/*
 * Memory as hardware sees it that does not snoop caches: lines get there by
 * clflush_cache_range() alone, and a page that was just allocated holds garbage.
 */
u64 shim_hw_read64(phys_addr_t phys);
/* The same for any piece of a page; coherent hardware sees what the CPU sees. */
void shim_hw_read(phys_addr_t phys, void *to, size_t bytes, bool coherent);
/* What hardware writes, snooping: everybody sees it. */
void shim_hw_write(phys_addr_t phys, const void *from, size_t bytes);
/* Memory as the CPU and coherent hardware see it; free memory is a bug. */
u64 shim_cpu_read64(phys_addr_t phys);
extern unsigned long shim_flushed_lines;	/* lines written back so far */

/*
 * A process. The default one (shim_current) has no limit and no privilege.
 */
struct shim_process {
	struct task_struct task;
	struct mm_struct mm;
	struct user_struct user;
};

void shim_process_init(struct shim_process *process);
/* Forgets its memory. Complains when it is still referenced or charged. */
void shim_process_exit(struct shim_process *process);

/*
 * Memory of the current process, at @addr. Contiguous in physical memory, and
 * congruent to @addr modulo 2 MiB, unless flags say otherwise.
 */
#define SHIM_SCATTERED	0x1u	/* no page continues the one before */
#define SHIM_READONLY	0x2u	/* not writable: cannot be pinned for writing */
#define SHIM_GIGANTIC	0x4u	/* congruent modulo 1 GiB */
#define SHIM_PRIVATE	0x8u	/* somebody else has the pages, too: copied on write */
#define SHIM_NOACCESS	0x10u	/* neither readable nor writable */
void shim_user_map(unsigned long addr, unsigned long nr_pages, unsigned int flags);
/* A region as it was mapped; pages that are pinned live on. */
void shim_user_unmap(unsigned long addr);
struct page *shim_user_page(unsigned long addr);

extern unsigned long shim_pins;		/* pins held now, over all pages */
extern unsigned long shim_pin_fault;	/* this page cannot be pinned; 0: none */
extern int shim_pin_limit;		/* pages that one call pins; 0: all */
extern unsigned long shim_pin_calls;
/* Called for each page with one pin less, when set */
extern void (*shim_unpin_hook)(struct page *page);

/*
 * Files. An open one is known by its fd, or an errno; what is open at the end of
 * a test is a leak. File memory is a regular file of a file system with that
 * magic number.
 */
struct file_operations;
int shim_open(const struct file_operations *fops);
int shim_open_memory(unsigned long magic, unsigned long nr_pages,
		     unsigned long block_bytes);
struct file *shim_file(int fd);
long shim_ioctl(int fd, unsigned int cmd, void *arg);
void shim_close(int fd);

/* The @bytes from @p on fault when they are copied from or to user space. */
void shim_bad_user(const void *p, size_t bytes);
/* They can be read, and not be written. */
void shim_user_readonly(const void *p, size_t bytes);

#endif
