// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every native command, called wrongly in every way there is a name for. Each
 * call must fail with the documented errno and change nothing: after each, the
 * state of all IOASIDs, of the device and of the memory is compared with what it
 * was before. At the end the right call must succeed.
 */
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include "edu.h"

#define LABEL	0xdeadbeefcafef00dULL
#define OTHER_LABEL 0x1122334455667788ULL
#define IOVA	0x100000ULL
#define LENGTH	(64 * KIB)
#define NR_IDS	14		/* there are no higher IOASIDs */

#define FIELD(type, field) offsetof(type, field), sizeof(((type *)0)->field)

enum need { ALONE, OPENED, BOUND, ATTACHED };

/**
 * struct world - what commands can act on
 * @fd: /dev/iommu
 * @other: another open of it, with IOASIDs of its own
 * @edu: the device file, when @need is at least OPENED
 * @dev_id: id of the binding in @fd
 * @a: an IOASID with a mapping; the device is attached to it in ATTACHED
 * @b: an empty one
 * @freed: one that is freed
 * @foreign: one of @other whose number is none of @fd
 * @mem: LENGTH bytes mapped in @a
 * @fds: file descriptors of the wrong kind
 */
struct world {
	int fd;
	int other;
	struct edu edu;
	int dev_id;
	int a;
	int b;
	int freed;
	int foreign;
	void *mem;
	struct {
		int closed;
		int regular;
		int event;
		int pipe[2];
		int dir;
		int memfd;
		int memfd_ro;
	} fds;
};

static struct world w;

static void world_open(enum need need)
{
	static char path[] = "/tmp/regularXXXXXX";
	char memfd_path[64];
	int i;

	memset(&w, 0, sizeof(w));
	w.edu.fd = -1;
	NEED((w.fd = iommu_open()) >= 0);
	NEED((w.other = iommu_open()) >= 0);
	for (i = 0; i < NR_IDS - 2; i++)
		NEED((w.foreign = ioasid_alloc(w.other)) > 0);
	if (need >= OPENED)
		NEED(edu_open(&w.edu, 0));
	if (need >= BOUND)
		NEED(!dev_bind(w.edu.fd, w.fd, LABEL));
	NEED((w.a = ioasid_alloc(w.fd)) > 0);
	w.dev_id = w.a - 1;
	NEED(w.mem = pages_alloc(LENGTH));
	memset(w.mem, 0x5a, LENGTH);
	NEED(!map_at(w.fd, w.a, RW, w.mem, LENGTH, IOVA));
	NEED((w.b = ioasid_alloc(w.fd)) > 0);
	NEED((w.freed = ioasid_alloc(w.fd)) > 0);
	NEED(!ioasid_free(w.fd, w.freed));
	if (need >= ATTACHED)
		NEED(!dev_attach(w.edu.fd, w.fd, w.a));

	strcpy(path + strlen(path) - 6, "XXXXXX");
	NEED((w.fds.regular = mkstemp(path)) >= 0);
	unlink(path);
	NEED(!ftruncate(w.fds.regular, (off_t)LENGTH));
	NEED((w.fds.event = eventfd(0, EFD_CLOEXEC)) >= 0);
	NEED(!pipe2(w.fds.pipe, O_CLOEXEC));
	NEED((w.fds.dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
	NEED((w.fds.memfd = memfd_create("mem", MFD_CLOEXEC)) >= 0);
	NEED(!ftruncate(w.fds.memfd, (off_t)LENGTH));
	snprintf(memfd_path, sizeof(memfd_path), "/proc/self/fd/%d",
		 w.fds.memfd);
	NEED((w.fds.memfd_ro = open(memfd_path, O_RDONLY | O_CLOEXEC)) >= 0);
	NEED((w.fds.closed = dup(w.fds.memfd)) >= 0);
	close(w.fds.closed);
}

static void world_close(void)
{
	close(w.fds.regular);
	close(w.fds.event);
	close(w.fds.pipe[0]);
	close(w.fds.pipe[1]);
	close(w.fds.dir);
	close(w.fds.memfd);
	close(w.fds.memfd_ro);
	if (w.edu.fd >= 0)
		close(w.edu.fd);
	close(w.fd);
	close(w.other);
	munmap(w.mem, LENGTH);
}

/** struct state - what a command that fails must not change */
struct state {
	struct iommu_ioasid_info spaces[2][NR_IDS];
	int errors[2][NR_IDS];
	struct iommu_device_info device;
	int device_error;
	long vm_pin;
};

static void state_get(struct state *s)
{
	int i, k;

	memset(s, 0, sizeof(*s));
	for (k = 0; k < 2; k++) {
		int fd = k ? w.other : w.fd;

		for (i = 0; i < NR_IDS; i++) {
			struct iommu_ioasid_info *info = &s->spaces[k][i];

			if (ioasid_info(fd, i, info)) {
				s->errors[k][i] = errno;
				memset(info, 0, sizeof(*info));
			}
		}
	}
	if (device_info(w.fd, LABEL, &s->device, NULL, 0))
		s->device_error = errno;
	s->vm_pin = vm_pin_kib();
}

/**
 * struct command - a command and a right call of it
 * @name: for people
 * @nr: number
 * @size: of its structure
 * @last: size of the last field
 * @on_device: on the device file, not on /dev/iommu
 * @answers: it writes to the structure
 * @need: state that the call needs
 * @fill: writes the right call
 */
struct command {
	const char *name;
	unsigned long nr;
	size_t size;
	size_t last;
	bool on_device;
	bool answers;
	enum need need;
	void (*fill)(void *buf);
};

#define BUF	64	/* u64; more than any structure */

static int target(const struct command *c)
{
	return c->on_device ? w.edu.fd : w.fd;
}

static struct state before;
static __u64 right[BUF];

static void begin(const struct command *c)
{
	world_open(c->need);
	memset(right, 0, sizeof(right));
	c->fill(right);
	state_get(&before);
}

static void check_unchanged(void)
{
	static struct state now;

	state_get(&now);
	if (!memcmp(&now, &before, sizeof(now)))
		return;
	check_fail("the call changed something: VmPin %ld -> %ld, device errno %d -> %d, a's mappings %llu -> %llu",
		   before.vm_pin, now.vm_pin, before.device_error,
		   now.device_error,
		   (unsigned long long)before.spaces[0][w.a].nr_mappings,
		   (unsigned long long)now.spaces[0][w.a].nr_mappings);
	before = now;
}

/* A call with @buf fails with @err, changes nothing and writes nothing. */
static void refused(const struct command *c, const void *buf, int err)
{
	__u64 sent[BUF];

	memcpy(sent, buf, sizeof(sent));
	CHECK_ERRNO(ioctl(target(c), c->nr, sent), err);
	if (memcmp(sent, buf, sizeof(sent)))
		check_fail("the failing call wrote to its structure");
	check_unchanged();
}

static void check_sizes(const struct command *c)
{
	const __u32 wrong[] = { 0, 1, 3, 4, (__u32)(c->size - c->last),
				(__u32)c->size - 1, (__u32)c->size - 4 };
	__u64 buf[BUF];
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		AT("%s, size %u", c->name, wrong[i]);
		memcpy(buf, right, sizeof(buf));
		*(__u32 *)buf = wrong[i];
		refused(c, buf, EINVAL);
	}
	for (i = 1; i <= 64; i = i * 2 + 1) {
		AT("%s, %u bytes more, the last one not zero", c->name, i);
		memcpy(buf, right, sizeof(buf));
		*(__u32 *)buf = (__u32)c->size + i;
		((char *)buf)[c->size + i - 1] = 1;
		refused(c, buf, E2BIG);
	}
	AT("%s, size reaches into nowhere", c->name);
	memcpy(buf, right, sizeof(buf));
	*(__u32 *)buf = 0xffffffff;
	((char *)buf)[c->size] = 1;
	CHECK(ioctl(target(c), c->nr, buf) == -1 &&
	      (errno == E2BIG || errno == EFAULT));
	check_unchanged();
}

/* Longer structures with zeroes are the same call. */
static void check_longer(const struct command *c)
{
	static const __u32 more[] = { 0, 1, 8, 56, 4000 };
	static __u64 buf[1024];
	unsigned int i;

	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		AT("%s, %u zero bytes more", c->name, more[i]);
		begin(c);
		memset(buf, 0, sizeof(buf));
		memcpy(buf, right, c->size);
		*(__u32 *)buf = (__u32)c->size + more[i];
		CHECK_OK(ioctl(target(c), c->nr, buf));
		CHECK_EQ(*(__u32 *)buf, c->size + more[i]);
		world_close();
	}
}

