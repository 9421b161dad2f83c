/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - the table of its commands, and the JSON that they write
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "report", probe_report, "[SECTION...]: what this process sees (the default)" },
	{ "file", probe_file, "PATH...: stat, readable, writable" },
	{ "read", probe_read, "PATH...: the contents" },
	{ "write", probe_write, "PATH TEXT: write to an existing file, or make one" },
	{ "environment", probe_environment, "PATH: write the variables there" },
	{ "list", probe_list, "DIR: its entries" },
	{ "open-dev", probe_open_dev, "PATH...: open for reading and writing" },
	{ "syscall", probe_syscall, "NAME|NUMBER [ARG...]: numbers and strings" },
	{ "alloc", probe_alloc, "MIB: allocate and touch" },
	{ "fork", probe_fork, "N: how many children can be had" },
	{ "exit", probe_exit, "N" },
	{ "kill", probe_kill, "SIGNAL: oneself" },
	{ "sleep", probe_sleep, "until a signal: exit with 128 + its number" },
	{ "children", probe_children, "N: have N children that ignore TERM, then sleep" },
	{ "leaderless", probe_leaderless, "have a child whose first thread has ended, then sleep" },
	{ "ignore-term", probe_ignore_term, "sleep, and TERM does nothing" },
	{ "notify", probe_notify, "TEXT...: a message each to $NOTIFY_SOCKET" },
	{ "echo", probe_echo, "copy standard input to standard output" },
	{ "save", probe_save, "PATH [LINE...]: copy standard input there, and add lines" },
	{ "say", probe_say, "TEXT...: a line" },
	{ "winsize", probe_winsize, "print the terminal's size, again at each change" },
	{ "intrude", probe_intrude, "[directories]: attack whoever comes in, a line a success" },
};

static int run_one(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(argv[0], commands[i].name))
			return commands[i].run(argc, argv);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(stderr, "probe %s %s\n", commands[i].name, commands[i].help);
	return 2;
}

int main(int argc, char **argv)
{
	char *report[] = { "report", NULL };
	int rc = 0;

	if (argc < 2)
		return run_one(1, report);
	for (int from = 1, to; from < argc && !rc; from = to + 1) {
		for (to = from; to < argc && strcmp(argv[to], ",") != 0; to++)
			;
		rc = to > from ? run_one(to - from, argv + from) : 2;
	}
	return rc;
}

/* --- JSON ------------------------------------------------------------------------------ */

static bool comma;

static void text(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		/* Bytes that are not ASCII stand for themselves as code points. */
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void begin(const char *key)
{
	if (comma)
		putchar(',');
	if (key) {
		text(key);
		putchar(':');
	}
	comma = true;
}

void json_open(const char *key, char bracket)
{
	begin(key);
	putchar(bracket);
	comma = false;
}

void json_close(char bracket)
{
	putchar(bracket);
	comma = true;
}

void json_end(void)
{
	comma = false;
	putchar('\n');
	fflush(stdout);
}

void json_int(const char *key, int64_t value)
{
	begin(key);
	printf("%lld", (long long)value);
}

void json_uint(const char *key, uint64_t value)
{
	begin(key);
	printf("%llu", (unsigned long long)value);
}

void json_null(const char *key)
{
	begin(key);
	printf("null");
}

void json_string(const char *key, const char *value)
{
	begin(key);
	if (value)
		text(value);
	else
		printf("null");
}

void json_errno(const char *key, int code)
{
	const char *name = code ? strerrorname_np(code) : NULL;

	if (code && !name)
		json_int(key, code);
	else
		json_string(key, name);
}

int file_read(const char *path, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	while (used < size - 1 && (n = read(fd, buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	buf[used] = 0;
	close(fd);
	return n < 0 ? -1 : (int)used;
}

void json_file(const char *key, const char *path)
{
	static char buf[65536];
	int n = file_read(path, buf, sizeof buf);

	if (n > 0 && buf[n - 1] == '\n')
		buf[n - 1] = 0;
	json_string(key, n < 0 ? NULL : buf);
}

void json_link(const char *key, const char *path)
{
	char buf[4096];
	ssize_t n = readlink(path, buf, sizeof buf - 1);

	if (n >= 0)
		buf[n] = 0;
	json_string(key, n < 0 ? NULL : buf);
}

const char *file_type(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "-";
	case S_IFDIR:
		return "d";
	case S_IFCHR:
		return "c";
	case S_IFBLK:
		return "b";
	case S_IFLNK:
		return "l";
	case S_IFIFO:
		return "p";
	default:
		return "s";
	}
}
