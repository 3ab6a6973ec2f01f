// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Upstream's commands on /dev/iommu: sizes and values, each row of the contract
 * that clients depend on, sharing, options, closing.
 */
#include "upstream.h"
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/poll.h>
#include "abi/abi.h"
#include "core/hwpt.h"
#include "core/share.h"

#define USER	0x10000000ul
#define PAGES	64
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)

struct fixture {
	int fd;
	int ioas;
	int dev;
	int hwpt;
	struct testhw_dev *hw;
};

static const struct iommu_resv_region msi[] = {
	{ .start = 0xfee00000, .length = 0x100000, .type = IOMMU_RESV_MSI },
};

/* ids: 1 the IOAS, 2 the device, 3 a table of the IOAS, attached */
static struct fixture program(void)
{
	struct fixture f = { .fd = t_ok(t_open()), .hw = testhw_dev() };

	f.hw->own_group.regions = msi;
	f.hw->own_group.nr_regions = 1;
	f.hw->nests = true;
	f.hw->pasid_width_bits = 8;
	shim_user_map(USER, PAGES, SHIM_SCATTERED);
	f.ioas = t_ok(u_ioas(f.fd));
	f.dev = t_ok(u_bind(f.hw, f.fd));
	f.hwpt = t_ok(u_hwpt(f.fd, f.dev, f.ioas, UP_HWPT_NEST_PARENT));
	assert_int_equal(u_attach(f.hw, f.hwpt), f.hwpt);
	return f;
}

/* A call that works, in its exact size: a template for the wrong ones */
union command {
	u32 size;
	u64 words[16];
	struct up_destroy destroy;
	struct up_ioas_alloc ioas_alloc;
	struct up_allow_iovas allow;
	struct up_copy copy;
	struct up_iova_ranges ranges;
	struct up_map map;
	struct up_unmap unmap;
	struct up_option option;
	struct up_vfio_ioas vfio_ioas;
	struct up_hwpt_alloc hwpt_alloc;
	struct up_hw_info hw_info;
	struct up_set_dirty set_dirty;
	struct up_get_dirty get_dirty;
	struct up_invalidate invalidate;
	struct up_fault_queue fault_queue;
	struct up_map_file map_file;
	struct up_viommu_alloc viommu;
	struct up_vdevice_alloc vdevice;
	struct up_change_process change;
	struct up_veventq_alloc veventq;
	struct up_hw_queue_alloc hw_queue;
};

static struct up_range room[8];
static struct up_range allowed[] = { { PG(100), PG(200) - 1 } };
static struct up_vtd_s1 s1 = { .addr_width_bits = 48 };
/* One that is right, and what a longer one would have */
static struct {
	struct up_invalidate_vtd_s1 entry;
	u64 more;
} invalidate_all = { .entry.npages = U64_MAX, .more = 1 };

struct template {
	const char *name;
	unsigned int nr;
	unsigned int min;
	int rc;				/* as it is */
	union command u;
};

/* What @t[i].nr is has i = nr - 0x80. */
static void make_templates(struct template *t, struct fixture *f, int nested,
			   int mem)
{
#define TEMPLATE(code, member, min_, rc_, ...)				\
	t[(code) - UP_DESTROY] = (struct template) {			\
		.name = #member, .nr = code, .min = min_, .rc = rc_,	\
		.u.member = { .size = sizeof(t->u.member), __VA_ARGS__ },	\
	}
	TEMPLATE(UP_DESTROY, destroy, 8, -EBUSY, .id = f->ioas);
	TEMPLATE(UP_IOAS_ALLOC, ioas_alloc, 12, 0);
	TEMPLATE(UP_IOAS_ALLOW_IOVAS, allow, 24, 0, .ioas_id = f->ioas, .nr = 1,
		 .ranges = (uintptr_t)allowed);
	TEMPLATE(UP_IOAS_COPY, copy, 40, 0, .flags = UP_MAP_FIXED | UP_RW,
		 .to_ioas_id = f->ioas, .from_ioas_id = f->ioas, .length = PG(4),
		 .to_iova = IOVA + PG(100), .from_iova = IOVA + PG(50));
	TEMPLATE(UP_IOAS_IOVA_RANGES, ranges, 32, 0, .ioas_id = f->ioas, .nr = 8,
		 .ranges = (uintptr_t)room);
	TEMPLATE(UP_IOAS_MAP, map, 40, 0, .flags = UP_MAP_FIXED | UP_RW,
		 .ioas_id = f->ioas, .user_va = USER, .length = PG(4),
		 .iova = IOVA);
	TEMPLATE(UP_IOAS_UNMAP, unmap, 24, 0, .ioas_id = f->ioas,
		 .iova = IOVA + PG(50), .length = PG(4));
	TEMPLATE(UP_OPTION, option, 24, 0, .option_id = UP_OPTION_HUGE_PAGES,
		 .op = UP_OPTION_GET, .object_id = f->ioas);
	TEMPLATE(UP_VFIO_IOAS, vfio_ioas, 12, 0, .op = UP_VFIO_IOAS_SET,
		 .ioas_id = f->ioas);
	TEMPLATE(UP_HWPT_ALLOC, hwpt_alloc, 24, 0, .dev_id = f->dev,
		 .pt_id = f->ioas);
	TEMPLATE(UP_GET_HW_INFO, hw_info, 32, 0, .dev_id = f->dev);
	TEMPLATE(UP_SET_DIRTY_TRACKING, set_dirty, 16, -EOPNOTSUPP,
		 .hwpt_id = f->hwpt, .flags = UP_DIRTY_TRACKING_ENABLE);
	TEMPLATE(UP_GET_DIRTY_BITMAP, get_dirty, 48, -EOPNOTSUPP,
		 .hwpt_id = f->hwpt, .length = PG(1), .page_size = PG(1),
		 .bitmap = (uintptr_t)room);
	TEMPLATE(UP_HWPT_INVALIDATE, invalidate, 32, 0, .hwpt_id = nested,
		 .entries = (uintptr_t)&invalidate_all,
		 .entry_len = sizeof(invalidate_all.entry), .nr = 1);
	TEMPLATE(UP_FAULT_QUEUE_ALLOC, fault_queue, 16, 0);
	TEMPLATE(UP_IOAS_MAP_FILE, map_file, 40, 0, .flags = UP_MAP_FIXED | UP_RW,
		 .ioas_id = f->ioas, .fd = mem, .length = PG(4), .iova = IOVA);
	TEMPLATE(UP_VIOMMU_ALLOC, viommu, 24, -EOPNOTSUPP, .type = 1,
		 .dev_id = f->dev, .hwpt_id = f->hwpt);
	TEMPLATE(UP_VDEVICE_ALLOC, vdevice, 24, -ENOENT, .dev_id = f->dev);
	TEMPLATE(UP_IOAS_CHANGE_PROCESS, change, 8, -EINVAL);
	TEMPLATE(UP_VEVENTQ_ALLOC, veventq, 28, -ENOENT, .type = 1);
	TEMPLATE(UP_HW_QUEUE_ALLOC, hw_queue, 40, -ENOENT, .type = 1);
#undef TEMPLATE
}

static unsigned int template_setup(struct fixture *f, struct template *t)
{
	int nested, mem;

	*f = program();
	nested = t_ok(u_nested(f->fd, f->dev, f->hwpt, 0));
	mem = shim_open_memory(TMPFS_MAGIC, 64, PAGE_SIZE);
	/* The source of COPY, and what UNMAP takes away */
	t_ok(u_map(f->fd, f->ioas, USER + PG(8), 4, IOVA + PG(50)));
	make_templates(t, f, nested, mem);
	return mem;
}

/* Take back what a template that worked has done. */
static void revert(struct fixture *f, unsigned int nr, union command *u)
{
	switch (nr) {
	case UP_IOAS_ALLOC:
		t_ok(u_destroy(f->fd, u->ioas_alloc.ioas_id));
		break;
	case UP_IOAS_ALLOW_IOVAS:
		t_ok(u_allow(f->fd, f->ioas, NULL, 0));
		break;
	case UP_IOAS_COPY:
		t_ok(u_unmap(f->fd, f->ioas, u->copy.to_iova, 4));
		/* It had it alone before, and would be counted as sharing. */
		t_ok(u_unmap(f->fd, f->ioas, IOVA + PG(50), 4));
		t_ok(u_map(f->fd, f->ioas, USER + PG(8), 4, IOVA + PG(50)));
		break;
	case UP_IOAS_MAP:
	case UP_IOAS_MAP_FILE:
		t_ok(u_unmap(f->fd, f->ioas, IOVA, 4));
		break;
	case UP_IOAS_UNMAP:
		t_ok(u_map(f->fd, f->ioas, USER + PG(8), 4, IOVA + PG(50)));
		break;
	case UP_VFIO_IOAS:
		t_ok(u_vfio_ioas(f->fd, UP_VFIO_IOAS_CLEAR, 0));
		break;
	case UP_HWPT_ALLOC:
		t_ok(u_destroy(f->fd, u->hwpt_alloc.hwpt_id));
		break;
	case UP_FAULT_QUEUE_ALLOC:
		shim_close(u->fault_queue.fault_fd);
		t_ok(u_destroy(f->fd, u->fault_queue.fault_id));
		break;
	}
}