static void check_pointers(const struct command *c)
{
	const uintptr_t wrong[] = { 0, 1, PAGE - 4, 0xffff888000000000ul,
				    0xffffffff81000000ul, 0xfffffffffffff000ul,
				    0x8000000000000000ul, 0x00007ffffffff000ul };
	unsigned int i;
	char *area;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		AT("%s, structure at %#lx", c->name, wrong[i]);
		CHECK_ERRNO(ioctl(target(c), c->nr, wrong[i]), EFAULT);
		check_unchanged();
	}

	/* One page to use and nothing behind it. */
	area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(area != MAP_FAILED);
	munmap(area + PAGE, PAGE);
	for (i = 4; i < c->size; i += 4) {
		AT("%s, only %u bytes of it are there", c->name, i);
		memcpy(area + PAGE - i, right, i);
		CHECK_ERRNO(ioctl(target(c), c->nr, area + PAGE - i), EFAULT);
	}
	check_unchanged();
	AT("%s, no access to its page", c->name);
	memcpy(area, right, c->size);
	NEED(!mprotect(area, PAGE, PROT_NONE));
	CHECK_ERRNO(ioctl(target(c), c->nr, area), EFAULT);
	check_unchanged();
	if (c->answers) {
		AT("%s, no room for the answer", c->name);
		NEED(!mprotect(area, PAGE, PROT_READ));
		CHECK_ERRNO(ioctl(target(c), c->nr, area), EFAULT);
		check_unchanged();
	}
	munmap(area, PAGE);
}

/* The same number with other bits set is another command. */
static void check_numbers(const struct command *c)
{
	const unsigned long wrong[] = {
		c->nr | _IOC(_IOC_READ, 0, 0, 0),
		c->nr | _IOC(_IOC_WRITE, 0, 0, 0),
		c->nr | _IOC(_IOC_READ | _IOC_WRITE, 0, 0, c->size),
		c->nr | _IOC(0, 0, 0, c->size),
	};
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		AT("%s, number %#lx", c->name, wrong[i]);
		CHECK_ERRNO(ioctl(target(c), wrong[i], right),
			    c->need == OPENED ? EINVAL : ENOTTY);
		check_unchanged();
	}
}

/** struct wrong - one field that is wrong, and what that is called */
struct wrong {
	const char *what;
	size_t offset;
	size_t width;
	__u64 value;
	int err;
};

static void check_fields(const struct command *c, const struct wrong *wrong,
			 size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		__u64 buf[BUF];

		if (!wrong[i].what)
			continue;
		AT("%s, %s %#llx", c->name, wrong[i].what,
		   (unsigned long long)wrong[i].value);
		memcpy(buf, right, sizeof(buf));
		memcpy((char *)buf + wrong[i].offset, &wrong[i].value,
		       wrong[i].width);
		refused(c, buf, wrong[i].err);
	}
}

/* After all that the right call still works. */
static void check_right(const struct command *c)
{
	AT("%s, the right call", c->name);
	CHECK_OK(ioctl(target(c), c->nr, right));
	check_at[0] = 0;
}

#define COMMON(c) do { \
	check_sizes(c); \
	check_pointers(c); \
	check_numbers(c); \
} while (0)

#define ARRAY(a) (a), sizeof(a) / sizeof((a)[0])

/* Numbers that are no IOASID of w.fd, whatever the command. */
#define NO_IOASID(type, field) \
	{ "no IOASID:", FIELD(type, field), 0, ENOENT }, \
	{ "freed IOASID", FIELD(type, field), (__u64)w.freed, ENOENT }, \
	{ "another fd's IOASID", FIELD(type, field), (__u64)w.foreign, ENOENT }, \
	{ w.dev_id > 0 ? "id of a device" : NULL, FIELD(type, field), \
	  (__u64)w.dev_id, ENOENT }, \
	{ "IOASID", FIELD(type, field), 0x7fffffff, ENOENT }, \
	{ "IOASID", FIELD(type, field), 0x80000000, ENOENT }, \
	{ "IOASID", FIELD(type, field), 0xffffffff, ENOENT }

/* Numbers that are no open /dev/iommu. */
#define NO_IOMMU_FD(type) \
	{ "fd", FIELD(type, iommu_fd), (__u32)-1, EBADF }, \
	{ "fd", FIELD(type, iommu_fd), (__u32)-100, EBADF }, \
	{ "fd", FIELD(type, iommu_fd), 0x7fffffff, EBADF }, \
	{ "closed fd", FIELD(type, iommu_fd), (__u32)w.fds.closed, EBADF }, \
	{ "regular file", FIELD(type, iommu_fd), (__u32)w.fds.regular, EBADF }, \
	{ "eventfd", FIELD(type, iommu_fd), (__u32)w.fds.event, EBADF }, \
	{ "pipe", FIELD(type, iommu_fd), (__u32)w.fds.pipe[0], EBADF }, \
	{ "directory", FIELD(type, iommu_fd), (__u32)w.fds.dir, EBADF }, \
	{ "memfd", FIELD(type, iommu_fd), (__u32)w.fds.memfd, EBADF }, \
	{ "device file", FIELD(type, iommu_fd), (__u32)w.edu.fd, EBADF }

