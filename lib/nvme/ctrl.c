// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a PCI function to a controller that takes admin commands, and back.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "nvme.h"

#define POLL_NS		1000000		/* 1 ms */
#define CLASS_REVISION	0x08		/* PCI configuration space */
#define CLASS_NVME	0x010802
#define LABEL		0x6e766d65	/* "nvme" */

uint32_t nvme_read32(struct nvme_ctrl *ctrl, unsigned int reg)
{
	return *(volatile uint32_t *)(ctrl->regs + reg);
}

void nvme_write32(struct nvme_ctrl *ctrl, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(ctrl->regs + reg) = value;
}

/* In two halves: not every machine can do 64 bits at once. */
static uint64_t read64(struct nvme_ctrl *ctrl, unsigned int reg)
{
	uint64_t low = nvme_read32(ctrl, reg);

	return low | (uint64_t)nvme_read32(ctrl, reg + 4) << 32;
}

static void write64(struct nvme_ctrl *ctrl, unsigned int reg, uint64_t value)
{
	nvme_write32(ctrl, reg, (uint32_t)value);
	nvme_write32(ctrl, reg + 4, (uint32_t)(value >> 32));
}

/* Wait until CSTS under @mask is @want. */
static int wait_status(struct nvme_ctrl *ctrl, const char *what, uint32_t mask,
		       uint32_t want)
{
	struct timespec pause = { .tv_nsec = POLL_NS };
	uint32_t csts = 0;
	int ms;

	for (ms = 0; ms <= ctrl->timeout_ms; ms++) {
		csts = nvme_read32(ctrl, NVME_CSTS);
		if (csts == UINT32_MAX)
			return nvme_fail(ctrl, -ENODEV,
					 "%s: the controller is gone: its registers read as ones",
					 what);
		if ((csts & mask) == want)
			return 0;
		/* A fatal error ends with the reset that is being waited for. */
		if (csts & NVME_CSTS_CFS && want)
			return nvme_fail(ctrl, -EIO,
					 "%s: the controller reports a fatal error (CSTS %#x)",
					 what, csts);
		nanosleep(&pause, NULL);
	}
	return nvme_fail(ctrl, -ETIMEDOUT, "%s: not within %d ms (CSTS %#x)",
			 what, ctrl->timeout_ms, csts);
}

static int check_class(struct nvme_ctrl *ctrl, const char *bdf)
{
	uint32_t class;
	int rc;

	rc = iommu_pci_read32(ctrl->dev, CLASS_REVISION, &class);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);
	if (class >> 8 != CLASS_NVME)
		return nvme_fail(ctrl, -EINVAL,
				 "%s is not an NVMe controller (class %06x)",
				 bdf, class >> 8);
	return 0;
}

/* What can be known before there is an address space. */
static int log_abilities(struct nvme_ctrl *ctrl)
{
	const char *name = iommu_dev_name(ctrl->dev);
	struct iommu_dev_info *info;
	size_t i;
	int rc;

	nvme_log(ctrl, "%s: bound to /dev/iommu under label %#llx, its DMA is blocked",
		 name, (unsigned long long)LABEL);
	rc = iommu_dev_get_info(ctrl->dev, &info);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);
	nvme_log(ctrl, "%s: addresses of %u bits, pages of 4K%s%s, snooping %s be enforced",
		 name, info->addr_width_bits,
		 info->pgsize_bitmap & 1 << 21 ? " 2M" : "",
		 info->pgsize_bitmap & 1 << 30 ? " 1G" : "",
		 info->flags & IOMMU_DEVICE_INFO_ENFORCE_SNOOP ? "can" : "cannot");
	for (i = 0; i < info->nr_ranges; i++)
		nvme_log(ctrl, "%s: mappings are permitted in %#llx-%#llx", name,
			 (unsigned long long)info->ranges[i].start,
			 (unsigned long long)info->ranges[i].last);
	iommu_dev_info_free(info);
	return 0;
}

/* Device, registers, address space, interrupts. */
static int open_device(struct nvme_ctrl *ctrl, const char *bdf)
{
	unsigned int vectors;
	void *regs;
	int rc;

	rc = iommu_ctx_open(ctrl->ctx);
	if (!rc)
		rc = iommu_dev_open(ctrl->ctx, bdf, LABEL, &ctrl->dev);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);
	rc = log_abilities(ctrl);
	if (rc)
		return rc;
	rc = iommu_ioas_alloc(ctrl->ctx, NULL, &ctrl->ioasid);
	if (!rc)
		rc = iommu_dev_attach(ctrl->dev, ctrl->ioasid);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);
	nvme_log(ctrl, "%s: attached to IOASID %u, an address space of its own",
		 iommu_dev_name(ctrl->dev), ctrl->ioasid);

	rc = check_class(ctrl, bdf);
	if (rc)
		return rc;
	rc = iommu_region_map(ctrl->dev, IOMMU_REGION_BAR0, &regs,
			      &ctrl->regs_len);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);
	ctrl->regs = regs;

	rc = iommu_irq_get_count(ctrl->dev, IOMMU_IRQ_MSIX, &vectors);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);
	if (!vectors)
		return nvme_fail(ctrl, -EOPNOTSUPP,
				 "%s has no MSI-X interrupts", bdf);
	/* One for each queue, or both queues share the only one. */
	ctrl->vectors = vectors < 2 ? vectors : 2;
	rc = iommu_irq_enable(ctrl->dev, IOMMU_IRQ_MSIX, ctrl->vectors);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);
	nvme_log(ctrl, "%s: %zu bytes of registers, %u of %u MSI-X vectors",
		 iommu_dev_name(ctrl->dev), ctrl->regs_len, ctrl->vectors,
		 vectors);
	return 0;
}

