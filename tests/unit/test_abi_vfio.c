// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VFIO's commands on device files, as upstream's clients use them: all sizes that
 * there have been, and replacing. What native commands share is in test_abi_mixed.c.
 */
#include "upstream.h"

#define USER	0x10000000ul
#define OTHER	0x20000000ul
#define PAGES	16
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)

/* Two IOAS: what is at IOVA in the first is USER, in the second OTHER. */
struct fixture {
	int fd;
	int ioas, other;
	int dev;
	struct testhw_dev *hw;
};

static struct fixture program(void)
{
	struct fixture f = { .fd = t_ok(t_open()), .hw = testhw_dev() };

	f.hw->pasid_width_bits = 8;
	shim_user_map(USER, PAGES, SHIM_SCATTERED);
	shim_user_map(OTHER, PAGES, SHIM_SCATTERED);
	f.ioas = t_ok(u_ioas(f.fd));
	f.other = t_ok(u_ioas(f.fd));
	t_ok(u_map(f.fd, f.ioas, USER, PAGES, IOVA));
	t_ok(u_map(f.fd, f.other, OTHER, PAGES, IOVA));
	f.dev = t_ok(u_bind(f.hw, f.fd));
	return f;
}

/* The file of @hw, opened anew */
static void reopen(struct testhw_dev *hw)
{
	const struct iofd_devfile_ops *ops = hw->df.ops;

	t_release(hw);
	iofd_devfile_init(&hw->df, &hw->dev, ops);
	hw->file_open = true;
}

/* Every argsz from too small to a later version's, whatever is behind */
static void argsz(void **state)
{
	struct fixture f = program();
	union {
		struct up_vfio_bind bind;
		struct up_vfio_attach attach;
		struct up_vfio_detach detach;
		u32 argsz;
		unsigned char bytes[64];
	} u;
	u32 size;

	for (size = 0; size <= sizeof(u); size++) {
		reopen(f.hw);
		memset(&u, 0xff, sizeof(u));
		u.bind.argsz = size;
		u.bind.flags = 0;
		u.bind.iommufd = f.fd;
		assert_int_equal(u_vfio(f.hw, UP_VFIO_BIND, &u),
				 size < 16 ? -EINVAL : 0);
		if (size >= 16)
			assert_int_equal(u.bind.devid, f.dev);
		assert_int_equal(u.bytes[16], 0xff);
		if (size < 16)
			t_ok(u_bind(f.hw, f.fd));

		memset(&u, 0xff, sizeof(u));
		u.attach.argsz = size;
		u.attach.flags = 0;
		u.attach.pt_id = f.ioas;
		assert_int_equal(u_vfio(f.hw, UP_VFIO_ATTACH, &u),
				 size < 12 ? -EINVAL : 0);
		assert_int_equal(u.bytes[12], 0xff);
		if (size >= 12)
			assert_reaches(f.hw, IOVA, USER, 1);

		memset(&u, 0xff, sizeof(u));
		u.detach.argsz = size;
		u.detach.flags = 0;
		assert_int_equal(u_vfio(f.hw, UP_VFIO_DETACH, &u),
				 size < 8 ? -EINVAL : 0);
		if (size >= 8)
			assert_blocked(f.hw, IOVA, 1);

		/* With a PASID they are longer. */
		memset(&u, 0, sizeof(u));
		u.attach = (struct up_vfio_attach) {
			.argsz = size, .flags = UP_VFIO_PASID,
			.pt_id = f.ioas, .pasid = 5,
		};
		assert_int_equal(u_vfio(f.hw, UP_VFIO_ATTACH, &u),
				 size < 16 ? -EINVAL : 0);
		u.detach = (struct up_vfio_detach) {
			.argsz = size, .flags = UP_VFIO_PASID, .pasid = 5,
		};
		assert_int_equal(u_vfio(f.hw, UP_VFIO_DETACH, &u),
				 size < 12 ? -EINVAL : 0);
	}
	for (size = 0; size < 3; size++)
		t_errno(u_vfio(f.hw, UP_VFIO_BIND + size, NULL), EFAULT);
	shim_close(f.fd);
}

