// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libiommu with a real kernel and QEMU's edu device. Run in a virtual machine by
 * tests/vm/t/libiommu.sh: live_edu BDF
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "live.h"

#define EDU_ID		0x00
#define EDU_LIVE	0x04
#define EDU_IRQ_STATUS	0x24
#define EDU_IRQ_RAISE	0x60
#define EDU_IRQ_ACK	0x64
#define EDU_DMA_FROM	0x80
#define EDU_DMA_TO	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_MEMORY	0x40000

#define LEN		2048
#define LABEL		0xfedcba9876543210ull
#define TIMEOUT_MS	20000

static struct iommu_dev *dev;
static volatile uint8_t *regs;
static uint32_t ioasid;

static uint32_t read32(unsigned int reg)
{
	return *(volatile uint32_t *)(regs + reg);
}

static void write32(unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(regs + reg) = value;
}

static void write64(unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)(regs + reg) = value;
}

static void transfer(uint64_t from, uint64_t to, uint32_t cmd)
{
	write64(EDU_DMA_FROM, from);
	write64(EDU_DMA_TO, to);
	write64(EDU_DMA_COUNT, LEN);
	write64(EDU_DMA_CMD, cmd | 1);
	while (read32(EDU_DMA_CMD) & 1)
		usleep(1000);
}

/* Through the device and back, at addresses of the device's. */
static void copy(uint64_t from, uint64_t to)
{
	transfer(from, EDU_MEMORY, 0);
	transfer(EDU_MEMORY, to, 2);
}

static void check_copy(struct iommu_buf *from, struct iommu_buf *to)
{
	static uint32_t seed;
	uint32_t *data = iommu_buf_addr(from);
	unsigned int i;

	seed++;
	for (i = 0; i < LEN / 4; i++)
		data[i] = seed << 16 | i;
	copy(iommu_buf_iova(from), iommu_buf_iova(to));
	CHECK(!memcmp(data, iommu_buf_addr(to), LEN));
}

static void test_open(const char *bdf)
{
	struct iommu_dev_info *info;
	struct iommu_dev *second;
	uint64_t value;
	void *map;
	size_t len;

	CHECK(!iommu_ctx_open(ctx));
	CHECK(!iommu_ctx_check_extension(ctx, IOMMU_EXT_MAP_FD, &value) && value == 1);
	CHECK(!iommu_ctx_check_extension(ctx, 12345, &value) && value == 0);
	CHECK(!iommu_dev_open(ctx, bdf, LABEL, &dev));
	CHECK(iommu_dev_label(dev) == LABEL);
	CHECK(strstr(iommu_dev_name(dev), bdf));
	CHECK_FAILS(iommu_dev_open(ctx, bdf, 1, &second), EBUSY, "label");

	CHECK(!iommu_dev_get_info(dev, &info));
	CHECK(info->addr_width_bits >= 39 && info->pgsize_bitmap & 4096);
	CHECK(info->nr_ranges >= 1 && info->formats & 1);
	printf("width %u, pages %#llx, flags %#x, type %u, %zu ranges:",
	       info->addr_width_bits, (unsigned long long)info->pgsize_bitmap,
	       info->flags, info->hw_type, info->nr_ranges);
	for (size_t i = 0; i < info->nr_ranges; i++) {
		const struct iommu_ioasid_range *range = &info->ranges[i];

		printf(" %llx-%llx", (unsigned long long)range->start,
		       (unsigned long long)range->last);
		/* Never the window of message signalled interrupts. */
		CHECK(range->last < 0xfee00000 || range->start > 0xfeefffff);
	}
	putchar('\n');
	iommu_dev_info_free(info);

	CHECK(!iommu_region_map(dev, IOMMU_REGION_BAR0, &map, &len));
	CHECK(len == 1 << 20);
	regs = map;
}

static void test_regions(void)
{
	struct iommu_region_info info;
	uint32_t value = 0;
	uint16_t command;
	void *map;
	size_t len;

	CHECK(!iommu_region_get_info(dev, IOMMU_REGION_BAR0, &info));
	CHECK(info.mappable && info.readable && info.writable);
	CHECK(!iommu_region_get_info(dev, IOMMU_REGION_BAR0 + 3, &info) && !info.size);
	CHECK_FAILS(iommu_region_map(dev, IOMMU_REGION_BAR0 + 3, &map, &len), ENXIO, "no region 3");
	CHECK_FAILS(iommu_region_map(dev, IOMMU_REGION_CONFIG, &map, &len), EOPNOTSUPP, "cannot be mapped");
	CHECK(iommu_region_get_info(dev, 1000, &info) == -EINVAL);

	/* The same register both ways; it holds what was written, inverted. */
	write32(EDU_LIVE, 0x12345678);
	CHECK(!iommu_region_read(dev, IOMMU_REGION_BAR0, EDU_LIVE, &value, 4));
	CHECK(value == ~0x12345678u && read32(EDU_LIVE) == value);
	value = 0x55aa;
	CHECK(!iommu_region_write(dev, IOMMU_REGION_BAR0, EDU_LIVE, &value, 4));
	CHECK(read32(EDU_LIVE) == ~0x55aau);

	CHECK(!iommu_pci_read32(dev, 0, &value) && value == 0x11e81234);
	CHECK(!iommu_pci_set_bus_master(dev, true));
	CHECK(!iommu_pci_read16(dev, 4, &command) && command & 4);
	CHECK(iommu_pci_read32(dev, 1 << 20, &value) == -ENXIO);
}

