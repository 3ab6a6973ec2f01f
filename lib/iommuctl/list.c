// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * iommuctl list: all that sysfs knows, and who has bound what if the kernel
 * tells us.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ioasid.h>

#include "json.h"
#include "nlc.h"
#include "pci.h"
#include "sys.h"
#include "table.h"

/**
 * struct ability - what a bound device can do behind its IOMMU
 * @device: the device
 * @provider: what programs its IOMMU
 * @abilities: enum iommu_device_info_flags
 * @page_sizes: bitmap
 * @addr_width: bits
 * @pasid_width: bits
 * @formats: bitmap (1 << enum iommu_ioasid_format)
 * @unit: its remapping unit
 */
struct ability {
	char device[NAME_LEN];
	char provider[NAME_LEN];
	uint32_t abilities;
	uint64_t page_sizes;
	uint32_t addr_width;
	uint32_t pasid_width;
	uint64_t formats;
	char unit[NAME_LEN];
};

/**
 * struct use - what the kernel tells beyond sysfs
 * @known: it does tell
 * @state: who has what
 * @abilities: what bound devices can do
 * @nr_abilities: how many
 */
struct use {
	bool known;
	struct nlc_state state;
	struct ability *abilities;
	size_t nr_abilities;
};

static void on_device(int cmd, struct nlattr **attrs, void *arg)
{
	struct use *use = arg;
	struct ability *a;

	(void)cmd;
	if (!attrs[IOMMU_NL_A_ABILITIES])
		return;
	use->abilities = xgrow(use->abilities, use->nr_abilities, sizeof(*a));
	a = &use->abilities[use->nr_abilities++];
	snprintf(a->device, sizeof(a->device), "%s",
		 attr_string(attrs, IOMMU_NL_A_DEVICE));
	snprintf(a->provider, sizeof(a->provider), "%s",
		 attr_string(attrs, IOMMU_NL_A_PROVIDER));
	a->abilities = attr_u32(attrs, IOMMU_NL_A_ABILITIES);
	a->page_sizes = attr_u64(attrs, IOMMU_NL_A_PGSIZES);
	a->addr_width = attr_u32(attrs, IOMMU_NL_A_ADDR_WIDTH);
	a->pasid_width = attr_u32(attrs, IOMMU_NL_A_PASID_WIDTH);
	a->formats = attr_u64(attrs, IOMMU_NL_A_FORMATS);
	snprintf(a->unit, sizeof(a->unit), "%s",
		 attr_string(attrs, IOMMU_NL_A_UNIT));
}

/* Name of a format of IOASIDs, NULL for those that have none yet. */
static const char *format_name(unsigned int format)
{
	switch (format) {
	case IOMMU_FORMAT_DEFAULT: return "kernel";
	case IOMMU_FORMAT_VTD_S1: return "vtd-s1";
	case IOMMU_FORMAT_VTD_PASID_TABLE: return "vtd-pasid-table";
	}
	return NULL;
}

static void load_use(struct use *use)
{
	struct nlc nl;

	memset(use, 0, sizeof(*use));
	if (nlc_open(&nl))
		return;
	use->known = !nlc_load(&nl, &use->state) &&
		     !nlc_dump(&nl, IOMMU_NL_CMD_GET_DEVICE, on_device, use);
	nlc_close(&nl);
}

static const struct ability *ability_of(const struct use *use, const char *bdf)
{
	size_t i;

	for (i = 0; i < use->nr_abilities; i++)
		if (!strcmp(use->abilities[i].device, bdf))
			return &use->abilities[i];
	return NULL;
}

static const struct nlc_context *user_of(const struct use *use, const char *bdf)
{
	size_t i;

	for (i = 0; i < use->state.nr_bindings; i++)
		if (!strcmp(use->state.bindings[i].device, bdf))
			return nlc_find_context(&use->state,
					       use->state.bindings[i].context);
	return NULL;
}