/* A2: the header as it is compiled here has no holes. */
#define NO_HOLE_BEFORE(type, field, previous) \
	_Static_assert(offsetof(type, field) == offsetof(type, previous) + \
		       sizeof(((type *)0)->previous), #field)
_Static_assert(sizeof(struct iommu_check_extension) == 16, "");
_Static_assert(sizeof(struct iommu_ioasid_range) == 16, "");
_Static_assert(sizeof(struct iommu_device_info) == 72, "");
_Static_assert(sizeof(struct iommu_ioasid_alloc) == 64, "");
_Static_assert(sizeof(struct iommu_ioasid_free) == 8, "");
_Static_assert(sizeof(struct iommu_ioasid_info) == 80, "");
_Static_assert(sizeof(struct iommu_map_dma) == 40, "");
_Static_assert(sizeof(struct iommu_unmap_dma) == 32, "");
_Static_assert(sizeof(struct iommu_vtd_s1_attrs) == 16, "");
_Static_assert(sizeof(struct iommu_invalidate_entry) == 40, "");
_Static_assert(sizeof(struct iommu_invalidate_cache) == 24, "");
_Static_assert(sizeof(struct iommu_device_bind) == 24, "");
_Static_assert(sizeof(struct iommu_device_attach) == 24, "");
_Static_assert(sizeof(struct iommu_device_detach) == 24, "");
NO_HOLE_BEFORE(struct iommu_device_info, label, flags);
NO_HOLE_BEFORE(struct iommu_device_info, formats, pasid_width_bits);
NO_HOLE_BEFORE(struct iommu_device_info, hw_cap, nr_ranges);
NO_HOLE_BEFORE(struct iommu_ioasid_alloc, label, nesting);
NO_HOLE_BEFORE(struct iommu_ioasid_info, pgsize_bitmap, nr_ranges);
NO_HOLE_BEFORE(struct iommu_map_dma, source, fd);
NO_HOLE_BEFORE(struct iommu_unmap_dma, iova, __reserved);
NO_HOLE_BEFORE(struct iommu_invalidate_entry, label, granularity);
NO_HOLE_BEFORE(struct iommu_invalidate_cache, entries, ioasid);
NO_HOLE_BEFORE(struct iommu_device_bind, label, __reserved);
_Static_assert(IOMMU_CHECK_EXTENSION == _IO(';', 0xc0), "");
_Static_assert(IOMMU_UNMAP_DMA == _IO(';', 0xc6), "");
_Static_assert(IOMMU_INVALIDATE_CACHE == _IO(';', 0xc7), "");
_Static_assert(IOMMU_DEVICE_BIND_IOMMU_FD == _IO(';', 0xe0), "");
_Static_assert(IOMMU_DEVICE_DETACH_IOASID == _IO(';', 0xe2), "");

/* A1 */

static void A1_one_character_device(void)
{
	struct stat st;
	char byte = 0;
	__u32 nr;
	int fd;

	NEED(!stat("/dev/iommu", &st));
	CHECK(S_ISCHR(st.st_mode));
	CHECK_EQ(st.st_mode & 0007, 0);
	NEED((fd = iommu_open()) >= 0);
	CHECK(read(fd, &byte, 1) < 0);
	CHECK(write(fd, &byte, 1) < 0);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	/* Numbers that mean nothing here. */
	for (nr = 0; nr < 0x100; nr++) {
		__u64 buf[BUF] = { 0 };

		if ((nr >= 0x64 && nr < 0xa0) ||	/* other ABIs, if served */
		    (nr >= 0xc0 && nr <= 0xc7))
			continue;
		AT("number %#x", nr);
		CHECK_ERRNO(ioctl(fd, _IO(';', nr), buf), ENOTTY);
	}
	AT("a terminal's command");
	CHECK_ERRNO(ioctl(fd, 0x5401, &byte), ENOTTY);
}

static void fill_check_extension(void *buf)
{
	struct iommu_check_extension *cmd = buf;

	cmd->size = sizeof(*cmd);
	cmd->extension = IOMMU_EXT_MAP_TYPE1V2;
}

static void A1_check_extension(void)
{
	static const struct command c = {
		"CHECK_EXTENSION", IOMMU_CHECK_EXTENSION,
		sizeof(struct iommu_check_extension), 8, false, true, ALONE,
		fill_check_extension
	};
	static const struct { __u32 ext; __u64 min; __u64 max; } known[] = {
		{ IOMMU_EXT_MAP_TYPE1V2, 1, 1 },
		{ IOMMU_EXT_DMA_NO_SNOOP, 1, 1 },
		{ IOMMU_EXT_NESTING, 1, 1 },
		{ IOMMU_EXT_USER_PAGE_TABLE, 1, 1 },
		{ IOMMU_EXT_USER_PASID_TABLE, 0, 1 },
		{ IOMMU_EXT_MULTIDEV_GROUP, 1, 1 },
		{ IOMMU_EXT_DIRTY_TRACKING, 0, 1 },
		{ IOMMU_EXT_FAULT_QUEUE, 0, 1 },
		{ IOMMU_EXT_MAP_FD, 1, 1 },
		{ IOMMU_EXT_MULTI_BIND, 1, 1 },
		{ IOMMU_EXT_MAX_IOASIDS, 10000, 0x7fffffff },
		{ 0, 0, 0 }, { 999, 0, 0 }, { 0x7fffffff, 0, 0 },
		{ 0xffffffff, 0, 0 },
	};
	unsigned int i;

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	check_right(&c);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct iommu_check_extension cmd = {
			.size = sizeof(cmd),
			.extension = known[i].ext,
			.value = 0x1234,	/* output: ignored */
		};

		AT("extension %u", known[i].ext);
		CHECK_OK(ioctl(w.fd, IOMMU_CHECK_EXTENSION, &cmd));
		CHECK(cmd.value >= known[i].min && cmd.value <= known[i].max);
	}
}

/* A3, A7 */

static void fill_alloc(void *buf)
{
	struct iommu_ioasid_alloc *cmd = buf;

	cmd->size = sizeof(*cmd);
	cmd->type = IOMMU_IOASID_KERNEL_MANAGED;
}

static void A7_ioasid_alloc(void)
{
	typedef struct iommu_ioasid_alloc T;
	static const struct command c = {
		"IOASID_ALLOC", IOMMU_IOASID_ALLOC, sizeof(T), 4, false, true,
		BOUND, fill_alloc
	};
	static const __u32 widths[] = { 12, 21, 30, 32, 39, 48, 57, 63, 64 };
	unsigned int i, k;

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			{ "flags", FIELD(T, flags), 2, EOPNOTSUPP },
			{ "flags", FIELD(T, flags), 1u << 31, EOPNOTSUPP },
			{ "type", FIELD(T, type), 0, EOPNOTSUPP },
			{ "type", FIELD(T, type), 4, EOPNOTSUPP },
			{ "type", FIELD(T, type), 0xffffffff, EOPNOTSUPP },
			{ "user-managed root", FIELD(T, type),
			  IOMMU_IOASID_USER_MANAGED, EINVAL },
			{ "user PASID table as root", FIELD(T, type),
			  IOMMU_IOASID_USER_PASID_TABLE, EINVAL },
			{ "format", FIELD(T, format), 3, EOPNOTSUPP },
			{ "format", FIELD(T, format), 0xffffffff, EOPNOTSUPP },
			{ "user's format", FIELD(T, format),
			  IOMMU_FORMAT_VTD_S1, EINVAL },
			{ "width", FIELD(T, addr_width_bits), 1, EINVAL },
			{ "width", FIELD(T, addr_width_bits), 11, EINVAL },
			{ "width", FIELD(T, addr_width_bits), 65, EINVAL },
			{ "width", FIELD(T, addr_width_bits), 0xffffffff, EINVAL },
			{ "coherency", FIELD(T, coherency), 3, EOPNOTSUPP },
			{ "coherency", FIELD(T, coherency), 0xffffffff, EOPNOTSUPP },
			{ "nesting", FIELD(T, nesting), 3, EOPNOTSUPP },
			{ "nesting", FIELD(T, nesting), 0xffffffff, EOPNOTSUPP },
			{ "nesting of a root", FIELD(T, nesting),
			  IOMMU_NESTING_SOFTWARE, EINVAL },
			{ "nesting of a root", FIELD(T, nesting),
			  IOMMU_NESTING_HARDWARE, EINVAL },
			{ "label that no flag announces", FIELD(T, label),
			  LABEL, EINVAL },
			{ "table address", FIELD(T, table_addr), PAGE, EINVAL },
			{ "attributes", FIELD(T, attrs),
			  (uintptr_t)right, EINVAL },
			{ "attributes' length", FIELD(T, attrs_len_bytes), 8,
			  EINVAL },
		};
		const struct wrong labels[] = {
			{ "unknown label", FIELD(T, label), LABEL + 1, ENOENT },
			{ "unknown label", FIELD(T, label), 0, ENOENT },
			{ "unknown label", FIELD(T, label), ~0ULL, ENOENT },
			{ "width", FIELD(T, addr_width_bits), 64, EINVAL },
		};
		T *cmd = (T *)right;

		check_fields(&c, ARRAY(wrong));
		cmd->flags = IOMMU_IOASID_FOR_LABEL;
		cmd->label = LABEL;
		check_fields(&c, ARRAY(labels));
		check_right(&c);
	}
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		for (k = 0; k <= IOMMU_COHERENCY_OFF; k++) {
			struct iommu_ioasid_info info;
			int id;

			AT("width %u coherency %u", widths[i], k);
			id = ioasid_alloc_as(w.fd, widths[i], k);
			CHECK(id > 0);
			CHECK_OK(ioasid_info(w.fd, id, &info));
			CHECK_EQ(info.type, IOMMU_IOASID_KERNEL_MANAGED);
			CHECK_EQ(info.parent, 0);
			CHECK_EQ(info.nr_devices, 0);
			CHECK(info.addr_width_bits <= widths[i]);
			CHECK(info.addr_width_bits >= (widths[i] > 39 ? 39 : widths[i]));
			CHECK_EQ(info.pgsize_bitmap & -info.pgsize_bitmap, PAGE);
			CHECK_EQ(info.nr_mappings | info.mapped_bytes |
				 info.pinned_bytes | info.charged_bytes, 0);
			CHECK_OK(ioasid_free(w.fd, id));
		}
	}
}

