// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sub-devices in the VT-d driver, on units of lib/vtd (requirement A23, type 3):
 * PASIDs come to a function that its kernel driver works with, and go, and at no
 * moment is a request of the kernel's refused.
 */
#include "vtdhw.h"

#define PHYS		0x3000000000ull	/* no memory; nothing reads there */
#define IOVA		0x10000ull
#define NO		IOFD_NO_PASID

/* Fault reasons */
#define NO_PASIDE	0x45
#define NO_DIR		0x51
#define NO_ENTRY	0x59

static const struct iofd_hw_ops *ops = &vtd_provider_ops;
static struct vtdhw_unit *hw;
static struct vtdhw_dev *dev;

/* The kernel's DMA is tried whenever the driver waits for the unit. */
static void (*relax)(void);
static unsigned int nr_tried;

static void kernel_works(void)
{
	vtdhw_lands(dev, NO, 0xabc000, 0xabc000);
}

static void try_and_relax(void)
{
	kernel_works();
	nr_tried++;
	relax();
	kernel_works();
}

static void start(u64 cap, u64 ecap, bool ats)
{
	vtdhw_begin();
	hw = vtdhw_unit(cap, ecap);
	dev = vtdhw_dev(hw, 0x18, 20, ats);
	vtdhw_give_to_kernel(dev);
	vtdhw_settle();
	kernel_works();
	nr_tried = 0;
	relax = shim_relax_hook;
	shim_relax_hook = try_and_relax;
	vtdhw_log(hw);
}

static void stop(void)
{
	kernel_works();
	shim_relax_hook = relax;
	vtdhw_end();
}

static struct iofd_hw_dev *try_open(u32 pasid)
{
	return ops->open_subdev(&dev->pdev.dev, pasid);
}

static struct iofd_hw_dev *sub_open(u32 pasid)
{
	struct iofd_hw_dev *hd = try_open(pasid);

	assert_false(IS_ERR(hd));
	assert_ptr_equal(hd->ops, ops);
	assert_ptr_equal(hd->dev, &dev->pdev.dev);
	return hd;
}

static struct iofd_hw_pt *mapped_pt(struct iofd_hw_dev *hd, u64 phys)
{
	struct iofd_pt_attrs attrs = { .addr_width_bits = 48 };
	struct iofd_hw_pt *pt = ops->pt_alloc(hd, &attrs);

	assert_false(IS_ERR(pt));
	assert_int_equal(ops->map(pt, IOVA, phys, SZ_4K, VTDHW_RW), 0);
	ops->map_sync(pt, IOVA, IOVA + SZ_4K - 1);
	return pt;
}

static void unmap(struct iofd_hw_pt *pt)
{
	ops->revoke(pt, IOVA, IOVA + SZ_4K - 1);
	ops->flush(pt, IOVA, IOVA + SZ_4K - 1);
	ops->reap(pt, IOVA, IOVA + SZ_4K - 1, NULL, NULL);
}

static void attach(struct iofd_hw_dev *hd, struct iofd_hw_pt *pt)
{
	assert_int_equal(ops->attach(pt, hd, NO), 0);
}

