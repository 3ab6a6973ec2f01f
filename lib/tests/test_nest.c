// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Children, invalidation and PASIDs without a kernel: an ioctl() that keeps what
 * it was given. And tables, read by a walker that shares nothing with the writer.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <iommu/iommu.h>

#define KIB4	4096ull
#define MIB2	(512 * KIB4)
#define GIB	(512 * MIB2)
#define R	IOMMU_MAP_READ
#define RW	(IOMMU_MAP_READ | IOMMU_MAP_WRITE)

/* What the last ioctl() of a kind was, and what the next one answers. */
static struct {
	int err;
	uint32_t pasid_width_bits;
	uint32_t done;
	struct iommu_ioasid_alloc alloc;
	struct iommu_vtd_s1_attrs attrs;
	struct iommu_map_dma map;
	struct iommu_invalidate_cache inv;
	struct iommu_invalidate_entry first;
	struct iommu_device_attach attach;
	struct iommu_device_detach detach;
} kernel;

int __wrap_ioctl(int fd, unsigned long cmd, void *arg);

int __wrap_ioctl(int fd, unsigned long cmd, void *arg)
{
	struct iommu_device_info *info = arg;

	(void)fd;
	switch (cmd) {
	case IOMMU_IOASID_ALLOC:
		kernel.alloc = *(struct iommu_ioasid_alloc *)arg;
		if (kernel.alloc.attrs)
			memcpy(&kernel.attrs, (void *)(uintptr_t)kernel.alloc.attrs,
			       sizeof(kernel.attrs));
		((struct iommu_ioasid_alloc *)arg)->ioasid = 7;
		break;
	case IOMMU_MAP_DMA:
		kernel.map = *(struct iommu_map_dma *)arg;
		if (!(kernel.map.flags & IOMMU_MAP_FIXED_IOVA))
			((struct iommu_map_dma *)arg)->iova = 0x1000;
		break;
	case IOMMU_INVALIDATE_CACHE:
		kernel.inv = *(struct iommu_invalidate_cache *)arg;
		memcpy(&kernel.first, (void *)(uintptr_t)kernel.inv.entries,
		       sizeof(kernel.first));
		if (kernel.err)
			((struct iommu_invalidate_cache *)arg)->nr_entries = kernel.done;
		break;
	case IOMMU_DEVICE_ATTACH_IOASID:
		kernel.attach = *(struct iommu_device_attach *)arg;
		break;
	case IOMMU_DEVICE_DETACH_IOASID:
		kernel.detach = *(struct iommu_device_detach *)arg;
		break;
	case IOMMU_DEVICE_GET_INFO:
		info->pasid_width_bits = kernel.pasid_width_bits;
		info->nr_ranges = 1;
		errno = EMSGSIZE;
		return -1;
	default:
		return 0;
	}
	errno = kernel.err;
	return kernel.err ? -1 : 0;
}

static struct iommu_ctx *ctx;

static int setup(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	ctx = iommu_ctx_new();
	return ctx ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	iommu_ctx_free(ctx);
	return 0;
}

static void assert_says(const char *word)
{
	if (!strstr(iommu_ctx_error(ctx), word))
		fail_msg("no '%s' in: %s", word, iommu_ctx_error(ctx));
}

