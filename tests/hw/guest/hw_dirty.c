// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hw_dirty [TEST]: what devices have written, by upstream's commands: exactly the
 * pages that were, by whatever kind of request; and none is ever lost to somebody
 * who copies what was written again and again, while DMA does not stop.
 */
#include "guest.h"
#include "../../vm/upstream.h"
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/syscall.h>

#define IOVA		0x40000000ULL
#define PAGES		1024
#define BYTES		(PAGES * (uint64_t)PAGE)
#define NO_CLEAR	1u
#define THE_PASID	0x333
#define STREAMS		4

/* Untranslated, by ATS, both also with PASID */
static const struct { bool pasid; uint32_t flags; } kinds[STREAMS] = {
	{ false, 0 }, { true, 0 }, { false, HQ_CTRL_ATS }, { true, HQ_CTRL_ATS },
};

static struct hw_dev dev;
static int fd, id, ioas, hwpt;
static unsigned char *memory;
static unsigned char bits[PAGES / 8];
static uint64_t seed = 88172645463325252ULL;

static unsigned int below(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 33) % n;
}

static bool bit(unsigned int page)
{
	return bits[page / 8] >> page % 8 & 1;
}

static bool get(uint32_t flags)
{
	memset(bits, 0, sizeof(bits));
	return !up_get_dirty(fd, hwpt, IOVA, BYTES, bits, flags);
}

/* An endpoint with PASIDs, through a table that tracks; @small: leaves of 4 KiB */
static void start(const char *slot, bool small)
{
	NEED((fd = iommu_open()) >= 0);
	NEED(hw_open(&dev, slot));
	NEED((id = up_bind(dev.fd, fd)) > 0);
	NEED(hw_start(&dev));
	/* Aligned to what a large leaf translates */
	NEED((memory = pages_alloc(BYTES + 2 * MIB)));
	memory += -(uintptr_t)memory % (2 * MIB);
	NEED((ioas = up_ioas(fd)) > 0);
	NEED(!small || !up_small_leaves(fd, ioas));
	NEED(!up_map(fd, ioas, memory, BYTES, IOVA));
	NEED((hwpt = up_hwpt(fd, id, ioas, UP_DIRTY | UP_PASID)) > 0);
	NEED(up_attach(dev.fd, hwpt) == hwpt);
	NEED(up_attach_pasid(dev.fd, hwpt, THE_PASID) == hwpt);
	CHECK_ERRNO(up_get_dirty(fd, hwpt, IOVA, BYTES, bits, 0), EINVAL);
	NEED(!up_set_dirty(fd, hwpt, 1));
}

static void exactly_what_was_written(void)
{
	static bool written[PAGES];
	unsigned int round, i, q, page;
	struct up_vtd_info info;
	uint64_t caps, value;

	start(FULL0, true);
	NEED(up_hw_caps(fd, id, &info, &caps) == 1);
	CHECK_EQ(caps & 1, 1);
	for (q = 0; q < STREAMS; q++)
		hw_requests(&dev, q, kinds[q].pasid ? THE_PASID : HW_NO_PASID,
			    kinds[q].flags);
	for (round = 0; round < 40; round++) {
		for (i = 0; i < 30; i++) {
			q = below(STREAMS);
			page = below(PAGES);
			AT("round %u, kind %u, page %u", round, q, page);
			if (below(3)) {
				value = seed;
				NEED(hw_poke(&dev, q, IOVA + page * PAGE + 8,
					     &value, 8) == HQ_OK);
				written[page] = true;
			} else {
				NEED(hw_peek64(&dev, q, IOVA + page * PAGE,
					       &value) == HQ_OK);
			}
		}
		NEED(get(round % 4 == 3 ? NO_CLEAR : 0));
		for (page = 0; page < PAGES; page++) {
			AT("round %u, page %u", round, page);
			CHECK_EQ(bit(page), written[page]);
			if (round % 4 != 3)
				written[page] = false;
		}
	}
	CHECK_EQ(hw_misuse(&dev), 0);
	CHECK_OK(up_detach(dev.fd));
}

