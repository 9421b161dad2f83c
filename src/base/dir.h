/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dir - a directory is a descriptor; its name is for messages only
 *
 * Paths are (directory, relative name). Functions that read /proc, /sys or a
 * cgroup take a struct dir, so a folder of fixtures can stand in for them.
 */
#ifndef CLEAT_BASE_DIR_H
#define CLEAT_BASE_DIR_H

#include <sys/types.h>

#include "base/err.h"
#include "base/fd.h"

struct dir {
	int fd;		  /* O_PATH or O_DIRECTORY descriptor, owned; -1: empty */
	const char *name; /* for messages; not owned */
};

#define DIR_NONE ((struct dir){ .fd = -1 })
void dir_close(struct dir *d);

/* "<directory>/<name>" for a message, in @buf; returns @buf. */
#define DIR_TEXT_SIZE 512
const char *dir_entry_text(const struct dir *d, const char *name, char buf[DIR_TEXT_SIZE]);
#define auto_dir AUTO(dir_close) struct dir

/* Open a host path as a directory (O_PATH). @name is kept, not copied. Returns 0 or -errno. */
int dir_open(const char *path, struct dir *ret, struct err *e);

/* Open @rel below @parent with openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | NO_SYMLINKS). */
int dir_open_below(const struct dir *parent, const char *rel, struct dir *ret, struct err *e);

/*
 * Remove what is in @d, one level only (files, sockets); sub-directories are removed when
 * empty. One that was removed itself is empty.
 */
int dir_empty_flat(const struct dir *d, struct err *e);

/*
 * Remove what is in @d, whatever somebody hostile has put there: no link is followed, no
 * mount crossed, and neither depth nor number take more than two descriptors and the time.
 * -ETIMEDOUT: the next call goes on.
 */
int dir_empty_deep(const struct dir *d, unsigned timeout_ms, struct err *e);

/*
 * Call @fn for each entry but . and .. with its DT_* type; a non-zero result ends the
 * walk and is returned. @fn may remove the entry that it is called for.
 */
int dir_each(const struct dir *d, int (*fn)(const char *name, unsigned char type, void *arg),
	     void *arg, struct err *e);

#endif
