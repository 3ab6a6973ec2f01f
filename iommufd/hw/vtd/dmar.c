// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parse the ACPI DMAR table. Firmware wrote it, so nothing in it is believed:
 * every length is checked against what is left before it is used.
 */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dmar.h"

/* Offsets and lengths in bytes, as the specification's chapter 8 lays them out. */
#define HEADER_LENGTH		4
#define HEADER_WIDTH		36
#define HEADER_BYTES		48
#define ENTRY_MIN_BYTES		4
#define DRHD_BYTES		16
#define RMRR_BYTES		24
#define ATSR_BYTES		8
#define SCOPE_MIN_BYTES		8

static u16 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static u32 get32(const u8 *p)
{
	return get16(p) | (u32)get16(p + 2) << 16;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

/* Length of the fixed part of an entry; 0 for a kind that is skipped. */
static unsigned int fixed_bytes(u16 kind)
{
	switch (kind) {
	case VTD_DMAR_DRHD:
		return DRHD_BYTES;
	case VTD_DMAR_RMRR:
		return RMRR_BYTES;
	case VTD_DMAR_ATSR:
		return ATSR_BYTES;
	default:
		return 0;
	}
}

/*
 * Read the scopes in @bytes bytes at @p into @scopes (NULL: only count them).
 * Returns how many there are, or -EINVAL.
 */
static int parse_scopes(const u8 *p, unsigned int bytes,
			struct vtd_scope *scopes)
{
	int n = 0;

	while (bytes) {
		unsigned int len;

		if (bytes < SCOPE_MIN_BYTES)
			return -EINVAL;
		len = p[1];
		if (len < SCOPE_MIN_BYTES || len > bytes || len % 2)
			return -EINVAL;
		if (scopes)
			scopes[n] = (struct vtd_scope) {
				.type = p[0],
				.enum_id = p[4],
				.start_bus = p[5],
				.nr_steps = (len - 6) / 2,
				.steps = p + 6,
			};
		n++;
		p += len;
		bytes -= len;
	}
	return n;
}

/* Fill in @e but for its scopes. Returns what is wrong, or NULL. */
static const char *parse_fixed(const u8 *p, struct vtd_dmar_entry *e)
{
	e->kind = get16(p);
	e->all = false;
	switch (e->kind) {
	case VTD_DMAR_DRHD:
		e->all = p[4] & 1;
		e->segment = get16(p + 6);
		e->start = get64(p + 8);
		e->last = e->start + (4096ULL << (p[5] & 0xf)) - 1;
		if (!e->start || e->start & 0xfff || e->last < e->start)
			return "a unit's register address is impossible";
		break;
	case VTD_DMAR_RMRR:
		e->segment = get16(p + 6);
		e->start = get64(p + 8);
		e->last = get64(p + 16);
		break;
	default:
		e->all = p[4] & 1;
		e->segment = get16(p + 6);
		break;
	}
	return NULL;
}

static bool rmrr_makes_sense(const struct vtd_dmar_entry *e)
{
	return !(e->start & 0xfff) && (e->last & 0xfff) == 0xfff &&
	       e->start < e->last;
}

/*
 * One pass over the entries of @table. With @dmar->entries NULL it checks
 * lengths and counts; the second pass fills in.
 */
static const char *walk(struct vtd_dmar *dmar, const u8 *table, size_t bytes,
			unsigned int *nr_scopes)
{
	size_t at = HEADER_BYTES;

	dmar->nr_entries = 0;
	dmar->nr_ignored = 0;
	*nr_scopes = 0;

	while (at < bytes) {
		const u8 *p = table + at;
		unsigned int len, fixed;
		struct vtd_dmar_entry e;
		const char *why;
		int n;

		if (bytes - at < ENTRY_MIN_BYTES)
			return "the last entry is cut off";
		len = get16(p + 2);
		if (len < ENTRY_MIN_BYTES || len > bytes - at)
			return "an entry's length is wrong";
		at += len;

		fixed = fixed_bytes(get16(p));
		if (!fixed)
			continue;
		if (len < fixed)
			return "an entry is too short for its type";
		memset(&e, 0, sizeof(e));
		why = parse_fixed(p, &e);
		if (why)
			return why;
		if (e.kind == VTD_DMAR_RMRR && !rmrr_makes_sense(&e)) {
			dmar->nr_ignored++;
			continue;
		}

		if (dmar->entries)
			e.scopes = dmar->scopes + *nr_scopes;
		n = parse_scopes(p + fixed, len - fixed,
				 dmar->entries ? dmar->scopes + *nr_scopes : NULL);
		if (n < 0)
			return "a device scope's length is wrong";
		e.nr_scopes = n;
		*nr_scopes += n;
		if (dmar->entries)
			dmar->entries[dmar->nr_entries] = e;
		dmar->nr_entries++;
	}
	return NULL;
}

static const char *check_units(const struct vtd_dmar *dmar)
{
	unsigned int i, j, units = 0;

	for (i = 0; i < dmar->nr_entries; i++) {
		const struct vtd_dmar_entry *e = &dmar->entries[i];

		if (e->kind != VTD_DMAR_DRHD)
			continue;
		units++;
		for (j = 0; j < i; j++)
			if (dmar->entries[j].kind == VTD_DMAR_DRHD &&
			    e->start <= dmar->entries[j].last &&
			    dmar->entries[j].start <= e->last)
				return "two units share registers";
	}
	return units ? NULL : "no remapping unit in it";
}

/**
 * vtd_dmar_parse() - parse a DMAR table
 * @buf: the table with its ACPI header
 * @bytes: bytes that may be read at @buf
 * @out: receives the result; free with vtd_dmar_free()
 * @why: on failure receives the reason, for people
 *
 * RMRRs with an impossible range are left out and counted, because firmware
 * with such exists and works; everything else that is wrong refuses the table.
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int vtd_dmar_parse(const void *buf, size_t bytes, struct vtd_dmar **out,
		   const char **why)
{
	unsigned int nr_scopes;
	struct vtd_dmar *dmar;
	const u8 *p = buf;
	u32 len;

	*out = NULL;
	if (bytes < HEADER_BYTES || memcmp(p, "DMAR", 4)) {
		*why = "it is not a DMAR table";
		return -EINVAL;
	}
	len = get32(p + HEADER_LENGTH);
	if (len < HEADER_BYTES || len > bytes) {
		*why = "its length is wrong";
		return -EINVAL;
	}

	*why = "out of memory";
	dmar = kzalloc(sizeof(*dmar), GFP_KERNEL);
	if (!dmar)
		return -ENOMEM;
	dmar->table = kmemdup(buf, len, GFP_KERNEL);
	if (!dmar->table)
		goto nomem;
	dmar->address_width_bits = p[HEADER_WIDTH] + 1;

	*why = walk(dmar, dmar->table, len, &nr_scopes);
	if (*why)
		goto invalid;
	*why = "out of memory";
	/* One more than needed: never a request for zero bytes. */
	dmar->scopes = kcalloc(nr_scopes + 1, sizeof(*dmar->scopes), GFP_KERNEL);
	dmar->entries = kcalloc(dmar->nr_entries + 1, sizeof(*dmar->entries),
				GFP_KERNEL);
	if (!dmar->scopes || !dmar->entries)
		goto nomem;
	*why = walk(dmar, dmar->table, len, &nr_scopes);
	if (!*why)
		*why = check_units(dmar);
	if (*why)
		goto invalid;

	*out = dmar;
	return 0;

nomem:
	vtd_dmar_free(dmar);
	return -ENOMEM;
invalid:
	vtd_dmar_free(dmar);
	return -EINVAL;
}

