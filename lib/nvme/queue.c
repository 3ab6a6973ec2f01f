// SPDX-License-Identifier: LGPL-2.1-or-later
#include <endian.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "nvme.h"

int nvme_queue_alloc(struct nvme_ctrl *ctrl, struct nvme_queue *queue,
		     unsigned int id, unsigned int vector, unsigned int entries)
{
	int rc;

	*queue = (struct nvme_queue) {
		.ctrl = ctrl,
		.id = id,
		.vector = vector,
		.entries = entries,
		.phase = 1,
	};
	rc = iommu_buf_alloc(ctrl->ctx, ctrl->ioasid,
			     entries * sizeof(struct nvme_sqe), IOMMU_BUF_ANON,
			     &queue->sq);
	if (!rc)
		rc = iommu_buf_alloc(ctrl->ctx, ctrl->ioasid,
				     entries * sizeof(struct nvme_cqe),
				     IOMMU_BUF_ANON, &queue->cq);
	return rc ? nvme_fail_iommu(ctrl, rc) : 0;
}

void nvme_queue_free(struct nvme_queue *queue)
{
	iommu_buf_free(queue->sq);
	iommu_buf_free(queue->cq);
	queue->sq = NULL;
	queue->cq = NULL;
}

/* Doorbells lie in pairs, CAP.DSTRD says how far apart. */
static unsigned int doorbell(const struct nvme_queue *queue, bool completion)
{
	unsigned int stride = 4u << NVME_CAP_DSTRD(queue->ctrl->cap);

	return NVME_DOORBELLS + (2 * queue->id + completion) * stride;
}

void nvme_queue_submit(struct nvme_queue *queue, const struct nvme_sqe *sqe)
{
	struct nvme_sqe *entries = iommu_buf_addr(queue->sq);

	entries[queue->sq_tail] = *sqe;
	queue->sq_tail = (queue->sq_tail + 1) % queue->entries;
	/* The command is in memory before the controller hears of it. */
	atomic_thread_fence(memory_order_seq_cst);
	nvme_write32(queue->ctrl, doorbell(queue, false), queue->sq_tail);
}

/* Take the next completion if there is one. */
static bool take(struct nvme_queue *queue, struct nvme_cqe *cqe)
{
	struct nvme_cqe *entries = iommu_buf_addr(queue->cq);
	struct nvme_cqe *next = &entries[queue->cq_head];
	uint16_t status;

	status = le16toh(*(volatile uint16_t *)&next->status);
	if ((status & NVME_CQE_PHASE) != queue->phase)
		return false;
	/* The rest of the entry is no older than its phase bit. */
	atomic_thread_fence(memory_order_acquire);
	*cqe = *next;

	queue->cq_head++;
	if (queue->cq_head == queue->entries) {
		queue->cq_head = 0;
		queue->phase ^= 1;
	}
	nvme_write32(queue->ctrl, doorbell(queue, true), queue->cq_head);
	return true;
}

/* The interrupt did not come: what does the controller say? */
static int explain_timeout(struct nvme_queue *queue)
{
	struct nvme_ctrl *ctrl = queue->ctrl;
	uint32_t csts = nvme_read32(ctrl, NVME_CSTS);
	struct nvme_cqe cqe;

	if (csts == UINT32_MAX)
		return nvme_fail(ctrl, -ENODEV,
				 "the controller is gone: its registers read as ones");
	if (csts & NVME_CSTS_CFS)
		return nvme_fail(ctrl, -EIO,
				 "the controller reports a fatal error (CSTS %#x); DMA that the IOMMU refused is one cause, see 'iommuctl monitor'",
				 csts);
	if (take(queue, &cqe))
		return nvme_fail(ctrl, -ETIMEDOUT,
				 "a command has completed, but its interrupt (MSI-X vector %u) never came",
				 queue->vector);
	return nvme_fail(ctrl, -ETIMEDOUT,
			 "queue %u: no completion within %d ms (CSTS %#x)",
			 queue->id, ctrl->timeout_ms, csts);
}

int nvme_queue_wait(struct nvme_queue *queue, struct nvme_cqe *cqe)
{
	struct nvme_ctrl *ctrl = queue->ctrl;
	int rc;

	/*
	 * An interrupt can stand for several completions, and one that was
	 * counted may have been dealt with: so look first, then sleep.
	 */
	while (!take(queue, cqe)) {
		rc = iommu_irq_wait(ctrl->dev, queue->vector, ctrl->timeout_ms,
				    NULL);
		if (rc == -ETIMEDOUT)
			return explain_timeout(queue);
		if (rc)
			return nvme_fail_iommu(ctrl, rc);
	}
	return 0;
}

int nvme_admin(struct nvme_ctrl *ctrl, const char *what, struct nvme_sqe *sqe,
	       uint32_t *result)
{
	struct nvme_cqe cqe;
	unsigned int status;
	int rc;

	sqe->cid = htole16((uint16_t)ctrl->admin.sq_tail);
	nvme_queue_submit(&ctrl->admin, sqe);
	rc = nvme_queue_wait(&ctrl->admin, &cqe);
	if (rc)
		return rc;
	if (cqe.cid != sqe->cid)
		return nvme_fail(ctrl, -EIO,
				 "'%s': the controller completed command %u instead of %u",
				 what, le16toh(cqe.cid), le16toh(sqe->cid));
	status = le16toh(cqe.status);
	if (NVME_STATUS_SC(status) || NVME_STATUS_SCT(status))
		return nvme_fail_status(ctrl, what, status);
	if (result)
		*result = le32toh(cqe.dw0);
	return 0;
}
