/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/proc.h"
#include "sys/sys.h"
#include "unit/proc/place.h"
#include "unit/unit.h"

/* A relay whose standard streams are pipes (or @in, @out) and a terminal beside it. */
struct world {
	struct arena arena;
	struct term_relay *relay;
	int slave;   /* the container's side */
	int in, out; /* our ends: what we write to, what we read from */
	int saved[2];
};

static void set_stream(struct world *w, int number, int fd)
{
	w->saved[number] = fcntl(number, F_DUPFD_CLOEXEC, 20);
	REQUIRE(dup2(fd, number) == number);
	close(fd);
}

static void world_make(struct world *w, bool raw)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), p[2];
	struct err e = { 0 };
	struct termios tio;

	REQUIRE(master >= 0 && unlockpt(master) == 0);
	w->arena = arena_make();
	w->slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	REQUIRE(w->slave >= 0 && tcgetattr(w->slave, &tio) == 0);
	if (raw) {
		cfmakeraw(&tio);
		REQUIRE(tcsetattr(w->slave, TCSANOW, &tio) == 0);
	}
	REQUIRE(pipe2(p, O_CLOEXEC) == 0);
	w->in = p[1];
	set_stream(w, 0, p[0]);
	REQUIRE(pipe2(p, O_CLOEXEC) == 0);
	w->out = p[0];
	set_stream(w, 1, p[1]);
	REQUIRE_OK(term_relay_start(&w->arena, master, &w->relay, &e), &e);
}

static void world_end(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		dup2(w->saved[i], i);
		close(w->saved[i]);
	}
	if (w->in >= 0)
		close(w->in);
	if (w->out >= 0)
		close(w->out);
	if (w->slave >= 0)
		close(w->slave);
	arena_drop(&w->arena);
}

#define IDLE_MS 20

/* Let it run until nothing happens for a moment. Returns how often it woke up. */
static int run(struct world *w)
{
	for (int turns = 0;; turns++) {
		struct pollfd fds[TERM_RELAY_FDS];
		size_t n = term_relay_poll(w->relay, fds);
		struct err e = { 0 };

		REQUIRE(n <= TERM_RELAY_FDS);
		REQUIRE(turns < 100000);
		if (poll(fds, n, IDLE_MS) == 0)
			return turns;
		REQUIRE_OK(term_relay_handle(w->relay, fds, n, &e), &e);
	}
}

static void check_read(int fd, const char *want)
{
	char got[256] = "";
	ssize_t n;

	REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	n = read(fd, got, sizeof(got) - 1);
	CHECK_INT(n, (ssize_t)strlen(want));
	CHECK_STR(got, want);
}

TEST(relay_both_ways)
{
	struct world w;

	world_make(&w, true);
	REQUIRE(write(w.in, "to you", 6) == 6);
	REQUIRE(write(w.slave, "to me\n", 6) == 6);
	run(&w);
	check_read(w.slave, "to you");
	check_read(w.out, "to me\n");
	term_relay_finish(w.relay);
	world_end(&w);
}

/* The program may close its terminal and come back. */
TEST(relay_survives_a_closed_terminal)
{
	struct world w;
	char *name;
	int fd;

	world_make(&w, true);
	name = arena_strdup(&w.arena, ttyname(w.slave));
	close(w.slave);
	CHECK_INT(run(&w), 0);
	w.slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	REQUIRE(w.slave >= 0);
	fd = w.slave;
	REQUIRE(write(fd, "again", 5) == 5);
	run(&w);
	check_read(w.out, "again");
	term_relay_finish(w.relay);
	world_end(&w);
}

/* End of input reaches a program that reads lines as end of file, after what was typed. */
TEST(relay_end_of_input)
{
	struct world w;
	char buf[16];

	world_make(&w, false);
	REQUIRE(write(w.in, "abc", 3) == 3);
	close(w.in);
	w.in = -1;
	run(&w);
	CHECK_INT(read(w.slave, buf, sizeof(buf)), 3);
	CHECK_INT(read(w.slave, buf, sizeof(buf)), 0);
	CHECK_INT(run(&w), 0); /* and a closed input does not wake us */
	REQUIRE(write(w.slave, "still", 5) == 5);
	run(&w);
	term_relay_finish(w.relay);
	world_end(&w);
}

