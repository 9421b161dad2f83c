/* SPDX-License-Identifier: Apache-2.0 */
/* prepare - everything that can fail before anything is made, and the end of it */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/run.h"
#include "run/steps.h"
#include "sys/sys.h"

static int progress_make(struct run *r, struct err *e)
{
	void *page = mmap(NULL, sizeof(struct run_progress), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return err_sys(e, errno, NULL, "map the progress page");
	r->progress = page;
	return 0;
}

static int console_prepare(struct run *r, struct err *e)
{
	bool terminal = r->plan->proc.process->terminal;

	if (r->options.console_socket && !terminal)
		return err_user(e, r->options.console_socket,
				"--console-socket was given, but process.terminal is not set");
	if (r->options.console_socket)
		return term_connect(r->options.console_socket, "console", &r->console, e);
	if (terminal && !r->options.foreground)
		return err_user(
			e, "process.terminal",
			"process.terminal needs --console-socket when the container is detached, "
			"or has to be false");
	return 0;
}

static int sockets_prepare(struct run *r, struct err *e)
{
	int ret = console_prepare(r, e);

	if (ret == 0 && r->options.pidfd_socket)
		ret = term_connect(r->options.pidfd_socket, "pidfd", &r->pidfd_socket, e);
	return ret < 0 ? err_set_id(e, "terminal") : 0;
}

/* The initial values of a run; descriptors are empty. */
static void run_init(struct run *r)
{
	r->birth = -1;
	r->pidfd = r->channel = r->gate = r->console = r->pidfd_socket = r->master = -1;
	r->rootfs_tree = r->rootfs_dir = r->userns = -1;
	r->hooks = HOOK_FDS_NONE;
	r->proc = DIR_NONE;
	r->watch.fd = -1;
	r->net = NET_MOVES_NONE;
	r->rdt = RDT_NONE;
	r->ns = r->plan->ns;
}

/* What the new container is made of. */
static int world_open(struct run *r, struct err *e)
{
	int ret = mount_rootfs_open(&r->plan->mount, &r->rootfs_tree, &r->rootfs_dir, e);

	return ret < 0 ? ret : ns_open(&r->ns, e);
}

/*
 * A container without a mount namespace of its own is entered through its init's root. The
 * number was still its init's if that lives now.
 */
static int exec_root_open(struct run *r, struct err *e)
{
	const struct run_exec *exec = r->options.exec;
	char path[48];
	int ret;

	if (exec->namespaces & CLONE_NEWNS)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)exec->pid);
	r->rootfs_dir = sys_open(path, O_PATH | O_DIRECTORY, 0);
	if (r->rootfs_dir < 0)
		return err_sys(e, -r->rootfs_dir, path, "open the container's root");
	ret = sys_pidfd_send_signal(exec->pidfd, 0);
	return ret < 0 ? err_sys(e, -ret, path, "the container ended while we opened") : 0;
}

/*
 * Hooks of the runtime namespace and createContainer hooks run in the bundle's directory. What
 * they write to is opened for later ones too: what cannot be opened is said before anything ran.
 */
static int hooks_prepare(struct run *r, struct err *e)
{
	const struct hook_plan *h = &r->plan->hooks;
	bool in_bundle =
		h->n[HOOK_PRESTART] || h->n[HOOK_CREATE_RUNTIME] || h->n[HOOK_CREATE_CONTAINER];

	if (r->options.exec || !(in_bundle || h->out || h->err))
		return 0;
	return hook_open(h, r->plan->spec->bundle, &r->hooks, e);
}

bool run_has_user_ns(const struct run *r)
{
	if (r->options.exec)
		return r->options.exec->namespaces & CLONE_NEWUSER;
	return r->plan->ns.new_user || r->plan->ns.join_user;
}

/* Those inside may trace exec-init, although it is not dumpable: capabilities(7). */
static bool may_be_traced(const struct run *r)
{
	uint64_t theirs = r->plan->spec->process.caps.bounding;

	return r->options.exec && !run_has_user_ns(r) && theirs & 1ULL << CAP_SYS_PTRACE;
}

/*
 * A refusal is an error: the way to the host that would stay open is there for whoever waits
 * for it, and where there are containers of ours at all, their mounts were made by this call.
 */
int run_cut_off(const struct run *r, int *fd, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd alone = -1;
	int ret;

	if (*fd < 0 || !may_be_traced(r))
		return 0;
	alone = sys_open_tree(*fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	ret = alone < 0 ? alone : sys_mount_setattr(alone, "", AT_EMPTY_PATH, &attr, sizeof(attr));
	if (ret < 0)
		return err_sys(e, -ret, NULL, "clone the cgroup's directory, read-only");
	fd_close(fd);
	*fd = fd_take(&alone);
	return 0;
}

/* Of the process and of the mounts: what is asked for and not to be had is an error. */
static int labels_check(const struct plan *p, struct err *e)
{
	int r = sec_labels_check(&p->sec, e);

	if (r == 0 && p->mount.label)
		r = sec_selinux_check(p->mount.label, "linux.mountLabel", NULL, e);
	return r;
}

int run_prepare(struct arena *a, struct run *r, struct err *e)
{
	struct plan *p = r->plan;
	int ret;

	run_init(r);
	proc_note_inherited(&p->proc);
	r->sets_priorities =
		(p->proc.has_sched || p->proc.ioprio >= 0) && run_has_user_ns(r) && geteuid() == 0;
	ret = r->options.exec ? exec_root_open(r, e) : world_open(r, e);
	if (ret == 0)
		ret = hooks_prepare(r, e);
	if (ret == 0)
		ret = labels_check(p, e);
	if (ret == 0)
		ret = sec_landlock_check(a, &p->sec.landlock, e);
	if (ret == 0 && seccomp_is_wanted(&p->sec.seccomp) &&
	    seccomp_compile(a, &p->sec.seccomp, &r->filter, e) < 0)
		ret = err_set_id(e, "seccomp");
	if (ret == 0 && p->rdt.wanted)
		ret = rdt_open(&r->rdt, e);
	if (ret == 0)
		ret = sockets_prepare(r, e);
	if (ret == 0)
		ret = progress_make(r, e);
	if (ret == 0 && r->options.foreground)
		ret = run_block_signals(e);
	return ret;
}

void run_close(struct run *r)
{
	net_moves_close(&r->net);
	dir_close(&r->rdt.dir);
	ns_close(&r->ns);
	dir_close(&r->proc);
	fd_close(&r->channel);
	fd_close(&r->gate);
	fd_close(&r->console);
	fd_close(&r->pidfd_socket);
	fd_close(&r->master);
	fd_close(&r->rootfs_tree);
	fd_close(&r->rootfs_dir);
	fd_close(&r->userns);
	hook_close(&r->hooks);
	fd_close(&r->pidfd);
}
