/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fault recording registers of a VT-d unit (specification 11.4.14), in words.
 * Shared by all who read them; touches no register itself.
 */
#ifndef IOFD_HW_DMAR_FAULT_H
#define IOFD_HW_DMAR_FAULT_H

#include <linux/bits.h>
#include <linux/types.h>
#include "hw/hw.h"

#define DMAR_FRCD_BYTES	16		/* size of one record */
#define DMAR_FRCD_HI_F	BIT_ULL(63)	/* in the upper half: it is valid */

/**
 * iofd_dmar_fault_decode() - understand a fault record
 * @lo: its lower 64 bits
 * @hi: its upper 64 bits
 * @fault: to fill in
 * @rid: receives the requester ID
 *
 * Return: true; false when the record holds no fault.
 */
bool iofd_dmar_fault_decode(u64 lo, u64 hi, struct iofd_hw_fault *fault,
			    u16 *rid);

/**
 * iofd_dmar_fault_text() - a fault reason in words
 * @reason: code
 *
 * Return: a constant string, never NULL.
 */
const char *iofd_dmar_fault_text(u8 reason);

#endif /* IOFD_HW_DMAR_FAULT_H */
