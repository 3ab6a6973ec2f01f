// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The native commands as programs call them: structures of all sizes, wrong
 * values in every field, replies that cannot be written.
 */
#include "testhw.h"

#define USER	0x10000000ul
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)

/* A program with a device that is bound (label 1) and attached, and memory */
struct fixture {
	int fd;
	int ioasid;
	int user;			/* a user's table under it */
	struct testhw_dev *hw;
};

static const struct iommu_resv_region msi[] = {
	{ .start = 0xfee00000, .length = 0x100000, .type = IOMMU_RESV_MSI },
};

static struct fixture program(void)
{
	struct fixture f = { .fd = t_ok(t_open()) };

	f.hw = testhw_dev();
	f.hw->own_group.regions = msi;
	f.hw->own_group.nr_regions = 1;
	f.ioasid = t_ok(t_alloc(f.fd));
	t_ok(t_bind(f.hw, f.fd, 1));
	t_ok(t_attach(f.hw, f.fd, f.ioasid));
	f.user = t_ok(t_alloc_user(f.fd, f.ioasid, 0, IOMMU_NESTING_AUTO));
	shim_user_map(USER, 16, 0);
	return f;
}

/* A call that works, in its exact size: a template for the wrong ones */
union command {
	u32 size;
	struct iommu_check_extension check_extension;
	struct iommu_device_info device_info;
	struct iommu_ioasid_alloc alloc;
	struct iommu_ioasid_free free;
	struct iommu_ioasid_info info;
	struct iommu_map_dma map;
	struct iommu_unmap_dma unmap;
	struct iommu_invalidate_cache invalidate;
	struct iommu_device_bind bind;
	struct iommu_device_attach attach;
	struct iommu_device_detach detach;
};

struct template {
	const char *name;
	unsigned int cmd;
	bool on_device;
	union command u;
};

static struct iommu_ioasid_range ranges[8];
/* One that is right, and what a longer one would have */
static struct {
	struct iommu_invalidate_entry entry;
	u64 more;
} invalidate_all = { .more = 1 };
static struct iommu_vtd_s1_attrs s1_attrs = { .flags = IOMMU_VTD_S1_EAFE };

static unsigned int make_templates(struct template *t, struct fixture *f)
{
	unsigned int n = 0;

#define TEMPLATE(code, device, member, ...)				\
	t[n++] = (struct template) {					\
		.name = #member, .cmd = code, .on_device = device,	\
		.u.member = { .size = sizeof(t->u.member), __VA_ARGS__ },	\
	}
	TEMPLATE(IOMMU_CHECK_EXTENSION, false, check_extension, .extension = 1);
	TEMPLATE(IOMMU_DEVICE_GET_INFO, false, device_info, .label = 1,
		 .nr_ranges = 8, .ranges = (uintptr_t)ranges);
	TEMPLATE(IOMMU_IOASID_ALLOC, false, alloc,
		 .type = IOMMU_IOASID_KERNEL_MANAGED);
	TEMPLATE(IOMMU_IOASID_FREE, false, free, .ioasid = f->ioasid);
	TEMPLATE(IOMMU_IOASID_GET_INFO, false, info, .ioasid = f->ioasid,
		 .nr_ranges = 8, .ranges = (uintptr_t)ranges);
	TEMPLATE(IOMMU_MAP_DMA, false, map, .ioasid = f->ioasid,
		 .flags = IOMMU_MAP_READ | IOMMU_MAP_FIXED_IOVA, .source = USER,
		 .length = PG(4), .iova = IOVA);
	TEMPLATE(IOMMU_UNMAP_DMA, false, unmap, .ioasid = f->ioasid,
		 .iova = IOVA, .length = PG(4));
	TEMPLATE(IOMMU_INVALIDATE_CACHE, false, invalidate, .ioasid = f->user,
		 .entries = (uintptr_t)&invalidate_all, .nr_entries = 1,
		 .entry_len_bytes = sizeof(invalidate_all.entry));
	TEMPLATE(IOMMU_IOASID_ALLOC, false, alloc,
		 .type = IOMMU_IOASID_USER_MANAGED, .parent = f->ioasid,
		 .format = IOMMU_FORMAT_VTD_S1, .addr_width_bits = 48,
		 .table_addr = PAGE_SIZE, .attrs = (uintptr_t)&s1_attrs,
		 .attrs_len_bytes = sizeof(s1_attrs));
	TEMPLATE(IOMMU_DEVICE_BIND_IOMMU_FD, true, bind, .iommu_fd = f->fd,
		 .label = 9);
	TEMPLATE(IOMMU_DEVICE_ATTACH_IOASID, true, attach, .iommu_fd = f->fd,
		 .ioasid = f->ioasid);
	TEMPLATE(IOMMU_DEVICE_DETACH_IOASID, true, detach, .iommu_fd = f->fd,
		 .ioasid = f->ioasid);
#undef TEMPLATE
	return n;
}

