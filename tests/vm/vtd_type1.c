// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stock vfio-pci and its type1 container on our VT-d driver as the kernel's
 * IOMMU driver: DMA of an edu device through a paging domain, and none without.
 */
#include "check.h"
#include "edu.h"

#include <sys/mman.h>

#define IOVA	0x200000ULL
/* One byte less than a page: QEMU 7.2's edu refuses its last one. */
#define BYTES	4095

static unsigned char *mem;
static int container, group;

/* Attach the group of a function to a new container. */
static void open_group(const char *bdf)
{
	char path[64];

	pci_write_attr(bdf, "driver/unbind", bdf);
	NEED(!pci_write_attr(bdf, "driver_override", "vfio-pci"));
	check_write_file("/sys/bus/pci/drivers_probe", bdf);

	check_write_file("/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "1");
	snprintf(path, sizeof(path), "/dev/vfio/%d", iommu_group_of(bdf));
	container = open("/dev/vfio/vfio", O_RDWR);
	NEED(container >= 0);
	group = open(path, O_RDWR);
	NEED(group >= 0);
	NEED(!ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
	NEED(!ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	mem = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	NEED(mem != MAP_FAILED);
}

static void open_edu(struct edu *edu)
{
	memset(edu, 0, sizeof(*edu));
	NEED(pci_find(EDU_VENDOR, EDU_DEVICE, 0, edu->bdf));
	open_group(edu->bdf);
	edu->fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, edu->bdf);
	NEED(edu->fd >= 0);
	NEED(edu_start(edu));
}

static int map(void *at, __u64 iova, __u64 bytes)
{
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)at,
		.iova = iova,
		.size = bytes,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &cmd);
}

static int unmap(__u64 iova, __u64 bytes)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.iova = iova,
		.size = bytes,
	};

	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &cmd);
}

static void test_copy(void)
{
	struct edu edu;

	open_edu(&edu);
	NEED(!map(mem, IOVA, 4 << 20));
	memset(mem, 0x5a, 4096);
	CHECK(edu_load(&edu, IOVA, 0, BYTES));
	CHECK(edu_store(&edu, IOVA + 0x3000, 0, BYTES));
	CHECK(!memcmp(mem + 0x3000, mem, BYTES));
	/* The far end of the range, and a second mapping beside it. */
	CHECK(edu_store(&edu, IOVA + (4 << 20) - 4096, 0, BYTES));
	CHECK(!memcmp(mem + (4 << 20) - 4096, mem, BYTES));
	CHECK_OK(unmap(IOVA, 4 << 20));
	CHECK_OK(map(mem + 8192, IOVA, 4096));
	memset(mem + 8192, 0, 4096);
	CHECK(edu_store(&edu, IOVA, 0, BYTES));
	CHECK(!memcmp(mem + 8192, mem, BYTES));
}

static void test_unmapped(void)
{
	struct edu edu;
	int i;

	open_edu(&edu);
	for (i = 0; i < 3; i++) {
		NEED(!map(mem, IOVA, 4096));
		memset(mem, 0x11, 4096);
		CHECK(edu_load(&edu, IOVA, 0, BYTES));
		CHECK_OK(unmap(IOVA, 4096));
		memset(mem, 0x22, 4096);
		edu_store(&edu, IOVA, 0, BYTES);
		CHECK_EQ(mem[0], 0x22);
		CHECK_EQ(mem[BYTES - 1], 0x22);
	}
}

static void test_many(void)
{
	struct edu edu;
	unsigned int i;
	int fd;

	open_edu(&edu);
	NEED((fd = creat("vtd_type1.open", 0600)) >= 0);
	close(fd);
	/* Every other page, so that no large leaf and no run covers two. */
	for (i = 0; i < 1000; i++)
		NEED(!map(mem + i * 4096, IOVA + i * 8192, 4096));
	for (i = 0; i < 1000; i += 137) {
		memset(mem + i * 4096, i, 4096);
		CHECK(edu_load(&edu, IOVA + i * 8192, 0, BYTES));
		memset(mem + i * 4096, 0xff, 4096);
		CHECK(edu_store(&edu, IOVA + i * 8192, 0, BYTES));
		CHECK_EQ(mem[i * 4096 + 100], (unsigned char)i);
	}
	CHECK_OK(unmap(IOVA, 1000 * 8192));
}

/* Is ATS on in a function? -1: it has none. */
static int ats_on(const char *bdf)
{
	unsigned char config[4096] = { 0 };
	unsigned int at = 0x100, hops;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, config, sizeof(config)) != sizeof(config))
		return -1;
	close(fd);
	for (hops = 0; at && hops < 64; hops++) {
		unsigned int head = config[at] | config[at + 1] << 8 |
				    config[at + 2] << 16 | config[at + 3] << 24;

		if ((head & 0xffff) == 0x0f)
			return config[at + 7] >> 7;
		at = head >> 20;
	}
	return -1;
}

/* A virtio function with ats=on: its cache is on while it has a table. */
static void test_ats(void)
{
	char bdf[16];
	int i;

	if (!pci_find(0x1af4, 0x1041, 0, bdf))
		SKIP("no virtio function with ATS");
	NEED(ats_on(bdf) == 0);
	open_group(bdf);
	CHECK_EQ(ats_on(bdf), 1);
	for (i = 0; i < 20; i++) {
		CHECK_OK(map(mem, IOVA, 4096 << i % 8));
		CHECK_OK(unmap(IOVA, 4096 << i % 8));
	}
	close(group);
	close(container);
	CHECK_EQ(ats_on(bdf), 0);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(test_copy);
	RUN(test_unmapped);
	RUN(test_many);
	RUN(test_ats);
	return check_end();
}
