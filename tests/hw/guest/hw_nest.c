// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Nested translation and PASIDs on hardware that has them, row by row.
 */
#include "guest.h"

#define RAM	(4 * MIB)
#define LABEL	0x1122334455667788ULL
#define GVA	(8 * GIB)

static struct hw_dev dev, other;

static void B1_abilities_are_the_units(void)
{
	struct iommu_device_info info;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	bind_dev(&other, NONEST0, 2);
	NEED(!device_info(g.fd, 1, &info, NULL, 0));
	CHECK(info.flags & IOMMU_DEVICE_INFO_HW_NESTING);
	CHECK_EQ(info.hw_cap, ht_read64(&dev, HT_CAP));
	CHECK_EQ(info.hw_ecap, ht_read64(&dev, HT_ECAP));
	CHECK_EQ(info.pasid_width_bits, 20);
	CHECK(info.formats & 1 << IOMMU_FORMAT_VTD_S1);
	NEED(!device_info(g.fd, 2, &info, NULL, 0));
	CHECK(!(info.flags & IOMMU_DEVICE_INFO_HW_NESTING));
	CHECK_EQ(info.hw_ecap, ht_read64(&other, HT_ECAP));
	/* By composition */
	CHECK(info.formats & 1 << IOMMU_FORMAT_VTD_S1);
}

/* A8: what does not fit is refused, and the device stays where it was. */
static void A8_incompatible_formats(void)
{
	int hard, wide;

	guest_start(RAM);
	bind_dev(&dev, NONEST0, 1);
	bind_dev(&other, LEGACY1, 2);
	NEED(!dev_attach(dev.fd, g.fd, g.gpa));
	CHECK(reaches(&dev, 64, 64));
	NEED((hard = user_alloc_as(g.gpa, 0, 4, IOMMU_NESTING_HARDWARE, 0)) > 0);
	CHECK_ERRNO(dev_attach(dev.fd, g.fd, hard), EOPNOTSUPP);
	CHECK(reaches(&dev, 64, 64));
	NEED((wide = ioasid_alloc_as(g.fd, 48, 0)) > 0);
	CHECK_ERRNO(dev_attach(other.fd, g.fd, wide), EINVAL);
	CHECK(read_fault(&other, 0));
	NEED(!dev_attach(other.fd, g.fd, g.gpa));
	CHECK(reaches(&other, 72, 72));
}

/* A9: a child in hardware takes INVALIDATE and refuses MAP. */
static void A9_hardware_child(void)
{
	struct iommu_ioasid_info info;
	uint64_t table;
	int user;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	table = table_page();
	NEED((user = user_alloc_as(g.gpa, table, 4, IOMMU_NESTING_HARDWARE, 0)) > 0);
	NEED(!dev_attach(dev.fd, g.fd, user));
	CHECK_ERRNO(map_at(g.fd, user, RW, g.ram, PAGE, GVA), EOPNOTSUPP);
	CHECK_OK(invalidate(user, GVA, PAGE));
	CHECK_OK(ioasid_info(g.fd, user, &info));
	CHECK(info.flags & IOMMU_IOASID_INFO_HW_NESTED);
	CHECK(!(info.flags & IOMMU_IOASID_INFO_COMPOSED));
	CHECK_ERRNO(invalidate(g.gpa, GVA, PAGE), EOPNOTSUPP);
	CHECK_ERRNO(user_alloc_as(0, table, 4, 0, 0) < 0 ? -1 : 0, EINVAL);
	/* Attributes: the unit has them all; supervisor requests want SRE. */
	CHECK(user_alloc_as(g.gpa, table, 4, 0, IOMMU_VTD_S1_WPE) < 0);
}

/* A16: one root pins for all that is below it. */
static void A16_memory_root(void)
{
	struct iommu_ioasid_info info;
	uint64_t table;
	int child, user;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	bind_dev(&other, NONEST0, 2);
	table = table_page();
	s1_map(table, 4, GVA, 0x3000, 1);
	NEED((child = child_alloc(g.gpa)) > 0);
	NEED((user = user_alloc(table, 4)) > 0);
	NEED(!map_any(g.fd, child, RW | FIXED, 0, 0, RAM, &(__u64){ GVA }));
	NEED(!dev_attach(dev.fd, g.fd, user));
	NEED(!dev_attach(other.fd, g.fd, child));
	CHECK(reaches(&dev, GVA + 8, 0x3008));
	CHECK(reaches(&other, GVA + 0x3008, 0x3008));
	CHECK_OK(ioasid_info(g.fd, g.gpa, &info));
	CHECK_EQ(info.charged_bytes, RAM);
	CHECK_OK(ioasid_info(g.fd, child, &info));
	CHECK_EQ(info.charged_bytes, 0);
}

