/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * A remapping unit that is a PCI function, as test hardware and virtual machines
 * without firmware tables have it. The lower half of its BAR 0 is the register
 * file of the VT-d specification, whose fault and other events are memory writes
 * of the function. The upper half says what is behind the unit: a header, then
 * remapping structures exactly as in the ACPI table DMAR, little endian, in which
 * a DRHD with register base 0 stands for this BAR.
 */
#ifndef IOFD_VTD_PCIUNIT_REGS_H
#define IOFD_VTD_PCIUNIT_REGS_H

#define VTD_PCIUNIT_VENDOR	0x1234
#define VTD_PCIUNIT_DEVICE	0x1ec0
/* Class code: base system peripheral, IOMMU, programming interface 0 */
#define VTD_PCIUNIT_CLASS	0x080600

/* Header of the list; each field has 32 bits. */
#define VTD_PCIUNIT_MAGIC	0x00
#define VTD_PCIUNIT_MAGIC_VALUE	0x52414d44	/* "DMAR" */
#define VTD_PCIUNIT_REVISION	0x04
#define VTD_PCIUNIT_REVISION_VALUE	1
#define VTD_PCIUNIT_LENGTH	0x08	/* bytes, header included */
#define VTD_PCIUNIT_WIDTH	0x0c	/* host address width in bits */
#define VTD_PCIUNIT_HEADER	0x10	/* bytes of the header */

#endif /* IOFD_VTD_PCIUNIT_REGS_H */
