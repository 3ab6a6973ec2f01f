// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA that the kernel's own VT-d driver sees refused. It prints such faults,
 * clears the records and tells nobody. So look at the records before it does: a
 * kprobe at the entry of its interrupt handler reads them, without a change, by
 * a mapping of the registers of our own, and a work item reports them.
 *
 * Which unit it is about is told by the handler's second argument, the driver's
 * structure of it, in which the unit's struct iommu_device lies embedded: of all
 * units known here, the one whose iommu_device follows that address closest.
 *
 * Faults that arrive while the driver is still in its handler can be missed.
 */
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iommu.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "hw/api/api.h"
#include "hw/dmar_fault.h"

#define FSTS		0x34
#define FSTS_PPF	BIT(1)
#define FSTS_FRI(fsts)	(((fsts) >> 8) & 0xff)
#define CAP_FRO(cap)	((((cap) >> 24) & 0x3ff) * 16)
#define CAP_NFR(cap)	((((cap) >> 40) & 0xff) + 1)

#define RING_RECORDS	64	/* power of two */

/* Larger than the driver's structure of a unit ever was. */
#define UNIT_STRUCT_BYTES	8192

struct tap_record {
	u64 lo;
	u64 hi;
};

/**
 * struct tap_unit - a unit
 * @list: in tap_units; added under tap_mutex, removed only at exit, when nobody
 *	walks it any more
 * @iommu: the kernel's device, for its address
 * @segment: PCI segment of the devices behind it
 * @regs: fault status register and what follows
 * @frcd: fault records
 * @nr_frcd: their number
 * @reading: at most one CPU reads records; who finds another at it would read
 *	the same ones
 * @head: records written to @ring; by the reader
 * @tail: records taken from @ring; by the work item
 * @lost: records for which there was no room
 * @ring: one writer and one reader
 */
struct tap_unit {
	struct list_head list;
	struct iommu_device *iommu;
	u16 segment;
	void __iomem *regs;
	void __iomem *frcd;
	unsigned int nr_frcd;
	raw_spinlock_t reading;
	unsigned int head;
	unsigned int tail;
	atomic_t lost;
	struct tap_record ring[RING_RECORDS];
};

static DEFINE_MUTEX(tap_mutex);
static LIST_HEAD(tap_units);
static bool tap_armed;		/* under tap_mutex: the probe is there */
static bool tap_failed;		/* under tap_mutex: it cannot be had */

static void tap_report(struct work_struct *work);
static DECLARE_WORK(tap_work, tap_report);

static struct tap_unit *find_unit(unsigned long driver_data)
{
	unsigned long best = UNIT_STRUCT_BYTES;
	struct tap_unit *unit, *found = NULL;

	list_for_each_entry_rcu(unit, &tap_units, list,
				lockdep_is_held(&tap_mutex)) {
		unsigned long offset = (unsigned long)unit->iommu - driver_data;

		if (offset < best) {
			best = offset;
			found = unit;
		}
	}
	return found;
}

static void ring_put(struct tap_unit *unit, u64 lo, u64 hi)
{
	struct tap_record *record;

	/* Pairs with the release in ring_get(): the slot has been read. */
	if (unit->head - smp_load_acquire(&unit->tail) >= RING_RECORDS) {
		atomic_inc(&unit->lost);
		return;
	}
	record = &unit->ring[unit->head % RING_RECORDS];
	record->lo = lo;
	record->hi = hi;
	/* Pairs with the acquire in ring_get(). */
	smp_store_release(&unit->head, unit->head + 1);
}

static bool ring_get(struct tap_unit *unit, struct tap_record *record)
{
	/* Pairs with the release in ring_put(): the slot has been written. */
	if (unit->tail == smp_load_acquire(&unit->head))
		return false;
	*record = unit->ring[unit->tail % RING_RECORDS];
	/* Pairs with the acquire in ring_put(). */
	smp_store_release(&unit->tail, unit->tail + 1);
	return true;
}

static bool read_records(struct tap_unit *unit)
{
	unsigned int i, n;
	bool any = false;
	u32 fsts;

	fsts = readl(unit->regs + FSTS);
	if (!(fsts & FSTS_PPF))
		return false;
	i = FSTS_FRI(fsts);
	for (n = 0; n < unit->nr_frcd; n++, i++) {
		void __iomem *frcd;
		u64 lo, hi;

		if (i >= unit->nr_frcd)
			i = 0;
		frcd = unit->frcd + i * DMAR_FRCD_BYTES;
		hi = readq(frcd + 8);
		if (!(hi & DMAR_FRCD_HI_F))
			break;
		lo = readq(frcd);
		/* Another CPU may be clearing it for the next fault. */
		if (readq(frcd + 8) != hi)
			break;
		ring_put(unit, lo, hi);
		any = true;
	}
	return any;
}

/* In the driver's interrupt handler, before it has done anything. */
static int tap_enter(struct kprobe *probe, struct pt_regs *regs)
{
	struct tap_unit *unit;

	/* Kprobe handlers run with preemption off: RCU read side. */
	unit = find_unit(regs_get_kernel_argument(regs, 1));
	if (!unit || !raw_spin_trylock(&unit->reading))
		return 0;
	if (read_records(unit))
		schedule_work(&tap_work);
	raw_spin_unlock(&unit->reading);
	return 0;
}

