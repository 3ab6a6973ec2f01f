/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a VMM has: memory of a guest, an address space (GPA) that maps it, and
 * tables that the guest builds in it.
 */
#ifndef GUEST_H
#define GUEST_H

#include "hw.h"
#include "slots.h"

/* First-level entries (VT-d specification 9.7) */
#define S1_P		0x1ULL
#define S1_RW		0x2ULL
#define S1_US		0x4ULL
#define S1_A		0x20ULL
#define S1_D		0x40ULL
#define S1_PS		0x80ULL
#define S1_TABLE	(S1_P | S1_RW | S1_US)
#define S1_ADDR		0xffffffffff000ULL

/* Fault reasons (specification 7.1.3) that tests ask for */
#define FR_CONTEXT_NOT_PRESENT		0x41
#define FR_PASID_DIR_NOT_PRESENT	0x51
#define FR_PASID_ENTRY_NOT_PRESENT	0x59
#define FR_EXEC_NOT_ENABLED		0x5c
#define FR_SUPERVISOR_NOT_ENABLED	0x5d
#define FR_FS_NOT_PRESENT		0x71
#define FR_FS_RESERVED			0x72
#define FR_FS_BEYOND_SS			0x74
#define FR_SS_DENIES_FS_TOP		0x75
#define FR_SS_DENIES_FS_TABLE		0x76
#define FR_SS_DENIES_AD			0x77
#define FR_SS_DENIES			0x79
#define FR_NOT_CANONICAL		0x80
#define FR_NOT_FOR_USERS		0x81
#define FR_NO_WRITE			0x85

/**
 * struct guest - a guest
 * @fd: /dev/iommu
 * @gpa: IOASID of its physical addresses
 * @ram: its memory, at 0
 * @bytes: how much
 * @table: where the next page of a table comes from, from the end down
 */
struct guest {
	int fd;
	int gpa;
	unsigned char *ram;
	uint64_t bytes;
	uint64_t table;
};

static struct guest g;

/* The end of @bytes is for tables. */
UNUSED static void guest_start_with(unsigned char *ram, uint64_t bytes)
{
	NEED((g.fd = iommu_open()) >= 0);
	NEED((g.gpa = ioasid_alloc(g.fd)) > 0);
	g.ram = ram;
	g.bytes = bytes;
	g.table = bytes;
}

UNUSED static void guest_start(uint64_t bytes)
{
	unsigned char *ram = pages_alloc(bytes);

	NEED(ram);
	guest_start_with(ram, bytes);
	NEED(!map_at(g.fd, g.gpa, RW, ram, bytes, 0));
}

UNUSED static void bind_dev(struct hw_dev *dev, const char *slot, uint64_t label)
{
	NEED(hw_open(dev, slot));
	NEED(!dev_bind(dev->fd, g.fd, label));
	NEED(hw_start(dev));
}

UNUSED static int child_alloc(int parent)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.parent = (__u32)parent,
	};

	return ioctl(g.fd, IOMMU_IOASID_ALLOC, &cmd) ? -1 : (int)cmd.ioasid;
}

UNUSED static int user_alloc_as(int parent, uint64_t table, unsigned int levels,
				uint32_t nesting, uint64_t flags)
{
	struct iommu_vtd_s1_attrs attrs = { .flags = flags };
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.type = IOMMU_IOASID_USER_MANAGED,
		.format = IOMMU_FORMAT_VTD_S1,
		.addr_width_bits = 12 + 9 * levels,
		.parent = (__u32)parent,
		.nesting = nesting,
		.table_addr = table,
		.attrs = (uintptr_t)&attrs,
		.attrs_len_bytes = sizeof(attrs),
	};

	return ioctl(g.fd, IOMMU_IOASID_ALLOC, &cmd) ? -1 : (int)cmd.ioasid;
}

UNUSED static int user_alloc(uint64_t table, unsigned int levels)
{
	return user_alloc_as(g.gpa, table, levels, IOMMU_NESTING_AUTO, 0);
}

UNUSED static int attachment(struct hw_dev *dev, unsigned long cmd, int ioasid,
			     uint32_t pasid)
{
	struct iommu_device_attach arg = {
		.size = sizeof(arg),
		.iommu_fd = g.fd,
		.ioasid = (__u32)ioasid,
	};

	if (pasid != HW_NO_PASID) {
		arg.flags = IOMMU_DEVICE_ATTACH_VPASID;
		arg.vpasid = pasid;
	}
	return ioctl(dev->fd, cmd, &arg);
}

