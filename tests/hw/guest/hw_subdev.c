// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hw_subdev [TEST]: sub-devices (requirement A23, type 3). Queues of an endpoint
 * are given to users, each with a PASID that only the kernel knows, while the
 * endpoint's driver (../subdev/iofd_hwq.c) works with queue 0 by DMA without PASID.
 */
#include "hw.h"
#include "slots.h"

#define IOVA	0x200000ULL
#define SCRATCH	(IOVA + PAGE)
#define LABEL	0x5b5e5ULL
#define DRIVER	"iofd-hwq"

/* Fault reasons (VT-d specification) */
#define NO_DIRECTORY	0x51
#define NO_ENTRY	0x59
#define NOT_PERMITTED	0x79

/* A queue as a sub-device, and an address space of it with two pages at IOVA */
struct sub {
	int fd;
	int iommu;
	int ioasid;
	uint64_t *page;
};

static void make_bdf(char bdf[16], const char *slot)
{
	snprintf(bdf, 16, "0000:00:%.4s", slot);
}

static int sub_file(const char *slot, unsigned int queue)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/hwq-0000:00:%.4s-%u", slot, queue);
	return open(path, O_RDWR | O_CLOEXEC);
}

static void give(const char *slot)
{
	char bdf[16];

	make_bdf(bdf, slot);
	NEED(pci_give(bdf, DRIVER));
}

/* What the endpoint's driver does itself goes on, and has never failed. */
static bool kernel_works(const char *slot)
{
	unsigned long long rounds = 0, errors = 1;
	char path[96], text[64] = "", word[16] = "";
	int fd;

	snprintf(path, sizeof(path),
		 "/sys/bus/pci/devices/0000:00:%.4s/kernel_dma", slot);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	if (fd >= 0)
		close(fd);
	sscanf(text, "%15s %llu %llu", word, &rounds, &errors);
	if (!strcmp(word, "ok") && rounds && !errors)
		return true;
	printf("  the kernel's DMA of %s: %s\n", slot, text);
	return false;
}

static uint32_t sub_read(const struct sub *s, unsigned int reg)
{
	uint32_t value = ~0u;

	if (pread(s->fd, &value, 4, reg) != 4)
		check_fail("reading register %#x: %s", reg, strerror(errno));
	return value;
}

static uint64_t sub_read64(const struct sub *s, unsigned int reg)
{
	return sub_read(s, reg) | (uint64_t)sub_read(s, reg + 4) << 32;
}

static void sub_write(const struct sub *s, unsigned int reg, uint32_t value)
{
	if (pwrite(s->fd, &value, 4, reg) != 4)
		check_fail("writing register %#x: %s", reg, strerror(errno));
}

static void sub_write64(const struct sub *s, unsigned int reg, uint64_t value)
{
	sub_write(s, reg, (uint32_t)value);
	sub_write(s, reg + 4, (uint32_t)(value >> 32));
}

static void sub_begin(const struct sub *s, uint32_t cmd, uint64_t src,
		      uint64_t dst, uint32_t len)
{
	sub_write64(s, HQ_SRC, src);
	sub_write64(s, HQ_DST, dst);
	sub_write(s, HQ_LEN, len);
	sub_write(s, HQ_CMD, cmd);
}

/* One command; its status, and with a fault the reason in bits 15:8 */
static uint32_t sub_do(const struct sub *s, uint32_t cmd, uint64_t src,
		       uint64_t dst, uint32_t len)
{
	uint32_t status;
	int i;

	sub_begin(s, cmd, src, dst, len);
	for (i = 0; i < 5000; i++) {
		status = sub_read(s, HQ_STATUS);
		if (status == HQ_FAULT)
			status |= (sub_read(s, HQ_REASON) & 0xff) << 8;
		if (status != HQ_BUSY)
			return status;
		check_sleep_ms(1);
	}
	return HQ_BUSY;
}

static uint32_t sub_fill(const struct sub *s, uint64_t dst, uint64_t pattern,
			 uint32_t len)
{
	sub_write64(s, HQ_DATA, pattern);
	return sub_do(s, HQ_CMD_FILL, 0, dst, len);
}

