/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BUILD_BUG_H
#define SHIM_LINUX_BUILD_BUG_H

#include <linux/compiler.h>

#define BUILD_BUG_ON(c)			_Static_assert(!(c), #c)
#define BUILD_BUG_ON_MSG(c, m)		_Static_assert(!(c), m)
#define BUILD_BUG_ON_ZERO(c)		((int)sizeof(struct { int : (-!!(c)); }))

#endif
