// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checks of the device: kind, group, neighbours, driver, interrupts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/ioasid.h>

#include "doctor.h"
#include "nlc.h"
#include "sys.h"

void check_kind(struct patient *patient)
{
	if (pci_is_bridge(patient->fn.class))
		finding(patient, FINDING_PROBLEM, "device", NULL,
			"bridges can be driven by the kernel only");
}

void check_group(struct patient *patient)
{
	if (!patient->has_iommu || !strcmp(patient->owner, "nobody"))
		return;
	if (*patient->fn.group) {
		finding(patient, FINDING_OK, "group", NULL,
			"it is in IOMMU group %s%s%s", patient->fn.group,
			*patient->fn.unit ? ", behind unit " : "",
			patient->fn.unit);
		return;
	}
	finding(patient, FINDING_PROBLEM, "group",
		xasprintf("integrated graphics need intel_iommu=on instead of the default; otherwise look for 'DMAR' in the kernel's log"),
		"it has no IOMMU group: no unit in front of it is switched on");
}

/* Drivers that a group may have beside us: they do no DMA of their own. */
static bool driver_is_harmless(const char *driver)
{
	static const char * const harmless[] = {
		"", DRIVER_NAME, "vfio-pci", "pci-stub", "pcieport",
	};
	size_t i;

	for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (!strcmp(driver, harmless[i]))
			return true;
	return false;
}

static char *neighbour_remedy(const struct pci_function *neighbour)
{
	if (pci_is_bridge(neighbour->class))
		return xasprintf("take it from its driver if the machine can do without: 'echo %s >/sys/bus/pci/devices/%s/driver/unbind'; or move the device to another slot",
				 neighbour->bdf, neighbour->bdf);
	return xasprintf("hand it over too: 'iommuctl bind %s'; or move the device to another slot",
			 neighbour->bdf);
}

void check_neighbours(struct patient *patient)
{
	struct pci_function neighbour;
	size_t i, others = 0, bad = 0;
	char **names;

	if (!*patient->fn.group)
		return;
	names = sys_names("/sys/kernel/iommu_groups/%s/devices",
			  patient->fn.group);
	for (i = 0; names[i]; i++) {
		if (!strcmp(names[i], patient->fn.bdf) ||
		    !pci_load(&neighbour, names[i]))
			continue;
		others++;
		if (driver_is_harmless(neighbour.driver))
			continue;
		bad++;
		finding(patient, FINDING_PROBLEM, "neighbours",
			neighbour_remedy(&neighbour),
			"its group also holds %s (%s), which the kernel drives by %s: the hardware cannot keep the two apart",
			neighbour.bdf, pci_class_name(neighbour.class),
			neighbour.driver);
	}
	sys_names_free(names);
	if (!bad && others)
		finding(patient, FINDING_OK, "neighbours", NULL,
			"its group holds %zu more, none driven by the kernel",
			others);
	else if (!bad)
		finding(patient, FINDING_OK, "neighbours", NULL,
			"it is alone in its group");
}

static void check_device_file(struct patient *patient)
{
	struct pci_function *fn = &patient->fn;
	char *path = sys_path("/dev/vfio/devices/%s", fn->vfio);
	int fd = open(path, O_RDWR | O_CLOEXEC), err = errno;

	if (fd >= 0) {
		close(fd);
		finding(patient, FINDING_OK, "driver", NULL,
			"driven by " DRIVER_NAME ", device file /dev/vfio/devices/%s",
			fn->vfio);
	} else {
		finding(patient, FINDING_PROBLEM, "driver",
			err == EACCES ? xasprintf("ask root for access: chown or a udev rule for SUBSYSTEM==\"vfio-dev\"") :
			NULL, "driven by " DRIVER_NAME ", but /dev/vfio/devices/%s cannot be opened: %s",
			fn->vfio, strerror(err));
	}
	free(path);
}

void check_driver(struct patient *patient)
{
	struct pci_function *fn = &patient->fn;
	char *use;

	if (pci_is_bridge(fn->class))
		return;
	if (!strcmp(fn->driver, DRIVER_NAME)) {
		check_device_file(patient);
		return;
	}
	use = pci_disk_use(fn->bdf);
	if (use)
		finding(patient, FINDING_PROBLEM, "driver",
			xasprintf("end that, then 'iommuctl bind %s'", fn->bdf),
			"driven by %s, and a disk of it is %s", fn->driver, use);
	else if (*fn->driver)
		finding(patient, FINDING_BIND, "driver",
			xasprintf("iommuctl bind %s", fn->bdf),
			"driven by %s and not by " DRIVER_NAME, fn->driver);
	else
		finding(patient, FINDING_BIND, "driver",
			xasprintf("iommuctl bind %s", fn->bdf),
			"has no driver");
	free(use);
}

