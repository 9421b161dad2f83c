/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"

#define PROGRAM "cleat"

/* Readers take at most 8 KiB in one piece (conmon); a line stays below that. */
#define LINE_SIZE 8000
#define TEXT_SIZE 2048 /* of one message; escaped it is at most twice as long */

/* How long a line may wait for a pipe or socket that is full; then it is lost. */
#define WRITE_WAIT_MS 5000

enum target { TARGET_NONE, TARGET_FILE, TARGET_JOURNAL, TARGET_SYSLOG };

static struct {
	enum target target;
	enum log_format format;
	enum log_level level;
	int fd;
	char ident[64];
	void (*sink)(void *arg, enum log_level level, const char *text);
	void *sink_arg;
	bool in_sink;
} logger = { .fd = -1 };

static const struct {
	char name[8];
	int priority; /* of syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};
#define SYSLOG_DAEMON (3 << 3)

/* --- the target ----------------------------------------------------------------------- */

static int connect_datagram(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	auto_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	str_copy(a.sun_path, sizeof(a.sun_path), path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return fd_take(&fd);
}

/* O_NONBLOCK: a FIFO that nobody reads is an error here, and a full one no trap later. */
static int open_file(const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK;
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC, 0644);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

/* What follows @prefix in @target, or NULL. */
static const char *after(const char *target, const char *prefix)
{
	return str_starts(target, prefix) ? target + strlen(prefix) : NULL;
}

/* The name goes into lines of a protocol: it must not contain their separators. */
static void set_ident(const char *ident)
{
	str_copy(logger.ident, sizeof(logger.ident), *ident ? ident : PROGRAM);
	str_escape_control(logger.ident);
}

int log_open(const char *target, enum log_format format, enum log_level level, struct err *e)
{
	enum target kind = TARGET_FILE;
	const char *rest;
	int fd;

	logger.format = format;
	logger.level = level;
	logger.target = TARGET_NONE;
	fd_close(&logger.fd);
	if (!target)
		return 0;
	if ((rest = after(target, "journald:"))) {
		kind = TARGET_JOURNAL;
		set_ident(rest);
		fd = connect_datagram("/run/systemd/journal/socket");
	} else if ((rest = after(target, "syslog:"))) {
		kind = TARGET_SYSLOG;
		set_ident(rest);
		fd = connect_datagram("/dev/log");
	} else {
		rest = after(target, "file:");
		fd = open_file(rest ? rest : target);
	}
	if (fd < 0)
		return err_sys(e, -fd, target, "open log");
	logger.target = kind;
	logger.fd = fd;
	return 0;
}

bool log_enabled(enum log_level level)
{
	return level <= logger.level;
}

void log_set_sink(void (*fn)(void *arg, enum log_level level, const char *text), void *arg)
{
	logger.sink = fn;
	logger.sink_arg = arg;
}

/* --- lines ------------------------------------------------------------------------------ */

struct line {
	char text[LINE_SIZE];
	size_t n;
};

static void line_add(struct line *l, const char *s)
{
	size_t n = strlen(s), room = sizeof(l->text) - l->n;

	if (n > room)
		n = room;
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

/* @s has been through str_escape_control(): only two characters need an escape in JSON. */
static void line_add_quoted(struct line *l, const char *s)
{
	line_add(l, "\"");
	while (*s) {
		char piece[64];
		size_t n = strcspn(s, "\"\\");

		if (n == 0) {
			line_add(l, (char[]){ '\\', *s, '\0' });
			s++;
			continue;
		}
		n = n < sizeof(piece) ? n : sizeof(piece) - 1;
		memcpy(piece, s, n);
		piece[n] = '\0';
		line_add(l, piece);
		s += n;
	}
	line_add(l, "\"");
}

/* Words stand bare in text, as in the logs of runc: people search for "level=error". */
static bool is_word(const char *s)
{
	size_t n =
		strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+");

	return n && !s[n];
}

/* How a pair looks: JSON is `,"key":"value"`, text ` key=word` or ` key="some words"`. */
static void line_add_pair(struct line *l, const char *key, const char *value)
{
	if (logger.format == LOG_JSON) {
		line_add(l, l->n ? "," : "{");
		line_add_quoted(l, key);
		line_add(l, ":");
	} else {
		line_add(l, l->n ? " " : "");
		line_add(l, key);
		line_add(l, "=");
		if (is_word(value)) {
			line_add(l, value);
			return;
		}
	}
	line_add_quoted(l, value);
}

static void add_error_pairs(struct line *l, const struct err *e)
{
	char subject[sizeof(e->subject)];

	str_copy(subject, sizeof(subject), e->subject);
	str_escape_control(subject);
	line_add_pair(l, "code", err_id(e));
	if (e->step[0])
		line_add_pair(l, "step", e->step);
	if (subject[0])
		line_add_pair(l, "object", subject);
	line_add_pair(l, "errno", errno_name(e->code));
}

static void file_line(struct line *l, enum log_level level, const char *text, const struct err *e)
{
	char now[CLOCK_TEXT_SIZE];

	clock_rfc3339_now(now);
	if (logger.format == LOG_JSON) {
		line_add_pair(l, "level", levels[level].name);
		line_add_pair(l, "msg", text);
		line_add_pair(l, "time", now);
	} else {
		line_add_pair(l, "time", now);
		line_add_pair(l, "level", levels[level].name);
		line_add_pair(l, "msg", text);
	}
	if (e)
		add_error_pairs(l, e);
	line_add(l, logger.format == LOG_JSON ? "}\n" : "\n");
}

/* The journal's native protocol: FIELD=value lines. systemd.journal-fields(7) */
static void journal_datagram(struct line *l, enum log_level level, const char *text,
			     const struct err *e)
{
	char head[160];

	snprintf(head, sizeof(head), "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n", levels[level].priority,
		 logger.ident);
	line_add(l, head);
	if (e) {
		char subject[sizeof(e->subject)];

		str_copy(subject, sizeof(subject), e->subject);
		str_escape_control(subject);
		line_add(l, "CLEAT_OBJECT=");
		line_add(l, subject);
		snprintf(head, sizeof(head), "\nERRNO=%d\nCLEAT_STEP=%s\nCLEAT_CODE=%s\n", e->code,
			 e->step, err_id(e));
		line_add(l, head);
	}
	line_add(l, "MESSAGE=");
	line_add(l, text);
	line_add(l, "\n");
}

/* Without a time: the daemon puts its own. */
static void syslog_datagram(struct line *l, enum log_level level, const char *text)
{
	char head[160];

	snprintf(head, sizeof(head), "<%d>%s[%d]: ", SYSLOG_DAEMON | levels[level].priority,
		 logger.ident, (int)getpid());
	line_add(l, head);
	line_add(l, text);
}

/* --- writing -------------------------------------------------------------------------------- */

/* One write, so that lines of several processes do not mix; it never blocks for long. */
static void write_line(int fd, const struct line *l)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	do
		n = poll(&p, 1, WRITE_WAIT_MS);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return;
	do
		n = write(fd, l->text, l->n);
	while (n < 0 && errno == EINTR);
}

static void target_write(enum log_level level, const char *text, const struct err *e)
{
	struct line l;

	l.n = 0;
	switch (logger.target) {
	case TARGET_NONE:
		return;
	case TARGET_FILE:
		file_line(&l, level, text, e);
		break;
	case TARGET_JOURNAL:
		journal_datagram(&l, level, text, e);
		break;
	case TARGET_SYSLOG:
		syslog_datagram(&l, level, text);
		break;
	}
	write_line(logger.fd, &l);
}

static void stderr_write(const char *text)
{
	struct line l;

	l.n = 0;
	line_add(&l, PROGRAM ": ");
	line_add(&l, text);
	line_add(&l, "\n");
	write_line(STDERR_FILENO, &l);
}

/* @text must be escaped. Returns false when there is no sink. */
static bool sink_write(enum log_level level, const char *text)
{
	if (!logger.sink)
		return false;
	if (logger.in_sink)
		return true;
	logger.in_sink = true;
	logger.sink(logger.sink_arg, level, text);
	logger.in_sink = false;
	return true;
}

static void put(enum log_level level, const char *text)
{
	if (sink_write(level, text))
		return;
	if (logger.target == TARGET_NONE)
		stderr_write(text);
	else
		target_write(level, text, NULL);
}

void log_forward(enum log_level level, const char *text)
{
	char line[TEXT_SIZE];

	if ((unsigned)level > LOG_LEVEL_DEBUG)
		level = LOG_LEVEL_DEBUG;
	str_shorten(line, sizeof(line), text);
	str_escape_control(line);
	put(level, line);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[2 * TEXT_SIZE];
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_forward(level, text);
}

void log_trace(const char *area, const char *text)
{
	char line[TEXT_SIZE];

	snprintf(line, sizeof(line), "trace: %s %s", area, text);
	log_forward(LOG_LEVEL_DEBUG, line);
}

static void report(enum log_level level, const struct err *e)
{
	char text[sizeof(e->text)];

	str_copy(text, sizeof(text), e->text[0] ? e->text : "unknown error");
	str_escape_control(text);
	if (sink_write(level, text))
		return;
	target_write(level, text, e);
	stderr_write(text);
}

void log_error(const struct err *e)
{
	report(LOG_LEVEL_ERROR, e);
}

void log_notice(const struct err *e)
{
	report(LOG_LEVEL_WARNING, e);
}
