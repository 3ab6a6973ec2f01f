// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Native commands, upstream's and the container's on one fd: each statement of
 * "Three ABIs on one fd" in docs/iommufd.md, by its number.
 */
#include "upstream.h"
#include <linux/cred.h>
#include <linux/magic.h>
#include "core/hwpt.h"

#define USER	0x10000000ul
#define OTHER	0x20000000ul
#define PAGES	16
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)
#define LABEL	0xdeadbeefull

/*
 * An IOAS with USER at IOVA, which stands for a container; a root that was made
 * natively, with OTHER there; a device that BIND_IOMMUFD bound.
 */
struct fixture {
	int fd;
	int ioas, root;
	int dev;
	struct testhw_dev *hw;
};

static struct fixture program(void)
{
	struct fixture f = { .fd = t_ok(t_open()), .hw = testhw_dev() };

	f.hw->pasid_width_bits = 8;
	f.hw->nests = true;
	shim_user_map(USER, PAGES, SHIM_SCATTERED);
	shim_user_map(OTHER, PAGES, SHIM_SCATTERED);
	f.ioas = t_ok(u_ioas(f.fd));
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, f.ioas));
	f.root = t_ok(t_alloc(f.fd));
	t_ok(c_map(f.fd, USER, PAGES, IOVA));
	t_ok(u_map(f.fd, f.root, OTHER, PAGES, IOVA));
	f.dev = t_ok(u_bind(f.hw, f.fd));
	return f;
}

static long mappings(int fd, u32 ioasid)
{
	struct iommu_ioasid_info info = { .size = sizeof(info), .ioasid = ioasid };
	int rc = shim_ioctl(fd, IOMMU_IOASID_GET_INFO, &info);

	return rc && rc != -EMSGSIZE ? rc : (long)info.nr_mappings;
}

/* 1: one namespace for everything on the fd, whoever makes it */
static void ids_are_of_one_namespace(void **state)
{
	struct fixture f = program();
	struct testhw_dev *native = testhw_dev();
	int id[8], n = 0, file, i, k;

	id[n++] = f.ioas;
	id[n++] = f.root;
	id[n++] = f.dev;
	t_ok(t_bind(native, f.fd, LABEL));
	id[n++] = iofd_devfile_id(&native->df, &native->dev);
	id[n++] = t_ok(u_hwpt(f.fd, f.dev, f.root, UP_HWPT_NEST_PARENT));
	id[n++] = t_ok(u_nested(f.fd, f.dev, id[n - 1], 0));
	id[n++] = t_ok(u_fault_queue(f.fd, &file));
	id[n++] = t_ok(t_alloc_child(f.fd, f.ioas));
	for (i = 0; i < n; i++) {
		assert_true(id[i] >= 1 && id[i] <= n);
		for (k = 0; k < i; k++)
			assert_int_not_equal(id[i], id[k]);
	}
	/* What one of them forgets the next gets. */
	t_ok(t_free(f.fd, id[n - 1]));
	assert_int_equal(u_ioas(f.fd), id[n - 1]);
	t_ok(u_destroy(f.fd, id[n - 1]));
	assert_int_equal(t_alloc(f.fd), id[n - 1]);
	shim_close(file);
	shim_close(f.fd);
}