static void print_units(char **names)
{
	char sizes[64], features[128];
	struct table table = { .columns = 6 };
	struct unit unit;
	size_t i;

	if (!names[0]) {
		printf("Remapping units: none that is driven\n");
		return;
	}
	printf("Remapping units, driven by %s:\n",
	       strcmp(unit_owner(), "kernel") ? unit_owner() :
	       "the kernel's own driver");
	table_add(&table, "UNIT");
	table_add(&table, "VERSION");
	table_add(&table, "WIDTH");
	table_add(&table, "PASID");
	table_add(&table, "PAGES");
	table_add(&table, "CAN");
	for (i = 0; names[i]; i++) {
		unit_load(&unit, names[i]);
		table_add(&table, "%s", unit.name);
		if (!unit.has_regs) {
			table_add(&table, "-");
			table_add(&table, "-");
			table_add(&table, "-");
			table_add(&table, "-");
			table_add(&table, "-");
			continue;
		}
		format_page_sizes(unit_page_sizes(&unit), sizes, sizeof(sizes));
		unit_features(&unit, features, sizeof(features));
		table_add(&table, "%s", unit.version);
		table_add(&table, "%u bits", unit_addr_width(&unit));
		if (unit_pasid_width(&unit))
			table_add(&table, "%u bits", unit_pasid_width(&unit));
		else
			table_add(&table, "-");
		table_add(&table, "%s", sizes);
		table_add(&table, "%s", *features ? features : "-");
	}
	table_print(&table, "  ");
}

static void print_devices(char **names, const struct use *use)
{
	static const char * const heads[] = {
		"DEVICE", "ID", "KIND", "GROUP", "UNIT", "DRIVER", "FILE", "USED BY",
	};
	struct table table = { .columns = 8 };
	const struct nlc_context *user;
	struct pci_function fn;
	size_t i;

	printf("\nPCI functions:\n");
	for (i = 0; i < 8; i++)
		table_add(&table, "%s", heads[i]);
	for (i = 0; names[i]; i++) {
		if (!pci_load(&fn, names[i]))
			continue;
		table_add(&table, "%s", fn.bdf);
		table_add(&table, "%04x:%04x", fn.vendor, fn.device);
		table_add(&table, "%s", pci_class_name(fn.class));
		table_add(&table, "%s", *fn.group ? fn.group : "-");
		table_add(&table, "%s", *fn.unit ? fn.unit : "-");
		table_add(&table, "%s", *fn.driver ? fn.driver : "-");
		table_add(&table, "%s", fn.has_cdev ? fn.vfio : "-");
		user = user_of(use, fn.bdf);
		if (user)
			table_add(&table, "%s (%u)", user->comm, user->pid);
		else
			table_add(&table, "%s",
				  fn.has_cdev && !use->known ? "?" : "-");
	}
	table_print(&table, "  ");
}

/* What is known of bound devices alone. */
static void print_abilities(const struct use *use)
{
	static const char * const heads[] = {
		"DEVICE", "WIDTH", "PASID", "NESTING", "FORMATS", "UNIT", "BY",
	};
	struct table table = { .columns = 7 };
	const struct ability *a;
	char formats[128];
	unsigned int f;
	size_t i, used;

	if (!use->nr_abilities)
		return;
	printf("\nDevices in use, and what they can do:\n");
	for (i = 0; i < 7; i++)
		table_add(&table, "%s", heads[i]);
	for (i = 0; i < use->nr_abilities; i++) {
		a = &use->abilities[i];
		for (f = 0, used = 0; f < 64 && used < sizeof(formats); f++)
			if (a->formats & 1ull << f && format_name(f))
				used += (size_t)snprintf(formats + used,
							 sizeof(formats) - used,
							 "%s%s", used ? " " : "",
							 format_name(f));
		table_add(&table, "%s", a->device);
		table_add(&table, "%u bits", a->addr_width);
		if (a->pasid_width)
			table_add(&table, "%u bits", a->pasid_width);
		else
			table_add(&table, "-");
		table_add(&table, "%s", a->abilities & IOMMU_DEVICE_INFO_HW_NESTING ?
			  "hardware" : "composed");
		table_add(&table, "%s", used ? formats : "-");
		table_add(&table, "%s", a->unit);
		table_add(&table, "%s", a->provider);
	}
	table_print(&table, "  ");
}

