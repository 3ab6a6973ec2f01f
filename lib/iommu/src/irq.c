// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "priv.h"

_Static_assert((int)IOMMU_IRQ_INTX == VFIO_PCI_INTX_IRQ_INDEX &&
	       (int)IOMMU_IRQ_MSI == VFIO_PCI_MSI_IRQ_INDEX &&
	       (int)IOMMU_IRQ_MSIX == VFIO_PCI_MSIX_IRQ_INDEX,
	       "the public numbers are the kernel's");

static const char *kind_name(enum iommu_irq_kind kind)
{
	static const char * const names[] = {
		[IOMMU_IRQ_INTX] = "INTx",
		[IOMMU_IRQ_MSI] = "MSI",
		[IOMMU_IRQ_MSIX] = "MSI-X",
	};

	return (unsigned int)kind < ARRAY_SIZE(names) ? names[kind] : "?";
}

int iommu_irq_get_count(struct iommu_dev *dev, enum iommu_irq_kind kind,
			unsigned int *count)
{
	struct vfio_irq_info info = {
		.argsz = sizeof(info),
		.index = kind,
	};
	int rc;

	rc = iommu_dev_ioctl(dev, VFIO_DEVICE_GET_IRQ_INFO, &info);
	if (rc < 0)
		return iommu_fail(dev->ctx, -rc, NULL,
				  "%s: cannot ask for its %s interrupts",
				  dev->name, kind_name(kind));
	*count = info.count;
	return 0;
}

/* Tell the kernel where the vectors of @dev->irq_fds go. */
static int set_eventfds(struct iommu_dev *dev, enum iommu_irq_kind kind,
			unsigned int count)
{
	size_t len = sizeof(struct vfio_irq_set) + count * sizeof(int);
	struct vfio_irq_set *set;
	int rc;

	set = calloc(1, len);
	if (!set)
		return -ENOMEM;
	set->argsz = (uint32_t)len;
	set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	set->index = kind;
	set->count = count;
	memcpy(set->data, dev->irq_fds, count * sizeof(int));
	rc = iommu_dev_ioctl(dev, VFIO_DEVICE_SET_IRQS, set);
	free(set);
	/* A positive value is the number of vectors the host has to offer. */
	return rc > 0 ? -ENOSPC : rc;
}

static void close_eventfds(struct iommu_dev *dev, unsigned int count)
{
	while (count--)
		close(dev->irq_fds[count]);
	free(dev->irq_fds);
	dev->irq_fds = NULL;
}

static int open_eventfds(struct iommu_dev *dev, unsigned int count)
{
	unsigned int i;
	int err;

	dev->irq_fds = calloc(count, sizeof(int));
	if (!dev->irq_fds)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		dev->irq_fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (dev->irq_fds[i] < 0) {
			err = errno;
			close_eventfds(dev, i);
			return -err;
		}
	}
	return 0;
}

int iommu_irq_enable(struct iommu_dev *dev, enum iommu_irq_kind kind,
		     unsigned int count)
{
	static const struct remedy remedies[] = {
		{ ENOSPC, "the machine has no more vectors" },
		{ EMFILE, "one fd for each vector: see 'ulimit -n'" },
		{}
	};
	unsigned int have;
	int rc;

	if (dev->irq_count)
		return iommu_refuse(dev->ctx, EALREADY,
				    "%s: %s interrupts are enabled", dev->name,
				    kind_name(dev->irq_kind));
	if (!count)
		return iommu_refuse(dev->ctx, EINVAL, "%s: 0 interrupts",
				    dev->name);
	rc = iommu_irq_get_count(dev, kind, &have);
	if (rc)
		return rc;
	if (count > have)
		return iommu_refuse(dev->ctx, ENOSPC,
				    "%s: has %u %s interrupts, not %u",
				    dev->name, have, kind_name(kind), count);

	rc = open_eventfds(dev, count);
	if (!rc) {
		rc = set_eventfds(dev, kind, count);
		if (rc)
			close_eventfds(dev, count);
	}
	if (rc)
		return iommu_fail(dev->ctx, -rc, remedies,
				  "%s: cannot enable %u %s interrupts",
				  dev->name, count, kind_name(kind));
	dev->irq_kind = kind;
	dev->irq_count = count;
	return 0;
}

void iommu_irq_release(struct iommu_dev *dev)
{
	if (dev->irq_count)
		close_eventfds(dev, dev->irq_count);
	dev->irq_count = 0;
}

int iommu_irq_disable(struct iommu_dev *dev)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = dev->irq_kind,
	};
	int rc;

	if (!dev->irq_count)
		return 0;
	rc = iommu_dev_ioctl(dev, VFIO_DEVICE_SET_IRQS, &set);
	if (rc < 0)
		return iommu_fail(dev->ctx, -rc, NULL,
				  "%s: cannot disable its %s interrupts",
				  dev->name, kind_name(dev->irq_kind));
	iommu_irq_release(dev);
	return 0;
}

int iommu_irq_fd(const struct iommu_dev *dev, unsigned int vector)
{
	return vector < dev->irq_count ? dev->irq_fds[vector] : -EINVAL;
}

int iommu_irq_wait(struct iommu_dev *dev, unsigned int vector, int timeout_ms,
		   uint64_t *count)
{
	struct pollfd pfd = {
		.fd = iommu_irq_fd(dev, vector),
		.events = POLLIN,
	};
	uint64_t events;
	int n;

	if (pfd.fd < 0)
		return iommu_refuse(dev->ctx, EINVAL,
				    "%s: interrupt %u is not enabled",
				    dev->name, vector);
	for (;;) {
		n = poll(&pfd, 1, timeout_ms);
		if (n < 0)
			return iommu_fail(dev->ctx, errno, NULL,
					  "%s: interrupt %u", dev->name, vector);
		if (!n)
			return iommu_refuse(dev->ctx, ETIMEDOUT,
					    "%s: no interrupt %u within %d ms",
					    dev->name, vector, timeout_ms);
		if (read(pfd.fd, &events, sizeof(events)) == sizeof(events))
			break;
		/* Another thread was faster: wait for the next one. */
		if (errno != EAGAIN)
			return iommu_fail(dev->ctx, errno, NULL,
					  "%s: interrupt %u", dev->name, vector);
	}
	if (count)
		*count = events;
	return 0;
}

int iommu_irq_unmask(struct iommu_dev *dev)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
		.index = VFIO_PCI_INTX_IRQ_INDEX,
		.count = 1,
	};
	int rc;

	if (!dev->irq_count || dev->irq_kind != IOMMU_IRQ_INTX)
		return iommu_refuse(dev->ctx, EINVAL, "%s: INTx is not enabled",
				    dev->name);
	rc = iommu_dev_ioctl(dev, VFIO_DEVICE_SET_IRQS, &set);
	if (rc < 0)
		return iommu_fail(dev->ctx, -rc, NULL, "%s: cannot unmask INTx",
				  dev->name);
	return 0;
}
