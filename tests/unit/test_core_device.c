// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Binding, attaching and detaching: who may have which device, what it reaches,
 * what administrators hear of it, and the life of a device file.
 */
#include "testhw.h"
#include <linux/wait_bit.h>

#define USER	0x10000000ul
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)
#define LABEL	0xdeadbeefcafef00dull

static void events_forget(void)
{
	testhw_nr_events = 0;
}

static void bind_and_unbind(void **state)
{
	struct testhw_dev *hw = testhw_dev();
	int fd = t_ok(t_open());

	assert_false(iofd_devfile_bound(&hw->df));
	t_ok(t_bind(hw, fd, LABEL));
	assert_event(IOFD_EVENT_BIND, hw, fd, LABEL, 0);
	assert_no_event();
	assert_true(iofd_devfile_bound(&hw->df));
	assert_true(hw->opened && hw->df_open);
	assert_non_null(hw->group->owner);
	assert_int_equal(testhw_module.refs, 1);
	assert_blocked(hw, 0, 16);
	t_errno(t_bind(hw, fd, LABEL), EBUSY);
	t_errno(t_bind(hw, fd, 7), EBUSY);
	assert_no_event();

	t_release(hw);
	assert_event(IOFD_EVENT_UNBIND, hw, fd, LABEL, 0);
	assert_no_event();
	assert_int_equal(hw->df_opens, 1);
	assert_int_equal(hw->df_closes, 1);
	assert_false(hw->opened);
	assert_null(hw->group->owner);
	assert_int_equal(testhw_module.refs, 0);
	shim_close(fd);
}

/* The device that has a label, or NULL */
static struct device *found(int fd, u64 label)
{
	struct iofd_device *idev = iofd_device_get_by_label(t_ctx(fd), label);
	struct device *dev;

	if (!idev)
		return NULL;
	dev = idev->pdev->dev;
	iofd_device_put(idev);
	return dev;
}

/* Somebody else is making a table for it when its file is closed. */
static struct iofd_device *kept;
static struct testhw_dev *kept_hw;
static unsigned int nr_waits;

static void finish(void)
{
	nr_waits++;
	assert_true(kept_hw->opened);
	assert_false(mutex_is_locked(&iofd_topology_lock));
	assert_null(iofd_device_get_by_label(kept->obj.ctx, LABEL));
	assert_null(iofd_device_get_by_id(kept->obj.ctx, kept->obj.id));
	iofd_device_put(kept);
}

static void unbinding_waits_for_users(void **state)
{
	struct testhw_dev *hw = testhw_dev();
	int fd = t_ok(t_open());

	t_ok(t_bind(hw, fd, LABEL));
	kept_hw = hw;
	kept = iofd_device_get_by_label(t_ctx(fd), LABEL);
	assert_non_null(kept);
	nr_waits = 0;
	shim_wait_hook = finish;
	t_release(hw);
	assert_int_equal(nr_waits, 1);
	assert_false(hw->opened);
	shim_close(fd);
}

static void labels(void **state)
{
	struct testhw_dev *a = testhw_dev(), *b = testhw_dev();
	int fd = t_ok(t_open()), other = t_ok(t_open());
	char *before;

	/* 0 and all ones are labels as any. */
	t_ok(t_bind(a, fd, 0));
	before = t_state();
	t_errno(t_bind(b, fd, 0), EBUSY);
	assert_state(before);
	t_ok(t_bind(b, fd, U64_MAX));
	/* Each fd has its own. */
	t_ok(t_bind(a, other, U64_MAX));
	t_ok(t_bind(b, other, 0));
	assert_ptr_equal(found(fd, 0), &a->dev);
	assert_ptr_equal(found(other, 0), &b->dev);
	assert_null(found(fd, 1));
	/* A label is free again with its device. */
	t_release(a);
	assert_null(found(fd, 0));
	shim_close(other);
	shim_close(fd);
}

