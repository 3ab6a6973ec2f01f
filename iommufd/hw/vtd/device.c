// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI function and the requester IDs that its DMA carries: its own, those
 * that quirks add, and those of bridges that answer for what is below them.
 * Functions can share a requester ID; the kernel has such functions in one
 * group.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pci-ats.h>
#include <linux/slab.h>
#include "vtd.h"

static u16 pci_sid(const struct pci_dev *pdev)
{
	return pdev->bus->number << 8 | pdev->devfn;
}

static int add_rid(struct vtd_dev *vdev, u16 sid)
{
	struct vtd_rid **rids, *rid;
	unsigned int i;

	for (i = 0; i < vdev->nr_rids; i++)
		if (vdev->rids[i]->sid == sid)
			return 0;
	rids = krealloc_array(vdev->rids, vdev->nr_rids + 1, sizeof(*rids),
			      GFP_KERNEL);
	if (!rids)
		return -ENOMEM;
	vdev->rids = rids;
	rid = vtd_rid_get(vdev->unit, sid);
	if (!rid)
		return -ENOMEM;
	rids[vdev->nr_rids++] = rid;
	return 0;
}

/* What @bridge makes of the requester ID of a request from below; -1: nothing. */
static int bridge_sid(struct pci_dev *bridge)
{
	u16 secondary = bridge->subordinate->number << 8;

	if (!pci_is_pcie(bridge))
		return bridge->dev_flags & PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS ?
		       secondary : pci_sid(bridge);
	switch (pci_pcie_type(bridge)) {
	case PCI_EXP_TYPE_PCI_BRIDGE:
		return secondary;
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		return pci_sid(bridge);
	default:
		return -1;
	}
}

static int add_rids(struct vtd_dev *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	struct pci_bus *bus;
	unsigned int devfn;
	int rc, sid;

	rc = add_rid(vdev, pci_sid(pdev));
	if (!rc && pdev->dma_alias_mask)
		for_each_set_bit(devfn, pdev->dma_alias_mask, 256) {
			rc = add_rid(vdev, pdev->bus->number << 8 | devfn);
			if (rc)
				break;
		}
	for (bus = pdev->bus; !rc && !pci_is_root_bus(bus); bus = bus->parent) {
		if (!bus->self)
			continue;
		/* From such a bridge on up requests are the root complex's. */
		if (bus->self->dev_flags & PCI_DEV_FLAGS_BRIDGE_XLATE_ROOT)
			break;
		sid = bridge_sid(bus->self);
		if (sid >= 0)
			rc = add_rid(vdev, sid);
	}
	return rc;
}

static void learn_ats(struct vtd_dev *vdev)
{
	struct vtd_unit *unit = vdev->unit;
	struct pci_dev *pdev = vdev->pdev;
	u16 cap;

	if (!vtd_want_ats || !(unit->ecap & ECAP_DT) ||
	    !pci_ats_supported(pdev) || !vtd_scope_ats(pdev))
		return;
	pci_read_config_word(pdev, pdev->ats_cap + PCI_ATS_CAP, &cap);
	vdev->ats_qdep = PCI_ATS_CAP_QDEP(cap);
	if (unit->ecap & ECAP_DIT)
		vdev->ats_pfsid = pci_sid(pci_physfn(pdev));
	vdev->ats_allowed = true;
}

static bool has_locked_rmrr(struct pci_dev *pdev)
{
	unsigned int i;

	if (vtd_rmrr_relaxable(pdev))
		return false;
	for (i = 0; i < vtd_dmar->nr_entries; i++)
		if (vtd_dmar->entries[i].kind == VTD_DMAR_RMRR &&
		    vtd_scope_rmrr(pdev, &vtd_dmar->entries[i]))
			return true;
	return false;
}

/**
 * vtd_dev_find() - the device of a function
 * @unit: in front of it
 * @pdev: the function
 *
 * Return: the device or NULL.
 */
struct vtd_dev *vtd_dev_find(struct vtd_unit *unit, struct pci_dev *pdev)
{
	struct vtd_dev *vdev;

	lockdep_assert_held(&unit->lock);

	list_for_each_entry(vdev, &unit->devs, link)
		if (vdev->pdev == pdev)
			return vdev;
	return NULL;
}

/**
 * vtd_dev_create() - take up a function
 * @unit: in front of it
 * @pdev: the function
 *
 * It is blocked. Makes all tables that it needs.
 *
 * Return: the device, or ERR_PTR of -ENOMEM.
 */
