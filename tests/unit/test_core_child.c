// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Kernel-managed children: what they reach, and how it follows the parent.
 */
#include "testhw.h"
#include <linux/cred.h>

#define USER	0x10000000ul
#define GPA	0x1000000ull		/* where a root maps USER */
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)

/* A root that maps 64 pages, a child of it, a device that is attached to that */
struct fixture {
	int fd;
	int root;
	int child;
	struct testhw_dev *hw;
};

static struct fixture family(void)
{
	struct fixture f = { .fd = t_ok(t_open()) };

	f.hw = testhw_dev();
	shim_user_map(USER, 64, 0);
	f.root = t_ok(t_alloc(f.fd));
	f.child = t_ok(t_alloc_child(f.fd, f.root));
	t_ok(t_map(f.fd, f.root, USER, 64, GPA));
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_attach(f.hw, f.fd, f.child));
	return f;
}

static void assert_read_only(struct testhw_dev *hw, u64 iova)
{
	phys_addr_t phys;

	assert_true(testhw_dma(hw, iova, IOFD_READ, &phys));
	assert_false(testhw_dma(hw, iova, IOFD_WRITE, &phys));
}

/* A9: software-nested child accepts MAP. */
static void A9_child_is_mapped(void **state)
{
	struct fixture f = family();

	t_ok(t_map(f.fd, f.child, GPA + PG(8), 4, IOVA));
	assert_reaches(f.hw, IOVA, USER + PG(8), 4);
	assert_blocked(f.hw, IOVA + PG(4), 1);
	assert_blocked(f.hw, GPA, 8);
	t_errno(t_map(f.fd, f.child, GPA, 1, IOVA + PG(3)), EEXIST);
	t_errno(t_unmap(f.fd, f.child, IOVA, 2), EINVAL);
	t_ok(t_unmap(f.fd, f.child, IOVA, 4));
	assert_blocked(f.hw, IOVA, 4);
	shim_close(f.fd);
}

/* B13: unmapping a parent's range takes it from the child at once. */
static void B13_parent_takes_and_gives_back(void **state)
{
	struct fixture f = family();
	char *before;

	/* Across the ends of what the root is going to map: 2 + 4 + 2 pages */
	t_ok(t_map(f.fd, f.child, GPA + PG(62), 8, IOVA));
	t_ok(t_map(f.fd, f.child, GPA + PG(66), 1, IOVA + PG(100)));
	before = t_state();
	assert_reaches(f.hw, IOVA, USER + PG(62), 2);
	assert_blocked(f.hw, IOVA + PG(2), 6);
	shim_user_map(USER + PG(1000), 4, 0);
	t_ok(t_map(f.fd, f.root, USER + PG(1000), 4, GPA + PG(64)));
	assert_reaches(f.hw, IOVA, USER + PG(62), 2);
	assert_reaches(f.hw, IOVA + PG(2), USER + PG(1000), 4);
	assert_blocked(f.hw, IOVA + PG(6), 2);
	assert_reaches(f.hw, IOVA + PG(100), USER + PG(1002), 1);
	t_ok(t_unmap(f.fd, f.root, GPA + PG(64), 4));
	assert_blocked(f.hw, IOVA + PG(2), 6);
	assert_blocked(f.hw, IOVA + PG(100), 1);
	assert_reaches(f.hw, IOVA, USER + PG(62), 2);
	t_ok(t_unmap(f.fd, f.root, GPA, 64));
	assert_blocked(f.hw, IOVA, 8);
	t_ok(t_map(f.fd, f.root, USER, 64, GPA));
	assert_reaches(f.hw, IOVA, USER + PG(62), 2);
	shim_user_unmap(USER + PG(1000));
	assert_state(before);
	shim_close(f.fd);
}

/* A large leaf of the child never spans mappings of the parent. */
static void leaves_end_where_mappings_do(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	u64 first = 2 * SZ_1M;

	f.hw = testhw_dev();
	shim_user_map(0x20000000, 1024, 0);
	f.root = t_ok(t_alloc(f.fd));
	f.child = t_ok(t_alloc_child(f.fd, f.root));
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_attach(f.hw, f.fd, f.child));
	/* Contiguous memory in two mappings, one mapping of the child over it */
	t_ok(t_map(f.fd, f.root, 0x20000000, 256, first));
	t_ok(t_map(f.fd, f.root, 0x20000000 + PG(256), 768, first + PG(256)));
	t_ok(t_map(f.fd, f.child, first, 1024, IOVA));
	assert_reaches(f.hw, IOVA, 0x20000000, 1024);
	t_ok(t_unmap(f.fd, f.root, first, 256));
	assert_blocked(f.hw, IOVA, 256);
	assert_reaches(f.hw, IOVA + PG(256), 0x20000000 + PG(256), 768);
	shim_close(f.fd);
}

