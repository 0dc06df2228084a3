# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that test the kernel series without the compiler

KERNEL_TEST_CFLAGS := $(CFLAGS) $(RUNTIME_CFLAGS)
# The BPF programs need nothing of the C library but its UAPI headers
KERNEL_TEST_BPF_CFLAGS := -target bpf -O2 -g -Wall -Wextra -Werror -Ikernel/uapi \
	-I/usr/include/$(MULTIARCH)

KERNEL_TEST_BPF := $(patsubst %.bpf.c,$(BUILD)/%.bpf.o,$(wildcard tests/kernel/*.bpf.c))
# One main() each; what they share is test_*.c
KERNEL_TEST_MAIN := $(filter-out tests/kernel/test_% %.bpf.c,$(wildcard tests/kernel/*.c))
KERNEL_TEST_SHARED := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/kernel/test_*.c))
KERNEL_TESTS := $(KERNEL_TEST_MAIN:%.c=$(BUILD)/%)

.PHONY: kernel-tests
kernel-tests: $(KERNEL_TESTS) $(KERNEL_TEST_BPF)

$(KERNEL_TESTS): $(BUILD)/%: $(BUILD)/%.o $(KERNEL_TEST_SHARED) $(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

$(KERNEL_TEST_BPF): $(BUILD)/%.bpf.o: %.bpf.c $(wildcard tests/kernel/*.h)
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(KERNEL_TEST_BPF_CFLAGS) -c -o $@ $<

$(BUILD)/tests/kernel/%.o: tests/kernel/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_TEST_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/tests/kernel/*.d)
