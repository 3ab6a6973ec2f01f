// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charging pinned memory.
 *
 * A page is charged to the user (user_struct.locked_vm, which RLIMIT_MEMLOCK
 * limits), or instead to the process (mm_struct.locked_vm), and shows at the process as VmPin (mm_struct.pinned_vm). Every mapping
 * is charged; CAP_IPC_LOCK lifts the limit, not the count, so that what is
 * pinned can always be seen.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
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

static struct iofd_account *account_new(struct iofd_ctx *ctx)
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
	account->by_process = READ_ONCE(ctx->by_process);
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

	account = account_new(ctx);
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

/*
 * The other things that count there (mlock()) change it with the lock held. The
 * process may be gone; its mm_struct is not.
 */
static noinline int charge_process(struct iofd_account *account, unsigned long npages,
			  unsigned long limit)
{
	struct mm_struct *mm = account->mm;
	int rc = 0;

	mmap_write_lock(mm);
	if ((npages > limit || mm->locked_vm > limit - npages) &&
	    !capable(CAP_IPC_LOCK))
		rc = -ENOMEM;
	else
		mm->locked_vm += npages;
	mmap_write_unlock(mm);
	return rc;
}

static noinline void uncharge_process(struct iofd_account *account,
				      unsigned long npages)
{
	struct mm_struct *mm = account->mm;

	mmap_write_lock(mm);
	mm->locked_vm -= npages;
	mmap_write_unlock(mm);
	/* Last: @by_process may change once there is nothing left. */
	atomic64_sub(npages, &account->mm->pinned_vm);
	smp_mb__before_atomic();
	atomic64_sub(npages, &account->pages);
}

static int charge_user(struct iofd_account *account, unsigned long npages,
		       unsigned long limit)
{
	unsigned long locked;

	/* Do not let a request that can never fit push others over the limit. */
	if (npages > limit && !capable(CAP_IPC_LOCK))
		return -ENOMEM;

	locked = atomic_long_add_return(npages, &account->user->locked_vm);
	if (locked > limit && !capable(CAP_IPC_LOCK)) {
		atomic_long_sub(npages, &account->user->locked_vm);
		return -ENOMEM;
	}
	return 0;
}

int iofd_account_charge(struct iofd_account *account, unsigned long npages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK);
	int rc;

	if (limit != RLIM_INFINITY)
		limit >>= PAGE_SHIFT;
	if (likely(!account->by_process))
		rc = charge_user(account, npages, limit);
	else
		rc = charge_process(account, npages, limit);
	if (rc)
		return rc;
	atomic64_add(npages, &account->mm->pinned_vm);
	atomic64_add(npages, &account->pages);
	return 0;
}

void iofd_account_uncharge(struct iofd_account *account, unsigned long npages)
{
	if (unlikely(account->by_process)) {
		uncharge_process(account, npages);
		return;
	}
	atomic64_sub(npages, &account->mm->pinned_vm);
	atomic_long_sub(npages, &account->user->locked_vm);
	/* Last: see uncharge_process(). */
	smp_mb__before_atomic();
	atomic64_sub(npages, &account->pages);
}

void iofd_account_use(struct iofd_ctx *ctx, struct iofd_account *account)
{
	if (account == ctx->account)
		return;
	spin_lock(&ctx->account_lock);
	account->nr_users++;
	spin_unlock(&ctx->account_lock);
}

/*
 * Nothing is charged without a space, and none appears or goes while the objects
 * are locked. What is being given back still, after its space went, counts.
 */
int iofd_account_by_process(struct iofd_ctx *ctx, bool by_process)
{
	struct iofd_account *account = ctx->account;
	bool busy;

	xa_lock(&ctx->objects);
	spin_lock(&ctx->account_lock);
	busy = !xa_empty(&ctx->objects) || !list_is_singular(&ctx->accounts) ||
	       atomic64_read(&account->pages);
	if (!busy) {
		WRITE_ONCE(ctx->by_process, by_process);
		account->by_process = by_process;
	}
	spin_unlock(&ctx->account_lock);
	xa_unlock(&ctx->objects);
	return busy ? -EBUSY : 0;
}

/* Called with the context unpublished: nobody else is in it. */
int iofd_account_init(struct iofd_ctx *ctx)
{
	spin_lock_init(&ctx->account_lock);
	INIT_LIST_HEAD(&ctx->accounts);
	ctx->account = account_new(ctx);
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