static void one_device_many_fds(void **state)
{
	struct testhw_dev *hw = testhw_dev();
	int fd[3], id[3];
	unsigned int i;

	shim_user_map(USER, 4, 0);
	for (i = 0; i < 3; i++) {
		fd[i] = t_ok(t_open());
		id[i] = t_ok(t_alloc(fd[i]));
		t_ok(t_bind(hw, fd[i], 100 + i));
		t_ok(t_map(fd[i], id[i], USER + PG(i), 1, IOVA));
	}
	/* Opened once, whatever it is bound to */
	assert_int_equal(hw->df_opens, 1);
	assert_int_equal(testhw_module.refs, 1);
	events_forget();

	/* It is attached through one of them at a time. */
	t_ok(t_attach(hw, fd[1], id[1]));
	assert_event(IOFD_EVENT_ATTACH, hw, fd[1], 101, id[1]);
	assert_reaches(hw, IOVA, USER + PG(1), 1);
	t_errno(t_attach(hw, fd[0], id[0]), EBUSY);
	t_errno(t_attach(hw, fd[1], id[1]), EBUSY);
	t_errno(t_detach(hw, fd[0], id[0]), ENOENT);
	assert_reaches(hw, IOVA, USER + PG(1), 1);
	t_ok(t_detach(hw, fd[1], id[1]));
	assert_event(IOFD_EVENT_DETACH, hw, fd[1], 101, id[1]);
	t_errno(t_detach(hw, fd[1], id[1]), ENOENT);
	assert_blocked(hw, IOVA, 1);
	t_ok(t_attach(hw, fd[2], id[2]));
	assert_event(IOFD_EVENT_ATTACH, hw, fd[2], 102, id[2]);
	assert_reaches(hw, IOVA, USER + PG(2), 1);

	/* Closing one that it is not attached through does nothing to it. */
	shim_close(fd[0]);
	assert_no_event();
	assert_reaches(hw, IOVA, USER + PG(2), 1);
	i = t_ctx(fd[2])->id;
	shim_close(fd[2]);
	assert_int_equal(testhw_events[0].ctx_id, i);
	assert_int_equal(testhw_events[0].kind, IOFD_EVENT_DETACH);
	events_forget();
	assert_blocked(hw, IOVA, 1);
	/* And then through another one again */
	t_ok(t_attach(hw, fd[1], id[1]));
	assert_reaches(hw, IOVA, USER + PG(1), 1);
	shim_close(fd[1]);
	assert_int_equal(shim_pins, 0);
}

/* One open file has the device. */
static void second_open_of_a_device(void **state)
{
	struct testhw_dev *hw = testhw_dev();
	struct iofd_devfile second;
	int fd = t_ok(t_open()), other = t_ok(t_open());
	struct iommu_device_bind cmd = {
		.size = sizeof(cmd),
		.iommu_fd = fd,
		.label = 2,
	};
	char *before;

	t_ok(t_bind(hw, fd, 1));
	iofd_devfile_init(&second, &hw->dev, hw->df.ops);
	before = t_state();
	t_errno(iofd_devfile_ioctl(&second, IOMMU_DEVICE_BIND_IOMMU_FD,
				   (unsigned long)&cmd), EBUSY);
	cmd.iommu_fd = other;
	t_errno(iofd_devfile_ioctl(&second, IOMMU_DEVICE_BIND_IOMMU_FD,
				   (unsigned long)&cmd), EBUSY);
	assert_state(before);
	assert_false(iofd_devfile_bound(&second));
	iofd_devfile_release(&second);
	assert_int_equal(hw->df_closes, 0);
	shim_close(fd);
	shim_close(other);
}

