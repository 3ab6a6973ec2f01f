// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Limits and great numbers: who is charged, how much is too much, and that all
 * of it is given back. The number of mappings in one space is MAPPINGS of the
 * environment, or 100,000.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include "check.h"
#include "native.h"

/*
 * Giving everything back takes few seconds. More are allowed for a kernel that
 * checks itself, on a busy host; something quadratic would take far longer.
 */
#define SECONDS	60

#define USER	1000
#define LIMIT_PAGES 64

static void become_user(void)
{
	struct rlimit limit = { LIMIT_PAGES * PAGE, LIMIT_PAGES * PAGE };

	NEED(!setrlimit(RLIMIT_MEMLOCK, &limit));
	NEED(!setgid(USER));
	NEED(!setuid(USER));
	NEED(prctl(PR_SET_DUMPABLE, 1) == 0);
}

/* Exactly the limit can be mapped through @fd, and not a page more. */
static void check_limit(int fd, char *mem)
{
	struct iommu_ioasid_info info;
	int id;

	NEED((id = ioasid_alloc(fd)) > 0);
	/* All at once. */
	CHECK_ERRNO(map_at(fd, id, RW, mem, (LIMIT_PAGES + 1) * PAGE, 0), ENOMEM);
	CHECK_EQ(vm_pin_kib(), 0);
	CHECK_OK(map_at(fd, id, RW, mem, LIMIT_PAGES * PAGE, 0));
	CHECK_EQ(vm_pin_kib(), LIMIT_PAGES * 4);
	CHECK_ERRNO(map_at(fd, id, RW, mem, PAGE, GIB), ENOMEM);
	CHECK_EQ(vm_pin_kib(), LIMIT_PAGES * 4);
	CHECK_OK(unmap_all(fd, id));
	CHECK_EQ(vm_pin_kib(), 0);
	/* In steps; what fails to be mapped for other reasons costs nothing. */
	CHECK_OK(map_at(fd, id, RW, mem, (LIMIT_PAGES - 1) * PAGE, 0));
	CHECK_ERRNO(map_at(fd, id, RW, mem, 2 * PAGE, GIB), ENOMEM);
	CHECK_ERRNO(map_at(fd, id, RW, mem, PAGE, 0), EEXIST);
	CHECK_ERRNO(map_at(fd, id, RW, NULL, PAGE, GIB), EFAULT);
	CHECK_OK(map_at(fd, id, RW, mem, PAGE, GIB));
	CHECK_ERRNO(map_at(fd, id, IOMMU_MAP_READ, mem, PAGE, 2 * GIB), ENOMEM);
	CHECK_OK(ioasid_info(fd, id, &info));
	CHECK_EQ(info.charged_bytes, LIMIT_PAGES * PAGE);
	CHECK_OK(unmap_at(fd, id, GIB, PAGE));
	CHECK_EQ(vm_pin_kib(), (LIMIT_PAGES - 1) * 4);
	CHECK_OK(map_at(fd, id, IOMMU_MAP_READ, mem, PAGE, 2 * GIB));
	CHECK_OK(ioasid_free(fd, id));
	CHECK_EQ(vm_pin_kib(), 0);
}

static void A15_memlock_limit_of_a_user(void)
{
	int before, after;
	char *mem;

	NEED(!chmod("/dev/iommu", 0666));
	NEED(mem = pages_alloc((LIMIT_PAGES + 1) * PAGE));
	NEED((before = iommu_open()) >= 0);
	become_user();
	NEED((after = iommu_open()) >= 0);
	AT("opened by root before");
	check_limit(before, mem);
	AT("opened by the user");
	check_limit(after, mem);
}

