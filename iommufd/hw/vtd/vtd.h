/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VT-d driver's private structures.
 *
 * Locks, outermost first; a letter stands at each field:
 *   (s) vtd_state_lock: bringing the driver up and down
 *   (L) vtd_unit.lock: what a unit's devices are attached to; root, context and
 *       PASID tables; sleeps
 *   (t) vtd_table.lock: which units and devices walk a table; spins, and is
 *       held while an invalidation of the table is waited for
 *   (e) vtd_unit.entry_lock: the present bit of context entries; spins
 *   (q) vtd_qi.lock: the invalidation queue; spins
 *   (r) vtd_unit.reg_lock: command, status and event control registers; raw
 *   (c) constant after creation
 */
#ifndef IOFD_VTD_H
#define IOFD_VTD_H

#include <linux/interrupt.h>
#include <linux/iommu.h>
#include <linux/idr.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <asm/cacheflush.h>

#include "compat/compat.h"
#include "hw/hw.h"
#include "hw/pt/sl.h"
#include "dmar.h"
#include "qi_desc.h"
#include "regs.h"

/* No domain uses 0: with CAP.CM hardware tags what is not present with it. */
#define VTD_DID_NONE		0
/* Pass-through, and the 1:1 table, which is the same for all its devices. */
#define VTD_DID_IDENTITY	1
#define VTD_DID_FIRST		2

/* Requests without PASID are those of this PASID, in scalable mode. */
#define VTD_RID_PASID		0

/* Bridges between a device and its root bus; PCI allows 256 buses. */
#define VTD_MAX_HOPS		64

struct vtd_table;

/**
 * struct vtd_qi - the invalidation queue of a unit
 * @lock: serialises posting
 * @ring: (q) the queue
 * @order: (c) of its pages
 * @entries: (c) descriptors it holds, a power of two
 * @shift: (c) log2 of a descriptor's size in bytes
 * @tail: (q) where the next descriptor goes
 * @free: (q) descriptors that fit, as far as known
 * @ticket: (q) number of the last batch
 * @done: number of the last batch that is finished; written by hardware
 * @dead: (q) written; hardware stopped; nothing is posted any more
 */
struct vtd_qi {
	spinlock_t lock;
	void *ring;
	unsigned int order;
	unsigned int entries;
	unsigned int shift;
	unsigned int tail;
	unsigned int free;
	u32 ticket;
	u32 *done;
	bool dead;
};

/**
 * struct vtd_events - the fault event interrupt of a unit
 * @fwnode: (c) names @domain
 * @domain: (c) our own, over the processor's vectors
 * @virq: (c) Linux number
 * @irq_masked: (r) the interrupt core wants it masked
 * @held: (r) we hold it until a flood is over
 * @work: continues after a flood
 * @stopping: no more of @work
 */
struct vtd_events {
	struct fwnode_handle *fwnode;
	struct irq_domain *domain;
	int virq;
	bool irq_masked;
	bool held;
	struct delayed_work work;
	bool stopping;
};

enum vtd_phase {
	VTD_STARTING,
	VTD_RUNNING,
	VTD_CLOSING,
};

/**
 * struct vtd_unit - one remapping unit
 * @iommu: the kernel's view of it
 * @link: (s) in vtd_units
 * @drhd: (c) its entry in the DMAR table
 * @name: (c) "dmar0"
 * @regs: (c) its registers
 * @regs_bytes: (c) length of @regs
 * @cap: (c) register CAP
 * @ecap: (c) register ECAP
 * @scalable: (c) mode of the root table
 * @coherent: (c) it snoops caches when it walks root, context and PASID tables
 * @walk_coherent: (c) and when it walks page tables
 * @addr_width_bits: (c) of I/O virtual addresses
 * @max_leaf_level: (c) largest page: 1: 4 KiB, 2: 2 MiB, 3: 1 GiB
 * @drain: (c) VTD_QI_DW | VTD_QI_DR as the unit supports them
 * @reg_lock: (r)
 * @lock: (L)
 * @entry_lock: (e)
 * @root: (c) root table; its entries (L)
 * @context: (L) the context tables; two for each bus in scalable mode
 * @rids: (L) struct vtd_rid by requester ID; entries live under RCU
 * @devs: (L) struct vtd_dev behind the unit
 * @phase: (L) only a running unit gives devices to users
 * @enabled: (s) translation is on
 * @registered: (s) the kernel knows @iommu
 * @dids: domain ids in use; locks itself
 * @nr_dids: domain ids in use, @dids' count
 * @qi: the invalidation queue
 * @events: the fault interrupt
 */
