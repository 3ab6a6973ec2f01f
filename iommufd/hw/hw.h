/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract between the core and what programs the hardware.
 *
 * A provider drives the IOMMU in front of a device. The core decides what is
 * mapped where and who is attached to what; it never sees a page table entry.
 * A provider writes entries and flushes; it never sees a user pointer.
 *
 * The resting state of a device that the core has opened is "blocked": no DMA
 * of it reaches memory. There is no other state than blocked and attached.
 *
 * Calls on one page table are serialised by the core (it holds the mutex of the
 * root of its tree of address spaces, which the tables nested over it share),
 * except for attach and block, which are serialised for each device, and which
 * may run beside map, unmap and flush of the same table.
 */
#ifndef IOFD_HW_H
#define IOFD_HW_H

#include <linux/types.h>

struct device;
struct module;
struct iofd_hw_ops;

/* Access that a page table entry grants, and that a fault record reports. */
#define IOFD_READ	0x1u
#define IOFD_WRITE	0x2u

/* In the place of a PASID: requests without one. */
#define IOFD_NO_PASID	U32_MAX
/* In the place of a PASID: all requests, with whatever PASID and without. */
#define IOFD_ANY_PASID	(U32_MAX - 1)

/**
 * struct iofd_hw_caps - what a device can do behind its IOMMU
 * @pgsize_bitmap: leaf sizes in bytes, one bit each; the lowest is at most
 *	PAGE_SIZE
 * @addr_width_bits: width of an I/O virtual address (VT-d: the smaller of MGAW
 *	and the widest table that SAGAW offers)
 * @pasid_width_bits: 0 without PASID
 * @formats: bitmap of (1 << enum iommu_ioasid_format)
 * @flags: enum iommu_device_info_flags
 * @hw_type: enum iommu_hw_type
 * @hw_cap: raw CAP register
 * @hw_ecap: raw ECAP register
 * @unit: name of the remapping unit, for people ("dmar0")
 */
struct iofd_hw_caps {
	u64 pgsize_bitmap;
	u32 addr_width_bits;
	u32 pasid_width_bits;
	u64 formats;
	u32 flags;
	u32 hw_type;
	u64 hw_cap;
	u64 hw_ecap;
	char unit[32];
};

/**
 * struct iofd_hw_dev - one physical device, or a part of one, as its provider
 *	knows it
 * @ops: the provider
 * @dev: the device
 *
 * Embedded in the provider's own structure. The core opens a device once,
 * however many fds it is bound to.
 */
struct iofd_hw_dev {
	const struct iofd_hw_ops *ops;
	struct device *dev;
};

/**
 * struct iofd_pt_attrs - what a kernel-managed page table has to offer
 * @addr_width_bits: addresses to cover; 0: as many as the device can use
 * @coherency: enum iommu_ioasid_coherency. ENFORCE fails with -EINVAL where the
 *	hardware cannot; AUTO enforces where it can
 * @nest_parent: users' tables will be nested over it (VT-d: a second-level
 *	table); -EOPNOTSUPP where the hardware does not nest
 * @dirty: the hardware keeps track of what is written through it, for read_dirty();
 *	-EOPNOTSUPP where it cannot (no IOMMU_DEVICE_INFO_DIRTY)
 */
struct iofd_pt_attrs {
	u32 addr_width_bits;
	u32 coherency;
	bool nest_parent;
	bool dirty;
};

/**
 * struct iofd_nest_attrs - a user's table that the hardware is to walk
 * @format: enum iommu_ioasid_format
 * @table_addr: where it starts, an address in the parent
 * @addr_width_bits: of the addresses it translates
 * @coherency: enum iommu_ioasid_coherency
 * @flags: of the format: enum iommu_vtd_s1_flags
 */
struct iofd_nest_attrs {
	u32 format;
	u64 table_addr;
	u32 addr_width_bits;
	u32 coherency;
	u64 flags;
};

/**
 * struct iofd_hw_pt - one I/O page table
 * @ops: the provider
 * @pgsize_bitmap: leaf sizes that map() uses
 * @addr_last: highest address that it can hold
 * @snoop_enforced: all DMA through it snoops the CPU caches
 * @nest_parent: pt_nest() can be called over it
 * @dirty: read_dirty() can be called. All hardware that walks it keeps track
 * @parent: a user's table: the table that its addresses are translated by;
 *	NULL for a kernel-managed one
 *
 * Embedded in the provider's own structure. Constant once allocated.
 */
struct iofd_hw_pt {
	const struct iofd_hw_ops *ops;
	u64 pgsize_bitmap;
	u64 addr_last;
	bool snoop_enforced;
	bool nest_parent;
	bool dirty;
	struct iofd_hw_pt *parent;
};

