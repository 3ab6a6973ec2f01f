// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Users' tables nested over the VT-d driver's, on units of lib/vtd. A guest
 * builds first-level tables in its own memory, which the parent maps.
 */
#include "vtdhw.h"
#include <asm/processor.h>

#define NO		IOFD_NO_PASID
#define ANY		IOFD_ANY_PASID
#define GVA		0x7123456000ull

/* First-level entries */
#define FL_P		0x1ull
#define FL_W		0x2ull
#define FL_U		0x4ull
#define FL_A		0x20ull
#define FL_D		0x40ull
#define FL_PS		0x80ull

/* Fault reasons */
#define NO_CONTEXT	0x41
#define NO_ENTRY	0x59
#define FS_ABSENT	0x71
#define FS_RESERVED	0x72
#define FS_BEYOND_SS	0x74
#define FS_AD_DENIED	0x77
#define SS_ABSENT	0x79
#define NOT_CANONICAL	0x80
#define NOT_USER	0x81
#define NOT_WRITE	0x85

static const struct iofd_hw_ops *ops = &vtd_provider_ops;
static struct vtdhw_unit *hw;
static struct vtdhw_dev *dev;

/* The guest: memory from GPA 0 on, one host page for each of its pages */
#define GUEST_PAGES	256
static struct iofd_hw_pt *parent;
static struct page *guest[GUEST_PAGES];
static unsigned int guest_used;
static u64 guest_bits;		/* in every entry that the guest writes */

static u64 hpa(u64 gpa)
{
	assert_true(gpa >> PAGE_SHIFT < GUEST_PAGES);
	return page_to_phys(guest[gpa >> PAGE_SHIFT]) + (gpa & ~PAGE_MASK);
}

static void parent_map(u64 gpa, u64 phys, u64 bytes)
{
	assert_int_equal(ops->map(parent, gpa, phys, bytes, VTDHW_RW), 0);
	ops->map_sync(parent, gpa, gpa + bytes - 1);
}

static void parent_unmap(u64 gpa, u64 bytes)
{
	ops->revoke(parent, gpa, gpa + bytes - 1);
	ops->flush(parent, gpa, gpa + bytes - 1);
	ops->reap(parent, gpa, gpa + bytes - 1, NULL, NULL);
}

static struct iofd_hw_pt *new_parent(u32 width, u32 coherency)
{
	struct iofd_pt_attrs attrs = {
		.addr_width_bits = width,
		.coherency = coherency,
		.nest_parent = true,
	};

	return ops->pt_alloc(dev->hd, &attrs);
}

static void start(u64 cap, u64 ecap, bool ats)
{
	unsigned int i;

	vtdhw_begin();
	hw = vtdhw_unit(cap, ecap);
	dev = vtdhw_dev(hw, 0x18, 20, ats);
	vtdhw_open(dev);
	parent = new_parent(48, IOMMU_COHERENCY_AUTO);
	assert_false(IS_ERR(parent));
	assert_true(parent->nest_parent);
	guest_used = 0;
	/* Hardware that does not snoop cannot set accessed bits. */
	guest_bits = ecap & ECAP_SMPWCS ? 0 : FL_A | FL_D;
	for (i = 0; i < GUEST_PAGES; i++) {
		guest[i] = alloc_page(GFP_KERNEL);
		assert_non_null(guest[i]);
		parent_map((u64)i << PAGE_SHIFT, page_to_phys(guest[i]), SZ_4K);
	}
	vtdhw_log(hw);
}

static void stop(void)
{
	unsigned int i;

	if (dev->hd)
		vtdhw_close(dev);
	ops->pt_free(parent);
	for (i = 0; i < GUEST_PAGES; i++)
		__free_page(guest[i]);
	vtdhw_end();
}

/* What the guest's processor does, and writes back */

static u64 *guest_word(u64 gpa)
{
	return phys_to_virt(hpa(gpa));
}

static void guest_write(u64 gpa, u64 value)
{
	*guest_word(gpa) = value;
	clflush_cache_range(guest_word(gpa), 8);
}

static u64 guest_page(void)
{
	u64 gpa = (u64)guest_used++ << PAGE_SHIFT;
	void *page = guest_word(gpa);

	memset(page, 0, PAGE_SIZE);
	clflush_cache_range(page, PAGE_SIZE);
	return gpa;
}

/* The entry of @level for @va, with the tables above it */
static u64 guest_entry(u64 root, unsigned int levels, u64 va, unsigned int level)
{
	u64 table = root, at;
	unsigned int l;

	for (l = levels;; l--) {
		at = table + (va >> (3 + 9 * l) & 511) * 8;
		if (l == level)
			return at;
		if (!*guest_word(at))
			guest_write(at, guest_page() | FL_P | FL_W | FL_U |
					guest_bits);
		table = *guest_word(at) & GENMASK_ULL(51, 12);
	}
}

static void guest_map(u64 root, unsigned int levels, u64 va, u64 gpa,
		      unsigned int level)
{
	guest_write(guest_entry(root, levels, va, level),
		    gpa | FL_P | FL_W | FL_U | guest_bits |
		    (level > 1 ? FL_PS : 0));
}

static struct iofd_hw_pt *try_nest(u64 root, u32 width, u64 flags, u32 coherency)
{
	struct iofd_nest_attrs attrs = {
		.format = IOMMU_FORMAT_VTD_S1,
		.table_addr = root,
		.addr_width_bits = width,
		.coherency = coherency,
		.flags = flags,
	};

	return ops->pt_nest(dev->hd, parent, &attrs);
}

static struct iofd_hw_pt *nest(u64 root, unsigned int levels)
{
	struct iofd_hw_pt *pt = try_nest(root, levels == 5 ? 57 : 48, 0, 0);

	assert_false(IS_ERR(pt));
	assert_ptr_equal(pt->parent, parent);
	return pt;
}

static void attach(struct iofd_hw_pt *pt, u32 pasid)
{
	assert_int_equal(ops->attach(pt, dev->hd, pasid), 0);
}

static void invalidate(struct iofd_hw_pt *pt, u64 va)
{
	ops->invalidate(pt, NULL, ANY, va, va + SZ_4K - 1, true);
}

