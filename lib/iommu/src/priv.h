/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library's files share.
 */
#ifndef LIBIOMMU_PRIV_H
#define LIBIOMMU_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/ioasid.h>

#include <iommu/iommu.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct error_slot;

/**
 * struct iommu_ctx - one open of /dev/iommu
 * @fd: -1 until it is open
 * @root: what /sys and /dev are looked for below
 * @errors_lock: protects @errors
 * @errors: (errors_lock) the last error text of each thread that had one
 */
struct iommu_ctx {
	int fd;
	char *root;
	pthread_mutex_t errors_lock;
	struct error_slot *errors;
};

/**
 * struct iommu_dev - a bound device
 * @ctx: the context it is bound to
 * @fd: the device file
 * @label: its label in @ctx
 * @irq_kind: meaningful while @irq_count is not 0
 * @irq_count: enabled vectors
 * @irq_fds: their eventfds
 * @name: for people
 */
struct iommu_dev {
	struct iommu_ctx *ctx;
	int fd;
	uint64_t label;
	enum iommu_irq_kind irq_kind;
	unsigned int irq_count;
	int *irq_fds;
	char name[64];
};

/**
 * struct remedy - what an errno means where it came up
 * @err: the errno, positive; 0 ends a table
 * @text: cause and remedy
 */
struct remedy {
	int err;
	const char *text;
};

/* error.c */

/**
 * iommu_fail() - remember why something failed
 * @ctx: the context
 * @err: the errno, positive
 * @remedies: table to look @err up in; NULL: strerror() says it all
 * @format: what failed, as printf()
 *
 * Return: -@err.
 */
int iommu_fail(struct iommu_ctx *ctx, int err, const struct remedy *remedies,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

/**
 * iommu_refuse() - the same where the text says it all
 * @ctx: the context
 * @err: the errno, positive
 * @format: what failed and why, as printf()
 *
 * Return: -@err.
 */
int iommu_refuse(struct iommu_ctx *ctx, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * iommu_errors_free() - forget all error texts
 * @ctx: the context
 */
void iommu_errors_free(struct iommu_ctx *ctx);

/* context.c */

/**
 * iommu_ctx_ioctl() - an ioctl on /dev/iommu
 * @ctx: the context
 * @cmd: the command
 * @arg: its structure
 *
 * Return: 0 or a negative errno; leaves no error text.
 */
int iommu_ctx_ioctl(struct iommu_ctx *ctx, unsigned long cmd, void *arg);

/* ioas.c */

/** iommu_prot_ok() - is it access, and no other flag that gets in by it? */
bool iommu_prot_ok(unsigned int prot);

/** iommu_bad_prot() - say that it is not; -EINVAL */
int iommu_bad_prot(struct iommu_ctx *ctx, unsigned int prot);

/* device.c */

/**
 * iommu_dev_ioctl() - an ioctl on a device file
 * @dev: the device
 * @cmd: the command
 * @arg: its structure
 *
 * Return: what the ioctl returned, or a negative errno; leaves no error text.
 */
int iommu_dev_ioctl(struct iommu_dev *dev, unsigned long cmd, void *arg);

/* irq.c */

/**
 * iommu_irq_release() - forget the eventfds; the kernel has or will have done so
 * @dev: the device
 */
void iommu_irq_release(struct iommu_dev *dev);

/* find.c */

/**
 * iommu_find_and_open() - open the device file of a PCI function
 * @ctx: the context
 * @bdf: the full name of the function
 *
 * Return: the fd, or a negative errno with an error text.
 */
int iommu_find_and_open(struct iommu_ctx *ctx, const char *bdf);

#endif /* LIBIOMMU_PRIV_H */
