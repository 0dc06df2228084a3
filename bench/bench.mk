# SPDX-License-Identifier: GPL-2.0-only
# Measurements. Included by the top Makefile, which sets CC, CFLAGS, BUILD, Q
# and say.

BENCH_POLICIES	:= $(wildcard bench/policies/*.ublkpol)
BENCH_OBJECTS	:= $(BENCH_POLICIES:%.ublkpol=$(BUILD)/%.bpf.o)

$(BUILD)/ioload: bench/ioload.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $< -luring

$(BUILD)/tsc-khz: bench/tsc-khz.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $<

.PHONY: bench bench-quick bench-programs
bench-programs: $(BUILD)/ioload $(BUILD)/tsc-khz $(BENCH_OBJECTS)

bench-quick: deps
	$(Q)$(MAKE) all bench-programs kernel
	$(Q)bench/run $(BUILD) quick rfc

bench: deps
	$(Q)$(MAKE) all bench-programs kernel
	$(Q)bench/run $(BUILD)