static void bind_fails(void **state)
{
	struct testhw_dev *hw = testhw_dev();
	int fd = t_ok(t_open());
	char *before;

	hw->dev.iommu_group = hw->group;
	before = t_state();
#define fails(error)							\
do {									\
	t_errno(t_bind(hw, fd, 1), error);				\
	t_assert_state(strdup(before), __FILE__, __LINE__);		\
} while (0)

	/* A kernel driver has a device of the group. */
	hw->group->busy = true;
	fails(EPERM);
	hw->group->busy = false;
	/* Some other user of the DMA has it. */
	hw->group->owner = hw;
	t_errno(t_bind(hw, fd, 1), EPERM);
	hw->group->owner = NULL;
	/* No IOMMU in front of it */
	hw->group = NULL;
	t_errno(t_bind(hw, fd, 1), ENODEV);
	hw->group = &hw->own_group;
	hw->unit = NULL;
	fails(ENODEV);
	hw->unit = &testhw_full;
	/* The provider is on its way out, or has trouble. */
	testhw_module.going = true;
	t_errno(t_bind(hw, fd, 1), ENODEV);
	testhw_module.going = false;
	testhw_open_error = -EIO;
	fails(EIO);
	testhw_open_error = 0;
	/* The wrapper cannot open it. */
	hw->df_error = -ENXIO;
	t_errno(t_bind(hw, fd, 1), ENXIO);
	assert_event(IOFD_EVENT_BIND, hw, fd, 1, 0);
	assert_event(IOFD_EVENT_UNBIND, hw, fd, 1, 0);
	hw->df_error = 0;
	assert_false(iofd_devfile_bound(&hw->df));
	assert_no_event();
	assert_state(before);
#undef fails
	t_errno(t_bind(hw, fd + 1, 1), EBADF);
	t_errno(t_bind(hw, -1, 1), EBADF);

	t_ok(t_bind(hw, fd, 1));
	assert_int_equal(hw->df_opens, 1);
	shim_close(fd);
}

/* The second bind does not open again, and its failure does not close. */
static void failing_second_bind(void **state)
{
	struct testhw_dev *hw = testhw_dev(), *taken = testhw_dev();
	int fd = t_ok(t_open()), other = t_ok(t_open());

	t_ok(t_bind(hw, fd, 1));
	t_ok(t_bind(taken, other, 5));
	hw->df_error = -EIO;
	t_errno(t_bind(hw, other, 5), EBUSY);
	assert_true(hw->df_open && iofd_devfile_bound(&hw->df));
	t_ok(t_bind(hw, other, 6));
	assert_int_equal(hw->df_opens, 1);
	assert_int_equal(hw->df_closes, 0);
	shim_close(fd);
	shim_close(other);
}

/* A group belongs to the fds that its devices are bound to. */
static void groups(void **state)
{
	struct testhw_dev *a = testhw_dev(), *b = testhw_dev(), *c = testhw_dev();
	int mine = t_ok(t_open()), yours = t_ok(t_open());
	struct iommu_group *group = a->group;
	char *before;

	b->group = group;
	c->group = group;
	t_ok(t_bind(a, mine, 1));
	assert_int_equal(group->refs, 1);
	before = t_state();
	t_errno(t_bind(b, yours, 1), EPERM);
	assert_state(before);
	t_ok(t_bind(b, mine, 2));
	/* Through a device file that is bound already another fd may join... */
	t_ok(t_bind(a, yours, 1));
	/* ...and then have the others as well. */
	t_ok(t_bind(c, yours, 3));
	assert_int_equal(group->refs, 1);

	/* The claim goes with the last of them. */
	t_release(a);
	assert_non_null(group->owner);
	t_release(c);
	assert_non_null(group->owner);
	assert_true(b->opened);
	t_release(b);
	assert_null(group->owner);
	assert_int_equal(group->refs, 0);
	shim_close(mine);
	shim_close(yours);
}

/* What the groups of two devices have to do with another group: nothing */
static void groups_are_apart(void **state)
{
	struct testhw_dev *a = testhw_dev(), *b = testhw_dev();
	int mine = t_ok(t_open()), yours = t_ok(t_open());

	t_ok(t_bind(a, mine, 1));
	t_ok(t_bind(b, yours, 1));
	b->group->busy = true;
	t_release(a);
	assert_null(a->group->owner);
	assert_non_null(b->group->owner);
	b->group->busy = false;
	shim_close(mine);
	shim_close(yours);
}