static void streams_start(uint64_t iova)
{
	unsigned int q;

	for (q = 0; q < STREAMS; q++) {
		hw_requests(&dev, q, kinds[q].pasid ? THE_PASID : HW_NO_PASID,
			    kinds[q].flags);
		hq_write(&dev, q, HQ_INTERVAL_US, 10);
		hw_begin(&dev, q, HQ_CMD_COUNT | HQ_CMD_REPEAT, 0,
			 iova + q * BYTES / STREAMS, BYTES / STREAMS);
	}
}

static unsigned int copy_written(unsigned char *copy)
{
	unsigned int page, n = 0;

	NEED(get(0));
	for (page = 0; page < PAGES; page++)
		if (bit(page)) {
			memcpy(copy + page * PAGE, memory + page * PAGE, PAGE);
			n++;
		}
	return n;
}

/* As a VMM that migrates: what it has in the end is what there is. */
static void copy_rounds(unsigned int rounds)
{
	unsigned char *copy = pages_alloc(BYTES);
	unsigned int i, q, page, total = 0;
	uint64_t transfers = 0;

	NEED(copy);
	memcpy(copy, memory, BYTES);
	for (i = 0; i < rounds; i++) {
		total += copy_written(copy);
		if (i % 8 == 0)
			check_sleep_ms(2);
	}
	for (q = 0; q < STREAMS; q++) {
		hw_stop(&dev, q);
		CHECK_EQ(hq_read64(&dev, q, HQ_ERRORS), 0);
		transfers += hq_read64(&dev, q, HQ_ROUNDS);
	}
	total += copy_written(copy);
	for (page = 0; page < PAGES; page++) {
		AT("page %u", page);
		if (!CHECK(!memcmp(copy + page * PAGE, memory + page * PAGE, PAGE)))
			break;
	}
	printf("  %u rounds, %llu transfers, %u pages copied\n", rounds,
	       (unsigned long long)transfers, total);
	CHECK(total > 0 && transfers > rounds);
	/* Nothing writes any more. */
	CHECK_EQ(copy_written(copy), 0);
	CHECK_EQ(hw_misuse(&dev), 0);
}

static void nothing_is_lost(void)
{
	start(FULL0, true);
	streams_start(IOVA);
	copy_rounds(400);
}

static void nothing_is_lost_of_large_pages(void)
{
	start(FULL0, false);
	streams_start(IOVA);
	copy_rounds(200);
}

/* A guest's table over it: what it leads to counts by the guest's own address. */
static void through_a_guests_table(void)
{
	uint64_t table, gva;
	int parent, user;
	unsigned int q, page;

	start(FULL0, true);
	g.fd = fd;
	g.ram = memory;
	g.table = BYTES;
	NEED(!up_map(fd, ioas, memory, BYTES, 0));
	NEED((parent = up_hwpt(fd, id, ioas, UP_DIRTY | UP_PASID | UP_NEST_PARENT)) > 0);
	table = table_page();
	/* The upper half is the tables'. */
	for (gva = 0; gva < BYTES / 2; gva += PAGE)
		s1_map(table, 4, 8 * GIB + gva, gva, 1);
	NEED((user = up_nested(fd, id, parent, table)) > 0);
	NEED(up_attach(dev.fd, user) == user);
	NEED(!up_set_dirty(fd, parent, 1));
	hwpt = parent;
	for (q = 0; q < STREAMS; q++) {
		uint64_t value = q + 1;

		if (kinds[q].pasid)
			continue;
		hw_requests(&dev, q, HW_NO_PASID, kinds[q].flags);
		NEED(hw_poke(&dev, q, 8 * GIB + (q + 3) * PAGE, &value, 8) == HQ_OK);
		memset(bits, 0, sizeof(bits));
		NEED(!up_get_dirty(fd, parent, 0, BYTES, bits, 0));
		for (page = 0; page < PAGES / 2; page++) {
			AT("kind %u, page %u", q, page);
			CHECK_EQ(bit(page), page == q + 3);
		}
		/* and the pages of the table, which hardware marks */
		CHECK(bit((unsigned int)(table / PAGE)));
	}
	CHECK_ERRNO(up_destroy(fd, parent), EBUSY);
	CHECK_EQ(hw_misuse(&dev), 0);
	CHECK_OK(up_detach(dev.fd));
}

