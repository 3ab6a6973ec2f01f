// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is mapped by upstream's commands more than once, or for somebody else:
 * COPY, files, IOAS_CHANGE_PROCESS.
 */
#include "upstream_program.h"
#include <linux/fs.h>
#include <linux/magic.h>

/* COPY: pinned and charged once, and until the last one goes. */
static void copies_share_their_pages(void **state)
{
	struct fixture f = program();
	int other = t_ok(u_ioas(f.fd));
	unsigned int order, i;

	for (order = 0; order < 6; order++) {
		static const u8 orders[6][3] = {
			{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
			{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
		};

		t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
		assert_int_equal(shim_pins, 4);
		t_ok(u_copy(f.fd, f.ioas, IOVA, f.ioas, IOVA + PG(100), 4));
		/* A copy of a copy, and where there was no table yet */
		t_ok(u_copy(f.fd, f.ioas, IOVA + PG(100), other, PG(7), 4));
		assert_int_equal(shim_pins, 4);
		assert_int_equal(charged(), 4);
		assert_reaches(f.hw, IOVA, USER, 4);
		assert_reaches(f.hw, IOVA + PG(100), USER, 4);
		for (i = 0; i < 3; i++) {
			switch (orders[order][i]) {
			case 0:
				t_ok(u_unmap(f.fd, f.ioas, IOVA, 4));
				break;
			case 1:
				t_ok(u_unmap(f.fd, f.ioas, IOVA + PG(100), 4));
				break;
			case 2:
				t_ok(u_unmap(f.fd, other, PG(7), 4));
				break;
			}
			assert_int_equal(shim_pins, i < 2 ? 4 : 0);
			assert_int_equal(charged(), i < 2 ? 4 : 0);
		}
		assert_blocked(f.hw, IOVA, 4);
		assert_blocked(f.hw, IOVA + PG(100), 4);
		assert_int_equal(t_space(f.fd, f.ioas)->nr_shared, 0);
	}
	/* What is left shared goes with the spaces, in whatever order. */
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, PG(7), 4));
	t_ok(u_destroy(f.fd, other));
	assert_int_equal(shim_pins, 4);
	other = t_ok(u_ioas(f.fd));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, PG(7), 4));
	shim_close(f.fd);
	t_release(f.hw);
	assert_int_equal(shim_pins, 0);
	assert_int_equal(charged(), 0);
}

/* Several mappings are copied as several, and between others as they are. */
static void copies_of_many(void **state)
{
	struct fixture f = program();
	int other = t_ok(u_ioas(f.fd));
	struct testhw_dev *hw = testhw_dev();
	u64 length;

	t_ok(u_bind(hw, f.fd));
	t_ok(u_attach(hw, other));
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_map(f.fd, f.ioas, USER + PG(4), 1, IOVA + PG(4)));
	t_ok(u_map(f.fd, f.ioas, USER + PG(5), 6, IOVA + PG(5)));
	t_ok(u_map(f.fd, other, USER + PG(40), 1, IOVA + PG(30)));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, IOVA + PG(10), 11));
	assert_int_equal(shim_pins, 12);
	assert_reaches(hw, IOVA + PG(10), USER, 11);
	t_errno(u_unmap(f.fd, other, IOVA + PG(10), 3), ENOENT);
	t_ok(u_unmap(f.fd, other, IOVA + PG(14), 1));
	assert_int_equal(shim_pins, 12);
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 11));
	/* The one page that was not to be had elsewhere */
	assert_int_equal(shim_pins, 11);
	assert_reaches(hw, IOVA + PG(10), USER, 4);
	assert_blocked(hw, IOVA + PG(14), 1);
	assert_reaches(hw, IOVA + PG(15), USER + PG(5), 6);
	/* Shared and not, in one go */
	length = U64_MAX;
	t_ok(u_unmap_bytes(f.fd, other, 0, &length));
	assert_int_equal(length, PG(11));
	assert_int_equal(shim_pins, 0);
	shim_close(f.fd);
}

