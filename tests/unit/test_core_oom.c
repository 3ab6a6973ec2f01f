// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Out of memory at every allocation of every command: slab, pages, array nodes,
 * pinning, tables. What fails says so and changes nothing.
 */
#include "testhw.h"
#include <linux/magic.h>

#define USER	0x10000000ul
#define OTHER	0x20000000ul
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)

static int fd, fd2, ioasid, mem;
static struct testhw_dev *hw, *hw2, *plain;

/**
 * struct oom_case - one command in one situation
 * @name: for people
 * @before: makes the situation
 * @run: the command
 * @after: takes back the command, when it succeeded, and the situation
 * @points: allocations that it makes at least
 */
struct oom_case {
	const char *name;
	void (*before)(void);
	long (*run)(void);
	void (*after)(bool done);
	unsigned int points;
};

static void nothing(void)
{
}

static void make_fd(void)
{
	fd = t_ok(t_open());
}

static void make_space(void)
{
	make_fd();
	ioasid = t_ok(t_alloc(fd));
}

static void make_bound(void)
{
	make_space();
	t_ok(t_bind(hw, fd, 1));
}

static void make_attached(void)
{
	make_bound();
	t_ok(t_attach(hw, fd, ioasid));
}

/* A program with its own file of each device again, so that all can be closed */
static void reopen(struct testhw_dev *dev)
{
	const struct iofd_devfile_ops *ops = dev->df.ops;

	t_release(dev);
	iofd_devfile_init(&dev->df, &dev->dev, ops);
	dev->file_open = true;
}

static void close_fd(bool done)
{
	shim_close(fd);
	reopen(hw);
	reopen(hw2);
	reopen(plain);
	testhw_nr_events = 0;
}

/* open */

static long run_open(void)
{
	return fd = t_open();
}

static void after_open(bool done)
{
	if (done)
		shim_close(fd);
}

/* bind */

static long run_bind(void)
{
	return t_bind(hw, fd, 1);
}

static void make_two_fds(void)
{
	make_bound();
	fd2 = t_ok(t_open());
}

static long run_bind_second_fd(void)
{
	return t_bind(hw, fd2, 0xdeadbeefcafef00d);
}

static void close_two(bool done)
{
	shim_close(fd2);
	close_fd(done);
}

static void make_sibling(void)
{
	make_bound();
	hw2->group = hw->group;
}

static long run_bind_sibling(void)
{
	return t_bind(hw2, fd, 2);
}

static void close_sibling(bool done)
{
	close_fd(done);
	hw2->group = &hw2->own_group;
}

/* alloc */

static long run_alloc(void)
{
	return t_alloc(fd);
}

static long run_alloc_for_label(void)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.flags = IOMMU_IOASID_FOR_LABEL,
		.label = 1,
	};

	return shim_ioctl(fd, IOMMU_IOASID_ALLOC, &cmd);
}

/* attach */

static long run_attach(void)
{
	return t_attach(hw, fd, ioasid);
}

static void make_filled(void)
{
	unsigned int i;

	make_bound();
	t_ok(t_map(fd, ioasid, USER, 600, IOVA));
	for (i = 0; i < 40; i++)
		t_ok(t_map(fd, ioasid, OTHER + PG(i), 1, PG(1000 * i)));
}

static void make_plain(void)
{
	make_space();
	t_ok(t_bind(plain, fd, 1));
}

static void make_plain_filled(void)
{
	make_plain();
	t_ok(t_map(fd, ioasid, USER, 600, IOVA));
}

static long run_attach_plain(void)
{
	return t_attach(plain, fd, ioasid);
}

static void make_second_device(void)
{
	make_attached();
	t_ok(t_bind(hw2, fd, 2));
	t_ok(t_map(fd, ioasid, OTHER, 100, IOVA));
}

static long run_attach_second(void)
{
	return t_attach(hw2, fd, ioasid);
}

static void make_second_narrow(void)
{
	hw2->width_bits = 39;
	make_second_device();
}

static void close_narrow(bool done)
{
	close_fd(done);
	hw2->width_bits = 48;
}

/* map */

static long run_map_small(void)
{
	return t_map(fd, ioasid, USER, 10, IOVA);
}

