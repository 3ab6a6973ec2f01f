/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: Nested address spaces
 *
 * Address spaces in address spaces: an IOASID that has a parent translates into
 * the parent's addresses, and not into the program's memory.
 *
 * A child is filled by the kernel, with iommu_map_child(), or it is a page table
 * that somebody else writes (a guest's operating system, the program) into memory
 * that the parent maps. Either is realised by hardware or composed by the kernel;
 * what a device reaches through it is the same. <iommu/vtd_s1.h> writes such
 * tables. docs/nesting.md tells the whole story.
 */
#ifndef IOMMU_NEST_H
#define IOMMU_NEST_H

#include <stddef.h>
#include <stdint.h>

#include <linux/ioasid.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iommu_ctx;

/**
 * iommu_child_alloc() - make a child that the kernel fills
 * @ctx: an open context
 * @parent: IOASID whose addresses the child translates into
 * @addr_width_bits: width of the child's addresses, 12 to 64; 0: what the
 *	attached devices have in common
 * @ioasid: output: its number in the context
 *
 * Filled by iommu_map_child(), emptied by iommu_unmap(). It pins nothing, and is
 * charged nothing: its root has been.
 *
 * Return: 0; -ENOENT: no such parent; -EINVAL: @addr_width_bits; -ENOSPC: the
 * parent has 7 parents above it already, or no number is free; -ENOMEM; -E2BIG:
 * the parent is a user's table that the kernel must compose now, and cannot.
 */
int iommu_child_alloc(struct iommu_ctx *ctx, uint32_t parent,
		      unsigned int addr_width_bits, uint32_t *ioasid);

/**
 * struct iommu_vtd_s1_spec - a VT-d first-stage table that somebody else writes
 * @size: sizeof(struct iommu_vtd_s1_spec)
 * @levels: 4: it translates addresses of 48 bits; 5: of 57 bits
 * @table_addr: where it starts, an address in the parent, a multiple of 4096
 * @flags: enum iommu_vtd_s1_flags of <linux/ioasid.h>
 * @nesting: enum iommu_ioasid_nesting: by hardware, by the kernel, or whatever
 *	the device's IOMMU can
 * @coherency: enum iommu_ioasid_coherency
 */
struct iommu_vtd_s1_spec {
	uint32_t size;
	uint32_t levels;
	uint64_t table_addr;
	uint64_t flags;
	uint32_t nesting;
	uint32_t coherency;
};

/**
 * iommu_vtd_s1_alloc() - make a child of a table that somebody else writes
 * @ctx: an open context
 * @parent: IOASID whose addresses the table holds, and that it lies in
 * @spec: what it is
 * @ioasid: output: its number in the context
 *
 * The parent has to map the table's pages for writing: accessed and dirty bits
 * are set in them. After the table has been changed iommu_invalidate() follows.
 *
 * Return: 0; -ENOENT: no such parent; -EINVAL: levels or alignment; -EOPNOTSUPP:
 * an unknown flag, or one that the kernel cannot compose; -ENOSPC; -ENOMEM;
 * -E2BIG: @spec is of a newer library than this one.
 */
int iommu_vtd_s1_alloc(struct iommu_ctx *ctx, uint32_t parent,
		       const struct iommu_vtd_s1_spec *spec, uint32_t *ioasid);

/**
 * iommu_map_child() - map addresses of the parent where the kernel finds room
 * @ctx: an open context
 * @ioasid: a child that the kernel fills
 * @addr: address in the parent, page aligned
 * @len: bytes, a multiple of the page size
 * @prot: IOMMU_MAP_READ, IOMMU_MAP_WRITE or both: what the device may do where
 *	the parent lets it
 * @addr_in_child: output: I/O virtual address of the first byte
 *
 * Nothing need be mapped at @addr in the parent yet: a page is reached as long as
 * both map it.
 *
 * Return: 0; -EINVAL: alignment, @prot, or a user's table; -ENOSPC: no room;
 * -ENOMEM; -ENOENT: no such IOASID.
 */
int iommu_map_child(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t addr,
		    uint64_t len, unsigned int prot, uint64_t *addr_in_child);

/**
 * iommu_map_child_fixed() - map addresses of the parent at a given address
 * @ctx: an open context
 * @ioasid: a child that the kernel fills
 * @addr: address in the parent, page aligned
 * @len: bytes, a multiple of the page size
 * @prot: IOMMU_MAP_READ, IOMMU_MAP_WRITE or both
 * @addr_in_child: I/O virtual address of the first byte, page aligned
 *
 * Return: as iommu_map_child(), and -EEXIST: the range meets a mapping; -EINVAL
 * also: it is not in the permitted ranges.
 */
int iommu_map_child_fixed(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t addr,
			  uint64_t len, unsigned int prot,
			  uint64_t addr_in_child);

/**
 * iommu_invalidate() - a part of a user's table has been changed
 * @ctx: an open context
 * @ioasid: a child of that table
 * @addr: first address whose translation may be another now, page aligned
 * @len: bytes, a multiple of 4096
 *
 * For all devices and PASIDs. When it returns no DMA uses what the table said
 * before. Entries that were not present before need this only where the kernel
 * composes the table (IOMMU_IOASID_INFO_COMPOSED).
 *
 * Return: 0; -EOPNOTSUPP: the kernel fills that IOASID, and flushes by itself;
 * -EINVAL: alignment, or not a range of canonical addresses; -ENOENT: no such
 * IOASID; -ENOMEM, -E2BIG: the table is composed and translates nothing until
 * iommu_invalidate_all() succeeds, see docs/nesting.md.
 */
int iommu_invalidate(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t addr,
		     uint64_t len);

/**
 * iommu_invalidate_all() - all of a user's table may have been changed
 * @ctx: an open context
 * @ioasid: a child of that table
 *
 * Return: as iommu_invalidate().
 */
int iommu_invalidate_all(struct iommu_ctx *ctx, uint32_t ioasid);

/**
 * iommu_invalidate_entries() - several invalidations, in order
 * @ctx: an open context
 * @ioasid: a child of a user's table
 * @entries: what has been changed, and for which device or PASID
 * @nr: how many
 * @done: output, also on failure: how many were carried out; may be NULL
 *
 * Return: as iommu_invalidate(), of the first entry that failed; -ENOENT also: an
 * unknown label, or a device or PASID that is not attached to the IOASID.
 */
int iommu_invalidate_entries(struct iommu_ctx *ctx, uint32_t ioasid,
			     const struct iommu_invalidate_entry *entries,
			     uint32_t nr, uint32_t *done);

#ifdef __cplusplus
}
#endif

#endif /* IOMMU_NEST_H */