/* Every size from none to beyond: the minimum, short, exact, long. */
static void sizes_and_tails(void **state)
{
	struct template t[UP_HW_QUEUE_ALLOC - UP_DESTROY + 1];
	struct fixture f;
	int mem = template_setup(&f, t);
	union {
		union command u;
		u32 size;
		unsigned char bytes[8192];
	} big;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		u32 known = t[i].u.size, size;
		char *before = t_state();

		for (size = 0; size < t[i].min; size++) {
			memset(&big, 0, sizeof(big));
			memcpy(&big, &t[i].u, known);
			big.size = size;
			t_errno(up(f.fd, t[i].nr, &big), EINVAL);
		}
		for (size = known + 1; size < known + 20; size++) {
			memset(&big, 0, sizeof(big));
			memcpy(&big, &t[i].u, known);
			big.size = size;
			big.bytes[size - 1] = 0x80;
			t_errno(up(f.fd, t[i].nr, &big), E2BIG);
		}
		t_errno(up(f.fd, t[i].nr, NULL), EFAULT);
		memset(&big, 0, sizeof(big));
		memcpy(&big, &t[i].u, known);
		shim_bad_user(&big.bytes[known - 1], 1);
		t_errno(up(f.fd, t[i].nr, &big), EFAULT);
		shim_bad_user(NULL, 0);
		assert_state(before);

		for (size = t[i].min; size <= sizeof(big);
		     size = size < known ? size + 4 : size == known ?
			    sizeof(big) : size + 1) {
			long rc;

			memset(&big, 0, sizeof(big));
			memcpy(&big, &t[i].u, known);
			/* What the caller does not say it has is not read. */
			if (size < known)
				memset(big.bytes + size, 0xff, known - size);
			big.size = size;
			rc = up(f.fd, t[i].nr, &big);
			if (rc != t[i].rc)
				fail_msg("%s of %u bytes: %ld", t[i].name, size,
					 rc);
			if (size < known)
				assert_int_equal(big.bytes[size], 0xff);
			assert_int_equal(big.size, size);
			if (!rc)
				revert(&f, t[i].nr, &big.u);
		}
	}
	shim_close(mem);
	shim_close(f.fd);
}

/* unknown ioctl nr: ENOTTY; also one with a size or a direction in it */
static void contract_unknown_number_is_ENOTTY(void **state)
{
	struct fixture f = program();
	union command u = { .size = sizeof(u) };
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		if (nr < UP_DESTROY || (nr > UP_HW_QUEUE_ALLOC && nr < 0xc0))
			t_errno(up(f.fd, nr, &u), ENOTTY);
		t_errno(shim_ioctl(f.fd, _IOW(';', nr, u), &u), ENOTTY);
		t_errno(shim_ioctl(f.fd, _IO(':', nr), &u), ENOTTY);
	}
	shim_close(f.fd);
}

/* One field wrong, everything else right */
struct wrong {
	unsigned int nr;
	size_t offset;
	size_t bytes;
	u64 value;
	int error;
};

#define WRONG(nr, type, field, value, error)				\
	{ nr, offsetof(struct type, field), sizeof(((struct type *)0)->field),	\
	  value, error }

/* unknown flag / reserved: EOPNOTSUPP; and each bad value by its name */
static void contract_unknown_flag_or_reserved_is_EOPNOTSUPP(void **state)
{
	static const struct wrong wrong[] = {
#define OPN(nr, type, field, value) WRONG(nr, type, field, value, EOPNOTSUPP)
		OPN(UP_IOAS_ALLOC, up_ioas_alloc, flags, 1),
		OPN(UP_IOAS_ALLOW_IOVAS, up_allow_iovas, reserved, 1),
		OPN(UP_IOAS_COPY, up_copy, flags, 8 | UP_RW),
		OPN(UP_IOAS_IOVA_RANGES, up_iova_ranges, reserved, 1),
		OPN(UP_IOAS_MAP, up_map, flags, 8 | UP_RW),
		OPN(UP_IOAS_MAP, up_map, flags, 1u << 31),
		OPN(UP_IOAS_MAP, up_map, reserved, 1),
		OPN(UP_IOAS_MAP_FILE, up_map_file, flags, 8 | UP_RW),
		OPN(UP_OPTION, up_option, reserved, 1),
		OPN(UP_OPTION, up_option, op, 2),
		OPN(UP_OPTION, up_option, option_id, 2),
		OPN(UP_OPTION, up_option, option_id, UP_OPTION_RLIMIT_MODE),
		OPN(UP_VFIO_IOAS, up_vfio_ioas, reserved, 1),
		OPN(UP_VFIO_IOAS, up_vfio_ioas, op, 3),
		OPN(UP_HWPT_ALLOC, up_hwpt_alloc, flags, 0x10),
		OPN(UP_HWPT_ALLOC, up_hwpt_alloc, reserved, 1),
		OPN(UP_HWPT_ALLOC, up_hwpt_alloc, reserved2, 1),
		OPN(UP_GET_HW_INFO, up_hw_info, flags, 2),
		OPN(UP_GET_HW_INFO, up_hw_info, reserved[2], 1),
		OPN(UP_SET_DIRTY_TRACKING, up_set_dirty, flags, 2),
		OPN(UP_SET_DIRTY_TRACKING, up_set_dirty, reserved, 1),
		OPN(UP_GET_DIRTY_BITMAP, up_get_dirty, flags, 2),
		OPN(UP_GET_DIRTY_BITMAP, up_get_dirty, reserved, 1),
		OPN(UP_HWPT_INVALIDATE, up_invalidate, reserved, 1),
		OPN(UP_FAULT_QUEUE_ALLOC, up_fault_queue, flags, 1),
		OPN(UP_IOAS_CHANGE_PROCESS, up_change_process, reserved, 1),
		OPN(UP_VIOMMU_ALLOC, up_viommu_alloc, flags, 1),
		OPN(UP_VIOMMU_ALLOC, up_viommu_alloc, type, 0),
		OPN(UP_VEVENTQ_ALLOC, up_veventq_alloc, flags, 1),
		OPN(UP_VEVENTQ_ALLOC, up_veventq_alloc, type, 0),
		OPN(UP_HW_QUEUE_ALLOC, up_hw_queue_alloc, flags, 1),

		/* unsupported HWPT flags: EOPNOTSUPP */
		OPN(UP_HWPT_ALLOC, up_hwpt_alloc, flags, UP_HWPT_DIRTY_TRACKING),

		/* Ids: of nothing, of another kind */
		WRONG(UP_DESTROY, up_destroy, id, 0, ENOENT),
		WRONG(UP_DESTROY, up_destroy, id, 99, ENOENT),
		WRONG(UP_DESTROY, up_destroy, id, U32_MAX, ENOENT),
		WRONG(UP_DESTROY, up_destroy, id, 2, EBUSY),	/* the device */
		WRONG(UP_DESTROY, up_destroy, id, 3, EBUSY),	/* attached */
		WRONG(UP_IOAS_ALLOW_IOVAS, up_allow_iovas, ioas_id, 2, ENOENT),
		WRONG(UP_IOAS_COPY, up_copy, from_ioas_id, 3, ENOENT),
		WRONG(UP_IOAS_COPY, up_copy, to_ioas_id, 4, ENOENT),
		WRONG(UP_IOAS_IOVA_RANGES, up_iova_ranges, ioas_id, 3, ENOENT),
		WRONG(UP_IOAS_MAP, up_map, ioas_id, 0, ENOENT),
		WRONG(UP_IOAS_MAP, up_map, ioas_id, 2, ENOENT),
		WRONG(UP_IOAS_MAP, up_map, ioas_id, 3, ENOENT),
		WRONG(UP_IOAS_MAP, up_map, ioas_id, 4, ENOENT),	/* nested */
		WRONG(UP_IOAS_MAP_FILE, up_map_file, ioas_id, 2, ENOENT),
		WRONG(UP_IOAS_UNMAP, up_unmap, ioas_id, 2, ENOENT),
		WRONG(UP_IOAS_UNMAP, up_unmap, ioas_id, 4, ENOENT),
		WRONG(UP_OPTION, up_option, object_id, 2, ENOENT),
		WRONG(UP_VFIO_IOAS, up_vfio_ioas, ioas_id, 2, ENOENT),
		WRONG(UP_VFIO_IOAS, up_vfio_ioas, op, UP_VFIO_IOAS_GET, ENODEV),
		WRONG(UP_HWPT_ALLOC, up_hwpt_alloc, dev_id, 0, ENOENT),
		WRONG(UP_HWPT_ALLOC, up_hwpt_alloc, dev_id, 1, ENOENT),
		WRONG(UP_HWPT_ALLOC, up_hwpt_alloc, pt_id, 0, EINVAL),
		WRONG(UP_HWPT_ALLOC, up_hwpt_alloc, pt_id, 2, EINVAL),
		WRONG(UP_HWPT_ALLOC, up_hwpt_alloc, pt_id, 4, EINVAL),
		/* Nothing said of the user's table */
		OPN(UP_HWPT_ALLOC, up_hwpt_alloc, pt_id, 3),
		WRONG(UP_HWPT_ALLOC, up_hwpt_alloc, flags, UP_HWPT_FAULT_ID,
		      ENOENT),
		WRONG(UP_GET_HW_INFO, up_hw_info, dev_id, 1, ENOENT),
		WRONG(UP_SET_DIRTY_TRACKING, up_set_dirty, hwpt_id, 1, ENOENT),
		WRONG(UP_GET_DIRTY_BITMAP, up_get_dirty, hwpt_id, 99, ENOENT),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, hwpt_id, 99, ENOENT),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, hwpt_id, 1, EINVAL),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, hwpt_id, 3, EINVAL),
		WRONG(UP_VIOMMU_ALLOC, up_viommu_alloc, dev_id, 1, ENOENT),

		/* Values */
		WRONG(UP_IOAS_ALLOW_IOVAS, up_allow_iovas, ranges, 0, EFAULT),
		WRONG(UP_IOAS_ALLOW_IOVAS, up_allow_iovas, nr, 65537, EINVAL),
		WRONG(UP_IOAS_IOVA_RANGES, up_iova_ranges, ranges, 0, EFAULT),
		WRONG(UP_IOAS_MAP, up_map, flags, UP_MAP_FIXED, EINVAL),
		WRONG(UP_IOAS_MAP, up_map, user_va, USER + 1, EINVAL),
		WRONG(UP_IOAS_MAP, up_map, user_va, 0x5000, EFAULT),
		WRONG(UP_IOAS_MAP, up_map, user_va, U64_MAX & PAGE_MASK,
		      EOVERFLOW),
		WRONG(UP_IOAS_MAP, up_map, length, 0, EINVAL),
		WRONG(UP_IOAS_MAP, up_map, length, 1, EINVAL),
		WRONG(UP_IOAS_MAP, up_map, length, U64_MAX, EOVERFLOW),
		WRONG(UP_IOAS_MAP, up_map, length, 1ull << 63, EINVAL),
		WRONG(UP_IOAS_MAP, up_map, iova, IOVA + 1, EINVAL),
		WRONG(UP_IOAS_MAP, up_map, iova, U64_MAX, EOVERFLOW),
		WRONG(UP_IOAS_MAP, up_map, iova, U64_MAX & PAGE_MASK, EOVERFLOW),
		WRONG(UP_IOAS_MAP, up_map, iova, 0xfee00000, EINVAL),
		WRONG(UP_IOAS_MAP, up_map, iova, 1ull << 48, EINVAL),
		WRONG(UP_IOAS_MAP_FILE, up_map_file, fd, U32_MAX, EBADF),
		WRONG(UP_IOAS_MAP_FILE, up_map_file, fd, 3, EINVAL),
		WRONG(UP_IOAS_MAP_FILE, up_map_file, start, 1, EINVAL),
		WRONG(UP_IOAS_MAP_FILE, up_map_file, start, U64_MAX, EOVERFLOW),
		WRONG(UP_IOAS_MAP_FILE, up_map_file, start, PG(61), EFAULT),
		WRONG(UP_IOAS_MAP_FILE, up_map_file, flags, UP_MAP_FIXED, EINVAL),
		WRONG(UP_IOAS_COPY, up_copy, flags, UP_MAP_FIXED, EINVAL),
		WRONG(UP_IOAS_COPY, up_copy, length, 0, EINVAL),
		WRONG(UP_IOAS_COPY, up_copy, length, U64_MAX, EOVERFLOW),
		WRONG(UP_IOAS_COPY, up_copy, length, PG(3), EINVAL),
		WRONG(UP_IOAS_COPY, up_copy, length, PG(5), ENOENT),
		WRONG(UP_IOAS_COPY, up_copy, from_iova, IOVA, ENOENT),
		WRONG(UP_IOAS_COPY, up_copy, from_iova, IOVA + PG(49), ENOENT),
		WRONG(UP_IOAS_COPY, up_copy, from_iova, IOVA + PG(51), EINVAL),
		WRONG(UP_IOAS_COPY, up_copy, from_iova, U64_MAX, EOVERFLOW),
		WRONG(UP_IOAS_COPY, up_copy, to_iova, IOVA + PG(53), EEXIST),
		WRONG(UP_IOAS_COPY, up_copy, to_iova, 0xfee00000, EINVAL),
		WRONG(UP_IOAS_COPY, up_copy, to_iova, U64_MAX, EOVERFLOW),
		WRONG(UP_IOAS_UNMAP, up_unmap, length, 0, EINVAL),
		WRONG(UP_IOAS_UNMAP, up_unmap, iova, U64_MAX, EOVERFLOW),
		WRONG(UP_IOAS_UNMAP, up_unmap, iova, U64_MAX - 1, EOVERFLOW),
		WRONG(UP_IOAS_UNMAP, up_unmap, length, U64_MAX, EOVERFLOW),
		WRONG(UP_HWPT_ALLOC, up_hwpt_alloc, data_len, 24, EINVAL),
		WRONG(UP_HWPT_ALLOC, up_hwpt_alloc, data_type, 1, EINVAL),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, entries, 0, EINVAL),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, entry_len, 0, EINVAL),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, entry_len, 23, EINVAL),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, entry_len, 32, E2BIG),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, entry_len, 4097, EINVAL),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, nr, 524289, EINVAL),
		WRONG(UP_HWPT_INVALIDATE, up_invalidate, data_type, 1, EINVAL),
