// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A complete driver for a DMA engine: QEMU's "edu" device copies 2 KiB from one
 * buffer of this program into its own memory, and from there into another
 * buffer. docs/libiommu.md walks through it.
 *
 *	edu-copy BDF		copy and compare
 *	edu-copy BDF --stray	then let the device write where nothing is mapped
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <iommu/iommu.h>

/* The device's registers, all in BAR 0. */
#define EDU_ID		0x00
#define EDU_IRQ_STATUS	0x24
#define EDU_IRQ_ACK	0x64
#define EDU_DMA_FROM	0x80
#define EDU_DMA_TO	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98

#define EDU_ID_MASK	0x0000ffff
#define EDU_ID_MAGIC	0x000000ed
#define EDU_CMD_START	0x1
#define EDU_CMD_TO_RAM	0x2
#define EDU_CMD_IRQ	0x4
#define EDU_MEMORY	0x40000
#define EDU_ADDR_BITS	28

#define LEN		2048	/* of 4096: it never takes the last byte */
#define LABEL		0xed0
#define TIMEOUT_MS	10000

struct edu {
	struct iommu_ctx *ctx;
	struct iommu_dev *dev;
	volatile uint8_t *regs;
	size_t regs_len;
	uint32_t ioasid;
	struct iommu_buf *from, *to;
};

static uint32_t read32(struct edu *edu, unsigned int reg)
{
	return *(volatile uint32_t *)(edu->regs + reg);
}

static void write32(struct edu *edu, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(edu->regs + reg) = value;
}

static void write64(struct edu *edu, unsigned int reg, uint64_t value)
{
	*(volatile uint64_t *)(edu->regs + reg) = value;
}

/* Open the device: from here on it is ours, and its DMA is blocked. */
static int open_device(struct edu *edu, const char *bdf)
{
	void *regs;
	int rc;

	rc = iommu_ctx_open(edu->ctx);
	if (rc)
		return rc;
	rc = iommu_dev_open(edu->ctx, bdf, LABEL, &edu->dev);
	if (rc)
		return rc;
	rc = iommu_region_map(edu->dev, IOMMU_REGION_BAR0, &regs, &edu->regs_len);
	if (rc)
		return rc;
	edu->regs = regs;
	if ((read32(edu, EDU_ID) & EDU_ID_MASK) != EDU_ID_MAGIC) {
		fprintf(stderr, "%s is not an edu device\n", bdf);
		return -1;
	}
	return 0;
}

/* Make an address space, attach the device to it, and fill it. */
static int make_buffers(struct edu *edu)
{
	/*
	 * The device drives 28 address lines, which its IOMMU cannot know. An
	 * address space of that width has no other addresses to give out.
	 */
	struct iommu_ioasid_alloc spec = {
		.size = sizeof(spec),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.addr_width_bits = EDU_ADDR_BITS,
	};
	int rc;

	rc = iommu_ioas_alloc(edu->ctx, &spec, &edu->ioasid);
	if (rc)
		return rc;
	rc = iommu_dev_attach(edu->dev, edu->ioasid);
	if (rc)
		return rc;
	rc = iommu_buf_alloc(edu->ctx, edu->ioasid, LEN, IOMMU_BUF_ANON,
			     &edu->from);
	if (rc)
		return rc;
	return iommu_buf_alloc(edu->ctx, edu->ioasid, LEN, IOMMU_BUF_MEMFD,
			       &edu->to);
}

/* One transfer, and wait for the interrupt that ends it. */
static int transfer(struct edu *edu, uint64_t from, uint64_t to, uint32_t cmd)
{
	int rc;

	write64(edu, EDU_DMA_FROM, from);
	write64(edu, EDU_DMA_TO, to);
	write64(edu, EDU_DMA_COUNT, LEN);
	write64(edu, EDU_DMA_CMD, cmd | EDU_CMD_START | EDU_CMD_IRQ);
	rc = iommu_irq_wait(edu->dev, 0, TIMEOUT_MS, NULL);
	if (rc)
		return rc;
	write32(edu, EDU_IRQ_ACK, read32(edu, EDU_IRQ_STATUS));
	return 0;
}

static int copy(struct edu *edu)
{
	uint8_t *from = iommu_buf_addr(edu->from);
	uint8_t *to = iommu_buf_addr(edu->to);
	unsigned int i;
	int rc;

	for (i = 0; i < LEN; i++)
		from[i] = (uint8_t)(i * 7 + i / 256);

	/* A device may interrupt by DMA only when it may do DMA at all. */
	rc = iommu_irq_enable(edu->dev, IOMMU_IRQ_MSI, 1);
	if (rc)
		return rc;
	rc = iommu_pci_set_bus_master(edu->dev, true);
	if (rc)
		return rc;

	rc = transfer(edu, iommu_buf_iova(edu->from), EDU_MEMORY, 0);
	if (rc)
		return rc;
	rc = transfer(edu, EDU_MEMORY, iommu_buf_iova(edu->to), EDU_CMD_TO_RAM);
	if (rc)
		return rc;

	if (memcmp(from, to, LEN)) {
		fprintf(stderr, "the copy differs from the original\n");
		return -1;
	}
	printf("copied %d bytes through the device: equal\n", LEN);
	return 0;
}

/* The IOMMU refuses this; the device never notices. */
static int stray(struct edu *edu)
{
	uint64_t iova = iommu_buf_iova(edu->to);
	int rc;

	iommu_buf_free(edu->to);
	edu->to = NULL;
	rc = transfer(edu, EDU_MEMORY, iova, EDU_CMD_TO_RAM);
	if (!rc)
		printf("wrote to %#llx, where nothing is mapped any more\n",
		       (unsigned long long)iova);
	return rc;
}

int main(int argc, char **argv)
{
	struct edu edu = {};
	int rc;

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "--stray"))) {
		fprintf(stderr, "usage: edu-copy BDF [--stray]\n");
		return 2;
	}
	edu.ctx = iommu_ctx_new();
	if (!edu.ctx)
		return 1;

	rc = open_device(&edu, argv[1]);
	if (!rc)
		rc = make_buffers(&edu);
	if (!rc)
		rc = copy(&edu);
	if (!rc && argc == 3)
		rc = stray(&edu);
	if (rc && *iommu_ctx_error(edu.ctx))
		fprintf(stderr, "%s\n", iommu_ctx_error(edu.ctx));

	/* The device first: then nobody is at the memory any more. */
	if (edu.regs)
		iommu_region_unmap(edu.dev, (void *)edu.regs, edu.regs_len);
	iommu_dev_close(edu.dev);
	iommu_buf_free(edu.from);
	iommu_buf_free(edu.to);
	iommu_ctx_free(edu.ctx);
	return rc ? 1 : 0;
}
