// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The test hardware tested: the protocol, with nonsense too; the endpoint; the
 * unit's function; page requests from the endpoint to the unit's queue and back.
 */
#include "client.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static const char one_of_each[] =
	"unit u0 addr=10.0 preset=full\n"
	"endpoint ep addr=14.0 unit=u0 ats pri pasid=20\n"
	"endpoint free addr=15.0 queues=2 # behind nothing\n";

static int start(void **state)
{
	(void)state;
	now = 1000;
	machine_start(one_of_each);
	return 0;
}

static int end(void **state)
{
	(void)state;
	machine_end();
	return 0;
}

/* What the server has to say of nonsense is not to be read. */
static int loud = -1;

static int quiet(void **state)
{
	(void)state;
	loud = dup(2);
	close(2);
	return open("/dev/null", O_WRONLY) == 2 ? 0 : -1;
}

static int speak(void **state)
{
	(void)state;
	dup2(loud, 2);
	close(loud);
	return 0;
}

#define in_silence(fn) cmocka_unit_test_setup_teardown(fn, quiet, speak)
#define with_machine(fn) cmocka_unit_test_setup_teardown(fn, start, end)

static void protocol(void **state)
{
	struct vu_dev *vu = function("ep");
	uint32_t u[8];
	char text[256];

	(void)state;
	assert_true(client_command(vu, 1, "\0\0\1\0{}", 7, -1, text, sizeof(text)) > 4);
	assert_int_equal(client_command(vu, 4, NULL, 0, -1, u, sizeof(u)), 16);
	assert_int_equal(u[1] & 3, 3);
	assert_true(u[2] >= 9);

	memset(u, 0, sizeof(u));
	u[2] = 7;
	assert_int_equal(client_command(vu, 5, u, 32, -1, u, sizeof(u)), 32);
	assert_int_equal(u[4], 4096);
	u[2] = 9;
	assert_int_equal(client_command(vu, 5, u, 32, -1, NULL, 0), -EINVAL);
	u[2] = 2;
	assert_int_equal(client_command(vu, 7, u, 16, -1, u, sizeof(u)), 16);
	assert_int_equal(u[3], HW_VECTORS);
	/* Too short, and unknown. */
	assert_int_equal(client_command(vu, 5, u, 31, -1, NULL, 0), -EINVAL);
	assert_int_equal(client_command(vu, 9, u, 8, -1, NULL, 0), -EINVAL);
	assert_int_equal(client_command(vu, 77, u, 8, -1, NULL, 0), -ENOTSUP);
	/* Beyond the region. */
	memcpy(u, (uint64_t[]) { 4095 }, 8);
	u[2] = 7;
	u[3] = 2;
	assert_int_equal(client_command(vu, 9, u, 16, -1, NULL, 0), -EINVAL);
	u[0] = u[1] = 0xffffffff;
	assert_int_equal(client_command(vu, 9, u, 16, -1, NULL, 0), -EINVAL);
	/* More data announced than sent. */
	memset(u, 0, sizeof(u));
	u[3] = 8;
	assert_int_equal(client_command(vu, 10, u, 20, -1, NULL, 0), -EINVAL);
	assert_int_equal(client_command(vu, 13, NULL, 0, -1, NULL, 0), 0);
	assert_int_equal(bar_read(vu, 0, HW_RESETS, 4), 1);
}

