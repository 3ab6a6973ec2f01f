/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI DMAR table: which remapping units there are, which devices are
 * behind which, and which memory firmware uses by DMA. Pure: works on a buffer.
 */
#ifndef IOFD_VTD_DMAR_H
#define IOFD_VTD_DMAR_H

#include <linux/types.h>

/* Types of a device scope. */
enum vtd_scope_type {
	VTD_SCOPE_ENDPOINT = 1,
	VTD_SCOPE_BRIDGE = 2,	/* and everything below it */
	VTD_SCOPE_IOAPIC = 3,
	VTD_SCOPE_HPET = 4,
	VTD_SCOPE_NAMESPACE = 5, /* ACPI device that is no PCI function */
};

/**
 * struct vtd_scope - a device, named by a path from a root bus
 * @type: enum vtd_scope_type
 * @enum_id: of an I/O APIC, HPET or namespace device
 * @start_bus: bus of the first step
 * @nr_steps: bridges to pass, and the device itself
 * @steps: pairs of device and function number
 */
struct vtd_scope {
	u8 type;
	u8 enum_id;
	u8 start_bus;
	u8 nr_steps;
	const u8 *steps;
};

/* Kinds of entry that are of interest, by their number in the table. */
enum vtd_dmar_kind {
	VTD_DMAR_DRHD = 0,
	VTD_DMAR_RMRR = 1,
	VTD_DMAR_ATSR = 2,
};

/**
 * struct vtd_dmar_entry - one DRHD, RMRR or ATSR
 * @kind: enum vtd_dmar_kind
 * @all: DRHD: INCLUDE_PCI_ALL; ATSR: ALL_PORTS
 * @segment: PCI segment
 * @start: DRHD: registers; RMRR: memory; first byte
 * @last: last byte
 * @scopes: first of its device scopes
 * @nr_scopes: how many
 */
struct vtd_dmar_entry {
	u16 kind;
	bool all;
	u16 segment;
	u64 start;
	u64 last;
	const struct vtd_scope *scopes;
	unsigned int nr_scopes;
};

/**
 * struct vtd_dmar - a parsed table
 * @address_width_bits: host address width
 * @nr_entries: entries
 * @nr_ignored: RMRRs whose range makes no sense, left out
 * @entries: in the order of the table
 * @scopes: of all entries
 * @table: private copy that the scopes point into
 *
 * Constant once parsed.
 */
struct vtd_dmar {
	unsigned int address_width_bits;
	unsigned int nr_entries;
	unsigned int nr_ignored;
	struct vtd_dmar_entry *entries;
	struct vtd_scope *scopes;
	u8 *table;
};

/**
 * struct vtd_hop - one function on the way from a device to its root bus
 * @bus: bus number
 * @devfn: device and function number
 */
struct vtd_hop {
	u8 bus;
	u8 devfn;
};

int vtd_dmar_parse(const void *buf, size_t bytes, struct vtd_dmar **out,
		   const char **why);
void vtd_dmar_free(struct vtd_dmar *dmar);
bool vtd_scope_matches(const struct vtd_scope *scope,
		       const struct vtd_hop *hops, unsigned int nr_hops);
const struct vtd_dmar_entry *
vtd_dmar_find_unit(const struct vtd_dmar *dmar, u16 segment,
		   const struct vtd_hop *hops, unsigned int nr_hops);
bool vtd_dmar_in_scope(const struct vtd_dmar_entry *entry, u16 segment,
		       const struct vtd_hop *hops, unsigned int nr_hops);

#endif /* IOFD_VTD_DMAR_H */
