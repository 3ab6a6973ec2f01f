// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hw_smoke [TEST]: the driver on several remapping units of different kinds, with
 * endpoints that do DMA through them: what arrives, what is blocked and reported,
 * and what devices cache.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include "hw.h"
#include "slots.h"

#define IOVA	0x200000ULL
#define LABEL	0x1122334455667788ULL

static struct hw_dev dev;
static int iommu, ioasid;
static unsigned char *memory;

static void bound(const char *slot)
{
	NEED(hw_open(&dev, slot));
	NEED((iommu = iommu_open()) >= 0);
	NEED((memory = pages_alloc(16 * PAGE)));
	NEED(!dev_bind(dev.fd, iommu, LABEL));
	NEED(hw_start(&dev));
}

/* Bound, attached, and eight of the pages mapped. */
static void attached(const char *slot)
{
	bound(slot);
	NEED((ioasid = ioasid_alloc(iommu)) > 0);
	NEED(!map_at(iommu, ioasid, RW, memory, 8 * PAGE, IOVA));
	NEED(!dev_attach(dev.fd, iommu, ioasid));
}

static void put_away(void)
{
	hw_close(&dev);
	close(iommu);
	munmap(memory, 16 * PAGE);
}

static bool file_says(const char *path, const char *what)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	if (fd >= 0)
		close(fd);
	return strstr(text, what);
}

static bool is_scalable(void)
{
	return file_says("/sys/class/iommu/dmar0/intel-iommu/mode", "scalable");
}

static void units_of_all_kinds(void)
{
	const char *legacy = getenv("LEGACY");

	CHECK_EQ(is_scalable(), !legacy);
	CHECK(file_says("/sys/class/iommu/dmar1/intel-iommu/mode",
			legacy ? "legacy" : "scalable"));
	CHECK(file_says("/sys/class/iommu/dmar2/intel-iommu/mode", "legacy"));
}

static int group(const char *slot)
{
	char bdf[16];

	snprintf(bdf, sizeof(bdf), "0000:00:%s", slot);
	return iommu_group_of(bdf);
}

static void groups(void)
{
	CHECK(group(TWIN0) >= 0 && group(TWIN0) == group(TWIN1));
	CHECK(group(ACS0) >= 0 && group(ACS1) >= 0 && group(ACS0) != group(ACS1));
	/* A unit is not behind itself or another. */
	CHECK_EQ(group("10.0"), -1);
}

static void copies(void)
{
	static const char * const slots[] = {
		FULL0, PLAIN, TWIN0, ACS0, ACS1, NONEST0, NONEST1, LEGACY0, LEGACY1,
	};
	unsigned int i, k, q;

	for (i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
		AT("%s", slots[i]);
		/* Both of a group have to be ours. */
		if (!strcmp(slots[i], TWIN0))
			NEED(pci_give("0000:00:" TWIN1, "iofd-pci"));
		attached(slots[i]);
		for (q = 0; q < dev.queues; q += 3) {
			for (k = 0; k < 16 * PAGE; k++)
				memory[k] = (unsigned char)(k * 7 + i + q);
			/* From and to places that are no pages' beginnings. */
			CHECK_EQ(hw_copy(&dev, q, IOVA + 5, IOVA + 4 * PAGE + 1001,
					 2 * PAGE + 77), HQ_OK);
			CHECK_EQ(hq_read64(&dev, q, HQ_DONE), 2 * PAGE + 77);
			CHECK(!memcmp(memory + 5, memory + 4 * PAGE + 1001,
				      2 * PAGE + 77));
			CHECK_EQ(memory[4 * PAGE + 1000],
				 (unsigned char)((4 * PAGE + 1000) * 7 + i + q));
		}
		put_away();
	}
}

