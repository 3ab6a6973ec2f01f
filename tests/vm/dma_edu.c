// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * DMA of a device: it reaches what is mapped for it, byte by byte, and nothing
 * else; what is refused is reported. QEMU's VT-d unit is the judge.
 */
#include <sys/socket.h>
#include "refused.h"

#define LABEL	0xdeadbeefcafef00dULL
#define SCRATCH	0xf000000ULL		/* below 256 MiB, as edu's addresses */
#define SPOT	0x2345000ULL

static struct edu edu;
static int fd;
static unsigned char *scratch;

static void bound(void)
{
	NEED((fd = iommu_open()) >= 0);
	NEED(edu_open(&edu, 0));
	NEED(!dev_bind(edu.fd, fd, LABEL));
	NEED(edu_start(&edu));
	NEED(scratch = pages_alloc(2 * PAGE));
}

/* An IOASID with a page to exchange data with the device through. */
static int space_new(void)
{
	int id = ioasid_alloc(fd);

	NEED(id > 0);
	NEED(!map_at(fd, id, RW, scratch, 2 * PAGE, SCRATCH));
	return id;
}

static int attached(void)
{
	int id;

	bound();
	id = space_new();
	NEED(!dev_attach(edu.fd, fd, id));
	return id;
}

/* Linux's own driver has the VT-d unit, and not ours. */
static bool linux_drives(void)
{
	const char *iommu = getenv("IOMMU");

	return iommu && !strcmp(iommu, "kernel");
}

static unsigned char pattern(unsigned int seed, unsigned int i)
{
	return (unsigned char)(seed * 37 + i * 7 + (i >> 8) * 13 + 1);
}

static void fill(unsigned char *mem, unsigned int seed, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		mem[i] = pattern(seed, i);
}

static bool filled(const unsigned char *mem, unsigned int seed, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		if (mem[i] != pattern(seed, i))
			return false;
	return true;
}

/* The device's buffer holds the pattern from now on. */
static void dev_fill(unsigned int seed, unsigned int bytes)
{
	fill(scratch, seed, bytes);
	edu_load(&edu, SCRATCH, 0, bytes);
}

static bool dev_filled(unsigned int seed, unsigned int bytes)
{
	memset(scratch, 0, PAGE);
	edu_store(&edu, SCRATCH, 0, bytes);
	return filled(scratch, seed, bytes);
}

/* What the device writes at @iova arrives at @mem, for now and then. */
static bool reaches(__u64 iova, unsigned char *mem)
{
	static unsigned int seed = 100;

	seed++;
	dev_fill(seed, 64);
	memset(mem, 0xee, 65);
	edu_store(&edu, iova, 0, 64);
	return filled(mem, seed, 64) && mem[64] == 0xee;
}

/*
 * Nothing that the device writes at @iova gets anywhere near @mem, nor anything
 * at @mem to the device, and both are reported. The device is attached to @id; 0:
 * to nothing.
 */
static void check_refused(__u64 iova, unsigned char *mem, int id)
{
	unsigned char old[64];
	int log;

	memset(mem, 0x77, 64);
	memcpy(old, mem, 64);
	log = refused_watch();
	edu_store(&edu, iova, 0, 64);
	if (memcmp(mem, old, 64))
		check_fail("the device wrote at %#llx", (unsigned long long)iova);
	if (!refused_find(log, edu.bdf, true, iova, LABEL, id))
		check_fail("no report of the write to %#llx",
			   (unsigned long long)iova);
	log = refused_watch();
	edu_load(&edu, iova, 0, 64);
	if (!refused_find(log, edu.bdf, false, iova, LABEL, id))
		check_fail("no report of the read of %#llx",
			   (unsigned long long)iova);
}

static void A24_both_ways_byte_by_byte(void)
{
	static const struct { unsigned int at, bytes, dev; } tries[] = {
		{ 0, 4095, 0 }, { 1, 1, 7 }, { 4095, 2, 0 }, { 4090, 3000, 96 },
		{ 4097, 4094, 1 }, { 8191, 4095, 0 }, { 123, 77, 4018 },
	};
	unsigned char *mem, copy[4096];
	unsigned int i, k;
	int id = attached();

	/* Four pages of memory, in the opposite order for the device. */
	NEED(mem = pages_alloc(4 * PAGE));
	for (i = 0; i < 4; i++)
		NEED(!map_at(fd, id, RW, mem + (3 - i) * PAGE, PAGE,
			     SPOT + i * PAGE));
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		AT("%u bytes at %u", tries[i].bytes, tries[i].at);
		fill(scratch, i, tries[i].bytes);
		memcpy(copy, scratch, sizeof(copy));
		edu_load(&edu, SCRATCH, tries[i].dev, tries[i].bytes);
		memset(mem, 0xee, 4 * PAGE);
		edu_store(&edu, SPOT + tries[i].at, tries[i].dev, tries[i].bytes);
		for (k = 0; k < 4 * PAGE; k++) {
			unsigned char *byte = mem + (3 - k / PAGE) * PAGE + k % PAGE;
			bool in = k >= tries[i].at &&
				  k < tries[i].at + tries[i].bytes;

			if (*byte != (in ? copy[k - tries[i].at] : 0xee)) {
				check_fail("byte %u is %#x", k, *byte);
				break;
			}
		}
		/* And back: other data at the same place. */
		for (k = 0; k < 4 * PAGE; k++)
			mem[(3 - k / PAGE) * PAGE + k % PAGE] = pattern(50 + i, k);
		edu_load(&edu, SPOT + tries[i].at, tries[i].dev, tries[i].bytes);
		memset(scratch, 0, PAGE);
		edu_store(&edu, SCRATCH, tries[i].dev, tries[i].bytes);
		for (k = 0; k < tries[i].bytes; k++) {
			if (scratch[k] != pattern(50 + i, tries[i].at + k)) {
				check_fail("byte %u of the way back is %#x", k,
					   scratch[k]);
				break;
			}
		}
	}
}

