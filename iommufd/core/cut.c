// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cutting mappings in two, for programs that unmap in the middle of what they have
 * mapped, as VFIO's type1 containers of the first version can.
 *
 * Page tables keep runs as they were mapped and are not asked to divide a leaf. So
 * there are cuts only where every leaf of every table in the tree of spaces is one
 * page, and then the tables need not know.
 */
#include "core/share.h"

/* The mapping that @at is in, unless it begins there; or NULL. */
static struct iofd_mapping *crossing(struct iofd_space *space, u64 at)
{
	struct iofd_mapping *m = at ? iofd_iova_overlap(space, at - 1, at) : NULL;

	return m && m->first < at && at <= m->last ? m : NULL;
}

static int check(struct iofd_space *space, u64 at)
{
	struct iofd_mapping *m = crossing(space, at);

	if (!m)
		return 0;
	/* Pages that are shared are known by whole mappings alone. */
	return at & ~PAGE_MASK || iofd_mapping_share(m) ? -EINVAL : 0;
}

/* Returns true when @rest is part of the space now. */
static bool cut(struct iofd_space *space, u64 at, struct iofd_mapping *rest)
{
	struct iofd_mapping *m = crossing(space, at);

	if (!m)
		return false;
	rest->first = at;
	rest->last = m->last;
	rest->owner = m->owner;
	iofd_account_use(space->obj.ctx, iofd_mapping_account(m));
	/* They are counted again with what is inserted. */
	space->nr_pages -= iofd_mapping_pages(rest);
	m->last = at - 1;
	iofd_iova_insert(space, rest, iofd_iova_next(m));
	return true;
}

static int cut_locked(struct iofd_space *space, u64 first, u64 last,
		      struct iofd_mapping *rest[2])
{
	/* Behind the last address of all there is nothing. */
	u64 at[2] = { first, last + 1 };
	unsigned int i;
	int rc;

	iofd_space_assert_locked(space);

	if (space->dead)
		return -ENOENT;
	if (!space->small_leaves)
		return 0;
	rc = check(space, at[0]) ?: check(space, at[1]);
	for (i = 0; i < 2 && !rc; i++)
		if (cut(space, at[i], rest[i]))
			rest[i] = NULL;
	return rc;
}

int iofd_space_cut(struct iofd_space *space, u64 first, u64 last)
{
	struct iofd_mapping *rest[2];
	int rc = -ENOMEM;

	rest[0] = iofd_mapping_alloc();
	rest[1] = iofd_mapping_alloc();
	if (!rest[0] || !rest[1])
		goto out;
	rc = iofd_space_lock(space);
	if (rc)
		goto out;
	rc = cut_locked(space, first, last, rest);
	iofd_space_unlock(space);
out:
	iofd_mapping_free(rest[0]);
	iofd_mapping_free(rest[1]);
	return rc;
}