static void test_space(void)
{
	struct iommu_ioasid_alloc spec = {
		.size = sizeof(spec),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.addr_width_bits = 28,
	};
	struct iommu_ioasid_alloc root = {
		.size = sizeof(root),
		.type = IOMMU_IOASID_USER_MANAGED,
	};
	struct iommu_ioas_info *info;
	uint32_t other;

	CHECK(iommu_ioas_alloc(ctx, &root, &other) == -EINVAL);
	CHECK(!iommu_ioas_alloc(ctx, &spec, &ioasid));
	CHECK(!iommu_ioas_alloc(ctx, NULL, &other) && other != ioasid);
	CHECK(!iommu_dev_attach(dev, ioasid));
	CHECK_FAILS(iommu_dev_attach(dev, other), EBUSY, "detach it first");
	CHECK_FAILS(iommu_dev_detach(dev, other), ENOENT, "not attached");
	CHECK_FAILS(iommu_ioas_free(ctx, ioasid), EBUSY, "attached");
	CHECK(!iommu_ioas_free(ctx, other));
	CHECK_FAILS(iommu_ioas_free(ctx, other), ENOENT, "no such");
	CHECK(!iommu_ioas_get_info(ctx, ioasid, &info));
	CHECK(info->nr_devices == 1 && info->addr_width_bits == 28);
	CHECK(info->ranges[info->nr_ranges - 1].last < 1 << 28);
	CHECK(!info->nr_mappings && !info->pinned_bytes);
	iommu_ioas_info_free(info);
}

static void test_buffers(void)
{
	static const enum iommu_buf_kind kinds[] = {
		IOMMU_BUF_ANON, IOMMU_BUF_HUGE, IOMMU_BUF_MEMFD,
	};
	struct iommu_buf *bufs[3];
	struct iommu_ioas_info *info;
	unsigned int i, j;

	for (i = 0; i < 3; i++) {
		CHECK(!iommu_buf_alloc(ctx, ioasid, 10000, kinds[i], &bufs[i]));
		CHECK(iommu_buf_iova(bufs[i]) < 1 << 28);
		CHECK(iommu_buf_len(bufs[i]) == (kinds[i] == IOMMU_BUF_HUGE ? 2 << 20 : 12288));
	}
	for (i = 0; i < 3; i++)
		for (j = 0; j < 3; j++)
			if (i != j)
				check_copy(bufs[i], bufs[j]);
	CHECK(!iommu_ioas_get_info(ctx, ioasid, &info));
	CHECK(info->nr_mappings == 3 && info->mapped_bytes == (2 << 20) + 24576);
	CHECK(info->pinned_bytes == info->mapped_bytes);
	iommu_ioas_info_free(info);
	for (i = 0; i < 3; i++)
		iommu_buf_free(bufs[i]);
	CHECK(!iommu_ioas_get_info(ctx, ioasid, &info));
	CHECK(!info->nr_mappings && !info->pinned_bytes && !info->charged_bytes);
	iommu_ioas_info_free(info);
}

