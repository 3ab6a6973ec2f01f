/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

/* Every allocation is counted and can be made to fail, see shim.h. */
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/types.h>

struct kmem_cache;

void *kmalloc(size_t bytes, gfp_t gfp) __attribute__((__malloc__));
void *krealloc(const void *p, size_t bytes, gfp_t gfp);
void kfree(const void *p);
void *kmemdup(const void *from, size_t bytes, gfp_t gfp);
char *kstrdup(const char *from, gfp_t gfp);
char *kasprintf(gfp_t gfp, const char *fmt, ...) __printf(2, 3);

struct kmem_cache *kmem_cache_create(const char *name, unsigned int bytes,
				     unsigned int align, unsigned int flags,
				     void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *p);

#define SLAB_ACCOUNT		0x1u
#define SLAB_HWCACHE_ALIGN	0x2u
#define KMEM_CACHE(type, flags)						\
	kmem_cache_create(#type, sizeof(struct type),			\
			  __alignof__(struct type), flags, NULL)
#define kmem_cache_zalloc(c, gfp)	kmem_cache_alloc(c, (gfp) | __GFP_ZERO)
#define kzalloc(bytes, gfp)		kmalloc(bytes, (gfp) | __GFP_ZERO)
#define kmalloc_array(n, bytes, gfp)	kmalloc(array_size(n, bytes), gfp)
#define kcalloc(n, bytes, gfp)		kzalloc(array_size(n, bytes), gfp)
#define krealloc_array(p, n, bytes, gfp)	krealloc(p, array_size(n, bytes), gfp)
#define kmalloc_node(bytes, gfp, nid)	kmalloc(bytes, gfp)
#define kzalloc_node(bytes, gfp, nid)	kzalloc(bytes, gfp)
#define kvmalloc(bytes, gfp)		kmalloc(bytes, gfp)
#define kvzalloc(bytes, gfp)		kzalloc(bytes, gfp)
#define kvmalloc_array(n, bytes, gfp)	kmalloc_array(n, bytes, gfp)
#define kvcalloc(n, bytes, gfp)		kcalloc(n, bytes, gfp)
#define kvfree(p)			kfree(p)
#define kfree_sensitive(p)		kfree(p)

#endif
