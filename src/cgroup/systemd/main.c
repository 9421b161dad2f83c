/* SPDX-License-Identifier: Apache-2.0 */
/* main - one request, one reply; then stay in the unit until cleat lets go */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroup/systemd/systemd.h"

static int serve(struct request *r, struct unit_reply *reply, struct err *e)
{
	sd_bus *bus = NULL;
	int result;

	if (bus_open(r, &bus, e) < 0)
		return -e->code;
	if (str_eq(r->verb, "start"))
		result = unit_start(bus, r, reply, e);
	else if (str_eq(r->verb, "stop"))
		result = unit_stop(bus, r, e);
	else if (str_eq(r->verb, "set"))
		result = unit_set(bus, r, e);
	else
		result = err_user(e, r->verb, "unknown request '%s'", r->verb);
	sd_bus_flush_close_unref(bus);
	return result;
}

int main(void)
{
	static struct unit_reply reply;
	struct request request = { 0 };
	struct err e = { 0 };
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (request_read(STDIN_FILENO, &request, &e) == 0)
		serve(&request, &reply, &e);
	reply.code = e.code;
	str_copy(reply.text, sizeof(reply.text), e.text);
	if (write(STDIN_FILENO, &reply, sizeof(reply)) != (ssize_t)sizeof(reply))
		return 1;
	/* the end of the socket is the only thing that can come */
	while (!e.code && str_eq(request.verb, "start") && read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
