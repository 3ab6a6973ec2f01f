// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resetting a PCI slot or bus, with all functions on it.
 *
 * vfio-pci-core has this for files of the group path, where the user shows the
 * groups it has. Here the proof of ownership is the fd: every function that is
 * affected must be bound to an fd that this file is bound to as well, or be one
 * that nobody else can get, because its group is held by such an fd.
 */
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "bus/pci.h"
#include "compat/vfio.h"

/**
 * struct affected - the functions that a reset hits
 * @slot: only what is in this slot; NULL: all on the bus
 * @pdevs: functions, each with a reference; NULL: only count them
 * @nr: how many there are
 * @max: how many fit in @pdevs
 */
struct affected {
	struct pci_slot *slot;
	struct pci_dev **pdevs;
	unsigned int nr;
	unsigned int max;
};

static bool in_slot(struct pci_dev *pdev, struct pci_slot *slot)
{
	while (pdev && pdev->bus != slot->bus)
		pdev = pdev->bus->self;
	return pdev && pdev->slot == slot;
}

static int collect_one(struct pci_dev *pdev, void *arg)
{
	struct affected *affected = arg;

	if (affected->slot && !in_slot(pdev, affected->slot))
		return 0;
	if (affected->nr < affected->max)
		affected->pdevs[affected->nr] = pci_dev_get(pdev);
	affected->nr++;
	return 0;
}

static void affected_put(struct affected *affected)
{
	unsigned int i;

	for (i = 0; i < min(affected->nr, affected->max); i++)
		pci_dev_put(affected->pdevs[i]);
	kfree(affected->pdevs);
}

/* Nothing is looked at under the bus's lock, which others nest differently. */
static int affected_get(struct affected *affected, struct pci_dev *pdev)
{
	memset(affected, 0, sizeof(*affected));
	if (!pci_probe_reset_slot(pdev->slot))
		affected->slot = pdev->slot;
	else if (pci_probe_reset_bus(pdev->bus))
		return -ENODEV;

	pci_walk_bus(pdev->bus, collect_one, affected);
	affected->pdevs = kcalloc(affected->nr, sizeof(*affected->pdevs),
				  GFP_KERNEL);
	if (!affected->pdevs)
		return -ENOMEM;
	affected->max = affected->nr;
	affected->nr = 0;
	pci_walk_bus(pdev->bus, collect_one, affected);
	if (affected->nr <= affected->max)
		return 0;
	/* One has been added between the two. */
	affected_put(affected);
	return -EAGAIN;
}

static struct vfio_device *find_in_set(struct vfio_device_set *set,
				       struct pci_dev *pdev)
{
	struct vfio_device *vdev;

	lockdep_assert_held(&set->lock);

	list_for_each_entry(vdev, &set->device_list, dev_set_list)
		if (vdev->dev == &pdev->dev)
			return vdev;
	return NULL;
}

/*
 * A function outside the set has a driver that knows nothing of VFIO, or none,
 * and could get another one in the middle of the reset.
 */
static int function_id(struct iofd_pci_file *pf, struct vfio_device_set *set,
		       struct pci_dev *pdev)
{
	int id;

	if (!find_in_set(set, pdev))
		return VFIO_PCI_DEVID_NOT_OWNED;
	id = iofd_devfile_id(&pf->df, &pdev->dev);
	if (id > 0)
		return id;
	return id ? VFIO_PCI_DEVID_NOT_OWNED : VFIO_PCI_DEVID_OWNED;
}

long iofd_pci_hot_reset_info(struct iofd_pci_file *pf,
			     struct vfio_pci_hot_reset_info __user *arg)
{
	const size_t head = offsetofend(struct vfio_pci_hot_reset_info, count);
	struct vfio_device_set *set = pf->pci->core.vdev.dev_set;
	struct vfio_pci_dependent_device *deps = NULL;
	struct vfio_pci_hot_reset_info info;
	struct affected affected;
	unsigned int i;
	long rc;

	if (copy_from_user(&info, arg, head))
		return -EFAULT;
	if (info.argsz < head)
		return -EINVAL;
	rc = affected_get(&affected, pf->pci->core.pdev);
	if (rc)
		return rc;

	info.count = affected.nr;
	info.flags = 0;
	if (affected.nr > (info.argsz - head) / sizeof(*deps)) {
		rc = copy_to_user(arg, &info, head) ? -EFAULT : -ENOSPC;
		goto out;
	}
	rc = -ENOMEM;
	deps = kcalloc(affected.nr, sizeof(*deps), GFP_KERNEL);
	if (!deps)
		goto out;

