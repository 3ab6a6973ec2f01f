// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An endpoint's page requests (PCIe, ATS chapter on the Page Request Interface).
 */
#include <string.h>
#include "hw.h"

static bool allowed(const struct ep *ep)
{
	uint32_t limit;

	if (ep->misbehave & HW_MIS_PRI)
		return ep->unit;
	if (!ep->unit || !ep_has(ep, HW_HAS_PRI))
		return false;
	limit = pci_get32(&ep->pci, ep->pci.caps.pri + PCI_PRI_ALLOC_REQ);
	return ep->nr_groups < limit;
}

uint32_t pri_send(struct ep *ep, const struct queue *q, uint64_t addr,
		  uint32_t flags, bool last, uint16_t index)
{
	struct vtdu_page_request request = {
		.sid = ep->addr,
		.has_pasid = q->ctrl & HQ_CTRL_PASID_EN,
		.priv = flags & HQ_PR_PRIV,
		.exec = flags & HQ_PR_X,
		.read = flags & HQ_PR_R,
		.write = flags & HQ_PR_W,
		.last = last,
		.index = index & 0x1ff,
		.pasid = HQ_CTRL_PASID(q->ctrl),
		.addr = addr & ~0xfffULL,
	};

	if (!allowed(ep))
		return HQ_E_PRI;
	/* The answer may come from within. */
	if (last && (request.read || request.write) && !ep->groups[request.index]) {
		ep->groups[request.index] = true;
		ep->nr_groups++;
	}
	ep->pri_sent++;
	if (vtdu_page_request(ep->unit->u, &request) == VTDU_PAGE_DROPPED && last)
		ep->pri_dropped++;
	return 0;
}

void pri_response(struct ep *ep, const struct vtdu_page_response *response)
{
	unsigned int status = ep->pci.caps.pri + PCI_PRI_STATUS, i;
	uint16_t index = response->index & 0x1ff;

	ep->pri_responses++;
	ep->pri_last = (response->code & 0xfu) | (uint32_t)index << 4 |
		       (uint32_t)response->automatic << 16;
	ep->pri_last_pasid = (response->pasid & 0xfffff) |
			     (uint32_t)response->has_pasid << 31;
	if (!ep->groups[index]) {
		ep->pri_unexpected++;
		if (ep->pci.caps.pri)
			pci_put16(&ep->pci, status, pci_get16(&ep->pci, status) |
				  PCI_PRI_STATUS_UPRGI);
		return;
	}
	ep->groups[index] = false;
	ep->nr_groups--;
	if (response->code == VTDU_RESPONSE_FAILURE && ep->pci.caps.pri) {
		pci_put16(&ep->pci, status, pci_get16(&ep->pci, status) |
			  PCI_PRI_STATUS_RF);
	}
	for (i = 0; i < ep->nr_queues; i++) {
		struct queue *q = &ep->queues[i];

		if (q->waits && q->group == index) {
			q->waits = false;
			q->answered = true;
			q->code = response->code;
			q->run_at = 0;
		}
	}
}

void pri_clear(struct ep *ep)
{
	memset(ep->groups, 0, sizeof(ep->groups));
	ep->nr_groups = 0;
}