UNUSED static int attach_pasid(struct hw_dev *dev, int ioasid, uint32_t pasid)
{
	return attachment(dev, IOMMU_DEVICE_ATTACH_IOASID, ioasid, pasid);
}

UNUSED static int detach_pasid(struct hw_dev *dev, int ioasid, uint32_t pasid)
{
	return attachment(dev, IOMMU_DEVICE_DETACH_IOASID, ioasid, pasid);
}

UNUSED static int invalidate_entry(int ioasid,
				   const struct iommu_invalidate_entry *entry)
{
	struct iommu_invalidate_cache cmd = {
		.size = sizeof(cmd),
		.ioasid = (__u32)ioasid,
		.entries = (uintptr_t)entry,
		.entry_len_bytes = sizeof(*entry),
		.nr_entries = 1,
	};

	return ioctl(g.fd, IOMMU_INVALIDATE_CACHE, &cmd);
}

/* @length 0: all of it */
UNUSED static int invalidate(int ioasid, uint64_t addr, uint64_t length)
{
	const struct iommu_invalidate_entry entry = {
		.granularity = length ? IOMMU_INVALIDATE_RANGE :
			       IOMMU_INVALIDATE_ALL,
		.addr = addr,
		.length = length,
	};

	return invalidate_entry(ioasid, &entry);
}

/* An empty page for a table */
UNUSED static uint64_t table_page(void)
{
	g.table -= PAGE;
	memset(g.ram + g.table, 0, PAGE);
	return g.table;
}

UNUSED static uint64_t *s1_slot(uint64_t table, unsigned int level, uint64_t gva)
{
	return (uint64_t *)(g.ram + table) + (gva >> (3 + 9 * level) & 511);
}

/*
 * The entry for @gva of level @leaf in the table at @table; pages on the way there
 * are made.
 */
UNUSED static uint64_t *s1_entry(uint64_t table, unsigned int levels, uint64_t gva,
				 unsigned int leaf)
{
	unsigned int level;

	for (level = levels; level > leaf; level--) {
		uint64_t *slot = s1_slot(table, level, gva);

		if (!*slot)
			*slot = table_page() | S1_TABLE;
		table = *slot & S1_ADDR;
	}
	return s1_slot(table, leaf, gva);
}

UNUSED static void s1_map(uint64_t table, unsigned int levels, uint64_t gva,
			  uint64_t gpa, unsigned int leaf)
{
	*s1_entry(table, levels, gva, leaf) = gpa | S1_TABLE |
					      (leaf > 1 ? S1_PS : 0);
}

/* The requests of queue 0 carry @pasid, or none. */
UNUSED static void as_pasid(struct hw_dev *dev, uint32_t pasid)
{
	hw_requests(dev, 0, pasid, 0);
}

/* The device reads and writes the 8 bytes of memory at @gpa by @iova. */
UNUSED static bool reaches(struct hw_dev *dev, uint64_t iova, uint64_t gpa)
{
	static uint64_t number = 0x1234567800000000ULL;
	uint64_t *word = (uint64_t *)(g.ram + gpa), seen = 0, value;

	*word = ++number;
	if (hw_peek64(dev, 0, iova, &seen) != HQ_OK || seen != number)
		return false;
	value = ++number;
	return hw_poke(dev, 0, iova, &value, 8) == HQ_OK && *word == value;
}

/* 0 when a read at @iova is let through, else the fault reason */
UNUSED static unsigned int read_fault(struct hw_dev *dev, uint64_t iova)
{
	uint64_t value;

	return hw_peek64(dev, 0, iova, &value) == HQ_OK ? 0 : hw_fault(dev, 0);
}

UNUSED static unsigned int write_fault(struct hw_dev *dev, uint64_t iova)
{
	const uint64_t value = 0x5555;

	return hw_poke(dev, 0, iova, &value, 8) == HQ_OK ? 0 : hw_fault(dev, 0);
}

/* Nothing at all is attached for the requests of queue 0. */
UNUSED static bool is_blocked(struct hw_dev *dev, uint64_t iova)
{
	unsigned int fault = read_fault(dev, iova);

	return fault == FR_CONTEXT_NOT_PRESENT ||
	       fault == FR_PASID_DIR_NOT_PRESENT ||
	       fault == FR_PASID_ENTRY_NOT_PRESENT;
}

#endif /* GUEST_H */
