// SPDX-License-Identifier: GPL-2.0-only
/*
 * Providers: who drives the IOMMU in front of a device.
 */
#include <linux/device.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "core/core.h"

struct provider {
	struct list_head list;
	const struct iofd_hw_ops *ops;
};

static LIST_HEAD(providers);		/* (t) the one to ask first is first */

int iofd_hw_register(const struct iofd_hw_ops *ops)
{
	struct provider *provider;

	provider = kzalloc(sizeof(*provider), GFP_KERNEL);
	if (!provider)
		return -ENOMEM;
	provider->ops = ops;
	mutex_lock(&iofd_topology_lock);
	list_add(&provider->list, &providers);
	mutex_unlock(&iofd_topology_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(iofd_hw_register);

void iofd_hw_unregister(const struct iofd_hw_ops *ops)
{
	struct provider *provider, *next;

	mutex_lock(&iofd_topology_lock);
	list_for_each_entry_safe(provider, next, &providers, list) {
		if (provider->ops != ops)
			continue;
		list_del(&provider->list);
		kfree(provider);
	}
	mutex_unlock(&iofd_topology_lock);
}
EXPORT_SYMBOL_GPL(iofd_hw_unregister);

static struct iofd_hw_dev *open_at(const struct iofd_hw_ops *ops,
				   struct device *dev, u32 pasid)
{
	struct iofd_hw_dev *hd;

	if (!try_module_get(ops->owner))
		return ERR_PTR(-ENODEV);
	hd = pasid == IOFD_NO_PASID ? ops->open(dev) :
				      ops->open_subdev(dev, pasid);
	if (IS_ERR(hd))
		module_put(ops->owner);
	return hd;
}

struct iofd_hw_dev *iofd_hw_open(struct device *dev, u32 pasid)
{
	struct iofd_hw_dev *hd = ERR_PTR(-ENODEV);
	struct provider *provider;
	bool passed_over = false;

	lockdep_assert_held(&iofd_topology_lock);

	list_for_each_entry(provider, &providers, list) {
		if (pasid != IOFD_NO_PASID && !provider->ops->open_subdev) {
			passed_over = true;
			continue;
		}
		hd = open_at(provider->ops, dev, pasid);
		/* Only "not mine" lets the next one have a go. */
		if (hd != ERR_PTR(-ENODEV))
			return hd;
	}
	if (!passed_over)
		return hd;
	dev_err_ratelimited(dev,
			    "cannot have sub-devices: the driver of its IOMMU does not keep them apart from the rest of it\n");
	return ERR_PTR(-EOPNOTSUPP);
}

void iofd_hw_close(struct iofd_hw_dev *hd)
{
	struct module *owner = hd->ops->owner;

	hd->ops->close(hd);
	module_put(owner);
}
