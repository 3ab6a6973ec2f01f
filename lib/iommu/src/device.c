// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "priv.h"

static const struct remedy bind_remedies[] = {
	{ EPERM, "its IOMMU group is not yours alone, or its interrupts are not isolated: 'iommuctl doctor' says which" },
	{ EBUSY, "the label is taken, or the device is bound to this context already" },
	{ ENODEV, "there is no IOMMU in front of it, or it has been removed: 'iommuctl doctor' says more" },
	{ ENOTTY, "not the device file of a device that iofd-pci drives" },
	{}
};

static const struct remedy attach_remedies[] = {
	{ EBUSY, "it is attached already, and not to a parent of that one: detach it first" },
	{ ENOENT, "there is no such IOASID in this context" },
	{ EINVAL, "the device cannot use an IOASID of this width, coherency or format" },
	{ EOPNOTSUPP, "that IOASID wants its table nested by hardware, which the IOMMU in front of the device does not do, or not with its flags: IOMMU_NESTING_AUTO takes what there is" },
	{ EADDRINUSE, "something is mapped where the device has a reserved range" },
	{ EPERM, "its IOMMU group holds more devices, whose PASIDs the hardware could not tell apart" },
	{ E2BIG, "the user's table says more than its parent could hold" },
	{}
};

static const struct remedy attach_pasid_remedies[] = {
	{ EBUSY, "that PASID is attached already: detach it first" },
	{}
};

static const struct remedy detach_remedies[] = {
	{ ENOENT, "it is not attached to that IOASID" },
	{ EBUSY, "its DMA goes through a child of that one, which it was attached to later: detach it from there first" },
	{}
};

static const struct remedy reset_remedies[] = {
	{ EINVAL, "it has no reset that leaves its neighbours alone" },
	{}
};

int iommu_dev_ioctl(struct iommu_dev *dev, unsigned long cmd, void *arg)
{
	int rc = ioctl(dev->fd, cmd, arg);

	return rc < 0 ? -errno : rc;
}

/* Takes over @fd when it succeeds. */
static int bind_fd(struct iommu_ctx *ctx, int fd, const char *name,
		   uint64_t label, struct iommu_dev **out)
{
	struct iommu_device_bind cmd = {
		.size = sizeof(cmd),
		.iommu_fd = ctx->fd,
		.label = label,
	};
	struct iommu_dev *dev;
	int rc;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return iommu_fail(ctx, ENOMEM, NULL, "%s", name);
	dev->ctx = ctx;
	dev->fd = fd;
	dev->label = label;
	snprintf(dev->name, sizeof(dev->name), "%s", name);

	rc = iommu_dev_ioctl(dev, IOMMU_DEVICE_BIND_IOMMU_FD, &cmd);
	if (rc < 0) {
		free(dev);
		return iommu_fail(ctx, -rc, bind_remedies,
				  "%s: cannot bind it under label %#llx", name,
				  (unsigned long long)label);
	}
	*out = dev;
	return 0;
}

int iommu_dev_open(struct iommu_ctx *ctx, const char *bdf, uint64_t label,
		   struct iommu_dev **dev)
{
	char name[IOMMU_BDF_LEN];
	int fd, rc;

	if (iommu_bdf_parse(bdf, name))
		return iommu_refuse(ctx, EINVAL,
				    "'%s' is not [domain:]bus:device.function",
				    bdf);
	fd = iommu_find_and_open(ctx, name);
	if (fd < 0)
		return fd;
	rc = bind_fd(ctx, fd, name, label, dev);
	if (rc)
		close(fd);
	return rc;
}

int iommu_dev_open_fd(struct iommu_ctx *ctx, int fd, const char *name,
		      uint64_t label, struct iommu_dev **dev)
{
	int copy, rc;

	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return iommu_fail(ctx, errno, NULL, "%s: fd %d", name, fd);
	rc = bind_fd(ctx, copy, name, label, dev);
	if (rc)
		close(copy);
	return rc;
}

void iommu_dev_close(struct iommu_dev *dev)
{
	if (!dev)
		return;
	/* Even if that fails: closing the file disables them. */
	iommu_irq_disable(dev);
	iommu_irq_release(dev);
	close(dev->fd);
	free(dev);
}

int iommu_dev_fd(const struct iommu_dev *dev)
{
	return dev->fd;
}

const char *iommu_dev_name(const struct iommu_dev *dev)
{
	return dev->name;
}

uint64_t iommu_dev_label(const struct iommu_dev *dev)
{
	return dev->label;
}

