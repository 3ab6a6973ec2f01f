/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BITFIELD_H
#define SHIM_LINUX_BITFIELD_H

#include <linux/bits.h>
#include <linux/build_bug.h>

#define shim_shift(mask)	__builtin_ctzll(mask)
#define FIELD_PREP(mask, v)						\
	((__typeof__(mask))(v) << shim_shift(mask) & (mask))
#define FIELD_GET(mask, reg)						\
	((__typeof__(mask))(((reg) & (mask)) >> shim_shift(mask)))
#define FIELD_FIT(mask, v)						\
	(!((__typeof__(mask))(v) << shim_shift(mask) & ~(mask)))
#define FIELD_MAX(mask)		((__typeof__(mask))((mask) >> shim_shift(mask)))

#endif
