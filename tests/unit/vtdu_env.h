/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Surroundings of a VT-d unit (lib/vtd) in unit tests: a memory, tables in it,
 * and a record of what the unit did.
 */
#ifndef VTDU_ENV_H
#define VTDU_ENV_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "vtd/regs.h"
#include "vtd/vtdu.h"

#define ENV_BYTES	(16u << 20)
#define ENV_FRO		0x220
#define ENV_IRO		0x100
#define ENV_SID		0x0110		/* bus 1, device 2 */
#define ENV_DID		7
#define ENV_NONE	(~0ULL)
/* Guest physical addresses of what is in the memory begin here. */
#define ENV_GPA		0x4000000000ULL
#define ENV_MAX		64

struct env {
	struct vtdu *u;
	struct vtdu_config cfg;
	void *block;
	uint8_t *mem;
	uint64_t next;			/* first free page of the memory */
	uint64_t no_read, no_write;	/* pages that cannot be accessed */
	uint64_t meddle;		/* an entry that changes all the time */

	uint64_t root;			/* root table */
	uint64_t dir;			/* PASID directory of ENV_SID */
	uint64_t iq, iq_tail;

	unsigned int nr_msi, nr_devtlb, nr_response, nr_inval;
	struct { enum vtdu_event event; uint64_t addr; uint32_t data; } msi[ENV_MAX];
	struct { uint32_t tag; struct vtdu_devtlb inv; } devtlb[ENV_MAX];
	struct vtdu_page_response response[ENV_MAX];
	struct vtdu_inval inval[ENV_MAX];
	bool devtlb_at_once;
	uint32_t next_pasid, freed_pasid;
};

/* A unit that can do everything; env_new() with changes to it */
struct vtdu_config env_config(void);
struct env *env_new(const struct vtdu_config *cfg);
void env_free(struct env *e);

uint64_t env_page(struct env *e);
uint64_t env_r64(struct env *e, uint64_t addr);
void env_w64(struct env *e, uint64_t addr, uint64_t v);

uint64_t env_get(struct env *e, uint32_t offset);	/* by the register's size */
void env_set32(struct env *e, uint32_t offset, uint32_t v);
void env_set64(struct env *e, uint32_t offset, uint64_t v);
void env_gcmd(struct env *e, uint32_t bit, bool on);

/* Tables. Entries between are readable and writable. Return: of the leaf entry */
uint64_t env_map_ss(struct env *e, uint64_t root, unsigned int levels,
		    uint64_t addr, unsigned int leaf_level, uint64_t leaf);
uint64_t env_map_fs(struct env *e, uint64_t root, unsigned int levels,
		    uint64_t addr, unsigned int leaf_level, uint64_t leaf,
		    uint64_t offset);
uint64_t env_entry(struct env *e, uint64_t root, unsigned int levels,
		   uint64_t addr, unsigned int level, uint64_t offset);

/* The context entry of @sid, in tables made as needed */
uint64_t env_legacy_entry(struct env *e, uint16_t sid);
uint64_t env_scalable_entry(struct env *e, uint16_t sid);
/* PASID table entry in the directory at @dir */
uint64_t env_pasid_entry(struct env *e, uint64_t dir, uint32_t pasid);

/* A unit that translates, the queue being on. ENV_SID has a context entry. */
struct env *env_legacy(const struct vtdu_config *cfg, uint64_t ss_root_tt);
struct env *env_scalable(const struct vtdu_config *cfg);
void env_start(struct env *e, unsigned int ttm);

/* Fill in the PASID table entry of ENV_SID */
struct env_pasid {
	unsigned int pgtt;
	uint64_t ss_root;
	unsigned int ss_levels;		/* 0: 4 */
	uint64_t fs_root;
	unsigned int fs_levels;		/* 0: 4 */
	uint16_t did;			/* 0: ENV_DID */
	uint64_t q[3];			/* further bits */
};
void env_set_pasid(struct env *e, uint32_t pasid, const struct env_pasid *p);

/* Queue a descriptor and run; @env_queue only queues */
void env_queue(struct env *e, uint64_t q0, uint64_t q1);
void env_submit(struct env *e, uint64_t q0, uint64_t q1);
uint64_t env_desc(unsigned int type, unsigned int g, uint16_t did);

/* Requests of ENV_SID; the fault is returned */
uint8_t env_dma(struct env *e, uint64_t addr, uint8_t access);
uint8_t env_dma_pasid(struct env *e, uint32_t pasid, uint64_t addr,
		      uint8_t access);
uint8_t env_request(struct env *e, const struct vtdu_request *q,
		    struct vtdu_result *res);
/* The same, and where it leads; ENV_NONE: nowhere */
uint64_t env_to(struct env *e, uint64_t addr, uint8_t access);
uint64_t env_to_pasid(struct env *e, uint32_t pasid, uint64_t addr,
		      uint8_t access);

#define R	VTDU_READ
#define W	VTDU_WRITE
#define X	VTDU_EXEC
#define RW	(R | W)

#define env_test(f)	cmocka_unit_test(f)

#endif /* VTDU_ENV_H */
