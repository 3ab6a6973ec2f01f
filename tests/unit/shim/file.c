// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Open files. All processes share one table of file descriptors.
 */
#include "internal.h"
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#define MAX_FDS		64
#define FIRST_FD	3

struct miscdevice *shim_misc;

static struct file *fds[MAX_FDS];
static unsigned long nr_files;

void shim_reset_files(void)
{
	memset(fds, 0, sizeof(fds));
	nr_files = 0;
	shim_misc = NULL;
}

int shim_files_left(void)
{
	if (nr_files)
		print_error("left at the end of the test: %lu open files\n",
			    nr_files);
	return nr_files ? -1 : 0;
}

static int install(struct file *file)
{
	int fd = FIRST_FD;

	while (fds[fd])
		BUG_ON(++fd == MAX_FDS);
	fds[fd] = file;
	nr_files++;
	return fd;
}

static struct file *file_new(const struct file_operations *fops,
			     unsigned int mode)
{
	struct file *file = calloc(1, sizeof(*file));
	struct inode *inode = calloc(1, sizeof(*inode));
	struct super_block *sb = calloc(1, sizeof(*sb));

	if (!file || !inode || !sb)
		abort();
	inode->i_sb = sb;
	inode->i_mode = mode;
	file->f_op = fops;
	file->f_inode = inode;
	file->f_mode = FMODE_READ | FMODE_WRITE;
	refcount_set(&file->f_refs, 1);
	return file;
}

static void file_free(struct file *file)
{
	free(file->f_inode->pages);
	free(file->f_inode->i_sb);
	free(file->f_inode);
	free(file);
}

int shim_open(const struct file_operations *fops)
{
	struct file *file = file_new(fops, S_IFCHR | 0600);
	int rc;

	rc = fops->open ? fops->open(file->f_inode, file) : 0;
	if (rc) {
		file_free(file);
		return rc;
	}
	__module_get(fops->owner);
	return install(file);
}

int shim_open_memory(unsigned long magic, unsigned long nr_pages,
		     unsigned long block_bytes)
{
	static const struct file_operations none;
	struct file *file = file_new(&none, S_IFREG | 0600);
	struct inode *inode = file->f_inode;
	struct page *page = shim_frames(nr_pages, 0, SZ_2M);
	unsigned long i;

	inode->i_sb->s_magic = magic;
	inode->i_sb->s_blocksize = block_bytes;
	inode->pages = malloc(nr_pages * sizeof(*inode->pages));
	if (!inode->pages)
		abort();
	inode->nr_pages = nr_pages;
	for (i = 0; i < nr_pages; i++) {
		page[i] = (struct page) { .flags = SHIM_PAGE_USER, .refs = 1 };
		inode->pages[i] = &page[i];
	}
	return install(file);
}

struct file *shim_file(int fd)
{
	return fd >= 0 && fd < MAX_FDS ? fds[fd] : NULL;
}

long shim_ioctl(int fd, unsigned int cmd, void *arg)
{
	struct file *file = shim_file(fd);

	return file->f_op->unlocked_ioctl(file, cmd, (unsigned long)arg);
}

void shim_close(int fd)
{
	struct file *file = shim_file(fd);

	BUG_ON(!file);
	fds[fd] = NULL;
	fput(file);
}

/* A number that is taken, and has no file yet */
static struct file reserved_fd;

int get_unused_fd_flags(unsigned int flags)
{
	if (shim_must_fail(GFP_KERNEL, __FILE__, __LINE__))
		return -ENOMEM;
	return install(&reserved_fd);
}

void put_unused_fd(unsigned int fd)
{
	BUG_ON(fds[fd] != &reserved_fd);
	fds[fd] = NULL;
	nr_files--;
}

void fd_install(unsigned int fd, struct file *file)
{
	put_unused_fd(fd);
	fds[fd] = file;
}

struct file *anon_inode_getfile(const char *name,
				const struct file_operations *fops, void *priv,
				int flags)
{
	struct file *file;

	if (shim_must_fail(GFP_KERNEL, __FILE__, __LINE__))
		return ERR_PTR(-ENOMEM);
	__module_get(fops->owner);
	file = file_new(fops, S_IFREG | 0600);
	file->private_data = priv;
	nr_files++;
	return file;
}

struct file *fget(unsigned int fd)
{
	struct file *file = shim_file(fd);

	if (file)
		refcount_inc(&file->f_refs);
	return file;
}

void fput(struct file *file)
{
	if (!refcount_dec_and_test(&file->f_refs))
		return;
	if (file->f_op->release)
		file->f_op->release(file->f_inode, file);
	module_put(file->f_op->owner);
	nr_files--;
	file_free(file);
}

int misc_register(struct miscdevice *misc)
{
	BUG_ON(shim_misc);
	if (shim_must_fail(GFP_KERNEL, __FILE__, __LINE__))
		return -ENOMEM;
	shim_misc = misc;
	return 0;
}

void misc_deregister(struct miscdevice *misc)
{
	BUG_ON(shim_misc != misc);
	shim_misc = NULL;
}
