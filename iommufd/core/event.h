/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events: what the core tells administrators who listen on the generic netlink
 * family "ioasid". Knows nothing of the core's structures, so that everything
 * that has an event to report can include it.
 */
#ifndef IOFD_CORE_EVENT_H
#define IOFD_CORE_EVENT_H

#include <linux/types.h>

#include "../hw/hw.h"

struct device;

/**
 * enum iofd_event_kind - what happened
 * @IOFD_EVENT_FAULT: the IOMMU refused a DMA of the device
 * @IOFD_EVENT_BIND: the device was bound to an fd
 * @IOFD_EVENT_UNBIND: the device was unbound from it
 * @IOFD_EVENT_ATTACH: the device was attached to an IOASID
 * @IOFD_EVENT_DETACH: the device was detached from it: its DMA is blocked, or goes
 *	where it went before
 *
 * Mapping is no event: it is far too frequent.
 */
enum iofd_event_kind {
	IOFD_EVENT_FAULT,
	IOFD_EVENT_BIND,
	IOFD_EVENT_UNBIND,
	IOFD_EVENT_ATTACH,
	IOFD_EVENT_DETACH,
};

/**
 * struct iofd_event - one event
 * @kind: what happened
 * @bound: @ctx_id and @label are valid. False only for the fault of a device
 *	that is bound to no fd
 * @dev: the device; held by the caller for the length of the call
 * @subdev: NULL; or the name of the part of @dev that it is about
 * @ctx_id: number of the context (the open of /dev/iommu), as GET_CONTEXT shows
 * @label: the device's label in that context
 * @ioasid: the IOASID concerned; 0 when there is none
 * @has_pasid: with IOFD_EVENT_ATTACH and _DETACH: it is about requests with
 *	@pasid, and not about those without
 * @pasid: see @has_pasid
 * @fault: with IOFD_EVENT_FAULT what the hardware said; else NULL
 */
struct iofd_event {
	enum iofd_event_kind kind;
	bool bound;
	struct device *dev;
	const char *subdev;
	u32 ctx_id;
	u64 label;
	u32 ioasid;
	bool has_pasid;
	u32 pasid;
	const struct iofd_hw_fault *fault;
};

/**
 * iofd_netlink_event() - tell whoever listens
 * @ev: the event; nothing of it is kept
 *
 * Never fails and never waits for a listener: without one it returns at once,
 * and a listener that is too slow, or a lack of memory, loses the event. May
 * sleep for memory, takes none of the core's locks, and so may be called with
 * any of them held.
 */
void iofd_netlink_event(const struct iofd_event *ev);

/**
 * iofd_netlink_init() - register the family; call before the first event
 *
 * Return: 0 or a negative errno.
 */
int iofd_netlink_init(void);

/**
 * iofd_netlink_exit() - withdraw it; call after the last event
 */
void iofd_netlink_exit(void);

#endif /* IOFD_CORE_EVENT_H */
