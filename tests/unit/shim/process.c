// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Processes and the memory in them that can be pinned.
 */
#include "internal.h"
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <sys/mman.h>

/* Where files are mapped, one after the other */
#define MMAP_BASE	0x700000000000ul

/* Memory that a test has mapped into a process */
struct shim_region {
	struct shim_region *next;
	struct vm_area_struct vma;
	unsigned long addr;
	unsigned long nr_pages;
	struct page *pages[];
};

static struct shim_process default_process;

struct task_struct *shim_current;
unsigned long shim_pins;
unsigned long shim_pin_fault;
int shim_pin_limit;
unsigned long shim_pin_calls;
void (*shim_unpin_hook)(struct page *page);

static unsigned long mmap_next;

void shim_process_init(struct shim_process *process)
{
	static pid_t pids = 1000;

	*process = (struct shim_process) {
		.task = {
			.mm = &process->mm,
			.user = &process->user,
			.pid = ++pids,
			.tgid = pids,
			.comm = "test",
			.memlock = RLIM_INFINITY,
		},
		.mm = {
			.mm_users = ATOMIC_INIT(1),
			.mm_count = ATOMIC_INIT(1),
		},
		.user = { .__count = REFCOUNT_INIT(1) },
	};
	init_rwsem(&process->mm.mmap_lock);
}

static void forget_regions(struct mm_struct *mm)
{
	while (mm->regions) {
		struct shim_region *region = mm->regions;

		mm->regions = region->next;
		free(region);
	}
}

static int process_left(const struct shim_process *process)
{
	static const char *const what[] = {
		"references on mm_users", "references on mm_count",
		"pages in pinned_vm", "pages in mm locked_vm",
		"references on the user", "pages in the user's locked_vm",
	};
	const long left[] = {
		atomic_read(&process->mm.mm_users) - 1,
		atomic_read(&process->mm.mm_count) - 1,
		atomic64_read(&process->mm.pinned_vm),
		process->mm.locked_vm,
		(long)refcount_read(&process->user.__count) - 1,
		atomic_long_read(&process->user.locked_vm),
	};
	unsigned int i;
	int rc = 0;

	for (i = 0; i < ARRAY_SIZE(left); i++) {
		if (!left[i])
			continue;
		print_error("left of a process: %ld %s\n", left[i], what[i]);
		rc = -1;
	}
	return rc;
}

void shim_process_exit(struct shim_process *process)
{
	forget_regions(&process->mm);
	if (process_left(process))
		BUG();
}

void shim_reset_process(void)
{
	if (default_process.task.mm)
		forget_regions(&default_process.mm);
	shim_process_init(&default_process);
	shim_current = &default_process.task;
	shim_pins = 0;
	shim_pin_fault = 0;
	shim_pin_limit = 0;
	shim_pin_calls = 0;
	shim_unpin_hook = NULL;
	mmap_next = MMAP_BASE;
}

int shim_process_left(void)
{
	forget_regions(&default_process.mm);
	return process_left(&default_process);
}

/* Memory */

static struct shim_region *region_of(unsigned long addr)
{
	struct shim_region *region;

	for (region = current->mm->regions; region; region = region->next)
		if (addr >= region->addr &&
		    addr - region->addr < region->nr_pages << PAGE_SHIFT)
			return region;
	return NULL;
}

static struct shim_region *region_new(unsigned long addr,
				      unsigned long nr_pages,
				      unsigned long vm_flags)
{
	struct shim_region *region;

	BUG_ON(!PAGE_ALIGNED(addr) || !nr_pages);
	BUG_ON(region_of(addr) || region_of(addr + ((nr_pages - 1) << PAGE_SHIFT)));
	region = malloc(sizeof(*region) + nr_pages * sizeof(region->pages[0]));
	if (!region)
		abort();
	region->addr = addr;
	region->nr_pages = nr_pages;
	region->vma = (struct vm_area_struct) {
		.vm_start = addr,
		.vm_end = addr + (nr_pages << PAGE_SHIFT),
		.vm_flags = vm_flags,
	};
	region->next = current->mm->regions;
	current->mm->regions = region;
	return region;
}

void shim_user_map(unsigned long addr, unsigned long nr_pages, unsigned int flags)
{
	u64 align = flags & SHIM_GIGANTIC ? SZ_1G : SZ_2M;
	bool scattered = flags & SHIM_SCATTERED;
	unsigned long vm_flags = VM_READ | VM_WRITE, i;
	struct shim_region *region;
	struct page *page;

	if (flags & SHIM_READONLY)
		vm_flags &= ~VM_WRITE;
	if (flags & SHIM_NOACCESS)
		vm_flags = 0;
	vm_flags |= !(flags & SHIM_PRIVATE) && flags & SHIM_READONLY ?
		    VM_SHARED : VM_MAYWRITE;
	region = region_new(addr, nr_pages, vm_flags);

	page = shim_frames(nr_pages, scattered ? 0 : addr,
			   scattered ? PAGE_SIZE : align);
	for (i = 0; i < nr_pages; i++) {
		/* Backwards, so that nothing is contiguous */
		struct page *frame = page + (scattered ? nr_pages - 1 - i : i);

		*frame = (struct page) { .flags = SHIM_PAGE_USER, .refs = 1 };
		if (flags & SHIM_PRIVATE)
			frame->flags |= SHIM_PAGE_COMMON;
		region->pages[i] = frame;
	}
}

