// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * /dev/iommu by upstream's ABI, with its numbers and layouts written down here:
 * not every machine has <linux/iommufd.h>.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "bench.h"

#define IOAS_ALLOC	0x3b81
#define IOAS_MAP	0x3b85
#define IOAS_UNMAP	0x3b86
#define HWPT_ALLOC	0x3b89
#define VFIO_BIND	0x3b76
#define VFIO_ATTACH	0x3b77
#define FIXED_WRITE_READ	7

static int iommu_fd, device_fd;
static uint32_t ioas;

static void iommufd_open(const char *device)
{
	struct { uint32_t size, flags, id; } alloc = { .size = sizeof(alloc) };
	struct { uint32_t size, flags; int32_t fd; uint32_t id; } bind = {
		.size = sizeof(bind),
	};
	struct { uint32_t size, flags, dev, pt, id, reserved; } hwpt = {
		.size = sizeof(hwpt),
	};
	struct { uint32_t size, flags, pt; } attach = { .size = sizeof(attach) };

	iommu_fd = open("/dev/iommu", O_RDWR);
	if (iommu_fd < 0)
		die("/dev/iommu");
	if (ioctl(iommu_fd, IOAS_ALLOC, &alloc))
		die("IOMMU_IOAS_ALLOC");
	ioas = alloc.id;
	device_fd = -1;
	if (!strcmp(device, "none"))
		return;

	device_fd = open_device(device);
	bind.fd = iommu_fd;
	if (ioctl(device_fd, VFIO_BIND, &bind))
		die("VFIO_DEVICE_BIND_IOMMUFD");
	hwpt.dev = bind.id;
	hwpt.pt = ioas;
	if (ioctl(iommu_fd, HWPT_ALLOC, &hwpt))
		die("IOMMU_HWPT_ALLOC");
	attach.pt = hwpt.id;
	if (ioctl(device_fd, VFIO_ATTACH, &attach))
		die("VFIO_DEVICE_ATTACH_IOMMUFD_PT");
}

static void iommufd_map(uint64_t iova, void *memory, size_t bytes)
{
	struct {
		uint32_t size, flags, ioas, reserved;
		uint64_t va, length, iova;
	} map = {
		.size = sizeof(map),
		.flags = FIXED_WRITE_READ,
		.ioas = ioas,
		.va = (uintptr_t)memory,
		.length = bytes,
		.iova = iova,
	};

	if (ioctl(iommu_fd, IOAS_MAP, &map))
		die("IOMMU_IOAS_MAP");
}

static uint64_t iommufd_unmap(uint64_t iova, uint64_t bytes)
{
	struct {
		uint32_t size, ioas;
		uint64_t iova, length;
	} unmap = {
		.size = sizeof(unmap),
		.ioas = ioas,
		.iova = iova,
		.length = bytes,
	};

	if (ioctl(iommu_fd, IOAS_UNMAP, &unmap))
		die("IOMMU_IOAS_UNMAP");
	return unmap.length;
}

/* The device is what keeps the space: with it all goes at once. */
static void iommufd_close(void)
{
	close(iommu_fd);
	if (device_fd >= 0)
		close(device_fd);
}

int main(int argc, char **argv)
{
	static const struct abi iommufd = {
		.name = "iommufd",
		.open = iommufd_open,
		.map = iommufd_map,
		.unmap = iommufd_unmap,
		.close = iommufd_close,
	};

	return bench_main(&iommufd, argc, argv);
}
