// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/class/iommu/dmarN/intel-iommu/: the files that the kernel's own driver
 * has there, in the same format, the mode, and errata that are worked around.
 */
#include <linux/sysfs.h>
#include "vtd.h"

static struct vtd_unit *unit_of(struct device *dev)
{
	return container_of(dev_to_iommu_device(dev), struct vtd_unit, iommu);
}

static ssize_t version_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	u32 ver = readl(unit_of(dev)->regs + VTD_VER);

	return sysfs_emit(buf, "%u:%u\n", VER_MAJOR(ver), VER_MINOR(ver));
}
static DEVICE_ATTR_RO(version);

static ssize_t address_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%llx\n", unit_of(dev)->drhd->start);
}
static DEVICE_ATTR_RO(address);

static ssize_t cap_show(struct device *dev, struct device_attribute *attr,
			char *buf)
{
	return sysfs_emit(buf, "%llx\n", unit_of(dev)->cap);
}
static DEVICE_ATTR_RO(cap);

static ssize_t ecap_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%llx\n", unit_of(dev)->ecap);
}
static DEVICE_ATTR_RO(ecap);

static ssize_t mode_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  unit_of(dev)->scalable ? "scalable" : "legacy");
}
static DEVICE_ATTR_RO(mode);

static ssize_t errata_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  unit_of(dev)->erratum_772415 ? "772415" : "");
}
static DEVICE_ATTR_RO(errata);

static ssize_t domains_supported_show(struct device *dev,
				      struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  vtd_unit_max_dids(unit_of(dev)));
}
static DEVICE_ATTR_RO(domains_supported);

static ssize_t domains_used_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	/* Those of tables, and the one for identity. */
	return sysfs_emit(buf, "%d\n", atomic_read(&unit_of(dev)->nr_dids) + 1);
}
static DEVICE_ATTR_RO(domains_used);

static struct attribute *attrs[] = {
	&dev_attr_version.attr,
	&dev_attr_address.attr,
	&dev_attr_cap.attr,
	&dev_attr_ecap.attr,
	&dev_attr_mode.attr,
	&dev_attr_errata.attr,
	&dev_attr_domains_supported.attr,
	&dev_attr_domains_used.attr,
	NULL
};

static const struct attribute_group group = {
	.name = "intel-iommu",
	.attrs = attrs,
};

const struct attribute_group *vtd_sysfs_groups[] = { &group, NULL };
