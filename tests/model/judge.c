// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * vtd_judge: give the same tables to lib/vtd and to QEMU's VT-d, let devices do
 * the same DMA behind both, and compare what comes of it: whether it gets
 * through, where it goes, the fault record, and the accessed and dirty bits. And
 * the same descriptors to both invalidation queues.
 *
 * Each batch of tables and DMAs follows from the seed, the setup, the mode and
 * its number alone, so that one can be repeated.
 *
 * Exit status: 0: the same but for differences that differences.md explains;
 * 1: there is another one; 2: it could not run; 77: this QEMU has no such mode.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "vtd/regs.h"
#include "vtd/vtdu.h"
#include "gen.h"
#include "judge.h"
#include "machine.h"

#define BATCH	120		/* DMAs for one set of tables */

static const char *const mode_names[GEN_MODES] = {
	[GEN_LEGACY] = "legacy",
	[GEN_LEGACY_PT] = "legacy-pt",
	[GEN_SS] = "second-stage",
	[GEN_PT] = "pass-through",
	[GEN_FS] = "first-stage",
};

struct judge {
	struct machine m;
	struct setup setup;
	struct gen g;
	struct vtdu *u;
	void *block;
	enum gen_mode mode;
	unsigned int batch;
	bool verbose, spoil;
	unsigned int show;		/* differences to show */

	unsigned int nr_dma, nr_through, nr_unexplained;
	unsigned int codes[256];
	unsigned int kinds[256][256];	/* unexplained: model's code, QEMU's */
};

/*
 * The model's memory: a copy of QEMU's
 */

static bool model_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct judge *j = opaque;

	if (addr > RAM_BYTES - len)
		return false;
	memcpy(buf, j->g.ram + addr, len);
	return true;
}

static bool model_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct judge *j = opaque;

	if (addr > RAM_BYTES - len)
		return false;
	memcpy(j->g.ram + addr, buf, len);
	return true;
}

static bool model_swap(void *opaque, uint64_t addr, uint64_t *expected,
		       uint64_t desired)
{
	struct judge *j = opaque;

	if (addr > RAM_BYTES - 8)
		return false;
	if (gen_read(&j->g, addr) == *expected)
		gen_write(&j->g, addr, desired);
	else
		*expected = gen_read(&j->g, addr);
	return true;
}

static void model_make(struct judge *j)
{
	static const struct vtdu_ops ops = {
		.read = model_read,
		.write = model_write,
		.cmpxchg64 = model_swap,
	};
	struct vtdu_config cfg = {
		.ver = (uint32_t)j->m.ver,
		.cap = j->m.cap,
		.ecap = j->m.ecap & ~ECAP_PMS,
		.haw = (uint8_t)j->setup.aw,
		.nr_context = 16,
		.nr_pasid = 16,
		.nr_paging = 512,
		.nr_iotlb = 512,
	};
	size_t size;

	/* What QEMU does and does not say: see differences.md. */
	cfg.cap |= CAP_ESRTPS;
	if (j->setup.first_level)
		cfg.ecap |= ECAP_SMPWCS;
	j->g.ecap = cfg.ecap;
	j->g.cap = cfg.cap;
	size = vtdu_size(&cfg);
	j->block = size ? aligned_alloc(16, size) : NULL;
	j->u = j->block ? vtdu_init(j->block, size, &cfg, &ops, j) : NULL;
	if (!j->u) {
		fprintf(stderr, "vtd_judge: the model cannot be CAP %llx ECAP %llx\n",
			(unsigned long long)cfg.cap,
			(unsigned long long)cfg.ecap);
		exit(2);
	}
}

static void model_root(struct judge *j, bool scalable)
{
	vtdu_write(j->u, RTADDR_REG, 8,
		   TABLES | (uint64_t)(scalable ? TTM_SCALABLE : 0) << 10);
	vtdu_write(j->u, GCMD_REG, 4, GCMD_SRTP);
	vtdu_write(j->u, GCMD_REG, 4, GCMD_TE);
}