/**
 * typedef iofd_run_fn - receives physically contiguous runs of memory
 * @arg: the caller's
 * @iova: I/O virtual address of the run's first byte
 * @phys: physical address of its first byte
 * @bytes: its length, a multiple of PAGE_SIZE
 * @prot: IOFD_READ | IOFD_WRITE as it was mapped
 *
 * Return: 0, or a negative errno that ends the walk.
 */
typedef int (*iofd_run_fn)(void *arg, u64 iova, phys_addr_t phys, size_t bytes,
			   unsigned int prot);

/**
 * typedef iofd_dirty_fn - receives ranges that devices have written
 * @arg: the caller's
 * @iova: first byte
 * @last: last byte
 */
typedef void (*iofd_dirty_fn)(void *arg, u64 iova, u64 last);

/**
 * struct iofd_hw_ops - a provider
 * @name: for people ("vtd")
 * @owner: module that stays loaded while a device of it is open
 * @open: take the device; -ENODEV when the provider does not drive its IOMMU.
 *	The caller owns the DMA of the device's group already, so that the
 *	device is blocked, and stays so. May sleep.
 * @open_subdev: take a part of a device: what it does with @pasid. What it does
 *	without PASID is the kernel's, whose driver works with it, and goes on as
 *	before. To the core the part is a device without PASIDs: what it says of
 *	requests without PASID is about those with @pasid. No other open part of
 *	the device has it. -ENODEV as with open; -EBUSY when a user has the
 *	device; -EOPNOTSUPP when the hardware has no PASIDs for it; -EINVAL when
 *	it does not have this one. NULL: devices of this provider have no parts.
 * @close: give it back. The device, or the part, is blocked. Cannot fail.
 * @caps: fill in what the device can do; valid from open on
 * @pt_alloc: make an empty table that @hd can be attached to. ERR_PTR(-EINVAL)
 *	when the attributes cannot be met, -ENOMEM.
 * @pt_free: free it, whatever it maps. Nothing is attached to it, and no unit
 *	remembers anything of it: block() flushed.
 * @pt_fits: can @hd be attached to @pt as it is? A table may serve devices
 *	behind several units when their walks agree.
 *	A nested table also has to fit, with its parent.
 * @pt_nest: make a table of a user's, nested over @parent, that @hd can be
 *	attached to. Checks all that can be checked of the attributes:
 *	-EOPNOTSUPP for what the hardware lacks, -EINVAL for what makes no
 *	sense, -ENOMEM. @parent is freed after it. NULL: no hardware nesting.
 * @attach: let the device's DMA with @pasid, or without PASID for
 *	IOFD_NO_PASID, go through @pt. Where it goes through another table, that
 *	is replaced: what went through the old one does not any more when this
 *	returns, and no DMA is refused meanwhile; but it may be where the
 *	hardware's driver cannot do better (hw/api). On failure it goes where it
 *	went before. A PASID is in 1 to (1 << caps.pasid_width_bits) - 1. May
 *	sleep.
 * @block: block the device's DMA with @pasid, or without PASID, and flush, so
 *	that when it returns none of it reaches memory, whatever the device was
 *	doing. Cannot fail.
 * @invalidate: the user has changed entries of a nested table: wait until no
 *	unit and no device TLB holds a translation made from what was there
 *	before in [first, last]. @hd: the device whose accesses are meant, or
 *	NULL for all devices. @pasid: attached with it; IOFD_NO_PASID; IOFD_ANY_PASID.
 *	@leaf: only entries that point at pages were changed. Unit caches may be
 *	flushed for more than was asked for. Cannot fail.
 * @map: write the entries for one physically contiguous run, with the largest
 *	leaves that alignment allows. Nothing is present in the range. iova,
 *	phys and bytes are multiples of PAGE_SIZE. On failure a
 *	part of the range from its start on may have been written; the caller
 *	revokes and reaps all of it.
 * @map_sync: make what map() wrote since the last call visible to the hardware
 *	(cache lines, write buffer, caching mode). Called once at the end of a
 *	command.
 * @revoke: first step of unmapping: take away access from every entry in
 *	[iova, last]. The range never cuts a run that was mapped by one map().
 *	Does not flush and does not forget the physical addresses. Cannot fail.
 * @flush: second step: wait until no unit holds a translation of
 *	[iova, last] any more, device TLBs included, nor one of a table nested
 *	over this one that leads through [iova, last]. Cannot fail.
 * @reap: third step: clear the revoked entries in [iova, last] and hand back
 *	the physical runs they held, merged where they are contiguous, to @fn
 *	(which returns 0 always; NULL: nobody wants them). Frees table pages
 *	that are no longer used, as it sees fit, with a flush of its own.
 *	Cannot fail.
 * @for_each_run: hand the runs that are present in [iova, last] to @fn, in
 *	ascending order. Returns what @fn returned when it was not 0.
 * @read_dirty: of a table with @dirty: hand all that devices have written in
 *	[iova, last] to @fn (NULL: nobody wants it), in ascending order, in units of
 *	leaves, clipped to the range. @clear: begin anew: what is written after this
 *	has returned is handed out the next time, and what was written by then is
 *	in memory. A leaf that an end of the range cuts is not begun anew, and is
 *	handed out each time. Users' tables that are nested over it count as well,
 *	the reading of their pages, which hardware may write, included. Cannot fail.
 *	NULL where no table has @dirty.
 *
 * @reap and @for_each_run are NULL where the hardware's driver cannot walk its
 * table; the core then keeps the physical addresses itself. @revoke then also
 * clears.
 */
