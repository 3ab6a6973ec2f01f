// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "priv.h"

/**
 * struct iommu_buf - a DMA buffer
 * @ctx: the context
 * @ioasid: what it is mapped in
 * @addr: where the program sees it
 * @iova: where the device sees it
 * @len: whole pages
 * @fd: the memfd, -1 without
 */
struct iommu_buf {
	struct iommu_ctx *ctx;
	uint32_t ioasid;
	void *addr;
	uint64_t iova;
	size_t len;
	int fd;
};

/* The size of the huge pages that MAP_HUGETLB takes, 0 when there are none. */
static size_t default_hugepage_bytes(const struct iommu_ctx *ctx)
{
	unsigned long kib = 0;
	char line[128], *path;
	FILE *file;

	if (asprintf(&path, "%s/proc/meminfo", ctx->root) < 0)
		return 0;
	file = fopen(path, "re");
	free(path);
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Hugepagesize: %lu kB", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

/* Memory of the process alone, and of no child of it. */
static int alloc_private(struct iommu_buf *buf, int extra_flags)
{
	void *addr;
	int err;

	addr = mmap(NULL, buf->len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | extra_flags, -1, 0);
	if (addr == MAP_FAILED)
		return -errno;
	if (madvise(addr, buf->len, MADV_DONTFORK)) {
		err = errno;
		munmap(addr, buf->len);
		return -err;
	}
	buf->addr = addr;
	return 0;
}

static int alloc_memfd(struct iommu_buf *buf)
{
	int err;

	buf->fd = memfd_create("iommu-buf", MFD_CLOEXEC);
	if (buf->fd < 0)
		return -errno;
	if (!ftruncate(buf->fd, (off_t)buf->len)) {
		buf->addr = mmap(NULL, buf->len, PROT_READ | PROT_WRITE,
				 MAP_SHARED, buf->fd, 0);
		if (buf->addr != MAP_FAILED)
			return 0;
	}
	err = errno;
	close(buf->fd);
	return -err;
}

static int alloc_memory(struct iommu_buf *buf, size_t len,
			enum iommu_buf_kind kind)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (kind == IOMMU_BUF_HUGE)
		page = default_hugepage_bytes(buf->ctx);
	if (!page)
		return -EOPNOTSUPP;
	if (!len || len > SIZE_MAX / 2)
		return -EINVAL;
	buf->len = (len + page - 1) & ~(page - 1);

	switch (kind) {
	case IOMMU_BUF_ANON:
		return alloc_private(buf, 0);
	case IOMMU_BUF_HUGE:
		return alloc_private(buf, MAP_HUGETLB);
	case IOMMU_BUF_MEMFD:
		return alloc_memfd(buf);
	}
	return -EINVAL;
}

static void free_memory(struct iommu_buf *buf)
{
	munmap(buf->addr, buf->len);
	if (buf->fd >= 0)
		close(buf->fd);
}

int iommu_buf_alloc(struct iommu_ctx *ctx, uint32_t ioasid, size_t len,
		    enum iommu_buf_kind kind, struct iommu_buf **out)
{
	static const struct remedy remedies[] = {
		{ ENOMEM, "no memory, or no free huge pages: see vm.nr_hugepages" },
		{ EOPNOTSUPP, "this kernel has no huge pages" },
		{}
	};
	struct iommu_buf *buf;
	int rc;

	buf = calloc(1, sizeof(*buf));
	if (!buf)
		return iommu_fail(ctx, ENOMEM, NULL, "DMA buffer");
	buf->ctx = ctx;
	buf->ioasid = ioasid;
	buf->fd = -1;

	rc = alloc_memory(buf, len, kind);
	if (rc) {
		free(buf);
		return iommu_fail(ctx, -rc, remedies,
				  "cannot allocate a DMA buffer of %zu bytes", len);
	}
	rc = iommu_map(ctx, ioasid, buf->addr, buf->len,
		       IOMMU_MAP_READ | IOMMU_MAP_WRITE, &buf->iova);
	if (rc) {
		free_memory(buf);
		free(buf);
		return rc;
	}
	*out = buf;
	return 0;
}

void iommu_buf_free(struct iommu_buf *buf)
{
	if (!buf)
		return;
	iommu_unmap(buf->ctx, buf->ioasid, buf->iova, buf->len, NULL);
	free_memory(buf);
	free(buf);
}

void *iommu_buf_addr(const struct iommu_buf *buf)
{
	return buf->addr;
}

uint64_t iommu_buf_iova(const struct iommu_buf *buf)
{
	return buf->iova;
}

size_t iommu_buf_len(const struct iommu_buf *buf)
{
	return buf->len;
}

int iommu_buf_fd(const struct iommu_buf *buf)
{
	return buf->fd >= 0 ? buf->fd : -EOPNOTSUPP;
}
