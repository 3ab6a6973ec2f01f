// SPDX-License-Identifier: GPL-2.0-only
#include <linux/vfio_pci_core.h>
struct vfio_device_ops probe = {
	.init = vfio_pci_core_init_dev, .release = vfio_pci_core_release_dev,
};
