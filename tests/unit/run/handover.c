/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener reaches its agent although every call of the filtered process, whatever
 * it is, waits for that agent.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/handover.h"
#include "sys/sys.h"
#include "unit/unit.h"

/* Every call at all: not even exit is possible without the agent. */
static const struct sock_filter notify_all[] = {
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
};
static const struct seccomp_filter filter = {
	.insns = notify_all,
	.n = 1,
	.listener_path = "/agent",
};

struct init {
	pid_t pid;
	int pidfd, peer, watch;
	struct msg offer;
};

/* @alone: without a thread, for it may have none. */
static _Noreturn void filtered_child(int peer, bool alone)
{
	struct err e = { 0 };

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	/* root is not counted */
	if (alone && (setrlimit(RLIMIT_NPROC, &(struct rlimit){ 0, 0 }) < 0 ||
		      (geteuid() == 0 && setuid(65534) < 0)))
		_exit(9);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (handover_load(peer, &filter, true, &e) < 0)
		channel_send_err(peer, &e);
	else
		_exit((int)syscall(SYS_getppid) & 0xff);
	_exit(10);
}

static struct init start_init(bool alone)
{
	struct init init = { .watch = -1 };
	struct err e = { 0 };
	int sv[2];

	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == 0);
	init.pid = fork();
	if (init.pid == 0) {
		close(sv[0]);
		filtered_child(sv[1], alone);
	}
	close(sv[1]);
	init.peer = sv[0];
	init.pidfd = sys_pidfd_open(init.pid, 0);
	REQUIRE(init.pidfd >= 0);
	REQUIRE(channel_recv(init.peer, &init.offer, &init.watch, &e) == 1);
	if (init.offer.type == MSG_ERROR) {
		waitpid(init.pid, NULL, 0);
		close(init.peer);
		close(init.pidfd);
		unit_skip("no userfaultfd(2) here");
	}
	CHECK_INT(init.offer.type, MSG_LISTENER);
	return init;
}

static int end_init(const struct init *init)
{
	int status = 0;

	close(init->watch);
	close(init->peer);
	CHECK(waitpid(init->pid, &status, 0) == init->pid);
	close(init->pidfd);
	return status;
}

/* As an agent: let every call go on, but getppid returns 42. */
static void answer_calls(int listener, int pidfd)
{
	for (;;) {
		struct seccomp_notif req = { 0 };
		struct seccomp_notif_resp resp = { 0 };
		struct pollfd fds[] = { { listener, POLLIN, 0 }, { pidfd, POLLIN, 0 } };

		if (sys_ppoll(fds, 2, 10000) <= 0 || !(fds[0].revents & POLLIN))
			return;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
			return;
		resp.id = req.id;
		resp.val = 42;
		if (req.data.nr != SYS_getppid) {
			resp.val = 0;
			resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		}
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) < 0)
			return;
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	REQUIRE(listen(fd, 1) == 0);
	return fd;
}

static int deliver(void *arg, int listener, struct err *e)
{
	return seccomp_notify_send(arg, listener, "{\"a\":1}", e);
}

static void hand_over(struct init *init)
{
	char path[128], text[256] = "";
	const struct run_listener l = { .deliver = deliver, .arg = path };
	struct err e = { 0 };
	auto_fd at = -1, conn = -1;
	size_t n = 1;
	int got = -1, status;

	snprintf(path, sizeof(path), "%s/agent", unit_dir());
	at = listen_at(path);
	REQUIRE_OK(handover_take(init->peer, init->pidfd, &init->offer, init->watch, &l, &e), &e);
	conn = accept4(at, NULL, NULL, SOCK_CLOEXEC);
	CHECK_INT(sys_recv_fds(conn, text, sizeof(text) - 1, &got, &n, 0), 7);
	CHECK_STR(text, "{\"a\":1}");
	REQUIRE(n == 1 && got >= 0);
	CHECK_INT(read(conn, text, 1), 0); /* closed */
	answer_calls(got, init->pidfd);
	status = end_init(init);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 42);
	close(got);
	unlink(path);
}

TEST(handed_over)
{
	struct init init = start_init(false);

	CHECK_INT(init.offer.number, 1);
	hand_over(&init);
}

/* As with an init that may not have a thread, or of a release that has none: we may trace it. */
TEST(handed_over_without_a_thread)
{
	struct init init = start_init(true);

	CHECK_INT(init.offer.number, -EAGAIN);
	hand_over(&init);
}

/* A peer that goes away must not leave a process that runs on without its agent. */
TEST(peer_gives_up)
{
	struct init init = start_init(false);
	struct err e = { 0 };
	uint64_t page;
	int status;

	CHECK(seccomp_handover_await(init.watch, init.pidfd, &page, &e) > 2);
	status = end_init(&init);
	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP);
}

static int refuse(void *arg, int listener, struct err *e)
{
	(void)arg;
	(void)listener;
	return err_code(e, ECONNREFUSED, NULL, "no agent");
}

TEST(agent_does_not_take_it)
{
	const struct run_listener l = { .deliver = refuse };
	struct init init = start_init(false);
	struct err e = { 0 };

	CHECK_INT(handover_take(init.peer, init.pidfd, &init.offer, init.watch, &l, &e),
		  -ECONNREFUSED);
	CHECK(WIFSIGNALED(end_init(&init)));
}

static int as_it_is(void *arg, int listener, struct err *e)
{
	(void)arg;
	(void)listener;
	(void)e;
	return 0;
}

/* The answer is an error then; it is the only one. */
TEST(descriptor_that_is_not_there)
{
	const struct run_listener l = { .deliver = as_it_is };
	struct init init = start_init(false);
	struct err e = { 0 };
	struct msg m;
	auto_fd fd = -1;

	REQUIRE(channel_send(init.peer, MSG_FETCH, 999, -1) == 0);
	CHECK_INT(channel_recv(init.peer, &m, &fd, &e), 1);
	CHECK_INT(m.type, MSG_OK);
	CHECK_INT(m.number, -EBADF);
	/* nobody is left to answer, and init waits: the peer does not */
	shutdown(init.peer, SHUT_RD);
	CHECK_INT(handover_take(init.peer, init.pidfd, &init.offer, init.watch, &l, &e), -ESRCH);
	CHECK(WIFSIGNALED(end_init(&init)));
}
