// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invalidation queue. A batch of descriptors ends with a wait descriptor
 * that makes hardware write the batch's number to memory; hardware works in
 * order, so a number that is reached says that every earlier one is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/ktime.h>
#include "vtd.h"

#define QI_ENTRIES		256
/* A device may take a minute to answer an ATS invalidation before ITE is set. */
#define QI_TIMEOUT_MS		70000
/* Looks at memory between looks at the status register, which is slow. */
#define QI_SPINS		2048

/**
 * vtd_qi_init() - make the queue of a unit
 * @unit: its mode is known
 *
 * Return: 0 or -ENOMEM.
 */
int vtd_qi_init(struct vtd_unit *unit)
{
	struct vtd_qi *qi = &unit->qi;

	spin_lock_init(&qi->lock);
	qi->entries = QI_ENTRIES;
	/* Scalable mode needs the long descriptors. */
	qi->shift = unit->scalable ? 5 : 4;
	qi->order = get_order(QI_ENTRIES << qi->shift);
	qi->ring = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, qi->order);
	qi->done = (u32 *)get_zeroed_page(GFP_KERNEL);
	if (!qi->ring || !qi->done)
		return -ENOMEM;
	qi->free = QI_ENTRIES - 1;
	return 0;
}

/**
 * vtd_qi_free() - free the queue
 * @unit: the queue is off
 */
void vtd_qi_free(struct vtd_unit *unit)
{
	free_pages((unsigned long)unit->qi.ring, unit->qi.order);
	free_page((unsigned long)unit->qi.done);
}

/**
 * vtd_qi_iqa() - value of register IQA
 * @unit: the unit
 */
u64 vtd_qi_iqa(const struct vtd_unit *unit)
{
	const struct vtd_qi *qi = &unit->qi;
	u64 iqa = virt_to_phys(qi->ring);

	/* 2^(QS + 8) short descriptors, or 2^(QS + 7) long ones */
	if (unit->scalable)
		return iqa | IQA_DW | (ilog2(qi->entries) - 7);
	return iqa | (ilog2(qi->entries) - 8);
}

static void *slot(const struct vtd_qi *qi, unsigned int at)
{
	return qi->ring + ((at & (qi->entries - 1)) << qi->shift);
}

static void put_desc(struct vtd_qi *qi, unsigned int at,
		     const struct vtd_qi_desc *desc)
{
	memcpy(slot(qi, at), desc, 1u << qi->shift);
}

/* Write @n descriptors from @at on back, which may go round the end. */
static void write_back(struct vtd_unit *unit, unsigned int at, unsigned int n)
{
	struct vtd_qi *qi = &unit->qi;
	unsigned int first = min(n, qi->entries - at);

	if (FLUSH_POINT(queue))
		vtd_write_back(unit, slot(qi, at), first << qi->shift);
	if (n > first && FLUSH_POINT(queue_wrapped))
		vtd_write_back(unit, qi->ring, (n - first) << qi->shift);
}

/*
 * Clear what stopped the queue. Returns the requester ID of a device that did
 * not answer, or -1.
 */
static int clear_errors(struct vtd_unit *unit)
{
	struct vtd_qi *qi = &unit->qi;
	u32 fsts = readl(unit->regs + VTD_FSTS);
	int silent = -1;
	u64 iqercd;

	lockdep_assert_held(&qi->lock);

	if (!(fsts & (FSTS_IQE | FSTS_ICE | FSTS_ITE)))
		return -1;
	iqercd = readq(unit->regs + VTD_IQERCD);

	if (fsts & FSTS_IQE) {
		unsigned int at = (readq(unit->regs + VTD_IQH) >> qi->shift) &
				  (qi->entries - 1);
		struct vtd_qi_desc nothing;
		u64 *bad = slot(qi, at);

		vtd_err(unit, "refuses invalidation %016llx %016llx, error %u: this is a mistake in the driver or the hardware\n",
			bad[0], bad[1], IQERCD_IQEI(iqercd));
		/* Not all units take a wait that neither writes nor interrupts. */
		nothing = vtd_qi_wait_write(0, virt_to_phys(qi->done + 1));
		put_desc(qi, at, &nothing);
		write_back(unit, at, 1);
		writel(FSTS_IQE, unit->regs + VTD_FSTS);
		/* Nor do all go on before they are told that there is work. */
		writeq((u64)qi->tail << qi->shift, unit->regs + VTD_IQT);
	}
	if (fsts & FSTS_ITE) {
		silent = IQERCD_ITESID(iqercd);
		writel(FSTS_ITE, unit->regs + VTD_FSTS);
	}
	if (fsts & FSTS_ICE) {
		vtd_warn(unit, "unexpected answer to an ATS invalidation from %02x:%02x.%x\n",
			 IQERCD_ICESID(iqercd) >> 8,
			 PCI_SLOT(IQERCD_ICESID(iqercd)),
			 PCI_FUNC(IQERCD_ICESID(iqercd)));
		writel(FSTS_ICE, unit->regs + VTD_FSTS);
	}
	return silent;
}

