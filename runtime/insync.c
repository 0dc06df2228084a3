// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mirrors.h"
#include "state.h"
#include "swap.h"

static int find_slots(const struct ublkpol_info *info, const char *const *names, size_t count,
		      __u64 *slots, struct ublkpol_error *err)
{
	unsigned int b;
	size_t i;

	*slots = 0;
	for (i = 0; i < count; i++) {
		for (b = 0; b < info->nr_backends && strcmp(info->backends[b].name, names[i]); b++)
			;
		if (b == info->nr_backends)
			return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
					 "device %d has no backend '%s': see ublkpol list",
					 info->id, names[i]);
		*slots |= 1ULL << b;
	}
	return 0;
}

int ublkpol_insync(int id, const char *const *names, size_t count, struct ublkpol_error *err)
{
	struct ublk_control control = { .fd = -1 };
	struct ublkpol_info info;
	int device_lock, ret;
	__u64 slots;

	ret = ublk_control_open(&control, err);
	if (!ret)
		ret = swap_lock_settled(&control, id, &info, &device_lock, err);
	if (ret)
		goto out;
	ret = find_slots(&info, names, count, &slots, err);
	if (!ret)
		ret = mirrors_set_in_sync(&info, slots, err);
	state_free_info(&info);
	close(device_lock);
out:
	ublk_control_close(&control);
	return ret;
}
