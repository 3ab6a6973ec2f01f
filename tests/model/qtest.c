// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "qtest.h"

#define TIMEOUT_MS	60000

static void die(const char *what)
{
	fprintf(stderr, "vtd_judge: %s: %s\n", what, strerror(errno));
	exit(2);
}

void qtest_start(struct qtest *q, char *const argv[])
{
	int to[2], from[2];

	memset(q, 0, sizeof(*q));
	signal(SIGPIPE, SIG_IGN);
	if (pipe(to) || pipe(from))
		die("pipe");
	q->pid = fork();
	if (q->pid < 0)
		die("fork");
	if (!q->pid) {
		int quiet = getenv("JUDGE_QEMU_STDERR") ? -1 :
			    open("/dev/null", O_WRONLY);

		/* It goes when this program goes, however that happens. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(to[0], 0);
		dup2(from[1], 1);
		if (quiet >= 0)
			dup2(quiet, 2);
		close(to[1]);
		close(from[0]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	q->to = to[1];
	q->from = from[0];
	if (fcntl(q->to, F_SETFL, O_NONBLOCK))
		die("fcntl");
}

void qtest_stop(struct qtest *q)
{
	kill(q->pid, SIGKILL);
	waitpid(q->pid, NULL, 0);
	close(q->to);
	close(q->from);
	free(q->out);
	free(q->slots);
}

static void *grow(void *p, size_t *size, size_t need, size_t each)
{
	if (need <= *size)
		return p;
	*size = need * 2 + 64;
	p = realloc(p, *size * each);
	if (!p)
		die("realloc");
	return p;
}

/* One more answer is to come. */
static void expect(struct qtest *q, uint64_t *slot)
{
	q->slots = grow(q->slots, &q->slots_size, q->nr_slots + 1,
			sizeof(*q->slots));
	q->slots[q->nr_slots++] = slot;
}

__attribute__((format(printf, 3, 4)))
static void command(struct qtest *q, uint64_t *slot, const char *format, ...)
{
	va_list args;
	int n;

	q->out = grow(q->out, &q->out_size, q->out_len + 128, 1);
	va_start(args, format);
	n = vsnprintf(q->out + q->out_len, 128, format, args);
	va_end(args);
	if (n < 0 || n >= 128)
		die("command");
	q->out_len += (size_t)n;
	expect(q, slot);
}

void qtest_write(struct qtest *q, uint64_t addr, const void *buf, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *p = buf;
	size_t i;

	q->out = grow(q->out, &q->out_size, q->out_len + 128 + 2 * len, 1);
	q->out_len += (size_t)sprintf(q->out + q->out_len,
				      "write 0x%llx 0x%zx 0x",
				      (unsigned long long)addr, len);
	for (i = 0; i < len; i++) {
		q->out[q->out_len++] = hex[p[i] >> 4];
		q->out[q->out_len++] = hex[p[i] & 15];
	}
	q->out[q->out_len++] = '\n';
	expect(q, NULL);
}

/* Returns whether it was the answer to a command. */
static bool answer(struct qtest *q, char *line, uint64_t *slot)
{
	(void)q;
	if (!strncmp(line, "IRQ", 3))
		return false;
	if (strncmp(line, "OK", 2)) {
		fprintf(stderr, "vtd_judge: QEMU says: %s\n", line);
		exit(2);
	}
	if (slot)
		*slot = strtoull(line + 2, NULL, 0);
	return true;
}

void qtest_flush(struct qtest *q)
{
	size_t sent = 0, done = 0;

	while (done < q->nr_slots) {
		struct pollfd fds[2] = {
			{ .fd = q->from, .events = POLLIN },
			{ .fd = q->to, .events = POLLOUT },
		};
		char *line = q->in, *end;
		ssize_t n;

		if (poll(fds, sent < q->out_len ? 2 : 1, TIMEOUT_MS) <= 0) {
			errno = ETIMEDOUT;
			die("QEMU does not answer");
		}
		if (sent < q->out_len && fds[1].revents) {
			n = write(q->to, q->out + sent, q->out_len - sent);
			if (n > 0)
				sent += (size_t)n;
			else if (errno != EAGAIN)
				die("QEMU does not listen");
		}
		if (!fds[0].revents)
			continue;
		n = read(q->from, q->in + q->in_len,
			 sizeof(q->in) - q->in_len - 1);
		if (n <= 0) {
			errno = EPIPE;
			die("QEMU ended (JUDGE_QEMU_STDERR=1 shows what it says)");
		}
		q->in_len += (size_t)n;
		q->in[q->in_len] = 0;
		while ((end = strchr(line, '\n'))) {
			*end = 0;
			if (answer(q, line, done < q->nr_slots ? q->slots[done] :
					    NULL))
				done++;
			line = end + 1;
		}
		q->in_len -= (size_t)(line - q->in);
		memmove(q->in, line, q->in_len);
	}
	q->out_len = 0;
	q->nr_slots = 0;
}

void qtest_write32(struct qtest *q, uint64_t addr, uint32_t v)
{
	command(q, NULL, "writel 0x%llx 0x%x\n", (unsigned long long)addr, v);
}

void qtest_write64(struct qtest *q, uint64_t addr, uint64_t v)
{
	command(q, NULL, "writeq 0x%llx 0x%llx\n", (unsigned long long)addr,
		(unsigned long long)v);
}

void qtest_read32(struct qtest *q, uint64_t addr, uint64_t *v)
{
	command(q, v, "readl 0x%llx\n", (unsigned long long)addr);
}

void qtest_read64(struct qtest *q, uint64_t addr, uint64_t *v)
{
	command(q, v, "readq 0x%llx\n", (unsigned long long)addr);
}

void qtest_out32(struct qtest *q, uint16_t port, uint32_t v)
{
	command(q, NULL, "outl 0x%x 0x%x\n", port, v);
}

void qtest_in32(struct qtest *q, uint16_t port, uint64_t *v)
{
	command(q, v, "inl 0x%x\n", port);
}

void qtest_zero(struct qtest *q, uint64_t addr, size_t len)
{
	command(q, NULL, "memset 0x%llx 0x%zx 0x00\n", (unsigned long long)addr,
		len);
}
