// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pci_msix [TEST]: MSI-X, with an e1000e that is told to raise its interrupts.
 */
#include "edu.h"
#include <poll.h>
#include <sys/eventfd.h>

#define VENDOR		0x8086
#define DEVICE		0x10d3

#define ICR		0x00c0
#define ICS		0x00c8
#define IMS		0x00d0
#define IVAR		0x00e4
#define ICR_QUEUE(n)	(1u << (20 + (n)))	/* RX 0, RX 1, TX 0, TX 1 */
#define VECTORS		4

static char bdf[16];
static int fd, iommu, events[VECTORS];
static __u64 bar, config;

static void bound(void)
{
	__u16 command = 6;

	NEED(pci_find(VENDOR, DEVICE, 0, bdf));
	NEED((fd = pci_open(bdf)) >= 0);
	NEED((iommu = iommu_open()) >= 0);
	NEED(!dev_bind(fd, iommu, 1));
	bar = vfio_region(fd, VFIO_PCI_BAR0_REGION_INDEX);
	config = vfio_region(fd, VFIO_PCI_CONFIG_REGION_INDEX);
	if (bar == ~0ULL)
		bar = 0;
	NEED(pwrite(fd, &command, 2, (off_t)config + 4) == 2);
}

static void reg_write(unsigned int reg, __u32 value)
{
	NEED(pwrite(fd, &value, 4, (off_t)(bar + reg)) == 4);
}

static int set_vectors(__u32 start, __u32 count, const int *fds)
{
	char buffer[sizeof(struct vfio_irq_set) + 64 * sizeof(int)] = {};
	struct vfio_irq_set *set = (void *)buffer;

	set->argsz = sizeof(*set) + count * sizeof(int);
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
		     (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->start = start;
	set->count = count;
	if (count)
		memcpy(set->data, fds, count * sizeof(int));
	return ioctl(fd, VFIO_DEVICE_SET_IRQS, set);
}

/* Which vectors have been signalled, a bit for each. */
static unsigned int signalled(int ms)
{
	struct pollfd fds[VECTORS];
	unsigned int i, mask = 0;
	uint64_t count;

	for (i = 0; i < VECTORS; i++)
		fds[i] = (struct pollfd){ .fd = events[i], .events = POLLIN };
	if (poll(fds, VECTORS, ms) > 0)
		for (i = 0; i < VECTORS; i++)
			if (fds[i].revents && read(events[i], &count, 8) == 8)
				mask |= 1u << i;
	return mask;
}

static void vectors_one_by_one(void)
{
	unsigned int i;

	bound();
	for (i = 0; i < VECTORS; i++)
		NEED((events[i] = eventfd(0, EFD_CLOEXEC)) >= 0);
	CHECK_OK(set_vectors(0, VECTORS, events));
	/* Vector n for cause n; bit 3 makes each valid. */
	reg_write(IVAR, 0x8 | 0x9 << 4 | 0xa << 8 | 0xb << 12);
	reg_write(IMS, ICR_QUEUE(0) | ICR_QUEUE(1) | ICR_QUEUE(2) | ICR_QUEUE(3));
	for (i = 0; i < VECTORS; i++) {
		AT("vector %u", i);
		reg_write(ICS, ICR_QUEUE(i));
		CHECK_EQ(signalled(5000), 1u << i);
		reg_write(ICR, ~0u);
	}
	CHECK_EQ(signalled(100), 0);
	CHECK_OK(set_vectors(0, 0, NULL));
	reg_write(ICS, ICR_QUEUE(0));
	CHECK_EQ(signalled(200), 0);
}

static void vector_errors(void)
{
	struct vfio_irq_info info = {
		.argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX,
	};
	int fds[64], i;

	bound();
	CHECK_OK(ioctl(fd, VFIO_DEVICE_GET_IRQ_INFO, &info));
	CHECK(info.count >= VECTORS && info.count < 64);
	for (i = 0; i < 64; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	CHECK_ERRNO(set_vectors(0, info.count + 1, fds), EINVAL);
	CHECK_ERRNO(set_vectors(info.count, 1, fds), EINVAL);
	fds[1] = iommu;
	CHECK_ERRNO(set_vectors(0, 2, fds), EINVAL);
	fds[1] = 9999;
	CHECK_ERRNO(set_vectors(0, 2, fds), EBADF);
}

/* A function that resets alone comes back configured as before. */
static void function_reset(void)
{
	__u16 command = 0;

	bound();
	CHECK_OK(ioctl(fd, VFIO_DEVICE_RESET));
	CHECK_EQ(pread(fd, &command, 2, (off_t)config + 4), 2);
	CHECK_EQ(command & 6, 6);
}

/* Back to the kernel's driver, which finds it in order. */
static void kernel_driver_again(void)
{
	bound();
	close(fd);
	CHECK(pci_give(bdf, "e1000e"));
	CHECK(pci_give(bdf, "iofd-pci"));
	bound();
	close(fd);
	CHECK(pci_give(bdf, "e1000e"));
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(vectors_one_by_one);
	RUN(vector_errors);
	RUN(function_reset);
	RUN(kernel_driver_again);
	return check_end();
}
