// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iommuctl.h"
#include "sys.h"

static char *vpath(const char *format, va_list args)
{
	const char *root = secure_getenv("IOMMUCTL_ROOT");
	char *relative, *path;

	if (vasprintf(&relative, format, args) < 0)
		exit(say_error("out of memory"));
	path = xasprintf("%s%s", root ? root : "", relative);
	free(relative);
	return path;
}

#define PATH(path, format) do {				\
		va_list args_;				\
							\
		va_start(args_, format);		\
		(path) = vpath(format, args_);		\
		va_end(args_);				\
	} while (0)

char *sys_path(const char *format, ...)
{
	char *path;

	PATH(path, format);
	return path;
}

bool sys_exists(const char *format, ...)
{
	char *path;
	bool exists;

	PATH(path, format);
	exists = !access(path, F_OK);
	free(path);
	return exists;
}

static bool read_line(const char *path, char *text, size_t len)
{
	FILE *file = fopen(path, "re");
	bool ok;

	*text = '\0';
	if (!file)
		return false;
	ok = fgets(text, (int)len, file);
	fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return ok;
}

bool sys_read(char *text, size_t len, const char *format, ...)
{
	char *path;
	bool ok;

	PATH(path, format);
	ok = read_line(path, text, len);
	free(path);
	return ok;
}

bool sys_read_hex(uint64_t *value, const char *format, ...)
{
	char *path, *end, text[64];
	bool ok;

	PATH(path, format);
	ok = read_line(path, text, sizeof(text));
	free(path);
	if (!ok)
		return false;
	*value = strtoull(text, &end, 16);
	return end != text;
}

bool sys_link(char *name, size_t len, const char *format, ...)
{
	char *path, *slash, target[4096];
	ssize_t n;

	PATH(path, format);
	n = readlink(path, target, sizeof(target) - 1);
	free(path);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, len, "%s", slash ? slash + 1 : target);
	return n > 0;
}

int sys_write(const char *text, const char *format, ...)
{
	char *path;
	ssize_t n;
	int fd, rc = 0;

	PATH(path, format);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return -errno;
	/* In one piece: an attribute takes each write as a whole value. */
	n = write(fd, text, strlen(text));
	if (n < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int compare(const void *a, const void *b)
{
	return strverscmp(*(char * const *)a, *(char * const *)b);
}

char **sys_names(const char *format, ...)
{
	struct dirent *entry;
	char **names = NULL;
	size_t count = 0;
	char *path;
	DIR *dir;

	PATH(path, format);
	dir = opendir(path);
	free(path);
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		names = xgrow(names, count, sizeof(char *));
		names[count++] = xasprintf("%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (count)
		qsort(names, count, sizeof(char *), compare);
	names = xgrow(names, count, sizeof(char *));
	names[count] = NULL;
	return names;
}

void sys_names_free(char **names)
{
	size_t i;

	for (i = 0; names[i]; i++)
		free(names[i]);
	free(names);
}
