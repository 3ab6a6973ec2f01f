// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOASID_ALLOC: which roots and children there can be.
 */
#include <linux/uaccess.h>
#include "abi/abi.h"
#include "core/core.h"

static int check_values(const struct iommu_ioasid_alloc *cmd)
{
	if (cmd->flags & ~IOMMU_IOASID_FOR_LABEL ||
	    cmd->type < IOMMU_IOASID_KERNEL_MANAGED ||
	    cmd->type > IOMMU_IOASID_USER_PASID_TABLE ||
	    cmd->format > IOMMU_FORMAT_VTD_PASID_TABLE ||
	    cmd->coherency > IOMMU_COHERENCY_OFF ||
	    cmd->nesting > IOMMU_NESTING_SOFTWARE)
		return -EOPNOTSUPP;
	if (cmd->ioasid ||
	    (cmd->label && !(cmd->flags & IOMMU_IOASID_FOR_LABEL)))
		return -EINVAL;
	/* A user's table holds addresses in a parent; memory is not one (A9). */
	if (!cmd->parent && (cmd->type != IOMMU_IOASID_KERNEL_MANAGED ||
			     cmd->nesting != IOMMU_NESTING_AUTO))
		return -EINVAL;
	return 0;
}

static int check_kernel_managed(const struct iommu_ioasid_alloc *cmd)
{
	if (cmd->format != IOMMU_FORMAT_DEFAULT || cmd->table_addr ||
	    cmd->attrs || cmd->attrs_len_bytes)
		return -EINVAL;
	if (cmd->addr_width_bits &&
	    (cmd->addr_width_bits < PAGE_SHIFT || cmd->addr_width_bits > 64))
		return -EINVAL;
	/* Its table is in our memory, and not in the parent's addresses. */
	return cmd->nesting == IOMMU_NESTING_HARDWARE ? -EOPNOTSUPP : 0;
}

static int get_s1_attrs(const struct iommu_ioasid_alloc *cmd, u64 *flags)
{
	struct iommu_vtd_s1_attrs attrs = {};
	int rc;

	*flags = 0;
	if (!cmd->attrs && !cmd->attrs_len_bytes)
		return 0;
	if (cmd->attrs_len_bytes < sizeof(attrs))
		return -EINVAL;
	rc = copy_struct_from_user(&attrs, sizeof(attrs),
				   u64_to_user_ptr(cmd->attrs),
				   cmd->attrs_len_bytes);
	if (rc)
		return rc;
	if (attrs.flags & ~(u64)(IOMMU_VTD_S1_SRE | IOMMU_VTD_S1_EAFE |
				 IOMMU_VTD_S1_WPE) || attrs.__reserved)
		return -EOPNOTSUPP;
	if (attrs.flags & IOMMU_VTD_S1_WPE && !(attrs.flags & IOMMU_VTD_S1_SRE))
		return -EINVAL;
	*flags = attrs.flags;
	return 0;
}

static int check_user_managed(const struct iommu_ioasid_alloc *cmd)
{
	if (cmd->table_addr & ~PAGE_MASK)
		return -EINVAL;
	if (cmd->type == IOMMU_IOASID_USER_PASID_TABLE) {
		if (cmd->format != IOMMU_FORMAT_VTD_PASID_TABLE ||
		    cmd->attrs || cmd->attrs_len_bytes || cmd->addr_width_bits)
			return -EINVAL;
		return 0;
	}
	if (cmd->format != IOMMU_FORMAT_VTD_S1)
		return -EINVAL;
	return cmd->addr_width_bits == 48 || cmd->addr_width_bits == 57 ?
		0 : -EINVAL;
}

int iofd_native_alloc(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_ioasid_alloc *cmd = ucmd;
	struct iofd_space_request req = {
		.type = cmd->type,
		.format = cmd->format,
		.addr_width_bits = cmd->addr_width_bits,
		.coherency = cmd->coherency,
		.nesting = cmd->nesting,
		.table_addr = cmd->table_addr,
		.for_label = cmd->flags & IOMMU_IOASID_FOR_LABEL ?
			     &cmd->label : NULL,
	};
	int rc;

	rc = check_values(cmd);
	if (rc)
		return rc;
	if (cmd->type == IOMMU_IOASID_KERNEL_MANAGED) {
		rc = check_kernel_managed(cmd);
	} else {
		rc = check_user_managed(cmd);
		if (!rc && cmd->format == IOMMU_FORMAT_VTD_S1)
			rc = get_s1_attrs(cmd, &req.format_flags);
	}
	if (rc)
		return rc;

	if (cmd->parent) {
		req.parent = iofd_space_get(ctx, cmd->parent);
		if (!req.parent)
			return -ENOENT;
	}
	rc = iofd_space_alloc(ctx, &req);
	if (req.parent)
		iofd_space_put(req.parent);
	if (rc < 0)
		return rc;
	cmd->ioasid = rc;
	return 0;
}