/* The sub-device copies its word at IOVA to SCRATCH: what it found; 0: blocked */
static uint64_t found(const struct sub *s)
{
	s->page[512] = 0;
	if (sub_do(s, HQ_CMD_COPY, IOVA, SCRATCH, 8) != HQ_OK)
		return 0;
	return s->page[512];
}

static bool is_blocked(const struct sub *s)
{
	uint32_t status = sub_fill(s, IOVA, ~0ULL, 8);

	return status == (HQ_FAULT | NO_ENTRY << 8) ||
	       status == (HQ_FAULT | NO_DIRECTORY << 8);
}

/* Bound through @iommu, in a space of its own that says @name; not attached */
static void sub_start(struct sub *s, const char *slot, unsigned int queue,
		      int iommu, uint64_t label, uint64_t name)
{
	s->iommu = iommu;
	NEED((s->fd = sub_file(slot, queue)) >= 0);
	NEED(!dev_bind(s->fd, iommu, label));
	NEED((s->ioasid = ioasid_alloc(iommu)) > 0);
	s->page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	NEED(s->page != MAP_FAILED);
	s->page[0] = name;
	NEED(!map_at(iommu, s->ioasid, RW, s->page, 2 * PAGE, IOVA));
}

static int attach(const struct sub *s)
{
	return dev_attach(s->fd, s->iommu, s->ioasid);
}

static int detach(const struct sub *s)
{
	return dev_detach(s->fd, s->iommu, s->ioasid);
}

static void check_info(const struct sub *s, uint64_t label)
{
	struct iommu_device_info info;

	CHECK_OK(device_info(s->iommu, label, &info, NULL, 0));
	CHECK(info.flags & IOMMU_DEVICE_INFO_SUBDEVICE);
	CHECK_EQ(info.pasid_width_bits, 0);
	CHECK(!(info.flags & IOMMU_DEVICE_INFO_ATS));
}

static void check_apart(const char *slot)
{
	int one = iommu_open(), two = iommu_open(), idle;
	struct sub a = {}, b = {};
	uint32_t value = 0;

	AT("%s", slot);
	give(slot);
	CHECK(kernel_works(slot));
	NEED((idle = sub_file(slot, 3)) >= 0);
	CHECK_ERRNO(pread(idle, &value, 4, HQ_STATUS), EINVAL);
	CHECK_ERRNO(pwrite(idle, &value, 4, HQ_CMD), EINVAL);
	sub_start(&a, slot, 1, one, LABEL, 0x1111);
	CHECK(kernel_works(slot));
	sub_start(&b, slot, 2, two, LABEL, 0x2222);
	check_info(&a, LABEL);

	AT("%s: bound", slot);
	CHECK(is_blocked(&a));
	CHECK(is_blocked(&b));
	CHECK_EQ(a.page[0], 0x1111);
	CHECK(kernel_works(slot));

	AT("%s: attached", slot);
	CHECK_OK(attach(&a));
	CHECK_EQ(found(&a), 0x1111);
	CHECK(is_blocked(&b));
	CHECK_OK(attach(&b));
	CHECK_EQ(found(&a), 0x1111);
	CHECK_EQ(found(&b), 0x2222);
	CHECK_EQ(sub_fill(&a, SCRATCH, 0xaaaaaaaaaaaaaaaaULL, PAGE), HQ_OK);
	CHECK_EQ(a.page[1023], 0xaaaaaaaaaaaaaaaaULL);
	CHECK_EQ(b.page[1023], 0);
	CHECK(kernel_works(slot));

	AT("%s: outside", slot);
	CHECK_EQ(sub_fill(&a, IOVA - PAGE, ~0ULL, 8), HQ_FAULT | NOT_PERMITTED << 8);
	/* Physical memory least of all, which is what the kernel's queue uses */
	CHECK_EQ(sub_fill(&a, 0, ~0ULL, 8) & 0xff, HQ_FAULT);
	CHECK_OK(unmap_all(two, b.ioasid));
	CHECK_EQ(found(&b), 0);
	CHECK_EQ(found(&a), 0x1111);
	NEED(!map_at(two, b.ioasid, RW, b.page, 2 * PAGE, IOVA));
	CHECK_EQ(found(&b), 0x2222);

	AT("%s: no vPASIDs, and not the one that there is", slot);
	CHECK_ERRNO(dev_attach_pasid(a.fd, one, a.ioasid, 1), EINVAL);
	CHECK_ERRNO(dev_attach_pasid(a.fd, one, a.ioasid, 60), EINVAL);
	CHECK_ERRNO(pread(a.fd, &value, 4, HQ_CTRL), EPERM);
	CHECK_ERRNO(pwrite(a.fd, &value, 4, HQ_CTRL), EPERM);

	AT("%s: detached", slot);
	CHECK_OK(detach(&a));
	CHECK(is_blocked(&a));
	CHECK_EQ(a.page[0], 0x1111);
	CHECK_EQ(found(&b), 0x2222);
	CHECK_OK(attach(&a));
	CHECK_EQ(found(&a), 0x1111);

	AT("%s: closed", slot);
	close(a.fd);
	CHECK_EQ(found(&b), 0x2222);
	CHECK(kernel_works(slot));
	close(two);
	CHECK(is_blocked(&b));
	close(b.fd);
	close(one);
	close(idle);
	CHECK(kernel_works(slot));
}

