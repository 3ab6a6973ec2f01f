// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "ioasid": who holds which address spaces, what
 * devices can do, and events. Only looks; changes nothing.
 *
 * Dumps resume by number and not by pointer, because everything may have
 * changed in between: contexts and objects in the order of their ids; bindings
 * and PCI functions by their place in the list, so that one that comes or goes
 * meanwhile may move another out of the answer; the attachments of a binding by
 * their place in the stack, and then by PASID.
 */
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/sched/user.h>
#include <net/genetlink.h>
#include <uapi/linux/ioasid_netlink.h>
#include "compat/compat.h"
#include "core/space.h"
#include "core/event.h"

enum iofd_netlink_group {
	IOFD_NETLINK_EVENTS,
};

static const struct genl_multicast_group netlink_groups[] = {
	[IOFD_NETLINK_EVENTS] = {
		.name = IOMMU_NL_GROUP_EVENTS,
#ifdef HAVE_GENL_MCAST_GROUP_FLAGS
		.flags = GENL_MCAST_CAP_NET_ADMIN,
#endif
	},
};

static const struct nla_policy netlink_policy[IOMMU_NL_A_DEVICE + 1] = {
	[IOMMU_NL_A_DEVICE] = { .type = NLA_NUL_STRING, .len = 64 },
};

static struct genl_family netlink_family;

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, IOMMU_NL_A_PAD);
}

/* A device, or a part of one */
static int put_names(struct sk_buff *skb, const struct device *dev,
		     const char *subdev)
{
	int rc = nla_put_string(skb, IOMMU_NL_A_DEVICE, dev_name(dev));

	if (!rc && subdev)
		rc = nla_put_string(skb, IOMMU_NL_A_SUBDEVICE, subdev);
	return rc;
}

/* Begin one message of a dump. */
static void *dump_start(struct sk_buff *skb, struct netlink_callback *cb,
			u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &netlink_family, NLM_F_MULTI, cmd);
}

/* Contexts */

static u32 count_spaces(struct iofd_ctx *ctx)
{
	struct iofd_object *obj;
	unsigned long id;
	u32 count = 0;

	/* An object seen here may be on its way out: RCU only keeps the array. */
	xa_lock(&ctx->objects);
	xa_for_each(&ctx->objects, id, obj)
		count += obj->type == IOFD_OBJ_SPACE;
	xa_unlock(&ctx->objects);
	return count;
}

static u32 count_list(const struct list_head *head)
{
	const struct list_head *entry;
	u32 count = 0;

	list_for_each(entry, head)
		count++;
	return count;
}

static int put_context(struct sk_buff *skb, struct netlink_callback *cb,
		       struct iofd_ctx *ctx)
{
	uid_t uid = from_kuid_munged(&init_user_ns, ctx->account->user->uid);
	void *head;

	head = dump_start(skb, cb, IOMMU_NL_CMD_GET_CONTEXT);
	if (!head)
		return -EMSGSIZE;
	if (nla_put_u32(skb, IOMMU_NL_A_CONTEXT, ctx->id) ||
	    nla_put_u32(skb, IOMMU_NL_A_PID, ctx->pid) ||
	    nla_put_u32(skb, IOMMU_NL_A_UID, uid) ||
	    nla_put_string(skb, IOMMU_NL_A_COMM, ctx->comm) ||
	    nla_put_u32(skb, IOMMU_NL_A_NR_SPACES, count_spaces(ctx)) ||
	    nla_put_u32(skb, IOMMU_NL_A_NR_DEVICES, count_list(&ctx->bindings))) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

static int dump_contexts(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct iofd_ctx *ctx;

	mutex_lock(&iofd_topology_lock);
	list_for_each_entry(ctx, &iofd_contexts, all) {
		if (ctx->id <= cb->args[0])
			continue;
		if (put_context(skb, cb, ctx))
			break;
		cb->args[0] = ctx->id;
	}
	mutex_unlock(&iofd_topology_lock);
	return skb->len;
}

/* Address spaces */

/* What there is of a child besides: its parent, and how it is realised. */
static int put_child(struct sk_buff *skb, const struct iofd_space *space)
{
	unsigned int nested = READ_ONCE(space->nr_nested);
	u32 flags = 0;

	if (!space->parent)
		return 0;
	if (nested)
		flags |= IOMMU_IOASID_INFO_HW_NESTED;
	if (READ_ONCE(space->nr_attaches) > nested)
		flags |= IOMMU_IOASID_INFO_COMPOSED;
	if (nla_put_u32(skb, IOMMU_NL_A_PARENT, space->parent->obj.id) ||
	    nla_put_u32(skb, IOMMU_NL_A_DEPTH, space->depth) ||
	    nla_put_u32(skb, IOMMU_NL_A_NESTING, space->nesting) ||
	    nla_put_u32(skb, IOMMU_NL_A_REALISED, flags) ||
	    (iofd_space_user_managed(space) &&
	     put_u64(skb, IOMMU_NL_A_TABLE_ADDR, space->table_addr)))
		return -EMSGSIZE;
	return 0;
}

static int put_space(struct sk_buff *skb, struct netlink_callback *cb,
		     struct iofd_ctx *ctx, struct iofd_space *space)
{
	u64 bytes = (u64)READ_ONCE(space->nr_pages) << PAGE_SHIFT;
	/* A root pins what it maps, and charges what it pins. */
	u64 pinned = space->parent ? 0 : bytes;
	void *head;

