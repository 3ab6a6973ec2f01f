/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * DOC: libiommu
 *
 * libiommu: drive a device from user space behind an IOMMU.
 *
 * Everything the library offers. Each header can also be included alone.
 *
 * Rules for every function:
 *
 * - Success is 0 (or what the function says it returns); failure is a negative
 *   errno. The C library's errno is not part of the interface.
 * - After a failure iommu_ctx_error() says in words what failed, why, and what
 *   to do about it. The text belongs to the calling thread.
 * - A context may be used by several threads at a time. So may one handle,
 *   unless its function says otherwise; but nobody may use a handle while or
 *   after another thread frees it.
 * - Output parameters are written on success only.
 * - Addresses, offsets and lengths are in bytes.
 */
#ifndef IOMMU_IOMMU_H
#define IOMMU_IOMMU_H

#include <iommu/buffer.h>
#include <iommu/context.h>
#include <iommu/device.h>
#include <iommu/ioas.h>
#include <iommu/irq.h>
#include <iommu/nest.h>
#include <iommu/region.h>
#include <iommu/vtd_s1.h>

#endif /* IOMMU_IOMMU_H */