static long call(struct fixture *f, unsigned int cmd, void *arg)
{
	if (_IOC_NR(cmd) >= IOMMU_IOASID_DEV_BASE)
		return iofd_devfile_ioctl(&f->hw->df, cmd, (unsigned long)arg);
	return shim_ioctl(f->fd, cmd, arg);
}

static void sizes_and_tails(void **state)
{
	struct fixture f = program();
	struct template t[16];
	unsigned int n = make_templates(t, &f), i;
	union {
		union command u;
		u32 size;
		unsigned char bytes[8192];
	} big;
	char *before = t_state();

	for (i = 0; i < n; i++) {
		u32 known = t[i].u.size, size;

		for (size = 0; size < known; size++) {
			memset(&big, 0, sizeof(big));
			memcpy(&big, &t[i].u, known);
			big.size = size;
			t_errno(call(&f, t[i].cmd, &big), EINVAL);
		}
		/* Longer, and something in any byte of the tail */
		for (size = known + 1; size < known + 20; size++) {
			memset(&big, 0, sizeof(big));
			memcpy(&big, &t[i].u, known);
			big.size = size;
			big.bytes[size - 1] = 0x80;
			t_errno(call(&f, t[i].cmd, &big), E2BIG);
		}
		/* Nothing to be read */
		t_errno(call(&f, t[i].cmd, NULL), EFAULT);
		memset(&big, 0, sizeof(big));
		memcpy(&big, &t[i].u, known);
		shim_bad_user(&big.bytes[known - 1], 1);
		t_errno(call(&f, t[i].cmd, &big), EFAULT);
		big.size = known + 8;
		shim_bad_user(&big.bytes[known + 7], 1);
		t_errno(call(&f, t[i].cmd, &big), EFAULT);
		shim_bad_user(NULL, 0);
	}
	assert_state(before);

	/* A zero tail is accepted, and not written. */
	memset(&big, 0, sizeof(big));
	big.u.check_extension.size = sizeof(big);
	big.u.check_extension.extension = IOMMU_EXT_MAX_IOASIDS;
	t_ok(call(&f, IOMMU_CHECK_EXTENSION, &big));
	assert_int_equal(big.u.check_extension.value, INT_MAX);
	assert_int_equal(big.size, sizeof(big));
	assert_null(memchr_inv(big.bytes + sizeof(big.u.check_extension), 0,
			       sizeof(big) - sizeof(big.u.check_extension)));
	shim_close(f.fd);
}

static void unknown_commands(void **state)
{
	struct fixture f = program();
	struct iommu_check_extension cmd = { .size = sizeof(cmd), .extension = 1 };
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		unsigned int ours = nr - IOMMU_IOASID_BASE;
		unsigned int dev = nr - IOMMU_IOASID_DEV_BASE;

		bool container = nr - 100 < 3 || nr - 112 < 3;

		/* Upstream's: test_abi_iommufd.c, test_abi_vfio.c, ..._container.c */
		if (nr - 0x80 <= 0x14 || nr - 118 < 3)
			continue;
		if (ours > 7 && !container)
			t_errno(shim_ioctl(f.fd, _IO(';', nr), &cmd), ENOTTY);
		if (dev > 2)
			assert_int_equal(iofd_devfile_ioctl(&f.hw->df, _IO(';', nr),
							    (unsigned long)&cmd),
					 -ENOIOCTLCMD);
		t_errno(shim_ioctl(f.fd, _IO(':', nr), &cmd), ENOTTY);
		t_errno(shim_ioctl(f.fd, _IOWR(';', nr, cmd), &cmd), ENOTTY);
	}
	shim_close(f.fd);
}

