# SPDX-License-Identifier: GPL-2.0-only
# The AST interpreter, the reference for what policies mean

INTERPRETER_OBJ	:= $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/interpreter/*.c))

$(INTERPRETER_OBJ): $(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(COMPILER_CFLAGS) -Itests/interpreter -MMD -MP -c -o $@ $<

-include $(INTERPRETER_OBJ:.o=.d)
