/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oom - did somebody inside die of the memory limit?
 *
 * v2: memory.events "oom_kill", v1: memory.oom_control "oom_kill" (Linux 4.13). Both
 * count processes of this cgroup that were killed, also by the limit of one above it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/internal.h"

static const struct files {
	const char *events, *limit, *peak;
} v1_files = { "memory.oom_control", "memory.limit_in_bytes", "memory.max_usage_in_bytes" },
  v2_files = { "memory.events", "memory.max", "memory.peak" };

/* v1 writes "no limit" as the largest multiple of a page. */
#define V1_UNLIMITED (INT64_MAX - 65536)

static uint64_t count_kills(const char *text)
{
	const char *key = "oom_kill ";

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (str_starts(line, key))
			return strtoull(line + strlen(key), NULL, 10);
	}
	return 0;
}

/* -1: there is none, or it cannot be read ("max", an older kernel without a peak). */
static int64_t read_bytes(const struct cgroup *cg, const struct cgroup_dir *d, const char *file)
{
	char text[32];
	int64_t n;

	if (cgroup_read_file(cg, d, file, text, sizeof(text)) < 0 || str_to_i64(text, &n) < 0)
		return -1;
	return n > V1_UNLIMITED ? -1 : n;
}

bool cgroup_oom_killed(struct cgroup *cg, int64_t *ret_limit, int64_t *ret_peak)
{
	const struct cgroup_dir *d = cgroup_dir_v1(cg, "memory");
	const struct files *files = d ? &v1_files : &v2_files;
	char text[512];

	if (!d)
		d = cgroup_dir_v2(cg);
	if (!d || !cgroup_matches(cg) ||
	    cgroup_read_file(cg, d, files->events, text, sizeof(text)) < 0 || !count_kills(text))
		return false;
	*ret_limit = read_bytes(cg, d, files->limit);
	*ret_peak = read_bytes(cg, d, files->peak);
	return true;
}
