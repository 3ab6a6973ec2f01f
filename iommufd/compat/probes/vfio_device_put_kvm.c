// SPDX-License-Identifier: GPL-2.0-only
/* The vfio core holds a reference on the KVM of a device that is open. */
#include <linux/vfio.h>
void probe(struct vfio_device *device, struct kvm *kvm) { device->put_kvm(kvm); }
