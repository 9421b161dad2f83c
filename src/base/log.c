/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

/* Readers take at most 8 KiB in one piece (conmon); a line stays well below that. */
#define LINE_MAX_BYTES 6144
#define PROGRAM	       "cleat"

enum target { TARGET_NONE, TARGET_FILE, TARGET_JOURNAL, TARGET_SYSLOG };

static struct {
	enum target target;
	enum log_format format;
	enum log_level level;
	int fd;
	char ident[64];
	void (*sink)(void *arg, enum log_level level, const char *text);
	void *sink_arg;
} logger = { .fd = -1 };

static const char *const level_names[] = { "error", "warning", "info", "debug" };
/* syslog(3) priorities */
static const int level_priorities[] = { 3, 4, 6, 7 };

static int connect_datagram(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	str_copy(a.sun_path, sizeof(a.sun_path), path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int saved = errno;

		close(fd);
		return -saved;
	}
	return fd;
}

int log_open(const char *target, enum log_format format, enum log_level level, struct err *e)
{
	int fd = -1;

	logger.format = format;
	logger.level = level;
	if (!target)
		return 0;
	if (str_starts(target, "journald:")) {
		logger.target = TARGET_JOURNAL;
		str_copy(logger.ident, sizeof(logger.ident), target + strlen("journald:"));
		fd = connect_datagram("/run/systemd/journal/socket");
	} else if (str_starts(target, "syslog:")) {
		logger.target = TARGET_SYSLOG;
		str_copy(logger.ident, sizeof(logger.ident), target + strlen("syslog:"));
		fd = connect_datagram("/dev/log");
	} else {
		logger.target = TARGET_FILE;
		if (str_starts(target, "file:"))
			target += strlen("file:");
		fd = open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
		fd = fd < 0 ? -errno : fd;
	}
	if (fd < 0) {
		logger.target = TARGET_NONE;
		return err_sys(e, -fd, target, "open the log");
	}
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

struct line {
	char text[LINE_MAX_BYTES];
	size_t n;
};

static void line_add(struct line *l, const char *s, size_t n)
{
	if (n > sizeof(l->text) - 2 - l->n)
		n = sizeof(l->text) - 2 - l->n;
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

static void line_puts(struct line *l, const char *s)
{
	line_add(l, s, strlen(s));
}

static void line_json_string(struct line *l, const char *s)
{
	line_puts(l, "\"");
	for (; *s; s++) {
		char escaped[8];

		if (*s == '"' || *s == '\\')
			snprintf(escaped, sizeof(escaped), "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			snprintf(escaped, sizeof(escaped), "\\u%04x", *s);
		else
			snprintf(escaped, sizeof(escaped), "%c", *s);
		line_puts(l, escaped);
	}
	line_puts(l, "\"");
}

static void line_json_pair(struct line *l, const char *key, const char *value)
{
	line_puts(l, l->n > 1 ? "," : "");
	line_json_string(l, key);
	line_puts(l, ":");
	line_json_string(l, value);
}

static void rfc3339_now(char *buf, size_t size)
{
	struct timespec ts;
	struct tm tm;
	char date[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, size, "%s.%06ldZ", date, ts.tv_nsec / 1000);
}

static void json_line(struct line *l, enum log_level level, const char *text, const struct err *e)
{
	char now[64];

	rfc3339_now(now, sizeof(now));
	line_puts(l, "{");
	line_json_pair(l, "level", level_names[level]);
	line_json_pair(l, "msg", text);
	line_json_pair(l, "time", now);
	if (e) {
		if (e->id[0])
			line_json_pair(l, "code", e->id);
		if (e->step[0])
			line_json_pair(l, "step", e->step);
		if (e->subject[0])
			line_json_pair(l, "object", e->subject);
		line_json_pair(l, "errno", errno_name(e->code));
	}
	line_puts(l, "}\n");
}

static void text_line(struct line *l, enum log_level level, const char *text)
{
	char now[64];

	rfc3339_now(now, sizeof(now));
	line_puts(l, now);
	line_puts(l, " ");
	line_puts(l, level_names[level]);
	line_puts(l, ": ");
	line_puts(l, text);
	line_puts(l, "\n");
}

/* One write a line, so that several processes may share a file; nothing waits for a reader. */
static void emit(int fd, const char *text, size_t n)
{
	ssize_t r;

	do
		r = write(fd, text, n);
	while (r < 0 && errno == EINTR);
}

static void target_write(enum log_level level, const char *text, const struct err *e)
{
	struct line l = { .n = 0 };
	char head[128];

	switch (logger.target) {
	case TARGET_NONE:
		return;
	case TARGET_FILE:
		if (logger.format == LOG_JSON)
			json_line(&l, level, text, e);
		else
			text_line(&l, level, text);
		break;
	case TARGET_JOURNAL:
		snprintf(head, sizeof(head),
			 "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=", level_priorities[level],
			 logger.ident);
		line_puts(&l, head);
		line_puts(&l, text);
		line_puts(&l, "\n");
		break;
	case TARGET_SYSLOG:
		/* facility daemon */
		snprintf(head, sizeof(head), "<%d>%s[%d]: ", 3 << 3 | level_priorities[level],
			 logger.ident, (int)getpid());
		line_puts(&l, head);
		line_puts(&l, text);
		break;
	}
	emit(logger.fd, l.text, l.n);
}

static void stderr_write(const char *text)
{
	struct line l = { .n = 0 };

	line_puts(&l, PROGRAM ": ");
	line_puts(&l, text);
	line_puts(&l, "\n");
	emit(STDERR_FILENO, l.text, l.n);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if ((unsigned)level > LOG_LEVEL_DEBUG || !log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_escape_control(text);
	if (logger.sink) {
		logger.sink(logger.sink_arg, level, text);
		return;
	}
	target_write(level, text, NULL);
	if (logger.target == TARGET_NONE)
		stderr_write(text);
}

void log_trace(const char *area, const char *text)
{
	char line[600];

	snprintf(line, sizeof(line), "trace: %s %s", area, text);
	str_escape_control(line);
	if (logger.target != TARGET_NONE)
		target_write(LOG_LEVEL_DEBUG, line, NULL);
	else
		stderr_write(line);
}

void log_error(const struct err *e)
{
	char text[sizeof(e->text)];

	str_copy(text, sizeof(text), e->text[0] ? e->text : "unknown error");
	str_escape_control(text);
	target_write(LOG_LEVEL_ERROR, text, e);
	stderr_write(text);
}
