// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Everything at once, by several processes with the same open files, and ends in
 * the middle of it. Commands may fail as they like; but nothing may hang, crash
 * or be left behind, and the device must work afterwards. (Requirement A14)
 */
#include <pthread.h>
#include "refused.h"
#include "upstream.h"

#define SPAN	(64 * PAGE)
#define BASE	(16 * MIB)
#define IDS	12

static int fds[2];		/* /dev/iommu, shared by all */
static struct edu edus[2];	/* device files, shared by all */
static char *mem;
static unsigned int nr_steps = 2500;

static __thread unsigned int seed;

static unsigned int rnd(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

static void setup(void)
{
	unsigned int i;

	NEED(mem = pages_alloc(SPAN));
	for (i = 0; i < 2; i++) {
		NEED((fds[i] = iommu_open()) >= 0);
		NEED(edu_open(&edus[i], i));
	}
}

static void finish(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		close(edus[i].fd);
		close(fds[i]);
	}
	CHECK_EQ(vm_pin_kib(), 0);
}

/* One random command. */
static void step(void)
{
	struct iommu_ioasid_info info;
	struct iommu_ioasid_range ranges[8];
	struct iommu_device_info device;
	int fd = fds[rnd(2)], id = (int)rnd(IDS) + 1, fd2, id2, dev2;
	const struct edu *edu = &edus[rnd(2)];
	__u64 at = rnd(32) * PAGE, length = (rnd(16) + 1) * PAGE, iova = 0;

	switch (rnd(26)) {
	case 0 ... 1:
		ioasid_alloc(fd);
		break;
	case 2:
		ioasid_free(fd, id);
		break;
	case 3 ... 6:
		map_at(fd, id, RW, mem + at, length, BASE + at);
		break;
	case 7:
		map_any(fd, id, RW, 0, (uintptr_t)mem + at, length, &iova);
		break;
	case 8 ... 9:
		unmap_at(fd, id, BASE + rnd(64) * PAGE, length);
		break;
	case 10:
		unmap_all(fd, id);
		break;
	case 11:
		ioasid_info(fd, id, &info);
		ioasid_ranges(fd, id, ranges, 8);
		break;
	case 12:
		device_info(fd, rnd(4), &device, NULL, 0);
		break;
	case 13:
		dev_bind(edu->fd, fd, rnd(4));
		break;
	case 14 ... 15:
		dev_attach(edu->fd, fd, id);
		break;
	case 16 ... 17:
		dev_detach(edu->fd, fd, id);
		break;
	case 18:
		/* A context that comes and goes, and a device bound to it too. */
		fd2 = iommu_open();
		id2 = ioasid_alloc(fd2);
		map_at(fd2, id2, RW, mem, 16 * PAGE, BASE);
		dev_bind(edu->fd, fd2, 9);
		dev_attach(edu->fd, fd2, id2);
		close(fd2);
		break;
	case 19:
		/* A device file that comes and goes. */
		dev2 = pci_open(edu->bdf);
		dev_bind(dev2, fd, 10 + rnd(4));
		dev_attach(dev2, fd, id);
		close(dev2);
		break;
	/* By the other ABIs: a container, which cuts, and pages that are shared */
	case 20:
		up_vfio_ioas(fd, rnd(4) ? 1 : 2, &id);
		break;
	case 21:
		ioctl(fd, VFIO_SET_IOMMU, rnd(2) ? VFIO_TYPE1_IOMMU : VFIO_TYPE1v2_IOMMU);
		break;
	case 22:
		up_container_map(fd, mem + at, length, BASE + at);
		break;
	case 23 ... 24:
		up_container_unmap(fd, BASE + rnd(64) * PAGE, (rnd(8) + 1) * PAGE);
		break;
	case 25:
		up_copy(fd, id, BASE + at, (int)rnd(IDS) + 1, BASE + rnd(48) * PAGE, length);
		break;
	}
}

static void *steps(void *arg)
{
	unsigned int i;

	seed = (unsigned int)(uintptr_t)arg;
	for (i = 0; i < nr_steps; i++)
		step();
	return NULL;
}

/* A device that is nobody's works for who comes next. */
static void use(void)
{
	struct edu edu;
	unsigned int i;
	int fd, id;
	char *page;

	NEED((fd = iommu_open()) >= 0);
	NEED(edu_open(&edu, 0));
	NEED(!dev_bind(edu.fd, fd, 1));
	NEED(edu_start(&edu));
	NEED((id = ioasid_alloc(fd)) > 0);
	NEED(page = pages_alloc(PAGE));
	NEED(!map_at(fd, id, RW, page, PAGE, BASE));
	NEED(!dev_attach(edu.fd, fd, id));
	for (i = 0; i < 64; i++)
		page[i] = (char)(i + 1);
	edu_load(&edu, BASE, 0, 64);
	edu_store(&edu, BASE + 64, 0, 64);
	CHECK(!memcmp(page, page + 64, 64));
	close(edu.fd);
	close(fd);
	munmap(page, PAGE);
}

static void A14_use(void)
{
	use();
}

static void A14_processes_at_once(void)
{
	int i, status;

	setup();
	for (i = 0; i < 4; i++) {
		if (!fork()) {
			steps((void *)(uintptr_t)(i + 1));
			check_leave();
		}
	}
	while (wait(&status) > 0)
		CHECK_EQ(status, 0);
	finish();
	use();
}

static void A14_threads_at_once(void)
{
	pthread_t threads[4];
	int i;

	setup();
	for (i = 0; i < 4; i++)
		NEED(!pthread_create(&threads[i], NULL, steps,
				     (void *)(uintptr_t)(i + 11)));
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	finish();
	use();
}

