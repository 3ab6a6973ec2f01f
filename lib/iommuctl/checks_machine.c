// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Checks of the machine: IOMMU, modules, /dev/iommu, limits.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/capability.h>

#include "doctor.h"
#include "sys.h"

#define SMALL_MEMLOCK (64ull << 20)

/* Is @value one of the comma-separated values of a parameter like "iommu="? */
static bool cmdline_has(const char *key, const char *value)
{
	char line[4096], *word, *item, *words, *items;

	sys_read(line, sizeof(line), "/proc/cmdline");
	for (word = strtok_r(line, " ", &words); word;
	     word = strtok_r(NULL, " ", &words)) {
		if (strncmp(word, key, strlen(key)))
			continue;
		for (item = strtok_r(word + strlen(key), ",", &items); item;
		     item = strtok_r(NULL, ",", &items))
			if (!strcmp(item, value))
				return true;
	}
	return false;
}

/* Nobody drives the unit that firmware announces. */
static void explain_idle_unit(struct patient *patient)
{
	char *remedy;

	if (cmdline_has("intel_iommu=", "off"))
		remedy = xasprintf("load our driver with 'modprobe iofd_vtd', or boot without intel_iommu=off for the kernel's");
	else if (cmdline_has("iommu=", "off"))
		remedy = xasprintf("boot without iommu=off");
	else
		remedy = xasprintf("boot with intel_iommu=on for the kernel's driver, or with intel_iommu=off and load ours with 'modprobe iofd_vtd'");
	finding(patient, FINDING_PROBLEM, "iommu", remedy,
		"the machine has a VT-d unit, but nobody drives it");
}

void check_iommu(struct patient *patient)
{
	bool vtd = sys_exists("/sys/firmware/acpi/tables/DMAR");

	patient->has_iommu = true;
	if (!strcmp(patient->owner, "iofd_vtd")) {
		finding(patient, FINDING_OK, "iommu", NULL,
			"our driver, iofd_vtd, has the VT-d units");
	} else if (!strcmp(patient->owner, "kernel")) {
		finding(patient, FINDING_OK, "iommu", NULL,
			"the kernel's own driver has the IOMMU%s",
			vtd ? " (VT-d)" : "");
	} else if (vtd) {
		explain_idle_unit(patient);
	} else if (sys_exists("/sys/firmware/acpi/tables/IVRS")) {
		finding(patient, FINDING_PROBLEM, "iommu",
			xasprintf("boot without amd_iommu=off and iommu=off"),
			"the machine has an AMD IOMMU, but nobody drives it");
	} else {
		patient->has_iommu = false;
		finding(patient, FINDING_PROBLEM, "iommu",
			xasprintf("switch VT-d or AMD-Vi on in the firmware's setup; a virtual machine needs an emulated unit"),
			"the machine has no IOMMU: firmware announces none");
	}
}

static bool is_installed(const char *release, const char *module)
{
	char *path = sys_path("/lib/modules/%s/modules.dep", release);
	char *needle = xasprintf("/%s.ko", module), line[4096];
	FILE *file = fopen(path, "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		/* What follows the colon are the modules that it needs. */
		line[strcspn(line, ":")] = '\0';
		found = strstr(line, needle);
	}
	if (file)
		fclose(file);
	free(needle);
	free(path);
	return found;
}

static void explain_module(struct patient *patient, const char *module)
{
	struct utsname uts;
	char *remedy;

	uname(&uts);
	if (is_installed(uts.release, module))
		remedy = xasprintf("modprobe %s", module);
	else
		remedy = xasprintf("install it for kernel %s ('dkms status' says what there is), then 'modprobe %s'",
				   uts.release, module);
	finding(patient, FINDING_PROBLEM, "modules", remedy,
		"the module %s is not loaded", module);
}

