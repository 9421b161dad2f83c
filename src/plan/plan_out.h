/* SPDX-License-Identifier: Apache-2.0 */
/* plan_out - inside the floor: text that grows while a plan is printed */
#ifndef CLEAT_PLAN_PLAN_OUT_H
#define CLEAT_PLAN_PLAN_OUT_H

#include "plan/plan.h"

struct plan_out {
	struct arena *arena;
	char *text;
	size_t len, size;
};

void plan_put(struct plan_out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The names of variables, each between @before and @after: values are secret. */
void plan_put_env(struct plan_out *o, const char *before, const char *const *env, size_t n,
		  const char *after);
void plan_put_process(struct plan_out *o, const struct plan *p);

#endif
