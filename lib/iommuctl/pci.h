/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What sysfs says about PCI functions and remapping units.
 */
#ifndef IOMMUCTL_PCI_H
#define IOMMUCTL_PCI_H

#include "iommuctl.h"

/**
 * struct pci_function - a PCI function
 * @bdf: name
 * @vendor: PCI vendor
 * @device: PCI device
 * @class: class code, 24 bits
 * @driver: its driver, "" without
 * @override: the driver that it is reserved for, "" without
 * @group: number of its IOMMU group as text, "" without
 * @unit: name of the remapping unit in front of it, "" when unknown
 * @vfio: name of its VFIO device, "" without
 * @has_cdev: @vfio has a device file
 */
struct pci_function {
	char bdf[IOMMU_BDF_LEN];
	unsigned int vendor;
	unsigned int device;
	unsigned int class;
	char driver[NAME_LEN];
	char override[NAME_LEN];
	char group[16];
	char unit[NAME_LEN];
	char vfio[NAME_LEN];
	bool has_cdev;
};

/** pci_load() - look at a function; false when there is none of that name */
bool pci_load(struct pci_function *fn, const char *bdf);

/** pci_class_name() - what kind of device, in a word or two */
const char *pci_class_name(unsigned int class);

/** pci_is_bridge() - can a function of that class be handed over at all? */
static inline bool pci_is_bridge(unsigned int class)
{
	return class >> 16 == 0x06;
}

/**
 * pci_disk_use() - what a disk of a function is in use for
 * @bdf: the function
 *
 * Return: "mounted on /home", "used as swap space", to be freed; NULL: nothing.
 */
char *pci_disk_use(const char *bdf);

/**
 * struct unit - a remapping unit
 * @name: name
 * @has_regs: it is VT-d, and @version, @cap and @ecap are known
 * @version: of the architecture, "1:0" style
 * @address: of its registers, as text
 * @cap: CAP register
 * @ecap: ECAP register
 */
struct unit {
	char name[NAME_LEN];
	bool has_regs;
	char version[16];
	char address[32];
	uint64_t cap;
	uint64_t ecap;
};

/** unit_load() - look at a unit */
void unit_load(struct unit *unit, const char *name);

/** unit_owner() - what drives the units of this machine: "iofd_vtd", "kernel"
 * or "nobody"
 */
const char *unit_owner(void);

/** unit_addr_width() - widest second-level address, in bits */
unsigned int unit_addr_width(const struct unit *unit);

/** unit_pasid_width() - bits of a PASID, 0 without PASIDs */
unsigned int unit_pasid_width(const struct unit *unit);

/** unit_nests() - does it know nested translation? */
bool unit_nests(const struct unit *unit);

/** unit_is_scalable() - does it know scalable mode, with second-stage tables? */
bool unit_is_scalable(const struct unit *unit);

/** unit_page_sizes() - bitmap of second-level page sizes */
uint64_t unit_page_sizes(const struct unit *unit);

/** unit_remaps_interrupts() - can it? */
bool unit_remaps_interrupts(const struct unit *unit);

/** unit_features() - the abilities that matter, in words, into @text */
void unit_features(const struct unit *unit, char *text, size_t len);

/** format_page_sizes() - "4K 2M 1G" into @text */
void format_page_sizes(uint64_t bitmap, char *text, size_t len);

/** format_bytes() - "1.5 MiB" into @text */
void format_bytes(uint64_t bytes, char *text, size_t len);

#endif /* IOMMUCTL_PCI_H */
