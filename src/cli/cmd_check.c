/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - what is wrong with a configuration, all of it, and what would be done with it
 *
 * Nothing is made or changed. A directory is a bundle, and then its root file system has to
 * be there; a file is looked at for itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/cli.h"
#include "plan/plan.h"
#include "sys/sys.h"

#define STATUS_FINDINGS	  1
#define STATUS_UNREADABLE 2

struct check_args {
	bool strict, plan;
};

#define AT(field) offsetof(struct check_args, field)

static const struct option_row rows[] = {
	{ "strict", 0, OPTION_BOOL, AT(strict), NULL,
	  "what is unknown, doubled or without effect is an error too" },
	{ "plan", 0, OPTION_BOOL, AT(plan), NULL,
	  "print what create and start would do on this host" },
};

struct subject {
	const char *bundle, *config; /* for spec_examine() */
	const char *shown;	     /* name of the file in messages */
	bool is_bundle;
};

static int find_subject(struct arena *a, const char *operand, struct subject *ret, struct err *e)
{
	struct subject s = { .bundle = ".", .shown = "config.json", .is_bundle = true };
	const char *slash;
	struct stat st;
	int r;

	if (operand) {
		r = sys_fstatat(AT_FDCWD, operand, &st, 0);
		if (r < 0)
			return err_sys(e, -r, operand, "open");
		s.is_bundle = S_ISDIR(st.st_mode);
		slash = strrchr(operand, '/');
		s.bundle = operand;
		s.shown =
			arena_printf(a, "%s%sconfig.json", operand, slash && !slash[1] ? "" : "/");
		if (!s.is_bundle) {
			s.shown = operand;
			s.config = operand;
			s.bundle = !slash ? "."
				   : slash == operand
					   ? "/"
					   : arena_strndup(a, operand, (size_t)(slash - operand));
		}
	}
	*ret = s;
	return 0;
}

/* config.md, "Root": a directory must exist at the path. */
static void check_rootfs(struct arena *a, struct spec_report *r)
{
	const char *path = r->spec->rootfs_path;
	auto_fd fd = path ? sys_open(path, O_PATH | O_DIRECTORY, 0) : -1;

	if (path && fd < 0)
		spec_report_add(a, r,
				spec_finding_make(a, SPEC_ERROR,
						  arena_printf(a, "root.path: '%s': %s", path,
							       errno_text(-fd))));
}

static bool is_error(const struct spec_finding *f, bool strict)
{
	return f->severity == SPEC_ERROR || strict;
}

static void show(struct output *o, const char *name, const struct spec_finding *f, bool strict)
{
	const char *rule = spec_rule(f->path);

	output_printf(o, "%s:%u:%u: %s: %s", name, f->place.line, f->place.column,
		      is_error(f, strict) ? "error" : "warning", f->text);
	if (f->nearest && !strstr(f->text, "perhaps"))
		output_printf(o, ", perhaps '%s' is meant", f->nearest);
	if (rule)
		output_printf(o, " (%s)", rule);
	output_add(o, "\n");
}

/* What only this host lacks was a warning before; without a plan it is the end. */
static int add_plan(struct invocation *inv, const struct spec *spec, const struct host *host,
		    const struct plan_options *opt, struct output *o)
{
	struct plan *plan;
	struct err e = { 0 };

	if (plan_make(inv->arena, spec, host, opt, &plan, &e) < 0) {
		output_printf(o, "no plan for this host: %s\n", e.text);
		return STATUS_FINDINGS;
	}
	output_add(o, plan_print(inv->arena, plan));
	return 0;
}

static size_t count_errors(const struct spec_report *r, bool strict)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += is_error(&r->v[i], strict);
	return n;
}

static int check_run(struct invocation *inv, struct err *e)
{
	const struct check_args *args = inv->args;
	const struct plan_options opt = {
		.id = "CONTAINER",
		.cgroup_manager = inv->globals.context.cgroup_manager,
	};
	struct output o = { .arena = inv->arena };
	struct spec_report report = { 0 };
	struct subject subject = { 0 };
	static struct host host; /* its strings lie in it */

	if (find_subject(inv->arena, inv->operands[0], &subject, e) < 0 ||
	    spec_examine(inv->arena, subject.bundle, subject.config, &report, e) < 0)
		return -e->code;
	host_probe(&host, HOST_OWN_CGROUP);
	if (report.spec->config) {
		plan_examine(inv->arena, &host, &opt, &report);
		if (subject.is_bundle)
			check_rootfs(inv->arena, &report);
	}
	spec_report_sort(inv->arena, &report);
	for (size_t i = 0; i < report.n; i++)
		show(&o, subject.shown, &report.v[i], args->strict);
	if (count_errors(&report, args->strict))
		inv->status = STATUS_FINDINGS;
	else if (args->plan)
		inv->status = add_plan(inv, report.spec, &host, &opt, &o);
	return output_flush(&o, e);
}

const struct command command_check = {
	.name = "check",
	.operands = "[BUNDLE]",
	.summary = "say what is wrong with a configuration, and what would be done with it",
	.max_operands = 1,
	.options = { rows, COUNT(rows) },
	.args_size = sizeof(struct check_args),
	.failure_status = STATUS_UNREADABLE,
	.run = check_run,
};
