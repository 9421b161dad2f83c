/* SPDX-License-Identifier: Apache-2.0 */
/* check_mounts - what holds for every mount; options are the mount room's */
#include "base/str.h"
#include "spec/check.h"

static bool is_bind(const struct oci_mount *m)
{
	if (m->type && str_eq(m->type, "bind"))
		return true;
	for (size_t i = 0; i < m->n_options; i++)
		if (str_eq(m->options[i], "bind") || str_eq(m->options[i], "rbind"))
			return true;
	return false;
}

static void check_mount(const struct oci_mount *m, size_t i, struct check *c)
{
	const char *destination = m->destination ? m->destination : "";

	if (!*destination)
		check_error(c, "mounts[%zu].destination is empty", i);
	/* Deprecated since 1.0.2, and still written: taken as below the root. */
	else if (destination[0] != '/')
		check_warn(c, "mounts[%zu].destination: '%s' is not absolute", i, destination);
	if (is_bind(m) && (!m->source || !*m->source))
		check_error(c, "mounts[%zu]: a bind of '%s' needs a source", i, destination);
	/* podman --systemd writes them */
	for (size_t k = 0; k < m->n_options; k++)
		if (!*m->options[k])
			check_remark(c, "mounts[%zu].options[%zu] is empty", i, k);
	if (!m->n_uid_mappings != !m->n_gid_mappings)
		check_error(c, "mounts[%zu]: uidMappings and gidMappings come together", i);
}

void check_mounts(const struct spec *s, struct check *c)
{
	for (size_t i = 0; i < s->config->n_mounts; i++)
		check_mount(s->config->mounts[i], i, c);
}
