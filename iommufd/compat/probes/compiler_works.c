// SPDX-License-Identifier: GPL-2.0-only
/* Must compile everywhere: tells "no such feature" from "no compiler". */
#include <linux/module.h>
