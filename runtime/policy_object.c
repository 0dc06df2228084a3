// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "checks.h"
#include "policy_object.h"
#include "policy_values.h"
#include "resolve.h"

#define OBJECT_LOG_SIZE	 (1U << 20)
#define OBJECT_LOG_SHOWN 640U /* bytes of it in an error */
#define OBJECT_MAX_SIZE	 (1L << 30)

struct policy_object {
	void *bytes; /* the file */
	size_t size;
	struct bpf_object *bpf;
	struct bpf_program *program;
	struct bpf_program *complete; /* NULL: the policy needs none */
	struct bpf_map *segments;
	struct bpf_map *index;
	struct bpf_map *tree;
	struct bpf_map *choices; /* NULL: no conditions */
	struct bpf_map *mirrors; /* NULL: no mirrors */
	struct bpf_map *legs;
	struct bpf_map *counters;
	struct policy_image image;
	struct policy_values values;
	__u64 dev_sectors; /* of a device that exists, or 0 */
	__u32 discard_sectors; /* the same */
	struct resolve_layout layout;
	struct policy_geometry geometry;
	char *log;
};

static int object_no_memory(struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
}

static int object_not_a_policy(struct ublkpol_error *err, const char *path, const char *what)
{
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL, "%s is no compiled policy: %s", path,
			 what);
}

/* --- the program type --- */

/* Number of bpf_ublk_queue_sqe() while a program is loaded: libbpf passes nothing on */
static int object_helper;

/* Runs after relocation, when the subprograms have joined the program */
static int object_patch_helper(struct bpf_program *program, struct bpf_prog_load_opts *opts,
			       long cookie)
{
	size_t nr = bpf_program__insn_cnt(program);
	struct bpf_insn *insns;
	int ret;

	(void)opts;
	(void)cookie;
	insns = calloc(nr, sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(program), nr * sizeof(*insns));
	for (size_t i = 0; i < nr; i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		    insns[i].imm == UBLKPOL_HELPER_SENTINEL)
			insns[i].imm = object_helper;
		/* The second half of a 64-bit constant is no instruction */
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			i++;
	}
	ret = bpf_program__set_insns(program, insns, nr);
	free(insns);
	return ret;
}

static int object_register_section(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = object_patch_helper, );
	static int route, complete;

	if (route <= 0)
		route = libbpf_register_prog_handler(UBLKPOL_PROGRAM_SECTION, BPF_PROG_TYPE_UNSPEC,
						     0, &opts);
	if (route > 0 && complete <= 0)
		complete = libbpf_register_prog_handler(UBLKPOL_COMPLETE_SECTION,
							BPF_PROG_TYPE_UNSPEC, 0, &opts);
	return route < 0 ? route : complete < 0 ? complete : 0;
}

/* --- open --- */

static int object_check_map(const struct bpf_map *map, enum bpf_map_type type, size_t value_size)
{
	return map && bpf_map__type(map) == type && bpf_map__key_size(map) == sizeof(__u32) &&
	       bpf_map__value_size(map) == value_size;
}

static int object_open_image(struct policy_object *policy, const char *path,
			     struct ublkpol_error *err)
{
	struct bpf_map *map;
	const void *data;
	size_t size;
	int ret;

	map = bpf_object__find_map_by_name(policy->bpf, UBLKPOL_IMAGE_SECTION);
	if (!map)
		return object_not_a_policy(err, path, "it has no section " UBLKPOL_IMAGE_SECTION);
	data = bpf_map__initial_value(map, &size);
	if (!data)
		return object_not_a_policy(err, path, UBLKPOL_IMAGE_SECTION " is empty");

	/* For this process only: the program does not use it */
	bpf_map__set_autocreate(map, false);
	ret = policy_image_open(&policy->image, data, size, err);
	if (!ret && policy_values_init(&policy->values, &policy->image))
		ret = object_no_memory(err);
	return ret;
}

