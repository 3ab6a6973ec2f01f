// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "nvme.h"

/* Status codes that a reader can meet; SCT in the upper byte, SC in the lower. */
static const struct {
	unsigned int code;
	const char *text;
} statuses[] = {
	{ 0x001, "the command is not known" },
	{ 0x002, "a field of the command is invalid" },
	{ 0x004, "data transfer error: the controller could not reach the memory" },
	{ 0x005, "aborted by a loss of power" },
	{ 0x006, "internal error" },
	{ 0x007, "aborted on request" },
	{ 0x008, "aborted because its queue was deleted" },
	{ 0x00b, "invalid namespace or format" },
	{ 0x013, "invalid PRP offset" },
	{ 0x080, "block number out of range" },
	{ 0x082, "namespace not ready" },
	{ 0x100, "completion queue is invalid" },
	{ 0x101, "invalid queue number" },
	{ 0x102, "invalid queue size" },
	{ 0x108, "invalid interrupt vector" },
	{ 0x281, "unrecovered read error" },
	{ 0x282, "guard check error" },
	{ 0x286, "access denied" },
};

const char *nvme_error(const struct nvme_ctrl *ctrl)
{
	return ctrl->error;
}

int nvme_fail(struct nvme_ctrl *ctrl, int rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ctrl->error, sizeof(ctrl->error), format, args);
	va_end(args);
	return rc;
}

int nvme_fail_iommu(struct nvme_ctrl *ctrl, int rc)
{
	return nvme_fail(ctrl, rc, "%s", iommu_ctx_error(ctrl->ctx));
}

int nvme_fail_status(struct nvme_ctrl *ctrl, const char *what,
		     unsigned int status)
{
	unsigned int sct = NVME_STATUS_SCT(status), sc = NVME_STATUS_SC(status);
	const char *text = "see the specification, Status Codes";
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].code == (sct << 8 | sc))
			text = statuses[i].text;
	return nvme_fail(ctrl, -EIO,
			 "the controller refused '%s': %s (status code type %u, code %#04x)",
			 what, text, sct, sc);
}

void nvme_log(const struct nvme_ctrl *ctrl, const char *format, ...)
{
	va_list args;

	if (!ctrl->log)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
