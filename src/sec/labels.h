/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels - what AppArmor and SELinux have in common; private to the room
 *
 * A label that was asked for and is not applied is an error, always: a module that
 * is off, a check that cannot be made, a value that reads back as another one. Only
 * a configuration that asks for nothing goes by without a system call.
 */
#ifndef CLEAT_SEC_LABELS_H
#define CLEAT_SEC_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sec/sec.h"

/*
 * label_attr_open() - open self/attr/<name> of a procfs
 * @proc: descriptor of a procfs root that nobody else can mount upon
 *
 * Nothing is followed out of it. Returns the descriptor or -errno.
 */
int label_attr_open(int proc, const char *name, int flags);

/* Read all of an attribute into @buf, terminated, without line end and NUL. -errno. */
int label_attr_read(int fd, char *buf, size_t size);

/* --- apparmor.c --- */
int apparmor_check(const char *profile, struct err *e);
int apparmor_exec(int proc, const char *profile, struct err *e);
/* "name (mode)", as the kernel prints a label, is a label of no confinement. */
bool apparmor_is_unconfined(const char *label);
/* Is @is, as read back, what @profile asked for? */
bool apparmor_matches(const char *is, const char *profile);

/* --- selinux.c --- */
/* @ret: SEC_LABEL_MAX bytes for the form in which the kernel will print the label */
int selinux_check(const char *label, char *ret, struct err *e);
int selinux_exec(int proc, const char *label, const char *canonical, struct err *e);
int selinux_key_create(const char *label, struct err *e);

#endif
