// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hw_bad [TEST]: devices that do what they must not. Whatever one does, memory
 * that is not its own stays as it is, and others go on.
 */
#include "hw.h"
#include "slots.h"

#define IOVA	0x200000ULL

/* Fault reasons (VT-d specification 7.1.3) */
#define FR_NO_ATS	0x44
#define FR_NO_PASIDS	0x45
#define FR_NO_PRI	0x47

static int iommu;

/* A device, and a page of its own that is mapped at IOVA. */
struct user {
	struct hw_dev dev;
	int ioasid;
	unsigned char *page;
};

static void start(struct user *user, const char *slot, __u64 label)
{
	if (!iommu)
		NEED((iommu = iommu_open()) > 0);
	NEED(hw_open(&user->dev, slot));
	NEED(!dev_bind(user->dev.fd, iommu, label));
	NEED(hw_start(&user->dev));
	NEED((user->page = pages_alloc(PAGE)));
	NEED((user->ioasid = ioasid_alloc(iommu)) > 0);
	NEED(!map_at(iommu, user->ioasid, RW, user->page, PAGE, IOVA));
	NEED(!dev_attach(user->dev.fd, iommu, user->ioasid));
}

static bool works(struct user *user)
{
	user->page[8] = 0;
	hw_requests(&user->dev, 7, HW_NO_PASID, 0);
	return hw_fill(&user->dev, 7, IOVA + 8, ~0ULL, 8) == HQ_OK &&
	       user->page[8] == 0xff;
}

/* Requests of a kind that the function is not allowed to send. */
static void requests_that_are_not_allowed(void)
{
	struct user plain = {}, none = {};
	uint64_t word;

	start(&plain, PLAIN, 1);
	start(&none, NONEST1, 2);
	AT("translated by nobody");
	hw_write(&plain.dev, HW_MISBEHAVE, HW_MIS_ATS);
	hw_requests(&plain.dev, 0, HW_NO_PASID, HQ_CTRL_RAW);
	CHECK_EQ(hw_fill(&plain.dev, 0, IOVA, ~0ULL, 8), HQ_FAULT);
	CHECK_EQ(hw_fault(&plain.dev, 0), FR_NO_ATS);
	CHECK_EQ(hw_peek64(&plain.dev, 0, 0x100000, &word), HQ_FAULT);
	CHECK_EQ(plain.page[0], 0);
	AT("a translation request");
	hw_requests(&plain.dev, 0, HW_NO_PASID, HQ_CTRL_ATS);
	CHECK_EQ(hw_fill(&plain.dev, 0, IOVA, ~0ULL, 8), HQ_FAULT);
	CHECK_EQ(hw_fault(&plain.dev, 0), FR_NO_ATS);

	AT("a PASID");
	hw_write(&plain.dev, HW_MISBEHAVE, HW_MIS_PASID);
	hw_requests(&plain.dev, 0, 5, 0);
	CHECK_EQ(hw_fill(&plain.dev, 0, IOVA, ~0ULL, 8), HQ_FAULT);
	CHECK_EQ(hw_fault(&plain.dev, 0), FR_NO_PASIDS);
	hw_requests(&plain.dev, 0, 0, 0);
	CHECK_EQ(hw_fill(&plain.dev, 0, IOVA, ~0ULL, 8), HQ_FAULT);

	AT("a page request");
	hw_write(&plain.dev, HW_MISBEHAVE, HW_MIS_PRI);
	hw_requests(&plain.dev, 0, HW_NO_PASID, 0);
	hq_write64(&plain.dev, 0, HQ_DATA, HQ_PR_R | HQ_PR_INDEX(3));
	hw_begin(&plain.dev, 0, HQ_CMD_PAGE_REQUEST, IOVA, 0, 1);
	CHECK_EQ(hw_wait(&plain.dev, 0) == HQ_OK, false);
	hw_stop(&plain.dev, 0);
	AT("a thousand of them");
	hq_write64(&plain.dev, 0, HQ_DATA, HQ_PR_R | HQ_PR_EACH | HQ_PR_INDEX(0));
	hw_begin(&plain.dev, 0, HQ_CMD_PAGE_REQUEST, IOVA, 0, 1000);
	hw_wait(&plain.dev, 0);
	AT("afterwards");
	hw_write(&plain.dev, HW_MISBEHAVE, 0);
	CHECK_EQ(plain.page[0], 0);
	CHECK(works(&plain));
	CHECK(works(&none));
}

