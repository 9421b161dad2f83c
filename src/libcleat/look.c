/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look - what is answered in the caller's own process
 *
 * The floors below report through the struct err and the arena that they are given, and their
 * log lines are dropped, because nobody has opened a log: so all that a call leaves is its
 * result.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/str.h"
#include "libcleat/handle.h"
#include "ocispec/encode.h"
#include "plan/plan.h"
#include "sys/host.h"
#include "sys/sys.h"

/* --- configurations --------------------------------------------------------------------------- */

static struct plan_options plan_options_of(const struct cleat *c, const char *id)
{
	return (struct plan_options){
		.id = id,
		.cgroup_manager = handle_context(c).cgroup_manager,
	};
}

static void tell(const struct spec_finding *f,
		 void (*found)(void *arg, const struct cleat_finding *finding), void *arg)
{
	static const enum cleat_severity severities[] = {
		[SPEC_ERROR] = CLEAT_ERROR,
		[SPEC_WARNING] = CLEAT_WARNING,
		[SPEC_REMARK] = CLEAT_REMARK,
	};
	const struct cleat_finding finding = {
		.severity = severities[f->severity],
		.line = f->place.line,
		.column = f->place.column,
		.path = f->path,
		.text = f->text,
		.nearest = f->nearest,
	};

	found(arg, &finding);
}

int cleat_check(struct cleat *c, const char *bundle,
		void (*found)(void *arg, const struct cleat_finding *finding), void *arg)
{
	auto_arena a = arena_make();
	const struct plan_options opt = plan_options_of(c, "CONTAINER");
	struct host *host = arena_new(&a, struct host);
	struct spec_report report = { 0 };

	err_clear(&c->err);
	if (spec_examine(&a, bundle, NULL, &report, &c->err) < 0)
		return -c->err.code;
	host_probe(host, HOST_OWN_CGROUP);
	if (report.spec->config)
		plan_examine(&a, host, &opt, &report);
	spec_report_sort(&a, &report);
	for (size_t i = 0; found && i < report.n; i++)
		tell(&report.v[i], found, arg);
	return (int)spec_report_count(&report, SPEC_ERROR);
}

int cleat_plan(struct cleat *c, const char *bundle, const char *id, char **ret_text)
{
	auto_arena a = arena_make();
	const struct plan_options opt = plan_options_of(c, id);
	struct host *host = arena_new(&a, struct host);
	struct spec *spec;
	struct plan *plan;

	err_clear(&c->err);
	if (container_id_check(id, &c->err) < 0)
		return -c->err.code;
	/* as create has it */
	if (spec_load(&a, bundle, NULL, &spec, &c->err) < 0)
		return err_set_id(&c->err, "config");
	host_probe(host, HOST_OWN_CGROUP);
	if (plan_make(&a, spec, host, &opt, &plan, &c->err) < 0)
		return err_set_id(&c->err, "config");
	return handle_give_text(c, plan_print(&a, plan), ret_text);
}

/* --- states ----------------------------------------------------------------------------------- */

static int give_json(struct cleat *c, struct arena *a, const struct ocispec_type *type,
		     const void *object, char **ret)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, a };
	struct ocispec_error oe = { 0 };
	char *text;
	int r = ocispec_encode(type, object, 0, &alloc, &text, NULL, &oe);

	if (r < 0)
		return err_code(&c->err, -r, oe.path, "write the state: %s: %s", oe.path, oe.text);
	return handle_give_text(c, text, ret);
}

int cleat_state(struct cleat *c, const char *id, char **ret_json)
{
	auto_arena a = arena_make();
	const struct context ctx = handle_context(c);
	struct oci_state *state;

	err_clear(&c->err);
	if (container_state(&a, &ctx, id, &state, &c->err) < 0)
		return -c->err.code;
	return give_json(c, &a, &oci_state_type, state, ret_json);
}

int cleat_list(struct cleat *c, char **ret_json)
{
	auto_arena a = arena_make();
	const struct context ctx = handle_context(c);
	struct oci_states list = { 0 };

	err_clear(&c->err);
	if (container_list(&a, &ctx, &list.states, &list.n_states, &c->err) < 0)
		return -c->err.code;
	if (!list.n_states)
		return handle_give_text(c, "[]", ret_json);
	return give_json(c, &a, &oci_states_type, &list, ret_json);
}

int cleat_pids(struct cleat *c, const char *id, pid_t **ret_pids, size_t *ret_n)
{
	auto_arena a = arena_make();
	const struct context ctx = handle_context(c);
	pid_t *pids, *copy;
	size_t n;

	err_clear(&c->err);
	if (container_pids(&a, &ctx, id, &pids, &n, &c->err) < 0)
		return -c->err.code;
	copy = calloc(n + 1, sizeof(*copy));
	if (!copy)
		return err_sys(&c->err, ENOMEM, NULL, "give out a result");
	memcpy(copy, pids, n * sizeof(*copy));
	*ret_pids = copy;
	*ret_n = n;
	return 0;
}
