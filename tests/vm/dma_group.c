// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices that the hardware cannot keep apart: two edu and a virtio-rng, functions
 * of one slot without ACS and so one group. The edu are the last of their kind in
 * order of address. (Requirement A11; more of it, behind a bridge, in pci_group.c)
 */
#include "refused.h"

#define IOVA	0x200000ULL

static struct edu one, two;
static char other[16];
static int fd;

static void opened(bool with_driver)
{
	long group;

	NEED(pci_find(0x1af4, 0x1044, 0, other));
	NEED(pci_give(other, with_driver ? "virtio-pci" : ""));
	NEED(edu_open(&one, 1));
	NEED(edu_open(&two, 2));
	group = iommu_group_of(one.bdf);
	NEED(group >= 0);
	NEED(iommu_group_of(two.bdf) == group && iommu_group_of(other) == group);
	NEED((fd = iommu_open()) >= 0);
}

static bool bound(const struct edu *edu)
{
	return vfio_region(edu->fd, VFIO_PCI_CONFIG_REGION_INDEX);
}

/* A kernel driver has a device of the group. */
static void A11_a_driver_in_the_group_forbids(void)
{
	char name[64];

	opened(true);
	CHECK_ERRNO(dev_bind(one.fd, fd, 1), EPERM);
	CHECK_ERRNO(dev_bind(two.fd, fd, 2), EPERM);
	CHECK(!bound(&one) && !bound(&two));
	/* It has not been disturbed, and once it is gone nothing forbids. */
	pci_driver(other, name);
	CHECK(!strcmp(name, "virtio-pci"));
	NEED(pci_give(other, ""));
	CHECK_OK(dev_bind(one.fd, fd, 1));
	CHECK_OK(dev_bind(two.fd, fd, 2));
	CHECK(bound(&one) && bound(&two));
}

/* None can come as long as one of the group is bound. */
static void A11_no_driver_comes_while_bound(void)
{
	opened(false);
	NEED(!dev_bind(one.fd, fd, 1));
	CHECK(!pci_give(other, "virtio-pci"));
	NEED(!dev_bind(two.fd, fd, 2));
	CHECK(!pci_give(other, "virtio-pci"));
	close(one.fd);
	CHECK(!pci_give(other, "virtio-pci"));
	CHECK(edu_start(&two));
	close(two.fd);
	CHECK(pci_give(other, "virtio-pci"));
	CHECK(pci_give(other, ""));
	/* Nor because /dev/iommu is closed: a bound device keeps its group. */
	NEED(edu_open(&one, 1));
	NEED(!dev_bind(one.fd, fd, 1));
	close(fd);
	CHECK(!pci_give(other, "virtio-pci"));
	close(one.fd);
	CHECK(pci_give(other, "virtio-pci"));
}

/* Another process with an fd of its own cannot have a sibling. */
static void A11_one_user_for_a_group(void)
{
	int status, mine, fd2;
	pid_t pid;

	opened(false);
	NEED((fd2 = iommu_open()) >= 0);
	NEED(!dev_bind(one.fd, fd, 1));
	pid = fork();
	if (!pid) {
		NEED((mine = iommu_open()) >= 0);
		NEED(edu_open(&two, 2));
		CHECK_ERRNO(dev_bind(two.fd, mine, 2), EPERM);
		CHECK(!bound(&two));
		check_leave();
	}
	NEED(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	CHECK_ERRNO(dev_bind(two.fd, fd2, 2), EPERM);
	/* For the first user's fd, yes; and by that for the other one as well. */
	CHECK_OK(dev_bind(two.fd, fd, 2));
	CHECK_OK(dev_bind(two.fd, fd2, 2));
	close(one.fd);
	close(two.fd);
	NEED(edu_open(&two, 2));
	CHECK_OK(dev_bind(two.fd, fd2, 2));
	/* Now the group is the other's alone. */
	NEED(edu_open(&one, 1));
	CHECK_ERRNO(dev_bind(one.fd, fd, 1), EPERM);
}

/* Both work in one space, and each can leave it. */
static void A11_both_in_one_space(void)
{
	struct iommu_ioasid_info info;
	unsigned char *mem;
	int id, i;

	opened(false);
	NEED(!dev_bind(one.fd, fd, 1));
	NEED(!dev_bind(two.fd, fd, 2));
	NEED(edu_start(&one) && edu_start(&two));
	NEED((id = ioasid_alloc(fd)) > 0);
	NEED(mem = pages_alloc(2 * PAGE));
	NEED(!map_at(fd, id, RW, mem, 2 * PAGE, IOVA));
	CHECK_OK(dev_attach(one.fd, fd, id));
	CHECK_OK(dev_attach(two.fd, fd, id));
	CHECK_OK(ioasid_info(fd, id, &info));
	CHECK_EQ(info.nr_devices, 2);
	/* From the one through memory to the other. */
	for (i = 0; i < 3000; i++)
		mem[i] = (unsigned char)(i * 7 + i / 256);
	edu_load(&one, IOVA, 0, 3000);
	memset(mem, 0, 2 * PAGE);
	edu_store(&one, IOVA, 0, 3000);
	edu_load(&two, IOVA, 0, 3000);
	edu_store(&two, IOVA + PAGE, 0, 3000);
	CHECK_EQ(mem[PAGE + 1], 7);
	CHECK(!memcmp(mem, mem + PAGE, 3000));
	CHECK_OK(dev_detach(one.fd, fd, id));
	CHECK_OK(ioasid_info(fd, id, &info));
	CHECK_EQ(info.nr_devices, 1);
	memset(mem, 0, 2 * PAGE);
	edu_store(&two, IOVA, 0, 3000);
	CHECK_EQ(mem[1], 7);
	CHECK_OK(dev_detach(two.fd, fd, id));
	memset(mem, 0x11, 2 * PAGE);
	refused_unwatched();
	edu_store(&one, IOVA, 0, 64);
	refused_unwatched();
	edu_store(&two, IOVA, 0, 64);
	CHECK_EQ(mem[0], 0x11);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	refused_init();
	RUN(A11_a_driver_in_the_group_forbids);
	RUN(A11_no_driver_comes_while_bound);
	RUN(A11_one_user_for_a_group);
	RUN(A11_both_in_one_space);
	return check_end();
}
