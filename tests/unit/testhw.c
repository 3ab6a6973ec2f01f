// SPDX-License-Identifier: LGPL-2.1-or-later
#include "testhw.h"
#include "abi/abi.h"
#include "core/share.h"
#include "shim/internal.h"
#include "hw/pt/sl.h"
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>

#define MAX_DEVS	8

struct testhw_pt {
	struct iofd_hw_pt pt;
	struct sl_table sl;
	struct iofd_nest_attrs nest;	/* with pt.parent */
	unsigned long nr_nested;	/* tables over it */
	bool needs_sync;		/* map() since map_sync() */
	bool needs_flush;		/* revoke() since flush() */
};

/* One page that a device's cache knows */
struct tlb_entry {
	struct rb_node node;
	u64 iova;
	phys_addr_t phys;
	u32 access;
	bool dirty;			/* known to be marked */
};

struct module testhw_module;
unsigned long testhw_fail_map;
unsigned long testhw_map_partly;
int testhw_attach_error;
int testhw_pt_error;
int testhw_open_error;
bool testhw_lose_flush;
bool testhw_lose_revoke;
bool testhw_lose_sync;
unsigned long testhw_violations;
unsigned long testhw_maps, testhw_flushes, testhw_syncs;
unsigned long testhw_pts;
unsigned long testhw_invalidations;
unsigned long testhw_dirty_reads;
struct testhw_invalidation testhw_last_invalidation;
struct testhw_event testhw_events[TESTHW_MAX_EVENTS];
unsigned int testhw_nr_events;

static struct testhw_dev devs[MAX_DEVS];
static unsigned int nr_devs;

#define for_each_dev(hw)	for (hw = devs; hw < devs + nr_devs; hw++)
#define for_each_view(hw, v)						\
	for_each_dev(hw)						\
		for (v = hw->views; v < hw->views + TESTHW_MAX_VIEWS; v++)

static struct testhw_pt *to_pt(struct iofd_hw_pt *pt)
{
	return container_of(pt, struct testhw_pt, pt);
}

static struct testhw_dev *to_dev(struct iofd_hw_dev *hd)
{
	return container_of(hd, struct testhw_dev, hd);
}

static void violation(const char *what, u64 iova)
{
	if (!testhw_lose_flush && !testhw_lose_revoke)
		print_error("%s at IOVA %#llx\n", what, (unsigned long long)iova);
	testhw_violations++;
}

/* The cache of a device */

static struct tlb_entry *tlb_find(struct testhw_view *v, u64 iova)
{
	struct rb_node *node = v->tlb.rb_node;

	while (node) {
		struct tlb_entry *e = rb_entry(node, struct tlb_entry, node);

		if (e->iova == iova)
			return e;
		node = iova < e->iova ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static bool tlb_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct tlb_entry, node)->iova <
	       container_of(b, const struct tlb_entry, node)->iova;
}

/* A user page keeps the number of cache entries for it in page_private(). */
static struct tlb_entry *tlb_fill(struct testhw_view *v, u64 iova,
				  phys_addr_t phys, u32 access)
{
	struct page *page = phys_to_page(phys);
	struct tlb_entry *e = tlb_find(v, iova);

	if (e)
		return e;
	if (!(page->flags & SHIM_PAGE_USER) || page->pins <= 0)
		violation("a page that is not pinned can be reached", iova);
	e = malloc(sizeof(*e));
	if (!e)
		abort();
	e->iova = iova;
	e->phys = phys;
	e->access = access;
	e->dirty = false;
	rb_add(&e->node, &v->tlb, tlb_less);
	v->nr_tlb++;
	set_page_private(page, page_private(page) + 1);
	return e;
}

