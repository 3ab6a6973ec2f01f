// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pci_edu [TEST]: the device file of a PCI function, with QEMU's edu behind it:
 * what it answers, what it refuses, and how it comes and goes.
 */
#include "edu.h"
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define IOVA	0x200000ULL
#define LABEL	0x1122334455667788ULL

static struct edu edu;
static int iommu;
static unsigned char *memory;

/* The function with its file open, /dev/iommu, and some memory. */
static void opened(void)
{
	NEED(edu_open(&edu, 0));
	NEED((iommu = iommu_open()) >= 0);
	NEED((memory = pages_alloc(4 * PAGE)));
}

static void bound(void)
{
	opened();
	NEED(!dev_bind(edu.fd, iommu, LABEL));
	NEED(edu_start(&edu));
}

/* Bound, attached, and two pages mapped. */
static int attached(void)
{
	int ioasid;

	bound();
	NEED((ioasid = ioasid_alloc(iommu)) > 0);
	NEED(!map_at(iommu, ioasid, RW, memory, 2 * PAGE, IOVA));
	NEED(!dev_attach(edu.fd, iommu, ioasid));
	return ioasid;
}

/* Bytes at @at to the device, as a pattern that starts with @first. */
static void load_pattern(unsigned int first)
{
	unsigned int i;

	for (i = 0; i < 4000; i++)
		memory[i] = (first + i) % 251;
	edu_load(&edu, IOVA, 0, 4000);
	memset(memory, 0, 4 * PAGE);
}

/* How much of the pattern is at @at. */
static unsigned int pattern_at(const unsigned char *at, unsigned int first)
{
	unsigned int i;

	for (i = 0; i < 4000 && at[i] == (first + i) % 251; i++)
		;
	return i;
}

static bool untouched(void)
{
	unsigned int i;

	for (i = 0; i < 4 * PAGE; i++)
		if (memory[i])
			return false;
	return true;
}

static bool signalled(int fd, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	uint64_t count;

	return poll(&pollfd, 1, ms) == 1 && read(fd, &count, 8) == 8;
}

static int set_irq(__u32 index, int fd)
{
	char buffer[sizeof(struct vfio_irq_set) + sizeof(int)] = {};
	struct vfio_irq_set *set = (void *)buffer;

	set->argsz = sizeof(buffer);
	set->index = index;
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_NONE;
	if (fd >= 0) {
		set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
			     VFIO_IRQ_SET_DATA_EVENTFD;
		set->count = 1;
		memcpy(set->data, &fd, sizeof(fd));
	}
	return ioctl(edu.fd, VFIO_DEVICE_SET_IRQS, set);
}

static void refuses_all_before_bind(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_irq_set irqs = { .argsz = sizeof(irqs) };
	__u32 word = 0;

	opened();
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_GET_INFO, &info), EINVAL);
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_SET_IRQS, &irqs), EINVAL);
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_RESET), EINVAL);
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_PCI_HOT_RESET, &info), EINVAL);
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &info), EINVAL);
	CHECK_ERRNO(ioctl(edu.fd, 0x1234), EINVAL);
	CHECK_ERRNO(pread(edu.fd, &word, 4, 7LL << 40), EINVAL);
	CHECK_ERRNO(pwrite(edu.fd, &word, 4, 7LL << 40), EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, edu.fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK_ERRNO(dev_attach(edu.fd, iommu, 1), EINVAL);
	CHECK_ERRNO(dev_detach(edu.fd, iommu, 1), EINVAL);
}