static void check_apart(u64 cap, u64 ecap, bool ats)
{
	struct iofd_hw_pt *pt_a, *pt_b;
	struct iofd_hw_dev *a, *b;

	start(cap, ecap, ats);
	vtdhw_refused(dev, 5, IOVA, NO_PASIDE);
	a = sub_open(5);
	assert_true(dev->pdev.pasid_enabled);
	vtdhw_refused(dev, 5, IOVA, NO_ENTRY);
	kernel_works();
	b = sub_open(700);
	pt_a = mapped_pt(a, PHYS);
	pt_b = mapped_pt(b, PHYS + SZ_4K);
	vtdhw_refused(dev, 5, IOVA, NO_ENTRY);
	vtdhw_refused(dev, 700, IOVA, NO_DIR);
	attach(a, pt_a);
	vtdhw_lands(dev, 5, IOVA, PHYS);
	vtdhw_refused(dev, 700, IOVA, NO_DIR);
	attach(b, pt_b);
	vtdhw_lands(dev, 5, IOVA, PHYS);
	vtdhw_lands(dev, 700, IOVA, PHYS + SZ_4K);
	/* Neither is in the way of what has none. */
	vtdhw_refused(dev, 6, IOVA, NO_ENTRY);
	kernel_works();

	/* One is replaced, one unmapped. */
	attach(b, pt_a);
	vtdhw_lands(dev, 700, IOVA, PHYS);
	attach(b, pt_b);
	vtdhw_lands(dev, 700, IOVA, PHYS + SZ_4K);
	/* One whose entry is in the same page as the kernel's */
	attach(a, pt_b);
	vtdhw_lands(dev, 5, IOVA, PHYS + SZ_4K);
	attach(a, pt_a);
	vtdhw_lands(dev, 5, IOVA, PHYS);
	unmap(pt_b);
	assert_false(vtdhw_dma(dev, 700, IOVA, IOFD_READ).ok);
	vtdhw_lands(dev, 5, IOVA, PHYS);

	/* Blocked, whatever PASID the core believes to name */
	ops->block(a, NO);
	vtdhw_refused(dev, 5, IOVA, NO_ENTRY);
	ops->block(a, NO);
	attach(a, pt_a);
	vtdhw_lands(dev, 5, IOVA, PHYS);
	/* Closing blocks, and leaves the other alone. */
	ops->close(a);
	vtdhw_refused(dev, 5, IOVA, NO_ENTRY);
	attach(b, pt_a);
	vtdhw_lands(dev, 700, IOVA, PHYS);
	assert_true(dev->pdev.pasid_enabled);
	a = sub_open(6);
	attach(a, pt_a);
	vtdhw_lands(dev, 6, IOVA, PHYS);
	ops->close(b);
	vtdhw_lands(dev, 6, IOVA, PHYS);
	/* The last one takes the PASIDs with it. */
	ops->close(a);
	assert_false(dev->pdev.pasid_enabled);
	vtdhw_refused(dev, 6, IOVA, NO_PASIDE);
	vtdhw_refused(dev, 700, IOVA, NO_PASIDE);
	assert_true(nr_tried > 10);
	ops->pt_free(pt_a);
	ops->pt_free(pt_b);
	stop();
}

static void apart(void **state)
{
	check_apart(VTDHW_CAP, VTDHW_ECAP, false);
	check_apart(VTDHW_CAP, VTDHW_ECAP, true);
}

static void apart_caching_mode(void **state)
{
	check_apart(VTDHW_CAP | CAP_CM, VTDHW_ECAP, false);
}

static void apart_noncoherent(void **state)
{
	check_apart(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS), false);
	check_apart(VTDHW_CAP | CAP_RWBF, VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS),
		    true);
}

/*
 * What is sent to the hardware, in which order: for a context entry that changes
 * while it is present what the specification has for that (requirements D.10).
 */
static void order(void **state)
{
	struct iofd_hw_dev *a, *b;
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	a = sub_open(1);
	assert_string_equal(vtdhw_log(hw), "cPdw");
	b = sub_open(2);
	assert_string_equal(vtdhw_log(hw), "");
	pt = mapped_pt(a, PHYS);
	attach(a, pt);
	attach(b, pt);
	assert_string_equal(vtdhw_log(hw), "");
	unmap(pt);
	assert_string_equal(vtdhw_log(hw), "iw");
	ops->block(a, NO);
	assert_string_equal(vtdhw_log(hw), "pdw");
	ops->close(a);
	assert_string_equal(vtdhw_log(hw), "");
	ops->close(b);
	assert_string_equal(vtdhw_log(hw), "pdwcPdw");
	ops->pt_free(pt);
	stop();
}

/*
 * Hardware finds either the old context entry or the new one: it never loses its
 * present bit, and the pointer behind it leads to the kernel's entry at all times.
 */
static u64 *context;
static u64 seen[8];
static unsigned int nr_seen;

static void watch(void)
{
	if (!nr_seen || seen[nr_seen - 1] != context[0]) {
		assert_true(nr_seen < ARRAY_SIZE(seen));
		seen[nr_seen++] = context[0];
	}
	try_and_relax();
}

