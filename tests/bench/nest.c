// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What it costs to give a guest an IOMMU: bench-nest DEVICE [FLOW].
 *
 * The guest has 64 MiB of memory, which its address space (GPA) maps. It maps a
 * page for DMA at an address of its choice (GIOVA), and unmaps it again. The
 * flows are what a VMM can do about that:
 *
 *	nested    the guest's own table, walked by hardware
 *	composed  the guest's own table, composed by the kernel
 *	child     a child that the kernel manages: MAP_DMA from GPA
 *	shadow    a second root: the VMM translates, MAP_DMA from its memory
 *
 * map and unmap are what the VMM and the kernel do for one page; the guest's own
 * stores to its table are not counted.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/ioasid.h>
#include "bench.h"

#define RAM		MIB(64)
#define ROUNDS		257
#define GIOVA		0x40000000ULL	/* where the guest maps */
#define MAX_ENTRIES	256

/* First-level entries: present, writable, for users, and used already */
#define ENTRY		0x67ULL

struct flow {
	const char *name;
	uint32_t type;
	uint32_t nesting;
	int root;			/* not a child */
	int on_map;			/* a table of the guest's: invalidate on map */
};

static const struct flow flows[] = {
	{ "nested", IOMMU_IOASID_USER_MANAGED, IOMMU_NESTING_HARDWARE, 0, 0 },
	{ "composed", IOMMU_IOASID_USER_MANAGED, IOMMU_NESTING_SOFTWARE, 0, 1 },
	{ "child", IOMMU_IOASID_KERNEL_MANAGED, IOMMU_NESTING_AUTO, 0, 0 },
	{ "shadow", IOMMU_IOASID_KERNEL_MANAGED, IOMMU_NESTING_AUTO, 1, 0 },
};

static const struct flow *flow;
static int iommu_fd, device_fd;
static uint32_t gpa, space;
static char *ram;

static int open_iommu(void)
{
	int fd = open("/dev/iommu", O_RDWR);

	if (fd < 0)
		die("/dev/iommu");
	return fd;
}

static uint32_t alloc(uint32_t type, uint32_t parent, uint32_t nesting)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = type,
		.parent = parent,
		.nesting = nesting,
	};

	if (type == IOMMU_IOASID_USER_MANAGED) {
		cmd.format = IOMMU_FORMAT_VTD_S1;
		cmd.addr_width_bits = 48;
	}
	if (ioctl(iommu_fd, IOMMU_IOASID_ALLOC, &cmd))
		die("IOMMU_IOASID_ALLOC");
	return cmd.ioasid;
}

static void map(uint32_t ioasid, uint64_t source, uint64_t bytes, uint64_t iova)
{
	struct iommu_map_dma cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_MAP_READ | IOMMU_MAP_WRITE | IOMMU_MAP_FIXED_IOVA,
		.ioasid = ioasid,
		.source = source,
		.length = bytes,
		.iova = iova,
	};

	if (ioctl(iommu_fd, IOMMU_MAP_DMA, &cmd))
		die("IOMMU_MAP_DMA");
}

static void unmap(uint32_t ioasid, uint64_t iova, uint64_t bytes)
{
	struct iommu_unmap_dma cmd = {
		.size = sizeof(cmd),
		.ioasid = ioasid,
		.iova = iova,
		.length = bytes,
	};

	if (ioctl(iommu_fd, IOMMU_UNMAP_DMA, &cmd))
		die("IOMMU_UNMAP_DMA");
}

static void invalidate(uint64_t addr, uint64_t bytes, unsigned int n)
{
	static struct iommu_invalidate_entry entries[MAX_ENTRIES];
	struct iommu_invalidate_cache cmd = {
		.size = sizeof(cmd),
		.ioasid = space,
		.entries = (uintptr_t)entries,
		.entry_len_bytes = sizeof(entries[0]),
		.nr_entries = n,
	};
	unsigned int i;

	for (i = 0; i < n; i++) {
		entries[i].flags = IOMMU_INVALIDATE_LEAF;
		entries[i].granularity = IOMMU_INVALIDATE_RANGE;
		entries[i].addr = addr + i * bytes;
		entries[i].length = bytes;
	}
	if (ioctl(iommu_fd, IOMMU_INVALIDATE_CACHE, &cmd))
		die("IOMMU_INVALIDATE_CACHE");
}

/*
 * The guest's table is at its address 0: a page of each upper level, and a page
 * of leaves for each 2 MiB that it maps, which is as much as it has memory.
 */
static uint64_t *leaf(uint64_t giova)
{
	return (uint64_t *)(ram + 3 * PAGE) + (giova - GIOVA) / PAGE;
}

static void build_table(void)
{
	uint64_t *level4 = (uint64_t *)ram;
	uint64_t *level3 = (uint64_t *)(ram + PAGE);
	uint64_t *level2 = (uint64_t *)(ram + 2 * PAGE);
	size_t i;

	memset(ram, 0, (3 + RAM / MIB(2)) * PAGE);
	level4[0] = PAGE | ENTRY;
	level3[GIOVA >> 30] = 2 * PAGE | ENTRY;
	for (i = 0; i < RAM / MIB(2); i++)
		level2[i] = (3 + i) * PAGE | ENTRY;
}

