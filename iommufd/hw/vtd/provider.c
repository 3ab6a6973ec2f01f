// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver as the core sees it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include <uapi/linux/ioasid.h>
#include "vtd.h"

/* The PASID at the hardware, of what the core calls @pasid */
static u32 real_pasid(const struct vtd_handle *handle, u32 pasid)
{
	return handle->pasid == IOFD_NO_PASID ? pasid : handle->pasid;
}

static struct iofd_hw_dev *vtd_open(struct device *dev)
{
	struct vtd_dev *vdev = vtd_dev_of(dev);
	int rc = 0;

	if (!vdev)
		return ERR_PTR(-ENODEV);
	mutex_lock(&vdev->unit->lock);
	if (vdev->unit->phase != VTD_RUNNING)
		rc = -ENODEV;
	else if (vdev->open)
		rc = -EBUSY;
	else if (vdev->state != VTD_BLOCKED)
		rc = -EINVAL;
	else
		vtd_dev_open(vdev);
	mutex_unlock(&vdev->unit->lock);
	return rc ? ERR_PTR(rc) : &vdev->handle.hd;
}

static struct iofd_hw_dev *vtd_open_subdev(struct device *dev, u32 pasid)
{
	struct vtd_dev *vdev = vtd_dev_of(dev);
	struct vtd_handle *handle;
	int rc;

	if (!vdev)
		return ERR_PTR(-ENODEV);
	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->hd = vdev->handle.hd;
	handle->vdev = vdev;
	handle->pasid = pasid;
	mutex_lock(&vdev->unit->lock);
	if (vdev->unit->phase != VTD_RUNNING)
		rc = -ENODEV;
	else
		rc = vtd_subdev_open(vdev, pasid);
	mutex_unlock(&vdev->unit->lock);
	if (!rc)
		return &handle->hd;
	kfree(handle);
	return ERR_PTR(rc);
}

static void vtd_block(struct iofd_hw_dev *hd, u32 pasid)
{
	struct vtd_dev *vdev = to_vtd_dev(hd);

	pasid = real_pasid(to_vtd_handle(hd), pasid);
	mutex_lock(&vdev->unit->lock);
	if (pasid == IOFD_NO_PASID)
		vtd_dev_set(vdev, VTD_BLOCKED, NULL);
	else
		vtd_dev_block_pasid(vdev, pasid);
	mutex_unlock(&vdev->unit->lock);
}

static void vtd_close(struct iofd_hw_dev *hd)
{
	struct vtd_handle *handle = to_vtd_handle(hd);
	struct vtd_dev *vdev = handle->vdev;
	bool subdev = handle != &vdev->handle;

	mutex_lock(&vdev->unit->lock);
	if (subdev)
		vtd_subdev_close(vdev, handle->pasid);
	else
		vtd_dev_close(vdev);
	mutex_unlock(&vdev->unit->lock);
	if (subdev)
		kfree(handle);
}

static void vtd_caps(struct iofd_hw_dev *hd, struct iofd_hw_caps *caps)
{
	struct vtd_dev *vdev = to_vtd_dev(hd);
	struct vtd_unit *unit = vdev->unit;
	unsigned int level;

	*caps = (struct iofd_hw_caps) {
		.addr_width_bits = unit->addr_width_bits,
		.pasid_width_bits = vdev->pasid_width_bits,
		.formats = 1ULL << IOMMU_FORMAT_DEFAULT,
		.hw_type = IOMMU_HW_TYPE_VTD,
		.hw_cap = unit->cap,
		.hw_ecap = unit->ecap,
	};
	for (level = 1; level <= unit->max_leaf_level; level++)
		caps->pgsize_bitmap |= 1ULL << (3 + 9 * level);
	if (unit->ecap & ECAP_SC)
		caps->flags |= IOMMU_DEVICE_INFO_ENFORCE_SNOOP;
	if (unit->dirty)
		caps->flags |= IOMMU_DEVICE_INFO_DIRTY;
	if (unit->nests) {
		caps->flags |= IOMMU_DEVICE_INFO_HW_NESTING;
		caps->formats |= 1ULL << IOMMU_FORMAT_VTD_S1;
	}
	if (vdev->ats_allowed && hd == &vdev->handle.hd)
		caps->flags |= IOMMU_DEVICE_INFO_ATS;
	strscpy(caps->unit, unit->name, sizeof(caps->unit));
}

