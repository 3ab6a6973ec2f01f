// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdlib.h>
#include <string.h>
#include "../tests/unit/vtdu_env.h"

static bool reaches(const struct env *e, uint64_t addr, size_t len, uint64_t bad)
{
	return addr <= ENV_BYTES - len && addr >> 12 != bad >> 12;
}

static bool do_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct env *e = opaque;

	if (!reaches(e, addr, len, e->no_read))
		return false;
	memcpy(buf, e->mem + addr, len);
	return true;
}

static bool do_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct env *e = opaque;

	if (!reaches(e, addr, len, e->no_write))
		return false;
	memcpy(e->mem + addr, buf, len);
	return true;
}

static bool do_cmpxchg(void *opaque, uint64_t addr, uint64_t *expected,
		       uint64_t desired)
{
	struct env *e = opaque;
	uint64_t now;

	assert_int_equal(addr & 7, 0);
	if (!reaches(e, addr, 8, e->no_write))
		return false;
	if (addr == e->meddle)
		env_w64(e, addr, env_r64(e, addr) ^ 1ULL << 52);
	now = env_r64(e, addr);
	if (now == *expected)
		env_w64(e, addr, desired);
	else
		*expected = now;
	return true;
}

static void do_msi(void *opaque, enum vtdu_event event, uint64_t addr,
		   uint32_t data)
{
	struct env *e = opaque;
	unsigned int i = e->nr_msi++ % ENV_MAX;

	e->msi[i].event = event;
	e->msi[i].addr = addr;
	e->msi[i].data = data;
}

static void do_devtlb(void *opaque, uint32_t tag, const struct vtdu_devtlb *inv)
{
	struct env *e = opaque;
	unsigned int i = e->nr_devtlb++ % ENV_MAX;

	e->devtlb[i].tag = tag;
	e->devtlb[i].inv = *inv;
	if (e->devtlb_at_once)
		vtdu_devtlb_done(e->u, tag);
}

static void do_response(void *opaque, const struct vtdu_page_response *r)
{
	struct env *e = opaque;

	e->response[e->nr_response++ % ENV_MAX] = *r;
}

static void do_invalidate(void *opaque, const struct vtdu_inval *inv)
{
	struct env *e = opaque;

	e->inval[e->nr_inval++ % ENV_MAX] = *inv;
}

static bool do_alloc(void *opaque, uint32_t *pasid)
{
	struct env *e = opaque;

	/* The one behind the last does not exist, which the unit must notice. */
	*pasid = e->next_pasid++;
	return *pasid <= 0x100000;
}

static bool do_free(void *opaque, uint32_t pasid)
{
	struct env *e = opaque;

	if (pasid >= e->next_pasid)
		return false;
	e->freed_pasid = pasid;
	return true;
}

static const struct vtdu_ops env_ops = {
	.read = do_read,
	.write = do_write,
	.cmpxchg64 = do_cmpxchg,
	.msi = do_msi,
	.devtlb = do_devtlb,
	.page_response = do_response,
	.invalidate = do_invalidate,
	.pasid_alloc = do_alloc,
	.pasid_free = do_free,
};

struct vtdu_config env_config(void)
{
	return (struct vtdu_config) {
		.ver = 0x50,
		.cap = 6 | 0xeULL << 8 | 56ULL << 16 |
		       (uint64_t)(ENV_FRO / 16) << 24 | CAP_SSLPS_2M |
		       CAP_SSLPS_1G | CAP_PSI | 3ULL << 40 | 27ULL << 48 |
		       CAP_FS1GP | CAP_FS5LP,
		.ecap = ECAP_QI | ECAP_DT | ECAP_PT | ECAP_SC |
			(uint64_t)(ENV_IRO / 16) << 8 | ECAP_NEST | ECAP_PRS |
			ECAP_SRS | ECAP_NWFS | ECAP_EAFS | 19ULL << 35 |
			ECAP_PASID | ECAP_DIT | ECAP_PDS | ECAP_SMTS | ECAP_VCS |
			ECAP_SSADS | ECAP_SSTS | ECAP_FSTS | ECAP_SMPWCS |
			ECAP_RPS | ECAP_ADMS | ECAP_RPRIVS,
		.vccap = VCCAP_PAS,
		.haw = 46,
		.vcmd_layout = VTDU_VCMD_33,
		.nr_context = 64,
		.nr_pasid = 64,
		.nr_paging = 256,
		.nr_iotlb = 256,
		.nr_devtlb = 8,
		.nr_log = 64,
	};
}

struct env *env_new(const struct vtdu_config *cfg)
{
	struct env *e = calloc(1, sizeof(*e));
	size_t size;

