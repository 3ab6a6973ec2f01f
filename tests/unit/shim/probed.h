/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands where the build puts what it has probed in a kernel: the shim is a
 * kernel without any of the newer features.
 */
#define HAVE_COMPILER_WORKS 1
