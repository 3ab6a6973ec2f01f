// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program that knows upstream's iommufd and VFIO's device files, and nothing of
 * ours: its device does DMA where it should, and nowhere else.
 */
#include "edu.h"
#include "upstream.h"

#define SPOT	0x2345000ULL

static struct edu edu;
static int fd, dev, ioas;
static unsigned char *mem;

static void bound(void)
{
	NEED((fd = open("/dev/iommu", O_RDWR | O_CLOEXEC)) >= 0);
	NEED(edu_open(&edu, 0));
	NEED((dev = up_bind(edu.fd, fd)) > 0);
	NEED(edu_start(&edu));
	NEED((ioas = up_ioas(fd)) > 0);
	mem = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, -1, 0);
	NEED(mem != MAP_FAILED);
}

static void dma_through_a_table(void)
{
	struct up_vtd_info info = {};
	struct up_range ranges[16];
	uint64_t length = 2 * PAGE;
	__u32 nr = 0;
	int hwpt, type;

	bound();
	type = up_hw_info(fd, dev, &info);
	CHECK(type == 0 || type == 1);
	if (type == 1)
		CHECK(info.cap && info.cap != ~0ULL);
	NEED((hwpt = up_hwpt(fd, dev, ioas, 0)) > 0);
	CHECK_EQ(up_attach(edu.fd, hwpt), hwpt);
	CHECK_ERRNO(up_ranges(fd, ioas, NULL, &nr), EMSGSIZE);
	NEED(nr <= 16);
	CHECK_OK(up_ranges(fd, ioas, ranges, &nr));
	/* Not where interrupts go */
	CHECK_ERRNO(up_map(fd, ioas, mem, PAGE, 0xfee00000), EINVAL);

	CHECK_OK(up_map(fd, ioas, mem, 2 * PAGE, SPOT));
	CHECK_ERRNO(up_map(fd, ioas, mem, PAGE, SPOT + PAGE), EEXIST);
	CHECK(edu_copies(&edu, SPOT, mem, SPOT + PAGE, mem + PAGE));
	CHECK(vm_pin_kib() == 8);
	CHECK_OK(up_unmap(fd, ioas, SPOT, &length));
	CHECK_EQ(length, 2 * PAGE);
	CHECK(edu_is_refused(&edu, SPOT, mem));
	CHECK_ERRNO(up_unmap(fd, ioas, SPOT, &length), ENOENT);

	CHECK_ERRNO(up_destroy(fd, ioas), EBUSY);
	CHECK_ERRNO(up_destroy(fd, hwpt), EBUSY);
	CHECK_OK(up_detach(edu.fd));
	CHECK_OK(up_destroy(fd, hwpt));
	CHECK_OK(up_destroy(fd, ioas));
	CHECK_OK(up_detach(edu.fd));
}

/* From one IOAS to another and back, without being detached */
static void replacing(void)
{
	int second, a, b, i;

	bound();
	NEED((second = up_ioas(fd)) > 0);
	NEED(!up_map(fd, ioas, mem, PAGE, SPOT));
	NEED(!up_map(fd, second, mem + PAGE, PAGE, SPOT));
	NEED((a = up_attach(edu.fd, ioas)) > 0);
	CHECK(a != ioas);
	for (i = 0; i < 3; i++) {
		CHECK(edu_copies(&edu, SPOT, mem, SPOT, mem));
		CHECK(edu_is_refused(&edu, SPOT, mem + PAGE));
		NEED((b = up_attach(edu.fd, second)) > 0);
		CHECK(edu_copies(&edu, SPOT, mem + PAGE, SPOT, mem + PAGE));
		CHECK(edu_is_refused(&edu, SPOT, mem));
		NEED((a = up_attach(edu.fd, ioas)) > 0);
	}
	/* What nothing is attached to any more has gone. */
	CHECK_ERRNO(up_attach(edu.fd, b == a ? 999 : b), ENOENT);
	CHECK(edu_copies(&edu, SPOT, mem, SPOT, mem));
	CHECK_OK(up_destroy(fd, second));
	CHECK_OK(up_detach(edu.fd));
	CHECK(edu_is_refused(&edu, SPOT, mem));
}

/* COPY shares pages: pinned once, as long as one of the two is there. */
static void copying(void)
{
	uint64_t length = 2 * PAGE;
	int second;

	bound();
	NEED((second = up_ioas(fd)) > 0);
	NEED(up_attach(edu.fd, second) > 0);
	NEED(!up_map(fd, ioas, mem, 2 * PAGE, SPOT));
	CHECK_OK(up_copy(fd, ioas, SPOT, second, SPOT * 2, 2 * PAGE));
	CHECK_EQ(vm_pin_kib(), 8);
	CHECK(edu_copies(&edu, SPOT * 2, mem, SPOT * 2 + PAGE, mem + PAGE));
	CHECK_OK(up_destroy(fd, ioas));
	CHECK_EQ(vm_pin_kib(), 8);
	CHECK(edu_copies(&edu, SPOT * 2, mem, SPOT * 2 + PAGE, mem + PAGE));
	CHECK_OK(up_unmap(fd, second, SPOT * 2, &length));
	CHECK_EQ(vm_pin_kib(), 0);
	CHECK(edu_is_refused(&edu, SPOT * 2, mem));
}