/* The page of memory that the guest maps at @giova; not of its table */
static uint64_t target(uint64_t giova)
{
	uint64_t page = (giova - GIOVA) / PAGE * 7919 % (RAM / PAGE - 64);

	return (page + 64) * PAGE;
}

static void flow_open(const char *device)
{
	struct iommu_device_bind bind = { .size = sizeof(bind), .label = 1 };
	struct iommu_device_attach attach = { .size = sizeof(attach) };

	iommu_fd = open_iommu();
	device_fd = open_device(device);
	bind.iommu_fd = iommu_fd;
	if (ioctl(device_fd, IOMMU_DEVICE_BIND_IOMMU_FD, &bind))
		die("IOMMU_DEVICE_BIND_IOMMU_FD");
	ram = memory_scattered(RAM);
	build_table();
	gpa = alloc(IOMMU_IOASID_KERNEL_MANAGED, 0, 0);
	map(gpa, (uintptr_t)ram, RAM, 0);
	space = alloc(flow->type, flow->root ? 0 : gpa, flow->nesting);
	attach.iommu_fd = iommu_fd;
	attach.ioasid = space;
	if (ioctl(device_fd, IOMMU_DEVICE_ATTACH_IOASID, &attach))
		die("IOMMU_DEVICE_ATTACH_IOASID");
}

static void flow_close(void)
{
	close(iommu_fd);
	close(device_fd);
	memory_free(ram, RAM);
}

/* The guest has mapped, or unmapped, what is at @giova: see to it. */
static void guest_maps(uint64_t giova)
{
	if (flow->type == IOMMU_IOASID_KERNEL_MANAGED)
		map(space, target(giova) + (flow->root ? (uintptr_t)ram : 0), PAGE,
		    giova);
	else if (flow->on_map)
		invalidate(giova, PAGE, 1);
}

static void guest_unmaps(uint64_t giova)
{
	if (flow->type == IOMMU_IOASID_KERNEL_MANAGED)
		unmap(space, giova, PAGE);
	else
		invalidate(giova, PAGE, 1);
}

/* A page at a time, with @others mapped below it */
static void one_page(const char *suffix, unsigned int others)
{
	static uint64_t in[ROUNDS], out[ROUNDS];
	char name[32];
	uint64_t start;
	unsigned int i;

	for (i = 0; i < others; i++) {
		*leaf(GIOVA + i * PAGE) = target(GIOVA + i * PAGE) | ENTRY;
		guest_maps(GIOVA + i * PAGE);
	}
	for (i = 0; i < ROUNDS; i++) {
		uint64_t giova = GIOVA + (others + i * 13) * PAGE;

		*leaf(giova) = target(giova) | ENTRY;
		start = now();
		guest_maps(giova);
		in[i] = since(start);
		*leaf(giova) = 0;
		start = now();
		guest_unmaps(giova);
		out[i] = since(start);
	}
	snprintf(name, sizeof(name), "%s%s", flow->name, suffix);
	result(name, "map", 1, median(in, ROUNDS), ROUNDS);
	result(name, "unmap", 1, median(out, ROUNDS), ROUNDS);
}

/* By size of the range and by size of the array, with nothing changed */
static void invalidations(void)
{
	static const unsigned int pages[] = { 1, 64, 512, 8192 };
	static const unsigned int entries[] = { 1, 16, MAX_ENTRIES };
	uint64_t cost[5];
	char operation[32];
	unsigned int i, k;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		for (k = 0; k < 5; k++) {
			uint64_t start = now();

			invalidate(GIOVA, pages[i] * PAGE, 1);
			cost[k] = since(start);
		}
		snprintf(operation, sizeof(operation), "range-%u", pages[i]);
		result(flow->name, operation, 1, median(cost, 5), 5);
	}
	for (i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		for (k = 0; k < 5; k++) {
			uint64_t start = now();

			invalidate(GIOVA, PAGE, entries[i]);
			cost[k] = since(start);
		}
		snprintf(operation, sizeof(operation), "array-%u", entries[i]);
		result(flow->name, operation, entries[i], median(cost, 5), 5);
	}
}

int main(int argc, char **argv)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	size_t i;

	if (argc < 2) {
		fprintf(stderr, "usage: %s DEVICE [FLOW]\n", argv[0]);
		return 2;
	}
	if (setrlimit(RLIMIT_MEMLOCK, &all))
		die("setrlimit");
	clock_start();
	for (i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		flow = &flows[i];
		if (argc > 2 && strcmp(argv[2], flow->name))
			continue;
		printf("nest: %s\n", flow->name);
		flow_open(argv[1]);
		one_page("", 0);
		one_page("-among-4096", 4096);
		if (flow->type == IOMMU_IOASID_USER_MANAGED)
			invalidations();
		flow_close();
	}
	return 0;
}