static void memory(void **state)
{
	struct vu_dev *vu = function("ep");
	struct { uint32_t argsz, flags; uint64_t offset, start, bytes; } map = {
		32, 3, 0, 1 << 20, 4096,
	};
	struct { uint32_t argsz, flags; uint64_t start, bytes; } unmap = {
		24, 0, 0, RAM_BYTES,
	};
	int fd = memfd_create("small", 0);

	(void)state;
	assert_int_equal(ftruncate(fd, 8192), 0);
	assert_int_equal(client_command(vu, 2, &map, 32, fd, NULL, 0), -EEXIST);
	map.start = 1ULL << 40;
	map.offset = 4097;
	assert_int_equal(client_command(vu, 2, &map, 32, fd, NULL, 0), -EINVAL);
	map.offset = 4096;
	map.flags = 1;
	assert_int_equal(client_command(vu, 2, &map, 32, fd, NULL, 0), 0);
	assert_non_null(mem_at(&vu->mem, map.start + 4095, 1, false));
	assert_null(mem_at(&vu->mem, map.start + 4095, 2, false));
	assert_null(mem_at(&vu->mem, map.start, 1, true));
	assert_null(mem_at(&vu->mem, map.start - 1, 1, false));
	map.start = UINT64_MAX;
	assert_int_equal(client_command(vu, 2, &map, 32, fd, NULL, 0), -EINVAL);
	map.start = 1ULL << 41;
	assert_int_equal(client_command(vu, 2, &map, 32, -1, NULL, 0), 0);
	assert_null(mem_at(&vu->mem, map.start, 1, false));
	assert_int_equal(client_command(vu, 3, &unmap, 24, -1, NULL, 0), 24);
	assert_null(mem_at(&vu->mem, 0, 1, false));
	assert_non_null(mem_at(&vu->mem, 1ULL << 40, 1, false));
	/* The same memory, seen by others, is as it was. */
	assert_non_null(mem_at(&function("u0")->mem, 0, 1, true));
	unmap.flags = 2;
	assert_int_equal(client_command(vu, 3, &unmap, 24, -1, NULL, 0), 24);
	assert_int_equal(vu->mem.n, 0);
	close(fd);
}

/* Bytes that are no messages: the connection may go, nothing else. */
static void garbage(void **state)
{
	uint8_t bytes[64];
	unsigned int i, k, n;

	(void)state;
	srandom(1);
	for (i = 0; i < 400; i++) {
		struct vu_dev *vu;

		machine_start(one_of_each);
		vu = function(i % 2 ? "ep" : "u0");
		for (k = 0; k < 200 && vu->fd >= 0; k++) {
			for (n = 0; n < sizeof(bytes); n++)
				bytes[n] = (uint8_t)random();
			/* Often with a header that makes sense. */
			if (random() % 8) {
				n = 16 + (unsigned int)random() % 40;
				memcpy(bytes + 4, (uint32_t[]) { n, 0, 0 }, 12);
				bytes[2] = (uint8_t)(random() % 16);
				bytes[3] = 0;
				/* Offsets and counts that are small. */
				if (random() % 2)
					memset(bytes + 18, 0, 6);
				if (random() % 2)
					memcpy(bytes + 24, (uint32_t[]) {
						(uint32_t)random() % 10,
						n > 32 ? n - 32 : 4 }, 8);
			}
			client_raw(vu, bytes, n);
			if (vu->fd >= 0)
				machine_work();
		}
		machine_end();
	}
}

static void topology_errors(void **state)
{
	static const char * const bad[] = {
		"unit", "unit u addr=10.0", "unit u preset=full", "thing t addr=10.0",
		"unit u addr=10.0 preset=fine", "unit u addr=10.0 preset=full +sc2",
		"unit u addr=40.0 preset=full", "unit u addr=10.8 preset=full",
		"unit u addr=10.0 preset=full aw=40", "endpoint e addr=0.0",
		"endpoint e addr=14.0 unit=u", "endpoint e addr=14.0 pasid=21",
		"endpoint e addr=14.0 queues=17", "endpoint e addr=14.0\nendpoint f addr=14.0",
		"rmrr e 0 0xfff", "unit ../u addr=10.0 preset=full",
		"endpoint e addr=14.0 pasid=x", "endpoint e addr=14.0 pasid=",
	};
	unsigned int i, k;
	char path[] = "/tmp/iofd-hw.XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	(void)state;
	assert_true(fd >= 0);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(pwrite(fd, bad[i], strlen(bad[i]), 0), strlen(bad[i]));
		assert_int_equal(ftruncate(fd, (off_t)strlen(bad[i])), 0);
		ok = !topo_read(path, "/tmp");
		/* What only the unit itself can tell. */
		for (k = 0; ok && k < hw.nr_units; k++)
			ok = vtdu_size(&hw.units[k]->config);
		if (ok)
			printf("accepted: %s\n", bad[i]);
		assert_false(ok);
		for (k = 0; k < hw.nr_eps; k++)
			free(hw.eps[k]);
		for (k = 0; k < hw.nr_units; k++)
			unit_free(hw.units[k]);
		memset(&hw, 0, sizeof(hw));
	}
	close(fd);
	unlink(path);
}

