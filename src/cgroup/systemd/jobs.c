/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jobs - start a unit, stop one, change one
 *
 * org.freedesktop.systemd1(5). A job's end is told by the signal JobRemoved, which may
 * come before the answer that names the job; so the signals are listened for first, and
 * are looked at when the name is known. Everything ends at the request's deadline.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroup/systemd/systemd.h"

#define UNIT_EXISTS  "org.freedesktop.systemd1.UnitExists"
#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"

struct job {
	const char *path; /* NULL: not known yet */
	char result[64];  /* "": it goes on */
};

static int late(const struct request *r, struct err *e)
{
	return err_code(e, ETIMEDOUT, r->unit, "systemd did not %s unit '%s' in time", r->verb,
			r->unit);
}

static int refused(const struct request *r, int code, const sd_bus_error *be, struct err *e)
{
	if (code == -ETIMEDOUT)
		return late(r, e);
	return err_code(e, code < 0 ? -code : EIO, r->unit, "systemd refuses to %s unit '%s': %s",
			r->verb, r->unit, be && be->message ? be->message : errno_text(-code));
}

/* --- calls ------------------------------------------------------------------------------------ */

static int call(sd_bus *bus, const struct request *r, sd_bus_message *m, sd_bus_error *be,
		sd_bus_message **ret)
{
	uint64_t now = time_now();

	if (now >= r->deadline)
		return -ETIMEDOUT;
	return sd_bus_call(bus, m, r->deadline - now, be, ret);
}

static int new_call(sd_bus *bus, const char *method, sd_bus_message **ret)
{
	return sd_bus_message_new_method_call(bus, ret, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER,
					      method);
}

/* A method with strings alone; the reply is dropped unless wanted. */
static int call_simple(sd_bus *bus, const struct request *r, const char *method, const char *a,
		       const char *b, sd_bus_error *be, sd_bus_message **ret)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int result = new_call(bus, method, &m);

	if (result >= 0 && a)
		result = sd_bus_message_append(m, "s", a);
	if (result >= 0 && b)
		result = sd_bus_message_append(m, "s", b);
	if (result >= 0)
		result = call(bus, r, m, be, &reply);
	sd_bus_message_unref(m);
	if (result >= 0 && ret)
		*ret = reply;
	else
		sd_bus_message_unref(reply);
	return result;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int on_job_removed(sd_bus_message *m, void *arg, sd_bus_error *be)
{
	const char *path, *unit, *result;
	struct job *job = arg;
	uint32_t id;

	(void)be;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
		return 0;
	if (job->path && str_eq(job->path, path))
		snprintf(job->result, sizeof(job->result), "%s", result);
	return 0;
}

/* Before the call that makes the job. */
static int listen_for(sd_bus *bus, const struct request *r, struct job *job, struct err *e)
{
	int result = sd_bus_match_signal(bus, NULL, NULL, SYSTEMD_PATH, SYSTEMD_MANAGER,
					 "JobRemoved", on_job_removed, job);

	/* on a private socket signals come unasked, and asking does no harm */
	if (result >= 0)
		call_simple(bus, r, "Subscribe", NULL, NULL, NULL, NULL);
	return result < 0 ? err_sys(e, -result, NULL, "listen to systemd") : 0;
}

static int wait_for(sd_bus *bus, const struct request *r, struct job *job, struct err *e)
{
	while (!*job->result) {
		uint64_t now = time_now();
		int result = sd_bus_process(bus, NULL);

		if (result > 0)
			continue;
		if (now >= r->deadline)
			return late(r, e);
		if (result == 0)
			result = sd_bus_wait(bus, r->deadline - now);
		if (result < 0 && result != -EINTR)
			return err_sys(e, -result, NULL, "listen to systemd");
	}
	if (str_eq(job->result, "done") || str_eq(job->result, "skipped"))
		return 0;
	return err_code(e, EIO, r->unit, "systemd could not %s unit '%s': the job's result is '%s'",
			r->verb, r->unit, job->result);
}

/* --- properties ------------------------------------------------------------------------------- */

static int append_properties(sd_bus_message *m, const struct request *r)
{
	int result = 0;

	for (size_t i = 0; i < r->n_properties && result >= 0; i++)
		if (!r->properties[i].left_out)
			result = message_append(m, &r->properties[i]);
	return result;
}

