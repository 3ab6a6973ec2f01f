/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks that say what they saw, for the programs of this folder.
 *
 * A test is a function. check_run() gives it a process of its own, so that it
 * can crash, hang, be killed or give its rights away, and afterwards looks
 * whether the kernel has everything back that the test made it hold. A program
 * with an argument runs the tests whose names contain it.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK_SKIP	77
#define CHECK_TIMEOUT_S	120

static int check_failures;	/* of the running test */
static int check_passed, check_failed, check_skipped;
static unsigned int check_timeout_s = CHECK_TIMEOUT_S;
static const char *check_only = "";
/* What a loop is at, printed with a failure. */
static char check_at[160];

#define check_fail(...) check_fail_(__FILE_NAME__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 3, 4), unused))
static void check_fail_(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	check_failures++;
	if (check_failures > 30) {
		if (check_failures == 31)
			printf("  ... and more\n");
		return;
	}
	printf("  %s:%d: ", file, line);
	__builtin_va_start(ap, fmt);
	vprintf(fmt, ap);
	__builtin_va_end(ap);
	if (check_at[0])
		printf(" [%s]", check_at);
	printf("\n");
	fflush(stdout);
}

/* The condition is true. */
#define CHECK(cond) \
	((cond) ? true : (check_fail("%s is not true", #cond), false))

/* Two integers are equal. */
#define CHECK_EQ(got, want) ({ \
	long long got_ = (long long)(got), want_ = (long long)(want); \
	if (got_ != want_) \
		check_fail("%s is %lld (%#llx), not %lld (%#llx)", #got, \
			   got_, got_, want_, want_); \
	got_ == want_; })

/* A system call succeeds. */
#define CHECK_OK(call) ({ \
	long rc_ = (long)(call); \
	if (rc_ < 0) \
		check_fail("%s: %s", #call, strerror(errno)); \
	rc_ >= 0; })

/* A system call fails with this errno. */
#define CHECK_ERRNO(call, want) ({ \
	long rc_ = (long)(call); \
	int err_ = rc_ < 0 ? errno : 0; \
	if (err_ != (want)) \
		check_fail("%s: %s, not %s", #call, check_errno_name(err_), \
			   check_errno_name(want)); \
	err_ == (want); })

/* Without it the rest of the test makes no sense. */
#define NEED(cond) do { \
	if (!(cond)) { \
		check_fail("%s failed (errno %s): the test ends here", #cond, \
			   check_errno_name(errno)); \
		check_leave(); \
	} \
} while (0)

#define AT(...) snprintf(check_at, sizeof(check_at), __VA_ARGS__)

__attribute__((unused))
static const char *check_errno_name(int err)
{
	return err ? strerrorname_np(err) ?: "?" : "success";
}

__attribute__((unused, noreturn))
static void check_leave(void)
{
	fflush(stdout);
	_exit(check_failures ? 1 : 0);
}

/* The test cannot run here. */
#define SKIP(...) do { \
	printf("  skipped: "); \
	printf(__VA_ARGS__); \
	printf("\n"); \
	fflush(stdout); \
	_exit(CHECK_SKIP); \
} while (0)

__attribute__((unused))
static double check_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

__attribute__((unused))
static void check_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Write a string to a file of /proc or /sys. 0 or -1 with errno. */
__attribute__((unused))
static int check_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	errno = err;
	return n < 0 ? -1 : 0;
}

/* The number after @key in a file with lines "key number"; -1 without. */
__attribute__((unused))
static long check_read_key(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	char line[256];
	long value = -1;
	size_t len = strlen(key);

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, len)) {
			value = strtol(line + len, NULL, 10);
			break;
		}
	}
	fclose(f);
	return value;
}

/* Memory of this process that is pinned for devices, in KiB. */
#define vm_pin_kib() check_read_key("/proc/self/status", "VmPin:")

/**
 * struct balance - what the kernel holds for programs that use /dev/iommu
 * @pins: pages pinned and not released, by anybody
 * @mappings: objects in the slab cache iofd_mapping
 */
struct balance {
	long pins;
	long mappings;
};

__attribute__((unused))
static struct balance balance_now(void)
{
	static const char slab[] = "/sys/kernel/slab/iofd_mapping/";
	struct balance b;
	char path[96];

	/* Counters are kept for each CPU, and slabs too: gather them. */
	check_write_file("/proc/sys/vm/stat_refresh", "1");
	b.pins = check_read_key("/proc/vmstat", "nr_foll_pin_acquired ") -
		 check_read_key("/proc/vmstat", "nr_foll_pin_released ");
	snprintf(path, sizeof(path), "%sshrink", slab);
	check_write_file(path, "1");
	snprintf(path, sizeof(path), "%sobjects", slab);
	b.mappings = check_read_key(path, "");
	return b;
}

/* Is the balance @before again? Files may be closed a moment later. */
__attribute__((unused))
static bool balance_back(const struct balance *before, struct balance *now)
{
	int i;

	for (i = 0; i < 40; i++) {
		*now = balance_now();
		if (now->pins == before->pins &&
		    now->mappings <= before->mappings)
			return true;
		check_sleep_ms(50);
	}
	return false;
}

__attribute__((unused))
static void check_start(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	if (argc > 1)
		check_only = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	/* What tests leave behind becomes our child and is killed. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	printf("# %s\n", name ? name + 1 : argv[0]);
}

static int check_wait(pid_t pid)
{
	double end = check_now() + check_timeout_s;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (check_now() > end) {
			printf("  no end after %u s: killed\n", check_timeout_s);
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return status;
		}
		check_sleep_ms(2);
	}
	return status;
}

__attribute__((unused))
static void check_run(const char *name, void (*fn)(void))
{
	struct balance before, after;
	double start = check_now();
	int status;
	bool ok;
	pid_t pid;

	if (!strstr(name, check_only))
		return;
	before = balance_now();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		fn();
		check_leave();
	}
	setpgid(pid, pid);
	status = check_wait(pid);
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHECK_SKIP) {
		check_skipped++;
		printf("skip %s\n", name);
		return;
	}
	ok = WIFEXITED(status) && !WEXITSTATUS(status);
	if (WIFSIGNALED(status))
		printf("  ended by signal %d\n", WTERMSIG(status));
	if (!balance_back(&before, &after)) {
		ok = false;
		printf("  left behind: %ld pinned pages, %ld mappings\n",
		       after.pins - before.pins,
		       after.mappings - before.mappings);
	}
	if (ok)
		check_passed++;
	else
		check_failed++;
	printf("%s %s (%.1f s)\n", ok ? "ok  " : "FAIL", name,
	       check_now() - start);
}

#define RUN(fn) check_run(#fn, fn)

__attribute__((unused))
static int check_end(void)
{
	printf("# %d passed, %d failed, %d skipped\n", check_passed,
	       check_failed, check_skipped);
	if (check_failed)
		return 1;
	return check_passed ? 0 : CHECK_SKIP;
}

#endif /* CHECK_H */
