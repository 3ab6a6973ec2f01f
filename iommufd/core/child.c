// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping and unmapping in a kernel-managed child: ranges of the child lead to
 * ranges of its parent, whether or not there is something yet.
 */
#include <linux/slab.h>
#include "core/compose.h"

static int check_request(const struct iofd_map_request *req)
{
	u64 mask = req->source | req->length | (req->fixed ? req->iova : 0);

	if (req->file || !req->length || mask & ~PAGE_MASK)
		return -EINVAL;
	if (req->source + (req->length - 1) < req->source ||
	    (req->fixed && req->iova + (req->length - 1) < req->iova))
		return -EINVAL;
	return req->length > (1ULL << 62) ? -EINVAL : 0;
}

/* Sets *@link to NULL once it is the space's. */
static int map_locked(struct iofd_space *space, struct iofd_map_request *req,
		      struct iofd_mapping *m, struct iofd_link **link)
{
	struct iofd_link *new = *link;
	struct iofd_mapping *next;
	int rc;

	iofd_space_assert_locked(space);

	if (space->dead)
		return -ENOENT;
	if (!iofd_links_admit(space, req->length))
		return -ENOSPC;
	rc = iofd_map_place(space, req, &next);
	if (rc)
		return rc;
	m->first = req->iova;
	m->last = req->iova + (req->length - 1);
	new->child.start = m->first;
	new->child.last = m->last;
	iofd_iova_insert(space, m, next);
	iofd_link_add(space, new);
	*link = NULL;
	rc = iofd_links_fill(space, new);
	if (rc) {
		iofd_links_remove(space, m->first, m->last);
		iofd_iova_remove(space, m);
		return rc;
	}
	iofd_tables_sync(space, m->first, m->last);
	return 0;
}

int iofd_child_map(struct iofd_space *space, struct iofd_map_request *req)
{
	struct iofd_mapping *m;
	struct iofd_link *link;
	int rc;

	rc = check_request(req);
	if (rc)
		return rc;
	m = iofd_mapping_alloc();
	link = iofd_link_alloc(0, 0, req->source,
			       req->source + (req->length - 1));
	rc = -ENOMEM;
	if (!m || !link)
		goto out;
	link->prot = req->prot;
	rc = iofd_space_lock(space);
	if (rc)
		goto out;
	rc = map_locked(space, req, m, &link);
	iofd_space_unlock(space);
	if (!rc)
		return 0;
out:
	iofd_link_free(link);
	iofd_mapping_free(m);
	return rc;
}
