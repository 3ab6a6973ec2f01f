/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: I/O address spaces
 *
 * I/O address spaces: an IOASID is a number in its context.
 */
#ifndef IOMMU_IOAS_H
#define IOMMU_IOAS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/ioasid.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iommu_ctx;

/**
 * struct iommu_ioas_info - the state of an IOASID
 * @flags: enum iommu_ioasid_info_flags of <linux/ioasid.h>: of a child also
 *	whether hardware nests it (IOMMU_IOASID_INFO_HW_NESTED), the kernel
 *	composes it (IOMMU_IOASID_INFO_COMPOSED), or both, for different devices
 * @type: enum iommu_ioasid_type
 * @parent: IOASID whose addresses it translates into; 0: the caller's memory
 * @addr_width_bits: width that the attached devices leave
 * @nr_devices: attachments, those that others have been put over included
 * @pgsize_bitmap: sizes of its leaves; the lowest is the alignment of addresses
 *	and lengths
 * @nr_mappings: mappings, each made by one call
 * @mapped_bytes: sum of their lengths
 * @pinned_bytes: memory pinned for them; 0 for a child
 * @charged_bytes: memory charged for them against RLIMIT_MEMLOCK; 0 for a child
 * @nr_ranges: entries at @ranges
 * @ranges: where mapping is permitted, ascending, disjoint, first and last byte
 *
 * Only the library allocates it, so that it can grow.
 */
struct iommu_ioas_info {
	uint32_t flags;
	uint32_t type;
	uint32_t parent;
	uint32_t addr_width_bits;
	uint32_t nr_devices;
	uint64_t pgsize_bitmap;
	uint64_t nr_mappings;
	uint64_t mapped_bytes;
	uint64_t pinned_bytes;
	uint64_t charged_bytes;
	size_t nr_ranges;
	const struct iommu_ioasid_range *ranges;
};

/**
 * iommu_ioas_alloc() - make an IOASID
 * @ctx: an open context
 * @spec: what it should be; @spec->size is the size of the structure as the
 *	caller knows it. NULL: a kernel-managed root that every device fits. For
 *	children see iommu_child_alloc() and iommu_vtd_s1_alloc()
 * @ioasid: output: its number in the context
 *
 * Return: 0; -EINVAL or -EOPNOTSUPP: @spec asks for what is not possible or not
 * known; -ENOENT: no such parent or label; -ENOSPC: no number is free; -ENOMEM.
 */
int iommu_ioas_alloc(struct iommu_ctx *ctx,
		     const struct iommu_ioasid_alloc *spec, uint32_t *ioasid);

/**
 * iommu_ioas_free() - free an IOASID and unmap everything in it
 * @ctx: an open context
 * @ioasid: the IOASID
 *
 * Return: 0; -ENOENT: no such IOASID; -EBUSY: a device is attached to it, or it
 * has a child.
 */
int iommu_ioas_free(struct iommu_ctx *ctx, uint32_t ioasid);

/**
 * iommu_ioas_get_info() - the state of an IOASID
 * @ctx: an open context
 * @ioasid: the IOASID
 * @info: output: the answer, to be freed with iommu_ioas_info_free()
 *
 * Return: 0; -ENOENT: no such IOASID; -ENOMEM.
 */
int iommu_ioas_get_info(struct iommu_ctx *ctx, uint32_t ioasid,
			struct iommu_ioas_info **info);

/**
 * iommu_ioas_info_free() - free what iommu_ioas_get_info() returned
 * @info: the answer; NULL does nothing
 */
void iommu_ioas_info_free(struct iommu_ioas_info *info);

/**
 * iommu_map() - map memory where the kernel finds room
 * @ctx: an open context
 * @ioasid: a kernel-managed IOASID
 * @addr: memory, page aligned
 * @len: bytes, a multiple of the page size
 * @prot: IOMMU_MAP_READ, IOMMU_MAP_WRITE or both: what the device may do
 * @iova: output: I/O virtual address of the first byte
 *
 * The memory is pinned until it is unmapped, whatever happens to the caller's
 * own mapping of it.
 *
 * Return: 0; -ENOSPC: no room; -ENOMEM: no memory, or RLIMIT_MEMLOCK reached;
 * -EFAULT: no memory there, or memory that cannot be pinned; -EACCES: the
 * memory does not allow @prot; -EINVAL: alignment, @prot; -ENOENT: no such
 * IOASID.
 */
