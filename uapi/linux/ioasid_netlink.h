/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/**
 * DOC: The generic netlink family "ioasid"
 *
 * What /dev/iommu is used for on this machine, for administrators.
 *
 * A program that drives devices has no need of it: all that concerns its own
 * contexts it learns from <linux/ioasid.h>.
 */
#ifndef _UAPI_LINUX_IOASID_NETLINK_H
#define _UAPI_LINUX_IOASID_NETLINK_H

/**
 * IOMMU_NL_FAMILY - name of the family
 */
#define IOMMU_NL_FAMILY		"ioasid"

/**
 * IOMMU_NL_VERSION - its version; commands and attributes are only ever added
 */
#define IOMMU_NL_VERSION	1

/**
 * IOMMU_NL_GROUP_EVENTS - name of its multicast group, which carries
 * IOMMU_NL_CMD_EVENT
 */
#define IOMMU_NL_GROUP_EVENTS	"events"

/**
 * enum iommu_nl_cmd - commands
 * @IOMMU_NL_CMD_UNSPEC: not a command
 * @IOMMU_NL_CMD_GET_CONTEXT: dump; each open of /dev/iommu. Answers hold CONTEXT,
 *	PID, UID, COMM, NR_SPACES, NR_DEVICES.
 * @IOMMU_NL_CMD_GET_SPACE: dump; each IOASID. Answers hold CONTEXT, IOASID, TYPE,
 *	FORMAT, COHERENCY, NR_DEVICES, NR_MAPPINGS, MAPPED_BYTES, PINNED_BYTES,
 *	CHARGED_BYTES; of a child also PARENT, DEPTH, NESTING, REALISED, and
 *	TABLE_ADDR when its table is the user's.
 * @IOMMU_NL_CMD_GET_BINDING: dump; each device bound to a context. Answers hold
 *	CONTEXT, DEVICE, LABEL, UNIT, PROVIDER, GROUP, and IOASID when the device
 *	is attached through this binding: the one that its DMA without PASID goes
 *	through. Of a sub-device, here as in all other answers, DEVICE is what it
 *	is a part of, and SUBDEVICE its name; its own PASID is in none of them.
 * @IOMMU_NL_CMD_GET_DEVICE: with DEVICE one device, without it a dump of all PCI
 *	functions. Answers hold DEVICE, NR_BINDINGS; GROUP and GROUP_IN_USE when
 *	it has a group; when it is known what the device can do PROVIDER, UNIT,
 *	ABILITIES, PGSIZES, ADDR_WIDTH, PASID_WIDTH, FORMATS, HW_TYPE, HW_CAP,
 *	HW_ECAP. That is known of devices that are bound. The answer for one
 *	device also holds BIND_ERROR, and to find that out its group is claimed
 *	for the moment if nobody uses it: then it is known of that one too.
 * @IOMMU_NL_CMD_EVENT: multicast, never sent to the kernel: something happened.
 *	Holds EVENT, DEVICE; CONTEXT and LABEL unless it is a fault of a device
 *	that is not bound; IOASID unless there is none; PASID when a device was
 *	attached or detached with one; for a fault ADDRESS, ACCESS, REASON,
 *	REASON_TEXT, and PASID when the request had one and the device is bound.
 * @IOMMU_NL_CMD_GET_ATTACHMENT: dump; each attachment of a device to an IOASID.
 *	Answers hold CONTEXT, DEVICE, LABEL, IOASID, COVERED, REALISED, and PASID
 *	when it is for DMA with one. Those of one binding follow each other:
 *	first without PASID, from the one that has the DMA to the bottom of the
 *	stack, then in order of PASIDs.
 * @__IOMMU_NL_CMD_MAX: not a command
 * @IOMMU_NL_CMD_MAX: the highest command
 *
 * All need CAP_NET_ADMIN in the initial user namespace, and so does joining the
 * multicast group where the kernel can ask for it (6.1.68 and later, 6.6.7 and
 * later); before that any process of the initial network namespace may listen.
 */
enum iommu_nl_cmd {
	IOMMU_NL_CMD_UNSPEC,
	IOMMU_NL_CMD_GET_CONTEXT,
	IOMMU_NL_CMD_GET_SPACE,
	IOMMU_NL_CMD_GET_BINDING,
	IOMMU_NL_CMD_GET_DEVICE,
	IOMMU_NL_CMD_EVENT,
	IOMMU_NL_CMD_GET_ATTACHMENT,

