// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Upstream's own headers, as data: compiled against the newest <linux/iommufd.h>
 * and <linux/vfio.h> that the Makefile finds. A command that they do not have is
 * not in the table.
 */
#include <stddef.h>
#include "pin_upstream.h"

/* The kernel's own copy has words that are taken out for programs. */
#define __user

#ifdef UPSTREAM_IOMMUFD_H
#include UPSTREAM_IOMMUFD_H
#endif
#ifdef UPSTREAM_VFIO_H
#include UPSTREAM_VFIO_H
#endif

#define PIN(ioctl_, type, last)						\
	{ #ioctl_, ioctl_, sizeof(struct type),				\
	  offsetof(struct type, last) + sizeof(((struct type *)0)->last) }

const struct pin pins[] = {
#ifdef IOMMU_DESTROY
	PIN(IOMMU_DESTROY, iommu_destroy, id),
	PIN(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, out_ioas_id),
	PIN(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, allowed_iovas),
	PIN(IOMMU_IOAS_COPY, iommu_ioas_copy, src_iova),
	PIN(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, out_iova_alignment),
	PIN(IOMMU_IOAS_MAP, iommu_ioas_map, iova),
	PIN(IOMMU_IOAS_UNMAP, iommu_ioas_unmap, length),
	PIN(IOMMU_OPTION, iommu_option, val64),
	PIN(IOMMU_VFIO_IOAS, iommu_vfio_ioas, __reserved),
#endif
#ifdef IOMMU_HWPT_ALLOC
	PIN(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, __reserved),
#endif
#ifdef IOMMU_GET_HW_INFO
	PIN(IOMMU_GET_HW_INFO, iommu_hw_info, out_data_type),
#endif
#ifdef IOMMU_HWPT_SET_DIRTY_TRACKING
	PIN(IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking,
	    __reserved),
	PIN(IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap, data),
#endif
#ifdef IOMMU_HWPT_INVALIDATE
	PIN(IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate, __reserved),
#endif
#ifdef IOMMU_FAULT_QUEUE_ALLOC
	PIN(IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc, out_fault_fd),
#endif
#ifdef IOMMU_IOAS_MAP_FILE
	PIN(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, iova),
#endif
#ifdef IOMMU_VIOMMU_ALLOC
	PIN(IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc, out_viommu_id),
	PIN(IOMMU_VDEVICE_ALLOC, iommu_vdevice_alloc, virt_id),
#endif
#ifdef IOMMU_IOAS_CHANGE_PROCESS
	PIN(IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process, __reserved),
#endif
#ifdef IOMMU_VEVENTQ_ALLOC
	PIN(IOMMU_VEVENTQ_ALLOC, iommu_veventq_alloc, out_veventq_fd),
#endif
#ifdef IOMMU_HW_QUEUE_ALLOC
	PIN(IOMMU_HW_QUEUE_ALLOC, iommu_hw_queue_alloc, length),
#endif
#ifdef VFIO_DEVICE_BIND_IOMMUFD
	PIN(VFIO_DEVICE_BIND_IOMMUFD, vfio_device_bind_iommufd, out_devid),
	PIN(VFIO_DEVICE_ATTACH_IOMMUFD_PT, vfio_device_attach_iommufd_pt, pt_id),
	PIN(VFIO_DEVICE_DETACH_IOMMUFD_PT, vfio_device_detach_iommufd_pt, flags),
#endif
#ifdef VFIO_IOMMU_MAP_DMA
	PIN(VFIO_IOMMU_GET_INFO, vfio_iommu_type1_info, iova_pgsizes),
	PIN(VFIO_IOMMU_MAP_DMA, vfio_iommu_type1_dma_map, size),
	PIN(VFIO_IOMMU_UNMAP_DMA, vfio_iommu_type1_dma_unmap, size),
#endif
	{},
};

