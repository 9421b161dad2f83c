/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call - what changes containers is done by the executable
 *
 * It is started by posix_spawn(3), which shares no memory with the caller's threads longer than
 * until the exec and runs no handlers. Its error comes back as the JSON record that cleat(1)
 * writes into its log, here a memfd: unlike a pipe that needs no reader while the program runs,
 * and nobody who inherits it can keep us waiting. In the program the descriptor has a number that
 * is free in the caller and above those that --preserve-fds passes on, so it is never seen by a
 * container, which gets none that it was not promised.
 */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "libcleat/handle.h"
#include "ocispec/decode.h"
#include "sys/sys.h"

#define STREAMS	 3
#define LOG_SIZE ((size_t)64 << 10) /* of it that is looked at: the error is the last record */
/* the program, four options with a word each, the end */
#define N_GLOBALS 10

/* --- the command line ------------------------------------------------------------------------- */

static const char **command_line(struct arena *a, const struct cleat *c, const char *program,
				 int log, const char *const *words)
{
	const char **argv;
	size_t n_words = 0, n = 0;

	while (words[n_words])
		n_words++;
	argv = arena_new_n(a, N_GLOBALS + n_words, const char *);
	argv[n++] = program;
	if (c->options[CLEAT_ROOT]) {
		argv[n++] = "--root";
		argv[n++] = c->options[CLEAT_ROOT];
	}
	if (c->options[CLEAT_CGROUP_MANAGER]) {
		argv[n++] = "--cgroup-manager";
		argv[n++] = c->options[CLEAT_CGROUP_MANAGER];
	}
	argv[n++] = "--log";
	argv[n++] = arena_printf(a, "/proc/self/fd/%d", log);
	argv[n++] = "--log-format";
	argv[n++] = "json";
	memcpy(argv + n, words, n_words * sizeof(*words));
	return argv;
}

/*
 * How many descriptors are passed on at most: there may be unused numbers among them. A word of
 * the payload that looks like the option does no harm.
 */
static int count_preserved(const char *const *words)
{
	static const char option[] = "--preserve-fds";
	uint32_t n, most = 0;

	for (; *words; words++) {
		const char *value;

		if (!str_starts(*words, option))
			continue;
		value = *words + strlen(option);
		value = *value == '=' ? value + 1 : words[1];
		if (value && str_to_u32(value, &n) == 0 && n < INT_MAX - STREAMS && n > most)
			most = n;
	}
	return (int)most;
}

/* -EINVAL: that many descriptors cannot be open, which the program is going to say. */
static int open_log(const char *const *words)
{
	auto_fd log = sys_memfd_create("cleat-log", MFD_CLOEXEC);
	int r = log < 0 ? log : sys_fcntl(log, F_DUPFD_CLOEXEC, STREAMS + count_preserved(words));

	return r == -EINVAL ? sys_fcntl(log, F_DUPFD_CLOEXEC, STREAMS) : r;
}

/* --- the process ------------------------------------------------------------------------------ */

/*
 * The caller's descriptors may have any numbers, also 0 to 2: each gets a copy above those, so
 * that no dup2(2) can overwrite what a later one needs.
 */
static int place(posix_spawn_file_actions_t *actions, int fd, int number, int *ret_copy)
{
	int copy = fd >= 0 ? sys_fcntl(fd, F_DUPFD_CLOEXEC, STREAMS) : 0;
	int r;

	if (copy < 0)
		return copy;
	if (fd < 0)
		return -posix_spawn_file_actions_addopen(actions, number, "/dev/null", O_RDWR, 0);
	*ret_copy = copy;
	r = posix_spawn_file_actions_adddup2(actions, copy, number);
	return -r;
}

