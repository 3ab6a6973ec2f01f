/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/iommu: I/O address spaces for devices that user space drives.
 *
 * Order of use: open /dev/iommu, open a device file, bind the device under a
 * label, ask what it can do, allocate an IOASID in a format it can use, attach
 * the device to it, map memory. A device that is bound and not attached is
 * blocked: none of its DMA reaches anything.
 */
#ifndef _UAPI_LINUX_IOASID_H
#define _UAPI_LINUX_IOASID_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Rules for every command
 *
 * Each command takes a pointer to a structure that starts with its size in
 * bytes as the caller knows it. A structure shorter than the command's
 * mandatory part (every field up to the last one a caller of the first version
 * had) is refused with EINVAL; a shorter one than the kernel's is extended with
 * zeroes; a longer one is accepted when everything beyond what the kernel knows
 * is zero and refused with E2BIG when it is not. Reserved fields must be zero.
 *
 * ========== ===============================================================
 * errno      meaning, for every command
 * ========== ===============================================================
 * ENOTTY     the command is not known here
 * E2BIG      the tail of a longer structure is not zero
 * EOPNOTSUPP an unknown flag, type or format, or a reserved field that is set
 * EINVAL     a bad value: size, alignment, a range that wraps or is not allowed
 * ENOENT     no such IOASID, label or IOVA, or an id of an object of another kind
 * EBUSY      in use: a label that is taken, an IOASID with devices attached
 * EEXIST     the IOVA range meets a mapping
 * EMSGSIZE   an array is too small; the count that is needed was written
 * ENOSPC     no free IOVA range or no free id
 * ENOMEM     no memory, or the locked-memory limit (RLIMIT_MEMLOCK) is reached
 * EFAULT     a bad user address, memory that does not allow the access asked for,
 *            or that cannot be pinned (device memory)
 * EPERM      the device's group is not the caller's alone
 * EACCES     a file that does not allow the access asked for
 * EBADF      not a file descriptor, or not one of /dev/iommu
 * ENODEV     the device is gone, or has no IOMMU in front of it
 * EINTR      a fatal signal came while memory was being pinned
 * ========== ===============================================================
 *
 * A command that fails leaves everything as it was.
 */

#define IOMMU_IOASID_TYPE	(';')
#define IOMMU_IOASID_BASE	0xC0
#define IOMMU_IOASID_DEV_BASE	0xE0

/**
 * enum iommu_extension - features that a program can test for
 * @IOMMU_EXT_MAP_TYPE1V2: MAP_DMA and UNMAP_DMA follow VFIO type1v2: unmapping
 *	never splits what one MAP_DMA mapped. Value 1.
 * @IOMMU_EXT_DMA_NO_SNOOP: IOASIDs that do not enforce snooping exist. Value 1.
 * @IOMMU_EXT_NESTING: an IOASID can have a parent. Value 0 or 1.
 * @IOMMU_EXT_USER_PAGE_TABLE: user-managed I/O page tables. Value 0 or 1.
 * @IOMMU_EXT_USER_PASID_TABLE: user-managed PASID tables. Value 0 or 1.
 * @IOMMU_EXT_MULTIDEV_GROUP: devices that share a group can be bound. Value 1.
 * @IOMMU_EXT_DIRTY_TRACKING: IOMMU dirty page tracking. Value 0 or 1.
 * @IOMMU_EXT_FAULT_QUEUE: recoverable I/O page faults. Value 0 or 1.
 * @IOMMU_EXT_MAP_FD: MAP_DMA takes memory by file descriptor. Value 1.
 * @IOMMU_EXT_MULTI_BIND: one device may be bound to several fds. Value 1.
 * @IOMMU_EXT_MAX_IOASIDS: how many IOASIDs one fd can hold.
 */
