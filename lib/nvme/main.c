// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * iommu-nvme: look at and read NVMe disks without the kernel's NVMe driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "nvme.h"

enum { EXIT_USAGE = 2 };

static const char help[] =
	"iommu-nvme identify BDF [--namespace N] [--quiet]\n"
	"iommu-nvme read BDF [--namespace N] [--offset BYTES] [--length BYTES]\n"
	"                    [--output FILE|-] [--sha256] [--quiet]\n"
	"\n"
	"Drives an NVMe controller from user space through /dev/iommu. The controller\n"
	"must have been handed over with 'iommuctl bind BDF'.\n"
	"\n"
	"  -n, --namespace N    namespace (1)\n"
	"  -o, --offset BYTES   first byte to read (0); k, M, G are powers of 1024\n"
	"  -l, --length BYTES   how many (up to the end)\n"
	"  -O, --output FILE    where to write them; -: standard output\n"
	"  -s, --sha256         print their SHA-256 (last line of standard output)\n"
	"  -q, --quiet          do not say on standard error what happens\n"
	"  -h, --help           this text\n"
	"      --version        version\n"
	"\n"
	"Exit status: 0 all well, 1 it failed, 2 wrong usage.\n";

/**
 * struct options - the command line
 * @command: "identify" or "read"
 * @bdf: the controller
 * @nsid: namespace
 * @offset: first byte
 * @length: bytes, UINT64_MAX: up to the end
 * @output: file name, NULL: none
 * @sha256: print the digest
 * @quiet: say nothing else
 */
struct options {
	const char *command;
	const char *bdf;
	uint32_t nsid;
	uint64_t offset;
	uint64_t length;
	const char *output;
	bool sha256;
	bool quiet;
};

/**
 * struct target - where the bytes go
 * @fd: file, -1: none
 * @sha256: their digest so far
 */
struct target {
	int fd;
	struct sha256_ctx sha256;
};

static int usage_error(const char *format, const char *arg)
{
	fprintf(stderr, "iommu-nvme: ");
	fprintf(stderr, format, arg);
	fprintf(stderr, "\nTry 'iommu-nvme --help'.\n");
	return EXIT_USAGE;
}

static bool parse_bytes(const char *text, uint64_t *value)
{
	static const char units[] = "kMGT";
	const char *unit;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || end == text || *text == '-')
		return false;
	if (*end) {
		unit = strchr(units, *end == 'K' ? 'k' : *end);
		if (!unit || end[1])
			return false;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (*value > UINT64_MAX >> shift)
		return false;
	*value <<= shift;
	return true;
}

static int parse_option(struct options *opts, int c)
{
	uint64_t value;

	switch (c) {
	case 'n':
		if (!parse_bytes(optarg, &value) || !value || value >= UINT32_MAX)
			return usage_error("'%s' is not a namespace", optarg);
		opts->nsid = (uint32_t)value;
		return 0;
	case 'o':
		if (!parse_bytes(optarg, &opts->offset))
			return usage_error("'%s' is not an offset", optarg);
		return 0;
	case 'l':
		if (!parse_bytes(optarg, &opts->length))
			return usage_error("'%s' is not a length", optarg);
		return 0;
	case 'O':
		opts->output = optarg;
		return 0;
	case 's':
		opts->sha256 = true;
		return 0;
	case 'q':
		opts->quiet = true;
		return 0;
	case 'h':
		fputs(help, stdout);
		exit(EXIT_SUCCESS);
	case 'V':
		puts("iommu-nvme " VERSION);
		exit(EXIT_SUCCESS);
	}
	fprintf(stderr, "Try 'iommu-nvme --help'.\n");
	return EXIT_USAGE;
}

