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

static const char *const reasons[] = {
	/* Legacy mode, and requests without a mode */
	[0x01] = "no root entry",
	[0x02] = "no context entry: the device is blocked",
	[0x03] = "invalid context entry",
	[0x04] = "address beyond the width of the page table",
	[0x05] = "not mapped for writing",
	[0x06] = "not mapped for reading",
	[0x07] = "page table cannot be read",
	[0x08] = "root table cannot be read",
	[0x09] = "context table cannot be read",
	[0x0a] = "reserved bits set in the root entry",
	[0x0b] = "reserved bits set in the context entry",
	[0x0c] = "reserved bits set in a page table entry",
	[0x0d] = "kind of request blocked by the context entry",
	[0x0e] = "mapped into the interrupt window",
	/* Interrupt remapping */
	[0x20] = "interrupt: reserved bits set in the request",
	[0x21] = "interrupt: index beyond the table",
	[0x22] = "interrupt: no entry for the index",
	[0x23] = "interrupt: remapping table cannot be read",
	[0x24] = "interrupt: reserved bits set in the entry",
	[0x25] = "interrupt: compatibility format blocked",
	[0x26] = "interrupt: not this device's entry",
	[0x27] = "interrupt: posted descriptor cannot be read",
	[0x28] = "interrupt: reserved bits set in the posted descriptor",
	[0x29] = "interrupt: request with PASID",
	/* Root table */
	[0x30] = "invalid root table address register",
	[0x31] = "request with PASID in legacy mode",
	[0x32] = "page request in legacy mode",
	[0x33] = "all DMA is aborted",
	[0x38] = "scalable root table cannot be read",
	[0x39] = "no scalable root entry",
	[0x3a] = "reserved bits set in the scalable root entry",
	/* Context table */
	[0x40] = "scalable context table cannot be read",
	[0x41] = "no scalable context entry: the device is blocked",
	[0x42] = "reserved bits set in the scalable context entry",
	[0x43] = "invalid scalable context entry",
	[0x44] = "device TLB not enabled for the device",
	[0x45] = "PASID not enabled for the device",
	[0x46] = "PASID beyond the directory",
	[0x47] = "page requests not enabled for the device",
	[0x48] = "invalid PASID for requests without PASID",
	/* PASID directory and table */
	[0x50] = "PASID directory cannot be read",
	[0x51] = "no PASID directory entry",
	[0x52] = "reserved bits set in the PASID directory entry",
	[0x58] = "PASID table cannot be read",
	[0x59] = "no PASID entry: the device is blocked",
	[0x5a] = "reserved bits set in the PASID entry",
	[0x5b] = "invalid PASID entry",
	[0x5c] = "execute requests not enabled",
	[0x5d] = "supervisor requests not enabled",
	/* First-stage table */
	[0x70] = "first-stage table cannot be read",
	[0x71] = "not mapped by the first stage",
	[0x72] = "reserved bits set in a first-stage entry",
	[0x73] = "first-stage top table cannot be read",
	[0x74] = "first-stage entry points beyond the second stage",
	[0x75] = "second stage does not let the first-stage top table be read",
	[0x76] = "second stage does not let a first-stage table be read",
	[0x77] = "second stage does not let accessed and dirty bits be written",
	/* Second-stage table */
	[0x78] = "second-stage table cannot be read",
	[0x79] = "not mapped by the second stage",
	[0x7a] = "reserved bits set in a second-stage entry",
	[0x7b] = "invalid second-stage table pointer",
	[0x7c] = "second-stage accessed and dirty update without snooping",
	[0x7d] = "second-stage accessed and dirty update failed",
	/* Any stage */
	[0x80] = "address is not canonical",
	[0x81] = "not mapped for user requests",
	[0x82] = "not mapped for execution",
	[0x83] = "address beyond the width of the second stage",
	[0x84] = "mapped beyond the physical address width",
	[0x85] = "not mapped for writing",
	[0x86] = "not mapped for reading",
	[0x87] = "mapped into the interrupt window",
	[0x90] = "first-stage accessed and dirty update without snooping",
	[0x91] = "first-stage accessed and dirty update failed",
};

const char *iofd_dmar_fault_text(u8 reason)
{
	if (reason < ARRAY_SIZE(reasons) && reasons[reason])
		return reasons[reason];
	return "reason unknown";
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
	fault->has_pasid = hi & FRCD_HI_PP;
	fault->pasid = fault->has_pasid ?
		       (hi >> FRCD_HI_PASID_SHIFT) & FRCD_PASID_MASK : 0;
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
