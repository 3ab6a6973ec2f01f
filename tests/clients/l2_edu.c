// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * l2_edu phys|vfio: in a guest of the guest, have the edu device copy memory to
 * itself and back, and say "edu ok" when it arrived.
 *
 * phys: with physical addresses, which /proc/self/pagemap tells; for machines
 * without an IOMMU. vfio: through the container of the stock vfio-pci.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define IOVA	0x400000u
#define PAGES	16
#define BYTES	4095	/* QEMU 7.2 takes the last one for one too many */

static volatile uint32_t *regs;

static void find_edu(char bdf[16])
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	struct dirent *entry;
	char path[PATH_MAX];
	unsigned int vendor, device;
	FILE *f;

	if (!dir)
		err(1, "sysfs");
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/uevent", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		while (fgets(path, sizeof(path), f)) {
			if (sscanf(path, "PCI_ID=%x:%x", &vendor, &device) == 2 &&
			    vendor == 0x1234 && device == 0x11e8) {
				snprintf(bdf, 16, "%.15s", entry->d_name);
				fclose(f);
				closedir(dir);
				return;
			}
		}
		fclose(f);
	}
	errx(1, "there is no edu");
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		warn("%s", path);
	close(fd);
}

static void *map_or_die(int fd, size_t bytes, int flags, off_t at)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, at);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

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
	uint16_t command;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", bdf);
	put(path, "1");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (pread(fd, &command, 2, 4) != 2)
		err(1, "config");
	command |= 6;
	if (pwrite(fd, &command, 2, 4) != 2)
		err(1, "config");
	close(fd);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	regs = map_or_die(fd, 4096, MAP_SHARED, 0);
}

static void open_vfio(const char *bdf, void *mem)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)mem,
		.iova = IOVA,
		.size = PAGES * 4096,
	};
	struct vfio_region_info region = { .argsz = sizeof(region) };
	int container, group, device;
	char path[128], target[PATH_MAX];
	uint16_t command;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	put(path, "vfio-pci");
	put("/sys/bus/pci/drivers_probe", bdf);
	put("/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "1");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		err(1, "the edu has no group");
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%d", atoi(strrchr(target, '/') + 1));
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	group = open(path, O_RDWR | O_CLOEXEC);
	if (container < 0 || group < 0)
		err(1, "%s", path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "container");
	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map))
		err(1, "map");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	if (device < 0)
		err(1, "device");
	region.index = VFIO_PCI_CONFIG_REGION_INDEX;
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) ||
	    pread(device, &command, 2, (off_t)region.offset + 4) != 2)
		err(1, "config");
	command |= 6;
	if (pwrite(device, &command, 2, (off_t)region.offset + 4) != 2)
		err(1, "config");
	region.index = VFIO_PCI_BAR0_REGION_INDEX;
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region))
		err(1, "BAR 0");
	regs = map_or_die(device, 4096, MAP_SHARED, (off_t)region.offset);
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
	find_edu(bdf);
	if (vfio)
		open_vfio(bdf, mem);
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
