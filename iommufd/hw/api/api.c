// SPDX-License-Identifier: GPL-2.0-only
/*
 * Provider for any IOMMU that a driver of the Linux kernel drives, through
 * struct iommu_domain.
 *
 * The IOMMU API attaches groups, not devices: all devices of a group go through
 * the same domain or none does. So a group has one table here, with a count of
 * its devices that are attached; one that is bound and not attached shares what
 * the others of its group are attached to. They are in the hands of one user.
 *
 * A domain cannot be asked what it maps, and must not be told to unmap what it
 * does not map: the VT-d driver, given the first page of a hole, takes away as
 * much as the hole's place in the table would cover. So each table has a second
 * one in memory (hw/pt) that knows, from which the runs are handed back.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <uapi/linux/ioasid.h>
#include "compat/iommu_api.h"
#include "hw/api/api.h"
#include "hw/hw.h"
#include "hw/pt/sl.h"

/* As wide as the table in memory can be. */
#define MAX_WIDTH_BITS		57

/* A second, for a kernel that is out of memory for a moment. */
#define DETACH_TRIES		100
#define DETACH_PAUSE_MS		10

/*
 * Lock order, outermost first: api_lock, api_pt.lock.
 * Lock letters at the fields: (c) constant once published, (l) api_lock,
 * (p) api_pt.lock, (s) the caller serialises.
 */
static DEFINE_MUTEX(api_lock);
static LIST_HEAD(api_groups);		/* (l) struct api_group */

/**
 * struct api_pt - a table
 * @pt: (c) what the core sees of it
 * @lock: lets no device come or go in the middle of map and unmap: while a
 *	domain loses its last device, drivers recompute what they know of the
 *	hardware in it, by way of values that are not true
 * @domain: (c) the kernel's table
 * @runs: (s) what @domain maps
 * @gather: (s) what has been unmapped and not flushed
 * @stuck: (l) a group could not be detached: @domain is never freed
 * @iommu: (c) the IOMMU it was made for
 * @cap: (c) of a VT-d unit, else 0
 * @ecap: (c) of a VT-d unit, else 0
 */
struct api_pt {
	struct iofd_hw_pt pt;
	struct mutex lock;
	struct iommu_domain *domain;
	struct sl_table runs;
	struct iommu_iotlb_gather gather;
	bool stuck;
	struct iommu_device *iommu;
	u64 cap;
	u64 ecap;
};

/**
 * struct api_group - a group with open devices
 * @list: (l) in api_groups
 * @group: (c) the kernel's group, a reference is held
 * @nr_open: (l) open devices of it
 * @nr_attached: (l) how many of them are attached
 * @pt: (l) to what; NULL with none
 */
struct api_group {
	struct list_head list;
	struct iommu_group *group;
	unsigned int nr_open;
	unsigned int nr_attached;
	struct api_pt *pt;
};

/**
 * struct api_dev - a device
 * @hd: (c) what the core sees of it
 * @group: (c) its group
 * @iommu: (c) its IOMMU
 * @attached: (l) counted in api_group.nr_attached
 * @caps: (c) what it can do
 */
struct api_dev {
	struct iofd_hw_dev hd;
	struct api_group *group;
	struct iommu_device *iommu;
	bool attached;
	struct iofd_hw_caps caps;
};

static const struct iofd_hw_ops api_ops;

static struct api_dev *to_dev(struct iofd_hw_dev *hd)
{
	return container_of(hd, struct api_dev, hd);
}

static struct api_pt *to_pt(struct iofd_hw_pt *pt)
{
	return container_of(pt, struct api_pt, pt);
}

static struct api_group *group_get(struct device *dev)
{
	struct api_group *group;
	struct iommu_group *kernel;

	lockdep_assert_held(&api_lock);

