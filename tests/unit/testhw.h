/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hardware for the tests of the core: IOMMUs with real page tables, devices that
 * do DMA, and the way in for programs (/dev/iommu and device files).
 *
 * The model never forgives. Each device has a cache of translations that only
 * flush() and block() empty. It is filled as greedily as hardware might: by
 * whatever is mapped, just before access to it is revoked, and once more after
 * each flush. A page that is unpinned while such a cache knows it, or that is
 * cached without being pinned, is a violation (testhw_violations). Units that do
 * not snoop their walks read what has been written back, and nothing else.
 *
 * Units that track what is written mark a page when a device writes it, unless the
 * cache knows it as marked: read_dirty() has to empty it.
 *
 * Units that nest walk the user's table and then the parent's, when there is DMA,
 * and keep what they found until the parent is flushed or the range invalidated.
 * Their walk of a user's table is not the one that is under test.
 */
#ifndef TESTHW_H
#define TESTHW_H

#include "shim/shim.h"
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <uapi/linux/ioasid.h>
#include "core/compose.h"
#include "core/event.h"
#include "core/iofd.h"

/* A test in cmocka's list, with the core loaded and both providers registered */
#define core_test(f)							\
	cmocka_unit_test_setup_teardown(f, testhw_setup, testhw_teardown)
int testhw_setup(void **state);
int testhw_teardown(void **state);

/*
 * "full" can hand back what its tables hold; "plain" cannot. Both drive the
 * devices that name them.
 */
extern const struct iofd_hw_ops testhw_full, testhw_plain;
extern struct module testhw_module;

struct testhw_pt;

/* What a device does with one PASID, or without */
struct testhw_view {
	struct testhw_dev *hw;
	u32 pasid;
	struct testhw_pt *pt;		/* NULL: blocked */
	struct rb_root tlb;
	unsigned long nr_tlb;
};
#define TESTHW_MAX_VIEWS	16

/**
 * struct testhw_dev - a device and what is in front of it
 *
 * The first part is the test's to change before the device is bound.
 */
struct testhw_dev {
	const struct iofd_hw_ops *unit;
	u32 width_bits;			/* up to 39, 48 or 57 */
	unsigned int max_leaf_level;
	bool can_snoop;			/* snooping can be enforced */
	bool noncoherent;		/* walks do not snoop */
	bool one_depth;			/* walks tables of its own depth alone */
	bool nests;			/* walks a user's table and its parent */
	bool dirty;			/* tracks what is written */
	u32 pasid_width_bits;
	u64 more_formats;		/* formats of users' tables besides */
	struct testhw_dev *parent;	/* of a sub-device; it has no @dev of its own */
	u32 subdev_pasid;		/* of a sub-device, in requests of @parent */
	struct iommu_group *group;
	int df_error;			/* what the wrapper's open() returns */

	struct device dev;
	struct iommu_group own_group;
	struct iofd_devfile df;
	bool df_open;
	bool file_open;			/* by t_dev(), until t_release() */
	unsigned int df_opens, df_closes;
	struct iofd_hw_dev hd;
	bool opened;
	struct testhw_view views[TESTHW_MAX_VIEWS];	/* the first: no PASID */
};

/* A device with 48 bits behind "full", in a group of its own, its file open */
struct testhw_dev *testhw_dev(void);
/*
 * A part of @parent, whose driver keeps it; its file open. What @parent can do at
 * this moment it can, too. Its views are without PASID, as to the core.
 */
struct testhw_dev *testhw_subdev(struct testhw_dev *parent, u32 pasid,
				 const char *name);
/* Forgets the last one, whose file is closed. */
void testhw_forget_dev(void);

/* What goes wrong: the n-th call from now on, 0: none. */
extern unsigned long testhw_fail_map;
extern unsigned long testhw_map_partly;	/* pages it writes before it fails */
extern int testhw_attach_error;
extern int testhw_pt_error;
extern int testhw_open_error;
extern bool testhw_lose_flush;		/* to see that the model notices */
extern bool testhw_lose_revoke;
extern bool testhw_lose_sync;

