// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What QEMU does otherwise than the specification says, as far as it is known.
 * Each rule has a heading in differences.md, where the sections are named.
 *
 * A rule is as narrow as the copy of the tables allows: where QEMU leaves out a
 * check or makes checks in another order, the tables must have what was not
 * checked.
 */
#include <stdio.h>
#include <string.h>
#include "vtd/regs.h"
#include "judge.h"
#include "machine.h"

struct rule {
	const char *name;
	bool (*applies)(const struct dma *d, const struct verdict *v,
			const struct gen *g);
	unsigned int count;
};

static uint8_t code(const uint64_t record[2])
{
	return record[1] >> 63 ? record[1] >> 32 & 0xff : 0;
}

bool same(const struct dma *d, struct verdict *v)
{
	/* F, type, reason and requester ID */
	const uint64_t mask = VTD_BIT(63) | VTD_BIT(62) | VTD_MASK(39, 32) |
			      0xffff;

	memset(v, 0, sizeof(*v));
	v->model = code(d->model_record);
	v->qemu = code(d->qemu_record);
	if (v->model != v->qemu) {
		v->what = "fault";
		return false;
	}
	if (v->model && (d->model_record[1] ^ d->qemu_record[1]) & mask) {
		v->what = "fault record, upper half";
		return false;
	}
	if (v->model && d->model_record[0] != d->qemu_record[0]) {
		v->what = "fault record, address";
		return false;
	}
	if (d->in_data && d->qemu_data != d->expected) {
		v->what = "data";
		v->data = true;
		return false;
	}
	if (!d->write && d->model.fault && d->qemu_data) {
		v->what = "read though refused";
		v->data = true;
		return false;
	}
	return true;
}

/*
 * The tables, as they are in the copy
 */

static uint64_t entry(const struct gen *g, uint64_t at)
{
	at &= VTD_MASK(51, 3);
	return at < RAM_BYTES - 8 ? gen_read(g, at) : 0;
}

static uint64_t context_at(const struct dma *d, const struct gen *g)
{
	bool scalable = d->mode >= GEN_SS;
	uint64_t root = entry(g, TABLES + (scalable && d->sid >> 7 & 1 ? 8 : 0));

	return (root & ENTRY_ADDR) + (scalable ? (d->sid & 0x7f) * 32 :
						 (d->sid & 0xff) * 16);
}

static uint64_t pasid_at(const struct dma *d, const struct gen *g)
{
	uint64_t dir = entry(g, context_at(d, g)) & ENTRY_ADDR;

	return entry(g, dir) & ENTRY_ADDR;
}

/* The paging entries that the request goes through, the top one first */
struct path {
	unsigned int n;
	uint64_t at[5], e[5];
	bool first;		/* first stage */
	bool leaf;		/* the last one is a leaf, present or not */
	unsigned int lg2;	/* of what the last one covers, in bytes */
};

static void find_path(const struct dma *d, const struct gen *g, struct path *p)
{
	uint64_t base = d->mode >= GEN_SS ? pasid_at(d, g) : context_at(d, g);
	uint64_t q0 = entry(g, base), table = q0 & ENTRY_ADDR, e;
	unsigned int level;

	memset(p, 0, sizeof(*p));
	p->first = d->mode >= GEN_SS && PASID_PGTT(q0) == PGTT_FS;
	if (p->first) {
		level = 4;
		table = entry(g, base + 16) & ENTRY_ADDR;
	} else if (d->mode >= GEN_SS) {
		level = PASID_AW(q0) + 2;
	} else {
		level = CTX_AW(entry(g, base + 8)) + 2;
	}
	if (level > 5)
		level = 5;
	for (; level; level--) {
		p->at[p->n] = (table & VTD_MASK(d->aw - 1, 12)) +
			      (d->addr >> (12 + 9 * (level - 1)) & 511) * 8;
		e = entry(g, p->at[p->n]);
		p->e[p->n++] = e;
		p->lg2 = 12 + 9 * (level - 1);
		p->leaf = level == 1 || e & ENTRY_PS;
		if (p->leaf || !(e & (p->first ? FS_P : SS_R | SS_W)))
			return;
		table = e & ENTRY_ADDR;
	}
}

/*
 * Is there an entry on the way that is present and lacks what the request needs?
 * Then the request is refused whatever comes behind it.
 */
static bool lacks_on_path(const struct dma *d, const struct gen *g)
{
	struct path p;
	unsigned int i;

	find_path(d, g, &p);
	for (i = 0; i < p.n; i++) {
		uint64_t e = p.e[i];

		if (!(e & (p.first ? FS_P : SS_R | SS_W)))
			return false;
		if (p.first ? !(e & FS_US) || (d->write && !(e & FS_RW)) :
			      !(e & (d->write ? SS_W : SS_R)))
			return true;
	}
	return false;
}

