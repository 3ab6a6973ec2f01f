/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_DEVICE_H
#define SHIM_LINUX_DEVICE_H

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct iommu_group;

struct device {
	const char *init_name;
	struct device *parent;
	void *driver_data;
	struct iommu_group *iommu_group;
	long refs;
};

static inline const char *dev_name(const struct device *dev)
{
	return dev->init_name ? dev->init_name : "device";
}

static inline struct device *get_device(struct device *dev)
{
	if (dev)
		dev->refs++;
	return dev;
}

static inline void put_device(struct device *dev)
{
	if (dev)
		dev->refs--;
}

static inline void dev_set_drvdata(struct device *dev, void *data)
{
	dev->driver_data = data;
}

static inline void *dev_get_drvdata(const struct device *dev)
{
	return dev->driver_data;
}

#define dev_to_node(dev)	NUMA_NO_NODE
#define dev_err(dev, fmt, ...)	shim_log("%s: " fmt, dev_name(dev), ##__VA_ARGS__)
#define dev_warn		dev_err
#define dev_notice		dev_err
#define dev_info		dev_err
#define dev_dbg			dev_err
#define dev_err_ratelimited	dev_err
#define dev_warn_ratelimited	dev_err
#define dev_info_ratelimited	dev_err
#define dev_err_once		dev_err
#define dev_warn_once		dev_err

#endif
