// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hw_replace [TEST]: DMA that never stops, by every kind of request, while the
 * table that it goes through is replaced: each transfer arrives in the old one's
 * memory or in the new one's, none is refused, and none arrives in the old one's
 * once the command has returned. ROUNDS in the environment: how many times.
 */
#include "guest.h"
#include "../../vm/upstream.h"

#define RING		0x10000ULL	/* bytes of a stream, a slot of 8 each */
#define SLOTS		(RING / 8)
#define STREAMS		4
#define AREA		(STREAMS * RING)
#define IOVA		0x40000000ULL
#define THE_PASID	0x333

/* Untranslated, by ATS, both also with PASID */
static const struct { bool pasid; uint32_t flags; } kinds[STREAMS] = {
	{ false, 0 }, { true, 0 }, { false, HQ_CTRL_ATS }, { true, HQ_CTRL_ATS },
};

static struct hw_dev dev;
static unsigned int streams[STREAMS], nr_streams;	/* of the device */
static int pt[2];			/* tables */
static volatile uint64_t *area[2];	/* where they lead to */
static bool has_pasid;

static uint64_t rounds(unsigned int q)
{
	return hq_read64(&dev, q, HQ_ROUNDS);
}

static volatile uint64_t *slot(unsigned int where, unsigned int q, uint64_t round)
{
	return area[where] + q * SLOTS + round % SLOTS;
}

/* Later rounds may have come by since. */
static bool holds(unsigned int where, unsigned int q, uint64_t round)
{
	uint64_t value = *slot(where, q, round);

	return value >= round && (value - round) % SLOTS == 0;
}

static bool replace(unsigned int to)
{
	return up_attach(dev.fd, pt[to]) == pt[to] &&
	       (!has_pasid ||
		up_attach_pasid(dev.fd, pt[to], THE_PASID) == pt[to]);
}

static uint64_t last_slots(uint64_t from, uint64_t to)
{
	return to > from + SLOTS / 2 ? to - SLOTS / 2 : from;
}

/* Rounds @from, not 0, to @to, when one was replaced by the other */
static void check_either(unsigned int q, uint64_t from, uint64_t to)
{
	uint64_t r;

	for (r = last_slots(from, to); r < to; r++)
		if (!holds(0, q, r) && !holds(1, q, r)) {
			check_fail("stream %u: transfer %llu is lost", q,
				   (unsigned long long)r);
			return;
		}
}

/* Rounds @from to @to, when there was only @now */
static void check_one(unsigned int q, uint64_t from, uint64_t to, unsigned int now)
{
	uint64_t r;

	for (r = last_slots(from, to); r < to; r++)
		if (!holds(now, q, r) || *slot(!now, q, r) >= r) {
			check_fail("stream %u: transfer %llu is not in the new table's memory alone",
				   q, (unsigned long long)r);
			return;
		}
}

static void streams_start(uint64_t iova)
{
	unsigned int q;

	nr_streams = 0;
	memset((void *)area[0], 0, AREA);
	memset((void *)area[1], 0, AREA);
	has_pasid = dev.has & HW_HAS_PASID;
	NEED(replace(0));
	for (q = 0; q < STREAMS; q++) {
		if ((kinds[q].pasid && !has_pasid) ||
		    (kinds[q].flags && !(hw_read(&dev, HW_HAS) & HW_HAS_ATS)))
			continue;
		streams[nr_streams++] = q;
		hw_requests(&dev, q, kinds[q].pasid ? THE_PASID : HW_NO_PASID,
			    kinds[q].flags);
		hq_write(&dev, q, HQ_INTERVAL_US, 20);
		hw_begin(&dev, q, HQ_CMD_COUNT | HQ_CMD_REPEAT, 0,
			 iova + q * RING, RING);
	}
}

static bool go_on(const uint64_t *from, uint64_t *now)
{
	double end = check_now() + 10;
	unsigned int i;

	for (i = 0; i < nr_streams; i++)
		while ((now[i] = rounds(streams[i])) < from[i] + 2)
			if (check_now() > end)
				return false;
	return true;
}