	assert_non_null(e);
	e->cfg = *cfg;
	e->mem = calloc(1, ENV_BYTES);
	e->next = 0x1000;
	e->no_read = ENV_NONE;
	e->no_write = ENV_NONE;
	e->meddle = ENV_NONE;
	e->next_pasid = 5;
	size = vtdu_size(cfg);
	assert_int_not_equal(size, 0);
	e->block = aligned_alloc(16, size);
	e->u = vtdu_init(e->block, size, cfg, &env_ops, e);
	assert_non_null(e->u);
	return e;
}

void env_free(struct env *e)
{
	free(e->block);
	free(e->mem);
	free(e);
}

uint64_t env_page(struct env *e)
{
	uint64_t page = e->next;

	e->next += 0x1000;
	assert_true(e->next <= ENV_BYTES);
	return page;
}

uint64_t env_r64(struct env *e, uint64_t addr)
{
	uint64_t v = 0;
	int i;

	assert_true(addr <= ENV_BYTES - 8);
	for (i = 7; i >= 0; i--)
		v = v << 8 | e->mem[addr + i];
	return v;
}

void env_w64(struct env *e, uint64_t addr, uint64_t v)
{
	int i;

	assert_true(addr <= ENV_BYTES - 8);
	for (i = 0; i < 8; i++)
		e->mem[addr + i] = v >> (8 * i);
}

uint64_t env_get(struct env *e, uint32_t offset)
{
	switch (offset) {
	case VER_REG: case GSTS_REG: case GCMD_REG: case ICS_REG: case PMEN_REG:
	case FSTS_REG ... FEUADDR_REG:
	case PLMBASE_REG: case PLMLIMIT_REG:
	case IECTL_REG ... IEUADDR_REG:
	case PRS_REG: case PECTL_REG ... PEUADDR_REG:
		return vtdu_read(e->u, offset, 4);
	}
	return vtdu_read(e->u, offset, 8);
}

void env_set32(struct env *e, uint32_t offset, uint32_t v)
{
	vtdu_write(e->u, offset, 4, v);
}

void env_set64(struct env *e, uint32_t offset, uint64_t v)
{
	vtdu_write(e->u, offset, 8, v);
}

void env_gcmd(struct env *e, uint32_t bit, bool on)
{
	uint32_t v = (uint32_t)env_get(e, GSTS_REG) & 0x96ffffff;

	env_set32(e, GCMD_REG, on ? v | bit : v & ~bit);
}

static uint64_t descend(struct env *e, uint64_t root, unsigned int levels,
			uint64_t addr, unsigned int to, uint64_t bits,
			uint64_t offset)
{
	uint64_t table = root, at, v;
	unsigned int level;

	for (level = levels;; level--) {
		at = table + (addr >> (12 + 9 * (level - 1)) & 511) * 8;
		if (level == to)
			return at;
		v = env_r64(e, at);
		if (!v) {
			v = (env_page(e) + offset) | bits;
			env_w64(e, at, v);
		}
		table = (v & ENTRY_ADDR) - offset;
	}
}

uint64_t env_map_ss(struct env *e, uint64_t root, unsigned int levels,
		    uint64_t addr, unsigned int leaf_level, uint64_t leaf)
{
	uint64_t at = descend(e, root, levels, addr, leaf_level, SS_R | SS_W, 0);

	env_w64(e, at, leaf | (leaf_level > 1 ? ENTRY_PS : 0));
	return at;
}

/* The tables are seen at @offset from where they are, in nested mode. */
uint64_t env_map_fs(struct env *e, uint64_t root, unsigned int levels,
		    uint64_t addr, unsigned int leaf_level, uint64_t leaf,
		    uint64_t offset)
{
	uint64_t at = descend(e, root, levels, addr, leaf_level,
			      FS_P | FS_RW | FS_US, offset);

	env_w64(e, at, leaf | (leaf_level > 1 ? ENTRY_PS : 0));
	return at;
}

uint64_t env_entry(struct env *e, uint64_t root, unsigned int levels,
		   uint64_t addr, unsigned int level, uint64_t offset)
{
	return descend(e, root, levels, addr, level, 0, offset);
}

static uint64_t table_of(struct env *e, uint64_t at)
{
	if (!(env_r64(e, at) & 1))
		env_w64(e, at, env_page(e) | 1);
	return env_r64(e, at) & ENTRY_ADDR;
}

uint64_t env_legacy_entry(struct env *e, uint16_t sid)
{
	return table_of(e, e->root + (sid >> 8) * 16) + (sid & 0xff) * 16;
}

uint64_t env_scalable_entry(struct env *e, uint16_t sid)
{
	return table_of(e, e->root + (sid >> 8) * 16 + (sid >> 7 & 1) * 8) +
	       (sid & 0x7f) * 32;
}

uint64_t env_pasid_entry(struct env *e, uint64_t dir, uint32_t pasid)
{
	return table_of(e, dir + (pasid >> 6) * 8) + (pasid & 63) * 64;
}

