/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Provider "api": any IOMMU that a driver of the Linux kernel drives.
 */
#ifndef IOFD_HW_API_H
#define IOFD_HW_API_H

#include <linux/types.h>

struct device;
struct iommu_device;

/**
 * iofd_api_init() - register the provider
 *
 * To be called before any other provider can register: it takes every device
 * that has an IOMMU, so it has to be asked last.
 *
 * Return: 0 or a negative errno.
 */
int iofd_api_init(void);

/** iofd_api_exit() - withdraw it; no device is open */
void iofd_api_exit(void);

/* intel.c: what the kernel's VT-d driver tells in sysfs */

/**
 * struct iofd_intel_unit - a VT-d unit that the kernel drives
 * @address: physical address of its registers
 * @cap: CAP register
 * @ecap: ECAP register
 */
struct iofd_intel_unit {
	u64 address;
	u64 cap;
	u64 ecap;
};

/**
 * iofd_intel_unit() - describe the VT-d unit in front of a device
 * @iommu: the device's IOMMU
 * @unit: to fill in
 *
 * Return: true; false when it is no VT-d unit.
 */
bool iofd_intel_unit(struct iommu_device *iommu, struct iofd_intel_unit *unit);

/* fault_tap.c: faults that the kernel's VT-d driver only prints */

/**
 * iofd_fault_tap_add() - hear of the DMA that a device's unit refuses
 * @dev: the device, behind a VT-d unit that the kernel drives
 * @iommu: that unit
 * @unit: what is known of it
 *
 * May be called again for the same unit. Failure is logged once; faults are then
 * in the kernel's log alone.
 */
void iofd_fault_tap_add(struct device *dev, struct iommu_device *iommu,
			const struct iofd_intel_unit *unit);

/** iofd_fault_tap_exit() - forget all units */
void iofd_fault_tap_exit(void);

#endif /* IOFD_HW_API_H */
