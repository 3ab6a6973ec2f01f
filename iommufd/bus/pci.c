// SPDX-License-Identifier: GPL-2.0-only
/*
 * iofd-pci: the driver that a PCI function is given to for use with /dev/iommu,
 * by name:
 *
 *	echo iofd-pci > /sys/bus/pci/devices/0000:00:03.0/driver_override
 *	echo 0000:00:03.0 > /sys/bus/pci/drivers_probe
 *
 * The name of its file is then in .../0000:00:03.0/vfio-dev/.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include "bus/pci.h"
#include "compat/vfio.h"

#define DRIVER_NAME	"iofd-pci"

/* Minor numbers are the indices that the vfio core gives to its devices. */
static dev_t pci_devt;

static struct iofd_pci_device *to_pci_device(struct vfio_pci_core_device *core)
{
	return container_of(core, struct iofd_pci_device, core);
}

static char *pci_devnode(iofd_devnode_const struct device *dev, umode_t *mode,
			 kuid_t *uid, kgid_t *gid)
{
	return kasprintf(GFP_KERNEL, "vfio/devices/%s", dev_name(dev));
}

static const struct device_type pci_device_type = {
	.name = "iofd-pci",
	.devnode = pci_devnode,
};

static int pci_open_device(struct vfio_device *vdev)
{
	struct vfio_pci_core_device *core =
		container_of(vdev, struct vfio_pci_core_device, vdev);
	int rc;

	rc = vfio_pci_core_enable(core);
	if (rc)
		return rc;
	vfio_pci_core_finish_enable(core);
	return 0;
}

/*
 * The name is also that of the driver: vfio-pci-core gives virtual functions to
 * the driver of that name.
 */
static const struct vfio_device_ops pci_vfio_ops = {
	.name = DRIVER_NAME,
	.init = vfio_pci_core_init_dev,
	.release = vfio_pci_core_release_dev,
	.open_device = pci_open_device,
	.close_device = vfio_pci_core_close_device,
	.ioctl = vfio_pci_core_ioctl,
#ifdef HAVE_VFIO_GET_REGION_INFO_CAPS
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
#endif
	.device_feature = vfio_pci_core_ioctl_feature,
	.read = vfio_pci_core_read,
	.write = vfio_pci_core_write,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
#ifdef HAVE_VFIO_MATCH_TOKEN_UUID
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#endif
};

static int pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct iofd_pci_device *pci;
	struct vfio_device *vdev;
	int rc;

	pci = vfio_alloc_device(iofd_pci_device, core.vdev, &pdev->dev,
				&pci_vfio_ops);
	if (IS_ERR(pci))
		return PTR_ERR(pci);
	vdev = &pci->core.vdev;
	dev_set_drvdata(&pdev->dev, &pci->core);

	/*
	 * The file is a property of VFIO's own device: it appears with it, in
	 * sysfs and /dev, and bears its name. It can be opened by number from
	 * here on, and says -ENODEV until there is a registration.
	 */
	vdev->device.devt = MKDEV(MAJOR(pci_devt), vdev->index);
	vdev->device.type = &pci_device_type;
	cdev_init(&pci->cdev, &iofd_pci_fops);
	pci->cdev.owner = THIS_MODULE;
	cdev_set_parent(&pci->cdev, &vdev->device.kobj);
	rc = cdev_add(&pci->cdev, vdev->device.devt, 1);
	if (rc)
		goto err_put;

	rc = vfio_pci_core_register_device(&pci->core);
	if (rc)
		goto err_cdev;
	return 0;

err_cdev:
	cdev_del(&pci->cdev);
err_put:
	vfio_put_device(vdev);
	return rc;
}

/*
 * Waits until no file is bound any more, asking the user every ten seconds by
 * the eventfd of VFIO_PCI_REQ_IRQ_INDEX to let go of the function. That is what
 * the vfio core does for its own files, and ours count as such because they hold
 * the registration.
 */
static void pci_remove(struct pci_dev *pdev)
{
	struct iofd_pci_device *pci =
		to_pci_device(dev_get_drvdata(&pdev->dev));

	cdev_del(&pci->cdev);
	vfio_pci_core_unregister_device(&pci->core);
	vfio_put_device(&pci->core.vdev);
}

static int pci_sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
	return vfio_pci_core_sriov_configure(dev_get_drvdata(&pdev->dev),
					     nr_virtfn);
}

/*
 * Any function, but none unless it is named in driver_override. Not exported by
 * MODULE_DEVICE_TABLE: it would make the module a candidate for whoever looks
 * for the best VFIO driver of a function.
 */
static const struct pci_device_id pci_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{}
};

static struct pci_driver pci_driver = {
	.name = DRIVER_NAME,
	.id_table = pci_ids,
	.probe = pci_probe,
	.remove = pci_remove,
	.sriov_configure = pci_sriov_configure,
	.err_handler = &vfio_pci_core_err_handlers,
	.driver_managed_dma = true,
};

static int __init pci_init(void)
{
	int rc;

	rc = alloc_chrdev_region(&pci_devt, 0, MINORMASK + 1, "iofd-pci");
	if (rc)
		return rc;
	iofd_kvm_init();
	rc = pci_register_driver(&pci_driver);
	if (rc) {
		iofd_kvm_exit();
		unregister_chrdev_region(pci_devt, MINORMASK + 1);
	}
	return rc;
}

static void __exit pci_exit(void)
{
	pci_unregister_driver(&pci_driver);
	iofd_kvm_exit();
	unregister_chrdev_region(pci_devt, MINORMASK + 1);
}

module_init(pci_init);
module_exit(pci_exit);

MODULE_DESCRIPTION("PCI functions for user space, by /dev/iommu");
MODULE_LICENSE("GPL");
