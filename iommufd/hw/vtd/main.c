// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d driver: bring all units up, and down again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/acpi.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "pciunit.h"
#include "vtd.h"

#define REMEDY "boot with intel_iommu=off intremap=off"

bool vtd_want_scalable = true;
module_param_named(scalable, vtd_want_scalable, bool, 0444);
MODULE_PARM_DESC(scalable, "use scalable mode on units that have it (default Y)");

bool vtd_want_ats = true;
module_param_named(ats, vtd_want_ats, bool, 0444);
MODULE_PARM_DESC(ats, "let devices cache translations (ATS) (default Y)");

bool vtd_want_first_level;
module_param_named(fs_native, vtd_want_first_level, bool, 0444);
MODULE_PARM_DESC(fs_native, "use first-level tables where nothing is nested over them (default N)");

int vtd_want_erratum_772415 = -1;
module_param_named(erratum_772415, vtd_want_erratum_772415, int, 0444);
MODULE_PARM_DESC(erratum_772415, "no read-only mappings where users' tables are nested over them: 1, 0, or -1: as the processor's model asks for (default)");

static bool want_pci_units;
module_param_named(pci_units, want_pci_units, bool, 0444);
MODULE_PARM_DESC(pci_units, "look for units that are PCI functions as well (default N)");

DEFINE_MUTEX(vtd_state_lock);
LIST_HEAD(vtd_units);
struct vtd_dmar *vtd_dmar;
static bool is_up;			/* (s) */

static int parse_dmar(const void *table, size_t bytes)
{
	const char *why;
	int rc = vtd_dmar_parse(table, bytes, &vtd_dmar, &why);

	if (rc)
		pr_err("firmware's ACPI table DMAR cannot be used: %s. Look for a firmware update.\n",
		       why);
	else if (vtd_dmar->nr_ignored)
		pr_warn("%u RMRRs of firmware make no sense and are ignored\n",
			vtd_dmar->nr_ignored);
	return rc;
}

/* Firmware's table, if there is one, with what is found on PCI. */
static int parse_joined(const void *table, size_t bytes)
{
	struct vtd_joined joined;
	int rc;

	rc = vtd_joined_begin(&joined, table, bytes);
	if (rc)
		pr_err("firmware's ACPI table DMAR cannot be read: error %d\n", rc);
	else
		rc = vtd_pciunits_add(&joined);
	if (!rc && !table && !vtd_pciunits_found()) {
		pr_err("no VT-d unit: neither firmware (ACPI table DMAR) nor PCI has one\n");
		rc = -ENODEV;
	}
	if (!rc)
		rc = parse_dmar(joined.bytes, joined.length);
	vtd_joined_free(&joined);
	if (rc)
		vtd_pciunits_release();
	return rc;
}

static int read_dmar(void)
{
	struct acpi_table_header *table;
	int rc;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_DMAR, 0, &table)))
		table = NULL;
	if (want_pci_units) {
		rc = parse_joined(table, table ? table->length : 0);
	} else if (table) {
		rc = parse_dmar(table, table->length);
	} else {
		pr_err("firmware describes no VT-d unit (no ACPI table DMAR): switch VT-d on in the firmware's setup\n");
		rc = -ENODEV;
	}
	if (table)
		acpi_put_table(table);
	return rc;
}

static int create_units(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < vtd_dmar->nr_entries; i++) {
		struct vtd_unit *unit;

		if (vtd_dmar->entries[i].kind != VTD_DMAR_DRHD)
			continue;
		unit = vtd_unit_create(&vtd_dmar->entries[i], n++);
		if (IS_ERR(unit))
			return PTR_ERR(unit);
		list_add_tail(&unit->link, &vtd_units);
	}
	return 0;
}

/* Give what is there already identity, before translation is on. */
static int take_devices(void)
{
	struct pci_dev *pdev = NULL;
	struct vtd_unit *unit;
	struct vtd_dev *vdev;
	int rc;

	list_for_each_entry(unit, &vtd_units, link) {
		mutex_lock(&unit->lock);
		rc = vtd_firmware_devices(unit);
		mutex_unlock(&unit->lock);
		if (rc)
			return rc;
	}
	for_each_pci_dev(pdev) {
		unit = vtd_scope_unit(pdev);
		if (!unit)
			continue;
		if (pdev->dev.iommu_group) {
			pci_err(pdev, "has another IOMMU driver already: " REMEDY "\n");
			rc = -EBUSY;
			goto err;
		}
		vtd_acs_enable(pdev);
		mutex_lock(&unit->lock);
		vdev = vtd_dev_create(unit, pdev);
		rc = PTR_ERR_OR_ZERO(vdev);
		if (!rc)
			vtd_dev_set(vdev, VTD_IDENTITY, NULL);
		mutex_unlock(&unit->lock);
		if (rc)
			goto err;
	}
	return 0;

err:
	pci_dev_put(pdev);
	return rc;
}

