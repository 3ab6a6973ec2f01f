// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * l2_hw SECONDS: in a guest of the guest, have an endpoint of the test hardware do DMA
 * through the guest's own IOMMU driver, and say "hw ok" when for SECONDS
 *
 * - what is mapped is reached, and after unmapping is not any more;
 * - an address that is mapped to other memory leads there and no longer to the old;
 * - the unit in front of the endpoint found nothing missing in the guest's own table
 *   but what was unmapped, see FS_NOT_PRESENT.
 *
 * The unit's caches forget what an invalidation names and nothing else.
 */
#include <time.h>
#include "l2.h"
#include "../hw/hw_regs.h"

#define IOVA		0x7f0000000000ull	/* not an address of memory */
#define PAGES		64
#define BYTES		(PAGES * 4096u)
#define FS_NOT_PRESENT	0x71		/* VT-d specification 7.1.3: first stage */

static volatile uint8_t *bar;

static volatile uint32_t *queue_reg(unsigned int reg)
{
	return (volatile uint32_t *)(bar + HW_QUEUE(0) + reg);
}

static void write64(unsigned int reg, uint64_t value)
{
	*queue_reg(reg) = (uint32_t)value;
	*queue_reg(reg + 4) = (uint32_t)(value >> 32);
}

/* Copy by the endpoint; its status. */
static uint32_t copy(uint64_t from, uint64_t to, uint32_t bytes)
{
	unsigned int i;

	write64(HQ_SRC, from);
	write64(HQ_DST, to);
	*queue_reg(HQ_LEN) = bytes;
	*queue_reg(HQ_CMD) = HQ_CMD_COPY;
	for (i = 0; i < 30000 && *queue_reg(HQ_STATUS) == HQ_BUSY; i++)
		usleep(1000);
	return *queue_reg(HQ_STATUS);
}

static void fill(unsigned char *mem, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < BYTES; i++)
		mem[i] = (unsigned char)(i * 7 + seed + i / 4093);
}

static unsigned char *memory(void)
{
	return map_or_die(-1, BYTES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, 0);
}

static void one_round(int container, unsigned char *from, unsigned char *to[2],
		      unsigned int round)
{
	unsigned char *now = to[round & 1], *before = to[~round & 1];
	uint64_t target = IOVA + BYTES;
	uint32_t status;

	fill(from, round);
	memset(now, 0, BYTES);
	memset(before, 0, BYTES);
	if (dma_map(container, now, target, BYTES))
		err(1, "map");
	status = copy(IOVA, target, BYTES);
	if (status != HQ_OK)
		errx(1, "round %u: status %u, reason %#x", round, status, *queue_reg(HQ_REASON));
	if (memcmp(from, now, BYTES))
		errx(1, "round %u: it did not arrive", round);
	if (before[0] || memcmp(before, before + 1, BYTES - 1))
		errx(1, "round %u: it went to what was mapped before", round);
	if (dma_unmap(container, target, BYTES))
		err(1, "unmap");
	status = copy(IOVA, target, 4096);
	if (status != HQ_FAULT)
		errx(1, "round %u: unmapped, and status %u", round, status);
	if ((*queue_reg(HQ_REASON) & 0xff) != FS_NOT_PRESENT)
		errx(1, "round %u: refused for another reason, %#x", round, *queue_reg(HQ_REASON));
}

int main(int argc, char **argv)
{
	const time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0);
	unsigned char *from = memory(), *to[2] = { memory(), memory() };
	unsigned int round = 0;
	struct function f;
	char bdf[16];

	find_function(HW_VENDOR, HW_ENDPOINT_DEVICE, bdf);
	f = open_vfio(bdf);
	bar = map_bar(f.device, 0, HW_BAR0_BYTES);
	if (*(volatile uint32_t *)(bar + HW_ID) != HW_ID_VALUE)
		errx(1, "its identification is another");
	if (dma_map(f.container, from, IOVA, BYTES))
		err(1, "map");
	do
		one_round(f.container, from, to, round++);
	while (round < 4 || time(NULL) < end);
	printf("hw ok, %u rounds\n", round);
	return 0;
}