static int disable(struct nvme_ctrl *ctrl)
{
	uint32_t cc = nvme_read32(ctrl, NVME_CC);

	nvme_write32(ctrl, NVME_CC, cc & ~NVME_CC_EN);
	return wait_status(ctrl, "reset", NVME_CSTS_RDY, 0);
}

static int enable(struct nvme_ctrl *ctrl)
{
	int rc;

	if (NVME_CAP_MPSMIN(ctrl->cap))
		return nvme_fail(ctrl, -EOPNOTSUPP,
				 "the controller's smallest page is %u KiB",
				 4u << NVME_CAP_MPSMIN(ctrl->cap));
	rc = nvme_queue_alloc(ctrl, &ctrl->admin, 0, 0, NVME_ADMIN_ENTRIES);
	if (rc)
		return rc;
	nvme_write32(ctrl, NVME_AQA, NVME_AQA_SIZES(NVME_ADMIN_ENTRIES));
	write64(ctrl, NVME_ASQ, iommu_buf_iova(ctrl->admin.sq));
	write64(ctrl, NVME_ACQ, iommu_buf_iova(ctrl->admin.cq));

	rc = iommu_pci_set_bus_master(ctrl->dev, true);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);
	nvme_write32(ctrl, NVME_CC,
		     NVME_CC_EN | NVME_CC_CSS_NVM | NVME_CC_MPS_4K |
		     NVME_CC_IOSQES_64 | NVME_CC_IOCQES_16);
	return wait_status(ctrl, "enable", NVME_CSTS_RDY, NVME_CSTS_RDY);
}

int nvme_open(struct nvme_ctrl *ctrl, const char *bdf)
{
	int rc;

	ctrl->ctx = iommu_ctx_new();
	if (!ctrl->ctx)
		return nvme_fail(ctrl, -ENOMEM, "out of memory");
	rc = open_device(ctrl, bdf);
	if (rc)
		return rc;
	rc = iommu_buf_alloc(ctrl->ctx, ctrl->ioasid, NVME_PAGE_BYTES,
			     IOMMU_BUF_ANON, &ctrl->scratch);
	if (rc)
		return nvme_fail_iommu(ctrl, rc);

	ctrl->cap = read64(ctrl, NVME_CAP);
	/* In units of half a second; a controller that says 0 means little. */
	ctrl->timeout_ms = (int)(NVME_CAP_TO(ctrl->cap) + 1) * 500;
	if (ctrl->timeout_ms < 5000)
		ctrl->timeout_ms = 5000;

	rc = disable(ctrl);
	if (!rc)
		rc = enable(ctrl);
	if (!rc)
		nvme_log(ctrl, "%s: controller reset and enabled, CAP %#llx",
			 iommu_dev_name(ctrl->dev),
			 (unsigned long long)ctrl->cap);
	return rc;
}

/* Let the controller write its caches back; it may be broken, so best effort. */
static void shut_down(struct nvme_ctrl *ctrl)
{
	uint32_t cc = nvme_read32(ctrl, NVME_CC);
	char kept[sizeof(ctrl->error)];

	if (cc == UINT32_MAX)
		return;
	/* What went wrong before matters more than what goes wrong now. */
	memcpy(kept, ctrl->error, sizeof(kept));
	if (cc & NVME_CC_EN) {
		nvme_write32(ctrl, NVME_CC,
			     (cc & ~NVME_CC_SHN_MASK) | NVME_CC_SHN_NORMAL);
		wait_status(ctrl, "shutdown", NVME_CSTS_SHST_MASK,
			    NVME_CSTS_SHST_DONE);
		disable(ctrl);
	}
	memcpy(ctrl->error, kept, sizeof(kept));
}

void nvme_close(struct nvme_ctrl *ctrl)
{
	if (!ctrl->ctx)
		return;
	if (ctrl->regs) {
		/* Without the admin queue's memory it was never enabled. */
		if (ctrl->admin.cq)
			shut_down(ctrl);
		iommu_region_unmap(ctrl->dev, (void *)ctrl->regs,
				   ctrl->regs_len);
	}
	if (ctrl->dev)
		nvme_log(ctrl, "%s: shut down and given back",
			 iommu_dev_name(ctrl->dev));
	/* The device before its memory: nobody writes there any more. */
	iommu_dev_close(ctrl->dev);
	nvme_queue_free(&ctrl->io);
	nvme_queue_free(&ctrl->admin);
	iommu_buf_free(ctrl->scratch);
	iommu_ctx_free(ctrl->ctx);
	ctrl->ctx = NULL;
}
