/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the unit share. Nobody else includes this.
 *
 * All memory behind struct vtdu is in the block that the caller gave; arrays
 * follow the struct.
 */
#ifndef VTD_UNIT_H
#define VTD_UNIT_H

#include "vtdu.h"
#include "regs.h"

#define PAGE_LG2	12
#define NO_SLOT		UINT32_MAX

#define ZERO(p)		__builtin_memset(p, 0, sizeof(*(p)))

static inline uint64_t vtdu_le64(uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(v);
#else
	return v;
#endif
}

/* log2 bytes that one entry of a paging structure at @level covers; 1: a page */
static inline unsigned int level_lg2(unsigned int level)
{
	return PAGE_LG2 + 9 * (level - 1);
}

static inline bool in_interrupt_range(uint64_t addr)
{
	return addr >= INTERRUPT_BASE && addr <= INTERRUPT_LAST;
}

/*
 * Caches (cache.c)
 */

/* what an IOTLB entry knows of its mapping */
struct tlb_data {
	uint64_t page;		/* first byte of the output page */
	uint8_t perm[2];	/* for user, for supervisor requests */
	bool user_fault;	/* without user permission because of U/S */
	bool sre;		/* supervisor requests are allowed */
	bool ere;		/* execute requests are allowed */
	bool rid_priv;		/* requests without PASID are supervisor ones */
	bool dirty;		/* all dirty bits that matter are set */
	bool snoop;
	bool global;
	bool ats;		/* translation requests are allowed */
};

/* what a paging-structure cache entry knows: the way to the next table */
struct ps_data {
	uint64_t table;		/* host physical */
	uint8_t perm;		/* second stage: SS_R and SS_W of all above */
	bool rw, us, nx;	/* first stage: of all above */
	bool ad_writable;	/* nested: A and D in that table can be set */
};

enum slot_kind {
	SLOT_CONTEXT,		/* sid */
	SLOT_PASID,		/* sid, pasid */
	SLOT_FS,		/* did, pasid, address: also nested */
	SLOT_SS,		/* did, address */
	SLOT_TLB,		/* sid, has_pasid, pasid, address */
};

/* What an entry is found by. Fields that a kind does not use are 0. */
struct slot_key {
	uint8_t kind;
	uint8_t lg2;
	bool has_pasid;
	uint16_t sid;
	uint16_t did;
	uint32_t pasid;
	uint64_t tag;		/* address >> lg2 */
};

struct slot {
	uint32_t chain;		/* next in the hash bucket */
	uint32_t older, newer;
	bool used;
	struct slot_key key;

	/* what it is invalidated by, beside the key */
	uint8_t mode;		/* enum vtdu_mode: IOTLB */
	bool failed;		/* a fault was cached, with CM */
	uint16_t did;
	uint32_t pasid;

	uint8_t fault;		/* with failed */
	bool fpd;
	union {
		uint64_t q[8];	/* context or PASID table entry */
		struct tlb_data tlb;
		struct ps_data ps;
	};
};

struct cache {
	struct slot *slots;
	uint32_t *buckets;
	uint32_t nr, nr_buckets;	/* buckets: a power of two */
	uint32_t used;
	uint32_t oldest, newest, free;
	uint32_t sizes[64];		/* entries, by lg2 */
};

/* An invalidation asks this about every entry. */
typedef bool (*slot_match)(const struct slot *s, const void *arg);

struct slot *cache_find(struct cache *c, const struct slot_key *key);
struct slot *cache_insert(struct cache *c, const struct slot_key *key);
void cache_drop(struct cache *c, struct slot *s);
void cache_drop_matching(struct cache *c, slot_match match, const void *arg);
void cache_clear(struct cache *c);
uint32_t cache_buckets(uint32_t nr);
void cache_init(struct cache *c, struct slot *slots, uint32_t *buckets,
		uint32_t nr);

