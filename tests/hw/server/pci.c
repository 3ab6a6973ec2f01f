// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Configuration space of a PCI Express function. Layouts are those of the PCI
 * Express base specification, chapter 7.
 */
#include <string.h>
#include "pci.h"

uint16_t pci_get16(const struct pci *pci, unsigned int off)
{
	return (uint16_t)(pci->bytes[off] | pci->bytes[off + 1] << 8);
}

uint32_t pci_get32(const struct pci *pci, unsigned int off)
{
	return pci_get16(pci, off) | (uint32_t)pci_get16(pci, off + 2) << 16;
}

void pci_put16(struct pci *pci, unsigned int off, uint16_t value)
{
	pci->bytes[off] = (uint8_t)value;
	pci->bytes[off + 1] = (uint8_t)(value >> 8);
}

void pci_put32(struct pci *pci, unsigned int off, uint32_t value)
{
	pci_put16(pci, off, (uint16_t)value);
	pci_put16(pci, off + 2, (uint16_t)(value >> 16));
}

static void allow16(uint8_t *mask, unsigned int off, uint16_t bits)
{
	mask[off] |= (uint8_t)bits;
	mask[off + 1] |= (uint8_t)(bits >> 8);
}

static uint16_t add_cap(struct pci *pci, uint8_t id, unsigned int bytes)
{
	uint16_t at = pci->cap_end;

	pci->bytes[pci->cap_last] = (uint8_t)at;
	pci->bytes[at] = id;
	pci->cap_last = at + 1;
	pci->cap_end = (uint16_t)(at + ((bytes + 3) & ~3u));
	return at;
}

static uint16_t add_ext_cap(struct pci *pci, uint16_t id, unsigned int bytes)
{
	uint16_t at = pci->ext_end;

	if (pci->ext_last)
		pci_put32(pci, pci->ext_last, pci_get32(pci, pci->ext_last) |
			  (uint32_t)at << 20);
	pci_put32(pci, at, id | 1u << 16);
	pci->ext_last = at;
	pci->ext_end = (uint16_t)(at + ((bytes + 3) & ~3u));
	return at;
}

void pci_init(struct pci *pci, uint16_t vendor, uint16_t device,
	      uint32_t class_code)
{
	uint16_t at;

	memset(pci, 0, sizeof(*pci));
	pci->cap_last = PCI_CAPABILITY_LIST;
	pci->cap_end = 0x40;
	pci->ext_end = 0x100;
	pci_put16(pci, PCI_VENDOR_ID, vendor);
	pci_put16(pci, PCI_DEVICE_ID, device);
	pci_put32(pci, PCI_CLASS_REVISION, class_code << 8 | 1);
	pci_put16(pci, PCI_SUBSYSTEM_VENDOR_ID, vendor);
	pci_put16(pci, PCI_SUBSYSTEM_ID, device);
	pci_put16(pci, PCI_STATUS, PCI_STATUS_CAP_LIST);
	allow16(pci->writable, PCI_COMMAND, PCI_COMMAND_MEMORY |
		PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
		PCI_COMMAND_INTX_DISABLE);
	pci->writable[PCI_CACHE_LINE_SIZE] = 0xff;

	at = add_cap(pci, PCI_CAP_ID_EXP, 0x3c);
	pci->caps.express = at;
	/* On the root bus: integrated, and PASIDs get through to the unit. */
	pci_put16(pci, at + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_RC_END << 4);
	pci_put32(pci, at + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR |
		  PCI_EXP_DEVCAP_RBER | 1);
	allow16(pci->writable, at + PCI_EXP_DEVCTL, 0x7fff);
	pci_put16(pci, at + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_RELAX_EN |
		  PCI_EXP_DEVCTL_NOSNOOP_EN | 2 << 12);
	allow16(pci->clear, at + PCI_EXP_DEVSTA, 0xf);
	pci_put32(pci, at + PCI_EXP_DEVCAP2, PCI_EXP_DEVCAP2_EE_PREFIX);
}

void pci_bar(struct pci *pci, unsigned int bar, uint32_t bytes)
{
	pci->bar_bytes[bar] = bytes;
	pci_put32(pci, PCI_BASE_ADDRESS_0 + 4 * bar, PCI_BASE_ADDRESS_MEM_TYPE_64);
}