static void extensions(void **state)
{
	int fd = t_ok(t_open());
	u64 i;

	for (i = 0; i < 40; i++) {
		struct iommu_check_extension cmd = {
			.size = sizeof(cmd), .extension = i, .value = 77,
		};
		static const u64 values[] = {
			[IOMMU_EXT_MAP_TYPE1V2] = 1,
			[IOMMU_EXT_DMA_NO_SNOOP] = 1,
			[IOMMU_EXT_NESTING] = 1,
			[IOMMU_EXT_USER_PAGE_TABLE] = 1,
			[IOMMU_EXT_MULTIDEV_GROUP] = 1,
			[IOMMU_EXT_MAP_FD] = 1,
			[IOMMU_EXT_MULTI_BIND] = 1,
			[IOMMU_EXT_MAX_IOASIDS] = INT_MAX,
		};

		t_ok(shim_ioctl(fd, IOMMU_CHECK_EXTENSION, &cmd));
		assert_int_equal(cmd.value,
				 i < ARRAY_SIZE(values) ? values[i] : 0);
	}
	shim_close(fd);
}

/* One field wrong, everything else right */
struct wrong {
	size_t offset;
	size_t bytes;
	u64 value;
	int error;
};

#define WRONG(type, field, value_, error_)				\
	{ offsetof(struct type, field), sizeof(((struct type *)0)->field),	\
	  value_, error_ }

static void try_wrong(struct fixture *f, const struct template *t,
		      const struct wrong *w, unsigned int nr)
{
	char *before = t_state();
	unsigned int i;

	for (i = 0; i < nr; i++) {
		union command u = t->u;
		long rc;

		memcpy((char *)&u + w[i].offset, &w[i].value, w[i].bytes);
		rc = call(f, t->cmd, &u);
		if (rc != -w[i].error)
			fail_msg("%s, field at %zu = %#llx: %ld", t->name,
				 w[i].offset, (unsigned long long)w[i].value, rc);
	}
	assert_state(before);
}

