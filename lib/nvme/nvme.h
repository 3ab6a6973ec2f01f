/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small NVMe driver in user space, on libiommu: one controller, one I/O queue,
 * reading.
 *
 * Functions return 0 or a negative errno; nvme_error() then says in words what
 * happened. Not for use by several threads.
 */
#ifndef NVME_H
#define NVME_H

#include <stddef.h>
#include <stdint.h>

#include <iommu/iommu.h>

#include "nvme_regs.h"

#define NVME_PAGE_BYTES		4096u
#define NVME_ADMIN_ENTRIES	32u
#define NVME_IO_ENTRIES		64u

struct nvme_ctrl;

/**
 * struct nvme_queue - a submission queue and its completion queue
 * @ctrl: the controller
 * @id: number, 0: admin
 * @vector: MSI-X vector of completions
 * @entries: of each of the two
 * @sq: submission queue entries
 * @cq: completion queue entries
 * @sq_tail: next entry to fill
 * @cq_head: next entry to look at
 * @phase: value of the phase bit in entries that are new
 */
struct nvme_queue {
	struct nvme_ctrl *ctrl;
	unsigned int id;
	unsigned int vector;
	unsigned int entries;
	struct iommu_buf *sq;
	struct iommu_buf *cq;
	unsigned int sq_tail;
	unsigned int cq_head;
	unsigned int phase;
};

/**
 * struct nvme_info - what the controller says about itself
 * @vendor: PCI vendor
 * @serial: serial number
 * @model: model number
 * @firmware: firmware revision
 * @version: of the specification, as in register VS
 * @namespaces: highest namespace number
 * @max_transfer_bytes: longest transfer of a command, 0: no limit
 */
struct nvme_info {
	uint16_t vendor;
	char serial[NVME_IDCTRL_SN_LEN + 1];
	char model[NVME_IDCTRL_MN_LEN + 1];
	char firmware[NVME_IDCTRL_FR_LEN + 1];
	uint32_t version;
	uint32_t namespaces;
	size_t max_transfer_bytes;
};

/**
 * struct nvme_namespace - what it says about a namespace
 * @id: number, from 1
 * @blocks: how many
 * @block_bytes: size of one
 */
struct nvme_namespace {
	uint32_t id;
	uint64_t blocks;
	uint32_t block_bytes;
};

/**
 * struct nvme_ctrl - a controller
 * @ctx: its own context
 * @dev: the device
 * @ioasid: its address space
 * @regs: BAR 0
 * @regs_len: length of it
 * @cap: register CAP
 * @timeout_ms: longest time that a change of state or a command may take
 * @vectors: MSI-X vectors enabled
 * @admin: admin queue
 * @io: I/O queue
 * @scratch: page for what Identify returns
 * @log: 0: silent; 1: say what happens, on standard error
 * @error: text of the last failure
 */
struct nvme_ctrl {
	struct iommu_ctx *ctx;
	struct iommu_dev *dev;
	uint32_t ioasid;
	volatile uint8_t *regs;
	size_t regs_len;
	uint64_t cap;
	int timeout_ms;
	unsigned int vectors;
	struct nvme_queue admin;
	struct nvme_queue io;
	struct iommu_buf *scratch;
	int log;
	char error[640];
};

/* ctrl.c */

/**
 * nvme_open() - take a controller into use
 * @ctrl: zeroed but for @ctrl->log
 * @bdf: the PCI function
 *
 * To be closed with nvme_close(), also after a failure.
 */
int nvme_open(struct nvme_ctrl *ctrl, const char *bdf);

/** nvme_close() - shut the controller down and give it back */
void nvme_close(struct nvme_ctrl *ctrl);

/** nvme_read32() - read a 32-bit register */
uint32_t nvme_read32(struct nvme_ctrl *ctrl, unsigned int reg);

/** nvme_write32() - write a 32-bit register */
void nvme_write32(struct nvme_ctrl *ctrl, unsigned int reg, uint32_t value);

/* error.c */

/** nvme_error() - what failed last, one line */
const char *nvme_error(const struct nvme_ctrl *ctrl);

/** nvme_fail() - remember what failed; returns @rc */
int nvme_fail(struct nvme_ctrl *ctrl, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** nvme_fail_iommu() - remember what libiommu says; returns @rc */
int nvme_fail_iommu(struct nvme_ctrl *ctrl, int rc);

/** nvme_fail_status() - remember the status of a command; returns -EIO */
int nvme_fail_status(struct nvme_ctrl *ctrl, const char *what,
		     unsigned int status);

/** nvme_log() - say what happens, unless the controller is to be silent */
void nvme_log(const struct nvme_ctrl *ctrl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* queue.c */

/** nvme_queue_alloc() - memory for a pair of queues; tells the controller nothing */
int nvme_queue_alloc(struct nvme_ctrl *ctrl, struct nvme_queue *queue,
		     unsigned int id, unsigned int vector, unsigned int entries);

/** nvme_queue_free() - free it; the controller is disabled */
void nvme_queue_free(struct nvme_queue *queue);

/**
 * nvme_queue_submit() - submit a command
 * @queue: has room: fewer than @queue->entries - 1 commands are outstanding
 * @sqe: the command, its cid included
 */
void nvme_queue_submit(struct nvme_queue *queue, const struct nvme_sqe *sqe);

/**
 * nvme_queue_wait() - wait for the next completion
 * @queue: commands are outstanding
 * @cqe: output: the completion
 *
 * Sleeps until the interrupt. Return: 0; -ETIMEDOUT; -EIO: the controller has
 * failed; -ENODEV: it is gone.
 */
int nvme_queue_wait(struct nvme_queue *queue, struct nvme_cqe *cqe);

/**
 * nvme_admin() - run an admin command
 * @ctrl: the controller
 * @what: name of it for error texts
 * @sqe: the command
 * @result: output: dword 0 of the completion; may be NULL
 */
int nvme_admin(struct nvme_ctrl *ctrl, const char *what, struct nvme_sqe *sqe,
	       uint32_t *result);

/* admin.c */

/** nvme_identify() - ask the controller about itself */
int nvme_identify(struct nvme_ctrl *ctrl, struct nvme_info *info);

/** nvme_identify_namespace() - ask it about namespace @id */
int nvme_identify_namespace(struct nvme_ctrl *ctrl, uint32_t id,
			    struct nvme_namespace *ns);

/** nvme_create_io_queue() - make the I/O queue */
int nvme_create_io_queue(struct nvme_ctrl *ctrl);

/* read.c */

/**
 * typedef nvme_sink_fn - receives what was read, in order
 * @arg: the caller's
 * @data: the bytes, valid during the call
 * @len: how many
 *
 * Return: 0, or a negative errno that ends the reading.
 */
typedef int (*nvme_sink_fn)(void *arg, const void *data, size_t len);

/**
 * nvme_read() - read a part of a namespace
 * @ctrl: its I/O queue exists
 * @info: of the controller
 * @ns: the namespace
 * @offset: in bytes
 * @length: in bytes
 * @sink: receives the bytes
 * @arg: for @sink
 *
 * Return: 0; -EINVAL: beyond the namespace's end; what @sink returned; errors
 * of the controller.
 */
int nvme_read(struct nvme_ctrl *ctrl, const struct nvme_info *info,
	      const struct nvme_namespace *ns, uint64_t offset, uint64_t length,
	      nvme_sink_fn sink, void *arg);

#endif /* NVME_H */
