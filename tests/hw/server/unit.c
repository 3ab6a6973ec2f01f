// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A remapping unit's PCI function: lib/vtd's registers in a BAR, its memory
 * accesses through what the VMM mapped, its events as memory writes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../../../iommufd/hw/vtd/pciunit_regs.h"
#include "hw.h"

#define REG_IQA		0x90
#define DESC_WAIT	5

/* Descriptors in one go; others want to be served as well. */
#define BURST		256

static bool in_queue(const struct unit *unit, uint64_t addr, size_t len)
{
	uint64_t base = unit->iqa & ~0xfffULL, bytes = 4096ULL << (unit->iqa & 7);

	return addr >= base && addr - base < bytes && len <= bytes - (addr - base);
}

/* Make descriptors that are to have no effect such that do nothing. */
static void hide(struct unit *unit, uint8_t *buf, size_t len)
{
	size_t step = unit->iqa & 0x800 ? 32 : 16, at;
	unsigned int type;

	for (at = 0; at + step <= len; at += step) {
		type = (buf[at] & 0xfu) | (buf[at + 1] >> 1 & 7u) << 4;
		if (type >= 16 || !(unit->ignore & 1u << type))
			continue;
		unit->ignored[type]++;
		memset(buf + at, 0, step);
		buf[at] = DESC_WAIT;
	}
}

static bool op_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct unit *unit = opaque;
	const void *host = mem_at(&unit->vu.mem, addr, len, false);

	if (!host)
		return false;
	if (len == 8 && !(addr & 7)) {
		/* The guest may be changing the entry at this moment. */
		uint64_t value = __atomic_load_n((const uint64_t *)host,
						 __ATOMIC_ACQUIRE);

		memcpy(buf, &value, 8);
	} else {
		memcpy(buf, host, len);
	}
	if (unit->ignore && len >= 16 && in_queue(unit, addr, len))
		hide(unit, buf, len);
	return true;
}

static bool op_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct unit *unit = opaque;
	void *host = mem_at(&unit->vu.mem, addr, len, true);
	uint32_t value;

	if (!host)
		return false;
	if (len == 4 && !(addr & 3)) {
		memcpy(&value, buf, 4);
		__atomic_store_n((uint32_t *)host, value, __ATOMIC_RELEASE);
	} else {
		memcpy(host, buf, len);
	}
	return true;
}

