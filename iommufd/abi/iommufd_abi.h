/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands that upstream's iommufd has on /dev/iommu, its VFIO container among
 * them, and VFIO on device files that are bound to it: layouts and numbers, for the
 * front doors of those alone. A program gets them from <linux/iommufd.h> and <linux/vfio.h>; the names
 * here are others, so that both can be included. tests/unit/test_abi_pin.c holds
 * one against the other.
 *
 * Every structure of /dev/iommu starts with its size. @min of the comments is
 * what the oldest callers pass; without it, all of it.
 */
#ifndef IOFD_ABI_IOMMUFD_ABI_H
#define IOFD_ABI_IOMMUFD_ABI_H

#include <linux/types.h>

/* Numbers of commands: ioctl _IO(';', number) */
enum up_cmd {
	UP_DESTROY = 0x80,
	UP_IOAS_ALLOC,
	UP_IOAS_ALLOW_IOVAS,
	UP_IOAS_COPY,
	UP_IOAS_IOVA_RANGES,
	UP_IOAS_MAP,
	UP_IOAS_UNMAP,
	UP_OPTION,
	UP_VFIO_IOAS,
	UP_HWPT_ALLOC,
	UP_GET_HW_INFO,
	UP_SET_DIRTY_TRACKING,
	UP_GET_DIRTY_BITMAP,
	UP_HWPT_INVALIDATE,
	UP_FAULT_QUEUE_ALLOC,
	UP_IOAS_MAP_FILE,
	UP_VIOMMU_ALLOC,
	UP_VDEVICE_ALLOC,
	UP_IOAS_CHANGE_PROCESS,
	UP_VEVENTQ_ALLOC,
	UP_HW_QUEUE_ALLOC,
};

struct up_destroy {
	u32 size;
	u32 id;
};

struct up_ioas_alloc {
	u32 size;
	u32 flags;			/* none is known */
	u32 ioas_id;			/* output */
};

struct up_range {
	u64 start;
	u64 last;
};

/* IOAS_ALLOW_IOVAS */
struct up_allow_iovas {
	u32 size;
	u32 ioas_id;
	u32 nr;
	u32 reserved;
	u64 ranges;			/* pointer to struct up_range */
};

/* IOAS_IOVA_RANGES */
struct up_iova_ranges {
	u32 size;
	u32 ioas_id;
	u32 nr;				/* input: room; output: how many there are */
	u32 reserved;
	u64 ranges;
	u64 alignment;			/* output, in bytes */
};

/* Flags of MAP, MAP_FILE and COPY */
#define UP_MAP_FIXED	0x1u
#define UP_MAP_WRITE	0x2u
#define UP_MAP_READ	0x4u

struct up_map {
	u32 size;
	u32 flags;
	u32 ioas_id;
	u32 reserved;
	u64 user_va;
	u64 length;
	u64 iova;			/* output unless fixed */
};

struct up_map_file {
	u32 size;
	u32 flags;
	u32 ioas_id;
	s32 fd;
	u64 start;
	u64 length;
	u64 iova;
};

struct up_copy {
	u32 size;
	u32 flags;
	u32 to_ioas_id;
	u32 from_ioas_id;
	u64 length;
	u64 to_iova;			/* output unless fixed */
	u64 from_iova;
};

struct up_unmap {
	u32 size;
	u32 ioas_id;
	u64 iova;
	u64 length;			/* output: what was unmapped */
};

enum up_option_id {
	UP_OPTION_RLIMIT_MODE,		/* of the fd: 0 by user, 1 by process */
	UP_OPTION_HUGE_PAGES,		/* of an IOAS: 0, 1 */
};

enum up_option_op {
	UP_OPTION_SET,
	UP_OPTION_GET,
};

struct up_option {
	u32 size;
	u32 option_id;
	u16 op;
	u16 reserved;
	u32 object_id;
	u64 value;
};

enum up_vfio_ioas_op {
	UP_VFIO_IOAS_GET,
	UP_VFIO_IOAS_SET,
	UP_VFIO_IOAS_CLEAR,
};

struct up_vfio_ioas {
	u32 size;
	u32 ioas_id;
	u16 op;
	u16 reserved;
};

