/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PCI functions given to iofd-pci, and QEMU's "edu" among them: a device that
 * copies up to 4 KiB (less one byte) between memory and a buffer of its own, a tenth of a second
 * after it is told to. It forms addresses of 28 bits.
 */
#ifndef EDU_H
#define EDU_H

#include <dirent.h>
#include <linux/vfio.h>
#include <limits.h>
#include "check.h"
#include "native.h"

#define EDU_VENDOR	0x1234
#define EDU_DEVICE	0x11e8
#define EDU_ID		0x00
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_CMD_RUN	1
#define EDU_CMD_TO_MEM	2
#define EDU_BUFFER	0x40000
#define EDU_BYTES	4095	/* QEMU 7.2 takes the last one for one too many */

/**
 * struct edu - an edu device whose file is open
 * @bdf: its name in sysfs
 * @fd: its file
 * @bar: offset of its registers in the file
 * @config: offset of its configuration space in the file
 */
struct edu {
	char bdf[16];
	int fd;
	__u64 bar;
	__u64 config;
};

UNUSED static long pci_read_attr(const char *bdf, const char *attr)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, attr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return strtol(text, NULL, 0);
}

UNUSED static int pci_write_attr(const char *bdf, const char *attr, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, attr);
	return check_write_file(path, text);
}

static int pci_name_filter(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The @nth (from 0) function with these ids, in order of address. */
UNUSED static bool pci_find(long vendor, long device, unsigned int nth, char bdf[16])
{
	struct dirent **list;
	bool found = false;
	int n, i;

	n = scandir("/sys/bus/pci/devices", &list, pci_name_filter, alphasort);
	for (i = 0; i < n; i++) {
		if (!found && strlen(list[i]->d_name) < 16 &&
		    pci_read_attr(list[i]->d_name, "vendor") == vendor &&
		    pci_read_attr(list[i]->d_name, "device") == device &&
		    !nth--) {
			strcpy(bdf, list[i]->d_name);
			found = true;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return found;
}

/* Name of the function's driver, "" without. */
UNUSED static void pci_driver(const char *bdf, char name[64])
{
	char path[128], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = 0;
	snprintf(name, 64, "%.63s", strrchr(target, '/') ? strrchr(target, '/') + 1 : "");
}

/* Give a function to a driver ("" to none); true when it has it in the end. */
UNUSED static bool pci_give(const char *bdf, const char *driver)
{
	char now[64];

	pci_driver(bdf, now);
	if (!strcmp(now, driver))
		return true;
	if (now[0])
		pci_write_attr(bdf, "driver/unbind", bdf);
	/* Drivers of ours take what they are named for; others choose. */
	pci_write_attr(bdf, "driver_override",
		       strncmp(driver, "iofd-", 5) ? "\n" : driver);
	if (driver[0])
		check_write_file("/sys/bus/pci/drivers_probe", bdf);
	pci_driver(bdf, now);
	return !strcmp(now, driver);
}

/* Path of the function's device file. */
UNUSED static bool pci_dev_path(const char *bdf, char path[64])
{
	char dir[128];
	struct dirent **list;
	bool found = false;
	int n, i;

	snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	n = scandir(dir, &list, pci_name_filter, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(path, 64, "/dev/vfio/devices/%.32s", list[i]->d_name);
		found = true;
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return found;
}

/* Open the function's device file; it is given to iofd-pci if need be. */
UNUSED static int pci_open(const char *bdf)
{
	char path[64];

	if (!pci_give(bdf, "iofd-pci") || !pci_dev_path(bdf, path)) {
		errno = ENODEV;
		return -1;
	}
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Open the @nth edu without binding it. */
UNUSED static bool edu_open(struct edu *edu, unsigned int nth)
{
	memset(edu, 0, sizeof(*edu));
	edu->fd = -1;
	if (!pci_find(EDU_VENDOR, EDU_DEVICE, nth, edu->bdf)) {
		errno = ENODEV;
		return false;
	}
	edu->fd = pci_open(edu->bdf);
	return edu->fd >= 0;
}

static __u64 vfio_region(int fd, __u32 index)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info),
		.index = index,
	};

	if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &info) || !info.size)
		return 0;
	return info.offset ?: ~0ULL;
}

/* Ready to do DMA; the device is bound to something. */
UNUSED static bool edu_start(struct edu *edu)
{
	__u16 command = 0;
	__u32 id = 0;

	edu->bar = vfio_region(edu->fd, VFIO_PCI_BAR0_REGION_INDEX);
	edu->config = vfio_region(edu->fd, VFIO_PCI_CONFIG_REGION_INDEX);
	if (!edu->bar || !edu->config)
		return false;
	if (edu->bar == ~0ULL)
		edu->bar = 0;
	if (pread(edu->fd, &command, 2, (off_t)edu->config + 4) != 2)
		return false;
	command |= 6;	/* memory space, bus master */
	if (pwrite(edu->fd, &command, 2, (off_t)edu->config + 4) != 2)
		return false;
	if (pread(edu->fd, &id, 4, (off_t)edu->bar + EDU_ID) != 4)
		return false;
	return (id & 0xff) == 0xed;
}

