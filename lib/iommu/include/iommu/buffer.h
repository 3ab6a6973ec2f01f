/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: DMA buffers
 *
 * DMA buffers: zeroed memory that the program and the device both see.
 */
#ifndef IOMMU_BUFFER_H
#define IOMMU_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iommu_ctx;

/* a DMA buffer; only the library knows what is in it */
struct iommu_buf;

/**
 * enum iommu_buf_kind - where the memory comes from
 * @IOMMU_BUF_ANON: ordinary pages of the process
 * @IOMMU_BUF_HUGE: huge pages of the default size (vm.nr_hugepages); fewer
 *	and larger page table entries
 * @IOMMU_BUF_MEMFD: a memfd, which can be passed to another process
 */
enum iommu_buf_kind {
	IOMMU_BUF_ANON = 0,
	IOMMU_BUF_HUGE = 1,
	IOMMU_BUF_MEMFD = 2,
};

/**
 * iommu_buf_alloc() - allocate memory and map it
 * @ctx: an open context
 * @ioasid: a kernel-managed IOASID
 * @len: bytes; rounded up to whole pages
 * @kind: where the memory comes from
 * @buf: output: the buffer, zeroed, readable and writable for the device, at an
 *	address from the ranges that all attached devices permit
 *
 * A child process made by fork() does not get the memory of ANON and HUGE
 * buffers, so that the child's copy on write cannot part program and device.
 *
 * Return: 0; -EINVAL: @len 0 or too large, or @kind not known; -ENOMEM: no
 * memory, no free huge pages, or RLIMIT_MEMLOCK reached; errors of iommu_map().
 */
int iommu_buf_alloc(struct iommu_ctx *ctx, uint32_t ioasid, size_t len,
		    enum iommu_buf_kind kind, struct iommu_buf **buf);

/**
 * iommu_buf_free() - unmap and free a buffer
 * @buf: the buffer; NULL does nothing
 *
 * When it returns no DMA reaches the memory. Free buffers before their IOASID.
 */
void iommu_buf_free(struct iommu_buf *buf);

/**
 * iommu_buf_addr() - where the program sees it
 * @buf: the buffer
 *
 * Return: address of the first byte, page aligned.
 */
void *iommu_buf_addr(const struct iommu_buf *buf);

/**
 * iommu_buf_iova() - where the device sees it
 * @buf: the buffer
 *
 * Return: I/O virtual address of the first byte, page aligned.
 */
uint64_t iommu_buf_iova(const struct iommu_buf *buf);

/**
 * iommu_buf_len() - its length
 * @buf: the buffer
 *
 * Return: bytes, rounded up to whole pages.
 */
size_t iommu_buf_len(const struct iommu_buf *buf);

/**
 * iommu_buf_fd() - the memfd behind it
 * @buf: the buffer
 *
 * Return: the fd, which stays the buffer's; -EOPNOTSUPP: not a MEMFD buffer.
 */
int iommu_buf_fd(const struct iommu_buf *buf);

#ifdef __cplusplus
}
#endif

#endif /* IOMMU_BUFFER_H */
