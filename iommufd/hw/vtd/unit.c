// SPDX-License-Identifier: GPL-2.0-only
/*
 * A remapping unit: claim it, learn what it can do, switch translation on and
 * off.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iopoll.h>
#include <linux/ioport.h>
#include <linux/slab.h>
#include "vtd.h"

#define REMEDY "boot with intel_iommu=off intremap=off"

/* The specification gives no limit; hardware takes microseconds. */
#define GSTS_TIMEOUT_US	1000000

/* Switch a bit of GCMD that has a lasting effect, or start a one-shot one. */
static int gcmd(struct vtd_unit *unit, u32 bit, bool on, u32 status, bool want)
{
	unsigned long flags;
	u32 gsts;
	int rc;

	raw_spin_lock_irqsave(&unit->reg_lock, flags);
	gsts = readl(unit->regs + VTD_GSTS) & GSTS_STICKY;
	writel(on ? gsts | bit : gsts & ~bit, unit->regs + VTD_GCMD);
	rc = readl_poll_timeout_atomic(unit->regs + VTD_GSTS, gsts,
				       !!(gsts & status) == want, 1,
				       GSTS_TIMEOUT_US);
	raw_spin_unlock_irqrestore(&unit->reg_lock, flags);
	if (rc)
		vtd_err(unit, "command %08x is not carried out: the hardware hangs\n",
			bit);
	return rc;
}

static int gcmd_switch(struct vtd_unit *unit, u32 bit, bool on)
{
	return gcmd(unit, bit, on, bit, on);
}

/**
 * vtd_unit_write_buffer_flush() - make stores reach what the unit walks
 * @unit: does something on units that ask for it (CAP.RWBF)
 *
 * Called after an entry became present; entries that change otherwise are
 * followed by an invalidation, which flushes as well.
 */
void vtd_unit_write_buffer_flush(struct vtd_unit *unit)
{
	if (unit->cap & CAP_RWBF && FLUSH_POINT(write_buffer))
		gcmd(unit, GCMD_WBF, true, GCMD_WBF, false);
}

/**
 * vtd_unit_max_dids() - how many domain ids a unit has
 * @unit: the unit
 */
unsigned int vtd_unit_max_dids(const struct vtd_unit *unit)
{
	/* ND 7 is reserved, and the field for it has 16 bits everywhere. */
	return min(1u << (4 + 2 * CAP_ND(unit->cap)), 0x10000u);
}

/**
 * vtd_unit_did_alloc() - take a free domain id
 * @unit: the unit
 *
 * Return: the id, or -ENOSPC or -ENOMEM.
 */
int vtd_unit_did_alloc(struct vtd_unit *unit)
{
	int did = ida_alloc_range(&unit->dids, VTD_DID_FIRST,
				  vtd_unit_max_dids(unit) - 1, GFP_KERNEL);

	if (did >= 0)
		atomic_inc(&unit->nr_dids);
	return did;
}

/**
 * vtd_unit_did_free() - give a domain id back
 * @unit: the unit
 * @did: nothing that is cached carries it any more
 */
void vtd_unit_did_free(struct vtd_unit *unit, u16 did)
{
	ida_free(&unit->dids, did);
	atomic_dec(&unit->nr_dids);
}

/**
 * vtd_unit_limits() - what a unit can walk
 * @unit: the unit
 * @walk: VTD_WALK_SECOND, or VTD_WALK_FIRST where it has a first level
 * @limits: to fill in
 */
void vtd_unit_limits(const struct vtd_unit *unit, enum vtd_walk walk,
		     struct vtd_limits *limits)
{
	unsigned int first_bits = 47;