static void permissions_are_those_of_all(void **state)
{
	struct fixture f = family();
	const u32 rw = IOMMU_MAP_READ | IOMMU_MAP_WRITE;

	shim_user_map(USER + PG(1000), 2, 0);
	t_ok(t_map_prot(f.fd, f.root, USER + PG(1000), 1, GPA + PG(64),
			IOMMU_MAP_READ));
	t_ok(t_map_prot(f.fd, f.root, USER + PG(1001), 1, GPA + PG(65),
			IOMMU_MAP_WRITE));
	t_ok(t_map_prot(f.fd, f.child, GPA + PG(64), 1, IOVA, rw));
	t_ok(t_map_prot(f.fd, f.child, GPA, 1, IOVA + PG(1), IOMMU_MAP_READ));
	t_ok(t_map_prot(f.fd, f.child, GPA + PG(65), 1, IOVA + PG(2),
			IOMMU_MAP_READ));
	assert_read_only(f.hw, IOVA);
	assert_read_only(f.hw, IOVA + PG(1));
	assert_blocked(f.hw, IOVA + PG(2), 1);
	shim_close(f.fd);
}

/* Children of children, the deepest attached; changes at every level */
static void depth(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	int ids[IOFD_MAX_DEPTH];
	unsigned int i;

	f.hw = testhw_dev();
	shim_user_map(USER, 16, 0);
	ids[0] = t_ok(t_alloc(f.fd));
	for (i = 1; i < IOFD_MAX_DEPTH; i++)
		ids[i] = t_ok(t_alloc_child(f.fd, ids[i - 1]));
	t_errno(t_alloc_child(f.fd, ids[i - 1]), ENOSPC);
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_attach(f.hw, f.fd, ids[i - 1]));
	t_ok(t_map(f.fd, ids[0], USER, 16, PG(100)));
	for (i = 1; i < IOFD_MAX_DEPTH; i++)
		t_ok(t_map(f.fd, ids[i], PG(100 * i + 1), 15 - i,
			   PG(100 * (i + 1))));
	for (i = 0; i < IOFD_MAX_DEPTH; i++) {
		u64 at = PG(100 * (i + 1));
		unsigned long n = i ? 15 - i : 16;
		u64 from = i ? PG(100 * i + 1) : USER;

		assert_reaches(f.hw, PG(800), USER + PG(7), 8);
		t_ok(t_unmap(f.fd, ids[i], at, n));
		assert_blocked(f.hw, PG(800), 8);
		t_ok(t_map(f.fd, ids[i], from, n, at));
	}
	assert_reaches(f.hw, PG(800), USER + PG(7), 8);
	for (i = 0; i < IOFD_MAX_DEPTH - 1; i++)
		t_errno(t_free(f.fd, ids[i]), EBUSY);
	shim_close(f.fd);
}

/*
 * The same page in more and more places: 16 of a child, 16 times those in its
 * child, and so on. Whoever unmaps the page waits for all of them.
 */
static void a_page_in_many_places(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	const u64 most = 64 + (1 << 22);	/* for a root that maps a page */
	int ids[IOFD_MAX_DEPTH];
	unsigned long n = 1;
	unsigned int i, k;

	shim_user_map(USER, 1, 0);
	ids[0] = t_ok(t_alloc(f.fd));
	for (i = 1; i < 5; i++)
		ids[i] = t_ok(t_alloc_child(f.fd, ids[i - 1]));
	t_ok(t_map(f.fd, ids[0], USER, 1, 0));
	for (i = 1; i < 4; i++, n *= 16)
		for (k = 0; k < 16; k++)
			t_ok(t_map(f.fd, ids[i], 0, n, PG(k * n)));
	/* A child of the root has no limit, for it can only add up ... */
	t_ok(t_map(f.fd, ids[1], 0, 2 * most, SZ_1G * 1024ull));
	/* ... and those below have. */
	for (k = 0; k < most / n; k++)
		t_ok(t_map(f.fd, ids[4], 0, n, PG(k * n)));
	t_errno(t_map(f.fd, ids[4], 0, n, PG(k * n)), ENOSPC);
	t_ok(t_unmap(f.fd, ids[4], 0, n));
	t_ok(t_map(f.fd, ids[4], 0, n, PG(k * n)));
	t_errno(t_map(f.fd, ids[2], 0, most, SZ_1G * 1024ull), ENOSPC);
	t_ok(t_unmap(f.fd, ids[4], PG(n), (k - 16) * n));

	f.hw = testhw_dev();
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_attach(f.hw, f.fd, ids[3]));
	assert_reaches(f.hw, PG(n - 1), USER, 1);
	t_ok(t_unmap(f.fd, ids[0], 0, 1));
	assert_blocked(f.hw, 0, 1);
	assert_blocked(f.hw, PG(n - 1), 1);
	shim_close(f.fd);
}

