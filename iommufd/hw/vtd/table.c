// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables, and the units that walk them. A unit tags what it caches of a table
 * with a domain id of its own; of what has a first level, with the PASID too.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include <uapi/linux/ioasid.h>
#include "hw/pt/fl.h"
#include "vtd.h"

#define S1_FLAGS	(IOMMU_VTD_S1_SRE | IOMMU_VTD_S1_EAFE | IOMMU_VTD_S1_WPE)

static struct vtd_table *table_new(enum vtd_walk walk)
{
	struct vtd_table *table;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->walk = walk;
	spin_lock_init(&table->lock);
	INIT_LIST_HEAD(&table->attaches);
	INIT_LIST_HEAD(&table->ats_uses);
	INIT_LIST_HEAD(&table->children);
	table->pt.ops = &vtd_provider_ops;
	return table;
}

/* Addresses of a table of the kernel's with @levels levels, in bits */
static unsigned int width_of(enum vtd_walk walk, unsigned int levels)
{
	return 12 + 9 * levels - (walk == VTD_WALK_FIRST);
}

/**
 * vtd_table_alloc() - make an empty table of the kernel's
 * @walk: VTD_WALK_SECOND or VTD_WALK_FIRST
 * @limits: what the units that are to walk it have in common
 * @addr_width_bits: addresses to cover; 0: as many as they can
 * @snoop: make all DMA through it snoop; @limits allows it
 *
 * Return: the table, or ERR_PTR of -EINVAL (the width) or -ENOMEM.
 */
struct vtd_table *vtd_table_alloc(enum vtd_walk walk,
				  const struct vtd_limits *limits,
				  unsigned int addr_width_bits, bool snoop)
{
	unsigned int width = addr_width_bits ?: limits->addr_width_bits;
	unsigned int levels, leaf;
	struct vtd_table *table;
	int rc;

	if (width > limits->addr_width_bits)
		return ERR_PTR(-EINVAL);
	/* The fewest levels that reach. */
	for (levels = 3; levels <= 5; levels++)
		if (limits->levels_mask & BIT(levels) &&
		    width_of(walk, levels) >= width)
			break;
	if (levels > 5) {
		levels = fls(limits->levels_mask) - 1;
		if (addr_width_bits || !limits->levels_mask)
			return ERR_PTR(-EINVAL);
	}

	table = table_new(walk);
	if (!table)
		return ERR_PTR(-ENOMEM);
	if (walk == VTD_WALK_FIRST) {
		rc = fl_init(&table->sl, levels, limits->max_leaf_level,
			     limits->noncoherent);
		table->prot_needed = IOFD_READ;
	} else {
		rc = sl_init(&table->sl, levels, limits->max_leaf_level,
			     limits->noncoherent, snoop ? SL_SNOOP : 0);
	}
	if (rc) {
		kfree(table);
		return ERR_PTR(rc);
	}
	/* vtd_table_map_sync() looks after what large leaves replace. */
	table->sl.replaces_tables = true;
	width = min(width, width_of(walk, levels));
	table->pt.addr_last = (1ULL << width) - 1;
	table->pt.snoop_enforced = snoop;
	for (leaf = 1; leaf <= limits->max_leaf_level; leaf++)
		table->pt.pgsize_bitmap |= 1ULL << (3 + 9 * leaf);
	return table;
}

/* What every unit has to be asked that walks a table of @nest. */
static int check_nest(const struct vtd_unit *unit,
		      const struct iofd_nest_attrs *nest)
{
	if (!unit->nests)
		return -EOPNOTSUPP;
	if (nest->addr_width_bits == 57 && !(unit->cap & CAP_FS5LP))
		return -EOPNOTSUPP;
	if (nest->flags & IOMMU_VTD_S1_SRE && !(unit->ecap & ECAP_SRS))
		return -EOPNOTSUPP;
	if (nest->flags & IOMMU_VTD_S1_EAFE && !(unit->ecap & ECAP_EAFS))
		return -EOPNOTSUPP;
	return 0;
}

