// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An endpoint's queues: what a command does, one piece inside one page after the
 * other, so that it can stop for a page request and go on.
 */
#include <string.h>
#include "hw.h"

#define FNV_BASIS	0xcbf29ce484222325ULL
#define FNV_PRIME	0x100000001b3ULL

/* Pieces in one go; others want to be served as well. */
#define BURST		2048

/* A piece is waiting for a page. */
#define WAITS		0xffffffffu

static uint32_t fault_reason(const struct vtdu_result *result)
{
	return result->fault |
	       (uint32_t)(result->outcome == VTDU_CA ? HQ_CA : HQ_UR) << 8 |
	       (uint32_t)result->recorded << 16;
}

static uint32_t went_wrong(struct queue *q, uint64_t addr, uint32_t status,
			   uint32_t reason)
{
	q->addr = addr;
	q->reason = reason;
	return status;
}

/* Ask for the page; queue_run() goes on when the answer is there. */
static uint32_t ask(struct ep *ep, struct queue *q, uint64_t addr, bool write)
{
	uint32_t flags = write ? HQ_PR_W : HQ_PR_R, rc;

	if (!(q->ctrl & HQ_CTRL_PRI))
		return went_wrong(q, addr, HQ_ERROR, HQ_E_PERMISSION);
	if (q->ctrl & HQ_CTRL_PRIV)
		flags |= HQ_PR_PRIV;
	if (q->ctrl & HQ_CTRL_EXEC && !write)
		flags |= HQ_PR_X;
	q->group = (uint16_t)(q - ep->queues);
	q->waits = true;
	q->addr = addr;
	rc = pri_send(ep, q, addr, flags, true, q->group);
	return rc ? went_wrong(q, addr, HQ_ERROR, rc) : WAITS;
}

/*
 * Where the bytes at @addr, which end in the same page, are in physical memory.
 * HQ_OK, HQ_FAULT, HQ_ERROR or WAITS.
 */
static uint32_t locate(struct ep *ep, struct queue *q, uint64_t addr, bool write,
		       uint64_t *pa, bool *interrupt)
{
	struct vtdu_request request = {
		.sid = ep->addr,
		.has_pasid = q->ctrl & HQ_CTRL_PASID_EN,
		.priv = (q->ctrl & HQ_CTRL_PASID_EN) && (q->ctrl & HQ_CTRL_PRIV),
		.no_snoop = q->ctrl & HQ_CTRL_NO_SNOOP,
		.access = write ? VTDU_WRITE : VTDU_READ,
		.pasid = HQ_CTRL_PASID(q->ctrl),
		.addr = addr,
	};
	struct vtdu_result result;
	uint32_t status;

	*interrupt = false;
	if (!write && q->ctrl & HQ_CTRL_EXEC && request.has_pasid)
		request.access |= VTDU_EXEC;
	if (q->ctrl & HQ_CTRL_RAW) {
		if (!ep_has(ep, HW_HAS_ATS))
			return went_wrong(q, addr, HQ_ERROR, HQ_E_ATS);
		request.at = VTDU_AT_TRANSLATED;
	} else if (q->ctrl & HQ_CTRL_ATS) {
		status = atc_translate(ep, q, addr, request.access, &result);
		if (status != HQ_OK)
			return went_wrong(q, addr, status, q->reason);
		if ((result.perm & request.access) != request.access)
			return ask(ep, q, addr, write);
		if (!result.untranslated_only) {
			request.at = VTDU_AT_TRANSLATED;
			request.addr = result.addr;
		}
	}
	/* Translated requests carry no PASID. */
	if (request.at == VTDU_AT_TRANSLATED)
		request.has_pasid = request.priv = false;
	unit_translate(ep->unit, &request, &result);
	if (result.outcome == VTDU_INTERRUPT) {
		*interrupt = true;
		*pa = addr;
		return HQ_OK;
	}
	if (result.outcome != VTDU_OK)
		return went_wrong(q, addr, HQ_FAULT, fault_reason(&result));
	*pa = result.addr;
	return HQ_OK;
}

/* One access that ends in the page it begins in. */
static uint32_t access_page(struct ep *ep, struct queue *q, uint64_t addr,
			    void *buf, uint32_t bytes, bool write)
{
	uint32_t status, value = 0;
	bool interrupt;
	uint64_t pa;
	void *host;

	status = locate(ep, q, addr, write, &pa, &interrupt);
	if (status != HQ_OK)
		return status;
	if (interrupt && write) {
		memcpy(&value, buf, bytes < 4 ? bytes : 4);
		vu_write_memory(&ep->vu, pa, value);
		return HQ_OK;
	}
	host = mem_at(&ep->vu.mem, pa, bytes, write);
	if (!host)
		return went_wrong(q, addr, HQ_ERROR, HQ_E_NO_MEMORY);
	if (write)
		memcpy(host, buf, bytes);
	else
		memcpy(buf, host, bytes);
	return HQ_OK;
}