static void bind_errors(void)
{
	struct iommu_device_bind cmd = { .size = sizeof(cmd), .label = LABEL };
	struct vfio_device_info info = { .argsz = sizeof(info) };
	char path[64];
	int other;

	opened();
	cmd.iommu_fd = iommu;
	CHECK_ERRNO(dev_bind(edu.fd, -1, LABEL), EBADF);
	CHECK_ERRNO(dev_bind(edu.fd, edu.fd, LABEL), EBADF);
	cmd.flags = 1;
	CHECK_ERRNO(ioctl(edu.fd, IOMMU_DEVICE_BIND_IOMMU_FD, &cmd), EOPNOTSUPP);
	cmd.flags = 0;
	cmd.size = 8;
	CHECK_ERRNO(ioctl(edu.fd, IOMMU_DEVICE_BIND_IOMMU_FD, &cmd), EINVAL);
	CHECK_ERRNO(ioctl(edu.fd, IOMMU_DEVICE_BIND_IOMMU_FD, NULL), EFAULT);
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_GET_INFO, &info), EINVAL);

	NEED(!dev_bind(edu.fd, iommu, LABEL));
	CHECK_ERRNO(dev_bind(edu.fd, iommu, LABEL + 1), EBUSY);
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_GET_INFO, &info));

	/* One open file has the device; a second one gets nowhere. */
	NEED(pci_dev_path(edu.bdf, path));
	NEED((other = open(path, O_RDWR)) >= 0);
	CHECK_ERRNO(dev_bind(other, iommu, LABEL + 1), EBUSY);
	CHECK_ERRNO(ioctl(other, VFIO_DEVICE_GET_INFO, &info), EINVAL);
	close(other);

	/* Closing unbinds. */
	close(edu.fd);
	NEED((edu.fd = open(path, O_RDWR)) >= 0);
	CHECK_OK(dev_bind(edu.fd, iommu, LABEL));
}

static void answers_queries(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info region = { .argsz = sizeof(region) };
	struct vfio_irq_info irq = {
		.argsz = sizeof(irq), .index = VFIO_PCI_MSI_IRQ_INDEX,
	};
	struct vfio_pci_hot_reset_info reset = { .argsz = sizeof(reset) };
	struct vfio_pci_hot_reset do_reset = { .argsz = sizeof(do_reset) };
	__u32 id = 0;

	bound();
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_GET_INFO, &info));
	CHECK(info.flags & VFIO_DEVICE_FLAGS_PCI);
	CHECK(info.num_regions >= VFIO_PCI_NUM_REGIONS);
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_GET_REGION_INFO, &region));
	CHECK_EQ(region.size, 0x100000);
	CHECK(region.flags & VFIO_REGION_INFO_FLAG_MMAP);
	region.index = 1000;
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_GET_REGION_INFO, &region), EINVAL);
	region.argsz = 4;
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_GET_REGION_INFO, &region), EINVAL);
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_GET_IRQ_INFO, &irq));
	CHECK_EQ(irq.count, 1);
	CHECK_EQ(pread(edu.fd, &id, 4, (off_t)edu.config), 4);
	CHECK_EQ(id, EDU_DEVICE << 16 | EDU_VENDOR);
	CHECK_ERRNO(ioctl(edu.fd, _IO(VFIO_TYPE, VFIO_BASE)), ENOTTY);
	CHECK_ERRNO(ioctl(edu.fd, _IO(VFIO_TYPE, 0xff)), ENOTTY);
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_GET_INFO, NULL), EFAULT);

	/* There is no resetting the root bus. */
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &reset),
		    ENODEV);
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_PCI_HOT_RESET, &do_reset), ENODEV);
}

static void features(void)
{
	struct vfio_device_feature feature = { .argsz = sizeof(feature) };

	bound();
	feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_PROBE |
			VFIO_DEVICE_FEATURE_MIGRATION;
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature), ENOTTY);
	feature.flags = VFIO_DEVICE_FEATURE_GET | 0xfff;
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature), ENOTTY);
	feature.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PROBE |
			VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY;
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature));
	feature.flags = 1 << 30;
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature), EINVAL);
	feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature), EINVAL);
	feature.argsz = 4;
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature), EINVAL);
	CHECK_ERRNO(ioctl(edu.fd, VFIO_DEVICE_FEATURE, NULL), EFAULT);

	/* To sleep, which the next access to the device ends for its length. */
	feature.argsz = sizeof(feature);
	feature.flags = VFIO_DEVICE_FEATURE_SET |
			VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY;
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature));
	CHECK_EQ(edu_read(&edu, EDU_ID) & 0xff, 0xed);
	feature.flags = VFIO_DEVICE_FEATURE_SET |
			VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_FEATURE, &feature));
	CHECK_EQ(edu_read(&edu, EDU_ID) & 0xff, 0xed);
}

