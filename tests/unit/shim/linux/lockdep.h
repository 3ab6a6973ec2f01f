/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_LOCKDEP_H
#define SHIM_LINUX_LOCKDEP_H

/*
 * Locks. One thread, so a lock that is taken while it is held is a deadlock,
 * and sleeping under a spinlock is a mistake even when nobody would wait. The
 * order in which locks are taken is remembered by kind, as lockdep does: the
 * other order, later, is a bug.
 */
#include <linux/bug.h>
#include <linux/kernel.h>

struct shim_lock_kind {
	const char *name;
	unsigned int id;		/* 0 until it is taken first */
};

struct shim_lock {
	const struct shim_lock *self;	/* set by init: a copied lock is none */
	struct shim_lock_kind *kind;
	bool spins;
	unsigned int readers;
	bool held;
};

struct lock_class_key {
	char unused;
};

void shim_lock_init(struct shim_lock *lock, struct shim_lock_kind *kind,
		    bool spins);
void shim_lock_take(struct shim_lock *lock, bool read, const char *file, int line);
void shim_lock_drop(struct shim_lock *lock, bool read, const char *file, int line);

#define SHIM_LOCK_INIT(lock, text, spin)				\
{									\
	.self = &(lock).shim,						\
	.kind = &(struct shim_lock_kind) { .name = text },		\
	.spins = spin,							\
}
/* A kind for each place where locks are made */
#define shim_lock_setup(lock, text, spin)				\
do {									\
	static struct shim_lock_kind shim_kind = { .name = text };	\
	shim_lock_init(&(lock)->shim, &shim_kind, spin);		\
} while (0)

#define lockdep_is_held(l)		((l)->shim.held || (l)->shim.readers)
#define lockdep_assert_held(l)						\
do {									\
	if (!lockdep_is_held(l))					\
		shim_bug(__FILE__, __LINE__, #l " is not held");	\
} while (0)
#define lockdep_assert_held_write(l)					\
do {									\
	if (!(l)->shim.held)						\
		shim_bug(__FILE__, __LINE__, #l " is not held");	\
} while (0)
#define lockdep_assert_held_read(l)	lockdep_assert_held(l)
#define lockdep_assert_not_held(l)					\
do {									\
	if (lockdep_is_held(l))						\
		shim_bug(__FILE__, __LINE__, #l " is held");		\
} while (0)
#define lockdep_assert_once(c)		WARN_ON(!(c))
#define lockdep_set_class(l, key)	((void)(key))
#define might_lock(l)			might_sleep()

#endif
