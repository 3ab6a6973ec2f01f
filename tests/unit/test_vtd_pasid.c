// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * PASIDs in the VT-d driver, on units of lib/vtd: attaching, blocking, what is
 * flushed and in which order, and what happens without memory.
 */
#include "vtdhw.h"

#define PHYS		0x3000000000ull	/* no memory; nothing reads there */
#define NO		IOFD_NO_PASID

/* Fault reasons */
#define NO_CONTEXT	0x41
#define NO_PASIDE	0x45
#define BEYOND_DIR	0x46
#define NO_DIR		0x51
#define NO_ENTRY	0x59
#define SS_ABSENT	0x79
#define NOT_READ	0x86

static const struct iofd_hw_ops *ops = &vtd_provider_ops;
static struct vtdhw_unit *hw;
static struct vtdhw_dev *dev;

static void start(u64 cap, u64 ecap, bool ats)
{
	vtdhw_begin();
	hw = vtdhw_unit(cap, ecap);
	dev = vtdhw_dev(hw, 0x18, 20, ats);
	vtdhw_open(dev);
}

static struct iofd_hw_pt *new_pt(void)
{
	struct iofd_pt_attrs attrs = { .addr_width_bits = 48 };
	struct iofd_hw_pt *pt = ops->pt_alloc(dev->hd, &attrs);

	assert_false(IS_ERR(pt));
	return pt;
}

/* A page at @iova that leads to @phys */
static void map(struct iofd_hw_pt *pt, u64 iova, u64 phys)
{
	assert_int_equal(ops->map(pt, iova, phys, SZ_4K, VTDHW_RW), 0);
	ops->map_sync(pt, iova, iova + SZ_4K - 1);
}

static void unmap(struct iofd_hw_pt *pt, u64 iova)
{
	ops->revoke(pt, iova, iova + SZ_4K - 1);
	ops->flush(pt, iova, iova + SZ_4K - 1);
	ops->reap(pt, iova, iova + SZ_4K - 1, NULL, NULL);
}

static struct iofd_hw_pt *mapped_pt(u64 phys)
{
	struct iofd_hw_pt *pt = new_pt();

	map(pt, 0x10000, phys);
	return pt;
}

static void attach(struct iofd_hw_pt *pt, u32 pasid)
{
	assert_int_equal(ops->attach(pt, dev->hd, pasid), 0);
}

static void caps(void **state)
{
	struct iofd_hw_caps caps;
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	ops->caps(dev->hd, &caps);
	assert_int_equal(caps.pasid_width_bits, 20);
	assert_true(caps.flags & IOMMU_DEVICE_INFO_HW_NESTING);
	assert_int_equal(caps.formats, 1 << IOMMU_FORMAT_DEFAULT |
				       1 << IOMMU_FORMAT_VTD_S1);
	assert_true(caps.hw_cap == VTDHW_CAP && caps.hw_ecap == VTDHW_ECAP);
	vtdhw_end();

	/* The smaller of both widths */
	start(VTDHW_CAP, (VTDHW_ECAP & ~(0x1full << 35)) | 9ull << 35, true);
	ops->caps(dev->hd, &caps);
	assert_int_equal(caps.pasid_width_bits, 10);
	vtdhw_end();

	/* A unit without PASIDs, and without nesting */
	start(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_PASID | ECAP_NEST), true);
	ops->caps(dev->hd, &caps);
	assert_int_equal(caps.pasid_width_bits, 0);
	assert_false(caps.flags & IOMMU_DEVICE_INFO_HW_NESTING);
	assert_int_equal(caps.formats, 1 << IOMMU_FORMAT_DEFAULT);
	pt = new_pt();
	assert_int_equal(ops->attach(pt, dev->hd, 1), -EINVAL);
	vtdhw_refused(dev, 1, 0x10000, NO_CONTEXT);
	ops->pt_free(pt);
	vtdhw_end();
}

