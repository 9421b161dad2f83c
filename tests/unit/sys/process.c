/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "sys/attr.h"
#include "sys/sys.h"
#include "unit/unit.h"

static pid_t birth(int *ret_pidfd)
{
	struct clone_args args = { .flags = CLONE_PIDFD,
				   .pidfd = (uintptr_t)ret_pidfd,
				   .exit_signal = SIGCHLD };

	return sys_clone3(&args, sizeof(args));
}

TEST(clone_wait_and_kill)
{
	auto_fd pidfd = -1;
	siginfo_t si = { 0 };
	pid_t pid = birth(&pidfd);

	if (pid == 0)
		_exit(42);
	REQUIRE(pid > 0 && pidfd >= 0);
	CHECK(fcntl(pidfd, F_GETFD) == FD_CLOEXEC);
	CHECK_INT(sys_waitid_pidfd(pidfd, &si, WEXITED), 0);
	CHECK_INT(si.si_pid, pid);
	CHECK_INT(si.si_code, CLD_EXITED);
	CHECK_INT(si.si_status, 42);
	CHECK_INT(sys_waitid_pidfd(pidfd, &si, WEXITED), -ECHILD);
	CHECK_INT(sys_pidfd_send_signal(pidfd, SIGKILL), -ESRCH);

	fd_close(&pidfd);
	pid = birth(&pidfd);
	if (pid == 0)
		for (;;)
			pause();
	si = (siginfo_t){ 0 };
	CHECK_INT(sys_waitid_pidfd(pidfd, &si, WEXITED | WNOHANG), 0);
	CHECK_INT(si.si_pid, 0);
	CHECK_INT(sys_pidfd_send_signal(pidfd, 0), 0);
	CHECK_INT(sys_pidfd_send_signal(pidfd, SIGKILL), 0);
	CHECK_INT(sys_waitid_pidfd(pidfd, &si, WEXITED), 0);
	CHECK_INT(si.si_status, SIGKILL);
}

TEST(pidfds)
{
	auto_fd self = sys_pidfd_open(getpid(), 0), copy = -1;
	auto_fd null = sys_open("/dev/null", O_RDONLY, 0);

	REQUIRE(self >= 0);
	copy = sys_pidfd_getfd(self, null);
	CHECK(copy >= 0 && fcntl(copy, F_GETFD) == FD_CLOEXEC);
	CHECK_INT(sys_pidfd_getfd(self, 999), -EBADF);
	CHECK_INT(sys_pidfd_open(-1, 0), -EINVAL);
}

static void nothing(int sig)
{
	(void)sig;
}

TEST(poll_sits_out_signals)
{
	struct itimerval often = { { 0, 10000 }, { 0, 10000 } }, never = { 0 };
	struct sigaction action = { .sa_handler = nothing };
	int64_t begin = clock_now_ms();

	(void)sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	CHECK_INT(sys_ppoll(NULL, 0, 200), 0);
	setitimer(ITIMER_REAL, &never, NULL);
	CHECK(clock_now_ms() - begin >= 199);
	CHECK_INT(sys_ppoll(NULL, 0, 0), 0);
}

TEST(poll_and_signalfd)
{
	struct signalfd_siginfo info;
	sigset_t set, old;
	auto_fd fd = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_INT(sys_sigprocmask(SIG_BLOCK, &set, &old), 0);
	fd = sys_signalfd(-1, &set);
	REQUIRE(fd >= 0);
	CHECK_INT(sys_read(fd, &info, sizeof(info)), -EAGAIN);
	kill(getpid(), SIGUSR1);

	struct pollfd p = { .fd = fd, .events = POLLIN };

	CHECK_INT(sys_ppoll(&p, 1, -1), 1);
	CHECK_INT(sys_read(fd, &info, sizeof(info)), sizeof(info));
	CHECK_INT(info.ssi_signo, SIGUSR1);
}

/* The kernel's calls, all three ids at once, also without libc's broadcast to threads. */
TEST(ids)
{
	static const gid_t groups[] = { 7, 70000, 9 };
	gid_t got[4] = { 0 };
	uid_t r, e, s;

	if (geteuid() != 0)
		unit_skip("not root");
	CHECK_INT(sys_setgroups(3, groups), 0);
	CHECK_INT(getgroups(4, got), 3);
	CHECK(got[0] == 7 && got[1] == 9 && got[2] == 70000);
	memset(got, 0, sizeof(got));
	CHECK_INT(sys_getgroups(4, got), 3);
	CHECK(got[0] == 7 && got[1] == 9 && got[2] == 70000);
	CHECK_INT(sys_setgroups(0, NULL), 0);
	CHECK_INT(getgroups(0, NULL), 0);
	CHECK_INT(sys_setresgid(70001), 0);
	CHECK(getresgid(&r, &e, &s) == 0 && r == 70001 && e == 70001 && s == 70001);
	CHECK_INT(sys_setresuid(70002), 0);
	CHECK(getresuid(&r, &e, &s) == 0 && r == 70002 && e == 70002 && s == 70002);
	CHECK_INT(sys_setresuid(0), -EPERM);
	CHECK_INT(sys_setresgid(0), -EPERM);
	CHECK_INT(sys_setgroups(3, groups), -EPERM);
}

TEST(exec_by_descriptor)
{
	auto_fd exe = sys_open("/bin/sh", O_PATH, 0);
	char *const argv[] = { "sh", "-c", "test \"$X\" = 1", NULL };
	char *const envp[] = { "X=1", NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		sys_execveat(exe, "", argv, envp, AT_EMPTY_PATH);
		_exit(99);
	}
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	CHECK_INT(sys_execveat(AT_FDCWD, "/nowhere", argv, envp, 0), -ENOENT);
	CHECK_INT(sys_execve("/nowhere", argv, envp), -ENOENT);
}

TEST(names_in_a_uts_namespace)
{
	struct utsname u;

	if (sys_unshare(CLONE_NEWUTS) < 0)
		unit_skip("no right to make a UTS namespace");
	CHECK_INT(sys_sethostname("box", 3), 0);
	CHECK_INT(sys_setdomainname("example", 7), 0);
	CHECK_INT(uname(&u), 0);
	CHECK_STR(u.nodename, "box");
	CHECK_STR(u.domainname, "example");
	CHECK_INT(sys_setns(-1, CLONE_NEWUTS), -EBADF);
}

TEST(the_rest)
{
	CHECK_INT(sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
	CHECK_INT(sys_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	CHECK_INT(sys_prctl(-1, 0, 0, 0, 0), -EINVAL);
	/* we lead our group already: no new session */
	CHECK_INT(sys_setsid(), -EPERM);
	CHECK_INT(sys_unshare(-1), -EINVAL);
}
