// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The invalidation queue of lib/vtd: each type of descriptor, each reserved bit,
 * each way for the queue to stop, and what is asynchronous.
 */
#include "vtdu_env.h"

static struct env *e;

static void run(void)
{
	while (vtdu_run(e->u, 3))
		;
}

static uint32_t head(void)
{
	return (uint32_t)env_get(e, IQH_REG);
}

static void start(unsigned int ttm)
{
	struct vtdu_config cfg = env_config();

	e = ttm ? env_scalable(&cfg) : env_legacy(&cfg, 0);
}

/* The queue stopped at its head, with this reason. Take it out of the way. */
static void expect_error(unsigned int iqei)
{
	uint32_t at = head();

	assert_true(env_get(e, FSTS_REG) & FSTS_IQE);
	assert_int_equal(env_get(e, IQERCD_REG) & 0xf, iqei);
	run();
	assert_int_equal(head(), at);
	/* It is read again when IQE is cleared. */
	env_set32(e, FSTS_REG, FSTS_IQE);
	run();
	assert_true(env_get(e, FSTS_REG) & FSTS_IQE);
	assert_int_equal(head(), at);
	env_w64(e, e->iq + at, QI_WAIT);
	env_w64(e, e->iq + at + 8, 0);
	if (env_get(e, IQA_REG) & IQA_DW) {
		env_w64(e, e->iq + at + 16, 0);
		env_w64(e, e->iq + at + 24, 0);
	}
	env_set32(e, FSTS_REG, FSTS_IQE);
	run();
	assert_int_equal(env_get(e, FSTS_REG), 0);
	assert_int_equal(head(), e->iq_tail);
}

/* All bits of a type that are not reserved; bits of the type itself are not. */
struct form {
	uint64_t type;		/* with what else must be set */
	uint64_t lo, hi;	/* bits that a valid descriptor may have */
};

static void check_form(const struct form *f)
{
	unsigned int bit, word;
	uint64_t qw[4];

	env_queue(e, f->type, 0);
	run();
	assert_int_equal(env_get(e, FSTS_REG), 0);
	for (word = 0; word < 4; word++) {
		if (word > 1 && !(env_get(e, IQA_REG) & IQA_DW))
			return;
		for (bit = 0; bit < 64; bit++) {
			bool ok = (word == 0 && f->lo >> bit & 1) ||
				  (word == 1 && f->hi >> bit & 1);

			if (word == 0 && (bit < 4 || (bit >= 9 && bit < 12)))
				continue;
			qw[0] = f->type;
			qw[1] = qw[2] = qw[3] = 0;
			qw[word] |= 1ULL << bit;
			env_queue(e, qw[0], qw[1]);
			if (word > 1)
				env_w64(e, e->iq + ((e->iq_tail - 32) & 0xfff) +
					   word * 8, qw[word]);
			run();
			if (ok)
				assert_int_equal(env_get(e, FSTS_REG), 0);
			else
				expect_error(IQEI_RESERVED);
		}
	}
}

static const struct form legacy_forms[] = {
	{ QI_CONTEXT | 1 << 4, VTD_MASK(49, 16) | VTD_MASK(5, 4), 0 },
	{ QI_IOTLB | 1 << 4, VTD_MASK(31, 16) | VTD_MASK(7, 4),
	  VTD_MASK(63, 12) | VTD_MASK(6, 0) },
	{ QI_DEVTLB, VTD_MASK(63, 52) | VTD_MASK(47, 32) | VTD_MASK(20, 12),
	  VTD_MASK(63, 12) | 1 },
	{ QI_IEC, VTD_MASK(47, 27) | 1 << 4, 0 },
	{ QI_WAIT, VTD_MASK(63, 32) | VTD_MASK(7, 4), VTD_MASK(63, 2) },
};

