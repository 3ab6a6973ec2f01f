/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_IOMMU_H
#define SHIM_LINUX_IOMMU_H

/* Groups and reserved regions, as a test has made them. */
#include <linux/device.h>
#include <linux/types.h>

struct iommu_device {
	char unused;
};

enum iommu_resv_type {
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_DIRECT_RELAXABLE,
	IOMMU_RESV_RESERVED,
	IOMMU_RESV_MSI,
	IOMMU_RESV_SW_MSI,
};

struct iommu_resv_region {
	struct list_head list;
	phys_addr_t start;
	size_t length;
	int prot;
	enum iommu_resv_type type;
};

/* A test fills in one, and points the devices of the group at it. */
struct iommu_group {
	int id;
	long refs;
	void *owner;
	bool busy;			/* a kernel driver has a device of it */
	unsigned int nr_more_devs;	/* besides one */
	const struct iommu_resv_region *regions;
	unsigned int nr_regions;
};

struct iommu_group *iommu_group_get(struct device *dev);
void iommu_group_put(struct iommu_group *group);
int iommu_group_id(struct iommu_group *group);
/* Calls @fn once for each device, without saying which. */
int iommu_group_for_each_dev(struct iommu_group *group, void *data,
			     int (*fn)(struct device *, void *));
int iommu_group_claim_dma_owner(struct iommu_group *group, void *owner);
void iommu_group_release_dma_owner(struct iommu_group *group);
/* Regions are copies, in no order; free each with kfree(). */
int iommu_get_group_resv_regions(struct iommu_group *group,
				 struct list_head *head);

#endif
