// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Out of memory at every allocation of each of upstream's commands: what fails
 * says so and changes nothing, and works the next time.
 */
#include "upstream.h"
#include <linux/magic.h>

#define USER	0x10000000ul
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)

static int fd, ioas, other, dev, hwpt, nested, queue, fault_fd, mem;
static struct testhw_dev *hw, *second;

/**
 * struct oom_case - one command in one situation
 * @name: for people
 * @run: the command
 * @points: allocations that it makes at least; 0: it must not fail
 */
struct oom_case {
	const char *name;
	long (*run)(void);
	unsigned int points;
};

/* A program with one of everything */
static void before(void)
{
	fd = t_ok(t_open());
	ioas = t_ok(u_ioas(fd));
	other = t_ok(u_ioas(fd));
	t_ok(u_map(fd, ioas, USER, 40, IOVA));
	t_ok(u_map(fd, ioas, USER, 40, IOVA + PG(40)));
	t_ok(u_map_file(fd, other, mem, 0, 8, IOVA));
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, other));
	dev = t_ok(u_bind(hw, fd));
	hwpt = t_ok(u_hwpt(fd, dev, ioas, UP_HWPT_NEST_PARENT));
	nested = t_ok(u_nested(fd, dev, hwpt, 0));
	queue = t_ok(u_fault_queue(fd, &fault_fd));
	testhw_nr_events = 0;
}

static void after(void)
{
	const struct iofd_devfile_ops *ops = hw->df.ops;

	shim_close(fd);
	t_release(hw);
	iofd_devfile_init(&hw->df, &hw->dev, ops);
	hw->file_open = true;
	shim_close(fault_fd);
	testhw_nr_events = 0;
}

static long run_ioas(void)
{
	return u_ioas(fd);
}

static long run_allow(void)
{
	static const struct up_range r[] = { { 0, PG(8) - 1 } };

	return u_allow(fd, ioas, r, 1);
}

static long run_ranges(void)
{
	struct up_range r[4];
	u32 nr = 4;

	return u_ranges(fd, ioas, r, &nr);
}

static long run_map(void)
{
	return u_map(fd, ioas, USER, 40, 0);
}

static long run_map_file(void)
{
	return u_map_file(fd, ioas, mem, 0, 8, 0);
}

static long run_copy(void)
{
	return u_copy(fd, ioas, IOVA, other, PG(1000), 80);
}

static long run_copy_within(void)
{
	return u_copy(fd, ioas, IOVA, ioas, PG(1000), 80);
}

static long run_unmap(void)
{
	return u_unmap(fd, ioas, IOVA, 80);
}

static long run_option(void)
{
	return u_set_option(fd, UP_OPTION_HUGE_PAGES, ioas, 1);
}

static long run_vfio_ioas(void)
{
	return u_vfio_ioas(fd, UP_VFIO_IOAS_SET, ioas);
}

static long run_hwpt(void)
{
	return u_hwpt(fd, dev, other, UP_HWPT_NEST_PARENT);
}

static long run_hwpt_dirty(void)
{
	return u_hwpt(fd, dev, ioas, UP_HWPT_DIRTY_TRACKING);
}

static long run_hwpt_fault(void)
{
	return u_hwpt_fault(fd, dev, ioas, UP_HWPT_FAULT_ID, queue);
}

static long run_nested(void)
{
	return u_nested(fd, dev, hwpt, 0);
}

static long run_hw_info(void)
{
	struct up_hw_info cmd = { .size = sizeof(cmd), .dev_id = dev };

	return up(fd, UP_GET_HW_INFO, &cmd);
}

static long run_invalidate(void)
{
	struct up_invalidate_vtd_s1 entry = { .npages = U64_MAX };
	struct up_invalidate cmd = {
		.size = sizeof(cmd), .hwpt_id = nested, .nr = 1,
		.entries = (uintptr_t)&entry, .entry_len = sizeof(entry),
	};

	return up(fd, UP_HWPT_INVALIDATE, &cmd);
}

static long run_fault_queue(void)
{
	int file, rc = u_fault_queue(fd, &file);

	if (rc > 0)
		shim_close(file);
	return rc;
}

static struct shim_process heir;

static long run_change_process(void)
{
	struct task_struct *first = shim_current;
	long rc;

	u_unmap_all(fd, ioas);
	shim_current = &heir.task;
	rc = u_change_process(fd);
	shim_current = first;
	return rc;
}

static long run_destroy(void)
{
	return u_destroy(fd, nested) ?: u_destroy(fd, hwpt) ?:
	       u_destroy(fd, ioas) ?: u_destroy(fd, other);
}

static long run_bind(void)
{
	const struct iofd_devfile_ops *ops = second->df.ops;
	long rc = u_bind(second, fd);

	if (rc > 0) {
		t_release(second);
		iofd_devfile_init(&second->df, &second->dev, ops);
		second->file_open = true;
	}
	testhw_nr_events = 0;
	return rc;
}

