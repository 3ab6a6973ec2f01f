/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_INTERRUPT_H
#define SHIM_LINUX_INTERRUPT_H

struct fwnode_handle;
struct irq_domain;

#endif
