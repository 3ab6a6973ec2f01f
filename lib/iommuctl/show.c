// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * iommuctl show: who holds which address spaces.
 */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include <linux/ioasid.h>

#include "json.h"
#include "nlc.h"
#include "pci.h"
#include "table.h"

static const char *type_name(uint32_t type)
{
	switch (type) {
	case IOMMU_IOASID_KERNEL_MANAGED: return "kernel-managed";
	case IOMMU_IOASID_USER_MANAGED: return "user-managed";
	case IOMMU_IOASID_USER_PASID_TABLE: return "user-pasid-table";
	}
	return "unknown";
}

/* Who walks a child and its parent; NULL: nobody yet, or it is no child. */
static const char *realised_name(uint32_t realised)
{
	switch (realised & (IOMMU_IOASID_INFO_HW_NESTED | IOMMU_IOASID_INFO_COMPOSED)) {
	case 0: return NULL;
	case IOMMU_IOASID_INFO_HW_NESTED: return "hardware";
	case IOMMU_IOASID_INFO_COMPOSED: return "composed";
	}
	return "mixed";
}

static void add_bytes(struct table *table, uint64_t bytes)
{
	char text[32];

	format_bytes(bytes, text, sizeof(text));
	table_add(table, "%s", text);
}

static void print_spaces(const struct nlc_state *state, uint32_t context)
{
	static const char * const heads[] = {
		"IOASID", "TYPE", "NESTING", "MAPPINGS", "MAPPED", "PINNED", "CHARGED",
	};
	struct table table = { .columns = 7 };
	const struct nlc_space *space;
	size_t i;

	for (i = 0; i < 7; i++)
		table_add(&table, "%s", heads[i]);
	for (i = 0; i < state->nr_spaces; i++) {
		space = &state->spaces[i];
		if (space->context != context)
			continue;
		table_add(&table, "%*s%u", 2 * (int)space->level, "",
			  space->ioasid);
		table_add(&table, "%s", type_name(space->type));
		table_add(&table, "%s", realised_name(space->realised) ?:
			  space->parent ? "not attached" : "-");
		table_add(&table, "%" PRIu64, space->nr_mappings);
		add_bytes(&table, space->mapped);
		add_bytes(&table, space->pinned);
		add_bytes(&table, space->charged);
	}
	if (table.count == table.columns)
		printf("  no IOASIDs\n");
	else
		table_print(&table, "  ");
}

/* How many of @a, from the first on, differ in nothing but successive PASIDs. */
static size_t run_of_pasids(const struct nlc_attachment *a, size_t nr)
{
	size_t i;

	for (i = 1; a->pasid && i < nr; i++)
		if (a[i].pasid != a->pasid + i || a[i].ioasid != a->ioasid ||
		    a[i].realised != a->realised)
			break;
	return i;
}

/* A line for each attachment, or run of PASIDs; the first has the device in it. */
static void add_attachments(struct table *table, const struct nlc_state *state,
			    const struct nlc_binding *binding)
{
	const struct nlc_attachment *a;
	size_t nr, run, i;

	a = nlc_attachments(state, binding, &nr);
	table_add(table, "%s", binding->unit);
	if (!nr || a->pasid)
		table_add(table, "nothing, its DMA is blocked");
	for (i = 0; i < nr; i += run) {
		run = run_of_pasids(&a[i], nr - i);
		if (i || a->pasid) {
			table_add(table, "%s", "");
			table_add(table, "%s", "");
			table_add(table, "%s", "");
		}
		if (run > 1)
			table_add(table, "IOASID %u with PASIDs %u to %u", a[i].ioasid,
				  a[i].pasid, a[i + run - 1].pasid);
		else if (a[i].pasid)
			table_add(table, "IOASID %u with PASID %u", a[i].ioasid,
				  a[i].pasid);
		else
			table_add(table, "%*s%sIOASID %u", 2 * (int)a[i].covered, "",
				  a[i].covered ? "over " : "", a[i].ioasid);
	}
}

static void print_bindings(const struct nlc_state *state, uint32_t context)
{
	static const char * const heads[] = {
		"DEVICE", "LABEL", "UNIT", "ATTACHED TO",
	};
	struct table table = { .columns = 4 };
	const struct nlc_binding *binding;
	size_t i;

	for (i = 0; i < 4; i++)
		table_add(&table, "%s", heads[i]);
	for (i = 0; i < state->nr_bindings; i++) {
		binding = &state->bindings[i];
		if (binding->context != context)
			continue;
		table_add(&table, "%s%s%s", binding->device,
			  *binding->subdevice ? "/" : "", binding->subdevice);
		table_add(&table, "%#" PRIx64, binding->label);
		add_attachments(&table, state, binding);
	}
	if (table.count == table.columns)
		printf("  no devices\n");
	else
		table_print(&table, "  ");
}

