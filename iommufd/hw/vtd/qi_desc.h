/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of the invalidation queue (VT-d specification, "Invalidation
 * Descriptors"). Pure. A unit in legacy mode reads the first two words of each,
 * a unit in scalable mode all four.
 */
#ifndef IOFD_VTD_QI_DESC_H
#define IOFD_VTD_QI_DESC_H

#include <linux/bits.h>
#include <linux/types.h>

struct vtd_qi_desc {
	u64 qw[4];
};

enum vtd_qi_type {
	VTD_QI_CONTEXT = 1,
	VTD_QI_IOTLB = 2,
	VTD_QI_DEVTLB = 3,
	VTD_QI_WAIT = 5,
	VTD_QI_PIOTLB = 6,
	VTD_QI_PASID = 7,
	VTD_QI_PDEVTLB = 8,
};

/* Drain writes and reads before the invalidation completes. */
#define VTD_QI_DW	BIT_ULL(6)
#define VTD_QI_DR	BIT_ULL(7)

static inline struct vtd_qi_desc vtd_qi_context_global(void)
{
	return (struct vtd_qi_desc) { { VTD_QI_CONTEXT | 1 << 4 } };
}

/* Everything that is cached about one requester ID. */
static inline struct vtd_qi_desc vtd_qi_context_device(u16 did, u16 sid)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_CONTEXT | 3 << 4 | (u64)did << 16 | (u64)sid << 32
	} };
}

static inline struct vtd_qi_desc vtd_qi_iotlb_global(u64 drain)
{
	return (struct vtd_qi_desc) { { VTD_QI_IOTLB | 1 << 4 | drain } };
}

static inline struct vtd_qi_desc vtd_qi_iotlb_domain(u16 did, u64 drain)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_IOTLB | 2 << 4 | drain | (u64)did << 16
	} };
}

/*
 * 2^@order pages at @addr, which is aligned to that. @leaf: no entry that points
 * at a table has changed.
 */
static inline struct vtd_qi_desc vtd_qi_iotlb_pages(u16 did, u64 drain, u64 addr,
						    unsigned int order, bool leaf)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_IOTLB | 3 << 4 | drain | (u64)did << 16,
		addr | (leaf ? BIT_ULL(6) : 0) | order
	} };
}

/* All that is cached of first-level and pass-through translations of a PASID. */
static inline struct vtd_qi_desc vtd_qi_piotlb_pasid(u16 did, u32 pasid)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_PIOTLB | 2 << 4 | (u64)did << 16 | (u64)pasid << 32
	} };
}

/*
 * Of a PASID's translations by a first level, 2^@order pages at @addr, which is
 * aligned to that. @leaf: no entry that points at a table has changed.
 */
static inline struct vtd_qi_desc vtd_qi_piotlb_pages(u16 did, u32 pasid, u64 addr,
						     unsigned int order, bool leaf)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_PIOTLB | 3 << 4 | (u64)did << 16 | (u64)pasid << 32,
		addr | (leaf ? BIT_ULL(6) : 0) | order
	} };
}

static inline struct vtd_qi_desc vtd_qi_pasid_global(void)
{
	return (struct vtd_qi_desc) { { VTD_QI_PASID | 3 << 4 } };
}

static inline struct vtd_qi_desc vtd_qi_pasid_entry(u16 did, u32 pasid)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_PASID | 1 << 4 | (u64)did << 16 | (u64)pasid << 32
	} };
}

/*
 * A range for a device: of more than one page it has the bit @size set, and the
 * lowest clear address bit from bit 12 on says how large it is.
 */
static inline u64 vtd_qi_devtlb_range(u64 addr, unsigned int order, u64 size)
{
	if (order >= 52)
		return GENMASK_ULL(62, 12) | size;
	if (!order)
		return addr & ~GENMASK_ULL(11, 0);
	addr = (addr & ~GENMASK_ULL(order + 11, 0)) | size;
	return order > 1 ? addr | GENMASK_ULL(order + 10, 12) : addr;
}

/**
 * vtd_qi_devtlb() - invalidate what a device's translation cache holds
 * @sid: the function
 * @pfsid: its physical function, which bounds the invalidations in flight; 0
 *	when the unit does not ask for it (ECAP.DIT)
 * @qdep: invalidations that the device can queue, 0 to 31 (0: 32)
 * @addr: first byte, aligned to 2^@order pages
 * @order: size of the range; 52 for everything
 */
static inline struct vtd_qi_desc vtd_qi_devtlb(u16 sid, u16 pfsid,
					       unsigned int qdep, u64 addr,
					       unsigned int order)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_DEVTLB | (u64)(pfsid & 0xf) << 12 |
		(u64)(qdep & 0x1f) << 16 | (u64)sid << 32 |
		(u64)(pfsid >> 4) << 52,
		vtd_qi_devtlb_range(addr, order, BIT_ULL(0))
	} };
}

/**
 * vtd_qi_pdevtlb() - the same for what a device holds of one PASID
 * @sid: the function
 * @pasid: the PASID
 * @pfsid: see vtd_qi_devtlb()
 * @qdep: see there
 * @addr: see there
 * @order: see there
 */
static inline struct vtd_qi_desc vtd_qi_pdevtlb(u16 sid, u32 pasid, u16 pfsid,
						unsigned int qdep, u64 addr,
						unsigned int order)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_PDEVTLB | (u64)(qdep & 0x1f) << 4 |
		(u64)(pfsid & 0xf) << 12 | (u64)sid << 16 |
		(u64)pasid << 32 | (u64)(pfsid >> 4) << 52,
		vtd_qi_devtlb_range(addr, order, BIT_ULL(11))
	} };
}

/* All that a device holds with PASIDs, whichever. */
static inline struct vtd_qi_desc vtd_qi_pdevtlb_all(u16 sid, u16 pfsid,
						    unsigned int qdep)
{
	struct vtd_qi_desc d = vtd_qi_pdevtlb(sid, 0, pfsid, qdep, 0, 52);

	d.qw[1] |= BIT_ULL(0);
	return d;
}

/* Write @data to physical address @addr when all before it is done. */
static inline struct vtd_qi_desc vtd_qi_wait_write(u32 data, u64 addr)
{
	return (struct vtd_qi_desc) { {
		VTD_QI_WAIT | BIT_ULL(5) | (u64)data << 32, addr
	} };
}

/**
 * vtd_qi_order() - order of the smallest aligned block that covers a range
 * @iova: first byte
 * @last: last byte
 *
 * Return: 0 to 52: the block has 2^order pages of 4 KiB.
 */
static inline unsigned int vtd_qi_order(u64 iova, u64 last)
{
	u64 differs = (iova ^ last) >> 12;

	return differs ? 64 - __builtin_clzll(differs) : 0;
}

#endif /* IOFD_VTD_QI_DESC_H */
