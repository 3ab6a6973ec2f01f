// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The topology file: one function a line, words that say what it can do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw.h"

/* Fault records at 220h, the IOTLB registers at 0F0h, which no other uses. */
#define CAP_FRO		(0x22ULL << 24)
#define CAP_NFR(n)	((uint64_t)((n) - 1) << 40)
#define CAP_ND_16	6ULL
#define CAP_MAMV_18	(18ULL << 48)
#define ECAP_IRO	(0xfULL << 8)
#define ECAP_PSS(n)	((uint64_t)((n) - 1) << 35)

struct ability {
	const char *name;
	bool ecap;
	unsigned int bit;
};

/* By the names of the VT-d specification, or what they mean. */
static const struct ability abilities[] = {
	{ "rwbf", false, 4 }, { "cm", false, 7 }, { "zlr", false, 22 },
	{ "2m", false, 34 }, { "1g", false, 35 }, { "psi", false, 39 },
	{ "dwd", false, 54 }, { "drd", false, 55 }, { "fs1gp", false, 56 },
	{ "fs5lp", false, 60 }, { "esrtps", false, 63 },
	{ "c", true, 0 }, { "qi", true, 1 }, { "dt", true, 2 }, { "pt", true, 6 },
	{ "sc", true, 7 }, { "nest", true, 26 }, { "prs", true, 29 },
	{ "ers", true, 30 }, { "srs", true, 31 }, { "nwfs", true, 33 },
	{ "eafs", true, 34 }, { "pasid", true, 40 }, { "pds", true, 42 },
	{ "smts", true, 43 }, { "vcs", true, 44 }, { "ssads", true, 45 },
	{ "ssts", true, 46 }, { "fsts", true, 47 }, { "smpwcs", true, 48 },
	{ "rps", true, 49 },
};

static const char preset_full[] =
	"+zlr +2m +1g +psi +dwd +drd +fs1gp +c +qi +dt +pt +sc +nest +prs +ers "
	"+srs +nwfs +eafs +pasid +pds +smts +ssads +ssts +fsts +smpwcs +rps aw=57";
static const char preset_nonest[] =
	"+zlr +2m +psi +qi +dt +pt +sc +prs +pasid +pds +smts +ssts +fsts +rps aw=48";
static const char preset_legacy[] = "+qi +pt +psi +2m aw=39";

static unsigned int line_nr;

static bool bad(const char *what, const char *word)
{
	fprintf(stderr, "iofd-hw: topology, line %u: %s '%s'\n", line_nr, what, word);
	return false;
}

static bool number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *value > max)
		return bad("no number in range:", text);
	return true;
}

static bool address(const char *text, uint8_t *addr)
{
	unsigned int slot, fn;
	char rest;

	if (sscanf(text, "%x.%u%c", &slot, &fn, &rest) != 2 || slot > 31 || fn > 7)
		return bad("no address SLOT.FUNCTION:", text);
	*addr = (uint8_t)(slot << 3 | fn);
	return true;
}

/* The value of "KEY=VALUE" if @word is that, else NULL. */
static const char *value_of(const char *word, const char *key)
{
	size_t n = strlen(key);

	return !strncmp(word, key, n) && word[n] == '=' ? word + n + 1 : NULL;
}

static bool set_width(struct vtdu_config *config, const char *text)
{
	uint64_t width, sagaw;

	if (!number(text, 57, &width))
		return false;
	sagaw = width == 39 ? 0x2 : width == 48 ? 0x6 : width == 57 ? 0xe : 0;
	if (!sagaw)
		return bad("no address width:", text);
	config->cap &= ~(0x1fULL << 8 | 0x3fULL << 16 | 1ULL << 60);
	config->cap |= sagaw << 8 | (width - 1) << 16;
	if (width == 57)
		config->cap |= 1ULL << 60;
	return true;
}

static bool unit_words(struct unit *unit, char *words);

static bool set_preset(struct unit *unit, const char *name)
{
	char words[sizeof(preset_full)];

	if (!strcmp(name, "full"))
		strcpy(words, preset_full);
	else if (!strcmp(name, "nonest"))
		strcpy(words, preset_nonest);
	else if (!strcmp(name, "legacy"))
		strcpy(words, preset_legacy);
	else
		return bad("no such preset:", name);
	return unit_words(unit, words);
}

static bool set_ability(struct vtdu_config *config, const char *word)
{
	unsigned int i;

	for (i = 0; i < sizeof(abilities) / sizeof(*abilities); i++) {
		const struct ability *a = &abilities[i];
		uint64_t *reg = a->ecap ? &config->ecap : &config->cap;

		if (strcmp(word + 1, a->name))
			continue;
		if (word[0] == '+')
			*reg |= 1ULL << a->bit;
		else
			*reg &= ~(1ULL << a->bit);
		return true;
	}
	return bad("no such ability:", word + 1);
}

