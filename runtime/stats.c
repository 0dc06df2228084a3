// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of a device: those of the policy are in a per-CPU map of its
 * program, those of the queues in the state folder.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "error.h"
#include "policy_object.h"
#include "state.h"

static int no_counters(int id, int code, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_FAILED, code,
			 "device %d has no counters any more: its program is gone (%s)", id,
			 strerror(-code));
}

static int open_counters(const struct ublkpol_info *info, __u32 entries, int *map_fd,
			 struct ublkpol_error *err)
{
	struct bpf_map_info map = { 0 };
	__u32 size = sizeof(map);
	int fd, ret;

	fd = bpf_map_get_fd_by_id(info->counters_id);
	if (fd < 0)
		return no_counters(info->id, -errno, err);

	ret = bpf_obj_get_info_by_fd(fd, &map, &size) ? -errno : 0;
	/* The number may belong to another map by now */
	if (!ret && (map.type != BPF_MAP_TYPE_PERCPU_ARRAY || map.max_entries != entries ||
		     map.value_size != sizeof(struct ublkpol_counters) ||
		     strcmp(map.name, UBLKPOL_COUNTERS_MAP)))
		ret = -ENOENT;
	if (ret) {
		close(fd);
		return no_counters(info->id, ret, err);
	}
	*map_fd = fd;
	return 0;
}

static int read_traffic(int map_fd, __u32 entry, struct ublkpol_counters *per_cpu, int cpus,
			struct ublkpol_counters *sum)
{
	int cpu, op;

	if (bpf_map_lookup_elem(map_fd, &entry, per_cpu))
		return -errno;
	*sum = (struct ublkpol_counters){ 0 };
	for (cpu = 0; cpu < cpus; cpu++) {
		for (op = 0; op < UBLKPOL_NR_OPS; op++) {
			sum->requests[op] += per_cpu[cpu].requests[op];
			sum->bytes[op] += per_cpu[cpu].bytes[op];
		}
	}
	return 0;
}

static int read_all_traffic(int map_fd, struct ublkpol_stats *stats)
{
	int ret, cpus = libbpf_num_possible_cpus();
	struct ublkpol_counters *per_cpu;
	unsigned int i;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc((size_t)cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;

	ret = read_traffic(map_fd, stats->nr_rules, per_cpu, cpus, &stats->unmatched);
	for (i = 0; !ret && i < stats->nr_rules; i++)
		ret = read_traffic(map_fd, i, per_cpu, cpus, &stats->rules[i].counters);
	for (i = 0; !ret && i < stats->nr_backends; i++)
		ret = read_traffic(map_fd, stats->nr_rules + 1 + i, per_cpu, cpus,
				   &stats->backends[i]);
	free(per_cpu);
	return ret;
}
