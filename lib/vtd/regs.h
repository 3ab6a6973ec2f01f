/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registers, entries, descriptors and fault reasons of a VT-d remapping unit,
 * named as the specification names them (revision 5.10 unless said otherwise).
 * No code.
 */
#ifndef VTD_REGS_H
#define VTD_REGS_H

#define VTD_BIT(n)	(1ULL << (n))
/* bits h to l of a 64-bit number */
#define VTD_MASK(h, l)	((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define VTD_FIELD(v, h, l)	(((uint64_t)(v) & VTD_MASK(h, l)) >> (l))

/* Register offsets (11.4); 64 bits wide unless said otherwise */
#define VER_REG		0x000	/* 32 */
#define CAP_REG		0x008
#define ECAP_REG	0x010
#define GCMD_REG	0x018	/* 32 */
#define GSTS_REG	0x01c	/* 32 */
#define RTADDR_REG	0x020
#define CCMD_REG	0x028
#define FSTS_REG	0x034	/* 32, as the next four */
#define FECTL_REG	0x038
#define FEDATA_REG	0x03c
#define FEADDR_REG	0x040
#define FEUADDR_REG	0x044
#define AFLOG_REG	0x058
#define PMEN_REG	0x064	/* 32, as the next two */
#define PLMBASE_REG	0x068
#define PLMLIMIT_REG	0x06c
#define PHMBASE_REG	0x070
#define PHMLIMIT_REG	0x078
#define IQH_REG		0x080
#define IQT_REG		0x088
#define IQA_REG		0x090
#define ICS_REG		0x09c	/* 32, as the next four */
#define IECTL_REG	0x0a0
#define IEDATA_REG	0x0a4
#define IEADDR_REG	0x0a8
#define IEUADDR_REG	0x0ac
#define IQERCD_REG	0x0b0
#define IRTA_REG	0x0b8
#define PQH_REG		0x0c0
#define PQT_REG		0x0c8
#define PQA_REG		0x0d0
#define PRS_REG		0x0dc	/* 32, as the next four */
#define PECTL_REG	0x0e0
#define PEDATA_REG	0x0e4
#define PEADDR_REG	0x0e8
#define PEUADDR_REG	0x0ec
#define FIXED_REGS_END	0x0f0	/* of those a unit always has */
/* virtual commands, to revision 3.2 */
#define VCCAP_REG_32	0xe00
#define VCMD_REG_32	0xe10
#define VCRSP_REG_32	0xe20
/* and from 3.3 on */
#define VCMD_REG_33	0xe00
#define VCMDX_REG_33	0xe08	/* operand B */
#define VCRSP_REG_33	0xe10
#define VCCAP_REG_33	0xe30
#define VC_REGS		0xe00
#define VC_REGS_END	0xe38

#define VER_MAJOR(v)	VTD_FIELD(v, 7, 4)

/* CAP_REG */
#define CAP_ND(c)	((unsigned int)VTD_FIELD(c, 2, 0))
#define CAP_AFL		VTD_BIT(3)
#define CAP_RWBF	VTD_BIT(4)
#define CAP_PLMR	VTD_BIT(5)
#define CAP_PHMR	VTD_BIT(6)
#define CAP_CM		VTD_BIT(7)
#define CAP_SAGAW(c)	((unsigned int)VTD_FIELD(c, 12, 8))
#define CAP_MGAW(c)	((unsigned int)VTD_FIELD(c, 21, 16) + 1)
#define CAP_ZLR		VTD_BIT(22)
#define CAP_FRO(c)	((uint32_t)VTD_FIELD(c, 33, 24) * 16)
#define CAP_SSLPS_2M	VTD_BIT(34)
#define CAP_SSLPS_1G	VTD_BIT(35)
#define CAP_PSI		VTD_BIT(39)
#define CAP_NFR(c)	((unsigned int)VTD_FIELD(c, 47, 40) + 1)
#define CAP_MAMV(c)	((unsigned int)VTD_FIELD(c, 53, 48))
#define CAP_FS1GP	VTD_BIT(56)
#define CAP_FS5LP	VTD_BIT(60)
#define CAP_ECMDS	VTD_BIT(61)
#define CAP_ESIRTPS	VTD_BIT(62)
#define CAP_ESRTPS	VTD_BIT(63)

