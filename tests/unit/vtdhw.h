/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine for tests of the VT-d driver: remapping units of lib/vtd, and
 * devices with PASIDs and translation caches of their own (ATS).
 *
 * A unit works on its queue only while the driver waits for it (cpu_relax()),
 * one descriptor at a time, and devices answer late: what the driver does not
 * wait for has not happened. One that does not snoop sees memory as it was
 * written back. Nothing that is cached is ever forgotten unasked.
 */
#ifndef VTDHW_H
#define VTDHW_H

#include "shim/shim.h"
#include <uapi/linux/ioasid.h>
#include "hw/vtd/vtd.h"
#include "vtdu.h"

#define VTDHW_TLB	256	/* entries of a device's cache */
#define VTDHW_RW	(IOFD_READ | IOFD_WRITE)

/* CAP: 48 and 57 bits, pages to 1 GiB, page-selective, MAMV 18, 5-level FS */
#define VTDHW_CAP							\
	(6ull | 0xcull << 8 | 56ull << 16 | 0x40ull << 24 |		\
	 CAP_SSLPS_2M | CAP_SSLPS_1G | CAP_PSI | 7ull << 40 |		\
	 18ull << 48 | CAP_DWD | CAP_DRD | CAP_FS1GP | CAP_FS5LP)
/* ECAP: everything that the driver knows, PASIDs of 20 bits */
#define VTDHW_ECAP							\
	(ECAP_C | ECAP_QI | ECAP_DT | ECAP_PT | ECAP_SC | 0x50ull << 8 |	\
	 ECAP_NEST | ECAP_SRS | ECAP_EAFS | 19ull << 35 | ECAP_PASID |	\
	 ECAP_DIT | ECAP_SMTS | ECAP_SSADS | ECAP_SSTS | ECAP_FSTS |	\
	 ECAP_SMPWCS)

struct vtdhw_unit {
	struct vtdu *u;
	void *mem;
	void *regs;
	struct vtd_unit *unit;
	struct vtd_dmar_entry drhd;
	bool coherent;
	u32 flights[64];	/* device-TLB invalidations under way */
	u16 flight_sids[64];
	unsigned int nr_flights;
	uint64_t log_from;
};

struct vtdhw_tlb {
	bool valid;
	u32 pasid;		/* or IOFD_NO_PASID */
	u64 addr, last, phys;
	unsigned int perm;
};

struct vtdhw_dev {
	struct pci_dev pdev;
	struct vtdhw_unit *hw;
	struct vtd_dev *vdev;
	struct iofd_hw_dev *hd;	/* while it is open */
	unsigned int pasid_width;	/* of its capability; 0: it has none */
	bool ats;		/* it has the capability */
	bool silent;		/* does not answer invalidations */
	unsigned long aliases[256 / BITS_PER_LONG];
	unsigned int send_as;	/* devfn of its requester ID now */
	struct vtdhw_tlb tlb[VTDHW_TLB];
	unsigned int next_tlb;
	unsigned int nr_invalidations;
};

/* What became of a DMA */
struct vtdhw_dma {
	bool ok;
	u8 fault;		/* of the unit; 0 with @ok */
	u64 phys;
	bool snoop;
	u8 mode;		/* enum vtdu_mode */
};

/* Before anything else in a test; and at its end: all that was made goes. */
void vtdhw_begin(void);
void vtdhw_end(void);

/*
 * A unit with translation on. One that hardly caches reads everything from memory
 * once another device's request has come in between.
 */
extern bool vtdhw_hardly_caches;
struct vtdhw_unit *vtdhw_unit(u64 cap, u64 ecap);
/* A function at 00:slot.func, blocked, and not open */
struct vtdhw_dev *vtdhw_dev(struct vtdhw_unit *hw, unsigned int devfn,
			    unsigned int pasid_width, bool ats);
/* One with PASIDs whose requests may carry the requester ID @alias instead */
struct vtdhw_dev *vtdhw_alias_dev(struct vtdhw_unit *hw, unsigned int devfn,
				  unsigned int alias);
void vtdhw_open(struct vtdhw_dev *dev);
/* The kernel's driver works with it: requests without PASID go by identity. */
void vtdhw_give_to_kernel(struct vtdhw_dev *dev);
void vtdhw_close(struct vtdhw_dev *dev);

/* One access. @access: IOFD_READ, IOFD_WRITE */
struct vtdhw_dma vtdhw_dma(struct vtdhw_dev *dev, u32 pasid, u64 addr,
			   unsigned int access);

/* The access goes through and ends at @phys; or it is refused. */
#define vtdhw_lands(dev, pasid, addr, where)				\
do {									\
	struct vtdhw_dma vtdhw_d = vtdhw_dma(dev, pasid, addr, IOFD_READ);	\
	if (!vtdhw_d.ok)						\
		fail_msg("%llx is refused: fault %02x",			\
			 (unsigned long long)(addr), vtdhw_d.fault);	\
	assert_int_equal(vtdhw_d.phys, where);				\
} while (0)
#define vtdhw_refused(dev, pasid, addr, reason)				\
do {									\
	struct vtdhw_dma vtdhw_d = vtdhw_dma(dev, pasid, addr, IOFD_READ);	\
	assert_false(vtdhw_d.ok);					\
	assert_int_equal(vtdhw_d.fault, reason);			\
} while (0)

/*
 * The descriptors that a unit has processed since the last call, in words of one
 * letter each:
 *	c context cache, C all of it	p PASID cache, P all of it
 *	i IOTLB pages, d domain, G all	f first-level pages, F all of a PASID
 *	t device TLB, T with PASID	w wait
 *	b write buffer (a register, not a descriptor)
 */
const char *vtdhw_log(struct vtdhw_unit *hw);
/* The same without wait descriptors */
const char *vtdhw_log_brief(struct vtdhw_unit *hw);

/* Units work until there is nothing left. */
void vtdhw_settle(void);

#endif