static int parse(int argc, char **argv, struct options *opts)
{
	static const struct option longs[] = {
		{ "namespace", required_argument, NULL, 'n' },
		{ "offset", required_argument, NULL, 'o' },
		{ "length", required_argument, NULL, 'l' },
		{ "output", required_argument, NULL, 'O' },
		{ "sha256", no_argument, NULL, 's' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{}
	};
	int c, rc;

	*opts = (struct options) { .nsid = 1, .length = UINT64_MAX };
	while ((c = getopt_long(argc, argv, "n:o:l:O:sqh", longs, NULL)) != -1) {
		rc = parse_option(opts, c);
		if (rc)
			return rc;
	}
	if (argc - optind != 2)
		return usage_error("%s", "a command and a PCI function are needed");
	opts->command = argv[optind];
	opts->bdf = argv[optind + 1];
	return 0;
}

/* What is written last also goes to the digest; a pipe may take it in parts. */
static int sink(void *arg, const void *data, size_t len)
{
	struct target *target = arg;
	const char *at = data;
	size_t left = len;
	ssize_t n;

	sha256_update(&target->sha256, len, data);
	while (target->fd >= 0 && left) {
		n = write(target->fd, at, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

static void print_identity(const struct options *opts,
			   const struct nvme_info *info,
			   const struct nvme_namespace *ns)
{
	uint64_t bytes = ns->blocks * ns->block_bytes;

	printf("controller:   %s\n", opts->bdf);
	printf("model:        %s\n", info->model);
	printf("serial:       %s\n", info->serial);
	printf("firmware:     %s\n", info->firmware);
	printf("vendor:       %04x\n", info->vendor);
	printf("NVMe version: %u.%u.%u\n", info->version >> 16,
	       info->version >> 8 & 0xff, info->version & 0xff);
	if (info->max_transfer_bytes)
		printf("max transfer: %zu KiB\n", info->max_transfer_bytes / 1024);
	else
		printf("max transfer: unlimited\n");
	printf("namespace %u:  %llu blocks of %u bytes, %llu MiB\n", ns->id,
	       (unsigned long long)ns->blocks, ns->block_bytes,
	       (unsigned long long)(bytes >> 20));
}

static int open_output(struct nvme_ctrl *ctrl, const char *name, int *fd)
{
	*fd = -1;
	if (!name)
		return 0;
	if (!strcmp(name, "-")) {
		*fd = STDOUT_FILENO;
		return 0;
	}
	*fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (*fd < 0)
		return nvme_fail(ctrl, -errno, "cannot write %s: %s", name,
				 strerror(errno));
	return 0;
}

static int read_part(struct nvme_ctrl *ctrl, const struct options *opts,
		     const struct nvme_info *info,
		     const struct nvme_namespace *ns)
{
	uint64_t size = ns->blocks * ns->block_bytes, length = opts->length;
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct target target;
	unsigned int i;
	int rc;

	if (length == UINT64_MAX)
		length = opts->offset < size ? size - opts->offset : 0;
	rc = open_output(ctrl, opts->output, &target.fd);
	if (rc)
		return rc;
	sha256_init(&target.sha256);

	rc = nvme_create_io_queue(ctrl);
	if (!rc)
		rc = nvme_read(ctrl, info, ns, opts->offset, length, sink,
			       &target);
	if (target.fd > STDERR_FILENO && close(target.fd) && !rc)
		rc = -errno;
	if (rc && !*nvme_error(ctrl))
		return nvme_fail(ctrl, rc, "cannot write %s: %s", opts->output,
				 strerror(-rc));
	if (rc)
		return rc;
	nvme_log(ctrl, "%s: read %llu bytes", opts->bdf,
		 (unsigned long long)length);
	if (opts->sha256) {
		sha256_digest(&target.sha256, sizeof(digest), digest);
		for (i = 0; i < sizeof(digest); i++)
			printf("%02x", digest[i]);
		printf("  %s\n", opts->bdf);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct nvme_ctrl ctrl = {};
	struct nvme_namespace ns;
	struct options opts;
	struct nvme_info info;
	bool reading;
	int rc;

	rc = parse(argc, argv, &opts);
	if (rc)
		return rc;
	reading = !strcmp(opts.command, "read");
	if (!reading && strcmp(opts.command, "identify"))
		return usage_error("unknown command '%s'", opts.command);

	ctrl.log = !opts.quiet;
	rc = nvme_open(&ctrl, opts.bdf);
	if (!rc)
		rc = nvme_identify(&ctrl, &info);
	if (!rc)
		rc = nvme_identify_namespace(&ctrl, opts.nsid, &ns);
	if (!rc && reading)
		rc = read_part(&ctrl, &opts, &info, &ns);
	else if (!rc)
		print_identity(&opts, &info, &ns);
	nvme_close(&ctrl);
	if (!rc && fflush(stdout))
		rc = nvme_fail(&ctrl, -errno, "standard output: %s",
			       strerror(errno));
	if (rc)
		fprintf(stderr, "iommu-nvme: %s\n", nvme_error(&ctrl));
	return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
