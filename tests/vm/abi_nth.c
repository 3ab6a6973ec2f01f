// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each command with its n-th allocation (or copy from and to its caller) failing,
 * for n = 1, 2, 3 ... until there is none left to fail. What fails must say so,
 * leave nothing behind, and succeed when it is tried again; what takes things
 * away must not fail for lack of memory. Needs a kernel with fault injection.
 */
#include "edu.h"

#define LABEL	77
#define IOVA	(16 * MIB)
#define MAX_NTH	2000

static struct edu edu;
static int fd, first, id, file;
static char *mem;
static __u64 chosen;
static int nth_fd = -1;

/* The @n-th allocation of this thread from now on fails; 0: none. */
static void nth_set(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	/* What is left of the last one can hit this very call. */
	while (pwrite(nth_fd, text, (size_t)len, 0) != len) {
		if (errno != EFAULT && errno != ENOMEM) {
			check_fail("fail-nth: %s", strerror(errno));
			return;
		}
	}
}

/* Ends it; true when it came to a failure. */
static bool nth_failed(void)
{
	char text[16] = "1";
	bool left;

	/* The same: then it had not come to it before. */
	if (pread(nth_fd, text, sizeof(text) - 1, 0) <= 0 && errno != EFAULT &&
	    errno != ENOMEM)
		check_fail("fail-nth: %s", strerror(errno));
	left = atoi(text) != 0;
	nth_set(0);
	return !left;
}

struct held {
	struct iommu_ioasid_info info;
	int error, device_error;
	long vm_pin;
};

static struct held held_now(void)
{
	struct held h;
	struct iommu_device_info device;

	memset(&h, 0, sizeof(h));
	if (fd >= 0) {
		h.error = ioasid_info(fd, id, &h.info) ? errno : 0;
		h.device_error = device_info(fd, LABEL, &device, NULL, 0) ?
				 errno : 0;
	}
	h.vm_pin = vm_pin_kib();
	return h;
}

/* Steps that commands are made of; all return -1 with errno, as ioctl() does. */

static int do_open(void)
{
	first = fd;
	return (fd = iommu_open()) < 0 ? -1 : 0;
}

static int do_alloc(void)
{
	int new = ioasid_alloc(fd);

	if (new < 0)
		return -1;
	id = new;
	return 0;
}

static int do_alloc_for_label(void)
{
	struct iommu_ioasid_alloc cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_IOASID_FOR_LABEL,
		.type = IOMMU_IOASID_KERNEL_MANAGED,
		.label = LABEL,
	};

	if (ioctl(fd, IOMMU_IOASID_ALLOC, &cmd))
		return -1;
	id = (int)cmd.ioasid;
	return 0;
}

static int do_free(void) { return ioasid_free(fd, id); }
static int do_map_page(void) { return map_at(fd, id, RW, mem, PAGE, IOVA); }
static int do_map_much(void) { return map_at(fd, id, RW, mem, 4 * MIB, IOVA); }

static int do_map_scattered(void)
{
	/* Every second page, in the opposite order: table pages far apart. */
	return map_at(fd, id, RW, mem + MIB, 64 * PAGE, 1ULL << 38);
}

static int do_map_chosen(void)
{
	chosen = 0;
	return map_any(fd, id, RW, 0, (uintptr_t)mem, 64 * PAGE, &chosen);
}

