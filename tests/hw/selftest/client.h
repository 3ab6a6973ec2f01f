/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The VMM's side of vfio-user in the same process and thread: what is sent is
 * handled before the answer is looked for. Time stands still unless it is moved.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../server/hw.h"

#define RAM_BYTES	(4u << 20)

/* The guest's memory, from physical address 0 on. */
extern uint8_t *ram;
extern uint64_t now;

/* Start the machine that @topology describes; every function has the memory. */
void machine_start(const char *topology);
void machine_end(void);

/* Do what is due until nothing is. */
void machine_work(void);

/* A function by its name. */
struct vu_dev *function(const char *name);
struct ep *endpoint(const char *name);
struct unit *remapping_unit(const char *name);

/* Send raw bytes to a function, and have it look at them. */
void client_raw(struct vu_dev *vu, const void *bytes, size_t n);

/*
 * Send a command with up to one file. The answer's body goes to @answer, at most
 * @room bytes. Returns its length, or -errno if the answer is an error.
 */
int client_command(struct vu_dev *vu, unsigned int command, const void *body,
		   size_t bytes, int fd, void *answer, size_t room);

/* A message that the function began: memory write. False: there is none. */
extern bool client_wants_long_writes;
bool client_memory_write(struct vu_dev *vu, uint64_t *pa, uint32_t *value);

uint64_t bar_read(struct vu_dev *vu, unsigned int bar, uint64_t off,
		  unsigned int bytes);
void bar_write(struct vu_dev *vu, unsigned int bar, uint64_t off,
	       unsigned int bytes, uint64_t value);
#define CONFIG VU_REGION_CONFIG

#endif /* CLIENT_H */