/* A command of queue @q from its registers to its status. */
static uint32_t command(struct vu_dev *vu, unsigned int q, uint32_t cmd,
			uint64_t src, uint64_t dst, uint32_t len)
{
	bar_write(vu, 0, HW_QUEUE(q) + HQ_SRC, 8, src);
	bar_write(vu, 0, HW_QUEUE(q) + HQ_DST, 8, dst);
	bar_write(vu, 0, HW_QUEUE(q) + HQ_LEN, 4, len);
	bar_write(vu, 0, HW_QUEUE(q) + HQ_CMD, 4, cmd);
	return (uint32_t)bar_read(vu, 0, HW_QUEUE(q) + HQ_STATUS, 4);
}

static uint32_t reason(struct vu_dev *vu, unsigned int q)
{
	return (uint32_t)bar_read(vu, 0, HW_QUEUE(q) + HQ_REASON, 4);
}

static void endpoint_alone(void **state)
{
	struct vu_dev *vu = function("free");
	const struct { uint32_t argsz, flags, index, start, count; } irqs = {
		20, 4 | 1 << 5, VU_IRQ_MSIX, 2, 1,
	};
	uint64_t count = 0, pa, ring[3];
	uint32_t value;
	int fd = eventfd(0, EFD_NONBLOCK);

	(void)state;
	memset(ram + 0x1ff0, 0x5a, 0x1000);
	assert_int_equal(command(vu, 0, HQ_CMD_COPY, 0x1ff0, 0x8001, 0x1000), HQ_ERROR);
	assert_int_equal(reason(vu, 0), HQ_E_MASTER);
	bar_write(vu, CONFIG, 4, 2, 6);
	assert_int_equal(command(vu, 0, HQ_CMD_COPY, 0x1ff0, 0x8001, 0x1000), HQ_OK);
	assert_memory_equal(ram + 0x8001, ram + 0x1ff0, 0x1000);
	assert_int_equal(ram[0x8000] | ram[0x9001], 0);
	assert_int_equal(command(vu, 0, HQ_CMD_FILL, 0, RAM_BYTES - 4, 8), HQ_ERROR);
	assert_int_equal(reason(vu, 0), HQ_E_NO_MEMORY);
	assert_int_equal(command(vu, 1, HQ_CMD_TRANSLATE, 0, 0, 8), HQ_ERROR);
	assert_int_equal(reason(vu, 1), HQ_E_ATS);
	/* Queues that are not there. */
	bar_write(vu, 0, HW_QUEUE(2) + HQ_LEN, 4, 7);
	assert_int_equal(bar_read(vu, 0, HW_QUEUE(2) + HQ_LEN, 4), 0);

	/* Interrupts: one of its own, and one by a write that the VMM carries out. */
	assert_int_equal(client_command(vu, 8, &irqs, 20, fd, NULL, 0), 0);
	bar_write(vu, 0, HW_QUEUE(0) + HQ_IRQ, 4, HQ_IRQ_ENABLE | HQ_IRQ_VECTOR(2));
	assert_int_equal(command(vu, 0, HQ_CMD_FILL, 0, 0, 8), HQ_OK);
	assert_int_equal(read(fd, &count, 8), 8);
	assert_int_equal(count, 1);
	bar_write(vu, 0, HW_QUEUE(1) + HQ_DATA, 8, 0x4321);
	assert_int_equal(command(vu, 1, HQ_CMD_FILL, 0, 0xfee01000, 4), HQ_OK);
	/* Time stands still: nothing but the write was sent. */
	assert_true(client_memory_write(vu, &pa, &value));
	assert_int_equal(pa, 0xfee01000);
	assert_int_equal(value, 0x4321);
	/* A VMM of the other kind refuses that, and gets it in the long form. */
	client_wants_long_writes = true;
	assert_int_equal(command(vu, 1, HQ_CMD_FILL, 0, 0xfee02000, 4), HQ_OK);
	assert_true(client_memory_write(vu, &pa, &value));
	assert_int_equal(pa, 0xfee02000);
	assert_int_equal(value, 0x4321);
	assert_false(client_memory_write(vu, &pa, &value));
	assert_int_equal(vu->refused, 0);

	/* Over and over. */
	bar_write(vu, 0, HW_QUEUE(0) + HQ_INTERVAL_US, 4, 100);
	assert_int_equal(command(vu, 0, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, 0, 8), HQ_BUSY);
	for (count = 0; count < 10; count++) {
		now += 100;
		machine_work();
	}
	assert_int_equal(bar_read(vu, 0, HW_QUEUE(0) + HQ_ROUNDS, 8), 11);
	bar_write(vu, 0, HW_QUEUE(0) + HQ_CMD, 4, HQ_CMD_STOP);
	assert_int_equal(bar_read(vu, 0, HW_QUEUE(0) + HQ_STATUS, 4), HQ_IDLE);
	/* The number of the round, in a ring of two. */
	assert_int_equal(command(vu, 0, HQ_CMD_COUNT, 0, 4, 16), HQ_ERROR);
	memset(ram, 0xff, 24);
	assert_int_equal(command(vu, 0, HQ_CMD_COUNT | HQ_CMD_REPEAT, 0, 0, 16), HQ_BUSY);
	for (count = 0; count < 2; count++) {
		now += 100;
		machine_work();
	}
	bar_write(vu, 0, HW_QUEUE(0) + HQ_CMD, 4, HQ_CMD_STOP);
	memcpy(ring, ram, sizeof(ring));
	assert_int_equal(ring[0], 2);
	assert_int_equal(ring[1], 1);
	assert_true(ring[2] == UINT64_MAX);
	/* Function level reset. */
	bar_write(vu, CONFIG, endpoint("free")->pci.caps.express + 8u, 2, 0x8000);
	assert_int_equal(bar_read(vu, CONFIG, 4, 2), 0);
	assert_int_equal(bar_read(vu, 0, HW_RESETS, 4), 1);
	close(fd);
}