static long run_map_large(void)
{
	return t_map(fd, ioasid, OTHER, 1200, IOVA);
}

static long run_map_contiguous(void)
{
	return t_map(fd, ioasid, USER, 1024, IOVA);
}

static long run_map_any(void)
{
	u64 iova;

	return t_map_any(fd, ioasid, USER, 10, &iova);
}

static void make_three_tables(void)
{
	hw2->width_bits = 39;
	make_attached();
	t_ok(t_bind(hw2, fd, 2));
	t_ok(t_attach(hw2, fd, ioasid));
	t_ok(t_bind(plain, fd, 3));
	t_ok(t_attach(plain, fd, ioasid));
}

static void make_plain_attached(void)
{
	make_plain();
	t_ok(t_attach(plain, fd, ioasid));
}

static struct shim_process other_process;

static long run_map_elsewhere(void)
{
	struct task_struct *first = shim_current;
	long rc;

	shim_current = &other_process.task;
	rc = t_map(fd, ioasid, USER, 10, IOVA);
	shim_current = first;
	return rc;
}

static void make_other_process(void)
{
	struct task_struct *first = shim_current;

	make_attached();
	shim_process_init(&other_process);
	shim_current = &other_process.task;
	shim_user_map(USER, 10, SHIM_SCATTERED);
	shim_current = first;
}

static void close_other_process(bool done)
{
	close_fd(done);
	shim_process_exit(&other_process);
}

static long run_map_file(void)
{
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_MAP_READ | IOMMU_MAP_FIXED_IOVA | IOMMU_MAP_FD,
		.ioasid = ioasid,
		.fd = mem,
		.length = PG(40),
		.iova = IOVA,
	};

	return shim_ioctl(fd, IOMMU_MAP_DMA, &cmd);
}

/* What has to work without memory */

static void make_mapped(void)
{
	make_attached();
	t_ok(t_map(fd, ioasid, OTHER, 1200, IOVA));
}

static void make_mapped_detached(void)
{
	make_mapped();
	t_ok(t_detach(hw, fd, ioasid));
}

static long run_unmap(void)
{
	return t_unmap(fd, ioasid, IOVA, 1200);
}

static long run_unmap_all(void)
{
	return t_unmap_all(fd, ioasid);
}

static long run_detach(void)
{
	return t_detach(hw, fd, ioasid);
}

static long run_free(void)
{
	return t_free(fd, ioasid);
}

static long run_release(void)
{
	reopen(hw);
	return 0;
}

static long run_close(void)
{
	shim_close(fd);
	return 0;
}

static void after_close(bool done)
{
	reopen(hw);
	testhw_nr_events = 0;
}

/* Information */

static struct iommu_ioasid_range ranges[8];

static long run_device_info(void)
{
	struct iommu_device_info cmd = {
		.size = sizeof(cmd),
		.label = 1,
		.nr_ranges = ARRAY_SIZE(ranges),
		.ranges = (uintptr_t)ranges,
	};

	return shim_ioctl(fd, IOMMU_DEVICE_GET_INFO, &cmd);
}

static long run_space_info(void)
{
	struct iommu_ioasid_info cmd = {
		.size = sizeof(cmd),
		.ioasid = ioasid,
		.nr_ranges = ARRAY_SIZE(ranges),
		.ranges = (uintptr_t)ranges,
	};

	return shim_ioctl(fd, IOMMU_IOASID_GET_INFO, &cmd);
}

static long run_extension(void)
{
	struct iommu_check_extension cmd = {
		.size = sizeof(cmd),
		.extension = IOMMU_EXT_MAP_TYPE1V2,
	};

	return shim_ioctl(fd, IOMMU_CHECK_EXTENSION, &cmd);
}