static void on_device(int cmd, struct nlattr **attrs, void *arg)
{
	struct patient *patient = arg;

	(void)cmd;
	if (attrs[IOMMU_NL_A_BIND_ERROR]) {
		patient->answered = true;
		patient->bind_error = attr_u32(attrs, IOMMU_NL_A_BIND_ERROR);
	}
	if (attrs[IOMMU_NL_A_ABILITIES]) {
		patient->has_abilities = true;
		patient->abilities = attr_u32(attrs, IOMMU_NL_A_ABILITIES);
		patient->pasid_width_bits = attr_u32(attrs, IOMMU_NL_A_PASID_WIDTH);
	}
}

/* Names the programs; returns how many there are. */
static size_t explain_users(struct patient *patient, struct nlc *nl)
{
	const struct nlc_context *context;
	struct nlc_state state;
	size_t i, users = 0;

	if (nlc_load(nl, &state))
		return 0;
	for (i = 0; i < state.nr_bindings; i++) {
		context = nlc_find_context(&state, state.bindings[i].context);
		if (!context || strcmp(state.bindings[i].device, patient->fn.bdf))
			continue;
		users++;
		finding(patient, FINDING_PROBLEM, "use",
			xasprintf("end that program; devices are used by one at a time"),
			"%s (process %u) has it", context->comm, context->pid);
	}
	nlc_state_free(&state);
	return users;
}

/* What the kernel itself says, which can be more than can be seen from outside. */
void check_kernel_answer(struct patient *patient)
{
	bool ours = !strcmp(patient->fn.driver, DRIVER_NAME);
	struct nlc nl;
	int rc;

	if (!sys_exists("/sys/module/iofd") || nlc_open(&nl))
		return;
	rc = nlc_get_device(&nl, patient->fn.bdf, on_device, patient);
	if (rc == -EPERM)
		finding(patient, FINDING_NOTE, "use",
			xasprintf("run this as root to know"),
			"whether a program uses it is not known");
	/* Errors of a device that another driver has are that driver's doing. */
	else if (patient->answered && ours &&
		 !explain_users(patient, &nl)) {
		if (!patient->bind_error)
			finding(patient, FINDING_OK, "use", NULL,
				"nobody uses it, and the kernel would give it");
		else
			finding(patient, FINDING_PROBLEM, "use", NULL,
				"the kernel would not give it: %s%s",
				strerror((int)patient->bind_error),
				patient->bind_error == EPERM ?
				": a device of its group is in use elsewhere" : "");
	}
	nlc_close(&nl);
}

/* Interrupt chips behind a remapping unit are called IR-something. */
static bool interrupts_look_remapped(void)
{
	char *path = sys_path("/proc/interrupts"), line[4096];
	FILE *file = fopen(path, "re");
	bool found = false;

	free(path);
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, " IR-");
	if (file)
		fclose(file);
	return found;
}

void check_interrupts(struct patient *patient)
{
	char allowed[8];
	bool isolated;

	if (!*patient->fn.group)
		return;
	if (patient->has_abilities)
		isolated = patient->abilities & IOMMU_DEVICE_INFO_MSI_ISOLATED;
	else
		isolated = interrupts_look_remapped();

	if (isolated) {
		finding(patient, FINDING_OK, "interrupts", NULL,
			"its interrupts are checked (interrupt remapping)");
		return;
	}
	sys_read(allowed, sizeof(allowed),
		 "/sys/module/iofd_pci/parameters/allow_unsafe_interrupts");
	if (*allowed == 'Y')
		finding(patient, FINDING_NOTE, "interrupts", NULL,
			"its interrupts are not checked: a program that has it can raise any interrupt (allow_unsafe_interrupts is set)");
	else
		finding(patient, FINDING_PROBLEM, "interrupts",
			xasprintf("switch interrupt remapping on (firmware's setup; no intremap=off); or, trusting the programs, 'echo 1 >/sys/module/iofd_pci/parameters/allow_unsafe_interrupts'"),
			"its interrupts are not checked: a program that has it could raise any interrupt");
}
