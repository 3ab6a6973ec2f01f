/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: Devices
 *
 * A device that is bound to a context.
 */
#ifndef IOMMU_DEVICE_H
#define IOMMU_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/ioasid.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iommu_ctx;

/* a bound device; only the library knows what is in it */
struct iommu_dev;

/**
 * IOMMU_BDF_LEN - room for the full name of a PCI function, "0000:00:04.0"
 */
#define IOMMU_BDF_LEN 16

/**
 * struct iommu_dev_info - what a device can do behind its IOMMU
 * @flags: enum iommu_device_info_flags of <linux/ioasid.h>
 * @addr_width_bits: width of an I/O virtual address
 * @pasid_width_bits: width of the device's PASIDs, 0 without PASID
 * @hw_type: enum iommu_hw_type; says what @hw_cap and @hw_ecap are
 * @pgsize_bitmap: page sizes the IOMMU has leaves for, one bit each; the lowest
 *	is the alignment that mapping asks for
 * @formats: bitmap (1 << format) of enum iommu_ioasid_format that it can be
 *	attached to; whether hardware walks a user's table together with its
 *	parent is IOMMU_DEVICE_INFO_HW_NESTING in @flags
 * @hw_cap: VT-d: the unit's CAP register
 * @hw_ecap: VT-d: the unit's ECAP register
 * @nr_ranges: entries at @ranges
 * @ranges: where the device can be given mappings, ascending, disjoint, first
 *	and last byte
 *
 * Only the library allocates it, so that it can grow.
 */
struct iommu_dev_info {
	uint32_t flags;
	uint32_t addr_width_bits;
	uint32_t pasid_width_bits;
	uint32_t hw_type;
	uint64_t pgsize_bitmap;
	uint64_t formats;
	uint64_t hw_cap;
	uint64_t hw_ecap;
	size_t nr_ranges;
	const struct iommu_ioasid_range *ranges;
};

/**
 * iommu_bdf_parse() - the full name of a PCI function
 * @text: [domain:]bus:device.function in hexadecimal
 * @bdf: output: the name as sysfs writes it, domain included
 *
 * Return: 0; -EINVAL: @text is no such name.
 */
int iommu_bdf_parse(const char *text, char bdf[IOMMU_BDF_LEN]);

/**
 * iommu_dev_open() - open a PCI function and bind it to the context
 * @ctx: an open context
 * @bdf: its name, with or without domain
 * @label: the caller's number for it, unique in the context
 * @dev: output: the device; all its DMA is blocked
 *
 * The function must have been given to the driver iofd-pci before ("iommuctl
 * bind").
 *
 * Return: 0; -EINVAL: not the name of a PCI function; -ENODEV: there is no such
 * function, no driver has it, or it has no IOMMU; -EBUSY: another driver has
 * it, or the label is taken; -EPERM: its group is not the caller's alone, or
 * its interrupts are not isolated; -EACCES: the caller may not open the device
 * file; -ENOMEM; errors of ioctl(2).
 */
int iommu_dev_open(struct iommu_ctx *ctx, const char *bdf, uint64_t label,
		   struct iommu_dev **dev);

/**
 * iommu_dev_open_fd() - bind a device file that somebody else opened
 * @ctx: an open context
 * @fd: an fd of /dev/vfio/devices/vfioN; it stays the caller's, and the device
 *	stays bound until the caller's fd is closed as well
 * @name: what error texts call it; copied
 * @label: the caller's number for it, unique in the context
 * @dev: output: the device; all its DMA is blocked
 *
 * Return: as iommu_dev_open().
 */
int iommu_dev_open_fd(struct iommu_ctx *ctx, int fd, const char *name,
		      uint64_t label, struct iommu_dev **dev);

/**
 * iommu_dev_close() - disable, detach, unbind and free a device
 * @dev: the device; NULL does nothing
 *
 * When it returns the device does no DMA and raises no interrupt any more.
 */
void iommu_dev_close(struct iommu_dev *dev);

/**
 * iommu_dev_fd() - the device file, for ioctls that the library has not got
 * @dev: the device
 *
 * Return: the fd, which stays the device's.
 */