static void bind_errors(void **state)
{
	struct fixture f = program();
	struct testhw_dev *hw = testhw_dev();
	int fd2 = t_ok(t_open()), mem = shim_open_memory(0xef53, 1, PAGE_SIZE);
	struct up_vfio_bind cmd = { .argsz = sizeof(cmd), .iommufd = f.fd }, c;
	char *before;

	testhw_nr_events = 0;
	before = t_state();

#define TRY(field, value, error)					\
	c = cmd;							\
	c.field = value;						\
	t_errno(u_vfio(hw, UP_VFIO_BIND, &c), error)
	TRY(flags, 2, EINVAL);
	/* Where there is no notion of tokens */
	TRY(flags, UP_VFIO_BIND_TOKEN, EINVAL);
	TRY(iommufd, -1, EINVAL);
	TRY(iommufd, INT_MIN, EINVAL);
	TRY(iommufd, 60, EBADF);
	TRY(iommufd, mem, EBADFD);
#undef TRY
	/* The reply cannot be written. */
	c = cmd;
	shim_user_readonly(&c, sizeof(c));
	t_errno(u_vfio(hw, UP_VFIO_BIND, &c), EFAULT);
	shim_user_readonly(NULL, 0);
	assert_int_equal(hw->df_opens, 1);
	assert_int_equal(hw->df_closes, 1);
	/* The bus wrapper cannot open it. */
	hw->df_error = -EPERM;
	t_errno(u_bind(hw, f.fd), EPERM);
	hw->df_error = 0;
	/* The second time, to whichever fd */
	t_errno(u_bind(f.hw, f.fd), EINVAL);
	t_errno(u_bind(f.hw, fd2), EINVAL);
	/* A kernel driver has its group. */
	hw->group->owner = &before;
	t_errno(u_bind(hw, f.fd), EPERM);
	hw->group->owner = NULL;
	testhw_nr_events = 0;
	assert_state(before);

	/* Through another open of its file */
	{
		struct iofd_devfile mine = f.hw->df;

		iofd_devfile_init(&f.hw->df, &f.hw->dev, mine.ops);
		t_errno(u_bind(f.hw, f.fd), EINVAL);
		f.hw->df.bindings = mine.bindings;
		f.hw->df.bound = true;
		f.hw->df.bindings.next->prev = &f.hw->df.bindings;
		f.hw->df.bindings.prev->next = &f.hw->df.bindings;
	}
	/* A group of which another fd has a device */
	hw->group = f.hw->group;
	t_errno(u_bind(hw, fd2), EPERM);
	t_ok(u_bind(hw, f.fd));
	t_release(hw);
	hw->group = &hw->own_group;
	shim_close(mem);
	shim_close(fd2);
	shim_close(f.fd);
}

/* Before it is bound a device file answers nothing. */
static void unbound(void **state)
{
	struct testhw_dev *hw = testhw_dev();

	t_errno(u_attach(hw, 1), EINVAL);
	t_errno(u_detach(hw), EINVAL);
}

/* DETACH: a silent success when there is nothing, and blocked afterwards */
static void contract_detach_succeeds(void **state)
{
	struct fixture f = program();

	t_ok(u_detach(f.hw));
	t_ok(u_attach(f.hw, f.ioas));
	assert_reaches(f.hw, IOVA, USER, PAGES);
	t_ok(u_detach(f.hw));
	assert_blocked(f.hw, IOVA, PAGES);
	t_ok(u_detach(f.hw));
	t_ok(u_detach_pasid(f.hw, 5));
	shim_close(f.fd);
}

