# SPDX-License-Identifier: GPL-2.0-only
# Random policies, and the differential test of the compiler on them

RANDOM_OBJ	:= $(addprefix $(BUILD)/tests/compiler/,random_policy.o random_condition.o)
DIFFERENTIAL_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/compiler/differential*.c)) \
	$(BUILD)/tests/compiler/routers.o
# How it builds a policy's program: plain C like itself, and for BPF_PROG_TEST_RUN
DIFFERENTIAL_INC := -Ibpf_templates -Ikernel/uapi
DIFFERENTIAL_CC	:= $(CC) -std=gnu11 -O1 -g -Wall -Wextra -Werror $(filter -fsanitize% \
	-fno-sanitize%,$(CFLAGS)) $(DIFFERENTIAL_INC) -shared -fPIC
DIFFERENTIAL_CLANG := $(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror \
	$(DIFFERENTIAL_INC) -idirafter /usr/include/$(MULTIARCH)
TEST_COMPILER_CFLAGS := $(CFLAGS) $(COMPILER_CFLAGS) $(RUNTIME_CFLAGS) -Itests/compiler \
	-Itests/interpreter

$(BUILD)/differential: $(DIFFERENTIAL_OBJ) $(RANDOM_OBJ) $(INTERPRETER_OBJ) $(COMPILER_OBJ) \
	$(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) -ldl

# A parser that tells which productions it reduces
$(BUILD)/random-policies: $(BUILD)/tests/compiler/random_policies.o $(RANDOM_OBJ) \
	$(INTERPRETER_OBJ) $(BUILD)/tests/compiler/traced_parser.o \
	$(filter-out %/parser.o,$(COMPILER_OBJ)) $(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

$(BUILD)/tests/compiler/traced_parser.o: $(BUILD)/compiler/parser.c tests/compiler/coverage.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(COMPILER_CFLAGS) -Wno-shadow -Wno-undef -Wno-sign-compare \
		-DPOLICY_DEBUG=1 -DYYFPRINTF=coverage_printf -include tests/compiler/coverage.h \
		-c -o $@ $<

$(BUILD)/tests/compiler/grammar.txt: compiler/parser.y
	$(call say,BISON,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(BISON) --report=state --report-file=$@ --output=$(@:.txt=.c) $<

$(BUILD)/tests/compiler/%.o: tests/compiler/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_COMPILER_CFLAGS) -MMD -MP \
		-DDIFFERENTIAL_CC='"$(DIFFERENTIAL_CC)"' \
		-DDIFFERENTIAL_CLANG='"$(DIFFERENTIAL_CLANG)"' \
		-DCOVERAGE_GRAMMAR='"$(BUILD)/tests/compiler/grammar.txt"' -c -o $@ $<

$(BUILD)/load-policies: $(BUILD)/tests/compiler/load_policies.o $(RANDOM_OBJ) \
	$(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS)

# Objects of random policies, for this machine's verifier and for that of the guest,
# and those of policies that reach the limits
RANDOM_POLICIES	?= 1000
.PHONY: random-objects
random-objects: $(BUILD)/load-policies $(BUILD)/random/coverage $(BUILD)/limits/built

$(BUILD)/random/coverage: $(BUILD)/random-policies $(BUILD)/ublkpolc
	$(call say,POLICIES,$(@D))
	$(Q)UBLKPOLC_CLANG=$(CLANG) tests/compiler/random-objects $(BUILD) $(RANDOM_POLICIES)

$(BUILD)/limits/built: tests/compiler/limits $(BUILD)/ublkpolc $(wildcard bpf_templates/*)
	$(call say,POLICIES,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)tests/compiler/limits $(@D)
	$(Q)for policy in $(@D)/*.ublkpol; do \
		UBLKPOLC_CLANG=$(CLANG) $(BUILD)/ublkpolc $$policy || exit; done
	$(Q)touch $@

$(BUILD)/random-policies: | $(BUILD)/tests/compiler/grammar.txt
unit-tests: $(BUILD)/differential $(BUILD)/random-policies

-include $(wildcard $(BUILD)/tests/compiler/*.d)
