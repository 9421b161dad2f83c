/* SPDX-License-Identifier: Apache-2.0 */
#include "base/helper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "unit/unit.h"

#define SH(script) ((const char *const[]){ "sh", "-c", (script), NULL })

static const char *const path_env[] = { "PATH=/usr/bin:/bin", NULL };

static struct helper shell(const char *const *argv)
{
	return (struct helper){ .what = "hook prestart[0]",
				.path = "/bin/sh",
				.argv = argv,
				.envp = path_env,
				.cwd_fd = -1,
				.timeout_ms = 30000,
				.stdout_fd = -1,
				.stderr_fd = -1 };
}

static void no_children_left(void)
{
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

TEST(how_programs_end)
{
	static const struct {
		const char *script;
		int want, status;
		const char *text;
	} rows[] = {
		{ "exit 0", 0, 0, "" },
		{ "echo fine >&2", 0, 0, "" },
		{ "exit 1", -ECHILD, 1, "hook prestart[0]: exited with status 1" },
		{ "echo first >&2; echo 'uid range not allowed' >&2; echo >&2; exit 1", -ECHILD, 1,
		  "hook prestart[0]: exited with status 1: 'uid range not allowed'" },
		{ "printf 'a\\033[2J\\tb' >&2; exit 255", -ECHILD, 255,
		  "hook prestart[0]: exited with status 255: 'a?[2J b'" },
		{ "echo 'no such device'; exit 3", -ECHILD, 3,
		  "hook prestart[0]: exited with status 3: 'no such device'" },
		{ "echo the reason >&2; echo done; exit 3", -ECHILD, 3,
		  "hook prestart[0]: exited with status 3: 'the reason'" },
		{ "kill -9 $$", -ECHILD, 137, "hook prestart[0]: killed by signal 9" },
		{ "echo bye >&2; kill -TERM $$", -ECHILD, 143,
		  "hook prestart[0]: killed by signal 15: 'bye'" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct helper h = shell(SH(rows[i].script));
		struct err e = { 0 };
		int status = 99;

		h.ret_status = &status;
		unit_row("%s", rows[i].script);
		CHECK_INT(helper_run(&h, &e), rows[i].want);
		CHECK_INT(status, rows[i].status);
		CHECK_STR(e.text, rows[i].text);
		no_children_left();
	}
}

TEST(programs_that_do_not_run)
{
	struct helper h = shell(NULL);
	char script[128];
	struct err e = { 0 };
	int status = 99;
	auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	h.what = "newuidmap";
	h.ret_status = &status;
	h.path = "/nowhere/newuidmap";
	CHECK_INT(helper_run(&h, &e), -ENOENT);
	CHECK_STR(e.text, "newuidmap: exec '/nowhere/newuidmap': no such file or directory");
	CHECK_INT(status, -1);
	h.path = "/etc/passwd";
	CHECK_INT(helper_run(&h, &e), -EACCES);
	h.path = "/tmp";
	CHECK_INT(helper_run(&h, &e), -EACCES);
	h.path = "/bin/true";
	h.cwd_fd = null;
	CHECK_INT(helper_run(&h, &e), -ENOTDIR);
	CHECK_STR(e.text, "newuidmap: enter directory for '/bin/true': not a directory");
	h.cwd_fd = -1;
	snprintf(script, sizeof(script), "%s/script", unit_dir());
	close(open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	h.path = script;
	CHECK_INT(helper_run(&h, &e), -ENOEXEC);
	no_children_left();
}

TEST(input_and_output)
{
	static char input[1 << 20], output[(1 << 20) + 10];
	struct helper h = shell(SH("cat"));
	struct err e = { 0 };

	memset(input, 'i', sizeof(input));
	h.input = input;
	h.input_len = sizeof(input);
	h.output = output;
	h.output_size = sizeof(output);
	CHECK_OK(helper_run(&h, &e), &e);
	CHECK_INT((intmax_t)strlen(output), sizeof(input));
	CHECK(memcmp(output, input, sizeof(input)) == 0);

	/* nothing to say is not the same as nothing to read from */
	h.input = "";
	h.input_len = 0;
	CHECK_OK(helper_run(&h, &e), &e);
	CHECK_STR(output, "");
	h.input = NULL;
	h.argv = SH("readlink /proc/self/fd/0");
	CHECK_OK(helper_run(&h, &e), &e);
	CHECK_STR(output, "/dev/null\n");
}

TEST(nobody_reads_the_input)
{
	static char input[1 << 20];
	struct helper h = shell(SH("exec <&-; exit 0"));
	struct sigaction now;
	struct err e = { 0 };

	memset(input, 'i', sizeof(input));
	h.input = input;
	h.input_len = sizeof(input);
	CHECK_OK(helper_run(&h, &e), &e);
	h.argv = SH("exit 3");
	CHECK_INT(helper_run(&h, &e), -ECHILD);
	CHECK_HAS(e.text, "exited with status 3");
	/* and our own disposition is as it was */
	sigaction(SIGPIPE, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL);
}

TEST(too_much_output)
{
	char output[100];
	struct helper h = shell(SH("yes | head -c 5000000"));
	struct err e = { 0 };

	h.output = output;
	h.output_size = sizeof(output);
	CHECK_INT(helper_run(&h, &e), -EMSGSIZE);
	CHECK_STR(e.text, "hook prestart[0]: printed more than 99 bytes");
	CHECK_INT((intmax_t)strlen(output), 99);
	h.argv = SH("printf %99s x");
	CHECK_OK(helper_run(&h, &e), &e);
	/* stderr is not bounded, only its tail is kept */
	h.argv = SH("yes | head -c 5000000 >&2; echo last >&2; exit 1");
	CHECK_INT(helper_run(&h, &e), -ECHILD);
	CHECK_HAS(e.text, ": 'last'");
	h.argv = SH("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1");
	CHECK_INT(helper_run(&h, &e), -ECHILD);
	CHECK(strlen(e.text) < 600);
	CHECK_HAS(e.text, "xxx'");
}

TEST(copies)
{
	auto_arena a = arena_make();
	char output[100], path[128], *got = NULL;
	struct helper h = shell(SH("echo out; echo err >&2"));
	struct err e = { 0 };
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "%s/copy", unit_dir());
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0);
	h.stdout_fd = h.stderr_fd = fd;
	CHECK_OK(helper_run(&h, &e), &e);
	CHECK_INT(file_read_at(AT_FDCWD, path, &a, 1000, &got, &e), 8);
	CHECK_HAS(got, "out\n");
	CHECK_HAS(got, "err\n");
	h.output = output;
	h.output_size = sizeof(output);
	CHECK_OK(helper_run(&h, &e), &e);
	CHECK_STR(output, "out\n");
	CHECK_INT(file_read_at(AT_FDCWD, path, &a, 1000, &got, &e), 16);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

/* A copy that nobody takes may cost the copy: neither the deadline nor, without one, the end. */
TEST(copy_that_nobody_reads)
{
	static const struct {
		const char *script;
		uint64_t timeout_ms;
		int want;
	} rows[] = {
		{ "yes | head -c 1000000 >&2", 300, -ETIMEDOUT },
		{ "head -c 100000 /dev/zero >&2", 0, 0 }, /* two pipes hold it, one does not */
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct helper h = shell(SH(rows[i].script));
		int64_t begin = clock_now_ms();
		struct err e = { 0 };
		int p[2];

		unit_row("%s", rows[i].script);
		REQUIRE(pipe2(p, O_CLOEXEC) == 0);
		h.stderr_fd = p[1];
		h.timeout_ms = rows[i].timeout_ms;
		CHECK_INT(helper_run(&h, &e), rows[i].want);
		CHECK(clock_now_ms() - begin < 20000);
		close(p[0]);
		err_clear(&e);
		h.timeout_ms = 20000; /* enough for a busy machine, when nobody can read any more */
		CHECK_OK(helper_run(&h, &e), &e);
		close(p[1]);
	}
	no_children_left();
}

/* Returns the pid that the program wrote to @path once it is there. */
static pid_t pid_from(const char *path)
{
	char text[32];

	CHECK(file_read_small(AT_FDCWD, path, text, sizeof(text)) > 0);
	return (pid_t)strtol(text, NULL, 10);
}

TEST(deadline_kills_the_group)
{
	char script[256], path[128];
	struct helper h;
	struct err e = { 0 };
	int status = 0, child_status = 0;
	int64_t begin = clock_now_ms();
	pid_t pid;

	/* what loses its parent becomes ours, so that we see how it ended */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(path, sizeof(path), "%s/pid", unit_dir());
	snprintf(script, sizeof(script),
		 "trap '' TERM; sleep 1000 & echo $! > %s; echo waiting >&2; wait", path);
	h = shell(SH(script));
	h.timeout_ms = 500;
	h.ret_status = &status;
	CHECK_INT(helper_run(&h, &e), -ETIMEDOUT);
	CHECK_STR(e.text, "hook prestart[0]: timed out after 500 ms: 'waiting'");
	CHECK_INT(status, 137);
	CHECK(clock_now_ms() - begin >= 500 && clock_now_ms() - begin < 20000);
	pid = pid_from(path);
	CHECK_INT(waitpid(pid, &child_status, 0), pid);
	CHECK(WIFSIGNALED(child_status) && WTERMSIG(child_status) == SIGKILL);
	no_children_left();
}

/* Neither a silent nor a chatty grandchild keeps us, and it is not harmed. */
TEST(grandchild_holds_the_pipes)
{
	static const char *const backgrounds[] = { "sleep 1000", "yes", "yes >&2" };
	char script[256], path[128], output[64];

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(path, sizeof(path), "%s/pid", unit_dir());
	for (size_t i = 0; i < COUNT(backgrounds); i++) {
		int64_t begin = clock_now_ms();
		struct helper h;
		struct err e = { 0 };
		pid_t pid;
		int r;

		snprintf(script, sizeof(script), "%s & echo $! > %s; exit 7", backgrounds[i], path);
		h = shell(SH(script));
		h.output = output;
		h.output_size = sizeof(output);
		unit_row("%s", backgrounds[i]);
		r = helper_run(&h, &e);
		CHECK_INT(r, -ECHILD);
		CHECK(str_starts(e.text, "hook prestart[0]: exited with status 7"));
		CHECK(clock_now_ms() - begin < 20000);
		pid = pid_from(path);
		if (i == 0)
			CHECK_INT(waitpid(pid, NULL, WNOHANG), 0);
		kill(pid, SIGKILL);
		CHECK_INT(waitpid(pid, NULL, 0), pid);
		no_children_left();
	}
}

TEST(what_the_program_inherits)
{
	char output[4096], cwd[128];
	/* no pipe, for the shell has its ends open for a while after ls began */
	struct helper h = shell(SH("ls /proc/$$/fd; env; "
				   "grep -E '^Sig(Blk|Ign)' /proc/self/status; pwd; "
				   "umask; ps -o sess= -p $$ | tr -d ' '; echo $$"));
	static const long ignored[16] = { (long)SIG_IGN };
	struct err e = { 0 };
	auto_fd dir = open(unit_dir(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd leak = fcntl(dir, F_DUPFD, 50);
	auto_fd low = fcntl(dir, F_DUPFD, 3);
	sigset_t all;
	char *pid, *session;

	/* of grep, not of the shell, which blocks signals while it waits */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* the kernel's call, because libc's leaves 32 and 33 alone */
	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, ignored, NULL, NSIG / 8);
	(void)sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	h.envp = (const char *const[]){ "PATH=/usr/bin:/bin", "ONLY=this", NULL };
	h.cwd_fd = dir;
	h.output = output;
	h.output_size = sizeof(output);
	CHECK(leak >= 50 && low >= 3);
	umask(0);
	CHECK_OK(helper_run(&h, &e), &e);
	CHECK(str_starts(output, "0\n1\n2\n"));
	CHECK(strspn(output, "0123456789\n") == 6);
	CHECK_HAS(output, "ONLY=this\n");
	CHECK(!strstr(output, "HOME="));
	CHECK_HAS(output, "SigBlk:\t0000000000000000\n");
	CHECK_HAS(output, "SigIgn:\t0000000000000000\n");
	snprintf(cwd, sizeof(cwd), "\n%s\n", unit_dir());
	CHECK_HAS(output, cwd);
	CHECK_HAS(output, "\n0022\n");
	/* it leads a session of its own */
	output[strlen(output) - 1] = '\0';
	pid = strrchr(output, '\n');
	REQUIRE(pid);
	*pid++ = '\0';
	session = strrchr(output, '\n');
	REQUIRE(session);
	CHECK_STR(pid, session + 1);
}

TEST(our_umask_for_a_program_in_the_container)
{
	char output[16];
	struct helper h = shell(SH("umask"));
	struct err e = { 0 };

	umask(037);
	h.keep_umask = true;
	h.output = output;
	h.output_size = sizeof(output);
	CHECK_OK(helper_run(&h, &e), &e);
	CHECK_STR(output, "0037\n");
}

TEST(defaults)
{
	char output[256] = "of an earlier helper";
	struct helper h = { .what = "env",
			    .path = "/usr/bin/env",
			    .cwd_fd = -1,
			    .stdout_fd = -1,
			    .stderr_fd = -1,
			    .output = output,
			    .output_size = sizeof(output) };
	struct err e = { 0 };

	CHECK_OK(helper_run(&h, &e), &e);
	CHECK_STR(output, "");
	h.output_size = 0;
	CHECK_OK(helper_run(&h, &e), &e);
	h.output = NULL;
	CHECK_OK(helper_run(&h, NULL), &e);
}

/* With 0 to 2 closed our pipes get these very numbers. */
TEST(stdio_closed_in_the_parent)
{
	char output[64] = "";
	struct helper h = shell(SH("cat; echo $#; echo gone >&2; exit 4"));
	struct err e = { 0 };
	int saved[3], r;

	h.input = "in ";
	h.input_len = 3;
	h.output = output;
	h.output_size = sizeof(output);
	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		close(fd);
	}
	r = helper_run(&h, &e);
	for (int fd = 0; fd < 3; fd++) {
		dup2(saved[fd], fd);
		close(saved[fd]);
	}
	CHECK_INT(r, -ECHILD);
	CHECK_STR(e.text, "hook prestart[0]: exited with status 4: 'gone'");
	CHECK_STR(output, "in 0\n");
}

/* In a root that has none. */
TEST(no_null_device)
{
	struct helper h = shell(SH("exit 0"));
	struct err e = { 0 };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (chroot(unit_dir()) < 0)
			_exit(2);
		if (helper_run(&h, &e) != -ENOENT)
			_exit(3);
		_exit(strcmp(e.text,
			     "hook prestart[0]: open '/dev/null': no such file or directory")
			      ? 4
			      : 0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		unit_skip("no right to change the root");
	CHECK_INT(WEXITSTATUS(status), 0);
}

TEST(sigchld_ignored_loses_the_status)
{
	struct helper h = shell(SH("exit 3"));
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct err e = { 0 };

	(void)sigaction(SIGCHLD, &ignore, NULL);
	CHECK_INT(helper_run(&h, &e), -ECHILD);
	CHECK_HAS(e.text, "wait for");
}

TEST(dies_with_its_parent)
{
	char script[256], path[128];
	pid_t pid, middle;
	int status = 0;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(path, sizeof(path), "%s/pid", unit_dir());
	REQUIRE(mkfifo(path, 0600) == 0);
	snprintf(script, sizeof(script), "echo $$ > %s; exec sleep 1000", path);
	middle = fork();
	if (middle == 0) {
		struct helper h = shell(SH(script));

		h.timeout_ms = 0;
		_exit(helper_run(&h, NULL) == 0);
	}
	{
		char text[32] = "";
		auto_fd fd = open(path, O_RDONLY | O_CLOEXEC); /* waits for the writer */

		CHECK(read(fd, text, sizeof(text) - 1) > 0);
		pid = (pid_t)strtol(text, NULL, 10);
	}
	REQUIRE(pid > 1);
	kill(middle, SIGKILL);
	waitpid(middle, NULL, 0);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