/* Processes that are killed in the middle, each followed by another. */
static void A14_killed_at_once(void)
{
	pid_t pids[3];
	int rounds = (int)nr_steps / 40, round, i, status;

	setup();
	memset(pids, 0, sizeof(pids));
	for (round = 0; round < rounds; round++) {
		i = round % 3;
		if (pids[i]) {
			kill(pids[i], SIGKILL);
			NEED(waitpid(pids[i], &status, 0) == pids[i]);
		}
		pids[i] = fork();
		if (!pids[i]) {
			seed = (unsigned int)round + 100;
			for (;;)
				step();
		}
		check_sleep_ms((unsigned int)round % 17);
	}
	for (i = 0; i < 3 && pids[i]; i++) {
		kill(pids[i], SIGKILL);
		NEED(waitpid(pids[i], &status, 0) == pids[i]);
	}
	finish();
	use();
}

/* Taken apart by the last close, while others are in the middle of commands. */
static void *closer(void *arg)
{
	unsigned int i;

	seed = 77;
	for (i = 0; i < nr_steps / 40; i++) {
		int k = (int)rnd(2), fd;

		check_sleep_ms(rnd(8));
		/* The number stays what it was; the file is another one. */
		if (rnd(2)) {
			fd = iommu_open();
			if (fd >= 0)
				dup3(fd, fds[k], O_CLOEXEC);
		} else {
			fd = pci_open(edus[k].bdf);
			if (fd >= 0)
				dup3(fd, edus[k].fd, O_CLOEXEC);
		}
		if (fd >= 0)
			close(fd);
	}
	return arg;
}

static void A14_closed_at_once(void)
{
	pthread_t threads[4];
	int i;

	setup();
	for (i = 0; i < 4; i++)
		NEED(!pthread_create(&threads[i], NULL, i ? steps : closer,
				     (void *)(uintptr_t)(i + 21)));
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	finish();
	use();
}

/* The driver is taken from a device that a process holds, who then lets go. */
static void *unbind(void *bdf)
{
	pci_give(bdf, "");
	return NULL;
}

static void A14_driver_unbound_while_held(void)
{
	struct iommu_ioasid_info info;
	pthread_t thread;
	char name[64];
	int id;

	setup();
	NEED((id = ioasid_alloc(fds[0])) > 0);
	NEED(!map_at(fds[0], id, RW, mem, SPAN, BASE));
	NEED(!dev_bind(edus[0].fd, fds[0], 1));
	NEED(edu_start(&edus[0]));
	NEED(!dev_attach(edus[0].fd, fds[0], id));
	NEED(!pthread_create(&thread, NULL, unbind, edus[0].bdf));
	check_sleep_ms(300);
	/* It waits, and until then all is as it was. */
	mem[0] = 0x5a;
	edu_load(&edus[0], BASE, 0, 1);
	edu_store(&edus[0], BASE + 1, 0, 1);
	CHECK_EQ(mem[1], 0x5a);
	CHECK_OK(ioasid_info(fds[0], id, &info));
	CHECK_EQ(info.nr_devices, 1);
	close(edus[0].fd);
	pthread_join(thread, NULL);
	pci_driver(edus[0].bdf, name);
	CHECK(!name[0]);
	CHECK_OK(ioasid_info(fds[0], id, &info));
	CHECK_EQ(info.nr_devices, 0);
	CHECK_OK(ioasid_free(fds[0], id));
	NEED((edus[0].fd = pci_open(edus[0].bdf)) >= 0);
	finish();
	use();
}

/* The function goes away and comes back; a process holds it until it is killed. */
static void A14_function_removed_while_held(void)
{
	int ready[2], status, i, id;
	pid_t holder, remover;
	char byte, bdf[16];

	NEED(pci_find(EDU_VENDOR, EDU_DEVICE, 0, bdf));
	for (i = 0; i < 2; i++) {
		NEED(!pipe(ready));
		holder = fork();
		if (!holder) {
			setup();
			NEED((id = ioasid_alloc(fds[0])) > 0);
			NEED(!map_at(fds[0], id, RW, mem, SPAN, BASE));
			NEED(!dev_bind(edus[0].fd, fds[0], 1));
			NEED(!dev_attach(edus[0].fd, fds[0], id));
			NEED(write(ready[1], "", 1) == 1);
			pause();
		}
		close(ready[1]);
		NEED(read(ready[0], &byte, 1) == 1);
		remover = fork();
		if (!remover) {
			CHECK_OK(pci_write_attr(bdf, "remove", "1"));
			check_leave();
		}
		check_sleep_ms(200);
		CHECK_EQ(waitpid(remover, &status, WNOHANG), 0);
		kill(holder, SIGKILL);
		NEED(waitpid(holder, &status, 0) == holder);
		NEED(waitpid(remover, &status, 0) == remover);
		CHECK_EQ(status, 0);
		CHECK_EQ(pci_read_attr(bdf, "vendor"), -1);
		CHECK_OK(check_write_file("/sys/bus/pci/rescan", "1"));
		CHECK_EQ(pci_read_attr(bdf, "vendor"), EDU_VENDOR);
		use();
		close(ready[0]);
	}
}

int main(int argc, char **argv)
{
	const char *steps_text = getenv("STEPS");

	if (steps_text)
		nr_steps = (unsigned int)atoi(steps_text);
	check_timeout_s = 300;
	check_start(argc, argv);
	refused_init();
	RUN(A14_use);
	if (argc > 1 && !strcmp(argv[1], "A14_use"))
		return check_end();
	RUN(A14_processes_at_once);
	RUN(A14_threads_at_once);
	RUN(A14_killed_at_once);
	RUN(A14_closed_at_once);
	RUN(A14_driver_unbound_while_held);
	RUN(A14_function_removed_while_held);
	return check_end();
}
