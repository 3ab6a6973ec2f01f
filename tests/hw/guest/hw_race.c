// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hw_race [TEST]: DMA that never stops, by every kind of request, while what it
 * goes through is taken away: once a command has returned, nothing arrives.
 */
#include "hw.h"
#include "slots.h"

#define IOVA	0x200000ULL
#define PATTERN	0x5a5a5a5a5a5a5a5aULL
#define THE_PASID	0x333
#define STREAMS	4

static struct hw_dev dev;
static int iommu, ioasid;
static unsigned char *memory;

/* Untranslated, by ATS, both also with PASID; each writes a page of its own. */
static const struct { bool pasid; uint32_t flags; } kinds[STREAMS] = {
	{ false, 0 }, { false, HQ_CTRL_ATS }, { true, 0 }, { true, HQ_CTRL_ATS },
};

static void start(const char *slot)
{
	unsigned int q;

	NEED((iommu = iommu_open()) >= 0);
	NEED(hw_open(&dev, slot));
	NEED(!dev_bind(dev.fd, iommu, 1));
	NEED(hw_start(&dev));
	NEED((memory = pages_alloc(STREAMS * PAGE)));
	NEED((ioasid = ioasid_alloc(iommu)) > 0);
	for (q = 0; q < STREAMS; q++) {
		hw_requests(&dev, q, kinds[q].pasid ? THE_PASID : HW_NO_PASID,
			    kinds[q].flags);
		hq_write(&dev, q, HQ_INTERVAL_US, 20);
		hq_write64(&dev, q, HQ_DATA, PATTERN);
		hw_begin(&dev, q, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, IOVA + q * PAGE,
			 256);
	}
}

static bool stops(void)
{
	unsigned int q;

	for (q = 0; q < STREAMS; q++)
		hw_stop(&dev, q);
	return true;
}

static bool attach(void)
{
	return !dev_attach(dev.fd, iommu, ioasid) &&
	       !dev_attach_pasid(dev.fd, iommu, ioasid, THE_PASID);
}

static bool detach(void)
{
	return !dev_detach(dev.fd, iommu, ioasid) &&
	       !dev_detach_pasid(dev.fd, iommu, ioasid, THE_PASID);
}

static bool map(void)
{
	return !map_at(iommu, ioasid, RW, memory, STREAMS * PAGE, IOVA);
}

static bool arrives(unsigned int q)
{
	double end = check_now() + 5;

	while (check_now() < end)
		if (*(volatile unsigned char *)(memory + q * PAGE))
			return true;
	return false;
}

/* All four are there again; then take @away, and nothing must come any more. */
static void round_of(unsigned int nr, const char *what, bool (*away)(void))
{
	unsigned int q;

	for (q = 0; q < STREAMS; q++) {
		AT("%s, round %u, stream %u", what, nr, q);
		NEED(arrives(q));
	}
	CHECK(away());
	memset(memory, 0, STREAMS * PAGE);
	/* A few hundred of each would have come meanwhile. */
	check_sleep_ms(4);
	for (q = 0; q < STREAMS; q++) {
		AT("%s, round %u, stream %u", what, nr, q);
		CHECK_EQ(memory[q * PAGE], 0);
	}
}

static bool unmap(void)
{
	return !unmap_at(iommu, ioasid, IOVA, STREAMS * PAGE);
}

static bool all_gone(void)
{
	return !unmap_all(iommu, ioasid);
}

static void unmapping(void)
{
	unsigned int i;

	start(FULL0);
	NEED(attach());
	for (i = 0; i < 60; i++) {
		NEED(map());
		round_of(i, "unmap", i % 2 ? unmap : all_gone);
	}
	CHECK(stops());
	CHECK_EQ(hw_misuse(&dev), 0);
}

static void detaching(void)
{
	unsigned int i;

	start(FULL0);
	NEED(map());
	for (i = 0; i < 40; i++) {
		NEED(attach());
		round_of(i, "detach", detach);
	}
	CHECK(stops());
	CHECK_EQ(hw_misuse(&dev), 0);
}

static bool close_all(void)
{
	close(iommu);
	iommu = -1;
	return true;
}

static void closing(void)
{
	unsigned int i;

	start(NONEST0);
	for (i = 0; i < 10; i++) {
		if (iommu < 0) {
			NEED((iommu = iommu_open()) >= 0);
			NEED(!dev_bind(dev.fd, iommu, 1));
			NEED((ioasid = ioasid_alloc(iommu)) > 0);
		}
		NEED(map());
		NEED(attach());
		round_of(i, "close", close_all);
	}
	CHECK(stops());
	CHECK_EQ(hw_misuse(&dev), 0);
}

/* The test would notice: a unit that takes no notice of flushes. */
static void a_lost_flush_shows(void)
{
	unsigned int q, late = 0;

	start(FULL0);
	NEED(attach());
	NEED(map());
	for (q = 0; q < STREAMS; q++)
		NEED(arrives(q));
	/* Flushes by domain and of device TLBs */
	ht_write(&dev, HT_IGNORE, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 8);
	/* The memory stays ours to look at: it is mapped elsewhere, too. */
	NEED(!map_at(iommu, ioasid, RW, memory, STREAMS * PAGE, 64 * IOVA));
	CHECK(unmap());
	memset(memory, 0, STREAMS * PAGE);
	check_sleep_ms(20);
	for (q = 0; q < STREAMS; q++)
		late += !!memory[q * PAGE];
	CHECK(stops());
	ht_write(&dev, HT_IGNORE, 0);
	hw_write(&dev, HW_ATC_ENTRIES, 0);
	printf("  %u of %u streams went on\n", late, STREAMS);
	CHECK_EQ(late, STREAMS);
	/* What the unit has kept goes with the domain. */
	CHECK(detach());
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(unmapping);
	RUN(detaching);
	RUN(closing);
	RUN(a_lost_flush_shows);
	return check_end();
}
