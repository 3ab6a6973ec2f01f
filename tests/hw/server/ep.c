// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An endpoint's PCI function: configuration space, BARs, reset.
 */
#include <string.h>
#include "hw.h"

/**
 * ep_has() - has the function an ability, and is it switched on?
 * @ep: the endpoint
 * @what: HW_HAS_ATS, HW_HAS_PRI or HW_HAS_PASID
 *
 * A function that misbehaves uses it although it is off, or not there at all.
 */
bool ep_has(const struct ep *ep, uint32_t what)
{
	const struct pci_caps *caps = &ep->pci.caps;

	switch (what) {
	case HW_HAS_ATS:
		return ep->misbehave & HW_MIS_ATS || (caps->ats &&
			pci_get16(&ep->pci, caps->ats + PCI_ATS_CTRL) &
			PCI_ATS_CTRL_ENABLE);
	case HW_HAS_PRI:
		return ep->misbehave & HW_MIS_PRI || (caps->pri &&
			pci_get16(&ep->pci, caps->pri + PCI_PRI_CTRL) &
			PCI_PRI_CTRL_ENABLE);
	case HW_HAS_PASID:
		return ep->misbehave & HW_MIS_PASID || (caps->pasid &&
			pci_get16(&ep->pci, caps->pasid + PCI_PASID_CTRL) &
			PCI_PASID_CTRL_ENABLE);
	default:
		return false;
	}
}

static uint32_t half(uint64_t value, uint32_t off)
{
	return (uint32_t)(off & 4 ? value >> 32 : value);
}

static void half_set(uint64_t *value, uint32_t off, uint32_t to)
{
	if (off & 4)
		*value = (uint32_t)*value | (uint64_t)to << 32;
	else
		*value = (*value & ~0xffffffffULL) | to;
}

static uint32_t queue_read(const struct queue *q, uint32_t off)
{
	switch (off) {
	case HQ_CTRL: return q->ctrl;
	case HQ_IRQ: return q->irq;
	case HQ_SRC: case HQ_SRC + 4: return half(q->src, off);
	case HQ_DST: case HQ_DST + 4: return half(q->dst, off);
	case HQ_LEN: return q->len;
	case HQ_CMD: return q->cmd;
	case HQ_STATUS: return q->status;
	case HQ_REASON: return q->reason;
	case HQ_ADDR: case HQ_ADDR + 4: return half(q->addr, off);
	case HQ_DONE: case HQ_DONE + 4: return half(q->done, off);
	case HQ_RESULT: case HQ_RESULT + 4: return half(q->result, off);
	case HQ_DATA: case HQ_DATA + 4: return half(q->data, off);
	case HQ_ROUNDS: case HQ_ROUNDS + 4: return half(q->rounds, off);
	case HQ_ERRORS: case HQ_ERRORS + 4: return half(q->errors, off);
	case HQ_WINDOW: return q->window;
	case HQ_INTERVAL_US: return q->interval_us;
	case HQ_PERM: return q->perm;
	default: return 0;
	}
}

static void queue_write(struct ep *ep, struct queue *q, uint32_t off,
			uint32_t value)
{
	if (off == HQ_CMD) {
		queue_start(ep, q, value);
		return;
	}
	/* What it works with stays as it is. */
	if (q->status == HQ_BUSY)
		return;
	switch (off) {
	case HQ_CTRL: q->ctrl = value; break;
	case HQ_IRQ: q->irq = value; break;
	case HQ_SRC: case HQ_SRC + 4: half_set(&q->src, off, value); break;
	case HQ_DST: case HQ_DST + 4: half_set(&q->dst, off, value); break;
	case HQ_LEN: q->len = value; break;
	case HQ_DATA: case HQ_DATA + 4: half_set(&q->data, off, value); break;
	case HQ_WINDOW: q->window = value; break;
	case HQ_INTERVAL_US: q->interval_us = value; break;
	}
}

static uint32_t inv_held(const struct ep *ep)
{
	uint32_t n = 0;
	unsigned int i;

	for (i = 0; ep->unit && i < ep->unit->nr_held; i++)
		n += ep->unit->held[i].ep == ep;
	return n;
}

