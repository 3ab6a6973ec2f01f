/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: Contexts
 *
 * A context: one open of /dev/iommu, the home of IOASIDs and device labels.
 */
#ifndef IOMMU_CONTEXT_H
#define IOMMU_CONTEXT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* one open of /dev/iommu; only the library knows what is in it */
struct iommu_ctx;

/**
 * iommu_ctx_new() - make a context that is not open yet
 *
 * Made first, so that there is something to ask when opening fails.
 *
 * Return: the context, or NULL without memory.
 */
struct iommu_ctx *iommu_ctx_new(void);

/**
 * iommu_ctx_free() - close and free a context
 * @ctx: the context; NULL does nothing
 *
 * Close its devices and free its buffers before. The kernel frees the IOASIDs
 * that are left.
 */
void iommu_ctx_free(struct iommu_ctx *ctx);

/**
 * iommu_ctx_set_root() - look for /sys and /dev below another directory
 * @ctx: a context that is not open
 * @root: directory, "" for the real ones; copied
 *
 * For tests, and for programs that look at a machine from a container.
 *
 * Return: 0; -ENOMEM.
 */
int iommu_ctx_set_root(struct iommu_ctx *ctx, const char *root);

/**
 * iommu_ctx_open() - open /dev/iommu
 * @ctx: a context that is not open
 *
 * Return: 0; -ENOENT: there is no /dev/iommu (the module is not loaded);
 * -EACCES: the caller may not open it; -EALREADY: it is open; other errors of
 * open(2).
 */
int iommu_ctx_open(struct iommu_ctx *ctx);

/**
 * iommu_ctx_set_fd() - use an fd of /dev/iommu that somebody else opened
 * @ctx: a context that is not open
 * @fd: the fd, for example received from a service that may open what the
 *	caller may not. It stays the caller's: the context uses a duplicate.
 *
 * Return: 0; -ENOTTY: not an fd of /dev/iommu; -EALREADY: the context is open;
 * errors of fcntl(2).
 */
int iommu_ctx_set_fd(struct iommu_ctx *ctx, int fd);

/**
 * iommu_ctx_fd() - the context's fd, for ioctls that the library has not got
 * @ctx: the context
 *
 * Return: the fd, which stays the context's; -EBADF when it is not open.
 */
int iommu_ctx_fd(const struct iommu_ctx *ctx);

/**
 * iommu_ctx_check_extension() - what can this kernel do?
 * @ctx: an open context
 * @extension: one of enum iommu_extension of <linux/ioasid.h>
 * @value: output: 0 when the kernel has not got it or has not heard of it
 *
 * Return: 0; errors of ioctl(2).
 */
int iommu_ctx_check_extension(struct iommu_ctx *ctx, uint32_t extension,
			      uint64_t *value);

/**
 * iommu_ctx_error() - what failed last, and why
 * @ctx: the context
 *
 * One line without a newline, for people: the device or IOASID, the cause, and
 * where one is known the remedy.
 *
 * Return: the text of the calling thread's last failure in this context, ""
 * without one. Valid until the thread's next failure or iommu_ctx_free().
 */
const char *iommu_ctx_error(const struct iommu_ctx *ctx);

#ifdef __cplusplus
}
#endif

#endif /* IOMMU_CONTEXT_H */