enum iommu_extension {
	IOMMU_EXT_MAP_TYPE1V2 = 1,
	IOMMU_EXT_DMA_NO_SNOOP = 2,
	IOMMU_EXT_NESTING = 3,
	IOMMU_EXT_USER_PAGE_TABLE = 4,
	IOMMU_EXT_USER_PASID_TABLE = 5,
	IOMMU_EXT_MULTIDEV_GROUP = 6,
	IOMMU_EXT_DIRTY_TRACKING = 7,
	IOMMU_EXT_FAULT_QUEUE = 8,
	IOMMU_EXT_MAP_FD = 9,
	IOMMU_EXT_MULTI_BIND = 10,
	IOMMU_EXT_MAX_IOASIDS = 11,
};

/**
 * struct iommu_check_extension - ioctl(IOMMU_CHECK_EXTENSION)
 * @size: sizeof(struct iommu_check_extension)
 * @extension: one of &enum iommu_extension
 * @value: output: 0 when the extension is absent or unknown, otherwise its value
 *
 * Never fails for an unknown extension, so that a program built for a newer
 * kernel can ask an older one. Requirement A1, F4.
 */
struct iommu_check_extension {
	__u32 size;
	__u32 extension;
	__aligned_u64 value;
};
#define IOMMU_CHECK_EXTENSION _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE + 0)

/**
 * struct iommu_ioasid_range - a range of I/O virtual addresses
 * @start: first byte
 * @last: last byte (inclusive)
 */
struct iommu_ioasid_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/**
 * enum iommu_device_info_flags - abilities in &struct iommu_device_info
 * @IOMMU_DEVICE_INFO_ENFORCE_SNOOP: the IOMMU can make all of the device's DMA
 *	snoop the CPU caches (VT-d ECAP.SC or scalable mode)
 * @IOMMU_DEVICE_INFO_HW_NESTING: the IOMMU walks a child's and its parent's
 *	page table by itself
 * @IOMMU_DEVICE_INFO_PRI: the device and its IOMMU support page requests
 * @IOMMU_DEVICE_INFO_DIRTY: the IOMMU records which pages the device wrote, which
 *	upstream's commands ask for: docs/iommufd.md
 * @IOMMU_DEVICE_INFO_ATS: the device's address translation cache is in use
 * @IOMMU_DEVICE_INFO_MSI_ISOLATED: the IOMMU checks the device's interrupts
 *	(interrupt remapping). Without it the device can raise any interrupt.
 * @IOMMU_DEVICE_INFO_SUBDEVICE: the device is a part of one that a kernel driver
 *	works with; the IOMMU tells the two apart by a PASID that is the kernel's
 *	secret. The device itself has no PASIDs.
 */
enum iommu_device_info_flags {
	IOMMU_DEVICE_INFO_ENFORCE_SNOOP = 1 << 0,
	IOMMU_DEVICE_INFO_HW_NESTING = 1 << 1,
	IOMMU_DEVICE_INFO_PRI = 1 << 2,
	IOMMU_DEVICE_INFO_DIRTY = 1 << 3,
	IOMMU_DEVICE_INFO_ATS = 1 << 4,
	IOMMU_DEVICE_INFO_MSI_ISOLATED = 1 << 5,
	IOMMU_DEVICE_INFO_SUBDEVICE = 1 << 6,
};

/**
 * enum iommu_ioasid_format - formats of an I/O page table
 * @IOMMU_FORMAT_DEFAULT: kernel-managed; the kernel chooses the layout
 * @IOMMU_FORMAT_VTD_S1: user-managed, VT-d first-stage table of 4 or 5 levels;
 *	attributes are &struct iommu_vtd_s1_attrs
 * @IOMMU_FORMAT_VTD_PASID_TABLE: user-managed PASID table
 *
 * &iommu_device_info.formats holds a bit (1 << format) for each that the device
 * can be attached to.
 */
enum iommu_ioasid_format {
	IOMMU_FORMAT_DEFAULT = 0,
	IOMMU_FORMAT_VTD_S1 = 1,
	IOMMU_FORMAT_VTD_PASID_TABLE = 2,
};

