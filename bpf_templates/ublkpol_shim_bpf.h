/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_SHIM_BPF_H
#define UBLKPOL_SHIM_BPF_H

/* What the two BPF shims have in common: maps, constants, loops */
#include <stddef.h>
#include <bpf/bpf_helpers.h>

/* Makes the compiler forget what it knows of @var, so that a check of it stays */
#define ublkpol_hide(var) asm volatile("" : "+r"(var))

/*
 * A function that the verifier checks once, on its own, whatever its callers pass:
 * the context, numbers, and pointers to memory of their own, which are not NULL.
 * "weak", so that clang makes no use in one of what it knows of the other, such as
 * that a parameter is not used.
 */
#define UBLKPOL_GLOBAL	__attribute__((weak, noinline))
#define ublkpol_ctx	__attribute__((btf_decl_tag("arg:ctx")))
#define ublkpol_nonnull __attribute__((btf_decl_tag("arg:nonnull")))

#define ublkpol_unrolled _Pragma("unroll")

#define ublkpol_loop(nr, fn, arg) bpf_loop(nr, fn, arg, 0)

const volatile struct ublkpol_config ublkpol_config SEC(UBLKPOL_CONFIG_SECTION);
volatile struct ublkpol_search ublkpol_search SEC(UBLKPOL_SEARCH_SECTION);

#define UBLKPOL_ARRAY(map, nr, value_type)        \
	struct {                                  \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(max_entries, nr);          \
		__type(key, __u32);               \
		__type(value, value_type);        \
	} map SEC(".maps")

/* Maps whose size the loader sets have one entry here */
UBLKPOL_ARRAY(ublkpol_segs, 1, struct ublkpol_segment);
UBLKPOL_ARRAY(ublkpol_index, 1, struct ublkpol_bucket);
UBLKPOL_ARRAY(ublkpol_tree, 1, struct ublkpol_node);
UBLKPOL_ARRAY(ublkpol_legs, UBLKPOL_NR_LEGS + 1, __u32); /* a map is never empty */

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

static __always_inline const struct ublkpol_bucket *ublkpol_bucket_at(__u32 index)
{
	return bpf_map_lookup_elem(&ublkpol_index, &index);
}

static __always_inline const struct ublkpol_node *ublkpol_node_at(__u32 index)
{
	return bpf_map_lookup_elem(&ublkpol_tree, &index);
}

static __always_inline const __u32 *ublkpol_leg_at(__u32 index)
{
	return bpf_map_lookup_elem(&ublkpol_legs, &index);
}

static __always_inline struct ublkpol_counters *ublkpol_counters_at(__u32 entry)
{
	return bpf_map_lookup_elem(&ublkpol_stats, &entry);
}

#if UBLKPOL_NR_PARAMS
const volatile __u64 ublkpol_params[UBLKPOL_NR_PARAMS] SEC(UBLKPOL_PARAMS_SECTION);
#endif

#if UBLKPOL_NR_CONDITIONS
UBLKPOL_ARRAY(ublkpol_choices, 1, struct ublkpol_choice);

static __always_inline const struct ublkpol_choice *ublkpol_choice_at(__u32 index)
{
	return bpf_map_lookup_elem(&ublkpol_choices, &index);
}
#endif

#if UBLKPOL_HAS_TICKS
UBLKPOL_ARRAY(ublkpol_ticks, UBLKPOL_NR_RULES, __u64);
#endif

static __always_inline __u64 *ublkpol_ticks_at(__u32 rule)
{
#if UBLKPOL_HAS_TICKS
	return bpf_map_lookup_elem(&ublkpol_ticks, &rule);
#else
	(void)rule;
	return NULL;
#endif
}

#if UBLKPOL_NR_MODIFIERS
UBLKPOL_ARRAY(ublkpol_limits, UBLKPOL_NR_MODIFIERS + 1, struct ublkpol_limiter);
#endif

static __always_inline struct ublkpol_limiter *ublkpol_limiter_at(__u32 modifiers)
{
#if UBLKPOL_NR_MODIFIERS
	return bpf_map_lookup_elem(&ublkpol_limits, &modifiers);
#else
	(void)modifiers;
	return NULL;
#endif
}

#if UBLKPOL_NR_MIRRORS
UBLKPOL_ARRAY(ublkpol_mirrors, UBLKPOL_NR_MIRRORS, struct ublkpol_mirror);
#endif

static __always_inline struct ublkpol_mirror *ublkpol_mirror_at(__u32 mirror)
{
#if UBLKPOL_NR_MIRRORS
	return bpf_map_lookup_elem(&ublkpol_mirrors, &mirror);
#else
	(void)mirror;
	return NULL;
#endif
}

#if UBLKPOL_HAS_TRACE
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} ublkpol_trace SEC(".maps");

static __always_inline struct ublkpol_trace *ublkpol_trace_begin(void)
{
	return bpf_ringbuf_reserve(&ublkpol_trace, sizeof(struct ublkpol_trace), 0);
}

static __always_inline void ublkpol_trace_end(struct ublkpol_trace *record)
{
	bpf_ringbuf_submit(record, 0);
}
#endif

char ublkpol_license[] SEC("license") = "GPL";

#endif
