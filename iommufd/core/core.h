/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Structures of the core, private to it and to the front doors in abi/.
 *
 * Lock order, outermost first:
 *
 *   iofd_devfile.lock     one device file
 *   iofd_space.lock       mappings and page tables of one IOASID; held while
 *                         user memory is pinned, which can take as long as user
 *                         space likes
 *   iofd_topology_lock    groups, devices, bindings, who is attached to what;
 *                         never held while user memory is touched, so that
 *                         closing a device does not wait for user space
 *   iofd_space.attach_lock, iofd_ctx.account_lock, xa_lock    spinlocks
 *
 * Lock letters at the fields: (c) constant once published, (s) iofd_space.lock,
 * (t) iofd_topology_lock, (a) iofd_space.attach_lock, (k) iofd_ctx.account_lock,
 * (x) the xarray's own lock.
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
	atomic64_t pages;
};

/**
 * struct iofd_ctx - one open of /dev/iommu
 * @refs: the file, and each binding
 * @id: (c) number for people and events, unique since load
 * @objects: (x) struct iofd_object by id, from 1
 * @recent: (x) the one that was looked up last, while it is published; or NULL
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
 * @account: (c) who was charged
 *
 * Kept small: there are millions. The physical addresses are in the page table.
 */
struct iofd_mapping {
	struct rb_node node;
	u64 first;
	u64 last;
	struct iofd_account *account;
};

/**
 * struct iofd_table - a page table under an address space
 * @list: (s) in iofd_space.tables
 * @pt: (c) the provider's
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
 */
struct iofd_attach {
	struct list_head space_entry;
	struct iofd_space *space;
	struct iofd_table *table;
	struct iofd_device *binding;
};

/**
 * struct iofd_space - an IOASID
 * @obj: id
 * @type: (c) enum iommu_ioasid_type
 * @format: (c) enum iommu_ioasid_format
 * @coherency: (c) enum iommu_ioasid_coherency
 * @addr_width_bits: (c) as asked for; 0: what the devices leave
 * @lock: mappings and tables
 * @dead: (s) freed; only references keep the memory
 * @mappings: (s) struct iofd_mapping by address
 * @hint: (s) a mapping near which the next command is likely to work, or NULL
 * @gap_from: (s) below it there is no gap of @gap_bytes or more
 * @gap_bytes: (s) see @gap_from
 * @nr_mappings: (s) count; read without the lock for reports
 * @nr_pages: (s) pages mapped; read without the lock for reports
 * @tables: (s) struct iofd_table; all hold the same mappings
 * @primary: (s) the table that the pinned pages are handed back by; NULL
 *	as long as there is none and nothing has been mapped
 * @addr_last: (s, a) highest address that the width and every table so far
 *	allow; written with both locks held, read with either
 * @attach_lock: protects @attaches and what hangs on it
 * @attaches: (a) struct iofd_attach
 * @nr_attaches: (a) their number; read without the lock for reports
 * @window: (s) a range that all attached devices permit; empty when unknown
 *
 * A space keeps its tables until it is freed, so that taking one away never has
 * to allocate another.
 */
struct iofd_space {
	struct iofd_object obj;
	u32 type;
	u32 format;
	u32 coherency;
	u32 addr_width_bits;

	struct mutex lock;
	bool dead;
	struct rb_root mappings;
	struct iofd_mapping *hint;
	u64 gap_from;
	u64 gap_bytes;
	unsigned long nr_mappings;
	unsigned long nr_pages;
	struct list_head tables;
	struct iofd_table *primary;
	u64 addr_last;

	spinlock_t attach_lock;
	struct list_head attaches;
	unsigned int nr_attaches;
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
};

/**
 * struct iofd_device - a device bound to a context under a label
 * @obj: id
 * @label: (c) the user's name for it
 * @pdev: (t) the device; NULL once unbound
 * @df: (c) the device file it was bound through
 * @ctx_entry: (t) in iofd_ctx.bindings
 * @pdev_entry: (t) in iofd_pdev.bindings
 * @df_entry: (iofd_devfile.lock) in iofd_devfile.bindings
 */