static void json_units(struct json *json, char **names)
{
	char features[128];
	struct unit unit;
	size_t i;

	json_string(json, "owner", unit_owner());
	json_begin(json, "units", '[');
	for (i = 0; names[i]; i++) {
		unit_load(&unit, names[i]);
		json_begin(json, NULL, '{');
		json_string(json, "name", unit.name);
		if (unit.has_regs) {
			unit_features(&unit, features, sizeof(features));
			json_string(json, "version", unit.version);
			json_string(json, "address", unit.address);
			json_number(json, "addr_width_bits", unit_addr_width(&unit));
			json_number(json, "pasid_width_bits", unit_pasid_width(&unit));
			json_hex(json, "page_sizes", unit_page_sizes(&unit));
			json_string(json, "features", features);
			json_hex(json, "cap", unit.cap);
			json_hex(json, "ecap", unit.ecap);
		}
		json_end(json, '}');
	}
	json_end(json, ']');
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void json_ability(struct json *json, const struct ability *a)
{
	unsigned int f;

	json_begin(json, "can", '{');
	json_string(json, "provider", a->provider);
	json_number(json, "addr_width_bits", a->addr_width);
	json_number(json, "pasid_width_bits", a->pasid_width);
	json_hex(json, "page_sizes", a->page_sizes);
	json_begin(json, "formats", '[');
	for (f = 0; f < 64; f++)
		if (a->formats & 1ull << f && format_name(f))
			json_string(json, NULL, format_name(f));
	json_end(json, ']');
	json_bool(json, "enforce_snoop",
		  a->abilities & IOMMU_DEVICE_INFO_ENFORCE_SNOOP);
	json_bool(json, "hardware_nesting",
		  a->abilities & IOMMU_DEVICE_INFO_HW_NESTING);
	json_bool(json, "page_requests", a->abilities & IOMMU_DEVICE_INFO_PRI);
	json_bool(json, "dirty_tracking", a->abilities & IOMMU_DEVICE_INFO_DIRTY);
	json_bool(json, "ats", a->abilities & IOMMU_DEVICE_INFO_ATS);
	json_bool(json, "isolated_interrupts",
		  a->abilities & IOMMU_DEVICE_INFO_MSI_ISOLATED);
	json_end(json, '}');
}

static void json_devices(struct json *json, char **names, const struct use *use)
{
	const struct nlc_context *user;
	struct pci_function fn;
	char id[16];
	size_t i;

	json_begin(json, "devices", '[');
	for (i = 0; names[i]; i++) {
		if (!pci_load(&fn, names[i]))
			continue;
		snprintf(id, sizeof(id), "%04x:%04x", fn.vendor, fn.device);
		json_begin(json, NULL, '{');
		json_string(json, "device", fn.bdf);
		json_string(json, "id", id);
		json_string(json, "kind", pci_class_name(fn.class));
		if (*fn.group)
			json_number(json, "group", strtoul(fn.group, NULL, 10));
		else
			json_string(json, "group", NULL);
		json_string(json, "unit", or_null(fn.unit));
		json_string(json, "driver", or_null(fn.driver));
		json_string(json, "file", fn.has_cdev ? fn.vfio : NULL);
		user = user_of(use, fn.bdf);
		if (user) {
			json_string(json, "program", user->comm);
			json_number(json, "pid", user->pid);
		}
		if (ability_of(use, fn.bdf))
			json_ability(json, ability_of(use, fn.bdf));
		json_end(json, '}');
	}
	json_end(json, ']');
}

int cmd_list(const struct options *opts)
{
	char **units = sys_names("/sys/class/iommu");
	char **devices = sys_names("/sys/bus/pci/devices");
	struct json json = { .out = stdout, .pretty = true };
	struct use use;

	load_use(&use);
	if (opts->json) {
		json_begin(&json, NULL, '{');
		json_units(&json, units);
		json_devices(&json, devices, &use);
		json_end(&json, '}');
	} else {
		print_units(units);
		print_devices(devices, &use);
		print_abilities(&use);
	}
	nlc_state_free(&use.state);
	free(use.abilities);
	sys_names_free(units);
	sys_names_free(devices);
	return STATUS_OK;
}
