/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine: remapping units, and endpoints behind them. One thread, one loop;
 * nothing here blocks.
 */
#ifndef HW_HW_H
#define HW_HW_H

#include "../hw_regs.h"
#include "../../../lib/vtd/vtdu.h"
#include "pci.h"
#include "vu.h"

#define HW_MAX_UNITS	8
#define HW_MAX_EPS	32
#define HW_ATC_SIZE	64
#define HW_MAX_HELD	64	/* invalidations on their way to devices behind a unit */
#define HW_MAX_RMRRS	8
/* Registers in the lower half, the list in the upper one. */
#define UNIT_BAR_BYTES	0x4000

#define HW_NEVER	UINT64_MAX

struct ep;

/**
 * struct hw_held - a device-TLB invalidation that is not answered yet
 * @tag: of the unit
 * @inv: the invalidation
 * @ep: it went to, NULL when nobody is there
 * @due: when it is answered, or never
 * @expires: when the unit gives up
 */
struct hw_held {
	uint32_t tag;
	struct vtdu_devtlb inv;
	struct ep *ep;
	uint64_t due;
	uint64_t expires;
};

/* Memory that firmware uses by a device. */
struct hw_rmrr {
	uint64_t start;
	uint64_t last;
	uint16_t sid;
};

/**
 * struct unit - a remapping unit and its PCI function
 * @name: in the topology
 * @vu: the function's connection
 * @pci: its configuration space
 * @config: what the unit is
 * @u: the unit, in @store
 * @store: memory of @u
 * @list: upper half of BAR 0
 * @list_bytes: what is used of it
 * @rmrrs: memory that firmware uses by devices behind it
 * @nr_rmrrs: how many
 * @addr: its device and function number on the root bus
 * @iqa: register IQA, as software wrote it
 * @ignore: bit n: descriptors of type n have no effect
 * @ignored: how many had none
 * @delay_us: from the tail's write to the queue's work
 * @work_at: when to work on the queue
 * @timeout_us: after which an invalidation counts as lost
 * @held: invalidations on their way
 * @nr_held: how many
 * @refused: interrupt messages that could not be sent
 * @log_end: entries of the log up to this number have been there
 */
struct unit {
	char name[32];
	struct vu_dev vu;
	struct pci pci;
	struct vtdu_config config;
	struct vtdu *u;
	void *store;
	uint8_t list[UNIT_BAR_BYTES / 2];
	uint32_t list_bytes;
	struct hw_rmrr rmrrs[HW_MAX_RMRRS];
	unsigned int nr_rmrrs;
	uint8_t addr;
	uint64_t iqa;
	uint32_t ignore;
	uint32_t ignored[16];
	uint32_t delay_us;
	uint64_t work_at;
	uint32_t timeout_us;
	struct hw_held held[HW_MAX_HELD];
	unsigned int nr_held;
	uint32_t refused;
	uint64_t log_end;
};

/**
 * struct queue - one of an endpoint's
 * @ctrl: HQ_CTRL
 * @irq: HQ_IRQ
 * @src: HQ_SRC
 * @dst: HQ_DST
 * @len: HQ_LEN
 * @cmd: HQ_CMD
 * @status: HQ_STATUS
 * @reason: HQ_REASON
 * @addr: HQ_ADDR
 * @done: HQ_DONE
 * @result: HQ_RESULT
 * @data: HQ_DATA
 * @rounds: HQ_ROUNDS
 * @errors: HQ_ERRORS
 * @window: HQ_WINDOW
 * @interval_us: HQ_INTERVAL_US
 * @perm: HQ_PERM
 * @waits: for the response to page request group @group
 * @answered: the response came, its code is @code
 * @group: index
 * @code: of the response
 * @run_at: when to go on with a repeated command
 */
struct queue {
	uint32_t ctrl;
	uint32_t irq;
	uint64_t src;
	uint64_t dst;
	uint32_t len;
	uint32_t cmd;
	uint32_t status;
	uint32_t reason;
	uint64_t addr;
	uint64_t done;
	uint64_t result;
	uint64_t data;
	uint64_t rounds;
	uint64_t errors;
	uint32_t window;
	uint32_t interval_us;
	uint32_t perm;
	bool waits;
	bool answered;
	uint16_t group;
	uint8_t code;
	uint64_t run_at;
};

/* A translation that an endpoint caches. */
struct atc_entry {
	bool valid;
	bool has_pasid;
	bool priv;
	bool untranslated_only;
	uint8_t perm;
	uint8_t lg2;
	uint32_t pasid;
	uint64_t addr;
	uint64_t to;
};

/**
 * struct ep - an endpoint
 * @name: in the topology
 * @vu: its connection
 * @pci: its configuration space
 * @unit: in front of it, or NULL
 * @addr: device and function number on the root bus
 * @multifunction: others share its device number
 * @nr_queues: of @queues
 * @queues: see there
 * @window: data window
 * @misbehave: HW_MISBEHAVE
 * @inv_delay_us: HW_INV_DELAY_US
 * @resets: HW_RESETS
 * @atc: its device TLB
 * @atc_next: entry to be replaced next
 * @atc_hits: HW_ATC_HITS
 * @atc_misses: HW_ATC_MISSES
 * @atc_invalidations: HW_ATC_INVALIDATIONS
 * @atc_flushed: HW_ATC_FLUSHED
 * @groups: for each index, whether a group waits
 * @nr_groups: how many wait
 * @pri_sent: HW_PRI_SENT
 * @pri_responses: HW_PRI_RESPONSES
 * @pri_last: HW_PRI_LAST
 * @pri_last_pasid: HW_PRI_LAST_PASID
 * @pri_unexpected: HW_PRI_UNEXPECTED
 * @pri_dropped: HW_PRI_DROPPED
 * @log_seq: tap: number that was asked for
 * @log_found: tap: there was an entry
 * @log_next: tap: number behind it
 * @log: tap: the entry
 */