static void wrong_values(void **state)
{
	static const struct wrong alloc[] = {
		WRONG(iommu_ioasid_alloc, flags, 2, EOPNOTSUPP),
		WRONG(iommu_ioasid_alloc, flags, 1u << 31, EOPNOTSUPP),
		WRONG(iommu_ioasid_alloc, flags, IOMMU_IOASID_FOR_LABEL, ENOENT),
		WRONG(iommu_ioasid_alloc, type, 0, EOPNOTSUPP),
		WRONG(iommu_ioasid_alloc, type, 4, EOPNOTSUPP),
		WRONG(iommu_ioasid_alloc, type, IOMMU_IOASID_USER_MANAGED, EINVAL),
		WRONG(iommu_ioasid_alloc, type, IOMMU_IOASID_USER_PASID_TABLE,
		      EINVAL),
		WRONG(iommu_ioasid_alloc, parent, 2, ENOENT),	/* the device */
		WRONG(iommu_ioasid_alloc, parent, 99, ENOENT),
		WRONG(iommu_ioasid_alloc, format, IOMMU_FORMAT_VTD_S1, EINVAL),
		WRONG(iommu_ioasid_alloc, format, 3, EOPNOTSUPP),
		WRONG(iommu_ioasid_alloc, coherency, 3, EOPNOTSUPP),
		WRONG(iommu_ioasid_alloc, nesting, IOMMU_NESTING_HARDWARE, EINVAL),
		WRONG(iommu_ioasid_alloc, nesting, 3, EOPNOTSUPP),
		WRONG(iommu_ioasid_alloc, addr_width_bits, 11, EINVAL),
		WRONG(iommu_ioasid_alloc, addr_width_bits, 65, EINVAL),
		WRONG(iommu_ioasid_alloc, addr_width_bits, U32_MAX, EINVAL),
		WRONG(iommu_ioasid_alloc, label, 1, EINVAL),
		WRONG(iommu_ioasid_alloc, table_addr, PAGE_SIZE, EINVAL),
		WRONG(iommu_ioasid_alloc, attrs, PAGE_SIZE, EINVAL),
		WRONG(iommu_ioasid_alloc, attrs_len_bytes, 1, EINVAL),
		WRONG(iommu_ioasid_alloc, ioasid, 1, EINVAL),
	};
	static const struct wrong alloc_user[] = {
		WRONG(iommu_ioasid_alloc, type, IOMMU_IOASID_KERNEL_MANAGED, EINVAL),
		WRONG(iommu_ioasid_alloc, type, IOMMU_IOASID_USER_PASID_TABLE,
		      EINVAL),
		WRONG(iommu_ioasid_alloc, parent, 0, EINVAL),
		WRONG(iommu_ioasid_alloc, parent, 2, ENOENT),
		WRONG(iommu_ioasid_alloc, format, IOMMU_FORMAT_DEFAULT, EINVAL),
		WRONG(iommu_ioasid_alloc, format, IOMMU_FORMAT_VTD_PASID_TABLE,
		      EINVAL),
		WRONG(iommu_ioasid_alloc, addr_width_bits, 0, EINVAL),
		WRONG(iommu_ioasid_alloc, addr_width_bits, 39, EINVAL),
		WRONG(iommu_ioasid_alloc, addr_width_bits, 64, EINVAL),
		WRONG(iommu_ioasid_alloc, table_addr, 8, EINVAL),
		WRONG(iommu_ioasid_alloc, attrs, 0, EFAULT),
		WRONG(iommu_ioasid_alloc, attrs_len_bytes, 0, EINVAL),
		WRONG(iommu_ioasid_alloc, attrs_len_bytes, 8, EINVAL),
		WRONG(iommu_ioasid_alloc, ioasid, 1, EINVAL),
	};
	static const struct wrong invalidate[] = {
		WRONG(iommu_invalidate_cache, ioasid, 0, ENOENT),
		WRONG(iommu_invalidate_cache, ioasid, 2, ENOENT),
		WRONG(iommu_invalidate_cache, ioasid, 1, EOPNOTSUPP),
		WRONG(iommu_invalidate_cache, entries, 0, EFAULT),
		WRONG(iommu_invalidate_cache, entry_len_bytes, 0, EINVAL),
		WRONG(iommu_invalidate_cache, entry_len_bytes, 39, EINVAL),
		WRONG(iommu_invalidate_cache, entry_len_bytes, 48, E2BIG),
	};
	static const struct wrong map[] = {
		WRONG(iommu_map_dma, flags, 0x11, EOPNOTSUPP),
		WRONG(iommu_map_dma, flags, 1u << 31, EOPNOTSUPP),
		WRONG(iommu_map_dma, flags, 0, EINVAL),
		WRONG(iommu_map_dma, flags, IOMMU_MAP_FIXED_IOVA, EINVAL),
		WRONG(iommu_map_dma, ioasid, 0, ENOENT),
		WRONG(iommu_map_dma, ioasid, 99, ENOENT),
		WRONG(iommu_map_dma, ioasid, 2, ENOENT),	/* the device */
		WRONG(iommu_map_dma, ioasid, U32_MAX, ENOENT),
		WRONG(iommu_map_dma, ioasid, 3, EOPNOTSUPP),	/* the user's */
		WRONG(iommu_map_dma, fd, 1, EINVAL),
		WRONG(iommu_map_dma, source, USER + 1, EINVAL),
		WRONG(iommu_map_dma, source, U64_MAX & PAGE_MASK, EINVAL),
		WRONG(iommu_map_dma, source, 0x5000, EFAULT),
		WRONG(iommu_map_dma, source, 0x800000000000, EFAULT),
		WRONG(iommu_map_dma, length, 0, EINVAL),
		WRONG(iommu_map_dma, length, 1, EINVAL),
		WRONG(iommu_map_dma, length, PAGE_SIZE + 8, EINVAL),
		WRONG(iommu_map_dma, length, U64_MAX & PAGE_MASK, EINVAL),
		WRONG(iommu_map_dma, length, PG(17), EFAULT),
		WRONG(iommu_map_dma, iova, IOVA + 1, EINVAL),
		WRONG(iommu_map_dma, iova, U64_MAX & PAGE_MASK, EINVAL),
		WRONG(iommu_map_dma, iova, 0xfee00000, EINVAL),
		WRONG(iommu_map_dma, iova, 0xfedff000, EINVAL),
		WRONG(iommu_map_dma, iova, 1ull << 48, EINVAL),
		WRONG(iommu_map_dma, iova, (1ull << 48) - PG(1), EINVAL),
	};
	static const struct wrong unmap[] = {
		WRONG(iommu_unmap_dma, flags, 2, EOPNOTSUPP),
		WRONG(iommu_unmap_dma, flags, IOMMU_UNMAP_ALL, EINVAL),
		WRONG(iommu_unmap_dma, ioasid, 0, ENOENT),
		WRONG(iommu_unmap_dma, ioasid, 2, ENOENT),
		WRONG(iommu_unmap_dma, ioasid, 3, EOPNOTSUPP),
		WRONG(iommu_unmap_dma, __reserved, 1, EOPNOTSUPP),
		WRONG(iommu_unmap_dma, iova, IOVA + 1, EINVAL),
		WRONG(iommu_unmap_dma, iova, IOVA + PG(1), EINVAL),
		WRONG(iommu_unmap_dma, iova, IOVA + PG(4), ENOENT),
		WRONG(iommu_unmap_dma, iova, U64_MAX & PAGE_MASK, EINVAL),
		WRONG(iommu_unmap_dma, length, 0, EINVAL),
		WRONG(iommu_unmap_dma, length, 1, EINVAL),
		WRONG(iommu_unmap_dma, length, PG(3), EINVAL),
		WRONG(iommu_unmap_dma, length, U64_MAX & PAGE_MASK, EINVAL),
	};
	static const struct wrong free[] = {
		WRONG(iommu_ioasid_free, ioasid, 0, ENOENT),
		WRONG(iommu_ioasid_free, ioasid, 2, ENOENT),
		WRONG(iommu_ioasid_free, ioasid, 4, ENOENT),
		WRONG(iommu_ioasid_free, ioasid, 1, EBUSY),
	};
	static const struct wrong bind[] = {
		WRONG(iommu_device_bind, flags, 1, EOPNOTSUPP),
		WRONG(iommu_device_bind, __reserved, 1, EOPNOTSUPP),
		WRONG(iommu_device_bind, iommu_fd, U32_MAX, EBADF),
		WRONG(iommu_device_bind, iommu_fd, 50, EBADF),
		WRONG(iommu_device_bind, iommu_fd, 4, EBADF),	/* memory */
		WRONG(iommu_device_bind, label, 8, EBUSY),
	};
	static const struct wrong attach[] = {
		WRONG(iommu_device_attach, flags, 2, EOPNOTSUPP),
		WRONG(iommu_device_attach, flags, IOMMU_DEVICE_ATTACH_VPASID,
		      EINVAL),
		WRONG(iommu_device_attach, vpasid, 1, EINVAL),
		WRONG(iommu_device_attach, __reserved, 1, EOPNOTSUPP),
		WRONG(iommu_device_attach, iommu_fd, U32_MAX, EBADF),
		WRONG(iommu_device_attach, iommu_fd, 4, EBADF),
		WRONG(iommu_device_attach, ioasid, 0, ENOENT),
		WRONG(iommu_device_attach, ioasid, 2, ENOENT),
		WRONG(iommu_device_attach, ioasid, 1, EBUSY),
	};
	struct fixture f = program();
	int mem = shim_open_memory(0x01021994, 4, PAGE_SIZE);
	struct template t[16];

	assert_int_equal(f.fd, 3);
	assert_int_equal(mem, 4);
	assert_int_equal(f.ioasid, 1);
	make_templates(t, &f);
	try_wrong(&f, &t[2], alloc, ARRAY_SIZE(alloc));
	try_wrong(&f, &t[3], free, ARRAY_SIZE(free));
	try_wrong(&f, &t[5], map, ARRAY_SIZE(map));
	t_ok(call(&f, t[5].cmd, &t[5].u));
	try_wrong(&f, &t[6], unmap, ARRAY_SIZE(unmap));
	t_ok(call(&f, t[6].cmd, &t[6].u));
	try_wrong(&f, &t[7], invalidate, ARRAY_SIZE(invalidate));
	try_wrong(&f, &t[8], alloc_user, ARRAY_SIZE(alloc_user));
	try_wrong(&f, &t[9], bind, ARRAY_SIZE(bind));
	try_wrong(&f, &t[10], attach, ARRAY_SIZE(attach));
	/* Detaching is checked alike, but where it is attached is right. */
	try_wrong(&f, &t[11], attach, ARRAY_SIZE(attach) - 1);
	shim_close(mem);
	shim_close(f.fd);
}

