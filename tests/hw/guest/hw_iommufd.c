// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Nesting through upstream's ABI, on hardware that nests.
 */
#include "guest.h"
#include "../../vm/upstream.h"

#define RAM	(4 * MIB)
#define GVA	(8 * GIB)

static struct hw_dev dev;

static int up_invalidate(int fd, int hwpt, uint64_t addr, uint64_t npages)
{
	struct { uint64_t addr, npages; uint32_t flags, reserved; } e = { addr, npages, 1, 0 };
	struct {
		uint32_t size, hwpt;
		uint64_t entries;
		uint32_t type, len, nr, reserved;
	} c = { sizeof(c), (uint32_t)hwpt, (uintptr_t)&e, 0, sizeof(e), 1, 0 };

	return ioctl(fd, 0x3b8d, &c) ?: c.nr == 1 ? 0 : -1;
}

static void nested_by_upstreams_commands(void)
{
	struct up_vtd_info info = {};
	int id, parent, user;
	uint64_t table;

	guest_start(RAM);
	NEED(hw_open(&dev, FULL0));
	NEED((id = up_bind(dev.fd, g.fd)) > 0);
	NEED(hw_start(&dev));
	CHECK_EQ(up_hw_info(g.fd, id, &info), 1);
	CHECK_EQ(info.ecap, ht_read64(&dev, HT_ECAP));
	NEED((parent = up_hwpt(g.fd, id, g.gpa, UP_NEST_PARENT)) > 0);
	table = table_page();
	s1_map(table, 4, GVA, 0x3000, 1);
	NEED((user = up_nested(g.fd, id, parent, table)) > 0);
	CHECK_EQ(up_attach(dev.fd, parent), parent);
	CHECK(reaches(&dev, 0x5000, 0x5000));
	CHECK_EQ(up_attach(dev.fd, user), user);
	CHECK(reaches(&dev, GVA + 8, 0x3008));
	s1_map(table, 4, GVA, 0x7000, 1);
	CHECK_OK(up_invalidate(g.fd, user, GVA, 1));
	CHECK(reaches(&dev, GVA + 8, 0x7008));
	CHECK_ERRNO(up_destroy(g.fd, parent), EBUSY);
	CHECK_EQ(up_attach(dev.fd, parent), parent);
	CHECK(reaches(&dev, 0x5000, 0x5000));
	CHECK_OK(up_detach(dev.fd));
	CHECK_OK(up_destroy(g.fd, user));
	CHECK_OK(up_destroy(g.fd, parent));
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(nested_by_upstreams_commands);
	return check_end();
}
