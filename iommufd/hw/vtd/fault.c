// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault events: an interrupt of our own over the processor's vectors, and the
 * fault recording registers.
 *
 * The first handler holds the event; the thread reads the records and lets go.
 * One device can cause faults faster than they can be read, so after a burst
 * the event stays held for a while and hardware drops what it cannot record.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/slab.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>
#include "hw/dmar_fault.h"
#include "vtd.h"

/* Records in one go, and the pause after so many. */
#define FAULT_BURST	64
#define FAULT_PAUSE	msecs_to_jiffies(100)

static void write_mask(struct vtd_unit *unit)
{
	struct vtd_events *ev = &unit->events;

	lockdep_assert_held(&unit->reg_lock);

	writel(ev->irq_masked || ev->held ? FECTL_IM : 0, unit->regs + VTD_FECTL);
	/* Posted writes: it is masked when this returns. */
	readl(unit->regs + VTD_FECTL);
}

static void set_irq_masked(struct irq_data *data, bool masked)
{
	struct vtd_unit *unit = irq_data_get_irq_chip_data(data);
	unsigned long flags;

	raw_spin_lock_irqsave(&unit->reg_lock, flags);
	unit->events.irq_masked = masked;
	write_mask(unit);
	raw_spin_unlock_irqrestore(&unit->reg_lock, flags);
}

static void set_held(struct vtd_unit *unit, bool held)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&unit->reg_lock, flags);
	unit->events.held = held;
	write_mask(unit);
	raw_spin_unlock_irqrestore(&unit->reg_lock, flags);
}

static void event_mask(struct irq_data *data)
{
	set_irq_masked(data, true);
}

static void event_unmask(struct irq_data *data)
{
	set_irq_masked(data, false);
}

/* Have the vector domain say where to, and tell the unit. */
static void write_message(struct irq_data *data)
{
	struct vtd_unit *unit = irq_data_get_irq_chip_data(data);
	struct irq_data *vector = data->parent_data;
	struct msi_msg msg = {};

	vector->chip->irq_compose_msi_msg(vector, &msg);
	writel(msg.data, unit->regs + VTD_FEDATA);
	writel(msg.address_lo, unit->regs + VTD_FEADDR);
	writel(msg.address_hi, unit->regs + VTD_FEUADDR);
}

static int event_set_affinity(struct irq_data *data, const struct cpumask *mask,
			      bool force)
{
	struct irq_data *vector = data->parent_data;
	int rc = vector->chip->irq_set_affinity(vector, mask, force);

	if (rc >= 0 && rc != IRQ_SET_MASK_OK_DONE)
		write_message(data);
	return rc;
}

static struct irq_chip event_chip = {
	.name = "IOFD-VTD",
	.irq_mask = event_mask,
	.irq_unmask = event_unmask,
	.irq_ack = irq_chip_ack_parent,
	.irq_set_affinity = event_set_affinity,
	.irq_retrigger = irq_chip_retrigger_hierarchy,
	.flags = IRQCHIP_SKIP_SET_WAKE | IRQCHIP_AFFINITY_PRE_STARTUP,
};

static int event_domain_alloc(struct irq_domain *domain, unsigned int virq,
			      unsigned int nr, void *arg)
{
	int rc = irq_domain_alloc_irqs_parent(domain, virq, nr, arg);

	if (rc < 0)
		return rc;
	irq_domain_set_info(domain, virq, 0, &event_chip, domain->host_data,
			    handle_edge_irq, NULL, "edge");
	return 0;
}

static int event_domain_activate(struct irq_domain *domain,
				 struct irq_data *data, bool reserve)
{
	write_message(data);
	return 0;
}

static const struct irq_domain_ops event_domain_ops = {
	.alloc = event_domain_alloc,
	.free = irq_domain_free_irqs_common,
	.activate = event_domain_activate,
};

/*
 * The device that a requester ID stands for. Behind a bridge that answers for
 * others it is one of several.
 */
static struct device *find_device(struct vtd_unit *unit, u16 sid)
{
	struct device *dev = NULL;
	struct vtd_dev *vdev;
	unsigned int i;

	mutex_lock(&unit->lock);
	list_for_each_entry(vdev, &unit->devs, link) {
		for (i = 0; i < vdev->nr_rids; i++)
			if (vdev->rids[i]->sid == sid)
				break;
		if (i == vdev->nr_rids)
			continue;
		if (!dev || !i) {
			put_device(dev);
			dev = get_device(&vdev->pdev->dev);
		}
		if (!i)
			break;
	}
	mutex_unlock(&unit->lock);
	return dev;
}

