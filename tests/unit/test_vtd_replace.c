// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From one table to another in the VT-d driver: whenever a request comes, also
 * between any two stores and any two invalidations, it goes through the old table
 * or the new one, and through the new one when the call has returned. Nobody else
 * notices.
 */
#include "vtdhw.h"

#define IOVA	0x10000
#define OLD	0x3000000000ull	/* no memory; nothing reads there */
#define NEW	(OLD + SZ_4K)
#define OTHER	(OLD + SZ_8K)
#define NO	IOFD_NO_PASID
#define NO_CONTEXT	0x41

static const struct iofd_hw_ops *ops = &vtd_provider_ops;

static struct {
	struct vtdhw_unit *hw;
	struct vtdhw_dev *dev, *neighbour;	/* the same bus */
	struct iofd_hw_pt *old, *new, *other;
	u32 pasid;		/* of @dev, that is sent elsewhere */
	u32 beside;		/* in the same page of entries; NO: nothing */
	unsigned int nr_old, nr_new;
	bool asking;
	void (*relax)(void);
} t;

static struct iofd_hw_pt *mapped_pt(u64 phys)
{
	struct iofd_pt_attrs attrs = { .addr_width_bits = 48 };
	struct iofd_hw_pt *pt = ops->pt_alloc(t.dev->hd, &attrs);

	assert_false(IS_ERR(pt));
	assert_int_equal(ops->map(pt, IOVA, phys, SZ_4K, VTDHW_RW), 0);
	ops->map_sync(pt, IOVA, IOVA + SZ_4K - 1);
	return pt;
}

/* One request of everybody, now */
static void ask(void)
{
	struct vtdhw_dma dma = vtdhw_dma(t.dev, t.pasid, IOVA, IOFD_READ);

	if (!dma.ok)
		fail_msg("refused: fault %02x", dma.fault);
	if (dma.phys == OLD)
		t.nr_old++;
	else if (dma.phys == NEW)
		t.nr_new++;
	else
		fail_msg("arrives at %llx", (unsigned long long)dma.phys);
	vtdhw_lands(t.neighbour, NO, IOVA, OTHER);
	if (t.beside != NO)
		vtdhw_lands(t.dev, t.beside, IOVA, OTHER);
}

static void ask_now(void)
{
	if (t.asking)
		return;
	t.asking = true;
	ask();
	t.asking = false;
}

static void stored(void *addr)
{
	(void)addr;
	ask_now();
}

static void waits(void)
{
	if (t.asking)
		return;
	ask_now();
	t.relax();
	ask_now();
}

static void start(u64 cap, u64 ecap, bool ats, bool hardly_caches)
{
	memset(&t, 0, sizeof(t));
	vtdhw_begin();
	vtdhw_hardly_caches = hardly_caches;
	t.hw = vtdhw_unit(cap, ecap);
	t.dev = vtdhw_dev(t.hw, 0x18, 20, ats);
	t.neighbour = vtdhw_dev(t.hw, 0x28, 0, false);
	vtdhw_open(t.dev);
	vtdhw_open(t.neighbour);
	t.old = mapped_pt(OLD);
	t.new = mapped_pt(NEW);
	t.other = mapped_pt(OTHER);
	assert_int_equal(ops->attach(t.other, t.neighbour->hd, NO), 0);
}

static void end(void)
{
	vtdhw_close(t.dev);
	vtdhw_close(t.neighbour);
	ops->pt_free(t.old);
	ops->pt_free(t.new);
	ops->pt_free(t.other);
	vtdhw_end();
}

