/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_check - everything that the rooms refuse, not only the first
 *
 * A room ends at the first thing that it cannot plan. Here that is noted, taken out of the
 * configuration, and the room asked again, until it has nothing to say. Items of lists are
 * replaced by harmless ones, so that the numbers of the others stay what they are.
 */
#include "plan/plan_doubt.h"

#include <sched.h>
#include <stdlib.h>

#include "base/str.h"

#define ROUNDS_MAX 1000 /* of one room: enough to read */

/* --- taking out --------------------------------------------------------------------------------- */

struct list { /* of pointers, "mounts" */
	const char *path;
	void **items;
	size_t n;
	void *harmless;
};

static bool index_of(const char *path, const char *list, size_t n, size_t *ret)
{
	size_t len = strlen(list);
	char *end;

	if (strncmp(path, list, len) != 0 || path[len] != '[')
		return false;
	*ret = strtoul(path + len + 1, &end, 10);
	return *end == ']' && *ret < n; /* whatever comes behind */
}

static bool replace(const struct list *lists, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++) {
		size_t at;

		if (!lists[i].items || !index_of(path, lists[i].path, lists[i].n, &at) ||
		    lists[i].items[at] == lists[i].harmless)
			continue;
		lists[i].items[at] = lists[i].harmless;
		return true;
	}
	return false;
}

/* Maps are alike whatever they hold. The key stands in the message in quotes. */
struct map {
	const char *path;
	struct oci_string_map *map;
};

static bool remove_key(struct arena *a, const struct map *maps, size_t n, const char *path,
		       const char *text)
{
	for (size_t i = 0; i < n; i++) {
		struct oci_string_map *map = maps[i].map;

		if (!map || !spec_path_is_below(path, maps[i].path))
			continue;
		for (size_t k = 0; k < map->n; k++) {
			const char *key = map->entries[k].key;

			if (!strstr(text, arena_printf(a, "'%s'", key)) &&
			    !strstr(text, arena_printf(a, "%s.%s.", maps[i].path, key)) &&
			    !str_eq(path, arena_printf(a, "%s[\"%s\"]", maps[i].path, key)))
				continue;
			map->entries[k] = map->entries[--map->n];
			return true;
		}
	}
	return false;
}

struct part { /* an object as a whole; NULL afterwards */
	const char *path;
	void **object;
};

static bool drop(const struct part *parts, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (*parts[i].object && spec_path_is_below(path, parts[i].path)) {
			*parts[i].object = NULL;
			return true;
		}
	return false;
}

#define PART(path, field)               \
	{                               \
		path, (void **)&(field) \
	}

/* What is about one property of the filter need not hide what its rules have. */
static bool mend_filter(struct oci_linux_seccomp *s, const char *path)
{
	static char action[] = "SCMP_ACT_ERRNO";

	if (spec_path_is_below(path, "linux.seccomp.defaultAction") &&
	    s->default_action != action) {
		s->default_action = action;
		s->has_default_errno_ret = false;
		return true;
	}
	if (spec_path_is_below(path, "linux.seccomp.architectures") && s->n_architectures) {
		s->n_architectures = 0;
		return true;
	}
	if (spec_path_is_below(path, "linux.seccomp.flags") && s->n_flags) {
		s->n_flags = 0;
		return true;
	}
	return false;
}

static bool drop_of_process(struct oci_process *p, const char *path)
{
	const struct part parts[] = {
		PART("process.scheduler", p->scheduler),
		PART("process.ioPriority", p->io_priority),
		PART("process.execCPUAffinity", p->exec_cpu_affinity),
	};

	return drop(parts, COUNT(parts), path);
}

static bool drop_of_linux(struct oci_linux *l, const char *path)
{
	struct oci_linux_resources none = { 0 };
	struct oci_linux_resources *r = l->resources ? l->resources : &none;
	const struct part parts[] = {
		PART("linux.resources.memory", r->memory),
		PART("linux.resources.cpu", r->cpu),
		PART("linux.resources.pids", r->pids),
		PART("linux.resources.blockIO", r->block_io),
		PART("linux.resources.network", r->network),
		PART("linux.resources.rdma", r->rdma),
		PART("linux.resources.unified", r->unified),
		PART("linux.resources", l->resources),
		PART("linux.seccomp", l->seccomp),
		PART("linux.netDevices", l->net_devices),
		PART("linux.sysctl", l->sysctl),
		PART("linux.memoryPolicy", l->memory_policy),
		PART("linux.personality", l->personality),
		PART("linux.intelRdt", l->intel_rdt),
		PART("linux.timeOffsets", l->time_offsets),
		PART("linux.cgroupsPath", l->cgroups_path),
	};

	return drop(parts, COUNT(parts), path);
}

