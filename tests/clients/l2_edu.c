// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * l2_edu phys|vfio: in a guest of the guest, have the edu device copy memory to
 * itself and back, and say "edu ok" when it arrived.
 *
 * phys: with physical addresses, which /proc/self/pagemap tells; for machines
 * without an IOMMU. vfio: through the container of the stock vfio-pci.
 */
#include <stdbool.h>
#include "l2.h"

#define IOVA	0x400000u
#define PAGES	16
#define BYTES	4095	/* QEMU 7.2 takes the last one for one too many */

static volatile uint32_t *regs;

static uint64_t phys_of(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	if (pread(fd, &entry, 8, (off_t)((uintptr_t)p / 4096 * 8)) != 8)
		err(1, "pagemap");
	close(fd);
	return (entry & ((1ull << 55) - 1)) * 4096;
}

static void open_phys(const char *bdf)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", bdf);
	put(path, "1");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	enable(fd, 0);
	close(fd);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	regs = map_or_die(fd, 4096, MAP_SHARED, 0);
}

static void open_mapped(const char *bdf, void *mem)
{
	struct function f = open_vfio(bdf);

	if (dma_map(f.container, mem, IOVA, PAGES * 4096))
		err(1, "map");
	regs = map_bar(f.device, 0, 4096);
}

/* Registers of 64 bits are written as one half: addresses have 28 bits. */
static void transfer(uint64_t from, uint64_t to, unsigned int to_mem)
{
	unsigned int i;

	if (from >> 28 || to >> 28)
		errx(1, "addresses %#llx, %#llx are beyond it", (unsigned long long)from,
		     (unsigned long long)to);
	regs[0x80 / 4] = (uint32_t)from;
	regs[0x88 / 4] = (uint32_t)to;
	regs[0x90 / 4] = BYTES;
	regs[0x98 / 4] = 1 | to_mem << 1;
	for (i = 0; i < 5000 && regs[0x98 / 4] & 1; i++)
		usleep(1000);
	if (regs[0x98 / 4] & 1)
		errx(1, "a transfer does not end");
}

int main(int argc, char **argv)
{
	const bool vfio = argc > 1 && !strcmp(argv[1], "vfio");
	unsigned char *mem;
	unsigned int i, j;
	char bdf[16];

	mem = map_or_die(-1, PAGES * 4096, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, 0);
	if (mlock(mem, PAGES * 4096))
		err(1, "mlock");
	memset(mem, 0, PAGES * 4096);
	find_function(0x1234, 0x11e8, bdf);
	if (vfio)
		open_mapped(bdf, mem);
	else
		open_phys(bdf);
	if ((regs[0] & 0xff) != 0xed)
		errx(1, "its identification reads %#x", regs[0]);

	for (i = 0; i + 1 < PAGES; i += 2) {
		unsigned char *from = mem + i * 4096, *to = from + 4096;

		for (j = 0; j < BYTES; j++)
			from[j] = (unsigned char)(j * 7 + i + j / 251);
		transfer(vfio ? IOVA + i * 4096 : phys_of(from), 0x40000, 0);
		transfer(0x40000, vfio ? IOVA + (i + 1) * 4096 : phys_of(to), 1);
		if (memcmp(from, to, BYTES))
			errx(1, "page %u did not arrive", i);
	}
	puts("edu ok");
	return 0;
}