	__IOMMU_NL_CMD_MAX,
	IOMMU_NL_CMD_MAX = __IOMMU_NL_CMD_MAX - 1
};

/**
 * enum iommu_nl_attr - attributes; a number means the same in every command
 * @IOMMU_NL_A_UNSPEC: not an attribute
 * @IOMMU_NL_A_PAD: padding
 * @IOMMU_NL_A_CONTEXT: u32; number of an open of /dev/iommu, unique since the
 *	module was loaded
 * @IOMMU_NL_A_PID: u32; process that opened it, in the initial namespace
 * @IOMMU_NL_A_UID: u32; user it is charged to
 * @IOMMU_NL_A_COMM: string; the process's name when it opened it
 * @IOMMU_NL_A_NR_SPACES: u32; IOASIDs
 * @IOMMU_NL_A_NR_DEVICES: u32; devices bound (context) or attachments (IOASID)
 * @IOMMU_NL_A_IOASID: u32; number of an IOASID in its context
 * @IOMMU_NL_A_TYPE: u32; enum iommu_ioasid_type
 * @IOMMU_NL_A_FORMAT: u32; enum iommu_ioasid_format
 * @IOMMU_NL_A_COHERENCY: u32; enum iommu_ioasid_coherency
 * @IOMMU_NL_A_NR_MAPPINGS: u64; mappings
 * @IOMMU_NL_A_MAPPED_BYTES: u64; sum of their lengths
 * @IOMMU_NL_A_PINNED_BYTES: u64; memory pinned for them; 0 for a child
 * @IOMMU_NL_A_CHARGED_BYTES: u64; memory charged for them as locked; 0 for a child
 * @IOMMU_NL_A_DEVICE: string; name of a device: for a PCI function
 *	domain:bus:device.function
 * @IOMMU_NL_A_LABEL: u64; the device's label in the context
 * @IOMMU_NL_A_GROUP: u32; number of its IOMMU group
 * @IOMMU_NL_A_GROUP_IN_USE: u32; 1: a kernel driver or a user has its DMA; 0:
 *	nobody has
 * @IOMMU_NL_A_BIND_ERROR: u32; errno that binding the device would give now, as
 *	far as group and IOMMU are concerned; 0: none
 * @IOMMU_NL_A_NR_BINDINGS: u32; how many contexts the device is bound to
 * @IOMMU_NL_A_PROVIDER: string; what programs its IOMMU
 * @IOMMU_NL_A_UNIT: string; name of the remapping unit in front of it
 * @IOMMU_NL_A_ABILITIES: u32; enum iommu_device_info_flags
 * @IOMMU_NL_A_PGSIZES: u64; page sizes, one bit each
 * @IOMMU_NL_A_ADDR_WIDTH: u32; width of an I/O virtual address in bits
 * @IOMMU_NL_A_PASID_WIDTH: u32; width of a PASID in bits, 0 without
 * @IOMMU_NL_A_FORMATS: u64; bitmap (1 << format) of enum iommu_ioasid_format
 * @IOMMU_NL_A_HW_TYPE: u32; enum iommu_hw_type
 * @IOMMU_NL_A_HW_CAP: u64; the unit's CAP register
 * @IOMMU_NL_A_HW_ECAP: u64; its ECAP register
 * @IOMMU_NL_A_EVENT: u32; enum iommu_nl_event
 * @IOMMU_NL_A_ADDRESS: u64; I/O virtual address of the DMA that was refused
 * @IOMMU_NL_A_ACCESS: u32; enum iommu_nl_access
 * @IOMMU_NL_A_REASON: u32; the hardware's code
 * @IOMMU_NL_A_REASON_TEXT: string; the same in words
 * @IOMMU_NL_A_PASID: u32; PASID of the request, or of the requests that the
 *	attachment is for
 * @IOMMU_NL_A_PARENT: u32; IOASID whose addresses this one translates into
 * @IOMMU_NL_A_DEPTH: u32; how many are above it, 1 for the child of a root
 * @IOMMU_NL_A_NESTING: u32; enum iommu_ioasid_nesting, as it was asked for
 * @IOMMU_NL_A_REALISED: u32; IOMMU_IOASID_INFO_HW_NESTED and
 *	IOMMU_IOASID_INFO_COMPOSED of enum iommu_ioasid_info_flags: how its
 *	attachments are realised; 0 as long as it has none
 * @IOMMU_NL_A_TABLE_ADDR: u64; where the user's table starts in PARENT
 * @IOMMU_NL_A_COVERED: u32; how many attachments of the same device lie over it
 *	and have its DMA; 0 for the one that has it
 * @IOMMU_NL_A_SUBDEVICE: string; beside DEVICE: not all of it, but the part of it
 *	with this name, which is the parent's driver's choice
 * @__IOMMU_NL_A_MAX: not an attribute
 * @IOMMU_NL_A_MAX: the highest attribute
 */
