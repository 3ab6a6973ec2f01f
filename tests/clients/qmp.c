// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * qmp SOCKET SECONDS COMMAND [EVENT]: give a running QEMU a command (JSON) and wait
 * for its answer, and for an event whose line has the text EVENT in it. What QEMU
 * says is printed. Status: 0 all came, 1 QEMU refuses, 2 not in that time.
 */
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int sock;
static struct timespec until;

static int left_ms(void)
{
	struct timespec now;
	long long ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (until.tv_sec - now.tv_sec) * 1000LL + (until.tv_nsec - now.tv_nsec) / 1000000;
	return ms > 0 ? (int)ms : 0;
}

/* A line without its end; what does not fit is cut off. */
static void read_line(char *line, size_t size)
{
	struct pollfd wait = { .fd = sock, .events = POLLIN };
	size_t length = 0;
	char c;

	for (;;) {
		if (poll(&wait, 1, left_ms()) <= 0)
			errx(2, "nothing more in time");
		if (read(sock, &c, 1) != 1)
			errx(1, "QEMU is gone");
		if (c == '\n')
			break;
		if (c != '\r' && length + 1 < size)
			line[length++] = c;
	}
	line[length] = 0;
	puts(line);
}

static void say(const char *text)
{
	if (dprintf(sock, "%s\n", text) < 0)
		err(1, "QEMU is gone");
}

static bool is_answer(const char *line)
{
	if (!strncmp(line, "{\"error\"", 8))
		errx(1, "QEMU refuses");
	return !strncmp(line, "{\"return\"", 9);
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	bool answered = false, happened;
	char line[4096];

	if (argc < 4 || argc > 5)
		errx(1, "usage: qmp SOCKET SECONDS COMMAND [EVENT]");
	setlinebuf(stdout);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += atoi(argv[2]);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", argv[1]);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&at, sizeof(at)))
		err(1, "%s", argv[1]);

	read_line(line, sizeof(line));
	say("{\"execute\":\"qmp_capabilities\"}");
	do
		read_line(line, sizeof(line));
	while (!is_answer(line));
	say(argv[3]);
	happened = argc < 5;
	while (!answered || !happened) {
		read_line(line, sizeof(line));
		if (is_answer(line))
			answered = true;
		else if (argc == 5 && strstr(line, argv[4]))
			happened = true;
	}
	return 0;
}
