/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows kernel versions. Sources include this file and use
 * what it defines; the HAVE_ macros it is written with come from probed.h,
 * which the build makes for each kernel (see iommufd/compat/probe) and puts
 * before every source file.
 */
#ifndef IOFD_COMPAT_H
#define IOFD_COMPAT_H

#ifndef HAVE_COMPILER_WORKS
#error "probed.h is missing: build with 'make modules' from the top of the tree"
#endif

/*
 * A variable on the stack that is written before it is read, in a place where
 * zeroing it first (CONFIG_INIT_STACK_ALL_ZERO) would cost.
 */
#ifndef __uninitialized
#if __has_attribute(__uninitialized__)
#define __uninitialized __attribute__((__uninitialized__))
#else
#define __uninitialized
#endif
#endif

#endif
