// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libiommu without a kernel: a made-up /sys and /dev below a folder, and an
 * ioctl() that says what the test wants it to say.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/vfio.h>

#include <iommu/iommu.h>

/*
 * What the next ioctl()s find: an errno to fail with once they are counted down
 * to 0, and how many ranges devices and IOASIDs have.
 */
static struct {
	int fail_after;
	int err;
	uint32_t nr_ranges;
	unsigned int calls;
	struct iommu_map_dma map;
	struct iommu_unmap_dma unmap;
	int eventfd;
} kernel;

int __wrap_ioctl(int fd, unsigned long cmd, void *arg);

/* Fill an array of ranges as the kernel does. */
static int give_ranges(uint64_t ranges, uint32_t *nr)
{
	struct iommu_ioasid_range *range = (void *)(uintptr_t)ranges;
	uint32_t i, room = *nr;

	for (i = 0; i < kernel.nr_ranges && i < room; i++) {
		range[i].start = (uint64_t)i << 20;
		range[i].last = ((uint64_t)i << 20) + 0xfffff;
	}
	*nr = kernel.nr_ranges;
	return room < kernel.nr_ranges ? EMSGSIZE : 0;
}

static int answer(unsigned long cmd, void *arg)
{
	switch (cmd) {
	case IOMMU_CHECK_EXTENSION:
		((struct iommu_check_extension *)arg)->value = 1;
		return 0;
	case IOMMU_IOASID_ALLOC:
		((struct iommu_ioasid_alloc *)arg)->ioasid = 7;
		return 0;
	case IOMMU_DEVICE_GET_INFO:
		((struct iommu_device_info *)arg)->addr_width_bits = 48;
		return give_ranges(((struct iommu_device_info *)arg)->ranges,
				   &((struct iommu_device_info *)arg)->nr_ranges);
	case IOMMU_IOASID_GET_INFO:
		return give_ranges(((struct iommu_ioasid_info *)arg)->ranges,
				   &((struct iommu_ioasid_info *)arg)->nr_ranges);
	case IOMMU_MAP_DMA:
		kernel.map = *(struct iommu_map_dma *)arg;
		if (!(kernel.map.flags & IOMMU_MAP_FIXED_IOVA))
			((struct iommu_map_dma *)arg)->iova = 0x1000;
		return 0;
	case IOMMU_UNMAP_DMA:
		kernel.unmap = *(struct iommu_unmap_dma *)arg;
		((struct iommu_unmap_dma *)arg)->length = 0x3000;
		return 0;
	case VFIO_DEVICE_GET_IRQ_INFO:
		((struct vfio_irq_info *)arg)->count = 3;
		return 0;
	case VFIO_DEVICE_SET_IRQS:
		if (((struct vfio_irq_set *)arg)->flags & VFIO_IRQ_SET_DATA_EVENTFD)
			memcpy(&kernel.eventfd, ((struct vfio_irq_set *)arg)->data,
			       sizeof(int));
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		((struct vfio_region_info *)arg)->size = 4096;
		((struct vfio_region_info *)arg)->flags =
			VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
		return 0;
	}
	return 0;
}

int __wrap_ioctl(int fd, unsigned long cmd, void *arg)
{
	int err;

	(void)fd;
	kernel.calls++;
	err = kernel.err && !kernel.fail_after-- ? kernel.err : answer(cmd, arg);
	if (!err)
		return 0;
	errno = err;
	return -1;
}

/* The next call fails with @err. */
static void fail_next(int err)
{
	kernel.err = err;
	kernel.fail_after = 0;
}

static void no_failure(void)
{
	kernel.err = 0;
}

/**
 * struct fixture - a made-up machine
 * @root: folder with its /sys and /dev
 * @ctx: an open context
 * @dev: a device of it
 */
struct fixture {
	char root[64];
	struct iommu_ctx *ctx;
	struct iommu_dev *dev;
};

static void put_file(struct fixture *f, const char *path, const char *text)
{
	char *whole, *command;
	FILE *file;

	assert_true(asprintf(&whole, "%s%s", f->root, path) > 0);
	assert_true(asprintf(&command, "mkdir -p $(dirname %s)", whole) > 0);
	assert_int_equal(system(command), 0);
	file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	free(command);
	free(whole);
}

