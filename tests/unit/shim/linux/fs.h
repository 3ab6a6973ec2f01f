/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_FS_H
#define SHIM_LINUX_FS_H

/* Open files, as many operations as a character device has, and file memory. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/refcount.h>
#include <fcntl.h>
#include <sys/stat.h>

struct file;
struct module;

struct super_block {
	unsigned long s_magic;
	unsigned long s_blocksize;
};

struct inode {
	struct super_block *i_sb;
	unsigned int i_mode;
	struct page **pages;		/* of a file that can be mapped */
	unsigned long nr_pages;
};

struct poll_table_struct;

struct file_operations {
	struct module *owner;
	ssize_t (*read)(struct file *file, char *buf, size_t count, loff_t *pos);
	ssize_t (*write)(struct file *file, const char *buf, size_t count,
			 loff_t *pos);
	__poll_t (*poll)(struct file *file, struct poll_table_struct *wait);
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd,
			       unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd,
			     unsigned long arg);
	long long (*llseek)(struct file *file, long long offset, int whence);
};

#define FMODE_READ	0x1u
#define FMODE_WRITE	0x2u

struct file {
	const struct file_operations *f_op;
	struct inode *f_inode;
	void *private_data;
	fmode_t f_mode;
	refcount_t f_refs;
};

static inline struct file *get_file(struct file *file)
{
	refcount_inc(&file->f_refs);
	return file;
}

#define file_inode(file)	((file)->f_inode)
#define compat_ptr_ioctl	NULL
#define noop_llseek		NULL
#define MAX_LFS_FILESIZE	((s64)(U64_MAX >> 1))

static inline long long i_size_read(const struct inode *inode)
{
	return (long long)inode->nr_pages << PAGE_SHIFT;
}

unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags,
		      unsigned long offset);
int vm_munmap(unsigned long addr, size_t len);

#endif