static bool op_cmpxchg64(void *opaque, uint64_t addr, uint64_t *expected,
			 uint64_t desired)
{
	struct unit *unit = opaque;
	uint64_t *host = mem_at(&unit->vu.mem, addr, 8, true);

	if (!host)
		return false;
	__atomic_compare_exchange_n(host, expected, desired, false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return true;
}

static void op_msi(void *opaque, enum vtdu_event event, uint64_t addr,
		   uint32_t data)
{
	struct unit *unit = opaque;

	(void)event;
	if (pci_get16(&unit->pci, PCI_COMMAND) & PCI_COMMAND_MASTER)
		vu_write_memory(&unit->vu, addr, data);
	else
		unit->refused++;
}

static struct ep *find_ep(const struct unit *unit, uint16_t sid)
{
	unsigned int i;

	for (i = 0; i < hw.nr_eps; i++)
		if (hw.eps[i]->unit == unit && hw.eps[i]->addr == sid)
			return hw.eps[i];
	return NULL;
}

static void op_devtlb(void *opaque, uint32_t tag, const struct vtdu_devtlb *inv)
{
	struct unit *unit = opaque;
	struct ep *ep = find_ep(unit, inv->sid);
	struct hw_held *held;
	uint64_t now = hw_now();

	/* A function with ATS off answers as one that is not there. */
	if (ep && !ep_has(ep, HW_HAS_ATS))
		ep = NULL;
	if (ep && !(ep->misbehave & (HW_MIS_INV_DROP | HW_MIS_INV_DELAY))) {
		atc_invalidate(ep, inv);
		vtdu_devtlb_done(unit->u, tag);
		return;
	}
	if (unit->nr_held == HW_MAX_HELD) {
		vtdu_devtlb_timeout(unit->u, tag);
		return;
	}
	held = &unit->held[unit->nr_held++];
	*held = (struct hw_held) {
		.tag = tag, .inv = *inv, .ep = ep, .due = HW_NEVER,
		.expires = now + unit->timeout_us,
	};
	if (ep && !(ep->misbehave & HW_MIS_INV_DROP))
		held->due = now + ep->inv_delay_us;
}

static void op_page_response(void *opaque,
			     const struct vtdu_page_response *response)
{
	struct ep *ep = find_ep(opaque, response->sid);

	if (ep)
		pri_response(ep, response);
}

static const struct vtdu_ops unit_vtdu_ops = {
	.read = op_read,
	.write = op_write,
	.cmpxchg64 = op_cmpxchg64,
	.msi = op_msi,
	.devtlb = op_devtlb,
	.page_response = op_page_response,
};

static void reset(struct unit *unit)
{
	vtdu_reset(unit->u);
	pci_reset(&unit->pci);
	unit->nr_held = 0;
	unit->iqa = 0;
	unit->work_at = HW_NEVER;
}

static void reg_write(struct unit *unit, uint32_t off, const void *buf,
		      uint32_t bytes)
{
	uint64_t value = 0, due = hw_now() + unit->delay_us;

	if (bytes != 4 && bytes != 8)
		return;
	memcpy(&value, buf, bytes);
	if (off >= REG_IQA && off < REG_IQA + 8)
		memcpy((uint8_t *)&unit->iqa + off - REG_IQA, buf,
		       bytes < REG_IQA + 8 - off ? bytes : REG_IQA + 8 - off);
	vtdu_write(unit->u, off, bytes, value);
	if (due < unit->work_at)
		unit->work_at = due;
}

static void vu_op_read(struct vu_dev *vu, unsigned int region, uint64_t off,
		       void *buf, uint32_t bytes)
{
	struct unit *unit = vu->priv;
	uint64_t value;

	memset(buf, 0, bytes);
	if (region == VU_REGION_CONFIG) {
		pci_read(&unit->pci, (unsigned int)off, buf, bytes);
	} else if (region == 0 && off >= UNIT_BAR_BYTES / 2) {
		memcpy(buf, unit->list + (off - UNIT_BAR_BYTES / 2), bytes);
	} else if (region == 0 && off < VTDU_REG_BYTES &&
		   (bytes == 4 || bytes == 8)) {
		value = vtdu_read(unit->u, (uint32_t)off, bytes);
		memcpy(buf, &value, bytes);
	}
}

static void vu_op_write(struct vu_dev *vu, unsigned int region, uint64_t off,
			const void *buf, uint32_t bytes)
{
	struct unit *unit = vu->priv;

	if (region == VU_REGION_CONFIG) {
		if (pci_write(&unit->pci, (unsigned int)off, buf, bytes))
			reset(unit);
	} else if (region == 0 && off < VTDU_REG_BYTES) {
		reg_write(unit, (uint32_t)off, buf, bytes);
	}
}

static uint64_t vu_op_region_bytes(struct vu_dev *vu, unsigned int region)
{
	struct unit *unit = vu->priv;

	if (region < PCI_BARS)
		return unit->pci.bar_bytes[region];
	return region == VU_REGION_CONFIG ? PCI_CONFIG_BYTES : 0;
}

static unsigned int vu_op_irqs(struct vu_dev *vu, unsigned int index)
{
	(void)vu;
	return index == VU_IRQ_ERR;
}

static void vu_op_reset(struct vu_dev *vu)
{
	reset(vu->priv);
}

static const struct vu_ops unit_vu_ops = {
	.region_bytes = vu_op_region_bytes,
	.irqs = vu_op_irqs,
	.read = vu_op_read,
	.write = vu_op_write,
	.reset = vu_op_reset,
	.closed = vu_op_reset,
};

int unit_start(struct unit *unit)
{
	size_t bytes = vtdu_size(&unit->config);
	int rc;

	if (!bytes)
		return -EINVAL;
	unit->store = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	if (!unit->store)
		return -ENOMEM;
	unit->u = vtdu_init(unit->store, bytes, &unit->config, &unit_vtdu_ops, unit);
	if (!unit->u)
		return -EINVAL;
	rc = list_build(unit);
	if (rc)
		return rc;
	pci_init(&unit->pci, VTD_PCIUNIT_VENDOR, VTD_PCIUNIT_DEVICE,
		 VTD_PCIUNIT_CLASS);
	pci_bar(&unit->pci, 0, UNIT_BAR_BYTES);
	unit->work_at = HW_NEVER;
	unit->vu.ops = &unit_vu_ops;
	unit->vu.priv = unit;
	return vu_open(&unit->vu);
}

void unit_free(struct unit *unit)
{
	free(unit->store);
	free(unit);
}

bool unit_translate(struct unit *unit, const struct vtdu_request *request,
		    struct vtdu_result *result)
{
	if (unit)
		return vtdu_translate(unit->u, request, result);
	memset(result, 0, sizeof(*result));
	result->page_lg2 = 12;
	result->perm = request->access;
	result->addr = request->addr;
	if (request->access == VTDU_WRITE && request->addr >> 20 == 0xfee)
		result->outcome = VTDU_INTERRUPT;
	return true;
}

void unit_forget(struct unit *unit, const struct ep *ep)
{
	unsigned int i;

	for (i = 0; unit && i < unit->nr_held; i++) {
		if (unit->held[i].ep == ep) {
			unit->held[i].ep = NULL;
			unit->held[i].due = HW_NEVER;
		}
	}
}

/* Answer an invalidation, or give it up. False: it is not time yet. */
static bool settle(struct unit *unit, const struct hw_held *held, uint64_t now)
{
	if (held->due <= now) {
		atc_invalidate(held->ep, &held->inv);
		vtdu_devtlb_done(unit->u, held->tag);
		return true;
	}
	if (held->expires <= now) {
		vtdu_devtlb_timeout(unit->u, held->tag);
		return true;
	}
	return false;
}

uint64_t unit_work(struct unit *unit, uint64_t now)
{
	uint64_t next = HW_NEVER, at;
	unsigned int i = 0;

	while (i < unit->nr_held) {
		struct hw_held held = unit->held[i];

		if (settle(unit, &held, now)) {
			unit->held[i] = unit->held[--unit->nr_held];
			unit->work_at = now;
			continue;
		}
		at = held.due < held.expires ? held.due : held.expires;
		if (at < next)
			next = at;
		i++;
	}
	if (unit->work_at <= now) {
		unit->work_at = HW_NEVER;
		if (vtdu_run(unit->u, BURST))
			unit->work_at = now;
		/* What it sent to devices in the meantime has times of its own. */
		if (unit->nr_held)
			return now;
	}
	return unit->work_at < next ? unit->work_at : next;
}