/* A16: a root that no device is attached to pins and accounts for all below. */
static void A16_memory_root_accounts_once(void **state)
{
	int fd = t_ok(t_open()), root, a, b;
	struct testhw_dev *hw[2] = { testhw_dev(), testhw_dev() };
	struct user_struct *user = current_user();

	shim_user_map(USER, 256, 0);
	root = t_ok(t_alloc(fd));
	t_ok(t_map(fd, root, USER, 256, USER));
	assert_int_equal(atomic_long_read(&user->locked_vm), 256);
	a = t_ok(t_alloc_child(fd, root));
	b = t_ok(t_alloc_child(fd, root));
	t_ok(t_bind(hw[0], fd, 1));
	t_ok(t_bind(hw[1], fd, 2));
	t_ok(t_attach(hw[0], fd, a));
	t_ok(t_attach(hw[1], fd, b));
	t_ok(t_map(fd, a, USER, 256, 0));
	t_ok(t_map(fd, b, USER, 256, IOVA));
	assert_reaches(hw[0], 0, USER, 256);
	assert_reaches(hw[1], IOVA, USER, 256);
	assert_int_equal(atomic_long_read(&user->locked_vm), 256);
	assert_int_equal(shim_pins, 256);
	t_errno(t_free(fd, root), EBUSY);
	t_ok(t_unmap(fd, root, USER, 256));
	assert_int_equal(atomic_long_read(&user->locked_vm), 0);
	assert_blocked(hw[0], 0, 256);
	assert_blocked(hw[1], IOVA, 256);
	shim_close(fd);
}

static void stacked_attachments(void **state)
{
	struct fixture f = family();
	int other = t_ok(t_alloc(f.fd)), sibling = t_ok(t_alloc_child(f.fd, f.root));
	int below = t_ok(t_alloc_child(f.fd, f.child));
	char *before;

	t_ok(t_detach(f.hw, f.fd, f.child));
	t_ok(t_map(f.fd, f.child, GPA, 4, IOVA));
	before = t_state();
	t_ok(t_attach(f.hw, f.fd, f.root));
	assert_reaches(f.hw, GPA, USER, 64);
	t_errno(t_attach(f.hw, f.fd, f.root), EBUSY);
	t_errno(t_attach(f.hw, f.fd, other), EBUSY);
	t_ok(t_attach(f.hw, f.fd, f.child));
	assert_reaches(f.hw, IOVA, USER, 4);
	assert_blocked(f.hw, GPA, 64);
	t_errno(t_attach(f.hw, f.fd, sibling), EBUSY);
	t_errno(t_attach(f.hw, f.fd, f.root), EBUSY);
	t_ok(t_attach(f.hw, f.fd, below));
	assert_blocked(f.hw, IOVA, 4);
	t_errno(t_detach(f.hw, f.fd, f.root), EBUSY);
	t_errno(t_detach(f.hw, f.fd, f.child), EBUSY);
	t_errno(t_detach(f.hw, f.fd, other), ENOENT);
	t_errno(t_free(f.fd, f.root), EBUSY);
	t_ok(t_detach(f.hw, f.fd, below));
	assert_reaches(f.hw, IOVA, USER, 4);
	/* The provider fails to give it back: nothing has changed. */
	testhw_attach_error = -ENOMEM;
	t_errno(t_detach(f.hw, f.fd, f.child), ENOMEM);
	testhw_attach_error = 0;
	assert_reaches(f.hw, IOVA, USER, 4);
	t_ok(t_detach(f.hw, f.fd, f.child));
	assert_reaches(f.hw, GPA, USER, 64);
	assert_blocked(f.hw, IOVA, 4);
	t_ok(t_detach(f.hw, f.fd, f.root));
	assert_blocked(f.hw, GPA, 64);
	testhw_nr_events = 0;
	free(before);
	/* All of the stack goes with the file. */
	t_ok(t_attach(f.hw, f.fd, f.root));
	t_ok(t_attach(f.hw, f.fd, f.child));
	t_ok(t_attach(f.hw, f.fd, below));
	shim_close(f.fd);
	assert_blocked(f.hw, IOVA, 4);
}