static uint64_t leaf(const struct dma *d, const struct gen *g)
{
	struct path p;

	find_path(d, g, &p);
	return p.leaf ? p.e[p.n - 1] : 0;
}

/*
 * Reasons
 */

/* What releases before 10.1 say in scalable mode: the reasons of legacy mode */
static uint8_t legacy_reason(const struct dma *d, uint8_t fault)
{
	switch (fault) {
	case SRT_1:
		return LRT_1;
	case SRT_2:
		return LRT_2;
	case SRT_3:
		return LRT_3;
	case SCT_1:
		return LCT_1;
	case SCT_2:
		return LCT_2;
	case SCT_3:
		return LCT_3;
	case SCT_4:
	case SSS_4:
		return LCT_4;
	case SSS_1:
		return LSS_1;
	case SSS_2:
		return d->write ? LGN_2 : LGN_3;
	case SSS_3:
		return LSS_2;
	case SGN_5:
		return LGN_1;
	case SGN_6:
		return LGN_2;
	case SGN_7:
		return LGN_3;
	}
	return 0;
}

static bool is_pasid_fault(uint8_t fault)
{
	return fault >= SPD_1 && fault <= SPT_4;
}

static bool is_permission(uint8_t fault)
{
	return fault == LGN_2 || fault == LGN_3 || fault == SGN_6 ||
	       fault == SGN_7 || fault == SGN_2;
}

/* The same fault in the words that QEMU has for it */
static bool same_reason(const struct dma *d, uint8_t fault, uint8_t qemu)
{
	return qemu == fault || qemu == legacy_reason(d, fault) ||
	       (is_pasid_fault(fault) && qemu == SPT_1);
}

/* Do the tables of the request ask for silence about faults? */
static bool is_silent(const struct dma *d, const struct gen *g)
{
	uint64_t context = entry(g, context_at(d, g));

	if (context & CTX_FPD)
		return true;
	return d->mode >= GEN_SS &&
	       (entry(g, context & ENTRY_ADDR) & PDIR_FPD ||
		entry(g, pasid_at(d, g)) & PASID_FPD);
}

bool visible(const struct dma *d, const struct gen *g)
{
	return d->in_data || !is_silent(d, g);
}

/* Did QEMU refuse it for @reason, with FPD silently? */
static bool refused(const struct dma *d, const struct verdict *v,
		    const struct gen *g, uint8_t reason)
{
	return v->qemu ? v->qemu == reason : v->data && is_silent(d, g);
}

/*
 * Rules
 */

/* Bits above the widest address the unit translates are 0 (11.4.7.6). */
static bool fault_address(const struct dma *d, const struct verdict *v,
			  const struct gen *g)
{
	return !v->data && v->model && v->model == v->qemu &&
	       d->qemu_record[0] == (d->addr & ~0xfffULL) &&
	       d->model_record[0] == (d->addr & VTD_MASK(d->aw - 1, 12));
}

static bool fpd(const struct dma *d, const struct verdict *v,
		const struct gen *g)
{
	uint8_t f = d->model.fault;

	return !v->data && f && !d->model.recorded &&
	       (f == LCT_3 || f == SCT_3 || is_pasid_fault(f)) &&
	       same_reason(d, f, v->qemu);
}

static bool legacy_reasons(const struct dma *d, const struct verdict *v,
			   const struct gen *g)
{
	return !v->data && d->mode >= GEN_SS && v->qemu &&
	       v->qemu == legacy_reason(d, v->model);
}

static bool pasid_reasons(const struct dma *d, const struct verdict *v,
			  const struct gen *g)
{
	return !v->data && is_pasid_fault(v->model) && v->qemu == SPT_1;
}

/* The page is known and does not permit it: QEMU refuses without a word. */
static bool cached_permission(const struct dma *d, const struct verdict *v,
			      const struct gen *g)
{
	return !v->data && d->model.cached && is_permission(v->model) &&
	       !v->qemu;
}

static bool interrupt_page(const struct dma *d, const struct verdict *v,
			   const struct gen *g)
{
	uint64_t size = 1ULL << d->model.page_lg2;
	uint64_t page = d->model.addr & ~(size - 1);

	return !d->model.fault && (v->qemu == LGN_4 || v->qemu == SGN_8) &&
	       page <= INTERRUPT_LAST && page + size > INTERRUPT_BASE;
}

