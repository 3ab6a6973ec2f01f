// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO's commands on a device file for upstream's iommufd: bind, attach, detach.
 *
 * Where the ABIs differ: upstream binds a device file once, has no labels (the
 * label is the device's id) and no stack of attachments (attaching takes the
 * place of all of them, detaching blocks), and a device that is bound keeps the
 * /dev/iommu that it is bound to from being closed.
 */
#include <linux/file.h>
#include <linux/uaccess.h>
#include "abi/abi.h"
#include "abi/devfile.h"
#include "abi/upstream.h"
#include "core/space.h"
#include "core/hwpt.h"
#include "core/iofd.h"

/*
 * As many bytes as are mandatory, and up to @full if the caller's structure is
 * that long. What comes behind is a later version's, and not looked at.
 */
static int copy_in(void *cmd, size_t min, size_t full, void __user *arg)
{
	u32 argsz;

	if (copy_from_user(cmd, arg, min))
		return -EFAULT;
	argsz = *(u32 *)cmd;
	if (argsz < min)
		return -EINVAL;
	if (argsz >= full && copy_from_user(cmd, arg, full))
		return -EFAULT;
	/* As it was checked, whatever another thread has made of it. */
	*(u32 *)cmd = argsz;
	return 0;
}

/* Another file has the device, or there is a group file open of it. */
static bool is_taken(struct iofd_devfile *df)
{
	bool taken;

	mutex_lock(&iofd_topology_lock);
	taken = iofd_pdev_find(df->dev, df->pasid);
	mutex_unlock(&iofd_topology_lock);
	return taken;
}

static int put_devid(struct iofd_device *idev, void __user *arg)
{
	struct up_vfio_bind __user *cmd = arg;

	return put_user(idev->obj.id, &cmd->devid) ? -EFAULT : 0;
}

static int vfio_bind(struct iofd_devfile *df, void __user *arg)
{
	struct up_vfio_bind cmd = {};
	struct iofd_ctx *ctx;
	struct file *file;
	int rc;

	rc = copy_in(&cmd, offsetofend(struct up_vfio_bind, devid), sizeof(cmd),
		     arg);
	if (rc)
		return rc;
	/*
	 * Tokens are for users of virtual functions who share the trust of the
	 * physical function's: here the proof is the /dev/iommu of both.
	 */
	if (cmd.flags || cmd.iommufd < 0)
		return -EINVAL;
	file = fget(cmd.iommufd);
	if (!file)
		return -EBADF;
	rc = -EBADFD;
	ctx = iofd_ctx_from_file(file);
	if (!ctx)
		goto out;
	mutex_lock(&df->lock);
	rc = -EINVAL;
	if (!is_taken(df))
		rc = iofd_devfile_bind(df, ctx, NULL, file, put_devid, arg);
	mutex_unlock(&df->lock);
out:
	fput(file);
	return rc;
}

/*
 * The binding that VFIO_BIND made, or NULL. The others do not keep their context
 * from being closed, and the command that names none is not for them.
 */
static struct iofd_device *vfio_binding(struct iofd_devfile *df)
{
	struct iofd_device *idev;

	lockdep_assert_held(&df->lock);

	list_for_each_entry(idev, &df->bindings, df_entry)
		if (idev->held)
			return idev;
	return NULL;
}

static int get_pasid(u32 argsz, size_t full, u32 flags, u32 pasid, u32 *out)
{
	*out = IOFD_NO_PASID;
	if (!(flags & UP_VFIO_PASID))
		return flags ? -EINVAL : 0;
	/* 0 is what has none. PCIe knows 20 bits; beyond them we use some. */
	if (flags & ~UP_VFIO_PASID || argsz < full || !pasid || pasid >> 20)
		return -EINVAL;
	*out = pasid;
	return 0;
}

static int attach_named(struct iofd_device *idev,
			struct iofd_attach_request *req)
{
	int rc = iofd_attach(idev, req);

	/*
	 * What the device, or its group, cannot use as things are: a program
	 * tries the next one then, and gives up after any other error.
	 */
	switch (rc) {
	case -EOPNOTSUPP:
	case -EBUSY:
	case -EPERM:
		return -EINVAL;
	default:
		return rc;
	}
}

