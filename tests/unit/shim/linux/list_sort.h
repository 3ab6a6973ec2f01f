/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_LIST_SORT_H
#define SHIM_LINUX_LIST_SORT_H

#include <linux/list.h>

typedef int (*list_cmp_func_t)(void *priv, const struct list_head *a,
			       const struct list_head *b);

/* Stable, by insertion */
static inline void list_sort(void *priv, struct list_head *head,
			     list_cmp_func_t cmp)
{
	LIST_HEAD(sorted);

	while (!list_empty(head)) {
		struct list_head *entry = head->next, *pos = sorted.prev;

		shim_list_remove(entry);
		while (pos != &sorted && cmp(priv, pos, entry) > 0)
			pos = pos->prev;
		list_add(entry, pos);
	}
	list_splice_init(&sorted, head);
}

#endif