static bool permission_first(const struct dma *d, const struct verdict *v,
			     const struct gen *g)
{
	uint8_t f = d->model.fault;

	if (v->data || !is_permission(v->qemu) || !lacks_on_path(d, g))
		return false;
	return f == LSS_1 || f == LSS_2 || f == SSS_1 || f == SSS_2 ||
	       f == SSS_3 || f == LGN_2 || f == LGN_3 || f == SFS_1 ||
	       f == SFS_2 || f == SFS_3 || f == SGN_2;
}

static bool pass_through_width(const struct dma *d, const struct verdict *v,
			       const struct gen *g)
{
	return (d->model.fault == LGN_1 || d->model.fault == SGN_4) &&
	       (d->model.mode == VTDU_MODE_LEGACY_PT ||
		d->model.mode == VTDU_MODE_PT) &&
	       d->addr >> d->aw && !v->qemu;
}

static bool pasid_reserved(const struct dma *d, const struct verdict *v,
			   const struct gen *g)
{
	return d->model.fault == SPD_3 || d->model.fault == SPT_3;
}

/* An entry that is not present has nothing else that is wrong (9.6). */
static bool pasid_present(const struct dma *d, const struct verdict *v,
			  const struct gen *g)
{
	return d->model.fault == SPT_2 && v->qemu == SPT_4 &&
	       !(entry(g, pasid_at(d, g)) & PASID_P);
}

static bool other_root_half(const struct dma *d, const struct verdict *v,
			    const struct gen *g)
{
	const uint64_t rsvd = VTD_MASK(11, 1) | VTD_MASK(63, d->aw);
	uint64_t other = entry(g, TABLES + (d->sid >> 7 & 1 ? 0 : 8));

	return d->mode >= GEN_SS && other & rsvd &&
	       (v->qemu == LRT_3 || v->qemu == SRT_3);
}

/* AW means nothing without second-stage tables (9.6). */
static bool pass_through_aw(const struct dma *d, const struct verdict *v,
			    const struct gen *g)
{
	unsigned int aw = PASID_AW(entry(g, pasid_at(d, g)));

	return (d->model.mode == VTDU_MODE_PT ||
		d->model.mode == VTDU_MODE_FS) &&
	       !(CAP_SAGAW(g->cap) >> aw & 1) &&
	       (refused(d, v, g, SPT_1) || refused(d, v, g, SPT_4));
}

/* What a write left behind that QEMU should have refused */
static bool left_behind(const struct dma *d, const struct verdict *v,
			const struct gen *g)
{
	return v->data && d->foreign;
}

/* Bit 62 was TM, which leaf entries could have where there are device-TLBs. */
static bool transient_mapping(const struct dma *d, const struct verdict *v,
			      const struct gen *g)
{
	return g->ecap & ECAP_DT &&
	       (d->model.fault == LSS_2 || d->model.fault == SSS_3) &&
	       leaf(d, g) & VTD_BIT(62);
}

/* SNP is reserved without snoop control. */
static bool snoop_bit(const struct dma *d, const struct verdict *v,
		      const struct gen *g)
{
	return !(g->ecap & ECAP_SC) && d->model.fault == SSS_3 &&
	       leaf(d, g) & SS_SNP;
}

/* Canonical is a matter of FSPM (3.6), not of AW. */
static bool canonical_width(const struct dma *d, const struct verdict *v,
			    const struct gen *g)
{
	unsigned int width = 30 + 9 * PASID_AW(entry(g, pasid_at(d, g)));
	uint64_t high = d->addr >> (width - 1);

	return d->mode == GEN_FS && refused(d, v, g, SGN_1) && width < 48 &&
	       high && high != ~0ULL >> (width - 1);
}

static struct rule rules[] = {
	{ "fault-address", fault_address },
	{ "fault-processing-disable", fpd },
	{ "legacy-reasons", legacy_reasons },
	{ "pasid-reasons", pasid_reasons },
	{ "pasid-reserved", pasid_reserved },
	{ "pasid-present", pasid_present },
	{ "other-root-half", other_root_half },
	{ "cached-permission", cached_permission },
	{ "interrupt-page", interrupt_page },
	{ "permission-first", permission_first },
	{ "pass-through-width", pass_through_width },
	{ "pass-through-aw", pass_through_aw },
	{ "transient-mapping", transient_mapping },
	{ "snoop-bit", snoop_bit },
	{ "canonical-width", canonical_width },
	{ "left-behind", left_behind },
	/* for entries, not for requests: SPECULATIVE and what follows */
	{ "speculative-accessed", NULL },
	{ "cached-dirty", NULL },
	{ "one-flag", NULL },
	{ "interrupt-dirty", NULL },
	{ "wait-nothing", NULL },
	{ "pasid-descriptors", NULL },
	{ "page-response", NULL },
	{ "upper-words", NULL },
	{ "type-high", NULL },
	{ "interrupt-cache", NULL },
	{ "address-mask", NULL },
	{ NULL },
};

