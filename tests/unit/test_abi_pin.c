// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Numbers and layouts of upstream's ABI: ours against a table of what upstream
 * has, and against its headers as far as this machine has them.
 */
#include "upstream.h"
#include "pin_upstream.h"
#include "abi/abi.h"

/* As of Linux 7.2: number, size, minimum size */
static const struct pin table[] = {
	{ "DESTROY", 0x3b80, 8, 8 },
	{ "IOAS_ALLOC", 0x3b81, 12, 12 },
	{ "IOAS_ALLOW_IOVAS", 0x3b82, 24, 24 },
	{ "IOAS_COPY", 0x3b83, 40, 40 },
	{ "IOAS_IOVA_RANGES", 0x3b84, 32, 32 },
	{ "IOAS_MAP", 0x3b85, 40, 40 },
	{ "IOAS_UNMAP", 0x3b86, 24, 24 },
	{ "OPTION", 0x3b87, 24, 24 },
	{ "VFIO_IOAS", 0x3b88, 12, 12 },
	{ "HWPT_ALLOC", 0x3b89, 48, 24 },
	{ "GET_HW_INFO", 0x3b8a, 40, 32 },
	{ "HWPT_SET_DIRTY_TRACKING", 0x3b8b, 16, 16 },
	{ "HWPT_GET_DIRTY_BITMAP", 0x3b8c, 48, 48 },
	{ "HWPT_INVALIDATE", 0x3b8d, 32, 32 },
	{ "FAULT_QUEUE_ALLOC", 0x3b8e, 16, 16 },
	{ "IOAS_MAP_FILE", 0x3b8f, 40, 40 },
	{ "VIOMMU_ALLOC", 0x3b90, 40, 24 },
	{ "VDEVICE_ALLOC", 0x3b91, 24, 24 },
	{ "IOAS_CHANGE_PROCESS", 0x3b92, 8, 8 },
	{ "VEVENTQ_ALLOC", 0x3b93, 32, 28 },
	{ "HW_QUEUE_ALLOC", 0x3b94, 40, 40 },
};

static const struct pin vfio_table[] = {
	{ "BIND_IOMMUFD", 0x3b76, sizeof(struct up_vfio_bind), 16 },
	{ "ATTACH_IOMMUFD_PT", 0x3b77, sizeof(struct up_vfio_attach), 12 },
	{ "DETACH_IOMMUFD_PT", 0x3b78, sizeof(struct up_vfio_detach), 8 },
};

static const struct pin container_table[] = {
	{ "GET_INFO", 0x3b70, sizeof(struct up_container_info), 16 },
	{ "MAP_DMA", 0x3b71, sizeof(struct up_container_map), 32 },
	{ "UNMAP_DMA", 0x3b72, sizeof(struct up_container_unmap), 24 },
};

static const struct pin_value our_values[] = {
#define OURS(v)	{ #v, #v, UP_##v }
	OURS(MAP_FIXED), OURS(MAP_WRITE), OURS(MAP_READ),
	OURS(OPTION_HUGE_PAGES), OURS(OPTION_GET), OURS(VFIO_IOAS_CLEAR),
	OURS(HWPT_NEST_PARENT), OURS(HWPT_DIRTY_TRACKING), OURS(HWPT_FAULT_ID),
	OURS(HWPT_DATA_VTD_S1), OURS(VTD_S1_SRE), OURS(VTD_S1_EAFE),
	OURS(VTD_S1_WPE), OURS(HW_INFO_VTD), OURS(INVALIDATE_VTD_S1),
	OURS(INVALIDATE_LEAF), OURS(HW_CAP_DIRTY_TRACKING),
	OURS(DIRTY_TRACKING_ENABLE), OURS(GET_DIRTY_NO_CLEAR),
	OURS(CONTAINER_VERSION), OURS(CONTAINER_API_VERSION),
	OURS(CONTAINER_CHECK_EXTENSION), OURS(CONTAINER_SET_IOMMU),
	OURS(CONTAINER_DIRTY_PAGES), OURS(CONTAINER_TYPE1),
	OURS(CONTAINER_TYPE1V2), OURS(CONTAINER_DMA_CC),
	OURS(CONTAINER_UNMAP_ALL), OURS(CONTAINER_INFO_PGSIZES),
	OURS(CONTAINER_INFO_CAPS), OURS(CONTAINER_CAP_IOVA_RANGES),
	OURS(CONTAINER_CAP_DMA_AVAIL), OURS(CONTAINER_MAP_READ),
	OURS(CONTAINER_MAP_WRITE), OURS(CONTAINER_UNMAP_FLAG_ALL),
#define SIZE(s)	{ #s, "sizeof " #s, sizeof(struct up_##s) }
	SIZE(range), SIZE(vtd_s1), SIZE(hw_info_vtd), SIZE(invalidate_vtd_s1),
	SIZE(page_request), SIZE(page_response), SIZE(container_cap),
	SIZE(container_dma_avail), SIZE(container_iova_ranges),
#define OFFSET(s, f)	{ #f, "offset " #f, offsetof(struct up_##s, f) }
	OFFSET(container_info, cap_offset), OFFSET(container_map, user_va),
	OFFSET(container_map, iova),
};

