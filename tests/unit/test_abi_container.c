// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VFIO's container on /dev/iommu: the IOAS that stands for it, each of its
 * commands with good and bad input, and TYPE1's unmapping of a part.
 */
#include "upstream_program.h"
#include "core/share.h"

#define TYPE1		UP_CONTAINER_TYPE1
#define TYPE1V2		UP_CONTAINER_TYPE1V2
#define C_RW		(UP_CONTAINER_MAP_READ | UP_CONTAINER_MAP_WRITE)

/* The program's IOAS stands for its container. */
static struct fixture container(unsigned long type)
{
	struct fixture f = program();

	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, f.ioas));
	t_ok(c_set(f.fd, type));
	return f;
}

static void done(struct fixture *f)
{
	shim_close(f->fd);
	t_release(f->hw);
	assert_int_equal(shim_pins, 0);
	assert_int_equal(charged(), 0);
}

/* The caches of a device know nothing any more: what it reaches is in the tables. */
static void forget(struct testhw_dev *hw, int fd, u32 ioasid)
{
	t_ok(t_detach(hw, fd, ioasid));
	t_ok(t_attach(hw, fd, ioasid));
}

/* VFIO_IOAS: which IOAS stands for a container */
static void vfio_ioas(void **state)
{
	int fd = t_ok(t_open()), ioas = t_ok(u_ioas(fd)), other = t_ok(u_ioas(fd));
	int child = t_ok(t_alloc_child(fd, ioas)), fd2 = t_ok(t_open());
	char *before;

	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_CLEAR, 0));
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, 77), ENOENT);
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, 0), ENOENT);
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, child), ENOENT);
	t_errno(u_vfio_ioas(fd2, UP_VFIO_IOAS_SET, ioas), ENOENT);
	before = t_state();
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, ioas));
	assert_int_equal(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ioas);
	/* No reference is kept, and none is lost. */
	assert_state(before);
	t_errno(u_vfio_ioas(fd2, UP_VFIO_IOAS_GET, 0), ENODEV);
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, other));
	assert_int_equal(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), other);
	t_ok(t_free(fd, child));
	t_ok(u_destroy(fd, ioas));
	assert_int_equal(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), other);
	t_ok(u_destroy(fd, other));
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	/* Whoever gets the number next is not it. */
	other = t_ok(u_ioas(fd));
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	t_errno(c_map(fd, USER, 1, 0), ENODEV);
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, other));
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_CLEAR, 0));
	t_errno(u_vfio_ioas(fd, UP_VFIO_IOAS_GET, 0), ENODEV);
	shim_close(fd2);
	shim_close(fd);
}

/* What needs an IOAS says ENODEV without one, once its input makes sense. */
static void without_an_ioas(void **state)
{
	int fd = t_ok(t_open());
	struct up_container_info info = { .argsz = sizeof(info) };
	u64 length = PG(1);

	shim_user_map(USER, PAGES, 0);
	t_ok(u_ioas(fd));
	assert_int_equal(c_number(fd, UP_CONTAINER_API_VERSION, 0), 0);
	assert_int_equal(c_extension(fd, TYPE1), 1);
	t_errno(c_extension(fd, UP_CONTAINER_DMA_CC), ENODEV);
	t_errno(c_set(fd, 2), EINVAL);
	t_errno(c_set(fd, TYPE1), ENODEV);
	t_errno(c_set(fd, TYPE1V2), ENODEV);
	t_errno(up(fd, UP_CONTAINER_GET_INFO, &info), ENODEV);
	info.argsz = 15;
	t_errno(up(fd, UP_CONTAINER_GET_INFO, &info), EINVAL);
	t_errno(c_map(fd, USER, 1, 0), ENODEV);
	t_errno(c_map_bytes(fd, USER, 0, 0, C_RW), ENODEV);
	t_errno(c_map_bytes(fd, USER, PG(1), 0, 4), EINVAL);
	t_errno(c_unmap_bytes(fd, 0, &length, 0), ENODEV);
	t_errno(c_unmap_bytes(fd, 0, &length, UP_CONTAINER_UNMAP_FLAG_ALL), ENODEV);
	t_errno(c_unmap_bytes(fd, 0, &length, 1), EINVAL);
	assert_int_equal(length, PG(1));
	shim_close(fd);
}

