/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err - the one error value
 *
 * Every function that can fail returns 0 (or a count) on success and -errno on
 * failure, and fills the `struct err` that the top of the call chain owns. The
 * value has a fixed size: nothing to allocate, nothing to leak, and it crosses a
 * socket as it is. The leaf names the action, the object and the error number;
 * each level that knows something new adds it with err_note(). What a user reads
 * is one line: "<notes>: <action> '<object>': <errno text>".
 */
#ifndef CLEAT_BASE_ERR_H
#define CLEAT_BASE_ERR_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct err {
	int code;	   /* errno; 0: no error so far */
	char step[32];	   /* set-up step in which it happened, filled by the step runner */
	char id[40];	   /* stable code of the kind of error ("exec-not-found"); may be empty */
	char subject[256]; /* path, field or name; shortened in the middle when too long */
	char text[1024];   /* what a user reads, outermost context first */
};

#define ERR_PRINTF(f, a) __attribute__((format(printf, f, a)))

/*
 * err_sys() - the kernel (or a library) refused something
 * @e: error to fill; NULL is fine (the caller only wants the code)
 * @code: the errno value, positive
 * @subject: the object acted on; NULL when the text names it
 * @fmt: the action, lower case, without full stop: "open", "mount tmpfs"
 *
 * Text becomes "<action> '<subject>': <errno text>". Returns -code. A negative @code is
 * taken for its absolute value and 0 for EIO: a mix-up must not read as success.
 */
int err_sys(struct err *e, int code, const char *subject, const char *fmt, ...) ERR_PRINTF(4, 5);

/*
 * err_user() - a request that makes no sense, where the kernel was not the cause
 *
 * Text is the formatted message alone; @subject is recorded for the JSON log.
 * The code is EINVAL. Returns -EINVAL.
 */
int err_user(struct err *e, const char *subject, const char *fmt, ...) ERR_PRINTF(3, 4);

/* As err_user(), with a code of the caller's choice (positive errno). Returns -code. */
int err_code(struct err *e, int code, const char *subject, const char *fmt, ...) ERR_PRINTF(4, 5);

/*
 * Put "<context>: " before the text. Returns -e->code, so that it can end a function;
 * with @e NULL nothing is known but that something failed: -EIO.
 */
int err_note(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/* Record the stable code of the kind of error; the first one stays. Returns -e->code. */
int err_set_id(struct err *e, const char *id);

/*
 * The kinds of errors and their codes. What has no code of its own gets one by its errno,
 * so every error has one; err_id() is what the log shows.
 */
struct err_kind {
	char id[24];
	char meaning[84];
};
extern const struct err_kind err_kinds[];
extern const size_t err_n_kinds;
const char *err_id(const struct err *e);

/* Ignoring is written down: traces the error with the reason and clears it. */
void err_ignore(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

void err_clear(struct err *e);

/* Bound and escape a value that another process sent. Returns 0, or -EPROTO: it is none. */
int err_sanitize(struct err *e);

/* errno as lower-case text ("no such file or directory"); never NULL, thread-safe. */
const char *errno_text(int code);

/* errno as a name ("ENOENT"); "0" for 0 and "E?" for unknown ones. */
const char *errno_name(int code);

/* The number of a name ("EPERM"), or -EINVAL. */
int errno_from_name(const char *name);

#endif
