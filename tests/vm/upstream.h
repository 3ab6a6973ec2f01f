/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Upstream's iommufd as a program of its own would see it: numbers and layouts
 * written down here, because not every machine that builds this has them. All
 * return an id or 0, or -1 with errno.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <stdint.h>
#include <stddef.h>
#include <sys/ioctl.h>

#define UP_UNUSED __attribute__((unused))

#define UP_READ		4u
#define UP_WRITE	2u
#define UP_FIXED	1u
#define UP_NEST_PARENT	1u
#define UP_DIRTY	2u
#define UP_PASID	8u

UP_UNUSED static int up_ioas(int fd)
{
	struct { uint32_t size, flags, id; } c = { .size = sizeof(c) };

	return ioctl(fd, 0x3b81, &c) ? -1 : (int)c.id;
}

UP_UNUSED static int up_destroy(int fd, int id)
{
	struct { uint32_t size, id; } c = { sizeof(c), (uint32_t)id };

	return ioctl(fd, 0x3b80, &c);
}

UP_UNUSED static int up_map_flags(int fd, int ioas, uint32_t flags,
				  const void *mem, uint64_t length, uint64_t *iova)
{
	struct {
		uint32_t size, flags, ioas, reserved;
		uint64_t va, length, iova;
	} c = { sizeof(c), flags, (uint32_t)ioas, 0, (uintptr_t)mem, length, *iova };
	int rc = ioctl(fd, 0x3b85, &c);

	*iova = c.iova;
	return rc;
}

UP_UNUSED static int up_map(int fd, int ioas, const void *mem, uint64_t length,
			    uint64_t iova)
{
	return up_map_flags(fd, ioas, UP_READ | UP_WRITE | UP_FIXED, mem, length,
			    &iova);
}

UP_UNUSED static int up_map_file(int fd, int ioas, int file, uint64_t start,
				 uint64_t length, uint64_t iova)
{
	struct {
		uint32_t size, flags, ioas;
		int32_t file;
		uint64_t start, length, iova;
	} c = { sizeof(c), UP_READ | UP_WRITE | UP_FIXED, (uint32_t)ioas, file,
		start, length, iova };

	return ioctl(fd, 0x3b8f, &c);
}

/* *@length: what was unmapped */
UP_UNUSED static int up_unmap(int fd, int ioas, uint64_t iova, uint64_t *length)
{
	struct {
		uint32_t size, ioas;
		uint64_t iova, length;
	} c = { sizeof(c), (uint32_t)ioas, iova, *length };
	int rc = ioctl(fd, 0x3b86, &c);

	*length = c.length;
	return rc;
}

UP_UNUSED static int up_copy(int fd, int from, uint64_t source, int to,
			     uint64_t iova, uint64_t length)
{
	struct {
		uint32_t size, flags, to, from;
		uint64_t length, to_iova, from_iova;
	} c = { sizeof(c), UP_READ | UP_WRITE | UP_FIXED, (uint32_t)to,
		(uint32_t)from, length, iova, source };

	return ioctl(fd, 0x3b83, &c);
}

struct up_range {
	uint64_t first, last;
};

/* *@nr: what there is */
UP_UNUSED static int up_ranges(int fd, int ioas, struct up_range *ranges,
			       uint32_t *nr)
{
	struct {
		uint32_t size, ioas, nr, reserved;
		uint64_t ranges, alignment;
	} c = { sizeof(c), (uint32_t)ioas, *nr, 0, (uintptr_t)ranges, 0 };
	int rc = ioctl(fd, 0x3b84, &c);

	*nr = c.nr;
	return rc;
}

UP_UNUSED static int up_hwpt(int fd, int dev, int ioas, uint32_t flags)
{
	/* As it was in the beginning, and 24 bytes more */
	struct {
		uint32_t size, flags, dev, pt, hwpt, reserved, type, len;
		uint64_t data;
	} c = { .size = 24, .flags = flags, .dev = (uint32_t)dev,
		.pt = (uint32_t)ioas };

	return ioctl(fd, 0x3b89, &c) ? -1 : (int)c.hwpt;
}

/* A first-stage table of VT-d's, 4 levels, at @table in @parent */
UP_UNUSED static int up_nested(int fd, int dev, int parent, uint64_t table)
{
	struct { uint64_t flags, addr; uint32_t bits, reserved; } s1 = { 0, table, 48, 0 };
	struct {
		uint32_t size, flags, dev, pt, hwpt, reserved, type, len;
		uint64_t data;
		uint32_t fault, reserved2;
	} c = { .size = sizeof(c), .dev = (uint32_t)dev, .pt = (uint32_t)parent,
		.type = 1, .len = sizeof(s1), .data = (uintptr_t)&s1 };

	return ioctl(fd, 0x3b89, &c) ? -1 : (int)c.hwpt;
}