/* A4: a device on two fds; no nesting across them. */
static void A4_no_nesting_across_fds(void **state)
{
	struct fixture f = family();
	int fd2 = t_ok(t_open()), root2;

	t_ok(t_bind(f.hw, fd2, 7));
	t_errno(t_alloc_child(fd2, f.child + 10), ENOENT);
	root2 = t_ok(t_alloc(fd2));
	assert_int_not_equal(t_ok(t_alloc_child(fd2, root2)), 0);
	/* Its DMA without PASID is in the hands of one. */
	t_errno(t_attach(f.hw, fd2, root2), EBUSY);
	t_ok(t_detach(f.hw, f.fd, f.child));
	t_ok(t_attach(f.hw, fd2, root2));
	t_errno(t_attach(f.hw, f.fd, f.child), EBUSY);
	shim_close(fd2);
	t_ok(t_attach(f.hw, f.fd, f.child));
	shim_close(f.fd);
}

/* C8, A23 type 5: default and PASID spaces at once; the PASID is the user's. */
static void C8_pasids_beside_the_default(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	int fd2 = t_ok(t_open()), other, second;
	phys_addr_t phys;
	char *before;

	f.hw = testhw_dev();
	f.hw->pasid_width_bits = 8;
	shim_user_map(USER, 64, 0);
	f.root = t_ok(t_alloc(f.fd));
	f.child = t_ok(t_alloc_child(f.fd, f.root));
	other = t_ok(t_alloc(f.fd));
	second = t_ok(t_alloc(fd2));
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_bind(f.hw, fd2, 1));
	t_ok(t_map(f.fd, f.root, USER, 32, GPA));
	t_ok(t_map(f.fd, other, USER + PG(32), 8, IOVA));
	t_ok(t_map(f.fd, f.child, GPA, 8, IOVA));
	t_ok(t_map(fd2, second, USER + PG(40), 8, IOVA));
	t_errno(t_attach_pasid(f.hw, f.fd, other, 0), EINVAL);
	t_errno(t_attach_pasid(f.hw, f.fd, other, 256), EINVAL);
	t_errno(t_attach_pasid(f.hw, f.fd, other, 1 << 20), EINVAL);
	before = t_state();
	t_ok(t_attach(f.hw, f.fd, f.root));
	t_ok(t_attach_pasid(f.hw, f.fd, other, 5));
	t_ok(t_attach_pasid(f.hw, f.fd, f.child, 255));
	t_ok(t_attach_pasid(f.hw, fd2, second, 6));
	t_errno(t_attach_pasid(f.hw, f.fd, other, 6), EBUSY);
	t_errno(t_attach_pasid(f.hw, f.fd, f.child, 5), EBUSY);
	t_errno(t_detach_pasid(f.hw, f.fd, second, 6), ENOENT);
	t_errno(t_detach(f.hw, f.fd, other), ENOENT);
	assert_reaches(f.hw, GPA, USER, 32);
	assert_true(testhw_dma_pasid(f.hw, 5, IOVA, IOFD_WRITE, &phys));
	assert_int_equal(phys, page_to_phys(shim_user_page(USER + PG(32))));
	assert_true(testhw_dma_pasid(f.hw, 255, IOVA, IOFD_WRITE, &phys));
	assert_int_equal(phys, page_to_phys(shim_user_page(USER)));
	assert_true(testhw_dma_pasid(f.hw, 6, IOVA, IOFD_WRITE, &phys));
	assert_int_equal(phys, page_to_phys(shim_user_page(USER + PG(40))));
	assert_false(testhw_dma_pasid(f.hw, 7, IOVA, IOFD_READ, &phys));
	/* Detaching one leaves the others alone. */
	t_ok(t_detach(f.hw, f.fd, f.root));
	assert_blocked(f.hw, GPA, 32);
	assert_true(testhw_dma_pasid(f.hw, 5, IOVA, IOFD_WRITE, &phys));
	t_ok(t_detach_pasid(f.hw, f.fd, other, 5));
	assert_false(testhw_dma_pasid(f.hw, 5, IOVA, IOFD_WRITE, &phys));
	assert_true(testhw_dma_pasid(f.hw, 255, IOVA, IOFD_WRITE, &phys));
	/* Closing a file takes what was attached through it. */
	shim_close(fd2);
	assert_false(testhw_dma_pasid(f.hw, 6, IOVA, IOFD_WRITE, &phys));
	t_ok(t_detach_pasid(f.hw, f.fd, f.child, 255));
	free(before);
	shim_close(f.fd);
}

