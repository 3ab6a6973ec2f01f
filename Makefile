# SPDX-License-Identifier: GPL-2.0-only
#
# One door to everything; 'make help' says what there is.

# The kernel to build for: 6.1, 6.12, debug, a release, or default (the running
# one's headers, else the newest 6.1). See tests/kernel.
KERNEL ?= default
# Objects go to BUILD/<release>/, never into the tree.
BUILD ?= $(CURDIR)/build
# kbuild's extra warnings; sources are to have none.
W ?= 1
PREFIX ?= /usr/local

kbuild_jobs = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

# Run TARGET of kbuild on the sources, one build of a folder at a time.
define kbuild
@eval "$$(tests/kernel $(KERNEL))" && test -n "$$release" && \
build="$(abspath $(BUILD))/$$release" && mkdir -p "$$build" && \
exec 9>"$$build.lock" && flock 9 && \
iommufd/compat/farm . "$$build" && \
iommufd/compat/probe "$$headers" "$$build" && \
$(MAKE) --no-print-directory $(kbuild_jobs) -C "$$headers" M="$$build" W=$(W) $(1)
endef

help:
	@echo "make demo          see it work in a virtual machine"
	@echo "make check         unit tests, builds and virtual machines, on both kernels"
	@echo "make check-unit    unit tests, in userspace"
	@echo "make check-flushes each flush of the VT-d driver left out in turn, which a test notices"
	@echo "make check-build   modules for both kernels without a warning, and sparse"
	@echo "make check-model   the VT-d unit of lib/vtd against QEMU's"
	@echo "make check-vm      tests in virtual machines; ONLY=pattern picks some"
	@echo "make check-hw      the same with test hardware: nesting, PASIDs, ATS, page requests"
	@echo "make check-clients QEMU and DPDK as Debian builds them, in virtual machines, QEMU with guests"
	@echo "make check-debug   both on a kernel with KASAN, lockdep and kmemleak"
	@echo "make bench         performance"
	@echo "make modules       iofd.ko, iofd_vtd.ko, iofd_pci.ko into build/<release>/"
	@echo "make sparse        the modules' sources under sparse"
	@echo "make lib           the library and the command-line tool"
	@echo "make docs          the references in docs/, from the headers"
	@echo "make install       modules, library and tool onto this machine"
	@echo "make setup         install the Debian packages that all of this needs"
	@echo "make clean         remove build/ and the library's objects"
	@echo "KERNEL=6.1|6.12|debug|<release> chooses the kernel to build for."

modules:
	$(call kbuild,modules)

sparse: setup
	$(call kbuild,C=2 modules)

setup:
	@tests/setup

lib:
	@$(MAKE) --no-print-directory -C lib

demo: setup
	@tests/demo/run

check check-unit check-flushes check-build check-model check-vm check-hw check-clients check-debug: setup
	@tests/check $(patsubst check-%,%,$(filter-out check,$@))

bench: setup
	@tests/bench/run
	@tests/bench/nest

docs:
	@$(MAKE) --no-print-directory -C docs

install: modules
	$(call kbuild,modules_install)
	@$(MAKE) --no-print-directory -C lib install PREFIX=$(PREFIX)

clean:
	rm -rf $(BUILD)
	@$(MAKE) --no-print-directory -C lib clean

.DEFAULT_GOAL := help
.PHONY: help modules sparse setup lib demo check check-unit check-build check-vm \
	check-flushes check-model check-hw check-clients check-debug bench docs install clean