static int object_find_parts(struct policy_object *policy, const char *path,
			     struct ublkpol_error *err)
{
	const struct ublkpol_header *header = policy->image.header;

	policy->program = bpf_object__find_program_by_name(policy->bpf, UBLKPOL_PROGRAM);
	if (!policy->program)
		return object_not_a_policy(err, path, "it has no program " UBLKPOL_PROGRAM);

	policy->complete = bpf_object__find_program_by_name(policy->bpf, UBLKPOL_COMPLETE);
	if (!policy->complete != !header->nr_mirrors)
		return object_not_a_policy(err, path,
					   "its mirrors need a program " UBLKPOL_COMPLETE);

	policy->segments = bpf_object__find_map_by_name(policy->bpf, UBLKPOL_SEGMENTS_MAP);
	if (!object_check_map(policy->segments, BPF_MAP_TYPE_ARRAY, sizeof(struct ublkpol_segment)))
		return object_not_a_policy(err, path, "its map of segments has another form");

	policy->index = bpf_object__find_map_by_name(policy->bpf, UBLKPOL_INDEX_MAP);
	if (!object_check_map(policy->index, BPF_MAP_TYPE_ARRAY, sizeof(struct ublkpol_bucket)))
		return object_not_a_policy(err, path, "its index has another form");

	policy->tree = bpf_object__find_map_by_name(policy->bpf, UBLKPOL_TREE_MAP);
	if (!object_check_map(policy->tree, BPF_MAP_TYPE_ARRAY, sizeof(struct ublkpol_node)))
		return object_not_a_policy(err, path, "its search tree has another form");

	policy->choices = bpf_object__find_map_by_name(policy->bpf, UBLKPOL_CHOICES_MAP);
	if (header->nr_conditions[0] + header->nr_conditions[1] &&
	    !object_check_map(policy->choices, BPF_MAP_TYPE_ARRAY, sizeof(struct ublkpol_choice)))
		return object_not_a_policy(err, path, "its map of choices has another form");

	policy->mirrors = bpf_object__find_map_by_name(policy->bpf, UBLKPOL_MIRRORS_MAP);
	if (header->nr_mirrors && (!object_check_map(policy->mirrors, BPF_MAP_TYPE_ARRAY,
						     sizeof(struct ublkpol_mirror)) ||
				   bpf_map__max_entries(policy->mirrors) != header->nr_mirrors))
		return object_not_a_policy(err, path, "its map of mirrors has another form");
	/* See mirrors_inherit() */
	if (policy->mirrors)
		bpf_map__set_map_flags(policy->mirrors,
				       bpf_map__map_flags(policy->mirrors) | BPF_F_MMAPABLE);

	policy->legs = bpf_object__find_map_by_name(policy->bpf, UBLKPOL_LEGS_MAP);
	if (!object_check_map(policy->legs, BPF_MAP_TYPE_ARRAY, sizeof(__u32)) ||
	    bpf_map__max_entries(policy->legs) < header->nr_legs)
		return object_not_a_policy(err, path, "its map of legs has another form");

	policy->counters = bpf_object__find_map_by_name(policy->bpf, UBLKPOL_COUNTERS_MAP);
	if (!object_check_map(policy->counters, BPF_MAP_TYPE_PERCPU_ARRAY,
			      sizeof(struct ublkpol_counters)) ||
	    bpf_map__max_entries(policy->counters) !=
		    (__u64)header->nr_rules + 1 + header->nr_backends)
		return object_not_a_policy(err, path, "its map of counters has another form");
	return 0;
}

/* libbpf tells a missing file from a bad one only in its log */
static int object_read_file(struct policy_object *policy, const char *path,
			    struct ublkpol_error *err)
{
	struct stat st;
	size_t done;
	FILE *file;
	int ret;