static void put_link(struct fixture *f, const char *path, const char *target)
{
	char *whole;

	assert_true(asprintf(&whole, "%s%s", f->root, path) > 0);
	unlink(whole);
	assert_int_equal(symlink(target, whole), 0);
	free(whole);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	memset(&kernel, 0, sizeof(kernel));
	strcpy(f->root, "/tmp/libiommu-test.XXXXXX");
	assert_non_null(mkdtemp(f->root));
	put_file(f, "/dev/iommu", "");
	put_file(f, "/sys/bus/pci/devices/0000:00:04.0/class", "0x010802\n");
	f->ctx = iommu_ctx_new();
	assert_non_null(f->ctx);
	assert_int_equal(iommu_ctx_set_root(f->ctx, f->root), 0);
	assert_int_equal(iommu_ctx_open(f->ctx), 0);

	fd = open("/dev/null", O_RDWR);
	assert_int_equal(iommu_dev_open_fd(f->ctx, fd, "dut", 5, &f->dev), 0);
	close(fd);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char *command;

	iommu_dev_close(f->dev);
	iommu_ctx_free(f->ctx);
	assert_true(asprintf(&command, "rm -r %s", f->root) > 0);
	assert_int_equal(system(command), 0);
	free(command);
	free(f);
	return 0;
}

static void test_bdf(void **state)
{
	static const struct {
		const char *text, *bdf;
	} cases[] = {
		{ "0000:00:04.0", "0000:00:04.0" }, { "00:04.0", "0000:00:04.0" },
		{ "0:1f.7", "0000:00:1f.7" }, { "ABCD:ef:1F.3", "abcd:ef:1f.3" },
		{ "ff:00.1", "0000:ff:00.1" },
		{ "", NULL }, { "4.0", NULL }, { "00:04", NULL }, { "00:20.0", NULL },
		{ "00:04.8", NULL }, { "00:04.0 ", NULL }, { " 00:04.0", NULL },
		{ "00:-4.0", NULL }, { "00:04.0.0", NULL }, { "0:0:0:4.0", NULL },
		{ "10000:00:04.0", NULL }, { "0000:100:04.0", NULL },
		{ "00:04.00", NULL }, { "00:x4.0", NULL }, { "0x0:04.0", NULL },
	};
	char bdf[IOMMU_BDF_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].bdf) {
			assert_int_equal(iommu_bdf_parse(cases[i].text, bdf), 0);
			assert_string_equal(bdf, cases[i].bdf);
		} else if (iommu_bdf_parse(cases[i].text, bdf) != -EINVAL) {
			fail_msg("'%s' is taken for %s", cases[i].text, bdf);
		}
	}
}

/* iommu_dev_open() fails with @err, and the text has @word in it. */
static void refuses(struct fixture *f, int err, const char *word)
{
	struct iommu_dev *dev = NULL;

	assert_int_equal(iommu_dev_open(f->ctx, "00:04.0", 1, &dev), err);
	assert_null(dev);
	if (!strstr(iommu_ctx_error(f->ctx), word))
		fail_msg("no '%s' in: %s", word, iommu_ctx_error(f->ctx));
}

static void test_find(void **state)
{
	struct fixture *f = *state;
	struct iommu_dev *dev;

	assert_int_equal(iommu_dev_open(f->ctx, "nonsense", 1, &dev), -EINVAL);
	assert_int_equal(iommu_dev_open(f->ctx, "01:00.0", 1, &dev), -ENODEV);
	assert_string_equal(iommu_ctx_error(f->ctx), "there is no PCI function 0000:01:00.0");

	refuses(f, -ENODEV, "has no driver: try 'iommuctl bind 0000:00:04.0'");
	put_link(f, "/sys/bus/pci/devices/0000:00:04.0/driver", "../../drivers/nvme");
	refuses(f, -EBUSY, "driven by nvme");
	/* Stock vfio-pci: the name is there, the device file is not. */
	put_link(f, "/sys/bus/pci/devices/0000:00:04.0/driver", "../../drivers/vfio-pci");
	put_file(f, "/sys/bus/pci/devices/0000:00:04.0/vfio-dev/vfio3/uevent", "");
	refuses(f, -EBUSY, "driven by vfio-pci");
	put_file(f, "/sys/bus/pci/devices/0000:00:04.0/vfio-dev/vfio3/dev", "nonsense\n");
	refuses(f, -EBUSY, "driven by vfio-pci");
	put_file(f, "/sys/bus/pci/devices/0000:00:04.0/vfio-dev/vfio3/dev", "1:3\n");
	refuses(f, -ENOENT, "has not made it");
	/* A file of that name, but not the device. */
	put_file(f, "/dev/vfio/devices/vfio3", "");
	refuses(f, -ENODEV, "stale");
	put_link(f, "/dev/vfio/devices/vfio3", "/dev/zero");
	refuses(f, -ENODEV, "stale");
	put_link(f, "/dev/vfio/devices/vfio3", "/dev/null");
	fail_next(EPERM);
	refuses(f, -EPERM, "group is not yours alone");
	no_failure();
	assert_int_equal(iommu_dev_open(f->ctx, "00:04.0", 9, &dev), 0);
	assert_string_equal(iommu_dev_name(dev), "0000:00:04.0");
	assert_int_equal(iommu_dev_label(dev), 9);
	iommu_dev_close(dev);
}