/* Sizes that have room for more ranges than there are, and for less */
static void ranges_and_emsgsize(void **state)
{
	struct fixture f = program();
	const struct iommu_ioasid_range poison = { 0x5a5a, 0xa5a5 };
	unsigned int room, kind;

	for (kind = 0; kind < 2; kind++) {
		for (room = 0; room < 4; room++) {
			struct iommu_ioasid_range r[4] = {
				poison, poison, poison, poison,
			};
			struct iommu_device_info dev = {
				.size = sizeof(dev), .label = 1,
				.nr_ranges = room,
				.ranges = room ? (uintptr_t)r : 0,
			};
			struct iommu_ioasid_info info = {
				.size = sizeof(info), .ioasid = f.ioasid,
				.nr_ranges = room,
				.ranges = room ? (uintptr_t)r : 0,
			};
			unsigned int i;
			long rc;

			rc = kind ? call(&f, IOMMU_IOASID_GET_INFO, &info) :
				    call(&f, IOMMU_DEVICE_GET_INFO, &dev);
			/* Without room the address is not used. */
			assert_int_equal(rc, room < 2 ? -EMSGSIZE : 0);
			assert_int_equal(kind ? info.nr_ranges : dev.nr_ranges, 2);
			for (i = 0; i < 4; i++) {
				if (i >= min(room, 2u))
					assert_memory_equal(&r[i], &poison,
							    sizeof(poison));
				else if (i == 0)
					assert_int_equal(r[i].last, 0xfedfffff);
				else
					assert_int_equal(r[i].last,
							 iofd_addr_last(48));
			}
			if (kind) {
				assert_int_equal(info.addr_width_bits, 48);
				assert_int_equal(info.nr_devices, 1);
				assert_int_equal(info.flags,
						 IOMMU_IOASID_INFO_IN_HARDWARE |
						 IOMMU_IOASID_INFO_SNOOP_ENFORCED);
			} else {
				assert_int_equal(dev.addr_width_bits, 48);
				assert_int_equal(dev.hw_cap, 0x1111222233334444);
				assert_int_equal(dev.hw_ecap, 0x5555666677778888);
				assert_int_equal(dev.pgsize_bitmap,
						 SZ_4K | SZ_2M | SZ_1G);
			}
		}
	}
	shim_close(f.fd);
}

