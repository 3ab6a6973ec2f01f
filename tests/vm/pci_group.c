// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pci_group [TEST]: two edu devices behind a bridge to conventional PCI, which
 * makes them one group, and one bus that can be reset. To be the last two of
 * their kind in order of address. "pci_group refused" is for kernels whose VT-d
 * driver cannot keep such devices blocked.
 */
#include "edu.h"
#include <pthread.h>
#include <setjmp.h>

#define IOVA		0x200000ULL

/* Newer than the headers that this may be built with. */
#define FLAG_DEV_ID		1
#define FLAG_DEV_ID_OWNED	2
#define DEVID_NOT_OWNED		0xffffffffu

static struct edu one, two;
static int iommu;
static unsigned char *memory;

static void opened(void)
{
	NEED(edu_open(&one, 1));
	NEED(edu_open(&two, 2));
	NEED((iommu = iommu_open()) >= 0);
	NEED((memory = pages_alloc(4 * PAGE)));
}

static void both_bound(void)
{
	opened();
	NEED(!dev_bind(one.fd, iommu, 1));
	NEED(!dev_bind(two.fd, iommu, 2));
	NEED(edu_start(&one));
	NEED(edu_start(&two));
}

static void load(struct edu *edu, unsigned int first)
{
	unsigned int i;

	for (i = 0; i < 2000; i++)
		memory[i] = (first + i) % 251;
	edu_load(edu, IOVA, 0, 2000);
	memset(memory, 0, 4 * PAGE);
}

static bool arrives(struct edu *edu, unsigned int first)
{
	unsigned int i;

	memset(memory, 0, 4 * PAGE);
	edu_store(edu, IOVA, 0, 2000);
	for (i = 0; i < 2000 && memory[i] == (first + i) % 251; i++)
		;
	return i == 2000;
}

/* Where nobody can block them they are not given away. */
static void refused(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	opened();
	CHECK_ERRNO(dev_bind(one.fd, iommu, 1), EPERM);
	CHECK_ERRNO(ioctl(one.fd, VFIO_DEVICE_GET_INFO, &info), EINVAL);
	CHECK_ERRNO(dev_bind(two.fd, iommu, 1), EPERM);
}

static void group_has_one_user(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int other;

	opened();
	NEED((other = iommu_open()) >= 0);
	NEED(!dev_bind(one.fd, iommu, 1));
	CHECK_ERRNO(dev_bind(two.fd, other, 2), EPERM);
	CHECK_ERRNO(ioctl(two.fd, VFIO_DEVICE_GET_INFO, &info), EINVAL);
	CHECK_OK(dev_bind(two.fd, iommu, 2));
	/* Through the first fd it is in the same hands. */
	CHECK_OK(dev_bind(two.fd, other, 2));
	close(one.fd);
	CHECK_OK(ioctl(two.fd, VFIO_DEVICE_GET_INFO, &info));
	close(two.fd);
	NEED(edu_open(&two, 2));
	CHECK_OK(dev_bind(two.fd, other, 2));
}

/* One table for both: the hardware cannot tell them apart. */
static void group_shares_a_table(void)
{
	int ioasid, other;

	both_bound();
	NEED((ioasid = ioasid_alloc(iommu)) > 0);
	NEED((other = ioasid_alloc(iommu)) > 0);
	NEED(!map_at(iommu, ioasid, RW, memory, PAGE, IOVA));
	NEED(!dev_attach(one.fd, iommu, ioasid));
	CHECK_ERRNO(dev_attach(two.fd, iommu, other), EBUSY);
	NEED(!dev_attach(two.fd, iommu, ioasid));
	load(&one, 1);
	load(&two, 2);
	CHECK(arrives(&one, 1));
	CHECK(arrives(&two, 2));

	/* The other one goes on. */
	NEED(!dev_detach(one.fd, iommu, ioasid));
	CHECK(arrives(&two, 2));
	NEED(!dev_detach(two.fd, iommu, ioasid));
	CHECK(!arrives(&one, 1));
	CHECK(!arrives(&two, 2));

	/* Free for another table now. */
	NEED(!map_at(iommu, other, RW, memory, PAGE, IOVA));
	CHECK_OK(dev_attach(two.fd, iommu, other));
	CHECK(arrives(&two, 2));
	/* And closing one of them leaves the other as it is. */
	NEED(!dev_attach(one.fd, iommu, other));
	close(one.fd);
	CHECK(arrives(&two, 2));
}

struct reset_info {
	struct vfio_pci_hot_reset_info head;
	struct vfio_pci_dependent_device devices[8];
};

static const struct vfio_pci_dependent_device *
entry_of(const struct reset_info *info, const struct edu *edu)
{
	unsigned int segment, bus, dev, fn, i;

	sscanf(edu->bdf, "%x:%x:%x.%x", &segment, &bus, &dev, &fn);
	for (i = 0; i < info->head.count && i < 8; i++)
		if (info->devices[i].segment == segment &&
		    info->devices[i].bus == bus &&
		    info->devices[i].devfn == (dev << 3 | fn))
			return &info->devices[i];
	check_fail("%s is missing", edu->bdf);
	check_leave();
}