/* B4: every size of page at both levels, 4 and 5 levels, with PASID and without */
static void check_walks(u64 cap, u64 ecap, bool ats)
{
	static const u64 sizes[] = { SZ_4K, SZ_2M, SZ_1G };
	unsigned int levels, fs, ss, i;
	struct iofd_hw_pt *child;
	u64 root, gpa, phys;

	start(cap, ecap, ats);
	for (ss = 0; ss < 3; ss++) {
		/* GPAs from 64, 128 and 192 GiB on, in pages of each size */
		gpa = (64ull + 64 * ss) * SZ_1G;
		phys = (256ull + 64 * ss) * SZ_1G;
		if (ss == 2)
			parent_map(gpa, phys, 2ull * SZ_1G);
		else for (i = 0; i < 1024; i++)
			parent_map(gpa + i * sizes[ss] * 2,
				   phys + i * sizes[ss] * 2, sizes[ss]);
	}
	for (levels = 4; levels <= 5; levels++) {
		for (fs = 0; fs < 3; fs++) {
			for (ss = 0; ss < 3; ss++) {
				u64 va = levels == 5 ? 0x7f123440000000ull :
						       0x7f1140000000ull;
				/* 1 to 8 */
				u32 pasid = fs * 3 + ss ?: NO;

				root = guest_page();
				child = nest(root, levels);
				gpa = (64ull + 64 * ss) * SZ_1G;
				phys = (256ull + 64 * ss) * SZ_1G;
				guest_map(root, levels, va, gpa, fs + 1);
				guest_map(root, levels, va + SZ_1G, gpa, fs + 1);
				attach(child, pasid);
				vtdhw_lands(dev, pasid, va + 0xabc, phys + 0xabc);
				if (fs && ss)
					vtdhw_lands(dev, pasid, va + 0x1ff010,
						    phys + 0x1ff010);
				vtdhw_lands(dev, pasid, va + SZ_1G, phys);
				vtdhw_refused(dev, pasid, va + 2ull * SZ_1G,
					      FS_ABSENT);
				ops->block(dev->hd, pasid);
				ops->pt_free(child);
			}
		}
	}
	stop();
}

static void walks(void **state)
{
	check_walks(VTDHW_CAP, VTDHW_ECAP, false);
	check_walks(VTDHW_CAP, VTDHW_ECAP, true);
}

static void walks_noncoherent(void **state)
{
	check_walks(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS), false);
}

static void walks_caching_mode(void **state)
{
	check_walks(VTDHW_CAP | CAP_CM, VTDHW_ECAP, true);
}

/* What the entry says, word by word (requirements D.5) */
static void entry(void **state)
{
	struct iofd_hw_pt *child;
	u64 root;
	u64 *e;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	root = guest_page();
	child = try_nest(root, 57, IOMMU_VTD_S1_SRE | IOMMU_VTD_S1_WPE |
			 IOMMU_VTD_S1_EAFE, IOMMU_COHERENCY_AUTO);
	assert_false(IS_ERR(child));
	attach(child, 0x12345);
	e = vtd_pasid_entry(dev->vdev->rids[0], 0x12345);
	/* P, AW 2 (48 bits), PGTT 3, SSPTPTR */
	assert_true(e[0] == (virt_to_phys(to_vtd_table(parent)->sl.root) |
			     0x1 | 2 << 2 | 3 << 6));
	/* A domain of its own, PWSNP, PGSNP */
	assert_int_equal(e[1] & ~0xffffull, BIT(23) | BIT(24));
	assert_true((e[1] & 0xffff) >= 2);
	/* SRE, FSPM 1, WPE, EAFE, FSPTPTR */
	assert_true(e[2] == (root | 0x1 | 1 << 2 | 0x10 | 0x80));
	assert_int_equal(e[3] | e[4] | e[5] | e[6] | e[7], 0);
	vtdhw_close(dev);
	ops->pt_free(child);
	stop();
}

static void check_refused(u64 root, u32 width, u64 flags, u32 coherency, int rc)
{
	struct iofd_hw_pt *pt = try_nest(root, width, flags, coherency);

	assert_true(IS_ERR(pt));
	assert_int_equal(PTR_ERR(pt), rc);
}

static void attributes(void **state)
{
	const u64 sre = IOMMU_VTD_S1_SRE, wpe = IOMMU_VTD_S1_WPE;
	const u64 eafe = IOMMU_VTD_S1_EAFE;
	struct iofd_nest_attrs attrs = { .addr_width_bits = 48 };
	struct iofd_pt_attrs plain = { .addr_width_bits = 48 };
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	check_refused(0, 39, 0, 0, -EINVAL);
	check_refused(0, 0, 0, 0, -EINVAL);
	check_refused(0, 64, 0, 0, -EINVAL);
	check_refused(0x800, 48, 0, 0, -EINVAL);
	check_refused(1, 48, 0, 0, -EINVAL);
	check_refused(1ull << 48, 48, 0, 0, -EINVAL);
	check_refused(~0xfffull, 48, 0, 0, -EINVAL);
	check_refused(0, 48, wpe, 0, -EINVAL);
	check_refused(0, 48, wpe | eafe, 0, -EINVAL);
	check_refused(0, 48, 8, 0, -EOPNOTSUPP);
	check_refused(0, 48, 1ull << 63, 0, -EOPNOTSUPP);
	attrs.format = IOMMU_FORMAT_VTD_PASID_TABLE;
	assert_int_equal(PTR_ERR(ops->pt_nest(dev->hd, parent, &attrs)),
			 -EOPNOTSUPP);
	attrs.format = IOMMU_FORMAT_DEFAULT;
	assert_int_equal(PTR_ERR(ops->pt_nest(dev->hd, parent, &attrs)),
			 -EOPNOTSUPP);
	/* The last page of the parent */
	pt = try_nest((1ull << 48) - SZ_4K, 48, sre | wpe | eafe, 0);
	assert_false(IS_ERR(pt));
	ops->pt_free(pt);
	/* A table that is no parent, and another nested one */
	attrs.format = IOMMU_FORMAT_VTD_S1;
	pt = ops->pt_alloc(dev->hd, &plain);
	assert_int_equal(PTR_ERR(ops->pt_nest(dev->hd, pt, &attrs)), -EINVAL);
	ops->pt_free(pt);
	pt = nest(0, 4);
	assert_int_equal(PTR_ERR(ops->pt_nest(dev->hd, pt, &attrs)), -EINVAL);
	shim_fail_nth(1);
	assert_int_equal(PTR_ERR(try_nest(0, 48, 0, 0)), -ENOMEM);
	shim_fail_nth(0);
	ops->pt_free(pt);
	stop();

	start(VTDHW_CAP & ~CAP_FS5LP, VTDHW_ECAP & ~(ECAP_SRS | ECAP_EAFS | ECAP_SC),
	      false);
	check_refused(0, 57, 0, 0, -EOPNOTSUPP);
	check_refused(0, 48, sre, 0, -EOPNOTSUPP);
	check_refused(0, 48, sre | wpe, 0, -EOPNOTSUPP);
	check_refused(0, 48, eafe, 0, -EOPNOTSUPP);
	check_refused(0, 48, 0, IOMMU_COHERENCY_ENFORCE, -EINVAL);
	assert_int_equal(PTR_ERR(new_parent(48, IOMMU_COHERENCY_ENFORCE)), -EINVAL);
	stop();
}

