// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Remapping units, from /sys/class/iommu. Both VT-d drivers, the kernel's and
 * ours, publish the registers of a unit in the same place.
 */
#include <stdio.h>
#include <string.h>

#include "pci.h"
#include "sys.h"

#define UNIT "/sys/class/iommu/%s"

/* Fields of CAP and ECAP (VT-d specification, 11.4.2 and 11.4.3) */
#define CAP_SAGAW(cap)	((cap) >> 8 & 0x1f)
#define CAP_MGAW(cap)	(((cap) >> 16 & 0x3f) + 1)
#define CAP_SLLPS(cap)	((cap) >> 34 & 0xf)
#define ECAP_DT		(1ull << 2)
#define ECAP_IR		(1ull << 3)
#define ECAP_SC		(1ull << 7)
#define ECAP_NEST	(1ull << 26)
#define ECAP_PRS	(1ull << 29)
#define ECAP_PSS(ecap)	(((ecap) >> 35 & 0x1f) + 1)
#define ECAP_PASID	(1ull << 40)
#define ECAP_SMTS	(1ull << 43)
#define ECAP_SLADS	(1ull << 45)
#define ECAP_SSTS	(1ull << 46)
#define ECAP_FSTS	(1ull << 47)

void unit_load(struct unit *unit, const char *name)
{
	memset(unit, 0, sizeof(*unit));
	snprintf(unit->name, sizeof(unit->name), "%s", name);
	unit->has_regs =
		sys_read_hex(&unit->cap, UNIT "/intel-iommu/cap", name) &&
		sys_read_hex(&unit->ecap, UNIT "/intel-iommu/ecap", name);
	sys_read(unit->version, sizeof(unit->version),
		 UNIT "/intel-iommu/version", name);
	sys_read(unit->address, sizeof(unit->address),
		 UNIT "/intel-iommu/address", name);
}

const char *unit_owner(void)
{
	char **names = sys_names("/sys/class/iommu");
	bool any = names[0];

	sys_names_free(names);
	/* Our driver does not load while the kernel's has the units. */
	if (sys_exists("/sys/module/iofd_vtd"))
		return "iofd_vtd";
	return any ? "kernel" : "nobody";
}

unsigned int unit_addr_width(const struct unit *unit)
{
	static const unsigned int widths[] = { 30, 39, 48, 57, 64 };
	unsigned int i, width = 0, mgaw = (unsigned int)CAP_MGAW(unit->cap);

	for (i = 0; i < 5; i++)
		if (CAP_SAGAW(unit->cap) & 1u << i)
			width = widths[i];
	return width < mgaw ? width : mgaw;
}

unsigned int unit_pasid_width(const struct unit *unit)
{
	return unit->ecap & ECAP_PASID ? (unsigned int)ECAP_PSS(unit->ecap) : 0;
}

bool unit_nests(const struct unit *unit)
{
	return unit->ecap & ECAP_NEST;
}

bool unit_is_scalable(const struct unit *unit)
{
	return unit->ecap & ECAP_SMTS && unit->ecap & ECAP_SSTS;
}

uint64_t unit_page_sizes(const struct unit *unit)
{
	uint64_t sizes = 1ull << 12;

	if (CAP_SLLPS(unit->cap) & 1)
		sizes |= 1ull << 21;
	if (CAP_SLLPS(unit->cap) & 2)
		sizes |= 1ull << 30;
	return sizes;
}

bool unit_remaps_interrupts(const struct unit *unit)
{
	return unit->ecap & ECAP_IR;
}

void unit_features(const struct unit *unit, char *text, size_t len)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} features[] = {
		{ ECAP_SMTS, "scalable" }, { ECAP_NEST, "nesting" },
		{ ECAP_FSTS, "first-stage" }, { ECAP_PRS, "page-requests" },
		{ ECAP_SLADS, "dirty" }, { ECAP_DT, "ATS" },
		{ ECAP_SC, "snoop-control" }, { ECAP_IR, "interrupt-remapping" },
	};
	size_t i, used = 0;

	*text = '\0';
	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (!(unit->ecap & features[i].bit) || used >= len)
			continue;
		used += (size_t)snprintf(text + used, len - used, "%s%s",
					 used ? " " : "", features[i].name);
	}
}

void format_page_sizes(uint64_t bitmap, char *text, size_t len)
{
	static const char units[] = "BKMGTPE";
	size_t used = 0;
	unsigned int bit;

	*text = '\0';
	for (bit = 0; bit < 64 && used < len; bit++)
		if (bitmap & 1ull << bit)
			used += (size_t)snprintf(text + used, len - used,
						 "%s%u%c", used ? " " : "",
						 1u << bit % 10, units[bit / 10]);
}

void format_bytes(uint64_t bytes, char *text, size_t len)
{
	static const char * const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	double value = (double)bytes;
	unsigned int i = 0;

	while (value >= 1024 && i < 6) {
		value /= 1024;
		i++;
	}
	snprintf(text, len, "%.*f %s", i && value < 100 ? 1 : 0, value, units[i]);
}
