// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native commands on /dev/iommu, see <linux/ioasid.h>.
 */
#include <linux/file.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "abi/abi.h"
#include "compat/compat.h"
#include "core/space.h"

static int check_extension(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_check_extension *cmd = ucmd;

	switch (cmd->extension) {
	case IOMMU_EXT_MAP_TYPE1V2:
	case IOMMU_EXT_DMA_NO_SNOOP:
	case IOMMU_EXT_MULTIDEV_GROUP:
	case IOMMU_EXT_MAP_FD:
	case IOMMU_EXT_MULTI_BIND:
	case IOMMU_EXT_NESTING:
	case IOMMU_EXT_USER_PAGE_TABLE:
		cmd->value = 1;
		break;
	case IOMMU_EXT_MAX_IOASIDS:
		cmd->value = INT_MAX;
		break;
	default:
		cmd->value = 0;
	}
	return 0;
}

static int device_get_info(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_device_info *cmd = ucmd;
	struct iommu_ioasid_range *ranges;
	struct iofd_device *idev;
	struct iofd_hw_caps caps;
	u32 room = cmd->nr_ranges;
	u32 nr;
	int rc;

	idev = iofd_device_get_by_label(ctx, cmd->label);
	if (!idev)
		return -ENOENT;
	/* A copy: while user memory is written nobody must have to wait. */
	caps = idev->pdev->caps;
	nr = idev->pdev->nr_ranges;
	ranges = kmemdup(idev->pdev->ranges, array_size(nr, sizeof(*ranges)),
			 GFP_KERNEL);
	iofd_device_put(idev);
	if (!ranges)
		return -ENOMEM;

	cmd->flags = caps.flags;
	cmd->pgsize_bitmap = caps.pgsize_bitmap;
	cmd->addr_width_bits = caps.addr_width_bits;
	cmd->pasid_width_bits = caps.pasid_width_bits;
	/* What the hardware cannot nest we compose. */
	cmd->formats = caps.formats | BIT_ULL(IOMMU_FORMAT_VTD_S1);
	cmd->hw_type = caps.hw_type;
	cmd->hw_cap = caps.hw_cap;
	cmd->hw_ecap = caps.hw_ecap;
	cmd->nr_ranges = nr;
	rc = iofd_abi_put_ranges(cmd->ranges, room, ranges, nr);
	kfree(ranges);
	return rc;
}

static int native_free(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_ioasid_free *cmd = ucmd;
	struct iofd_space *space;
	int rc;

	space = iofd_space_get(ctx, cmd->ioasid);
	if (!space)
		return -ENOENT;
	rc = iofd_space_free(space);
	iofd_space_put(space);
	return rc;
}

static void space_tables_info(struct iofd_space *space,
			      struct iommu_ioasid_info *cmd)
{
	struct iofd_tables_info info;

	iofd_tables_info(space, &info);
	cmd->flags = 0;
	cmd->pgsize_bitmap = info.pgsize_bitmap & (SZ_4K | SZ_2M | SZ_1G);
	if (!info.nr)
		return;
	cmd->flags = IOMMU_IOASID_INFO_IN_HARDWARE;
	if (info.snoop_enforced)
		cmd->flags |= IOMMU_IOASID_INFO_SNOOP_ENFORCED;
	if (info.nr_nested)
		cmd->flags |= IOMMU_IOASID_INFO_HW_NESTED;
	if (space->parent && info.nr > info.nr_nested)
		cmd->flags |= IOMMU_IOASID_INFO_COMPOSED;
}

static int space_fill_info(struct iofd_space *space,
			   struct iommu_ioasid_info *cmd)
{
	struct iommu_ioasid_range *ranges, *last;
	int nr, rc;

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	rc = -ENOENT;
	if (space->dead)
		goto out_unlock;
	nr = iofd_iova_ranges(space, &ranges);
	rc = nr;
	if (nr < 0)
		goto out_unlock;

	space_tables_info(space, cmd);
	cmd->type = space->type;
	cmd->parent = space->parent ? space->parent->obj.id : 0;
	last = nr ? &ranges[nr - 1] : NULL;
	cmd->addr_width_bits = last ? fls64(last->last) : 0;
	cmd->nr_devices = READ_ONCE(space->nr_attaches);
	cmd->nr_mappings = space->nr_mappings;
	cmd->mapped_bytes = (u64)space->nr_pages << PAGE_SHIFT;
	/* A root pins and charges what it maps, each time it is mapped. */
	cmd->pinned_bytes = space->parent ? 0 : cmd->mapped_bytes;
	cmd->charged_bytes = cmd->pinned_bytes;
	iofd_space_unlock(space);

	rc = iofd_abi_put_ranges(cmd->ranges, cmd->nr_ranges, ranges, nr);
	cmd->nr_ranges = nr;
	kfree(ranges);
	return rc;

out_unlock:
	iofd_space_unlock(space);
	return rc;
}

static int native_get_info(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_ioasid_info *cmd = ucmd;
	struct iofd_space *space;
	int rc;

	space = iofd_space_get(ctx, cmd->ioasid);
	if (!space)
		return -ENOENT;
	rc = space_fill_info(space, cmd);
	iofd_space_put(space);
	return rc;
}

