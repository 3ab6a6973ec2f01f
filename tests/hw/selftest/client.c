// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The VMM's side of vfio-user, for tests.
 */
#include "client.h"
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct hw hw;
uint8_t *ram;
uint64_t now;
bool client_wants_long_writes;

/* A message that a function began: memory write */
struct began {
	uint16_t id, command;
	uint32_t bytes, flags, error;
	uint64_t pa;
	uint32_t length[3];
} __attribute__((packed));

/* The other ends of the functions' connections, and what came between answers. */
static struct {
	struct vu_dev *vu;
	int fd;
	struct began began[64];
	unsigned int nr_began;
} ends[HW_MAX_UNITS + HW_MAX_EPS];
static unsigned int nr_ends;
static int ram_fd;
static char folder[32];

uint64_t hw_now(void)
{
	return now;
}

static unsigned int index_of(struct vu_dev *vu)
{
	unsigned int i;

	for (i = 0; i < nr_ends; i++)
		if (ends[i].vu == vu)
			return i;
	fail_msg("no such function");
	return 0;
}

static int end_of(struct vu_dev *vu)
{
	return ends[index_of(vu)].fd;
}

/* Set messages aside that come before an answer. */
static void set_aside(struct vu_dev *vu)
{
	unsigned int i = index_of(vu);
	uint32_t head[4];
	struct began *b;

	while (recv(ends[i].fd, head, 16, MSG_DONTWAIT | MSG_PEEK) == 16 &&
	       !(head[2] & 0xf)) {
		assert_true(ends[i].nr_began < 64);
		b = &ends[i].began[ends[i].nr_began++];
		assert_int_equal(recv(ends[i].fd, b, sizeof(*b), 0), sizeof(*b));
	}
}

struct ep *endpoint(const char *name)
{
	unsigned int i;

	for (i = 0; i < hw.nr_eps; i++)
		if (!strcmp(hw.eps[i]->name, name))
			return hw.eps[i];
	fail_msg("no endpoint %s", name);
	return NULL;
}

struct unit *remapping_unit(const char *name)
{
	unsigned int i;

	for (i = 0; i < hw.nr_units; i++)
		if (!strcmp(hw.units[i]->name, name))
			return hw.units[i];
	fail_msg("no unit %s", name);
	return NULL;
}

struct vu_dev *function(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_ends; i++)
		if (!strcmp(ends[i].vu->name, name))
			return ends[i].vu;
	fail_msg("no function %s", name);
	return NULL;
}

static void join(struct vu_dev *vu)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct { uint32_t argsz, flags; uint64_t offset, start, bytes; } map = {
		32, 3, 0, 0, RAM_BYTES,
	};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	strcpy(addr.sun_path, vu->path);
	assert_int_equal(connect(fd, (void *)&addr, sizeof(addr)), 0);
	ends[nr_ends].vu = vu;
	ends[nr_ends].nr_began = 0;
	ends[nr_ends++].fd = fd;
	vu_serve(vu, POLLIN);
	assert_true(vu->fd >= 0);
	assert_int_equal(client_command(vu, 2, &map, sizeof(map), ram_fd, NULL, 0), 0);
}

void machine_start(const char *topology)
{
	char path[64];
	unsigned int i;
	FILE *f;

	strcpy(folder, "/tmp/iofd-hw.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/topology", folder);
	assert_non_null(f = fopen(path, "w"));
	fputs(topology, f);
	fclose(f);
	assert_int_equal(topo_read(path, folder), 0);
	unlink(path);

	ram_fd = memfd_create("ram", 0);
	assert_int_equal(ftruncate(ram_fd, RAM_BYTES), 0);
	ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, 0);
	assert_true(ram != MAP_FAILED);
	for (i = 0; i < hw.nr_units; i++) {
		assert_int_equal(unit_start(hw.units[i]), 0);
		join(&hw.units[i]->vu);
	}
	for (i = 0; i < hw.nr_eps; i++) {
		assert_int_equal(ep_start(hw.eps[i]), 0);
		join(&hw.eps[i]->vu);
	}
}

void machine_end(void)
{
	unsigned int i;

	for (i = 0; i < nr_ends; i++) {
		close(ends[i].fd);
		/* It sees that we are gone, and lets go of everything. */
		if (ends[i].vu->fd >= 0)
			vu_serve(ends[i].vu, POLLIN);
		assert_int_equal(ends[i].vu->fd, -1);
		assert_int_equal(ends[i].vu->mem.n, 0);
	}
	nr_ends = 0;
	for (i = 0; i < hw.nr_eps; i++)
		free(hw.eps[i]);
	for (i = 0; i < hw.nr_units; i++)
		unit_free(hw.units[i]);
	memset(&hw, 0, sizeof(hw));
	munmap(ram, RAM_BYTES);
	close(ram_fd);
	rmdir(folder);
}

