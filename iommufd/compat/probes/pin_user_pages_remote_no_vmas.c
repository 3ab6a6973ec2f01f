// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
long probe(struct mm_struct *mm, unsigned long start, struct page **pages)
{
	return pin_user_pages_remote(mm, start, 1, FOLL_WRITE, pages, NULL);
}