/*
 * An older systemd does not know a property, or takes less as its value; the names of these errors
 * stand for others as well.
 */
static bool is_about_property(const char *message)
{
	return message &&
	       (strstr(message, "nknown property") || strstr(message, "is out of range"));
}

/* The message names the property; without it, if it may be missed. */
static bool leave_out(struct request *r, const sd_bus_error *be)
{
	if (!is_about_property(be->message))
		return false;
	for (size_t i = 0; i < r->n_properties; i++) {
		struct property *p = &r->properties[i];
		const char *at = strstr(be->message, p->name);

		if (!at || p->left_out || !p->optional || strspn(at + strlen(p->name), " ,.'") == 0)
			continue;
		p->left_out = true;
		return true;
	}
	return false;
}

/* --- start ------------------------------------------------------------------------------------ */

static int append_pids(sd_bus_message *m, const struct request *r)
{
	if (str_ends(r->unit, UNIT_SLICE_END))
		return 0;
	return sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)getpid());
}

static int start_once(sd_bus *bus, const struct request *r, sd_bus_error *be, sd_bus_message **ret)
{
	sd_bus_message *m = NULL;
	int result = new_call(bus, "StartTransientUnit", &m);

	if (result >= 0)
		result = sd_bus_message_append(m, "ss", r->unit, "fail");
	if (result >= 0)
		result = sd_bus_message_open_container(m, 'a', "(sv)");
	if (result >= 0)
		result = append_pids(m, r);
	if (result >= 0)
		result = append_properties(m, r);
	if (result >= 0)
		result = sd_bus_message_close_container(m);
	if (result >= 0)
		result = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (result >= 0)
		result = call(bus, r, m, be, ret);
	sd_bus_message_unref(m);
	return result;
}

/* One that failed before is forgotten once; one that runs is somebody's. */
static int start(sd_bus *bus, struct request *r, sd_bus_message **ret, struct err *e)
{
	bool forgotten = false;

	for (;;) {
		sd_bus_error be = SD_BUS_ERROR_NULL;
		int result = start_once(bus, r, &be, ret);

		if (result >= 0)
			return 0;
		if (leave_out(r, &be)) {
			sd_bus_error_free(&be);
			continue;
		}
		if (!forgotten && sd_bus_error_has_name(&be, UNIT_EXISTS)) {
			forgotten = true;
			sd_bus_error_free(&be);
			call_simple(bus, r, "ResetFailedUnit", r->unit, NULL, NULL, NULL);
			continue;
		}
		refused(r, result, &be, e);
		sd_bus_error_free(&be);
		return -e->code;
	}
}

static int object_path(const struct request *r, char **ret, struct err *e)
{
	int result = sd_bus_path_encode(SYSTEMD_PATH "/unit", r->unit, ret);

	return result < 0 ? err_sys(e, -result, r->unit, "name unit") : 0;
}

