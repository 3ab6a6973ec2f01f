// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hw_equal [TEST]: a user's table means the same whether hardware nests it or the
 * kernel composes it. Random changes of the table and of the parent below it, and
 * after each what three devices reach, against a walk of our own: one whose unit
 * nests, one whose child is composed though its unit nests, and one whose unit
 * cannot. SEED and ROUNDS come from the environment.
 */
#include "guest.h"

#define RAM		(4 * MIB)
#define DATA		(2 * MIB)	/* the rest is for tables */
#define CHUNK		(64 * KIB)
#define NR_CHUNKS	(RAM / CHUNK)
#define BASE		(8 * GIB)
#define NR_L2		6		/* second-level entries in use, 2 MiB each */
#define NR_L1		24		/* entries in use of the tables below */
#define HAW_LAST	((1ULL << 46) - 1)

enum { NESTED, COMPOSED, UNABLE, NR_WAYS };

static const char * const way_name[] = {
	"nested", "composed", "composed for a unit that cannot nest",
};

static struct hw_dev devs[NR_WAYS];
static int child[NR_WAYS];
static uint64_t top;
static uint64_t l1[NR_L2];

/* What the parent has at each chunk of its addresses: memory and permissions. */
static struct { unsigned int ram; __u32 flags; } chunks[NR_CHUNKS];

static uint64_t seed;

/* The hardware is made to err, and that is to show. */
static bool expect_differences;
static unsigned int differences;

static uint32_t chance(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % n;
}

/* Where the parent leads, or NULL. */
static unsigned char *parent_walk(uint64_t gpa, __u32 flags)
{
	uint64_t chunk = gpa / CHUNK;

	if (chunk >= NR_CHUNKS || (chunks[chunk].flags & flags) != flags)
		return NULL;
	return g.ram + chunks[chunk].ram * CHUNK + gpa % CHUNK;
}

/* The same by hand: where a request without privilege ends, or NULL. */
static unsigned char *walk(uint64_t gva, bool write)
{
	uint64_t table = top, entry, size;
	unsigned int level;

	for (level = 4;; level--) {
		unsigned char *page = parent_walk(table, RW);

		if (!page)
			return NULL;
		entry = ((uint64_t *)page)[gva >> (3 + 9 * level) & 511];
		if ((entry & (S1_P | S1_US)) != (S1_P | S1_US) ||
		    (write && !(entry & S1_RW)))
			return NULL;
		if ((entry & 0xfffffffffffffULL) > HAW_LAST)
			return NULL;
		size = PAGE << 9 * (level - 1);
		if (level == 1 || entry & S1_PS)
			break;
		table = entry & S1_ADDR;
	}
	if (level == 4 || (level > 1 && entry & S1_ADDR & (size - 1)))
		return NULL;
	return parent_walk((entry & S1_ADDR & ~(size - 1)) | (gva & (size - 1)),
			   write ? IOMMU_MAP_WRITE : IOMMU_MAP_READ);
}

static void parent_map(unsigned int chunk, unsigned int ram, __u32 flags)
{
	NEED(!map_at(g.fd, g.gpa, flags, g.ram + ram * CHUNK, CHUNK, chunk * CHUNK));
	chunks[chunk].ram = ram;
	chunks[chunk].flags = flags;
}

static void parent_unmap(unsigned int chunk)
{
	NEED(!unmap_at(g.fd, g.gpa, chunk * CHUNK, CHUNK));
	chunks[chunk].flags = 0;
}

/* Both see a change, at least from here on. */
static void changed(uint64_t gva, uint64_t bytes)
{
	unsigned int way;

	if (!chance(8))
		gva = bytes = 0;
	for (way = 0; way < NR_WAYS; way++)
		CHECK_OK(invalidate(child[way], gva, bytes));
}

static uint64_t random_bits(void)
{
	static const uint64_t bits[] = {
		S1_TABLE, S1_TABLE, S1_TABLE, S1_TABLE, S1_TABLE, S1_TABLE, S1_TABLE,
		S1_TABLE, S1_TABLE, S1_TABLE | S1_A | S1_D,
		S1_P | S1_US, S1_P | S1_US | S1_A, S1_P | S1_RW, S1_RW | S1_US, 0,
	};

	return bits[chance(sizeof(bits) / sizeof(*bits))];
}