/* A device that has none, and one that shares its requester ID */
static void without_pasid(void **state)
{
	struct vtdhw_dev *plain, *alias;
	struct iofd_hw_caps caps;
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	plain = vtdhw_dev(hw, 0x20, 0, true);
	vtdhw_open(plain);
	ops->caps(plain->hd, &caps);
	assert_int_equal(caps.pasid_width_bits, 0);
	pt = mapped_pt(PHYS);
	assert_int_equal(ops->attach(pt, plain->hd, 1), -EINVAL);
	assert_int_equal(ops->attach(pt, plain->hd, NO), 0);
	vtdhw_lands(plain, NO, 0x10000, PHYS);
	vtdhw_close(plain);

	/* One that comes later and sends requests as @dev */
	assert_int_equal(ops->attach(pt, dev->hd, 1), 0);
	alias = vtdhw_dev(hw, 0x18, 0, false);
	assert_int_equal(ops->attach(pt, dev->hd, 2), -EINVAL);
	vtdhw_lands(dev, 1, 0x10000, PHYS);
	vtdhw_close(dev);
	vtdhw_open(dev);
	ops->caps(dev->hd, &caps);
	assert_int_equal(caps.pasid_width_bits, 0);
	(void)alias;
	ops->pt_free(pt);
	vtdhw_end();
}

static void check_separate(u64 cap, u64 ecap, bool ats)
{
	static const u32 pasids[] = { 1, 2, 63, 64, 65, 4095, 0xfffff };
	struct iofd_hw_pt *pts[ARRAY_SIZE(pasids)], *none;
	unsigned int i, j;

	start(cap, ecap, ats);
	none = mapped_pt(PHYS - SZ_1M);
	vtdhw_refused(dev, NO, 0x10000, NO_CONTEXT);
	vtdhw_refused(dev, 1, 0x10000, NO_CONTEXT);
	for (i = 0; i < ARRAY_SIZE(pasids); i++) {
		pts[i] = mapped_pt(PHYS + i * SZ_4K);
		attach(pts[i], pasids[i]);
	}
	/* Requests without PASID are still blocked. */
	vtdhw_refused(dev, NO, 0x10000, NO_ENTRY);
	attach(none, NO);
	for (i = 0; i < ARRAY_SIZE(pasids); i++)
		vtdhw_lands(dev, pasids[i], 0x10000, PHYS + i * SZ_4K);
	vtdhw_lands(dev, NO, 0x10000, PHYS - SZ_1M);
	vtdhw_refused(dev, 3, 0x10000, NO_ENTRY);
	vtdhw_refused(dev, 0x8000, 0x10000, NO_DIR);

	/* Blocking one leaves the others alone. */
	for (i = 0; i < ARRAY_SIZE(pasids); i++) {
		ops->block(dev->hd, pasids[i]);
		ops->block(dev->hd, pasids[i]);
		for (j = 0; j < ARRAY_SIZE(pasids); j++)
			if (j <= i)
				vtdhw_refused(dev, pasids[j], 0x10000, NO_ENTRY);
			else
				vtdhw_lands(dev, pasids[j], 0x10000,
					    PHYS + j * SZ_4K);
		vtdhw_lands(dev, NO, 0x10000, PHYS - SZ_1M);
	}
	attach(pts[0], pasids[0]);
	ops->block(dev->hd, NO);
	vtdhw_refused(dev, NO, 0x10000, NO_ENTRY);
	vtdhw_lands(dev, pasids[0], 0x10000, PHYS);

	/* Closing blocks everything. */
	attach(none, NO);
	attach(pts[1], pasids[1]);
	vtdhw_lands(dev, pasids[1], 0x10000, PHYS + SZ_4K);
	vtdhw_close(dev);
	vtdhw_refused(dev, NO, 0x10000, NO_CONTEXT);
	vtdhw_refused(dev, pasids[0], 0x10000, NO_CONTEXT);
	vtdhw_refused(dev, pasids[1], 0x10000, NO_CONTEXT);
	for (i = 0; i < ARRAY_SIZE(pasids); i++)
		ops->pt_free(pts[i]);
	ops->pt_free(none);
	vtdhw_end();
}

