// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "engine.h"

/* edu: all in BAR 0. It does not notice when the IOMMU refuses. */
#define EDU_DMA_FROM	0x80
#define EDU_DMA_TO	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_CMD_START	0x1
#define EDU_CMD_TO_RAM	0x2
#define EDU_MEMORY	0x40000

/* Test hardware: queue 0 in BAR 0, see tests/hw/hw_regs.h. */
#define HQ_CTRL		0x1000
#define HQ_CTRL_PASID	(1u << 20)
#define HQ_SRC		0x1008
#define HQ_DST		0x1010
#define HQ_LEN		0x1018
#define HQ_CMD		0x101c
#define HQ_CMD_COPY	1
#define HQ_STATUS	0x1020
#define HQ_BUSY		1
#define HQ_OK		2

#define TIMEOUT_MS	10000

static uint32_t read32(struct engine *engine, unsigned int reg)
{
	return *(volatile uint32_t *)(engine->regs + reg);
}

static void write32(struct engine *engine, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(engine->regs + reg) = value;
}

static void write64(struct engine *engine, unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)(engine->regs + reg) = value;
}

static int wait_while(struct engine *engine, unsigned int reg, uint32_t bits)
{
	int ms;

	for (ms = 0; ms < TIMEOUT_MS; ms++) {
		if (!(read32(engine, reg) & bits))
			return 0;
		usleep(1000);
	}
	fprintf(stderr, "%s does not answer\n", iommu_dev_name(engine->dev));
	return -ETIMEDOUT;
}

static int edu_transfer(struct engine *engine, uint64_t from, uint64_t to,
			uint32_t cmd)
{
	write64(engine, EDU_DMA_FROM, from);
	write64(engine, EDU_DMA_TO, to);
	write64(engine, EDU_DMA_COUNT, ENGINE_BYTES);
	write64(engine, EDU_DMA_CMD, cmd | EDU_CMD_START);
	return wait_while(engine, EDU_DMA_CMD, EDU_CMD_START);
}

static int edu_copy(struct engine *engine, uint64_t from, uint64_t to,
		    uint32_t pasid)
{
	int rc;

	if (pasid)
		return -EINVAL;
	rc = edu_transfer(engine, from, EDU_MEMORY, 0);
	return rc ? rc : edu_transfer(engine, EDU_MEMORY, to, EDU_CMD_TO_RAM);
}

static int hw_copy(struct engine *engine, uint64_t from, uint64_t to,
		   uint32_t pasid)
{
	uint32_t status = HQ_BUSY;
	int ms;

	write32(engine, HQ_CTRL, pasid ? HQ_CTRL_PASID | pasid : 0);
	write64(engine, HQ_SRC, from);
	write64(engine, HQ_DST, to);
	write32(engine, HQ_LEN, ENGINE_BYTES);
	write32(engine, HQ_CMD, HQ_CMD_COPY);
	for (ms = 0; ms < TIMEOUT_MS && status == HQ_BUSY; ms++) {
		status = read32(engine, HQ_STATUS);
		if (status == HQ_BUSY)
			usleep(1000);
	}
	if (status == HQ_BUSY)
		return -ETIMEDOUT;
	return status == HQ_OK ? 0 : -EFAULT;
}

static const struct engine_kind kinds[] = {
	{ "edu", 0x11e81234, 28, edu_copy },
	{ "test hardware", 0x1ec11234, 64, hw_copy },
};

int engine_open(struct engine *engine, struct iommu_ctx *ctx, const char *bdf,
		uint64_t label)
{
	unsigned int i;
	uint32_t id;
	void *regs;
	int rc;

	rc = iommu_dev_open(ctx, bdf, label, &engine->dev);
	if (rc)
		return rc;
	rc = iommu_pci_read32(engine->dev, 0, &id);
	if (rc)
		return rc;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].vendor_device == id)
			engine->kind = &kinds[i];
	if (!engine->kind) {
		fprintf(stderr, "%s is no device that copies memory\n", bdf);
		return -ENODEV;
	}
	rc = iommu_region_map(engine->dev, IOMMU_REGION_BAR0, &regs,
			      &engine->regs_len);
	if (rc)
		return rc;
	engine->regs = regs;
	return iommu_pci_set_bus_master(engine->dev, true);
}

void engine_close(struct engine *engine)
{
	if (engine->regs)
		iommu_region_unmap(engine->dev, (void *)engine->regs,
				   engine->regs_len);
	iommu_dev_close(engine->dev);
	engine->regs = NULL;
	engine->dev = NULL;
}