/* Values that are no command's */
const struct pin_value pin_values[] = {
#define VALUE(up, v)	{ #v, up, v }
#ifdef IOMMU_DESTROY
	VALUE("MAP_FIXED", IOMMU_IOAS_MAP_FIXED_IOVA),
	VALUE("MAP_WRITE", IOMMU_IOAS_MAP_WRITEABLE),
	VALUE("MAP_READ", IOMMU_IOAS_MAP_READABLE),
	VALUE("OPTION_HUGE_PAGES", IOMMU_OPTION_HUGE_PAGES),
	VALUE("OPTION_GET", IOMMU_OPTION_OP_GET),
	VALUE("VFIO_IOAS_CLEAR", IOMMU_VFIO_IOAS_CLEAR),
#endif
#ifdef IOMMU_FAULT_QUEUE_ALLOC
	VALUE("HWPT_NEST_PARENT", IOMMU_HWPT_ALLOC_NEST_PARENT),
	VALUE("HWPT_DIRTY_TRACKING", IOMMU_HWPT_ALLOC_DIRTY_TRACKING),
	VALUE("HWPT_FAULT_ID", IOMMU_HWPT_FAULT_ID_VALID),
	VALUE("HWPT_DATA_VTD_S1", IOMMU_HWPT_DATA_VTD_S1),
	VALUE("VTD_S1_SRE", IOMMU_VTD_S1_SRE),
	VALUE("VTD_S1_EAFE", IOMMU_VTD_S1_EAFE),
	VALUE("VTD_S1_WPE", IOMMU_VTD_S1_WPE),
	VALUE("HW_INFO_VTD", IOMMU_HW_INFO_TYPE_INTEL_VTD),
	VALUE("INVALIDATE_VTD_S1", IOMMU_HWPT_INVALIDATE_DATA_VTD_S1),
	VALUE("INVALIDATE_LEAF", IOMMU_VTD_INV_FLAGS_LEAF),
	VALUE("HW_CAP_DIRTY_TRACKING", IOMMU_HW_CAP_DIRTY_TRACKING),
	VALUE("DIRTY_TRACKING_ENABLE", IOMMU_HWPT_DIRTY_TRACKING_ENABLE),
	VALUE("GET_DIRTY_NO_CLEAR", IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR),
	VALUE("sizeof range", sizeof(struct iommu_iova_range)),
	VALUE("sizeof vtd_s1", sizeof(struct iommu_hwpt_vtd_s1)),
	VALUE("sizeof hw_info_vtd", sizeof(struct iommu_hw_info_vtd)),
	VALUE("sizeof invalidate_vtd_s1",
	      sizeof(struct iommu_hwpt_vtd_s1_invalidate)),
	VALUE("sizeof page_request", sizeof(struct iommu_hwpt_pgfault)),
	VALUE("sizeof page_response", sizeof(struct iommu_hwpt_page_response)),
#endif
#ifdef VFIO_UNMAP_ALL
	VALUE("CONTAINER_VERSION", VFIO_API_VERSION),
	VALUE("CONTAINER_API_VERSION", _IOC_NR(VFIO_GET_API_VERSION)),
	VALUE("CONTAINER_CHECK_EXTENSION", _IOC_NR(VFIO_CHECK_EXTENSION)),
	VALUE("CONTAINER_SET_IOMMU", _IOC_NR(VFIO_SET_IOMMU)),
	VALUE("CONTAINER_DIRTY_PAGES", _IOC_NR(VFIO_IOMMU_DIRTY_PAGES)),
	VALUE("CONTAINER_TYPE1", VFIO_TYPE1_IOMMU),
	VALUE("CONTAINER_TYPE1V2", VFIO_TYPE1v2_IOMMU),
	VALUE("CONTAINER_DMA_CC", VFIO_DMA_CC_IOMMU),
	VALUE("CONTAINER_UNMAP_ALL", VFIO_UNMAP_ALL),
	VALUE("CONTAINER_INFO_PGSIZES", VFIO_IOMMU_INFO_PGSIZES),
	VALUE("CONTAINER_INFO_CAPS", VFIO_IOMMU_INFO_CAPS),
	VALUE("CONTAINER_CAP_IOVA_RANGES", VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE),
	VALUE("CONTAINER_CAP_DMA_AVAIL", VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL),
	VALUE("CONTAINER_MAP_READ", VFIO_DMA_MAP_FLAG_READ),
	VALUE("CONTAINER_MAP_WRITE", VFIO_DMA_MAP_FLAG_WRITE),
	VALUE("CONTAINER_UNMAP_FLAG_ALL", VFIO_DMA_UNMAP_FLAG_ALL),
	VALUE("sizeof container_cap", sizeof(struct vfio_info_cap_header)),
	VALUE("sizeof container_dma_avail",
	      sizeof(struct vfio_iommu_type1_info_dma_avail)),
	VALUE("sizeof container_iova_ranges",
	      sizeof(struct vfio_iommu_type1_info_cap_iova_range)),
	VALUE("sizeof range", sizeof(struct vfio_iova_range)),
	VALUE("offset cap_offset",
	      offsetof(struct vfio_iommu_type1_info, cap_offset)),
	VALUE("offset user_va", offsetof(struct vfio_iommu_type1_dma_map, vaddr)),
	VALUE("offset iova", offsetof(struct vfio_iommu_type1_dma_map, iova)),
#endif
	{},
};