static void check_pasid(u32 pasid, u32 beside)
{
	t.pasid = pasid;
	t.beside = beside;
	t.nr_old = 0;
	t.nr_new = 0;
	assert_int_equal(ops->attach(t.old, t.dev->hd, pasid), 0);
	if (beside != NO)
		assert_int_equal(ops->attach(t.other, t.dev->hd, beside), 0);
	ask();
	t.relax = shim_relax_hook;
	shim_relax_hook = waits;
	shim_store_hook = stored;
	assert_int_equal(ops->attach(t.new, t.dev->hd, pasid), 0);
	shim_store_hook = NULL;
	shim_relax_hook = t.relax;
	/* Requests came before and after the moment; and it is over. */
	assert_true(t.nr_old > 1 && t.nr_new);
	vtdhw_lands(t.dev, pasid, IOVA, NEW);
	ops->block(t.dev->hd, pasid);
	assert_false(vtdhw_dma(t.dev, pasid, IOVA, IOFD_READ).ok);
	if (beside != NO) {
		vtdhw_lands(t.dev, beside, IOVA, OTHER);
		ops->block(t.dev->hd, beside);
	}
}

static void check(u64 cap, u64 ecap, bool ats, bool hardly_caches)
{
	bool scalable = ecap & ECAP_SMTS;

	start(cap, ecap, ats, hardly_caches);
	check_pasid(NO, NO);
	if (scalable) {
		check_pasid(NO, 1);
		check_pasid(5, 6);
		check_pasid(1000, 1023);
		check_pasid(1000, NO);
	}
	/* The resting state has the page that the last one left. */
	vtdhw_close(t.dev);
	vtdhw_open(t.dev);
	check_pasid(NO, NO);
	end();
}

static void check_units(bool hardly_caches)
{
	u64 noncoherent = VTDHW_ECAP & ~(ECAP_C | ECAP_SMPWCS);
	unsigned int ats, legacy;

	for (ats = 0; ats < 2; ats++)
		for (legacy = 0; legacy < 2; legacy++) {
			u64 not = legacy ? ECAP_SMTS : 0;

			check(VTDHW_CAP, VTDHW_ECAP & ~not, ats, hardly_caches);
			check(VTDHW_CAP, noncoherent & ~not, ats, hardly_caches);
			check(VTDHW_CAP | CAP_CM, VTDHW_ECAP & ~not, ats,
			      hardly_caches);
			check(VTDHW_CAP | CAP_RWBF, noncoherent & ~not, ats,
			      hardly_caches);
		}
}

static void nothing_is_refused(void **state)
{
	check_units(false);
}

static void nothing_is_refused_uncached(void **state)
{
	check_units(true);
}

/* Domain ids and tables that were given up are used again, with new contents. */
static void what_is_given_up_is_forgotten(void **state)
{
	unsigned int legacy, ats, i;

	for (legacy = 0; legacy < 2; legacy++)
		for (ats = 0; ats < 2; ats++) {
			start(VTDHW_CAP, VTDHW_ECAP & ~(legacy ? ECAP_SMTS : 0),
			      ats, false);
			assert_int_equal(ops->attach(t.old, t.dev->hd, NO), 0);
			for (i = 0; i < 100; i++) {
				struct iofd_hw_pt *pt = mapped_pt(NEW + i * SZ_4K);

				vtdhw_lands(t.dev, NO, IOVA,
					    OLD + (i ? i * SZ_4K : 0));
				assert_int_equal(ops->attach(pt, t.dev->hd, NO), 0);
				ops->pt_free(t.old);
				t.old = pt;
			}
			end();
		}
}

/* Either of two requester IDs; and what shares one cannot be taken away. */
static void aliases(void **state)
{
	struct iofd_hw_pt *more;
	struct vtdhw_dev *dev;

	start(VTDHW_CAP, VTDHW_ECAP, false, false);
	dev = vtdhw_alias_dev(t.hw, 0x30, 0x31);
	vtdhw_open(dev);
	assert_int_equal(ops->attach(t.old, dev->hd, NO), 0);
	vtdhw_lands(dev, NO, IOVA, OLD);
	dev->send_as = 0x31;
	vtdhw_lands(dev, NO, IOVA, OLD);
	assert_int_equal(ops->attach(t.new, dev->hd, NO), 0);
	vtdhw_lands(dev, NO, IOVA, NEW);
	dev->send_as = 0x30;
	vtdhw_lands(dev, NO, IOVA, NEW);
	more = mapped_pt(OTHER + SZ_4K);
	assert_int_equal(ops->attach(more, dev->hd, NO), 0);
	vtdhw_lands(dev, NO, IOVA, OTHER + SZ_4K);
	vtdhw_close(dev);
	ops->pt_free(more);
	end();
}

