/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener - hand a seccomp listener to the agent that the configuration names
 *
 * config-linux.md, "The Container Process State". It happens after the gate, in whoever
 * started the program: the copy of the configuration is read again only then.
 */
#include "container/internal.h"

static int load(struct listener_of *l, struct err *e)
{
	struct spec *spec;
	int r = spec_load_copy(l->arena, l->container->dir.fd, l->container->state->bundle, &spec,
			       e);

	l->spec = r < 0 ? NULL : spec;
	return r;
}

static int deliver(void *arg, int listener, struct err *e)
{
	struct listener_of *l = arg;
	const struct oci_linux *lx;
	struct oci_state *state;
	int r = l->spec ? 0 : load(l, e);

	if (r < 0)
		return r;
	lx = l->spec->config->linux;
	state = container_describe(l->arena, l->container);
	state->status = container_status_name(l->pid ? STATUS_RUNNING : STATUS_CREATED);
	if (l->pid)
		state->pid = l->pid;
	else
		state->pid = l->container->state->pid;
	return seccomp_notify_send(
		seccomp_receiver(l->spec->config, l->variable), listener,
		seccomp_notify_state(l->arena, state,
				     lx && lx->seccomp ? lx->seccomp->listener_metadata : NULL),
		e);
}

const char *listener_from_environment(const struct run *run, const struct host *host)
{
	const struct seccomp_source *s = &run->plan->sec.seccomp;

	return run->filter.listener_path && s->from_environment ? host->seccomp_receiver : NULL;
}

struct run_listener listener_for(struct listener_of *l)
{
	return (struct run_listener){ .deliver = deliver, .arg = l };
}
