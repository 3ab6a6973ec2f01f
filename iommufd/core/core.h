/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structures of the core, private to it and to the front doors in abi/.
 *
 * Lock order, outermost first:
 *
 *   iofd_devfile.lock     one device file
 *   iofd_space.lock       of a root: mappings and page tables of it and of all
 *                         IOASIDs below it, which depend on one another; held
 *                         while user memory is pinned, which can take as long
 *                         as user space likes. A child's own is not used.
 *   iofd_topology_lock    groups, devices, bindings, who is attached to what;
 *                         never held while user memory is touched, so that
 *                         closing a device does not wait for user space
 *   iofd_space.attach_lock, iofd_ctx.account_lock, xa_lock    spinlocks
 *
 * Lock letters at the fields: (c) constant once published, (s) iofd_space.lock
 * of the root (iofd_space_lock()), (t) iofd_topology_lock, (a) iofd_space.attach_lock, (k) iofd_ctx.account_lock,
 * (x) the xarray's own lock.
 */
#ifndef IOFD_CORE_CORE_H
#define IOFD_CORE_CORE_H

#include <linux/atomic.h>
#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <uapi/linux/ioasid.h>
#include "hw/hw.h"

struct file;
struct iofd_device;
struct iofd_fault_queue;
struct iofd_hwpt;
struct iofd_devfile;
struct iofd_map_request;
struct iommu_group;
struct mm_struct;
struct user_struct;

extern struct mutex iofd_topology_lock;
extern struct list_head iofd_contexts;		/* (t) iofd_ctx.all */

/**
 * struct iofd_account - whom pinned memory is charged to
 * @list: (k) in iofd_ctx.accounts
 * @user: (c) its locked_vm counts against RLIMIT_MEMLOCK
 * @by_process: instead of @user's, the locked_vm of @mm counts, of which each
 *	process has its own; changes only while nothing is charged
 * @mm: (c) its pinned_vm shows the charge as VmPin; only grabbed, so that an
 *	address space that is otherwise gone stays countable
 * @pid: (c) process that was charged first, for people
 * @nr_users: (k) mappings charged to it, and one for the context's first
 * @pages: pages charged now
 */
struct iofd_account {
	struct list_head list;
	struct user_struct *user;
	struct mm_struct *mm;
	pid_t pid;
	unsigned long nr_users;
	bool by_process;
	atomic64_t pages;
};

/**
 * struct iofd_ctx - one open of /dev/iommu
 * @refs: the file, and each binding
 * @id: (c) number for people and events, unique since load
 * @objects: (x) struct iofd_object by id, from 1
 * @recent: (x) the one that was looked up last, while it is published; or NULL
 * @vfio_space: (x) id of the space that stands for a VFIO container; 0: none
 * @by_process: (x) iofd_account.by_process of its accounts; changes only while
 *	there is no object
 * @labels: (t) struct iofd_device by label
 * @closed: (t) the file is gone; nothing can be bound or attached any more
 * @all: (t) in iofd_contexts
 * @bindings: (t) iofd_device.ctx_entry
 * @account_lock: protects @accounts
 * @accounts: (k) all accounts
 * @account: (c) that of the process that opened the file
 * @pid: (c) who opened it
 * @comm: (c) its name
 */
