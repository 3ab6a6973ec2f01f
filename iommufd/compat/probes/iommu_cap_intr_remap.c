// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt isolation is a capability of the driver; later of the irq domain. */
#include <linux/iommu.h>
int probe = IOMMU_CAP_INTR_REMAP;
