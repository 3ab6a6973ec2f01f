// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All that is in use, in four dumps. They are not taken at one moment: what
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
	space->parent = attr_u32(attrs, IOMMU_NL_A_PARENT);
	space->realised = attr_u32(attrs, IOMMU_NL_A_REALISED);
	space->level = 0;
	space->table_addr = attr_u64(attrs, IOMMU_NL_A_TABLE_ADDR);
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
	snprintf(binding->subdevice, sizeof(binding->subdevice), "%s",
		 attr_string(attrs, IOMMU_NL_A_SUBDEVICE));
	binding->label = attr_u64(attrs, IOMMU_NL_A_LABEL);
	binding->ioasid = attr_u32(attrs, IOMMU_NL_A_IOASID);
	snprintf(binding->unit, sizeof(binding->unit), "%s",
		 attr_string(attrs, IOMMU_NL_A_UNIT));
	snprintf(binding->provider, sizeof(binding->provider), "%s",
		 attr_string(attrs, IOMMU_NL_A_PROVIDER));
}

static void on_attachment(int cmd, struct nlattr **attrs, void *arg)
{
	struct nlc_state *state = arg;
	struct nlc_attachment *attachment;

	(void)cmd;
	state->attachments = xgrow(state->attachments, state->nr_attachments,
				   sizeof(*attachment));
	attachment = &state->attachments[state->nr_attachments++];
	attachment->context = attr_u32(attrs, IOMMU_NL_A_CONTEXT);
	attachment->label = attr_u64(attrs, IOMMU_NL_A_LABEL);
	attachment->ioasid = attr_u32(attrs, IOMMU_NL_A_IOASID);
	attachment->pasid = attr_u32(attrs, IOMMU_NL_A_PASID);
	attachment->covered = attr_u32(attrs, IOMMU_NL_A_COVERED);
	attachment->realised = attr_u32(attrs, IOMMU_NL_A_REALISED);
}

static int compare_spaces(const void *a, const void *b)
{
	const struct nlc_space *x = a, *y = b;

	if (x->context != y->context)
		return x->context < y->context ? -1 : 1;
	return x->ioasid < y->ioasid ? -1 : x->ioasid > y->ioasid;
}

/* An IOASID whose parent was not in the answer counts as a root. */
static struct nlc_space *parent_of(const struct nlc_state *state,
				   const struct nlc_space *space)
{
	struct nlc_space key = { .context = space->context, .ioasid = space->parent };

	return space->parent ? bsearch(&key, state->spaces, state->nr_spaces,
				       sizeof(key), compare_spaces) : NULL;
}

/* Children after their parent, all in order of their numbers. */
static void order_spaces(struct nlc_state *state)
{
	size_t n = state->nr_spaces, i, at, out = 0;
	/* By place plus 1, the last element for the roots; 0: there is none. */
	size_t *first = calloc(n + 1, sizeof(*first));
	size_t *next = calloc(n + 1, sizeof(*next));
	size_t *up = calloc(n + 1, sizeof(*up));
	struct nlc_space *ordered = calloc(n + 1, sizeof(*ordered));
	struct nlc_space *parent;
	unsigned int level = 0;

	if (!first || !next || !up || !ordered)
		exit(say_error("out of memory"));
	if (n)
		qsort(state->spaces, n, sizeof(*state->spaces), compare_spaces);
	for (i = n; i--;) {
		parent = parent_of(state, &state->spaces[i]);
		at = parent ? (size_t)(parent - state->spaces) : n;
		up[i] = at;
		next[i] = first[at];
		first[at] = i + 1;
	}
	/* Nothing is reached twice, and what is in a circle not at all. */
	at = first[n];
	while (at) {
		i = at - 1;
		ordered[out] = state->spaces[i];
		ordered[out++].level = level;
		at = first[i];
		level++;
		while (!at) {
			level--;
			at = next[i];
			if (at || up[i] == n)
				break;
			i = up[i];
		}
	}
	free(first);
	free(next);
	free(up);
	free(state->spaces);
	state->spaces = ordered;
	state->nr_spaces = out;
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
	if (!rc)
		rc = nlc_dump(nl, IOMMU_NL_CMD_GET_ATTACHMENT, on_attachment, state);
	if (rc)
		nlc_state_free(state);
	else
		order_spaces(state);
	return rc;
}

void nlc_state_free(struct nlc_state *state)
{
	free(state->contexts);
	free(state->spaces);
	free(state->bindings);
	free(state->attachments);
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

const struct nlc_attachment *nlc_attachments(const struct nlc_state *state,
					     const struct nlc_binding *binding,
					     size_t *nr)
{
	const struct nlc_attachment *a = state->attachments, *first;
	const struct nlc_attachment *end = a + state->nr_attachments;

	while (a < end && (a->context != binding->context ||
			   a->label != binding->label))
		a++;
	for (first = a; a < end && a->context == binding->context &&
	     a->label == binding->label; a++)
		;
	*nr = (size_t)(a - first);
	return first;
}
