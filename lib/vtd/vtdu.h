/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: A VT-d remapping unit
 *
 * One struct vtdu is one DMA remapping unit as the VT-d specification describes
 * it: a page of registers, an invalidation queue, translation through legacy,
 * second-level, first-level, nested and pass-through structures, the caches in
 * between, fault recording, page requests and virtual commands. A VMM shows it
 * to a guest; tests use it as hardware.
 *
 * What it can do is what its CAP and ECAP registers say.
 *
 * The unit allocates nothing, has no globals and no threads. The caller gives it
 * one block of memory, serialises all calls on one unit, and reaches everything
 * outside through struct vtdu_ops. A callback must not call into the same unit,
 * except where it says that it may.
 *
 * It is asynchronous as hardware is: a write to a register changes registers,
 * and queued work is done by vtdu_run() when the caller wants it.
 *
 * Its caches never forgive. Everything that the specification lets a unit cache
 * stays until an invalidation that names it, or until the cache is full.
 */
#ifndef VTDU_H
#define VTDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** VTDU_REG_BYTES - size of the register page; FRO and IRO must lie in it */
#define VTDU_REG_BYTES		4096

/* one unit; only the library knows what is in it */
struct vtdu;

/**
 * enum vtdu_vcmd_layout - where the virtual command registers are
 * @VTDU_VCMD_32: revisions to 3.2: VCCAP E00h, VCMD E10h, VCRSP E20h
 * @VTDU_VCMD_33: revisions from 3.3 on: VCMD E00h, VCRSP E10h, VCCAP E30h
 *
 * Used only with ECAP.VCS.
 */
enum vtdu_vcmd_layout {
	VTDU_VCMD_32 = 0,
	VTDU_VCMD_33 = 1,
};

/**
 * VTDU_WIDE_INVALIDATION - each invalidation forgets everything
 *
 * Hardware may forget more than it is asked to. What a driver does must be right
 * with and without.
 */
#define VTDU_WIDE_INVALIDATION	(1u << 0)

/**
 * struct vtdu_config - what the unit is
 * @ver: VER register; 0x10 is 1.0, 0x60 is 6.0
 * @cap: CAP register. AFL and ECMDS are not supported
 * @ecap: ECAP register. QI must be set; PMS and HPTS are not supported. IR makes
 *	the registers of interrupt remapping exist and nothing more: interrupts
 *	come back as VTDU_INTERRUPT
 * @vccap: VCCAP register; bit 0: PASIDs can be allocated. Only with ECAP.VCS
 * @haw: host address width in bits, 32 to 52: the physical addresses that exist
 * @vcmd_layout: enum vtdu_vcmd_layout
 * @flags: VTDU_WIDE_INVALIDATION
 * @nr_context: context cache entries
 * @nr_pasid: PASID cache entries
 * @nr_paging: entries of the paging-structure caches
 * @nr_iotlb: IOTLB entries
 * @nr_devtlb: device-TLB invalidations that may be in flight, and wait
 *	descriptors that may be behind them; 0: 32
 * @nr_log: entries of the log ring; 0: no log
 *
 * A cache of 0 entries is no cache: each request reads the structures. A cache
 * that is full forgets its oldest entry, so that a run repeats exactly.
 */
struct vtdu_config {
	uint32_t ver;
	uint64_t cap;
	uint64_t ecap;
	uint64_t vccap;
	uint8_t haw;
	uint8_t vcmd_layout;
	uint16_t flags;
	uint32_t nr_context;
	uint32_t nr_pasid;
	uint32_t nr_paging;
	uint32_t nr_iotlb;
	uint32_t nr_devtlb;
	uint32_t nr_log;
};

/**
 * enum vtdu_event - the interrupts of the unit itself
 * @VTDU_EVENT_FAULT: FECTL
 * @VTDU_EVENT_COMPLETION: IECTL, a wait descriptor with IF
 * @VTDU_EVENT_PAGE_REQUEST: PECTL
 */
enum vtdu_event {
	VTDU_EVENT_FAULT,
	VTDU_EVENT_COMPLETION,
	VTDU_EVENT_PAGE_REQUEST,
};