/**
 * enum iommu_hw_type - what &iommu_device_info.hw_cap and hw_ecap hold
 * @IOMMU_HW_TYPE_NONE: nothing
 * @IOMMU_HW_TYPE_VTD: the CAP and ECAP registers of the VT-d unit in front of
 *	the device
 */
enum iommu_hw_type {
	IOMMU_HW_TYPE_NONE = 0,
	IOMMU_HW_TYPE_VTD = 1,
};

/**
 * struct iommu_device_info - ioctl(IOMMU_DEVICE_GET_INFO)
 * @size: sizeof(struct iommu_device_info)
 * @flags: output: &enum iommu_device_info_flags
 * @label: the label that the device was bound under; ENOENT when unknown
 * @pgsize_bitmap: output: page sizes in bytes the IOMMU has leaves for, one bit
 *	each; the lowest is the alignment of addresses and lengths
 * @addr_width_bits: output: width of an I/O virtual address
 * @pasid_width_bits: output: width of the device's PASIDs, 0 without PASID
 * @formats: output: bitmap of &enum iommu_ioasid_format
 * @hw_type: output: &enum iommu_hw_type
 * @nr_ranges: input: entries that fit at @ranges; output: entries there are
 * @hw_cap: output: VT-d CAP register
 * @hw_ecap: output: VT-d ECAP register
 * @ranges: pointer to an array of &struct iommu_ioasid_range that receives the
 *	IOVA ranges the device can be given mappings in, ascending and disjoint:
 *	its address width less reserved regions (RMRR, interrupt window)
 *
 * Works as soon as the device is bound, before any IOASID exists. With too few
 * entries at @ranges fails with EMSGSIZE after it has written everything that
 * fits and the count that is needed; @nr_ranges 0 is the way to ask for it.
 * Requirement A6, A10, B1.
 */
struct iommu_device_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 label;
	__aligned_u64 pgsize_bitmap;
	__u32 addr_width_bits;
	__u32 pasid_width_bits;
	__aligned_u64 formats;
	__u32 hw_type;
	__u32 nr_ranges;
	__aligned_u64 hw_cap;
	__aligned_u64 hw_ecap;
	__aligned_u64 ranges;
};
#define IOMMU_DEVICE_GET_INFO _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE + 1)

/**
 * enum iommu_ioasid_type - who fills the I/O page table of an IOASID
 * @IOMMU_IOASID_KERNEL_MANAGED: the kernel, by MAP_DMA and UNMAP_DMA
 * @IOMMU_IOASID_USER_MANAGED: the user's own table; only as a child
 * @IOMMU_IOASID_USER_PASID_TABLE: the user's own PASID table; only as a child
 */
enum iommu_ioasid_type {
	IOMMU_IOASID_KERNEL_MANAGED = 1,
	IOMMU_IOASID_USER_MANAGED = 2,
	IOMMU_IOASID_USER_PASID_TABLE = 3,
};

/**
 * enum iommu_ioasid_coherency - does the IOMMU make all DMA snoop CPU caches
 * @IOMMU_COHERENCY_AUTO: enforce it where the hardware can
 * @IOMMU_COHERENCY_ENFORCE: only devices that can be forced may attach
 * @IOMMU_COHERENCY_OFF: the device decides, transaction by transaction
 *
 * Requirement A20.
 */
enum iommu_ioasid_coherency {
	IOMMU_COHERENCY_AUTO = 0,
	IOMMU_COHERENCY_ENFORCE = 1,
	IOMMU_COHERENCY_OFF = 2,
};

/**
 * enum iommu_ioasid_nesting - how a child is realised
 * @IOMMU_NESTING_AUTO: by hardware where it can, else composed by the kernel
 * @IOMMU_NESTING_HARDWARE: by hardware or not at all
 * @IOMMU_NESTING_SOFTWARE: composed by the kernel
 */
