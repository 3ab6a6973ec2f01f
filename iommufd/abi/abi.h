/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Front doors: what they share. They decode and check what user space passed
 * and call the core; nothing is decided here.
 */
#ifndef IOFD_ABI_ABI_H
#define IOFD_ABI_ABI_H

#include <linux/types.h>
#include <uapi/linux/ioasid.h>

struct iofd_ctx;
struct iommu_ioasid_range;

/**
 * iofd_abi_copy_in() - fetch a structure that starts with its size
 * @cmd: receives it; fields that the caller does not know are zero
 * @known: size of the structure as this kernel knows it
 * @min: size of its mandatory part
 * @arg: the caller's
 *
 * Return: 0; -EFAULT; -EINVAL when it is too short; -E2BIG when it is longer
 * and the tail is not zero.
 */
int iofd_abi_copy_in(void *cmd, size_t known, size_t min, void __user *arg);

/**
 * iofd_abi_copy_out() - give it back, as much of it as the caller knows
 * @arg: the caller's
 * @cmd: the structure, its size field as it was fetched
 * @known: size of the structure as this kernel knows it
 *
 * Return: 0 or -EFAULT.
 */
int iofd_abi_copy_out(void __user *arg, const void *cmd, size_t known);

/**
 * iofd_abi_put_ranges() - write IOVA ranges to a caller's array
 * @uptr: the array
 * @room: entries that fit
 * @ranges: what to write
 * @nr: how many
 *
 * Return: 0; -EMSGSIZE when only a part fitted; -EFAULT.
 */
int iofd_abi_put_ranges(u64 uptr, u32 room,
			const struct iommu_ioasid_range *ranges, u32 nr);

/* The structure of any native command */
union iofd_native_cmd {
	u32 size;
	struct iommu_check_extension check_extension;
	struct iommu_device_info device_info;
	struct iommu_ioasid_alloc alloc;
	struct iommu_ioasid_free free;
	struct iommu_ioasid_info info;
	struct iommu_map_dma map;
	struct iommu_unmap_dma unmap;
	struct iommu_invalidate_cache invalidate;
};

/* alloc.c, invalidate.c: commands that ioasid.c calls */
int iofd_native_alloc(struct iofd_ctx *ctx, union iofd_native_cmd *ucmd);
int iofd_native_invalidate(struct iofd_ctx *ctx, union iofd_native_cmd *ucmd);

/**
 * iofd_abi_ioasid() - the native commands on /dev/iommu
 * @ctx: the open file's context
 * @cmd: command
 * @arg: its structure
 *
 * Return: what the command returns; -ENOIOCTLCMD when @cmd is none of them.
 */
long iofd_abi_ioasid(struct iofd_ctx *ctx, unsigned int cmd, void __user *arg);

/**
 * iofd_abi_init() - create /dev/iommu
 *
 * Return: 0 or a negative errno.
 */
int iofd_abi_init(void);

/** iofd_abi_exit() - remove it */
void iofd_abi_exit(void);

#endif /* IOFD_ABI_ABI_H */