static bool unit_word(struct unit *unit, const char *word)
{
	struct vtdu_config *config = &unit->config;
	const char *value;
	uint64_t n;

	if (word[0] == '+' || word[0] == '-')
		return set_ability(config, word);
	if ((value = value_of(word, "addr")))
		return address(value, &unit->addr);
	if ((value = value_of(word, "preset")))
		return set_preset(unit, value);
	if ((value = value_of(word, "aw")))
		return set_width(config, value);
	if ((value = value_of(word, "haw")) && number(value, 52, &n)) {
		config->haw = (uint8_t)n;
		return true;
	}
	if ((value = value_of(word, "pss")) && number(value, 20, &n) && n) {
		config->ecap = (config->ecap & ~ECAP_PSS(32)) | ECAP_PSS(n);
		return true;
	}
	if ((value = value_of(word, "nfr")) && number(value, 64, &n) && n) {
		config->cap = (config->cap & ~CAP_NFR(256)) | CAP_NFR(n);
		return true;
	}
	if ((value = value_of(word, "iotlb")) && number(value, 65536, &n)) {
		config->nr_iotlb = (uint32_t)n;
		return true;
	}
	if ((value = value_of(word, "timeout_ms")) && number(value, 100000, &n)) {
		unit->timeout_us = (uint32_t)n * 1000;
		return true;
	}
	if (!strcmp(word, "wide")) {
		config->flags |= VTDU_WIDE_INVALIDATION;
		return true;
	}
	return bad("no such word for a unit:", word);
}

static bool unit_words(struct unit *unit, char *words)
{
	char *save, *word;

	for (word = strtok_r(words, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save))
		if (!unit_word(unit, word))
			return false;
	return true;
}

static bool parse_unit(const char *name, char *words)
{
	struct unit *unit;

	if (hw.nr_units == HW_MAX_UNITS)
		return bad("too many units:", name);
	unit = calloc(1, sizeof(*unit));
	if (!unit)
		return bad("out of memory:", name);
	hw.units[hw.nr_units++] = unit;
	unit->vu.listen_fd = unit->vu.fd = -1;
	snprintf(unit->name, sizeof(unit->name), "%s", name);
	unit->timeout_us = 1000000;
	unit->config = (struct vtdu_config) {
		.ver = 0x60,
		.cap = CAP_ND_16 | CAP_FRO | CAP_NFR(8) | CAP_MAMV_18,
		.ecap = ECAP_IRO | ECAP_PSS(20),
		.haw = 46,
		.nr_context = 256, .nr_pasid = 256, .nr_paging = 1024,
		.nr_iotlb = 4096, .nr_devtlb = 32, .nr_log = 16384,
	};
	if (!unit_words(unit, words))
		return false;
	/* The width of PASIDs says something only where there are any. */
	if (!(unit->config.ecap & 1ULL << 40))
		unit->config.ecap &= ~ECAP_PSS(32);
	return true;
}

static bool ep_word(struct ep *ep, const char *word, unsigned int *pasid,
		    bool *ats, bool *pri, bool *acs)
{
	const char *value;
	unsigned int i;
	uint64_t n;

	if ((value = value_of(word, "addr")))
		return address(value, &ep->addr);
	if ((value = value_of(word, "unit"))) {
		for (i = 0; i < hw.nr_units; i++)
			if (!strcmp(hw.units[i]->name, value))
				ep->unit = hw.units[i];
		return ep->unit || bad("no such unit above:", value);
	}
	if ((value = value_of(word, "queues")) && number(value, HW_MAX_QUEUES, &n)) {
		ep->nr_queues = (unsigned int)n;
		return true;
	}
	if ((value = value_of(word, "pasid")) && number(value, 20, &n) && n) {
		*pasid = (unsigned int)n;
		return true;
	}
	if (!strcmp(word, "ats"))
		return *ats = true;
	if (!strcmp(word, "pri"))
		return *pri = true;
	if (!strcmp(word, "acs"))
		return *acs = true;
	return bad("no such word for an endpoint:", word);
}

static bool parse_ep(const char *name, char *words)
{
	bool ats = false, pri = false, acs = false;
	unsigned int pasid = 0;
	char *save, *word;
	struct ep *ep;

	if (hw.nr_eps == HW_MAX_EPS)
		return bad("too many endpoints:", name);
	ep = calloc(1, sizeof(*ep));
	if (!ep)
		return bad("out of memory:", name);
	hw.eps[hw.nr_eps++] = ep;
	ep->vu.listen_fd = ep->vu.fd = -1;
	snprintf(ep->name, sizeof(ep->name), "%s", name);
	ep->nr_queues = 8;
	for (word = strtok_r(words, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save))
		if (!ep_word(ep, word, &pasid, &ats, &pri, &acs))
			return false;
	pci_init(&ep->pci, HW_VENDOR, HW_ENDPOINT_DEVICE, 0x088000);
	if (acs)
		pci_acs(&ep->pci);
	if (pasid)
		pci_pasid(&ep->pci, pasid);
	if (ats)
		pci_ats(&ep->pci, 32);
	if (pri)
		pci_pri(&ep->pci, 512);
	return true;
}