/* A4, A9: a parent is an IOASID of the same fd. */
static void A9_parents_of_the_same_fd(void)
{
	__u32 parents[4];
	unsigned int i, type;

	world_open(ALONE);
	parents[0] = (__u32)w.freed;
	parents[1] = (__u32)w.foreign;
	parents[2] = 0x7fffffff;
	parents[3] = 0xffffffff;
	state_get(&before);
	for (i = 0; i < 4; i++) {
		for (type = 1; type <= 3; type++) {
			struct iommu_ioasid_alloc cmd = {
				.size = sizeof(cmd),
				.type = type,
				.parent = parents[i],
				.format = type - 1,
				.addr_width_bits = type == 2 ? 48 : 0,
			};

			AT("type %u parent %u", type, parents[i]);
			CHECK_ERRNO(ioctl(w.fd, IOMMU_IOASID_ALLOC, &cmd),
				    ENOENT);
		}
	}
	check_unchanged();
}

static void A3_ids_are_local_to_an_fd(void)
{
	struct iommu_ioasid_info info;
	int fd1, fd2, id1, id2, i;
	void *mem;

	NEED((fd1 = iommu_open()) >= 0);
	NEED((fd2 = iommu_open()) >= 0);
	NEED(mem = pages_alloc(PAGE));
	id1 = ioasid_alloc(fd1);
	id2 = ioasid_alloc(fd2);
	CHECK_EQ(id1, id2);
	NEED(id1 > 0);
	CHECK_OK(map_at(fd1, id1, RW, mem, PAGE, IOVA));
	CHECK_OK(ioasid_info(fd1, id1, &info));
	CHECK_EQ(info.nr_mappings, 1);
	CHECK_OK(ioasid_info(fd2, id2, &info));
	CHECK_EQ(info.nr_mappings, 0);
	CHECK_ERRNO(unmap_at(fd2, id2, IOVA, PAGE), ENOENT);
	CHECK_OK(ioasid_free(fd2, id2));
	CHECK_OK(ioasid_info(fd1, id1, &info));
	CHECK_EQ(info.nr_mappings, 1);
	CHECK_ERRNO(ioasid_info(fd2, id2, &info), ENOENT);
	/* Numbers start at 1 and are unique. */
	for (i = 0; i < 100; i++) {
		id2 = ioasid_alloc(fd1);
		AT("allocation %d", i);
		CHECK(id2 > 0 && id2 != id1);
	}
}

/* A6 */

static void fill_device_info(void *buf)
{
	struct iommu_device_info *cmd = buf;
	static struct iommu_ioasid_range ranges[32];

	cmd->size = sizeof(*cmd);
	cmd->label = LABEL;
	cmd->nr_ranges = 32;
	cmd->ranges = (uintptr_t)ranges;
}

/* Ascending, disjoint, aligned, within the width, and never the interrupts'. */
static void check_ranges(const struct iommu_ioasid_range *r, __u32 n, __u32 width)
{
	__u64 top = width >= 64 ? ~0ULL : (1ULL << width) - 1;
	__u32 i;

	CHECK(n > 0);
	for (i = 0; i < n; i++) {
		AT("range %u: %#llx-%#llx", i, (unsigned long long)r[i].start,
		   (unsigned long long)r[i].last);
		CHECK(r[i].start < r[i].last);
		CHECK(r[i].last <= top);
		CHECK_EQ(r[i].start & (PAGE - 1), 0);
		CHECK_EQ((r[i].last + 1) & (PAGE - 1), 0);
		if (i)
			CHECK(r[i].start > r[i - 1].last + 1);
		CHECK(r[i].last < 0xfee00000 || r[i].start > 0xfeefffff);
	}
	check_at[0] = 0;
}