static void A23_type3_each_in_its_own_space(void)
{
	check_apart(PASID_ONLY);
	check_apart(FULL0);
	check_apart(NONEST0);
}

/* Two of one program in one space, which is what a virtual machine would do */
static void A23_type3_one_space(void)
{
	int iommu = iommu_open();
	struct sub a = {}, b = {};

	give(PASID_ONLY);
	sub_start(&a, PASID_ONLY, 1, iommu, 1, 0x1111);
	sub_start(&b, PASID_ONLY, 2, iommu, 2, 0x2222);
	CHECK_OK(attach(&a));
	CHECK_OK(dev_attach(b.fd, iommu, a.ioasid));
	b.page = a.page;
	CHECK_EQ(found(&a), 0x1111);
	CHECK_EQ(found(&b), 0x1111);
	CHECK_OK(unmap_all(iommu, a.ioasid));
	CHECK_EQ(found(&a), 0);
	CHECK_EQ(found(&b), 0);
	CHECK(kernel_works(PASID_ONLY));
}

/* Whatever the IOMMU refuses, the log names the sub-device and no PASID. */
static void A23_type3_faults_are_attributed(void)
{
	int iommu = iommu_open(), log = log_open();
	struct sub a = {};
	char text[64];

	give(PASID_ONLY);
	sub_start(&a, PASID_ONLY, 4, iommu, LABEL, 0x4444);
	snprintf(text, sizeof(text), "label %#llx, attached to nothing", LABEL);
	CHECK(is_blocked(&a));
	CHECK(logged(log, "DMA write to 0x200000 by sub-device q4 refused:", text));
	CHECK_OK(attach(&a));
	snprintf(text, sizeof(text), "label %#llx, IOASID %d", LABEL, a.ioasid);
	CHECK_EQ(sub_fill(&a, 0x345000, ~0ULL, 8) & 0xff, HQ_FAULT);
	CHECK(logged(log, "DMA write to 0x345000 by sub-device q4 refused:", text));
}

/* Administrators see the sub-device by its name. */
static void A23_type3_is_shown(void)
{
	int iommu = iommu_open();
	bool named = false, numbered = false;
	struct sub a = {};
	char line[256];
	FILE *f;

	give(PASID_ONLY);
	sub_start(&a, PASID_ONLY, 5, iommu, LABEL, 0x5555);
	CHECK_OK(attach(&a));
	NEED((f = popen("iommuctl show", "r")));
	while (fgets(line, sizeof(line), f)) {
		named |= strstr(line, "0000:00:" PASID_ONLY "/q5") &&
			 strstr(line, "0x5b5e5");
		numbered |= !!strstr(line, "PASID");
	}
	pclose(f);
	CHECK(named);
	CHECK(!numbered);
}