enum iommu_ioasid_nesting {
	IOMMU_NESTING_AUTO = 0,
	IOMMU_NESTING_HARDWARE = 1,
	IOMMU_NESTING_SOFTWARE = 2,
};

/**
 * enum iommu_vtd_s1_flags - attributes of a VT-d first-stage table
 * @IOMMU_VTD_S1_SRE: requests in supervisor mode are let through (ECAP.SRS)
 * @IOMMU_VTD_S1_EAFE: the extended accessed bit is set (ECAP.EAFS)
 * @IOMMU_VTD_S1_WPE: supervisor requests, too, need write permission to write;
 *	only with SRE
 *
 * The bits are those of upstream's iommufd. What a device's IOMMU lacks is
 * refused when the device is attached. A child that is composed by the kernel
 * knows no supervisor mode: EOPNOTSUPP for SRE. Requirement B4.
 */
enum iommu_vtd_s1_flags {
	IOMMU_VTD_S1_SRE = 1 << 0,
	IOMMU_VTD_S1_EAFE = 1 << 1,
	IOMMU_VTD_S1_WPE = 1 << 2,
};

/**
 * struct iommu_vtd_s1_attrs - attributes for IOMMU_FORMAT_VTD_S1
 * @flags: &enum iommu_vtd_s1_flags
 * @__reserved: must be 0
 */
struct iommu_vtd_s1_attrs {
	__aligned_u64 flags;
	__aligned_u64 __reserved;
};

/**
 * enum iommu_ioasid_alloc_flags - flags of &struct iommu_ioasid_alloc
 * @IOMMU_IOASID_FOR_LABEL: check now that the device bound under
 *	&iommu_ioasid_alloc.label can be attached, instead of at attach
 */
enum iommu_ioasid_alloc_flags {
	IOMMU_IOASID_FOR_LABEL = 1 << 0,
};

/**
 * struct iommu_ioasid_alloc - ioctl(IOMMU_IOASID_ALLOC)
 * @size: sizeof(struct iommu_ioasid_alloc)
 * @flags: &enum iommu_ioasid_alloc_flags
 * @type: &enum iommu_ioasid_type
 * @parent: IOASID whose addresses this one translates into; 0: the caller's
 *	memory. A root must be kernel-managed (EINVAL): nobody trusts a user
 *	with physical addresses.
 * @format: &enum iommu_ioasid_format
 * @addr_width_bits: width of the address space, 12 to 64; 0: what the attached
 *	devices have in common. A device that is narrower cannot attach.
 *	IOMMU_FORMAT_VTD_S1: 48 (a table of 4 levels) or 57 (5 levels)
 * @coherency: &enum iommu_ioasid_coherency
 * @nesting: &enum iommu_ioasid_nesting; AUTO for a root. HARDWARE is for
 *	user-managed children alone (EOPNOTSUPP): hardware cannot walk a table
 *	of the kernel's that holds addresses in a parent.
 * @label: with IOMMU_IOASID_FOR_LABEL, a bound device's label
 * @table_addr: user-managed: address of the table in the parent; else 0
 * @attrs: user-managed: pointer to the format's attributes; else 0
 * @attrs_len_bytes: length at @attrs; else 0
 * @ioasid: output: the new IOASID, local to this fd, 1 to INT_MAX; input: 0
 *
 * A child translates into the addresses of @parent (ENOENT when this fd has no
 * such IOASID), to any depth. It reaches what its parent reaches, when its
 * parent reaches it, with the permissions that both give. A kernel-managed child
 * is filled by MAP_DMA from the parent's addresses; a user-managed one by the
 * user, who writes the table into memory that the parent maps, and follows each
 * change of what was present with INVALIDATE_CACHE. Hardware sets accessed and
 * dirty bits in such a table, and so does the kernel: where the parent gives no
 * write permission for the table's own pages, only entries that have them set
 * already translate anything.
 *
 * Requirement A3, A4, A7, A9, A17, A20, B4.
 */
