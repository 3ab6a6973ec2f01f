// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A tree of address spaces, a stack of attachments and many PASIDs, with a real
 * kernel: what the library says of them, and then they are held until standard
 * input ends, for whoever looks on. live_nest BDF PASIDS
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "live.h"

#define LABEL		0x4e57ull
#define MEMORY_BYTES	(1u << 20)
#define TABLE_ADDR	0x80000u

static struct iommu_dev *dev;
static uint8_t *memory;

/**
 * struct tree - root, child, grandchild, and a user's table in the root
 * @root: the memory, at 0
 * @child: of @root
 * @grandchild: of @child
 * @user: of @root: @table
 * @table: in the memory
 */
struct tree {
	uint32_t root, child, grandchild, user;
	struct iommu_vtd_s1 *table;
};

static void plant(struct tree *tree)
{
	const unsigned int rw = IOMMU_MAP_READ | IOMMU_MAP_WRITE;
	struct iommu_vtd_s1_spec spec = {
		.size = sizeof(spec),
		.levels = 4,
		.table_addr = TABLE_ADDR,
	};
	uint64_t at;

	CHECK(!iommu_ioas_alloc(ctx, NULL, &tree->root));
	CHECK(!iommu_map_fixed(ctx, tree->root, memory, MEMORY_BYTES, rw, 0));
	CHECK(!iommu_child_alloc(ctx, tree->root, 0, &tree->child));
	CHECK(!iommu_map_child_fixed(ctx, tree->child, 0, 8192, rw, 0x10000));
	CHECK_FAILS(iommu_map_child_fixed(ctx, tree->child, 0, 4096, rw, 0x11000), EEXIST, "something is mapped");
	CHECK_FAILS(iommu_map_child(ctx, tree->child, 12, 4096, rw, &at), EINVAL, "page size");
	/* Where the parent has nothing, too. */
	CHECK(!iommu_map_child(ctx, tree->child, 1ull << 30, 4096, rw, &at));
	CHECK(!iommu_child_alloc(ctx, tree->child, 0, &tree->grandchild));

	CHECK(!iommu_vtd_s1_new(ctx, memory + TABLE_ADDR, TABLE_ADDR, 65536, 4, 0, 0, &tree->table));
	CHECK(!iommu_vtd_s1_map(tree->table, 0x7000, 0x1000, 4096, rw, NULL));
	CHECK(!iommu_vtd_s1_alloc(ctx, tree->root, &spec, &tree->user));
	CHECK_FAILS(iommu_map_child(ctx, tree->user, 0, 4096, rw, &at), EOPNOTSUPP, "write to it");
	CHECK_FAILS(iommu_invalidate_all(ctx, tree->child), EOPNOTSUPP, "flushes by itself");
	CHECK(!iommu_invalidate_all(ctx, tree->user));
	CHECK_FAILS(iommu_ioas_free(ctx, tree->root), EBUSY, "has a child");
	CHECK_FAILS(iommu_child_alloc(ctx, 12345, 0, &spec.levels), ENOENT, "no such parent");
	CHECK_FAILS(iommu_child_alloc(ctx, tree->root, 3, &spec.levels), EINVAL, "width");
	spec.levels = 4;
	spec.table_addr = 100;
	CHECK_FAILS(iommu_vtd_s1_alloc(ctx, tree->root, &spec, &spec.levels), EINVAL, "alignment");
}

static void check_depth(uint32_t parent)
{
	uint32_t spaces[7], n, none;

	for (n = 0; n < 7; n++) {
		CHECK(!iommu_child_alloc(ctx, parent, 0, &spaces[n]));
		parent = spaces[n];
	}
	CHECK_FAILS(iommu_child_alloc(ctx, parent, 0, &none), ENOSPC, "7 parents");
	while (n--)
		CHECK(!iommu_ioas_free(ctx, spaces[n]));
}