static void change_page(void)
{
	unsigned int i = chance(NR_L2), k = chance(NR_L1), j;
	uint64_t gpa = chance((uint32_t)((DATA + 4 * CHUNK) / PAGE)) * PAGE;

	/* Some lead into the tables, or nowhere. */
	if (!chance(20))
		gpa = RAM + chance(64) * PAGE;
	else if (!chance(20))
		gpa |= 1ULL << (46 + chance(6));
	((uint64_t *)(g.ram + l1[i]))[k] = gpa | random_bits();
	/* More than one entry above may lead to this table. */
	for (j = 0; j < NR_L2; j++)
		if ((*s1_entry(top, 4, BASE + j * 2 * MIB, 2) & S1_ADDR) == l1[i])
			changed(BASE + j * 2 * MIB + k * PAGE, PAGE);
}

static void change_table(void)
{
	unsigned int i = chance(NR_L2);
	uint64_t *e = s1_entry(top, 4, BASE + i * 2 * MIB, 2);

	switch (chance(10)) {
	case 0:
		*e = 0;
		break;
	case 1:
		*e = (chance(3) * 2 * MIB) | S1_PS | random_bits();
		break;
	case 2:
		*e = l1[chance(NR_L2)] | random_bits();
		break;
	case 3:	/* reserved bits of a large page */
		*e = (1 + chance(255)) << 13 | S1_PS | S1_TABLE;
		break;
	default:
		*e = l1[i] | S1_TABLE;
	}
	changed(BASE + i * 2 * MIB, 2 * MIB);
}

static void change_above(void)
{
	unsigned int level = 3 + chance(2);
	uint64_t *e = s1_entry(top, 4, BASE, level), was = *e;
	uint64_t flip = chance(2) ? S1_RW : chance(2) ? S1_US : S1_P;

	/* Mostly back, or nothing leads anywhere. */
	*e = chance(4) ? was | S1_TABLE : was ^ flip;
	changed(0, 0);
}

static void change_parent(void)
{
	unsigned int chunk = chance(DATA / CHUNK), k;

	if (chunks[chunk].flags) {
		parent_unmap(chunk);
		if (chance(3))
			return;
	}
	k = chance(DATA / CHUNK);
	parent_map(chunk, k, chance(4) ? RW : chance(2) ? IOMMU_MAP_READ :
		   IOMMU_MAP_WRITE);
}

/* Make the way down whole again, or nothing leads anywhere in the end. */
static void mend(void)
{
	*s1_entry(top, 4, BASE, 4) |= S1_TABLE;
	*s1_entry(top, 4, BASE, 3) |= S1_TABLE;
	changed(0, 0);
	if (chunks[NR_CHUNKS - 1].flags != RW) {
		if (chunks[NR_CHUNKS - 1].flags)
			parent_unmap(NR_CHUNKS - 1);
		parent_map(NR_CHUNKS - 1, NR_CHUNKS - 1, RW);
	}
}

/*
 * Away with the memory of tables; it comes back later. (To write-protect it would
 * make what is translated depend on which accessed bits are set already.)
 */
static void change_tables_memory(void)
{
	if (chunks[NR_CHUNKS - 1].flags)
		parent_unmap(NR_CHUNKS - 1);
}

/* What was seen does not agree with the walk. */
static void differs(const char *fmt, uint64_t got, uint64_t want)
{
	differences++;
	if (!expect_differences)
		check_fail(fmt, (unsigned long long)got, (unsigned long long)want);
}

static void look(uint64_t gva, unsigned int round)
{
	unsigned char *reads = walk(gva, false), *writes = walk(gva, true);
	static uint64_t tag = 0xabc0000000000000ULL;
	uint64_t value, seen, was;
	unsigned int way, q;
	uint32_t status;

	for (way = 0; way < NR_WAYS; way++) {
		AT("round %u, %#llx, %s", round, (unsigned long long)gva,
		   way_name[way]);
		for (q = 0; q < 2; q++) {
			/* Queue 1 has a device TLB. */
			if (q && !(devs[way].has & HW_HAS_ATS))
				continue;
			seen = 0;
			status = hw_peek64(&devs[way], q, gva, &seen);
			CHECK(status != HQ_BUSY);
			if ((status == HQ_OK) != !!reads)
				differs("a read ends with status %llu, found %#llx",
					status, reads ? *(uint64_t *)reads : 0);
			else if (reads && seen != *(uint64_t *)reads)
				differs("reads %#llx instead of %#llx", seen,
					*(uint64_t *)reads);
		}
		if (expect_differences)
			continue;
		was = writes ? *(uint64_t *)writes : 0;
		value = ++tag;
		status = hw_poke(&devs[way], 0, gva, &value, 8);
		if ((status == HQ_OK) != !!writes)
			differs("a write ends with status %llu, to what was %#llx",
				status, was);
		else if (writes && *(uint64_t *)writes != value)
			differs("%#llx went elsewhere, here is %#llx", value,
				*(uint64_t *)writes);
		if (writes)
			*(uint64_t *)writes = was;
	}
}