/**
 * struct vtdu_devtlb - one device-TLB invalidation on its way to a device
 * @sid: requester ID of the function
 * @pfsid: requester ID of its physical function, as software gave it
 * @mip: invalidations that software says may be in flight to it
 * @has_pasid: descriptor type 8
 * @global: for all PASIDs (type 8 with G); @pasid is then as software gave it
 * @pasid: PASID, with @has_pasid
 * @addr: first byte of the range
 * @size: bytes, a power of two; 0: all 2^64
 */
struct vtdu_devtlb {
	uint16_t sid;
	uint16_t pfsid;
	uint8_t mip;
	bool has_pasid;
	bool global;
	uint32_t pasid;
	uint64_t addr;
	uint64_t size;
};

/**
 * enum vtdu_response_code - how a page request group ends
 * @VTDU_RESPONSE_SUCCESS: look again
 * @VTDU_RESPONSE_INVALID: there is nothing to look for
 * @VTDU_RESPONSE_FAILURE: stop asking
 */
enum vtdu_response_code {
	VTDU_RESPONSE_SUCCESS = 0x0,
	VTDU_RESPONSE_INVALID = 0x1,
	VTDU_RESPONSE_FAILURE = 0xf,
};

/**
 * struct vtdu_page_response - the answer to a page request group
 * @sid: requester ID
 * @has_pasid: @pasid is part of the answer
 * @pasid: PASID
 * @index: page request group index, 0 to 511
 * @code: enum vtdu_response_code, or what software wrote
 * @automatic: the unit answered, not software
 */
struct vtdu_page_response {
	uint16_t sid;
	bool has_pasid;
	uint32_t pasid;
	uint16_t index;
	uint8_t code;
	bool automatic;
};

/**
 * enum vtdu_inval_kind - what a cache invalidation is about
 * @VTDU_INVAL_ALL: a new root table (SRTP with CAP.ESRTPS), or translation was
 *	switched on or off: everything may be different
 * @VTDU_INVAL_CONTEXT: context cache (CCMD, descriptor type 1)
 * @VTDU_INVAL_IOTLB: IOTLB (IOTLB register, descriptor type 2)
 * @VTDU_INVAL_PASID_IOTLB: descriptor type 6
 * @VTDU_INVAL_PASID_CACHE: descriptor type 7
 */
enum vtdu_inval_kind {
	VTDU_INVAL_ALL,
	VTDU_INVAL_CONTEXT,
	VTDU_INVAL_IOTLB,
	VTDU_INVAL_PASID_IOTLB,
	VTDU_INVAL_PASID_CACHE,
};

/**
 * struct vtdu_inval - one invalidation of the unit's caches
 * @kind: enum vtdu_inval_kind
 * @g: granularity as the descriptor or register has it
 * @fm: function mask, for a device-selective context invalidation
 * @ih: only leaf entries changed
 * @am: pages, log2, for an invalidation by address
 * @did: domain
 * @sid: requester ID, for a device-selective context invalidation
 * @pasid: PASID
 * @addr: first byte, for an invalidation by address
 */
struct vtdu_inval {
	uint8_t kind;
	uint8_t g;
	uint8_t fm;
	bool ih;
	uint8_t am;
	uint16_t did;
	uint16_t sid;
	uint32_t pasid;
	uint64_t addr;
};

/**
 * struct vtdu_ops - what the unit asks of its surroundings
 * @read: read memory. False: no such memory, an access error
 * @write: write memory. False: access error
 * @cmpxchg64: if the number in the 8 bytes at an address (little endian, aligned
 *	to 8) is *@expected make it @desired, atomically for all who use that
 *	memory; otherwise set *@expected to what is there. False: access error
 * @msi: send an interrupt message
 * @devtlb: a device-TLB invalidation leaves. Later, or already from within, the
 *	caller calls vtdu_devtlb_done() or vtdu_devtlb_timeout() with @tag. NULL:
 *	each is done at once
 * @page_response: a page request group is answered. NULL: nobody listens
 * @invalidate: the unit's caches forgot something that software named. Returns
 *	before software is told of the completion. NULL: nobody listens
 * @pasid_alloc: virtual command 1: allocate a PASID. False: there is none
 * @pasid_free: virtual command 2: free a PASID. False: it is not allocated
 *
 * Only @read, @write and @cmpxchg64 must be given. @opaque is what vtdu_init()
 * got. Addresses are below 2^haw except in @write for status and interrupt
 * addresses, which are software's.
 */