static void check_info(const struct tree *tree)
{
	struct iommu_ioas_info *info;

	CHECK(!iommu_ioas_get_info(ctx, tree->child, &info));
	CHECK(info->parent == tree->root && !info->pinned_bytes && !info->charged_bytes);
	CHECK(info->mapped_bytes == 12288 && info->nr_mappings == 2);
	CHECK(info->flags & IOMMU_IOASID_INFO_COMPOSED && !(info->flags & IOMMU_IOASID_INFO_HW_NESTED));
	iommu_ioas_info_free(info);
	CHECK(!iommu_ioas_get_info(ctx, tree->user, &info));
	CHECK(info->parent == tree->root && info->type == IOMMU_IOASID_USER_MANAGED);
	iommu_ioas_info_free(info);
}

static void stack(const struct tree *tree)
{
	CHECK(!iommu_dev_attach(dev, tree->root));
	CHECK(!iommu_dev_attach(dev, tree->child));
	CHECK_FAILS(iommu_dev_attach(dev, tree->user), EBUSY, "not to a parent");
	CHECK(!iommu_dev_attach(dev, tree->grandchild));
	CHECK_FAILS(iommu_dev_detach(dev, tree->child), EBUSY, "detach it from there first");
	CHECK_FAILS(iommu_dev_attach(dev, tree->child), EBUSY, "detach it first");
}

static void unstack(const struct tree *tree)
{
	CHECK(!iommu_dev_detach(dev, tree->grandchild));
	CHECK_FAILS(iommu_dev_detach(dev, tree->grandchild), ENOENT, "not attached");
	CHECK(!iommu_dev_detach(dev, tree->child));
	CHECK(!iommu_dev_detach(dev, tree->root));
}

static void check_pasids(const struct tree *tree, uint32_t nr)
{
	struct iommu_dev_info *info;
	uint32_t pasid;

	CHECK(!iommu_dev_get_info(dev, &info));
	CHECK(info->formats & 1u << IOMMU_FORMAT_VTD_S1);
	printf("PASIDs of %u bits\n", info->pasid_width_bits);
	if (!info->pasid_width_bits)
		CHECK_FAILS(iommu_dev_attach_pasid(dev, tree->user, 1), EINVAL, "it has no PASIDs");
	for (pasid = 1; pasid <= nr; pasid++)
		CHECK(!iommu_dev_attach_pasid(dev, pasid == 1 ? tree->child : tree->user, pasid));
	if (nr) {
		CHECK_FAILS(iommu_dev_attach_pasid(dev, tree->child, 1), EBUSY, "that PASID is attached");
		CHECK_FAILS(iommu_dev_attach_pasid(dev, tree->child, 1u << info->pasid_width_bits),
			    EINVAL, "its PASIDs are 1 to ");
		CHECK_FAILS(iommu_dev_detach_pasid(dev, tree->user, 1), ENOENT, "not attached");
	}
	iommu_dev_info_free(info);
}

int main(int argc, char **argv)
{
	struct tree tree;
	uint32_t nr, pasid;

	if (argc != 3)
		return 2;
	nr = (uint32_t)atoi(argv[2]);
	ctx = iommu_ctx_new();
	memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(ctx && memory != MAP_FAILED);
	CHECK(!iommu_ctx_open(ctx));
	CHECK(!iommu_dev_open(ctx, argv[1], LABEL, &dev));
	plant(&tree);
	check_depth(tree.root);
	stack(&tree);
	check_info(&tree);
	check_pasids(&tree, nr);

	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (pasid = 1; pasid <= nr; pasid++)
		CHECK(!iommu_dev_detach_pasid(dev, pasid == 1 ? tree.child : tree.user, pasid));
	unstack(&tree);
	CHECK(!iommu_ioas_free(ctx, tree.grandchild));
	CHECK(!iommu_ioas_free(ctx, tree.child));
	CHECK(!iommu_ioas_free(ctx, tree.user));
	CHECK(!iommu_ioas_free(ctx, tree.root));
	iommu_dev_close(dev);
	iommu_vtd_s1_free(tree.table);
	iommu_ctx_free(ctx);
	printf("%u checks\n", checks);
	return 0;
}