static void test_context(void **state)
{
	struct fixture *f = *state;
	struct iommu_ctx *ctx = iommu_ctx_new();
	uint64_t value;

	assert_string_equal(iommu_ctx_error(ctx), "");
	assert_int_equal(iommu_ctx_fd(ctx), -EBADF);
	assert_int_equal(iommu_ctx_set_root(ctx, "/nowhere"), 0);
	assert_int_equal(iommu_ctx_open(ctx), -ENOENT);
	assert_non_null(strstr(iommu_ctx_error(ctx), "modprobe iofd"));
	assert_int_equal(iommu_ctx_set_fd(ctx, -1), -EBADF);
	fail_next(ENOTTY);
	assert_int_equal(iommu_ctx_set_fd(ctx, 0), -ENOTTY);
	assert_int_equal(iommu_ctx_fd(ctx), -EBADF);
	no_failure();
	assert_int_equal(iommu_ctx_set_fd(ctx, iommu_ctx_fd(f->ctx)), 0);
	assert_true(iommu_ctx_fd(ctx) != iommu_ctx_fd(f->ctx));
	assert_int_equal(iommu_ctx_open(ctx), -EALREADY);
	assert_int_equal(iommu_ctx_set_fd(ctx, 0), -EALREADY);
	assert_int_equal(iommu_ctx_check_extension(ctx, IOMMU_EXT_MAP_FD, &value), 0);
	assert_int_equal(value, 1);
	iommu_ctx_free(ctx);
	iommu_ctx_free(NULL);
}

/* More ranges than the library guessed at first, or hundreds. */
static void test_ranges(void **state)
{
	static const uint32_t counts[] = { 0, 1, 15, 16, 17, 400 };
	struct fixture *f = *state;
	struct iommu_dev_info *dev_info;
	struct iommu_ioas_info *info;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		kernel.nr_ranges = counts[i];
		kernel.calls = 0;
		assert_int_equal(iommu_dev_get_info(f->dev, &dev_info), 0);
		assert_int_equal(dev_info->nr_ranges, counts[i]);
		assert_int_equal(dev_info->addr_width_bits, 48);
		assert_int_equal(kernel.calls, counts[i] > 16 ? 2 : 1);
		assert_int_equal(iommu_ioas_get_info(f->ctx, 7, &info), 0);
		assert_int_equal(info->nr_ranges, counts[i]);
		if (counts[i])
			assert_int_equal(info->ranges[counts[i] - 1].last,
					 ((uint64_t)(counts[i] - 1) << 20) + 0xfffff);
		iommu_dev_info_free(dev_info);
		iommu_ioas_info_free(info);
	}
	fail_next(ENOENT);
	assert_int_equal(iommu_ioas_get_info(f->ctx, 7, &info), -ENOENT);
	assert_non_null(strstr(iommu_ctx_error(f->ctx), "no such IOASID"));
}

