// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Upstream's commands on /dev/iommu: sizes and values, and each row of the
 * contract that clients depend on.
 */
#include "upstream_program.h"
#include <linux/magic.h>
#include "abi/abi.h"

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
		bool container = (nr >= UP_CONTAINER_API_VERSION &&
				  nr <= UP_CONTAINER_SET_IOMMU) ||
				 (nr >= UP_CONTAINER_GET_INFO &&
				  nr <= UP_CONTAINER_UNMAP);

		if (!container && (nr < UP_DESTROY ||
				   (nr > UP_HW_QUEUE_ALLOC && nr < 0xc0)))
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
		WRONG(UP_SET_DIRTY_TRACKING, up_set_dirty, hwpt_id, 4, ENOENT),
		WRONG(UP_GET_DIRTY_BITMAP, up_get_dirty, hwpt_id, 4, ENOENT),
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
		WRONG(UP_GET_DIRTY_BITMAP, up_get_dirty, length, 0, EOVERFLOW),
		WRONG(UP_GET_DIRTY_BITMAP, up_get_dirty, length, 1, EINVAL),
		WRONG(UP_GET_DIRTY_BITMAP, up_get_dirty, iova, 1, EINVAL),
		WRONG(UP_GET_DIRTY_BITMAP, up_get_dirty, iova, U64_MAX, EOVERFLOW),
		WRONG(UP_GET_DIRTY_BITMAP, up_get_dirty, page_size, 0, EINVAL),
		WRONG(UP_GET_DIRTY_BITMAP, up_get_dirty, page_size, 12288, EINVAL),
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
		core_test(locked_memory_limit),
		core_test(contract_unsupported_hwpt_flags_are_EOPNOTSUPP),
		core_test(contract_hw_info_succeeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
