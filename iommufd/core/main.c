// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module iofd: the I/O address space subsystem.
 */
#include <linux/module.h>
#include "abi/abi.h"
#include "core/compose.h"
#include "core/event.h"
#include "hw/api/api.h"

static int __init iofd_init(void)
{
	int rc;

	rc = iofd_map_init();
	if (rc)
		return rc;
	rc = iofd_compose_init();
	if (rc)
		goto err_map;
	rc = iofd_netlink_init();
	if (rc)
		goto err_compose;
	rc = iofd_api_init();
	if (rc)
		goto err_netlink;
	/* From here on programs can come in. */
	rc = iofd_abi_init();
	if (rc)
		goto err_api;
	return 0;

err_api:
	iofd_api_exit();
err_netlink:
	iofd_netlink_exit();
err_compose:
	iofd_compose_exit();
err_map:
	iofd_map_exit();
	return rc;
}

static void __exit iofd_exit(void)
{
	iofd_abi_exit();
	iofd_api_exit();
	iofd_netlink_exit();
	iofd_compose_exit();
	iofd_map_exit();
}

module_init(iofd_init);
module_exit(iofd_exit);
MODULE_DESCRIPTION("/dev/iommu: I/O address spaces for devices driven by user space");
MODULE_LICENSE("GPL");