/* Root table, queue, translation */
void env_start(struct env *e, unsigned int ttm)
{
	e->iq = env_page(e);
	env_set64(e, IQT_REG, 0);
	env_set64(e, IQA_REG, e->iq | (ttm ? IQA_DW : 0));
	env_gcmd(e, GCMD_QIE, true);
	env_set64(e, RTADDR_REG, e->root | (uint64_t)ttm << 10);
	env_gcmd(e, GCMD_SRTP, true);
	env_submit(e, env_desc(QI_CONTEXT, G_GLOBAL, 0), 0);
	if (ttm == TTM_SCALABLE)
		env_submit(e, env_desc(QI_PASID, G_PC_GLOBAL, 0), 0);
	env_submit(e, env_desc(QI_IOTLB, G_GLOBAL, 0), 0);
	env_gcmd(e, GCMD_TE, true);
	assert_true(env_get(e, GSTS_REG) & GCMD_TE);
	assert_int_equal(vtdu_misused(e->u), 0);
	e->nr_inval = 0;
}

struct env *env_legacy(const struct vtdu_config *cfg, uint64_t ss_root_tt)
{
	struct env *e = env_new(cfg);
	uint64_t at;

	e->root = env_page(e);
	at = env_legacy_entry(e, ENV_SID);
	env_w64(e, at + 8, 2 | ENV_DID << 8);
	env_w64(e, at, CTX_P | ss_root_tt);
	env_start(e, TTM_LEGACY);
	return e;
}

struct env *env_scalable(const struct vtdu_config *cfg)
{
	struct env *e = env_new(cfg);

	e->root = env_page(e);
	e->dir = env_page(e);
	env_w64(e, env_scalable_entry(e, ENV_SID),
		e->dir | CTX_P | SCTX_DTE | SCTX_PASIDE | SCTX_PRE);
	env_start(e, TTM_SCALABLE);
	return e;
}

void env_set_pasid(struct env *e, uint32_t pasid, const struct env_pasid *p)
{
	uint64_t at = env_pasid_entry(e, e->dir, pasid);
	unsigned int ss = p->ss_levels ? p->ss_levels : 4;

	env_w64(e, at + 8, (p->did ? p->did : ENV_DID) | p->q[1]);
	env_w64(e, at + 16, p->fs_root | p->q[2] |
			    (p->fs_levels == 5 ? 1 << 2 : 0));
	env_w64(e, at, PASID_P | p->ss_root | p->q[0] | (ss - 2) << 2 |
		       p->pgtt << 6);
}

uint64_t env_desc(unsigned int type, unsigned int g, uint16_t did)
{
	return (type & 0xf) | (uint64_t)(type >> 4) << 9 | g << 4 |
	       (uint64_t)did << 16;
}

void env_queue(struct env *e, uint64_t q0, uint64_t q1)
{
	unsigned int size = env_get(e, IQA_REG) & IQA_DW ? 32 : 16;
	uint64_t at = e->iq + e->iq_tail;

	env_w64(e, at, q0);
	env_w64(e, at + 8, q1);
	if (size == 32) {
		env_w64(e, at + 16, 0);
		env_w64(e, at + 24, 0);
	}
	e->iq_tail = (e->iq_tail + size) & 0xfff;
	env_set64(e, IQT_REG, e->iq_tail);
}

void env_submit(struct env *e, uint64_t q0, uint64_t q1)
{
	env_queue(e, q0, q1);
	while (vtdu_run(e->u, 1))
		;
	assert_int_equal(env_get(e, FSTS_REG) & FSTS_IQE, 0);
}

uint8_t env_request(struct env *e, const struct vtdu_request *q,
		    struct vtdu_result *res)
{
	bool ok = vtdu_translate(e->u, q, res);

	assert_int_equal(ok, res->outcome == VTDU_OK && !res->fault);
	return res->fault;
}

static uint8_t dma(struct env *e, bool has_pasid, uint32_t pasid, uint64_t addr,
		   uint8_t access, struct vtdu_result *res)
{
	struct vtdu_request q = {
		.sid = ENV_SID,
		.has_pasid = has_pasid,
		.pasid = pasid,
		.addr = addr,
		.access = access,
	};

	return env_request(e, &q, res);
}

uint8_t env_dma(struct env *e, uint64_t addr, uint8_t access)
{
	struct vtdu_result res;

	return dma(e, false, 0, addr, access, &res);
}

uint8_t env_dma_pasid(struct env *e, uint32_t pasid, uint64_t addr,
		      uint8_t access)
{
	struct vtdu_result res;

	return dma(e, true, pasid, addr, access, &res);
}

uint64_t env_to(struct env *e, uint64_t addr, uint8_t access)
{
	struct vtdu_result res;

	return dma(e, false, 0, addr, access, &res) ? ENV_NONE : res.addr;
}

uint64_t env_to_pasid(struct env *e, uint32_t pasid, uint64_t addr,
		      uint8_t access)
{
	struct vtdu_result res;

	return dma(e, true, pasid, addr, access, &res) ? ENV_NONE : res.addr;
}
