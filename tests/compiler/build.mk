# SPDX-License-Identifier: GPL-2.0-only
# The differential test of the compiler, see differential.c

DIFFERENTIAL_SRC := $(wildcard tests/compiler/*.c)
DIFFERENTIAL_OBJ := $(DIFFERENTIAL_SRC:%.c=$(BUILD)/%.o)
# How it builds a policy's program: plain C like itself, and for BPF_PROG_TEST_RUN
DIFFERENTIAL_INC := -Ibpf_templates -Ikernel/uapi
DIFFERENTIAL_CC	:= $(CC) -std=gnu11 -O1 -g -Wall -Wextra -Werror $(filter -fsanitize% \
	-fno-sanitize%,$(CFLAGS)) $(DIFFERENTIAL_INC) -shared -fPIC
DIFFERENTIAL_CLANG := $(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror \
	$(DIFFERENTIAL_INC) -idirafter /usr/include/$(MULTIARCH)

$(BUILD)/differential: $(DIFFERENTIAL_OBJ) $(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) -ldl

$(DIFFERENTIAL_OBJ): $(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(RUNTIME_CFLAGS) -Itests/compiler -MMD -MP \
		-DDIFFERENTIAL_CC='"$(DIFFERENTIAL_CC)"' \
		-DDIFFERENTIAL_CLANG='"$(DIFFERENTIAL_CLANG)"' -c -o $@ $<

unit-tests: $(BUILD)/differential

-include $(DIFFERENTIAL_OBJ:.o=.d)
