/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MODULE_H
#define SHIM_LINUX_MODULE_H

/*
 * One module; taking and giving back references is counted, and what is left at
 * the end of a test is a leak.
 */
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/moduleparam.h>
#include <linux/kernel.h>

struct module {
	long refs;
	bool going;		/* try_module_get() fails */
};

extern struct module shim_module;

#define THIS_MODULE		(&shim_module)

static inline bool try_module_get(struct module *module)
{
	if (module) {
		if (module->going)
			return false;
		module->refs++;
	}
	return true;
}

static inline void __module_get(struct module *module)
{
	if (module)
		module->refs++;
}

static inline void module_put(struct module *module)
{
	if (module) {
		BUG_ON(!module->refs);
		module->refs--;
	}
}

#define MODULE_LICENSE(s)
#define MODULE_AUTHOR(s)
#define MODULE_DESCRIPTION(s)
#define MODULE_ALIAS(s)
#define MODULE_ALIAS_MISCDEV(n)
#define MODULE_IMPORT_NS(n)
#define MODULE_SOFTDEP(s)
/* A test that wants to load a module calls these. */
#define module_init(f)	int shim_init_##f(void); int shim_init_##f(void) { return f(); }
#define module_exit(f)	void shim_exit_##f(void); void shim_exit_##f(void) { f(); }

#endif
