// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "op.h"
#include "redirect.h"
#include "thread.h"

/* User code runs on it; all memory of the process is locked */
#define REDIRECT_STACK_SIZE (512 * 1024)

#define SECTOR_SHIFT 9

/* --- payload --- */

static struct redirect_job *job_of(const struct ublkpol_request *request)
{
	return (struct redirect_job *)request;
}

static off_t payload_position(const struct ublkpol_request *request, __u64 offset)
{
	return (off_t)(UBLKSRV_IO_BUF_OFFSET + ((__u64)request->queue << UBLK_QID_OFF) +
		       ((__u64)request->tag << UBLK_TAG_OFF) + offset);
}

static int check_part(const struct ublkpol_request *request, enum ublkpol_op op, __u64 offset,
		      size_t length)
{
	if (request->op != op)
		return -EINVAL;
	return offset > request->length || length > request->length - offset ? -EINVAL : 0;
}

int ublkpol_request_get(const struct ublkpol_request *request, void *buffer, __u64 offset,
			size_t length)
{
	char *to = buffer;
	ssize_t n;
	int ret;

	ret = check_part(request, UBLKPOL_WRITE, offset, length);
	while (!ret && length) {
		n = pread(request->payload_fd, to, length, payload_position(request, offset));
		if (n <= 0) {
			ret = n < 0 ? -errno : -EIO;
			break;
		}
		to += n;
		offset += (__u64)n;
		length -= (size_t)n;
	}
	return ret;
}

int ublkpol_request_put(const struct ublkpol_request *request, const void *buffer, __u64 offset,
			size_t length)
{
	const char *from = buffer;
	ssize_t n;
	int ret;

	ret = check_part(request, UBLKPOL_READ, offset, length);
	while (!ret && length) {
		n = pwrite(request->payload_fd, from, length, payload_position(request, offset));
		if (n <= 0) {
			ret = n < 0 ? -errno : -EIO;
			break;
		}
		job_of(request)->copied += (__u64)n;
		from += n;
		offset += (__u64)n;
		length -= (size_t)n;
	}
	return ret;
}

/* --- the handler's thread --- */

static int run_handler(struct redirect *redirect, struct redirect_job *job)
{
	int ret = redirect->handler->handle(redirect->handler_state, &job->request);

	if (ret > 0 || ret < -4095)
		return -EIO;
	if (ret)
		return ret;
	/* What a read has not filled would be old memory of the kernel */
	if (job->request.op == UBLKPOL_READ && job->copied < job->request.length)
		return -EIO;
	/* Without a payload nothing counts the bytes, which may be too many for an int */
	if (job->request.op != UBLKPOL_READ && job->request.op != UBLKPOL_WRITE)
		return 0;
	return (int)job->request.length;
}

static struct redirect_job *next_job(struct redirect *redirect)
{
	struct redirect_job *job;

	pthread_mutex_lock(&redirect->lock);
	while (!redirect->todo && !redirect->stopping)
		pthread_cond_wait(&redirect->work, &redirect->lock);
	job = redirect->todo;
	if (job) {
		redirect->todo = job->next;
		if (!redirect->todo)
			redirect->todo_end = &redirect->todo;
	}
	pthread_mutex_unlock(&redirect->lock);
	return job;
}

static void *redirect_main(void *arg)
{
	struct redirect *redirect = arg;
	struct redirect_job *job;

	while ((job = next_job(redirect))) {
		job->result = run_handler(redirect, job);
		pthread_mutex_lock(&redirect->lock);
		job->next = redirect->done;
		redirect->done = job;
		pthread_mutex_unlock(&redirect->lock);
		eventfd_write(redirect->done_fd, 1);
	}
	return NULL;
}

/* --- the queue's side --- */

