/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Short forms of the commands of <linux/ioasid.h>, for tests. All return 0 or -1
 * with errno, as ioctl() does.
 */
#ifndef NATIVE_H
#define NATIVE_H

#include <fcntl.h>
#include <linux/ioasid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define KIB	1024ULL
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)
#define PAGE	4096ULL

#define RW	(IOMMU_MAP_READ | IOMMU_MAP_WRITE)
#define FIXED	IOMMU_MAP_FIXED_IOVA

#define UNUSED __attribute__((unused))

UNUSED static int iommu_open(void)
{
	return open("/dev/iommu", O_RDWR | O_CLOEXEC);
}

/* The new IOASID, or -1. */
UNUSED static int ioasid_alloc_as(int fd, __u32 width, __u32 coherency)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.addr_width_bits = width,
		.coherency = coherency,
	};

	if (ioctl(fd, IOMMU_IOASID_ALLOC, &cmd))
		return -1;
	return (int)cmd.ioasid;
}

UNUSED static int ioasid_alloc(int fd)
{
	return ioasid_alloc_as(fd, 0, IOMMU_COHERENCY_AUTO);
}

UNUSED static int ioasid_free(int fd, int ioasid)
{
	struct iommu_ioasid_free cmd = {
		.size = sizeof(cmd),
		.ioasid = (__u32)ioasid,
	};

	return ioctl(fd, IOMMU_IOASID_FREE, &cmd);
}

/* All of it but the ranges. */
UNUSED static int ioasid_info(int fd, int ioasid, struct iommu_ioasid_info *info)
{
	int rc;

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->ioasid = (__u32)ioasid;
	rc = ioctl(fd, IOMMU_IOASID_GET_INFO, info);
	return rc && errno == EMSGSIZE ? 0 : rc;
}

/* The number of ranges, at most @max of which are written, or -1. */
UNUSED static int ioasid_ranges(int fd, int ioasid,
				struct iommu_ioasid_range *ranges, __u32 max)
{
	struct iommu_ioasid_info info = {
		.size = sizeof(info),
		.ioasid = (__u32)ioasid,
		.nr_ranges = max,
		.ranges = (uintptr_t)ranges,
	};

	if (ioctl(fd, IOMMU_IOASID_GET_INFO, &info) && errno != EMSGSIZE)
		return -1;
	return (int)info.nr_ranges;
}

UNUSED static int device_info(int fd, __u64 label, struct iommu_device_info *info,
			      struct iommu_ioasid_range *ranges, __u32 max)
{
	int rc;

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->label = label;
	info->nr_ranges = max;
	info->ranges = (uintptr_t)ranges;
	rc = ioctl(fd, IOMMU_DEVICE_GET_INFO, info);
	return rc && errno == EMSGSIZE && !max ? 0 : rc;
}

UNUSED static int map_any(int fd, int ioasid, __u32 flags, int mem_fd, __u64 source,
			  __u64 length, __u64 *iova)
{
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioasid = (__u32)ioasid,
		.fd = mem_fd,
		.source = source,
		.length = length,
		.iova = *iova,
	};

	if (ioctl(fd, IOMMU_MAP_DMA, &cmd))
		return -1;
	*iova = cmd.iova;
	return 0;
}

/* At an address of the caller's choice; @flags in addition to FIXED. */
UNUSED static int map_at(int fd, int ioasid, __u32 flags, const void *mem,
			 __u64 length, __u64 iova)
{
	return map_any(fd, ioasid, flags | FIXED, 0, (uintptr_t)mem, length,
		       &iova);
}

/* Unmap; *@unmapped (or NULL) receives how much. */
UNUSED static int unmap_count(int fd, int ioasid, __u32 flags, __u64 iova,
			      __u64 length, __u64 *unmapped)
{
	struct iommu_unmap_dma cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioasid = (__u32)ioasid,
		.iova = iova,
		.length = length,
	};

	if (ioctl(fd, IOMMU_UNMAP_DMA, &cmd))
		return -1;
	if (unmapped)
		*unmapped = cmd.length;
	return 0;
}

UNUSED static int unmap_at(int fd, int ioasid, __u64 iova, __u64 length)
{
	return unmap_count(fd, ioasid, 0, iova, length, NULL);
}

UNUSED static int unmap_all(int fd, int ioasid)
{
	return unmap_count(fd, ioasid, IOMMU_UNMAP_ALL, 0, 0, NULL);
}

UNUSED static int dev_bind(int dev, int fd, __u64 label)
{
	struct iommu_device_bind cmd = {
		.size = sizeof(cmd),
		.iommu_fd = fd,
		.label = label,
	};

	return ioctl(dev, IOMMU_DEVICE_BIND_IOMMU_FD, &cmd);
}

UNUSED static int dev_attach(int dev, int fd, int ioasid)
{
	struct iommu_device_attach cmd = {
		.size = sizeof(cmd),
		.iommu_fd = fd,
		.ioasid = (__u32)ioasid,
	};

	return ioctl(dev, IOMMU_DEVICE_ATTACH_IOASID, &cmd);
}

UNUSED static int dev_detach(int dev, int fd, int ioasid)
{
	struct iommu_device_detach cmd = {
		.size = sizeof(cmd),
		.iommu_fd = fd,
		.ioasid = (__u32)ioasid,
	};

	return ioctl(dev, IOMMU_DEVICE_DETACH_IOASID, &cmd);
}

/* Private memory, touched. */
UNUSED static void *pages_alloc(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

#endif /* NATIVE_H */
