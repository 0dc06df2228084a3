// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/ublk_bpf.h>

#include "device_params.h"

static __u8 log2_of(unsigned int power_of_two)
{
	return (__u8)__builtin_ctz(power_of_two);
}

/* --- discard and write-zeroes --- */

/* Advertised only if every backend that such a request can reach takes it */
static void make_discard(const struct policy_object *policy, const struct backend *backends,
			 unsigned int count, struct ublk_params *params)
{
	__u64 reached = policy_object_write_slots(policy);
	__u32 sectors = policy_object_geometry(policy)->max_discard_sectors;
	unsigned int i, granularity = 1U << params->basic.logical_bs_shift;
	unsigned int can = UBLKPOL_CAN_DISCARD | UBLKPOL_CAN_WRITE_ZEROES;

	for (i = 0; i < count; i++) {
		if (!(reached & (1ULL << i)))
			continue;
		can &= backends[i].can;
		if (backends[i].discard_granularity > granularity)
			granularity = backends[i].discard_granularity;
	}
	if (!reached || !can)
		return;
	params->types |= UBLK_PARAM_TYPE_DISCARD;
	params->discard = (struct ublk_param_discard){
		.discard_granularity = granularity,
		.max_discard_sectors = can & UBLKPOL_CAN_DISCARD ? sectors : 0,
		.max_write_zeroes_sectors = can & UBLKPOL_CAN_WRITE_ZEROES ? sectors : 0,
		.max_discard_segments = 1,
	};
}

void device_params_make(const struct policy_object *policy, const struct backend *backends,
			unsigned int count, struct ublk_params *params)
{
	const struct policy_geometry *geometry = policy_object_geometry(policy);
	struct backend_limits limits = backends_limits(backends, count);
	__u32 physical = limits.physical_block_size;

	if (physical < geometry->block_size)
		physical = geometry->block_size;
	*params = (struct ublk_params){
		.types = UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN,
		.basic = {
			/* A write is durable only after FLUSH, or with FUA */
			.attrs = UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA,
			.logical_bs_shift = log2_of(geometry->block_size),
			.physical_bs_shift = log2_of(physical),
			.io_opt_shift = log2_of(physical),
			.io_min_shift = log2_of(physical),
			.max_sectors = geometry->max_sectors,
			.dev_sectors = geometry->dev_sectors,
		},
		.dma = { .alignment = limits.memory_align - 1 },
	};
	make_discard(policy, backends, count, params);
}

__u32 device_params_discard(const struct ublk_params *fixed)
{
	const struct ublk_param_discard *discard = &fixed->discard;

	if (!(fixed->types & UBLK_PARAM_TYPE_DISCARD))
		return 0;
	return discard->max_discard_sectors > discard->max_write_zeroes_sectors
		       ? discard->max_discard_sectors
		       : discard->max_write_zeroes_sectors;
}

/* --- comparison --- */

#define DOES_NOT_FIT "the policy does not fit the device: "

static int does_not_fit(const char *what, __u64 needed, __u64 has, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
			 DOES_NOT_FIT "%s of %llu bytes, the device has %llu", what,
			 (unsigned long long)needed, (unsigned long long)has);
}

int device_params_check_block(const struct ublk_params *fixed, unsigned int needed,
			      unsigned int declared, struct ublkpol_error *err)
{
	unsigned int block = 1U << fixed->basic.logical_bs_shift;

	if (declared && declared != block)
		return does_not_fit("it declares blocks", declared, block, err);
	if (needed > block)
		return does_not_fit("a backend needs blocks", needed, block, err);
	return 0;
}

static int check_operation(const char *name, __u32 fixed, __u32 now, struct ublkpol_error *err)
{
	if (!fixed || now >= fixed)
		return 0;
	if (!now)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 DOES_NOT_FIT "the device takes %s, and a backend does not", name);
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
			 DOES_NOT_FIT "%s of %llu bytes would fall into too many parts", name,
			 (unsigned long long)fixed << 9);
}

int device_params_check(const struct ublk_params *fixed, const struct ublk_params *params,
			struct ublkpol_error *err)
{
	static const struct ublk_param_discard none;
	const struct ublk_param_discard *was =
		fixed->types & UBLK_PARAM_TYPE_DISCARD ? &fixed->discard : &none;
	const struct ublk_param_discard *now =
		params->types & UBLK_PARAM_TYPE_DISCARD ? &params->discard : &none;
	int ret;

	if (params->basic.dev_sectors != fixed->basic.dev_sectors)
		return does_not_fit("it makes a device", params->basic.dev_sectors << 9,
				    fixed->basic.dev_sectors << 9, err);
	if (params->basic.max_sectors < fixed->basic.max_sectors)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 DOES_NOT_FIT "requests of %llu bytes, which the device takes, "
					      "would fall into more than %d parts",
				 (unsigned long long)fixed->basic.max_sectors << 9,
				 UBLK_BPF_MAX_ITEMS);
	if (params->dma.alignment > fixed->dma.alignment)
		return does_not_fit("a backend needs buffers aligned to a multiple",
				    params->dma.alignment + 1ULL, fixed->dma.alignment + 1ULL, err);
	ret = check_operation("discards", was->max_discard_sectors, now->max_discard_sectors, err);
	if (!ret)
		ret = check_operation("write-zeroes", was->max_write_zeroes_sectors,
				      now->max_write_zeroes_sectors, err);
	return ret;
}
