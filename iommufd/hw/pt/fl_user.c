// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include "hw/hw.h"
#include "hw/pt/fl_user.h"

#define FL_P		BIT_ULL(0)
#define FL_RW		BIT_ULL(1)
#define FL_US		BIT_ULL(2)
#define FL_A		BIT_ULL(5)
#define FL_D		BIT_ULL(6)
#define FL_PS		BIT_ULL(7)
#define FL_EA		BIT_ULL(10)
#define FL_ADDR		GENMASK_ULL(51, 12)
/* PAT of a large leaf; the bits from here up to its address are reserved. */
#define FL_LARGE_PAT	BIT_ULL(12)

#define MAX_LARGE_LEVEL	3

/* A user that changes an entry as fast as we look at it gets nothing by it. */
#define MAX_RACES	16

static unsigned int level_shift(unsigned int level)
{
	return 3 + 9 * level;
}

static bool is_leaf(u64 entry, unsigned int level)
{
	return level == 1 || entry & FL_PS;
}

/* Would hardware take it for an entry that a user's request can go through? */
static bool is_usable(u64 entry, unsigned int level)
{
	u64 reserved;

	if ((entry & (FL_P | FL_US)) != (FL_P | FL_US))
		return false;
	if (level == 1 || !(entry & FL_PS))
		return true;
	if (level > MAX_LARGE_LEVEL)
		return false;
	reserved = GENMASK_ULL(level_shift(level) - 1, 12) & ~FL_LARGE_PAT;
	return !(entry & reserved);
}

/* The bits that hardware would set in an entry that it uses. */
static u64 marks(const struct fl_user *walk, u64 entry, unsigned int level,
		 unsigned int prot)
{
	u64 bits = FL_A | (walk->extended_access ? FL_EA : 0);

	if (is_leaf(entry, level) && prot & IOFD_WRITE)
		bits |= FL_D;
	return bits & ~entry;
}

/**
 * use_entry() - read an entry as hardware does that uses it
 * @walk: the walk
 * @pte: the entry, in memory that the user can write
 * @writable: we may write it, too
 * @level: its level
 * @entry: receives what it says
 * @prot: in: what the levels above give; out: what it leaves
 *
 * Return: false when nothing goes through it.
 */
static bool use_entry(const struct fl_user *walk, u64 *pte, bool writable,
		      unsigned int level, u64 *entry, unsigned int *prot)
{
	unsigned int left, races;
	u64 e = READ_ONCE(*pte), set;

	for (races = 0; races < MAX_RACES; races++) {
		if (!is_usable(e, level))
			return false;
		left = e & FL_RW ? *prot : *prot & ~IOFD_WRITE;
		set = marks(walk, e, level, left);
		if (set && !writable) {
			/* What is not marked dirty cannot be written. */
			if (set != FL_D)
				return false;
			left &= ~IOFD_WRITE;
			set = 0;
		}
		if (!set || try_cmpxchg64(pte, &e, e | set)) {
			*entry = e;
			*prot = left;
			return true;
		}
	}
	return false;
}

static int walk_page(const struct fl_user *walk, u64 addr, u64 base,
		     unsigned int level, u64 first, u64 last, unsigned int prot)
{
	unsigned int shift = level_shift(level), i, i_last;
	bool writable;
	u64 *page;
	int rc;

	rc = walk->table(walk->arg, addr, base, base + (512ULL << shift) - 1,
			 level, &page, &writable);
	if (rc || !page)
		return rc;

	i = first > base ? (first - base) >> shift : 0;
	i_last = min_t(u64, (last - base) >> shift, 511);
	for (; i <= i_last && !rc; i++) {
		u64 at = base + ((u64)i << shift), entry;
		unsigned int left = prot;

		if (!use_entry(walk, &page[i], writable, level, &entry, &left))
			continue;
		if (is_leaf(entry, level))
			rc = walk->leaf(walk->arg, at, 1ULL << shift,
					entry & FL_ADDR &
					~((1ULL << shift) - 1), left);
		else
			rc = walk_page(walk, entry & FL_ADDR, at, level - 1,
				       first, last, left);
	}
	return rc;
}

int fl_user_walk(const struct fl_user *walk, u64 first, u64 last)
{
	return walk_page(walk, walk->root, 0, walk->levels, first, last,
			 IOFD_READ | IOFD_WRITE);
}
