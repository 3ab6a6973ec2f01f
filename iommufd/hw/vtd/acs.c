// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access Control Services keep functions from reaching each other without
 * passing the unit. The kernel leaves them off with intel_iommu=off.
 */
#include "vtd.h"

/**
 * vtd_acs_enable() - send a function's peer-to-peer traffic through the unit
 * @pdev: the function; needs to be done before its group is looked for, and
 *	again after a reset
 */
void vtd_acs_enable(struct pci_dev *pdev)
{
	u16 want = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;
	u16 cap, ctrl;
	int pos;

	pos = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ACS);
	if (!pos)
		return;
	pci_read_config_word(pdev, pos + PCI_ACS_CAP, &cap);
	pci_read_config_word(pdev, pos + PCI_ACS_CTRL, &ctrl);
	want &= cap;
	if ((ctrl & want) != want)
		pci_write_config_word(pdev, pos + PCI_ACS_CTRL, ctrl | want);
}
