// SPDX-License-Identifier: LGPL-2.1-or-later
/* The tests of test_sl.c on first-level tables. */
#define FIRST_LEVEL 1
#include "test_sl.c"
