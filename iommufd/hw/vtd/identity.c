// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identity: what the kernel's own devices use. Pass-through where the unit has
 * it, else one second-level table for all units without, that maps every
 * address up to the end of memory to itself.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ioport.h>
#include <linux/sizes.h>
#include "vtd.h"

static struct vtd_table *one_to_one;	/* (s) constant while up */

static int note_end(struct resource *res, void *arg)
{
	u64 *end = arg;

	*end = max_t(u64, *end, res->end + 1);
	return 0;
}

/* End of memory; not below 4 GiB, where firmware's tables and devices are. */
static u64 memory_end(void)
{
	u64 end = SZ_4G;
	unsigned int i;

	walk_iomem_res_desc(IORES_DESC_NONE,
			    IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY,
			    0, U64_MAX, &end, note_end);
	for (i = 0; i < vtd_dmar->nr_entries; i++)
		if (vtd_dmar->entries[i].kind == VTD_DMAR_RMRR)
			end = max(end, vtd_dmar->entries[i].last + 1);
	return ALIGN(end, SZ_1G);
}

/**
 * vtd_identity_init() - make the 1:1 table if a unit needs one
 *
 * Return: 0 or -errno, which the log explains.
 */
int vtd_identity_init(void)
{
	struct vtd_limits all, one;
	struct vtd_unit *unit;
	bool needed = false;
	u64 end;
	int rc;

	list_for_each_entry(unit, &vtd_units, link) {
		if (unit->ecap & ECAP_PT)
			continue;
		vtd_unit_limits(unit, VTD_WALK_SECOND, &one);
		if (needed)
			vtd_limits_intersect(&all, &one);
		else
			all = one;
		needed = true;
	}
	if (!needed)
		return 0;

	end = memory_end();
	one_to_one = vtd_table_alloc(VTD_WALK_SECOND, &all, 0, false);
	if (IS_ERR(one_to_one)) {
		rc = PTR_ERR(one_to_one);
		one_to_one = NULL;
	} else if (end - 1 > one_to_one->pt.addr_last) {
		pr_err("memory up to %llx is beyond what the units without pass-through translate (%llx)\n",
		       end, one_to_one->pt.addr_last);
		rc = -EOPNOTSUPP;
	} else {
		rc = sl_map(&one_to_one->sl, 0, 0, end, IOFD_READ | IOFD_WRITE);
		sl_sync(&one_to_one->sl);
	}
	if (rc) {
		pr_err("no 1:1 table for units without pass-through: error %d\n",
		       rc);
		vtd_identity_free();
		return rc;
	}
	pr_info("1:1 table up to %llx for units without pass-through\n", end);
	return 0;
}

/**
 * vtd_identity_free() - free the 1:1 table
 */
void vtd_identity_free(void)
{
	if (one_to_one)
		vtd_table_free(one_to_one);
	one_to_one = NULL;
}

/**
 * vtd_identity_target() - what an entry with identity says at a unit
 * @unit: the unit
 * @target: to fill in
 */
void vtd_identity_target(const struct vtd_unit *unit, struct vtd_target *target)
{
	*target = (struct vtd_target) {
		.walk = unit->ecap & ECAP_PT ? VTD_WALK_PASS : VTD_WALK_SECOND,
		.levels = fls(vtd_levels_mask(unit->cap)) - 1,
		.did = VTD_DID_IDENTITY,
	};
	if (target->walk == VTD_WALK_SECOND) {
		target->root = virt_to_phys(one_to_one->sl.root);
		target->levels = one_to_one->sl.levels;
	}
}