void check_modules(struct patient *patient)
{
	static const char * const modules[] = { "iofd", "iofd_pci" };
	bool all = true;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (sys_exists("/sys/module/%s", modules[i]))
			continue;
		explain_module(patient, modules[i]);
		all = false;
	}
	if (all)
		finding(patient, FINDING_OK, "modules", NULL,
			"the modules iofd and iofd_pci are loaded");
}

void check_dev_iommu(struct patient *patient)
{
	char *path = sys_path("/dev/iommu");
	int fd = open(path, O_RDWR | O_CLOEXEC), err = errno;

	if (fd >= 0) {
		finding(patient, FINDING_OK, "dev-iommu", NULL,
			"/dev/iommu can be opened");
		close(fd);
	} else if (err == ENOENT) {
		/* Without the module there is nothing more to say. */
		if (sys_exists("/sys/module/iofd"))
			finding(patient, FINDING_PROBLEM, "dev-iommu",
				xasprintf("is /dev a devtmpfs? In a container, pass the device file in"),
				"/dev/iommu does not exist, though iofd is loaded");
	} else {
		finding(patient, FINDING_PROBLEM, "dev-iommu",
			err == EACCES ? xasprintf("ask root for access, for example by a udev rule: KERNEL==\"iommu\", GROUP=\"kvm\", MODE=\"0660\"") :
			NULL, "/dev/iommu cannot be opened: %s", strerror(err));
	}
	free(path);
}

#define KVM_PARAMETER	"/sys/module/iofd_pci/parameters/kvm"

/* KVM's and VFIO's own ways of knowing each other do not include our files. */
void check_kvm(struct patient *patient)
{
	const char *again = "echo Y >" KVM_PARAMETER;
	char value[16], ftrace[16];
	char **patches;
	char *remedy;

	if (!sys_exists(KVM_PARAMETER))
		return;
	sys_read(value, sizeof(value), KVM_PARAMETER);
	if (*value == 'Y') {
		finding(patient, FINDING_OK, "kvm", NULL,
			"virtual machines under KVM can have it");
		return;
	}
	sys_read(ftrace, sizeof(ftrace), "/proc/sys/kernel/ftrace_enabled");
	patches = sys_names("/sys/kernel/livepatch");
	if (*ftrace == '0')
		remedy = xasprintf("sysctl kernel.ftrace_enabled=1, then '%s'", again);
	else if (patches[0])
		remedy = xasprintf("the live patch '%s' may be in the way; without it '%s'",
				   patches[0], again);
	else
		remedy = xasprintf("'%s'; if that fails, the kernel's log has the reason",
				   again);
	sys_names_free(patches);
	finding(patient, FINDING_NOTE, "kvm", remedy,
		"virtual machines under KVM cannot have it: KVM is not told of its device file");
}

/* CAP_IPC_LOCK lifts the limit. */
static bool may_lock_all(void)
{
	uint64_t capabilities = 0;
	char *path = sys_path("/proc/self/status"), line[256];
	FILE *file = fopen(path, "re");

	free(path);
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %" SCNx64, &capabilities) == 1)
			break;
	if (file)
		fclose(file);
	return capabilities & 1ull << CAP_IPC_LOCK;
}

void check_memlock(struct patient *patient)
{
	struct rlimit limit;
	char text[32];

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (may_lock_all() || limit.rlim_cur == RLIM_INFINITY) {
		finding(patient, FINDING_OK, "memlock", NULL,
			"no limit on the memory that can be mapped for the device");
		return;
	}
	format_bytes(limit.rlim_cur, text, sizeof(text));
	if (limit.rlim_cur >= SMALL_MEMLOCK)
		finding(patient, FINDING_OK, "memlock", NULL,
			"%s of memory can be mapped for devices (RLIMIT_MEMLOCK)", text);
	else
		finding(patient, FINDING_NOTE, "memlock",
			xasprintf("raise it with 'ulimit -l', LimitMEMLOCK= of the service, or /etc/security/limits.conf"),
			"only %s of memory can be mapped for devices (RLIMIT_MEMLOCK)",
			text);
}
