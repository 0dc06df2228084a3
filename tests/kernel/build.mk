# SPDX-License-Identifier: GPL-2.0-only
#
# Programs that test the kernel series without the compiler

KERNEL_TEST_CFLAGS := $(CFLAGS) $(RUNTIME_CFLAGS)
# by_hand.bpf.c needs nothing of the C library but its UAPI headers
KERNEL_TEST_BPF_CFLAGS := -target bpf -O2 -g -Wall -Wextra -Werror -Ikernel/uapi \
	-I/usr/include/$(MULTIARCH)

.PHONY: kernel-tests
kernel-tests: $(BUILD)/by-hand $(BUILD)/by_hand.bpf.o $(BUILD)/verifier

$(BUILD)/by-hand: $(BUILD)/tests/kernel/by_hand.o $(BUILD)/tests/kernel/test_program.o \
		$(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

$(BUILD)/verifier: $(BUILD)/tests/kernel/verifier.o $(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

$(BUILD)/by_hand.bpf.o: tests/kernel/by_hand.bpf.c tests/kernel/regions.h
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(KERNEL_TEST_BPF_CFLAGS) -c -o $@ $<

$(BUILD)/tests/kernel/%.o: tests/kernel/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_TEST_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/tests/kernel/*.d)