static void tlb_drop(struct testhw_view *v, u64 first, u64 last)
{
	struct rb_node *node = v->tlb.rb_node, *next, *from = NULL;

	while (node) {
		struct tlb_entry *e = rb_entry(node, struct tlb_entry, node);

		if (e->iova >= first) {
			from = node;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	for (node = from; node; node = next) {
		struct tlb_entry *e = rb_entry(node, struct tlb_entry, node);
		struct page *page = phys_to_page(e->phys);

		if (e->iova > last)
			break;
		next = rb_next(node);
		set_page_private(page, page_private(page) - 1);
		rb_erase(node, &v->tlb);
		v->nr_tlb--;
		free(e);
	}
}

static void page_unpinned(struct page *page)
{
	if (!page->pins && page_private(page))
		violation("a page was unpinned while a device could reach it", 0);
}

/* The walk */

static u64 read_entry(const struct testhw_dev *hw, phys_addr_t phys)
{
	return hw->noncoherent ? shim_hw_read64(phys) : shim_cpu_read64(phys);
}

/* Cache all that [first, last] translates; @table is a page of @level. */
static void walk(struct testhw_view *v, phys_addr_t table, unsigned int level,
		 u64 base, u64 first, u64 last)
{
	unsigned int shift = 3 + 9 * level, i, i_last = 511;
	u64 iova;

	i = first > base ? (first - base) >> shift : 0;
	if ((last - base) >> shift < i_last)
		i_last = (last - base) >> shift;
	for (; i <= i_last; i++) {
		u64 e = read_entry(v->hw, table + 8 * i);
		u64 at = base + ((u64)i << shift);
		u64 end = at + (1ull << shift) - 1;

		if (!(e & SL_RW))
			continue;
		if (level > 1 && !(e & SL_LEAF)) {
			walk(v, e & SL_ADDR_MASK, level - 1, at, first, last);
			continue;
		}
		assert_true(level <= v->hw->max_leaf_level);
		for (iova = max(at, first & PAGE_MASK); iova <= min(end, last);
		     iova += PAGE_SIZE)
			tlb_fill(v, iova, (e & SL_ADDR_MASK) + (iova - at),
				 e & SL_RW);
	}
}

/* What the parent of a user's table makes of an address; permissions */
static u32 walk_parent(struct testhw_view *v, struct testhw_pt *parent, u64 addr,
		       phys_addr_t *phys)
{
	phys_addr_t table = virt_to_phys(parent->sl.root);
	unsigned int level;

	if (addr > parent->pt.addr_last)
		return 0;
	for (level = parent->sl.levels;; level--) {
		unsigned int shift = 3 + 9 * level;
		u64 e = read_entry(v->hw, table + 8 * (addr >> shift & 511));

		if (!(e & SL_RW))
			return 0;
		if (level == 1 || e & SL_LEAF) {
			u64 mask = (1ull << shift) - 1;

			*phys = (e & SL_ADDR_MASK & ~mask) + (addr & mask);
			return e & SL_RW;
		}
		table = e & SL_ADDR_MASK;
	}
}

/* A request of a user for @access, without the caches: first, then second level */
static bool walk_nested(struct testhw_view *v, u64 iova, u32 access,
			phys_addr_t *phys, u32 *granted)
{
	struct testhw_pt *pt = v->pt, *parent = to_pt(pt->pt.parent);
	unsigned int level = pt->nest.addr_width_bits == 57 ? 5 : 4;
	u64 gpa = pt->nest.table_addr, *entry, e;
	bool write = true;
	phys_addr_t at;
	u32 can;

	if (iova >> (pt->nest.addr_width_bits - 1))
		return false;
	for (;; level--) {
		unsigned int shift = 3 + 9 * level;
		u64 mask = (1ull << shift) - 1, set = 1 << 5;
		bool leaf;

		can = walk_parent(v, parent, gpa + 8 * (iova >> shift & 511), &at);
		if (!(can & IOFD_READ))
			return false;
		entry = phys_to_virt(at);
		e = *entry;
		if ((e & 5) != 5)
			return false;
		leaf = level == 1 || e & 1 << 7;
		if (leaf && level > 1 && (level > 3 || e & mask & ~0x1fffull))
			return false;
		write &= e >> 1 & 1;
		if (leaf && access & IOFD_WRITE) {
			if (!write)
				return false;
			set |= 1 << 6;
		}
		if (set & ~e && !(can & IOFD_WRITE))
			return false;
		*entry |= set;
		gpa = e & 0xffffffffff000;
		if (!leaf)
			continue;
		gpa = (gpa & ~mask) | (iova & mask & PAGE_MASK);
		break;
	}
	can = walk_parent(v, parent, gpa, phys);
	if (!write || !(*entry & 1 << 6))
		can &= ~IOFD_WRITE;
	*granted = can;
	return (can & access) == access;
}

static void prefetch(struct testhw_view *v, u64 first, u64 last)
{
	struct testhw_pt *pt = v->pt;

	if (pt->pt.parent)
		return;
	last = min(last, pt->pt.addr_last);
	if (first <= last)
		walk(v, virt_to_phys(pt->sl.root), pt->sl.levels, 0, first, last);
}

static void prefetch_all(struct testhw_pt *pt, u64 first, u64 last)
{
	struct testhw_dev *hw;
	struct testhw_view *v;

	for_each_view(hw, v)
		if (v->pt == pt)
			prefetch(v, first, last);
}

/* The view of a PASID; @make: a free one, if there is none */
static struct testhw_view *view_of(struct testhw_dev *hw, u32 pasid, bool make)
{
	struct testhw_view *v, *unused = NULL;

	for (v = hw->views; v < hw->views + TESTHW_MAX_VIEWS; v++) {
		if (v->pasid == pasid && (v->pt || v == hw->views))
			return v;
		if (!v->pt && v != hw->views)
			unused = v;
	}
	if (!make)
		return NULL;
	assert_non_null(unused);
	unused->hw = hw;
	unused->pasid = pasid;
	return unused;
}

/* Something at @iova was written through @pt. */
static void mark(struct testhw_view *v, struct testhw_pt *pt, u64 iova)
{
	phys_addr_t table = virt_to_phys(pt->sl.root), at;
	unsigned int level;
	u64 e;

	for (level = pt->sl.levels;; level--) {
		at = table + 8 * (iova >> (3 + 9 * level) & 511);
		e = read_entry(v->hw, at);
		e |= SL_ACCESSED;
		if (level == 1 || e & SL_LEAF)
			break;
		shim_hw_write(at, &e, sizeof(e));
		table = e & SL_ADDR_MASK;
	}
	e |= SL_DIRTY;
	shim_hw_write(at, &e, sizeof(e));
}

bool testhw_dma_pasid(struct testhw_dev *hw, u32 pasid, u64 iova, u32 access,
		      phys_addr_t *phys)
{
	struct testhw_view *v = view_of(hw, pasid, false);
	struct tlb_entry *e = v ? tlb_find(v, iova & PAGE_MASK) : NULL;
	struct page *page;
	phys_addr_t at;
	u32 granted;

	if (!v)
		return false;
	if (!e && v->pt && !v->pt->pt.parent) {
		prefetch(v, iova & PAGE_MASK, iova | ~PAGE_MASK);
		e = tlb_find(v, iova & PAGE_MASK);
	} else if ((!e || (e->access & access) != access) && v->pt &&
		   v->pt->pt.parent) {
		/* A denial is not cached: look again, as hardware does. */
		if (e)
			tlb_drop(v, iova & PAGE_MASK, iova & PAGE_MASK);
		e = NULL;
		if (walk_nested(v, iova & PAGE_MASK, access, &at, &granted))
			e = tlb_fill(v, iova & PAGE_MASK, at, granted);
	}
	if (!e || (e->access & access) != access)
		return false;
	page = phys_to_page(e->phys);
	if (!page->pins)
		violation("DMA to a page that is not pinned", iova);
	if (access & IOFD_WRITE && !e->dirty && v->pt && v->pt->pt.dirty) {
		mark(v, v->pt, iova);
		e->dirty = true;
	}
	*phys = e->phys + (iova & ~PAGE_MASK);
	return true;
}

bool testhw_dma(struct testhw_dev *hw, u64 iova, u32 access, phys_addr_t *phys)
{
	return testhw_dma_pasid(hw, IOFD_NO_PASID, iova, access, phys);
}

void assert_reaches(struct testhw_dev *hw, u64 iova, unsigned long addr,
		    unsigned long nr_pages)
{
	phys_addr_t phys;
	unsigned long i;

	for (i = 0; i < nr_pages; i++, iova += PAGE_SIZE, addr += PAGE_SIZE) {
		if (!testhw_dma(hw, iova + 0x123, IOFD_READ, &phys))
			fail_msg("DMA to %#llx is refused",
				 (unsigned long long)iova);
		if (phys != page_to_phys(shim_user_page(addr)) + 0x123)
			fail_msg("DMA to %#llx reaches %#llx",
				 (unsigned long long)iova,
				 (unsigned long long)phys);
	}
}

void assert_blocked(struct testhw_dev *hw, u64 iova, unsigned long nr_pages)
{
	phys_addr_t phys;
	unsigned long i;

	for (i = 0; i < nr_pages; i++, iova += PAGE_SIZE)
		if (testhw_dma(hw, iova, IOFD_READ, &phys) ||
		    testhw_dma(hw, iova, IOFD_WRITE, &phys))
			fail_msg("DMA to %#llx goes to %#llx",
				 (unsigned long long)iova,
				 (unsigned long long)phys);
}

/* The provider */

static unsigned int levels_for(u32 bits)
{
	return bits <= 39 ? 3 : bits <= 48 ? 4 : 5;
}

static struct iofd_hw_dev *open_for(const struct iofd_hw_ops *ops,
				    struct device *dev)
{
	struct testhw_dev *hw = container_of(dev, struct testhw_dev, dev);

	lockdep_assert_held(&iofd_topology_lock);
	might_sleep();
	if (hw->unit != ops)
		return ERR_PTR(-ENODEV);
	if (testhw_open_error)
		return ERR_PTR(testhw_open_error);
	/* The group is the core's before the device is opened. */
	assert_non_null(hw->group->owner);
	assert_false(hw->opened);
	hw->hd.ops = ops;
	hw->hd.dev = dev;
	hw->opened = true;
	return &hw->hd;
}

static struct iofd_hw_dev *full_open_subdev(struct device *dev, u32 pasid)
{
	struct testhw_dev *hw;

	lockdep_assert_held(&iofd_topology_lock);
	might_sleep();
	for_each_dev(hw)
		if (hw->parent && &hw->parent->dev == dev &&
		    hw->subdev_pasid == pasid)
			break;
	assert_true(hw < devs + nr_devs);
	if (hw->unit != &testhw_full)
		return ERR_PTR(-ENODEV);
	if (testhw_open_error)
		return ERR_PTR(testhw_open_error);
	if (shim_must_fail(GFP_KERNEL, __FILE__, __LINE__))
		return ERR_PTR(-ENOMEM);
	/* It is the kernel's, and stays so. */
	assert_null(hw->group->owner);
	assert_false(hw->opened || hw->parent->opened);
	hw->hd.ops = hw->unit;
	hw->hd.dev = dev;
	hw->opened = true;
	return &hw->hd;
}

static struct iofd_hw_dev *full_open(struct device *dev)
{
	return open_for(&testhw_full, dev);
}

static struct iofd_hw_dev *plain_open(struct device *dev)
{
	return open_for(&testhw_plain, dev);
}

/* Nothing of it is attached or cached. */
static void assert_idle(struct testhw_dev *hw)
{
	struct testhw_view *v;

	for (v = hw->views; v < hw->views + TESTHW_MAX_VIEWS; v++) {
		assert_null(v->pt);
		assert_int_equal(v->nr_tlb, 0);
	}
}

static void hw_close(struct iofd_hw_dev *hd)
{
	struct testhw_dev *hw = to_dev(hd);

	might_sleep();
	assert_true(hw->opened);
	assert_idle(hw);
	if (!hw->parent)
		assert_non_null(hw->group->owner);
	hw->opened = false;
}

static void hw_caps(struct iofd_hw_dev *hd, struct iofd_hw_caps *caps)
{
	struct testhw_dev *hw = to_dev(hd);

	*caps = (struct iofd_hw_caps) {
		.pgsize_bitmap = SZ_4K |
				 (hw->max_leaf_level > 1 ? SZ_2M : 0) |
				 (hw->max_leaf_level > 2 ? SZ_1G : 0),
		.addr_width_bits = hw->width_bits,
		.formats = 1ull << IOMMU_FORMAT_DEFAULT | hw->more_formats |
			   (hw->nests ? 1ull << IOMMU_FORMAT_VTD_S1 : 0),
		.flags = (hw->can_snoop ? IOMMU_DEVICE_INFO_ENFORCE_SNOOP : 0) |
			 (hw->nests ? IOMMU_DEVICE_INFO_HW_NESTING : 0) |
			 (hw->dirty ? IOMMU_DEVICE_INFO_DIRTY : 0),
		.pasid_width_bits = hw->pasid_width_bits,
		.hw_type = IOMMU_HW_TYPE_VTD,
		.hw_cap = 0x1111222233334444,
		.hw_ecap = 0x5555666677778888,
		.unit = "test0",
	};
}

/* What can take long must not keep everybody else from attaching. */
static void assert_unhurried(void)
{
	assert_false(mutex_is_locked(&iofd_topology_lock));
}

static struct iofd_hw_pt *hw_pt_alloc(struct iofd_hw_dev *hd,
				      const struct iofd_pt_attrs *attrs)
{
	struct testhw_dev *hw = to_dev(hd);
	u32 bits = attrs->addr_width_bits ?: hw->width_bits;
	struct testhw_pt *pt;
	int rc;

	assert_true(hw->opened);
	assert_unhurried();
	/* Only a walk that snoops can set bits. */
	assert_false(hw->dirty && hw->noncoherent);
	if (testhw_pt_error)
		return ERR_PTR(testhw_pt_error);
	if (bits > hw->width_bits ||
	    (attrs->coherency == IOMMU_COHERENCY_ENFORCE && !hw->can_snoop))
		return ERR_PTR(-EINVAL);
	if ((attrs->nest_parent && !hw->nests) || (attrs->dirty && !hw->dirty))
		return ERR_PTR(-EOPNOTSUPP);
	pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	if (!pt)
		return ERR_PTR(-ENOMEM);
	pt->pt.ops = hw->unit;
	pt->pt.nest_parent = attrs->nest_parent;
	pt->pt.dirty = attrs->dirty;
	pt->pt.snoop_enforced = attrs->coherency != IOMMU_COHERENCY_OFF &&
				hw->can_snoop;
	rc = sl_init(&pt->sl, levels_for(hw->one_depth ? hw->width_bits : bits),
		     hw->max_leaf_level,
		     hw->noncoherent, pt->pt.snoop_enforced ? SL_SNOOP : 0);
	if (rc) {
		kfree(pt);
		return ERR_PTR(rc);
	}
	pt->pt.addr_last = min(sl_addr_last(pt->sl.levels), iofd_addr_last(bits));
	pt->pt.pgsize_bitmap = SZ_4K | (hw->max_leaf_level > 1 ? SZ_2M : 0) |
			       (hw->max_leaf_level > 2 ? SZ_1G : 0);
	testhw_pts++;
	return &pt->pt;
}

static void hw_pt_free(struct iofd_hw_pt *hpt)
{
	struct testhw_pt *pt = to_pt(hpt);
	struct testhw_dev *hw;
	struct testhw_view *v;

	for_each_view(hw, v)
		assert_ptr_not_equal(v->pt, pt);
	assert_int_equal(pt->nr_nested, 0);
	if (hpt->parent)
		to_pt(hpt->parent)->nr_nested--;
	else
		sl_destroy(&pt->sl);
	kfree(pt);
	testhw_pts--;
}

static struct iofd_hw_pt *hw_pt_nest(struct iofd_hw_dev *hd,
				     struct iofd_hw_pt *parent,
				     const struct iofd_nest_attrs *attrs)
{
	struct testhw_dev *hw = to_dev(hd);
	struct testhw_pt *pt;

	assert_true(hw->opened);
	assert_true(parent->nest_parent && !parent->parent);
	assert_true(hw->nests || hw->more_formats & 1ull << attrs->format);
	if (attrs->flags & IOMMU_VTD_S1_SRE)
		return ERR_PTR(-EOPNOTSUPP);
	if (attrs->table_addr > parent->addr_last)
		return ERR_PTR(-EINVAL);
	pt = kzalloc(sizeof(*pt), GFP_KERNEL);
	if (!pt)
		return ERR_PTR(-ENOMEM);
	pt->pt.ops = hw->unit;
	pt->pt.parent = parent;
	pt->pt.snoop_enforced = parent->snoop_enforced;
	pt->pt.pgsize_bitmap = SZ_4K | SZ_2M | SZ_1G;
	pt->pt.addr_last = U64_MAX;
	pt->nest = *attrs;
	to_pt(parent)->nr_nested++;
	testhw_pts++;
	return &pt->pt;
}

static void hw_invalidate(struct iofd_hw_pt *hpt, struct iofd_hw_dev *hd,
			  u32 pasid, u64 first, u64 last, bool leaf)
{
	struct testhw_pt *pt = to_pt(hpt);
	struct testhw_dev *hw;
	struct testhw_view *v;

	assert_unhurried();
	might_sleep();
	assert_non_null(hpt->parent);
	testhw_invalidations++;
	testhw_last_invalidation = (struct testhw_invalidation) {
		.hw = hd ? to_dev(hd) : NULL,
		.pasid = pasid,
		.first = first,
		.last = last,
		.leaf = leaf,
	};
	for_each_view(hw, v)
		if (v->pt == pt && (!hd || &hw->hd == hd) &&
		    (pasid == IOFD_ANY_PASID || v->pasid == pasid))
			tlb_drop(v, first, last);
}

static bool hw_pt_fits(struct iofd_hw_pt *hpt, struct iofd_hw_dev *hd)
{
	struct testhw_pt *pt = to_pt(hpt);
	struct testhw_dev *hw = to_dev(hd);

	if (hpt->parent)
		return hw->nests && hw_pt_fits(hpt->parent, hd);
	if (hw->one_depth && pt->sl.levels != levels_for(hw->width_bits))
		return false;
	return (!hpt->dirty || hw->dirty) &&
	       pt->sl.levels <= levels_for(hw->width_bits) &&
	       hpt->addr_last <= iofd_addr_last(hw->width_bits) &&
	       pt->sl.max_leaf_level <= hw->max_leaf_level &&
	       (pt->sl.noncoherent || !hw->noncoherent) &&
	       (!hpt->snoop_enforced || hw->can_snoop);
}

static int hw_attach(struct iofd_hw_pt *pt, struct iofd_hw_dev *hd, u32 pasid)
{
	struct testhw_dev *hw = to_dev(hd);
	struct testhw_view *v;

	might_sleep();
	assert_true(hw->opened);
	if (!pt->parent || !hw->more_formats)
		assert_true(hw_pt_fits(pt, hd));
	if (pasid != IOFD_NO_PASID)
		assert_true(!hw->parent && pasid &&
			    !(pasid >> hw->pasid_width_bits));
	if (testhw_attach_error)
		return testhw_attach_error;
	if (shim_must_fail(GFP_KERNEL, __FILE__, __LINE__))
		return -ENOMEM;
	assert_false(to_pt(pt)->needs_sync);
	v = view_of(hw, pasid, true);
	assert_ptr_not_equal(v->pt, to_pt(pt));
	tlb_drop(v, 0, U64_MAX);
	v->pt = to_pt(pt);
	prefetch(v, 0, U64_MAX);
	return 0;
}

static void hw_block(struct iofd_hw_dev *hd, u32 pasid)
{
	struct testhw_view *v = view_of(to_dev(hd), pasid, false);

	might_sleep();
	if (!v)
		return;
	v->pt = NULL;
	tlb_drop(v, 0, U64_MAX);
}

static int hw_map(struct iofd_hw_pt *hpt, u64 iova, phys_addr_t phys,
		  size_t bytes, unsigned int prot)
{
	struct testhw_pt *pt = to_pt(hpt);
	int rc;

	might_sleep();
	testhw_maps++;
	assert_true(bytes && PAGE_ALIGNED(iova | phys | bytes));
	assert_true(iova + (bytes - 1) >= iova &&
		    iova + (bytes - 1) <= hpt->addr_last);
	assert_true(prot && !(prot & ~(IOFD_READ | IOFD_WRITE)));
	pt->needs_sync = true;
	if (testhw_fail_map && !--testhw_fail_map) {
		size_t part = min(testhw_map_partly << PAGE_SHIFT,
				  bytes - PAGE_SIZE);

		if (part)
			assert_int_equal(sl_map(&pt->sl, iova, phys, part, prot), 0);
		prefetch_all(pt, iova, iova + (bytes - 1));
		return -ENOMEM;
	}
	rc = sl_map(&pt->sl, iova, phys, bytes, prot);
	assert_true(!rc || rc == -ENOMEM);
	prefetch_all(pt, iova, iova + (bytes - 1));
	return rc;
}

static void hw_map_sync(struct iofd_hw_pt *hpt, u64 iova, u64 last)
{
	struct testhw_pt *pt = to_pt(hpt);

	testhw_syncs++;
	if (testhw_lose_sync)
		return;
	sl_sync(&pt->sl);
	pt->needs_sync = false;
}

static void hw_revoke(struct iofd_hw_pt *hpt, u64 iova, u64 last)
{
	struct testhw_pt *pt = to_pt(hpt);

	might_sleep();
	assert_true(iova <= last && PAGE_ALIGNED(iova) && PAGE_ALIGNED(last + 1));
	prefetch_all(pt, iova, last);
	pt->needs_flush = true;
	pt->needs_sync = false;
	if (testhw_lose_revoke)
		return;
	sl_revoke(&pt->sl, iova, last);
	if (!hpt->ops->reap)
		sl_reap(&pt->sl, iova, last, NULL, NULL);
}

static void hw_flush(struct iofd_hw_pt *hpt, u64 iova, u64 last)
{
	struct testhw_pt *pt = to_pt(hpt);
	struct testhw_dev *hw;
	struct testhw_view *v;

	might_sleep();
	testhw_flushes++;
	pt->needs_flush = false;
	if (testhw_lose_flush)
		return;
	for_each_view(hw, v) {
		if (v->pt == pt)
			tlb_drop(v, iova, last);
		else if (v->pt && v->pt->pt.parent == hpt)
			tlb_drop(v, 0, U64_MAX);
	}
	/* What was not revoked is back at once. */
	prefetch_all(pt, iova, last);
}

static void hw_reap(struct iofd_hw_pt *hpt, u64 iova, u64 last, iofd_run_fn fn,
		    void *arg)
{
	struct testhw_pt *pt = to_pt(hpt);

	assert_false(pt->needs_flush);
	if (testhw_lose_revoke)
		sl_revoke(&pt->sl, iova, last);
	sl_reap(&pt->sl, iova, last, fn, arg);
	if (sl_wants_trim(&pt->sl)) {
		LIST_HEAD(pages);

		sl_trim(&pt->sl, &pages);
		sl_free_pages(&pages);
	}
}

static int hw_for_each_run(struct iofd_hw_pt *pt, u64 iova, u64 last,
			   iofd_run_fn fn, void *arg)
{
	return sl_for_each_run(&to_pt(pt)->sl, iova, last, fn, arg);
}

static void hw_read_dirty(struct iofd_hw_pt *hpt, u64 iova, u64 last, bool clear,
			  iofd_dirty_fn fn, void *arg)
{
	struct testhw_pt *pt = to_pt(hpt);
	struct testhw_dev *hw;
	struct testhw_view *v;

	might_sleep();
	assert_unhurried();
	assert_true(hpt->dirty && iova <= last && last <= hpt->addr_last);
	testhw_dirty_reads++;
	if (!sl_read_dirty(&pt->sl, iova, last, clear, fn, arg) ||
	    testhw_lose_flush)
		return;
	for_each_view(hw, v)
		if (v->pt == pt)
			tlb_drop(v, iova, last);
	prefetch_all(pt, iova, last);
}

#define COMMON_OPS							\
	.owner = &testhw_module,					\
	.close = hw_close,						\
	.caps = hw_caps,						\
	.pt_alloc = hw_pt_alloc,					\
	.pt_free = hw_pt_free,						\
	.pt_fits = hw_pt_fits,						\
	.pt_nest = hw_pt_nest,						\
	.invalidate = hw_invalidate,					\
	.attach = hw_attach,						\
	.block = hw_block,						\
	.map = hw_map,							\
	.map_sync = hw_map_sync,					\
	.revoke = hw_revoke,						\
	.read_dirty = hw_read_dirty,					\
	.flush = hw_flush

const struct iofd_hw_ops testhw_full = {
	.name = "full",
	.open = full_open,
	.open_subdev = full_open_subdev,
	.reap = hw_reap,
	.for_each_run = hw_for_each_run,
	COMMON_OPS,
};

const struct iofd_hw_ops testhw_plain = {
	.name = "plain",
	.open = plain_open,
	COMMON_OPS,
};

/* The wrapper of the device files */

static int df_open(struct iofd_devfile *df)
{
	struct testhw_dev *hw = container_of(df, struct testhw_dev, df);

	lockdep_assert_held(&df->lock);
	lockdep_assert_not_held(&iofd_topology_lock);
	/* Bound, and blocked; nobody else sees it open yet. */
	assert_true(hw->opened);
	assert_idle(hw);
	assert_false(hw->df_open || iofd_devfile_bound(df));
	if (hw->df_error)
		return hw->df_error;
	hw->df_open = true;
	hw->df_opens++;
	return 0;
}

static void df_close(struct iofd_devfile *df)
{
	struct testhw_dev *hw = container_of(df, struct testhw_dev, df);

	lockdep_assert_held(&df->lock);
	lockdep_assert_not_held(&iofd_topology_lock);
	/* Before the device is unbound, so that it can be quiesced. */
	assert_true(hw->opened && hw->df_open);
	hw->df_open = false;
	hw->df_closes++;
}

static const struct iofd_devfile_ops df_ops = {
	.open = df_open,
	.close = df_close,
};

struct testhw_dev *testhw_dev(void)
{
	static const char *const names[MAX_DEVS] = {
		"dev0", "dev1", "dev2", "dev3", "dev4", "dev5", "dev6", "dev7",
	};
	struct testhw_dev *hw = &devs[nr_devs];

	BUG_ON(nr_devs == MAX_DEVS);
	*hw = (struct testhw_dev) {
		.unit = &testhw_full,
		.width_bits = 48,
		.max_leaf_level = 3,
		.can_snoop = true,
		.noncoherent = true,
		.dev.init_name = names[nr_devs],
		.own_group.id = 100 + nr_devs,
	};
	hw->group = &hw->own_group;
	hw->views[0].hw = hw;
	hw->views[0].pasid = IOFD_NO_PASID;
	iofd_devfile_init(&hw->df, &hw->dev, &df_ops);
	hw->file_open = true;
	nr_devs++;
	return hw;
}

struct testhw_dev *testhw_subdev(struct testhw_dev *parent, u32 pasid,
				 const char *name)
{
	struct testhw_dev *hw = testhw_dev();

	iofd_devfile_release(&hw->df);
	hw->unit = parent->unit;
	hw->pasid_width_bits = parent->pasid_width_bits;
	hw->nests = parent->nests;
	hw->parent = parent;
	hw->group = parent->group;
	hw->subdev_pasid = pasid;
	iofd_devfile_init_subdev(&hw->df, &parent->dev, pasid, name, &df_ops);
	return hw;
}

void testhw_forget_dev(void)
{
	struct testhw_dev *hw = &devs[--nr_devs];

	assert_false(hw->file_open || hw->opened);
	assert_idle(hw);
}

/* Events, in the place of core/netlink.c */

void iofd_netlink_event(const struct iofd_event *ev)
{
	struct testhw_event *e = &testhw_events[testhw_nr_events];

	might_sleep();
	/* Tests that make many do not look at them. */
	if (testhw_nr_events == TESTHW_MAX_EVENTS)
		return;
	*e = (struct testhw_event) {
		.kind = ev->kind,
		.bound = ev->bound,
		.dev = ev->dev,
		.subdev = ev->subdev,
		.ctx_id = ev->ctx_id,
		.label = ev->label,
		.ioasid = ev->ioasid,
		.fault_address = ev->fault ? ev->fault->address : 0,
		.fault_has_pasid = ev->fault && ev->fault->has_pasid,
	};
	testhw_nr_events++;
}

void assert_event(enum iofd_event_kind kind, struct testhw_dev *hw, int fd,
		  u64 label, u32 ioasid)
{
	struct testhw_event e = testhw_events[0];

	assert_int_not_equal(testhw_nr_events, 0);
	testhw_nr_events--;
	memmove(testhw_events, testhw_events + 1,
		testhw_nr_events * sizeof(testhw_events[0]));
	assert_int_equal(e.kind, kind);
	assert_ptr_equal(e.dev, hw->df.dev);
	assert_ptr_equal(e.subdev, hw->df.name);
	assert_int_equal(e.bound, fd >= 0);
	if (fd >= 0) {
		assert_int_equal(e.ctx_id, t_ctx(fd)->id);
		assert_int_equal(e.label, label);
	}
	assert_int_equal(e.ioasid, ioasid);
}

void assert_no_event(void)
{
	assert_int_equal(testhw_nr_events, 0);
}

/* Beginning and end */

int testhw_setup(void **state)
{
	shim_setup(state);
	memset(devs, 0, sizeof(devs));
	nr_devs = 0;
	testhw_module = (struct module) {};
	testhw_fail_map = 0;
	testhw_map_partly = 0;
	testhw_attach_error = 0;
	testhw_pt_error = 0;
	testhw_open_error = 0;
	testhw_lose_flush = false;
	testhw_lose_revoke = false;
	testhw_lose_sync = false;
	testhw_violations = 0;
	testhw_maps = 0;
	testhw_flushes = 0;
	testhw_syncs = 0;
	testhw_pts = 0;
	testhw_invalidations = 0;
	testhw_dirty_reads = 0;
	testhw_nr_events = 0;
	shim_unpin_hook = page_unpinned;
	if (iofd_map_init() || iofd_compose_init() || iofd_hw_register(&testhw_plain) ||
	    iofd_hw_register(&testhw_full) || iofd_abi_init())
		return -1;
	return 0;
}

static int left(const char *what, const char *of, long n)
{
	if (n)
		print_error("left at the end of the test: %ld %s %s\n", n, what, of);
	return n ? -1 : 0;
}

int testhw_teardown(void **state)
{
	struct testhw_dev *hw;
	int rc = 0;

	for_each_dev(hw)
		if (hw->file_open)
			t_release(hw);
	iofd_abi_exit();
	iofd_hw_unregister(&testhw_full);
	iofd_hw_unregister(&testhw_plain);
	iofd_compose_exit();
	iofd_map_exit();
	rc |= left("violations", "of isolation", testhw_violations);
	rc |= left("tables", "", testhw_pts);
	rc |= left("references", "on the provider", testhw_module.refs);
	for_each_dev(hw) {
		rc |= left("references on the group of", dev_name(&hw->dev),
			   hw->group->refs);
		rc |= left("claim of the group of", dev_name(&hw->dev),
			   !!hw->group->owner);
		rc |= left("provider's handle of", dev_name(&hw->dev),
			   hw->opened);
	}
	return shim_teardown(state) | rc;
}

/* Programs */

int t_open(void)
{
	return shim_open(shim_misc->fops);
}

struct iofd_ctx *t_ctx(int fd)
{
	struct iofd_ctx *ctx = iofd_ctx_from_file(shim_file(fd));

	assert_non_null(ctx);
	return ctx;
}

struct iofd_space *t_space(int fd, u32 ioasid)
{
	struct iofd_space *space = iofd_space_get(t_ctx(fd), ioasid);

	assert_non_null(space);
	iofd_space_put(space);
	return space;
}

int t_alloc_as(int fd, u32 width_bits, u32 coherency)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.addr_width_bits = width_bits,
		.coherency = coherency,
	};
	int rc = shim_ioctl(fd, IOMMU_IOASID_ALLOC, &cmd);

	return rc ?: (int)cmd.ioasid;
}

