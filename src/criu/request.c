/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/request.h"

#include <linux/sched.h>

#include "base/str.h"

/* Everything that CRIU would say: the log is only looked at when something failed. */
#define LOG_LEVEL 4

/* criu_req */
enum { REQ_TYPE = 1, REQ_OPTS = 2, REQ_NOTIFY_SUCCESS = 3 };

/* criu_opts */
enum {
	OPT_IMAGES = 1,
	OPT_PID = 2,
	OPT_LEAVE_RUNNING = 3,
	OPT_EXT_UNIX_SK = 4,
	OPT_TCP_ESTABLISHED = 5,
	OPT_EVASIVE_DEVICES = 6,
	OPT_SHELL_JOB = 7,
	OPT_FILE_LOCKS = 8,
	OPT_LOG_LEVEL = 9,
	OPT_LOG_FILE = 10,
	OPT_PAGE_SERVER = 11,
	OPT_NOTIFY_SCRIPTS = 12,
	OPT_ROOT = 13,
	OPT_PARENT = 14,
	OPT_TRACK_MEM = 15,
	OPT_AUTO_DEDUP = 16,
	OPT_WORK = 17,
	OPT_LINK_REMAP = 18,
	OPT_MANAGE_CGROUPS = 24,
	OPT_CGROUP_ROOT = 25,
	OPT_SIBLING = 26,
	OPT_INHERIT_FD = 27,
	OPT_MANAGE_CGROUPS_MODE = 34,
	OPT_EXTERNAL = 37,
	OPT_EMPTY_NS = 38,
	OPT_JOIN_NS = 39,
	OPT_FREEZE_CGROUP = 44,
	OPT_TCP_SKIP_IN_FLIGHT = 46,
	OPT_LAZY_PAGES = 48,
	OPT_ORPHAN_PTS_MASTER = 50,
	OPT_CONFIG_FILE = 51,
	OPT_TCP_CLOSE = 52,
	OPT_LSM_PROFILE = 53,
	OPT_LSM_MOUNT_CONTEXT = 63,
	OPT_NETWORK_LOCK = 64,
};

/* --- requests --------------------------------------------------------------------------------- */

void request_plain(struct wire *w, enum criu_message type)
{
	wire_put_number(w, REQ_TYPE, type);
}

void request_noted(struct wire *w, bool success)
{
	wire_put_number(w, REQ_TYPE, CRIU_MSG_NOTIFY);
	wire_put_number(w, REQ_NOTIFY_SUCCESS, success);
}

static int put_page_server(struct wire *w, const char *where, struct err *e)
{
	struct wire server = { .arena = w->arena };
	const char *colon = strrchr(where, ':');
	uint32_t port;

	if (!colon || colon == where || str_to_u32(colon + 1, &port) < 0 || !port || port > 65535)
		return err_user(e, where, "'%s' is not ADDRESS:PORT of a page server", where);
	wire_put_bytes(&server, 1, where, (size_t)(colon - where));
	wire_put_number(&server, 2, port);
	wire_put_message(w, OPT_PAGE_SERVER, &server);
	return 0;
}

/* All the small messages of criu_opts are a text and something. */
static void put_pair(struct wire *w, unsigned field, unsigned first, const char *a, unsigned second,
		     const char *b)
{
	struct wire pair = { .arena = w->arena };

	wire_put_text(&pair, first, a);
	wire_put_text(&pair, second, b);
	wire_put_message(w, field, &pair);
}

static void put_inherit(struct wire *w, const struct criu_inherit *i)
{
	struct wire pair = { .arena = w->arena };

	wire_put_text(&pair, 1, i->key);
	wire_put_number(&pair, 2, (uint64_t)i->fd);
	wire_put_message(w, OPT_INHERIT_FD, &pair);
}

static void put_choices(struct wire *w, const struct criu_choices *c)
{
	wire_put_flag(w, OPT_LEAVE_RUNNING, c->leave_running);
	wire_put_flag(w, OPT_EXT_UNIX_SK, c->ext_unix_sk);
	wire_put_flag(w, OPT_TCP_ESTABLISHED, c->tcp_established);
	wire_put_flag(w, OPT_TCP_SKIP_IN_FLIGHT, c->tcp_skip_in_flight);
	wire_put_flag(w, OPT_TCP_CLOSE, c->tcp_close);
	wire_put_flag(w, OPT_SHELL_JOB, c->shell_job);
	wire_put_flag(w, OPT_FILE_LOCKS, c->file_locks);
	wire_put_flag(w, OPT_AUTO_DEDUP, c->auto_dedup);
	wire_put_flag(w, OPT_LINK_REMAP, c->link_remap);
	wire_put_flag(w, OPT_LAZY_PAGES, c->lazy_pages);
	wire_put_text(w, OPT_PARENT, c->parent_path);
	wire_put_text(w, OPT_LSM_PROFILE, c->lsm_profile);
	wire_put_text(w, OPT_LSM_MOUNT_CONTEXT, c->lsm_mount_context);
	if (c->empty_network)
		wire_put_number(w, OPT_EMPTY_NS, CLONE_NEWNET);
	if (c->network_lock)
		wire_put_number(w, OPT_NETWORK_LOCK, c->network_lock);
	wire_put_flag(w, OPT_MANAGE_CGROUPS, true);
	wire_put_number(w, OPT_MANAGE_CGROUPS_MODE,
			(c->cgroups ? c->cgroups : CRIU_CGROUPS_SOFT) - 1);
}

