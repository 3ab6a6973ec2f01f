// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sub-devices (requirement A23, type 3): parts of a device that stays with its
 * kernel driver. Who may have them, what they reach, and what nobody learns.
 */
#include "upstream.h"

#define USER	0x10000000ul
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)
#define LABEL	0xdeadbeefcafef00dull

/* Such that no other number of a test looks like them */
#define PASID_A	7771u
#define PASID_B	8882u

static struct testhw_dev *parent, *a, *b;

/* A device that a kernel driver works with, and two parts of it */
static void start(void)
{
	parent = testhw_dev();
	parent->group->busy = true;
	parent->pasid_width_bits = 20;
	parent->nests = true;
	a = testhw_subdev(parent, PASID_A, "qa");
	b = testhw_subdev(parent, PASID_B, "qb");
	parent->dev.iommu_group = parent->group;
	shim_user_map(USER, 16, SHIM_SCATTERED);
}

/* Its file, opened anew */
static void reopen(struct testhw_dev *hw)
{
	const char *name = hw->df.name;
	const struct iofd_devfile_ops *ops = hw->df.ops;

	if (hw->file_open)
		t_release(hw);
	iofd_devfile_init_subdev(&hw->df, &parent->dev, hw->subdev_pasid, name,
				 ops);
	hw->file_open = true;
}

static void stop(int fd)
{
	shim_close(fd);
	t_release(a);
	t_release(b);
	assert_int_equal(parent->group->refs, 0);
	assert_false(a->opened || b->opened);
	testhw_nr_events = 0;
}

static void bind_and_unbind(void **state)
{
	struct iommu_device_info info = { .size = sizeof(info), .label = LABEL };
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));

	start();
	t_ok(t_bind(a, fd, LABEL));
	assert_event(IOFD_EVENT_BIND, a, fd, LABEL, 0);
	/* Nothing of the parent is taken. */
	assert_null(parent->group->owner);
	assert_false(parent->opened);
	assert_true(a->opened && a->df_open);
	assert_blocked(a, 0, 4);

	/* What it can do: no PASIDs, whatever its parent has */
	t_errno(shim_ioctl(fd, IOMMU_DEVICE_GET_INFO, &info), EMSGSIZE);
	assert_int_equal(info.pasid_width_bits, 0);
	assert_true(info.flags & IOMMU_DEVICE_INFO_SUBDEVICE);
	assert_true(info.flags & IOMMU_DEVICE_INFO_HW_NESTING);

	t_ok(t_map(fd, id, USER, 2, IOVA));
	t_ok(t_attach(a, fd, id));
	assert_event(IOFD_EVENT_ATTACH, a, fd, LABEL, id);
	assert_reaches(a, IOVA, USER, 2);
	t_errno(t_attach(a, fd, id), EBUSY);
	t_ok(t_detach(a, fd, id));
	assert_event(IOFD_EVENT_DETACH, a, fd, LABEL, id);
	assert_blocked(a, IOVA, 2);
	t_ok(t_attach(a, fd, id));
	assert_event(IOFD_EVENT_ATTACH, a, fd, LABEL, id);
	t_release(a);
	assert_event(IOFD_EVENT_DETACH, a, fd, LABEL, id);
	assert_event(IOFD_EVENT_UNBIND, a, fd, LABEL, 0);
	assert_false(a->opened);
	assert_int_equal(parent->group->refs, 0);
	reopen(a);
	stop(fd);
}

/* Two parts of one device: different programs, different memory at one address */
static void apart(void **state)
{
	int fd = t_ok(t_open()), other = t_ok(t_open());
	int id = t_ok(t_alloc(fd)), theirs = t_ok(t_alloc(other));

	start();
	t_ok(t_map(fd, id, USER, 1, IOVA));
	t_ok(t_map(other, theirs, USER + PG(1), 1, IOVA));
	t_ok(t_bind(a, fd, 1));
	t_ok(t_bind(b, other, 1));
	t_ok(t_attach(a, fd, id));
	assert_blocked(b, IOVA, 1);
	t_ok(t_attach(b, other, theirs));
	assert_reaches(a, IOVA, USER, 1);
	assert_reaches(b, IOVA, USER + PG(1), 1);
	/* One goes, and the other does not notice. */
	shim_close(fd);
	assert_blocked(a, IOVA, 1);
	assert_reaches(b, IOVA, USER + PG(1), 1);
	t_release(a);
	assert_reaches(b, IOVA, USER + PG(1), 1);
	/* Both in one space, by one table */
	reopen(a);
	t_ok(t_bind(a, other, 2));
	t_ok(t_attach(a, other, theirs));
	assert_reaches(a, IOVA, USER + PG(1), 1);
	assert_int_equal(testhw_pts, 1);
	t_ok(t_unmap(other, theirs, IOVA, 1));
	assert_blocked(a, IOVA, 1);
	assert_blocked(b, IOVA, 1);
	stop(other);
}

