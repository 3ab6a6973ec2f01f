// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Users' tables that are no trees: entries of all levels in the same pages, which
 * point anywhere. The same address spaces are on hardware that nests and, by
 * composition, on hardware that does not; whatever is mapped, unmapped, edited,
 * invalidated, attached or detached, after every step both come to the same for
 * all addresses that are tried. And a user who changes tables while they are
 * walked.
 *
 * SEED=n makes another run, STEPS=n a longer one; the seed is printed.
 */
#include <pthread.h>
#include "guest.h"

#define PAGES		64		/* that the root maps or does not */
#define RAM		(PAGES * PAGE)
#define TABLES		10		/* of these are tables */
#define SPAN		6		/* entries of each that are used */
#define SPACES		3		/* with PASIDs 1 and up; the last: none */
#define PROBES		3		/* for each space after each step */

static struct hw_dev nested, composed;
static uint64_t random_state;

static uint32_t rnd(uint32_t below)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random_state >> 33) % below;
}

static uint64_t random_entry(void)
{
	uint64_t e = (rnd(4) ? rnd(TABLES) : rnd(PAGES + 2)) * PAGE;

	e |= rnd(8) ? S1_P : 0;
	e |= rnd(4) ? S1_RW : 0;
	e |= rnd(10) ? S1_US : 0;
	e |= rnd(2) ? S1_A : 0;
	e |= rnd(2) ? S1_D : 0;
	if (!rnd(6))
		e = (e | S1_PS) & ~(2 * MIB - PAGE);
	return e;
}

static uint64_t *entry(unsigned int page, unsigned int i)
{
	return (uint64_t *)(g.ram + page * PAGE) + i;
}

static uint64_t random_address(void)
{
	return (uint64_t)rnd(SPAN) << 39 | (uint64_t)rnd(SPAN) << 30 |
	       (uint64_t)rnd(SPAN) << 21 | (uint64_t)rnd(SPAN) << 12 |
	       /* Behind what is used of a table */
	       (rnd(2) ? 0xff8 : 0x800);
}

static uint32_t pasid_of(unsigned int space)
{
	return space < SPACES - 1 ? space + 1 : HW_NO_PASID;
}

/*
 * Both read, or both write, the same or nothing. What is at the address names it:
 * words that are never in the way of an entry hold their own number.
 */
static bool agree(unsigned int space)
{
	uint64_t addr = random_address(), a = 0, b = 0;
	bool write = rnd(2);
	uint32_t sa, sb;

	as_pasid(&nested, pasid_of(space));
	as_pasid(&composed, pasid_of(space));
	/* Composition has set accessed and dirty bits; hardware sets them now. */
	if (!write) {
		sb = hw_peek64(&composed, 0, addr, &b);
		sa = hw_peek64(&nested, 0, addr, &a);
	} else {
		uint64_t *word = NULL, i;

		a = b = 0x1000000 + rnd(0x10000);
		sb = hw_poke(&composed, 0, addr, &b, 8);
		for (i = 0; sb == HQ_OK && i < PAGES; i++)
			if (*(uint64_t *)(g.ram + i * PAGE + (addr & 0xff8)) == b)
				word = (uint64_t *)(g.ram + i * PAGE +
						    (addr & 0xff8));
		if (word)
			*word = 0;
		sa = hw_poke(&nested, 0, addr, &a, 8);
		if (sb == HQ_OK && sa == HQ_OK && (!word || *word != a)) {
			check_fail("space %u, %#llx: written to different places",
				   space, (unsigned long long)addr);
			return false;
		}
		if (word)
			*word = (uint64_t)word;
	}
	if (sa != sb || a != b) {
		check_fail("space %u, %s %#llx: nested %u %#llx (fault %#x), composed %u %#llx (fault %#x)",
			   space, write ? "write" : "read", (unsigned long long)addr,
			   sa, (unsigned long long)a, hw_fault(&nested, 0), sb,
			   (unsigned long long)b, hw_fault(&composed, 0));
		return false;
	}
	return true;
}

static int spaces[SPACES];
static bool attached[SPACES];
static bool mapped[PAGES];

static int attach_both(unsigned int space)
{
	return attachment(&nested, IOMMU_DEVICE_ATTACH_IOASID, spaces[space],
			  pasid_of(space)) ||
	       attachment(&composed, IOMMU_DEVICE_ATTACH_IOASID, spaces[space],
			  pasid_of(space)) ||
	       invalidate(spaces[space], 0, 0);
}

static int detach_both(unsigned int space)
{
	return attachment(&nested, IOMMU_DEVICE_DETACH_IOASID, spaces[space],
			  pasid_of(space)) ||
	       attachment(&composed, IOMMU_DEVICE_DETACH_IOASID, spaces[space],
			  pasid_of(space));
}

static void edit_and_invalidate(void)
{
	unsigned int i;

	do {
		*entry(rnd(TABLES), rnd(SPAN)) = random_entry();
	} while (rnd(3));
	for (i = 0; i < SPACES; i++)
		if (attached[i])
			NEED(!invalidate(spaces[i], 0, 0));
}

