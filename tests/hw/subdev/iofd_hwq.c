// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of the test hardware's endpoint that gives its queues away: the
 * smallest bus wrapper for sub-devices (requirement A23, type 3).
 *
 * Queue 0 is the kernel's: it fills a page over and over, by DMA without PASID,
 * and "kernel_dma" in the function's folder of sysfs says how that goes. Each
 * other queue is a sub-device with a device file of its own,
 *
 *	/dev/hwq-0000:00:16.0-1
 *
 * and a PASID that this driver chooses and tells nobody. The file's registers, by
 * pread() and pwrite() of four bytes, are those of the queue that say what to do
 * and what became of it. HQ_CTRL, which has the PASID, is not one of them.
 *
 * What keeps what alive: a device file that is open keeps remove() waiting, and so
 * the function and its driver.
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "core/iofd.h"
#include "hw_regs.h"

#define DRIVER_NAME	"iofd-hwq"
#define PATTERN		0x6b65726e656c2e2eull
/* So that the PASIDs of one function are in several PASID tables */
#define FIRST_PASID	60
#define LAST_PASID	0x7fff

struct parent;

/**
 * struct queue - a sub-device
 * @parent: the function
 * @regs: its registers
 * @pasid: that its requests carry
 * @name: for people
 * @misc: its device file
 * @node: name of @misc
 * @registered: @misc is
 */
struct queue {
	struct parent *parent;
	void __iomem *regs;
	int pasid;
	char name[16];
	struct miscdevice misc;
	char node[32];
	bool registered;
};

/**
 * struct parent - a function
 * @pdev: the function
 * @bar: its registers
 * @page: what queue 0 fills
 * @page_dma: its address to the function
 * @users: device files that are open, and the driver
 * @unused: there are none
 * @nr_queues: how many @queues there are; the first is the kernel's
 * @queues: the queues
 */
struct parent {
	struct pci_dev *pdev;
	void __iomem *bar;
	u64 *page;
	dma_addr_t page_dma;
	refcount_t users;
	struct completion unused;
	unsigned int nr_queues;
	struct queue queues[HW_MAX_QUEUES];
};

/* One open of a queue's device file */
struct queue_file {
	struct iofd_devfile df;
	struct queue *queue;
};

static DEFINE_IDA(pasids);

static u64 read_reg64(const struct queue *q, unsigned int reg)
{
	return readl(q->regs + reg) | (u64)readl(q->regs + reg + 4) << 32;
}

static void write_reg64(const struct queue *q, unsigned int reg, u64 value)
{
	writel(lower_32_bits(value), q->regs + reg);
	writel(upper_32_bits(value), q->regs + reg + 4);
}

/* No request of the queue comes after this one. */
static void queue_stop(const struct queue *q)
{
	writel(HQ_CMD_STOP, q->regs + HQ_CMD);
	/* Posted: it has happened when this returns. */
	readl(q->regs + HQ_STATUS);
}

/* The device file */

static struct queue *queue_of(struct iofd_devfile *df)
{
	return container_of(df, struct queue_file, df)->queue;
}

/* Bound, and blocked: from here on its requests carry its PASID. */
static int queue_devfile_open(struct iofd_devfile *df)
{
	const struct queue *q = queue_of(df);

	queue_stop(q);
	writel(HQ_CTRL_PASID_EN | HQ_CTRL_PASID(q->pasid), q->regs + HQ_CTRL);
	writel(0, q->regs + HQ_IRQ);
	return 0;
}

static void queue_devfile_close(struct iofd_devfile *df)
{
	queue_stop(queue_of(df));
}

static const struct iofd_devfile_ops queue_devfile_ops = {
	.open = queue_devfile_open,
	.close = queue_devfile_close,
};

static int queue_open(struct inode *inode, struct file *filp)
{
	struct queue *q = container_of(filp->private_data, struct queue, misc);
	struct queue_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	f->queue = q;
	iofd_devfile_init_subdev(&f->df, &q->parent->pdev->dev, q->pasid,
				 q->name, &queue_devfile_ops);
	refcount_inc(&q->parent->users);
	filp->private_data = f;
	return 0;
}

