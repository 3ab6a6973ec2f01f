/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a fault recording register says. Pure.
 */
#ifndef IOFD_VTD_FAULT_TEXT_H
#define IOFD_VTD_FAULT_TEXT_H

#include <linux/types.h>

struct iofd_hw_fault;

u16 vtd_fault_decode(u64 lo, u64 hi, struct iofd_hw_fault *fault);
const char *vtd_fault_text(u8 reason);

#endif /* IOFD_VTD_FAULT_TEXT_H */
