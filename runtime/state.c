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

#include "pins.h"
#include "state.h"
#include "state_text.h"

#define STATE_MAX_SIZE	(1U << 28)
#define IMAGE_MAX_SIZE	(1U << 30)
#define QUEUES_MAX_SIZE (1U << 20)

/* A file name of a generation */
#define STATE_NAME_SIZE 32

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

/* --- who may change it --- */

static int lock_device(int id, int how, int *fd)
{
	char path[PATH_MAX];

	state_path(path, id, "lock");
	for (;;) {
		*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (*fd < 0)
			return -errno;
		if (!flock(*fd, how)) {
			if (state_lock_is_current(id, *fd))
				return 0;
			/* The device went while we waited; there may be a new one */
			close(*fd);
			continue;
		}
		if (errno != EINTR) {
			int ret = errno == EWOULDBLOCK ? -EBUSY : -errno;

			close(*fd);
			return ret;
		}
		close(*fd);
	}
}

int state_lock_device(int id, int *fd)
{
	return lock_device(id, LOCK_EX, fd);
}

int state_try_lock_device(int id, int *fd)
{
	return lock_device(id, LOCK_EX | LOCK_NB, fd);
}

bool state_lock_is_current(int id, int fd)
{
	struct stat ours, there;
	char path[PATH_MAX];

	return !fstat(fd, &ours) && !stat(state_path(path, id, "lock"), &there) &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
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

static int open_queues(int id, struct state_queues *queues, unsigned int nr_queues,
		       struct ublkpol_error *err)
{
	char path[PATH_MAX];
	int ret;

	*queues = (struct state_queues){ .fd = -1 };
	state_path(path, id, "queues");
	queues->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ret = queues->fd < 0 ? -errno : map_queues(queues, nr_queues);
	if (ret) {
		state_close(queues);
		return state_error(path, ret, err);
	}
	memset(queues->counters, 0, nr_queues * sizeof(*queues->counters));
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
	ret = open_queues(id, queues, nr_queues, err);
	if (ret)
		state_remove(id);
	return ret;
}

int state_adopt(int id, struct state_queues *queues, unsigned int nr_queues,
		struct ublkpol_error *err)
{
	return open_queues(id, queues, nr_queues, err);
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

static const char *generation_name(char name[STATE_NAME_SIZE], unsigned int generation,
				   const char *what)
{
	snprintf(name, STATE_NAME_SIZE, "%u.%s", generation, what);
	return name;
}

int state_save_files(int id, unsigned int generation, const struct state_files *files,
		     struct ublkpol_error *err)
{
	char name[STATE_NAME_SIZE];
	int ret;

	ret = write_file(id, generation_name(name, generation, "image"), files->image,
			 files->image_size, err);
	if (!ret)
		ret = write_file(id, generation_name(name, generation, "object"), files->object,
				 files->object_size, err);
	return ret;
}

void state_remove_files(int id, unsigned int generation)
{
	char path[PATH_MAX], name[STATE_NAME_SIZE];

	unlink(state_path(path, id, generation_name(name, generation, "image")));
	unlink(state_path(path, id, generation_name(name, generation, "object")));
}

static int save_as(const struct ublkpol_info *info, const char *name, struct ublkpol_error *err)
{
	char *text;
	int ret;

	if (info->nr_values > STATE_MAX_VALUES)
		return error_set(err, UBLKPOL_ERR_INPUT, -E2BIG,
				 "more than %u parameters and sets of device %d are set",
				 STATE_MAX_VALUES, info->id);
	text = state_format(info);
	if (!text)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	if (strlen(text) > STATE_MAX_SIZE) {
		free(text);
		return error_set(err, UBLKPOL_ERR_INPUT, -E2BIG,
				 "what is set of device %d takes more than %u MiB of text",
				 info->id, STATE_MAX_SIZE >> 20);
	}
	ret = write_file(info->id, name, text, strlen(text), err);
	free(text);
	return ret;
}

int state_save(const struct ublkpol_info *info, struct ublkpol_error *err)
{
	return save_as(info, "state", err);
}

int state_save_next(const struct ublkpol_info *info, struct ublkpol_error *err)
{
	return save_as(info, "next", err);
}

int state_commit_next(int id, struct ublkpol_error *err)
{
	char next[PATH_MAX], state[PATH_MAX];

	state_path(next, id, "next");
	state_path(state, id, "state");
	return rename(next, state) ? state_error(state, -errno, err) : 0;
}

bool state_has_next(int id)
{
	char path[PATH_MAX];

	return !access(state_path(path, id, "next"), F_OK);
}

void state_drop_next(int id)
{
	char path[PATH_MAX];

	unlink(state_path(path, id, "next"));
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

static int default_string(char **string)
{
	if (!*string)
		*string = strdup("");
	return *string ? 0 : -ENOMEM;
}

static int load_as(int id, const char *name, struct ublkpol_info *info)
{
	void *text = NULL;
	size_t size;
	int ret;

	*info = (struct ublkpol_info){ .id = id };
	ret = read_file(id, name, STATE_MAX_SIZE, &text, &size);
	if (!ret)
		ret = state_parse(text, info);
	free(text);
	if (ret) {
		state_free_info(info);
		*info = (struct ublkpol_info){ .id = id };
	}
	info->daemon_alive = state_daemon_alive(id);
	if (default_string(&info->policy) || default_string(&info->handler) ||
	    default_string(&info->handler_argument))
		return -ENOMEM;
	return ret;
}

int state_load(int id, struct ublkpol_info *info)
{
	return load_as(id, "state", info);
}

int state_load_next(int id, struct ublkpol_info *info)
{
	return load_as(id, "next", info);
}

int state_read_failed(const struct ublkpol_info *info, int code, struct ublkpol_error *err)
{
	struct ublkpol_info now;
	int ret = state_load(info->id, &now);
	bool is_gone = ret == -ENOENT && *info->policy;
	bool is_another = !ret && now.generation != info->generation;

	state_free_info(&now);
	if (!is_gone && !is_another)
		return code;
	if (err)
		*err = (struct ublkpol_error){ 0 };
	return error_set(err, UBLKPOL_ERR_FAILED, -ESTALE,
			 "device %d was swapped or deleted meanwhile", info->id);
}

void state_free_generation(struct ublkpol_info *info)
{
	unsigned int i;

	for (i = 0; i < info->nr_backends; i++) {
		free(info->backends[i].name);
		free(info->backends[i].path);
	}
	for (i = 0; i < info->nr_values; i++) {
		free(info->values[i].name);
		free(info->values[i].text);
	}
	free(info->backends);
	free(info->values);
	free(info->policy);
	info->backends = NULL;
	info->nr_backends = 0;
	info->values = NULL;
	info->nr_values = 0;
	info->policy = NULL;
}

void state_free_info(struct ublkpol_info *info)
{
	state_free_generation(info);
	free(info->handler);
	free(info->handler_argument);
	info->handler = NULL;
	info->handler_argument = NULL;
}

int state_load_image(int id, unsigned int generation, void **image, size_t *size)
{
	char name[STATE_NAME_SIZE];

	return read_file(id, generation_name(name, generation, "image"), IMAGE_MAX_SIZE, image,
			 size);
}

const char *state_object_path(char *path, int id, unsigned int generation)
{
	char name[STATE_NAME_SIZE];

	return state_path(path, id, generation_name(name, generation, "object"));
}

int state_load_queues(int id, struct queue_counters *counters, unsigned int count)
{
	size_t size;
	void *data;
	int ret;

	ret = read_file(id, "queues", QUEUES_MAX_SIZE, &data, &size);
	if (ret)
		return ret;
	if (size == count * sizeof(*counters))
		memcpy(counters, data, size);
	else
		ret = -EINVAL;
	free(data);
	return ret;
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

		if (state_parse_number(entry->d_name, INT_MAX, &id))
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
	char folder[PATH_MAX], path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	pins_remove_device(id);
	dir = opendir(state_path(folder, id, ""));
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		unlink(state_path(path, id, entry->d_name));
	closedir(dir);
	rmdir(folder);
}