struct ep {
	char name[32];
	struct vu_dev vu;
	struct pci pci;
	struct unit *unit;
	uint8_t addr;
	bool multifunction;
	unsigned int nr_queues;
	struct queue queues[HW_MAX_QUEUES];
	uint8_t window[HW_WINDOW_BYTES];
	uint32_t misbehave;
	uint32_t inv_delay_us;
	uint32_t resets;

	struct atc_entry atc[HW_ATC_SIZE];
	unsigned int atc_next;
	uint32_t atc_hits;
	uint32_t atc_misses;
	uint32_t atc_invalidations;
	uint32_t atc_flushed;

	bool groups[512];
	uint32_t nr_groups;
	uint32_t pri_sent;
	uint32_t pri_responses;
	uint32_t pri_last;
	uint32_t pri_last_pasid;
	uint32_t pri_unexpected;
	uint32_t pri_dropped;

	uint64_t log_seq;
	uint32_t log_found;
	uint64_t log_next;
	struct vtdu_log log;
};

/**
 * struct hw - all of it
 * @units: remapping units
 * @nr_units: how many
 * @eps: endpoints
 * @nr_eps: how many
 */
struct hw {
	struct unit *units[HW_MAX_UNITS];
	unsigned int nr_units;
	struct ep *eps[HW_MAX_EPS];
	unsigned int nr_eps;
};

extern struct hw hw;

/* Microseconds since some time in the past. */
uint64_t hw_now(void);

/* topo.c */

/**
 * topo_read() - fill in hw from a topology file
 * @path: the file
 * @dir: folder for the sockets
 *
 * Return: 0, or -1 with what is wrong on standard error.
 */
int topo_read(const char *path, const char *dir);

/** topo_print() - QEMU's arguments for the functions of hw, one a line */
void topo_print(void);

/* unit.c */

/** unit_start() - build what the topology says of @unit; 0 or -errno */
int unit_start(struct unit *unit);

/** unit_free() - undo unit_start(), and free @unit */
void unit_free(struct unit *unit);

/** unit_translate() - a request arrives; @unit NULL: nothing is in its way */
bool unit_translate(struct unit *unit, const struct vtdu_request *request,
		    struct vtdu_result *result);

/** unit_work() - do what is due by @now. Returns when something will be due. */
uint64_t unit_work(struct unit *unit, uint64_t now);

/** unit_forget() - @ep is reset or gone: what was on its way to it is lost */
void unit_forget(struct unit *unit, const struct ep *ep);

/* ep.c */
int ep_start(struct ep *ep);
bool ep_has(const struct ep *ep, uint32_t what);
uint64_t ep_work(struct ep *ep, uint64_t now);

/* tap.c */
void tap_read(struct ep *ep, uint32_t off, void *buf, uint32_t bytes);
void tap_write(struct ep *ep, uint32_t off, uint64_t value);

/* queue.c */

/** queue_start() - HQ_CMD was written */
void queue_start(struct ep *ep, struct queue *q, uint32_t cmd);

/** queue_run() - go on with what @q does. Returns when to come again. */
uint64_t queue_run(struct ep *ep, struct queue *q, uint64_t now);

/** queue_end() - it is over: status and reason, counters, interrupt */
void queue_end(struct ep *ep, struct queue *q, uint32_t status, uint32_t reason);

/* atc.c */

/**
 * atc_translate() - the translation of an address by ATS
 * @ep: who asks
 * @q: for PASID and attributes
 * @addr: any address
 * @access: VTDU_READ and so on, what it is needed for
 * @entry: receives it; its permissions may be less than @access
 * @cached: receives whether it was in the device TLB
 *
 * Return: HQ_OK; HQ_FAULT or HQ_ERROR with q->reason set.
 */
uint32_t atc_translate(struct ep *ep, struct queue *q, uint64_t addr,
		       uint8_t access, struct vtdu_result *entry);
void atc_clear(struct ep *ep);
unsigned int atc_entries(const struct ep *ep);

/** atc_invalidate() - the message @inv came: forget what it names */
void atc_invalidate(struct ep *ep, const struct vtdu_devtlb *inv);

/* pri.c */

/**
 * pri_send() - send a page request message
 * @ep: who asks
 * @q: for the PASID
 * @addr: address in the page
 * @flags: HQ_PR_R and so on
 * @last: last of its group
 * @index: group
 *
 * Return: 0 or HQ_E_PRI.
 */
uint32_t pri_send(struct ep *ep, const struct queue *q, uint64_t addr,
		  uint32_t flags, bool last, uint16_t index);
void pri_response(struct ep *ep, const struct vtdu_page_response *response);
void pri_clear(struct ep *ep);

/* list.c */

/** list_build() - the remapping structures of @unit; 0 or -errno */
int list_build(struct unit *unit);

#endif /* HW_HW_H */
