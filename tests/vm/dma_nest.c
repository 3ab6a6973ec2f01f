// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Address spaces on top of one another, with a device that does DMA through an
 * IOMMU that knows nothing of it: children are composed.
 */
#include "edu.h"

#define LABEL	7
#define PAGES	32
#define GPA	(1 * MIB)	/* where the root maps the memory */
#define IOVA	(64 * MIB)

/* First-level entries */
#define P	0x1ULL
#define RW_US	0x6ULL
#define TABLE	(P | RW_US)

static struct edu edu;
static int fd, root;
static unsigned char *mem;

static int child_alloc(__u32 type, int parent, __u64 table, __u32 nesting)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = type,
		.parent = (__u32)parent,
		.nesting = nesting,
		.table_addr = table,
	};

	if (type == IOMMU_IOASID_USER_MANAGED) {
		cmd.format = IOMMU_FORMAT_VTD_S1;
		cmd.addr_width_bits = 48;
	}
	return ioctl(fd, IOMMU_IOASID_ALLOC, &cmd) ? -1 : (int)cmd.ioasid;
}

static int invalidate(int ioasid, __u64 addr, __u64 length)
{
	struct iommu_invalidate_entry entry = {
		.granularity = length ? IOMMU_INVALIDATE_RANGE :
			       IOMMU_INVALIDATE_ALL,
		.addr = addr,
		.length = length,
	};
	struct iommu_invalidate_cache cmd = {
		.size = sizeof(cmd),
		.ioasid = (__u32)ioasid,
		.entries = (uintptr_t)&entry,
		.entry_len_bytes = sizeof(entry),
		.nr_entries = 1,
	};

	return ioctl(fd, IOMMU_INVALIDATE_CACHE, &cmd);
}

/* A map command whose source is an address in the parent */
static int map_child(int ioasid, __u64 source, __u64 length, __u64 iova)
{
	return map_any(fd, ioasid, RW | FIXED, 0, source, length, &iova);
}

static void world(void)
{
	fd = iommu_open();
	NEED(fd >= 0);
	NEED(edu_open(&edu, 0));
	NEED(!dev_bind(edu.fd, fd, LABEL));
	NEED(edu_start(&edu));
	NEED(mem = pages_alloc(PAGES * PAGE));
	NEED((root = ioasid_alloc(fd)) > 0);
	NEED(!map_at(fd, root, RW, mem, PAGES * PAGE, GPA));
}

static bool all_are(const unsigned char *p, unsigned char value)
{
	unsigned int i;

	for (i = 0; i < EDU_BYTES; i++)
		if (p[i] != value)
			return false;
	return true;
}

/* The device reads and writes page @page at @iova, and nothing beside it. */
static void reaches(__u64 iova, unsigned int page)
{
	static unsigned char value;
	unsigned char *p = mem + page * PAGE;

	value++;
	memset(p, value, PAGE);
	edu_load(&edu, iova, 0, EDU_BYTES);
	memset(p, 0xee, PAGE);
	edu_store(&edu, iova, 0, EDU_BYTES);
	if (!all_are(p, value))
		check_fail("DMA at %#llx does not reach page %u", iova, page);
}

/* It does not write page @page at @iova. */
static void blocked(__u64 iova, unsigned int page)
{
	unsigned char *p = mem + page * PAGE;

	memset(p, 0xdd, PAGE);
	edu_store(&edu, iova, 0, EDU_BYTES);
	if (!all_are(p, 0xdd))
		check_fail("DMA at %#llx reaches page %u", iova, page);
}

static void B13_child_follows_its_parent(void)
{
	int child;

	world();
	NEED((child = child_alloc(IOMMU_IOASID_KERNEL_MANAGED, root, 0, 0)) > 0);
	CHECK_OK(dev_attach(edu.fd, fd, child));
	CHECK_OK(map_child(child, GPA + 3 * PAGE, 4 * PAGE, IOVA));
	reaches(IOVA, 3);
	reaches(IOVA + 3 * PAGE, 6);
	blocked(GPA, 0);
	CHECK_OK(unmap_all(fd, root));
	blocked(IOVA, 3);
	CHECK_OK(map_at(fd, root, RW, mem, PAGES * PAGE, GPA));
	reaches(IOVA, 3);
	CHECK_OK(unmap_at(fd, child, IOVA, 4 * PAGE));
	blocked(IOVA, 3);
	CHECK_ERRNO(ioasid_free(fd, root), EBUSY);
}

