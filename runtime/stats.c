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
#include "mirrors.h"
#include "pins.h"
#include "policy_image.h"
#include "state.h"
#include "stats.h"

static int no_counters(int id, int code, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_FAILED, code, "cannot open the counters of device %d: %s",
			 id, strerror(-code));
}

/* Return: a descriptor or a negative errno */
static int open_counters(const struct ublkpol_info *info, __u32 entries, struct ublkpol_error *err)
{
	struct bpf_map_info map = { 0 };
	__u32 size = sizeof(map);
	int fd, ret;

	fd = pins_open(info->id, info->generation, UBLKPOL_COUNTERS_MAP);
	if (fd < 0)
		return no_counters(info->id, fd, err);

	ret = bpf_obj_get_info_by_fd(fd, &map, &size) ? -errno : 0;
	/* Where a later version of these tools added the device */
	if (!ret && (map.type != BPF_MAP_TYPE_PERCPU_ARRAY || map.max_entries != entries ||
		     map.value_size != sizeof(struct ublkpol_counters)))
		ret = -EINVAL;
	if (ret) {
		close(fd);
		return no_counters(info->id, ret, err);
	}
	return fd;
}

static int read_counters(int map_fd, __u32 entry, struct ublkpol_counters *per_cpu, int cpus,
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

static int read_all_counters(int map_fd, struct ublkpol_stats *stats)
{
	int ret, cpus = libbpf_num_possible_cpus();
	struct ublkpol_counters *per_cpu;
	unsigned int i;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc((size_t)cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;

	ret = read_counters(map_fd, stats->nr_rules, per_cpu, cpus, &stats->unmatched);
	for (i = 0; !ret && i < stats->nr_rules; i++)
		ret = read_counters(map_fd, i, per_cpu, cpus, &stats->rules[i].counters);
	for (i = 0; !ret && i < stats->nr_backends; i++)
		ret = read_counters(map_fd, stats->nr_rules + 1 + i, per_cpu, cpus,
				    &stats->backends[i]);
	free(per_cpu);
	return ret;
}

/* The saved image has the text of the rules */
static int load_image(const struct ublkpol_info *info, struct ublkpol_stats *stats,
		      struct policy_image *image, struct ublkpol_error *err)
{
	size_t size;
	int ret;

	ret = state_load_image(info->id, info->generation, &stats->image, &size);
	if (ret)
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "the policy of device %d is not in " UBLKPOL_STATE_DIR ": %s",
				 info->id, strerror(-ret));
	return policy_image_open(image, stats->image, size, err);
}

static int describe(const struct ublkpol_info *info, const struct policy_image *image,
		    struct ublkpol_stats *stats, struct ublkpol_error *err)
{
	const struct ublkpol_header *header = image->header;
	unsigned int i;

	if (header->nr_backends != info->nr_backends)
		return error_set(err, UBLKPOL_ERR_FAILED, -EINVAL,
				 "the state files of device %d contradict each other", info->id);

	stats->source = image->strings + header->source;
	stats->rules = calloc(header->nr_rules + 1, sizeof(*stats->rules));
	stats->backends = calloc(header->nr_backends + 1, sizeof(*stats->backends));
	if (!stats->rules || !stats->backends)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	stats->nr_rules = header->nr_rules;
	stats->nr_backends = header->nr_backends;

	for (i = 0; i < stats->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		stats->rules[i].line = rule->line;
		stats->rules[i].is_default = rule->is_default;
		stats->rules[i].source = image->strings + rule->source;
		stats->rules[i].counter = image->strings + rule->counter;
		stats->rules[i].label = image->strings + rule->label;
		stats->rules[i].text = image->strings + rule->text;
	}
	return 0;
}

static int read_queues(const struct ublkpol_info *info, struct ublkpol_stats *stats,
		       struct ublkpol_error *err)
{
	struct queue_counters *counters;
	unsigned int i;
	int ret;

	counters = calloc(info->queues, sizeof(*counters));
	stats->queues = calloc(info->queues, sizeof(*stats->queues));
	ret = counters && stats->queues ? state_load_queues(info->id, counters, info->queues)
					: -ENOMEM;
	if (ret) {
		error_set(err, UBLKPOL_ERR_FAILED, ret,
			  "cannot read the counters of the queues of device %d: %s", info->id,
			  strerror(-ret));
		goto out;
	}
	stats->nr_queues = info->queues;
	for (i = 0; i < info->queues; i++) {
		stats->queues[i].tid = (pid_t)counters[i].tid;
		stats->queues[i].user_returns = counters[i].user_returns;
		stats->queues[i].redirected = counters[i].redirected;
	}
out:
	free(counters);
	return ret;
}

int ublkpol_stats_read(const struct ublkpol_info *info, struct ublkpol_stats *stats,
		       struct ublkpol_error *err)
{
	struct policy_image image;
	int map_fd, ret;

	*stats = (struct ublkpol_stats){ 0 };
	ret = load_image(info, stats, &image, err);
	if (!ret)
		ret = describe(info, &image, stats, err);
	if (!ret)
		ret = read_queues(info, stats, err);
	if (!ret)
		ret = mirrors_read(info, stats, err);
	if (ret)
		goto out;

	map_fd = open_counters(info, stats->nr_rules + 1 + stats->nr_backends, err);
	if (map_fd < 0) {
		ret = map_fd;
		goto out;
	}
	ret = read_all_counters(map_fd, stats);
	close(map_fd);
	if (ret)
		error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot read the counters of device %d: %s",
			  info->id, strerror(-ret));
out:
	if (!ret)
		return 0;
	ublkpol_stats_free(stats);
	return state_read_failed(info, ret, err);
}

void ublkpol_stats_free(struct ublkpol_stats *stats)
{
	mirrors_free(stats);
	free(stats->queues);
	free(stats->backends);
	free(stats->rules);
	free(stats->image);
	*stats = (struct ublkpol_stats){ 0 };
}

static bool has_counted(const struct ublkpol_counters *counters)
{
	int op;

	for (op = 0; op < UBLKPOL_NR_OPS; op++) {
		if (counters->requests[op])
			return true;
	}
	return false;
}

int stats_has_counted(const struct ublkpol_info *info)
{
	struct ublkpol_stats stats;
	bool counted;
	unsigned int i;
	int ret;

	ret = ublkpol_stats_read(info, &stats, NULL);
	if (ret)
		return ret;
	counted = has_counted(&stats.unmatched);
	for (i = 0; !counted && i < stats.nr_rules; i++)
		counted = has_counted(&stats.rules[i].counters);
	for (i = 0; !counted && i < stats.nr_backends; i++)
		counted = has_counted(&stats.backends[i]);
	ublkpol_stats_free(&stats);
	return counted;
}