int iommu_dev_get_info(struct iommu_dev *dev, struct iommu_dev_info **out)
{
	struct iommu_device_info cmd = {};
	struct iommu_dev_info *info = NULL;
	struct iommu_ioasid_range *ranges;
	uint32_t room = 16;
	int rc;

	/* The number of ranges can grow between two calls. */
	for (;;) {
		free(info);
		info = calloc(1, sizeof(*info) + room * sizeof(*ranges));
		if (!info)
			return iommu_fail(dev->ctx, ENOMEM, NULL, "%s", dev->name);
		ranges = (struct iommu_ioasid_range *)(info + 1);
		cmd = (struct iommu_device_info) {
			.size = sizeof(cmd),
			.label = dev->label,
			.nr_ranges = room,
			.ranges = (uintptr_t)ranges,
		};
		rc = iommu_ctx_ioctl(dev->ctx, IOMMU_DEVICE_GET_INFO, &cmd);
		if (rc != -EMSGSIZE || cmd.nr_ranges <= room)
			break;
		room = cmd.nr_ranges;
	}
	if (rc) {
		free(info);
		return iommu_fail(dev->ctx, -rc, NULL,
				  "%s: cannot ask what it can do", dev->name);
	}
	info->flags = cmd.flags;
	info->addr_width_bits = cmd.addr_width_bits;
	info->pasid_width_bits = cmd.pasid_width_bits;
	info->hw_type = cmd.hw_type;
	info->pgsize_bitmap = cmd.pgsize_bitmap;
	info->formats = cmd.formats;
	info->hw_cap = cmd.hw_cap;
	info->hw_ecap = cmd.hw_ecap;
	info->nr_ranges = cmd.nr_ranges;
	info->ranges = ranges;
	*out = info;
	return 0;
}

void iommu_dev_info_free(struct iommu_dev_info *info)
{
	free(info);
}

int iommu_dev_attach(struct iommu_dev *dev, uint32_t ioasid)
{
	struct iommu_device_attach cmd = {
		.size = sizeof(cmd),
		.iommu_fd = dev->ctx->fd,
		.ioasid = ioasid,
	};
	int rc;

	rc = iommu_dev_ioctl(dev, IOMMU_DEVICE_ATTACH_IOASID, &cmd);
	if (rc < 0)
		return iommu_fail(dev->ctx, -rc, attach_remedies,
				  "%s: cannot attach it to IOASID %u",
				  dev->name, ioasid);
	return 0;
}

int iommu_dev_detach(struct iommu_dev *dev, uint32_t ioasid)
{
	struct iommu_device_detach cmd = {
		.size = sizeof(cmd),
		.iommu_fd = dev->ctx->fd,
		.ioasid = ioasid,
	};
	int rc;

	rc = iommu_dev_ioctl(dev, IOMMU_DEVICE_DETACH_IOASID, &cmd);
	if (rc < 0)
		return iommu_fail(dev->ctx, -rc, detach_remedies,
				  "%s: cannot detach it from IOASID %u",
				  dev->name, ioasid);
	return 0;
}

/* The cause lies in the PASID, if the device has not got it. */
static int explain_pasid(struct iommu_dev *dev, uint32_t ioasid, uint32_t pasid,
			 int err)
{
	struct iommu_device_info info = {
		.size = sizeof(info),
		.label = dev->label,
	};
	const struct remedy *r;
	int rc;

	/* Asked for no ranges, it has filled in the rest. */
	rc = err == EINVAL ? iommu_ctx_ioctl(dev->ctx, IOMMU_DEVICE_GET_INFO, &info) :
			     -EINVAL;
	if ((!rc || rc == -EMSGSIZE) && !info.pasid_width_bits)
		return iommu_refuse(dev->ctx, err,
				    "%s: cannot attach PASID %u to IOASID %u: it has no PASIDs, or its IOMMU does not take them: 'iommuctl doctor %s' says which",
				    dev->name, pasid, ioasid, dev->name);
	if ((!rc || rc == -EMSGSIZE) &&
	    (!pasid || pasid >> 20 || pasid >> info.pasid_width_bits))
		return iommu_refuse(dev->ctx, err,
				    "%s: cannot attach PASID %u to IOASID %u: its PASIDs are 1 to %u",
				    dev->name, pasid, ioasid,
				    (1u << info.pasid_width_bits) - 1);
	for (r = attach_pasid_remedies; r->err && r->err != err; r++)
		;
	return iommu_fail(dev->ctx, err,
			  r->err ? attach_pasid_remedies : attach_remedies,
			  "%s: cannot attach PASID %u to IOASID %u", dev->name,
			  pasid, ioasid);
}

int iommu_dev_attach_pasid(struct iommu_dev *dev, uint32_t ioasid,
			   uint32_t pasid)
{
	struct iommu_device_attach cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_DEVICE_ATTACH_VPASID,
		.iommu_fd = dev->ctx->fd,
		.ioasid = ioasid,
		.vpasid = pasid,
	};
	int rc;

	rc = iommu_dev_ioctl(dev, IOMMU_DEVICE_ATTACH_IOASID, &cmd);
	return rc < 0 ? explain_pasid(dev, ioasid, pasid, -rc) : 0;
}

int iommu_dev_detach_pasid(struct iommu_dev *dev, uint32_t ioasid,
			   uint32_t pasid)
{
	struct iommu_device_detach cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_DEVICE_ATTACH_VPASID,
		.iommu_fd = dev->ctx->fd,
		.ioasid = ioasid,
		.vpasid = pasid,
	};
	int rc;

	rc = iommu_dev_ioctl(dev, IOMMU_DEVICE_DETACH_IOASID, &cmd);
	if (rc < 0)
		return iommu_fail(dev->ctx, -rc, detach_remedies,
				  "%s: cannot detach PASID %u from IOASID %u",
				  dev->name, pasid, ioasid);
	return 0;
}

int iommu_dev_reset(struct iommu_dev *dev)
{
	int rc = iommu_dev_ioctl(dev, VFIO_DEVICE_RESET, NULL);

	if (rc < 0)
		return iommu_fail(dev->ctx, -rc, reset_remedies,
				  "%s: cannot reset it", dev->name);
	return 0;
}