/* It is one limit for all that the user has open. */
static void A15_memlock_limit_is_one_for_a_user(void)
{
	int fd1, fd2, id1, id2, status;
	char *mem;
	pid_t pid;

	NEED(!chmod("/dev/iommu", 0666));
	NEED(mem = pages_alloc(LIMIT_PAGES * PAGE));
	become_user();
	NEED((fd1 = iommu_open()) >= 0);
	NEED((fd2 = iommu_open()) >= 0);
	NEED((id1 = ioasid_alloc(fd1)) > 0);
	NEED((id2 = ioasid_alloc(fd2)) > 0);
	CHECK_OK(map_at(fd1, id1, RW, mem, (LIMIT_PAGES - 1) * PAGE, 0));
	CHECK_OK(map_at(fd2, id2, RW, mem, PAGE, 0));
	CHECK_ERRNO(map_at(fd2, id2, RW, mem, PAGE, GIB), ENOMEM);
	pid = fork();
	if (!pid) {
		int fd = iommu_open(), id = ioasid_alloc(fd);

		CHECK_EQ(vm_pin_kib(), 0);
		CHECK_ERRNO(map_at(fd, id, RW, mem, PAGE, 0), ENOMEM);
		CHECK_OK(unmap_all(fd2, id2));
		CHECK_OK(map_at(fd, id, RW, mem, PAGE, 0));
		CHECK_EQ(vm_pin_kib(), 4);
		check_leave();
	}
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(vm_pin_kib(), (LIMIT_PAGES - 1) * 4);
	/* What the child had, its end has given back. */
	CHECK_OK(map_at(fd2, id2, RW, mem, PAGE, 0));
	close(fd1);
	close(fd2);
	CHECK_EQ(vm_pin_kib(), 0);
}

/* A child maps through the inherited fd: it is charged, until it is unmapped. */
static void A15_who_maps_is_charged(void)
{
	int fd, id, status, go[2], done[2];
	struct iommu_ioasid_info info;
	char *mem, byte;
	pid_t pid;

	NEED(mem = pages_alloc(LIMIT_PAGES * PAGE));
	NEED((fd = iommu_open()) >= 0);
	NEED((id = ioasid_alloc(fd)) > 0);
	NEED(!pipe(go) && !pipe(done));
	become_user();
	CHECK_OK(map_at(fd, id, RW, mem, 8 * PAGE, 0));
	CHECK_EQ(vm_pin_kib(), 32);
	pid = fork();
	if (!pid) {
		CHECK_EQ(vm_pin_kib(), 0);
		CHECK_OK(map_at(fd, id, RW, mem, 4 * PAGE, GIB));
		CHECK_EQ(vm_pin_kib(), 16);
		CHECK_OK(map_at(fd, id, RW, mem, PAGE, 2 * GIB));
		CHECK_EQ(vm_pin_kib(), 20);
		/* The parent's it can unmap, and gets nothing for it. */
		CHECK_OK(unmap_at(fd, id, 0, 8 * PAGE));
		CHECK_EQ(vm_pin_kib(), 20);
		CHECK_EQ(write(done[1], "", 1), 1);
		CHECK_EQ(read(go[0], &byte, 1), 1);
		CHECK_EQ(vm_pin_kib(), 4);
		check_leave();
	}
	NEED(read(done[0], &byte, 1) == 1);
	CHECK_EQ(vm_pin_kib(), 0);
	CHECK_OK(unmap_at(fd, id, GIB, 4 * PAGE));
	CHECK_EQ(vm_pin_kib(), 0);
	NEED(write(go[1], "", 1) == 1);
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	/* The child is gone and its mapping is not, nor is the user's charge. */
	CHECK_OK(ioasid_info(fd, id, &info));
	CHECK_EQ(info.nr_mappings, 1);
	CHECK_ERRNO(map_at(fd, id, RW, mem, LIMIT_PAGES * PAGE, 0), ENOMEM);
	CHECK_OK(map_at(fd, id, RW, mem, (LIMIT_PAGES - 1) * PAGE, 0));
	CHECK_OK(unmap_all(fd, id));
	CHECK_EQ(vm_pin_kib(), 0);
	CHECK_OK(map_at(fd, id, RW, mem, LIMIT_PAGES * PAGE, 0));
}