static void test_map(void)
{
	const unsigned int rw = IOMMU_MAP_READ | IOMMU_MAP_WRITE;
	uint64_t iova, unmapped;
	char *memory, *again;
	int fd;

	memory = mmap(NULL, 16384, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(!iommu_map_fixed(ctx, ioasid, memory, 8192, rw, 0x100000));
	CHECK_FAILS(iommu_map_fixed(ctx, ioasid, memory, 4096, rw, 0x101000), EEXIST, "something is mapped");
	CHECK_FAILS(iommu_map_fixed(ctx, ioasid, memory, 4096, rw, 1ull << 28), EINVAL, "not permitted");
	CHECK_FAILS(iommu_map_fixed(ctx, ioasid, memory, 100, rw, 0x200000), EINVAL, "page size");
	CHECK_FAILS(iommu_map_fixed(ctx, ioasid, NULL, 4096, rw, 0x200000), EFAULT, "no memory there");
	CHECK(!iommu_map(ctx, ioasid, memory + 8192, 8192, rw, &iova));
	strcpy(memory, "there and back");
	copy(0x100000, iova);
	CHECK(!strcmp(memory + 8192, "there and back"));

	CHECK_FAILS(iommu_unmap(ctx, ioasid, 0x100000, 4096, NULL), EINVAL, "cuts a mapping");
	CHECK_FAILS(iommu_unmap(ctx, ioasid, 0x900000, 4096, NULL), ENOENT, "nothing is mapped");
	CHECK(!iommu_unmap(ctx, ioasid, 0x100000, 8192, &unmapped) && unmapped == 8192);

	/* A memfd that the program sees at one place and the device at another. */
	fd = memfd_create("test", 0);
	CHECK(fd >= 0 && !ftruncate(fd, 16384));
	again = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(!iommu_map_fd_fixed(ctx, ioasid, fd, 4096, 8192, rw, 0x300000));
	CHECK_FAILS(iommu_map_fd(ctx, ioasid, STDIN_FILENO, 0, 4096, rw, &unmapped), EINVAL, "no memfd");
	CHECK_FAILS(iommu_map_fd(ctx, ioasid, 1000, 0, 4096, rw, &unmapped), EBADF, "not an open file");
	CHECK_FAILS(iommu_map_fd(ctx, ioasid, fd, 8192, 16384, rw, &unmapped), EFAULT, "shorter");
	strcpy(again + 4096, "by file");
	copy(0x300000, iova);
	CHECK(!strcmp(memory + 8192, "by file"));
	CHECK(!iommu_unmap_all(ctx, ioasid, &unmapped) && unmapped == 16384);
	CHECK(!iommu_unmap_all(ctx, ioasid, &unmapped) && unmapped == 0);
	munmap(memory, 16384);
	munmap(again, 16384);
	close(fd);
}

static void test_interrupts(void)
{
	static const enum iommu_irq_kind kinds[] = { IOMMU_IRQ_INTX, IOMMU_IRQ_MSI };
	unsigned int i, n, count;

	CHECK(!iommu_irq_get_count(dev, IOMMU_IRQ_MSIX, &count) && !count);
	CHECK_FAILS(iommu_irq_enable(dev, IOMMU_IRQ_MSIX, 1), ENOSPC, "has 0 MSI-X");
	for (i = 0; i < 2; i++) {
		CHECK(!iommu_irq_get_count(dev, kinds[i], &count) && count == 1);
		CHECK(!iommu_irq_enable(dev, kinds[i], 1));
		CHECK(iommu_irq_wait(dev, 0, 0, NULL) == -ETIMEDOUT);
		for (n = 0; n < 3; n++) {
			write32(EDU_IRQ_RAISE, 1 << n);
			CHECK(!iommu_irq_wait(dev, 0, TIMEOUT_MS, NULL));
			CHECK(read32(EDU_IRQ_STATUS) == 1u << n);
			write32(EDU_IRQ_ACK, 1 << n);
			CHECK(!read32(EDU_IRQ_STATUS));
			if (kinds[i] == IOMMU_IRQ_INTX)
				CHECK(!iommu_irq_unmask(dev));
		}
		CHECK(iommu_irq_wait(dev, 0, 50, NULL) == -ETIMEDOUT);
		CHECK(!iommu_irq_disable(dev));
	}
}

/* After a detach, and after a reset, the device reaches nothing. */
static void test_blocked(void)
{
	struct iommu_buf *buf;
	char *data;
	int rc;

	CHECK(!iommu_buf_alloc(ctx, ioasid, 4096, IOMMU_BUF_ANON, &buf));
	data = iommu_buf_addr(buf);
	memset(data, 0x11, LEN);
	transfer(iommu_buf_iova(buf), EDU_MEMORY, 0);
	memset(data, 0x22, LEN);
	CHECK(!iommu_dev_detach(dev, ioasid));
	transfer(EDU_MEMORY, iommu_buf_iova(buf), 2);
	CHECK(data[0] == 0x22);
	CHECK(!iommu_dev_attach(dev, ioasid));
	transfer(EDU_MEMORY, iommu_buf_iova(buf), 2);
	CHECK(data[0] == 0x11);

	rc = iommu_dev_reset(dev);
	CHECK(!rc || rc == -EINVAL);
	iommu_buf_free(buf);
}

/* The same context and device by fds that come from elsewhere. */
static void test_fds(void)
{
	struct iommu_ctx *same = iommu_ctx_new(), *other = iommu_ctx_new();
	struct iommu_ioas_info *info;
	struct iommu_dev *by_fd;

	CHECK(!iommu_ctx_set_fd(same, iommu_ctx_fd(ctx)));
	CHECK(!iommu_ioas_get_info(same, ioasid, &info) && info->nr_devices == 1);
	iommu_ioas_info_free(info);
	CHECK(iommu_ctx_set_fd(other, STDIN_FILENO) < 0);
	CHECK(iommu_ctx_set_fd(other, iommu_dev_fd(dev)) < 0);

	/* One device, bound to a second context as well. */
	CHECK(!iommu_ctx_open(other));
	CHECK(!iommu_dev_open_fd(other, iommu_dev_fd(dev), "again", 3, &by_fd));
	CHECK(iommu_ioas_get_info(other, ioasid + 100, &info) == -ENOENT);
	iommu_dev_close(by_fd);
	iommu_ctx_free(other);
	iommu_ctx_free(same);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	ctx = iommu_ctx_new();
	test_open(argv[1]);
	test_regions();
	test_space();
	test_buffers();
	test_map();
	test_interrupts();
	test_blocked();
	test_fds();
	iommu_region_unmap(dev, (void *)regs, 1 << 20);
	iommu_dev_close(dev);
	iommu_ctx_free(ctx);
	printf("live_edu: %u checks\n", checks);
	return 0;
}