#undef OPN
	};
	struct template t[UP_HW_QUEUE_ALLOC - UP_DESTROY + 1];
	struct fixture f;
	int mem = template_setup(&f, t);
	char *before = t_state();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		const struct wrong *w = &wrong[i];
		struct template *tpl = &t[w->nr - UP_DESTROY];
		union command u = tpl->u;
		long rc;

		memcpy((char *)&u + w->offset, &w->value, w->bytes);
		rc = up(f.fd, w->nr, &u);
		if (rc != -w->error)
			fail_msg("%s, field at %zu = %#llx: %ld", tpl->name,
				 w->offset, (unsigned long long)w->value, rc);
	}
	assert_state(before);
	shim_close(mem);
	shim_close(f.fd);
}

/* The reply cannot be written: the command has not happened. */
static void lost_replies(void **state)
{
	struct template t[UP_HW_QUEUE_ALLOC - UP_DESTROY + 1];
	struct fixture f;
	int mem = template_setup(&f, t);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct {
			union command u;
		} arg = { t[i].u };
		char *before = t_state();
		long rc;

		shim_user_readonly(&arg, sizeof(arg));
		rc = up(f.fd, t[i].nr, &arg);
		shim_user_readonly(NULL, 0);
		/* These have none. */
		if (t[i].nr == UP_IOAS_ALLOW_IOVAS) {
			assert_int_equal(rc, 0);
			t_ok(u_allow(f.fd, f.ioas, NULL, 0));
			free(before);
			continue;
		}
		if (rc != (t[i].rc ?: -EFAULT))
			fail_msg("%s: %ld", t[i].name, rc);
		if (t[i].nr == UP_IOAS_COPY)
			/* The source shares with itself. */
			assert_int_equal(t_space(f.fd, f.ioas)->nr_mappings, 1);
		if (t[i].nr != UP_HWPT_INVALIDATE && t[i].nr != UP_IOAS_COPY)
			assert_state(before);
		else
			free(before);
	}
	t_errno(u_vfio_ioas(f.fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	assert_int_equal(shim_pins, 4);
	shim_close(mem);
	shim_close(f.fd);
}

/* IOVA_RANGES with too few slots: EMSGSIZE and the count */
static void contract_ranges_too_small_is_EMSGSIZE(void **state)
{
	struct fixture f = program();
	const struct up_range poison = { 0x5a, 0xa5 };
	struct up_range r[4];
	unsigned int i;
	u32 nr;

	for (i = 0; i < 4; i++) {
		r[0] = r[1] = r[2] = r[3] = poison;
		nr = i;
		assert_int_equal(u_ranges(f.fd, f.ioas, i ? r : NULL, &nr),
				 i < 2 ? -EMSGSIZE : 0);
		assert_int_equal(nr, 2);
		if (i > 0)
			assert_int_equal(r[0].last, 0xfedfffff);
		if (i > 1)
			assert_int_equal(r[1].last, iofd_addr_last(48));
		assert_memory_equal(&r[min(i, 2u)], &poison, sizeof(poison));
	}
	shim_close(f.fd);
}

/* unmap of nothing: ENOENT; splitting as well; the rest stays */
static void contract_unmap_of_nothing_is_ENOENT(void **state)
{
	struct fixture f = program();
	u64 length;

	t_errno(u_unmap(f.fd, f.ioas, IOVA, 1), ENOENT);
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA + PG(8)));
	t_errno(u_unmap(f.fd, f.ioas, IOVA, 3), ENOENT);
	t_errno(u_unmap(f.fd, f.ioas, IOVA + PG(1), 3), ENOENT);
	t_errno(u_unmap(f.fd, f.ioas, IOVA, 10), ENOENT);
	t_errno(u_unmap(f.fd, f.ioas, IOVA + PG(4), 4), ENOENT);
	assert_reaches(f.hw, IOVA, USER, 4);
	assert_reaches(f.hw, IOVA + PG(8), USER, 4);
	/* Holes are no matter, and neither is where the range ends in them. */
	length = PG(12) + 0x123;
	t_ok(u_unmap_bytes(f.fd, f.ioas, IOVA - 0x10, &length));
	assert_int_equal(length, PG(8));
	assert_blocked(f.hw, IOVA, 12);
	assert_int_equal(shim_pins, 0);
	shim_close(f.fd);
}

/* unmap all on empty: success */
static void contract_unmap_all_of_empty_succeeds(void **state)
{
	struct fixture f = program();
	u64 length = U64_MAX;

	t_ok(u_unmap_all(f.fd, f.ioas));
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_map(f.fd, f.ioas, USER, 4, 0));
	t_ok(u_unmap_bytes(f.fd, f.ioas, 0, &length));
	assert_int_equal(length, PG(8));
	length = U64_MAX;
	t_ok(u_unmap_bytes(f.fd, f.ioas, 0, &length));
	assert_int_equal(length, 0);
	assert_blocked(f.hw, IOVA, 4);
	shim_close(f.fd);
}

