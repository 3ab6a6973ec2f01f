/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A QEMU without a running processor, told what to do by its qtest protocol.
 * Commands are collected and sent together: what they answer is known after
 * qtest_flush().
 */
#ifndef QTEST_H
#define QTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct qtest {
	pid_t pid;
	int to, from;
	char *out;		/* commands not yet sent */
	size_t out_len, out_size;
	uint64_t **slots;	/* where answers go, one for each; NULL: nowhere */
	size_t nr_slots, slots_size;
	char in[1 << 16];
	size_t in_len;
};

/* Start @argv; "-qtest stdio" is in it. Exits when that fails. */
void qtest_start(struct qtest *q, char *const argv[]);
void qtest_stop(struct qtest *q);
/* Send what was collected and wait for all answers. */
void qtest_flush(struct qtest *q);

void qtest_write32(struct qtest *q, uint64_t addr, uint32_t v);
void qtest_write64(struct qtest *q, uint64_t addr, uint64_t v);
void qtest_read32(struct qtest *q, uint64_t addr, uint64_t *v);
void qtest_read64(struct qtest *q, uint64_t addr, uint64_t *v);
void qtest_out32(struct qtest *q, uint16_t port, uint32_t v);
void qtest_in32(struct qtest *q, uint16_t port, uint64_t *v);
void qtest_write(struct qtest *q, uint64_t addr, const void *buf, size_t len);
void qtest_zero(struct qtest *q, uint64_t addr, size_t len);

#endif /* QTEST_H */