struct iofd_ctx {
	refcount_t refs;
	u32 id;
	struct xarray objects;
	struct iofd_object *recent;
	u32 vfio_space;
	bool by_process;
	struct xarray labels;
	bool closed;
	struct list_head all;
	struct list_head bindings;
	spinlock_t account_lock;
	struct list_head accounts;
	struct iofd_account *account;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

enum iofd_object_type {
	IOFD_OBJ_DEVICE,
	IOFD_OBJ_SPACE,
	IOFD_OBJ_HWPT,
	IOFD_OBJ_FAULT_QUEUE,
};

/**
 * struct iofd_object - what an id of a context stands for
 * @refs: one while the id is published, one for each user
 * @ctx: (c) the context; lives longer than its objects
 * @type: (c) kind
 * @id: (c) number in @ctx
 *
 * Created reserved (no lookup finds it), published when nothing can fail any
 * more, unpublished before it is taken apart, freed with the last reference.
 */
struct iofd_object {
	refcount_t refs;
	struct iofd_ctx *ctx;
	enum iofd_object_type type;
	u32 id;
};

/**
 * struct iofd_mapping - what one MAP_DMA mapped
 * @node: (s) in iofd_space.mappings, by address
 * @first: (c) first byte
 * @last: (c) last byte
 * @owner: (s) who was charged: address of a struct iofd_account, or of a struct
 *	iofd_share (share.h) as its low bits say; 0: nobody
 *
 * Kept small: there are millions. The physical addresses are in the page table.
 */
struct iofd_mapping {
	struct rb_node node;
	u64 first;
	u64 last;
	unsigned long owner;
};

/**
 * struct iofd_link - what a range of a child depends on in its parent
 * @child: (s) in iofd_space.links; the range of the child's addresses
 * @parent: (s) in iofd_space.links_by_parent; a range of the parent's addresses
 * @list: (s) while it is coming or going
 * @page: (s) of a page of the user's table: its kernel address while it is known
 *	to be mapped by all spaces above, else NULL
 * @page_writable: (s) see @page
 * @generation: (s) iofd_space.generation when the user's table said so last
 * @prot: (c) a leaf: IOFD_READ | IOFD_WRITE
 * @level: (c) 0: a leaf, which translates @child into @parent; otherwise @parent
 *	is a page of the user's table of that level, which all of @child
 *	depends on
 *
 * A kernel-managed child has a leaf for each mapping; a user-managed one that
 * the kernel composes, one for each leaf entry of the user's table, and besides
 * one for each page of it.
 */
struct iofd_link {
	struct interval_tree_node child;
	struct interval_tree_node parent;
	struct list_head list;
	u64 *page;
	u32 generation;
	u8 prot;
	u8 level;
	bool page_writable;
};

/**
 * struct iofd_table - a page table under an address space
 * @list: (s) in iofd_space.tables
 * @pt: (c) the provider's; where @pt->parent is set it is the user's own, nested
 *	over a table of the parent space, and not ours to fill
 *
 * Holds a reference on the provider's module.
 */
struct iofd_table {
	struct list_head list;
	struct iofd_hw_pt *pt;
};

/**
 * struct iofd_attach - a device that uses an address space
 * @space_entry: (a) in iofd_space.attaches
 * @space: (c) the space; a reference is held
 * @table: (c) which of its tables
 * @binding: (c) through which binding
 * @pasid: (c) for requests with it, or IOFD_NO_PASID
 * @hwpt: (c) under which name, a use of it is held; or NULL
 * @below: (t) what takes over when this one is detached: the same device in a
 *	space that this one's descends from; NULL: it is blocked then
 */
struct iofd_attach {
	struct list_head space_entry;
	struct iofd_space *space;
	struct iofd_table *table;
	struct iofd_device *binding;
	u32 pasid;
	struct iofd_hwpt *hwpt;
	struct iofd_attach *below;
};

/* Address spaces on top of one another: what walks them recurses. */
#define IOFD_MAX_DEPTH	8

/**
 * struct iofd_space - an IOASID
 * @obj: id
 * @type: (c) enum iommu_ioasid_type
 * @format: (c) enum iommu_ioasid_format
 * @coherency: (c) enum iommu_ioasid_coherency
 * @addr_width_bits: (c) as asked for; 0: what the devices leave
 * @nesting: (c) a child: enum iommu_ioasid_nesting
 * @depth: (c) 0 for a root
 * @root: (c) the root of its tree; itself for a root
 * @parent: (c) a child: the space that its addresses are translated into; a
 *	reference is held to the end
 * @table_addr: (c) a user's table: where it starts, an address in @parent
 * @format_flags: (c) a user's table: of its format
 * @over: (s) a user's table that is nested by hardware: the table of the parent
 *	that it was made for, a use of which is held; or NULL
 * @faults: (s) who gets the page requests that it causes, a use of which is
 *	held; or NULL
 * @lock: of a root: everything marked (s) in its tree
 * @children: (s) iofd_space.sibling
 * @sibling: (s) in the parent's @children
 * @composed: (s) a child: @links are kept
 * @links: (s) a child: struct iofd_link by the child's address
 * @links_by_parent: (s) the same by the parent's
 * @nr_links: (s) their number
 * @nr_linked: (s) pages that the leaves among them translate
 * @generation: (s) counts the walks of the user's table
 * @dead: (s) freed; only references keep the memory
 * @mappings: (s) struct iofd_mapping by address
 * @hint: (s) a mapping near which the next command is likely to work, or NULL
 * @gap_from: (s) below it there is no gap of @gap_bytes or more
 * @gap_bytes: (s) see @gap_from
 * @nr_mappings: (s) count; read without the lock for reports
 * @nr_pages: (s) pages mapped; read without the lock for reports
 * @nr_shared: (s) mappings that have a struct iofd_share
 * @small_leaves: (s) leaves of its tables are of PAGE_SIZE
 * @allowed: (s) where alone the kernel chooses addresses, ascending and disjoint
 * @nr_allowed: (s) their number; 0: it chooses anywhere
 * @tables: (s) struct iofd_table; all of ours hold the same mappings
 * @primary: (s) of a root: the table that the pinned pages are handed back by;
 *	NULL as long as there is none and nothing has been mapped
 * @addr_last: (s, a) highest address that the width and every table so far
 *	allow; written with both locks held, read with either
 * @attach_lock: protects @attaches and what hangs on it
 * @attaches: (a) struct iofd_attach
 * @nr_attaches: (a) their number; read without the lock for reports
 * @nr_nested: (a) those of them that hardware nests; likewise
 * @hwpts: (a) struct iofd_hwpt: tables of it that have an id; grows only with the
 *	space locked
 * @window: (s) a range that all attached devices permit; empty when unknown
 *
 * A space keeps its tables until it is freed, so that taking one away never has
 * to allocate another. A child's tables that are ours to fill hold at any time,
 * when the lock is free, what walking the child and then its parent gives.
 */
struct iofd_space {
	struct iofd_object obj;
	u32 type;
	u32 format;
	u32 coherency;
	u32 addr_width_bits;
	u32 nesting;
	u32 depth;
	struct iofd_space *root;
	struct iofd_space *parent;
	u64 table_addr;
	u64 format_flags;
	struct iofd_hwpt *over;
	struct iofd_fault_queue *faults;

	struct mutex lock;
	struct list_head children;
	struct list_head sibling;
	bool composed;
	struct rb_root_cached links;
	struct rb_root_cached links_by_parent;
	unsigned long nr_links;
	u64 nr_linked;
	u32 generation;
	bool dead;
	struct rb_root mappings;
	struct iofd_mapping *hint;
	u64 gap_from;
	u64 gap_bytes;
	unsigned long nr_mappings;
	unsigned long nr_pages;
	unsigned long nr_shared;
	bool small_leaves;
	unsigned int nr_allowed;
	struct iommu_ioasid_range *allowed;
	struct list_head tables;
	struct iofd_table *primary;
	u64 addr_last;

