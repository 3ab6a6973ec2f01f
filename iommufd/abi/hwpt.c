// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upstream's commands on tables: those of an IOAS, and users' nested over them.
 */
#include <linux/uaccess.h>
#include "abi/upstream.h"
#include "core/compose.h"
#include "core/hwpt.h"

/* More invalidations than one command does */
#define MAX_ENTRIES	(1u << 19)

#define HWPT_FLAGS	(UP_HWPT_NEST_PARENT | UP_HWPT_DIRTY_TRACKING |	\
			 UP_HWPT_FAULT_ID | UP_HWPT_PASID)

/* A table of the IOAS @space */
static int alloc_paging(struct iofd_ctx *ctx, const struct up_hwpt_alloc *cmd,
			struct iofd_space *space,
			struct iofd_fault_queue *faults)
{
	const struct iofd_hwpt_request req = {
		.space = space,
		.dev_id = cmd->dev_id,
		.nest_parent = cmd->flags & UP_HWPT_NEST_PARENT,
		.for_pasids = cmd->flags & UP_HWPT_PASID,
		.dirty = cmd->flags & UP_HWPT_DIRTY_TRACKING,
		.faults = faults,
	};

	if (cmd->data_type != UP_HWPT_DATA_NONE)
		return -EOPNOTSUPP;
	/* Of a nested table's page requests its own queue gets to know. */
	if (faults && req.nest_parent)
		return -EOPNOTSUPP;
	return iofd_hwpt_alloc(ctx, &req);
}

static int get_vtd_s1(const struct up_hwpt_alloc *cmd, struct up_vtd_s1 *s1)
{
	int rc;

	if (cmd->data_len < sizeof(*s1))
		return -EINVAL;
	rc = copy_struct_from_user(s1, sizeof(*s1), u64_to_user_ptr(cmd->data),
				   cmd->data_len);
	if (rc)
		return rc;
	return iofd_abi_check_vtd_s1(s1->flags, s1->reserved, s1->table_addr,
				     s1->addr_width_bits);
}

/* A user's table over @parent */
static int alloc_nested(struct iofd_ctx *ctx, const struct up_hwpt_alloc *cmd,
			struct iofd_hwpt *parent,
			struct iofd_fault_queue *faults)
{
	struct iofd_space_request req = {
		.type = IOMMU_IOASID_USER_MANAGED,
		.format = IOMMU_FORMAT_VTD_S1,
		.nesting = IOMMU_NESTING_HARDWARE,
		.parent = parent->space,
		.over = parent,
		.dev_id = cmd->dev_id,
		.faults = faults,
	};
	struct up_vtd_s1 s1;
	int rc;

	BUILD_BUG_ON(UP_VTD_S1_SRE != IOMMU_VTD_S1_SRE ||
		     UP_VTD_S1_EAFE != IOMMU_VTD_S1_EAFE ||
		     UP_VTD_S1_WPE != IOMMU_VTD_S1_WPE);

	if (cmd->flags & ~(UP_HWPT_FAULT_ID | UP_HWPT_PASID) ||
	    cmd->data_type != UP_HWPT_DATA_VTD_S1)
		return -EOPNOTSUPP;
	if (!parent->nest_parent)
		return -EINVAL;
	rc = get_vtd_s1(cmd, &s1);
	if (rc)
		return rc;
	req.addr_width_bits = s1.addr_width_bits;
	req.table_addr = s1.table_addr;
	req.format_flags = s1.flags;
	return iofd_space_alloc(ctx, &req);
}

static int alloc_over(struct iofd_ctx *ctx, const struct up_hwpt_alloc *cmd,
		      struct iofd_fault_queue *faults)
{
	struct iofd_hwpt *parent;
	struct iofd_space *space;
	int rc;

	space = iofd_root_get(ctx, cmd->pt_id);
	if (space) {
		rc = alloc_paging(ctx, cmd, space, faults);
		iofd_space_put(space);
		return rc;
	}
	parent = iofd_hwpt_get(ctx, cmd->pt_id);
	if (!parent)
		return -EINVAL;
	rc = alloc_nested(ctx, cmd, parent, faults);
	iofd_hwpt_put(parent);
	return rc;
}

int iofd_up_hwpt_alloc(struct iofd_ctx *ctx, void *arg)
{
	struct iofd_fault_queue *faults = NULL;
	struct up_hwpt_alloc *cmd = arg;
	int rc;

	if (cmd->flags & ~HWPT_FLAGS || cmd->reserved || cmd->reserved2)
		return -EOPNOTSUPP;
	if (!cmd->data_len != (cmd->data_type == UP_HWPT_DATA_NONE))
		return -EINVAL;
	if (iofd_object_type(ctx, cmd->dev_id) != IOFD_OBJ_DEVICE)
		return -ENOENT;
	if (cmd->flags & UP_HWPT_FAULT_ID) {
		faults = iofd_fault_queue_get(ctx, cmd->fault_id);
		if (!faults)
			return -ENOENT;
	}
	rc = alloc_over(ctx, cmd, faults);
	iofd_fault_queue_unuse(faults);
	if (rc < 0)
		return rc;
	cmd->hwpt_id = rc;
	return 0;
}