/* A4, C8: two fds, default and PASID spaces of one device at once. */
static void C8_default_and_pasids_at_once(void)
{
	int fd2, second, mine = 0;
	uint64_t table;
	unsigned char *mem;
	struct iommu_device_attach arg = {
		.size = sizeof(arg),
		.flags = IOMMU_DEVICE_ATTACH_VPASID, .vpasid = 77,
	};
	int user;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	NEED((fd2 = iommu_open()) >= 0);
	NEED(!dev_bind(dev.fd, fd2, 5));
	NEED((mem = pages_alloc(PAGE)));
	NEED((second = ioasid_alloc(fd2)) > 0);
	NEED(!map_at(fd2, second, RW, mem, PAGE, GVA));
	table = table_page();
	s1_map(table, 4, GVA, 0x5000, 1);
	NEED((user = user_alloc(table, 4)) > 0);
	NEED(!dev_attach(dev.fd, g.fd, g.gpa));
	NEED(!attach_pasid(&dev, user, 76));
	arg.iommu_fd = fd2;
	arg.ioasid = (__u32)second;
	NEED(!ioctl(dev.fd, IOMMU_DEVICE_ATTACH_IOASID, &arg));
	as_pasid(&dev, HW_NO_PASID);
	CHECK(reaches(&dev, 0x7000, 0x7000));
	as_pasid(&dev, 76);
	CHECK(reaches(&dev, GVA, 0x5000));
	as_pasid(&dev, 77);
	CHECK_EQ(hw_fill(&dev, 0, GVA, 0x0101010101010101ULL, PAGE), HQ_OK);
	for (unsigned int i = 0; i < PAGE; i++)
		mine += mem[i];
	CHECK_EQ(mine, PAGE);
	as_pasid(&dev, 78);
	CHECK_EQ(read_fault(&dev, GVA), FR_PASID_ENTRY_NOT_PRESENT);
	close(fd2);
	as_pasid(&dev, 77);
	CHECK_EQ(read_fault(&dev, GVA), FR_PASID_ENTRY_NOT_PRESENT);
	as_pasid(&dev, 76);
	CHECK(reaches(&dev, GVA, 0x5000));
}

/* A23: types 1 and 5, and the group rule. */
static void A23_who_can_have_which_pasid(void)
{
	struct iommu_device_info info;

	guest_start(RAM);
	bind_dev(&dev, PLAIN, 1);
	CHECK_ERRNO(attach_pasid(&dev, g.gpa, 1), EINVAL);
	bind_dev(&other, FULL1, 2);
	CHECK_ERRNO(attach_pasid(&other, g.gpa, 0), EINVAL);
	CHECK_ERRNO(attach_pasid(&other, g.gpa, 1 << 16), EINVAL);
	/* The value that the user gives is the one on the wire. */
	NEED(!attach_pasid(&other, g.gpa, 0xffff));
	as_pasid(&other, 0xffff);
	CHECK(reaches(&other, 0x1000, 0x1000));
	CHECK_ERRNO(attach_pasid(&other, g.gpa, 0xffff), EBUSY);
	CHECK_OK(detach_pasid(&other, g.gpa, 0xffff));
	CHECK_ERRNO(detach_pasid(&other, g.gpa, 0xffff), ENOENT);
	CHECK(is_blocked(&other, 0x1000));
	hw_close(&dev);
	NEED(pci_give("0000:00:" TWIN1, "iofd-pci"));
	bind_dev(&dev, TWIN0, 3);
	/* Newer kernels do not even enable them without ACS. */
	NEED(!device_info(g.fd, 3, &info, NULL, 0));
	CHECK_ERRNO(attach_pasid(&dev, g.gpa, 1),
		    info.pasid_width_bits ? EPERM : EINVAL);
}

