/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain - why a program could not be executed
 *
 * execve(2) says "no such file or directory" of a file that is there, and means the
 * loader that the file names, or the interpreter of a script, or the loader of that. The
 * same chain is followed here: the way to the file, the file's permissions, what is in
 * it, and then the next file that it names. The first fault on the way is the answer,
 * if it is one for the errno that the kernel gave; else nothing is said.
 */
#include <fcntl.h>

#include "base/fd.h"
#include "base/str.h"
#include "proc/explain.h"
#include "sys/sys.h"

/* linux/binfmts.h: so much of a script is looked at, so many interpreters one after another */
#define SCRIPT_HEAD 256
#define SCRIPTS_MAX 5

struct look {
	struct arena *arena;
	const char *path;    /* of the file that we are at */
	const char *subject; /* what it is to the program: "its interpreter '/bin/sh'" */
	bool is_loader;
	const char *arch; /* a loader: for what machine it should be */
	unsigned depth;
	int code;	   /* what execve said */
	const char *fault; /* verb phrase, follows the subject */
	const char *id;
};

static bool found(struct look *l, const char *id, const char *fault)
{
	l->id = id;
	l->fault = fault;
	return true;
}

static bool explain_file(struct look *l);

/* Go on with the file that this one names. */
static bool explain_next(struct look *l, const char *role, const char *path, const char *note)
{
	l->subject = l->depth ? arena_printf(l->arena, "the %s '%s'%s of %s", role, path, note,
					     l->subject)
			      : arena_printf(l->arena, "its %s '%s'%s", role, path, note);
	l->path = path;
	l->depth++;
	return explain_file(l);
}

/* --- scripts ---------------------------------------------------------------------------------- */

static bool interpreter_missing(struct look *l, const char *name)
{
	const char *real;
	bool denied;

	if (str_ends(name, "\r") && explain_path(l->arena, name, &real, &denied))
		return found(
			l, "exec-carriage-return",
			arena_printf(l->arena,
				     "begins with '#!%.*s' and a carriage return, the line end "
				     "of Windows",
				     (int)strlen(name) - 1, name));
	return explain_next(l, "interpreter", name, "");
}

/* @head: what follows "#!", terminated. */
static bool explain_script(struct look *l, const char *head, bool cut)
{
	const char *name = head + strspn(head, " \t");
	size_t n = strcspn(name, " \t\n");

	if (l->depth >= SCRIPTS_MAX)
		return found(l, "exec-scripts",
			     arena_printf(l->arena,
					  "is one more script: %d of them may follow "
					  "each other",
					  SCRIPTS_MAX));
	if (n == 0)
		return found(l, "exec-format", "names no interpreter after '#!'");
	if (!name[n] && cut)
		return found(l, "exec-format",
			     arena_printf(l->arena, "has a first line of more than %d bytes",
					  SCRIPT_HEAD));
	return interpreter_missing(l, arena_strndup(l->arena, name, n));
}

/* --- binaries --------------------------------------------------------------------------------- */

static bool foreign(struct look *l, const struct explain_elf *elf)
{
	if (l->code == ENOENT)
		return found(
			l, "exec-emulator",
			arena_printf(l->arena,
				     "is built for %s, this host is %s, and the emulator that "
				     "binfmt_misc names for it does not exist in the container "
				     "(an entry with the flag F would bring its own)",
				     elf->arch, elf->host));
	return found(l, "exec-architecture",
		     arena_printf(l->arena,
				  "is built for %s, this host is %s, and no entry of binfmt_misc "
				  "runs it",
				  elf->arch, elf->host));
}

static bool explain_loader_file(struct look *l, const struct explain_elf *elf)
{
	if (elf->runs && str_eq(elf->arch, l->arch))
		return false;
	return found(l, "exec-loader",
		     elf->runs
			     ? arena_printf(l->arena, "is built for %s, not %s", elf->arch, l->arch)
			     : "is not a program");
}