enum iommu_nl_attr {
	IOMMU_NL_A_UNSPEC,
	IOMMU_NL_A_PAD,
	IOMMU_NL_A_CONTEXT,
	IOMMU_NL_A_PID,
	IOMMU_NL_A_UID,
	IOMMU_NL_A_COMM,
	IOMMU_NL_A_NR_SPACES,
	IOMMU_NL_A_NR_DEVICES,
	IOMMU_NL_A_IOASID,
	IOMMU_NL_A_TYPE,
	IOMMU_NL_A_FORMAT,
	IOMMU_NL_A_COHERENCY,
	IOMMU_NL_A_NR_MAPPINGS,
	IOMMU_NL_A_MAPPED_BYTES,
	IOMMU_NL_A_PINNED_BYTES,
	IOMMU_NL_A_CHARGED_BYTES,
	IOMMU_NL_A_DEVICE,
	IOMMU_NL_A_LABEL,
	IOMMU_NL_A_GROUP,
	IOMMU_NL_A_GROUP_IN_USE,
	IOMMU_NL_A_BIND_ERROR,
	IOMMU_NL_A_NR_BINDINGS,
	IOMMU_NL_A_PROVIDER,
	IOMMU_NL_A_UNIT,
	IOMMU_NL_A_ABILITIES,
	IOMMU_NL_A_PGSIZES,
	IOMMU_NL_A_ADDR_WIDTH,
	IOMMU_NL_A_PASID_WIDTH,
	IOMMU_NL_A_FORMATS,
	IOMMU_NL_A_HW_TYPE,
	IOMMU_NL_A_HW_CAP,
	IOMMU_NL_A_HW_ECAP,
	IOMMU_NL_A_EVENT,
	IOMMU_NL_A_ADDRESS,
	IOMMU_NL_A_ACCESS,
	IOMMU_NL_A_REASON,
	IOMMU_NL_A_REASON_TEXT,
	IOMMU_NL_A_PASID,
	IOMMU_NL_A_PARENT,
	IOMMU_NL_A_DEPTH,
	IOMMU_NL_A_NESTING,
	IOMMU_NL_A_REALISED,
	IOMMU_NL_A_TABLE_ADDR,
	IOMMU_NL_A_COVERED,
	IOMMU_NL_A_SUBDEVICE,

	__IOMMU_NL_A_MAX,
	IOMMU_NL_A_MAX = __IOMMU_NL_A_MAX - 1
};

/**
 * enum iommu_nl_event - what happened
 * @IOMMU_NL_EVENT_FAULT: the IOMMU refused a DMA of the device
 * @IOMMU_NL_EVENT_BIND: the device was bound to the context
 * @IOMMU_NL_EVENT_UNBIND: it was unbound
 * @IOMMU_NL_EVENT_ATTACH: it was attached to the IOASID
 * @IOMMU_NL_EVENT_DETACH: it was detached from the IOASID
 */
enum iommu_nl_event {
	IOMMU_NL_EVENT_FAULT = 1,
	IOMMU_NL_EVENT_BIND = 2,
	IOMMU_NL_EVENT_UNBIND = 3,
	IOMMU_NL_EVENT_ATTACH = 4,
	IOMMU_NL_EVENT_DETACH = 5,
};

/**
 * enum iommu_nl_access - what the device wanted of the memory
 * @IOMMU_NL_ACCESS_READ: read
 * @IOMMU_NL_ACCESS_WRITE: write
 */
enum iommu_nl_access {
	IOMMU_NL_ACCESS_READ = 1,
	IOMMU_NL_ACCESS_WRITE = 2,
};

#endif /* _UAPI_LINUX_IOASID_NETLINK_H */