/* --- With the unit: tables in memory, registers as a driver writes them --- */

#define ROOT		0x10000
#define CONTEXT		0x11000
#define PASID_DIR	0x12000
#define PASID_TABLE	0x13000
#define TABLE(level)	(0x14000 + 0x1000 * (4 - (level)))
#define QUEUE		0x20000
#define PRQ		0x30000
#define STATUS		0x40000
#define PAGE_PA		0x50000ULL
#define IOVA		0x7000ULL
#define THE_PASID	5

static uint64_t *at(uint64_t pa)
{
	return (uint64_t *)(ram + pa);
}

static unsigned int tail;

static void post(uint64_t qw0, uint64_t qw1)
{
	uint64_t *desc = at(QUEUE + tail);

	desc[0] = qw0;
	desc[1] = qw1;
	desc[2] = desc[3] = 0;
	tail = (tail + 32) & 0xfff;
	bar_write(function("u0"), 0, 0x88, 8, tail);
}

/* Wait with a status write. True: it was written. */
static bool waited(void)
{
	*at(STATUS) = 0;
	post(5 | 1 << 5 | 0x77ULL << 32, STATUS);
	machine_work();
	return *at(STATUS) == 0x77;
}

/* Scalable mode; PASID 5 has a first-level table with nothing at IOVA. */
static void bring_up(void)
{
	struct vu_dev *unit = function("u0"), *ep = function("ep");
	const struct pci_caps *caps = &endpoint("ep")->pci.caps;
	unsigned int devfn = 0xa0, level;
	uint64_t *context, *entry;

	tail = 0;
	memset(ram, 0, 0x60000);
	at(ROOT)[1] = CONTEXT | 1;	/* devices from 16 on */
	context = at(CONTEXT + (devfn & 0x7f) * 32);
	/* Present, device TLB, PASIDs, page requests; directory of 128. */
	context[0] = 1 | 1 << 2 | 1 << 3 | 1 << 4 | PASID_DIR;
	at(PASID_DIR)[0] = PASID_TABLE | 1;
	entry = at(PASID_TABLE + THE_PASID * 64);
	entry[0] = 1 | 2 << 2 | 1 << 6;
	entry[1] = 9 | 1 << 23;	/* domain 9; walks snoop */
	entry[2] = TABLE(4);
	for (level = 4; level > 1; level--)
		at(TABLE(level))[0] = TABLE(level - 1) | 7;

	bar_write(unit, CONFIG, 4, 2, 6);
	bar_write(unit, 0, 0x20, 8, ROOT | 1 << 10);
	bar_write(unit, 0, 0x18, 4, 1u << 30);
	bar_write(unit, 0, 0x90, 8, QUEUE | 1 << 11);
	bar_write(unit, 0, 0x18, 4, 1u << 26);
	bar_write(unit, 0, 0xd0, 8, PRQ);
	/* Events: fault and page request, unmasked. */
	bar_write(unit, 0, 0x3c, 4, 0x31);
	bar_write(unit, 0, 0x40, 4, 0xfee00000);
	bar_write(unit, 0, 0x38, 4, 0);
	bar_write(unit, 0, 0xe4, 4, 0x32);
	bar_write(unit, 0, 0xe8, 4, 0xfee00000);
	bar_write(unit, 0, 0xe0, 4, 0);
	post(1 | 1 << 4, 0);
	post(7 | 3 << 4, 0);
	post(2 | 1 << 4, 0);
	assert_true(waited());
	bar_write(unit, 0, 0x18, 4, 1u << 31 | 1u << 26);

	bar_write(ep, CONFIG, 4, 2, 6);
	bar_write(ep, CONFIG, caps->pasid + 6u, 2, 1);
	bar_write(ep, CONFIG, caps->ats + 6u, 2, 0x8000);
	bar_write(ep, CONFIG, caps->pri + 12u, 4, 64);
	bar_write(ep, CONFIG, caps->pri + 4u, 2, 1);
	bar_write(ep, 0, HW_QUEUE(3) + HQ_CTRL, 4, HQ_CTRL_PASID_EN | THE_PASID |
		  HQ_CTRL_ATS | HQ_CTRL_PRI);
}

