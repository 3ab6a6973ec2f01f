/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: Interrupts
 *
 * Interrupts, one eventfd each.
 *
 * A device has one kind of interrupt enabled at a time. Enabling and disabling
 * must not run beside another call on the same device's interrupts.
 */
#ifndef IOMMU_IRQ_H
#define IOMMU_IRQ_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct iommu_dev;

/**
 * enum iommu_irq_kind - kinds of interrupt of a PCI function
 * @IOMMU_IRQ_INTX: the interrupt line; the kernel masks it when it fires, see
 *	iommu_irq_unmask()
 * @IOMMU_IRQ_MSI: message signalled interrupts
 * @IOMMU_IRQ_MSIX: message signalled interrupts with a table
 */
enum iommu_irq_kind {
	IOMMU_IRQ_INTX = 0,
	IOMMU_IRQ_MSI = 1,
	IOMMU_IRQ_MSIX = 2,
};

/**
 * iommu_irq_get_count() - how many has the device?
 * @dev: the device
 * @kind: which kind
 * @count: output: vectors, 0: the device has not got this kind
 *
 * Return: 0; -EINVAL: @kind is not known.
 */
int iommu_irq_get_count(struct iommu_dev *dev, enum iommu_irq_kind kind,
			unsigned int *count);

/**
 * iommu_irq_enable() - enable vectors 0 to @count - 1
 * @dev: the device; none of its interrupts is enabled
 * @kind: which kind
 * @count: how many, at least 1
 *
 * Return: 0; -EALREADY: interrupts are enabled; -EINVAL: @count is 0; -ENOSPC:
 * the device has fewer; -ENOMEM; errors of eventfd(2) and ioctl(2).
 */
int iommu_irq_enable(struct iommu_dev *dev, enum iommu_irq_kind kind,
		     unsigned int count);

/**
 * iommu_irq_disable() - disable them all
 * @dev: the device; nothing happens when none is enabled
 *
 * Return: 0; errors of ioctl(2).
 */
int iommu_irq_disable(struct iommu_dev *dev);

/**
 * iommu_irq_fd() - the eventfd of a vector, for poll(2)
 * @dev: the device
 * @vector: a vector that is enabled
 *
 * Return: the fd, non-blocking; it stays the device's, lives until
 * iommu_irq_disable(); -EINVAL: the vector is not enabled.
 */
int iommu_irq_fd(const struct iommu_dev *dev, unsigned int vector);

/**
 * iommu_irq_wait() - wait for an interrupt
 * @dev: the device
 * @vector: a vector that is enabled
 * @timeout_ms: milliseconds; -1: for ever; 0: just look
 * @count: output: how often it came since the last call; may be NULL
 *
 * Return: 0; -ETIMEDOUT; -EINTR: a signal; -EINVAL: the vector is not enabled.
 */
int iommu_irq_wait(struct iommu_dev *dev, unsigned int vector, int timeout_ms,
		   uint64_t *count);

/**
 * iommu_irq_unmask() - let INTx fire again
 * @dev: the device, with IOMMU_IRQ_INTX enabled
 *
 * To be called after the device's reason to interrupt has been dealt with.
 *
 * Return: 0; -EINVAL: INTx is not enabled; errors of ioctl(2).
 */
int iommu_irq_unmask(struct iommu_dev *dev);

#ifdef __cplusplus
}
#endif

#endif /* IOMMU_IRQ_H */