static uint32_t page_left(uint64_t addr)
{
	return 4096 - (uint32_t)(addr & 4095);
}

static void fill(uint8_t *buf, uint64_t at, uint32_t bytes, uint64_t pattern)
{
	uint32_t i;

	for (i = 0; i < bytes; i++)
		buf[i] = (uint8_t)(pattern >> 8 * ((at + i) & 7));
}

/* What each round leaves where no other one for a while writes: its number. */
static uint32_t count(struct ep *ep, struct queue *q)
{
	uint64_t number = q->rounds, at = q->dst + 8 * number % q->len;
	uint32_t status = access_page(ep, q, at, &number, sizeof(number), true);

	if (status == HQ_OK)
		q->done = q->len;
	return status;
}

/* The next piece of a transfer, q->done bytes into it. */
static uint32_t piece(struct ep *ep, struct queue *q)
{
	unsigned int op = q->cmd & 0xff;
	bool from = op != HQ_CMD_FILL && op != HQ_CMD_WRITE;
	bool to = op == HQ_CMD_COPY || op == HQ_CMD_FILL || op == HQ_CMD_WRITE;
	bool both = op == HQ_CMD_COPY || op == HQ_CMD_COMPARE;
	uint64_t src = q->src + q->done, dst = q->dst + q->done;
	uint32_t bytes = 4096, status = HQ_OK, i;
	uint8_t one[4096], two[4096];

	if (q->len - q->done < bytes)
		bytes = (uint32_t)(q->len - q->done);
	if (from && page_left(src) < bytes)
		bytes = page_left(src);
	if ((to || both) && page_left(dst) < bytes)
		bytes = page_left(dst);

	if (from)
		status = access_page(ep, q, src, one, bytes, false);
	if (status != HQ_OK)
		return status;
	switch (op) {
	case HQ_CMD_FILL:
		fill(one, q->done, bytes, q->data);
		break;
	case HQ_CMD_WRITE:
		memcpy(one, ep->window + q->window + q->done, bytes);
		break;
	case HQ_CMD_READ:
		memcpy(ep->window + q->window + q->done, one, bytes);
		break;
	case HQ_CMD_SUM:
		for (i = 0; i < bytes; i++)
			q->result = (q->result ^ one[i]) * FNV_PRIME;
		break;
	case HQ_CMD_COMPARE:
		status = access_page(ep, q, dst, two, bytes, false);
		if (status != HQ_OK)
			return status;
		for (i = 0; i < bytes && one[i] == two[i]; i++)
			;
		q->result = q->done + i;
		if (i < bytes)
			bytes = (uint32_t)(q->len - q->done);
		break;
	}
	if (to)
		status = access_page(ep, q, dst, one, bytes, true);
	if (status == HQ_OK)
		q->done += bytes;
	return status;
}

static void begin(struct queue *q)
{
	q->status = HQ_BUSY;
	q->reason = 0;
	q->addr = 0;
	q->done = 0;
	q->waits = false;
	q->answered = false;
	q->run_at = 0;
	q->result = (q->cmd & 0xff) == HQ_CMD_SUM ? FNV_BASIS : 0;
}

void queue_end(struct ep *ep, struct queue *q, uint32_t status, uint32_t reason)
{
	q->waits = false;
	if (q->cmd & HQ_CMD_REPEAT) {
		uint64_t addr = q->addr;

		if (status == HQ_OK)
			q->rounds++;
		else
			q->errors++;
		begin(q);
		/* What went wrong last stays to be read. */
		q->reason = reason;
		q->addr = addr;
		q->run_at = hw_now() + q->interval_us;
		return;
	}
	q->status = status;
	q->reason = reason;
	if (q->irq & HQ_IRQ_ENABLE)
		vu_interrupt(&ep->vu, q->irq >> 8 & 0xff);
}

static void translate(struct ep *ep, struct queue *q)
{
	struct vtdu_result result;
	uint32_t status;

	status = atc_translate(ep, q, q->src, q->data & 7, &result);
	q->perm = 0;
	if (status == HQ_OK) {
		q->result = result.addr;
		q->perm = result.perm |
			  (result.untranslated_only ? HQ_PERM_UNTRANSLATED : 0) |
			  (uint32_t)result.page_lg2 << 8 |
			  (uint32_t)result.mode << 16 |
			  (result.cached ? HQ_PERM_CACHED : 0);
		q->reason = result.fault;
	}
	queue_end(ep, q, status, q->reason);
}

