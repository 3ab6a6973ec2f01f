// SPDX-License-Identifier: GPL-2.0-only
/* Drivers name their way to attach to an iommufd. */
#include <linux/vfio.h>
static void unbind(struct vfio_device *device) { }
struct vfio_device_ops probe = { .unbind_iommufd = unbind };
