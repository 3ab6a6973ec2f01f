// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program that maps by the commands of a VFIO container on /dev/iommu, and knows
 * nothing of ours: its device does DMA where it should, and nowhere else.
 */
#include "edu.h"
#include "upstream.h"

#define SPOT	0x2345000ULL
#define PAGES	1024u		/* two large leaves' worth */

static struct edu edu;
static int fd, dev, ioas;
static unsigned char *mem;

/* Everything but the type */
static void opened(void)
{
	int id;

	NEED((fd = open("/dev/iommu", O_RDWR | O_CLOEXEC)) >= 0);
	NEED(edu_open(&edu, 0));
	NEED((dev = up_bind(edu.fd, fd)) > 0);
	NEED(edu_start(&edu));
	NEED((ioas = up_ioas(fd)) > 0);
	id = ioas;
	NEED(!up_vfio_ioas(fd, 1, &id));
	mem = mmap(NULL, PAGES * PAGE + 0x200000, PROT_READ | PROT_WRITE,
		   MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
	NEED(mem != MAP_FAILED);
	/* Where large leaves would be possible */
	mem += -(uintptr_t)mem & 0x1fffff;
	madvise(mem, PAGES * PAGE, MADV_HUGEPAGE);
	memset(mem, 0, PAGES * PAGE);
}

/* The order in which a program of the container goes about it */
static void as_programs_of_the_container_do(void)
{
	struct {
		struct vfio_iommu_type1_info info;
		__u8 caps[4096];
	} all = { .info.argsz = sizeof(all.info) };
	struct vfio_info_cap_header *cap;
	unsigned int found = 0, i;
	__u32 offset;

	opened();
	CHECK_EQ(ioctl(fd, VFIO_GET_API_VERSION), VFIO_API_VERSION);
	CHECK_EQ(ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
	CHECK_EQ(ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_SPAPR_TCE_v2_IOMMU), 0);
	CHECK_EQ(ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_NOIOMMU_IOMMU), 0);
	CHECK_OK(ioctl(fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	NEED(up_attach(edu.fd, ioas) > 0);
	CHECK(ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU) >= 0);

	CHECK_OK(ioctl(fd, VFIO_IOMMU_GET_INFO, &all));
	CHECK(all.info.argsz > sizeof(all.info) && !all.info.cap_offset);
	NEED(all.info.argsz <= sizeof(all));
	CHECK_OK(ioctl(fd, VFIO_IOMMU_GET_INFO, &all));
	CHECK(all.info.iova_pgsizes & PAGE);
	CHECK(!(all.info.iova_pgsizes & (PAGE - 1)));
	for (offset = all.info.cap_offset; offset; offset = cap->next) {
		NEED(offset + sizeof(*cap) <= all.info.argsz);
		cap = (void *)((char *)&all + offset);
		if (cap->id == VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE) {
			struct vfio_iommu_type1_info_cap_iova_range *r = (void *)cap;

			found |= 1;
			NEED(r->nr_iovas);
			/* Not where interrupts go */
			for (i = 0; i < r->nr_iovas; i++)
				CHECK(r->iova_ranges[i].end < 0xfee00000 ||
				      r->iova_ranges[i].start > 0xfeefffff);
		} else if (cap->id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL) {
			found |= 2;
			CHECK_EQ(((struct vfio_iommu_type1_info_dma_avail *)cap)->avail,
				 ~0u);
		}
	}
	CHECK_EQ(found, 3);

	CHECK_OK(up_container_map(fd, mem, 4 * PAGE, SPOT));
	CHECK_EQ(vm_pin_kib(), 16);
	CHECK(edu_copies(&edu, SPOT, mem, SPOT + 3 * PAGE, mem + 3 * PAGE));
	CHECK_ERRNO(up_container_map(fd, mem, PAGE, 0xfee00000), EINVAL);
	CHECK_EQ(up_container_unmap(fd, SPOT, 4 * PAGE), 4 * PAGE);
	CHECK(edu_is_refused(&edu, SPOT, mem));
	CHECK_EQ(vm_pin_kib(), 0);
	CHECK_EQ(up_container_unmap(fd, SPOT, 4 * PAGE), 0);
	CHECK_OK(up_detach(edu.fd));
	CHECK_OK(up_destroy(fd, ioas));
	CHECK_ERRNO(up_container_map(fd, mem, PAGE, SPOT), ENODEV);
}

static void contract_container_map_over_map_is_EEXIST(void)
{
	opened();
	CHECK_OK(up_container_map(fd, mem, 2 * PAGE, SPOT));
	CHECK_ERRNO(up_container_map(fd, mem, PAGE, SPOT + PAGE), EEXIST);
	CHECK_ERRNO(up_container_map(fd, mem, 2 * PAGE, SPOT), EEXIST);
}

static void contract_container_unknown_command_is_ENOTTY(void)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {
		.argsz = sizeof(dirty),
		.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
	};

	opened();
	CHECK_ERRNO(ioctl(fd, VFIO_IOMMU_DIRTY_PAGES, &dirty), ENOTTY);
	CHECK_ERRNO(ioctl(fd, VFIO_GROUP_GET_STATUS, &dirty), ENOTTY);
	CHECK_ERRNO(ioctl(fd, VFIO_DEVICE_RESET), ENOTTY);
	CHECK_ERRNO(ioctl(fd, VFIO_IOMMU_ENABLE), ENOTTY);
}