/* Without what nesting needs there is no parent to nest over. */
static void no_nesting(void **state)
{
	static const u64 without[] = { ECAP_NEST, ECAP_FSTS, ECAP_SMTS, ECAP_SSTS };
	struct iofd_hw_caps caps;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(without); i++) {
		vtdhw_begin();
		hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP & ~without[i]);
		dev = vtdhw_dev(hw, 0x18, 20, false);
		vtdhw_open(dev);
		assert_int_equal(PTR_ERR(new_parent(48, 0)), -EOPNOTSUPP);
		ops->caps(dev->hd, &caps);
		assert_int_equal(caps.formats, 1 << IOMMU_FORMAT_DEFAULT);
		assert_false(caps.flags & IOMMU_DEVICE_INFO_HW_NESTING);
		vtdhw_end();
	}
	vtdhw_begin();
	vtd_want_scalable = false;
	hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	dev = vtdhw_dev(hw, 0x18, 20, false);
	vtdhw_open(dev);
	assert_int_equal(PTR_ERR(new_parent(48, 0)), -EOPNOTSUPP);
	vtdhw_end();
}

/* A8: a table fits a unit only if the unit has all that it asks for. */
static void fits(void **state)
{
	static const struct {
		u64 cap, ecap;		/* that the second unit lacks */
		bool plain, five, sre, snoop;
	} cases[] = {
		{ 0, 0, true, true, true, true },
		{ CAP_FS5LP, 0, true, false, true, true },
		{ 0, ECAP_SRS, true, true, false, true },
		{ 0, ECAP_SC, false, false, false, false },
		{ 0, ECAP_NEST, false, false, false, false },
		{ 0, ECAP_SMTS, false, false, false, false },
		/* The parent has leaves of 1 GiB. */
		{ CAP_SSLPS_1G, 0, false, false, false, false },
	};
	struct iofd_hw_pt *plain, *five, *sre, *snoop;
	struct vtdhw_unit *hw2;
	struct vtdhw_dev *dev2;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		start(VTDHW_CAP, VTDHW_ECAP, false);
		hw2 = vtdhw_unit(VTDHW_CAP & ~cases[i].cap,
				 VTDHW_ECAP & ~cases[i].ecap);
		dev2 = vtdhw_dev(hw2, 0x20, 20, false);
		vtdhw_open(dev2);
		plain = nest(0, 4);
		five = nest(0, 5);
		sre = try_nest(0, 48, IOMMU_VTD_S1_SRE, 0);
		snoop = try_nest(0, 48, 0, IOMMU_COHERENCY_ENFORCE);
		assert_true(ops->pt_fits(plain, dev->hd));
		assert_int_equal(ops->pt_fits(plain, dev2->hd), cases[i].plain);
		assert_int_equal(ops->pt_fits(five, dev2->hd), cases[i].five);
		assert_int_equal(ops->pt_fits(sre, dev2->hd), cases[i].sre);
		assert_int_equal(ops->pt_fits(snoop, dev2->hd), cases[i].snoop);
		assert_int_equal(ops->attach(plain, dev2->hd, 1),
				 cases[i].plain ? 0 : -EINVAL);
		/* A parent is a second-level table as any other. */
		assert_int_equal(ops->pt_fits(parent, dev2->hd),
				 cases[i].ecap != ECAP_SC && !(cases[i].cap & CAP_SSLPS_1G));
		vtdhw_close(dev2);
		ops->pt_free(plain);
		ops->pt_free(five);
		ops->pt_free(sre);
		ops->pt_free(snoop);
		stop();
	}
}

/* A20: PGSNP where it is enforced; the device asks for no snooping always */
static void coherency(void **state)
{
	static const struct {
		u32 parent, child;
		bool snoop;
	} cases[] = {
		{ IOMMU_COHERENCY_AUTO, IOMMU_COHERENCY_AUTO, true },
		{ IOMMU_COHERENCY_OFF, IOMMU_COHERENCY_AUTO, true },
		{ IOMMU_COHERENCY_OFF, IOMMU_COHERENCY_ENFORCE, true },
		{ IOMMU_COHERENCY_OFF, IOMMU_COHERENCY_OFF, false },
		{ IOMMU_COHERENCY_ENFORCE, IOMMU_COHERENCY_OFF, true },
	};
	struct iofd_hw_pt *child, *other;
	unsigned int i;
	u64 root, page;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		start(VTDHW_CAP, VTDHW_ECAP, false);
		other = parent;
		parent = new_parent(48, cases[i].parent);
		for (page = 0; page < 8 * SZ_4K; page += SZ_4K)
			parent_map(page, hpa(page), SZ_4K);
		page = guest_page();
		root = guest_page();
		guest_map(root, 4, GVA, page, 1);
		child = try_nest(root, 48, 0, cases[i].child);
		assert_false(IS_ERR(child));
		assert_int_equal(child->snoop_enforced, cases[i].snoop);
		attach(child, 1);
		vtdhw_lands(dev, 1, GVA, hpa(page));
		assert_int_equal(vtdhw_dma(dev, 1, GVA, IOFD_READ).snoop,
				 cases[i].snoop);
		vtdhw_close(dev);
		ops->pt_free(child);
		ops->pt_free(parent);
		parent = other;
		stop();
	}
}

