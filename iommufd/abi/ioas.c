// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upstream's commands on an IOAS: what is mapped, and where it can be.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/sort.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "abi/upstream.h"
#include "core/space.h"
#include "core/share.h"

/* More ranges than an address space could sensibly be split into */
#define MAX_ALLOWED	65536

int iofd_up_ioas_alloc(struct iofd_ctx *ctx, void *arg)
{
	const struct iofd_space_request req = {
		.type = IOMMU_IOASID_KERNEL_MANAGED,
	};
	struct up_ioas_alloc *cmd = arg;
	int rc;

	if (cmd->flags)
		return -EOPNOTSUPP;
	rc = iofd_space_alloc(ctx, &req);
	if (rc < 0)
		return rc;
	cmd->ioas_id = rc;
	return 0;
}

void iofd_up_ioas_alloc_undo(struct iofd_ctx *ctx, void *arg)
{
	struct up_ioas_alloc *cmd = arg;
	struct up_destroy destroy = { .id = cmd->ioas_id };

	iofd_up_destroy(ctx, &destroy);
}

static int range_cmp(const void *a, const void *b)
{
	const struct iommu_ioasid_range *ra = a, *rb = b;

	return ra->start < rb->start ? -1 : ra->start > rb->start;
}

static int check_ranges(const struct iommu_ioasid_range *ranges, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		if (ranges[i].start >= ranges[i].last)
			return -EINVAL;
		if (i && ranges[i].start <= ranges[i - 1].last)
			return -EINVAL;
	}
	return 0;
}

