/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the endpoints of ../default.topo are.
 */
#ifndef HW_SLOTS_H
#define HW_SLOTS_H

#define FULL0		"14.0"	/* nests; ATS, PRI, PASIDs of 20 bits */
#define FULL1		"15.0"	/* the same, 16 bits */
#define PASID_ONLY	"16.0"	/* nests; PASIDs, no ATS */
#define PLAIN		"17.0"	/* nests; nothing else */
#define TWIN0		"18.0"	/* two functions of one group */
#define TWIN1		"18.1"
#define ACS0		"19.0"	/* two that ACS keeps apart */
#define ACS1		"19.1"
#define NONEST0		"1a.0"	/* scalable mode and PASIDs, no nesting; ATS, PRI */
#define NONEST1		"1b.0"	/* the same unit; nothing else */
#define LEGACY0		"1c.0"	/* legacy mode, 39 bits; ATS, which the unit has not */
#define LEGACY1		"1d.0"	/* the same unit; nothing else */

#endif /* HW_SLOTS_H */