static void dma_goes_where_it_may(void)
{
	int ioasid, other;

	ioasid = attached();
	load_pattern(1);
	edu_store(&edu, IOVA + PAGE, 0, 4000);
	CHECK_EQ(pattern_at(memory + PAGE, 1), 4000);
	memset(memory, 0, 4 * PAGE);

	AT("beyond the mapping");
	edu_store(&edu, IOVA + 2 * PAGE, 0, 64);
	CHECK(untouched());

	AT("mapped for reading");
	NEED(!map_at(iommu, ioasid, IOMMU_MAP_READ, memory, PAGE, 2 * IOVA));
	edu_store(&edu, 2 * IOVA, 0, 64);
	CHECK(untouched());

	AT("unmapped");
	NEED(!unmap_at(iommu, ioasid, IOVA, 2 * PAGE));
	edu_store(&edu, IOVA, 0, 64);
	CHECK(untouched());

	AT("mapped again");
	NEED(!map_at(iommu, ioasid, RW, memory, 2 * PAGE, IOVA));
	edu_store(&edu, IOVA, 0, 4000);
	CHECK_EQ(pattern_at(memory, 1), 4000);
	memset(memory, 0, 4 * PAGE);

	AT("detached");
	NEED(!dev_detach(edu.fd, iommu, ioasid));
	CHECK_ERRNO(dev_detach(edu.fd, iommu, ioasid), ENOENT);
	edu_store(&edu, IOVA, 0, 64);
	CHECK(untouched());

	AT("another IOASID, other memory");
	NEED((other = ioasid_alloc(iommu)) > 0);
	NEED(!dev_attach(edu.fd, iommu, other));
	CHECK_ERRNO(dev_attach(edu.fd, iommu, ioasid), EBUSY);
	NEED(!map_at(iommu, other, RW, memory + 2 * PAGE, PAGE, IOVA));
	edu_store(&edu, IOVA, 0, 4000);
	CHECK_EQ(pattern_at(memory + 2 * PAGE, 1), 4000);
	CHECK_EQ(memory[1], 0);
}

static void no_dma_before_attach(void)
{
	bound();
	edu_store(&edu, IOVA, 0, 4000);
	edu_store(&edu, (uintptr_t)memory & 0xffff000, 0, 64);
	edu_load(&edu, IOVA, 0, 64);
	CHECK(untouched());
}

/* Whoever drives the IOMMU: what it refuses is reported with the label. */
static void refused_dma_is_reported(void)
{
	char text[64];
	int log, ioasid;

	log = log_open();
	ioasid = attached();
	snprintf(text, sizeof(text), "label %#llx, IOASID %d", LABEL, ioasid);
	edu_store(&edu, 0x345000, 0, 64);
	CHECK(logged(log, "DMA write to 0x345000 refused", text));
	edu_load(&edu, 0x346000, 0, 64);
	CHECK(logged(log, "DMA read of 0x346000 refused", text));
	NEED(!dev_detach(edu.fd, iommu, ioasid));
	snprintf(text, sizeof(text), "label %#llx, attached to nothing", LABEL);
	edu_store(&edu, IOVA, 0, 64);
	CHECK(logged(log, "DMA write to 0x200000 refused", text));
}

/* Unmapping a range with holes takes exactly what is in it. */
static void unmap_with_holes(void)
{
	int ioasid, i;
	__u64 count = 0;

	ioasid = attached();
	load_pattern(1);
	NEED(!unmap_at(iommu, ioasid, IOVA, 2 * PAGE));
	for (i = 0; i < 3000; i += 2)
		NEED(!map_at(iommu, ioasid, RW, memory, PAGE,
			     IOVA + i * PAGE));
	NEED(!map_at(iommu, ioasid, RW, memory + PAGE, PAGE, 0x4000000));
	NEED(!map_at(iommu, ioasid, RW, memory + 2 * PAGE, PAGE, 0xe000000));

	/* From a hole to a hole, both larger than a table page covers. */
	CHECK_OK(unmap_count(iommu, ioasid, 0, 0, 0x3000000, &count));
	CHECK_EQ(count, 1500 * PAGE);
	for (i = 0; i < 3000; i += 998)
		edu_store(&edu, IOVA + i * PAGE, 0, 64);
	CHECK(untouched());
	edu_store(&edu, 0x4000000, 0, 4000);
	CHECK_EQ(pattern_at(memory + PAGE, 1), 4000);
	edu_store(&edu, 0xe000000, 0, 4000);
	CHECK_EQ(pattern_at(memory + 2 * PAGE, 1), 4000);

	CHECK_OK(unmap_all(iommu, ioasid));
	memset(memory, 0, 4 * PAGE);
	edu_store(&edu, 0x4000000, 0, 64);
	edu_store(&edu, 0xe000000, 0, 64);
	CHECK(untouched());
}

