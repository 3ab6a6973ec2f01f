/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device files: what the commands of all ABIs share.
 */
#ifndef IOFD_ABI_DEVFILE_H
#define IOFD_ABI_DEVFILE_H

#include <linux/types.h>

struct file;
struct iofd_ctx;
struct iofd_devfile;
struct iofd_device;

/**
 * iofd_devfile_bind() - bind a device file
 * @df: the device file, locked
 * @ctx: to what
 * @label: under which label; NULL: the id of the binding
 * @hold: the open file of @ctx, if the binding is to keep it open; or NULL
 * @reply: tells the caller, before the device can be used; an error of it undoes
 *	the bind. NULL: there is nothing to tell
 * @arg: for @reply
 *
 * Return: 0 or a negative errno.
 */
int iofd_devfile_bind(struct iofd_devfile *df, struct iofd_ctx *ctx,
		      const u64 *label, struct file *hold,
		      int (*reply)(struct iofd_device *idev, void __user *arg),
		      void __user *arg);

#endif /* IOFD_ABI_DEVFILE_H */