/* An IOAS by a table that is made for it, is written back, and goes again */
static void attach_ioas(void **state)
{
	struct fixture f = program();
	struct testhw_dev *second = testhw_dev(), *narrow = testhw_dev();
	int hwpt, wide;

	narrow->width_bits = 39;
	t_ok(u_bind(second, f.fd));
	t_ok(u_bind(narrow, f.fd));
	hwpt = t_ok(u_attach(f.hw, f.ioas));
	assert_int_not_equal(hwpt, f.ioas);
	/* The same for who can use it; another for who cannot */
	assert_int_equal(u_attach(second, f.ioas), hwpt);
	assert_int_not_equal(t_ok(u_attach(narrow, f.ioas)), hwpt);
	assert_reaches(narrow, IOVA, USER, PAGES);
	/* By its id as well, and it is as busy as any. */
	assert_int_equal(u_attach(second, hwpt), hwpt);
	t_errno(u_destroy(f.fd, hwpt), EBUSY);
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_errno(u_nested(f.fd, f.dev, hwpt, 0), EINVAL);
	t_ok(u_detach(f.hw));
	assert_int_equal(u_attach(f.hw, hwpt), hwpt);
	t_ok(u_detach(second));
	t_ok(u_detach(f.hw));
	t_errno(u_attach(f.hw, hwpt), ENOENT);
	t_errno(u_destroy(f.fd, hwpt), ENOENT);
	t_ok(u_detach(narrow));
	/* One that was asked for is not the automatic one. */
	wide = t_ok(u_hwpt(f.fd, f.dev, f.ioas, 0));
	hwpt = t_ok(u_attach(f.hw, f.ioas));
	assert_int_not_equal(hwpt, wide);
	t_ok(u_detach(f.hw));
	t_ok(u_destroy(f.fd, wide));
	t_ok(u_destroy(f.fd, f.ioas));
	assert_int_equal(shim_pins, PAGES);
	shim_close(f.fd);
}

/* attach to incompatible HWPT: EINVAL, and what there was remains */
static void contract_attach_to_incompatible_is_EINVAL(void **state)
{
	struct fixture f = program();
	struct testhw_dev *narrow = testhw_dev(), *plain = testhw_dev();
	int hwpt = t_ok(u_hwpt(f.fd, f.dev, f.ioas, 0)), enforced;
	char *before;

	narrow->width_bits = 39;
	plain->unit = &testhw_plain;
	plain->can_snoop = false;
	t_ok(u_bind(narrow, f.fd));
	t_ok(u_bind(plain, f.fd));
	t_ok(u_attach(narrow, f.other));
	enforced = t_ok(t_alloc_as(f.fd, 0, IOMMU_COHERENCY_ENFORCE));
	before = t_state();
	t_errno(u_attach(narrow, hwpt), EINVAL);
	t_errno(u_attach(plain, hwpt), EINVAL);
	t_errno(u_attach(plain, enforced), EINVAL);
	/* Ids of nothing, and of what is no table */
	t_errno(u_attach(narrow, 0), ENOENT);
	t_errno(u_attach(narrow, 99), ENOENT);
	t_errno(u_attach(narrow, f.dev), EINVAL);
	assert_state(before);
	assert_reaches(narrow, IOVA, OTHER, PAGES);
	shim_close(f.fd);
}

