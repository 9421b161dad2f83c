/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_SECONDS 60
#define DESCRIPTORS_MAX	 1024 /* more than any test opens */
#define STATUS_FAILED	 1
#define STATUS_SKIPPED	 77

static struct unit_test *tests, **tests_end = &tests;

/* What the running test has said; each test has its own process. */
static unsigned checks, failures;
static char row[256];
static char dir_path[64];

/* Why the running test was skipped: written by its process, read by ours. */
static char *skip_reason;
#define SKIP_REASON_SIZE 256

void unit_register(struct unit_test *t)
{
	*tests_end = t;
	tests_end = &t->next;
}

void unit_row(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(row, sizeof(row), fmt, ap);
	va_end(ap);
}

/* A line of TAP must stay one line, whatever was in the value. */
static void diagnose(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_escape_control(text);
	printf("# %s\n", text);
	fflush(stdout);
}

_Noreturn void unit_stop(void)
{
	exit(STATUS_FAILED);
}

_Noreturn void unit_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(skip_reason, SKIP_REASON_SIZE, fmt, ap);
	va_end(ap);
	str_escape_control(skip_reason);
	exit(failures ? STATUS_FAILED : STATUS_SKIPPED);
}

static bool count_check(const char *file, int line, bool ok)
{
	const char *base = strrchr(file, '/');

	checks++;
	if (ok)
		return true;
	failures++;
	diagnose("%s:%d%s%s", base ? base + 1 : file, line, row[0] ? ": row " : "", row);
	return false;
}

bool unit_check(const char *file, int line, bool ok, const char *what)
{
	if (!count_check(file, line, ok))
		diagnose("  does not hold: %s", what);
	return ok;
}

bool unit_check_int(const char *file, int line, intmax_t got, intmax_t want, const char *what)
{
	if (count_check(file, line, got == want))
		return true;
	diagnose("  %s is %jd, wanted %jd", what, got, want);
	return false;
}

bool unit_check_str(const char *file, int line, const char *got, const char *want, const char *what)
{
	bool same = got && want ? str_eq(got, want) : got == want;

	if (count_check(file, line, same))
		return true;
	diagnose("  %s is \"%s\"", what, got ? got : "(NULL)");
	diagnose("  wanted \"%s\"", want ? want : "(NULL)");
	return false;
}

bool unit_check_has(const char *file, int line, const char *got, const char *part, const char *what)
{
	if (count_check(file, line, got && strstr(got, part)))
		return true;
	diagnose("  %s is \"%s\"", what, got ? got : "(NULL)");
	diagnose("  it lacks \"%s\"", part);
	return false;
}

bool unit_check_ok(const char *file, int line, intmax_t result, const struct err *e,
		   const char *what)
{
	if (count_check(file, line, result >= 0))
		return true;
	diagnose("  %s is %jd: %s", what, result, e ? e->text : "");
	return false;
}

const char *unit_dir(void)
{
	return dir_path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);
}

/* Not by /proc, which a test may have left behind. */
static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/*
 * The sanitizers look for leaks when a process ends normally. They cannot, and fail, in a
 * process that left /proc behind or may not trace itself any more.
 */
static _Noreturn void end_child(int status)
{
	if (faccessat(AT_FDCWD, "/proc/self/maps", R_OK, 0) == 0 &&
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1)
		exit(status);
	fflush(NULL);
	_exit(status);
}

/* Emulators take longer; they say so by CLEAT_TEST_SECONDS. */
static unsigned deadline(void)
{
	const char *seconds = getenv("CLEAT_TEST_SECONDS");

	return seconds ? (unsigned)strtoul(seconds, NULL, 10) : DEADLINE_SECONDS;
}

static _Noreturn void run_child(const struct unit_test *t)
{
	unsigned before = open_descriptors();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	alarm(deadline());
	t->fn();
	row[0] = '\0';
	if (open_descriptors() != before)
		count_check(t->file, 0, false), diagnose("  descriptors were left open");
	if (!checks)
		diagnose("%s checked nothing", t->name);
	end_child(failures || !checks ? STATUS_FAILED : 0);
}

/* Returns the exit status of the test, or 128 + the signal that ended it. */
static int run_test(const struct unit_test *t)
{
	siginfo_t si = { 0 };
	pid_t pid;

	skip_reason[0] = '\0';
	snprintf(dir_path, sizeof(dir_path), "/tmp/cleat-unit.XXXXXX");
	if (!mkdtemp(dir_path))
		return diagnose("make a directory: %s", errno_text(errno)), STATUS_FAILED;
	pid = fork();
	if (pid == 0)
		run_child(t);
	while (waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	/* What a failed test has left running; its group is ours until it is waited for. */
	kill(-pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &si, WEXITED);
	nftw(dir_path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
}

static bool wanted(const struct unit_test *t, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(t->file, argv[i]) || strstr(t->name, argv[i]))
			return true;
	return argc < 2;
}

/* "str: sizes" for the test of that name in tests/unit/base/str.c or str_test.c */
static void print_name(const struct unit_test *t)
{
	const char *base = strrchr(t->file, '/');

	base = base ? base + 1 : t->file;
	printf("%.*s: ", (int)strcspn(base, "."), base);
	for (const char *s = t->name; *s; s++)
		putchar(*s == '_' ? ' ' : *s);
}

int main(int argc, char **argv)
{
	unsigned n = 0, failed = 0;

	skip_reason = mmap(NULL, SKIP_REASON_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED)
		return 1;
	for (const struct unit_test *t = tests; t; t = t->next)
		n += wanted(t, argc, argv);
	printf("1..%u\n", n);
	fflush(stdout);
	n = 0;
	for (const struct unit_test *t = tests; t; t = t->next) {
		int status;

		if (!wanted(t, argc, argv))
			continue;
		fflush(stdout);
		status = run_test(t);
		if (status > 128)
			diagnose("%s ended by signal %d", t->name, status - 128);
		failed += status != 0 && status != STATUS_SKIPPED;
		printf("%s %u - ", status == 0 || status == STATUS_SKIPPED ? "ok" : "not ok", ++n);
		print_name(t);
		printf(status == STATUS_SKIPPED ? " # SKIP %s\n" : "\n", skip_reason);
		fflush(stdout);
	}
	return failed || !n;
}