void machine_work(void)
{
	unsigned int i, rounds = 0;
	uint64_t next, at;

	do {
		next = HW_NEVER;
		for (i = 0; i < hw.nr_units; i++) {
			at = unit_work(hw.units[i], now);
			next = at < next ? at : next;
		}
		for (i = 0; i < hw.nr_eps; i++) {
			at = ep_work(hw.eps[i], now);
			next = at < next ? at : next;
		}
		assert_true(rounds++ < 100000);
	} while (next <= now);
}

void client_raw(struct vu_dev *vu, const void *bytes, size_t n)
{
	/* It may have dropped us in the middle. */
	send(end_of(vu), bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (vu->fd >= 0)
		vu_serve(vu, POLLIN);
}

int client_command(struct vu_dev *vu, unsigned int command, const void *body,
		   size_t bytes, int fd, void *answer, size_t room)
{
	struct { uint16_t id, command; uint32_t bytes, flags, error; } head = {
		7, (uint16_t)command, (uint32_t)(16 + bytes), 0, 0,
	};
	char control[CMSG_SPACE(sizeof(int))] = {}, buf[VU_MAX_MESSAGE];
	struct iovec iov[2] = { { &head, 16 }, { (void *)body, bytes } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	assert_int_equal(sendmsg(end_of(vu), &msg, 0), 16 + bytes);
	vu_serve(vu, POLLIN);
	set_aside(vu);
	n = recv(end_of(vu), &head, 16, MSG_DONTWAIT);
	assert_int_equal(n, 16);
	assert_int_equal(head.id, 7);
	assert_int_equal(head.command, command);
	assert_int_equal(head.flags & 0xf, 1);
	assert_true(head.bytes >= 16 && head.bytes - 16 <= sizeof(buf));
	n = head.bytes - 16;
	if (n)
		assert_int_equal(recv(end_of(vu), buf, (size_t)n, MSG_DONTWAIT), n);
	if (head.flags & 0x20)
		return -(int)head.error;
	assert_true((size_t)n <= room || !answer);
	if (answer)
		memcpy(answer, buf, (size_t)n);
	return (int)n;
}

bool client_memory_write(struct vu_dev *vu, uint64_t *pa, uint32_t *value)
{
	unsigned int i = index_of(vu);
	struct began *b = ends[i].began;
	struct { uint16_t id, command; uint32_t bytes, flags, error; } refuse;
	bool is_short;

	set_aside(vu);
	if (!ends[i].nr_began)
		return false;
	assert_int_equal(b->command, 12);
	assert_int_equal(b->bytes, sizeof(*b));
	assert_int_equal(b->flags, 0x10);
	assert_int_equal(b->length[0], 4);
	*pa = b->pa;
	is_short = b->length[1];
	*value = b->length[is_short ? 1 : 2];
	refuse.id = b->id;
	memmove(b, b + 1, --ends[i].nr_began * sizeof(*b));
	if (is_short && client_wants_long_writes) {
		refuse.command = 12;
		refuse.bytes = 16;
		refuse.flags = 0x21;
		refuse.error = E2BIG;
		client_raw(vu, &refuse, sizeof(refuse));
		return client_memory_write(vu, pa, value);
	}
	return true;
}

uint64_t bar_read(struct vu_dev *vu, unsigned int bar, uint64_t off,
		  unsigned int bytes)
{
	const struct { uint64_t off; uint32_t region, bytes; } body = { off, bar, bytes };
	uint8_t answer[24];
	uint64_t value = 0;

	assert_int_equal(client_command(vu, 9, &body, sizeof(body), -1, answer,
					sizeof(answer)), 16 + bytes);
	memcpy(&value, answer + 16, bytes);
	return value;
}

void bar_write(struct vu_dev *vu, unsigned int bar, uint64_t off,
	       unsigned int bytes, uint64_t value)
{
	struct { uint64_t off; uint32_t region, bytes; uint64_t value; } body = {
		off, bar, bytes, value,
	};

	assert_int_equal(client_command(vu, 10, &body, 16 + bytes, -1, NULL, 0), 16);
}