static int queue_release(struct inode *inode, struct file *filp)
{
	struct queue_file *f = filp->private_data;
	struct parent *p = f->queue->parent;

	iofd_devfile_release(&f->df);
	kfree(f);
	if (refcount_dec_and_test(&p->users))
		complete(&p->unused);
	return 0;
}

static long queue_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct queue_file *f = filp->private_data;
	long rc = iofd_devfile_ioctl(&f->df, cmd, arg);

	if (rc != -ENOIOCTLCMD)
		return rc;
	return iofd_devfile_bound(&f->df) ? -ENOTTY : -EINVAL;
}

static bool may_read(loff_t reg)
{
	switch (reg) {
	case HQ_STATUS: case HQ_REASON:
	case HQ_ADDR: case HQ_ADDR + 4:
	case HQ_DONE: case HQ_DONE + 4:
	case HQ_RESULT: case HQ_RESULT + 4:
	case HQ_ROUNDS: case HQ_ROUNDS + 4:
	case HQ_ERRORS: case HQ_ERRORS + 4:
		return true;
	default:
		return false;
	}
}

static bool may_write(loff_t reg, u32 value)
{
	switch (reg) {
	case HQ_SRC: case HQ_SRC + 4:
	case HQ_DST: case HQ_DST + 4:
	case HQ_LEN: case HQ_INTERVAL_US:
	case HQ_DATA: case HQ_DATA + 4:
		return true;
	case HQ_CMD:
		/* The window of data is everybody's. */
		return (value & ~HQ_CMD_REPEAT) <= HQ_CMD_COMPARE;
	default:
		return false;
	}
}

static ssize_t queue_read(struct file *filp, char __user *buf, size_t count,
			  loff_t *pos)
{
	struct queue_file *f = filp->private_data;
	loff_t reg = *pos;
	u32 value;

	if (!iofd_devfile_bound(&f->df) || count != sizeof(value))
		return -EINVAL;
	if (!may_read(reg))
		return -EPERM;
	value = readl(f->queue->regs + reg);
	return copy_to_user(buf, &value, sizeof(value)) ? -EFAULT : count;
}

static ssize_t queue_write(struct file *filp, const char __user *buf,
			   size_t count, loff_t *pos)
{
	struct queue_file *f = filp->private_data;
	loff_t reg = *pos;
	u32 value;

	if (!iofd_devfile_bound(&f->df) || count != sizeof(value))
		return -EINVAL;
	if (copy_from_user(&value, buf, sizeof(value)))
		return -EFAULT;
	if (!may_write(reg, value))
		return -EPERM;
	writel(value, f->queue->regs + reg);
	return count;
}

static const struct file_operations queue_fops = {
	.owner = THIS_MODULE,
	.open = queue_open,
	.release = queue_release,
	.unlocked_ioctl = queue_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = queue_read,
	.write = queue_write,
	.llseek = default_llseek,
};

/* What the kernel does with the function itself */

static void kernel_begin(struct parent *p)
{
	const struct queue *q = &p->queues[0];

	queue_stop(q);
	writel(0, q->regs + HQ_CTRL);
	write_reg64(q, HQ_DST, p->page_dma);
	write_reg64(q, HQ_DATA, PATTERN);
	writel(PAGE_SIZE, q->regs + HQ_LEN);
	writel(500, q->regs + HQ_INTERVAL_US);
	writel(HQ_CMD_FILL | HQ_CMD_REPEAT, q->regs + HQ_CMD);
}

static bool is_filled(struct parent *p)
{
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		if (READ_ONCE(p->page[i]) != PATTERN)
			return false;
	return true;
}

/* "ok ROUNDS ERRORS" when what is wiped out now is there again soon, or "lost" */
static ssize_t kernel_dma_show(struct device *dev, struct device_attribute *attr,
			       char *buf)
{
	struct parent *p = dev_get_drvdata(dev);
	const struct queue *q = &p->queues[0];
	unsigned long end = jiffies + 5 * HZ;

	memset(p->page, 0, PAGE_SIZE);
	while (!is_filled(p) && time_before(jiffies, end))
		schedule_timeout_interruptible(1);
	return sysfs_emit(buf, "%s %llu %llu\n", is_filled(p) ? "ok" : "lost",
			  read_reg64(q, HQ_ROUNDS), read_reg64(q, HQ_ERRORS));
}
static DEVICE_ATTR_ADMIN_RO(kernel_dma);

