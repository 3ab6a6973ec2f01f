// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mapping and unmapping without a device: addresses, kinds of memory, and what
 * is left when something goes wrong on the way. (Requirement A15; that devices
 * then see the right memory is for dma_*.c.)
 */
#include <sys/mount.h>
#include <sys/syscall.h>
#include "edu.h"

static int fd, id;

static void open_space(__u32 width)
{
	NEED((fd = iommu_open()) >= 0);
	NEED((id = ioasid_alloc_as(fd, width, IOMMU_COHERENCY_AUTO)) > 0);
}

/* Exactly @bytes in @n mappings are mapped, pinned and charged, and show. */
static void check_held(__u64 n, __u64 bytes)
{
	struct iommu_ioasid_info info;

	CHECK_OK(ioasid_info(fd, id, &info));
	CHECK_EQ(info.nr_mappings, n);
	CHECK_EQ(info.mapped_bytes, bytes);
	CHECK_EQ(info.pinned_bytes, bytes);
	CHECK_EQ(info.charged_bytes, bytes);
	CHECK_EQ(vm_pin_kib(), bytes / KIB);
}

static long pins_now(void)
{
	return balance_now().pins;
}

/* Addresses */

static void A15_chosen_addresses(void)
{
	__u64 iova[64], keep;
	struct iommu_ioasid_range range;
	int i, k;
	char *mem;

	open_space(0);
	NEED(mem = pages_alloc(64 * PAGE));
	NEED(ioasid_ranges(fd, id, &range, 1) == 1);
	CHECK_EQ(range.start, 0);
	for (i = 0; i < 64; i++) {
		AT("mapping %d", i);
		iova[i] = 0x123456789000;	/* no input without FIXED */
		CHECK_OK(map_any(fd, id, RW, 0, (uintptr_t)mem + (i % 8) * PAGE,
				 (i % 5 + 1) * PAGE, &iova[i]));
		CHECK_EQ(iova[i] % PAGE, 0);
		CHECK(iova[i] && iova[i] <= range.last);
		for (k = 0; k < i; k++)
			if (iova[k] < iova[i] + (i % 5 + 1) * PAGE &&
			    iova[i] < iova[k] + (k % 5 + 1) * PAGE)
				check_fail("overlaps mapping %d", k);
	}
	/* What is freed is found again, in the end. */
	keep = iova[20];
	CHECK_OK(unmap_at(fd, id, keep, PAGE));
	iova[20] = 0;
	CHECK_OK(map_any(fd, id, RW, 0, (uintptr_t)mem, PAGE, &iova[20]));
	CHECK_OK(unmap_all(fd, id));
	check_held(0, 0);
}

