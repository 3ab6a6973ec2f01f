// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest has an IOMMU and puts its second device behind it, and nothing is
 * nested: the monitor itself works out which of its own memory is behind each
 * I/O virtual address of the guest (GIOVA), and maps that into another root.
 */
#include "nesting.h"

int case_several(struct vm *vm)
{
	struct iommu_dev *dev2 = vm->devices[1].dev;
	uint32_t gpa, giova;
	int rc;

	rc = gpa_begin(vm, &gpa);
	if (rc)
		return rc;

	/* The guest switches its IOMMU on for the second device. */
	rc = gpa_alloc(vm, &giova);
	if (rc)
		return rc;
	rc = iommu_dev_detach(dev2, gpa);
	if (rc)
		return rc;
	rc = iommu_dev_attach(dev2, giova);
	if (rc)
		return rc;

	/*
	 * The guest maps GIOVA 0x2000 to its address 0x1000, and 0x3000 to 0x5000.
	 * The memory is pinned and charged a second time.
	 */
	rc = iommu_map_fixed(vm->ctx, giova, vm->memory + 0x1000, PAGE, RW, 0x2000);
	if (rc)
		return rc;
	rc = iommu_map_fixed(vm->ctx, giova, vm->memory + 0x5000, PAGE, RW, 0x3000);
	if (rc)
		return rc;
	check_moves(vm, 0, 0, 0x1000, 0x1000, 0x5000, 0x5000, true);
	check_moves(vm, 1, 0, 0x2000, 0x1000, 0x3000, 0x5000, true);
	check_moves(vm, 1, 0, 0x2000, 0x1000, 0x5000, 0x5000, false);
	return 0;
}
