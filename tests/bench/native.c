// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * /dev/iommu by its native ABI.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/ioasid.h>
#include "bench.h"

static int iommu_fd, device_fd;
static uint32_t ioasid;

static void native_open(const char *device)
{
	struct iommu_ioasid_alloc alloc = {
		.size = sizeof(alloc),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
	};
	struct iommu_device_bind bind = { .size = sizeof(bind), .label = 1 };
	struct iommu_device_attach attach = { .size = sizeof(attach) };

	iommu_fd = open("/dev/iommu", O_RDWR);
	if (iommu_fd < 0)
		die("/dev/iommu");
	if (ioctl(iommu_fd, IOMMU_IOASID_ALLOC, &alloc))
		die("IOMMU_IOASID_ALLOC");
	ioasid = alloc.ioasid;
	device_fd = -1;
	if (!strcmp(device, "none"))
		return;

	device_fd = open_device(device);
	bind.iommu_fd = iommu_fd;
	if (ioctl(device_fd, IOMMU_DEVICE_BIND_IOMMU_FD, &bind))
		die("IOMMU_DEVICE_BIND_IOMMU_FD");
	attach.iommu_fd = iommu_fd;
	attach.ioasid = ioasid;
	if (ioctl(device_fd, IOMMU_DEVICE_ATTACH_IOASID, &attach))
		die("IOMMU_DEVICE_ATTACH_IOASID");
}

static void native_map(uint64_t iova, void *memory, size_t bytes)
{
	struct iommu_map_dma map = {
		.size = sizeof(map),
		.flags = IOMMU_MAP_READ | IOMMU_MAP_WRITE | IOMMU_MAP_FIXED_IOVA,
		.ioasid = ioasid,
		.source = (uintptr_t)memory,
		.length = bytes,
		.iova = iova,
	};

	if (ioctl(iommu_fd, IOMMU_MAP_DMA, &map))
		die("IOMMU_MAP_DMA");
}

static uint64_t native_unmap(uint64_t iova, uint64_t bytes)
{
	struct iommu_unmap_dma unmap = {
		.size = sizeof(unmap),
		.ioasid = ioasid,
		.iova = iova,
		.length = bytes,
	};

	if (ioctl(iommu_fd, IOMMU_UNMAP_DMA, &unmap))
		die("IOMMU_UNMAP_DMA");
	return unmap.length;
}

/* The device last: it stays attached until the space is empty. */
static void native_close(void)
{
	close(iommu_fd);
	if (device_fd >= 0)
		close(device_fd);
}

int main(int argc, char **argv)
{
	static const struct abi native = {
		.name = "native",
		.open = native_open,
		.map = native_map,
		.unmap = native_unmap,
		.close = native_close,
	};

	return bench_main(&native, argc, argv);
}