/* Killed in the middle of it: blocked, flushed, and somebody else's next. */
static void A14_A23_type3_killed(void)
{
	volatile uint64_t *shared;
	struct hw_dev tap = {};
	struct sub a = {};
	int iommu, status;
	uint64_t mark;
	pid_t pid;

	give(PASID_ONLY);
	/* Another endpoint behind the same unit, to look at that */
	NEED((iommu = iommu_open()) >= 0);
	NEED(hw_open(&tap, PLAIN));
	NEED(!dev_bind(tap.fd, iommu, 1));
	NEED(hw_start(&tap));
	sub_start(&a, PASID_ONLY, 2, iommu, 2, 0);
	shared = a.page;
	close(a.fd);

	pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		struct sub s = { .iommu = iommu_open(), .page = a.page };

		s.fd = sub_file(PASID_ONLY, 2);
		if (s.fd < 0 || dev_bind(s.fd, s.iommu, 7) ||
		    (s.ioasid = ioasid_alloc(s.iommu)) <= 0 ||
		    map_at(s.iommu, s.ioasid, RW, s.page, PAGE, IOVA) ||
		    attach(&s))
			_exit(1);
		sub_write64(&s, HQ_DATA, 0x7777);
		sub_begin(&s, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, IOVA, 8);
		for (;;)
			pause();
	}
	for (status = 0; status < 5000 && shared[0] != 0x7777; status++)
		check_sleep_ms(1);
	CHECK_EQ(shared[0], 0x7777);
	mark = hw_log_mark(&tap);
	kill(pid, SIGKILL);
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
	shared[0] = 0;
	check_sleep_ms(50);
	CHECK_EQ(shared[0], 0);
	/* The PASID's entry is gone from the unit's cache. */
	CHECK(hw_log_count(&tap, mark, 7, NULL) > 0);
	CHECK(kernel_works(PASID_ONLY));

	AT("the next one");
	NEED((a.fd = sub_file(PASID_ONLY, 2)) >= 0);
	CHECK_OK(dev_bind(a.fd, iommu, 3));
	CHECK(is_blocked(&a));
	CHECK_OK(attach(&a));
	a.page[0] = 0x3333;
	CHECK_EQ(found(&a), 0x3333);
	hw_close(&tap);
}

/* Others' coming and going is nothing to DMA that runs, nor to the kernel's. */
static void A23_type3_running_beside(void)
{
	int iommu = iommu_open(), i;
	struct sub a = {}, b = {};

	give(FULL0);
	sub_start(&a, FULL0, 1, iommu, 1, 0x1111);
	CHECK_OK(attach(&a));
	sub_write64(&a, HQ_DATA, 0xabcdef);
	sub_begin(&a, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, SCRATCH, 512);
	for (i = 0; i < 30; i++) {
		sub_start(&b, FULL0, 2 + (unsigned int)i % 3, iommu, 2, 0x2222);
		CHECK(is_blocked(&b));
		CHECK_OK(attach(&b));
		CHECK_EQ(found(&b), 0x2222);
		close(b.fd);
		CHECK_OK(ioasid_free(iommu, b.ioasid));
		munmap(b.page, 2 * PAGE);
	}
	CHECK_EQ(sub_read64(&a, HQ_ERRORS), 0);
	CHECK(sub_read64(&a, HQ_ROUNDS) > 10);
	CHECK_OK(detach(&a));
	a.page[512] = 0;
	check_sleep_ms(20);
	CHECK(sub_read64(&a, HQ_ERRORS) > 0);
	CHECK_EQ(a.page[512], 0);
	CHECK(kernel_works(FULL0));
}

/* Bind of queue 1 of @slot is refused, and the kernel does not notice. */
static void refuses(const char *slot, int error)
{
	int iommu = iommu_open(), fd;

	AT("%s", slot);
	give(slot);
	NEED((fd = sub_file(slot, 1)) >= 0);
	CHECK_ERRNO(dev_bind(fd, iommu, 1), error);
	CHECK(kernel_works(slot));
	close(fd);
	close(iommu);
}

