/* SPDX-License-Identifier: Apache-2.0 */
/* state - what runtime.md and the callers want to know about one container */
#include "container/internal.h"

/* Names would need the host's user database; the one that matters is known. */
static const char *owner_name(struct arena *a, const struct cleat_state_file *s)
{
	return s->owner == 0 ? "root" : arena_printf(a, "%u", (unsigned)s->owner);
}

struct oci_state *container_describe(struct arena *a, const struct container *c)
{
	struct oci_state *o = arena_new(a, struct oci_state);
	const struct cleat_state_file *s = c->state;

	o->oci_version = SPEC_OCI_VERSION;
	o->id = arena_strdup(a, c->id);
	o->status = container_status_name(c->status);
	/* 0 must be written: callers decode over what they knew before */
	o->has_pid = true;
	o->pid = s && c->pidfd >= 0 ? s->pid : 0;
	o->bundle = s ? s->bundle : "";
	if (!s)
		return o;
	o->rootfs = s->rootfs;
	o->created = s->created;
	o->owner = owner_name(a, s);
	o->annotations = s->annotations;
	if (c->status == STATUS_STOPPED)
		exit_read(a, c, &o->exit);
	return o;
}

int container_state(struct arena *a, const struct context *ctx, const char *id,
		    struct oci_state **ret, struct err *e)
{
	struct container c;
	int r = container_open(a, ctx, id, &c, e);

	if (r < 0)
		return r;
	*ret = container_describe(a, &c);
	container_close(&c);
	return 0;
}
