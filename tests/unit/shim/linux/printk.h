/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_PRINTK_H
#define SHIM_LINUX_PRINTK_H

/* Goes nowhere, or to standard error when SHIM_LOG is in the environment. */
#include <linux/compiler.h>

extern unsigned int shim_log_lines;

void shim_log(const char *fmt, ...) __printf(1, 2);

/* The last line that was logged, for tests of what people read */
const char *shim_log_last(void);

#ifndef pr_fmt
#define pr_fmt(fmt)	fmt
#endif

#define KERN_ERR
#define KERN_WARNING
#define KERN_NOTICE
#define KERN_INFO
#define KERN_DEBUG
#define printk(fmt, ...)		shim_log(fmt, ##__VA_ARGS__)
#define pr_emerg(fmt, ...)		shim_log(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err(fmt, ...)		shim_log(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...)		shim_log(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_notice(fmt, ...)		shim_log(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)		shim_log(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_debug(fmt, ...)		shim_log(pr_fmt(fmt), ##__VA_ARGS__)
#define pr_err_once			pr_err
#define pr_warn_once			pr_warn
#define pr_err_ratelimited		pr_err
#define pr_warn_ratelimited		pr_warn

#endif
