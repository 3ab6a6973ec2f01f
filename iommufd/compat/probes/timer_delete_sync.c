// SPDX-License-Identifier: GPL-2.0-only
#include <linux/timer.h>
int probe(struct timer_list *timer) { return timer_delete_sync(timer); }