/* Large memory gets an address at which its huge pages can be huge leaves. */
static void A15_chosen_addresses_keep_the_phase(void)
{
	static const __u64 shifts[] = { 0, PAGE, 64 * KIB, MIB, 2 * MIB - PAGE };
	__u64 iova;
	unsigned int i;
	char *area, *mem;

	open_space(0);
	NEED((area = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED);
	mem = (char *)(((uintptr_t)area + 2 * MIB - 1) & ~(2 * MIB - 1));
	for (i = 0; i < 5; i++) {
		AT("source at %#llx of 2 MiB", (unsigned long long)shifts[i]);
		iova = 0;
		CHECK_OK(map_any(fd, id, RW, 0, (uintptr_t)mem + shifts[i],
				 4 * MIB, &iova));
		CHECK_EQ(iova % (2 * MIB), shifts[i]);
	}
	check_held(5, 20 * MIB);
	CHECK_OK(ioasid_free(fd, id));
	CHECK_EQ(vm_pin_kib(), 0);
}

static void A15_a_full_space(void)
{
	struct iommu_ioasid_info info;
	__u64 iova, sum = 0;
	char *mem;
	int i;

	open_space(16);
	NEED(mem = pages_alloc(32 * PAGE));
	NEED(!ioasid_info(fd, id, &info));
	CHECK_EQ(info.addr_width_bits, 16);
	for (i = 0; i < 16; i++) {
		iova = 0;
		CHECK_OK(map_any(fd, id, RW, 0, (uintptr_t)mem, PAGE, &iova));
		sum += iova;
	}
	/* Each page once. */
	CHECK_EQ(sum, 120 * PAGE);
	iova = 7;
	CHECK_ERRNO(map_any(fd, id, RW, 0, (uintptr_t)mem, PAGE, &iova), ENOSPC);
	check_held(16, 16 * PAGE);
	CHECK_ERRNO(map_at(fd, id, RW, mem, PAGE, 0x10000), EINVAL);
	CHECK_OK(unmap_at(fd, id, 5 * PAGE, PAGE));
	CHECK_OK(unmap_at(fd, id, 7 * PAGE, PAGE));
	CHECK_ERRNO(map_any(fd, id, RW, 0, (uintptr_t)mem, 2 * PAGE, &iova),
		    ENOSPC);
	CHECK_OK(map_any(fd, id, RW, 0, (uintptr_t)mem, PAGE, &iova));
	CHECK(iova == 5 * PAGE || iova == 7 * PAGE);
	CHECK_OK(unmap_all(fd, id));
	/* More than there is room for, at once. */
	CHECK_ERRNO(map_any(fd, id, RW, 0, (uintptr_t)mem, 17 * PAGE, &iova),
		    ENOSPC);
	CHECK_ERRNO(map_at(fd, id, RW, mem, 17 * PAGE, 0), EINVAL);
	CHECK_OK(map_any(fd, id, RW, 0, (uintptr_t)mem, 16 * PAGE, &iova));
	CHECK_EQ(iova, 0);
	CHECK_OK(unmap_at(fd, id, 0, 16 * PAGE));
	check_held(0, 0);
}

static void A15_first_and_last_address(void)
{
	struct iommu_ioasid_range range;
	char *mem;

	NEED(mem = pages_alloc(2 * PAGE));
	open_space(64);
	NEED(ioasid_ranges(fd, id, &range, 1) == 1);
	CHECK_EQ(range.start, 0);
	CHECK_OK(map_at(fd, id, RW, mem, PAGE, 0));
	CHECK_OK(map_at(fd, id, RW, mem, PAGE, range.last + 1 - PAGE));
	CHECK_ERRNO(map_at(fd, id, RW, mem, 2 * PAGE, range.last + 1 - PAGE),
		    EINVAL);
	check_held(2, 2 * PAGE);
	/* All of it, by one range that does not name ALL. */
	CHECK_OK(unmap_at(fd, id, 0, range.last + 1));
	check_held(0, 0);
}

static void A15_overlaps_of_all_kinds(void)
{
	/* One mapping of [8, 12) pages, another of [20, 21). */
	static const struct { int first, pages; bool clash; } tries[] = {
		{ 8, 4, true }, { 8, 1, true }, { 9, 2, true }, { 11, 1, true },
		{ 7, 2, true }, { 11, 2, true }, { 7, 6, true }, { 0, 32, true },
		{ 12, 9, true }, { 20, 1, true }, { 19, 3, true }, { 0, 9, true },
		{ 7, 1, false }, { 12, 1, false }, { 12, 8, false },
		{ 21, 1, false }, { 19, 1, false }, { 0, 8, false },
	};
	unsigned int i;
	char *mem;

	open_space(0);
	NEED(mem = pages_alloc(64 * PAGE));
	NEED(!map_at(fd, id, RW, mem, 4 * PAGE, 8 * PAGE));
	NEED(!map_at(fd, id, RW, mem, PAGE, 20 * PAGE));
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		__u64 iova = (__u64)tries[i].first * PAGE;
		__u64 length = (__u64)tries[i].pages * PAGE;

		AT("pages %d+%d", tries[i].first, tries[i].pages);
		if (tries[i].clash) {
			CHECK_ERRNO(map_at(fd, id, RW, mem, length, iova),
				    EEXIST);
			/* It comes before what is wrong with the memory. */
		} else {
			CHECK_OK(map_at(fd, id, RW, mem, length, iova));
			CHECK_OK(unmap_at(fd, id, iova, length));
		}
		check_held(2, 5 * PAGE);
	}
}