/* UNMAP length is the request, or what of it there was. */
static void contract_container_unmap_length_is_the_request(void)
{
	opened();
	NEED(up_attach(edu.fd, ioas) > 0);
	NEED(!up_container_map(fd, mem, 2 * PAGE, SPOT));
	NEED(!up_container_map(fd, mem + 4 * PAGE, PAGE, SPOT + 4 * PAGE));
	CHECK_ERRNO(up_container_unmap(fd, SPOT, PAGE), ENOENT);
	CHECK(edu_copies(&edu, SPOT, mem, SPOT + PAGE, mem + PAGE));
	CHECK_EQ(up_container_unmap(fd, SPOT, 2 * PAGE), 2 * PAGE);
	CHECK_EQ(up_container_unmap(fd, SPOT, 5 * PAGE), PAGE);
	CHECK(edu_is_refused(&edu, SPOT + 4 * PAGE, mem + 4 * PAGE));
	NEED(!up_container_map(fd, mem, 2 * PAGE, SPOT));
	CHECK_EQ(up_container_unmap_flags(fd, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 2 * PAGE);
	CHECK(edu_is_refused(&edu, SPOT, mem));
	CHECK_EQ(up_container_unmap_flags(fd, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 0);
	CHECK_ERRNO(up_container_unmap_flags(fd, 0, PAGE, VFIO_DMA_UNMAP_FLAG_ALL), EINVAL);
	CHECK_ERRNO(up_container_unmap_flags(fd, 0, PAGE,
					     VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP), EINVAL);
	CHECK_EQ(vm_pin_kib(), 0);
}

/* TYPE1 unmaps any part, of memory that would be large leaves otherwise. */
static void type1_unmaps_a_part(void)
{
	const __u64 big = 0x400000, hole = big + 100 * PAGE;

	opened();
	CHECK_OK(ioctl(fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	NEED(up_attach(edu.fd, ioas) > 0);
	NEED(!up_container_map(fd, mem, PAGES * PAGE, big));
	CHECK_EQ(vm_pin_kib(), PAGES * 4);
	CHECK(edu_copies(&edu, hole, mem + 100 * PAGE, hole + PAGE, mem + 101 * PAGE));
	CHECK_EQ(up_container_unmap(fd, hole, 2 * PAGE), 2 * PAGE);
	CHECK(edu_is_refused(&edu, hole, mem + 100 * PAGE));
	CHECK(edu_is_refused(&edu, hole + PAGE, mem + 101 * PAGE));
	CHECK(edu_copies(&edu, hole - PAGE, mem + 99 * PAGE, hole + 2 * PAGE, mem + 102 * PAGE));
	CHECK(edu_copies(&edu, big, mem, big + (PAGES - 1) * PAGE, mem + (PAGES - 1) * PAGE));
	CHECK_EQ(vm_pin_kib(), (PAGES - 2) * 4);
	CHECK_EQ(up_container_unmap(fd, big, PAGE), PAGE);
	CHECK(edu_is_refused(&edu, big, mem));
	/* Something else takes its place. */
	CHECK_OK(up_container_map(fd, mem + 200 * PAGE, 2 * PAGE, hole));
	CHECK(edu_copies(&edu, hole, mem + 200 * PAGE, hole + PAGE, mem + 201 * PAGE));
	CHECK_ERRNO(up_container_unmap(fd, big + PAGE, PAGE / 2), EINVAL);
	CHECK_EQ(up_container_unmap(fd, big + PAGE, (PAGES - 2) * PAGE), (PAGES - 2) * PAGE);
	CHECK(edu_copies(&edu, big + (PAGES - 1) * PAGE, mem + (PAGES - 1) * PAGE,
		     big + (PAGES - 1) * PAGE, mem + (PAGES - 1) * PAGE));
	CHECK_EQ(vm_pin_kib(), 4);
}

/* By three ABIs in turn: the same mappings, for the same device */
static void three_abis_on_one_fd(void)
{
	struct iommu_ioasid_info info = {};
	uint64_t length = PAGE;
	int id = 0;

	opened();
	NEED(!ioctl(fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	/* Bound by upstream's command, attached natively */
	NEED(!dev_attach(edu.fd, fd, ioas));
	CHECK_OK(up_vfio_ioas(fd, 0, &id));
	CHECK_EQ(id, ioas);
	CHECK_OK(up_container_map(fd, mem, PAGE, SPOT));
	CHECK_OK(up_map(fd, ioas, mem + PAGE, PAGE, SPOT + PAGE));
	CHECK_OK(map_at(fd, ioas, RW, mem + 2 * PAGE, PAGE, SPOT + 2 * PAGE));
	CHECK(edu_copies(&edu, SPOT, mem, SPOT + PAGE, mem + PAGE));
	CHECK(edu_copies(&edu, SPOT + PAGE, mem + PAGE, SPOT + 2 * PAGE, mem + 2 * PAGE));
	CHECK_OK(ioasid_info(fd, ioas, &info));
	CHECK_EQ(info.nr_mappings, 3);
	/* What one mapped another takes away. */
	CHECK_OK(unmap_at(fd, ioas, SPOT, PAGE));
	CHECK_OK(up_unmap(fd, ioas, SPOT + 2 * PAGE, &length));
	CHECK_EQ(up_container_unmap(fd, SPOT, 3 * PAGE), PAGE);
	CHECK(edu_is_refused(&edu, SPOT + PAGE, mem + PAGE));
	CHECK_ERRNO(ioasid_free(fd, ioas), EBUSY);
	CHECK_OK(dev_detach(edu.fd, fd, ioas));
	CHECK_OK(ioasid_free(fd, ioas));
	CHECK_ERRNO(up_vfio_ioas(fd, 0, &id), ENODEV);
	CHECK_ERRNO(up_container_unmap(fd, SPOT, PAGE), ENODEV);
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	RUN(as_programs_of_the_container_do);
	RUN(contract_container_map_over_map_is_EEXIST);
	RUN(contract_container_unknown_command_is_ENOTTY);
	RUN(contract_container_unmap_length_is_the_request);
	RUN(type1_unmaps_a_part);
	RUN(three_abis_on_one_fd);
	return check_end();
}
