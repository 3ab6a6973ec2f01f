/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_FILE_H
#define SHIM_LINUX_FILE_H

struct file;

struct file *fget(unsigned int fd);
void fput(struct file *file);
int get_unused_fd_flags(unsigned int flags);
void put_unused_fd(unsigned int fd);
void fd_install(unsigned int fd, struct file *file);

#endif
