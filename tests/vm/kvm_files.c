// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * kvm_files [TEST]: KVM and the device files of iofd-pci, with one edu given to
 * that and another to the stock vfio-pci.
 * kvm_files loop: add the stock group to KVM and remove it until killed; a word
 * and status 1 as soon as that fails.
 *
 * Of the environment: KVM_OFFSET, where in struct vfio_device the pointer to its
 * KVM is; KEEPS_KVM=yes when the device holds a reference on it; SNOOP=off when
 * the IOMMU cannot enforce snooping.
 */
#include "edu.h"
#include <linux/kvm.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define TRACING	"/sys/kernel/tracing/"

static struct edu edu;

/* A virtual machine, and its device that VFIO's files are added to. */
struct vm {
	int fd;
	int vfio;
};

static struct vm vm_new(void)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_VFIO };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct vm vm;

	NEED(kvm >= 0);
	vm.fd = ioctl(kvm, KVM_CREATE_VM, 0);
	NEED(vm.fd >= 0);
	close(kvm);
	NEED(!ioctl(vm.fd, KVM_CREATE_DEVICE, &create));
	vm.vfio = create.fd;
	return vm;
}

static void vm_close(struct vm vm)
{
	close(vm.vfio);
	close(vm.fd);
}

static int file_do(struct vm vm, __u64 what, int fd)
{
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = what,
		.addr = (uintptr_t)&fd,
	};

	return ioctl(vm.vfio, KVM_SET_DEVICE_ATTR, &attr);
}

/* These numbers have been those of groups since before there were other files. */
static int file_add(struct vm vm, int fd)
{
	return file_do(vm, KVM_DEV_VFIO_GROUP_ADD, fd);
}

static int file_del(struct vm vm, int fd)
{
	return file_do(vm, KVM_DEV_VFIO_GROUP_DEL, fd);
}

/* How many virtual machines there are. */
static int vms_alive(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/sys/kernel/debug/kvm");
	int count = 0;

	NEED(dir);
	/* Each has a directory PID-FD. */
	while ((entry = readdir(dir)))
		count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
	closedir(dir);
	return count;
}

static bool vms_become(int want)
{
	int i;

	for (i = 0; i < 100 && vms_alive() != want; i++)
		check_sleep_ms(20);
	return CHECK_EQ(vms_alive(), want);
}

/* Looking at the kernel: a probe on a function, and what it has seen. */

static void probe_forget(void)
{
	int fd = open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	NEED(fd >= 0);
	close(fd);
}

static void probe_set(const char *definition)
{
	NEED(!check_write_file(TRACING "kprobe_events", definition));
	NEED(!check_write_file(TRACING "events/kprobes/iofd/enable", "1"));
	probe_forget();
}

static void probe_clear(void)
{
	check_write_file(TRACING "events/kprobes/iofd/enable", "0");
	check_write_file(TRACING "kprobe_events", "-:kprobes/iofd");
}

/* How often it was hit, and the value of the last hit's "value=". */
static int probe_hits(unsigned long long *value)
{
	FILE *f = fopen(TRACING "trace", "re");
	char line[512], *at;
	int hits = 0;

	NEED(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || !strstr(line, "iofd:"))
			continue;
		hits++;
		at = strstr(line, "value=");
		if (value && at)
			*value = strtoull(at + strlen("value="), NULL, 0);
	}
	fclose(f);
	return hits;
}

