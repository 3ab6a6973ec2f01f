// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which pages devices have written, by the dirty bits of second-level tables: the
 * VT-d driver on units of lib/vtd.
 */
#include "vtdhw.h"

#define PHYS	0x3000000000ull		/* no memory; nothing reads there */
#define IOVA	0x200000000ull
#define NO	IOFD_NO_PASID
#define PG(n)	((u64)(n) * SZ_4K)

static const struct iofd_hw_ops *ops = &vtd_provider_ops;
static struct vtdhw_unit *hw;
static struct vtdhw_dev *dev;
static struct iofd_hw_pt *pt;

static struct iofd_hw_pt *try_pt(struct vtdhw_dev *d, bool nest_parent)
{
	struct iofd_pt_attrs attrs = {
		.addr_width_bits = 48,
		.nest_parent = nest_parent,
		.dirty = true,
	};

	return ops->pt_alloc(d->hd, &attrs);
}

static void begin(u64 cap, u64 ecap, bool ats)
{
	vtdhw_begin();
	hw = vtdhw_unit(cap, ecap);
	dev = vtdhw_dev(hw, 0x18, 20, ats);
	vtdhw_open(dev);
}

static void start(u64 cap, u64 ecap, bool ats)
{
	begin(cap, ecap, ats);
	pt = try_pt(dev, true);
	assert_false(IS_ERR(pt));
	assert_true(pt->dirty);
}

static void stop(void)
{
	if (dev->hd)
		vtdhw_close(dev);
	ops->pt_free(pt);
	vtdhw_end();
}

static void map(u64 iova, u64 phys, u64 bytes)
{
	assert_int_equal(ops->map(pt, iova, phys, bytes, VTDHW_RW), 0);
	ops->map_sync(pt, iova, iova + bytes - 1);
}

static void unmap(u64 iova, u64 bytes)
{
	ops->revoke(pt, iova, iova + bytes - 1);
	ops->flush(pt, iova, iova + bytes - 1);
	ops->reap(pt, iova, iova + bytes - 1, NULL, NULL);
}

static void attach(struct vtdhw_dev *d, u32 pasid)
{
	assert_int_equal(ops->attach(pt, d->hd, pasid), 0);
}

static void touch(struct vtdhw_dev *d, u32 pasid, u64 iova, unsigned int access)
{
	struct vtdhw_dma dma = vtdhw_dma(d, pasid, iova, access);

	if (!dma.ok)
		fail_msg("%llx is refused: fault %02x", (unsigned long long)iova,
			 dma.fault);
}

/* What read_dirty() says, a bit for each page from IOVA on */
#define NR_BITS	1024
static unsigned long bits[NR_BITS / BITS_PER_LONG];

static void set_bits(void *arg, u64 iova, u64 last)
{
	u64 page;

	assert_true(iova >= IOVA && iova <= last && last < IOVA + PG(NR_BITS));
	for (page = (iova - IOVA) / SZ_4K; page <= (last - IOVA) / SZ_4K; page++) {
		assert_false(test_bit(page, bits));
		__set_bit(page, bits);
	}
}

static void read_dirty(bool clear)
{
	memset(bits, 0, sizeof(bits));
	ops->read_dirty(pt, IOVA, IOVA + PG(NR_BITS) - 1, clear, set_bits, NULL);
}

/* It says pages @first to @last and nothing else; @last < @first: none. */
static void assert_dirty(bool clear, unsigned int first, unsigned int last)
{
	unsigned int i;

	read_dirty(clear);
	for (i = 0; i < NR_BITS; i++)
		if (test_bit(i, bits) != (i >= first && i <= last))
			fail_msg("page %u", i);
}
#define assert_clean()	assert_dirty(true, 1, 0)

/* Units that cannot, and that are told not to */
static void who_can(void **state)
{
	static const u64 without[] = {
		ECAP_SSADS, ECAP_SMPWCS, ECAP_SMTS, ECAP_SSTS,
	};
	struct vtdhw_unit *hw2;
	struct vtdhw_dev *dev2;
	struct iofd_hw_caps caps;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(without); i++) {
		start(VTDHW_CAP, VTDHW_ECAP, false);
		ops->caps(dev->hd, &caps);
		assert_true(caps.flags & IOMMU_DEVICE_INFO_DIRTY);
		hw2 = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP & ~without[i]);
		dev2 = vtdhw_dev(hw2, 0x20, 20, false);
		vtdhw_open(dev2);
		ops->caps(dev2->hd, &caps);
		assert_false(caps.flags & IOMMU_DEVICE_INFO_DIRTY);
		assert_int_equal(PTR_ERR(try_pt(dev2, false)), -EOPNOTSUPP);
		assert_false(ops->pt_fits(pt, dev2->hd));
		assert_int_equal(ops->attach(pt, dev2->hd, NO), -EINVAL);
		vtdhw_close(dev2);
		stop();
	}
	vtdhw_begin();
	vtd_want_scalable = false;
	hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	dev = vtdhw_dev(hw, 0x18, 20, false);
	vtdhw_open(dev);
	assert_int_equal(PTR_ERR(try_pt(dev, false)), -EOPNOTSUPP);
	vtdhw_end();

	/* First-level tables have no such bits: a second-level one it is. */
	vtdhw_begin();
	vtd_want_first_level = true;
	hw = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	dev = vtdhw_dev(hw, 0x18, 20, false);
	vtdhw_open(dev);
	pt = try_pt(dev, false);
	assert_false(IS_ERR(pt));
	assert_int_equal(to_vtd_table(pt)->walk, VTD_WALK_SECOND);
	stop();
}

