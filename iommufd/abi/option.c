// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upstream's commands on the fd as a whole, and options of an IOAS.
 */
#include <linux/capability.h>
#include "abi/upstream.h"
#include "core/space.h"
#include "core/share.h"

static int rlimit_mode(struct iofd_ctx *ctx, struct up_option *cmd)
{
	if (cmd->object_id)
		return -EOPNOTSUPP;
	if (cmd->op == UP_OPTION_GET) {
		cmd->value = READ_ONCE(ctx->by_process);
		return 0;
	}
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (cmd->value > 1)
		return -EINVAL;
	return iofd_account_by_process(ctx, cmd->value);
}

static int huge_pages(struct iofd_ctx *ctx, struct up_option *cmd)
{
	struct iofd_space *space;
	int rc = 0;

	space = iofd_root_get(ctx, cmd->object_id);
	if (!space)
		return -ENOENT;
	if (cmd->op == UP_OPTION_GET)
		cmd->value = !READ_ONCE(space->small_leaves);
	else if (cmd->value > 1)
		rc = -EINVAL;
	else
		rc = iofd_space_small_leaves(space, !cmd->value);
	iofd_space_put(space);
	return rc;
}

int iofd_up_option(struct iofd_ctx *ctx, void *arg)
{
	struct up_option *cmd = arg;

	if (cmd->reserved || cmd->op > UP_OPTION_GET)
		return -EOPNOTSUPP;
	switch (cmd->option_id) {
	case UP_OPTION_RLIMIT_MODE:
		return rlimit_mode(ctx, cmd);
	case UP_OPTION_HUGE_PAGES:
		return huge_pages(ctx, cmd);
	default:
		return -EOPNOTSUPP;
	}
}

int iofd_up_change_process(struct iofd_ctx *ctx, void *arg)
{
	struct up_change_process *cmd = arg;

	return cmd->reserved ? -EOPNOTSUPP : iofd_change_process(ctx);
}