static void A6_device_get_info(void)
{
	typedef struct iommu_device_info T;
	static const struct command c = {
		"DEVICE_GET_INFO", IOMMU_DEVICE_GET_INFO, sizeof(T), 8, false,
		true, BOUND, fill_device_info
	};
	struct iommu_ioasid_range ranges[33], some[33];
	T cmd;
	__u32 n, i;

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			{ "label", FIELD(T, label), LABEL + 1, ENOENT },
			{ "label", FIELD(T, label), LABEL & 0xffffffff, ENOENT },
			{ "label", FIELD(T, label), 0, ENOENT },
			{ "label", FIELD(T, label), ~0ULL, ENOENT },
			{ "ranges", FIELD(T, ranges), 0, EFAULT },
			{ "ranges", FIELD(T, ranges), 0xffff888000000000ull,
			  EFAULT },
		};

		check_fields(&c, ARRAY(wrong));
	}
	check_right(&c);
	check_at[0] = 0;

	memset(ranges, 0xee, sizeof(ranges));
	NEED(!device_info(w.fd, LABEL, &cmd, ranges, 32));
	n = cmd.nr_ranges;
	NEED(n >= 2 && n <= 32);
	printf("  flags %#x, width %u, page sizes %#llx, hw type %u, cap %#llx, ecap %#llx, %u ranges\n",
	       cmd.flags, cmd.addr_width_bits,
	       (unsigned long long)cmd.pgsize_bitmap, cmd.hw_type,
	       (unsigned long long)cmd.hw_cap, (unsigned long long)cmd.hw_ecap,
	       n);
	CHECK_EQ(cmd.label, LABEL);
	CHECK_EQ(cmd.flags & ~0x3fu, 0);
	CHECK(cmd.addr_width_bits >= 39 && cmd.addr_width_bits <= 64);
	CHECK_EQ(cmd.pgsize_bitmap & -cmd.pgsize_bitmap, PAGE);
	CHECK(cmd.formats & (1 << IOMMU_FORMAT_DEFAULT));
	CHECK_EQ(cmd.pasid_width_bits, 0);
	CHECK_EQ(cmd.hw_type, IOMMU_HW_TYPE_VTD);
	CHECK(cmd.hw_cap && cmd.hw_ecap);
	check_ranges(ranges, n, cmd.addr_width_bits);
	CHECK_EQ(ranges[n].start, 0xeeeeeeeeeeeeeeeeULL);

	/* Too little room: what fits, and how much is needed. */
	for (i = 0; i < n; i++) {
		AT("room for %u of %u", i, n);
		memset(some, 0xee, sizeof(some));
		memset(&cmd, 0, sizeof(cmd));
		cmd.size = sizeof(cmd);
		cmd.label = LABEL;
		cmd.nr_ranges = i;
		cmd.ranges = (uintptr_t)some;
		CHECK_ERRNO(ioctl(w.fd, IOMMU_DEVICE_GET_INFO, &cmd), EMSGSIZE);
		CHECK_EQ(cmd.nr_ranges, n);
		CHECK(cmd.addr_width_bits >= 39);
		CHECK(!memcmp(some, ranges, i * sizeof(some[0])));
		CHECK_EQ(some[i].start, 0xeeeeeeeeeeeeeeeeULL);
	}
	/* The structure that was returned is good for the next call. */
	AT("the structure used again");
	cmd.ranges = (uintptr_t)some;
	CHECK_OK(ioctl(w.fd, IOMMU_DEVICE_GET_INFO, &cmd));
	CHECK_EQ(cmd.nr_ranges, n);
	CHECK_OK(ioctl(w.fd, IOMMU_DEVICE_GET_INFO, &cmd));
	/* The other fd knows no such label. */
	AT("another fd");
	CHECK_ERRNO(device_info(w.other, LABEL, &cmd, NULL, 0), ENOENT);
}

static void A6_info_before_any_ioasid(void)
{
	struct iommu_ioasid_range ranges[32];
	struct iommu_device_info info;
	struct edu edu;
	int fd;

	NEED((fd = iommu_open()) >= 0);
	NEED(edu_open(&edu, 0));
	CHECK_ERRNO(device_info(fd, LABEL, &info, NULL, 0), ENOENT);
	NEED(!dev_bind(edu.fd, fd, LABEL));
	CHECK_OK(device_info(fd, LABEL, &info, ranges, 32));
	check_ranges(ranges, info.nr_ranges, info.addr_width_bits);
	close(edu.fd);
	CHECK_ERRNO(device_info(fd, LABEL, &info, NULL, 0), ENOENT);
}

/* IOASID_GET_INFO: A10 */

static void fill_info(void *buf)
{
	struct iommu_ioasid_info *cmd = buf;
	static struct iommu_ioasid_range ranges[32];

	cmd->size = sizeof(*cmd);
	cmd->ioasid = (__u32)w.a;
	cmd->nr_ranges = 32;
	cmd->ranges = (uintptr_t)ranges;
}

static void A10_ioasid_get_info(void)
{
	typedef struct iommu_ioasid_info T;
	static const struct command c = {
		"IOASID_GET_INFO", IOMMU_IOASID_GET_INFO, sizeof(T), 8, false,
		true, ATTACHED, fill_info
	};
	struct iommu_ioasid_range ranges[33], some[33], dev_ranges[32];
	struct iommu_device_info dev;
	__u32 n, i;
	T cmd;

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			NO_IOASID(T, ioasid),
			{ "ranges", FIELD(T, ranges), 0, EFAULT },
			{ "ranges", FIELD(T, ranges), 0xffff888000000000ull,
			  EFAULT },
		};

		check_fields(&c, ARRAY(wrong));
	}
	check_right(&c);

	memset(&cmd, 0, sizeof(cmd));
	memset(ranges, 0xee, sizeof(ranges));
	cmd.size = sizeof(cmd);
	cmd.ioasid = (__u32)w.a;
	cmd.nr_ranges = 32;
	cmd.ranges = (uintptr_t)ranges;
	NEED(!ioctl(w.fd, IOMMU_IOASID_GET_INFO, &cmd));
	n = cmd.nr_ranges;
	CHECK(cmd.flags & IOMMU_IOASID_INFO_IN_HARDWARE);
	CHECK_EQ(cmd.nr_devices, 1);
	CHECK_EQ(cmd.nr_mappings, 1);
	CHECK_EQ(cmd.mapped_bytes, LENGTH);
	CHECK_EQ(cmd.pinned_bytes, LENGTH);
	CHECK_EQ(cmd.charged_bytes, LENGTH);
	check_ranges(ranges, n, cmd.addr_width_bits);
	/* One device: what it permits. */
	CHECK_OK(device_info(w.fd, LABEL, &dev, dev_ranges, 32));
	CHECK_EQ(n, dev.nr_ranges);
	CHECK(!memcmp(ranges, dev_ranges, n * sizeof(ranges[0])));
	for (i = 0; i < n; i++) {
		AT("room for %u of %u", i, n);
		memset(some, 0xee, sizeof(some));
		memset(&cmd, 0, sizeof(cmd));
		cmd.size = sizeof(cmd);
		cmd.ioasid = (__u32)w.a;
		cmd.nr_ranges = i;
		cmd.ranges = (uintptr_t)some;
		CHECK_ERRNO(ioctl(w.fd, IOMMU_IOASID_GET_INFO, &cmd), EMSGSIZE);
		CHECK_EQ(cmd.nr_ranges, n);
		CHECK_EQ(cmd.nr_mappings, 1);
		CHECK(!memcmp(some, ranges, i * sizeof(some[0])));
		CHECK_EQ(some[i].start, 0xeeeeeeeeeeeeeeeeULL);
	}
	AT("the structure used again");
	CHECK_OK(ioctl(w.fd, IOMMU_IOASID_GET_INFO, &cmd));
	CHECK_EQ(cmd.nr_ranges, n);
}

/* IOASID_FREE */

static void fill_free(void *buf)
{
	struct iommu_ioasid_free *cmd = buf;

	cmd->size = sizeof(*cmd);
	cmd->ioasid = (__u32)w.b;
}

static void A12_ioasid_free(void)
{
	typedef struct iommu_ioasid_free T;
	static const struct command c = {
		"IOASID_FREE", IOMMU_IOASID_FREE, sizeof(T), 4, false, false,
		ATTACHED, fill_free
	};
	T *ro;

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			NO_IOASID(T, ioasid),
			{ "attached IOASID", FIELD(T, ioasid), (__u64)w.a,
			  EBUSY },
		};

		check_fields(&c, ARRAY(wrong));
	}
	check_right(&c);
	/* With what is mapped in it; from a structure that is only read. */
	CHECK_OK(dev_detach(w.edu.fd, w.fd, w.a));
	CHECK_EQ(vm_pin_kib(), (long)(LENGTH / KIB));
	NEED(ro = pages_alloc(PAGE));
	ro->size = sizeof(*ro);
	ro->ioasid = (__u32)w.a;
	NEED(!mprotect(ro, PAGE, PROT_READ));
	CHECK_OK(ioctl(w.fd, IOMMU_IOASID_FREE, ro));
	CHECK_EQ(vm_pin_kib(), 0);
}

/* MAP_DMA: A15 */

