// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * iommuctl doctor: runs the checks and prints what they found.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "doctor.h"
#include "json.h"
#include "sys.h"

static void (* const checks[])(struct patient *) = {
	check_kind,
	check_iommu,
	check_group,
	check_modules,
	check_dev_iommu,
	check_neighbours,
	check_driver,
	check_kernel_answer,
	check_interrupts,
	check_kvm,
	check_nesting,
	check_memlock,
};

void finding(struct patient *patient, enum finding_kind kind, const char *check,
	     char *remedy, const char *format, ...)
{
	struct finding *f;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	patient->findings = xgrow(patient->findings, patient->nr_findings,
				  sizeof(*f));
	f = &patient->findings[patient->nr_findings++];
	*f = (struct finding) {
		.kind = kind,
		.check = check,
		.text = xasprintf("%s", text),
		.remedy = remedy,
	};
}

static const char *kind_name(enum finding_kind kind)
{
	static const char * const names[] = {
		[FINDING_OK] = "ok",
		[FINDING_NOTE] = "note",
		[FINDING_BIND] = "bind",
		[FINDING_PROBLEM] = "problem",
	};

	return names[kind];
}

static enum finding_kind worst(const struct patient *patient)
{
	enum finding_kind kind = FINDING_OK;
	size_t i;

	for (i = 0; i < patient->nr_findings; i++)
		if (patient->findings[i].kind > kind)
			kind = patient->findings[i].kind;
	return kind;
}

static void print_findings(const struct patient *patient)
{
	const struct finding *f;
	size_t i;

	printf("%s, %04x:%04x, %s\n", patient->fn.bdf, patient->fn.vendor,
	       patient->fn.device, pci_class_name(patient->fn.class));
	for (i = 0; i < patient->nr_findings; i++) {
		f = &patient->findings[i];
		printf("  %-7s  %s\n", kind_name(f->kind), f->text);
		if (f->remedy)
			printf("           -> %s\n", f->remedy);
	}
	switch (worst(patient)) {
	case FINDING_OK:
	case FINDING_NOTE:
		printf("%s can be used through /dev/iommu.\n", patient->fn.bdf);
		break;
	case FINDING_BIND:
		printf("%s can be used through /dev/iommu after 'iommuctl bind %s'.\n",
		       patient->fn.bdf, patient->fn.bdf);
		break;
	case FINDING_PROBLEM:
		printf("%s cannot be used through /dev/iommu as it is.\n",
		       patient->fn.bdf);
		break;
	}
}

static void json_findings(const struct patient *patient)
{
	static const char * const verdicts[] = {
		[FINDING_OK] = "usable",
		[FINDING_NOTE] = "usable",
		[FINDING_BIND] = "bind",
		[FINDING_PROBLEM] = "unusable",
	};
	struct json json = { .out = stdout, .pretty = true };
	const struct finding *f;
	size_t i;

	json_begin(&json, NULL, '{');
	json_string(&json, "device", patient->fn.bdf);
	json_string(&json, "verdict", verdicts[worst(patient)]);
	json_begin(&json, "findings", '[');
	for (i = 0; i < patient->nr_findings; i++) {
		f = &patient->findings[i];
		json_begin(&json, NULL, '{');
		json_string(&json, "check", f->check);
		json_string(&json, "kind", kind_name(f->kind));
		json_string(&json, "text", f->text);
		json_string(&json, "remedy", f->remedy);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_end(&json, '}');
}

int cmd_doctor(const struct options *opts)
{
	struct patient patient = {};
	enum finding_kind kind;
	size_t i;

	if (!pci_load(&patient.fn, opts->bdf)) {
		finding(&patient, FINDING_PROBLEM, "device",
			xasprintf("see 'iommuctl list' for those there are"),
			"there is no such PCI function");
	} else {
		patient.owner = unit_owner();
		for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
			checks[i](&patient);
	}
	if (opts->json)
		json_findings(&patient);
	else
		print_findings(&patient);

	kind = worst(&patient);
	for (i = 0; i < patient.nr_findings; i++) {
		free(patient.findings[i].text);
		free(patient.findings[i].remedy);
	}
	free(patient.findings);
	return kind <= FINDING_NOTE ? STATUS_OK : STATUS_FAILED;
}