static int attach_hwpt(struct iofd_device *idev, u32 pt_id, u32 pasid)
{
	struct iofd_attach_request req = { .replace = true, .pasid = pasid };
	int rc;

	req.hwpt = iofd_hwpt_get(idev->obj.ctx, pt_id);
	if (!req.hwpt)
		return -ENOENT;
	req.space = req.hwpt->space;
	rc = attach_named(idev, &req);
	iofd_hwpt_put(req.hwpt);
	return rc;
}

/* An IOAS, by a table that gets a name; or a user's table, which is one. */
static int attach_space(struct iofd_device *idev, u32 *pt_id, u32 pasid)
{
	struct iofd_attach_request req = { .replace = true, .pasid = pasid };
	int rc = -EINVAL;

	req.space = iofd_space_get(idev->obj.ctx, *pt_id);
	if (!req.space)
		return -ENOENT;
	req.named = !req.space->parent;
	/* Addresses of a kernel-managed child mean nothing to upstream. */
	if (req.named || iofd_space_user_managed(req.space))
		rc = attach_named(idev, &req);
	if (!rc && req.named)
		*pt_id = req.hwpt_id;
	iofd_space_put(req.space);
	return rc;
}

static int attach_pt(struct iofd_devfile *df, u32 *pt_id, u32 pasid)
{
	struct iofd_device *idev = vfio_binding(df);

	if (!idev)
		return -EINVAL;
	switch (iofd_object_type(idev->obj.ctx, *pt_id)) {
	case IOFD_OBJ_HWPT:
		return attach_hwpt(idev, *pt_id, pasid);
	case IOFD_OBJ_SPACE:
		return attach_space(idev, pt_id, pasid);
	case -ENOENT:
		return -ENOENT;
	default:
		return -EINVAL;
	}
}

static int detach_pt(struct iofd_devfile *df, u32 pasid)
{
	struct iofd_device *idev = vfio_binding(df);

	if (!idev)
		return -EINVAL;
	iofd_detach_any(idev, pasid);
	return 0;
}

static int vfio_attach(struct iofd_devfile *df, void __user *arg)
{
	struct up_vfio_attach __user *reply = arg;
	struct up_vfio_attach cmd = {};
	u32 pasid;
	int rc;

	rc = copy_in(&cmd, offsetofend(struct up_vfio_attach, pt_id),
		     sizeof(cmd), arg);
	if (!rc)
		rc = get_pasid(cmd.argsz, sizeof(cmd), cmd.flags, cmd.pasid,
			       &pasid);
	if (rc)
		return rc;
	/* What is replaced cannot be had back: see before that it is readable. */
	if (put_user(cmd.pt_id, &reply->pt_id))
		return -EFAULT;
	mutex_lock(&df->lock);
	rc = attach_pt(df, &cmd.pt_id, pasid);
	if (!rc && put_user(cmd.pt_id, &reply->pt_id)) {
		detach_pt(df, pasid);
		rc = -EFAULT;
	}
	mutex_unlock(&df->lock);
	return rc;
}

static int vfio_detach(struct iofd_devfile *df, void __user *arg)
{
	struct up_vfio_detach cmd = {};
	u32 pasid;
	int rc;

	rc = copy_in(&cmd, offsetofend(struct up_vfio_detach, flags),
		     sizeof(cmd), arg);
	if (!rc)
		rc = get_pasid(cmd.argsz, sizeof(cmd), cmd.flags, cmd.pasid,
			       &pasid);
	if (rc)
		return rc;
	mutex_lock(&df->lock);
	rc = detach_pt(df, pasid);
	mutex_unlock(&df->lock);
	return rc;
}

long iofd_up_vfio_ioctl(struct iofd_devfile *df, unsigned int cmd,
			void __user *arg)
{
	switch (cmd) {
	case _IO(';', UP_VFIO_BIND):
		return vfio_bind(df, arg);
	case _IO(';', UP_VFIO_ATTACH):
		return vfio_attach(df, arg);
	case _IO(';', UP_VFIO_DETACH):
		return vfio_detach(df, arg);
	default:
		return -ENOIOCTLCMD;
	}
}
