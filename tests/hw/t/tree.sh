#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Trees of address spaces and stacks of attachments of a device with PASIDs.
#
# kernels: 6.1 6.12
# iommu: hw
exec env IOMMU=hw tests/vm/t/tree.sh
