/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to map and unmap memory for a device: the cases, the memory they
 * map, and the ABIs they are measured through.
 *
 * Time is the CPU's time-stamp counter. In a machine that counts instructions
 * (tests/vm/run --icount) it is the number of instructions that were executed.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIB(n)	((size_t)(n) << 10)
#define MIB(n)	((size_t)(n) << 20)
#define PAGE	KIB(4)

/**
 * struct abi - a way to map memory for a device
 * @name: for progress lines
 * @open: make an empty address space, with the device attached to it; @device is
 *	a PCI address, or "none" for a space without device
 * @map: map memory for reading and writing at a given address
 * @unmap: unmap all that is mapped in a range; returns the bytes that were
 * @close: close every file that @open has opened
 *
 * One space at a time. All end the program when the kernel refuses.
 */
struct abi {
	const char *name;
	void (*open)(const char *device);
	void (*map)(uint64_t iova, void *memory, size_t bytes);
	uint64_t (*unmap)(uint64_t iova, uint64_t bytes);
	void (*close)(void);
};

/** bench_main() - run all cases, or the one that is named: [DEVICE [CASE]] */
int bench_main(const struct abi *abi, int argc, char **argv);

/* clock.c */

/** clock_start() - to be called once, before anything is measured */
void clock_start(void);

/** now() - the clock */
uint64_t now(void);

/** since() - what has passed, less what it costs to look */
uint64_t since(uint64_t start);

/** median() - of @n values, which are sorted for it */
uint64_t median(uint64_t *values, size_t n);

/**
 * result() - print a line
 * @name: case
 * @operation: part of it
 * @units: pages, or whatever it was about
 * @cost: for all of @units
 * @commands: that were given, in all rounds together
 *
 *	=  CASE  OPERATION  UNITS  COST  COMMANDS
 *
 * with tabs between.
 */
void result(const char *name, const char *operation, uint64_t units, int64_t cost,
	    unsigned int commands);

/** open_device() - the file of a PCI function that iofd-pci drives */
int open_device(const char *address);

/** die() - say what failed, with errno, and end */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** pseudo_random() - a sequence of numbers that is the same in every run */
uint32_t pseudo_random(void);

/* memory.c: populated memory, checked to be what it is said to be */

/** memory_scattered() - pages whose physical addresses do not follow each other */
void *memory_scattered(size_t bytes);

/** memory_thp() - transparent huge pages of 2 MiB */
void *memory_thp(size_t bytes);

/** memory_hugetlb() - huge pages of 2 MiB from the kernel's pool */
void *memory_hugetlb(size_t bytes);

/** memory_free() - give it back */
void memory_free(void *memory, size_t bytes);

/** kernel_pages_used() - pages that are allocated in the whole machine */
int64_t kernel_pages_used(void);

#endif /* BENCH_H */
