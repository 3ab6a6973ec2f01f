// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The shim itself: the parts that are more than a few lines, and that its
 * complaints come when they have to.
 */
#include "shim/shim.h"
#include <linux/list_sort.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>
#include <asm/cacheflush.h>

struct item {
	struct rb_node node;
	struct list_head list;
	u64 key;
	u32 order;
};

static bool item_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct item, node)->key <
	       container_of(b, const struct item, node)->key;
}

static unsigned int tree_height(const struct rb_node *node)
{
	if (!node)
		return 0;
	return 1 + max(tree_height(node->rb_left), tree_height(node->rb_right));
}

static void check_tree(const struct rb_root *root, unsigned int nr)
{
	struct rb_node *node, *back = rb_last(root), *prev = NULL;
	unsigned int n = 0;

	for (node = rb_first(root); node; prev = node, node = rb_next(node), n++) {
		if (prev)
			assert_true(item_less(prev, node));
		assert_ptr_equal(rb_prev(node), prev);
	}
	assert_ptr_equal(prev, back);
	assert_int_equal(n, nr);
	n = 0;
	for (node = rb_first_postorder(root); node; node = rb_next_postorder(node))
		n++;
	assert_int_equal(n, nr);
}

static void rbtree_keeps_order(void **state)
{
	enum { N = 5000 };
	struct item *items = calloc(N, sizeof(*items));
	struct rb_root root = RB_ROOT;
	unsigned int i, nr = 0;

	for (i = 0; i < 10 * N; i++) {
		unsigned int k = shim_random_below(N);
		struct item *item = &items[k];

		if (!item->key) {
			item->key = k + 1;
			rb_add(&item->node, &root, item_less);
			nr++;
		} else {
			item->key = 0;
			rb_erase(&item->node, &root);
			nr--;
		}
		if (i % 1000 == 0)
			check_tree(&root, nr);
	}
	check_tree(&root, nr);
	assert_true(tree_height(root.rb_node) < 60);
	free(items);
}

static void xarray_behaves_like_an_array(void **state)
{
	enum { N = 300 };
	void *model[N] = {};
	struct xarray xa;
	unsigned long index, i, n;
	void *entry;

	xa_init(&xa);
	for (i = 0; i < 20000; i++) {
		unsigned long k = shim_random_below(N);

		switch (shim_random_below(4)) {
		case 0:
			entry = xa_mk_value(i);
			assert_ptr_equal(xa_store(&xa, k, entry, GFP_KERNEL),
					 model[k]);
			model[k] = entry;
			break;
		case 1:
			assert_ptr_equal(xa_erase(&xa, k), model[k]);
			model[k] = NULL;
			break;
		case 2:
			assert_int_equal(xa_insert(&xa, k, &xa, GFP_KERNEL),
					 model[k] ? -EBUSY : 0);
			if (!model[k])
				model[k] = &xa;
			break;
		default:
			assert_ptr_equal(xa_load(&xa, k), model[k]);
		}
	}
	n = 0;
	xa_for_each(&xa, index, entry) {
		for (; n < index; n++)
			assert_null(model[n]);
		assert_ptr_equal(model[n], entry);
		n++;
	}
	for (; n < N; n++)
		assert_null(model[n]);
	xa_destroy(&xa);
	assert_true(xa_empty(&xa));
}

static void xarray_reserves_and_allocates(void **state)
{
	struct xarray xa;
	unsigned long index = 0;
	u32 id, next = 0;

	xa_init_flags(&xa, XA_FLAGS_ALLOC1);
	assert_int_equal(xa_alloc(&xa, &id, XA_ZERO_ENTRY, XA_LIMIT(1, 3), GFP_KERNEL), 0);
	assert_int_equal(id, 1);
	assert_null(xa_load(&xa, 1));
	assert_null(xa_find(&xa, &index, ULONG_MAX, XA_PRESENT));
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(1, 3), GFP_KERNEL), 0);
	assert_int_equal(id, 2);
	/* What is reserved takes no memory any more. */
	shim_fail_nth(1);
	assert_int_equal(xa_err(xa_store(&xa, 1, &id, GFP_KERNEL)), 0);
	assert_false(shim_fail_fired());
	assert_int_equal(xa_err(xa_store(&xa, 9, &id, GFP_KERNEL)), -ENOMEM);
	assert_ptr_equal(xa_load(&xa, 1), &id);
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(1, 3), GFP_KERNEL), 0);
	assert_int_equal(xa_alloc(&xa, &id, &xa, XA_LIMIT(1, 3), GFP_KERNEL), -EBUSY);
	xa_erase(&xa, 2);
	assert_int_equal(xa_alloc_cyclic(&xa, &id, &xa, XA_LIMIT(1, 3), &next, GFP_KERNEL), 0);
	assert_int_equal(id, 2);
	assert_int_equal(next, 3);
	xa_destroy(&xa);
}

static int item_cmp(void *priv, const struct list_head *a,
		    const struct list_head *b)
{
	return list_entry(a, struct item, list)->key >
	       list_entry(b, struct item, list)->key;
}

static void list_sort_is_stable(void **state)
{
	struct item items[200], *item, *prev = NULL;
	LIST_HEAD(head);

	for (u32 i = 0; i < ARRAY_SIZE(items); i++) {
		items[i].key = shim_random_below(20);
		items[i].order = i;
		list_add_tail(&items[i].list, &head);
	}
	list_sort(NULL, &head, item_cmp);
	list_for_each_entry(item, &head, list) {
		if (prev)
			assert_true(prev->key < item->key ||
				    (prev->key == item->key &&
				     prev->order < item->order));
		prev = item;
	}
}

