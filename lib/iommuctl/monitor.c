// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * iommuctl monitor: events as they happen, a line each, flushed at once so that
 * scripts can read them from a pipe.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "json.h"
#include "nlc.h"

/**
 * struct monitor - what is printed how
 * @opts: options
 * @seen: events so far
 */
struct monitor {
	const struct options *opts;
	unsigned long seen;
};

static const char *event_name(uint32_t event)
{
	switch (event) {
	case IOMMU_NL_EVENT_FAULT: return "fault";
	case IOMMU_NL_EVENT_BIND: return "bind";
	case IOMMU_NL_EVENT_UNBIND: return "unbind";
	case IOMMU_NL_EVENT_ATTACH: return "attach";
	case IOMMU_NL_EVENT_DETACH: return "detach";
	}
	return "unknown";
}

static const char *access_name(uint32_t access)
{
	return access & IOMMU_NL_ACCESS_WRITE ? "write" : "read";
}

static void format_time(char *text, size_t len)
{
	struct timespec now;
	struct tm tm;
	char seconds[32];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, len, "%s.%03ld", seconds, now.tv_nsec / 1000000);
}

static void print_event(struct nlattr **attrs)
{
	uint32_t event = attr_u32(attrs, IOMMU_NL_A_EVENT);
	const char *reason = attr_string(attrs, IOMMU_NL_A_REASON_TEXT);
	char when[64];

	format_time(when, sizeof(when));
	printf("%s %-6s %s", when, event_name(event),
	       attr_string(attrs, IOMMU_NL_A_DEVICE));
	if (attrs[IOMMU_NL_A_SUBDEVICE])
		printf("/%s", attr_string(attrs, IOMMU_NL_A_SUBDEVICE));
	if (attrs[IOMMU_NL_A_CONTEXT])
		printf(" context %u label %#" PRIx64,
		       attr_u32(attrs, IOMMU_NL_A_CONTEXT),
		       attr_u64(attrs, IOMMU_NL_A_LABEL));
	if (attrs[IOMMU_NL_A_IOASID])
		printf(" IOASID %u", attr_u32(attrs, IOMMU_NL_A_IOASID));
	if (attrs[IOMMU_NL_A_PASID] && event != IOMMU_NL_EVENT_FAULT)
		printf(" PASID %u", attr_u32(attrs, IOMMU_NL_A_PASID));
	if (event == IOMMU_NL_EVENT_FAULT) {
		printf(": %s of %#" PRIx64 " refused",
		       access_name(attr_u32(attrs, IOMMU_NL_A_ACCESS)),
		       attr_u64(attrs, IOMMU_NL_A_ADDRESS));
		if (attrs[IOMMU_NL_A_PASID])
			printf(" with PASID %u",
			       attr_u32(attrs, IOMMU_NL_A_PASID));
		printf(": %s (reason %#x)", *reason ? reason : "no text",
		       attr_u32(attrs, IOMMU_NL_A_REASON));
	}
	putchar('\n');
}

static void json_event(struct nlattr **attrs)
{
	struct json json = { .out = stdout };
	uint32_t event = attr_u32(attrs, IOMMU_NL_A_EVENT);
	char when[64];

	format_time(when, sizeof(when));
	json_begin(&json, NULL, '{');
	json_string(&json, "time", when);
	json_string(&json, "event", event_name(event));
	json_string(&json, "device", attr_string(attrs, IOMMU_NL_A_DEVICE));
	if (attrs[IOMMU_NL_A_SUBDEVICE])
		json_string(&json, "subdevice",
			    attr_string(attrs, IOMMU_NL_A_SUBDEVICE));
	if (attrs[IOMMU_NL_A_CONTEXT]) {
		json_number(&json, "context", attr_u32(attrs, IOMMU_NL_A_CONTEXT));
		json_hex(&json, "label", attr_u64(attrs, IOMMU_NL_A_LABEL));
	}
	if (attrs[IOMMU_NL_A_IOASID])
		json_number(&json, "ioasid", attr_u32(attrs, IOMMU_NL_A_IOASID));
	if (attrs[IOMMU_NL_A_PASID])
		json_number(&json, "pasid", attr_u32(attrs, IOMMU_NL_A_PASID));
	if (event == IOMMU_NL_EVENT_FAULT) {
		json_hex(&json, "address", attr_u64(attrs, IOMMU_NL_A_ADDRESS));
		json_string(&json, "access",
			    access_name(attr_u32(attrs, IOMMU_NL_A_ACCESS)));
		json_number(&json, "reason", attr_u32(attrs, IOMMU_NL_A_REASON));
		json_string(&json, "reason_text",
			    attr_string(attrs, IOMMU_NL_A_REASON_TEXT));
	}
	json_end(&json, '}');
}

static bool enough(const struct monitor *monitor)
{
	return monitor->opts->count && monitor->seen >= monitor->opts->count;
}

static void on_event(int cmd, struct nlattr **attrs, void *arg)
{
	struct monitor *monitor = arg;

	if (cmd != IOMMU_NL_CMD_EVENT || enough(monitor))
		return;
	monitor->seen++;
	if (monitor->opts->json)
		json_event(attrs);
	else
		print_event(attrs);
	fflush(stdout);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Return: an exit status. */
static int receive_until_done(struct nlc *nl, struct monitor *monitor)
{
	struct pollfd pfd = { .fd = nlc_fd(nl), .events = POLLIN };
	int timeout = monitor->opts->timeout_ms, left = -1, rc;
	int64_t end = now_ms() + timeout;

	while (!enough(monitor)) {
		if (timeout >= 0) {
			left = (int)(end - now_ms());
			if (left <= 0)
				break;
		}
		rc = poll(&pfd, 1, left);
		if (rc < 0 && errno != EINTR)
			return say_error("poll: error %d", errno);
		if (rc <= 0)
			continue;
		rc = nlc_receive(nl, on_event, monitor);
		if (rc == -ENOBUFS)
			say_error("%s", nlc_explain(rc));
		else if (rc && rc != -EAGAIN && rc != -EINTR)
			return say_error("%s", nlc_explain(rc));
		if (ferror(stdout))
			return STATUS_FAILED;
	}
	return monitor->opts->count && !enough(monitor) ? STATUS_FAILED : STATUS_OK;
}

int cmd_monitor(const struct options *opts)
{
	struct monitor monitor = { .opts = opts };
	struct nlc nl;
	int rc;

	rc = nlc_open(&nl);
	if (rc)
		return say_error("%s", nlc_explain(rc));
	rc = nlc_subscribe(&nl);
	if (rc) {
		nlc_close(&nl);
		return say_error("%s", nlc_explain(rc));
	}
	/* Scripts wait for this line before they cause an event. */
	fprintf(stderr, "iommuctl: listening\n");
	rc = receive_until_done(&nl, &monitor);
	nlc_close(&nl);
	return rc;
}
