/* SPDX-License-Identifier: Apache-2.0 */
/* each - one command for several containers, with a result for each */
#include "base/str.h"
#include "cli/cli.h"

static int visit(struct invocation *inv, const char *const *ids, size_t n, each_fn fn,
		 struct err *e)
{
	struct err failed = { 0 };
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		struct err why = { 0 };

		if (fn(inv, ids[i], &why) == 0)
			continue;
		if (r < 0)
			log_error(&failed);
		failed = why;
		r = -why.code;
	}
	if (r < 0)
		*e = failed;
	return r;
}

int cli_each(struct invocation *inv, size_t n, each_fn fn, struct err *e)
{
	return visit(inv, (const char *const *)inv->operands, n, fn, e);
}

int cli_each_match(struct invocation *inv, size_t n, bool none_is_fine, each_fn fn, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const char *pattern = inv->operands[i];
		const char **ids = NULL;
		size_t found = 0;

		if (container_match(inv->arena, &inv->globals.context, pattern, &ids, &found, e) <
		    0)
			return -e->code;
		if (!found && !none_is_fine)
			return err_user(e, pattern, "no container matches '%s'", pattern);
		if (visit(inv, ids, found, fn, e) < 0)
			return -e->code;
	}
	return 0;
}