	file = fopen(path, "re");
	if (!file)
		return error_set(err, UBLKPOL_ERR_INPUT, -errno, "cannot open %s: %s", path,
				 strerror(errno));
	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode) || st.st_size > OBJECT_MAX_SIZE) {
		ret = object_not_a_policy(err, path, "it is no regular file of a sensible size");
		goto out;
	}
	policy->bytes = malloc((size_t)st.st_size + 1);
	if (!policy->bytes) {
		ret = object_no_memory(err);
		goto out;
	}
	done = fread(policy->bytes, 1, (size_t)st.st_size, file);
	policy->size = done;
	ret = ferror(file) ? error_set(err, UBLKPOL_ERR_INPUT, -EIO, "cannot read %s", path) : 0;
out:
	fclose(file);
	return ret;
}

static int object_open_bpf(struct policy_object *policy, const char *path,
			   struct ublkpol_error *err)
{
	const char *name = strrchr(path, '/');
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = name ? name + 1 : path, );
	int ret;

	ret = object_read_file(policy, path, err);
	if (ret)
		return ret;
	ret = object_register_section();
	if (ret)
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "libbpf refused the program type: %s", strerror(-ret));
	policy->bpf = bpf_object__open_mem(policy->bytes, policy->size, &opts);
	if (!policy->bpf)
		return errno == ENOMEM ? object_no_memory(err)
				       : object_not_a_policy(err, path, "libbpf cannot read it");
	return 0;
}

int policy_object_open(struct policy_object **policy, const char *path, struct ublkpol_error *err)
{
	struct policy_object *new = calloc(1, sizeof(*new));
	int ret;

	if (!new)
		return object_no_memory(err);
	ret = object_open_bpf(new, path, err);
	if (!ret)
		ret = object_open_image(new, path, err);
	if (!ret)
		ret = object_find_parts(new, path, err);
	if (ret) {
		policy_object_close(new);
		return ret;
	}
	*policy = new;
	return 0;
}

void policy_object_close(struct policy_object *policy)
{
	if (!policy)
		return;
	bpf_object__close(policy->bpf);
	resolve_free(&policy->layout);
	policy_values_free(&policy->values);
	free(policy->log);
	free(policy->bytes);
	free(policy);
}

/* --- resolve --- */

struct object_messages {
	const struct policy_image *image;
	ublkpol_report_fn report;
	void *report_arg;
	char errors[sizeof(((struct ublkpol_error *)0)->text)];
};

/* A rule may come from a file that the policy includes */
static const char *object_source(const struct policy_image *image, unsigned int rule)
{
	return image->strings +
	       (rule == RESOLVE_NO_RULE ? image->header->source : image->rules[rule].source);
}

static void object_message(void *arg, const struct resolve_message *message)
{
	struct object_messages *messages = arg;
	const char *source = object_source(messages->image, message->rule);
	const char *check =
		message->check == UBLKPOL_NO_CHECK ? NULL : check_table[message->check].name;
	char text[1024], line[16] = "";
	size_t used;

	if (message->line)
		snprintf(line, sizeof(line), ":%u", message->line);
	snprintf(text, sizeof(text), "%s%s: %s%s%s%s%s%s", source, line, message->text,
		 check ? " [" : "", check ? check : "", check ? "]" : "", message->hint ? "; " : "",
		 message->hint ? message->hint : "");

	if (message->level == RESOLVE_WARNING) {
		if (messages->report)
			messages->report(messages->report_arg, UBLKPOL_REPORT_WARNING, text);
		return;
	}
	used = strlen(messages->errors);
	snprintf(messages->errors + used, sizeof(messages->errors) - used, "%s%s", used ? "\n" : "",
		 text);
}

int policy_object_set_value(struct policy_object *policy, const char *name, const char *text,
			    struct ublkpol_error *err)
{
	return policy_values_set(&policy->values, &policy->image, name, text, err);
}

void policy_object_set_device(struct policy_object *policy, __u64 dev_sectors,
			      __u32 discard_sectors)
{
	policy->dev_sectors = dev_sectors;
	policy->discard_sectors = discard_sectors;
}

