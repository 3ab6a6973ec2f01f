// SPDX-License-Identifier: GPL-2.0-only
#include <linux/iommu.h>
static void respond(struct device *dev, struct iopf_fault *fault,
		    struct iommu_page_response *msg) { }
const struct iommu_ops probe = { .page_response = respond };
