/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contexts, objects, devices and groups. Address spaces are in space.h, how they
 * depend on one another in compose.h. All are private to the core and to the front
 * doors in abi/.
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
 *                         closing a device does not wait for user space, nor
 *                         while tables are made (iofd_device_get_by_id())
 *   iofd_space.attach_lock, iofd_ctx.account_lock, xa_lock    spinlocks
 *
 * Lock letters at the fields: (c) constant once published, (s) iofd_space.lock
 * of the root (iofd_space_lock()), (t) iofd_topology_lock,
 * (a) iofd_space.attach_lock, (k) iofd_ctx.account_lock, (x) the xarray's own
 * lock.
 */
#ifndef IOFD_CORE_CORE_H
#define IOFD_CORE_CORE_H

#include <linux/atomic.h>
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
struct iofd_hwpt;
struct iofd_devfile;
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

/**
 * struct iofd_group - devices that the hardware cannot tell or keep apart
 * @list: (t) all groups that are claimed
 * @group: (c) the kernel's group
 * @claimed: (c) its DMA is owned by this structure. If not, it is the kernel's,
 *	and the structure one sub-device's alone
 * @nr_pdevs: (t) devices of it that are open
 */
struct iofd_group {
	struct list_head list;
	struct iommu_group *group;
	bool claimed;
	unsigned int nr_pdevs;
};

/**
 * struct iofd_pdev - a physical device, or a part of one, that is bound to at
 *	least one fd
 * @list: (t) all bound devices
 * @dev: (c) the device
 * @pasid: (c) of a sub-device: what it does with this PASID, which is without PASID
 *	to everybody but its provider; else IOFD_NO_PASID
 * @name: (c) of a sub-device, for people; else NULL
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
	u32 pasid;
	const char *name;
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
 * @users: commands that use it without the topology lock; unbinding waits for them
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
	atomic_t users;
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
 * @pasid: IOFD_NO_PASID; else only what @dev does with this PASID, and its
 *	group's DMA is the kernel's
 *
 * Return: the device, its provider's module held; ERR_PTR(-ENODEV) when nobody
 * drives its IOMMU; ERR_PTR(-EOPNOTSUPP) with @pasid when nobody who does can
 * tell it from the rest.
 */
struct iofd_hw_dev *iofd_hw_open(struct device *dev, u32 pasid);

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

/**
 * iofd_group_borrow() - the group of a device that stays the kernel's (A23)
 * @dev: the device; the topology lock is held
 *
 * Return: the group, of which nothing is claimed, for iofd_group_put();
 * ERR_PTR(-ENODEV) without an IOMMU, -EPERM when it is claimed or has other
 * devices, -ENOMEM.
 */
struct iofd_group *iofd_group_borrow(struct device *dev);

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

/**
 * iofd_pdev_find() - find a bound device
 * @dev: the device; the topology lock is held
 * @pasid: IOFD_NO_PASID: all of it; else the sub-device with this PASID
 *
 * Return: the device or NULL.
 */
struct iofd_pdev *iofd_pdev_find(struct device *dev, u32 pasid);

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
 * iofd_device_get_by_id() - find a binding, and keep it
 * @ctx: where
 * @id: its id
 *
 * It stays bound, and its device open, until iofd_device_put(): closing the
 * device file waits for that. So nothing in between waits for a user.
 *
 * Return: the binding or NULL.
 */
struct iofd_device *iofd_device_get_by_id(struct iofd_ctx *ctx, u32 id);

/** iofd_device_get_by_label() - the same by its label */
struct iofd_device *iofd_device_get_by_label(struct iofd_ctx *ctx, u64 label);

/** iofd_device_put() - let go of a binding */
void iofd_device_put(struct iofd_device *idev);

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

#endif /* IOFD_CORE_CORE_H */