/* Write access comes from the pin, wherever the copy is made. */
static void copies_and_permissions(void **state)
{
	struct fixture f = program();
	int other = t_ok(u_ioas(f.fd));
	phys_addr_t phys;
	u64 iova = IOVA;
	unsigned int i;

	t_ok(u_map_flags(f.fd, f.ioas, USER, 2, &iova,
			 UP_MAP_FIXED | UP_MAP_READ));
	t_errno(u_copy(f.fd, f.ioas, IOVA, other, 0, 2), EPERM);
	t_ok(u_copy_flags(f.fd, f.ioas, IOVA, other, 0, 2,
			  UP_MAP_FIXED | UP_MAP_READ));
	t_errno(u_copy(f.fd, other, 0, f.ioas, PG(5), 2), EPERM);
	t_ok(u_unmap_all(f.fd, f.ioas));
	t_ok(u_unmap_all(f.fd, other));

	/* Read-only from what is writable, and writable again from that */
	t_ok(u_map(f.fd, f.ioas, USER, 2, IOVA));
	t_ok(u_copy_flags(f.fd, f.ioas, IOVA, f.ioas, IOVA + PG(8), 2,
			  UP_MAP_FIXED | UP_MAP_READ));
	assert_true(testhw_dma(f.hw, IOVA + PG(8), IOFD_READ, &phys));
	assert_false(testhw_dma(f.hw, IOVA + PG(8), IOFD_WRITE, &phys));
	t_ok(u_copy(f.fd, f.ioas, IOVA + PG(8), f.ioas, IOVA + PG(16), 2));
	assert_true(testhw_dma(f.hw, IOVA + PG(16), IOFD_WRITE, &phys));
	/* The last one is read-only, and what was written is dirty all the same. */
	t_ok(u_unmap(f.fd, f.ioas, IOVA + PG(16), 2));
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 2));
	for (i = 0; i < 2; i++)
		assert_false(shim_user_page(USER + PG(i))->flags &
			     SHIM_PAGE_DIRTY);
	t_ok(u_unmap(f.fd, f.ioas, IOVA + PG(8), 2));
	for (i = 0; i < 2; i++)
		assert_true(shim_user_page(USER + PG(i))->flags &
			    SHIM_PAGE_DIRTY);
	shim_close(f.fd);
}

/* Kernel-chosen addresses of a copy, and children that see it */
static void copies_elsewhere(void **state)
{
	struct fixture f = program();
	int other = t_ok(u_ioas(f.fd));
	struct up_copy cmd = {
		.size = sizeof(cmd), .flags = UP_RW, .from_ioas_id = f.ioas,
		.from_iova = IOVA, .to_ioas_id = other, .length = PG(4),
	};
	struct testhw_dev *hw = testhw_dev();
	int child = t_ok(t_alloc_child(f.fd, other));

	t_ok(t_bind(hw, f.fd, 0x77));
	t_ok(t_attach(hw, f.fd, child));
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(up(f.fd, UP_IOAS_COPY, &cmd));
	t_ok(t_map(f.fd, child, cmd.to_iova, 4, PG(3)));
	assert_reaches(hw, PG(3), USER, 4);
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 4));
	assert_reaches(hw, PG(3), USER, 4);
	t_ok(u_unmap(f.fd, other, cmd.to_iova, 4));
	assert_blocked(hw, PG(3), 4);
	assert_int_equal(shim_pins, 0);
	/* The other way round: the child waits for it. */
	t_ok(u_map(f.fd, f.ioas, USER, 4, IOVA));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, cmd.to_iova, 4));
	assert_reaches(hw, PG(3), USER, 4);
	/* An IOAS it is not. */
	t_errno(u_map(f.fd, child, USER, 1, 0), ENOENT);
	t_errno(u_copy(f.fd, child, PG(3), other, 0, 4), ENOENT);
	shim_close(f.fd);
}

