/* SPDX-License-Identifier: Apache-2.0 */
#include "run/channel.h"

#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/table.h"
#include "base/trace.h"
#include "sys/sys.h"

/* The part of a message that comes before its body. */
#define MSG_HEAD offsetof(struct msg, err)

static const struct name_row type_names[] = {
	{ "map-ids", MSG_MAP_IDS }, { "init", MSG_INIT },	  { "source", MSG_SOURCE },
	{ "hooks", MSG_HOOKS },	    { "console", MSG_CONSOLE },	  { "ready", MSG_READY },
	{ "exec", MSG_EXEC },	    { "error", MSG_ERROR },	  { "log", MSG_LOG },
	{ "cgroup", MSG_CGROUP },   { "listener", MSG_LISTENER }, { "ok", MSG_OK },
	{ "go", MSG_GO },	    { "start", MSG_START },	  { "devices", MSG_DEVICES },
	{ "fetch", MSG_FETCH },
};

const char *msg_type_name(int type)
{
	const char *name = name_of(type_names, COUNT(type_names), type);

	return name ? name : "?";
}

static int send_msg(int sock, const struct msg *m, size_t len, int fd)
{
	ssize_t n = sys_send_fds(sock, m, len, &fd, fd >= 0 ? 1 : 0, MSG_NOSIGNAL);

	trace(MSG, "send %s %lld", msg_type_name(m->type), (long long)m->number);
	return n < 0 ? (int)n : 0;
}

static void msg_begin(struct msg *m, enum msg_type type, int64_t number)
{
	m->version = CHANNEL_VERSION;
	m->type = (uint16_t)type;
	m->reserved = 0;
	m->number = number;
}

int channel_send(int sock, enum msg_type type, int64_t number, int fd)
{
	struct msg m;

	msg_begin(&m, type, number);
	return send_msg(sock, &m, MSG_HEAD, fd);
}

static int write_msg(int sock, const struct msg *m, size_t len)
{
	ssize_t n = sys_write(sock, m, len);

	return n < 0 ? (int)n : n == (ssize_t)len ? 0 : -EIO;
}

int channel_send_err(int sock, const struct err *e)
{
	struct msg m;
	int r;

	msg_begin(&m, MSG_ERROR, e->code);
	m.err = *e;
	r = send_msg(sock, &m, MSG_HEAD + sizeof(m.err), -1);
	/* a filter that is in force already may forbid sendmsg(2); few forbid write(2) */
	if (r < 0 && r != -EPIPE)
		r = write_msg(sock, &m, MSG_HEAD + sizeof(m.err));
	return r;
}

int channel_send_log(int sock, int level, const char *text)
{
	struct msg m;

	msg_begin(&m, MSG_LOG, level);
	str_copy(m.text, sizeof(m.text), text);
	return send_msg(sock, &m, MSG_HEAD + strlen(m.text) + 1, -1);
}

/* The text of a datagram of @len bytes, which may be an error report's length. */
static void end_text(struct msg *m, size_t len)
{
	size_t n = len > MSG_HEAD ? len - MSG_HEAD - 1 : 0;

	m->text[n < sizeof(m->text) ? n : sizeof(m->text) - 1] = '\0';
}

/* A message comes from inside the container's namespaces: nothing in it is believed. */
static int msg_check(struct msg *m, size_t len, struct err *e)
{
	if (len < MSG_HEAD || m->version != CHANNEL_VERSION)
		return err_code(e, EPROTO, NULL, "a message of %zu bytes, version %u, is not ours",
				len, len >= MSG_HEAD ? m->version : 0);
	if (m->type == MSG_ERROR) {
		if (len != MSG_HEAD + sizeof(m->err) || err_sanitize(&m->err) < 0)
			return err_code(e, EPROTO, NULL, "a broken error report");
		return 0;
	}
	if (m->type == MSG_LOG) {
		end_text(m, len);
		str_escape_control(m->text);
	}
	return 0;
}

int channel_recv(int sock, struct msg *m, int *ret_fd, struct err *e)
{
	int fds[1] = { -1 };
	size_t n_fds = 1;
	auto_fd fd = -1;
	ssize_t n = sys_recv_fds(sock, m, sizeof(*m), fds, &n_fds, 0);

	*ret_fd = -1;
	if (n == -ECONNRESET || n == 0)
		return 0;
	if (n < 0)
		return err_sys(e, (int)-n, NULL, "receive a message");
	fd = n_fds ? fds[0] : -1;
	if (msg_check(m, (size_t)n, e) < 0)
		return -EPROTO;
	trace(MSG, "receive %s %lld", msg_type_name(m->type), (long long)m->number);
	*ret_fd = fd_take(&fd);
	return 1;
}
