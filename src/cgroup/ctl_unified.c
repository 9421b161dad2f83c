/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl_unified - files of cgroup v2 by their own names; config-linux.md "Unified"
 *
 * A key is one name in the container's directory. A value goes line by line, because
 * the kernel reads one line a write. The files that move, stop or kill processes are
 * not resources and are refused: they would let a configuration name processes of the
 * host.
 */
#include <string.h>

#include "base/str.h"
#include "cgroup/ctl.h"

#define FIELD "linux.resources.unified"

static const char *const refused[] = {
	"cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze", "cgroup.type",
};

static int check_key(struct ctl_out *o, const char *key)
{
	if (!*key || strchr(key, '/') || !strchr(key, '.') || key[0] == '.')
		return err_user(o->err, FIELD, FIELD ": '%s' is no name of a cgroup file", key);
	for (size_t i = 0; i < COUNT(refused); i++)
		if (str_eq(key, refused[i]))
			return err_user(o->err, FIELD, FIELD ": '%s' is not a resource", key);
	return 0;
}

static void put_line(struct ctl_out *o, const char *key, const char *line)
{
	/* as pids.limit: no process could be born into a full cgroup */
	if (str_eq(key, "pids.max"))
		ctl_put_late(o, "unified", key, "%s", line);
	else
		ctl_put(o, "unified", key, "%s", line);
}

int ctl_unified(struct ctl_out *o, const struct oci_linux_resources *r)
{
	for (size_t i = 0; r->unified && i < r->unified->n; i++) {
		const char *key = r->unified->entries[i].key, *at = r->unified->entries[i].value;

		if (check_key(o, key) < 0)
			return -o->err->code;
		for (size_t n; *at; at += n + (at[n] == '\n')) {
			n = strcspn(at, "\n");
			if (n)
				put_line(o, key, arena_strndup(o->arena, at, n));
		}
	}
	return 0;
}

bool ctl_unified_needs(const struct oci_linux_resources *r, const char *controller)
{
	size_t n = strlen(controller);

	for (size_t i = 0; r->unified && i < r->unified->n; i++) {
		const char *key = r->unified->entries[i].key;

		if (strncmp(key, controller, n) == 0 && key[n] == '.')
			return true;
	}
	return false;
}
