// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hw_pasid [TEST]: one device in several address spaces at a time, by PASID.
 */
#include "hw.h"
#include "slots.h"

#define IOVA	0x200000ULL
#define LABEL	0xab5ULL

/* Fault reasons (VT-d specification) */
#define NO_DIRECTORY	0x51
#define NO_ENTRY	0x59
#define NOT_PERMITTED	0x79

static struct hw_dev dev;
static int iommu;

/* An address space with a page at IOVA that says who it is. */
struct space {
	int ioasid;
	uint64_t *page;
	uint64_t name;
};

static void space_make(struct space *space, uint64_t name)
{
	space->name = name;
	NEED((space->page = pages_alloc(PAGE)));
	space->page[0] = name;
	NEED((space->ioasid = ioasid_alloc(iommu)) > 0);
	NEED(!map_at(iommu, space->ioasid, RW, space->page, PAGE, IOVA));
}

static void bound(const char *slot)
{
	NEED(hw_open(&dev, slot));
	NEED((iommu = iommu_open()) >= 0);
	NEED(!dev_bind(dev.fd, iommu, LABEL));
	NEED(hw_start(&dev));
}

/* What a request with @pasid finds at IOVA; 0: it was blocked. */
static uint64_t found(uint32_t pasid)
{
	uint64_t word = 0;

	hw_requests(&dev, 0, pasid, 0);
	if (hw_peek64(&dev, 0, IOVA, &word) != HQ_OK)
		return 0;
	return word;
}

static void spaces_are_apart(const char *slot)
{
	struct space none, five, high;
	uint32_t high_pasid = strcmp(slot, FULL1) ? 0xedcba : 0xdcba;

	AT("%s", slot);
	bound(slot);
	space_make(&none, 0x1111);
	space_make(&five, 0x5555);
	space_make(&high, 0x9999);

	CHECK_EQ(found(HW_NO_PASID), 0);
	CHECK_EQ(found(5), 0);
	CHECK_OK(dev_attach_pasid(dev.fd, iommu, five.ioasid, 5));
	CHECK_EQ(found(5), 0x5555);
	CHECK_EQ(found(HW_NO_PASID), 0);
	CHECK_OK(dev_attach(dev.fd, iommu, none.ioasid));
	CHECK_OK(dev_attach_pasid(dev.fd, iommu, high.ioasid, high_pasid));
	CHECK_EQ(found(HW_NO_PASID), 0x1111);
	CHECK_EQ(found(5), 0x5555);
	CHECK_EQ(found(high_pasid), 0x9999);

	CHECK_EQ(found(6), 0);
	CHECK_EQ(hw_fault(&dev, 0), NO_ENTRY);
	CHECK_EQ(found(high_pasid ^ 0x4000), 0);
	CHECK_EQ(hw_fault(&dev, 0), NO_DIRECTORY);

	AT("%s: the same space without and with", slot);
	CHECK_OK(dev_attach_pasid(dev.fd, iommu, none.ioasid, 7));
	CHECK_EQ(found(7), 0x1111);

	AT("%s: detached one by one", slot);
	CHECK_OK(dev_detach_pasid(dev.fd, iommu, five.ioasid, 5));
	CHECK_EQ(found(5), 0);
	CHECK_EQ(found(HW_NO_PASID), 0x1111);
	CHECK_EQ(found(high_pasid), 0x9999);
	CHECK_OK(dev_detach(dev.fd, iommu, none.ioasid));
	CHECK_EQ(found(HW_NO_PASID), 0);
	CHECK_EQ(found(7), 0x1111);
	CHECK_EQ(found(high_pasid), 0x9999);
	CHECK_ERRNO(ioasid_free(iommu, none.ioasid), EBUSY);

	AT("%s: unmapped", slot);
	CHECK_OK(unmap_all(iommu, high.ioasid));
	CHECK_EQ(found(high_pasid), 0);
	CHECK_EQ(hw_fault(&dev, 0), NOT_PERMITTED);
	hw_close(&dev);
	close(iommu);
}

static void A23_spaces_by_pasid(void)
{
	spaces_are_apart(FULL0);
	spaces_are_apart(FULL1);
	spaces_are_apart(PASID_ONLY);
	spaces_are_apart(NONEST0);
}