void pci_msix(struct pci *pci, unsigned int vectors, unsigned int bar,
	      uint32_t table, uint32_t pba)
{
	uint16_t at = add_cap(pci, PCI_CAP_ID_MSIX, 12);

	pci->caps.msix = at;
	pci_put16(pci, at + PCI_MSIX_FLAGS, (uint16_t)(vectors - 1));
	pci_put32(pci, at + PCI_MSIX_TABLE, table | bar);
	pci_put32(pci, at + PCI_MSIX_PBA, pba | bar);
	allow16(pci->writable, at + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE |
		PCI_MSIX_FLAGS_MASKALL);
}

void pci_ats(struct pci *pci, unsigned int depth)
{
	uint16_t at = add_ext_cap(pci, PCI_EXT_CAP_ID_ATS, 8);

	pci->caps.ats = at;
	pci_put16(pci, at + 4, (uint16_t)((depth & 0x1f) | PCI_ATS_CAP_PAGE_ALIGNED));
	allow16(pci->writable, at + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE | 0x1f);
}

void pci_pri(struct pci *pci, uint32_t capacity)
{
	uint16_t at = add_ext_cap(pci, PCI_EXT_CAP_ID_PRI, 16);

	pci->caps.pri = at;
	pci_put16(pci, at + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED |
		  PCI_PRI_STATUS_PASID);
	pci_put32(pci, at + PCI_PRI_MAX_REQ, capacity);
	allow16(pci->writable, at + PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
	allow16(pci->clear, at + PCI_PRI_STATUS, PCI_PRI_STATUS_RF |
		PCI_PRI_STATUS_UPRGI);
	allow16(pci->writable, at + PCI_PRI_ALLOC_REQ, 0xffff);
	allow16(pci->writable, at + PCI_PRI_ALLOC_REQ + 2, 0xffff);
}

void pci_pasid(struct pci *pci, unsigned int width)
{
	uint16_t at = add_ext_cap(pci, PCI_EXT_CAP_ID_PASID, 8);

	pci->caps.pasid = at;
	pci_put16(pci, at + 4, (uint16_t)(PCI_PASID_CAP_EXEC |
		  PCI_PASID_CAP_PRIV | width << 8));
	allow16(pci->writable, at + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE |
		PCI_PASID_CTRL_EXEC | PCI_PASID_CTRL_PRIV);
}

void pci_acs(struct pci *pci)
{
	uint16_t at = add_ext_cap(pci, PCI_EXT_CAP_ID_ACS, 8);
	uint16_t bits = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF |
			PCI_ACS_DT;

	pci->caps.acs = at;
	pci_put16(pci, at + PCI_ACS_CAP, bits);
	allow16(pci->writable, at + PCI_ACS_CTRL, bits);
}

void pci_read(const struct pci *pci, unsigned int off, void *buf,
	      unsigned int bytes)
{
	memcpy(buf, pci->bytes + off, bytes);
}

bool pci_write(struct pci *pci, unsigned int off, const void *buf,
	       unsigned int bytes)
{
	unsigned int devctl = pci->caps.express + PCI_EXP_DEVCTL + 1u;
	const uint8_t *in = buf;
	bool flr = false;
	unsigned int i;

	for (i = 0; i < bytes; i++) {
		uint8_t *byte = &pci->bytes[off + i];
		uint8_t mask = pci->writable[off + i];

		*byte = (uint8_t)((*byte & ~mask) | (in[i] & mask));
		*byte = (uint8_t)(*byte & ~(in[i] & pci->clear[off + i]));
		if (off + i == devctl && in[i] & PCI_EXP_DEVCTL_BCR_FLR >> 8)
			flr = true;
	}
	return flr;
}

void pci_reset(struct pci *pci)
{
	uint16_t at = pci->caps.express;
	unsigned int i;

	for (i = 0; i < PCI_CONFIG_BYTES; i++)
		pci->bytes[i] = (uint8_t)(pci->bytes[i] &
					  ~(pci->writable[i] | pci->clear[i]));
	pci_put16(pci, at + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_RELAX_EN |
		  PCI_EXP_DEVCTL_NOSNOOP_EN | 2 << 12);
	if (pci->caps.pri)
		pci_put16(pci, pci->caps.pri + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED |
			  PCI_PRI_STATUS_PASID);
}
