/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - the pure result of spec and host facts: what will be done
 *
 * Made before anything exists, const from then on, printable (golden tests need no
 * root; `cleat check --plan` shows it to people).
 */
#ifndef CLEAT_PLAN_PLAN_H
#define CLEAT_PLAN_PLAN_H

#include "cgroup/cgroup.h"
#include "dev/dev.h"
#include "hook/hook.h"
#include "mount/mount.h"
#include "net/net.h"
#include "ns/ns.h"
#include "proc/proc.h"
#include "rdt/rdt.h"
#include "sec/sec.h"

struct plan_options {
	const char *id;
	enum cgroup_manager cgroup_manager;
	enum cgroup_leniency leniency;
	bool no_pivot;
	bool no_new_keyring;
	bool start_later;      /* create: process may be missing until start (config.md) */
	bool require_limits;   /* a limit that cannot be applied is an error, rootless too */
	unsigned preserve_fds; /* descriptors 3 .. 3+n-1 go to the container */
	unsigned listen_fds;
	const char *listen_names; /* LISTEN_FDNAMES, or NULL */
};

struct plan {
	const struct spec *spec;
	struct plan_options options;
	struct ns_plan ns;
	struct mount_plan mount;
	struct dev_plan dev;
	struct cgroup_plan cgroup;
	struct sec_plan sec;
	struct proc_plan proc;
	struct net_plan net;
	struct rdt_plan rdt;
	struct hook_plan hooks;
};

int plan_make(struct arena *a, const struct spec *spec, const struct host *host,
	      const struct plan_options *opt, struct plan **ret, struct err *e);

/*
 * plan_examine() - add to @report all that the rooms would refuse, and what they warn of
 *
 * @report: of spec_examine(), with a config that could be read at least in part
 *
 * Takes what is wrong out of report->spec: with errors it is not for use afterwards. What
 * only this host refuses is a warning.
 */
void plan_examine(struct arena *a, const struct host *host, const struct plan_options *opt,
		  struct spec_report *report);

/* The same for a further process of a container that exists: only what concerns a process. */
int plan_make_exec(struct arena *a, const struct spec *spec, const struct spec_process *process,
		   const struct host *host, const struct plan_options *opt, struct plan **ret,
		   struct err *e);

/* The plan as text, one line an operation, stable: for golden tests and people. */
const char *plan_print(struct arena *a, const struct plan *plan);

#endif