/* Behind other units: refused as upstream refuses it. */
static void who_cannot(void)
{
	static const char *const slots[] = { NONEST1, LEGACY1 };
	struct up_vtd_info info;
	struct hw_dev other;
	unsigned int i;
	uint64_t caps;
	int second;

	start(FULL0, true);
	for (i = 0; i < 2; i++) {
		AT("%s", slots[i]);
		NEED(hw_open(&other, slots[i]));
		NEED((second = up_bind(other.fd, fd)) > 0);
		CHECK_EQ(up_hw_caps(fd, second, &info, &caps), 1);
		CHECK_EQ(caps & 1, 0);
		CHECK_ERRNO(up_hwpt(fd, second, ioas, UP_DIRTY), EOPNOTSUPP);
		CHECK_ERRNO(up_attach(other.fd, hwpt), EINVAL);
		close(other.fd);
	}
}

static void *get_late(void *page)
{
	long rc = up_get_dirty(fd, hwpt, IOVA, BYTES, page, 0);

	return (void *)rc;
}

/* A bitmap that does not come for as long as its owner likes holds up nobody. */
static void a_bitmap_that_is_late(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	uint64_t value = 1, length = PAGE;
	unsigned char *page;
	pthread_t thread;
	void *rc;
	int uffd;

	start(FULL0, true);
	NEED((uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC)) >= 0);
	NEED(!ioctl(uffd, UFFDIO_API, &api));
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(page != MAP_FAILED);
	reg.range.start = (uintptr_t)page;
	reg.range.len = PAGE;
	NEED(!ioctl(uffd, UFFDIO_REGISTER, &reg));
	NEED(hw_poke(&dev, 0, IOVA + 5 * PAGE, &value, 8) == HQ_OK);
	NEED(!pthread_create(&thread, NULL, get_late, page));
	check_sleep_ms(200);
	/* It waits; everything else goes on, others' questions too. */
	CHECK_OK(up_map(fd, ioas, memory, PAGE, 0));
	CHECK_OK(up_unmap(fd, ioas, 0, &length));
	CHECK_OK(up_set_dirty(fd, hwpt, 1));
	CHECK(get(0) && !bit(5));
	NEED(hw_poke(&dev, 0, IOVA + 6 * PAGE, &value, 8) == HQ_OK);
	CHECK(pthread_tryjoin_np(thread, &rc) == EBUSY);
	close(uffd);
	NEED(!pthread_join(thread, &rc));
	CHECK_EQ((long)rc, 0);
	CHECK_EQ(page[0], 1 << 6);
}

/* The test would notice: a unit that takes no notice of flushes. */
static void a_lost_flush_shows(void)
{
	uint64_t value = 1;
	unsigned int q, seen;

	start(FULL0, true);
	for (q = 0; q < STREAMS; q++) {
		hw_requests(&dev, q, kinds[q].pasid ? THE_PASID : HW_NO_PASID,
			    kinds[q].flags);
		NEED(hw_poke(&dev, q, IOVA + q * PAGE, &value, 8) == HQ_OK);
	}
	ht_write(&dev, HT_IGNORE, 1 << 2 | 1 << 3 | 1 << 6 | 1 << 8);
	NEED(get(0));
	ht_write(&dev, HT_IGNORE, 0);
	for (q = 0; q < STREAMS; q++) {
		CHECK(bit(q));
		NEED(hw_poke(&dev, q, IOVA + q * PAGE, &value, 8) == HQ_OK);
	}
	NEED(get(0));
	for (q = 0, seen = 0; q < STREAMS; q++)
		seen += bit(q);
	CHECK_EQ(seen, 0);
	CHECK_OK(up_detach(dev.fd));
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(exactly_what_was_written);
	RUN(nothing_is_lost);
	RUN(nothing_is_lost_of_large_pages);
	RUN(through_a_guests_table);
	RUN(who_cannot);
	RUN(a_bitmap_that_is_late);
	RUN(a_lost_flush_shows);
	return check_end();
}