static void A16_memory_root_is_charged_once(void)
{
	struct iommu_ioasid_info info;
	int a, b;

	world();
	NEED((a = child_alloc(IOMMU_IOASID_KERNEL_MANAGED, root, 0, 0)) > 0);
	NEED((b = child_alloc(IOMMU_IOASID_KERNEL_MANAGED, root, 0, 0)) > 0);
	CHECK_OK(map_child(a, GPA, PAGES * PAGE, IOVA));
	CHECK_OK(map_child(b, GPA, PAGES * PAGE, 2 * IOVA));
	CHECK_OK(dev_attach(edu.fd, fd, b));
	reaches(2 * IOVA + 9 * PAGE, 9);
	CHECK_OK(ioasid_info(fd, root, &info));
	CHECK_EQ(info.charged_bytes, PAGES * PAGE);
	CHECK_OK(ioasid_info(fd, b, &info));
	CHECK_EQ(info.mapped_bytes, PAGES * PAGE);
	CHECK_EQ(info.charged_bytes, 0);
	CHECK_EQ(info.pinned_bytes, 0);
	CHECK_EQ(info.parent, (__u32)root);
	CHECK(info.flags & IOMMU_IOASID_INFO_COMPOSED);
}

static __u64 *entry(unsigned int page, unsigned int i)
{
	return (__u64 *)(mem + page * PAGE) + i;
}

/* Pages 0 to 3: entry i of page 3 translates page i of the space. */
static void build_table(void)
{
	memset(mem, 0, 4 * PAGE);
	*entry(0, 0) = (GPA + 1 * PAGE) | TABLE;
	*entry(1, 0) = (GPA + 2 * PAGE) | TABLE;
	*entry(2, 0) = (GPA + 3 * PAGE) | TABLE;
}

static void B4_user_table_is_composed(void)
{
	int user, hardware;

	world();
	build_table();
	*entry(3, 5) = (GPA + 20 * PAGE) | TABLE;
	NEED((hardware = child_alloc(IOMMU_IOASID_USER_MANAGED, root, GPA,
				     IOMMU_NESTING_HARDWARE)) > 0);
	CHECK_ERRNO(dev_attach(edu.fd, fd, hardware), EOPNOTSUPP);
	NEED((user = child_alloc(IOMMU_IOASID_USER_MANAGED, root, GPA,
				 IOMMU_NESTING_AUTO)) > 0);
	CHECK_OK(dev_attach(edu.fd, fd, user));
	reaches(5 * PAGE, 20);
	blocked(6 * PAGE, 21);
	CHECK(*entry(3, 5) & 0x60);
	*entry(3, 5) = (GPA + 21 * PAGE) | TABLE;
	*entry(3, 6) = (GPA + 22 * PAGE) | TABLE;
	CHECK_OK(invalidate(user, 5 * PAGE, 2 * PAGE));
	reaches(5 * PAGE, 21);
	reaches(6 * PAGE, 22);
	*entry(3, 5) = 0;
	CHECK_OK(invalidate(user, 5 * PAGE, PAGE));
	blocked(5 * PAGE, 21);
	/* The page of the table itself goes, and comes back. */
	CHECK_OK(unmap_all(fd, root));
	blocked(6 * PAGE, 22);
	CHECK_OK(map_at(fd, root, RW, mem, PAGES * PAGE, GPA));
	reaches(6 * PAGE, 22);
	CHECK_ERRNO(map_at(fd, user, RW, mem, PAGE, 0), EOPNOTSUPP);
}

/* A table that says more than any memory holds */
static void B4_hostile_table(void)
{
	unsigned int i;
	int user;

	world();
	for (i = 0; i < 512; i++)
		*entry(0, i) = GPA | TABLE;
	NEED((user = child_alloc(IOMMU_IOASID_USER_MANAGED, root, GPA,
				 IOMMU_NESTING_AUTO)) > 0);
	CHECK_ERRNO(dev_attach(edu.fd, fd, user), E2BIG);
	memset(mem, 0, PAGE);
	CHECK_OK(dev_attach(edu.fd, fd, user));
	for (i = 0; i < 512; i++)
		*entry(0, i) = GPA | TABLE;
	CHECK_ERRNO(invalidate(user, 0, 0), E2BIG);
	blocked(0, 9);
	build_table();
	*entry(3, 5) = (GPA + 20 * PAGE) | TABLE;
	CHECK_OK(invalidate(user, 0, 0));
	reaches(5 * PAGE, 20);
}

static void C9_stacked_attachments(void)
{
	int user;

	world();
	build_table();
	*entry(3, 5) = (GPA + 20 * PAGE) | TABLE;
	NEED((user = child_alloc(IOMMU_IOASID_USER_MANAGED, root, GPA, 0)) > 0);
	CHECK_OK(dev_attach(edu.fd, fd, root));
	reaches(GPA + 9 * PAGE, 9);
	CHECK_OK(dev_attach(edu.fd, fd, user));
	reaches(5 * PAGE, 20);
	blocked(GPA + 9 * PAGE, 9);
	CHECK_ERRNO(dev_detach(edu.fd, fd, root), EBUSY);
	CHECK_OK(dev_detach(edu.fd, fd, user));
	reaches(GPA + 9 * PAGE, 9);
	CHECK_OK(dev_detach(edu.fd, fd, root));
	blocked(GPA + 9 * PAGE, 9);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(B13_child_follows_its_parent);
	RUN(A16_memory_root_is_charged_once);
	RUN(B4_user_table_is_composed);
	RUN(B4_hostile_table);
	RUN(C9_stacked_attachments);
	return check_end();
}
