// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * iofd-hw TOPOLOGY FOLDER: serve the functions that TOPOLOGY describes, each on
 * FOLDER/NAME.sock. Prints the arguments with which QEMU has them, one a line,
 * and "ready" once the sockets are there. Ends when all connections that were
 * there are gone, or on SIGTERM.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "hw.h"

#define MAX_FDS	(HW_MAX_UNITS + HW_MAX_EPS)

struct hw hw;
static volatile sig_atomic_t stop;

uint64_t hw_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void on_signal(int nr)
{
	(void)nr;
	stop = 1;
}

static unsigned int collect(struct vu_dev **vus)
{
	unsigned int i, n = 0;

	for (i = 0; i < hw.nr_units; i++)
		vus[n++] = &hw.units[i]->vu;
	for (i = 0; i < hw.nr_eps; i++)
		vus[n++] = &hw.eps[i]->vu;
	return n;
}

static bool start(void)
{
	unsigned int i;
	int rc;

	for (i = 0; i < hw.nr_units; i++) {
		rc = unit_start(hw.units[i]);
		if (rc) {
			fprintf(stderr, "iofd-hw: unit %s: %s\n",
				hw.units[i]->name, strerror(-rc));
			return false;
		}
	}
	for (i = 0; i < hw.nr_eps; i++) {
		rc = ep_start(hw.eps[i]);
		if (rc) {
			fprintf(stderr, "iofd-hw: endpoint %s: %s\n",
				hw.eps[i]->name, strerror(-rc));
			return false;
		}
	}
	return true;
}

/* Everything that is due; returns when to come again. */
static uint64_t work(uint64_t now)
{
	uint64_t next = HW_NEVER, at;
	unsigned int i;

	/* A unit's answers let endpoints go on, but never the other way round. */
	for (i = 0; i < hw.nr_units; i++) {
		at = unit_work(hw.units[i], now);
		if (at < next)
			next = at;
	}
	for (i = 0; i < hw.nr_eps; i++) {
		at = ep_work(hw.eps[i], now);
		if (at < next)
			next = at;
	}
	return next;
}

static void loop(struct vu_dev **vus, unsigned int n, const sigset_t *sigs)
{
	struct pollfd fds[MAX_FDS];
	struct timespec ts;
	unsigned int i, open;
	uint64_t now, next;

	while (!stop) {
		now = hw_now();
		next = work(now);
		for (i = open = 0; i < n; i++) {
			fds[i] = vu_poll(vus[i]);
			open += fds[i].fd >= 0;
		}
		if (!open)
			return;
		if (next != HW_NEVER) {
			next = next > now ? next - now : 0;
			ts.tv_sec = (time_t)(next / 1000000);
			ts.tv_nsec = (long)(next % 1000000) * 1000;
		}
		if (ppoll(fds, n, next == HW_NEVER ? NULL : &ts, sigs) < 0) {
			if (errno != EINTR) {
				perror("iofd-hw: poll");
				return;
			}
			continue;
		}
		for (i = 0; i < n; i++)
			vu_serve(vus[i], fds[i].revents);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct vu_dev *vus[MAX_FDS];
	sigset_t block, old;
	unsigned int i, n;
	bool ok = false;

	if (argc != 3) {
		fprintf(stderr, "usage: iofd-hw TOPOLOGY FOLDER\n");
		return 2;
	}
	/* Signals come while we wait, and only then. */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);

	if (!topo_read(argv[1], argv[2]) && start()) {
		ok = true;
		topo_print();
		printf("ready\n");
		fflush(stdout);
		n = collect(vus);
		loop(vus, n, &old);
	}
	n = collect(vus);
	for (i = 0; i < n; i++)
		vu_close(vus[i]);
	for (i = 0; i < hw.nr_eps; i++)
		free(hw.eps[i]);
	for (i = 0; i < hw.nr_units; i++)
		unit_free(hw.units[i]);
	return ok ? 0 : 1;
}
