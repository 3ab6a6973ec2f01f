// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * pci_sriov [TEST]: a physical function and its virtual functions belong into
 * one hand. Needs an NVMe controller with virtual functions.
 */
#include "edu.h"

static char pf[16], vf[16];

static bool find_physfn(void)
{
	unsigned int i;

	for (i = 0; pci_find(0x1b36, 0x0010, i, pf); i++)
		if (pci_read_attr(pf, "sriov_totalvfs") > 0)
			return true;
	return false;
}

static void find_virtfn(void)
{
	char path[128], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn0", pf);
	NEED((n = readlink(path, target, sizeof(target) - 1)) > 0);
	target[n] = 0;
	snprintf(vf, sizeof(vf), "%.15s", strrchr(target, '/') + 1);
}

static void start(void)
{
	if (!find_physfn())
		SKIP("no physical function");
	NEED(pci_give(pf, "iofd-pci"));
	NEED(!pci_write_attr(pf, "sriov_numvfs", "0"));
}

static void in_one_hand(void)
{
	int mine, other, pf_fd, vf_fd;
	char driver[64];

	start();
	NEED((mine = iommu_open()) >= 0);
	NEED((other = iommu_open()) >= 0);

	/* Before anybody has the physical function, nobody gets a virtual one. */
	NEED(!pci_write_attr(pf, "sriov_numvfs", "1"));
	find_virtfn();
	pci_driver(vf, driver);
	CHECK(!strcmp(driver, "iofd-pci"));
	NEED((vf_fd = pci_open(vf)) >= 0);
	CHECK_ERRNO(dev_bind(vf_fd, mine, 2), EPERM);
	/* And who comes for the physical one could disturb them. */
	NEED((pf_fd = pci_open(pf)) >= 0);
	CHECK_ERRNO(dev_bind(pf_fd, mine, 1), EBUSY);
	close(vf_fd);

	NEED(!pci_write_attr(pf, "sriov_numvfs", "0"));
	NEED(!dev_bind(pf_fd, mine, 1));
	NEED(!pci_write_attr(pf, "sriov_numvfs", "1"));
	find_virtfn();
	NEED((vf_fd = pci_open(vf)) >= 0);
	CHECK_ERRNO(dev_bind(vf_fd, other, 2), EPERM);
	CHECK_OK(dev_bind(vf_fd, mine, 2));

	close(vf_fd);
	close(pf_fd);
	NEED((pf_fd = pci_open(pf)) >= 0);
	CHECK_ERRNO(dev_bind(pf_fd, other, 1), EBUSY);
	NEED(!pci_write_attr(pf, "sriov_numvfs", "0"));
	CHECK_OK(dev_bind(pf_fd, other, 1));
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(in_one_hand);
	return check_end();
}
