// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reading with several commands in flight. Each has a slot with a piece of the
 * data buffer and a PRP list of its own. Slots are used in turn, so that data
 * comes out in order though commands may complete in any.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "nvme.h"

#define SLOTS		8u
#define MAX_CHUNK	(512u * 1024)	/* a PRP list of one page holds 2 MiB */

/**
 * struct slot - one command
 * @busy: submitted and not completed
 * @len: bytes that it reads
 */
struct slot {
	bool busy;
	size_t len;
};

/**
 * struct reader - one nvme_read()
 * @ctrl: the controller
 * @ns: the namespace
 * @chunk: most bytes that a command reads
 * @data: SLOTS * @chunk bytes
 * @lists: a page for each slot's PRP list
 * @next_block: where the next command begins
 * @blocks_left: to be asked for
 * @submitted: commands so far; number n has slot n % SLOTS
 * @slots: the commands in flight
 */
struct reader {
	struct nvme_ctrl *ctrl;
	const struct nvme_namespace *ns;
	size_t chunk;
	struct iommu_buf *data;
	struct iommu_buf *lists;
	uint64_t next_block;
	uint64_t blocks_left;
	uint64_t submitted;
	struct slot slots[SLOTS];
};

/*
 * PRP 1 is the first page. PRP 2 is the second when there are two, and the list
 * of all but the first when there are more.
 */
static void set_prps(struct reader *r, unsigned int index, struct nvme_sqe *sqe)
{
	uint64_t iova = iommu_buf_iova(r->data) + index * r->chunk;
	size_t pages = (r->slots[index].len + NVME_PAGE_BYTES - 1) / NVME_PAGE_BYTES;
	uint64_t *list = iommu_buf_addr(r->lists);
	size_t i;

	sqe->prp1 = htole64(iova);
	if (pages == 2)
		sqe->prp2 = htole64(iova + NVME_PAGE_BYTES);
	if (pages <= 2)
		return;
	list += index * (NVME_PAGE_BYTES / sizeof(*list));
	for (i = 1; i < pages; i++)
		list[i - 1] = htole64(iova + i * NVME_PAGE_BYTES);
	sqe->prp2 = htole64(iommu_buf_iova(r->lists) + index * NVME_PAGE_BYTES);
}

static void submit_next(struct reader *r)
{
	unsigned int index = (unsigned int)(r->submitted % SLOTS);
	uint64_t blocks = r->chunk / r->ns->block_bytes;
	struct nvme_sqe sqe = {
		.opc = NVME_IO_READ,
		.cid = htole16((uint16_t)index),
		.nsid = htole32(r->ns->id),
	};

	if (blocks > r->blocks_left)
		blocks = r->blocks_left;
	r->slots[index].len = blocks * r->ns->block_bytes;
	r->slots[index].busy = true;
	set_prps(r, index, &sqe);
	sqe.cdw10 = htole32((uint32_t)r->next_block);
	sqe.cdw11 = htole32((uint32_t)(r->next_block >> 32));
	sqe.cdw12 = htole32((uint32_t)blocks - 1);
	r->next_block += blocks;
	r->blocks_left -= blocks;
	r->submitted++;
	nvme_queue_submit(&r->ctrl->io, &sqe);
}

/* Wait until command number @n has completed. */
static int wait_for(struct reader *r, uint64_t n)
{
	struct nvme_ctrl *ctrl = r->ctrl;
	struct nvme_cqe cqe;
	unsigned int cid, status;
	int rc;

	while (r->slots[n % SLOTS].busy) {
		rc = nvme_queue_wait(&ctrl->io, &cqe);
		if (rc)
			return rc;
		cid = le16toh(cqe.cid);
		if (cid >= SLOTS || !r->slots[cid].busy)
			return nvme_fail(ctrl, -EIO,
					 "the controller completed command %u, which is not outstanding",
					 cid);
		r->slots[cid].busy = false;
		status = le16toh(cqe.status);
		if (NVME_STATUS_SC(status) || NVME_STATUS_SCT(status))
			return nvme_fail_status(ctrl, "read", status);
	}
	return 0;
}