static void ids_of_devices(void **state)
{
	struct testhw_dev *a = testhw_dev(), *b = testhw_dev(), *c = testhw_dev();
	int fd = t_ok(t_open()), other = t_ok(t_open());
	struct device unknown = {};

	b->group = a->group;
	b->dev.iommu_group = b->group;
	c->dev.iommu_group = c->group;
	/* Without an IOMMU in front of it */
	t_errno(iofd_devfile_id(&a->df, &unknown), ENOENT);
	a->dev.iommu_group = a->group;
	t_errno(iofd_devfile_id(&a->df, &a->dev), ENOENT);
	t_ok(t_bind(a, fd, 1));
	assert_true(iofd_devfile_id(&a->df, &a->dev) > 0);
	/* Of the group, bound by nobody: nobody else can have it */
	assert_int_equal(iofd_devfile_id(&a->df, &b->dev), 0);
	t_errno(iofd_devfile_id(&a->df, &c->dev), ENOENT);
	t_errno(iofd_devfile_id(&c->df, &a->dev), ENOENT);
	t_ok(t_bind(c, other, 1));
	t_errno(iofd_devfile_id(&a->df, &c->dev), ENOENT);
	t_ok(t_bind(c, fd, 2));
	assert_true(iofd_devfile_id(&a->df, &c->dev) > 0);
	t_ok(t_bind(b, fd, 3));
	assert_true(iofd_devfile_id(&a->df, &b->dev) > 0);
	assert_int_not_equal(iofd_devfile_id(&a->df, &b->dev),
			     iofd_devfile_id(&a->df, &a->dev));
	shim_close(fd);
	shim_close(other);
	/* Asking leaves no reference. */
	assert_int_equal(a->group->refs, 1);
}

/* Attach */

static void attach_refusals(void **state)
{
	struct testhw_dev *hw = testhw_dev();
	int fd = t_ok(t_open()), other = t_ok(t_open());
	int wide, tight, theirs, id;
	char *before;

	hw->width_bits = 39;
	hw->can_snoop = false;
	wide = t_ok(t_alloc_as(fd, 48, IOMMU_COHERENCY_AUTO));
	tight = t_ok(t_alloc_as(fd, 0, IOMMU_COHERENCY_ENFORCE));
	theirs = t_ok(t_alloc(other));
	id = t_ok(t_alloc(fd));
	t_errno(t_attach(hw, fd, id), EINVAL);		/* not bound */
	t_ok(t_bind(hw, fd, 1));
	events_forget();

	before = t_state();
	t_errno(t_attach(hw, fd, wide), EINVAL);
	t_errno(t_attach(hw, fd, tight), EINVAL);
	t_errno(t_attach(hw, fd, 1000), ENOENT);
	t_errno(t_attach(hw, fd, 0), ENOENT);
	t_errno(t_attach(hw, other, theirs), EINVAL);	/* not bound to it */
	/* A device's id is none of an IOASID. */
	t_errno(t_attach(hw, fd, iofd_devfile_id(&hw->df, &hw->dev)), ENOENT);
	t_errno(t_detach(hw, fd, id), ENOENT);
	t_errno(t_detach(hw, other, theirs), EINVAL);
	assert_state(before);
	assert_no_event();
	assert_blocked(hw, 0, 4);
	/* It stays where it is when another attach is refused (A8). */
	shim_user_map(USER, 1, 0);
	t_ok(t_map(fd, id, USER, 1, IOVA));
	t_ok(t_attach(hw, fd, id));
	t_errno(t_attach(hw, fd, tight), EBUSY);
	assert_reaches(hw, IOVA, USER, 1);
	shim_close(fd);
	shim_close(other);
}

static bool window_is_right(struct iofd_space *space)
{
	struct iommu_ioasid_range window = space->window, range;

	if (!window.start && !window.last)
		return true;
	return iofd_iova_permitted_from(space, window.start, &range) &&
	       range.start == window.start && range.last >= window.last;
}