/* ECAP_REG */
#define ECAP_C		VTD_BIT(0)
#define ECAP_QI		VTD_BIT(1)
#define ECAP_DT		VTD_BIT(2)
#define ECAP_IR		VTD_BIT(3)
#define ECAP_EIM	VTD_BIT(4)
#define ECAP_PT		VTD_BIT(6)
#define ECAP_SC		VTD_BIT(7)
#define ECAP_IRO(e)	((uint32_t)VTD_FIELD(e, 17, 8) * 16)
#define ECAP_MTS	VTD_BIT(25)
#define ECAP_NEST	VTD_BIT(26)
#define ECAP_PRS	VTD_BIT(29)
#define ECAP_ERS	VTD_BIT(30)
#define ECAP_SRS	VTD_BIT(31)
#define ECAP_NWFS	VTD_BIT(33)
#define ECAP_EAFS	VTD_BIT(34)
#define ECAP_PSS(e)	((unsigned int)VTD_FIELD(e, 39, 35) + 1)
#define ECAP_PASID	VTD_BIT(40)
#define ECAP_DIT	VTD_BIT(41)
#define ECAP_PDS	VTD_BIT(42)
#define ECAP_SMTS	VTD_BIT(43)
#define ECAP_VCS	VTD_BIT(44)
#define ECAP_SSADS	VTD_BIT(45)
#define ECAP_SSTS	VTD_BIT(46)
#define ECAP_FSTS	VTD_BIT(47)
#define ECAP_SMPWCS	VTD_BIT(48)
#define ECAP_RPS	VTD_BIT(49)
#define ECAP_PMS	VTD_BIT(51)
#define ECAP_ADMS	VTD_BIT(52)
#define ECAP_RPRIVS	VTD_BIT(53)

/* GCMD_REG and, in the same places, GSTS_REG */
#define GCMD_TE		(1u << 31)
#define GCMD_SRTP	(1u << 30)
#define GCMD_SFL	(1u << 29)
#define GCMD_EAFL	(1u << 28)
#define GCMD_WBF	(1u << 27)
#define GCMD_QIE	(1u << 26)
#define GCMD_IRE	(1u << 25)
#define GCMD_SIRTP	(1u << 24)
#define GCMD_CFI	(1u << 23)
#define GCMD_ONE_SHOT	(GCMD_SRTP | GCMD_SFL | GCMD_WBF | GCMD_SIRTP)
#define GCMD_STICKY	(GCMD_TE | GCMD_EAFL | GCMD_QIE | GCMD_IRE | GCMD_CFI)

/* RTADDR_REG */
#define RTADDR_TTM(r)	((unsigned int)VTD_FIELD(r, 11, 10))
#define TTM_LEGACY	0
#define TTM_SCALABLE	1
#define TTM_RESERVED	2
#define TTM_ABORT	3

/* CCMD_REG */
#define CCMD_ICC	VTD_BIT(63)
#define CCMD_CIRG(c)	((unsigned int)VTD_FIELD(c, 62, 61))
#define CCMD_CAIG(g)	((uint64_t)(g) << 59)
#define CCMD_FM(c)	((unsigned int)VTD_FIELD(c, 33, 32))
#define CCMD_SID(c)	((uint16_t)VTD_FIELD(c, 31, 16))
#define CCMD_DID(c)	((uint16_t)VTD_FIELD(c, 15, 0))