/*
 * B7, B8, G1 to G3: the guest maps without a word, and an invalidation makes
 * hardware see what it has changed.
 */
static void check_invalidate(u64 cap, u64 ecap, bool ats, u32 pasid)
{
	struct iofd_hw_pt *child;
	u64 root, page, other, at;
	const char *t = !ats ? "" : pasid == NO ? "tw" : "Tw";
	char want[16];
	unsigned int i;

	start(cap, ecap, ats);
	root = guest_page();
	page = guest_page();
	other = guest_page();
	child = nest(root, 4);
	attach(child, pasid);
	vtdhw_log(hw);
	/* What was not there before needs no invalidation, also with CM. */
	for (i = 0; i < 200; i++) {
		vtdhw_refused(dev, pasid, GVA + i * SZ_4K, FS_ABSENT);
		guest_map(root, 4, GVA + i * SZ_4K, page, 1);
		vtdhw_lands(dev, pasid, GVA + i * SZ_4K, hpa(page));
	}
	assert_string_equal(vtdhw_log(hw), "");

	/* Changed without invalidation: the old translation, for this model. */
	at = guest_entry(root, 4, GVA, 1);
	guest_map(root, 4, GVA, other, 1);
	vtdhw_lands(dev, pasid, GVA, hpa(page));
	invalidate(child, GVA);
	snprintf(want, sizeof(want), "fw%s", t);
	assert_string_equal(vtdhw_log(hw), want);
	vtdhw_lands(dev, pasid, GVA, hpa(other));
	vtdhw_lands(dev, pasid, GVA + SZ_4K, hpa(page));
	guest_write(at, 0);
	invalidate(child, GVA);
	vtdhw_refused(dev, pasid, GVA, FS_ABSENT);

	/* A table page goes: not the leaves alone. */
	vtdhw_lands(dev, pasid, GVA + SZ_4K, hpa(page));
	guest_write(guest_entry(root, 4, GVA, 3), 0);
	ops->invalidate(child, NULL, ANY, GVA & ~(u64)(SZ_1G - 1),
			GVA | (SZ_1G - 1), false);
	vtdhw_refused(dev, pasid, GVA + SZ_4K, FS_ABSENT);
	vtdhw_log(hw);

	/* Too large for an address mask (MAMV 18): all of the PASID */
	guest_map(root, 4, GVA, page, 1);
	vtdhw_lands(dev, pasid, GVA, hpa(page));
	guest_write(guest_entry(root, 4, GVA, 4), 0);
	ops->invalidate(child, NULL, ANY, 0, U64_MAX, false);
	snprintf(want, sizeof(want), "Fw%s", t);
	assert_string_equal(vtdhw_log(hw), want);
	vtdhw_refused(dev, pasid, GVA, FS_ABSENT);
	vtdhw_close(dev);
	ops->pt_free(child);
	stop();
}

static void invalidation(void **state)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		check_invalidate(i & 4 ? VTDHW_CAP | CAP_CM : VTDHW_CAP,
				 VTDHW_ECAP, i & 1, i & 2 ? NO : 0x4321);
}

/* Upper half, and without page-selective invalidation */
static void invalidation_elsewhere(void **state)
{
	const u64 high = 0xffff923456789000ull;
	struct iofd_hw_pt *child;
	u64 root, page;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	root = guest_page();
	page = guest_page();
	child = nest(root, 4);
	attach(child, 3);
	guest_map(root, 4, high, page, 1);
	vtdhw_lands(dev, 3, high, hpa(page));
	vtdhw_refused(dev, 3, high & GENMASK_ULL(47, 0), NOT_CANONICAL);
	guest_write(guest_entry(root, 4, high, 1), 0);
	invalidate(child, high);
	vtdhw_refused(dev, 3, high, FS_ABSENT);
	vtdhw_close(dev);
	ops->pt_free(child);
	stop();

	start(VTDHW_CAP & ~(CAP_PSI | 0x3full << 48), VTDHW_ECAP, false);
	root = guest_page();
	page = guest_page();
	child = nest(root, 4);
	attach(child, 3);
	guest_map(root, 4, GVA, page, 1);
	vtdhw_lands(dev, 3, GVA, hpa(page));
	guest_write(guest_entry(root, 4, GVA, 1), 0);
	vtdhw_log(hw);
	invalidate(child, GVA);
	assert_string_equal(vtdhw_log(hw), "Fw");
	vtdhw_refused(dev, 3, GVA, FS_ABSENT);
	vtdhw_close(dev);
	ops->pt_free(child);
	stop();
}