/**
 * vtd_table_nest() - make a table of a user's
 * @unit: that is to walk it
 * @parent: translates its addresses
 * @attrs: what the user says of it
 *
 * Snooping is forced wherever the parent forces it: a page table's entries can
 * do so for the second level alone.
 *
 * Return: the table, or ERR_PTR: -EOPNOTSUPP for what the unit lacks, -EINVAL
 * for what makes no sense, -ENOMEM.
 */
struct vtd_table *vtd_table_nest(const struct vtd_unit *unit,
				 struct vtd_table *parent,
				 const struct iofd_nest_attrs *attrs)
{
	struct vtd_table *table;
	bool snoop;
	int rc;

	if (attrs->format != IOMMU_FORMAT_VTD_S1 || attrs->flags & ~S1_FLAGS)
		return ERR_PTR(-EOPNOTSUPP);
	if (!parent->pt.nest_parent ||
	    (attrs->addr_width_bits != 48 && attrs->addr_width_bits != 57) ||
	    attrs->table_addr & (SZ_4K - 1) ||
	    attrs->table_addr > parent->pt.addr_last ||
	    (attrs->flags & IOMMU_VTD_S1_WPE &&
	     !(attrs->flags & IOMMU_VTD_S1_SRE)))
		return ERR_PTR(-EINVAL);
	rc = check_nest(unit, attrs);
	if (rc)
		return ERR_PTR(rc);
	if (attrs->coherency == IOMMU_COHERENCY_ENFORCE &&
	    !(unit->ecap & ECAP_SC))
		return ERR_PTR(-EINVAL);
	snoop = parent->pt.snoop_enforced ||
		(unit->ecap & ECAP_SC &&
		 attrs->coherency != IOMMU_COHERENCY_OFF);

	table = table_new(VTD_WALK_NESTED);
	if (!table)
		return ERR_PTR(-ENOMEM);
	table->parent = parent;
	table->nest = *attrs;
	table->pt.parent = &parent->pt;
	table->pt.snoop_enforced = snoop;
	/* Canonical addresses: both ends of the 64 bits. */
	table->pt.addr_last = U64_MAX;
	return table;
}

/**
 * vtd_table_free() - free a table
 * @table: attached to nothing, and nothing is nested over it
 */
void vtd_table_free(struct vtd_table *table)
{
	WARN_ON(!list_empty(&table->attaches));
	if (table->walk != VTD_WALK_NESTED)
		sl_destroy(&table->sl);
	kfree(table);
}

/**
 * vtd_table_fits() - can a unit walk a table as it is?
 * @table: the table
 * @unit: the unit
 */
bool vtd_table_fits(const struct vtd_table *table, const struct vtd_unit *unit)
{
	struct vtd_limits limits;

	if (table->pt.snoop_enforced && !(unit->ecap & ECAP_SC))
		return false;
	if (table->pt.dirty && !unit->dirty)
		return false;
	if (table->walk == VTD_WALK_NESTED)
		return !check_nest(unit, &table->nest) &&
		       vtd_table_fits(table->parent, unit);
	if (table->walk == VTD_WALK_FIRST && !unit->first_level)
		return false;
	vtd_unit_limits(unit, table->walk, &limits);
	return limits.levels_mask & BIT(table->sl.levels) &&
	       !(table->pt.addr_last >> limits.addr_width_bits) &&
	       table->sl.max_leaf_level <= limits.max_leaf_level &&
	       (table->sl.noncoherent || !limits.noncoherent);
}

/**
 * vtd_table_target() - what an entry that leads through a table says
 * @table: the table
 * @attach: its use at the unit
 * @target: to fill in
 */
void vtd_table_target(const struct vtd_table *table,
		      const struct vtd_attach *attach,
		      struct vtd_target *target)
{
	const struct vtd_table *second = table->parent ?: table;

	*target = (struct vtd_target) {
		.walk = table->walk,
		.did = attach->did,
		.snoop = table->pt.snoop_enforced,
		.dirty = second->pt.dirty,
	};
	switch (table->walk) {
	case VTD_WALK_FIRST:
		target->first = virt_to_phys(table->sl.root);
		target->first_levels = table->sl.levels;
		/* Not looked at; but some value is to be there. */
		target->levels = fls(vtd_levels_mask(attach->unit->cap)) - 1;
		return;
	case VTD_WALK_NESTED:
		target->first = table->nest.table_addr;
		target->first_levels = table->nest.addr_width_bits == 57 ? 5 : 4;
		target->s1_flags = table->nest.flags;
		break;
	default:
		break;
	}
	target->root = virt_to_phys(second->sl.root);
	target->levels = second->sl.levels;
}

