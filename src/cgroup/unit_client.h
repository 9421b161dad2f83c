/* SPDX-License-Identifier: Apache-2.0 */
/* unit_client - requests to the program that talks to systemd */
#ifndef CLEAT_CGROUP_UNIT_CLIENT_H
#define CLEAT_CGROUP_UNIT_CLIENT_H

#include "cgroup/unit.h"
#include "cgroup/unit_wire.h"

struct unit_helper {
	int sock, pidfd; /* -1: none runs */
};
#define UNIT_HELPER_NONE ((struct unit_helper){ -1, -1 })

struct unit_request {
	const char *verb; /* "start", "stop", "set" */
	bool user;	  /* the caller's own manager, not the system's */
	const char *unit, *invocation;
	const struct unit_properties *properties; /* or NULL */
};

/*
 * unit_ask() - start the program, ask, wait for the reply
 * @helper: it goes on running, as "start" needs it; NULL: it ends
 *
 * The wait has a deadline (cgroup_systemd_timeout); a program that does not answer in
 * time is killed. Returns 0 or -errno.
 */
int unit_ask(const struct unit_request *q, struct unit_reply *reply, struct unit_helper *helper,
	     struct err *e);
/* Let it go, and wait for its end. */
void unit_helper_release(struct unit_helper *h);

/* The request as bytes; pure. */
char *unit_encode(struct arena *a, const struct unit_request *q, unsigned timeout_ms,
		  size_t *ret_len);

#endif
