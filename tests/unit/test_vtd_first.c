// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * First-level tables of the VT-d driver (fs_native), on units of lib/vtd.
 */
#include "vtdhw.h"

#define PHYS		0x3000000000ull	/* no memory; nothing reads there */
#define NO		IOFD_NO_PASID

/* Fault reasons */
#define NO_ENTRY	0x59
#define FS_ABSENT	0x71
#define NOT_CANONICAL	0x80
#define NOT_WRITE	0x85

static const struct iofd_hw_ops *ops = &vtd_provider_ops;
static struct vtdhw_unit *hw;
static struct vtdhw_dev *dev;

static void start(u64 cap, u64 ecap, bool ats)
{
	vtdhw_begin();
	vtd_want_first_level = true;
	hw = vtdhw_unit(cap, ecap);
	dev = vtdhw_dev(hw, 0x18, 20, ats);
	vtdhw_open(dev);
}

static struct iofd_hw_pt *new_pt(u32 width)
{
	struct iofd_pt_attrs attrs = { .addr_width_bits = width };
	struct iofd_hw_pt *pt = ops->pt_alloc(dev->hd, &attrs);

	assert_false(IS_ERR(pt));
	return pt;
}

static void map(struct iofd_hw_pt *pt, u64 iova, u64 phys, u64 bytes)
{
	assert_int_equal(ops->map(pt, iova, phys, bytes, VTDHW_RW), 0);
	ops->map_sync(pt, iova, iova + bytes - 1);
}

static void unmap(struct iofd_hw_pt *pt, u64 iova, u64 bytes)
{
	ops->revoke(pt, iova, iova + bytes - 1);
	ops->flush(pt, iova, iova + bytes - 1);
	ops->reap(pt, iova, iova + bytes - 1, NULL, NULL);
}

static void attach(struct iofd_hw_pt *pt, u32 pasid)
{
	assert_int_equal(ops->attach(pt, dev->hd, pasid), 0);
}

/* G6: which tables are first-level ones */
static void choice(void **state)
{
	static const struct {
		u64 cap, ecap;		/* that the unit lacks */
		u32 width;
		bool nest_parent, first;
		unsigned int levels;
		u64 addr_last;
	} cases[] = {
		{ 0, 0, 0, false, true, 5, (1ull << 56) - 1 },
		{ 0, 0, 47, false, true, 4, (1ull << 47) - 1 },
		{ 0, 0, 39, false, true, 4, (1ull << 39) - 1 },
		{ 0, 0, 48, false, true, 5, (1ull << 48) - 1 },
		{ 0, 0, 57, false, false, 5, (1ull << 57) - 1 },
		{ CAP_FS5LP, 0, 0, false, true, 4, (1ull << 47) - 1 },
		{ CAP_FS5LP, 0, 48, false, false, 4, (1ull << 48) - 1 },
		{ 0, 0, 47, true, false, 4, (1ull << 47) - 1 },
		{ 0, ECAP_FSTS, 47, false, false, 4, (1ull << 47) - 1 },
		{ 0, ECAP_SMTS, 47, false, false, 4, (1ull << 47) - 1 },
	};
	struct iofd_pt_attrs attrs = {};
	struct vtd_table *table;
	struct iofd_hw_pt *pt;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		start(VTDHW_CAP & ~cases[i].cap, VTDHW_ECAP & ~cases[i].ecap,
		      false);
		attrs.addr_width_bits = cases[i].width;
		attrs.nest_parent = cases[i].nest_parent;
		pt = ops->pt_alloc(dev->hd, &attrs);
		assert_false(IS_ERR(pt));
		table = to_vtd_table(pt);
		assert_int_equal(table->walk, cases[i].first ? VTD_WALK_FIRST :
							       VTD_WALK_SECOND);
		assert_int_equal(table->sl.levels, cases[i].levels);
		assert_true(pt->addr_last == cases[i].addr_last);
		map(pt, 0x10000, PHYS, SZ_4K);
		attach(pt, NO);
		vtdhw_lands(dev, NO, 0x10000, PHYS);
		assert_int_equal(vtdhw_dma(dev, NO, 0x10000, IOFD_READ).mode,
				 cases[i].first ? VTDU_MODE_FS :
				 cases[i].ecap == ECAP_SMTS ? VTDU_MODE_LEGACY :
							      VTDU_MODE_SS);
		vtdhw_close(dev);
		ops->pt_free(pt);
		vtdhw_end();
	}
	/* Without the parameter none is. */
	start(VTDHW_CAP, VTDHW_ECAP, false);
	vtd_want_first_level = false;
	pt = new_pt(47);
	assert_int_equal(to_vtd_table(pt)->walk, VTD_WALK_SECOND);
	ops->pt_free(pt);
	vtdhw_end();
}