static const struct form scalable_forms[] = {
	{ QI_PIOTLB | 2 << 4, VTD_MASK(51, 16) | VTD_MASK(5, 4),
	  VTD_MASK(63, 12) | VTD_MASK(6, 0) },
	{ QI_PASID | 1 << 4, VTD_MASK(51, 16) | VTD_MASK(5, 4), 0 },
	{ QI_PDEVTLB, VTD_MASK(63, 12) | VTD_MASK(8, 4),
	  VTD_MASK(63, 11) | 1 },
	{ QI_RESPONSE, VTD_MASK(51, 12) | 1 << 4, VTD_MASK(11, 2) },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void test_reserved(void **state)
{
	unsigned int i, ttm;

	for (ttm = TTM_LEGACY; ttm <= TTM_SCALABLE; ttm++) {
		start(ttm);
		e->devtlb_at_once = true;
		for (i = 0; i < COUNT(legacy_forms); i++)
			check_form(&legacy_forms[i]);
		for (i = 0; ttm && i < COUNT(scalable_forms); i++)
			check_form(&scalable_forms[i]);
		env_free(e);
	}
}

/* Granularities that do not exist; AM counts for pages alone. */
static void test_granularity(void **state)
{
	static const uint64_t wrong[] = {
		QI_CONTEXT, QI_IOTLB, QI_PIOTLB, QI_PIOTLB | 1 << 4,
		QI_PASID | 2 << 4,
	};
	struct vtdu_config cfg = env_config();
	unsigned int i;

	start(TTM_SCALABLE);
	for (i = 0; i < COUNT(wrong); i++) {
		env_queue(e, wrong[i], 0);
		run();
		expect_error(IQEI_RESERVED);
	}
	env_free(e);

	cfg.cap &= ~CAP_PSI;
	e = env_legacy(&cfg, 0);
	env_queue(e, env_desc(QI_IOTLB, G_NARROW, 5), 0);
	run();
	expect_error(IQEI_RESERVED);
	env_free(e);
}

/* Which types there are depends on mode and capabilities. */
static void test_types(void **state)
{
	struct vtdu_config cfg = env_config();
	unsigned int type, cut;
	bool valid;

	for (cut = 0; cut < 3; cut++) {
		cfg = env_config();
		if (cut)
			cfg.ecap &= ~(ECAP_DT | ECAP_PRS);
		e = cut == 2 ? env_legacy(&cfg, 0) : env_scalable(&cfg);
		e->devtlb_at_once = true;
		for (type = 0; type < 128; type++) {
			uint64_t q0 = env_desc(type, 1, 0);

			valid = type >= 1 && type <= 9;
			if (type == QI_DEVTLB || type == QI_PDEVTLB ||
			    type == QI_RESPONSE)
				valid = !cut;
			if (type > 5 && cut == 2)
				valid = false;
			if (type == QI_PIOTLB)
				q0 = env_desc(type, 2, 0);
			if (type == QI_DEVTLB || type == QI_RESPONSE)
				q0 = env_desc(type, 0, 0);
			env_queue(e, q0, 0);
			run();
			if (valid)
				assert_int_equal(env_get(e, FSTS_REG) & ~0xff01,
						 0);
			else
				expect_error(IQEI_TYPE);
			env_set32(e, ICS_REG, 1);
		}
		env_free(e);
	}

	/* 256-bit descriptors in legacy mode: the types of legacy mode */
	cfg = env_config();
	e = env_legacy(&cfg, 0);
	env_gcmd(e, GCMD_QIE, false);
	env_set64(e, IQT_REG, 0);
	env_set64(e, IQA_REG, e->iq | IQA_DW);
	e->iq_tail = 0;
	env_gcmd(e, GCMD_QIE, true);
	env_submit(e, env_desc(QI_CONTEXT, G_GLOBAL, 0), 0);
	assert_int_equal(head(), 32);
	env_queue(e, env_desc(QI_PASID, G_PC_GLOBAL, 0), 0);
	run();
	expect_error(IQEI_TYPE);
	env_free(e);
}

/* What stops the queue before a descriptor is looked at */
static void test_stops(void **state)
{
	struct vtdu_config cfg = env_config();
	unsigned int i;

	start(TTM_SCALABLE);
	env_set64(e, IQT_REG, e->iq_tail + 16);
	run();
	assert_int_equal(env_get(e, IQERCD_REG), IQEI_TAIL_ALIGN);
	env_set64(e, IQT_REG, 0x1000);
	env_set32(e, FSTS_REG, FSTS_IQE);
	run();
	assert_int_equal(env_get(e, IQERCD_REG), IQEI_TAIL);
	env_set64(e, IQT_REG, e->iq_tail);
	env_queue(e, QI_WAIT, 0);
	e->no_read = e->iq;
	env_set32(e, FSTS_REG, FSTS_IQE);
	run();
	assert_int_equal(env_get(e, IQERCD_REG), IQEI_FETCH);
	e->no_read = ENV_NONE;
	env_set32(e, FSTS_REG, FSTS_IQE);
	run();
	assert_int_equal(env_get(e, FSTS_REG), 0);
	/* A queue beyond the host's addresses */
	env_set64(e, IQA_REG, 1ULL << 46 | IQA_DW);
	env_queue(e, QI_WAIT, 0);
	run();
	assert_int_equal(env_get(e, IQERCD_REG), IQEI_FETCH);
	env_set64(e, IQA_REG, e->iq);
	env_set32(e, FSTS_REG, FSTS_IQE);
	run();
	assert_int_equal(env_get(e, IQERCD_REG), IQEI_WIDTH);
	/* A mode that does not exist */
	env_set64(e, RTADDR_REG, TTM_RESERVED << 10);
	env_gcmd(e, GCMD_SRTP, true);
	env_set32(e, FSTS_REG, FSTS_IQE);
	run();
	assert_int_equal(env_get(e, IQERCD_REG), IQEI_TTM);
	/* abort-DMA mode works like scalable mode here. */
	env_set64(e, RTADDR_REG, TTM_ABORT << 10);
	env_gcmd(e, GCMD_SRTP, true);
	env_set32(e, FSTS_REG, FSTS_IQE);
	run();
	assert_int_equal(env_get(e, IQERCD_REG), IQEI_WIDTH);
	env_free(e);

	/* Wide descriptors where nobody has them */
	cfg.ecap &= ~(ECAP_SMTS | ECAP_ADMS);
	e = env_legacy(&cfg, 0);
	env_set64(e, IQA_REG, e->iq | IQA_DW);
	env_queue(e, QI_WAIT, 0);
	run();
	assert_int_equal(env_get(e, IQERCD_REG), IQEI_WIDTH);
	env_free(e);

	/* IQE is a condition of the fault event. */
	start(TTM_LEGACY);
	env_set32(e, FEADDR_REG, 0xfee00000);
	env_set32(e, FECTL_REG, 0);
	env_queue(e, 0xf, 0);
	run();
	assert_int_equal(e->nr_msi, 1);
	assert_int_equal(e->msi[0].event, VTDU_EVENT_FAULT);
	expect_error(IQEI_TYPE);
	assert_int_equal(e->nr_msi, 2);

	/* Round the queue, with more of it than one page */
	for (i = 0; i < 600; i++)
		env_submit(e, QI_WAIT, 0);
	assert_int_equal(head(), e->iq_tail);
	env_free(e);
}

static void test_wait(void **state)
{
	unsigned int i;

	start(TTM_LEGACY);
	env_set32(e, IEDATA_REG, 0x42);
	env_set32(e, IEADDR_REG, 0xfee01000);
	env_submit(e, QI_WAIT | QI_WAIT_SW | 0xdeadbeefULL << 32, 0x700004);
	assert_int_equal(env_r64(e, 0x700000), 0xdeadbeef00000000);
	/* Bits above HAW are ignored, and no memory is nobody's problem. */
	env_submit(e, QI_WAIT | QI_WAIT_SW | 1ULL << 32, 1ULL << 50 | 0x700004);
	assert_int_equal(env_r64(e, 0x700000), 0x100000000);
	env_submit(e, QI_WAIT | QI_WAIT_SW, 1ULL << 45);
	assert_int_equal(env_get(e, ICS_REG), 0);

	env_submit(e, QI_WAIT | QI_WAIT_IF, 0);
	assert_int_equal(env_get(e, ICS_REG), ICS_IWC);
	assert_int_equal(env_get(e, IECTL_REG), EVENT_IM | EVENT_IP);
	env_set32(e, ICS_REG, ICS_IWC);
	assert_int_equal(env_get(e, IECTL_REG), EVENT_IM);
	env_set32(e, IECTL_REG, 0);
	assert_int_equal(e->nr_msi, 0);
	for (i = 0; i < 3; i++)
		env_submit(e, QI_WAIT | QI_WAIT_IF | QI_WAIT_FN | QI_WAIT_PD, 0);
	assert_int_equal(e->nr_msi, 1);
	assert_int_equal(e->msi[0].event, VTDU_EVENT_COMPLETION);
	assert_int_equal(e->msi[0].addr, 0xfee01000);
	assert_int_equal(e->msi[0].data, 0x42);
	env_set32(e, ICS_REG, ICS_IWC);
	env_submit(e, QI_WAIT | QI_WAIT_IF, 0);
	assert_int_equal(e->nr_msi, 2);
	/* Somewhere else than where interrupts go */
	env_set32(e, ICS_REG, ICS_IWC);
	env_set32(e, IEADDR_REG, 0x1000);
	env_submit(e, QI_WAIT | QI_WAIT_IF, 0);
	assert_int_equal(vtdu_stats(e->u)->misuse[VTDU_MISUSE_EVENT_ADDR], 1);
	env_free(e);
}

static void test_budget(void **state)
{
	unsigned int i;

	start(TTM_LEGACY);
	for (i = 0; i < 5; i++)
		env_queue(e, QI_WAIT | QI_WAIT_SW | (uint64_t)(i + 1) << 32,
			  0x700000);
	assert_int_equal(env_r64(e, 0x700000), 0);
	assert_true(vtdu_run(e->u, 0));
	assert_true(vtdu_run(e->u, 2));
	assert_int_equal(env_r64(e, 0x700000), 2);
	assert_true(vtdu_run(e->u, 2));
	assert_false(vtdu_run(e->u, 2));
	assert_int_equal(env_r64(e, 0x700000), 5);
	assert_false(vtdu_run(e->u, 2));

	/* Off only when it is empty, and then from the start */
	env_queue(e, QI_WAIT, 0);
	env_gcmd(e, GCMD_QIE, false);
	assert_true(env_get(e, GSTS_REG) & GCMD_QIE);
	run();
	assert_false(env_get(e, GSTS_REG) & GCMD_QIE);
	assert_int_equal(head(), 0);
	assert_false(vtdu_run(e->u, 2));
	env_free(e);
}

static void test_devtlb(void **state)
{
	static const struct {
		uint64_t q1, addr, size;
	} ranges[] = {
		{ 0x12345000, 0x12345000, 0x1000 },
		{ 0x12344001, 0x12344000, 0x2000 },
		{ 0x12345001, 0x12344000, 0x4000 },
		{ 0x0007f001, 0, 0x100000 },
		{ 0x3fffffffff000001 | 0xfff000, 0, 1ULL << 63 },
		{ 0x7ffffffffffff001, 0, 0 },
		{ 0xfffffffffffff001, 0, 0 },
	};
	uint64_t q1;
	unsigned int i;

	start(TTM_SCALABLE);
	e->devtlb_at_once = true;
	for (i = 0; i < COUNT(ranges); i++) {
		q1 = ranges[i].q1;
		if (i == 4)
			q1 = 0x3ffffffffffff001;
		env_submit(e, QI_DEVTLB | 0x3ULL << 12 | 5 << 16 |
			      0x1234ULL << 32 | 0x567ULL << 52, q1);
		assert_int_equal(e->devtlb[i].inv.sid, 0x1234);
		assert_int_equal(e->devtlb[i].inv.pfsid, 0x5673);
		assert_int_equal(e->devtlb[i].inv.mip, 5);
		assert_false(e->devtlb[i].inv.has_pasid);
		assert_int_equal(e->devtlb[i].inv.addr, ranges[i].addr);
		assert_int_equal(e->devtlb[i].inv.size, ranges[i].size);
	}
	env_submit(e, QI_PDEVTLB | 7 << 4 | 0x3ULL << 12 | 0x1234ULL << 16 |
		      0xabcdeULL << 32 | 0x567ULL << 52, 0x7000 | 1 << 11 | 1);
	assert_true(e->devtlb[i].inv.has_pasid);
	assert_true(e->devtlb[i].inv.global);
	assert_int_equal(e->devtlb[i].inv.sid, 0x1234);
	assert_int_equal(e->devtlb[i].inv.pfsid, 0x5673);
	assert_int_equal(e->devtlb[i].inv.mip, 7);
	assert_int_equal(e->devtlb[i].inv.pasid, 0xabcde);
	assert_int_equal(e->devtlb[i].inv.addr, 0);
	assert_int_equal(e->devtlb[i].inv.size, 0x10000);
	env_free(e);
}

static void invalidate(uint16_t sid)
{
	env_queue(e, QI_DEVTLB | (uint64_t)sid << 32, 0x1000);
}

static void wait_for(uint32_t value, uint64_t flags)
{
	env_queue(e, QI_WAIT | QI_WAIT_SW | flags | (uint64_t)value << 32,
		  0x700000);
}

static void test_pending(void **state)
{
	start(TTM_LEGACY);
	/* A wait waits for what is before it; others go on meanwhile. */
	invalidate(1);
	wait_for(1, 0);
	invalidate(2);
	wait_for(2, 0);
	env_queue(e, env_desc(QI_IOTLB, G_GLOBAL, 0), 0);
	run();
	assert_int_equal(head(), e->iq_tail);
	assert_int_equal(e->nr_devtlb, 2);
	assert_int_equal(e->nr_inval, 1);
	assert_int_equal(env_r64(e, 0x700000), 0);
	assert_true(vtdu_devtlb_done(e->u, e->devtlb[1].tag));
	assert_int_equal(env_r64(e, 0x700000), 0);
	assert_true(vtdu_devtlb_done(e->u, e->devtlb[0].tag));
	assert_int_equal(env_r64(e, 0x700000), 2);
	/* Once is enough. */
	assert_false(vtdu_devtlb_done(e->u, e->devtlb[0].tag));
	assert_false(vtdu_devtlb_done(e->u, 0xffffffff));

	/* The place of a tag is used again, the tag is not. */
	invalidate(9);
	run();
	assert_int_equal(e->nr_devtlb, 3);
	assert_int_not_equal(e->devtlb[2].tag, e->devtlb[0].tag);
	assert_false(vtdu_devtlb_done(e->u, e->devtlb[0].tag));
	/* Off only when that has ended, though the queue is empty */
	env_gcmd(e, GCMD_QIE, false);
	assert_true(env_get(e, GSTS_REG) & GCMD_QIE);
	assert_true(vtdu_devtlb_done(e->u, e->devtlb[2].tag));
	assert_false(env_get(e, GSTS_REG) & GCMD_QIE);
	env_gcmd(e, GCMD_QIE, true);
	e->iq_tail = 0;
	env_set64(e, IQT_REG, 0);

	/* A fence lets nothing pass. */
	invalidate(3);
	wait_for(3, QI_WAIT_FN);
	wait_for(4, 0);
	run();
	assert_int_not_equal(head(), e->iq_tail);
	assert_int_equal(env_r64(e, 0x700000), 2);
	/* Switching off waits, too. */
	env_gcmd(e, GCMD_QIE, false);
	run();
	assert_true(vtdu_devtlb_done(e->u, e->devtlb[3].tag));
	assert_int_equal(env_r64(e, 0x700000), 3);
	assert_true(env_get(e, GSTS_REG) & GCMD_QIE);
	run();
	assert_int_equal(env_r64(e, 0x700000), 4);
	assert_false(env_get(e, GSTS_REG) & GCMD_QIE);
	env_free(e);
}

/* More than can be in flight, or can wait */
static void test_full(void **state)
{
	unsigned int i;

	start(TTM_LEGACY);
	for (i = 0; i < 10; i++)
		invalidate((uint16_t)i);
	wait_for(1, 0);
	run();
	assert_int_equal(e->nr_devtlb, 8);
	for (i = 0; i < 10; i++) {
		assert_int_equal(env_r64(e, 0x700000), 0);
		assert_true(vtdu_devtlb_done(e->u, e->devtlb[i].tag));
		run();
	}
	assert_int_equal(env_r64(e, 0x700000), 1);
	invalidate(1);
	for (i = 0; i < 20; i++)
		wait_for(i + 2, 0);
	run();
	assert_int_not_equal(head(), e->iq_tail);
	assert_true(vtdu_devtlb_done(e->u, e->devtlb[10].tag));
	run();
	assert_int_equal(env_r64(e, 0x700000), 21);
	env_free(e);
}

static void test_timeout(void **state)
{
	start(TTM_LEGACY);
	env_set32(e, FEADDR_REG, 0xfee00000);
	env_set32(e, FECTL_REG, 0);
	invalidate(0x111);
	invalidate(0x222);
	wait_for(1, 0);
	run();
	assert_true(vtdu_devtlb_timeout(e->u, e->devtlb[0].tag));
	assert_int_equal(env_get(e, FSTS_REG), FSTS_ITE);
	assert_int_equal(env_get(e, IQERCD_REG) >> 32, 0x111);
	assert_int_equal(e->nr_msi, 1);
	/* A second one keeps the name of the first. */
	assert_true(vtdu_devtlb_timeout(e->u, e->devtlb[1].tag));
	assert_int_equal(env_get(e, IQERCD_REG) >> 32, 0x111);
	assert_int_equal(e->nr_msi, 1);
	/* The wait is lost, and nothing is fetched. */
	wait_for(2, 0);
	run();
	assert_int_equal(env_r64(e, 0x700000), 0);
	env_set32(e, FSTS_REG, FSTS_ITE);
	run();
	assert_int_equal(env_r64(e, 0x700000), 2);
	assert_int_equal(head(), e->iq_tail);
	assert_false(vtdu_devtlb_timeout(e->u, e->devtlb[1].tag));

	vtdu_devtlb_unexpected(e->u, 0x333);
	assert_int_equal(env_get(e, FSTS_REG), FSTS_ICE);
	assert_int_equal(env_get(e, IQERCD_REG) >> 48, 0x333);
	wait_for(3, 0);
	run();
	assert_int_equal(env_r64(e, 0x700000), 3);
	env_set32(e, FSTS_REG, FSTS_ICE);
	assert_int_equal(env_get(e, FSTS_REG), 0);
	env_free(e);
}

static void test_log(void **state)
{
	struct vtdu_log l;
	uint64_t seq = 0, first;
	unsigned int i, n;

	start(TTM_SCALABLE);
	for (n = 0; vtdu_log_next(e->u, &seq, &l); n++)
		assert_int_equal(l.seq, n);
	first = seq;
	env_submit(e, env_desc(QI_PIOTLB, G_PASID, 3) | 5ULL << 32, 0);
	assert_true(vtdu_log_next(e->u, &seq, &l));
	assert_int_equal(l.kind, VTDU_LOG_DESC);
	assert_int_equal(l.a, QI_PIOTLB);
	assert_int_equal(l.qw[0], env_desc(QI_PIOTLB, G_PASID, 3) | 5ULL << 32);
	assert_false(vtdu_log_next(e->u, &seq, &l));
	/* The ring has 64 entries: what is older is gone. */
	for (i = 0; i < 100; i++)
		env_submit(e, QI_WAIT, 0);
	assert_true(vtdu_log_next(e->u, &seq, &l));
	assert_int_equal(l.seq, first + 1 + 100 - 64);
	assert_int_equal(vtdu_stats(e->u)->descriptors[QI_WAIT], 100);
	env_free(e);
}

/* What the listener is told */
static void test_listener(void **state)
{
	start(TTM_SCALABLE);
	env_submit(e, env_desc(QI_CONTEXT, G_NARROW, 3) | 0x1234ULL << 32 |
		      2ULL << 48, 0);
	env_submit(e, env_desc(QI_IOTLB, G_NARROW, 4), 0x5000 | 1 | IVA_IH);
	env_submit(e, env_desc(QI_PIOTLB, G_PASID_PAGES, 5) | 6ULL << 32,
		   0x7000 | 2);
	env_submit(e, env_desc(QI_PASID, G_PC_DOMAIN, 8), 0);
	assert_int_equal(e->nr_inval, 4);
	assert_int_equal(e->inval[0].kind, VTDU_INVAL_CONTEXT);
	assert_int_equal(e->inval[0].g, 3);
	assert_int_equal(e->inval[0].sid, 0x1234);
	assert_int_equal(e->inval[0].fm, 2);
	assert_int_equal(e->inval[1].kind, VTDU_INVAL_IOTLB);
	assert_int_equal(e->inval[1].did, 4);
	assert_int_equal(e->inval[1].am, 1);
	assert_int_equal(e->inval[1].addr, 0x5000);
	assert_true(e->inval[1].ih);
	assert_int_equal(e->inval[2].kind, VTDU_INVAL_PASID_IOTLB);
	assert_int_equal(e->inval[2].pasid, 6);
	assert_int_equal(e->inval[2].addr, 0x7000);
	assert_int_equal(e->inval[3].kind, VTDU_INVAL_PASID_CACHE);
	assert_int_equal(e->inval[3].did, 8);
	env_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		env_test(test_reserved),
		env_test(test_granularity),
		env_test(test_types),
		env_test(test_stops),
		env_test(test_wait),
		env_test(test_budget),
		env_test(test_devtlb),
		env_test(test_pending),
		env_test(test_full),
		env_test(test_timeout),
		env_test(test_log),
		env_test(test_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
