/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_TYPES_H
#define SHIM_LINUX_TYPES_H

/* Adds the kernel's own types to the ones that user space has. */
#include_next <linux/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/compiler.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

typedef u64 phys_addr_t;
typedef u64 dma_addr_t;
typedef u64 resource_size_t;
typedef unsigned int gfp_t;
typedef unsigned int fmode_t;
typedef unsigned int __poll_t;

typedef struct { int counter; } atomic_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { long counter; } atomic_long_t;

struct rcu_head {
	char unused;
};

struct list_head {
	struct list_head *next, *prev;
};

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)
#define S32_MAX		((s32)(U32_MAX >> 1))
#define S64_MAX		((s64)(U64_MAX >> 1))

/* Width that the system headers do not have */
#ifndef __aligned_u64
#define __aligned_u64	__u64 __attribute__((__aligned__(8)))
#endif

#endif
