/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Configuration space of a PCI Express function: a byte image, and for each byte
 * which bits software can write and which it clears by writing ones.
 */
#ifndef HW_PCI_H
#define HW_PCI_H

#include <linux/pci_regs.h>
#include <stdbool.h>
#include <stdint.h>

#define PCI_CONFIG_BYTES	4096
#define PCI_BARS		6

/* Offsets of capabilities, 0 for what a function lacks. */
struct pci_caps {
	uint16_t express;
	uint16_t msi;
	uint16_t msix;
	uint16_t ats;
	uint16_t pri;
	uint16_t pasid;
	uint16_t acs;
};

/**
 * struct pci - a function's configuration space
 * @bytes: what it reads as
 * @writable: bits that software sets and clears
 * @clear: bits that software clears by writing 1
 * @bar_bytes: length of each BAR, 0 for none
 * @caps: where its capabilities are
 * @cap_end: first free byte for a capability
 * @cap_last: offset of the "next" byte of the last one
 * @ext_end: the same of extended capabilities
 * @ext_last: offset of the last one's header, 0 without any
 */
struct pci {
	uint8_t bytes[PCI_CONFIG_BYTES];
	uint8_t writable[PCI_CONFIG_BYTES];
	uint8_t clear[PCI_CONFIG_BYTES];
	uint32_t bar_bytes[PCI_BARS];
	struct pci_caps caps;
	uint16_t cap_end;
	uint16_t cap_last;
	uint16_t ext_end;
	uint16_t ext_last;
};

/**
 * pci_init() - start an endpoint's configuration space
 * @pci: to fill in; has PCI Express with function level reset
 * @vendor: vendor ID
 * @device: device ID
 * @class_code: 24 bits
 */
void pci_init(struct pci *pci, uint16_t vendor, uint16_t device,
	      uint32_t class_code);

/**
 * pci_bar() - add a 64-bit memory BAR
 * @pci: the function
 * @bar: even number, below 6
 * @bytes: a power of two, at least 4096
 */
void pci_bar(struct pci *pci, unsigned int bar, uint32_t bytes);

/** pci_msix() - MSI-X of @vectors, table at @table in @bar and the pending bits at @pba */
void pci_msix(struct pci *pci, unsigned int vectors, unsigned int bar,
	      uint32_t table, uint32_t pba);

/** pci_ats() - ATS with a queue of @depth invalidations (1 to 32) */
void pci_ats(struct pci *pci, unsigned int depth);

/** pci_pri() - page requests, at most @capacity outstanding */
void pci_pri(struct pci *pci, uint32_t capacity);

/** pci_pasid() - PASIDs of @width bits, with execute and privileged requests */
void pci_pasid(struct pci *pci, unsigned int width);

/** pci_acs() - ACS with all that separates functions */
void pci_acs(struct pci *pci);

uint16_t pci_get16(const struct pci *pci, unsigned int off);
uint32_t pci_get32(const struct pci *pci, unsigned int off);
void pci_put16(struct pci *pci, unsigned int off, uint16_t value);
void pci_put32(struct pci *pci, unsigned int off, uint32_t value);

/** pci_read() - @bytes bytes at @off, which are inside the space */
void pci_read(const struct pci *pci, unsigned int off, void *buf,
	      unsigned int bytes);

/**
 * pci_write() - software writes
 * @pci: the function
 * @off: where
 * @buf: what; the range is inside the space
 * @bytes: how much
 *
 * Return: true when it asked for a function level reset.
 */
bool pci_write(struct pci *pci, unsigned int off, const void *buf,
	       unsigned int bytes);

/** pci_reset() - as after a function level reset: what software wrote is gone */
void pci_reset(struct pci *pci);

#endif /* HW_PCI_H */