static void model_dma(struct judge *j, struct dma *d)
{
	struct vtdu_request request = {
		.sid = d->sid,
		.addr = d->addr,
		.access = d->write ? VTDU_WRITE : VTDU_READ,
	};

	vtdu_translate(j->u, &request, &d->model);
	d->model_record[0] = vtdu_read(j->u, j->m.fro, 8);
	d->model_record[1] = vtdu_read(j->u, j->m.fro + 8, 8);
	vtdu_write(j->u, j->m.fro + 12, 4, 1u << 31);
	d->in_data = d->model.outcome == VTDU_OK && d->model.addr >= DATA &&
		     d->model.addr <= DATA + DATA_BYTES - 8;
}

/*
 * A batch
 */

struct batch {
	struct dma dma[BATCH];
	uint64_t entry[TABLE_PAGES * 512];	/* of QEMU's tables */
	struct uses uses[TABLE_PAGES * 512];	/* of the entries */
};

static uint64_t pattern(const struct dma *d)
{
	return 0xd0a0000000000000ULL | (uint64_t)d->number << 16 | d->sid;
}

static void send_tables(struct judge *j)
{
	uint64_t at, v;

	qtest_zero(&j->m.q, TABLES, TABLE_PAGES * 4096);
	for (at = TABLES; at < j->g.next; at += 8) {
		v = gen_read(&j->g, at);
		if (v)
			qtest_write64(&j->m.q, at, v);
	}
}

/* Each edu's buffer: what its writes write, and zeroes where its reads go */
static void fill_buffers(struct judge *j, struct batch *b)
{
	unsigned int i, n;

	for (i = 0; i < NR_EDU; i++) {
		qtest_zero(&j->m.q, SCRATCH, 8192);
		for (n = 0; n < BATCH; n++)
			if (b->dma[n].edu == i && b->dma[n].write)
				qtest_write64(&j->m.q,
					      SCRATCH + b->dma[n].offset,
					      pattern(&b->dma[n]));
		machine_buffer(&j->m, i, false);
	}
}

static void read_buffers(struct judge *j, struct batch *b)
{
	unsigned int i, n;

	for (i = 0; i < NR_EDU; i++) {
		machine_buffer(&j->m, i, true);
		for (n = 0; n < BATCH; n++)
			if (b->dma[n].edu == i && !b->dma[n].write)
				qtest_read64(&j->m.q,
					     SCRATCH + b->dma[n].offset,
					     &b->dma[n].qemu_data);
		qtest_flush(&j->m.q);
	}
}

static void read_tables(struct judge *j, struct batch *b)
{
	uint64_t at;

	for (at = TABLES; at < j->g.next; at += 8)
		if (gen_read(&j->g, at))
			qtest_read64(&j->m.q, at,
				     &b->entry[(at - TABLES) / 8]);
	qtest_flush(&j->m.q);
}

/* Let the model have other tables than QEMU, which must be noticed. */
static void spoil(struct judge *j)
{
	uint64_t at, e;

	for (at = TABLES + 3 * 4096; at < j->g.next; at += 8) {
		e = gen_read(&j->g, at);
		if (e && !gen_below(&j->g, 8))
			gen_write(&j->g, at, e ^ SS_W);
	}
}

static void plan(struct judge *j, struct batch *b)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		struct dma *d = &b->dma[i];

		memset(d, 0, sizeof(*d));
		d->number = j->batch * BATCH + i;
		d->mode = j->mode;
		d->aw = j->setup.aw;
		d->edu = gen_below(&j->g, NR_EDU);
		d->sid = j->m.sid[d->edu];
		d->offset = i * 8;
		/* Some addresses twice, so that caches are asked */
		d->write = gen_below(&j->g, 2);
		if (i && !gen_below(&j->g, 6))
			d->addr = b->dma[gen_below(&j->g, i)].addr;
		else
			d->addr = gen_addr(&j->g, j->mode, d->sid);
	}
}

static void run_dmas(struct judge *j, struct batch *b)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		struct dma *d = &b->dma[i];

		model_dma(j, d);
		machine_dma(&j->m, d->edu, d->write, d->addr, d->offset,
			    d->qemu_record);
		if (!d->in_data)
			continue;
		if (d->write) {
			d->expected = pattern(d);
			gen_write(&j->g, d->model.addr, d->expected);
			qtest_read64(&j->m.q, d->model.addr, &d->qemu_data);
		} else {
			d->expected = gen_read(&j->g, d->model.addr);
		}
	}
	qtest_flush(&j->m.q);
}

