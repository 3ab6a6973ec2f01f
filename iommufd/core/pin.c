// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinning user memory, from start to end of a range, in batches.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/mman.h>
#include "core/space.h"

/*
 * A file is mapped into the caller's memory for as long as its pages are being
 * pinned. Whatever another thread does to that mapping meanwhile, it is its own
 * process's memory that gets pinned.
 */
static int map_file(struct iofd_pinner *pinner,
		    const struct iofd_map_request *req)
{
	const struct super_block *sb = file_inode(req->file)->i_sb;
	unsigned long granule = PAGE_SIZE, prot = PROT_READ, addr;
	u64 first, bytes;

	/* Device nodes live on a tmpfs, too. */
	if (!S_ISREG(file_inode(req->file)->i_mode))
		return -EINVAL;
	if (sb->s_magic == HUGETLBFS_MAGIC)
		granule = sb->s_blocksize;
	else if (sb->s_magic != TMPFS_MAGIC)
		return -EINVAL;
	if (req->length > MAX_LFS_FILESIZE ||
	    req->source > MAX_LFS_FILESIZE - req->length)
		return -EINVAL;

	/* Mapping more of a hugetlbfs file than there is would make it grow. */
	if (req->source + req->length >
	    round_up((u64)i_size_read(file_inode(req->file)), PAGE_SIZE))
		return -EFAULT;

	first = round_down(req->source, granule);
	bytes = round_up(req->source + req->length, granule) - first;
	if (req->prot & IOFD_WRITE)
		prot |= PROT_WRITE;
	addr = vm_mmap(req->file, 0, bytes, prot, MAP_SHARED, first);
	if (IS_ERR_VALUE(addr))
		return (long)addr;
	pinner->temp_addr = addr;
	pinner->temp_bytes = bytes;
	pinner->addr = addr + (req->source - first);
	return 0;
}

int iofd_pin_start(struct iofd_pinner *pinner,
		   const struct iofd_map_request *req)
{
	pinner->temp_bytes = 0;
	pinner->gup_flags = FOLL_LONGTERM;
	if (req->prot & IOFD_WRITE)
		pinner->gup_flags |= FOLL_WRITE;

	if (req->file)
		return map_file(pinner, req);
	/*
	 * Private memory that is only read by the device is made the process's
	 * own first, as for writing: otherwise a page shared with a parent, a
	 * file or the zero page would be pinned, and what the process writes
	 * there later would go to another page. FOLL_FORCE says: if it can be.
	 */
	if (!(req->prot & IOFD_WRITE))
		pinner->gup_flags |= FOLL_WRITE | FOLL_FORCE;
	pinner->addr = req->source;
	return 0;
}

/* Memory at @addr that the process may not write, if it may read it. */
static long pin_unwritable(unsigned long addr, unsigned long npages,
			   struct page **pages)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool private = false;
	long got = -EFAULT;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = vma_lookup(mm, addr);
	if (vma && vma->vm_flags & VM_READ) {
		private = is_cow_mapping(vma->vm_flags);
		npages = min(npages, (vma->vm_end - addr) >> PAGE_SHIFT);
	} else {
		npages = 0;
	}
	mmap_read_unlock(mm);
	if (!npages)
		return -EFAULT;

	if (private)
		got = pin_user_pages_fast(addr, npages,
					  FOLL_LONGTERM | FOLL_WRITE |
					  FOLL_FORCE, pages);
	/* Shared, or huge pages, which FOLL_FORCE does not go with. */
	if (got == -EFAULT)
		got = pin_user_pages_fast(addr, npages, FOLL_LONGTERM, pages);
	return got;
}

long iofd_pin_batch(struct iofd_pinner *pinner, unsigned long npages,
		    struct page **pages)
{
	long got;

	got = pin_user_pages_fast(pinner->addr, npages,
				  pinner->gup_flags & ~FOLL_FORCE, pages);
	if (got == -EFAULT && pinner->gup_flags & FOLL_FORCE)
		got = pin_unwritable(pinner->addr, npages, pages);
	if (got > 0)
		pinner->addr += (unsigned long)got << PAGE_SHIFT;
	return got ?: -EFAULT;
}

void iofd_pin_end(struct iofd_pinner *pinner)
{
	if (pinner->temp_bytes)
		vm_munmap(pinner->temp_addr, pinner->temp_bytes);
}

void iofd_unpin_run(phys_addr_t phys, size_t bytes, unsigned int prot)
{
	unpin_user_page_range_dirty_lock(pfn_to_page(PHYS_PFN(phys)),
					 bytes >> PAGE_SHIFT,
					 prot & IOFD_WRITE);
}
