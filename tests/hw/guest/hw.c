// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The test hardware's endpoints, for programs in the guest.
 */
#include "hw.h"

static uint32_t get32(const volatile uint8_t *base, unsigned int off)
{
	return *(const volatile uint32_t *)(base + off);
}

static uint64_t get64(const volatile uint8_t *base, unsigned int off)
{
	return *(const volatile uint64_t *)(base + off);
}

static volatile uint8_t *map_bar(int fd, unsigned int bar, size_t bytes)
{
	__u64 at = vfio_region(fd, bar);
	void *p;

	if (!at)
		return NULL;
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 at == ~0ULL ? 0 : (off_t)at);
	return p == MAP_FAILED ? NULL : p;
}

bool hw_open(struct hw_dev *dev, const char *slot)
{
	memset(dev, 0, sizeof(*dev));
	snprintf(dev->bdf, sizeof(dev->bdf), "0000:00:%.4s", slot);
	dev->fd = pci_open(dev->bdf);
	return dev->fd >= 0;
}

bool hw_master(struct hw_dev *dev, bool on)
{
	off_t at = (off_t)vfio_region(dev->fd, VFIO_PCI_CONFIG_REGION_INDEX) + 4;
	__u16 command = 0;

	if (pread(dev->fd, &command, 2, at) != 2)
		return false;
	command = on ? command | 6 : (command | 2) & ~4;
	return pwrite(dev->fd, &command, 2, at) == 2;
}

bool hw_start(struct hw_dev *dev)
{
	dev->bar = map_bar(dev->fd, 0, HW_BAR0_BYTES);
	dev->tap = map_bar(dev->fd, 2, HW_BAR2_BYTES);
	if (!dev->bar || !dev->tap || !hw_master(dev, true))
		return false;
	if (hw_read(dev, HW_ID) != HW_ID_VALUE) {
		errno = ENXIO;
		return false;
	}
	dev->queues = hw_read(dev, HW_QUEUES);
	dev->has = hw_read(dev, HW_HAS);
	return true;
}

void hw_close(struct hw_dev *dev)
{
	unsigned int q;

	if (dev->bar) {
		for (q = 0; q < dev->queues; q++)
			hw_stop(dev, q);
		hw_write(dev, HW_MISBEHAVE, 0);
		munmap((void *)dev->bar, HW_BAR0_BYTES);
	}
	if (dev->tap)
		munmap((void *)dev->tap, HW_BAR2_BYTES);
	dev->bar = dev->tap = NULL;
	if (dev->fd >= 0)
		close(dev->fd);
	dev->fd = -1;
}

uint32_t hw_read(const struct hw_dev *dev, unsigned int reg)
{
	return get32(dev->bar, reg);
}

void hw_write(const struct hw_dev *dev, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(dev->bar + reg) = value;
}

uint32_t hq_read(const struct hw_dev *dev, unsigned int q, unsigned int reg)
{
	return get32(dev->bar, HW_QUEUE(q) + reg);
}

uint64_t hq_read64(const struct hw_dev *dev, unsigned int q, unsigned int reg)
{
	return get64(dev->bar, HW_QUEUE(q) + reg);
}

void hq_write(const struct hw_dev *dev, unsigned int q, unsigned int reg,
	      uint32_t value)
{
	*(volatile uint32_t *)(dev->bar + HW_QUEUE(q) + reg) = value;
}

void hq_write64(const struct hw_dev *dev, unsigned int q, unsigned int reg,
		uint64_t value)
{
	*(volatile uint64_t *)(dev->bar + HW_QUEUE(q) + reg) = value;
}

uint32_t ht_read(const struct hw_dev *dev, unsigned int reg)
{
	return get32(dev->tap, reg);
}

uint64_t ht_read64(const struct hw_dev *dev, unsigned int reg)
{
	return get64(dev->tap, reg);
}

void ht_write(const struct hw_dev *dev, unsigned int reg, uint32_t value)
{
	*(volatile uint32_t *)(dev->tap + reg) = value;
	/* Posted: it has happened when this returns. */
	ht_read(dev, reg);
}

void hw_requests(const struct hw_dev *dev, unsigned int q, uint32_t pasid,
		 uint32_t flags)
{
	if (pasid != HW_NO_PASID)
		flags |= HQ_CTRL_PASID_EN | HQ_CTRL_PASID(pasid);
	hq_write(dev, q, HQ_CTRL, flags);
}

void hw_begin(const struct hw_dev *dev, unsigned int q, uint32_t cmd,
	      uint64_t src, uint64_t dst, uint32_t len)
{
	hq_write64(dev, q, HQ_SRC, src);
	hq_write64(dev, q, HQ_DST, dst);
	/* Length and command are neighbours. */
	hq_write64(dev, q, HQ_LEN, len | (uint64_t)cmd << 32);
}

uint32_t hw_wait(const struct hw_dev *dev, unsigned int q)
{
	double end = check_now() + 5;
	uint32_t status;

	do {
		status = hq_read(dev, q, HQ_STATUS);
		if (status != HQ_BUSY)
			return status;
		check_sleep_ms(1);
	} while (check_now() < end);
	return HQ_BUSY;
}

void hw_stop(const struct hw_dev *dev, unsigned int q)
{
	hq_write(dev, q, HQ_CMD, HQ_CMD_STOP);
	hq_read(dev, q, HQ_STATUS);
}