int t_alloc(int fd)
{
	return t_alloc_as(fd, 0, IOMMU_COHERENCY_AUTO);
}

int t_alloc_child(int fd, u32 parent)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.parent = parent,
	};
	int rc = shim_ioctl(fd, IOMMU_IOASID_ALLOC, &cmd);

	return rc ?: (int)cmd.ioasid;
}

/* A first-level table of 4 levels */
int t_alloc_user(int fd, u32 parent, u64 table_addr, u32 nesting)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_USER_MANAGED,
		.format = IOMMU_FORMAT_VTD_S1,
		.addr_width_bits = 48,
		.parent = parent,
		.nesting = nesting,
		.table_addr = table_addr,
	};
	int rc = shim_ioctl(fd, IOMMU_IOASID_ALLOC, &cmd);

	return rc ?: (int)cmd.ioasid;
}

static int invalidate(int fd, u32 ioasid, struct iommu_invalidate_entry *entry)
{
	struct iommu_invalidate_cache cmd = {
		.size = sizeof(cmd),
		.ioasid = ioasid,
		.entries = (u64)(unsigned long)entry,
		.entry_len_bytes = sizeof(*entry),
		.nr_entries = 1,
	};
	int rc = shim_ioctl(fd, IOMMU_INVALIDATE_CACHE, &cmd);

	assert_int_equal(cmd.nr_entries, !rc);
	return rc;
}

