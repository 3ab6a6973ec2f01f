// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upstream's GET_HW_INFO: what is in front of a device.
 */
#include <linux/uaccess.h>
#include "abi/upstream.h"
#include "core/core.h"

static int get_caps(struct iofd_ctx *ctx, u32 dev_id, struct iofd_hw_caps *caps)
{
	struct iofd_device *idev;

	idev = iofd_device_get_by_id(ctx, dev_id);
	if (!idev)
		return -ENOENT;
	/* A copy: while user memory is written nobody must have to wait. */
	*caps = idev->pdev->caps;
	iofd_device_put(idev);
	return 0;
}

/* As much as there is room for, and zeroes behind it */
static int put_data(struct up_hw_info *cmd, const void *data, u32 bytes)
{
	u32 fits = min(cmd->data_len, bytes);
	u8 __user *to = u64_to_user_ptr(cmd->data);

	if (copy_to_user(to, data, fits) ||
	    (fits < cmd->data_len && clear_user(to + fits, cmd->data_len - fits)))
		return -EFAULT;
	cmd->data_len = bytes;
	return 0;
}

int iofd_up_hw_info(struct iofd_ctx *ctx, void *arg)
{
	struct up_hw_info *cmd = arg;
	struct up_hw_info_vtd vtd = {};
	struct iofd_hw_caps caps;
	u32 type;
	int rc;

	if (cmd->flags & ~UP_HW_INFO_INPUT_TYPE || cmd->reserved[0] ||
	    cmd->reserved[1] || cmd->reserved[2])
		return -EOPNOTSUPP;
	rc = get_caps(ctx, cmd->dev_id, &caps);
	if (rc)
		return rc;
	type = caps.hw_type == IOMMU_HW_TYPE_VTD ? UP_HW_INFO_VTD :
						   UP_HW_INFO_NONE;
	if (cmd->flags & UP_HW_INFO_INPUT_TYPE && cmd->type != UP_HW_INFO_NONE &&
	    cmd->type != type)
		return -EOPNOTSUPP;
	vtd.cap = caps.hw_cap;
	vtd.ecap = caps.hw_ecap;
	rc = put_data(cmd, &vtd, type == UP_HW_INFO_VTD ? sizeof(vtd) : 0);
	if (rc)
		return rc;
	cmd->type = type;
	cmd->max_pasid_lg2 = caps.pasid_width_bits;
	cmd->capabilities = (caps.flags & IOMMU_DEVICE_INFO_DIRTY ?
			     UP_HW_CAP_DIRTY_TRACKING : 0) |
			    (caps.flags & IOMMU_DEVICE_INFO_ATS ?
			     0 : UP_HW_CAP_ATS_NOT_SUPPORTED);
	return 0;
}