static void test_children(void **state)
{
	struct iommu_vtd_s1_spec spec = {
		.size = sizeof(spec), .levels = 5, .table_addr = 0x5000,
		.flags = IOMMU_VTD_S1_EAFE, .nesting = IOMMU_NESTING_HARDWARE,
		.coherency = IOMMU_COHERENCY_ENFORCE,
	};
	uint64_t at = 0xdead;
	uint32_t ioasid = 0;

	(void)state;
	assert_int_equal(iommu_child_alloc(ctx, 0, 0, &ioasid), -ENOENT);
	assert_int_equal(kernel.alloc.size, 0);
	assert_int_equal(iommu_child_alloc(ctx, 3, 39, &ioasid), 0);
	assert_int_equal(ioasid, 7);
	assert_int_equal(kernel.alloc.type, IOMMU_IOASID_KERNEL_MANAGED);
	assert_int_equal(kernel.alloc.parent, 3);
	assert_int_equal(kernel.alloc.addr_width_bits, 39);

	assert_int_equal(iommu_vtd_s1_alloc(ctx, 3, &spec, &ioasid), 0);
	assert_int_equal(kernel.alloc.type, IOMMU_IOASID_USER_MANAGED);
	assert_int_equal(kernel.alloc.format, IOMMU_FORMAT_VTD_S1);
	assert_int_equal(kernel.alloc.addr_width_bits, 57);
	assert_int_equal(kernel.alloc.table_addr, 0x5000);
	assert_int_equal(kernel.alloc.nesting, IOMMU_NESTING_HARDWARE);
	assert_int_equal(kernel.alloc.coherency, IOMMU_COHERENCY_ENFORCE);
	assert_int_equal(kernel.alloc.attrs_len_bytes, sizeof(kernel.attrs));
	assert_int_equal(kernel.attrs.flags, IOMMU_VTD_S1_EAFE);
	spec.levels = 3;
	assert_int_equal(iommu_vtd_s1_alloc(ctx, 3, &spec, &ioasid), -EINVAL);
	spec.levels = 4;
	spec.size++;
	assert_int_equal(iommu_vtd_s1_alloc(ctx, 3, &spec, &ioasid), -E2BIG);
	kernel.err = ENOSPC;
	assert_int_equal(iommu_child_alloc(ctx, 3, 0, &ioasid), -ENOSPC);
	assert_says("cannot allocate a child of IOASID 3");
	assert_says("7 parents above");
	kernel.err = 0;

	assert_int_equal(iommu_map_child(ctx, 7, 0x2000, 0x3000, R, &at), 0);
	assert_int_equal(at, 0x1000);
	assert_int_equal(kernel.map.source, 0x2000);
	assert_int_equal(kernel.map.length, 0x3000);
	assert_int_equal(kernel.map.flags, IOMMU_MAP_READ);
	assert_int_equal(iommu_map_child_fixed(ctx, 7, 0x2000, 0x3000, RW, 0x8000), 0);
	assert_int_equal(kernel.map.flags, RW | IOMMU_MAP_FIXED_IOVA);
	assert_int_equal(kernel.map.iova, 0x8000);
	assert_int_equal(iommu_map_child(ctx, 7, 0, 4096, IOMMU_MAP_FD, &at), -EINVAL);
	kernel.err = EOPNOTSUPP;
	assert_int_equal(iommu_map_child(ctx, 7, 0x2000, 4096, R, &at), -EOPNOTSUPP);
	assert_says("iommu_invalidate()");
}

static void test_invalidate(void **state)
{
	struct iommu_invalidate_entry entries[3] = {
		{ .granularity = IOMMU_INVALIDATE_ALL },
		{ .granularity = IOMMU_INVALIDATE_RANGE, .addr = 0x7000, .length = 4096 },
		{ .granularity = IOMMU_INVALIDATE_ALL },
	};
	uint32_t done = 77;

	(void)state;
	assert_int_equal(iommu_invalidate(ctx, 7, 0x4000, 0x2000), 0);
	assert_int_equal(kernel.inv.ioasid, 7);
	assert_int_equal(kernel.inv.nr_entries, 1);
	assert_int_equal(kernel.inv.entry_len_bytes, sizeof(entries[0]));
	assert_int_equal(kernel.first.granularity, IOMMU_INVALIDATE_RANGE);
	assert_int_equal(kernel.first.addr, 0x4000);
	assert_int_equal(kernel.first.length, 0x2000);
	assert_int_equal(iommu_invalidate_all(ctx, 7), 0);
	assert_int_equal(kernel.first.granularity, IOMMU_INVALIDATE_ALL);
	assert_int_equal(kernel.first.length, 0);
	assert_int_equal(iommu_invalidate_entries(ctx, 7, entries, 3, &done), 0);
	assert_int_equal(done, 3);

	kernel.err = E2BIG;
	kernel.done = 1;
	assert_int_equal(iommu_invalidate_entries(ctx, 7, entries, 3, &done), -E2BIG);
	assert_int_equal(done, 1);
	assert_says("4096 bytes at 0x7000");
	assert_says("translates nothing now");
	/* A kernel without the command leaves the structure as it was. */
	kernel.err = ENOTTY;
	kernel.done = 3;
	assert_int_equal(iommu_invalidate_entries(ctx, 7, entries, 3, &done), -ENOTTY);
	assert_int_equal(done, 0);
	assert_says("IOASID 7: cannot invalidate: ");
}

