// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The same guest, but its I/O virtual addresses are a child of its physical ones:
 * the monitor says what the guest says, in guest-physical addresses, and the
 * kernel works out the rest. It also takes away what the guest's memory loses.
 */
#include "nesting.h"

int case_software(struct vm *vm)
{
	struct iommu_dev *dev2 = vm->devices[1].dev;
	uint32_t gpa, giova;
	int rc;

	rc = gpa_begin(vm, &gpa);
	if (rc)
		return rc;

	/* Over the attachment to its parent: no detach, and no moment without. */
	rc = iommu_child_alloc(vm->ctx, gpa, vm->addr_bits < 39 ? vm->addr_bits : 0,
			       &giova);
	if (rc)
		return rc;
	rc = iommu_dev_attach(dev2, giova);
	if (rc)
		return rc;

	/* Nothing is pinned or charged again. */
	rc = iommu_map_child_fixed(vm->ctx, giova, 0x1000, PAGE, RW, 0x2000);
	if (rc)
		return rc;
	rc = iommu_map_child_fixed(vm->ctx, giova, 0x5000, PAGE, RW, 0x3000);
	if (rc)
		return rc;
	rc = say_realised(vm, giova);
	if (rc)
		return rc;
	check_moves(vm, 0, 0, 0x1000, 0x1000, 0x5000, 0x5000, true);
	check_moves(vm, 1, 0, 0x2000, 0x1000, 0x3000, 0x5000, true);
	check_moves(vm, 1, 0, 0x2000, 0x1000, 0x5000, 0x5000, false);

	/* Memory that the guest loses is lost for all that was above it ... */
	rc = iommu_unmap(vm->ctx, gpa, 0, MEMORY_BYTES, NULL);
	if (rc)
		return rc;
	check_moves(vm, 1, 0, 0x2000, 0x1000, 0x3000, 0x5000, false);
	/* ... and there again when it comes back. */
	rc = gpa_map(vm, gpa);
	if (rc)
		return rc;
	check_moves(vm, 1, 0, 0x2000, 0x1000, 0x3000, 0x5000, true);

	/* The guest switches its IOMMU off again: the parent has the DMA. */
	rc = iommu_dev_detach(dev2, giova);
	if (rc)
		return rc;
	check_moves(vm, 1, 0, 0x1000, 0x1000, 0x5000, 0x5000, true);
	return iommu_ioas_free(vm->ctx, giova);
}