/* Bus mastering is off, but it does DMA: it gets what is mapped, and no more. */
static void dma_without_bus_mastering(void)
{
	struct user user = {};
	uint64_t word;

	start(&user, PLAIN, 1);
	hw_write(&user.dev, HW_MISBEHAVE, HW_MIS_MASTER);
	CHECK(hw_master(&user.dev, false));
	CHECK(works(&user));
	CHECK_EQ(hw_peek64(&user.dev, 0, IOVA + PAGE, &word), HQ_FAULT);
	CHECK_OK(dev_detach(user.dev.fd, iommu, user.ioasid));
	CHECK_EQ(hw_peek64(&user.dev, 0, IOVA, &word), HQ_FAULT);
}

/* A device that never answers an invalidation is cut off, and others go on. */
static void invalidations_without_answer(void)
{
	struct user silent = {}, other = {};
	unsigned char *shared;
	uint64_t word;
	double begin;
	int log;

	log = log_open();
	start(&silent, FULL0, 1);
	start(&other, FULL1, 2);
	NEED((shared = pages_alloc(PAGE)));
	CHECK_OK(dev_detach(other.dev.fd, iommu, other.ioasid));
	CHECK_OK(dev_attach(other.dev.fd, iommu, silent.ioasid));
	NEED(!map_at(iommu, silent.ioasid, RW, shared, PAGE, 2 * IOVA));
	hw_requests(&silent.dev, 0, HW_NO_PASID, HQ_CTRL_ATS);
	hw_requests(&other.dev, 0, HW_NO_PASID, HQ_CTRL_ATS);
	CHECK_EQ(hw_peek64(&silent.dev, 0, 2 * IOVA, &word), HQ_OK);
	CHECK_EQ(hw_peek64(&other.dev, 0, 2 * IOVA, &word), HQ_OK);

	hw_write(&silent.dev, HW_MISBEHAVE, HW_MIS_INV_DROP);
	begin = check_now();
	CHECK_OK(unmap_at(iommu, silent.ioasid, 2 * IOVA, PAGE));
	printf("  unmapped after %.1f s\n", check_now() - begin);
	CHECK(check_now() - begin < 30);
	CHECK(logged(log, "00:14.0", "does not answer"));

	AT("what it still has is of no use to it");
	CHECK(hw_read(&silent.dev, HW_ATC_ENTRIES) > 0);
	CHECK_EQ(hw_fill(&silent.dev, 0, 2 * IOVA, ~0ULL, 8), HQ_FAULT);
	hw_requests(&silent.dev, 0, HW_NO_PASID, 0);
	CHECK_EQ(hw_fill(&silent.dev, 0, IOVA, ~0ULL, 8), HQ_FAULT);
	CHECK_EQ(shared[0], 0);
	AT("the other");
	CHECK(hw_peek64(&other.dev, 0, 2 * IOVA, &word) != HQ_OK);
	hw_requests(&other.dev, 1, HW_NO_PASID, 0);
	CHECK_EQ(hw_fill(&other.dev, 1, IOVA, ~0ULL, 8), HQ_OK);
	AT("it behaves again, and is attached anew");
	hw_write(&silent.dev, HW_MISBEHAVE, 0);
	hw_write(&silent.dev, HW_ATC_ENTRIES, 0);
	CHECK_OK(dev_detach(silent.dev.fd, iommu, silent.ioasid));
	CHECK_OK(dev_attach(silent.dev.fd, iommu, silent.ioasid));
	CHECK(works(&silent));
}

/* An answer that nobody waits for is an error of the queue, not its end. */
static void answers_to_nothing(void)
{
	struct user user = {};
	unsigned int i;

	start(&user, FULL0, 1);
	for (i = 0; i < 20; i++) {
		hw_write(&user.dev, HW_TEST_INV_DONE, 1);
		CHECK_OK(unmap_at(iommu, user.ioasid, IOVA, PAGE));
		NEED(!map_at(iommu, user.ioasid, RW, user.page, PAGE, IOVA));
		CHECK(works(&user));
	}
}