struct vtd_unit {
	struct iommu_device iommu;
	struct list_head link;
	const struct vtd_dmar_entry *drhd;
	char name[16];

	void __iomem *regs;
	resource_size_t regs_bytes;
	u64 cap;
	u64 ecap;
	bool scalable;
	bool coherent;
	bool walk_coherent;
	u8 addr_width_bits;
	u8 max_leaf_level;
	u64 drain;

	raw_spinlock_t reg_lock;
	struct mutex lock;
	spinlock_t entry_lock;

	u64 *root;
	u64 *context[512];
	struct xarray rids;
	struct list_head devs;
	enum vtd_phase phase;
	bool enabled;
	bool registered;
	struct ida dids;
	atomic_t nr_dids;

	struct vtd_qi qi;
	struct vtd_events events;
};

/* What the requests of a device, or of one requester ID, go through. */
enum vtd_state {
	VTD_BLOCKED,
	VTD_IDENTITY,
	VTD_TABLE,
};

/**
 * struct vtd_target - contents of a context or PASID table entry
 * @pass_through: no table
 * @root: physical address of the second-level table
 * @levels: of the table, or the widest of the unit
 * @did: domain id
 * @ats: allow translation requests, and what was translated by them
 */
struct vtd_target {
	bool pass_through;
	phys_addr_t root;
	unsigned int levels;
	u16 did;
	bool ats;
};

/**
 * struct vtd_rid - one requester ID at a unit
 * @rcu: frees it after readers of vtd_unit.rids
 * @sid: (c) bus, device and function number
 * @refs: (L) devices that use it, and firmware
 * @state: (L) what its entry says
 * @table: (L) with VTD_TABLE
 * @users: (L) devices that want it so; with 0 it is blocked
 * @target: (L) as programmed
 * @entry: (c) its context entry
 * @pasid_dir: (c) scalable mode: PASID directory of one entry
 * @pasid_table: (c) scalable mode: PASID table of that entry
 */
struct vtd_rid {
	struct rcu_head rcu;
	u16 sid;
	unsigned int refs;
	enum vtd_state state;
	struct vtd_table *table;
	unsigned int users;
	struct vtd_target target;
	u64 *entry;
	u64 *pasid_dir;
	u64 *pasid_table;
};

/**
 * struct vtd_attach - a table is in use at a unit
 * @link: (t) in vtd_table.attaches
 * @unit: (c)
 * @did: (c) the table's domain id there
 * @users: (L) devices behind @unit that use it
 * @ticket: (t) of the flush that is under way
 */
struct vtd_attach {
	struct list_head link;
	struct vtd_unit *unit;
	u16 did;
	unsigned int users;
	u32 ticket;
};

/**
 * struct vtd_table - a second-level table
 * @pt: the core's view
 * @sl: the table; calls are serialised by the owner
 * @lock: (t)
 * @attaches: (t) struct vtd_attach of each unit that walks it
 * @ats_devs: (t) struct vtd_dev whose device TLB may hold parts of it
 */
struct vtd_table {
	struct iofd_hw_pt pt;
	struct sl_table sl;
	spinlock_t lock;
	struct list_head attaches;
	struct list_head ats_devs;
};