/* One use more, or less, of @table with @pasid */
static int count_pasid(struct vtd_table *table, struct vtd_attach *attach,
		       u32 pasid, int change)
{
	unsigned long users, index = vtd_pasid_index(pasid);
	void *entry;

	lockdep_assert_held(&attach->unit->lock);

	if (table->walk == VTD_WALK_SECOND)
		return 0;
	entry = xa_load(&attach->pasids, index);
	users = (entry ? xa_to_value(entry) : 0) + change;
	/* Needs no memory where there is something already. */
	if (users)
		return xa_err(xa_store(&attach->pasids, index,
				       xa_mk_value(users), GFP_KERNEL_ACCOUNT));
	xa_erase(&attach->pasids, index);
	return 0;
}

/* The attachment of @table at @unit, or NULL */
static struct vtd_attach *find_attach(struct vtd_table *table,
				      const struct vtd_unit *unit)
{
	struct vtd_attach *attach, *found = NULL;
	spinlock_t *lock = vtd_table_lock(table);

	/* Entries for this unit come and go under the unit's lock. */
	lockdep_assert_held(&unit->lock);

	spin_lock(lock);
	list_for_each_entry(attach, &table->attaches, link)
		if (attach->unit == unit)
			found = attach;
	spin_unlock(lock);
	return found;
}

/**
 * vtd_table_attach() - one more device behind a unit uses a table
 * @table: the table
 * @unit: the unit
 * @pasid: with this PASID, or IOFD_NO_PASID
 *
 * From here on flushes go to the unit.
 *
 * Return: the table's use at the unit, or ERR_PTR of -ENOMEM or -ENOSPC.
 */
struct vtd_attach *vtd_table_attach(struct vtd_table *table,
				    struct vtd_unit *unit, u32 pasid)
{
	spinlock_t *lock = vtd_table_lock(table);
	struct vtd_attach *attach;
	int did, rc;

	lockdep_assert_held(&unit->lock);

	attach = find_attach(table, unit);
	if (attach) {
		rc = count_pasid(table, attach, pasid, 1);
		if (rc)
			return ERR_PTR(rc);
		attach->users++;
		return attach;
	}

	attach = kzalloc(sizeof(*attach), GFP_KERNEL_ACCOUNT);
	if (!attach)
		return ERR_PTR(-ENOMEM);
	did = vtd_unit_did_alloc(unit);
	if (did < 0) {
		kfree(attach);
		return ERR_PTR(did);
	}
	attach->unit = unit;
	attach->did = did;
	attach->users = 1;
	xa_init(&attach->pasids);
	rc = count_pasid(table, attach, pasid, 1);
	if (rc) {
		vtd_unit_did_free(unit, did);
		xa_destroy(&attach->pasids);
		kfree(attach);
		return ERR_PTR(rc);
	}
	spin_lock(lock);
	if (table->parent && list_empty(&table->attaches))
		list_add_tail(&table->sibling, &table->parent->children);
	list_add_tail(&attach->link, &table->attaches);
	spin_unlock(lock);
	return attach;
}

/**
 * vtd_table_detach() - one device less behind a unit uses a table
 * @table: the table
 * @attach: its use there; the unit has forgotten the device's entries
 * @pasid: as it was attached
 */
void vtd_table_detach(struct vtd_table *table, struct vtd_attach *attach,
		      u32 pasid)
{
	spinlock_t *lock = vtd_table_lock(table);

	lockdep_assert_held(&attach->unit->lock);

	count_pasid(table, attach, pasid, -1);
	if (--attach->users)
		return;
	spin_lock(lock);
	list_del(&attach->link);
	if (table->parent && list_empty(&table->attaches))
		list_del(&table->sibling);
	spin_unlock(lock);
	vtd_unit_did_free(attach->unit, attach->did);
	xa_destroy(&attach->pasids);
	kfree(attach);
}