/* B4: leaves of all sizes at both stages, 4 and 5 levels. */
static void lands(unsigned int levels, unsigned int leaf, uint64_t size)
{
	uint64_t table = table_page(), gva = levels == 5 ? 1ULL << 52 : 1ULL << 44;
	uint64_t at[] = { 0, 8, 0x1008, size / 2, size - 8 }, *before;
	uint64_t bytes = size < g.table ? size : g.table;
	unsigned int i;
	int user;

	s1_map(table, levels, gva, 0, leaf);
	NEED((user = user_alloc_as(g.gpa, table, levels, IOMMU_NESTING_HARDWARE,
				   0)) > 0);
	NEED(!attach_pasid(&dev, user, 9));
	as_pasid(&dev, 9);
	for (i = 0; i < sizeof(at) / sizeof(*at); i++) {
		if (at[i] + 8 > bytes)
			continue;
		if (at[i] < size && !reaches(&dev, gva + at[i], at[i]))
			check_fail("%u levels, leaf of level %u: byte %#llx", levels,
				   leaf, (unsigned long long)at[i]);
	}
	/* And nowhere else: of a page in the middle all the rest is as it was. */
	NEED(before = malloc(PAGE));
	memcpy(before, g.ram + (bytes / 2 & ~(PAGE - 1)), PAGE);
	if (leaf > 1 || bytes / 2 < PAGE) {
		uint64_t page = leaf > 1 ? bytes / 2 & ~(PAGE - 1) : 0, value = 0x77;

		memcpy(before, g.ram + page, PAGE);
		CHECK_EQ(hw_poke(&dev, 0, gva + page + 0x18, &value, 8), HQ_OK);
		before[3] = 0x77;
		CHECK(!memcmp(before, g.ram + page, PAGE));
	}
	free(before);
	CHECK_EQ(read_fault(&dev, gva + size), FR_FS_NOT_PRESENT);
	hw_requests(&dev, 0, 9, HQ_CTRL_EXEC);
	CHECK_EQ(read_fault(&dev, gva), FR_EXEC_NOT_ENABLED);
	hw_requests(&dev, 0, 9, HQ_CTRL_PRIV);
	CHECK_EQ(read_fault(&dev, gva), FR_SUPERVISOR_NOT_ENABLED);
	NEED(!detach_pasid(&dev, user, 9));
	NEED(!ioasid_free(g.fd, user));
}

static void all_leaves(void)
{
	static const uint64_t size[] = { 0, PAGE, 2 * MIB, GIB };
	unsigned int levels, leaf;

	bind_dev(&dev, FULL0, 1);
	for (levels = 4; levels <= 5; levels++)
		for (leaf = 1; leaf <= 3; leaf++)
			lands(levels, leaf, size[leaf]);
}

static void B4_over_small_pages(void)
{
	uint64_t page;

	guest_start_with(pages_alloc(RAM), RAM);
	/* A mapping each, so that no leaf of the parent is larger. */
	for (page = 0; page < RAM; page += PAGE)
		NEED(!map_at(g.fd, g.gpa, RW, g.ram + page, PAGE, page));
	all_leaves();
}

static void *huge_pages(uint64_t bytes, int flag)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_HUGETLB |
		       flag, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void B4_over_pages_of_2_MiB(void)
{
	NEED(g.ram = huge_pages(RAM, 21 << MAP_HUGE_SHIFT));
	guest_start_with(g.ram, RAM);
	NEED(!map_at(g.fd, g.gpa, RW, g.ram, RAM, 0));
	all_leaves();
}

static void B4_over_pages_of_1_GiB(void)
{
	NEED(g.ram = huge_pages(GIB, 30 << MAP_HUGE_SHIFT));
	guest_start_with(g.ram, GIB);
	NEED(!map_at(g.fd, g.gpa, RW, g.ram, GIB, 0));
	all_leaves();
}

