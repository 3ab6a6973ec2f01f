// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands of a VFIO device that the vfio core answers for its own files, and
 * keeps to itself.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "bus/pci.h"
#include "compat/vfio.h"

#define FEATURE_OPS	(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET)

long iofd_vfio_feature(struct vfio_device *vdev,
		       struct vfio_device_feature __user *arg)
{
	const size_t head = offsetofend(struct vfio_device_feature, flags);
	struct vfio_device_feature feature;

	if (copy_from_user(&feature, arg, head))
		return -EFAULT;
	if (feature.argsz < head)
		return -EINVAL;
	if (feature.flags & ~(VFIO_DEVICE_FEATURE_MASK | FEATURE_OPS |
			      VFIO_DEVICE_FEATURE_PROBE))
		return -EINVAL;
	/* One can ask whether both are there, but do only one at a time. */
	if ((feature.flags & FEATURE_OPS) == FEATURE_OPS &&
	    !(feature.flags & VFIO_DEVICE_FEATURE_PROBE))
		return -EINVAL;
	/*
	 * Migration and DMA logging are the vfio core's for drivers that fill in
	 * mig_ops and log_ops. Ours does not: they end up as unknown.
	 */
	return vdev->ops->device_feature(vdev, feature.flags, arg->data,
					 feature.argsz - head);
}

#ifdef HAVE_VFIO_GET_REGION_INFO_CAPS
static long region_info(struct vfio_device *vdev,
			struct vfio_region_info __user *arg)
{
	const size_t head = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info = {};
	struct vfio_info_cap caps = {};
	long rc;

	if (copy_from_user(&info, arg, head))
		return -EFAULT;
	if (info.argsz < head)
		return -EINVAL;
	rc = vdev->ops->get_region_info_caps(vdev, &info, &caps);
	if (rc)
		goto out;
	if (caps.size) {
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		info.cap_offset = 0;
		if (info.argsz < sizeof(info) + caps.size) {
			info.argsz = sizeof(info) + caps.size;
		} else {
			vfio_info_cap_shift(&caps, sizeof(info));
			info.cap_offset = sizeof(info);
			if (copy_to_user((void __user *)arg + sizeof(info),
					 caps.buf, caps.size))
				rc = -EFAULT;
		}
	}
	if (!rc && copy_to_user(arg, &info, head))
		rc = -EFAULT;
out:
	kfree(caps.buf);
	return rc;
}
#endif

long iofd_vfio_ioctl(struct vfio_device *vdev, unsigned int cmd,
		     unsigned long arg)
{
#ifdef HAVE_VFIO_GET_REGION_INFO_CAPS
	if (cmd == VFIO_DEVICE_GET_REGION_INFO)
		return region_info(vdev, (void __user *)arg);
#endif
	return vdev->ops->ioctl(vdev, cmd, arg);
}