	kernel = iommu_group_get(dev);
	if (!kernel)
		return ERR_PTR(-ENODEV);
	list_for_each_entry(group, &api_groups, list) {
		if (group->group == kernel) {
			iommu_group_put(kernel);
			group->nr_open++;
			return group;
		}
	}
	group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	if (!group) {
		iommu_group_put(kernel);
		return ERR_PTR(-ENOMEM);
	}
	group->group = kernel;
	group->nr_open = 1;
	list_add_tail(&group->list, &api_groups);
	return group;
}

static void group_put(struct api_group *group)
{
	lockdep_assert_held(&api_lock);

	if (--group->nr_open)
		return;
	WARN_ON(group->nr_attached);
	list_del(&group->list);
	iommu_group_put(group->group);
	kfree(group);
}

static u32 width_of(u64 last)
{
	return last ? fls64(last) : 0;
}

/* Highest address of @bits bits; there are at most MAX_WIDTH_BITS. */
static u64 last_of(u32 bits)
{
	return (1ULL << bits) - 1;
}

/*
 * VT-d: the kernel uses second-level tables, of the widest kind that the unit
 * walks. Its domains claim more than that until a device is attached.
 */
static void intel_caps(struct iofd_hw_caps *caps,
		       const struct iofd_intel_unit *unit)
{
	u32 mgaw = ((unit->cap >> 16) & 0x3f) + 1;
	u32 sagaw = (unit->cap >> 8) & 0x1f;
	u32 width = sagaw ? 30 + 9 * (fls(sagaw) - 1) : mgaw;

	caps->hw_type = IOMMU_HW_TYPE_VTD;
	caps->hw_cap = unit->cap;
	caps->hw_ecap = unit->ecap;
	caps->addr_width_bits = min3(caps->addr_width_bits, mgaw, width);
	caps->pgsize_bitmap = SZ_4K;
	if (unit->cap & BIT_ULL(34))
		caps->pgsize_bitmap |= SZ_2M;
	if (unit->cap & BIT_ULL(35))
		caps->pgsize_bitmap |= SZ_1G;
}

/*
 * Does the unit see the device under another requester ID? So it is behind a
 * bridge to conventional PCI, and with some devices that get their own wrong.
 */
static bool has_alias(struct pci_dev *pdev)
{
	struct pci_dev *bridge;

	if (pdev->dma_alias_mask)
		return true;
	for (bridge = pci_upstream_bridge(pdev); bridge;
	     bridge = pci_upstream_bridge(bridge))
		if (!pci_is_pcie(bridge) ||
		    pci_pcie_type(bridge) == PCI_EXP_TYPE_PCI_BRIDGE)
			return true;
	return false;
}

static int check_alias(struct device *dev, const struct iofd_hw_caps *caps)
{
	if (iofd_intel_blocks_aliases() ||
	    caps->hw_type != IOMMU_HW_TYPE_VTD || !dev_is_pci(dev) ||
	    !has_alias(to_pci_dev(dev)))
		return 0;
	dev_err_ratelimited(dev,
			    "this kernel's VT-d driver cannot block devices that share a requester ID, as behind a PCI bridge: use iofd_vtd\n");
	return -EPERM;
}

static bool can_enforce(struct device *dev, struct iommu_domain *domain,
			const struct iofd_hw_caps *caps)
{
	if (caps->hw_type == IOMMU_HW_TYPE_VTD)
		return caps->hw_ecap & BIT_ULL(7);	/* SC */
#ifdef HAVE_IOMMU_CAP_ENFORCE_CACHE_COHERENCY
	if (!device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY))
		return false;
#endif
	return domain->ops->enforce_cache_coherency &&
	       domain->ops->enforce_cache_coherency(domain);
}