/* Dump what the request goes through. */
static void dump(const struct judge *j, const struct dma *d)
{
	const struct gen *g = &j->g;
	bool scalable = j->mode >= GEN_SS;
	uint64_t root = gen_read(g, TABLES + (scalable && d->sid >> 7 ? 8 : 0));
	uint64_t at = root & VTD_MASK(25, 12), next;
	unsigned int i, n = scalable ? 4 : 2;

	at += scalable ? (d->sid & 0x7f) * 32 : (d->sid & 0xff) * 16;
	printf("  root %016llx context", (unsigned long long)root);
	for (i = 0; i < n; i++)
		printf(" %016llx", (unsigned long long)gen_read(g, at + i * 8));
	if (scalable) {
		next = gen_read(g, at) & VTD_MASK(25, 12);
		printf("\n  directory %016llx PASID",
		       (unsigned long long)gen_read(g, next));
		next = gen_read(g, next) & VTD_MASK(25, 12);
		for (i = 0; i < 8; i++)
			printf(" %llx", (unsigned long long)gen_read(g, next +
								     i * 8));
	}
	printf("\n");
}

static void report(const struct judge *j, const struct dma *d,
		   const struct verdict *v, const char *why)
{
	printf("%s %s aw=%u batch %u DMA %u: %s 00:%02x.%x to %llx: %s\n"
	       "  model: fault %02x, to %llx, record %016llx %016llx\n"
	       "  QEMU:  record %016llx %016llx, data %llx (expected %llx)\n",
	       why ? "explained" : "DIFFERENCE", mode_names[j->mode],
	       j->setup.aw, j->batch, d->number % BATCH,
	       d->write ? "write of" : "read by", d->sid >> 3, d->sid & 7,
	       (unsigned long long)d->addr, why ? why : v->what,
	       d->model.fault, (unsigned long long)d->model.addr,
	       (unsigned long long)d->model_record[1],
	       (unsigned long long)d->model_record[0],
	       (unsigned long long)d->qemu_record[1],
	       (unsigned long long)d->qemu_record[0],
	       (unsigned long long)d->qemu_data,
	       (unsigned long long)d->expected);
	if (!why)
		dump(j, d);
}

/*
 * A write that one side refuses and the other does not changes what later DMAs
 * see.
 */
static void find_foreign(struct batch *b)
{
	unsigned int i, n;

	for (n = 0; n < BATCH; n++) {
		struct dma *w = &b->dma[n];
		bool refused = w->qemu_record[1] >> 63 ||
			       (w->in_data && w->qemu_data != pattern(w));

		w->only_qemu = w->write && w->model.fault && !refused;
		if (!w->write || !w->model.fault == !refused)
			continue;
		for (i = n + 1; i < BATCH; i++)
			b->dma[i].foreign |= pattern(w) ==
				(refused ? b->dma[i].expected :
					   b->dma[i].qemu_data);
	}
}

static void note_uses(const struct judge *j, struct batch *b,
		      const struct dma *d, bool differs)
{
	uint64_t at[5];
	unsigned int i, n = path_entries(d, &j->g, at);

	for (i = 0; i < n; i++) {
		struct uses *u;

		if (at[i] < TABLES || at[i] >= TABLES + TABLE_PAGES * 4096)
			continue;
		u = &b->uses[(at[i] - TABLES) / 8];
		u->differs |= differs;
		u->refused |= d->model.fault != 0;
		u->interrupt |= d->model.fault == SGN_8;
		if (i == n - 1 && !d->model.fault) {
			u->read |= !d->write;
			u->written |= d->write;
		}
	}
}

static void compare_dmas(struct judge *j, struct batch *b)
{
	struct verdict v;
	const char *why;
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		struct dma *d = &b->dma[i];

		j->nr_dma++;
		j->nr_through += !d->model.fault;
		j->codes[d->model.fault]++;
		if (same(d, &v)) {
			note_uses(j, b, d, !visible(d, &j->g));
			continue;
		}
		note_uses(j, b, d, v.model != v.qemu || v.data);
		why = explain(d, &v, &j->g);
		if (!why) {
			if (j->nr_unexplained++ < j->show)
				report(j, d, &v, NULL);
			j->kinds[v.model][v.qemu]++;
		}
		if (why && j->verbose)
			report(j, d, &v, why);
	}
}

