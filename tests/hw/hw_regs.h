/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registers of the test hardware's endpoint, a DMA engine that can do what a
 * device may and, when told to, what it may not. Shared by the server and by the
 * programs of the guest; README.md beside this file is the manual.
 *
 * All registers are little endian. Those of 64 bits take two accesses of 32.
 * What a read returns includes the effect of every earlier write.
 */
#ifndef HW_REGS_H
#define HW_REGS_H

#define HW_VENDOR		0x1234
#define HW_UNIT_DEVICE		0x1ec0	/* a remapping unit, see iommufd/hw/vtd/pciunit_regs.h */
#define HW_ENDPOINT_DEVICE	0x1ec1

/* BAR 0: registers, queues, a window of data. */
#define HW_BAR0_BYTES		0x8000
/* BAR 2: the tap of the unit in front. */
#define HW_BAR2_BYTES		0x1000
/* BAR 4: MSI-X. */
#define HW_BAR4_BYTES		0x1000
#define HW_MSIX_PBA		0x800
#define HW_VECTORS		8

/* --- BAR 0: the function, 32 bits each --- */

#define HW_ID			0x00	/* HW_ID_VALUE */
#define HW_ID_VALUE		0x44464f49
#define HW_QUEUES		0x04	/* how many queues */
#define HW_SID			0x08	/* requester ID that its requests carry */
#define HW_HAS			0x0c	/* HW_HAS_* */
#define HW_HAS_ATS		(1u << 0)
#define HW_HAS_PRI		(1u << 1)
#define HW_HAS_PASID		(1u << 2)
#define HW_HAS_UNIT		(1u << 3)
#define HW_MISBEHAVE		0x10	/* RW, HW_MIS_*; function level reset leaves it */
#define HW_INV_DELAY_US		0x14	/* RW, for HW_MIS_INV_DELAY */
#define HW_RAISE		0x18	/* WO: raise this interrupt vector */
#define HW_RESETS		0x1c	/* resets since start */
#define HW_TEST_INV_DONE	0x20	/* WO: send an invalidation completion nobody awaits */

/* Translations that it caches (device TLB). */
#define HW_ATC_ENTRIES		0x40	/* that it holds; writing forgets all */
#define HW_ATC_HITS		0x44
#define HW_ATC_MISSES		0x48
#define HW_ATC_INVALIDATIONS	0x4c	/* that came */
#define HW_ATC_FLUSHED		0x50	/* entries they took away */
#define HW_INV_HELD		0x54	/* invalidations not answered yet */

/* Page requests. */
#define HW_PRI_GROUPS		0x60	/* waiting for a response */
#define HW_PRI_SENT		0x64	/* messages */
#define HW_PRI_RESPONSES	0x68	/* that came */
#define HW_PRI_LAST		0x6c	/* last: 3:0 code, 12:4 index, 16 of the unit's own accord */
#define HW_PRI_LAST_PASID	0x70	/* last: 19:0 PASID, 31 has one */
#define HW_PRI_UNEXPECTED	0x74	/* responses to groups that do not wait */
#define HW_PRI_DROPPED		0x78	/* messages that will not be answered */

/* Things a device must not do. */
#define HW_MIS_MASTER		(1u << 0)	/* requests without bus mastering */
#define HW_MIS_ATS		(1u << 1)	/* ATS while it is disabled */
#define HW_MIS_PASID		(1u << 2)	/* PASIDs while they are disabled, or too wide */
#define HW_MIS_PRI		(1u << 3)	/* page requests while disabled, or too many */
#define HW_MIS_INV_DROP		(1u << 4)	/* invalidations are never answered */
#define HW_MIS_INV_DELAY	(1u << 5)	/* answered after HW_INV_DELAY_US */
#define HW_MIS_INV_KEEP		(1u << 6)	/* answered, but nothing is forgotten */

/* --- BAR 0: queue q at HW_QUEUE(q) --- */

#define HW_MAX_QUEUES		16
#define HW_QUEUE(q)		(0x1000u + 0x100u * (q))

#define HQ_CTRL			0x00	/* 32, HQ_CTRL_* */
#define HQ_CTRL_PASID(p)	((p) & 0xfffffu)
#define HQ_CTRL_PASID_EN	(1u << 20)	/* requests carry the PASID */
#define HQ_CTRL_EXEC		(1u << 21)	/* reads ask for execution */
#define HQ_CTRL_PRIV		(1u << 22)	/* privileged mode */
#define HQ_CTRL_NO_SNOOP	(1u << 23)
#define HQ_CTRL_ATS		(1u << 24)	/* translate first, use the device TLB */
#define HQ_CTRL_PRI		(1u << 25)	/* with ATS: request pages that are not there */
#define HQ_CTRL_RAW		(1u << 26)	/* addresses are sent as if translated */
#define HQ_IRQ			0x04	/* 32: bit 0 raise on completion, 15:8 vector */
#define HQ_IRQ_ENABLE		1u
#define HQ_IRQ_VECTOR(v)	((v) << 8)
#define HQ_SRC			0x08	/* 64, read from */
#define HQ_DST			0x10	/* 64, written to */
#define HQ_LEN			0x18	/* 32, bytes, at most HQ_MAX_LEN; for page requests: pages */
#define HQ_MAX_LEN		0x4000000u
#define HQ_CMD			0x1c	/* 32, HQ_CMD_*; writing starts */
#define HQ_STATUS		0x20	/* 32, enum of HQ_ below */
#define HQ_REASON		0x24	/* 32, for FAULT and ERROR */
#define HQ_ADDR			0x28	/* 64, where it went wrong */
#define HQ_DONE			0x30	/* 64, bytes done */
#define HQ_RESULT		0x38	/* 64, see the commands */
#define HQ_DATA			0x40	/* 64, see the commands */
#define HQ_ROUNDS		0x48	/* 64, repetitions that went well */
#define HQ_ERRORS		0x50	/* 64, repetitions that did not */
#define HQ_WINDOW		0x58	/* 32, offset into the data window */
#define HQ_INTERVAL_US		0x5c	/* 32, between repetitions */
#define HQ_PERM			0x60	/* 32, HQ_CMD_TRANSLATE */