#define UP_HWPT_NEST_PARENT	0x1u
#define UP_HWPT_DIRTY_TRACKING	0x2u
#define UP_HWPT_FAULT_ID	0x4u
#define UP_HWPT_PASID		0x8u

enum up_hwpt_data {
	UP_HWPT_DATA_NONE,
	UP_HWPT_DATA_VTD_S1,
};

/* @min: up to the first reserved field and data_len, 24 bytes */
struct up_hwpt_alloc {
	u32 size;
	u32 flags;
	u32 dev_id;
	u32 pt_id;
	u32 hwpt_id;			/* output */
	u32 reserved;
	u32 data_type;
	u32 data_len;
	u64 data;
	u32 fault_id;
	u32 reserved2;
};

#define UP_VTD_S1_SRE	0x1u
#define UP_VTD_S1_EAFE	0x2u
#define UP_VTD_S1_WPE	0x4u

/* UP_HWPT_DATA_VTD_S1 */
struct up_vtd_s1 {
	u64 flags;
	u64 table_addr;
	u32 addr_width_bits;
	u32 reserved;
};

enum up_hw_info_type {
	UP_HW_INFO_NONE,
	UP_HW_INFO_VTD,
};

/* What is said of in_type: without it it is UP_HW_INFO_NONE, any type. */
#define UP_HW_INFO_INPUT_TYPE	0x1u

#define UP_HW_CAP_DIRTY_TRACKING	0x1u
#define UP_HW_CAP_ATS_NOT_SUPPORTED	0x8u

/* @min: without capabilities, 32 bytes */
struct up_hw_info {
	u32 size;
	u32 flags;
	u32 dev_id;
	u32 data_len;			/* input: room; output: what there is */
	u64 data;
	u32 type;			/* with INPUT_TYPE input, too */
	u8 max_pasid_lg2;
	u8 reserved[3];
	u64 capabilities;
};

/* UP_HW_INFO_VTD */
struct up_hw_info_vtd {
	u32 flags;
	u32 reserved;
	u64 cap;
	u64 ecap;
};

#define UP_DIRTY_TRACKING_ENABLE	0x1u

struct up_set_dirty {
	u32 size;
	u32 flags;
	u32 hwpt_id;
	u32 reserved;
};

#define UP_GET_DIRTY_NO_CLEAR	0x1u

struct up_get_dirty {
	u32 size;
	u32 hwpt_id;
	u32 flags;
	u32 reserved;
	u64 iova;
	u64 length;
	u64 page_size;
	u64 bitmap;
};

enum up_invalidate_data {
	UP_INVALIDATE_VTD_S1,
};

/* HWPT_INVALIDATE */
struct up_invalidate {
	u32 size;
	u32 hwpt_id;
	u64 entries;
	u32 data_type;
	u32 entry_len;
	u32 nr;				/* output: how many were carried out */
	u32 reserved;
};

#define UP_INVALIDATE_LEAF	0x1u

/* UP_INVALIDATE_VTD_S1 */
struct up_invalidate_vtd_s1 {
	u64 addr;
	u64 npages;			/* U64_MAX: all there is */
	u32 flags;
	u32 reserved;
};

struct up_fault_queue {
	u32 size;
	u32 flags;			/* none is known */
	u32 fault_id;			/* output */
	u32 fault_fd;			/* output */
};

/* One read from the file of a fault queue, and the answer */
struct up_page_request {
	u32 flags;
	u32 dev_id;
	u32 pasid;
	u32 group;
	u32 perm;
	u32 reserved;
	u64 addr;
	u32 length;
	u32 cookie;
};

enum up_page_response_code {
	UP_PAGE_RESPONSE_SUCCESS,
	UP_PAGE_RESPONSE_INVALID,
};

struct up_page_response {
	u32 cookie;
	u32 code;
};

struct up_change_process {
	u32 size;
	u32 reserved;
};

/* Of hardware that there is no provider for; @min 24 bytes */
struct up_viommu_alloc {
	u32 size;
	u32 flags;
	u32 type;
	u32 dev_id;
	u32 hwpt_id;
	u32 viommu_id;
	u32 data_len;
	u32 reserved;
	u64 data;
};