static bool explain_elf(struct look *l, int fd)
{
	struct explain_elf elf;
	const char *libc;

	if (explain_elf_read(l->arena, fd, &elf) < 0)
		return found(l, "exec-format", "is cut off: its ELF header is not whole");
	if (l->is_loader)
		return explain_loader_file(l, &elf);
	if (!elf.runs)
		return found(l, "exec-format", "is an ELF file, but not a program");
	if (elf.foreign && (!elf.cousin || l->code != ENOENT))
		return foreign(l, &elf);
	if (!elf.loader)
		return false;
	libc = explain_libc_of(elf.loader);
	l->is_loader = true;
	l->arch = elf.arch;
	return explain_next(l, "loader", elf.loader,
			    libc ? arena_printf(l->arena, " (%s)", libc) : "");
}

/* --- anything else ---------------------------------------------------------------------------- */

static const struct {
	const char *magic;
	size_t len;
	const char *what;
} others[] = {
	{ "MZ", 2, "is a program for Windows" },
	{ "\xcf\xfa\xed\xfe", 4, "is a program for macOS" },
	{ "\xca\xfe\xba\xbe", 4, "is a program for macOS or a Java class" },
	{ "\xef\xbb\xbf#!", 5, "has a byte order mark before '#!'" },
	{ "\xff\xfe#", 3, "is a script in UTF-16" },
	{ "\x1f\x8b", 2, "is compressed" },
};

static const char *other_content(const char *head, size_t n)
{
	if (n == 0)
		return "is empty";
	for (size_t i = 0; i < COUNT(others); i++)
		if (n >= others[i].len && memcmp(head, others[i].magic, others[i].len) == 0)
			return others[i].what;
	return "is neither an ELF program nor a script that begins with '#!'";
}

static bool explain_content(struct look *l, int fd)
{
	char head[SCRIPT_HEAD + 1] = { 0 };
	ssize_t n = sys_pread(fd, head, SCRIPT_HEAD, 0);

	if (n < 0)
		return false;
	if (n >= 4 && memcmp(head,
			     "\x7f"
			     "ELF",
			     4) == 0)
		return explain_elf(l, fd);
	if (l->is_loader)
		return found(l, "exec-loader", "is not a program");
	if (str_starts(head, "#!"))
		return explain_script(l, head + 2, n == SCRIPT_HEAD);
	return found(l, "exec-format", other_content(head, (size_t)n));
}

/* --- one file --------------------------------------------------------------------------------- */

static bool explain_file(struct look *l)
{
	auto_fd handle = -1, fd = -1;
	bool denied;
	const char *real, *fault = explain_path(l->arena, l->path, &real, &denied);

	if (fault)
		return found(l, denied ? "exec-denied" : "exec-not-found", fault);
	handle = sys_openat2(AT_FDCWD, l->path, O_PATH, 0, RESOLVE_NO_MAGICLINKS);
	if (handle < 0)
		return false;
	fault = explain_access(l->arena, real, handle);
	if (fault)
		return found(l, "exec-denied", fault);
	/* one who may execute need not be allowed to read */
	fd = sys_openat2(AT_FDCWD, l->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
			 RESOLVE_NO_MAGICLINKS);
	return fd >= 0 && explain_content(l, fd);
}

/* Is this the answer to what the kernel said? */
static bool answers(const struct look *l)
{
	bool denied = str_eq(l->id, "exec-denied");

	switch (l->code) {
	case EACCES:
		return denied;
	case ENOENT:
	case ENOTDIR:
		return !denied && !str_eq(l->id, "exec-format");
	case ENOEXEC:
		return str_eq(l->id, "exec-format") || str_eq(l->id, "exec-architecture");
	case ELIBBAD:
	case EIO:
		return str_eq(l->id, "exec-loader");
	case ELOOP:
		return !denied;
	default:
		return false;
	}
}

const char *proc_explain_exec(struct arena *a, const char *path, int code, const char **ret_id)
{
	struct look l = { .arena = a, .path = path, .subject = "the file", .code = code };

	if (!explain_file(&l) || !answers(&l) || (!l.depth && l.fault == explain_missing))
		return NULL;
	*ret_id = l.id;
	return arena_printf(a, "%s %s", l.subject, l.fault);
}
