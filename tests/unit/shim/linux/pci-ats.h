/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_PCI_ATS_H
#define SHIM_LINUX_PCI_ATS_H

#include <linux/pci.h>

#endif