struct up_vdevice_alloc {
	u32 size;
	u32 viommu_id;
	u32 dev_id;
	u32 vdevice_id;
	u64 virt_id;
};

/* @min 28 bytes */
struct up_veventq_alloc {
	u32 size;
	u32 flags;
	u32 viommu_id;
	u32 type;
	u32 depth;
	u32 veventq_id;
	u32 veventq_fd;
	u32 reserved;
};

struct up_hw_queue_alloc {
	u32 size;
	u32 flags;
	u32 viommu_id;
	u32 type;
	u32 index;
	u32 hw_queue_id;
	u64 iova;
	u64 length;
};

/*
 * VFIO's commands on a device file: ioctl _IO(';', number). The first field,
 * argsz, is a size; what is beyond the fields that are used is not looked at.
 */
enum up_vfio_cmd {
	UP_VFIO_BIND = 118,
	UP_VFIO_ATTACH,
	UP_VFIO_DETACH,
};

#define UP_VFIO_BIND_TOKEN	0x1u

/* @min: without the token, 16 bytes */
struct up_vfio_bind {
	u32 argsz;
	u32 flags;
	s32 iommufd;
	u32 devid;			/* output */
	u64 token;
};

#define UP_VFIO_PASID		0x1u

/* @min: without pasid, 12 bytes */
struct up_vfio_attach {
	u32 argsz;
	u32 flags;
	u32 pt_id;			/* output, too: the table's */
	u32 pasid;
};

/* @min: without pasid, 8 bytes */
struct up_vfio_detach {
	u32 argsz;
	u32 flags;
	u32 pasid;
};

/*
 * The VFIO container on /dev/iommu: ioctl _IO(';', number). The argument of
 * CHECK_EXTENSION and SET_IOMMU is a number, that of the others a structure, of
 * which argsz is the size; what is beyond our fields is not looked at.
 */
enum up_container_cmd {
	UP_CONTAINER_API_VERSION = 100,
	UP_CONTAINER_CHECK_EXTENSION,
	UP_CONTAINER_SET_IOMMU,
	UP_CONTAINER_GET_INFO = 112,
	UP_CONTAINER_MAP,
	UP_CONTAINER_UNMAP,
	UP_CONTAINER_DIRTY_PAGES = 117,
};

#define UP_CONTAINER_VERSION	0

enum up_container_extension {
	UP_CONTAINER_TYPE1 = 1,
	UP_CONTAINER_TYPE1V2 = 3,
	UP_CONTAINER_DMA_CC = 4,
	UP_CONTAINER_UNMAP_ALL = 9,
};

#define UP_CONTAINER_INFO_PGSIZES	0x1u
#define UP_CONTAINER_INFO_CAPS		0x2u

/* @min: without cap_offset, 16 bytes. Capabilities follow, if there is room. */
struct up_container_info {
	u32 argsz;			/* output, too: with all that follows */
	u32 flags;
	u64 pgsize_bitmap;
	u32 cap_offset;			/* of the first one; 0: none */
	u32 reserved;
};

enum up_container_cap_id {
	UP_CONTAINER_CAP_IOVA_RANGES = 1,
	UP_CONTAINER_CAP_DMA_AVAIL = 3,
};

struct up_container_cap {
	u16 id;
	u16 version;
	u32 next;			/* offset; 0: the last one */
};

struct up_container_dma_avail {
	struct up_container_cap cap;
	u32 avail;
};

/* struct up_range for each follow. */
struct up_container_iova_ranges {
	struct up_container_cap cap;
	u32 nr;
	u32 reserved;
};

#define UP_CONTAINER_MAP_READ	0x1u
#define UP_CONTAINER_MAP_WRITE	0x2u

struct up_container_map {
	u32 argsz;
	u32 flags;
	u64 user_va;
	u64 iova;
	u64 length;
};

#define UP_CONTAINER_UNMAP_FLAG_ALL	0x2u

struct up_container_unmap {
	u32 argsz;
	u32 flags;
	u64 iova;
	u64 length;			/* output, too: what was unmapped */
};

#endif /* IOFD_ABI_IOMMUFD_ABI_H */
