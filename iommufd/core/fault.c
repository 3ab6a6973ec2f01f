// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA that the hardware refused.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/ratelimit.h>
#include "core/space.h"
#include "core/event.h"

static const char *access_name(u32 access)
{
	return access & IOFD_WRITE ? "write to" : "read of";
}

#define WHOSE_LEN	64

/* " with PASID 7", " by sub-device q1" or nothing, in @text. */
static const char *whose(const struct iofd_hw_fault *fault, const char *subdev,
			 char text[WHOSE_LEN])
{
	text[0] = '\0';
	if (subdev)
		snprintf(text, WHOSE_LEN, " by sub-device %s", subdev);
	else if (fault->has_pasid)
		snprintf(text, WHOSE_LEN, " with PASID %u", fault->pasid);
	return text;
}

/*
 * Nobody has the device. A PASID may be that of a sub-device that was closed since,
 * whose user is not to learn it.
 */
static void report_unbound(struct device *dev, struct iofd_hw_fault *fault)
{
	const char *with = fault->has_pasid ? " with a PASID" : "";
	struct iofd_event ev = {
		.kind = IOFD_EVENT_FAULT,
		.dev = dev,
		.fault = fault,
	};

	fault->has_pasid = false;
	dev_err_ratelimited(dev, "DMA %s %#llx%s refused: %s (reason %#x)\n",
			    access_name(fault->access), fault->address, with,
			    fault->reason_text, fault->reason);
	iofd_netlink_event(&ev);
}

static void report_bound(struct iofd_device *idev, u32 ioasid,
			 const struct iofd_hw_fault *fault)
{
	struct iofd_event ev = {
		.kind = IOFD_EVENT_FAULT,
		.bound = true,
		.dev = idev->pdev->dev,
		.subdev = idev->pdev->name,
		.ctx_id = idev->obj.ctx->id,
		.label = idev->label,
		.ioasid = ioasid,
		.fault = fault,
	};
	char text[WHOSE_LEN];

	whose(fault, ev.subdev, text);
	if (ioasid)
		dev_err_ratelimited(ev.dev,
				    "DMA %s %#llx%s refused: %s (reason %#x); label %#llx, IOASID %u\n",
				    access_name(fault->access), fault->address,
				    text, fault->reason_text, fault->reason,
				    idev->label, ioasid);
	else
		dev_err_ratelimited(ev.dev,
				    "DMA %s %#llx%s refused: %s (reason %#x); label %#llx, attached to nothing\n",
				    access_name(fault->access), fault->address,
				    text, fault->reason_text, fault->reason,
				    idev->label);
	iofd_netlink_event(&ev);
}

/*
 * Who sent the request: a sub-device, or the device. To a sub-device, and whoever
 * hears of it, the request had no PASID.
 */
static struct iofd_pdev *find_sender(struct device *dev,
				     struct iofd_hw_fault *fault)
{
	struct iofd_pdev *pdev = NULL;

	if (fault->has_pasid)
		pdev = iofd_pdev_find(dev, fault->pasid);
	if (!pdev)
		return iofd_pdev_find(dev, IOFD_NO_PASID);
	fault->has_pasid = false;
	fault->pasid = 0;
	return pdev;
}

void iofd_hw_report_fault(struct device *dev, const struct iofd_hw_fault *seen)
{
	struct iofd_hw_fault copy = *seen, *fault = &copy;
	struct iofd_attach *attach;
	struct iofd_device *idev;
	struct iofd_pdev *pdev;

	mutex_lock(&iofd_topology_lock);
	pdev = find_sender(dev, fault);
	if (!pdev) {
		report_unbound(dev, fault);
		goto out;
	}
	attach = iofd_attach_for_fault(pdev, fault->has_pasid ? fault->pasid :
					     IOFD_NO_PASID);
	if (attach) {
		report_bound(attach->binding, attach->space->obj.id, fault);
	} else {
		/* Blocked: it concerns every fd that the device is bound to. */
		list_for_each_entry(idev, &pdev->bindings, pdev_entry)
			report_bound(idev, 0, fault);
	}
out:
	mutex_unlock(&iofd_topology_lock);
}
EXPORT_SYMBOL_GPL(iofd_hw_report_fault);