static void test_pasids(void **state)
{
	struct iommu_dev *dev;
	int fd = open("/dev/null", O_RDWR);

	(void)state;
	assert_int_equal(iommu_dev_open_fd(ctx, fd, "dut", 5, &dev), 0);
	close(fd);
	assert_int_equal(iommu_dev_attach_pasid(dev, 7, 21), 0);
	assert_int_equal(kernel.attach.flags, IOMMU_DEVICE_ATTACH_VPASID);
	assert_int_equal(kernel.attach.vpasid, 21);
	assert_int_equal(kernel.attach.ioasid, 7);
	assert_int_equal(iommu_dev_detach_pasid(dev, 7, 21), 0);
	assert_int_equal(kernel.detach.flags, IOMMU_DEVICE_ATTACH_VPASID);
	assert_int_equal(kernel.detach.vpasid, 21);
	assert_int_equal(iommu_dev_attach(dev, 7), 0);
	assert_int_equal(kernel.attach.flags, 0);

	kernel.err = EINVAL;
	assert_int_equal(iommu_dev_attach_pasid(dev, 7, 21), -EINVAL);
	assert_says("dut: cannot attach PASID 21 to IOASID 7: it has no PASIDs");
	assert_says("iommuctl doctor dut");
	kernel.pasid_width_bits = 4;
	assert_int_equal(iommu_dev_attach_pasid(dev, 7, 16), -EINVAL);
	assert_says("its PASIDs are 1 to 15");
	assert_int_equal(iommu_dev_attach_pasid(dev, 7, 0), -EINVAL);
	assert_says("its PASIDs are 1 to 15");
	assert_int_equal(iommu_dev_attach_pasid(dev, 7, 15), -EINVAL);
	assert_says("cannot use an IOASID of this width");
	kernel.err = EBUSY;
	assert_int_equal(iommu_dev_attach_pasid(dev, 7, 15), -EBUSY);
	assert_says("that PASID is attached already");
	kernel.err = EPERM;
	assert_int_equal(iommu_dev_attach_pasid(dev, 7, 15), -EPERM);
	assert_says("group holds more devices");
	kernel.err = EBUSY;
	assert_int_equal(iommu_dev_detach(dev, 7), -EBUSY);
	assert_says("detach it from there first");
	kernel.err = EOPNOTSUPP;
	assert_int_equal(iommu_dev_attach(dev, 7), -EOPNOTSUPP);
	assert_says("nested by hardware");
	kernel.err = 0;
	iommu_dev_close(dev);
}

/* --- Tables --- */

#define TABLE_PAGES	64
#define TABLE_ADDR	0x123456000ull

static _Alignas(4096) uint64_t memory[TABLE_PAGES * 512];

/*
 * As a processor walks: 9 bits of the address for each level. Returns what @iova
 * leads to, or -1; the smallest permissions on the way into *@prot, if any.
 */
static uint64_t walk(unsigned int levels, uint64_t iova, unsigned int *prot,
		     uint64_t *leaf_bytes)
{
	uint64_t at = TABLE_ADDR, entry, offset;
	unsigned int level = levels, shift;

	*prot = RW;
	for (;; level--) {
		shift = 12 + 9 * (level - 1);
		assert_true(at >= TABLE_ADDR && at - TABLE_ADDR < sizeof(memory));
		entry = memory[(at - TABLE_ADDR) / 8 + (iova >> shift) % 512];
		if (!(entry & 1))
			return (uint64_t)-1;
		assert_true(entry & 4);		/* for users */
		if (!(entry & 2))
			*prot = R;
		if (level == 1 || entry & 0x80)
			break;
		at = entry & 0xffffffffff000;
	}
	assert_true(level <= 3);
	*leaf_bytes = 1ull << shift;
	offset = iova & (*leaf_bytes - 1);
	entry &= 0xffffffffff000;
	assert_int_equal(entry & (*leaf_bytes - 1), 0);
	return entry | offset;
}