/* IVA_REG and IOTLB_REG, at IRO and IRO + 8 */
#define IVA_AM(v)	((unsigned int)VTD_FIELD(v, 5, 0))
#define IVA_IH		VTD_BIT(6)
#define IOTLB_IVT	VTD_BIT(63)
#define IOTLB_IIRG(v)	((unsigned int)VTD_FIELD(v, 61, 60))
#define IOTLB_IAIG(g)	((uint64_t)(g) << 57)
#define IOTLB_DID(v)	((uint16_t)VTD_FIELD(v, 47, 32))

/* FSTS_REG */
#define FSTS_PFO	(1u << 0)
#define FSTS_PPF	(1u << 1)
#define FSTS_IQE	(1u << 4)
#define FSTS_ICE	(1u << 5)
#define FSTS_ITE	(1u << 6)
#define FSTS_CONDITIONS	(FSTS_PFO | FSTS_PPF | FSTS_IQE | FSTS_ICE | FSTS_ITE)
#define FSTS_FRI_SHIFT	8

/* FECTL_REG, IECTL_REG, PECTL_REG */
#define EVENT_IM	(1u << 31)
#define EVENT_IP	(1u << 30)

#define PMEN_EPM	(1u << 31)
#define PMEN_PRS	(1u << 0)

#define IQA_DW		VTD_BIT(11)
#define IQA_QS(v)	((unsigned int)VTD_FIELD(v, 2, 0))
#define ICS_IWC		(1u << 0)
#define PQA_PQS(v)	((unsigned int)VTD_FIELD(v, 2, 0))
#define PRS_PPR		(1u << 0)
#define PRS_PRO		(1u << 1)

/* IQERCD_REG.IQEI */
enum vtd_iqei {
	IQEI_NONE = 0,
	IQEI_TAIL = 1,		/* tail outside the queue */
	IQEI_FETCH = 2,		/* descriptor cannot be read */
	IQEI_TYPE = 3,
	IQEI_RESERVED = 4,	/* reserved field */
	IQEI_WIDTH = 5,		/* IQA.DW does not fit the mode */
	IQEI_TAIL_ALIGN = 6,
	IQEI_TTM = 7,
};

/* Fault recording register, high half */
#define FRCD_F		VTD_BIT(63)
#define FRCD_T1		VTD_BIT(62)
#define FRCD_AT(v)	((uint64_t)(v) << 60)
#define FRCD_PV(v)	((uint64_t)(v) << 40)
#define FRCD_FR(v)	((uint64_t)(v) << 32)
#define FRCD_PP		VTD_BIT(31)
#define FRCD_EXE	VTD_BIT(30)
#define FRCD_PRIV	VTD_BIT(29)
#define FRCD_T2		VTD_BIT(28)

/* Root entry (9.1, 9.2), each half */
#define ROOT_P		VTD_BIT(0)

/* Context entry (9.3): low half, then high half */
#define CTX_P		VTD_BIT(0)
#define CTX_FPD		VTD_BIT(1)
#define CTX_TT(lo)	((unsigned int)VTD_FIELD(lo, 3, 2))
#define TT_UNTRANSLATED	0
#define TT_ATS		1
#define TT_PASS		2
#define CTX_AW(hi)	((unsigned int)VTD_FIELD(hi, 2, 0))
#define CTX_DID(hi)	((uint16_t)VTD_FIELD(hi, 23, 8))

/* Scalable-mode context entry (9.4): first and second word */
#define SCTX_DTE	VTD_BIT(2)
#define SCTX_PASIDE	VTD_BIT(3)
#define SCTX_PRE	VTD_BIT(4)
#define SCTX_PDTS(lo)	((unsigned int)VTD_FIELD(lo, 11, 9))
#define SCTX_RID_PASID(q1)	((uint32_t)VTD_FIELD(q1, 19, 0))
#define SCTX_RID_PRIV	VTD_BIT(20)

/* PASID directory entry (9.5) */
#define PDIR_P		VTD_BIT(0)
#define PDIR_FPD	VTD_BIT(1)