	*limits = (struct vtd_limits) {
		.levels_mask = unit->second_level ? vtd_levels_mask(unit->cap) : 0,
		.addr_width_bits = unit->addr_width_bits,
		.max_leaf_level = unit->max_leaf_level,
		.noncoherent = !unit->walk_coherent,
		.snoop = unit->ecap & ECAP_SC,
	};
	if (walk == VTD_WALK_SECOND)
		return;
	/* Canonical addresses: half of what 4 or 5 levels hold. */
	limits->levels_mask = BIT(4);
	if (unit->cap & CAP_FS5LP) {
		limits->levels_mask |= BIT(5);
		first_bits = 56;
	}
	limits->addr_width_bits = min_t(unsigned int, first_bits,
					unit->addr_width_bits);
	limits->max_leaf_level = unit->cap & CAP_FS1GP ? 3 : 2;
}

/**
 * vtd_limits_intersect() - what two units have in common
 * @limits: changed to what both can walk
 * @other: another unit's
 */
void vtd_limits_intersect(struct vtd_limits *limits,
			  const struct vtd_limits *other)
{
	limits->levels_mask &= other->levels_mask;
	limits->addr_width_bits = min(limits->addr_width_bits,
				      other->addr_width_bits);
	limits->max_leaf_level = min(limits->max_leaf_level,
				     other->max_leaf_level);
	limits->noncoherent |= other->noncoherent;
	limits->snoop &= other->snoop;
}

/* Map all of the register file: it can be longer than DMAR says. */
static int map_registers(struct vtd_unit *unit)
{
	resource_size_t base = unit->drhd->start;
	resource_size_t need;

	unit->regs_bytes = unit->drhd->last - unit->drhd->start + 1;
	if (!request_mem_region(base, unit->regs_bytes, unit->name)) {
		vtd_err(unit, "its registers at %pa are in use by another driver: "
			REMEDY "\n", &base);
		return -EBUSY;
	}
	unit->regs = ioremap(base, unit->regs_bytes);
	if (!unit->regs) {
		release_mem_region(base, unit->regs_bytes);
		return -ENOMEM;
	}

	unit->cap = readq(unit->regs + VTD_CAP);
	unit->ecap = readq(unit->regs + VTD_ECAP);
	if (unit->cap == U64_MAX && unit->ecap == U64_MAX) {
		vtd_err(unit, "nothing answers at %pa: firmware describes a unit that is not there, look for a firmware update\n",
			&base);
		return -ENODEV;
	}

	need = CAP_FRO(unit->cap) + 16 * CAP_NFR(unit->cap);
	need = ALIGN(need, SZ_4K);
	if (need <= unit->regs_bytes)
		return 0;
	iounmap(unit->regs);
	release_mem_region(base, unit->regs_bytes);
	unit->regs = NULL;
	unit->regs_bytes = need;
	if (!request_mem_region(base, need, unit->name)) {
		vtd_err(unit, "its fault registers beyond %pa are in use by another driver: "
			REMEDY "\n", &base);
		return -EBUSY;
	}
	unit->regs = ioremap(base, need);
	if (!unit->regs) {
		release_mem_region(base, need);
		return -ENOMEM;
	}
	return 0;
}

static void unmap_registers(struct vtd_unit *unit)
{
	if (!unit->regs)
		return;
	iounmap(unit->regs);
	release_mem_region(unit->drhd->start, unit->regs_bytes);
}

/* Is the unit free, and does it offer what this driver is made of? */
static int check(struct vtd_unit *unit)
{
	u32 gsts = readl(unit->regs + VTD_GSTS);

	if (gsts & (GCMD_TE | GCMD_IRE | GCMD_QIE)) {
		vtd_err(unit, "in use already (status %08x:%s%s%s): " REMEDY "\n",
			gsts, gsts & GCMD_TE ? " translation" : "",
			gsts & GCMD_IRE ? " interrupt remapping" : "",
			gsts & GCMD_QIE ? " queue" : "");
		return -EBUSY;
	}
	if (!(unit->ecap & ECAP_QI)) {
		vtd_err(unit, "no queued invalidation (ECAP %llx): too old for this driver\n",
			unit->ecap);
		return -EOPNOTSUPP;
	}
	if (!vtd_levels_mask(unit->cap)) {
		vtd_err(unit, "no second-level tables (CAP %llx): this driver cannot use it\n",
			unit->cap);
		return -EOPNOTSUPP;
	}
	return 0;
}

