# SPDX-License-Identifier: GPL-2.0-only
# libublkpol and the ublkpol command. Included by the top Makefile, which sets
# CC, CFLAGS, BUILD, Q and say.

RUNTIME_LIB_SRC := $(wildcard runtime/*.c)
RUNTIME_CLI_SRC := $(wildcard runtime/cli/*.c)
RUNTIME_TEST_SRC := $(wildcard tests/unit-runtime/*.c)

RUNTIME_LIB_OBJ := $(RUNTIME_LIB_SRC:%.c=$(BUILD)/%.o)
RUNTIME_CLI_OBJ := $(RUNTIME_CLI_SRC:%.c=$(BUILD)/%.o)
RUNTIME_TEST_OBJ := $(RUNTIME_TEST_SRC:%.c=$(BUILD)/%.o)
RUNTIME_OBJ := $(RUNTIME_LIB_OBJ) $(RUNTIME_CLI_OBJ) $(RUNTIME_TEST_OBJ)

# kernel/uapi before the system's headers: theirs have no UBLK_F_BPF
RUNTIME_CFLAGS := -D_GNU_SOURCE -Ikernel/uapi -Ibpf_templates -Iruntime -pthread \
	$(shell pkg-config --cflags libbpf liburing)
RUNTIME_LIBS := $(shell pkg-config --libs libbpf liburing) -pthread

$(RUNTIME_OBJ): $(BUILD)/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(RUNTIME_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libublkpol.a: $(RUNTIME_LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# Handlers take ublkpol_request_get() and _put() from the command
$(BUILD)/ublkpol: $(RUNTIME_CLI_OBJ) $(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -rdynamic -o $@ $^ $(RUNTIME_LIBS)

# The tests reach into the command's own modules, all but its main()
$(BUILD)/unit-tests-runtime: $(RUNTIME_TEST_OBJ) \
		$(filter-out %/main.o,$(RUNTIME_CLI_OBJ)) $(BUILD)/libublkpol.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(RUNTIME_LIBS) $(shell pkg-config --libs check)

# Handlers for "user" rules: libublkpol.h is all that they need
HANDLERS := $(patsubst %.c,$(BUILD)/%.so,$(wildcard policies/handlers/*.c))

$(HANDLERS): $(BUILD)/%.so: %.c runtime/libublkpol.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -Iruntime -Ibpf_templates -fPIC -shared -o $@ $<

-include $(RUNTIME_OBJ:.o=.d)