static void commands(void)
{
	uint64_t hash = 0xcbf29ce484222325ULL, word;
	unsigned char buf[300], back[300];
	unsigned int i;

	attached(PLAIN);
	CHECK_EQ(hw_fill(&dev, 0, IOVA + 3, 0x0807060504030201ULL, 5000), HQ_OK);
	CHECK_EQ(memory[2], 0);
	CHECK_EQ(memory[3], 1);
	CHECK_EQ(memory[3 + 4999], 8);
	CHECK_EQ(memory[3 + 5000], 0);

	for (i = 0; i < 5000; i++)
		hash = (hash ^ memory[3 + i]) * 0x100000001b3ULL;
	hw_begin(&dev, 1, HQ_CMD_SUM, IOVA + 3, 0, 5000);
	CHECK_EQ(hw_wait(&dev, 1), HQ_OK);
	CHECK_EQ(hq_read64(&dev, 1, HQ_RESULT), hash);

	memcpy(memory + 4 * PAGE, memory, 4 * PAGE);
	hw_begin(&dev, 1, HQ_CMD_COMPARE, IOVA, IOVA + 4 * PAGE, 4 * PAGE);
	CHECK_EQ(hw_wait(&dev, 1), HQ_OK);
	CHECK_EQ(hq_read64(&dev, 1, HQ_RESULT), 4 * PAGE);
	memory[4 * PAGE + 4999]++;
	hw_begin(&dev, 1, HQ_CMD_COMPARE, IOVA, IOVA + 4 * PAGE, 4 * PAGE);
	CHECK_EQ(hw_wait(&dev, 1), HQ_OK);
	CHECK_EQ(hq_read64(&dev, 1, HQ_RESULT), 4999);

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (unsigned char)(i ^ 0x5a);
	CHECK_EQ(hw_poke(&dev, 2, IOVA + 4000, buf, sizeof(buf)), HQ_OK);
	CHECK(!memcmp(memory + 4000, buf, sizeof(buf)));
	CHECK_EQ(hw_peek(&dev, 3, IOVA + 4000, back, sizeof(back)), HQ_OK);
	CHECK(!memcmp(back, buf, sizeof(buf)));
	CHECK_EQ(hw_peek64(&dev, 3, IOVA + 4000, &word), HQ_OK);
	CHECK(!memcmp(&word, buf, 8));

	AT("nonsense");
	hw_begin(&dev, 0, 77, IOVA, IOVA, 8);
	CHECK_EQ(hw_wait(&dev, 0), HQ_ERROR);
	hw_begin(&dev, 0, HQ_CMD_READ, IOVA, 0, HW_WINDOW_BYTES + 1);
	CHECK_EQ(hw_wait(&dev, 0), HQ_ERROR);
	AT("no bus mastering");
	CHECK(hw_master(&dev, false));
	CHECK_EQ(hw_fill(&dev, 0, IOVA, 0, 8), HQ_ERROR);
	CHECK_EQ(hq_read(&dev, 0, HQ_REASON), HQ_E_MASTER);
}

static void outside_is_blocked_and_reported(void)
{
	bool scalable = is_scalable();
	uint64_t word;
	char text[64];
	int log;

	log = log_open();
	attached(PLAIN);
	snprintf(text, sizeof(text), "label %#llx, IOASID %d", LABEL, ioasid);

	AT("write");
	CHECK_EQ(hw_fill(&dev, 0, IOVA + 8 * PAGE, ~0ULL, 64), HQ_FAULT);
	CHECK_EQ(hw_fault(&dev, 0), scalable ? 0x79 : 0x05);
	CHECK(hq_read(&dev, 0, HQ_REASON) & 1 << 16);
	CHECK_EQ(hq_read64(&dev, 0, HQ_ADDR), IOVA + 8 * PAGE);
	CHECK(logged(log, "DMA write to 0x208000 refused", text));

	AT("read");
	CHECK_EQ(hw_peek64(&dev, 0, 0x12345000, &word), HQ_FAULT);
	CHECK_EQ(hw_fault(&dev, 0), scalable ? 0x79 : 0x06);
	CHECK(logged(log, "DMA read of 0x12345000 refused", text));

	AT("half of it");
	CHECK_EQ(hw_fill(&dev, 0, IOVA + 7 * PAGE, ~0ULL, 2 * PAGE), HQ_FAULT);
	CHECK_EQ(hq_read64(&dev, 0, HQ_DONE), PAGE);
	CHECK_EQ(memory[8 * PAGE - 1], 0xff);
	CHECK_EQ(memory[8 * PAGE], 0);

	AT("read only");
	NEED(!map_at(iommu, ioasid, IOMMU_MAP_READ, memory + 9 * PAGE, PAGE, 2 * IOVA));
	CHECK_EQ(hw_peek64(&dev, 0, 2 * IOVA, &word), HQ_OK);
	CHECK_EQ(hw_fill(&dev, 0, 2 * IOVA, ~0ULL, 8), HQ_FAULT);
	CHECK_EQ(memory[9 * PAGE], 0);
}