static void files(void)
{
	int memfd = memfd_create("dma", MFD_CLOEXEC);
	unsigned char *view;

	bound();
	NEED(memfd >= 0 && !ftruncate(memfd, 4 * (off_t)PAGE));
	view = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	NEED(view != MAP_FAILED);
	NEED(up_attach(edu.fd, ioas) > 0);
	CHECK_OK(up_map_file(fd, ioas, memfd, PAGE, 2 * PAGE, SPOT));
	CHECK(edu_copies(&edu, SPOT, view + PAGE, SPOT + PAGE, view + 2 * PAGE));
	CHECK_ERRNO(up_map_file(fd, ioas, edu.fd, 0, PAGE, 0), EINVAL);
	close(memfd);
	munmap(view, 4 * PAGE);
	CHECK_EQ(vm_pin_kib(), 8);
}

/* Memory of the device itself cannot be mapped for it. */
static void a_bar_is_EFAULT(void)
{
	void *bar;

	bound();
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, edu.fd,
		   (off_t)edu.bar);
	NEED(bar != MAP_FAILED);
	CHECK_ERRNO(up_map(fd, ioas, bar, PAGE, SPOT), EFAULT);
	CHECK_EQ(vm_pin_kib(), 0);
}

/* QEMU's unit does not nest, nor does the kernel's driver let it. */
static void contract_unsupported_hwpt_flags_are_EOPNOTSUPP(void)
{
	struct up_vtd_info info;
	uint64_t caps, bits = 0;
	int hwpt;

	bound();
	CHECK_ERRNO(up_hwpt(fd, dev, ioas, UP_NEST_PARENT), EOPNOTSUPP);
	CHECK_ERRNO(up_hwpt(fd, dev, ioas, UP_DIRTY), EOPNOTSUPP);
	CHECK_ERRNO(up_hwpt(fd, dev, ioas, 8), EOPNOTSUPP);	/* PASIDs */
	CHECK_ERRNO(up_hwpt(fd, dev, ioas, 1u << 20), EOPNOTSUPP);
	NEED((hwpt = up_hwpt(fd, dev, ioas, 0)) > 0);
	/* It has no dirty bits either. */
	CHECK_EQ(up_hw_caps(fd, dev, &info, &caps) >= 0, 1);
	CHECK_EQ(caps & 1, 0);
	CHECK_ERRNO(up_set_dirty(fd, hwpt, 1), EOPNOTSUPP);
	CHECK_ERRNO(up_set_dirty(fd, hwpt, 0), EOPNOTSUPP);
	CHECK_ERRNO(up_get_dirty(fd, hwpt, 0, PAGE, &bits, 0), EOPNOTSUPP);
	CHECK_ERRNO(up_get_dirty(fd, hwpt, 1, PAGE, &bits, 0), EINVAL);
	CHECK_ERRNO(up_get_dirty(fd, ioas, 0, PAGE, &bits, 0), ENOENT);
}

static void contract_unsupported_feature_is_ENOTTY(void)
{
	struct { __u32 argsz, flags; __u64 data[2]; } feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_GET | 1,	/* migration */
	};

	bound();
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature), ENOTTY);
	feature.flags = VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET | 6;
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature), ENOTTY);
}

/* A network card behind a port of its own: a bus that can be reset */
static int card_open(void)
{
	char bdf[16];
	unsigned int n;

	for (n = 0; pci_find(0x8086, 0x10d3, n, bdf); n++)
		if (strncmp(bdf, "0000:00:", 8))
			return pci_open(bdf);
	errno = ENODEV;
	return -1;
}

/* The reset itself is pci_group's. */
static void contract_hot_reset_info_has_ids(void)
{
	/* argsz, flags, count, then id, segment, bus and devfn of each */
	struct {
		__u32 argsz, flags, count;
		struct { __u32 id; __u16 segment; __u8 bus, devfn; } deps[8];
	} info = { .argsz = 12 };
	int card, id;

	NEED((fd = open("/dev/iommu", O_RDWR | O_CLOEXEC)) >= 0);
	NEED((card = card_open()) >= 0);
	CHECK_ERRNO(ioctl(card, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info), EINVAL);
	NEED((id = up_bind(card, fd)) > 0);
	/* Too small: ENOSPC and the count */
	CHECK_ERRNO(ioctl(card, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info), ENOSPC);
	CHECK_EQ(info.count, 1);
	/* By ids, all of them the fd's: 1 DEV_ID, 2 DEV_ID_OWNED */
	info.argsz = sizeof(info);
	CHECK_OK(ioctl(card, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	CHECK_EQ(info.flags, 3);
	CHECK_EQ(info.count, 1);
	CHECK_EQ(info.deps[0].id, id);
}

/* The binding keeps the address spaces, whoever closes /dev/iommu. */
static void closing_the_fd_first(void)
{
	bound();
	NEED(!up_map(fd, ioas, mem, 2 * PAGE, SPOT));
	NEED(up_attach(edu.fd, ioas) > 0);
	close(fd);
	CHECK(edu_copies(&edu, SPOT, mem, SPOT + PAGE, mem + PAGE));
	CHECK_EQ(vm_pin_kib(), 8);
	close(edu.fd);
	/* The last reference goes a moment later. */
	check_sleep_ms(200);
	CHECK_EQ(vm_pin_kib(), 0);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(dma_through_a_table);
	RUN(replacing);
	RUN(copying);
	RUN(files);
	RUN(a_bar_is_EFAULT);
	RUN(contract_unsupported_hwpt_flags_are_EOPNOTSUPP);
	RUN(contract_unsupported_feature_is_ENOTTY);
	RUN(contract_hot_reset_info_has_ids);
	RUN(closing_the_fd_first);
	return check_end();
}