/* What a space tells of itself is what it will map (A10). */
static void info_and_map_agree(void **state)
{
	static const u32 widths[] = { 0, 12, 30, 39, 48, 57, 58, 64 };
	int fd = t_ok(t_open());
	unsigned int i;

	shim_user_map(USER, 1, 0);
	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		int id = t_ok(t_alloc_as(fd, widths[i], IOMMU_COHERENCY_AUTO));
		struct iommu_ioasid_info info = {
			.size = sizeof(info), .ioasid = id, .nr_ranges = 8,
			.ranges = (uintptr_t)ranges,
		};
		unsigned int pass;

		/* Before and after the first mapping alike */
		for (pass = 0; pass < 2; pass++) {
			info.nr_ranges = 8;
			t_ok(shim_ioctl(fd, IOMMU_IOASID_GET_INFO, &info));
			assert_int_equal(info.nr_ranges, 1);
			assert_int_equal(info.addr_width_bits,
					 widths[i] && widths[i] < 57 ? widths[i] : 57);
			assert_int_equal(ranges[0].start, 0);
			assert_int_equal(ranges[0].last,
					 iofd_addr_last(info.addr_width_bits));
			t_errno(t_map(fd, id, USER, 1, ranges[0].last + 1), EINVAL);
			t_ok(t_map(fd, id, USER, 1, ranges[0].last & PAGE_MASK));
			t_ok(t_unmap_all(fd, id));
		}
		t_ok(t_free(fd, id));
	}
	shim_close(fd);
}

