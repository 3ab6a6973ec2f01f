// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Intervals in a treap, by where they start and then by address of the node. A
 * node knows the highest end below it, so that a search leaves out what ends too
 * early. The links of the rb_node are used; nothing of rbtree.c is.
 */
#include "internal.h"
#include <linux/interval_tree.h>
#include <linux/minmax.h>

typedef struct interval_tree_node node_t;

static node_t *of(struct rb_node *rb)
{
	return rb_entry_safe(rb, node_t, rb);
}

static struct rb_node *rb_of(node_t *n)
{
	return n ? &n->rb : NULL;
}

static u64 weight(const node_t *n)
{
	u64 x = (u64)n * 0x9e3779b97f4a7c15ull;

	return x ^ x >> 29;
}

static bool before(const node_t *a, const node_t *b)
{
	return a->start < b->start || (a->start == b->start && a < b);
}

static void join(node_t *n, node_t *left, node_t *right)
{
	n->rb.rb_left = rb_of(left);
	n->rb.rb_right = rb_of(right);
	n->__subtree_last = n->last;
	if (left) {
		left->rb.rb_parent = &n->rb;
		n->__subtree_last = max(n->__subtree_last, left->__subtree_last);
	}
	if (right) {
		right->rb.rb_parent = &n->rb;
		n->__subtree_last = max(n->__subtree_last, right->__subtree_last);
	}
}

/* All of @a is before all of @b. */
static node_t *merge(node_t *a, node_t *b)
{
	if (!a || !b)
		return a ?: b;
	if (weight(a) > weight(b)) {
		join(a, of(a->rb.rb_left), merge(of(a->rb.rb_right), b));
		return a;
	}
	join(b, merge(a, of(b->rb.rb_left)), of(b->rb.rb_right));
	return b;
}

static void split(node_t *t, const node_t *at, node_t **a, node_t **b)
{
	node_t *left, *right;

	if (!t) {
		*a = *b = NULL;
	} else if (before(t, at)) {
		split(of(t->rb.rb_right), at, &left, &right);
		join(t, of(t->rb.rb_left), left);
		*a = t;
		*b = right;
	} else {
		split(of(t->rb.rb_left), at, &left, &right);
		join(t, right, of(t->rb.rb_right));
		*a = left;
		*b = t;
	}
}

static void set_root(struct rb_root_cached *root, node_t *t)
{
	if (t)
		t->rb.rb_parent = NULL;
	root->rb_root.rb_node = rb_of(t);
}

void interval_tree_insert(node_t *node, struct rb_root_cached *root)
{
	node_t *a, *b;

	assert_true(node->start <= node->last);
	split(of(root->rb_root.rb_node), node, &a, &b);
	join(node, NULL, NULL);
	set_root(root, merge(merge(a, node), b));
}

void interval_tree_remove(node_t *node, struct rb_root_cached *root)
{
	node_t *t, *parent = of(node->rb.rb_parent);

	t = merge(of(node->rb.rb_left), of(node->rb.rb_right));
	if (!parent) {
		assert_ptr_equal(root->rb_root.rb_node, &node->rb);
		set_root(root, t);
		return;
	}
	if (t)
		t->rb.rb_parent = &parent->rb;
	if (parent->rb.rb_left == &node->rb)
		parent->rb.rb_left = rb_of(t);
	else
		parent->rb.rb_right = rb_of(t);
	for (; parent; parent = of(parent->rb.rb_parent))
		join(parent, of(parent->rb.rb_left), of(parent->rb.rb_right));
}

/* The first one that meets [start, last] and comes after @after, if there is one */
static node_t *find(node_t *t, unsigned long start, unsigned long last,
		    const node_t *after)
{
	node_t *n;

	if (!t || t->__subtree_last < start)
		return NULL;
	if (!after || before(after, t)) {
		n = find(of(t->rb.rb_left), start, last, after);
		if (n)
			return n;
		if (t->start <= last && start <= t->last)
			return t;
	}
	if (t->start > last)
		return NULL;
	return find(of(t->rb.rb_right), start, last, after);
}

node_t *interval_tree_iter_first(struct rb_root_cached *root,
				 unsigned long start, unsigned long last)
{
	return find(of(root->rb_root.rb_node), start, last, NULL);
}

node_t *interval_tree_iter_next(node_t *node, unsigned long start,
				unsigned long last)
{
	node_t *root = node;

	while (root->rb.rb_parent)
		root = of(root->rb.rb_parent);
	return find(root, start, last, node);
}