/* Without SET_IOMMU a container is one of TYPE1v2, and SET_IOMMU can be repeated. */
static void types_and_extensions(void **state)
{
	struct fixture f = program();
	unsigned long i;

	for (i = 0; i < 64; i++) {
		bool yes = i == TYPE1 || i == TYPE1V2 || i == UP_CONTAINER_UNMAP_ALL;

		if (i != UP_CONTAINER_DMA_CC)
			assert_int_equal(c_extension(f.fd, i), yes);
	}
	assert_int_equal(c_extension(f.fd, 1ul << 32 | TYPE1), 0);
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, f.ioas));
	t_ok(c_map(f.fd, USER, 4, IOVA));
	assert_int_equal(c_unmap(f.fd, IOVA, 4), 4);
	for (i = 0; i < 64; i++)
		if (i != TYPE1 && i != TYPE1V2)
			t_errno(c_set(f.fd, i), EINVAL);
	t_errno(c_set(f.fd, 1ul << 32 | TYPE1), EINVAL);
	t_ok(c_set(f.fd, TYPE1V2));
	t_ok(c_set(f.fd, TYPE1V2));
	t_ok(c_set(f.fd, TYPE1));
	t_ok(c_set(f.fd, TYPE1));
	/* It can cut from now on, and stays so. */
	t_ok(c_set(f.fd, TYPE1V2));
	t_ok(c_map(f.fd, USER, 4, IOVA));
	t_ok(c_set(f.fd, TYPE1));
	assert_int_equal(c_unmap(f.fd, IOVA, 1), 1);
	done(&f);
}

/* unknown ioctl nr: ENOTTY; DIRTY_PAGES is one of them */
static void contract_container_unknown_command_is_ENOTTY(void **state)
{
	struct fixture f = container(TYPE1V2);
	u64 words[16] = { sizeof(words) };
	unsigned int nr;

	t_errno(up(f.fd, UP_CONTAINER_DIRTY_PAGES, words), ENOTTY);
	for (nr = UP_CONTAINER_SET_IOMMU + 1; nr < UP_CONTAINER_GET_INFO; nr++)
		t_errno(up(f.fd, nr, words), ENOTTY);
	for (nr = UP_CONTAINER_UNMAP + 1; nr < UP_DESTROY; nr++)
		t_errno(up(f.fd, nr, words), ENOTTY);
	done(&f);
}

/* argsz: too short EINVAL, longer ignored; every unknown flag EINVAL */
static void sizes_and_flags(void **state)
{
	static const struct {
		unsigned int nr;
		u32 size, known_flags;
	} c[] = {
		{ UP_CONTAINER_GET_INFO, 16, U32_MAX },
		{ UP_CONTAINER_MAP, 32, 3 },
		{ UP_CONTAINER_UNMAP, 24, 2 },
	};
	struct fixture f = container(TYPE1V2);
	union {
		u32 size;
		u32 words[16];
		unsigned char bytes[64];
		struct up_container_map map;
		struct up_container_unmap unmap;
	} u, right[] = { {}, {
		.map = { .flags = 3, .user_va = USER, .iova = IOVA, .length = PG(1) }
	}, {
		.unmap = { .iova = IOVA, .length = PG(1) }
	} };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		char *before = t_state();

		u = right[i];
		for (u.size = 0; u.size < c[i].size; u.size++)
			t_errno(up(f.fd, c[i].nr, &u), EINVAL);
		for (n = 0; n < 32; n++) {
			if (c[i].known_flags & 1u << n)
				continue;
			u.size = c[i].size;
			u.words[1] = right[i].words[1] | 1u << n;
			t_errno(up(f.fd, c[i].nr, &u), EINVAL);
		}
		t_errno(up(f.fd, c[i].nr, NULL), EFAULT);
		u = right[i];
		u.size = c[i].size;
		for (n = 0; n < c[i].size; n++) {
			shim_bad_user(&u.bytes[n], 1);
			t_errno(up(f.fd, c[i].nr, &u), EFAULT);
			shim_bad_user(NULL, 0);
		}
		assert_state(before);
		/* What is behind the fields is not looked at. */
		memset(&u, 0xff, sizeof(u));
		memcpy(&u, &right[i], c[i].size);
		u.size = i ? sizeof(u) : c[i].size;
		t_ok(up(f.fd, c[i].nr, &u));
		assert_int_equal(u.words[15], U32_MAX);
	}
	done(&f);
}

/* map over a map: EEXIST, which DPDK takes for success */
static void contract_container_map_over_map_is_EEXIST(void **state)
{
	struct fixture f = container(TYPE1);
	char *before;

	t_ok(c_map(f.fd, USER, 4, IOVA));
	before = t_state();
	t_errno(c_map(f.fd, USER, 4, IOVA), EEXIST);
	t_errno(c_map(f.fd, USER, 1, IOVA + PG(3)), EEXIST);
	t_errno(c_map(f.fd, USER, 4, IOVA - PG(3)), EEXIST);
	assert_state(before);
	assert_int_equal(c_unmap(f.fd, IOVA, 4), 4);
	done(&f);
}

