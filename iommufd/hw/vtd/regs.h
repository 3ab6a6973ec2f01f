/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of a VT-d remapping unit and the entries it walks, named as the
 * specification names them. No code.
 */
#ifndef IOFD_VTD_REGS_H
#define IOFD_VTD_REGS_H

#include <linux/bits.h>

/* Chapter "Register Descriptions": offsets from the unit's base. */
#define VTD_VER		0x000	/* 32 bits */
#define VTD_CAP		0x008
#define VTD_ECAP	0x010
#define VTD_GCMD	0x018	/* 32 bits, write only */
#define VTD_GSTS	0x01c	/* 32 bits */
#define VTD_RTADDR	0x020
#define VTD_FSTS	0x034	/* 32 bits, as the next four */
#define VTD_FECTL	0x038
#define VTD_FEDATA	0x03c
#define VTD_FEADDR	0x040
#define VTD_FEUADDR	0x044
#define VTD_PMEN	0x064	/* 32 bits */
#define VTD_IQH		0x080
#define VTD_IQT		0x088
#define VTD_IQA		0x090
#define VTD_IQERCD	0x0b0

#define VER_MINOR(v)	((v) & 0xf)
#define VER_MAJOR(v)	(((v) >> 4) & 0xf)

/* CAP */
#define CAP_ND(c)	((unsigned int)(c) & 0x7)
#define CAP_RWBF	BIT_ULL(4)
#define CAP_PLMR	BIT_ULL(5)
#define CAP_PHMR	BIT_ULL(6)
#define CAP_CM		BIT_ULL(7)
#define CAP_SAGAW(c)	(((unsigned int)(c) >> 8) & 0x1f)
#define CAP_MGAW(c)	((((unsigned int)(c) >> 16) & 0x3f) + 1)
#define CAP_FRO(c)	((((unsigned int)(c) >> 24) & 0x3ff) * 16)
#define CAP_SSLPS_2M	BIT_ULL(34)
#define CAP_SSLPS_1G	BIT_ULL(35)
#define CAP_PSI		BIT_ULL(39)
#define CAP_NFR(c)	(((unsigned int)((c) >> 40) & 0xff) + 1)
#define CAP_MAMV(c)	((unsigned int)((c) >> 48) & 0x3f)
#define CAP_DWD		BIT_ULL(54)
#define CAP_DRD		BIT_ULL(55)
#define CAP_FS1GP	BIT_ULL(56)
#define CAP_FS5LP	BIT_ULL(60)

/* ECAP */
#define ECAP_C		BIT_ULL(0)
#define ECAP_QI		BIT_ULL(1)
#define ECAP_DT		BIT_ULL(2)
#define ECAP_PT		BIT_ULL(6)
#define ECAP_SC		BIT_ULL(7)
#define ECAP_NEST	BIT_ULL(26)
#define ECAP_SRS	BIT_ULL(31)
#define ECAP_EAFS	BIT_ULL(34)
#define ECAP_PSS(c)	((((unsigned int)((c) >> 35)) & 0x1f) + 1)
#define ECAP_PASID	BIT_ULL(40)
#define ECAP_DIT	BIT_ULL(41)
#define ECAP_SMTS	BIT_ULL(43)
#define ECAP_SSADS	BIT_ULL(45)
#define ECAP_SSTS	BIT_ULL(46)
#define ECAP_FSTS	BIT_ULL(47)
#define ECAP_SMPWCS	BIT_ULL(48)

/*
 * GCMD and GSTS have the same layout. The bits outside GSTS_STICKY are one-shot
 * commands: they must not be repeated when another bit is changed.
 */
#define GCMD_TE		BIT(31)
#define GCMD_SRTP	BIT(30)
#define GCMD_WBF	BIT(27)
#define GCMD_QIE	BIT(26)
#define GCMD_IRE	BIT(25)
#define GSTS_STICKY	0x96ffffffu

/* RTADDR */
#define RTADDR_TTM_SCALABLE	BIT_ULL(10)

/* FSTS */
#define FSTS_PFO	BIT(0)
#define FSTS_PPF	BIT(1)
#define FSTS_IQE	BIT(4)
#define FSTS_ICE	BIT(5)
#define FSTS_ITE	BIT(6)
#define FSTS_FRI(s)	(((s) >> 8) & 0xff)

/* FECTL */
#define FECTL_IM	BIT(31)

/* PMEN */
#define PMEN_EPM	BIT(31)
#define PMEN_PRS	BIT(0)

/* IQA */
#define IQA_DW		BIT_ULL(11)

/* IQERCD */
#define IQERCD_IQEI(r)		((unsigned int)(r) & 0xf)
#define IQERCD_ITESID(r)	((u16)((r) >> 32))
#define IQERCD_ICESID(r)	((u16)((r) >> 48))

/* Root entry: the low half names a table; in scalable mode so does the high. */
#define ROOT_P		BIT_ULL(0)

/* Legacy context entry, low half */
#define CTX_P		BIT_ULL(0)
#define CTX_TT_UNTRANSLATED	(0ULL << 2)	/* second level; ATS refused */
#define CTX_TT_ATS	(1ULL << 2)	/* second level; ATS allowed */
#define CTX_TT_PASS	(2ULL << 2)	/* pass-through */
/* high half */
#define CTX_AW(aw)	((u64)(aw))
#define CTX_DID(did)	((u64)(did) << 8)
#define CTX_DID_OF(e)	((u16)((e) >> 8))

/* Scalable context entry, first of four words */
#define SCTX_P		BIT_ULL(0)
#define SCTX_DTE	BIT_ULL(2)
#define SCTX_PASIDE	BIT_ULL(3)
/* The directory has 2^(pdts + 7) entries. */
#define SCTX_PDTS(pdts)	((u64)(pdts) << 9)

/* PASID directory entry; each is for a table of 64 PASIDs */
#define PASID_DIR_P	BIT_ULL(0)
#define PASID_DIR_TABLE	GENMASK_ULL(63, 12)

/* PASID table entry, first of eight words */
#define PASID_P		BIT_ULL(0)
#define PASID_AW(aw)	((u64)(aw) << 2)
#define PASID_PGTT(w)	((u64)(w) << 6)
#define PASID_PGTT_OF(e)	((unsigned int)((e) >> 6) & 7)
#define PASID_SSADE	BIT_ULL(9)
/* second word */
#define PASID_DID(did)	((u64)(did))
#define PASID_DID_OF(e)	((u16)(e))
#define PASID_PWSNP	BIT_ULL(23)
#define PASID_PGSNP	BIT_ULL(24)
/* third word: the first-level table is at bits 63:12 */
#define PASID_SRE	BIT_ULL(0)
#define PASID_FSPM_5	BIT_ULL(2)
#define PASID_WPE	BIT_ULL(4)
#define PASID_EAFE	BIT_ULL(7)

/* Fault recording register, high half */
#define FRCD_F		BIT_ULL(63)

/* Requests in this window are interrupts on every x86 machine. */
#define VTD_MSI_START	0xfee00000ULL
#define VTD_MSI_LAST	0xfeefffffULL

#endif /* IOFD_VTD_REGS_H */
