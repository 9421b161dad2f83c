/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "hook/hook.h"

static const char *const names[HOOK_N] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};

const char *hook_kind_name(enum hook_kind kind)
{
	return names[kind];
}

static void take(struct hook_plan *p, enum hook_kind kind, struct oci_hook *const *hooks, size_t n)
{
	p->hooks[kind] = (const struct oci_hook *const *)hooks;
	p->n[kind] = n;
}

void hook_plan_make(const struct spec *spec, struct hook_plan *ret)
{
	const struct oci_hooks *h = spec->config->hooks;
	struct hook_plan p = { 0 };

	if (h) {
		take(&p, HOOK_PRESTART, h->prestart, h->n_prestart);
		take(&p, HOOK_CREATE_RUNTIME, h->create_runtime, h->n_create_runtime);
		take(&p, HOOK_CREATE_CONTAINER, h->create_container, h->n_create_container);
		take(&p, HOOK_START_CONTAINER, h->start_container, h->n_start_container);
		take(&p, HOOK_POSTSTART, h->poststart, h->n_poststart);
		take(&p, HOOK_POSTSTOP, h->poststop, h->n_poststop);
	}
	p.out = spec_annotation(spec->config, SPEC_ANNOTATION_HOOKS_STDOUT);
	p.err = spec_annotation(spec->config, SPEC_ANNOTATION_HOOKS_STDERR);
	*ret = p;
}
