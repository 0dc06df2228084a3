# SPDX-License-Identifier: GPL-2.0-only
# Unit tests of the compiler and of what it shares with the loader

UNIT_SRC	:= $(wildcard tests/unit/*.c)
UNIT_OBJ	:= $(UNIT_SRC:%.c=$(BUILD)/%.o)

# The program of a policy as plain C, both of its entries
$(BUILD)/tests/unit/mirrors.c: tests/unit/mirrors.ublkpol $(BUILD)/ublkpolc
	$(call say,POLICY,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BUILD)/ublkpolc -S -o $@ $<

$(BUILD)/tests/unit/mirrors.o: $(BUILD)/tests/unit/mirrors.c $(wildcard bpf_templates/*)
	$(call say,CC,$<)
	$(Q)$(CC) $(filter-out -Wshadow -Wmissing-prototypes,$(CFLAGS)) -Ibpf_templates \
		-Ikernel/uapi -DUBLKPOL_NATIVE -c -o $@ $<

$(BUILD)/unit-tests: $(UNIT_OBJ) $(BUILD)/tests/unit/mirrors.o $(COMPILER_OBJ) $(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) $(shell pkg-config --libs check)

$(UNIT_OBJ): $(BUILD)/%.o: %.c $(COMPILER_GEN)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(COMPILER_CFLAGS) $(RUNTIME_CFLAGS) -MMD -MP -c -o $@ $<

-include $(UNIT_OBJ:.o=.d)