static void map_page(bool present)
{
	at(TABLE(1))[IOVA >> 12] = PAGE_PA | (present ? 7 : 0);
}

/* The unit's message to the processor. */
static void message(uint32_t want)
{
	uint32_t value = 0;
	uint64_t pa = 0;

	assert_true(client_memory_write(function("u0"), &pa, &value));
	assert_int_equal(pa, 0xfee00000);
	assert_int_equal(value, want);
}

static void respond(unsigned int index, unsigned int code)
{
	post(9 | 1 << 4 | (uint64_t)code << 12 | 0xa0ULL << 16 |
	     (uint64_t)THE_PASID << 32, (uint64_t)index << 3);
	assert_true(waited());
}

static void list(void **state)
{
	struct vu_dev *unit = function("u0");

	(void)state;
	assert_int_equal(bar_read(unit, 0, 0x2000, 4), 0x52414d44);
	assert_int_equal(bar_read(unit, 0, 0x2004, 4), 1);
	assert_int_equal(bar_read(unit, 0, 0x2008, 4), 16 + 24 + 8);
	assert_int_equal(bar_read(unit, 0, 0x200c, 4), 46);
	assert_int_equal(bar_read(unit, 0, 0x2010, 4), 24 << 16);
	/* One endpoint: 14.0 */
	assert_int_equal(bar_read(unit, 0, 0x2020, 8), 0x0014000000000801);
	assert_int_equal(bar_read(unit, 0, 8, 8), remapping_unit("u0")->config.cap);
	assert_int_equal(bar_read(unit, CONFIG, 8, 4) >> 8, 0x080600);
}

