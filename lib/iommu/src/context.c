// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "priv.h"

static const struct remedy open_remedies[] = {
	{ ENOENT, "the module iofd is not loaded: try 'modprobe iofd'" },
	{ EACCES, "only its owner and group may open it: see 'ls -l /dev/iommu'" },
	{ ENXIO, "the device file is there, but its module is gone" },
	{}
};

struct iommu_ctx *iommu_ctx_new(void)
{
	struct iommu_ctx *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->fd = -1;
	ctx->root = strdup("");
	if (!ctx->root) {
		free(ctx);
		return NULL;
	}
	pthread_mutex_init(&ctx->errors_lock, NULL);
	return ctx;
}

void iommu_ctx_free(struct iommu_ctx *ctx)
{
	if (!ctx)
		return;
	if (ctx->fd >= 0)
		close(ctx->fd);
	iommu_errors_free(ctx);
	pthread_mutex_destroy(&ctx->errors_lock);
	free(ctx->root);
	free(ctx);
}

int iommu_ctx_set_root(struct iommu_ctx *ctx, const char *root)
{
	char *copy = strdup(root);

	if (!copy)
		return iommu_fail(ctx, ENOMEM, NULL, "%s", root);
	free(ctx->root);
	ctx->root = copy;
	return 0;
}

int iommu_ctx_open(struct iommu_ctx *ctx)
{
	char *path;
	int fd, err;

	if (ctx->fd >= 0)
		return iommu_refuse(ctx, EALREADY, "the context is open");
	if (asprintf(&path, "%s/dev/iommu", ctx->root) < 0)
		return iommu_fail(ctx, ENOMEM, NULL, "/dev/iommu");
	fd = open(path, O_RDWR | O_CLOEXEC);
	err = errno;
	free(path);
	if (fd < 0)
		return iommu_fail(ctx, err, open_remedies, "cannot open /dev/iommu");
	ctx->fd = fd;
	return 0;
}

int iommu_ctx_set_fd(struct iommu_ctx *ctx, int fd)
{
	uint64_t value;
	int copy, rc;

	if (ctx->fd >= 0)
		return iommu_refuse(ctx, EALREADY, "the context is open");
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return iommu_fail(ctx, errno, NULL, "cannot duplicate fd %d", fd);

	/* Every kernel that has /dev/iommu answers this. */
	ctx->fd = copy;
	rc = iommu_ctx_check_extension(ctx, IOMMU_EXT_MAP_TYPE1V2, &value);
	if (rc) {
		ctx->fd = -1;
		close(copy);
		return iommu_refuse(ctx, -rc, "fd %d is not one of /dev/iommu",
				    fd);
	}
	return 0;
}

int iommu_ctx_fd(const struct iommu_ctx *ctx)
{
	return ctx->fd >= 0 ? ctx->fd : -EBADF;
}

int iommu_ctx_ioctl(struct iommu_ctx *ctx, unsigned long cmd, void *arg)
{
	return ioctl(ctx->fd, cmd, arg) < 0 ? -errno : 0;
}

int iommu_ctx_check_extension(struct iommu_ctx *ctx, uint32_t extension,
			      uint64_t *value)
{
	struct iommu_check_extension cmd = {
		.size = sizeof(cmd),
		.extension = extension,
	};
	int rc;

	rc = iommu_ctx_ioctl(ctx, IOMMU_CHECK_EXTENSION, &cmd);
	if (rc)
		return iommu_fail(ctx, -rc, NULL,
				  "cannot ask /dev/iommu for extension %u",
				  extension);
	*value = cmd.value;
	return 0;
}