static bool replace_of_linux(struct oci_linux *l, const char *path)
{
	static struct oci_linux_device fifo = { .path = "/dev/.cleat-check", .type = "p" };
	static const char *name = "getpid";
	static struct oci_linux_syscall call = {
		.names = &name,
		.n_names = 1,
		.action = "SCMP_ACT_ALLOW",
	};
	static struct oci_linux_hugepage_limit pages = { .page_size = "2MB" };
	static struct oci_linux_device_cgroup rule = { .type = "c", .access = "r" };
	struct oci_linux_resources none = { 0 };
	const struct oci_linux_resources *r = l->resources ? l->resources : &none;
	struct oci_linux_seccomp no_filter = { 0 };
	const struct oci_linux_seccomp *s = l->seccomp ? l->seccomp : &no_filter;
	static char nowhere[] = "/.cleat-check";
	const struct list lists[] = {
		{ "linux.devices", (void **)l->devices, l->n_devices, &fifo },
		{ "linux.maskedPaths", (void **)l->masked_paths, l->n_masked_paths, nowhere },
		{ "linux.readonlyPaths", (void **)l->readonly_paths, l->n_readonly_paths, nowhere },
		{ "linux.seccomp.syscalls", (void **)s->syscalls, s->n_syscalls, &call },
		{ "linux.resources.devices", (void **)r->devices, r->n_devices, &rule },
		{ "linux.resources.hugepageLimits", (void **)r->hugepage_limits,
		  r->n_hugepage_limits, &pages },
	};

	return replace(lists, COUNT(lists), path);
}

static bool drop_of_spec(struct spec *s, const char *path)
{
	const struct part parts[] = {
		PART("hostname", s->hostname),
		PART("domainname", s->domainname),
	};

	return drop(parts, COUNT(parts), path);
}

/* Take out of @spec what @path names and @text speaks of. False: nobody knows how. */
static bool take_out(struct arena *a, struct spec *spec, const char *path, const char *text)
{
	struct oci_config *config = (struct oci_config *)spec->config;
	static struct oci_mount mount = {
		.destination = "/.cleat-check",
		.type = "tmpfs",
		.source = "tmpfs",
	};
	const struct list mounts[] = {
		{ "mounts", (void **)config->mounts, config->n_mounts, &mount },
	};
	const struct map annotations = { "annotations", config->annotations };
	struct oci_linux *l = config->linux;

	if (remove_key(a, &annotations, 1, path, text))
		return true;
	if (replace(mounts, COUNT(mounts), path))
		return true;
	if (str_eq(path, "mounts") && config->n_mounts) {
		config->n_mounts = 0;
		return true;
	}
	if (drop_of_spec(spec, path))
		return true;
	if (config->process && drop_of_process(config->process, path))
		return true;
	if (l) {
		const struct map maps[] = {
			{ "linux.sysctl", l->sysctl },
			{ "linux.netDevices", (struct oci_string_map *)(void *)l->net_devices },
			{ "linux.resources.unified", l->resources ? l->resources->unified : NULL },
			{ "linux.resources.rdma",
			  l->resources ? (struct oci_string_map *)(void *)l->resources->rdma
				       : NULL },
		};

		return replace_of_linux(l, path) || remove_key(a, maps, COUNT(maps), path, text) ||
		       (l->seccomp && mend_filter(l->seccomp, path)) || drop_of_linux(l, path);
	}
	return false;
}

/* --- asking the rooms ------------------------------------------------------------------------------ */

struct examination {
	struct arena *a;
	struct spec *spec;
	const struct host *host;
	const struct plan_options *opt;
	struct spec_report *report;
	size_t n_said; /* of its findings: those before the rooms were asked */
	struct plan plan;
};

typedef int (*room_plan)(struct examination *x, struct err *e);

static int ask_ns(struct examination *x, struct err *e)
{
	return ns_plan_make(x->a, x->spec, x->host, &x->plan.ns, e);
}

static int ask_mount(struct examination *x, struct err *e)
{
	const struct mount_plan_options opt = { .no_pivot = x->opt->no_pivot };

	return mount_plan_make(x->a, x->spec, x->host, &opt, &x->plan.mount, e);
}

static int ask_dev(struct examination *x, struct err *e)
{
	return dev_plan_make(x->a, x->spec, x->host, &x->plan.dev, e);
}

static int ask_cgroup(struct examination *x, struct err *e)
{
	const struct cgroup_plan_options opt = {
		.manager = x->opt->cgroup_manager,
		.id = x->opt->id,
		.rootless = host_is_rootless(x->host),
		.leniency = x->opt->leniency,
		.require_limits = x->opt->require_limits,
	};

	return cgroup_plan_make(x->a, x->spec, x->host, &opt, &x->plan.cgroup, e);
}

static void add_remark(struct examination *x, const char *text)
{
	spec_report_add(x->a, x->report, spec_finding_make(x->a, SPEC_REMARK, text));
}

