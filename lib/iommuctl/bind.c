// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * iommuctl bind and unbind: hand a PCI function over, and back. Nothing is
 * remembered: driver_override in sysfs is all there is to it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "nlc.h"
#include "pci.h"
#include "sys.h"

#define DEVICE "/sys/bus/pci/devices/%s"

static int explain_write(const char *what, const char *bdf, int rc)
{
	if (rc == -EACCES || rc == -EPERM)
		return say_error("%s: cannot %s: only root may", bdf, what);
	return say_error("%s: cannot %s: %s", bdf, what, strerror(-rc));
}

static int load(struct pci_function *fn, const char *bdf)
{
	if (pci_load(fn, bdf))
		return 0;
	return say_error("there is no PCI function %s: see 'iommuctl list'", bdf);
}

/* Take the function from its driver, if it has one. */
static int detach_driver(const struct pci_function *fn)
{
	int rc;

	if (!*fn->driver)
		return 0;
	rc = sys_write(fn->bdf, DEVICE "/driver/unbind", fn->bdf);
	return rc ? explain_write("take it from its driver", fn->bdf, rc) : 0;
}

/* An empty line takes the reservation away. */
static int set_override(const char *bdf, const char *driver)
{
	int rc = sys_write(*driver ? driver : "\n", DEVICE "/driver_override",
			   bdf);

	return rc ? explain_write("choose its driver", bdf, rc) : 0;
}

/* Let the kernel find a driver; none may fit. */
static void probe(const char *bdf)
{
	sys_write(bdf, "/sys/bus/pci/drivers_probe");
}

static void print_result(const struct options *opts,
			 const struct pci_function *fn)
{
	struct json json = { .out = stdout, .pretty = true };
	char *node = NULL;

	if (fn->has_cdev)
		node = xasprintf("/dev/vfio/devices/%s", fn->vfio);
	if (opts->json) {
		json_begin(&json, NULL, '{');
		json_string(&json, "device", fn->bdf);
		json_string(&json, "driver", *fn->driver ? fn->driver : NULL);
		json_string(&json, "file", node);
		json_end(&json, '}');
	} else if (node) {
		printf("%s: driven by %s, device file %s\n", fn->bdf,
		       fn->driver, node);
	} else if (*fn->driver) {
		printf("%s: driven by %s\n", fn->bdf, fn->driver);
	} else {
		printf("%s: has no driver now, none of the loaded ones wants it\n",
		       fn->bdf);
	}
	free(node);
}

/* Is it safe to take the function away from the kernel? */
static int check_bind(const struct options *opts, const struct pci_function *fn)
{
	char *use;

	if (!sys_exists("/sys/bus/pci/drivers/" DRIVER_NAME))
		return say_error("the driver " DRIVER_NAME " is not there: try 'modprobe iofd_pci'");
	if (pci_is_bridge(fn->class))
		return say_error("%s is a bridge, which can be driven by the kernel only",
				 fn->bdf);
	use = pci_disk_use(fn->bdf);
	if (use && !opts->force) {
		say_error("a disk of %s is %s: end that first, or use --force",
			  fn->bdf, use);
		free(use);
		return STATUS_FAILED;
	}
	free(use);
	return 0;
}

int cmd_bind(const struct options *opts)
{
	struct pci_function fn;
	char before[NAME_LEN];
	int rc;

	rc = load(&fn, opts->bdf);
	if (rc)
		return rc;
	if (!strcmp(fn.driver, DRIVER_NAME)) {
		print_result(opts, &fn);
		return STATUS_OK;
	}
	rc = check_bind(opts, &fn);
	if (rc)
		return rc;

	strcpy(before, fn.override);
	rc = set_override(fn.bdf, DRIVER_NAME);
	if (rc)
		return rc;
	rc = detach_driver(&fn);
	if (!rc) {
		probe(fn.bdf);
		pci_load(&fn, opts->bdf);
		if (!strcmp(fn.driver, DRIVER_NAME)) {
			print_result(opts, &fn);
			return STATUS_OK;
		}
		rc = say_error("%s: " DRIVER_NAME " did not take it: the end of the kernel's log (dmesg) says why, 'iommuctl doctor %s' may",
			       fn.bdf, fn.bdf);
	}
	/* As it was before. */
	set_override(fn.bdf, before);
	if (!*fn.driver)
		probe(fn.bdf);
	return rc;
}

/* Say who uses the function, as far as we are told. */
static int check_unbind(const struct options *opts, const char *bdf)
{
	const struct nlc_context *context;
	struct nlc_state state;
	struct nlc nl;
	size_t i;
	int rc;

	if (opts->force || nlc_open(&nl))
		return 0;
	rc = nlc_load(&nl, &state);
	nlc_close(&nl);
	if (rc)
		return 0;
	for (i = 0; i < state.nr_bindings && !rc; i++) {
		if (strcmp(state.bindings[i].device, bdf))
			continue;
		context = nlc_find_context(&state, state.bindings[i].context);
		if (context)
			rc = say_error("%s is in use by %s (process %u): end that first, or use --force to wait for it",
				       bdf, context->comm, context->pid);
	}
	nlc_state_free(&state);
	return rc;
}

int cmd_unbind(const struct options *opts)
{
	struct pci_function fn;
	int rc;

	rc = load(&fn, opts->bdf);
	if (rc)
		return rc;
	if (*fn.driver && strcmp(fn.driver, DRIVER_NAME))
		return say_error("%s is driven by %s and not by " DRIVER_NAME,
				 fn.bdf, fn.driver);
	rc = check_unbind(opts, fn.bdf);
	if (!rc)
		rc = set_override(fn.bdf, "");
	if (!rc)
		rc = detach_driver(&fn);
	if (rc)
		return rc;
	probe(fn.bdf);
	pci_load(&fn, opts->bdf);
	print_result(opts, &fn);
	return STATUS_OK;
}
