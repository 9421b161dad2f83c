/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list - all containers of a state root
 *
 * Nothing is locked, so entries come and go while we look: what vanished is left out. An
 * entry that cannot be understood is shown with the status "unknown" and never spoils
 * the others.
 */
#include <dirent.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "container/internal.h"
#include "sys/sys.h"

struct listing {
	struct arena *arena;
	const struct dir *root;
	struct {
		struct oci_state **v;
		size_t n, cap;
	} states;
};

static struct oci_state *unknown(struct arena *a, struct container *c, const struct err *e)
{
	struct oci_state *o;

	log_warning("%s", e->text);
	c->state = NULL;
	o = container_describe(a, c);
	o->status = "unknown";
	return o;
}

/* NULL: there is nothing to show. */
static struct oci_state *look_at(struct listing *l, const char *id)
{
	struct oci_state *o = NULL;
	struct container c;
	struct err e = { 0 };

	if (container_open_dir(l->root, id, &c, &e) < 0)
		return e.code == ENOENT ? NULL : unknown(l->arena, &c, &e);
	if (container_reload(l->arena, &c, true, &e) < 0) {
		o = e.code == ENOENT ? NULL : unknown(l->arena, &c, &e);
	} else if (c.state || c.status == STATUS_STOPPED) {
		/* without a record: the rest of a creation that was killed */
		container_refine(l->arena, &c);
		o = container_describe(l->arena, &c);
	}
	container_close(&c);
	return o;
}

static int visit(const char *name, unsigned char type, void *arg)
{
	struct listing *l = arg;
	struct err ignored = { 0 };
	struct oci_state *o;

	/* a file or a link that somebody left there is no container */
	if (type != DT_DIR || container_id_check(name, &ignored) < 0)
		return 0;
	o = look_at(l, arena_strdup(l->arena, name));
	if (o)
		*vec_push(l->arena, &l->states) = o;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(struct oci_state *const *)a)->id, (*(struct oci_state *const *)b)->id);
}

int container_list(struct arena *a, const struct context *ctx, struct oci_state ***ret,
		   size_t *ret_n, struct err *e)
{
	auto_dir root = DIR_NONE;
	struct listing l = { .arena = a, .root = &root };
	int r = root_open(a, ctx, false, &root, e);

	/* no container was ever made there; a root that was named must exist */
	if (r == -ENOENT && !ctx->root) {
		err_clear(e);
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	if (r == 0)
		r = dir_each(&root, visit, &l, e);
	if (r < 0)
		return r;
	if (l.states.n)
		qsort(l.states.v, l.states.n, sizeof(*l.states.v), by_id);
	*ret = l.states.v;
	*ret_n = l.states.n;
	return 0;
}
