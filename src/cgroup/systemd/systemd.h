/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd - the program that talks to systemd for cleat
 *
 * It is apart because sd-bus cannot be linked statically, and because a bus that hangs
 * then hangs a process that can be killed. cgroup/unit_wire.h is what it is told.
 */
#ifndef CLEAT_SYSTEMD_SYSTEMD_H
#define CLEAT_SYSTEMD_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/err.h"
#include "cgroup/unit_wire.h"

#define SYSTEMD_NAME	"org.freedesktop.systemd1"
#define SYSTEMD_PATH	"/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT	"org.freedesktop.systemd1.Unit"

struct property {
	const char *name, *signature;
	char **tokens;
	size_t n;
	bool optional, left_out;
};

struct request {
	const char *verb, *manager, *unit, *invocation;
	uint64_t deadline; /* CLOCK_MONOTONIC, us */
	struct property *properties;
	size_t n_properties;
};

/* Read a request; its strings lie in one block of memory. Returns 0 or -errno. */
int request_read(int fd, struct request *ret, struct err *e);
uint64_t time_now(void);

/* bus.c: to the manager's private socket where we may, else by its bus. */
int bus_open(const struct request *r, sd_bus **ret, struct err *e);

/* message.c: one property as (sv); -EINVAL when tokens and signature do not agree. */
int message_append(sd_bus_message *m, const struct property *p);

/* jobs.c */
int unit_start(sd_bus *bus, struct request *r, struct unit_reply *reply, struct err *e);
int unit_stop(sd_bus *bus, const struct request *r, struct err *e);
int unit_set(sd_bus *bus, struct request *r, struct err *e);

#endif
