/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ASM_CACHEFLUSH_H
#define SHIM_ASM_CACHEFLUSH_H

#include <linux/types.h>

/* Writes the lines back to the memory that shim_hw_read64() reads. */
void clflush_cache_range(void *addr, unsigned int size);

#endif
