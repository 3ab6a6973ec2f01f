// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another process takes over what is pinned: for a program that replaces itself
 * while its devices run on.
 */
#include <linux/sched/signal.h>
#include "core/space.h"
#include "core/share.h"

static DEFINE_MUTEX(change_lock);
static unsigned long change_count;	/* (change_lock) */

/* The next root from @id on, with a reference; or NULL. */
static struct iofd_space *next_root(struct iofd_ctx *ctx, unsigned long *id)
{
	struct iofd_space *space = NULL;
	struct iofd_object *obj;

	xa_lock(&ctx->objects);
	xa_for_each_start(&ctx->objects, *id, obj, *id) {
		if (obj->type != IOFD_OBJ_SPACE)
			continue;
		space = container_of(obj, struct iofd_space, obj);
		if (!space->parent)
			break;
		space = NULL;
	}
	if (space)
		refcount_inc(&space->obj.refs);
	xa_unlock(&ctx->objects);
	return space;
}

#define for_each_mapping(space, m)					\
	for (m = iofd_iova_overlap(space, 0, U64_MAX); m;		\
	     m = iofd_iova_next(m))

/* Count what @account would be charged for, that is not its own already. */
static int count_root(struct iofd_space *space, struct iofd_account *account,
		      unsigned long *npages)
{
	struct iofd_mapping *m;
	int rc;

	lockdep_assert_held(&change_lock);

	rc = iofd_space_lock(space);
	if (rc)
		return rc;
	if (space->dead)
		goto out;
	for_each_mapping(space, m) {
		struct iofd_share *share = iofd_mapping_share(m);

		rc = -EINVAL;
		if (!(m->owner & IOFD_OWNER_FILE))
			break;
		rc = -EINTR;
		if (fatal_signal_pending(current))
			break;
		rc = 0;
		cond_resched();
		if (iofd_mapping_account(m) == account)
			continue;
		if (share && share->counted == change_count)
			continue;
		if (share)
			share->counted = change_count;
		*npages += iofd_mapping_pages(m);
	}
out:
	iofd_space_unlock(space);
	return rc;
}

/* Give @m to @account, which is charged for it. Returns whose it was. */
static struct iofd_account *change_owner(struct iofd_mapping *m,
					 struct iofd_account *account)
{
	struct iofd_share *share = iofd_mapping_share(m);
	struct iofd_account *old = iofd_mapping_account(m);

	if (share)
		WRITE_ONCE(share->account, account);
	else
		m->owner = (unsigned long)account | (m->owner & IOFD_OWNER_BITS);
	return old;
}

/* Hand over as much as @account has been charged for, and cannot fail. */
static void move_root(struct iofd_space *space, struct iofd_account *account,
		      unsigned long *npages)
{
	struct iofd_ctx *ctx = space->obj.ctx;
	struct iofd_mapping *m;

	lockdep_assert_held(&change_lock);

	mutex_lock(&space->lock);
	if (space->dead)
		goto out;
	for_each_mapping(space, m) {
		unsigned long n = iofd_mapping_pages(m);
		struct iofd_account *old;

		/* Mapped in between: it is charged to whoever mapped it. */
		if (!(m->owner & IOFD_OWNER_FILE) || n > *npages ||
		    iofd_mapping_account(m) == account)
			continue;
		iofd_account_use(ctx, account);
		old = change_owner(m, account);
		iofd_account_uncharge(old, n);
		iofd_account_put(ctx, old);
		*npages -= n;
		cond_resched();
	}
out:
	iofd_space_unlock(space);
}

static int change(struct iofd_ctx *ctx, struct iofd_account *account)
{
	unsigned long npages = 0, id;
	struct iofd_space *space;
	int rc;

	lockdep_assert_held(&change_lock);

	change_count++;
	for (id = 0; (space = next_root(ctx, &id)); id++) {
		rc = count_root(space, account, &npages);
		iofd_space_put(space);
		if (rc)
			return rc;
	}
	rc = iofd_account_charge(account, npages);
	if (rc)
		return rc;
	for (id = 0; npages && (space = next_root(ctx, &id)); id++) {
		move_root(space, account, &npages);
		iofd_space_put(space);
	}
	/* Something has been unmapped in between. */
	iofd_account_uncharge(account, npages);
	return 0;
}

int iofd_change_process(struct iofd_ctx *ctx)
{
	struct iofd_account *account;
	int rc;

	account = iofd_account_get(ctx);
	if (!account)
		return -ENOMEM;
	rc = mutex_lock_killable(&change_lock) ? -EINTR : 0;
	if (!rc) {
		rc = change(ctx, account);
		mutex_unlock(&change_lock);
	}
	iofd_account_put(ctx, account);
	return rc;
}
