/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - what callers and people are told
 *
 * Errors are printed by main alone, once: on stderr as text and, when --log names
 * a target, there as well in the wanted format (JSON: level, msg, time, and for
 * errors step, object, errno, code). Warnings and debug lines go to the log
 * target only when the level asks for them; the default level is error. Each line
 * is one write(2), so several processes may share a file. In a child process the
 * sink is the channel (log_set_sink), never a descriptor.
 *
 * Nothing here can fail the command: a closed stderr, a full disk or a reader that
 * does not read loses a line and no more.
 */
#ifndef CLEAT_BASE_LOG_H
#define CLEAT_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/*
 * log_open() - set the target up
 * @target: NULL (stderr, always as text), a path or file:PATH, journald:ID, syslog:ID
 *
 * A file is created (0644) and appended to at once, before anything can fail, as
 * containerd's shim requires. Returns 0 or -errno; the level holds in either case,
 * and lines then go to stderr.
 */
int log_open(const char *target, enum log_format format, enum log_level level, struct err *e);

bool log_enabled(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) ERR_PRINTF(2, 3);
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * A line whatever the level: one that a child sent up through its sink, where the same
 * level was asked for already.
 */
void log_forward(enum log_level level, const char *text);

/* The one report of a failing command: on stderr "cleat: <text>", and in the log. */
void log_error(const struct err *e);
/*
 * The same of what has to be known but is no failure of the command: in the log it is a warning,
 * whatever the level.
 */
void log_notice(const struct err *e);

/* A line of CLEAT_TRACE, whatever the level: as a debug line, "trace: <area> <text>". */
void log_trace(const char *area, const char *text);

/*
 * In children: lines go to @fn instead, errors included. Lines that @fn itself causes
 * (by tracing what it sends) are dropped.
 */
void log_set_sink(void (*fn)(void *arg, enum log_level level, const char *text), void *arg);

#endif
