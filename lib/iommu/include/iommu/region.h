/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: Regions
 *
 * A PCI function's regions: BARs and configuration space.
 */
#ifndef IOMMU_REGION_H
#define IOMMU_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iommu_dev;

/**
 * enum iommu_region - regions of a PCI function
 * @IOMMU_REGION_BAR0: BAR 0; BAR n is IOMMU_REGION_BAR0 + n, up to 5
 * @IOMMU_REGION_ROM: expansion ROM
 * @IOMMU_REGION_CONFIG: configuration space
 */
enum iommu_region {
	IOMMU_REGION_BAR0 = 0,
	IOMMU_REGION_ROM = 6,
	IOMMU_REGION_CONFIG = 7,
};

/**
 * struct iommu_region_info - what a region is
 * @size: bytes; 0: the function has no such region
 * @readable: iommu_region_read() works
 * @writable: iommu_region_write() works
 * @mappable: iommu_region_map() works
 */
struct iommu_region_info {
	uint64_t size;
	bool readable;
	bool writable;
	bool mappable;
};

/**
 * iommu_region_get_info() - what is this region?
 * @dev: the device
 * @index: enum iommu_region
 * @info: output: the answer
 *
 * Return: 0; -EINVAL: no such index.
 */
int iommu_region_get_info(struct iommu_dev *dev, unsigned int index,
			  struct iommu_region_info *info);

/**
 * iommu_region_map() - map a BAR into the program
 * @dev: the device
 * @index: enum iommu_region
 * @addr: output: address of the region's first byte; use volatile accesses of
 *	the register's own width
 * @len: output: bytes
 *
 * Return: 0; -ENXIO: the function has no such region; -EOPNOTSUPP: it cannot be
 * mapped (I/O ports, or smaller than a page): use iommu_region_read() and
 * iommu_region_write(); errors of mmap(2).
 */
int iommu_region_map(struct iommu_dev *dev, unsigned int index, void **addr,
		     size_t *len);

/**
 * iommu_region_unmap() - undo iommu_region_map()
 * @dev: the device
 * @addr: the address that it gave
 * @len: the length that it gave
 */
void iommu_region_unmap(struct iommu_dev *dev, void *addr, size_t len);

/**
 * iommu_region_read() - read registers through the kernel
 * @dev: the device
 * @index: enum iommu_region
 * @offset: bytes into the region
 * @data: where they go, in the device's (little-endian) byte order
 * @len: bytes; up to 4 that are aligned are one access
 *
 * Return: 0; -ENXIO: beyond the region's end; errors of pread(2).
 */
int iommu_region_read(struct iommu_dev *dev, unsigned int index,
		      uint64_t offset, void *data, size_t len);

/**
 * iommu_region_write() - write registers through the kernel
 * @dev: the device
 * @index: enum iommu_region
 * @offset: bytes into the region
 * @data: what to write, in the device's (little-endian) byte order
 * @len: bytes; up to 4 that are aligned are one access
 *
 * Return: 0; -ENXIO: beyond the region's end; errors of pwrite(2).
 */
int iommu_region_write(struct iommu_dev *dev, unsigned int index,
		       uint64_t offset, const void *data, size_t len);

/**
 * iommu_pci_read16() - read a 16-bit register of configuration space
 * @dev: the device
 * @offset: bytes, even
 * @value: output: in the CPU's byte order
 *
 * Return: as iommu_region_read().
 */
int iommu_pci_read16(struct iommu_dev *dev, uint64_t offset, uint16_t *value);

/**
 * iommu_pci_read32() - read a 32-bit register of configuration space
 * @dev: the device
 * @offset: bytes, a multiple of 4
 * @value: output: in the CPU's byte order
 *
 * Return: as iommu_region_read().
 */
int iommu_pci_read32(struct iommu_dev *dev, uint64_t offset, uint32_t *value);

/**
 * iommu_pci_write16() - write a 16-bit register of configuration space
 * @dev: the device
 * @offset: bytes, even
 * @value: in the CPU's byte order
 *
 * Return: as iommu_region_write().
 */
int iommu_pci_write16(struct iommu_dev *dev, uint64_t offset, uint16_t value);

/**
 * iommu_pci_write32() - write a 32-bit register of configuration space
 * @dev: the device
 * @offset: bytes, a multiple of 4
 * @value: in the CPU's byte order
 *
 * Return: as iommu_region_write().
 */
int iommu_pci_write32(struct iommu_dev *dev, uint64_t offset, uint32_t value);

/**
 * iommu_pci_set_bus_master() - may the device start DMA and MSIs?
 * @dev: the device
 * @enable: yes or no; memory decoding is switched on with it
 *
 * Off after open. Not to be called by two threads at a time.
 *
 * Return: 0; errors of iommu_region_read() and iommu_region_write().
 */
int iommu_pci_set_bus_master(struct iommu_dev *dev, bool enable);

#ifdef __cplusplus
}
#endif

#endif /* IOMMU_REGION_H */