/* A23 type 1: a device without PASID; and PASIDs want a group of one's own. */
static void A23_who_can_have_pasids(void **state)
{
	struct fixture f = family();
	struct testhw_dev *shared = testhw_dev();

	t_errno(t_attach_pasid(f.hw, f.fd, f.root, 1), EINVAL);
	shared->pasid_width_bits = 20;
	shared->own_group.nr_more_devs = 1;
	t_ok(t_bind(shared, f.fd, 2));
	t_errno(t_attach_pasid(shared, f.fd, f.root, 1), EPERM);
	t_ok(t_attach(shared, f.fd, f.root));
	shim_close(f.fd);
}

static void faults_name_the_space_of_the_pasid(void **state)
{
	struct fixture f = { .fd = t_ok(t_open()) };
	struct iofd_hw_fault fault = {
		.address = IOVA, .access = IOFD_READ, .reason = 0x86,
		.reason_text = "x", .has_pasid = true, .pasid = 9,
	};

	f.hw = testhw_dev();
	f.hw->pasid_width_bits = 8;
	f.root = t_ok(t_alloc(f.fd));
	f.child = t_ok(t_alloc_child(f.fd, f.root));
	t_ok(t_bind(f.hw, f.fd, 3));
	t_ok(t_attach(f.hw, f.fd, f.root));
	t_ok(t_attach_pasid(f.hw, f.fd, f.child, 9));
	testhw_nr_events = 0;
	iofd_hw_report_fault(&f.hw->dev, &fault);
	assert_event(IOFD_EVENT_FAULT, f.hw, f.fd, 3, f.child);
	fault.has_pasid = false;
	iofd_hw_report_fault(&f.hw->dev, &fault);
	assert_event(IOFD_EVENT_FAULT, f.hw, f.fd, 3, f.root);
	fault.has_pasid = true;
	fault.pasid = 10;
	iofd_hw_report_fault(&f.hw->dev, &fault);
	assert_event(IOFD_EVENT_FAULT, f.hw, f.fd, 3, 0);
	shim_close(f.fd);
}

/* What goes wrong on the way leaves everything as it was. */
static void failures_change_nothing(void **state)
{
	struct fixture f = family();
	unsigned long n;
	char *before;
	int rc;

	t_ok(t_map(f.fd, f.child, GPA, 32, IOVA));
	t_ok(t_unmap(f.fd, f.root, GPA, 64));
	for (n = 1;; n++) {
		before = t_state();
		testhw_fail_map = n;
		testhw_map_partly = 3;
		rc = t_map(f.fd, f.root, USER, 64, GPA);
		testhw_fail_map = 0;
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_state(before);
		assert_blocked(f.hw, IOVA, 32);
	}
	free(before);
	assert_true(n > 1);
	assert_reaches(f.hw, IOVA, USER, 32);
	for (n = 1;; n++) {
		before = t_state();
		testhw_fail_map = n;
		rc = t_map(f.fd, f.child, GPA + PG(32), 32, IOVA + PG(32));
		testhw_fail_map = 0;
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_state(before);
	}
	free(before);
	assert_reaches(f.hw, IOVA, USER, 64);
	shim_close(f.fd);
}

