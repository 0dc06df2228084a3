# SPDX-License-Identifier: GPL-2.0-only
# The fuzz test of the compiler. FUZZ=1 makes it, in build/fuzz/.

.PHONY: fuzz-policy
fuzz-policy: $(BUILD)/fuzz-policy

$(BUILD)/fuzz-policy: $(BUILD)/tests/fuzz/policy.o $(COMPILER_OBJ) $(COMPILER_SHARED_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(subst fuzzer-no-link,fuzzer,$(CFLAGS)) $(LDFLAGS) -o $@ $^

$(BUILD)/tests/fuzz/%.o: tests/fuzz/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(COMPILER_CFLAGS) -MMD -MP -c -o $@ $<

-include $(BUILD)/tests/fuzz/policy.d
