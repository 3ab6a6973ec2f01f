/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MISCDEVICE_H
#define SHIM_LINUX_MISCDEVICE_H

#include <linux/fs.h>

#define MISC_DYNAMIC_MINOR	255

struct miscdevice {
	int minor;
	const char *name;
	const char *nodename;
	const struct file_operations *fops;
	unsigned int mode;
};

/* The one device that is registered, or NULL */
extern struct miscdevice *shim_misc;

int misc_register(struct miscdevice *misc);
void misc_deregister(struct miscdevice *misc);

#endif