/**
 * struct vtd_dev - one PCI function
 * @hd: the core's view
 * @pdev: (c) the function
 * @unit: (c) in front of it
 * @link: (L) in vtd_unit.devs
 * @rids: (c) requester IDs its DMA can carry; the first is its own
 * @nr_rids: (c)
 * @state: (L)
 * @table: (L) with VTD_TABLE
 * @attach: (L) with VTD_TABLE
 * @linux_state: (L) what the kernel asked for last
 * @probed: (L) the kernel knows that we drive its IOMMU
 * @open: (L) the core has opened it
 * @rmrr_locked: (c) firmware uses memory by it at all times
 * @bound_to: (c) driver it had before the kernel knew us
 * @owner_fixed: (s) the group's owner count for @bound_to has been made up for
 * @ats_allowed: (c) its path supports ATS
 * @ats_on: (L) written; read under (t) while on ats_devs
 * @ats_qdep: (c) invalidations it can queue
 * @ats_pfsid: (c) physical function's requester ID if the unit wants it
 * @ats_link: (t) in vtd_table.ats_devs
 */
struct vtd_dev {
	struct iofd_hw_dev hd;
	struct pci_dev *pdev;
	struct vtd_unit *unit;
	struct list_head link;
	struct vtd_rid **rids;
	unsigned int nr_rids;
	enum vtd_state state;
	struct vtd_table *table;
	struct vtd_attach *attach;
	enum vtd_state linux_state;
	bool probed;
	bool open;
	bool rmrr_locked;
	struct device_driver *bound_to;
	bool owner_fixed;
	bool ats_allowed;
	bool ats_on;
	u8 ats_qdep;
	u16 ats_pfsid;
	struct list_head ats_link;
};

/* What a table must have in common with the units that are to walk it. */
struct vtd_limits {
	unsigned int levels_mask;	/* BIT(levels) */
	unsigned int addr_width_bits;
	unsigned int max_leaf_level;
	bool noncoherent;
	bool snoop;
};

extern struct mutex vtd_state_lock;
extern struct list_head vtd_units;	/* (s) */
extern struct vtd_dmar *vtd_dmar;	/* (s) constant while up */
extern bool vtd_want_scalable;		/* module parameters */
extern bool vtd_want_ats;

#define vtd_err(u, fmt, ...)	pr_err("%s: " fmt, (u)->name, ##__VA_ARGS__)
#define vtd_warn(u, fmt, ...)	pr_warn("%s: " fmt, (u)->name, ##__VA_ARGS__)
#define vtd_info(u, fmt, ...)	pr_info("%s: " fmt, (u)->name, ##__VA_ARGS__)

/* unit.c */
struct vtd_unit *vtd_unit_create(const struct vtd_dmar_entry *drhd,
				 unsigned int index);
void vtd_unit_destroy(struct vtd_unit *unit);
int vtd_unit_enable(struct vtd_unit *unit);
void vtd_unit_disable(struct vtd_unit *unit);
void vtd_unit_write_buffer_flush(struct vtd_unit *unit);
unsigned int vtd_unit_max_dids(const struct vtd_unit *unit);
int vtd_unit_did_alloc(struct vtd_unit *unit);
void vtd_unit_did_free(struct vtd_unit *unit, u16 did);
void vtd_unit_limits(const struct vtd_unit *unit, struct vtd_limits *limits);
void vtd_limits_intersect(struct vtd_limits *limits,
			  const struct vtd_limits *other);

static inline unsigned int vtd_levels_mask(u64 cap)
{
	/* SAGAW bit 1: 3 levels, and so on */
	return (CAP_SAGAW(cap) & 0xe) << 2;
}

static inline unsigned int vtd_levels_aw(unsigned int levels)
{
	return levels - 2;
}

/* Memory that a unit reads without snooping caches has to be written back. */
static inline void vtd_write_back(const struct vtd_unit *unit, void *p,
				  size_t bytes)
{
	if (!unit->coherent)
		clflush_cache_range(p, bytes);
}

/* qi.c */
int vtd_qi_init(struct vtd_unit *unit);
void vtd_qi_free(struct vtd_unit *unit);
u64 vtd_qi_iqa(const struct vtd_unit *unit);
void vtd_qi_drain(struct vtd_unit *unit);
u32 vtd_qi_post(struct vtd_unit *unit, const struct vtd_qi_desc *descs,
		unsigned int n);