/* After thousands of random commands the device sees what a model says. */

#define LAYOUT_PAGES	256

static unsigned int layout_seed = 7;

static unsigned int rnd(unsigned int below)
{
	layout_seed = layout_seed * 1103515245 + 12345;
	return (layout_seed >> 8) % below;
}

static void A15_any_layout(void)
{
	static struct { int mapping; unsigned int page; } model[LAYOUT_PAGES];
	unsigned int step, first, n, i, source, checked = 0, empty = 0;
	unsigned char *mem;
	int id = attached();

	NEED(mem = pages_alloc(LAYOUT_PAGES * PAGE));
	for (step = 1; step < 6000; step++) {
		first = rnd(LAYOUT_PAGES);
		n = rnd(8) ? rnd(6) + 1 : rnd(100) + 1;
		if (first + n > LAYOUT_PAGES)
			n = LAYOUT_PAGES - first;
		if (rnd(2)) {
			source = rnd(LAYOUT_PAGES - n + 1);
			if (map_at(fd, id, RW, mem + source * PAGE, n * PAGE,
				   SPOT + first * PAGE)) {
				CHECK_EQ(errno, EEXIST);
				continue;
			}
			for (i = 0; i < n; i++) {
				if (model[first + i].mapping)
					check_fail("mapped twice");
				model[first + i].mapping = (int)step;
				model[first + i].page = source + i;
			}
		} else if (!unmap_at(fd, id, SPOT + first * PAGE, n * PAGE)) {
			memset(&model[first], 0, n * sizeof(model[0]));
		}
	}
	for (i = 0; i < LAYOUT_PAGES && (checked < 12 || empty < 3); i += 1 + rnd(12)) {
		AT("page %u", i);
		if (model[i].mapping && checked++ < 12)
			CHECK(reaches(SPOT + i * PAGE + 60,
				      mem + model[i].page * PAGE + 60));
	}
	CHECK(checked > 3);
	memset(mem, 0x11, LAYOUT_PAGES * PAGE);
	for (i = 0; i < LAYOUT_PAGES && empty < 3; i += 1 + rnd(12)) {
		if (model[i].mapping)
			continue;
		empty++;
		refused_unwatched();
		edu_store(&edu, SPOT + i * PAGE, 0, EDU_BYTES);
		for (n = 0; n < LAYOUT_PAGES * PAGE; n++)
			if (mem[n] != 0x11)
				break;
		CHECK_EQ(n, LAYOUT_PAGES * PAGE);
	}
}

static void A15_huge_pages(void)
{
	static const __u64 spots[] = { 0, 2 * MIB - 64, 2 * MIB + 5 * PAGE + 9 };
	static const __u64 iovas[] = { 32 * MIB, 48 * MIB + PAGE };
	unsigned char *huge, *thp;
	unsigned int i, k;
	int id = attached();

	huge = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1,
		    0);
	NEED(huge != MAP_FAILED);
	thp = mmap(NULL, 6 * MIB, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(thp != MAP_FAILED);
	thp = (unsigned char *)(((uintptr_t)thp + 2 * MIB - 1) & ~(2 * MIB - 1));
	madvise(thp, 4 * MIB, MADV_HUGEPAGE);
	memset(thp, 1, 4 * MIB);
	for (k = 0; k < 2; k++) {
		NEED(!map_at(fd, id, RW, huge, 4 * MIB, iovas[k]));
		NEED(!map_at(fd, id, RW, thp, 4 * MIB, iovas[k] + 4 * MIB));
		for (i = 0; i < 3; i++) {
			AT("hugetlb, iova %#llx + %#llx",
			   (unsigned long long)iovas[k],
			   (unsigned long long)spots[i]);
			CHECK(reaches(iovas[k] + spots[i], huge + spots[i]));
			AT("thp, iova %#llx + %#llx",
			   (unsigned long long)iovas[k],
			   (unsigned long long)spots[i]);
			CHECK(reaches(iovas[k] + 4 * MIB + spots[i],
				      thp + spots[i]));
		}
		CHECK_ERRNO(unmap_at(fd, id, iovas[k], 2 * MIB), EINVAL);
	}
	AT("after one of two that touch is gone");
	CHECK_OK(unmap_at(fd, id, iovas[0], 4 * MIB));
	CHECK(reaches(iovas[0] + 4 * MIB, thp));
	CHECK(reaches(iovas[1], huge));
	check_refused(iovas[0] + 4 * MIB - 64, huge + 4 * MIB - 64, id);
}

static void A12_no_dma_without_attach(void)
{
	unsigned char *mem;
	int id;

	bound();
	/* A fresh device knows nothing; fill its buffer to have something. */
	id = space_new();
	NEED(mem = pages_alloc(PAGE));
	NEED(!map_at(fd, id, RW, mem, PAGE, SPOT));
	AT("bound, not attached");
	check_refused(SPOT, mem, 0);
	AT("attached");
	CHECK_OK(dev_attach(edu.fd, fd, id));
	CHECK(reaches(SPOT, mem));
	AT("detached");
	CHECK_OK(dev_detach(edu.fd, fd, id));
	check_refused(SPOT, mem, 0);
	/* And the secret is still one: the device cannot tell of it. */
	AT("attached again");
	CHECK_OK(dev_attach(edu.fd, fd, id));
	CHECK(!dev_filled(0x77, 64));
	CHECK(scratch[0] != 0x77 && scratch[63] != 0x77);
	CHECK(reaches(SPOT, mem));
}