int policy_object_resolve(struct policy_object *policy, const __u64 *sectors,
			  unsigned int block_size, ublkpol_report_fn report, void *report_arg,
			  struct ublkpol_error *err)
{
	struct object_messages messages = {
		.image = &policy->image,
		.report = report,
		.report_arg = report_arg,
	};
	struct resolve_input input = {
		.image = &policy->image,
		.sets = policy->values.sets,
		.backend_sectors = sectors,
		.dev_sectors = policy->dev_sectors,
		.discard_sectors = policy->discard_sectors,
		.block = block_size,
		.report = object_message,
		.report_arg = &messages,
	};
	int ret;

	ret = resolve_policy(&input, &policy->layout);
	if (ret == -ENOMEM)
		return object_no_memory(err);
	if (ret)
		return error_set(err, UBLKPOL_ERR_INPUT, ret, "%s", messages.errors);

	policy->geometry = (struct policy_geometry){
		.dev_sectors = policy->layout.dev_sectors,
		.block_size = policy->layout.block,
		.max_sectors = policy->layout.max_sectors,
		.max_discard_sectors = policy->layout.max_discard_sectors,
		.max_items = policy->layout.max_items,
	};
	return 0;
}

/* --- maps that outlive the program --- */

/* What they hold belongs to the device, not to one load of its policy */
static const char *const object_state_maps[] = { UBLKPOL_COUNTERS_MAP, UBLKPOL_TICKS_MAP,
						 UBLKPOL_LIMITS_MAP, UBLKPOL_MIRRORS_MAP,
						 UBLKPOL_TRACE_MAP };

#define OBJECT_NR_STATE_MAPS (sizeof(object_state_maps) / sizeof(object_state_maps[0]))

static const char *object_pin_path(char path[PATH_MAX], const char *folder, const char *map)
{
	snprintf(path, PATH_MAX, "%s/%s", folder, map);
	return path;
}

int policy_object_pin_state(const struct policy_object *policy, const char *folder,
			    struct ublkpol_error *err)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < OBJECT_NR_STATE_MAPS; i++) {
		int fd = policy_object_map_fd(policy, object_state_maps[i]);

		if (fd < 0)
			continue;
		object_pin_path(path, folder, object_state_maps[i]);
		if (bpf_obj_pin(fd, path))
			return error_set(err, UBLKPOL_ERR_FAILED, -errno,
					 "cannot keep a map as %s: %s", path, strerror(errno));
	}
	return 0;
}

int policy_object_reuse_state(struct policy_object *policy, const char *folder,
			      struct ublkpol_error *err)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < OBJECT_NR_STATE_MAPS; i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(policy->bpf, object_state_maps[i]);
		int fd, ret;

		if (!map)
			continue;
		fd = bpf_obj_get(object_pin_path(path, folder, object_state_maps[i]));
		ret = fd < 0 ? -errno : bpf_map__reuse_fd(map, fd);
		if (fd >= 0)
			close(fd);
		if (ret)
			return error_set(err, UBLKPOL_ERR_FAILED, ret,
					 "cannot go on with the map %s, which has what the device "
					 "knows of its mirrors, and its counters: %s",
					 path, strerror(-ret));
	}
	return 0;
}

/* --- load --- */

static void object_inline_segments(struct ublkpol_config *config,
				   const struct resolve_layout *layout)
{
	const struct ublkpol_segment *part = layout->segments;

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		if (layout->nr_segments[dir] <= UBLKPOL_INLINE_SEGMENTS)
			memcpy(config->inlined[dir], part,
			       layout->nr_segments[dir] * sizeof(*part));
		part += layout->nr_segments[dir];
	}
}

static int object_set_section(struct policy_object *policy, const char *section, const void *data,
			      size_t size, struct ublkpol_error *err)
{
	struct bpf_map *map = bpf_object__find_map_by_name(policy->bpf, section);

	if (!map || bpf_map__set_initial_value(map, data, size))
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "the policy's section %s has another form: compile it again",
				 section);
	return 0;
}