static void report(struct vtd_unit *unit, u64 lo, u64 hi)
{
	struct iofd_hw_fault fault;
	struct device *dev;
	u16 sid;

	if (!iofd_dmar_fault_decode(lo, hi, &fault, &sid))
		return;
	dev = find_device(unit, sid);
	if (!dev) {
		pr_warn_ratelimited("%s: unknown device %02x:%02x.%x: DMA to %llx refused: %s\n",
				    unit->name, sid >> 8, PCI_SLOT(sid & 0xff),
				    PCI_FUNC(sid & 0xff), fault.address,
				    fault.reason_text);
		return;
	}
	iofd_hw_report_fault(dev, &fault);
	put_device(dev);
}

/* Read records until there are none. False: there were too many. */
static bool drain(struct vtd_unit *unit)
{
	unsigned int budget = FAULT_BURST, nr = CAP_NFR(unit->cap), i;
	void __iomem *frcd;
	u32 fsts;
	u64 hi;

	while (budget--) {
		fsts = readl(unit->regs + VTD_FSTS);
		if (fsts & (FSTS_IQE | FSTS_ICE | FSTS_ITE))
			vtd_qi_errors(unit);
		if (fsts & FSTS_PPF) {
			i = FSTS_FRI(fsts) % nr;
			frcd = unit->regs + CAP_FRO(unit->cap) + 16 * i;
			hi = readq(frcd + 8);
			if (hi & FRCD_F) {
				u64 lo = readq(frcd);

				writeq(FRCD_F, frcd + 8);
				report(unit, lo, hi);
			}
			continue;
		}
		if (!(fsts & FSTS_PFO))
			return true;
		/* While it is set hardware records nothing. */
		writel(FSTS_PFO, unit->regs + VTD_FSTS);
		pr_warn_ratelimited("%s: some faults were lost, there were too many at once\n",
				    unit->name);
	}
	return false;
}

static void serve(struct vtd_unit *unit)
{
	if (drain(unit))
		set_held(unit, false);
	else if (!READ_ONCE(unit->events.stopping))
		schedule_delayed_work(&unit->events.work, FAULT_PAUSE);
}

static void event_continue(struct work_struct *work)
{
	serve(container_of(work, struct vtd_unit, events.work.work));
}

static irqreturn_t event_hard(int irq, void *arg)
{
	set_held(arg, true);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t event_thread(int irq, void *arg)
{
	serve(arg);
	return IRQ_HANDLED;
}

/**
 * vtd_events_init() - have the unit's faults interrupt us
 * @unit: its registers are mapped
 *
 * Return: 0 or -errno.
 */
int vtd_events_init(struct vtd_unit *unit)
{
	struct vtd_events *ev = &unit->events;
	struct irq_alloc_info info;
	int rc;

	INIT_DELAYED_WORK(&ev->work, event_continue);
	ev->irq_masked = true;
	ev->fwnode = irq_domain_alloc_named_fwnode(unit->name);
	if (!ev->fwnode)
		return -ENOMEM;
	ev->domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 0,
						 ev->fwnode, &event_domain_ops,
						 unit);
	if (!ev->domain)
		return -ENOMEM;
	memset(&info, 0, sizeof(info));
	info.type = X86_IRQ_ALLOC_TYPE_DMAR;
	ev->virq = irq_domain_alloc_irqs(ev->domain, 1, NUMA_NO_NODE, &info);
	if (ev->virq <= 0) {
		rc = ev->virq ?: -ENOSPC;
		ev->virq = 0;
		return rc;
	}
	rc = request_threaded_irq(ev->virq, event_hard, event_thread, 0,
				  unit->name, unit);
	if (rc) {
		/* irq_domain_free_irqs() is not exported; this calls it. */
		irq_dispose_mapping(ev->virq);
		ev->virq = 0;
	}
	return rc;
}

/**
 * vtd_events_free() - undo vtd_events_init(), also half of it
 * @unit: translation is off
 */
void vtd_events_free(struct vtd_unit *unit)
{
	struct vtd_events *ev = &unit->events;

	if (ev->virq) {
		WRITE_ONCE(ev->stopping, true);
		free_irq(ev->virq, unit);
		cancel_delayed_work_sync(&ev->work);
		irq_dispose_mapping(ev->virq);
	}
	if (ev->domain)
		irq_domain_remove(ev->domain);
	if (ev->fwnode)
		irq_domain_free_fwnode(ev->fwnode);
}
