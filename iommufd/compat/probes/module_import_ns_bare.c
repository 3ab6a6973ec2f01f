// SPDX-License-Identifier: GPL-2.0-only
/* The namespace is a bare word; later a string. */
#include <linux/module.h>
MODULE_IMPORT_NS(DMA_BUF);