/* Memory that is physically contiguous: large leaves, and unmapped alone. */
static void huge_pages(void)
{
	unsigned char *huge;
	int ioasid;

	huge = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (huge == MAP_FAILED)
		SKIP("no huge pages");
	memset(huge, 0, 4 * MIB);
	ioasid = attached();
	load_pattern(5);
	NEED(!map_at(iommu, ioasid, RW, huge, 2 * MIB, 0x4000000));
	NEED(!map_at(iommu, ioasid, RW, huge + 2 * MIB, 2 * MIB,
		     0x4000000 + 2 * MIB));
	edu_store(&edu, 0x4000000 + 2 * MIB - 2000, 0, 4000);
	CHECK_EQ(pattern_at(huge + 2 * MIB - 2000, 5), 4000);
	CHECK_OK(unmap_at(iommu, ioasid, 0x4000000, 2 * MIB));
	memset(huge, 0, 4 * MIB);
	edu_store(&edu, 0x4000000 + MIB, 0, 64);
	CHECK_EQ(huge[MIB], 0);
	edu_store(&edu, 0x4000000 + 3 * MIB, 0, 4000);
	CHECK_EQ(pattern_at(huge + 3 * MIB, 5), 4000);
}

static void message_interrupt(void)
{
	int event;

	bound();
	NEED((event = eventfd(0, EFD_CLOEXEC)) >= 0);
	CHECK_OK(set_irq(VFIO_PCI_MSI_IRQ_INDEX, event));
	edu_write(&edu, 0x60, 1);
	CHECK(signalled(event, 5000));
	edu_write(&edu, 0x64, 1);
	CHECK(!signalled(event, 200));
	CHECK_OK(set_irq(VFIO_PCI_MSI_IRQ_INDEX, -1));
	CHECK_ERRNO(set_irq(VFIO_PCI_MSIX_IRQ_INDEX, event), EINVAL);
	CHECK_ERRNO(set_irq(VFIO_PCI_MSI_IRQ_INDEX, iommu), EINVAL);
}

static void line_interrupt(void)
{
	struct vfio_irq_set unmask = {
		.argsz = sizeof(unmask), .index = VFIO_PCI_INTX_IRQ_INDEX,
		.flags = VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_DATA_NONE,
		.count = 1,
	};
	int event;

	bound();
	NEED((event = eventfd(0, EFD_CLOEXEC)) >= 0);
	CHECK_OK(set_irq(VFIO_PCI_INTX_IRQ_INDEX, event));
	edu_write(&edu, 0x60, 1);
	CHECK(signalled(event, 5000));
	/* It masks itself, and comes again while it is raised. */
	CHECK(!signalled(event, 200));
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_SET_IRQS, &unmask));
	CHECK(signalled(event, 5000));
	edu_write(&edu, 0x64, 1);
	CHECK_OK(ioctl(edu.fd, VFIO_DEVICE_SET_IRQS, &unmask));
	CHECK(!signalled(event, 200));
	CHECK_OK(set_irq(VFIO_PCI_INTX_IRQ_INDEX, -1));
}

static volatile __u32 *map_bar(void)
{
	void *bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, edu.fd,
			 (off_t)edu.bar);

	NEED(bar != MAP_FAILED);
	return bar;
}

/* A BAR that is disabled is taken away from who has mapped it. */
static void mapping_follows_memory_enable(void)
{
	volatile __u32 *bar;
	__u16 command = 0;
	__u32 word;
	int status;
	pid_t pid;

	bound();
	bar = map_bar();
	CHECK_EQ(bar[0] & 0xff, 0xed);
	bar[1] = 0x12345678;
	CHECK_EQ(bar[1], 0xedcba987);
	NEED(pwrite(edu.fd, &command, 2, (off_t)edu.config + 4) == 2);
	CHECK(pread(edu.fd, &word, 4, (off_t)edu.bar) < 0);
	pid = fork();
	if (!pid) {
		word = bar[0];
		_exit(0);
	}
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	command = 6;
	NEED(pwrite(edu.fd, &command, 2, (off_t)edu.config + 4) == 2);
	CHECK_EQ(bar[0] & 0xff, 0xed);
}