static void map_errors(void **state)
{
	struct fixture f = container(TYPE1V2);
	static const struct {
		u64 addr, length, iova;
		u32 flags;
		int error;
	} bad[] = {
		{ USER, 0, IOVA, C_RW, EINVAL },
		{ USER, PG(1), IOVA, 0, EINVAL },
		{ USER + 1, PG(1), IOVA, C_RW, EINVAL },
		{ USER, PG(1) + 1, IOVA, C_RW, EINVAL },
		{ USER, PG(1), IOVA + 0x800, C_RW, EINVAL },
		/* Where interrupts go, and beyond what the device has */
		{ USER, PG(1), 0xfee00000, C_RW, EINVAL },
		{ USER, PG(2), 0xfee00000 - PG(1), C_RW, EINVAL },
		{ USER, PG(1), 1ull << 48, C_RW, EINVAL },
		{ USER, PG(2), U64_MAX - PG(1) + 1, C_RW, EOVERFLOW },
		{ U64_MAX - PG(1) + 1, PG(2), IOVA, C_RW, EOVERFLOW },
		{ USER, U64_MAX, IOVA, C_RW, EOVERFLOW },
		{ USER, PG(1), U64_MAX, C_RW, EOVERFLOW },
		{ U64_MAX, PG(1), IOVA, C_RW, EOVERFLOW },
		/* No memory, or not all of it */
		{ PG(3), PG(1), IOVA, C_RW, EFAULT },
		{ USER + PG(PAGES - 1), PG(2), IOVA, C_RW, EFAULT },
	};
	char *before = t_state();
	phys_addr_t phys;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		int rc = c_map_bytes(f.fd, bad[i].addr, bad[i].length,
				     bad[i].iova, bad[i].flags);

		if (rc != -bad[i].error)
			fail_msg("%u: %d", i, rc);
	}
	shim_pin_fault = USER + PG(3);		/* a BAR */
	t_errno(c_map(f.fd, USER, 8, IOVA), EFAULT);
	shim_pin_fault = 0;
	current->memlock = PG(3);
	t_errno(c_map(f.fd, USER, 4, IOVA), ENOMEM);
	assert_state(before);
	/* Charged like everything else on the fd, and given back */
	t_ok(c_map(f.fd, USER, 3, IOVA));
	assert_int_equal(charged(), 3);
	assert_int_equal(c_unmap_all(f.fd), 3);
	assert_int_equal(charged(), 0);
	/* What is mapped to be read is not written. */
	t_ok(c_map_bytes(f.fd, USER, PG(1), IOVA, UP_CONTAINER_MAP_READ));
	t_ok(c_map_bytes(f.fd, USER, PG(1), IOVA + PG(1), UP_CONTAINER_MAP_WRITE));
	assert_true(testhw_dma(f.hw, IOVA, IOFD_READ, &phys));
	assert_false(testhw_dma(f.hw, IOVA, IOFD_WRITE, &phys));
	assert_true(testhw_dma(f.hw, IOVA + PG(1), IOFD_WRITE, &phys));
	done(&f);
}

/* UNMAP length is the request, or DPDK gives up. */
static void contract_container_unmap_length_is_the_request(void **state)
{
	struct fixture f = container(TYPE1V2);
	unsigned long n;

	for (n = 1; n <= PAGES; n += n) {
		t_ok(c_map(f.fd, USER, n, IOVA));
		assert_reaches(f.hw, IOVA, USER, n);
		assert_int_equal(c_unmap(f.fd, IOVA, n), n);
		assert_blocked(f.hw, IOVA, n);
	}
	/* Several at once, and with holes between them only what there was */
	for (n = 0; n < 4; n++)
		t_ok(c_map(f.fd, USER, 2, IOVA + PG(4 * n)));
	assert_int_equal(c_unmap(f.fd, IOVA - PG(1), 9), 4);
	assert_blocked(f.hw, IOVA, 8);
	assert_reaches(f.hw, IOVA + PG(8), USER, 2);
	assert_int_equal(c_unmap_all(f.fd), 4);
	done(&f);
}

/* Where nothing is mapped, UNMAP succeeds and says 0, unlike IOAS_UNMAP. */
static void unmap_of_nothing(void **state)
{
	struct fixture f = container(TYPE1V2);
	u64 length;
	int type;

	for (type = TYPE1V2; type >= TYPE1; type -= TYPE1V2 - TYPE1) {
		t_ok(c_set(f.fd, type));
		assert_int_equal(c_unmap(f.fd, IOVA, 1), 0);
		assert_int_equal(c_unmap(f.fd, 0, 1ul << 51), 0);
		assert_int_equal(c_unmap_all(f.fd), 0);
		length = 77;
		t_ok(c_unmap_bytes(f.fd, 0x123, &length, 0));
		assert_int_equal(length, 0);
		length = U64_MAX;
		t_ok(c_unmap_bytes(f.fd, 0, &length, 0));
		assert_int_equal(length, 0);
	}
	t_errno(u_unmap(f.fd, f.ioas, IOVA, 1), ENOENT);
	done(&f);
}

