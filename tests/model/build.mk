# SPDX-License-Identifier: GPL-2.0-only
#
# The model of the policies and the programs of the VM tests

MODEL_CFLAGS	:= $(CFLAGS) -Itests/model
MODEL_SHARED	:= $(BUILD)/tests/model/model.o $(BUILD)/tests/model/backend.o

.PHONY: model
model: $(BUILD)/random-io $(BUILD)/placement

$(BUILD)/random-io: $(BUILD)/tests/model/random.o $(MODEL_SHARED)
	$(call say,LD,$@)
	$(Q)$(CC) $(MODEL_CFLAGS) -o $@ $^ -luring

$(BUILD)/placement: $(BUILD)/tests/model/placement.o $(MODEL_SHARED)
	$(call say,LD,$@)
	$(Q)$(CC) $(MODEL_CFLAGS) -o $@ $^

$(BUILD)/tests/model/%.o: tests/model/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(MODEL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/tests/model/*.d)