/* Closing takes everything away, whatever was attached. */
static void A14_closing_leaves_nothing(void)
{
	static const uint32_t pasids[] = { 1, 63, 64, 0xfffff };
	struct space space;
	uint64_t mark;
	unsigned int i;

	bound(PASID_ONLY);
	space_make(&space, 0x7777);
	for (i = 0; i < 4; i++) {
		CHECK_OK(dev_attach_pasid(dev.fd, iommu, space.ioasid, pasids[i]));
		CHECK_EQ(found(pasids[i]), 0x7777);
	}
	mark = hw_log_mark(&dev);
	/* The space goes with /dev/iommu, though the device's file is open. */
	close(iommu);
	CHECK_EQ(found(1), 0);
	hw_close(&dev);
	NEED(hw_open(&dev, PASID_ONLY));
	NEED((iommu = iommu_open()) >= 0);
	NEED(!dev_bind(dev.fd, iommu, LABEL));
	NEED(hw_start(&dev));
	CHECK(hw_log_count(&dev, mark, 7, NULL) > 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(found(pasids[i]), 0);
	CHECK_EQ(found(HW_NO_PASID), 0);
}

static void A13_refused(void)
{
	struct space space;

	AT("no PASID capability");
	bound(PLAIN);
	space_make(&space, 1);
	CHECK_ERRNO(dev_attach_pasid(dev.fd, iommu, space.ioasid, 5), EINVAL);
	hw_close(&dev);
	close(iommu);

	AT("a unit without PASIDs");
	bound(LEGACY0);
	space_make(&space, 1);
	CHECK_ERRNO(dev_attach_pasid(dev.fd, iommu, space.ioasid, 5), EINVAL);
	hw_close(&dev);
	close(iommu);

	AT("beyond the device's width");
	bound(FULL1);
	space_make(&space, 1);
	CHECK_ERRNO(dev_attach_pasid(dev.fd, iommu, space.ioasid, 0x10000), EINVAL);
	CHECK_OK(dev_attach_pasid(dev.fd, iommu, space.ioasid, 0xffff));
	AT("twice");
	CHECK_ERRNO(dev_detach_pasid(dev.fd, iommu, space.ioasid, 4), ENOENT);
	hw_close(&dev);
	close(iommu);

	AT("a group of two");
	NEED(pci_give("0000:00:" TWIN1, "iofd-pci"));
	bound(TWIN0);
	space_make(&space, 1);
	CHECK(dev_attach_pasid(dev.fd, iommu, space.ioasid, 5) < 0);
}

/* Unmapping flushes what the device has cached by PASID, and nothing is left. */
static void B8_device_tlbs_by_pasid(void)
{
	struct space space;
	uint64_t mark, qw[4] = {}, word;

	bound(FULL0);
	space_make(&space, 0x3333);
	CHECK_OK(dev_attach_pasid(dev.fd, iommu, space.ioasid, 9));
	hw_requests(&dev, 2, 9, HQ_CTRL_ATS);
	CHECK_EQ(hw_peek64(&dev, 2, IOVA, &word), HQ_OK);
	CHECK_EQ(word, 0x3333);
	CHECK_EQ(hw_read(&dev, HW_ATC_ENTRIES), 1);
	mark = hw_log_mark(&dev);
	CHECK_OK(unmap_all(iommu, space.ioasid));
	CHECK_EQ(hw_read(&dev, HW_ATC_ENTRIES), 0);
	CHECK(hw_log_count(&dev, mark, 8, qw) > 0);
	CHECK_EQ(QI_PASID_DEVTLB_SID(qw), hw_read(&dev, HW_SID));
	CHECK_EQ(QI_PASID_DEVTLB_PASID(qw), 9);
	CHECK(hw_peek64(&dev, 2, IOVA, &word) == HQ_ERROR);

	AT("detached");
	NEED(!map_at(iommu, space.ioasid, RW, space.page, PAGE, IOVA));
	CHECK_EQ(hw_peek64(&dev, 2, IOVA, &word), HQ_OK);
	CHECK_OK(dev_detach_pasid(dev.fd, iommu, space.ioasid, 9));
	CHECK_EQ(hw_read(&dev, HW_ATC_ENTRIES), 0);
	/* Nothing is attached any more, so that ATS may be off. */
	if (hw_peek64(&dev, 2, IOVA, &word) != HQ_FAULT)
		CHECK_EQ(hq_read(&dev, 2, HQ_REASON), HQ_E_ATS);
}

/* DMA with one PASID goes on undisturbed while others come and go. */
static void running_beside(void)
{
	struct space one, other;
	uint64_t errors;
	int i;

	bound(PASID_ONLY);
	space_make(&one, 1);
	space_make(&other, 2);
	CHECK_OK(dev_attach_pasid(dev.fd, iommu, one.ioasid, 100));
	hw_requests(&dev, 1, 100, 0);
	hq_write64(&dev, 1, HQ_DATA, 0x2222222222222222ULL);
	hw_begin(&dev, 1, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, IOVA + 64, 512);
	for (i = 0; i < 50; i++) {
		CHECK_OK(dev_attach_pasid(dev.fd, iommu, other.ioasid, 101 + i));
		CHECK_EQ(found(101 + i), 2);
		CHECK_OK(dev_detach_pasid(dev.fd, iommu, other.ioasid, 101 + i));
	}
	errors = hq_read64(&dev, 1, HQ_ERRORS);
	CHECK_EQ(errors, 0);
	CHECK(hq_read64(&dev, 1, HQ_ROUNDS) > 50);
	CHECK_OK(dev_detach_pasid(dev.fd, iommu, one.ioasid, 100));
	one.page[8] = 0;
	check_sleep_ms(20);
	CHECK(hq_read64(&dev, 1, HQ_ERRORS) > 0);
	CHECK_EQ(one.page[8], 0);
}

static void no_misuse(void)
{
	bound(FULL0);
	CHECK_EQ(hw_misuse(&dev), 0);
	hw_close(&dev);
	close(iommu);
	bound(NONEST0);
	CHECK_EQ(hw_misuse(&dev), 0);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(A23_spaces_by_pasid);
	RUN(A14_closing_leaves_nothing);
	RUN(A13_refused);
	RUN(B8_device_tlbs_by_pasid);
	RUN(running_beside);
	RUN(no_misuse);
	return check_end();
}