/* 2: an IOAS is a root, and a root an IOAS, and nothing else is */
static void an_ioas_is_a_root(void **state)
{
	struct fixture f = program();
	int child = t_ok(t_alloc_child(f.fd, f.ioas));
	int hwpt = t_ok(u_hwpt(f.fd, f.dev, f.root, UP_HWPT_NEST_PARENT)), table;
	unsigned long pts;
	u32 nr = 0;

	t_ok(t_map(f.fd, f.ioas, OTHER, 2, 0));
	assert_int_equal(mappings(f.fd, f.ioas), 2);
	t_ok(u_map(f.fd, f.root, USER, 2, 0));
	t_errno(u_ranges(f.fd, f.root, NULL, &nr), EMSGSIZE);
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, f.root));
	/* A child that the kernel manages */
	t_errno(u_map(f.fd, child, USER, 1, 0), ENOENT);
	t_errno(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, child), ENOENT);
	t_errno(u_ranges(f.fd, child, NULL, &nr), ENOENT);
	t_errno(u_attach(f.hw, child), EINVAL);
	/* Tables: one of a root, and a user's, which is an IOASID */
	pts = testhw_pts;
	table = t_ok(u_nested(f.fd, f.dev, hwpt, 0));
	assert_int_equal(testhw_pts, pts + 1);
	t_errno(mappings(f.fd, hwpt), ENOENT);
	t_errno(t_attach(f.hw, f.fd, hwpt), ENOENT);
	t_errno(u_map(f.fd, hwpt, USER, 1, 0), ENOENT);
	t_errno(u_map(f.fd, table, USER, 1, 0), ENOENT);
	assert_int_equal(mappings(f.fd, table), 0);
	t_ok(t_attach(f.hw, f.fd, table));
	t_ok(t_invalidate_all(f.fd, table));
	t_ok(t_detach(f.hw, f.fd, table));
	/* And one that was made natively */
	child = t_ok(t_alloc_user(f.fd, f.root, 0, IOMMU_NESTING_HARDWARE));
	assert_int_equal(testhw_pts, pts + 1);
	t_ok(u_attach(f.hw, child));
	assert_int_equal(testhw_pts, pts + 2);
	t_ok(t_invalidate_all(f.fd, child));
	shim_close(f.fd);
}

/* 3: the container has no id; the IOAS that stands for it has */
static void a_container_is_an_ioas(void **state)
{
	struct fixture f = program();
	int fd2 = t_ok(t_open());

	assert_int_equal(u_vfio_ioas(f.fd, UP_VFIO_IOAS_GET, 0), f.ioas);
	/* One for the fd; changing it changes nothing that is mapped. */
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, f.root));
	assert_int_equal(mappings(f.fd, f.ioas), 1);
	assert_int_equal(c_unmap_all(f.fd), PAGES);
	assert_int_equal(mappings(f.fd, f.ioas), 1);
	assert_int_equal(mappings(f.fd, f.root), 0);
	t_errno(c_map(fd2, USER, 1, 0), ENODEV);
	shim_close(fd2);
	shim_close(f.fd);
}

/* 4: BIND_IOMMUFD's label is the id */
static void upstreams_label_is_the_id(void **state)
{
	struct fixture f = program();
	struct iommu_device_info info = { .size = sizeof(info), .label = f.dev };

	assert_event(IOFD_EVENT_BIND, f.hw, f.fd, f.dev, 0);
	t_errno(shim_ioctl(f.fd, IOMMU_DEVICE_GET_INFO, &info), EMSGSIZE);
	assert_int_equal(info.pasid_width_bits, 8);
	t_ok(u_attach(f.hw, f.ioas));
	assert_event(IOFD_EVENT_ATTACH, f.hw, f.fd, f.dev, f.ioas);
	t_ok(t_detach(f.hw, f.fd, f.ioas));
	assert_event(IOFD_EVENT_DETACH, f.hw, f.fd, f.dev, f.ioas);
	shim_close(f.fd);
}

/* 5: a label is one device's, whoever gave it */
static void labels_exclude_one_another(void **state)
{
	struct fixture f = program();
	struct testhw_dev *hw = testhw_dev(), *third = testhw_dev();

	assert_int_equal(f.dev, 3);
	t_errno(t_bind(hw, f.fd, 3), EBUSY);
	/* The next id is 4, or 5 when the label 4 is taken by what has the id 4. */
	t_ok(t_bind(hw, f.fd, 5));
	t_errno(u_bind(third, f.fd), EBUSY);
	t_release(hw);
	assert_int_equal(u_bind(third, f.fd), 4);
	shim_close(f.fd);
}

/* 6: the dev_id of a device that was bound natively */
static void native_devices_have_ids(void **state)
{
	struct fixture f = program();
	struct testhw_dev *native = testhw_dev();
	struct up_hw_info info = { .size = sizeof(info) };
	int dev;

	t_ok(t_bind(native, f.fd, LABEL));
	dev = iofd_devfile_id(&native->df, &native->dev);
	assert_true(dev > 0 && dev != f.dev);
	info.dev_id = dev;
	t_ok(up(f.fd, UP_GET_HW_INFO, &info));
	t_ok(u_hwpt(f.fd, dev, f.ioas, 0));
	t_errno(u_destroy(f.fd, dev), EBUSY);
	shim_close(f.fd);
}

