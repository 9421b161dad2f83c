/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/trace.h"

#define ERRNO_MAX 4095

/*
 * Names and texts of our own: callers match the lower-case words, and strerror(3)
 * would bring the locale in.
 */
static const struct errno_row {
	int code;
	const char *name, *text;
} errno_rows[] = {
	{ EPERM, "EPERM", "operation not permitted" },
	{ ENOENT, "ENOENT", "no such file or directory" },
	{ ESRCH, "ESRCH", "no such process" },
	{ EINTR, "EINTR", "interrupted system call" },
	{ EIO, "EIO", "input/output error" },
	{ ENXIO, "ENXIO", "no such device or address" },
	{ E2BIG, "E2BIG", "argument list too long" },
	{ ENOEXEC, "ENOEXEC", "exec format error" },
	{ EBADF, "EBADF", "bad file descriptor" },
	{ ECHILD, "ECHILD", "no child processes" },
	{ EAGAIN, "EAGAIN", "resource temporarily unavailable" },
	{ ENOMEM, "ENOMEM", "cannot allocate memory" },
	{ EACCES, "EACCES", "permission denied" },
	{ EFAULT, "EFAULT", "bad address" },
	{ ENOTBLK, "ENOTBLK", "block device required" },
	{ EBUSY, "EBUSY", "device or resource busy" },
	{ EEXIST, "EEXIST", "file exists" },
	{ EXDEV, "EXDEV", "invalid cross-device link" },
	{ ENODEV, "ENODEV", "no such device" },
	{ ENOTDIR, "ENOTDIR", "not a directory" },
	{ EISDIR, "EISDIR", "is a directory" },
	{ EINVAL, "EINVAL", "invalid argument" },
	{ ENFILE, "ENFILE", "too many open files in system" },
	{ EMFILE, "EMFILE", "too many open files" },
	{ ENOTTY, "ENOTTY", "inappropriate ioctl for device" },
	{ ETXTBSY, "ETXTBSY", "text file busy" },
	{ EFBIG, "EFBIG", "file too large" },
	{ ENOSPC, "ENOSPC", "no space left on device" },
	{ ESPIPE, "ESPIPE", "illegal seek" },
	{ EROFS, "EROFS", "read-only file system" },
	{ EMLINK, "EMLINK", "too many links" },
	{ EPIPE, "EPIPE", "broken pipe" },
	{ EDOM, "EDOM", "numerical argument out of domain" },
	{ ERANGE, "ERANGE", "numerical result out of range" },
	{ EDEADLK, "EDEADLK", "resource deadlock avoided" },
	{ ENAMETOOLONG, "ENAMETOOLONG", "file name too long" },
	{ ENOLCK, "ENOLCK", "no locks available" },
	{ ENOSYS, "ENOSYS", "function not implemented" },
	{ ENOTEMPTY, "ENOTEMPTY", "directory not empty" },
	{ ELOOP, "ELOOP", "too many levels of symbolic links" },
	{ ENODATA, "ENODATA", "no data available" },
	{ ETIME, "ETIME", "timer expired" },
	{ EPROTO, "EPROTO", "protocol error" },
	{ EBADMSG, "EBADMSG", "bad message" },
	{ EOVERFLOW, "EOVERFLOW", "value too large for defined data type" },
	{ EILSEQ, "EILSEQ", "invalid or incomplete multibyte or wide character" },
	{ EUSERS, "EUSERS", "too many users" },
	{ ENOTSOCK, "ENOTSOCK", "socket operation on non-socket" },
	{ EMSGSIZE, "EMSGSIZE", "message too long" },
	{ EPROTONOSUPPORT, "EPROTONOSUPPORT", "protocol not supported" },
	{ EOPNOTSUPP, "EOPNOTSUPP", "operation not supported" },
	{ EAFNOSUPPORT, "EAFNOSUPPORT", "address family not supported by protocol" },
	{ EADDRINUSE, "EADDRINUSE", "address already in use" },
	{ ENETDOWN, "ENETDOWN", "network is down" },
	{ ECONNABORTED, "ECONNABORTED", "software caused connection abort" },
	{ ECONNRESET, "ECONNRESET", "connection reset by peer" },
	{ ENOBUFS, "ENOBUFS", "no buffer space available" },
	{ ENOTCONN, "ENOTCONN", "transport endpoint is not connected" },
	{ ETIMEDOUT, "ETIMEDOUT", "connection timed out" },
	{ ECONNREFUSED, "ECONNREFUSED", "connection refused" },
	{ EALREADY, "EALREADY", "operation already in progress" },
	{ ESTALE, "ESTALE", "stale file handle" },
	{ EDQUOT, "EDQUOT", "disk quota exceeded" },
	{ ECANCELED, "ECANCELED", "operation canceled" },
	{ ENOKEY, "ENOKEY", "required key not available" },
	{ EKEYEXPIRED, "EKEYEXPIRED", "key has expired" },
	{ EKEYREVOKED, "EKEYREVOKED", "key has been revoked" },
};

