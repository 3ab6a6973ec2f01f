// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_IOASID_ALLOC: which roots and children there can be.
 */
#include <linux/uaccess.h>
#include "abi/abi.h"
#include "core/space.h"

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

int iofd_abi_check_vtd_s1(u64 flags, u64 reserved, u64 table_addr,
			  u32 addr_width_bits)
{
	if (flags & ~(u64)(IOMMU_VTD_S1_SRE | IOMMU_VTD_S1_EAFE |
			   IOMMU_VTD_S1_WPE) || reserved)
		return -EOPNOTSUPP;
	if (flags & IOMMU_VTD_S1_WPE && !(flags & IOMMU_VTD_S1_SRE))
		return -EINVAL;
	if (table_addr & ~PAGE_MASK)
		return -EINVAL;
	return addr_width_bits == 48 || addr_width_bits == 57 ? 0 : -EINVAL;
}

static int check_s1(const struct iommu_ioasid_alloc *cmd, u64 *flags)
{
	struct iommu_vtd_s1_attrs attrs = {};
	int rc;

	if (cmd->format != IOMMU_FORMAT_VTD_S1)
		return -EINVAL;
	if (cmd->attrs || cmd->attrs_len_bytes) {
		if (cmd->attrs_len_bytes < sizeof(attrs))
			return -EINVAL;
		rc = copy_struct_from_user(&attrs, sizeof(attrs),
					   u64_to_user_ptr(cmd->attrs),
					   cmd->attrs_len_bytes);
		if (rc)
			return rc;
	}
	*flags = attrs.flags;
	return iofd_abi_check_vtd_s1(attrs.flags, attrs.__reserved,
				     cmd->table_addr, cmd->addr_width_bits);
}

static int check_pasid_table(const struct iommu_ioasid_alloc *cmd)
{
	if (cmd->format != IOMMU_FORMAT_VTD_PASID_TABLE || cmd->attrs ||
	    cmd->attrs_len_bytes || cmd->addr_width_bits ||
	    cmd->table_addr & ~PAGE_MASK)
		return -EINVAL;
	return 0;
}

static int check_type(const struct iommu_ioasid_alloc *cmd, u64 *s1_flags)
{
	switch (cmd->type) {
	case IOMMU_IOASID_KERNEL_MANAGED:
		return check_kernel_managed(cmd);
	case IOMMU_IOASID_USER_MANAGED:
		return check_s1(cmd, s1_flags);
	default:
		return check_pasid_table(cmd);
	}
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
	rc = check_type(cmd, &req.format_flags);
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