static void attach_errors(void **state)
{
	struct fixture f = program();
	struct up_vfio_attach attach = {
		.argsz = sizeof(attach), .flags = UP_VFIO_PASID, .pt_id = f.ioas,
		.pasid = 5,
	}, a;
	struct up_vfio_detach detach = {
		.argsz = sizeof(detach), .flags = UP_VFIO_PASID, .pasid = 5,
	}, d;
	char *before = t_state();

#define TRY(field, value, error)					\
	a = attach;							\
	a.field = value;						\
	t_errno(u_vfio(f.hw, UP_VFIO_ATTACH, &a), error)
	TRY(flags, 2, EINVAL);
	TRY(flags, 3, EINVAL);
	TRY(pasid, 0, EINVAL);
	TRY(pasid, 256, EINVAL);
	TRY(pasid, 1 << 20, EINVAL);
	TRY(pasid, U32_MAX, EINVAL);
#undef TRY
#define TRY(field, value, error)					\
	d = detach;							\
	d.field = value;						\
	t_errno(u_vfio(f.hw, UP_VFIO_DETACH, &d), error)
	TRY(flags, 2, EINVAL);
	TRY(flags, 3, EINVAL);
	TRY(pasid, 0, EINVAL);
	TRY(pasid, U32_MAX, EINVAL);
#undef TRY
	/* The id cannot be written. */
	a = attach;
	shim_user_readonly(&a, sizeof(a));
	t_errno(u_vfio(f.hw, UP_VFIO_ATTACH, &a), EFAULT);
	shim_user_readonly(NULL, 0);
	assert_state(before);
	shim_close(f.fd);
}

/* Attaching while attached: from the one to the other, never to nothing */
static void replacing(void **state)
{
	struct fixture f = program();
	int a = t_ok(u_hwpt(f.fd, f.dev, f.ioas, 0));
	int a2 = t_ok(u_hwpt(f.fd, f.dev, f.ioas, 0));
	int b = t_ok(u_hwpt(f.fd, f.dev, f.other, 0));
	char *before;

	t_ok(u_attach(f.hw, a));
	assert_reaches(f.hw, IOVA, USER, PAGES);
	t_ok(u_attach(f.hw, b));
	assert_reaches(f.hw, IOVA, OTHER, PAGES);
	t_ok(u_destroy(f.fd, a));
	/* The same once more, and another name for it */
	t_ok(u_attach(f.hw, b));
	t_ok(u_attach(f.hw, a2));
	assert_reaches(f.hw, IOVA, USER, PAGES);
	t_ok(u_attach(f.hw, f.other));
	t_ok(u_attach(f.hw, f.other));
	assert_reaches(f.hw, IOVA, OTHER, PAGES);
	t_ok(u_attach(f.hw, f.ioas));
	t_ok(u_attach(f.hw, a2));
	/* The hardware fails: as it was */
	before = t_state();
	testhw_attach_error = -EIO;
	t_errno(u_attach(f.hw, b), EIO);
	t_errno(u_attach(f.hw, f.other), EIO);
	testhw_attach_error = 0;
	assert_state(before);
	assert_reaches(f.hw, IOVA, USER, PAGES);
	/* An IOAS that goes is one that nothing is attached to. */
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_ok(u_attach(f.hw, b));
	t_ok(u_destroy(f.fd, a2));
	t_ok(u_destroy(f.fd, f.ioas));
	shim_close(f.fd);
}

/* The events that administrators see of it */
static void events(void **state)
{
	struct fixture f = program();

	assert_event(IOFD_EVENT_BIND, f.hw, f.fd, f.dev, 0);
	t_ok(u_attach(f.hw, f.ioas));
	assert_event(IOFD_EVENT_ATTACH, f.hw, f.fd, f.dev, f.ioas);
	t_ok(u_attach(f.hw, f.other));
	assert_event(IOFD_EVENT_DETACH, f.hw, f.fd, f.dev, f.ioas);
	assert_event(IOFD_EVENT_ATTACH, f.hw, f.fd, f.dev, f.other);
	t_ok(u_detach(f.hw));
	assert_event(IOFD_EVENT_DETACH, f.hw, f.fd, f.dev, f.other);
	t_ok(u_detach(f.hw));
	assert_no_event();
	shim_close(f.fd);
}