struct iofd_hw_ops {
	const char *name;
	struct module *owner;

	struct iofd_hw_dev *(*open)(struct device *dev);
	struct iofd_hw_dev *(*open_subdev)(struct device *dev, u32 pasid);
	void (*close)(struct iofd_hw_dev *hd);
	void (*caps)(struct iofd_hw_dev *hd, struct iofd_hw_caps *caps);

	struct iofd_hw_pt *(*pt_alloc)(struct iofd_hw_dev *hd,
				       const struct iofd_pt_attrs *attrs);
	void (*pt_free)(struct iofd_hw_pt *pt);
	bool (*pt_fits)(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd);

	struct iofd_hw_pt *(*pt_nest)(struct iofd_hw_dev *hd,
				      struct iofd_hw_pt *parent,
				      const struct iofd_nest_attrs *attrs);

	int (*attach)(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd, u32 pasid);
	void (*block)(struct iofd_hw_dev *hd, u32 pasid);
	void (*invalidate)(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd,
			   u32 pasid, u64 first, u64 last, bool leaf);

	int (*map)(struct iofd_hw_pt *pt, u64 iova, phys_addr_t phys,
		   size_t bytes, unsigned int prot);
	void (*map_sync)(struct iofd_hw_pt *pt, u64 iova, u64 last);
	void (*revoke)(struct iofd_hw_pt *pt, u64 iova, u64 last);
	void (*flush)(struct iofd_hw_pt *pt, u64 iova, u64 last);
	void (*reap)(struct iofd_hw_pt *pt, u64 iova, u64 last,
		     iofd_run_fn fn, void *arg);
	int (*for_each_run)(struct iofd_hw_pt *pt, u64 iova, u64 last,
			    iofd_run_fn fn, void *arg);
	void (*read_dirty)(struct iofd_hw_pt *pt, u64 iova, u64 last,
			   bool clear, iofd_dirty_fn fn, void *arg);
};

/**
 * struct iofd_hw_fault - one DMA that the hardware refused
 * @address: I/O virtual address, page aligned on VT-d
 * @access: IOFD_READ or IOFD_WRITE
 * @reason: the hardware's code (VT-d: fault reason, specification 7.1.3)
 * @reason_text: the same in words, a string that lives as long as the module
 * @has_pasid: @pasid is valid
 * @pasid: PASID of the request
 */
struct iofd_hw_fault {
	u64 address;
	u32 access;
	u32 reason;
	const char *reason_text;
	bool has_pasid;
	u32 pasid;
};

/* Called by providers; the only ways up. Implemented by the core. */

/**
 * iofd_hw_register() - offer a provider to the core
 * @ops: lives until iofd_hw_unregister()
 *
 * A later provider is asked before an earlier one.
 *
 * Return: 0 or -ENOMEM.
 */
int iofd_hw_register(const struct iofd_hw_ops *ops);

/**
 * iofd_hw_unregister() - withdraw a provider
 * @ops: no device of it is open: the module reference of each open device
 *	keeps the module from unloading
 */
void iofd_hw_unregister(const struct iofd_hw_ops *ops);

/**
 * iofd_hw_report_fault() - pass on a DMA that the hardware refused
 * @dev: the device it came from
 * @fault: what happened
 *
 * May sleep. Logs it (rate-limited) and sends an event that names the label and
 * the IOASID when the device is bound. The provider need not log as well.
 */
void iofd_hw_report_fault(struct device *dev, const struct iofd_hw_fault *fault);

#endif /* IOFD_HW_H */