	spinlock_t attach_lock;
	struct list_head attaches;
	unsigned int nr_attaches;
	unsigned int nr_nested;
	struct list_head hwpts;
	struct iommu_ioasid_range window;
};

/**
 * struct iofd_group - devices that the hardware cannot tell or keep apart
 * @list: (t) all groups in use
 * @group: (c) the kernel's group; its DMA is owned by this structure
 * @nr_pdevs: (t) devices of it that are open
 */
struct iofd_group {
	struct list_head list;
	struct iommu_group *group;
	unsigned int nr_pdevs;
};

/**
 * struct iofd_pdev - a physical device that is bound to at least one fd
 * @list: (t) all bound devices
 * @dev: (c) the device
 * @group: (c) its group
 * @hd: (c) the provider's view of it
 * @caps: (c) what it can do
 * @ranges: (c) permitted IOVA ranges, ascending
 * @nr_ranges: (c) their number
 * @bindings: (t) iofd_device.pdev_entry
 * @attach: (t) what its DMA without PASID goes through; NULL: blocked
 * @pasids: (t) struct iofd_attach by PASID, for DMA with PASID
 * @alone: (c) no other device is in its group
 */
struct iofd_pdev {
	struct list_head list;
	struct device *dev;
	struct iofd_group *group;
	struct iofd_hw_dev *hd;
	struct iofd_hw_caps caps;
	struct iommu_ioasid_range *ranges;
	unsigned int nr_ranges;
	struct list_head bindings;
	struct iofd_attach *attach;
	struct xarray pasids;
	bool alone;
};

/**
 * struct iofd_device - a device bound to a context under a label
 * @obj: id
 * @label: (c) the user's name for it
 * @pdev: (t) the device; NULL once unbound
 * @df: (c) the device file it was bound through
 * @held: (iofd_devfile.lock) the open file of the context, when the binding keeps
 *	it from being closed; or NULL
 * @ctx_entry: (t) in iofd_ctx.bindings
 * @pdev_entry: (t) in iofd_pdev.bindings
 * @df_entry: (iofd_devfile.lock) in iofd_devfile.bindings
 */
struct iofd_device {
	struct iofd_object obj;
	u64 label;
	struct iofd_pdev *pdev;
	struct iofd_devfile *df;
	struct file *held;
	struct list_head ctx_entry;
	struct list_head pdev_entry;
	struct list_head df_entry;
};

/* ctx.c */

/**
 * iofd_ctx_open() - make a context for the calling process
 *
 * Return: a context with one reference, or ERR_PTR(-ENOMEM).
 */
struct iofd_ctx *iofd_ctx_open(void);

/**
 * iofd_ctx_close() - the file of a context is closed
 * @ctx: detaches its devices, frees its objects, unpins all memory
 *
 * Bindings keep the structure, not what it held.
 */
void iofd_ctx_close(struct iofd_ctx *ctx);

/** iofd_ctx_put() - drop a reference */
void iofd_ctx_put(struct iofd_ctx *ctx);

/**
 * iofd_ctx_from_file() - the context of an open file of /dev/iommu
 * @file: any file
 *
 * Return: the context, valid as long as @file is held; NULL for another file.
 */
struct iofd_ctx *iofd_ctx_from_file(struct file *file);

/* object.c */

/**
 * iofd_object_reserve() - give an object an id that no lookup finds yet
 * @ctx: where
 * @obj: initialised with one reference, the id's
 * @type: kind
 *
 * Return: 0, -ENOSPC, -ENOMEM.
 */
int iofd_object_reserve(struct iofd_ctx *ctx, struct iofd_object *obj,
			enum iofd_object_type type);

/** iofd_object_publish() - let lookups find it; cannot fail */
void iofd_object_publish(struct iofd_object *obj);

/** iofd_object_unpublish() - forget the id, published or only reserved */
void iofd_object_unpublish(struct iofd_object *obj);

/**
 * iofd_object_get() - look an object up
 * @ctx: where
 * @id: number
 * @type: kind that it must be
 *
 * Return: the object with a reference, or NULL.
 */
struct iofd_object *iofd_object_get(struct iofd_ctx *ctx, u32 id,
				    enum iofd_object_type type);

/**
 * iofd_object_type() - what is behind an id?
 * @ctx: where
 * @id: number
 *
 * Return: enum iofd_object_type, or -ENOENT. It may be gone, or another one, a
 * moment later.
 */
int iofd_object_type(struct iofd_ctx *ctx, u32 id);

/* account.c */

/**
 * iofd_account_get() - the account of the calling process
 * @ctx: through which it pins memory
 *
 * Return: an account with a user more, or NULL when out of memory.
 */
struct iofd_account *iofd_account_get(struct iofd_ctx *ctx);

/** iofd_account_put() - give a use back; the last frees the account */
void iofd_account_put(struct iofd_ctx *ctx, struct iofd_account *account);

/**
 * iofd_account_charge() - charge pages that are about to be pinned
 * @account: whom
 * @npages: how many
 *
 * Return: 0, or -ENOMEM when RLIMIT_MEMLOCK is reached and the caller lacks
 * CAP_IPC_LOCK.
 */
int iofd_account_charge(struct iofd_account *account, unsigned long npages);

/** iofd_account_init() - give a context that nobody knows yet its first account */
int iofd_account_init(struct iofd_ctx *ctx);

/** iofd_account_exit() - the context holds no mapping any more */
void iofd_account_exit(struct iofd_ctx *ctx);

/** iofd_account_uncharge() - take a charge back */
void iofd_account_uncharge(struct iofd_account *account, unsigned long npages);

/** iofd_account_use() - one user more for an account that has one */
void iofd_account_use(struct iofd_ctx *ctx, struct iofd_account *account);

/**
 * iofd_account_by_process() - choose what the locked-memory limit is a limit of
 * @ctx: has no object yet
 * @by_process: of each process, and not of each user
 *
 * Return: 0, or -EBUSY.
 */
int iofd_account_by_process(struct iofd_ctx *ctx, bool by_process);

/* provider.c */

/**
 * iofd_hw_open() - find the provider of a device and open it there
 * @dev: its group's DMA is owned by us; the topology lock is held
 *
 * Return: the device, its provider's module held; ERR_PTR(-ENODEV) when nobody
 * drives its IOMMU.
 */
struct iofd_hw_dev *iofd_hw_open(struct device *dev);

/** iofd_hw_close() - undo iofd_hw_open(); the device is blocked */
void iofd_hw_close(struct iofd_hw_dev *hd);

/* group.c */

/**
 * iofd_group_get() - claim the group of a device
 * @dev: the device; the topology lock is held
 *
 * Return: the group with one more user; ERR_PTR(-ENODEV) without an IOMMU,
 * -EPERM while a kernel driver or another user has a device of it, -EBUSY,
 * -ENOMEM.
 */
struct iofd_group *iofd_group_get(struct device *dev);

/** iofd_group_put() - one user less; the last gives the group back */
void iofd_group_put(struct iofd_group *group);

/**
 * iofd_group_is_single() - has the group no more than one device?
 * @group: the group
 *
 * What a device does with PASIDs cannot be told from another's whose requester
 * ID it can use.
 */
bool iofd_group_is_single(struct iofd_group *group);

/**
 * iofd_group_ranges() - the IOVA ranges that are permitted for a group
 * @group: the group
 * @addr_last: highest address of the device
 * @ranges: receives an array to be freed with kfree()
 * @nr: receives its length
 *
 * Everything up to @addr_last less the group's reserved regions.
 *
 * Return: 0 or a negative errno.
 */
int iofd_group_ranges(struct iofd_group *group, u64 addr_last,
		      struct iommu_ioasid_range **ranges, unsigned int *nr);

/* device.c */

/** iofd_addr_last() - highest address of @bits bits */
static inline u64 iofd_addr_last(u32 bits)
{
	return bits >= 64 ? U64_MAX : (1ULL << bits) - 1;
}

/** iofd_pdev_find() - a bound device, or NULL; the topology lock is held */
struct iofd_pdev *iofd_pdev_find(struct device *dev);

/**
 * iofd_device_try() - find out what binding a device would give
 * @dev: a device that is not bound. It keeps its driver: the caller holds its
 *	lock, or what its driver's remove() waits for
 * @provider: set to the name of who drives its IOMMU
 * @caps: filled in
 *
 * The topology lock is held.
 *
 * Return: 0, or the negative errno that binding would give.
 */
int iofd_device_try(struct device *dev, const char **provider,
		    struct iofd_hw_caps *caps);

/**
 * iofd_bind() - bind a device to a context
 * @ctx: the context
 * @df: the device file it is bound through; df->lock is held
 * @label: unique in @ctx; NULL: the id of the binding
 *
 * Return: the binding, the device's DMA blocked; or ERR_PTR() as documented at
 * struct iommu_device_bind.
 */
struct iofd_device *iofd_bind(struct iofd_ctx *ctx, struct iofd_devfile *df,
			      const u64 *label);

/** iofd_unbind() - detach and unbind; the last one of a group releases it */
void iofd_unbind(struct iofd_device *idev);

/**
 * iofd_device_by_label() - find a binding
 * @ctx: where; the topology lock is held
 * @label: its label
 *
 * Return: the binding or NULL.
 */
struct iofd_device *iofd_device_by_label(struct iofd_ctx *ctx, u64 label);

/** iofd_device_by_id() - the same by its id */
struct iofd_device *iofd_device_by_id(struct iofd_ctx *ctx, u32 id);

/* attach.c */

/**
 * struct iofd_attach_request - one attach
 * @space: of the binding's context
 * @hwpt: through this one's table, a table of @space; NULL: through any
 * @named: without @hwpt: by an automatic one, which is made if need be
 * @replace: take the place of whatever the device is attached to through the same
 *	binding, all of which goes; otherwise only a space below that will do
 * @pasid: DMA with this PASID, or without for IOFD_NO_PASID
 * @hwpt_id: receives the id of what @named attached by
 */
struct iofd_attach_request {
	struct iofd_space *space;
	struct iofd_hwpt *hwpt;
	bool named;
	bool replace;
	u32 pasid;
	u32 hwpt_id;
};

/**
 * iofd_attach() - let a device's DMA go through a space
 * @idev: binding
 * @req: how
 *
 * Return: 0 or an errno as documented at struct iommu_device_attach; besides
 * -EINVAL for a table that the device cannot use, and -ENODEV where page requests
 * are to be delivered and the device makes none. On failure DMA goes where it
 * went before.
 */
int iofd_attach(struct iofd_device *idev, struct iofd_attach_request *req);

/**
 * iofd_detach_any() - block a device, whatever it is attached to
 * @idev: binding; what is attached through another one is left alone
 * @pasid: its DMA with this PASID, or without for IOFD_NO_PASID
 */
void iofd_detach_any(struct iofd_device *idev, u32 pasid);

/**
 * iofd_detach() - take a device off a space
 * @idev: binding through which it was attached
 * @ioasid: of its context
 * @pasid: as attached
 *
 * Its DMA is blocked then, or goes where it went before.
 *
 * Return: 0; -ENOENT; -EBUSY while a space below that one has the DMA; -ENOMEM
 * from a provider that needs memory to go back, with nothing changed.
 */
int iofd_detach(struct iofd_device *idev, u32 ioasid, u32 pasid);

/**
 * iofd_attach_find() - what the requests of a device go through
 * @pdev: the device; the topology lock is held
 * @pasid: of the requests, or IOFD_NO_PASID
 *
 * Return: the attachment, or NULL when they are blocked.
 */
struct iofd_attach *iofd_attach_find(struct iofd_pdev *pdev, u32 pasid);

/** iofd_attach_for_fault() - what a request went through that was refused */
struct iofd_attach *iofd_attach_for_fault(struct iofd_pdev *pdev, u32 pasid);

/** iofd_detach_binding() - block all that is attached through @idev */
void iofd_detach_binding(struct iofd_device *idev);

/** iofd_detach_all() - block all devices attached through @ctx (closing it) */
void iofd_detach_all(struct iofd_ctx *ctx);

/* space.c */

/**
 * iofd_space_lock() - lock the tree of address spaces that @space is in
 * @space: a reference is held
 *
 * Return: 0, or -EINTR when the caller is being killed.
 */
int iofd_space_lock(struct iofd_space *space);

static inline void iofd_space_unlock(struct iofd_space *space)
{
	mutex_unlock(&space->root->lock);
}

static inline void iofd_space_assert_locked(const struct iofd_space *space)
{
	lockdep_assert_held(&space->root->lock);
}

/**
 * struct iofd_space_request - one IOASID_ALLOC
 * @type: enum iommu_ioasid_type
 * @format: enum iommu_ioasid_format
 * @addr_width_bits: 0 or 12 to 64
 * @coherency: enum iommu_ioasid_coherency
 * @nesting: enum iommu_ioasid_nesting
 * @parent: a space of the same context, or NULL for a root
 * @table_addr: a user's table: where it starts in @parent
 * @format_flags: a user's table: of its format
 * @for_label: label of a bound device to check against, or NULL
 * @over: nested by hardware over this table of @parent, for the device @dev_id at
 *	once; a use is taken. NULL: not
 * @dev_id: with @over, id of a bound device
 * @faults: with @over, see struct iofd_space; a use is taken; or NULL
 */
struct iofd_space_request {
	u32 type;
	u32 format;
	u32 addr_width_bits;
	u32 coherency;
	u32 nesting;
	struct iofd_space *parent;
	u64 table_addr;
	u64 format_flags;
	const u64 *for_label;
	struct iofd_hwpt *over;
	u32 dev_id;
	struct iofd_fault_queue *faults;
};

/**
 * iofd_space_alloc() - make an IOASID
 * @ctx: where
 * @req: what; combinations that make no sense have been refused
 *
 * Return: the id, or a negative errno as documented at struct
 * iommu_ioasid_alloc.
 */
int iofd_space_alloc(struct iofd_ctx *ctx, const struct iofd_space_request *req);

/** iofd_space_get() - look an IOASID up; NULL when there is none */
struct iofd_space *iofd_space_get(struct iofd_ctx *ctx, u32 id);

/** iofd_root_get() - the same for a root alone */
struct iofd_space *iofd_root_get(struct iofd_ctx *ctx, u32 id);

/** iofd_space_put() - drop a reference */
void iofd_space_put(struct iofd_space *space);

/**
 * iofd_space_free() - free an IOASID and all that is mapped in it
 * @space: published; the caller holds a reference
 *
 * Return: 0; -EBUSY while attached, a parent, or with a table that has an id;
 * -ENOENT when somebody else was faster; -EINTR.
 */
int iofd_space_free(struct iofd_space *space);

/** iofd_space_destroy() - the same for a context that closes; cannot fail */
void iofd_space_destroy(struct iofd_space *space);

/**
 * iofd_space_allow() - say where the kernel may choose addresses
 * @space: a root
 * @ranges: ascending and disjoint; on success @space takes it over, and frees it
 *	with kvfree()
 * @nr: their number; 0: anywhere
 *
 * A device with a reserved region in them cannot be attached any more.
 *
 * Return: 0; -EADDRINUSE where an attached device has one; -ENOENT; -EINTR.
 */
int iofd_space_allow(struct iofd_space *space,
		     struct iommu_ioasid_range *ranges, unsigned int nr);

/**
 * iofd_space_small_leaves() - have nothing but small leaves from now on
 * @space: a root
 * @small: false: have all sizes again
 *
 * Return: 0; -EINVAL to begin with it where hardware tables have something
 * mapped; -ENOENT; -EINTR.
 */
int iofd_space_small_leaves(struct iofd_space *space, bool small);

/** iofd_space_user_managed() - is its table the user's own? */
static inline bool iofd_space_user_managed(const struct iofd_space *space)
{
	return space->type != IOMMU_IOASID_KERNEL_MANAGED;
}

/* table.c */

/**
 * struct iofd_new_tables - tables that were made for an attach on its way
 * @nr: how many
 * @space: where
 * @table: which; a table comes after the one that it is nested over
 */
struct iofd_new_tables {
	unsigned int nr;
	struct iofd_space *space[2];
	struct iofd_table *table[2];
};

/**
 * iofd_table_for() - a table of a space that a device can be attached to
 * @space: its lock is held
 * @pdev: the device
 * @new: zeroed; what was made for it. Follow up with iofd_tables_keep() or
 *	iofd_tables_drop()
 *
 * A user's table is nested by hardware or composed, as iofd_space.nesting and
 * the hardware want.
 *
 * Return: the table, which holds everything that is mapped; or
 * ERR_PTR(-EINVAL, -EOPNOTSUPP, -ENOMEM, -EINTR, -E2BIG), with nothing made.
 */
struct iofd_table *iofd_table_for(struct iofd_space *space,
				  struct iofd_pdev *pdev,
				  struct iofd_new_tables *new);

/**
 * iofd_table_of_ours() - the same for a table that we fill
 * @space: its lock is held
 * @pdev: the device
 * @nest_parent: users' tables are to be nested over it
 * @new: as iofd_table_for() has it
 */
struct iofd_table *iofd_table_of_ours(struct iofd_space *space,
				      struct iofd_pdev *pdev, bool nest_parent,
				      struct iofd_new_tables *new);

/** iofd_table_fits() - can a device be attached to a table? */
static inline bool iofd_table_fits(const struct iofd_table *table,
				   const struct iofd_pdev *pdev)
{
	const struct iofd_hw_ops *ops = pdev->hd->ops;

	return table->pt->ops == ops && ops->pt_fits(table->pt, pdev->hd);
}

/** iofd_tables_keep() - a device is attached to a table that was made */
void iofd_tables_keep(struct iofd_new_tables *new);

/** iofd_tables_drop() - no device is attached to a table that was made */
void iofd_tables_drop(struct iofd_new_tables *new);

/** iofd_tables_free() - free all tables of a space that nothing is attached to */
void iofd_tables_free(struct iofd_space *space);

/** iofd_space_set_last() - recompute iofd_space.addr_last */
void iofd_space_set_last(struct iofd_space *space);

/**
 * iofd_space_primary() - the table that keeps the physical addresses
 * @space: a root; its lock is held
 *
 * Return: the table, made if there was none, or ERR_PTR(-ENOMEM).
 */
struct iofd_table *iofd_space_primary(struct iofd_space *space);

/**
 * iofd_space_drop_primary() - take back what iofd_space_primary() has just made
 * @space: its lock is held; it has a primary, and nothing is mapped
 */
void iofd_space_drop_primary(struct iofd_space *space);

/** iofd_table_keeps_runs() - can physical addresses be read back from it? */
static inline bool iofd_table_keeps_runs(const struct iofd_table *table)
{
	return table->pt->ops->reap;
}

/** iofd_table_is_ours() - is it filled by us, and not a user's own? */
static inline bool iofd_table_is_ours(const struct iofd_table *table)
{
	return !table->pt->parent;
}

/** iofd_pt_map_pages() - iofd_pt_map() with small leaves */
int iofd_pt_map_pages(struct iofd_hw_pt *pt, u64 iova, phys_addr_t phys,
		      size_t bytes, unsigned int prot);

/**
 * iofd_pt_map() - write a run to a table
 * @pt: the table
 * @small_leaves: with leaves of PAGE_SIZE
 * @iova: first address
 * @phys: physical address
 * @bytes: length
 * @prot: IOFD_READ | IOFD_WRITE
 *
 * Return: as @map of struct iofd_hw_ops.
 */
static inline int iofd_pt_map(struct iofd_hw_pt *pt, bool small_leaves, u64 iova,
			      phys_addr_t phys, size_t bytes, unsigned int prot)
{
	if (likely(!small_leaves))
		return pt->ops->map(pt, iova, phys, bytes, prot);
	return iofd_pt_map_pages(pt, iova, phys, bytes, prot);
}

/**
 * iofd_tables_map() - write a run to all tables of a space that are ours
 * @space: its lock is held
 * @first: first address
 * @phys: physical address
 * @bytes: length; what is beyond the reach of a table is left out there
 * @prot: IOFD_READ | IOFD_WRITE
 *
 * Return: 0 or -ENOMEM, with a part of it written.
 */
int iofd_tables_map(struct iofd_space *space, u64 first, phys_addr_t phys,
		    size_t bytes, unsigned int prot);

/** iofd_tables_sync() - make what was mapped in [first, last] visible */
void iofd_tables_sync(struct iofd_space *space, u64 first, u64 last);

/** iofd_tables_revoke() - take access to [first, last] away; then flush */
void iofd_tables_revoke(struct iofd_space *space, u64 first, u64 last);

/** iofd_tables_flush() - and then, of a child's tables, clear what was revoked */
void iofd_tables_flush(struct iofd_space *space, u64 first, u64 last);

/** iofd_tables_clear() - clear what was revoked and flushed in [first, last] */
void iofd_tables_clear(struct iofd_space *space, u64 first, u64 last);

/* compose.c */

/**
 * iofd_resolve() - hand the memory behind a range of a space to a function
 * @space: its lock is held; a child: composed
 * @first: first address
 * @last: last address
 * @fn: receives physical runs in ascending order; none goes beyond one mapping
 *	of this space or of any above it
 * @arg: for @fn
 *
 * Return: 0, or what @fn returned when that was not 0.
 */
int iofd_resolve(struct iofd_space *space, u64 first, u64 last, iofd_run_fn fn,
		 void *arg);

/**
 * iofd_compose_added() - a range of a space leads somewhere now
 * @space: its lock is held
 * @first: first address
 * @last: last address; nothing in the range led anywhere before
 *
 * Brings all spaces below up to date.
 *
 * Return: 0; -ENOMEM, -EINTR: take it back with iofd_compose_removed(). A user's
 * table that went wrong translates nothing then.
 */
int iofd_compose_added(struct iofd_space *space, u64 first, u64 last);

/**
 * iofd_compose_removed() - a range of a space is about to lead nowhere
 * @space: its lock is held
 * @first: first address
 * @last: last address
 *
 * When it returns, no device that is attached to a space below, and composed
 * there, reaches anything through the range. Cannot fail, needs no memory.
 */
void iofd_compose_removed(struct iofd_space *space, u64 first, u64 last);

/**
 * iofd_links_admit() - may a child translate so much more?
 * @space: the child; its lock is held
 * @bytes: length of a leaf that is about to be added
 *
 * In a child of a child the same page can show in as many places as one says
 * times as many as the other does: with a few links at each depth that is more
 * than anybody could visit when the page goes. And an entry of a user's table for
 * 1 GiB, of which a hostile one has as many as it likes, is 513 pages of ours if
 * the memory is scattered. So what is below a child, and what a user's table says,
 * is limited by what the root maps.
 */
bool iofd_links_admit(const struct iofd_space *space, u64 bytes);

/**
 * iofd_link_add() - a range of a child leads to a range of its parent
 * @space: the child, composed; its lock is held
 * @link: prot, level and both ranges are filled in; belongs to @space from now on
 */
void iofd_link_add(struct iofd_space *space, struct iofd_link *link);

/** iofd_link_del() - the reverse; frees @link, flushes nothing */
void iofd_link_del(struct iofd_space *space, struct iofd_link *link);

/**
 * iofd_links_fill() - let a leaf that is new take effect
 * @space: its lock is held
 * @link: has been added; nothing in its range is in any table
 *
 * iofd_tables_sync() has to follow.
 *
 * Return: as iofd_compose_added(); on failure a part may have taken effect.
 */
int iofd_links_fill(struct iofd_space *space, struct iofd_link *link);

/**
 * iofd_links_remove() - forget links, with everything that they let through
 * @space: the child; its lock is held
 * @first: first address
 * @last: last address; neither end cuts a link
 *
 * When it returns nothing is reached through them. Cannot fail.
 */
void iofd_links_remove(struct iofd_space *space, u64 first, u64 last);

/** iofd_link_alloc() - a link of level 0 without permissions; or NULL */
struct iofd_link *iofd_link_alloc(u64 first, u64 last, u64 parent_first,
				  u64 parent_last);

/** iofd_link_free() - free a link that has not been added, or NULL */
void iofd_link_free(struct iofd_link *link);

int iofd_compose_init(void);
void iofd_compose_exit(void);

/* child.c */

/**
 * iofd_child_map() - MAP_DMA into a child
 * @space: kernel-managed child
 * @req: its source is an address in the parent
 *
 * Return: 0 or an errno as documented at struct iommu_map_dma.
 */
int iofd_child_map(struct iofd_space *space, struct iofd_map_request *req);

/* user_table.c */

/**
 * iofd_user_compose() - begin to compose a user's table in software
 * @space: user-managed; its lock is held
 *
 * Return: 0 (also when it is composed already); -EOPNOTSUPP for a format that
 * only hardware can walk; -ENOMEM; -E2BIG; -EINTR.
 */
int iofd_user_compose(struct iofd_space *space);

/** iofd_user_uncompose() - take back what iofd_user_compose() has just done */
void iofd_user_uncompose(struct iofd_space *space);

/**
 * iofd_user_refresh() - walk a user's table again
 * @space: user-managed, composed; its lock is held
 * @first: first address that may translate otherwise now
 * @last: last address
 *
 * Return: 0; -ENOMEM, -E2BIG, -EINTR: the space translates nothing then, until a
 * refresh of all of it succeeds.
 */
int iofd_user_refresh(struct iofd_space *space, u64 first, u64 last);

/* invalidate.c */

/**
 * struct iofd_invalidation - one entry of INVALIDATE_CACHE
 * @label: device, or NULL for all
 * @pasid: requests with it, or IOFD_ANY_PASID
 * @first: first address
 * @last: last address
 * @leaf: only leaf entries have changed
 */
struct iofd_invalidation {
	const u64 *label;
	u32 pasid;
	u64 first;
	u64 last;
	bool leaf;
};

/**
 * iofd_space_invalidate() - the user has changed its table
 * @space: any; -EOPNOTSUPP unless user-managed
 * @inv: where
 *
 * Return: 0 or an errno as documented at struct iommu_invalidate_cache.
 */
int iofd_space_invalidate(struct iofd_space *space,
			  const struct iofd_invalidation *inv);

/* store.c */

/** iofd_store_alloc() - a page table that no hardware walks; ERR_PTR(-ENOMEM) */
struct iofd_hw_pt *iofd_store_alloc(void);

/** iofd_store_addr_last() - highest address that it can hold */
u64 iofd_store_addr_last(void);

/** iofd_store_is() - is a table such a one? */
bool iofd_store_is(const struct iofd_hw_pt *pt);

/* map.c */

/**
 * struct iofd_map_request - one MAP_DMA
 * @file: memfd or hugetlbfs file, or NULL for the caller's memory
 * @source: address, or offset in @file
 * @length: bytes
 * @iova: in for fixed, out
 * @prot: IOFD_READ | IOFD_WRITE
 * @fixed: use @iova as it is
 */
struct iofd_map_request {
	struct file *file;
	u64 source;
	u64 length;
	u64 iova;
	unsigned int prot;
	bool fixed;
};

/**
 * iofd_space_map() - map memory
 * @space: kernel-managed, root or child
 * @req: what
 *
 * Return: 0 or an errno as documented at struct iommu_map_dma.
 */
int iofd_space_map(struct iofd_space *space, struct iofd_map_request *req);

/**
 * iofd_map_place() - check or choose the address of a mapping
 * @space: its lock is held
 * @req: its iova is checked when it is fixed, else chosen
 * @next: receives the mapping behind it, for iofd_iova_insert()
 *
 * Return: 0, -EINVAL, -EEXIST, -ENOSPC, -EINTR.
 */
int iofd_map_place(struct iofd_space *space, struct iofd_map_request *req,
		   struct iofd_mapping **next);

/** iofd_mapping_alloc() - a mapping that is not charged; NULL without memory */
struct iofd_mapping *iofd_mapping_alloc(void);

/** iofd_mapping_free() - free a mapping that is not charged, or NULL */
void iofd_mapping_free(struct iofd_mapping *mapping);

/**
 * iofd_space_unmap() - unmap whole mappings
 * @space: where
 * @first: first byte
 * @last: last byte
 * @unmapped: receives the sum of the mappings' lengths
 *
 * Return: 0 (with nothing there too); -EINVAL when the range would cut a
 * mapping; -ENOENT when the space is gone; -EINTR.
 */
int iofd_space_unmap(struct iofd_space *space, u64 first, u64 last,
		     u64 *unmapped);

/**
 * iofd_space_withdraw() - let no device reach a range any more
 * @space: a root; its lock is held
 * @first: first address
 * @last: last address; neither end cuts a mapping
 *
 * Neither through a space below. The pages are still known to its primary.
 */
void iofd_space_withdraw(struct iofd_space *space, u64 first, u64 last);

/** iofd_space_unmap_all() - empty a space whose lock is held */
void iofd_space_unmap_all(struct iofd_space *space);

int iofd_map_init(void);
void iofd_map_exit(void);

/* iova.c */

/**
 * iofd_iova_overlap() - find the lowest mapping that meets a range
 * @space: its lock is held
 * @first: first byte
 * @last: last byte
 */
struct iofd_mapping *iofd_iova_overlap(struct iofd_space *space, u64 first,
				       u64 last);

/**
 * iofd_iova_vacant() - is nothing mapped in a range?
 * @space: its lock is held
 * @first: first byte
 * @last: last byte
 * @next: receives the mapping behind the range, or NULL, if so
 */
bool iofd_iova_vacant(struct iofd_space *space, u64 first, u64 last,
		      struct iofd_mapping **next);

/**
 * iofd_iova_insert() - add a mapping that overlaps none
 * @space: its lock is held
 * @mapping: the mapping
 * @next: the one behind it, from iofd_iova_vacant() or iofd_iova_find_gap()
 *	under the same lock
 */
void iofd_iova_insert(struct iofd_space *space, struct iofd_mapping *mapping,
		      struct iofd_mapping *next);

/** iofd_iova_remove() - take a mapping out */
void iofd_iova_remove(struct iofd_space *space, struct iofd_mapping *mapping);

/** iofd_iova_next() - the mapping after this one, or NULL */
struct iofd_mapping *iofd_iova_next(struct iofd_mapping *mapping);

/**
 * iofd_iova_find_gap() - choose an address
 * @space: its lock is held
 * @length: bytes
 * @align: power of two
 * @phase: the address is @phase modulo @align
 * @iova: receives it
 * @next: receives the mapping behind it, or NULL
 *
 * Return: 0, -ENOSPC or -EINTR.
 */
int iofd_iova_find_gap(struct iofd_space *space, u64 length, u64 align,
		       u64 phase, u64 *iova, struct iofd_mapping **next);

/**
 * iofd_iova_permitted() - may there be mappings in all of a range?
 * @space: its lock is held, attach_lock is not
 * @first: first byte
 * @last: last byte
 */
bool iofd_iova_permitted(struct iofd_space *space, u64 first, u64 last);

/**
 * iofd_iova_permitted_from() - the lowest permitted range that ends at or after
 * an address
 * @space: its lock is held, attach_lock is not
 * @from: the address
 * @range: receives it, cut off below @from
 *
 * Return: false when there is none.
 */
bool iofd_iova_permitted_from(struct iofd_space *space, u64 from,
			      struct iommu_ioasid_range *range);

/**
 * iofd_iova_ranges() - all permitted ranges, ascending and disjoint
 * @space: its lock is held
 * @ranges: receives an array to be freed with kfree()
 *
 * Return: how many, or -ENOMEM.
 */
int iofd_iova_ranges(struct iofd_space *space,
		     struct iommu_ioasid_range **ranges);

/* pin.c */

/**
 * struct iofd_pinner - user memory that is being pinned from start to end
 * @addr: next address in the caller's memory
 * @gup_flags: FOLL_*
 * @temp_addr: mapping of a file that is undone at the end, or 0
 * @temp_bytes: its length
 */
struct iofd_pinner {
	unsigned long addr;
	unsigned int gup_flags;
	unsigned long temp_addr;
	unsigned long temp_bytes;
};

struct page;

/** iofd_pin_start() - prepare to pin what @req asks for; 0 or an errno */
int iofd_pin_start(struct iofd_pinner *pinner,
		   const struct iofd_map_request *req);

/**
 * iofd_pin_batch() - pin the next pages
 * @pinner: started
 * @npages: wanted
 * @pages: receives them
 *
 * Return: how many were pinned, at least 1, or -EFAULT, -ENOMEM, -EINTR.
 */
long iofd_pin_batch(struct iofd_pinner *pinner, unsigned long npages,
		    struct page **pages);

/** iofd_pin_end() - done, whatever happened in between */
void iofd_pin_end(struct iofd_pinner *pinner);

/** iofd_unpin_run() - unpin physically contiguous pages */
void iofd_unpin_run(phys_addr_t phys, size_t bytes, unsigned int prot);

#endif /* IOFD_CORE_CORE_H */
