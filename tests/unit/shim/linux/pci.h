/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_PCI_H
#define SHIM_LINUX_PCI_H

/*
 * PCI functions, as a test has made them; what it says of them, and what it
 * does when their ATS and PASID are switched, is the test's.
 */
#include <linux/bitmap.h>
#include <linux/device.h>
#include <linux/io.h>

#define PCI_DEVFN(slot, func)	((((slot) & 0x1f) << 3) | ((func) & 7))
#define PCI_SLOT(devfn)		(((devfn) >> 3) & 0x1f)
#define PCI_FUNC(devfn)		((devfn) & 7)

#define PCI_EXP_TYPE_PCI_BRIDGE		7
#define PCI_EXP_TYPE_PCIE_BRIDGE	8
#define PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS	0x1
#define PCI_DEV_FLAGS_BRIDGE_XLATE_ROOT	0x2
#define PCI_ATS_CAP			4
#define PCI_ATS_CAP_QDEP(x)		((x) & 0x1f)

enum pci_channel_state {
	pci_channel_io_normal,
	pci_channel_io_perm_failure,
};

struct device_driver;
struct pci_dev;

struct pci_bus {
	unsigned char number;
	struct pci_dev *self;
	struct pci_bus *parent;
};

struct pci_dev {
	struct device dev;
	struct pci_bus *bus;
	struct pci_bus *subordinate;
	unsigned int devfn;
	unsigned long *dma_alias_mask;
	unsigned int dev_flags;
	unsigned int type;
	bool is_pcie;
	u16 ats_cap;
	bool ats_enabled;
	bool pasid_enabled;
	enum pci_channel_state error_state;
};

#define to_pci_dev(d)		container_of(d, struct pci_dev, dev)
#define pci_physfn(pdev)	(pdev)
#define pci_is_pcie(pdev)	((pdev)->is_pcie)
#define pci_pcie_type(pdev)	((pdev)->type)
#define pci_is_root_bus(bus)	(!(bus)->parent)
#define pci_err(pdev, fmt, ...)	shim_log("pci: " fmt, ##__VA_ARGS__)

static inline struct pci_dev *pci_dev_get(struct pci_dev *pdev)
{
	get_device(&pdev->dev);
	return pdev;
}

static inline void pci_dev_put(struct pci_dev *pdev)
{
	if (pdev)
		put_device(&pdev->dev);
}

static inline struct pci_dev *
pci_get_domain_bus_and_slot(int segment, unsigned int bus, unsigned int devfn)
{
	return NULL;
}

/* The test's */
int pci_read_config_word(const struct pci_dev *pdev, int at, u16 *value);
bool pci_ats_supported(struct pci_dev *pdev);
int pci_enable_ats(struct pci_dev *pdev, int page_shift);
void pci_disable_ats(struct pci_dev *pdev);
int pci_max_pasids(struct pci_dev *pdev);
int pci_enable_pasid(struct pci_dev *pdev, int features);
void pci_disable_pasid(struct pci_dev *pdev);

#endif