int t_invalidate(int fd, u32 ioasid, u64 addr, unsigned long nr_pages)
{
	struct iommu_invalidate_entry entry = {
		.granularity = IOMMU_INVALIDATE_RANGE,
		.addr = addr,
		.length = (u64)nr_pages << PAGE_SHIFT,
	};

	return invalidate(fd, ioasid, &entry);
}

int t_invalidate_all(int fd, u32 ioasid)
{
	struct iommu_invalidate_entry entry = {
		.granularity = IOMMU_INVALIDATE_ALL,
	};

	return invalidate(fd, ioasid, &entry);
}

int t_free(int fd, u32 ioasid)
{
	struct iommu_ioasid_free cmd = {
		.size = sizeof(cmd),
		.ioasid = ioasid,
	};

	return shim_ioctl(fd, IOMMU_IOASID_FREE, &cmd);
}

int t_map_prot(int fd, u32 ioasid, unsigned long addr, unsigned long nr_pages,
	       u64 iova, u32 prot)
{
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_MAP_FIXED_IOVA | prot,
		.ioasid = ioasid,
		.source = addr,
		.length = (u64)nr_pages << PAGE_SHIFT,
		.iova = iova,
	};

	return shim_ioctl(fd, IOMMU_MAP_DMA, &cmd);
}

