// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU_INVALIDATE_CACHE; and arrays of invalidations of whatever ABI.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include "abi/abi.h"
#include "core/compose.h"

static int decode(const struct iommu_invalidate_entry *e,
		  struct iofd_invalidation *inv)
{
	if (e->flags & ~(IOMMU_INVALIDATE_LABEL | IOMMU_INVALIDATE_VPASID |
			 IOMMU_INVALIDATE_LEAF) ||
	    e->granularity > IOMMU_INVALIDATE_RANGE || e->__reserved)
		return -EOPNOTSUPP;
	if ((e->label && !(e->flags & IOMMU_INVALIDATE_LABEL)) ||
	    (e->vpasid && !(e->flags & IOMMU_INVALIDATE_VPASID)) ||
	    e->vpasid >> 20)
		return -EINVAL;
	inv->label = e->flags & IOMMU_INVALIDATE_LABEL ? &e->label : NULL;
	inv->pasid = e->flags & IOMMU_INVALIDATE_VPASID ? e->vpasid :
							  IOFD_ANY_PASID;
	inv->leaf = e->flags & IOMMU_INVALIDATE_LEAF;
	inv->first = 0;
	inv->last = U64_MAX;
	if (e->granularity == IOMMU_INVALIDATE_ALL)
		return e->addr || e->length ? -EINVAL : 0;
	if (!e->length || (e->addr | e->length) & ~PAGE_MASK)
		return -EINVAL;
	inv->first = e->addr;
	inv->last = e->addr + (e->length - 1);
	return inv->last < inv->first ? -EINVAL : 0;
}

static int invalidate_one(struct iofd_space *space, void __user *uentry,
			  size_t bytes)
{
	struct iommu_invalidate_entry entry;
	struct iofd_invalidation inv;
	int rc;

	rc = copy_struct_from_user(&entry, sizeof(entry), uentry, bytes);
	if (!rc)
		rc = decode(&entry, &inv);
	return rc ?: iofd_space_invalidate(space, &inv);
}

int iofd_abi_invalidate(struct iofd_space *space, u64 entries, u32 entry_bytes,
			u32 *nr,
			int (*fn)(struct iofd_space *space, void __user *entry,
				  size_t bytes))
{
	u32 left = *nr;
	int rc;

	for (*nr = 0; left; left--) {
		if (fatal_signal_pending(current))
			return -EINTR;
		rc = fn(space, u64_to_user_ptr(entries), entry_bytes);
		if (rc)
			return rc;
		++*nr;
		entries += entry_bytes;
		cond_resched();
	}
	return 0;
}

int iofd_native_invalidate(struct iofd_ctx *ctx, void *ucmd)
{
	struct iommu_invalidate_cache *cmd = ucmd;
	u32 nr = cmd->nr_entries;
	struct iofd_space *space;
	int rc = -EOPNOTSUPP;

	cmd->nr_entries = 0;
	if (cmd->entry_len_bytes < sizeof(struct iommu_invalidate_entry))
		return -EINVAL;
	space = iofd_space_get(ctx, cmd->ioasid);
	if (!space)
		return -ENOENT;
	if (iofd_space_user_managed(space)) {
		cmd->nr_entries = nr;
		rc = iofd_abi_invalidate(space, cmd->entries,
					 cmd->entry_len_bytes,
					 &cmd->nr_entries, invalidate_one);
	}
	iofd_space_put(space);
	return rc;
}