struct iommu_ioasid_alloc {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 parent;
	__u32 format;
	__u32 addr_width_bits;
	__u32 coherency;
	__u32 nesting;
	__aligned_u64 label;
	__aligned_u64 table_addr;
	__aligned_u64 attrs;
	__u32 attrs_len_bytes;
	__u32 ioasid;
};
#define IOMMU_IOASID_ALLOC _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE + 2)

/**
 * struct iommu_ioasid_free - ioctl(IOMMU_IOASID_FREE)
 * @size: sizeof(struct iommu_ioasid_free)
 * @ioasid: the IOASID; EBUSY while a device is attached to it or a child exists
 *
 * Unmaps and unpins everything that is mapped in it.
 */
struct iommu_ioasid_free {
	__u32 size;
	__u32 ioasid;
};
#define IOMMU_IOASID_FREE _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE + 3)

/**
 * enum iommu_ioasid_info_flags - state in &struct iommu_ioasid_info
 * @IOMMU_IOASID_INFO_SNOOP_ENFORCED: all DMA through it snoops CPU caches
 * @IOMMU_IOASID_INFO_IN_HARDWARE: a hardware I/O page table exists for it
 * @IOMMU_IOASID_INFO_HW_NESTED: hardware walks it and its parent, for at least
 *	one of its devices
 * @IOMMU_IOASID_INFO_COMPOSED: the kernel keeps a table equal to walking it and
 *	then its parent, for at least one of its devices
 */
enum iommu_ioasid_info_flags {
	IOMMU_IOASID_INFO_SNOOP_ENFORCED = 1 << 0,
	IOMMU_IOASID_INFO_IN_HARDWARE = 1 << 1,
	IOMMU_IOASID_INFO_HW_NESTED = 1 << 2,
	IOMMU_IOASID_INFO_COMPOSED = 1 << 3,
};

/**
 * struct iommu_ioasid_info - ioctl(IOMMU_IOASID_GET_INFO)
 * @size: sizeof(struct iommu_ioasid_info)
 * @ioasid: the IOASID
 * @flags: output: &enum iommu_ioasid_info_flags
 * @type: output: &enum iommu_ioasid_type
 * @parent: output: 0 for a root
 * @addr_width_bits: output: width that the attached devices leave
 * @nr_devices: output: attachments
 * @nr_ranges: input: entries that fit at @ranges; output: entries there are
 * @pgsize_bitmap: output: page sizes of its leaves; the lowest is the alignment
 *	that MAP_DMA asks for
 * @nr_mappings: output: mappings, each made by one MAP_DMA
 * @mapped_bytes: output: sum of their lengths
 * @pinned_bytes: output: memory pinned for them; 0 for a child
 * @charged_bytes: output: memory charged for them against RLIMIT_MEMLOCK; 0 for
 *	a child. What upstream's IOAS_COPY shares counts, here and in
 *	@pinned_bytes, for each mapping of it
 * @ranges: pointer to an array of &struct iommu_ioasid_range that receives the
 *	IOVA ranges in which MAP_DMA is permitted: what all attached devices
 *	have in common
 *
 * EMSGSIZE as in &struct iommu_device_info. Requirement A10, A15.
 */
struct iommu_ioasid_info {
	__u32 size;
	__u32 ioasid;
	__u32 flags;
	__u32 type;
	__u32 parent;
	__u32 addr_width_bits;
	__u32 nr_devices;
	__u32 nr_ranges;
	__aligned_u64 pgsize_bitmap;
	__aligned_u64 nr_mappings;
	__aligned_u64 mapped_bytes;
	__aligned_u64 pinned_bytes;
	__aligned_u64 charged_bytes;
	__aligned_u64 ranges;
};
#define IOMMU_IOASID_GET_INFO _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE + 4)

