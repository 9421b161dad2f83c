/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update_undo - how a file of a cgroup is told its former value; pure
 *
 * Most files take back what they say. Some say more than they take (memory.oom_control),
 * and some have a line a device, of which one is written at a time: where the device had
 * none, the kernel's word for "no setting" takes the new one away.
 */
#include <string.h>

#include "base/str.h"
#include "cgroup/internal.h"

/* Files with a line a device, and what stands for "none" behind the device. */
static const struct keyed {
	const char *file, *none;
} keyed[] = {
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.latency", "target=0" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "blkio.weight_device", "default" },
	{ "blkio.bfq.weight_device", "default" },
	{ "blkio.throttle.read_bps_device", "0" },
	{ "blkio.throttle.write_bps_device", "0" },
	{ "blkio.throttle.read_iops_device", "0" },
	{ "blkio.throttle.write_iops_device", "0" },
	{ "rdma.max", "hca_handle=max hca_object=max" },
	{ "misc.max", "max" },
	{ "dmem.max", "max" },
	{ "dmem.min", "0" },
	{ "dmem.low", "0" },
	{ "net_prio.ifpriomap", "0" },
};

static const struct keyed *find_keyed(const char *file)
{
	for (size_t i = 0; i < COUNT(keyed); i++)
		if (str_eq(keyed[i].file, file))
			return &keyed[i];
	return NULL;
}

/* The line that begins with the first @n bytes of @key as a word; the text is cut up. */
static const char *find_line(char *text, const char *key, size_t n)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (strncmp(line, key, n) == 0 && line[n] == ' ')
			return line;
	return NULL;
}

static const char *undo_keyed(struct arena *a, const struct keyed *k, const char *value, char *old)
{
	size_t n = strcspn(value, " ");
	const char *line;

	/* "io.weight" takes a weight alone for all devices that have none of their own */
	if (!value[n])
		return find_line(old, "default", strlen("default"));
	line = find_line(old, value, n);
	return line ? line : arena_printf(a, "%.*s %s", (int)n, value, k->none);
}

const char *cgroup_undo_text(struct arena *a, const char *file, const char *value, char *old)
{
	const struct keyed *k = find_keyed(file);
	const char *disabled = "oom_kill_disable ";

	if (k)
		return undo_keyed(a, k, value, old);
	if (str_eq(file, "memory.oom_control")) {
		const char *line = find_line(old, disabled, strlen(disabled) - 1);

		return line ? line + strlen(disabled) : NULL;
	}
	old[strcspn(old, "\n")] = '\0';
	/* an empty cpuset is one that follows its parent, and a line end tells it so */
	return *old ? old : "\n";
}
