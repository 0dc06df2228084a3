# SPDX-License-Identifier: GPL-2.0-only
# Unit tests of the compiler and of what it shares with the loader

UNIT_SRC	:= $(wildcard tests/unit/*.c)
UNIT_OBJ	:= $(UNIT_SRC:%.c=$(BUILD)/%.o)

$(BUILD)/unit-tests: $(UNIT_OBJ) $(COMPILER_OBJ) $(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) $(shell pkg-config --libs check)

$(UNIT_OBJ): $(BUILD)/%.o: %.c $(COMPILER_GEN)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(COMPILER_CFLAGS) $(RUNTIME_CFLAGS) -MMD -MP -c -o $@ $<

-include $(UNIT_OBJ:.o=.d)