static uint32_t function_read(const struct ep *ep, uint32_t off)
{
	const struct pci_caps *caps = &ep->pci.caps;

	switch (off) {
	case HW_ID: return HW_ID_VALUE;
	case HW_QUEUES: return ep->nr_queues;
	case HW_SID: return ep->addr;
	case HW_HAS:
		return (caps->ats ? HW_HAS_ATS : 0) | (caps->pri ? HW_HAS_PRI : 0) |
		       (caps->pasid ? HW_HAS_PASID : 0) |
		       (ep->unit ? HW_HAS_UNIT : 0);
	case HW_MISBEHAVE: return ep->misbehave;
	case HW_INV_DELAY_US: return ep->inv_delay_us;
	case HW_RESETS: return ep->resets;
	case HW_ATC_ENTRIES: return atc_entries(ep);
	case HW_ATC_HITS: return ep->atc_hits;
	case HW_ATC_MISSES: return ep->atc_misses;
	case HW_ATC_INVALIDATIONS: return ep->atc_invalidations;
	case HW_ATC_FLUSHED: return ep->atc_flushed;
	case HW_INV_HELD: return inv_held(ep);
	case HW_PRI_GROUPS: return ep->nr_groups;
	case HW_PRI_SENT: return ep->pri_sent;
	case HW_PRI_RESPONSES: return ep->pri_responses;
	case HW_PRI_LAST: return ep->pri_last;
	case HW_PRI_LAST_PASID: return ep->pri_last_pasid;
	case HW_PRI_UNEXPECTED: return ep->pri_unexpected;
	case HW_PRI_DROPPED: return ep->pri_dropped;
	default: return 0;
	}
}

static void function_write(struct ep *ep, uint32_t off, uint32_t value)
{
	switch (off) {
	case HW_MISBEHAVE: ep->misbehave = value; break;
	case HW_INV_DELAY_US: ep->inv_delay_us = value; break;
	case HW_RAISE: vu_interrupt(&ep->vu, value); break;
	case HW_TEST_INV_DONE:
		if (ep->unit)
			vtdu_devtlb_unexpected(ep->unit->u, ep->addr);
		break;
	case HW_ATC_ENTRIES: atc_clear(ep); break;
	}
}

static uint32_t reg_read(struct ep *ep, uint32_t off)
{
	uint32_t q = (off - HW_QUEUE(0)) / 0x100;

	if (off < HW_QUEUE(0))
		return function_read(ep, off);
	return q < ep->nr_queues ? queue_read(&ep->queues[q], off & 0xff) : 0;
}

static void reg_write(struct ep *ep, uint32_t off, uint32_t value)
{
	uint32_t q = (off - HW_QUEUE(0)) / 0x100;

	if (off < HW_QUEUE(0))
		function_write(ep, off, value);
	else if (q < ep->nr_queues)
		queue_write(ep, &ep->queues[q], off & 0xff, value);
}

static void bar0_read(struct ep *ep, uint32_t off, uint8_t *buf, uint32_t bytes)
{
	uint32_t i, value;

	if (off >= HW_WINDOW) {
		memcpy(buf, ep->window + off - HW_WINDOW, bytes);
		return;
	}
	memset(buf, 0, bytes);
	if (off % 4 || bytes % 4)
		return;
	for (i = 0; i < bytes && off + i < HW_WINDOW; i += 4) {
		value = reg_read(ep, off + i);
		memcpy(buf + i, &value, 4);
	}
}

static void bar0_write(struct ep *ep, uint32_t off, const uint8_t *buf,
		       uint32_t bytes)
{
	uint32_t i, value;

	if (off >= HW_WINDOW) {
		memcpy(ep->window + off - HW_WINDOW, buf, bytes);
		return;
	}
	if (off % 4 || bytes % 4)
		return;
	for (i = 0; i < bytes && off + i < HW_WINDOW; i += 4) {
		memcpy(&value, buf + i, 4);
		reg_write(ep, off + i, value);
	}
}

static void reset(struct ep *ep)
{
	memset(ep->queues, 0, sizeof(ep->queues));
	pci_reset(&ep->pci);
	atc_clear(ep);
	pri_clear(ep);
	unit_forget(ep->unit, ep);
	ep->resets++;
}