uint32_t hw_copy(const struct hw_dev *dev, unsigned int q, uint64_t src,
		 uint64_t dst, uint32_t len)
{
	hw_begin(dev, q, HQ_CMD_COPY, src, dst, len);
	return hw_wait(dev, q);
}

uint32_t hw_fill(const struct hw_dev *dev, unsigned int q, uint64_t dst,
		 uint64_t pattern, uint32_t len)
{
	hq_write64(dev, q, HQ_DATA, pattern);
	hw_begin(dev, q, HQ_CMD_FILL, 0, dst, len);
	return hw_wait(dev, q);
}

/* Each queue has a part of the window, so that queues do not meet. */
static unsigned int window_of(const struct hw_dev *dev, unsigned int q,
			      uint32_t len)
{
	unsigned int part = HW_WINDOW_BYTES / (dev->queues ?: 1);

	return len <= part ? q * part & ~7u : 0;
}

uint32_t hw_peek(const struct hw_dev *dev, unsigned int q, uint64_t iova,
		 void *buf, uint32_t len)
{
	unsigned int at = window_of(dev, q, len);
	uint32_t status, i;
	uint64_t word;

	hq_write(dev, q, HQ_WINDOW, at);
	hw_begin(dev, q, HQ_CMD_READ, iova, 0, len);
	status = hw_wait(dev, q);
	for (i = 0; status == HQ_OK && i < len; i += 8) {
		word = get64(dev->bar, HW_WINDOW + at + i);
		memcpy((char *)buf + i, &word, len - i < 8 ? len - i : 8);
	}
	return status;
}

uint32_t hw_poke(const struct hw_dev *dev, unsigned int q, uint64_t iova,
		 const void *buf, uint32_t len)
{
	unsigned int at = window_of(dev, q, len);
	uint64_t word = 0;
	uint32_t i;

	for (i = 0; i < len; i += 8) {
		memcpy(&word, (const char *)buf + i, len - i < 8 ? len - i : 8);
		*(volatile uint64_t *)(dev->bar + HW_WINDOW + at + i) = word;
	}
	hq_write(dev, q, HQ_WINDOW, at);
	hw_begin(dev, q, HQ_CMD_WRITE, 0, iova, len);
	return hw_wait(dev, q);
}

uint32_t hw_peek64(const struct hw_dev *dev, unsigned int q, uint64_t iova,
		   uint64_t *value)
{
	return hw_peek(dev, q, iova, value, sizeof(*value));
}

unsigned int hw_fault(const struct hw_dev *dev, unsigned int q)
{
	if (hq_read(dev, q, HQ_STATUS) != HQ_FAULT)
		return 0;
	return hq_read(dev, q, HQ_REASON) & 0xff;
}

uint64_t hw_log_mark(const struct hw_dev *dev)
{
	return ht_read64(dev, HT_LOG_END);
}

bool hw_log_next(const struct hw_dev *dev, uint64_t *at, struct vtdu_log *entry)
{
	uint64_t word;
	unsigned int i;

	*(volatile uint64_t *)(dev->tap + HT_LOG_SEQ) = *at;
	if (!ht_read(dev, HT_LOG_FOUND))
		return false;
	for (i = 0; i < sizeof(*entry); i += 8) {
		word = ht_read64(dev, HT_LOG_ENTRY + i);
		memcpy((char *)entry + i, &word, 8);
	}
	*at = ht_read64(dev, HT_LOG_NEXT);
	return true;
}

static unsigned int desc_type(const struct vtdu_log *entry)
{
	return (entry->qw[0] & 0xf) | (entry->qw[0] >> 9 & 7) << 4;
}

unsigned int hw_log_count(const struct hw_dev *dev, uint64_t mark,
			  unsigned int type, uint64_t last[4])
{
	struct vtdu_log entry;
	unsigned int n = 0;

	while (hw_log_next(dev, &mark, &entry)) {
		if (entry.kind != VTDU_LOG_DESC || desc_type(&entry) != type)
			continue;
		n++;
		if (last)
			memcpy(last, entry.qw, sizeof(entry.qw));
	}
	return n;
}

uint64_t hw_misuse(const struct hw_dev *dev)
{
	unsigned int at = HT_STATS + offsetof(struct vtdu_stats, misuse), i;
	uint64_t count, all = 0;

	for (i = 0; i < VTDU_MISUSE_NR; i++) {
		count = ht_read64(dev, at + 8 * i);
		if (count)
			printf("  %s: misuse %u of the unit, %llu times\n", dev->bdf,
			       i, (unsigned long long)count);
		all += count;
	}
	return all;
}

int dev_attach_pasid(int dev, int fd, int ioasid, uint32_t pasid)
{
	struct iommu_device_attach cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_DEVICE_ATTACH_VPASID,
		.iommu_fd = fd,
		.ioasid = (__u32)ioasid,
		.vpasid = pasid,
	};

	return ioctl(dev, IOMMU_DEVICE_ATTACH_IOASID, &cmd);
}

int dev_detach_pasid(int dev, int fd, int ioasid, uint32_t pasid)
{
	struct iommu_device_detach cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_DEVICE_ATTACH_VPASID,
		.iommu_fd = fd,
		.ioasid = (__u32)ioasid,
		.vpasid = pasid,
	};

	return ioctl(dev, IOMMU_DEVICE_DETACH_IOASID, &cmd);
}