static void no_pasids(void **state)
{
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));
	struct iommu_ioasid_alloc table = {
		.size = sizeof(table),
		.type = IOMMU_IOASID_USER_PASID_TABLE,
		.format = IOMMU_FORMAT_VTD_PASID_TABLE,
		.parent = id,
	};
	u32 pasids[] = { 1, PASID_A, PASID_B, 0xfffff };
	struct up_vfio_attach up = {
		.argsz = sizeof(up), .flags = UP_VFIO_PASID, .pasid = PASID_A,
	};
	unsigned int i;
	char *before;

	start();
	parent->more_formats = 1ull << IOMMU_FORMAT_VTD_PASID_TABLE;
	a->more_formats = parent->more_formats;
	t_ok(t_map(fd, id, USER, 4, 0));
	t_ok(t_bind(a, fd, 1));
	before = t_state();
	for (i = 0; i < ARRAY_SIZE(pasids); i++) {
		t_errno(t_attach_pasid(a, fd, id, pasids[i]), EINVAL);
		t_errno(t_detach_pasid(a, fd, id, pasids[i]), ENOENT);
	}
	assert_state(before);
	/* Nor a table of them */
	if (!shim_ioctl(fd, IOMMU_IOASID_ALLOC, &table)) {
		t_errno(t_attach(a, fd, table.ioasid), EINVAL);
		t_ok(t_free(fd, table.ioasid));
	}
	reopen(a);
	t_ok(u_bind(a, fd));
	up.pt_id = id;
	t_errno(u_vfio(a, UP_VFIO_ATTACH, &up), EINVAL);
	/* Upstream's attach, without */
	assert_true(u_attach(a, id) > 0);
	assert_reaches(a, 0, USER, 4);
	shim_close(fd);
	t_release(a);
	t_release(b);
}

static void one_file_has_it(void **state)
{
	int fd = t_ok(t_open()), other = t_ok(t_open());
	struct iofd_devfile second;
	struct iommu_device_bind cmd = {
		.size = sizeof(cmd), .iommu_fd = other, .label = 2,
	};
	struct up_vfio_bind up = { .argsz = sizeof(up), .iommufd = other };

	start();
	t_ok(t_bind(a, fd, 1));
	iofd_devfile_init_subdev(&second, &parent->dev, PASID_A, "qa", a->df.ops);
	t_errno(iofd_devfile_ioctl(&second, IOMMU_DEVICE_BIND_IOMMU_FD,
				   (unsigned long)&cmd), EBUSY);
	t_errno(iofd_devfile_ioctl(&second, _IO(';', UP_VFIO_BIND),
				   (unsigned long)&up), EINVAL);
	assert_false(iofd_devfile_bound(&second));
	iofd_devfile_release(&second);
	/* Bound to several fds it may be. */
	t_ok(t_bind(a, other, 1));
	assert_int_equal(a->df_opens, 1);
	shim_close(other);
	stop(fd);
}

static void bind_fails(void **state)
{
	int fd = t_ok(t_open());
	struct testhw_dev *plain;
	char *before;

	start();
	before = t_state();
#define fails(hw, error)						\
do {									\
	t_errno(t_bind(hw, fd, 1), error);				\
	t_assert_state(strdup(before), __FILE__, __LINE__);		\
} while (0)
	/* Other devices could send requests as the parent. */
	parent->group->nr_more_devs = 1;
	fails(a, EPERM);
	parent->group->nr_more_devs = 0;
	testhw_open_error = -EIO;
	fails(a, EIO);
	testhw_open_error = -EOPNOTSUPP;
	fails(a, EOPNOTSUPP);
	testhw_open_error = 0;
	testhw_module.going = true;
	t_errno(t_bind(a, fd, 1), EOPNOTSUPP);
	testhw_module.going = false;
	/* No IOMMU */
	a->group = NULL;
	t_errno(t_bind(a, fd, 1), ENODEV);
	a->group = parent->group;
	assert_state(before);
#undef fails
	/* A driver of the IOMMU that knows no sub-devices says so. */
	plain = testhw_subdev(parent, 3, "q3");
	plain->unit = &testhw_plain;
	t_errno(t_bind(plain, fd, 1), EOPNOTSUPP);
	assert_non_null(strstr(shim_log_last(), "cannot have sub-devices"));
	assert_int_equal(parent->group->refs, 0);
	/* The wrapper cannot open it. */
	a->df_error = -ENXIO;
	t_errno(t_bind(a, fd, 1), ENXIO);
	assert_false(a->opened);
	a->df_error = 0;
	t_ok(t_bind(a, fd, 1));
	stop(fd);
}

/* The device is a user's, or it has parts that are: never both. */
static void parent_or_parts(void **state)
{
	int fd = t_ok(t_open()), other = t_ok(t_open());

	start();
	parent->group->busy = false;
	t_ok(t_bind(parent, fd, 1));
	t_errno(t_bind(a, fd, 2), EPERM);
	t_errno(t_bind(a, other, 2), EPERM);
	t_release(parent);
	parent->group->busy = true;
	t_ok(t_bind(a, fd, 1));
	parent->file_open = true;
	iofd_devfile_init(&parent->df, &parent->dev, a->df.ops);
	t_errno(t_bind(parent, fd, 2), EPERM);
	/* To have a part is no right to the whole, for a reset say. */
	t_errno(iofd_devfile_id(&a->df, &parent->dev), ENOENT);
	t_errno(iofd_devfile_id(&parent->df, &parent->dev), ENOENT);
	shim_close(other);
	stop(fd);
}