/* Every DMA that must fault does, with the reason that the specification gives. */
static void B4_faults(void)
{
	uint64_t table, *e;
	int user;
	struct {
		const char *what;
		unsigned int level;
		uint64_t entry;
		bool write;
		unsigned int reason;
	} cases[] = {
		{ "not present", 1, 0, false, FR_FS_NOT_PRESENT },
		{ "not present", 2, S1_RW | S1_US, false, FR_FS_NOT_PRESENT },
		{ "reserved", 2, S1_TABLE | S1_PS | 0x2000, false, FR_FS_RESERVED },
		{ "reserved", 3, S1_TABLE | S1_PS | 0x200000, false, FR_FS_RESERVED },
		{ "reserved", 4, S1_TABLE | S1_PS, false, FR_FS_RESERVED },
		{ "not for users", 1, S1_P | S1_RW, false, FR_NOT_FOR_USERS },
		{ "read only", 1, S1_P | S1_US, true, FR_NO_WRITE },
		{ "outside the parent", 1, 32 * GIB | S1_TABLE, false, FR_SS_DENIES },
	};
	unsigned int i;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	table = table_page();
	NEED((user = user_alloc_as(g.gpa, table, 4, IOMMU_NESTING_HARDWARE, 0)) > 0);
	NEED(!attach_pasid(&dev, user, 3));
	as_pasid(&dev, 3);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t gva = GVA + i * (1ULL << 39);

		AT("%s, level %u", cases[i].what, cases[i].level);
		*s1_entry(table, 4, gva, cases[i].level) = cases[i].entry;
		CHECK_EQ(cases[i].write ? write_fault(&dev, gva) :
					  read_fault(&dev, gva), cases[i].reason);
	}
	AT("a page of the table outside the parent");
	*s1_entry(table, 4, GVA + (1ULL << 46), 2) = 32 * GIB | S1_TABLE;
	CHECK_EQ(read_fault(&dev, GVA + (1ULL << 46)), FR_SS_DENIES);
	AT("a page of the table that cannot be read");
	NEED(!map_at(g.fd, g.gpa, IOMMU_MAP_WRITE, g.ram, PAGE, 33 * GIB));
	*s1_entry(table, 4, GVA + (1ULL << 45), 2) = 33 * GIB | S1_TABLE;
	CHECK_EQ(read_fault(&dev, GVA + (1ULL << 45)), FR_SS_DENIES_FS_TABLE);
	AT("not canonical");
	CHECK_EQ(read_fault(&dev, 1ULL << 47), FR_NOT_CANONICAL);
	AT("the top of the table outside the parent");
	NEED((user = user_alloc_as(g.gpa, 32 * GIB, 4, 0, 0)) > 0);
	NEED(!attach_pasid(&dev, user, 4));
	as_pasid(&dev, 4);
	CHECK_EQ(read_fault(&dev, GVA), FR_SS_DENIES);
	AT("a top of the table that cannot be read");
	NEED((user = user_alloc_as(g.gpa, 33 * GIB, 4, 0, 0)) > 0);
	NEED(!attach_pasid(&dev, user, 6));
	as_pasid(&dev, 6);
	CHECK_EQ(read_fault(&dev, GVA), FR_SS_DENIES_FS_TOP);
	AT("no write permission for the table's page");
	NEED(!map_at(g.fd, g.gpa, IOMMU_MAP_READ, g.ram, PAGE, 64 * GIB));
	memset(g.ram, 0, PAGE);
	e = (uint64_t *)g.ram;
	e[0] = 0x1000 | S1_TABLE;
	NEED((user = user_alloc_as(g.gpa, 64 * GIB, 4, 0, 0)) > 0);
	NEED(!attach_pasid(&dev, user, 5));
	as_pasid(&dev, 5);
	CHECK_EQ(read_fault(&dev, 0), FR_SS_DENIES_AD);
}