/* A domain made for nothing but to see what such domains can do. */
static int probe_caps(struct api_dev *ad, struct iofd_hw_caps *caps)
{
	struct device *dev = ad->hd.dev;
	struct iofd_intel_unit unit;
	struct iommu_domain *domain;
	int rc = 0;

	domain = iofd_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);

	caps->addr_width_bits = MAX_WIDTH_BITS;
	if (domain->geometry.force_aperture)
		caps->addr_width_bits = min_t(u32, MAX_WIDTH_BITS,
					      width_of(domain->geometry.aperture_end));
	caps->pgsize_bitmap = domain->pgsize_bitmap;
	caps->formats = BIT_ULL(IOMMU_FORMAT_DEFAULT);
	if (ad->iommu && ad->iommu->dev)
		strscpy(caps->unit, dev_name(ad->iommu->dev),
			sizeof(caps->unit));
	if (iofd_intel_unit(ad->iommu, &unit)) {
		intel_caps(caps, &unit);
		iofd_fault_tap_add(dev, ad->iommu, &unit);
	}
	if (can_enforce(dev, domain, caps))
		caps->flags |= IOMMU_DEVICE_INFO_ENFORCE_SNOOP;
	if (iofd_msi_isolated(dev))
		caps->flags |= IOMMU_DEVICE_INFO_MSI_ISOLATED;

	if (domain->geometry.aperture_start || !caps->addr_width_bits ||
	    !caps->pgsize_bitmap ||
	    BIT_ULL(__ffs64(caps->pgsize_bitmap)) > PAGE_SIZE) {
		dev_err(dev, "the IOMMU's addresses (from %#llx) or pages (%#llx) are of no use here\n",
			(u64)domain->geometry.aperture_start,
			caps->pgsize_bitmap);
		rc = -ENODEV;
	}
	iommu_domain_free(domain);
	return rc;
}

static struct iofd_hw_dev *api_open(struct device *dev)
{
	struct api_dev *ad;
	int rc;

	if (!device_iommu_mapped(dev) || !dev->iommu)
		return ERR_PTR(-ENODEV);
	/* Mappings are IOMMU_CACHE, always: user space cannot flush caches. */
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return ERR_PTR(-ENODEV);

	ad = kzalloc(sizeof(*ad), GFP_KERNEL_ACCOUNT);
	if (!ad)
		return ERR_PTR(-ENOMEM);
	ad->hd.ops = &api_ops;
	ad->hd.dev = dev;
	ad->iommu = dev->iommu->iommu_dev;
	rc = probe_caps(ad, &ad->caps);
	if (!rc)
		rc = check_alias(dev, &ad->caps);
	if (rc)
		goto err_free;

	mutex_lock(&api_lock);
	ad->group = group_get(dev);
	mutex_unlock(&api_lock);
	if (IS_ERR(ad->group)) {
		rc = PTR_ERR(ad->group);
		goto err_free;
	}
	return &ad->hd;

err_free:
	kfree(ad);
	return ERR_PTR(rc);
}

static void api_close(struct iofd_hw_dev *hd)
{
	struct api_dev *ad = to_dev(hd);

	WARN_ON(ad->attached);
	mutex_lock(&api_lock);
	group_put(ad->group);
	mutex_unlock(&api_lock);
	kfree(ad);
}

static void api_caps(struct iofd_hw_dev *hd, struct iofd_hw_caps *caps)
{
	*caps = to_dev(hd)->caps;
}

/* Drivers have their own ideas of which errno says that it does not fit. */
static int attach_errno(int rc)
{
	return !rc || rc == -ENOMEM || rc == -ENODEV ? rc : -EINVAL;
}

/*
 * Block a group that is attached to a table. Some kernels need memory for that,
 * and without it leave the group attached: insist. What was mapped has been or
 * will be unmapped, so a domain that the group is stuck in lets nothing through;
 * but it has to stay.
 */
static void detach_group(struct api_pt *apt, struct api_dev *ad)
{
	unsigned int tries;

	lockdep_assert_held(&api_lock);

	for (tries = 0; tries < DETACH_TRIES; tries++) {
		if (tries)
			msleep(DETACH_PAUSE_MS);
		iommu_detach_group(apt->domain, ad->group->group);
		if (iommu_get_domain_for_dev(ad->hd.dev) != apt->domain)
			return;
	}
	dev_err(ad->hd.dev, "its IOMMU's driver does not block it; it can be used again after a reboot\n");
	apt->stuck = true;
}