static void separate(void **state)
{
	check_separate(VTDHW_CAP, VTDHW_ECAP, false);
}

static void separate_ats(void **state)
{
	check_separate(VTDHW_CAP, VTDHW_ECAP, true);
}

static void separate_caching_mode(void **state)
{
	check_separate(VTDHW_CAP | CAP_CM, VTDHW_ECAP, false);
	check_separate(VTDHW_CAP | CAP_CM, VTDHW_ECAP, true);
}

static void separate_noncoherent(void **state)
{
	check_separate(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS), false);
	check_separate(VTDHW_CAP | CAP_CM,
		       VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS), true);
	check_separate(VTDHW_CAP | CAP_RWBF,
		       VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS), true);
}

/* Another table for the same PASID: what was cached of the old one is gone. */
static void replace(void **state)
{
	struct iofd_hw_pt *a, *b;
	unsigned int ats;

	for (ats = 0; ats < 2; ats++) {
		start(VTDHW_CAP, VTDHW_ECAP, ats);
		a = mapped_pt(PHYS);
		b = mapped_pt(PHYS + SZ_4K);
		attach(a, 7);
		vtdhw_lands(dev, 7, 0x10000, PHYS);
		attach(b, 7);
		vtdhw_lands(dev, 7, 0x10000, PHYS + SZ_4K);
		attach(b, 7);
		attach(a, NO);
		vtdhw_lands(dev, NO, 0x10000, PHYS);
		attach(b, NO);
		vtdhw_lands(dev, NO, 0x10000, PHYS + SZ_4K);
		ops->block(dev->hd, 7);
		vtdhw_refused(dev, 7, 0x10000, NO_ENTRY);
		ops->pt_free(a);
		vtdhw_lands(dev, NO, 0x10000, PHYS + SZ_4K);
		ops->block(dev->hd, NO);
		ops->pt_free(b);
		vtdhw_end();
	}
}

