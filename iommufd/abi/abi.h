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
struct iofd_space;
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

/**
 * enum iofd_abi_reply - how a command answers
 * @REPLY: in its structure, when it is done
 * @REPLY_PROBED: the same, but it cannot be undone: see before that the
 *	structure can be written
 * @REPLY_ALWAYS: in its structure, also when it has failed
 * @REPLY_NONE: by its return value alone
 */
enum iofd_abi_reply {
	REPLY,
	REPLY_PROBED,
	REPLY_ALWAYS,
	REPLY_NONE,
};

/**
 * struct iofd_abi_op - one command on /dev/iommu
 * @fn: does it. @cmd is its structure, with room up to IOFD_ABI_CMD_BYTES
 *	behind it, in which @fn can leave something for @undo and @done. NULL:
 *	there is no such command
 * @undo: takes it back when the reply cannot be written; NULL: nothing to undo
 * @done: what can be done only when nothing can fail any more, or NULL
 * @size: of its structure
 * @min_size: of the part that every caller knows
 * @reply: how the caller gets its structure back
 */
struct iofd_abi_op {
	int (*fn)(struct iofd_ctx *ctx, void *cmd);
	void (*undo)(struct iofd_ctx *ctx, void *cmd);
	void (*done)(struct iofd_ctx *ctx, void *cmd);
	u16 size;
	u16 min_size;
	enum iofd_abi_reply reply;
};

/* Room for the structure of any command */
#define IOFD_ABI_CMD_BYTES	128

/* Checks that the structure starts with its size and fits. */
#define IOFD_ABI_SIZE(_struct)						\
	(sizeof(_struct) + BUILD_BUG_ON_ZERO(offsetof(_struct, size)) +	\
	 BUILD_BUG_ON_ZERO(sizeof(_struct) > IOFD_ABI_CMD_BYTES))

/* ioasid.c: the native commands, from IOMMU_IOASID_BASE on */
#define IOFD_NR_NATIVE_OPS	8
extern const struct iofd_abi_op iofd_native_ops[IOFD_NR_NATIVE_OPS];

/* upstream.c: those of upstream's iommufd, from IOFD_UPSTREAM_BASE on */
#define IOFD_UPSTREAM_BASE	0x80
#define IOFD_NR_UPSTREAM_OPS	21
extern const struct iofd_abi_op iofd_upstream_ops[IOFD_NR_UPSTREAM_OPS];

/* alloc.c, invalidate.c: native commands that ioasid.c lists */
int iofd_native_alloc(struct iofd_ctx *ctx, void *ucmd);
int iofd_native_invalidate(struct iofd_ctx *ctx, void *ucmd);

/**
 * iofd_abi_check_vtd_s1() - can there be a VT-d first-stage table like that?
 * @flags: &enum iommu_vtd_s1_flags, which are upstream's as well
 * @reserved: what came with them and has to be 0
 * @table_addr: where it starts in its parent
 * @addr_width_bits: of the addresses that it translates
 *
 * Return: 0, -EOPNOTSUPP, -EINVAL.
 */
int iofd_abi_check_vtd_s1(u64 flags, u64 reserved, u64 table_addr,
			  u32 addr_width_bits);

/**
 * iofd_abi_invalidate() - carry out an array of invalidations, in order
 * @space: for @fn
 * @entries: the caller's array
 * @entry_bytes: length of one entry
 * @nr: in: how many there are; out: how many were carried out, also on failure
 * @fn: carries out one; what it returns ends it when it is not 0
 *
 * Return: 0, -EINTR, or what @fn returned.
 */
int iofd_abi_invalidate(struct iofd_space *space, u64 entries, u32 entry_bytes,
			u32 *nr,
			int (*fn)(struct iofd_space *space, void __user *entry,
				  size_t bytes));

/**
 * iofd_container_ioctl() - a command of a VFIO container
 * @ctx: the open file's context
 * @cmd: command
 * @arg: its structure, or a number
 *
 * Return: what the command returns; -ENOTTY for one that is not known.
 */
long iofd_container_ioctl(struct iofd_ctx *ctx, unsigned int cmd,
			  void __user *arg);

/**
 * iofd_abi_dispatch() - a command on /dev/iommu, of whatever ABI
 * @ctx: the open file's context
 * @cmd: command
 * @arg: its structure
 *
 * Return: what the command returns; -ENOTTY for one that is not known.
 */
long iofd_abi_dispatch(struct iofd_ctx *ctx, unsigned int cmd, void __user *arg);

/**
 * iofd_abi_init() - create /dev/iommu
 *
 * Return: 0 or a negative errno.
 */
int iofd_abi_init(void);

/** iofd_abi_exit() - remove it */
void iofd_abi_exit(void);

#endif /* IOFD_ABI_ABI_H */
