/* SPDX-License-Identifier: Apache-2.0 */
#include <seccomp.h>

#include "sec/sec.h"

const char *seccomp_library_version(struct arena *a)
{
	const struct scmp_version *v = seccomp_version();

	return v ? arena_printf(a, "%u.%u.%u", v->major, v->minor, v->micro) : "unknown";
}
