/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What programs that test the library on a real device share. Each has one context
 * and counts what it has looked at.
 */
#ifndef LIVE_H
#define LIVE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iommu/iommu.h>

static struct iommu_ctx *ctx;
static unsigned int checks;

/* The line is all there is to say when it does not hold. */
#define CHECK(condition) do {						\
		checks++;						\
		if (!(condition)) {					\
			printf("FAILED, line %d: %s (last error: %s)\n",\
			       __LINE__, #condition, iommu_ctx_error(ctx)); \
			exit(1);					\
		}							\
	} while (0)

/* The call fails with @err, and says something that has @word in it. */
#define CHECK_FAILS(call, err, word) do {				\
		CHECK((call) == -(err));				\
		CHECK(strstr(iommu_ctx_error(ctx), word));		\
	} while (0)

#endif /* LIVE_H */