static void A12_attached_elsewhere(void)
{
	unsigned char *mem1, *mem2;
	int id1, id2, i;

	id1 = attached();
	id2 = space_new();
	NEED(mem1 = pages_alloc(PAGE));
	NEED(mem2 = pages_alloc(PAGE));
	NEED(!map_at(fd, id1, RW, mem1, PAGE, SPOT));
	NEED(!map_at(fd, id2, RW, mem2, PAGE, SPOT));
	/* The same address, and caches that are full of the other. */
	for (i = 0; i < 3; i++) {
		CHECK(reaches(SPOT, mem1));
		CHECK_OK(dev_detach(edu.fd, fd, id1));
		CHECK_OK(dev_attach(edu.fd, fd, id2));
		memset(mem1, 0x11, PAGE);
		CHECK(reaches(SPOT, mem2));
		CHECK_EQ(mem1[0], 0x11);
		CHECK_OK(dev_detach(edu.fd, fd, id2));
		CHECK_OK(dev_attach(edu.fd, fd, id1));
	}
	CHECK_OK(ioasid_free(fd, id2));
	CHECK(reaches(SPOT, mem1));
}

static void A15_no_dma_after_unmap(void)
{
	unsigned char *mem1, *mem2;
	int id = attached();

	NEED(mem1 = pages_alloc(PAGE));
	NEED(mem2 = pages_alloc(PAGE));
	NEED(!map_at(fd, id, RW, mem1, PAGE, SPOT));
	CHECK(reaches(SPOT, mem1));
	CHECK_OK(unmap_at(fd, id, SPOT, PAGE));
	check_refused(SPOT, mem1, id);
	/* Other memory at the address, twice. */
	CHECK_OK(map_at(fd, id, RW, mem2, PAGE, SPOT));
	CHECK(reaches(SPOT, mem2));
	CHECK_EQ(mem1[0], 0x77);
	CHECK_OK(unmap_at(fd, id, SPOT, PAGE));
	CHECK_OK(map_at(fd, id, RW, mem1, PAGE, SPOT));
	CHECK(reaches(SPOT, mem1));
	AT("unmap all");
	CHECK_OK(unmap_all(fd, id));
	check_refused(SPOT, mem1, id);
}

static void A15_no_dma_beside_a_mapping(void)
{
	unsigned char *mem;
	int id = attached();

	/* What lies beside the page in memory is not mapped beside it. */
	NEED(mem = pages_alloc(3 * PAGE));
	NEED(!map_at(fd, id, RW, mem + PAGE, PAGE, SPOT));
	CHECK(reaches(SPOT, mem + PAGE));
	check_refused(SPOT + PAGE, mem + 2 * PAGE, id);
	check_refused(SPOT - 64, mem + PAGE - 64, id);
	check_refused(0, mem, id);
}

static void A15_read_only_and_write_only(void)
{
	unsigned char *mem;
	int id = attached(), log;

	NEED(mem = pages_alloc(3 * PAGE));
	NEED(!map_at(fd, id, IOMMU_MAP_READ, mem, PAGE, SPOT));
	/* A first-level table cannot refuse reading; so mapping is refused. */
	if (getenv("FIRST_LEVEL"))
		CHECK_ERRNO(map_at(fd, id, IOMMU_MAP_WRITE, mem + PAGE, PAGE,
				   SPOT + PAGE), EINVAL);
	else
		NEED(!map_at(fd, id, IOMMU_MAP_WRITE, mem + PAGE, PAGE,
			     SPOT + PAGE));
	/*
	 * What is refused comes first: QEMU's unit reports nothing when it has
	 * the translation in its cache with other rights.
	 */
	AT("read-only");
	fill(mem, 3, 64);
	log = refused_watch();
	edu_store(&edu, SPOT, 0, 64);
	CHECK(filled(mem, 3, 64));
	CHECK(refused_find(log, edu.bdf, true, SPOT, LABEL, id));
	edu_load(&edu, SPOT, 0, 64);
	CHECK(dev_filled(3, 64));
	dev_fill(4, 64);
	edu_store(&edu, SPOT, 0, 64);
	CHECK(filled(mem, 3, 64));
	if (getenv("FIRST_LEVEL"))
		return;

	AT("write-only");
	fill(mem + PAGE, 6, 64);
	log = refused_watch();
	edu_load(&edu, SPOT + PAGE, 0, 64);
	/* The kernel's VT-d driver always lets devices read. */
	if (linux_drives()) {
		CHECK(dev_filled(6, 64));
		close(log);
	} else {
		CHECK(refused_find(log, edu.bdf, false, SPOT + PAGE, LABEL, id));
		CHECK(!dev_filled(6, 64));
	}
	dev_fill(5, 64);
	edu_store(&edu, SPOT + PAGE, 0, 64);
	CHECK(filled(mem + PAGE, 5, 64));
}