struct vtdu_ops {
	bool (*read)(void *opaque, uint64_t addr, void *buf, size_t len);
	bool (*write)(void *opaque, uint64_t addr, const void *buf, size_t len);
	bool (*cmpxchg64)(void *opaque, uint64_t addr, uint64_t *expected,
			  uint64_t desired);
	void (*msi)(void *opaque, enum vtdu_event event, uint64_t addr,
		    uint32_t data);
	void (*devtlb)(void *opaque, uint32_t tag, const struct vtdu_devtlb *inv);
	void (*page_response)(void *opaque,
			      const struct vtdu_page_response *response);
	void (*invalidate)(void *opaque, const struct vtdu_inval *inv);
	bool (*pasid_alloc)(void *opaque, uint32_t *pasid);
	bool (*pasid_free)(void *opaque, uint32_t pasid);
};

/**
 * vtdu_size() - memory that a unit needs
 * @config: what the unit is to be
 *
 * Return: bytes; 0 if @config is none that vtdu_init() accepts.
 */
size_t vtdu_size(const struct vtdu_config *config);

/**
 * vtdu_init() - make a unit
 * @mem: memory, aligned to 16 bytes, that the unit uses as long as it exists.
 *	There is nothing to undo: the caller frees it when the unit has no
 *	more use
 * @size: bytes at @mem
 * @config: what the unit is; copied
 * @ops: copied
 * @opaque: for @ops
 *
 * Return: the unit, as after vtdu_reset(); NULL: @size is below vtdu_size(), or
 * @config names a width, a register place or a combination that does not exist,
 * or a needed callback is missing.
 */
struct vtdu *vtdu_init(void *mem, size_t size, const struct vtdu_config *config,
		       const struct vtdu_ops *ops, void *opaque);

/**
 * vtdu_reset() - the state after power-on
 * @u: the unit
 *
 * Registers have their reset values, caches are empty, what was in flight is
 * forgotten without a callback. Log and counters go on.
 */
void vtdu_reset(struct vtdu *u);

/**
 * vtdu_read() - read a register
 * @u: the unit
 * @offset: into the register page, a multiple of @size
 * @size: 4 or 8
 *
 * Return: its value; 0 for what is not implemented and for any other @offset and
 * @size, which counts as misuse.
 */
uint64_t vtdu_read(struct vtdu *u, uint32_t offset, unsigned int size);

/**
 * vtdu_write() - write a register
 * @u: the unit
 * @offset: into the register page, a multiple of @size
 * @size: 4 or 8. Two accesses of 4 make one of 8; a command begins with the half
 *	that its trigger bit is in
 * @value: what to write
 *
 * May call @msi, @invalidate, @pasid_alloc and @pasid_free.
 */
void vtdu_write(struct vtdu *u, uint32_t offset, unsigned int size,
		uint64_t value);

/**
 * vtdu_run() - let the unit work on its invalidation queue
 * @u: the unit
 * @budget: descriptors to process at most
 *
 * May call any callback but the two for PASIDs.
 *
 * Return: whether more can be done now. False also while the queue waits for
 * vtdu_devtlb_done(), or stands still because of an error.
 */
bool vtdu_run(struct vtdu *u, unsigned int budget);

/**
 * vtdu_devtlb_done() - a device has answered an invalidation
 * @u: the unit
 * @tag: of the invalidation; others are ignored
 *
 * May be called from within @devtlb. Wait descriptors that waited for it complete
 * at once.
 *
 * Return: false if nothing with that tag is in flight.
 */
bool vtdu_devtlb_done(struct vtdu *u, uint32_t tag);

/**
 * vtdu_devtlb_timeout() - a device has not answered an invalidation in time
 * @u: the unit
 * @tag: of the invalidation
 *
 * Sets FSTS.ITE and IQERCD.ITESID; wait descriptors that are pending are
 * aborted; the queue stands still until software clears ITE.
 *
 * Return: false if nothing with that tag is in flight.
 */
bool vtdu_devtlb_timeout(struct vtdu *u, uint32_t tag);

/**
 * vtdu_devtlb_unexpected() - an invalidation completion came that nobody awaits
 * @u: the unit
 * @sid: the function that sent it
 *
 * Sets FSTS.ICE and IQERCD.ICESID.
 */
