// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errata that the driver works around.
 */
#include <asm/processor.h>
#include "vtd.h"

/* Models of family 6 */
#define MODEL_SAPPHIRE_RAPIDS	0x8f
#define MODEL_EMERALD_RAPIDS	0xcf	/* the same design */

/**
 * vtd_erratum_772415() - do the machine's units write to read-only pages?
 *
 * Intel, 4th generation Xeon: a unit that walks a nested table sets accessed and
 * dirty bits in the first level even where the second level permits reading
 * only. What is not to be written must not be mapped in a parent at all. No
 * register says which units do this, so it is told by the processor, or by the
 * parameter erratum_772415.
 */
bool vtd_erratum_772415(void)
{
	const struct cpuinfo_x86 *cpu = &boot_cpu_data;

	if (vtd_want_erratum_772415 >= 0)
		return vtd_want_erratum_772415;
	return cpu->x86_vendor == X86_VENDOR_INTEL && cpu->x86 == 6 &&
	       (cpu->x86_model == MODEL_SAPPHIRE_RAPIDS ||
		cpu->x86_model == MODEL_EMERALD_RAPIDS);
}