void iofd_up_hwpt_alloc_undo(struct iofd_ctx *ctx, void *arg)
{
	struct up_hwpt_alloc *cmd = arg;
	struct up_destroy destroy = { .id = cmd->hwpt_id };

	iofd_up_destroy(ctx, &destroy);
}

static int invalidate_one(struct iofd_space *space, void __user *uentry,
			  size_t bytes)
{
	struct iofd_invalidation inv = {
		.pasid = IOFD_ANY_PASID,
		.last = U64_MAX,
	};
	struct up_invalidate_vtd_s1 entry;
	int rc;

	rc = copy_struct_from_user(&entry, sizeof(entry), uentry, bytes);
	if (rc)
		return rc;
	if (entry.flags & ~UP_INVALIDATE_LEAF || entry.reserved)
		return -EOPNOTSUPP;
	inv.leaf = entry.flags & UP_INVALIDATE_LEAF;
	if (entry.npages == U64_MAX) {
		if (entry.addr)
			return -EINVAL;
	} else {
		if (entry.addr & ~PAGE_MASK || !entry.npages ||
		    entry.npages > U64_MAX >> PAGE_SHIFT)
			return -EINVAL;
		inv.first = entry.addr;
		inv.last = entry.addr + ((entry.npages << PAGE_SHIFT) - 1);
		if (inv.last < inv.first)
			return -EINVAL;
	}
	return iofd_space_invalidate(space, &inv);
}

int iofd_up_hwpt_invalidate(struct iofd_ctx *ctx, void *arg)
{
	struct up_invalidate *cmd = arg;
	struct iofd_space *space;
	u32 nr = cmd->nr;
	int rc = -EINVAL;

	cmd->nr = 0;
	if (cmd->reserved)
		return -EOPNOTSUPP;
	if (nr && (!cmd->entries || !cmd->entry_len))
		return -EINVAL;
	if (nr > MAX_ENTRIES || cmd->entry_len > PAGE_SIZE)
		return -EINVAL;
	space = iofd_space_get(ctx, cmd->hwpt_id);
	if (!space)
		return iofd_object_type(ctx, cmd->hwpt_id) < 0 ? -ENOENT :
								-EINVAL;
	/* Without entries it is only asked whether the type is known. */
	if (iofd_space_user_managed(space) &&
	    cmd->data_type == UP_INVALIDATE_VTD_S1 &&
	    (!nr || cmd->entry_len >= sizeof(struct up_invalidate_vtd_s1))) {
		cmd->nr = nr;
		rc = iofd_abi_invalidate(space, cmd->entries, cmd->entry_len,
					 &cmd->nr, invalidate_one);
	}
	iofd_space_put(space);
	return rc;
}

int iofd_up_set_dirty(struct iofd_ctx *ctx, void *arg)
{
	struct up_set_dirty *cmd = arg;
	struct iofd_hwpt *hwpt;
	int rc;

	if (cmd->flags & ~UP_DIRTY_TRACKING_ENABLE || cmd->reserved)
		return -EOPNOTSUPP;
	hwpt = iofd_hwpt_get(ctx, cmd->hwpt_id);
	if (!hwpt)
		return -ENOENT;
	rc = iofd_hwpt_set_dirty(hwpt, cmd->flags & UP_DIRTY_TRACKING_ENABLE);
	iofd_hwpt_put(hwpt);
	return rc;
}

int iofd_up_get_dirty(struct iofd_ctx *ctx, void *arg)
{
	struct up_get_dirty *cmd = arg;
	const struct iofd_dirty_request req = {
		.iova = cmd->iova,
		.length = cmd->length,
		.page_bytes = cmd->page_size,
		.bitmap = cmd->bitmap,
		.keep = cmd->flags & UP_GET_DIRTY_NO_CLEAR,
	};
	struct iofd_hwpt *hwpt;
	int rc;

	if (cmd->flags & ~UP_GET_DIRTY_NO_CLEAR || cmd->reserved)
		return -EOPNOTSUPP;
	hwpt = iofd_hwpt_get(ctx, cmd->hwpt_id);
	if (!hwpt)
		return -ENOENT;
	rc = iofd_hwpt_get_dirty(hwpt, &req);
	iofd_hwpt_put(hwpt);
	return rc;
}