static void A15_unmap_exact_many_holes_split_none_all(void)
{
	__u64 n = 0;
	char *mem;
	int i;

	open_space(0);
	NEED(mem = pages_alloc(16 * PAGE));
	/* Two pages each at 0, 4, 8 ... 60 pages from 1 MiB on. */
	for (i = 0; i < 16; i++)
		NEED(!map_at(fd, id, RW, mem, 2 * PAGE,
			     MIB + 4 * (__u64)i * PAGE));
	check_held(16, 32 * PAGE);
	/* Cut at one end, at the other, in the middle, in the last of many. */
	CHECK_ERRNO(unmap_at(fd, id, MIB, PAGE), EINVAL);
	CHECK_ERRNO(unmap_at(fd, id, MIB + PAGE, PAGE), EINVAL);
	CHECK_ERRNO(unmap_at(fd, id, MIB + PAGE, 8 * PAGE), EINVAL);
	CHECK_ERRNO(unmap_at(fd, id, MIB, 5 * PAGE), EINVAL);
	CHECK_ERRNO(unmap_at(fd, id, MIB - PAGE, 62 * PAGE), EINVAL);
	CHECK_ERRNO(unmap_at(fd, id, 0, MIB + PAGE), EINVAL);
	check_held(16, 32 * PAGE);
	/* Nothing there: before, in a hole, behind. */
	CHECK_ERRNO(unmap_at(fd, id, 0, MIB), ENOENT);
	CHECK_ERRNO(unmap_at(fd, id, MIB + 2 * PAGE, 2 * PAGE), ENOENT);
	CHECK_ERRNO(unmap_at(fd, id, 2 * MIB, GIB), ENOENT);
	/* Exactly one; one with room on both sides; many; the rest. */
	CHECK_OK(unmap_count(fd, id, 0, MIB, 2 * PAGE, &n));
	CHECK_EQ(n, 2 * PAGE);
	CHECK_OK(unmap_count(fd, id, 0, MIB + 3 * PAGE, 4 * PAGE, &n));
	CHECK_EQ(n, 2 * PAGE);
	CHECK_OK(unmap_count(fd, id, 0, MIB + 8 * PAGE, 22 * PAGE, &n));
	CHECK_EQ(n, 12 * PAGE);
	check_held(8, 16 * PAGE);
	CHECK_OK(unmap_count(fd, id, IOMMU_UNMAP_ALL, 0, 0, &n));
	CHECK_EQ(n, 16 * PAGE);
	check_held(0, 0);
	CHECK_OK(unmap_count(fd, id, IOMMU_UNMAP_ALL, 0, 0, &n));
	CHECK_EQ(n, 0);
	CHECK_ERRNO(unmap_at(fd, id, 0, GIB), ENOENT);
}

/* Random commands in a small space, each foretold by a model. */

#define MODEL_PAGES	64
#define MODEL_STEPS	20000

static unsigned int seed = 1;

static unsigned int rnd(unsigned int below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

static int model[MODEL_PAGES];	/* number of the mapping there, or 0 */

static bool model_free(unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++)
		if (i >= MODEL_PAGES || model[i])
			return false;
	return true;
}

static bool model_cuts(unsigned int first, unsigned int n)
{
	unsigned int last = first + n - 1;

	return (first && model[first] && model[first - 1] == model[first]) ||
	       (last + 1 < MODEL_PAGES && model[last] &&
		model[last + 1] == model[last]);
}

static void model_map(const char *mem, int number, bool fixed)
{
	unsigned int first = rnd(MODEL_PAGES), n = rnd(4) ? rnd(6) + 1 : rnd(30) + 1, i;
	__u64 iova = first * PAGE;
	bool room = false;

	if (fixed) {
		if (first + n > MODEL_PAGES)
			n = MODEL_PAGES - first;
		if (!model_free(first, n)) {
			CHECK_ERRNO(map_at(fd, id, RW, mem, n * PAGE, iova),
				    EEXIST);
			return;
		}
		CHECK_OK(map_at(fd, id, RW, mem, n * PAGE, iova));
	} else {
		for (i = 0; i < MODEL_PAGES && !room; i++)
			room = model_free(i, n);
		if (!room) {
			CHECK_ERRNO(map_any(fd, id, RW, 0, (uintptr_t)mem,
					    n * PAGE, &iova), ENOSPC);
			return;
		}
		CHECK_OK(map_any(fd, id, RW, 0, (uintptr_t)mem, n * PAGE,
				 &iova));
		first = (unsigned int)(iova / PAGE);
		if (!CHECK(model_free(first, n)))
			return;
	}
	for (i = first; i < first + n; i++)
		model[i] = number;
}

