// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "priv.h"

static const struct remedy alloc_remedies[] = {
	{ EINVAL, "such an IOASID is not possible (width, type, or a user table without a parent)" },
	{ EOPNOTSUPP, "the kernel or the hardware has no IOASIDs like that" },
	{ ENOENT, "no such parent or label" },
	{ ENOSPC, "the context has as many IOASIDs as it can have, or the parent has 7 parents above it" },
	{}
};

static const struct remedy free_remedies[] = {
	{ EBUSY, "a device is attached to it: detach it first; or it has a child: free that first" },
	{ ENOENT, "there is no such IOASID in this context" },
	{}
};

static const struct remedy map_remedies[] = {
	{ EINVAL, "address or length is not a multiple of the page size, the range is not permitted for all attached devices, or no access was asked for" },
	{ ENOENT, "there is no such IOASID in this context" },
	{ EEXIST, "something is mapped in the range" },
	{ ENOSPC, "no free range of that length" },
	{ ENOMEM, "no memory, or the limit on locked memory is reached: see 'ulimit -l' (RLIMIT_MEMLOCK)" },
	{ EFAULT, "no memory there, or memory that cannot be pinned, such as a device's BAR" },
	{ EACCES, "the memory does not allow the access asked for" },
	{ EOPNOTSUPP, "the kernel cannot map this kind of memory; or the IOASID is a user's table: write to it, then call iommu_invalidate()" },
	{}
};

/* Looked at first when the memory is that of a file. */
static const struct remedy map_fd_remedies[] = {
	{ EINVAL, "no memfd or hugetlbfs file; or offset, length or address is not a multiple of the page size; or the range is not permitted for all attached devices" },
	{ EFAULT, "the file is shorter than that" },
	{ EBADF, "not an open file" },
	{}
};

static const struct remedy *map_remedies_for(uint32_t flags, int err)
{
	const struct remedy *r;

	for (r = map_fd_remedies; flags & IOMMU_MAP_FD && r->err; r++)
		if (r->err == err)
			return r;
	return map_remedies;
}

static const struct remedy unmap_remedies[] = {
	{ ENOENT, "nothing is mapped there, or there is no such IOASID" },
	{ EINVAL, "the range cuts a mapping, or wraps" },
	{}
};

int iommu_ioas_alloc(struct iommu_ctx *ctx,
		     const struct iommu_ioasid_alloc *spec, uint32_t *ioasid)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
	};
	int rc;

	if (spec) {
		/* Shorter or longer than ours when built for another version. */
		if (spec->size > sizeof(cmd))
			return iommu_refuse(ctx, E2BIG,
					    "the program is newer than its libiommu");
		memset(&cmd, 0, sizeof(cmd));
		memcpy(&cmd, spec, spec->size);
		cmd.size = sizeof(cmd);
	}
	rc = iommu_ctx_ioctl(ctx, IOMMU_IOASID_ALLOC, &cmd);
	if (rc)
		return iommu_fail(ctx, -rc, alloc_remedies,
				  "cannot allocate an IOASID");
	*ioasid = cmd.ioasid;
	return 0;
}

int iommu_ioas_free(struct iommu_ctx *ctx, uint32_t ioasid)
{
	struct iommu_ioasid_free cmd = {
		.size = sizeof(cmd),
		.ioasid = ioasid,
	};
	int rc;

	rc = iommu_ctx_ioctl(ctx, IOMMU_IOASID_FREE, &cmd);
	if (rc)
		return iommu_fail(ctx, -rc, free_remedies,
				  "cannot free IOASID %u", ioasid);
	return 0;
}

int iommu_ioas_get_info(struct iommu_ctx *ctx, uint32_t ioasid,
			struct iommu_ioas_info **out)
{
	struct iommu_ioasid_info cmd = {};
	struct iommu_ioas_info *info = NULL;
	struct iommu_ioasid_range *ranges;
	uint32_t room = 16;
	int rc;

	/* The number of ranges can grow between two calls. */
	for (;;) {
		free(info);
		info = calloc(1, sizeof(*info) + room * sizeof(*ranges));
		if (!info)
			return iommu_fail(ctx, ENOMEM, NULL, "IOASID %u", ioasid);
		ranges = (struct iommu_ioasid_range *)(info + 1);
		cmd = (struct iommu_ioasid_info) {
			.size = sizeof(cmd),
			.ioasid = ioasid,
			.nr_ranges = room,
			.ranges = (uintptr_t)ranges,
		};
		rc = iommu_ctx_ioctl(ctx, IOMMU_IOASID_GET_INFO, &cmd);
		if (rc != -EMSGSIZE || cmd.nr_ranges <= room)
			break;
		room = cmd.nr_ranges;
	}
	if (rc) {
		free(info);
		return iommu_fail(ctx, -rc, free_remedies,
				  "cannot ask for the state of IOASID %u", ioasid);
	}
	info->flags = cmd.flags;
	info->type = cmd.type;
	info->parent = cmd.parent;
	info->addr_width_bits = cmd.addr_width_bits;
	info->nr_devices = cmd.nr_devices;
	info->pgsize_bitmap = cmd.pgsize_bitmap;
	info->nr_mappings = cmd.nr_mappings;
	info->mapped_bytes = cmd.mapped_bytes;
	info->pinned_bytes = cmd.pinned_bytes;
	info->charged_bytes = cmd.charged_bytes;
	info->nr_ranges = cmd.nr_ranges;
	info->ranges = ranges;
	*out = info;
	return 0;
}