/* B6: whatever ends an attachment, the entry is not present afterwards. */
static void B6_all_ways_to_unbind(void)
{
	unsigned int way;
	uint64_t table;
	int user, probe;

	for (way = 0; way < 4; way++) {
		uint64_t mark;

		AT("way %u", way);
		guest_start(RAM);
		bind_dev(&dev, FULL0, 1);
		/* Bound elsewhere as well, to look at it afterwards */
		NEED((probe = iommu_open()) >= 0);
		NEED(!dev_bind(dev.fd, probe, 2));
		table = table_page();
		s1_map(table, 4, GVA, 0x2000, 1);
		NEED((user = user_alloc(table, 4)) > 0);
		NEED(!attach_pasid(&dev, user, 21));
		NEED(!dev_attach(dev.fd, g.fd, user));
		as_pasid(&dev, 21);
		CHECK(reaches(&dev, GVA, 0x2000));
		mark = hw_log_mark(&dev);
		switch (way) {
		case 0:
			CHECK_OK(detach_pasid(&dev, user, 21));
			break;
		case 1:
			close(g.fd);
			break;
		default:
			/* Another look, at a device that was closed or reset */
			hw_close(&dev);
			if (way == 3)
				close(g.fd);
			close(probe);
			if (way == 2)
				close(g.fd);
			guest_start(RAM);
			bind_dev(&dev, FULL0, 1);
			NEED(!attach_pasid(&dev, g.gpa, 22));
		}
		as_pasid(&dev, 21);
		CHECK(is_blocked(&dev, GVA));
		/* PASID cache, then IOTLB */
		CHECK(hw_log_count(&dev, mark, 7, NULL) > 0);
		CHECK(hw_log_count(&dev, mark, 6, NULL) > 0);
		CHECK(hw_log_count(&dev, mark, 2, NULL) > 0);
		if (way == 0)
			CHECK_OK(dev_detach(dev.fd, g.fd, user));
		hw_close(&dev);
		if (way != 1)
			close(g.fd);
		close(probe);
		munmap(g.ram, RAM);
	}
}

/* B7: without an invalidation hardware may use what was there; with it not. */
static void B7_invalidation(void)
{
	uint64_t table, *e;
	int user;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	table = table_page();
	s1_map(table, 4, GVA, 0x2000, 1);
	s1_map(table, 4, GVA + PAGE, 0x9000, 1);
	e = s1_entry(table, 4, GVA, 1);
	NEED((user = user_alloc(table, 4)) > 0);
	NEED(!attach_pasid(&dev, user, 21));
	as_pasid(&dev, 21);
	CHECK(reaches(&dev, GVA, 0x2000));
	CHECK(reaches(&dev, GVA + PAGE, 0x9000));
	*e = 0x3000 | S1_TABLE;
	/* This hardware never forgives: it is stale. */
	CHECK(reaches(&dev, GVA, 0x2000));
	CHECK_OK(invalidate(user, GVA, PAGE));
	CHECK(reaches(&dev, GVA, 0x3000));
	*e = 0;
	CHECK(reaches(&dev, GVA, 0x3000));
	CHECK_OK(invalidate(user, 0, 0));
	CHECK_EQ(read_fault(&dev, GVA), FR_FS_NOT_PRESENT);
	/* A page of the table goes: a leaf-only invalidation is not enough. */
	*s1_entry(table, 4, GVA, 2) = 0;
	CHECK_OK(invalidate(user, GVA + PAGE, PAGE));
	CHECK_EQ(read_fault(&dev, GVA + PAGE), FR_FS_NOT_PRESENT);
	CHECK_ERRNO(invalidate(user, 1ULL << 47, PAGE), EINVAL);
	CHECK_ERRNO(invalidate(user, GVA + 1, PAGE), EINVAL);
}

/* B8, F3: the device TLB goes with the IOTLB, and for one label that device's. */
static void B8_device_tlb(void)
{
	struct iommu_invalidate_entry one = {
		.flags = IOMMU_INVALIDATE_LABEL, .label = LABEL,
		.granularity = IOMMU_INVALIDATE_RANGE, .addr = GVA,
		.length = PAGE,
	};
	uint64_t table, mark, last[4], *e;
	int user;

	guest_start(RAM);
	bind_dev(&dev, FULL0, LABEL);
	bind_dev(&other, FULL1, 2);
	table = table_page();
	s1_map(table, 4, GVA, 0x2000, 1);
	e = s1_entry(table, 4, GVA, 1);
	NEED((user = user_alloc(table, 4)) > 0);
	NEED(!attach_pasid(&dev, user, 0x12345));
	NEED(!attach_pasid(&other, user, 0x1234));
	hw_requests(&dev, 0, 0x12345, HQ_CTRL_ATS);
	hw_requests(&other, 0, 0x1234, HQ_CTRL_ATS);
	CHECK(reaches(&dev, GVA, 0x2000));
	CHECK(reaches(&other, GVA, 0x2000));
	CHECK(hw_read(&dev, HW_ATC_ENTRIES) > 0);
	*e = 0x4000 | S1_TABLE;
	CHECK(reaches(&dev, GVA, 0x2000));
	mark = hw_log_mark(&dev);
	CHECK_OK(invalidate_entry(user, &one));
	CHECK(hw_log_count(&dev, mark, 6, NULL) >= 1);
	CHECK_EQ(hw_log_count(&dev, mark, 8, last), 1);
	CHECK_EQ(QI_PASID_DEVTLB_PASID(last), 0x12345);
	CHECK_EQ(QI_PASID_DEVTLB_SID(last), hw_read(&dev, HW_SID));
	CHECK(reaches(&dev, GVA, 0x4000));
	mark = hw_log_mark(&dev);
	CHECK_OK(invalidate(user, GVA, PAGE));
	CHECK_EQ(hw_log_count(&dev, mark, 8, NULL), 2);
	CHECK(reaches(&other, GVA, 0x4000));
}