static void print_state(const struct nlc_state *state)
{
	const struct nlc_context *context;
	const struct passwd *user;
	size_t i;

	if (!state->nr_contexts)
		printf("No program has /dev/iommu open.\n");
	for (i = 0; i < state->nr_contexts; i++) {
		context = &state->contexts[i];
		user = getpwuid(context->uid);
		printf("%s%s, process %u, ", i ? "\n" : "", context->comm,
		       context->pid);
		if (user)
			printf("user %s:\n", user->pw_name);
		else
			printf("user %u:\n", context->uid);
		print_spaces(state, context->id);
		print_bindings(state, context->id);
	}
}

static void json_spaces(struct json *json, const struct nlc_state *state,
			uint32_t context)
{
	const struct nlc_space *space;
	size_t i;

	json_begin(json, "ioasids", '[');
	for (i = 0; i < state->nr_spaces; i++) {
		space = &state->spaces[i];
		if (space->context != context)
			continue;
		json_begin(json, NULL, '{');
		json_number(json, "ioasid", space->ioasid);
		json_string(json, "type", type_name(space->type));
		if (space->parent)
			json_number(json, "parent", space->parent);
		else
			json_string(json, "parent", NULL);
		if (space->parent)
			json_string(json, "nesting", realised_name(space->realised));
		if (space->type != IOMMU_IOASID_KERNEL_MANAGED)
			json_hex(json, "table", space->table_addr);
		json_number(json, "mappings", space->nr_mappings);
		json_number(json, "mapped_bytes", space->mapped);
		json_number(json, "pinned_bytes", space->pinned);
		json_number(json, "charged_bytes", space->charged);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void json_attachments(struct json *json, const struct nlc_state *state,
			     const struct nlc_binding *binding)
{
	const struct nlc_attachment *a;
	size_t nr;

	json_begin(json, "attachments", '[');
	for (a = nlc_attachments(state, binding, &nr); nr--; a++) {
		json_begin(json, NULL, '{');
		json_number(json, "ioasid", a->ioasid);
		if (a->pasid)
			json_number(json, "pasid", a->pasid);
		else
			json_string(json, "pasid", NULL);
		json_bool(json, "covered", a->covered);
		json_string(json, "nesting", realised_name(a->realised));
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void json_bindings(struct json *json, const struct nlc_state *state,
			  uint32_t context)
{
	const struct nlc_binding *binding;
	size_t i;

	json_begin(json, "devices", '[');
	for (i = 0; i < state->nr_bindings; i++) {
		binding = &state->bindings[i];
		if (binding->context != context)
			continue;
		json_begin(json, NULL, '{');
		json_string(json, "device", binding->device);
		json_string(json, "subdevice",
			    *binding->subdevice ? binding->subdevice : NULL);
		json_hex(json, "label", binding->label);
		if (binding->ioasid)
			json_number(json, "ioasid", binding->ioasid);
		else
			json_string(json, "ioasid", NULL);
		json_attachments(json, state, binding);
		json_string(json, "unit", binding->unit);
		json_string(json, "provider", binding->provider);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void json_state(const struct nlc_state *state)
{
	struct json json = { .out = stdout, .pretty = true };
	const struct nlc_context *context;
	size_t i;

	json_begin(&json, NULL, '{');
	json_begin(&json, "contexts", '[');
	for (i = 0; i < state->nr_contexts; i++) {
		context = &state->contexts[i];
		json_begin(&json, NULL, '{');
		json_number(&json, "context", context->id);
		json_number(&json, "pid", context->pid);
		json_string(&json, "program", context->comm);
		json_number(&json, "uid", context->uid);
		json_spaces(&json, state, context->id);
		json_bindings(&json, state, context->id);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_end(&json, '}');
}

int cmd_show(const struct options *opts)
{
	struct nlc_state state;
	struct nlc nl;
	int rc;

	rc = nlc_open(&nl);
	if (rc)
		return say_error("%s", nlc_explain(rc));
	rc = nlc_load(&nl, &state);
	nlc_close(&nl);
	if (rc)
		return say_error("%s", nlc_explain(rc));
	if (opts->json)
		json_state(&state);
	else
		print_state(&state);
	nlc_state_free(&state);
	return STATUS_OK;
}
