/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - inside the room: one function for each part of the configuration
 *
 * Each reads a part of @s->config and writes what it means into @s. A check does not end
 * at the first fault: it notes it and goes on, so that one look finds all. Messages begin
 * with the property as the specification writes it ("process.cwd: ..."), from which the
 * place in the text follows.
 */
#ifndef CLEAT_SPEC_CHECK_H
#define CLEAT_SPEC_CHECK_H

#include "spec/spec.h"

/* Checks are pure: what they find is collected and said by the loader. */
struct check {
	struct arena *arena;
	struct spec_finding *v;
	size_t n, cap;
	bool strict; /* somebody reads remarks: make them */
};

/* Create refuses it; @code is a positive errno. */
void check_fail(struct check *c, int code, const char *fmt, ...) ERR_PRINTF(3, 4);
#define check_error(c, ...) check_fail((c), EINVAL, __VA_ARGS__)
/* Legal and hardly meant: create logs it. */
void check_warn(struct check *c, const char *fmt, ...) ERR_PRINTF(2, 3);
/* Legal and without effect, or twice: only `check` says it. */
void check_remark(struct check *c, const char *fmt, ...) ERR_PRINTF(2, 3);

void check_version(const struct spec *s, struct check *c);
void check_root(struct spec *s, struct check *c);
void check_annotations(const struct spec *s, struct check *c);
void check_next(struct spec *s, struct check *c); /* after check_process() */
void check_mounts(const struct spec *s, struct check *c);
void check_hooks(const struct spec *s, struct check *c);
void check_linux(struct spec *s, struct check *c);
void check_process(const struct oci_process *oci, struct spec_process *ret, struct check *c);
/* What is legal and does nothing; only remarks. */
void check_effects(const struct spec *s, struct check *c);

#endif
