// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Virtual commands, by which a guest asks for PASIDs. The registers moved with
 * revision 3.3, and the later revisions do not have them at all.
 */
#include "unit.h"

#define SC_OK		0
#define SC_UNDEFINED	1
#define SC_NO_PASID_32	2
#define SC_NO_PASID_33	16

uint32_t vcmd_offset(const struct vtdu *u)
{
	return u->cfg.vcmd_layout == VTDU_VCMD_33 ? VCMD_REG_33 : VCMD_REG_32;
}

void vcmd_reset(struct vtdu *u)
{
	if (!(u->cfg.ecap & ECAP_VCS))
		return;
	set64(u, u->cfg.vcmd_layout == VTDU_VCMD_33 ? VCCAP_REG_33 :
						      VCCAP_REG_32,
	      u->cfg.vccap);
}

static bool allocate(struct vtdu *u, uint32_t *pasid)
{
	return u->ops.pasid_alloc && u->ops.pasid_alloc(u->opaque, pasid) &&
	       *pasid <= 0xfffff;
}

/* The low word of VCMD was written. It is done when this returns: IP stays 0. */
void vcmd_submit(struct vtdu *u)
{
	bool v33 = u->cfg.vcmd_layout == VTDU_VCMD_33;
	uint64_t cmd = get64(u, vcmd_offset(u)), qw[2] = { cmd };
	unsigned int shift = v33 ? 16 : 8, sc = SC_OK;
	uint32_t pasid = cmd >> shift & 0xfffff, result = 0;
	bool done = true;

	switch (cmd & 0xff) {
	case 0:
		break;
	case VCMD_ALLOC:
	case VCMD_FREE:
		if (!(u->cfg.vccap & VCCAP_PAS)) {
			sc = SC_UNDEFINED;
			break;
		}
		if ((cmd & 0xff) == VCMD_ALLOC)
			done = allocate(u, &result);
		else
			done = u->ops.pasid_free &&
			       u->ops.pasid_free(u->opaque, pasid);
		if (!done) {
			sc = v33 ? SC_NO_PASID_33 : SC_NO_PASID_32;
			result = 0;
		}
		break;
	default:
		sc = SC_UNDEFINED;
	}

	qw[1] = (uint64_t)sc << 1 | (uint64_t)result << shift;
	set64(u, v33 ? VCRSP_REG_33 : VCRSP_REG_32, qw[1]);
	log_add(u, VTDU_LOG_VCMD, cmd & 0xff, 0, qw, 2);
}