static struct iofd_hw_pt *vtd_pt_alloc(struct iofd_hw_dev *hd,
				       const struct iofd_pt_attrs *attrs)
{
	struct vtd_unit *unit = to_vtd_dev(hd)->unit;
	enum vtd_walk walk = vtd_plain_walk(unit);
	struct vtd_limits limits;
	struct vtd_table *table;

	if ((attrs->nest_parent && !unit->nests) ||
	    (attrs->dirty && !unit->dirty))
		return ERR_PTR(-EOPNOTSUPP);
	if (vtd_want_first_level && unit->first_level && !attrs->nest_parent &&
	    !attrs->dirty) {
		vtd_unit_limits(unit, VTD_WALK_FIRST, &limits);
		if (attrs->addr_width_bits <= limits.addr_width_bits)
			walk = VTD_WALK_FIRST;
	}
	vtd_unit_limits(unit, walk, &limits);
	if (attrs->coherency == IOMMU_COHERENCY_ENFORCE && !limits.snoop)
		return ERR_PTR(-EINVAL);
	table = vtd_table_alloc(walk, &limits, attrs->addr_width_bits,
				limits.snoop &&
				attrs->coherency != IOMMU_COHERENCY_OFF);
	if (IS_ERR(table))
		return ERR_CAST(table);
	table->pt.nest_parent = attrs->nest_parent;
	table->pt.dirty = attrs->dirty;
	/* Such hardware writes where a parent is read-only. */
	if (attrs->nest_parent && unit->erratum_772415)
		table->prot_needed = IOFD_WRITE;
	return &table->pt;
}

static struct iofd_hw_pt *vtd_pt_nest(struct iofd_hw_dev *hd,
				      struct iofd_hw_pt *parent,
				      const struct iofd_nest_attrs *attrs)
{
	struct vtd_table *table;

	table = vtd_table_nest(to_vtd_dev(hd)->unit, to_vtd_table(parent), attrs);
	return IS_ERR(table) ? ERR_CAST(table) : &table->pt;
}

static void vtd_pt_free(struct iofd_hw_pt *pt)
{
	vtd_table_free(to_vtd_table(pt));
}

static bool vtd_pt_fits(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd)
{
	return vtd_table_fits(to_vtd_table(pt), to_vtd_dev(hd)->unit);
}

static int vtd_attach(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd, u32 pasid)
{
	struct vtd_dev *vdev = to_vtd_dev(hd);
	int rc;

	if (!vtd_pt_fits(pt, hd))
		return -EINVAL;
	pasid = real_pasid(to_vtd_handle(hd), pasid);
	mutex_lock(&vdev->unit->lock);
	/* The device may have been reset since its group was formed. */
	vtd_acs_enable(vdev->pdev);
	if (pasid == IOFD_NO_PASID)
		rc = vtd_dev_set(vdev, VTD_TABLE, to_vtd_table(pt));
	else
		rc = vtd_dev_set_pasid(vdev, pasid, to_vtd_table(pt));
	mutex_unlock(&vdev->unit->lock);
	return rc;
}

static void vtd_invalidate(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd,
			   u32 pasid, u64 first, u64 last, bool leaf)
{
	struct vtd_dev *vdev = NULL;

	if (hd) {
		vdev = to_vtd_dev(hd);
		pasid = real_pasid(to_vtd_handle(hd), pasid);
	}
	vtd_table_invalidate(to_vtd_table(pt), vdev, pasid, first, last, leaf);
}

static int vtd_map(struct iofd_hw_pt *pt, u64 iova, phys_addr_t phys,
		   size_t bytes, unsigned int prot)
{
	struct vtd_table *table = to_vtd_table(pt);

	/* First levels have nothing write-only; see also erratum 772415. */
	if (unlikely(table->prot_needed & ~prot))
		return -EINVAL;
	return sl_map(&table->sl, iova, phys, bytes, prot);
}

static void vtd_map_sync(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
	vtd_table_map_sync(to_vtd_table(pt), iova, last);
}

static void vtd_revoke(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
	sl_revoke(&to_vtd_table(pt)->sl, iova, last);
}

static void vtd_flush(struct iofd_hw_pt *pt, u64 iova, u64 last)
{
	vtd_table_flush(to_vtd_table(pt), iova, last, true);
}

static void vtd_reap(struct iofd_hw_pt *pt, u64 iova, u64 last, iofd_run_fn fn,
		     void *arg)
{
	vtd_table_reap(to_vtd_table(pt), iova, last, fn, arg);
}

static int vtd_for_each_run(struct iofd_hw_pt *pt, u64 iova, u64 last,
			    iofd_run_fn fn, void *arg)
{
	return sl_for_each_run(&to_vtd_table(pt)->sl, iova, last, fn, arg);
}

static void vtd_read_dirty(struct iofd_hw_pt *pt, u64 iova, u64 last,
			   bool clear, iofd_dirty_fn fn, void *arg)
{
	vtd_table_read_dirty(to_vtd_table(pt), iova, last, clear, fn, arg);
}

const struct iofd_hw_ops vtd_provider_ops = {
	.name = "vtd",
	.owner = THIS_MODULE,
	.open = vtd_open,
	.open_subdev = vtd_open_subdev,
	.close = vtd_close,
	.caps = vtd_caps,
	.pt_alloc = vtd_pt_alloc,
	.pt_free = vtd_pt_free,
	.pt_fits = vtd_pt_fits,
	.pt_nest = vtd_pt_nest,
	.attach = vtd_attach,
	.block = vtd_block,
	.invalidate = vtd_invalidate,
	.map = vtd_map,
	.map_sync = vtd_map_sync,
	.revoke = vtd_revoke,
	.flush = vtd_flush,
	.reap = vtd_reap,
	.for_each_run = vtd_for_each_run,
	.read_dirty = vtd_read_dirty,
};
