// SPDX-License-Identifier: GPL-2.0-only
/* Arguments and address of a traced function, without knowing the registers. */
#include <linux/ftrace.h>
void probe(struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, ftrace_regs_get_argument(fregs, 0));
}