/* The entry says so for as long as it is there; no other table's does. */
static void entries(void **state)
{
	struct iofd_pt_attrs plain = { .addr_width_bits = 48 };
	struct iofd_hw_pt *other;
	u64 *e;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	attach(dev, NO);
	attach(dev, 5);
	e = vtd_pasid_entry(dev->vdev->rids[0], 0);
	assert_true(e[0] == (virt_to_phys(to_vtd_table(pt)->sl.root) | 1 |
			     2 << 2 | 2 << 6 | BIT(9)));
	assert_true(vtd_pasid_entry(dev->vdev->rids[0], 5)[0] == e[0]);
	other = ops->pt_alloc(dev->hd, &plain);
	assert_false(IS_ERR(other) || other->dirty);
	assert_int_equal(ops->attach(other, dev->hd, 5), 0);
	assert_false(vtd_pasid_entry(dev->vdev->rids[0], 5)[0] & BIT(9));
	vtdhw_close(dev);
	ops->pt_free(other);
	stop();
}

/* One page: read, written, asked for, and written again; each way of DMA */
static void check_page(u64 cap, u64 ecap, bool ats, u32 pasid)
{
	unsigned int i;

	start(cap, ecap, ats);
	attach(dev, pasid);
	map(IOVA, PHYS, PG(64));
	assert_clean();
	/* With ATS the unit takes a reader for a writer unless it is told. */
	if (!ats) {
		touch(dev, pasid, IOVA + PG(7), IOFD_READ);
		assert_clean();
	}
	for (i = 0; i < 3; i++) {
		touch(dev, pasid, IOVA + PG(7), IOFD_WRITE);
		touch(dev, pasid, IOVA + PG(7), IOFD_WRITE);
		/* Looking needs no flush. */
		vtdhw_log(hw);
		assert_dirty(false, 7, 7);
		assert_string_equal(vtdhw_log(hw), "");
		assert_dirty(true, 7, 7);
		assert_clean();
	}
	/* A page that was read is written by what is cached of it. */
	touch(dev, pasid, IOVA + PG(9), IOFD_READ);
	touch(dev, pasid, IOVA + PG(9), IOFD_WRITE);
	assert_dirty(true, 9, 9);
	/* What is mapped anew is clean, whatever it was before. */
	touch(dev, pasid, IOVA + PG(9), IOFD_WRITE);
	unmap(IOVA, PG(64));
	map(IOVA, PHYS, PG(64));
	assert_clean();
	stop();
}

static void pages(void **state)
{
	check_page(VTDHW_CAP, VTDHW_ECAP, false, NO);
	check_page(VTDHW_CAP, VTDHW_ECAP, false, 0x12345);
	check_page(VTDHW_CAP, VTDHW_ECAP, true, NO);
	check_page(VTDHW_CAP, VTDHW_ECAP, true, 0x12345);
	check_page(VTDHW_CAP | CAP_CM, VTDHW_ECAP, false, NO);
	check_page(VTDHW_CAP & ~(CAP_PSI | 0x3full << 48), VTDHW_ECAP, false, NO);
}

/* One flush for one call, however many pages, for the range alone */
static void one_flush(void **state)
{
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, true);
	attach(dev, NO);
	attach(dev, 3);
	map(IOVA, PHYS, PG(64));
	for (i = 0; i < 64; i++)
		touch(dev, NO, IOVA + PG(i), IOFD_WRITE);
	vtdhw_log(hw);
	assert_dirty(true, 0, 63);
	assert_string_equal(vtdhw_log_brief(hw), "itT");
	/* Nothing was written: nothing is flushed. */
	assert_clean();
	assert_string_equal(vtdhw_log(hw), "");
	stop();
}

static void large_leaves(void **state)
{
	const u64 at = IOVA + PG(512);

	start(VTDHW_CAP, VTDHW_ECAP, false);
	attach(dev, NO);
	map(IOVA, PHYS, SZ_2M);
	map(at, PHYS + SZ_1G, SZ_2M);
	touch(dev, NO, at + PG(100), IOFD_WRITE);
	assert_dirty(true, 512, 1023);
	touch(dev, NO, at + PG(3), IOFD_WRITE);
	memset(bits, 0, sizeof(bits));
	/* A part of it does not clear the rest. */
	ops->read_dirty(pt, at + PG(1), at + PG(9) - 1, true, set_bits, NULL);
	assert_int_equal(bitmap_weight(bits, NR_BITS), 8);
	assert_dirty(true, 512, 1023);
	assert_clean();
	stop();
}