static void model_unmap(void)
{
	unsigned int first = rnd(MODEL_PAGES), n = rnd(12) + 1, i, any = 0;
	__u64 got = 0;

	/* Mostly whole mappings. */
	if (rnd(4))
		while (first && model[first] && model[first - 1] == model[first])
			first--;
	if (first + n > MODEL_PAGES)
		n = MODEL_PAGES - first;
	for (i = first; i < first + n; i++)
		any += !!model[i];
	if (!any) {
		CHECK_ERRNO(unmap_at(fd, id, first * PAGE, n * PAGE), ENOENT);
	} else if (model_cuts(first, n)) {
		CHECK_ERRNO(unmap_at(fd, id, first * PAGE, n * PAGE), EINVAL);
	} else {
		CHECK_OK(unmap_count(fd, id, 0, first * PAGE, n * PAGE, &got));
		CHECK_EQ(got, any * PAGE);
		memset(&model[first], 0, n * sizeof(model[0]));
	}
}

static void A15_random_commands_as_foretold(void)
{
	int step, i;
	__u64 pages, mappings;
	char *mem;

	open_space(18);
	NEED(mem = pages_alloc(MODEL_PAGES * PAGE));
	for (step = 1; step <= MODEL_STEPS && check_failures < 5; step++) {
		AT("step %d", step);
		switch (rnd(8)) {
		case 0 ... 1:
			model_map(mem, step, true);
			break;
		case 2 ... 3:
			model_map(mem, step, false);
			break;
		default:
			model_unmap();
		}
		if (step % 1000)
			continue;
		for (pages = 0, mappings = 0, i = 0; i < MODEL_PAGES; i++) {
			pages += !!model[i];
			mappings += model[i] && (!i || model[i - 1] != model[i]);
		}
		check_held(mappings, pages * PAGE);
	}
}

/* Kinds of memory */

struct kind {
	const char *name;
	/* Memory, and its length at @bytes. */
	void *(*make)(size_t *bytes);
	int read, write, both;	/* errno; -1: any; see below */
};

#define NO_ACCESS	(-2)	/* EFAULT or EACCES */

static void *map_new(size_t bytes, int prot, int flags, int file)
{
	void *p = mmap(NULL, bytes, prot, flags, file, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int new_file(const char *dir, size_t bytes)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "%s/fileXXXXXX", dir);
	file = mkstemp(path);
	if (file < 0)
		return -1;
	unlink(path);
	return ftruncate(file, (off_t)bytes) ? -1 : file;
}

