/* SPDX-License-Identifier: Apache-2.0 */
/*
 * annotations - those that change what is done, a row each
 *
 * The row says what form a value has, so that a wrong one is found with the rest of what is
 * wrong; the room whose matter it is reads the value. All others are somebody else's and mean
 * nothing here (config.md, "Annotations"). docs/annotations.md tells of each.
 */
#include "base/str.h"
#include "spec/check.h"

enum form {
	FORM_FREE,    /* its room looks at it */
	FORM_PATH,    /* absolute, where cleat runs */
	FORM_BELOW,   /* a path below another, without ".."; "" is none */
	FORM_REFUSED, /* what it asks for is not here, and to go on without would be another thing */
};

struct row {
	const char *key;
	enum form form;
};

/* Kubernetes' word for what a container of a pod is. */
#define SANDBOX_KEY "io.kubernetes.cri.container-type"

static const struct row rows[] = {
	{ SPEC_ANNOTATION_LANDLOCK, FORM_FREE },
	{ SPEC_ANNOTATION_CORE_SCHEDULING, FORM_FREE },
	{ SPEC_ANNOTATION_KEEP_GROUPS, FORM_FREE },
	{ SPEC_ANNOTATION_MOUNT_CONTEXT, FORM_FREE },
	{ SPEC_ANNOTATION_HOOKS_STDOUT, FORM_PATH },
	{ SPEC_ANNOTATION_HOOKS_STDERR, FORM_PATH },
	{ SPEC_ANNOTATION_PIDFD_RECEIVER, FORM_PATH },
	{ SPEC_ANNOTATION_CGROUP_V1, FORM_PATH },
	{ SPEC_ANNOTATION_SUBGROUP, FORM_BELOW },
	{ SPEC_ANNOTATION_DELEGATE, FORM_BELOW },
	{ SPEC_ANNOTATION_SECCOMP_RECEIVER, FORM_PATH },
	{ SPEC_ANNOTATION_SECCOMP_UNKNOWN, FORM_FREE },
	{ SPEC_ANNOTATION_SECCOMP_BPF, FORM_FREE },
	{ SPEC_ANNOTATION_SECCOMP_PLUGINS, FORM_REFUSED },
	{ SPEC_ANNOTATION_HANDLER, FORM_REFUSED },
};

const char *spec_annotation_in(const struct oci_string_map *annotations, const char *key)
{
	for (size_t i = 0; annotations && i < annotations->n; i++)
		if (str_eq(annotations->entries[i].key, key))
			return annotations->entries[i].value;
	return NULL;
}

const char *spec_annotation(const struct oci_config *config, const char *key)
{
	return spec_annotation_in(config->annotations, key);
}

const char *spec_annotation_text(const struct oci_config *config, const char *key)
{
	const char *value = spec_annotation(config, key);

	return value && *value ? value : NULL;
}

bool spec_annotation_is_set(const struct oci_config *config, const char *key)
{
	const char *value = spec_annotation(config, key);

	return value && *value && !str_eq(value, "0") && !str_eq(value, "false");
}

/* No component "..", which would lead out of what it is below. */
static bool is_below(const char *path)
{
	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (at[0] == '.' && at[1] == '.' && (!at[2] || at[2] == '/'))
			return false;
	}
	return path[0] != '/';
}

/* A pod's pause container has its pod's annotations and is not meant by them. */
static bool is_pause_container(const struct oci_config *config)
{
	const char *type = spec_annotation(config, SANDBOX_KEY);

	return type && str_eq(type, "sandbox");
}

static void check_form(const struct spec *s, const struct row *row, const char *value,
		       struct check *c)
{
	if (row->form == FORM_PATH && *value != '/')
		check_error(c, "annotations[\"%s\"]: '%s' is not an absolute path", row->key,
			    value);
	else if (row->form == FORM_BELOW && !is_below(value))
		check_error(c, "annotations[\"%s\"]: '%s' would lead out of the container's cgroup",
			    row->key, value);
	else if (row->form == FORM_REFUSED && !is_pause_container(s->config))
		check_error(c, "annotations[\"%s\"]: '%s' is not available: cleat loads no code",
			    row->key, value);
}

void check_annotations(const struct spec *s, struct check *c)
{
	const struct oci_string_map *map = s->config->annotations;

	for (size_t i = 0; map && i < map->n; i++)
		if (!*map->entries[i].key)
			check_error(c, "annotations[\"\"]: a key is empty");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *value = spec_annotation(s->config, rows[i].key);

		if (value)
			check_form(s, &rows[i], value, c);
	}
}
