/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of the machine: sysfs, procfs, device files. Paths are given as printf()
 * formats and looked for below $IOMMUCTL_ROOT, so that tests can make up a
 * machine.
 */
#ifndef IOMMUCTL_SYS_H
#define IOMMUCTL_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** sys_path() - the whole path, to be freed */
char *sys_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** sys_exists() - is there such a file? */
bool sys_exists(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** sys_read() - first line of a file without the newline; "" and false without */
bool sys_read(char *text, size_t len, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** sys_read_hex() - the same as a hexadecimal number, with or without "0x" */
bool sys_read_hex(uint64_t *value, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** sys_link() - last part of what a symbolic link points to; "" and false without */
bool sys_link(char *name, size_t len, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** sys_write() - write a text to a file; 0 or a negative errno */
int sys_write(const char *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * sys_names() - names in a folder, sorted, terminated by NULL
 * @format: of the path
 *
 * Return: an array to be freed with sys_names_free(), empty without the folder.
 */
char **sys_names(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** sys_names_free() - free it */
void sys_names_free(char **names);

#endif /* IOMMUCTL_SYS_H */