void iommu_ioas_info_free(struct iommu_ioas_info *info)
{
	free(info);
}

/* The four ways to map differ in @flags, @source and @fd only. */
static int map(struct iommu_ctx *ctx, uint32_t ioasid, uint32_t flags, int fd,
	       uint64_t source, size_t len, uint64_t *iova)
{
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioasid = ioasid,
		.fd = fd,
		.source = source,
		.length = len,
		.iova = *iova,
	};
	int rc;

	rc = iommu_ctx_ioctl(ctx, IOMMU_MAP_DMA, &cmd);
	if (rc)
		return iommu_fail(ctx, -rc, map_remedies_for(flags, -rc),
				  "IOASID %u: cannot map %zu bytes", ioasid, len);
	*iova = cmd.iova;
	return 0;
}

bool iommu_prot_ok(unsigned int prot)
{
	return prot && !(prot & ~(unsigned int)(IOMMU_MAP_READ | IOMMU_MAP_WRITE));
}

int iommu_bad_prot(struct iommu_ctx *ctx, unsigned int prot)
{
	return iommu_refuse(ctx, EINVAL,
			    "access %#x is not IOMMU_MAP_READ, IOMMU_MAP_WRITE or both",
			    prot);
}

int iommu_map(struct iommu_ctx *ctx, uint32_t ioasid, void *addr, size_t len,
	      unsigned int prot, uint64_t *iova)
{
	uint64_t chosen = 0;
	int rc;

	if (!iommu_prot_ok(prot))
		return iommu_bad_prot(ctx, prot);
	rc = map(ctx, ioasid, prot, 0, (uintptr_t)addr, len, &chosen);
	if (!rc)
		*iova = chosen;
	return rc;
}

int iommu_map_fixed(struct iommu_ctx *ctx, uint32_t ioasid, void *addr,
		    size_t len, unsigned int prot, uint64_t iova)
{
	if (!iommu_prot_ok(prot))
		return iommu_bad_prot(ctx, prot);
	return map(ctx, ioasid, prot | IOMMU_MAP_FIXED_IOVA, 0,
		   (uintptr_t)addr, len, &iova);
}

int iommu_map_fd(struct iommu_ctx *ctx, uint32_t ioasid, int fd,
		 uint64_t offset, size_t len, unsigned int prot,
		 uint64_t *iova)
{
	uint64_t chosen = 0;
	int rc;

	if (!iommu_prot_ok(prot))
		return iommu_bad_prot(ctx, prot);
	rc = map(ctx, ioasid, prot | IOMMU_MAP_FD, fd, offset, len, &chosen);
	if (!rc)
		*iova = chosen;
	return rc;
}

int iommu_map_fd_fixed(struct iommu_ctx *ctx, uint32_t ioasid, int fd,
		       uint64_t offset, size_t len, unsigned int prot,
		       uint64_t iova)
{
	if (!iommu_prot_ok(prot))
		return iommu_bad_prot(ctx, prot);
	return map(ctx, ioasid, prot | IOMMU_MAP_FD | IOMMU_MAP_FIXED_IOVA, fd,
		   offset, len, &iova);
}

static int unmap(struct iommu_ctx *ctx, struct iommu_unmap_dma *cmd,
		 uint64_t *unmapped)
{
	uint64_t len = cmd->length;
	int rc;

	rc = iommu_ctx_ioctl(ctx, IOMMU_UNMAP_DMA, cmd);
	if (rc)
		return iommu_fail(ctx, -rc, unmap_remedies,
				  "IOASID %u: cannot unmap %llu bytes at %#llx",
				  cmd->ioasid, (unsigned long long)len,
				  (unsigned long long)cmd->iova);
	if (unmapped)
		*unmapped = cmd->length;
	return 0;
}

int iommu_unmap(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t iova,
		uint64_t len, uint64_t *unmapped)
{
	struct iommu_unmap_dma cmd = {
		.size = sizeof(cmd),
		.ioasid = ioasid,
		.iova = iova,
		.length = len,
	};

	return unmap(ctx, &cmd, unmapped);
}

int iommu_unmap_all(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t *unmapped)
{
	struct iommu_unmap_dma cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_UNMAP_ALL,
		.ioasid = ioasid,
	};

	return unmap(ctx, &cmd, unmapped);
}
