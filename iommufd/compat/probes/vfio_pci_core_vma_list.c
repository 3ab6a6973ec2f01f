// SPDX-License-Identifier: GPL-2.0-only
/* The core keeps a list of mapped vmas to zap. */
#include <linux/vfio_pci_core.h>
struct list_head *probe(struct vfio_pci_core_device *vdev) { return &vdev->vma_list; }