void vtdu_devtlb_unexpected(struct vtdu *u, uint16_t sid);

/* what a request wants to do, and what a translation permits */
#define VTDU_READ	(1u << 0)
#define VTDU_WRITE	(1u << 1)
#define VTDU_EXEC	(1u << 2)

/**
 * enum vtdu_at - the AT field of a PCIe request
 * @VTDU_AT_UNTRANSLATED: a memory access
 * @VTDU_AT_TRANSLATION: ATS translation request
 * @VTDU_AT_TRANSLATED: a memory access with an address that ATS gave
 */
enum vtdu_at {
	VTDU_AT_UNTRANSLATED = 0,
	VTDU_AT_TRANSLATION = 1,
	VTDU_AT_TRANSLATED = 2,
};

/**
 * struct vtdu_request - an upstream request
 * @sid: requester ID
 * @has_pasid: it has a PASID prefix
 * @priv: privileged mode requested; only with @has_pasid
 * @no_snoop: the no-snoop attribute
 * @at: enum vtdu_at
 * @access: VTDU_READ, VTDU_WRITE (both: an AtomicOp), VTDU_EXEC (only with
 *	@has_pasid and VTDU_READ). A translation request that does not say "no
 *	write" has VTDU_WRITE
 * @pasid: PASID, 20 bits
 * @addr: address
 */
struct vtdu_request {
	uint16_t sid;
	bool has_pasid;
	bool priv;
	bool no_snoop;
	uint8_t at;
	uint8_t access;
	uint32_t pasid;
	uint64_t addr;
};

/**
 * enum vtdu_outcome - what becomes of a request
 * @VTDU_OK: go on: to memory, or with a successful translation completion. A
 *	completion whose @perm is 0 permits nothing: the device may send a page
 *	request
 * @VTDU_INTERRUPT: a write to the interrupt range: not remapped, not memory
 * @VTDU_UR: blocked; Unsupported Request
 * @VTDU_CA: blocked; Completer Abort
 */
enum vtdu_outcome {
	VTDU_OK,
	VTDU_INTERRUPT,
	VTDU_UR,
	VTDU_CA,
};

/**
 * enum vtdu_mode - how a request was translated
 * @VTDU_MODE_OFF: translation is off
 * @VTDU_MODE_LEGACY: second level, legacy mode
 * @VTDU_MODE_LEGACY_PT: pass-through, legacy mode
 * @VTDU_MODE_SS: second level, scalable mode
 * @VTDU_MODE_FS: first level
 * @VTDU_MODE_NESTED: first level over second level
 * @VTDU_MODE_PT: pass-through, scalable mode
 * @VTDU_MODE_TRANSLATED: a translated request, let through
 * @VTDU_MODE_NONE: it did not come so far
 */
enum vtdu_mode {
	VTDU_MODE_OFF,
	VTDU_MODE_LEGACY,
	VTDU_MODE_LEGACY_PT,
	VTDU_MODE_SS,
	VTDU_MODE_FS,
	VTDU_MODE_NESTED,
	VTDU_MODE_PT,
	VTDU_MODE_TRANSLATED,
	VTDU_MODE_NONE,
};

/**
 * struct vtdu_result - the answer to a request
 * @outcome: enum vtdu_outcome
 * @fault: 0, or the fault reason (specification, "Fault Reason Encodings"). Set
 *	with VTDU_OK only for a translation request whose fault is recoverable:
 *	it is answered without permission and not recorded
 * @recorded: the fault went into a fault recording register or set FSTS.PFO;
 *	false: FPD suppressed it, or it is recoverable
 * @mode: enum vtdu_mode
 * @page_lg2: size of the mapping that was found, log2 bytes, at least 12: the
 *	smaller one of both levels in nested mode
 * @perm: what the mapping permits to a request as this one: VTDU_READ,
 *	VTDU_WRITE, VTDU_EXEC. For a translation request VTDU_WRITE only if
 *	asked for
 * @untranslated_only: ATS field U: the device is to use the untranslated address
 * @snoop: the access is snooped, whatever the request says
 * @global: the leaf has the G bit (first level); no cache looks at it
 * @cached: answered from the IOTLB
 * @did: domain the translation belongs to
 * @addr: where @addr of the request leads. With VTDU_OK and no fault only
 */