static void faults(void **state)
{
	struct vu_dev *ep = function("ep"), *unit = function("u0");
	uint64_t hi;

	(void)state;
	bring_up();
	bar_write(ep, 0, HW_QUEUE(0) + HQ_CTRL, 4, HQ_CTRL_PASID_EN | THE_PASID);
	assert_int_equal(command(ep, 0, HQ_CMD_FILL, 0, IOVA, 8), HQ_FAULT);
	assert_int_equal(reason(ep, 0) & 0xff, 0x71);
	message(0x31);
	hi = bar_read(unit, 0, 0x228, 8);
	assert_int_equal(bar_read(unit, 0, 0x220, 8), IOVA);
	assert_int_equal(hi & 0xffff, 0xa0);
	assert_int_equal(hi >> 32 & 0xff, 0x71);
	assert_int_equal(hi >> 40 & 0xfffff, THE_PASID);
	assert_true(hi >> 63);
	/* Without bus mastering it cannot say so. */
	bar_write(unit, 0, 0x228, 8, 1ULL << 63);
	bar_write(unit, CONFIG, 4, 2, 2);
	assert_int_equal(command(ep, 0, HQ_CMD_FILL, 0, IOVA, 8), HQ_FAULT);
	assert_int_equal(bar_read(ep, 2, HT_REFUSED, 4), 1);
	map_page(true);
	assert_int_equal(command(ep, 0, HQ_CMD_FILL, 0, IOVA, 8), HQ_OK);
	assert_int_equal(vtdu_misused(remapping_unit("u0")->u), 0);
}

static void page_requests(void **state)
{
	struct vu_dev *ep = function("ep"), *unit = function("u0");
	const uint64_t *request = at(PRQ);

	(void)state;
	bring_up();
	bar_write(ep, 0, HW_QUEUE(3) + HQ_DATA, 8, 0x1122334455667788);
	assert_int_equal(command(ep, 3, HQ_CMD_FILL, 0, IOVA + 16, 8), HQ_BUSY);
	message(0x32);
	assert_int_equal(bar_read(unit, 0, 0xc8, 8), 32);
	assert_int_equal(request[0], 1 | 1 << 8 | 0xa0 << 16 | (uint64_t)THE_PASID << 32);
	/* Write, last, index is the queue's number. */
	assert_int_equal(request[1], 2 | 4 | 3 << 3 | IOVA);
	assert_int_equal(bar_read(ep, 0, HW_PRI_GROUPS, 4), 1);
	machine_work();
	assert_int_equal(bar_read(ep, 0, HW_QUEUE(3) + HQ_STATUS, 4), HQ_BUSY);
	map_page(true);
	respond(3, 0);
	assert_int_equal(bar_read(ep, 0, HW_QUEUE(3) + HQ_STATUS, 4), HQ_OK);
	assert_int_equal(*at(PAGE_PA + 16), 0x1122334455667788);
	assert_int_equal(bar_read(ep, 0, HW_PRI_GROUPS, 4), 0);
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 1);

	/* Refused. */
	map_page(false);
	post(6 | 2 << 4 | 9ULL << 16 | (uint64_t)THE_PASID << 32, 0);
	post(8 | 0xa0ULL << 16 | (uint64_t)THE_PASID << 32, 1ULL << 11 | 0x7ffffffffffff000);
	assert_true(waited());
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 0);
	assert_int_equal(command(ep, 3, HQ_CMD_FILL, 0, IOVA, 8), HQ_BUSY);
	respond(3, 1);
	assert_int_equal(bar_read(ep, 0, HW_QUEUE(3) + HQ_STATUS, 4), HQ_ERROR);
	assert_int_equal(reason(ep, 3), HQ_E_RESPONSE);
	assert_int_equal(bar_read(ep, 0, HW_QUEUE(3) + HQ_RESULT, 8), 1);

	/* An answer to nothing. */
	respond(99, 0);
	assert_int_equal(bar_read(ep, 0, HW_PRI_UNEXPECTED, 4), 1);
	assert_int_equal(bar_read(ep, CONFIG, endpoint("ep")->pci.caps.pri + 6u, 2) & 2, 2);
	assert_int_equal(vtdu_misused(remapping_unit("u0")->u), 0);
}

