// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO's container on /dev/iommu, as upstream's iommufd has it: an IOAS stands for
 * it (VFIO_IOAS), and VFIO's commands of the types TYPE1 and TYPE1v2 act on that.
 *
 * No group is ever put into it: devices are bound and attached to the IOAS by
 * either of the other ABIs.
 */
#include <linux/ioctl.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "abi/upstream.h"
#include "core/space.h"

int iofd_up_vfio_ioas(struct iofd_ctx *ctx, void *arg)
{
	struct up_vfio_ioas *cmd = arg;
	struct iofd_space *space = NULL;
	int rc = 0;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	switch (cmd->op) {
	case UP_VFIO_IOAS_GET:
		space = iofd_vfio_space_get(ctx);
		if (space)
			cmd->ioas_id = space->obj.id;
		else
			rc = -ENODEV;
		break;
	case UP_VFIO_IOAS_SET:
		space = iofd_root_get(ctx, cmd->ioas_id);
		rc = space ? iofd_vfio_space_set(ctx, space) : -ENOENT;
		break;
	case UP_VFIO_IOAS_CLEAR:
		rc = iofd_vfio_space_set(ctx, NULL);
		break;
	default:
		return -EOPNOTSUPP;
	}
	iofd_space_put(space);
	return rc;
}

/* Of commands on a container whose IOAS is freed meanwhile */
static int gone_is_ENODEV(int rc)
{
	return rc == -ENOENT ? -ENODEV : rc;
}

/* As much as is mandatory; argsz says that there is no less. */
static int copy_in(void *cmd, size_t min, void __user *arg)
{
	if (copy_from_user(cmd, arg, min))
		return -EFAULT;
	return *(u32 *)cmd < min ? -EINVAL : 0;
}

static int coherent(struct iofd_space *space)
{
	struct iofd_tables_info info;
	int rc;

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	iofd_tables_info(space, &info);
	iofd_space_unlock(space);
	return info.snoop_enforced;
}

static int check_extension(struct iofd_ctx *ctx, unsigned long extension)
{
	struct iofd_space *space;
	int rc;

	switch (extension) {
	case UP_CONTAINER_TYPE1:
	case UP_CONTAINER_TYPE1V2:
	case UP_CONTAINER_UNMAP_ALL:
		return 1;
	case UP_CONTAINER_DMA_CC:
		space = iofd_vfio_space_get(ctx);
		if (!space)
			return -ENODEV;
		rc = coherent(space);
		iofd_space_put(space);
		return rc;
	default:
		return 0;
	}
}

/*
 * The first version can unmap a part of what was mapped at once. That is a
 * property of the IOAS from then on, whichever type is set later.
 */
static int set_iommu(struct iofd_ctx *ctx, unsigned long type)
{
	struct iofd_space *space;
	int rc = 0;

	if (type != UP_CONTAINER_TYPE1 && type != UP_CONTAINER_TYPE1V2)
		return -EINVAL;
	space = iofd_vfio_space_get(ctx);
	if (!space)
		return -ENODEV;
	if (type == UP_CONTAINER_TYPE1)
		rc = iofd_space_small_leaves(space, true);
	iofd_space_put(space);
	return gone_is_ENODEV(rc);
}

/* What follows struct up_container_info, and is followed by the ranges */
struct caps {
	struct up_container_dma_avail avail;
	u32 padding;
	struct up_container_iova_ranges iova;
};

static int look(struct iofd_space *space, struct iofd_tables_info *tables,
		struct iommu_ioasid_range **ranges)
{
	int rc;

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	rc = space->dead ? -ENODEV : iofd_iova_ranges(space, ranges);
	iofd_tables_info(space, tables);
	iofd_space_unlock(space);
	return rc;
}

static int put_caps(void __user *arg, const struct iommu_ioasid_range *ranges,
		    unsigned int nr)
{
	const struct caps caps = {
		.avail.cap = {
			.id = UP_CONTAINER_CAP_DMA_AVAIL,
			.version = 1,
			.next = sizeof(struct up_container_info) +
				offsetof(struct caps, iova),
		},
		/* The number of mappings has no limit of its own. */
		.avail.avail = U32_MAX,
		.iova.cap = {
			.id = UP_CONTAINER_CAP_IOVA_RANGES,
			.version = 1,
		},
		.iova.nr = nr,
	};

	BUILD_BUG_ON(sizeof(*ranges) != sizeof(struct up_range));
	BUILD_BUG_ON(sizeof(caps) % sizeof(u64));

	if (copy_to_user(arg, &caps, sizeof(caps)))
		return -EFAULT;
	return iofd_abi_put_ranges((uintptr_t)arg + sizeof(caps), nr, ranges, nr);
}

