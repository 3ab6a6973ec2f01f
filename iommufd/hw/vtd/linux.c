// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver as the kernel's own IOMMU driver: every device gets a group with
 * identity as its default domain; stock VFIO can use it for paging domains.
 *
 * A device that a kernel driver uses while the driver comes up or goes notices
 * nothing: identity is in place before translation is switched on, asking for
 * it again touches no hardware, and translation is off before it is taken away.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include "vtd.h"

/**
 * struct vtd_domain - a paging domain of the kernel
 * @domain: the kernel's view
 * @table: its table
 * @lock: serialises work on @table
 */
struct vtd_domain {
	struct iommu_domain domain;
	struct vtd_table *table;
	struct mutex lock;
};

static struct vtd_domain *to_vtd_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct vtd_domain, domain);
}

/**
 * vtd_dev_of() - our view of a device
 * @dev: a device with a group, which the caller keeps there
 *
 * Return: NULL when we do not drive its IOMMU.
 */
struct vtd_dev *vtd_dev_of(struct device *dev)
{
	if (!dev_is_pci(dev) || !dev->iommu || !dev->iommu->iommu_dev ||
	    dev->iommu->iommu_dev->ops != &vtd_iommu_ops)
		return NULL;
	return dev_iommu_priv_get(dev);
}

/* What the kernel asks for; remembered to know who is in use. */
static int linux_set(struct device *dev, enum vtd_state state,
		     struct vtd_table *table)
{
	struct vtd_dev *vdev = dev_iommu_priv_get(dev);
	struct vtd_unit *unit = vdev->unit;
	int rc = 0;

	mutex_lock(&unit->lock);
	if (state != VTD_IDENTITY && unit->phase != VTD_RUNNING) {
		rc = -ENODEV;
	} else if (state != VTD_IDENTITY && vdev->rmrr_locked) {
		pci_err(vdev->pdev, "firmware uses memory by this device at all times (RMRR): it can belong to the kernel only\n");
		rc = -EPERM;
	} else if (state != VTD_IDENTITY && vdev->nr_subdevs) {
		pci_err(vdev->pdev, "users have parts of it: what else it does stays the kernel's\n");
		rc = -EBUSY;
	} else {
		/* The device may have been reset since its group was formed. */
		if (state == VTD_TABLE)
			vtd_acs_enable(vdev->pdev);
		rc = vtd_dev_set(vdev, state, table);
	}
	if (!rc)
		vdev->linux_state = state;
	mutex_unlock(&unit->lock);
	return rc;
}

#ifdef HAVE_IOMMU_ATTACH_OLD_DOMAIN
#define ATTACH_ARGS	struct iommu_domain *domain, struct device *dev, \
			struct iommu_domain *old
#else
#define ATTACH_ARGS	struct iommu_domain *domain, struct device *dev
#endif

static int identity_attach(ATTACH_ARGS)
{
	return linux_set(dev, VTD_IDENTITY, NULL);
}

static int blocked_attach(ATTACH_ARGS)
{
	return linux_set(dev, VTD_BLOCKED, NULL);
}

static int paging_attach(ATTACH_ARGS)
{
	struct vtd_table *table = to_vtd_domain(domain)->table;
	struct vtd_dev *vdev = dev_iommu_priv_get(dev);

	if (!vtd_table_fits(table, vdev->unit))
		return -EINVAL;
	return linux_set(dev, VTD_TABLE, table);
}

/* The two static domains are never freed, but 6.1 asks for it. */
static void static_free(struct iommu_domain *domain)
{
}

static const struct iommu_domain_ops identity_ops = {
	.attach_dev = identity_attach,
	.free = static_free,
};

static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = blocked_attach,
	.free = static_free,
};

static struct iommu_domain identity_domain = {
	.type = IOMMU_DOMAIN_IDENTITY,
	.ops = &identity_ops,
};

static struct iommu_domain blocked_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocked_ops,
};

static int paging_map(struct iommu_domain *domain, unsigned long iova,
		      phys_addr_t phys, size_t pgsize, size_t count, int prot,
		      gfp_t gfp, size_t *mapped)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	size_t bytes = pgsize * count;
	unsigned int access = 0;
	u64 last = iova + bytes - 1;
	int rc;

	if (prot & IOMMU_READ)
		access |= IOFD_READ;
	if (prot & IOMMU_WRITE)
		access |= IOFD_WRITE;
	if (!access || vd->table->prot_needed & ~access ||
	    last > vd->table->pt.addr_last)
		return -EINVAL;

	mutex_lock(&vd->lock);
	rc = sl_map(&vd->table->sl, iova, phys, bytes, access);
	if (rc) {
		/* Part of it may be there, and be walked already. */
		sl_revoke(&vd->table->sl, iova, last);
		vtd_table_flush(vd->table, iova, last, true);
		vtd_table_reap(vd->table, iova, last, NULL, NULL);
	} else {
		*mapped += bytes;
	}
	mutex_unlock(&vd->lock);
	return rc;
}

