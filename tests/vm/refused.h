/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reports of refused DMA in the kernel's log. The kernel prints at most ten of a
 * kind in five seconds, so tests that look for one wait until it would be seen.
 */
#ifndef REFUSED_H
#define REFUSED_H

#include "edu.h"

#define REFUSED_BURST	9
#define REFUSED_S	5.3

/* When the last reports were expected; one for all processes of the program. */
static double *refused_times;

UNUSED static void refused_init(void)
{
	refused_times = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Before DMA that will be refused; an fd to hand to refused_find(). */
UNUSED static int refused_watch(void)
{
	double wait = refused_times[0] + REFUSED_S - check_now();
	int fd;

	if (wait > 0 && refused_times[0] > 0)
		check_sleep_ms((unsigned int)(wait * 1000));
	memmove(refused_times, refused_times + 1,
		(REFUSED_BURST - 1) * sizeof(double));
	refused_times[REFUSED_BURST - 1] = check_now();
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* DMA that may well be refused without anybody looking for the report. */
UNUSED static void refused_unwatched(void)
{
	close(refused_watch());
}

/* A line with all of @words (up to NULL) since @fd was opened? */
UNUSED static bool refused_find_words(int fd, const char *const words[], int wait_ms)
{
	double end = check_now() + wait_ms / 1000.0;
	char record[2048];
	ssize_t n;
	int i;

	for (;;) {
		n = read(fd, record, sizeof(record) - 1);
		if (n > 0) {
			record[n] = 0;
			for (i = 0; words[i]; i++)
				if (!strstr(record, words[i]))
					break;
			if (!words[i])
				return true;
		} else if (n < 0 && errno == EPIPE) {
			continue;
		} else {
			if (check_now() > end)
				return false;
			check_sleep_ms(20);
		}
	}
}

/*
 * Was DMA of the function at @iova reported, with this label, and this IOASID (0:
 * attached to nothing)? Closes @fd.
 */
UNUSED static bool refused_find(int fd, const char *bdf, bool write, __u64 iova,
				__u64 label, int ioasid)
{
	char access[64], who[96];
	const char *words[] = { bdf, access, "refused: ", "(reason 0x", who, NULL };
	bool found;

	snprintf(access, sizeof(access), "DMA %s 0x%llx ",
		 write ? "write to" : "read of",
		 (unsigned long long)(iova & ~(PAGE - 1)));
	if (ioasid)
		snprintf(who, sizeof(who), "label 0x%llx, IOASID %d",
			 (unsigned long long)label, ioasid);
	else
		snprintf(who, sizeof(who), "label 0x%llx, attached to nothing",
			 (unsigned long long)label);
	found = refused_find_words(fd, words, 3000);
	close(fd);
	return found;
}

#endif /* REFUSED_H */
