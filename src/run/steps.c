/* SPDX-License-Identifier: Apache-2.0 */
#include "run/steps.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/str.h"
#include "base/trace.h"
#include "config.h"
#include "run/run.h"

static const char *fail_step; /* CLEAT_FAIL, "<step>:<errno name>"; debug builds only */

const char *run_role_name(enum run_role role)
{
	static const char *const names[ROLE_N] = { "parent", "middle", "init", "exec" };

	return (unsigned)role < ROLE_N ? names[role] : "?";
}

void run_read_faults(void)
{
	if (CLEAT_DEBUG)
		fail_step = secure_getenv("CLEAT_FAIL");
}

/* The errno that the environment asks for in this step, or 0. */
static int step_injected(const char *name)
{
	size_t len = strlen(name);
	int code;

	if (!fail_step || strncmp(fail_step, name, len) != 0 || fail_step[len] != ':')
		return 0;
	code = errno_from_name(fail_step + len + 1);
	return code > 0 ? code : EIO;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

static int step_run(const struct step *s, void *arg, struct err *e)
{
	int64_t begin = trace_mask & TRACE_STEP ? now_us() : 0;
	int code = step_injected(s->name);
	int r = code ? err_sys(e, code, s->name, "injected failure") : s->fn(arg, e);

	trace(STEP, "%s %lld us", s->name, (long long)(now_us() - begin));
	return r;
}

int steps_run(const struct step *steps, size_t n, enum run_role role, void *arg,
	      struct run_progress *progress, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (steps[i].wanted && !steps[i].wanted(arg))
			continue;
		progress->role = (int)role;
		str_copy(progress->step, sizeof(progress->step), steps[i].name);
		if (step_run(&steps[i], arg, e) < 0) {
			str_copy(e->step, sizeof(e->step), steps[i].name);
			return -e->code;
		}
	}
	return 0;
}