/* Bound but not attached, detached: nothing goes through. */
static void blocked_at_rest(void)
{
	static const char * const slots[] = { FULL0, NONEST1, LEGACY1 };
	uint64_t word;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		AT("%s", slots[i]);
		bound(slots[i]);
		CHECK_EQ(hw_fill(&dev, 0, IOVA, ~0ULL, 64), HQ_FAULT);
		NEED((ioasid = ioasid_alloc(iommu)) > 0);
		NEED(!map_at(iommu, ioasid, RW, memory, 8 * PAGE, IOVA));
		CHECK_EQ(hw_fill(&dev, 0, IOVA, ~0ULL, 64), HQ_FAULT);
		CHECK_EQ(memory[0], 0);
		NEED(!dev_attach(dev.fd, iommu, ioasid));
		CHECK_EQ(hw_fill(&dev, 0, IOVA, ~0ULL, 64), HQ_OK);
		CHECK_EQ(memory[0], 0xff);
		CHECK_OK(unmap_at(iommu, ioasid, IOVA, 8 * PAGE));
		CHECK_EQ(hw_peek64(&dev, 0, IOVA, &word), HQ_FAULT);
		NEED(!map_at(iommu, ioasid, RW, memory, 8 * PAGE, IOVA));
		CHECK_EQ(hw_peek64(&dev, 0, IOVA, &word), HQ_OK);
		NEED(!dev_detach(dev.fd, iommu, ioasid));
		CHECK_EQ(hw_peek64(&dev, 0, IOVA, &word), HQ_FAULT);
		put_away();
	}
}

/* DMA that runs on while the device is detached and attached. */
static void running_dma_stops_at_detach(void)
{
	uint64_t errors;
	int i;

	attached(FULL0);
	hq_write(&dev, 0, HQ_INTERVAL_US, 50);
	hq_write64(&dev, 0, HQ_DATA, 0x1111111111111111ULL);
	hw_begin(&dev, 0, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, IOVA, PAGE);
	for (i = 0; i < 5; i++) {
		AT("round %d", i);
		check_sleep_ms(20);
		CHECK(hq_read64(&dev, 0, HQ_ROUNDS) > 0);
		NEED(!dev_detach(dev.fd, iommu, ioasid));
		memset(memory, 0, PAGE);
		errors = hq_read64(&dev, 0, HQ_ERRORS);
		check_sleep_ms(20);
		CHECK(hq_read64(&dev, 0, HQ_ERRORS) > errors);
		CHECK_EQ(memory[0], 0);
		NEED(!dev_attach(dev.fd, iommu, ioasid));
		check_sleep_ms(20);
		CHECK_EQ(memory[0], 0x11);
	}
	AT("stopped");
	hw_stop(&dev, 0);
	CHECK_EQ(hq_read(&dev, 0, HQ_STATUS), HQ_IDLE);
}

static void interrupts(void)
{
	char buffer[sizeof(struct vfio_irq_set) + sizeof(int)] = {};
	struct vfio_irq_set *set = (void *)buffer;
	struct pollfd pollfd = { .events = POLLIN };
	uint64_t count = 0;

	attached(PLAIN);
	NEED((pollfd.fd = eventfd(0, EFD_NONBLOCK)) >= 0);
	set->argsz = sizeof(buffer);
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD;
	set->count = 1;
	memcpy(set->data, &pollfd.fd, sizeof(int));
	CHECK_OK(ioctl(dev.fd, VFIO_DEVICE_SET_IRQS, set));
	CHECK_EQ(poll(&pollfd, 1, 0), 0);
	hq_write(&dev, 4, HQ_IRQ, HQ_IRQ_ENABLE | HQ_IRQ_VECTOR(0));
	CHECK_EQ(hw_fill(&dev, 4, IOVA, 0, 64), HQ_OK);
	CHECK_EQ(poll(&pollfd, 1, 2000), 1);
	CHECK_EQ(read(pollfd.fd, &count, 8), 8);
	CHECK_EQ(count, 1);
}

/* Refused, by the unit or by what it told the device. */
static bool refused(unsigned int q)
{
	uint32_t status = hq_read(&dev, q, HQ_STATUS);

	return status == HQ_FAULT || (status == HQ_ERROR &&
	       hq_read(&dev, q, HQ_REASON) == HQ_E_PERMISSION);
}