static void test_leaves(void **state)
{
	struct iommu_invalidate_entry change;
	struct iommu_vtd_s1_leaf leaf;
	struct iommu_vtd_s1 *t;
	unsigned int prot;
	uint64_t bytes;

	(void)state;
	memset(memory, 0xff, sizeof(memory));
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, sizeof(memory), 4,
					  KIB4 | MIB2 | GIB, 0, &t), 0);
	assert_int_equal(iommu_vtd_s1_addr(t), TABLE_ADDR);
	/* 4K, 2M, 1G, 2M, 4K: the largest that fits each time. */
	assert_int_equal(iommu_vtd_s1_map(t, GIB - MIB2 - KIB4, 4 * GIB - MIB2 - KIB4,
					  GIB + 2 * MIB2 + 2 * KIB4, RW, &change), 0);
	assert_int_equal(change.granularity, IOMMU_INVALIDATE_RANGE);
	assert_int_equal(change.addr, GIB - MIB2 - KIB4);
	assert_int_equal(change.length, GIB + 2 * MIB2 + 2 * KIB4);
	assert_int_equal(change.flags, 0);
	assert_int_equal(walk(4, GIB - MIB2 - 1, &prot, &bytes), 4 * GIB - MIB2 - 1);
	assert_int_equal(bytes, KIB4);
	assert_int_equal(walk(4, GIB - 1, &prot, &bytes), 4 * GIB - 1);
	assert_int_equal(bytes, MIB2);
	assert_int_equal(walk(4, GIB + 12345, &prot, &bytes), 4 * GIB + 12345);
	assert_int_equal(bytes, GIB);
	assert_int_equal(walk(4, 2 * GIB + 1, &prot, &bytes), 5 * GIB + 1);
	assert_int_equal(bytes, MIB2);
	assert_int_equal(walk(4, 2 * GIB + MIB2, &prot, &bytes), 5 * GIB + MIB2);
	assert_int_equal(bytes, KIB4);
	assert_int_equal(walk(4, 2 * GIB + MIB2 + KIB4, &prot, &bytes), -1);

	/* Hardware marks it. */
	assert_int_equal(iommu_vtd_s1_find(t, GIB + 5, &leaf), 0);
	assert_int_equal(leaf.iova, GIB);
	assert_int_equal(leaf.addr, 4 * GIB);
	assert_int_equal(leaf.len, GIB);
	assert_int_equal(leaf.prot, RW);
	assert_false(leaf.accessed || leaf.dirty);
	memory[512 + 1] |= 0x20;	/* the second page is that of level 3 */
	assert_int_equal(iommu_vtd_s1_find(t, GIB + 5, &leaf), 0);
	assert_true(leaf.accessed && !leaf.dirty);

	/* A range may take whole leaves only, and a mapping nothing that is taken. */
	assert_int_equal(iommu_vtd_s1_unmap(t, GIB, MIB2, NULL), -EINVAL);
	assert_says("cut a leaf");
	assert_int_equal(iommu_vtd_s1_map(t, GIB + MIB2, 0, MIB2, R, NULL), -EEXIST);
	assert_int_equal(iommu_vtd_s1_unmap(t, GIB, GIB, &change), 0);
	assert_int_equal(change.flags, IOMMU_INVALIDATE_LEAF);
	assert_int_equal(change.addr, GIB);
	assert_int_equal(change.length, GIB);
	assert_int_equal(walk(4, GIB, &prot, &bytes), -1);
	assert_int_equal(iommu_vtd_s1_unmap(t, GIB, GIB, &change), -ENOENT);
	assert_int_equal(iommu_vtd_s1_map(t, GIB, 0, KIB4, R, NULL), 0);
	assert_int_equal(walk(4, GIB, &prot, &bytes), 0);
	assert_int_equal(prot, R);
	/* Where there is a table, a large leaf does not replace it. */
	assert_int_equal(iommu_vtd_s1_unmap(t, GIB, KIB4, NULL), 0);
	assert_int_equal(iommu_vtd_s1_map(t, GIB, 0, GIB, R, &change), 0);
	assert_int_equal(walk(4, GIB + 7, &prot, &bytes), 7);
	assert_int_equal(bytes, KIB4);
	assert_int_equal(walk(4, GIB + MIB2 + 7, &prot, &bytes), MIB2 + 7);
	assert_int_equal(bytes, MIB2);
	/* Only what is there is to be invalidated. */
	assert_int_equal(iommu_vtd_s1_unmap(t, 0, 1ull << 46, &change), 0);
	assert_int_equal(change.addr, GIB - MIB2 - KIB4);
	assert_int_equal(change.length, GIB + 2 * MIB2 + 2 * KIB4);
	iommu_vtd_s1_free(t);
	iommu_vtd_s1_free(NULL);
}