/* Accessed and dirty bits */
static void compare_tables(struct judge *j, struct batch *b)
{
	uint64_t at, model, qemu;
	size_t i;

	for (at = TABLES; at < j->g.next; at += 8) {
		i = (at - TABLES) / 8;
		model = gen_read(&j->g, at);
		qemu = b->entry[i];
		if (!model || model == qemu || b->uses[i].differs ||
		    explain_entry(&b->uses[i], model, qemu))
			continue;
		if (j->nr_unexplained++ < j->show)
			printf("DIFFERENCE %s aw=%u batch %u: entry at %llx is %llx, QEMU has %llx\n",
			       mode_names[j->mode], j->setup.aw, j->batch,
			       (unsigned long long)at,
			       (unsigned long long)model,
			       (unsigned long long)qemu);
	}
}

/* What writes changed goes back, so that a batch does not depend on others. */
static void restore_data(struct judge *j, struct batch *b)
{
	unsigned int i;
	uint64_t at;

	for (i = 0; i < BATCH; i++) {
		struct dma *d = &b->dma[i];

		if (!d->write || !(d->in_data || d->only_qemu))
			continue;
		at = d->in_data ? d->model.addr : path_target(d, &j->g);
		if (at < DATA || at > DATA + DATA_BYTES - 8)
			continue;
		gen_write(&j->g, at, at);
		qtest_write64(&j->m.q, at, at);
	}
}

static void run_batch(struct judge *j, uint64_t seed)
{
	static struct batch b;
	bool scalable = j->mode >= GEN_SS;

	memset(&b, 0, sizeof(b));
	j->g.state = seed ^ (uint64_t)j->mode << 56 ^ (uint64_t)j->setup.aw << 48 ^
		     (uint64_t)j->batch << 16;
	gen_random(&j->g);
	gen_tables(&j->g, j->mode, j->m.sid, NR_EDU);
	plan(j, &b);

	send_tables(j);
	if (j->spoil)
		spoil(j);
	fill_buffers(j, &b);
	machine_root(&j->m, scalable);
	machine_translate(&j->m, true);
	model_root(j, scalable);
	run_dmas(j, &b);
	read_tables(j, &b);
	machine_translate(&j->m, false);
	vtdu_write(j->u, GCMD_REG, 4, 0);
	read_buffers(j, &b);
	find_foreign(&b);
	compare_dmas(j, &b);
	compare_tables(j, &b);
	restore_data(j, &b);
	if (vtdu_stats(j->u)->misuse[VTDU_MISUSE_SRTP_FLUSH]) {
		fprintf(stderr, "vtd_judge: the program misuses the model\n");
		exit(2);
	}
}