struct vtdu_result {
	uint8_t outcome;
	uint8_t fault;
	bool recorded;
	uint8_t mode;
	uint8_t page_lg2;
	uint8_t perm;
	bool untranslated_only;
	bool snoop;
	bool global;
	bool cached;
	uint16_t did;
	uint64_t addr;
};

/**
 * vtdu_translate() - a request arrives
 * @u: the unit
 * @request: one that crosses no 4 KiB boundary
 * @result: the answer; always filled in
 *
 * Reads structures, sets their accessed and dirty bits, fills caches and records
 * faults. May call @msi.
 *
 * Return: true if @result->outcome is VTDU_OK and its fault 0.
 */
bool vtdu_translate(struct vtdu *u, const struct vtdu_request *request,
		    struct vtdu_result *result);

/**
 * vtdu_peek() - what would become of a request, going by the tables alone
 * @u: the unit
 * @request: as for vtdu_translate()
 * @result: the answer; @recorded says whether a fault would be visible
 *
 * Reads the structures in memory and nothing else: no cache is asked or filled, no
 * accessed or dirty bit set, no fault recorded, nothing counted. For a VMM that
 * follows a guest's tables, after the invalidation that announces a change.
 *
 * Return: as vtdu_translate().
 */
bool vtdu_peek(struct vtdu *u, const struct vtdu_request *request,
	       struct vtdu_result *result);

/**
 * struct vtdu_binding - how requests of a function, or of a PASID, are translated
 * @mode: enum vtdu_mode; VTDU_MODE_NONE with @fault
 * @fault: 0, or why an untranslated request would go no further than here
 * @ats: translation requests are allowed
 * @ss_levels: levels of the second stage, 3 to 5
 * @fs_levels: levels of the first stage, 4 or 5
 * @ssade: the second stage has accessed and dirty bits
 * @pgsnp: accesses are snooped, whatever they say
 * @sre: supervisor requests are allowed
 * @wpe: supervisor requests heed read-only pages
 * @eafe: the first stage has extended accessed bits
 * @did: domain
 * @pasid: PASID: the one asked for, or RID_PASID
 * @ss_root: top-level table of the second stage
 * @fs_root: of the first stage; nested: an address that the second stage
 *	translates
 *
 * Fields that the mode has no use for are what is written there.
 */
struct vtdu_binding {
	uint8_t mode;
	uint8_t fault;
	bool ats;
	uint8_t ss_levels;
	uint8_t fs_levels;
	bool ssade;
	bool pgsnp;
	bool sre;
	bool wpe;
	bool eafe;
	uint16_t did;
	uint32_t pasid;
	uint64_t ss_root;
	uint64_t fs_root;
};

/**
 * vtdu_binding() - read a context and PASID table entry
 * @u: the unit
 * @sid: requester ID
 * @has_pasid: for requests with PASID
 * @pasid: PASID, with @has_pasid
 * @binding: output; always filled in
 *
 * As vtdu_peek(), without a walk: for a VMM that gives a guest's tables to the
 * host. With translation switched off the mode is VTDU_MODE_OFF.
 *
 * Return: true unless there is a fault.
 */
bool vtdu_binding(struct vtdu *u, uint16_t sid, bool has_pasid, uint32_t pasid,
		  struct vtdu_binding *binding);

/**
 * struct vtdu_page_request - a PRI page request message
 * @sid: requester ID
 * @has_pasid: it has a PASID prefix
 * @priv: privileged mode requested
 * @exec: execute requested
 * @read: read requested
 * @write: write requested
 * @last: last in its group. With neither @read nor @write: a stop marker
 * @index: page request group index, 0 to 511
 * @pasid: PASID, 20 bits
 * @addr: address of the page
 */
struct vtdu_page_request {
	uint16_t sid;
	bool has_pasid;
	bool priv;
	bool exec;
	bool read;
	bool write;
	bool last;
	uint16_t index;
	uint32_t pasid;
	uint64_t addr;
};

/**
 * enum vtdu_page_outcome - what becomes of a page request
 * @VTDU_PAGE_QUEUED: software has it
 * @VTDU_PAGE_ANSWERED: not queued; @page_response was called if it was the last
 *	of its group
 * @VTDU_PAGE_DROPPED: not queued and not answered: a stop marker, or one that is
 *	not the last of its group
 */