static struct attribute *parent_attrs[] = {
	&dev_attr_kernel_dma.attr,
	NULL
};
ATTRIBUTE_GROUPS(parent);

/* The function */

static int queue_add(struct parent *p, unsigned int index)
{
	struct queue *q = &p->queues[index];
	int rc;

	q->pasid = ida_alloc_range(&pasids, FIRST_PASID, LAST_PASID, GFP_KERNEL);
	if (q->pasid < 0)
		return q->pasid;
	snprintf(q->name, sizeof(q->name), "q%u", index);
	snprintf(q->node, sizeof(q->node), "hwq-%s-%u", pci_name(p->pdev), index);
	q->misc.minor = MISC_DYNAMIC_MINOR;
	q->misc.name = q->node;
	q->misc.fops = &queue_fops;
	q->misc.parent = &p->pdev->dev;
	rc = misc_register(&q->misc);
	q->registered = !rc;
	return rc;
}

/* Nobody can open a queue any more; wait for those who have. */
static void queues_remove(struct parent *p)
{
	unsigned int i;

	for (i = 1; i < p->nr_queues; i++)
		if (p->queues[i].registered)
			misc_deregister(&p->queues[i].misc);
	if (!refcount_dec_and_test(&p->users))
		wait_for_completion(&p->unused);
	for (i = 1; i < p->nr_queues; i++)
		if (p->queues[i].pasid > 0)
			ida_free(&pasids, p->queues[i].pasid);
}

static int parent_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct parent *p;
	unsigned int i;
	int rc;

	rc = pcim_enable_device(pdev);
	if (!rc)
		rc = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (rc)
		return rc;
	p = devm_kzalloc(&pdev->dev, sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	p->pdev = pdev;
	refcount_set(&p->users, 1);
	init_completion(&p->unused);
	p->bar = pcim_iomap(pdev, 0, 0);
	if (!p->bar)
		return -ENOMEM;
	p->nr_queues = min_t(unsigned int, readl(p->bar + HW_QUEUES),
			     HW_MAX_QUEUES);
	if (readl(p->bar + HW_ID) != HW_ID_VALUE || p->nr_queues < 2)
		return -ENODEV;
	for (i = 0; i < p->nr_queues; i++) {
		p->queues[i].parent = p;
		p->queues[i].regs = p->bar + HW_QUEUE(i);
	}
	p->page = dmam_alloc_coherent(&pdev->dev, PAGE_SIZE, &p->page_dma,
				      GFP_KERNEL);
	if (!p->page)
		return -ENOMEM;
	pci_set_master(pdev);
	pci_set_drvdata(pdev, p);
	kernel_begin(p);
	for (i = 1; i < p->nr_queues; i++) {
		rc = queue_add(p, i);
		if (rc)
			goto err;
	}
	return 0;

err:
	queues_remove(p);
	queue_stop(&p->queues[0]);
	return rc;
}

static void parent_remove(struct pci_dev *pdev)
{
	struct parent *p = pci_get_drvdata(pdev);

	queues_remove(p);
	queue_stop(&p->queues[0]);
	pci_clear_master(pdev);
}

/* For a function that is named in driver_override, and no other */
static const struct pci_device_id parent_ids[] = {
	{ PCI_DEVICE(HW_VENDOR, HW_ENDPOINT_DEVICE), .override_only = 1 },
	{}
};

static struct pci_driver parent_driver = {
	.name = DRIVER_NAME,
	.id_table = parent_ids,
	.probe = parent_probe,
	.remove = parent_remove,
	.dev_groups = parent_groups,
};
module_pci_driver(parent_driver);

MODULE_DESCRIPTION("Queues of the test hardware as sub-devices, for tests");
MODULE_LICENSE("GPL");