static const struct oom_case cases[] = {
	{ "open", nothing, run_open, after_open, 2 },
	{ "bind", make_fd, run_bind, close_fd, 6 },
	{ "bind to a second fd", make_two_fds, run_bind_second_fd, close_two, 3 },
	{ "bind a sibling", make_sibling, run_bind_sibling, close_sibling, 5 },
	{ "alloc", make_fd, run_alloc, close_fd, 2 },
	{ "alloc for a label", make_bound, run_alloc_for_label, close_fd, 4 },
	{ "attach", make_bound, run_attach, close_fd, 5 },
	{ "attach, memory mapped", make_filled, run_attach, close_fd, 10 },
	{ "attach, plain", make_plain, run_attach_plain, close_fd, 5 },
	{ "attach, plain, memory mapped", make_plain_filled, run_attach_plain,
	  close_fd, 7 },
	{ "attach a second device", make_second_device, run_attach_second,
	  close_fd, 2 },
	{ "attach a second device, narrow", make_second_narrow,
	  run_attach_second, close_narrow, 6 },
	{ "map, first, no device", make_space, run_map_small, close_fd, 9 },
	{ "map, any address, no device", make_space, run_map_any, close_fd, 9 },
	{ "map, few pages", make_attached, run_map_small, close_fd, 5 },
	{ "map, many pages", make_attached, run_map_large, close_fd, 8 },
	{ "map, large pages", make_attached, run_map_contiguous, close_fd, 5 },
	{ "map, three tables", make_three_tables, run_map_large, close_fd, 14 },
	{ "map, plain", make_plain_attached, run_map_large, close_fd, 14 },
	{ "map, other process", make_other_process, run_map_elsewhere,
	  close_other_process, 6 },
	{ "map a file", make_attached, run_map_file, close_fd, 6 },
	{ "unmap", make_mapped, run_unmap, close_fd, 0 },
	{ "unmap all", make_mapped, run_unmap_all, close_fd, 0 },
	{ "detach", make_mapped, run_detach, close_fd, 0 },
	{ "free", make_mapped_detached, run_free, close_fd, 0 },
	{ "close the device file", make_mapped, run_release, close_fd, 0 },
	{ "close /dev/iommu", make_mapped, run_close, after_close, 0 },
	{ "device info", make_bound, run_device_info, close_fd, 1 },
	{ "ioasid info", make_mapped, run_space_info, close_fd, 1 },
	{ "check extension", make_fd, run_extension, close_fd, 0 },
};

/* What does without the memory is fine as well: @survived counts that. */
static void exhaust(const struct oom_case *c)
{
	unsigned int n, failed = 0, survived = 0;
	bool fired = true;
	char *before;
	long rc;

	for (n = 1; fired; n++) {
		c->before();
		before = t_state();
		shim_fail_nth(n);
		rc = c->run();
		fired = shim_fail_fired();
		shim_fail_nth(0);
		if (rc >= 0) {
			survived += fired;
			free(before);
		} else {
			if (!fired || rc != -ENOMEM)
				fail_msg("%s, %u: %ld", c->name, n, rc);
			failed++;
			assert_state(before);
			/* Nothing is in the way of another go. */
			t_ok(c->run());
		}
		c->after(true);
		assert_int_equal(shim_pins, 0);
		assert_int_equal(testhw_pts, 0);
	}
	print_message("  %-32s %3u injection points, %u of them survived\n",
		      c->name, failed + survived, survived);
	assert_true(failed + survived >= c->points);
	/* What takes away has no right to memory. */
	if (!c->points)
		assert_int_equal(failed, 0);
}

static void out_of_memory(void **state)
{
	static const struct iommu_resv_region regions[] = {
		{ .start = 0xfee00000, .length = 0x100000, .type = IOMMU_RESV_MSI },
	};
	unsigned int i;

	hw = testhw_dev();
	hw2 = testhw_dev();
	plain = testhw_dev();
	plain->unit = &testhw_plain;
	hw->own_group.regions = regions;
	hw->own_group.nr_regions = 1;
	mem = shim_open_memory(TMPFS_MAGIC, 64, PAGE_SIZE);
	shim_user_map(USER, 1024, 0);
	shim_user_map(OTHER, 1200, SHIM_SCATTERED);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		exhaust(&cases[i]);
	shim_close(mem);
}

/* Each module init that can be seen from here */
static void registering_a_provider(void **state)
{
	static const struct iofd_hw_ops ops = { .name = "none" };

	shim_fail_nth(1);
	assert_int_equal(iofd_hw_register(&ops), -ENOMEM);
	shim_fail_nth(0);
	assert_int_equal(iofd_hw_register(&ops), 0);
	iofd_hw_unregister(&ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(out_of_memory),
		core_test(registering_a_provider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
