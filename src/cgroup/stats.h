/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats - what a container uses, from the files of its cgroup
 *
 * One struct for v1, v2 and hosts with both, each controller read where it is. Nothing
 * here fails because a file is not there: what the host does not tell is zero, and the
 * limits that are none are CGROUP_UNLIMITED.
 */
#ifndef CLEAT_CGROUP_STATS_H
#define CLEAT_CGROUP_STATS_H

#include <stdbool.h>
#include <poll.h>

#include "base/arena.h"
#include "base/err.h"

#define CGROUP_UNLIMITED UINT64_MAX

/* Pressure stall information: Documentation/accounting/psi.rst of the kernel. */
struct cgroup_pressure {
	struct cgroup_pressure_line {
		unsigned avg10, avg60, avg300; /* hundredths of a per cent */
		uint64_t total;		       /* us */
	} some, full;
	bool has; /* the kernel keeps it */
};

struct cgroup_cpu_stats {
	uint64_t total, user, kernel;			/* ns */
	uint64_t *percpu, *percpu_user, *percpu_kernel; /* ns; v1 only */
	size_t n_percpu, n_percpu_user, n_percpu_kernel;
	uint64_t periods, throttled_periods, throttled_time; /* the time in ns */
	struct cgroup_pressure pressure;
};

struct cgroup_memory_use {
	uint64_t limit, usage, max, failures; /* bytes; how often the limit was reached */
};

struct cgroup_stat_entry {
	const char *name;
	uint64_t value;
};

struct cgroup_memory_stats {
	/* swap is memory and swap together, as v1 counts; kernel and tcp are v1 only */
	struct cgroup_memory_use memory, swap, kernel, tcp;
	uint64_t cache, inactive_file;
	struct {
		struct cgroup_stat_entry *v;
		size_t n, cap;
	} all; /* every line of memory.stat */
	uint64_t oom_kills;
	struct cgroup_pressure pressure;
};

struct cgroup_io_entry {
	uint64_t major, minor, value;
	const char *op; /* "Read", "Write", ... */
};

struct cgroup_io_list {
	struct cgroup_io_entry *v;
	size_t n, cap;
};

struct cgroup_io_stats {
	struct cgroup_io_list bytes, operations;
	/* of the bfq and cfq schedulers, v1 only */
	struct cgroup_io_list queued, service_time, wait_time, merged, time, sectors;
	struct cgroup_pressure pressure;
};

struct cgroup_huge_pages {
	const char *size; /* "2MB" */
	uint64_t usage, max, failures;
};

struct cgroup_cpuset_stats {
	const char *cpus, *mems; /* "0-3,7"; those in force */
	uint64_t cpu_exclusive, mem_hardwall, mem_exclusive, memory_migrate, memory_spread_page,
		memory_spread_slab, memory_pressure, sched_load_balance;
	int64_t sched_relax_domain_level;
};

struct cgroup_stats {
	struct cgroup_cpu_stats cpu;
	struct cgroup_cpuset_stats cpuset;
	struct cgroup_memory_stats memory;
	uint64_t pids, pids_limit;
	struct cgroup_io_stats io;
	struct {
		struct cgroup_huge_pages *v;
		size_t n, cap;
	} huge_pages;
};

struct cgroup;
/* -ENODEV when the cgroup has gone, or is not the recorded one. */
int cgroup_stats_read(struct arena *a, struct cgroup *cg, struct cgroup_stats *ret, struct err *e);

/* --- watching --------------------------------------------------------------------------------- */

/*
 * Tells of processes that are killed for memory, and of the end: v2 by memory.events and
 * cgroup.events, v1 by an eventfd on memory.oom_control.
 */
struct cgroup_watch {
	struct cgroup *cg;
	int oom, events, control; /* descriptors; -1 */
	uint64_t kills;
	bool v1;
};
enum { CGROUP_WATCH_OOM = 1 << 0, CGROUP_WATCH_EMPTY = 1 << 1 };
#define CGROUP_WATCH_FDS 2

/* @cg must stay open. Returns 0 or -errno. */
int cgroup_watch_open(struct cgroup *cg, struct cgroup_watch *ret, struct err *e);
void cgroup_watch_close(struct cgroup_watch *w);
/* For poll(2); those that are not there have the descriptor -1. */

void cgroup_watch_poll(const struct cgroup_watch *w, struct pollfd fds[CGROUP_WATCH_FDS]);
/* What has happened since the last call: CGROUP_WATCH_*. */
unsigned cgroup_watch_look(struct cgroup_watch *w);

#endif
