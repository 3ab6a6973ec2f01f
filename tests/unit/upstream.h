/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that speak upstream's ABI. All return what the system call would: an
 * id or 0, or -errno.
 */
#ifndef TEST_UPSTREAM_H
#define TEST_UPSTREAM_H

#include "testhw.h"
#include "abi/iommufd_abi.h"

#define UP_RW	(UP_MAP_READ | UP_MAP_WRITE)

static inline int up(int fd, unsigned int nr, void *cmd)
{
	return shim_ioctl(fd, _IO(';', nr), cmd);
}

static inline int u_destroy(int fd, u32 id)
{
	struct up_destroy cmd = { .size = sizeof(cmd), .id = id };

	return up(fd, UP_DESTROY, &cmd);
}

static inline int u_ioas(int fd)
{
	struct up_ioas_alloc cmd = { .size = sizeof(cmd) };

	return up(fd, UP_IOAS_ALLOC, &cmd) ?: (int)cmd.ioas_id;
}

static inline int u_map_flags(int fd, u32 ioas, unsigned long addr,
			      unsigned long nr_pages, u64 *iova, u32 flags)
{
	struct up_map cmd = {
		.size = sizeof(cmd), .flags = flags, .ioas_id = ioas,
		.user_va = addr, .length = (u64)nr_pages << PAGE_SHIFT,
		.iova = *iova,
	};
	int rc = up(fd, UP_IOAS_MAP, &cmd);

	*iova = cmd.iova;
	return rc;
}

static inline int u_map(int fd, u32 ioas, unsigned long addr,
			unsigned long nr_pages, u64 iova)
{
	return u_map_flags(fd, ioas, addr, nr_pages, &iova, UP_MAP_FIXED | UP_RW);
}

static inline int u_map_file(int fd, u32 ioas, int file, u64 start,
			     unsigned long nr_pages, u64 iova)
{
	struct up_map_file cmd = {
		.size = sizeof(cmd), .flags = UP_MAP_FIXED | UP_RW,
		.ioas_id = ioas, .fd = file, .start = start,
		.length = (u64)nr_pages << PAGE_SHIFT, .iova = iova,
	};

	return up(fd, UP_IOAS_MAP_FILE, &cmd);
}

/* Bytes; the whole result is in *@length. */
static inline int u_unmap_bytes(int fd, u32 ioas, u64 iova, u64 *length)
{
	struct up_unmap cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .iova = iova,
		.length = *length,
	};
	int rc = up(fd, UP_IOAS_UNMAP, &cmd);

	*length = cmd.length;
	return rc;
}

static inline int u_unmap(int fd, u32 ioas, u64 iova, unsigned long nr_pages)
{
	u64 length = (u64)nr_pages << PAGE_SHIFT;
	int rc = u_unmap_bytes(fd, ioas, iova, &length);

	if (!rc)
		assert_int_equal(length, (u64)nr_pages << PAGE_SHIFT);
	return rc;
}

static inline int u_unmap_all(int fd, u32 ioas)
{
	u64 length = U64_MAX;

	return u_unmap_bytes(fd, ioas, 0, &length);
}

static inline int u_copy_flags(int fd, u32 from, u64 source, u32 to, u64 iova,
			       unsigned long nr_pages, u32 flags)
{
	struct up_copy cmd = {
		.size = sizeof(cmd), .flags = flags,
		.from_ioas_id = from, .from_iova = source, .to_ioas_id = to,
		.to_iova = iova, .length = (u64)nr_pages << PAGE_SHIFT,
	};

	return up(fd, UP_IOAS_COPY, &cmd);
}

static inline int u_copy(int fd, u32 from, u64 source, u32 to, u64 iova,
			 unsigned long nr_pages)
{
	return u_copy_flags(fd, from, source, to, iova, nr_pages,
			    UP_MAP_FIXED | UP_RW);
}

static inline int u_allow(int fd, u32 ioas, const struct up_range *ranges, u32 nr)
{
	struct up_allow_iovas cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .nr = nr,
		.ranges = (uintptr_t)ranges,
	};

	return up(fd, UP_IOAS_ALLOW_IOVAS, &cmd);
}

