// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VFIO's type1: container, group and the stock vfio-pci driver.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vfio.h>
#include "bench.h"

static int container_fd, group_fd, device_fd;

static int open_group(const char *address)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		die("%s", path);
	target[length] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%.16s", strrchr(target, '/') + 1);
	fd = open(path, O_RDWR);
	if (fd < 0)
		die("%s", path);
	return fd;
}

static void type1_open(const char *device)
{
	container_fd = open("/dev/vfio/vfio", O_RDWR);
	if (container_fd < 0)
		die("/dev/vfio/vfio");
	group_fd = open_group(device);
	if (ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &container_fd))
		die("VFIO_GROUP_SET_CONTAINER");
	if (ioctl(container_fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die("VFIO_SET_IOMMU");
	device_fd = ioctl(group_fd, VFIO_GROUP_GET_DEVICE_FD, device);
	if (device_fd < 0)
		die("VFIO_GROUP_GET_DEVICE_FD");
}

static void type1_map(uint64_t iova, void *memory, size_t bytes)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = bytes,
	};

	if (ioctl(container_fd, VFIO_IOMMU_MAP_DMA, &map))
		die("VFIO_IOMMU_MAP_DMA");
}

static uint64_t type1_unmap(uint64_t iova, uint64_t bytes)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = bytes,
	};

	if (ioctl(container_fd, VFIO_IOMMU_UNMAP_DMA, &unmap))
		die("VFIO_IOMMU_UNMAP_DMA");
	return unmap.size;
}

static void type1_close(void)
{
	close(device_fd);
	close(group_fd);
	close(container_fd);
}

int main(int argc, char **argv)
{
	static const struct abi type1 = {
		.name = "type1",
		.open = type1_open,
		.map = type1_map,
		.unmap = type1_unmap,
		.close = type1_close,
	};

	return bench_main(&type1, argc, argv);
}
