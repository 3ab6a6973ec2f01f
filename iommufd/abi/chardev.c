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

/*
 * The caller's structure has nearly always the size that we know, and is a few
 * words: fetched and written as such, it costs a fraction of a copy whose length
 * is not known at compile time.
 */
static bool in_words(const void __user *arg, size_t size, size_t known)
{
	return size == known &&
	       IS_ALIGNED((uintptr_t)arg | known, sizeof(u64));
}

static int words_in(u64 *to, const u64 __user *from, size_t n)
{
	size_t i;

	if (!user_read_access_begin(from, n * sizeof(*from)))
		return -EFAULT;
	for (i = 0; i < n; i++)
		unsafe_get_user(to[i], from + i, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int words_out(u64 __user *to, const u64 *from, size_t n)
{
	size_t i;

	if (!user_write_access_begin(to, n * sizeof(*to)))
		return -EFAULT;
	for (i = 0; i < n; i++)
		unsafe_put_user(from[i], to + i, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

int iofd_abi_copy_in(void *cmd, size_t known, size_t min, void __user *arg)
{
	u32 size;
	int rc;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < min)
		return -EINVAL;
	if (!in_words(arg, size, known))
		return copy_struct_from_user(cmd, known, arg, size);
	rc = words_in(cmd, arg, known / sizeof(u64));
	/* As it was checked, whatever another thread has made of it. */
	*(u32 *)cmd = size;
	return rc;
}

int iofd_abi_copy_out(void __user *arg, const void *cmd, size_t known)
{
	u32 size = *(const u32 *)cmd;

	if (in_words(arg, size, known))
		return words_out(arg, cmd, known / sizeof(u64));
	return copy_to_user(arg, cmd, min_t(size_t, size, known)) ? -EFAULT : 0;
}

int iofd_abi_put_ranges(u64 uptr, u32 room,
			const struct iommu_ioasid_range *ranges, u32 nr)
{
	u32 fits = min(room, nr);

	if (copy_to_user(u64_to_user_ptr(uptr), ranges,
			 fits * sizeof(*ranges)))
		return -EFAULT;
	return fits < nr ? -EMSGSIZE : 0;
}

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
	long rc;

	rc = iofd_abi_ioasid(file->private_data, cmd, (void __user *)arg);
	return rc == -ENOIOCTLCMD ? -ENOTTY : rc;
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