static void replace_often(unsigned int times, uint64_t iova)
{
	uint64_t after[STREAMS] = { 1, 1, 1, 1 }, before[STREAMS];
	unsigned int n, i, now = 0;
	uint64_t total = 0;

	streams_start(iova);
	for (n = 0; n < times; n++, now = !now) {
		AT("%u of %u", n, times);
		/* Only the new one, since the command has returned */
		NEED(go_on(after, before));
		for (i = 0; i < nr_streams; i++)
			check_one(streams[i], after[i], before[i], now);
		NEED(replace(!now));
		for (i = 0; i < nr_streams; i++) {
			after[i] = rounds(streams[i]);
			check_either(streams[i], before[i], after[i]);
		}
	}
	for (i = 0; i < nr_streams; i++) {
		hw_stop(&dev, streams[i]);
		AT("stream %u, fault %#x at %#llx", streams[i],
		   hw_fault(&dev, streams[i]),
		   (unsigned long long)hq_read64(&dev, streams[i], HQ_ADDR));
		CHECK_EQ(hq_read64(&dev, streams[i], HQ_ERRORS), 0);
		total += rounds(streams[i]);
	}
	printf("  %u times, %llu transfers of %u streams\n", times,
	       (unsigned long long)total, nr_streams);
	CHECK_EQ(hw_misuse(&dev), 0);
}

static unsigned int times(unsigned int most)
{
	const char *rounds = getenv("ROUNDS");
	unsigned int n = rounds ? (unsigned int)atoi(rounds) : most;

	return n < most ? n : most;
}

/* Two address spaces, with a table each */
static void spaces(const char *name, unsigned int most)
{
	unsigned int i;
	int id, ioas;

	NEED((g.fd = iommu_open()) >= 0);
	NEED(hw_open(&dev, name));
	NEED((id = up_bind(dev.fd, g.fd)) > 0);
	NEED(hw_start(&dev));
	for (i = 0; i < 2; i++) {
		NEED((area[i] = (volatile uint64_t *)pages_alloc(AREA)));
		NEED((ioas = up_ioas(g.fd)) > 0);
		NEED(!up_map(g.fd, ioas, (void *)area[i], AREA, IOVA));
		NEED((pt[i] = up_hwpt(g.fd, id, ioas,
				      dev.has & HW_HAS_PASID ? UP_PASID : 0)) > 0);
	}
	replace_often(times(most), IOVA);
}

static void replaced_10000_times(void)
{
	spaces(FULL0, 10000);
}

static void not_coherent(void)
{
	spaces(NONEST0, 1000);
}

static void legacy_mode(void)
{
	spaces(LEGACY1, 1000);
}

/* A guest's tables, nested over its memory */
static void guests_tables(void)
{
	uint64_t table, at, from[2] = { 0x100000, 0x200000 };
	int id, parent;
	unsigned int i;

	guest_start(8 * MIB);
	NEED(hw_open(&dev, FULL0));
	NEED((id = up_bind(dev.fd, g.fd)) > 0);
	NEED(hw_start(&dev));
	NEED((parent = up_hwpt(g.fd, id, g.gpa, UP_NEST_PARENT)) > 0);
	for (i = 0; i < 2; i++) {
		area[i] = (volatile uint64_t *)(g.ram + from[i]);
		table = table_page();
		for (at = 0; at < AREA; at += PAGE)
			s1_map(table, 4, IOVA + at, from[i] + at, 1);
		NEED((pt[i] = up_nested(g.fd, id, parent, table)) > 0);
	}
	replace_often(times(1000), IOVA);
}

/* The test would notice: blocked for a moment, as by DETACH and ATTACH */
static void a_gap_shows(void)
{
	spaces(FULL0, 1);
	streams_start(IOVA);
	CHECK_OK(up_detach(dev.fd));
	NEED(replace(1));
	check_sleep_ms(5);
	hw_stop(&dev, 0);
	CHECK(hq_read64(&dev, 0, HQ_ERRORS) > 0);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(replaced_10000_times);
	RUN(not_coherent);
	RUN(legacy_mode);
	RUN(guests_tables);
	RUN(a_gap_shows);
	return check_end();
}