struct vtd_dev *vtd_dev_create(struct vtd_unit *unit, struct pci_dev *pdev)
{
	struct vtd_dev *vdev;

	lockdep_assert_held(&unit->lock);

	vdev = kzalloc(sizeof(*vdev), GFP_KERNEL);
	if (!vdev)
		return ERR_PTR(-ENOMEM);
	vdev->handle.hd.ops = &vtd_provider_ops;
	vdev->handle.hd.dev = &pdev->dev;
	vdev->handle.vdev = vdev;
	vdev->handle.pasid = IOFD_NO_PASID;
	vdev->pdev = pci_dev_get(pdev);
	vdev->unit = unit;
	vdev->use.vdev = vdev;
	vdev->use.pasid = IOFD_NO_PASID;
	xa_init(&vdev->pasids);
	list_add_tail(&vdev->link, &unit->devs);
	if (add_rids(vdev)) {
		vtd_dev_destroy(vdev);
		return ERR_PTR(-ENOMEM);
	}
	learn_ats(vdev);
	vdev->rmrr_locked = has_locked_rmrr(pdev);
	return vdev;
}

/**
 * vtd_dev_destroy() - forget a function
 * @vdev: blocked, or translation is off
 */
void vtd_dev_destroy(struct vtd_dev *vdev)
{
	struct vtd_unit *unit = vdev->unit;

	lockdep_assert_held(&unit->lock);

	list_del(&vdev->link);
	while (vdev->nr_rids)
		vtd_rid_put(unit, vdev->rids[--vdev->nr_rids]);
	kfree(vdev->rids);
	pci_dev_put(vdev->pdev);
	kfree(vdev);
}

/* Does @vdev count among the users of @rid? */
static bool uses(const struct vtd_dev *vdev, const struct vtd_rid *rid)
{
	return vdev->state != VTD_BLOCKED && rid->state == vdev->state &&
	       rid->table == vdev->use.table;
}

/* Would @table take a requester ID away from another device? */
static bool in_the_way(const struct vtd_dev *vdev, const struct vtd_table *table)
{
	unsigned int i, others;

	for (i = 0; i < vdev->nr_rids; i++) {
		const struct vtd_rid *rid = vdev->rids[i];

		others = rid->users - uses(vdev, rid);
		if (others && !(rid->state == VTD_TABLE && rid->table == table))
			return true;
	}
	return false;
}

static void rid_withdraw(struct vtd_unit *unit, struct vtd_rid *rid)
{
	vtd_rid_withdraw(unit, rid, VTD_RID_PASID);
	rid->state = VTD_BLOCKED;
	rid->table = NULL;
	rid->users = 0;
}

/*
 * @use begins, its entries come next: the unit lets a device's own translations
 * pass only if the device can be made to forget them. Not while the kernel has
 * what the device does without PASID: that would be cached as well.
 */
static void use_begin(struct vtd_use *use, struct vtd_table *table,
		      struct vtd_attach *attach)
{
	struct vtd_dev *vdev = use->vdev;

	use->table = table;
	use->attach = attach;
	if (!vdev->ats_users++ && vdev->ats_allowed && !vdev->nr_subdevs &&
	    !vdev->pdev->ats_enabled &&
	    !pci_enable_ats(vdev->pdev, PAGE_SHIFT))
		vdev->ats_on = true;
	if (vdev->ats_on)
		vtd_table_ats_add(use);
}

/*
 * The unit has forgotten the entries of @use. The device's own cache comes last:
 * it fills from the unit's. One that was cut off for its silence is asked again
 * when all its requests are blocked, and not each time: that takes a minute.
 */
static void use_forget(struct vtd_use *use)
{
	struct vtd_dev *vdev = use->vdev;

	vdev->ats_users--;
	if (!vdev->ats_on)
		return;
	vtd_table_ats_del(use);
	if (vdev->ats_users)
		return;
	if (READ_ONCE(vdev->rids[0]->cut))
		vtd_dev_forget_all(vdev);
	pci_disable_ats(vdev->pdev);
	vdev->ats_on = false;
}

/* The entries of @use are gone. */
static void use_end(struct vtd_use *use)
{
	vtd_table_detach(use->table, use->attach, use->pasid);
	use->table = NULL;
	use->attach = NULL;
}