	head = dump_start(skb, cb, IOMMU_NL_CMD_GET_SPACE);
	if (!head)
		return -EMSGSIZE;
	if (nla_put_u32(skb, IOMMU_NL_A_CONTEXT, ctx->id) ||
	    nla_put_u32(skb, IOMMU_NL_A_IOASID, space->obj.id) ||
	    nla_put_u32(skb, IOMMU_NL_A_TYPE, space->type) ||
	    nla_put_u32(skb, IOMMU_NL_A_FORMAT, space->format) ||
	    nla_put_u32(skb, IOMMU_NL_A_COHERENCY, space->coherency) ||
	    nla_put_u32(skb, IOMMU_NL_A_NR_DEVICES,
			READ_ONCE(space->nr_attaches)) ||
	    put_u64(skb, IOMMU_NL_A_NR_MAPPINGS,
		    READ_ONCE(space->nr_mappings)) ||
	    put_u64(skb, IOMMU_NL_A_MAPPED_BYTES, bytes) ||
	    put_u64(skb, IOMMU_NL_A_PINNED_BYTES, pinned) ||
	    put_u64(skb, IOMMU_NL_A_CHARGED_BYTES, pinned) ||
	    put_child(skb, space)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

/* The spaces of @ctx with ids above @done, which follows. */
static int put_spaces(struct sk_buff *skb, struct netlink_callback *cb,
		      struct iofd_ctx *ctx, long *done)
{
	unsigned long id = *done;
	struct iofd_space *space;
	int rc;

	while (xa_find_after(&ctx->objects, &id, ULONG_MAX, XA_PRESENT)) {
		space = iofd_space_get(ctx, id);
		if (space) {
			rc = put_space(skb, cb, ctx, space);
			iofd_space_put(space);
			if (rc)
				return rc;
		}
		*done = id;
	}
	return 0;
}

static int dump_spaces(struct sk_buff *skb, struct netlink_callback *cb)
{
	/* args[0]: the context we are in; args[1]: last id of it that is done */
	struct iofd_ctx *ctx;

	mutex_lock(&iofd_topology_lock);
	list_for_each_entry(ctx, &iofd_contexts, all) {
		if (ctx->id < cb->args[0])
			continue;
		if (ctx->id > cb->args[0]) {
			cb->args[0] = ctx->id;
			cb->args[1] = 0;
		}
		if (put_spaces(skb, cb, ctx, &cb->args[1]))
			break;
	}
	mutex_unlock(&iofd_topology_lock);
	return skb->len;
}

/* Bindings */

static int put_binding(struct sk_buff *skb, struct netlink_callback *cb,
		       struct iofd_ctx *ctx, struct iofd_device *idev)
{
	struct iofd_pdev *pdev = idev->pdev;
	struct iofd_attach *attach = pdev->attach;
	void *head;

	head = dump_start(skb, cb, IOMMU_NL_CMD_GET_BINDING);
	if (!head)
		return -EMSGSIZE;
	if (nla_put_u32(skb, IOMMU_NL_A_CONTEXT, ctx->id) ||
	    put_names(skb, pdev->dev, pdev->name) ||
	    put_u64(skb, IOMMU_NL_A_LABEL, idev->label) ||
	    nla_put_string(skb, IOMMU_NL_A_UNIT, pdev->caps.unit) ||
	    nla_put_string(skb, IOMMU_NL_A_PROVIDER, pdev->hd->ops->name) ||
	    nla_put_u32(skb, IOMMU_NL_A_GROUP,
			iommu_group_id(pdev->group->group)) ||
	    (attach && attach->binding == idev &&
	     nla_put_u32(skb, IOMMU_NL_A_IOASID, attach->space->obj.id))) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

static int dump_bindings(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct iofd_device *idev;
	struct iofd_ctx *ctx;
	long place = 0;

	mutex_lock(&iofd_topology_lock);
	list_for_each_entry(ctx, &iofd_contexts, all) {
		list_for_each_entry(idev, &ctx->bindings, ctx_entry) {
			if (place++ < cb->args[0])
				continue;
			if (put_binding(skb, cb, ctx, idev))
				goto full;
			cb->args[0] = place;
		}
	}
full:
	mutex_unlock(&iofd_topology_lock);
	return skb->len;
}

/* Attachments */

static int put_attachment(struct sk_buff *skb, struct netlink_callback *cb,
			  const struct iofd_attach *attach, u32 covered)
{
	const struct iofd_device *idev = attach->binding;
	u32 flags = 0;
	void *head;

	if (!iofd_table_is_ours(attach->table))
		flags = IOMMU_IOASID_INFO_HW_NESTED;
	else if (attach->space->parent)
		flags = IOMMU_IOASID_INFO_COMPOSED;
	head = dump_start(skb, cb, IOMMU_NL_CMD_GET_ATTACHMENT);
	if (!head)
		return -EMSGSIZE;
	if (nla_put_u32(skb, IOMMU_NL_A_CONTEXT, idev->obj.ctx->id) ||
	    put_names(skb, idev->pdev->dev, idev->pdev->name) ||
	    put_u64(skb, IOMMU_NL_A_LABEL, idev->label) ||
	    nla_put_u32(skb, IOMMU_NL_A_IOASID, attach->space->obj.id) ||
	    nla_put_u32(skb, IOMMU_NL_A_COVERED, covered) ||
	    nla_put_u32(skb, IOMMU_NL_A_REALISED, flags) ||
	    (attach->pasid != IOFD_NO_PASID &&
	     nla_put_u32(skb, IOMMU_NL_A_PASID, attach->pasid))) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

/* What is left of a binding's, from the places in @stack and @pasid on. */
static int put_attachments(struct sk_buff *skb, struct netlink_callback *cb,
			   struct iofd_device *idev, long *stack, long *pasid)
{
	struct iofd_attach *attach;
	unsigned long index;
	u32 covered = 0;
	int rc;

	for (attach = idev->pdev->attach; attach; attach = attach->below) {
		if (attach->binding != idev)
			break;
		if (covered >= *stack) {
			rc = put_attachment(skb, cb, attach, covered);
			if (rc)
				return rc;
			*stack = covered + 1;
		}
		covered++;
	}
	xa_for_each_start(&idev->pdev->pasids, index, attach, *pasid) {
		if (attach->binding != idev)
			continue;
		rc = put_attachment(skb, cb, attach, 0);
		if (rc)
			return rc;
		*pasid = index + 1;
	}
	return 0;
}

static int dump_attachments(struct sk_buff *skb, struct netlink_callback *cb)
{
	/* args[0]: bindings that are done; args[1], [2]: places in the next */
	struct iofd_device *idev;
	struct iofd_ctx *ctx;
	long place = 0;

	mutex_lock(&iofd_topology_lock);
	list_for_each_entry(ctx, &iofd_contexts, all) {
		list_for_each_entry(idev, &ctx->bindings, ctx_entry) {
			if (place++ < cb->args[0])
				continue;
			if (put_attachments(skb, cb, idev, &cb->args[1],
					    &cb->args[2]))
				goto full;
			cb->args[0] = place;
			cb->args[1] = 0;
			cb->args[2] = 0;
		}
	}
full:
	mutex_unlock(&iofd_topology_lock);
	return skb->len;
}

/* Devices */

static int put_caps(struct sk_buff *skb, const char *provider,
		    const struct iofd_hw_caps *caps)
{
	if (nla_put_string(skb, IOMMU_NL_A_PROVIDER, provider) ||
	    nla_put_string(skb, IOMMU_NL_A_UNIT, caps->unit) ||
	    nla_put_u32(skb, IOMMU_NL_A_ABILITIES, caps->flags) ||
	    put_u64(skb, IOMMU_NL_A_PGSIZES, caps->pgsize_bitmap) ||
	    nla_put_u32(skb, IOMMU_NL_A_ADDR_WIDTH, caps->addr_width_bits) ||
	    nla_put_u32(skb, IOMMU_NL_A_PASID_WIDTH, caps->pasid_width_bits) ||
	    /* What the hardware cannot nest we compose. */
	    put_u64(skb, IOMMU_NL_A_FORMATS,
		    caps->formats | BIT_ULL(IOMMU_FORMAT_VTD_S1)) ||
	    nla_put_u32(skb, IOMMU_NL_A_HW_TYPE, caps->hw_type) ||
	    put_u64(skb, IOMMU_NL_A_HW_CAP, caps->hw_cap) ||
	    put_u64(skb, IOMMU_NL_A_HW_ECAP, caps->hw_ecap))
		return -EMSGSIZE;
	return 0;
}

static int put_group(struct sk_buff *skb, struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	int rc;

	if (!group)
		return 0;
	rc = nla_put_u32(skb, IOMMU_NL_A_GROUP, iommu_group_id(group)) ?:
	     nla_put_u32(skb, IOMMU_NL_A_GROUP_IN_USE,
			 iommu_group_dma_owner_claimed(group));
	iommu_group_put(group);
	return rc;
}

/* What is known of @dev without touching it. */
static int put_device_info(struct sk_buff *skb, struct device *dev,
			   struct iofd_pdev *pdev)
{
	u32 bindings = pdev ? count_list(&pdev->bindings) : 0;
	int rc;

	rc = nla_put_string(skb, IOMMU_NL_A_DEVICE, dev_name(dev)) ?:
	     nla_put_u32(skb, IOMMU_NL_A_NR_BINDINGS, bindings) ?:
	     put_group(skb, dev);
	if (!rc && pdev)
		rc = put_caps(skb, pdev->hd->ops->name, &pdev->caps);
	return rc;
}

static int dump_devices(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct pci_dev *pci = NULL;
	long place = 0;
	void *head;

	mutex_lock(&iofd_topology_lock);
	for_each_pci_dev(pci) {
		if (place++ < cb->args[0])
			continue;
		head = dump_start(skb, cb, IOMMU_NL_CMD_GET_DEVICE);
		if (!head)
			break;
		if (put_device_info(skb, &pci->dev,
				    iofd_pdev_find(&pci->dev,
						   IOFD_NO_PASID))) {
			genlmsg_cancel(skb, head);
			break;
		}
		genlmsg_end(skb, head);
		cb->args[0] = place;
	}
	pci_dev_put(pci);
	mutex_unlock(&iofd_topology_lock);
	return skb->len;
}

static int answer_device(struct sk_buff *skb, struct device *dev)
{
	struct iofd_hw_caps *caps;
	struct iofd_pdev *pdev;
	const char *provider;
	int error, rc;

	caps = kzalloc(sizeof(*caps), GFP_KERNEL);
	if (!caps)
		return -ENOMEM;

	mutex_lock(&iofd_topology_lock);
	pdev = iofd_pdev_find(dev, IOFD_NO_PASID);
	/* Before the attempt, so that it does not show in the answer. */
	rc = put_device_info(skb, dev, pdev);
	error = pdev ? -EBUSY : iofd_device_try(dev, &provider, caps);
	mutex_unlock(&iofd_topology_lock);

	if (!rc)
		rc = nla_put_u32(skb, IOMMU_NL_A_BIND_ERROR, -error);
	if (!rc && !error)
		rc = put_caps(skb, provider, caps);
	kfree(caps);
	return rc;
}

static int reply_get_device(struct device *dev, struct genl_info *info)
{
	struct sk_buff *skb;
	void *head;
	int rc;

	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	head = genlmsg_put_reply(skb, info, &netlink_family, 0,
				 IOMMU_NL_CMD_GET_DEVICE);
	if (!head) {
		rc = -EMSGSIZE;
		goto err_free;
	}
	rc = answer_device(skb, dev);
	if (rc)
		goto err_free;
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, info);

err_free:
	nlmsg_free(skb);
	return rc;
}

static int answer_get_device(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *name = info->attrs[IOMMU_NL_A_DEVICE];
	struct device *dev;
	int rc;

	if (!name)
		return -EINVAL;
	dev = bus_find_device_by_name(&pci_bus_type, NULL, nla_data(name));
	if (!dev)
		return -ENODEV;
	/*
	 * Only trying: whoever holds it may be waiting for the last user of the
	 * device, and must not make us wait as well.
	 */
	if (device_trylock(dev)) {
		rc = reply_get_device(dev, info);
		device_unlock(dev);
	} else {
		rc = -EBUSY;
	}
	put_device(dev);
	return rc;
}

/* Events */

static const u32 event_numbers[] = {
	[IOFD_EVENT_FAULT] = IOMMU_NL_EVENT_FAULT,
	[IOFD_EVENT_BIND] = IOMMU_NL_EVENT_BIND,
	[IOFD_EVENT_UNBIND] = IOMMU_NL_EVENT_UNBIND,
	[IOFD_EVENT_ATTACH] = IOMMU_NL_EVENT_ATTACH,
	[IOFD_EVENT_DETACH] = IOMMU_NL_EVENT_DETACH,
};

static_assert(IOMMU_NL_ACCESS_READ == IOFD_READ);
static_assert(IOMMU_NL_ACCESS_WRITE == IOFD_WRITE);

static int put_fault(struct sk_buff *skb, const struct iofd_hw_fault *fault)
{
	int rc;

	rc = put_u64(skb, IOMMU_NL_A_ADDRESS, fault->address) ?:
	     nla_put_u32(skb, IOMMU_NL_A_ACCESS, fault->access) ?:
	     nla_put_u32(skb, IOMMU_NL_A_REASON, fault->reason);
	if (!rc && fault->reason_text)
		rc = nla_put_string(skb, IOMMU_NL_A_REASON_TEXT,
				    fault->reason_text);
	if (!rc && fault->has_pasid)
		rc = nla_put_u32(skb, IOMMU_NL_A_PASID, fault->pasid);
	return rc;
}

static int put_event(struct sk_buff *skb, const struct iofd_event *ev)
{
	int rc;

	rc = nla_put_u32(skb, IOMMU_NL_A_EVENT, event_numbers[ev->kind]) ?:
	     put_names(skb, ev->dev, ev->subdev);
	if (!rc && ev->bound)
		rc = nla_put_u32(skb, IOMMU_NL_A_CONTEXT, ev->ctx_id) ?:
		     put_u64(skb, IOMMU_NL_A_LABEL, ev->label);
	if (!rc && ev->ioasid)
		rc = nla_put_u32(skb, IOMMU_NL_A_IOASID, ev->ioasid);
	if (!rc && ev->has_pasid)
		rc = nla_put_u32(skb, IOMMU_NL_A_PASID, ev->pasid);
	if (!rc && ev->fault)
		rc = put_fault(skb, ev->fault);
	return rc;
}

void iofd_netlink_event(const struct iofd_event *ev)
{
	struct sk_buff *skb;
	void *head;

	if (!genl_has_listeners(&netlink_family, &init_net,
				IOFD_NETLINK_EVENTS))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, &netlink_family, 0, IOMMU_NL_CMD_EVENT);
	if (!head || put_event(skb, ev)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	genlmsg_multicast(&netlink_family, skb, 0, IOFD_NETLINK_EVENTS,
			  GFP_KERNEL);
}

/* The family */

static const struct genl_ops netlink_ops[] = {
	{
		.cmd = IOMMU_NL_CMD_GET_CONTEXT,
		.flags = GENL_ADMIN_PERM,
		.dumpit = dump_contexts,
	},
	{
		.cmd = IOMMU_NL_CMD_GET_SPACE,
		.flags = GENL_ADMIN_PERM,
		.dumpit = dump_spaces,
	},
	{
		.cmd = IOMMU_NL_CMD_GET_BINDING,
		.flags = GENL_ADMIN_PERM,
		.dumpit = dump_bindings,
	},
	{
		.cmd = IOMMU_NL_CMD_GET_ATTACHMENT,
		.flags = GENL_ADMIN_PERM,
		.dumpit = dump_attachments,
	},
	{
		.cmd = IOMMU_NL_CMD_GET_DEVICE,
		.flags = GENL_ADMIN_PERM,
		.doit = answer_get_device,
		.dumpit = dump_devices,
	},
};

/*
 * Of the initial network namespace alone: devices are the machine's. Commands
 * run in parallel, for the core's own lock is what serialises them.
 */
static struct genl_family netlink_family __ro_after_init = {
	.name = IOMMU_NL_FAMILY,
	.version = IOMMU_NL_VERSION,
	.maxattr = IOMMU_NL_A_DEVICE,
	.policy = netlink_policy,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = netlink_ops,
	.n_ops = ARRAY_SIZE(netlink_ops),
	.mcgrps = netlink_groups,
	.n_mcgrps = ARRAY_SIZE(netlink_groups),
};

int __init iofd_netlink_init(void)
{
	return genl_register_family(&netlink_family);
}

void iofd_netlink_exit(void)
{
	genl_unregister_family(&netlink_family);
}
