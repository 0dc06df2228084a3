// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "state.h"

#define STATE_MAX_SIZE	   (1U << 20)
#define IMAGE_MAX_SIZE	   (1U << 30)
#define STATE_MAX_BACKENDS 64U

static const char *state_root = UBLKPOL_STATE_DIR;

void state_set_root(const char *root)
{
	state_root = root;
}

/* Path of @file of device @id; the folder itself with @file "" */
static const char *state_path(char path[PATH_MAX], int id, const char *file)
{
	snprintf(path, PATH_MAX, "%s/%d%s%s", state_root, id, *file ? "/" : "", file);
	return path;
}

static int state_error(const char *path, int code, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_FAILED, code, "cannot use %s: %s", path, strerror(-code));
}

static int make_folder(const char *path, struct ublkpol_error *err)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return state_error(path, -errno, err);
	return 0;
}

int state_lock(int *fd, struct ublkpol_error *err)
{
	int ret;

	*fd = -1;
	ret = make_folder(state_root, err);
	if (ret)
		return ret;

	*fd = open(state_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return state_error(state_root, -errno, err);

	while (flock(*fd, LOCK_EX)) {
		if (errno == EINTR)
			continue;
		ret = state_error(state_root, -errno, err);
		close(*fd);
		*fd = -1;
		return ret;
	}
	return 0;
}

/*
 * Open file description locks belong to the daemon's open file: they end with
 * the daemon however it ends, and can be tested without taking them.
 */
static int lock_queues(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

bool state_daemon_alive(int id)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];
	bool alive;
	int fd;

	fd = open(state_path(path, id, "queues"), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	alive = !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
	close(fd);
	return alive;
}

static int map_queues(struct state_queues *queues, unsigned int nr_queues)
{
	size_t size = nr_queues * sizeof(*queues->counters);
	int ret;

	ret = lock_queues(queues->fd);
	if (ret)
		return ret;
	if (ftruncate(queues->fd, (off_t)size))
		return -errno;
	queues->counters = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, queues->fd, 0);
	if (queues->counters == MAP_FAILED) {
		queues->counters = NULL;
		return -errno;
	}
	queues->count = nr_queues;
	return 0;
}

int state_create(int id, struct state_queues *queues, unsigned int nr_queues,
		 struct ublkpol_error *err)
{
	char path[PATH_MAX];
	int ret;

	*queues = (struct state_queues){ .fd = -1 };
	/* The kernel gave this number to us: what is there is of a dead device */
	state_remove(id);
	ret = make_folder(state_path(path, id, ""), err);
	if (ret)
		return ret;

	state_path(path, id, "queues");
	queues->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ret = queues->fd < 0 ? -errno : map_queues(queues, nr_queues);
	if (ret) {
		state_close(queues);
		state_remove(id);
		return state_error(path, ret, err);
	}
	return 0;
}

void state_close(struct state_queues *queues)
{
	if (queues->counters)
		munmap(queues->counters, queues->count * sizeof(*queues->counters));
	if (queues->fd >= 0)
		close(queues->fd);
	*queues = (struct state_queues){ .fd = -1 };
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Readers see the whole file or none */
static int write_file(int id, const char *name, const void *data, size_t size,
		      struct ublkpol_error *err)
{
	char path[PATH_MAX], temporary[PATH_MAX];
	int fd, ret;

	state_path(path, id, name);
	state_path(temporary, id, "new");
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return state_error(temporary, -errno, err);
	ret = write_all(fd, data, size);
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && rename(temporary, path))
		ret = -errno;
	return ret ? state_error(path, ret, err) : 0;
}

int state_save(const struct ublkpol_info *info, const void *image, size_t image_size,
	       struct ublkpol_error *err)
{
	char *text = state_format(info);
	int ret;

	if (!text)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	ret = write_file(info->id, "image", image, image_size, err);
	if (!ret)
		ret = write_file(info->id, "state", text, strlen(text), err);
	free(text);
	return ret;
}

/* The buffer has a NUL behind its end */
static int read_file(int id, const char *name, size_t max_size, void **data, size_t *size)
{
	char path[PATH_MAX];
	FILE *file;
	char *buffer = NULL;
	struct stat st;
	int ret = 0;

	file = fopen(state_path(path, id, name), "re");
	if (!file)
		return -errno;
	if (fstat(fileno(file), &st) || (size_t)st.st_size > max_size) {
		ret = -EINVAL;
		goto out;
	}
	buffer = calloc(1, (size_t)st.st_size + 1);
	if (!buffer) {
		ret = -ENOMEM;
		goto out;
	}
	if (fread(buffer, 1, (size_t)st.st_size, file) != (size_t)st.st_size) {
		ret = -EIO;
		goto out;
	}
	*data = buffer;
	*size = (size_t)st.st_size;
	buffer = NULL;
out:
	free(buffer);
	fclose(file);
	return ret;
}

int state_load(int id, struct ublkpol_info *info)
{
	void *text = NULL;
	size_t size;
	int ret;

	*info = (struct ublkpol_info){ .id = id };
	ret = read_file(id, "state", STATE_MAX_SIZE, &text, &size);
	if (!ret)
		ret = state_parse(text, info);
	free(text);
	if (ret) {
		state_free_info(info);
		*info = (struct ublkpol_info){ .id = id };
	}
	if (!info->policy)
		info->policy = strdup("");
	info->daemon_alive = state_daemon_alive(id);
	if (!info->policy)
		return -ENOMEM;
	return ret;
}