static int object_set_params(struct policy_object *policy, struct ublkpol_error *err)
{
	__u32 nr = policy->image.header->nr_params;
	__u64 *params;
	int ret;

	if (!nr)
		return 0;
	params = calloc(nr, sizeof(*params));
	if (!params)
		return object_no_memory(err);
	for (__u32 i = 0; i < nr; i++)
		params[i] = policy_values_program(&policy->values, &policy->image, i);
	ret = object_set_section(policy, UBLKPOL_PARAMS_SECTION, params, nr * sizeof(*params), err);
	free(params);
	return ret;
}

static int object_set_config(struct policy_object *policy, struct ublkpol_error *err)
{
	const __u32 *nr = policy->layout.nr_segments;
	struct ublkpol_config config = {
		.dev_sectors = policy->layout.dev_sectors,
		.nr_read_segments = nr[UBLKPOL_DIR_READ],
		.nr_write_segments = nr[UBLKPOL_DIR_WRITE],
	};
	int ret;

	object_inline_segments(&config, &policy->layout);
	ret = object_set_section(policy, UBLKPOL_CONFIG_SECTION, &config, sizeof(config), err);
	if (!ret)
		ret = object_set_section(policy, UBLKPOL_SEARCH_SECTION, &policy->layout.search,
					 sizeof(policy->layout.search), err);
	return ret ? ret : object_set_params(policy, err);
}

static __u32 object_nr_segments(const struct policy_object *policy)
{
	return policy->layout.nr_segments[UBLKPOL_DIR_READ] +
	       policy->layout.nr_segments[UBLKPOL_DIR_WRITE];
}

static int object_fill_map(const struct bpf_map *map, const void *entries, __u32 nr,
			   struct ublkpol_error *err)
{
	__u32 *keys = calloc(nr + 1ULL, sizeof(*keys)), count = nr;
	int ret = 0;

	if (!keys)
		return object_no_memory(err);
	for (__u32 i = 0; i < nr; i++)
		keys[i] = i;
	if (nr && bpf_map_update_batch(bpf_map__fd(map), keys, entries, &count, NULL))
		ret = error_set(err, UBLKPOL_ERR_FAILED, -errno, "cannot fill map %s: %s",
				bpf_map__name(map), strerror(errno));
	free(keys);
	return ret;
}

/* Sizes that the layout decides; a map is never empty */
static int object_size_maps(struct policy_object *policy)
{
	const struct resolve_layout *layout = &policy->layout;
	int ret;

	ret = bpf_map__set_max_entries(policy->segments, object_nr_segments(policy));
	if (!ret)
		ret = bpf_map__set_max_entries(policy->index, layout->nr_buckets);
	if (!ret)
		ret = bpf_map__set_max_entries(policy->tree, layout->nr_nodes);
	if (!ret && policy->choices)
		ret = bpf_map__set_max_entries(policy->choices, layout->nr_choices + 1);
	return ret;
}

static int object_set_type(struct bpf_program *program, const struct kernel_features *features,
			   int attach_type, char *log)
{
	int ret =
		bpf_program__set_flags(program, bpf_program__flags(program) | features->prog_flags);

	if (ret)
		return ret;
	bpf_program__set_type(program, features->prog_type);
	bpf_program__set_expected_attach_type(program, attach_type);
	return bpf_program__set_log_buf(program, log, OBJECT_LOG_SIZE);
}

static int object_prepare_program(struct policy_object *policy,
				  const struct kernel_features *features)
{
	int ret;

	/* One for each program: the kernel starts each at the beginning of its buffer */
	policy->log = calloc(2, OBJECT_LOG_SIZE);
	if (!policy->log)
		return -ENOMEM;
	object_helper = features->queue_sqe;
	ret = object_set_type(policy->program, features, features->attach_type, policy->log);
	if (ret || !policy->complete)
		return ret;
	return object_set_type(policy->complete, features, features->complete_type,
			       policy->log + OBJECT_LOG_SIZE);
}