/*
 * Scalable mode needs second-level tables; or first-level ones where these are
 * wanted anyway, and the kernel's devices need no table.
 */
static bool can_scale(const struct vtd_unit *unit)
{
	if (!vtd_want_scalable || !(unit->ecap & ECAP_SMTS))
		return false;
	return unit->ecap & ECAP_SSTS ||
	       (vtd_want_first_level && unit->ecap & ECAP_FSTS &&
		unit->ecap & ECAP_PT);
}

static void learn(struct vtd_unit *unit)
{
	unsigned int levels = fls(vtd_levels_mask(unit->cap)) - 1;
	struct vtd_limits limits;

	unit->scalable = can_scale(unit);
	unit->second_level = !unit->scalable || unit->ecap & ECAP_SSTS;
	unit->coherent = unit->ecap & ECAP_C;
	unit->walk_coherent = unit->ecap & (unit->scalable ? ECAP_SMPWCS : ECAP_C);
	unit->addr_width_bits = min(CAP_MGAW(unit->cap), 12 + 9 * levels);
	unit->max_leaf_level = 1;
	if (unit->cap & CAP_SSLPS_2M)
		unit->max_leaf_level = unit->cap & CAP_SSLPS_1G ? 3 : 2;
	if (unit->scalable && unit->ecap & ECAP_FSTS) {
		unit->first_level = true;
		unit->nests = unit->second_level && unit->ecap & ECAP_NEST;
		unit->erratum_772415 = unit->nests && vtd_erratum_772415();
	}
	/* A walk that does not snoop cannot set a bit: fault 7Ch. */
	unit->dirty = unit->scalable && unit->second_level &&
		      unit->ecap & ECAP_SSADS && unit->walk_coherent;
	if (!unit->second_level) {
		vtd_unit_limits(unit, VTD_WALK_FIRST, &limits);
		unit->addr_width_bits = limits.addr_width_bits;
		unit->max_leaf_level = limits.max_leaf_level;
	}
	if (unit->scalable && unit->ecap & ECAP_PASID)
		unit->pasid_width_bits = min(ECAP_PSS(unit->ecap), 20u);
	unit->drain = (unit->cap & CAP_DWD ? VTD_QI_DW : 0) |
		      (unit->cap & CAP_DRD ? VTD_QI_DR : 0);
}

/**
 * vtd_unit_create() - claim a unit
 * @drhd: where it is
 * @index: its number
 *
 * Translation stays off.
 *
 * Return: the unit or an ERR_PTR; why is in the log.
 */
struct vtd_unit *vtd_unit_create(const struct vtd_dmar_entry *drhd,
				 unsigned int index)
{
	struct vtd_unit *unit;
	int rc = -ENOMEM;

	unit = kzalloc(sizeof(*unit), GFP_KERNEL);
	if (!unit)
		return ERR_PTR(-ENOMEM);
	unit->drhd = drhd;
	snprintf(unit->name, sizeof(unit->name), "dmar%u", index);
	raw_spin_lock_init(&unit->reg_lock);
	mutex_init(&unit->lock);
	spin_lock_init(&unit->entry_lock);
	xa_init(&unit->rids);
	INIT_LIST_HEAD(&unit->devs);
	ida_init(&unit->dids);
	atomic_set(&unit->nr_dids, 0);

	rc = map_registers(unit);
	if (rc)
		goto err;
	rc = check(unit);
	if (rc)
		goto err;
	learn(unit);

	rc = -ENOMEM;
	unit->root = vtd_zeroed_page(unit, GFP_KERNEL);
	if (!unit->root)
		goto err;
	rc = vtd_qi_init(unit);
	if (rc)
		goto err;
	rc = vtd_events_init(unit);
	if (rc) {
		vtd_err(unit, "no fault interrupt: error %d\n", rc);
		goto err;
	}
	vtd_info(unit, "registers %llx, version %u.%u, CAP %llx, ECAP %llx, %s mode\n",
		 drhd->start, VER_MAJOR(readl(unit->regs + VTD_VER)),
		 VER_MINOR(readl(unit->regs + VTD_VER)), unit->cap, unit->ecap,
		 unit->scalable ? "scalable" : "legacy");
	if (unit->erratum_772415)
		vtd_info(unit, "erratum 772415: a table that users' tables are nested over can have no read-only mappings\n");
	return unit;

err:
	vtd_unit_destroy(unit);
	return ERR_PTR(rc);
}

