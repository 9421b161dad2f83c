/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener reaches its agent although every call of the filtered process, whatever
 * it is, waits for that agent.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sec/sec.h"
#include "sys/sys.h"
#include "unit/unit.h"

/*
 * spec: seccomp state: ociVersion, seccomp state: fds, seccomp state: pid,
 * seccomp state: metadata, seccomp state: state, seccomp state: state.ociVersion,
 * seccomp state: state.id, seccomp state: state.pid, seccomp state: state.status,
 * seccomp state: state.bundle, seccomp state: state.rootfs, seccomp state: state.created,
 * seccomp state: state.annotations, seccomp state: state.owner */
TEST(state)
{
	auto_arena a = arena_make();
	const struct oci_state state = {
		.oci_version = "1.3.0",
		.id = "x",
		.status = "creating",
		.bundle = "/b",
		.pid = 7,
		.has_pid = true,
	};
	struct oci_string_entry entry = { "k", "v" };
	struct oci_string_map annotations = { 1, &entry };
	struct oci_state full = state;

	CHECK_STR(seccomp_notify_state(&a, &state, NULL),
		  "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":7,"
		  "\"state\":{\"ociVersion\":\"1.3.0\",\"id\":\"x\",\"pid\":7,"
		  "\"status\":\"creating\",\"bundle\":\"/b\"}}");
	CHECK_HAS(seccomp_notify_state(&a, &state, "a\"b\\c\n\xc3\xa4"),
		  "\"metadata\":\"a\\\"b\\\\c\\n\xc3\xa4\",\"state\"");
	full.rootfs = "/r";
	full.created = "2026-01-02T03:04:05Z";
	full.annotations = &annotations;
	full.owner = "root";
	CHECK_HAS(seccomp_notify_state(&a, &full, NULL),
		  "\"bundle\":\"/b\",\"rootfs\":\"/r\",\"created\":\"2026-01-02T03:04:05Z\","
		  "\"annotations\":{\"k\":\"v\"},\"owner\":\"root\"}}");
}

/* Every call at all: not even exit is possible without the agent. */
static const struct sock_filter notify_all[] = {
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
};
static const struct seccomp_filter filter = {
	.insns = notify_all,
	.n = 1,
	.listener_path = "/agent",
};

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	REQUIRE(listen(fd, 1) == 0);
	return fd;
}

static _Noreturn void filtered_child(int up)
{
	struct seccomp_handover h;
	struct err e = { 0 };
	int watch = seccomp_handover_make(&h, &e), listener;

	if (watch < 0 || sys_send_fds(up, "w", 1, &watch, 1, 0) != 1)
		_exit(10);
	close(watch);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	listener = seccomp_filter_load(&filter, true, &e);
	if (listener < 0)
		_exit(11);
	if (!seccomp_handover_give(&h, listener))
		__builtin_trap(); /* the limit on core files is 0 */
	_exit((int)syscall(SYS_getppid) & 0xff);
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

static pid_t start_child(int *ret_pidfd, int *ret_watch)
{
	int sv[2];
	size_t n = 1;
	char byte;
	pid_t pid;

	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == 0);
	pid = fork();
	if (pid == 0)
		filtered_child(sv[1]);
	close(sv[1]);
	*ret_pidfd = sys_pidfd_open(pid, 0);
	REQUIRE(*ret_pidfd >= 0);
	if (sys_recv_fds(sv[0], &byte, 1, ret_watch, &n, 0) != 1 || n != 1) {
		close(sv[0]);
		waitpid(pid, NULL, 0);
		unit_skip("no userfaultfd(2) here");
	}
	close(sv[0]);
	return pid;
}

TEST(handed_over)
{
	char path[128], text[256] = "";
	struct err e = { 0 };
	int pidfd, watch, status = -1, got = -1;
	pid_t pid = start_child(&pidfd, &watch);
	auto_fd at = -1, conn = -1;
	uint64_t page;
	size_t n = 1;
	int listener = seccomp_handover_take(watch, pidfd, &page, &e);

	REQUIRE_OK(listener, &e);
	snprintf(path, sizeof(path), "%s/agent", unit_dir());
	at = listen_at(path);
	CHECK_OK(seccomp_notify_send(path, listener, "{\"a\":1}", &e), &e);
	close(listener);
	conn = accept4(at, NULL, NULL, SOCK_CLOEXEC);
	CHECK_INT(sys_recv_fds(conn, text, sizeof(text) - 1, &got, &n, 0), 7);
	CHECK_STR(text, "{\"a\":1}");
	REQUIRE(n == 1 && got >= 0);
	CHECK_INT(read(conn, text, 1), 0); /* closed */
	CHECK_OK(seccomp_handover_finish(watch, page, &e), &e);
	close(watch);
	answer_calls(got, pidfd);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 42);
	close(got);
	close(pidfd);
}

/* A peer that goes away must not leave a process that runs on without its agent. */
TEST(peer_gives_up)
{
	struct err e = { 0 };
	int pidfd, watch, status = 0;
	pid_t pid = start_child(&pidfd, &watch);
	uint64_t page;
	int listener = seccomp_handover_take(watch, pidfd, &page, &e);

	REQUIRE_OK(listener, &e);
	close(listener);
	close(watch);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status));
	CHECK(WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP);
	close(pidfd);
}

TEST(child_dies_before)
{
	struct err e = { 0 };
	auto_fd watch = -1, pidfd = -1;
	struct seccomp_handover h;
	uint64_t page;
	pid_t pid;

	watch = seccomp_handover_make(&h, &e);
	if (watch < 0)
		unit_skip("no userfaultfd(2) here");
	pid = fork();
	if (pid == 0)
		_exit(0);
	pidfd = sys_pidfd_open(pid, 0);
	CHECK_INT(seccomp_handover_take(watch, pidfd, &page, &e), -ESRCH);
	waitpid(pid, NULL, 0);
}

TEST(no_agent)
{
	char path[128], folder[300], deep[320];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/agent", unit_dir());
	CHECK_INT(seccomp_notify_send(path, 0, "{}", &e), -ENOENT);
	CHECK_HAS(e.text, "agent");
	/* a name beyond what fits into an address */
	snprintf(folder, sizeof(folder), "%s/%0150d", unit_dir(), 0);
	REQUIRE(mkdir(folder, 0700) == 0);
	snprintf(deep, sizeof(deep), "%s/agent", folder);
	err_clear(&e);
	CHECK_INT(seccomp_notify_send(deep, 0, "{}", &e), -ENOENT);
	CHECK(rmdir(folder) == 0);
}