static void A4_dma_through_one_of_two_fds(void)
{
	unsigned char *mem1, *mem2;
	int fd1, fd2, id1, id2, log1, log2;

	bound();
	fd1 = fd;
	id1 = space_new();
	NEED(mem1 = pages_alloc(PAGE));
	NEED(!map_at(fd1, id1, RW, mem1, PAGE, SPOT));
	NEED((fd2 = fd = iommu_open()) >= 0);
	NEED(ioasid_alloc(fd2) > 0);
	id2 = space_new();
	NEED(mem2 = pages_alloc(PAGE));
	NEED(!map_at(fd2, id2, RW, mem2, PAGE, SPOT));
	NEED(!dev_bind(edu.fd, fd2, 2222));

	AT("attached to none: both hear of it");
	log1 = refused_watch();
	log2 = refused_watch();
	edu_store(&edu, SPOT, 0, 64);
	CHECK(refused_find(log1, edu.bdf, true, SPOT, LABEL, 0));
	CHECK(refused_find(log2, edu.bdf, true, SPOT, 2222, 0));
	AT("the first");
	CHECK_OK(dev_attach(edu.fd, fd1, id1));
	memset(mem2, 0x11, PAGE);
	CHECK(reaches(SPOT, mem1));
	CHECK_EQ(mem2[0], 0x11);
	AT("the second");
	CHECK_OK(dev_detach(edu.fd, fd1, id1));
	CHECK_OK(dev_attach(edu.fd, fd2, id2));
	memset(mem1, 0x11, PAGE);
	CHECK(reaches(SPOT, mem2));
	CHECK_EQ(mem1[0], 0x11);
	AT("the first fd is closed");
	close(fd1);
	CHECK(reaches(SPOT, mem2));
	AT("the second's report");
	log1 = refused_watch();
	edu_store(&edu, 0, 0, 64);
	CHECK(refused_find(log1, edu.bdf, true, 0, 2222, id2));
}

static void A8_incompatible_attach(void)
{
	struct iommu_device_info info;
	unsigned char *mem;
	int id, wide, log;

	id = attached();
	NEED(mem = pages_alloc(PAGE));
	NEED(!map_at(fd, id, RW, mem, PAGE, SPOT));
	NEED(!device_info(fd, LABEL, &info, NULL, 0));
	NEED((wide = ioasid_alloc_as(fd, info.addr_width_bits + 1, 0)) > 0);
	NEED(!map_at(fd, wide, RW, mem, PAGE, SPOT));
	AT("while attached");
	CHECK(dev_attach(edu.fd, fd, wide) && (errno == EBUSY || errno == EINVAL));
	CHECK(reaches(SPOT, mem));
	CHECK_OK(dev_detach(edu.fd, fd, id));
	AT("while blocked");
	CHECK_ERRNO(dev_attach(edu.fd, fd, wide), EINVAL);
	memset(mem, 0x11, PAGE);
	log = refused_watch();
	edu_store(&edu, SPOT, 0, 64);
	CHECK_EQ(mem[0], 0x11);
	CHECK(refused_find(log, edu.bdf, true, SPOT, LABEL, 0));
	CHECK_OK(dev_attach(edu.fd, fd, id));
	CHECK(reaches(SPOT, mem));
	/* As wide as the device is, and narrower. */
	CHECK_OK(dev_detach(edu.fd, fd, id));
	CHECK_OK(ioasid_free(fd, wide));
	NEED((wide = ioasid_alloc_as(fd, info.addr_width_bits, 0)) > 0);
	CHECK_OK(dev_attach(edu.fd, fd, wide));
	CHECK_OK(dev_detach(edu.fd, fd, wide));
	NEED((wide = ioasid_alloc_as(fd, 32, 0)) > 0);
	CHECK_OK(map_at(fd, wide, RW, mem, PAGE, SPOT));
	CHECK_OK(map_at(fd, wide, RW, scratch, 2 * PAGE, SCRATCH));
	CHECK_OK(dev_attach(edu.fd, fd, wide));
	CHECK(reaches(SPOT, mem));
	CHECK_ERRNO(map_at(fd, wide, RW, mem, PAGE, 1ULL << 32), EINVAL);
}