/**
 * vtd_unit_destroy() - give a unit up
 * @unit: translation is off; no devices
 */
void vtd_unit_destroy(struct vtd_unit *unit)
{
	unsigned int i;

	vtd_events_free(unit);
	vtd_qi_free(unit);
	vtd_rid_free_all(unit);
	for (i = 0; i < ARRAY_SIZE(unit->context); i++)
		free_page((unsigned long)unit->context[i]);
	free_page((unsigned long)unit->root);
	unmap_registers(unit);
	ida_destroy(&unit->dids);
	kfree(unit);
}

/* Forget whatever was cached before the root table was set. */
static int invalidate_all(struct vtd_unit *unit)
{
	struct vtd_qi_desc descs[3];
	unsigned int n = 0;

	if (FLUSH_POINT(enable_context))
		descs[n++] = vtd_qi_context_global();
	if (unit->scalable && FLUSH_POINT(enable_pasid_cache))
		descs[n++] = vtd_qi_pasid_global();
	if (FLUSH_POINT(enable_iotlb))
		descs[n++] = vtd_qi_iotlb_global(unit->drain);
	return vtd_qi_run(unit, descs, n);
}

/* Firmware may guard memory from DMA until translation is on. */
static void release_protected_memory(struct vtd_unit *unit)
{
	u32 pmen;

	if (!(unit->cap & (CAP_PLMR | CAP_PHMR)))
		return;
	pmen = readl(unit->regs + VTD_PMEN);
	if (!(pmen & (PMEN_EPM | PMEN_PRS)))
		return;
	writel(pmen & ~PMEN_EPM, unit->regs + VTD_PMEN);
	if (readl_poll_timeout(unit->regs + VTD_PMEN, pmen, !(pmen & PMEN_PRS),
			       10, GSTS_TIMEOUT_US))
		vtd_warn(unit, "firmware's protected memory regions stay on: DMA to them fails\n");
}

/**
 * vtd_unit_enable() - switch translation on
 * @unit: its tables are filled in
 *
 * Root table, queue, invalidation of everything, translation: in the order of
 * the specification's section on software initialisation, so that no request is
 * ever translated by what was cached earlier.
 *
 * Return: 0, or -errno with translation off.
 */
int vtd_unit_enable(struct vtd_unit *unit)
{
	u64 rtaddr = virt_to_phys(unit->root);
	int rc;

	if (unit->scalable)
		rtaddr |= RTADDR_TTM_SCALABLE;
	vtd_unit_write_buffer_flush(unit);
	writeq(rtaddr, unit->regs + VTD_RTADDR);
	rc = gcmd_switch(unit, GCMD_SRTP, true);
	if (rc)
		return rc;

	writeq(0, unit->regs + VTD_IQT);
	writeq(vtd_qi_iqa(unit), unit->regs + VTD_IQA);
	rc = gcmd_switch(unit, GCMD_QIE, true);
	if (rc)
		return rc;
	rc = invalidate_all(unit);
	if (rc)
		goto err_queue;
	rc = gcmd_switch(unit, GCMD_TE, true);
	if (rc)
		goto err_queue;
	unit->enabled = true;
	release_protected_memory(unit);
	return 0;

err_queue:
	gcmd_switch(unit, GCMD_QIE, false);
	return rc;
}

/**
 * vtd_unit_disable() - switch translation off
 * @unit: every device that works has identity, so that nothing changes for it
 */
void vtd_unit_disable(struct vtd_unit *unit)
{
	if (!unit->enabled)
		return;
	gcmd_switch(unit, GCMD_TE, false);
	unit->enabled = false;
	vtd_qi_drain(unit);
	gcmd_switch(unit, GCMD_QIE, false);
}
