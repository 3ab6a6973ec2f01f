/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client of the generic netlink family "ioasid", on libnl.
 */
#ifndef IOMMUCTL_NLC_H
#define IOMMUCTL_NLC_H

#include <netlink/attr.h>

#include <linux/ioasid_netlink.h>

#include "iommuctl.h"

struct nl_sock;

/**
 * struct nlc - a connection
 * @sock: libnl's
 * @family: number of the family
 */
struct nlc {
	struct nl_sock *sock;
	int family;
};

/**
 * typedef nlc_message_fn - receives a message
 * @cmd: enum iommu_nl_cmd
 * @attrs: its attributes by number, NULL where there is none
 * @arg: the caller's
 */
typedef void (*nlc_message_fn)(int cmd, struct nlattr **attrs, void *arg);

/**
 * nlc_open() - connect
 * @nl: the connection
 *
 * Return: 0; -ENOENT: the kernel does not know the family.
 */
int nlc_open(struct nlc *nl);

/** nlc_close() - disconnect; does nothing when it is not connected */
void nlc_close(struct nlc *nl);

/**
 * nlc_dump() - ask for all of a kind
 * @nl: the connection
 * @cmd: the command
 * @fn: receives the answers
 * @arg: for @fn
 *
 * Return: 0 or a negative errno, -EPERM for the unprivileged.
 */
int nlc_dump(struct nlc *nl, int cmd, nlc_message_fn fn, void *arg);

/** nlc_get_device() - ask for one device; as nlc_dump(), -ENODEV: no such device */
int nlc_get_device(struct nlc *nl, const char *name, nlc_message_fn fn, void *arg);

/** nlc_subscribe() - listen to the events from now on */
int nlc_subscribe(struct nlc *nl);

/**
 * nlc_receive() - receive what has arrived; the socket is readable
 * @nl: the connection
 * @fn: receives the events
 * @arg: for @fn
 *
 * Return: 0; -ENOBUFS: events were lost; other negative errnos.
 */
int nlc_receive(struct nlc *nl, nlc_message_fn fn, void *arg);

/** nlc_fd() - to poll */
int nlc_fd(struct nlc *nl);

/** nlc_explain() - cause and remedy of an error of these functions */
const char *nlc_explain(int err);

/* Attributes of a message; 0 or "" when it has not got them. */
uint32_t attr_u32(struct nlattr **attrs, int number);
uint64_t attr_u64(struct nlattr **attrs, int number);
const char *attr_string(struct nlattr **attrs, int number);

/* state.c */

/**
 * struct nlc_context - an open of /dev/iommu
 * @id: its number
 * @pid: who opened it
 * @uid: who is charged
 * @comm: name of the program
 */
struct nlc_context {
	uint32_t id;
	uint32_t pid;
	uint32_t uid;
	char comm[32];
};

/**
 * struct nlc_space - an IOASID
 * @context: of which context
 * @ioasid: its number
 * @type: enum iommu_ioasid_type
 * @coherency: enum iommu_ioasid_coherency
 * @parent: 0 for a root
 * @table_addr: a user's table: where it is in the parent
 * @realised: a child: IOMMU_IOASID_INFO_HW_NESTED, IOMMU_IOASID_INFO_COMPOSED
 * @level: how many are above it in the order of nlc_load()
 * @nr_mappings: mappings
 * @mapped: bytes
 * @pinned: bytes
 * @charged: bytes
 */
struct nlc_space {
	uint32_t context;
	uint32_t ioasid;
	uint32_t type;
	uint32_t coherency;
	uint32_t parent;
	uint32_t realised;
	unsigned int level;
	uint64_t table_addr;
	uint64_t nr_mappings;
	uint64_t mapped;
	uint64_t pinned;
	uint64_t charged;
};

/**
 * struct nlc_binding - a device bound to a context
 * @context: which
 * @device: the device
 * @subdevice: the part of it that it is about; "" for all of it
 * @label: its label
 * @ioasid: what its DMA without PASID goes through, 0: blocked
 * @unit: its remapping unit
 * @provider: what programs it
 */
struct nlc_binding {
	uint32_t context;
	char device[NAME_LEN];
	char subdevice[NAME_LEN];
	uint64_t label;
	uint32_t ioasid;
	char unit[NAME_LEN];
	char provider[NAME_LEN];
};

/**
 * struct nlc_attachment - a device attached to an IOASID
 * @context: of which context
 * @label: of which binding in it
 * @ioasid: the IOASID
 * @pasid: for DMA with it; 0: without
 * @covered: attachments over it that have its DMA
 * @realised: IOMMU_IOASID_INFO_HW_NESTED, IOMMU_IOASID_INFO_COMPOSED
 */
struct nlc_attachment {
	uint32_t context;
	uint64_t label;
	uint32_t ioasid;
	uint32_t pasid;
	uint32_t covered;
	uint32_t realised;
};

/**
 * struct nlc_state - everything that is in use
 * @contexts: contexts
 * @nr_contexts: how many
 * @spaces: IOASIDs, those of a context together, children after their parent
 * @nr_spaces: how many
 * @bindings: bindings
 * @nr_bindings: how many
 * @attachments: attachments, those of a binding together: the stack without
 *	PASID from the top down, then in order of PASIDs
 * @nr_attachments: how many
 */
struct nlc_state {
	struct nlc_context *contexts;
	size_t nr_contexts;
	struct nlc_space *spaces;
	size_t nr_spaces;
	struct nlc_binding *bindings;
	size_t nr_bindings;
	struct nlc_attachment *attachments;
	size_t nr_attachments;
};

/** nlc_load() - ask for all; 0 or as nlc_dump(); to be freed with nlc_state_free() */
int nlc_load(struct nlc *nl, struct nlc_state *state);

/** nlc_state_free() - free it */
void nlc_state_free(struct nlc_state *state);

/**
 * nlc_attachments() - the attachments of a binding
 * @state: the state
 * @binding: one of its bindings
 * @nr: output: how many
 *
 * Return: the first of them.
 */
const struct nlc_attachment *nlc_attachments(const struct nlc_state *state,
					     const struct nlc_binding *binding,
					     size_t *nr);

/** nlc_find_context() - by number; NULL when it has gone meanwhile */
const struct nlc_context *nlc_find_context(const struct nlc_state *state,
					 uint32_t id);

#endif /* IOMMUCTL_NLC_H */