static bool parse_rmrr(const char *name, char *words)
{
	char *save, *start = strtok_r(words, " \t", &save);
	char *last = strtok_r(NULL, " \t", &save);
	struct hw_rmrr rmrr;
	struct unit *unit;
	unsigned int i;

	if (!start || !last || !number(start, UINT64_MAX, &rmrr.start) ||
	    !number(last, UINT64_MAX, &rmrr.last))
		return bad("an rmrr has an endpoint, a first and a last byte:", name);
	for (i = 0; i < hw.nr_eps; i++) {
		unit = hw.eps[i]->unit;
		if (strcmp(hw.eps[i]->name, name) || !unit)
			continue;
		if (unit->nr_rmrrs == HW_MAX_RMRRS)
			return bad("too many rmrrs:", name);
		rmrr.sid = hw.eps[i]->addr;
		unit->rmrrs[unit->nr_rmrrs++] = rmrr;
		return true;
	}
	return bad("no such endpoint with a unit above:", name);
}

static bool parse_line(char *line)
{
	char *save, *kind, *name, *rest;

	line[strcspn(line, "#\n")] = 0;
	kind = strtok_r(line, " \t", &save);
	if (!kind)
		return true;
	name = strtok_r(NULL, " \t", &save);
	rest = strtok_r(NULL, "", &save);
	if (!name || strchr(name, '/'))
		return bad("no name after", kind);
	if (!rest)
		rest = line + strlen(line);
	if (!strcmp(kind, "unit"))
		return parse_unit(name, rest);
	if (!strcmp(kind, "endpoint"))
		return parse_ep(name, rest);
	if (!strcmp(kind, "rmrr"))
		return parse_rmrr(name, rest);
	return bad("no such thing:", kind);
}

static bool socket_path(struct vu_dev *vu, const char *dir, const char *name)
{
	int n = snprintf(vu->path, sizeof(vu->path), "%s/%s.sock", dir, name);

	snprintf(vu->name, sizeof(vu->name), "%s", name);
	return (n > 0 && (size_t)n < sizeof(vu->path)) ||
	       bad("path of the socket is too long:", dir);
}

/* Names the sockets, and sees that addresses are used once. */
static bool finish(const char *dir)
{
	bool used[256] = { false };
	unsigned int i, j;

	for (i = 0; i < hw.nr_units; i++) {
		if (used[hw.units[i]->addr] || hw.units[i]->addr < 8)
			return bad("address is missing or taken:", hw.units[i]->name);
		used[hw.units[i]->addr] = true;
		if (!socket_path(&hw.units[i]->vu, dir, hw.units[i]->name))
			return false;
	}
	for (i = 0; i < hw.nr_eps; i++) {
		if (used[hw.eps[i]->addr] || hw.eps[i]->addr < 8)
			return bad("address is missing or taken:", hw.eps[i]->name);
		used[hw.eps[i]->addr] = true;
		if (!socket_path(&hw.eps[i]->vu, dir, hw.eps[i]->name))
			return false;
	}
	for (i = 0; i < hw.nr_eps; i++)
		for (j = 1; j < 8; j++)
			if (used[(hw.eps[i]->addr & 0xf8) | j])
				hw.eps[i]->multifunction = true;
	return true;
}

int topo_read(const char *path, const char *dir)
{
	FILE *f = fopen(path, "re");
	char line[512];
	bool ok = true;

	if (!f) {
		fprintf(stderr, "iofd-hw: %s: %s\n", path, strerror(errno));
		return -1;
	}
	line_nr = 0;
	while (ok && fgets(line, sizeof(line), f)) {
		line_nr++;
		ok = parse_line(line);
	}
	fclose(f);
	return ok && finish(dir) ? 0 : -1;
}

static void print_function(const struct vu_dev *vu, uint8_t addr, bool multi)
{
	printf("-device\n{\"driver\":\"vfio-user-pci\",\"id\":\"%s\",\"addr\":\"%x.%u\"%s,"
	       "\"socket\":{\"type\":\"unix\",\"path\":\"%s\"}}\n", vu->name,
	       addr >> 3, addr & 7u,
	       multi && !(addr & 7) ? ",\"multifunction\":true" : "", vu->path);
}

void topo_print(void)
{
	unsigned int i;

	for (i = 0; i < hw.nr_units; i++)
		print_function(&hw.units[i]->vu, hw.units[i]->addr, false);
	for (i = 0; i < hw.nr_eps; i++)
		print_function(&hw.eps[i]->vu, hw.eps[i]->addr,
			       hw.eps[i]->multifunction);
}
