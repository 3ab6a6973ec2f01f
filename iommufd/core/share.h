/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is charged for a mapping, and pinned pages that several mappings share.
 */
#ifndef IOFD_CORE_SHARE_H
#define IOFD_CORE_SHARE_H

#include "core/space.h"

/* The low bits of iofd_mapping.owner */
#define IOFD_OWNER_SHARE	1UL	/* it is the address of a share */
#define IOFD_OWNER_FILE		2UL	/* the pages were named by a file */
#define IOFD_OWNER_BITS		3UL

/**
 * struct iofd_share - pinned pages that several mappings have
 * @refs: mappings that have them, all of one length
 * @prot: (c) what they were pinned for: IOFD_READ | IOFD_WRITE
 * @account: who was charged, once; exchanged by iofd_change_process()
 * @counted: which run of iofd_change_process() saw it last; belongs to that
 *
 * The last mapping unpins and takes the charge back.
 */
struct iofd_share {
	refcount_t refs;
	unsigned int prot;
	struct iofd_account *account;
	unsigned long counted;
};

/** iofd_mapping_share() - what it shares, or NULL */
static inline struct iofd_share *iofd_mapping_share(const struct iofd_mapping *m)
{
	return m->owner & IOFD_OWNER_SHARE ?
		(struct iofd_share *)(m->owner & ~IOFD_OWNER_BITS) : NULL;
}

/** iofd_mapping_account() - who is charged for a mapping; NULL: nobody */
static inline struct iofd_account *
iofd_mapping_account(const struct iofd_mapping *m)
{
	struct iofd_share *share = iofd_mapping_share(m);

	return share ? READ_ONCE(share->account) :
		       (struct iofd_account *)(m->owner & ~IOFD_OWNER_BITS);
}

/** iofd_mapping_pages() - its length in pages */
static inline unsigned long iofd_mapping_pages(const struct iofd_mapping *m)
{
	return (m->last - m->first + 1) >> PAGE_SHIFT;
}

/**
 * iofd_share_leave() - a mapping that is being unmapped gives up its share
 * @space: its lock is held
 * @m: has a share, and nothing reaches the pages through it any more
 *
 * Return: 0 when other mappings keep the pages, and @m is charged to nobody; or,
 * for the last one, what the pages were pinned for: @m is charged for them alone,
 * and is to unpin them.
 */
unsigned int iofd_share_leave(struct iofd_space *space, struct iofd_mapping *m);

/**
 * struct iofd_copy_request - one COPY
 * @from: root whose mappings are to be had elsewhere as well
 * @to: root where; may be the same
 * @source: first byte in @from
 * @length: bytes
 * @iova: first byte in @to; input when @fixed, always output
 * @prot: IOFD_READ | IOFD_WRITE
 * @fixed: use @iova as it is
 */
struct iofd_copy_request {
	struct iofd_space *from;
	struct iofd_space *to;
	u64 source;
	u64 length;
	u64 iova;
	unsigned int prot;
	bool fixed;
};

/**
 * iofd_space_copy() - map in a root what is mapped in a root already
 * @req: what; both are of the same context
 *
 * The range consists of whole mappings. Each becomes a mapping in @req->to, which
 * shares its pages: they stay pinned, and charged once, until the last one goes.
 *
 * Return: 0; -ENOENT for a hole in the source; -EINVAL for a source that cuts a
 * mapping, or an address that is not permitted; -EPERM for write access to what
 * was mapped without; -EEXIST; -ENOSPC; -ENOMEM; -EINTR.
 */
int iofd_space_copy(struct iofd_copy_request *req);

/**
 * iofd_change_process() - charge the caller for all that is mapped
 * @ctx: all of its mappings are of files
 *
 * Return: 0; -EINVAL when one is of memory of the process that mapped it;
 * -ENOMEM; -EINTR. On failure all is charged as before.
 */
int iofd_change_process(struct iofd_ctx *ctx);

#endif /* IOFD_CORE_SHARE_H */