/* 7: mappings are the address space's, whoever makes and takes them */
static void mappings_are_the_same(void **state)
{
	struct fixture f = program();
	u64 length = PG(3);

	t_ok(u_attach(f.hw, f.ioas));
	t_ok(u_map(f.fd, f.ioas, OTHER, 2, 0));
	t_ok(t_map(f.fd, f.ioas, OTHER + PG(2), 2, PG(2)));
	t_ok(c_map(f.fd, OTHER + PG(4), 2, PG(4)));
	assert_reaches(f.hw, 0, OTHER, 6);
	assert_int_equal(mappings(f.fd, f.ioas), 4);
	t_errno(u_map(f.fd, f.ioas, USER, 1, PG(4)), EEXIST);
	t_errno(t_map(f.fd, f.ioas, USER, 1, PG(1)), EEXIST);
	t_errno(c_map(f.fd, USER, 1, PG(3)), EEXIST);
	t_ok(t_unmap(f.fd, f.ioas, 0, 2));
	assert_int_equal(c_unmap(f.fd, PG(2), 2), 2);
	t_ok(u_unmap(f.fd, f.ioas, PG(4), 2));
	assert_blocked(f.hw, 0, 6);
	assert_reaches(f.hw, IOVA, USER, PAGES);
	/* What nothing is mapped in, and what is mapped otherwise */
	t_errno(t_unmap_count(f.fd, f.ioas, 0, 3), ENOENT);
	t_errno(u_unmap_bytes(f.fd, f.ioas, 0, &length), ENOENT);
	assert_int_equal(c_unmap(f.fd, 0, 3), 0);
	t_errno(t_unmap_count(f.fd, f.ioas, IOVA, 3), EINVAL);
	t_errno(u_unmap(f.fd, f.ioas, IOVA, 3), ENOENT);
	t_errno(c_unmap(f.fd, IOVA, 3), ENOENT);
	shim_close(f.fd);
}

/* 8: only the container's UNMAP_DMA cuts; what it leaves is like any other */
static void only_a_container_cuts(void **state)
{
	struct fixture f = program();

	t_ok(c_set(f.fd, UP_CONTAINER_TYPE1));
	t_ok(t_map(f.fd, f.ioas, OTHER, 8, 0));
	t_errno(t_unmap_count(f.fd, f.ioas, 0, 4), EINVAL);
	t_errno(u_unmap(f.fd, f.ioas, 0, 4), ENOENT);
	assert_int_equal(c_unmap(f.fd, PG(3), 1), 1);
	assert_int_equal(mappings(f.fd, f.ioas), 3);
	t_ok(t_unmap(f.fd, f.ioas, 0, 3));
	t_ok(u_unmap(f.fd, f.ioas, PG(4), 4));
	/* HUGE_PAGES 0 is the same as TYPE1. */
	t_ok(u_set_option(f.fd, UP_OPTION_HUGE_PAGES, f.root, 0));
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, f.root));
	assert_int_equal(c_unmap(f.fd, IOVA, 1), 1);
	shim_close(f.fd);
}

/* 9: everything is charged alike, as RLIMIT_MODE says */
static void charges_are_the_same(void **state)
{
	int fd = t_ok(t_open()), root, mode;

	shim_user_map(USER, PAGES, 0);
	for (mode = 1; mode >= 0; mode--) {
		/* Before there is any object, a native one included */
		root = t_ok(t_alloc(fd));
		current->privileged = true;
		t_errno(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 0, mode), EBUSY);
		t_ok(t_free(fd, root));
		t_ok(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 0, mode));
		current->privileged = false;
		root = t_ok(t_alloc(fd));
		t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, root));
		t_ok(t_map(fd, root, USER, 2, 0));
		t_ok(u_map(fd, root, USER, 2, PG(2)));
		t_ok(c_map(fd, USER, 2, PG(4)));
		assert_int_equal(current->mm->locked_vm, mode ? 6 : 0);
		assert_int_equal(atomic_long_read(&current_user()->locked_vm),
				 mode ? 0 : 6);
		t_ok(t_free(fd, root));
	}
	shim_close(fd);
}

