/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VT-d driver's private structures.
 *
 * Locks, outermost first; a letter stands at each field:
 *   (s) vtd_state_lock: bringing the driver up and down
 *   (L) vtd_unit.lock: what a unit's devices are attached to; root, context and
 *       PASID tables; sleeps
 *   (t) vtd_table.lock, a nested table's parent's: which units and devices
 *       walk a table, and what is nested over it; spins, and is held while an
 *       invalidation of the table is waited for
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
#include "hw/flush_point.h"
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

/* PASIDs of a directory of one page, which every requester ID has. */
#define VTD_SMALL_PASID_BITS	15

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
 * @addr_width_bits: (c) of I/O virtual addresses that its tables translate
 * @max_leaf_level: (c) largest page: 1: 4 KiB, 2: 2 MiB, 3: 1 GiB
 * @second_level: (c) it walks second-level tables
 * @first_level: (c) it walks first-level tables; one of both at least
 * @nests: (c) it walks a first-level table over a second-level one
 * @dirty: (c) it sets accessed and dirty bits in second-level tables
 * @erratum_772415: (c) it writes to guests' page tables where the parent is
 *	read-only: no read-only mappings in a parent
 * @pasid_width_bits: (c) of requests with PASID; 0: none are let through
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
	bool second_level;
	bool first_level;
	bool nests;
	bool dirty;
	bool erratum_772415;
	u8 pasid_width_bits;
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

/* How a request is translated; the values of the field PGTT. */
enum vtd_walk {
	VTD_WALK_FIRST = 1,
	VTD_WALK_SECOND = 2,
	VTD_WALK_NESTED = 3,
	VTD_WALK_PASS = 4,
};

/**
 * struct vtd_target - contents of a context or PASID table entry
 * @walk: legacy mode: VTD_WALK_SECOND or VTD_WALK_PASS
 * @did: domain id
 * @root: physical address of the second-level table
 * @levels: of it, or the widest of the unit
 * @first: the first-level table: a physical address, or one in the second-level
 *	table with VTD_WALK_NESTED
 * @first_levels: of it
 * @s1_flags: enum iommu_vtd_s1_flags
 * @snoop: with a first-level table: force snooping
 * @dirty: set accessed and dirty bits in the second-level table
 */
struct vtd_target {
	enum vtd_walk walk;
	u16 did;
	phys_addr_t root;
	unsigned int levels;
	u64 first;
	unsigned int first_levels;
	u64 s1_flags;
	bool snoop;
	bool dirty;
};

/**
 * struct vtd_rid - one requester ID at a unit
 * @rcu: frees it after readers of vtd_unit.rids
 * @sid: (c) bus, device and function number
 * @refs: (L) devices that use it, and firmware
 * @state: (L) what requests without PASID go through
 * @table: (L) with VTD_TABLE
 * @users: (L) devices that want it so; with 0 it is blocked
 * @entry: (L), and (e) to write: its context entry
 * @nr_present: (L) scalable mode: PASID table entries that are present; the
 *	context entry is while there are any
 * @cut: (e) the device did not answer: its context entry is gone
 * @small_dir: (c) scalable mode: a page for a PASID directory
 * @pasid_dir: (L) scalable mode: the PASID directory, @small_dir or a larger one
 * @pasid_width_bits: (L) of PASIDs that @pasid_dir has room for; 0: requests
 *	with PASID are refused
 * @spare: (L) a page for vtd_replace(), while that is under way
 *
 * In scalable mode the first directory entry and its PASID table, which has the
 * entry for requests without PASID, always exist.
 */
struct vtd_rid {
	struct rcu_head rcu;
	u16 sid;
	unsigned int refs;
	enum vtd_state state;
	struct vtd_table *table;
	unsigned int users;
	u64 *entry;
	unsigned int nr_present;
	bool cut;
	u64 *small_dir;
	u64 *pasid_dir;
	u8 pasid_width_bits;
	u64 *spare;
};

/**
 * struct vtd_attach - a table is in use at a unit
 * @link: (t) in vtd_table.attaches
 * @unit: (c)
 * @did: (c) the table's domain id there
 * @users: (L) uses behind @unit; one for all requester IDs of a device
 * @pasids: (L) written; read under (t); for tables that are invalidated by PASID:
 *	how many uses a PASID has, as a value entry. No PASID is VTD_RID_PASID
 * @ticket: (t) of the flush that is under way
 * @posted: (t) there is one
 */
