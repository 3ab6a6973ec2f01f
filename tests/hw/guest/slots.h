/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the endpoints of ../default.topo are.
 */
#ifndef HW_SLOTS_H
#define HW_SLOTS_H

#define FULL0	"14.0"
#define FULL1	"15.0"
#define PASID	"16.0"
#define PLAIN	"17.0"
#define TWIN0	"18.0"
#define TWIN1	"18.1"
#define ACS0	"19.0"
#define ACS1	"19.1"
#define NONEST0	"1a.0"
#define NONEST1	"1b.0"
#define LEGACY0	"1c.0"
#define LEGACY1	"1d.0"

#endif /* HW_SLOTS_H */
