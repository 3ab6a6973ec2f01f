/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device that copies memory: QEMU's "edu", or an endpoint of the test hardware
 * (tests/hw), which also knows PASIDs.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include <iommu/iommu.h>

#define ENGINE_BYTES 2048	/* it copies in one go */

struct engine;

/**
 * struct engine_kind - what there is to know of a kind of device
 * @name: for people
 * @vendor_device: first 32 bits of its configuration space
 * @addr_bits: address lines that it has
 * @copy: copy ENGINE_BYTES; 0; -EFAULT: the IOMMU refused; -ETIMEDOUT
 */
struct engine_kind {
	const char *name;
	uint32_t vendor_device;
	unsigned int addr_bits;
	int (*copy)(struct engine *engine, uint64_t from, uint64_t to,
		    uint32_t pasid);
};

/**
 * struct engine - one such device
 * @dev: bound
 * @kind: what it is
 * @regs: BAR 0
 * @regs_len: its length
 */
struct engine {
	struct iommu_dev *dev;
	const struct engine_kind *kind;
	volatile uint8_t *regs;
	size_t regs_len;
};

/** engine_open() - open and bind one; 0 or a negative errno */
int engine_open(struct engine *engine, struct iommu_ctx *ctx, const char *bdf,
		uint64_t label);

/** engine_close() - close it; does nothing when it is not open */
void engine_close(struct engine *engine);

#endif /* ENGINE_H */
