/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_PFN_H
#define SHIM_LINUX_PFN_H

#include <linux/mm.h>

#endif
