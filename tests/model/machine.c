// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "vtd/regs.h"
#include "machine.h"

#define EDU_ID		0x010000ed
#define EDU_BAR		0xe0000000ULL
#define EDU_BAR_BYTES	(1ULL << 20)
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_BUFFER	0x40000
#define CMD_RUN		1
#define CMD_TO_MEMORY	2

/*
 * Time is what makes a DMA happen: an edu begins a tenth of a second after it is
 * told to. QEMU's processor halts at once (its firmware is one instruction), and
 * with -icount sleep=off the time of a machine whose processor is idle jumps to
 * the next timer. That takes some 0.2 ms, after which the edu is asked whether it
 * is done.
 */
#define FIRMWARE_BYTES	65536
#define POLL_NS		60000
#define MAX_POLLS	200000

static const uint8_t devfns[NR_EDU] = { 0x08, 0x11, 0x98 };

/* Does the help of intel-iommu in @qemu have the property? */
static bool has_property(const char *qemu, const char *property)
{
	char line[256], want[64];
	bool found = false;
	FILE *f;

	snprintf(line, sizeof(line), "'%s' -M q35 -device intel-iommu,help 2>&1",
		 qemu);
	snprintf(want, sizeof(want), " %s=", property);
	f = popen(line, "r");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		found |= !!strstr(line, want);
	pclose(f);
	return found;
}

static bool options(const struct setup *s, char *out, size_t size)
{
	const char *scalable = "", *first = "";

	if (s->scalable) {
		scalable = has_property(s->qemu, "scalable-mode") ?
			   ",scalable-mode=on" : ",x-scalable-mode=on";
	}
	if (s->first_level) {
		if (has_property(s->qemu, "fsts"))
			first = ",fsts=on";
		else if (has_property(s->qemu, "x-flts"))
			first = ",x-flts=on";
		else
			return false;
	}
	snprintf(out, size, "intel-iommu,intremap=off,aw-bits=%u%s%s%s", s->aw,
		 s->extras ? ",snoop-control=on,device-iotlb=on" : "", scalable,
		 first);
	return true;
}

static void config_write(struct machine *m, unsigned int devfn, unsigned int reg,
			 uint32_t v)
{
	qtest_out32(&m->q, 0xcf8, 0x80000000 | devfn << 8 | reg);
	qtest_out32(&m->q, 0xcfc, v);
}

static void enable_edu(struct machine *m, unsigned int i)
{
	uint64_t id;

	m->sid[i] = devfns[i];
	m->bar[i] = EDU_BAR + i * EDU_BAR_BYTES;
	config_write(m, devfns[i], 0x10, (uint32_t)m->bar[i]);
	config_write(m, devfns[i], 0x04, 6);
	qtest_read32(&m->q, m->bar[i], &id);
	qtest_flush(&m->q);
	if (id != EDU_ID) {
		fprintf(stderr, "vtd_judge: no edu at 00:%02x.%x\n",
			devfns[i] >> 3, devfns[i] & 7);
		exit(2);
	}
}

/* DATA holds its own addresses, so that a page is known by what is in it. */
static void fill_data(struct machine *m)
{
	uint64_t at, words[8192];
	unsigned int i;

	for (at = DATA; at < DATA + DATA_BYTES; at += sizeof(words)) {
		for (i = 0; i < 8192; i++)
			words[i] = at + i * 8;
		qtest_write(&m->q, at, words, sizeof(words));
	}
	qtest_flush(&m->q);
}

/* cli, hlt and back, where the processor begins */
static void write_firmware(char *path)
{
	static const uint8_t code[] = { 0xfa, 0xf4, 0xeb, 0xfc };
	static uint8_t image[FIRMWARE_BYTES];
	int fd = mkstemp(path);

	memcpy(image + FIRMWARE_BYTES - 16, code, sizeof(code));
	if (fd < 0 || write(fd, image, sizeof(image)) != sizeof(image)) {
		perror("vtd_judge: firmware");
		exit(2);
	}
	close(fd);
}

