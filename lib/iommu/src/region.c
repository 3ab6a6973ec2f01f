// SPDX-License-Identifier: LGPL-2.1-or-later
#include <endian.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "priv.h"

_Static_assert((int)IOMMU_REGION_BAR0 == VFIO_PCI_BAR0_REGION_INDEX &&
	       (int)IOMMU_REGION_ROM == VFIO_PCI_ROM_REGION_INDEX &&
	       (int)IOMMU_REGION_CONFIG == VFIO_PCI_CONFIG_REGION_INDEX,
	       "the public numbers are the kernel's");

/*
 * The kernel's answer. A BAR whose MSI-X table may not be mapped is told by a
 * capability behind the structure, which kernels since 4.16 do not need.
 */
static int query(struct iommu_dev *dev, unsigned int index,
		 struct vfio_region_info *info)
{
	int rc;

	*info = (struct vfio_region_info) {
		.argsz = sizeof(*info),
		.index = index,
	};
	rc = iommu_dev_ioctl(dev, VFIO_DEVICE_GET_REGION_INFO, info);
	if (rc < 0)
		return iommu_fail(dev->ctx, -rc, NULL, "%s: region %u",
				  dev->name, index);
	return 0;
}

int iommu_region_get_info(struct iommu_dev *dev, unsigned int index,
			  struct iommu_region_info *info)
{
	struct vfio_region_info region;
	int rc;

	rc = query(dev, index, &region);
	if (rc)
		return rc;
	info->size = region.size;
	info->readable = region.flags & VFIO_REGION_INFO_FLAG_READ;
	info->writable = region.flags & VFIO_REGION_INFO_FLAG_WRITE;
	info->mappable = region.flags & VFIO_REGION_INFO_FLAG_MMAP;
	return 0;
}

int iommu_region_map(struct iommu_dev *dev, unsigned int index, void **addr,
		     size_t *len)
{
	struct vfio_region_info region;
	int prot = 0, rc;
	void *map;

	rc = query(dev, index, &region);
	if (rc)
		return rc;
	if (!region.size)
		return iommu_refuse(dev->ctx, ENXIO, "%s: no region %u",
				    dev->name, index);
	if (!(region.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return iommu_refuse(dev->ctx, EOPNOTSUPP,
				    "%s: region %u is I/O ports or smaller than a page and cannot be mapped",
				    dev->name, index);
	if (region.flags & VFIO_REGION_INFO_FLAG_READ)
		prot |= PROT_READ;
	if (region.flags & VFIO_REGION_INFO_FLAG_WRITE)
		prot |= PROT_WRITE;
	map = mmap(NULL, region.size, prot, MAP_SHARED, dev->fd,
		   (off_t)region.offset);
	if (map == MAP_FAILED)
		return iommu_fail(dev->ctx, errno, NULL,
				  "%s: cannot map region %u", dev->name, index);
	*addr = map;
	*len = region.size;
	return 0;
}

void iommu_region_unmap(struct iommu_dev *dev, void *addr, size_t len)
{
	(void)dev;
	munmap(addr, len);
}

/* Where [offset, offset + len) of a region is in the device file. */
static int locate(struct iommu_dev *dev, unsigned int index, uint64_t offset,
		  size_t len, off_t *pos)
{
	struct vfio_region_info region;
	int rc;

	rc = query(dev, index, &region);
	if (rc)
		return rc;
	if (offset > region.size || len > region.size - offset)
		return iommu_refuse(dev->ctx, ENXIO,
				    "%s: %zu bytes at %#llx are beyond the end of region %u",
				    dev->name, len, (unsigned long long)offset,
				    index);
	*pos = (off_t)(region.offset + offset);
	return 0;
}

int iommu_region_read(struct iommu_dev *dev, unsigned int index,
		      uint64_t offset, void *data, size_t len)
{
	ssize_t n;
	off_t pos;
	int rc;

	rc = locate(dev, index, offset, len, &pos);
	if (rc)
		return rc;
	n = pread(dev->fd, data, len, pos);
	if (n != (ssize_t)len)
		return iommu_fail(dev->ctx, n < 0 ? errno : EIO, NULL,
				  "%s: cannot read %zu bytes at %#llx of region %u",
				  dev->name, len, (unsigned long long)offset, index);
	return 0;
}

int iommu_region_write(struct iommu_dev *dev, unsigned int index,
		       uint64_t offset, const void *data, size_t len)
{
	ssize_t n;
	off_t pos;
	int rc;

	rc = locate(dev, index, offset, len, &pos);
	if (rc)
		return rc;
	n = pwrite(dev->fd, data, len, pos);
	if (n != (ssize_t)len)
		return iommu_fail(dev->ctx, n < 0 ? errno : EIO, NULL,
				  "%s: cannot write %zu bytes at %#llx of region %u",
				  dev->name, len, (unsigned long long)offset, index);
	return 0;
}

int iommu_pci_read16(struct iommu_dev *dev, uint64_t offset, uint16_t *value)
{
	uint16_t le;
	int rc;

	rc = iommu_region_read(dev, IOMMU_REGION_CONFIG, offset, &le, sizeof(le));
	if (!rc)
		*value = le16toh(le);
	return rc;
}

int iommu_pci_read32(struct iommu_dev *dev, uint64_t offset, uint32_t *value)
{
	uint32_t le;
	int rc;

	rc = iommu_region_read(dev, IOMMU_REGION_CONFIG, offset, &le, sizeof(le));
	if (!rc)
		*value = le32toh(le);
	return rc;
}

int iommu_pci_write16(struct iommu_dev *dev, uint64_t offset, uint16_t value)
{
	uint16_t le = htole16(value);

	return iommu_region_write(dev, IOMMU_REGION_CONFIG, offset, &le, sizeof(le));
}

int iommu_pci_write32(struct iommu_dev *dev, uint64_t offset, uint32_t value)
{
	uint32_t le = htole32(value);

	return iommu_region_write(dev, IOMMU_REGION_CONFIG, offset, &le, sizeof(le));
}

int iommu_pci_set_bus_master(struct iommu_dev *dev, bool enable)
{
	uint16_t command;
	int rc;

	rc = iommu_pci_read16(dev, PCI_COMMAND, &command);
	if (rc)
		return rc;
	if (enable)
		command |= PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY;
	else
		command &= (uint16_t)~PCI_COMMAND_MASTER;
	return iommu_pci_write16(dev, PCI_COMMAND, command);
}
