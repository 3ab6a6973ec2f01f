/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels in the IOMMU API, as its users see it.
 */
#ifndef IOFD_COMPAT_IOMMU_API_H
#define IOFD_COMPAT_IOMMU_API_H

#include <linux/device.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/iommu.h>

/**
 * iofd_paging_domain_alloc() - an empty domain that a device can be attached to
 * @dev: the device
 *
 * Return: the domain or an ERR_PTR().
 */
static inline struct iommu_domain *iofd_paging_domain_alloc(struct device *dev)
{
#if defined(HAVE_SYM_IOMMU_PAGING_DOMAIN_ALLOC) || \
	defined(HAVE_SYM_IOMMU_PAGING_DOMAIN_ALLOC_FLAGS)
	return iommu_paging_domain_alloc(dev);
#else
	struct iommu_domain *domain = iommu_domain_alloc(dev->bus);

	return domain ?: ERR_PTR(-ENOMEM);
#endif
}

/**
 * iofd_iommu_map() - iommu_map() that accounts the table pages it allocates
 * @domain: where
 * @iova: I/O virtual address
 * @phys: physical address
 * @bytes: length
 * @prot: IOMMU_READ and so on
 *
 * Return: 0 or a negative errno.
 */
static inline int iofd_iommu_map(struct iommu_domain *domain,
				 unsigned long iova, phys_addr_t phys,
				 size_t bytes, int prot)
{
#ifdef HAVE_IOMMU_MAP_GFP
	return iommu_map(domain, iova, phys, bytes, prot, GFP_KERNEL_ACCOUNT);
#else
	return iommu_map(domain, iova, phys, bytes, prot);
#endif
}

/**
 * iofd_msi_isolated() - can a device raise nothing but its own interrupts?
 * @dev: a device with an IOMMU group
 *
 * Return: true when what it writes to the interrupt window is checked.
 */
static inline bool iofd_msi_isolated(struct device *dev)
{
#ifdef HAVE_SYM_IOMMU_GROUP_HAS_ISOLATED_MSI
	struct iommu_group *group = iommu_group_get(dev);
	bool isolated;

	if (!group)
		return false;
	isolated = iommu_group_has_isolated_msi(group);
	iommu_group_put(group);
	return isolated;
#else
	return device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
#endif
}

/**
 * iofd_intel_blocks_aliases() - does the kernel's VT-d driver block a device
 *	under all of its requester IDs?
 *
 * Since it has a blocking domain of its own it flushes the context cache for the
 * device's proper ID alone. In legacy mode a device with an alias then goes on
 * through the table that it was detached from, even when that has been freed; in
 * scalable mode the alias never gets a table.
 *
 * Return: true where it is known to.
 */
static inline bool iofd_intel_blocks_aliases(void)
{
#ifdef HAVE_IOMMU_DOMAIN_DETACH_DEV
	return true;
#else
	return false;
#endif
}

#endif /* IOFD_COMPAT_IOMMU_API_H */
