/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_SHIM_BPF_H
#define UBLKPOL_SHIM_BPF_H

/* What the two BPF shims have in common: maps, constants, loops */
#include <bpf/bpf_helpers.h>

/* Makes the compiler forget what it knows of @var, so that a check of it stays */
#define ublkpol_hide(var) asm volatile("" : "+r"(var))

#define ublkpol_unrolled _Pragma("unroll")

#define ublkpol_loop(nr, fn, arg) bpf_loop(nr, fn, arg, 0)

const volatile struct ublkpol_config ublkpol_config SEC(UBLKPOL_CONFIG_SECTION);
volatile struct ublkpol_search ublkpol_search SEC(UBLKPOL_SEARCH_SECTION);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* set by the loader */
	__type(key, __u32);
	__type(value, struct ublkpol_segment);
} ublkpol_segs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, UBLKPOL_NR_LEGS + 1); /* a map is never empty */
	__type(key, __u32);
	__type(value, __u32);
} ublkpol_legs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, UBLKPOL_NR_RULES + 1 + UBLKPOL_NR_BACKENDS);
	__type(key, __u32);
	__type(value, struct ublkpol_counters);
} ublkpol_stats SEC(".maps");

static __always_inline const struct ublkpol_segment *ublkpol_segment_at(__u32 index)
{
	return bpf_map_lookup_elem(&ublkpol_segs, &index);
}

static __always_inline const __u32 *ublkpol_leg_at(__u32 index)
{
	return bpf_map_lookup_elem(&ublkpol_legs, &index);
}

static __always_inline struct ublkpol_counters *ublkpol_counters_at(__u32 entry)
{
	return bpf_map_lookup_elem(&ublkpol_stats, &entry);
}

char ublkpol_license[] SEC("license") = "GPL";

#endif
