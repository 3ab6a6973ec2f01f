// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's VT-d driver keeps its structures to itself, but publishes the
 * registers of each unit as attributes in sysfs. Read them there, from inside.
 */
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "hw/api/api.h"

static const struct attribute_group *find_group(struct device *dev,
						const char *name)
{
	const struct attribute_group **group;

	for (group = dev->groups; group && *group; group++)
		if ((*group)->name && !strcmp((*group)->name, name))
			return *group;
	return NULL;
}

/* @page: a page, because that is what attributes write to. */
static int read_hex(struct device *dev, const struct attribute_group *group,
		    const char *name, char *page, u64 *value)
{
	struct attribute **attr;

	for (attr = group->attrs; attr && *attr; attr++) {
		struct device_attribute *dev_attr;
		ssize_t len;

		if (strcmp((*attr)->name, name))
			continue;
		dev_attr = container_of(*attr, struct device_attribute, attr);
		len = dev_attr->show(dev, dev_attr, page);
		if (len <= 0 || len >= PAGE_SIZE)
			return -EIO;
		page[len] = '\0';
		return kstrtou64(strim(page), 16, value);
	}
	return -ENOENT;
}

bool iofd_intel_unit(struct iommu_device *iommu, struct iofd_intel_unit *unit)
{
	const struct attribute_group *group;
	char *page;
	bool ok;

	if (!iommu || !iommu->dev)
		return false;
	group = find_group(iommu->dev, "intel-iommu");
	if (!group)
		return false;
	page = (char *)__get_free_page(GFP_KERNEL);
	if (!page)
		return false;
	ok = !read_hex(iommu->dev, group, "address", page, &unit->address) &&
	     !read_hex(iommu->dev, group, "cap", page, &unit->cap) &&
	     !read_hex(iommu->dev, group, "ecap", page, &unit->ecap);
	free_page((unsigned long)page);
	return ok;
}