/* The charge stays with who was charged, whoever the process becomes. */
static void A15_charge_after_setuid(void)
{
	int fd, id;
	char *mem;

	NEED(mem = pages_alloc(2 * LIMIT_PAGES * PAGE));
	NEED((fd = iommu_open()) >= 0);
	NEED((id = ioasid_alloc(fd)) > 0);
	/* Root is not limited, and counted all the same. */
	CHECK_OK(map_at(fd, id, RW, mem, 2 * LIMIT_PAGES * PAGE, 0));
	CHECK_EQ(vm_pin_kib(), 2 * LIMIT_PAGES * 4);
	become_user();
	CHECK_EQ(vm_pin_kib(), 2 * LIMIT_PAGES * 4);
	CHECK_OK(unmap_all(fd, id));
	CHECK_EQ(vm_pin_kib(), 0);
	CHECK_OK(map_at(fd, id, RW, mem, LIMIT_PAGES * PAGE, 0));
	CHECK_ERRNO(map_at(fd, id, RW, mem, PAGE, GIB), ENOMEM);
}

/* Great numbers */

/* Giving back takes seconds, not minutes. */
static void check_took(double start, double seconds)
{
	double took = check_now() - start;

	if (took > seconds * (getenv("SLOW") ? 20 : 1))
		check_fail("took %.1f s", took);
}

static void A15_many_mappings(void)
{
	const char *text = getenv("MAPPINGS");
	unsigned long n = text ? strtoul(text, NULL, 0) : 100000, i;
	struct iommu_ioasid_info info;
	unsigned int pass;
	double start;
	char *mem;
	int fd, id;

	NEED(mem = pages_alloc(1024 * PAGE));
	/* Close to each other; then fewer, with holes between. */
	for (pass = 0; pass < 2; pass++, n /= 10) {
		NEED((fd = iommu_open()) >= 0);
		NEED((id = ioasid_alloc(fd)) > 0);
		start = check_now();
		for (i = 0; i < n; i++)
			if (map_at(fd, id, RW, mem + i % 1024 * PAGE, PAGE,
				   GIB + i * PAGE * (pass + 1)))
				break;
		CHECK_EQ(i, n);
		printf("  %lu mappings in %.1f s", n, check_now() - start);
		CHECK_OK(ioasid_info(fd, id, &info));
		CHECK_EQ(info.nr_mappings, n);
		CHECK_EQ(info.charged_bytes, n * PAGE);
		CHECK_EQ(vm_pin_kib(), n * 4);
		/* Some in between, one by one. */
		for (i = 0; i < n; i += n / 1000)
			if (unmap_at(fd, id, GIB + i * PAGE * (pass + 1), PAGE))
				break;
		CHECK(i >= n);
		start = check_now();
		if (pass)
			CHECK_OK(unmap_all(fd, id));
		close(fd);
		printf(", gone in %.1f s\n", check_now() - start);
		CHECK(check_now() - start < SECONDS);
		CHECK_EQ(vm_pin_kib(), 0);
	}
}

static void A17_many_ioasids(void)
{
	struct iommu_ioasid_info info;
	double start = check_now();
	int fd, id[10000], i;
	char *mem;

	NEED(mem = pages_alloc(16 * PAGE));
	NEED((fd = iommu_open()) >= 0);
	for (i = 0; i < 10000; i++) {
		if ((id[i] = ioasid_alloc(fd)) <= 0)
			break;
		/* Not every one has memory. */
		if (i % 4 == 0 && map_at(fd, id[i], RW, mem, PAGE,
					 (__u64)i * PAGE))
			break;
	}
	CHECK_EQ(i, 10000);
	CHECK_EQ(vm_pin_kib(), 2500 * 4);
	for (i = 0; i < 10000; i += 4)
		if (ioasid_info(fd, id[i], &info) || info.nr_mappings != 1)
			break;
	CHECK_EQ(i, 10000);
	for (i = 0; i < 10000; i += 3)
		if (ioasid_free(fd, id[i]))
			break;
	CHECK(i >= 10000);
	printf("  made in %.1f s", check_now() - start);
	start = check_now();
	close(fd);
	printf(", gone in %.1f s\n", check_now() - start);
	CHECK(check_now() - start < SECONDS);
	CHECK_EQ(vm_pin_kib(), 0);
}