/* Block requests without PASID. */
static void leave(struct vtd_dev *vdev)
{
	struct vtd_unit *unit = vdev->unit;
	unsigned int i;

	for (i = 0; i < vdev->nr_rids; i++) {
		struct vtd_rid *rid = vdev->rids[i];

		if (uses(vdev, rid) && !--rid->users)
			rid_withdraw(unit, rid);
	}
	if (vdev->state == VTD_TABLE)
		use_forget(&vdev->use);
	for (i = 0; i < vdev->nr_rids; i++)
		if (vdev->rids[i]->state == VTD_BLOCKED)
			vtd_rid_wipe(unit, vdev->rids[i], VTD_RID_PASID);
	if (vdev->state == VTD_TABLE)
		use_end(&vdev->use);
	vdev->state = VTD_BLOCKED;
}

/**
 * vtd_dev_rid_enter() - a requester ID joins its device where that is
 * @vdev: the device
 * @nr: which of its requester IDs; not one of the device's users
 * @state: where the device is
 * @table: with VTD_TABLE
 * @target: the entry for it
 */
void vtd_dev_rid_enter(struct vtd_dev *vdev, unsigned int nr,
		       enum vtd_state state, struct vtd_table *table,
		       const struct vtd_target *target)
{
	struct vtd_unit *unit = vdev->unit;
	struct vtd_rid *rid = vdev->rids[nr];

	/* Identity takes a shared one from whoever has it. */
	if (rid->users && !(rid->state == state && rid->table == table)) {
		rid_withdraw(unit, rid);
		vtd_rid_wipe(unit, rid, VTD_RID_PASID);
	}
	if (!rid->users) {
		/* Aliases belong to bridges, which have no cache. */
		vtd_rid_set(unit, rid, VTD_RID_PASID, target,
			    vdev->ats_on && nr == 0);
		rid->state = state;
		rid->table = table;
	}
	rid->users++;
}

/* From blocked to @state. */
static void enter(struct vtd_dev *vdev, enum vtd_state state,
		  struct vtd_table *table, struct vtd_attach *attach)
{
	struct vtd_unit *unit = vdev->unit;
	struct vtd_target target;
	unsigned int i;

	vdev->state = state;
	if (state == VTD_BLOCKED)
		return;
	if (state == VTD_IDENTITY) {
		vtd_identity_target(unit, &target);
	} else {
		use_begin(&vdev->use, table, attach);
		vtd_table_target(table, attach, &target);
	}

	for (i = 0; i < vdev->nr_rids; i++)
		vtd_dev_rid_enter(vdev, i, state, table, &target);
}

static struct vtd_attach *attach_alone(struct vtd_dev *vdev,
				       struct vtd_table *table)
{
	if (in_the_way(vdev, table)) {
		pci_err(vdev->pdev, "shares a requester ID with a device that is attached to something else: detach that first\n");
		return ERR_PTR(-EBUSY);
	}
	return vtd_table_attach(table, vdev->unit, IOFD_NO_PASID);
}

/**
 * vtd_dev_set() - send the DMA of a device without PASID elsewhere
 * @vdev: the device
 * @state: where to; VTD_BLOCKED and VTD_IDENTITY cannot fail
 * @table: with VTD_TABLE; else NULL. Fits the device's unit.
 *
 * From a table to a table no request is refused, and if they are the same nothing
 * happens at all. Between other states the device is blocked.
 *
 * Return: 0; -EBUSY when another device shares a requester ID and uses it
 * otherwise; -ENOMEM; -ENOSPC without a free domain id.
 */
int vtd_dev_set(struct vtd_dev *vdev, enum vtd_state state,
		struct vtd_table *table)
{
	struct vtd_attach *attach = NULL;
	bool again;

	lockdep_assert_held(&vdev->unit->lock);

	if (vdev->state == state && vdev->use.table == table)
		return 0;
	again = vdev->state == VTD_TABLE && state == VTD_TABLE;
	if (again && vtd_replace_prepare(vdev, IOFD_NO_PASID))
		return -ENOMEM;
	if (state == VTD_TABLE) {
		attach = attach_alone(vdev, table);
		if (IS_ERR(attach)) {
			vtd_replace_cancel(vdev);
			return PTR_ERR(attach);
		}
	}
	if (again) {
		vtd_replace(&vdev->use, table, attach);
		return 0;
	}
	leave(vdev);
	enter(vdev, state, table, attach);
	return 0;
}