static void config_write(struct ep *ep, uint32_t off, const void *buf,
			 uint32_t bytes)
{
	const struct pci_caps *caps = &ep->pci.caps;
	unsigned int pri = caps->pri + PCI_PRI_CTRL;
	bool ats = ep_has(ep, HW_HAS_ATS);

	if (pci_write(&ep->pci, off, buf, bytes)) {
		reset(ep);
		return;
	}
	/* Switching ATS off and on forgets all (PCIe, ATS). */
	if (ats && !ep_has(ep, HW_HAS_ATS))
		atc_clear(ep);
	if (!caps->pri)
		return;
	if (pci_get16(&ep->pci, pri) & PCI_PRI_CTRL_RESET) {
		pri_clear(ep);
		pci_put16(&ep->pci, pri, 0);
	}
	pci_put16(&ep->pci, caps->pri + PCI_PRI_STATUS,
		  (uint16_t)((pci_get16(&ep->pci, caps->pri + PCI_PRI_STATUS) &
			      ~PCI_PRI_STATUS_STOPPED) |
			     (pci_get16(&ep->pci, pri) & PCI_PRI_CTRL_ENABLE ||
			      ep->nr_groups ? 0 : PCI_PRI_STATUS_STOPPED)));
}

static uint64_t ep_region_bytes(struct vu_dev *vu, unsigned int region)
{
	struct ep *ep = vu->priv;

	if (region < PCI_BARS)
		return ep->pci.bar_bytes[region];
	return region == VU_REGION_CONFIG ? PCI_CONFIG_BYTES : 0;
}

static unsigned int ep_irqs(struct vu_dev *vu, unsigned int index)
{
	(void)vu;
	return index == VU_IRQ_MSIX ? HW_VECTORS : index == VU_IRQ_ERR;
}

static void ep_read(struct vu_dev *vu, unsigned int region, uint64_t off,
		    void *buf, uint32_t bytes)
{
	struct ep *ep = vu->priv;

	memset(buf, 0, bytes);
	if (region == VU_REGION_CONFIG)
		pci_read(&ep->pci, (unsigned int)off, buf, bytes);
	else if (region == 0)
		bar0_read(ep, (uint32_t)off, buf, bytes);
	else if (region == 2)
		tap_read(ep, (uint32_t)off, buf, bytes);
}

static void ep_write(struct vu_dev *vu, unsigned int region, uint64_t off,
		     const void *buf, uint32_t bytes)
{
	struct ep *ep = vu->priv;
	uint64_t value = 0;

	if (region == VU_REGION_CONFIG) {
		config_write(ep, (uint32_t)off, buf, bytes);
	} else if (region == 0) {
		bar0_write(ep, (uint32_t)off, buf, bytes);
	} else if (region == 2 && bytes <= 8) {
		memcpy(&value, buf, bytes);
		tap_write(ep, (uint32_t)off, value);
	}
}

static void ep_reset(struct vu_dev *vu)
{
	reset(vu->priv);
}

static void ep_closed(struct vu_dev *vu)
{
	reset(vu->priv);
}

static const struct vu_ops ep_ops = {
	.region_bytes = ep_region_bytes,
	.irqs = ep_irqs,
	.read = ep_read,
	.write = ep_write,
	.reset = ep_reset,
	.closed = ep_closed,
};

/**
 * ep_start() - complete what the topology says of an endpoint
 * @ep: its capabilities are in place
 *
 * Return: 0 or -errno.
 */
int ep_start(struct ep *ep)
{
	pci_bar(&ep->pci, 0, HW_BAR0_BYTES);
	pci_bar(&ep->pci, 2, HW_BAR2_BYTES);
	pci_bar(&ep->pci, 4, HW_BAR4_BYTES);
	pci_msix(&ep->pci, HW_VECTORS, 4, 0, HW_MSIX_PBA);
	ep->vu.ops = &ep_ops;
	ep->vu.priv = ep;
	return vu_open(&ep->vu);
}

/**
 * ep_work() - do what is due
 * @ep: the endpoint
 * @now: hw_now()
 *
 * Return: when something will be due.
 */
uint64_t ep_work(struct ep *ep, uint64_t now)
{
	uint64_t next = HW_NEVER, at;
	unsigned int i;

	for (i = 0; i < ep->nr_queues; i++) {
		at = queue_run(ep, &ep->queues[i], now);
		if (at < next)
			next = at;
	}
	return next;
}
