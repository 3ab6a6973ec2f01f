/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI functions given to user space: private to bus/.
 *
 * A function that iofd-pci drives is a VFIO device like any other, with a device
 * file of its own besides: /dev/vfio/devices/vfioN, which answers nothing until
 * it is bound to /dev/iommu. What the function itself can do (regions,
 * interrupts, reset) is vfio-pci-core's business; who may reach it, and where
 * its DMA goes, is ours.
 *
 * What keeps what alive:
 *
 *   registration   vfio_device.refcount. While it is held, remove() waits, so
 *		    the function is there and in its IOMMU group. Held by the
 *		    vfio core from register to unregister, by each command of a
 *		    file that is not bound for its length, and by a bound file
 *		    from bind until it is closed. Cannot be had any more once
 *		    remove() has begun.
 *   vfio_device    memory of struct iofd_pci_device. References: the driver's
 *		    between probe and remove, one for each open file, and the
 *		    cdev's (as its parent), which an open in progress holds.
 *   pci_dev        memory of the function's struct device. One for each open
 *		    file, because the file's struct iofd_devfile points at it.
 *   module         one for each open file, by its file_operations.
 *
 * Lock order, outermost first:
 *
 *   iofd_devfile.lock
 *   vfio_device_set.lock	who has which function open, and their reset
 *   iofd_pci_file.kvm_lock	KVM takes it within locks of its own
 *   whatever the core takes in iofd_devfile_id()
 */
#ifndef IOFD_BUS_PCI_H
#define IOFD_BUS_PCI_H

#include <linux/cdev.h>
#include <linux/vfio_pci_core.h>
#include "core/iofd.h"

/**
 * struct iofd_pci_device - a PCI function
 * @core: VFIO's view of it; first, because VFIO allocates and frees the whole
 * @cdev: its device file
 */
struct iofd_pci_device {
	struct vfio_pci_core_device core;
	struct cdev cdev;
};

/**
 * struct iofd_pci_file - one open of the device file
 * @df: what the core knows of it
 * @pci: the function; a reference on its vfio_device is held
 * @registered: a reference on the registration is held; set once (xchg) when
 *	the first bind succeeds, and given back at release
 * @kvm_lock: for @kvm
 * @kvm: (kvm_lock) the KVM that this file was added to, alive until KVM takes it
 *	back; NULL: none
 */
struct iofd_pci_file {
	struct iofd_devfile df;
	struct iofd_pci_device *pci;
	unsigned int registered;
	struct mutex kvm_lock;
	struct kvm *kvm;
};

static inline struct iofd_pci_file *to_pci_file(struct iofd_devfile *df)
{
	return container_of(df, struct iofd_pci_file, df);
}

/* file.c */

extern const struct file_operations iofd_pci_fops;

/**
 * iofd_pci_may_not_snoop() - can DMA of the function pass the CPU caches by? (A21)
 * @pf: a file, bound or not
 *
 * Return: see iofd_device_may_not_snoop(); false when the function is gone.
 */
bool iofd_pci_may_not_snoop(struct iofd_pci_file *pf);

/* kvm.c */

/**
 * iofd_kvm_init() - have KVM take our files for VFIO's
 *
 * Cannot fail: the files are good for everything else without KVM. What is wrong
 * is logged, and the module's parameter "kvm" says it.
 */
void iofd_kvm_init(void);

/**
 * iofd_kvm_exit() - undo iofd_kvm_init(); no file of ours exists any more
 */
void iofd_kvm_exit(void);

/* reset.c */

/**
 * iofd_pci_hot_reset_info() - ioctl(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO)
 * @pf: a bound file
 * @arg: the user's structure
 *
 * Return: 0; -ENOSPC with the count that is needed; another negative errno.
 */
long iofd_pci_hot_reset_info(struct iofd_pci_file *pf,
			     struct vfio_pci_hot_reset_info __user *arg);

/**
 * iofd_pci_hot_reset() - ioctl(VFIO_DEVICE_PCI_HOT_RESET)
 * @pf: a bound file
 * @arg: the user's structure
 *
 * Return: 0 or a negative errno.
 */
long iofd_pci_hot_reset(struct iofd_pci_file *pf,
			struct vfio_pci_hot_reset __user *arg);

/* vfio.c */

/**
 * iofd_vfio_feature() - ioctl(VFIO_DEVICE_FEATURE)
 * @vdev: an open device
 * @arg: the user's structure
 *
 * Return: 0; -ENOTTY for a feature that the device lacks; another negative
 * errno.
 */
long iofd_vfio_feature(struct vfio_device *vdev,
		       struct vfio_device_feature __user *arg);

/**
 * iofd_vfio_ioctl() - hand a command to the device's driver
 * @vdev: an open device
 * @cmd: command
 * @arg: as user space gave it
 *
 * Return: what the driver returns; -ENOTTY for an unknown command.
 */
long iofd_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd,
		     unsigned long arg);

#endif /* IOFD_BUS_PCI_H */