/* Two tables, and one that keeps no runs */
static void copies_into_several_tables(void **state)
{
	struct fixture f = program();
	struct testhw_dev *narrow = testhw_dev(), *plain = testhw_dev();
	int other = t_ok(u_ioas(f.fd));
	unsigned long n;

	narrow->width_bits = 39;
	plain->unit = &testhw_plain;
	t_ok(u_bind(narrow, f.fd));
	t_ok(u_bind(plain, f.fd));
	t_ok(u_attach(plain, other));
	t_ok(u_attach(narrow, other));
	t_ok(u_map(f.fd, f.ioas, USER, 16, IOVA));
	t_ok(u_map(f.fd, f.ioas, USER + PG(16), 16, IOVA + PG(16)));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, PG(3), 32));
	assert_reaches(narrow, PG(3), USER, 32);
	assert_reaches(plain, PG(3), USER, 32);
	t_ok(u_unmap(f.fd, other, PG(3), 32));
	assert_blocked(narrow, PG(3), 32);
	assert_blocked(plain, PG(3), 32);
	/* A table fails in the middle; the source has shared nothing before. */
	t_ok(u_unmap_all(f.fd, f.ioas));
	t_ok(u_map(f.fd, f.ioas, USER, 16, IOVA));
	t_ok(u_map(f.fd, f.ioas, USER + PG(16), 16, IOVA + PG(16)));
	for (n = 1; n < 200; n += 3) {
		char *before = t_state();
		long rc;

		testhw_map_partly = n % 2;
		testhw_fail_map = n;
		rc = u_copy(f.fd, f.ioas, IOVA, other, PG(3), 32);
		testhw_map_partly = 0;
		if (testhw_fail_map) {
			assert_int_equal(rc, 0);
			free(before);
			testhw_fail_map = 0;
			break;
		}
		t_errno(rc, ENOMEM);
		assert_state(before);
		assert_blocked(narrow, PG(3), 32);
		assert_blocked(plain, PG(3), 32);
		assert_reaches(f.hw, IOVA, USER, 32);
	}
	assert_true(n > 10 && n < 200);
	shim_close(f.fd);
}

/* Random maps, copies and unmaps: each page is pinned as often as it was mapped. */
static void copies_at_random(void **state)
{
	struct fixture f = program();
	int ioas[3] = { f.ioas, t_ok(u_ioas(f.fd)), t_ok(u_ioas(f.fd)) };
	/* What page of memory is at which slot of 4 pages, and by which pin */
	struct { int page; unsigned int pin; } at[3][32] = {};
	unsigned int step, pins = 0, i, j, k;
	unsigned long expected;

	for (step = 0; step < 3000; step++) {
		unsigned int s = shim_random_below(3), d = shim_random_below(3);
		unsigned int x = shim_random_below(32), y = shim_random_below(32);
		long rc;

		switch (shim_random_below(4)) {
		case 0:
			rc = u_map(f.fd, ioas[s], USER + PG(4 * (x % 16)), 4,
				   IOVA + PG(4 * y));
			assert_int_equal(rc, at[s][y].pin ? -EEXIST : 0);
			if (!rc) {
				at[s][y].page = 4 * (x % 16);
				at[s][y].pin = ++pins;
			}
			break;
		case 1:
		case 2:
			rc = u_copy(f.fd, ioas[s], IOVA + PG(4 * x), ioas[d],
				    IOVA + PG(4 * y), 4);
			if (!at[s][x].pin)
				assert_int_equal(rc, -ENOENT);
			else if (at[d][y].pin)
				assert_int_equal(rc, -EEXIST);
			else
				assert_int_equal(rc, 0);
			if (!rc)
				at[d][y] = at[s][x];
			break;
		default:
			rc = u_unmap(f.fd, ioas[s], IOVA + PG(4 * x), 4);
			assert_int_equal(rc, at[s][x].pin ? 0 : -ENOENT);
			at[s][x].pin = 0;
		}
		if (step % 50)
			continue;
		expected = 0;
		for (i = 0; i < 3 * 32; i++) {
			unsigned int pin = at[i / 32][i % 32].pin;

			for (j = 0; pin && j < i; j++)
				if (at[j / 32][j % 32].pin == pin)
					pin = 0;
			expected += pin ? 4 : 0;
		}
		assert_int_equal(shim_pins, expected);
		assert_int_equal(charged(), expected);
		for (k = 0; k < 32; k++) {
			if (at[0][k].pin)
				assert_reaches(f.hw, IOVA + PG(4 * k),
					       USER + PG(at[0][k].page), 4);
			else
				assert_blocked(f.hw, IOVA + PG(4 * k), 4);
		}
	}
	shim_close(f.fd);
	t_release(f.hw);
	assert_int_equal(shim_pins, 0);
}

