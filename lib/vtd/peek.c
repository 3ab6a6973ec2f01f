// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Looking without a trace. A second unit of the same kind, without caches and
 * with callbacks that change nothing, is given the registers of the first and
 * asked in its place.
 */
#include "unit.h"

static bool write_nothing(void *opaque, uint64_t addr, const void *buf,
			  size_t len)
{
	(void)opaque;
	(void)addr;
	(void)buf;
	(void)len;
	return true;
}

/* As if the bits were set, and nobody had been in between */
static bool swap_nothing(void *opaque, uint64_t addr, uint64_t *expected,
			 uint64_t desired)
{
	(void)opaque;
	(void)addr;
	(void)expected;
	(void)desired;
	return true;
}

void peek_ops(struct vtdu_ops *ops)
{
	*ops = (struct vtdu_ops) {
		.read = ops->read,
		.write = write_nothing,
		.cmpxchg64 = swap_nothing,
	};
}

static struct vtdu *twin_of(struct vtdu *u)
{
	struct vtdu *twin = u->twin;

	twin->root = u->root;
	__builtin_memcpy(twin->reg, u->reg, sizeof(twin->reg));
	return twin;
}

bool vtdu_peek(struct vtdu *u, const struct vtdu_request *request,
	       struct vtdu_result *result)
{
	return vtdu_translate(twin_of(u), request, result);
}

bool vtdu_binding(struct vtdu *u, uint16_t sid, bool has_pasid, uint32_t pasid,
		  struct vtdu_binding *binding)
{
	struct vtdu_request request = {
		.sid = sid,
		.has_pasid = has_pasid,
		.pasid = pasid & 0xfffff,
		.access = VTDU_READ,
	};
	struct route r;

	ZERO(binding);
	binding->mode = VTDU_MODE_OFF;
	if (!(get32(u, GSTS_REG) & GCMD_TE))
		return true;
	context_route(twin_of(u), &request, false, &r);
	binding->mode = r.fault ? VTDU_MODE_NONE : r.mode;
	binding->fault = r.fault;
	binding->ats = r.ats;
	binding->ss_levels = (uint8_t)r.ss_levels;
	binding->fs_levels = (uint8_t)r.fs_levels;
	binding->ssade = r.ssade;
	binding->pgsnp = r.pgsnp;
	binding->sre = r.sre;
	binding->wpe = r.wpe;
	binding->eafe = r.eafe;
	binding->did = r.did;
	binding->pasid = r.pasid;
	binding->ss_root = r.ss_root;
	binding->fs_root = r.fs_root;
	return !r.fault;
}