static void A23_type3_refused(void)
{
	struct sub a = {};
	int fd, iommu, log = log_open();

	refuses(LEGACY0, EOPNOTSUPP);
	refuses(PLAIN, EOPNOTSUPP);
	CHECK(logged(log, "0000:00:" PLAIN, "cannot have sub-devices"));
	refuses(TWIN0, EPERM);

	AT("taken");
	NEED((iommu = iommu_open()) >= 0);
	give(PASID_ONLY);
	sub_start(&a, PASID_ONLY, 1, iommu, 1, 0x1111);
	NEED((fd = sub_file(PASID_ONLY, 1)) >= 0);
	CHECK_ERRNO(dev_bind(fd, iommu, 2), EBUSY);
	close(fd);
	NEED((fd = sub_file(PASID_ONLY, 2)) >= 0);
	CHECK_ERRNO(dev_bind(fd, iommu, 1), EBUSY);
	CHECK_OK(dev_bind(fd, iommu, 2));

	AT("the unit");
	CHECK_ERRNO(check_write_file("/sys/module/iofd_vtd/parameters/down", "1"),
		    EBUSY);
	CHECK(kernel_works(PASID_ONLY));
	CHECK_OK(attach(&a));
	CHECK_EQ(found(&a), 0x1111);
}

/*
 * The driver keeps the endpoint as long as users have parts of it. Then it is as
 * before: all of it can be a user's, with PASIDs of the user's choice, or the
 * driver's again.
 */
static void A23_type3_given_back(void)
{
	struct hw_dev dev = {};
	struct sub a = {};
	char bdf[16], now[64];
	uint64_t word = 0;
	int iommu, status;
	pid_t pid;

	make_bdf(bdf, FULL0);
	give(FULL0);
	NEED((iommu = iommu_open()) >= 0);
	sub_start(&a, FULL0, 1, iommu, 1, 0x1111);
	CHECK_OK(attach(&a));
	pid = fork();
	if (!pid) {
		close(a.fd);
		_exit(!pci_give(bdf, "iofd-pci"));
	}
	check_sleep_ms(300);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	/* It is on its way out; what is open works until it is closed. */
	CHECK_EQ(found(&a), 0x1111);
	CHECK(sub_file(FULL0, 2) < 0);
	close(a.fd);
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	pci_driver(bdf, now);
	CHECK(!strcmp(now, "iofd-pci"));

	AT("a user's");
	NEED(hw_open(&dev, FULL0));
	CHECK_OK(dev_bind(dev.fd, iommu, 1));
	NEED(hw_start(&dev));
	hw_requests(&dev, 0, 0xedcba, 0);
	CHECK_EQ(hw_peek64(&dev, 0, IOVA, &word), HQ_FAULT);
	CHECK_OK(dev_attach_pasid(dev.fd, iommu, a.ioasid, 0xedcba));
	CHECK_EQ(hw_peek64(&dev, 0, IOVA, &word), HQ_OK);
	CHECK_EQ(word, 0x1111);
	hw_close(&dev);

	AT("the driver's again");
	give(FULL0);
	CHECK(kernel_works(FULL0));
	NEED((a.fd = sub_file(FULL0, 1)) >= 0);
	CHECK_OK(dev_bind(a.fd, iommu, 1));
	CHECK_OK(attach(&a));
	CHECK_EQ(found(&a), 0x1111);
	CHECK(kernel_works(FULL0));
}

static void no_misuse(void)
{
	static const char * const slots[] = { FULL1, NONEST1 };
	struct hw_dev dev = {};
	unsigned int i;
	int iommu;

	for (i = 0; i < 2; i++) {
		AT("%s", slots[i]);
		NEED((iommu = iommu_open()) >= 0);
		NEED(hw_open(&dev, slots[i]));
		NEED(!dev_bind(dev.fd, iommu, LABEL));
		NEED(hw_start(&dev));
		CHECK_EQ(hw_misuse(&dev), 0);
		hw_close(&dev);
		close(iommu);
	}
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	/* First: the kernel's log takes only so many lines in a while. */
	RUN(A23_type3_faults_are_attributed);
	RUN(A23_type3_each_in_its_own_space);
	RUN(A23_type3_one_space);
	RUN(A23_type3_is_shown);
	RUN(A14_A23_type3_killed);
	RUN(A23_type3_running_beside);
	RUN(A23_type3_refused);
	RUN(A23_type3_given_back);
	RUN(no_misuse);
	return check_end();
}
