/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels in VFIO, as the bus wrappers see it.
 */
#ifndef IOFD_COMPAT_VFIO_H
#define IOFD_COMPAT_VFIO_H

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pm_runtime.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

/* Part of the ABI since Linux 6.5. */
#ifndef VFIO_PCI_HOT_RESET_FLAG_DEV_ID
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID		(1 << 0)
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED	(1 << 1)
#endif
#ifndef VFIO_PCI_DEVID_OWNED
#define VFIO_PCI_DEVID_OWNED			0
#define VFIO_PCI_DEVID_NOT_OWNED		-1
#endif

/* What a device_type's devnode() takes. */
#ifdef HAVE_DEVICE_TYPE_DEVNODE_CONST
typedef const struct device iofd_devnode_device;
#else
typedef struct device iofd_devnode_device;
#endif

/**
 * iofd_vfio_set_mapping() - let all mappings of a device share one address space
 * @filp: file of the device that is being opened
 * @vdev: the device
 *
 * Kernels that unmap BARs by address space find user mappings in that of the
 * device's inode; older ones keep a list of them.
 */
static inline void iofd_vfio_set_mapping(struct file *filp,
					 struct vfio_device *vdev)
{
#ifdef HAVE_VFIO_DEVICE_INODE
	filp->f_mapping = vdev->inode->i_mapping;
#endif
}

/**
 * iofd_vfio_pci_shut() - keep users out of a device's BARs
 * @core: the device; its dev_set->lock is held
 *
 * Takes back all mappings of its BARs, and the memory lock, which keeps new ones
 * from appearing.
 *
 * Return: 0, to be undone by iofd_vfio_pci_unshut(), or -EBUSY.
 */
static inline int iofd_vfio_pci_shut(struct vfio_pci_core_device *core)
{
#ifdef HAVE_VFIO_DEVICE_INODE
	if (!down_write_trylock(&core->memory_lock))
		return -EBUSY;
	unmap_mapping_range(core->vdev.inode->i_mapping,
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX),
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX),
			    true);
	return 0;
#else
	const u32 enter = VFIO_DEVICE_FEATURE_SET |
			  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY;
	const u32 leave = VFIO_DEVICE_FEATURE_SET |
			  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
	int entered;

	/*
	 * The list of mappings is private to vfio-pci-core, but it takes all of
	 * them back when a device enters low power. Enter, and leave again by
	 * hand once the lock is held. Whoever touches a BAR between the two gets
	 * SIGBUS, as with a BAR that is disabled; it would otherwise be about to
	 * touch a device in reset.
	 */
	entered = vfio_pci_core_ioctl_feature(&core->vdev, enter, NULL, 0);
	if (!down_write_trylock(&core->memory_lock)) {
		if (!entered)
			vfio_pci_core_ioctl_feature(&core->vdev, leave, NULL, 0);
		return -EBUSY;
	}
	/* Asleep before, by its user's wish, and woken since: start again. */
	if (entered && !core->pm_runtime_engaged) {
		up_write(&core->memory_lock);
		return -EBUSY;
	}
	if (!entered && core->pm_runtime_engaged) {
		core->pm_runtime_engaged = false;
		pm_runtime_get_noresume(&core->pdev->dev);
	}
	return 0;
#endif
}

/**
 * iofd_vfio_pci_unshut() - let users back to a device's BARs
 * @core: the device
 */
static inline void iofd_vfio_pci_unshut(struct vfio_pci_core_device *core)
{
	up_write(&core->memory_lock);
}

#endif /* IOFD_COMPAT_VFIO_H */
