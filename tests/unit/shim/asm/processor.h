/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ASM_PROCESSOR_H
#define SHIM_ASM_PROCESSOR_H

/* The processor that a test wants to be on */
#include <linux/types.h>

#define X86_VENDOR_INTEL	0

struct cpuinfo_x86 {
	u8 x86;
	u8 x86_vendor;
	u8 x86_model;
};

extern struct cpuinfo_x86 boot_cpu_data;

#endif