struct vtd_attach {
	struct list_head link;
	struct vtd_unit *unit;
	u16 did;
	unsigned int users;
	struct xarray pasids;
	u32 ticket;
	bool posted;
};

/**
 * struct vtd_table - a table
 * @pt: the core's view
 * @walk: (c) not VTD_WALK_PASS
 * @prot_needed: (c) what every mapping must permit: IOFD_READ, IOFD_WRITE
 * @sl: VTD_WALK_SECOND, VTD_WALK_FIRST: the entries; calls are serialised by the
 *	owner
 * @lock: (t), used by the tables that are nested over it as well
 * @attaches: (t) struct vtd_attach of each unit that walks it
 * @ats_uses: (t) struct vtd_use whose device TLB may hold parts of it
 * @children: (t) tables nested over it that are attached to something
 * @parent: (c) VTD_WALK_NESTED
 * @sibling: (t) VTD_WALK_NESTED: in @children of the parent
 * @nest: (c) VTD_WALK_NESTED: what the user has said of it
 */
struct vtd_table {
	struct iofd_hw_pt pt;
	enum vtd_walk walk;
	unsigned int prot_needed;
	struct sl_table sl;
	spinlock_t lock;
	struct list_head attaches;
	struct list_head ats_uses;
	struct list_head children;
	struct vtd_table *parent;
	struct list_head sibling;
	struct iofd_nest_attrs nest;
};

/**
 * struct vtd_use - a device's DMA goes through a table
 * @vdev: (c) the device
 * @pasid: (c) with this PASID, or IOFD_NO_PASID
 * @table: (L) NULL: it does not
 * @attach: (L) of @table at the device's unit
 * @ats_link: (t) in vtd_table.ats_uses, while the device has ATS on
 */
struct vtd_use {
	struct vtd_dev *vdev;
	u32 pasid;
	struct vtd_table *table;
	struct vtd_attach *attach;
	struct list_head ats_link;
};

/**
 * struct vtd_handle - what the core has open: a function, or a part of one
 * @hd: the core's view
 * @vdev: (c) the function
 * @pasid: (c) in all requests that are without PASID to the core: a sub-device's
 *	own; IOFD_NO_PASID for a function
 */
struct vtd_handle {
	struct iofd_hw_dev hd;
	struct vtd_dev *vdev;
	u32 pasid;
};

/**
 * struct vtd_dev - one PCI function
 * @handle: (c) for the core, which has it while @open
 * @pdev: (c) the function
 * @unit: (c) in front of it
 * @link: (L) in vtd_unit.devs
 * @rids: (c) requester IDs its DMA can carry; the first is its own
 * @nr_rids: (c)
 * @state: (L) of requests without PASID
 * @use: (L) of requests without PASID; with VTD_TABLE
 * @pasids: (L) struct vtd_use by PASID
 * @pasid_width_bits: (L) of PASIDs that the core may use; 0: none
 * @linux_state: (L) what the kernel asked for last
 * @probed: (L) the kernel knows that we drive its IOMMU
 * @open: (L) the core has opened it
 * @nr_subdevs: (L) parts of it that the core has opened; while there are any it
 *	is not @open, and its requests without PASID are the kernel's
 * @rmrr_locked: (c) firmware uses memory by it at all times
 * @bound_to: (c) driver it had before the kernel knew us
 * @owner_fixed: (s) the group's owner count for @bound_to has been made up for
 * @ats_allowed: (c) its path supports ATS
 * @ats_on: (L) written; read under (t) of the tables of its uses
 * @ats_users: (L) tables that it is attached to, with PASIDs and without
 * @ats_qdep: (c) invalidations it can queue
 * @ats_pfsid: (c) physical function's requester ID if the unit wants it
 */
