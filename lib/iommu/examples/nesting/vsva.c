// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Shared virtual addresses in the guest: a device that knows PASIDs works for two
 * processes of the guest at a time, each at addresses of its own, while its DMA
 * without PASID stays in the guest's physical addresses.
 */
#include <stdio.h>

#include "nesting.h"

#define NR_PROCESSES	2
#define TABLE_BYTES	(16 * PAGE)

/**
 * struct process - a process of the guest
 * @pasid: of its own
 * @table: its page table
 * @gva: its address space
 */
struct process {
	uint32_t pasid;
	struct iommu_vtd_s1 *table;
	uint32_t gva;
};

/* What both see at 0x40000000 and 0x40001000 is at @at and @at + 4096. */
static int process_start(struct vm *vm, uint32_t gpa, struct process *p,
			 uint64_t at)
{
	struct iommu_vtd_s1_spec spec = {
		.size = sizeof(spec),
		.levels = 4,
		.table_addr = 0x100000 + p->pasid * TABLE_BYTES,
	};
	int rc;

	rc = iommu_vtd_s1_new(vm->ctx, vm->memory + spec.table_addr,
			      spec.table_addr, TABLE_BYTES, 4, 0, 0, &p->table);
	if (rc)
		return rc;
	rc = iommu_vtd_s1_map(p->table, 0x40000000, at, 2 * PAGE, RW, NULL);
	if (rc)
		return rc;
	rc = iommu_vtd_s1_alloc(vm->ctx, gpa, &spec, &p->gva);
	if (rc)
		return rc;
	rc = iommu_dev_attach_pasid(vm->devices[0].dev, p->gva, p->pasid);
	return rc ? rc : say_realised(vm, p->gva);
}

int case_vsva(struct vm *vm)
{
	struct process processes[NR_PROCESSES] = {};
	struct iommu_dev *dev = vm->devices[0].dev;
	struct iommu_invalidate_entry change;
	unsigned int i;
	uint32_t gpa;
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
	for (i = 0; i < NR_PROCESSES; i++) {
		processes[i].pasid = i + 1;
		rc = process_start(vm, gpa, &processes[i], 0x10000 + i * 0x10000);
		if (rc)
			goto out;
	}

	/* The same addresses, and other memory. */
	check_moves(vm, 0, 1, 0x40000000, 0x10000, 0x40001000, 0x11000, true);
	check_moves(vm, 0, 2, 0x40000000, 0x20000, 0x40001000, 0x21000, true);
	check_moves(vm, 0, 0, 0x1000, 0x1000, 0x5000, 0x5000, true);
	check_moves(vm, 0, 3, 0x40000000, 0x10000, 0x40001000, 0x11000, false);

	/* The first process gives a page back; the other one does not notice. */
	rc = iommu_vtd_s1_unmap(processes[0].table, 0x40001000, PAGE, &change);
	if (rc)
		goto out;
	/* For that PASID alone, as the guest's command names it. */
	change.flags |= IOMMU_INVALIDATE_VPASID;
	change.vpasid = processes[0].pasid;
	rc = iommu_invalidate_entries(vm->ctx, processes[0].gva, &change, 1, NULL);
	if (rc)
		goto out;
	check_moves(vm, 0, 1, 0x40000000, 0x10000, 0x40001000, 0x11000, false);
	check_moves(vm, 0, 2, 0x40000000, 0x20000, 0x40001000, 0x21000, true);

	/* It ends. */
	check_moves(vm, 0, 1, 0x40000000, 0x10000, 0x40000800, 0x10800, true);
	rc = iommu_dev_detach_pasid(dev, processes[0].gva, processes[0].pasid);
	if (rc)
		goto out;
	rc = iommu_ioas_free(vm->ctx, processes[0].gva);
	if (rc)
		goto out;
	check_moves(vm, 0, 1, 0x40000000, 0x10000, 0x40000800, 0x10800, false);
	check_moves(vm, 0, 2, 0x40000000, 0x20000, 0x40001000, 0x21000, true);
out:
	for (i = 0; i < NR_PROCESSES; i++)
		iommu_vtd_s1_free(processes[i].table);
	return rc;
}