static int spawn(const char *program, const char *const *argv, const struct cleat_streams *s,
		 int log, pid_t *ret_pid)
{
	const int fds[STREAMS] = { s->in, s->out, s->err };
	int copies[STREAMS] = { -1, -1, -1 };
	posix_spawn_file_actions_t actions;
	int r = -posix_spawn_file_actions_init(&actions);

	if (r < 0)
		return r;
	for (int i = 0; i < STREAMS && r == 0; i++)
		r = place(&actions, fds[i], i, &copies[i]);
	/* to its own number: all that it does is to let it be inherited */
	if (r == 0)
		r = -posix_spawn_file_actions_adddup2(&actions, log, log);
	if (r == 0)
		r = -posix_spawn(ret_pid, program, &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	for (int i = 0; i < STREAMS; i++)
		fd_close(&copies[i]);
	return r;
}

/* The exit status, 128 + signal, or -ECHILD: somebody else has it. */
static int wait_for(pid_t pid)
{
	int status;
	pid_t r;

	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* --- what it said ----------------------------------------------------------------------------- */

static int from_record(struct cleat *c, const struct cleat_log_record *r)
{
	int code = r->errno_ ? errno_from_name(r->errno_) : -EINVAL;

	c->err.code = code > 0 ? code : EIO;
	str_copy(c->err.text, sizeof(c->err.text), r->msg);
	str_copy(c->err.id, sizeof(c->err.id), r->code ? r->code : "");
	str_copy(c->err.step, sizeof(c->err.step), r->step ? r->step : "");
	str_copy(c->err.subject, sizeof(c->err.subject), r->object ? r->object : "");
	return -c->err.code;
}

/* The last line of the log that is an error: exactly one is written by a call that fails. */
static int read_error(struct cleat *c, struct arena *a, int log)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	char *text = arena_alloc(a, LOG_SIZE + 1);
	off_t size = lseek(log, 0, SEEK_END);
	off_t from = size > (off_t)LOG_SIZE ? size - (off_t)LOG_SIZE : 0;
	ssize_t len = pread(log, text, LOG_SIZE, from);

	for (char *end = len > 0 ? text + len : text; end > text;) {
		struct cleat_log_record *record;
		char *line;

		*--end = '\0';
		line = strrchr(text, '\n');
		line = line ? line + 1 : text;
		if (ocispec_decode(&cleat_log_record_type, line, strlen(line), &alloc, NULL,
				   (void **)&record, NULL) == 0 &&
		    str_eq(record->level, "error"))
			return from_record(c, record);
		end = line;
	}
	return 0;
}

int cleat_call(struct cleat *c, const char *const *words, const struct cleat_streams *streams,
	       int *ret_status)
{
	static const struct cleat_streams none = { -1, -1, -1 };
	auto_arena a = arena_make();
	const char *program = c->options[CLEAT_PROGRAM] ? c->options[CLEAT_PROGRAM] : CLEAT_PATH;
	auto_fd log = open_log(words);
	pid_t pid = -1;
	int r, status;

	err_clear(&c->err);
	if (log < 0)
		return err_sys(&c->err, -log, NULL, "make a log");
	r = spawn(program, command_line(&a, c, program, log, words), streams ? streams : &none, log,
		  &pid);
	if (r < 0)
		return err_sys(&c->err, -r, program, "execute");
	status = wait_for(pid);
	r = read_error(c, &a, log);
	if (r < 0)
		return r;
	if (status < 0)
		return err_sys(&c->err, -status, program, "wait for");
	if (status != 0 && !ret_status)
		return err_code(&c->err, ECHILD, program, "'%s %s' ended with status %d", program,
				words[0] ? words[0] : "", status);
	if (ret_status)
		*ret_status = status;
	return 0;
}

/* --- the operations of runtime.md ------------------------------------------------------------- */

int cleat_create(struct cleat *c, const char *id, const char *bundle,
		 const struct cleat_streams *streams)
{
	const char *const words[] = { "create", "--bundle", bundle, "--", id, NULL };

	return cleat_call(c, words, streams, NULL);
}

int cleat_start(struct cleat *c, const char *id)
{
	const char *const words[] = { "start", "--", id, NULL };

	return cleat_call(c, words, NULL, NULL);
}

int cleat_kill(struct cleat *c, const char *id, int signal)
{
	char number[16];
	const char *const words[] = { "kill", "--", id, number, NULL };

	snprintf(number, sizeof(number), "%d", signal);
	return cleat_call(c, words, NULL, NULL);
}

int cleat_delete(struct cleat *c, const char *id, int force)
{
	const char *const gently[] = { "delete", "--", id, NULL };
	const char *const by_force[] = { "delete", "--force", "--", id, NULL };

	return cleat_call(c, force ? by_force : gently, NULL, NULL);
}