static void unmap_errors(void **state)
{
	struct fixture f = container(TYPE1V2);
	static const struct {
		u64 iova, length;
		u32 flags;
		int error;
	} bad[] = {
		{ IOVA, 0, 0, EINVAL },
		{ 0, PG(1), UP_CONTAINER_UNMAP_FLAG_ALL, EINVAL },
		{ PG(1), 0, UP_CONTAINER_UNMAP_FLAG_ALL, EINVAL },
		{ 0, U64_MAX, UP_CONTAINER_UNMAP_FLAG_ALL, EINVAL },
		{ U64_MAX, 2, 0, EOVERFLOW },
		{ IOVA, U64_MAX, 0, EOVERFLOW },
		/* Of TYPE1v2 no part of a mapping, at either end or in the middle */
		{ IOVA, PG(3), 0, ENOENT },
		{ IOVA + PG(1), PG(3), 0, ENOENT },
		{ IOVA + PG(1), PG(2), 0, ENOENT },
		{ IOVA - PG(1), PG(2), 0, ENOENT },
		{ IOVA, PG(4) - 1, 0, ENOENT },
		{ IOVA + 1, PG(4), 0, ENOENT },
		/* And of those in front of it, which would be whole, none either */
		{ IOVA - PG(8), PG(10), 0, ENOENT },
	};
	char *before;
	unsigned int i;
	u64 length;

	t_ok(c_map(f.fd, USER, 4, IOVA));
	t_ok(c_map(f.fd, USER, 4, IOVA - PG(8)));
	before = t_state();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		length = bad[i].length;
		if (c_unmap_bytes(f.fd, bad[i].iova, &length, bad[i].flags) !=
		    -bad[i].error)
			fail_msg("%u", i);
		assert_int_equal(length, 0);
	}
	assert_state(before);
	assert_reaches(f.hw, IOVA, USER, 4);
	/* The end need not be a page's where nothing is cut. */
	length = PG(4) + 5;
	t_ok(c_unmap_bytes(f.fd, IOVA - 3, &length, 0));
	assert_int_equal(length, PG(4));
	done(&f);
}

/* The answer cannot be written: nothing is unmapped. */
static void lost_answer(void **state)
{
	struct fixture f = container(TYPE1V2);
	struct up_container_unmap cmd = {
		.argsz = sizeof(cmd), .iova = IOVA, .length = PG(4),
	};
	char *before;

	t_ok(c_map(f.fd, USER, 4, IOVA));
	before = t_state();
	shim_user_readonly(&cmd, sizeof(cmd));
	t_errno(up(f.fd, UP_CONTAINER_UNMAP, &cmd), EFAULT);
	shim_user_readonly(NULL, 0);
	assert_state(before);
	assert_reaches(f.hw, IOVA, USER, 4);
	done(&f);
}

/* GET_INFO with room for everything */
struct full_info {
	struct up_container_info info;
	struct up_container_dma_avail avail;
	u32 padding;
	struct up_container_iova_ranges iova;
	struct up_range ranges[4];
};

static void get_info(int fd, struct full_info *full)
{
	memset(full, 0xee, sizeof(*full));
	full->info.argsz = sizeof(*full);
	t_ok(up(fd, UP_CONTAINER_GET_INFO, full));
	assert_int_equal(full->info.flags,
			 UP_CONTAINER_INFO_PGSIZES | UP_CONTAINER_INFO_CAPS);
	assert_int_equal(full->info.cap_offset, 24);
	assert_int_equal(full->avail.cap.id, UP_CONTAINER_CAP_DMA_AVAIL);
	assert_int_equal(full->avail.cap.version, 1);
	assert_int_equal(full->avail.cap.next, 40);
	assert_int_equal(full->avail.avail, U32_MAX);
	assert_int_equal(full->iova.cap.id, UP_CONTAINER_CAP_IOVA_RANGES);
	assert_int_equal(full->iova.cap.version, 1);
	assert_int_equal(full->iova.cap.next, 0);
	assert_int_equal(full->info.argsz, 56 + 16 * full->iova.nr);
	assert_int_equal(full->info.reserved | full->padding | full->iova.reserved,
			 0);
}

