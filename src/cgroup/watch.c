/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - to be told of what happens to a cgroup
 *
 * v2: memory.events and cgroup.events wake poll(2) when a number in them changes. v1: an
 * eventfd that is registered for memory.oom_control (memcg_test.txt, "oom notifier"); it
 * also fires when the cgroup is removed, which is no such event.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroup/stats_read.h"
#include "sys/sys.h"

static int open_v1(struct cgroup_watch *w, const struct cgroup_dir *d, struct err *e)
{
	char text[32];
	int r;

	w->v1 = true;
	w->oom = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->oom < 0)
		return err_sys(e, errno, NULL, "make an eventfd");
	w->control = cgroup_open_file(w->cg, d, "memory.oom_control", O_RDONLY);
	if (w->control < 0)
		return cgroup_error(d, w->control, e, "open memory.oom_control of");
	snprintf(text, sizeof(text), "%d %d", w->oom, w->control);
	r = cgroup_write_file(w->cg, d, "cgroup.event_control", text);
	return r < 0 ? cgroup_error(d, r, e, "watch memory.oom_control of") : 0;
}

static uint64_t count_kills(const struct cgroup_watch *w)
{
	char buf[512], *text = buf, *key, *value;
	ssize_t n = sys_pread(w->oom, buf, sizeof(buf) - 1, 0);
	uint64_t kills = 0;

	buf[n > 0 ? n : 0] = '\0';
	while (stats_pair(&text, &key, &value))
		if (str_eq(key, "oom_kill") && str_to_u64(value, &kills) < 0)
			kills = 0;
	return kills;
}

int cgroup_watch_open(struct cgroup *cg, struct cgroup_watch *ret, struct err *e)
{
	const struct cgroup_dir *v2 = cgroup_dir_v2(cg), *v1 = cgroup_dir_v1(cg, "memory");
	int r = 0;

	*ret = (struct cgroup_watch){ .cg = cg, .oom = -1, .events = -1, .control = -1 };
	if (v1)
		r = open_v1(ret, v1, e);
	else if (v2)
		/* a cgroup without the memory controller does not have it */
		ret->oom = cgroup_open_file(cg, v2, "memory.events", O_RDONLY);
	if (r == 0 && v2) {
		ret->events = cgroup_open_file(cg, v2, "cgroup.events", O_RDONLY);
		if (ret->events < 0)
			r = cgroup_error(v2, ret->events, e, "open cgroup.events of");
	}
	if (r < 0) {
		cgroup_watch_close(ret);
		return r;
	}
	if (!ret->v1 && ret->oom >= 0)
		ret->kills = count_kills(ret);
	return 0;
}

void cgroup_watch_close(struct cgroup_watch *w)
{
	fd_close(&w->oom);
	fd_close(&w->events);
	fd_close(&w->control);
}

void cgroup_watch_poll(const struct cgroup_watch *w, struct pollfd fds[CGROUP_WATCH_FDS])
{
	fds[0] = (struct pollfd){ .fd = w->oom, .events = w->v1 ? POLLIN : POLLPRI };
	fds[1] = (struct pollfd){ .fd = w->events, .events = POLLPRI };
}

static bool look_v1(const struct cgroup_watch *w)
{
	const struct cgroup_dir *d = cgroup_dir_v1(w->cg, "memory");
	uint64_t times;

	return sys_read(w->oom, &times, sizeof(times)) == sizeof(times) &&
	       cgroup_dir_inode(w->cg, d) != 0;
}

unsigned cgroup_watch_look(struct cgroup_watch *w)
{
	struct cgroup_events now;
	unsigned what = 0;
	uint64_t kills;
	int r;

	if (w->v1) {
		what |= look_v1(w) ? CGROUP_WATCH_OOM : 0;
	} else if (w->oom >= 0) {
		kills = count_kills(w);
		what |= kills > w->kills ? CGROUP_WATCH_OOM : 0;
		w->kills = kills;
	}
	if (w->events < 0)
		return what;
	/* poll(2) compares with what this descriptor read last */
	r = cgroup_events_read_fd(w->events, &now);
	if (r < 0 || now.populated == 0)
		what |= CGROUP_WATCH_EMPTY;
	return what;
}
