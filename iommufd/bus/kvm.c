// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM and our device files.
 *
 * KVM knows files of VFIO by asking vfio.ko, which knows its own only. So three
 * of its functions get a hook (ftrace): where the file is one of ours, a function
 * of ours runs instead; for all others the hook does nothing. KVM calls "is it
 * one" (iofd_vfio_file_is_one) first and the others only when it is; so that one
 * is hooked last and let go first.
 *
 * Hooks, the functions that run instead, and the file operations by which a file
 * is known are in one module. Each file holds that module, whoever has the file
 * open, KVM too: when the module goes there is none, and nobody is in one of our
 * functions. What else is in a hook, unregistering waits for.
 *
 * Others who call these functions: vfio-pci-core, on kernels where a hot reset
 * asks for group files. There a file of ours passes the first question and is
 * refused by the next one (vfio_file_has_dev, which looks at the file's address
 * and no further), as it is without hooks.
 *
 * The kernel allows one such hook on a function. While ours are there it cannot
 * be live patched, and ftrace cannot be switched off; while it is patched or
 * ftrace is off, we cannot hook it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include "bus/pci.h"
#include "compat/kvm.h"

static bool wanted = true;	/* the parameter, until there is a state to tell */
static bool started;		/* (hooks_lock) between init and exit */
static DEFINE_MUTEX(hooks_lock);

#ifdef HAVE_FTRACE_IP_MODIFY

/*
 * These run in the place of the hooked functions, in process context, for files
 * of ours, which the caller holds.
 */

static bool our_file_is_one(struct file *file)
{
	return true;
}

static bool our_file_enforced_coherent(struct file *file)
{
	return !iofd_pci_may_not_snoop(file->private_data);
}

static void our_file_set_kvm(struct file *file, struct kvm *kvm)
{
	struct iofd_pci_file *pf = file->private_data;

	mutex_lock(&pf->kvm_lock);
	pf->kvm = kvm;
	mutex_unlock(&pf->kvm_lock);
}

/**
 * struct hook - a function of vfio.ko, and what stands in for it
 * @name: its name
 * @theirs: the function
 * @ours: what runs instead for files of ours; same arguments and result
 * @ops: ftrace's
 */
struct hook {
	const char *name;
	void *theirs;
	void *ours;
	struct ftrace_ops ops;
};

/*
 * Runs at the start of @theirs in whatever context that is called. Calls nothing
 * that could be traced, and so needs no protection from recursion.
 */
static void notrace hook_hit(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct hook *hook = container_of(ops, struct hook, ops);
	struct file *file = (struct file *)iofd_hook_argument(fregs);

	if (file && READ_ONCE(file->f_op) == &iofd_pci_fops)
		iofd_hook_divert(fregs, hook->ours);
}

/* PERMANENT: ftrace must not be switched off while we rely on it. */
#define HOOK(function, instead) {					\
	.name = __stringify(function),					\
	.theirs = function,						\
	.ours = instead,						\
	.ops = {							\
		.func = hook_hit,					\
		.flags = FTRACE_OPS_FL_IPMODIFY |			\
			 FTRACE_OPS_FL_PERMANENT,			\
	},								\
}

/* (hooks_lock) In the order of registration. */
static struct hook hooks[] = {
	HOOK(vfio_file_set_kvm, our_file_set_kvm),
	HOOK(vfio_file_enforced_coherent, our_file_enforced_coherent),
	HOOK(iofd_vfio_file_is_one, our_file_is_one),
};

static unsigned int nr_hooked;	/* (hooks_lock) of hooks[], from the first on */

static int hook_add(struct hook *hook)
{
	unsigned long ip = (unsigned long)hook->theirs;
	int rc;

	rc = ftrace_set_filter_ip(&hook->ops, ip, 0, 0);
	if (rc)
		return rc;
	rc = register_ftrace_function(&hook->ops);
	if (rc)
		ftrace_set_filter_ip(&hook->ops, ip, 1, 0);
	return rc;
}

/* Waits until nobody runs in it. */
static void hook_remove(struct hook *hook)
{
	WARN_ON(unregister_ftrace_function(&hook->ops));
	ftrace_set_filter_ip(&hook->ops, (unsigned long)hook->theirs, 1, 0);
}

static void hooks_remove(void)
{
	lockdep_assert_held(&hooks_lock);

	while (nr_hooked)
		hook_remove(&hooks[--nr_hooked]);
}

static bool hooked(void)
{
	return nr_hooked == ARRAY_SIZE(hooks);
}

static int hooks_add(void)
{
	int rc;

	lockdep_assert_held(&hooks_lock);

	while (!hooked()) {
		rc = hook_add(&hooks[nr_hooked]);
		if (rc) {
			pr_warn("virtual machines under KVM cannot have devices: no hook on %s: error %d%s\n",
				hooks[nr_hooked].name, rc,
				rc == -EBUSY ? ". Is kernel.ftrace_enabled=0, or is it live patched? Afterwards: echo Y >/sys/module/iofd_pci/parameters/kvm" : "");
			hooks_remove();
			return rc;
		}
		nr_hooked++;
	}
	return 0;
}

#else /* !HAVE_FTRACE_IP_MODIFY */

static bool hooked(void)
{
	return false;
}

static int hooks_add(void)
{
	pr_warn("virtual machines under KVM cannot have devices: this kernel has no ftrace that can divert\n");
	return -EOPNOTSUPP;
}

static void hooks_remove(void)
{
}

#endif

/* Not back to N while it runs: KVM may hold files of ours. */
static int kvm_param_set(const char *value, const struct kernel_param *kp)
{
	bool want;
	int rc;

	rc = kstrtobool(value, &want);
	if (rc)
		return rc;
	mutex_lock(&hooks_lock);
	if (!started)
		wanted = want;
	else if (want)
		rc = hooks_add();
	else if (hooked())
		rc = -EBUSY;
	mutex_unlock(&hooks_lock);
	return rc;
}

static int kvm_param_get(char *page, const struct kernel_param *kp)
{
	bool yes;

	mutex_lock(&hooks_lock);
	yes = hooked();
	mutex_unlock(&hooks_lock);
	return sysfs_emit(page, "%c\n", yes ? 'Y' : 'N');
}

static const struct kernel_param_ops kvm_param_ops = {
	.set = kvm_param_set,
	.get = kvm_param_get,
};

module_param_cb(kvm, &kvm_param_ops, NULL, 0644);
MODULE_PARM_DESC(kvm,
		 "Have KVM take our device files for VFIO's, which a virtual machine under KVM needs. Reads N where that did not work; write Y to try again (default: true)");

void iofd_kvm_init(void)
{
	mutex_lock(&hooks_lock);
	if (wanted)
		hooks_add();
	started = true;
	mutex_unlock(&hooks_lock);
}

void iofd_kvm_exit(void)
{
	mutex_lock(&hooks_lock);
	started = false;
	hooks_remove();
	mutex_unlock(&hooks_lock);
}
