/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tool's files share.
 */
#ifndef IOMMUCTL_H
#define IOMMUCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <iommu/device.h>

/* Exit statuses, as the manual promises them. */
enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
};

#define DRIVER_NAME	"iofd-pci"
#define NAME_LEN	64

/**
 * struct options - what all commands understand
 * @json: print JSON
 * @force: go ahead where the tool would rather not
 * @count: monitor: events to wait for, 0: no limit
 * @timeout_ms: monitor: end after that long, -1: never
 * @bdf: the PCI function, "" when the command takes none
 */
struct options {
	bool json;
	bool force;
	unsigned long count;
	int timeout_ms;
	char bdf[IOMMU_BDF_LEN];
};

/* util.c */

/** say_error() - one line on standard error; returns STATUS_FAILED */
int say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** xasprintf() - as asprintf(), but ends the program without memory */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** xgrow() - room for element @count of an array of @size bytes each */
void *xgrow(void *array, size_t count, size_t size);

/* The commands; each returns an exit status. */
int cmd_list(const struct options *opts);
int cmd_doctor(const struct options *opts);
int cmd_bind(const struct options *opts);
int cmd_unbind(const struct options *opts);
int cmd_show(const struct options *opts);
int cmd_monitor(const struct options *opts);

#endif /* IOMMUCTL_H */
