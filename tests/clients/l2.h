/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For programs in the guest's guest: PCI functions in the hands of its vfio-pci, by
 * the container. Whatever goes wrong ends the program.
 */
#ifndef L2_H
#define L2_H

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first function with that ID. */
static inline void find_function(unsigned int vendor, unsigned int device, char bdf[16])
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	struct dirent *entry;
	char path[PATH_MAX];
	unsigned int its_vendor, its_device;
	FILE *f;

	if (!dir)
		err(1, "sysfs");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/uevent", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		while (fgets(path, sizeof(path), f)) {
			if (sscanf(path, "PCI_ID=%x:%x", &its_vendor, &its_device) == 2 &&
			    its_vendor == vendor && its_device == device) {
				snprintf(bdf, 16, "%.15s", entry->d_name);
				fclose(f);
				closedir(dir);
				return;
			}
		}
		fclose(f);
	}
	errx(1, "there is no %04x:%04x", vendor, device);
}

static inline void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		warn("%s", path);
	close(fd);
}

static inline void *map_or_die(int fd, size_t bytes, int flags, off_t at)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, at);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

/* Memory space and bus mastering, in the command register at @at of @fd. */
static inline void enable(int fd, off_t at)
{
	uint16_t command;

	if (pread(fd, &command, 2, at + 4) != 2)
		err(1, "config");
	command |= 6;
	if (pwrite(fd, &command, 2, at + 4) != 2)
		err(1, "config");
}

/**
 * struct function - a function that vfio-pci has
 * @container: whose mappings it sees
 * @device: its file
 */
struct function {
	int container;
	int device;
};

static inline int dma_map(int container, void *mem, uint64_t iova, uint64_t bytes)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem,
		.iova = iova,
		.size = bytes,
	};

	return ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
}

static inline int dma_unmap(int container, uint64_t iova, uint64_t bytes)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap), .iova = iova, .size = bytes,
	};

	return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap) ||
	       unmap.size != bytes ? -1 : 0;
}

static inline off_t region_at(int device, unsigned int index)
{
	struct vfio_region_info region = { .argsz = sizeof(region), .index = index };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region))
		err(1, "region %u", index);
	return (off_t)region.offset;
}

/* Give @bdf to vfio-pci, open it by a container of its own, and enable it. */
static inline struct function open_vfio(const char *bdf)
{
	struct function f;
	char path[128], target[PATH_MAX];
	ssize_t n;
	int group;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	put(path, "vfio-pci");
	put("/sys/bus/pci/drivers_probe", bdf);
	put("/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "1");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		err(1, "%s has no group", bdf);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%d", atoi(strrchr(target, '/') + 1));
	f.container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	group = open(path, O_RDWR | O_CLOEXEC);
	if (f.container < 0 || group < 0)
		err(1, "%s", path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &f.container) ||
	    ioctl(f.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "container");
	f.device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (f.device < 0)
		err(1, "device");
	enable(f.device, region_at(f.device, VFIO_PCI_CONFIG_REGION_INDEX));
	return f;
}

/* @bytes of BAR @bar */
static inline volatile void *map_bar(int device, unsigned int bar, size_t bytes)
{
	return map_or_die(device, bytes, MAP_SHARED, region_at(device, bar));
}

#endif /* L2_H */
