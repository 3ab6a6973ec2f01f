// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The server's side of vfio-user.
 */
#include <errno.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "vu.h"

enum vu_command {
	VU_VERSION = 1,
	VU_DMA_MAP = 2,
	VU_DMA_UNMAP = 3,
	VU_GET_INFO = 4,
	VU_GET_REGION_INFO = 5,
	VU_GET_IRQ_INFO = 7,
	VU_SET_IRQS = 8,
	VU_REGION_READ = 9,
	VU_REGION_WRITE = 10,
	VU_DMA_WRITE = 12,
	VU_RESET = 13,
};

#define VU_TYPE_MASK	0xf
#define VU_TYPE_REPLY	1
#define VU_NO_REPLY	0x10
#define VU_ERROR	0x20

struct vu_header {
	uint16_t id;
	uint16_t command;
	uint32_t bytes;
	uint32_t flags;
	uint32_t error;
};

struct vu_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t start;
	uint64_t bytes;
};

struct vu_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t start;
	uint64_t bytes;
};

struct vu_access {
	uint64_t offset;
	uint32_t region;
	uint32_t bytes;
};

/*
 * A memory write of the device. The protocol's length has 64 bits; some versions
 * of QEMU take 32, and the data at once behind it. Those with 64 refuse the short
 * form with E2BIG, because to them the data is part of the length.
 */
struct vu_dma_write {
	uint64_t pa;
	uint32_t length[3];
} __attribute__((packed));

/* The VMM is known to take the long form. */
static bool long_writes;

static const char version_json[] =
	"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":4096,"
	"\"pgsizes\":4096,\"max_dma_maps\":64}}";

__attribute__((format(printf, 2, 3)))
static void drop(struct vu_dev *vu, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "iofd-hw: %s: ", vu->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": connection dropped\n");
	vu_close(vu);
}

static void close_fds(struct vu_dev *vu)
{
	while (vu->nr_fds)
		close(vu->fds[--vu->nr_fds]);
}

