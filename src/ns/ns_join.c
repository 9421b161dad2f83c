/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ns_join - enter namespaces, new and given
 *
 * setns(2) asks for CAP_SYS_ADMIN in the user namespace that owns the one to be
 * joined. Some of those given may belong to our own user namespace and some to the
 * one that is joined or made: so what can be joined is joined before, and the rest
 * after, where a refusal is final.
 */
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "base/file.h"
#include "base/str.h"
#include "base/trace.h"
#include "ns/ns.h"
#include "sys/sys.h"

/* Is @fd the namespace of this type that we are in? Joining it again may be refused. */
static bool is_own(int type, int fd)
{
	struct stat own, other;
	char name[32] = "/proc/self/ns/";

	str_copy(name + strlen(name), sizeof(name) - strlen(name), spec_ns_proc_name(type));
	return sys_fstatat(AT_FDCWD, name, &own, 0) == 0 && sys_fstat(fd, &other) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

int ns_open(struct ns_plan *p, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_join; i++) {
		struct ns_join j = p->join[i];
		int type;

		j.fd = sys_open(j.path, O_RDONLY, 0);
		if (j.fd < 0)
			return err_sys(e, -j.fd, j.path, "open the %s namespace",
				       spec_ns_name(j.type));
		type = sys_ioctl(j.fd, NS_GET_NSTYPE, NULL);
		if (type != j.type) {
			fd_close(&j.fd);
			return err_user(e, j.path, "'%s' is not a %s namespace", j.path,
					spec_ns_name(j.type));
		}
		if (is_own(j.type, j.fd))
			fd_close(&j.fd);
		else
			p->join[n++] = j;
	}
	p->n_join = n;
	return 0;
}

void ns_close(struct ns_plan *p)
{
	for (size_t i = 0; i < p->n_join; i++)
		fd_close(&p->join[i].fd);
}

static int join_one(struct ns_join *j)
{
	int r = sys_setns(j->fd, j->type);

	trace(STEP, "setns %s: %d", spec_ns_name(j->type), r);
	if (r == 0)
		fd_close(&j->fd);
	return r;
}

static bool is_for_init(const struct ns_plan *p, const struct ns_join *j)
{
	return p->late_cgroup && j->type == CLONE_NEWCGROUP;
}

int ns_join_before_user(struct ns_plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_join; i++) {
		struct ns_join *j = &p->join[i];
		int r;

		if (j->type == CLONE_NEWUSER || is_for_init(p, j))
			continue;
		r = join_one(j);
		if (r == -EPERM && (p->new_user || p->join_user))
			continue; /* the rights for it come with the user namespace */
		if (r < 0)
			return err_sys(e, -r, j->path, "join the %s namespace",
				       spec_ns_name(j->type));
	}
	return 0;
}

int ns_enter_user(const struct ns_plan *p, struct err *e)
{
	int r;

	for (size_t i = 0; i < p->n_join; i++) {
		if (p->join[i].type != CLONE_NEWUSER)
			continue;
		r = sys_setns(p->join[i].fd, CLONE_NEWUSER);
		if (r < 0)
			return err_sys(e, -r, p->join[i].path, "join the user namespace");
	}
	if (!p->new_user)
		return 0;
	r = sys_unshare(CLONE_NEWUSER);
	if (r == -ENOSPC)
		return err_sys(e, ENOSPC, "user.max_user_namespaces",
			       "make a user namespace: the limit is reached:");
	if (r < 0)
		return err_sys(e, -r, NULL, "make a user namespace");
	/* Entering a user namespace makes a process non-dumpable by changing its
	 * credentials, and then /proc/PID/uid_map belongs to root: an unprivileged
	 * parent could not write it. init is made non-dumpable again. */
	if (p->unprivileged)
		sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}

int ns_join_rest(struct ns_plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_join; i++) {
		struct ns_join *j = &p->join[i];
		int r;

		if (j->type == CLONE_NEWUSER || j->fd < 0 || is_for_init(p, j))
			continue;
		r = join_one(j);
		if (r < 0)
			return err_sys(e, -r, j->path, "join the %s namespace",
				       spec_ns_name(j->type));
	}
	return 0;
}

int ns_enter_cgroup(struct ns_plan *p, struct err *e)
{
	int r = 0;

	if (p->create & CLONE_NEWCGROUP) {
		r = sys_unshare(CLONE_NEWCGROUP);
		return r < 0 ? err_sys(e, -r, NULL, "make a cgroup namespace") : 0;
	}
	for (size_t i = 0; i < p->n_join; i++) {
		if (!is_for_init(p, &p->join[i]))
			continue;
		r = join_one(&p->join[i]);
		if (r < 0)
			return err_sys(e, -r, p->join[i].path, "join the cgroup namespace");
	}
	return 0;
}

int ns_enter_time(const struct ns_plan *p, struct err *e)
{
	struct dir here = { .fd = AT_FDCWD };
	int r = sys_unshare(CLONE_NEWTIME);

	if (r < 0)
		return err_sys(e, -r, NULL, "make a time namespace");
	if (!p->time_offsets)
		return 0;
	return file_write_at(&here, "/proc/self/timens_offsets", p->time_offsets,
			     strlen(p->time_offsets), e);
}
