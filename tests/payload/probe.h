/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - the program inside a test container
 *
 * Static, nothing but libc, so that it runs in an empty root filesystem. Without
 * arguments it prints what it sees as one JSON object; with arguments it does one
 * thing and prints what came of it. Commands are rows of a table in probe.c; a
 * single "," between two of them runs one after the other.
 */
#ifndef CLEAT_TESTS_PROBE_H
#define CLEAT_TESTS_PROBE_H

#include <stddef.h>
#include <stdint.h>

/* --- JSON, written to standard output as it comes --------------------------------------- */
/* A @key of NULL: an element of an array. Commas take care of themselves. */
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_int(const char *key, int64_t value);
void json_uint(const char *key, uint64_t value);
void json_string(const char *key, const char *value); /* NULL becomes null */
void json_null(const char *key);
/* 0: the value; otherwise the name of the error ("EPERM"). */
void json_errno(const char *key, int code);
/* The whole of a small file without its last newline; null when it cannot be read. */
void json_file(const char *key, const char *path);
void json_link(const char *key, const char *path);
/* A line break after the outermost object, and out with it. */
void json_end(void);

/* Type of a file as in ls: '-', 'd', 'c', 'b', 'l', 'p', 's'. */
const char *file_type(unsigned mode);
/* Read at most @size - 1 bytes and terminate them; -1 with errno. */
int file_read(const char *path, char *buf, size_t size);

/* --- commands: each returns the exit status ------------------------------------------------ */
int probe_report(int argc, char **argv);

int probe_file(int argc, char **argv);
int probe_read(int argc, char **argv);
int probe_write(int argc, char **argv);
int probe_environment(int argc, char **argv);
int probe_list(int argc, char **argv);
int probe_open_dev(int argc, char **argv);
int probe_syscall(int argc, char **argv);
int probe_alloc(int argc, char **argv);
int probe_fork(int argc, char **argv);

int probe_exit(int argc, char **argv);
int probe_kill(int argc, char **argv);
int probe_sleep(int argc, char **argv);
int probe_children(int argc, char **argv);
int probe_leaderless(int argc, char **argv);
int probe_ignore_term(int argc, char **argv);
int probe_notify(int argc, char **argv);
int probe_echo(int argc, char **argv);
int probe_save(int argc, char **argv);
int probe_say(int argc, char **argv);
int probe_winsize(int argc, char **argv);
int probe_intrude(int argc, char **argv);

#endif