static_assert(sizeof(struct up_range) == 16 && sizeof(struct up_vtd_s1) == 24 &&
	      sizeof(struct up_hw_info_vtd) == 24 &&
	      sizeof(struct up_invalidate_vtd_s1) == 24 &&
	      sizeof(struct up_page_request) == 40 &&
	      sizeof(struct up_page_response) == 8 &&
	      sizeof(struct up_vfio_bind) == 24 &&
	      sizeof(struct up_vfio_attach) == 16 &&
	      sizeof(struct up_vfio_detach) == 12 &&
	      sizeof(struct up_container_info) == 24 &&
	      sizeof(struct up_container_map) == 32 &&
	      sizeof(struct up_container_unmap) == 24);

static void commands_are_those_of_the_table(void **state)
{
	unsigned int i;

	assert_int_equal(IOFD_NR_UPSTREAM_OPS, ARRAY_SIZE(table));
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		const struct iofd_abi_op *op = &iofd_upstream_ops[i];

		assert_non_null(op->fn);
		assert_int_equal(table[i].ioctl, _IO(';', IOFD_UPSTREAM_BASE + i));
		if (op->size != table[i].size || op->min_size != table[i].min)
			fail_msg("%s: %u, at least %u", table[i].name, op->size,
				 op->min_size);
	}
	for (i = 0; i < ARRAY_SIZE(vfio_table); i++)
		assert_int_equal(vfio_table[i].ioctl, _IO(';', UP_VFIO_BIND + i));
	for (i = 0; i < ARRAY_SIZE(container_table); i++)
		assert_int_equal(container_table[i].ioctl,
				 _IO(';', UP_CONTAINER_GET_INFO + i));
}

static const struct pin *our_pin(unsigned int nr)
{
	if (nr >= UP_DESTROY)
		return &table[nr - UP_DESTROY];
	return nr >= UP_VFIO_BIND ? &vfio_table[nr - UP_VFIO_BIND] :
				    &container_table[nr - UP_CONTAINER_GET_INFO];
}

/* A header can be older than what we know; it cannot say otherwise. */
static void pin_one(const struct pin *pin)
{
	const struct pin *ours = our_pin(pin->ioctl & 0xff);

	assert_int_equal(pin->ioctl, ours->ioctl);
	if (pin->size > ours->size || pin->size < ours->min)
		fail_msg("%s: %u bytes", pin->name, pin->size);
	/* In the oldest, a reserved field behind the last was mandatory, too. */
	if (pin->min > ours->min)
		fail_msg("%s: at least %u bytes", pin->name, pin->min);
}

static void headers_say_the_same(void **state)
{
	const struct pin_value *v;
	const struct pin *pin;
	unsigned int i, n = 0;

	for (pin = pins; pin->name; pin++, n++)
		pin_one(pin);
	for (v = pin_values; v->name; v++) {
		for (i = 0; strcmp(v->ours, our_values[i].ours); i++)
			assert_true(i + 1 < ARRAY_SIZE(our_values));
		if (v->value != our_values[i].value)
			fail_msg("%s is %#lx", v->name, v->value);
	}
	print_message("  %u commands in this machine's headers\n", n);
	if (!n)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		core_test(commands_are_those_of_the_table),
		core_test(headers_say_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
