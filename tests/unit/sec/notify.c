/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent is told, and when nobody is there; how it gets the listener is in run/. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
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
	CHECK_INT(seccomp_handover_await(watch, pidfd, &page, &e), -ESRCH);
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