/*
 * Of a domain that no device is attached to, drivers assume the least that all
 * units can do. Attach the group for a moment: the domain is empty, so that
 * blocks the group just as well. A group that is attached to something else has
 * had its devices looked at then.
 */
static int acquaint(struct api_dev *ad, struct api_pt *apt)
{
	struct api_group *group = ad->group;
	int rc = 0;

	mutex_lock(&api_lock);
	if (!group->nr_attached) {
		rc = iommu_attach_group(apt->domain, group->group);
		if (!rc)
			detach_group(apt, ad);
		if (apt->stuck)
			rc = -ENOMEM;
	}
	mutex_unlock(&api_lock);
	return attach_errno(rc);
}

static int set_coherency(struct api_pt *apt, struct api_dev *ad, u32 coherency)
{
	struct iommu_domain *domain = apt->domain;

	if (coherency == IOMMU_COHERENCY_OFF)
		return 0;
	/* Before anything is mapped: entries are not rewritten by all. */
	if (ad->caps.flags & IOMMU_DEVICE_INFO_ENFORCE_SNOOP &&
	    domain->ops->enforce_cache_coherency)
		apt->pt.snoop_enforced =
			domain->ops->enforce_cache_coherency(domain);
	if (coherency == IOMMU_COHERENCY_ENFORCE && !apt->pt.snoop_enforced)
		return -EINVAL;
	return 0;
}

static struct iofd_hw_pt *api_pt_alloc(struct iofd_hw_dev *hd,
				       const struct iofd_pt_attrs *attrs)
{
	struct api_dev *ad = to_dev(hd);
	u32 bits = ad->caps.addr_width_bits;
	struct api_pt *apt;
	int rc;

	if (attrs->addr_width_bits > bits)
		return ERR_PTR(-EINVAL);
	if (attrs->nest_parent)
		return ERR_PTR(-EOPNOTSUPP);
	apt = kzalloc(sizeof(*apt), GFP_KERNEL_ACCOUNT);
	if (!apt)
		return ERR_PTR(-ENOMEM);
	mutex_init(&apt->lock);
	apt->iommu = ad->iommu;
	apt->cap = ad->caps.hw_cap;
	apt->ecap = ad->caps.hw_ecap;
	apt->pt.ops = &api_ops;
	apt->pt.addr_last = last_of(bits);
	iommu_iotlb_gather_init(&apt->gather);

	rc = sl_init(&apt->runs, bits > 48 ? 5 : 4, 3, false, 0);
	if (rc)
		goto err_free;
	apt->domain = iofd_paging_domain_alloc(hd->dev);
	if (IS_ERR(apt->domain)) {
		rc = PTR_ERR(apt->domain);
		goto err_runs;
	}
	rc = acquaint(ad, apt);
	if (!rc)
		rc = set_coherency(apt, ad, attrs->coherency);
	if (rc)
		goto err_domain;
	apt->pt.pgsize_bitmap = apt->domain->pgsize_bitmap;
	return &apt->pt;

err_domain:
	if (!apt->stuck)
		iommu_domain_free(apt->domain);
err_runs:
	sl_destroy(&apt->runs);
err_free:
	kfree(apt);
	return ERR_PTR(rc);
}

static void api_pt_free(struct iofd_hw_pt *pt)
{
	struct api_pt *apt = to_pt(pt);

	if (!apt->stuck)
		iommu_domain_free(apt->domain);
	sl_destroy(&apt->runs);
	mutex_destroy(&apt->lock);
	kfree(apt);
}

/*
 * Devices behind one unit, and behind VT-d units that say the same of
 * themselves. What other drivers would make of devices behind several units is
 * not worth finding out by failing.
 */
