// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upstream's fault queues: the file of one.
 *
 * It can be waited for, read and written as upstream's. Nothing delivers into it:
 * what devices ask for is not passed on yet, and a table with a queue can be
 * attached to no device (see iofd_attach()).
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include "abi/upstream.h"
#include "core/core.h"
#include "core/hwpt.h"

/* Whole records alone, and an empty queue has none: never waits. */
static ssize_t fault_read(struct file *file, char __user *buf, size_t count,
			  loff_t *pos)
{
	return *pos || count % sizeof(struct up_page_request) ? -ESPIPE : 0;
}

/* No request has been read that could be answered. */
static ssize_t fault_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	struct up_page_response response;

	if (*pos || count % sizeof(response))
		return -ESPIPE;
	if (!count)
		return 0;
	if (copy_from_user(&response, buf, sizeof(response)))
		return -EFAULT;
	return -EINVAL;
}

static __poll_t fault_poll(struct file *file, struct poll_table_struct *wait)
{
	return EPOLLOUT;
}

static int fault_release(struct inode *inode, struct file *file)
{
	iofd_fault_queue_unuse(file->private_data);
	return 0;
}

static const struct file_operations fault_fops = {
	.owner = THIS_MODULE,
	.read = fault_read,
	.write = fault_write,
	.poll = fault_poll,
	.release = fault_release,
	.llseek = noop_llseek,
};

/**
 * struct fault_call - FAULT_QUEUE_ALLOC until its reply is written
 * @cmd: the caller's structure
 * @file: not installed yet
 */
struct fault_call {
	struct up_fault_queue cmd;
	struct file *file;
};

int iofd_up_fault_queue(struct iofd_ctx *ctx, void *arg)
{
	struct fault_call *call = arg;
	struct up_fault_queue *cmd = &call->cmd;
	struct iofd_fault_queue *queue;
	int fd, rc;

	BUILD_BUG_ON(sizeof(*call) > IOFD_ABI_CMD_BYTES);

	if (cmd->flags)
		return -EOPNOTSUPP;
	queue = iofd_fault_queue_alloc(ctx);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		rc = fd;
		goto err_queue;
	}
	call->file = anon_inode_getfile("[iommu-fault]", &fault_fops, queue,
					O_RDWR);
	if (IS_ERR(call->file)) {
		rc = PTR_ERR(call->file);
		goto err_fd;
	}
	cmd->fault_id = queue->obj.id;
	cmd->fault_fd = fd;
	iofd_object_publish(&queue->obj);
	return 0;

err_fd:
	put_unused_fd(fd);
err_queue:
	iofd_fault_queue_unuse(queue);
	iofd_fault_queue_destroy(queue);
	return rc;
}

void iofd_up_fault_queue_undo(struct iofd_ctx *ctx, void *arg)
{
	struct fault_call *call = arg;

	put_unused_fd(call->cmd.fault_fd);
	iofd_fault_queue_destroy(call->file->private_data);
	fput(call->file);
}

void iofd_up_fault_queue_done(struct iofd_ctx *ctx, void *arg)
{
	struct fault_call *call = arg;

	fd_install(call->cmd.fault_fd, call->file);
}
