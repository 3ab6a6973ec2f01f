/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's side of vfio-user: one device on one socket. Every call returns at
 * once; what the socket does not take is kept and sent later. No dependencies.
 */
#ifndef HW_VU_H
#define HW_VU_H

#include <poll.h>
#include "mem.h"

/* Numbers of regions and interrupts, as <linux/vfio.h> has them. */
#define VU_REGION_BAR0		0
#define VU_REGION_CONFIG	7
#define VU_REGIONS		9
#define VU_IRQ_MSI		1
#define VU_IRQ_MSIX		2
#define VU_IRQ_ERR		3	/* of the device; a VMM expects it of PCI Express */
#define VU_IRQS			5
#define VU_MAX_VECTORS		16

/* Largest access to a region, in bytes. */
#define VU_MAX_ACCESS		4096

/* Memory writes that an error can still come for. */
#define VU_MAX_SENT		32

struct vu_dev;

/**
 * struct vu_sent - a memory write that was sent
 * @id: of the message
 * @is_short: its length has 32 bits, and it can be sent again with 64
 * @pa: address
 * @value: what was written
 */
struct vu_sent {
	uint16_t id;
	bool is_short;
	uint64_t pa;
	uint32_t value;
};

/**
 * struct vu_ops - what a device does
 * @region_bytes: length of a region, 0 when there is none
 * @irqs: number of vectors of an interrupt index, at most VU_MAX_VECTORS
 * @read: fill @buf; the range is inside the region
 * @write: take @buf; the range is inside the region
 * @reset: the machine or the VMM resets the device
 * @closed: the VMM is gone
 */
struct vu_ops {
	uint64_t (*region_bytes)(struct vu_dev *vu, unsigned int region);
	unsigned int (*irqs)(struct vu_dev *vu, unsigned int index);
	void (*read)(struct vu_dev *vu, unsigned int region, uint64_t off,
		     void *buf, uint32_t bytes);
	void (*write)(struct vu_dev *vu, unsigned int region, uint64_t off,
		      const void *buf, uint32_t bytes);
	void (*reset)(struct vu_dev *vu);
	void (*closed)(struct vu_dev *vu);
};

/* Of messages on the wire, in bytes. */
#define VU_HEADER_BYTES		16
#define VU_MAX_MESSAGE		(VU_MAX_ACCESS + 64)
#define VU_MAX_FDS		VU_MAX_VECTORS

/**
 * struct vu_dev - a device
 * @name: for people
 * @path: of the socket
 * @ops: what it does
 * @priv: the owner's
 * @mem: memory that the VMM has given it
 * @listen_fd: the socket; closed once the VMM has come
 * @fd: the connection, or -1
 * @ended: it was there and is gone
 * @irq_fd: eventfd of each vector, or -1
 * @rx: message that is being received
 * @rx_bytes: what is there of it
 * @fds: files that came with it
 * @nr_fds: how many
 * @tx: what the socket did not take yet
 * @tx_bytes: its length
 * @tx_room: allocated at @tx
 * @next_id: of messages that we start
 * @sent: the last writes to memory, by the low bits of their ids
 * @refused: writes to memory that the VMM answered with an error
 */
struct vu_dev {
	char name[32];
	char path[100];
	const struct vu_ops *ops;
	void *priv;
	struct mem mem;

	int listen_fd;
	int fd;
	bool ended;
	int irq_fd[VU_IRQS][VU_MAX_VECTORS];

	uint8_t rx[VU_MAX_MESSAGE];
	uint32_t rx_bytes;
	int fds[VU_MAX_FDS];
	unsigned int nr_fds;
	uint8_t *tx;
	size_t tx_bytes;
	size_t tx_room;
	uint16_t next_id;
	struct vu_sent sent[VU_MAX_SENT];
	unsigned int refused;
};

/**
 * vu_open() - create the socket
 * @vu: name, path, ops and priv are set; the rest is initialised here
 *
 * Return: 0 or -errno.
 */
int vu_open(struct vu_dev *vu);

/** vu_close() - forget the connection and remove the socket; idempotent */
void vu_close(struct vu_dev *vu);

/** vu_poll() - what to wait for; events 0 when there is nothing any more */
struct pollfd vu_poll(const struct vu_dev *vu);

/**
 * vu_serve() - handle what poll() saw
 * @vu: the device
 * @revents: from poll()
 */
void vu_serve(struct vu_dev *vu, short revents);

/**
 * vu_write_memory() - have the VMM carry out a memory write of the device
 * @vu: the device
 * @pa: address on its bus
 * @value: 32 bits to store there
 *
 * For what is no memory of ours, above all messages to the interrupt controller.
 * It is queued: the VMM may be waiting for us at this moment.
 */
void vu_write_memory(struct vu_dev *vu, uint64_t pa, uint32_t value);

/**
 * vu_interrupt() - raise a vector
 * @vu: the device
 * @vector: of MSI-X if that is enabled, else of MSI
 *
 * Return: false when nobody listens.
 */
bool vu_interrupt(struct vu_dev *vu, unsigned int vector);

#endif /* HW_VU_H */