int t_map(int fd, u32 ioasid, unsigned long addr, unsigned long nr_pages,
	  u64 iova)
{
	return t_map_prot(fd, ioasid, addr, nr_pages, iova,
			  IOMMU_MAP_READ | IOMMU_MAP_WRITE);
}

int t_map_any(int fd, u32 ioasid, unsigned long addr, unsigned long nr_pages,
	      u64 *iova)
{
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_MAP_READ | IOMMU_MAP_WRITE,
		.ioasid = ioasid,
		.source = addr,
		.length = (u64)nr_pages << PAGE_SHIFT,
	};
	int rc = shim_ioctl(fd, IOMMU_MAP_DMA, &cmd);

	*iova = cmd.iova;
	return rc;
}

/* Pages that were unmapped */
long t_unmap_count(int fd, u32 ioasid, u64 iova, unsigned long nr_pages)
{
	struct iommu_unmap_dma cmd = {
		.size = sizeof(cmd),
		.ioasid = ioasid,
		.iova = iova,
		.length = (u64)nr_pages << PAGE_SHIFT,
	};
	int rc = shim_ioctl(fd, IOMMU_UNMAP_DMA, &cmd);

	return rc ?: (long)(cmd.length >> PAGE_SHIFT);
}

int t_unmap(int fd, u32 ioasid, u64 iova, unsigned long nr_pages)
{
	long rc = t_unmap_count(fd, ioasid, iova, nr_pages);

	if (rc > 0)
		assert_int_equal(rc, nr_pages);
	return rc > 0 ? 0 : rc;
}

