// SPDX-License-Identifier: GPL-2.0-only
/*
 * The character device /dev/iommu: one open file is one context, and serves
 * every ABI.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include "abi/abi.h"
#include "core/core.h"

static int iommu_open(struct inode *inode, struct file *file)
{
	struct iofd_ctx *ctx = iofd_ctx_open();

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	file->private_data = ctx;
	return 0;
}

static int iommu_release(struct inode *inode, struct file *file)
{
	iofd_ctx_close(file->private_data);
	return 0;
}

static long iommu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return iofd_abi_dispatch(file->private_data, cmd,
				 (void __user *)arg);
}

static const struct file_operations iommu_fops = {
	.owner = THIS_MODULE,
	.open = iommu_open,
	.release = iommu_release,
	.unlocked_ioctl = iommu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

struct iofd_ctx *iofd_ctx_from_file(struct file *file)
{
	return file->f_op == &iommu_fops ? file->private_data : NULL;
}

static struct miscdevice iommu_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.nodename = "iommu",
	.fops = &iommu_fops,
	.mode = 0660,
};

int iofd_abi_init(void)
{
	return misc_register(&iommu_misc);
}

void iofd_abi_exit(void)
{
	misc_deregister(&iommu_misc);
}
