/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the shim's own files. */
#ifndef SHIM_INTERNAL_H
#define SHIM_INTERNAL_H

#include "shim.h"

/* Does this allocation have to fail? Counts it. */
bool shim_must_fail(gfp_t gfp, const char *file, int line);

/* @nr page frames in a row, the first congruent to @addr modulo @align */
struct page *shim_frames(unsigned long nr, u64 addr, u64 align);

void shim_reset_memory(void);
void shim_reset_process(void);
int shim_process_left(void);
void shim_reset_files(void);
int shim_files_left(void);

#endif