/* B13: what the parent loses all children lose, caches and device TLBs included. */
static void B13_parent_unmaps(void)
{
	unsigned char *more;
	uint64_t table;
	int user;

	guest_start(RAM);
	NEED(more = pages_alloc(2 * PAGE));
	NEED(!map_at(g.fd, g.gpa, RW, more, 2 * PAGE, GIB));
	bind_dev(&dev, FULL0, 1);
	table = table_page();
	s1_map(table, 4, GVA, GIB, 1);
	s1_map(table, 4, GVA + PAGE, 0x2000, 1);
	NEED((user = user_alloc(table, 4)) > 0);
	NEED(!attach_pasid(&dev, user, 21));
	NEED(!dev_attach(dev.fd, g.fd, user));
	hw_requests(&dev, 0, 21, 0);
	hw_requests(&dev, 1, 21, HQ_CTRL_ATS);
	hw_requests(&dev, 2, HW_NO_PASID, HQ_CTRL_ATS);
	CHECK_EQ(hw_fill(&dev, 0, GVA, 1, 8), HQ_OK);
	CHECK_EQ(hw_fill(&dev, 1, GVA, 2, 8), HQ_OK);
	CHECK_EQ(hw_fill(&dev, 2, GVA, 3, 8), HQ_OK);
	CHECK_OK(unmap_at(g.fd, g.gpa, GIB, 2 * PAGE));
	memset(more, 0xdd, PAGE);
	CHECK_EQ(hw_fill(&dev, 0, GVA, 1, 8), HQ_FAULT);
	CHECK_EQ(hw_fault(&dev, 0), FR_SS_DENIES);
	CHECK(hw_fill(&dev, 1, GVA, 2, 8) != HQ_OK);
	CHECK(hw_fill(&dev, 2, GVA, 3, 8) != HQ_OK);
	CHECK_EQ(more[0], 0xdd);
	CHECK(reaches(&dev, GVA + PAGE, 0x2000));
	CHECK_OK(map_at(g.fd, g.gpa, RW, more + PAGE, PAGE, GIB));
	CHECK_EQ(hw_fill(&dev, 0, GVA, 0x41, 8), HQ_OK);
	CHECK_EQ(more[PAGE], 0x41);
}

/* G1, G2, G3: GIOVA over first level, without PASID. */
static void G1_G2_G3_giova_over_first_level(void)
{
	uint64_t table, mark, last[4];
	unsigned int i;
	int user;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	table = table_page();
	*s1_entry(table, 4, GVA, 1) = 0;
	NEED((user = user_alloc(table, 4)) > 0);
	NEED(!dev_attach(dev.fd, g.fd, user));
	as_pasid(&dev, HW_NO_PASID);
	mark = hw_log_mark(&dev);
	for (i = 0; i < 500; i++) {
		s1_map(table, 4, GVA + i * PAGE, (i % 100) * PAGE, 1);
		CHECK(reaches(&dev, GVA + i * PAGE, (i % 100) * PAGE));
	}
	for (i = 1; i < 10; i++)
		CHECK_EQ(hw_log_count(&dev, mark, i, NULL), 0);
	for (i = 0; i < 500; i++) {
		*s1_entry(table, 4, GVA + i * PAGE, 1) = 0;
		CHECK_OK(invalidate(user, GVA + i * PAGE, PAGE));
		CHECK_EQ(read_fault(&dev, GVA + i * PAGE), FR_FS_NOT_PRESENT);
	}
	/* G3: one IOTLB invalidation each, of PASID 0; and the device TLB. */
	CHECK_EQ(hw_log_count(&dev, mark, 6, last), 500);
	CHECK_EQ((last[0] >> 32) & 0xfffff, 0);
	CHECK_EQ(hw_log_count(&dev, mark, 3, last), 500);
	CHECK_EQ(QI_DEVTLB_SID(last), hw_read(&dev, HW_SID));
}