void shim_user_unmap(unsigned long addr)
{
	struct shim_region **link = &current->mm->regions, *region;

	while (*link && (*link)->addr != addr)
		link = &(*link)->next;
	region = *link;
	BUG_ON(!region);
	*link = region->next;
	free(region);
}

unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags,
		      unsigned long offset)
{
	unsigned long i, first = offset >> PAGE_SHIFT;
	struct inode *inode = file_inode(file);
	struct shim_region *region;

	BUG_ON(addr || !PAGE_ALIGNED(offset) || !len || flags != MAP_SHARED);
	if (shim_must_fail(GFP_KERNEL, __FILE__, __LINE__))
		return -ENOMEM;
	if (!(file->f_mode & FMODE_READ) ||
	    (prot & PROT_WRITE && !(file->f_mode & FMODE_WRITE)))
		return -EACCES;
	if (!inode->pages)
		return -ENODEV;
	addr = mmap_next;
	if (PAGE_ALIGN(len) < len || PAGE_ALIGN(len) > TASK_SIZE_MAX - addr)
		return -ENOMEM;
	len = PAGE_ALIGN(len);
	mmap_next += len;
	region = region_new(addr, len >> PAGE_SHIFT,
			    VM_SHARED | VM_READ |
			    (prot & PROT_WRITE ? VM_WRITE | VM_MAYWRITE : 0));
	/* Behind the end of the file there is nothing. */
	for (i = 0; i < region->nr_pages; i++)
		region->pages[i] = first + i < inode->nr_pages ?
				   inode->pages[first + i] : NULL;
	return addr;
}

int vm_munmap(unsigned long addr, size_t len)
{
	shim_user_unmap(addr);
	return 0;
}

struct page *shim_user_page(unsigned long addr)
{
	struct shim_region *region = region_of(addr);

	return region ? region->pages[(addr - region->addr) >> PAGE_SHIFT] : NULL;
}

struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	struct shim_region *region = region_of(addr);

	lockdep_assert_held(&mm->mmap_lock);
	BUG_ON(mm != current->mm);
	return region ? &region->vma : NULL;
}

static bool may_pin(const struct shim_region *region, unsigned int flags)
{
	unsigned long vm_flags = region->vma.vm_flags;
	bool force = flags & FOLL_FORCE;

	if (flags & FOLL_WRITE)
		return vm_flags & VM_WRITE || (force && is_cow_mapping(vm_flags));
	return vm_flags & VM_READ || force;
}

/* A write gives the process a page of its own. */
static struct page *fault_in(struct shim_region *region, unsigned long addr,
			     unsigned int flags)
{
	struct page **slot = &region->pages[(addr - region->addr) >> PAGE_SHIFT];

	if (*slot && flags & FOLL_WRITE && (*slot)->flags & SHIM_PAGE_COMMON) {
		*slot = shim_frames(1, 0, PAGE_SIZE);
		**slot = (struct page) { .flags = SHIM_PAGE_USER, .refs = 1 };
	}
	return *slot;
}

int pin_user_pages_fast(unsigned long start, int nr, unsigned int flags,
			struct page **pages)
{
	int i;

	shim_pin_calls++;
	if (nr < 0)
		return -EINVAL;
	if (shim_must_fail(GFP_KERNEL, __FILE__, __LINE__))
		return -ENOMEM;
	start &= PAGE_MASK;
	if (start > TASK_SIZE_MAX ||
	    ((unsigned long)nr << PAGE_SHIFT) > TASK_SIZE_MAX - start)
		return -EFAULT;
	if (shim_pin_limit)
		nr = min(nr, shim_pin_limit);
	for (i = 0; i < nr; i++, start += PAGE_SIZE) {
		struct shim_region *region = region_of(start);

		if (!region || start == shim_pin_fault ||
		    !may_pin(region, flags))
			break;
		pages[i] = fault_in(region, start, flags);
		if (!pages[i])
			break;
		pages[i]->pins++;
		shim_pins++;
	}
	return i || !nr ? i : -EFAULT;
}

void unpin_user_page_range_dirty_lock(struct page *page, unsigned long nr,
				      bool dirty)
{
	for (; nr; nr--, page++) {
		BUG_ON(!(page->flags & SHIM_PAGE_USER) || !page->pins);
		page->pins--;
		shim_pins--;
		if (dirty)
			page->flags |= SHIM_PAGE_DIRTY;
		if (shim_unpin_hook)
			shim_unpin_hook(page);
	}
}

void unpin_user_pages_dirty_lock(struct page **pages, unsigned long nr,
				 bool dirty)
{
	while (nr--)
		unpin_user_page_range_dirty_lock(*pages++, 1, dirty);
}

void unpin_user_pages(struct page **pages, unsigned long nr)
{
	unpin_user_pages_dirty_lock(pages, nr, false);
}

void unpin_user_page(struct page *page)
{
	unpin_user_page_range_dirty_lock(page, 1, false);
}
