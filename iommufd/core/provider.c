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

struct iofd_hw_dev *iofd_hw_open(struct device *dev)
{
	struct iofd_hw_dev *hd = ERR_PTR(-ENODEV);
	struct provider *provider;

	lockdep_assert_held(&iofd_topology_lock);

	list_for_each_entry(provider, &providers, list) {
		if (!try_module_get(provider->ops->owner))
			continue;
		hd = provider->ops->open(dev);
		if (!IS_ERR(hd))
			return hd;
		module_put(provider->ops->owner);
		/* Only "not mine" lets the next one have a go. */
		if (PTR_ERR(hd) != -ENODEV)
			break;
	}
	return hd;
}

void iofd_hw_close(struct iofd_hw_dev *hd)
{
	struct module *owner = hd->ops->owner;

	hd->ops->close(hd);
	module_put(owner);
}