/* 10: COPY shares pages of whoever mapped them, until the last one goes */
static void copies_of_anything(void **state)
{
	struct fixture f = program();

	t_ok(t_map(f.fd, f.root, OTHER, 4, 0));
	t_ok(u_copy(f.fd, f.root, 0, f.ioas, 0, 4));
	t_ok(u_copy(f.fd, f.ioas, IOVA, f.root, PG(8), PAGES));
	assert_int_equal(shim_pins, 2 * PAGES + 4);
	t_ok(t_unmap(f.fd, f.root, 0, 4));
	assert_int_equal(c_unmap(f.fd, 0, 4), 4);
	assert_int_equal(shim_pins, 2 * PAGES);
	assert_int_equal(c_unmap(f.fd, IOVA, PAGES), PAGES);
	t_ok(u_attach(f.hw, f.root));
	assert_reaches(f.hw, PG(8), USER, PAGES);
	t_ok(t_unmap(f.fd, f.root, PG(8), PAGES));
	assert_int_equal(shim_pins, PAGES);
	shim_close(f.fd);
}

/* 11: who may attach what */
static void attaching_goes_by_the_binding(void **state)
{
	struct fixture f = program();
	struct testhw_dev *native = testhw_dev();
	int fd2 = t_ok(t_open()), root2 = t_ok(t_alloc(fd2));

	/* Bound by upstream, attached natively, and replaced */
	t_ok(t_attach(f.hw, f.fd, f.ioas));
	assert_reaches(f.hw, IOVA, USER, PAGES);
	t_errno(t_attach(f.hw, f.fd, f.root), EBUSY);
	t_ok(u_attach(f.hw, f.root));
	assert_reaches(f.hw, IOVA, OTHER, PAGES);
	t_errno(t_detach(f.hw, f.fd, f.ioas), ENOENT);
	t_ok(t_detach(f.hw, f.fd, f.root));
	assert_blocked(f.hw, IOVA, PAGES);

	/* What is bound natively alone is not upstream's to attach. */
	t_ok(t_bind(native, f.fd, LABEL));
	t_errno(u_bind(native, f.fd), EINVAL);
	t_ok(t_attach(native, f.fd, f.ioas));
	t_errno(u_attach(native, f.ioas), EINVAL);
	t_errno(u_detach(native), EINVAL);
	/* Bound to another fd besides, natively: each has what it has attached. */
	t_ok(t_bind(f.hw, fd2, 1));
	t_ok(u_attach(f.hw, f.ioas));
	t_errno(t_attach(f.hw, fd2, root2), EBUSY);
	t_ok(u_attach(f.hw, f.root));
	assert_reaches(f.hw, IOVA, OTHER, PAGES);
	t_ok(u_detach(f.hw));
	t_ok(t_attach(f.hw, fd2, root2));
	t_errno(u_attach(f.hw, f.root), EINVAL);
	t_ok(u_detach(f.hw));
	t_ok(t_detach(f.hw, fd2, root2));
	shim_close(fd2);
	shim_close(f.fd);
}

/* 12: attachments stack natively, and upstream takes the whole stack */
static void a_stack_goes_as_a_whole(void **state)
{
	struct fixture f = program();
	int child = t_ok(t_alloc_child(f.fd, f.ioas));

	t_ok(t_map(f.fd, child, IOVA, 4, 0));
	t_ok(u_attach(f.hw, f.ioas));
	t_ok(t_attach(f.hw, f.fd, child));
	assert_reaches(f.hw, 0, USER, 4);
	t_ok(u_attach(f.hw, f.root));
	assert_reaches(f.hw, IOVA, OTHER, PAGES);
	t_errno(t_detach(f.hw, f.fd, child), ENOENT);
	t_ok(u_attach(f.hw, f.ioas));
	t_ok(t_attach(f.hw, f.fd, child));
	t_ok(u_detach(f.hw));
	assert_blocked(f.hw, 0, 4);
	assert_blocked(f.hw, IOVA, PAGES);
	/* Natively it comes off one by one. */
	t_ok(u_attach(f.hw, f.ioas));
	t_ok(t_attach(f.hw, f.fd, child));
	t_ok(t_detach(f.hw, f.fd, child));
	assert_reaches(f.hw, IOVA, USER, PAGES);
	shim_close(f.fd);
}

