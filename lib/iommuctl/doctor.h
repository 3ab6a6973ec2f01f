/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * iommuctl doctor: what its checks share.
 */
#ifndef IOMMUCTL_DOCTOR_H
#define IOMMUCTL_DOCTOR_H

#include "pci.h"

/**
 * enum finding_kind - how good or bad
 * @FINDING_OK: as it should be
 * @FINDING_NOTE: works, but is worth knowing
 * @FINDING_BIND: all that is missing is 'iommuctl bind'
 * @FINDING_PROBLEM: the device cannot be used
 */
enum finding_kind {
	FINDING_OK,
	FINDING_NOTE,
	FINDING_BIND,
	FINDING_PROBLEM,
};

/**
 * struct finding - what a check found
 * @kind: how good or bad
 * @check: name of the check
 * @text: what it is
 * @remedy: what to do about it, NULL: nothing
 */
struct finding {
	enum finding_kind kind;
	const char *check;
	char *text;
	char *remedy;
};

/**
 * struct patient - the device and all that was found
 * @fn: the device
 * @owner: who drives the remapping units, see unit_owner()
 * @has_iommu: there is a unit at all, driven or not
 * @answered: the kernel has answered about the device
 * @bind_error: its answer: what binding would give
 * @has_abilities: @abilities is known
 * @abilities: enum iommu_device_info_flags
 * @pasid_width_bits: known with @abilities
 * @findings: in the order of the checks
 * @nr_findings: how many
 */
struct patient {
	struct pci_function fn;
	const char *owner;
	bool has_iommu;
	bool answered;
	uint32_t bind_error;
	bool has_abilities;
	uint32_t abilities;
	uint32_t pasid_width_bits;
	struct finding *findings;
	size_t nr_findings;
};

/**
 * finding() - record a finding
 * @patient: the patient
 * @kind: how good or bad
 * @check: name of the check, a literal
 * @remedy: what to do, NULL: nothing; taken over
 * @format: what it is, as printf()
 */
void finding(struct patient *patient, enum finding_kind kind, const char *check,
	     char *remedy, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* checks_machine.c */
void check_iommu(struct patient *patient);
void check_modules(struct patient *patient);
void check_dev_iommu(struct patient *patient);
void check_kvm(struct patient *patient);
void check_memlock(struct patient *patient);

/* checks_device.c */
void check_kind(struct patient *patient);
void check_group(struct patient *patient);
void check_neighbours(struct patient *patient);
void check_driver(struct patient *patient);
void check_interrupts(struct patient *patient);
void check_kernel_answer(struct patient *patient);

/* checks_nesting.c */
void check_nesting(struct patient *patient);

#endif /* IOMMUCTL_DOCTOR_H */