/**
 * vtd_dmar_free() - free a parsed table
 * @dmar: from vtd_dmar_parse(), or NULL
 */
void vtd_dmar_free(struct vtd_dmar *dmar)
{
	if (!dmar)
		return;
	kfree(dmar->entries);
	kfree(dmar->scopes);
	kfree(dmar->table);
	kfree(dmar);
}

/* Does the path of @scope end at hops[at]? */
static bool path_ends_at(const struct vtd_scope *scope,
			 const struct vtd_hop *hops, unsigned int nr_hops,
			 unsigned int at)
{
	unsigned int i;

	if (!scope->nr_steps || scope->nr_steps > nr_hops - at)
		return false;
	for (i = 0; i < scope->nr_steps; i++) {
		const u8 *step = scope->steps + 2 * (scope->nr_steps - 1 - i);

		if (step[0] > 31 || step[1] > 7 ||
		    hops[at + i].devfn != (step[0] << 3 | step[1]))
			return false;
	}
	return hops[at + scope->nr_steps - 1].bus == scope->start_bus;
}

/**
 * vtd_scope_matches() - does a scope cover a device?
 * @scope: the scope
 * @hops: the device, then each bridge above it, up to the root bus
 * @nr_hops: at least 1
 *
 * An endpoint scope names the device itself, a bridge scope also covers
 * everything below the bridge.
 */
bool vtd_scope_matches(const struct vtd_scope *scope,
		       const struct vtd_hop *hops, unsigned int nr_hops)
{
	unsigned int at;

	if (scope->type == VTD_SCOPE_ENDPOINT)
		return path_ends_at(scope, hops, nr_hops, 0);
	if (scope->type != VTD_SCOPE_BRIDGE)
		return false;
	for (at = 0; at < nr_hops; at++)
		if (path_ends_at(scope, hops, nr_hops, at))
			return true;
	return false;
}

/**
 * vtd_dmar_in_scope() - is a device in the scopes of an entry?
 * @entry: the entry; its INCLUDE_PCI_ALL or ALL_PORTS flag is not looked at
 * @segment: the device's PCI segment
 * @hops: as for vtd_scope_matches()
 * @nr_hops: at least 1
 */
bool vtd_dmar_in_scope(const struct vtd_dmar_entry *entry, u16 segment,
		       const struct vtd_hop *hops, unsigned int nr_hops)
{
	unsigned int i;

	if (entry->segment != segment)
		return false;
	for (i = 0; i < entry->nr_scopes; i++)
		if (vtd_scope_matches(&entry->scopes[i], hops, nr_hops))
			return true;
	return false;
}

/**
 * vtd_dmar_find_unit() - which unit translates a device's DMA?
 * @dmar: the table
 * @segment: the device's PCI segment
 * @hops: as for vtd_scope_matches()
 * @nr_hops: at least 1
 *
 * A unit that names the device wins over its segment's INCLUDE_PCI_ALL unit.
 *
 * Return: the unit's entry, or NULL when no unit is in front of the device.
 */
const struct vtd_dmar_entry *
vtd_dmar_find_unit(const struct vtd_dmar *dmar, u16 segment,
		   const struct vtd_hop *hops, unsigned int nr_hops)
{
	const struct vtd_dmar_entry *rest = NULL;
	unsigned int i;

	for (i = 0; i < dmar->nr_entries; i++) {
		const struct vtd_dmar_entry *e = &dmar->entries[i];

		if (e->kind != VTD_DMAR_DRHD)
			continue;
		if (vtd_dmar_in_scope(e, segment, hops, nr_hops))
			return e;
		if (e->all && e->segment == segment && !rest)
			rest = e;
	}
	return rest;
}