/* Invalidation (inval.c): forget what @inv names, and tell the caller. */
void inval_run(struct vtdu *u, const struct vtdu_inval *inv);
/* Forget everything without telling anybody. */
void inval_clear(struct vtdu *u);
/* What a page request invalidates (6.5.3.1) */
struct route;
void inval_page_request(struct vtdu *u, const struct route *r, uint64_t addr);

/*
 * The unit
 */

/* a device-TLB invalidation in flight */
struct flight {
	bool used;
	uint16_t sid;
	uint32_t generation;
	uint64_t seq;		/* which one it was */
};

/* a wait descriptor that waits for the flights before it */
struct pending_wait {
	uint64_t qw[2];
	uint64_t seq;		/* all flights below this */
};

/* caches that must be invalidated after SRTP */
#define FLUSH_CONTEXT	(1u << 0)
#define FLUSH_PASID	(1u << 1)
#define FLUSH_IOTLB	(1u << 2)

struct vtdu {
	struct vtdu_config cfg;
	struct vtdu_ops ops;
	void *opaque;
	struct vtdu_stats stats;

	/* from the configuration */
	uint64_t addr_rsvd;	/* bits 63:HAW */
	uint64_t pasid_rsvd[3];	/* reserved in words of a PASID table entry */
	uint64_t frcd_fi;	/* fault info that is recorded */
	uint16_t did_mask;
	uint8_t mgaw;
	uint8_t pt_lg2;		/* page that pass-through maps */
	bool cm;

	/* registers; a bit that is in none of the masks is read-only */
	uint32_t reg[VTDU_REG_BYTES / 4];
	uint32_t rw[VTDU_REG_BYTES / 4];
	uint32_t w1c[VTDU_REG_BYTES / 4];

	uint64_t root;		/* RTADDR as latched by SRTP */
	uint8_t must_flush;	/* FLUSH_* */
	bool qi_stop;		/* QIE cleared, the queue not yet empty */
	uint8_t next_frcd;

	struct cache cache[4];	/* enum vtdu_cache */

	struct flight *flights;
	uint32_t nr_flights;
	uint64_t flight_seq;
	struct pending_wait *waits;	/* a ring as large as flights */
	uint32_t wait_first, nr_waits;
	bool fenced;		/* the newest pending wait has FN */

	struct vtdu_log *log;
	uint64_t log_seq;

	/*
	 * A unit that has no caches and changes nothing, but is of the same
	 * kind: it answers vtdu_peek(). NULL in itself.
	 */
	struct vtdu *twin;
};

static inline uint32_t get32(const struct vtdu *u, uint32_t offset)
{
	return u->reg[offset / 4];
}

static inline void set32(struct vtdu *u, uint32_t offset, uint32_t v)
{
	u->reg[offset / 4] = v;
}

static inline uint64_t get64(const struct vtdu *u, uint32_t offset)
{
	return u->reg[offset / 4] | (uint64_t)u->reg[offset / 4 + 1] << 32;
}

static inline void set64(struct vtdu *u, uint32_t offset, uint64_t v)
{
	u->reg[offset / 4] = v;
	u->reg[offset / 4 + 1] = v >> 32;
}

static inline bool is_scalable(const struct vtdu *u)
{
	return RTADDR_TTM(u->root) == TTM_SCALABLE;
}

/* Memory of structures: false for an access error. (unit.c) */
bool mem_read(struct vtdu *u, uint64_t addr, uint64_t *qw, unsigned int n);
bool mem_write(struct vtdu *u, uint64_t addr, const uint64_t *qw,
	       unsigned int n);

/* Registers (reg.c) */
void reg_init(struct vtdu *u);
void reg_reset(struct vtdu *u);

/* The queue (queue.c) */
void queue_reset(struct vtdu *u);
void queue_disable(struct vtdu *u);

/* Faults and events (fault.c) */
struct fault_info {
	const struct vtdu_request *request;
	bool page_request;
	bool fpd;
};