static void one_store(void **state)
{
	struct iofd_hw_dev *hd;
	u64 before;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	context = dev->vdev->rids[0]->entry;
	before = context[0];
	assert_int_equal(before & SCTX_PASIDE, 0);
	nr_seen = 0;
	shim_relax_hook = watch;
	hd = sub_open(VTD_SMALL_PASID_BITS);
	assert_int_equal(nr_seen, 1);
	/* 15 bits of PASIDs: a directory of 512 entries, where it was before */
	assert_int_equal(seen[0], before | SCTX_PASIDE | SCTX_PDTS(2));
	ops->close(hd);
	assert_int_equal(nr_seen, 2);
	assert_int_equal(seen[1], before);
	stop();
}

/* No PASIDs and no device TLB to give away; ATS stays off. */
static void caps(void **state)
{
	struct iofd_hw_caps sub, whole;
	struct iofd_hw_dev *hd;
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	hd = sub_open(3);
	ops->caps(hd, &sub);
	pt = mapped_pt(hd, PHYS);
	attach(hd, pt);
	assert_false(dev->pdev.ats_enabled);
	assert_true(sub.flags & IOMMU_DEVICE_INFO_HW_NESTING);
	assert_false(sub.flags & IOMMU_DEVICE_INFO_ATS);
	ops->close(hd);
	shim_relax_hook = relax;
	/* As a whole it has both, again. */
	mutex_lock(&hw->unit->lock);
	vtd_dev_set(dev->vdev, VTD_BLOCKED, NULL);
	mutex_unlock(&hw->unit->lock);
	vtdhw_open(dev);
	ops->caps(dev->hd, &whole);
	assert_int_equal(whole.pasid_width_bits, 20);
	assert_true(whole.flags & IOMMU_DEVICE_INFO_ATS);
	attach(dev->hd, pt);
	assert_true(dev->pdev.ats_enabled);
	assert_int_equal(ops->attach(pt, dev->hd, 0xfffff), 0);
	vtdhw_lands(dev, 0xfffff, IOVA, PHYS);
	/* Now it is a user's. */
	assert_ptr_equal(try_open(3), ERR_PTR(-EBUSY));
	vtdhw_close(dev);
	assert_ptr_equal(try_open(3), ERR_PTR(-EBUSY));
	ops->pt_free(pt);
	vtdhw_end();
}

static void refused(void **state)
{
	static const u32 bad[] = { 0, 1 << VTD_SMALL_PASID_BITS, IOFD_NO_PASID,
				   IOFD_ANY_PASID };
	struct iofd_hw_dev *hd;
	unsigned int i;
	u64 before;

	/* A unit without PASIDs, or in legacy mode */
	for (i = 0; i < 2; i++) {
		start(VTDHW_CAP, VTDHW_ECAP & ~(i ? ECAP_SMTS : ECAP_PASID), true);
		assert_ptr_equal(try_open(1), ERR_PTR(-EOPNOTSUPP));
		assert_string_equal(vtdhw_log(hw), "");
		stop();
	}
	/* A function without, and one with few */
	start(VTDHW_CAP, VTDHW_ECAP, true);
	dev->pasid_width = 0;
	assert_ptr_equal(try_open(1), ERR_PTR(-EOPNOTSUPP));
	assert_false(dev->pdev.pasid_enabled);
	dev->pasid_width = 4;
	hd = sub_open(15);
	assert_ptr_equal(try_open(16), ERR_PTR(-EINVAL));
	ops->close(hd);
	/* Numbers that are none: not even PASIDs stay on. */
	dev->pasid_width = 20;
	before = dev->vdev->rids[0]->entry[0];
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_ptr_equal(try_open(bad[i]), ERR_PTR(-EINVAL));
		assert_false(dev->pdev.pasid_enabled);
		assert_int_equal(dev->vdev->rids[0]->entry[0], before);
	}
	/* Somebody else has switched on what must be off, or on. */
	dev->pdev.ats_enabled = true;
	assert_ptr_equal(try_open(1), ERR_PTR(-EBUSY));
	dev->pdev.ats_enabled = false;
	dev->pdev.pasid_enabled = true;
	assert_ptr_equal(try_open(1), ERR_PTR(-EBUSY));
	dev->pdev.pasid_enabled = false;
	/* The unit goes down. */
	mutex_lock(&hw->unit->lock);
	hw->unit->phase = VTD_CLOSING;
	mutex_unlock(&hw->unit->lock);
	assert_ptr_equal(try_open(1), ERR_PTR(-ENODEV));
	stop();

	/* Requests that may be another function's */
	vtdhw_begin();
	hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	dev = vtdhw_alias_dev(hw, 0x18, 0x20);
	vtdhw_give_to_kernel(dev);
	assert_ptr_equal(try_open(1), ERR_PTR(-EOPNOTSUPP));
	vtdhw_end();
	/* Nobody's: the kernel has blocked it */
	vtdhw_begin();
	hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	dev = vtdhw_dev(hw, 0x18, 20, false);
	assert_ptr_equal(try_open(1), ERR_PTR(-EBUSY));
	vtdhw_end();
}