static void info(void **state)
{
	struct fixture f = container(TYPE1V2);
	struct testhw_dev *hw = testhw_dev();
	struct full_info full;
	union {
		struct up_container_info info;
		unsigned char bytes[128];
	} u;
	u32 argsz, all, n;
	int empty;

	/* What the IOAS's devices have in common */
	get_info(f.fd, &full);
	assert_int_equal(full.info.pgsize_bitmap, SZ_4K | SZ_2M | SZ_1G);
	assert_int_equal(full.iova.nr, 2);
	assert_int_equal(full.ranges[0].start, 0);
	assert_int_equal(full.ranges[0].last, 0xfedfffff);
	assert_int_equal(full.ranges[1].start, 0xfef00000);
	assert_int_equal(full.ranges[1].last, (1ull << 48) - 1);
	assert_int_equal(c_extension(f.fd, UP_CONTAINER_DMA_CC), 1);
	all = full.info.argsz;

	/* Too little room: how much it takes, and nothing behind what there is */
	for (argsz = 16; argsz <= all + 8; argsz++) {
		memset(&u, 0xee, sizeof(u));
		u.info.argsz = argsz;
		t_ok(up(f.fd, UP_CONTAINER_GET_INFO, &u));
		assert_int_equal(u.info.argsz, all);
		assert_int_equal(u.info.pgsize_bitmap, SZ_4K | SZ_2M | SZ_1G);
		if (argsz >= 20)
			assert_int_equal(u.info.cap_offset, argsz < all ? 0 : 24);
		n = argsz < all ? min(argsz, 24u) : all;
		for (; n < sizeof(u); n++)
			assert_int_equal(u.bytes[n], 0xee);
	}
	for (n = 24; n < all; n++) {
		memset(&u, 0xee, sizeof(u));
		u.info.argsz = all;
		shim_bad_user(&u.bytes[n], 1);
		t_errno(up(f.fd, UP_CONTAINER_GET_INFO, &u), EFAULT);
		shim_bad_user(NULL, 0);
	}

	/* Another device, with less */
	hw->width_bits = 39;
	hw->max_leaf_level = 1;
	hw->can_snoop = false;
	t_ok(u_bind(hw, f.fd));
	t_ok(u_attach(hw, f.ioas));
	get_info(f.fd, &full);
	assert_int_equal(full.info.pgsize_bitmap, SZ_4K);
	assert_int_equal(full.ranges[1].last, (1ull << 39) - 1);
	assert_int_equal(c_extension(f.fd, UP_CONTAINER_DMA_CC), 0);

	/* And none at all */
	empty = t_ok(u_ioas(f.fd));
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, empty));
	get_info(f.fd, &full);
	assert_int_equal(full.info.pgsize_bitmap, PAGE_MASK);
	assert_int_equal(full.iova.nr, 1);
	assert_int_equal(full.ranges[0].start, 0);
	assert_int_equal(full.ranges[0].last, (1ull << 57) - 1);
	assert_int_equal(c_extension(f.fd, UP_CONTAINER_DMA_CC), 1);
	t_release(hw);
	done(&f);
}

/* TYPE1: what is unmapped is unmapped, wherever mappings begin and end. */
static void type1_unmaps_a_part(void **state)
{
	struct fixture f = container(TYPE1);
	u64 length;

	t_ok(c_map(f.fd, USER, 16, IOVA));
	/* In the middle, at either end, over a hole */
	assert_int_equal(c_unmap(f.fd, IOVA + PG(4), 2), 2);
	forget(f.hw, f.fd, f.ioas);
	assert_reaches(f.hw, IOVA, USER, 4);
	assert_blocked(f.hw, IOVA + PG(4), 2);
	assert_reaches(f.hw, IOVA + PG(6), USER + PG(6), 10);
	assert_int_equal(shim_pins, 14);
	assert_int_equal(charged(), 14);
	assert_int_equal(t_space(f.fd, f.ioas)->nr_pages, 14);
	assert_int_equal(t_space(f.fd, f.ioas)->nr_mappings, 2);
	assert_int_equal(c_unmap(f.fd, IOVA, 1), 1);
	assert_int_equal(c_unmap(f.fd, IOVA + PG(15), 1), 1);
	assert_int_equal(c_unmap(f.fd, IOVA + PG(3), 5), 3);
	assert_reaches(f.hw, IOVA + PG(1), USER + PG(1), 2);
	assert_reaches(f.hw, IOVA + PG(8), USER + PG(8), 7);
	assert_int_equal(shim_pins, 9);
	assert_int_equal(charged(), 9);
	/* The pieces are mappings of their own, for every command. */
	t_ok(u_unmap(f.fd, f.ioas, IOVA + PG(1), 2));
	t_ok(c_map(f.fd, USER, 8, IOVA));
	t_errno(u_unmap(f.fd, f.ioas, IOVA, 4), ENOENT);
	length = PG(4);
	t_errno(c_unmap_bytes(f.fd, IOVA + 1, &length, 0), EINVAL);
	assert_int_equal(length, 0);
	assert_int_equal(c_unmap(f.fd, IOVA, 4), 4);
	assert_int_equal(c_unmap_all(f.fd), 11);
	/* Up to the last address */
	t_ok(c_map(f.fd, USER, 4, (1ull << 48) - PG(4)));
	length = U64_MAX - ((1ull << 48) - PG(2)) + 1;
	t_ok(c_unmap_bytes(f.fd, (1ull << 48) - PG(2), &length, 0));
	assert_int_equal(length, PG(2));
	assert_reaches(f.hw, (1ull << 48) - PG(4), USER, 2);
	/* From 0 on */
	t_ok(c_map(f.fd, USER, 4, 0));
	assert_int_equal(c_unmap(f.fd, 0, 2), 2);
	assert_reaches(f.hw, PG(2), USER + PG(2), 2);
	done(&f);
}