/* UNMAP's length is what was asked for, where it all was one mapping. */
static void contract_unmap_length_is_the_request(void **state)
{
	struct fixture f = program();
	u64 length = PG(4);

	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_unmap_bytes(f.fd, f.ioas, IOVA, &length));
	assert_int_equal(length, PG(4));
	shim_close(f.fd);
}

/* map on top of map: EEXIST */
static void contract_map_over_map_is_EEXIST(void **state)
{
	struct fixture f = program();

	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_errno(u_map(f.fd, f.ioas, USER, 4, IOVA), EEXIST);
	t_errno(u_map(f.fd, f.ioas, USER + PG(8), 4, IOVA + PG(3)), EEXIST);
	t_errno(u_map(f.fd, f.ioas, USER, 1, IOVA + PG(1)), EEXIST);
	assert_reaches(f.hw, IOVA, USER, 4);
	shim_close(f.fd);
}

/* map of what cannot be pinned (a BAR): EFAULT */
static void contract_map_of_a_BAR_is_EFAULT(void **state)
{
	struct fixture f = program();

	shim_pin_fault = USER + PG(2);
	t_errno(u_map(f.fd, f.ioas, USER, 4, IOVA), EFAULT);
	shim_pin_fault = 0;
	assert_int_equal(shim_pins, 0);
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	shim_close(f.fd);
}

/* The locked-memory limit: ENOMEM */
static void locked_memory_limit(void **state)
{
	struct fixture f = program();

	current->memlock = PG(6);
	t_errno(u_map(f.fd, f.ioas, USER, 7, IOVA), ENOMEM);
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_errno(u_map(f.fd, f.ioas, USER, 4, IOVA + PG(8)), ENOMEM);
	/* A copy costs nothing. */
	t_ok(u_copy(f.fd, f.ioas, IOVA, f.ioas, IOVA + PG(8), 4));
	shim_close(f.fd);
}

/* unsupported HWPT flags: EOPNOTSUPP */
static void contract_unsupported_hwpt_flags_are_EOPNOTSUPP(void **state)
{
	int fd = t_ok(t_open());
	struct testhw_dev *hw = testhw_dev();
	int ioas = t_ok(u_ioas(fd)), dev = t_ok(u_bind(hw, fd)), hwpt;

	/* This one neither nests nor has PASIDs. */
	t_errno(u_hwpt(fd, dev, ioas, UP_HWPT_NEST_PARENT), EOPNOTSUPP);
	t_errno(u_hwpt(fd, dev, ioas, UP_HWPT_PASID), EOPNOTSUPP);
	t_errno(u_hwpt(fd, dev, ioas, UP_HWPT_DIRTY_TRACKING), EOPNOTSUPP);
	hwpt = t_ok(u_hwpt(fd, dev, ioas, 0));
	t_errno(u_nested(fd, dev, hwpt, 0), EINVAL);
	t_errno(u_nested(fd, dev, ioas, 0), EOPNOTSUPP);
	shim_close(fd);
}

/* GET_HW_INFO: with every length, both sizes, and without VT-d behind it */
static void contract_hw_info_succeeds(void **state)
{
	struct fixture f = program();
	unsigned char buf[40];
	unsigned int len;

	for (len = 0; len <= sizeof(buf); len++) {
		struct up_hw_info cmd = {
			.size = len % 2 ? 32 : sizeof(cmd), .dev_id = f.dev,
			.data_len = len, .data = len ? (uintptr_t)buf : 0,
			.type = 77,
		};
		struct up_hw_info_vtd vtd = {};

		memset(buf, 0xee, sizeof(buf));
		t_ok(up(f.fd, UP_GET_HW_INFO, &cmd));
		assert_int_equal(cmd.data_len, sizeof(vtd));
		assert_int_equal(cmd.type, UP_HW_INFO_VTD);
		assert_int_equal(cmd.max_pasid_lg2, 8);
		assert_int_equal(cmd.capabilities,
				 len % 2 ? 0 : UP_HW_CAP_ATS_NOT_SUPPORTED);
		memcpy(&vtd, buf, min_t(size_t, len, sizeof(vtd)));
		if (len >= sizeof(vtd)) {
			assert_int_equal(vtd.cap, 0x1111222233334444);
			assert_int_equal(vtd.ecap, 0x5555666677778888);
			assert_null(memchr_inv(buf + sizeof(vtd), 0,
					       len - sizeof(vtd)));
		}
		assert_null(memchr_inv(buf + len, 0xee, sizeof(buf) - len));
	}
	/* The type can be asked for. */
	for (len = 0; len < 4; len++) {
		struct up_hw_info cmd = {
			.size = sizeof(cmd), .flags = UP_HW_INFO_INPUT_TYPE,
			.dev_id = f.dev, .type = len,
		};

		assert_int_equal(up(f.fd, UP_GET_HW_INFO, &cmd),
				 len <= UP_HW_INFO_VTD ? 0 : -EOPNOTSUPP);
	}
	shim_close(f.fd);
}

static unsigned long charged(void)
{
	return atomic_long_read(&current_user()->locked_vm);
}

/* COPY: pinned and charged once, and until the last one goes. */
static void copies_share_their_pages(void **state)
{
	struct fixture f = program();
	int other = t_ok(u_ioas(f.fd));
	unsigned int order, i;

	for (order = 0; order < 6; order++) {
		static const u8 orders[6][3] = {
			{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
			{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
		};

		t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
		assert_int_equal(shim_pins, 4);
		t_ok(u_copy(f.fd, f.ioas, IOVA, f.ioas, IOVA + PG(100), 4));
		/* A copy of a copy, and where there was no table yet */
		t_ok(u_copy(f.fd, f.ioas, IOVA + PG(100), other, PG(7), 4));
		assert_int_equal(shim_pins, 4);
		assert_int_equal(charged(), 4);
		assert_reaches(f.hw, IOVA, USER, 4);
		assert_reaches(f.hw, IOVA + PG(100), USER, 4);
		for (i = 0; i < 3; i++) {
			switch (orders[order][i]) {
			case 0:
				t_ok(u_unmap(f.fd, f.ioas, IOVA, 4));
				break;
			case 1:
				t_ok(u_unmap(f.fd, f.ioas, IOVA + PG(100), 4));
				break;
			case 2:
				t_ok(u_unmap(f.fd, other, PG(7), 4));
				break;
			}
			assert_int_equal(shim_pins, i < 2 ? 4 : 0);
			assert_int_equal(charged(), i < 2 ? 4 : 0);
		}
		assert_blocked(f.hw, IOVA, 4);
		assert_blocked(f.hw, IOVA + PG(100), 4);
		assert_int_equal(t_space(f.fd, f.ioas)->nr_shared, 0);
	}
	/* What is left shared goes with the spaces, in whatever order. */
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, PG(7), 4));
	t_ok(u_destroy(f.fd, other));
	assert_int_equal(shim_pins, 4);
	other = t_ok(u_ioas(f.fd));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, PG(7), 4));
	shim_close(f.fd);
	t_release(f.hw);
	assert_int_equal(shim_pins, 0);
	assert_int_equal(charged(), 0);
}

/* Several mappings are copied as several, and between others as they are. */
static void copies_of_many(void **state)
{
	struct fixture f = program();
	int other = t_ok(u_ioas(f.fd));
	struct testhw_dev *hw = testhw_dev();
	u64 length;

	t_ok(u_bind(hw, f.fd));
	t_ok(u_attach(hw, other));
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_map(f.fd, f.ioas, USER + PG(4), 1, IOVA + PG(4)));
	t_ok(u_map(f.fd, f.ioas, USER + PG(5), 6, IOVA + PG(5)));
	t_ok(u_map(f.fd, other, USER + PG(40), 1, IOVA + PG(30)));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, IOVA + PG(10), 11));
	assert_int_equal(shim_pins, 12);
	assert_reaches(hw, IOVA + PG(10), USER, 11);
	t_errno(u_unmap(f.fd, other, IOVA + PG(10), 3), ENOENT);
	t_ok(u_unmap(f.fd, other, IOVA + PG(14), 1));
	assert_int_equal(shim_pins, 12);
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 11));
	/* The one page that was not to be had elsewhere */
	assert_int_equal(shim_pins, 11);
	assert_reaches(hw, IOVA + PG(10), USER, 4);
	assert_blocked(hw, IOVA + PG(14), 1);
	assert_reaches(hw, IOVA + PG(15), USER + PG(5), 6);
	/* Shared and not, in one go */
	length = U64_MAX;
	t_ok(u_unmap_bytes(f.fd, other, 0, &length));
	assert_int_equal(length, PG(11));
	assert_int_equal(shim_pins, 0);
	shim_close(f.fd);
}

