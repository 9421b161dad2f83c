/* SPDX-License-Identifier: Apache-2.0 */
/*
 * criu_log - which of ten thousand lines say why
 *
 * Errors look like "(00.034567) Error (criu/files-reg.c:1894): Can't lookup mount=21".
 * The first ones are the cause and the last ones its echo ("Dumping FAILED.").
 */
#include "base/str.h"
#include "criu/criu.h"

#define REASONS_MAX 3

static const struct {
	const char *name;
	int value;
} cgroup_names[] = {
	{ "soft", CRIU_CGROUPS_SOFT },
	{ "full", CRIU_CGROUPS_FULL },
	{ "strict", CRIU_CGROUPS_STRICT },
	{ "ignore", CRIU_CGROUPS_IGNORE },
}, lock_names[] = {
	{ "iptables", CRIU_LOCK_IPTABLES },
	{ "nftables", CRIU_LOCK_NFTABLES },
	{ "skip", CRIU_LOCK_SKIP },
};

int criu_cgroups_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT(cgroup_names); i++)
		if (str_eq(cgroup_names[i].name, name))
			return cgroup_names[i].value;
	return -EINVAL;
}

int criu_network_lock_from_name(const char *name)
{
	for (size_t i = 0; i < COUNT(lock_names); i++)
		if (str_eq(lock_names[i].name, name))
			return lock_names[i].value;
	return -EINVAL;
}

/* What is complained of everywhere and stops nothing. */
static const char *const harmless[] = {
	"rlimit: Can't setup RLIMIT_NOFILE",
};

/* The message of an error line, or NULL; its length in *ret. */
static const char *error_of(const char *line, size_t len, size_t *ret)
{
	static const char mark[] = "Error (";
	const char *end = line + len, *at = memmem(line, len, mark, sizeof(mark) - 1);
	const char *text = at ? memmem(at, (size_t)(end - at), "): ", 3) : NULL;

	if (!text)
		return NULL;
	text += 3;
	for (size_t i = 0; i < COUNT(harmless); i++)
		if (memmem(text, (size_t)(end - text), harmless[i], strlen(harmless[i])))
			return NULL;
	*ret = (size_t)(end - text);
	return text;
}

const char *criu_log_reason(struct arena *a, const char *log)
{
	const char *reason = "";
	unsigned found = 0;

	while (*log && found < REASONS_MAX) {
		size_t len = strcspn(log, "\n"), n = 0;
		const char *text = error_of(log, len, &n);

		if (text)
			reason = arena_printf(a, "%s%s%.*s", reason, found++ ? "; " : "", (int)n,
					      text);
		log += len + (log[len] == '\n');
	}
	return reason;
}