static void fill_model(struct judge *j)
{
	uint64_t at;

	memset(j->g.ram, 0, RAM_BYTES);
	for (at = DATA; at < DATA + DATA_BYTES; at += 8)
		gen_write(&j->g, at, at);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct run {
	const char *qemu;
	enum gen_mode mode;
	unsigned int aw;
	unsigned int translations;
	int only_batch;
	uint64_t seed;
	bool verbose, spoil;
};

/* Returns the unexplained differences; -1: QEMU has no such mode. */
static int run(const struct run *r)
{
	static struct judge j;
	double start = now();
	unsigned int i, n = (r->translations + BATCH - 1) / BATCH;

	memset(&j, 0, sizeof(j));
	j.mode = r->mode;
	j.verbose = r->verbose;
	j.spoil = r->spoil;
	j.show = r->verbose ? ~0u : 10;
	j.setup = (struct setup) {
		.qemu = r->qemu,
		.aw = r->aw,
		.scalable = r->mode >= GEN_SS,
		.first_level = r->mode == GEN_FS,
		.extras = r->aw == 48,
	};
	if (!machine_start(&j.m, &j.setup))
		return -1;
	j.g.ram = malloc(RAM_BYTES);
	if (!j.g.ram)
		exit(2);
	j.g.aw = r->aw;
	fill_model(&j);
	model_make(&j);
	for (i = 0; i < n; i++) {
		if (r->only_batch >= 0 && i != (unsigned int)r->only_batch)
			continue;
		j.batch = i;
		run_batch(&j, r->seed);
	}
	/* The queue is judged once in each width of descriptors. */
	if (r->only_batch < 0 && r->aw == 48 &&
	    (r->mode == GEN_LEGACY || r->mode == GEN_SS || r->mode == GEN_FS)) {
		j.g.state = r->seed ^ 0x9999;
		j.nr_unexplained += judge_queue(&j.m, j.u, &j.g,
						r->translations / 4, r->verbose);
	}
	machine_stop(&j.m);
	free(j.g.ram);
	free(j.block);

	printf("%-12s aw=%u: %u translations, %u through, faults:", mode_names[r->mode],
	       r->aw, j.nr_dma, j.nr_through);
	for (i = 1; i < 256; i++)
		if (j.codes[i])
			printf(" %02x:%u", i, j.codes[i]);
	printf("; %u unexplained, %.1f s\n", j.nr_unexplained, now() - start);
	for (i = 0; i < 256; i++)
		for (n = 0; n < 256; n++)
			if (j.kinds[i][n])
				printf("   unexplained: fault %02x, QEMU %02x: %u\n",
				       i, n, j.kinds[i][n]);
	fflush(stdout);
	return (int)j.nr_unexplained;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: vtd_judge [options]\n"
		"  --qemu FILE     the QEMU to ask (qemu-system-x86_64)\n"
		"  --mode NAME     legacy, legacy-pt, second-stage, pass-through or\n"
		"                  first-stage (all that this QEMU has)\n"
		"  --count N       translations in each mode (20000)\n"
		"  --seed N        other tables\n"
		"  --batch N       this batch alone; with --mode\n"
		"  --explain FILE  differences.md: a rule must have its heading there\n"
		"  --spoil         give the model other tables: differences must show\n"
		"  --verbose       show explained differences, too\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "qemu", required_argument, NULL, 'q' },
		{ "mode", required_argument, NULL, 'm' },
		{ "count", required_argument, NULL, 'c' },
		{ "seed", required_argument, NULL, 's' },
		{ "batch", required_argument, NULL, 'b' },
		{ "explain", required_argument, NULL, 'e' },
		{ "spoil", no_argument, NULL, 'w' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL }
	};
	struct run r = { .qemu = "qemu-system-x86_64", .translations = 20000,
			 .only_batch = -1, .seed = 1 };
	int c, mode, only = -1, bad = 0, missing = 0, ran = 0;
	const char *explanations = NULL;
	unsigned int total;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'q':
			r.qemu = optarg;
			break;
		case 'm':
			for (only = 0; only < GEN_MODES; only++)
				if (!strcmp(optarg, mode_names[only]))
					break;
			if (only == GEN_MODES)
				usage();
			break;
		case 'c':
			r.translations = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 's':
			r.seed = strtoull(optarg, NULL, 0);
			break;
		case 'b':
			r.only_batch = atoi(optarg);
			break;
		case 'e':
			explanations = optarg;
			break;
		case 'w':
			r.spoil = true;
			break;
		case 'v':
			r.verbose = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();

	/* A quarter with the narrow address width, the rest with the wide one */
	total = r.translations;
	for (mode = 0; mode < GEN_MODES; mode++) {
		if (only >= 0 && mode != only)
			continue;
		r.mode = (enum gen_mode)mode;
		for (r.aw = 39; r.aw <= 48; r.aw += 9) {
			r.translations = r.aw == 39 ? total / 4 :
					 total - total / 4;
			/* QEMU's first stage wants the wide one. */
			if (mode == GEN_FS) {
				r.aw = 48;
				r.translations = total;
			}
			c = run(&r);
			if (c < 0)
				missing++;
			else
				ran++;
			bad += c > 0 ? c : 0;
		}
	}
	bad += explain_summary(explanations);
	if (bad) {
		printf("FAILED: %d differences without explanation (seed %llu)\n",
		       bad, (unsigned long long)r.seed);
		return 1;
	}
	if (missing)
		printf("this QEMU has no first stage\n");
	return ran ? 0 : 77;
}
