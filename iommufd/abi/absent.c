// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upstream's commands for virtual IOMMUs, which no provider offers: refused as
 * upstream refuses them for a device behind VT-d, in the same order of checks.
 */
#include "abi/upstream.h"
#include "core/core.h"

int iofd_up_viommu(struct iofd_ctx *ctx, void *arg)
{
	struct up_viommu_alloc *cmd = arg;

	if (cmd->flags || cmd->reserved || !cmd->type)
		return -EOPNOTSUPP;
	if (iofd_object_type(ctx, cmd->dev_id) != IOFD_OBJ_DEVICE)
		return -ENOENT;
	return -EOPNOTSUPP;
}

/* The others are for a virtual IOMMU: no id is one. */
int iofd_up_vdevice(struct iofd_ctx *ctx, void *arg)
{
	return -ENOENT;
}

int iofd_up_veventq(struct iofd_ctx *ctx, void *arg)
{
	struct up_veventq_alloc *cmd = arg;

	return cmd->flags || cmd->reserved || !cmd->type ? -EOPNOTSUPP : -ENOENT;
}

int iofd_up_hw_queue(struct iofd_ctx *ctx, void *arg)
{
	struct up_hw_queue_alloc *cmd = arg;

	return cmd->flags || !cmd->type ? -EOPNOTSUPP : -ENOENT;
}
