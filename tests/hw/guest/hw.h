/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The test hardware's endpoints, for programs in the guest: see README.md above
 * for what the hardware is, and ../../vm/native.h for the commands of /dev/iommu.
 */
#ifndef HW_GUEST_H
#define HW_GUEST_H

#include "../../vm/edu.h"
#include "../../../lib/vtd/vtdu.h"
#include "../hw_regs.h"

/* Of a request without PASID. */
#define HW_NO_PASID	0xffffffffu

/**
 * struct hw_dev - an endpoint whose file is open
 * @bdf: its name in sysfs
 * @fd: its file
 * @bar: BAR 0, once it is started
 * @tap: BAR 2, the tap of its unit
 * @queues: how many it has
 * @has: HW_HAS_*
 */
struct hw_dev {
	char bdf[16];
	int fd;
	volatile uint8_t *bar;
	volatile uint8_t *tap;
	unsigned int queues;
	uint32_t has;
};

/**
 * hw_open() - open an endpoint's file without binding it
 * @dev: to fill in
 * @slot: "14.0"; its bus is the root bus
 *
 * The function is given to iofd-pci if need be.
 *
 * Return: false with errno.
 */
bool hw_open(struct hw_dev *dev, const char *slot);

/** hw_start() - map the registers and switch bus mastering on; it is bound */
bool hw_start(struct hw_dev *dev);

/** hw_close() - stop what it does, and close; idempotent */
void hw_close(struct hw_dev *dev);

/** hw_master() - switch bus mastering on or off */
bool hw_master(struct hw_dev *dev, bool on);

uint32_t hw_read(const struct hw_dev *dev, unsigned int reg);
void hw_write(const struct hw_dev *dev, unsigned int reg, uint32_t value);
uint32_t hq_read(const struct hw_dev *dev, unsigned int q, unsigned int reg);
uint64_t hq_read64(const struct hw_dev *dev, unsigned int q, unsigned int reg);
void hq_write(const struct hw_dev *dev, unsigned int q, unsigned int reg,
	      uint32_t value);
void hq_write64(const struct hw_dev *dev, unsigned int q, unsigned int reg,
		uint64_t value);
uint32_t ht_read(const struct hw_dev *dev, unsigned int reg);
uint64_t ht_read64(const struct hw_dev *dev, unsigned int reg);
void ht_write(const struct hw_dev *dev, unsigned int reg, uint32_t value);

/**
 * hw_requests() - what the requests of a queue are like
 * @dev: the endpoint
 * @q: queue
 * @pasid: PASID that they carry, or HW_NO_PASID
 * @flags: HQ_CTRL_ATS and so on
 */
void hw_requests(const struct hw_dev *dev, unsigned int q, uint32_t pasid,
		 uint32_t flags);

/**
 * hw_begin() - have a queue do something
 * @dev: the endpoint
 * @q: queue; it is idle
 * @cmd: HQ_CMD_*
 * @src: HQ_SRC
 * @dst: HQ_DST
 * @len: HQ_LEN
 */
void hw_begin(const struct hw_dev *dev, unsigned int q, uint32_t cmd,
	      uint64_t src, uint64_t dst, uint32_t len);

/** hw_wait() - until it is over; its status, HQ_BUSY after 5 s without an end */
uint32_t hw_wait(const struct hw_dev *dev, unsigned int q);

/** hw_stop() - stop a queue that repeats */
void hw_stop(const struct hw_dev *dev, unsigned int q);

/* One command from beginning to end; they return its status. */
uint32_t hw_copy(const struct hw_dev *dev, unsigned int q, uint64_t src,
		 uint64_t dst, uint32_t len);
uint32_t hw_fill(const struct hw_dev *dev, unsigned int q, uint64_t dst,
		 uint64_t pattern, uint32_t len);

/** hw_peek() - read up to HW_WINDOW_BYTES at @iova into @buf */
uint32_t hw_peek(const struct hw_dev *dev, unsigned int q, uint64_t iova,
		 void *buf, uint32_t len);

/** hw_poke() - write up to HW_WINDOW_BYTES from @buf to @iova */
uint32_t hw_poke(const struct hw_dev *dev, unsigned int q, uint64_t iova,
		 const void *buf, uint32_t len);

/** hw_peek64() - the 8 bytes at @iova, through @value; the status is returned */
uint32_t hw_peek64(const struct hw_dev *dev, unsigned int q, uint64_t iova,
		   uint64_t *value);

/** hw_fault() - fault reason of the queue's last command, 0 if it had none */
unsigned int hw_fault(const struct hw_dev *dev, unsigned int q);

/** hw_log_mark() - where the unit's log ends now */
uint64_t hw_log_mark(const struct hw_dev *dev);

/**
 * hw_log_next() - an entry of the unit's log
 * @dev: an endpoint behind the unit
 * @at: in: number to look for, from hw_log_mark(); out: number behind it
 * @entry: receives it
 */
bool hw_log_next(const struct hw_dev *dev, uint64_t *at, struct vtdu_log *entry);

/**
 * hw_log_count() - descriptors of a type since a mark
 * @dev: an endpoint behind the unit
 * @mark: from hw_log_mark()
 * @type: of the descriptor, 1 to 9
 * @last: NULL, or receives the last one's four words
 */
unsigned int hw_log_count(const struct hw_dev *dev, uint64_t mark,
			  unsigned int type, uint64_t last[4]);

/** hw_misuse() - what software did with the unit that it must not; says what */
uint64_t hw_misuse(const struct hw_dev *dev);

/* Attach and detach DMA with a PASID. 0 or -1 with errno, as ioctl() does. */
int dev_attach_pasid(int dev, int fd, int ioasid, uint32_t pasid);
int dev_detach_pasid(int dev, int fd, int ioasid, uint32_t pasid);

/* The fields of descriptors that tests ask for (VT-d specification, chapter 6). */
#define QI_DEVTLB_SID(qw)	((uint16_t)((qw)[0] >> 32))
#define QI_PASID_DEVTLB_SID(qw)	((uint16_t)((qw)[0] >> 16))
#define QI_PASID_IOTLB_PASID(qw) ((uint32_t)((qw)[0] >> 32) & 0xfffff)
#define QI_PASID_DEVTLB_PASID(qw) ((uint32_t)((qw)[0] >> 32) & 0xfffff)

#endif /* HW_GUEST_H */
