// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device files, for every bus wrapper: their life, and the native commands.
 */
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/uaccess.h>
#include "abi/abi.h"
#include "abi/devfile.h"
#include "abi/upstream.h"
#include "core/space.h"
#include "core/iofd.h"

void iofd_devfile_init_subdev(struct iofd_devfile *df, struct device *parent,
			      u32 pasid, const char *name,
			      const struct iofd_devfile_ops *ops)
{
	df->dev = parent;
	df->pasid = pasid;
	df->name = name;
	df->ops = ops;
	mutex_init(&df->lock);
	INIT_LIST_HEAD(&df->bindings);
	df->bound = false;
}
EXPORT_SYMBOL_GPL(iofd_devfile_init_subdev);

void iofd_devfile_init(struct iofd_devfile *df, struct device *dev,
		       const struct iofd_devfile_ops *ops)
{
	iofd_devfile_init_subdev(df, dev, IOFD_NO_PASID, NULL, ops);
}
EXPORT_SYMBOL_GPL(iofd_devfile_init);

/* Take the context of @fd; it stays open until iommu_fd_put(). */
static struct iofd_ctx *iommu_fd_get(int fd, struct file **file)
{
	struct iofd_ctx *ctx;

	*file = fget(fd);
	if (!*file)
		return ERR_PTR(-EBADF);
	ctx = iofd_ctx_from_file(*file);
	if (!ctx) {
		fput(*file);
		return ERR_PTR(-EBADF);
	}
	return ctx;
}

static struct iofd_device *binding_of(struct iofd_devfile *df,
				      struct iofd_ctx *ctx)
{
	struct iofd_device *idev;

	lockdep_assert_held(&df->lock);

	list_for_each_entry(idev, &df->bindings, df_entry)
		if (idev->obj.ctx == ctx)
			return idev;
	return NULL;
}

int iofd_devfile_bind(struct iofd_devfile *df, struct iofd_ctx *ctx,
		      const u64 *label, struct file *hold,
		      int (*reply)(struct iofd_device *idev, void __user *arg),
		      void __user *arg)
{
	struct iofd_device *idev;
	int rc = 0;

	lockdep_assert_held(&df->lock);

	idev = iofd_bind(ctx, df, label);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	if (!df->bound) {
		rc = df->ops->open(df);
		if (rc)
			goto err_unbind;
	}
	if (reply)
		rc = reply(idev, arg);
	if (rc)
		goto err_close;
	idev->held = hold ? get_file(hold) : NULL;
	list_add_tail(&idev->df_entry, &df->bindings);
	/* Pairs with iofd_devfile_bound(): the device is open for use. */
	smp_store_release(&df->bound, true);
	return 0;

err_close:
	if (!df->bound)
		df->ops->close(df);
err_unbind:
	iofd_unbind(idev);
	return rc;
}

static int device_bind(struct iofd_devfile *df, void __user *arg)
{
	struct iommu_device_bind cmd;
	struct iofd_ctx *ctx;
	struct file *file;
	int rc;

	rc = iofd_abi_copy_in(&cmd, sizeof(cmd), sizeof(cmd), arg);
	if (rc)
		return rc;
	if (cmd.flags || cmd.__reserved)
		return -EOPNOTSUPP;
	ctx = iommu_fd_get(cmd.iommu_fd, &file);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	mutex_lock(&df->lock);
	rc = iofd_devfile_bind(df, ctx, &cmd.label, NULL, NULL, NULL);
	mutex_unlock(&df->lock);
	fput(file);
	return rc;
}

static int get_pasid(const struct iommu_device_attach *cmd, u32 *pasid)
{
	if (cmd->flags & ~IOMMU_DEVICE_ATTACH_VPASID || cmd->__reserved)
		return -EOPNOTSUPP;
	*pasid = IOFD_NO_PASID;
	if (!(cmd->flags & IOMMU_DEVICE_ATTACH_VPASID))
		return cmd->vpasid ? -EINVAL : 0;
	/* 0 is what has none. PCIe knows 20 bits; beyond them we use some. */
	if (!cmd->vpasid || cmd->vpasid >> 20)
		return -EINVAL;
	*pasid = cmd->vpasid;
	return 0;
}

static int attach_to(struct iofd_devfile *df, struct iofd_ctx *ctx, u32 ioasid,
		     u32 pasid)
{
	struct iofd_attach_request req = { .pasid = pasid };
	struct iofd_device *idev = binding_of(df, ctx);
	struct iofd_space *space;
	int rc;

	if (!idev)
		return -EINVAL;
	space = iofd_space_get(ctx, ioasid);
	if (!space)
		return -ENOENT;
	req.space = space;
	rc = iofd_attach(idev, &req);
	iofd_space_put(space);
	return rc;
}

static int detach_from(struct iofd_devfile *df, struct iofd_ctx *ctx,
		       u32 ioasid, u32 pasid)
{
	struct iofd_device *idev = binding_of(df, ctx);

	return idev ? iofd_detach(idev, ioasid, pasid) : -EINVAL;
}

/* Attach and detach: the same fields, with another verb. */
static int device_attachment(struct iofd_devfile *df, void __user *arg,
			     int (*verb)(struct iofd_devfile *df,
					 struct iofd_ctx *ctx, u32 ioasid,
					 u32 pasid))
{
	struct iommu_device_attach cmd;
	struct iofd_ctx *ctx;
	struct file *file;
	u32 pasid;
	int rc;

	BUILD_BUG_ON(sizeof(cmd) != sizeof(struct iommu_device_detach) ||
		     offsetof(typeof(cmd), vpasid) !=
		     offsetof(struct iommu_device_detach, vpasid));

	rc = iofd_abi_copy_in(&cmd, sizeof(cmd), sizeof(cmd), arg);
	if (!rc)
		rc = get_pasid(&cmd, &pasid);
	if (rc)
		return rc;
	ctx = iommu_fd_get(cmd.iommu_fd, &file);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	mutex_lock(&df->lock);
	rc = verb(df, ctx, cmd.ioasid, pasid);
	mutex_unlock(&df->lock);
	fput(file);
	return rc;
}

long iofd_devfile_ioctl(struct iofd_devfile *df, unsigned int cmd,
			unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case IOMMU_DEVICE_BIND_IOMMU_FD:
		return device_bind(df, uarg);
	case IOMMU_DEVICE_ATTACH_IOASID:
		return device_attachment(df, uarg, attach_to);
	case IOMMU_DEVICE_DETACH_IOASID:
		return device_attachment(df, uarg, detach_from);
	default:
		return iofd_up_vfio_ioctl(df, cmd, uarg);
	}
}
EXPORT_SYMBOL_GPL(iofd_devfile_ioctl);

void iofd_devfile_release(struct iofd_devfile *df)
{
	struct iofd_device *idev, *next;
	struct file *held;

	/* No ioctl is running on the file any more; the lock is for lockdep. */
	mutex_lock(&df->lock);
	if (df->bound) {
		df->ops->close(df);
		df->bound = false;
	}
	list_for_each_entry_safe(idev, next, &df->bindings, df_entry) {
		list_del(&idev->df_entry);
		held = idev->held;
		iofd_unbind(idev);
		if (held)
			fput(held);
	}
	mutex_unlock(&df->lock);
	mutex_destroy(&df->lock);
}
EXPORT_SYMBOL_GPL(iofd_devfile_release);