/* Hand on what the caller asked for; commands read whole blocks. */
static int deliver(struct reader *r, uint64_t n, size_t skip, uint64_t *left,
		   nvme_sink_fn sink, void *arg)
{
	unsigned int index = (unsigned int)(n % SLOTS);
	const uint8_t *data = iommu_buf_addr(r->data);
	size_t len = r->slots[index].len - skip;

	if (len > *left)
		len = (size_t)*left;
	*left -= len;
	return sink(arg, data + index * r->chunk + skip, len);
}

static int run(struct reader *r, size_t skip, uint64_t length,
	       nvme_sink_fn sink, void *arg)
{
	uint64_t delivered = 0;
	int rc;

	while (r->blocks_left || delivered < r->submitted) {
		while (r->blocks_left && r->submitted - delivered < SLOTS)
			submit_next(r);
		rc = wait_for(r, delivered);
		if (rc)
			return rc;
		rc = deliver(r, delivered, skip, &length, sink, arg);
		if (rc)
			return rc;
		delivered++;
		skip = 0;
	}
	return 0;
}

/*
 * Let commands that are under way end. One that never does is stopped by the
 * IOMMU, once its buffer is unmapped.
 */
static void drain(struct reader *r)
{
	uint64_t n;

	for (n = 0; n < SLOTS; n++)
		if (r->slots[n].busy && wait_for(r, n) == -ETIMEDOUT)
			return;
}

int nvme_read(struct nvme_ctrl *ctrl, const struct nvme_info *info,
	      const struct nvme_namespace *ns, uint64_t offset, uint64_t length,
	      nvme_sink_fn sink, void *arg)
{
	uint64_t size = ns->blocks * ns->block_bytes;
	struct reader r = {
		.ctrl = ctrl,
		.ns = ns,
		.chunk = MAX_CHUNK,
		.next_block = offset / ns->block_bytes,
	};
	size_t skip = offset % ns->block_bytes;
	char kept[sizeof(ctrl->error)];
	int rc;

	if (offset > size || length > size - offset)
		return nvme_fail(ctrl, -EINVAL,
				 "%llu bytes at %llu reach beyond the end of the namespace, which has %llu",
				 (unsigned long long)length,
				 (unsigned long long)offset,
				 (unsigned long long)size);
	if (!length)
		return 0;
	if (info->max_transfer_bytes && info->max_transfer_bytes < r.chunk)
		r.chunk = info->max_transfer_bytes;
	if (r.chunk < ns->block_bytes)
		r.chunk = ns->block_bytes;
	r.blocks_left = (skip + length + ns->block_bytes - 1) / ns->block_bytes;

	rc = iommu_buf_alloc(ctrl->ctx, ctrl->ioasid, SLOTS * r.chunk,
			     IOMMU_BUF_ANON, &r.data);
	if (!rc)
		rc = iommu_buf_alloc(ctrl->ctx, ctrl->ioasid,
				     SLOTS * NVME_PAGE_BYTES, IOMMU_BUF_ANON,
				     &r.lists);
	if (rc) {
		nvme_fail_iommu(ctrl, rc);
	} else {
		nvme_log(ctrl, "%s: reading %llu bytes, up to %u commands of %zu KiB in flight",
			 iommu_dev_name(ctrl->dev), (unsigned long long)length,
			 SLOTS, r.chunk / 1024);
		rc = run(&r, skip, length, sink, arg);
		if (rc) {
			memcpy(kept, ctrl->error, sizeof(kept));
			drain(&r);
			memcpy(ctrl->error, kept, sizeof(kept));
		}
	}
	iommu_buf_free(r.data);
	iommu_buf_free(r.lists);
	return rc;
}