/* The device stays open and bound for as long as a BAR is mapped. */
static void mapping_keeps_file(void)
{
	volatile __u32 *bar;
	char path[64];
	int fd;

	bound();
	bar = map_bar();
	close(edu.fd);
	CHECK_EQ(bar[0] & 0xff, 0xed);
	NEED(pci_dev_path(edu.bdf, path));
	NEED((fd = open(path, O_RDWR)) >= 0);
	CHECK_ERRNO(dev_bind(fd, iommu, LABEL + 1), EBUSY);
	munmap((void *)bar, PAGE);
	CHECK_OK(dev_bind(fd, iommu, LABEL));
}

/* Without interrupt remapping the administrator has to agree. */
static void interrupts_are_isolated(void)
{
	static const char param[] =
		"/sys/module/iofd_pci/parameters/allow_unsafe_interrupts";
	struct iommu_device_info info;
	bool isolated;

	bound();
	NEED(!device_info(iommu, LABEL, &info, NULL, 0));
	isolated = info.flags & IOMMU_DEVICE_INFO_MSI_ISOLATED;
	printf("  interrupts are %sisolated\n", isolated ? "" : "not ");
	close(edu.fd);
	NEED(edu_open(&edu, 0));
	NEED(!check_write_file(param, "0"));
	if (isolated)
		CHECK_OK(dev_bind(edu.fd, iommu, LABEL));
	else
		CHECK_ERRNO(dev_bind(edu.fd, iommu, LABEL), EPERM);
	NEED(!check_write_file(param, "1"));
	if (!isolated)
		CHECK_OK(dev_bind(edu.fd, iommu, LABEL));
	NEED(!check_write_file(param, isolated ? "0" : "1"));
}

/* VFIO's older way to the same device: one excludes the other. */
static int group_open(int *container)
{
	char path[160], target[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group",
		 edu.bdf);
	NEED((n = readlink(path, target, sizeof(target) - 1)) > 0);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.100s",
		 strrchr(target, '/') + 1);
	NEED((*container = open("/dev/vfio/vfio", O_RDWR)) >= 0);
	NEED((fd = open(path, O_RDWR)) >= 0);
	return fd;
}

static void group_path_excluded(void)
{
	int group, container;

	bound();
	group = group_open(&container);
	CHECK_ERRNO(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), EPERM);
	CHECK_ERRNO(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, edu.bdf), EINVAL);
}

static void group_path_excludes(void)
{
	int group, container, fd;

	opened();
	group = group_open(&container);
	NEED(!ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
	CHECK_ERRNO(dev_bind(edu.fd, iommu, LABEL), EPERM);
	/* Refused where interrupts are not remapped, and type1 not told. */
	if (!ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)) {
		NEED((fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, edu.bdf)) >= 0);
		CHECK_ERRNO(dev_bind(edu.fd, iommu, LABEL), EPERM);
		close(fd);
	}
	close(group);
	close(container);
	CHECK_OK(dev_bind(edu.fd, iommu, LABEL));
}

/* Killed with DMA under way: nothing goes on, and the device is free again. */
static void killed_in_the_middle(void)
{
	int status, go[2], i;
	pid_t pid;

	NEED(!pipe(go));
	for (i = 0; i < 5; i++) {
		pid = fork();
		if (!pid) {
			attached();
			load_pattern(1);
			NEED(write(go[1], "x", 1) == 1);
			for (;;)
				edu_begin(&edu, true, IOVA, 0, 4000);
		}
		NEED(read(go[0], &status, 1) == 1);
		check_sleep_ms(20 * i);
		NEED(!kill(pid, SIGKILL));
		NEED(waitpid(pid, &status, 0) == pid);
	}
	/* Closed by the time the process can be waited for. */
	attached();
	/* What the device was told before is done, or refused. */
	edu_end(&edu);
	load_pattern(2);
	edu_store(&edu, IOVA + PAGE, 0, 4000);
	CHECK_EQ(pattern_at(memory + PAGE, 2), 4000);
}