static int ask_sec(struct examination *x, struct err *e)
{
	struct seccomp_filter filter;

	if (!x->spec->has_process)
		return 0;
	if (sec_plan_make(x->a, x->spec, &x->spec->process, x->host, x->opt->id, true, &x->plan.sec,
			  e) < 0)
		return -e->code;
	if (!seccomp_is_wanted(&x->plan.sec.seccomp))
		return 0;
	if (seccomp_compile(x->a, &x->plan.sec.seccomp, &filter, e) < 0)
		return -e->code;
	if (filter.raw && !filter.listener_path && x->plan.sec.seccomp.receiver &&
	    !x->plan.sec.seccomp.from_environment)
		add_remark(x, arena_printf(x->a, "%s: never asks the receiver of its listener",
					   seccomp_origin(&filter)));
	if (seccomp_kills_exec(&filter))
		add_remark(x, arena_printf(x->a,
					   "%s: ends whoever calls execve, so no program can be "
					   "run",
					   seccomp_origin(&filter)));
	return 0;
}

static int ask_proc(struct examination *x, struct err *e)
{
	if (!x->spec->has_process)
		return 0;
	return proc_plan_make(x->a, x->spec, &x->spec->process, x->host, &x->plan.proc, e);
}

static int ask_net(struct examination *x, struct err *e)
{
	return net_plan_make(x->a, x->spec, x->host, &x->plan.net, e);
}

static int ask_rdt(struct examination *x, struct err *e)
{
	return rdt_plan_make(x->a, x->spec, x->opt->id, &x->plan.rdt, e);
}

/*
 * What this host lacks or does not permit makes no configuration wrong: another host may
 * have it.
 */
static enum spec_severity severity_of(int code)
{
	switch (code) {
	case ENOTSUP:
	case ENOSYS:
	case ENODEV:
	case EPERM:
	case EACCES:
		return SPEC_WARNING;
	default:
		return SPEC_ERROR;
	}
}

/* What spec/ said of a value need not be said by the room in its words. */
static bool is_said(const struct examination *x, const char *path)
{
	const struct spec_finding *v = x->report->v;

	for (size_t i = 0; *path && i < x->n_said; i++)
		if (v[i].severity == SPEC_ERROR && spec_path_is_below(v[i].path, path))
			return true;
	return false;
}

/* Members of a map are named in the message in quotes: find the one that it speaks of. */
static const char *precise_path(struct examination *x, const char *path, const char *text)
{
	const char *open = strchr(text, '\''), *close = open ? strchr(open + 1, '\'') : NULL;
	struct ocispec_place place;
	const char *member;

	if (!close)
		return path;
	member = arena_printf(x->a, "%s[\"%.*s\"]", path, (int)(close - open - 1), open + 1);
	return spec_locate(x->spec->text, x->spec->text_len, member, &place) ? member : path;
}

static void ask(struct examination *x, room_plan room)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		struct err e = { 0 };
		struct spec_finding f;
		const char *path;

		if (room(x, &e) == 0)
			return;
		f = spec_finding_make(x->a, severity_of(e.code), e.text);
		f.code = e.code;
		path = f.path;
		f.path = precise_path(x, path, f.text);
		if (!is_said(x, f.path))
			spec_report_add(x->a, x->report, f);
		if (!take_out(x->a, x->spec, path, f.text))
			return;
	}
}

/*
 * Every room looks at the namespaces. Where one could not be decoded, it may have been any
 * that is not there, and a room does not get to complain that it is not.
 */
static void assume_namespaces(struct spec *s)
{
	const struct oci_linux *l = s->config->linux;
	uint64_t any = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |
		       CLONE_NEWTIME | CLONE_NEWUTS;

	if (l && l->n_uid_mappings && l->n_gid_mappings)
		any |= CLONE_NEWUSER;
	s->ns_new |= any & ~s->ns_joined;
}

/* What could not be decoded is absent or empty, which no room expects of what is required. */
static void leave_out(struct examination *x, const char *path)
{
	take_out(x->a, x->spec, path, path);
	if (str_eq(path, "linux") || spec_path_is_below(path, "linux.namespaces"))
		assume_namespaces(x->spec);
}

void plan_examine(struct arena *a, const struct host *host, const struct plan_options *opt,
		  struct spec_report *report)
{
	static const room_plan rooms[] = {
		ask_ns, ask_mount, ask_dev, ask_cgroup, ask_sec, ask_proc, ask_net, ask_rdt,
	};
	struct examination x = {
		.a = a,
		.spec = (struct spec *)report->spec,
		.host = host,
		.opt = opt,
		.report = report,
	};

	plan_doubt(a, report);
	x.n_said = report->n;
	for (size_t i = 0; i < x.n_said; i++) {
		const struct spec_finding *f = &report->v[i];

		if (f->decoded && f->severity == SPEC_ERROR)
			leave_out(&x, f->path);
	}
	for (size_t i = 0; i < COUNT(rooms); i++)
		ask(&x, rooms[i]);
	for (size_t i = 0; i < x.plan.cgroup.n_warnings; i++)
		spec_report_add(a, report,
				spec_finding_make(a, SPEC_WARNING, x.plan.cgroup.warnings[i]));
	spec_report_sort(a, report);
}