static void step(void)
{
	unsigned int page = rnd(PAGES), i = rnd(SPACES);

	switch (rnd(6)) {
	case 0:
		if (mapped[page])
			NEED(!unmap_at(g.fd, g.gpa, page * PAGE, PAGE));
		mapped[page] = false;
		break;
	case 1:
		if (!mapped[page])
			NEED(!map_at(g.fd, g.gpa, rnd(4) ? RW : 1 + rnd(3),
				     g.ram + (rnd(4) ? page : rnd(PAGES)) * PAGE,
				     PAGE, page * PAGE));
		mapped[page] = true;
		break;
	case 2:
	case 3:
		edit_and_invalidate();
		break;
	case 4:
		if (!attached[i])
			NEED(!attach_both(i));
		attached[i] = true;
		break;
	default:
		if (attached[i])
			NEED(!detach_both(i));
		attached[i] = false;
	}
}

static void start(void)
{
	unsigned int i, k;

	guest_start(RAM);
	NEED(!unmap_at(g.fd, g.gpa, 0, RAM));
	for (i = 0; i < PAGES; i++) {
		NEED(!map_at(g.fd, g.gpa, RW, g.ram + i * PAGE, PAGE, i * PAGE));
		mapped[i] = true;
		for (k = 0; k < PAGE; k += 8)
			*(uint64_t *)(g.ram + i * PAGE + k) =
				(uint64_t)(g.ram + i * PAGE + k);
	}
	for (i = 0; i < TABLES; i++)
		for (k = 0; k < 256; k++)
			*entry(i, k) = k < SPAN ? random_entry() : 0;
	for (i = 0; i < SPACES; i++)
		NEED((spaces[i] = user_alloc(i * PAGE, 4)) > 0);
	bind_dev(&nested, FULL0, 1);
	bind_dev(&composed, NONEST0, 2);
}

static void random_sequences(void)
{
	unsigned int n, i, k, steps = 10000, probes = 0;
	const char *text = getenv("SEED");

	random_state = text ? strtoull(text, NULL, 0) : 1;
	if (getenv("STEPS"))
		steps = (unsigned int)atoi(getenv("STEPS"));
	printf("  seed %llu, %u steps\n", (unsigned long long)random_state, steps);
	start();
	for (n = 0; n < steps && !check_failures; n++) {
		step();
		AT("step %u", n);
		for (i = 0; i < SPACES; i++)
			for (k = 0; attached[i] && k < PROBES; k++, probes++)
				if (!agree(i))
					break;
	}
	printf("  %u addresses compared\n", probes);
	CHECK_EQ(hw_misuse(&nested), 0);
	CHECK_EQ(hw_misuse(&composed), 0);
}

/* Writes to tables as fast as it can, while they are walked. */
static void *scribble(void *arg)
{
	volatile bool *stop = arg;
	uint64_t state = 1;

	while (!*stop) {
		state = state * 6364136223846793005ULL + 1;
		*(volatile uint64_t *)entry((state >> 40) % TABLES,
					    (state >> 33) % SPAN) =
			(state >> 20) % (PAGES + 4) * PAGE | S1_TABLE |
			((state >> 50) % 5 ? 0 : S1_PS) |
			((state >> 55) % 7 ? 0 : state & 0xfff0000000000000ULL);
	}
	return NULL;
}

/*
 * Tables that point at themselves and everywhere, and change all the time, with
 * DMA running: nothing but the parent's memory is ever written.
 */
static void hostile_tables(void)
{
	unsigned char *canary = pages_alloc(16 * PAGE);
	volatile bool stop = false;
	unsigned int i, k;
	pthread_t thread;

	NEED(canary);
	memset(canary, 0xc5, 16 * PAGE);
	random_state = 7;
	start();
	/* A piece of memory in the middle is not the guest's. */
	NEED(!unmap_at(g.fd, g.gpa, 40 * PAGE, PAGE));
	memset(g.ram + 40 * PAGE, 0xc5, PAGE);
	for (i = 0; i < SPACES; i++) {
		*entry(i, 0) = i * PAGE | S1_TABLE;	/* itself */
		NEED(!attach_both(i) || errno == E2BIG);
	}
	NEED(!pthread_create(&thread, NULL, scribble, (void *)&stop));
	for (i = 0; i < 300; i++) {
		as_pasid(&nested, pasid_of(i % SPACES));
		as_pasid(&composed, pasid_of(i % SPACES));
		hw_fill(&nested, 0, random_address() & ~0xfffULL, 0x99, PAGE);
		hw_fill(&composed, 0, random_address() & ~0xfffULL, 0x99, PAGE);
		if (invalidate(spaces[i % SPACES], 0, 0))
			CHECK_EQ(errno, E2BIG);
	}
	stop = true;
	NEED(!pthread_join(thread, NULL));
	for (k = 0; k < 16 * PAGE; k++)
		if (canary[k] != 0xc5)
			break;
	CHECK_EQ(k, 16 * PAGE);
	for (k = 0; k < PAGE; k++)
		if (g.ram[40 * PAGE + k] != 0xc5)
			break;
	CHECK_EQ(k, PAGE);
	CHECK_EQ(hw_misuse(&nested), 0);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	check_timeout_s = 900;
	RUN(hostile_tables);
	RUN(random_sequences);
	return check_end();
}
