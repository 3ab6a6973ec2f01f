// SPDX-License-Identifier: LGPL-2.1-or-later
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "nvme.h"

static uint64_t get_le(const uint8_t *data, size_t offset, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | data[offset + bytes];
	return value;
}

/* Texts are padded with blanks, and not terminated. */
static void get_text(const uint8_t *data, size_t offset, size_t len, char *out)
{
	size_t i;

	while (len && (data[offset + len - 1] == ' ' || !data[offset + len - 1]))
		len--;
	for (i = 0; i < len; i++)
		out[i] = data[offset + i] < ' ' || data[offset + i] > '~' ?
			 '?' : (char)data[offset + i];
	out[len] = '\0';
}

static int identify(struct nvme_ctrl *ctrl, const char *what, uint32_t nsid,
		    uint32_t cns)
{
	struct nvme_sqe sqe = {
		.opc = NVME_ADMIN_IDENTIFY,
		.nsid = htole32(nsid),
		.prp1 = htole64(iommu_buf_iova(ctrl->scratch)),
		.cdw10 = htole32(cns),
	};

	memset(iommu_buf_addr(ctrl->scratch), 0, NVME_PAGE_BYTES);
	return nvme_admin(ctrl, what, &sqe, NULL);
}

int nvme_identify(struct nvme_ctrl *ctrl, struct nvme_info *info)
{
	const uint8_t *data = iommu_buf_addr(ctrl->scratch);
	unsigned int mdts;
	int rc;

	rc = identify(ctrl, "identify controller", 0, NVME_CNS_CONTROLLER);
	if (rc)
		return rc;
	info->vendor = (uint16_t)get_le(data, NVME_IDCTRL_VID, 2);
	get_text(data, NVME_IDCTRL_SN, NVME_IDCTRL_SN_LEN, info->serial);
	get_text(data, NVME_IDCTRL_MN, NVME_IDCTRL_MN_LEN, info->model);
	get_text(data, NVME_IDCTRL_FR, NVME_IDCTRL_FR_LEN, info->firmware);
	info->version = nvme_read32(ctrl, NVME_VS);
	info->namespaces = (uint32_t)get_le(data, NVME_IDCTRL_NN, 4);
	/* A power of two of pages; beyond 1 GiB it is no limit for us. */
	mdts = data[NVME_IDCTRL_MDTS];
	info->max_transfer_bytes =
		mdts && mdts < 18 ? (size_t)NVME_PAGE_BYTES << mdts : 0;
	return 0;
}

int nvme_identify_namespace(struct nvme_ctrl *ctrl, uint32_t id,
			    struct nvme_namespace *ns)
{
	const uint8_t *data = iommu_buf_addr(ctrl->scratch);
	unsigned int flbas, index, lbads;
	uint32_t lbaf;
	int rc;

	rc = identify(ctrl, "identify namespace", id, NVME_CNS_NAMESPACE);
	if (rc)
		return rc;
	ns->id = id;
	ns->blocks = get_le(data, NVME_IDNS_NSZE, 8);
	if (!ns->blocks)
		return nvme_fail(ctrl, -ENOENT,
				 "the controller has no namespace %u", id);

	/* Which of up to 64 formats is in use, four bits and two more. */
	flbas = data[NVME_IDNS_FLBAS];
	index = (flbas & 0xf) | (flbas >> 1 & 0x30);
	lbaf = (uint32_t)get_le(data, NVME_IDNS_LBAF + 4 * index, 4);
	lbads = NVME_LBAF_LBADS(lbaf);
	if (lbads < 9 || lbads > 16)
		return nvme_fail(ctrl, -EOPNOTSUPP,
				 "namespace %u has blocks of 2^%u bytes", id,
				 lbads);
	if (NVME_LBAF_MS(lbaf))
		return nvme_fail(ctrl, -EOPNOTSUPP,
				 "namespace %u is formatted with metadata", id);
	ns->block_bytes = 1u << lbads;
	return 0;
}

int nvme_create_io_queue(struct nvme_ctrl *ctrl)
{
	unsigned int have = NVME_CAP_MQES(ctrl->cap) + 1;
	unsigned int entries = have < NVME_IO_ENTRIES ? have : NVME_IO_ENTRIES;
	struct nvme_sqe queues = {
		.opc = NVME_ADMIN_SET_FEATURES,
		.cdw10 = htole32(NVME_FEATURE_QUEUES),
		/* One of each, and 0 stands for 1. */
	};
	struct nvme_sqe cq = {}, sq = {};
	int rc;

	rc = nvme_queue_alloc(ctrl, &ctrl->io, 1, ctrl->vectors - 1, entries);
	if (!rc)
		rc = nvme_admin(ctrl, "set number of queues", &queues, NULL);
	if (rc)
		return rc;

	cq.opc = NVME_ADMIN_CREATE_CQ;
	cq.prp1 = htole64(iommu_buf_iova(ctrl->io.cq));
	cq.cdw10 = htole32((entries - 1) << 16 | ctrl->io.id);
	cq.cdw11 = htole32(ctrl->io.vector << 16 | NVME_QUEUE_INTERRUPTS |
			   NVME_QUEUE_CONTIGUOUS);
	rc = nvme_admin(ctrl, "create completion queue", &cq, NULL);
	if (rc)
		return rc;

	sq.opc = NVME_ADMIN_CREATE_SQ;
	sq.prp1 = htole64(iommu_buf_iova(ctrl->io.sq));
	sq.cdw10 = htole32((entries - 1) << 16 | ctrl->io.id);
	sq.cdw11 = htole32(ctrl->io.id << 16 | NVME_QUEUE_CONTIGUOUS);
	rc = nvme_admin(ctrl, "create submission queue", &sq, NULL);
	if (rc)
		return rc;
	nvme_log(ctrl, "%s: I/O queue with %u entries, interrupt %u",
		 iommu_dev_name(ctrl->dev), entries, ctrl->io.vector);
	return 0;
}