static void start(void)
{
	unsigned int i;
	uint64_t page;

	NEED((g.ram = pages_alloc(RAM)));
	guest_start_with(g.ram, RAM);
	for (page = 0; page < RAM; page += 8)
		*(uint64_t *)(g.ram + page) = page < DATA ? page * 0x10001 + 1 : 0;
	for (i = 0; i < NR_CHUNKS; i++)
		parent_map(i, i, RW);
	top = table_page();
	for (i = 0; i < NR_L2; i++) {
		s1_entry(top, 4, BASE + i * 2 * MIB, 1);
		l1[i] = *s1_entry(top, 4, BASE + i * 2 * MIB, 2) & S1_ADDR;
	}
}

static void attach(unsigned int way, const char *slot, __u32 nesting, uint32_t pasid)
{
	struct iommu_ioasid_info info;

	bind_dev(&devs[way], slot, way + 1);
	NEED((child[way] = user_alloc_as(g.gpa, top, 4, nesting, 0)) > 0);
	NEED(!attach_pasid(&devs[way], child[way], pasid));
	hw_requests(&devs[way], 0, pasid, 0);
	hw_requests(&devs[way], 1, pasid, HQ_CTRL_ATS);
	NEED(!ioasid_info(g.fd, child[way], &info));
	CHECK_EQ(!!(info.flags & IOMMU_IOASID_INFO_HW_NESTED), way == NESTED);
	CHECK_EQ(!!(info.flags & IOMMU_IOASID_INFO_COMPOSED), way != NESTED);
}

static unsigned int from_environment(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned int)strtoul(text, NULL, 0) : otherwise;
}

static void same(uint32_t pasid, unsigned int rounds)
{
	unsigned int round, i, went = 0;

	seed = from_environment("SEED", 1) * 0x9e3779b97f4a7c15ULL + pasid;
	start();
	attach(NESTED, FULL0, IOMMU_NESTING_HARDWARE, pasid);
	attach(COMPOSED, FULL1, IOMMU_NESTING_SOFTWARE, pasid);
	attach(UNABLE, NONEST0, IOMMU_NESTING_AUTO, pasid);
	for (i = 0; i < 300; i++)
		change_page();
	for (round = 0; round < rounds && !check_failures; round++) {
		if (!chance(3))
			mend();
		switch (chance(16)) {
		case 0: change_above(); break;
		case 1: change_tables_memory(); break;
		case 2: case 3: case 4: change_table(); break;
		case 5: case 6: case 7: change_parent(); break;
		default: change_page(); break;
		}
		for (i = 0; i < 6; i++) {
			uint64_t gva = BASE + chance(NR_L2) * 2 * MIB +
				       chance(NR_L1) * PAGE + chance(500) * 8;

			went += !!walk(gva, false);
			look(gva, round);
		}
	}
	printf("  %u rounds, %u addresses looked at, of which %u lead somewhere\n",
	       round, round * 6, went);
	/* A test in which everything is refused shows nothing. */
	CHECK(went > round);
	CHECK_EQ(hw_misuse(&devs[NESTED]), 0);
	CHECK_EQ(hw_misuse(&devs[UNABLE]), 0);
}

static void the_same_without_pasid(void)
{
	same(HW_NO_PASID, from_environment("ROUNDS", 250));
}

static void the_same_with_pasid(void)
{
	same(0x1234, from_environment("ROUNDS", 250));
}

/* The test would notice if an invalidation were left out. */
static void a_lost_invalidation_shows(void)
{
	struct hw_dev tap = {};

	NEED(hw_open(&tap, PLAIN));
	NEED((g.fd = iommu_open()) >= 0);
	NEED(!dev_bind(tap.fd, g.fd, 9));
	NEED(hw_start(&tap));
	expect_differences = true;
	/* Type 6, of first-level translations by PASID */
	ht_write(&tap, HT_IGNORE, 1 << 6);
	same(0x1234, 60);
	ht_write(&tap, HT_IGNORE, 0);
	printf("  %u differences\n", differences);
	CHECK(differences > 0);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(the_same_without_pasid);
	RUN(the_same_with_pasid);
	RUN(a_lost_invalidation_shows);
	return check_end();
}
