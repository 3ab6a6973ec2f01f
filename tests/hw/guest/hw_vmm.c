// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A process as a VMM, without a guest CPU: GIOVA over first level for one device,
 * two processes of the guest (vSVA) on another, DMA through all of them; and what
 * is left when the VMM is killed, whatever it was doing. Many PASIDs, and DMA that
 * is running while it is taken away.
 */
#include <signal.h>
#include <sys/wait.h>
#include "guest.h"

#define RAM	(4 * MIB)
#define GIOVA	(1 * GIB)
#define GVA_1	(0x5500ULL << 32)
#define GVA_2	(0x7f00ULL << 32)

static struct hw_dev net, gpu;
static int giova, process[2];

enum stage {
	BOUND, MAPPED, ALLOCATED, ATTACHED, ALL_ATTACHED, RUNNING, INVALIDATING,
	NR_STAGES
};

/* As far as @stage; afterwards the VMM only waits. */
static void vmm(enum stage stage)
{
	uint64_t table[3];
	unsigned int i;

	NEED((g.fd = iommu_open()) >= 0);
	bind_dev(&net, FULL0, 1);
	bind_dev(&gpu, FULL1, 2);
	if (stage == BOUND)
		return;
	NEED((g.gpa = ioasid_alloc(g.fd)) > 0);
	NEED((g.ram = pages_alloc(RAM)));
	g.bytes = g.table = RAM;
	NEED(!map_at(g.fd, g.gpa, RW, g.ram, RAM, 0));
	if (stage == MAPPED)
		return;
	for (i = 0; i < 3; i++)
		table[i] = table_page();
	s1_map(table[0], 4, GIOVA, 0x1000, 1);
	s1_map(table[1], 4, GVA_1, 0x2000, 1);
	s1_map(table[2], 4, GVA_2, 0x3000, 1);
	s1_map(table[2], 4, GVA_1, 0x4000, 1);
	NEED((giova = user_alloc(table[0], 4)) > 0);
	NEED((process[0] = user_alloc(table[1], 4)) > 0);
	NEED((process[1] = user_alloc(table[2], 4)) > 0);
	if (stage == ALLOCATED)
		return;
	NEED(!dev_attach(net.fd, g.fd, giova));
	NEED(!attach_pasid(&gpu, process[0], 100));
	if (stage == ATTACHED)
		return;
	/* Its own DMA goes by guest physical addresses. */
	NEED(!dev_attach(gpu.fd, g.fd, g.gpa));
	NEED(!attach_pasid(&gpu, process[1], 200));
	if (stage == ALL_ATTACHED)
		return;
	hw_requests(&gpu, 1, 100, HQ_CTRL_ATS);
	hw_requests(&gpu, 2, 200, 0);
	hw_begin(&net, 1, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, GIOVA, 512);
	hw_begin(&gpu, 1, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, GVA_1, 512);
	hw_begin(&gpu, 2, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, GVA_2, 512);
	if (stage == RUNNING)
		return;
	for (;;)
		invalidate(process[0], 0, 0);
}

static void all_at_once(void)
{
	vmm(ALL_ATTACHED);
	CHECK(reaches(&net, GIOVA + 16, 0x1010));
	as_pasid(&gpu, 100);
	CHECK(reaches(&gpu, GVA_1 + 16, 0x2010));
	CHECK_EQ(read_fault(&gpu, GVA_2), FR_FS_NOT_PRESENT);
	as_pasid(&gpu, 200);
	CHECK(reaches(&gpu, GVA_2 + 16, 0x3010));
	CHECK(reaches(&gpu, GVA_1 + 16, 0x4010));
	as_pasid(&gpu, HW_NO_PASID);
	CHECK(reaches(&gpu, 0x5000, 0x5000));
	/* One of the three goes, and the others stay. */
	CHECK_OK(detach_pasid(&gpu, process[0], 100));
	as_pasid(&gpu, 200);
	CHECK(reaches(&gpu, GVA_2 + 16, 0x3010));
	as_pasid(&gpu, 100);
	CHECK_EQ(read_fault(&gpu, GVA_1), FR_PASID_ENTRY_NOT_PRESENT);
	CHECK_OK(dev_detach(gpu.fd, g.fd, g.gpa));
	as_pasid(&gpu, HW_NO_PASID);
	CHECK_EQ(read_fault(&gpu, 0x5000), FR_PASID_ENTRY_NOT_PRESENT);
}

/* Nothing of what a dead VMM set up lets anything through. */
static void nothing_left(void)
{
	static const uint32_t pasids[] = { HW_NO_PASID, 100, 200 };
	unsigned int i;

	NEED((g.fd = iommu_open()) >= 0);
	bind_dev(&net, FULL0, 1);
	bind_dev(&gpu, FULL1, 2);
	NEED((g.gpa = ioasid_alloc(g.fd)) > 0);
	for (i = 0; i < 3; i++) {
		as_pasid(&net, pasids[i]);
		as_pasid(&gpu, pasids[i]);
		CHECK(is_blocked(&net, GIOVA));
		CHECK(is_blocked(&gpu, GVA_1));
		CHECK(is_blocked(&gpu, GVA_2));
	}
	CHECK_EQ(hw_misuse(&net), 0);
	hw_close(&net);
	hw_close(&gpu);
	close(g.fd);
}

