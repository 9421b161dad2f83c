/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id - which names a container may have
 *
 * An id is a directory name below the state root and part of a cgroup's and a unit's
 * name, so its alphabet is closed; it cannot begin with a dot, so "." and ".." cannot
 * be written. The length is bounded by what a directory entry can hold.
 */
#include <limits.h>

#include "base/str.h"
#include "container/container.h"

#define ID_MAX NAME_MAX

static bool is_id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '+' || c == '-' || c == '.';
}

int container_id_check(const char *id, struct err *e)
{
	if (!id[0])
		return err_user(e, id, "the container id is empty");
	if (id[0] == '.')
		return err_user(e, id, "container id '%s' begins with a dot", id);
	if (strlen(id) > ID_MAX)
		return err_user(e, id, "container id '%.32s...' is longer than %d bytes", id,
				ID_MAX);
	for (const char *c = id; *c; c++)
		if (!is_id_char(*c))
			/* as crun says it */
			return err_user(e, id,
					"invalid character '%c' in the container ID '%s': it may "
					"only hold letters, digits and _+-.",
					*c, id);
	return 0;
}
