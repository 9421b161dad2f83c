/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/trace.h"

#define ERRNO_MAX 4095 /* the kernel's own bound: MAX_ERRNO */

/*
 * Names and texts of our own: callers match the lower-case words, and strerror(3)
 * would bring the locale in. The strings lie in the rows, so that a static-pie
 * binary need not relocate (and thereby copy) the table at every start.
 */
static const struct errno_row {
	short code;
	char name[16], text[50];
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
	{ ENOMSG, "ENOMSG", "no message of desired type" },
	{ EIDRM, "EIDRM", "identifier removed" },
	{ ECHRNG, "ECHRNG", "channel number out of range" },
	{ EL2NSYNC, "EL2NSYNC", "level 2 not synchronized" },
	{ EL3HLT, "EL3HLT", "level 3 halted" },
	{ EL3RST, "EL3RST", "level 3 reset" },
	{ ELNRNG, "ELNRNG", "link number out of range" },
	{ EUNATCH, "EUNATCH", "protocol driver not attached" },
	{ ENOCSI, "ENOCSI", "no CSI structure available" },
	{ EL2HLT, "EL2HLT", "level 2 halted" },
	{ EBADE, "EBADE", "invalid exchange" },
	{ EBADR, "EBADR", "invalid request descriptor" },
	{ EXFULL, "EXFULL", "exchange full" },
	{ ENOANO, "ENOANO", "no anode" },
	{ EBADRQC, "EBADRQC", "invalid request code" },
	{ EBADSLT, "EBADSLT", "invalid slot" },
	{ EBFONT, "EBFONT", "bad font file format" },
	{ ENOSTR, "ENOSTR", "device not a stream" },
	{ ENODATA, "ENODATA", "no data available" },
	{ ETIME, "ETIME", "timer expired" },
	{ ENOSR, "ENOSR", "out of streams resources" },
	{ ENONET, "ENONET", "machine is not on the network" },
	{ ENOPKG, "ENOPKG", "package not installed" },
	{ EREMOTE, "EREMOTE", "object is remote" },
	{ ENOLINK, "ENOLINK", "link has been severed" },
	{ EADV, "EADV", "advertise error" },
	{ ESRMNT, "ESRMNT", "srmount error" },
	{ ECOMM, "ECOMM", "communication error on send" },
	{ EPROTO, "EPROTO", "protocol error" },
	{ EMULTIHOP, "EMULTIHOP", "multihop attempted" },
	{ EDOTDOT, "EDOTDOT", "RFS specific error" },
	{ EBADMSG, "EBADMSG", "bad message" },
	{ EOVERFLOW, "EOVERFLOW", "value too large for defined data type" },
	{ ENOTUNIQ, "ENOTUNIQ", "name not unique on network" },
	{ EBADFD, "EBADFD", "file descriptor in bad state" },
	{ EREMCHG, "EREMCHG", "remote address changed" },
	{ ELIBACC, "ELIBACC", "can not access a needed shared library" },
	{ ELIBBAD, "ELIBBAD", "accessing a corrupted shared library" },
	{ ELIBSCN, "ELIBSCN", ".lib section in a.out corrupted" },
	{ ELIBMAX, "ELIBMAX", "attempting to link in too many shared libraries" },
	{ ELIBEXEC, "ELIBEXEC", "cannot exec a shared library directly" },
	{ EILSEQ, "EILSEQ", "invalid or incomplete multibyte or wide character" },
	{ ERESTART, "ERESTART", "interrupted system call should be restarted" },
	{ ESTRPIPE, "ESTRPIPE", "streams pipe error" },
	{ EUSERS, "EUSERS", "too many users" },
	{ ENOTSOCK, "ENOTSOCK", "socket operation on non-socket" },
	{ EDESTADDRREQ, "EDESTADDRREQ", "destination address required" },
	{ EMSGSIZE, "EMSGSIZE", "message too long" },
	{ EPROTOTYPE, "EPROTOTYPE", "protocol wrong type for socket" },
	{ ENOPROTOOPT, "ENOPROTOOPT", "protocol not available" },
	{ EPROTONOSUPPORT, "EPROTONOSUPPORT", "protocol not supported" },
	{ ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT", "socket type not supported" },
	{ EOPNOTSUPP, "EOPNOTSUPP", "operation not supported" },
	{ EPFNOSUPPORT, "EPFNOSUPPORT", "protocol family not supported" },
	{ EAFNOSUPPORT, "EAFNOSUPPORT", "address family not supported by protocol" },
	{ EADDRINUSE, "EADDRINUSE", "address already in use" },
	{ EADDRNOTAVAIL, "EADDRNOTAVAIL", "cannot assign requested address" },
	{ ENETDOWN, "ENETDOWN", "network is down" },
	{ ENETUNREACH, "ENETUNREACH", "network is unreachable" },
	{ ENETRESET, "ENETRESET", "network dropped connection on reset" },
	{ ECONNABORTED, "ECONNABORTED", "software caused connection abort" },
	{ ECONNRESET, "ECONNRESET", "connection reset by peer" },
	{ ENOBUFS, "ENOBUFS", "no buffer space available" },
	{ EISCONN, "EISCONN", "transport endpoint is already connected" },
	{ ENOTCONN, "ENOTCONN", "transport endpoint is not connected" },
	{ ESHUTDOWN, "ESHUTDOWN", "cannot send after transport endpoint shutdown" },
	{ ETOOMANYREFS, "ETOOMANYREFS", "too many references: cannot splice" },
	{ ETIMEDOUT, "ETIMEDOUT", "connection timed out" },
	{ ECONNREFUSED, "ECONNREFUSED", "connection refused" },
	{ EHOSTDOWN, "EHOSTDOWN", "host is down" },
	{ EHOSTUNREACH, "EHOSTUNREACH", "no route to host" },
	{ EALREADY, "EALREADY", "operation already in progress" },
	{ EINPROGRESS, "EINPROGRESS", "operation now in progress" },
	{ ESTALE, "ESTALE", "stale file handle" },
	{ EUCLEAN, "EUCLEAN", "structure needs cleaning" },
	{ ENOTNAM, "ENOTNAM", "not a XENIX named type file" },
	{ ENAVAIL, "ENAVAIL", "no XENIX semaphores available" },
	{ EISNAM, "EISNAM", "is a named type file" },
	{ EREMOTEIO, "EREMOTEIO", "remote I/O error" },
	{ EDQUOT, "EDQUOT", "disk quota exceeded" },
	{ ENOMEDIUM, "ENOMEDIUM", "no medium found" },
	{ EMEDIUMTYPE, "EMEDIUMTYPE", "wrong medium type" },
	{ ECANCELED, "ECANCELED", "operation canceled" },
	{ ENOKEY, "ENOKEY", "required key not available" },
	{ EKEYEXPIRED, "EKEYEXPIRED", "key has expired" },
	{ EKEYREVOKED, "EKEYREVOKED", "key has been revoked" },
	{ EKEYREJECTED, "EKEYREJECTED", "key was rejected by service" },
	{ EOWNERDEAD, "EOWNERDEAD", "owner died" },
	{ ENOTRECOVERABLE, "ENOTRECOVERABLE", "state not recoverable" },
	{ ERFKILL, "ERFKILL", "operation not possible due to RF-kill" },
	{ EHWPOISON, "EHWPOISON", "memory page has hardware error" },
#ifdef EFTYPE /* only newer headers have it */
	{ EFTYPE, "EFTYPE", "inappropriate file type or format" },
#endif
	/* second names; the first row of a number is what it is called */
	{ EWOULDBLOCK, "EWOULDBLOCK", "" },
	{ EDEADLOCK, "EDEADLOCK", "" },
	{ ENOTSUP, "ENOTSUP", "" },
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

/*
 * A caller that passes a result (-ENOENT) for an error number (ENOENT), or 0, must
 * not thereby turn a failure into what reads as success.
 */
static int positive(int code)
{
	if (code == 0)
		return EIO;
	return code < 0 ? -code : code;
}

/*
 * vsnprintf() that leaves "..." in the middle of what does not fit: what failed stands in
 * front, why at the end, and names as long as a user likes between them.
 */
static void format(char *buf, size_t size, const char *fmt, va_list ap)
{
	char *whole;

	if (vasprintf(&whole, fmt, ap) < 0) {
		str_copy(buf, size, fmt);
		return;
	}
	str_shorten(buf, size, whole);
	free(whole);
}

/* The arguments may lie in @e itself, so it is written last. */
static void fill(struct err *e, int code, const char *subject, const char *text)
{
	struct err new = { .code = code };

	str_shorten(new.subject, sizeof(new.subject), subject ? subject : "");
	str_shorten(new.text, sizeof(new.text), text);
	*e = new;
}

int err_sys(struct err *e, int code, const char *subject, const char *fmt, ...)
{
	char action[sizeof(e->text)], object[sizeof(e->subject)], number[24];
	char text[sizeof(action) + sizeof(object) + 64];
	const char *reason;
	va_list ap;

	code = positive(code);
	if (!e)
		return -code;
	va_start(ap, fmt);
	format(action, sizeof(action), fmt, ap);
	va_end(ap);
	snprintf(number, sizeof(number), "error number %d", code);
	reason = errno_row(code) ? errno_text(code) : number;
	if (subject) {
		str_shorten(object, sizeof(object), subject);
		snprintf(text, sizeof(text), "%s '%s': %s", action, object, reason);
	} else {
		snprintf(text, sizeof(text), "%s: %s", action, reason);
	}
	fill(e, code, subject, text);
	return -code;
}

static int fill_verbatim(struct err *e, int code, const char *subject, const char *fmt, va_list ap)
{
	char text[sizeof(e->text)];

	code = positive(code);
	if (!e)
		return -code;
	format(text, sizeof(text), fmt, ap);
	fill(e, code, subject, text);
	return -code;
}

int err_user(struct err *e, const char *subject, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fill_verbatim(e, EINVAL, subject, fmt, ap);
	va_end(ap);
	return r;
}

int err_code(struct err *e, int code, const char *subject, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fill_verbatim(e, code, subject, fmt, ap);
	va_end(ap);
	return r;
}

int err_note(struct err *e, const char *fmt, ...)
{
	char context[sizeof(e->text)], text[2 * sizeof(e->text) + 2];
	va_list ap;

	if (!e)
		return -EIO;
	va_start(ap, fmt);
	format(context, sizeof(context), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%s: %s", context, e->text);
	str_shorten(e->text, sizeof(e->text), text);
	e->code = positive(e->code);
	return -e->code;
}

int err_set_id(struct err *e, const char *id)
{
	if (!e)
		return -EIO;
	if (!e->id[0])
		str_copy(e->id, sizeof(e->id), id);
	e->code = positive(e->code);
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
	if (!e->text[0])
		return -EPROTO;
	str_escape_control(e->step);
	str_escape_control(e->id);
	str_escape_control(e->subject);
	str_escape_control(e->text);
	return 0;
}
