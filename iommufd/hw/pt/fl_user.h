/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a user's first-level table (VT-d specification 9.7, requirement B4).
 *
 * The user owns the memory and can change it at any time: every entry is read
 * once, and nothing in it is believed beyond the addresses that it names, which
 * the caller translates by the parent.
 */
#ifndef IOFD_HW_PT_FL_USER_H
#define IOFD_HW_PT_FL_USER_H

#include <linux/types.h>

/**
 * struct fl_user - a walk of a user's table
 * @root: address of its root page in the parent
 * @levels: 4 or 5
 * @extended_access: set EA besides A
 * @table: called for each page of the table, with its address, the range of
 *	addresses that depends on it, and its level; gives its kernel address,
 *	or NULL when the parent does not let it be read, and whether it may be
 *	written as well
 * @leaf: called for each range that is translated: its start and length, the
 *	address in the parent, IOFD_READ and perhaps IOFD_WRITE
 * @arg: for the functions
 *
 * @table and @leaf are called in ascending order. What they return ends the walk
 * when it is not 0.
 */
struct fl_user {
	u64 root;
	unsigned int levels;
	bool extended_access;
	int (*table)(void *arg, u64 addr, u64 first, u64 last,
		     unsigned int level, u64 **page, bool *writable);
	int (*leaf)(void *arg, u64 first, u64 bytes, u64 addr,
		    unsigned int prot);
	void *arg;
};

/**
 * fl_user_walk() - walk what translates a range
 * @walk: what and how
 * @first: first address
 * @last: last address; both below 1 << (12 + 9 * levels - 1): the lower half
 *
 * Translates what hardware would translate for a request in user mode that is
 * not for execution, and sets the accessed bits of all entries and the dirty bits
 * of all writable leaves that it uses, as hardware does at the latest when they
 * are used. An entry whose bits cannot be set for want of write permission
 * translates nothing, or is read-only, as in hardware.
 *
 * Return: 0 or what a function returned.
 */
int fl_user_walk(const struct fl_user *walk, u64 first, u64 last);

#endif /* IOFD_HW_PT_FL_USER_H */
