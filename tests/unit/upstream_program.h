/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program with an IOAS, a device and memory, for tests of upstream's commands.
 */
#ifndef TEST_UPSTREAM_PROGRAM_H
#define TEST_UPSTREAM_PROGRAM_H

#include "upstream.h"
#include <linux/cred.h>

#define USER	0x10000000ul
#define PAGES	64
#define IOVA	0x40000000ull
#define PG(n)	((u64)(n) << PAGE_SHIFT)

struct fixture {
	int fd;
	int ioas;
	int dev;
	int hwpt;
	struct testhw_dev *hw;
};

static const struct iommu_resv_region msi[] = {
	{ .start = 0xfee00000, .length = 0x100000, .type = IOMMU_RESV_MSI },
};

/* ids: 1 the IOAS, 2 the device, 3 a table of the IOAS, attached */
static inline struct fixture program(void)
{
	struct fixture f = { .fd = t_ok(t_open()), .hw = testhw_dev() };

	f.hw->own_group.regions = msi;
	f.hw->own_group.nr_regions = 1;
	f.hw->nests = true;
	f.hw->pasid_width_bits = 8;
	shim_user_map(USER, PAGES, SHIM_SCATTERED);
	f.ioas = t_ok(u_ioas(f.fd));
	f.dev = t_ok(u_bind(f.hw, f.fd));
	f.hwpt = t_ok(u_hwpt(f.fd, f.dev, f.ioas, UP_HWPT_NEST_PARENT));
	assert_int_equal(u_attach(f.hw, f.hwpt), f.hwpt);
	return f;
}

/* Pages that count against the user's limit */
static inline unsigned long charged(void)
{
	return atomic_long_read(&current_user()->locked_vm);
}

#endif