struct vtd_dev {
	struct vtd_handle handle;
	struct pci_dev *pdev;
	struct vtd_unit *unit;
	struct list_head link;
	struct vtd_rid **rids;
	unsigned int nr_rids;
	enum vtd_state state;
	struct vtd_use use;
	struct xarray pasids;
	u8 pasid_width_bits;
	enum vtd_state linux_state;
	bool probed;
	bool open;
	unsigned int nr_subdevs;
	bool rmrr_locked;
	struct device_driver *bound_to;
	bool owner_fixed;
	bool ats_allowed;
	bool ats_on;
	unsigned int ats_users;
	u8 ats_qdep;
	u16 ats_pfsid;
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
extern bool vtd_want_first_level;
extern int vtd_want_erratum_772415;

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
void vtd_unit_limits(const struct vtd_unit *unit, enum vtd_walk walk,
		     struct vtd_limits *limits);
void vtd_limits_intersect(struct vtd_limits *limits,
			  const struct vtd_limits *other);

/* What a table is where nobody has asked for anything. */
static inline enum vtd_walk vtd_plain_walk(const struct vtd_unit *unit)
{
	return unit->second_level ? VTD_WALK_SECOND : VTD_WALK_FIRST;
}

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

/* A page that is about to be an empty table. */
static inline u64 *vtd_zeroed_page(const struct vtd_unit *unit, gfp_t gfp)
{
	u64 *page = (u64 *)get_zeroed_page(gfp);

	if (page && FLUSH_POINT(new_table))
		vtd_write_back(unit, page, PAGE_SIZE);
	return page;
}

/*
 * Make an entry of @words words present by storing @word, its first, after the
 * rest of it. It is in one cache line, and that keeps the order of stores
 * whenever it leaves the cache.
 */
static inline void vtd_publish(const struct vtd_unit *unit, u64 *entry, u64 word,
			       unsigned int words)
{
	/* The present bit is the last thing that hardware sees. */
	dma_wmb();
	WRITE_ONCE(entry[0], word);
	if (FLUSH_POINT(publish))
		vtd_write_back(unit, entry, words * sizeof(*entry));
}

/* Take the present bit away, and nothing else. */
static inline void vtd_withdraw(const struct vtd_unit *unit, u64 *entry)
{
	WRITE_ONCE(entry[0], entry[0] & ~1ULL);
	if (FLUSH_POINT(withdraw))
		vtd_write_back(unit, entry, sizeof(*entry));
}

/*
 * Clear an entry of @words words that nothing looks at any more. To hardware it
 * makes no difference, so the line can stay in the cache.
 */
static inline void vtd_wipe(u64 *entry, unsigned int words)
{
	memset(entry, 0, words * sizeof(*entry));
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
void vtd_rid_set(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid,
		 const struct vtd_target *target, bool ats);
void vtd_rid_withdraw(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid);
void vtd_rid_wipe(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid);
void vtd_rid_update(struct vtd_unit *unit, struct vtd_rid *rid);
void vtd_rid_cut(struct vtd_unit *unit, u16 sid);
u64 *vtd_context_move(struct vtd_unit *unit, struct vtd_rid *rid, u64 *page,
		      const struct vtd_target *target, bool ats);

/* replace.c */
int vtd_replace_prepare(struct vtd_dev *vdev, u32 pasid);
void vtd_replace_cancel(struct vtd_dev *vdev);
void vtd_replace(struct vtd_use *use, struct vtd_table *table,
		 struct vtd_attach *attach);

/* pasid.c */
int vtd_pasid_init(const struct vtd_unit *unit, struct vtd_rid *rid);
void vtd_pasid_free(struct vtd_rid *rid);
void vtd_pasid_open(struct vtd_unit *unit, struct vtd_rid *rid,
		    unsigned int width_bits);
void vtd_pasid_close(struct vtd_unit *unit, struct vtd_rid *rid);
int vtd_pasid_prepare(struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid);
u64 *vtd_pasid_entry(const struct vtd_rid *rid, u32 pasid);
u64 vtd_pasid_context(const struct vtd_rid *rid);
void vtd_pasid_fill(const struct vtd_unit *unit, u64 *entry,
		    const struct vtd_target *target);
u64 *vtd_pasid_move(const struct vtd_unit *unit, struct vtd_rid *rid, u32 pasid,
		    u64 *page, const struct vtd_target *target);
unsigned int vtd_pasid_forget(const struct vtd_unit *unit, const u64 *entry,
			      u32 pasid, struct vtd_qi_desc *descs);
unsigned int vtd_pasid_forget_tables(const struct vtd_unit *unit,
				     const u64 *entry, u32 pasid,
				     struct vtd_qi_desc *descs);

/* device.c */
struct vtd_dev *vtd_dev_create(struct vtd_unit *unit, struct pci_dev *pdev);
void vtd_dev_destroy(struct vtd_dev *vdev);
struct vtd_dev *vtd_dev_find(struct vtd_unit *unit, struct pci_dev *pdev);
int vtd_dev_set(struct vtd_dev *vdev, enum vtd_state state,
		struct vtd_table *table);
void vtd_dev_rid_enter(struct vtd_dev *vdev, unsigned int nr,
		       enum vtd_state state, struct vtd_table *table,
		       const struct vtd_target *target);
int vtd_dev_enable_pasids(struct vtd_dev *vdev, unsigned int width_bits);
void vtd_dev_disable_pasids(struct vtd_dev *vdev);
void vtd_dev_open(struct vtd_dev *vdev);
void vtd_dev_close(struct vtd_dev *vdev);
int vtd_dev_set_pasid(struct vtd_dev *vdev, u32 pasid, struct vtd_table *table);
void vtd_dev_block_pasid(struct vtd_dev *vdev, u32 pasid);
void vtd_dev_block_pasids(struct vtd_dev *vdev);
int vtd_firmware_devices(struct vtd_unit *unit);

/* subdev.c */
int vtd_subdev_open(struct vtd_dev *vdev, u32 pasid);
void vtd_subdev_close(struct vtd_dev *vdev, u32 pasid);

/* erratum.c */
bool vtd_erratum_772415(void);

/* acs.c */
void vtd_acs_enable(struct pci_dev *pdev);

/* scope.c */
struct vtd_unit *vtd_scope_unit(struct pci_dev *pdev);
bool vtd_scope_ats(struct pci_dev *pdev);
bool vtd_scope_rmrr(struct pci_dev *pdev, const struct vtd_dmar_entry *rmrr);
bool vtd_rmrr_relaxable(struct pci_dev *pdev);

/* table.c */
struct vtd_table *vtd_table_alloc(enum vtd_walk walk,
				  const struct vtd_limits *limits,
				  unsigned int addr_width_bits, bool snoop);
struct vtd_table *vtd_table_nest(const struct vtd_unit *unit,
				 struct vtd_table *parent,
				 const struct iofd_nest_attrs *attrs);
void vtd_table_free(struct vtd_table *table);
bool vtd_table_fits(const struct vtd_table *table, const struct vtd_unit *unit);
void vtd_table_target(const struct vtd_table *table,
		      const struct vtd_attach *attach,
		      struct vtd_target *target);
struct vtd_attach *vtd_table_attach(struct vtd_table *table,
				    struct vtd_unit *unit, u32 pasid);
void vtd_table_detach(struct vtd_table *table, struct vtd_attach *attach,
		      u32 pasid);

/* flush.c */
void vtd_table_ats_add(struct vtd_use *use);
void vtd_table_ats_move(struct vtd_use *from, struct vtd_use *to);
void vtd_table_ats_del(struct vtd_use *use);
void vtd_table_map_sync(struct vtd_table *table, u64 iova, u64 last);
void vtd_table_flush(struct vtd_table *table, u64 iova, u64 last, bool leaf);
void vtd_table_invalidate(struct vtd_table *table, struct vtd_dev *vdev,
			  u32 pasid, u64 first, u64 last, bool leaf);
void vtd_table_reap(struct vtd_table *table, u64 iova, u64 last,
		    iofd_run_fn fn, void *arg);
void vtd_table_read_dirty(struct vtd_table *table, u64 iova, u64 last,
			  bool clear, iofd_dirty_fn fn, void *arg);
void vtd_dev_forget_all(struct vtd_dev *vdev);

/* The lock (t) of a table. */
static inline spinlock_t *vtd_table_lock(struct vtd_table *table)
{
	return table->parent ? &table->parent->lock : &table->lock;
}

/* What stands for a PASID in structures and invalidations. */
static inline u32 vtd_pasid_index(u32 pasid)
{
	return pasid == IOFD_NO_PASID ? VTD_RID_PASID : pasid;
}

static inline struct vtd_table *to_vtd_table(struct iofd_hw_pt *pt)
{
	return container_of(pt, struct vtd_table, pt);
}

static inline struct vtd_handle *to_vtd_handle(struct iofd_hw_dev *hd)
{
	return container_of(hd, struct vtd_handle, hd);
}

static inline struct vtd_dev *to_vtd_dev(struct iofd_hw_dev *hd)
{
	return to_vtd_handle(hd)->vdev;
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
