/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Remapping units that are PCI functions, see pciunit_regs.h.
 */
#ifndef IOFD_VTD_PCIUNIT_H
#define IOFD_VTD_PCIUNIT_H

#include <linux/types.h>

/* Longest list; also what keeps the sum of all below 32 bits. */
#define VTD_PCIUNIT_MAX_BYTES	0x10000

/**
 * struct vtd_joined - a DMAR table made of several
 * @bytes: the table, as vtd_dmar_parse() reads it
 * @length: bytes
 */
struct vtd_joined {
	u8 *bytes;
	u32 length;
};

/* pciunit_list.c */
int vtd_joined_begin(struct vtd_joined *joined, const void *acpi, size_t bytes);
void vtd_joined_free(struct vtd_joined *joined);
int vtd_joined_add(struct vtd_joined *joined, const void *list, size_t bytes,
		   u64 base, u64 reg_bytes, const char **why);

/* pciunit.c */
int vtd_pciunits_add(struct vtd_joined *joined);
unsigned int vtd_pciunits_found(void);
void vtd_pciunits_release(void);

#endif /* IOFD_VTD_PCIUNIT_H */
