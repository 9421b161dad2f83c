/* SPDX-License-Identifier: Apache-2.0 */
/* The start gate, with a forked process in the part of init. */
#include "run/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/channel.h"
#include "sys/sys.h"
#include "unit/unit.h"

struct scene {
	struct dir dir;
	int gate;
	pid_t init;
};

/* @act: what init does once it was started. */
static void open_scene(struct scene *s, void (*act)(int peer))
{
	struct err e = { 0 };

	s->dir = (struct dir){ .fd = sys_open(unit_dir(), O_PATH | O_DIRECTORY, 0),
			       .name = unit_dir() };
	s->gate = gate_make(&s->dir, RUN_GATE, &e);
	REQUIRE(s->gate >= 0);
	CHECK_INT(run_gate_is_open(&s->dir), 1);
	s->init = fork();
	if (s->init == 0) {
		int peer = gate_wait(s->gate, &e);

		if (peer >= 0)
			act(peer);
		_exit(0);
	}
	fd_close(&s->gate);
}

static void close_scene(struct scene *s)
{
	CHECK_INT(waitpid(s->init, NULL, 0), s->init);
	CHECK_INT(run_gate_is_open(&s->dir), 0);
	dir_close(&s->dir);
}

static void execs(int peer)
{
	channel_send(peer, MSG_EXEC, 0, -1);
}

TEST(start_ends_when_the_program_runs)
{
	struct err e = { 0 };
	struct scene s;

	open_scene(&s, execs);
	CHECK_OK(run_start(&s.dir, RUN_GATE, -1, NULL, &e), &e);
	close_scene(&s);
}

static void reports(int peer)
{
	struct err e = { 0 };

	err_sys(&e, EACCES, "/bin/x", "exec");
	channel_send(peer, MSG_EXEC, 0, -1);
	channel_send_err(peer, &e);
}

TEST(start_gets_the_reason)
{
	struct err e = { 0 };
	struct scene s;

	open_scene(&s, reports);
	CHECK_INT(run_start(&s.dir, RUN_GATE, -1, NULL, &e), -EACCES);
	CHECK_STR(e.text, "exec '/bin/x': permission denied");
	close_scene(&s);
}

static void dies(int peer)
{
	(void)peer;
}

TEST(init_that_dies_at_the_gate)
{
	struct err e = { 0 };
	struct scene s;

	open_scene(&s, dies);
	CHECK_INT(run_start(&s.dir, RUN_GATE, -1, NULL, &e), -ESRCH);
	close_scene(&s);
}

/* Whoever connected and was stopped then does not keep others from starting it. */
TEST(somebody_who_says_nothing)
{
	auto_fd silent = sys_socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct err e = { 0 };
	struct scene s;

	open_scene(&s, execs);
	REQUIRE(sys_connect_unix(silent, s.dir.fd, RUN_GATE) == 0);
	CHECK_OK(run_start(&s.dir, RUN_GATE, -1, NULL, &e), &e);
	close_scene(&s);
}

static void offers_listener(int peer)
{
	channel_send(peer, MSG_LISTENER, 0, peer);
	channel_send(peer, MSG_EXEC, 0, -1);
}

TEST(listener_that_nobody_asked_for)
{
	struct err e = { 0 };
	struct scene s;

	open_scene(&s, offers_listener);
	CHECK_INT(run_start(&s.dir, RUN_GATE, -1, NULL, &e), -EPROTO);
	close_scene(&s);
}

TEST(nobody_behind_the_gate)
{
	struct err e = { 0 };
	struct scene s = { 0 };

	s.dir = (struct dir){ .fd = sys_open(unit_dir(), O_PATH | O_DIRECTORY, 0),
			      .name = unit_dir() };
	CHECK_INT(run_gate_is_open(&s.dir), 0);
	s.gate = gate_make(&s.dir, RUN_GATE, &e);
	fd_close(&s.gate);
	CHECK_INT(run_gate_is_open(&s.dir), 0);
	CHECK_INT(run_start(&s.dir, RUN_GATE, -1, NULL, &e), -ESRCH);
	CHECK_STR(e.text, "cannot start a container that has stopped");
	dir_close(&s.dir);
}