void state_free_info(struct ublkpol_info *info)
{
	unsigned int i;

	for (i = 0; i < info->nr_backends; i++) {
		free(info->backends[i].name);
		free(info->backends[i].path);
	}
	free(info->backends);
	free(info->policy);
	info->backends = NULL;
	info->nr_backends = 0;
	info->policy = NULL;
}

int state_load_image(int id, void **image, size_t *size)
{
	return read_file(id, "image", IMAGE_MAX_SIZE, image, size);
}

int state_load_queues(int id, struct queue_counters *counters, unsigned int count)
{
	size_t size;
	void *data;
	int ret;

	ret = read_file(id, "queues", STATE_MAX_SIZE, &data, &size);
	if (ret)
		return ret;
	if (size == count * sizeof(*counters))
		memcpy(counters, data, size);
	else
		ret = -EINVAL;
	free(data);
	return ret;
}

static int parse_number(const char *text, __u64 max, __u64 *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno || *end || *value > max ? -EINVAL : 0;
}

int state_ids(int **ids, size_t *count)
{
	struct dirent *entry;
	int *list = NULL;
	size_t n = 0;
	DIR *dir;

	*ids = NULL;
	*count = 0;
	dir = opendir(state_root);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;

	while ((entry = readdir(dir))) {
		__u64 id;
		int *grown;

		if (parse_number(entry->d_name, INT_MAX, &id))
			continue;
		grown = realloc(list, (n + 1) * sizeof(*list));
		if (!grown) {
			free(list);
			closedir(dir);
			return -ENOMEM;
		}
		list = grown;
		list[n++] = (int)id;
	}
	closedir(dir);
	*ids = list;
	*count = n;
	return 0;
}

void state_remove(int id)
{
	static const char *const files[] = { "state", "image", "queues", "new" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(state_path(path, id, files[i]));
	rmdir(state_path(path, id, ""));
}

static void put_escaped(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '\\')
			fputs("\\\\", out);
		else
			fputc(*value, out);
	}
}

static int unescape(char *value)
{
	char *to = value;

	for (; *value; value++) {
		if (*value != '\\') {
			*to++ = *value;
			continue;
		}
		value++;
		if (*value == 'n')
			*to++ = '\n';
		else if (*value == '\\')
			*to++ = '\\';
		else
			return -EINVAL;
	}
	*to = '\0';
	return 0;
}

char *state_format(const struct ublkpol_info *info)
{
	char *text = NULL;
	size_t size = 0;
	unsigned int i;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;

	fprintf(out, "pid=%d\nqueues=%u\ndepth=%u\nblock_size=%u\nsectors=%" PRIu64 "\n",
		(int)info->pid, info->queues, info->depth, info->block_size,
		(uint64_t)info->sectors);
	fprintf(out, "counters_id=%u\npolicy=", info->counters_id);
	put_escaped(out, info->policy);
	for (i = 0; i < info->nr_backends; i++) {
		fputs("\nbackend_name=", out);
		put_escaped(out, info->backends[i].name);
		fputs("\nbackend_path=", out);
		put_escaped(out, info->backends[i].path);
	}
	fputc('\n', out);

	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

static int parse_uint(const char *text, unsigned int *value)
{
	__u64 wide;

	if (parse_number(text, UINT_MAX, &wide))
		return -EINVAL;
	*value = (unsigned int)wide;
	return 0;
}

static int set_string(char **string, const char *value)
{
	if (*string)
		return -EINVAL;
	*string = strdup(value);
	return *string ? 0 : -ENOMEM;
}

/* Starts a new backend; its path follows */
static int parse_backend_name(const char *value, struct ublkpol_info *info)
{
	struct ublkpol_backend_info *grown;

	if (info->nr_backends == STATE_MAX_BACKENDS)
		return -EINVAL;
	grown = realloc(info->backends, (info->nr_backends + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	info->backends = grown;
	grown[info->nr_backends] = (struct ublkpol_backend_info){ 0 };
	return set_string(&grown[info->nr_backends++].name, value);
}

static int parse_pair(const char *key, const char *value, struct ublkpol_info *info)
{
	__u64 pid;

	if (!strcmp(key, "pid")) {
		if (parse_number(value, INT_MAX, &pid))
			return -EINVAL;
		info->pid = (pid_t)pid;
		return 0;
	}
	if (!strcmp(key, "queues"))
		return parse_uint(value, &info->queues);
	if (!strcmp(key, "depth"))
		return parse_uint(value, &info->depth);
	if (!strcmp(key, "block_size"))
		return parse_uint(value, &info->block_size);
	if (!strcmp(key, "sectors"))
		return parse_number(value, ULLONG_MAX, &info->sectors);
	if (!strcmp(key, "counters_id"))
		return parse_uint(value, &info->counters_id);
	if (!strcmp(key, "policy"))
		return set_string(&info->policy, value);
	if (!strcmp(key, "backend_name"))
		return parse_backend_name(value, info);
	if (!strcmp(key, "backend_path"))
		return info->nr_backends
			       ? set_string(&info->backends[info->nr_backends - 1].path, value)
			       : -EINVAL;
	return 0;
}

int state_parse(char *text, struct ublkpol_info *info)
{
	unsigned int i;
	char *line;
	int ret;

	while ((line = strsep(&text, "\n"))) {
		char *value;

		if (!*line)
			continue;
		value = strchr(line, '=');
		if (!value)
			return -EINVAL;
		*value++ = '\0';
		ret = unescape(value);
		if (!ret)
			ret = parse_pair(line, value, info);
		if (ret)
			return ret;
	}

	if (!info->pid || !info->queues || !info->policy)
		return -EINVAL;
	for (i = 0; i < info->nr_backends; i++) {
		if (!info->backends[i].path)
			return -EINVAL;
	}
	return 0;
}