/* A group of several pages, and more groups than there is room for. */
static void page_request_groups(void **state)
{
	struct vu_dev *ep = function("ep"), *unit = function("u0");
	const uint64_t *request = at(PRQ);
	unsigned int i;

	(void)state;
	bring_up();
	bar_write(ep, 0, HW_QUEUE(3) + HQ_DATA, 8, HQ_PR_R | HQ_PR_INDEX(200));
	assert_int_equal(command(ep, 3, HQ_CMD_PAGE_REQUEST, IOVA, 0, 3), HQ_BUSY);
	for (i = 0; i < 3; i++)
		assert_int_equal(request[4 * i + 1], 1 | (i == 2) << 2 | 200 << 3 |
				 (IOVA + 4096 * i));
	respond(200, 0);
	assert_int_equal(bar_read(ep, 0, HW_QUEUE(3) + HQ_STATUS, 4), HQ_OK);

	/* 64 is what it was given. */
	bar_write(ep, 0, HW_QUEUE(3) + HQ_DATA, 8, HQ_PR_R | HQ_PR_EACH);
	assert_int_equal(command(ep, 3, HQ_CMD_PAGE_REQUEST, IOVA, 0, 100), HQ_ERROR);
	assert_int_equal(reason(ep, 3), HQ_E_PRI);
	assert_int_equal(bar_read(ep, 0, HW_PRI_GROUPS, 4), 64);
	/* It does not care: the queue overflows, and the unit answers. */
	bar_write(ep, 0, HW_MISBEHAVE, 4, HW_MIS_PRI);
	bar_write(ep, 0, HW_QUEUE(3) + HQ_DATA, 8, HQ_PR_R | HQ_PR_EACH | HQ_PR_INDEX(100));
	assert_int_equal(command(ep, 3, HQ_CMD_PAGE_REQUEST, IOVA, 0, 200), HQ_OK);
	assert_int_equal(bar_read(unit, 0, 0xdc, 4) & 2, 2);
	assert_true(bar_read(ep, 0, HW_PRI_RESPONSES, 4) > 1);
	assert_true(bar_read(ep, 0, HW_PRI_LAST, 4) & 1 << 16);
	/* Off and on: all is forgotten. */
	bar_write(ep, 0, HW_MISBEHAVE, 4, 0);
	bar_write(ep, CONFIG, endpoint("ep")->pci.caps.pri + 4u, 2, 2);
	assert_int_equal(bar_read(ep, 0, HW_PRI_GROUPS, 4), 0);
}