static void give_up(struct vtd_unit *unit, const char *what)
{
	lockdep_assert_held(&unit->qi.lock);

	if (unit->qi.dead)
		return;
	unit->qi.dead = true;
	pr_emerg("%s: invalidation queue hangs (%s; head %llx, tail %llx, FSTS %x): devices may still reach memory that was taken away from them. Save your work and reboot.\n",
		 unit->name, what, readq(unit->regs + VTD_IQH),
		 readq(unit->regs + VTD_IQT), readl(unit->regs + VTD_FSTS));
}

/* Do @n descriptors fit? */
static bool has_room(struct vtd_unit *unit, unsigned int n)
{
	struct vtd_qi *qi = &unit->qi;
	unsigned int head;

	lockdep_assert_held(&qi->lock);

	if (qi->free >= n)
		return true;
	head = readq(unit->regs + VTD_IQH) >> qi->shift;
	qi->free = (head - qi->tail - 1) & (qi->entries - 1);
	return qi->free >= n;
}

/*
 * Take the lock with room for @n descriptors. Errors are cleared without the
 * lock, because isolating a silent device posts as well. False: the queue is
 * dead.
 */
static bool lock_with_room(struct vtd_unit *unit, unsigned int n)
	__acquires(&unit->qi.lock)
{
	struct vtd_qi *qi = &unit->qi;
	ktime_t end = 0;

	spin_lock(&qi->lock);
	while (!qi->dead && !has_room(unit, n)) {
		if (!end) {
			end = ktime_add_ms(ktime_get(), QI_TIMEOUT_MS);
		} else if (ktime_after(ktime_get(), end)) {
			give_up(unit, "full");
			break;
		}
		spin_unlock(&qi->lock);
		vtd_qi_errors(unit);
		cpu_relax();
		spin_lock(&qi->lock);
	}
	return !qi->dead;
}

/**
 * vtd_qi_post() - hand a batch of invalidations to the hardware
 * @unit: the unit
 * @descs: what to invalidate
 * @n: how many, at most 128
 *
 * Does not wait but for room in the queue. Any context that may spin.
 *
 * Return: a ticket for vtd_qi_wait().
 */
u32 vtd_qi_post(struct vtd_unit *unit, const struct vtd_qi_desc *descs,
		unsigned int n)
{
	struct vtd_qi *qi = &unit->qi;
	struct vtd_qi_desc wait;
	unsigned int i;
	u32 ticket;

	if (!lock_with_room(unit, n + 1)) {
		ticket = ++qi->ticket;
		goto out;
	}
	ticket = ++qi->ticket;
	for (i = 0; i < n; i++)
		put_desc(qi, qi->tail + i, &descs[i]);
	wait = vtd_qi_wait_write(ticket, virt_to_phys(qi->done));
	put_desc(qi, qi->tail + n, &wait);
	write_back(unit, qi->tail, n + 1);
	qi->tail = (qi->tail + n + 1) & (qi->entries - 1);
	qi->free -= n + 1;
	/* Orders the stores before it, also those of entries to invalidate. */
	writeq((u64)qi->tail << qi->shift, unit->regs + VTD_IQT);
out:
	spin_unlock(&qi->lock);
	return ticket;
}

static bool reached(struct vtd_unit *unit, u32 ticket)
{
	return (s32)(READ_ONCE(*unit->qi.done) - ticket) >= 0;
}

/**
 * vtd_qi_errors() - clear errors of the queue, and isolate a device that does
 *	not answer
 * @unit: the unit
 *
 * When a device does not answer an ATS invalidation, hardware drops the wait
 * descriptors it has fetched. The one that ends the device's isolation has a
 * higher number, so that who waits for a dropped one waits for that.
 */
void vtd_qi_errors(struct vtd_unit *unit)
{
	int silent;

	spin_lock(&unit->qi.lock);
	silent = clear_errors(unit);
	spin_unlock(&unit->qi.lock);
	if (silent >= 0)
		vtd_rid_cut(unit, silent);
}

/**
 * vtd_qi_wait() - wait until a batch is done
 * @unit: the unit
 * @ticket: from vtd_qi_post()
 *
 * Return: 0, or -EIO when the hardware hangs; the log says so.
 */
int vtd_qi_wait(struct vtd_unit *unit, u32 ticket)
{
	struct vtd_qi *qi = &unit->qi;
	unsigned int spins = 0;
	ktime_t end = 0;

	while (!reached(unit, ticket)) {
		cpu_relax();
		if (++spins % QI_SPINS)
			continue;
		if (READ_ONCE(qi->dead))
			return -EIO;
		vtd_qi_errors(unit);
		if (!end)
			end = ktime_add_ms(ktime_get(), QI_TIMEOUT_MS);
		else if (ktime_after(ktime_get(), end)) {
			spin_lock(&qi->lock);
			give_up(unit, "no answer");
			spin_unlock(&qi->lock);
			return -EIO;
		}
	}
	/* What is freed or reused next comes after hardware is done with it. */
	smp_rmb();
	return 0;
}

/**
 * vtd_qi_drain() - wait until the queue is empty
 * @unit: nobody posts any more
 */
void vtd_qi_drain(struct vtd_unit *unit)
{
	vtd_qi_run(unit, NULL, 0);
}