/* One table for many: an invalidation reaches all, or those that it names. */
static void many_uses(void **state)
{
	static const u32 pasids[] = { NO, 1, 2, 777 };
	struct vtdhw_unit *hw2;
	struct vtdhw_dev *d[3];
	struct iofd_hw_pt *child;
	unsigned int i, j, k;
	u64 root, page, other;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	hw2 = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	d[0] = dev;
	d[1] = vtdhw_dev(hw, 0x20, 20, true);
	d[2] = vtdhw_dev(hw2, 0x28, 20, true);
	vtdhw_open(d[1]);
	vtdhw_open(d[2]);
	root = guest_page();
	page = guest_page();
	other = guest_page();
	child = nest(root, 4);
	guest_map(root, 4, GVA, page, 1);
	for (i = 0; i < 3; i++)
		for (j = 0; j < 4; j++)
			assert_int_equal(ops->attach(child, d[i]->hd, pasids[j]), 0);

	/* For each device and PASID alone; what is alike may be flushed too. */
	for (k = 0; k < 12; k++) {
		guest_map(root, 4, GVA, page, 1);
		invalidate(child, GVA);
		for (i = 0; i < 3; i++)
			for (j = 0; j < 4; j++)
				vtdhw_lands(d[i], pasids[j], GVA, hpa(page));
		guest_map(root, 4, GVA, other, 1);
		for (i = 0; i < 3; i++)
			d[i]->nr_invalidations = 0;
		ops->invalidate(child, d[k / 4]->hd, pasids[k % 4], GVA,
				GVA + SZ_4K - 1, true);
		vtdhw_lands(d[k / 4], pasids[k % 4], GVA, hpa(other));
		for (i = 0; i < 3; i++)
			assert_int_equal(d[i]->nr_invalidations, i == k / 4);
		/* Another PASID of the device is another cache. */
		vtdhw_lands(d[k / 4], pasids[(k + 1) % 4], GVA, hpa(page));
	}
	/* A PASID of all devices */
	guest_map(root, 4, GVA, page, 1);
	invalidate(child, GVA);
	for (i = 0; i < 3; i++)
		vtdhw_lands(d[i], 2, GVA, hpa(page));
	guest_map(root, 4, GVA, other, 1);
	ops->invalidate(child, NULL, 2, GVA, GVA + SZ_4K - 1, true);
	for (i = 0; i < 3; i++)
		vtdhw_lands(d[i], 2, GVA, hpa(other));
	/* All PASIDs of a device, and one that nothing is attached with */
	guest_map(root, 4, GVA, page, 1);
	ops->invalidate(child, d[1]->hd, ANY, GVA, GVA + SZ_4K - 1, true);
	for (j = 0; j < 4; j++)
		vtdhw_lands(d[1], pasids[j], GVA, hpa(page));
	ops->invalidate(child, NULL, 12345, GVA, GVA + SZ_4K - 1, true);
	for (i = 0; i < 3; i++)
		vtdhw_close(d[i]);
	invalidate(child, GVA);
	ops->pt_free(child);
	stop();
}

/* B13: the parent takes a page away, the guest's or its table's own. */
static void check_parent_unmap(u64 cap, u64 ecap, bool ats)
{
	struct iofd_hw_pt *a, *b;
	u64 ra, rb, page, data;
	unsigned int i;

	start(cap, ecap, ats);
	ra = guest_page();
	rb = guest_page();
	page = guest_page();
	a = nest(ra, 4);
	b = nest(rb, 4);
	guest_map(ra, 4, GVA, page, 1);
	guest_map(rb, 4, GVA, page, 1);
	attach(parent, NO);
	attach(a, 1);
	attach(a, 2);
	attach(b, 3);
	for (i = 0; i < 20; i++) {
		vtdhw_lands(dev, NO, page, hpa(page));
		vtdhw_lands(dev, 1, GVA, hpa(page));
		vtdhw_lands(dev, 2, GVA, hpa(page));
		vtdhw_lands(dev, 3, GVA, hpa(page));
		parent_unmap(page, SZ_4K);
		assert_false(vtdhw_dma(dev, NO, page, IOFD_READ).ok);
		assert_false(vtdhw_dma(dev, 1, GVA, IOFD_READ).ok);
		assert_false(vtdhw_dma(dev, 2, GVA, IOFD_READ).ok);
		vtdhw_refused(dev, 3, GVA, SS_ABSENT);
		parent_map(page, hpa(page), SZ_4K);
	}
	vtdhw_lands(dev, 1, GVA, hpa(page));
	/* The page of a's table that its leaf is in */
	data = guest_entry(ra, 4, GVA, 1) & ~0xfffull;
	parent_unmap(data, SZ_4K);
	vtdhw_refused(dev, 1, GVA, SS_ABSENT);
	vtdhw_lands(dev, 3, GVA, hpa(page));
	parent_map(data, hpa(data), SZ_4K);
	vtdhw_lands(dev, 1, GVA, hpa(page));
	/* After a child has gone the parent flushes the other only. */
	ops->block(dev->hd, 1);
	ops->block(dev->hd, 2);
	ops->pt_free(a);
	vtdhw_log(hw);
	parent_unmap(page, SZ_4K);
	assert_string_equal(vtdhw_log_brief(hw), ats ? "itdT" : "id");
	vtdhw_refused(dev, 3, GVA, SS_ABSENT);
	ops->block(dev->hd, 3);
	vtdhw_log(hw);
	parent_unmap(ra, SZ_4K);
	assert_string_equal(vtdhw_log_brief(hw), ats ? "it" : "i");
	vtdhw_close(dev);
	ops->pt_free(b);
	stop();
}

static void parent_unmaps(void **state)
{
	check_parent_unmap(VTDHW_CAP, VTDHW_ECAP, false);
	check_parent_unmap(VTDHW_CAP, VTDHW_ECAP, true);
	check_parent_unmap(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS), true);
}

/*
 * Only the child is attached. With caching mode a page that the parent adds has
 * to be announced for the child's domain.
 */
static void parent_maps(void **state)
{
	struct iofd_hw_pt *child;
	unsigned int cm;
	u64 root;

	for (cm = 0; cm < 2; cm++) {
		start(VTDHW_CAP | (cm ? CAP_CM : 0), VTDHW_ECAP, false);
		root = guest_page();
		child = nest(root, 4);
		guest_map(root, 4, GVA, SZ_1G, 1);
		attach(child, 1);
		vtdhw_refused(dev, 1, GVA, SS_ABSENT);
		vtdhw_log(hw);
		parent_map(SZ_1G, 0x3000000000, SZ_4K);
		assert_string_equal(vtdhw_log_brief(hw), cm ? "d" : "");
		vtdhw_lands(dev, 1, GVA, 0x3000000000);
		/* A large leaf in the place of an empty table page */
		parent_unmap(SZ_1G, SZ_4K);
		vtdhw_refused(dev, 1, GVA, SS_ABSENT);
		parent_map(SZ_1G, 0x3040000000, SZ_2M);
		vtdhw_lands(dev, 1, GVA, 0x3040000000);
		vtdhw_close(dev);
		ops->pt_free(child);
		stop();
	}
}