/* Faults */

static struct iofd_hw_fault fault = {
	.address = 0x5000,
	.access = IOFD_WRITE,
	.reason = 5,
	.reason_text = "not allowed",
	.has_pasid = true,
};

static bool last_says(const char *text)
{
	return strstr(shim_log_last(), text);
}

static void faults(void **state)
{
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));
	char number[16];

	start();
	snprintf(number, sizeof(number), "%u", PASID_A);
	t_ok(t_bind(a, fd, LABEL));
	testhw_nr_events = 0;
	fault.pasid = PASID_A;
	iofd_hw_report_fault(&parent->dev, &fault);
	assert_false(testhw_events[0].fault_has_pasid);
	assert_event(IOFD_EVENT_FAULT, a, fd, LABEL, 0);
	assert_true(last_says("sub-device qa") && last_says("attached to nothing"));
	t_ok(t_attach(a, fd, id));
	testhw_nr_events = 0;
	iofd_hw_report_fault(&parent->dev, &fault);
	assert_false(testhw_events[0].fault_has_pasid);
	assert_event(IOFD_EVENT_FAULT, a, fd, LABEL, id);
	assert_true(last_says("sub-device qa") &&
		    last_says("0xdeadbeefcafef00d"));
	assert_false(last_says(number));

	/* Not its own: another part's, which is not bound; and the kernel's */
	fault.pasid = PASID_B;
	iofd_hw_report_fault(&parent->dev, &fault);
	assert_false(testhw_events[0].fault_has_pasid);
	assert_event(IOFD_EVENT_FAULT, parent, -1, 0, 0);
	assert_false(last_says("sub-device"));
	assert_true(last_says("with a PASID"));
	assert_false(last_says("8882"));
	fault.has_pasid = false;
	fault.pasid = 0;
	iofd_hw_report_fault(&parent->dev, &fault);
	assert_event(IOFD_EVENT_FAULT, parent, -1, 0, 0);
	assert_false(last_says("sub-device"));
	fault.has_pasid = true;
	stop(fd);
}

/* Everything that can fail for memory, fails, and changes nothing. */
static void out_of_memory(void **state)
{
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));
	unsigned int n;
	char *before;
	int rc;

	start();
	t_ok(t_map(fd, id, USER, 4, IOVA));
	for (n = 1;; n++) {
		before = t_state();
		shim_fail_nth(n);
		rc = t_bind(a, fd, 1);
		if (!shim_fail_fired())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_state(before);
	}
	free(before);
	assert_int_equal(rc, 0);
	assert_true(n > 5);
	for (n = 1;; n++) {
		before = t_state();
		shim_fail_nth(n);
		rc = t_attach(a, fd, id);
		if (!shim_fail_fired())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_state(before);
		assert_blocked(a, IOVA, 4);
	}
	free(before);
	assert_int_equal(rc, 0);
	assert_reaches(a, IOVA, USER, 4);
	/* Closing needs none. */
	shim_fail_nth(1);
	stop(fd);
	assert_false(shim_fail_fired());
	shim_fail_nth(0);
}

/* A user's table for a sub-device: invalidated by its label */
static void user_table(void **state)
{
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd)), child;
	struct iommu_invalidate_entry entry = {
		.flags = IOMMU_INVALIDATE_LABEL,
		.granularity = IOMMU_INVALIDATE_ALL,
		.label = LABEL,
	};
	struct iommu_invalidate_cache cmd = {
		.size = sizeof(cmd),
		.entries = (uintptr_t)&entry,
		.nr_entries = 1,
		.entry_len_bytes = sizeof(entry),
	};

	start();
	t_ok(t_map(fd, id, USER, 16, 0));
	t_ok(t_bind(a, fd, LABEL));
	child = t_ok(t_alloc_user(fd, id, 0, IOMMU_NESTING_HARDWARE));
	t_ok(t_attach(a, fd, id));
	t_ok(t_attach(a, fd, child));
	cmd.ioasid = child;
	t_ok(shim_ioctl(fd, IOMMU_INVALIDATE_CACHE, &cmd));
	assert_ptr_equal(testhw_last_invalidation.hw, a);
	/* There is no other PASID that it could name, nor its own. */
	entry.flags |= IOMMU_INVALIDATE_VPASID;
	entry.vpasid = PASID_A;
	cmd.nr_entries = 1;
	t_errno(shim_ioctl(fd, IOMMU_INVALIDATE_CACHE, &cmd), ENOENT);
	t_ok(t_detach(a, fd, child));
	assert_reaches(a, 0, USER, 16);
	stop(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(bind_and_unbind),
		core_test(apart),
		core_test(no_pasids),
		core_test(one_file_has_it),
		core_test(bind_fails),
		core_test(parent_or_parts),
		core_test(faults),
		core_test(out_of_memory),
		core_test(user_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