	info.flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
		     VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	mutex_lock(&set->lock);
	for (i = 0; i < affected.nr; i++) {
		struct pci_dev *pdev = affected.pdevs[i];
		int id = function_id(pf, set, pdev);

		if (id == VFIO_PCI_DEVID_NOT_OWNED)
			info.flags &= ~VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
		/* Shares its place with the device's id. */
		deps[i].group_id = id;
		deps[i].segment = pci_domain_nr(pdev->bus);
		deps[i].bus = pdev->bus->number;
		deps[i].devfn = pdev->devfn;
	}
	mutex_unlock(&set->lock);

	rc = 0;
	if (copy_to_user(arg->devices, deps, affected.nr * sizeof(*deps)) ||
	    copy_to_user(arg, &info, head))
		rc = -EFAULT;
out:
	kfree(deps);
	affected_put(&affected);
	return rc;
}

/*
 * A device without No_Soft_Reset forgets its configuration on the way from D3
 * to D0; vfio-pci-core has it saved for that.
 */
static void wake(struct vfio_pci_core_device *core)
{
	struct pci_dev *pdev = core->pdev;
	bool restore = core->needs_pm_restore &&
		       (pdev->current_state == PCI_D3hot ||
			pdev->current_state == PCI_D3cold);

	lockdep_assert_held_write(&core->memory_lock);

	if (pdev->current_state == PCI_D0 || pci_set_power_state(pdev, PCI_D0))
		return;
	if (restore) {
		pci_load_and_free_saved_state(pdev, &core->pm_save);
		pci_restore_state(pdev);
	}
}

/**
 * struct member - a device of the set that is reset
 * @core: the device
 * @parked: see iofd_vfio_pci_park()
 */
struct member {
	struct vfio_pci_core_device *core;
	bool parked;
};

/* Everybody out, reset, everybody in again. All are awake. */
static long reset_members(struct iofd_pci_file *pf, struct member *members,
			  unsigned int nr)
{
	unsigned int i, shut = 0;
	long rc = 0;

	for (i = 0; i < nr; i++)
		members[i].parked = iofd_vfio_pci_park(members[i].core);
	while (shut < nr) {
		rc = iofd_vfio_pci_shut(members[shut].core,
					members[shut].parked);
		if (rc)
			break;
		shut++;
	}
	if (!rc) {
		for (i = 0; i < nr; i++)
			wake(members[i].core);
		rc = pci_reset_bus(pf->pci->core.pdev);
	}
	for (i = 0; i < shut; i++)
		iofd_vfio_pci_unshut(members[i].core);
	for (; i < nr; i++)
		if (members[i].parked)
			iofd_vfio_pci_unpark(members[i].core);
	return rc;
}

static long reset_locked(struct iofd_pci_file *pf, struct vfio_device_set *set)
{
	struct vfio_pci_core_device *core;
	struct member *members;
	unsigned int nr = 0, awake = 0;
	long rc = 0;

	lockdep_assert_held(&set->lock);

	/* vfio-pci-core fills the set, and with nothing but devices of its kind. */
	list_for_each_entry(core, &set->device_list, vdev.dev_set_list)
		nr++;
	members = kcalloc(nr, sizeof(*members), GFP_KERNEL);
	if (!members)
		return -ENOMEM;
	nr = 0;
	list_for_each_entry(core, &set->device_list, vdev.dev_set_list)
		members[nr++].core = core;

	while (awake < nr) {
		rc = pm_runtime_resume_and_get(&members[awake].core->pdev->dev);
		if (rc)
			break;
		awake++;
	}
	if (!rc)
		rc = reset_members(pf, members, nr);
	while (awake--)
		pm_runtime_put(&members[awake].core->pdev->dev);
	kfree(members);
	return rc;
}

long iofd_pci_hot_reset(struct iofd_pci_file *pf,
			struct vfio_pci_hot_reset __user *arg)
{
	const size_t head = offsetofend(struct vfio_pci_hot_reset, count);
	struct vfio_device_set *set = pf->pci->core.vdev.dev_set;
	struct vfio_pci_hot_reset reset;
	struct affected affected;
	unsigned int i;
	long rc;

	if (copy_from_user(&reset, arg, head))
		return -EFAULT;
	/* Group files prove nothing here. */
	if (reset.argsz < head || reset.flags || reset.count)
		return -EINVAL;
	rc = affected_get(&affected, pf->pci->core.pdev);
	if (rc)
		return rc;

	/*
	 * With the set's lock held nobody opens or closes a function of it, and
	 * none can leave it.
	 */
	mutex_lock(&set->lock);
	for (i = 0; i < affected.nr; i++) {
		if (function_id(pf, set, affected.pdevs[i]) ==
		    VFIO_PCI_DEVID_NOT_OWNED) {
			rc = -EINVAL;
			break;
		}
	}
	if (!rc)
		rc = reset_locked(pf, set);
	mutex_unlock(&set->lock);
	affected_put(&affected);
	return rc;
}