extern unsigned long testhw_violations;
extern unsigned long testhw_maps, testhw_flushes, testhw_syncs;
extern unsigned long testhw_pts;	/* tables that exist */
extern unsigned long testhw_dirty_reads;	/* calls of read_dirty() */
extern unsigned long testhw_invalidations;	/* of users' tables */
extern struct testhw_invalidation {
	struct testhw_dev *hw;		/* NULL: all */
	u32 pasid;
	u64 first, last;
	bool leaf;
} testhw_last_invalidation;

/* DMA of one byte; false: refused. Through the cache, which it fills. */
bool testhw_dma(struct testhw_dev *hw, u64 iova, u32 access, phys_addr_t *phys);
bool testhw_dma_pasid(struct testhw_dev *hw, u32 pasid, u64 iova, u32 access,
		      phys_addr_t *phys);

/* All of [iova, +nr_pages) reaches, or does not reach, what is at @addr. */
void assert_reaches(struct testhw_dev *hw, u64 iova, unsigned long addr,
		    unsigned long nr_pages);
void assert_blocked(struct testhw_dev *hw, u64 iova, unsigned long nr_pages);

/* Events that the core sent */
struct testhw_event {
	enum iofd_event_kind kind;
	bool bound;
	struct device *dev;
	const char *subdev;
	u32 ctx_id;
	u64 label;
	u32 ioasid;
	u64 fault_address;
	bool fault_has_pasid;
};
#define TESTHW_MAX_EVENTS	64
extern struct testhw_event testhw_events[TESTHW_MAX_EVENTS];
extern unsigned int testhw_nr_events;

/* Takes the oldest event out and checks it. */
void assert_event(enum iofd_event_kind kind, struct testhw_dev *hw, int fd,
		  u64 label, u32 ioasid);
void assert_no_event(void);

/* Programs. All return what the system call would: a number or -errno. */
int t_open(void);
struct iofd_ctx *t_ctx(int fd);
struct iofd_space *t_space(int fd, u32 ioasid);
int t_alloc(int fd);
int t_alloc_as(int fd, u32 width_bits, u32 coherency);
int t_alloc_child(int fd, u32 parent);
int t_alloc_user(int fd, u32 parent, u64 table_addr, u32 nesting);
int t_invalidate(int fd, u32 ioasid, u64 addr, unsigned long nr_pages);
int t_invalidate_all(int fd, u32 ioasid);
int t_free(int fd, u32 ioasid);
int t_map(int fd, u32 ioasid, unsigned long addr, unsigned long nr_pages,
	  u64 iova);
int t_map_prot(int fd, u32 ioasid, unsigned long addr, unsigned long nr_pages,
	       u64 iova, u32 prot);
int t_map_any(int fd, u32 ioasid, unsigned long addr, unsigned long nr_pages,
	      u64 *iova);
int t_unmap(int fd, u32 ioasid, u64 iova, unsigned long nr_pages);
long t_unmap_count(int fd, u32 ioasid, u64 iova, unsigned long nr_pages);
int t_unmap_all(int fd, u32 ioasid);
int t_bind(struct testhw_dev *hw, int fd, u64 label);
int t_attach(struct testhw_dev *hw, int fd, u32 ioasid);
int t_detach(struct testhw_dev *hw, int fd, u32 ioasid);
int t_attach_pasid(struct testhw_dev *hw, int fd, u32 ioasid, u32 pasid);
int t_detach_pasid(struct testhw_dev *hw, int fd, u32 ioasid, u32 pasid);
void t_release(struct testhw_dev *hw);

#define t_ok(expr)							\
({									\
	long rc_ = (expr);						\
	if (rc_ < 0)							\
		fail_msg("%s: %ld", #expr, rc_);			\
	rc_;								\
})
#define t_errno(expr, error)	assert_int_equal(expr, -(error))

/*
 * All there is, as text: contexts, objects, labels, accounts, mappings, tables,
 * devices, groups, references, charges, pins. Free it with free().
 */
char *t_state(void);
/* Compares with the state now, and frees @before. */
#define assert_state(before)	t_assert_state(before, __FILE__, __LINE__)
void t_assert_state(char *before, const char *file, int line);

#endif
