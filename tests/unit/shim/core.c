// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The shim's state: beginning and end of a test, complaints, locks, log.
 */
#include "internal.h"
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>
#include <linux/io.h>
#include <stdio.h>

#define MAX_HELD	32
#define MAX_KINDS	64

void (*shim_store_hook)(void *addr);
void *(*shim_ioremap)(u64 start, u64 bytes);
void (*shim_relax_hook)(void);
void (*shim_wait_hook)(void);
u64 (*shim_mmio_read)(const volatile void *addr, unsigned int bytes);
void (*shim_mmio_write)(volatile void *addr, u64 value, unsigned int bytes);
struct module shim_module;
bool shim_interrupt_locks;
unsigned int shim_log_lines;
unsigned long shim_resched_calls;

bool shim_bug_expected;
jmp_buf shim_bug_jump;

static bool in_test;
static unsigned int warnings, warnings_expected;
static u64 random_state;

static struct shim_lock *held[MAX_HELD];
static unsigned int nr_held;
static unsigned int nr_kinds;
static u64 taken_after[MAX_KINDS];	/* kinds taken while this one was held */

static char log_line[512];
static const char *bad_user;
static size_t bad_user_bytes;
static const char *readonly_user;
static size_t readonly_user_bytes;

/* Complaints */

void shim_bug(const char *file, int line, const char *what)
{
	if (shim_bug_expected)
		longjmp(shim_bug_jump, 1);
	print_error("%s:%d: %s\n", file, line, what);
	if (in_test)
		_fail(file, line);
	abort();
}

void shim_warn(const char *file, int line, const char *what)
{
	if (++warnings > warnings_expected)
		shim_bug(file, line, what);
}

void shim_expect_warnings(unsigned int n)
{
	warnings_expected += n;
}

void shim_log(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(log_line, sizeof(log_line), fmt, args);
	va_end(args);
	shim_log_lines++;
	if (getenv("SHIM_LOG"))
		fprintf(stderr, "%s", log_line);
}

const char *shim_log_last(void)
{
	return log_line;
}

/* Locks */

void shim_lock_init(struct shim_lock *lock, struct shim_lock_kind *kind,
		    bool spins)
{
	*lock = (struct shim_lock) { .self = lock, .kind = kind, .spins = spins };
}

static void lock_complain(const struct shim_lock *lock, const char *file,
			  int line, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "%s %s",
		 lock->kind ? lock->kind->name : "lock", what);
	shim_bug(file, line, text);
}

/* Is @to taken while @from is held, directly or over others? */
static bool kind_reaches(unsigned int from, unsigned int to)
{
	u64 reached = BIT_ULL(from), todo = reached;

	while (todo) {
		unsigned int k = __ffs(todo);

		todo &= ~BIT_ULL(k);
		todo |= taken_after[k] & ~reached;
		reached |= taken_after[k];
	}
	return reached & BIT_ULL(to);
}

void shim_lock_take(struct shim_lock *lock, bool read, const char *file, int line)
{
	unsigned int i;

	if (lock->self != lock)
		lock_complain(lock, file, line, "is not initialised");
	if (lock->held || (!read && lock->readers))
		lock_complain(lock, file, line, "is held already: deadlock");
	if (!lock->spins)
		shim_might_sleep(file, line);
	if (!lock->kind->id) {
		lock->kind->id = ++nr_kinds;
		BUG_ON(nr_kinds >= MAX_KINDS);
	}
	for (i = 0; i < nr_held; i++) {
		unsigned int before = held[i]->kind->id, now = lock->kind->id;

		if (before == now)
			continue;
		if (kind_reaches(now, before))
			lock_complain(lock, file, line, "breaks the lock order");
		taken_after[before] |= BIT_ULL(now);
	}
	BUG_ON(nr_held == MAX_HELD);
	held[nr_held++] = lock;
	if (read)
		lock->readers++;
	else
		lock->held = true;
}

void shim_lock_drop(struct shim_lock *lock, bool read, const char *file, int line)
{
	unsigned int i = nr_held;

	if (read ? !lock->readers : !lock->held)
		lock_complain(lock, file, line, "is not held");
	while (held[--i] != lock)
		;
	memmove(&held[i], &held[i + 1], (--nr_held - i) * sizeof(held[0]));
	if (read)
		lock->readers--;
	else
		lock->held = false;
}

void shim_might_sleep(const char *file, int line)
{
	unsigned int i;

	for (i = 0; i < nr_held; i++)
		if (held[i]->spins)
			lock_complain(held[i], file, line,
				      "is held, and this may sleep");
}

/* User pointers */

void shim_bad_user(const void *p, size_t bytes)
{
	bad_user = p;
	bad_user_bytes = bytes;
}

void shim_user_readonly(const void *p, size_t bytes)
{
	readonly_user = p;
	readonly_user_bytes = bytes;
}

unsigned long shim_user_copy(void *to, const void *from, unsigned long bytes,
			     const void *user)
{
	const char *p = user;

	might_sleep();
	if ((uintptr_t)p < PAGE_SIZE)
		return bytes;
	if (bad_user && p < bad_user + bad_user_bytes && p + bytes > bad_user)
		return bytes;
	if (readonly_user && user == to &&
	    p < readonly_user + readonly_user_bytes && p + bytes > readonly_user)
		return bytes;
	memcpy(to, from, bytes);
	return 0;
}

/* Numbers */

u64 shim_random(void)
{
	u64 x = random_state += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

u64 shim_random_below(u64 n)
{
	return shim_random() % n;
}

/* Beginning and end of a test */

int shim_setup(void **state)
{
	const char *seed = getenv("SHIM_SEED");

	(void)state;
	shim_bug_expected = false;
	warnings = 0;
	warnings_expected = 0;
	random_state = seed ? strtoull(seed, NULL, 0) : 1;
	shim_store_hook = NULL;
	shim_mmio_read = NULL;
	shim_mmio_write = NULL;
	shim_ioremap = NULL;
	shim_relax_hook = NULL;
	shim_wait_hook = NULL;
	shim_interrupt_locks = false;
	shim_resched_calls = 0;
	shim_module = (struct module) {};
	shim_bad_user(NULL, 0);
	shim_user_readonly(NULL, 0);
	while (nr_held) {
		held[--nr_held]->held = false;
		held[nr_held]->readers = 0;
	}
	shim_reset_memory();
	shim_reset_process();
	shim_reset_files();
	in_test = true;
	return 0;
}

static int left(const char *what, unsigned long n)
{
	if (n)
		print_error("left at the end of the test: %lu %s\n", n, what);
	return n ? -1 : 0;
}

int shim_teardown(void **state)
{
	int rc = 0;

	(void)state;
	in_test = false;
	shim_store_hook = NULL;
	if (warnings != warnings_expected) {
		print_error("%u warnings expected, %u seen\n",
			    warnings_expected, warnings);
		rc = -1;
	}
	rc |= left("locks held", nr_held);
	rc |= left("module references", shim_module.refs);
	rc |= left("allocations", shim_live_allocs);
	rc |= left("pages", shim_live_pages);
	rc |= left("pins", shim_pins);
	rc |= shim_process_left();
	rc |= shim_files_left();
	return rc;
}
