/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of upstream's iommufd, by subject. Each has the type of
 * iofd_abi_op.fn or .undo; what it is given and returns is in docs/iommufd.md.
 *
 * Where upstream's objects meet the core's: an IOAS is a root; a paging HWPT is a
 * struct iofd_hwpt; a nested one is a user-managed space that hardware nests. All
 * have their ids in one namespace with everything else of the fd.
 */
#ifndef IOFD_ABI_UPSTREAM_H
#define IOFD_ABI_UPSTREAM_H

#include <linux/limits.h>
#include "abi/abi.h"
#include "abi/iommufd_abi.h"

struct iofd_devfile;

/** iofd_up_overflows() - is [@first, @first + @length - 1] more than can be counted? */
static inline bool iofd_up_overflows(u64 first, u64 length)
{
	return first == U64_MAX || length == U64_MAX ||
	       (length && first + (length - 1) < first);
}

/* upstream.c */
int iofd_up_destroy(struct iofd_ctx *ctx, void *arg);

/* ioas.c */
int iofd_up_ioas_alloc(struct iofd_ctx *ctx, void *arg);
void iofd_up_ioas_alloc_undo(struct iofd_ctx *ctx, void *arg);
int iofd_up_allow_iovas(struct iofd_ctx *ctx, void *arg);
int iofd_up_iova_ranges(struct iofd_ctx *ctx, void *arg);
int iofd_up_map(struct iofd_ctx *ctx, void *arg);
int iofd_up_map_file(struct iofd_ctx *ctx, void *arg);
void iofd_up_map_undo(struct iofd_ctx *ctx, void *arg);
int iofd_up_copy(struct iofd_ctx *ctx, void *arg);
void iofd_up_copy_undo(struct iofd_ctx *ctx, void *arg);
int iofd_up_unmap(struct iofd_ctx *ctx, void *arg);

/* option.c */
int iofd_up_option(struct iofd_ctx *ctx, void *arg);
int iofd_up_change_process(struct iofd_ctx *ctx, void *arg);

/* container.c */
int iofd_up_vfio_ioas(struct iofd_ctx *ctx, void *arg);

/* hwpt.c */
int iofd_up_hwpt_alloc(struct iofd_ctx *ctx, void *arg);
void iofd_up_hwpt_alloc_undo(struct iofd_ctx *ctx, void *arg);
int iofd_up_hwpt_invalidate(struct iofd_ctx *ctx, void *arg);
int iofd_up_set_dirty(struct iofd_ctx *ctx, void *arg);
int iofd_up_get_dirty(struct iofd_ctx *ctx, void *arg);

/* hwinfo.c */
int iofd_up_hw_info(struct iofd_ctx *ctx, void *arg);

/* fault_file.c */
int iofd_up_fault_queue(struct iofd_ctx *ctx, void *arg);
void iofd_up_fault_queue_undo(struct iofd_ctx *ctx, void *arg);
void iofd_up_fault_queue_done(struct iofd_ctx *ctx, void *arg);

/* absent.c: what no provider has */
int iofd_up_viommu(struct iofd_ctx *ctx, void *arg);
int iofd_up_vdevice(struct iofd_ctx *ctx, void *arg);
int iofd_up_veventq(struct iofd_ctx *ctx, void *arg);
int iofd_up_hw_queue(struct iofd_ctx *ctx, void *arg);

/**
 * iofd_up_vfio_ioctl() - VFIO's part on a device file
 * @df: the device file
 * @cmd: as user space gave it
 * @arg: as user space gave it
 *
 * Return: what the command returns, or -ENOIOCTLCMD when @cmd is none of them.
 */
long iofd_up_vfio_ioctl(struct iofd_devfile *df, unsigned int cmd,
			void __user *arg);

#endif /* IOFD_ABI_UPSTREAM_H */
