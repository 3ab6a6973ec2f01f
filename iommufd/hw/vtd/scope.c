// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which unit, RMRRs and ATSRs a PCI function belongs to.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "vtd.h"

/* A virtual function is in the scope of its physical one. */
static unsigned int hops_of(struct pci_dev *pdev, struct vtd_hop *hops)
{
	struct pci_bus *bus;
	unsigned int n = 0;

	pdev = pci_physfn(pdev);
	hops[n++] = (struct vtd_hop) { pdev->bus->number, pdev->devfn };
	for (bus = pdev->bus; bus && n < VTD_MAX_HOPS; bus = bus->parent) {
		/* Buses that SR-IOV adds have no bridge of their own. */
		if (bus->self)
			hops[n++] = (struct vtd_hop) {
				bus->self->bus->number, bus->self->devfn
			};
	}
	return n;
}

/* Segments above are made up by the kernel; DMAR has 16 bits for them. */
static bool segment_of(struct pci_dev *pdev, u16 *segment)
{
	int nr = pci_domain_nr(pdev->bus);

	*segment = nr;
	return nr >= 0 && nr <= 0xffff;
}

/**
 * vtd_scope_unit() - the unit in front of a function
 * @pdev: the function
 *
 * Return: the unit or NULL.
 */
struct vtd_unit *vtd_scope_unit(struct pci_dev *pdev)
{
	const struct vtd_dmar_entry *drhd;
	struct vtd_hop hops[VTD_MAX_HOPS];
	unsigned int n = hops_of(pdev, hops);
	struct vtd_unit *unit;
	u16 segment;

	if (!segment_of(pdev, &segment))
		return NULL;
	drhd = vtd_dmar_find_unit(vtd_dmar, segment, hops, n);
	if (!drhd)
		return NULL;
	list_for_each_entry(unit, &vtd_units, link)
		if (unit->drhd == drhd)
			return unit;
	return NULL;
}

/**
 * vtd_scope_ats() - may a function use ATS?
 * @pdev: a PCI Express function
 *
 * Its root port has to be in an ATSR; one inside the root complex has no port.
 */
bool vtd_scope_ats(struct pci_dev *pdev)
{
	struct vtd_hop hops[VTD_MAX_HOPS];
	unsigned int n = hops_of(pdev, hops);
	unsigned int i;
	u16 segment;

	if (!segment_of(pdev, &segment))
		return false;
	if (n == 1)
		return true;
	for (i = 0; i < vtd_dmar->nr_entries; i++) {
		const struct vtd_dmar_entry *e = &vtd_dmar->entries[i];

		if (e->kind != VTD_DMAR_ATSR || e->segment != segment)
			continue;
		if (e->all || vtd_dmar_in_scope(e, segment, hops, n))
			return true;
	}
	return false;
}

/**
 * vtd_scope_rmrr() - does firmware use an RMRR by a function?
 * @pdev: the function
 * @rmrr: the RMRR
 */
bool vtd_scope_rmrr(struct pci_dev *pdev, const struct vtd_dmar_entry *rmrr)
{
	struct vtd_hop hops[VTD_MAX_HOPS];
	unsigned int n = hops_of(pdev, hops);
	u16 segment;

	/* Firmware knows physical functions only. */
	return !pdev->is_virtfn && segment_of(pdev, &segment) &&
	       vtd_dmar_in_scope(rmrr, segment, hops, n);
}

/**
 * vtd_rmrr_relaxable() - does firmware give its RMRRs up to an operating system?
 * @pdev: the function
 *
 * USB controllers have theirs for keyboards before the system runs, and
 * graphics for its frame buffer.
 */
bool vtd_rmrr_relaxable(struct pci_dev *pdev)
{
	return pdev->class >> 8 == PCI_CLASS_SERIAL_USB ||
	       pdev->class >> 16 == PCI_BASE_CLASS_DISPLAY;
}
