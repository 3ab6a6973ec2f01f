// SPDX-License-Identifier: GPL-2.0-only
#include <linux/iommu.h>
int probe(struct device *dev, struct fwnode_handle *fwnode)
{
	return iommu_fwspec_init(dev, fwnode);
}
