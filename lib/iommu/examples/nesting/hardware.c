// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The guest's IOMMU has first-stage tables, and the guest writes one into its own
 * memory: the monitor passes on where it is, and what is invalidated. Hardware
 * walks it together with the guest's memory if it can, or the kernel composes the
 * two; the monitor need not care.
 */
#include "nesting.h"

/* The guest keeps its table in its memory from here on. */
#define TABLE_GPA	0x100000ull
#define TABLE_BYTES	(16 * PAGE)

int case_hardware(struct vm *vm)
{
	struct iommu_dev *dev = vm->devices[0].dev;
	struct iommu_vtd_s1_spec spec = {
		.size = sizeof(spec),
		.levels = 4,
		.table_addr = TABLE_GPA,
		.nesting = IOMMU_NESTING_AUTO,
	};
	struct iommu_invalidate_entry change;
	struct iommu_vtd_s1 *table;
	uint32_t gpa, giova;
	int rc;

	rc = gpa_alloc(vm, &gpa);
	if (rc)
		return rc;
	rc = iommu_dev_attach(dev, gpa);
	if (rc)
		return rc;
	rc = gpa_map(vm, gpa);
	if (rc)
		return rc;

	/* What the guest does: a table with one page in it. */
	rc = iommu_vtd_s1_new(vm->ctx, vm->memory + TABLE_GPA, TABLE_GPA,
			      TABLE_BYTES, 4, 0, 0, &table);
	if (rc)
		return rc;
	rc = iommu_vtd_s1_map(table, 0x2000, 0x1000, PAGE, RW, NULL);
	if (rc)
		goto out;

	/* What the monitor does when the guest's IOMMU is told of the table. */
	rc = iommu_vtd_s1_alloc(vm->ctx, gpa, &spec, &giova);
	if (rc)
		goto out;
	rc = iommu_dev_attach(dev, giova);
	if (rc)
		goto out;
	rc = say_realised(vm, giova);
	if (rc)
		goto out;

	/* The guest maps another page. It need not say so, but here it does. */
	rc = iommu_vtd_s1_map(table, 0x3000, 0x5000, PAGE, RW, &change);
	if (rc)
		goto out;
	rc = iommu_invalidate_entries(vm->ctx, giova, &change, 1, NULL);
	if (rc)
		goto out;
	check_moves(vm, 0, 0, 0x2000, 0x1000, 0x3000, 0x5000, true);
	check_moves(vm, 0, 0, 0x2000, 0x1000, 0x5000, 0x5000, false);

	/* It unmaps one. After the invalidation, and not before, it is gone. */
	rc = iommu_vtd_s1_unmap(table, 0x3000, PAGE, &change);
	if (rc)
		goto out;
	rc = iommu_invalidate_entries(vm->ctx, giova, &change, 1, NULL);
	if (rc)
		goto out;
	check_moves(vm, 0, 0, 0x2000, 0x1000, 0x3000, 0x5000, false);

	rc = iommu_dev_detach(dev, giova);
	if (rc)
		goto out;
	check_moves(vm, 0, 0, 0x1000, 0x1000, 0x5000, 0x5000, true);
	rc = iommu_ioas_free(vm->ctx, giova);
out:
	iommu_vtd_s1_free(table);
	return rc;
}