/*
 * Takes access away; the entries go with the flush, in paging_sync(). The
 * kernel does not use the addresses again before that.
 */
static size_t paging_unmap(struct iommu_domain *domain, unsigned long iova,
			   size_t pgsize, size_t count,
			   struct iommu_iotlb_gather *gather)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	size_t bytes = pgsize * count;
	phys_addr_t phys;
	bool present;

	/* The gather must cover nothing that stays mapped. */
	if (iommu_iotlb_gather_is_disjoint(gather, iova, bytes))
		iommu_iotlb_sync(domain, gather);

	mutex_lock(&vd->lock);
	present = sl_lookup(&vd->table->sl, iova, &phys);
	if (present) {
		sl_revoke(&vd->table->sl, iova, iova + bytes - 1);
		iommu_iotlb_gather_add_range(gather, iova, bytes);
	}
	mutex_unlock(&vd->lock);
	return present ? bytes : 0;
}

static void paging_sync(struct iommu_domain *domain,
			struct iommu_iotlb_gather *gather)
{
	struct vtd_domain *vd = to_vtd_domain(domain);

	if (gather->start > gather->end)
		return;
	mutex_lock(&vd->lock);
	vtd_table_flush(vd->table, gather->start, gather->end, true);
	vtd_table_reap(vd->table, gather->start, gather->end, NULL, NULL);
	mutex_unlock(&vd->lock);
}

static void paging_flush_all(struct iommu_domain *domain)
{
	struct vtd_table *table = to_vtd_domain(domain)->table;

	vtd_table_flush(table, 0, table->pt.addr_last, false);
}

#ifdef HAVE_IOMMU_IOTLB_SYNC_MAP_STATUS
static int paging_sync_map(struct iommu_domain *domain, unsigned long iova,
			   size_t bytes)
#else
static void paging_sync_map(struct iommu_domain *domain, unsigned long iova,
			    size_t bytes)
#endif
{
	struct vtd_domain *vd = to_vtd_domain(domain);

	mutex_lock(&vd->lock);
	vtd_table_map_sync(vd->table, iova, iova + bytes - 1);
	mutex_unlock(&vd->lock);
#ifdef HAVE_IOMMU_IOTLB_SYNC_MAP_STATUS
	return 0;
#endif
}

static phys_addr_t paging_iova_to_phys(struct iommu_domain *domain,
				       dma_addr_t iova)
{
	struct vtd_domain *vd = to_vtd_domain(domain);
	phys_addr_t phys = 0;

	mutex_lock(&vd->lock);
	if (!sl_lookup(&vd->table->sl, iova, &phys))
		phys = 0;
	mutex_unlock(&vd->lock);
	return phys;
}

/* Decided when the table was made: it is enforced where that is possible. */
static bool paging_enforce_cache_coherency(struct iommu_domain *domain)
{
	return to_vtd_domain(domain)->table->pt.snoop_enforced;
}

static void paging_free(struct iommu_domain *domain)
{
	struct vtd_domain *vd = to_vtd_domain(domain);

	vtd_table_free(vd->table);
	mutex_destroy(&vd->lock);
	kfree(vd);
}

static const struct iommu_domain_ops paging_ops = {
	.attach_dev = paging_attach,
	.map_pages = paging_map,
	.unmap_pages = paging_unmap,
	.iotlb_sync_map = paging_sync_map,
	.iotlb_sync = paging_sync,
	.flush_iotlb_all = paging_flush_all,
	.iova_to_phys = paging_iova_to_phys,
	.enforce_cache_coherency = paging_enforce_cache_coherency,
	.free = paging_free,
};

static struct iommu_domain *paging_alloc(enum vtd_walk walk,
					 const struct vtd_limits *limits)
{
	struct vtd_domain *vd;

	vd = kzalloc(sizeof(*vd), GFP_KERNEL_ACCOUNT);
	if (!vd)
		return ERR_PTR(-ENOMEM);
	vd->table = vtd_table_alloc(walk, limits, 0, limits->snoop);
	if (IS_ERR(vd->table)) {
		int rc = PTR_ERR(vd->table);

		kfree(vd);
		return ERR_PTR(rc);
	}
	mutex_init(&vd->lock);
	vd->domain.ops = &paging_ops;
	vd->domain.pgsize_bitmap = vd->table->pt.pgsize_bitmap;
	vd->domain.geometry.aperture_end = vd->table->pt.addr_last;
	vd->domain.geometry.force_aperture = true;
	return &vd->domain;
}