static long run_attach_ioas(void)
{
	return u_attach(hw, other);
}

static long run_attach_hwpt(void)
{
	return u_attach(hw, hwpt);
}

static long run_attach_nested(void)
{
	return u_attach(hw, nested);
}

static long run_attach_pasid(void)
{
	return u_attach_pasid(hw, other, 5);
}

static long run_replace(void)
{
	return u_attach(hw, ioas) < 0 ? -ENOMEM : u_attach(hw, other);
}

static long run_detach(void)
{
	return u_detach(hw);
}

static long run_container_info(void)
{
	struct up_container_info info = { .argsz = sizeof(info) };

	return up(fd, UP_CONTAINER_GET_INFO, &info);
}

static long run_container_type1(void)
{
	return c_set(fd, UP_CONTAINER_TYPE1);
}

static long run_container_map(void)
{
	return c_map(fd, USER, 40, 0);
}

static long run_container_unmap(void)
{
	return c_unmap(fd, IOVA, 8);
}

static long run_container_unmap_part(void)
{
	return c_unmap(fd, IOVA + PG(2), 3);
}

static const struct oom_case cases[] = {
	{ "IOAS_ALLOC", run_ioas, 2 },
	{ "ALLOW_IOVAS", run_allow, 1 },
	{ "IOVA_RANGES", run_ranges, 1 },
	{ "MAP", run_map, 5 },
	{ "MAP_FILE", run_map_file, 4 },
	{ "COPY", run_copy, 6 },
	{ "COPY within an IOAS", run_copy_within, 5 },
	{ "UNMAP", run_unmap, 0 },
	{ "OPTION", run_option, 0 },
	{ "VFIO_IOAS", run_vfio_ioas, 0 },
	{ "container GET_INFO", run_container_info, 1 },
	{ "container SET_IOMMU to TYPE1", run_container_type1, 4 },
	{ "container MAP_DMA", run_container_map, 4 },
	{ "container UNMAP_DMA", run_container_unmap, 0 },
	{ "container UNMAP_DMA of a part", run_container_unmap_part, 2 },
	{ "HWPT_ALLOC", run_hwpt, 6 },
	{ "HWPT_ALLOC with dirty tracking", run_hwpt_dirty, 6 },
	{ "HWPT_ALLOC with a fault queue", run_hwpt_fault, 2 },
	{ "HWPT_ALLOC nested", run_nested, 4 },
	{ "GET_HW_INFO", run_hw_info, 0 },
	{ "HWPT_INVALIDATE", run_invalidate, 0 },
	{ "FAULT_QUEUE_ALLOC", run_fault_queue, 4 },
	{ "CHANGE_PROCESS", run_change_process, 1 },
	{ "DESTROY", run_destroy, 0 },
	{ "BIND", run_bind, 6 },
	{ "ATTACH an IOAS", run_attach_ioas, 6 },
	{ "ATTACH a HWPT", run_attach_hwpt, 2 },
	{ "ATTACH a nested HWPT", run_attach_nested, 2 },
	{ "ATTACH with a PASID", run_attach_pasid, 6 },
	{ "ATTACH twice", run_replace, 8 },
	{ "DETACH", run_detach, 0 },
};

static void exhaust(const struct oom_case *c)
{
	unsigned int n, failed = 0, survived = 0;
	bool fired = true;
	char *state;
	long rc;

	for (n = 1; fired; n++) {
		before();
		/* What it does before the command that can fail */
		if (c->run == run_change_process)
			u_unmap_all(fd, ioas);
		if (c->run == run_container_unmap_part)
			t_ok(run_container_type1());
		state = t_state();
		shim_fail_nth(n);
		rc = c->run();
		fired = shim_fail_fired();
		shim_fail_nth(0);
		if (rc >= 0) {
			survived += fired;
			free(state);
		} else {
			if (!fired || rc != -ENOMEM)
				fail_msg("%s, %u: %ld", c->name, n, rc);
			failed++;
			if (c->run == run_replace)
				free(state);
			else
				assert_state(state);
			t_ok(c->run());
		}
		after();
		assert_int_equal(shim_pins, 0);
		assert_int_equal(testhw_pts, 0);
	}
	print_message("  %-32s %3u injection points, %u of them survived\n",
		      c->name, failed + survived, survived);
	assert_true(failed + survived >= c->points);
	if (!c->points)
		assert_int_equal(failed, 0);
}

static void out_of_memory(void **state)
{
	unsigned int i;

	hw = testhw_dev();
	hw->nests = true;
	hw->dirty = true;
	hw->noncoherent = false;
	hw->pasid_width_bits = 8;
	second = testhw_dev();
	mem = shim_open_memory(TMPFS_MAGIC, 64, PAGE_SIZE);
	shim_user_map(USER, 40, SHIM_SCATTERED);
	shim_process_init(&heir);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		exhaust(&cases[i]);
	shim_close(mem);
	shim_process_exit(&heir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