const char *explain(const struct dma *d, const struct verdict *v,
		    const struct gen *g)
{
	struct rule *r;

	for (r = rules; r->applies; r++) {
		if (r->applies(d, v, g)) {
			r->count++;
			return r->name;
		}
	}
	return NULL;
}

unsigned int path_entries(const struct dma *d, const struct gen *g,
			  uint64_t at[5])
{
	struct path p;

	find_path(d, g, &p);
	memcpy(at, p.at, sizeof(p.at));
	return p.n;
}

uint64_t path_target(const struct dma *d, const struct gen *g)
{
	uint64_t mask;
	struct path p;

	if (d->mode == GEN_PT || d->mode == GEN_LEGACY_PT)
		return d->addr & VTD_MASK(d->aw - 1, 0);
	find_path(d, g, &p);
	if (!p.leaf)
		return 0;
	mask = (1ULL << p.lg2) - 1;
	return (p.e[p.n - 1] & VTD_MASK(d->aw - 1, 12) & ~mask) |
	       (d->addr & mask);
}

/* Rules for entries, behind those for requests */
enum {
	SPECULATIVE, CACHED_DIRTY, ONE_FLAG, INTERRUPT_DIRTY,
	/* and for descriptors */
	WAIT_NOTHING, PASID_DESCRIPTORS, PAGE_RESPONSE, UPPER_WORDS, TYPE_HIGH,
	INTERRUPT_CACHE, ADDRESS_MASK,
};

static bool used(unsigned int which)
{
	struct rule *r;

	for (r = rules; r->applies; r++)
		;
	r[which].count++;
	return true;
}

bool explain_entry(const struct uses *u, uint64_t model, uint64_t qemu)
{
	uint64_t diff = model ^ qemu;

	if (diff & ~(FS_A | FS_D))
		return false;
	/* A on the way of a refused request may be set or not (3.6.2). */
	if (u->refused && diff == FS_A)
		return used(SPECULATIVE);
	if (u->interrupt && !(model & diff))
		return used(INTERRUPT_DIRTY);
	/* The page was known from a read when it was written. */
	if (u->read && u->written && model == (qemu | FS_D))
		return used(CACHED_DIRTY);
	/* Written while one of the two was set: the other stays clear. */
	if (u->written && !(qemu & diff) && qemu & (FS_A | FS_D))
		return used(ONE_FLAG);
	return false;
}

bool explain_descriptor(const struct gen *g, const uint64_t *qw,
			unsigned int words, bool model, bool qemu)
{
	unsigned int type = QI_TYPE(qw[0]);

	if (type == QI_WAIT && !model && qemu &&
	    !(qw[0] & (QI_WAIT_SW | QI_WAIT_IF)))
		return used(WAIT_NOTHING);
	if ((type == QI_PIOTLB || type == QI_PASID) && model && !qemu)
		return used(PASID_DESCRIPTORS);
	if (type == QI_PDEVTLB && !model && qemu)
		return used(PASID_DESCRIPTORS);
	if (type == QI_RESPONSE && model && !qemu && !(g->ecap & ECAP_PRS))
		return used(PAGE_RESPONSE);
	if (words == 4 && qw[2] | qw[3] && model && !qemu)
		return used(UPPER_WORDS);
	if (type > 15 && model && !qemu)
		return used(TYPE_HIGH);
	if (type == QI_IEC && model && !qemu)
		return used(INTERRUPT_CACHE);
	if ((type == QI_IOTLB || type == QI_PIOTLB) && !model && qemu &&
	    VTD_FIELD(qw[0], 5, 4) == G_NARROW &&
	    IVA_AM(qw[1]) > CAP_MAMV(g->cap))
		return used(ADDRESS_MASK);
	return false;
}

static bool has_heading(const char *path, const char *name)
{
	char line[256], want[128];
	bool found = false;
	FILE *f;

	if (!path)
		return true;
	snprintf(want, sizeof(want), "## %s\n", name);
	f = fopen(path, "r");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = !strcmp(line, want);
	fclose(f);
	return found;
}

int explain_summary(const char *path)
{
	struct rule *r;
	int missing = 0;

	for (r = rules; r->name; r++) {
		if (!r->count)
			continue;
		printf("%6u times: %s\n", r->count, r->name);
		if (!has_heading(path, r->name)) {
			printf("   which %s does not explain\n", path);
			missing++;
		}
	}
	return missing;
}