int iofd_up_allow_iovas(struct iofd_ctx *ctx, void *arg)
{
	struct up_allow_iovas *cmd = arg;
	struct iommu_ioasid_range *ranges = NULL;
	struct iofd_space *space;
	int rc;

	BUILD_BUG_ON(sizeof(*ranges) != sizeof(struct up_range));

	if (cmd->reserved)
		return -EOPNOTSUPP;
	space = iofd_root_get(ctx, cmd->ioas_id);
	if (!space)
		return -ENOENT;
	rc = -EINVAL;
	if (cmd->nr > MAX_ALLOWED)
		goto out;
	if (cmd->nr) {
		rc = -ENOMEM;
		ranges = kvcalloc(cmd->nr, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
		if (!ranges)
			goto out;
		rc = -EFAULT;
		if (copy_from_user(ranges, u64_to_user_ptr(cmd->ranges),
				   cmd->nr * sizeof(*ranges)))
			goto out;
		sort(ranges, cmd->nr, sizeof(*ranges), range_cmp, NULL);
	}
	rc = check_ranges(ranges, cmd->nr);
	if (!rc)
		rc = iofd_space_allow(space, ranges, cmd->nr);
	if (!rc)
		ranges = NULL;
out:
	kvfree(ranges);
	iofd_space_put(space);
	return rc;
}

static int get_ranges(struct iofd_space *space,
		      struct iommu_ioasid_range **ranges)
{
	int rc;

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	rc = space->dead ? -ENOENT : iofd_iova_ranges(space, ranges);
	iofd_space_unlock(space);
	return rc;
}

int iofd_up_iova_ranges(struct iofd_ctx *ctx, void *arg)
{
	struct up_iova_ranges *cmd = arg;
	struct iommu_ioasid_range *ranges;
	struct iofd_space *space;
	u32 room = cmd->nr;
	int nr, rc;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	space = iofd_root_get(ctx, cmd->ioas_id);
	if (!space)
		return -ENOENT;
	nr = get_ranges(space, &ranges);
	iofd_space_put(space);
	if (nr < 0)
		return nr;
	cmd->alignment = PAGE_SIZE;
	cmd->nr = nr;
	rc = iofd_abi_put_ranges(cmd->ranges, room, ranges, nr);
	kfree(ranges);
	return rc;
}

/* Flags of all that maps; 0 or an errno. */
static int decode_flags(u32 flags, unsigned int *prot, bool *fixed)
{
	if (flags & ~(UP_MAP_FIXED | UP_MAP_WRITE | UP_MAP_READ))
		return -EOPNOTSUPP;
	*prot = (flags & UP_MAP_READ ? IOFD_READ : 0) |
		(flags & UP_MAP_WRITE ? IOFD_WRITE : 0);
	*fixed = flags & UP_MAP_FIXED;
	return 0;
}

/* What is common to MAP and MAP_FILE once the request is filled in */
static inline int map(struct iofd_ctx *ctx, u32 ioas_id, struct iofd_map_request *req)
{
	struct iofd_space *space;
	int rc;

	if (iofd_up_overflows(req->fixed ? req->iova : 0, req->length) ||
	    iofd_up_overflows(req->source, req->length) || req->iova == U64_MAX)
		return -EOVERFLOW;
	if (!req->prot)
		return -EINVAL;
	space = iofd_root_get(ctx, ioas_id);
	if (unlikely(!space))
		return -ENOENT;
	rc = iofd_space_map(space, req);
	iofd_space_put(space);
	return rc;
}

int iofd_up_map(struct iofd_ctx *ctx, void *arg)
{
	struct up_map *cmd = arg;
	struct iofd_map_request req;
	int rc;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	rc = decode_flags(cmd->flags, &req.prot, &req.fixed);
	if (rc)
		return rc;
	req.file = NULL;
	req.source = cmd->user_va;
	req.length = cmd->length;
	req.iova = cmd->iova;
	rc = map(ctx, cmd->ioas_id, &req);
	cmd->iova = req.iova;
	return rc;
}

int iofd_up_map_file(struct iofd_ctx *ctx, void *arg)
{
	struct up_map_file *cmd = arg;
	struct iofd_map_request req = {
		.source = cmd->start,
		.length = cmd->length,
		.iova = cmd->iova,
	};
	int rc;

	rc = decode_flags(cmd->flags, &req.prot, &req.fixed);
	if (rc)
		return rc;
	req.file = fget(cmd->fd);
	if (!req.file)
		return -EBADF;
	/* Device memory cannot be pinned as pages. */
	rc = -EOPNOTSUPP;
	if (file_inode(req.file)->i_sb->s_magic != DMA_BUF_MAGIC)
		rc = map(ctx, cmd->ioas_id, &req);
	fput(req.file);
	cmd->iova = req.iova;
	return rc;
}

static void unmap_again(struct iofd_ctx *ctx, u32 ioas_id, u64 iova, u64 length)
{
	struct iofd_space *space = iofd_root_get(ctx, ioas_id);
	u64 unmapped;

	if (!space)
		return;
	iofd_space_unmap(space, iova, iova + (length - 1), &unmapped);
	iofd_space_put(space);
}

/* The reply did not reach the caller, who would not know what to unmap. */
void iofd_up_map_undo(struct iofd_ctx *ctx, void *arg)
{
	struct up_map *cmd = arg;

	BUILD_BUG_ON(offsetof(struct up_map, length) !=
		     offsetof(struct up_map_file, length) ||
		     offsetof(struct up_map, iova) !=
		     offsetof(struct up_map_file, iova) ||
		     offsetof(struct up_map, ioas_id) !=
		     offsetof(struct up_map_file, ioas_id));

	unmap_again(ctx, cmd->ioas_id, cmd->iova, cmd->length);
}

int iofd_up_copy(struct iofd_ctx *ctx, void *arg)
{
	struct up_copy *cmd = arg;
	struct iofd_copy_request req = {
		.source = cmd->from_iova,
		.length = cmd->length,
		.iova = cmd->to_iova,
	};
	int rc;

	rc = decode_flags(cmd->flags, &req.prot, &req.fixed);
	if (rc)
		return rc;
	if (iofd_up_overflows(req.source, req.length) || req.iova == U64_MAX ||
	    iofd_up_overflows(req.fixed ? req.iova : 0, req.length))
		return -EOVERFLOW;
	if (!req.prot)
		return -EINVAL;
	rc = -ENOENT;
	req.from = iofd_root_get(ctx, cmd->from_ioas_id);
	if (!req.from)
		return rc;
	req.to = iofd_root_get(ctx, cmd->to_ioas_id);
	if (req.to) {
		rc = iofd_space_copy(&req);
		iofd_space_put(req.to);
	}
	iofd_space_put(req.from);
	cmd->to_iova = req.iova;
	return rc;
}

void iofd_up_copy_undo(struct iofd_ctx *ctx, void *arg)
{
	struct up_copy *cmd = arg;

	unmap_again(ctx, cmd->to_ioas_id, cmd->to_iova, cmd->length);
}

int iofd_up_unmap(struct iofd_ctx *ctx, void *arg)
{
	struct up_unmap *cmd = arg;
	struct iofd_space *space;
	u64 last, unmapped;
	bool all = false;
	int rc;

	space = iofd_root_get(ctx, cmd->ioas_id);
	if (unlikely(!space))
		return -ENOENT;
	if (unlikely(iofd_up_overflows(cmd->iova, cmd->length) || !cmd->length)) {
		all = !cmd->iova && cmd->length == U64_MAX;
		rc = cmd->length ? -EOVERFLOW : -EINVAL;
		if (!all)
			goto out;
	}
	last = all ? U64_MAX : cmd->iova + (cmd->length - 1);
	rc = iofd_space_unmap(space, cmd->iova, last, &unmapped);
	/* To upstream what is mapped otherwise is not there. */
	if (rc == -EINVAL || (!rc && !unmapped && !all))
		rc = -ENOENT;
	cmd->length = unmapped;
out:
	iofd_space_put(space);
	return rc;
}
