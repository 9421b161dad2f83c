/* SPDX-License-Identifier: Apache-2.0 */
#include "base/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

unsigned trace_mask;

static const struct {
	char word[8];
	unsigned mask;
} areas[] = {
	{ "step", TRACE_STEP },	    { "mount", TRACE_MOUNT }, { "cgroup", TRACE_CGROUP },
	{ "plan", TRACE_PLAN },	    { "msg", TRACE_MSG },     { "exec", TRACE_EXEC },
	{ "ignore", TRACE_IGNORE }, { "all", ~0U },
};

/* What somebody wants to see who asks for debug lines and knows no area. */
#define WITH_DEBUG (TRACE_STEP | TRACE_CGROUP | TRACE_EXEC)

/* secure_getenv(3): nothing is read from the environment under AT_SECURE. */
void trace_init(void)
{
	const char *s = secure_getenv("CLEAT_TRACE");

	trace_mask = log_enabled(LOG_LEVEL_DEBUG) ? WITH_DEBUG : 0;
	while (s && *s) {
		size_t n = strcspn(s, ",");

		for (size_t i = 0; i < COUNT(areas); i++)
			if (strlen(areas[i].word) == n && strncmp(areas[i].word, s, n) == 0)
				trace_mask |= areas[i].mask;
		s += n;
		s += *s == ',';
	}
}

void trace_line(const char *area, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_trace(area, text);
}