/* One that is cut off for its silence does not come back by this. */
static void cut_off(void **state)
{
	unsigned int legacy;

	for (legacy = 0; legacy < 2; legacy++) {
		start(VTDHW_CAP, VTDHW_ECAP & ~(legacy ? ECAP_SMTS : 0), true,
		      false);
		assert_int_equal(ops->attach(t.old, t.dev->hd, NO), 0);
		vtdhw_lands(t.dev, NO, IOVA, OLD);
		t.dev->silent = true;
		assert_int_equal(ops->attach(t.new, t.dev->hd, NO), 0);
		vtdhw_refused(t.dev, NO, IOVA, legacy ? 0x2 : NO_CONTEXT);
		assert_int_equal(ops->attach(t.old, t.dev->hd, NO), 0);
		vtdhw_refused(t.dev, NO, IOVA, legacy ? 0x2 : NO_CONTEXT);
		vtdhw_lands(t.neighbour, NO, IOVA, OTHER);
		t.dev->silent = false;
		ops->block(t.dev->hd, NO);
		assert_int_equal(ops->attach(t.new, t.dev->hd, NO), 0);
		vtdhw_lands(t.dev, NO, IOVA, NEW);
		end();
	}
}

/* What is sent to the hardware (requirements D.10) */
static void order(void **state)
{
	start(VTDHW_CAP, VTDHW_ECAP, true, false);
	assert_int_equal(ops->attach(t.old, t.dev->hd, NO), 0);
	assert_int_equal(ops->attach(t.old, t.dev->hd, 5), 0);
	vtdhw_log(t.hw);
	assert_int_equal(ops->attach(t.new, t.dev->hd, NO), 0);
	assert_string_equal(vtdhw_log(t.hw), "Pdwtw");
	assert_int_equal(ops->attach(t.new, t.dev->hd, 5), 0);
	assert_string_equal(vtdhw_log(t.hw), "PdwTw");
	end();

	start(VTDHW_CAP, VTDHW_ECAP & ~ECAP_SMTS, true, false);
	assert_int_equal(ops->attach(t.old, t.dev->hd, NO), 0);
	vtdhw_log(t.hw);
	assert_int_equal(ops->attach(t.new, t.dev->hd, NO), 0);
	assert_string_equal(vtdhw_log(t.hw), "Cdwtw");
	end();
}

static void out_of_memory(void **state)
{
	unsigned int n, legacy;
	int rc;

	for (legacy = 0; legacy < 2; legacy++) {
		start(VTDHW_CAP, VTDHW_ECAP & ~(legacy ? ECAP_SMTS : 0), true,
		      false);
		assert_int_equal(ops->attach(t.old, t.dev->hd, NO), 0);
		for (n = 1;; n++) {
			shim_fail_nth(n);
			rc = ops->attach(t.new, t.dev->hd, NO);
			if (!shim_fail_fired())
				break;
			assert_int_equal(rc, -ENOMEM);
			vtdhw_lands(t.dev, NO, IOVA, OLD);
		}
		shim_fail_nth(0);
		assert_int_equal(rc, 0);
		assert_true(n > 1);
		vtdhw_lands(t.dev, NO, IOVA, NEW);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(nothing_is_refused),
		shim_test(nothing_is_refused_uncached),
		shim_test(what_is_given_up_is_forgotten),
		shim_test(aliases),
		shim_test(cut_off),
		shim_test(order),
		shim_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
