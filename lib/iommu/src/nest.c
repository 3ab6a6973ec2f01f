// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "priv.h"

static const struct remedy child_remedies[] = {
	{ EINVAL, "the width, the number of levels, the table's alignment or a flag makes no sense" },
	{ EOPNOTSUPP, "the parent is a table of PASIDs, the kernel does not know a flag, or it cannot compose a table with such flags" },
	{ ENOENT, "there is no such parent in this context" },
	{ ENOSPC, "the parent has 7 parents above it, which is all there can be, or the context has as many IOASIDs as it can have" },
	{ E2BIG, "the parent is a user's table that says more than its own parent could hold" },
	{}
};

static const struct remedy map_remedies[] = {
	{ EINVAL, "an address or the length is not a multiple of the page size, the range is not permitted for all attached devices, or the IOASID is no child" },
	{ EOPNOTSUPP, "the IOASID is a user's table: write to it, then call iommu_invalidate()" },
	{ ENOENT, "there is no such IOASID in this context" },
	{ EEXIST, "something is mapped in the range" },
	{ ENOSPC, "no free range of that length; or a child of a child would map more than 64 pages for each that its root maps, and 16 GiB" },
	{}
};

static const struct remedy invalidate_remedies[] = {
	{ EOPNOTSUPP, "the kernel fills that IOASID and flushes by itself, or does not know a flag" },
	{ EINVAL, "an address or length is not a multiple of 4096, or the range is not one of canonical addresses" },
	{ ENOENT, "there is no such IOASID or label, or the device or PASID is not attached to it" },
	{ E2BIG, "the table says more than its parent could hold and translates nothing now: mend it, then invalidate all of it" },
	{ ENOMEM, "no memory to compose the table, which translates nothing now: invalidate all of it when there is" },
	{}
};

int iommu_child_alloc(struct iommu_ctx *ctx, uint32_t parent,
		      unsigned int addr_width_bits, uint32_t *ioasid)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.parent = parent,
		.addr_width_bits = addr_width_bits,
	};
	int rc;

	/* Without a parent it would be a root, and its memory the program's. */
	if (!parent)
		return iommu_refuse(ctx, ENOENT, "a child needs a parent: 0 is no IOASID");
	rc = iommu_ctx_ioctl(ctx, IOMMU_IOASID_ALLOC, &cmd);
	if (rc)
		return iommu_fail(ctx, -rc, child_remedies,
				  "cannot allocate a child of IOASID %u", parent);
	*ioasid = cmd.ioasid;
	return 0;
}

int iommu_vtd_s1_alloc(struct iommu_ctx *ctx, uint32_t parent,
		       const struct iommu_vtd_s1_spec *spec, uint32_t *ioasid)
{
	struct iommu_vtd_s1_spec s = {};
	struct iommu_vtd_s1_attrs attrs = {};
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_USER_MANAGED,
		.parent = parent,
		.format = IOMMU_FORMAT_VTD_S1,
		.attrs = (uintptr_t)&attrs,
		.attrs_len_bytes = sizeof(attrs),
	};
	int rc;

	if (spec->size > sizeof(s))
		return iommu_refuse(ctx, E2BIG,
				    "the program is newer than its libiommu");
	memcpy(&s, spec, spec->size);
	if (!parent)
		return iommu_refuse(ctx, ENOENT, "a child needs a parent: 0 is no IOASID");
	if (s.levels != 4 && s.levels != 5)
		return iommu_refuse(ctx, EINVAL,
				    "a VT-d first-stage table has 4 or 5 levels, not %u",
				    s.levels);
	attrs.flags = s.flags;
	cmd.addr_width_bits = 12 + 9 * s.levels;
	cmd.table_addr = s.table_addr;
	cmd.nesting = s.nesting;
	cmd.coherency = s.coherency;
	rc = iommu_ctx_ioctl(ctx, IOMMU_IOASID_ALLOC, &cmd);
	if (rc)
		return iommu_fail(ctx, -rc, child_remedies,
				  "cannot allocate a child of IOASID %u for the table at %#llx",
				  parent, (unsigned long long)s.table_addr);
	*ioasid = cmd.ioasid;
	return 0;
}

