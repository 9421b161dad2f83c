/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain - inside the room: why a program cannot be executed
 *
 * Only asked after a failure, as the user who met it and from where it was met: nothing
 * here costs a start that works, and nothing can be learnt that the user may not see.
 */
#ifndef CLEAT_PROC_EXPLAIN_H
#define CLEAT_PROC_EXPLAIN_H

#include "proc/proc.h"

/* --- explain_path.c: where does a name lead, link by link? ------------------------------------ */

/*
 * explain_path() - the fault on the way to @path, as a verb phrase
 *
 * "does not exist in the container", "is a link to 'busybox', and '/bin/busybox' does not
 * exist", "lies in '/root' (mode 0700, owner 0:0), which user 1000:1000 may not search".
 * NULL: the way is free, and *ret_real is where it ends, without links. *ret_denied: the
 * fault is one of permission.
 */
extern const char explain_missing[]; /* the first of these: there is nothing to tell */
const char *explain_path(struct arena *a, const char *path, const char **ret_real,
			 bool *ret_denied);

/* Why a file that exists may not be executed, likewise; NULL: it may, or nothing is known. */
const char *explain_access(struct arena *a, const char *real, int fd);

/* Both, of a file that a search has found and passed over; NULL: it may be executed. */
const char *explain_passed_over(struct arena *a, const char *path);

/* --- explain_elf.c: what is in a binary? ------------------------------------------------------ */

struct explain_elf {
	bool foreign;	    /* made for a machine that is not ours */
	bool cousin;	    /* ... or for one whose programs our kernel may run: i386 on x86_64 */
	bool runs;	    /* an executable or a shared object, not an object file or a core */
	const char *arch;   /* "aarch64" */
	const char *host;   /* our own */
	const char *loader; /* PT_INTERP; NULL: none, or not to be found */
};

/* Read the header and the loader's name. Returns 0 or -ENOEXEC: broken. */
int explain_elf_read(struct arena *a, int fd, struct explain_elf *ret);
/* "glibc", "musl" ... whose loader has that name; NULL: not known */
const char *explain_libc_of(const char *loader);

#endif