static int get_info(struct iofd_ctx *ctx, void __user *arg)
{
	struct up_container_info info = {};
	struct iommu_ioasid_range *ranges;
	struct iofd_tables_info tables;
	struct iofd_space *space;
	size_t room, all;
	int nr, rc;

	rc = copy_in(&info, offsetofend(struct up_container_info, pgsize_bitmap),
		     arg);
	if (rc)
		return rc;
	space = iofd_vfio_space_get(ctx);
	if (!space)
		return -ENODEV;
	nr = look(space, &tables, &ranges);
	iofd_space_put(space);
	if (nr < 0)
		return nr;
	room = info.argsz;
	all = sizeof(info) + sizeof(struct caps) + nr * sizeof(struct up_range);
	if (room >= all) {
		info.cap_offset = sizeof(info);
		rc = put_caps(arg + sizeof(info), ranges, nr);
	}
	kfree(ranges);
	info.argsz = all;
	info.flags = UP_CONTAINER_INFO_PGSIZES | UP_CONTAINER_INFO_CAPS;
	info.pgsize_bitmap = tables.pgsize_bitmap & PAGE_MASK;
	if (!rc && copy_to_user(arg, &info, min(room, sizeof(info))))
		rc = -EFAULT;
	return rc;
}

static int map(struct iofd_space *space, struct iofd_map_request *req)
{
	if (iofd_up_overflows(req->iova, req->length) ||
	    iofd_up_overflows(req->source, req->length))
		return -EOVERFLOW;
	if (!req->prot)
		return -EINVAL;
	return gone_is_ENODEV(iofd_space_map(space, req));
}

static int map_dma(struct iofd_ctx *ctx, void __user *arg)
{
	struct iofd_map_request req = { .fixed = true };
	struct iofd_space *space;
	struct up_container_map cmd;
	int rc;

	rc = copy_in(&cmd, sizeof(cmd), arg);
	if (rc)
		return rc;
	if (cmd.flags & ~(UP_CONTAINER_MAP_READ | UP_CONTAINER_MAP_WRITE))
		return -EINVAL;
	req.source = cmd.user_va;
	req.length = cmd.length;
	req.iova = cmd.iova;
	req.prot = (cmd.flags & UP_CONTAINER_MAP_READ ? IOFD_READ : 0) |
		   (cmd.flags & UP_CONTAINER_MAP_WRITE ? IOFD_WRITE : 0);
	space = iofd_vfio_space_get(ctx);
	if (!space)
		return -ENODEV;
	rc = map(space, &req);
	iofd_space_put(space);
	return rc;
}

static int unmap(struct iofd_space *space, const struct up_container_unmap *cmd,
		 u64 *unmapped)
{
	u64 last = cmd->iova + (cmd->length - 1);
	int rc;

	if (cmd->flags & UP_CONTAINER_UNMAP_FLAG_ALL) {
		if (cmd->iova || cmd->length)
			return -EINVAL;
		last = U64_MAX;
	} else if (!cmd->length) {
		return -EINVAL;
	} else if (last < cmd->iova) {
		return -EOVERFLOW;
	} else if (READ_ONCE(space->small_leaves)) {
		rc = iofd_space_cut(space, cmd->iova, last);
		if (rc)
			return gone_is_ENODEV(rc);
	}
	rc = gone_is_ENODEV(iofd_space_unmap(space, cmd->iova, last, unmapped));
	/* To upstream what is mapped otherwise is not there. */
	return rc == -EINVAL ? -ENOENT : rc;
}

static int unmap_dma(struct iofd_ctx *ctx, void __user *arg)
{
	struct up_container_unmap cmd, __user *ucmd = arg;
	struct iofd_space *space;
	u64 unmapped = 0;
	int rc;

	rc = copy_in(&cmd, sizeof(cmd), arg);
	if (rc)
		return rc;
	if (cmd.flags & ~UP_CONTAINER_UNMAP_FLAG_ALL)
		return -EINVAL;
	space = iofd_vfio_space_get(ctx);
	if (!space)
		return -ENODEV;
	/* It cannot be taken back: see that the answer can be written. */
	rc = put_user(cmd.length, &ucmd->length);
	if (!rc)
		rc = unmap(space, &cmd, &unmapped);
	iofd_space_put(space);
	return put_user(unmapped, &ucmd->length) ? -EFAULT : rc;
}

long iofd_container_ioctl(struct iofd_ctx *ctx, unsigned int cmd,
			  void __user *arg)
{
	switch (cmd) {
	case _IO(IOMMU_IOASID_TYPE, UP_CONTAINER_API_VERSION):
		return UP_CONTAINER_VERSION;
	case _IO(IOMMU_IOASID_TYPE, UP_CONTAINER_CHECK_EXTENSION):
		return check_extension(ctx, (unsigned long)arg);
	case _IO(IOMMU_IOASID_TYPE, UP_CONTAINER_SET_IOMMU):
		return set_iommu(ctx, (unsigned long)arg);
	case _IO(IOMMU_IOASID_TYPE, UP_CONTAINER_GET_INFO):
		return get_info(ctx, arg);
	case _IO(IOMMU_IOASID_TYPE, UP_CONTAINER_MAP):
		return map_dma(ctx, arg);
	case _IO(IOMMU_IOASID_TYPE, UP_CONTAINER_UNMAP):
		return unmap_dma(ctx, arg);
	default:
		/* DIRTY_PAGES is upstream's to refuse, too. */
		return -ENOTTY;
	}
}