#ifdef HAVE_IOMMU_DOMAIN_ALLOC_PAGING
static struct iommu_domain *domain_alloc_paging(struct device *dev)
{
	struct vtd_dev *vdev = dev_iommu_priv_get(dev);
	enum vtd_walk walk = vtd_plain_walk(vdev->unit);
	struct vtd_limits limits;

	vtd_unit_limits(vdev->unit, walk, &limits);
	return paging_alloc(walk, &limits);
}
#else
/* Without a device to ask, a table that every unit can walk. */
static struct iommu_domain *domain_alloc(unsigned int type)
{
	struct vtd_limits all = { .levels_mask = 0 }, one;
	enum vtd_walk walk = VTD_WALK_SECOND;
	struct iommu_domain *domain;
	struct vtd_unit *unit;
	bool first = true;

	switch (type) {
	case IOMMU_DOMAIN_IDENTITY:
		return &identity_domain;
	case IOMMU_DOMAIN_BLOCKED:
		return &blocked_domain;
	case IOMMU_DOMAIN_UNMANAGED:
		break;
	default:
		return NULL;
	}
	list_for_each_entry(unit, &vtd_units, link)
		if (!unit->second_level)
			walk = VTD_WALK_FIRST;
	list_for_each_entry(unit, &vtd_units, link) {
		if (walk == VTD_WALK_FIRST && !unit->first_level)
			return NULL;
		vtd_unit_limits(unit, walk, &one);
		if (first)
			all = one;
		else
			vtd_limits_intersect(&all, &one);
		first = false;
	}
	domain = paging_alloc(walk, &all);
	return IS_ERR(domain) ? NULL : domain;
}
#endif

static bool vtd_capable(struct device *dev, enum iommu_cap cap)
{
	struct vtd_dev *vdev __maybe_unused = dev_iommu_priv_get(dev);

	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;
#ifdef HAVE_IOMMU_CAP_ENFORCE_CACHE_COHERENCY
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
		return vdev->unit->ecap & ECAP_SC;
#endif
	default:
		return false;
	}
}

static struct iommu_device *probe_device(struct device *dev)
{
	struct pci_dev *pdev;
	struct vtd_unit *unit;
	struct vtd_dev *vdev;

	if (!dev_is_pci(dev))
		return ERR_PTR(-ENODEV);
	pdev = to_pci_dev(dev);
	unit = vtd_scope_unit(pdev);
	if (!unit)
		return ERR_PTR(-ENODEV);
	/* Before its group is looked for. */
	vtd_acs_enable(pdev);

	mutex_lock(&unit->lock);
	vdev = vtd_dev_find(unit, pdev);
	if (unit->phase == VTD_CLOSING)
		vdev = ERR_PTR(-ENODEV);
	/* One that was plugged in: blocked until identity is attached. */
	if (!vdev)
		vdev = vtd_dev_create(unit, pdev);
	if (!IS_ERR(vdev)) {
		vdev->probed = true;
		vdev->linux_state = vdev->state;
		if (dev->driver &&
		    !to_pci_driver(dev->driver)->driver_managed_dma)
			vdev->bound_to = dev->driver;
	}
	mutex_unlock(&unit->lock);
	if (IS_ERR(vdev))
		return ERR_CAST(vdev);
	dev_iommu_priv_set(dev, vdev);
	return &unit->iommu;
}

static void release_device(struct device *dev)
{
	struct vtd_dev *vdev = dev_iommu_priv_get(dev);
	struct vtd_unit *unit = vdev->unit;

	mutex_lock(&unit->lock);
	vdev->probed = false;
	/* Its driver is gone, and with it all that was made of parts of it. */
	WARN_ON(vdev->nr_subdevs);
	/* Otherwise it stays as it is until translation is off. */
	if (unit->phase == VTD_RUNNING) {
		vtd_dev_close(vdev);
		vtd_dev_destroy(vdev);
	}
	mutex_unlock(&unit->lock);
}

static void add_region(struct list_head *regions, u64 start, u64 last, int prot,
		       enum iommu_resv_type type)
{
	struct iommu_resv_region *region;

#ifdef HAVE_IOMMU_RESV_REGION_GFP
	region = iommu_alloc_resv_region(start, last - start + 1, prot, type,
					 GFP_KERNEL);
#else
	region = iommu_alloc_resv_region(start, last - start + 1, prot, type);
#endif
	if (region)
		list_add_tail(&region->list, regions);
}

static void get_resv_regions(struct device *dev, struct list_head *regions)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	unsigned int i;

	for (i = 0; i < vtd_dmar->nr_entries; i++) {
		const struct vtd_dmar_entry *e = &vtd_dmar->entries[i];

		if (e->kind == VTD_DMAR_RMRR && vtd_scope_rmrr(pdev, e))
			add_region(regions, e->start, e->last,
				   IOMMU_READ | IOMMU_WRITE,
				   vtd_rmrr_relaxable(pdev) ?
				   IOMMU_RESV_DIRECT_RELAXABLE :
				   IOMMU_RESV_DIRECT);
	}
	add_region(regions, VTD_MSI_START, VTD_MSI_LAST, 0, IOMMU_RESV_MSI);
}