/* PASID table entry (9.6), word by word */
#define PASID_P		VTD_BIT(0)
#define PASID_FPD	VTD_BIT(1)
#define PASID_AW(q0)	((unsigned int)VTD_FIELD(q0, 4, 2))
#define PASID_PGTT(q0)	((unsigned int)VTD_FIELD(q0, 8, 6))
#define PGTT_FS		1
#define PGTT_SS		2
#define PGTT_NESTED	3
#define PGTT_PT		4
#define PASID_SSADE	VTD_BIT(9)
#define PASID_DID(q1)	((uint16_t)VTD_FIELD(q1, 15, 0))
#define PASID_PWSNP	VTD_BIT(23)
#define PASID_PGSNP	VTD_BIT(24)
#define PASID_SRE	VTD_BIT(0)
#define PASID_ERE	VTD_BIT(1)	/* with ECAP.ERS, older revisions */
#define PASID_FSPM(q2)	((unsigned int)VTD_FIELD(q2, 3, 2))
#define PASID_WPE	VTD_BIT(4)
#define PASID_NXE	VTD_BIT(5)	/* with ECAP.ERS, older revisions */
#define PASID_SMEP	VTD_BIT(6)	/* the same */
#define PASID_EAFE	VTD_BIT(7)

#define ENTRY_ADDR	VTD_MASK(51, 12)	/* pointers in entries */
#define ENTRY_PS	VTD_BIT(7)

/* First-stage paging entry (9.7) */
#define FS_P		VTD_BIT(0)
#define FS_RW		VTD_BIT(1)
#define FS_US		VTD_BIT(2)
#define FS_A		VTD_BIT(5)
#define FS_D		VTD_BIT(6)
#define FS_G		VTD_BIT(8)
#define FS_EA		VTD_BIT(10)
#define FS_XD		VTD_BIT(63)

/* Second-stage paging entry (9.8) */
#define SS_R		VTD_BIT(0)
#define SS_W		VTD_BIT(1)
#define SS_A		VTD_BIT(8)
#define SS_D		VTD_BIT(9)
#define SS_SNP		VTD_BIT(11)

/* Invalidation descriptors (6.5.2): type in bits 11:9 and 3:0 */
#define QI_TYPE(q0)	((unsigned int)(VTD_FIELD(q0, 11, 9) << 4 | \
					VTD_FIELD(q0, 3, 0)))
enum vtd_qi_type {
	QI_CONTEXT = 1,
	QI_IOTLB = 2,
	QI_DEVTLB = 3,
	QI_IEC = 4,
	QI_WAIT = 5,
	QI_PIOTLB = 6,
	QI_PASID = 7,
	QI_PDEVTLB = 8,
	QI_RESPONSE = 9,
};
/* granularity of types 1, 2 and of CCMD, IOTLB */
#define G_GLOBAL	1
#define G_DOMAIN	2
#define G_NARROW	3	/* device, or pages of the domain */
/* of type 6 */
#define G_PASID		2
#define G_PASID_PAGES	3
/* of type 7 */
#define G_PC_DOMAIN	0
#define G_PC_PASID	1
#define G_PC_GLOBAL	3

#define QI_WAIT_IF	VTD_BIT(4)
#define QI_WAIT_SW	VTD_BIT(5)
#define QI_WAIT_FN	VTD_BIT(6)
#define QI_WAIT_PD	VTD_BIT(7)

/* VCCAP_REG, VCRSP_REG */
#define VCCAP_PAS	VTD_BIT(0)
#define VCMD_ALLOC	1
#define VCMD_FREE	2

