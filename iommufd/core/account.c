// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charging pinned memory.
 *
 * A page is charged to the user (user_struct.locked_vm, which RLIMIT_MEMLOCK
 * limits) and shows at the process as VmPin (mm_struct.pinned_vm). Every mapping
 * is charged; CAP_IPC_LOCK lifts the limit, not the count, so that what is
 * pinned can always be seen.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include "core/core.h"

/* A process can become another user's after it has mapped. */
static bool account_is_current(const struct iofd_account *account)
{
	return account->mm == current->mm && account->user == current_user();
}

static struct iofd_account *account_find(struct iofd_ctx *ctx)
{
	struct iofd_account *account;

	lockdep_assert_held(&ctx->account_lock);
	list_for_each_entry(account, &ctx->accounts, list)
		if (account_is_current(account))
			return account;
	return NULL;
}

static struct iofd_account *account_new(void)
{
	struct iofd_account *account;

	account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		return NULL;
	account->user = get_uid(current_user());
	mmgrab(current->mm);
	account->mm = current->mm;
	account->pid = task_tgid_nr(current);
	account->nr_users = 1;
	atomic64_set(&account->pages, 0);
	return account;
}

static void account_free(struct iofd_account *account)
{
	WARN_ON(atomic64_read(&account->pages));
	mmdrop(account->mm);
	free_uid(account->user);
	kfree(account);
}

struct iofd_account *iofd_account_get(struct iofd_ctx *ctx)
{
	struct iofd_account *account = ctx->account, *other;

	/* Nearly always the opener maps; its account stays with the context. */
	if (likely(account && account_is_current(account)))
		return account;

	spin_lock(&ctx->account_lock);
	account = account_find(ctx);
	if (account)
		account->nr_users++;
	spin_unlock(&ctx->account_lock);
	if (account)
		return account;

	account = account_new();
	if (!account)
		return NULL;

	spin_lock(&ctx->account_lock);
	other = account_find(ctx);
	if (other)
		other->nr_users++;
	else
		list_add_tail(&account->list, &ctx->accounts);
	spin_unlock(&ctx->account_lock);
	if (other) {
		account_free(account);
		return other;
	}
	return account;
}

void iofd_account_put(struct iofd_ctx *ctx, struct iofd_account *account)
{
	bool last;

	if (account == ctx->account)
		return;

	spin_lock(&ctx->account_lock);
	last = !--account->nr_users;
	if (last)
		list_del(&account->list);
	spin_unlock(&ctx->account_lock);
	if (last)
		account_free(account);
}

int iofd_account_charge(struct iofd_account *account, unsigned long npages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK);
	unsigned long locked;

	if (limit != RLIM_INFINITY)
		limit >>= PAGE_SHIFT;
	/* Do not let a request that can never fit push others over the limit. */
	if (npages > limit && !capable(CAP_IPC_LOCK))
		return -ENOMEM;

	locked = atomic_long_add_return(npages, &account->user->locked_vm);
	if (locked > limit && !capable(CAP_IPC_LOCK)) {
		atomic_long_sub(npages, &account->user->locked_vm);
		return -ENOMEM;
	}
	atomic64_add(npages, &account->mm->pinned_vm);
	atomic64_add(npages, &account->pages);
	return 0;
}

void iofd_account_uncharge(struct iofd_account *account, unsigned long npages)
{
	atomic64_sub(npages, &account->pages);
	atomic64_sub(npages, &account->mm->pinned_vm);
	atomic_long_sub(npages, &account->user->locked_vm);
}

/* Called with the context unpublished: nobody else is in it. */
int iofd_account_init(struct iofd_ctx *ctx)
{
	spin_lock_init(&ctx->account_lock);
	INIT_LIST_HEAD(&ctx->accounts);
	ctx->account = account_new();
	if (!ctx->account)
		return -ENOMEM;
	list_add(&ctx->account->list, &ctx->accounts);
	return 0;
}

void iofd_account_exit(struct iofd_ctx *ctx)
{
	struct iofd_account *account = ctx->account;

	ctx->account = NULL;
	iofd_account_put(ctx, account);
	WARN_ON(!list_empty(&ctx->accounts));
}
