// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Upstream's page tables: by id, nested, with fault queues, beside native IOASIDs
 * and children; and closing all of it.
 */
#include "upstream_program.h"
#include <linux/fs.h>
#include <linux/poll.h>

static struct up_range room[8];
static struct up_vtd_s1 s1 = { .addr_width_bits = 48 };

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