/**
 * vtd_dev_enable_pasids() - let a device use PASIDs
 * @vdev: has none yet. What it does without PASID goes on
 * @width_bits: no wider ones
 *
 * A device can if its requests cannot be taken for another's. A virtual
 * function has PASIDs while its physical function has them switched on.
 *
 * Return: 0; -EOPNOTSUPP when device or unit has no PASIDs; -EBUSY when somebody
 * else uses them, or ATS; -errno of the device.
 */
int vtd_dev_enable_pasids(struct vtd_dev *vdev, unsigned int width_bits)
{
	struct vtd_unit *unit = vdev->unit;
	struct vtd_rid *rid = vdev->rids[0];
	int max, rc;

	lockdep_assert_held(&unit->lock);

	if (!unit->pasid_width_bits || vdev->nr_rids > 1 || rid->refs > 1)
		return -EOPNOTSUPP;
	max = pci_max_pasids(vdev->pdev);
	if (max < 2)
		return -EOPNOTSUPP;
	/* PASIDs have to be switched on before ATS is. */
	if (vdev->pdev->pasid_enabled || vdev->pdev->ats_enabled)
		return -EBUSY;
	rc = pci_enable_pasid(vdev->pdev, 0);
	if (rc)
		return rc;
	width_bits = min3(width_bits, (unsigned int)ilog2(max),
			  (unsigned int)unit->pasid_width_bits);
	vtd_pasid_open(unit, rid, width_bits);
	vdev->pasid_width_bits = rid->pasid_width_bits;
	return 0;
}

/**
 * vtd_dev_disable_pasids() - undo vtd_dev_enable_pasids(), if that was done
 * @vdev: blocked with whatever PASID. What it does without goes on
 */
void vtd_dev_disable_pasids(struct vtd_dev *vdev)
{
	lockdep_assert_held(&vdev->unit->lock);

	if (!vdev->pasid_width_bits)
		return;
	vtd_pasid_close(vdev->unit, vdev->rids[0]);
	pci_disable_pasid(vdev->pdev);
	vdev->pasid_width_bits = 0;
}

/**
 * vtd_dev_open() - the core takes a device: prepare for PASIDs if it can use them
 * @vdev: blocked
 */
void vtd_dev_open(struct vtd_dev *vdev)
{
	lockdep_assert_held(&vdev->unit->lock);

	vdev->open = true;
	vtd_dev_enable_pasids(vdev, vdev->unit->pasid_width_bits);
}

/**
 * vtd_dev_close() - the core gives a device back
 * @vdev: blocked with and without PASID when this returns
 */
void vtd_dev_close(struct vtd_dev *vdev)
{
	lockdep_assert_held(&vdev->unit->lock);

	vtd_dev_block_pasids(vdev);
	vtd_dev_set(vdev, VTD_BLOCKED, NULL);
	vtd_dev_disable_pasids(vdev);
	vdev->open = false;
}

/* Block the requests with the PASID of @use. */
static void leave_pasid(struct vtd_use *use)
{
	struct vtd_rid *rid = use->vdev->rids[0];
	struct vtd_unit *unit = use->vdev->unit;

	vtd_rid_withdraw(unit, rid, use->pasid);
	use_forget(use);
	vtd_rid_wipe(unit, rid, use->pasid);
	use_end(use);
}

static struct vtd_use *use_get(struct vtd_dev *vdev, u32 pasid)
{
	struct vtd_use *use = xa_load(&vdev->pasids, pasid);
	int rc;

	if (use)
		return use;
	use = kzalloc(sizeof(*use), GFP_KERNEL_ACCOUNT);
	if (!use)
		return ERR_PTR(-ENOMEM);
	use->vdev = vdev;
	use->pasid = pasid;
	rc = xa_insert(&vdev->pasids, pasid, use, GFP_KERNEL_ACCOUNT);
	if (rc) {
		kfree(use);
		return ERR_PTR(rc);
	}
	return use;
}

static void use_put(struct vtd_use *use)
{
	if (use->table)
		return;
	xa_erase(&use->vdev->pasids, use->pasid);
	kfree(use);
}

/**
 * vtd_dev_set_pasid() - send the DMA of a device with a PASID through a table
 * @vdev: the device, open
 * @pasid: the PASID
 * @table: fits the device's unit
 *
 * If it goes through another one, no request is refused when that changes.
 *
 * Return: 0; -EINVAL when the device cannot use the PASID; -ENOMEM; -ENOSPC
 * without a free domain id. With an error it goes where it went before.
 */