/* Write access comes from the pin, wherever the copy is made. */
static void copies_and_permissions(void **state)
{
	struct fixture f = program();
	int other = t_ok(u_ioas(f.fd));
	phys_addr_t phys;
	u64 iova = IOVA;
	unsigned int i;

	t_ok(u_map_flags(f.fd, f.ioas, USER, 2, &iova,
			 UP_MAP_FIXED | UP_MAP_READ));
	t_errno(u_copy(f.fd, f.ioas, IOVA, other, 0, 2), EPERM);
	t_ok(u_copy_flags(f.fd, f.ioas, IOVA, other, 0, 2,
			  UP_MAP_FIXED | UP_MAP_READ));
	t_errno(u_copy(f.fd, other, 0, f.ioas, PG(5), 2), EPERM);
	t_ok(u_unmap_all(f.fd, f.ioas));
	t_ok(u_unmap_all(f.fd, other));

	/* Read-only from what is writable, and writable again from that */
	t_ok(u_map(f.fd, f.ioas, USER, 2, IOVA));
	t_ok(u_copy_flags(f.fd, f.ioas, IOVA, f.ioas, IOVA + PG(8), 2,
			  UP_MAP_FIXED | UP_MAP_READ));
	assert_true(testhw_dma(f.hw, IOVA + PG(8), IOFD_READ, &phys));
	assert_false(testhw_dma(f.hw, IOVA + PG(8), IOFD_WRITE, &phys));
	t_ok(u_copy(f.fd, f.ioas, IOVA + PG(8), f.ioas, IOVA + PG(16), 2));
	assert_true(testhw_dma(f.hw, IOVA + PG(16), IOFD_WRITE, &phys));
	/* The last one is read-only, and what was written is dirty all the same. */
	t_ok(u_unmap(f.fd, f.ioas, IOVA + PG(16), 2));
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 2));
	for (i = 0; i < 2; i++)
		assert_false(shim_user_page(USER + PG(i))->flags &
			     SHIM_PAGE_DIRTY);
	t_ok(u_unmap(f.fd, f.ioas, IOVA + PG(8), 2));
	for (i = 0; i < 2; i++)
		assert_true(shim_user_page(USER + PG(i))->flags &
			    SHIM_PAGE_DIRTY);
	shim_close(f.fd);
}

/* Kernel-chosen addresses of a copy, and children that see it */
static void copies_elsewhere(void **state)
{
	struct fixture f = program();
	int other = t_ok(u_ioas(f.fd));
	struct up_copy cmd = {
		.size = sizeof(cmd), .flags = UP_RW, .from_ioas_id = f.ioas,
		.from_iova = IOVA, .to_ioas_id = other, .length = PG(4),
	};
	struct testhw_dev *hw = testhw_dev();
	int child = t_ok(t_alloc_child(f.fd, other));

	t_ok(t_bind(hw, f.fd, 0x77));
	t_ok(t_attach(hw, f.fd, child));
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(up(f.fd, UP_IOAS_COPY, &cmd));
	t_ok(t_map(f.fd, child, cmd.to_iova, 4, PG(3)));
	assert_reaches(hw, PG(3), USER, 4);
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 4));
	assert_reaches(hw, PG(3), USER, 4);
	t_ok(u_unmap(f.fd, other, cmd.to_iova, 4));
	assert_blocked(hw, PG(3), 4);
	assert_int_equal(shim_pins, 0);
	/* The other way round: the child waits for it. */
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, cmd.to_iova, 4));
	assert_reaches(hw, PG(3), USER, 4);
	/* An IOAS it is not. */
	t_errno(u_map(f.fd, child, USER, 1, 0), ENOENT);
	t_errno(u_copy(f.fd, child, PG(3), other, 0, 4), ENOENT);
	shim_close(f.fd);
}

/* Two tables, and one that keeps no runs */
static void copies_into_several_tables(void **state)
{
	struct fixture f = program();
	struct testhw_dev *narrow = testhw_dev(), *plain = testhw_dev();
	int other = t_ok(u_ioas(f.fd));
	unsigned long n;

	narrow->width_bits = 39;
	plain->unit = &testhw_plain;
	t_ok(u_bind(narrow, f.fd));
	t_ok(u_bind(plain, f.fd));
	t_ok(u_attach(plain, other));
	t_ok(u_attach(narrow, other));
	t_ok(u_map(f.fd, f.ioas, USER, 16, IOVA));
	t_ok(u_map(f.fd, f.ioas, USER + PG(16), 16, IOVA + PG(16)));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, PG(3), 32));
	assert_reaches(narrow, PG(3), USER, 32);
	assert_reaches(plain, PG(3), USER, 32);
	t_ok(u_unmap(f.fd, other, PG(3), 32));
	assert_blocked(narrow, PG(3), 32);
	assert_blocked(plain, PG(3), 32);
	/* A table fails in the middle; the source has shared nothing before. */
	t_ok(u_unmap_all(f.fd, f.ioas));
	t_ok(u_map(f.fd, f.ioas, USER, 16, IOVA));
	t_ok(u_map(f.fd, f.ioas, USER + PG(16), 16, IOVA + PG(16)));
	for (n = 1; n < 200; n += 3) {
		char *before = t_state();
		long rc;

		testhw_map_partly = n % 2;
		testhw_fail_map = n;
		rc = u_copy(f.fd, f.ioas, IOVA, other, PG(3), 32);
		testhw_map_partly = 0;
		if (testhw_fail_map) {
			assert_int_equal(rc, 0);
			free(before);
			testhw_fail_map = 0;
			break;
		}
		t_errno(rc, ENOMEM);
		assert_state(before);
		assert_blocked(narrow, PG(3), 32);
		assert_blocked(plain, PG(3), 32);
		assert_reaches(f.hw, IOVA, USER, 32);
	}
	assert_true(n > 10 && n < 200);
	shim_close(f.fd);
}

/* Random maps, copies and unmaps: each page is pinned as often as it was mapped. */
static void copies_at_random(void **state)
{
	struct fixture f = program();
	int ioas[3] = { f.ioas, t_ok(u_ioas(f.fd)), t_ok(u_ioas(f.fd)) };
	/* What page of memory is at which slot of 4 pages, and by which pin */
	struct { int page; unsigned int pin; } at[3][32] = {};
	unsigned int step, pins = 0, i, j, k;
	unsigned long expected;

	for (step = 0; step < 3000; step++) {
		unsigned int s = shim_random_below(3), d = shim_random_below(3);
		unsigned int x = shim_random_below(32), y = shim_random_below(32);
		long rc;

		switch (shim_random_below(4)) {
		case 0:
			rc = u_map(f.fd, ioas[s], USER + PG(4 * (x % 16)), 4,
				   IOVA + PG(4 * y));
			assert_int_equal(rc, at[s][y].pin ? -EEXIST : 0);
			if (!rc) {
				at[s][y].page = 4 * (x % 16);
				at[s][y].pin = ++pins;
			}
			break;
		case 1:
		case 2:
			rc = u_copy(f.fd, ioas[s], IOVA + PG(4 * x), ioas[d],
				    IOVA + PG(4 * y), 4);
			if (!at[s][x].pin)
				assert_int_equal(rc, -ENOENT);
			else if (at[d][y].pin)
				assert_int_equal(rc, -EEXIST);
			else
				assert_int_equal(rc, 0);
			if (!rc)
				at[d][y] = at[s][x];
			break;
		default:
			rc = u_unmap(f.fd, ioas[s], IOVA + PG(4 * x), 4);
			assert_int_equal(rc, at[s][x].pin ? 0 : -ENOENT);
			at[s][x].pin = 0;
		}
		if (step % 50)
			continue;
		expected = 0;
		for (i = 0; i < 3 * 32; i++) {
			unsigned int pin = at[i / 32][i % 32].pin;

			for (j = 0; pin && j < i; j++)
				if (at[j / 32][j % 32].pin == pin)
					pin = 0;
			expected += pin ? 4 : 0;
		}
		assert_int_equal(shim_pins, expected);
		assert_int_equal(charged(), expected);
		for (k = 0; k < 32; k++) {
			if (at[0][k].pin)
				assert_reaches(f.hw, IOVA + PG(4 * k),
					       USER + PG(at[0][k].page), 4);
			else
				assert_blocked(f.hw, IOVA + PG(4 * k), 4);
		}
	}
	shim_close(f.fd);
	t_release(f.hw);
	assert_int_equal(shim_pins, 0);
}

/* MAP_FILE: memfd, shmem and hugetlbfs; what else is refused */
static void files(void **state)
{
	struct fixture f = program();
	int tmpfs = shim_open_memory(TMPFS_MAGIC, 16, PAGE_SIZE);
	int huge = shim_open_memory(HUGETLBFS_MAGIC, 512, SZ_2M);
	int ext4 = shim_open_memory(0xef53, 16, PAGE_SIZE);
	int dmabuf = shim_open_memory(DMA_BUF_MAGIC, 16, PAGE_SIZE);
	phys_addr_t phys;

	t_ok(u_map_file(f.fd, f.ioas, tmpfs, PG(4), 8, IOVA));
	assert_true(testhw_dma(f.hw, IOVA, IOFD_WRITE, &phys));
	assert_int_equal(phys, page_to_phys(shim_file(tmpfs)->f_inode->pages[4]));
	t_ok(u_map_file(f.fd, f.ioas, huge, PG(3), 5, IOVA + PG(100)));
	t_errno(u_map_file(f.fd, f.ioas, ext4, 0, 1, 0), EINVAL);
	t_errno(u_map_file(f.fd, f.ioas, dmabuf, 0, 1, 0), EOPNOTSUPP);
	/* The file may go; a copy is as good. */
	t_ok(u_copy(f.fd, f.ioas, IOVA, f.ioas, IOVA + PG(200), 8));
	shim_close(tmpfs);
	shim_close(huge);
	shim_close(ext4);
	shim_close(dmabuf);
	assert_true(testhw_dma(f.hw, IOVA + PG(200), IOFD_WRITE, &phys));
	t_ok(u_unmap_all(f.fd, f.ioas));
	assert_int_equal(shim_pins, 0);
	shim_close(f.fd);
}

