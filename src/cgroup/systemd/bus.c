/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus - the way to a manager
 *
 * The private sockets of systemd spare the bus daemon, and work where none runs. Engines
 * leave DBUS_SESSION_BUS_ADDRESS out, so the user manager's is found by XDG_RUNTIME_DIR.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroup/systemd/systemd.h"

#define SYSTEM_PRIVATE "unix:path=/run/systemd/private"

/* Characters that an address may hold as they are: D-Bus specification, "Server Addresses". */
static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("-_/.\\*", c));
}

static bool user_address(const char *file, char *buf, size_t size)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char own[32];
	size_t n;

	if (!dir || dir[0] != '/') {
		snprintf(own, sizeof(own), "/run/user/%u", (unsigned)geteuid());
		dir = own;
	}
	n = (size_t)snprintf(buf, size, "unix:path=");
	for (const char *c = dir; *c && n + 4 < size; c++)
		n += (size_t)snprintf(buf + n, size - n, is_plain(*c) ? "%c" : "%%%02x",
				      (unsigned char)*c);
	return n + strlen(file) < size && snprintf(buf + n, size - n, "%s", file) > 0;
}

static int connect_to(const char *address, bool is_bus, sd_bus **ret)
{
	sd_bus *bus;
	int r = sd_bus_new(&bus);

	if (r < 0)
		return r;
	r = sd_bus_set_address(bus, address);
	if (r >= 0 && is_bus)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	/* errors of the connection itself are seen by the first exchange only */
	if (r >= 0 && !is_bus) {
		do
			r = sd_bus_process(bus, NULL);
		while (r > 0);
	}
	if (r < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

static int open_user(sd_bus **ret)
{
	char address[600];
	int r = -ENAMETOOLONG;

	if (user_address("/systemd/private", address, sizeof(address)))
		r = connect_to(address, false, ret);
	if (r < 0 && getenv("DBUS_SESSION_BUS_ADDRESS"))
		r = sd_bus_open_user(ret);
	if (r < 0 && user_address("/bus", address, sizeof(address)))
		r = connect_to(address, true, ret);
	return r;
}

static int open_system(sd_bus **ret)
{
	int r = geteuid() == 0 ? connect_to(SYSTEM_PRIVATE, false, ret) : -EACCES;

	return r < 0 ? sd_bus_open_system(ret) : r;
}

int bus_open(const struct request *r, sd_bus **ret, struct err *e)
{
	bool user = str_eq(r->manager, "user");
	int result = user ? open_user(ret) : open_system(ret);

	if (result < 0)
		return err_sys(e, -result, NULL, "connect to the %s manager of systemd",
			       r->manager);
	return 0;
}