/*
 * Of a log that did not fit, the kernel keeps the end, and says -ENOSPC instead of
 * what was wrong with the program
 */
static int object_error_of_log(const char *log)
{
	return strstr(log, "program is too large") || strstr(log, "is too complex") ? -E2BIG
										    : -EACCES;
}

static int object_load_error(struct policy_object *policy, int code, struct ublkpol_error *err)
{
	const char *shown = policy_object_log(policy);
	size_t length = strlen(shown);

	if (code == -EPERM && !length)
		return error_set(err, UBLKPOL_ERR_FAILED, code,
				 "not allowed to load a BPF program: run as root");
	if (code == -ENOSPC && length)
		code = object_error_of_log(shown);
	if (length > OBJECT_LOG_SHOWN) {
		shown += length - OBJECT_LOG_SHOWN;
		shown += strcspn(shown, "\n") + 1;
	}
	return error_set(err, UBLKPOL_ERR_FAILED, code,
			 "the kernel refused the policy's program: %s%s%s", strerror(-code),
			 length ? "; the verifier's log ends with\n" : "", shown);
}

/* Says which legs each mirror has; what its state was before stays */
static int object_fill_mirrors(const struct policy_object *policy, struct ublkpol_error *err)
{
	const struct policy_image *image = &policy->image;

	for (__u32 i = 0; i < image->header->nr_targets; i++) {
		const struct ublkpol_target *target = &image->targets[i];
		__u64 legs = policy_image_legs(image, target);
		struct ublkpol_mirror mirror;

		if (target->action != UBLKPOL_ACTION_MIRROR)
			continue;
		if (bpf_map_lookup_elem(bpf_map__fd(policy->mirrors), &target->mirror, &mirror))
			goto fail;
		/* A map that is in use knows it; writing would undo what it learns meanwhile */
		if ((mirror.legs & legs) == legs)
			continue;
		mirror.legs |= legs;
		if (bpf_map_update_elem(bpf_map__fd(policy->mirrors), &target->mirror, &mirror,
					BPF_ANY))
			goto fail;
	}
	return 0;
fail:
	return error_set(err, UBLKPOL_ERR_FAILED, -errno, "cannot fill map %s: %s",
			 UBLKPOL_MIRRORS_MAP, strerror(errno));
}

int policy_object_load(struct policy_object *policy, const struct kernel_features *features,
		       struct ublkpol_error *err)
{
	int ret;

	if (policy->complete && features->complete_type < 0)
		return error_set(err, UBLKPOL_ERR_KERNEL, -EOPNOTSUPP,
				 "this policy has mirrors, which need a kernel with "
				 "BPF_UBLK_COMPLETE: build one with the newer patches in "
				 "kernel/patches");
	ret = object_set_config(policy, err);
	if (ret)
		return ret;
	ret = object_prepare_program(policy, features);
	if (!ret)
		ret = object_size_maps(policy);
	if (ret)
		return error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot prepare the program: %s",
				 strerror(-ret));

	ret = bpf_object__load(policy->bpf);
	if (ret)
		return object_load_error(policy, ret, err);
	ret = object_fill_map(policy->segments, policy->layout.segments, object_nr_segments(policy),
			      err);
	if (!ret)
		ret = object_fill_map(policy->index, policy->layout.buckets,
				      policy->layout.nr_buckets, err);
	if (!ret)
		ret = object_fill_map(policy->tree, policy->layout.nodes, policy->layout.nr_nodes,
				      err);
	if (!ret && policy->choices)
		ret = object_fill_map(policy->choices, policy->layout.choices,
				      policy->layout.nr_choices, err);
	if (!ret)
		ret = object_fill_map(policy->legs, policy->image.legs,
				      policy->image.header->nr_legs, err);
	return ret ? ret : object_fill_mirrors(policy, err);
}

/* --- what there is --- */