/* A unit that has no second level in scalable mode */
static void first_level_only(void **state)
{
	struct iofd_pt_attrs attrs = { .nest_parent = true };
	struct iofd_hw_caps caps;
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP & ~(CAP_FS1GP | CAP_FS5LP), VTDHW_ECAP & ~ECAP_SSTS,
	      true);
	assert_true(hw->unit->scalable);
	ops->caps(dev->hd, &caps);
	assert_int_equal(caps.addr_width_bits, 47);
	assert_int_equal(caps.pgsize_bitmap, SZ_4K | SZ_2M);
	assert_int_equal(caps.pasid_width_bits, 20);
	assert_int_equal(caps.formats, 1 << IOMMU_FORMAT_DEFAULT);
	assert_int_equal(PTR_ERR(ops->pt_alloc(dev->hd, &attrs)), -EOPNOTSUPP);
	attrs = (struct iofd_pt_attrs) { .addr_width_bits = 48 };
	assert_int_equal(PTR_ERR(ops->pt_alloc(dev->hd, &attrs)), -EINVAL);
	pt = new_pt(0);
	assert_true(ops->pt_fits(pt, dev->hd));
	attach(pt, NO);
	attach(pt, 5);
	map(pt, 0x10000, PHYS, SZ_4K);
	vtdhw_lands(dev, NO, 0x10000, PHYS);
	vtdhw_lands(dev, 5, 0x10000, PHYS);
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();

	/* Not unless it is asked for, or without pass-through */
	vtdhw_begin();
	assert_false(vtdhw_unit(VTDHW_CAP, VTDHW_ECAP & ~ECAP_SSTS)->unit->scalable);
	vtdhw_end();
	vtdhw_begin();
	vtd_want_first_level = true;
	assert_false(vtdhw_unit(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_SSTS | ECAP_PT))
		     ->unit->scalable);
	vtdhw_end();
}

