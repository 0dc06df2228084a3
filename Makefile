# SPDX-License-Identifier: GPL-2.0-only
#
# Quiet by default, V=1 shows the commands. 'make help' lists the targets.

BUILD		:= build
CC		?= gcc
CLANG		?= $(firstword $(shell command -v clang-19 clang 2>/dev/null) clang-19)
CFLAGS		:= -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
		   -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wvla -Wundef
CFLAGS		+= $(EXTRA_CFLAGS)
MULTIARCH	:= $(shell $(CC) -print-multiarch)

# SANITIZE=1 is a build of its own beside the ordinary one
# (where each object of an arena is a block, or ASan would not know their bounds)
SANITIZE_CFLAGS	:= -fno-sanitize-recover=all -fno-omit-frame-pointer -DARENA_BLOCK_SIZE=1
ifeq ($(SANITIZE),1)
BUILD		:= build/sanitize
CFLAGS		+= -fsanitize=address,undefined $(SANITIZE_CFLAGS)
endif

# FUZZ=1 is one more, of tests/fuzz only
ifeq ($(FUZZ),1)
BUILD		:= build/fuzz
CC		:= $(CLANG)
CFLAGS		+= -fsanitize=fuzzer-no-link,address,undefined $(SANITIZE_CFLAGS)
endif

ifeq ($(V),1)
Q		:=
VERBOSE		:= -v
else
Q		:= @
VERBOSE		:=
MAKEFLAGS	+= --no-print-directory
endif


# "CC file" lines of the quiet build: $(call say,CC)
say		= $(if $(Q),@printf '  %-8s%s\n' $(1) $(2))

.DELETE_ON_ERROR:
.PHONY: all help demo check check-style check-unit check-compiler check-vm fuzz kernel deps clean

all: tools policies

help:
	@echo 'Targets:'
	@echo '  all             the compiler, the runtime and the policies, in build/'
	@echo '  demo            install what is missing, build all and the kernel, boot it in'
	@echo '                  QEMU, route real I/O through policies and show where it went'
	@echo '  check           all tests but check-debug, -soak, -selftests, -mutations, -series'
	@echo '  check-style     formatting, shellcheck, cppcheck, SPDX lines, checkpatch'
	@echo '  check-unit      unit tests on this machine, plain and with ASan and UBSan'
	@echo '  check-compiler  policies, good and bad, against the expected output'
	@echo '  fuzz            the compiler on random input for an hour, FUZZ_SECONDS=3600; a'
	@echo '                  minute of it is in check-compiler'
	@echo '  check-vm        real I/O in a guest that runs the patched kernel'
	@echo '  check-debug     the tests of check-vm on a kernel with KASAN, lockdep and more'
	@echo '  check-soak      what check-vm repeats, repeated for hours'
	@echo '  check-selftests the kernel'"'"'s own ublk selftests, patched and unpatched'
	@echo '  check-mutations for each deliberate bug, a test that notices it'
	@echo '  check-series    each patch of the kernel series builds; sparse'
	@echo '  check-full      check and all of these: hours'
	@echo '  bench           measure everything against its peers: bench/results/'
	@echo '  bench-quick     its main table, in less than five minutes'
	@echo '  bench-repeat    the tables of instructions again, compared with bench/results/'
	@echo '  kernel          the patched kernel and kublk: build/kernel/'
	@echo '  kernel-debug    the same with KASAN, lockdep and more: build/kernel-debug/'
	@echo '  deps            install the Debian packages that are missing (as root);'
	@echo '                  deps-full those of check-full, too'
	@echo '  clean           remove build/ (the kernel stays in ~/.cache/ublkpol)'
	@echo 'Variables:'
	@echo '  V=1             show the commands'
	@echo '  SANITIZE=1      build with ASan and UBSan, in build/sanitize/'
	@echo '  KERNEL_SRC=...  tree or tarball of Linux 7.3 instead of the Debian package'
	@echo '  TESTS=...       check-vm, -debug, -selftests, -mutations, -soak: only the'
	@echo '                  tests whose names contain this'

# ---- programs --------------------------------------------------------------

.PHONY: tools policies
tools: $(BUILD)/ublkpolc $(BUILD)/ublkpol

# On a bare machine, 'make deps' has to come first: these ask pkg-config
ifneq ($(shell command -v pkg-config),)
include compiler/build.mk runtime/build.mk
-include tests/unit/build.mk tests/unit-runtime/build.mk
include tests/interpreter/build.mk tests/compiler/build.mk tests/fuzz/build.mk
include tests/model/build.mk tests/kernel/build.mk
-include bench/bench.mk
else
$(BUILD)/%:
	@echo "pkg-config is missing: 'make deps' installs what the build needs" >&2; exit 1
endif

# ---- policies --------------------------------------------------------------

