// SPDX-License-Identifier: GPL-2.0-only
#include <linux/vfio.h>
static int info(struct vfio_device *device, struct vfio_region_info *info,
		struct vfio_info_cap *caps) { return 0; }
struct vfio_device_ops probe = { .get_region_info_caps = info };