/* More faults than anybody can read. */
static void flood_of_faults(void)
{
	struct user flood = {}, other = {};
	unsigned int q, rounds = 0;
	double begin;

	start(&flood, PLAIN, 1);
	start(&other, ACS0, 2);
	for (q = 0; q < 4; q++) {
		hq_write(&flood.dev, q, HQ_INTERVAL_US, 20);
		hw_begin(&flood.dev, q, HQ_CMD_FILL | HQ_CMD_REPEAT, 0,
			 IOVA + (q + 1) * PAGE, 64);
	}
	begin = check_now();
	while (check_now() - begin < 2) {
		CHECK(works(&other));
		CHECK_OK(unmap_at(iommu, other.ioasid, IOVA, PAGE));
		NEED(!map_at(iommu, other.ioasid, RW, other.page, PAGE, IOVA));
		rounds++;
	}
	printf("  %llu faults, %u rounds beside them\n",
	       (unsigned long long)hq_read64(&flood.dev, 0, HQ_ERRORS) * 4, rounds);
	CHECK(hq_read64(&flood.dev, 0, HQ_ERRORS) > 1000);
	CHECK(rounds > 20);
	for (q = 0; q < 4; q++)
		hw_stop(&flood.dev, q);
	CHECK(works(&flood));
	/* And one more is reported as any other. */
	CHECK_EQ(hw_fill(&flood.dev, 0, IOVA + PAGE, 0, 8), HQ_FAULT);
}

/* Reset in the middle: by software through its file, while it does DMA. */
static void reset_while_busy(void)
{
	struct user user = {};
	uint32_t resets;

	start(&user, FULL0, 1);
	hw_begin(&user.dev, 0, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, IOVA, 64);
	check_sleep_ms(10);
	resets = hw_read(&user.dev, HW_RESETS);
	CHECK_OK(ioctl(user.dev.fd, VFIO_DEVICE_RESET));
	CHECK_EQ(hw_read(&user.dev, HW_RESETS), resets + 1);
	CHECK_EQ(hq_read(&user.dev, 0, HQ_STATUS), HQ_IDLE);
	CHECK(hw_master(&user.dev, true));
	CHECK(works(&user));
	AT("ATS is on again");
	hw_requests(&user.dev, 1, HW_NO_PASID, HQ_CTRL_ATS);
	CHECK_EQ(hw_fill(&user.dev, 1, IOVA, 0, 8), HQ_OK);
}

/* Anything at all into every register: the rest of the machine stands it. */
static void any_register(void)
{
	struct user mad = {}, other = {};
	uint64_t seed = 0x9e3779b97f4a7c15ULL;
	unsigned int i, at;

	start(&mad, FULL0, 1);
	start(&other, FULL1, 2);
	for (i = 0; i < 4000; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		at = (unsigned int)(seed >> 40);
		switch (at % 4) {
		case 0:
			hw_write(&mad.dev, (at >> 2) % HW_BAR0_BYTES & ~3u,
				 (uint32_t)seed);
			break;
		case 1:
			hq_write(&mad.dev, (at >> 2) % 8, (at >> 8) % 0x70 & ~3u,
				 (uint32_t)seed & 0x3ff);
			break;
		case 2:
			hq_write64(&mad.dev, (at >> 2) % 8, HQ_LEN,
				   ((seed & 0x1ff) << 32) | (seed >> 32 & 0x1ffff));
			break;
		case 3:
			hq_write64(&mad.dev, (at >> 2) % 8,
				   at & 0x80 ? HQ_SRC : HQ_DST,
				   IOVA + (seed & 0x1fff));
			break;
		}
	}
	for (i = 0; i < 8; i++)
		hw_stop(&mad.dev, i);
	CHECK(works(&other));
	/* Invalidations may have gone unanswered, and the device been cut off. */
	CHECK_OK(ioctl(mad.dev.fd, VFIO_DEVICE_RESET));
	hw_write(&mad.dev, HW_MISBEHAVE, 0);
	CHECK(hw_master(&mad.dev, true));
	CHECK_OK(dev_detach(mad.dev.fd, iommu, mad.ioasid));
	CHECK_OK(dev_attach(mad.dev.fd, iommu, mad.ioasid));
	CHECK(works(&mad));
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(requests_that_are_not_allowed);
	RUN(dma_without_bus_mastering);
	RUN(invalidations_without_answer);
	RUN(answers_to_nothing);
	RUN(flood_of_faults);
	RUN(reset_while_busy);
	RUN(any_register);
	return check_end();
}