POLICIES	:= $(wildcard policies/*.ublkpol)
TEST_POLICIES	:= $(wildcard tests/vm/policies/*.ublkpol)
POLICY_OBJECTS	:= $(POLICIES:%.ublkpol=$(BUILD)/%.bpf.o)
TEST_OBJECTS	:= $(TEST_POLICIES:%.ublkpol=$(BUILD)/%.bpf.o)

policies: $(POLICY_OBJECTS) $(HANDLERS)

$(BUILD)/%.bpf.o: %.ublkpol $(BUILD)/ublkpolc $(wildcard bpf_templates/*)
	$(call say,POLICY,$@)
	$(Q)mkdir -p $(@D)
	$(Q)UBLKPOLC_CLANG=$(CLANG) $(BUILD)/ublkpolc -o $@ $<

# For tests: where a policy says GiB, these say MiB, and what happens every ten thousandth
# time happens every hundredth
SMALL_POLICIES	:= $(POLICIES:policies/%=$(BUILD)/small/%)
SMALL_OBJECTS	:= $(SMALL_POLICIES:.ublkpol=.bpf.o)

$(BUILD)/small/%.ublkpol: policies/%.ublkpol $(wildcard policies/*.ranges) Makefile
	$(Q)mkdir -p $(@D)
	$(Q)cp policies/*.ranges $(@D)
	$(Q)sed 's/GiB/MiB/g; s/every 10000 /every 100 /' $< >$@

.PRECIOUS: $(SMALL_POLICIES)
$(BUILD)/small/%.bpf.o: $(BUILD)/small/%.ublkpol $(BUILD)/ublkpolc $(wildcard bpf_templates/*)
	$(call say,POLICY,$@)
	$(Q)UBLKPOLC_CLANG=$(CLANG) $(BUILD)/ublkpolc -o $@ $<

# ---- kernel, demo, checks --------------------------------------------------

deps:
	$(Q)scripts/deps

kernel:
	$(Q)kernel/build $(VERBOSE) -o build/kernel

.PHONY: kernel-debug deps-full
deps-full:
	$(Q)scripts/deps full

kernel-debug:
	$(Q)kernel/build $(VERBOSE) -c debug -o build/kernel-debug

demo: deps
	$(Q)$(MAKE) all model kernel
	$(Q)demo/run build

# The tests of the tools on this machine run plain and sanitized
HOST_TESTS	:= tools unit-tests
check check-unit check-compiler: deps
CHECK_SUITES	:= style unit compiler fuzz host kernel-build bench vm demo
.PHONY: check-programs
check-programs:
	$(Q)$(MAKE) $(HOST_TESTS) all model kernel-tests test-policies random-objects kernel
	$(Q)$(MAKE) SANITIZE=1 $(HOST_TESTS)
	$(Q)$(MAKE) FUZZ=1 fuzz-policy

check: check-programs
	$(Q)tests/run $(CHECK_SUITES)

check-style: deps kernel
	$(Q)tests/run style

check-unit:
	$(Q)$(MAKE) $(HOST_TESTS)
	$(Q)$(MAKE) SANITIZE=1 $(HOST_TESTS)
	$(Q)tests/run unit host bench

check-compiler:
	$(Q)$(MAKE) $(HOST_TESTS) random-objects
	$(Q)$(MAKE) SANITIZE=1 $(HOST_TESTS)
	$(Q)$(MAKE) FUZZ=1 fuzz-policy
	$(Q)tests/run compiler fuzz

FUZZ_SECONDS	?= 3600
fuzz: deps
	$(Q)$(MAKE) FUZZ=1 fuzz-policy
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run fuzz

check-vm: deps
	$(Q)$(MAKE) all model kernel-tests test-policies random-objects kernel
	$(Q)TESTS='$(TESTS)' tests/run vm

.PHONY: check-debug
check-debug: deps-full
	$(Q)$(MAKE) all model kernel-tests test-policies random-objects kernel-debug
	$(Q)TESTS='$(TESTS)' tests/run debug

.PHONY: check-soak
check-soak: deps-full
	$(Q)$(MAKE) all model kernel-tests test-policies kernel kernel-debug
	$(Q)TESTS='$(TESTS)' tests/run soak

# Unpatched first: a change of the series then is built in a tree that is warm
.PHONY: check-selftests kernel-selftests
kernel-selftests:
	$(Q)kernel/build $(VERBOSE) -c selftests -u -o build/kernel-unpatched
	$(Q)kernel/build $(VERBOSE) -c selftests -o build/kernel-selftests

check-selftests: deps-full kernel-selftests
	$(Q)TESTS='$(TESTS)' tests/run selftests

.PHONY: check-mutations check-series check-full
check-mutations: deps-full
	$(Q)$(MAKE) $(HOST_TESTS) all model kernel-tests test-policies kernel kernel-debug
	$(Q)TESTS='$(TESTS)' tests/run mutations

check-series: deps-full
	$(Q)tests/run series

# One list of totals: what make check runs first, the long ones last
check-full: deps-full check-programs
	$(Q)$(MAKE) kernel-debug kernel-selftests
	$(Q)tests/run $(CHECK_SUITES) series debug selftests mutations soak

.PHONY: unit-tests test-policies
unit-tests: $(BUILD)/unit-tests $(BUILD)/unit-tests-runtime
test-policies: $(TEST_OBJECTS) $(SMALL_OBJECTS)

clean:
	$(Q)rm -rf build
