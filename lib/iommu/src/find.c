// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From the name of a PCI function to its device file.
 *
 * sysfs says which file that is and which device number it has; the number is
 * compared with what was opened, for names in /dev can be stale.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "priv.h"

#define PATH_LEN 512

static const struct remedy open_remedies[] = {
	{ EACCES, "only its owner and group may open it" },
	{ ENOENT, "sysfs names it, but udev or devtmpfs has not made it" },
	{ EBUSY, "another program has opened it" },
	{}
};

int iommu_bdf_parse(const char *text, char bdf[IOMMU_BDF_LEN])
{
	unsigned int domain, bus, device, function;
	int end = 0;

	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function,
		   &end) != 4) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &function,
			   &end) != 3)
			return -EINVAL;
	}
	/* sscanf() skips white space and takes signs; names have neither. */
	if (text[end] || text[strspn(text, "0123456789abcdefABCDEF:.")] ||
	    device > 31 || function > 7)
		return -EINVAL;
	snprintf(bdf, IOMMU_BDF_LEN, "%04x:%02x:%02x.%x", domain & 0xffff,
		 bus & 0xff, device, function);
	return 0;
}

/* Name of the driver that a device has, "" without one. */
static void read_driver(const char *dev_path, char *name, size_t len)
{
	char link[PATH_LEN + 16], target[PATH_LEN];
	ssize_t n;

	snprintf(link, sizeof(link), "%s/driver", dev_path);
	n = readlink(link, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	snprintf(name, len, "%s", strrchr(target, '/') ? strrchr(target, '/') + 1 : "");
}

/* Find the vfioN in <device>/vfio-dev/. */
static bool find_vfio_name(const char *dev_path, char *name, size_t len)
{
	char path[PATH_LEN + 16];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/vfio-dev", dev_path);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "vfio", 4))
			continue;
		found = strlen(entry->d_name) < len;
		if (found)
			strcpy(name, entry->d_name);
	}
	closedir(dir);
	return found;
}

static bool read_devt(const char *dev_path, const char *vfio, dev_t *devt)
{
	char path[PATH_LEN + 64];
	unsigned int maj, min;
	FILE *file;
	int n;

	snprintf(path, sizeof(path), "%s/vfio-dev/%s/dev", dev_path, vfio);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fscanf(file, "%u:%u", &maj, &min);
	fclose(file);
	if (n != 2)
		return false;
	*devt = makedev(maj, min);
	return true;
}

/* Why has the device no file? */
static int explain_no_file(struct iommu_ctx *ctx, const char *bdf,
			   const char *dev_path)
{
	char driver[64];

	read_driver(dev_path, driver, sizeof(driver));
	if (!*driver)
		return iommu_refuse(ctx, ENODEV,
				    "%s has no driver: try 'iommuctl bind %s'",
				    bdf, bdf);
	return iommu_refuse(ctx, EBUSY,
			    "%s is driven by %s and not by iofd-pci: try 'iommuctl bind %s'",
			    bdf, driver, bdf);
}

int iommu_find_and_open(struct iommu_ctx *ctx, const char *bdf)
{
	char dev_path[PATH_LEN], node[PATH_LEN + 64], vfio[32];
	struct stat st;
	dev_t devt;
	int fd;

	if (snprintf(dev_path, sizeof(dev_path), "%s/sys/bus/pci/devices/%s",
		     ctx->root, bdf) >= (int)sizeof(dev_path))
		return iommu_fail(ctx, ENAMETOOLONG, NULL, "%s", ctx->root);
	if (access(dev_path, F_OK))
		return iommu_refuse(ctx, ENODEV, "there is no PCI function %s",
				    bdf);
	if (!find_vfio_name(dev_path, vfio, sizeof(vfio)) ||
	    !read_devt(dev_path, vfio, &devt))
		return explain_no_file(ctx, bdf, dev_path);

	snprintf(node, sizeof(node), "%s/dev/vfio/devices/%s", ctx->root, vfio);
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return iommu_fail(ctx, errno, open_remedies,
				  "%s: cannot open its device file %s", bdf, node);
	if (fstat(fd, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != devt) {
		close(fd);
		return iommu_refuse(ctx, ENODEV,
				    "%s: %s is stale, it belongs to another device",
				    bdf, node);
	}
	return fd;
}
