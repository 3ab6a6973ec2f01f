// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A treap: in order by key, and no node is heavier than its parent. The weight
 * is a hash of the node's address, so a node holds nothing but its links.
 */
#include <linux/rbtree.h>

static u64 weight(const struct rb_node *node)
{
	u64 x = (u64)node * 0x9e3779b97f4a7c15ull;

	return x ^ x >> 29;
}

/* What points at @node: its parent or the root */
static struct rb_node **link_of(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent;

	if (!parent)
		return &root->rb_node;
	return parent->rb_left == node ? &parent->rb_left : &parent->rb_right;
}

/* Put @node above its parent; the order by key stays. */
static void lift(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent;
	struct rb_node *inner;

	*link_of(parent, root) = node;
	node->rb_parent = parent->rb_parent;
	parent->rb_parent = node;
	if (parent->rb_left == node) {
		inner = node->rb_right;
		node->rb_right = parent;
		parent->rb_left = inner;
	} else {
		inner = node->rb_left;
		node->rb_left = parent;
		parent->rb_right = inner;
	}
	if (inner)
		inner->rb_parent = parent;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	while (node->rb_parent && weight(node) > weight(node->rb_parent))
		lift(node, root);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *child;

	while (node->rb_left && node->rb_right)
		lift(weight(node->rb_left) > weight(node->rb_right) ?
		     node->rb_left : node->rb_right, root);
	child = node->rb_left ?: node->rb_right;
	if (child)
		child->rb_parent = node->rb_parent;
	*link_of(node, root) = child;
}

void rb_replace_node(struct rb_node *old, struct rb_node *node,
		     struct rb_root *root)
{
	*link_of(old, root) = node;
	*node = *old;
	if (node->rb_left)
		node->rb_left->rb_parent = node;
	if (node->rb_right)
		node->rb_right->rb_parent = node;
}

/* The end of the tree under @node on one side */
static struct rb_node *outermost(struct rb_node *node, bool right)
{
	struct rb_node *next;

	while (node && (next = right ? node->rb_right : node->rb_left))
		node = next;
	return node;
}

static struct rb_node *neighbour(const struct rb_node *node, bool right)
{
	struct rb_node *inner = right ? node->rb_right : node->rb_left;
	const struct rb_node *child;

	if (inner)
		return outermost(inner, !right);
	do {
		child = node;
		node = node->rb_parent;
	} while (node && child == (right ? node->rb_right : node->rb_left));
	return (struct rb_node *)node;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return outermost(root->rb_node, false);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return outermost(root->rb_node, true);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	return RB_EMPTY_NODE(node) ? NULL : neighbour(node, true);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	return RB_EMPTY_NODE(node) ? NULL : neighbour(node, false);
}

static struct rb_node *deepest_left(struct rb_node *node)
{
	while (node && (node->rb_left || node->rb_right))
		node = node->rb_left ?: node->rb_right;
	return node;
}

struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return deepest_left(root->rb_node);
}

struct rb_node *rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = node->rb_parent;

	if (parent && parent->rb_left == node && parent->rb_right)
		return deepest_left(parent->rb_right);
	return parent;
}
