// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How a virtual machine monitor gives its guest's devices their memory: the five
 * use cases of address spaces in address spaces, with real DMA.
 *
 *	nesting CASE BDF [BDF]
 *
 * CASE is simple, several, software, hardware or vsva. Ends with 0 when every DMA
 * went where it should and nowhere else.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "nesting.h"

static const struct {
	const char *name;
	int (*run)(struct vm *vm);
	unsigned int devices;
	const char *what;
} cases[] = {
	{ "simple", case_simple, 1, "one address space for the guest's memory" },
	{ "several", case_several, 2, "a second one, without nesting" },
	{ "software", case_software, 2, "a child that the kernel fills" },
	{ "hardware", case_hardware, 1, "a child that is the guest's own table" },
	{ "vsva", case_vsva, 1, "one such child for each PASID" },
};

int gpa_alloc(struct vm *vm, uint32_t *gpa)
{
	struct iommu_ioasid_alloc spec = {
		.size = sizeof(spec),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		/* For edu, whose IOMMU cannot know how few lines it drives. */
		.addr_width_bits = vm->addr_bits < 39 ? vm->addr_bits : 0,
	};

	return iommu_ioas_alloc(vm->ctx, &spec, gpa);
}

int gpa_map(struct vm *vm, uint32_t gpa)
{
	return iommu_map_fixed(vm->ctx, gpa, vm->memory, MEMORY_BYTES, RW, 0);
}

int gpa_begin(struct vm *vm, uint32_t *gpa)
{
	unsigned int i;
	int rc;

	rc = gpa_alloc(vm, gpa);
	for (i = 0; !rc && i < 2; i++)
		rc = iommu_dev_attach(vm->devices[i].dev, *gpa);
	return rc ? rc : gpa_map(vm, *gpa);
}

void check_moves(struct vm *vm, unsigned int device, uint32_t pasid,
		 uint64_t from, uint64_t from_gpa, uint64_t to, uint64_t to_gpa,
		 bool want)
{
	struct engine *engine = &vm->devices[device];
	uint32_t *source = (uint32_t *)(vm->memory + from_gpa);
	uint32_t *target = (uint32_t *)(vm->memory + to_gpa);
	static uint32_t seed;
	bool moved, as_wanted;
	unsigned int i;
	int rc;

	/* Never the same twice: what the device still has of earlier is wrong. */
	seed++;
	for (i = 0; i < ENGINE_BYTES / 4; i++) {
		source[i] = seed << 16 | i;
		target[i] = 0;
	}
	rc = engine->kind->copy(engine, from, to, pasid);
	moved = !memcmp(source, target, ENGINE_BYTES);
	/* Either all of it, and without a complaint, or none. */
	as_wanted = want ? moved && !rc : !moved && (!rc || rc == -EFAULT);
	printf("  %s", iommu_dev_name(engine->dev));
	if (pasid)
		printf(", PASID %u", pasid);
	printf(": %#llx to %#llx %s%s\n", (unsigned long long)from,
	       (unsigned long long)to, moved ? "copied" : "refused",
	       as_wanted ? "" : ", WHICH IS WRONG");
	if (!as_wanted)
		vm->problems++;
}

int say_realised(struct vm *vm, uint32_t child)
{
	struct iommu_ioas_info *info;
	int rc;

	rc = iommu_ioas_get_info(vm->ctx, child, &info);
	if (rc)
		return rc;
	printf("  IOASID %u in %u: %s\n", child, info->parent,
	       info->flags & IOMMU_IOASID_INFO_HW_NESTED ?
	       "hardware walks both tables" : "composed by the kernel");
	iommu_ioas_info_free(info);
	return 0;
}

static int open_all(struct vm *vm, char **names, unsigned int nr)
{
	int rc;

	rc = iommu_ctx_open(vm->ctx);
	if (rc)
		return rc;
	vm->addr_bits = 64;
	while (vm->nr_devices < nr) {
		struct engine *engine = &vm->devices[vm->nr_devices];

		rc = engine_open(engine, vm->ctx, names[vm->nr_devices],
				 100 + vm->nr_devices);
		vm->nr_devices++;
		if (rc)
			return rc;
		if (engine->kind->addr_bits < vm->addr_bits)
			vm->addr_bits = engine->kind->addr_bits;
	}
	vm->memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return vm->memory == MAP_FAILED ? -errno : 0;
}

static int usage(void)
{
	unsigned int i;

	fprintf(stderr, "usage: nesting CASE BDF [BDF]\n");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fprintf(stderr, "  %-9s %s\n", cases[i].name, cases[i].what);
	return 2;
}

int main(int argc, char **argv)
{
	struct vm vm = {};
	unsigned int i, nr = (unsigned int)argc - 2;
	int rc;

	for (i = 0; argc > 2 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (!strcmp(argv[1], cases[i].name))
			break;
	if (argc < 3 || argc > 4 || i == sizeof(cases) / sizeof(cases[0]) ||
	    nr < cases[i].devices)
		return usage();
	vm.ctx = iommu_ctx_new();
	if (!vm.ctx)
		return 1;
	printf("%s: %s\n", cases[i].name, cases[i].what);
	rc = open_all(&vm, argv + 2, nr);
	if (!rc)
		rc = cases[i].run(&vm);
	if (rc && *iommu_ctx_error(vm.ctx))
		fprintf(stderr, "%s\n", iommu_ctx_error(vm.ctx));

	/* The devices first. The context takes its address spaces with it. */
	engine_close(&vm.devices[0]);
	engine_close(&vm.devices[1]);
	iommu_ctx_free(vm.ctx);
	return rc || vm.problems ? 1 : 0;
}
