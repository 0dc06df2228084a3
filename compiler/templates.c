// SPDX-License-Identifier: GPL-2.0-only
#include "templates.h"

/* Paths are relative to the top directory, where make runs */
#define TEMPLATE_EMBED(symbol, file)                                             \
	extern const char symbol[], symbol##_end[];                              \
	asm(".pushsection .rodata\n" #symbol ":\n.incbin \"" file "\"\n" #symbol \
	    "_end:\n.byte 0\n.popsection\n")

TEMPLATE_EMBED(template_policy_in, "bpf_templates/policy.bpf.c.in");
TEMPLATE_EMBED(template_prog_h, "bpf_templates/ublkpol_prog.h");
TEMPLATE_EMBED(template_route_h, "bpf_templates/ublkpol_route.h");
TEMPLATE_EMBED(template_complete_h, "bpf_templates/ublkpol_complete.h");
TEMPLATE_EMBED(template_object_h, "bpf_templates/ublkpol_object.h");
TEMPLATE_EMBED(template_shim_bpf_h, "bpf_templates/ublkpol_shim_bpf.h");
TEMPLATE_EMBED(template_shim_ublk_h, "bpf_templates/ublkpol_shim_ublk.h");
TEMPLATE_EMBED(template_ublk_bpf_h, "kernel/uapi/linux/ublk_bpf.h");
TEMPLATE_EMBED(template_ublk_cmd_h, "kernel/uapi/linux/ublk_cmd.h");

#define TEMPLATE_FILE(path, symbol)        \
	{                                  \
		path, symbol, symbol##_end \
	}

const struct template_file template_policy = TEMPLATE_FILE("policy.bpf.c.in", template_policy_in);

const struct template_file template_headers[] = {
	TEMPLATE_FILE("ublkpol_prog.h", template_prog_h),
	TEMPLATE_FILE("ublkpol_route.h", template_route_h),
	TEMPLATE_FILE("ublkpol_complete.h", template_complete_h),
	TEMPLATE_FILE("ublkpol_object.h", template_object_h),
	TEMPLATE_FILE("ublkpol_shim_bpf.h", template_shim_bpf_h),
	TEMPLATE_FILE("ublkpol_shim_ublk.h", template_shim_ublk_h),
	TEMPLATE_FILE("linux/ublk_bpf.h", template_ublk_bpf_h),
	TEMPLATE_FILE("linux/ublk_cmd.h", template_ublk_cmd_h),
};

const size_t template_nr_headers = sizeof(template_headers) / sizeof(template_headers[0]);