static void pasids(void **state)
{
	struct fixture f = program();
	int plain = t_ok(u_hwpt(f.fd, f.dev, f.ioas, 0));
	int pasid = t_ok(u_hwpt(f.fd, f.dev, f.ioas, UP_HWPT_PASID));
	struct testhw_dev *none = testhw_dev();
	phys_addr_t phys;

	/* One that was not made for them */
	t_errno(u_attach_pasid(f.hw, plain, 5), EINVAL);
	assert_int_equal(u_attach_pasid(f.hw, pasid, 5), pasid);
	t_ok(u_attach(f.hw, f.other));
	assert_true(testhw_dma_pasid(f.hw, 5, IOVA, IOFD_READ, &phys));
	assert_int_equal(phys, page_to_phys(shim_user_page(USER)));
	assert_reaches(f.hw, IOVA, OTHER, PAGES);
	/* Replaced, too */
	t_ok(u_attach_pasid(f.hw, f.other, 5));
	assert_true(testhw_dma_pasid(f.hw, 5, IOVA, IOFD_READ, &phys));
	assert_int_equal(phys, page_to_phys(shim_user_page(OTHER)));
	testhw_attach_error = -EIO;
	t_errno(u_attach_pasid(f.hw, pasid, 5), EIO);
	t_errno(u_attach_pasid(f.hw, pasid, 6), EIO);
	testhw_attach_error = 0;
	assert_true(testhw_dma_pasid(f.hw, 5, IOVA, IOFD_READ, &phys));
	t_ok(u_detach(f.hw));
	assert_true(testhw_dma_pasid(f.hw, 5, IOVA, IOFD_READ, &phys));
	t_ok(u_detach_pasid(f.hw, 5));
	assert_false(testhw_dma_pasid(f.hw, 5, IOVA, IOFD_READ, &phys));
	t_ok(u_detach_pasid(f.hw, 5));
	t_ok(u_bind(none, f.fd));
	t_errno(u_attach_pasid(none, f.ioas, 5), EINVAL);
	t_ok(u_destroy(f.fd, pasid));
	shim_close(f.fd);
}

/* What QEMU 10 does, command by command */
static void as_qemu_does(void **state)
{
	int fd = t_ok(t_open()), dev, ioas, hwpt;
	struct up_hw_info_vtd vtd;
	struct up_hw_info info = {
		.size = sizeof(info), .data = (uintptr_t)&vtd,
		.data_len = sizeof(vtd),
	};
	struct testhw_dev *hw = testhw_dev(), *second = testhw_dev();
	struct up_range r[4];
	u32 nr = 0;

	shim_user_map(USER, PAGES, 0);
	dev = t_ok(u_bind(hw, fd));
	info.dev_id = dev;
	t_ok(up(fd, UP_GET_HW_INFO, &info));
	ioas = t_ok(u_ioas(fd));
	hwpt = t_ok(u_hwpt(fd, dev, ioas, 0));
	t_ok(u_attach(hw, hwpt));
	t_errno(u_ranges(fd, ioas, NULL, &nr), EMSGSIZE);
	t_ok(u_ranges(fd, ioas, r, &nr));
	t_ok(u_map(fd, ioas, USER, PAGES, 0));
	/* The second device tries what there is first. */
	second->width_bits = 39;
	dev = t_ok(u_bind(second, fd));
	t_errno(u_attach(second, hwpt), EINVAL);
	t_ok(u_attach(second, t_ok(u_hwpt(fd, dev, ioas, 0))));
	assert_reaches(second, 0, USER, PAGES);
	t_ok(u_unmap(fd, ioas, 0, PAGES));
	t_errno(u_unmap(fd, ioas, 0, PAGES), ENOENT);
	t_ok(u_detach(second));
	t_ok(u_detach(hw));
	t_ok(u_destroy(fd, hwpt));
	t_errno(u_destroy(fd, ioas), EBUSY);
	t_ok(u_destroy(fd, hwpt + 2));
	t_ok(u_destroy(fd, ioas));
	shim_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(argsz),
		core_test(bind_errors),
		core_test(unbound),
		core_test(contract_detach_succeeds),
		core_test(attach_ioas),
		core_test(contract_attach_to_incompatible_is_EINVAL),
		core_test(attach_errors),
		core_test(replacing),
		core_test(events),
		core_test(pasids),
		core_test(as_qemu_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
