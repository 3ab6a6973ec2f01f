/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_IO_H
#define SHIM_LINUX_IO_H

/*
 * Registers: plain memory, or what shim_mmio_read and shim_mmio_write do when
 * they are set.
 */
#include <linux/kernel.h>
#include <linux/mm.h>

extern u64 (*shim_mmio_read)(const volatile void *addr, unsigned int bytes);
extern void (*shim_mmio_write)(volatile void *addr, u64 value, unsigned int bytes);

#define SHIM_MMIO(suffix, type)						\
static inline type read##suffix(const volatile void *addr)		\
{									\
	if (shim_mmio_read)						\
		return shim_mmio_read(addr, sizeof(type));		\
	return *(const volatile type *)addr;				\
}									\
									\
static inline void write##suffix(type value, volatile void *addr)	\
{									\
	if (shim_mmio_write)						\
		shim_mmio_write(addr, value, sizeof(type));		\
	else								\
		*(volatile type *)addr = value;				\
}

/* A test says what is where. */
extern void *(*shim_ioremap)(u64 start, u64 bytes);
#define ioremap(start, bytes)	(shim_ioremap ? shim_ioremap(start, bytes) : NULL)
#define iounmap(p)		((void)(p))

SHIM_MMIO(b, u8)
SHIM_MMIO(w, u16)
SHIM_MMIO(l, u32)
SHIM_MMIO(q, u64)
#undef SHIM_MMIO

#endif
