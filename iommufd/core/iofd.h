/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core offers to bus wrappers: a device file that can be bound to
 * /dev/iommu. A wrapper makes one for each open of its device node, passes the
 * ioctls on, and lets nobody at the device before it is bound.
 */
#ifndef IOFD_CORE_IOFD_H
#define IOFD_CORE_IOFD_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct device;
struct iofd_devfile;

/**
 * struct iofd_devfile_ops - what a bus wrapper does at the edges of a binding
 * @open: the device has just been bound for the first time, and its DMA is
 *	blocked: enable it for the user. An error undoes the bind.
 * @close: the last binding is about to go: quiesce and disable the device. Its
 *	DMA is still whatever it was attached to.
 *
 * Both are called with the device file's mutex held and may sleep.
 */
struct iofd_devfile_ops {
	int (*open)(struct iofd_devfile *df);
	void (*close)(struct iofd_devfile *df);
};

/**
 * struct iofd_devfile - one open device file
 * @dev: the physical device whose requester ID its DMA carries
 * @pasid: of a sub-device: PASID that its DMA carries; else IOFD_NO_PASID
 * @name: of a sub-device, for people; else NULL
 * @ops: the bus wrapper
 * @lock: serialises bind, attach, detach and release
 * @bindings: (lock) struct iofd_device of each fd it is bound to
 * @bound: true from the end of a successful first bind on; read without @lock
 *	by iofd_devfile_bound()
 */
struct iofd_devfile {
	struct device *dev;
	u32 pasid;
	const char *name;
	const struct iofd_devfile_ops *ops;
	struct mutex lock;
	struct list_head bindings;
	bool bound;
};

/**
 * iofd_devfile_init() - prepare a device file that has just been opened
 * @df: embedded in the wrapper's structure
 * @dev: the physical device; the wrapper keeps it alive until release
 * @ops: the wrapper's
 */
void iofd_devfile_init(struct iofd_devfile *df, struct device *dev,
		       const struct iofd_devfile_ops *ops);

/**
 * iofd_devfile_init_subdev() - prepare the device file of a sub-device (A23)
 * @df: embedded in the wrapper's structure
 * @parent: the device that the sub-device is a part of
 * @pasid: carried by all DMA of the sub-device and by no other of @parent, from 1
 *	on. The wrapper chooses; small numbers, for a parent may have few bits
 * @name: for people, among the parent's; the wrapper keeps it until release
 * @ops: the wrapper's
 *
 * A sub-device is what a device does with one PASID, for example by one of its
 * queues (mdev, SIOV), while its kernel driver goes on working with the rest, by
 * DMA without PASID. That is no user's business: the group of @parent is not
 * claimed, and its driver keeps it. Sub-devices of one parent may belong to
 * different users. To a user one is like a device without PASIDs: it has one
 * IOASID, and no vPASIDs (EINVAL); which PASID the hardware knows it by the user
 * never learns, neither from the core nor, which the wrapper has to see to, from
 * the device.
 *
 * From the first open to the last release @parent stays with its driver, which
 * the wrapper is part of or works with; and until a bind has called open() and
 * after close() the wrapper keeps the sub-device from doing DMA at all: its DMA
 * is blocked by the IOMMU while it is bound alone.
 *
 * Bind fails with -EPERM when a user has the parent, or when the parent shares
 * its group with other devices; with -EOPNOTSUPP when it or its IOMMU has no
 * PASIDs, or the IOMMU's driver knows no sub-devices.
 */
void iofd_devfile_init_subdev(struct iofd_devfile *df, struct device *parent,
			      u32 pasid, const char *name,
			      const struct iofd_devfile_ops *ops);

/**
 * iofd_devfile_ioctl() - the commands of <linux/ioasid.h> on a device file
 * @df: the device file
 * @cmd: as user space gave it
 * @arg: as user space gave it
 *
 * Return: what the command returns, or -ENOIOCTLCMD when @cmd is none of them;
 * the wrapper then answers it itself when iofd_devfile_bound(), and refuses it
 * with -EINVAL when not.
 */
long iofd_devfile_ioctl(struct iofd_devfile *df, unsigned int cmd,
			unsigned long arg);

/**
 * iofd_devfile_bound() - may the user reach the device?
 * @df: the device file
 *
 * Return: true from the end of the first bind on. Everything that open() set up
 * is visible then (acquire).
 */
static inline bool iofd_devfile_bound(struct iofd_devfile *df)
{
	return smp_load_acquire(&df->bound);
}

/**
 * iofd_devfile_release() - the device file is closed: close the device, detach
 *	it from every IOASID, unbind it from every fd
 * @df: the device file; the wrapper frees it afterwards
 */
void iofd_devfile_release(struct iofd_devfile *df);

/**
 * iofd_devfile_id() - is a device in the same hands as a device file?
 * @df: a device file, bound, or in the middle of its @open
 * @dev: any device, held by the caller
 *
 * Takes no lock that is held around the wrapper's @open and @close, so it may be
 * called with a lock that these take.
 *
 * Return: the id of @dev (more than 0) in an fd that @df is bound to; 0 when it
 * is not bound, but its group is held by such an fd, so that nobody else can
 * have it; -ENOENT in all other cases.
 */
int iofd_devfile_id(struct iofd_devfile *df, struct device *dev);

/**
 * iofd_device_may_not_snoop() - can DMA of a device pass the CPU caches by? (A21)
 * @dev: any device that keeps its driver meanwhile
 *
 * Answered by what the IOMMU in front of it can enforce, bound or not: KVM asks
 * before there is anything that the device is attached to. An IOASID that is
 * allocated with IOMMU_COHERENCY_OFF makes no difference.
 *
 * May sleep. Takes the topology lock.
 *
 * Return: true when it is known that nothing prevents it; false also for a device
 * that cannot be bound, about which nothing is known.
 */
bool iofd_device_may_not_snoop(struct device *dev);

#endif /* IOFD_CORE_IOFD_H */
