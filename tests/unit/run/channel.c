/* SPDX-License-Identifier: Apache-2.0 */
/* Messages arrive as they were sent; what is no message of ours is refused. */
#include "run/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/sys.h"
#include "unit/unit.h"

static void make_pair(int ends[2])
{
	REQUIRE(sys_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
}

TEST(message_with_descriptor)
{
	struct err e = { 0 };
	struct msg m;
	int ends[2], fd = -1, pipe_ends[2];
	char byte = 0;

	make_pair(ends);
	REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);
	CHECK_INT(channel_send(ends[0], MSG_INIT, 4711, pipe_ends[1]), 0);
	CHECK_INT(channel_recv(ends[1], &m, &fd, &e), 1);
	CHECK_INT(m.type, MSG_INIT);
	CHECK_INT(m.number, 4711);
	REQUIRE(fd >= 0);
	CHECK(sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC);
	CHECK_INT(write(fd, "x", 1), 1);
	CHECK_INT(read(pipe_ends[0], &byte, 1), 1);
	CHECK_INT(byte, 'x');
	fd_close(&fd);
	fd_close(&pipe_ends[0]);
	fd_close(&pipe_ends[1]);
	fd_close(&ends[0]);
	CHECK_INT(channel_recv(ends[1], &m, &fd, &e), 0);
	fd_close(&ends[1]);
}

TEST(error_report_keeps_its_parts)
{
	struct err sent = { 0 }, e = { 0 };
	struct msg m;
	int ends[2], fd = -1;

	make_pair(ends);
	err_sys(&sent, ENOENT, "/proc", "mount");
	str_copy(sent.step, sizeof(sent.step), "mounts");
	CHECK_INT(channel_send_err(ends[0], &sent), 0);
	CHECK_INT(channel_recv(ends[1], &m, &fd, &e), 1);
	CHECK_INT(m.type, MSG_ERROR);
	CHECK_INT(m.err.code, ENOENT);
	CHECK_STR(m.err.step, "mounts");
	CHECK_STR(m.err.text, sent.text);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

TEST(log_line_is_bounded_and_escaped)
{
	char text[2 * MSG_LOG_MAX];
	struct err e = { 0 };
	struct msg m;
	int ends[2], fd = -1;

	make_pair(ends);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[3] = '\n';
	CHECK_INT(channel_send_log(ends[0], 3, text), 0);
	CHECK_INT(channel_recv(ends[1], &m, &fd, &e), 1);
	CHECK_INT(m.number, 3);
	CHECK(strlen(m.text) < MSG_LOG_MAX);
	CHECK(!strchr(m.text, '\n'));
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

TEST(log_line_of_the_longest_datagram_is_bounded)
{
	struct err e = { 0 };
	struct msg m;
	int ends[2], fd = -1;

	make_pair(ends);
	memset(&m, 'a', sizeof(m));
	m.version = CHANNEL_VERSION;
	m.type = MSG_LOG;
	REQUIRE(send(ends[0], &m, sizeof(m), 0) == (ssize_t)sizeof(m));
	CHECK_INT(channel_recv(ends[1], &m, &fd, &e), 1);
	CHECK_INT((intmax_t)strnlen(m.text, sizeof(m.text)), MSG_LOG_MAX - 1);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

TEST(foreign_bytes_are_refused)
{
	static const struct {
		const char *what;
		size_t len;
		struct msg m;
	} rows[] = {
		{ "short", 3, { .version = CHANNEL_VERSION } },
		{ "version", 16, { .version = CHANNEL_VERSION + 1, .type = MSG_OK } },
		{ "cut error", 20, { .version = CHANNEL_VERSION, .type = MSG_ERROR } },
	};
	int ends[2], fd = -1;

	make_pair(ends);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };
		struct msg m;

		unit_row("%s", rows[i].what);
		REQUIRE(send(ends[0], &rows[i].m, rows[i].len, 0) == (ssize_t)rows[i].len);
		CHECK_INT(channel_recv(ends[1], &m, &fd, &e), -EPROTO);
		CHECK_INT(fd, -1);
	}
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

TEST(every_type_has_a_name)
{
	for (int type = MSG_MAP_IDS; type <= MSG_DEVICES; type++) {
		unit_row("%d", type);
		CHECK(!str_eq(msg_type_name(type), "?"));
	}
	for (int type = MSG_OK; type <= MSG_FETCH; type++) {
		unit_row("%d", type);
		CHECK(!str_eq(msg_type_name(type), "?"));
	}
	CHECK_STR(msg_type_name(77), "?");
}

/* What is said at the gate goes between releases: another layout needs another version. */
TEST(version_1_has_this_layout)
{
	static const struct {
		const char *what;
		size_t got, want;
	} rows[] = {
		{ "version", offsetof(struct msg, version), 0 },
		{ "type", offsetof(struct msg, type), 2 },
		{ "number", offsetof(struct msg, number), 8 },
		{ "error", offsetof(struct msg, err), 16 },
		{ "text of a log line", offsetof(struct msg, text), 16 },
		{ "code", offsetof(struct err, code), 0 },
		{ "step", offsetof(struct err, step), 4 },
		{ "id", offsetof(struct err, id), 36 },
		{ "subject", offsetof(struct err, subject), 76 },
		{ "text", offsetof(struct err, text), 332 },
		{ "the whole error", sizeof(struct err), 1356 },
		{ "EXEC", MSG_EXEC, 7 },
		{ "ERROR", MSG_ERROR, 8 },
		{ "LOG", MSG_LOG, 9 },
		{ "LISTENER", MSG_LISTENER, 11 },
		{ "START", MSG_START, 34 },
	};

	CHECK_INT(CHANNEL_VERSION, 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		unit_row("%s", rows[i].what);
		CHECK_INT(rows[i].got, rows[i].want);
	}
}
