// SPDX-License-Identifier: GPL-2.0-only
#include <linux/vfio.h>
static void detach(struct vfio_device *device) { }
struct vfio_device_ops probe = { .detach_ioas = detach };