static void A10_interrupt_window(void)
{
	static const struct { __u64 first; unsigned int pages; } in[] = {
		{ 0xfee00000, 1 }, { 0xfeeff000, 1 }, { 0xfee7f000, 2 },
		{ 0xfedff000, 2 }, { 0xfeeff000, 2 },
	};
	struct iommu_ioasid_range ranges[32];
	struct iommu_ioasid_info info;
	unsigned char *mem;
	unsigned int i;
	int id, n, k;

	bound();
	id = space_new();
	NEED(mem = pages_alloc(4 * PAGE));
	CHECK_EQ(ioasid_ranges(fd, id, ranges, 32), 1);
	for (i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		AT("%u pages at %#llx", in[i].pages,
		   (unsigned long long)in[i].first);
		CHECK_OK(map_at(fd, id, RW, mem, in[i].pages * PAGE, in[i].first));
		CHECK_ERRNO(dev_attach(edu.fd, fd, id), EADDRINUSE);
		CHECK_OK(ioasid_info(fd, id, &info));
		CHECK_EQ(info.nr_devices, 0);
		CHECK_EQ(info.nr_mappings, 2);
		CHECK_OK(unmap_at(fd, id, in[i].first, in[i].pages * PAGE));
	}
	AT("beside the window");
	CHECK_OK(map_at(fd, id, RW, mem, PAGE, 0xfedff000));
	CHECK_OK(map_at(fd, id, RW, mem, PAGE, 0xfef00000));
	CHECK_OK(dev_attach(edu.fd, fd, id));
	n = ioasid_ranges(fd, id, ranges, 32);
	CHECK(n >= 2);
	for (k = 0; k < n; k++)
		CHECK(ranges[k].last < 0xfee00000 || ranges[k].start > 0xfeefffff);
	for (i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		AT("%u pages at %#llx, attached", in[i].pages,
		   (unsigned long long)in[i].first);
		CHECK(map_at(fd, id, RW, mem, in[i].pages * PAGE, in[i].first) &&
		      errno == (i < 3 ? EINVAL : errno == EEXIST ? EEXIST : EINVAL));
	}
	AT("detached: nothing is reserved any more");
	CHECK_OK(dev_detach(edu.fd, fd, id));
	CHECK_EQ(ioasid_ranges(fd, id, ranges, 32), 1);
	CHECK_OK(map_at(fd, id, RW, mem, PAGE, 0xfee00000));
	CHECK_ERRNO(dev_attach(edu.fd, fd, id), EADDRINUSE);
	AT("too wide for the device");
	CHECK_OK(unmap_at(fd, id, 0xfee00000, PAGE));
	CHECK_OK(ioasid_free(fd, id));
	id = space_new();
	CHECK_OK(map_at(fd, id, RW, mem, PAGE, 1ULL << 52));
	CHECK_ERRNO(dev_attach(edu.fd, fd, id), EADDRINUSE);
	CHECK_OK(unmap_at(fd, id, 1ULL << 52, PAGE));
	CHECK_OK(dev_attach(edu.fd, fd, id));
	CHECK(reaches(SCRATCH + PAGE, scratch + PAGE));
}

/* 4 GiB full of 2 MiB mappings, all but where the window is. */
static void A10_chosen_addresses_avoid_the_window(void)
{
	__u64 iova = 0;
	unsigned int n;
	void *mem;
	int id;

	bound();
	NEED((id = ioasid_alloc_as(fd, 32, 0)) > 0);
	NEED(!dev_attach(edu.fd, fd, id));
	mem = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1,
		   0);
	NEED(mem != MAP_FAILED);
	for (n = 0; n < 3000; n++) {
		if (map_any(fd, id, RW, 0, (uintptr_t)mem, 2 * MIB, &iova))
			break;
		if (iova <= 0xfeefffff && iova + 2 * MIB > 0xfee00000)
			check_fail("chose %#llx", (unsigned long long)iova);
		if (iova + 2 * MIB > 1ULL << 32)
			check_fail("chose %#llx", (unsigned long long)iova);
	}
	CHECK_EQ(errno, ENOSPC);
	CHECK_EQ(n, 2047);
	/* What is left between is still to be had in small pieces. */
	iova = 0;
	CHECK_OK(map_any(fd, id, RW, 0, (uintptr_t)mem, 512 * KIB, &iova));
	CHECK(iova == 0xfef00000 || iova == 0xfef80000);
}

static void A20_coherency(void)
{
	struct iommu_ioasid_info space;
	struct iommu_device_info info;
	unsigned int k;
	bool can;

	bound();
	NEED(!device_info(fd, LABEL, &info, NULL, 0));
	can = info.flags & IOMMU_DEVICE_INFO_ENFORCE_SNOOP;
	printf("  the hardware can%s enforce it\n", can ? "" : "not");
	if (getenv("NO_SNOOP_CONTROL"))
		CHECK(!can);
	for (k = IOMMU_COHERENCY_AUTO; k <= IOMMU_COHERENCY_OFF; k++) {
		bool enforced = can && k != IOMMU_COHERENCY_OFF;
		struct iommu_ioasid_alloc cmd = {
			.size = sizeof(cmd),
			.type = IOMMU_IOASID_KERNEL_MANAGED,
			.flags = IOMMU_IOASID_FOR_LABEL,
			.label = LABEL,
			.coherency = k,
		};
		int id = ioasid_alloc_as(fd, 0, k);

		AT("coherency %u", k);
		NEED(id > 0);
		NEED(!map_at(fd, id, RW, scratch, 2 * PAGE, SCRATCH));
		if (k == IOMMU_COHERENCY_ENFORCE && !can) {
			CHECK_ERRNO(ioctl(fd, IOMMU_IOASID_ALLOC, &cmd), EINVAL);
			CHECK_ERRNO(dev_attach(edu.fd, fd, id), EINVAL);
			CHECK_OK(ioasid_info(fd, id, &space));
			CHECK_EQ(space.nr_devices, 0);
			CHECK_EQ(space.nr_mappings, 1);
			continue;
		}
		CHECK_OK(ioctl(fd, IOMMU_IOASID_ALLOC, &cmd));
		CHECK_OK(dev_attach(edu.fd, fd, id));
		CHECK_OK(ioasid_info(fd, id, &space));
		CHECK_EQ(!!(space.flags & IOMMU_IOASID_INFO_SNOOP_ENFORCED),
			 enforced);
		CHECK(reaches(SCRATCH + PAGE, scratch + PAGE));
		CHECK_OK(dev_detach(edu.fd, fd, id));
		CHECK_OK(ioasid_free(fd, id));
	}
}

/* Memory and what the process does with it */

/* The device reads at @iova what the process writes at @mem now. */
static bool dev_sees(__u64 iova, unsigned char *mem)
{
	static unsigned int seed = 10;

	fill(mem, ++seed, 64);
	edu_load(&edu, iova, 0, 64);
	return dev_filled(seed, 64);
}