/* ALLOW_IOVAS: where the kernel chooses, and who can be attached */
static void allowed_iovas(void **state)
{
	int fd = t_ok(t_open()), ioas = t_ok(u_ioas(fd));
	struct testhw_dev *hw = testhw_dev();
	struct up_range r[] = {
		{ PG(0x2000), PG(0x2010) - 1 }, { PG(0x1000), PG(0x1004) - 1 },
	};
	struct up_range bad[][2] = {
		{ { 5, 5 }, {} }, { { 5, 4 }, {} },
		{ { 0, PG(5) }, { PG(5), PG(6) } },
		{ { PG(9), PG(10) }, { PG(5), PG(9) } },
	};
	struct up_range msi_window = { 0xfee00000, 0xfee00fff };
	u64 iova = 0;
	unsigned int i;
	u32 nr = 8;

	hw->own_group.regions = msi;
	hw->own_group.nr_regions = 1;
	shim_user_map(USER, PAGES, 0);
	t_ok(u_map(fd, ioas, USER, 1, IOVA));
	t_ok(u_allow(fd, ioas, r, 2));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		t_errno(u_allow(fd, ioas, bad[i], i < 2 ? 1 : 2), EINVAL);
	/* From the lowest on */
	t_ok(u_map_flags(fd, ioas, USER, 3, &iova, UP_RW));
	assert_int_equal(iova, PG(0x1000));
	t_ok(u_map_flags(fd, ioas, USER, 3, &iova, UP_RW));
	assert_int_equal(iova, PG(0x2000));
	t_ok(u_map_flags(fd, ioas, USER, 1, &iova, UP_RW));
	assert_int_equal(iova, PG(0x1003));
	t_ok(u_map_flags(fd, ioas, USER, 12, &iova, UP_RW));
	assert_int_equal(iova, PG(0x2003));
	t_errno(u_map_flags(fd, ioas, USER, 2, &iova, UP_RW), ENOSPC);
	t_ok(u_map_flags(fd, ioas, USER, 1, &iova, UP_RW));
	assert_int_equal(iova, PG(0x200f));
	t_errno(u_map_flags(fd, ioas, USER, 1, &iova, UP_RW), ENOSPC);
	/* Fixed ones go anywhere, and what there is stays the same. */
	t_ok(u_map(fd, ioas, USER, 1, PG(0x8000)));
	t_ok(u_ranges(fd, ioas, room, &nr));
	assert_int_equal(nr, 1);

	/* Reserved and allowed exclude one another, whoever comes first. */
	t_ok(u_allow(fd, ioas, &msi_window, 1));
	t_ok(u_bind(hw, fd));
	t_errno(u_attach(hw, ioas), EADDRINUSE);
	t_ok(u_allow(fd, ioas, r, 2));
	t_ok(u_attach(hw, ioas));
	t_errno(u_allow(fd, ioas, &msi_window, 1), EADDRINUSE);
	t_errno(u_map_flags(fd, ioas, USER, 1, &iova, UP_RW), ENOSPC);
	t_ok(u_allow(fd, ioas, NULL, 0));
	t_ok(u_map_flags(fd, ioas, USER, 1, &iova, UP_RW));
	shim_close(fd);
}

/* What is mapped in a reserved region: EADDRINUSE at attach */
static void reserved_regions(void **state)
{
	struct fixture f = program();
	int ioas = t_ok(u_ioas(f.fd));

	t_ok(u_map(f.fd, ioas, USER, 1, 0xfee00000));
	t_errno(u_attach(f.hw, ioas), EADDRINUSE);
	/* And where it was it stays. */
	t_ok(u_map(f.fd, f.ioas, USER, 1, IOVA));
	assert_reaches(f.hw, IOVA, USER, 1);
	t_ok(u_unmap_all(f.fd, ioas));
	t_ok(u_attach(f.hw, ioas));
	shim_close(f.fd);
}

/* HUGE_PAGES: 0 keeps all leaves small, in tables that are made later, too. */
static void option_huge_pages(void **state)
{
	int fd = t_ok(t_open()), ioas = t_ok(u_ioas(fd));
	struct testhw_dev *hw = testhw_dev(), *narrow = testhw_dev();
	unsigned long maps;
	u64 value = 7;

	narrow->width_bits = 39;
	shim_user_map(USER, 1024, 0);
	t_ok(u_bind(hw, fd));
	t_ok(u_bind(narrow, fd));
	t_ok(u_option(fd, UP_OPTION_HUGE_PAGES, UP_OPTION_GET, ioas, &value));
	assert_int_equal(value, 1);
	t_errno(u_set_option(fd, UP_OPTION_HUGE_PAGES, ioas, 2), EINVAL);
	t_ok(u_set_option(fd, UP_OPTION_HUGE_PAGES, ioas, 0));
	t_ok(u_option(fd, UP_OPTION_HUGE_PAGES, UP_OPTION_GET, ioas, &value));
	assert_int_equal(value, 0);
	t_ok(u_attach(hw, ioas));
	maps = testhw_maps;
	t_ok(u_map(fd, ioas, USER, 1024, IOVA));
	assert_int_equal(testhw_maps, maps + 1024);
	assert_reaches(hw, IOVA, USER, 1024);
	maps = testhw_maps;
	t_ok(u_attach(narrow, ioas));
	assert_int_equal(testhw_maps, maps + 1024);
	assert_reaches(narrow, IOVA, USER, 1024);
	/* Copies too */
	maps = testhw_maps;
	t_ok(u_copy(fd, ioas, IOVA, ioas, 2 * IOVA, 1024));
	assert_int_equal(testhw_maps, maps + 2048);
	t_ok(u_unmap_all(fd, ioas));
	assert_int_equal(shim_pins, 0);
	/* Back again at any time; there again only while it is empty */
	t_ok(u_set_option(fd, UP_OPTION_HUGE_PAGES, ioas, 1));
	maps = testhw_maps;
	t_ok(u_map(fd, ioas, USER, 1024, IOVA));
	assert_true(testhw_maps <= maps + 4);
	t_errno(u_set_option(fd, UP_OPTION_HUGE_PAGES, ioas, 0), EINVAL);
	shim_close(fd);
}

/* RLIMIT_MODE: which limit it is; privileged, and only at the beginning */
static void option_rlimit_mode(void **state)
{
	int fd = t_ok(t_open()), ioas;
	u64 value = 7;

	shim_user_map(USER, PAGES, 0);
	t_ok(u_option(fd, UP_OPTION_RLIMIT_MODE, UP_OPTION_GET, 0, &value));
	assert_int_equal(value, 0);
	t_errno(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 0, 1), EPERM);
	current->privileged = true;
	t_errno(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 0, 2), EINVAL);
	t_errno(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 1, 1), EOPNOTSUPP);
	t_ok(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 0, 1));
	current->privileged = false;
	t_ok(u_option(fd, UP_OPTION_RLIMIT_MODE, UP_OPTION_GET, 0, &value));
	assert_int_equal(value, 1);
	ioas = t_ok(u_ioas(fd));
	current->privileged = true;
	t_errno(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 0, 0), EBUSY);
	current->privileged = false;

	current->memlock = PG(8);
	current->mm->locked_vm = 3;	/* mlock() */
	t_errno(u_map(fd, ioas, USER, 6, IOVA), ENOMEM);
	t_ok(u_map(fd, ioas, USER, 5, IOVA));
	assert_int_equal(current->mm->locked_vm, 8);
	assert_int_equal(charged(), 0);
	t_errno(u_map(fd, ioas, USER, 1, 0), ENOMEM);
	t_ok(u_unmap_all(fd, ioas));
	assert_int_equal(current->mm->locked_vm, 3);
	current->mm->locked_vm = 0;
	t_ok(u_destroy(fd, ioas));
	current->privileged = true;
	t_ok(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 0, 0));
	current->privileged = false;
	shim_close(fd);
}

/* VFIO_IOAS: which IOAS stands for a container */
static void vfio_ioas(void **state)
{
	int fd = t_ok(t_open()), ioas = t_ok(u_ioas(fd)), other = t_ok(u_ioas(fd));

	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_CLEAR, 0));
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, 77), ENOENT);
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, ioas));
	assert_int_equal(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ioas);
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, other));
	assert_int_equal(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), other);
	t_ok(u_destroy(fd, ioas));
	assert_int_equal(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), other);
	t_ok(u_destroy(fd, other));
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	/* Whoever gets the number next is not it. */
	other = t_ok(u_ioas(fd));
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, other));
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_CLEAR, 0));
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	shim_close(fd);
}

static void changing_the_process(void **state)
{
	static struct shim_process heir;
	struct task_struct *first = shim_current;
	struct fixture f = program();
	int mem = shim_open_memory(TMPFS_MAGIC, 64, PAGE_SIZE);
	int other = t_ok(u_ioas(f.fd));
	char *before;

	/* As a probe: there is nothing to change. */
	t_ok(u_change_process(f.fd));
	t_ok(u_map_file(f.fd, f.ioas, mem, 0, 8, IOVA));
	t_ok(u_map_file(f.fd, f.ioas, mem, 0, 2, IOVA + PG(8)));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, 0, 8));
	before = t_state();
	t_ok(u_change_process(f.fd));
	assert_state(before);

	shim_process_init(&heir);
	shim_current = &heir.task;
	heir.task.memlock = PG(9);
	t_errno(u_change_process(f.fd), ENOMEM);
	heir.task.memlock = PG(10);
	t_ok(u_change_process(f.fd));
	assert_int_equal(atomic_long_read(&heir.user.locked_vm), 10);
	assert_int_equal(atomic64_read(&heir.mm.pinned_vm), 10);
	shim_current = first;
	assert_int_equal(charged(), 0);
	assert_int_equal(atomic64_read(&first->mm->pinned_vm), 0);
	/* Whoever unmaps, the heir is charged less. */
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 8));
	assert_int_equal(atomic_long_read(&heir.user.locked_vm), 10);
	t_ok(u_unmap(f.fd, other, 0, 8));
	assert_int_equal(atomic_long_read(&heir.user.locked_vm), 2);

	/* Memory of the process itself cannot be handed on. */
	t_ok(u_map(f.fd, other, USER, 3, 0));
	shim_current = &heir.task;
	before = t_state();
	t_errno(u_change_process(f.fd), EINVAL);
	assert_state(before);
	shim_current = first;
	t_ok(u_unmap_all(f.fd, other));
	t_ok(u_change_process(f.fd));
	assert_int_equal(charged(), 2);
	assert_int_equal(atomic_long_read(&heir.user.locked_vm), 0);
	shim_close(mem);
	shim_close(f.fd);
	shim_process_exit(&heir);
}

