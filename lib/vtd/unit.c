// SPDX-License-Identifier: LGPL-2.1-or-later
/* Making a unit, and its way to memory. */
#include "unit.h"

#define DEFAULT_FLIGHTS	32
#define MAX_ENTRIES	(1u << 24)	/* of each array, so that sums fit */
#define MAX_FLIGHTS	4096		/* tags have 12 bits for them */

/* where the arrays are in the caller's block */
struct layout {
	size_t slots[4], buckets[4];
	size_t flights, waits, log;
	size_t twin, twin_buckets;
	size_t end;
};

static size_t reserve(size_t *end, size_t bytes)
{
	size_t at = (*end + 15) & ~(size_t)15;

	*end = at + bytes;
	return at;
}

static uint32_t cache_nr(const struct vtdu_config *c, enum vtdu_cache cache)
{
	switch (cache) {
	case VTDU_CACHE_CONTEXT:
		return c->nr_context;
	case VTDU_CACHE_PASID:
		return c->nr_pasid;
	case VTDU_CACHE_PAGING:
		return c->nr_paging;
	case VTDU_CACHE_IOTLB:
		return c->nr_iotlb;
	}
	return 0;
}

static uint32_t flights(const struct vtdu_config *c)
{
	return c->nr_devtlb ? c->nr_devtlb : DEFAULT_FLIGHTS;
}

static void lay_out(const struct vtdu_config *c, struct layout *l)
{
	unsigned int i;

	l->end = sizeof(struct vtdu);
	for (i = 0; i < 4; i++) {
		uint32_t nr = cache_nr(c, i);

		l->slots[i] = reserve(&l->end, nr * sizeof(struct slot));
		l->buckets[i] = reserve(&l->end, cache_buckets(nr) *
						 sizeof(uint32_t));
	}
	l->flights = reserve(&l->end, flights(c) * sizeof(struct flight));
	l->waits = reserve(&l->end, flights(c) * sizeof(struct pending_wait));
	l->log = reserve(&l->end, c->nr_log * sizeof(struct vtdu_log));
	l->twin = reserve(&l->end, sizeof(struct vtdu));
	l->twin_buckets = reserve(&l->end, 4 * sizeof(uint32_t));
	l->end = (l->end + 15) & ~(size_t)15;
}

static bool apart(uint32_t a, uint32_t a_end, uint32_t b, uint32_t b_end)
{
	return a_end <= b || b_end <= a;
}

static bool places_valid(const struct vtdu_config *c)
{
	uint32_t fro = CAP_FRO(c->cap), iro = ECAP_IRO(c->ecap);
	uint32_t fro_end = fro + CAP_NFR(c->cap) * 16, iro_end = iro + 16;

	if (fro < FIXED_REGS_END || fro_end > VTDU_REG_BYTES ||
	    iro < FIXED_REGS_END || iro_end > VTDU_REG_BYTES ||
	    !apart(fro, fro_end, iro, iro_end))
		return false;
	return !(c->ecap & ECAP_VCS) ||
	       (apart(fro, fro_end, VC_REGS, VC_REGS_END) &&
		apart(iro, iro_end, VC_REGS, VC_REGS_END));
}

static bool config_valid(const struct vtdu_config *c)
{
	unsigned int i;

	if (c->haw < 32 || c->haw > 52 || CAP_ND(c->cap) > 6 ||
	    !(c->ecap & ECAP_QI) || c->cap & (CAP_AFL | CAP_ECMDS) ||
	    c->ecap & ECAP_PMS || c->vcmd_layout > VTDU_VCMD_33 ||
	    c->flags & ~VTDU_WIDE_INVALIDATION)
		return false;
	/* 39, 48 and 57 bits; others need table formats that do not exist */
	if (!CAP_SAGAW(c->cap) || CAP_SAGAW(c->cap) & ~0xeu ||
	    CAP_MGAW(c->cap) > 57)
		return false;
	for (i = 0; i < 4; i++)
		if (cache_nr(c, i) > MAX_ENTRIES)
			return false;
	if (c->nr_log > MAX_ENTRIES || c->nr_devtlb > MAX_FLIGHTS)
		return false;
	return places_valid(c);
}

size_t vtdu_size(const struct vtdu_config *config)
{
	struct layout l;

	if (!config_valid(config))
		return 0;
	lay_out(config, &l);
	return l.end;
}