int vtd_dev_set_pasid(struct vtd_dev *vdev, u32 pasid, struct vtd_table *table)
{
	struct vtd_rid *rid = vdev->rids[0];
	struct vtd_unit *unit = vdev->unit;
	struct vtd_attach *attach;
	struct vtd_target target;
	struct vtd_use *use;
	int rc;

	lockdep_assert_held(&unit->lock);

	/* One that was plugged in later may share the requester ID. */
	if (!pasid || pasid >> vdev->pasid_width_bits || rid->refs > 1)
		return -EINVAL;
	use = use_get(vdev, pasid);
	if (IS_ERR(use))
		return PTR_ERR(use);
	if (use->table == table)
		return 0;
	rc = use->table ? vtd_replace_prepare(vdev, pasid) :
			  vtd_pasid_prepare(unit, rid, pasid);
	if (rc)
		goto err;
	attach = vtd_table_attach(table, unit, pasid);
	if (IS_ERR(attach)) {
		rc = PTR_ERR(attach);
		goto err;
	}

	if (use->table) {
		vtd_replace(use, table, attach);
		return 0;
	}
	use_begin(use, table, attach);
	vtd_table_target(table, attach, &target);
	vtd_rid_set(unit, rid, pasid, &target, vdev->ats_on);
	return 0;

err:
	vtd_replace_cancel(vdev);
	use_put(use);
	return rc;
}

/**
 * vtd_dev_block_pasid() - block the DMA of a device with a PASID
 * @vdev: the device
 * @pasid: any number
 */
void vtd_dev_block_pasid(struct vtd_dev *vdev, u32 pasid)
{
	struct vtd_use *use = xa_load(&vdev->pasids, pasid);

	lockdep_assert_held(&vdev->unit->lock);

	if (!use)
		return;
	leave_pasid(use);
	use_put(use);
}

/**
 * vtd_dev_block_pasids() - block the DMA of a device with whatever PASID
 * @vdev: the device
 */
void vtd_dev_block_pasids(struct vtd_dev *vdev)
{
	struct vtd_use *use;
	unsigned long pasid;

	xa_for_each(&vdev->pasids, pasid, use)
		vtd_dev_block_pasid(vdev, pasid);
}

/* The requester ID that a scope names; -1 without its bridges. */
static int scope_sid(u16 segment, const struct vtd_scope *scope)
{
	unsigned int i, bus = scope->start_bus;

	for (i = 0; i < scope->nr_steps; i++) {
		unsigned int devfn = PCI_DEVFN(scope->steps[2 * i],
					       scope->steps[2 * i + 1]);
		struct pci_dev *bridge;

		if (i + 1 == scope->nr_steps)
			return bus << 8 | devfn;
		bridge = pci_get_domain_bus_and_slot(segment, bus, devfn);
		if (!bridge || !bridge->subordinate) {
			pci_dev_put(bridge);
			return -1;
		}
		bus = bridge->subordinate->number;
		pci_dev_put(bridge);
	}
	return -1;
}

/**
 * vtd_firmware_devices() - let devices through that only ACPI knows
 * @unit: translation is still off
 *
 * The kernel drives them as platform devices. It asks for no translation, and
 * nobody but the kernel ever gets them, so they have identity for good.
 *
 * Return: 0 or -ENOMEM.
 */
int vtd_firmware_devices(struct vtd_unit *unit)
{
	struct vtd_target target;
	struct vtd_rid *rid;
	unsigned int i;
	int sid;

	lockdep_assert_held(&unit->lock);

	vtd_identity_target(unit, &target);
	for (i = 0; i < unit->drhd->nr_scopes; i++) {
		if (unit->drhd->scopes[i].type != VTD_SCOPE_NAMESPACE)
			continue;
		sid = scope_sid(unit->drhd->segment, &unit->drhd->scopes[i]);
		if (sid < 0)
			continue;
		rid = vtd_rid_get(unit, sid);
		if (!rid)
			return -ENOMEM;
		if (!rid->users) {
			vtd_rid_set(unit, rid, VTD_RID_PASID, &target, false);
			rid->state = VTD_IDENTITY;
		}
		rid->users++;
	}
	return 0;
}