struct iofd_device {
	struct iofd_object obj;
	u64 label;
	struct iofd_pdev *pdev;
	struct iofd_devfile *df;
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
 * iofd_bind() - bind a device to a context
 * @ctx: the context
 * @df: the device file it is bound through; df->lock is held
 * @label: unique in @ctx
 *
 * Return: the binding, the device's DMA blocked; or ERR_PTR() as documented at
 * struct iommu_device_bind.
 */
struct iofd_device *iofd_bind(struct iofd_ctx *ctx, struct iofd_devfile *df,
			      u64 label);

/** iofd_unbind() - detach and unbind; the last one of a group releases it */
void iofd_unbind(struct iofd_device *idev);

/**
 * iofd_attach() - let a device's DMA without PASID go through a space
 * @idev: binding
 * @space: of the same context
 *
 * Return: 0 or an errno as documented at struct iommu_device_attach.
 */
int iofd_attach(struct iofd_device *idev, struct iofd_space *space);

/**
 * iofd_detach() - block a device that is attached to a space
 * @idev: binding through which it was attached
 * @ioasid: of its context
 *
 * Return: 0 or -ENOENT.
 */
int iofd_detach(struct iofd_device *idev, u32 ioasid);

/**
 * iofd_device_by_label() - find a binding
 * @ctx: where; the topology lock is held
 * @label: its label
 *
 * Return: the binding or NULL.
 */
struct iofd_device *iofd_device_by_label(struct iofd_ctx *ctx, u64 label);

/** iofd_detach_all() - block all devices attached through @ctx (closing it) */
void iofd_detach_all(struct iofd_ctx *ctx);

/* space.c */

/**
 * iofd_space_alloc() - make a root, kernel-managed IOASID
 * @ctx: where
 * @addr_width_bits: 0 or 12 to 64
 * @coherency: enum iommu_ioasid_coherency
 * @for_label: label of a bound device to check against, or NULL
 *
 * Return: the id, or a negative errno.
 */
int iofd_space_alloc(struct iofd_ctx *ctx, u32 addr_width_bits, u32 coherency,
		     const u64 *for_label);

/** iofd_space_get() - look an IOASID up; NULL when there is none */
struct iofd_space *iofd_space_get(struct iofd_ctx *ctx, u32 id);

/** iofd_space_put() - drop a reference */
void iofd_space_put(struct iofd_space *space);

/**
 * iofd_space_free() - free an IOASID and all that is mapped in it
 * @space: published; the caller holds a reference
 *
 * Return: 0; -EBUSY while attached; -ENOENT when somebody else was faster;
 * -EINTR.
 */
int iofd_space_free(struct iofd_space *space);

/** iofd_space_destroy() - the same for a context that closes; cannot fail */
void iofd_space_destroy(struct iofd_space *space);

/**
 * iofd_space_table_for() - a table of the space that a device can be attached to
 * @space: its lock is held
 * @pdev: the device
 * @made: set when the table was made for it, with everything that is mapped;
 *	follow up with iofd_space_keep_table() or iofd_space_drop_table()
 *
 * Return: the table or ERR_PTR(-EINVAL, -ENOMEM, -EINTR).
 */
struct iofd_table *iofd_space_table_for(struct iofd_space *space,
					struct iofd_pdev *pdev, bool *made);

/** iofd_space_keep_table() - a device is attached to a table that was made */
void iofd_space_keep_table(struct iofd_space *space, struct iofd_table *table);

/** iofd_space_drop_table() - no device is attached to a table that was made */
void iofd_space_drop_table(struct iofd_space *space, struct iofd_table *table);

/**
 * iofd_space_primary() - the table that keeps the physical addresses
 * @space: its lock is held
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
 * @space: where
 * @req: what
 *
 * Return: 0 or an errno as documented at struct iommu_map_dma.
 */
int iofd_space_map(struct iofd_space *space, struct iofd_map_request *req);

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