void redirect_begin(struct redirect *redirect, unsigned int tag)
{
	const struct ublksrv_io_desc *descriptor = &redirect->descriptors[tag];
	struct redirect_job *job = &redirect->jobs[tag];

	job->request.op = op_of(ublksrv_get_op(descriptor));
	job->request.flags = ublksrv_get_flags(descriptor) << 8;
	job->request.offset = descriptor->start_sector << SECTOR_SHIFT;
	job->request.length = (__u64)descriptor->nr_sectors << SECTOR_SHIFT;
	job->copied = 0;
	job->next = NULL;

	pthread_mutex_lock(&redirect->lock);
	*redirect->todo_end = job;
	redirect->todo_end = &job->next;
	pthread_cond_signal(&redirect->work);
	pthread_mutex_unlock(&redirect->lock);
}

int redirect_next_done(struct redirect *redirect, int *result)
{
	struct redirect_job *job;

	if (!redirect->started)
		return -1;
	pthread_mutex_lock(&redirect->lock);
	job = redirect->done;
	if (job)
		redirect->done = job->next;
	pthread_mutex_unlock(&redirect->lock);
	if (!job)
		return -1;
	*result = job->result;
	return (int)job->request.tag;
}

/* --- life --- */

/* The driver has room for the largest depth there is in front of each queue */
static int map_descriptors(struct redirect *redirect, unsigned int queue, unsigned int depth)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t stride = UBLKPOL_MAX_DEPTH * sizeof(struct ublksrv_io_desc);
	void *map;

	redirect->descriptors_size =
		(depth * sizeof(struct ublksrv_io_desc) + page - 1) / page * page;
	map = mmap(NULL, redirect->descriptors_size, PROT_READ, MAP_SHARED | MAP_POPULATE,
		   redirect->char_fd, (off_t)(UBLKSRV_CMD_BUF_OFFSET + queue * stride));
	if (map == MAP_FAILED)
		return -errno;
	redirect->descriptors = map;
	return 0;
}

static int make_jobs(struct redirect *redirect, int id, unsigned int queue, unsigned int depth)
{
	unsigned int tag;

	redirect->jobs = calloc(depth, sizeof(*redirect->jobs));
	if (!redirect->jobs)
		return -ENOMEM;
	for (tag = 0; tag < depth; tag++) {
		redirect->jobs[tag].request.id = id;
		redirect->jobs[tag].request.queue = queue;
		redirect->jobs[tag].request.tag = tag;
		redirect->jobs[tag].request.payload_fd = redirect->char_fd;
	}
	return 0;
}

static int start_thread(struct redirect *redirect)
{
	int ret;

	pthread_mutex_init(&redirect->lock, NULL);
	pthread_cond_init(&redirect->work, NULL);
	redirect->todo_end = &redirect->todo;
	ret = thread_start(&redirect->thread, REDIRECT_STACK_SIZE, redirect_main, redirect);
	redirect->started = !ret;
	return ret;
}

int redirect_start(struct redirect *redirect, int id, unsigned int queue, unsigned int depth,
		   struct ublkpol_error *err)
{
	int ret;

	ret = map_descriptors(redirect, queue, depth);
	if (!ret)
		ret = make_jobs(redirect, id, queue, depth);
	if (!ret)
		ret = start_thread(redirect);
	return ret ? error_set(err, UBLKPOL_ERR_FAILED, ret,
			       "cannot set up the handler of queue %u: %s", queue, strerror(-ret))
		   : 0;
}

void redirect_stop(struct redirect *redirect)
{
	if (redirect->started) {
		pthread_mutex_lock(&redirect->lock);
		redirect->stopping = true;
		pthread_cond_signal(&redirect->work);
		pthread_mutex_unlock(&redirect->lock);
		pthread_join(redirect->thread, NULL);
		pthread_cond_destroy(&redirect->work);
		pthread_mutex_destroy(&redirect->lock);
	}
	if (redirect->descriptors)
		munmap((void *)redirect->descriptors, redirect->descriptors_size);
	free(redirect->jobs);
	*redirect = (struct redirect){ 0 };
}