/* What is wrong in a guest's table is the guest's fault, and reported so. */
static void faults(void **state)
{
	struct iofd_hw_pt *child;
	struct vtdhw_dma dma;
	u64 root, page, at;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	root = guest_page();
	page = guest_page();
	child = nest(root, 4);
	attach(child, 1);
	guest_map(root, 4, GVA, page, 1);
	at = guest_entry(root, 4, GVA, 1);
	vtdhw_refused(dev, 1, GVA + SZ_4K, FS_ABSENT);
	vtdhw_refused(dev, 1, GVA | BIT_ULL(47), NOT_CANONICAL);
	guest_write(at, page | FL_P | FL_U);
	dma = vtdhw_dma(dev, 1, GVA, IOFD_WRITE);
	assert_false(dma.ok);
	assert_int_equal(dma.fault, NOT_WRITE);
	vtdhw_lands(dev, 1, GVA, hpa(page));
	guest_write(at, page | FL_P | FL_W);
	invalidate(child, GVA);
	vtdhw_refused(dev, 1, GVA, NOT_USER);
	guest_write(at, 1ull << 45 | page | FL_P | FL_W | FL_U);
	vtdhw_refused(dev, 1, GVA, SS_ABSENT);
	guest_write(at, 1ull << 50 | page | FL_P | FL_W | FL_U);
	vtdhw_refused(dev, 1, GVA, FS_RESERVED);
	/* Hardware sets accessed and dirty; the parent has to let it. */
	guest_map(root, 4, GVA, page, 1);
	vtdhw_lands(dev, 1, GVA, hpa(page));
	assert_true(*guest_word(at) & FL_A);
	assert_false(*guest_word(at) & FL_D);
	assert_true(vtdhw_dma(dev, 1, GVA, IOFD_WRITE).ok);
	assert_true(*guest_word(at) & FL_D);
	parent_unmap(at & ~0xfffull, SZ_4K);
	assert_int_equal(ops->map(parent, at & ~0xfffull, hpa(at & ~0xfffull),
				  SZ_4K, IOFD_READ), 0);
	ops->map_sync(parent, at & ~0xfffull, at | 0xfff);
	guest_write(at, page | FL_P | FL_W | FL_U);
	vtdhw_refused(dev, 1, GVA, FS_AD_DENIED);
	vtdhw_close(dev);
	ops->pt_free(child);
	stop();
}

/* Erratum 772415: nothing read-only in a parent */
static void erratum(void **state)
{
	static const struct {
		struct cpuinfo_x86 cpu;
		int parameter;
		bool has;
	} cases[] = {
		{ { 6, X86_VENDOR_INTEL, 0x8f }, -1, true },
		{ { 6, X86_VENDOR_INTEL, 0xcf }, -1, true },
		{ { 6, X86_VENDOR_INTEL, 0x6a }, -1, false },
		{ { 15, X86_VENDOR_INTEL, 0x8f }, -1, false },
		{ { 6, 2, 0x8f }, -1, false },
		{ { 6, X86_VENDOR_INTEL, 0x8f }, 0, false },
		{ { 6, X86_VENDOR_INTEL, 0x6a }, 1, true },
	};
	struct iofd_pt_attrs plain = { .addr_width_bits = 48 };
	struct iofd_hw_pt *pt;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		vtdhw_begin();
		boot_cpu_data = cases[i].cpu;
		vtd_want_erratum_772415 = cases[i].parameter;
		hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
		dev = vtdhw_dev(hw, 0x18, 20, false);
		vtdhw_open(dev);
		assert_int_equal(hw->unit->erratum_772415, cases[i].has);
		parent = new_parent(48, 0);
		assert_int_equal(ops->map(parent, 0, 0x3000000000, SZ_4K, IOFD_READ),
				 cases[i].has ? -EINVAL : 0);
		assert_int_equal(ops->map(parent, SZ_4K, 0x3000000000, SZ_4K,
					  VTDHW_RW), 0);
		ops->pt_free(parent);
		/* Others are as they were. */
		pt = ops->pt_alloc(dev->hd, &plain);
		assert_int_equal(ops->map(pt, 0, 0x3000000000, SZ_4K, IOFD_READ), 0);
		ops->pt_free(pt);
		vtdhw_end();
	}
	/* A unit that does not nest does not have it. */
	vtdhw_begin();
	vtd_want_erratum_772415 = 1;
	hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP & ~ECAP_NEST);
	assert_false(hw->unit->erratum_772415);
	vtdhw_end();
}

/* B6: a PASID is freed, the device is detached, the device file is closed. */
static void ends(void **state)
{
	struct iofd_hw_pt *child;
	unsigned int way, ats;
	u64 root, page;
	u64 *e;

	for (way = 0; way < 6; way++) {
		ats = way & 1;
		start(VTDHW_CAP, VTDHW_ECAP, ats);
		root = guest_page();
		page = guest_page();
		child = nest(root, 4);
		guest_map(root, 4, GVA, page, 1);
		attach(child, NO);
		attach(child, 9);
		vtdhw_lands(dev, 9, GVA, hpa(page));
		vtdhw_lands(dev, NO, GVA, hpa(page));
		e = vtd_pasid_entry(dev->vdev->rids[0], 9);
		vtdhw_log(hw);
		if (way < 2) {
			ops->block(dev->hd, 9);
			assert_string_equal(vtdhw_log(hw), ats ? "pdFwTw" : "pdFw");
			assert_int_equal(e[0] & 1, 0);
			vtdhw_refused(dev, 9, GVA, NO_ENTRY);
			vtdhw_lands(dev, NO, GVA, hpa(page));
			vtdhw_close(dev);
		} else if (way < 4) {
			ops->block(dev->hd, NO);
			assert_string_equal(vtdhw_log(hw), ats ? "pdFwtw" : "pdFw");
			vtdhw_refused(dev, NO, GVA, NO_ENTRY);
			vtdhw_lands(dev, 9, GVA, hpa(page));
			vtdhw_close(dev);
		} else {
			vtdhw_close(dev);
			vtdhw_refused(dev, 9, GVA, NO_CONTEXT);
			vtdhw_refused(dev, NO, GVA, NO_CONTEXT);
		}
		ops->pt_free(child);
		stop();
	}
}

/* C8, E: from the parent to the child and back, as a guest switches */
static void parent_and_child(void **state)
{
	struct iofd_hw_pt *child;
	unsigned int i;
	u64 root, page;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	root = guest_page();
	page = guest_page();
	child = nest(root, 4);
	guest_map(root, 4, GVA, page, 1);
	for (i = 0; i < 100; i++) {
		attach(parent, NO);
		vtdhw_lands(dev, NO, page, hpa(page));
		vtdhw_refused(dev, NO, GVA, SS_ABSENT);
		attach(child, NO);
		vtdhw_lands(dev, NO, GVA, hpa(page));
		vtdhw_refused(dev, NO, page, FS_ABSENT);
	}
	vtdhw_close(dev);
	ops->pt_free(child);
	stop();
}