static void fill_map(void *buf)
{
	struct iommu_map_dma *cmd = buf;

	cmd->size = sizeof(*cmd);
	cmd->flags = RW | FIXED;
	cmd->ioasid = (__u32)w.a;
	cmd->source = (uintptr_t)w.mem;
	cmd->length = LENGTH;
	cmd->iova = IOVA + LENGTH;
}

static void A15_map_dma(void)
{
	typedef struct iommu_map_dma T;
	static const struct command c = {
		"MAP_DMA", IOMMU_MAP_DMA, sizeof(T), 8, false, true, ATTACHED,
		fill_map
	};
	T *cmd = (T *)right;
	__u64 wrap;

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			NO_IOASID(T, ioasid),
			{ "flags", FIELD(T, flags), RW | FIXED | 1 << 4,
			  EOPNOTSUPP },
			{ "flags", FIELD(T, flags), RW | FIXED | 1u << 31,
			  EOPNOTSUPP },
			{ "flags", FIELD(T, flags), 0xffffffff, EOPNOTSUPP },
			{ "no access,", FIELD(T, flags), 0, EINVAL },
			{ "no access,", FIELD(T, flags), FIXED, EINVAL },
			{ "fd that no flag announces", FIELD(T, fd),
			  (__u32)w.fds.memfd, EINVAL },
			{ "fd that no flag announces", FIELD(T, fd), (__u32)-1,
			  EINVAL },
			{ "length", FIELD(T, length), 0, EINVAL },
			{ "length", FIELD(T, length), 1, EINVAL },
			{ "length", FIELD(T, length), PAGE - 1, EINVAL },
			{ "length", FIELD(T, length), PAGE + 512, EINVAL },
			{ "length", FIELD(T, length), ~0ULL, EINVAL },
			{ "wrapping length", FIELD(T, length), -PAGE, EINVAL },
			{ "wrapping length", FIELD(T, length),
			  -(__u64)(IOVA + LENGTH) + PAGE, EINVAL },
			{ "length", FIELD(T, length), 1ULL << 63, EINVAL },
			{ "source", FIELD(T, source), (uintptr_t)w.mem + 1,
			  EINVAL },
			{ "source", FIELD(T, source), (uintptr_t)w.mem + 512,
			  EINVAL },
			{ "wrapping source", FIELD(T, source), -PAGE, EINVAL },
			{ "source nowhere", FIELD(T, source), 0, EFAULT },
			{ "source of the kernel", FIELD(T, source),
			  0xffff888000000000ull, EFAULT },
			{ "source of the kernel", FIELD(T, source),
			  0xffffffff81000000ull, EFAULT },
			{ "source that is no address", FIELD(T, source),
			  0x8000000000000000ull, EFAULT },
			{ "source beyond the process", FIELD(T, source),
			  0x00007fffffff0000ull, EFAULT },
			{ "iova", FIELD(T, iova), IOVA + LENGTH + 1, EINVAL },
			{ "iova", FIELD(T, iova), IOVA + LENGTH + 2048, EINVAL },
			{ "wrapping iova", FIELD(T, iova), -PAGE, EINVAL },
			{ "wrapping iova", FIELD(T, iova), -LENGTH + PAGE,
			  EINVAL },
			{ "iova at the very top", FIELD(T, iova), -LENGTH, EINVAL },
			{ "iova too wide", FIELD(T, iova), 1ULL << 57, EINVAL },
			{ "iova too wide", FIELD(T, iova), 1ULL << 63, EINVAL },
			{ "iova of interrupts", FIELD(T, iova), 0xfee00000,
			  EINVAL },
			{ "iova of interrupts", FIELD(T, iova), 0xfeef0000,
			  EINVAL },
			{ "iova that runs into interrupts", FIELD(T, iova),
			  0xfee00000 - LENGTH + PAGE, EINVAL },
			{ "iova that begins in interrupts", FIELD(T, iova),
			  0xfeeff000, EINVAL },
			{ "taken iova", FIELD(T, iova), IOVA, EEXIST },
			{ "taken iova", FIELD(T, iova), IOVA + LENGTH - PAGE,
			  EEXIST },
			{ "iova that ends in a mapping", FIELD(T, iova),
			  IOVA - LENGTH + PAGE, EEXIST },
		};
		const struct wrong by_fd[] = {
			{ "fd", FIELD(T, fd), (__u32)-1, EBADF },
			{ "fd", FIELD(T, fd), 0x7fffffff, EBADF },
			{ "closed fd", FIELD(T, fd), (__u32)w.fds.closed, EBADF },
			{ "eventfd", FIELD(T, fd), (__u32)w.fds.event, EINVAL },
			{ "pipe", FIELD(T, fd), (__u32)w.fds.pipe[0], EINVAL },
			{ "/dev/iommu", FIELD(T, fd), (__u32)w.fd, EINVAL },
			{ "device file", FIELD(T, fd), (__u32)w.edu.fd, EINVAL },
			{ "read-only memfd", FIELD(T, fd),
			  (__u32)w.fds.memfd_ro, EACCES },
			{ "offset", FIELD(T, source), 512, EINVAL },
			{ "offset", FIELD(T, source), 1ULL << 63, EINVAL },
			{ "wrapping offset", FIELD(T, source), -PAGE, EINVAL },
			{ "offset behind the file's end", FIELD(T, source),
			  LENGTH, EFAULT },
			{ "length behind the file's end", FIELD(T, length),
			  LENGTH + PAGE, EFAULT },
			{ "length", FIELD(T, length), 0, EINVAL },
			{ "length", FIELD(T, length), 100, EINVAL },
			{ "taken iova", FIELD(T, iova), IOVA, EEXIST },
			{ "directory", FIELD(T, fd), (__u32)w.fds.dir, EINVAL },
		};

		check_fields(&c, ARRAY(wrong));
		memcpy(&wrap, &cmd->source, sizeof(wrap));
		cmd->flags |= IOMMU_MAP_FD;
		cmd->fd = w.fds.memfd;
		cmd->source = 0;
		check_fields(&c, ARRAY(by_fd));
	}
	check_right(&c);
	CHECK_EQ(cmd->iova, IOVA + LENGTH);
	CHECK_EQ(vm_pin_kib(), (long)(2 * LENGTH / KIB));
}

/* No room for the answer must undo a map whose address the kernel chose. */
static void A15_map_without_room_for_the_answer(void)
{
	struct iommu_map_dma *cmd;
	int i;

	world_open(ATTACHED);
	NEED(cmd = pages_alloc(PAGE));
	cmd->size = sizeof(*cmd);
	cmd->flags = RW;
	cmd->ioasid = (__u32)w.a;
	cmd->source = (uintptr_t)w.mem;
	cmd->length = LENGTH;
	NEED(!mprotect(cmd, PAGE, PROT_READ));
	state_get(&before);
	for (i = 0; i < 10; i++)
		CHECK_ERRNO(ioctl(w.fd, IOMMU_MAP_DMA, cmd), EFAULT);
	check_unchanged();
}

/* UNMAP_DMA: A15 */

static void fill_unmap(void *buf)
{
	struct iommu_unmap_dma *cmd = buf;

	cmd->size = sizeof(*cmd);
	cmd->ioasid = (__u32)w.a;
	cmd->iova = IOVA;
	cmd->length = LENGTH;
}

