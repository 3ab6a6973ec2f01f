// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "nlc.h"

/* libnl has error numbers of its own; these are the ones that matter here. */
static int to_errno(int nle)
{
	switch (nle < 0 ? -nle : nle) {
	case 0: return 0;
	case NLE_PERM: return -EPERM;
	case NLE_NOACCESS: return -EACCES;
	case NLE_NODEV: return -ENODEV;
	case NLE_OBJ_NOTFOUND: return -ENOENT;
	case NLE_BUSY: return -EBUSY;
	case NLE_NOMEM: return -ENOBUFS;	/* what it makes of ENOBUFS */
	case NLE_OPNOTSUPP: return -EOPNOTSUPP;
	case NLE_INVAL: return -EINVAL;
	case NLE_INTR: return -EINTR;
	case NLE_AGAIN: return -EAGAIN;
	}
	return -EIO;
}

const char *nlc_explain(int err)
{
	switch (err < 0 ? -err : err) {
	case ENOENT: return "the kernel does not answer: the module iofd is not loaded, try 'modprobe iofd'";
	case EPERM: case EACCES: return "only root (CAP_NET_ADMIN) may ask";
	case EBUSY: return "somebody is just binding or removing the device, try again";
	case ENODEV: return "there is no such device";
	case ENOBUFS: return "events came faster than they were read, and some are lost";
	}
	return strerror(err < 0 ? -err : err);
}

int nlc_open(struct nlc *nl)
{
	int rc;

	*nl = (struct nlc) { .sock = nl_socket_alloc() };
	if (!nl->sock)
		return -ENOMEM;
	rc = genl_connect(nl->sock);
	if (!rc) {
		nl->family = genl_ctrl_resolve(nl->sock, IOMMU_NL_FAMILY);
		if (nl->family < 0)
			rc = nl->family;
	}
	if (rc)
		nlc_close(nl);
	return to_errno(rc);
}

void nlc_close(struct nlc *nl)
{
	if (nl->sock)
		nl_socket_free(nl->sock);
	nl->sock = NULL;
}

/**
 * struct receiver - what is done with messages
 * @fn: receives them
 * @arg: for @fn
 */
struct receiver {
	nlc_message_fn fn;
	void *arg;
};

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[IOMMU_NL_A_MAX + 1];
	struct receiver *receiver = arg;
	struct nlmsghdr *header = nlmsg_hdr(msg);

	if (!genlmsg_valid_hdr(header, 0) ||
	    genlmsg_parse(header, 0, attrs, IOMMU_NL_A_MAX, NULL))
		return NL_SKIP;
	receiver->fn(genlmsg_hdr(header)->cmd, attrs, receiver->arg);
	return NL_OK;
}

/* Send a request and receive all that comes of it. */
static int request(struct nlc *nl, int cmd, int flags, const char *device,
		   nlc_message_fn fn, void *arg)
{
	struct receiver receiver = { fn, arg };
	struct nl_msg *msg;
	int rc;

	msg = nlmsg_alloc();
	if (!msg)
		return -ENOMEM;
	rc = -NLE_NOMEM;
	if (genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0, flags,
			(uint8_t)cmd, IOMMU_NL_VERSION) &&
	    (!device || !nla_put_string(msg, IOMMU_NL_A_DEVICE, device)))
		rc = nl_send_auto(nl->sock, msg);
	nlmsg_free(msg);
	if (rc < 0)
		return to_errno(rc);

	nl_socket_modify_cb(nl->sock, NL_CB_VALID, NL_CB_CUSTOM, on_message,
			    &receiver);
	rc = nl_recvmsgs_default(nl->sock);
	/* An answer to a single request is followed by an acknowledgement. */
	if (!rc && !(flags & NLM_F_DUMP))
		rc = nl_wait_for_ack(nl->sock);
	return to_errno(rc);
}

int nlc_dump(struct nlc *nl, int cmd, nlc_message_fn fn, void *arg)
{
	return request(nl, cmd, NLM_F_DUMP, NULL, fn, arg);
}

int nlc_get_device(struct nlc *nl, const char *name, nlc_message_fn fn, void *arg)
{
	return request(nl, IOMMU_NL_CMD_GET_DEVICE, NLM_F_ACK, name, fn, arg);
}

int nlc_subscribe(struct nlc *nl)
{
	int group, rc;

	group = genl_ctrl_resolve_grp(nl->sock, IOMMU_NL_FAMILY,
				      IOMMU_NL_GROUP_EVENTS);
	if (group < 0)
		return to_errno(group);
	/* Room for a burst: a stray device can fault many times a second. */
	nl_socket_set_buffer_size(nl->sock, 1 << 20, 0);
	nl_socket_disable_seq_check(nl->sock);
	rc = nl_socket_add_membership(nl->sock, group);
	if (rc)
		return to_errno(rc);
	return to_errno(nl_socket_set_nonblocking(nl->sock));
}

int nlc_receive(struct nlc *nl, nlc_message_fn fn, void *arg)
{
	struct receiver receiver = { fn, arg };

	nl_socket_modify_cb(nl->sock, NL_CB_VALID, NL_CB_CUSTOM, on_message,
			    &receiver);
	return to_errno(nl_recvmsgs_default(nl->sock));
}

int nlc_fd(struct nlc *nl)
{
	return nl_socket_get_fd(nl->sock);
}

uint32_t attr_u32(struct nlattr **attrs, int number)
{
	struct nlattr *attr = attrs[number];

	return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

uint64_t attr_u64(struct nlattr **attrs, int number)
{
	struct nlattr *attr = attrs[number];

	return attr && nla_len(attr) >= 8 ? nla_get_u64(attr) : 0;
}

const char *attr_string(struct nlattr **attrs, int number)
{
	struct nlattr *attr = attrs[number];

	if (!attr || nla_len(attr) < 1 ||
	    ((char *)nla_data(attr))[nla_len(attr) - 1])
		return "";
	return nla_get_string(attr);
}
