# SPDX-License-Identifier: GPL-2.0-only
#
# The model of the policies and the programs of the VM tests

MODEL_CFLAGS	:= $(CFLAGS) $(COMPILER_CFLAGS) -Itests/model -Itests/interpreter
MODEL_SHARED	:= $(addprefix $(BUILD)/tests/model/,model.o policy.o backend.o) \
	$(INTERPRETER_OBJ) $(COMPILER_OBJ) $(BUILD)/libublkpol.a

.PHONY: model
model: $(BUILD)/random-io $(BUILD)/placement

$(BUILD)/random-io: $(BUILD)/tests/model/random.o $(MODEL_SHARED)
	$(call say,LD,$@)
	$(Q)$(CC) $(MODEL_CFLAGS) -o $@ $^ $(RUNTIME_LIBS)

$(BUILD)/placement: $(BUILD)/tests/model/placement.o $(MODEL_SHARED)
	$(call say,LD,$@)
	$(Q)$(CC) $(MODEL_CFLAGS) -o $@ $^ $(RUNTIME_LIBS)

$(BUILD)/tests/model/%.o: tests/model/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(MODEL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/tests/model/*.d)
