// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommuctl.h"

/**
 * struct command - a sub-command
 * @name: its name
 * @run: what it does
 * @takes_bdf: it needs a PCI function
 * @options: short options that it takes besides --help
 * @summary: one line
 * @help: the rest
 */
struct command {
	const char *name;
	int (*run)(const struct options *opts);
	bool takes_bdf;
	const char *options;
	const char *summary;
	const char *help;
};

static const struct command commands[] = {
	{
		"list", cmd_list, false, "j",
		"remapping units, devices and their groups, and what they can do",
		"Lists the remapping units with what they can do, and every PCI function with\n"
		"its driver, its IOMMU group and its unit. Needs no privilege; only what is\n"
		"bound by whom is left out without.\n"
	},
	{
		"doctor", cmd_doctor, true, "j",
		"why a device can or cannot be used, and what to do about it",
		"Checks everything that stands between a PCI function and its use through\n"
		"/dev/iommu. Needs no privilege; as root it also asks the kernel. The exit\n"
		"status is 0 when the device can be used as it is.\n"
	},
	{
		"bind", cmd_bind, true, "jf",
		"hand a device over from its driver to iofd-pci",
		"Takes the PCI function from its driver and gives it to iofd-pci. Lasts until\n"
		"'iommuctl unbind' or the next boot.\n"
		"\n"
		"  -f, --force        also when a file system on it is mounted\n"
	},
	{
		"unbind", cmd_unbind, true, "jf",
		"give a device back to the kernel's own driver",
		"Takes the PCI function from iofd-pci and lets the kernel find a driver for it.\n"
		"\n"
		"  -f, --force        also when a program uses it: waits until that has closed it\n"
	},
	{
		"show", cmd_show, false, "j",
		"who holds which address spaces, and how much memory",
		"Shows each program that has /dev/iommu open, its IOASIDs with what is mapped,\n"
		"pinned and charged, and its devices. Needs CAP_NET_ADMIN.\n"
	},
	{
		"monitor", cmd_monitor, false, "jct",
		"faults, binds and attachments as they happen",
		"Prints a line for each event, at once. Needs CAP_NET_ADMIN. With --json each\n"
		"line is an object.\n"
		"\n"
		"  -c, --count N      end after N events\n"
		"  -t, --timeout S    end after S seconds; status 1 if --count was not reached\n"
	},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(void)
{
	size_t i;

	printf("usage: iommuctl COMMAND [option]...\n\n"
	       "Looks after /dev/iommu: which devices can be driven from user space, which\n"
	       "are, and by whom.\n\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %s%-*s %s\n", commands[i].name,
		       12 - (int)strlen(commands[i].name),
		       commands[i].takes_bdf ? " BDF" : "",
		       commands[i].summary);
	printf("\nBDF is [domain:]bus:device.function.\n"
	       "Options of every command: --json, --help. Also: iommuctl --version.\n"
	       "Exit status: 0 all well, 1 failed or not usable, 2 wrong usage.\n");
}

static void print_command_help(const struct command *command)
{
	printf("usage: iommuctl %s%s [option]...\n\n%s%s"
	       "  -j, --json         print JSON\n"
	       "  -h, --help         this text\n",
	       command->name, command->takes_bdf ? " BDF" : "", command->help,
	       strchr(command->options, 'f') || strchr(command->options, 'c') ?
	       "" : "\n");
}

static int usage_error(const char *name)
{
	fprintf(stderr, "Try 'iommuctl %s%s--help'.\n", name, *name ? " " : "");
	return STATUS_USAGE;
}

/* A count or a number of seconds. */
static bool parse_number(const char *text, unsigned long max,
			 unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	return !errno && end != text && !*end && *text != '-' && *value &&
	       *value <= max;
}

static int parse_option(const struct command *command, int c,
			struct options *opts)
{
	unsigned long value;

	if (c == 'h') {
		print_command_help(command);
		exit(STATUS_OK);
	}
	if (c == '?' || !strchr(command->options, c)) {
		if (c != '?')
			say_error("'%s' has no such option", command->name);
		return usage_error(command->name);
	}
	switch (c) {
	case 'j':
		opts->json = true;
		break;
	case 'f':
		opts->force = true;
		break;
	case 'c':
		if (!parse_number(optarg, 1000000000, &opts->count)) {
			say_error("'%s' is not a number of events", optarg);
			return usage_error(command->name);
		}
		break;
	case 't':
		if (!parse_number(optarg, 1000000, &value)) {
			say_error("'%s' is not a number of seconds", optarg);
			return usage_error(command->name);
		}
		opts->timeout_ms = (int)value * 1000;
		break;
	}
	return 0;
}

static int parse(const struct command *command, int argc, char **argv,
		 struct options *opts)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "force", no_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c, rc;

	/* getopt_long() begins its messages with this. */
	argv[0] = (char *)"iommuctl";
	*opts = (struct options) { .timeout_ms = -1 };
	while ((c = getopt_long(argc, argv, "jfc:t:h", longs, NULL)) != -1) {
		rc = parse_option(command, c, opts);
		if (rc)
			return rc;
	}
	if (argc - optind != command->takes_bdf) {
		say_error(command->takes_bdf ? "'%s' needs one PCI function" :
			  "'%s' takes no arguments", command->name);
		return usage_error(command->name);
	}
	if (command->takes_bdf && iommu_bdf_parse(argv[optind], opts->bdf)) {
		say_error("'%s' is not [domain:]bus:device.function",
			  argv[optind]);
		return usage_error(command->name);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options opts;
	size_t i;
	int rc;

	if (argc < 2) {
		say_error("a command is needed");
		return usage_error("");
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		print_help();
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("iommuctl " VERSION);
		return STATUS_OK;
	}
	for (i = 0; i < NR_COMMANDS && strcmp(argv[1], commands[i].name); i++)
		;
	if (i == NR_COMMANDS) {
		say_error("unknown command '%s'", argv[1]);
		return usage_error("");
	}
	rc = parse(&commands[i], argc - 1, argv + 1, &opts);
	if (rc)
		return rc;
	rc = commands[i].run(&opts);
	if (fflush(stdout) || ferror(stdout))
		return say_error("cannot write to standard output");
	return rc;
}
