/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registers and structures of the NVM Express base specification, named as they
 * are named there. Everything is little-endian.
 */
#ifndef NVME_REGS_H
#define NVME_REGS_H

#include <stdint.h>

/* Controller properties (BAR 0) */
#define NVME_CAP		0x00	/* controller capabilities */
#define NVME_VS			0x08	/* version */
#define NVME_CC			0x14	/* controller configuration */
#define NVME_CSTS		0x1c	/* controller status */
#define NVME_AQA		0x24	/* admin queue attributes */
#define NVME_ASQ		0x28	/* admin submission queue base */
#define NVME_ACQ		0x30	/* admin completion queue base */
#define NVME_DOORBELLS		0x1000

#define NVME_CAP_MQES(cap)	((unsigned int)((cap) & 0xffff))
#define NVME_CAP_TO(cap)	((unsigned int)((cap) >> 24 & 0xff))
#define NVME_CAP_DSTRD(cap)	((unsigned int)((cap) >> 32 & 0xf))
#define NVME_CAP_MPSMIN(cap)	((unsigned int)((cap) >> 48 & 0xf))

#define NVME_CC_EN		(1u << 0)
#define NVME_CC_CSS_NVM		(0u << 4)
#define NVME_CC_MPS_4K		(0u << 7)
#define NVME_CC_SHN_NORMAL	(1u << 14)
#define NVME_CC_SHN_MASK	(3u << 14)
#define NVME_CC_IOSQES_64	(6u << 16)
#define NVME_CC_IOCQES_16	(4u << 20)

#define NVME_CSTS_RDY		(1u << 0)
#define NVME_CSTS_CFS		(1u << 1)
#define NVME_CSTS_SHST_MASK	(3u << 2)
#define NVME_CSTS_SHST_DONE	(2u << 2)

#define NVME_AQA_SIZES(entries)	(((entries) - 1u) << 16 | ((entries) - 1u))

/* Admin commands */
#define NVME_ADMIN_CREATE_SQ	0x01
#define NVME_ADMIN_CREATE_CQ	0x05
#define NVME_ADMIN_IDENTIFY	0x06
#define NVME_ADMIN_SET_FEATURES	0x09

#define NVME_CNS_NAMESPACE	0x00
#define NVME_CNS_CONTROLLER	0x01

#define NVME_FEATURE_QUEUES	0x07

#define NVME_QUEUE_CONTIGUOUS	(1u << 0)
#define NVME_QUEUE_INTERRUPTS	(1u << 1)

/* I/O commands */
#define NVME_IO_READ		0x02

/* Submission queue entry */
struct nvme_sqe {
	uint8_t opc;
	uint8_t flags;
	uint16_t cid;
	uint32_t nsid;
	uint32_t cdw2;
	uint32_t cdw3;
	uint64_t mptr;
	uint64_t prp1;
	uint64_t prp2;
	uint32_t cdw10;
	uint32_t cdw11;
	uint32_t cdw12;
	uint32_t cdw13;
	uint32_t cdw14;
	uint32_t cdw15;
};

/* Completion queue entry */
struct nvme_cqe {
	uint32_t dw0;
	uint32_t dw1;
	uint16_t sqhd;
	uint16_t sqid;
	uint16_t cid;
	uint16_t status;
};

#define NVME_CQE_PHASE		1u
#define NVME_STATUS_SC(status)	((status) >> 1 & 0xffu)
#define NVME_STATUS_SCT(status)	((status) >> 9 & 0x7u)

/* Identify controller: offsets into its 4096 bytes */
#define NVME_IDCTRL_VID		0
#define NVME_IDCTRL_SN		4
#define NVME_IDCTRL_SN_LEN	20
#define NVME_IDCTRL_MN		24
#define NVME_IDCTRL_MN_LEN	40
#define NVME_IDCTRL_FR		64
#define NVME_IDCTRL_FR_LEN	8
#define NVME_IDCTRL_MDTS	77
#define NVME_IDCTRL_VER		80
#define NVME_IDCTRL_NN		516

/* Identify namespace */
#define NVME_IDNS_NSZE		0
#define NVME_IDNS_FLBAS		26
#define NVME_IDNS_LBAF		128
#define NVME_LBAF_MS(lbaf)	((lbaf) & 0xffff)
#define NVME_LBAF_LBADS(lbaf)	((lbaf) >> 16 & 0xff)

#endif /* NVME_REGS_H */