/* What cannot be cut: EINVAL, and nothing is unmapped. */
static void type1_cannot_cut(void **state)
{
	struct fixture f = container(TYPE1);
	int other = t_ok(u_ioas(f.fd));
	char *before;
	u64 length;

	t_ok(c_map(f.fd, USER, 4, IOVA));
	t_ok(c_map(f.fd, USER, 4, IOVA + PG(4)));
	before = t_state();
	length = PG(1) + 1;
	t_errno(c_unmap_bytes(f.fd, IOVA, &length, 0), EINVAL);
	length = PG(1);
	t_errno(c_unmap_bytes(f.fd, IOVA + 0x800, &length, 0), EINVAL);
	/* One end could be. */
	length = PG(3) + 7;
	t_errno(c_unmap_bytes(f.fd, IOVA + PG(2), &length, 0), EINVAL);
	assert_state(before);
	/* Pages that a COPY shares are not told apart. */
	t_ok(u_copy(f.fd, f.ioas, IOVA + PG(4), other, 0, 4));
	before = t_state();
	t_errno(c_unmap(f.fd, IOVA + PG(4), 1), EINVAL);
	t_errno(c_unmap(f.fd, IOVA + PG(2), 3), EINVAL);
	t_errno(c_unmap(f.fd, IOVA + PG(6), 3), EINVAL);
	assert_state(before);
	assert_int_equal(c_unmap(f.fd, IOVA + PG(2), 6), 6);
	assert_int_equal(shim_pins, 6);
	assert_reaches(f.hw, IOVA, USER, 2);
	/* A piece can be shared, as a whole. */
	t_ok(u_copy(f.fd, f.ioas, IOVA, other, PG(8), 2));
	assert_int_equal(c_unmap(f.fd, IOVA, 2), 2);
	assert_int_equal(shim_pins, 6);
	done(&f);
}

/* SET_IOMMU for TYPE1 comes before what hardware knows of, and after what it does not. */
static void type1_before_and_after_mapping(void **state)
{
	struct fixture f = container(TYPE1V2);
	struct testhw_dev *late = testhw_dev();
	int ioas = t_ok(u_ioas(f.fd));
	unsigned long maps;
	u64 value = 7;

	shim_user_map(USER + SZ_2M, 1024, 0);
	t_ok(c_map(f.fd, USER + SZ_2M, 1024, IOVA));
	t_errno(c_set(f.fd, TYPE1), EINVAL);
	t_errno(c_unmap(f.fd, IOVA, 1), ENOENT);
	assert_int_equal(c_unmap(f.fd, IOVA, 1024), 1024);
	t_ok(c_set(f.fd, TYPE1));

	/* Without hardware, large leaves become small ones. */
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, ioas));
	t_ok(c_map(f.fd, USER + SZ_2M, 1024, IOVA));
	t_ok(u_option(f.fd, UP_OPTION_HUGE_PAGES, UP_OPTION_GET, ioas, &value));
	assert_int_equal(value, 1);
	t_ok(c_set(f.fd, TYPE1));
	t_ok(u_option(f.fd, UP_OPTION_HUGE_PAGES, UP_OPTION_GET, ioas, &value));
	assert_int_equal(value, 0);
	assert_int_equal(c_unmap(f.fd, IOVA + PG(100), 100), 100);
	assert_int_equal(shim_pins, 924);
	/* And a table that is filled from them has small ones, too. */
	t_ok(u_bind(late, f.fd));
	maps = testhw_maps;
	t_ok(u_attach(late, ioas));
	assert_int_equal(testhw_maps, maps + 924);
	assert_reaches(late, IOVA, USER + SZ_2M, 100);
	assert_blocked(late, IOVA + PG(100), 100);
	assert_reaches(late, IOVA + PG(200), USER + SZ_2M + PG(200), 824);
	assert_int_equal(c_unmap(f.fd, IOVA + PG(700), 1), 1);
	assert_blocked(late, IOVA + PG(700), 1);
	forget(late, f.fd, ioas);
	assert_reaches(late, IOVA + PG(701), USER + SZ_2M + PG(701), 323);
	/* With HUGE_PAGES again nothing is cut; nor is there a way back. */
	t_ok(u_set_option(f.fd, UP_OPTION_HUGE_PAGES, ioas, 1));
	t_errno(c_unmap(f.fd, IOVA + PG(710), 1), ENOENT);
	t_errno(c_set(f.fd, TYPE1), EINVAL);
	assert_int_equal(c_unmap_all(f.fd), 923);
	t_ok(c_set(f.fd, TYPE1));
	t_release(late);
	done(&f);
}