int iommu_map(struct iommu_ctx *ctx, uint32_t ioasid, void *addr, size_t len,
	      unsigned int prot, uint64_t *iova);

/**
 * iommu_map_fixed() - map memory at a given address
 * @ctx: an open context
 * @ioasid: a kernel-managed IOASID
 * @addr: memory, page aligned
 * @len: bytes, a multiple of the page size
 * @prot: IOMMU_MAP_READ, IOMMU_MAP_WRITE or both
 * @iova: I/O virtual address of the first byte, page aligned
 *
 * Return: as iommu_map(), and -EEXIST: the range meets a mapping; -EINVAL also:
 * it is not in the permitted ranges.
 */
int iommu_map_fixed(struct iommu_ctx *ctx, uint32_t ioasid, void *addr,
		    size_t len, unsigned int prot, uint64_t iova);

/**
 * iommu_map_fd() - map memory of a memfd where the kernel finds room
 * @ctx: an open context
 * @ioasid: a kernel-managed IOASID
 * @fd: a memfd or hugetlbfs file
 * @offset: offset in it, page aligned
 * @len: bytes, a multiple of the page size
 * @prot: IOMMU_MAP_READ, IOMMU_MAP_WRITE or both
 * @iova: output: I/O virtual address of the first byte
 *
 * The caller need not have mapped the file.
 *
 * Return: as iommu_map(), and -EBADF: @fd is no open file; -EINVAL also: it is
 * no memfd or hugetlbfs file; -EFAULT or -EINVAL: it is shorter.
 */
int iommu_map_fd(struct iommu_ctx *ctx, uint32_t ioasid, int fd,
		 uint64_t offset, size_t len, unsigned int prot,
		 uint64_t *iova);

/**
 * iommu_map_fd_fixed() - map memory of a memfd at a given address
 * @ctx: an open context
 * @ioasid: a kernel-managed IOASID
 * @fd: a memfd or hugetlbfs file
 * @offset: offset in it, page aligned
 * @len: bytes, a multiple of the page size
 * @prot: IOMMU_MAP_READ, IOMMU_MAP_WRITE or both
 * @iova: I/O virtual address of the first byte, page aligned
 *
 * Return: as iommu_map_fixed(), and -EBADF: @fd is no open file; -EINVAL also:
 * it is no memfd or hugetlbfs file; -EFAULT or -EINVAL: it is shorter.
 */
int iommu_map_fd_fixed(struct iommu_ctx *ctx, uint32_t ioasid, int fd,
		       uint64_t offset, size_t len, unsigned int prot,
		       uint64_t iova);

/**
 * iommu_unmap() - unmap a range
 * @ctx: an open context
 * @ioasid: a kernel-managed IOASID
 * @iova: first byte
 * @len: bytes; the range may hold several mappings and holes, but cut none
 * @unmapped: output: bytes that were mapped; may be NULL
 *
 * When it returns no DMA reaches the memory any more.
 *
 * Return: 0; -ENOENT: nothing is mapped there, or no such IOASID; -EINVAL: the
 * range cuts a mapping.
 */
int iommu_unmap(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t iova,
		uint64_t len, uint64_t *unmapped);

/**
 * iommu_unmap_all() - unmap everything
 * @ctx: an open context
 * @ioasid: a kernel-managed IOASID
 * @unmapped: output: bytes that were mapped, 0 included; may be NULL
 *
 * Return: 0; -ENOENT: no such IOASID.
 */
int iommu_unmap_all(struct iommu_ctx *ctx, uint32_t ioasid,
		    uint64_t *unmapped);

#ifdef __cplusplus
}
#endif

#endif /* IOMMU_IOAS_H */