static void irq_fd_set(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

static void irqs_off(struct vu_dev *vu, unsigned int index)
{
	unsigned int i;

	for (i = 0; i < VU_MAX_VECTORS; i++)
		irq_fd_set(&vu->irq_fd[index][i], -1);
}

int vu_open(struct vu_dev *vu)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	unsigned int i, j;
	int rc;

	vu->fd = -1;
	for (i = 0; i < VU_IRQS; i++)
		for (j = 0; j < VU_MAX_VECTORS; j++)
			vu->irq_fd[i][j] = -1;
	if (strlen(vu->path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, vu->path);
	unlink(vu->path);
	vu->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (vu->listen_fd < 0)
		return -errno;
	if (bind(vu->listen_fd, (void *)&addr, sizeof(addr)) ||
	    listen(vu->listen_fd, 1)) {
		rc = -errno;
		close(vu->listen_fd);
		vu->listen_fd = -1;
		return rc;
	}
	return 0;
}

void vu_close(struct vu_dev *vu)
{
	unsigned int i;

	if (vu->listen_fd >= 0) {
		close(vu->listen_fd);
		vu->listen_fd = -1;
		unlink(vu->path);
	}
	if (vu->fd < 0)
		return;
	close(vu->fd);
	vu->fd = -1;
	vu->ended = true;
	close_fds(vu);
	for (i = 0; i < VU_IRQS; i++)
		irqs_off(vu, i);
	free(vu->tx);
	vu->tx = NULL;
	vu->tx_bytes = vu->tx_room = 0;
	vu->ops->closed(vu);
	mem_unmap_all(&vu->mem);
}

struct pollfd vu_poll(const struct vu_dev *vu)
{
	if (vu->fd >= 0)
		return (struct pollfd) {
			.fd = vu->fd,
			.events = POLLIN | (vu->tx_bytes ? POLLOUT : 0),
		};
	return (struct pollfd) {
		.fd = vu->listen_fd,
		.events = vu->listen_fd >= 0 ? POLLIN : 0,
	};
}

/* Send what is waiting, as far as the socket takes it. */
static void flush(struct vu_dev *vu)
{
	ssize_t n;

	while (vu->tx_bytes) {
		n = send(vu->fd, vu->tx, vu->tx_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				drop(vu, "sending: %s", strerror(errno));
			return;
		}
		vu->tx_bytes -= (size_t)n;
		memmove(vu->tx, vu->tx + n, vu->tx_bytes);
	}
}

static void queue(struct vu_dev *vu, const struct vu_header *header,
		  const void *body)
{
	size_t need = vu->tx_bytes + header->bytes;
	uint8_t *tx;

	if (vu->fd < 0)
		return;
	if (need > vu->tx_room) {
		tx = realloc(vu->tx, need * 2);
		if (!tx) {
			drop(vu, "out of memory");
			return;
		}
		vu->tx = tx;
		vu->tx_room = need * 2;
	}
	memcpy(vu->tx + vu->tx_bytes, header, VU_HEADER_BYTES);
	if (header->bytes > VU_HEADER_BYTES)
		memcpy(vu->tx + vu->tx_bytes + VU_HEADER_BYTES, body,
		       header->bytes - VU_HEADER_BYTES);
	vu->tx_bytes = need;
	flush(vu);
}

/* Answer the command @to; a negative @rc is an error. */
static void reply(struct vu_dev *vu, const struct vu_header *to, const void *body,
		  uint32_t bytes, int rc)
{
	struct vu_header header = {
		.id = to->id,
		.command = to->command,
		.bytes = VU_HEADER_BYTES + (rc ? 0 : bytes),
		.flags = VU_TYPE_REPLY | (rc ? VU_ERROR : 0),
		.error = (uint32_t)-rc,
	};

	if (!(to->flags & VU_NO_REPLY))
		queue(vu, &header, body);
}

void vu_write_memory(struct vu_dev *vu, uint64_t pa, uint32_t value)
{
	struct vu_dma_write body = { pa, { sizeof(value), value, 0 } };
	struct vu_header header = {
		.id = vu->next_id++,
		.command = VU_DMA_WRITE,
		.bytes = VU_HEADER_BYTES + sizeof(body),
		.flags = VU_NO_REPLY,
	};

	if (long_writes) {
		body.length[1] = 0;
		body.length[2] = value;
	}
	vu->sent[header.id % VU_MAX_SENT] = (struct vu_sent) {
		.id = header.id, .is_short = !long_writes, .pa = pa, .value = value,
	};
	queue(vu, &header, &body);
}

/* A write was refused. */
static void write_refused(struct vu_dev *vu, const struct vu_header *header)
{
	struct vu_sent sent = vu->sent[header->id % VU_MAX_SENT];

	if (header->command == VU_DMA_WRITE && header->error == E2BIG &&
	    sent.id == header->id && sent.is_short) {
		long_writes = true;
		vu_write_memory(vu, sent.pa, sent.value);
	} else {
		vu->refused++;
	}
}

bool vu_interrupt(struct vu_dev *vu, unsigned int vector)
{
	static const unsigned int order[] = { VU_IRQ_MSIX, VU_IRQ_MSI };
	uint64_t one = 1;
	unsigned int i;

	if (vector >= VU_MAX_VECTORS)
		return false;
	for (i = 0; i < 2; i++) {
		int fd = vu->irq_fd[order[i]][vector];

		if (fd >= 0)
			return write(fd, &one, sizeof(one)) == sizeof(one);
	}
	return false;
}

static int set_irqs(struct vu_dev *vu, const struct vfio_irq_set *set)
{
	unsigned int i;

	if (set->index >= VU_IRQS ||
	    set->count > VU_MAX_VECTORS || set->start > VU_MAX_VECTORS ||
	    set->start + set->count > vu->ops->irqs(vu, set->index))
		return -EINVAL;
	switch (set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		break;
	case VFIO_IRQ_SET_ACTION_MASK:
	case VFIO_IRQ_SET_ACTION_UNMASK:
		return 0;
	default:
		return -EINVAL;
	}
	if (set->flags & VFIO_IRQ_SET_DATA_NONE) {
		if (!set->count)
			irqs_off(vu, set->index);
		return 0;
	}
	if (!(set->flags & VFIO_IRQ_SET_DATA_EVENTFD) ||
	    (vu->nr_fds && vu->nr_fds != set->count))
		return -EINVAL;
	for (i = 0; i < set->count; i++)
		irq_fd_set(&vu->irq_fd[set->index][set->start + i],
			   vu->nr_fds ? vu->fds[i] : -1);
	/* They are the slots' now. */
	vu->nr_fds = 0;
	return 0;
}

static int check_access(struct vu_dev *vu, const struct vu_access *access)
{
	uint64_t bytes;

	if (access->region >= VU_REGIONS || access->bytes > VU_MAX_ACCESS)
		return -EINVAL;
	bytes = vu->ops->region_bytes(vu, access->region);
	if (access->offset > bytes || access->bytes > bytes - access->offset)
		return -EINVAL;
	return 0;
}

static void get_info(struct vu_dev *vu, const struct vu_header *header)
{
	struct vfio_device_info info = {
		.argsz = 16,
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = VU_REGIONS,
		.num_irqs = VU_IRQS,
	};

	reply(vu, header, &info, 16, 0);
}

static void get_region_info(struct vu_dev *vu, const struct vu_header *header,
			    const struct vfio_region_info *asked)
{
	struct vfio_region_info info = {
		.argsz = sizeof(info), .index = asked->index,
	};

	if (asked->index >= VU_REGIONS) {
		reply(vu, header, NULL, 0, -EINVAL);
		return;
	}
	info.size = vu->ops->region_bytes(vu, asked->index);
	if (info.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ |
			     VFIO_REGION_INFO_FLAG_WRITE;
	reply(vu, header, &info, sizeof(info), 0);
}

static void get_irq_info(struct vu_dev *vu, const struct vu_header *header,
			 const struct vfio_irq_info *asked)
{
	struct vfio_irq_info info = {
		.argsz = sizeof(info), .index = asked->index,
	};

	if (asked->index >= VU_IRQS) {
		reply(vu, header, NULL, 0, -EINVAL);
		return;
	}
	info.count = vu->ops->irqs(vu, asked->index);
	if (info.count)
		info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
	reply(vu, header, &info, sizeof(info), 0);
}

static void version(struct vu_dev *vu, const struct vu_header *header,
		    const uint8_t *body)
{
	uint8_t answer[4 + sizeof(version_json)];

	/* Major and minor version as the client has them: 0.1 is all there is. */
	memcpy(answer, body, 4);
	memcpy(answer + 4, version_json, sizeof(version_json));
	reply(vu, header, answer, sizeof(answer), 0);
}

static void region_read(struct vu_dev *vu, const struct vu_header *header,
			const struct vu_access *access)
{
	uint8_t answer[sizeof(*access) + VU_MAX_ACCESS];
	int rc = check_access(vu, access);

	if (!rc) {
		memcpy(answer, access, sizeof(*access));
		vu->ops->read(vu, access->region, access->offset,
			      answer + sizeof(*access), access->bytes);
	}
	reply(vu, header, answer, sizeof(*access) + (rc ? 0 : access->bytes), rc);
}

static void region_write(struct vu_dev *vu, const struct vu_header *header,
			 const struct vu_access *access, uint32_t bytes)
{
	int rc = check_access(vu, access);

	if (!rc && access->bytes != bytes - sizeof(*access))
		rc = -EINVAL;
	if (!rc)
		vu->ops->write(vu, access->region, access->offset, access + 1,
			       access->bytes);
	reply(vu, header, access, sizeof(*access), rc);
}

static void dma_map(struct vu_dev *vu, const struct vu_header *header,
		    const struct vu_map *map)
{
	int fd = vu->nr_fds ? vu->fds[0] : -1;

	reply(vu, header, NULL, 0,
	      mem_map(&vu->mem, map->start, map->bytes, fd, map->offset,
		      map->flags & VFIO_DMA_MAP_FLAG_WRITE));
}

static void dma_unmap(struct vu_dev *vu, const struct vu_header *header,
		      const struct vu_unmap *unmap)
{
	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL)
		mem_unmap_all(&vu->mem);
	else
		mem_unmap(&vu->mem, unmap->start, unmap->bytes);
	reply(vu, header, unmap, sizeof(*unmap), 0);
}

/* Bytes that a command's fixed part has. */
static uint32_t fixed_bytes(unsigned int command)
{
	switch (command) {
	case VU_VERSION: return 4;
	case VU_DMA_MAP: return sizeof(struct vu_map);
	case VU_DMA_UNMAP: return sizeof(struct vu_unmap);
	case VU_GET_REGION_INFO: return sizeof(struct vfio_region_info);
	case VU_GET_IRQ_INFO: return sizeof(struct vfio_irq_info);
	case VU_SET_IRQS: return sizeof(struct vfio_irq_set);
	case VU_REGION_READ:
	case VU_REGION_WRITE: return sizeof(struct vu_access);
	default: return 0;
	}
}

static void handle(struct vu_dev *vu)
{
	union {
		uint8_t bytes[VU_MAX_MESSAGE];
		struct vu_map map;
		struct vu_unmap unmap;
		struct vu_access access;
		struct vfio_region_info region;
		struct vfio_irq_info irq;
		struct vfio_irq_set set;
	} body;
	struct vu_header header;
	uint32_t bytes;

	memcpy(&header, vu->rx, VU_HEADER_BYTES);
	bytes = header.bytes - VU_HEADER_BYTES;
	memcpy(&body, vu->rx + VU_HEADER_BYTES, bytes);

	/* Only writes that we started are ever answered, and only when refused. */
	if ((header.flags & VU_TYPE_MASK) == VU_TYPE_REPLY) {
		write_refused(vu, &header);
		return;
	}
	if (bytes < fixed_bytes(header.command)) {
		reply(vu, &header, NULL, 0, -EINVAL);
		return;
	}
	switch (header.command) {
	case VU_VERSION: version(vu, &header, body.bytes); break;
	case VU_DMA_MAP: dma_map(vu, &header, &body.map); break;
	case VU_DMA_UNMAP: dma_unmap(vu, &header, &body.unmap); break;
	case VU_GET_INFO: get_info(vu, &header); break;
	case VU_GET_REGION_INFO: get_region_info(vu, &header, &body.region); break;
	case VU_GET_IRQ_INFO: get_irq_info(vu, &header, &body.irq); break;
	case VU_SET_IRQS: reply(vu, &header, NULL, 0, set_irqs(vu, &body.set)); break;
	case VU_REGION_READ: region_read(vu, &header, &body.access); break;
	case VU_REGION_WRITE: region_write(vu, &header, &body.access, bytes); break;
	case VU_RESET:
		vu->ops->reset(vu);
		reply(vu, &header, NULL, 0, 0);
		break;
	default: reply(vu, &header, NULL, 0, -ENOTSUP); break;
	}
}

/* Take what is there of one message. False: nothing more, or the end. */
static bool receive(struct vu_dev *vu)
{
	char control[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
	uint32_t want = VU_HEADER_BYTES;
	struct vu_header header;
	struct cmsghdr *cmsg;
	struct iovec iov;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	if (vu->rx_bytes >= VU_HEADER_BYTES) {
		memcpy(&header, vu->rx, VU_HEADER_BYTES);
		want = header.bytes;
	}
	/* Never beyond a message: files come with the message they belong to. */
	iov = (struct iovec) { vu->rx + vu->rx_bytes, want - vu->rx_bytes };
	n = recvmsg(vu->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		vu_close(vu);
		return false;
	}
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		unsigned int k, nr = (unsigned int)((cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		int fd;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (k = 0; k < nr; k++) {
			memcpy(&fd, CMSG_DATA(cmsg) + k * sizeof(fd), sizeof(fd));
			if (vu->nr_fds < VU_MAX_FDS)
				vu->fds[vu->nr_fds++] = fd;
			else
				close(fd);
		}
	}
	vu->rx_bytes += (uint32_t)n;
	if (vu->rx_bytes == VU_HEADER_BYTES) {
		memcpy(&header, vu->rx, VU_HEADER_BYTES);
		want = header.bytes;
		if (want < VU_HEADER_BYTES || want > VU_MAX_MESSAGE) {
			drop(vu, "message of %u bytes", want);
			return false;
		}
	}
	if (vu->rx_bytes == want) {
		handle(vu);
		vu->rx_bytes = 0;
		close_fds(vu);
	}
	return vu->fd >= 0;
}

void vu_serve(struct vu_dev *vu, short revents)
{
	unsigned int budget = 64;

	if (!revents)
		return;
	if (vu->fd < 0) {
		if (vu->listen_fd < 0)
			return;
		vu->fd = accept4(vu->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (vu->fd < 0)
			return;
		close(vu->listen_fd);
		vu->listen_fd = -1;
		unlink(vu->path);
		return;
	}
	if (revents & POLLOUT)
		flush(vu);
	/* Others want to be served as well. */
	while (vu->fd >= 0 && budget-- && receive(vu))
		;
}