/* Invalidations of a sub-device's are about its PASID, whatever the core says. */
static void tables_of_pasid(void **state)
{
	struct iofd_hw_dev *hd;
	struct iofd_hw_pt *pt;
	unsigned int i;

	vtdhw_begin();
	vtd_want_first_level = true;
	hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	dev = vtdhw_dev(hw, 0x18, 20, false);
	vtdhw_give_to_kernel(dev);
	hd = sub_open(9);
	pt = ops->pt_alloc(hd, &(struct iofd_pt_attrs) { .addr_width_bits = 39 });
	assert_false(IS_ERR(pt));
	attach(hd, pt);
	for (i = 0; i < 10; i++) {
		assert_int_equal(ops->map(pt, IOVA, PHYS + i * SZ_4K, SZ_4K,
					  VTDHW_RW), 0);
		ops->map_sync(pt, IOVA, IOVA + SZ_4K - 1);
		vtdhw_lands(dev, 9, IOVA, PHYS + i * SZ_4K);
		unmap(pt);
		assert_false(vtdhw_dma(dev, 9, IOVA, IOFD_READ).ok);
	}
	ops->close(hd);
	ops->pt_free(pt);
	kernel_works();
	vtdhw_end();
}

static void out_of_memory(void **state)
{
	struct iofd_hw_dev *hd;
	struct iofd_hw_pt *pt;
	unsigned long pages;
	unsigned int n;
	u64 before;
	int rc;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	before = dev->vdev->rids[0]->entry[0];
	pages = shim_live_pages;
	for (n = 1;; n++) {
		shim_fail_nth(n);
		hd = try_open(1000);
		if (!shim_fail_fired())
			break;
		assert_ptr_equal(hd, ERR_PTR(-ENOMEM));
		assert_false(dev->pdev.pasid_enabled);
		assert_int_equal(dev->vdev->rids[0]->entry[0], before);
		kernel_works();
	}
	shim_fail_nth(0);
	assert_int_equal(n, 2);
	pt = mapped_pt(hd, PHYS);
	for (n = 1;; n++) {
		shim_fail_nth(n);
		rc = ops->attach(pt, hd, NO);
		if (!shim_fail_fired())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_false(vtdhw_dma(dev, 1000, IOVA, IOFD_READ).ok);
		kernel_works();
	}
	assert_int_equal(rc, 0);
	vtdhw_lands(dev, 1000, IOVA, PHYS);
	/* Going back needs none. */
	shim_fail_nth(1);
	ops->close(hd);
	assert_false(shim_fail_fired());
	shim_fail_nth(0);
	assert_int_equal(dev->vdev->rids[0]->entry[0], before);
	ops->pt_free(pt);
	assert_int_equal(shim_live_pages, pages);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(apart),
		shim_test(apart_caching_mode),
		shim_test(apart_noncoherent),
		shim_test(order),
		shim_test(one_store),
		shim_test(caps),
		shim_test(refused),
		shim_test(tables_of_pasid),
		shim_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