/* A child follows its parent, also where its own range is not cut. */
static void type1_above_a_child(void **state)
{
	struct fixture f = container(TYPE1);
	struct testhw_dev *narrow = testhw_dev(), *plain = testhw_dev();
	int other = t_ok(u_ioas(f.fd)), child, grandchild;

	shim_user_map(USER + SZ_2M, 1024, 0);
	plain->unit = &testhw_plain;
	t_ok(t_bind(narrow, f.fd, 101));
	t_ok(t_bind(plain, f.fd, 102));
	child = t_ok(t_alloc_child(f.fd, f.ioas));
	t_ok(t_map(f.fd, child, IOVA, 1024, 2 * IOVA));
	t_ok(t_attach(narrow, f.fd, child));
	t_ok(c_map(f.fd, USER + SZ_2M, 1024, IOVA));
	grandchild = t_ok(t_alloc_child(f.fd, child));
	t_ok(t_map(f.fd, grandchild, 2 * IOVA, 1024, 3 * IOVA));
	t_ok(t_attach(plain, f.fd, grandchild));
	assert_reaches(plain, 3 * IOVA, USER + SZ_2M, 1024);

	assert_int_equal(c_unmap(f.fd, IOVA + PG(300), 5), 5);
	assert_reaches(f.hw, IOVA, USER + SZ_2M, 300);
	assert_blocked(narrow, 2 * IOVA + PG(300), 5);
	assert_blocked(plain, 3 * IOVA + PG(300), 5);
	forget(narrow, f.fd, child);
	forget(plain, f.fd, grandchild);
	assert_reaches(narrow, 2 * IOVA + PG(305), USER + SZ_2M + PG(305), 719);
	assert_reaches(plain, 3 * IOVA, USER + SZ_2M, 300);
	assert_reaches(plain, 3 * IOVA + PG(305), USER + SZ_2M + PG(305), 719);
	/* And is back when it is. */
	t_ok(c_map(f.fd, USER, 5, IOVA + PG(300)));
	assert_reaches(plain, 3 * IOVA + PG(300), USER, 5);
	/* What a child's hardware has in large leaves cannot be cut either. */
	t_ok(u_vfio_ioas(f.fd, UP_VFIO_IOAS_SET, other));
	t_ok(c_map(f.fd, USER, 8, IOVA));
	t_ok(t_detach(narrow, f.fd, child));
	child = t_ok(t_alloc_child(f.fd, other));
	t_ok(t_map(f.fd, child, IOVA, 8, 0));
	t_ok(t_attach(narrow, f.fd, child));
	t_errno(c_set(f.fd, TYPE1), EINVAL);
	t_release(narrow);
	t_release(plain);
	done(&f);
}

/* What the front door has seen may be otherwise once the core has the lock. */
static void type1_changed_meanwhile(void **state)
{
	struct fixture f = container(TYPE1V2);
	int ioas = t_ok(u_ioas(f.fd));
	struct iofd_space *space;
	char *before;

	t_ok(c_map(f.fd, USER, 4, IOVA));
	before = t_state();
	t_ok(iofd_space_cut(t_space(f.fd, f.ioas), IOVA + PG(1), IOVA + PG(2) - 1));
	assert_state(before);
	space = iofd_space_get(t_ctx(f.fd), ioas);
	t_ok(u_destroy(f.fd, ioas));
	t_errno(iofd_space_cut(space, IOVA, IOVA + PG(1) - 1), ENOENT);
	t_errno(iofd_space_small_leaves(space, true), ENOENT);
	t_errno(iofd_vfio_space_set(t_ctx(f.fd), space), ENOENT);
	assert_int_equal(u_vfio_ioas(f.fd, UP_VFIO_IOAS_GET, 0), f.ioas);
	iofd_space_put(space);
	done(&f);
}

/*
 * Random maps and unmaps of any part, in tables of all kinds: each page is where it
 * was put, pinned and charged as long as that is so.
 */