bool machine_start(struct machine *m, const struct setup *s)
{
	char firmware[] = "/tmp/vtd_judge.XXXXXX";
	char iommu[160], edu[NR_EDU][64];
	char *argv[40] = {
		(char *)s->qemu, "-M", "q35", "-accel", "tcg,thread=single",
		"-icount", "shift=0,sleep=off", "-m", "64M", "-bios", firmware,
		"-display", "none", "-nodefaults", "-qtest", "stdio",
		"-qtest-log", "/dev/null", "-device", iommu,
	};
	unsigned int i, n = 0;
	uint64_t ver;

	memset(m, 0, sizeof(*m));
	if (!options(s, iommu, sizeof(iommu)))
		return false;
	while (argv[n])
		n++;
	for (i = 0; i < NR_EDU; i++) {
		snprintf(edu[i], sizeof(edu[i]),
			 "edu,addr=%x.%x,multifunction=on,dma_mask=0xffffffffffffffff",
			 devfns[i] >> 3, devfns[i] & 7);
		argv[n++] = "-device";
		argv[n++] = edu[i];
	}
	/* Function 0 of a slot is needed for the others to be seen. */
	argv[n++] = "-device";
	argv[n++] = "edu,addr=2.0,multifunction=on";
	write_firmware(firmware);
	qtest_start(&m->q, argv);
	qtest_read32(&m->q, VTD + VER_REG, &ver);
	qtest_read64(&m->q, VTD + CAP_REG, &m->cap);
	qtest_read64(&m->q, VTD + ECAP_REG, &m->ecap);
	qtest_flush(&m->q);
	unlink(firmware);
	m->ver = ver;
	m->fro = CAP_FRO(m->cap);
	m->wide = s->scalable;
	for (i = 0; i < NR_EDU; i++)
		enable_edu(m, i);
	fill_data(m);

	qtest_write64(&m->q, VTD + IQT_REG, 0);
	qtest_write64(&m->q, VTD + IQA_REG, QUEUE | (m->wide ? IQA_DW : 0));
	qtest_write32(&m->q, VTD + GCMD_REG, GCMD_QIE);
	qtest_flush(&m->q);
	return true;
}

void machine_stop(struct machine *m)
{
	qtest_stop(&m->q);
}

static void gcmd(struct machine *m, uint32_t bit, bool on)
{
	uint64_t gsts;

	qtest_read32(&m->q, VTD + GSTS_REG, &gsts);
	qtest_flush(&m->q);
	gsts &= 0x96ffffff;
	qtest_write32(&m->q, VTD + GCMD_REG,
		      (uint32_t)(on ? gsts | bit : gsts & ~(uint64_t)bit));
}

static void submit(struct machine *m, uint64_t q0, uint64_t q1)
{
	uint64_t at = QUEUE + m->queue_tail;
	unsigned int size = m->wide ? 32 : 16;

	qtest_write64(&m->q, at, q0);
	qtest_write64(&m->q, at + 8, q1);
	if (m->wide)
		qtest_zero(&m->q, at + 16, 16);
	m->queue_tail = (m->queue_tail + size) & 0xfff;
	qtest_write64(&m->q, VTD + IQT_REG, m->queue_tail);
}

void machine_root(struct machine *m, bool scalable)
{
	uint64_t status, fsts;

	qtest_write64(&m->q, VTD + RTADDR_REG,
		      TABLES | (uint64_t)(scalable ? TTM_SCALABLE : 0) << 10);
	gcmd(m, GCMD_SRTP, true);
	qtest_write64(&m->q, STATUS, 0);
	submit(m, QI_CONTEXT | G_GLOBAL << 4, 0);
	if (scalable)
		submit(m, QI_PASID | G_PC_GLOBAL << 4, 0);
	submit(m, QI_IOTLB | G_GLOBAL << 4, 0);
	submit(m, QI_WAIT | QI_WAIT_SW | 1ULL << 32, STATUS);
	qtest_read32(&m->q, STATUS, &status);
	qtest_read32(&m->q, VTD + FSTS_REG, &fsts);
	qtest_flush(&m->q);
	if (status != 1 || fsts) {
		fprintf(stderr, "vtd_judge: QEMU's queue stands still, FSTS %llx\n",
			(unsigned long long)fsts);
		exit(2);
	}
}

void machine_translate(struct machine *m, bool on)
{
	gcmd(m, GCMD_TE, on);
}

static void dma(struct machine *m, unsigned int edu, bool write, uint64_t addr,
		unsigned int offset, unsigned int count)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	uint64_t bar = m->bar[edu], buffer = EDU_BUFFER + offset, cmd;
	unsigned int polls = 0;

	qtest_write64(&m->q, bar + EDU_SRC, write ? buffer : addr);
	qtest_write64(&m->q, bar + EDU_DST, write ? addr : buffer);
	qtest_write64(&m->q, bar + EDU_COUNT, count);
	qtest_write64(&m->q, bar + EDU_CMD,
		      CMD_RUN | (write ? CMD_TO_MEMORY : 0));
	do {
		qtest_flush(&m->q);
		nanosleep(&pause, NULL);
		qtest_read64(&m->q, bar + EDU_CMD, &cmd);
		qtest_flush(&m->q);
		if (polls++ == MAX_POLLS) {
			fprintf(stderr, "vtd_judge: a DMA does not end\n");
			exit(2);
		}
	} while (cmd & CMD_RUN);
}

void machine_dma(struct machine *m, unsigned int edu, bool write, uint64_t addr,
		 unsigned int offset, uint64_t record[2])
{
	dma(m, edu, write, addr, offset, 8);
	qtest_read64(&m->q, VTD + m->fro, &record[0]);
	qtest_read64(&m->q, VTD + m->fro + 8, &record[1]);
	qtest_write32(&m->q, VTD + m->fro + 12, 1u << 31);
}

void machine_buffer(struct machine *m, unsigned int edu, bool write)
{
	dma(m, edu, write, SCRATCH, 0, EDU_BYTES);
}