static bool api_pt_fits(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd)
{
	struct api_pt *apt = to_pt(pt);
	struct api_dev *ad = to_dev(hd);

	if (pt->snoop_enforced &&
	    !(ad->caps.flags & IOMMU_DEVICE_INFO_ENFORCE_SNOOP))
		return false;
	if (pt->addr_last > last_of(ad->caps.addr_width_bits))
		return false;
	return apt->iommu == ad->iommu ||
	       (apt->cap && apt->cap == ad->caps.hw_cap &&
		apt->ecap == ad->caps.hw_ecap);
}

static int attach_group(struct api_pt *apt, struct api_dev *ad)
{
	int rc;

	mutex_lock(&apt->lock);
	rc = attach_errno(iommu_attach_group(apt->domain, ad->group->group));
	mutex_unlock(&apt->lock);
	return rc;
}

static void leave_group(struct api_pt *apt, struct api_dev *ad)
{
	mutex_lock(&apt->lock);
	detach_group(apt, ad);
	mutex_unlock(&apt->lock);
}

/* The group goes from one table to another, by way of being blocked. */
static int replace_group(struct api_pt *apt, struct api_dev *ad)
{
	struct api_pt *old = ad->group->pt;
	int rc;

	leave_group(old, ad);
	if (old->stuck)
		return -ENOMEM;
	rc = attach_group(apt, ad);
	if (rc && attach_group(old, ad))
		dev_err(ad->hd.dev, "its IOMMU's driver does not take it back: blocked until it is detached\n");
	return rc;
}

static int api_attach(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd, u32 pasid)
{
	struct api_dev *ad = to_dev(hd);
	struct api_group *group = ad->group;
	struct api_pt *apt = to_pt(pt);
	int rc = 0;

	if (pasid != IOFD_NO_PASID)
		return -EINVAL;
	mutex_lock(&api_lock);
	if (!group->nr_attached)
		rc = attach_group(apt, ad);
	else if (ad->attached && group->nr_attached == 1)
		rc = replace_group(apt, ad);
	else if (group->pt != apt)
		/* Its other devices would be attached to this one as well. */
		rc = -EBUSY;
	if (!rc) {
		group->pt = apt;
		if (!ad->attached)
			group->nr_attached++;
		ad->attached = true;
	}
	mutex_unlock(&api_lock);
	return rc;
}

/*
 * While the DMA of a group is owned, a group that is detached is blocked, and
 * drivers flush what they change for that.
 */
static void api_block(struct iofd_hw_dev *hd, u32 pasid)
{
	struct api_dev *ad = to_dev(hd);
	struct api_group *group = ad->group;

	mutex_lock(&api_lock);
	if (ad->attached) {
		ad->attached = false;
		if (!--group->nr_attached) {
			leave_group(group->pt, ad);
			group->pt = NULL;
		}
	}
	mutex_unlock(&api_lock);
}

/*
 * A driver that runs out of memory half way through may leave the entries that
 * it has written, and only tells that it failed. Look for them, and do not touch
 * holes (see above).
 */
static void unmap_leftovers(struct iommu_domain *domain, u64 iova, size_t bytes)
{
	u64 end = iova + bytes;
	size_t step;

	for (; iova < end; iova += step) {
		step = 0;
		if (iommu_iova_to_phys(domain, iova))
			step = iommu_unmap(domain, iova, PAGE_SIZE);
		step = max_t(size_t, step, PAGE_SIZE);
		cond_resched();
	}
}