/* Each step of an attach fails, in a space with and without memory and devices. */
static void attach_fails_at_each_step(void **state)
{
	struct testhw_dev *hw = testhw_dev(), *first = testhw_dev();
	struct testhw_dev *plain = testhw_dev();
	unsigned int filled, with;
	int fd = t_ok(t_open());

	hw->one_depth = true;
	first->width_bits = 39;
	plain->unit = &testhw_plain;
	t_ok(t_bind(hw, fd, 1));
	t_ok(t_bind(first, fd, 2));
	t_ok(t_bind(plain, fd, 3));
	shim_user_map(USER, 30, SHIM_SCATTERED);
	for (filled = 0; filled < 2; filled++) {
		for (with = 0; with < 3; with++) {
			struct testhw_dev *who[] = { hw, plain };
			int id = t_ok(t_alloc(fd));
			unsigned int i, n;
			char *before;

			if (filled)
				t_ok(t_map(fd, id, USER, 30, IOVA));
			if (with == 1)
				t_ok(t_attach(first, fd, id));
			if (with == 2) {
				/* A table, and nobody attached to it */
				t_ok(t_attach(hw, fd, id));
				t_ok(t_detach(hw, fd, id));
			}
			for (i = 0; i < 2; i++) {
				events_forget();
				before = t_state();
				testhw_attach_error = -EIO;
				t_errno(t_attach(who[i], fd, id), EIO);
				testhw_attach_error = 0;
				t_assert_state(strdup(before), __FILE__, __LINE__);
				assert_true(window_is_right(t_space(fd, id)));
				if (with != 2 || who[i] != hw) {
					testhw_pt_error = -EINVAL;
					t_errno(t_attach(who[i], fd, id), EINVAL);
					testhw_pt_error = 0;
				}
				for (n = 1; filled; n++) {
					testhw_fail_map = n;
					testhw_map_partly = n & 1;
					if (!t_attach(who[i], fd, id))
						break;
					t_assert_state(strdup(before),
						       __FILE__, __LINE__);
				}
				if (filled) {
					assert_true(n == 31 || with == 2);
					testhw_fail_map = 0;
					assert_reaches(who[i], IOVA, USER, 30);
					t_ok(t_detach(who[i], fd, id));
					free(before);
					continue;
				}
				shim_interrupt_locks = true;
				t_errno(t_attach(who[i], fd, id), EINTR);
				shim_interrupt_locks = false;
				assert_no_event();
				assert_state(before);
			}
			if (with == 1)
				t_ok(t_detach(first, fd, id));
			t_ok(t_free(fd, id));
		}
	}
	shim_close(fd);
}

/* Copying a large space can be killed. */
static void signal_stops_an_attach(void **state)
{
	struct testhw_dev *hw = testhw_dev();
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));
	char *before;

	t_ok(t_bind(hw, fd, 1));
	shim_user_map(USER, 30, SHIM_SCATTERED);
	t_ok(t_map(fd, id, USER, 30, IOVA));
	before = t_state();
	shim_current->signalled = true;
	t_errno(t_attach(hw, fd, id), EINTR);
	shim_current->signalled = false;
	assert_state(before);
	shim_close(fd);
}

