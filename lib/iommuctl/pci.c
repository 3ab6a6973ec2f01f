// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pci.h"
#include "sys.h"

#define DEVICE "/sys/bus/pci/devices/%s"

static void find_vfio(struct pci_function *fn)
{
	char **names = sys_names(DEVICE "/vfio-dev", fn->bdf);

	if (names[0]) {
		snprintf(fn->vfio, sizeof(fn->vfio), "%s", names[0]);
		fn->has_cdev = sys_exists(DEVICE "/vfio-dev/%s/dev", fn->bdf,
					  names[0]);
	}
	sys_names_free(names);
}

bool pci_load(struct pci_function *fn, const char *bdf)
{
	uint64_t value;

	memset(fn, 0, sizeof(*fn));
	snprintf(fn->bdf, sizeof(fn->bdf), "%s", bdf);
	if (!sys_exists(DEVICE, bdf))
		return false;
	if (sys_read_hex(&value, DEVICE "/vendor", bdf))
		fn->vendor = (unsigned int)value;
	if (sys_read_hex(&value, DEVICE "/device", bdf))
		fn->device = (unsigned int)value;
	if (sys_read_hex(&value, DEVICE "/class", bdf))
		fn->class = (unsigned int)value;
	sys_link(fn->driver, sizeof(fn->driver), DEVICE "/driver", bdf);
	sys_link(fn->group, sizeof(fn->group), DEVICE "/iommu_group", bdf);
	sys_link(fn->unit, sizeof(fn->unit), DEVICE "/iommu", bdf);
	sys_read(fn->override, sizeof(fn->override), DEVICE "/driver_override",
		 bdf);
	if (!strcmp(fn->override, "(null)"))
		fn->override[0] = '\0';
	find_vfio(fn);
	return true;
}

const char *pci_class_name(unsigned int class)
{
	static const struct {
		unsigned int prefix, shift;
		const char *name;
	} names[] = {
		{ 0x0100, 8, "SCSI" }, { 0x0101, 8, "IDE" }, { 0x0104, 8, "RAID" },
		{ 0x0106, 8, "SATA" }, { 0x0108, 8, "NVMe" }, { 0x01, 16, "storage" },
		{ 0x0200, 8, "Ethernet" }, { 0x02, 16, "network" },
		{ 0x03, 16, "display" }, { 0x04, 16, "multimedia" },
		{ 0x05, 16, "memory" }, { 0x0600, 8, "host bridge" },
		{ 0x0601, 8, "ISA bridge" }, { 0x0604, 8, "PCI bridge" },
		{ 0x06, 16, "bridge" }, { 0x07, 16, "communication" },
		{ 0x0806, 8, "IOMMU" }, { 0x08, 16, "system" },
		{ 0x0c03, 8, "USB" }, { 0x0c05, 8, "SMBus" },
		{ 0x0c, 16, "serial bus" }, { 0x0d, 16, "wireless" },
		{ 0x10, 16, "encryption" }, { 0x12, 16, "accelerator" },
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (class >> names[i].shift == names[i].prefix)
			return names[i].name;
	return "other";
}

/* Is block device @name somewhere below the function? */
static bool block_is_below(const char *name, const char *bdf)
{
	char *path = sys_path("/sys/class/block/%s", name);
	char *real = realpath(path, NULL), *needle = xasprintf("/%s/", bdf);
	bool below = real && strstr(real, needle);

	free(needle);
	free(real);
	free(path);
	return below;
}

static char *find_mount(const char *devt)
{
	char *path = sys_path("/proc/self/mountinfo"), *found = NULL;
	char line[4096], number[32], where[1024];
	FILE *file = fopen(path, "re");

	free(path);
	while (file && !found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %31s %*s %1023s", number, where) == 2 &&
		    !strcmp(number, devt))
			found = xasprintf("mounted on %s", where);
	if (file)
		fclose(file);
	return found;
}

static char *find_swap(const char *name)
{
	char *path = sys_path("/proc/swaps"), *found = NULL;
	char *needle = xasprintf("/dev/%s ", name), line[4096];
	FILE *file = fopen(path, "re");

	free(path);
	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\t")] = ' ';
		if (!strncmp(line, needle, strlen(needle)))
			found = xasprintf("used as swap space");
	}
	if (file)
		fclose(file);
	free(needle);
	return found;
}

char *pci_disk_use(const char *bdf)
{
	char **names = sys_names("/sys/class/block"), *found = NULL, devt[32];
	size_t i;

	for (i = 0; names[i] && !found; i++) {
		if (!block_is_below(names[i], bdf))
			continue;
		if (sys_read(devt, sizeof(devt), "/sys/class/block/%s/dev",
			     names[i]))
			found = find_mount(devt);
		if (!found)
			found = find_swap(names[i]);
	}
	sys_names_free(names);
	return found;
}
