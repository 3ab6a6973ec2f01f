// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest has no IOMMU: all its devices use its physical addresses, and share
 * one address space.
 */
#include "nesting.h"

int case_simple(struct vm *vm)
{
	uint32_t gpa;
	unsigned int i;
	int rc;

	/* Bound, and not attached: blocked. */
	check_moves(vm, 0, 0, 0x1000, 0x1000, 0x5000, 0x5000, false);

	rc = gpa_alloc(vm, &gpa);
	if (rc)
		return rc;
	for (i = 0; i < vm->nr_devices; i++) {
		rc = iommu_dev_attach(vm->devices[i].dev, gpa);
		if (rc)
			return rc;
	}
	/* Once, however many devices there are: pinned and charged once. */
	rc = gpa_map(vm, gpa);
	if (rc)
		return rc;
	for (i = 0; i < vm->nr_devices; i++)
		check_moves(vm, i, 0, 0x1000, 0x1000, 0x5000, 0x5000, true);

	rc = iommu_dev_detach(vm->devices[0].dev, gpa);
	if (rc)
		return rc;
	check_moves(vm, 0, 0, 0x1000, 0x1000, 0x5000, 0x5000, false);
	return 0;
}