static int api_map(struct iofd_hw_pt *pt, u64 iova, phys_addr_t phys,
		   size_t bytes, unsigned int prot)
{
	struct api_pt *apt = to_pt(pt);
	int flags = IOMMU_CACHE, rc;

	if (prot & IOFD_READ)
		flags |= IOMMU_READ;
	if (prot & IOFD_WRITE)
		flags |= IOMMU_WRITE;

	mutex_lock(&apt->lock);
	rc = iofd_iommu_map(apt->domain, iova, phys, bytes, flags);
	if (rc) {
		unmap_leftovers(apt->domain, iova, bytes);
		/* -EEXIST would be a bug, and everything else is memory. */
		rc = rc == -EEXIST ? rc : -ENOMEM;
		goto out;
	}
	rc = sl_map(&apt->runs, iova, phys, bytes, prot);
	if (rc) {
		/* Nothing may be in one of the two alone. */
		sl_revoke(&apt->runs, iova, iova + (bytes - 1));
		sl_reap(&apt->runs, iova, iova + (bytes - 1), NULL, NULL);
		iommu_unmap(apt->domain, iova, bytes);
	}
out:
	mutex_unlock(&apt->lock);
	return rc;
}

static void api_map_sync(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
	/* iommu_map() has done it. */
	sl_sync(&to_pt(pt)->runs);
}

static int unmap_run(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
		     unsigned int prot)
{
	struct api_pt *apt = arg;
	size_t unmapped;

	unmapped = iommu_unmap_fast(apt->domain, iova, bytes, &apt->gather);
	WARN_ONCE(unmapped != bytes, "%zu bytes unmapped of %zu\n", unmapped,
		  bytes);
	/* One flush for all, whatever lies between. */
	apt->gather.start = min_t(unsigned long, apt->gather.start, iova);
	apt->gather.end = max_t(unsigned long, apt->gather.end,
				iova + (bytes - 1));
	return 0;
}

static void api_revoke(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
	struct api_pt *apt = to_pt(pt);

	mutex_lock(&apt->lock);
	/*
	 * As if for a flush queue: it keeps drivers from flushing whenever a run
	 * is not adjacent to the one before.
	 */
	apt->gather.queued = true;
	sl_for_each_run(&apt->runs, iova, last, unmap_run, apt);
	sl_revoke(&apt->runs, iova, last);
	mutex_unlock(&apt->lock);
}

static void api_flush(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
	struct api_pt *apt = to_pt(pt);

	if (apt->gather.start > apt->gather.end)
		return;
	mutex_lock(&apt->lock);
	apt->gather.queued = false;
	if (!apt->gather.pgsize)
		apt->gather.pgsize = BIT(__ffs(apt->domain->pgsize_bitmap));
	/* Flushes, frees table pages, and empties the gather. */
	iommu_iotlb_sync(apt->domain, &apt->gather);
	mutex_unlock(&apt->lock);
}

static void api_reap(struct iofd_hw_pt *pt, u64 iova, u64 last,
		     iofd_run_fn fn, void *arg)
{
	struct sl_table *runs = &to_pt(pt)->runs;

	sl_reap(runs, iova, last, fn, arg);
	if (sl_wants_trim(runs)) {
		LIST_HEAD(pages);

		/* No hardware walks it. */
		sl_trim(runs, &pages);
		sl_free_pages(&pages);
	}
}

static int api_for_each_run(struct iofd_hw_pt *pt, u64 iova, u64 last,
			    iofd_run_fn fn, void *arg)
{
	return sl_for_each_run(&to_pt(pt)->runs, iova, last, fn, arg);
}

static const struct iofd_hw_ops api_ops = {
	.name = "api",
	.owner = THIS_MODULE,
	.open = api_open,
	.close = api_close,
	.caps = api_caps,
	.pt_alloc = api_pt_alloc,
	.pt_free = api_pt_free,
	.pt_fits = api_pt_fits,
	.attach = api_attach,
	.block = api_block,
	.map = api_map,
	.map_sync = api_map_sync,
	.revoke = api_revoke,
	.flush = api_flush,
	.reap = api_reap,
	.for_each_run = api_for_each_run,
};

int iofd_api_init(void)
{
	return iofd_hw_register(&api_ops);
}

void iofd_api_exit(void)
{
	iofd_hw_unregister(&api_ops);
	iofd_fault_tap_exit();
}