/* G6: both kinds of root do DMA; a nesting parent is second level always. */
static void G6_native_first_level(void)
{
	uint64_t table, mark;
	int user;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	bind_dev(&other, FULL1, 2);
	NEED(!dev_attach(dev.fd, g.fd, g.gpa));
	CHECK(reaches(&dev, 0x3000, 0x3000));
	mark = hw_log_mark(&dev);
	CHECK_OK(unmap_at(g.fd, g.gpa, 0, RAM));
	CHECK(read_fault(&dev, 0x3000));
	/* By PASID if it is a first-level table, else by domain */
	CHECK_EQ(hw_log_count(&dev, mark, 6, NULL) > 0, !!getenv("FS_NATIVE"));
	CHECK_EQ(hw_log_count(&dev, mark, 2, NULL) > 0, !getenv("FS_NATIVE"));
	CHECK_OK(map_at(g.fd, g.gpa, RW, g.ram, RAM, 0));
	CHECK(reaches(&dev, 0x3000, 0x3000));
	table = table_page();
	s1_map(table, 4, GVA, 0x4000, 1);
	NEED((user = user_alloc_as(g.gpa, table, 4, IOMMU_NESTING_HARDWARE, 0)) > 0);
	NEED(!dev_attach(other.fd, g.fd, user));
	CHECK(reaches(&other, GVA, 0x4000));
	CHECK_OK(unmap_at(g.fd, g.gpa, 0, RAM));
	CHECK(read_fault(&dev, 0x3000));
	CHECK(read_fault(&other, GVA));
}

/* G7: first-stage addresses are canonical. */
static void G7_canonical(void)
{
	struct iommu_ioasid_range ranges[8];
	uint64_t iova = 1ULL << 47;
	unsigned int n, i;

	guest_start(RAM);
	bind_dev(&dev, FULL0, 1);
	NEED(!dev_attach(dev.fd, g.fd, g.gpa));
	n = (unsigned int)ioasid_ranges(g.fd, g.gpa, ranges, 8);
	NEED(n && n <= 8);
	if (!getenv("FS_NATIVE")) {
		CHECK(ranges[n - 1].last >= iova);
		return;
	}
	for (i = 0; i < n; i++)
		CHECK(ranges[i].last < 1ULL << 56);
	/* With the top bit of its width, and not extended from there */
	iova = ranges[n - 1].last + 1;
	CHECK_ERRNO(map_at(g.fd, g.gpa, RW, g.ram, PAGE, iova), EINVAL);
	CHECK_OK(map_at(g.fd, g.gpa, RW, g.ram, PAGE, iova - PAGE));
	CHECK(reaches(&dev, iova - PAGE, 0));
	CHECK_EQ(read_fault(&dev, iova), FR_NOT_CANONICAL);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(A8_incompatible_formats);
	RUN(A9_hardware_child);
	RUN(A16_memory_root);
	RUN(A23_who_can_have_which_pasid);
	RUN(B1_abilities_are_the_units);
	RUN(B4_over_small_pages);
	RUN(B4_over_pages_of_2_MiB);
	RUN(B4_over_pages_of_1_GiB);
	RUN(B4_faults);
	RUN(B6_all_ways_to_unbind);
	RUN(B7_invalidation);
	RUN(B8_device_tlb);
	RUN(B13_parent_unmaps);
	RUN(C8_default_and_pasids_at_once);
	RUN(G1_G2_G3_giova_over_first_level);
	RUN(G6_native_first_level);
	RUN(G7_canonical);
	return check_end();
}