static void A15_pages_stay_across_fork(void)
{
	static const __u32 access[] = { RW, IOMMU_MAP_READ };
	unsigned char *mem;
	int id = attached(), ready[2], status;
	unsigned int i;
	pid_t pid;
	char byte;

	for (i = 0; i < 2; i++) {
		__u64 iova = SPOT + 2 * i * PAGE;

		AT("access %u", access[i]);
		NEED(!pipe(ready));
		NEED(mem = pages_alloc(PAGE));
		memset(mem, 0x33, PAGE);
		NEED(!map_at(fd, id, access[i], mem, PAGE, iova));
		pid = fork();
		if (!pid) {
			close(ready[1]);
			(void)!read(ready[0], &byte, 1);
			/* The child has its own copy, as of the fork. */
			CHECK_EQ(mem[0], 0x33);
			mem[0] = 0x44;
			check_leave();
		}
		CHECK(dev_sees(iova, mem));
		if (access[i] == RW)
			CHECK(reaches(iova, mem));
		close(ready[1]);
		NEED(waitpid(pid, &status, 0) == pid);
		CHECK_EQ(status, 0);
		CHECK(dev_sees(iova, mem));
	}
	/* Forked before the memory is mapped: shared with the child then. */
	AT("mapped after fork");
	NEED(!pipe(ready));
	NEED(mem = pages_alloc(2 * PAGE));
	memset(mem, 0x33, 2 * PAGE);
	pid = fork();
	if (!pid) {
		close(ready[1]);
		(void)!read(ready[0], &byte, 1);
		CHECK_EQ(mem[0], 0x33);
		CHECK_EQ(mem[PAGE], 0x33);
		check_leave();
	}
	NEED(!map_at(fd, id, RW, mem, PAGE, SPOT + 8 * PAGE));
	NEED(!map_at(fd, id, IOMMU_MAP_READ, mem + PAGE, PAGE, SPOT + 9 * PAGE));
	CHECK(reaches(SPOT + 8 * PAGE, mem));
	CHECK(dev_sees(SPOT + 8 * PAGE, mem));
	CHECK(dev_sees(SPOT + 9 * PAGE, mem + PAGE));
	close(ready[1]);
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

/* Read-only for the device, and untouched by the process until afterwards. */
static void A15_reads_see_what_is_written_later(void)
{
	unsigned char *mem, *both;
	int id = attached(), file;

	AT("the zero page");
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(mem != MAP_FAILED);
	CHECK_EQ(*(volatile unsigned char *)mem, 0);
	NEED(!map_at(fd, id, IOMMU_MAP_READ, mem, PAGE, SPOT));
	CHECK(dev_sees(SPOT, mem));

	AT("a private mapping of a file");
	NEED((file = memfd_create("f", 0)) >= 0);
	NEED(!ftruncate(file, PAGE));
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	NEED(mem != MAP_FAILED);
	CHECK_EQ(*(volatile unsigned char *)mem, 0);
	NEED(!map_at(fd, id, IOMMU_MAP_READ, mem, PAGE, SPOT + PAGE));
	CHECK(dev_sees(SPOT + PAGE, mem));

	AT("memory that may only be read when it is mapped");
	mem = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(mem != MAP_FAILED);
	NEED(!map_at(fd, id, IOMMU_MAP_READ, mem, PAGE, SPOT + 2 * PAGE));
	NEED(!mprotect(mem, PAGE, PROT_READ | PROT_WRITE));
	CHECK(dev_sees(SPOT + 2 * PAGE, mem));

	AT("private behind shared, in one mapping");
	both = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(both != MAP_FAILED);
	NEED(mmap(both, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0) == both);
	CHECK_EQ(*(volatile unsigned char *)(both + PAGE), 0);
	NEED(!map_at(fd, id, IOMMU_MAP_READ, both, 3 * PAGE, SPOT + 4 * PAGE));
	CHECK(dev_sees(SPOT + 5 * PAGE, both + PAGE));
	CHECK(dev_sees(SPOT + 6 * PAGE, both + 2 * PAGE));

	AT("shared by fd");
	NEED((mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
			 0)) != MAP_FAILED);
	CHECK(dev_sees(SPOT + 4 * PAGE, mem));
}

static void A15_pages_stay_after_munmap(void)
{
	unsigned char *mem;
	int id = attached(), file;
	__u64 iova;

	AT("private");
	NEED(mem = pages_alloc(16 * PAGE));
	NEED(!map_at(fd, id, RW, mem, 16 * PAGE, SPOT));
	fill(mem + 5 * PAGE, 1, 64);
	NEED(!munmap(mem, 16 * PAGE));
	/* Give the pages a chance to be somebody else's. */
	NEED(mem = pages_alloc(32 * MIB));
	memset(mem, 0x99, 32 * MIB);
	edu_load(&edu, SPOT + 5 * PAGE, 0, 64);
	CHECK(dev_filled(1, 64));
	edu_store(&edu, SPOT + 6 * PAGE, 0, 64);
	edu_load(&edu, SPOT + 6 * PAGE, 0, 64);
	CHECK(dev_filled(1, 64));
	NEED(!munmap(mem, 32 * MIB));

	AT("shared");
	NEED((file = memfd_create("f", 0)) >= 0);
	NEED(!ftruncate(file, 4 * PAGE));
	NEED((mem = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
			 0)) != MAP_FAILED);
	NEED(!map_at(fd, id, RW, mem, 4 * PAGE, SPOT + 32 * PAGE));
	NEED(!munmap(mem, 4 * PAGE));
	dev_fill(9, 64);
	edu_store(&edu, SPOT + 33 * PAGE, 0, 64);
	NEED((mem = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file,
			 0)) != MAP_FAILED);
	CHECK(filled(mem + PAGE, 9, 64));

	AT("by fd");
	iova = SPOT + 64 * PAGE;
	NEED(!map_any(fd, id, RW | FIXED | IOMMU_MAP_FD, file, PAGE, 2 * PAGE,
		      &iova));
	CHECK(reaches(SPOT + 64 * PAGE, mem + PAGE));
	CHECK(reaches(SPOT + 65 * PAGE, mem + 2 * PAGE));
	close(file);
	NEED(!munmap(mem, 4 * PAGE));
	dev_fill(11, 64);
	edu_store(&edu, SPOT + 64 * PAGE, 0, 64);
	dev_fill(12, 64);
	edu_load(&edu, SPOT + 64 * PAGE, 0, 64);
	CHECK(dev_filled(11, 64));
}