/**
 * enum iommu_map_dma_flags - flags of &struct iommu_map_dma
 * @IOMMU_MAP_READ: the device may read the memory
 * @IOMMU_MAP_WRITE: the device may write the memory
 * @IOMMU_MAP_FIXED_IOVA: map at &iommu_map_dma.iova; without it the kernel
 *	chooses the address and writes it there
 * @IOMMU_MAP_FD: the memory is that of a memfd or hugetlbfs file
 *	&iommu_map_dma.fd from offset &iommu_map_dma.source
 */
enum iommu_map_dma_flags {
	IOMMU_MAP_READ = 1 << 0,
	IOMMU_MAP_WRITE = 1 << 1,
	IOMMU_MAP_FIXED_IOVA = 1 << 2,
	IOMMU_MAP_FD = 1 << 3,
};

/**
 * struct iommu_map_dma - ioctl(IOMMU_MAP_DMA)
 * @size: sizeof(struct iommu_map_dma)
 * @flags: &enum iommu_map_dma_flags; at least one of READ and WRITE
 * @ioasid: kernel-managed IOASID; EOPNOTSUPP for another
 * @fd: with IOMMU_MAP_FD the file; else 0
 * @source: address in the caller's memory, or offset in @fd in bytes; for a
 *	child, address in its parent
 * @length: bytes
 * @iova: I/O virtual address of the first byte; input with
 *	IOMMU_MAP_FIXED_IOVA, always output
 *
 * @source, @length and @iova are multiples of the smallest page size of the
 * IOASID (4096 always is one). The memory is pinned until it is unmapped,
 * whatever happens to the caller's own mapping of it, and charged to the caller
 * against RLIMIT_MEMLOCK (without limit for CAP_IPC_LOCK). Overlap with a
 * mapping: EEXIST. Outside the permitted ranges: EINVAL. No free range: ENOSPC.
 *
 * In a child nothing is pinned or charged, and nothing need be mapped at @source
 * in the parent yet: a page is reached as long as both map it. IOMMU_MAP_FD is
 * refused there (EINVAL). A child of a child can map 64 pages for each that its
 * root maps, and 16 GiB besides (ENOSPC).
 * Requirement A9, A15, A16.
 */
struct iommu_map_dma {
	__u32 size;
	__u32 flags;
	__u32 ioasid;
	__s32 fd;
	__aligned_u64 source;
	__aligned_u64 length;
	__aligned_u64 iova;
};
#define IOMMU_MAP_DMA _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE + 5)

/**
 * enum iommu_unmap_dma_flags - flags of &struct iommu_unmap_dma
 * @IOMMU_UNMAP_ALL: everything in the IOASID; iova and length must be 0
 */
enum iommu_unmap_dma_flags {
	IOMMU_UNMAP_ALL = 1 << 0,
};

/**
 * struct iommu_unmap_dma - ioctl(IOMMU_UNMAP_DMA)
 * @size: sizeof(struct iommu_unmap_dma)
 * @flags: &enum iommu_unmap_dma_flags
 * @ioasid: kernel-managed IOASID; EOPNOTSUPP for another
 * @__reserved: must be 0
 * @iova: first byte of the range
 * @length: bytes; output: bytes that were unmapped
 *
 * The range may hold several mappings and holes, but must not cut one:
 * EINVAL, and nothing is unmapped. A range that holds none: ENOENT; with
 * IOMMU_UNMAP_ALL that is success. When the command returns, no DMA reaches the
 * memory any more. Requirement A15.
 */
struct iommu_unmap_dma {
	__u32 size;
	__u32 flags;
	__u32 ioasid;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
};
#define IOMMU_UNMAP_DMA _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE + 6)

/**
 * enum iommu_invalidate_granularity - how much an entry invalidates
 * @IOMMU_INVALIDATE_ALL: the whole address space
 * @IOMMU_INVALIDATE_RANGE: &iommu_invalidate_entry.length bytes from
 *	&iommu_invalidate_entry.addr on
 */
