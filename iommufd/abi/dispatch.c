// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the number of a command on /dev/iommu to the function that does it: the
 * structure fetched and checked for its size, the reply written.
 */
#include <linux/overflow.h>
#include <linux/uaccess.h>
#include "abi/abi.h"
#include "compat/compat.h"
#include "core/core.h"

/*
 * The caller's structure has nearly always the size that we know, and is a few
 * words: fetched and written as such, it costs a fraction of a copy whose length
 * is not known at compile time.
 */
static bool in_words(const void __user *arg, size_t size, size_t known)
{
	return size == known &&
	       IS_ALIGNED((uintptr_t)arg | known, sizeof(u64));
}

static int words_in(u64 *to, const u64 __user *from, size_t n)
{
	size_t i;

	if (!user_read_access_begin(from, n * sizeof(*from)))
		return -EFAULT;
	for (i = 0; i < n; i++)
		unsafe_get_user(to[i], from + i, fault);
	user_read_access_end();
	return 0;
fault:
	user_read_access_end();
	return -EFAULT;
}

static int words_out(u64 __user *to, const u64 *from, size_t n)
{
	size_t i;

	if (!user_write_access_begin(to, n * sizeof(*to)))
		return -EFAULT;
	for (i = 0; i < n; i++)
		unsafe_put_user(from[i], to + i, fault);
	user_write_access_end();
	return 0;
fault:
	user_write_access_end();
	return -EFAULT;
}

int iofd_abi_copy_in(void *cmd, size_t known, size_t min, void __user *arg)
{
	u32 size;
	int rc;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < min)
		return -EINVAL;
	if (!in_words(arg, size, known))
		rc = copy_struct_from_user(cmd, known, arg, size);
	else
		rc = words_in(cmd, arg, known / sizeof(u64));
	/* As it was checked, whatever another thread has made of it. */
	*(u32 *)cmd = size;
	return rc;
}

int iofd_abi_copy_out(void __user *arg, const void *cmd, size_t known)
{
	u32 size = *(const u32 *)cmd;

	if (in_words(arg, size, known))
		return words_out(arg, cmd, known / sizeof(u64));
	return copy_to_user(arg, cmd, min_t(size_t, size, known)) ? -EFAULT : 0;
}

int iofd_abi_put_ranges(u64 uptr, u32 room,
			const struct iommu_ioasid_range *ranges, u32 nr)
{
	u32 fits = min(room, nr);

	if (copy_to_user(u64_to_user_ptr(uptr), ranges,
			 array_size(fits, sizeof(*ranges))))
		return -EFAULT;
	return fits < nr ? -EMSGSIZE : 0;
}

/*
 * NULL: none that this is about. Upstream's numbers lie below the native ones, and
 * those of VFIO's container below upstream's.
 */
static const struct iofd_abi_op *find_op(unsigned int cmd)
{
	unsigned int nr = cmd - _IO(IOMMU_IOASID_TYPE, IOMMU_IOASID_BASE);
	const struct iofd_abi_op *op;

	if (nr < IOFD_NR_NATIVE_OPS)
		return &iofd_native_ops[nr];
	nr = cmd - _IO(IOMMU_IOASID_TYPE, IOFD_UPSTREAM_BASE);
	if (nr >= IOFD_NR_UPSTREAM_OPS)
		return NULL;
	op = &iofd_upstream_ops[nr];
	return op->fn ? op : NULL;
}

long iofd_abi_dispatch(struct iofd_ctx *ctx, unsigned int cmd, void __user *arg)
{
	const struct iofd_abi_op *op = find_op(cmd);
	u64 buf[IOFD_ABI_CMD_BYTES / sizeof(u64)] __uninitialized;
	int rc;

	if (unlikely(!op))
		return iofd_container_ioctl(ctx, cmd, arg);
	rc = iofd_abi_copy_in(buf, op->size, op->min_size, arg);
	if (rc)
		return rc;
	if (op->reply == REPLY_PROBED && iofd_abi_copy_out(arg, buf, op->size))
		return -EFAULT;
	rc = op->fn(ctx, buf);
	/* EMSGSIZE tells how much room is needed. */
	if ((rc && rc != -EMSGSIZE && op->reply != REPLY_ALWAYS) ||
	    op->reply == REPLY_NONE)
		return rc;
	if (iofd_abi_copy_out(arg, buf, op->size)) {
		if (!rc && op->undo)
			op->undo(ctx, buf);
		return -EFAULT;
	}
	if (unlikely(op->done) && !rc)
		op->done(ctx, buf);
	return rc;
}