/* Which bits of a PASID table entry are reserved depends on ECAP (9.6). */
static void set_pasid_reserved(struct vtdu *u)
{
	uint64_t ecap = u->cfg.ecap;
	uint64_t *r = u->pasid_rsvd;

	r[0] = u->addr_rsvd | VTD_MASK(11, 10) | VTD_BIT(5);
	if (!(ecap & ECAP_SSTS))
		r[0] |= VTD_MASK(63, 12);
	if (!(ecap & ECAP_SSTS) || !(ecap & ECAP_SSADS))
		r[0] |= PASID_SSADE;

	r[1] = VTD_MASK(22, 16) | (0xffff & ~(uint64_t)u->did_mask);
	if (!(ecap & ECAP_SMPWCS))
		r[1] |= PASID_PWSNP;
	if (!(ecap & ECAP_SC))
		r[1] |= PASID_PGSNP;
	if (!(ecap & ECAP_MTS))
		r[1] |= VTD_MASK(63, 25);

	r[2] = u->addr_rsvd | VTD_MASK(11, 8);
	if (!(ecap & ECAP_SRS))
		r[2] |= PASID_SRE;
	if (!(ecap & ECAP_ERS))
		r[2] |= PASID_ERE;
	if (!(ecap & ECAP_FSTS))
		r[2] |= VTD_MASK(63, 12) | VTD_MASK(4, 2);
	if (!(ecap & ECAP_EAFS))
		r[2] |= PASID_EAFE;
}

static void set_derived(struct vtdu *u)
{
	uint64_t cap = u->cfg.cap;
	unsigned int width, did_bits = 4 + 2 * CAP_ND(cap);

	u->addr_rsvd = VTD_MASK(63, u->cfg.haw);
	u->did_mask = (uint16_t)((1u << did_bits) - 1);
	u->mgaw = CAP_MGAW(cap);
	u->cm = cap & CAP_CM;
	u->pt_lg2 = cap & CAP_SSLPS_1G ? 30 : cap & CAP_SSLPS_2M ? 21 : 12;

	width = CAP_SAGAW(cap) & 8 ? 57 : CAP_SAGAW(cap) & 4 ? 48 : 39;
	if (u->cfg.ecap & ECAP_FSTS && width < 57)
		width = cap & CAP_FS5LP ? 57 : 48;
	u->frcd_fi = VTD_MASK(width - 1, 12);
	set_pasid_reserved(u);
}

/* The twin has what the unit is and nothing that remembers. */
static void make_twin(struct vtdu *u, struct vtdu *twin, uint32_t *buckets)
{
	unsigned int i;

	u->twin = twin;
	twin->cfg = u->cfg;
	twin->cfg.nr_log = 0;
	twin->ops = u->ops;
	peek_ops(&twin->ops);
	twin->opaque = u->opaque;
	for (i = 0; i < 4; i++)
		cache_init(&twin->cache[i], NULL, &buckets[i], 0);
	set_derived(twin);
}

struct vtdu *vtdu_init(void *mem, size_t size, const struct vtdu_config *config,
		       const struct vtdu_ops *ops, void *opaque)
{
	struct vtdu *u = mem;
	char *base = mem;
	struct layout l;
	unsigned int i;

	if (!config_valid(config) || (uintptr_t)mem & 15 || !ops->read ||
	    !ops->write || !ops->cmpxchg64)
		return NULL;
	lay_out(config, &l);
	if (size < l.end)
		return NULL;

	__builtin_memset(mem, 0, l.end);
	u->cfg = *config;
	u->ops = *ops;
	u->opaque = opaque;
	for (i = 0; i < 4; i++)
		cache_init(&u->cache[i], (void *)(base + l.slots[i]),
			   (void *)(base + l.buckets[i]), cache_nr(config, i));
	u->nr_flights = flights(config);
	u->flights = (void *)(base + l.flights);
	u->waits = (void *)(base + l.waits);
	u->log = (void *)(base + l.log);
	set_derived(u);
	make_twin(u, (void *)(base + l.twin), (void *)(base + l.twin_buckets));
	reg_init(u);
	vtdu_reset(u);
	return u;
}

void vtdu_reset(struct vtdu *u)
{
	reg_reset(u);
	queue_reset(u);
	inval_clear(u);
	u->root = 0;
	u->must_flush = 0;
	u->next_frcd = 0;
}

unsigned int vtdu_cached(const struct vtdu *u, enum vtdu_cache cache)
{
	return (unsigned int)cache < 4 ? u->cache[cache].used : 0;
}

/* Read @n naturally aligned words of a structure. */
bool mem_read(struct vtdu *u, uint64_t addr, uint64_t *qw, unsigned int n)
{
	unsigned int i;

	if (addr & u->addr_rsvd || !u->ops.read(u->opaque, addr, qw, n * 8))
		return false;
	for (i = 0; i < n; i++)
		qw[i] = vtdu_le64(qw[i]);
	return true;
}

bool mem_write(struct vtdu *u, uint64_t addr, const uint64_t *qw,
	       unsigned int n)
{
	uint64_t le[4];
	unsigned int i;

	for (i = 0; i < n && i < 4; i++)
		le[i] = vtdu_le64(qw[i]);
	return !(addr & u->addr_rsvd) &&
	       u->ops.write(u->opaque, addr, le, i * 8);
}