/* Invalidations of the device TLB: answered late, never, or in vain. */
static void invalidations(void **state)
{
	const uint64_t qw0 = 8 | 0xa0ULL << 16 | (uint64_t)THE_PASID << 32;
	struct vu_dev *ep = function("ep"), *unit = function("u0");

	(void)state;
	bring_up();
	map_page(true);
	assert_int_equal(command(ep, 3, HQ_CMD_FILL, 0, IOVA, 8), HQ_OK);
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 1);
	post(qw0, IOVA + 0x1000);
	assert_true(waited());
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 1);
	post(qw0 ^ 1ULL << 32, IOVA);
	assert_true(waited());
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 1);

	bar_write(ep, 0, HW_MISBEHAVE, 4, HW_MIS_INV_DELAY);
	bar_write(ep, 0, HW_INV_DELAY_US, 4, 500);
	post(qw0, IOVA);
	assert_false(waited());
	assert_int_equal(bar_read(ep, 0, HW_INV_HELD, 4), 1);
	now += 499;
	machine_work();
	assert_int_equal(*at(STATUS), 0);
	now += 1;
	machine_work();
	assert_int_equal(*at(STATUS), 0x77);
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 0);

	bar_write(ep, 0, HW_MISBEHAVE, 4, HW_MIS_INV_DROP);
	post(qw0, IOVA);
	assert_false(waited());
	now += 1000000;
	machine_work();
	assert_int_equal(*at(STATUS), 0);
	/* FSTS.ITE, and who it was. */
	assert_int_equal(bar_read(unit, 0, 0x34, 4) & 1 << 6, 1 << 6);
	assert_int_equal(bar_read(unit, 0, 0xb0, 8) >> 32 & 0xffff, 0xa0);
	bar_write(unit, 0, 0x34, 4, 1 << 6);
	bar_write(ep, 0, HW_MISBEHAVE, 4, HW_MIS_INV_KEEP);
	assert_int_equal(command(ep, 3, HQ_CMD_FILL, 0, IOVA, 8), HQ_OK);
	post(qw0, IOVA);
	assert_true(waited());
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 1);

	/* The unit is told to take no notice. */
	bar_write(ep, 0, HW_MISBEHAVE, 4, 0);
	bar_write(ep, 2, HT_IGNORE, 4, 1 << 8);
	post(qw0, IOVA);
	assert_true(waited());
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 1);
	assert_int_equal(bar_read(ep, 2, HT_IGNORED + 4 * 8, 4), 1);
	bar_write(ep, 2, HT_IGNORE, 4, 0);
	post(qw0, IOVA);
	assert_true(waited());
	assert_int_equal(bar_read(ep, 0, HW_ATC_ENTRIES, 4), 0);
	/* The delay of its own. */
	bar_write(ep, 2, HT_DELAY_US, 4, 50);
	assert_false(waited());
	now += 50;
	machine_work();
	assert_int_equal(*at(STATUS), 0x77);
}

static void tap_log(void **state)
{
	struct vu_dev *ep = function("ep");
	uint64_t mark;

	(void)state;
	bring_up();
	mark = bar_read(ep, 2, HT_LOG_END, 8);
	assert_true(mark > 3);
	post(7 | 3 << 4, 0);
	assert_true(waited());
	bar_write(ep, 2, HT_LOG_SEQ, 8, mark);
	assert_int_equal(bar_read(ep, 2, HT_LOG_FOUND, 4), 1);
	assert_int_equal(bar_read(ep, 2, HT_LOG_ENTRY, 8), mark);
	assert_int_equal(bar_read(ep, 2, HT_LOG_ENTRY + 16, 8), 7 | 3 << 4);
	assert_int_equal(bar_read(ep, 2, HT_LOG_NEXT, 8), mark + 1);
	bar_write(ep, 2, HT_LOG_SEQ, 8, bar_read(ep, 2, HT_LOG_END, 8));
	assert_int_equal(bar_read(ep, 2, HT_LOG_FOUND, 4), 0);
	assert_int_equal(bar_read(ep, 2, HT_STATS + offsetof(struct vtdu_stats,
				  descriptors[7]), 8), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_machine(protocol),
		with_machine(memory),
		in_silence(garbage),
		in_silence(topology_errors),
		with_machine(endpoint_alone),
		with_machine(list),
		with_machine(faults),
		with_machine(page_requests),
		with_machine(page_request_groups),
		with_machine(invalidations),
		with_machine(tap_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