static int map_dma(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_map_dma *cmd = ucmd;
	struct iofd_map_request req;
	struct iofd_space *space;
	int rc;

	BUILD_BUG_ON(IOMMU_MAP_READ != IOFD_READ ||
		     IOMMU_MAP_WRITE != IOFD_WRITE);

	if (cmd->flags & ~(IOMMU_MAP_READ | IOMMU_MAP_WRITE |
			   IOMMU_MAP_FIXED_IOVA | IOMMU_MAP_FD))
		return -EOPNOTSUPP;
	req.prot = cmd->flags & (IOMMU_MAP_READ | IOMMU_MAP_WRITE);
	if (!req.prot || (cmd->fd && !(cmd->flags & IOMMU_MAP_FD)))
		return -EINVAL;
	req.fixed = cmd->flags & IOMMU_MAP_FIXED_IOVA;
	req.file = NULL;
	req.source = cmd->source;
	req.length = cmd->length;
	req.iova = cmd->iova;

	space = iofd_space_get(ctx, cmd->ioasid);
	if (!space)
		return -ENOENT;
	if (cmd->flags & IOMMU_MAP_FD) {
		rc = -EBADF;
		req.file = fget(cmd->fd);
		if (!req.file)
			goto out_put;
	}
	rc = iofd_space_map(space, &req);
	if (req.file)
		fput(req.file);
	cmd->iova = req.iova;
out_put:
	iofd_space_put(space);
	return rc;
}

/* The reply did not reach the caller, who would not know what to unmap. */
static void map_dma_undo(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_map_dma *cmd = ucmd;
	struct iofd_space *space;
	u64 unmapped;

	space = iofd_space_get(ctx, cmd->ioasid);
	if (!space)
		return;
	iofd_space_unmap(space, cmd->iova, cmd->iova + (cmd->length - 1),
			 &unmapped);
	iofd_space_put(space);
}

static void native_alloc_undo(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_ioasid_alloc *cmd = ucmd;
	struct iofd_space *space = iofd_space_get(ctx, cmd->ioasid);

	if (!space)
		return;
	iofd_space_free(space);
	iofd_space_put(space);
}

static int unmap_dma(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_unmap_dma *cmd = ucmd;
	bool all = cmd->flags & IOMMU_UNMAP_ALL;
	struct iofd_space *space;
	u64 last, unmapped;
	int rc;

	if (cmd->flags & ~IOMMU_UNMAP_ALL || cmd->__reserved)
		return -EOPNOTSUPP;
	if (all) {
		if (cmd->iova || cmd->length)
			return -EINVAL;
		last = U64_MAX;
	} else {
		if (!cmd->length || (cmd->iova | cmd->length) & ~PAGE_MASK)
			return -EINVAL;
		last = cmd->iova + (cmd->length - 1);
		if (last < cmd->iova)
			return -EINVAL;
	}

	space = iofd_space_get(ctx, cmd->ioasid);
	if (!space)
		return -ENOENT;
	rc = iofd_space_unmap(space, cmd->iova, last, &unmapped);
	iofd_space_put(space);
	if (rc)
		return rc;
	if (!unmapped && !all)
		return -ENOENT;
	cmd->length = unmapped;
	return 0;
}

#define NATIVE_OP(_ioctl, _fn, _undo, _reply, _struct)			\
	[_IOC_NR(_ioctl) - IOMMU_IOASID_BASE] = {			\
		.fn = _fn,						\
		.undo = _undo,						\
		.size = IOFD_ABI_SIZE(_struct),				\
		.min_size = sizeof(_struct),				\
		.reply = _reply,					\
	}

const struct iofd_abi_op iofd_native_ops[IOFD_NR_NATIVE_OPS] = {
	NATIVE_OP(IOMMU_CHECK_EXTENSION, check_extension, NULL, REPLY,
		  struct iommu_check_extension),
	NATIVE_OP(IOMMU_DEVICE_GET_INFO, device_get_info, NULL, REPLY,
		  struct iommu_device_info),
	NATIVE_OP(IOMMU_IOASID_ALLOC, iofd_native_alloc, native_alloc_undo, REPLY,
		  struct iommu_ioasid_alloc),
	NATIVE_OP(IOMMU_IOASID_FREE, native_free, NULL, REPLY_NONE,
		  struct iommu_ioasid_free),
	NATIVE_OP(IOMMU_IOASID_GET_INFO, native_get_info, NULL, REPLY,
		  struct iommu_ioasid_info),
	NATIVE_OP(IOMMU_MAP_DMA, map_dma, map_dma_undo, REPLY,
		  struct iommu_map_dma),
	NATIVE_OP(IOMMU_UNMAP_DMA, unmap_dma, NULL, REPLY_PROBED,
		  struct iommu_unmap_dma),
	NATIVE_OP(IOMMU_INVALIDATE_CACHE, iofd_native_invalidate, NULL,
		  REPLY_ALWAYS, struct iommu_invalidate_cache),
};
