// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device file of a PCI function, /dev/vfio/devices/vfioN.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include "bus/pci.h"
#include "compat/iommu_api.h"
#include "compat/kvm.h"
#include "compat/vfio.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Let user space have devices whose interrupts are not checked: such a device can raise any interrupt of the machine (default: false)");

/* The registration, see pci.h. The vfio core has these two for itself. */
static bool registration_get(struct vfio_device *vdev)
{
	return refcount_inc_not_zero(&vdev->refcount);
}

static void registration_put(struct vfio_device *vdev)
{
	if (refcount_dec_and_test(&vdev->refcount))
		complete(&vdev->comp);
}

static int check_interrupts(struct device *dev)
{
	if (iofd_msi_isolated(dev) || READ_ONCE(allow_unsafe_interrupts))
		return 0;
	dev_err_ratelimited(dev,
			    "no interrupt remapping: user space could raise any interrupt through this device. Enable interrupt remapping, or accept that with iofd_pci.allow_unsafe_interrupts=1\n");
	return -EPERM;
}

/*
 * A physical function can do as it likes with its virtual functions, so they
 * have to be in one hand. VFIO has a token for users who trust each other; here
 * the proof is the fd that both are bound to. Virtual functions that exist
 * already have somebody who trusted another user of the physical one.
 */
static int check_virtual_functions(struct iofd_pci_file *pf)
{
	struct vfio_pci_core_device *core = &pf->pci->core;
	struct vfio_pci_core_device *physfn = core->sriov_pf_core_dev;

	/* Stays as it is while this driver has the virtual function. */
	if (physfn && iofd_devfile_id(&pf->df, &physfn->pdev->dev) <= 0) {
		dev_err_ratelimited(&core->pdev->dev,
				    "the physical function %s is not bound to the same /dev/iommu\n",
				    pci_name(physfn->pdev));
		return -EPERM;
	}
	if (pci_num_vf(core->pdev)) {
		dev_err_ratelimited(&core->pdev->dev,
				    "has virtual functions: remove them first (sriov_numvfs)\n");
		return -EBUSY;
	}
	return 0;
}

/*
 * The core owns the DMA of the function's group by now, which the group path
 * needs for itself before it opens anything: of the two only one can be here.
 */
static int pci_file_open_device(struct iofd_devfile *df)
{
	struct iofd_pci_file *pf = to_pci_file(df);
	struct vfio_device *vdev = &pf->pci->core.vdev;
	int rc;

	rc = check_interrupts(df->dev);
	if (rc)
		return rc;

	mutex_lock(&vdev->dev_set->lock);
	rc = check_virtual_functions(pf);
	if (rc)
		goto out;
	if (vdev->open_count) {
		rc = -EBUSY;
		goto out;
	}
	/* Counted before and not after, as the vfio core does. */
	vdev->open_count = 1;
	/* Meanwhile it stays alive; a driver that needs it longer has to see to that. */
	mutex_lock(&pf->kvm_lock);
	iofd_vfio_kvm_lend(vdev, pf->kvm);
	rc = vdev->ops->open_device(vdev);
	mutex_unlock(&pf->kvm_lock);
	if (rc) {
		iofd_vfio_kvm_return(vdev);
		vdev->open_count = 0;
	}
out:
	mutex_unlock(&vdev->dev_set->lock);
	return rc;
}

/*
 * No mapping of a BAR is left: each holds the file. The function is reset, and
 * when it cannot be alone, its bus is together with the last one open on it:
 * vfio-pci-core looks at open_count for that, so it falls afterwards.
 */
static void pci_file_close_device(struct iofd_devfile *df)
{
	struct vfio_device *vdev = &to_pci_file(df)->pci->core.vdev;

	mutex_lock(&vdev->dev_set->lock);
	vdev->ops->close_device(vdev);
	iofd_vfio_kvm_return(vdev);
	vdev->open_count = 0;
	mutex_unlock(&vdev->dev_set->lock);
}

static const struct iofd_devfile_ops pci_devfile_ops = {
	.open = pci_file_open_device,
	.close = pci_file_close_device,
};

static int pci_file_open(struct inode *inode, struct file *filp)
{
	struct iofd_pci_device *pci = container_of(inode->i_cdev,
						   struct iofd_pci_device,
						   cdev);
	struct vfio_device *vdev = &pci->core.vdev;
	struct iofd_pci_file *pf;

	/*
	 * The cdev, held by our caller, keeps the memory of @pci. Whether there
	 * is a function behind it any more (or yet) the registration tells, and
	 * it keeps the function until there is a reference of our own.
	 */
	if (!registration_get(vdev))
		return -ENODEV;
	pf = kzalloc(sizeof(*pf), GFP_KERNEL_ACCOUNT);
	if (pf) {
		get_device(&vdev->device);
		get_device(vdev->dev);
		pf->pci = pci;
		mutex_init(&pf->kvm_lock);
		iofd_devfile_init(&pf->df, vdev->dev, &pci_devfile_ops);
		filp->private_data = pf;
		iofd_vfio_set_mapping(filp, vdev);
	}
	registration_put(vdev);
	return pf ? 0 : -ENOMEM;
}