/* HQ_CMD: what to do, and HQ_CMD_REPEAT to do it until HQ_CMD_STOP. */
#define HQ_CMD_STOP		0
#define HQ_CMD_COPY		1	/* SRC to DST */
#define HQ_CMD_FILL		2	/* DST with the 8 bytes of DATA over and over */
#define HQ_CMD_SUM		3	/* RESULT: FNV-1a hash, 64 bits, of SRC */
#define HQ_CMD_COMPARE		4	/* RESULT: offset of the first difference, or LEN */
#define HQ_CMD_READ		5	/* SRC to the window at WINDOW */
#define HQ_CMD_WRITE		6	/* the window at WINDOW to DST */
#define HQ_CMD_TRANSLATE	7	/* SRC by ATS, access DATA (HQ_R | HQ_W | HQ_X): RESULT, PERM */
#define HQ_CMD_PAGE_REQUEST	8	/* LEN pages from SRC on, DATA as HQ_PR_*: RESULT code */
#define HQ_CMD_COUNT		9	/* the round's number, 8 bytes, to DST + 8 * round mod LEN */
#define HQ_CMD_REPEAT		0x100

#define HQ_IDLE			0
#define HQ_BUSY			1
#define HQ_OK			2
#define HQ_FAULT		3	/* the unit refused: REASON 7:0 fault reason, 15:8 HQ_UR or HQ_CA, 16 recorded */
#define HQ_ERROR		4	/* the endpoint gave up: REASON HQ_E_* */

#define HQ_UR			2	/* Unsupported Request */
#define HQ_CA			3	/* Completer Abort */

#define HQ_E_COMMAND		1	/* no such command, or a register is out of range */
#define HQ_E_MASTER		2	/* bus mastering is off */
#define HQ_E_ATS		3	/* ATS is not there or off */
#define HQ_E_PASID		4	/* PASIDs are not there or off, or it is too wide */
#define HQ_E_PRI		5	/* page requests are not there or off, or too many */
#define HQ_E_NO_MEMORY		6	/* nothing answers at that physical address */
#define HQ_E_PERMISSION		7	/* the translation does not permit it */
#define HQ_E_RESPONSE		8	/* page request refused: RESULT has the code */

/* Permissions. */
#define HQ_R			1u
#define HQ_W			2u
#define HQ_X			4u
/* HQ_PERM: 2:0 permissions, 3 untranslated only, 15:8 log2 of the size, 23:16
 * mode as vtdu.h has it, 24 from the device TLB
 */
#define HQ_PERM_UNTRANSLATED	(1u << 3)
#define HQ_PERM_LG2(p)		(((p) >> 8) & 0xff)
#define HQ_PERM_MODE(p)		(((p) >> 16) & 0xff)
#define HQ_PERM_CACHED		(1u << 24)

/* HQ_DATA of a page request. */
#define HQ_PR_R			HQ_R
#define HQ_PR_W			HQ_W
#define HQ_PR_X			HQ_X
#define HQ_PR_PRIV		(1u << 3)
#define HQ_PR_NOT_LAST		(1u << 4)	/* leave the group open */
#define HQ_PR_NO_WAIT		(1u << 5)	/* do not wait for the response */
#define HQ_PR_EACH		(1u << 6)	/* each page is a group, from INDEX on; not waited for */
#define HQ_PR_INDEX(i)		(((i) & 0x1ffu) << 16)
/* Groups that a queue asks for of its own accord have its number as index. */

#define HW_WINDOW		0x4000
#define HW_WINDOW_BYTES		0x4000

/* --- BAR 2: tap of the unit, the same from all endpoints behind it --- */

#define HT_ID			0x00	/* 32, HT_ID_VALUE; 0: no unit */
#define HT_ID_VALUE		0x50415448
#define HT_IGNORE		0x04	/* 32, RW: bit n: descriptors of type n have no effect */
#define HT_DELAY_US		0x08	/* 32, RW: from the tail's write to the queue's work */
#define HT_CAP			0x10	/* 64 */
#define HT_ECAP			0x18	/* 64 */
#define HT_LOG_END		0x38	/* 64: number that the next entry will have */
#define HT_LOG_SEQ		0x20	/* 64, WO: look up the entry with this number, or the next */
#define HT_LOG_FOUND		0x28	/* 32: there is one */
#define HT_LOG_NEXT		0x30	/* 64: number behind it */
#define HT_LOG_ENTRY		0x40	/* struct vtdu_log of lib/vtd/vtdu.h, 48 bytes */
#define HT_CACHED		0x80	/* 32 each: entries of context, PASID, paging cache, IOTLB */
#define HT_REFUSED		0x90	/* 32: messages the machine did not take */
#define HT_IGNORED		0xa0	/* 32 each, by descriptor type, 16 of them */
#define HT_STATS		0x100	/* struct vtdu_stats of lib/vtd/vtdu.h */

#endif /* HW_REGS_H */