/* A device under two requester IDs, one of which another has, too */
static void aliases(void **state)
{
	struct vtdhw_dev *two, *other;
	struct iofd_hw_caps caps;
	struct iofd_hw_pt *child;
	u64 root, page;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	two = vtdhw_alias_dev(hw, 0x30, 0x38);
	other = vtdhw_dev(hw, 0x38, 20, false);
	vtdhw_open(two);
	vtdhw_open(other);
	ops->caps(two->hd, &caps);
	assert_int_equal(caps.pasid_width_bits, 0);
	ops->caps(other->hd, &caps);
	assert_int_equal(caps.pasid_width_bits, 0);
	root = guest_page();
	page = guest_page();
	child = nest(root, 4);
	guest_map(root, 4, GVA, page, 1);
	assert_int_equal(ops->attach(child, two->hd, 1), -EINVAL);
	assert_int_equal(ops->attach(child, two->hd, NO), 0);
	vtdhw_lands(two, NO, GVA, hpa(page));
	two->send_as = 0x38;
	vtdhw_lands(two, NO, GVA, hpa(page));
	assert_int_equal(ops->attach(parent, other->hd, NO), -EBUSY);
	assert_int_equal(ops->attach(child, other->hd, NO), 0);
	ops->block(two->hd, NO);
	vtdhw_lands(other, NO, GVA, hpa(page));
	two->send_as = 0x30;
	vtdhw_refused(two, NO, GVA, NO_CONTEXT);
	/* What is invalidated for one requester ID is for both. */
	assert_int_equal(ops->attach(child, two->hd, NO), 0);
	vtdhw_lands(two, NO, GVA, hpa(page));
	guest_write(guest_entry(root, 4, GVA, 1), 0);
	invalidate(child, GVA);
	vtdhw_refused(two, NO, GVA, FS_ABSENT);
	vtdhw_refused(other, NO, GVA, FS_ABSENT);
	vtdhw_close(two);
	vtdhw_close(other);
	vtdhw_refused(other, NO, GVA, NO_CONTEXT);
	ops->pt_free(child);
	stop();
}

static void many_cycles(void **state)
{
	struct iofd_hw_pt *child;
	unsigned int i;
	u64 root, page;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	root = guest_page();
	page = guest_page();
	guest_map(root, 4, GVA, page, 1);
	attach(parent, NO);
	for (i = 0; i < 1000; i++) {
		child = nest(root, 4);
		attach(child, 50 + i % 3);
		vtdhw_lands(dev, 50 + i % 3, GVA, hpa(page));
		ops->block(dev->hd, 50 + i % 3);
		vtdhw_refused(dev, 50 + i % 3, GVA, NO_ENTRY);
		ops->pt_free(child);
	}
	vtdhw_close(dev);
	stop();
}

/* Thousands of address spaces of a guest's processes, each with its own table */
static void many_live(void **state)
{
	enum { N = 4096 };
	static struct iofd_hw_pt *child[N];
	u64 root[4], page[4];
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	for (i = 0; i < 4; i++) {
		root[i] = guest_page();
		page[i] = guest_page();
		guest_map(root[i], 4, GVA, page[i], 1);
	}
	for (i = 0; i < N; i++) {
		child[i] = nest(root[i % 4], 4);
		attach(child[i], i + 1);
	}
	for (i = 0; i < N; i++)
		vtdhw_lands(dev, i + 1, GVA, hpa(page[i % 4]));
	parent_unmap(page[2], SZ_4K);
	for (i = 0; i < N; i++)
		if (i % 4 == 2)
			vtdhw_refused(dev, i + 1, GVA, SS_ABSENT);
		else
			vtdhw_lands(dev, i + 1, GVA, hpa(page[i % 4]));
	for (i = 0; i < N; i += 7)
		ops->block(dev->hd, i + 1);
	for (i = 0; i < N; i++)
		if (i % 7 == 0)
			vtdhw_refused(dev, i + 1, GVA, NO_ENTRY);
		else if (i % 4 != 2)
			vtdhw_lands(dev, i + 1, GVA, hpa(page[i % 4]));
	vtdhw_close(dev);
	for (i = 0; i < N; i++)
		ops->pt_free(child[i]);
	stop();
}

/* One table for thousands of PASIDs: an invalidation names them all. */
static void many_pasids(void **state)
{
	enum { N = 4096 };
	struct iofd_hw_pt *child;
	u64 root, page;
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	root = guest_page();
	page = guest_page();
	guest_map(root, 4, GVA, page, 1);
	child = nest(root, 4);
	for (i = 1; i <= N; i++)
		attach(child, i);
	for (i = 1; i <= N; i++)
		vtdhw_lands(dev, i, GVA, hpa(page));
	guest_write(guest_entry(root, 4, GVA, 1), 0);
	invalidate(child, GVA);
	for (i = 1; i <= N; i++)
		vtdhw_refused(dev, i, GVA, FS_ABSENT);
	vtdhw_close(dev);
	ops->pt_free(child);
	stop();
}

static void out_of_memory(void **state)
{
	struct iofd_hw_pt *child;
	unsigned int n, way;
	u64 root, page;
	int rc;

	for (way = 0; way < 2; way++) {
		u32 pasid = way ? 4000 : NO;

		start(VTDHW_CAP, VTDHW_ECAP, true);
		root = guest_page();
		page = guest_page();
		guest_map(root, 4, GVA, page, 1);
		child = nest(root, 4);
		attach(parent, NO);
		for (n = 1;; n++) {
			shim_fail_nth(n);
			rc = ops->attach(child, dev->hd, pasid);
			if (!shim_fail_fired())
				break;
			assert_int_equal(rc, -ENOMEM);
			vtdhw_lands(dev, NO, page, hpa(page));
			if (way)
				vtdhw_refused(dev, pasid, GVA, n > 3 ? NO_ENTRY : 0x51);
		}
		shim_fail_nth(0);
		assert_int_equal(rc, 0);
		vtdhw_lands(dev, pasid, GVA, hpa(page));
		vtdhw_close(dev);
		ops->pt_free(child);
		stop();
	}
}