/* Tables by id: what holds what */
static void hwpts(void **state)
{
	struct fixture f = program();
	int second = t_ok(u_hwpt(f.fd, f.dev, f.ioas, 0));
	int third = t_ok(u_hwpt(f.fd, f.dev, f.ioas, UP_HWPT_PASID));

	assert_int_not_equal(second, f.hwpt);
	/* To the hardware they are one. */
	assert_int_equal(testhw_pts, 1);
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_errno(t_free(f.fd, f.ioas), EBUSY);
	t_errno(u_destroy(f.fd, f.hwpt), EBUSY);
	assert_int_equal(u_attach(f.hw, second), second);
	assert_reaches(f.hw, IOVA, USER, 4);
	t_errno(u_destroy(f.fd, second), EBUSY);
	t_ok(u_destroy(f.fd, f.hwpt));
	t_errno(u_destroy(f.fd, f.hwpt), ENOENT);
	t_ok(u_destroy(f.fd, third));
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_ok(u_detach(f.hw));
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_ok(u_destroy(f.fd, second));
	t_ok(u_destroy(f.fd, f.ioas));
	assert_int_equal(shim_pins, 0);
	assert_int_equal(testhw_pts, 0);
	t_errno(u_destroy(f.fd, f.dev), EBUSY);
	shim_close(f.fd);
}

static u64 *pte(unsigned int page, unsigned int i)
{
	return (u64 *)page_address(shim_user_page(USER + PG(page))) + i;
}

/* A user's table at page 0 of the IOAS, whose page 5 it has at its page 7 */
static void build_table(struct fixture *f)
{
	t_ok(u_map(f->fd, f->ioas, USER, PAGES, 0));
	*pte(0, 0) = PG(1) | 7;
	*pte(1, 0) = PG(2) | 7;
	*pte(2, 0) = PG(3) | 7;
	*pte(3, 7) = PG(5) | 7;
}

static int u_invalidate(struct fixture *f, int nested, u64 addr, u64 npages,
			u32 flags)
{
	struct up_invalidate_vtd_s1 entry = {
		.addr = addr, .npages = npages, .flags = flags,
	};
	struct up_invalidate cmd = {
		.size = sizeof(cmd), .hwpt_id = nested,
		.entries = (uintptr_t)&entry, .entry_len = sizeof(entry), .nr = 1,
	};
	int rc = up(f->fd, UP_HWPT_INVALIDATE, &cmd);

	assert_int_equal(cmd.nr, !rc);
	return rc;
}

static void nested_tables(void **state)
{
	struct fixture f = program();
	struct testhw_dev *no_nest = testhw_dev();
	int nested, plain, dev;

	build_table(&f);
	plain = t_ok(u_hwpt(f.fd, f.dev, f.ioas, 0));
	t_errno(u_nested(f.fd, f.dev, plain, 0), EINVAL);
	t_errno(u_nested(f.fd, f.ioas, f.hwpt, 0), ENOENT);
	nested = t_ok(u_nested(f.fd, f.dev, f.hwpt, 0));
	assert_int_equal(testhw_pts, 2);
	t_errno(u_nested(f.fd, f.dev, nested, 0), EINVAL);
	assert_int_equal(u_attach(f.hw, nested), nested);
	assert_reaches(f.hw, PG(7), USER + PG(5), 1);
	assert_blocked(f.hw, PG(5), 1);
	/* Busy: what is under it, and what a device is attached to */
	t_errno(u_destroy(f.fd, f.hwpt), EBUSY);
	t_errno(u_destroy(f.fd, nested), EBUSY);
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);

	*pte(3, 7) = PG(6) | 7;
	t_ok(u_invalidate(&f, nested, PG(7), 1, UP_INVALIDATE_LEAF));
	assert_true(testhw_last_invalidation.leaf);
	assert_int_equal(testhw_last_invalidation.first, PG(7));
	assert_int_equal(testhw_last_invalidation.last, PG(8) - 1);
	assert_reaches(f.hw, PG(7), USER + PG(6), 1);
	t_ok(u_invalidate(&f, nested, 0, U64_MAX, 0));
	assert_int_equal(testhw_last_invalidation.last, U64_MAX);
	assert_false(testhw_last_invalidation.leaf);
	t_errno(u_invalidate(&f, nested, PG(1), U64_MAX, 0), EINVAL);
	t_errno(u_invalidate(&f, nested, 1, 1, 0), EINVAL);
	t_errno(u_invalidate(&f, nested, 0, 0, 0), EINVAL);
	t_errno(u_invalidate(&f, nested, 0, 1ull << 52, 0), EINVAL);
	t_errno(u_invalidate(&f, nested, U64_MAX & PAGE_MASK, 2, 0), EINVAL);
	t_errno(u_invalidate(&f, nested, 0, 1, 2), EOPNOTSUPP);

	/* No user's table for this one, and no way in for the other either. */
	dev = t_ok(u_bind(no_nest, f.fd));
	t_errno(u_nested(f.fd, dev, f.hwpt, 0), EOPNOTSUPP);
	t_errno(u_attach(no_nest, nested), EINVAL);
	/* Unmapping the parent is felt below. */
	t_ok(u_unmap_all(f.fd, f.ioas));
	assert_blocked(f.hw, PG(7), 1);
	t_ok(u_detach(f.hw));
	t_ok(u_destroy(f.fd, nested));
	assert_int_equal(testhw_pts, 1);
	t_ok(u_destroy(f.fd, f.hwpt));
	t_ok(u_destroy(f.fd, plain));
	t_ok(u_destroy(f.fd, f.ioas));
	shim_close(f.fd);
}

static void nested_attributes(void **state)
{
	static const struct { u64 flags, addr; u32 bits, reserved; int error; } t[] = {
		{ .bits = 48 }, { .bits = 57 }, { .bits = 48, .flags = UP_VTD_S1_EAFE },
		{ .bits = 39, .error = EINVAL },
		{ .bits = 0, .error = EINVAL },
		{ .bits = 48, .addr = 8, .error = EINVAL },
		{ .bits = 48, .addr = 1ull << 60, .error = EINVAL },
		{ .bits = 48, .reserved = 1, .error = EOPNOTSUPP },
		{ .bits = 48, .flags = 8, .error = EOPNOTSUPP },
		{ .bits = 48, .flags = UP_VTD_S1_WPE, .error = EINVAL },
		/* The hardware has no such mode. */
		{ .bits = 48, .flags = UP_VTD_S1_SRE, .error = EOPNOTSUPP },
	};
	struct fixture f = program();
	struct { struct up_vtd_s1 s1; u64 more; } data;
	struct up_hwpt_alloc cmd = {
		.size = sizeof(cmd), .dev_id = f.dev, .pt_id = f.hwpt,
		.data_type = UP_HWPT_DATA_VTD_S1, .data_len = sizeof(data.s1),
		.data = (uintptr_t)&data,
	}, c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		char *before = t_state();

		data.s1 = (struct up_vtd_s1) {
			.flags = t[i].flags, .table_addr = t[i].addr,
			.addr_width_bits = t[i].bits, .reserved = t[i].reserved,
		};
		c = cmd;
		assert_int_equal(up(f.fd, UP_HWPT_ALLOC, &c), -t[i].error);
		if (!t[i].error)
			t_ok(u_destroy(f.fd, c.hwpt_id));
		assert_state(before);
	}
	data.s1 = (struct up_vtd_s1) { .addr_width_bits = 48 };
	data.more = 1;
#define TRY(field, value, error)					\
	c = cmd;							\
	c.field = value;						\
	t_errno(up(f.fd, UP_HWPT_ALLOC, &c), error)
	TRY(data_len, 23, EINVAL);
	TRY(data_len, 32, E2BIG);
	TRY(data, 0, EFAULT);
	TRY(data_type, 2, EOPNOTSUPP);
	TRY(data_type, UP_HWPT_DATA_NONE, EINVAL);
	TRY(flags, UP_HWPT_NEST_PARENT, EOPNOTSUPP);
	TRY(flags, UP_HWPT_DIRTY_TRACKING, EOPNOTSUPP);
	TRY(flags, UP_HWPT_FAULT_ID, ENOENT);
	TRY(pt_id, f.ioas, EOPNOTSUPP);
#undef TRY
	c = cmd;
	c.flags = UP_HWPT_PASID;
	t_ok(up(f.fd, UP_HWPT_ALLOC, &c));
	shim_close(f.fd);
}