static void type1_at_random(void **state)
{
	struct fixture f = container(TYPE1);
	struct testhw_dev *narrow = testhw_dev(), *plain = testhw_dev();
	enum { SPAN = 64 };
	int at[SPAN];		/* page of memory at each address; -1: none */
	unsigned int step, i;

	narrow->width_bits = 39;
	narrow->noncoherent = true;
	plain->unit = &testhw_plain;
	t_ok(u_bind(narrow, f.fd));
	t_ok(u_bind(plain, f.fd));
	t_ok(u_attach(narrow, f.ioas));
	for (i = 0; i < SPAN; i++)
		at[i] = -1;
	for (step = 0; step < 4000; step++) {
		unsigned int x = shim_random_below(SPAN), held = 0, nr = 0;
		unsigned int n = 1 + shim_random_below(min(SPAN - x, 20u));
		unsigned int page = shim_random_below(PAGES - n + 1);

		for (i = x; i < x + n; i++)
			held += at[i] >= 0;
		if (shim_random_below(2)) {
			int rc = c_map(f.fd, USER + PG(page), n, IOVA + PG(x));

			assert_int_equal(rc, held ? -EEXIST : 0);
			for (i = x; !rc && i < x + n; i++)
				at[i] = (int)(page + i - x);
		} else {
			assert_int_equal(c_unmap(f.fd, IOVA + PG(x), n), held);
			for (i = x; i < x + n; i++)
				at[i] = -1;
		}
		if (step == 2000)
			t_ok(u_attach(plain, f.ioas));
		if (step % 20)
			continue;
		forget(f.hw, f.fd, f.ioas);
		forget(narrow, f.fd, f.ioas);
		if (step >= 2000)
			forget(plain, f.fd, f.ioas);
		for (i = 0; i < SPAN; i++) {
			u64 iova = IOVA + PG(i);

			nr += at[i] >= 0;
			if (at[i] < 0) {
				assert_blocked(f.hw, iova, 1);
				assert_blocked(narrow, iova, 1);
				assert_blocked(plain, iova, 1);
				continue;
			}
			assert_reaches(f.hw, iova, USER + PG(at[i]), 1);
			assert_reaches(narrow, iova, USER + PG(at[i]), 1);
			if (step >= 2000)
				assert_reaches(plain, iova, USER + PG(at[i]), 1);
		}
		assert_int_equal(shim_pins, nr);
		assert_int_equal(charged(), nr);
		assert_int_equal(t_space(f.fd, f.ioas)->nr_pages, nr);
	}
	t_release(narrow);
	t_release(plain);
	done(&f);
}

/* By process, where RLIMIT_MODE says so; what is cut is charged to its owner. */
static void charges(void **state)
{
	struct task_struct *first = current;
	int fd = t_ok(t_open()), ioas;
	struct shim_process heir;

	shim_user_map(USER, PAGES, 0);
	current->privileged = true;
	t_ok(u_set_option(fd, UP_OPTION_RLIMIT_MODE, 0, 1));
	current->privileged = false;
	ioas = t_ok(u_ioas(fd));
	t_ok(u_vfio_ioas(fd, UP_VFIO_IOAS_SET, ioas));
	t_ok(c_set(fd, TYPE1));
	current->memlock = PG(8);
	t_errno(c_map(fd, USER, 9, 0), ENOMEM);
	t_ok(c_map(fd, USER, 8, 0));
	assert_int_equal(current->mm->locked_vm, 8);
	assert_int_equal(charged(), 0);
	assert_int_equal(c_unmap(fd, PG(3), 2), 2);
	assert_int_equal(current->mm->locked_vm, 6);
	/* Whoever unmaps it */
	shim_process_init(&heir);
	shim_current = &heir.task;
	assert_int_equal(c_unmap(fd, PG(6), 1), 1);
	assert_int_equal(heir.mm.locked_vm, 0);
	assert_int_equal(first->mm->locked_vm, 5);
	/* Each piece is charged until it goes. */
	shim_user_map(USER, PAGES, 0);
	t_ok(c_map(fd, USER, 8, IOVA));
	assert_int_equal(c_unmap(fd, IOVA + PG(3), 2), 2);
	assert_int_equal(heir.mm.locked_vm, 6);
	assert_int_equal(c_unmap(fd, IOVA, 3), 3);
	assert_int_equal(heir.mm.locked_vm, 3);
	shim_current = first;
	assert_int_equal(c_unmap(fd, IOVA, 8), 3);
	assert_int_equal(heir.mm.locked_vm, 0);
	shim_close(fd);
	shim_process_exit(&heir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(vfio_ioas),
		core_test(without_an_ioas),
		core_test(types_and_extensions),
		core_test(contract_container_unknown_command_is_ENOTTY),
		core_test(sizes_and_flags),
		core_test(contract_container_map_over_map_is_EEXIST),
		core_test(map_errors),
		core_test(contract_container_unmap_length_is_the_request),
		core_test(unmap_of_nothing),
		core_test(unmap_errors),
		core_test(lost_answer),
		core_test(info),
		core_test(type1_unmaps_a_part),
		core_test(type1_cannot_cut),
		core_test(type1_before_and_after_mapping),
		core_test(type1_above_a_child),
		core_test(type1_changed_meanwhile),
		core_test(type1_at_random),
		core_test(charges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
