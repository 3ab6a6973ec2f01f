// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is behind a unit, as the structures of the ACPI table DMAR (VT-d
 * specification, chapter 8).
 */
#include <errno.h>
#include <string.h>
#include "../../../iommufd/hw/vtd/pciunit_regs.h"
#include "hw.h"

struct out {
	uint8_t *buf;
	uint32_t at;
	uint32_t room;
};

static void put(struct out *out, uint64_t value, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++, out->at++)
		if (out->at < out->room)
			out->buf[out->at] = (uint8_t)(value >> 8 * i);
}

static void scope(struct out *out, uint8_t devfn)
{
	put(out, 1, 1);		/* PCI endpoint */
	put(out, 8, 1);		/* length: one step */
	put(out, 0, 3);
	put(out, 0, 1);		/* root bus */
	put(out, devfn >> 3, 1);
	put(out, devfn & 7, 1);
}

int list_build(struct unit *unit)
{
	struct out out = { unit->list, VTD_PCIUNIT_HEADER, sizeof(unit->list) };
	unsigned int i, n = 0;
	uint32_t length;

	for (i = 0; i < hw.nr_eps; i++)
		n += hw.eps[i]->unit == unit;

	put(&out, 0, 2);	/* DRHD */
	put(&out, 16 + 8 * n, 2);
	put(&out, 0, 2);	/* not for all devices; one page of registers */
	put(&out, 0, 2);
	put(&out, 0, 8);	/* this BAR */
	for (i = 0; i < hw.nr_eps; i++)
		if (hw.eps[i]->unit == unit)
			scope(&out, hw.eps[i]->addr);

	for (i = 0; i < unit->nr_rmrrs; i++) {
		put(&out, 1, 2);
		put(&out, 24 + 8, 2);
		put(&out, 0, 4);
		put(&out, unit->rmrrs[i].start, 8);
		put(&out, unit->rmrrs[i].last, 8);
		scope(&out, (uint8_t)unit->rmrrs[i].sid);
	}

	put(&out, 2, 2);	/* ATSR */
	put(&out, 8, 2);
	put(&out, 1, 1);	/* all ports */
	put(&out, 0, 3);
	if (out.at > out.room)
		return -ENOSPC;

	length = out.at;
	unit->list_bytes = length;
	out.at = 0;
	put(&out, VTD_PCIUNIT_MAGIC_VALUE, 4);
	put(&out, VTD_PCIUNIT_REVISION_VALUE, 4);
	put(&out, length, 4);
	put(&out, unit->config.haw, 4);
	return 0;
}