static void A15_unmap_dma(void)
{
	typedef struct iommu_unmap_dma T;
	static const struct command c = {
		"UNMAP_DMA", IOMMU_UNMAP_DMA, sizeof(T), 8, false, true,
		ATTACHED, fill_unmap
	};
	T *cmd = (T *)right;

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			NO_IOASID(T, ioasid),
			{ "flags", FIELD(T, flags), 2, EOPNOTSUPP },
			{ "flags", FIELD(T, flags), 1u << 31, EOPNOTSUPP },
			{ "flags", FIELD(T, flags), 0xffffffff, EOPNOTSUPP },
			{ "all, and a range:", FIELD(T, flags),
			  IOMMU_UNMAP_ALL, EINVAL },
			{ "reserved", FIELD(T, __reserved), 1, EOPNOTSUPP },
			{ "reserved", FIELD(T, __reserved), 1u << 31,
			  EOPNOTSUPP },
			{ "length", FIELD(T, length), 0, EINVAL },
			{ "length", FIELD(T, length), 1, EINVAL },
			{ "length", FIELD(T, length), LENGTH + 1, EINVAL },
			{ "wrapping length", FIELD(T, length), -PAGE, EINVAL },
			{ "length", FIELD(T, length), ~0ULL, EINVAL },
			{ "length that cuts", FIELD(T, length), PAGE, EINVAL },
			{ "length that cuts", FIELD(T, length), LENGTH - PAGE,
			  EINVAL },
			{ "iova", FIELD(T, iova), IOVA + 1, EINVAL },
			{ "wrapping iova", FIELD(T, iova), -PAGE, EINVAL },
			{ "iova that cuts", FIELD(T, iova), IOVA + PAGE, EINVAL },
			{ "iova that cuts", FIELD(T, iova), IOVA - PAGE, EINVAL },
			{ "iova before", FIELD(T, iova), IOVA - LENGTH, ENOENT },
			{ "iova behind", FIELD(T, iova), IOVA + LENGTH, ENOENT },
			{ "iova at the very top", FIELD(T, iova), -LENGTH,
			  ENOENT },
		};

		check_fields(&c, ARRAY(wrong));
		cmd->flags = IOMMU_UNMAP_ALL;
		cmd->iova = 0;
		AT("all, and a length");
		refused(&c, right, EINVAL);
		cmd->length = 0;
		cmd->iova = IOVA;
		AT("all, and an iova");
		refused(&c, right, EINVAL);
		fill_unmap(right);
		cmd->flags = 0;
	}
	check_right(&c);
	CHECK_EQ(cmd->length, LENGTH);
	CHECK_EQ(vm_pin_kib(), 0);
}

/* Commands on the device file */

static void fill_bind(void *buf)
{
	struct iommu_device_bind *cmd = buf;

	cmd->size = sizeof(*cmd);
	cmd->iommu_fd = w.fd;
	cmd->label = LABEL;
}

static void A5_bind(void)
{
	typedef struct iommu_device_bind T;
	static const struct command c = {
		"BIND", IOMMU_DEVICE_BIND_IOMMU_FD, sizeof(T), 8, true, false,
		OPENED, fill_bind
	};

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			NO_IOMMU_FD(T),
			{ "flags", FIELD(T, flags), 1, EOPNOTSUPP },
			{ "flags", FIELD(T, flags), 1u << 31, EOPNOTSUPP },
			{ "reserved", FIELD(T, __reserved), 1, EOPNOTSUPP },
		};

		check_fields(&c, ARRAY(wrong));
	}
	check_right(&c);
}

/* Before the first bind a device file answers nothing else. */
static void A12_nothing_answers_before_bind(void)
{
	struct vfio_device_info vinfo = { .argsz = sizeof(vinfo) };
	struct vfio_region_info region = { .argsz = sizeof(region) };
	struct vfio_irq_set irqs = {
		.argsz = sizeof(irqs),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
	};
	char bytes[8];

	world_open(OPENED);
	CHECK_ERRNO(ioctl(w.edu.fd, VFIO_DEVICE_GET_INFO, &vinfo), EINVAL);
	CHECK_ERRNO(ioctl(w.edu.fd, VFIO_DEVICE_GET_REGION_INFO, &region),
		    EINVAL);
	CHECK_ERRNO(ioctl(w.edu.fd, VFIO_DEVICE_SET_IRQS, &irqs), EINVAL);
	CHECK_ERRNO(ioctl(w.edu.fd, VFIO_DEVICE_RESET), EINVAL);
	CHECK_ERRNO(pread(w.edu.fd, bytes, 4, 0), EINVAL);
	CHECK_ERRNO(pwrite(w.edu.fd, bytes, 4, 0x80), EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, w.edu.fd, 0) ==
	      MAP_FAILED);
	/* Nor does it know of any IOASID. */
	CHECK_ERRNO(dev_attach(w.edu.fd, w.fd, w.a), EINVAL);
	CHECK_ERRNO(dev_detach(w.edu.fd, w.fd, w.a), EINVAL);
}

static void fill_attach(void *buf)
{
	struct iommu_device_attach *cmd = buf;

	cmd->size = sizeof(*cmd);
	cmd->iommu_fd = w.fd;
	cmd->ioasid = (__u32)w.a;
}

static void A8_attach(void)
{
	typedef struct iommu_device_attach T;
	static const struct command c = {
		"ATTACH", IOMMU_DEVICE_ATTACH_IOASID, sizeof(T), 4, true, false,
		BOUND, fill_attach
	};
	struct iommu_ioasid_info info;

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			NO_IOMMU_FD(T),
			NO_IOASID(T, ioasid),
			{ "fd it is not bound to", FIELD(T, iommu_fd),
			  (__u32)w.other, EINVAL },
			{ "flags", FIELD(T, flags), 2, EOPNOTSUPP },
			{ "flags", FIELD(T, flags), 1u << 31, EOPNOTSUPP },
			{ "PASID for a device without", FIELD(T, flags),
			  IOMMU_DEVICE_ATTACH_VPASID, EINVAL },
			{ "PASID that no flag announces", FIELD(T, vpasid), 1,
			  EINVAL },
			{ "reserved", FIELD(T, __reserved), 1, EOPNOTSUPP },
		};

		check_fields(&c, ARRAY(wrong));
	}
	check_right(&c);
	/* Attached already, to this one or for another. */
	CHECK_OK(ioasid_info(w.fd, w.a, &info));
	CHECK_EQ(info.nr_devices, 1);
	state_get(&before);
	AT("attached already");
	refused(&c, right, EBUSY);
	((T *)right)->ioasid = (__u32)w.b;
	refused(&c, right, EBUSY);
}

static void A12_detach(void)
{
	typedef struct iommu_device_detach T;
	static const struct command c = {
		"DETACH", IOMMU_DEVICE_DETACH_IOASID, sizeof(T), 4, true, false,
		ATTACHED, fill_attach	/* the fields are the same */
	};

	check_longer(&c);
	begin(&c);
	COMMON(&c);
	{
		const struct wrong wrong[] = {
			NO_IOMMU_FD(T),
			NO_IOASID(T, ioasid),
			{ "IOASID it is not attached to", FIELD(T, ioasid),
			  (__u64)w.b, ENOENT },
			{ "fd it is not bound to", FIELD(T, iommu_fd),
			  (__u32)w.other, EINVAL },
			{ "flags", FIELD(T, flags), 2, EOPNOTSUPP },
			{ "flags", FIELD(T, flags), 1u << 31, EOPNOTSUPP },
			{ "PASID for a device without", FIELD(T, flags),
			  IOMMU_DEVICE_ATTACH_VPASID, EINVAL },
			{ "PASID that no flag announces", FIELD(T, vpasid), 1,
			  EINVAL },
			{ "reserved", FIELD(T, __reserved), 1, EOPNOTSUPP },
		};

		check_fields(&c, ARRAY(wrong));
	}
	check_right(&c);
	state_get(&before);
	AT("detached already");
	refused(&c, right, ENOENT);
}

