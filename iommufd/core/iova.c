// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which I/O virtual addresses are taken, free and permitted.
 *
 * Mappings never overlap, so a plain red-black tree by address finds them.
 * Commands tend to work next to where the last one did: iofd_space.hint is a
 * mapping there, and saves the descent when it is a neighbour.
 */
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include "core/space.h"

/* Kernel-chosen addresses keep clear of 0, which many programs take for none. */
#define IOVA_FLOOR	SZ_64K

static struct iofd_mapping *to_mapping(struct rb_node *node)
{
	return rb_entry_safe(node, struct iofd_mapping, node);
}

struct iofd_mapping *iofd_iova_next(struct iofd_mapping *mapping)
{
	return to_mapping(rb_next(&mapping->node));
}

/* The lowest mapping that ends at or after @addr. */
static struct iofd_mapping *first_ending_from(struct iofd_space *space,
					      u64 addr)
{
	struct iofd_mapping *m = space->hint, *best = NULL, *next;
	struct rb_node *node;

	iofd_space_assert_locked(space);

	if (m) {
		if (m->first <= addr) {
			if (addr <= m->last)
				return m;
			next = iofd_iova_next(m);
			if (!next || addr <= next->last)
				return next;
		} else {
			struct iofd_mapping *prev;

			prev = to_mapping(rb_prev(&m->node));
			if (!prev || prev->last < addr)
				return m;
		}
	}

	node = space->mappings.rb_node;
	while (node) {
		m = to_mapping(node);
		if (addr <= m->last) {
			best = m;
			if (m->first <= addr)
				break;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

struct iofd_mapping *iofd_iova_overlap(struct iofd_space *space, u64 first,
				       u64 last)
{
	struct iofd_mapping *m = first_ending_from(space, first);

	return m && m->first <= last ? m : NULL;
}

bool iofd_iova_vacant(struct iofd_space *space, u64 first, u64 last,
		      struct iofd_mapping **next)
{
	*next = first_ending_from(space, first);
	return !*next || (*next)->first > last;
}

void iofd_iova_insert(struct iofd_space *space, struct iofd_mapping *mapping,
		      struct iofd_mapping *next)
{
	struct rb_node **link, *parent;

	iofd_space_assert_locked(space);

	/*
	 * The new node is the in-order predecessor of @next: the left child of
	 * @next, or the right child of the node now before it, whichever link
	 * is free; one of the two always is.
	 */
	if (!next) {
		parent = rb_last(&space->mappings);
		link = parent ? &parent->rb_right : &space->mappings.rb_node;
	} else if (!next->node.rb_left) {
		parent = &next->node;
		link = &parent->rb_left;
	} else {
		parent = rb_prev(&next->node);
		link = &parent->rb_right;
	}
	rb_link_node(&mapping->node, parent, link);
	rb_insert_color(&mapping->node, &space->mappings);

	space->hint = mapping;
	space->nr_mappings++;
	space->nr_pages += (mapping->last - mapping->first + 1) >> PAGE_SHIFT;
}

void iofd_iova_remove(struct iofd_space *space, struct iofd_mapping *mapping)
{
	struct iofd_mapping *prev = to_mapping(rb_prev(&mapping->node));
	u64 gap = prev ? prev->last + 1 : 0;

	iofd_space_assert_locked(space);

	/* The gap that opens here may be large enough for what found none. */
	if (gap < space->gap_from)
		space->gap_from = gap;
	space->hint = prev;
	rb_erase(&mapping->node, &space->mappings);
	space->nr_mappings--;
	space->nr_pages -= (mapping->last - mapping->first + 1) >> PAGE_SHIFT;
}

/* The lowest range of @pdev that ends at or after @from. */
static bool pdev_range_from(const struct iofd_pdev *pdev, u64 from,
			    struct iommu_ioasid_range *range)
{
	unsigned int i;

	for (i = 0; i < pdev->nr_ranges; i++) {
		if (pdev->ranges[i].last >= from) {
			*range = pdev->ranges[i];
			return true;
		}
	}
	return false;
}

bool iofd_iova_permitted_from(struct iofd_space *space, u64 from,
			      struct iommu_ioasid_range *range)
{
	struct iommu_ioasid_range r, one;
	struct iofd_attach *attach;
	bool found = true;

	if (from > space->addr_last)
		return false;

	spin_lock(&space->attach_lock);
again:
	r.start = from;
	r.last = space->addr_last;
	list_for_each_entry(attach, &space->attaches, space_entry) {
		found = pdev_range_from(attach->binding->pdev, r.start, &one);
		if (!found)
			break;
		if (one.start > r.last) {
			/* Disjoint: nothing that all permit ends before it. */
			from = one.start;
			found = from <= space->addr_last;
			if (found)
				goto again;
			break;
		}
		r.start = max(r.start, one.start);
		r.last = min(r.last, one.last);
	}
	if (found)
		space->window = r;
	spin_unlock(&space->attach_lock);
	if (found)
		*range = r;
	return found;
}

bool iofd_iova_permitted(struct iofd_space *space, u64 first, u64 last)
{
	struct iommu_ioasid_range range;

	iofd_space_assert_locked(space);

	if (space->window.start <= first && last <= space->window.last)
		return true;
	return iofd_iova_permitted_from(space, first, &range) &&
	       range.start == first && last <= range.last;
}

/* All permitted ranges, counted, as many as fit written to @ranges. */
static unsigned int list_ranges(struct iofd_space *space,
				struct iommu_ioasid_range *ranges,
				unsigned int room)
{
	struct iommu_ioasid_range range;
	unsigned int nr = 0;
	u64 from = 0;

	while (iofd_iova_permitted_from(space, from, &range)) {
		if (nr < room)
			ranges[nr] = range;
		nr++;
		if (range.last == U64_MAX)
			break;
		from = range.last + 1;
	}
	return nr;
}

int iofd_iova_ranges(struct iofd_space *space,
		     struct iommu_ioasid_range **ranges)
{
	unsigned int room;

	iofd_space_assert_locked(space);

	/* Attaching needs the lock; detaching can only join ranges. */
	room = max(list_ranges(space, NULL, 0), 1u);
	*ranges = kcalloc(room, sizeof(**ranges), GFP_KERNEL);
	if (!*ranges)
		return -ENOMEM;
	return min(list_ranges(space, *ranges, room), room);
}

/* Round @addr up to @phase modulo @align; false when that wraps. */
static bool align_up(u64 *addr, u64 align, u64 phase)
{
	u64 up = *addr + ((phase - *addr) & (align - 1));

	if (up < *addr)
		return false;
	*addr = up;
	return true;
}

/* The part of @range in which the kernel may choose addresses; it may be none. */
static bool allowed_part(const struct iofd_space *space,
			 struct iommu_ioasid_range *range)
{
	unsigned int low = 0, high = space->nr_allowed;

	/* The first one that ends at or after the start */
	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (space->allowed[mid].last < range->start)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == space->nr_allowed)
		return false;
	range->start = max(range->start, space->allowed[low].start);
	range->last = min(range->last, space->allowed[low].last);
	return true;
}

/* First fit from @pos on, ending at or before @end. */
static int find_gap_from(struct iofd_space *space, u64 pos, u64 end, u64 length,
			 u64 align, u64 phase, u64 *iova,
			 struct iofd_mapping **next)
{
	struct iommu_ioasid_range range;
	unsigned int steps = 0;

	while (align_up(&pos, align, phase) && pos <= end) {
		if (!(++steps % 1024)) {
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
		if (!iofd_iova_permitted_from(space, pos, &range))
			break;
		if (unlikely(space->nr_allowed)) {
			u64 permitted_last = range.last;

			if (!allowed_part(space, &range))
				break;
			/* It begins behind what is permitted: go on there. */
			if (range.start > range.last) {
				if (permitted_last == U64_MAX)
					break;
				pos = permitted_last + 1;
				continue;
			}
		}
		if (range.start > pos) {
			pos = range.start;
			continue;
		}
		if (length - 1 > range.last - pos) {
			if (range.last == U64_MAX)
				break;
			pos = range.last + 1;
			continue;
		}
		if (iofd_iova_vacant(space, pos, pos + length - 1, next)) {
			*iova = pos;
			return 0;
		}
		/* Walk on from here: the next search starts at a neighbour. */
		space->hint = *next;
		if ((*next)->last == U64_MAX)
			break;
		pos = (*next)->last + 1;
	}
	return -ENOSPC;
}

int iofd_iova_find_gap(struct iofd_space *space, u64 length, u64 align,
		       u64 phase, u64 *iova, struct iofd_mapping **next)
{
	u64 from = IOVA_FLOOR;
	int rc;

	iofd_space_assert_locked(space);

	/* What was skipped as too small for less is too small for this. */
	if (length >= space->gap_bytes)
		from = max(from, space->gap_from);
	rc = find_gap_from(space, from, U64_MAX, length, align, phase, iova,
			   next);
	if (rc == -ENOSPC && from > IOVA_FLOOR)
		/* Alignment may have skipped gaps that fit this request. */
		rc = find_gap_from(space, IOVA_FLOOR, from, length, align,
				   phase, iova, next);
	if (rc == -ENOSPC)
		rc = find_gap_from(space, 0, IOVA_FLOOR - 1, length, align,
				   phase, iova, next);
	if (rc)
		return rc;
	space->gap_from = *iova + length;
	space->gap_bytes = length;
	return 0;
}