/* Nobody takes the output: the container waits, we neither wait nor spin. */
TEST(relay_stuck_reader)
{
	struct world w;
	char block[4096] = { 0 };
	size_t sent = 0, got = 0;
	ssize_t n;

	world_make(&w, true);
	REQUIRE(fcntl(w.slave, F_SETFL, O_NONBLOCK) == 0);
	for (int i = 0; i < 100; i++) {
		n = write(w.slave, block, sizeof(block));
		sent += n > 0 ? (size_t)n : 0;
		run(&w);
		if (n < 0)
			break;
	}
	CHECK(n < 0 && errno == EAGAIN);
	CHECK(sent > 65536 && sent < 65536 + 65536);
	CHECK_INT(run(&w), 0);
	/* input still goes its way */
	REQUIRE(write(w.in, "x", 1) == 1);
	run(&w);
	check_read(w.slave, "x");
	while (poll(&(struct pollfd){ .fd = w.out, .events = POLLIN }, 1, 0) == 1) {
		n = read(w.out, block, sizeof(block));
		got += n > 0 ? (size_t)n : 0;
		run(&w);
	}
	CHECK_INT(got, sent);
	term_relay_finish(w.relay);
	world_end(&w);
}

/* The reader is gone: the container need not wait for it. */
TEST(relay_closed_output)
{
	struct world w;
	char block[4096] = { 0 };

	signal(SIGPIPE, SIG_IGN);
	world_make(&w, true);
	close(w.out);
	w.out = -1;
	for (int i = 0; i < 20; i++) {
		REQUIRE(write(w.slave, block, 1000) == 1000);
		run(&w);
	}
	CHECK_INT(run(&w), 0);
	term_relay_finish(w.relay);
	world_end(&w);
}

/* What was written last arrives, though nobody turned the relay since. */
TEST(relay_last_bytes)
{
	struct world w;
	char block[3000], got[4096];

	memset(block, 'z', sizeof(block));
	world_make(&w, true);
	REQUIRE(write(w.slave, block, sizeof(block)) == (ssize_t)sizeof(block));
	close(w.slave);
	w.slave = -1;
	term_relay_finish(w.relay);
	CHECK_INT(read(w.out, got, sizeof(got)), sizeof(block));
	world_end(&w);
}

/* At the end a reader that is stuck gets a bounded time. */
TEST(relay_finish_is_bounded)
{
	struct world w;
	char block[4096] = { 0 };
	int64_t start;

	world_make(&w, true);
	REQUIRE(fcntl(w.slave, F_SETFL, O_NONBLOCK) == 0);
	while (write(w.slave, block, sizeof(block)) > 0)
		run(&w);
	start = clock_now_ms();
	term_relay_finish(w.relay);
	CHECK(clock_now_ms() - start < 5000);
	world_end(&w);
}

/* The flags of a stream that others have too are theirs. */
TEST(relay_leaves_flags)
{
	struct world w;
	int before[2];

	world_make(&w, true);
	for (int i = 0; i < 2; i++)
		before[i] = fcntl(i, F_GETFL);
	term_relay_finish(w.relay);
	for (int i = 0; i < 2; i++) {
		CHECK(!(fcntl(i, F_GETFL) & O_NONBLOCK));
		CHECK_INT(fcntl(i, F_GETFL), before[i]);
	}
	world_end(&w);
}

/* In a session of its own with @slave as controlling terminal and all streams. */
static void terminal_child(int slave, int container)
{
	struct arena a = arena_make();
	struct term_relay *relay = NULL;
	struct termios before, now;
	struct winsize size = { 0 };
	struct err e = { 0 };
	bool ok = setsid() > 0 && ioctl(slave, TIOCSCTTY, 0) == 0;

	for (int fd = 0; fd < 3; fd++)
		dup2(slave, fd);
	ok = ok && tcgetattr(0, &before) == 0;
	ok = ok && term_relay_start(&a, fcntl(container, F_DUPFD_CLOEXEC, 30), &relay, &e) == 0;
	ok = ok && tcgetattr(0, &now) == 0 && !(now.c_lflag & (ICANON | ECHO | ISIG));
	ok = ok && ioctl(container, TIOCGWINSZ, &size) == 0 && size.ws_row == 40;
	ok = ok && ioctl(0, TIOCSWINSZ, &(struct winsize){ .ws_row = 50, .ws_col = 9 }) == 0;
	if (ok)
		term_relay_resize(relay);
	ok = ok && ioctl(container, TIOCGWINSZ, &size) == 0 && size.ws_row == 50;
	if (relay)
		term_relay_finish(relay);
	ok = ok && tcgetattr(0, &now) == 0 && now.c_lflag == before.c_lflag &&
	     now.c_oflag == before.c_oflag && now.c_iflag == before.c_iflag;
	_exit(ok ? 0 : 1);
}

