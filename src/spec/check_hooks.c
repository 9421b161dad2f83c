/* SPDX-License-Identifier: Apache-2.0 */
/* check_hooks - config.md, "POSIX-platform Hooks" */
#include "spec/check.h"

static void check_list(const char *kind, struct oci_hook *const *hooks, size_t n, struct check *c)
{
	for (size_t i = 0; i < n; i++) {
		const struct oci_hook *h = hooks[i];

		if (!h->path || h->path[0] != '/')
			check_error(c, "hooks.%s[%zu].path: '%s' is not absolute", kind, i,
				    h->path ? h->path : "");
		if (h->has_timeout && h->timeout <= 0)
			check_error(c, "hooks.%s[%zu].timeout: %lld is not above 0", kind, i,
				    (long long)h->timeout);
	}
}

void check_hooks(const struct spec *s, struct check *c)
{
	const struct oci_hooks *h = s->config->hooks;

	if (!h)
		return;
	check_list("prestart", h->prestart, h->n_prestart, c);
	check_list("createRuntime", h->create_runtime, h->n_create_runtime, c);
	check_list("createContainer", h->create_container, h->n_create_container, c);
	check_list("startContainer", h->start_container, h->n_start_container, c);
	check_list("poststart", h->poststart, h->n_poststart, c);
	check_list("poststop", h->poststop, h->n_poststop, c);
}