/* irqreturn_t dmar_fault(int irq, void *unit), global in all kernels */
static struct kprobe tap_probe = {
	.symbol_name = "dmar_fault",
	.pre_handler = tap_enter,
};

/*
 * Behind a bridge to conventional PCI requests bear the bridge's number for all:
 * function 0 on the bridge's secondary bus, be there one or not. Such devices
 * are a group, so whichever of them is named, it is in the right hands.
 */
static struct pci_dev *find_device(u16 segment, u16 rid)
{
	struct pci_dev *pdev;

	pdev = pci_get_domain_bus_and_slot(segment, PCI_BUS_NUM(rid),
					   rid & 0xff);
	if (pdev || rid & 0xff)
		return pdev;
	for_each_pci_dev(pdev)
		if (pci_domain_nr(pdev->bus) == segment &&
		    pdev->bus->number == PCI_BUS_NUM(rid))
			break;
	return pdev;
}

static void report_record(struct tap_unit *unit,
			  const struct tap_record *record)
{
	struct iofd_hw_fault fault;
	struct pci_dev *pdev;
	u16 rid;

	if (!iofd_dmar_fault_decode(record->lo, record->hi, &fault, &rid))
		return;
	pdev = find_device(unit->segment, rid);
	if (!pdev)
		return;
	iofd_hw_report_fault(&pdev->dev, &fault);
	pci_dev_put(pdev);
}

static void tap_report(struct work_struct *work)
{
	struct tap_record record;
	struct tap_unit *unit;
	int lost;

	/*
	 * Without tap_mutex, which is taken inside the core's locks. While this
	 * can run, units come and none goes.
	 */
	list_for_each_entry_rcu(unit, &tap_units, list, true) {
		while (ring_get(unit, &record)) {
			report_record(unit, &record);
			cond_resched();
		}
		lost = atomic_xchg(&unit->lost, 0);
		if (lost)
			dev_err_ratelimited(unit->iommu->dev,
					    "%d more refused DMAs, too many to report\n",
					    lost);
	}
}

static struct tap_unit *unit_new(struct device *dev, struct iommu_device *iommu,
				 const struct iofd_intel_unit *desc)
{
	struct tap_unit *unit;

	unit = kzalloc(sizeof(*unit), GFP_KERNEL);
	if (!unit)
		return NULL;
	raw_spin_lock_init(&unit->reading);
	unit->iommu = iommu;
	unit->segment = pci_domain_nr(to_pci_dev(dev)->bus);
	unit->nr_frcd = CAP_NFR(desc->cap);
	unit->regs = ioremap(desc->address, PAGE_SIZE);
	if (!unit->regs)
		goto err_free;
	unit->frcd = ioremap(desc->address + CAP_FRO(desc->cap),
			     unit->nr_frcd * DMAR_FRCD_BYTES);
	if (!unit->frcd)
		goto err_unmap;
	return unit;

err_unmap:
	iounmap(unit->regs);
err_free:
	kfree(unit);
	return NULL;
}

static void unit_free(struct tap_unit *unit)
{
	iounmap(unit->frcd);
	iounmap(unit->regs);
	kfree(unit);
}

static bool unit_known(struct iommu_device *iommu)
{
	struct tap_unit *unit;

	list_for_each_entry(unit, &tap_units, list)
		if (unit->iommu == iommu)
			return true;
	return false;
}

static int tap_arm(void)
{
	int rc;

	if (tap_armed)
		return 0;
	rc = register_kprobe(&tap_probe);
	if (!rc)
		tap_armed = true;
	return rc;
}

void iofd_fault_tap_add(struct device *dev, struct iommu_device *iommu,
			const struct iofd_intel_unit *desc)
{
	struct tap_unit *unit;
	int rc;

	if (!dev_is_pci(dev))
		return;
	mutex_lock(&tap_mutex);
	if (tap_failed || unit_known(iommu))
		goto out;
	unit = unit_new(dev, iommu, desc);
	rc = unit ? tap_arm() : -ENOMEM;
	if (rc) {
		/* Once: it will be no better the next time. */
		tap_failed = true;
		dev_warn(iommu->dev,
			 "cannot listen to refused DMA (%d): it is in the kernel's log alone\n",
			 rc);
		if (unit)
			unit_free(unit);
		goto out;
	}
	list_add_tail_rcu(&unit->list, &tap_units);
out:
	mutex_unlock(&tap_mutex);
}

void iofd_fault_tap_exit(void)
{
	struct tap_unit *unit, *next;

	/* Waits for handlers that are running, so nobody walks the list then. */
	if (tap_armed)
		unregister_kprobe(&tap_probe);
	cancel_work_sync(&tap_work);
	list_for_each_entry_safe(unit, next, &tap_units, list) {
		list_del(&unit->list);
		unit_free(unit);
	}
	tap_armed = false;
}