static void reserved_regions(void **state)
{
	/* In no order, overlapping, empty, not whole pages, up to the end */
	static const struct iommu_resv_region regions[] = {
		{ .start = 0xfee00000, .length = 0x100000, .type = IOMMU_RESV_MSI },
		{ .start = 0x1000, .length = 0x1800, .type = IOMMU_RESV_DIRECT },
		{ .start = 0x2000, .length = 0x3000, .type = IOMMU_RESV_RESERVED },
		{ .start = 0x2800, .length = 0x10, .type = IOMMU_RESV_RESERVED },
		{ .start = 0x70000000, .length = 0x1000,
		  .type = IOMMU_RESV_DIRECT_RELAXABLE },
		{ .start = 0x8000000, .length = 0x100000, .type = IOMMU_RESV_SW_MSI },
		{ .start = 0x9000, .length = 0, .type = IOMMU_RESV_RESERVED },
		{ .start = 0x7f00000000, .length = 0x200000000,
		  .type = IOMMU_RESV_RESERVED },
	};
	static const struct iommu_ioasid_range expected[] = {
		{ 0, 0xfff }, { 0x5000, 0xfedfffff }, { 0xfef00000, 0x7effffffff },
	};
	struct testhw_dev *hw = testhw_dev();
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));
	struct iofd_pdev *pdev;
	unsigned int i;
	char *before;

	hw->width_bits = 39;
	hw->own_group.regions = regions;
	hw->own_group.nr_regions = ARRAY_SIZE(regions);
	t_ok(t_bind(hw, fd, 1));
	mutex_lock(&iofd_topology_lock);
	pdev = iofd_pdev_find(&hw->dev, IOFD_NO_PASID);
	mutex_unlock(&iofd_topology_lock);
	assert_int_equal(pdev->nr_ranges, ARRAY_SIZE(expected));
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(pdev->ranges[i].start, expected[i].start);
		assert_int_equal(pdev->ranges[i].last, expected[i].last);
	}

	shim_user_map(USER, 32, 0);
	/* Something is mapped where the device cannot have it. */
	t_ok(t_map(fd, id, USER, 2, 0xfedff000));
	before = t_state();
	t_errno(t_attach(hw, fd, id), EADDRINUSE);
	assert_state(before);
	t_ok(t_unmap(fd, id, 0xfedff000, 2));
	t_ok(t_map(fd, id, USER, 1, 0x8000000000));
	t_errno(t_attach(hw, fd, id), EADDRINUSE);
	t_ok(t_unmap(fd, id, 0x8000000000, 1));
	t_ok(t_map(fd, id, USER, 1, 0xfedff000));
	t_ok(t_map(fd, id, USER, 1, 0));
	t_ok(t_attach(hw, fd, id));
	assert_reaches(hw, 0xfedff000, USER, 1);

	/* And the other way round */
	t_errno(t_map(fd, id, USER, 1, 0xfee00000), EINVAL);
	t_errno(t_map(fd, id, USER, 1, 0xfeeff000), EINVAL);
	t_errno(t_map(fd, id, USER, 1, 0x1000), EINVAL);
	t_errno(t_map(fd, id, USER, 1, 0x4000), EINVAL);
	t_errno(t_map(fd, id, USER, 2, 0x7efffff000), EINVAL);
	t_ok(t_map(fd, id, USER, 1, 0x7efffff000));
	t_ok(t_map(fd, id, USER, 1, 0x5000));
	t_ok(t_map(fd, id, USER, 1, 0x70000000));
	/* Detached, it restricts no more, except by its table. */
	t_ok(t_detach(hw, fd, id));
	t_ok(t_map(fd, id, USER, 1, 0xfee00000));
	t_errno(t_map(fd, id, USER, 1, 0x8000000000), EINVAL);
	t_errno(t_attach(hw, fd, id), EADDRINUSE);
	shim_close(fd);
}

/* What was permitted a moment ago is not, once a device with a hole there comes. */
static void second_device_restricts(void **state)
{
	static const struct iommu_resv_region hole[] = {
		{ .start = IOVA, .length = PG(4), .type = IOMMU_RESV_RESERVED },
	};
	struct testhw_dev *hw = testhw_dev(), *second = testhw_dev();
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));

	second->own_group.regions = hole;
	second->own_group.nr_regions = 1;
	shim_user_map(USER, 8, 0);
	t_ok(t_bind(hw, fd, 1));
	t_ok(t_bind(second, fd, 2));
	t_ok(t_attach(hw, fd, id));
	t_ok(t_map(fd, id, USER, 4, IOVA));
	t_errno(t_attach(second, fd, id), EADDRINUSE);
	t_ok(t_unmap(fd, id, IOVA, 4));
	/* Both go through one table. */
	t_ok(t_attach(second, fd, id));
	assert_int_equal(testhw_pts, 1);
	t_errno(t_map(fd, id, USER, 4, IOVA), EINVAL);
	t_ok(t_map(fd, id, USER, 4, IOVA + PG(4)));
	assert_reaches(hw, IOVA + PG(4), USER, 4);
	assert_reaches(second, IOVA + PG(4), USER, 4);
	t_ok(t_detach(second, fd, id));
	t_ok(t_map(fd, id, USER, 4, IOVA));
	assert_reaches(hw, IOVA, USER, 4);
	assert_blocked(second, IOVA, 8);
	shim_close(fd);
}