int iommu_dev_fd(const struct iommu_dev *dev);

/**
 * iommu_dev_name() - its name
 * @dev: the device
 *
 * Return: the full name of the PCI function, or what iommu_dev_open_fd() was
 * told. Lives as long as @dev.
 */
const char *iommu_dev_name(const struct iommu_dev *dev);

/**
 * iommu_dev_label() - the label it was bound under
 * @dev: the device
 *
 * Return: the label.
 */
uint64_t iommu_dev_label(const struct iommu_dev *dev);

/**
 * iommu_dev_get_info() - what can it do behind its IOMMU?
 * @dev: the device
 * @info: output: the answer, to be freed with iommu_dev_info_free()
 *
 * Works before any IOASID exists.
 *
 * Return: 0; -ENOMEM; errors of ioctl(2).
 */
int iommu_dev_get_info(struct iommu_dev *dev, struct iommu_dev_info **info);

/**
 * iommu_dev_info_free() - free what iommu_dev_get_info() returned
 * @info: the answer; NULL does nothing
 */
void iommu_dev_info_free(struct iommu_dev_info *info);

/**
 * iommu_dev_attach() - let the device's DMA go through an IOASID
 * @dev: a device that is not attached, or is attached to a parent of @ioasid
 * @ioasid: an IOASID of the context that the device is bound to
 *
 * Over an attachment to a parent, or parent's parent, it lasts until it is
 * detached; then the parent has the DMA again.
 *
 * Return: 0; -EBUSY: it is attached to something else already; -ENOENT: no such
 * IOASID; -EINVAL: the device cannot use it (address width, coherency, format);
 * -EOPNOTSUPP: it asks for nesting by hardware, and the device's IOMMU does not
 * nest; -E2BIG: a user's table says more than its parent could hold;
 * -EADDRINUSE: something is mapped where the device has a reserved range.
 */
int iommu_dev_attach(struct iommu_dev *dev, uint32_t ioasid);

/**
 * iommu_dev_detach() - block the device's DMA again
 * @dev: the device
 * @ioasid: the IOASID that it is attached to
 *
 * When it returns none of the device's DMA without PASID reaches memory, or it
 * goes through the parent that the device was attached to before.
 *
 * Return: 0; -ENOENT: it is not attached to that IOASID; -EBUSY: its DMA goes
 * through a child that it was attached to later.
 */
int iommu_dev_detach(struct iommu_dev *dev, uint32_t ioasid);

/**
 * iommu_dev_attach_pasid() - let DMA with a PASID go through an IOASID
 * @dev: a device with PASIDs (&iommu_dev_info.pasid_width_bits is not 0)
 * @ioasid: an IOASID of the context that the device is bound to
 * @pasid: from 1 on
 *
 * Beside what the device is attached to without PASID and with others.
 *
 * Return: 0; -EBUSY: the PASID is attached; -ENOENT: no such IOASID; -EINVAL: the
 * device has no PASIDs, not this one, or cannot use the IOASID; -EPERM: the device
 * shares its group with others; and the others of iommu_dev_attach().
 */
int iommu_dev_attach_pasid(struct iommu_dev *dev, uint32_t ioasid,
			   uint32_t pasid);

/**
 * iommu_dev_detach_pasid() - block DMA with a PASID again
 * @dev: the device
 * @ioasid: the IOASID that it is attached to with @pasid
 * @pasid: the PASID
 *
 * When it returns none of the device's DMA with @pasid reaches memory.
 *
 * Return: 0; -ENOENT: it is not attached to that IOASID with that PASID.
 */
int iommu_dev_detach_pasid(struct iommu_dev *dev, uint32_t ioasid,
			   uint32_t pasid);

/**
 * iommu_dev_reset() - reset the device
 * @dev: the device
 *
 * By function level reset where it has one. Its registers are as after power
 * on; its binding, attachment and interrupts stay.
 *
 * Return: 0; -EINVAL: it cannot be reset alone; errors of ioctl(2).
 */
int iommu_dev_reset(struct iommu_dev *dev);

#ifdef __cplusplus
}
#endif

#endif /* IOMMU_DEVICE_H */