const void *policy_object_bytes(const struct policy_object *policy, size_t *size)
{
	*size = policy->size;
	return policy->bytes;
}

const struct ublkpol_header *policy_object_header(const struct policy_object *policy)
{
	return policy->image.header;
}

const struct ublkpol_backend *policy_object_backends(const struct policy_object *policy)
{
	return policy->image.backends;
}

const __u32 *policy_object_legs(const struct policy_object *policy)
{
	return policy->image.legs;
}

const char *policy_object_string(const struct policy_object *policy, __u32 string)
{
	return policy->image.strings + string;
}

const struct policy_geometry *policy_object_geometry(const struct policy_object *policy)
{
	return &policy->geometry;
}

__u64 policy_object_write_slots(const struct policy_object *policy)
{
	const struct policy_image *image = &policy->image;
	__u64 slots = 0;

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		if (image->rules[i].ops & UBLKPOL_OP_WRITE)
			slots |= policy_image_rule_legs(image, i);
	}
	return slots;
}

/*
 * Backends to whose mirrors all writes go, whatever their LBA: then a rule that reads one of
 * them by itself reads another leg instead, if that one is not good.
 */
static __u64 object_mirrored_everywhere(const struct policy_image *image)
{
	bool has_default = false;
	__u64 slots = ~0ULL;

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		if (!(image->rules[i].ops & UBLKPOL_OP_WRITE))
			continue;
		if (policy_image_target(image, i)->action != UBLKPOL_ACTION_MIRROR)
			return 0;
		slots &= policy_image_rule_legs(image, i);
		has_default |= image->rules[i].is_default != 0;
	}
	return has_default ? slots : 0;
}

/* Backends that rules for any of @ops use by themselves, not in a mirror */
static __u64 object_used_alone(const struct policy_image *image, __u32 ops)
{
	__u64 slots = 0;

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		if (image->rules[i].ops & ops &&
		    policy_image_target(image, i)->action != UBLKPOL_ACTION_MIRROR)
			slots |= policy_image_rule_legs(image, i);
	}
	return slots;
}

__u64 policy_object_read_alone(const struct policy_object *policy)
{
	return object_used_alone(&policy->image, UBLKPOL_OP_READ) &
	       ~object_mirrored_everywhere(&policy->image);
}

__u64 policy_object_only_legs(const struct policy_object *policy)
{
	const struct policy_image *image = &policy->image;
	__u64 legs = 0;

	for (__u32 i = 0; i < image->header->nr_targets; i++) {
		if (image->targets[i].action == UBLKPOL_ACTION_MIRROR)
			legs |= policy_image_legs(image, &image->targets[i]);
	}
	return legs & ~policy_object_read_alone(policy) &
	       ~object_used_alone(image, UBLKPOL_WRITE_OPS);
}

__u64 policy_object_joined(const struct policy_object *policy, __u64 slots)
{
	const struct policy_image *image = &policy->image;
	__u64 joined = 0;

	for (__u32 i = 0; i < image->header->nr_targets; i++) {
		__u64 legs = policy_image_legs(image, &image->targets[i]);

		if (image->targets[i].action == UBLKPOL_ACTION_MIRROR && legs & ~slots)
			joined |= legs & slots;
	}
	return joined;
}

const char *policy_object_log(const struct policy_object *policy)
{
	if (!policy->log)
		return "";
	return *policy->log ? policy->log : policy->log + OBJECT_LOG_SIZE;
}

int policy_object_complete_fd(const struct policy_object *policy)
{
	return policy->complete ? bpf_program__fd(policy->complete) : -ENOENT;
}

int policy_object_prog_fd(const struct policy_object *policy)
{
	return bpf_program__fd(policy->program);
}

int policy_object_counters_fd(const struct policy_object *policy)
{
	return bpf_map__fd(policy->counters);
}

int policy_object_map_fd(const struct policy_object *policy, const char *name)
{
	return bpf_object__find_map_fd_by_name(policy->bpf, name);
}