static void set_phase(enum vtd_phase phase)
{
	struct vtd_unit *unit;

	list_for_each_entry(unit, &vtd_units, link) {
		mutex_lock(&unit->lock);
		unit->phase = phase;
		mutex_unlock(&unit->lock);
	}
}

/* Translation is off, or was never on. */
static void free_all(void)
{
	struct vtd_dev *vdev, *next_dev;
	struct vtd_unit *unit, *next;

	list_for_each_entry_safe(unit, next, &vtd_units, link) {
		mutex_lock(&unit->lock);
		list_for_each_entry_safe(vdev, next_dev, &unit->devs, link)
			vtd_dev_destroy(vdev);
		mutex_unlock(&unit->lock);
		list_del(&unit->link);
		vtd_unit_destroy(unit);
	}
	vtd_identity_free();
	vtd_dmar_free(vtd_dmar);
	vtd_dmar = NULL;
	vtd_pciunits_release();
}

static void disable_units(void)
{
	struct vtd_unit *unit;

	list_for_each_entry(unit, &vtd_units, link)
		vtd_unit_disable(unit);
}

static int enable_units(void)
{
	struct vtd_unit *unit;
	int rc;

	list_for_each_entry(unit, &vtd_units, link) {
		rc = vtd_unit_enable(unit);
		if (rc)
			return rc;
	}
	return 0;
}

static int bring_up(void)
{
	int rc;

	lockdep_assert_held(&vtd_state_lock);

	if (is_up)
		return 0;
	rc = read_dmar();
	if (rc)
		return rc;
	/* Nothing is plugged in between taking devices and being registered. */
	pci_lock_rescan_remove();
	rc = create_units();
	if (!rc)
		rc = vtd_identity_init();
	if (!rc)
		rc = take_devices();
	if (!rc)
		rc = enable_units();
	if (!rc)
		rc = vtd_linux_register();
	if (!rc) {
		set_phase(VTD_RUNNING);
		rc = iofd_hw_register(&vtd_provider_ops);
	}
	if (rc)
		goto err;
	pci_unlock_rescan_remove();
	is_up = true;
	return 0;

err:
	set_phase(VTD_CLOSING);
	disable_units();
	vtd_linux_unregister();
	pci_unlock_rescan_remove();
	free_all();
	return rc;
}

/* A device that is not the kernel's alone; it has to be let go of first. */
static struct vtd_dev *user_of(struct vtd_unit *unit)
{
	struct vtd_dev *vdev;

	list_for_each_entry(vdev, &unit->devs, link)
		if (vdev->open || vdev->nr_subdevs || vdev->state == VTD_TABLE ||
		    (vdev->probed && vdev->linux_state != VTD_IDENTITY &&
		     !vdev->pdev->untrusted))
			return vdev;
	return NULL;
}

static int bring_down(void)
{
	struct vtd_unit *unit;
	struct vtd_dev *vdev;

	lockdep_assert_held(&vtd_state_lock);

	if (!is_up)
		return 0;
	/* From here on nobody can claim a device; some may have one. */
	set_phase(VTD_CLOSING);
	list_for_each_entry(unit, &vtd_units, link) {
		mutex_lock(&unit->lock);
		vdev = user_of(unit);
		if (vdev)
			pci_err(vdev->pdev, "is in use through the IOMMU: close whatever has its device file open, then go down\n");
		mutex_unlock(&unit->lock);
		if (vdev) {
			set_phase(VTD_RUNNING);
			return -EBUSY;
		}
	}

	iofd_hw_unregister(&vtd_provider_ops);
	disable_units();
	vtd_linux_unregister();
	free_all();
	is_up = false;
	pr_info("down: devices reach memory without translation again\n");
	return 0;
}

/* The kernel holds this module for every device, so rmmod alone cannot work. */
static int down_set(const char *val, const struct kernel_param *kp)
{
	bool down;
	int rc;

	rc = kstrtobool(val, &down);
	if (rc)
		return rc;
	mutex_lock(&vtd_state_lock);
	rc = down ? bring_down() : bring_up();
	mutex_unlock(&vtd_state_lock);
	return rc;
}

static int down_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%c\n", READ_ONCE(is_up) ? 'N' : 'Y');
}

static const struct kernel_param_ops down_ops = {
	.set = down_set,
	.get = down_get,
};
module_param_cb(down, &down_ops, NULL, 0644);
MODULE_PARM_DESC(down, "write 1 to give the units up, before rmmod; 0 to take them again");

static int __init vtd_init(void)
{
	int rc;

	mutex_lock(&vtd_state_lock);
	rc = bring_up();
	mutex_unlock(&vtd_state_lock);
	return rc;
}

static void __exit vtd_exit(void)
{
	mutex_lock(&vtd_state_lock);
	/* No device holds the module any more, so nobody uses one. */
	bring_down();
	mutex_unlock(&vtd_state_lock);
	rcu_barrier();
}

module_init(vtd_init);
module_exit(vtd_exit);
MODULE_DESCRIPTION("VT-d driver for /dev/iommu");
MODULE_AUTHOR("The iofd developers");
MODULE_LICENSE("GPL");
