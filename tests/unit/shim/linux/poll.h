/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_POLL_H
#define SHIM_LINUX_POLL_H

#include <linux/types.h>
#include <sys/epoll.h>

#endif
