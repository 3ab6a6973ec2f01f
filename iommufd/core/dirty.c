// SPDX-License-Identifier: GPL-2.0-only
/*
 * What devices have written through a table: as bits in a bitmap of the user's.
 *
 * What the table is asked for is gone from there, so nothing may fail between that
 * and setting the bits. The pages of the bitmap are pinned first, with no lock held:
 * that can take as long as user space likes. Then the bits are set in them with the
 * space locked.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include "core/hwpt.h"

/* Pages of the bitmap pinned at once: 64 GiB at 4 KiB for each bit */
#define PART_PAGES	(PAGE_SIZE / sizeof(struct page *))
#define PAGE_BITS	(PAGE_SIZE * BITS_PER_BYTE)

/**
 * struct part - a piece of the bitmap
 * @req: the whole of it
 * @first: first address of the piece
 * @last: last address
 * @pages: pages of the bitmap that have its bits
 */
struct part {
	const struct iofd_dirty_request *req;
	u64 first;
	u64 last;
	struct page **pages;
};

/* Where the bit for @iova is, counted from the start of the bitmap's first page */
static u64 bit_of(const struct iofd_dirty_request *req, u64 iova)
{
	return (req->bitmap & ~PAGE_MASK) * BITS_PER_BYTE +
	       ((iova - req->iova) >> ilog2(req->page_bytes));
}

static u64 page_of(const struct iofd_dirty_request *req, u64 iova)
{
	return bit_of(req, iova) / PAGE_BITS;
}

static void set_bits(void *arg, u64 iova, u64 last)
{
	const struct part *part = arg;
	u64 bit = bit_of(part->req, iova), end = bit_of(part->req, last) + 1;
	u64 first_page = page_of(part->req, part->first);

	while (bit < end) {
		unsigned int from = bit % PAGE_BITS;
		unsigned int n = min_t(u64, end - bit, PAGE_BITS - from);
		unsigned long *map;

		map = kmap_local_page(part->pages[bit / PAGE_BITS - first_page]);
		bitmap_set(map, from, n);
		kunmap_local(map);
		bit += n;
	}
}

/*
 * As far as the pages of one part reach from @part->first on, and where there is
 * more to come to the end of a leaf, of whatever size: of a leaf in two parts
 * neither would take the mark away.
 */
static u64 last_of_part(const struct part *part, u64 last)
{
	const struct iofd_dirty_request *req = part->req;
	u64 bits = (page_of(req, part->first) + PART_PAGES) * PAGE_BITS -
		   bit_of(req, part->first);
	u64 next;

	if (bit_of(req, last) - bit_of(req, part->first) < bits)
		return last;
	next = round_down(part->first, req->page_bytes) +
	       (bits << ilog2(req->page_bytes));
	return round_down(next, (u64)SZ_1G) - 1;
}

/* Lock the space of @hwpt, unless somebody else has the table by now. */
static int lock_tracker(struct iofd_hwpt *hwpt)
{
	struct iofd_space *space = hwpt->space;
	int rc;

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	if (!space->dead && READ_ONCE(hwpt->table->tracker) == hwpt)
		return 0;
	iofd_space_unlock(space);
	return -ENOENT;
}

static int read_part(struct iofd_hwpt *hwpt, struct part *part)
{
	struct iofd_hw_pt *pt;
	int rc;

	rc = lock_tracker(hwpt);
	if (rc)
		return rc;
	pt = hwpt->table->pt;
	if (!hwpt->tracking)
		rc = -EINVAL;
	else if (part->first <= pt->addr_last)
		pt->ops->read_dirty(pt, part->first,
				    min(part->last, pt->addr_last),
				    !part->req->keep, set_bits, part);
	iofd_space_unlock(hwpt->space);
	return rc;
}

static int pin_and_read(struct iofd_hwpt *hwpt, struct part *part)
{
	u64 page = page_of(part->req, part->first);
	unsigned long n = page_of(part->req, part->last) - page + 1, pinned = 0;
	struct iofd_pinner pinner = {
		.addr = (part->req->bitmap & PAGE_MASK) + (page << PAGE_SHIFT),
		.gup_flags = FOLL_WRITE,
	};
	long got = 0;
	int rc;

	while (pinned < n && got >= 0) {
		got = iofd_pin_batch(&pinner, n - pinned, part->pages + pinned);
		if (got > 0)
			pinned += got;
	}
	rc = got < 0 ? got : read_part(hwpt, part);
	unpin_user_pages_dirty_lock(part->pages, pinned, !rc);
	return rc;
}

static int check_request(const struct iofd_dirty_request *req, u64 *last)
{
	if (!req->length || check_add_overflow(req->iova, req->length - 1, last))
		return -EOVERFLOW;
	/* No leaf is smaller than PAGE_SIZE, so less would say no more. */
	if (!is_power_of_2(req->page_bytes) || req->page_bytes < PAGE_SIZE ||
	    (req->iova | req->length) & (req->page_bytes - 1))
		return -EINVAL;
	return 0;
}

int iofd_hwpt_get_dirty(struct iofd_hwpt *hwpt,
			const struct iofd_dirty_request *req)
{
	struct part part = { .req = req, .first = req->iova };
	u64 last;
	int rc;

	rc = check_request(req, &last);
	if (rc)
		return rc;
	if (!hwpt->dirty)
		return -EOPNOTSUPP;
	part.pages = (struct page **)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!part.pages)
		return -ENOMEM;
	for (;;) {
		part.last = last_of_part(&part, last);
		rc = pin_and_read(hwpt, &part);
		if (rc || part.last == last)
			break;
		part.first = part.last + 1;
		if (fatal_signal_pending(current)) {
			rc = -EINTR;
			break;
		}
		cond_resched();
	}
	free_page((unsigned long)part.pages);
	return rc;
}

/*
 * The hardware marks what is written for as long as the table is there; what it
 * has marked before tracking began is not asked for.
 */
int iofd_hwpt_set_dirty(struct iofd_hwpt *hwpt, bool on)
{
	struct iofd_hw_pt *pt;
	int rc;

	if (!hwpt->dirty)
		return -EOPNOTSUPP;
	rc = lock_tracker(hwpt);
	if (rc)
		return rc;
	pt = hwpt->table->pt;
	if (on)
		pt->ops->read_dirty(pt, 0, pt->addr_last, true, NULL, NULL);
	hwpt->tracking = on;
	iofd_space_unlock(hwpt->space);
	return 0;
}