static inline int u_ranges(int fd, u32 ioas, struct up_range *ranges, u32 *nr)
{
	struct up_iova_ranges cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .nr = *nr,
		.ranges = (uintptr_t)ranges,
	};
	int rc = up(fd, UP_IOAS_IOVA_RANGES, &cmd);

	*nr = cmd.nr;
	if (!rc || rc == -EMSGSIZE)
		assert_int_equal(cmd.alignment, PAGE_SIZE);
	return rc;
}

static inline int u_option(int fd, u32 option, u32 op, u32 object, u64 *value)
{
	struct up_option cmd = {
		.size = sizeof(cmd), .option_id = option, .op = op,
		.object_id = object, .value = *value,
	};
	int rc = up(fd, UP_OPTION, &cmd);

	*value = cmd.value;
	return rc;
}

static inline int u_set_option(int fd, u32 option, u32 object, u64 value)
{
	return u_option(fd, option, UP_OPTION_SET, object, &value);
}

/* GET: the id */
static inline int u_vfio_ioas(int fd, u32 op, u32 ioas)
{
	struct up_vfio_ioas cmd = {
		.size = sizeof(cmd), .ioas_id = ioas, .op = op,
	};
	int rc = up(fd, UP_VFIO_IOAS, &cmd);

	return rc ?: op == UP_VFIO_IOAS_GET ? (int)cmd.ioas_id : 0;
}

static inline int u_hwpt_fault(int fd, u32 dev, u32 pt, u32 flags, u32 fault)
{
	struct up_hwpt_alloc cmd = {
		.size = sizeof(cmd), .flags = flags, .dev_id = dev, .pt_id = pt,
		.fault_id = fault,
	};

	return up(fd, UP_HWPT_ALLOC, &cmd) ?: (int)cmd.hwpt_id;
}

static inline int u_hwpt(int fd, u32 dev, u32 ioas, u32 flags)
{
	return u_hwpt_fault(fd, dev, ioas, flags, 0);
}

/* A user's table of 4 levels */
static inline int u_nested(int fd, u32 dev, u32 parent, u64 table_addr)
{
	struct up_vtd_s1 s1 = { .table_addr = table_addr, .addr_width_bits = 48 };
	struct up_hwpt_alloc cmd = {
		.size = sizeof(cmd), .dev_id = dev, .pt_id = parent,
		.data_type = UP_HWPT_DATA_VTD_S1, .data_len = sizeof(s1),
		.data = (uintptr_t)&s1,
	};

	return up(fd, UP_HWPT_ALLOC, &cmd) ?: (int)cmd.hwpt_id;
}

static inline int u_set_dirty(int fd, u32 hwpt, bool on)
{
	struct up_set_dirty cmd = {
		.size = sizeof(cmd), .hwpt_id = hwpt,
		.flags = on ? UP_DIRTY_TRACKING_ENABLE : 0,
	};

	return up(fd, UP_SET_DIRTY_TRACKING, &cmd);
}

/* A bit for each @page_size; @bitmap: in memory of the process */
static inline int u_get_dirty(int fd, u32 hwpt, u64 iova, u64 length,
			      u64 page_size, u64 bitmap, u32 flags)
{
	struct up_get_dirty cmd = {
		.size = sizeof(cmd), .hwpt_id = hwpt, .flags = flags,
		.iova = iova, .length = length, .page_size = page_size,
		.bitmap = bitmap,
	};

	return up(fd, UP_GET_DIRTY_BITMAP, &cmd);
}

static inline int u_fault_queue(int fd, int *fault_fd)
{
	struct up_fault_queue cmd = { .size = sizeof(cmd) };
	int rc = up(fd, UP_FAULT_QUEUE_ALLOC, &cmd);

	*fault_fd = cmd.fault_fd;
	return rc ?: (int)cmd.fault_id;
}

static inline int u_change_process(int fd)
{
	struct up_change_process cmd = { .size = sizeof(cmd) };

	return up(fd, UP_IOAS_CHANGE_PROCESS, &cmd);
}