static void ats(const char *slot)
{
	uint64_t mark, qw[4] = {}, word;
	uint32_t flushed, hits;

	attached(slot);
	hw_requests(&dev, 1, HW_NO_PASID, HQ_CTRL_ATS);
	strcpy((char *)memory, "before");

	AT("%s: cached", slot);
	CHECK_EQ(hw_peek64(&dev, 1, IOVA, &word), HQ_OK);
	CHECK(!memcmp(&word, "before", 7));
	CHECK(hw_read(&dev, HW_ATC_ENTRIES) > 0);
	hits = hw_read(&dev, HW_ATC_HITS);
	CHECK_EQ(hw_peek64(&dev, 1, IOVA, &word), HQ_OK);
	CHECK(hw_read(&dev, HW_ATC_HITS) > hits);

	AT("%s: unmap flushes the device's TLB", slot);
	mark = hw_log_mark(&dev);
	flushed = hw_read(&dev, HW_ATC_FLUSHED);
	CHECK_OK(unmap_at(iommu, ioasid, IOVA, 8 * PAGE));
	CHECK(hw_read(&dev, HW_ATC_FLUSHED) > flushed);
	CHECK_EQ(hw_read(&dev, HW_ATC_ENTRIES), 0);
	CHECK(hw_log_count(&dev, mark, 3, qw) > 0);
	CHECK_EQ(QI_DEVTLB_SID(qw), hw_read(&dev, HW_SID));
	hw_peek64(&dev, 1, IOVA, &word);
	CHECK(refused(1));

	/* Were it not flushed, it would show. */
	AT("%s: a unit that ignores the flush", slot);
	NEED(!map_at(iommu, ioasid, RW, memory, 8 * PAGE, IOVA));
	CHECK_EQ(hw_peek64(&dev, 1, IOVA, &word), HQ_OK);
	ht_write(&dev, HT_IGNORE, 1 << 3);
	CHECK_OK(unmap_at(iommu, ioasid, IOVA, 8 * PAGE));
	CHECK(ht_read(&dev, HT_IGNORED + 4 * 3) > 0);
	CHECK_EQ(hw_peek64(&dev, 1, IOVA, &word), HQ_OK);
	ht_write(&dev, HT_IGNORE, 0);
	hw_write(&dev, HW_ATC_ENTRIES, 0);
	hw_peek64(&dev, 1, IOVA, &word);
	CHECK(refused(1));
	put_away();
}

static void devices_that_cache(void)
{
	ats(FULL0);
	ats(NONEST0);

	/* Its unit knows no device TLBs, so it is not switched on. */
	AT("no ATS");
	attached(LEGACY0);
	CHECK(dev.has & HW_HAS_ATS);
	hw_requests(&dev, 1, HW_NO_PASID, HQ_CTRL_ATS);
	CHECK_EQ(hw_fill(&dev, 1, IOVA, 0, 8), HQ_ERROR);
	CHECK_EQ(hq_read(&dev, 1, HQ_REASON), HQ_E_ATS);
}

/* A flush is over when the device has answered, however long that takes. */
static void slow_devices_are_waited_for(void)
{
	uint64_t word;
	double start;

	attached(FULL0);
	hw_requests(&dev, 1, HW_NO_PASID, HQ_CTRL_ATS);
	CHECK_EQ(hw_peek64(&dev, 1, IOVA, &word), HQ_OK);
	hw_write(&dev, HW_INV_DELAY_US, 200000);
	hw_write(&dev, HW_MISBEHAVE, HW_MIS_INV_DELAY);
	start = check_now();
	CHECK_OK(unmap_at(iommu, ioasid, IOVA, 8 * PAGE));
	CHECK(check_now() - start > 0.15);
	CHECK_EQ(hw_read(&dev, HW_ATC_ENTRIES), 0);
	CHECK_EQ(hw_read(&dev, HW_INV_HELD), 0);
	hw_write(&dev, HW_MISBEHAVE, 0);
}

/* Comes last: what the driver did to the units was right at all times. */
static void no_misuse(void)
{
	static const char * const slots[] = { FULL0, NONEST0, LEGACY0 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		AT("%s", slots[i]);
		bound(slots[i]);
		CHECK_EQ(ht_read(&dev, HT_ID), HT_ID_VALUE);
		CHECK_EQ(hw_misuse(&dev), 0);
		CHECK_EQ(ht_read(&dev, HT_REFUSED), 0);
		put_away();
	}
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(units_of_all_kinds);
	RUN(groups);
	RUN(copies);
	RUN(commands);
	RUN(outside_is_blocked_and_reported);
	RUN(blocked_at_rest);
	RUN(running_dma_stops_at_detach);
	RUN(interrupts);
	RUN(devices_that_cache);
	RUN(slow_devices_are_waited_for);
	RUN(no_misuse);
	return check_end();
}