/* "" where there is none. */
static int read_invocation(sd_bus *bus, const char *object, char hex[33], sd_bus_error *be)
{
	sd_bus_message *m = NULL;
	const uint8_t *id;
	size_t n = 0;
	int r = sd_bus_get_property(bus, SYSTEMD_NAME, object, SYSTEMD_UNIT, "InvocationID", be, &m,
				    "ay");

	hex[0] = '\0';
	if (r >= 0)
		r = sd_bus_message_read_array(m, 'y', (const void **)&id, &n);
	for (size_t i = 0; r >= 0 && n == 16 && i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	sd_bus_message_unref(m);
	return r;
}

static int read_unit(sd_bus *bus, const struct request *r, struct unit_reply *reply, struct err *e)
{
	bool slice = str_ends(r->unit, UNIT_SLICE_END);
	sd_bus_error be = SD_BUS_ERROR_NULL;
	char *object = NULL, *path = NULL;
	int result;

	if (object_path(r, &object, e) < 0)
		return -e->code;
	result = sd_bus_get_property_string(bus, SYSTEMD_NAME, object,
					    slice ? "org.freedesktop.systemd1.Slice"
						  : "org.freedesktop.systemd1.Scope",
					    "ControlGroup", &be, &path);
	if (result >= 0)
		result = read_invocation(bus, object, reply->invocation, &be);
	if (result < 0)
		refused(r, result, &be, e);
	else if (!str_copy(reply->path, sizeof(reply->path), path))
		result = err_code(e, ENAMETOOLONG, path, "the cgroup of unit '%s' is too long",
				  r->unit);
	sd_bus_error_free(&be);
	free(object);
	free(path);
	return result < 0 ? -e->code : 0;
}

int unit_start(sd_bus *bus, struct request *r, struct unit_reply *reply, struct err *e)
{
	sd_bus_message *m = NULL;
	struct job job = { 0 };
	int result = listen_for(bus, r, &job, e);

	if (result == 0)
		result = start(bus, r, &m, e);
	if (result == 0 && sd_bus_message_read(m, "o", &job.path) < 0)
		result = err_code(e, EPROTO, NULL, "an answer of systemd that makes no sense");
	if (result == 0)
		result = wait_for(bus, r, &job, e);
	if (result == 0)
		result = read_unit(bus, r, reply, e);
	sd_bus_message_unref(m);
	return result;
}

/* --- stop ------------------------------------------------------------------------------------- */

/* Is it the unit that was recorded? 1, 0: another, or none. */
static int is_ours(sd_bus *bus, const struct request *r, struct err *e)
{
	sd_bus_error be = SD_BUS_ERROR_NULL;
	char *object, id[33];
	int result;

	if (!*r->invocation)
		return 0;
	if (object_path(r, &object, e) < 0)
		return -e->code;
	result = read_invocation(bus, object, id, &be);
	free(object);
	if (result < 0 && (sd_bus_error_has_name(&be, NO_SUCH_UNIT) ||
			   sd_bus_error_has_name(&be, SD_BUS_ERROR_UNKNOWN_OBJECT)))
		result = 0;
	else if (result < 0)
		refused(r, result, &be, e);
	else
		result = str_eq(id, r->invocation);
	sd_bus_error_free(&be);
	return result < 0 ? -e->code : result;
}

int unit_stop(sd_bus *bus, const struct request *r, struct err *e)
{
	sd_bus_error be = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	struct job job = { 0 };
	int result = is_ours(bus, r, e);

	if (result <= 0)
		return result;
	if (listen_for(bus, r, &job, e) < 0)
		return -e->code;
	result = call_simple(bus, r, "StopUnit", r->unit, "replace", &be, &m);
	if (result < 0 && sd_bus_error_has_name(&be, NO_SUCH_UNIT))
		result = 0;
	else if (result < 0)
		result = refused(r, result, &be, e);
	else if (sd_bus_message_read(m, "o", &job.path) < 0)
		result = err_code(e, EPROTO, NULL, "an answer of systemd that makes no sense");
	else
		result = wait_for(bus, r, &job, e);
	/* a unit that failed would keep its name; one that is gone cannot be reset, and need not */
	if (result == 0)
		call_simple(bus, r, "ResetFailedUnit", r->unit, NULL, NULL, NULL);
	sd_bus_error_free(&be);
	sd_bus_message_unref(m);
	return result;
}

/* --- set -------------------------------------------------------------------------------------- */

static int set_once(sd_bus *bus, const struct request *r, sd_bus_error *be)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int result = new_call(bus, "SetUnitProperties", &m);

	if (result >= 0)
		result = sd_bus_message_append(m, "sb", r->unit, 1);
	if (result >= 0)
		result = sd_bus_message_open_container(m, 'a', "(sv)");
	if (result >= 0)
		result = append_properties(m, r);
	if (result >= 0)
		result = sd_bus_message_close_container(m);
	if (result >= 0)
		result = call(bus, r, m, be, &reply);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return result;
}

/*
 * The files of the cgroup are written after the answer, but before the next request is
 * looked at: when that is answered, nobody writes over what the caller writes then.
 */
static void wait_until_written(sd_bus *bus, const struct request *r)
{
	sd_bus_message *m = NULL;

	call_simple(bus, r, "GetUnit", r->unit, NULL, NULL, &m);
	sd_bus_message_unref(m);
}

int unit_set(sd_bus *bus, struct request *r, struct err *e)
{
	int result;

	for (;;) {
		sd_bus_error be = SD_BUS_ERROR_NULL;
		bool again;

		result = set_once(bus, r, &be);
		again = result < 0 && leave_out(r, &be);
		if (result < 0 && !again)
			refused(r, result, &be, e);
		sd_bus_error_free(&be);
		if (again)
			continue;
		if (result >= 0)
			wait_until_written(bus, r);
		return result < 0 ? -e->code : 0;
	}
}
