// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of upstream's iommufd on /dev/iommu: which there are, and the one
 * that is for every kind of object.
 */
#include <linux/ioctl.h>
#include "abi/upstream.h"
#include "core/space.h"
#include "core/hwpt.h"

static int destroy_space(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_space *space = iofd_space_get(ctx, id);
	int rc;

	if (!space)
		return -ENOENT;
	rc = iofd_space_free(space);
	iofd_space_put(space);
	return rc;
}

static int destroy_hwpt(struct iofd_ctx *ctx, u32 id)
{
	struct iofd_hwpt *hwpt = iofd_hwpt_get(ctx, id);
	int rc;

	if (!hwpt)
		return -ENOENT;
	rc = iofd_hwpt_free(hwpt);
	iofd_hwpt_put(hwpt);
	return rc;
}

int iofd_up_destroy(struct iofd_ctx *ctx, void *arg)
{
	struct up_destroy *cmd = arg;

	switch (iofd_object_type(ctx, cmd->id)) {
	case IOFD_OBJ_SPACE:
		return destroy_space(ctx, cmd->id);
	case IOFD_OBJ_HWPT:
		return destroy_hwpt(ctx, cmd->id);
	case IOFD_OBJ_FAULT_QUEUE:
		return iofd_fault_queue_free(ctx, cmd->id);
	case IOFD_OBJ_DEVICE:
		/* It goes when its device file is closed. */
		return -EBUSY;
	default:
		return -ENOENT;
	}
}

/*
 * @_last: the last field of the part that every caller has; what came later is
 * zero for callers who do not know it.
 */
#define UP_OP(_nr, _fn, _undo, _done, _reply, _struct, _last)		\
	[(_nr) - IOFD_UPSTREAM_BASE] = {				\
		.fn = _fn,						\
		.undo = _undo,						\
		.done = _done,						\
		.size = IOFD_ABI_SIZE(_struct),				\
		.min_size = offsetofend(_struct, _last),		\
		.reply = _reply,					\
	}

const struct iofd_abi_op iofd_upstream_ops[IOFD_NR_UPSTREAM_OPS] = {
	UP_OP(UP_DESTROY, iofd_up_destroy, NULL, NULL, REPLY_NONE,
	      struct up_destroy, id),
	UP_OP(UP_IOAS_ALLOC, iofd_up_ioas_alloc, iofd_up_ioas_alloc_undo, NULL,
	      REPLY, struct up_ioas_alloc, ioas_id),
	UP_OP(UP_IOAS_ALLOW_IOVAS, iofd_up_allow_iovas, NULL, NULL, REPLY_NONE,
	      struct up_allow_iovas, ranges),
	UP_OP(UP_IOAS_COPY, iofd_up_copy, iofd_up_copy_undo, NULL, REPLY,
	      struct up_copy, from_iova),
	UP_OP(UP_IOAS_IOVA_RANGES, iofd_up_iova_ranges, NULL, NULL, REPLY,
	      struct up_iova_ranges, alignment),
	UP_OP(UP_IOAS_MAP, iofd_up_map, iofd_up_map_undo, NULL, REPLY,
	      struct up_map, iova),
	UP_OP(UP_IOAS_UNMAP, iofd_up_unmap, NULL, NULL, REPLY_PROBED,
	      struct up_unmap, length),
	UP_OP(UP_OPTION, iofd_up_option, NULL, NULL, REPLY_PROBED,
	      struct up_option, value),
	UP_OP(UP_VFIO_IOAS, iofd_up_vfio_ioas, NULL, NULL, REPLY_PROBED,
	      struct up_vfio_ioas, reserved),
	UP_OP(UP_HWPT_ALLOC, iofd_up_hwpt_alloc, iofd_up_hwpt_alloc_undo, NULL,
	      REPLY, struct up_hwpt_alloc, reserved),
	UP_OP(UP_GET_HW_INFO, iofd_up_hw_info, NULL, NULL, REPLY,
	      struct up_hw_info, reserved),
	UP_OP(UP_SET_DIRTY_TRACKING, iofd_up_set_dirty, NULL, NULL, REPLY_NONE,
	      struct up_set_dirty, reserved),
	UP_OP(UP_GET_DIRTY_BITMAP, iofd_up_get_dirty, NULL, NULL, REPLY_NONE,
	      struct up_get_dirty, bitmap),
	UP_OP(UP_HWPT_INVALIDATE, iofd_up_hwpt_invalidate, NULL, NULL,
	      REPLY_ALWAYS, struct up_invalidate, reserved),
	UP_OP(UP_FAULT_QUEUE_ALLOC, iofd_up_fault_queue,
	      iofd_up_fault_queue_undo, iofd_up_fault_queue_done, REPLY,
	      struct up_fault_queue, fault_fd),
	UP_OP(UP_IOAS_MAP_FILE, iofd_up_map_file, iofd_up_map_undo, NULL, REPLY,
	      struct up_map_file, iova),
	UP_OP(UP_VIOMMU_ALLOC, iofd_up_viommu, NULL, NULL, REPLY_NONE,
	      struct up_viommu_alloc, viommu_id),
	UP_OP(UP_VDEVICE_ALLOC, iofd_up_vdevice, NULL, NULL, REPLY_NONE,
	      struct up_vdevice_alloc, virt_id),
	UP_OP(UP_IOAS_CHANGE_PROCESS, iofd_up_change_process, NULL, NULL,
	      REPLY_NONE, struct up_change_process, reserved),
	UP_OP(UP_VEVENTQ_ALLOC, iofd_up_veventq, NULL, NULL, REPLY_NONE,
	      struct up_veventq_alloc, veventq_fd),
	UP_OP(UP_HW_QUEUE_ALLOC, iofd_up_hw_queue, NULL, NULL, REPLY_NONE,
	      struct up_hw_queue_alloc, length),
};
