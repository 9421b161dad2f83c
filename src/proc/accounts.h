/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts - inside the room: the passwd and group files of a container
 *
 * The files are the image's: they are read only when they are regular, without waiting, up
 * to a size; a line that is too long or has too few fields is passed over.
 */
#ifndef CLEAT_PROC_ACCOUNTS_H
#define CLEAT_PROC_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#define ACCOUNTS_LINE_MAX 4096
#define ACCOUNTS_FIELDS	  7 /* of the longest line that has a meaning */

/* passwd(5), group(5): where the fields are, and how many must be there */
enum { PASSWD_NAME, PASSWD_UID = 2, PASSWD_GID, PASSWD_HOME = 5, PASSWD_FIELDS };
enum { GROUP_NAME, GROUP_GID = 2, GROUP_MEMBERS, GROUP_FIELDS };

struct accounts_reader {
	int fd; /* -1: there is nothing to read */
	size_t total;
	char buf[ACCOUNTS_LINE_MAX];
	size_t start, end;
	bool skipping; /* in a line that is too long */
};

/* @path below @root; AT_FDCWD: we are in it already. A file that cannot be read is empty. */
void accounts_open(struct accounts_reader *r, int root, const char *path);
/* The next line with at least @n fields; they hold until the next call. False: the end. */
bool accounts_next(struct accounts_reader *r, char *fields[ACCOUNTS_FIELDS], size_t n);
void accounts_close(struct accounts_reader *r);

#endif