/* Every size of page, with PASID and without, to the last address */
static void check_pages(u64 cap, u64 ecap, bool ats, u32 width)
{
	static const u64 sizes[] = { SZ_4K, SZ_2M, SZ_1G };
	struct iofd_hw_pt *pt;
	unsigned int i, j, prot;

	start(cap, ecap, ats);
	pt = new_pt(width);
	attach(pt, NO);
	attach(pt, 1);
	attach(pt, 70000);
	for (i = 0; i < 3; i++) {
		const u32 pasids[] = { NO, 1, 70000 };
		u64 at[] = { 16ull * SZ_1G, pt->addr_last + 1 - sizes[i] };

		for (j = 0; j < 6; j++) {
			u64 iova = at[j / 3];
			u32 pasid = pasids[j % 3];

			vtdhw_refused(dev, pasid, iova, FS_ABSENT);
			map(pt, iova, PHYS, sizes[i]);
			vtdhw_lands(dev, pasid, iova + 0x10, PHYS + 0x10);
			vtdhw_lands(dev, pasid, iova + sizes[i] - 8,
				    PHYS + sizes[i] - 8);
			unmap(pt, iova, sizes[i]);
			vtdhw_refused(dev, pasid, iova, FS_ABSENT);
		}
	}
	for (prot = 0; prot < 2; prot++) {
		assert_int_equal(ops->map(pt, 0x10000, PHYS, SZ_4K,
					  prot ? VTDHW_RW : IOFD_READ), 0);
		ops->map_sync(pt, 0x10000, 0x10fff);
		vtdhw_lands(dev, 1, 0x10000, PHYS);
		assert_int_equal(vtdhw_dma(dev, 1, 0x10000, IOFD_WRITE).ok, prot);
		if (!prot && !ats)
			assert_int_equal(vtdhw_dma(dev, 1, 0x10000,
						   IOFD_WRITE).fault, NOT_WRITE);
		unmap(pt, 0x10000, SZ_4K);
	}
	/* There is nothing that is write-only. */
	assert_int_equal(ops->map(pt, 0x10000, PHYS, SZ_4K, IOFD_WRITE), -EINVAL);
	vtdhw_refused(dev, 1, 0x10000, FS_ABSENT);
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

static void pages(void **state)
{
	check_pages(VTDHW_CAP, VTDHW_ECAP, false, 47);
	check_pages(VTDHW_CAP, VTDHW_ECAP, true, 56);
	check_pages(VTDHW_CAP & ~CAP_FS1GP, VTDHW_ECAP, false, 47);
	check_pages(VTDHW_CAP | CAP_CM, VTDHW_ECAP, true, 47);
	check_pages(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS), true, 47);
	check_pages(VTDHW_CAP & ~(CAP_PSI | 0x3full << 48), VTDHW_ECAP, true, 47);
}