static const struct errno_row *errno_row(int code)
{
	for (size_t i = 0; i < COUNT(errno_rows); i++)
		if (errno_rows[i].code == code)
			return &errno_rows[i];
	return NULL;
}

const char *errno_text(int code)
{
	const struct errno_row *row = errno_row(code);

	return row ? row->text : "unknown error";
}

const char *errno_name(int code)
{
	const struct errno_row *row = errno_row(code);

	if (code == 0)
		return "0";
	return row ? row->name : "E?";
}

int errno_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT(errno_rows); i++)
		if (str_eq(errno_rows[i].name, name))
			return errno_rows[i].code;
	return -EINVAL;
}

static void err_fill(struct err *e, int code, const char *subject)
{
	e->code = code;
	e->step[0] = '\0';
	e->id[0] = '\0';
	str_shorten(e->subject, sizeof(e->subject), subject ? subject : "");
}

int err_sys(struct err *e, int code, const char *subject, const char *fmt, ...)
{
	char action[sizeof(e->text)];
	va_list ap;

	if (!e)
		return -code;
	va_start(ap, fmt);
	vsnprintf(action, sizeof(action), fmt, ap);
	va_end(ap);
	err_fill(e, code, subject);
	if (subject)
		snprintf(e->text, sizeof(e->text), "%s '%s': %s", action, e->subject,
			 errno_text(code));
	else
		snprintf(e->text, sizeof(e->text), "%s: %s", action, errno_text(code));
	return -code;
}

static int err_verbatim(struct err *e, int code, const char *subject, const char *fmt, va_list ap)
{
	char text[sizeof(e->text)];

	if (!e)
		return -code;
	vsnprintf(text, sizeof(text), fmt, ap);
	err_fill(e, code, subject);
	str_copy(e->text, sizeof(e->text), text);
	return -code;
}

int err_user(struct err *e, const char *subject, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = err_verbatim(e, EINVAL, subject, fmt, ap);
	va_end(ap);
	return r;
}

int err_code(struct err *e, int code, const char *subject, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = err_verbatim(e, code, subject, fmt, ap);
	va_end(ap);
	return r;
}

int err_note(struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;
	int n;

	if (!e)
		return -EINVAL;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, ": %s", e->text);
	str_copy(e->text, sizeof(e->text), text);
	return -e->code;
}

int err_set_id(struct err *e, const char *id)
{
	if (!e)
		return -EINVAL;
	if (!e->id[0])
		str_copy(e->id, sizeof(e->id), id);
	return -e->code;
}

void err_ignore(struct err *e, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	trace(IGNORE, "%s (%s)", e->text, why);
	err_clear(e);
}

void err_clear(struct err *e)
{
	e->code = 0;
	e->step[0] = e->id[0] = e->subject[0] = e->text[0] = '\0';
}

int err_sanitize(struct err *e)
{
	if (e->code <= 0 || e->code > ERRNO_MAX)
		return -EPROTO;
	e->step[sizeof(e->step) - 1] = '\0';
	e->id[sizeof(e->id) - 1] = '\0';
	e->subject[sizeof(e->subject) - 1] = '\0';
	e->text[sizeof(e->text) - 1] = '\0';
	str_escape_control(e->step);
	str_escape_control(e->id);
	str_escape_control(e->subject);
	str_escape_control(e->text);
	return 0;
}