static void out_of_range(void **state)
{
	struct iofd_hw_pt *pt;

	vtdhw_begin();
	hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	dev = vtdhw_dev(hw, 0x18, 8, false);
	vtdhw_open(dev);
	pt = mapped_pt(PHYS);
	assert_int_equal(ops->attach(pt, dev->hd, 0), -EINVAL);
	assert_int_equal(ops->attach(pt, dev->hd, 256), -EINVAL);
	assert_int_equal(ops->attach(pt, dev->hd, IOFD_ANY_PASID), -EINVAL);
	assert_int_equal(ops->attach(pt, dev->hd, BIT(20)), -EINVAL);
	attach(pt, 255);
	vtdhw_lands(dev, 255, 0x10000, PHYS);
	/* The smallest directory there is has room for 8192. */
	vtdhw_refused(dev, 256, 0x10000, NO_DIR);
	vtdhw_refused(dev, 8192, 0x10000, BEYOND_DIR);
	ops->block(dev->hd, 12345678);
	ops->block(dev->hd, 0);
	vtdhw_lands(dev, 255, 0x10000, PHYS);
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

/* One table with and without PASIDs, by two devices: unmapped everywhere. */
static void shared(void **state)
{
	unsigned int config, i;

	for (config = 0; config < 4; config++) {
		struct vtdhw_unit *hw2;
		struct vtdhw_dev *dev2;
		struct iofd_hw_pt *pt;

		start(VTDHW_CAP, VTDHW_ECAP, config & 1);
		hw2 = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
		dev2 = vtdhw_dev(config & 2 ? hw2 : hw, 0x20, 16, config & 1);
		vtdhw_open(dev2);
		pt = mapped_pt(PHYS);
		attach(pt, NO);
		attach(pt, 5);
		attach(pt, 6);
		assert_int_equal(ops->attach(pt, dev2->hd, 5), 0);
		for (i = 0; i < 100; i++) {
			map(pt, 0x20000, PHYS + SZ_1M * i);
			vtdhw_lands(dev, NO, 0x20000, PHYS + SZ_1M * i);
			vtdhw_lands(dev, 5, 0x20000, PHYS + SZ_1M * i);
			vtdhw_lands(dev, 6, 0x20000, PHYS + SZ_1M * i);
			vtdhw_lands(dev2, 5, 0x20000, PHYS + SZ_1M * i);
			unmap(pt, 0x20000);
			assert_false(vtdhw_dma(dev, NO, 0x20000, IOFD_READ).ok);
			assert_false(vtdhw_dma(dev, 5, 0x20000, IOFD_READ).ok);
			assert_false(vtdhw_dma(dev, 6, 0x20000, IOFD_READ).ok);
			assert_false(vtdhw_dma(dev2, 5, 0x20000, IOFD_READ).ok);
		}
		vtdhw_close(dev);
		vtdhw_lands(dev2, 5, 0x10000, PHYS);
		vtdhw_close(dev2);
		ops->pt_free(pt);
		vtdhw_end();
	}
}

/* What is sent to the hardware, in which order (requirements D.10) */
static void order(void **state)
{
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	pt = mapped_pt(PHYS);
	vtdhw_log(hw);
	attach(pt, 1);
	assert_string_equal(vtdhw_log(hw), "");
	attach(pt, NO);
	assert_string_equal(vtdhw_log(hw), "");
	unmap(pt, 0x10000);
	assert_string_equal(vtdhw_log(hw), "iwTtw");
	ops->block(dev->hd, NO);
	assert_string_equal(vtdhw_log(hw), "pdwtw");
	ops->block(dev->hd, 1);
	assert_string_equal(vtdhw_log(hw), "cpdwTw");
	/* Before the PASID tables are freed */
	vtdhw_close(dev);
	assert_string_equal(vtdhw_log(hw), "Pw");
	ops->pt_free(pt);
	vtdhw_end();

	/* With caching mode what becomes present is invalidated, too. */
	start(VTDHW_CAP | CAP_CM, VTDHW_ECAP, false);
	pt = mapped_pt(PHYS);
	vtdhw_log(hw);
	attach(pt, 1);
	assert_string_equal(vtdhw_log(hw), "cpFdw");
	attach(pt, 2);
	assert_string_equal(vtdhw_log(hw), "pFw");
	attach(pt, 64);
	assert_string_equal(vtdhw_log(hw), "PwpFw");
	map(pt, 0x20000, PHYS);
	assert_string_equal(vtdhw_log(hw), "iw");
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

/* Write buffers that are flushed before what is in them is used */
static void write_buffers(void **state)
{
	struct iofd_hw_pt *pt;

	start(VTDHW_CAP | CAP_RWBF, VTDHW_ECAP, false);
	pt = mapped_pt(PHYS);
	vtdhw_log(hw);
	attach(pt, 1);
	assert_string_equal(vtdhw_log(hw), "b");
	attach(pt, 64);
	assert_string_equal(vtdhw_log(hw), "bb");
	map(pt, 0x20000, PHYS);
	assert_string_equal(vtdhw_log(hw), "b");
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

/* Tables of PASIDs that a device had when it was open before are gone. */
static void open_again(void **state)
{
	struct iofd_hw_pt *pt;
	unsigned int width;

	for (width = 10; width <= 20; width += 10) {
		vtdhw_begin();
		hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS));
		dev = vtdhw_dev(hw, 0x18, width, false);
		vtdhw_open(dev);
		pt = mapped_pt(PHYS);
		attach(pt, 1);
		attach(pt, 200);
		vtdhw_lands(dev, 200, 0x10000, PHYS);
		vtdhw_close(dev);
		vtdhw_open(dev);
		attach(pt, 1);
		vtdhw_lands(dev, 1, 0x10000, PHYS);
		vtdhw_refused(dev, 200, 0x10000, NO_DIR);
		vtdhw_close(dev);
		ops->pt_free(pt);
		vtdhw_end();
	}
}

/*
 * Pages far from each other, one after the other: empty table pages are given
 * back when there are many, and hardware must not remember where they were.
 */
static void trim(void **state)
{
	enum { N = 300 };
	struct iofd_hw_pt *pt;
	unsigned long most;
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	pt = new_pt();
	attach(pt, 1);
	for (i = 0; i < N; i++) {
		map(pt, (u64)i * SZ_2M, PHYS);
		vtdhw_lands(dev, 1, (u64)i * SZ_2M, PHYS);
	}
	most = shim_live_pages;
	for (i = 0; i < N; i++)
		unmap(pt, (u64)i * SZ_2M);
	assert_true(shim_live_pages < most - N / 2);
	for (i = 0; i < N; i++) {
		map(pt, (u64)i * SZ_2M, PHYS + SZ_4K);
		vtdhw_lands(dev, 1, (u64)i * SZ_2M, PHYS + SZ_4K);
	}
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

/*
 * The entry is cleared only when nobody looks at it any more: until the device
 * TLB has been waited for, all but its present bit is there.
 */
static u64 *watched;
static u64 watched_words[8];
static unsigned int nr_seen;

static void watch(void)
{
	u64 now[8];

	memcpy(now, watched, sizeof(now));
	if (now[0] & 1)
		return;
	nr_seen++;
	now[0] |= 1;
	assert_memory_equal(now, watched_words, sizeof(now));
	vtdhw_settle();
}

static void no_entry_is_zeroed_early(void **state)
{
	struct iofd_hw_pt *pt;
	void (*relax)(void);

	start(VTDHW_CAP, VTDHW_ECAP, true);
	pt = mapped_pt(PHYS);
	attach(pt, 77);
	watched = vtd_pasid_entry(dev->vdev->rids[0], 77);
	memcpy(watched_words, watched, sizeof(watched_words));
	nr_seen = 0;
	relax = shim_relax_hook;
	shim_relax_hook = watch;
	ops->block(dev->hd, 77);
	shim_relax_hook = relax;
	/* Once for the unit, once for the device */
	assert_int_equal(nr_seen, 2);
	assert_int_equal(watched[0] | watched[1] | watched[2], 0);
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

static void many_cycles(void **state)
{
	struct iofd_hw_pt *pt;
	unsigned long pages;
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	pt = mapped_pt(PHYS);
	attach(pt, 100);
	ops->block(dev->hd, 100);
	pages = shim_live_pages;
	for (i = 0; i < 1000; i++) {
		attach(pt, 100 + i % 20);
		vtdhw_lands(dev, 100 + i % 20, 0x10000, PHYS);
		ops->block(dev->hd, 100 + i % 20);
		vtdhw_refused(dev, 100 + i % 20, 0x10000, NO_CONTEXT);
	}
	assert_int_equal(shim_live_pages, pages);
	vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

static void many_live(void **state)
{
	enum { N = 4096 };
	struct iofd_hw_pt *pts[4];
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	for (i = 0; i < ARRAY_SIZE(pts); i++)
		pts[i] = mapped_pt(PHYS + i * SZ_4K);
	for (i = 1; i <= N; i++)
		attach(pts[i % 4], i * 251);
	for (i = 1; i <= N; i++)
		vtdhw_lands(dev, i * 251, 0x10000, PHYS + i % 4 * SZ_4K);
	for (i = 0; i < 4; i++)
		unmap(pts[i], 0x10000);
	for (i = 1; i <= N; i++)
		assert_false(vtdhw_dma(dev, i * 251, 0x10000, IOFD_READ).ok);
	vtdhw_close(dev);
	for (i = 0; i < 4; i++)
		ops->pt_free(pts[i]);
	vtdhw_end();
}

static void out_of_memory(void **state)
{
	struct iofd_hw_pt *a, *b;
	unsigned int n;
	int rc;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	a = mapped_pt(PHYS);
	b = mapped_pt(PHYS + SZ_4K);
	for (n = 1;; n++) {
		shim_fail_nth(n);
		rc = ops->attach(a, dev->hd, 1000);
		if (!shim_fail_fired())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_false(vtdhw_dma(dev, 1000, 0x10000, IOFD_READ).ok);
	}
	assert_int_equal(rc, 0);
	assert_true(n > 3);
	vtdhw_lands(dev, 1000, 0x10000, PHYS);
	/* One that fails leaves what was there before. */
	for (n = 1;; n++) {
		shim_fail_nth(n);
		rc = ops->attach(b, dev->hd, 1000);
		if (!shim_fail_fired())
			break;
		assert_int_equal(rc, -ENOMEM);
		vtdhw_lands(dev, 1000, 0x10000, PHYS);
	}
	vtdhw_lands(dev, 1000, 0x10000, PHYS + SZ_4K);
	/* Blocking needs none. */
	shim_fail_nth(1);
	ops->block(dev->hd, 1000);
	vtdhw_close(dev);
	assert_false(shim_fail_fired());
	shim_fail_nth(0);

	/* Without memory for a large directory: narrower PASIDs */
	shim_fail_nth(1);
	vtdhw_open(dev);
	assert_true(shim_fail_fired());
	assert_int_equal(dev->vdev->pasid_width_bits, 15);
	attach(a, 0x7fff);
	vtdhw_lands(dev, 0x7fff, 0x10000, PHYS);
	assert_int_equal(ops->attach(a, dev->hd, 0x8000), -EINVAL);
	vtdhw_refused(dev, 0x8000, 0x10000, BEYOND_DIR);
	vtdhw_close(dev);
	vtdhw_open(dev);
	assert_int_equal(dev->vdev->pasid_width_bits, 20);
	ops->pt_free(a);
	ops->pt_free(b);
	vtdhw_end();
}

/* Domain ids run out: nothing changes. */
static void out_of_domains(void **state)
{
	struct iofd_hw_pt *pts[20];
	unsigned int i;

	start(VTDHW_CAP & ~7ull, VTDHW_ECAP, false);
	for (i = 0; i < 20; i++)
		pts[i] = mapped_pt(PHYS + i * SZ_4K);
	for (i = 0; i < 14; i++)
		attach(pts[i], i + 1);
	assert_int_equal(ops->attach(pts[14], dev->hd, 15), -ENOSPC);
	assert_int_equal(ops->attach(pts[14], dev->hd, 1), -ENOSPC);
	assert_int_equal(ops->attach(pts[14], dev->hd, NO), -ENOSPC);
	for (i = 0; i < 14; i++)
		vtdhw_lands(dev, i + 1, 0x10000, PHYS + i * SZ_4K);
	vtdhw_refused(dev, 15, 0x10000, NO_ENTRY);
	ops->block(dev->hd, 3);
	attach(pts[14], 15);
	vtdhw_close(dev);
	for (i = 0; i < 20; i++)
		ops->pt_free(pts[i]);
	vtdhw_end();
}

/* One that does not answer is cut off, and does not hold up the others. */
static void silent_device(void **state)
{
	struct iofd_hw_pt *pt;
	struct vtdhw_dev *good;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	good = vtdhw_dev(hw, 0x20, 20, true);
	vtdhw_open(good);
	pt = mapped_pt(PHYS);
	attach(pt, NO);
	attach(pt, 9);
	attach(pt, 10);
	assert_int_equal(ops->attach(pt, good->hd, 9), 0);
	vtdhw_lands(dev, 9, 0x10000, PHYS);
	vtdhw_lands(dev, 10, 0x10000, PHYS);
	vtdhw_lands(good, 9, 0x10000, PHYS);
	dev->silent = true;
	vtdhw_log(hw);
	unmap(pt, 0x10000);
	assert_non_null(strstr(vtdhw_log(hw), "CPGw"));
	assert_false(vtdhw_dma(good, 9, 0x10000, IOFD_READ).ok);
	vtdhw_refused(dev, 9, 0x10000, NO_CONTEXT);
	vtdhw_refused(dev, NO, 0x10000, NO_CONTEXT);

	/* It is not asked again until its last use goes. */
	map(pt, 0x10000, PHYS);
	dev->nr_invalidations = 0;
	unmap(pt, 0x10000);
	ops->block(dev->hd, 9);
	ops->block(dev->hd, NO);
	assert_int_equal(dev->nr_invalidations, 0);
	vtdhw_refused(dev, 10, 0x10000, NO_CONTEXT);
	ops->block(dev->hd, 10);
	assert_int_equal(dev->nr_invalidations, 2);
	dev->silent = false;
	map(pt, 0x10000, PHYS + SZ_4K);
	attach(pt, 9);
	vtdhw_lands(dev, 9, 0x10000, PHYS + SZ_4K);
	vtdhw_close(dev);
	vtdhw_close(good);
	ops->pt_free(pt);
	vtdhw_end();
}

/* Legacy mode, and what the driver did before there were PASIDs */
static void legacy(void **state)
{
	struct iofd_hw_pt *pt;
	struct iofd_hw_caps caps;

	start(VTDHW_CAP, VTDHW_ECAP & ~ECAP_SMTS, true);
	ops->caps(dev->hd, &caps);
	assert_int_equal(caps.pasid_width_bits, 0);
	assert_false(caps.flags & IOMMU_DEVICE_INFO_HW_NESTING);
	pt = mapped_pt(PHYS);
	assert_int_equal(ops->attach(pt, dev->hd, 1), -EINVAL);
	vtdhw_log(hw);
	attach(pt, NO);
	vtdhw_lands(dev, NO, 0x10000, PHYS);
	unmap(pt, 0x10000);
	assert_false(vtdhw_dma(dev, NO, 0x10000, IOFD_READ).ok);
	assert_string_equal(vtdhw_log(hw), "iwtw");
	map(pt, 0x10000, PHYS);
	vtdhw_lands(dev, NO, 0x10000, PHYS);
	ops->block(dev->hd, NO);
	assert_string_equal(vtdhw_log(hw), "cdwtw");
	assert_false(vtdhw_dma(dev, NO, 0x10000, IOFD_READ).ok);
	ops->pt_free(pt);
	vtdhw_end();
}

/* The unit refuses a descriptor, with others behind it: the queue goes on. */
static void refused_descriptor(void **state)
{
	static const struct vtd_qi_desc bad[] = {
		{ { 0xf } },			/* no such type */
		{ { 0x2 } },			/* IOTLB, granularity 0 */
		{ { 0x15, 0x2 } },		/* wait, a reserved bit */
	};
	struct iofd_hw_pt *pt;
	unsigned int i, k;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vtd_qi_desc descs[3] = {
			vtd_qi_pasid_global(), bad[i], vtd_qi_pasid_global(),
		};

		/* More than once, and round the end of the queue */
		for (k = 0; k < 100; k++)
			assert_int_equal(vtd_qi_run(hw->unit, descs, 3), 0);
	}
	pt = mapped_pt(PHYS);
	assert_int_equal(ops->attach(pt, dev->hd, 7), 0);
	vtdhw_lands(dev, 7, 0x10000, PHYS);
	ops->block(dev->hd, 7);
	vtdhw_refused(dev, 7, 0x10000, NO_CONTEXT);
	ops->pt_free(pt);
	vtdhw_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(caps),
		shim_test(without_pasid),
		shim_test(separate),
		shim_test(separate_ats),
		shim_test(separate_caching_mode),
		shim_test(separate_noncoherent),
		shim_test(replace),
		shim_test(out_of_range),
		shim_test(shared),
		shim_test(order),
		shim_test(write_buffers),
		shim_test(open_again),
		shim_test(trim),
		shim_test(no_entry_is_zeroed_early),
		shim_test(many_cycles),
		shim_test(many_live),
		shim_test(out_of_memory),
		shim_test(out_of_domains),
		shim_test(silent_device),
		shim_test(refused_descriptor),
		shim_test(legacy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