/* Commands of the one kind of file on the other. */
static void A1_commands_on_the_wrong_file(void)
{
	__u64 buf[BUF] = { 0 };
	unsigned int i;

	world_open(ATTACHED);
	state_get(&before);
	for (i = 0xc0; i <= 0xdf; i++) {
		AT("number %#x on the device file", i);
		CHECK_ERRNO(ioctl(w.edu.fd, _IO(';', i), buf), ENOTTY);
	}
	for (i = 0xe0; i <= 0xef; i++) {
		AT("number %#x on /dev/iommu", i);
		CHECK_ERRNO(ioctl(w.fd, _IO(';', i), buf), ENOTTY);
	}
	for (i = 0xe3; i <= 0xef; i++) {
		AT("number %#x on the device file", i);
		CHECK_ERRNO(ioctl(w.edu.fd, _IO(';', i), buf), ENOTTY);
	}
	check_unchanged();
}

/* A5, A4 */

static void A5_label_is_unique(void)
{
	static const __u64 labels[] = {
		0, 1, 0xffffffffULL, 1ULL << 32, 1ULL << 63, ~0ULL, LABEL,
	};
	struct edu edu, two;
	int fd, i;

	NEED((fd = iommu_open()) >= 0);
	for (i = 0; i < 7; i++) {
		struct iommu_device_info info;

		AT("label %#llx", (unsigned long long)labels[i]);
		NEED(edu_open(&edu, 0));
		NEED(edu_open(&two, 1));
		CHECK_OK(dev_bind(edu.fd, fd, labels[i]));
		CHECK_OK(device_info(fd, labels[i], &info, NULL, 0));
		CHECK_EQ(info.label, labels[i]);
		CHECK_ERRNO(device_info(fd, labels[i] ^ 1, &info, NULL, 0),
			    ENOENT);
		/* Taken by another device, and by itself. */
		CHECK_ERRNO(dev_bind(two.fd, fd, labels[i]), EBUSY);
		CHECK_ERRNO(dev_bind(edu.fd, fd, labels[i]), EBUSY);
		CHECK_ERRNO(dev_bind(edu.fd, fd, labels[i] ^ 2), EBUSY);
		CHECK_ERRNO(device_info(fd, labels[i] ^ 2, &info, NULL, 0),
			    ENOENT);
		/* What failed to bind is not bound. */
		CHECK_EQ(vfio_region(two.fd, VFIO_PCI_CONFIG_REGION_INDEX), 0);
		CHECK_OK(dev_bind(two.fd, fd, labels[i] ^ 2));
		CHECK_OK(device_info(fd, labels[i] ^ 2, &info, NULL, 0));
		close(edu.fd);
		CHECK_ERRNO(device_info(fd, labels[i], &info, NULL, 0), ENOENT);
		CHECK_OK(device_info(fd, labels[i] ^ 2, &info, NULL, 0));
		close(two.fd);
	}
}

static void A4_one_device_on_two_fds(void)
{
	struct iommu_device_info info;
	struct iommu_ioasid_info space;
	struct edu edu;
	int fd1, fd2, id1, id2, pad;

	NEED((fd1 = iommu_open()) >= 0);
	NEED((fd2 = iommu_open()) >= 0);
	NEED((pad = ioasid_alloc(fd2)) > 0);
	NEED(edu_open(&edu, 0));
	/* The same label in two fds is two labels. */
	CHECK_OK(dev_bind(edu.fd, fd1, LABEL));
	CHECK_OK(dev_bind(edu.fd, fd2, LABEL));
	CHECK_OK(device_info(fd1, LABEL, &info, NULL, 0));
	CHECK_OK(device_info(fd2, LABEL, &info, NULL, 0));
	NEED((id1 = ioasid_alloc(fd1)) > 0);
	NEED((id2 = ioasid_alloc(fd2)) > 0);
	NEED(id1 != id2);
	/* fd and IOASID are named together. */
	CHECK_ERRNO(dev_attach(edu.fd, fd1, id2), ENOENT);
	CHECK_ERRNO(dev_attach(edu.fd, fd2, id1), ENOENT);
	CHECK_OK(dev_attach(edu.fd, fd1, id1));
	CHECK_ERRNO(dev_attach(edu.fd, fd2, id2), EBUSY);
	CHECK_ERRNO(dev_detach(edu.fd, fd2, id1), ENOENT);
	CHECK_ERRNO(dev_detach(edu.fd, fd2, id2), ENOENT);
	CHECK_OK(ioasid_info(fd1, id1, &space));
	CHECK_EQ(space.nr_devices, 1);
	CHECK_OK(dev_detach(edu.fd, fd1, id1));
	CHECK_OK(dev_attach(edu.fd, fd2, id2));
	CHECK_OK(ioasid_info(fd1, id1, &space));
	CHECK_EQ(space.nr_devices, 0);
	CHECK_OK(ioasid_info(fd2, id2, &space));
	CHECK_EQ(space.nr_devices, 1);
	/* The other fd's end is not the device's. */
	close(fd1);
	CHECK_OK(ioasid_info(fd2, id2, &space));
	CHECK_EQ(space.nr_devices, 1);
	CHECK_ERRNO(ioasid_free(fd2, id2), EBUSY);
	close(edu.fd);
	CHECK_OK(ioasid_info(fd2, id2, &space));
	CHECK_EQ(space.nr_devices, 0);
	CHECK_OK(ioasid_free(fd2, id2));
}

/* The same file opened twice: one of the two has the device. */
static void A4_one_open_file_has_the_device(void)
{
	struct edu one, two;
	int fd1, fd2;

	NEED((fd1 = iommu_open()) >= 0);
	NEED((fd2 = iommu_open()) >= 0);
	NEED(edu_open(&one, 0));
	NEED(edu_open(&two, 0));
	CHECK_OK(dev_bind(one.fd, fd1, LABEL));
	CHECK(dev_bind(two.fd, fd1, OTHER_LABEL) &&
	      (errno == EBUSY || errno == EPERM));
	CHECK(dev_bind(two.fd, fd2, LABEL) &&
	      (errno == EBUSY || errno == EPERM));
	close(one.fd);
	CHECK_OK(dev_bind(two.fd, fd2, LABEL));
	NEED(edu_start(&two));
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(A1_one_character_device);
	RUN(A1_check_extension);
	RUN(A1_commands_on_the_wrong_file);
	RUN(A3_ids_are_local_to_an_fd);
	RUN(A4_one_device_on_two_fds);
	RUN(A4_one_open_file_has_the_device);
	RUN(A5_bind);
	RUN(A5_label_is_unique);
	RUN(A6_device_get_info);
	RUN(A6_info_before_any_ioasid);
	RUN(A7_ioasid_alloc);
	RUN(A8_attach);
	RUN(A9_parents_of_the_same_fd);
	RUN(A10_ioasid_get_info);
	RUN(A12_ioasid_free);
	RUN(A12_nothing_answers_before_bind);
	RUN(A12_detach);
	RUN(A15_map_dma);
	RUN(A15_map_without_room_for_the_answer);
	RUN(A15_unmap_dma);
	return check_end();
}
