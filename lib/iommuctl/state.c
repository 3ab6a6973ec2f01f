// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All that is in use, in three dumps. They are not taken at one moment: what
 * refers to something that has gone meanwhile has gone as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nlc.h"

static void on_context(int cmd, struct nlattr **attrs, void *arg)
{
	struct nlc_state *state = arg;
	struct nlc_context *context;

	(void)cmd;
	state->contexts = xgrow(state->contexts, state->nr_contexts,
				sizeof(*context));
	context = &state->contexts[state->nr_contexts++];
	context->id = attr_u32(attrs, IOMMU_NL_A_CONTEXT);
	context->pid = attr_u32(attrs, IOMMU_NL_A_PID);
	context->uid = attr_u32(attrs, IOMMU_NL_A_UID);
	snprintf(context->comm, sizeof(context->comm), "%s",
		 attr_string(attrs, IOMMU_NL_A_COMM));
}

static void on_space(int cmd, struct nlattr **attrs, void *arg)
{
	struct nlc_state *state = arg;
	struct nlc_space *space;

	(void)cmd;
	state->spaces = xgrow(state->spaces, state->nr_spaces, sizeof(*space));
	space = &state->spaces[state->nr_spaces++];
	space->context = attr_u32(attrs, IOMMU_NL_A_CONTEXT);
	space->ioasid = attr_u32(attrs, IOMMU_NL_A_IOASID);
	space->type = attr_u32(attrs, IOMMU_NL_A_TYPE);
	space->coherency = attr_u32(attrs, IOMMU_NL_A_COHERENCY);
	space->nr_mappings = attr_u64(attrs, IOMMU_NL_A_NR_MAPPINGS);
	space->mapped = attr_u64(attrs, IOMMU_NL_A_MAPPED_BYTES);
	space->pinned = attr_u64(attrs, IOMMU_NL_A_PINNED_BYTES);
	space->charged = attr_u64(attrs, IOMMU_NL_A_CHARGED_BYTES);
}

static void on_binding(int cmd, struct nlattr **attrs, void *arg)
{
	struct nlc_state *state = arg;
	struct nlc_binding *binding;

	(void)cmd;
	state->bindings = xgrow(state->bindings, state->nr_bindings,
				sizeof(*binding));
	binding = &state->bindings[state->nr_bindings++];
	binding->context = attr_u32(attrs, IOMMU_NL_A_CONTEXT);
	snprintf(binding->device, sizeof(binding->device), "%s",
		 attr_string(attrs, IOMMU_NL_A_DEVICE));
	binding->label = attr_u64(attrs, IOMMU_NL_A_LABEL);
	binding->ioasid = attr_u32(attrs, IOMMU_NL_A_IOASID);
	snprintf(binding->unit, sizeof(binding->unit), "%s",
		 attr_string(attrs, IOMMU_NL_A_UNIT));
	snprintf(binding->provider, sizeof(binding->provider), "%s",
		 attr_string(attrs, IOMMU_NL_A_PROVIDER));
}

int nlc_load(struct nlc *nl, struct nlc_state *state)
{
	int rc;

	memset(state, 0, sizeof(*state));
	rc = nlc_dump(nl, IOMMU_NL_CMD_GET_CONTEXT, on_context, state);
	if (!rc)
		rc = nlc_dump(nl, IOMMU_NL_CMD_GET_SPACE, on_space, state);
	if (!rc)
		rc = nlc_dump(nl, IOMMU_NL_CMD_GET_BINDING, on_binding, state);
	if (rc)
		nlc_state_free(state);
	return rc;
}

void nlc_state_free(struct nlc_state *state)
{
	free(state->contexts);
	free(state->spaces);
	free(state->bindings);
	memset(state, 0, sizeof(*state));
}

const struct nlc_context *nlc_find_context(const struct nlc_state *state,
					 uint32_t id)
{
	size_t i;

	for (i = 0; i < state->nr_contexts; i++)
		if (state->contexts[i].id == id)
			return &state->contexts[i];
	return NULL;
}
