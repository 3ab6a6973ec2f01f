/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: VT-d first-stage tables
 *
 * Writing a VT-d first-stage table into DMA memory, for iommu_vtd_s1_alloc().
 * It has the layout of the processor's page tables of 4 or 5 levels (VT-d
 * specification, "First-Stage Paging Entries").
 *
 * The writer never calls the kernel: map and unmap say what is to be invalidated,
 * and the caller does that, at once or many together.
 */
#ifndef IOMMU_VTD_S1_H
#define IOMMU_VTD_S1_H

#include <stddef.h>
#include <stdint.h>

#include <linux/ioasid.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iommu_ctx;

/* a table that is being written; only the library knows what is in it */
struct iommu_vtd_s1;

/**
 * enum iommu_vtd_s1_write - how a table is written
 * @IOMMU_VTD_S1_WRITE_BACK: for hardware whose walks do not snoop the CPU's
 *	caches (VT-d without ECAP.SMPWCS, bit 48): what is written is written back
 *	to memory, and entries are marked as accessed and dirty beforehand, for
 *	such hardware refuses to do so
 */
enum iommu_vtd_s1_write {
	IOMMU_VTD_S1_WRITE_BACK = 1 << 0,
};

/**
 * iommu_vtd_s1_new() - begin an empty table
 * @ctx: a context, for error texts; need not be open
 * @memory: where the program sees the memory for the table's pages, page
 *	aligned; zeroed as far as it is used. It stays the caller's
 * @addr: where the parent has it, page aligned
 * @len: bytes; 4096 for each page of the table. As much is used by the library
 *	itself: what a device could overwrite is not read back
 * @levels: 4 or 5
 * @page_sizes: bitmap of the leaves to use, of 4 KiB, 2 MiB and 1 GiB; 4 KiB must
 *	be in it; 0: 4 KiB and 2 MiB. Only units with CAP.FS1GP walk leaves of
 *	1 GiB; the kernel composes them always
 * @flags: enum iommu_vtd_s1_write
 * @table: output: the table
 *
 * Return: 0; -EINVAL: alignment, @levels, @page_sizes, @flags, no page; -ENOMEM.
 */
int iommu_vtd_s1_new(struct iommu_ctx *ctx, void *memory, uint64_t addr,
		     size_t len, unsigned int levels, uint64_t page_sizes,
		     unsigned int flags, struct iommu_vtd_s1 **table);

/**
 * iommu_vtd_s1_free() - forget a table
 * @table: the table; NULL does nothing
 *
 * What is in the memory stays there: devices go on using it. Free the IOASID
 * before the memory.
 */
void iommu_vtd_s1_free(struct iommu_vtd_s1 *table);

/**
 * iommu_vtd_s1_addr() - where it starts
 * @table: the table
 *
 * Return: address in the parent, for &iommu_vtd_s1_spec.table_addr.
 */
uint64_t iommu_vtd_s1_addr(const struct iommu_vtd_s1 *table);

/**
 * iommu_vtd_s1_map() - let addresses lead to addresses of the parent
 * @table: the table
 * @iova: first address, page aligned, canonical: the lower half of what the
 *	levels translate, or the upper half with all higher bits set. What the
 *	kernel composes serves the lower half only
 * @addr: address in the parent, page aligned, below 1 << 52
 * @len: bytes, a multiple of 4096
 * @prot: IOMMU_MAP_READ, alone or with IOMMU_MAP_WRITE: the format has nothing
 *	that can be written and not read
 * @change: output: what to invalidate; may be NULL
 *
 * Takes the largest leaves that alignment allows. A device sees the range appear
 * page by page.
 *
 * Return: 0; -EEXIST: a part is mapped already; -ENOSPC: the memory has no page
 * left for the table; -EINVAL: alignment, @prot, addresses. On failure nothing
 * has been written.
 */
int iommu_vtd_s1_map(struct iommu_vtd_s1 *table, uint64_t iova, uint64_t addr,
		     uint64_t len, unsigned int prot,
		     struct iommu_invalidate_entry *change);

/**
 * iommu_vtd_s1_unmap() - let addresses lead nowhere
 * @table: the table
 * @iova: first address, page aligned
 * @len: bytes, a multiple of 4096; the range may hold holes but cut no leaf
 * @change: output: what to invalidate; may be NULL, and then the caller
 *	invalidates the range
 *
 * Devices may use what was mapped until the invalidation has been carried out.
 * Pages of the table stay in use for later mappings.
 *
 * Return: 0; -ENOENT: nothing is mapped there; -EINVAL: alignment, addresses, or
 * the range cuts a leaf. On failure nothing has been written.
 */
int iommu_vtd_s1_unmap(struct iommu_vtd_s1 *table, uint64_t iova, uint64_t len,
		       struct iommu_invalidate_entry *change);

/**
 * struct iommu_vtd_s1_leaf - what an address leads to
 * @iova: first address that the leaf translates
 * @addr: address in the parent that it leads to
 * @len: bytes it translates: 4 KiB, 2 MiB or 1 GiB
 * @prot: IOMMU_MAP_READ, perhaps with IOMMU_MAP_WRITE
 * @accessed: not 0: a device has used it
 * @dirty: not 0: a device has written through it
 *
 * A table that the kernel composes is marked when it is read by the kernel, not
 * when a device uses it.
 */
struct iommu_vtd_s1_leaf {
	uint64_t iova;
	uint64_t addr;
	uint64_t len;
	uint32_t prot;
	uint8_t accessed;
	uint8_t dirty;
	uint8_t __reserved[2];
};

/**
 * iommu_vtd_s1_find() - what does an address lead to?
 * @table: the table
 * @iova: any address
 * @leaf: output: the leaf
 *
 * Return: 0; -ENOENT: nothing is mapped there.
 */
int iommu_vtd_s1_find(const struct iommu_vtd_s1 *table, uint64_t iova,
		      struct iommu_vtd_s1_leaf *leaf);

#ifdef __cplusplus
}
#endif

#endif /* IOMMU_VTD_S1_H */