/* 13: what stands for the container is attached like any other, or not at all */
static void a_container_attaches_nothing(void **state)
{
	struct fixture f = program();

	t_ok(c_set(f.fd, UP_CONTAINER_TYPE1V2));
	assert_blocked(f.hw, IOVA, PAGES);
	t_ok(u_attach(f.hw, f.ioas));
	assert_reaches(f.hw, IOVA, USER, PAGES);
	/* And stays so, whatever stands for it. */
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, f.root));
	t_ok(c_set(f.fd, UP_CONTAINER_TYPE1V2));
	assert_reaches(f.hw, IOVA, USER, PAGES);
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_CLEAR, 0));
	assert_reaches(f.hw, IOVA, USER, PAGES);
	shim_close(f.fd);
}

/* 14: IOASID_FREE and DESTROY are the same to an IOASID */
static void freeing_is_the_same(void **state)
{
	struct fixture f = program();
	int hwpt = t_ok(u_hwpt(f.fd, f.dev, f.ioas, UP_HWPT_NEST_PARENT));
	int table = t_ok(u_nested(f.fd, f.dev, hwpt, 0));

	/* Busy with a table that has an id, with a child, with a device */
	t_errno(t_free(f.fd, f.ioas), EBUSY);
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_errno(u_destroy(f.fd, hwpt), EBUSY);
	t_errno(t_free(f.fd, hwpt), ENOENT);
	t_ok(t_free(f.fd, table));
	t_ok(u_destroy(f.fd, hwpt));
	table = t_ok(t_alloc_child(f.fd, f.ioas));
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_ok(u_destroy(f.fd, table));
	t_ok(t_attach(f.hw, f.fd, f.ioas));
	t_errno(t_free(f.fd, f.ioas), EBUSY);
	t_errno(u_destroy(f.fd, f.ioas), EBUSY);
	t_ok(u_detach(f.hw));
	/* With all that is mapped */
	t_ok(t_free(f.fd, f.ioas));
	assert_int_equal(shim_pins, PAGES);
	t_ok(u_destroy(f.fd, f.root));
	assert_int_equal(shim_pins, 0);
	t_errno(u_destroy(f.fd, f.root), ENOENT);
	shim_close(f.fd);
}

/* 15: standing for a container keeps nothing */
static void a_container_keeps_nothing(void **state)
{
	struct fixture f = program();

	t_ok(t_free(f.fd, f.ioas));
	t_errno(u_vfio_ioas(f.fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	t_errno(c_map(f.fd, USER, 1, 0), ENODEV);
	t_errno(c_unmap(f.fd, IOVA, 1), ENODEV);
	/* Nor is the one that gets the number next the container. */
	assert_int_equal(t_alloc(f.fd), f.ioas);
	t_errno(c_map(f.fd, USER, 1, 0), ENODEV);
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, f.ioas));
	t_ok(c_map(f.fd, USER, 1, 0));
	shim_close(f.fd);
}

/* 16: BIND_IOMMUFD keeps /dev/iommu open; a native bind does not */
static void closing_in_any_order(void **state)
{
	struct fixture f = program();
	struct testhw_dev *native = testhw_dev();

	t_ok(t_bind(native, f.fd, LABEL));
	t_ok(t_attach(native, f.fd, f.ioas));
	t_ok(u_attach(f.hw, f.ioas));
	shim_close(f.fd);
	assert_reaches(f.hw, IOVA, USER, PAGES);
	assert_reaches(native, IOVA, USER, PAGES);
	t_ok(u_attach(f.hw, f.root));
	assert_reaches(f.hw, IOVA, OTHER, PAGES);
	t_release(f.hw);
	assert_blocked(native, IOVA, PAGES);
	assert_int_equal(shim_pins, 0);
	assert_int_equal(testhw_pts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(ids_are_of_one_namespace),
		core_test(an_ioas_is_a_root),
		core_test(a_container_is_an_ioas),
		core_test(upstreams_label_is_the_id),
		core_test(labels_exclude_one_another),
		core_test(native_devices_have_ids),
		core_test(mappings_are_the_same),
		core_test(only_a_container_cuts),
		core_test(charges_are_the_same),
		core_test(copies_of_anything),
		core_test(attaching_goes_by_the_binding),
		core_test(a_stack_goes_as_a_whole),
		core_test(a_container_attaches_nothing),
		core_test(freeing_is_the_same),
		core_test(a_container_keeps_nothing),
		core_test(closing_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