int t_unmap_all(int fd, u32 ioasid)
{
	struct iommu_unmap_dma cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_UNMAP_ALL,
		.ioasid = ioasid,
	};

	return shim_ioctl(fd, IOMMU_UNMAP_DMA, &cmd);
}

int t_bind(struct testhw_dev *hw, int fd, u64 label)
{
	struct iommu_device_bind cmd = {
		.size = sizeof(cmd),
		.iommu_fd = fd,
		.label = label,
	};

	hw->df.dev->iommu_group = hw->group;
	return iofd_devfile_ioctl(&hw->df, IOMMU_DEVICE_BIND_IOMMU_FD,
				  (unsigned long)&cmd);
}

static int attachment(struct testhw_dev *hw, unsigned int cmd, int fd,
		      u32 ioasid, u32 pasid)
{
	struct iommu_device_attach arg = {
		.size = sizeof(arg),
		.iommu_fd = fd,
		.ioasid = ioasid,
	};

	if (pasid != IOFD_NO_PASID) {
		arg.flags = IOMMU_DEVICE_ATTACH_VPASID;
		arg.vpasid = pasid;
	}
	return iofd_devfile_ioctl(&hw->df, cmd, (unsigned long)&arg);
}

int t_attach(struct testhw_dev *hw, int fd, u32 ioasid)
{
	return t_attach_pasid(hw, fd, ioasid, IOFD_NO_PASID);
}