/* Fault reasons (7.1.3) */
enum vtd_fault {
	LRT_2 = 0x01,		/* root entry not present */
	LCT_2 = 0x02,		/* context entry not present */
	LCT_4 = 0x03,		/* invalid context entry; no top-level table */
	LGN_1 = 0x04,		/* address beyond MGAW, AW or HAW */
	LGN_2 = 0x05,		/* no write permission */
	LGN_3 = 0x06,		/* no read permission */
	LSS_1 = 0x07,		/* paging entry cannot be read */
	LRT_1 = 0x08,		/* root entry cannot be read */
	LCT_1 = 0x09,		/* context entry cannot be read */
	LRT_3 = 0x0a,		/* root entry, reserved bits */
	LCT_3 = 0x0b,		/* context entry, reserved bits */
	LSS_2 = 0x0c,		/* paging entry, reserved bits */
	LCT_5 = 0x0d,		/* TT blocks ATS */
	LGN_4 = 0x0e,		/* output in the interrupt range */
	RTA_1 = 0x30,		/* TTM */
	RTA_2 = 0x31,		/* PASID in legacy mode */
	RTA_3 = 0x32,		/* page request in legacy mode */
	RTA_4 = 0x33,		/* abort-DMA mode */
	RTA_5 = 0x34,		/* execute requested, version 8 and later */
	SRT_1 = 0x38,		/* root entry: read, present, reserved */
	SRT_2 = 0x39,
	SRT_3 = 0x3a,
	SCT_1 = 0x40,		/* context entry: read, present, reserved */
	SCT_2 = 0x41,
	SCT_3 = 0x42,
	SCT_4 = 0x43,		/* invalid context entry */
	SCT_5 = 0x44,		/* DTE clear */
	SCT_6 = 0x45,		/* PASIDE clear */
	SCT_7 = 0x46,		/* PASID beyond PDTS */
	SCT_8 = 0x47,		/* PRE clear */
	SCT_9 = 0x48,		/* PASID is RID_PASID */
	SCT_10 = 0x49,		/* EPTR clear */
	SPD_1 = 0x50,		/* PASID directory: read, present, reserved */
	SPD_2 = 0x51,
	SPD_3 = 0x52,
	SPT_1 = 0x58,		/* PASID entry: read, present, reserved */
	SPT_2 = 0x59,
	SPT_3 = 0x5a,
	SPT_4 = 0x5b,		/* invalid PASID entry */
	SPT_5 = 0x5c,		/* execute requested */
	SPT_6 = 0x5d,		/* SRE clear */
	SFS_1 = 0x70,		/* first stage: read, present, reserved */
	SFS_2 = 0x71,
	SFS_3 = 0x72,
	SFS_4 = 0x73,		/* top-level table cannot be read */
	SFS_5 = 0x74,		/* address beyond the second stage */
	SFS_6 = 0x75,		/* second stage: top-level table not readable */
	SFS_7 = 0x76,		/* second stage: table not readable */
	SFS_8 = 0x77,		/* second stage: A/D not writable */
	SSS_1 = 0x78,		/* second stage: read, present, reserved */
	SSS_2 = 0x79,
	SSS_3 = 0x7a,
	SSS_4 = 0x7b,		/* top-level table cannot be read */
	SSS_5 = 0x7c,		/* A/D update without snooping */
	SSS_6 = 0x7d,		/* A/D update failed */
	SGN_1 = 0x80,		/* not canonical */
	SGN_2 = 0x81,		/* U/S */
	SGN_3 = 0x82,		/* no execute permission, older revisions */
	SGN_4 = 0x83,		/* beyond HAW */
	SGN_5 = 0x84,		/* beyond MGAW or AW */
	SGN_6 = 0x85,		/* no write permission */
	SGN_7 = 0x86,		/* no read permission */
	SGN_8 = 0x87,		/* output in the interrupt range */
	SGN_10 = 0x89,		/* PASID beyond PSS */
	SFS_9 = 0x90,		/* A/D update without snooping */
	SFS_10 = 0x91,		/* A/D update failed */
};

#define INTERRUPT_BASE	0xfee00000ULL
#define INTERRUPT_LAST	0xfeefffffULL

#endif /* VTD_REGS_H */