static int map_child(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t addr,
		     uint64_t len, uint32_t flags, uint64_t *addr_in_child)
{
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioasid = ioasid,
		.source = addr,
		.length = len,
		.iova = *addr_in_child,
	};
	int rc;

	rc = iommu_ctx_ioctl(ctx, IOMMU_MAP_DMA, &cmd);
	if (rc)
		return iommu_fail(ctx, -rc, map_remedies,
				  "IOASID %u: cannot map %llu bytes at %#llx of its parent",
				  ioasid, (unsigned long long)len,
				  (unsigned long long)addr);
	*addr_in_child = cmd.iova;
	return 0;
}

int iommu_map_child(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t addr,
		    uint64_t len, unsigned int prot, uint64_t *addr_in_child)
{
	uint64_t chosen = 0;
	int rc;

	if (!iommu_prot_ok(prot))
		return iommu_bad_prot(ctx, prot);
	rc = map_child(ctx, ioasid, addr, len, prot, &chosen);
	if (!rc)
		*addr_in_child = chosen;
	return rc;
}

int iommu_map_child_fixed(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t addr,
			  uint64_t len, unsigned int prot,
			  uint64_t addr_in_child)
{
	if (!iommu_prot_ok(prot))
		return iommu_bad_prot(ctx, prot);
	return map_child(ctx, ioasid, addr, len, prot | IOMMU_MAP_FIXED_IOVA,
			 &addr_in_child);
}

int iommu_invalidate_entries(struct iommu_ctx *ctx, uint32_t ioasid,
			     const struct iommu_invalidate_entry *entries,
			     uint32_t nr, uint32_t *done)
{
	struct iommu_invalidate_cache cmd = {
		.size = sizeof(cmd),
		.ioasid = ioasid,
		.entries = (uintptr_t)entries,
		.entry_len_bytes = sizeof(*entries),
		.nr_entries = nr,
	};
	const struct iommu_invalidate_entry *e;
	int rc;

	if (done)
		*done = 0;
	rc = iommu_ctx_ioctl(ctx, IOMMU_INVALIDATE_CACHE, &cmd);
	/* A kernel that does not know the command has not counted. */
	if (rc && (rc == -ENOTTY || cmd.nr_entries >= nr))
		return iommu_fail(ctx, -rc, invalidate_remedies,
				  "IOASID %u: cannot invalidate", ioasid);
	if (done)
		*done = cmd.nr_entries;
	if (!rc)
		return 0;
	e = &entries[cmd.nr_entries];
	if (e->granularity == IOMMU_INVALIDATE_ALL)
		return iommu_fail(ctx, -rc, invalidate_remedies,
				  "IOASID %u: cannot invalidate all of it", ioasid);
	return iommu_fail(ctx, -rc, invalidate_remedies,
			  "IOASID %u: cannot invalidate %llu bytes at %#llx",
			  ioasid, (unsigned long long)e->length,
			  (unsigned long long)e->addr);
}

int iommu_invalidate(struct iommu_ctx *ctx, uint32_t ioasid, uint64_t addr,
		     uint64_t len)
{
	struct iommu_invalidate_entry entry = {
		.granularity = IOMMU_INVALIDATE_RANGE,
		.addr = addr,
		.length = len,
	};

	return iommu_invalidate_entries(ctx, ioasid, &entry, 1, NULL);
}

int iommu_invalidate_all(struct iommu_ctx *ctx, uint32_t ioasid)
{
	struct iommu_invalidate_entry entry = {
		.granularity = IOMMU_INVALIDATE_ALL,
	};

	return iommu_invalidate_entries(ctx, ioasid, &entry, 1, NULL);
}
