// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checks of what a device can have beyond an address space of its own: nested
 * ones in hardware, and PASIDs. It can be used without either, so these are
 * notes, with the reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ioasid.h>

#include "doctor.h"
#include "sys.h"

#define PCI_EXT_CAP_START	0x100u
#define PCI_EXT_CAP_PASID	0x1bu
#define PCI_CONFIG_BYTES	4096u

/*
 * Why does the unit not do what its registers promise in scalable mode? NULL:
 * nothing is in the way.
 */
static const char *unit_obstacle(const struct patient *patient,
				 const struct unit *unit, char **remedy)
{
	char mode[16];

	*remedy = NULL;
	if (!unit_is_scalable(unit))
		return "has no scalable mode";
	if (strcmp(patient->owner, "iofd_vtd")) {
		*remedy = xasprintf("boot with intel_iommu=off intremap=off and 'modprobe iofd_vtd'");
		return "is driven by the kernel's own driver, which is not asked for it";
	}
	sys_read(mode, sizeof(mode), "/sys/class/iommu/%s/intel-iommu/mode",
		 unit->name);
	if (!strcmp(mode, "legacy")) {
		*remedy = xasprintf("load iofd_vtd with scalable=1, if the unit has second-stage tables in scalable mode");
		return "is in legacy mode";
	}
	return NULL;
}

static void check_hw_nesting(struct patient *patient, const struct unit *unit)
{
	const char *obstacle;
	char *remedy = NULL;

	if (patient->has_abilities &&
	    patient->abilities & IOMMU_DEVICE_INFO_HW_NESTING) {
		finding(patient, FINDING_OK, "nesting", NULL,
			"its IOMMU nests address spaces in hardware");
		return;
	}
	obstacle = unit_nests(unit) ? unit_obstacle(patient, unit, &remedy) :
				      "has no nested translation";
	if (obstacle)
		finding(patient, FINDING_NOTE, "nesting", remedy,
			"its unit %s %s: the kernel composes nested address spaces",
			unit->name, obstacle);
	else if (patient->has_abilities)
		finding(patient, FINDING_NOTE, "nesting", NULL,
			"its unit nests, but not for this function: the kernel composes nested address spaces");
}

/* Has the function the PASID capability? -1: nobody lets us see. */
static int has_pasid_capability(const char *bdf)
{
	char *path = sys_path("/sys/bus/pci/devices/%s/config", bdf);
	FILE *file = fopen(path, "re");
	unsigned char config[PCI_CONFIG_BYTES];
	unsigned int at = PCI_EXT_CAP_START, left = PCI_CONFIG_BYTES / 4;
	size_t len = 0;

	free(path);
	if (file) {
		len = fread(config, 1, sizeof(config), file);
		fclose(file);
	}
	/* Others than root see 64 bytes; a function of old PCI has 256. */
	if (len != sizeof(config))
		return len == 256 ? 0 : -1;
	/* Each step goes somewhere else, or it goes round in circles. */
	while (at >= PCI_EXT_CAP_START && at <= PCI_CONFIG_BYTES - 4 && left--) {
		if ((config[at] | config[at + 1] << 8) == PCI_EXT_CAP_PASID)
			return 1;
		at = (config[at + 2] >> 4 | config[at + 3] << 4) & 0xffcu;
	}
	return 0;
}

static size_t group_size(const struct patient *patient)
{
	char **names = sys_names("/sys/kernel/iommu_groups/%s/devices",
				 patient->fn.group);
	size_t n = 0;

	while (names[n])
		n++;
	sys_names_free(names);
	return n;
}

static void check_pasid(struct patient *patient, const struct unit *unit)
{
	const char *obstacle = NULL;
	char *remedy = NULL;
	int has = has_pasid_capability(patient->fn.bdf);

	if (patient->has_abilities && patient->pasid_width_bits) {
		if (group_size(patient) > 1)
			finding(patient, FINDING_NOTE, "pasid",
				xasprintf("move it to another slot"),
				"it has PASIDs of %u bits, but others in its group, which could use them as well: they cannot be attached",
				patient->pasid_width_bits);
		else
			finding(patient, FINDING_OK, "pasid", NULL,
				"it can have %u PASIDs",
				(1u << patient->pasid_width_bits) - 1);
		return;
	}
	if (!has) {
		finding(patient, FINDING_NOTE, "pasid", NULL,
			"it has no PASIDs: the function lacks the capability");
		return;
	}
	obstacle = unit_pasid_width(unit) ? unit_obstacle(patient, unit, &remedy) :
					    "has no PASIDs";
	if (obstacle)
		finding(patient, FINDING_NOTE, "pasid", remedy,
			"it cannot have PASIDs: its unit %s %s", unit->name,
			obstacle);
	else if (patient->has_abilities)
		finding(patient, FINDING_NOTE, "pasid", NULL,
			has > 0 ? "it cannot have PASIDs, though function and unit know them: it shares its requester ID, or a bridge on the way does not pass them on" :
			"it cannot have PASIDs");
}

void check_nesting(struct patient *patient)
{
	struct unit unit;

	if (!*patient->fn.group || !*patient->fn.unit)
		return;
	unit_load(&unit, patient->fn.unit);
	/* Of other IOMMUs than VT-d there is no more to be seen than that. */
	if (!unit.has_regs)
		return;
	check_hw_nesting(patient, &unit);
	check_pasid(patient, &unit);
}