static void regions_leave_nothing(void **state)
{
	static const struct iommu_resv_region all[] = {
		{ .start = 0, .length = U64_MAX, .type = IOMMU_RESV_RESERVED },
	};
	struct testhw_dev *hw = testhw_dev();
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));
	u64 iova;

	hw->own_group.regions = all;
	hw->own_group.nr_regions = 1;
	shim_user_map(USER, 1, 0);
	t_ok(t_bind(hw, fd, 1));
	t_ok(t_attach(hw, fd, id));
	t_errno(t_map(fd, id, USER, 1, IOVA), EINVAL);
	t_errno(t_map_any(fd, id, USER, 1, &iova), ENOSPC);
	shim_close(fd);
}

/* One IOASID may not cross into another fd (A3, A4). */
static void numbers_are_local(void **state)
{
	struct testhw_dev *hw = testhw_dev();
	int fd = t_ok(t_open()), other = t_ok(t_open());
	int id = t_ok(t_alloc(fd)), their_id = t_ok(t_alloc(other));

	assert_int_equal(id, their_id);
	shim_user_map(USER, 2, 0);
	t_ok(t_map(fd, id, USER, 1, IOVA));
	t_ok(t_map(other, their_id, USER + PG(1), 1, IOVA));
	t_ok(t_bind(hw, fd, 1));
	t_ok(t_bind(hw, other, 1));
	t_ok(t_attach(hw, other, their_id));
	assert_reaches(hw, IOVA, USER + PG(1), 1);
	t_ok(t_free(fd, id));
	assert_reaches(hw, IOVA, USER + PG(1), 1);
	t_errno(t_free(fd, id), ENOENT);
	shim_close(fd);
	shim_close(other);
}

/* Faults */

static const struct iofd_hw_fault fault = {
	.address = 0x5000,
	.access = IOFD_WRITE,
	.reason = 5,
	.reason_text = "not allowed",
};

static void faults_are_reported(void **state)
{
	struct testhw_dev *hw = testhw_dev(), *stranger = testhw_dev();
	int fd = t_ok(t_open()), other = t_ok(t_open());
	int id = t_ok(t_alloc(fd));
	unsigned int i;

	iofd_hw_report_fault(&stranger->dev, &fault);
	assert_int_equal(testhw_events[0].fault_address, 0x5000);
	assert_event(IOFD_EVENT_FAULT, stranger, -1, 0, 0);
	assert_non_null(strstr(shim_log_last(), "write to 0x5000"));
	assert_null(strstr(shim_log_last(), "label"));

	/* Blocked: every fd hears of it. */
	t_ok(t_bind(hw, fd, LABEL));
	t_ok(t_bind(hw, other, 2));
	events_forget();
	iofd_hw_report_fault(&hw->dev, &fault);
	assert_event(IOFD_EVENT_FAULT, hw, fd, LABEL, 0);
	assert_non_null(strstr(shim_log_last(), "attached to nothing"));
	assert_event(IOFD_EVENT_FAULT, hw, other, 2, 0);
	assert_no_event();

	/* Attached: the one that it is attached through, with its IOASID */
	t_ok(t_attach(hw, fd, id));
	events_forget();
	for (i = 0; i < 3; i++)
		iofd_hw_report_fault(&hw->dev, &fault);
	assert_non_null(strstr(shim_log_last(), "0xdeadbeefcafef00d"));
	for (i = 0; i < 3; i++)
		assert_event(IOFD_EVENT_FAULT, hw, fd, LABEL, id);
	assert_no_event();
	shim_close(fd);
	events_forget();
	/* The fd is closed, and the device bound to it all the same. */
	iofd_hw_report_fault(&hw->dev, &fault);
	assert_int_equal(testhw_nr_events, 2);
	t_release(hw);
	events_forget();
	iofd_hw_report_fault(&hw->dev, &fault);
	assert_event(IOFD_EVENT_FAULT, hw, -1, 0, 0);
	shim_close(other);
}

