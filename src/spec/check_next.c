/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_next - what the next specification may bring, carried by annotations
 *
 * Landlock (process.landlock) and core scheduling are proposals to the specification. Their
 * JSON stands as text in an annotation until it is settled; then the property takes its
 * place and this file goes.
 */
#include "base/str.h"
#include "ocispec/decode.h"
#include "spec/check.h"

static const void *decode(const char *key, const char *text, const struct ocispec_type *type,
			  struct check *c)
{
	const struct ocispec_allocator alloc = { arena_ocispec_alloc, c->arena };
	struct ocispec_error why = { 0 };
	void *object = NULL;

	if (ocispec_decode(type, text, strlen(text), &alloc, NULL, &object, &why) == 0)
		return object;
	check_error(c, "annotations[\"%s\"]:%u:%u: %s%s%s", key, why.line, why.column, why.path,
		    *why.path ? ": " : "", why.text);
	return NULL;
}

static void check_landlock(const struct spec *s, struct check *c)
{
	const struct oci_landlock_rules *rules = s->landlock->rules;
	const char *key = SPEC_ANNOTATION_LANDLOCK;

	/* restrict_self(2) of landlock; CAP_SYS_ADMIN instead is no rule to rely on */
	if (s->has_process && !s->process.no_new_privileges)
		check_error(c, "annotations[\"%s\"]: Landlock needs process.noNewPrivileges", key);
	if (!s->landlock->ruleset->n_handled_access_fs &&
	    !s->landlock->ruleset->n_handled_access_network)
		check_error(c, "annotations[\"%s\"]: ruleset: no access is handled", key);
	for (size_t i = 0; rules && i < rules->n_path_beneath; i++)
		for (size_t k = 0; k < rules->path_beneath[i]->n_paths; k++)
			if (rules->path_beneath[i]->paths[k][0] != '/')
				check_error(c, "annotations[\"%s\"]: '%s' is not absolute", key,
					    rules->path_beneath[i]->paths[k]);
}

static void check_core_scheduling(const struct oci_core_scheduling *s, struct check *c)
{
	if (s->create && s->share_from)
		check_error(c, "annotations[\"%s\"]: both create and shareFrom",
			    SPEC_ANNOTATION_CORE_SCHEDULING);
}

void check_next(struct spec *s, struct check *c)
{
	const char *landlock = spec_annotation(s->config, SPEC_ANNOTATION_LANDLOCK);
	const char *cores = spec_annotation(s->config, SPEC_ANNOTATION_CORE_SCHEDULING);

	if (landlock)
		s->landlock = decode(SPEC_ANNOTATION_LANDLOCK, landlock, &oci_landlock_type, c);
	if (s->landlock)
		check_landlock(s, c);
	if (cores)
		s->core_scheduling = decode(SPEC_ANNOTATION_CORE_SCHEDULING, cores,
					    &oci_core_scheduling_type, c);
	if (s->core_scheduling)
		check_core_scheduling(s->core_scheduling, c);
}