static int do_map_untouched(void)
{
	void *fresh = mmap(NULL, 24 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return fresh == MAP_FAILED ? -1 :
	       map_at(fd, id, RW, fresh, 24 * PAGE, IOVA);
}

static int do_map_file(void)
{
	__u64 iova = IOVA;

	return map_any(fd, id, RW | FIXED | IOMMU_MAP_FD, file, 0, 64 * PAGE,
		       &iova);
}

static int do_map_beside(void)
{
	return map_at(fd, id, RW, mem, 64 * PAGE, 64 * MIB);
}

static int do_unmap(void)
{
	return unmap_count(fd, id, 0, 0, GIB, NULL);
}

static int do_unmap_all(void) { return unmap_all(fd, id); }

static int do_info(void)
{
	struct iommu_ioasid_info info;

	return ioasid_info(fd, id, &info);
}

static int do_device_info(void)
{
	struct iommu_device_info info;

	return device_info(fd, LABEL, &info, NULL, 0);
}

static int do_dev_open(void) { return edu_open(&edu, 0) ? 0 : -1; }
static int do_bind(void) { return dev_bind(edu.fd, fd, LABEL); }
static int do_attach(void) { return dev_attach(edu.fd, fd, id); }
static int do_detach(void) { return dev_detach(edu.fd, fd, id); }

static int do_dev_close(void)
{
	int old = edu.fd;

	edu.fd = -1;
	return close(old);
}

static int do_close(void)
{
	int old = fd;

	fd = -1;
	return close(old);
}

/**
 * struct nth - a command
 * @name: for people
 * @before: steps that lead to it
 * @call: the command
 * @must: it may not fail for lack of memory
 * @lossy: its answer can be lost when all is done, if the caller's memory goes
 *	away in the middle
 */
struct nth {
	const char *name;
	int (*before[8])(void);
	int (*call)(void);
	bool must;
	bool lossy;
};

static const struct nth commands[] = {
	{ "open", { NULL }, do_open, false, false },
	{ "close", { do_open, do_alloc, do_map_much }, do_close, true, false },
	{ "ALLOC", { do_open }, do_alloc, false, false },
	{ "ALLOC for a label", { do_open, do_dev_open, do_bind },
	  do_alloc_for_label, false, false },
	{ "FREE", { do_open, do_alloc, do_map_much }, do_free, true, false },
	{ "MAP a page", { do_open, do_alloc }, do_map_page, false, false },
	{ "MAP 4 MiB", { do_open, do_alloc }, do_map_much, false, false },
	{ "MAP far away", { do_open, do_alloc, do_map_much }, do_map_scattered,
	  false, false },
	{ "MAP anywhere", { do_open, do_alloc, do_map_page }, do_map_chosen,
	  false, false },
	{ "MAP untouched memory", { do_open, do_alloc }, do_map_untouched,
	  false, false },
	{ "MAP a file", { do_open, do_alloc }, do_map_file, false, false },
	{ "UNMAP", { do_open, do_alloc, do_map_much, do_map_beside }, do_unmap,
	  true, true },
	{ "UNMAP all", { do_open, do_alloc, do_map_much, do_map_scattered },
	  do_unmap_all, true, true },
	{ "GET_INFO", { do_open, do_alloc, do_map_page }, do_info, false, false },
	{ "BIND", { do_open, do_alloc, do_dev_open }, do_bind, false, false },
	{ "BIND to another", { do_open, do_alloc, do_dev_open, do_bind, do_open },
	  do_bind, false, false },
	{ "DEVICE_GET_INFO", { do_open, do_dev_open, do_bind }, do_device_info,
	  false, false },
	{ "ATTACH to an empty space",
	  { do_open, do_alloc, do_dev_open, do_bind }, do_attach, false, false },
	{ "ATTACH to a full space",
	  { do_open, do_alloc, do_map_much, do_map_scattered, do_dev_open,
	    do_bind }, do_attach, false, false },
	{ "MAP a page, attached",
	  { do_open, do_alloc, do_dev_open, do_bind, do_attach }, do_map_page,
	  false, false },
	{ "MAP 4 MiB, attached",
	  { do_open, do_alloc, do_dev_open, do_bind, do_attach }, do_map_much,
	  false, false },
	{ "MAP far away, attached",
	  { do_open, do_alloc, do_dev_open, do_bind, do_map_much, do_attach },
	  do_map_scattered, false, false },
	{ "UNMAP all, attached",
	  { do_open, do_alloc, do_dev_open, do_bind, do_attach, do_map_much,
	    do_map_scattered }, do_unmap_all, true, true },
	{ "DETACH",
	  { do_open, do_alloc, do_dev_open, do_bind, do_map_much, do_attach },
	  do_detach, true, false },
	{ "close the device",
	  { do_open, do_alloc, do_dev_open, do_bind, do_map_much, do_attach },
	  do_dev_close, true, false },
	{ "close, attached",
	  { do_open, do_alloc, do_dev_open, do_bind, do_map_much, do_attach },
	  do_close, true, false },
};

static void clean(void)
{
	if (edu.fd >= 0)
		close(edu.fd);
	edu.fd = -1;
	if (fd >= 0)
		close(fd);
	if (first >= 0)
		close(first);
	fd = first = -1;
	id = 0;
}

static void same(const struct held *a, const struct held *b)
{
	CHECK_EQ(b->error, a->error);
	CHECK_EQ(b->device_error, a->device_error);
	CHECK_EQ(b->info.nr_mappings, a->info.nr_mappings);
	CHECK_EQ(b->info.charged_bytes, a->info.charged_bytes);
	CHECK_EQ(b->info.nr_devices, a->info.nr_devices);
	CHECK_EQ(b->vm_pin, a->vm_pin);
}

static void try_command(const struct nth *c)
{
	struct balance balance = balance_now(), end;
	unsigned int n, failed = 0, survived = 0;

	for (n = 1; n < MAX_NTH && check_failures < 25; n++) {
		struct held before, after;
		bool injected;
		int rc, err, i;

		AT("%s, allocation %u", c->name, n);
		for (i = 0; i < 8 && c->before[i]; i++)
			if (c->before[i]()) {
				check_fail("step %d: %s", i, strerror(errno));
				clean();
				return;
			}
		before = held_now();
		nth_set(n);
		rc = c->call();
		err = errno;
		injected = nth_failed();
		if (!injected) {
			if (rc)
				check_fail("fails by itself: %s", strerror(err));
			clean();
			break;
		}
		if (rc) {
			failed++;
			if (err != EFAULT && (c->must || err != ENOMEM))
				check_fail("failed: %s", strerror(err));
			after = held_now();
			if (c->lossy && err == EFAULT && !after.info.nr_mappings) {
				clean();
				continue;
			}
			same(&before, &after);
			CHECK_OK(c->call());
		} else {
			survived++;
		}
		clean();
	}
	check_at[0] = 0;
	CHECK(n < MAX_NTH);
	if (!balance_back(&balance, &end))
		check_fail("%s left %ld pinned pages and %ld mappings behind",
			   c->name, end.pins - balance.pins,
			   end.mappings - balance.mappings);
	printf("  %-26s %3u allocations: %u times failed, %u times did without\n",
	       c->name, n - 1, failed, survived);
}

static void set_knob(const char *dir, const char *knob, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", dir, knob);
	check_write_file(path, value);
}

/* What the names of the commands to try begin with */
static const char *only = "";

static void A15_commands_without_memory(void)
{
	static const char *const faults[] = { "failslab", "fail_page_alloc" };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		set_knob(faults[i], "ignore-gfp-wait", "N");
		set_knob(faults[i], "ignore-gfp-highmem", "N");
		set_knob(faults[i], "min-order", "0");
		set_knob(faults[i], "verbose", "0");
	}
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		SKIP("the kernel has no fault injection");
	NEED(mem = pages_alloc(8 * MIB));
	NEED((file = memfd_create("f", 0)) >= 0);
	NEED(!ftruncate(file, 64 * PAGE));
	edu.fd = fd = first = -1;
	/* Once without failures, for what is allocated for good. */
	NEED(!do_open() && !do_dev_open() && !do_bind());
	clean();
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strncmp(commands[i].name, only, strlen(only)))
			try_command(&commands[i]);
}

int main(int argc, char **argv)
{
	if (getenv("COMMANDS"))
		only = getenv("COMMANDS");
	check_start(argc, argv);
	check_timeout_s = 600;
	RUN(A15_commands_without_memory);
	return check_end();
}