/*
 * A guest and its VMM change tables at random, and say so; what devices reach is
 * always what a walk of both tables gives.
 */
static void check_random(u64 cap, u64 ecap, bool ats)
{
	enum { VAS = 24, PAGES = 12, CHILDREN = 3, USES = 8 };
	struct iofd_hw_pt *child[CHILDREN];
	int leads[CHILDREN][VAS];	/* to a page, or -1 */
	int use[USES];			/* of a child, or -1; PASID is the index */
	bool mapped[PAGES];
	u64 root[CHILDREN], page[PAGES], va[VAS];
	unsigned int i, j, step;

	start(cap, ecap, ats);
	for (i = 0; i < PAGES; i++) {
		page[i] = guest_page();
		mapped[i] = true;
	}
	for (i = 0; i < VAS; i++)
		va[i] = GVA + (i % 8) * SZ_4K + (i / 8) * (u64)SZ_2M;
	for (i = 0; i < CHILDREN; i++) {
		root[i] = guest_page();
		child[i] = nest(root[i], 4);
		for (j = 0; j < VAS; j++)
			leads[i][j] = -1;
	}
	for (i = 0; i < USES; i++)
		use[i] = -1;
	for (step = 0; step < 4000; step++) {
		u32 pasid;
		int c, p, v;

		i = shim_random_below(USES);
		c = shim_random_below(CHILDREN);
		p = shim_random_below(PAGES);
		v = shim_random_below(VAS);
		pasid = i ? i : NO;
		switch (shim_random_below(8)) {
		case 0:
			attach(child[c], pasid);
			use[i] = c;
			break;
		case 1:
			if (shim_random_below(4))
				break;
			ops->block(dev->hd, pasid);
			use[i] = -1;
			break;
		case 2:
			if (mapped[p])
				parent_unmap(page[p], SZ_4K);
			else
				parent_map(page[p], hpa(page[p]), SZ_4K);
			mapped[p] = !mapped[p];
			break;
		case 3:
		case 4:
			if (leads[c][v] < 0) {
				guest_map(root[c], 4, va[v], page[p], 1);
				leads[c][v] = p;
				break;
			}
			guest_write(guest_entry(root[c], 4, va[v], 1), 0);
			invalidate(child[c], va[v]);
			leads[c][v] = -1;
			break;
		case 5:
			if (shim_random_below(8))
				break;
			/* A page of leaves goes, and with it eight of them. */
			guest_write(guest_entry(root[c], 4, va[v], 2), 0);
			ops->invalidate(child[c], NULL, ANY,
					va[v] & ~(u64)(SZ_2M - 1),
					va[v] | (SZ_2M - 1), false);
			for (j = 0; j < VAS; j++)
				if ((va[j] ^ va[v]) < SZ_2M)
					leads[c][j] = -1;
			if (guest_used > GUEST_PAGES - 4)
				step = 4000;
			break;
		default:
			break;
		}
		for (i = 0; i < 6; i++) {
			unsigned int at = shim_random_below(USES);
			struct vtdhw_dma dma;
			int want = -1;

			v = shim_random_below(VAS);
			if (use[at] >= 0)
				want = leads[use[at]][v];
			if (want >= 0 && !mapped[want])
				want = -1;
			dma = vtdhw_dma(dev, at ? at : NO, va[v], IOFD_READ);
			assert_int_equal(dma.ok, want >= 0);
			if (dma.ok)
				assert_int_equal(dma.phys, hpa(page[want]));
		}
	}
	vtdhw_close(dev);
	for (i = 0; i < CHILDREN; i++)
		ops->pt_free(child[i]);
	stop();
}

static void random_changes(void **state)
{
	check_random(VTDHW_CAP, VTDHW_ECAP, false);
	check_random(VTDHW_CAP, VTDHW_ECAP, true);
	check_random(VTDHW_CAP | CAP_CM, VTDHW_ECAP, true);
	check_random(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS), true);
}

/* A23, type 3: a sub-device knows no PASID, and its own is what is invalidated. */
static void subdevice(void **state)
{
	static const u32 names[] = { NO, ANY };
	struct iofd_hw_pt *child;
	u64 page = 20ull * SZ_4K;
	unsigned int i;
	u64 root;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	vtdhw_close(dev);
	vtdhw_give_to_kernel(dev);
	dev->hd = ops->open_subdev(&dev->pdev.dev, 77);
	assert_false(IS_ERR(dev->hd));
	root = guest_page();
	child = nest(root, 4);
	guest_map(root, 4, GVA, page, 1);
	attach(child, NO);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		guest_map(root, 4, GVA, page, 1);
		vtdhw_lands(dev, 77, GVA, hpa(page));
		guest_write(guest_entry(root, 4, GVA, 1), 0);
		vtdhw_log(hw);
		ops->invalidate(child, dev->hd, names[i], GVA,
				GVA + SZ_4K - 1, true);
		assert_string_equal(vtdhw_log_brief(hw), "f");
		vtdhw_refused(dev, 77, GVA, FS_ABSENT);
	}
	vtdhw_lands(dev, NO, 0x5000, 0x5000);
	vtdhw_close(dev);
	vtdhw_lands(dev, NO, 0x5000, 0x5000);
	ops->pt_free(child);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(walks),
		shim_test(walks_noncoherent),
		shim_test(walks_caching_mode),
		shim_test(entry),
		shim_test(attributes),
		shim_test(no_nesting),
		shim_test(fits),
		shim_test(coherency),
		shim_test(invalidation),
		shim_test(invalidation_elsewhere),
		shim_test(many_uses),
		shim_test(parent_unmaps),
		shim_test(parent_maps),
		shim_test(faults),
		shim_test(erratum),
		shim_test(ends),
		shim_test(parent_and_child),
		shim_test(aliases),
		shim_test(subdevice),
		shim_test(many_cycles),
		shim_test(many_live),
		shim_test(many_pasids),
		shim_test(out_of_memory),
		shim_test(random_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