/* The end */

/* Closed in every state, in every order: nothing is left (A14). */
static void closing_in_any_order(void **state)
{
	unsigned int bits;

	shim_user_map(USER, 20, SHIM_SCATTERED);
	for (bits = 0; bits < 64; bits++) {
		bool bound = bits & 1, with_attach = bits & 2, mapped = bits & 4;
		bool two = bits & 8, device_first = bits & 16;
		bool detached = bits & 32;
		struct testhw_dev *hw = testhw_dev();
		int fd = t_ok(t_open()), other = t_ok(t_open());
		int id = t_ok(t_alloc(fd));

		if (bound)
			t_ok(t_bind(hw, fd, 1));
		if (two)
			t_ok(t_bind(hw, other, 1));
		if (mapped)
			t_ok(t_map(fd, id, USER, 20, IOVA));
		if (bound && with_attach)
			t_ok(t_attach(hw, fd, id));
		if (bound && with_attach && detached)
			t_ok(t_detach(hw, fd, id));
		if (device_first)
			t_release(hw);
		shim_close(fd);
		assert_int_equal(shim_pins, 0);
		assert_int_equal(testhw_pts, 0);
		assert_blocked(hw, IOVA, 20);
		if (!device_first) {
			/* Bound still, and not usable through what is closed */
			assert_int_equal(hw->opened, bound || two);
			t_release(hw);
		}
		assert_false(hw->opened || hw->df_open);
		assert_null(hw->group->owner);
		assert_int_equal(hw->group->refs, 0);
		assert_int_equal(hw->df_opens, hw->df_closes);
		shim_close(other);
		assert_int_equal(testhw_module.refs, 0);
		events_forget();
		testhw_forget_dev();
	}
}

/* A device file keeps a closed context, and no more of it than the shell. */
static void context_that_is_closed(void **state)
{
	struct testhw_dev *hw = testhw_dev(), *sibling = testhw_dev();
	int fd = t_ok(t_open()), id = t_ok(t_alloc(fd));
	struct iofd_ctx *ctx = t_ctx(fd);
	struct iofd_device *idev;
	struct iofd_space *space;

	sibling->group = hw->group;
	shim_user_map(USER, 1, 0);
	t_ok(t_bind(hw, fd, 1));
	t_ok(t_attach(hw, fd, id));
	t_ok(t_map(fd, id, USER, 1, IOVA));
	idev = list_first_entry(&hw->df.bindings, struct iofd_device, df_entry);
	space = iofd_space_get(ctx, id);
	shim_close(fd);
	assert_true(ctx->closed);
	assert_true(list_empty(&ctx->accounts));
	assert_int_equal(refcount_read(&ctx->refs), 1);
	/* What somebody still holds is dead. */
	assert_true(space->dead);
	t_errno(iofd_attach(idev, &(struct iofd_attach_request) {
			.space = space, .pasid = IOFD_NO_PASID }), ENOENT);
	iofd_space_put(space);

	/* The group is not anybody else's yet. */
	fd = t_ok(t_open());
	t_errno(t_bind(sibling, fd, 1), EPERM);
	t_release(hw);
	t_ok(t_bind(sibling, fd, 1));
	shim_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(bind_and_unbind),
		core_test(labels),
		core_test(unbinding_waits_for_users),
		core_test(one_device_many_fds),
		core_test(second_open_of_a_device),
		core_test(bind_fails),
		core_test(failing_second_bind),
		core_test(groups),
		core_test(groups_are_apart),
		core_test(ids_of_devices),
		core_test(attach_refusals),
		core_test(attach_fails_at_each_step),
		core_test(signal_stops_an_attach),
		core_test(reserved_regions),
		core_test(second_device_restricts),
		core_test(regions_leave_nothing),
		core_test(numbers_are_local),
		core_test(faults_are_reported),
		core_test(closing_in_any_order),
		core_test(context_that_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