/* A group file of the stock vfio-pci; @container is kept open. */
static int stock_group(int *container)
{
	char bdf[16], path[128], target[PATH_MAX];
	ssize_t n;
	int group;

	NEED(pci_find(EDU_VENDOR, EDU_DEVICE, 1, bdf));
	pci_driver(bdf, path);
	if (strcmp(path, "vfio-pci")) {
		pci_give(bdf, "");
		NEED(!pci_write_attr(bdf, "driver_override", "vfio-pci"));
		check_write_file("/sys/bus/pci/drivers_probe", bdf);
	}
	check_write_file("/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "1");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	NEED(n > 0);
	target[n] = 0;
	snprintf(path, sizeof(path), "/dev/vfio/%d", atoi(strrchr(target, '/') + 1));
	*container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	NEED(*container >= 0);
	group = open(path, O_RDWR | O_CLOEXEC);
	NEED(group >= 0);
	NEED(!ioctl(group, VFIO_GROUP_SET_CONTAINER, container));
	NEED(!ioctl(*container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	return group;
}

static void added_and_removed(struct vm vm, int fd)
{
	CHECK_OK(file_add(vm, fd));
	CHECK_ERRNO(file_add(vm, fd), EEXIST);
	CHECK_OK(file_del(vm, fd));
	CHECK_ERRNO(file_del(vm, fd), ENOENT);
}

/* As QEMU does it: before the file is bound; and as others may: after. */
static void ours_is_added(void)
{
	struct vm vm = vm_new(), other = vm_new();
	int iommu = iommu_open();

	NEED(iommu >= 0 && edu_open(&edu, 0));
	added_and_removed(vm, edu.fd);
	NEED(!dev_bind(edu.fd, iommu, 1));
	added_and_removed(vm, edu.fd);
	NEED(edu_start(&edu));
	added_and_removed(other, edu.fd);
}

static void others_are_not(void)
{
	int files[] = {
		open("/dev/null", O_RDWR), iommu_open(), memfd_create("m", 0),
		eventfd(0, 0), open("/dev/vfio/vfio", O_RDWR),
	};
	struct vm vm = vm_new();
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		AT("file %u", i);
		NEED(files[i] >= 0);
		CHECK_ERRNO(file_add(vm, files[i]), EINVAL);
		CHECK_ERRNO(file_del(vm, files[i]), ENOENT);
	}
	CHECK_ERRNO(file_add(vm, -1), EBADF);
}

static void stock_is_added_as_ever(void)
{
	int container, group = stock_group(&container);
	struct vm vm = vm_new();

	added_and_removed(vm, group);
	/* Beside ours. */
	NEED(edu_open(&edu, 0));
	CHECK_OK(file_add(vm, edu.fd));
	added_and_removed(vm, group);
	CHECK_OK(file_del(vm, edu.fd));
}

/* The stock driver's reset of a whole bus takes proof of ownership by files. */
static void stock_reset_refuses_ours(void)
{
	struct {
		struct vfio_pci_hot_reset reset;
		__s32 files[1];
	} cmd = {
		.reset = { .argsz = sizeof(cmd), .count = 1 },
	};
	int container, group = stock_group(&container), device;
	char bdf[16];

	NEED(pci_find(EDU_VENDOR, EDU_DEVICE, 1, bdf));
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	NEED(device >= 0 && edu_open(&edu, 0));
	cmd.files[0] = group;
	if (ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &cmd))
		SKIP("its bus cannot be reset: %s", strerror(errno));
	cmd.files[0] = edu.fd;
	CHECK_ERRNO(ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &cmd), EINVAL);
}

/* Opens, and binds in the end; is the pointer there when the device is opened? */
static void device_gets(struct vm vm, bool added, bool removed)
{
	unsigned long long kvm = 1;
	int iommu = iommu_open();

	AT("%s%s", added ? "added" : "not added", removed ? ", removed" : "");
	NEED(iommu >= 0 && edu_open(&edu, 0));
	if (added)
		CHECK_OK(file_add(vm, edu.fd));
	if (removed)
		CHECK_OK(file_del(vm, edu.fd));
	probe_forget();
	NEED(!dev_bind(edu.fd, iommu, 1));
	CHECK_EQ(probe_hits(&kvm), 1);
	if (added && !removed)
		CHECK(kvm >> 63);
	else
		CHECK_EQ(kvm, 0);
	if (added && !removed)
		CHECK_OK(file_del(vm, edu.fd));
	close(edu.fd);
	close(iommu);
}

static void device_gets_the_kvm(void)
{
	char text[128];
	struct vm vm = vm_new();

	NEED(getenv("KVM_OFFSET"));
	snprintf(text, sizeof(text), "p:kprobes/iofd vfio_pci_core_enable value=+%s(%%di):x64",
		 getenv("KVM_OFFSET"));
	probe_set(text);
	device_gets(vm, false, false);
	device_gets(vm, true, true);
	device_gets(vm, true, false);
	probe_clear();
}

/* Devices whose driver uses KVM must not be left with a stale one. */
static void device_keeps_the_kvm(void)
{
	bool keeps = getenv("KEEPS_KVM") && !strcmp(getenv("KEEPS_KVM"), "yes");
	int before = vms_alive(), iommu = iommu_open();
	struct vm vm = vm_new();

	NEED(iommu >= 0 && edu_open(&edu, 0));
	CHECK_OK(file_add(vm, edu.fd));
	NEED(!dev_bind(edu.fd, iommu, 1));
	vms_become(before + 1);
	vm_close(vm);
	vms_become(before + keeps);
	close(edu.fd);
	vms_become(before);
}

/* Whoever has the file last. */
static void kvm_alone_has_the_file(void)
{
	int before = vms_alive(), iommu = iommu_open();
	struct vm vm = vm_new();

	NEED(iommu >= 0 && edu_open(&edu, 0));
	NEED(!dev_bind(edu.fd, iommu, 1));
	CHECK_OK(file_add(vm, edu.fd));
	close(edu.fd);
	CHECK_ERRNO(syscall(SYS_delete_module, "iofd_pci", O_NONBLOCK), EWOULDBLOCK);
	/* It is still bound, and so nobody else's. */
	NEED(edu_open(&edu, 0));
	CHECK_ERRNO(dev_bind(edu.fd, iommu, 2), EBUSY);
	close(edu.fd);
	vm_close(vm);
	vms_become(before);
	NEED(edu_open(&edu, 0));
	CHECK_OK(dev_bind(edu.fd, iommu, 2));
}