static void test_ioas(void **state)
{
	/* Longer than the library's: built against a newer header. */
	struct { struct iommu_ioasid_alloc spec; uint64_t more; } longer = {};
	struct fixture *f = *state;
	uint32_t ioasid = 0;

	assert_int_equal(iommu_ioas_alloc(f->ctx, NULL, &ioasid), 0);
	assert_int_equal(ioasid, 7);
	longer.spec.size = sizeof(longer);
	assert_int_equal(iommu_ioas_alloc(f->ctx, &longer.spec, &ioasid), -E2BIG);
	fail_next(EBUSY);
	assert_int_equal(iommu_ioas_free(f->ctx, 7), -EBUSY);
	assert_non_null(strstr(iommu_ctx_error(f->ctx), "detach it first"));
	fail_next(EADDRINUSE);
	assert_int_equal(iommu_dev_attach(f->dev, 7), -EADDRINUSE);
	assert_non_null(strstr(iommu_ctx_error(f->ctx), "dut: cannot attach it to IOASID 7"));
}

static void test_map(void **state)
{
	struct fixture *f = *state;
	uint64_t iova = 0xdead, unmapped = 0;
	char page[1];

	assert_int_equal(iommu_map(f->ctx, 7, page, 4096, 0, &iova), -EINVAL);
	assert_int_equal(iommu_map(f->ctx, 7, page, 4096, IOMMU_MAP_FIXED_IOVA, &iova), -EINVAL);
	assert_int_equal(iova, 0xdead);
	assert_int_equal(kernel.calls, 1);	/* that of the fixture's bind */

	assert_int_equal(iommu_map(f->ctx, 7, page, 4096, IOMMU_MAP_READ, &iova), 0);
	assert_int_equal(iova, 0x1000);
	assert_int_equal(kernel.map.flags, IOMMU_MAP_READ);
	assert_int_equal(kernel.map.source, (uintptr_t)page);
	assert_int_equal(iommu_map_fixed(f->ctx, 7, page, 4096, IOMMU_MAP_WRITE, 0x8000), 0);
	assert_int_equal(kernel.map.flags, IOMMU_MAP_WRITE | IOMMU_MAP_FIXED_IOVA);
	assert_int_equal(kernel.map.iova, 0x8000);
	assert_int_equal(iommu_map_fd_fixed(f->ctx, 7, 3, 8192, 4096, 3, 0x8000), 0);
	assert_int_equal(kernel.map.flags, 3 | IOMMU_MAP_FD | IOMMU_MAP_FIXED_IOVA);
	assert_int_equal(kernel.map.fd, 3);
	assert_int_equal(kernel.map.source, 8192);
	fail_next(ENOMEM);
	assert_int_equal(iommu_map(f->ctx, 7, page, 4096, IOMMU_MAP_READ, &iova), -ENOMEM);
	assert_non_null(strstr(iommu_ctx_error(f->ctx), "RLIMIT_MEMLOCK"));
	no_failure();

	assert_int_equal(iommu_unmap(f->ctx, 7, 0x1000, 0x4000, &unmapped), 0);
	assert_int_equal(unmapped, 0x3000);
	assert_int_equal(iommu_unmap_all(f->ctx, 7, NULL), 0);
	assert_int_equal(kernel.unmap.flags, IOMMU_UNMAP_ALL);
	assert_int_equal(kernel.unmap.length, 0);
}

static void test_buffer(void **state)
{
	struct fixture *f = *state;
	struct iommu_buf *buf = NULL;
	int kind;

	for (kind = IOMMU_BUF_ANON; kind <= IOMMU_BUF_MEMFD; kind += 2) {
		assert_int_equal(iommu_buf_alloc(f->ctx, 7, 5000, kind, &buf), 0);
		assert_int_equal(iommu_buf_len(buf), 8192);
		assert_int_equal(iommu_buf_iova(buf), 0x1000);
		assert_int_equal(((char *)iommu_buf_addr(buf))[8191], 0);
		assert_int_equal(kernel.map.source, (uintptr_t)iommu_buf_addr(buf));
		assert_true((iommu_buf_fd(buf) >= 0) == (kind == IOMMU_BUF_MEMFD));
		iommu_buf_free(buf);
		assert_int_equal(kernel.unmap.length, 8192);
	}
	buf = NULL;
	assert_int_equal(iommu_buf_alloc(f->ctx, 7, 0, IOMMU_BUF_ANON, &buf), -EINVAL);
	assert_int_equal(iommu_buf_alloc(f->ctx, 7, SIZE_MAX, IOMMU_BUF_ANON, &buf), -EINVAL);
	assert_int_equal(iommu_buf_alloc(f->ctx, 7, 4096, 99, &buf), -EINVAL);
	fail_next(ENOSPC);
	assert_int_equal(iommu_buf_alloc(f->ctx, 7, 4096, IOMMU_BUF_MEMFD, &buf), -ENOSPC);
	assert_null(buf);
	iommu_buf_free(NULL);
	/* The made-up machine has no /proc/meminfo, and so no huge pages. */
	assert_int_equal(iommu_buf_alloc(f->ctx, 7, 4096, IOMMU_BUF_HUGE, &buf), -EOPNOTSUPP);
}