TEST(relay_own_terminal)
{
	int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int container = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave, status;
	pid_t pid;

	REQUIRE(ours >= 0 && container >= 0);
	REQUIRE(unlockpt(ours) == 0 && unlockpt(container) == 0);
	slave = ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	REQUIRE(slave >= 0);
	REQUIRE(ioctl(ours, TIOCSWINSZ, &(struct winsize){ .ws_row = 40, .ws_col = 9 }) == 0);
	pid = fork();
	if (pid == 0)
		terminal_child(slave, container);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
	close(ours);
	close(slave);
	close(container);
}

/* What came to the container's terminal, as text. */
static const char *arrived(int slave, char *buf, size_t size)
{
	ssize_t n = read(slave, buf, size - 1);

	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static bool is_raw(void)
{
	struct termios tio;

	return tcgetattr(0, &tio) == 0 && !(tio.c_lflag & ICANON);
}

static void block_terminal_stops(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/*
 * A job of a session whose terminal (@ours is its master) the leader has. Which of these does
 * not hold is the status.
 */
static _Noreturn void background_job(int ours, int container)
{
	struct world w = { .arena = arena_make() };
	pid_t leader = getpgrp();
	int slave = ioctl(container, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	struct err e = { 0 };
	char got[64];

	block_terminal_stops();
	if (setpgid(0, 0) < 0 || term_relay_start(&w.arena, container, &w.relay, &e) < 0)
		_exit(1);
	/* what is typed is for the leader: not read, not the end, and no reason to spin */
	if (is_raw() || write(ours, "one\n", 4) != 4 || run(&w) > 10)
		_exit(2);
	if (*arrived(slave, got, sizeof(got)))
		_exit(3);
	/* bash sends a running job no SIGCONT */
	if (tcsetpgrp(0, getpid()) < 0 || write(ours, "two\n", 4) != 4 || run(&w) > 10)
		_exit(4);
	arrived(slave, got, sizeof(got));
	if (strcmp(got, "one\n") || strcmp(arrived(slave, got, sizeof(got)), "two\n") || !is_raw())
		_exit(5);
	/* in the background with its settings changed, and back by SIGCONT */
	if (tcsetpgrp(0, leader) < 0 || write(ours, "three\n", 6) != 6 || run(&w) > 10)
		_exit(6);
	if (*arrived(slave, got, sizeof(got)) || tcsetpgrp(0, getpid()) < 0)
		_exit(7);
	term_relay_foreground(w.relay);
	run(&w);
	if (strcmp(arrived(slave, got, sizeof(got)), "three\n") || !is_raw())
		_exit(8);
	term_relay_finish(w.relay);
	_exit(is_raw() ? 9 : 0);
}

static _Noreturn void leader_of_background_job(int ours, int slave, int container)
{
	int status = 0;
	pid_t pid;

	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		_exit(20);
	for (int fd = 0; fd < 3; fd++)
		dup2(slave, fd);
	pid = fork();
	if (pid == 0)
		background_job(ours, container);
	_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 21);
}

TEST(relay_in_the_background)
{
	int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int container = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave, status = 0;
	pid_t pid;

	REQUIRE(ours >= 0 && container >= 0);
	REQUIRE(unlockpt(ours) == 0 && unlockpt(container) == 0);
	slave = ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	REQUIRE(slave >= 0);
	pid = fork();
	if (pid == 0)
		leader_of_background_job(ours, slave, container);
	close(slave);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 0);
	close(ours);
	close(container);
}
