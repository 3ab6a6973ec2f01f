// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Hold address spaces until standard input ends, for whoever looks on:
 * hold CONTEXTS IOASIDS
 */
#include <stdio.h>
#include <stdlib.h>

#include <iommu/iommu.h>

int main(int argc, char **argv)
{
	unsigned int contexts, spaces, c, s;
	struct iommu_ctx **ctx;
	uint32_t ioasid;

	if (argc != 3)
		return 2;
	contexts = (unsigned int)atoi(argv[1]);
	spaces = (unsigned int)atoi(argv[2]);
	ctx = calloc(contexts, sizeof(struct iommu_ctx *));
	if (!ctx)
		return 1;
	for (c = 0; c < contexts; c++) {
		ctx[c] = iommu_ctx_new();
		if (iommu_ctx_open(ctx[c])) {
			fprintf(stderr, "%s\n", iommu_ctx_error(ctx[c]));
			return 1;
		}
		for (s = 0; s < spaces; s++) {
			if (iommu_ioas_alloc(ctx[c], NULL, &ioasid)) {
				fprintf(stderr, "%s\n", iommu_ctx_error(ctx[c]));
				return 1;
			}
		}
	}
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (c = 0; c < contexts; c++)
		iommu_ctx_free(ctx[c]);
	free(ctx);
	return 0;
}
