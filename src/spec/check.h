/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - inside the room: one function for each part of the configuration
 *
 * Each reads a part of @s->config and writes what it means into @s. Messages begin with
 * the property as the specification writes it ("process.cwd"); the loader puts file, line
 * and column before it.
 */
#ifndef CLEAT_SPEC_CHECK_H
#define CLEAT_SPEC_CHECK_H

#include "spec/spec.h"

/* Checks are pure: what is only worth a warning is collected and said by the loader. */
struct check {
	struct arena *arena;
	struct err *e;
	struct ocispec_place place; /* of the object that is being looked at */
	const char **v;		    /* warnings */
	size_t n, cap;
};
void check_warn(struct check *c, const char *fmt, ...) ERR_PRINTF(2, 3);

int check_version(const struct spec *s, struct check *c);
int check_root(struct spec *s, struct check *c);
int check_annotations(const struct spec *s, struct check *c);
int check_mounts(const struct spec *s, struct check *c);
int check_hooks(const struct spec *s, struct check *c);
int check_linux(struct spec *s, struct check *c);
int check_process(const struct oci_process *oci, struct spec_process *ret, struct check *c);

/* Copy mappings and see that the kernel would take them; @where: "linux.uidMappings". */
int check_mappings(struct oci_id_mapping *const *maps, size_t n, const char *where,
		   struct id_map **ret, struct check *c);

#endif