static void test_refusals(void **state)
{
	const uint64_t top = 1ull << 47, high = 0 - top;
	struct iommu_invalidate_entry change;
	struct iommu_vtd_s1_leaf leaf;
	struct iommu_vtd_s1 *t;
	unsigned int prot;
	uint64_t bytes;

	(void)state;
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, 8192, 3, 0, 0, &t), -EINVAL);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, 4095, 4, 0, 0, &t), -EINVAL);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR + 8, 8192, 4, 0, 0, &t), -EINVAL);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, 1ull << 52, 8192, 4, 0, 0, &t), -EINVAL);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, 8192, 4, MIB2, 0, &t), -EINVAL);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, 8192, 4, KIB4 | 8192, 0, &t), -EINVAL);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, 4 * KIB4 + 100, 4, 0, 0, &t), 0);

	assert_int_equal(iommu_vtd_s1_map(t, 0, 0, KIB4, IOMMU_MAP_WRITE, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_map(t, 0, 0, KIB4, R | IOMMU_MAP_FD, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_map(t, 0, 0, 0, R, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_map(t, 0, 0, 100, R, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_map(t, 0, 1ull << 52, KIB4, R, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_map(t, 0, (1ull << 52) - KIB4, 2 * KIB4, R, NULL), -EINVAL);
	/* The hole between the halves, and over the end. */
	assert_int_equal(iommu_vtd_s1_map(t, top, 0, KIB4, R, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_map(t, top - KIB4, 0, 2 * KIB4, R, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_map(t, high - KIB4, 0, 2 * KIB4, R, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_map(t, 0 - KIB4, 0, 2 * KIB4, R, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_unmap(t, 0, UINT64_MAX & ~4095ull, NULL), -EINVAL);
	assert_int_equal(iommu_vtd_s1_find(t, top, &leaf), -ENOENT);
	assert_int_equal(iommu_vtd_s1_unmap(t, 0, top, NULL), -ENOENT);

	/* What hardware would mark, and cannot. */
	iommu_vtd_s1_free(t);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, 4 * KIB4, 4, 0, 2, &t), -EINVAL);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, 4 * KIB4, 4, 0,
					  IOMMU_VTD_S1_WRITE_BACK, &t), 0);
	assert_int_equal(iommu_vtd_s1_map(t, 0, 0, KIB4, R, NULL), 0);
	assert_int_equal(iommu_vtd_s1_map(t, KIB4, 0, KIB4, RW, NULL), 0);
	assert_int_equal(memory[0] & 0xfff, 0x67);
	assert_int_equal(memory[3 * 512] & 0xfff, 0x25);
	assert_int_equal(memory[3 * 512 + 1] & 0xfff, 0x67);
	assert_int_equal(iommu_vtd_s1_find(t, 0, &leaf), 0);
	assert_true(leaf.accessed && !leaf.dirty);
	assert_int_equal(iommu_vtd_s1_unmap(t, 0, 2 * KIB4, NULL), 0);
	assert_int_equal(memory[3 * 512], 0);
	iommu_vtd_s1_free(t);
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, 4 * KIB4 + 100, 4, 0, 0, &t), 0);

	/* Three pages are left: one for each level, and none for another range. */
	assert_int_equal(iommu_vtd_s1_map(t, MIB2 - KIB4, 0, 2 * KIB4, R, NULL), -ENOSPC);
	assert_says("4 pages");
	assert_int_equal(iommu_vtd_s1_map(t, 0, 0, top, R, NULL), -ENOSPC);
	assert_int_equal(memory[0], 0);
	assert_int_equal(iommu_vtd_s1_map(t, high, 0x7000, KIB4, R, &change), 0);
	assert_int_equal(change.addr, high);
	assert_int_equal(walk(4, high, &prot, &bytes), 0x7000);
	assert_int_equal(iommu_vtd_s1_find(t, high + 9, &leaf), 0);
	assert_int_equal(leaf.iova, high);
	assert_int_equal(iommu_vtd_s1_map(t, 0, 0, KIB4, R, NULL), -ENOSPC);
	assert_int_equal(iommu_vtd_s1_unmap(t, high, top, &change), 0);
	assert_int_equal(change.addr, high);
	assert_int_equal(change.length, KIB4);

	/* A device that writes to the table deceives itself, but not us. */
	assert_int_equal(iommu_vtd_s1_map(t, high, 0x7000, KIB4, R, NULL), 0);
	memset(memory, 0x67, 4 * KIB4);
	assert_int_equal(iommu_vtd_s1_map(t, high + KIB4, 0x9000, KIB4, R, NULL), 0);
	assert_int_equal(iommu_vtd_s1_find(t, high, &leaf), 0);
	assert_int_equal(leaf.addr, 0x7000);
	assert_int_equal(iommu_vtd_s1_unmap(t, high, 2 * KIB4, NULL), 0);
	iommu_vtd_s1_free(t);
}

#define CHANCE_PAGES	2048u

/* Against an array that says for each page where it leads. */
static void chance(unsigned int levels, uint64_t page_sizes, uint64_t base)
{
	static uint64_t model[CHANCE_PAGES];
	static unsigned int model_prot[CHANCE_PAGES];
	struct iommu_invalidate_entry change;
	struct iommu_vtd_s1 *t;
	unsigned int i, round;

	memset(memory, 0xff, sizeof(memory));
	memset(model, 0xff, sizeof(model));
	assert_int_equal(iommu_vtd_s1_new(ctx, memory, TABLE_ADDR, sizeof(memory),
					  levels, page_sizes, 0, &t), 0);
	for (round = 0; round < 3000; round++) {
		unsigned int first = (unsigned int)rand() % CHANCE_PAGES;
		unsigned int n = 1u + (unsigned int)rand() % (rand() % 4 ? 20 : CHANCE_PAGES);
		unsigned int prot = rand() % 2 ? R : RW, got;
		uint64_t to = (uint64_t)(rand() % 100000) << 12, bytes = 0;
		bool any = false, free_range = true;
		int rc;

		if (rand() % 2) {
			first &= ~511u;
			to = (to & ~(MIB2 - 1));
		}
		if (n > CHANCE_PAGES - first)
			n = CHANCE_PAGES - first;
		for (i = first; i < first + n; i++) {
			any |= model[i] != (uint64_t)-1;
			free_range &= model[i] == (uint64_t)-1;
		}
		if (rand() % 2) {
			rc = iommu_vtd_s1_map(t, base + first * KIB4, to, n * KIB4, prot, &change);
			assert_int_equal(rc, free_range ? 0 : -EEXIST);
			for (i = first; !rc && i < first + n; i++) {
				model[i] = to + (i - first) * KIB4;
				model_prot[i] = prot;
			}
		} else {
			rc = iommu_vtd_s1_unmap(t, base + first * KIB4, n * KIB4, &change);
			if (rc == -EINVAL) {
				/* Only a leaf that reaches beyond may be the reason. */
				assert_true(page_sizes & MIB2);
			} else {
				assert_int_equal(rc, any ? 0 : -ENOENT);
				for (i = first; !rc && i < first + n; i++) {
					if (model[i] == (uint64_t)-1)
						continue;
					model[i] = (uint64_t)-1;
					assert_true(base + i * KIB4 >= change.addr);
					assert_true(base + i * KIB4 - change.addr < change.length);
				}
			}
		}
		for (i = 0; i < 64; i++) {
			unsigned int page = (unsigned int)rand() % CHANCE_PAGES;
			uint64_t found = walk(levels, base + page * KIB4, &got, &bytes);

			assert_int_equal(found, model[page]);
			if (found != (uint64_t)-1)
				assert_int_equal(got, model_prot[page]);
		}
	}
	iommu_vtd_s1_free(t);
}

static void test_chance(void **state)
{
	(void)state;
	srand(1);
	chance(4, KIB4, 0);
	chance(4, 0, GIB - MIB2);
	chance(5, KIB4 | MIB2 | GIB, (1ull << 55) + 512 * GIB);
	chance(5, 0, 0 - 4 * MIB2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_children, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalidate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pasids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chance, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