static void allocations_fail(void **state)
{
	struct fixture f = family();
	unsigned long n;
	char *before;
	int rc;

	for (n = 1;; n++) {
		before = t_state();
		shim_fail_nth(n);
		rc = t_map(f.fd, f.child, GPA, 3, IOVA);
		shim_fail_nth(0);
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_state(before);
	}
	free(before);
	t_ok(t_detach(f.hw, f.fd, f.child));
	for (n = 1;; n++) {
		before = t_state();
		shim_fail_nth(n);
		rc = t_attach(f.hw, f.fd, f.child);
		shim_fail_nth(0);
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_state(before);
	}
	free(before);
	assert_reaches(f.hw, IOVA, USER, 3);
	for (n = 1;; n++) {
		before = t_state();
		shim_fail_nth(n);
		rc = t_alloc_child(f.fd, f.child);
		shim_fail_nth(0);
		if (rc > 0)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_state(before);
	}
	free(before);
	shim_close(f.fd);
}

/*
 * Random mappings in a root, a child and a grandchild, with devices on all three:
 * each reaches what a plain model of the three says.
 */
#define PAGES	24

struct model {
	int prot[PAGES];		/* of the page at [i] */
	int to[PAGES];			/* page of the level above */
	int start[PAGES];		/* first page of its mapping */
	int nr[PAGES];			/* at that page: length; else 0 */
};

static bool model_map(struct model *m, int at, int to, int nr, int prot)
{
	int i;

	for (i = at; i < at + nr; i++)
		if (m->prot[i])
			return false;
	for (i = 0; i < nr; i++) {
		m->prot[at + i] = prot;
		m->to[at + i] = to + i;
		m->start[at + i] = at;
	}
	m->nr[at] = nr;
	return true;
}

static void check_level(struct testhw_dev *hw, const struct model *m, int level)
{
	phys_addr_t phys;
	int i, l;

	for (i = 0; i < PAGES; i++) {
		int prot = IOFD_READ | IOFD_WRITE, page = i;

		for (l = level; l >= 0 && prot; l--) {
			prot &= m[l].prot[page];
			page = m[l].to[page];
		}
		assert_int_equal(testhw_dma(hw, PG(i), IOFD_READ, &phys),
				 !!(prot & IOFD_READ));
		if (prot & IOFD_READ)
			assert_int_equal(phys, page_to_phys(shim_user_page(USER + PG(page))));
		assert_int_equal(testhw_dma(hw, PG(i), IOFD_WRITE, &phys),
				 !!(prot & IOFD_WRITE));
	}
}

static void random_families(void **state)
{
	struct testhw_dev *hw[3];
	int fd = t_ok(t_open()), ids[3], i, level;
	struct model m[3];
	unsigned int step;

	memset(m, 0, sizeof(m));
	shim_user_map(USER, PAGES, 0);
	for (i = 0; i < 3; i++) {
		hw[i] = testhw_dev();
		hw[i]->noncoherent = i & 1;
		hw[i]->max_leaf_level = 1 + i;
		ids[i] = t_ok(i ? t_alloc_child(fd, ids[i - 1]) : t_alloc(fd));
		t_ok(t_bind(hw[i], fd, i));
		t_ok(t_attach(hw[i], fd, ids[i]));
	}
	for (step = 0; step < 3000; step++) {
		int at = shim_random_below(PAGES);
		int nr = 1 + shim_random_below(min(6, PAGES - at));
		int to = shim_random_below(PAGES - nr + 1);
		int prot = 1 + shim_random_below(3);

		level = shim_random_below(3);
		if (m[level].prot[at]) {
			struct model *l = &m[level];

			at = l->start[at];
			nr = l->nr[at];
			t_ok(t_unmap(fd, ids[level], PG(at), nr));
			memset(&l->prot[at], 0, nr * sizeof(int));
			l->nr[at] = 0;
		} else if (model_map(&m[level], at, to, nr, prot)) {
			t_ok(t_map_prot(fd, ids[level],
					PG(to) + (level ? 0 : USER), nr, PG(at),
					prot));
		}
		for (i = 0; i < 3; i++)
			check_level(hw[i], m, i);
	}
	shim_close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(A9_child_is_mapped),
		core_test(B13_parent_takes_and_gives_back),
		core_test(leaves_end_where_mappings_do),
		core_test(permissions_are_those_of_all),
		core_test(depth),
		core_test(a_page_in_many_places),
		core_test(A16_memory_root_accounts_once),
		core_test(stacked_attachments),
		core_test(A4_no_nesting_across_fds),
		core_test(C8_pasids_beside_the_default),
		core_test(A23_who_can_have_pasids),
		core_test(faults_name_the_space_of_the_pasid),
		core_test(failures_change_nothing),
		core_test(allocations_fail),
		core_test(random_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