enum vtdu_page_outcome {
	VTDU_PAGE_QUEUED,
	VTDU_PAGE_ANSWERED,
	VTDU_PAGE_DROPPED,
};

/**
 * vtdu_page_request() - a page request arrives
 * @u: the unit
 * @request: the message
 *
 * May call @msi and @page_response.
 *
 * Return: enum vtdu_page_outcome.
 */
enum vtdu_page_outcome vtdu_page_request(struct vtdu *u,
				const struct vtdu_page_request *request);

/**
 * enum vtdu_misuse - what software must not do, and hardware need not notice
 * @VTDU_MISUSE_ACCESS: a register access of a wrong size or alignment
 * @VTDU_MISUSE_GCMD: several commands in one write of GCMD
 * @VTDU_MISUSE_ROOT: TE set though no root table was ever latched by SRTP, or
 *	SRTP with a reserved translation table mode
 * @VTDU_MISUSE_SRTP_FLUSH: a request came after SRTP, translation being on,
 *	before context cache and IOTLB (and PASID cache) were invalidated
 *	globally; without CAP.ESRTPS
 * @VTDU_MISUSE_QI_DW: scalable mode switched on with a queue of 128-bit
 *	descriptors
 * @VTDU_MISUSE_QI_LIVE: IQA written while the queue is on
 * @VTDU_MISUSE_REG_INVAL: CCMD or IOTLB used while the queue is on, or outside
 *	legacy mode
 * @VTDU_MISUSE_CONTEXT_DOMAIN: domain-selective context invalidation in scalable
 *	mode, where contexts have no domain
 * @VTDU_MISUSE_AM: an invalidation by address with AM above MAMV, or by register
 *	without PSI; it forgets the whole domain, or PASID
 * @VTDU_MISUSE_DID: a domain that ND has no room for or, with CM, domain 0, in
 *	a present entry
 * @VTDU_MISUSE_EVENT_ADDR: an interrupt is due and its address is none of the
 *	interrupt range
 * @VTDU_MISUSE_PRQ: PQA, PQH or PQT written in a way that loses requests: PQA
 *	or PQT while requests are queued, or PQH to a place that is not
 *	between the two
 * @VTDU_MISUSE_PRO: PRS.PRO cleared while requests are queued
 * @VTDU_MISUSE_VCMD: VCMD written while a command is in progress
 * @VTDU_MISUSE_RO: a write to a read-only or unimplemented register
 * @VTDU_MISUSE_NR: how many there are
 */
enum vtdu_misuse {
	VTDU_MISUSE_ACCESS,
	VTDU_MISUSE_GCMD,
	VTDU_MISUSE_ROOT,
	VTDU_MISUSE_SRTP_FLUSH,
	VTDU_MISUSE_QI_DW,
	VTDU_MISUSE_QI_LIVE,
	VTDU_MISUSE_REG_INVAL,
	VTDU_MISUSE_CONTEXT_DOMAIN,
	VTDU_MISUSE_AM,
	VTDU_MISUSE_DID,
	VTDU_MISUSE_EVENT_ADDR,
	VTDU_MISUSE_PRQ,
	VTDU_MISUSE_PRO,
	VTDU_MISUSE_VCMD,
	VTDU_MISUSE_RO,
	VTDU_MISUSE_NR,
};

/**
 * vtdu_misuse_name() - what a misuse is called
 * @misuse: enum vtdu_misuse
 *
 * Return: a word, for messages; "?" for what does not exist.
 */
const char *vtdu_misuse_name(enum vtdu_misuse misuse);

/**
 * struct vtdu_stats - counters, from vtdu_init() on
 * @requests: calls of vtdu_translate()
 * @faults: faults found, recorded or not
 * @context_hits: context cache hits
 * @context_misses: context cache misses
 * @pasid_hits: PASID cache hits
 * @pasid_misses: PASID cache misses
 * @iotlb_hits: IOTLB hits, in nested mode of the combined translation
 * @iotlb_misses: IOTLB misses
 * @paging_hits: walks that did not begin at the top
 * @paging_reads: paging entries read
 * @descriptors: descriptors processed, by type, 0 for all that are unknown
 * @misuse: by enum vtdu_misuse
 * @messages: interrupt messages sent, by enum vtdu_event
 */