bool fault_record(struct vtdu *u, const struct fault_info *f, uint8_t code);
bool fault_qualified(uint8_t code);
uint8_t fault_outcome(uint8_t code, uint8_t at, bool *recoverable,
		      bool *report);
void fault_condition(struct vtdu *u, uint32_t fsts);
void fault_serviced(struct vtdu *u);
/* Condition @was pending before: raise @event unless so. */
void event_raise(struct vtdu *u, enum vtdu_event event, bool was);
void event_unmask(struct vtdu *u, enum vtdu_event event);
void event_serviced(struct vtdu *u, enum vtdu_event event);
uint32_t event_ctl(enum vtdu_event event);

/* Contexts (context.c) */

/* Where a request goes after root, context and PASID structures */
struct route {
	uint8_t mode;		/* enum vtdu_mode */
	uint8_t fault;
	bool fpd;
	bool ats, pri, paside;
	bool priv;		/* as the request or RID_PRIV has it */
	bool partial;		/* a translation request: some of the access will do */
	uint16_t did;
	uint32_t pasid;		/* the request's, or RID_PASID */
	/* the PASID table entry, or what a legacy context entry says as one */
	uint64_t q[3];
	unsigned int ss_levels;
	unsigned int fs_levels;
	uint64_t ss_root;
	uint64_t fs_root;
	bool ssade, pwsnp, pgsnp, sre, ere, wpe, nxe, smep, eafe;
};

/* Fill in @r up to what a request of @at needs; the fault is r->fault. */
void context_route(struct vtdu *u, const struct vtdu_request *request,
		   bool page_request, struct route *r);

/* Walks */

/* where a walk ended */
struct walk {
	uint8_t fault;
	uint8_t perm;		/* second stage: VTDU_READ, VTDU_WRITE */
	uint8_t lg2;
	bool snp;
	bool dirty;		/* no dirty bit is left to set */
	bool rw, us, nx, g;	/* first stage */
	uint64_t addr;

	/* first stage: bits that are to be set in the leaf entry */
	uint64_t leaf_at, leaf, leaf_set;
};

/* how often an entry that changes meanwhile is looked at again */
#define ENTRY_RETRIES	8

/* the permissions that @w gives to a user or a supervisor request */
uint8_t fs_perm(const struct route *r, const struct walk *w, bool priv);

/* Will a request for @access with permissions @perm do what it wants? */
static inline bool granted(const struct route *r, uint8_t access, uint8_t perm)
{
	access &= VTDU_READ | VTDU_WRITE;
	return r->partial ? access & perm : !(access & ~perm);
}

/*
 * Second stage of @addr (walk_sl.c). Sets A in all entries and D in the leaf if
 * the request is granted.
 */
void walk_ss(struct vtdu *u, const struct route *r, uint64_t addr,
	     uint8_t access, struct walk *w);
/*
 * First stage of @addr (walk_fl.c), through the second stage in nested mode;
 * @w->addr is a guest physical address then. A and D of the leaf are left to
 * walk_fs_commit(), which returns false if the entry is another one now.
 */
void walk_fs(struct vtdu *u, const struct route *r, uint64_t addr,
	     uint8_t access, struct walk *w);
bool walk_fs_commit(struct vtdu *u, struct walk *w);

/* Virtual commands (vcmd.c) */
uint32_t vcmd_offset(const struct vtdu *u);
void vcmd_reset(struct vtdu *u);
void vcmd_submit(struct vtdu *u);

/* Page requests (prq.c) */
void prq_written(struct vtdu *u, uint32_t offset, uint64_t old);
void prq_respond(struct vtdu *u, const struct vtdu_page_response *response);

/* The twin (peek.c): its callbacks, from those of its unit */
void peek_ops(struct vtdu_ops *ops);

/* Log (log.c) */
void log_add(struct vtdu *u, enum vtdu_log_kind kind, uint16_t a, uint16_t b,
	     const uint64_t *qw, unsigned int n);
void misuse(struct vtdu *u, enum vtdu_misuse m, uint64_t what);

#endif /* VTD_UNIT_H */