/* On a container */

static inline int c_number(int fd, unsigned int nr, unsigned long arg)
{
	return shim_ioctl(fd, _IO(';', nr), (void *)arg);
}

static inline int c_extension(int fd, unsigned long extension)
{
	return c_number(fd, UP_CONTAINER_CHECK_EXTENSION, extension);
}

static inline int c_set(int fd, unsigned long type)
{
	return c_number(fd, UP_CONTAINER_SET_IOMMU, type);
}

static inline int c_map_bytes(int fd, u64 addr, u64 length, u64 iova, u32 flags)
{
	struct up_container_map cmd = {
		.argsz = sizeof(cmd), .flags = flags, .user_va = addr,
		.iova = iova, .length = length,
	};

	return up(fd, UP_CONTAINER_MAP, &cmd);
}

static inline int c_map(int fd, unsigned long addr, unsigned long nr_pages,
			u64 iova)
{
	return c_map_bytes(fd, addr, (u64)nr_pages << PAGE_SHIFT, iova,
			   UP_CONTAINER_MAP_READ | UP_CONTAINER_MAP_WRITE);
}

/* Bytes; the whole result is in *@length. */
static inline int c_unmap_bytes(int fd, u64 iova, u64 *length, u32 flags)
{
	struct up_container_unmap cmd = {
		.argsz = sizeof(cmd), .flags = flags, .iova = iova,
		.length = *length,
	};
	int rc = up(fd, UP_CONTAINER_UNMAP, &cmd);

	*length = cmd.length;
	return rc;
}

/* Pages that were unmapped, or -errno and then there are none. */
static inline long c_unmap(int fd, u64 iova, unsigned long nr_pages)
{
	u64 length = (u64)nr_pages << PAGE_SHIFT;
	int rc = c_unmap_bytes(fd, iova, &length, 0);

	if (rc && rc != -ENODEV)
		assert_int_equal(length, 0);
	return rc ?: (long)(length >> PAGE_SHIFT);
}

static inline long c_unmap_all(int fd)
{
	u64 length = 0;

	return c_unmap_bytes(fd, 0, &length, UP_CONTAINER_UNMAP_FLAG_ALL) ?:
	       (long)(length >> PAGE_SHIFT);
}

/* On device files */

static inline long u_vfio(struct testhw_dev *hw, unsigned int nr, void *cmd)
{
	hw->dev.iommu_group = hw->group;
	return iofd_devfile_ioctl(&hw->df, _IO(';', nr), (unsigned long)cmd);
}

static inline int u_bind(struct testhw_dev *hw, int fd)
{
	struct up_vfio_bind cmd = { .argsz = sizeof(cmd), .iommufd = fd };

	return u_vfio(hw, UP_VFIO_BIND, &cmd) ?: (int)cmd.devid;
}

static inline int u_attach_pasid(struct testhw_dev *hw, u32 pt, u32 pasid)
{
	struct up_vfio_attach cmd = {
		.argsz = sizeof(cmd), .flags = UP_VFIO_PASID, .pt_id = pt,
		.pasid = pasid,
	};

	return u_vfio(hw, UP_VFIO_ATTACH, &cmd) ?: (int)cmd.pt_id;
}

static inline int u_attach(struct testhw_dev *hw, u32 pt)
{
	struct up_vfio_attach cmd = { .argsz = sizeof(cmd), .pt_id = pt };

	return u_vfio(hw, UP_VFIO_ATTACH, &cmd) ?: (int)cmd.pt_id;
}

static inline int u_detach_pasid(struct testhw_dev *hw, u32 pasid)
{
	struct up_vfio_detach cmd = {
		.argsz = sizeof(cmd), .flags = UP_VFIO_PASID, .pasid = pasid,
	};

	return u_vfio(hw, UP_VFIO_DETACH, &cmd);
}

static inline int u_detach(struct testhw_dev *hw)
{
	struct up_vfio_detach cmd = { .argsz = sizeof(cmd) };

	return u_vfio(hw, UP_VFIO_DETACH, &cmd);
}

#endif
