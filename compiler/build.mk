# SPDX-License-Identifier: GPL-2.0-only
# ublkpolc. Included by the top Makefile, which sets CC, CFLAGS, BUILD, Q and
# say; runtime/build.mk builds the part that compiler and loader share.

FLEX		?= flex
BISON		?= bison

COMPILER_SRC	:= $(wildcard compiler/*.c)
COMPILER_GEN	:= $(BUILD)/compiler/parser.c $(BUILD)/compiler/lexer.c
COMPILER_GEN_OBJ := $(COMPILER_GEN:.c=.o)
COMPILER_SRC_OBJ := $(COMPILER_SRC:%.c=$(BUILD)/%.o)
COMPILER_SHARED_OBJ := $(addprefix $(BUILD)/runtime/,checks.o json.o \
	policy_image.o error.o range_text.o resolve.o resolve_lists.o resolve_segments.o \
	resolve_index.o resolve_overlaps.o resolve_place.o resolve_checks.o \
	resolve_alias.o resolve_limits.o)
# All but main(), for the unit tests
COMPILER_OBJ	:= $(filter-out %/ublkpolc.o,$(COMPILER_SRC_OBJ)) $(COMPILER_GEN_OBJ)

COMPILER_CFLAGS	:= -D_GNU_SOURCE -Ikernel/uapi -Ibpf_templates -Iruntime -Icompiler \
	-I$(BUILD)/compiler -DUBLKPOL_MULTIARCH='"$(MULTIARCH)"'

$(BUILD)/ublkpolc: $(BUILD)/compiler/ublkpolc.o $(COMPILER_OBJ) $(COMPILER_SHARED_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# (some of them include the header that bison writes)
$(COMPILER_SRC_OBJ): $(BUILD)/%.o: %.c | $(COMPILER_GEN)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(COMPILER_CFLAGS) -MMD -MP -c -o $@ $<

# Neither flex nor bison writes code that these warnings like
$(COMPILER_GEN_OBJ): %.o: %.c $(COMPILER_GEN)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) $(COMPILER_CFLAGS) -Wno-shadow -Wno-undef -Wno-sign-compare \
		-Wno-unused-but-set-variable \
		-MMD -MP -c -o $@ $<

$(BUILD)/compiler/parser.c: compiler/parser.y
	$(call say,BISON,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(BISON) -Wall -Werror --defines=$(@:.c=.h) -o $@ $<

$(BUILD)/compiler/lexer.c: compiler/lexer.l
	$(call say,FLEX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(FLEX) --header-file=$(@:.c=.h) -o $@ $<

# Reads tokens like the parser
$(BUILD)/compiler/format.o: $(COMPILER_GEN)

# Embedded with .incbin, which the compiler's dependency files do not show
$(BUILD)/compiler/templates.o: $(wildcard bpf_templates/*) $(wildcard kernel/uapi/linux/*)

-include $(COMPILER_SRC_OBJ:.o=.d) $(COMPILER_GEN_OBJ:.o=.d)