enum iommu_invalidate_granularity {
	IOMMU_INVALIDATE_ALL = 0,
	IOMMU_INVALIDATE_RANGE = 1,
};

/**
 * enum iommu_invalidate_flags - flags of &struct iommu_invalidate_entry
 * @IOMMU_INVALIDATE_LABEL: for accesses of the device bound under
 *	&iommu_invalidate_entry.label alone; caches that devices share may be
 *	flushed for all of them
 * @IOMMU_INVALIDATE_VPASID: for accesses with &iommu_invalidate_entry.vpasid
 *	alone
 * @IOMMU_INVALIDATE_LEAF: only entries that point at pages have changed, none
 *	that points at a table
 */
enum iommu_invalidate_flags {
	IOMMU_INVALIDATE_LABEL = 1 << 0,
	IOMMU_INVALIDATE_VPASID = 1 << 1,
	IOMMU_INVALIDATE_LEAF = 1 << 2,
};

/**
 * struct iommu_invalidate_entry - one invalidation
 * @flags: &enum iommu_invalidate_flags
 * @granularity: &enum iommu_invalidate_granularity
 * @label: with IOMMU_INVALIDATE_LABEL a bound device; else 0
 * @addr: RANGE: first byte, a multiple of 4096; else 0
 * @length: RANGE: bytes, a multiple of 4096, not 0; else 0
 * @vpasid: with IOMMU_INVALIDATE_VPASID; else 0
 * @__reserved: must be 0
 */
struct iommu_invalidate_entry {
	__u32 flags;
	__u32 granularity;
	__aligned_u64 label;
	__aligned_u64 addr;
	__aligned_u64 length;
	__u32 vpasid;
	__u32 __reserved;
};

/**
 * struct iommu_invalidate_cache - ioctl(IOMMU_INVALIDATE_CACHE)
 * @size: sizeof(struct iommu_invalidate_cache)
 * @ioasid: user-managed IOASID; EOPNOTSUPP for another: the kernel flushes what
 *	it manages
 * @entries: pointer to an array of &struct iommu_invalidate_entry
 * @entry_len_bytes: length of one entry, sizeof(struct iommu_invalidate_entry)
 *	or more (E2BIG when the rest is not 0)
 * @nr_entries: input: entries at @entries; output: entries that were carried
 *	out, also on failure
 *
 * To be called after entries of a user's table have changed that were present
 * before, as hardware wants it; where the kernel composes the table
 * (IOMMU_IOASID_INFO_COMPOSED), also after ones that were not. When it returns,
 * no DMA uses what was there before. Device TLBs are included. Entries are
 * carried out in order. One that makes no sense ends the command: EOPNOTSUPP for
 * unknown flags or granularity; EINVAL for a bad range; ENOENT for a label that
 * is unknown or a device or vPASID that is not attached to the IOASID. A
 * composed table also takes memory: ENOMEM, or E2BIG for a table that is more
 * than its parent could hold.
 *
 * Requirement A9, B7, B8, F3.
 */
struct iommu_invalidate_cache {
	__u32 size;
	__u32 ioasid;
	__aligned_u64 entries;
	__u32 entry_len_bytes;
	__u32 nr_entries;
};
#define IOMMU_INVALIDATE_CACHE _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE + 7)

/**
 * DOC: Commands on a device file
 *
 * A device file (for a PCI function /dev/vfio/devices/vfioN) answers nothing
 * but these until the device is bound. Closing it detaches and unbinds.
 */