/* What the device itself decodes is no memory for it. */
static void A15_device_memory_is_refused(void)
{
	void *bar;
	int id = attached();

	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, edu.fd,
		   (off_t)edu.bar);
	NEED(bar != MAP_FAILED);
	CHECK_EQ(*(volatile __u32 *)bar & 0xff, 0xed);
	CHECK_ERRNO(map_at(fd, id, RW, bar, PAGE, SPOT), EFAULT);
	CHECK_ERRNO(map_at(fd, id, IOMMU_MAP_READ, bar, PAGE, SPOT), EFAULT);
}

/* A14: ends of all kinds */

static int shared_file;
static unsigned char *shared;	/* outlives the process that the device works for */

static void shared_new(void)
{
	NEED((shared_file = memfd_create("shared", 0)) >= 0);
	NEED(!ftruncate(shared_file, 4 * PAGE));
	NEED((shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			    shared_file, 0)) != MAP_FAILED);
}

/* The device is nobody's and works for whoever comes next. */
static void check_usable(void)
{
	unsigned char *mem;
	int id;

	id = attached();
	NEED(mem = pages_alloc(PAGE));
	NEED(!map_at(fd, id, RW, mem, PAGE, SPOT));
	CHECK(reaches(SPOT, mem));
	close(edu.fd);
	close(fd);
}

/* Closed in every order, with DMA under way. */
static void A14_close_in_every_order(void)
{
	static const char *const orders[] = { "id", "di" };
	unsigned int i;

	shared_new();
	for (i = 0; i < 2; i++) {
		const char *step;
		int id = attached(), other, otherid;

		AT("order %s", orders[i]);
		NEED(!map_at(fd, id, RW, shared, PAGE, SPOT));
		CHECK(reaches(SPOT, shared));
		dev_fill(20, 64);
		memset(shared, 0x11, PAGE);
		refused_unwatched();
		edu_begin(&edu, true, SPOT, 0, 64);
		for (step = orders[i]; *step; step++)
			close(*step == 'i' ? fd : edu.fd);
		check_sleep_ms(200);
		CHECK_EQ(shared[0], 0x11);
		CHECK_EQ(vm_pin_kib(), 0);
		check_usable();

		/* Only /dev/iommu: the device is blocked and can go elsewhere. */
		id = attached();
		NEED(!map_at(fd, id, RW, shared, PAGE, SPOT));
		dev_fill(21, 64);
		refused_unwatched();
		edu_begin(&edu, true, SPOT, 0, 64);
		close(fd);
		CHECK_EQ(vm_pin_kib(), 0);
		CHECK(edu_end(&edu));
		CHECK_EQ(shared[0], 0x11);
		refused_unwatched();
		edu_store(&edu, SPOT, 0, 64);
		CHECK_EQ(shared[0], 0x11);
		NEED((other = iommu_open()) >= 0);
		CHECK_ERRNO(dev_attach(edu.fd, other, id), EINVAL);
		CHECK_OK(dev_bind(edu.fd, other, LABEL));
		fd = other;
		otherid = space_new();
		CHECK_OK(map_at(other, otherid, RW, shared, PAGE, SPOT));
		CHECK_OK(dev_attach(edu.fd, other, otherid));
		CHECK(reaches(SPOT, shared));
		/* Only the device: the memory stays mapped. */
		close(edu.fd);
		CHECK_EQ(vm_pin_kib(), 12);
		CHECK_OK(ioasid_free(other, otherid));
		close(other);
	}
}

enum life { OPENED, BOUND, MAPPED, ATTACHED, WORKING, DETACHED, LIVES };

static void live(enum life until, int ready)
{
	int id = 0;

	if (until >= OPENED) {
		NEED((fd = iommu_open()) >= 0);
		NEED(edu_open(&edu, 0));
	}
	if (until >= BOUND) {
		NEED(!dev_bind(edu.fd, fd, LABEL));
		NEED(edu_start(&edu));
		NEED(scratch = pages_alloc(2 * PAGE));
	}
	if (until >= MAPPED) {
		id = space_new();
		NEED(!map_at(fd, id, RW, shared, 4 * PAGE, SPOT));
	}
	if (until >= ATTACHED)
		NEED(!dev_attach(edu.fd, fd, id));
	if (until >= WORKING) {
		dev_fill(30, 64);
		edu_begin(&edu, true, SPOT, 0, 64);
	}
	if (until >= DETACHED)
		NEED(!dev_detach(edu.fd, fd, id));
	NEED(write(ready, "", 1) == 1);
	pause();
}

