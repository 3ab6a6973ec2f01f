// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VT-d unit says when it refuses a request.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include "hw/dmar_fault.h"

#define FRCD_LO_FI		GENMASK_ULL(63, 12)
#define FRCD_LO_INDEX_SHIFT	48
#define FRCD_HI_SID		GENMASK_ULL(15, 0)
#define FRCD_HI_T2		BIT_ULL(28)
#define FRCD_HI_PP		BIT_ULL(31)
#define FRCD_HI_FR_SHIFT	32
#define FRCD_HI_PASID_SHIFT	40
#define FRCD_PASID_MASK		GENMASK_ULL(19, 0)
#define FRCD_HI_T1		BIT_ULL(62)

/* Reasons 20h to 2Fh are about interrupt requests. */
#define REASON_IR_FIRST		0x20
#define REASON_IR_LAST		0x2f

static const char * const reasons[256] = {
	/* Legacy mode */
	[0x01] = "no root entry for the bus",
	[0x02] = "device is blocked (no context entry)",
	[0x03] = "context entry is programmed wrongly",
	[0x04] = "address is beyond the width of the table",
	[0x05] = "page is not mapped for writing",
	[0x06] = "page is not mapped for reading",
	[0x07] = "page table could not be read",
	[0x08] = "root table could not be read",
	[0x09] = "context table could not be read",
	[0x0a] = "reserved bits set in the root entry",
	[0x0b] = "reserved bits set in the context entry",
	[0x0c] = "reserved bits set in a page table entry",
	[0x0d] = "translation request or translated request is not allowed",
	[0x0e] = "page table points into the interrupt window",
	/* Interrupt remapping */
	[0x20] = "interrupt: reserved bits set in the request",
	[0x21] = "interrupt: index is beyond the table",
	[0x22] = "interrupt: table entry is not present",
	[0x23] = "interrupt: table could not be read",
	[0x24] = "interrupt: reserved bits set in the table entry",
	[0x25] = "interrupt: compatibility format is blocked",
	[0x26] = "interrupt: the entry is another device's",
	[0x27] = "interrupt: posted descriptor could not be read",
	[0x28] = "interrupt: reserved bits set in the posted descriptor",
	[0x29] = "interrupt: request with PASID",
	/* Scalable mode */
	[0x30] = "root table register is programmed wrongly",
	[0x31] = "request with PASID in legacy mode",
	[0x32] = "page request in legacy mode",
	[0x33] = "unit is in abort-DMA mode",
	[0x38] = "root table could not be read",
	[0x39] = "no root entry for the bus",
	[0x3a] = "reserved bits set in the root entry",
	[0x40] = "context table could not be read",
	[0x41] = "device is blocked (no context entry)",
	[0x42] = "reserved bits set in the context entry",
	[0x43] = "context entry is programmed wrongly",
	[0x44] = "translation request or translated request is not allowed",
	[0x45] = "request with PASID is not allowed",
	[0x46] = "PASID is beyond the PASID directory",
	[0x47] = "page request is not allowed",
	[0x48] = "PASID for requests without PASID is wrong",
	[0x50] = "PASID directory could not be read",
	[0x51] = "no PASID directory entry",
	[0x52] = "reserved bits set in the PASID directory entry",
	[0x58] = "PASID table could not be read",
	[0x59] = "blocked (no PASID table entry)",
	[0x5a] = "reserved bits set in the PASID table entry",
	[0x5b] = "PASID table entry is programmed wrongly",
	[0x5c] = "execute request is not allowed",
	[0x5d] = "supervisor request is not allowed",
	[0x70] = "first-level table could not be read",
	[0x71] = "page is not mapped (first level)",
	[0x72] = "reserved bits set in a first-level entry",
	[0x73] = "first-level top table could not be read",
	[0x74] = "first-level entry is beyond the width of the second level",
	[0x75] = "first-level top table is not readable through the second level",
	[0x76] = "first-level table is not readable through the second level",
	[0x77] = "first-level table is not writable through the second level",
	[0x78] = "second-level table could not be read",
	[0x79] = "page is not mapped (second level of a nested walk)",
	[0x7a] = "reserved bits set in a second-level entry",
	[0x7b] = "second-level table pointer is wrong",
	[0x7c] = "second-level accessed or dirty bit needs a snooped request",
	[0x7d] = "second-level accessed or dirty bit could not be written",
	[0x80] = "address is not canonical",
	[0x81] = "page is for supervisor requests only",
	[0x82] = "page is not executable",
	[0x83] = "address is beyond the width of the second level",
	[0x84] = "page table points beyond physical memory",
	[0x85] = "page is not mapped for writing",
	[0x86] = "page is not mapped for reading",
	[0x87] = "address is in the interrupt window",
	[0x88] = "general fault 88h",
	[0x89] = "general fault 89h",
	[0x90] = "first-level accessed or dirty bit needs a snooped request",
	[0x91] = "first-level accessed or dirty bit could not be written",
};

const char *iofd_dmar_fault_text(u8 reason)
{
	return reasons[reason] ?: "unknown reason";
}
EXPORT_SYMBOL_GPL(iofd_dmar_fault_text);

bool iofd_dmar_fault_decode(u64 lo, u64 hi, struct iofd_hw_fault *fault,
			    u16 *rid)
{
	/* T1, T2: 00 write, 01 page request, 10 read, 11 atomic */
	static const u32 access[] = {
		IOFD_WRITE, IOFD_READ, IOFD_READ, IOFD_READ | IOFD_WRITE,
	};
	u8 reason = hi >> FRCD_HI_FR_SHIFT;

	if (!(hi & DMAR_FRCD_HI_F))
		return false;
	*rid = hi & FRCD_HI_SID;
	fault->reason = reason;
	fault->reason_text = iofd_dmar_fault_text(reason);
	fault->pasid = hi & FRCD_HI_PP ?
		       (hi >> FRCD_HI_PASID_SHIFT) & FRCD_PASID_MASK : 0;
	/* Units say 0, RID_PASID, for a request that came without one. */
	fault->has_pasid = fault->pasid;
	if (reason >= REASON_IR_FIRST && reason <= REASON_IR_LAST) {
		/* An interrupt is a write; its index stands for the address. */
		fault->address = lo >> FRCD_LO_INDEX_SHIFT;
		fault->access = IOFD_WRITE;
	} else {
		fault->address = lo & FRCD_LO_FI;
		fault->access = access[(hi & FRCD_HI_T1 ? 2 : 0) |
				       (hi & FRCD_HI_T2 ? 1 : 0)];
	}
	return true;
}
EXPORT_SYMBOL_GPL(iofd_dmar_fault_decode);