/* MAP_FILE: memfd, shmem and hugetlbfs; what else is refused */
static void files(void **state)
{
	struct fixture f = program();
	int tmpfs = shim_open_memory(TMPFS_MAGIC, 16, PAGE_SIZE);
	int huge = shim_open_memory(HUGETLBFS_MAGIC, 512, SZ_2M);
	int ext4 = shim_open_memory(0xef53, 16, PAGE_SIZE);
	int dmabuf = shim_open_memory(DMA_BUF_MAGIC, 16, PAGE_SIZE);
	phys_addr_t phys;

	t_ok(u_map_file(f.fd, f.ioas, tmpfs, PG(4), 8, IOVA));
	assert_true(testhw_dma(f.hw, IOVA, IOFD_WRITE, &phys));
	assert_int_equal(phys, page_to_phys(shim_file(tmpfs)->f_inode->pages[4]));
	t_ok(u_map_file(f.fd, f.ioas, huge, PG(3), 5, IOVA + PG(100)));
	t_errno(u_map_file(f.fd, f.ioas, ext4, 0, 1, 0), EINVAL);
	t_errno(u_map_file(f.fd, f.ioas, dmabuf, 0, 1, 0), EOPNOTSUPP);
	/* The file may go; a copy is as good. */
	t_ok(u_copy(f.fd, f.ioas, IOVA, f.ioas, IOVA + PG(200), 8));
	shim_close(tmpfs);
	shim_close(huge);
	shim_close(ext4);
	shim_close(dmabuf);
	assert_true(testhw_dma(f.hw, IOVA + PG(200), IOFD_WRITE, &phys));
	t_ok(u_unmap_all(f.fd, f.ioas));
	assert_int_equal(shim_pins, 0);
	shim_close(f.fd);
}

static void changing_the_process(void **state)
{
	static struct shim_process heir;
	struct task_struct *first = shim_current;
	struct fixture f = program();
	int mem = shim_open_memory(TMPFS_MAGIC, 64, PAGE_SIZE);
	int other = t_ok(u_ioas(f.fd));
	char *before;

	/* As a probe: there is nothing to change. */
	t_ok(u_change_process(f.fd));
	t_ok(u_map_file(f.fd, f.ioas, mem, 0, 8, IOVA));
	t_ok(u_map_file(f.fd, f.ioas, mem, 0, 2, IOVA + PG(8)));
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, 0, 8));
	before = t_state();
	t_ok(u_change_process(f.fd));
	assert_state(before);

	shim_process_init(&heir);
	shim_current = &heir.task;
	heir.task.memlock = PG(9);
	t_errno(u_change_process(f.fd), ENOMEM);
	heir.task.memlock = PG(10);
	t_ok(u_change_process(f.fd));
	assert_int_equal(atomic_long_read(&heir.user.locked_vm), 10);
	assert_int_equal(atomic64_read(&heir.mm.pinned_vm), 10);
	shim_current = first;
	assert_int_equal(charged(), 0);
	assert_int_equal(atomic64_read(&first->mm->pinned_vm), 0);
	/* Whoever unmaps, the heir is charged less. */
	t_ok(u_unmap(f.fd, f.ioas, IOVA, 8));
	assert_int_equal(atomic_long_read(&heir.user.locked_vm), 10);
	t_ok(u_unmap(f.fd, other, 0, 8));
	assert_int_equal(atomic_long_read(&heir.user.locked_vm), 2);

	/* Memory of the process itself cannot be handed on. */
	t_ok(u_map(f.fd, other, USER, 3, 0));
	shim_current = &heir.task;
	before = t_state();
	t_errno(u_change_process(f.fd), EINVAL);
	assert_state(before);
	shim_current = first;
	t_ok(u_unmap_all(f.fd, other));
	t_ok(u_change_process(f.fd));
	assert_int_equal(charged(), 2);
	assert_int_equal(atomic_long_read(&heir.user.locked_vm), 0);
	shim_close(mem);
	shim_close(f.fd);
	shim_process_exit(&heir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(copies_share_their_pages),
		core_test(copies_of_many),
		core_test(copies_and_permissions),
		core_test(copies_elsewhere),
		core_test(copies_into_several_tables),
		core_test(copies_at_random),
		core_test(files),
		core_test(changing_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
