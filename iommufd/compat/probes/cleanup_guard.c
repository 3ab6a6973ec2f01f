// SPDX-License-Identifier: GPL-2.0-only
/* Scoped locks and __free(). */
#include <linux/cleanup.h>
#include <linux/mutex.h>
void probe(struct mutex *lock) { guard(mutex)(lock); }
