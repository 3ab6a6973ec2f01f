/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * First-level I/O page tables, in the layout of VT-d first-stage paging (VT-d
 * specification, "First-Stage Paging Entries"; requirements D.6): that of the
 * processor, 4 or 5 levels, leaves of 4 KiB, 2 MiB and 1 GiB.
 *
 * The two formats agree in all that sl.c looks at: P is where R is and R/W where
 * W is, PS and the address have the same places, hardware ignores bits 61:52,
 * and looks at nothing else of an entry whose bit 0 is clear. So a first-level
 * table is a struct sl_table whose entries have some bits more:
 *
 *   U/S	DMA is a user's
 *   A, D	set from the start, so that hardware never writes to the table
 *
 * XD is not needed: requests to execute are refused altogether (ERE).
 *
 * What differs for the owner:
 *   - Every mapping permits reading: sl_map() wants IOFD_READ.
 *   - Addresses are canonical: fl_addr_last() is half of what the levels hold.
 *   - No bit of an entry enforces snooping.
 */
#ifndef IOFD_HW_PT_FL_H
#define IOFD_HW_PT_FL_H

#include "hw/pt/sl.h"

#define FL_USER		BIT_ULL(2)
#define FL_ACCESSED	BIT_ULL(5)
#define FL_DIRTY	BIT_ULL(6)

/**
 * fl_init() - make an empty first-level table
 * @sl: to fill in; from here on sl_map(), sl_revoke() and all the rest
 * @levels: 4 or 5
 * @max_leaf_level: largest leaf: 1, 2 or 3
 * @noncoherent: write lines back with clflush
 *
 * Return: 0 or -ENOMEM.
 */
static inline int fl_init(struct sl_table *sl, unsigned int levels,
			  unsigned int max_leaf_level, bool noncoherent)
{
	int rc = sl_init(sl, levels, max_leaf_level, noncoherent,
			 FL_USER | FL_ACCESSED | FL_DIRTY);

	sl->table_bits |= FL_USER | FL_ACCESSED;
	return rc;
}

/* Highest address that a first-level table of @levels levels translates. */
static inline u64 fl_addr_last(unsigned int levels)
{
	return sl_addr_last(levels) >> 1;
}

#endif /* IOFD_HW_PT_FL_H */