/* The user dies with everything in use and in either order. */
static void killed_with_all_of_it(void)
{
	int before = vms_alive(), i, fds[2];
	char byte;

	for (i = 0; i < 4; i++) {
		pid_t pid;

		NEED(!pipe(fds));
		pid = fork();
		if (!pid) {
			struct vm vm = vm_new();
			int iommu = iommu_open();

			NEED(iommu >= 0 && edu_open(&edu, 0));
			if (i & 1)
				NEED(!dev_bind(edu.fd, iommu, 1));
			NEED(!file_add(vm, edu.fd));
			if (!(i & 1))
				NEED(!dev_bind(edu.fd, iommu, 1));
			if (i & 2)
				close(edu.fd);
			NEED(write(fds[1], "x", 1) == 1);
			pause();
		}
		close(fds[1]);
		NEED(read(fds[0], &byte, 1) == 1);
		close(fds[0]);
		kill(pid, SIGKILL);
		NEED(waitpid(pid, NULL, 0) == pid);
		vms_become(before);
	}
}

/* Who may use instructions that write caches back: see A21. */
static void coherency_is_told(void)
{
	bool off = getenv("SNOOP") && !strcmp(getenv("SNOOP"), "off");
	struct vm vm = vm_new();
	int iommu = iommu_open();
	bool bound;

	probe_set("p:kprobes/iofd kvm_arch_register_noncoherent_dma");
	for (bound = false;; bound = true) {
		AT("%sbound", bound ? "" : "not ");
		NEED(edu_open(&edu, 0));
		if (bound)
			NEED(!dev_bind(edu.fd, iommu, 1));
		probe_forget();
		CHECK_OK(file_add(vm, edu.fd));
		CHECK_EQ(probe_hits(NULL), off);
		CHECK_OK(file_del(vm, edu.fd));
		CHECK_EQ(probe_hits(NULL), off);
		close(edu.fd);
		if (bound)
			break;
	}
	probe_clear();
	probe_set("p:kprobes/iofd kvm_arch_unregister_noncoherent_dma");
	NEED(edu_open(&edu, 0));
	CHECK_OK(file_add(vm, edu.fd));
	CHECK_EQ(probe_hits(NULL), 0);
	CHECK_OK(file_del(vm, edu.fd));
	CHECK_EQ(probe_hits(NULL), off);
	probe_clear();
}

/* No order of calls from several threads does harm. */

static struct vm race_vms[2];
static volatile bool race_over;

static void *race_add(void *arg)
{
	struct vm vm = race_vms[(uintptr_t)arg & 1];

	while (!race_over) {
		file_add(vm, edu.fd);
		file_del(vm, edu.fd);
	}
	return NULL;
}

static void *race_bind(void *arg)
{
	(void)arg;
	while (!race_over) {
		struct edu mine;
		int iommu = iommu_open();

		if (edu_open(&mine, 0)) {
			file_add(race_vms[0], mine.fd);
			dev_bind(mine.fd, iommu, 1);
			close(mine.fd);
		}
		close(iommu);
	}
	return NULL;
}

static void *race_vm(void *arg)
{
	(void)arg;
	while (!race_over) {
		struct vm vm = vm_new();

		file_add(vm, edu.fd);
		vm_close(vm);
	}
	return NULL;
}

static void racing_calls(void)
{
	void *(* const fns[])(void *) = { race_add, race_add, race_bind, race_vm };
	int before = vms_alive();
	pthread_t threads[4];
	unsigned int i;

	race_vms[0] = vm_new();
	race_vms[1] = vm_new();
	NEED(edu_open(&edu, 0));
	for (i = 0; i < 4; i++)
		NEED(!pthread_create(&threads[i], NULL, fns[i], (void *)(uintptr_t)i));
	check_sleep_ms(3000);
	race_over = true;
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	vm_close(race_vms[0]);
	vm_close(race_vms[1]);
	close(edu.fd);
	vms_become(before);
}

/* What the machine is left with when the modules could not be hooked. */
static void ours_is_refused(void)
{
	struct vm vm = vm_new();
	int iommu = iommu_open();

	NEED(iommu >= 0 && edu_open(&edu, 0));
	CHECK_ERRNO(file_add(vm, edu.fd), EINVAL);
	NEED(!dev_bind(edu.fd, iommu, 1));
	CHECK(edu_start(&edu));
}

static int loop(void)
{
	int container, group = stock_group(&container);
	struct vm vm = vm_new();
	unsigned long i;

	for (i = 0;; i++) {
		if (file_add(vm, group) || file_del(vm, group)) {
			printf("the stock group, time %lu: %s\n", i, strerror(errno));
			return 1;
		}
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "loop"))
		return loop();
	check_start(argc, argv);
	if (!strcmp(check_only, "refused")) {
		RUN(ours_is_refused);
		return check_end();
	}
	RUN(ours_is_added);
	RUN(others_are_not);
	RUN(stock_is_added_as_ever);
	RUN(stock_reset_refuses_ours);
	RUN(device_gets_the_kvm);
	RUN(device_keeps_the_kvm);
	RUN(kvm_alone_has_the_file);
	RUN(killed_with_all_of_it);
	RUN(coherency_is_told);
	RUN(racing_calls);
	return check_end();
}