UP_UNUSED static int up_set_dirty(int fd, int hwpt, int on)
{
	struct { uint32_t size, flags, hwpt, reserved; } c = {
		sizeof(c), !!on, (uint32_t)hwpt, 0
	};

	return ioctl(fd, 0x3b8b, &c);
}

/* A bit for each 4 KiB from @iova on is set in @bits if it was written. */
UP_UNUSED static int up_get_dirty(int fd, int hwpt, uint64_t iova,
				  uint64_t length, void *bits, uint32_t flags)
{
	struct {
		uint32_t size, hwpt, flags, reserved;
		uint64_t iova, length, page_size, bits;
	} c = { sizeof(c), (uint32_t)hwpt, flags, 0, iova, length, 4096,
		(uintptr_t)bits };

	return ioctl(fd, 0x3b8c, &c);
}

/* Leaves of an IOAS are of 4 KiB, before anything is mapped. */
UP_UNUSED static int up_small_leaves(int fd, int ioas)
{
	struct {
		uint32_t size, option;
		uint16_t op, reserved;
		uint32_t object;
		uint64_t value;
	} c = { .size = sizeof(c), .option = 1, .object = (uint32_t)ioas };

	return ioctl(fd, 0x3b87, &c);
}

struct up_vtd_info {
	uint32_t flags, reserved;
	uint64_t cap, ecap;
};

/* The type: 0 none, 1 VT-d. *@caps: capabilities */
UP_UNUSED static int up_hw_caps(int fd, int dev, struct up_vtd_info *info,
				uint64_t *caps)
{
	struct {
		uint32_t size, flags, dev, len;
		uint64_t data;
		uint32_t type;
		uint8_t pasid_bits, reserved[3];
		uint64_t caps;
	} c = { .size = sizeof(c), .dev = (uint32_t)dev, .len = sizeof(*info),
		.data = (uintptr_t)info };
	int rc = ioctl(fd, 0x3b8a, &c);

	*caps = c.caps;
	return rc ? -1 : (int)c.type;
}

UP_UNUSED static int up_hw_info(int fd, int dev, struct up_vtd_info *info)
{
	uint64_t caps;

	return up_hw_caps(fd, dev, info, &caps);
}

/* The container */

/* @op: 0 get, 1 set, 2 clear */
UP_UNUSED static int up_vfio_ioas(int fd, uint16_t op, int *ioas)
{
	struct { uint32_t size, ioas; uint16_t op, reserved; } c = {
		sizeof(c), (uint32_t)*ioas, op, 0
	};
	int rc = ioctl(fd, 0x3b88, &c);

	*ioas = (int)c.ioas;
	return rc;
}

UP_UNUSED static int up_container_map(int fd, const void *mem, uint64_t length,
				      uint64_t iova)
{
	struct { uint32_t size, flags; uint64_t va, iova, length; } c = {
		sizeof(c), 3, (uintptr_t)mem, iova, length
	};

	return ioctl(fd, 0x3b71, &c);
}

/* Bytes that were unmapped, or -1 */
UP_UNUSED static long up_container_unmap_flags(int fd, uint64_t iova,
					       uint64_t length, uint32_t flags)
{
	struct { uint32_t size, flags; uint64_t iova, length; } c = {
		sizeof(c), flags, iova, length
	};

	return ioctl(fd, 0x3b72, &c) ? -1 : (long)c.length;
}

UP_UNUSED static long up_container_unmap(int fd, uint64_t iova, uint64_t length)
{
	return up_container_unmap_flags(fd, iova, length, 0);
}

/* Device files; the sizes that the first version had */

UP_UNUSED static int up_bind(int device, int fd)
{
	struct { uint32_t size, flags; int32_t fd; uint32_t id; } c = {
		sizeof(c), 0, fd, 0
	};

	return ioctl(device, 0x3b76, &c) ? -1 : (int)c.id;
}

UP_UNUSED static int up_attach(int device, int pt)
{
	struct { uint32_t size, flags, pt; } c = { sizeof(c), 0, (uint32_t)pt };

	return ioctl(device, 0x3b77, &c) ? -1 : (int)c.pt;
}

UP_UNUSED static int up_attach_pasid(int device, int pt, uint32_t pasid)
{
	struct { uint32_t size, flags, pt, pasid; } c = {
		sizeof(c), 1, (uint32_t)pt, pasid
	};

	return ioctl(device, 0x3b77, &c) ? -1 : (int)c.pt;
}

UP_UNUSED static int up_detach(int device)
{
	struct { uint32_t size, flags; } c = { sizeof(c), 0 };

	return ioctl(device, 0x3b78, &c);
}

#endif /* UPSTREAM_H */