static void test_irq(void **state)
{
	struct fixture *f = *state;
	uint64_t count, one = 1;

	assert_int_equal(iommu_irq_enable(f->dev, IOMMU_IRQ_MSIX, 0), -EINVAL);
	assert_int_equal(iommu_irq_enable(f->dev, IOMMU_IRQ_MSIX, 4), -ENOSPC);
	assert_non_null(strstr(iommu_ctx_error(f->ctx), "has 3 MSI-X interrupts, not 4"));
	assert_int_equal(iommu_irq_wait(f->dev, 0, 0, NULL), -EINVAL);
	assert_int_equal(iommu_irq_unmask(f->dev), -EINVAL);
	kernel.err = EIO;
	kernel.fail_after = 1;
	assert_int_equal(iommu_irq_enable(f->dev, IOMMU_IRQ_MSIX, 3), -EIO);
	no_failure();

	assert_int_equal(iommu_irq_enable(f->dev, IOMMU_IRQ_MSIX, 3), 0);
	assert_int_equal(iommu_irq_enable(f->dev, IOMMU_IRQ_MSI, 1), -EALREADY);
	assert_int_equal(iommu_irq_fd(f->dev, 0), kernel.eventfd);
	assert_int_equal(iommu_irq_fd(f->dev, 3), -EINVAL);
	assert_int_equal(iommu_irq_wait(f->dev, 0, 0, NULL), -ETIMEDOUT);
	assert_int_equal(write(kernel.eventfd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(write(kernel.eventfd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(iommu_irq_wait(f->dev, 0, 0, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(iommu_irq_disable(f->dev), 0);
	assert_int_equal(iommu_irq_disable(f->dev), 0);
	/* And left enabled for the device's end, which must not leak them. */
	assert_int_equal(iommu_irq_enable(f->dev, IOMMU_IRQ_INTX, 1), 0);
	assert_int_equal(iommu_irq_unmask(f->dev), 0);
}

static void test_region(void **state)
{
	struct fixture *f = *state;
	struct iommu_region_info info;
	uint32_t value;
	void *addr;
	size_t len;

	assert_int_equal(iommu_region_get_info(f->dev, 0, &info), 0);
	assert_int_equal(info.size, 4096);
	assert_false(info.mappable);
	assert_int_equal(iommu_region_map(f->dev, 0, &addr, &len), -EOPNOTSUPP);
	assert_int_equal(iommu_region_read(f->dev, 0, 4093, &value, 4), -ENXIO);
	assert_int_equal(iommu_region_read(f->dev, 0, UINT64_MAX, &value, 4), -ENXIO);
	/* /dev/null has nothing to read, and takes everything. */
	assert_int_equal(iommu_pci_read32(f->dev, 4092, &value), -EIO);
	assert_int_equal(iommu_pci_write32(f->dev, 4092, 1), 0);
}

static void *fail_elsewhere(void *arg)
{
	struct fixture *f = arg;
	uint32_t ioasid;

	assert_string_equal(iommu_ctx_error(f->ctx), "");
	assert_int_equal(iommu_ioas_alloc(f->ctx, NULL, &ioasid), -ENOSPC);
	assert_non_null(strstr(iommu_ctx_error(f->ctx), "cannot allocate"));
	return NULL;
}

/* Each thread reads its own failure. */
static void test_threads(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	fail_next(EBUSY);
	assert_int_equal(iommu_ioas_free(f->ctx, 1), -EBUSY);
	fail_next(ENOSPC);
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, f), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_non_null(strstr(iommu_ctx_error(f->ctx), "cannot free IOASID 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bdf),
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_context, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ioas, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_buffer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_irq, setup, teardown),
		cmocka_unit_test_setup_teardown(test_region, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
