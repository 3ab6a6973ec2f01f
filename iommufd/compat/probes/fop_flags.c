// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fs.h>
struct file_operations probe = { .fop_flags = 0 };