/**
 * struct iommu_device_bind - ioctl(IOMMU_DEVICE_BIND_IOMMU_FD) on a device file
 * @size: sizeof(struct iommu_device_bind)
 * @flags: must be 0
 * @iommu_fd: an fd of /dev/iommu
 * @__reserved: must be 0
 * @label: the user's name for the device, unique in @iommu_fd
 *
 * From here on all DMA of the device is blocked until it is attached. The
 * first bind of a group takes the whole group from the kernel: EPERM when a
 * kernel driver or another user has one of its devices. A device file may be
 * bound to several fds, once to each. EBUSY: the label is taken, or the device
 * is bound to this fd already, or through another open of its file. ENODEV: no
 * IOMMU in front of the device.
 *
 * A sub-device, part of a device that its kernel driver keeps, takes no group:
 * EPERM when a user has the device, or when it shares its group with others;
 * EOPNOTSUPP when its IOMMU cannot tell the part from the rest.
 * Requirement A4, A5, A11, A12, A23.
 */
struct iommu_device_bind {
	__u32 size;
	__u32 flags;
	__s32 iommu_fd;
	__u32 __reserved;
	__aligned_u64 label;
};
#define IOMMU_DEVICE_BIND_IOMMU_FD \
	_IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_DEV_BASE + 0)

/**
 * enum iommu_device_attach_flags - flags of &struct iommu_device_attach
 * @IOMMU_DEVICE_ATTACH_VPASID: DMA with &iommu_device_attach.vpasid instead of
 *	DMA without PASID; EINVAL for a device without PASID
 */
enum iommu_device_attach_flags {
	IOMMU_DEVICE_ATTACH_VPASID = 1 << 0,
};

/**
 * struct iommu_device_attach - ioctl(IOMMU_DEVICE_ATTACH_IOASID) on a device file
 * @size: sizeof(struct iommu_device_attach)
 * @flags: &enum iommu_device_attach_flags
 * @iommu_fd: an fd that the device is bound to
 * @ioasid: IOASID of that fd
 * @vpasid: with IOMMU_DEVICE_ATTACH_VPASID; else 0
 * @__reserved: must be 0
 *
 * Without vPASID: a device that is attached to an IOASID can be attached to a
 * child, or child's child, of it as well, which then takes its DMA; detaching
 * that gives the DMA back to the IOASID before. EBUSY: attached to something
 * else already (detach first), or the vPASID is. EINVAL: the device cannot use
 * the IOASID's format, width or coherency, or the vPASID is out of its range
 * (from 1 on: DMA without PASID is no vPASID). EOPNOTSUPP: nesting by hardware
 * is asked for, and there is none, or an attribute that it lacks. EPERM: PASIDs
 * of a device that shares its group with others. EADDRINUSE: something is mapped
 * where the device has a reserved region.
 * Requirement A4, A8, A9, A10, A12, A20, A23, C8.
 */
struct iommu_device_attach {
	__u32 size;
	__u32 flags;
	__s32 iommu_fd;
	__u32 ioasid;
	__u32 vpasid;
	__u32 __reserved;
};
#define IOMMU_DEVICE_ATTACH_IOASID \
	_IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_DEV_BASE + 1)

/**
 * struct iommu_device_detach - ioctl(IOMMU_DEVICE_DETACH_IOASID) on a device file
 * @size: sizeof(struct iommu_device_detach)
 * @flags: &enum iommu_device_attach_flags
 * @iommu_fd: an fd that the device is bound to
 * @ioasid: the IOASID that the device is attached to; ENOENT when it is not;
 *	EBUSY when its DMA goes through a child of it that was attached later
 * @vpasid: with IOMMU_DEVICE_ATTACH_VPASID; else 0
 * @__reserved: must be 0
 *
 * When the command returns the device, or its DMA with the vPASID, is blocked,
 * or goes through the IOASID that it was attached to before. Requirement A12.
 */
struct iommu_device_detach {
	__u32 size;
	__u32 flags;
	__s32 iommu_fd;
	__u32 ioasid;
	__u32 vpasid;
	__u32 __reserved;
};
#define IOMMU_DEVICE_DETACH_IOASID \
	_IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_DEV_BASE + 2)

#endif /* _UAPI_LINUX_IOASID_H */
