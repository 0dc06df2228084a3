// SPDX-License-Identifier: GPL-2.0-only
/* What "trace" rules report: a ring buffer of the program, pinned with its other maps */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "error.h"
#include "op.h"
#include "pins.h"
#include "policy_image.h"
#include "state.h"

struct ublkpol_trace_reader {
	struct ring_buffer *ring;
	int map_fd;
	struct policy_image image;
	void *image_data;
	ublkpol_trace_fn fn;
	void *arg;
};

static int pass_on(void *arg, void *data, size_t size)
{
	struct ublkpol_trace_reader *reader = arg;
	const struct policy_image *image = &reader->image;
	const struct ublkpol_trace *trace = data;
	struct ublkpol_trace_entry entry;

	if (size < sizeof(*trace) || trace->rule >= image->header->nr_rules)
		return 0;
	entry = (struct ublkpol_trace_entry){
		.time = trace->time,
		.op = op_of(trace->op),
		.flags = trace->flags,
		.offset = trace->sector << 9,
		.length = (__u64)trace->sectors << 9,
		.queue = trace->queue,
		.ioprio = trace->ioprio,
		.line = image->rules[trace->rule].line,
		.label = image->strings + image->rules[trace->rule].label,
		.rule = image->strings + image->rules[trace->rule].text,
	};
	reader->fn(reader->arg, &entry);
	return 0;
}

static int open_map(struct ublkpol_trace_reader *reader, const struct ublkpol_info *info,
		    struct ublkpol_error *err)
{
	reader->map_fd = pins_open(info->id, info->generation, UBLKPOL_TRACE_MAP);
	if (reader->map_fd == -ENOENT)
		return error_set(err, UBLKPOL_ERR_INPUT, -ENOENT,
				 "no rule of the policy of device %d has 'trace'", info->id);
	if (reader->map_fd < 0)
		return error_set(err, UBLKPOL_ERR_FAILED, reader->map_fd,
				 "cannot open the trace of device %d: %s", info->id,
				 strerror(-reader->map_fd));
	reader->ring = ring_buffer__new(reader->map_fd, pass_on, reader, NULL);
	return reader->ring ? 0
			    : error_set(err, UBLKPOL_ERR_FAILED, -errno,
					"cannot read the trace of device %d: %s", info->id,
					strerror(errno));
}

int ublkpol_trace_open(struct ublkpol_trace_reader **reader, const struct ublkpol_info *info,
		       ublkpol_trace_fn fn, void *arg, struct ublkpol_error *err)
{
	struct ublkpol_trace_reader *new = calloc(1, sizeof(*new));
	size_t size;
	int ret;

	if (!new)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	new->map_fd = -1;
	new->fn = fn;
	new->arg = arg;
	ret = state_load_image(info->id, info->generation, &new->image_data, &size);
	if (ret)
		error_set(err, UBLKPOL_ERR_FAILED, ret,
			  "the policy of device %d is not in " UBLKPOL_STATE_DIR ": %s", info->id,
			  strerror(-ret));
	else
		ret = policy_image_open(&new->image, new->image_data, size, err);
	if (!ret)
		ret = open_map(new, info, err);
	if (ret) {
		ublkpol_trace_close(new);
		return state_read_failed(info, ret, err);
	}
	*reader = new;
	return 0;
}

int ublkpol_trace_poll(struct ublkpol_trace_reader *reader, int timeout_ms)
{
	int ret = ring_buffer__poll(reader->ring, timeout_ms);

	return ret == -EINTR ? 0 : ret;
}

void ublkpol_trace_close(struct ublkpol_trace_reader *reader)
{
	if (!reader)
		return;
	ring_buffer__free(reader->ring);
	if (reader->map_fd >= 0)
		close(reader->map_fd);
	free(reader->image_data);
	free(reader);
}