static void page_request(struct ep *ep, struct queue *q)
{
	uint16_t index = q->data >> 16 & 0x1ff;
	bool each = q->data & HQ_PR_EACH, open = q->data & HQ_PR_NOT_LAST;
	/* A stop marker, which asks for nothing, is not answered. */
	bool wait = !each && !open && !(q->data & HQ_PR_NO_WAIT) &&
		    q->data & (HQ_PR_R | HQ_PR_W);
	uint32_t i, rc;

	q->group = index;
	q->waits = wait;
	for (i = 0; i < q->len; i++) {
		bool last = each || (!open && i == q->len - 1);

		rc = pri_send(ep, q, q->src + 4096ULL * i, (uint32_t)q->data,
			      last, each ? (uint16_t)(index + i) : index);
		if (rc) {
			queue_end(ep, q, HQ_ERROR, rc);
			return;
		}
		q->done++;
	}
	if (!wait)
		queue_end(ep, q, HQ_OK, 0);
}

/* What a real device would not even begin. */
static uint32_t check(struct ep *ep, const struct queue *q)
{
	uint32_t pasid = HQ_CTRL_PASID(q->ctrl), width;
	unsigned int op = q->cmd & 0xff;

	if (op > HQ_CMD_COUNT || !q->len || q->len > HQ_MAX_LEN)
		return HQ_E_COMMAND;
	if (op == HQ_CMD_COUNT && (q->dst | q->len) % 8)
		return HQ_E_COMMAND;
	if ((op == HQ_CMD_READ || op == HQ_CMD_WRITE) &&
	    (q->window > HW_WINDOW_BYTES || q->len > HW_WINDOW_BYTES - q->window))
		return HQ_E_COMMAND;
	if (op == HQ_CMD_PAGE_REQUEST && q->len > 4096)
		return HQ_E_COMMAND;
	if (!(ep->misbehave & HW_MIS_MASTER) &&
	    !(pci_get16(&ep->pci, PCI_COMMAND) & PCI_COMMAND_MASTER))
		return HQ_E_MASTER;
	if (!(q->ctrl & HQ_CTRL_PASID_EN) || ep->misbehave & HW_MIS_PASID)
		return 0;
	if (!ep_has(ep, HW_HAS_PASID))
		return HQ_E_PASID;
	width = pci_get16(&ep->pci, ep->pci.caps.pasid + 4) >> 8 & 0x1f;
	return pasid >> width ? HQ_E_PASID : 0;
}

/* Does a transfer, or as much of it as is fair. True: it is over. */
static bool transfer(struct ep *ep, struct queue *q)
{
	unsigned int burst = BURST;
	uint32_t status;

	q->answered = false;
	while (q->done < q->len) {
		if (!burst--)
			return false;
		status = (q->cmd & 0xff) == HQ_CMD_COUNT ? count(ep, q) : piece(ep, q);
		if (status == WAITS)
			return false;
		if (status != HQ_OK) {
			queue_end(ep, q, status, q->reason);
			return true;
		}
	}
	queue_end(ep, q, HQ_OK, 0);
	return true;
}

uint64_t queue_run(struct ep *ep, struct queue *q, uint64_t now)
{
	unsigned int op = q->cmd & 0xff;
	uint32_t reason;

	if (q->status != HQ_BUSY || q->waits)
		return HW_NEVER;
	if (q->run_at > now)
		return q->run_at;
	reason = check(ep, q);
	if (!reason && q->answered && q->code != VTDU_RESPONSE_SUCCESS) {
		q->result = q->code;
		reason = HQ_E_RESPONSE;
	}
	if (reason)
		queue_end(ep, q, HQ_ERROR, reason);
	else if (op == HQ_CMD_PAGE_REQUEST && q->answered)
		queue_end(ep, q, HQ_OK, 0);
	else if (op == HQ_CMD_PAGE_REQUEST)
		page_request(ep, q);
	else if (op == HQ_CMD_TRANSLATE)
		translate(ep, q);
	else if (!transfer(ep, q))
		return q->waits ? HW_NEVER : now;
	return q->status == HQ_BUSY && !q->waits ? q->run_at : HW_NEVER;
}

void queue_start(struct ep *ep, struct queue *q, uint32_t cmd)
{
	if ((cmd & 0xff) == HQ_CMD_STOP) {
		if (q->status == HQ_BUSY) {
			q->cmd &= ~HQ_CMD_REPEAT;
			queue_end(ep, q, HQ_IDLE, q->reason);
		}
		return;
	}
	if (q->status == HQ_BUSY)
		return;
	q->cmd = cmd & (HQ_CMD_REPEAT | 0xff);
	q->rounds = 0;
	q->errors = 0;
	begin(q);
	/* Short ones are done by the time that software can look. */
	queue_run(ep, q, hw_now());
}