/* The number of entries that were carried out is written, also on failure. */
static void invalidations_are_counted(void **state)
{
	struct fixture f = program();
	int nested = t_ok(u_nested(f.fd, f.dev, f.hwpt, 0));
	struct up_invalidate_vtd_s1 e[4] = {
		{ .npages = 1 }, { .npages = 2 }, { .npages = 1, .flags = 8 },
		{ .npages = 1 },
	};
	struct up_invalidate cmd = {
		.size = sizeof(cmd), .hwpt_id = nested, .entries = (uintptr_t)e,
		.entry_len = sizeof(e[0]), .nr = 4,
	}, c = cmd;

	t_errno(up(f.fd, UP_HWPT_INVALIDATE, &c), EOPNOTSUPP);
	assert_int_equal(c.nr, 2);
	assert_int_equal(testhw_invalidations, 2);
	e[2].flags = 0;
	c = cmd;
	t_ok(up(f.fd, UP_HWPT_INVALIDATE, &c));
	assert_int_equal(c.nr, 4);
	c = cmd;
	c.hwpt_id = 99;
	t_errno(up(f.fd, UP_HWPT_INVALIDATE, &c), ENOENT);
	assert_int_equal(c.nr, 0);
	/* None: is the type known? */
	c = cmd;
	c.nr = 0;
	c.entries = 0;
	c.entry_len = 0;
	t_ok(up(f.fd, UP_HWPT_INVALIDATE, &c));
	c.data_type = 1;
	t_errno(up(f.fd, UP_HWPT_INVALIDATE, &c), EINVAL);
	shim_close(f.fd);
}

static ssize_t read_fd(int fd, void *to, size_t bytes, loff_t pos)
{
	return shim_file(fd)->f_op->read(shim_file(fd), to, bytes, &pos);
}

static ssize_t write_fd(int fd, const void *from, size_t bytes, loff_t pos)
{
	return shim_file(fd)->f_op->write(shim_file(fd), from, bytes, &pos);
}

static void fault_queues(void **state)
{
	struct fixture f = program();
	struct up_page_response response = { .cookie = 1 };
	struct up_page_request request;
	int fault_fd, queue, hwpt, nested;

	queue = t_ok(u_fault_queue(f.fd, &fault_fd));
	assert_int_equal(shim_file(fault_fd)->f_op->poll(shim_file(fault_fd), NULL),
			 EPOLLOUT);
	assert_int_equal(read_fd(fault_fd, &request, sizeof(request), 0), 0);
	assert_int_equal(read_fd(fault_fd, &request, 39, 0), -ESPIPE);
	assert_int_equal(read_fd(fault_fd, &request, sizeof(request), 8), -ESPIPE);
	assert_int_equal(write_fd(fault_fd, &response, sizeof(response), 0),
			 -EINVAL);
	assert_int_equal(write_fd(fault_fd, &response, 7, 0), -ESPIPE);
	assert_int_equal(write_fd(fault_fd, &response, 0, 0), 0);
	assert_int_equal(write_fd(fault_fd, NULL, 8, 0), -EFAULT);

	hwpt = t_ok(u_hwpt_fault(f.fd, f.dev, f.ioas, UP_HWPT_FAULT_ID, queue));
	t_errno(u_hwpt_fault(f.fd, f.dev, f.ioas, UP_HWPT_FAULT_ID, f.ioas),
		ENOENT);
	t_errno(u_hwpt_fault(f.fd, f.dev, f.ioas,
			     UP_HWPT_FAULT_ID | UP_HWPT_NEST_PARENT, queue),
		EOPNOTSUPP);
	/* The device makes no page requests. */
	t_errno(u_attach(f.hw, hwpt), ENODEV);
	nested = ({
		struct up_hwpt_alloc cmd = {
			.size = sizeof(cmd), .dev_id = f.dev, .pt_id = f.hwpt,
			.flags = UP_HWPT_FAULT_ID, .fault_id = queue,
			.data_type = UP_HWPT_DATA_VTD_S1, .data_len = sizeof(s1),
			.data = (uintptr_t)&s1,
		};

		t_ok(up(f.fd, UP_HWPT_ALLOC, &cmd));
		(int)cmd.hwpt_id;
	});
	t_errno(u_attach(f.hw, nested), ENODEV);

	t_errno(u_destroy(f.fd, queue), EBUSY);
	t_ok(u_destroy(f.fd, hwpt));
	t_ok(u_destroy(f.fd, nested));
	t_errno(u_destroy(f.fd, queue), EBUSY);
	shim_close(fault_fd);
	t_ok(u_destroy(f.fd, queue));
	t_errno(u_destroy(f.fd, queue), ENOENT);
	/* The file can outlive the rest. */
	queue = t_ok(u_fault_queue(f.fd, &fault_fd));
	t_ok(u_hwpt_fault(f.fd, f.dev, f.ioas, UP_HWPT_FAULT_ID, queue));
	t_release(f.hw);
	shim_close(f.fd);
	assert_int_equal(read_fd(fault_fd, &request, sizeof(request), 0), 0);
	shim_close(fault_fd);
}

/* Ids are those of the native ABI, and each finds the other's. */
static void one_namespace(void **state)
{
	struct fixture f = program();
	int native = t_ok(t_alloc(f.fd)), child, nested;
	struct testhw_dev *hw = testhw_dev();
	u64 iova = 0;
	u32 nr = 8;

	assert_int_equal(native, 4);
	t_ok(u_map(f.fd, native, USER, 4, IOVA));
	t_ok(t_unmap(f.fd, native, IOVA, 4));
	t_ok(t_map(f.fd, f.ioas, USER, 4, IOVA));
	assert_reaches(f.hw, IOVA, USER, 4);
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 4));
	t_ok(u_map_flags(f.fd, native, USER, 4, &iova, UP_RW));
	t_ok(u_ranges(f.fd, native, room, &nr));
	t_ok(u_destroy(f.fd, native));
	t_errno(t_free(f.fd, native), ENOENT);
	t_errno(t_free(f.fd, f.hwpt), ENOENT);

	/* A native user's table, nested by hardware, is a nested one. */
	build_table(&f);
	child = t_ok(t_alloc_user(f.fd, f.ioas, 0, IOMMU_NESTING_HARDWARE));
	assert_int_equal(u_attach(f.hw, child), child);
	assert_reaches(f.hw, PG(7), USER + PG(5), 1);
	*pte(3, 7) = PG(6) | 7;
	t_ok(u_invalidate(&f, child, PG(7), 1, 0));
	assert_reaches(f.hw, PG(7), USER + PG(6), 1);
	/* And the other way round */
	nested = t_ok(u_nested(f.fd, f.dev, f.hwpt, 0));
	t_ok(t_invalidate_all(f.fd, nested));
	t_ok(u_detach(f.hw));
	t_ok(t_attach(f.hw, f.fd, nested));
	assert_reaches(f.hw, PG(7), USER + PG(6), 1);
	t_ok(t_detach(f.hw, f.fd, nested));
	t_ok(t_free(f.fd, nested));
	t_ok(u_destroy(f.fd, child));

	/* Kernel-managed children are a native matter. */
	child = t_ok(t_alloc_child(f.fd, f.ioas));
	t_errno(u_map(f.fd, child, USER, 1, 0), ENOENT);
	t_errno(u_attach(f.hw, child), EINVAL);
	t_errno(u_hwpt(f.fd, f.dev, child, 0), EINVAL);
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_ok(u_destroy(f.fd, child));
	t_ok(t_bind(hw, f.fd, 0x1234));
	shim_close(f.fd);
}

/* Everything goes when the fd does, in whatever order it was made. */
static void closing(void **state)
{
	struct fixture f = program();
	int queue, fault_fd, other, i;

	queue = t_ok(u_fault_queue(f.fd, &fault_fd));
	build_table(&f);
	for (i = 0; i < 3; i++) {
		int nested = t_ok(u_nested(f.fd, f.dev, f.hwpt, 0));

		t_ok(u_attach_pasid(f.hw, nested, 1 + i));
	}
	t_ok(u_hwpt_fault(f.fd, f.dev, f.ioas, UP_HWPT_FAULT_ID, queue));
	other = t_ok(u_ioas(f.fd));
	t_ok(u_attach_pasid(f.hw, other, 9));
	t_ok(u_copy(f.fd, f.ioas, 0, other, IOVA, PAGES));
	t_ok(t_alloc_child(f.fd, other));
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, other));
	/* The binding keeps the rest, as upstream has it. */
	shim_close(f.fd);
	assert_int_equal(shim_pins, PAGES);
	t_release(f.hw);
	assert_int_equal(shim_pins, 0);
	assert_int_equal(testhw_pts, 0);
	shim_close(fault_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(sizes_and_tails),
		core_test(contract_unknown_number_is_ENOTTY),
		core_test(contract_unknown_flag_or_reserved_is_EOPNOTSUPP),
		core_test(lost_replies),
		core_test(contract_ranges_too_small_is_EMSGSIZE),
		core_test(contract_unmap_of_nothing_is_ENOENT),
		core_test(contract_unmap_all_of_empty_succeeds),
		core_test(contract_unmap_length_is_the_request),
		core_test(contract_map_over_map_is_EEXIST),
		core_test(contract_map_of_a_BAR_is_EFAULT),
		core_test(contract_unsupported_hwpt_flags_are_EOPNOTSUPP),
		core_test(contract_hw_info_succeeds),
		core_test(locked_memory_limit),
		core_test(copies_share_their_pages),
		core_test(copies_of_many),
		core_test(copies_and_permissions),
		core_test(copies_elsewhere),
		core_test(copies_into_several_tables),
		core_test(copies_at_random),
		core_test(files),
		core_test(allowed_iovas),
		core_test(reserved_regions),
		core_test(option_huge_pages),
		core_test(option_rlimit_mode),
		core_test(vfio_ioas),
		core_test(changing_the_process),
		core_test(hwpts),
		core_test(nested_tables),
		core_test(nested_attributes),
		core_test(invalidations_are_counted),
		core_test(fault_queues),
		core_test(one_namespace),
		core_test(closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