static int def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

const struct iommu_ops vtd_iommu_ops = {
	.owner = THIS_MODULE,
	.capable = vtd_capable,
#ifdef HAVE_IOMMU_DOMAIN_ALLOC_PAGING
	.identity_domain = &identity_domain,
	.blocked_domain = &blocked_domain,
	.domain_alloc_paging = domain_alloc_paging,
#else
	.domain_alloc = domain_alloc,
#endif
	.probe_device = probe_device,
	.release_device = release_device,
	.device_group = pci_device_group,
	.get_resv_regions = get_resv_regions,
	.def_domain_type = def_domain_type,
#ifdef HAVE_IOMMU_OPS_PGSIZE_BITMAP
	.pgsize_bitmap = SZ_4K,
#endif
	.default_domain_ops = &paging_ops,
};

/*
 * A driver takes its group when it binds, so that nobody else can claim it.
 * Drivers that were bound before there were groups have to do it now; what does
 * it is not exported, but the bus calls it.
 */
static int take_group(struct device *dev, void *unused)
{
	struct vtd_dev *vdev;
	int rc = 0;

	device_lock(dev);
	vdev = vtd_dev_of(dev);
	if (vdev && dev->iommu_group && dev->driver &&
	    dev->driver == vdev->bound_to && !vdev->owner_fixed) {
		rc = dev->bus->dma_configure(dev);
		vdev->owner_fixed = !rc;
	}
	device_unlock(dev);
	if (rc)
		dev_warn(dev, "could not take its group for %s (error %d): do not give the device to a user\n",
			 dev_driver_string(dev), rc);
	return 0;
}

/* Give it back, or newer kernels complain that the group goes while in use. */
static int leave_group(struct device *dev, void *unused)
{
	struct vtd_dev *vdev;

	device_lock(dev);
	vdev = vtd_dev_of(dev);
	if (vdev && dev->iommu_group && dev->driver &&
	    (dev->driver != vdev->bound_to || vdev->owner_fixed))
		dev->bus->dma_cleanup(dev);
	device_unlock(dev);
	return 0;
}

static void unregister_one(struct vtd_unit *unit)
{
	if (!unit->registered)
		return;
	iommu_device_unregister(&unit->iommu);
	unit->registered = false;
}

static void remove_all(void)
{
	struct vtd_unit *unit;

	list_for_each_entry(unit, &vtd_units, link)
		unregister_one(unit);
#ifdef HAVE_BUS_IOMMU_OPS
	/* Unregistering leaves these, and the next hotplug would use them. */
	if (pci_bus_type.iommu_ops == &vtd_iommu_ops)
		pci_bus_type.iommu_ops = NULL;
	if (platform_bus_type.iommu_ops == &vtd_iommu_ops)
		platform_bus_type.iommu_ops = NULL;
#endif
	list_for_each_entry(unit, &vtd_units, link)
		if (unit->iommu.dev)
			iommu_device_sysfs_remove(&unit->iommu);
}

/**
 * vtd_linux_register() - become the kernel's IOMMU driver
 *
 * Translation is on, and every device that is there has identity.
 *
 * Return: 0, or -errno: vtd_linux_unregister() undoes what was done.
 */
int vtd_linux_register(void)
{
	struct vtd_unit *unit;
	int rc;

	lockdep_assert_held(&vtd_state_lock);

	/*
	 * All devices are probed when the first unit is registered, and the
	 * kernel looks at what belongs to any other unit then.
	 */
	list_for_each_entry(unit, &vtd_units, link) {
		unit->iommu.ops = &vtd_iommu_ops;
		rc = iommu_device_sysfs_add(&unit->iommu, NULL, vtd_sysfs_groups,
					    "%s", unit->name);
		if (rc)
			return rc;
	}
	list_for_each_entry(unit, &vtd_units, link) {
		rc = iommu_device_register(&unit->iommu, &vtd_iommu_ops, NULL);
		if (rc) {
			vtd_err(unit, "the kernel refuses it as its IOMMU (error %d)%s\n",
				rc, rc == -EBUSY ? ": another IOMMU driver is active, boot with intel_iommu=off intremap=off" : "");
			return rc;
		}
		unit->registered = true;
	}
	bus_for_each_dev(&pci_bus_type, NULL, NULL, take_group);
	return 0;
}

/**
 * vtd_linux_unregister() - stop being the kernel's IOMMU driver
 *
 * All units are closing, and translation is off.
 */
void vtd_linux_unregister(void)
{
	lockdep_assert_held(&vtd_state_lock);

	bus_for_each_dev(&pci_bus_type, NULL, NULL, leave_group);
	remove_all();
}
