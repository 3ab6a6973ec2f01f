// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A cache: a fixed number of entries, found by a hash of what they are tagged
 * with, kept until somebody drops them or until the cache is full and they are
 * the oldest. All caches of the unit are of this kind, so that nothing is ever
 * forgotten by accident of where it was put.
 */
#include "unit.h"

static uint32_t hash(const struct cache *c, const struct slot_key *k)
{
	uint64_t h = k->tag * 0x9e3779b97f4a7c15ULL;

	h ^= ((uint64_t)k->pasid << 32 | (uint64_t)k->sid << 16 | k->did) *
	     0xc2b2ae3d27d4eb4fULL;
	h ^= (uint64_t)(k->kind << 16 | k->lg2 << 8 | k->has_pasid) *
	     0x165667b19e3779f9ULL;
	h ^= h >> 29;
	return (uint32_t)(h ^ h >> 32) & (c->nr_buckets - 1);
}

static bool same_key(const struct slot_key *a, const struct slot_key *b)
{
	return a->kind == b->kind && a->lg2 == b->lg2 &&
	       a->has_pasid == b->has_pasid && a->sid == b->sid &&
	       a->did == b->did && a->pasid == b->pasid && a->tag == b->tag;
}

/* Buckets for @nr entries: the power of two that is not below */
uint32_t cache_buckets(uint32_t nr)
{
	uint32_t n = 1;

	while (n < nr)
		n <<= 1;
	return n;
}

void cache_init(struct cache *c, struct slot *slots, uint32_t *buckets,
		uint32_t nr)
{
	ZERO(c);
	c->slots = slots;
	c->buckets = buckets;
	c->nr = nr;
	c->nr_buckets = cache_buckets(nr);
	cache_clear(c);
}

void cache_clear(struct cache *c)
{
	uint32_t i;

	for (i = 0; i < c->nr_buckets; i++)
		c->buckets[i] = NO_SLOT;
	for (i = 0; i < c->nr; i++) {
		c->slots[i].used = false;
		c->slots[i].chain = i + 1 < c->nr ? i + 1 : NO_SLOT;
	}
	c->free = c->nr ? 0 : NO_SLOT;
	c->oldest = NO_SLOT;
	c->newest = NO_SLOT;
	c->used = 0;
	__builtin_memset(c->sizes, 0, sizeof(c->sizes));
}

struct slot *cache_find(struct cache *c, const struct slot_key *key)
{
	uint32_t i;

	if (!c->sizes[key->lg2])
		return NULL;
	for (i = c->buckets[hash(c, key)]; i != NO_SLOT; i = c->slots[i].chain)
		if (same_key(&c->slots[i].key, key))
			return &c->slots[i];
	return NULL;
}

void cache_drop(struct cache *c, struct slot *s)
{
	uint32_t i = (uint32_t)(s - c->slots);
	uint32_t *link = &c->buckets[hash(c, &s->key)];

	while (*link != i)
		link = &c->slots[*link].chain;
	*link = s->chain;

	if (s->older != NO_SLOT)
		c->slots[s->older].newer = s->newer;
	else
		c->oldest = s->newer;
	if (s->newer != NO_SLOT)
		c->slots[s->newer].older = s->older;
	else
		c->newest = s->older;

	c->sizes[s->key.lg2]--;
	c->used--;
	s->used = false;
	s->chain = c->free;
	c->free = i;
}

/* A new entry for @key, zeroed, in place of one that it had; NULL: no cache */
struct slot *cache_insert(struct cache *c, const struct slot_key *key)
{
	struct slot *s = cache_find(c, key);
	uint32_t i, bucket;

	if (s)
		cache_drop(c, s);
	if (c->free == NO_SLOT) {
		if (c->oldest == NO_SLOT)
			return NULL;
		cache_drop(c, &c->slots[c->oldest]);
	}
	i = c->free;
	s = &c->slots[i];
	c->free = s->chain;

	ZERO(s);
	s->used = true;
	s->key = *key;
	bucket = hash(c, key);
	s->chain = c->buckets[bucket];
	c->buckets[bucket] = i;
	s->newer = NO_SLOT;
	s->older = c->newest;
	if (c->newest != NO_SLOT)
		c->slots[c->newest].newer = i;
	else
		c->oldest = i;
	c->newest = i;
	c->sizes[key->lg2]++;
	c->used++;
	return s;
}

void cache_drop_matching(struct cache *c, slot_match match, const void *arg)
{
	uint32_t i, newer;

	for (i = c->oldest; i != NO_SLOT; i = newer) {
		newer = c->slots[i].newer;
		if (match(&c->slots[i], arg))
			cache_drop(c, &c->slots[i]);
	}
}
