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

# Policies of many ranges, and their programs with a loop around the decision
BENCH_RANGES	:= $(addprefix $(BUILD)/bench/ranges-,1 2 10 100 1000 10000 100000 \
		   100000-uneven)

$(BENCH_RANGES:%=%.ublkpol): $(BUILD)/bench/ranges-%.ublkpol: bench/ranges
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)bench/ranges $* policy >$@

$(BENCH_RANGES:%=%.bpf.o): %.bpf.o: %.ublkpol $(BUILD)/ublkpolc $(wildcard bpf_templates/*)
	$(call say,POLICY,$@)
	$(Q)UBLKPOLC_CLANG=$(CLANG) $(BUILD)/ublkpolc -o $@ $<

$(BENCH_RANGES:%=%.loop.o): %.loop.o: %.ublkpol $(BUILD)/ublkpolc $(wildcard bpf_templates/*) \
		bench/decide_loop.h bench/decide.h
	$(call say,CLANG,$@)
	$(Q)$(BUILD)/ublkpolc -S -o - $< | \
		sed 's/"ublkpol_route.h"/"decide_loop.h"/' >$(@:.o=.c)
	$(Q)$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -DUBLKPOL_SYSCALL \
		-Ibench -Ibpf_templates -Ikernel/uapi \
		-idirafter /usr/include/$(MULTIARCH) -c -o $@ $(@:.o=.c)

$(BUILD)/decide: bench/decide.c bench/decide.h $(BUILD)/libublkpol.a
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(RUNTIME_CFLAGS) -Ibench -o $@ $< $(BUILD)/libublkpol.a $(RUNTIME_LIBS)

# Of the tables that compare with what others measured
.PHONY: kernel-tiny
kernel-tiny:
	$(Q)kernel/build $(VERBOSE) -c tiny -o build/kernel-tiny

.PHONY: bench bench-quick bench-programs
bench-programs: $(BUILD)/ioload $(BUILD)/tsc-khz $(BUILD)/decide $(BENCH_OBJECTS) \
		$(BENCH_RANGES:%=%.bpf.o) $(BENCH_RANGES:%=%.loop.o)

bench-quick: deps
	$(Q)$(MAKE) all bench-programs kernel
	$(Q)bench/run $(BUILD) quick

bench: deps
	$(Q)$(MAKE) all bench-programs kernel kernel-tiny
	$(Q)bench/compile $(BUILD)
	$(Q)bench/decision $(BUILD)
	$(Q)bench/run $(BUILD)

# The tables of instructions once more: they are the same to 1 %
INSTRUCTION_TABLES := quick full striped queues smp defaults ranges fio fio-smp \
	fio-tiny fio-smp-tiny

.PHONY: bench-repeat
bench-repeat: deps
	$(Q)$(MAKE) all bench-programs kernel kernel-tiny
	$(Q)bench/run -o $(BUILD)/bench/again $(BUILD) $(INSTRUCTION_TABLES)
	$(Q)for table in $(INSTRUCTION_TABLES:%=%.json); do \
		echo "$$table:"; \
		bench/compare bench/results/$$table $(BUILD)/bench/again/$$table || failed=1; \
	done; test -z "$$failed"