struct vtdu_stats {
	uint64_t requests;
	uint64_t faults;
	uint64_t context_hits;
	uint64_t context_misses;
	uint64_t pasid_hits;
	uint64_t pasid_misses;
	uint64_t iotlb_hits;
	uint64_t iotlb_misses;
	uint64_t paging_hits;
	uint64_t paging_reads;
	uint64_t descriptors[16];
	uint64_t misuse[VTDU_MISUSE_NR];
	uint64_t messages[3];
};

/**
 * vtdu_stats() - the counters of a unit
 * @u: the unit
 *
 * Return: valid as long as the unit.
 */
const struct vtdu_stats *vtdu_stats(const struct vtdu *u);

/**
 * vtdu_misused() - all misuse together
 * @u: the unit
 *
 * Return: sum of the misuse counters.
 */
uint64_t vtdu_misused(const struct vtdu *u);

/**
 * enum vtdu_cache - the caches of a unit
 * @VTDU_CACHE_CONTEXT: by requester ID, tagged with the domain in legacy mode
 * @VTDU_CACHE_PASID: by requester ID and PASID, tagged with domain and PASID
 * @VTDU_CACHE_PAGING: paging-structure caches
 * @VTDU_CACHE_IOTLB: translations
 */
enum vtdu_cache {
	VTDU_CACHE_CONTEXT,
	VTDU_CACHE_PASID,
	VTDU_CACHE_PAGING,
	VTDU_CACHE_IOTLB,
};

/**
 * vtdu_cached() - entries that a cache holds
 * @u: the unit
 * @cache: which
 *
 * Return: how many.
 */
unsigned int vtdu_cached(const struct vtdu *u, enum vtdu_cache cache);

/**
 * enum vtdu_log_kind - what an entry of the log is about
 * @VTDU_LOG_DESC: a descriptor that the queue processed; @qw is the descriptor
 * @VTDU_LOG_QI_ERROR: the queue stopped; @a is IQERCD's IQEI, @qw the descriptor
 * @VTDU_LOG_FAULT: a fault; @a is the reason, @b whether it was recorded,
 *	@qw[0] and @qw[1] are the fault record
 * @VTDU_LOG_GCMD: a write to GCMD; @qw[0] is the value, @qw[1] GSTS after it
 * @VTDU_LOG_REG_INVAL: CCMD or IOTLB; @a is the offset, @qw[0] the register,
 *	@qw[1] IVA
 * @VTDU_LOG_MSI: a message; @a is enum vtdu_event, @qw[0] address, @qw[1] data
 * @VTDU_LOG_PAGE_REQUEST: @a is enum vtdu_page_outcome, @qw the descriptor
 * @VTDU_LOG_VCMD: a virtual command; @a is its code, @qw[0] VCMD, @qw[1] VCRSP
 * @VTDU_LOG_DEVTLB: an answer; @a is 0 done, 1 timeout, @qw[0] the tag
 * @VTDU_LOG_MISUSE: @a is enum vtdu_misuse, @qw[0] what names it best
 */
enum vtdu_log_kind {
	VTDU_LOG_DESC,
	VTDU_LOG_QI_ERROR,
	VTDU_LOG_FAULT,
	VTDU_LOG_GCMD,
	VTDU_LOG_REG_INVAL,
	VTDU_LOG_MSI,
	VTDU_LOG_PAGE_REQUEST,
	VTDU_LOG_VCMD,
	VTDU_LOG_DEVTLB,
	VTDU_LOG_MISUSE,
};

/**
 * struct vtdu_log - an entry of the log
 * @seq: its number; the first is 0, none is left out
 * @kind: enum vtdu_log_kind
 * @a: see there
 * @b: see there
 * @qw: see there
 */
struct vtdu_log {
	uint64_t seq;
	uint32_t kind;
	uint16_t a;
	uint16_t b;
	uint64_t qw[4];
};

/**
 * vtdu_log_next() - read the log
 * @u: the unit
 * @seq: in: the number to read; 0 to begin. If that is gone, the oldest there is.
 *	out: the number behind what was read
 * @entry: output
 *
 * Return: false if there is nothing from @seq on.
 */
bool vtdu_log_next(const struct vtdu *u, uint64_t *seq, struct vtdu_log *entry);

#ifdef __cplusplus
}
#endif

#endif /* VTDU_H */
