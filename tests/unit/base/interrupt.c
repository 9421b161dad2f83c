/* SPDX-License-Identifier: Apache-2.0 */
#include "base/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/helper.h"
#include "unit/unit.h"

static int run_with(const char *script, uint64_t timeout_ms, int stderr_fd, struct err *e)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	const struct helper h = { .what = "hook prestart[0]",
				  .path = "/bin/sh",
				  .argv = argv,
				  .envp = env,
				  .cwd_fd = -1,
				  .timeout_ms = timeout_ms,
				  .stdout_fd = -1,
				  .stderr_fd = stderr_fd };

	return helper_run(&h, e);
}

static int run(const char *script, struct err *e)
{
	return run_with(script, 30000, -1, e);
}

TEST(a_signal_ends_the_wait)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t all;

	sigemptyset(&all);
	sigaddset(&all, SIGUSR2);
	for (size_t i = 0; i < COUNT(ends); i++)
		sigaddset(&all, ends[i]);
	CHECK_INT(sigprocmask(SIG_BLOCK, &all, NULL), 0);
	for (size_t i = 0; i < COUNT(ends); i++) {
		auto_fd fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
		int64_t began = clock_now_ms();
		struct err e = { 0 };

		unit_row("%d", ends[i]);
		signal(ends[i], SIG_DFL);
		interrupt_by(fd);
		CHECK_INT(raise(SIGUSR2), 0);
		CHECK_INT(raise(ends[i]), 0);
		CHECK_INT(run("exec sleep 30", &e), -EINTR);
		CHECK_HAS(e.text, "hook prestart[0]: interrupted by signal ");
		CHECK(clock_now_ms() - began < 10000);
		CHECK_INT(interrupt_fd(), -1);
	}
	CHECK_INT(sigismember(interrupt_taken(), SIGUSR2), 1);
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

TEST(an_ignored_signal_does_not)
{
	auto_fd fd = -1;
	struct err e = { 0 };
	sigset_t hup;

	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	CHECK_INT(sigprocmask(SIG_BLOCK, &hup, NULL), 0);
	signal(SIGHUP, SIG_IGN);
	fd = signalfd(-1, &hup, SFD_CLOEXEC | SFD_NONBLOCK);
	interrupt_by(fd);
	CHECK_INT(raise(SIGHUP), 0);
	CHECK_INT(run("exit 3", &e), -ECHILD);
	CHECK_INT(interrupt_fd(), fd);
}

/* Whoever was to read the copy does not, and there is no deadline. */
TEST(a_copy_that_nobody_reads_holds_up_no_signal)
{
	static const char *const scripts[] = {
		"kill -TERM $PPID; yes >&2",
		"(sleep 0.2; kill -TERM $PPID) & yes >&2",
	};
	int64_t began = clock_now_ms();
	sigset_t term;
	int p[2];

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	CHECK_INT(sigprocmask(SIG_BLOCK, &term, NULL), 0);
	REQUIRE(pipe2(p, O_CLOEXEC) == 0);
	for (size_t i = 0; i < COUNT(scripts); i++) {
		auto_fd fd = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK);
		struct err e = { 0 };

		unit_row("%s", scripts[i]);
		interrupt_by(fd);
		CHECK_INT(run_with(scripts[i], 0, p[1], &e), -EINTR);
		CHECK_HAS(e.text, "interrupted by signal 15");
	}
	CHECK(clock_now_ms() - began < 20000);
	close(p[0]);
	close(p[1]);
}