static void hardware_sees_what_was_written_back(void **state)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	u64 *p = page_address(page);
	phys_addr_t phys = page_to_phys(page);

	assert_int_not_equal(shim_hw_read64(phys), 0);
	clflush_cache_range(p, PAGE_SIZE);
	assert_int_equal(shim_flushed_lines, 64);
	p[7] = 1;
	p[8] = 2;
	clflush_cache_range(&p[7], sizeof(*p));
	assert_int_equal(shim_hw_read64(phys + 56), 1);
	assert_int_equal(shim_hw_read64(phys + 64), 0);
	assert_int_equal(shim_cpu_read64(phys + 64), 2);
	assert_int_equal(shim_flushed_lines, 65);
	clflush_cache_range(&p[7], 2 * sizeof(*p));
	assert_int_equal(shim_flushed_lines, 67);
	__free_page(page);
}

static void pins_are_counted_by_page(void **state)
{
	const unsigned long base = 0x10000000;
	struct page *pages[16];

	shim_user_map(base, 8, SHIM_SCATTERED);
	shim_user_map(base + 8 * PAGE_SIZE, 8, 0);
	assert_ptr_not_equal(shim_user_page(base) + 1,
			     shim_user_page(base + PAGE_SIZE));
	assert_int_equal(pin_user_pages_fast(base, 16, FOLL_WRITE, pages), 16);
	assert_ptr_equal(pages[8] + 1, pages[9]);
	assert_int_equal(page_to_phys(pages[8]) % SZ_2M,
			 (base + 8 * PAGE_SIZE) % SZ_2M);
	assert_int_equal(shim_pins, 16);
	shim_user_unmap(base + 8 * PAGE_SIZE);
	unpin_user_page_range_dirty_lock(pages[8], 8, true);
	assert_true(pages[9]->flags & SHIM_PAGE_DIRTY);
	assert_int_equal(pin_user_pages_fast(base, 16, 0, pages), 8);
	shim_pin_fault = base + PAGE_SIZE;
	assert_int_equal(pin_user_pages_fast(base, 8, 0, pages), 1);
	assert_int_equal(pages[0]->pins, 3);
	shim_pin_fault = base;
	assert_int_equal(pin_user_pages_fast(base, 8, 0, pages), -EFAULT);
	shim_fail_nth(1);
	assert_int_equal(pin_user_pages_fast(base, 8, 0, pages), -ENOMEM);
	unpin_user_page(pages[0]);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 8; i++)
			unpin_user_page(shim_user_page(base + i * PAGE_SIZE));
}

static void locks_are_ordered(void **state)
{
	struct mutex a, b;
	spinlock_t s;

	mutex_init(&a);
	mutex_init(&b);
	spin_lock_init(&s);
	mutex_lock(&a);
	mutex_lock(&b);
	spin_lock(&s);
	lockdep_assert_held(&a);
	lockdep_assert_held(&s);
	mutex_unlock(&a);
	spin_unlock(&s);
	mutex_unlock(&b);
	mutex_lock(&b);
	assert_false(mutex_trylock(&b));
	mutex_unlock(&b);
	shim_interrupt_locks = true;
	assert_int_equal(mutex_lock_killable(&b), -EINTR);
	assert_false(mutex_is_locked(&b));
}

static void mistakes_are_noticed(void **state)
{
	refcount_t refs = REFCOUNT_INIT(1);
	struct mutex a, b, copy;
	struct page *page;
	spinlock_t s;

	mutex_init(&a);
	mutex_init(&b);
	spin_lock_init(&s);
	mutex_lock(&a);
	shim_expect_bug(mutex_lock(&a));
	copy = a;
	mutex_lock(&b);
	mutex_unlock(&a);
	shim_expect_bug(mutex_lock(&a));
	shim_expect_bug(mutex_lock(&copy));
	shim_expect_bug(mutex_unlock(&a));
	shim_expect_bug(lockdep_assert_held(&a));
	mutex_unlock(&b);

	spin_lock(&s);
	shim_expect_bug(kfree(kmalloc(1, GFP_KERNEL)));
	kfree(kmalloc(1, GFP_ATOMIC));
	shim_expect_bug(mutex_lock(&a));
	shim_expect_bug(cond_resched());
	spin_unlock(&s);

	assert_true(refcount_dec_and_test(&refs));
	shim_expect_bug(refcount_inc(&refs));
	shim_expect_bug(refcount_dec_and_test(&refs));
	shim_expect_bug(module_put(THIS_MODULE));

	page = alloc_page(GFP_KERNEL);
	__free_page(page);
	shim_expect_bug(__free_page(page));
	shim_expect_bug(clflush_cache_range(page_address(page), 8));
	shim_expect_bug(shim_hw_read64(page_to_phys(page)));
	shim_expect_bug((void)phys_to_virt(0));
	shim_expect_bug(unpin_user_page(page));
}

static void warnings_are_counted(void **state)
{
	shim_expect_warnings(1);
	assert_true(WARN_ON(1));
	assert_false(WARN_ON(0));
	shim_expect_bug(WARN_ON(1));
	shim_expect_warnings(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		shim_test(rbtree_keeps_order),
		shim_test(xarray_behaves_like_an_array),
		shim_test(xarray_reserves_and_allocates),
		shim_test(list_sort_is_stable),
		shim_test(hardware_sees_what_was_written_back),
		shim_test(pins_are_counted_by_page),
		shim_test(locks_are_ordered),
		shim_test(mistakes_are_noticed),
		shim_test(warnings_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
