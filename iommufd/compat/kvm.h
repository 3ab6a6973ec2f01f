/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between kernels in how KVM and VFIO know each other, and in how a
 * function of another module can be stood in for.
 */
#ifndef IOFD_COMPAT_KVM_H
#define IOFD_COMPAT_KVM_H

#include <linux/ftrace.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/vfio.h>

/* The function by which KVM tells VFIO's files from others. */
#ifdef HAVE_SYM_VFIO_FILE_IS_VALID
#define iofd_vfio_file_is_one	vfio_file_is_valid
#else
#define iofd_vfio_file_is_one	vfio_file_is_group
#endif

/**
 * iofd_vfio_kvm_lend() - give a device the KVM that it works for
 * @vdev: a device that is about to be opened
 * @kvm: its KVM, alive until iofd_vfio_kvm_return() or, where the vfio core
 *	leaves references to drivers, until open_device() returns; NULL: none
 */
static inline void iofd_vfio_kvm_lend(struct vfio_device *vdev, struct kvm *kvm)
{
#ifdef HAVE_VFIO_DEVICE_PUT_KVM
	void (*put)(struct kvm *kvm);
	bool (*get)(struct kvm *kvm);
	bool ok = false;

	if (!kvm)
		return;
	/* Held until the reference is given back. */
	put = symbol_get(kvm_put_kvm);
	if (!put)
		return;
	get = symbol_get(kvm_get_kvm_safe);
	if (get) {
		ok = get(kvm);
		symbol_put(kvm_get_kvm_safe);
	}
	if (!ok) {
		symbol_put(kvm_put_kvm);
		return;
	}
	vdev->put_kvm = put;
#endif
	vdev->kvm = kvm;
}

/**
 * iofd_vfio_kvm_return() - the device is closed
 * @vdev: the device
 */
static inline void iofd_vfio_kvm_return(struct vfio_device *vdev)
{
#ifdef HAVE_VFIO_DEVICE_PUT_KVM
	if (vdev->kvm) {
		vdev->put_kvm(vdev->kvm);
		vdev->put_kvm = NULL;
		symbol_put(kvm_put_kvm);
	}
#endif
	vdev->kvm = NULL;
}

#ifdef HAVE_FTRACE_IP_MODIFY
/**
 * iofd_hook_argument() - first argument of the function that a hook is on
 * @fregs: what the hook was given
 *
 * Return: the argument.
 */
static __always_inline unsigned long iofd_hook_argument(struct ftrace_regs *fregs)
{
#ifdef HAVE_FTRACE_REGS_ACCESSORS
	return ftrace_regs_get_argument(fregs, 0);
#else
	return regs_get_kernel_argument(&fregs->regs, 0);
#endif
}

/**
 * iofd_hook_divert() - have another function run instead, with the same
 *	arguments and caller
 * @fregs: what the hook was given
 * @function: the other one
 */
static __always_inline void iofd_hook_divert(struct ftrace_regs *fregs,
					     void *function)
{
#ifdef HAVE_FTRACE_REGS_ACCESSORS
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)function);
#else
	ftrace_instruction_pointer_set(fregs, (unsigned long)function);
#endif
}
#endif

#endif /* IOFD_COMPAT_KVM_H */