static int hot_reset(struct edu *edu, unsigned int flags, unsigned int count)
{
	char buffer[sizeof(struct vfio_pci_hot_reset) + 4] = {};
	struct vfio_pci_hot_reset *reset = (void *)buffer;

	reset->argsz = sizeof(buffer);
	reset->flags = flags;
	reset->count = count;
	return ioctl(edu->fd, VFIO_DEVICE_PCI_HOT_RESET, reset);
}

static void hot_reset_info(void)
{
	struct reset_info info = { .head.argsz = sizeof(info.head) };
	__u32 id_one, id_two;

	opened();
	NEED(!dev_bind(one.fd, iommu, 1));
	CHECK_ERRNO(ioctl(one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info),
		    ENOSPC);
	CHECK_EQ(info.head.count, 2);
	info.head.argsz = 4;
	CHECK_ERRNO(ioctl(one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info),
		    EINVAL);

	/* The other one cannot be anybody else's. */
	info.head.argsz = sizeof(info);
	CHECK_OK(ioctl(one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	CHECK_EQ(info.head.count, 2);
	CHECK_EQ(info.head.flags, FLAG_DEV_ID | FLAG_DEV_ID_OWNED);
	id_one = entry_of(&info, &one)->group_id;
	CHECK(id_one && id_one != DEVID_NOT_OWNED);
	CHECK_EQ(entry_of(&info, &two)->group_id, 0);

	NEED(!dev_bind(two.fd, iommu, 2));
	CHECK_OK(ioctl(one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	CHECK_EQ(info.head.flags, FLAG_DEV_ID | FLAG_DEV_ID_OWNED);
	CHECK_EQ(entry_of(&info, &one)->group_id, id_one);
	id_two = entry_of(&info, &two)->group_id;
	CHECK(id_two && id_two != id_one && id_two != DEVID_NOT_OWNED);

	/* Without a driver that has to do with it, it is anybody's. */
	close(two.fd);
	NEED(pci_give(two.bdf, ""));
	CHECK_OK(ioctl(one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	CHECK_EQ(info.head.flags, FLAG_DEV_ID);
	CHECK_EQ(entry_of(&info, &two)->group_id, DEVID_NOT_OWNED);
	CHECK_ERRNO(hot_reset(&one, 0, 0), EINVAL);
	NEED(pci_give(two.bdf, "iofd-pci"));
	CHECK_OK(hot_reset(&one, 0, 0));
}

static void hot_reset_resets(void)
{
	__u16 command = 0;
	int ioasid;

	both_bound();
	CHECK_ERRNO(hot_reset(&one, 1, 0), EINVAL);
	CHECK_ERRNO(hot_reset(&one, 0, 1), EINVAL);
	CHECK_ERRNO(ioctl(one.fd, VFIO_DEVICE_PCI_HOT_RESET, NULL), EFAULT);
	NEED((ioasid = ioasid_alloc(iommu)) > 0);
	NEED(!map_at(iommu, ioasid, RW, memory, PAGE, IOVA));
	NEED(!dev_attach(one.fd, iommu, ioasid));
	load(&one, 3);
	CHECK_OK(hot_reset(&one, 0, 0));
	/* Configuration as before, and still attached. */
	CHECK_EQ(pread(one.fd, &command, 2, (off_t)one.config + 4), 2);
	CHECK_EQ(command & 6, 6);
	load(&one, 4);
	CHECK(arrives(&one, 4));
}

static sigjmp_buf bus_error;
static volatile int stop;

static void on_bus_error(int signal)
{
	(void)signal;
	siglongjmp(bus_error, 1);
}

/* Touches a BAR all the time; a BAR that is away says so with SIGBUS. */
static void *touch(void *bar)
{
	volatile __u32 *regs = bar;
	volatile long good = 0;

	sigsetjmp(bus_error, 1);
	while (!stop)
		if ((regs[0] & 0xff) == 0xed)
			good++;
	return (void *)good;
}

static void hot_reset_under_load(void)
{
	pthread_t thread;
	void *bar, *good;
	int i;

	both_bound();
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, two.fd,
		   (off_t)two.bar);
	NEED(bar != MAP_FAILED);
	signal(SIGBUS, on_bus_error);
	NEED(!pthread_create(&thread, NULL, touch, bar));
	for (i = 0; i < 5; i++)
		if (hot_reset(i & 1 ? &one : &two, 0, 0))
			CHECK_EQ(errno, EBUSY);
	check_sleep_ms(100);
	stop = 1;
	pthread_join(thread, &good);
	CHECK((long)good > 0);
	CHECK_EQ(*(volatile __u32 *)bar & 0xff, 0xed);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	if (!strcmp(check_only, "refused")) {
		RUN(refused);
		return check_end();
	}
	RUN(group_has_one_user);
	RUN(group_shares_a_table);
	RUN(hot_reset_info);
	RUN(hot_reset_resets);
	RUN(hot_reset_under_load);
	return check_end();
}