/* G7: the upper half is none of ours. */
static void canonical(void **state)
{
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	pt = new_pt(47);
	assert_true(pt->addr_last == (1ull << 47) - 1);
	attach(pt, NO);
	vtdhw_refused(dev, NO, 1ull << 47, NOT_CANONICAL);
	vtdhw_refused(dev, NO, 0xffff800000000000, FS_ABSENT);
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

/* What is sent to the hardware: nothing on map, PASID by PASID on unmap */
static void order(void **state)
{
	struct iofd_hw_pt *pt;
	unsigned int cm;

	for (cm = 0; cm < 2; cm++) {
		start(VTDHW_CAP | (cm ? CAP_CM : 0), VTDHW_ECAP, true);
		pt = new_pt(47);
		attach(pt, NO);
		attach(pt, 1);
		attach(pt, 9);
		vtdhw_log(hw);
		map(pt, 0x10000, PHYS, SZ_4K);
		assert_string_equal(vtdhw_log(hw), "");
		unmap(pt, 0x10000, SZ_4K);
		assert_string_equal(vtdhw_log(hw), "fffwtTTw");
		map(pt, 0, PHYS, SZ_4K);
		vtdhw_lands(dev, NO, 0, PHYS);
		vtdhw_lands(dev, 9, 0, PHYS);
		ops->revoke(pt, 0, pt->addr_last);
		ops->flush(pt, 0, pt->addr_last);
		ops->reap(pt, 0, pt->addr_last, NULL, NULL);
		assert_string_equal(vtdhw_log(hw), "FFFwtTTw");
		vtdhw_refused(dev, NO, 0, FS_ABSENT);
		vtdhw_refused(dev, 9, 0, FS_ABSENT);
		ops->block(dev->hd, 9);
		assert_string_equal(vtdhw_log(hw), "pFwTw");
		ops->block(dev->hd, 1);
		vtdhw_log(hw);
		ops->block(dev->hd, NO);
		assert_string_equal(vtdhw_log(hw), "cpFwtw");
		ops->pt_free(pt);
		vtdhw_end();
	}
}

static void blocked(void **state)
{
	struct iofd_hw_pt *a, *b;
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	a = new_pt(47);
	b = new_pt(47);
	map(a, 0x10000, PHYS, SZ_4K);
	map(b, 0x10000, PHYS + SZ_4K, SZ_4K);
	attach(a, NO);
	for (i = 0; i < 100; i++) {
		attach(a, 1);
		vtdhw_lands(dev, 1, 0x10000, PHYS);
		attach(b, 1);
		vtdhw_lands(dev, 1, 0x10000, PHYS + SZ_4K);
		ops->block(dev->hd, 1);
		vtdhw_refused(dev, 1, 0x10000, NO_ENTRY);
	}
	vtdhw_close(dev);
	ops->pt_free(a);
	ops->pt_free(b);
	vtdhw_end();
}

/* A20: by the PASID entry, because no entry of the table can */
static void coherency(void **state)
{
	struct iofd_pt_attrs attrs = { .addr_width_bits = 47 };
	struct iofd_hw_pt *pt;
	unsigned int sc, c;

	for (sc = 0; sc < 2; sc++) {
		for (c = 0; c < 3; c++) {
			bool want = sc && c != IOMMU_COHERENCY_OFF;

			start(VTDHW_CAP, VTDHW_ECAP & ~(sc ? 0 : ECAP_SC), false);
			attrs.coherency = c;
			pt = ops->pt_alloc(dev->hd, &attrs);
			if (!sc && c == IOMMU_COHERENCY_ENFORCE) {
				assert_int_equal(PTR_ERR(pt), -EINVAL);
				vtdhw_end();
				continue;
			}
			assert_false(IS_ERR(pt));
			assert_int_equal(pt->snoop_enforced, want);
			map(pt, 0, PHYS, SZ_4K);
			attach(pt, 1);
			assert_int_equal(vtdhw_dma(dev, 1, 0, IOFD_READ).snoop,
					 want);
			vtdhw_close(dev);
			ops->pt_free(pt);
			vtdhw_end();
		}
	}
}

/* Large leaves in the place of tables, and tables that are given back */
static void tables_go(void **state)
{
	enum { N = 300 };
	struct iofd_hw_pt *pt;
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	pt = new_pt(47);
	attach(pt, 1);
	for (i = 0; i < N; i++) {
		map(pt, (u64)i * SZ_2M, PHYS, SZ_4K);
		vtdhw_lands(dev, 1, (u64)i * SZ_2M, PHYS);
	}
	for (i = 0; i < N; i++)
		unmap(pt, (u64)i * SZ_2M, SZ_4K);
	for (i = 0; i < N; i++) {
		u64 bytes = i & 1 ? SZ_2M : SZ_4K;

		map(pt, (u64)i * SZ_2M, PHYS + SZ_2M, bytes);
		vtdhw_lands(dev, 1, (u64)i * SZ_2M, PHYS + SZ_2M);
	}
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

static void fits(void **state)
{
	static const struct {
		u64 cap, ecap;
		bool fits4, fits5;
	} cases[] = {
		{ 0, 0, true, true },
		{ CAP_FS5LP, 0, true, false },
		{ CAP_FS1GP, 0, false, false },
		{ 0, ECAP_FSTS, false, false },
		{ 0, ECAP_SMTS, false, false },
		{ 0, ECAP_SC, false, false },
		{ 0, ECAP_SMPWCS, false, false },
	};
	struct iofd_hw_pt *four, *five;
	struct vtdhw_unit *hw2;
	struct vtdhw_dev *dev2;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		start(VTDHW_CAP, VTDHW_ECAP, false);
		hw2 = vtdhw_unit(VTDHW_CAP & ~cases[i].cap,
				 VTDHW_ECAP & ~cases[i].ecap);
		dev2 = vtdhw_dev(hw2, 0x20, 0, false);
		vtdhw_open(dev2);
		four = new_pt(47);
		five = new_pt(56);
		assert_int_equal(ops->pt_fits(four, dev2->hd), cases[i].fits4);
		assert_int_equal(ops->pt_fits(five, dev2->hd), cases[i].fits5);
		ops->pt_free(four);
		ops->pt_free(five);
		vtdhw_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(choice),
		shim_test(first_level_only),
		shim_test(pages),
		shim_test(canonical),
		shim_test(order),
		shim_test(blocked),
		shim_test(coherency),
		shim_test(tables_go),
		shim_test(fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