static void *kind_anon(size_t *bytes)
{
	return map_new(*bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void *kind_touched(size_t *bytes)
{
	return pages_alloc(*bytes);
}

static void *kind_read_only(size_t *bytes)
{
	void *p = pages_alloc(*bytes);

	return mprotect(p, *bytes, PROT_READ) ? NULL : p;
}

static void *kind_read_only_untouched(size_t *bytes)
{
	return map_new(*bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void *kind_none(size_t *bytes)
{
	return map_new(*bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void *kind_none_touched(size_t *bytes)
{
	void *p = pages_alloc(*bytes);

	return mprotect(p, *bytes, PROT_NONE) ? NULL : p;
}

static void *kind_shared(size_t *bytes)
{
	return map_new(*bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1);
}

static void *kind_shared_read_only(size_t *bytes)
{
	int file = memfd_create("ro", MFD_CLOEXEC);

	if (file < 0 || ftruncate(file, (off_t)*bytes))
		return NULL;
	return map_new(*bytes, PROT_READ, MAP_SHARED, file);
}

static void *kind_memfd(size_t *bytes)
{
	int file = memfd_create("rw", MFD_CLOEXEC);

	if (file < 0 || ftruncate(file, (off_t)*bytes))
		return NULL;
	return map_new(*bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file);
}

static void *kind_memfd_private(size_t *bytes)
{
	int file = memfd_create("private", MFD_CLOEXEC);

	if (file < 0 || ftruncate(file, (off_t)*bytes))
		return NULL;
	return map_new(*bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
}

static void *kind_tmpfs(size_t *bytes)
{
	return map_new(*bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       new_file("/dev/shm", *bytes));
}

static void *kind_ramfs(size_t *bytes)
{
	mkdir("/tmp/ramfs", 0700);
	if (mount("ramfs", "/tmp/ramfs", "ramfs", 0, NULL) && errno != EBUSY)
		return NULL;
	return map_new(*bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       new_file("/tmp/ramfs", *bytes));
}

static void *kind_thp(size_t *bytes)
{
	char *p;

	*bytes = 4 * MIB;
	p = map_new(6 * MIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1);
	p = (char *)(((uintptr_t)p + 2 * MIB - 1) & ~(2 * MIB - 1));
	madvise(p, *bytes, MADV_HUGEPAGE);
	memset(p, 1, *bytes);
	return p;
}

static void *kind_hugetlb(size_t *bytes)
{
	*bytes = 4 * MIB;
	return map_new(*bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

static void *kind_hugetlb_shared(size_t *bytes)
{
	*bytes = 4 * MIB;
	return map_new(*bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       new_file("/dev/hugepages", *bytes));
}

static void *kind_hugetlb_memfd(size_t *bytes)
{
	int file = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);

	*bytes = 4 * MIB;
	if (file < 0 || ftruncate(file, (off_t)*bytes))
		return NULL;
	return map_new(*bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file);
}

static int bar_open(void)
{
	char bdf[16], path[96];

	if (!pci_find(EDU_VENDOR, EDU_DEVICE, 0, bdf))
		return -1;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	return open(path, O_RDWR | O_SYNC | O_CLOEXEC);
}

static void *kind_device_memory(size_t *bytes)
{
	int file = bar_open();

	return file < 0 ? NULL :
	       map_new(*bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file);
}

static void *kind_text(size_t *bytes)
{
	*bytes = PAGE;
	return (void *)((uintptr_t)kind_text & ~(PAGE - 1));
}

static void *kind_iommu_file(size_t *bytes)
{
	(void)bytes;
	return (void *)PAGE;	/* never mapped */
}

static void *kind_vvar(size_t *bytes)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long addr = 0, from, to;
	char line[256];

	*bytes = PAGE;
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "[vvar]") &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2)
			addr = from;
	if (f)
		fclose(f);
	return (void *)addr;
}

static const struct kind kinds[] = {
	{ "private, untouched", kind_anon, 0, 0, 0 },
	{ "private", kind_touched, 0, 0, 0 },
	{ "private, may only be read", kind_read_only, 0, NO_ACCESS, NO_ACCESS },
	{ "private, untouched, may only be read", kind_read_only_untouched, 0,
	  NO_ACCESS, NO_ACCESS },
	{ "no access", kind_none, NO_ACCESS, NO_ACCESS, NO_ACCESS },
	{ "no access any more", kind_none_touched, NO_ACCESS, NO_ACCESS,
	  NO_ACCESS },
	{ "shared", kind_shared, 0, 0, 0 },
	{ "shared, may only be read", kind_shared_read_only, 0, NO_ACCESS,
	  NO_ACCESS },
	{ "memfd", kind_memfd, 0, 0, 0 },
	{ "private of a memfd", kind_memfd_private, 0, 0, 0 },
	{ "tmpfs file", kind_tmpfs, 0, 0, 0 },
	{ "ramfs file", kind_ramfs, 0, -1, -1 },	/* kernels differ */
	{ "transparent huge pages", kind_thp, 0, 0, 0 },
	{ "huge pages", kind_hugetlb, 0, 0, 0 },
	{ "hugetlbfs file", kind_hugetlb_shared, 0, 0, 0 },
	{ "memfd of huge pages", kind_hugetlb_memfd, 0, 0, 0 },
	{ "device memory", kind_device_memory, EFAULT, EFAULT, EFAULT },
	{ "program text", kind_text, 0, NO_ACCESS, NO_ACCESS },
	{ "the kernel's clock page", kind_vvar, EFAULT, EFAULT, EFAULT },
	{ "nothing", kind_iommu_file, EFAULT, EFAULT, EFAULT },
};

static void try_kind(const struct kind *kind, __u32 flags, int want)
{
	size_t bytes = 8 * PAGE;
	void *mem = kind->make(&bytes);
	long pins = pins_now();
	int got;

	AT("%s, flags %u", kind->name, flags);
	if (!CHECK(mem))
		return;
	got = map_at(fd, id, flags, mem, bytes, 64 * MIB) ? errno : 0;
	if (want == -1 ? got && got != EFAULT :
	    want == NO_ACCESS ? got != EFAULT && got != EACCES : got != want)
		check_fail("errno is %s, not %s", check_errno_name(got),
			   check_errno_name(want == NO_ACCESS ? EFAULT : want));
	if (!got) {
		check_held(1, bytes);
		CHECK_EQ(pins_now() - pins, bytes / PAGE);
		/* Whatever becomes of the process's own mapping. */
		if (kind->make != kind_text)
			CHECK_OK(munmap(mem, bytes));
		CHECK_OK(unmap_at(fd, id, 64 * MIB, bytes));
	}
	check_held(0, 0);
	CHECK_EQ(pins_now(), pins);
}

static void A15_kinds_of_memory(void)
{
	unsigned int i;

	open_space(0);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		try_kind(&kinds[i], IOMMU_MAP_READ, kinds[i].read);
		try_kind(&kinds[i], IOMMU_MAP_WRITE, kinds[i].write);
		try_kind(&kinds[i], RW, kinds[i].both);
	}
}

/* Memory that goes bad in the middle of a range: all or nothing. */
static void A15_bad_memory_in_the_middle(void)
{
	static const unsigned int places[] = { 1, 2, 15, 16, 17, 511, 512, 513,
					       600, 1023 };
	enum { HOLE, NONE, DEVICE, BEHIND_END, WAYS };
	size_t bytes = PAGE;
	unsigned int i, way;
	long pins;

	open_space(0);
	pins = pins_now();
	for (way = 0; way < WAYS; way++) {
		for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			char *mem = pages_alloc(1024 * PAGE);
			char *bad = mem + places[i] * PAGE;
			void *device;
			int file;

			AT("way %u at page %u", way, places[i]);
			NEED(mem);
			switch (way) {
			case HOLE:
				NEED(!munmap(bad, PAGE));
				break;
			case NONE:
				NEED(!mprotect(bad, PAGE, PROT_NONE));
				break;
			case DEVICE:
				NEED(device = kind_device_memory(&bytes));
				NEED(mremap(device, PAGE, PAGE,
					    MREMAP_MAYMOVE | MREMAP_FIXED, bad) ==
				     bad);
				break;
			case BEHIND_END:
				NEED((file = memfd_create("short", 0)) >= 0);
				NEED(mmap(bad, PAGE, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_FIXED, file, 0) ==
				     bad);
				close(file);
				break;
			}
			CHECK(map_at(fd, id, RW, mem, 1024 * PAGE, GIB) &&
			      errno == EFAULT);
			CHECK(map_at(fd, id, IOMMU_MAP_READ, mem, 1024 * PAGE,
				     GIB) && errno == EFAULT);
			check_held(0, 0);
			/* The address is free, and the good part can be used. */
			CHECK_OK(map_at(fd, id, RW, mem, places[i] * PAGE, GIB));
			CHECK_OK(unmap_all(fd, id));
			munmap(mem, 1024 * PAGE);
		}
	}
	CHECK_EQ(pins_now(), pins);
}

/* Files by fd */

static void A15_files(void)
{
	static const char *const names[] = { "memfd", "memfd of huge pages",
					     "hugetlbfs file", "tmpfs file" };
	unsigned int i;

	open_space(0);
	for (i = 0; i < 4; i++) {
		size_t bytes = 4 * MIB;
		int file;
		long pins;
		__u64 iova;

		AT("%s", names[i]);
		file = i == 0 ? memfd_create("a", 0) :
		       i == 1 ? memfd_create("b", MFD_HUGETLB) :
		       i == 2 ? new_file("/dev/hugepages", 0) :
				new_file("/dev/shm", 0);
		NEED(file >= 0);
		NEED(!ftruncate(file, (off_t)bytes));
		pins = pins_now();
		iova = 64 * MIB;
		CHECK_OK(map_any(fd, id, RW | FIXED | IOMMU_MAP_FD, file, 0,
				 bytes, &iova));
		check_held(1, bytes);
		CHECK_EQ(pins_now() - pins, bytes / PAGE);
		/* A part, from the middle of a huge page on, twice. */
		iova = 0;
		CHECK_OK(map_any(fd, id, RW | IOMMU_MAP_FD, file, MIB + PAGE,
				 3 * PAGE, &iova));
		CHECK_OK(map_any(fd, id, IOMMU_MAP_READ | IOMMU_MAP_FD, file,
				 MIB + PAGE, 3 * PAGE, &iova));
		check_held(3, bytes + 6 * PAGE);
		/* What is not in the file. */
		CHECK_ERRNO(map_any(fd, id, RW | IOMMU_MAP_FD, file,
				    bytes - PAGE, 2 * PAGE, &iova), EFAULT);
		CHECK_ERRNO(map_any(fd, id, RW | IOMMU_MAP_FD, file,
				    bytes, PAGE, &iova), EFAULT);
		check_held(3, bytes + 6 * PAGE);
		CHECK_EQ(pins_now() - pins, bytes / PAGE + 6);
		/* The pages stay, whatever becomes of the file. */
		CHECK_OK(ftruncate(file, 0));
		close(file);
		CHECK_OK(unmap_all(fd, id));
		CHECK_EQ(pins_now(), pins);
	}
}

static void A15_sealed_files(void)
{
	__u64 iova = 0;
	int file;

	open_space(0);
	NEED((file = memfd_create("sealed", MFD_ALLOW_SEALING)) >= 0);
	NEED(!ftruncate(file, PAGE));
	NEED(!fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK(map_any(fd, id, RW | IOMMU_MAP_FD, file, 0, PAGE, &iova) &&
	      (errno == EPERM || errno == EACCES));
	check_held(0, 0);
	CHECK_OK(map_any(fd, id, IOMMU_MAP_READ | IOMMU_MAP_FD, file, 0, PAGE,
			 &iova));
	CHECK_OK(unmap_all(fd, id));
	close(file);

	/* Written by a device, it cannot be sealed against writing. */
	NEED((file = memfd_create("late", MFD_ALLOW_SEALING)) >= 0);
	NEED(!ftruncate(file, PAGE));
	CHECK_OK(map_any(fd, id, RW | IOMMU_MAP_FD, file, 0, PAGE, &iova));
	CHECK_ERRNO(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	CHECK_OK(unmap_all(fd, id));
	CHECK_OK(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
}

/* Files that no pages are taken from, whoever may map them. */
static void A15_files_of_the_wrong_kind(void)
{
	static const char *const paths[] = { "/dev/zero", "/dev/null", "/dev/mem",
		"/proc/self/mem", "/sys/kernel/uevent_seqnum",
		"/dev/vda", "/dev/shm", "bar" };
	unsigned int i;

	open_space(0);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		__u64 iova = 0;
		int file = open(paths[i], O_RDWR | O_CLOEXEC);

		if (file < 0)
			file = open(paths[i], O_RDONLY | O_CLOEXEC);
		if (file < 0)
			file = bar_open();
		AT("%s", paths[i]);
		CHECK_ERRNO(map_any(fd, id, IOMMU_MAP_READ | IOMMU_MAP_FD, file,
				    0, PAGE, &iova), EINVAL);
		close(file);
	}
	check_held(0, 0);
}

/* No trace of the file in the caller's own memory. */
static void A15_files_leave_the_callers_memory_alone(void)
{
	char before[65536], after[65536];
	__u64 iova = 0;
	int maps, file;
	ssize_t n, m;

	open_space(0);
	NEED((file = memfd_create("m", 0)) >= 0);
	NEED(!ftruncate(file, (off_t)MIB));
	NEED((maps = open("/proc/self/maps", O_RDONLY)) >= 0);
	n = read(maps, before, sizeof(before));
	close(maps);
	CHECK_OK(map_any(fd, id, RW | IOMMU_MAP_FD, file, 0, MIB, &iova));
	CHECK(map_any(fd, id, RW | IOMMU_MAP_FD, file, PAGE, MIB, &iova) < 0);
	NEED((maps = open("/proc/self/maps", O_RDONLY)) >= 0);
	m = read(maps, after, sizeof(after));
	CHECK(n == m && !memcmp(before, after, (size_t)n));
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(A15_chosen_addresses);
	RUN(A15_chosen_addresses_keep_the_phase);
	RUN(A15_a_full_space);
	RUN(A15_first_and_last_address);
	RUN(A15_overlaps_of_all_kinds);
	RUN(A15_unmap_exact_many_holes_split_none_all);
	RUN(A15_random_commands_as_foretold);
	RUN(A15_kinds_of_memory);
	RUN(A15_bad_memory_in_the_middle);
	RUN(A15_files);
	RUN(A15_sealed_files);
	RUN(A15_files_of_the_wrong_kind);
	RUN(A15_files_leave_the_callers_memory_alone);
	return check_end();
}