static int pci_file_release(struct inode *inode, struct file *filp)
{
	struct iofd_pci_file *pf = filp->private_data;
	struct vfio_device *vdev = &pf->pci->core.vdev;
	struct device *dev = pf->df.dev;

	iofd_devfile_release(&pf->df);
	/* Closed, detached, unbound: remove() may go on. */
	if (pf->registered)
		registration_put(vdev);
	mutex_destroy(&pf->kvm_lock);
	kfree(pf);
	put_device(&vdev->device);
	put_device(dev);
	return 0;
}

/*
 * Before the first bind. The function must not go while a command looks at it,
 * but a file that is merely open is no reason for remove() to wait.
 */
static long ioctl_unbound(struct iofd_pci_file *pf, unsigned int cmd,
			  unsigned long arg)
{
	struct vfio_device *vdev = &pf->pci->core.vdev;
	long rc;

	if (!registration_get(vdev))
		return -ENODEV;
	rc = iofd_devfile_ioctl(&pf->df, cmd, arg);
	/*
	 * Bound now: the file keeps a reference. Of several threads that come
	 * here one passes its own on, and it does not matter which.
	 */
	if (!iofd_devfile_bound(&pf->df) || xchg(&pf->registered, 1))
		registration_put(vdev);
	return rc == -ENOIOCTLCMD ? -EINVAL : rc;
}

static long ioctl_device(struct iofd_pci_file *pf, unsigned int cmd,
			 unsigned long arg)
{
	struct vfio_device *vdev = &pf->pci->core.vdev;
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_FEATURE:
		return iofd_vfio_feature(vdev, uarg);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return iofd_pci_hot_reset_info(pf, uarg);
	case VFIO_DEVICE_PCI_HOT_RESET:
		return iofd_pci_hot_reset(pf, uarg);
	default:
		return iofd_vfio_ioctl(vdev, cmd, arg);
	}
}

static long pci_file_ioctl(struct file *filp, unsigned int cmd,
			   unsigned long arg)
{
	struct iofd_pci_file *pf = filp->private_data;
	long rc;

	if (!iofd_devfile_bound(&pf->df))
		return ioctl_unbound(pf, cmd, arg);
	rc = iofd_devfile_ioctl(&pf->df, cmd, arg);
	if (rc != -ENOIOCTLCMD)
		return rc;

	/* The user may have put it to sleep. */
	if (pm_runtime_resume_and_get(pf->df.dev))
		return -EIO;
	rc = ioctl_device(pf, cmd, arg);
	pm_runtime_put(pf->df.dev);
	return rc;
}

bool iofd_pci_may_not_snoop(struct iofd_pci_file *pf)
{
	struct vfio_device *vdev = &pf->pci->core.vdev;
	bool may;

	if (!registration_get(vdev))
		return false;
	may = iofd_device_may_not_snoop(pf->df.dev);
	registration_put(vdev);
	return may;
}

static ssize_t pci_file_read(struct file *filp, char __user *buf, size_t count,
			     loff_t *pos)
{
	struct iofd_pci_file *pf = filp->private_data;
	struct vfio_device *vdev = &pf->pci->core.vdev;

	if (!iofd_devfile_bound(&pf->df))
		return -EINVAL;
	return vdev->ops->read(vdev, buf, count, pos);
}

static ssize_t pci_file_write(struct file *filp, const char __user *buf,
			      size_t count, loff_t *pos)
{
	struct iofd_pci_file *pf = filp->private_data;
	struct vfio_device *vdev = &pf->pci->core.vdev;

	if (!iofd_devfile_bound(&pf->df))
		return -EINVAL;
	return vdev->ops->write(vdev, buf, count, pos);
}

static int pci_file_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct iofd_pci_file *pf = filp->private_data;
	struct vfio_device *vdev = &pf->pci->core.vdev;

	if (!iofd_devfile_bound(&pf->df))
		return -EINVAL;
	return vdev->ops->mmap(vdev, vma);
}

const struct file_operations iofd_pci_fops = {
	.owner = THIS_MODULE,
	.open = pci_file_open,
	.release = pci_file_release,
	.unlocked_ioctl = pci_file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = pci_file_read,
	.write = pci_file_write,
	.mmap = pci_file_mmap,
};