int t_detach(struct testhw_dev *hw, int fd, u32 ioasid)
{
	return t_detach_pasid(hw, fd, ioasid, IOFD_NO_PASID);
}

int t_attach_pasid(struct testhw_dev *hw, int fd, u32 ioasid, u32 pasid)
{
	return attachment(hw, IOMMU_DEVICE_ATTACH_IOASID, fd, ioasid, pasid);
}

int t_detach_pasid(struct testhw_dev *hw, int fd, u32 ioasid, u32 pasid)
{
	return attachment(hw, IOMMU_DEVICE_DETACH_IOASID, fd, ioasid, pasid);
}

void t_release(struct testhw_dev *hw)
{
	assert_true(hw->file_open);
	hw->file_open = false;
	iofd_devfile_release(&hw->df);
}

/* The state */

static void print_space(FILE *f, struct iofd_space *space)
{
	struct iofd_attach *attach;
	struct iofd_table *table;
	struct rb_node *node;

	fprintf(f, "  space %u refs %u width %u coherency %u dead %d last %#llx\n",
		space->obj.id, refcount_read(&space->obj.refs),
		space->addr_width_bits, space->coherency, space->dead,
		(unsigned long long)space->addr_last);
	fprintf(f, "    %lu mappings %lu pages %lu links composed %d\n",
		space->nr_mappings, space->nr_pages, space->nr_links,
		space->composed);
	for (node = rb_first(&space->mappings); node; node = rb_next(node)) {
		struct iofd_mapping *m;

		m = rb_entry(node, struct iofd_mapping, node);
		fprintf(f, "    [%#llx, %#llx] pid %d\n",
			(unsigned long long)m->first,
			(unsigned long long)m->last,
			iofd_mapping_account(m) ?
			iofd_mapping_account(m)->pid : 0);
	}
	list_for_each_entry(table, &space->tables, list)
		fprintf(f, "    table %p %s%s\n", table,
			table->pt->ops->name,
			table == space->primary ? ", primary" : "");
	list_for_each_entry(attach, &space->attaches, space_entry)
		fprintf(f, "    attach %p label %#llx table %p of %u\n", attach,
			(unsigned long long)attach->binding->label,
			attach->table, space->nr_attaches);
}

