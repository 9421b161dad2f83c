/* SPDX-License-Identifier: Apache-2.0 */
/* check_root - the top level: ociVersion, root, hostname, domainname, annotations */
#include <limits.h>
#include <sched.h>

#include "base/str.h"
#include "spec/check.h"

/* The longest name that sethostname(2) and setdomainname(2) take. */
#define UTS_NAME_MAX 64

/* A part of "1.2.3": a decimal number without leading zeros, before '.', '-', '+' or the end. */
static const char *version_number(const char *s, uint64_t *ret)
{
	const char *start = s;
	uint64_t value = 0;

	while (*s >= '0' && *s <= '9' && value < UINT32_MAX)
		value = value * 10 + (uint64_t)(*s++ - '0');
	if (s == start || (*start == '0' && s - start > 1) || value >= UINT32_MAX)
		return NULL;
	*ret = value;
	return s;
}

/* What may follow the three numbers: "-rc.1", "+build". */
static bool version_tail_ok(const char *s)
{
	const char *allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.+";

	return *s == '\0' || ((*s == '-' || *s == '+') && s[1] && s[strspn(s, allowed)] == '\0');
}

/*
 * Newer minor versions only add what may be ignored (config.md, "Specification version");
 * a newer major version means something that we do not know.
 */
void check_version(const struct spec *s, struct check *c)
{
	const char *version = s->config->oci_version, *at = version;
	uint64_t part[3] = { 0 };

	for (size_t i = 0; i < COUNT(part) && at; i++) {
		at = version_number(at, &part[i]);
		if (at && i < COUNT(part) - 1)
			at = *at == '.' ? at + 1 : NULL;
	}
	if (!at || !version_tail_ok(at))
		check_error(c, "ociVersion: '%s' is not a version", version ? version : "");
	else if (part[0] > 1)
		check_error(c, "ociVersion: version %s is not supported, only 1.x", version);
	else if (part[0] < 1)
		check_warn(c, "ociVersion: %s is older than the specification's first release",
			   version);
}

static const char *check_uts_name(const char *name, const char *property, const struct spec *s,
				  struct check *c)
{
	if (!name || !*name)
		return NULL;
	if (strlen(name) > UTS_NAME_MAX)
		check_error(c, "%s: longer than %d bytes", property, UTS_NAME_MAX);
	if (!((s->ns_new | s->ns_joined) & CLONE_NEWUTS))
		check_error(c, "%s needs a uts namespace", property);
	return name;
}

static void check_rootfs(struct spec *s, struct check *c)
{
	const struct oci_root *root = s->config->root;

	if (!root) {
		check_error(c, "root is missing");
		return;
	}
	if (!root->path || !*root->path) {
		check_error(c, "root.path is empty");
		return;
	}
	s->rootfs_path = root->path[0] == '/'
				 ? root->path
				 : arena_printf(c->arena, "%s/%s", s->bundle, root->path);
	if (strlen(s->rootfs_path) >= PATH_MAX)
		check_fail(c, ENAMETOOLONG, "root.path is too long");
	s->readonly_root = root->readonly;
}

void check_root(struct spec *s, struct check *c)
{
	check_rootfs(s, c);
	s->hostname = check_uts_name(s->config->hostname, "hostname", s, c);
	s->domainname = check_uts_name(s->config->domainname, "domainname", s, c);
}