int vtd_qi_wait(struct vtd_unit *unit, u32 ticket);
void vtd_qi_errors(struct vtd_unit *unit);

static inline int vtd_qi_run(struct vtd_unit *unit,
			     const struct vtd_qi_desc *descs, unsigned int n)
{
	return vtd_qi_wait(unit, vtd_qi_post(unit, descs, n));
}

/* fault.c */
int vtd_events_init(struct vtd_unit *unit);
void vtd_events_free(struct vtd_unit *unit);

/* context.c */
struct vtd_rid *vtd_rid_get(struct vtd_unit *unit, u16 sid);
void vtd_rid_put(struct vtd_unit *unit, struct vtd_rid *rid);
void vtd_rid_free_all(struct vtd_unit *unit);
void vtd_rid_set(struct vtd_unit *unit, struct vtd_rid *rid,
		 const struct vtd_target *target);
void vtd_rid_clear(struct vtd_unit *unit, struct vtd_rid *rid);
void vtd_rid_cut(struct vtd_unit *unit, u16 sid);

/* device.c */
struct vtd_dev *vtd_dev_create(struct vtd_unit *unit, struct pci_dev *pdev);
void vtd_dev_destroy(struct vtd_dev *vdev);
struct vtd_dev *vtd_dev_find(struct vtd_unit *unit, struct pci_dev *pdev);
int vtd_dev_set(struct vtd_dev *vdev, enum vtd_state state,
		struct vtd_table *table);
int vtd_firmware_devices(struct vtd_unit *unit);

/* acs.c */
void vtd_acs_enable(struct pci_dev *pdev);

/* scope.c */
struct vtd_unit *vtd_scope_unit(struct pci_dev *pdev);
bool vtd_scope_ats(struct pci_dev *pdev);
bool vtd_scope_rmrr(struct pci_dev *pdev, const struct vtd_dmar_entry *rmrr);
bool vtd_rmrr_relaxable(struct pci_dev *pdev);

/* table.c */
struct vtd_table *vtd_table_alloc(const struct vtd_limits *limits,
				  unsigned int addr_width_bits, bool snoop);
void vtd_table_free(struct vtd_table *table);
bool vtd_table_fits(const struct vtd_table *table, const struct vtd_unit *unit);
struct vtd_attach *vtd_table_attach(struct vtd_table *table,
				    struct vtd_unit *unit);
void vtd_table_detach(struct vtd_table *table, struct vtd_attach *attach);
void vtd_table_ats_add(struct vtd_table *table, struct vtd_dev *vdev);
void vtd_table_ats_del(struct vtd_table *table, struct vtd_dev *vdev);
void vtd_table_map_sync(struct vtd_table *table, u64 iova, u64 last);
void vtd_table_flush(struct vtd_table *table, u64 iova, u64 last, bool leaf);
void vtd_table_reap(struct vtd_table *table, u64 iova, u64 last,
		    iofd_run_fn fn, void *arg);

static inline struct vtd_table *to_vtd_table(struct iofd_hw_pt *pt)
{
	return container_of(pt, struct vtd_table, pt);
}

static inline struct vtd_dev *to_vtd_dev(struct iofd_hw_dev *hd)
{
	return container_of(hd, struct vtd_dev, hd);
}

/* identity.c */
int vtd_identity_init(void);
void vtd_identity_free(void);
void vtd_identity_target(const struct vtd_unit *unit,
			 struct vtd_target *target);

/* provider.c */
extern const struct iofd_hw_ops vtd_provider_ops;

/* linux.c */
extern const struct iommu_ops vtd_iommu_ops;
int vtd_linux_register(void);
void vtd_linux_unregister(void);
struct vtd_dev *vtd_dev_of(struct device *dev);

/* sysfs.c */
extern const struct attribute_group *vtd_sysfs_groups[];

#endif /* IOFD_VTD_H */