static void A14_killed_in_every_state(void)
{
	enum life state;

	shared_new();
	for (state = OPENED; state < LIVES; state++) {
		int ready[2], status;
		pid_t pid;
		char byte;

		AT("state %d", state);
		memset(shared, 0x11, PAGE);
		NEED(!pipe(ready));
		pid = fork();
		if (!pid)
			live(state, ready[1]);
		close(ready[1]);
		NEED(read(ready[0], &byte, 1) == 1);
		if (state >= WORKING)
			refused_unwatched();
		kill(pid, SIGKILL);
		NEED(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status));
		close(ready[0]);
		if (state >= WORKING) {
			byte = (char)shared[0];
			check_sleep_ms(200);
			/* It had arrived before the end, or does not at all. */
			CHECK_EQ(shared[0], (unsigned char)byte);
		}
		check_usable();
	}
}

static void send_fds(int socket, const int *fds, unsigned int n)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	NEED(sendmsg(socket, &msg, 0) == 1);
}

static void receive_fds(int socket, int *fds, unsigned int n)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = { 0 }, byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	NEED(recvmsg(socket, &msg, 0) == 1);
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)), n * sizeof(int));
}

/* The process that set it all up is gone; another has the files. */
static void A14_files_passed_on(void)
{
	int pair[2], fds[2], status, id;
	struct iommu_ioasid_info info;
	unsigned char *mem;
	pid_t pid;

	shared_new();
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (!pid) {
		id = attached();
		NEED(!map_at(fd, id, RW, shared, PAGE, SPOT));
		send_fds(pair[1], (int[]){ fd, edu.fd }, 2);
		check_leave();
	}
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	receive_fds(pair[0], fds, 2);
	fd = fds[0];
	memset(&edu, 0, sizeof(edu));
	NEED(pci_find(EDU_VENDOR, EDU_DEVICE, 0, edu.bdf));
	edu.fd = fds[1];
	NEED(edu_start(&edu));
	id = 1;
	while (id < 10 && ioasid_info(fd, id, &info))
		id++;
	CHECK_OK(ioasid_info(fd, id, &info));
	CHECK_EQ(info.nr_mappings, 2);
	CHECK_EQ(info.nr_devices, 1);
	/* It goes on where it was, and can be changed. */
	NEED(scratch = pages_alloc(2 * PAGE));
	CHECK_OK(unmap_at(fd, id, SCRATCH, 2 * PAGE));
	CHECK_OK(map_at(fd, id, RW, scratch, 2 * PAGE, SCRATCH));
	CHECK(reaches(SPOT, shared));
	NEED(mem = pages_alloc(PAGE));
	CHECK_OK(unmap_at(fd, id, SPOT, PAGE));
	CHECK_OK(map_at(fd, id, RW, mem, PAGE, SPOT));
	CHECK(reaches(SPOT, mem));
	close(fd);
	refused_unwatched();
	memset(mem, 0x11, PAGE);
	edu_store(&edu, SPOT, 0, 64);
	CHECK_EQ(mem[0], 0x11);
}

/* After the last unbind the kernel has its device back, for its own DMA. */
static void A12_back_to_the_kernel(void)
{
	char name[64], bdf[16];
	int dev, iommu, id, i;
	void *mem;

	/* e1000e */
	NEED(pci_find(0x8086, 0x10d3, 0, bdf));
	pci_driver(bdf, name);
	NEED(!strcmp(name, "e1000e"));
	NEED(mem = pages_alloc(PAGE));
	for (i = 0; i < 2; i++) {
		NEED((iommu = iommu_open()) >= 0);
		NEED((id = ioasid_alloc(iommu)) > 0);
		NEED(!map_at(iommu, id, RW, mem, PAGE, SPOT));
		NEED((dev = pci_open(bdf)) >= 0);
		CHECK_OK(dev_bind(dev, iommu, 5));
		CHECK_OK(dev_attach(dev, iommu, id));
		close(dev);
		close(iommu);
		CHECK(pci_give(bdf, "e1000e"));
	}
	pci_driver(bdf, name);
	CHECK(!strcmp(name, "e1000e"));
	/* It talks to the gateway. */
	CHECK_EQ(system("ip link set eth0 up && ip addr replace 10.0.2.15/24 dev eth0"
			" && for i in 1 2 3 4 5 6 7 8; do"
			" ping -c 1 -W 1 10.0.2.2 >/dev/null && exit 0; sleep 1;"
			" done; exit 1"), 0);
	system("ip link set eth0 down");
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	refused_init();
	RUN(A24_both_ways_byte_by_byte);
	RUN(A12_no_dma_without_attach);
	RUN(A12_attached_elsewhere);
	RUN(A15_any_layout);
	RUN(A15_huge_pages);
	RUN(A15_no_dma_after_unmap);
	RUN(A15_no_dma_beside_a_mapping);
	RUN(A15_read_only_and_write_only);
	RUN(A15_device_memory_is_refused);
	RUN(A15_pages_stay_across_fork);
	RUN(A15_reads_see_what_is_written_later);
	RUN(A15_pages_stay_after_munmap);
	RUN(A4_dma_through_one_of_two_fds);
	RUN(A8_incompatible_attach);
	RUN(A10_interrupt_window);
	RUN(A10_chosen_addresses_avoid_the_window);
	RUN(A20_coherency);
	RUN(A14_close_in_every_order);
	RUN(A14_killed_in_every_state);
	RUN(A14_files_passed_on);
	RUN(A12_back_to_the_kernel);
	return check_end();
}
