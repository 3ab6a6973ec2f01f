/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the five cases share. Each is the control flow of a virtual machine
 * monitor, cut down to the calls that it makes; docs/nesting.md goes through them.
 */
#ifndef NESTING_H
#define NESTING_H

#include <stdbool.h>
#include <stdint.h>

#include <iommu/iommu.h>

#include "engine.h"

#define PAGE		4096ull
#define MEMORY_BYTES	(2ull << 20)
#define RW		(IOMMU_MAP_READ | IOMMU_MAP_WRITE)

/**
 * struct vm - a virtual machine, as far as its devices' DMA is concerned
 * @ctx: an open context
 * @devices: devices that are bound to it, their DMA blocked
 * @nr_devices: 1 or 2
 * @memory: the guest's memory: guest-physical address 0 is here
 * @addr_bits: width of the addresses that all devices have
 * @problems: what was not as it should be
 */
struct vm {
	struct iommu_ctx *ctx;
	struct engine devices[2];
	unsigned int nr_devices;
	uint8_t *memory;
	unsigned int addr_bits;
	unsigned int problems;
};

/**
 * gpa_alloc() - an address space of the guest's physical addresses
 * @vm: the virtual machine
 * @gpa: output: the IOASID
 *
 * Return: 0 or a negative errno.
 */
int gpa_alloc(struct vm *vm, uint32_t *gpa);

/** gpa_map() - map the guest's memory into it, from address 0 on */
int gpa_map(struct vm *vm, uint32_t gpa);

/**
 * gpa_begin() - the guest's physical addresses, with both devices in them
 * @vm: the machine
 * @gpa: receives the address space, which maps all of its memory
 */
int gpa_begin(struct vm *vm, uint32_t *gpa);

/**
 * check_moves() - let a device copy, and look whether it has
 * @vm: the virtual machine
 * @device: which device
 * @pasid: with this PASID, 0: without
 * @from: address as the device sees it
 * @from_gpa: where that should be in the guest's memory
 * @to: address as the device sees it
 * @to_gpa: where that should be in the guest's memory
 * @want: should it have?
 */
void check_moves(struct vm *vm, unsigned int device, uint32_t pasid,
		 uint64_t from, uint64_t from_gpa, uint64_t to, uint64_t to_gpa,
		 bool want);

/** say_realised() - print whether hardware nests a child or the kernel composes it */
int say_realised(struct vm *vm, uint32_t child);

/* The cases; each returns 0 or a negative errno that the context explains. */
int case_simple(struct vm *vm);
int case_several(struct vm *vm);
int case_software(struct vm *vm);
int case_hardware(struct vm *vm);
int case_vsva(struct vm *vm);

#endif /* NESTING_H */
