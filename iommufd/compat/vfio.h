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

/* Does a device_type's devnode() get a device that it must not change? */
#ifdef HAVE_DEVICE_TYPE_DEVNODE_CONST
#define iofd_devnode_const const
#else
#define iofd_devnode_const
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

/*
 * Keeping users out of the BARs of several devices. Newer kernels take mappings
 * back with the memory lock held. For older ones, whose list of mappings is
 * private to vfio-pci-core, there is one way to have it done: a device that
 * enters low power loses them all. That takes locks (mmap_lock among them) in
 * which the memory lock nests, so all devices are parked before the first one is
 * shut, and leave low power again by hand when they are. Whoever touches a BAR
 * between the two gets SIGBUS, as from a BAR that is disabled; it would otherwise
 * have touched a device in reset.
 */
#define IOFD_LOW_POWER_ENTRY \
	(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY)
#define IOFD_LOW_POWER_EXIT \
	(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT)

/**
 * iofd_vfio_pci_park() - take mappings of a device's BARs back
 * @core: the device; no memory lock is held
 *
 * Return: true when it has to be undone: by iofd_vfio_pci_unpark(), or by a
 * iofd_vfio_pci_shut() that succeeds.
 */
static inline bool iofd_vfio_pci_park(struct vfio_pci_core_device *core)
{
#ifdef HAVE_VFIO_DEVICE_INODE
	return false;
#else
	/* Fails when its user has done that already. */
	return !vfio_pci_core_ioctl_feature(&core->vdev, IOFD_LOW_POWER_ENTRY,
					    NULL, 0);
#endif
}

/**
 * iofd_vfio_pci_unpark() - undo iofd_vfio_pci_park()
 * @core: the device
 */
static inline void iofd_vfio_pci_unpark(struct vfio_pci_core_device *core)
{
#ifndef HAVE_VFIO_DEVICE_INODE
	vfio_pci_core_ioctl_feature(&core->vdev, IOFD_LOW_POWER_EXIT, NULL, 0);
#endif
}

/**
 * iofd_vfio_pci_shut() - keep users out of a device's BARs
 * @core: the device
 * @parked: what iofd_vfio_pci_park() returned
 *
 * Return: 0, with the memory lock held; -EBUSY.
 */
static inline int iofd_vfio_pci_shut(struct vfio_pci_core_device *core,
				     bool parked)
{
	/* Several are held at once: no waiting. */
	if (!down_write_trylock(&core->memory_lock))
		return -EBUSY;
#ifdef HAVE_VFIO_DEVICE_INODE
	unmap_mapping_range(core->vdev.inode->i_mapping,
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX),
			    VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX),
			    true);
#else
	/* Its user has woken it since, and may have mapped something. */
	if (!core->pm_runtime_engaged) {
		up_write(&core->memory_lock);
		return -EBUSY;
	}
	if (parked) {
		core->pm_runtime_engaged = false;
		pm_runtime_get_noresume(&core->pdev->dev);
	}
#endif
	return 0;
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
