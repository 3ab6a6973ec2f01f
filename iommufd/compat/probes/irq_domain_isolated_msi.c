// SPDX-License-Identifier: GPL-2.0-only
#include <linux/irqdomain.h>
int probe = IRQ_DOMAIN_FLAG_ISOLATED_MSI;
