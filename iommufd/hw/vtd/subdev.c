// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sub-devices: parts of a PCI function that users have, told apart by a PASID
 * each, while the function belongs to its kernel driver. What it does without
 * PASID goes by identity, before, meanwhile and after.
 *
 * PASIDs come with the first sub-device and go with the last. In between the
 * kernel cannot give what the function does without PASID to anybody else: see
 * linux.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "vtd.h"

/* The first one: @vdev gets PASIDs while the kernel's driver works with it. */
static int share(struct vtd_dev *vdev)
{
	int rc;

	if (vdev->open || vdev->state != VTD_IDENTITY)
		return -EBUSY;
	/* The kernel chooses the numbers, so that they can be small. */
	rc = vtd_dev_enable_pasids(vdev, VTD_SMALL_PASID_BITS);
	if (rc == -EOPNOTSUPP)
		dev_err_ratelimited(&vdev->pdev->dev,
				    "cannot have sub-devices: it or %s has no PASIDs, or it shares its requester ID\n",
				    vdev->unit->name);
	return rc;
}

/* The last one is gone. */
static void unshare(struct vtd_dev *vdev)
{
	if (!vdev->nr_subdevs)
		vtd_dev_disable_pasids(vdev);
}

/**
 * vtd_subdev_open() - the core takes a sub-device
 * @vdev: the function that it is a part of
 * @pasid: of its requests, of no other sub-device; they are blocked
 *
 * Return: 0; -EBUSY when the function is a user's; -EOPNOTSUPP when it or its
 * unit has no PASIDs; -EINVAL for one that they do not have; -errno of the
 * function.
 */
int vtd_subdev_open(struct vtd_dev *vdev, u32 pasid)
{
	int rc;

	lockdep_assert_held(&vdev->unit->lock);

	if (!vdev->nr_subdevs) {
		rc = share(vdev);
		if (rc)
			return rc;
	}
	if (!pasid || pasid >> vdev->pasid_width_bits) {
		unshare(vdev);
		return -EINVAL;
	}
	vdev->nr_subdevs++;
	return 0;
}

/**
 * vtd_subdev_close() - the core gives a sub-device back
 * @vdev: the function
 * @pasid: its PASID, which is blocked when this returns
 */
void vtd_subdev_close(struct vtd_dev *vdev, u32 pasid)
{
	lockdep_assert_held(&vdev->unit->lock);

	vtd_dev_block_pasid(vdev, pasid);
	vdev->nr_subdevs--;
	unshare(vdev);
}