static void edu_write(const struct edu *edu, unsigned int reg, __u32 value)
{
	if (pwrite(edu->fd, &value, 4, (off_t)(edu->bar + reg)) != 4)
		check_fail("edu: writing register %#x: %s", reg, strerror(errno));
}

static __u32 edu_read(const struct edu *edu, unsigned int reg)
{
	__u32 value = ~0u;

	if (pread(edu->fd, &value, 4, (off_t)(edu->bar + reg)) != 4)
		check_fail("edu: reading register %#x: %s", reg, strerror(errno));
	return value;
}

/* Begin a transfer between @iova and the device's buffer from @at on. */
UNUSED static void edu_begin(const struct edu *edu, bool to_mem, __u64 iova,
			     unsigned int at, unsigned int bytes)
{
	/* Leaving its buffer would end QEMU; its addresses have 28 bits. */
	if (at > EDU_BYTES || bytes > EDU_BYTES - at || !bytes || iova >> 28) {
		check_fail("edu: bad transfer");
		return;
	}
	edu_write(edu, EDU_DMA_SRC, to_mem ? EDU_BUFFER + at : (__u32)iova);
	edu_write(edu, EDU_DMA_DST, to_mem ? (__u32)iova : EDU_BUFFER + at);
	edu_write(edu, EDU_DMA_COUNT, bytes);
	edu_write(edu, EDU_DMA_CMD, EDU_CMD_RUN | (to_mem ? EDU_CMD_TO_MEM : 0));
}

UNUSED static bool edu_end(const struct edu *edu)
{
	int i;

	for (i = 0; i < 2500; i++) {
		if (!(edu_read(edu, EDU_DMA_CMD) & EDU_CMD_RUN))
			return true;
		check_sleep_ms(2);
	}
	check_fail("edu: a transfer did not end");
	return false;
}

/* Memory at @iova to the device. */
UNUSED static bool edu_load(const struct edu *edu, __u64 iova, unsigned int at,
			    unsigned int bytes)
{
	edu_begin(edu, false, iova, at, bytes);
	return edu_end(edu);
}

/* The device's buffer to memory at @iova. */
UNUSED static bool edu_store(const struct edu *edu, __u64 iova, unsigned int at,
			     unsigned int bytes)
{
	edu_begin(edu, true, iova, at, bytes);
	return edu_end(edu);
}

/*
 * The device fetches @source at @from, and leaves it in @target at @to. Some bytes
 * are enough to tell.
 */
#define EDU_SOME	64u

UNUSED static bool edu_copies(const struct edu *edu, __u64 from,
			      unsigned char *source, __u64 to,
			      unsigned char *target)
{
	static unsigned char seed;
	unsigned int i;

	seed++;
	for (i = 0; i < EDU_SOME; i++)
		source[i] = (unsigned char)(seed * 31 + i);
	memset(target, 0, EDU_SOME);
	edu_load(edu, from, 0, EDU_SOME);
	edu_store(edu, to, 0, EDU_SOME);
	return !memcmp(source, target, EDU_SOME);
}

/* What the device writes at @iova does not arrive at @target. */
UNUSED static bool edu_is_refused(const struct edu *edu, __u64 iova,
				  unsigned char *target)
{
	unsigned char before[EDU_SOME];

	memset(target, 0x77, EDU_SOME);
	memcpy(before, target, EDU_SOME);
	edu_store(edu, iova, 0, EDU_SOME);
	return !memcmp(before, target, EDU_SOME);
}

/* The number of a function's IOMMU group, or -1 */
UNUSED static int iommu_group_of(const char *bdf)
{
	char path[128], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = 0;
	return atoi(strrchr(target, '/') + 1);
}

/* The kernel's log, from here on */
UNUSED static int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	NEED(log >= 0 && lseek(log, 0, SEEK_END) >= 0);
	return log;
}

/*
 * Is there a line with both in the kernel's log, from where @log is, within some
 * seconds?
 */
UNUSED static bool logged(int log, const char *one, const char *two)
{
	double end = check_now() + 5;
	char line[2048];
	ssize_t n;

	while (check_now() < end) {
		n = read(log, line, sizeof(line) - 1);
		if (n < 0) {
			check_sleep_ms(20);
			continue;
		}
		line[n] = 0;
		if (strstr(line, one) && strstr(line, two))
			return true;
	}
	return false;
}

#endif /* EDU_H */
