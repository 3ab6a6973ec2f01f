// SPDX-License-Identifier: GPL-2.0-only
/*
 * Find remapping units on PCI, where test hardware and machines without firmware
 * tables have them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include "pciunit.h"
#include "pciunit_regs.h"

#define MAX_UNITS	16

/* Those that are ours, each with a reference; vtd_state_lock. */
static struct pci_dev *units[MAX_UNITS];
static unsigned int nr_units;

static bool is_unit(struct pci_dev *pdev)
{
	return pdev->vendor == VTD_PCIUNIT_VENDOR &&
	       pdev->device == VTD_PCIUNIT_DEVICE &&
	       pdev->class == VTD_PCIUNIT_CLASS;
}

/* The list of a unit; its length has been read from its header. */
static u8 *read_list(struct pci_dev *pdev, resource_size_t at, size_t room,
		     size_t *bytes)
{
	void __iomem *io = ioremap(at, room);
	u8 *list = NULL;
	size_t i;

	if (!io)
		return NULL;
	*bytes = min_t(size_t, room, readl(io + VTD_PCIUNIT_LENGTH));
	*bytes = max_t(size_t, *bytes, VTD_PCIUNIT_HEADER);
	list = kzalloc(ALIGN(*bytes, 4), GFP_KERNEL);
	for (i = 0; list && i < *bytes; i += 4) {
		u32 word = readl(io + i);

		memcpy(list + i, &word, 4);
	}
	iounmap(io);
	return list;
}

/* Its registers answer, and its events reach memory. */
static int switch_on(struct pci_dev *pdev)
{
	int rc = pci_enable_device_mem(pdev);

	if (rc) {
		pci_err(pdev, "this remapping unit cannot be enabled (error %d)\n", rc);
		return rc;
	}
	pci_set_master(pdev);
	units[nr_units++] = pci_dev_get(pdev);
	return 0;
}

static int add(struct vtd_joined *joined, struct pci_dev *pdev)
{
	resource_size_t base = pci_resource_start(pdev, 0);
	resource_size_t half = pci_resource_len(pdev, 0) / 2;
	const char *why = "out of memory";
	size_t bytes = 0;
	u8 *list;
	int rc;

	if (!(pci_resource_flags(pdev, 0) & IORESOURCE_MEM) || half < PAGE_SIZE ||
	    half > VTD_PCIUNIT_MAX_BYTES) {
		pci_err(pdev, "this remapping unit's BAR 0 is no register file\n");
		return -EINVAL;
	}
	if (nr_units == MAX_UNITS) {
		pci_err(pdev, "more remapping units on PCI than %u\n", MAX_UNITS);
		return -ENOSPC;
	}
	rc = switch_on(pdev);
	if (rc)
		return rc;
	list = read_list(pdev, base + half, half, &bytes);
	rc = list ? vtd_joined_add(joined, list, bytes, base, half, &why) : -ENOMEM;
	kfree(list);
	if (rc)
		pci_err(pdev, "this remapping unit cannot be used: %s\n", why);
	return rc;
}

/**
 * vtd_pciunits_add() - switch on the units that are PCI functions
 * @joined: the table that their lists are added to
 *
 * The units themselves are in front of nothing of theirs: they need no unit, and
 * their messages to processors are not translated.
 *
 * Return: 0, or -errno with the reason in the log; vtd_pciunits_release() undoes
 * what was done.
 */
int vtd_pciunits_add(struct vtd_joined *joined)
{
	struct pci_dev *pdev = NULL;
	int rc;

	for_each_pci_dev(pdev) {
		if (!is_unit(pdev))
			continue;
		rc = add(joined, pdev);
		if (rc) {
			pci_dev_put(pdev);
			return rc;
		}
	}
	return 0;
}

/**
 * vtd_pciunits_found() - how many are switched on
 */
unsigned int vtd_pciunits_found(void)
{
	return nr_units;
}

/**
 * vtd_pciunits_release() - switch them off
 *
 * Nobody uses their registers any more.
 */
void vtd_pciunits_release(void)
{
	while (nr_units) {
		struct pci_dev *pdev = units[--nr_units];

		pci_clear_master(pdev);
		pci_disable_device(pdev);
		pci_dev_put(pdev);
	}
}
