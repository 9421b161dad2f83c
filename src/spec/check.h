/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - inside the room: one function for each part of the configuration
 *
 * Each reads a part of @s->config and writes what it means into @s. Messages begin with
 * the property as the specification writes it ("process.cwd").
 */
#ifndef CLEAT_SPEC_CHECK_H
#define CLEAT_SPEC_CHECK_H

#include "spec/spec.h"

/* Checks are pure: what is only worth a warning is collected and said by the loader. */
struct warnings {
	struct arena *arena;
	const char **v;
	size_t n, cap;
};
void warn(struct warnings *w, const char *fmt, ...) ERR_PRINTF(2, 3);

int check_version(const struct spec *s, struct warnings *w, struct err *e);
int check_root(struct arena *a, struct spec *s, struct err *e);
int check_annotations(const struct spec *s, struct err *e);
int check_mounts(const struct spec *s, struct warnings *w, struct err *e);
int check_hooks(const struct spec *s, struct err *e);
int check_linux(struct arena *a, struct spec *s, struct err *e);
/* Allocates in the arena of @w. */
int check_process(const struct oci_process *oci, struct spec_process *ret, struct warnings *w,
		  struct err *e);

/* Copy mappings and see that the kernel would take them; @where: "linux.uidMappings". */
int check_mappings(struct arena *a, const struct oci_id_mapping *const *maps, size_t n,
		   const char *where, struct id_map **ret, struct err *e);

#endif
