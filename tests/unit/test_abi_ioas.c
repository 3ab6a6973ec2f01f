// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where upstream's programs have their mappings, and options.
 */
#include "upstream_program.h"

static struct up_range room[8];

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(allowed_iovas),
		core_test(reserved_regions),
		core_test(option_huge_pages),
		core_test(option_rlimit_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