/* The reply cannot be written: the command has not happened. */
static void lost_replies(void **state)
{
	struct fixture f = program();
	struct template t[16];
	unsigned int n = make_templates(t, &f), i;

	t_ok(t_map(f.fd, f.ioasid, USER, 1, IOVA + PG(100)));
	for (i = 0; i < n; i++) {
		struct {
			union command u;
		} arg = { t[i].u };
		char *before;

		if (t[i].cmd == IOMMU_UNMAP_DMA)
			t_ok(t_map(f.fd, f.ioasid, USER, 4, IOVA));
		before = t_state();
		/* Readable, not writable */
		shim_user_readonly(&arg, sizeof(arg));
		switch (t[i].cmd) {
		case IOMMU_IOASID_FREE:
			t_errno(call(&f, t[i].cmd, &arg), EBUSY);
			break;
		case IOMMU_DEVICE_BIND_IOMMU_FD:
		case IOMMU_DEVICE_ATTACH_IOASID:
			/* Refused for another reason: they write nothing. */
			t_errno(call(&f, t[i].cmd, &arg), EBUSY);
			break;
		case IOMMU_DEVICE_DETACH_IOASID:
			t_ok(call(&f, t[i].cmd, &arg));
			shim_user_readonly(NULL, 0);
			free(before);
			continue;
		default:
			t_errno(call(&f, t[i].cmd, &arg), EFAULT);
		}
		shim_user_readonly(NULL, 0);
		assert_state(before);
		if (t[i].cmd == IOMMU_UNMAP_DMA) {
			assert_reaches(f.hw, IOVA, USER, 4);
			t_ok(t_unmap(f.fd, f.ioasid, IOVA, 4));
		}
		assert_blocked(f.hw, IOVA, 4);
	}
	shim_close(f.fd);
}

/* The same for an address that the kernel chose */
static void lost_reply_of_a_chosen_address(void **state)
{
	struct fixture f = program();
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd), .flags = IOMMU_MAP_READ, .ioasid = f.ioasid,
		.source = USER, .length = PG(4),
	};
	u64 first, second;

	t_ok(t_map_any(f.fd, f.ioasid, USER, 4, &first));
	t_ok(t_unmap(f.fd, f.ioasid, first, 4));
	shim_user_readonly(&cmd, sizeof(cmd));
	t_errno(call(&f, IOMMU_MAP_DMA, &cmd), EFAULT);
	shim_user_readonly(NULL, 0);
	assert_int_equal(shim_pins, 0);
	t_ok(t_map_any(f.fd, f.ioasid, USER, 4, &second));
	assert_int_equal(first, second);
	shim_close(f.fd);
}

static void numbers_of_ioasids(void **state)
{
	int fd = t_ok(t_open());
	unsigned int i;

	/* From 1, without holes; a free one is used again. */
	for (i = 1; i <= 1000; i++)
		assert_int_equal(t_alloc(fd), i);
	t_ok(t_free(fd, 500));
	t_errno(t_free(fd, 500), ENOENT);
	assert_int_equal(t_alloc(fd), 500);
	shim_close(fd);
}

static void alloc_for_a_label(void **state)
{
	struct fixture f = program();
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd), .type = IOMMU_IOASID_KERNEL_MANAGED,
		.flags = IOMMU_IOASID_FOR_LABEL, .label = 1,
	}, try;
	unsigned long pts = testhw_pts;
	char *before = t_state();

	try = cmd;
	try.label = 2;
	t_errno(call(&f, IOMMU_IOASID_ALLOC, &try), ENOENT);
	try = cmd;
	try.addr_width_bits = 49;
	t_errno(call(&f, IOMMU_IOASID_ALLOC, &try), EINVAL);
	f.hw->can_snoop = false;
	try = cmd;
	try.coherency = IOMMU_COHERENCY_ENFORCE;
	t_errno(call(&f, IOMMU_IOASID_ALLOC, &try), EINVAL);
	assert_state(before);
	try = cmd;
	try.coherency = IOMMU_COHERENCY_OFF;
	try.addr_width_bits = 48;
	t_ok(call(&f, IOMMU_IOASID_ALLOC, &try));
	/* Only tried out */
	assert_int_equal(testhw_pts, pts);
	assert_null(t_space(f.fd, try.ioasid)->primary);
	shim_close(f.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(sizes_and_tails),
		core_test(unknown_commands),
		core_test(extensions),
		core_test(wrong_values),
		core_test(ranges_and_emsgsize),
		core_test(info_and_map_agree),
		core_test(lost_replies),
		core_test(lost_reply_of_a_chosen_address),
		core_test(numbers_of_ioasids),
		core_test(alloc_for_a_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
