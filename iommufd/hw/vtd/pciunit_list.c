// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of remapping structures that units on PCI have, joined to one DMAR table
 * with what firmware says. Pure. A list comes from a device, so nothing in it is
 * believed: lengths are checked here as far as they are used, and the joined
 * table is then parsed like firmware's.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dmar.h"
#include "pciunit.h"
#include "pciunit_regs.h"

/* The ACPI table, offsets and lengths in bytes. */
#define TABLE_LENGTH	4
#define TABLE_WIDTH	36
#define TABLE_BYTES	48
#define ENTRY_BYTES	4
#define DRHD_BYTES	16
#define DRHD_SIZE	5
#define DRHD_BASE	8

static u32 get(const u8 *p, unsigned int bytes)
{
	u32 value = 0;

	while (bytes--)
		value = value << 8 | p[bytes];
	return value;
}

static void put(u8 *p, u64 value, unsigned int bytes)
{
	for (; bytes--; value >>= 8)
		*p++ = value;
}

/**
 * vtd_joined_begin() - begin with what firmware says
 * @joined: to initialise; free with vtd_joined_free()
 * @acpi: the ACPI table DMAR, or NULL without one
 * @bytes: bytes that may be read at @acpi
 *
 * Return: 0, -EINVAL when @acpi is no such table, or -ENOMEM.
 */
int vtd_joined_begin(struct vtd_joined *joined, const void *acpi, size_t bytes)
{
	u32 length = TABLE_BYTES;

	joined->bytes = NULL;
	if (acpi) {
		if (bytes < TABLE_BYTES || memcmp(acpi, "DMAR", 4))
			return -EINVAL;
		length = get((const u8 *)acpi + TABLE_LENGTH, 4);
		if (length < TABLE_BYTES || length > bytes)
			return -EINVAL;
	}
	joined->bytes = kzalloc(length, GFP_KERNEL);
	if (!joined->bytes)
		return -ENOMEM;
	joined->length = length;
	if (acpi) {
		memcpy(joined->bytes, acpi, length);
	} else {
		memcpy(joined->bytes, "DMAR", 4);
		put(joined->bytes + TABLE_LENGTH, length, 4);
		/* The width is that of the first list. */
	}
	return 0;
}

/**
 * vtd_joined_free() - undo vtd_joined_begin(), also when it failed
 * @joined: the table
 */
void vtd_joined_free(struct vtd_joined *joined)
{
	kfree(joined->bytes);
	joined->bytes = NULL;
}

/* Have the list's unit say where its registers are. What is wrong, or NULL. */
static const char *place(u8 *p, u32 bytes, u64 base, u64 reg_bytes)
{
	unsigned int units = 0;
	u32 len;

	for (; bytes; p += len, bytes -= len) {
		if (bytes < ENTRY_BYTES)
			return "the last structure is cut off";
		len = get(p + 2, 2);
		if (len < ENTRY_BYTES || len > bytes)
			return "a structure's length is wrong";
		if (get(p, 2) != VTD_DMAR_DRHD)
			continue;
		if (len < DRHD_BYTES)
			return "a structure is too short for its type";
		if (get(p + DRHD_BASE, 4) || get(p + DRHD_BASE + 4, 4))
			return "a unit's registers are elsewhere";
		if (4096ULL << (p[DRHD_SIZE] & 0xf) > reg_bytes)
			return "the registers are longer than their part of the BAR";
		if (units++)
			return "there is more than one unit in it";
		put(p + DRHD_BASE, base, 8);
	}
	return units ? NULL : "no unit in it";
}

/**
 * vtd_joined_add() - add the list of a unit on PCI
 * @joined: the table; unchanged on failure
 * @list: the list with its header
 * @bytes: bytes that may be read at @list
 * @base: physical address of the unit's registers
 * @reg_bytes: how long they can be
 * @why: receives the reason, for people, when something is wrong with the list
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int vtd_joined_add(struct vtd_joined *joined, const void *list, size_t bytes,
		   u64 base, u64 reg_bytes, const char **why)
{
	const u8 *p = list;
	u32 length, width;
	u8 *grown;

	*why = "it has no list of remapping structures";
	if (bytes < VTD_PCIUNIT_HEADER ||
	    get(p + VTD_PCIUNIT_MAGIC, 4) != VTD_PCIUNIT_MAGIC_VALUE)
		return -EINVAL;
	*why = "its list is of a revision that this driver does not know";
	if (get(p + VTD_PCIUNIT_REVISION, 4) != VTD_PCIUNIT_REVISION_VALUE)
		return -EINVAL;
	*why = "the length of its list is wrong";
	length = get(p + VTD_PCIUNIT_LENGTH, 4);
	if (length < VTD_PCIUNIT_HEADER || length > bytes || bytes > VTD_PCIUNIT_MAX_BYTES)
		return -EINVAL;
	*why = "its host address width is impossible";
	width = get(p + VTD_PCIUNIT_WIDTH, 4);
	if (width < 32 || width > 64)
		return -EINVAL;

	*why = "out of memory";
	length -= VTD_PCIUNIT_HEADER;
	grown = kzalloc(joined->length + length, GFP_KERNEL);
	if (!grown)
		return -ENOMEM;
	memcpy(grown, joined->bytes, joined->length);
	memcpy(grown + joined->length, p + VTD_PCIUNIT_HEADER, length);
	*why = place(grown + joined->length, length, base, reg_bytes);
	if (*why) {
		kfree(grown);
		return -EINVAL;
	}
	if (!grown[TABLE_WIDTH])
		grown[TABLE_WIDTH] = width - 1;
	kfree(joined->bytes);
	joined->bytes = grown;
	joined->length += length;
	put(grown + TABLE_LENGTH, joined->length, 4);
	return 0;
}
