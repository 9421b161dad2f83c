/* SPDX-License-Identifier: Apache-2.0 */
/* match - the containers whose ids match a regular expression */
#include <regex.h>

#include "base/str.h"
#include "container/internal.h"

static int compile(regex_t *regex, const char *pattern, struct err *e)
{
	char why[128];
	int r = regcomp(regex, pattern, REG_EXTENDED | REG_NOSUB);

	if (r == 0)
		return 0;
	regerror(r, regex, why, sizeof(why));
	return err_user(e, pattern, "regular expression '%s': %s", pattern, why);
}

int container_match(struct arena *a, const struct context *ctx, const char *pattern,
		    const char ***ret, size_t *ret_n, struct err *e)
{
	struct oci_state **states = NULL;
	const char **ids;
	size_t n = 0, matching = 0;
	regex_t regex;
	int r = compile(&regex, pattern, e);

	if (r < 0)
		return r;
	r = container_list(a, ctx, &states, &n, e);
	if (r == 0) {
		ids = arena_new_n(a, n, const char *);
		for (size_t i = 0; i < n; i++)
			if (regexec(&regex, states[i]->id, 0, NULL, 0) == 0)
				ids[matching++] = states[i]->id;
		*ret = ids;
		*ret_n = matching;
	}
	regfree(&regex);
	return r;
}