/* A table walked by two units, each with a cache of its own */
static void two_units(void **state)
{
	struct vtdhw_unit *hw2;
	struct vtdhw_dev *dev2;
	unsigned int i;

	start(VTDHW_CAP, VTDHW_ECAP, false);
	hw2 = vtdhw_unit(VTDHW_CAP, VTDHW_ECAP);
	dev2 = vtdhw_dev(hw2, 0x20, 20, true);
	vtdhw_open(dev2);
	attach(dev, 1);
	attach(dev2, NO);
	map(IOVA, PHYS, PG(4));
	for (i = 0; i < 3; i++) {
		touch(dev, 1, IOVA, IOFD_WRITE);
		touch(dev2, NO, IOVA, IOFD_WRITE);
		assert_dirty(true, 0, 0);
		touch(dev2, NO, IOVA, IOFD_WRITE);
		assert_dirty(true, 0, 0);
		assert_clean();
	}
	vtdhw_close(dev2);
	stop();
}

/*
 * A user's table over it: what is written through both shows by the address in
 * between, and so do the pages of the user's table, which hardware marks.
 */
static void check_nested(bool ats)
{
	struct iofd_nest_attrs attrs = {
		.format = IOMMU_FORMAT_VTD_S1,
		.table_addr = IOVA,
		.addr_width_bits = 48,
	};
	struct page *table[4];
	struct iofd_hw_pt *child;
	unsigned int i;
	u64 *e;

	start(VTDHW_CAP, VTDHW_ECAP, ats);
	for (i = 0; i < 4; i++) {
		table[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		assert_non_null(table[i]);
		map(IOVA + PG(i), page_to_phys(table[i]), SZ_4K);
		/* GVA 0 and 1000h; the last page of the four has the leaves. */
		e = page_address(table[i]);
		e[0] = (i < 3 ? IOVA + PG(i + 1) : IOVA + PG(20)) | 7;
		e[1] = i < 3 ? 0 : (IOVA + PG(21)) | 7;
	}
	map(IOVA + PG(20), PHYS, PG(2));
	child = ops->pt_nest(dev->hd, pt, &attrs);
	assert_false(IS_ERR(child) || child->dirty);
	assert_int_equal(ops->attach(child, dev->hd, 7), 0);
	assert_true(vtd_pasid_entry(dev->vdev->rids[0], 7)[0] & BIT(9));
	assert_clean();
	for (i = 0; i < 3; i++) {
		touch(dev, 7, 0x10, IOFD_WRITE);
		read_dirty(true);
		assert_int_equal(bits[0], 0xfull | BIT(20));
		assert_clean();
	}
	touch(dev, 7, SZ_4K, IOFD_WRITE);
	read_dirty(true);
	assert_int_equal(bits[0], 0xfull | BIT(21));
	vtdhw_close(dev);
	ops->pt_free(child);
	stop();
	for (i = 0; i < 4; i++)
		__free_page(table[i]);
}

static void nested(void **state)
{
	check_nested(false);
	check_nested(true);
}

/* What is reported over all rounds is what was written, no more and no less. */
static void random_writes(void **state)
{
	enum { PAGES = 256 };
	static bool written[PAGES], mapped[PAGES];
	struct vtdhw_dev *devs[3];
	unsigned int i, round, page;

	memset(written, 0, sizeof(written));
	memset(mapped, 0, sizeof(mapped));
	start(VTDHW_CAP, VTDHW_ECAP, false);
	devs[0] = dev;
	devs[1] = vtdhw_dev(hw, 0x20, 20, true);
	devs[2] = vtdhw_dev(vtdhw_unit(VTDHW_CAP, VTDHW_ECAP), 0x28, 20, false);
	for (i = 0; i < 3; i++) {
		if (i)
			vtdhw_open(devs[i]);
		attach(devs[i], i == 2 ? NO : 9);
	}
	for (round = 0; round < 300; round++) {
		for (i = 0; i < 40; i++) {
			unsigned int d = shim_random_below(3);

			page = shim_random_below(PAGES);
			if (!mapped[page]) {
				map(IOVA + PG(page), PHYS + PG(page * 2), SZ_4K);
				mapped[page] = true;
			} else if (!shim_random_below(20)) {
				unmap(IOVA + PG(page), SZ_4K);
				mapped[page] = written[page] = false;
				continue;
			}
			/* By ATS there are no readers. */
			if (shim_random_below(2) && d != 1) {
				touch(devs[d], d == 2 ? NO : 9, IOVA + PG(page),
				      IOFD_READ);
				continue;
			}
			touch(devs[d], d == 2 ? NO : 9, IOVA + PG(page),
			      IOFD_WRITE);
			written[page] = true;
		}
		read_dirty(round % 2);
		for (page = 0; page < PAGES; page++) {
			if (test_bit(page, bits) != written[page])
				fail_msg("round %u, page %u", round, page);
			if (round % 2)
				written[page] = false;
		}
	}
	for (i = 1; i < 3; i++)
		vtdhw_close(devs[i]);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(who_can),
		shim_test(entries),
		shim_test(pages),
		shim_test(one_flush),
		shim_test(large_leaves),
		shim_test(two_units),
		shim_test(nested),
		shim_test(random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