static void put_lists(struct wire *w, const struct criu_request *q)
{
	for (size_t i = 0; i < q->n_external; i++)
		wire_put_text(w, OPT_EXTERNAL, q->external[i]);
	for (size_t i = 0; i < q->n_inherit; i++)
		put_inherit(w, &q->inherit[i]);
	for (size_t i = 0; i < q->n_join; i++)
		put_pair(w, OPT_JOIN_NS, 1, q->join[i].ns, 2, q->join[i].path);
	for (size_t i = 0; i < q->n_roots; i++)
		put_pair(w, OPT_CGROUP_ROOT, 1, q->roots[i].controllers, 2, q->roots[i].path);
}

int request_encode(struct wire *w, const struct criu_request *q, struct err *e)
{
	static const enum criu_message types[] = {
		[CRIU_DUMP] = CRIU_MSG_DUMP,
		[CRIU_PRE_DUMP] = CRIU_MSG_PRE_DUMP,
		[CRIU_RESTORE] = CRIU_MSG_RESTORE,
	};
	struct wire opts = { .arena = w->arena };

	wire_put_number(&opts, OPT_IMAGES, (uint64_t)q->images);
	wire_put_number(&opts, OPT_WORK, (uint64_t)q->work);
	wire_put_number(&opts, OPT_LOG_LEVEL, LOG_LEVEL);
	wire_put_text(&opts, OPT_LOG_FILE, q->log_file);
	wire_put_text(&opts, OPT_ROOT, q->root);
	wire_put_text(&opts, OPT_FREEZE_CGROUP, q->freezer);
	wire_put_text(&opts, OPT_CONFIG_FILE, q->config_file);
	wire_put_flag(&opts, OPT_NOTIFY_SCRIPTS, true);
	wire_put_flag(&opts, OPT_EVASIVE_DEVICES, true);
	wire_put_flag(&opts, OPT_ORPHAN_PTS_MASTER, true);
	put_choices(&opts, q->choices);
	if (q->choices->page_server && put_page_server(&opts, q->choices->page_server, e) < 0)
		return -e->code;
	/* what a later dump refers to has to be tracked from the first one on */
	wire_put_flag(&opts, OPT_TRACK_MEM, q->verb == CRIU_PRE_DUMP || q->choices->parent_path);
	if (q->verb == CRIU_RESTORE)
		wire_put_flag(&opts, OPT_SIBLING, true);
	else
		wire_put_number(&opts, OPT_PID, (uint64_t)q->pid);
	put_lists(&opts, q);
	request_plain(w, types[q->verb]);
	wire_put_message(w, REQ_OPTS, &opts);
	return 0;
}

/* --- responses -------------------------------------------------------------------------------- */

static struct wire_reader inside(const struct wire_field *f)
{
	return (struct wire_reader){ .at = f->data, .left = f->len };
}

/* A sub-message: three numbers and a text are all that is wanted of any. */
static bool read_part(struct arena *a, const struct wire_field *f, uint64_t numbers[3],
		      const char **text)
{
	struct wire_reader r = inside(f);
	struct wire_field part;

	while (f->data && wire_next(&r, &part)) {
		if (part.data && text)
			*text = arena_strndup(a, (const char *)part.data, part.len);
		else if (part.number == 1)
			numbers[0] = part.value;
		else if (part.number == 2)
			numbers[1] = part.value;
		else if (part.number == 4)
			numbers[2] = part.value;
	}
	return f->data && !r.broken;
}

static bool read_field(struct arena *a, const struct wire_field *f, struct response *ret)
{
	uint64_t numbers[3] = { 0 };
	bool whole;

	switch (f->number) {
	case 1:
		ret->type = (enum criu_message)f->value;
		return true;
	case 2:
		ret->success = f->value;
		return true;
	case 4: /* criu_restore_resp */
		whole = read_part(a, f, numbers, NULL);
		ret->restored = (pid_t)numbers[0];
		return whole;
	case 5: /* criu_notify */
		whole = read_part(a, f, numbers, &ret->script);
		ret->pid = (pid_t)numbers[1];
		return whole;
	case 7:
		ret->code = (int)(int64_t)f->value;
		return true;
	case 9:
		ret->message = arena_strndup(a, f->data ? (const char *)f->data : "", f->len);
		return true;
	case 10: /* criu_version */
		whole = read_part(a, f, numbers, NULL);
		ret->major = (unsigned)numbers[0];
		ret->minor = (unsigned)numbers[1];
		ret->sublevel = (unsigned)numbers[2];
		return whole;
	default:
		return true;
	}
}

int response_decode(struct arena *a, const void *data, size_t len, struct response *ret)
{
	struct wire_reader r = { .at = data, .left = len };
	struct wire_field f;

	*ret = (struct response){ 0 };
	while (wire_next(&r, &f))
		if (!read_field(a, &f, ret))
			return -EPROTO;
	return r.broken ? -EPROTO : 0;
}
