/* SPDX-License-Identifier: Apache-2.0 */
/* each - one command for several containers, with a result for each */
#include "base/str.h"
#include "cli/cli.h"

/* The failure that was not reported so far: main reports the last one. */
struct failures {
	struct err last;
	int result;
};

static void add_failure(struct failures *f, const struct err *why)
{
	if (f->result < 0)
		log_error(&f->last);
	f->last = *why;
	f->result = -why->code;
}

static int leave_last(const struct failures *f, struct err *e)
{
	if (f->result < 0)
		*e = f->last;
	return f->result;
}

static void visit(struct invocation *inv, const char *const *ids, size_t n, each_fn fn,
		  struct failures *f)
{
	for (size_t i = 0; i < n; i++) {
		struct err why = { 0 };

		if (fn(inv, ids[i], &why) < 0)
			add_failure(f, &why);
	}
}

int cli_each(struct invocation *inv, size_t n, each_fn fn, struct err *e)
{
	struct failures f = { .result = 0 };

	visit(inv, (const char *const *)inv->operands, n, fn, &f);
	return leave_last(&f, e);
}

int cli_each_match(struct invocation *inv, size_t n, bool none_is_fine, each_fn fn, struct err *e)
{
	struct failures f = { .result = 0 };

	for (size_t i = 0; i < n; i++) {
		const char *pattern = inv->operands[i];
		const char **ids = NULL;
		struct err why = { 0 };
		size_t found = 0;
		int r = container_match(inv->arena, &inv->globals.context, pattern, &ids, &found,
					&why);

		if (r == 0 && !found && !none_is_fine)
			r = err_user(&why, pattern, "no container matches '%s'", pattern);
		if (r < 0)
			add_failure(&f, &why);
		visit(inv, ids, found, fn, &f);
	}
	return leave_last(&f, e);
}