static void killed_in_every_state(void)
{
	unsigned int stage, round;

	for (stage = 0; stage < NR_STAGES; stage++) {
		for (round = 0; round < 3; round++) {
			int ready[2];
			pid_t pid;
			char c;

			AT("stage %u", stage);
			NEED(!pipe(ready));
			pid = fork();
			NEED(pid >= 0);
			if (!pid) {
				if (stage == INVALIDATING)
					NEED(write(ready[1], "", 1) == 1);
				vmm(stage);
				NEED(write(ready[1], "", 1) == 1);
				for (;;)
					pause();
			}
			NEED(read(ready[0], &c, 1) == 1);
			if (stage == INVALIDATING)
				check_sleep_ms(150 + 30 * round);
			NEED(!kill(pid, SIGKILL));
			NEED(waitpid(pid, NULL, 0) == pid);
			close(ready[0]);
			close(ready[1]);
			nothing_left();
		}
	}
}

/* A thousand times the same PASID, with DMA now and then */
static void attach_and_detach_a_thousand_times(void)
{
	uint64_t table;
	unsigned int i;
	int user;

	guest_start(RAM);
	bind_dev(&gpu, FULL0, 1);
	table = table_page();
	s1_map(table, 4, GVA_1, 0x2000, 1);
	NEED((user = user_alloc(table, 4)) > 0);
	for (i = 0; i < 1000; i++) {
		uint32_t pasid = 1 + i * 1049 % 0xffffe;

		NEED(!attach_pasid(&gpu, user, pasid));
		if (i % 20 == 0) {
			as_pasid(&gpu, pasid);
			CHECK(reaches(&gpu, GVA_1, 0x2000));
		}
		NEED(!detach_pasid(&gpu, user, pasid));
		if (i % 20 == 0)
			CHECK(is_blocked(&gpu, GVA_1));
	}
	CHECK_EQ(hw_misuse(&gpu), 0);
}

#define MANY	4096

static void many_live_pasids(void)
{
	uint64_t table;
	unsigned int i;
	int user;

	guest_start(RAM);
	bind_dev(&gpu, FULL0, 1);
	table = table_page();
	s1_map(table, 4, GVA_1, 0x2000, 1);
	NEED((user = user_alloc(table, 4)) > 0);
	for (i = 0; i < MANY; i++)
		NEED(!attach_pasid(&gpu, user, 1 + i * 251));
	for (i = 0; i < MANY; i += 97) {
		as_pasid(&gpu, 1 + i * 251);
		CHECK(reaches(&gpu, GVA_1, 0x2000));
		as_pasid(&gpu, 2 + i * 251);
		CHECK(is_blocked(&gpu, GVA_1));
	}
	for (i = 0; i < MANY / 2; i++)
		NEED(!detach_pasid(&gpu, user, 1 + i * 251));
	as_pasid(&gpu, 1 + (MANY - 1) * 251);
	CHECK(reaches(&gpu, GVA_1, 0x2000));
	/* The other half goes with the file: see what RUN says of that. */
}

/* After detach has returned no byte is written any more. */
static void running_dma(uint32_t pasid, uint32_t flags, int unmap)
{
	unsigned int round, i;
	unsigned char *page;
	uint64_t table;
	int user;

	guest_start(RAM);
	bind_dev(&gpu, FULL0, 1);
	table = table_page();
	s1_map(table, 4, GVA_1, 0x2000, 1);
	NEED((user = user_alloc(table, 4)) > 0);
	page = g.ram + 0x2000;
	/* Every wait of the driver is a real one. */
	ht_write(&gpu, HT_DELAY_US, 300);
	for (round = 0; round < 40; round++) {
		NEED(!attachment(&gpu, IOMMU_DEVICE_ATTACH_IOASID, user, pasid));
		hw_requests(&gpu, 1, pasid, flags);
		hq_write64(&gpu, 1, HQ_DATA, 0x4141414141414141ULL);
		hw_begin(&gpu, 1, HQ_CMD_FILL | HQ_CMD_REPEAT, 0, GVA_1, PAGE);
		while (!hq_read64(&gpu, 1, HQ_ROUNDS))
			;
		if (unmap) {
			NEED(!unmap_at(g.fd, g.gpa, 0, RAM));
		} else {
			NEED(!attachment(&gpu, IOMMU_DEVICE_DETACH_IOASID, user,
					 pasid));
		}
		memset(page, 0xdd, PAGE);
		check_sleep_ms(5);
		for (i = 0; i < PAGE; i++)
			if (page[i] != 0xdd)
				break;
		if (i < PAGE)
			check_fail("round %u: byte %u was written", round, i);
		hw_stop(&gpu, 1);
		if (unmap) {
			NEED(!map_at(g.fd, g.gpa, RW, g.ram, RAM, 0));
			NEED(!attachment(&gpu, IOMMU_DEVICE_DETACH_IOASID, user,
					 pasid));
		}
	}
	ht_write(&gpu, HT_DELAY_US, 0);
}

static void detach_under_running_dma(void)
{
	running_dma(33, 0, 0);
}

static void detach_under_running_dma_with_ats(void)
{
	running_dma(33, HQ_CTRL_ATS, 0);
}

static void detach_under_running_dma_without_pasid(void)
{
	running_dma(HW_NO_PASID, HQ_CTRL_ATS, 0);
}

static void unmap_of_the_parent_under_running_dma(void)
{
	running_dma(33, HQ_CTRL_ATS, 1);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(all_at_once);
	RUN(killed_in_every_state);
	RUN(attach_and_detach_a_thousand_times);
	RUN(many_live_pasids);
	RUN(detach_under_running_dma);
	RUN(detach_under_running_dma_with_ats);
	RUN(detach_under_running_dma_without_pasid);
	RUN(unmap_of_the_parent_under_running_dma);
	return check_end();
}