static void *unbind_driver(void *bdf)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind",
		 (char *)bdf);
	return (void *)(long)check_write_file(path, bdf);
}

/* Hot-unplug asks the user of a bound device, and waits. */
static void removed_while_bound(void)
{
	pthread_t thread;
	char name[64];
	int request;
	void *rc;

	attached();
	load_pattern(1);
	NEED((request = eventfd(0, EFD_CLOEXEC)) >= 0);
	CHECK_OK(set_irq(VFIO_PCI_REQ_IRQ_INDEX, request));
	NEED(!pthread_create(&thread, NULL, unbind_driver, edu.bdf));
	CHECK(signalled(request, 5000));
	/* It is still there, and works; but nobody new gets it. */
	CHECK(!signalled(request, 300));
	edu_store(&edu, IOVA, 0, 4000);
	CHECK_EQ(pattern_at(memory, 1), 4000);
	/* Asked again every ten seconds. */
	CHECK(signalled(request, 15000));
	close(edu.fd);
	NEED(!pthread_join(thread, &rc));
	CHECK_EQ((long)rc, 0);
	pci_driver(edu.bdf, name);
	CHECK(!name[0]);
	/* And back. */
	bound();
}

/* A file that is open and not bound does not hold it up, and is dead then. */
static void removed_while_open(void)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	double start = check_now();
	char path[64];
	struct edu old;
	__u32 word;

	opened();
	old = edu;
	NEED(pci_dev_path(edu.bdf, path));
	NEED(pci_give(edu.bdf, ""));
	CHECK(check_now() - start < 5);
	CHECK_ERRNO(dev_bind(old.fd, iommu, LABEL), ENODEV);
	CHECK_ERRNO(ioctl(old.fd, VFIO_DEVICE_GET_INFO, &info), ENODEV);
	CHECK_ERRNO(pread(old.fd, &word, 4, 7LL << 40), EINVAL);
	CHECK_ERRNO(open(path, O_RDWR), ENOENT);

	/* The same function again is another device to the old file. */
	bound();
	CHECK_ERRNO(dev_bind(old.fd, iommu, LABEL + 1), ENODEV);
	close(old.fd);
	CHECK_EQ(edu_read(&edu, EDU_ID) & 0xff, 0xed);
}

/* All at once: open, bind, close, unbind the driver, bind it. */
static void *race_files(void *arg)
{
	double *end = arg;
	char path[64];
	int fd, ctx;

	while (check_now() < *end) {
		if (!pci_dev_path(edu.bdf, path))
			continue;
		fd = open(path, O_RDWR);
		if (fd < 0)
			continue;
		ctx = iommu_open();
		dev_bind(fd, ctx, LABEL);
		if (ctx & 1)
			close(ctx);
		close(fd);
		if (!(ctx & 1))
			close(ctx);
	}
	return NULL;
}

static void *race_driver(void *arg)
{
	double *end = arg;

	while (check_now() < *end) {
		pci_give(edu.bdf, "");
		pci_give(edu.bdf, "iofd-pci");
	}
	return NULL;
}

static void races(void)
{
	double end = check_now() + 8;
	pthread_t threads[4];
	unsigned int i;

	NEED(edu_open(&edu, 0));
	close(edu.fd);
	for (i = 0; i < 3; i++)
		NEED(!pthread_create(&threads[i], NULL, race_files, &end));
	NEED(!pthread_create(&threads[3], NULL, race_driver, &end));
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	NEED(pci_give(edu.bdf, "iofd-pci"));
	bound();
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(refuses_all_before_bind);
	RUN(bind_errors);
	RUN(interrupts_are_isolated);
	RUN(answers_queries);
	RUN(features);
	RUN(refused_dma_is_reported);
	RUN(no_dma_before_attach);
	RUN(dma_goes_where_it_may);
	RUN(unmap_with_holes);
	RUN(huge_pages);
	RUN(message_interrupt);
	RUN(line_interrupt);
	RUN(mapping_follows_memory_enable);
	RUN(mapping_keeps_file);
	RUN(group_path_excluded);
	RUN(group_path_excludes);
	RUN(killed_in_the_middle);
	RUN(removed_while_bound);
	RUN(removed_while_open);
	RUN(races);
	return check_end();
}