/* 1,000 opens at once, each with its own numbers. */
static void A3_many_contexts(void)
{
	struct rlimit files = { 4096, 4096 };
	int fd[1000], i;
	char *mem;

	NEED(!setrlimit(RLIMIT_NOFILE, &files));
	NEED(mem = pages_alloc(PAGE));
	for (i = 0; i < 1000; i++) {
		NEED((fd[i] = iommu_open()) >= 0);
		CHECK_EQ(ioasid_alloc(fd[i]), 1);
		CHECK_OK(map_at(fd[i], 1, RW, mem, PAGE, 0));
	}
	CHECK_EQ(vm_pin_kib(), 4000);
	for (i = 0; i < 1000; i++)
		close(fd[i]);
	CHECK_EQ(vm_pin_kib(), 0);
}

/* The last file is the end, wherever it was: here in a message nobody reads. */
static void A14_fd_in_a_message(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0, *mem;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd, id, pair[2];

	NEED(mem = pages_alloc(16 * PAGE));
	NEED((fd = iommu_open()) >= 0);
	NEED((id = ioasid_alloc(fd)) > 0);
	NEED(!map_at(fd, id, RW, mem, 16 * PAGE, 0));
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	NEED(sendmsg(pair[0], &msg, 0) == 1);
	close(fd);
	CHECK_EQ(vm_pin_kib(), 64);
	close(pair[0]);
	CHECK_EQ(vm_pin_kib(), 64);
	/* Received again, it is what it was. */
	memset(control, 0, sizeof(control));
	msg.msg_controllen = sizeof(control);
	NEED(recvmsg(pair[1], &msg, 0) == 1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	CHECK_OK(unmap_at(fd, id, 0, 16 * PAGE));
	CHECK_EQ(vm_pin_kib(), 0);
	CHECK_OK(map_at(fd, id, RW, mem, 16 * PAGE, 0));
	close(pair[1]);
}

/* Its memory outlives the process that mapped it, its pins do not outlive it. */
static void A14_killed_with_memory_mapped(void)
{
	int i, status, ready[2];
	char byte;

	for (i = 0; i < 20; i++) {
		pid_t pid;

		NEED(!pipe(ready));
		pid = fork();
		if (!pid) {
			int fd = iommu_open(), id = ioasid_alloc(fd), k;
			char *mem = pages_alloc(MIB);

			for (k = 0; k < 16; k++)
				NEED(!map_at(fd, id, RW, mem, MIB, k * MIB));
			NEED(write(ready[1], "", 1) == 1);
			for (;;) {
				unmap_all(fd, id);
				for (k = 0; k < 16; k++)
					map_at(fd, id, RW, mem, MIB, k * MIB);
			}
		}
		NEED(read(ready[0], &byte, 1) == 1);
		check_sleep_ms((unsigned int)i);
		kill(pid, SIGKILL);
		NEED(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status));
		close(ready[0]);
		close(ready[1]);
	}
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(A3_many_contexts);
	RUN(A14_fd_in_a_message);
	RUN(A14_killed_with_memory_mapped);
	RUN(A15_memlock_limit_of_a_user);
	RUN(A15_memlock_limit_is_one_for_a_user);
	RUN(A15_who_maps_is_charged);
	RUN(A15_charge_after_setuid);
	RUN(A15_many_mappings);
	RUN(A17_many_ioasids);
	return check_end();
}