static void print_ctx(FILE *f, struct iofd_ctx *ctx)
{
	struct iofd_account *account;
	struct iofd_device *idev;
	struct iofd_object *obj;
	struct rb_node *node;
	unsigned long index;
	void *entry;

	fprintf(f, "ctx %u refs %u closed %d\n", ctx->id,
		refcount_read(&ctx->refs), ctx->closed);
	list_for_each_entry(account, &ctx->accounts, list)
		fprintf(f, "  account pid %d users %lu pages %lld\n",
			account->pid, account->nr_users,
			(long long)atomic64_read(&account->pages));
	list_for_each_entry(idev, &ctx->bindings, ctx_entry)
		fprintf(f, "  binding %u %p\n", idev->obj.id, idev);
	xa_for_each(&ctx->labels, index, entry)
		fprintf(f, "  label %#lx %p\n", index, entry);
	for (node = rb_first(&ctx->objects.tree), index = 0; node;
	     node = rb_next(node))
		index++;
	fprintf(f, "  %lu ids, with reserved ones\n", index);
	xa_for_each(&ctx->objects, index, obj) {
		fprintf(f, "  object %lu type %d refs %u\n", index, obj->type,
			refcount_read(&obj->refs));
		if (obj->type == IOFD_OBJ_SPACE)
			print_space(f, container_of(obj, struct iofd_space, obj));
	}
}

static void print_dev(FILE *f, const struct testhw_dev *hw)
{
	const struct iofd_device *idev;
	const struct testhw_view *v;

	fprintf(f, "device %s opened %d pt %p df %d/%d group refs %ld owner %p refs %ld\n",
		dev_name(&hw->dev), hw->opened, hw->views[0].pt, hw->df_open,
		hw->df.bound, hw->group->refs, hw->group->owner, hw->dev.refs);
	for (v = hw->views + 1; v < hw->views + TESTHW_MAX_VIEWS; v++)
		if (v->pt)
			fprintf(f, "  PASID %u pt %p\n", v->pasid, v->pt);
	if (hw->file_open)
		list_for_each_entry(idev, &hw->df.bindings, df_entry)
			fprintf(f, "  binding %p label %#llx\n", idev,
				(unsigned long long)idev->label);
}

char *t_state(void)
{
	struct user_struct *user = current_user();
	struct testhw_dev *hw;
	struct iofd_ctx *ctx;
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	list_for_each_entry(ctx, &iofd_contexts, all)
		print_ctx(f, ctx);
	for_each_dev(hw)
		print_dev(f, hw);
	fprintf(f, "modules %ld %ld tables %lu pins %lu allocations %lu\n",
		shim_module.refs, testhw_module.refs, testhw_pts, shim_pins,
		shim_live_allocs);
	fprintf(f, "process mm %d %d pinned %lld locked %ld user %u events %u\n",
		atomic_read(&current->mm->mm_count),
		atomic_read(&current->mm->mm_users),
		(long long)atomic64_read(&current->mm->pinned_vm),
		atomic_long_read(&user->locked_vm),
		refcount_read(&user->__count), testhw_nr_events);
	fclose(f);
	return text;
}

void t_assert_state(char *before, const char *file, int line)
{
	char *now = t_state();

	if (strcmp(before, now)) {
		print_error("before:\n%snow:\n%s", before, now);
		_fail(file, line);
	}
	free(now);
	free(before);
}
